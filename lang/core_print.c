/* core_print.c — a stage of a program as text of the language: axes, leaves, definitions, and what is printed.
 *
 *   axis h = 32             axis pos = 1..60 periodic      axis xyz = x | y | z      axis atom      axis t = from(1)
 *   axis atom = ragged(count, 21)      axis array3 = anonymous(3)      data s = records(100)      data s = records()
 *   param W : real[h, k] 'eV'          a parameter; DEF_DATA leaves end in the word data, DEF_RUNTIME ones in runtime,
 *                                      leaves of ±1 in signs
 *   const ν = 0.01                     with a type if it has a unit or is no real
 *   z[s, i] = b[i] + sum[k] W[i, k]*x[s, k]
 *   h = [t in pos, i in h -> …]        where no read tells the axes of the indices; pos(first + 1..last) is a part of it
 *   h[0, i] = 0                        another piece of h; the first that fits holds
 *   h_[outside] = 0                    reads outside the pieces are zero
 *   v[s] = variable(x[s])              kept apart: something is differentiated by it
 *   derivative f(a[s], b[s]) = (p, q)  a rule of the user's
 *   print L, g                         the outputs
 *
 * Lines stand in the order of the definitions' numbers as far as dependence allows, and operands in an order that follows
 * from the text, so that core_read_text and core_print together give the same bytes again. */
#include "lang/core_text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/unit.h"

typedef struct Print {
	Core *c;
	Arena *a;
	const CoreProgram *program;
	struct UnitTable *units;
	FILE *out;
	Node *root;
	uint32_t n; /* definitions reached */
	Def *order;
	uint32_t *component;
	Def *line; /* printed definitions in the order of their lines */
	uint32_t nline;
	uint32_t *line_of; /* by definition; 0: none */
	bool *in_place, *axis_used;
	const char **def_name, **axis_name;
	char **names; /* all that are taken */
	size_t nname, namecap;
	CoreText text;
	uint32_t *block; /* by line: number of the last line of its strongly connected set */
	uint32_t now;    /* lines up to here have been given a head when this one is read back */
	bool **known;    /* by definition: formals whose axes the text tells */
	Def before;      /* definitions before printing began */
	Sym *output;     /* by definition without a name of its own: that of the output that it is */
} Print;

static bool is_leaf(const DefInfo *d)
{
	return d->role == DEF_PARAM || d->role == DEF_DATA || d->role == DEF_RUNTIME;
}

/* ---- large shared parts get definitions of their own ---- */

enum { PART_SIZE = 60, PART_HEIGHT = 100 };

typedef struct Hoist {
	Memo *uses; /* node -> number of parents, capped at 2 */
	Node root;
} Hoist;

static void count_uses(Core *c, Memo *uses, Node root)
{
	size_t base = c->nstack;
	core_stack_push(c, root);
	while (c->nstack > base) {
		Node n = c->stack[--c->nstack];
		const NodeInfo *p = core_node(c, n);
		for (uint32_t k = 0; k < p->n; k++) {
			Node seen = core_memo_get(uses, p->arg[k]);
			if (seen < 2) {
				core_memo_set(c, uses, p->arg[k], seen + 1);
			}
			if (!seen) {
				core_stack_push(c, p->arg[k]);
			}
		}
	}
}

/* A part whose reads are all at plain places may be computed anywhere; others may stand under a condition for a reason. */
static bool computable_anywhere(Core *c, Node root)
{
	size_t base = c->nstack;
	bool plain = true;
	Memo *seen = core_memo_take(c);
	core_stack_push(c, root);
	while (c->nstack > base) {
		Node n = c->stack[--c->nstack];
		if (core_memo_get(seen, n)) {
			continue;
		}
		core_memo_set(c, seen, n, n);
		const NodeInfo *p = core_node(c, n);
		for (uint32_t k = 0; k < p->n; k++) {
			plain = plain && (p->tag != NODE_READ || core_node(c, p->arg[k])->tag == NODE_INDEX);
			core_stack_push(c, p->arg[k]);
		}
	}
	core_memo_give(c, seen);
	return plain;
}

static Node hoist_leave(void *data, Core *c, Node was, Node n)
{
	const Hoist *h = data;
	const NodeCell *cell = core_cell(c, n);
	bool large = cell->size > PART_SIZE && core_memo_get(h->uses, was) > 1;
	if (was == h->root || (!large && cell->height <= PART_HEIGHT) || cell->derivative || cell->info.n == 0 ||
	    !computable_anywhere(c, n)) {
		return n;
	}
	Def d = core_share(c, 0, cell->info.span, cell->nfree, cell->free, n, 0);
	return core_read_plain(c, d, cell->free);
}

