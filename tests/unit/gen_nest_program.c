/* gen_nest_program.c — programs made at random, each instruction with operands of the kinds that
 * the planner gives it. Reals are multiples of 1/4 until something rounds; only those are compared
 * with each other, as a last bit must not decide. */
#include "runtime/vmath.h"
#include "tests/unit/gen_nest_aid.h"
#include <criterion/criterion.h>
#include <string.h>

enum { PROGRAM_MAX = 64, TAG_LANES = 1 << 16, TAG_ONE = 2 << 16, TAG_ACCESS = 3 << 16,
       TAG_CONST = 4 << 16, TAG_MASK = (1 << 16) - 1 };

typedef struct Val {
	uint32_t at;
	ValueKind kind;
	bool one, exact; /* one value for all lanes; not rounded and not large */
} Val;

typedef struct Maker {
	Case *c;
	Val val[PROGRAM_MAX];
	uint32_t nval, nlanes, none;
	Access access[CASE_BUFFERS];
	uint32_t naccess;
	double constant[PROGRAM_MAX];
	bool constant_int[PROGRAM_MAX];
	uint32_t nconst;
	Instr code[PROGRAM_MAX];
	uint32_t ncode;
} Maker;

static bool chance(Maker *m, int64_t n)
{
	return case_below(m->c, n) == 0;
}

static const Val NOTHING = {OPERAND_NONE, VALUE_INT, true, true};

/* ---- operands ---- */

static Val constant(Maker *m, ValueKind kind)
{
	int64_t i = kind == VALUE_BOOL ? case_below(m->c, 2) : case_below(m->c, 9) - 4;
	double v = (double)i / 2;
	if (kind != VALUE_REAL) {
		memcpy(&v, &i, sizeof v);
	}
	m->constant[m->nconst] = v;
	m->constant_int[m->nconst] = kind != VALUE_REAL;
	return (Val){TAG_CONST + m->nconst++, kind, true, true};
}

/* Rows of the outer dimensions in natural order, `lane` apart along the lanes. A row that does not
 * move with some dimensions leaves them out. */
static uint32_t access_new(Maker *m, bool integer, bool output, int64_t lane, uint32_t skip)
{
	Case *c = m->c;
	uint32_t last = c->nest.ndim - 1;
	Access a = {.stride = arena_array(c->arena, int64_t, c->nest.ndim)};
	int64_t size = c->dim[last].size;
	int64_t at = lane == 0 ? 1 : lane < 0 ? -lane * size : lane * size;
	bool tile = c->tiled && lane == 1 && !chance(m, 3);
	a.stride[last] = lane;
	if (!tile) {
		at += case_below(c, 3);
		a.base = (lane < 0 ? -lane * (size - 1) : 0) + case_below(c, 4);
	}
	for (uint32_t d = last; d-- > 0;) {
		if (!(skip >> d & 1)) {
			a.stride[d] = at;
			at *= c->dim[d].size ? c->dim[d].size : 1;
		}
	}
	if (c->tiled && !tile && lane > 0) { /* the tile's part of a longer array */
		a.nslot = 1;
		a.slot = arena_new(c->arena, SlotTerm);
		*a.slot = (SlotTerm){1, lane};
	}
	a.buffer = &c->array[case_array(c, integer, output, tile ? PLACE_TILE : PLACE_LEAF, &a)].buffer;
	if (tile) {
		a.buffer->count = (size_t)(at > c->width ? at : c->width);
	}
	m->access[m->naccess] = a;
	return m->naccess++;
}

static Val from_memory(Maker *m, ValueKind kind)
{
	bool one = chance(m, 3);
	uint32_t skip = (uint32_t)case_below(m->c, 8);
	uint32_t a = access_new(m, kind != VALUE_REAL, false, !one, skip);
	return (Val){TAG_ACCESS + a, kind, one, true};
}

