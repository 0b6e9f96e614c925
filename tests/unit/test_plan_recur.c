/* test_plan_recur.c — random recurrences: several definitions that read each other, one or two
 * axes, either direction, base elements beside the axis or on it; their values and gradients. */
#include "tests/unit/plan_aid.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Aid t;

#define C (t.c)

static uint32_t pick(uint32_t n)
{
	t.seed += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = (t.seed ^ (t.seed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return n ? (uint32_t)((x ^ (x >> 31)) % n) : 0;
}

enum { MOST = 3 };

typedef struct Cycle {
	Axis time, place, samples; /* samples 0: none */
	int way;                   /* -1: reads smaller labels, +1: larger ones */
	uint32_t order;            /* how many labels back */
	bool beside;               /* base elements beside the axis, else its first ones */
	uint32_t n;
	Def def[MOST], start, weight, mix, input;
	Index formal[MOST][3];
	uint32_t nformal;
} Cycle;

static Node shifted(Index i, int64_t by)
{
	return core_add(C, IX(&t, i), core_int_const(C, by));
}

static Node at(const Cycle *c, uint32_t d, const Index *f, int64_t by, Node place)
{
	uint32_t k = c->samples ? 1 : 0;
	Node args[3];
	if (c->samples) {
		args[0] = IX(&t, f[0]);
	}
	args[k] = shifted(f[k], by);
	args[k + 1] = place;
	return core_read(C, c->def[d], args);
}

/* A bounded expression over what may be read: earlier members at this label, all at earlier labels.
 */
static Node step(const Cycle *c, uint32_t d)
{
	const Index *f = c->formal[d];
	uint32_t k = c->samples ? 1 : 0;
	Node sum = core_scale(C, 0.3, AT(&t, c->input, IX(&t, f[k]), IX(&t, f[k + 1])));
	uint32_t terms = 1 + pick(3);
	for (uint32_t q = 0; q < terms; q++) {
		bool now = d > 0 && pick(3) == 0;
		uint32_t from = now ? pick(d) : pick(c->n);
		int64_t by = now ? 0 : c->way * (int64_t)(1 + pick(c->order));
		Node place = IX(&t, f[k + 1]);
		Node term;
		switch (pick(4)) {
		case 0: { /* a matrix on the last axis */
			Index j = aid_index(&t, c->place, "j");
			term = SUM(&t,
				   core_mul(C, AT(&t, c->weight, IX(&t, f[k + 1]), IX(&t, j)),
					    at(c, from, f, by, IX(&t, j))),
				   j);
			break;
		}
		case 1: /* a neighbour, where there is one */
			term = core_guard(C, core_op2(C, OP_ilt, core_int_const(C, 0), place),
					  at(c, from, f, by, shifted(f[k + 1], -1)));
			break;
		case 2: /* only at some labels */
			term = core_select(C,
					   core_op2(C, pick(2) ? OP_ilt : OP_ieq, IX(&t, f[k]),
						    core_int_const(C, 3)),
					   at(c, from, f, by, place), core_real_const(C, 0.25));
			break;
		default:
			term = core_mul(C, core_read(C, c->mix, NULL), at(c, from, f, by, place));
		}
		sum = core_add(C, sum, core_scale(C, 0.7, term));
	}
	return pick(2) ? core_op1(C, OP_tanh, sum) : core_op1(C, OP_sin, sum);
}

static Range label(EdgeKind kind, int64_t lo, int64_t hi)
{
	return (Range){{kind, lo}, {kind, hi}};
}

static void define(Cycle *c, uint32_t d)
{
	static const char *const NAME[MOST] = {"a", "b", "c"};
	uint32_t k = 0;
	if (c->samples) {
		c->formal[d][k++] = aid_index(&t, c->samples, "s");
	}
	c->formal[d][k++] = aid_index(&t, c->time, "t");
	c->formal[d][k++] = aid_index(&t, c->place, "i");
	c->nformal = k;
	c->def[d] = core_define(C, (DefInfo){.role = DEF_VALUE,
					     .name = intern_str(t.names, NAME[d]),
					     .nindex = k,
					     .index = c->formal[d],
					     .flags = DEF_USER});
}

static void close_cycle(Cycle *c)
{
	for (uint32_t d = 0; d < c->n; d++) {
		Range all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}}, box[3] = {all, all, all};
		int64_t m = c->order;
		Range base = c->way < 0 ? (c->beside ? label(EDGE_FIRST, -m, -1)
						     : label(EDGE_FIRST, 0, m - 1))
					: (c->beside ? label(EDGE_LAST, 1, m)
						     : label(EDGE_LAST, 1 - m, 0));
		uint32_t k = c->samples ? 1 : 0;
		box[k] = base;
		Node first = c->samples ? AT(&t, c->start, IX(&t, c->formal[d][0]),
					     IX(&t, c->formal[d][2]))
					: AT(&t, c->start, IX(&t, c->formal[d][1]));
		Piece piece[2] = {{box, core_scale(C, 1.0 / (1 + d), first)}, {NULL, step(c, d)}};
		core_set_pieces(C, c->def[d], 2, piece);
	}
}