static Node hoist_enter(void *data, Core *c, Node n)
{
	(void)data;
	const NodeCell *cell = core_cell(c, n);
	return cell->size <= PART_SIZE && cell->height <= PART_HEIGHT ? n : 0;
}

static Node hoist(Core *c, Node root)
{
	const NodeCell *cell = core_cell(c, root);
	if (cell->size <= PART_SIZE * 2 && cell->height <= PART_HEIGHT) {
		return root;
	}
	Hoist h = {.uses = core_memo_take(c), .root = root};
	count_uses(c, h.uses, root);
	Rewrite r = {.enter = hoist_enter, .leave = hoist_leave, .data = &h};
	Memo *memo = core_memo_take(c);
	Node n = core_rewrite(c, &r, memo, root);
	core_memo_give(c, memo);
	core_memo_give(c, h.uses);
	return n;
}

/* Large parts get names; the definitions mean what they meant. */
static bool hoist_definition(Print *p, Def d)
{
	const DefInfo *info = core_def(p->c, d);
	bool changed = false;
	Piece *piece = arena_array(p->a, Piece, info->npiece);
	for (uint32_t k = 0; k < info->npiece; k++) {
		piece[k] = info->piece[k];
		piece[k].value = hoist(p->c, info->piece[k].value);
		changed |= piece[k].value != info->piece[k].value;
	}
	if (changed) {
		core_set_pieces(p->c, d, info->npiece, piece);
	}
	return changed;
}

static void reach_all(Print *p)
{
	bool changed = false;
	p->n = core_reach(p->c, p->a, p->program->n, p->root, &p->order, &p->component);
	for (uint32_t k = 0; k < p->n; k++) {
		changed |= hoist_definition(p, p->order[k]);
	}
	if (changed) {
		p->n = core_reach(p->c, p->a, p->program->n, p->root, &p->order, &p->component);
	}
}

/* ---- names ---- */

/* Index variables may share a name with an axis, not with a definition. */
static bool names_definition(void *data, const char *name)
{
	const Print *p = data;
	for (uint32_t k = 0; k < p->nline; k++) {
		if (strcmp(p->def_name[p->line[k]], name) == 0) {
			return true;
		}
	}
	return false;
}

static bool name_taken(const Print *p, const char *name)
{
	for (size_t k = 0; k < p->nname; k++) {
		if (strcmp(p->names[k], name) == 0) {
			return true;
		}
	}
	return false;
}

static const char *take_name(Print *p, const char *base, bool number)
{
	static const char *const words[] = {"and", "or", "not", "if", "then", "else", "in", "mod", "div", "xor", "shl", "shr",
	                                    "band", "bor", "sum", "mean", "max", "min", "prod", "logsumexp", "argmax", "argmin",
	                                    "all", "any", "count", "expect", "until", "partial", "real", "int", "bool", "spin",
	                                    "complex", "true", "false", "inf", "nan", "first", "last", "outside", "r2", "rmse",
	                                    "mae", "auc", "accuracy"};
	base = core_text_clean(p->a, base);
	bool reserved = false;
	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		reserved = reserved || strcmp(words[k], base) == 0;
	}
	char *name = arena_strdup(p->a, base);
	for (unsigned k = number ? 1 : 2; number || reserved || name_taken(p, name); k++) {
		name = arena_printf(p->a, "%s%u", base, k);
		number = reserved = false;
	}
	ARENA_PUSH(p->a, p->names, p->nname, p->namecap, name);
	return name;
}

static void name_axes(Print *p)
{
	uint32_t n = core_axis_count(p->c);
	p->axis_name = arena_array(p->a, const char *, n + 1);
	for (Axis a = 1; a <= n; a++) {
		const AxisInfo *info = core_axis_info(p->c, a);
		if (p->axis_used[a]) {
			const char *own = intern_text(p->c->names, info->name);
			const char *made = arena_printf(p->a, "array%lld", (long long)info->size);
			p->axis_name[a] = take_name(p, *own ? own : made, false);
		}
	}
}

/* The line that reads d first, 0: none. */
static uint32_t first_reader(Print *p, Def d)
{
	for (uint32_t k = 0; k < p->nline; k++) {
		uint32_t n;
		const Def *reads = core_def_reads(p->c, p->line[k], &n);
		for (uint32_t q = 0; q < n; q++) {
			if (reads[q] == d && p->line[k] != d) {
				return k + 1;
			}
		}
	}
	return 0;
}

