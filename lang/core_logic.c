/* core_logic.c — conditions: comparisons of ints in normal form, conjunctions as sorted chains,
 * ranges of axes, selects and guards, what is known inside them. Keeps: a comparison of ints has
 * its positive terms on the left; `not` stands only before things that have no complement of their
 * own; a guard never stands directly in a guard. */
#include "lang/core_int.h"

#include <assert.h>
#include <string.h>

static Node intern_op(Core *c, Op op, uint32_t n, const Node *args)
{
	NodeInfo p = {.tag = NODE_OP,
		      .kind = (uint8_t)op_result_kind(op),
		      .op = (uint16_t)op,
		      .n = n,
		      .arg = args};
	return core_intern(c, &p);
}

/* ---- ranges ---- */

static int64_t saturate(double v)
{
	return v >= 0x1p62 ? INT64_MAX : v <= -0x1p62 ? INT64_MIN : (int64_t)v;
}

static void range_of(const Core *c, Node n, int64_t *lo, int64_t *hi, int depth);

static void range_lin(const Core *c, const NodeInfo *p, int64_t *lo, int64_t *hi, int depth)
{
	double low = (double)p->integer, high = low;
	bool below = low<-0x1p52, above = low> 0x1p52;
	for (uint32_t k = 0; k < p->n; k++) {
		int64_t a, b;
		range_of(c, p->arg[k], &a, &b, depth + 1);
		if (p->coef[k] < 0) {
			int64_t t = a;
			a = b == INT64_MAX ? INT64_MIN : -b;
			b = t == INT64_MIN ? INT64_MAX : -t;
		}
		double size = p->coef[k] < 0 ? -p->coef[k] : p->coef[k];
		below |= a == INT64_MIN || (double)a * size < -0x1p52;
		above |= b == INT64_MAX || (double)b * size > 0x1p52;
		low += (double)a * size;
		high += (double)b * size;
	}
	*lo = below ? INT64_MIN : saturate(low);
	*hi = above ? INT64_MAX : saturate(high);
}

static void range_of(const Core *c, Node n, int64_t *lo, int64_t *hi, int depth)
{
	const NodeInfo *p = core_node(c, n);
	*lo = INT64_MIN;
	*hi = INT64_MAX;
	if (p->tag == NODE_CONST) {
		*lo = *hi = p->integer;
	} else if (p->tag == NODE_INDEX && !c->index[p->ref].wide) {
		const AxisInfo *a = &c->axis[c->index[p->ref].axis];
		*lo = a->first;
		*hi = a->size >= 0 ? a->first + a->size - 1 : INT64_MAX;
	} else if (p->tag == NODE_SIZE) {
		*lo = 0;
		if (c->axis[p->ref].size >= 0) {
			*lo = *hi = c->axis[p->ref].size;
		}
	} else if (p->tag == NODE_LIN && depth < 8) {
		range_lin(c, p, lo, hi, depth);
	} else if (p->tag == NODE_OP && p->op == OP_imod) {
		const NodeInfo *by = core_node(c, p->arg[1]);
		if (by->tag == NODE_CONST && by->integer > 0) {
			*lo = 0;
			*hi = by->integer - 1;
		}
	}
}

void core_range(const Core *c, Node n, int64_t *lo, int64_t *hi)
{
	range_of(c, n, lo, hi, 0);
}

/* ---- comparisons of ints ---- */

/* positive and negative parts of a LIN without its constant: d = plus - minus + constant */
typedef struct Split {
	Node plus, minus;
	int64_t constant;
	bool any_plus, any_minus;
} Split;

static Node part_of(Core *c, Node d, double sign)
{
	const NodeInfo *p = core_node(c, d);
	if (p->tag != NODE_LIN) {
		return p->tag == NODE_CONST || sign < 0 ? core_int_const(c, 0) : d;
	}
	double *coef = arena_array(c->arena, double, p->n);
	for (uint32_t k = 0; k < p->n; k++) {
		coef[k] = p->coef[k] * sign > 0 ? p->coef[k] * sign : 0;
	}
	return core_lin(c, KIND_INT, 0, p->n, coef, p->arg);
}

static Split split(Core *c, Node d)
{
	Split s = {.plus = part_of(c, d, 1), .minus = part_of(c, d, -1)};
	const NodeInfo *p = core_node(c, d);
	s.constant = p->tag == NODE_LIN || p->tag == NODE_CONST ? p->integer : 0;
	s.any_plus = !core_is_zero(c, s.plus);
	s.any_minus = !core_is_zero(c, s.minus);
	return s;
}

