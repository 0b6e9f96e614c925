/* plan_code.c — scalar expressions to straight-line programs: operations, conditions, random
 * numbers; registers at the end.
 *
 * Everything is computed in all lanes and chosen afterwards, so that no value leaks from a branch
 * that is not taken; only instructions that can fail (an index outside, an overflow) look at the
 * mask of the branch they stand in. */
#include "compiler/plan_code.h"
#include "runtime/rt.h"
#include <assert.h>
#include <string.h>

void coder_begin(Coder *w, Planner *p, Nest *nest, const Dim *dim, uint32_t ndim)
{
	*w = (Coder){.p = p, .nest = nest, .dim = dim, .ndim = ndim};
	plan_memo_begin(p);
	ARENA_PUSH(p->arena, w->val, w->nval, w->val_cap, VAL_NONE);
	for (uint32_t d = 0; d < ndim; d++) {
		plan_range_set(p, dim[d].index, (Interval){dim[d].lo, dim[d].lo + dim[d].size - 1});
		if (dim[d].tiled) {
			plan_range_set(p, dim[d].index, plan_axis(p, dim[d].index));
		}
	}
}

uint32_t coder_register(Coder *w, bool uniform)
{
	ARENA_PUSH(w->p->arena, w->uniform, w->nreg, w->reg_cap, uniform);
	return (uint32_t)(w->nreg - 1);
}

uint32_t coder_pin(Coder *w)
{
	uint32_t r = coder_register(w, false);
	ARENA_PUSH(w->p->arena, w->pinned, w->npinned, w->pinned_cap, r);
	return r;
}

static Val coder_bits(Coder *w, double bits, bool integer)
{
	for (size_t k = 0; k < w->nconst; k++) {
		if (w->const_int[k] == integer && !memcmp(&w->constant[k], &bits, sizeof bits)) {
			return (Val){CODE_CONST | (uint32_t)k, true};
		}
	}
	size_t n = w->nconst;
	ARENA_PUSH(w->p->arena, w->const_int, n, w->const_int_cap, integer);
	ARENA_PUSH(w->p->arena, w->constant, w->nconst, w->const_cap, bits);
	return (Val){CODE_CONST | (uint32_t)(w->nconst - 1), true};
}

Val coder_real(Coder *w, double v)
{
	return coder_bits(w, v, false);
}

Val coder_int(Coder *w, int64_t v)
{
	double bits;
	memcpy(&bits, &v, sizeof bits);
	return coder_bits(w, bits, true);
}

bool coder_is_zero(const Coder *w, Val v)
{
	double zero = 0;
	return v.at != OPERAND_NONE && (v.at & CODE_CONST) &&
	       !memcmp(&w->constant[v.at & CODE_INDEX], &zero, sizeof zero);
}

uint32_t coder_access(Coder *w, Access a)
{
	ARENA_PUSH(w->p->arena, w->access, w->naccess, w->access_cap, a);
	return (uint32_t)(w->naccess - 1);
}

/* Appends an instruction; its destination is a new register unless *dst says which. */
Instr *coder_emit(Coder *w, VmOp op, Val a, Val b, Val c, Val *dst)
{
	bool uniform = a.uniform && b.uniform && c.uniform;
	if (!val_some(*dst)) {
		dst->at = coder_register(w, uniform);
		dst->uniform = uniform;
	}
	Instr in = {.op = (uint16_t)op,
		    .uniform = dst->uniform,
		    .dst = dst->at,
		    .a = a.at,
		    .b = b.at,
		    .c = c.at};
	in.lone = (uint8_t)(dst->uniform ? 0
					 : (a.uniform ? 1 : 0) | (b.uniform ? 2 : 0) |
						   (c.uniform ? 4 : 0));
	ARENA_PUSH(w->p->arena, w->code, w->ncode, w->code_cap, in);
	return &w->code[w->ncode - 1];
}

static Val coder_binary(Coder *w, VmOp op, Val a, Val b)
{
	Val y = VAL_NONE;
	coder_emit(w, op, a, b, VAL_NONE, &y);
	return y;
}