static void name_definitions(Print *p)
{
	p->def_name = arena_array(p->a, const char *, p->c->ndef + 1);
	for (uint32_t k = 0; k < p->nline; k++) {
		Def d = p->line[k];
		Sym name = core_def(p->c, d)->name;
		const char *own = intern_text(p->c->names, name || d > p->before ? name : p->output[d]);
		if (*own) {
			p->def_name[p->line[k]] = take_name(p, own, false);
		}
	}
	const char **base = arena_array(p->a, const char *, p->nline);
	for (uint32_t k = p->nline; k-- > 0;) {
		Def d = p->line[k];
		uint32_t reader = p->def_name[d] ? 0 : first_reader(p, d);
		base[k] = p->def_name[d] ? p->def_name[d] : reader && base[reader - 1] ? base[reader - 1] : "t";
		if (!p->def_name[d]) {
			p->def_name[d] = take_name(p, base[k], true);
		}
	}
}

/* ---- what is printed in place ---- */

static bool distinct_indices(const Core *c, const NodeInfo *p)
{
	for (uint32_t k = 0; k < p->n; k++) {
		if (core_node(c, p->arg[k])->tag != NODE_INDEX) {
			return false;
		}
		for (uint32_t q = 0; q < k; q++) {
			if (p->arg[q] == p->arg[k]) {
				return false;
			}
		}
	}
	return true;
}

typedef struct Readers {
	uint8_t *count; /* by definition: places in the text that would show it, capped at 2; 2 also where it may not stand */
	Memo *paths;
} Readers;

static int node_down(const void *x, const void *y)
{
	Node a = *(const Node *)x, b = *(const Node *)y;
	return a > b ? -1 : a < b;
}

/* Counts for each read in root the places where its text would stand. */
static void count_reads(Print *p, Readers *r, Node root, bool forbidden)
{
	Core *c = p->c;
	size_t base = c->nstack;
	Memo *paths = core_memo_take(c);
	core_stack_push(c, root);
	core_memo_set(c, paths, root, 1);
	for (size_t k = base; k < c->nstack; k++) {
		const NodeInfo *info = core_node(c, c->stack[k]);
		for (uint32_t q = 0; q < info->n; q++) {
			if (!core_memo_get(paths, info->arg[q])) {
				core_memo_set(c, paths, info->arg[q], 1);
				core_stack_push(c, info->arg[q]);
			}
		}
	}
	qsort(c->stack + base, c->nstack - base, sizeof *c->stack, node_down);
	Memo *count = core_memo_take(c);
	core_memo_set(c, count, root, 1);
	for (size_t k = base; k < c->nstack; k++) {
		Node n = c->stack[k], here = core_memo_get(count, n);
		const NodeInfo *info = core_node(c, n);
		for (uint32_t q = 0; q < info->n; q++) {
			Node sum = core_memo_get(count, info->arg[q]) + here;
			core_memo_set(c, count, info->arg[q], sum > 2 ? 2 : sum);
		}
		if (info->tag == NODE_READ) {
			unsigned more = r->count[info->ref] + here;
			bool plain = !forbidden && distinct_indices(c, info);
			r->count[info->ref] = plain && more < 2 ? (uint8_t)more : 2;
		}
	}
	core_memo_give(c, count);
	core_memo_give(c, paths);
	c->nstack = base;
}

static void choose_in_place(Print *p)
{
	Readers r = {.count = arena_array(p->a, uint8_t, p->c->ndef + 1)};
	for (uint32_t k = 0; k < p->n; k++) {
		const DefInfo *d = core_def(p->c, p->order[k]);
		for (uint32_t q = 0; q < d->npiece; q++) {
			count_reads(p, &r, d->piece[q].value, d->red != RED_NONE);
		}
		for (uint32_t q = 0; d->rule && q < d->rule->n; q++) {
			count_reads(p, &r, d->rule->arg[q], true);
			count_reads(p, &r, d->rule->partial[q], true);
		}
	}
	for (uint32_t k = 0; k < p->program->n; k++) {
		count_reads(p, &r, p->root[k], true);
	}
	for (Axis a = 1; a <= core_axis_count(p->c); a++) {
		Def length = core_axis_info(p->c, a)->length;
		if (length) {
			r.count[length] = 2;
		}
	}
	p->in_place = arena_array(p->a, bool, p->c->ndef + 1);
	for (uint32_t k = 0; k < p->n; k++) {
		const DefInfo *d = core_def(p->c, p->order[k]);
		p->in_place[p->order[k]] = d->red != RED_NONE && r.count[p->order[k]] == 1 && d->npiece == 1 &&
		                           !(d->flags & (DEF_USER | DEF_KEEP | DEF_VARIABLE)) && !d->unit;
	}
}

