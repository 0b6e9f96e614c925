/* core_print.c — a stage of a program as text of the language: axes, leaves, definitions, and what
 * is printed.
 *
 *   axis h = 32             axis pos = 1..60 periodic      axis xyz = x | y | z      axis atom axis
 * t = from(1) axis atom = ragged(count, 21)      axis array3 = anonymous(3)      data s =
 * records(100)      data s = records() param W : real[h, k] 'eV'          a parameter; DEF_DATA
 * leaves end in the word data, DEF_RUNTIME ones in runtime, leaves of ±1 in signs const ν = 0.01
 * with a type if it has a unit or is no real z[s, i] = b[i] + sum[k] W[i, k]*x[s, k] h = [t in pos,
 * i in h -> …]        where no read tells the axes of the indices; pos(first + 1..last) is a part
 * of it h[0, i] = 0                        another piece of h; the first that fits holds
 *   h_[outside] = 0                    reads outside the pieces are zero
 *   param f : int[t] value             an int or a condition that is defined below by a recurrence
 *   v[s] = variable(x[s])              kept apart: something is differentiated by it
 *   derivative f(a[s], b[s]) = (p, q)  a rule of the user's
 *   print L, g                         the outputs
 *
 * Lines stand in the order of the definitions' numbers as far as dependence allows, and operands in
 * an order that follows from the text, so that core_read_text and core_print together give the same
 * bytes again. */
#include <stdio.h>
#include <string.h>

#include "lang/core_print.h"
#include "lang/unit.h"

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
			fprintf(p->out, "%s%s", k ? " | " : " = ",
				intern_text(p->c->names, i->label[k]));
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
	static const char *const kind[] = {
		[KIND_REAL] = "real", [KIND_INT] = "int", [KIND_BOOL] = "bool"};
	const char *s = kind[d->kind];
	for (uint32_t k = 0; k < d->nindex; k++) {
		s = arena_printf(p->a, "%s%s%s", s, k ? ", " : "[",
				 p->axis_name[core_index_axis(p->c, d->index[k])]);
	}
	s = d->nindex ? arena_printf(p->a, "%s]", s) : s;
	return d->unit && p->units ? arena_printf(p->a, "%s '%s'", s, unit_text(p->units, d->unit))
				   : s;
}

static void print_leaf(Print *p, Def def)
{
	const DefInfo *d = core_def(p->c, def);
	const char *role = d->role == DEF_DATA ? " data" : d->role == DEF_RUNTIME ? " runtime" : "";
	const char *signs = d->flags & DEF_SPIN ? " signs" : "";
	fprintf(p->out, "param %s : %s%s%s\n", p->def_name[def], type_text(p, d), role, signs);
}

/* Does the text of a definition name its own line or a later one? */
static bool reads_later(Print *p, Def def)
{
	uint32_t n;
	const Def *reads = core_def_reads(p->c, def, &n);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t m = 0;
		const Def *inner =
			p->in_place[reads[k]] ? core_def_reads(p->c, reads[k], &m) : NULL;
		if (p->line_of[reads[k]] >= p->line_of[def]) {
			return true;
		}
		for (uint32_t q = 0; q < m; q++) { /* no reduction stands in place inside another */
			if (p->line_of[inner[q]] >= p->line_of[def]) {
				return true;
			}
		}
	}
	return false;
}

/* Recurrences are taken for real unless their kind is declared. */
static bool is_declared(Print *p, Def def)
{
	const DefInfo *d = core_def(p->c, def);
	return d->kind != KIND_REAL && d->role == DEF_VALUE && reads_later(p, def);
}

/* ---- heads of definitions ---- */

/* Do all reads in n that have i (shifted or not) as an argument agree on its axis, and is there one
 * whose axes are known (lines up to p->now, or told by the text of its set)? Bit 1: such a one, bit
 * 2: one disagrees. */
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
			} else if (line && (line <= p->now ||
					    (p->known[info->ref] && p->known[info->ref][k]))) {
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
	return r.lo.kind == EDGE_FIRST && r.lo.offset == 0 && r.hi.kind == EDGE_LAST &&
	       r.hi.offset == 0;
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
		unsigned e = whole_at(&d->piece[q], k)
				     ? axis_evidence(p, seen, d->piece[q].value, d->index[k])
				     : 0;
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
	const char *base = e.kind == EDGE_FIRST ? (axis ? "first(" : "first")
			   : axis               ? "end("
						: "last";
	const char *call = axis ? arena_printf(p->a, "%s%s)", base, axis) : base;
	long long k = (long long)e.offset;
	return k ? arena_printf(p->a, "%s %c %lld", call, k < 0 ? '-' : '+', k < 0 ? -k : k) : call;
}

/* Axes within one strongly connected set of lines lo…hi follow from lines above and from one
 * another. */
static void find_known(Print *p, uint32_t lo, uint32_t hi)
{
	for (uint32_t l = lo; l <= hi; l++) {
		const DefInfo *d = core_def(p->c, p->line[l - 1]);
		bool *known = arena_array(p->a, bool, d->nindex);
		p->known[p->line[l - 1]] = known;
		for (uint32_t k = 0; k < d->nindex; k++) {
			known[k] = is_declared(p, p->line[l - 1]);
		}
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
		} else if (single_point(piece->box[k]) &&
			   !core_has_index(p->c, piece->value, d->index[k])) {
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
			set = single_point(r)
				      ? arena_printf(p->a, "%s(%s)", set, edge_text(p, r.lo, NULL))
				      : arena_printf(p->a, "%s(%s..%s)", set,
						     edge_text(p, r.lo, NULL),
						     edge_text(p, r.hi, NULL));
		}
		s = arena_printf(p->a, "%s%s%s in %s", s, k ? ", " : "",
				 core_text_index(&p->text, d->index[k]), set);
	}
	return s;
}

