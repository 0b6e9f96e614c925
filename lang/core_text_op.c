/* core_text_op.c — operations and reductions of the core as text of the language. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lang/core_text.h"
#include "lang/matrix.h"

static const char *infix(CoreText *t, const NodeInfo *p, const char *op, int side)
{
	const char *left = core_text_node(t, p->arg[0], side),
		   *right = core_text_node(t, p->arg[1], side);
	return arena_printf(t->a, "%s %s %s", left, op, right);
}

/* Both orders of a symmetric operation are the same node: the text decides which is shown. */
static const char *symmetric(CoreText *t, const NodeInfo *p, const char *op, int side)
{
	TextOperand o[2] = {core_text_operand(t, p->arg[0], side),
			    core_text_operand(t, p->arg[1], side)};
	o[0].rank = o[0].rank == 0 ? 20 : o[0].rank;
	o[1].rank = o[1].rank == 0 ? 20 : o[1].rank;
	qsort(o, 2, sizeof *o, core_text_order);
	return arena_printf(t->a, "%s %s %s", o[0].text, op, o[1].text);
}

static const char *chain_text(CoreText *t, Node n, const char *word, int side)
{
	unsigned op = core_node(t->c, n)->op;
	TextOperand *o = NULL;
	size_t count = 0, cap = 0;
	for (bool more = true; more;) {
		const NodeInfo *p = core_node(t->c, n);
		more = p->tag == NODE_OP && p->op == op;
		TextOperand one = core_text_operand(t, more ? p->arg[0] : n, side);
		one.rank = one.rank == 0 ? 20 : one.rank;
		ARENA_PUSH(t->a, o, count, cap, one);
		n = more ? core_node(t->c, n)->arg[1] : n;
	}
	qsort(o, count, sizeof *o, core_text_order);
	TextBuffer b = {.a = t->a};
	for (size_t k = 0; k < count; k++) {
		core_text_put(&b, k ? arena_printf(t->a, " %s ", word) : "");
		core_text_put(&b, o[k].text);
	}
	return core_text_finish(&b);
}

/* An equality of ints is a sum that is zero or not, up to its sign: the term that comes first in
 * the text stands left. */
static const char *int_equality(CoreText *t, const NodeInfo *p, const char *op)
{
	Core *c = t->c;
	Node d = core_sub(c, p->arg[0], p->arg[1]);
	if (core_node(c, d)->tag != NODE_LIN) {
		return symmetric(t, p, op, BIND_SUM);
	}
	uint32_t n = core_node(c, d)->n;
	TextOperand *o = core_text_terms(t, d, 1);
	for (uint32_t k = 0; k < n; k++) {
		o[k].rank %= 100;
	}
	qsort(o, n, sizeof *o, core_text_order);
	double sign = o[0].coef < 0 ? -1 : 1,
	       *coef[2] = {arena_array(t->a, double, n), arena_array(t->a, double, n)};
	for (uint32_t k = 0; k < n; k++) {
		double one = core_node(c, d)->coef[k] * sign;
		coef[one < 0][k] = one < 0 ? -one : one;
	}
	int64_t constant = core_node(c, d)->integer;
	Node left = core_lin(c, KIND_INT, 0, n, coef[0], core_node(c, d)->arg);
	Node right = core_lin(c, KIND_INT, 0, n, coef[1], core_node(c, d)->arg);
	right = core_add(c, right, core_int_const(c, sign < 0 ? constant : -constant));
	return arena_printf(t->a, "%s %s %s", core_text_node(t, left, BIND_SUM), op,
			    core_text_node(t, right, BIND_SUM));
}