Val coder_and(Coder *w, Val a, Val b)
{
	return !val_some(a) ? b : !val_some(b) ? a : coder_binary(w, VM_AND, a, b);
}

/* ---- operations of the table ---- */

typedef void Map(size_t n, double *y, const double *x);

static Map *op_map(Op op)
{
	switch (op) {
	case OP_exp:
		return vm_exp;
	case OP_expm1:
		return vm_expm1;
	case OP_log:
		return vm_log;
	case OP_log1p:
		return vm_log1p;
	case OP_tanh:
		return vm_tanh;
	case OP_sigmoid:
		return vm_sigmoid;
	case OP_softplus:
		return vm_softplus;
	case OP_sin:
		return vm_sin;
	case OP_cos:
		return vm_cos;
	default:
		return NULL;
	}
}

static VmOp op_instruction(Op op)
{
	switch (op) {
	case OP_sqrt:
		return VM_SQRT;
	case OP_abs:
		return VM_ABS;
	case OP_min:
		return VM_MIN;
	case OP_max:
		return VM_MAX;
	case OP_lt:
		return VM_LT;
	case OP_le:
		return VM_LE;
	case OP_eq:
		return VM_EQ;
	case OP_ne:
		return VM_NE;
	case OP_ilt:
		return VM_ILT;
	case OP_ile:
		return VM_ILE;
	case OP_beq:
	case OP_ieq:
		return VM_IEQ;
	case OP_ine:
		return VM_INE;
	case OP_not:
		return VM_NOT;
	case OP_and:
		return VM_AND;
	case OP_or:
		return VM_OR;
	case OP_imin:
		return VM_IMIN;
	case OP_imax:
		return VM_IMAX;
	case OP_band:
		return VM_IAND;
	case OP_bor:
		return VM_IOR;
	case OP_bxor:
		return VM_IXOR;
	case OP_real:
		return VM_REAL;
	default:
		return VM_CALL;
	}
}

/* ---- and, or: the order of the parts means nothing, so those that cannot fail come first, and the
 * others are looked at where these leave it open. ---- */

enum { PARTS = 64 };

/* The parts of a and b and …, those that cannot fail first; 0 if they are too many or none may fail. */
static uint32_t logic_parts(Coder *w, Node n, Op op, Node *part)
{
	Node open[PARTS];
	uint32_t nopen = 1, count = 0, nsafe = 0;
	open[0] = n;
	Node fails[PARTS];
	uint32_t nfail = 0;
	while (nopen) {
		Node at = open[--nopen];
		const NodeInfo *info = core_node(w->p->core, at);
		if (info->tag == NODE_OP && info->op == op) {
			if (nopen + 2 > PARTS) {
				return 0;
			}
			open[nopen++] = info->arg[1];
			open[nopen++] = info->arg[0];
		} else if (nsafe + nfail == PARTS) {
			return 0;
		} else if (coder_may_fail(w, at)) {
			fails[nfail++] = at;
		} else {
			part[nsafe++] = at;
		}
	}
	for (count = nsafe; nfail && count < nsafe + nfail; count++) {
		part[count] = fails[count - nsafe];
	}
	return nfail && count > 1 ? count : 0;
}

static Val coder_logic(Coder *w, Op op, uint32_t n, const Node *part, Val mask)
{
	Val all = coder_node(w, part[0], mask);
	for (uint32_t k = 1; k < n; k++) {
		Val inner = mask, y = VAL_NONE;
		if (coder_may_fail(w, part[k])) {
			Val open = all;
			if (op == OP_or) {
				open = VAL_NONE;
				coder_emit(w, VM_NOT, all, VAL_NONE, VAL_NONE, &open);
			}
			inner = coder_and(w, mask, open);
		}
		Val next = coder_node(w, part[k], inner);
		coder_emit(w, op == OP_and ? VM_AND : VM_OR, all, next, VAL_NONE, &y);
		all = y;
	}
	return all;
}

