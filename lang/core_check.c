/* core_check.c — is this graph legal? Run after every pass; finds our mistakes, not the user's. */
#include "lang/core_int.h"
#include "lang/matrix.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct Check {
	Core *c;
	Memo *seen;
	bool allow_d;
	const char *wrong;
	Def def; /* being checked, 0: a root */
} Check;

static void __attribute__((format(printf, 3, 4))) wrong(Check *k, Node n, const char *format, ...)
{
	if (k->wrong) {
		return;
	}
	char text[160];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	const char *name =
		k->def ? intern_text(k->c->names, core_def(k->c, k->def)->name) : "a root";
	k->wrong = arena_printf(k->c->arena, "in definition %u (%s), node %u: %s", k->def, name, n,
				text);
}

static Kind arg_kind(const Check *k, const NodeInfo *p, uint32_t q)
{
	return core_kind(k->c, p->arg[q]);
}

static void check_lin(Check *k, Node n, const NodeInfo *p)
{
	if (p->n == 0 || p->kind == KIND_BOOL ||
	    (p->n == 1 && p->coef[0] == 1 && p->num == 0 && p->integer == 0)) {
		wrong(k, n, "a sum that should have been something simpler");
		return;
	}
	for (uint32_t q = 0; q < p->n; q++) {
		unsigned tag = core_node(k->c, p->arg[q])->tag;
		if (tag == NODE_LIN || tag == NODE_CONST || p->coef[q] == 0 ||
		    (tag == NODE_GUARD && p->coef[q] != 1)) {
			wrong(k, n, "term %u of a sum is not in normal form", q);
		}
		if (arg_kind(k, p, q) != (Kind)p->kind) {
			wrong(k, n, "term %u of a sum is of another kind", q);
		}
		if (q && core_order(k->c, p->arg[q - 1], p->arg[q]) >= 0) {
			wrong(k, n, "the terms of a sum are out of order at %u", q);
		}
	}
}

static void check_prod(Check *k, Node n, const NodeInfo *p)
{
	if (p->n == 0 || p->kind == KIND_BOOL || (p->n == 1 && p->expo[0] == 1)) {
		wrong(k, n, "a product that should have been something simpler");
		return;
	}
	for (uint32_t q = 0; q < p->n; q++) {
		const NodeInfo *f = core_node(k->c, p->arg[q]);
		bool multiple = f->tag == NODE_LIN && f->n == 1 && f->num == 0 && f->integer == 0;
		bool number = f->tag == NODE_CONST && (f->kind != KIND_REAL || isfinite(f->num));
		if (number || multiple || p->expo[q] == 0 ||
		    (p->kind == KIND_INT && p->expo[q] < 0)) {
			wrong(k, n, "factor %u of a product is not in normal form", q);
		}
		if ((Kind)f->kind != (Kind)p->kind) {
			wrong(k, n, "factor %u of a product is of another kind", q);
		}
		if (q && core_order(k->c, p->arg[q - 1], p->arg[q]) >= 0 && f->tag != NODE_PROD) {
			wrong(k, n, "the factors of a product are out of order at %u", q);
		}
	}
}

static void check_read(Check *k, Node n, const NodeInfo *p)
{
	if (p->ref == 0 || p->ref > k->c->ndef) {
		wrong(k, n, "a read of no definition");
		return;
	}
	const DefInfo *d = core_def(k->c, p->ref);
	if (p->n != d->nindex || (Kind)p->kind != d->kind) {
		wrong(k, n,
		      "a read of definition %u with %u indices where it has %u, or of another kind",
		      p->ref, p->n, d->nindex);
		return;
	}
	for (uint32_t q = 0; q < p->n; q++) {
		if (arg_kind(k, p, q) != KIND_INT) {
			wrong(k, n, "index %u of a read is not an int", q);
		}
	}
}

static void check_choice(Check *k, Node n, const NodeInfo *p)
{
	if (p->n != (p->tag == NODE_SELECT ? 3u : 2u) || arg_kind(k, p, 0) != KIND_BOOL) {
		wrong(k, n, "a condition that is none");
	} else if (core_node(k->c, p->arg[0])->tag == NODE_CONST) {
		wrong(k, n, "a condition that is decided");
	} else if (arg_kind(k, p, 1) != (Kind)p->kind ||
		   (p->tag == NODE_SELECT && arg_kind(k, p, 2) != (Kind)p->kind)) {
		wrong(k, n, "branches of different kinds");
	} else if (p->tag == NODE_GUARD && core_node(k->c, p->arg[1])->tag == NODE_GUARD) {
		wrong(k, n, "a guard directly in a guard");
	}
}

