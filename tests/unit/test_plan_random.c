/* test_plan_random.c — random systems of definitions: every value as the slow evaluator has it, the
 * same bits in every run. */
#include "tests/unit/plan_aid.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Aid t;

#define C (t.c)

enum { AXES = 7, DEFS = 14, SCOPE = 4 };

typedef struct Made {
	Axis axis[AXES];
	Def real[64],
		whole[16]; /* definitions and leaves; whole: of ints within the labels of axis[1] */
	Def raw[64]; /* values that were not squashed: outputs only, so that nothing grows without
			bound */
	uint32_t nreal, nwhole, nraw;
} Made;

typedef struct Scope {
	Index index[8];
	uint32_t n;
} Scope;

static uint32_t pick(uint32_t n)
{
	t.seed += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = (t.seed ^ (t.seed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return n ? (uint32_t)((x ^ (x >> 31)) % n) : 0;
}

static const AxisInfo *axis_of(Index i)
{
	return core_axis_info(C, core_index_axis(C, i));
}

static Node number(double lo, double hi)
{
	return core_real_const(C, floor(aid_random(&t, lo, hi) * 8) / 8);
}

/* An index in scope over this axis, or 0. */
static Index in_scope(const Scope *s, Axis a)
{
	uint32_t from = s->n ? pick(s->n) : 0;
	for (uint32_t k = 0; k < s->n; k++) {
		Index i = s->index[(from + k) % s->n];
		if (core_index_axis(C, i) == a) {
			return i;
		}
	}
	return 0;
}

/* An argument for a formal over axis a: an index, a shift around a periodic axis, a gather, or a
 * label. */
static Node argument(const Made *m, const Scope *s, Axis a)
{
	const AxisInfo *info = core_axis_info(C, a);
	Index i = in_scope(s, a);
	if (i && (info->flags & AXIS_PERIODIC) && pick(3) == 0) {
		return core_add(C, IX(&t, i), core_int_const(C, (int64_t)pick(5) - 2));
	}
	if (i && pick(8) != 0) {
		return IX(&t, i);
	}
	if (a == m->axis[1] && m->nwhole && pick(2) == 0) {
		Def g = m->whole[pick(m->nwhole)];
		const DefInfo *d = core_def(C, g);
		Node args[4];
		uint32_t n = d->nindex;
		for (uint32_t k = 0; k < n; k++) {
			Index own = in_scope(s, core_index_axis(C, core_def(C, g)->index[k]));
			const AxisInfo *other = axis_of(core_def(C, g)->index[k]);
			args[k] = own ? IX(&t, own)
				      : core_int_const(
						C, other->first +
							   (int64_t)pick((uint32_t)other->size));
		}
		return core_read(C, g, args);
	}
	return core_int_const(C, info->first + (int64_t)pick((uint32_t)info->size));
}

static Node read_of(const Made *m, const Scope *s)
{
	for (unsigned tries = 0; tries < 20; tries++) {
		Def d = m->real[pick(m->nreal)];
		uint32_t n = core_def(C, d)->nindex;
		bool empty = false;
		for (uint32_t k = 0; k < n; k++) {
			Index f = core_def(C, d)->index[k];
			empty |= axis_of(f)->size == 0 && !in_scope(s, core_index_axis(C, f));
		}
		if (empty) {
			continue;
		}
		Node args[4];
		for (uint32_t k = 0; k < n; k++) {
			Axis a = core_index_axis(C, core_def(C, d)->index[k]);
			Index own = in_scope(s, a);
			args[k] = core_axis_info(C, a)->size ? argument(m, s, a) : IX(&t, own);
		}
		return core_read(C, d, args);
	}
	return number(-1, 1);
}

static Node condition(const Made *m, const Scope *s)
{
	if (s->n && pick(2)) {
		Index i = s->index[pick(s->n)];
		const AxisInfo *a = axis_of(i);
		Node v = core_int_const(C, a->first + (int64_t)pick((uint32_t)a->size + 1));
		static const Op OPS_INT[4] = {OP_ilt, OP_ile, OP_ieq, OP_ine};
		return core_op2(C, OPS_INT[pick(4)], IX(&t, i), v);
	}
	return core_op2(C, pick(2) ? OP_lt : OP_le, read_of(m, s), number(-1, 1));
}

static Node expression(const Made *m, const Scope *s, unsigned depth)
{
	if (depth == 0) {
		return pick(6) ? read_of(m, s) : number(-2, 2);
	}
	Node a = expression(m, s, depth - 1), b = expression(m, s, pick(depth));
	switch (pick(13)) {
	case 0:
		return core_add(C, a, b);
	case 1:
		return core_sub(C, core_scale(C, 1.5, a), b);
	case 2:
		return core_mul(C, a, b);
	case 3:
		return core_add(C, core_mul(C, a, b), core_mul(C, read_of(m, s), a));
	case 4:
		return core_op1(C, OP_tanh, a);
	case 5:
		return core_op1(C, OP_sin, core_add(C, a, b));
	case 6:
		return core_div(C, a, core_add(C, core_real_const(C, 2), core_powi(C, b, 2)));
	case 7:
		return core_op2(C, pick(2) ? OP_max : OP_min, a, b);
	case 8:
		return core_select(C, condition(m, s), a, b);
	case 9:
		return core_guard(C, condition(m, s), a);
	case 10:
		return core_powi(C, core_op1(C, OP_tanh, a), 2 + (int32_t)pick(4));
	case 11:
		return s->n ? core_add(C, core_real(C, IX(&t, s->index[pick(s->n)])), a) : a;
	default:
		return core_op1(C, OP_sigmoid, core_scale(C, -0.5, a));
	}
}

static Scope formals(const Made *m, uint32_t most)
{
	Scope s = {.n = pick(most + 1)};
	for (uint32_t k = 0; k < s.n; k++) {
		s.index[k] = aid_index(&t, m->axis[pick(AXES)], "i");
	}
	return s;
}

/* A product of two reads summed over a shared index: what the matrix kernels take. */
static Node contraction(const Made *m, Scope *s, Index k)
{
	Scope left = {.n = 1, .index = {k}}, right = left;
	for (uint32_t q = 0; q < s->n; q++) {
		Scope *side = pick(2) ? &left : &right;
		side->index[side->n++] = s->index[q];
	}
	return core_mul(C, read_of(m, &left), read_of(m, &right));
}

static void make_def(Made *m)
{
	Scope s = formals(m, 3);
	Node value;
	if (pick(2)) {
		value = expression(m, &s, 1 + pick(3));
	} else {
		Scope inner = s;
		uint32_t nbound = 1 + pick(2);
		Index bound[3] = {0};
		for (uint32_t k = 0; k < nbound; k++) {
			bound[k] = aid_index(&t, m->axis[pick(AXES)], "k");
			inner.index[inner.n++] = bound[k];
		}
		static const RedKind REDS[6] = {RED_SUM, RED_SUM, RED_SUM,
						RED_MAX, RED_MIN, RED_LOGSUMEXP};
		RedKind red = REDS[pick(6)];
		Node body = red == RED_SUM && nbound == 1 && pick(2)
				    ? contraction(m, &s, bound[0])
				    : expression(m, &inner, 1 + pick(2));
		if (red != RED_SUM) { /* no filter, whose treatment belongs to other tests */
			body = core_add(C,
					core_select(C, condition(m, &inner), body, number(-1, 1)),
					number(2, 3));
		}
		value = aid_sum(&t, red, body, bound);
		if (red != RED_SUM) { /* nothing infinite goes on from empty axes */
			value = core_op1(C, OP_tanh, value);
		} else if (pick(2)) {
			value = core_add(C, core_scale(C, 0.1, value), expression(m, &s, 1));
		}
	}
	Index ix[9] = {0};
	memcpy(ix, s.index, s.n * sizeof *ix);
	m->real[m->nreal++] = aid_def(&t, "d", core_op1(C, OP_tanh, core_scale(C, 0.3, value)), ix);
	if (pick(3) == 0) { /* the value itself, not squashed */
		Index again[9] = {0};
		memcpy(again, s.index, s.n * sizeof *again);
		m->raw[m->nraw++] = aid_def(&t, "raw", value, again);
	}
}

static void random_system(uint64_t seed)
{
	aid_begin(&t);
	t.seed = seed * 7919 + 11;
	Made m = {.axis = {aid_axis(&t, "s", 0, 17 + (int64_t)pick(60), AXIS_SAMPLES),
			   aid_axis(&t, "h", 1, 5, 0),
			   aid_axis(&t, "k", -2, 3 + (int64_t)pick(7), 0),
			   aid_axis(&t, "p", 0, 6, AXIS_PERIODIC), aid_axis(&t, "one", 4, 1, 0),
			   aid_axis(&t, "q", 3, 16 + (int64_t)pick(9), AXIS_SAMPLES),
			   aid_axis(&t, "none", 0, pick(4) ? 2 : 0, 0)}};
	for (unsigned k = 0; k < 6; k++) {
		Axis axes[4] = {0};
		uint32_t n = pick(4);
		for (uint32_t q = 0; q < n; q++) {
			axes[q] = m.axis[pick(AXES)];
		}
		static const DefRole ROLES[3] = {DEF_PARAM, DEF_DATA, DEF_DATA};
		m.real[m.nreal++] = aid_leaf(&t, ROLES[pick(3)], "x", -1, 1, axes);
	}
	m.whole[m.nwhole++] =
		plan_aid_ints(&t, DEF_DATA, "id", KIND_INT, 1, 5, (const Axis[]){m.axis[0], 0});
	m.whole[m.nwhole++] =
		plan_aid_ints(&t, DEF_DATA, "map", KIND_INT, 1, 5, (const Axis[]){m.axis[2], 0});
	uint32_t leaves = m.nreal;
	for (unsigned k = 0; k < DEFS; k++) {
		make_def(&m);
	}
	Def outputs[6];
	uint32_t n = 0;
	while (n < 5) {
		outputs[n++] = m.real[leaves + pick(m.nreal - leaves)];
	}
	outputs[n++] = m.nraw ? m.raw[pick(m.nraw)] : m.real[m.nreal - 1];
	plan_aid_compare(&t, n, outputs, 1e-10);
	aid_end(&t);
}

Test(plan_random, systems)
{
	const char *from = getenv("PLAN_SEED");
	for (uint64_t seed = from ? strtoull(from, NULL, 10) : 1; seed <= 300; seed++) {
		if (from || getenv("PLAN_SHOW")) {
			fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
		}
		random_system(seed);
	}
}