static Val coder_op(Coder *w, Node n, Val mask)
{
	int known = core_node(w->p->core, n)->kind == KIND_BOOL ? plan_decide(w->p, n) : -1;
	if (known >= 0) {
		return coder_int(w, known);
	}
	Op op = (Op)core_node(w->p->core, n)->op;
	Node part[PARTS];
	uint32_t count = op == OP_and || op == OP_or ? logic_parts(w, n, op, part) : 0;
	if (count) {
		return coder_logic(w, op, count, part, mask);
	}
	count = core_node(w->p->core, n)->n;
	Val a = coder_node(w, core_node(w->p->core, n)->arg[0], mask);
	Val b = count > 1 ? coder_node(w, core_node(w->p->core, n)->arg[1], mask) : VAL_NONE;
	Val y = VAL_NONE;
	Map *map = op_map(op);
	if (map) {
		Instr *in = coder_emit(w, VM_MAP, a, VAL_NONE, VAL_NONE, &y);
		in->map = map;
		in->i = op;
		return y;
	}
	VmOp code = op_instruction(op);
	Instr *in = coder_emit(w, code, a, b, VAL_NONE, &y);
	in->i = code == VM_CALL ? op : 0;
	return y;
}

/* ---- conditions ---- */

static Val coder_select(Coder *w, Node n, Val mask)
{
	Node cond = core_node(w->p->core, n)->arg[0], yes = core_node(w->p->core, n)->arg[1];
	bool guard = core_node(w->p->core, n)->tag == NODE_GUARD;
	Node no = guard ? 0 : core_node(w->p->core, n)->arg[2];
	int known = plan_decide(w->p, cond);
	if (known >= 0) {
		return known   ? coder_node(w, yes, mask)
		       : guard ? coder_int(w, 0)
			       : coder_node(w, no, mask);
	}
	Val c = coder_node(w, cond, mask);
	Val inner = coder_may_fail(w, yes) ? coder_and(w, mask, c) : mask;
	Val a = coder_node(w, yes, inner);
	Val b = VAL_NONE, y = VAL_NONE;
	if (!guard) {
		Val outer = mask;
		if (coder_may_fail(w, no)) {
			Val not = VAL_NONE;
			coder_emit(w, VM_NOT, c, VAL_NONE, VAL_NONE, &not );
			outer = coder_and(w, mask, not );
		}
		b = coder_node(w, no, outer);
	}
	coder_emit(w, guard ? VM_GUARD : VM_SELECT, a, b, c, &y);
	/* One condition for one value, or for all lanes: the instruction must know that it is one.
	 */
	w->code[w->ncode - 1].lone |= c.uniform ? 4 : 0;
	return y;
}

static Val coder_random(Coder *w, Node n, Val mask)
{
	Planner *p = w->p;
	uint32_t count = core_node(p->core, n)->n;
	Val *arg = arena_array(p->arena, Val, count + 1);
	uint32_t *more = arena_array(p->plan->arena, uint32_t, count + 1);
	Val y = {OPERAND_NONE, true};
	uint8_t lone = 0;
	for (uint32_t k = 0; k < count; k++) {
		arg[k] = coder_node(w, core_node(p->core, n)->arg[k], mask);
		y.uniform &= arg[k].uniform;
		more[k] = arg[k].at;
		lone |= (uint8_t)(arg[k].uniform && k < 8 ? 1 << k : 0);
	}
	assert(count <= 8);
	const NodeInfo *info = core_node(p->core, n);
	y.at = coder_register(w, y.uniform);
	Instr *in = coder_emit(w, info->op == RANDOM_UNIFORM ? VM_UNIFORM : VM_NORMAL, VAL_NONE,
			       VAL_NONE, VAL_NONE, &y);
	in->i = info->integer;
	in->j = (info->ref & RANDOM_EACH_STEP) != 0;
	in->lone = lone;
	in->nmore = count;
	in->more = more;
	return y;
}

