/* test_exec.c — what plans do around their computation, interpreted and compiled: leaves that are
 * assigned, going back, single precision, faults of several blocks, accumulators that overflow. */
#include "compiler/exec.h"
#include "tests/unit/plan_aid.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Aid t;

static void begin(void)
{
	aid_begin(&t);
}

static void end(void)
{
	aid_end(&t);
}

TestSuite(exec, .init = begin, .fini = end);

#define C (t.c)
#define COMPILED .compiled = true, .runs = INFINITY

static Node num(double v)
{
	return core_real_const(C, v);
}

static void run(Plan *p)
{
	bool good = plan_run(p, t.diags, (RunContext){1, 0});
	if (!good) {
		diags_render(t.diags, stderr, false, false);
	}
	cr_assert(good);
}

static const PlanOptions WAYS[] = {
	{.threads = 1}, {COMPILED}, {COMPILED, .threads = 3}, {COMPILED, .real_bytes = 4}};
enum { NWAYS = sizeof WAYS / sizeof *WAYS };

/* w ← w/2 + 1 and v ← w: both read what was there before. */
Test(exec, leaves_take_turns_and_go_back)
{
	Axis h = aid_axis(&t, "h", 0, 11, 0);
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, h), v = AID_LEAF(&t, DEF_PARAM, "v", -1, 1, h);
	Index i = aid_index(&t, h, "i"), j = aid_index(&t, h, "j");
	Node half = core_scale(C, 0.5, AT(&t, w, IX(&t, i)));
	PlanOutput out[2] = {{AID_DEF(&t, "next", core_add(C, half, num(1)), i), w},
			     {AID_DEF(&t, "old", core_add(C, AT(&t, w, IX(&t, j)), num(0)), j), v}};
	for (unsigned way = 0; way < NWAYS; way++) {
		Store *s = plan_aid_store(&t);
		Plan *p = plan_build(C, s, t.diags, 2, out, WAYS[way]);
		cr_assert(p);
		for (unsigned k = 0; k < 11; k++) {
			store_real(s, w)[k] = k;
		}
		double now = 7, before = 0, older = 0;
		for (unsigned step = 0; step < 5; step++) {
			run(p);
			older = before;
			before = now;
			now = now / 2 + 1;
			cr_assert_eq(store_real(s, w)[7], now, "way %u, step %u", way, step);
			cr_assert_eq(store_real(s, v)[7], before);
			cr_assert_eq(plan_real(p, 0)[7], now);
		}
		plan_undo(p, 2);
		cr_assert_eq(store_real(s, w)[7], older);
		run(p);
		cr_assert_eq(store_real(s, w)[7], before, "from where it went back to");
		plan_undo(p, 1);
		cr_assert_eq(store_real(s, w)[7], older);
		/* what is written between two runs counts */
		store_real(s, w)[7] = 100;
		run(p);
		cr_assert_eq(store_real(s, w)[7], 51);
		plan_free(p);
		store_free(s);
	}
}

/* The doubles follow the floats and the other way round. */
Test(exec, values_in_both_precisions)
{
	Axis h = aid_axis(&t, "h", 0, 5, 0);
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, h);
	Store *s = plan_aid_store(&t);
	store_real(s, w)[2] = 0.1;
	cr_assert_eq(store_f32(s, w)[2], 0.1f);
	cr_assert_eq(store_read(s, w)[2], 0.1, "reading loses no digits");
	store_real(s, w)[2] = 0.3;
	cr_assert_eq(store_f32(s, w)[2], 0.3f);
	float *other = store_array(5, 4);
	other[2] = 0.7f;
	void *array = other;
	cr_assert(store_swap(s, w, 4, &array));
	cr_assert_eq(((float *)array)[2], 0.3f);
	cr_assert_eq(store_read(s, w)[2], (double)0.7f);
	free(array);
	double *wide = store_array(5, 8);
	wide[2] = 1.0 / 3;
	array = wide;
	cr_assert(store_swap(s, w, 8, &array));
	cr_assert_eq(((double *)array)[2], (double)0.7f);
	cr_assert_eq(store_f32(s, w)[2], (float)(1.0 / 3));
	free(array);
	store_free(s);
}