static Node plus_constant(Core *c, Node n, int64_t k)
{
	return core_add(c, n, core_int_const(c, k));
}

/* d <= 0 */
static Node at_most_zero(Core *c, Node d)
{
	int64_t lo, hi;
	core_range(c, d, &lo, &hi);
	if (hi <= 0 || lo > 0) {
		return core_bool_const(c, hi <= 0);
	}
	Split s = split(c, d);
	Node args[2];
	if (!s.any_plus) {
		args[0] = core_int_const(c, s.constant);
		args[1] = s.minus;
		return intern_op(c, OP_ile, 2, args);
	}
	args[0] = s.plus;
	if (s.constant == 1 && s.any_minus) {
		args[1] = s.minus;
		return intern_op(c, OP_ilt, 2, args);
	}
	args[1] = plus_constant(c, s.minus, -s.constant);
	return intern_op(c, OP_ile, 2, args);
}

/* d == 0 */
static Node is_zero(Core *c, Op op, Node d)
{
	int64_t lo, hi;
	core_range(c, d, &lo, &hi);
	if (lo > 0 || hi < 0 || (lo == 0 && hi == 0)) {
		return core_bool_const(c, (lo == 0 && hi == 0) == (op == OP_ieq));
	}
	/* whole multiples: 2*i == 4 is i == 2, 2*i == 3 never holds */
	Node rest;
	const NodeInfo *p = core_node(c, d);
	if (p->tag == NODE_LIN) {
		double *coef = arena_array(c->arena, double, p->n);
		memcpy(coef, p->coef, p->n * sizeof *coef);
		int64_t constant = p->integer;
		Node pure = core_lin(c, KIND_INT, 0, p->n, coef, p->arg);
		double k = core_node(c, pure)->n == 1 && core_node(c, pure)->tag == NODE_LIN
				   ? core_node(c, pure)->coef[0]
				   : core_content(c, pure, true, &rest);
		if (core_node(c, pure)->n == 1 && core_node(c, pure)->tag == NODE_LIN) {
			rest = core_node(c, pure)->arg[0];
		} else if (core_node(c, pure)->tag != NODE_LIN) {
			rest = pure;
			k = 1;
		}
		if (constant % (int64_t)k != 0) {
			return core_bool_const(c, op == OP_ine);
		}
		d = plus_constant(c, rest, constant / (int64_t)k);
	}
	Split s = split(c, d);
	Node args[2] = {s.any_plus ? s.plus : core_int_const(c, s.constant),
			s.any_plus ? plus_constant(c, s.minus, -s.constant) : s.minus};
	return intern_op(c, op, 2, args);
}

/* Differences that would overflow are left as they are written. */
static bool near_overflow(const Core *c, Node n)
{
	const NodeInfo *p = core_node(c, n);
	int64_t k = p->tag == NODE_CONST || p->tag == NODE_LIN ? p->integer : 0;
	return k > (int64_t)1 << 52 || k < -((int64_t)1 << 52);
}

static Node compare_ints(Core *c, Op op, const Node *args)
{
	if (near_overflow(c, args[0]) || near_overflow(c, args[1])) {
		return 0;
	}
	Node d = core_sub(c, args[0], args[1]);
	if (op == OP_ieq || op == OP_ine) {
		return is_zero(c, op, d);
	}
	return at_most_zero(c, op == OP_ilt ? plus_constant(c, d, 1) : d);
}

/* ---- and, or, not ---- */

Node core_not(Core *c, Node a)
{
	const NodeInfo *p = core_node(c, a);
	if (p->tag == NODE_CONST) {
		return core_bool_const(c, !p->integer);
	}
	if (p->tag == NODE_OP) {
		Node swapped[2] = {p->n > 1 ? p->arg[1] : 0, p->arg[0]},
		     same[2] = {p->arg[0], swapped[0]};
		switch (p->op) {
		case OP_not:
			return p->arg[0];
		case OP_ilt:
			return core_op(c, OP_ile, swapped);
		case OP_ile:
			return core_op(c, OP_ilt, swapped);
		case OP_ieq:
			return core_op(c, OP_ine, same);
		case OP_ine:
			return core_op(c, OP_ieq, same);
		case OP_eq:
			return core_op(c, OP_ne, same);
		case OP_ne:
			return core_op(c, OP_eq, same);
		default:
			break;
		}
	}
	return intern_op(c, OP_not, 1, &a);
}