/* ---- order of lines ---- */

typedef struct Block {
	uint32_t lo, hi;  /* of a strongly connected set in p->order */
	uint32_t waiting; /* sets that it reads and that are not printed yet */
	Def key;          /* its smallest definition that has a line, 0: none has */
	uint32_t nreader, *reader;
	size_t readercap;
} Block;

static void heap_push(uint32_t *heap, size_t *n, const Block *b, uint32_t x)
{
	size_t k = (*n)++;
	while (k && b[heap[(k - 1) / 2]].key > b[x].key) {
		heap[k] = heap[(k - 1) / 2];
		k = (k - 1) / 2;
	}
	heap[k] = x;
}

static uint32_t heap_pop(uint32_t *heap, size_t *n, const Block *b)
{
	uint32_t top = heap[0], x = heap[--*n];
	size_t k = 0;
	for (;;) {
		size_t next = 2 * k + 1;
		if (next + 1 < *n && b[heap[next + 1]].key < b[heap[next]].key) {
			next++;
		}
		if (next >= *n || b[heap[next]].key > b[x].key) {
			break;
		}
		heap[k] = heap[next];
		k = next;
	}
	heap[k] = x;
	return top;
}

static Block *make_blocks(Print *p, uint32_t *nblock)
{
	Block *b = arena_array(p->a, Block, p->n + 1);
	uint32_t *of = arena_array(p->a, uint32_t, p->c->ndef + 1), n = 0;
	for (uint32_t lo = 0, hi; lo < p->n; lo = hi, n++) {
		b[n] = (Block){.lo = lo, .key = 0};
		for (hi = lo; hi < p->n && p->component[hi] == p->component[lo]; hi++) {
			Def d = p->order[hi];
			of[d] = n;
			b[n].key = p->in_place[d] || (b[n].key && b[n].key < d) ? b[n].key : d;
		}
		b[n].hi = hi;
	}
	for (uint32_t k = 0; k < n; k++) {
		for (uint32_t q = b[k].lo; q < b[k].hi; q++) {
			uint32_t nread;
			const Def *reads = core_def_reads(p->c, p->order[q], &nread);
			for (uint32_t r = 0; r < nread; r++) {
				Block *from = &b[of[reads[r]]];
				if (from != &b[k]) {
					size_t at = from->nreader;
					ARENA_PUSH(p->a, from->reader, at, from->readercap, k);
					from->nreader = (uint32_t)at;
					b[k].waiting++;
				}
			}
		}
	}
	*nblock = n;
	return b;
}

/* Smallest numbers first among those whose reads are printed; what is printed in place counts as printed with its reader. */
static void order_lines(Print *p)
{
	uint32_t n;
	Block *b = make_blocks(p, &n);
	uint32_t *heap = arena_array(p->a, uint32_t, n);
	size_t nheap = 0;
	p->line = arena_array(p->a, Def, p->n);
	p->line_of = arena_array(p->a, uint32_t, p->c->ndef + 1);
	for (uint32_t k = 0; k < n; k++) {
		if (b[k].waiting == 0) {
			heap_push(heap, &nheap, b, k);
		}
	}
	while (nheap) {
		Block *x = &b[heap_pop(heap, &nheap, b)];
		for (uint32_t q = x->lo; q < x->hi; q++) {
			if (!p->in_place[p->order[q]]) {
				p->line[p->nline++] = p->order[q];
				p->line_of[p->order[q]] = p->nline;
			}
		}
		for (uint32_t r = 0; r < x->nreader; r++) {
			if (--b[x->reader[r]].waiting == 0) {
				heap_push(heap, &nheap, b, x->reader[r]);
			}
		}
	}
}

/* Leaves and constants stand before the rest. */
static void leaves_first(Print *p)
{
	Def *sorted = arena_array(p->a, Def, p->nline);
	uint32_t n = 0;
	for (int rest = 0; rest < 2; rest++) {
		for (uint32_t k = 0; k < p->nline; k++) {
			const DefInfo *d = core_def(p->c, p->line[k]);
			if (is_leaf(d) != (rest == 1)) {
				sorted[n++] = p->line[k];
			}
		}
	}
	p->line = sorted;
	for (uint32_t k = 0; k < n; k++) {
		p->line_of[sorted[k]] = k + 1;
	}
	p->block = arena_array(p->a, uint32_t, n);
	p->known = arena_array(p->a, bool *, p->c->ndef + 1);
	uint32_t *set = arena_array(p->a, uint32_t, p->c->ndef + 1);
	for (uint32_t k = 0; k < p->n; k++) {
		set[p->order[k]] = p->component[k];
	}
	for (uint32_t k = n; k-- > 0;) {
		bool together = k + 1 < n && set[sorted[k]] == set[sorted[k + 1]];
		p->block[k] = together ? p->block[k + 1] : k + 1;
	}
}