/* More than the limit is refused, also where it was there before with another size. */
Test(exec, leaves_have_a_limit)
{
	Axis h = aid_axis(&t, "h", 0, 100, 0);
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, h), v = AID_LEAF(&t, DEF_PARAM, "v", -1, 1, h, h);
	Store *s = store_create(C);
	store_limit(s, 1000);
	cr_assert(store_alloc(s, w));
	cr_assert(store_alloc(s, w), "the same again takes no more");
	cr_assert(!store_alloc(s, v));
	cr_assert(!store_has(s, v));
	store_limit(s, 80800);
	cr_assert(store_alloc(s, v));
	store_free(s);
}

/* Σ_s tanh(w x[s])² in single precision: close to double, the same bits for any number of threads,
 * and results as doubles. */
Test(exec, single_precision)
{
	Axis s = aid_axis(&t, "s", 0, 3000, AXIS_SAMPLES);
	Def w = AID_LEAF(&t, DEF_PARAM, "w", 0.5, 1, 0), x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s);
	Index r = aid_index(&t, s, "s");
	Node y = core_op1(C, OP_tanh, core_mul(C, core_read(C, w, NULL), AT(&t, x, IX(&t, r))));
	PlanOutput out = {AID_DEF(&t, "sum", SUM(&t, core_mul(C, y, y), r)), 0};
	Store *st = plan_aid_store(&t);
	double value[4];
	for (unsigned k = 0; k < 4; k++) {
		PlanOptions o = {COMPILED, .real_bytes = k ? 4 : 8, .threads = k};
		Plan *p = plan_build(C, st, t.diags, 1, &out, o);
		cr_assert(p);
		run(p);
		value[k] = plan_real(p, 0)[0];
		plan_free(p);
	}
	cr_assert_neq(value[0], value[1]);
	cr_assert_float_eq(value[1], value[0], 1e-5 * fabs(value[0]));
	cr_assert_eq(value[1], value[2]);
	cr_assert_eq(value[1], value[3]);
	store_free(st);
}

/* Records with a bad index in several blocks: the first one is reported, whoever came to it. */
Test(exec, the_first_fault_counts)
{
	enum { RECORDS = 20000 };
	Axis s = aid_axis(&t, "s", 0, RECORDS, AXIS_SAMPLES), kind = aid_axis(&t, "kind", 0, 4, 0);
	Def id = plan_aid_ints(&t, DEF_DATA, "id", KIND_INT, 0, 3, (const Axis[]){s, 0});
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, kind);
	Index r = aid_index(&t, s, "s");
	PlanOutput out = {AID_DEF(&t, "sum", SUM(&t, AT(&t, w, AT(&t, id, IX(&t, r))), r)), 0};
	for (unsigned threads = 1; threads <= 7; threads += 3) {
		for (unsigned compiled = 0; compiled < 2; compiled++) {
			Store *st = plan_aid_store(&t);
			for (int64_t k = 9001; k < RECORDS; k += 17) {
				store_int(st, id)[k] = k;
			}
			PlanOptions o = {.compiled = compiled, .runs = INFINITY, .threads = threads};
			Plan *p = plan_build(C, st, t.diags, 1, &out, o);
			cr_assert(p);
			cr_assert(!plan_run(p, t.diags, (RunContext){1, 0}));
			char *text;
			size_t size;
			FILE *f = open_memstream(&text, &size);
			diags_render(t.diags, f, false, false);
			fclose(f);
			cr_assert(strstr(text, "is 9001, which"), "%s", text);
			free(text);
			diags_clear(t.diags);
			/* all well again */
			memset(store_int(st, id), 0, RECORDS * sizeof(int64_t));
			store_touch(st, id);
			run(p);
			plan_free(p);
			store_free(st);
		}
	}
}