static void check_op(Check *k, Node n, const NodeInfo *p)
{
	if (p->op == OP_NONE || p->op >= OPS) {
		wrong(k, n, "no such operation: %u", p->op);
		return;
	}
	const OpInfo *info = op_info((Op)p->op);
	if (p->n != info->n || (Kind)p->kind != op_result_kind((Op)p->op)) {
		wrong(k, n, "%s with %u arguments", info->id, p->n);
		return;
	}
	for (uint32_t q = 0; q < p->n; q++) {
		if (arg_kind(k, p, q) != op_arg_kind((Op)p->op)) {
			wrong(k, n, "argument %u of %s is of the wrong kind", q, info->id);
		}
	}
}

static void check_node(Check *k, Node n)
{
	const NodeInfo *p = core_node(k->c, n);
	for (uint32_t q = 0; q < p->n; q++) {
		if (p->arg[q] == 0 || p->arg[q] >= n) {
			wrong(k, n, "argument %u is not numbered before it", q);
			return;
		}
	}
	switch ((NodeTag)p->tag) {
	case NODE_LIN:
		check_lin(k, n, p);
		break;
	case NODE_PROD:
		check_prod(k, n, p);
		break;
	case NODE_READ:
		check_read(k, n, p);
		break;
	case NODE_SELECT:
	case NODE_GUARD:
		check_choice(k, n, p);
		break;
	case NODE_OP:
		check_op(k, n, p);
		break;
	case NODE_D:
		if (!k->allow_d) {
			wrong(k, n, "a derivative is left");
		} else if (p->n != 2 || core_node(k->c, p->arg[1])->tag != NODE_READ) {
			wrong(k, n, "a derivative by something that is not a read");
		}
		break;
	case NODE_RANDOM:
		for (uint32_t q = 0; q < p->n; q++) {
			if (arg_kind(k, p, q) != KIND_INT) {
				wrong(k, n, "the address of a draw is not an int");
			}
		}
		break;
	case NODE_STOP:
		if (p->n != 1 || arg_kind(k, p, 0) != (Kind)p->kind) {
			wrong(k, n, "stop of another kind");
		}
		break;
	case NODE_INDEX:
	case NODE_SIZE:
	case NODE_CONST:
		break;
	case NODE_NONE:
		wrong(k, n, "an empty node");
		break;
	}
}

static void check_tree(Check *k, Node root)
{
	Core *c = k->c;
	size_t base = c->nstack;
	core_stack_push(c, root);
	while (c->nstack > base) {
		Node n = c->stack[--c->nstack];
		if (n == 0 || n > c->nnode) {
			wrong(k, n, "no such node");
			continue;
		}
		if (core_memo_get(k->seen, n)) {
			continue;
		}
		core_memo_set(c, k->seen, n, n);
		check_node(k, n);
		const NodeInfo *p = core_node(c, n);
		for (uint32_t q = 0; !k->wrong && q < p->n; q++) {
			core_stack_push(c, p->arg[q]);
		}
	}
}

static bool belongs(const DefInfo *d, Index i)
{
	for (uint32_t k = 0; k < d->nindex; k++) {
		if (d->index[k] == i) {
			return true;
		}
	}
	for (uint32_t k = 0; k < d->nbound; k++) {
		if (d->bound[k] == i) {
			return true;
		}
	}
	return false;
}

static void check_closed(Check *k, const DefInfo *d, Node n, const char *what)
{
	const Index *free;
	uint32_t count = core_free(k->c, n, &free);
	for (uint32_t q = 0; q < count; q++) {
		if (!belongs(d, free[q])) {
			wrong(k, n, "%s has the free index %u (%s)", what, free[q],
			      intern_text(k->c->names, core_index_name(k->c, free[q])));
		}
	}
}

