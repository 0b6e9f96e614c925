/* core_leaf.c — the other constructors: indices, sizes, reads, operations of the table, draws,
 * stop, derivatives. */
#include "lang/core_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

Node core_index_value(Core *c, Index i)
{
	assert(i && i < c->nindex);
	if (!c->index[i].value) {
		NodeInfo p = {.tag = NODE_INDEX, .kind = KIND_INT, .ref = i};
		Node made = core_intern(c, &p);
		c->index[i].value = made;
	}
	return c->index[i].value;
}

Node core_size(Core *c, Axis a)
{
	assert(a && a < c->naxis);
	NodeInfo p = {.tag = NODE_SIZE, .kind = KIND_INT, .ref = a};
	return core_intern(c, &p);
}

/* On a periodic axis of known size a constant shift counts modulo the size: a label constant is
 * brought onto the axis, a shift nearest to zero. */
static Node wrap(Core *c, Axis axis, Node e)
{
	const AxisInfo *a = core_axis_info(c, axis);
	const NodeInfo *p = core_node(c, e);
	if (!(a->flags & AXIS_PERIODIC) || a->size <= 0) {
		return e;
	}
	if (p->tag == NODE_CONST) {
		int64_t k = (p->integer - a->first) % a->size;
		return core_int_const(c, a->first + (k < 0 ? k + a->size : k));
	}
	if (p->tag != NODE_LIN) {
		return e;
	}
	int64_t k = p->integer % a->size;
	k = k < 0 ? k + a->size : k;
	k = k > a->size / 2 ? k - a->size : k;
	return k == p->integer ? e : core_lin(c, KIND_INT, (double)k, p->n, p->coef, p->arg);
}

Node core_read(Core *c, Def d, const Node *args)
{
	const DefInfo *info = core_def(c, d);
	enum { SMALL = 16 };
	Node small[SMALL], *wrapped = info->nindex <= SMALL
					      ? small
					      : arena_array(c->arena, Node, info->nindex);
	for (uint32_t k = 0; k < info->nindex; k++) {
		assert(core_kind(c, args[k]) == KIND_INT);
		wrapped[k] = wrap(c, core_index_axis(c, info->index[k]), args[k]);
	}
	NodeInfo p = {.tag = NODE_READ,
		      .kind = (uint8_t)info->kind,
		      .ref = d,
		      .n = info->nindex,
		      .arg = wrapped};
	return core_intern(c, &p);
}

Node core_read_plain(Core *c, Def d, const Index *args)
{
	uint32_t n = core_def(c, d)->nindex;
	Node *nodes = arena_array(c->arena, Node, n);
	for (uint32_t k = 0; k < n; k++) {
		nodes[k] = core_index_value(c, args[k]);
	}
	return core_read(c, d, nodes);
}

static bool fold(Core *c, Op op, const OpInfo *info, const Node *args, Node *folded)
{
	OpValue x[2] = {{.i = 0}, {.i = 0}};
	for (unsigned k = 0; k < info->n; k++) {
		const NodeInfo *p = core_node(c, args[k]);
		if (p->tag != NODE_CONST) {
			return false;
		}
		if (p->kind == KIND_REAL) {
			x[k].r = p->num;
		} else {
			x[k].i = p->integer;
		}
	}
	bool by_zero = (op == OP_idiv || op == OP_imod) && x[1].i == 0;
	bool too_large = (op == OP_iabs && x[0].i == INT64_MIN) ||
			 (op == OP_idiv && x[0].i == INT64_MIN && x[1].i == -1) ||
			 (op == OP_shl && x[0].i != 0 &&
			  (x[1].i < 0 || x[1].i > 63 ||
			   op_apply(OP_shr, (OpValue[2]){op_apply(OP_shl, x), x[1]}).i != x[0].i));
	if (by_zero || too_large) {
		c->int_overflow = true;
	}
	OpValue y = op_apply(op, x);
	switch (op_result_kind(op)) {
	case KIND_REAL:
		*folded = core_real_const(c, y.r);
		break;
	case KIND_INT:
		*folded = core_int_const(c, y.i);
		break;
	case KIND_BOOL:
		*folded = core_bool_const(c, y.i != 0);
		break;
	}
	return true;
}

/* Rules on ints that hold to the bit: x mod 1, x div 1, x xor x, (x xor m) xor m, min and max of
 * the same. */
static Node int_rule(Core *c, Op op, const Node *args)
{
	const NodeInfo *b = core_node(c, args[1]);
	bool one = b->tag == NODE_CONST && b->integer == 1;
	bool zero = b->tag == NODE_CONST && b->integer == 0;
	int64_t lo, hi;
	switch (op) {
	case OP_idiv:
		return one ? args[0] : 0;
	case OP_imod:
		core_range(c, args[0], &lo, &hi);
		if (b->tag == NODE_CONST && b->integer > 0 && lo >= 0 && hi < b->integer) {
			return args[0];
		}
		return one ? core_int_const(c, 0) : 0;
	case OP_imin:
	case OP_imax:
	case OP_band:
	case OP_bor:
		return args[0] == args[1] ? args[0] : 0;
	case OP_shl:
	case OP_shr:
		return zero ? args[0] : 0;
	default:
		return 0;
	}
}

