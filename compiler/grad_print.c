/* grad_print.c — what a gradient is made of, laid out for reading: the loss, its adjoints, the
 * gradients. */
#include "compiler/grad_print.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/grad_text.h"
#include "lang/simplify.h"

typedef struct GradPrint {
	Core *c;
	Arena *a;
	GradText text;
	FILE *out;
	Node *root;     /* the loss, then the gradients that there are, read at their formals */
	Index **formal; /* of each root */
	const Def **wrt;
	uint32_t nroot;
	Def *order;
	uint32_t n, *uses;
	bool *forward;
	Def *line; /* of a root: the definition that is it, or 0 */
	bool any;
} GradPrint;

/* ---- what is read how often, and what everything is called ---- */

/* Reads in n, also those inside indices, each occurrence within a definition once. */
static void count_uses(GradPrint *g, Node n)
{
	size_t got = 0, cap = 0;
	Node *list = NULL;
	ARENA_PUSH(g->a, list, got, cap, n);
	for (size_t k = 0; k < got; k++) {
		const NodeInfo *p = core_node(g->c, list[k]);
		g->uses[p->tag == NODE_READ ? p->ref : 0]++;
		for (uint32_t j = 0; j < p->n; j++) {
			ARENA_PUSH(g->a, list, got, cap, p->arg[j]);
			if (got > 100000) { /* an expression that shares so much is not written in
					       place anyway */
				return;
			}
		}
	}
}

static const char *clean_name(GradPrint *g, const char *s)
{
	char *name = arena_strdup(g->a, *s ? s : "part");
	for (char *p = name; *p; p++) {
		if ((unsigned char)*p < 128 && !strchr("_0123456789", *p) &&
		    !((*p | 32) >= 'a' && (*p | 32) <= 'z')) {
			*p = '_';
		}
	}
	return name;
}

static bool name_taken(const GradPrint *g, const char *name)
{
	for (uint32_t k = 0; k < g->n; k++) {
		const char *other = g->text.name[g->order[k]];
		if (other && strcmp(other, name) == 0) {
			return true;
		}
	}
	return false;
}

/* Distinct names: the user's own first, so that they stay as they are. An adjoint keeps its mark:
 * z2_ rather than z_2. */
static const char *distinct_name(GradPrint *g, const char *base)
{
	const char *name = base;
	size_t stem = strlen(base);
	while (stem > 1 && base[stem - 1] == '_') {
		stem--;
	}
	for (unsigned number = 2; name_taken(g, name); number++) {
		name = arena_printf(g->a, "%.*s_%u%s", (int)stem, base, number, base + stem);
	}
	return name;
}

static void name_defs(GradPrint *g, bool users)
{
	for (uint32_t k = 0; k < g->n; k++) {
		Def d = g->order[k];
		const DefInfo *info = core_def(g->c, d);
		bool user = (info->flags & DEF_USER) || info->role > DEF_REDUCTION;
		if (!g->text.name[d] && !g->text.in_place[d] && user == users) {
			g->text.name[d] = distinct_name(
				g, clean_name(g, intern_text(core_names(g->c), info->name)));
		}
	}
}

/* What the gradient by a leaf is called: after the leaf as it is printed. */
static const char *gradient_name(GradPrint *g, Def wrt)
{
	const char *of = g->text.name[wrt];
	return arena_printf(
		g->a, "%s_",
		of ? of : clean_name(g, intern_text(core_names(g->c), core_def(g->c, wrt)->name)));
}

/* ---- lines ---- */

static void put_line(GradPrint *g, const char *left, const char *right, const char *where)
{
	if (g->text.latex) {
		fprintf(g->out, "%s%s &= %s%s", g->any ? " \\\\\n" : "", left, right, where);
	} else {
		fprintf(g->out, "%s = %s%s\n", left, right, where);
	}
	g->any = true;
}

static void put_heading(GradPrint *g, const char *text)
{
	if (g->text.latex) {
		fprintf(g->out, "%s%% %s\n", g->any ? " \\\\\n" : "", text);
		g->any = false;
	} else {
		fprintf(g->out, "%s# %s\n", g->any ? "\n" : "", text);
		g->any = true;
	}
}

/* Parts that were too deep, and their own parts. */
static void put_parts(GradPrint *g, size_t from)
{
	for (size_t k = from; k < g->text.npart; k++) {
		const char *name = arena_printf(g->a, g->text.latex ? "P_{%zu}" : "part%zu", k + 1);
		put_line(g, name, grad_text(&g->text, g->text.part[k], TIGHT_CHOICE), "");
	}
}

static void line_begin(GradPrint *g)
{
	g->text.nindex = 0;
	g->text.depth = 0;
}