static void check_box(Check *k, const DefInfo *d, const Piece *piece)
{
	for (uint32_t q = 0; piece->box && q < d->nindex; q++) {
		const AxisInfo *a = core_axis_info(k->c, core_index_axis(k->c, d->index[q]));
		int64_t edge[2];
		const Edge *from[2] = {&piece->box[q].lo, &piece->box[q].hi};
		int64_t last = a->first + a->size - 1;
		for (int s = 0; s < 2; s++) {
			edge[s] = from[s]->offset + (from[s]->kind == EDGE_FIRST  ? a->first
						     : from[s]->kind == EDGE_LAST ? last
										  : 0);
		}
		if (a->size >= 0 &&
		    (edge[0] < a->first - CORE_BESIDE || edge[1] > last + CORE_BESIDE ||
		     (edge[1] < edge[0] - 1 && a->size > 0))) {
			wrong(k, piece->value, "the box of index %u reaches from %lld to %lld", q,
			      (long long)edge[0], (long long)edge[1]);
		}
	}
}

static void check_roles(Check *k, const DefInfo *d)
{
	bool leaf = d->role == DEF_PARAM || d->role == DEF_DATA || d->role == DEF_RUNTIME;
	if (leaf != (d->npiece == 0)) {
		wrong(k, 0, leaf ? "a leaf with pieces" : "a definition without pieces");
	}
	if ((d->role == DEF_REDUCTION) != (d->red != RED_NONE) ||
	    (d->role != DEF_REDUCTION && d->nbound)) {
		wrong(k, 0, "bound indices or a reduction where there is none");
	}
	if (d->role == DEF_REDUCTION && (d->npiece != 1 || d->piece[0].box)) {
		wrong(k, 0, "a reduction has one piece on its whole domain");
	}
	if (d->role == DEF_REDUCTION && red_is_matrix(d->red) &&
	    (d->nbound != matrix_op(d->red)->nbound || d->nindex < matrix_results(d))) {
		wrong(k, 0, "an operation on arrays of another number of axes");
	}
	if (d->role == DEF_CONST && d->nindex) {
		wrong(k, 0, "a constant with indices");
	}
}

static void check_def(Check *k, Def def, Memo *owners)
{
	const DefInfo *d = core_def(k->c, def);
	k->def = def;
	check_roles(k, d);
	for (uint32_t q = 0; q < d->nindex + d->nbound; q++) {
		Index i = q < d->nindex ? d->index[q] : d->bound[q - d->nindex];
		if (core_memo_get(owners, i)) {
			wrong(k, 0, "index %u (%s) belongs to two definitions", i,
			      intern_text(k->c->names, core_index_name(k->c, i)));
		}
		core_memo_set(k->c, owners, i, def);
	}
	for (uint32_t p = 0; !k->wrong && p < d->npiece; p++) {
		Node n = d->piece[p].value;
		check_tree(k, n);
		if (k->wrong) {
			return;
		}
		check_closed(k, d, n, "a piece");
		check_box(k, d, &d->piece[p]);
		bool counted = d->red == RED_ARGMAX || d->red == RED_ARGMIN ||
			       (red_is_matrix(d->red) && matrix_op(d->red)->integer);
		if (counted ? d->kind != KIND_INT : core_kind(k->c, n) != d->kind) {
			wrong(k, n, "the kind of a piece is not the definition's");
		}
	}
	for (uint32_t q = 0; !k->wrong && d->rule && q < d->rule->n; q++) {
		check_tree(k, d->rule->arg[q]);
		check_tree(k, d->rule->partial[q]);
		check_closed(k, d, d->rule->arg[q], "a rule");
		check_closed(k, d, d->rule->partial[q], "a rule");
	}
}

const char *core_check(Core *c, uint32_t nroot, const Node *root, bool allow_d)
{
	Check k = {.c = c, .seen = core_memo_take(c), .allow_d = allow_d};
	for (uint32_t r = 0; r < nroot && !k.wrong; r++) {
		if (root[r]) {
			check_tree(&k, root[r]);
		}
	}
	if (!k.wrong) {
		Memo *owners = core_memo_take(c);
		Arena *scratch = arena_create_like(c->arena);
		Def *order;
		uint32_t n = scratch ? core_reach(c, scratch, nroot, root, &order, NULL) : 0;
		for (uint32_t d = 0; d < n && !k.wrong; d++) {
			check_def(&k, order[d], owners);
		}
		arena_free(scratch);
		core_memo_give(c, owners);
	}
	core_memo_give(c, k.seen);
	return k.wrong;
}