/* A chain of `op` is op(a, op(b, c)) with its operands in order, each once. */
static size_t push_chain(Core *c, Op op, Node n)
{
	size_t count = 0;
	for (;;) {
		const NodeInfo *p = core_node(c, n);
		if (p->tag != NODE_OP || p->op != op) {
			core_stack_push(c, n);
			return count + 1;
		}
		core_stack_push(c, p->arg[0]);
		n = p->arg[1];
		count++;
	}
}

size_t core_conjuncts(Core *c, Node cond)
{
	return push_chain(c, OP_and, cond);
}

static void insert_sorted(Core *c, size_t base)
{
	for (size_t k = base + 1; k < c->nstack; k++) {
		Node n = c->stack[k];
		size_t q = k;
		for (; q > base && core_order(c, c->stack[q - 1], n) > 0; q--) {
			c->stack[q] = c->stack[q - 1];
		}
		c->stack[q] = n;
	}
}

static bool holds_complement(Core *c, size_t base, size_t end)
{
	for (size_t k = base; k < end; k++) {
		Node opposite = core_not(c, c->stack[k]);
		for (size_t q = base; q < end; q++) {
			if (c->stack[q] == opposite) {
				return true;
			}
		}
	}
	return false;
}

enum { CHAIN_CHECKED = 64 }; /* longer chains are not searched for contradictions */

static Node chain(Core *c, Op op, Node a, Node b)
{
	size_t base = c->nstack;
	bool absorbing = op == OP_or; /* true or x, false and x */
	push_chain(c, op, a);
	push_chain(c, op, b);
	size_t to = base;
	for (size_t k = base; k < c->nstack; k++) {
		const NodeInfo *p = core_node(c, c->stack[k]);
		if (p->tag == NODE_CONST && (p->integer != 0) == absorbing) {
			c->nstack = base;
			return core_bool_const(c, absorbing);
		}
		if (p->tag != NODE_CONST) {
			c->stack[to++] = c->stack[k];
		}
	}
	c->nstack = to;
	insert_sorted(c, base);
	to = base;
	for (size_t k = base; k < c->nstack; k++) {
		if (to == base || c->stack[to - 1] != c->stack[k]) {
			c->stack[to++] = c->stack[k];
		}
	}
	c->nstack = to;
	Node n = 0;
	if (to == base) {
		n = core_bool_const(c, !absorbing);
	} else if (to - base <= CHAIN_CHECKED && holds_complement(c, base, to)) {
		n = core_bool_const(c, absorbing);
	} else {
		n = c->stack[to - 1];
		for (size_t k = to - 1; k-- > base;) {
			Node args[2] = {c->stack[k], n};
			n = intern_op(c, op, 2, args);
		}
	}
	c->nstack = base;
	return n;
}

Node core_and(Core *c, Node a, Node b)
{
	return chain(c, OP_and, a, b);
}

Node core_logic_op(Core *c, Op op, const Node *args)
{
	switch (op) {
	case OP_not:
		return core_not(c, args[0]);
	case OP_and:
	case OP_or:
		return chain(c, op, args[0], args[1]);
	case OP_ilt:
	case OP_ile:
	case OP_ieq:
	case OP_ine:
		return compare_ints(c, op, args);
	case OP_eq:
	case OP_ne:
	case OP_beq:
		if (core_order(c, args[0], args[1]) > 0) {
			Node swapped[2] = {args[1], args[0]};
			return intern_op(c, op, 2, swapped);
		}
		return 0;
	default:
		return 0;
	}
}

/* ---- what is known inside a branch ---- */

typedef struct Known {
	size_t base, n; /* conditions on the stack */
	bool hold;
	Core *core;
} Known;

/* cond with what is known taken out of its conjuncts; 0: nothing of it is known */
static Node known_part(Core *c, const Known *k, Node cond)
{
	Node left = core_bool_const(c, true);
	bool changed = false;
	for (Node rest = cond; rest;) {
		const NodeInfo *p = core_node(c, rest);
		bool more = p->tag == NODE_OP && p->op == OP_and;
		Node one = more ? p->arg[0] : rest, opposite = core_not(c, one);
		rest = more ? p->arg[1] : 0;
		for (size_t q = 0; q < k->n; q++) {
			Node fact = c->stack[k->base + q];
			if (fact == opposite) {
				return core_bool_const(c, false);
			}
			if (fact == one) {
				one = 0;
				changed = true;
				break;
			}
		}
		if (one) {
			left = core_and(c, left, one);
		}
	}
	return changed ? left : 0;
}