static const char *edge_text(GradPrint *g, Axis a, Edge e)
{
	const AxisInfo *info = core_axis_info(g->c, a);
	switch (e.kind) {
	case EDGE_AT:
		return grad_text_label(&g->text, a, e.offset);
	case EDGE_FIRST:
		return grad_text_label(&g->text, a, info->first + e.offset);
	case EDGE_LAST:
		break;
	}
	if (info->size >= 0) {
		return grad_text_label(&g->text, a, info->first + info->size - 1 + e.offset);
	}
	return e.offset ? arena_printf(g->a, "last%+lld", (long long)e.offset) : "last";
}

/* Is the range one place? */
static bool is_point(GradPrint *g, Axis a, Range r)
{
	return strcmp(edge_text(g, a, r.lo), edge_text(g, a, r.hi)) == 0;
}

static bool is_whole(Range r)
{
	return r.lo.kind == EDGE_FIRST && r.lo.offset == 0 && r.hi.kind == EDGE_LAST &&
	       r.hi.offset == 0;
}

static void put_piece(GradPrint *g, Def d, uint32_t k)
{
	const DefInfo *info = core_def(g->c, d);
	const Piece *piece = &info->piece[k];
	line_begin(g);
	const char **args = arena_array(g->a, const char *, info->nindex + 1), *where = "";
	for (uint32_t j = 0; j < info->nindex; j++) {
		Axis a = core_index_axis(g->c, info->index[j]);
		Node self = core_index_value(g->c, info->index[j]);
		args[j] = grad_text(&g->text, self, TIGHT_CHOICE);
		if (!piece->box || is_whole(piece->box[j])) {
			continue;
		}
		if (is_point(g, a, piece->box[j])) {
			args[j] = edge_text(g, a, piece->box[j].lo);
			continue;
		}
		const char *lead = *where ? ", " : g->text.latex ? "\\qquad " : "   # ";
		where = arena_printf(g->a,
				     g->text.latex ? "%s%s%s = %s,\\dots,%s" : "%s%s%s in %s..%s",
				     where, lead, args[j], edge_text(g, a, piece->box[j].lo),
				     edge_text(g, a, piece->box[j].hi));
	}
	const char *left = grad_text_read(&g->text, d, info->nindex, args);
	size_t parts = g->text.npart;
	const char *right = info->role == DEF_REDUCTION
				    ? grad_text_reduction(&g->text, d, TIGHT_CHOICE)
				    : grad_text(&g->text, piece->value, TIGHT_CHOICE);
	put_line(g, left, right, where);
	put_parts(g, parts);
}

/* A gradient that is not a definition by itself, or goes by another's name. */
static void put_root(GradPrint *g, uint32_t k, const char *name)
{
	line_begin(g);
	const DefInfo *info = k ? core_def(g->c, *g->wrt[k]) : NULL;
	const char *left = g->text.latex ? grad_text_latex_name(g->a, name) : name;
	for (uint32_t j = 0; info && j < info->nindex; j++) {
		const char *i =
			grad_text(&g->text, core_index_value(g->c, g->formal[k][j]), TIGHT_CHOICE);
		left = arena_printf(g->a, "%s%s%s", left,
				    j               ? (g->text.latex ? ",\\," : ", ")
				    : g->text.latex ? "_{"
						    : "[",
				    i);
	}
	if (info && info->nindex) {
		left = arena_printf(g->a, "%s%s", left, g->text.latex ? "}" : "]");
	}
	size_t parts = g->text.npart;
	put_line(g, left, grad_text(&g->text, g->root[k], TIGHT_CHOICE), "");
	put_parts(g, parts);
}

static void put_defs(GradPrint *g, bool forward)
{
	for (uint32_t k = 0; k < g->n; k++) {
		Def d = g->order[k];
		bool root = false;
		for (uint32_t r = 1; r < g->nroot; r++) {
			root |= g->line[r] == d && !forward;
		}
		if (g->forward[d] != forward || g->text.in_place[d] || root) {
			continue;
		}
		for (uint32_t p = 0; p < core_def(g->c, d)->npiece; p++) {
			put_piece(g, d, p);
		}
	}
}

static void put_gradients(GradPrint *g)
{
	for (uint32_t r = 1; r < g->nroot; r++) {
		if (!g->line[r]) {
			put_root(g, r, gradient_name(g, *g->wrt[r]));
			continue;
		}
		for (uint32_t p = 0; p < core_def(g->c, g->line[r])->npiece; p++) {
			put_piece(g, g->line[r], p);
		}
	}
}

/* ---- what is printed ---- */