/* An operand of a kind; one: the same for all lanes, lanes: different. */
static Val pick(Maker *m, ValueKind kind, bool exact, bool one, bool lanes)
{
	for (int tries = 0; tries < 12; tries++) {
		Val v = NOTHING;
		if (m->nval && !chance(m, 3)) {
			v = m->val[case_below(m->c, m->nval)];
		} else if (chance(m, 3)) {
			v = constant(m, kind);
		} else if (kind != VALUE_BOOL && m->naccess < CASE_BUFFERS - 12) {
			v = from_memory(m, kind);
		}
		if (v.at != OPERAND_NONE && v.kind == kind && (v.exact || !exact) &&
		    (!one || v.one) && (!lanes || !v.one)) {
			return v;
		}
	}
	if (one) {
		return constant(m, kind);
	}
	if (kind == VALUE_BOOL) { /* which lanes have an odd label */
		Val i = pick(m, VALUE_INT, true, false, true), y = {TAG_LANES + m->nlanes++, kind, 0, 1};
		Instr *in = &m->code[m->ncode++];
		*in = (Instr){.op = VM_ILT, .dst = y.at, .a = i.at, .b = constant(m, VALUE_INT).at};
		in->c = OPERAND_NONE;
		in->lone = 2;
		m->val[m->nval++] = y;
		return y;
	}
	return (Val){TAG_ACCESS + access_new(m, kind != VALUE_REAL, false, 1, 0), kind, false, true};
}

static Val any(Maker *m, ValueKind kind)
{
	return pick(m, kind, false, false, false);
}

static Val truth(Maker *m)
{
	return pick(m, VALUE_BOOL, true, false, false);
}

static Val maybe(Maker *m)
{
	return chance(m, 2) ? truth(m) : NOTHING;
}

/* ---- instructions ---- */

/* Appends an instruction; its result goes to a register, new or used before, or to memory. */
static Instr *emit(Maker *m, VmOp op, Val a, Val b, Val c, ValueKind kind, bool exact)
{
	bool one = a.one && b.one && c.one;
	Val y = {0, kind, one, exact};
	if (one) {
		y.at = TAG_ONE + m->none++;
	} else if (kind != VALUE_BOOL && m->c->nest.red == RED_NONE &&
		   m->naccess < CASE_BUFFERS - 4 && chance(m, 3)) {
		y.at = TAG_ACCESS + access_new(m, kind != VALUE_REAL, true, 1, 0);
	} else {
		y.at = TAG_LANES + m->nlanes++;
	}
	Instr *in = &m->code[m->ncode++];
	*in = (Instr){.op = (uint16_t)op, .uniform = one, .dst = y.at};
	in->a = a.at;
	in->b = b.at;
	in->c = c.at;
	in->lone = one ? 0 : (uint8_t)(a.one | b.one << 1 | c.one << 2);
	static const double SCALE[] = {1, -1, 2, 0.5, -0.25, 3};
	in->k = SCALE[case_below(m->c, 6)];
	in->k2 = SCALE[case_below(m->c, 6)];
	m->val[m->nval++] = y;
	return in;
}

static void make_real(Maker *m, VmOp op)
{
	bool one_way = op == VM_AXPS || op == VM_MACC || op == VM_MACS;
	Val a = pick(m, VALUE_REAL, false, false, one_way), b = NOTHING, c = NOTHING;
	bool two = op <= VM_MIN || op >= VM_AXPS;
	if (two) {
		bool lone = op == VM_AXPS || op == VM_MACS;
		b = pick(m, VALUE_REAL, false, lone, op == VM_MACC);
	}
	if (op == VM_MACC || op == VM_MACS) {
		c = pick(m, VALUE_REAL, false, false, true);
	}
	bool rounds = op == VM_DIV || op == VM_RECIP || op == VM_SQRT || op == VM_POWI;
	bool exact = a.exact && (b.exact || !two) && (c.exact || c.at == OPERAND_NONE) && !rounds;
	Instr *in = emit(m, op, a, b, c, VALUE_REAL, exact);
	in->i = op == VM_POWI ? 1 + case_below(m->c, 7) : 0;
	in->k2 = op == VM_AXPK && chance(m, 2) ? 0 : in->k2;
}