static Val coder_index(Coder *w, Index i)
{
	Val y = VAL_NONE;
	w->labels = true;
	for (uint32_t d = 0; d < w->ndim; d++) {
		if (w->dim[d].index == i) {
			bool lane = d == w->ndim - 1;
			y = (Val){coder_register(w, !lane), !lane};
			coder_emit(w, lane ? VM_IOTA : VM_LABEL, VAL_NONE, VAL_NONE, VAL_NONE, &y)
				->i = d;
			return y;
		}
	}
	uint32_t slot = plan_slot(w->p, i);
	assert(slot);
	coder_emit(w, VM_SLOT, VAL_NONE, VAL_NONE, VAL_NONE, &y)->i = slot;
	return y;
}

/* ---- what may fail ---- */

bool coder_int_safe(Coder *w, Node n)
{
	Interval r = plan_interval(w->p, n);
	return r.lo > -((int64_t)1 << 60) && r.hi < (int64_t)1 << 60;
}

typedef struct MayFail {
	Coder *w;
	bool may;
} MayFail;

static bool may_fail_node(void *data, Node n)
{
	MayFail *m = data;
	Planner *p = m->w->p;
	const NodeInfo *info = core_node(p->core, n);
	if (info->tag == NODE_READ) {
		const PDef *d = plan_def(p, info->ref);
		for (uint32_t k = 0; k < info->n; k++) {
			bool wraps;
			m->may |= !d->zero_outside &&
				  !coder_arg_safe(m->w, d, k, info->arg[k], &wraps) && !wraps;
		}
	} else if (info->kind == KIND_INT && (info->tag == NODE_LIN || info->tag == NODE_PROD)) {
		m->may |= !coder_int_safe(m->w, n);
	}
	return !m->may;
}

bool coder_may_fail(Coder *w, Node n)
{
	MayFail m = {w, false};
	plan_walk(w->p, n, may_fail_node, &m);
	return m.may;
}

/* ---- nodes ---- */

static Val coder_fresh(Coder *w, Node n, Val mask)
{
	const NodeInfo *info = core_node(w->p->core, n);
	switch (info->tag) {
	case NODE_CONST:
		return info->kind == KIND_REAL ? coder_real(w, info->num)
					       : coder_int(w, info->integer);
	case NODE_SIZE:
		return coder_int(w, core_axis_info(w->p->core, info->ref)->size);
	case NODE_INDEX:
		return coder_index(w, info->ref);
	case NODE_READ:
		return coder_read(w, n, mask);
	case NODE_LIN:
		return coder_lin(w, n, mask);
	case NODE_PROD:
		return coder_prod(w, n, mask);
	case NODE_OP:
		return coder_op(w, n, mask);
	case NODE_SELECT:
	case NODE_GUARD:
		return coder_select(w, n, mask);
	case NODE_RANDOM:
		return coder_random(w, n, mask);
	case NODE_STOP:
		return coder_node(w, info->arg[0], mask);
	default:
		assert(!"a node that the plan does not know");
		return VAL_NONE;
	}
}

Val coder_node(Coder *w, Node n, Val mask)
{
	uint32_t known = plan_memo(w->p, n);
	if (known) {
		return w->val[known];
	}
	bool masked = val_some(mask) && coder_may_fail(w, n);
	for (size_t k = 0; masked && k < w->nknown; k++) {
		if (w->known[k].node == n && w->known[k].mask.at == mask.at) {
			return w->known[k].val;
		}
	}
	Val v = coder_fresh(w, n, masked ? mask : VAL_NONE);
	if (masked) {
		size_t at = w->nknown;
		if (at == w->known_cap) {
			w->known = arena_grow(w->p->arena, w->known, at, &w->known_cap,
					      sizeof *w->known, alignof(max_align_t));
		}
		w->known[w->nknown].node = n;
		w->known[w->nknown].mask = mask;
		w->known[w->nknown++].val = v;
	} else {
		ARENA_PUSH(w->p->arena, w->val, w->nval, w->val_cap, v);
		plan_memo_set(w->p, n, (uint32_t)(w->nval - 1));
	}
	return v;
}