static void mark_axes(Print *p, Node root)
{
	size_t base = p->c->nstack;
	Memo *seen = core_memo_take(p->c);
	core_stack_push(p->c, root);
	while (p->c->nstack > base) {
		Node n = p->c->stack[--p->c->nstack];
		const NodeInfo *info = core_node(p->c, n);
		if (core_memo_get(seen, n)) {
			continue;
		}
		core_memo_set(p->c, seen, n, n);
		if (info->tag == NODE_SIZE || info->tag == NODE_INDEX) {
			p->axis_used[info->tag == NODE_SIZE ? info->ref : core_index_axis(p->c, info->ref)] = true;
		}
		for (uint32_t k = 0; k < info->n; k++) {
			core_stack_push(p->c, info->arg[k]);
		}
	}
	core_memo_give(p->c, seen);
}

static void find_axes(Print *p)
{
	p->axis_used = arena_array(p->a, bool, core_axis_count(p->c) + 1);
	for (uint32_t k = 0; k < p->n; k++) {
		const DefInfo *d = core_def(p->c, p->order[k]);
		for (uint32_t q = 0; q < d->nindex + d->nbound; q++) {
			Index i = q < d->nindex ? d->index[q] : d->bound[q - d->nindex];
			p->axis_used[core_index_axis(p->c, i)] = true;
		}
		for (uint32_t q = 0; q < d->npiece; q++) {
			mark_axes(p, d->piece[q].value);
		}
	}
	for (uint32_t k = 0; k < p->program->n; k++) {
		mark_axes(p, p->root[k]);
	}
}

/* ---- axes and leaves ---- */

static void print_axis(Print *p, Axis a)
{
	const AxisInfo *i = core_axis_info(p->c, a);
	bool samples = (i->flags & AXIS_SAMPLES) != 0;
	fprintf(p->out, "%s %s", samples ? "data" : "axis", p->axis_name[a]);
	long long first = (long long)i->first, size = (long long)i->size;
	if (samples) {
		fprintf(p->out, " = records(");
		if (size >= 0) {
			fprintf(p->out, "%lld", size);
		}
		fprintf(p->out, first ? "%sfirst = %lld)" : ")", size >= 0 ? ", " : "", first);
	} else if (i->flags & AXIS_ANONYMOUS) {
		fprintf(p->out, " = anonymous(%lld)", size);
	} else if (i->length) {
		fprintf(p->out, " = ragged(%s, %lld)", p->def_name[i->length], size);
	} else if (i->nlabel) {
		for (uint32_t k = 0; k < i->nlabel; k++) {
			fprintf(p->out, "%s%s", k ? " | " : " = ", intern_text(p->c->names, i->label[k]));
		}
	} else if (size >= 0 && first == 0) {
		fprintf(p->out, " = %lld", size);
	} else if (size >= 0) {
		fprintf(p->out, " = %lld..%lld", first, first + size - 1);
	} else if (first) {
		fprintf(p->out, " = from(%lld)", first);
	}
	fprintf(p->out, "%s\n", i->flags & AXIS_PERIODIC ? " periodic" : "");
}

static const char *type_text(Print *p, const DefInfo *d)
{
	static const char *const kind[] = {[KIND_REAL] = "real", [KIND_INT] = "int", [KIND_BOOL] = "bool"};
	const char *s = kind[d->kind];
	for (uint32_t k = 0; k < d->nindex; k++) {
		s = arena_printf(p->a, "%s%s%s", s, k ? ", " : "[", p->axis_name[core_index_axis(p->c, d->index[k])]);
	}
	s = d->nindex ? arena_printf(p->a, "%s]", s) : s;
	return d->unit && p->units ? arena_printf(p->a, "%s '%s'", s, unit_text(p->units, d->unit)) : s;
}

static void print_leaf(Print *p, Def def)
{
	const DefInfo *d = core_def(p->c, def);
	const char *role = d->role == DEF_DATA ? " data" : d->role == DEF_RUNTIME ? " runtime" : "";
	const char *signs = d->flags & DEF_SPIN ? " signs" : "";
	fprintf(p->out, "param %s : %s%s%s\n", p->def_name[def], type_text(p, d), role, signs);
}

/* ---- heads of definitions ---- */

/* Do all reads in n that have i (shifted or not) as an argument agree on its axis, and is there one whose axes are known
 * (lines up to p->now, or told by the text of its set)? Bit 1: such a one, bit 2: one disagrees. */