static void make_int(Maker *m, VmOp op)
{
	bool two = op != VM_IAXPK;
	Val a = pick(m, VALUE_INT, false, false, false), b = two ? any(m, VALUE_INT) : NOTHING;
	bool arithmetic = op == VM_IAXPK || op == VM_IAXPY || op == VM_IMUL;
	bool check = arithmetic && chance(m, 2);
	if (op == VM_IAXPK && !check && a.one) {
		a = pick(m, VALUE_INT, false, false, true);
	}
	Val c = check ? maybe(m) : NOTHING;
	bool exact = a.exact && (b.exact || !two) && op != VM_IMUL;
	Instr *in = emit(m, op, a, b, c, VALUE_INT, exact);
	if (arithmetic) {
		static const int64_t FACTOR[] = {1, -1, 3, -7, INT64_MAX / 3, INT64_MIN};
		in->i = FACTOR[case_below(m->c, exact && !check ? 4 : 6)];
		in->j = op == VM_IAXPK ? case_below(m->c, 5) - 2 : 0;
		in->check = check;
		m->val[m->nval - 1].exact = exact && in->i < 8 && in->i > -8;
	}
}

/* Offsets 0 .. 15 that are safe, or safe where *cond holds. */
static Val place(Maker *m, Val *cond)
{
	Val i = pick(m, VALUE_INT, false, false, false);
	*cond = NOTHING;
	Instr *in;
	if (chance(m, 2)) {
		*cond = maybe(m);
		in = emit(m, VM_INSIDE, i, *cond, NOTHING, VALUE_BOOL, true);
		*cond = m->val[m->nval - 1];
	} else {
		in = emit(m, VM_CHECK, i, chance(m, 2) ? truth(m) : NOTHING, NOTHING, VALUE_INT, true);
		i = m->val[m->nval - 1];
	}
	in->i = -6 + case_below(m->c, 3);
	in->j = 6 - case_below(m->c, 3);
	int64_t lo = in->i;
	in = emit(m, VM_OFFSET, i, NOTHING, NOTHING, VALUE_INT, false);
	in->j = lo;
	in->i = 1;
	return m->val[m->nval - 1];
}

static void make_gather(Maker *m, bool integer)
{
	Val cond, at = place(m, &cond);
	int64_t step = case_below(m->c, 3);
	uint32_t a = access_new(m, integer, false, step, 0);
	m->access[a].buffer->count += 16;
	Val from = {TAG_ACCESS + a, VALUE_REAL, step == 0, true};
	Instr *in = emit(m, VM_GATHER, from, at, cond, integer ? VALUE_INT : VALUE_REAL, true);
	in->i = step;
	if (!in->uniform) {
		in->lone |= 1;
	}
}

static void make_scatter(Maker *m, bool integer)
{
	Val cond, at = place(m, &cond), v = any(m, integer ? VALUE_INT : VALUE_REAL);
	uint32_t a = access_new(m, integer, true, 0, 0);
	m->access[a].buffer->count += 16;
	Instr *in = emit(m, integer ? VM_ISCATTER : VM_SCATTER, v, at, cond, VALUE_REAL, true);
	if (in->uniform) { /* every lane adds its own */
		in->uniform = false;
		in->lone = 7;
	}
	m->nval--;
	in->dst = TAG_ACCESS + a;
}

static void make_strided(Maker *m, VmOp op)
{
	static const int64_t STEP[] = {2, 3, 4, 5, -1, 7};
	bool integer = chance(m, 3);
	ValueKind kind = integer ? VALUE_INT : VALUE_REAL;
	int64_t step = STEP[case_below(m->c, m->c->tiled ? 4 : 6)];
	uint32_t a = access_new(m, integer, op == VM_STORES, step, 0);
	Val v = op == VM_STORES ? any(m, kind) : (Val){TAG_ACCESS + a, kind, false, true};
	Instr *in = emit(m, op, v, NOTHING, NOTHING, kind, true);
	in->i = step;
	if (op == VM_STORES) {
		in->uniform = false;
		in->lone = v.one;
		in->dst = TAG_ACCESS + a;
		m->nval--;
	}
}