/* Does another piece than a number tell that the definition is real? Then 0 may be written for 0.0.
 */
static bool kind_elsewhere(Print *p, Def def, const DefInfo *d)
{
	if (d->kind == KIND_REAL && reads_later(p, def)) {
		return true; /* the kind of a recurrence is real unless it is declared */
	}
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
		p->text.whole = def;
		value = core_text_node(&p->text, read, BIND_IF);
		p->text.whole = 0;
		p->in_place[def] = false;
	} else {
		value = core_text_node(&p->text, piece->value, BIND_IF);
		value = d->npiece > 1 && kind_elsewhere(p, def, d)
				? short_number(p, piece->value, value)
				: value;
	}
	if (head) {
		fprintf(p->out, "%s = %s%s%s\n", head, open, value, close);
	} else {
		fprintf(p->out, "%s = %s -> %s%s%s]\n", p->def_name[def], long_head(p, def, piece),
			open, value, close);
	}
}

static void print_rule(Print *p, Def def)
{
	const DefInfo *d = core_def(p->c, def);
	fprintf(p->out, "derivative %s(", p->def_name[def]);
	for (uint32_t k = 0; k < d->rule->n; k++) {
		fprintf(p->out, "%s%s", k ? ", " : "",
			core_text_node(&p->text, d->rule->arg[k], BIND_IF));
	}
	fprintf(p->out, ") = %s", d->rule->n > 1 ? "(" : "");
	for (uint32_t k = 0; k < d->rule->n; k++) {
		fprintf(p->out, "%s%s", k ? ", " : "",
			core_text_node(&p->text, d->rule->partial[k], BIND_IF));
	}
	fprintf(p->out, "%s\n", d->rule->n > 1 ? ")" : "");
}

static void print_definition(Print *p, Def def)
{
	const DefInfo *d = core_def(p->c, def);
	if (d->role == DEF_CONST) {
		core_text_clear(&p->text);
		bool typed = d->unit || d->kind != KIND_REAL;
		fprintf(p->out, "const %s%s%s = %s\n", p->def_name[def], typed ? " : " : "",
			typed ? type_text(p, d) : "",
			core_text_node(&p->text, d->piece[0].value, BIND_IF));
		return;
	}
	bool known = true;
	if (is_declared(p, def)) {
		fprintf(p->out, "param %s : %s value\n", p->def_name[def], type_text(p, d));
	}
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
	if (info->tag != NODE_READ || !core_print_distinct(p->c, info)) {
		return false;
	}
	const DefInfo *d = core_def(p->c, info->ref);
	if (!d->name && !core_print_leaf(d) && !p->output[info->ref]) {
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
			Index *formal = arena_array(p->a, Index, n),
			      *all = arena_array(p->a, Index, n);
			Node *value = arena_array(p->a, Node, n);
			for (uint32_t q = 0; q < n; q++) {
				all[q] = free[q];
				formal[q] = core_index_like(p->c, free[q]);
				value[q] = core_index_value(p->c, formal[q]);
			}
			Piece piece = {.value = core_subst(p->c, p->root[k], n, all, value)};
			DefInfo info = {.role = DEF_VALUE,
					.name = p->program->name[k],
					.kind = core_kind(p->c, p->root[k]),
					.nindex = n,
					.index = formal,
					.npiece = 1,
					.piece = &piece,
					.flags = DEF_KEEP};
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
		if (!core_print_leaf(d) && (k == 0 || p->block[k - 1] <= k)) {
			p->now = k;
			find_known(p, k + 1, p->block[k]);
			p->now = p->block[k];
		}
		if (k && !core_print_leaf(d) && core_print_leaf(core_def(p->c, p->line[k - 1]))) {
			fprintf(p->out, "\n");
		} else if (k == 0 && any) {
			fprintf(p->out, "\n");
		}
		if (core_print_leaf(d)) {
			print_leaf(p, p->line[k]);
		} else {
			print_definition(p, p->line[k]);
		}
	}
	fprintf(p->out, "%s", p->program->n ? "\nprint " : "");
	for (uint32_t k = 0; k < p->program->n; k++) {
		fprintf(p->out, "%s%s", k ? ", " : "",
			p->def_name[core_node(p->c, p->root[k])->ref]);
	}
	fprintf(p->out, "%s", p->program->n ? "\n" : "");
}

void core_print(const CoreProgram *program, const struct UnitTable *units, FILE *out)
{
	Print p = {.c = program->core, .a = arena_create_like(program->core->arena), .program = program, .out = out};
	if (!p.a) {
		return;
	}
	p.units = (struct UnitTable *)(uintptr_t)units;
	p.root = arena_array(p.a, Node, program->n);
	p.before = p.c->ndef;
	p.output = arena_array(p.a, Sym, p.c->ndef + 1);
	define_outputs(&p);
	core_print_reach(&p);
	core_print_in_place(&p);
	core_print_order(&p);
	core_print_leaves_first(&p);
	core_print_find_axes(&p);
	core_print_name_axes(&p);
	core_print_name_definitions(&p);
	p.text = (CoreText){.c = p.c,
			    .a = p.a,
			    .def_name = p.def_name,
			    .def_line = p.line_of,
			    .in_place = p.in_place,
			    .axis_name = p.axis_name,
			    .plain_binder = plain_binder,
			    .data = &p,
			    .taken = core_print_names_definition};
	print_all(&p);
	arena_free(p.a);
}