static unsigned axis_evidence(Print *p, Memo *seen, Node root, Index i)
{
	Core *c = p->c;
	unsigned found = 0;
	size_t base = c->nstack;
	core_stack_push(c, root);
	while (c->nstack > base) {
		Node n = c->stack[--c->nstack];
		if (core_memo_get(seen, n) || !core_has_index(c, n, i)) {
			continue;
		}
		core_memo_set(c, seen, n, n);
		const NodeInfo *info = core_node(c, n);
		for (uint32_t k = 0; k < info->n; k++) {
			core_stack_push(c, info->arg[k]);
			const NodeInfo *arg = core_node(c, info->arg[k]);
			bool shift = arg->tag == NODE_LIN && arg->n == 1 && arg->coef[0] == 1;
			const NodeInfo *plain = shift ? core_node(c, arg->arg[0]) : arg;
			if (info->tag != NODE_READ || plain->tag != NODE_INDEX || plain->ref != i) {
				continue;
			}
			const DefInfo *d = core_def(c, info->ref);
			uint32_t line = p->line_of[info->ref];
			if (core_index_axis(c, d->index[k]) != core_index_axis(c, i)) {
				found |= 2;
			} else if (line && (line <= p->now || (p->known[info->ref] && p->known[info->ref][k]))) {
				found |= 1;
			}
		}
		if (info->tag == NODE_READ && p->in_place[info->ref]) {
			core_stack_push(c, core_open(c, info->ref, 0, info->arg, NULL));
		}
	}
	return found;
}

static bool tells_axis(Print *p, Node n, Index i)
{
	Memo *seen = core_memo_take(p->c);
	unsigned found = axis_evidence(p, seen, n, i);
	core_memo_give(p->c, seen);
	return found == 1;
}

static bool plain_binder(void *data, const CoreText *t, Index i, Node body)
{
	(void)t;
	return tells_axis(data, body, i);
}

static bool whole_range(Range r)
{
	return r.lo.kind == EDGE_FIRST && r.lo.offset == 0 && r.hi.kind == EDGE_LAST && r.hi.offset == 0;
}

static bool single_point(Range r)
{
	return r.lo.kind == r.hi.kind && r.lo.offset == r.hi.offset;
}

static bool whole_at(const Piece *piece, uint32_t k)
{
	return !piece->box || whole_range(piece->box[k]);
}

/* Can the axis of formal k be read off the pieces printed in the short form? */
static bool axis_known(Print *p, const DefInfo *d, uint32_t k)
{
	bool found = false;
	for (uint32_t q = 0; q < d->npiece; q++) {
		Memo *seen = core_memo_take(p->c);
		unsigned e = whole_at(&d->piece[q], k) ? axis_evidence(p, seen, d->piece[q].value, d->index[k]) : 0;
		core_memo_give(p->c, seen);
		if (e & 2) {
			return false;
		}
		found = found || e == 1;
	}
	return found;
}

static const char *edge_text(Print *p, Edge e, const char *axis)
{
	if (e.kind == EDGE_AT) {
		return arena_printf(p->a, "%lld", (long long)e.offset);
	}
	const char *base = e.kind == EDGE_FIRST ? (axis ? "first(" : "first") : axis ? "end(" : "last";
	const char *call = axis ? arena_printf(p->a, "%s%s)", base, axis) : base;
	long long k = (long long)e.offset;
	return k ? arena_printf(p->a, "%s %c %lld", call, k < 0 ? '-' : '+', k < 0 ? -k : k) : call;
}

/* Axes within one strongly connected set of lines lo…hi follow from lines above and from one another. */
static void find_known(Print *p, uint32_t lo, uint32_t hi)
{
	for (uint32_t l = lo; l <= hi; l++) {
		p->known[p->line[l - 1]] = arena_array(p->a, bool, core_def(p->c, p->line[l - 1])->nindex);
	}
	for (bool progress = true; progress;) {
		progress = false;
		for (uint32_t l = lo; l <= hi; l++) {
			const DefInfo *d = core_def(p->c, p->line[l - 1]);
			bool *known = p->known[p->line[l - 1]];
			for (uint32_t k = 0; k < d->nindex; k++) {
				if (!known[k] && axis_known(p, d, k)) {
					known[k] = progress = true;
				}
			}
		}
	}
}