static void make_random(Maker *m, VmOp op)
{
	uint32_t n = 1 + (uint32_t)case_below(m->c, 5);
	Val v[5], all = NOTHING;
	uint8_t lone = 0;
	for (uint32_t q = 0; q < n; q++) {
		v[q] = any(m, VALUE_INT);
		all.one &= v[q].one;
		lone |= (uint8_t)(v[q].one << q);
	}
	Instr *in = emit(m, op, NOTHING, NOTHING, all, VALUE_REAL, false);
	in->c = OPERAND_NONE;
	in->i = case_below(m->c, 1000);
	in->j = case_below(m->c, 2);
	in->lone = lone;
	in->nmore = n;
	in->more = arena_array(m->c->arena, uint32_t, n);
	for (uint32_t q = 0; q < n; q++) {
		in->more[q] = v[q].at;
	}
}

static void make_label(Maker *m, VmOp op)
{
	uint32_t last = m->c->nest.ndim - 1;
	if (op == VM_LABEL && last == 0) {
		return;
	}
	Val like = NOTHING;
	like.one = op != VM_IOTA;
	Instr *in = emit(m, op, NOTHING, NOTHING, like, VALUE_INT, true);
	in->c = OPERAND_NONE;
	in->i = op == VM_IOTA ? last : op == VM_SLOT ? 1 : case_below(m->c, last);
	in->j = op == VM_SLOT ? case_below(m->c, 4) : 0;
}

static void make_call(Maker *m, VmOp op)
{
	static const Op MAPS[] = {OP_tanh, OP_exp, OP_sin, OP_cos, OP_sigmoid},
			REALS[] = {OP_sign, OP_floor, OP_min, OP_max},
			INTS[] = {OP_shl, OP_shr, OP_imin};
	if (op == VM_MAP) {
		Op f = MAPS[case_below(m->c, 5)];
		Instr *in = emit(m, op, any(m, VALUE_REAL), NOTHING, NOTHING, VALUE_REAL, false);
		in->i = f;
		static void (*const MAP[])(size_t, double *, const double *) = {
			[OP_tanh] = vm_tanh, [OP_exp] = vm_exp, [OP_sin] = vm_sin,
			[OP_cos] = vm_cos,   [OP_sigmoid] = vm_sigmoid};
		in->map = MAP[f];
		return;
	}
	bool real = chance(m, 2);
	Op f = real ? REALS[case_below(m->c, 4)] : INTS[case_below(m->c, 3)];
	ValueKind kind = real ? VALUE_REAL : VALUE_INT;
	Val a = pick(m, kind, true, false, false);
	Val b = op_info(f)->n < 2 ? NOTHING : real ? pick(m, kind, true, false, false) : constant(m, kind);
	emit(m, op, a, b, NOTHING, kind, f != OP_shl)->i = f;
}

static void make_test(Maker *m, VmOp op)
{
	Val a, b = NOTHING;
	ValueKind kind = op == VM_IEQ && chance(m, 2) ? VALUE_BOOL : VALUE_INT;
	if (op >= VM_LT && op <= VM_NE) {
		a = pick(m, VALUE_REAL, true, false, false);
		b = pick(m, VALUE_REAL, true, false, false);
	} else if (op >= VM_ILT && op <= VM_INE) {
		a = any(m, kind);
		b = any(m, kind);
	} else {
		a = truth(m);
		b = op == VM_NOT ? NOTHING : truth(m);
	}
	emit(m, op, a, b, NOTHING, VALUE_BOOL, true);
}