static Node assume_leave(void *data, Core *c, Node was, Node n)
{
	const Known *k = data;
	(void)was;
	const NodeInfo *p = core_node(c, n);
	if (p->tag != NODE_GUARD && p->tag != NODE_SELECT) {
		return n;
	}
	Node cond = known_part(c, k, p->arg[0]);
	if (!cond) {
		return n;
	}
	return p->tag == NODE_GUARD ? core_guard(c, cond, p->arg[1])
				    : core_select(c, cond, p->arg[1], p->arg[2]);
}

static Node assume_enter(void *data, Core *c, Node n)
{
	(void)data;
	return core_cell(c, n)->conditional ? 0 : n;
}

Node core_assume(Core *c, Node n, Node cond, bool holds)
{
	if (!core_cell(c, n)->conditional || c->guard_depth >= 100) {
		return n;
	}
	c->guard_depth++;
	Known k = {.base = c->nstack, .hold = holds};
	if (holds) {
		k.n = core_conjuncts(c, cond);
	} else {
		core_stack_push(c, core_not(c, cond));
		k.n = 1;
	}
	Memo *memo = core_memo_take(c);
	Rewrite r = {.enter = assume_enter, .leave = assume_leave, .data = &k};
	n = core_rewrite(c, &r, memo, n);
	core_memo_give(c, memo);
	c->nstack = k.base;
	c->guard_depth--;
	return n;
}

/* ---- selects and guards ---- */

Node core_guard(Core *c, Node cond, Node a)
{
	assert(core_kind(c, cond) == KIND_BOOL);
	const NodeInfo *p = core_node(c, cond);
	if (p->tag == NODE_CONST) {
		return p->integer ? a : core_zero(c, core_kind(c, a));
	}
	a = core_assume(c, a, cond, true);
	if (core_is_zero(c, a)) {
		return a;
	}
	const NodeInfo *q = core_node(c, a);
	if (q->tag == NODE_GUARD) {
		Node inner = q->arg[1];
		cond = core_and(c, cond, q->arg[0]);
		p = core_node(c, cond);
		if (p->tag == NODE_CONST) {
			return p->integer ? inner : core_zero(c, core_kind(c, inner));
		}
		a = inner;
	}
	Node args[2] = {cond, a};
	NodeInfo made = {.tag = NODE_GUARD, .kind = (uint8_t)core_kind(c, a), .n = 2, .arg = args};
	return core_intern(c, &made);
}

static Node select_truth(Core *c, Node cond, Node yes, Node no)
{
	const NodeInfo *y = core_node(c, yes), *n = core_node(c, no);
	if (y->tag == NODE_CONST) {
		Node args[2] = {y->integer ? cond : core_not(c, cond), no};
		return core_op(c, y->integer ? OP_or : OP_and, args);
	}
	if (n->tag == NODE_CONST) {
		Node args[2] = {n->integer ? core_not(c, cond) : cond, yes};
		return core_op(c, n->integer ? OP_or : OP_and, args);
	}
	return 0;
}

Node core_select(Core *c, Node cond, Node yes, Node no)
{
	assert(core_kind(c, cond) == KIND_BOOL && core_kind(c, yes) == core_kind(c, no));
	const NodeInfo *p = core_node(c, cond);
	if (p->tag == NODE_CONST) {
		return p->integer ? yes : no;
	}
	yes = core_assume(c, yes, cond, true);
	no = core_assume(c, no, cond, false);
	if (yes == no) {
		return yes;
	}
	p = core_node(c, cond);
	Node opposite = core_not(c, cond);
	bool negated = p->tag == NODE_OP && p->op == OP_not;
	p = core_node(c, opposite);
	bool negates = p->tag == NODE_OP && p->op == OP_not;
	if (negated || (!negates && core_order(c, opposite, cond) < 0)) {
		Node swap = yes;
		cond = opposite;
		yes = no;
		no = swap;
	}
	if (core_kind(c, yes) == KIND_BOOL) {
		Node truth = select_truth(c, cond, yes, no);
		if (truth) {
			return truth;
		}
	} else if (core_is_zero(c, no)) {
		return core_guard(c, cond, yes);
	} else if (core_is_zero(c, yes)) {
		return core_guard(c, core_not(c, cond), no);
	}
	Node args[3] = {cond, yes, no};
	NodeInfo made = {
		.tag = NODE_SELECT, .kind = (uint8_t)core_kind(c, yes), .n = 3, .arg = args};
	return core_intern(c, &made);
}
