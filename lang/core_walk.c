/* core_walk.c — passes over nodes: rewriting and substitution.
 * Keeps: everything is iterative, so depth costs heap and never stack. */
#include "lang/core_int.h"

#include <assert.h>
#include <string.h>

/* ---- nodes ---- */

uint32_t core_free(Core *c, Node n, const Index **out)
{
	assert(n && n <= c->nnode);
	const NodeCell *cell = core_cell(c, n);
	*out = cell->free;
	return cell->nfree;
}

bool core_has_index(Core *c, Node n, Index i)
{
	const NodeCell *cell = core_cell(c, n);
	for (uint32_t k = 0; k < cell->nfree; k++) {
		if (cell->free[k] == i) {
			return true;
		}
	}
	return false;
}

/* A sum of new terms; coefficients as they were. */
static Node rebuild_lin(Core *c, const NodeInfo *p, const Node *arg)
{
	Node sum = core_lin(c, (Kind)p->kind, p->kind == KIND_INT ? 0 : p->num, p->n, p->coef, arg);
	return p->kind == KIND_INT && p->integer != 0
		       ? core_add(c, sum, core_int_const(c, p->integer))
		       : sum;
}

static Node rebuild_prod(Core *c, const NodeInfo *p, const Node *arg)
{
	Node product = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		if (core_is_zero(c, arg[k]) && p->expo[k] > 0) {
			return core_zero(c, (Kind)p->kind);
		}
		Node power = core_powi(c, arg[k], p->expo[k]);
		product = product ? core_mul(c, product, power) : power;
	}
	return product;
}

Node core_rebuild(Core *c, Node n, const Node *new_args)
{
	const NodeInfo *p = core_node(c, n);
	enum { SMALL = 16 };
	Node small[SMALL], *arg = p->n <= SMALL ? small : arena_array(c->arena, Node, p->n);
	bool changed = false;
	for (uint32_t k = 0; k < p->n; k++) {
		arg[k] = new_args[k] ? new_args[k] : p->arg[k];
		changed |= arg[k] != p->arg[k];
	}
	/* conditions are decided again even over unchanged arguments: an axis may have got its size
	 * meanwhile */
	if (!changed && !(p->tag == NODE_OP && p->kind == KIND_BOOL)) {
		return n;
	}
	switch ((NodeTag)p->tag) {
	case NODE_READ:
		return core_read(c, p->ref, arg);
	case NODE_LIN:
		return rebuild_lin(c, p, arg);
	case NODE_PROD:
		return rebuild_prod(c, p, arg);
	case NODE_OP:
		return core_op(c, p->op, arg);
	case NODE_SELECT:
		return core_select(c, arg[0], arg[1], arg[2]);
	case NODE_GUARD:
		return core_guard(c, arg[0], arg[1]);
	case NODE_RANDOM:
		return core_random(c, p->op, p->integer, p->ref, p->n, arg);
	case NODE_STOP:
		return core_stop(c, arg[0]);
	case NODE_D:
		return core_d(c, arg[0], arg[1]);
	case NODE_NONE:
	case NODE_CONST:
	case NODE_INDEX:
	case NODE_SIZE:
		break;
	}
	return n;
}

static Node rebuild_from_memo(Core *c, const Memo *memo, Node n)
{
	const NodeInfo *p = core_node(c, n);
	enum { SMALL = 16 };
	Node small[SMALL], *arg = p->n <= SMALL ? small : arena_array(c->arena, Node, p->n);
	for (uint32_t k = 0; k < p->n; k++) {
		arg[k] = core_memo_get(memo, p->arg[k]);
		assert(arg[k]);
	}
	return core_rebuild(c, n, arg);
}

Node core_rewrite(Core *c, const Rewrite *r, Memo *memo, Node root)
{
	size_t base = c->nstack;
	core_stack_push(c, root);
	while (c->nstack > base) {
		Node n = c->stack[c->nstack - 1];
		if (core_memo_get(memo, n)) {
			c->nstack--;
			continue;
		}
		Node answer = r->enter ? r->enter(r->data, c, n) : 0;
		if (!answer) {
			const NodeInfo *p = core_node(c, n);
			bool ready = true;
			for (uint32_t k = p->n; k-- > 0;) {
				if (!core_memo_get(memo, p->arg[k])) {
					core_stack_push(c, p->arg[k]);
					ready = false;
				}
			}
			if (!ready) {
				continue;
			}
			answer = rebuild_from_memo(c, memo, n);
			answer = r->leave ? r->leave(r->data, c, n, answer) : answer;
		}
		core_memo_set(c, memo, n, answer);
		c->nstack--;
	}
	return core_memo_get(memo, root);
}

typedef struct Subst {
	uint32_t n;
	const Index *from;
	const Node *to;
} Subst;

static Node subst_enter(void *data, Core *c, Node n)
{
	const Subst *s = data;
	const NodeCell *cell = core_cell(c, n);
	for (uint32_t k = 0; k < cell->nfree; k++) {
		for (uint32_t q = 0; q < s->n; q++) {
			if (cell->free[k] == s->from[q]) {
				return cell->info.tag == NODE_INDEX ? s->to[q] : 0;
			}
		}
	}
	return n;
}

Node core_subst(Core *c, Node n, uint32_t count, const Index *from, const Node *to)
{
	bool identity = true;
	for (uint32_t k = 0; k < count; k++) {
		identity = identity && c->index[from[k]].value == to[k];
	}
	if (identity || core_cell(c, n)->nfree == 0) {
		return n;
	}
	Subst s = {count, from, to};
	Rewrite r = {.enter = subst_enter, .data = &s};
	Memo *memo = core_memo_take(c);
	Node made = core_rewrite(c, &r, memo, n);
	core_memo_give(c, memo);
	return made;
}