static void make(Maker *m, VmOp op)
{
	Val a, b, c;
	ValueKind kind = (ValueKind)case_below(m->c, 3);
	switch (op) {
	case VM_MOV:
		emit(m, op, any(m, kind), NOTHING, NOTHING, kind, false);
		break;
	case VM_LOADS:
	case VM_STORES:
		make_strided(m, op);
		break;
	case VM_MAP:
	case VM_CALL:
		make_call(m, op);
		break;
	case VM_LT:
	case VM_LE:
	case VM_EQ:
	case VM_NE:
	case VM_ILT:
	case VM_ILE:
	case VM_IEQ:
	case VM_INE:
	case VM_AND:
	case VM_OR:
	case VM_NOT:
		make_test(m, op);
		break;
	case VM_REAL:
		a = pick(m, VALUE_INT, true, false, false);
		emit(m, op, a, NOTHING, NOTHING, VALUE_REAL, true);
		break;
	case VM_IOTA:
	case VM_LABEL:
	case VM_SLOT:
		make_label(m, op);
		break;
	case VM_SELECT:
	case VM_GUARD:
		a = any(m, kind);
		b = op == VM_SELECT ? any(m, kind) : NOTHING;
		c = truth(m);
		if (c.one && !chance(m, 3)) {
			c = pick(m, VALUE_BOOL, true, false, true);
		}
		emit(m, op, a, b, c, kind, a.exact && b.exact)->lone |= c.one ? 4 : 0;
		break;
	case VM_INSIDE:
	case VM_CHECK:
	case VM_OFFSET:
	case VM_WRAP: {
		a = pick(m, VALUE_INT, true, false, false);
		b = op == VM_WRAP ? NOTHING : op == VM_OFFSET ? any(m, VALUE_INT) : maybe(m);
		bool is = op == VM_INSIDE;
		Instr *in = emit(m, op, a, b, NOTHING, is ? VALUE_BOOL : VALUE_INT, op != VM_OFFSET);
		in->i = case_below(m->c, 6) - 5;
		in->j = op == VM_WRAP ? 1 + case_below(m->c, 9) : case_below(m->c, 8);
		break;
	}
	case VM_GATHER:
		make_gather(m, chance(m, 2));
		break;
	case VM_SCATTER:
	case VM_ISCATTER:
		make_scatter(m, op == VM_ISCATTER);
		break;
	case VM_UNIFORM:
	case VM_NORMAL:
		make_random(m, op);
		break;
	default:
		if (op <= VM_MACS) {
			make_real(m, op);
		} else {
			make_int(m, op);
		}
		break;
	}
}

/* ---- nests ---- */

static uint32_t final(const Maker *m, uint32_t at)
{
	uint32_t k = at & TAG_MASK, nreg = m->nlanes + m->none;
	if (at == OPERAND_NONE) {
		return at;
	}
	switch (at & ~(uint32_t)TAG_MASK) {
	case TAG_LANES:
		return k;
	case TAG_ONE:
		return m->nlanes + k;
	case TAG_ACCESS:
		return nreg + k;
	default:
		return nreg + m->naccess + k;
	}
}

static void finish(Maker *m)
{
	Nest *n = &m->c->nest;
	Arena *a = m->c->arena;
	for (uint32_t k = 0; k < m->ncode; k++) {
		Instr *in = &m->code[k];
		in->dst = final(m, in->dst);
		in->a = final(m, in->a);
		in->b = final(m, in->b);
		in->c = final(m, in->c);
		for (uint32_t q = 0; q < in->nmore; q++) {
			in->more[q] = final(m, in->more[q]);
		}
	}
	n->nreg = m->nlanes;
	n->nuniform = m->none;
	n->naccess = m->naccess;
	n->nconst = m->nconst;
	n->ncode = m->ncode;
	n->access = arena_copy(a, m->access, m->naccess * sizeof(Access), alignof(Access));
	n->constant = arena_copy(a, m->constant, m->nconst * sizeof(double), alignof(double));
	n->constant_int = arena_copy(a, m->constant_int, m->nconst, 1);
	n->code = arena_copy(a, m->code, m->ncode * sizeof(Instr), alignof(Instr));
	n->strip = 8 * (1 + (uint32_t)case_below(m->c, 20));
}

static void begin(Maker *m, Case *c, uint32_t nbound, bool lane_bound)
{
	static const int64_t SIZE[] = {1, 2, 3, 5, 8, 16, 17, 19, 32, 33, 48};
	*m = (Maker){.c = c};
	c->arena = arena_create();
	Nest *n = &c->nest;
	uint32_t around = (uint32_t)case_below(c, 3);
	n->nformal = around;
	n->nbound = nbound;
	n->ndim = around + nbound + 1;
	n->lane_bound = lane_bound;
	n->dim = c->dim;
	for (uint32_t d = 0; d < n->ndim; d++) {
		bool lane = d + 1 == n->ndim;
		c->dim[d] = (Dim){.lo = case_below(c, 5) - 2, .size = lane ? SIZE[case_below(c, 11)]
										: 1 + case_below(c, 3)};
		c->dim[d].bound = d >= around && (!lane || lane_bound);
	}
	c->slot[1] = case_below(c, 6);
	c->tiled = chance(m, 3);
	if (c->tiled) {
		Dim *lane = &c->dim[n->ndim - 1];
		lane->size = c->width = 16 * (1 + case_below(c, 3));
		lane->tiled = true;
		lane->slot = 1;
		c->lanes = chance(m, 3) ? c->width : 1 + case_below(c, c->width);
		c->partial = c->lanes < c->width || chance(m, 2);
	}
	n->acc = n->acc2 = n->value = n->filter = n->out = OPERAND_NONE;
}