/* xor is a sum without carry: a sorted chain in which equal operands cancel and constants are one.
 */
static Node xor_chain(Core *c, const Node *args)
{
	size_t base = c->nstack;
	int64_t constant = 0;
	for (int side = 0; side < 2; side++) {
		for (Node n = args[side]; n;) {
			const NodeInfo *p = core_node(c, n);
			bool more = p->tag == NODE_OP && p->op == OP_bxor;
			Node one = more ? p->arg[0] : n;
			n = more ? p->arg[1] : 0;
			if (core_node(c, one)->tag == NODE_CONST) {
				constant ^= core_node(c, one)->integer;
				continue;
			}
			size_t at = base;
			while (at < c->nstack && core_order(c, c->stack[at], one) < 0) {
				at++;
			}
			if (at < c->nstack && c->stack[at] == one) {
				memmove(c->stack + at, c->stack + at + 1,
					(c->nstack - at - 1) * sizeof *c->stack);
				c->nstack--;
				continue;
			}
			core_stack_push(c, one);
			memmove(c->stack + at + 1, c->stack + at,
				(c->nstack - 1 - at) * sizeof *c->stack);
			c->stack[at] = one;
		}
	}
	if (constant != 0 || c->nstack == base) {
		core_stack_push(c, core_int_const(c, constant));
	}
	Node n = c->stack[c->nstack - 1];
	for (size_t k = c->nstack - 1; k-- > base;) {
		Node pair[2] = {c->stack[k], n};
		NodeInfo p = {.tag = NODE_OP, .kind = KIND_INT, .op = OP_bxor, .n = 2, .arg = pair};
		n = core_intern(c, &p);
	}
	c->nstack = base;
	return n;
}

static bool is_commutative(Op op)
{
	return op == OP_imin || op == OP_imax || op == OP_band || op == OP_bor;
}

Node core_op(Core *c, uint16_t op, const Node *args)
{
	const OpInfo *info = op_info((Op)op);
	for (unsigned k = 0; k < info->n; k++) {
		assert(core_kind(c, args[k]) == op_arg_kind((Op)op));
	}
	Node done = 0;
	if (fold(c, (Op)op, info, args, &done)) {
		return done;
	}
	done = core_logic_op(c, (Op)op, args);
	if (done) {
		return done;
	}
	if (op == OP_pow) {
		return core_pow(c, args[0], args[1]);
	}
	if (op == OP_bxor) {
		return xor_chain(c, args);
	}
	if (info->sig == SIG_II_I) {
		done = int_rule(c, (Op)op, args);
		if (done) {
			return done;
		}
	}
	bool swap = is_commutative((Op)op) && core_order(c, args[0], args[1]) > 0;
	Node ordered[2] = {args[swap ? 1 : 0], info->n > 1 ? args[swap ? 0 : 1] : 0};
	NodeInfo p = {.tag = NODE_OP,
		      .kind = (uint8_t)op_result_kind((Op)op),
		      .op = op,
		      .n = info->n,
		      .arg = ordered};
	return core_intern(c, &p);
}

Node core_op1(Core *c, uint16_t op, Node a)
{
	assert(op_info((Op)op)->n == 1);
	return core_op(c, op, &a);
}

Node core_op2(Core *c, uint16_t op, Node a, Node b)
{
	assert(op_info((Op)op)->n == 2);
	Node args[2] = {a, b};
	return core_op(c, op, args);
}

Node core_real(Core *c, Node a)
{
	Kind kind = core_kind(c, a);
	assert(kind != KIND_BOOL);
	return kind == KIND_REAL ? a : core_op1(c, OP_real, a);
}

Node core_random(Core *c, uint16_t kind, int64_t stream, uint32_t flags, uint32_t n,
		 const Node *address)
{
	assert(kind == RANDOM_UNIFORM || kind == RANDOM_NORMAL);
	NodeInfo p = {.tag = NODE_RANDOM,
		      .kind = KIND_REAL,
		      .op = kind,
		      .integer = stream,
		      .ref = flags,
		      .n = n,
		      .arg = address};
	return core_intern(c, &p);
}

Node core_stop(Core *c, Node a)
{
	const NodeInfo *p = core_node(c, a);
	if (p->tag == NODE_CONST || p->tag == NODE_STOP || p->kind != KIND_REAL) {
		return a;
	}
	NodeInfo made = {.tag = NODE_STOP, .kind = p->kind, .n = 1, .arg = &a};
	return core_intern(c, &made);
}

Node core_d(Core *c, Node of, Node variable)
{
	assert(core_kind(c, of) == KIND_REAL && core_node(c, variable)->tag == NODE_READ);
	Node args[2] = {of, variable};
	NodeInfo p = {.tag = NODE_D, .kind = KIND_REAL, .n = 2, .arg = args};
	return core_intern(c, &p);
}