/* The short form of a piece's head, or NULL. */
static const char *short_head(Print *p, Def def, const Piece *piece, bool known)
{
	const DefInfo *d = core_def(p->c, def);
	const char *s = p->def_name[def];
	for (uint32_t k = 0; k < d->nindex; k++) {
		const char *one;
		const char *axis = p->axis_name[core_index_axis(p->c, d->index[k])];
		if (whole_at(piece, k)) {
			one = core_text_index(&p->text, d->index[k]);
		} else if (single_point(piece->box[k]) && !core_has_index(p->c, piece->value, d->index[k])) {
			one = edge_text(p, piece->box[k].lo, axis);
		} else {
			return NULL;
		}
		s = arena_printf(p->a, "%s%s%s", s, k ? ", " : "[", one);
	}
	return d->nindex == 0 ? s : known ? arena_printf(p->a, "%s]", s) : NULL;
}

static const char *long_head(Print *p, Def def, const Piece *piece)
{
	const DefInfo *d = core_def(p->c, def);
	const char *s = "[";
	for (uint32_t k = 0; k < d->nindex; k++) {
		const char *set = p->axis_name[core_index_axis(p->c, d->index[k])];
		if (!whole_at(piece, k)) {
			Range r = piece->box[k];
			set = single_point(r) ? arena_printf(p->a, "%s(%s)", set, edge_text(p, r.lo, NULL))
			                      : arena_printf(p->a, "%s(%s..%s)", set, edge_text(p, r.lo, NULL), edge_text(p, r.hi, NULL));
		}
		s = arena_printf(p->a, "%s%s%s in %s", s, k ? ", " : "", core_text_index(&p->text, d->index[k]), set);
	}
	return s;
}

/* Does another piece than a number tell that the definition is real? Then 0 may be written for 0.0. */
static bool kind_elsewhere(const Print *p, const DefInfo *d)
{
	for (uint32_t k = 0; k < d->npiece; k++) {
		if (d->kind == KIND_REAL && core_node(p->c, d->piece[k].value)->tag != NODE_CONST) {
			return true;
		}
	}
	return false;
}

static const char *short_number(Print *p, Node n, const char *text)
{
	const NodeInfo *info = core_node(p->c, n);
	return info->tag == NODE_CONST ? core_text_number(p->a, info->num) : text;
}

static void print_piece(Print *p, Def def, const Piece *piece, bool known)
{
	const DefInfo *d = core_def(p->c, def);
	core_text_clear(&p->text);
	for (uint32_t k = 0; k < d->nindex; k++) {
		core_text_index(&p->text, d->index[k]);
	}
	const char *head = short_head(p, def, piece, known);
	bool variable = (d->flags & DEF_VARIABLE) != 0;
	const char *open = variable ? "variable(" : "", *close = variable ? ")" : "";
	Node *args = arena_array(p->a, Node, d->nindex);
	for (uint32_t k = 0; k < d->nindex; k++) {
		args[k] = core_index_value(p->c, d->index[k]);
	}
	const char *value;
	if (d->red != RED_NONE) {
		Node read = core_read(p->c, def, args);
		p->in_place[def] = true;
		value = core_text_node(&p->text, read, BIND_IF);
		p->in_place[def] = false;
	} else {
		value = core_text_node(&p->text, piece->value, BIND_IF);
		value = d->npiece > 1 && kind_elsewhere(p, d) ? short_number(p, piece->value, value) : value;
	}
	if (head) {
		fprintf(p->out, "%s = %s%s%s\n", head, open, value, close);
	} else {
		fprintf(p->out, "%s = %s -> %s%s%s]\n", p->def_name[def], long_head(p, def, piece), open, value, close);
	}
}

static void print_rule(Print *p, Def def)
{
	const DefInfo *d = core_def(p->c, def);
	fprintf(p->out, "derivative %s(", p->def_name[def]);
	for (uint32_t k = 0; k < d->rule->n; k++) {
		fprintf(p->out, "%s%s", k ? ", " : "", core_text_node(&p->text, d->rule->arg[k], BIND_IF));
	}
	fprintf(p->out, ") = %s", d->rule->n > 1 ? "(" : "");
	for (uint32_t k = 0; k < d->rule->n; k++) {
		fprintf(p->out, "%s%s", k ? ", " : "", core_text_node(&p->text, d->rule->partial[k], BIND_IF));
	}
	fprintf(p->out, "%s\n", d->rule->n > 1 ? ")" : "");
}