static VmOp some_op(Maker *m)
{
	return (VmOp)case_below(m->c, VM_OPS);
}

void case_pointwise(Case *c, unsigned op)
{
	Maker m;
	begin(&m, c, 0, false);
	uint32_t n = 1 + (uint32_t)case_below(c, 6);
	for (uint32_t k = 0; k < n; k++) {
		make(&m, some_op(&m));
	}
	make(&m, op == VM_OPS ? some_op(&m) : (VmOp)op);
	for (uint32_t k = 0; k < 3; k++) { /* what has not been stored */
		ValueKind kind = (ValueKind)k;
		Val v = any(&m, kind);
		uint32_t a = access_new(&m, kind != VALUE_REAL, true, 1, 0);
		emit(&m, VM_MOV, v, NOTHING, NOTHING, kind, false);
		Instr *in = &m.code[m.ncode - 1];
		*in = (Instr){.op = VM_MOV, .dst = TAG_ACCESS + a, .a = v.at, .lone = v.one};
		in->b = in->c = OPERAND_NONE;
	}
	finish(&m);
}

void case_reduction(Case *c, RedKind red, bool integer, bool lane_bound)
{
	Maker m;
	bool arg = red == RED_ARGMAX || red == RED_ARGMIN; /* of one index */
	uint32_t nbound = arg ? 0 : (uint32_t)case_below(c, 3);
	begin(&m, c, nbound + !lane_bound, lane_bound);
	Nest *n = &c->nest;
	n->red = red;
	n->integer = integer;
	n->acc = m.nlanes++;
	n->acc2 = m.nlanes++; /* reductions write nothing else */
	n->accumulate = !arg && red != RED_LOGSUMEXP && chance(&m, 3);
	uint32_t count = (uint32_t)case_below(c, 3);
	for (uint32_t k = 0; k < count; k++) {
		VmOp op = some_op(&m);
		bool writes = op == VM_SCATTER || op == VM_ISCATTER || op == VM_STORES;
		make(&m, writes ? VM_MUL : op);
	}
	bool all = red == RED_ALL || red == RED_ANY;
	Val v = pick(&m, integer ? all ? VALUE_BOOL : VALUE_INT : VALUE_REAL, true, false, false);
	if (red == RED_SUM && !integer) {
		Val b = pick(&m, VALUE_REAL, true, false, !v.one);
		uint32_t acc = TAG_LANES + n->acc;
		Instr *in = emit(&m, VM_ADD, (Val){acc, VALUE_REAL, false, true}, v, NOTHING,
				 VALUE_REAL, true);
		in->dst = acc;
		if (!v.one && !b.one) {
			in = emit(&m, VM_MACC, v, b, (Val){acc, VALUE_REAL, false, true}, VALUE_REAL,
				  true);
			in->dst = acc;
		}
	} else {
		n->value = v.at;
		n->value_lone = v.one;
		Val f = red == RED_SUM ? maybe(&m) : NOTHING;
		n->filter = f.at;
		n->filter_lone = f.one;
	}
	uint32_t skip = 0;
	for (uint32_t d = n->nformal; d + 1 < n->ndim; d++) {
		skip |= 1u << d;
	}
	n->out = access_new(&m, integer || arg, true, !lane_bound, skip);
	n->acc2 = arg || red == RED_LOGSUMEXP ? n->acc2 : OPERAND_NONE;
	n->value = final(&m, n->value);
	n->filter = final(&m, n->filter);
	finish(&m);
}