const char *core_text_op(CoreText *t, Node n, int *binds)
{
	const NodeInfo *p = core_node(t->c, n);
	const OpInfo *info = op_info((Op)p->op);
	switch (p->op) {
	case OP_lt:
	case OP_le:
	case OP_ilt:
	case OP_ile:
		*binds = BIND_COMPARE;
		return infix(t, p, info->syntax, BIND_SUM);
	case OP_eq:
	case OP_ne:
		*binds = BIND_COMPARE;
		return symmetric(t, p, info->syntax, BIND_SUM);
	case OP_ieq:
	case OP_ine:
		*binds = BIND_COMPARE;
		return int_equality(t, p, info->syntax);
	case OP_beq:
		*binds = BIND_COMPARE;
		return symmetric(t, p, info->syntax, BIND_ATOM);
	case OP_and:
		*binds = BIND_AND;
		return chain_text(t, n, "and", BIND_NOT);
	case OP_or:
		*binds = BIND_OR;
		return chain_text(t, n, "or", BIND_AND);
	case OP_not:
		*binds = BIND_NOT;
		return arena_printf(t->a, "not %s", core_text_node(t, p->arg[0], BIND_NOT));
	case OP_bxor:
		*binds = BIND_SUM;
		return chain_text(t, n, "xor", BIND_FACTOR);
	case OP_band:
	case OP_bor:
		*binds = BIND_SUM;
		return symmetric(t, p, info->syntax, BIND_FACTOR);
	case OP_shl:
	case OP_shr:
		*binds = BIND_SUM;
		return infix(t, p, info->syntax, BIND_FACTOR);
	case OP_mod:
	case OP_imod:
	case OP_idiv:
		*binds = BIND_PRODUCT;
		return infix(t, p, info->syntax, BIND_FACTOR);
	case OP_pow: {
		*binds = BIND_POWER;
		const char *base = core_text_node(t, p->arg[0], BIND_ATOM),
			   *e = core_text_node(t, core_node(t->c, n)->arg[1], BIND_POWER);
		return arena_printf(t->a, "%s^%s", base, e);
	}
	case OP_imin:
	case OP_imax: {
		TextOperand o[2] = {core_text_operand(t, p->arg[0], BIND_IF),
				    core_text_operand(t, core_node(t->c, n)->arg[1], BIND_IF)};
		qsort(o, 2, sizeof *o, core_text_order);
		return arena_printf(t->a, "%s(%s, %s)", info->syntax, o[0].text, o[1].text);
	}
	default:
		return arena_printf(
			t->a, "%s)",
			core_text_join(t, arena_printf(t->a, "%s(", info->syntax), p->n, p->arg));
	}
}

/* ---- reductions in place ---- */

static const char *const reducer[] = {[RED_SUM] = "sum",
				      [RED_PROD] = "prod",
				      [RED_MAX] = "max",
				      [RED_MIN] = "min",
				      [RED_LOGSUMEXP] = "logsumexp",
				      [RED_ARGMAX] = "argmax",
				      [RED_ARGMIN] = "argmin",
				      [RED_ALL] = "all",
				      [RED_ANY] = "any"};

/* Place of the word in the text, past its end if it is not there. */
static size_t word_place(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = text; (p = strstr(p, word)); p++) {
		unsigned char before = p == text ? ' ' : (unsigned char)p[-1],
			      after = (unsigned char)p[n];
		bool inside = before >= 0x80 || before == '_' || (before >= '0' && before <= '9') ||
			      ((before | 32) >= 'a' && (before | 32) <= 'z');
		bool longer = after >= 0x80 || after == '_' || (after >= '0' && after <= '9') ||
			      ((after | 32) >= 'a' && (after | 32) <= 'z') || after == '(';
		if (!inside && !longer) {
			return (size_t)(p - text);
		}
	}
	return strlen(text) + 1;
}

typedef struct BoundName {
	size_t place;
	const char *name, *text;
} BoundName;

static int bound_order(const void *x, const void *y)
{
	const BoundName *a = x, *b = y;
	return a->place != b->place ? (a->place < b->place ? -1 : 1) : strcmp(a->name, b->name);
}

static const char *binders(CoreText *t, uint32_t n, const Index *bound, Node body, const char *cond,
			   const char *text)
{
	BoundName *names = arena_array(t->a, BoundName, n);
	const char *both = arena_printf(t->a, "%s %s", text, cond ? cond : "");
	for (uint32_t k = 0; k < n; k++) {
		const char *name = core_text_index(t, bound[k]);
		bool plain = !t->plain_binder || t->plain_binder(t->data, t, bound[k], body);
		const char *axis = core_text_axis(t, core_index_axis(t->c, bound[k]));
		names[k] = (BoundName){word_place(both, name), name,
				       plain ? name : arena_printf(t->a, "%s in %s", name, axis)};
	}
	qsort(names, n, sizeof *names, bound_order);
	TextBuffer b = {.a = t->a};
	for (uint32_t k = 0; k < n; k++) {
		core_text_put(&b, k ? ", " : "");
		core_text_put(&b, names[k].text);
	}
	if (cond) {
		core_text_put(&b, " if ");
		core_text_put(&b, cond);
	}
	return core_text_finish(&b);
}