static void print_definition(Print *p, Def def)
{
	const DefInfo *d = core_def(p->c, def);
	if (d->role == DEF_CONST) {
		core_text_clear(&p->text);
		bool typed = d->unit || d->kind != KIND_REAL;
		fprintf(p->out, "const %s%s%s = %s\n", p->def_name[def], typed ? " : " : "", typed ? type_text(p, d) : "",
		        core_text_node(&p->text, d->piece[0].value, BIND_IF));
		return;
	}
	bool known = true;
	for (uint32_t k = 0; k < d->nindex && known; k++) {
		known = p->known[def][k];
	}
	for (uint32_t k = 0; k < d->npiece; k++) {
		print_piece(p, def, &core_def(p->c, def)->piece[k], known);
	}
	d = core_def(p->c, def);
	if (d->rule) {
		print_rule(p, def);
	}
	if (d->flags & DEF_ZERO_OUTSIDE) {
		fprintf(p->out, "%s[outside] = 0\n", p->def_name[def]);
	}
}

/* ---- outputs ---- */

/* A definition of the output's name, or one without a name that no other output has taken. */
static bool plain_output(Print *p, uint32_t k)
{
	const NodeInfo *info = core_node(p->c, p->root[k]);
	if (info->tag != NODE_READ || !distinct_indices(p->c, info)) {
		return false;
	}
	const DefInfo *d = core_def(p->c, info->ref);
	if (!d->name && !is_leaf(d) && !p->output[info->ref]) {
		p->output[info->ref] = p->program->name[k];
	}
	return p->program->name[k] == d->name || p->program->name[k] == p->output[info->ref];
}

/* Outputs that are no definitions of their names become such. */
static void define_outputs(Print *p)
{
	for (uint32_t k = 0; k < p->program->n; k++) {
		p->root[k] = p->program->root[k];
		if (!plain_output(p, k)) {
			const Index *free;
			uint32_t n = core_free(p->c, p->root[k], &free);
			Index *formal = arena_array(p->a, Index, n), *all = arena_array(p->a, Index, n);
			Node *value = arena_array(p->a, Node, n);
			for (uint32_t q = 0; q < n; q++) {
				all[q] = free[q];
				formal[q] = core_index_like(p->c, free[q]);
				value[q] = core_index_value(p->c, formal[q]);
			}
			Piece piece = {.value = core_subst(p->c, p->root[k], n, all, value)};
			DefInfo info = {.role = DEF_VALUE, .name = p->program->name[k], .kind = core_kind(p->c, p->root[k]),
			                .nindex = n, .index = formal, .npiece = 1, .piece = &piece, .flags = DEF_KEEP};
			p->root[k] = core_read_plain(p->c, core_define(p->c, info), all);
		}
	}
}

static void print_all(Print *p)
{
	bool any = false;
	for (Axis a = 1; a <= core_axis_count(p->c); a++) {
		if (p->axis_used[a]) {
			print_axis(p, a);
			any = true;
		}
	}
	for (uint32_t k = 0; k < p->nline; k++) {
		const DefInfo *d = core_def(p->c, p->line[k]);
		if (!is_leaf(d) && (k == 0 || p->block[k - 1] <= k)) {
			p->now = k;
			find_known(p, k + 1, p->block[k]);
			p->now = p->block[k];
		}
		if (k && !is_leaf(d) && is_leaf(core_def(p->c, p->line[k - 1]))) {
			fprintf(p->out, "\n");
		} else if (k == 0 && any) {
			fprintf(p->out, "\n");
		}
		if (is_leaf(d)) {
			print_leaf(p, p->line[k]);
		} else {
			print_definition(p, p->line[k]);
		}
	}
	fprintf(p->out, "%s", p->program->n ? "\nprint " : "");
	for (uint32_t k = 0; k < p->program->n; k++) {
		fprintf(p->out, "%s%s", k ? ", " : "", p->def_name[core_node(p->c, p->root[k])->ref]);
	}
	fprintf(p->out, "%s", p->program->n ? "\n" : "");
}

void core_print(const CoreProgram *program, const struct UnitTable *units, FILE *out)
{
	Print p = {.c = program->core, .a = arena_create(), .program = program, .out = out};
	if (!p.a) {
		return;
	}
	p.units = (struct UnitTable *)(uintptr_t)units;
	p.root = arena_array(p.a, Node, program->n);
	p.before = p.c->ndef;
	p.output = arena_array(p.a, Sym, p.c->ndef + 1);
	define_outputs(&p);
	reach_all(&p);
	choose_in_place(&p);
	order_lines(&p);
	leaves_first(&p);
	find_axes(&p);
	name_axes(&p);
	name_definitions(&p);
	p.text = (CoreText){.c = p.c, .a = p.a, .def_name = p.def_name, .def_line = p.line_of, .in_place = p.in_place,
	                    .axis_name = p.axis_name, .plain_binder = plain_binder, .data = &p, .taken = names_definition};
	print_all(&p);
	arena_free(p.a);
}