static void make_roots(GradPrint *g, Node loss, uint32_t n, const Def *wrt, const Def *grad)
{
	g->root = arena_array(g->a, Node, n + 1);
	g->formal = arena_array(g->a, Index *, n + 1);
	g->wrt = arena_array(g->a, const Def *, n + 1);
	g->line = arena_array(g->a, Def, n + 1);
	g->root[g->nroot++] = loss;
	for (uint32_t k = 0; k < n; k++) {
		if (!grad[k]) {
			continue;
		}
		const DefInfo *info = core_def(g->c, grad[k]);
		Index *ix = arena_array(g->a, Index, info->nindex + 1);
		for (uint32_t j = 0; j < info->nindex; j++) {
			ix[j] = core_index_like(g->c, core_def(g->c, grad[k])->index[j]);
		}
		g->formal[g->nroot] = ix;
		g->wrt[g->nroot] = &wrt[k];
		g->root[g->nroot++] = core_read_plain(g->c, grad[k], ix);
	}
	core_simplify(g->c, g->a, 0, g->nroot, g->root);
}

static void survey(GradPrint *g)
{
	uint32_t *component, n;
	Def *below;
	g->n = core_reach(g->c, g->a, g->nroot, g->root, &g->order, &component);
	uint32_t count = core_def_count(g->c) + 1;
	g->uses = arena_array(g->a, uint32_t, count);
	g->forward = arena_array(g->a, bool, count);
	bool *in_place = arena_array(g->a, bool, count);
	g->text.name = arena_array(g->a, const char *, count);
	n = core_reach(g->c, g->a, 1, g->root, &below, &component);
	for (uint32_t k = 0; k < n; k++) {
		g->forward[below[k]] = true;
	}
	for (uint32_t k = 0; k < g->nroot; k++) {
		count_uses(g, g->root[k]);
	}
	for (uint32_t k = 0; k < g->n; k++) {
		for (uint32_t p = 0; p < core_def(g->c, g->order[k])->npiece; p++) {
			count_uses(g, core_def(g->c, g->order[k])->piece[p].value);
		}
	}
	for (uint32_t k = 0; k < g->n; k++) {
		Def d = g->order[k];
		const DefInfo *info = core_def(g->c, d);
		in_place[d] = info->role == DEF_REDUCTION && g->uses[d] == 1 &&
			      !(info->flags & (DEF_USER | DEF_KEEP));
	}
	g->text.in_place = in_place;
}

/* A gradient that is one definition, its formals in order, is printed as that definition. */
static void find_lines(GradPrint *g)
{
	bool *in_place = arena_array(g->a, bool, core_def_count(g->c) + 1);
	memcpy(in_place, g->text.in_place, (core_def_count(g->c) + 1) * sizeof *in_place);
	for (uint32_t r = 1; r < g->nroot; r++) {
		const NodeInfo *p = core_node(g->c, g->root[r]);
		if (p->tag != NODE_READ || core_def(g->c, p->ref)->role > DEF_REDUCTION ||
		    g->uses[p->ref] != 1) {
			continue;
		}
		bool plain = p->n == core_def(g->c, *g->wrt[r])->nindex;
		for (uint32_t k = 0; plain && k < p->n; k++) {
			const NodeInfo *q = core_node(g->c, p->arg[k]);
			plain = q->tag == NODE_INDEX && q->ref == g->formal[r][k];
		}
		if (plain) {
			g->line[r] = p->ref;
			g->text.name[p->ref] = gradient_name(g, *g->wrt[r]);
			in_place[p->ref] = false;
		}
	}
	g->text.in_place = in_place;
}

void grad_print(Core *c, Node loss, uint32_t n, const Def *wrt, const Def *grad, bool latex,
		FILE *out)
{
	Arena *a = arena_create_like(core_arena(c));
	if (!a) {
		return;
	}
	GradPrint g = {.c = c, .a = a, .out = out, .text = {.c = c, .a = a, .latex = latex}};
	make_roots(&g, loss, n, wrt, grad);
	survey(&g);
	name_defs(&g, true);
	find_lines(&g);
	name_defs(&g, false);
	if (latex) {
		fprintf(out, "\\begin{align*}\n");
	}
	put_heading(&g, "the loss and what it is made of");
	put_defs(&g, true);
	const NodeInfo *p = core_node(c, g.root[0]);
	if (p->tag != NODE_READ || g.text.in_place[p->ref]) {
		put_root(&g, 0, "loss");
	}
	put_heading(&g, "adjoints: the derivative of the loss by each of these");
	put_defs(&g, false);
	put_heading(&g, "gradients");
	put_gradients(&g);
	if (latex) {
		fprintf(out, "\n\\end{align*}\n");
	}
	arena_free(a);
}