/* Each block's sum fits, the sum of all does not. */
Test(exec, accumulators_that_overflow)
{
	enum { RECORDS = 20000 };
	Axis s = aid_axis(&t, "s", 0, RECORDS, AXIS_SAMPLES);
	Def x = plan_aid_ints(&t, DEF_DATA, "x", KIND_INT, 0, 1, (const Axis[]){s, 0});
	Index r = aid_index(&t, s, "s");
	PlanOutput out = {AID_DEF(&t, "total", SUM(&t, AT(&t, x, IX(&t, r)), r)), 0};
	for (unsigned way = 0; way < NWAYS; way++) {
		Store *st = plan_aid_store(&t);
		memset(store_int(st, x), 0, RECORDS * sizeof(int64_t));
		store_int(st, x)[3] = store_int(st, x)[RECORDS - 3] = INT64_MAX / 2 + 1;
		Plan *p = plan_build(C, st, t.diags, 1, &out, WAYS[way]);
		cr_assert(p);
		cr_assert(!plan_run(p, t.diags, (RunContext){1, 0}), "way %u", way);
		cr_assert_eq(diags_errors(t.diags), 1);
		diags_clear(t.diags);
		store_int(st, x)[3] = INT64_MAX / 2;
		store_touch(st, x);
		run(p);
		cr_assert_eq(plan_int(p, 0)[0], INT64_MAX);
		plan_free(p);
		store_free(st);
	}
}

/* One machine's threads and target serve several plans. */
Test(exec, plans_share_a_machine)
{
	Axis s = aid_axis(&t, "s", 0, 3000, AXIS_SAMPLES);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s);
	Machine *m = machine_create(3);
	cr_assert(m && machine_threads(m) == 3);
	Store *st = plan_aid_store(&t);
	Plan *plan[3];
	for (unsigned k = 0; k < 3; k++) {
		Index r = aid_index(&t, s, "s");
		Node v = core_scale(C, k + 1, AT(&t, x, IX(&t, r)));
		PlanOutput out = {AID_DEF(&t, "sum", SUM(&t, v, r)), 0};
		plan[k] = plan_build(C, st, t.diags, 1, &out,
				     (PlanOptions){.compiled = k > 0, .runs = INFINITY, .machine = m});
		cr_assert(plan[k]);
	}
	for (unsigned times = 0; times < 50; times++) {
		for (unsigned k = 0; k < 3; k++) {
			run(plan[k]);
		}
	}
	double one = plan_real(plan[0], 0)[0];
	for (unsigned k = 1; k < 3; k++) {
		cr_assert_float_eq(plan_real(plan[k], 0)[0], (k + 1) * one, 1e-10);
	}
	for (unsigned k = 0; k < 3; k++) {
		plan_free(plan[k]);
	}
	machine_free(m);
	store_free(st);
}

typedef struct Jobs {
	int done[200];
	unsigned bad;
} Jobs;

static bool job(void *data, uint32_t worker, uint32_t k)
{
	Jobs *j = data;
	cr_assert(worker < 4);
	__atomic_add_fetch(&j->done[k], 1, __ATOMIC_SEQ_CST);
	return k < j->bad;
}

Test(exec, jobs_of_a_pool)
{
	Pool *p = pool_create(4);
	cr_assert(p);
	for (unsigned round = 0; round < 300; round++) {
		Jobs j = {.bad = round % 3 ? UINT32_MAX : round % 200};
		unsigned n = round % 200;
		pool_run(p, n, job, &j);
		for (unsigned k = 0; k < n; k++) {
			cr_assert(j.done[k] == 1 || (j.done[k] == 0 && k > j.bad), "job %u", k);
		}
	}
	pool_free(p);
}