static bool is_neutral(const CoreText *t, RedKind red, Node n)
{
	const NodeInfo *p = core_node(t->c, n);
	if (p->tag != NODE_CONST || p->kind != KIND_REAL) {
		return false;
	}
	switch (red) {
	case RED_PROD:
		return p->num == 1;
	case RED_MAX:
	case RED_ARGMAX:
	case RED_LOGSUMEXP:
		return isinf(p->num) && p->num < 0;
	case RED_MIN:
	case RED_ARGMIN:
		return isinf(p->num) && p->num > 0;
	default:
		return false;
	}
}

/* inverse([p in h, q in h -> A[s, p, q]])[i, k]: rows before columns, axes always told. */
static const char *matrix_text(CoreText *t, Def d, const Node *args, int *binds)
{
	Core *c = t->c;
	const DefInfo info = *core_def(c, d);
	const MatrixOp *op = matrix_op(info.red);
	size_t outside = t->nindex;
	Index *bound;
	Node body = core_open(c, d, 0, args, &bound);
	TextBuffer b = {.a = t->a};
	core_text_put(&b, op->name);
	core_text_put(&b, "([");
	for (uint32_t k = 0; k < op->nbound; k++) {
		const char *axis = core_text_axis(t, core_index_axis(c, bound[k]));
		const char *name = core_text_index(t, bound[k]);
		core_text_put(&b, arena_printf(t->a, "%s%s in %s", k ? ", " : "", name, axis));
	}
	core_text_put(&b, " -> ");
	core_text_put(&b, core_text_node(t, body, BIND_IF));
	core_text_put(&b, "])");
	t->nindex = outside;
	*binds = BIND_ATOM;
	const char *call = core_text_finish(&b);
	const Node *place = args + (info.nindex - op->nresult);
	return op->nresult
		       ? arena_printf(t->a, "%s]",
				      core_text_join(t, arena_printf(t->a, "%s[", call), op->nresult,
						     place))
		       : call;
}

const char *core_text_reduction(CoreText *t, Def d, const Node *args, int *binds, bool *minus)
{
	Core *c = t->c;
	if (red_is_matrix(core_def(c, d)->red)) {
		return matrix_text(t, d, args, binds);
	}
	RedKind red = core_def(c, d)->red;
	uint32_t n = core_def(c, d)->nbound;
	Index *bound;
	Node whole = core_open(c, d, 0, args, &bound), body = whole;
	const char *cond = NULL;
	size_t outside = t->nindex;
	const NodeInfo *p = core_node(c, body);
	/* bound indices are named in the order in which the body shows them */
	if (red == RED_SUM && p->tag == NODE_GUARD) {
		body = p->arg[1];
		cond = core_text_node(t, p->arg[0], BIND_IF);
	} else if (red != RED_SUM && p->tag == NODE_SELECT && is_neutral(t, red, p->arg[2])) {
		body = p->arg[1];
		cond = core_text_node(t, p->arg[0], BIND_IF);
	} else if (red != RED_SUM && p->tag == NODE_SELECT && is_neutral(t, red, p->arg[1])) {
		body = p->arg[2];
		cond = core_text_node(t, core_not(c, p->arg[0]), BIND_IF);
	}
	bool turn = red == RED_SUM && d != t->whole && core_node(c, body)->tag == NODE_LIN;
	const char *text = turn ? core_text_signed(t, body, BIND_PRODUCT, minus)
				: core_text_node(t, body, red == RED_SUM ? BIND_PRODUCT : BIND_IF);
	const char *over = binders(t, n, bound, whole, cond, text);
	*binds = red == RED_SUM ? BIND_PRODUCT : BIND_ATOM;
	t->nindex = outside;
	return red == RED_SUM ? arena_printf(t->a, "sum[%s] %s", over, text)
			      : arena_printf(t->a, "%s[%s](%s)", reducer[red], over, text);
}
