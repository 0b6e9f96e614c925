/* core_lines.c — what is printed on which line under which name: large parts get definitions of
 * their own, reductions read once stand in place, lines follow dependence and then numbers, names
 * are made distinct. */
#include <stdlib.h>
#include <string.h>

#include "lang/core_print.h"
#include "lang/matrix.h"

bool core_print_leaf(const DefInfo *d)
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

/* A part whose reads are all at plain places may be computed anywhere; others may stand under a
 * condition for a reason. */
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
			plain = plain &&
				(p->tag != NODE_READ || core_node(c, p->arg[k])->tag == NODE_INDEX);
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
	if (was == h->root || (!large && cell->height <= PART_HEIGHT) || cell->derivative ||
	    cell->info.n == 0 || !computable_anywhere(c, n)) {
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

void core_print_reach(Print *p)
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
bool core_print_names_definition(void *data, const char *name)
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

/* Words that cannot be names in a text; those of reducers can be names of arrays. */
static bool is_reserved(const char *name, bool array)
{
	static const char *const words[] = {
		"and",  "or",   "not",   "if",      "then",  "else",  "in",      "mod",   "div",
		"xor",  "shl",  "shr",   "band",    "bor",   "sum",   "mean",    "until", "partial",
		"real", "int",  "bool",  "spin",    "true",  "false", "complex", "inf",   "nan",
		"of",   "last", "first", "outside", "count", "expect"};
	static const char *const reducers[] = {"max",    "min", "prod",    "logsumexp", "argmax",
					       "argmin", "all", "any",     "r2",        "rmse",
					       "mae",    "auc", "accuracy"};
	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		if (strcmp(words[k], name) == 0) {
			return true;
		}
	}
	for (size_t k = 0; !array && k < sizeof reducers / sizeof *reducers; k++) {
		if (strcmp(reducers[k], name) == 0) {
			return true;
		}
	}
	return false;
}

/* base, or base with a number behind it (always, if asked), that nothing else is called. */
static const char *take_name(Print *p, const char *base, bool number, bool array)
{
	base = core_text_clean(p->a, base);
	char *name = arena_strdup(p->a, base);
	for (unsigned k = number ? 1 : 2; number || is_reserved(name, array) || name_taken(p, name);
	     k++) {
		name = arena_printf(p->a, "%s%u", base, k);
		number = false;
	}
	ARENA_PUSH(p->a, p->names, p->nname, p->namecap, name);
	return name;
}

void core_print_name_axes(Print *p)
{
	uint32_t n = core_axis_count(p->c);
	p->axis_name = arena_array(p->a, const char *, n + 1);
	for (Axis a = 1; a <= n; a++) {
		const AxisInfo *info = core_axis_info(p->c, a);
		if (p->axis_used[a]) {
			const char *own = intern_text(p->c->names, info->name);
			const char *made = arena_printf(p->a, "array%lld", (long long)info->size);
			p->axis_name[a] = take_name(p, *own ? own : made, false, false);
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

void core_print_name_definitions(Print *p)
{
	p->def_name = arena_array(p->a, const char *, p->c->ndef + 1);
	for (uint32_t k = 0; k < p->nline; k++) {
		Def d = p->line[k];
		Sym name = core_def(p->c, d)->name;
		const char *own =
			intern_text(p->c->names, name || d > p->before ? name : p->output[d]);
		if (*own) {
			p->def_name[p->line[k]] =
				take_name(p, own, false, core_def(p->c, d)->nindex > 0);
		}
	}
	const char **base = arena_array(p->a, const char *, p->nline);
	for (uint32_t k = p->nline; k-- > 0;) {
		Def d = p->line[k];
		uint32_t reader = p->def_name[d] ? 0 : first_reader(p, d);
		base[k] = p->def_name[d]               ? p->def_name[d]
			  : reader && base[reader - 1] ? base[reader - 1]
						       : "t";
		if (!p->def_name[d]) {
			p->def_name[d] = take_name(p, base[k], true, core_def(p->c, d)->nindex > 0);
		}
	}
}

/* ---- what is printed in place ---- */

bool core_print_distinct(const Core *c, const NodeInfo *p)
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
	uint8_t *count; /* by definition: places in the text that would show it, capped at 2; 2 also
			   where it may not stand */
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
			bool plain = !forbidden && core_print_distinct(c, info);
			r->count[info->ref] = plain && more < 2 ? (uint8_t)more : 2;
		}
	}
	core_memo_give(c, count);
	core_memo_give(c, paths);
	c->nstack = base;
}

void core_print_in_place(Print *p)
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
		p->in_place[p->order[k]] =
			d->red != RED_NONE && !red_is_matrix(d->red) &&
			r.count[p->order[k]] == 1 && d->npiece == 1 &&
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

/* Smallest numbers first among those whose reads are printed; what is printed in place counts as
 * printed with its reader. */
void core_print_order(Print *p)
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
void core_print_leaves_first(Print *p)
{
	Def *sorted = arena_array(p->a, Def, p->nline);
	uint32_t n = 0;
	for (int rest = 0; rest < 2; rest++) {
		for (uint32_t k = 0; k < p->nline; k++) {
			const DefInfo *d = core_def(p->c, p->line[k]);
			if (core_print_leaf(d) != (rest == 1)) {
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
			p->axis_used[info->tag == NODE_SIZE ? info->ref
							    : core_index_axis(p->c, info->ref)] =
				true;
		}
		for (uint32_t k = 0; k < info->n; k++) {
			core_stack_push(p->c, info->arg[k]);
		}
	}
	core_memo_give(p->c, seen);
}

void core_print_find_axes(Print *p)
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