static void random_recurrence(uint64_t seed)
{
	aid_begin(&t);
	t.seed = seed * 104729;
	Cycle c = {.way = pick(2) ? 1 : -1,
		   .order = 1 + pick(2),
		   .beside = pick(2) != 0,
		   .n = 1 + pick(MOST)};
	c.time = aid_axis(&t, "t", (int64_t)pick(3), 5 + (int64_t)pick(4), 0);
	c.place = aid_axis(&t, "i", 0, 2 + (int64_t)pick(5), 0);
	c.samples = pick(2) ? aid_axis(&t, "s", 0, pick(2) ? 30 : 4, AXIS_SAMPLES) : 0;
	Axis from[3] = {c.samples ? c.samples : c.place, c.samples ? c.place : 0, 0};
	c.start = aid_leaf(&t, DEF_PARAM, "start", -1, 1, from);
	c.weight = AID_LEAF(&t, DEF_PARAM, "w", -0.6, 0.6, c.place, c.place);
	c.mix = AID_LEAF(&t, DEF_PARAM, "mix", -1, 1, 0);
	c.input = AID_LEAF(&t, DEF_DATA, "x", -1, 1, c.time, c.place);
	for (uint32_t d = 0; d < c.n; d++) {
		define(&c, d);
	}
	close_cycle(&c);
	Index f[3];
	for (uint32_t k = 0; k < c.nformal; k++) {
		f[k] = aid_index(&t, core_index_axis(C, c.formal[0][k]), "q");
	}
	uint32_t last = pick(c.n);
	Node v = core_read_plain(C, c.def[last], f);
	Index bound[4] = {0};
	memcpy(bound, f, c.nformal * sizeof *f);
	Node loss = aid_sum(&t, RED_SUM, core_mul(C, v, v), bound);
	Def wrt[3] = {c.start, c.weight, c.mix}, grad[3], outputs[8];
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 3, wrt, grad));
	uint32_t n = 0;
	for (uint32_t k = 0; k < 3; k++) {
		if (grad[k]) {
			outputs[n++] = grad[k];
		}
	}
	for (uint32_t d = 0; d < c.n; d++) {
		outputs[n++] = c.def[d];
	}
	plan_aid_compare(&t, n, outputs, 1e-10);
	aid_end(&t);
}

Test(plan_recur, systems)
{
	const char *from = getenv("PLAN_SEED");
	uint64_t last = from ? strtoull(from, NULL, 10) : 200;
	for (uint64_t seed = from ? last : 1; seed <= last; seed++) {
		if (getenv("PLAN_SHOW")) {
			fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
		}
		random_recurrence(seed);
	}
}
