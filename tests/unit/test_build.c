/* test_build.c — a library's code against the same plans compiled for a run: equal bits, for every
 * kind of argument and result, one call and many; and what a row of a batch depends on. */
#include "compiler/build_int.h"
#include "compiler/jit.h"
#include "runtime/file.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Made {
	Engine *e;
	Run *r;
	Library l;
	BuildOptions options;
	Plan *run[64][EXPORT_FORMS]; /* the same plans, compiled for a run */
	JitCode *code;
} Made;

/* The program runs without its export statement, which is then taken apart. */
static const Stmt *run_to_export(Made *m, const char *path)
{
	static const Stmt nothing;
	EngineOptions o = {.output = stderr,
			   .error = stderr,
			   .threads = 1,
			   .quiet = true,
			   .no_cache = true,
			   .out_dir = "/tmp",
			   .save_seconds = 1e9};
	m->e = engine_create(&o);
	cr_assert_not_null(m->e);
	cr_assert(engine_load(m->e, path) && engine_elaborate(m->e));
	m->r = engine_run_state(m->e);
	m->r->only = &nothing;
	cr_assert_eq(run_program(m->r), 0);
	run_finish(m->r);
	for (uint32_t k = 0; k < m->e->program->nstmt; k++) {
		if (m->e->program->stmt[k]->kind == STMT_EXPORT) {
			return m->e->program->stmt[k];
		}
	}
	cr_assert_fail("nothing is exported");
	return NULL;
}

static Plan *run_plan(Made *m, const LibFn *f, int form)
{
	PlanOutput out[64];
	uint32_t n = 0;
	for (uint32_t k = 0; k < f->fn->nresult; k++) {
		for (int part = 0; part < 2; part++) {
			if (f->value[k][form][part]) {
				out[n++] = (PlanOutput){f->value[k][form][part], 0};
			}
		}
	}
	PlanOptions o = {
		.threads = 1, .real_bytes = m->l.real_bytes, .compiled = true, .runs = INFINITY};
	Plan *p = plan_build(m->r->core, m->r->store, m->e->ctx.diags, n, out, o);
	cr_assert_not_null(p);
	return p;
}

static void make(Made *m, const char *path, unsigned real_bytes)
{
	const Stmt *s = run_to_export(m, path);
	m->options = (BuildOptions){.path = "/tmp/libkinds.o", .real_bytes = real_bytes};
	m->l = (Library){
		.r = m->r, .arena = arena_create(), .options = &m->options, .info = &s->u.export};
	m->l.path = m->options.path;
	m->l.real_bytes = real_bytes;
	m->l.source = "kinds.pnn";
	cr_assert(build_describe(&m->l) && build_plans(&m->l));
	for (uint32_t k = 0; k < m->l.nfn; k++) {
		for (int form = 0; form < EXPORT_FORMS; form++) {
			core_axis_resize(m->r->core, m->l.fn[k].fn->calls,
					 (int64_t)m->l.fn[k].form[EXPORT_MANY].calls);
			m->run[k][form] = run_plan(m, &m->l.fn[k], form);
		}
	}
	size_t size;
	char *message = NULL;
	void *object = build_object(&m->l, &size);
	cr_assert_not_null(object);
	m->code = jit_load(object, size, "kinds_u", 0, NULL, &message);
	cr_assert_not_null(m->code, "%s", message ? message : "");
	free(object);
}

static void unmake(Made *m)
{
	jit_free(m->code);
	for (uint32_t k = 0; k < m->l.nfn; k++) {
		plan_free(m->run[k][0]);
		plan_free(m->run[k][1]);
	}
	build_plans_free(&m->l);
	arena_free(m->l.arena);
	engine_free(m->e);
}

/* ---- arguments ---- */

static double some(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (double)(*state >> 11) / 9007199254740992.0;
}

static size_t element(const Made *m, const LibValue *v)
{
	return build_is_integer(v) ? 8
				   : m->l.real_bytes * (v->of->type == EXPORT_COMPLEX ? 2u : 1u);
}

static int64_t whole(const Made *m, const LibValue *v, double x)
{
	if (v->of->type == EXPORT_INDEX) {
		const AxisInfo *a = core_axis_info(m->r->core, v->of->of);
		return a->first + (int64_t)(x * (double)a->size);
	}
	return v->of->type == EXPORT_BOOL ? x < 0.5 : (int64_t)(x * 20) - 10;
}

/* One array as the library takes it, and the same values in the leaves that the plan reads. */
static void *fill(Made *m, const LibValue *v, int form, size_t calls, uint64_t *state)
{
	size_t n = v->count * calls;
	bool complex = v->of->type == EXPORT_COMPLEX;
	char *array = calloc(n + 1, element(m, v));
	Def re = v->of->def[form][0], im = v->of->def[form][1];
	cr_assert(store_alloc(m->r->store, re) && (!im || store_alloc(m->r->store, im)));
	for (size_t i = 0; i < n * (complex ? 2 : 1); i++) {
		double x = some(state);
		if (build_is_integer(v)) {
			((int64_t *)array)[i] = whole(m, v, x);
			store_int(m->r->store, re)[i] = whole(m, v, x);
			continue;
		}
		x = v->of->type == EXPORT_SPIN ? (x < 0.5 ? -1 : 1) : (double)(float)(4 * x - 2);
		if (m->l.real_bytes == 4) {
			((float *)array)[i] = (float)x;
		} else {
			((double *)array)[i] = x;
		}
		store_real(m->r->store, complex && i % 2 ? im : re)[complex ? i / 2 : i] = x;
	}
	return array;
}

/* Integers and pointers, and reals, each in their order: how the systems at hand pass up to eight
 * reals. */
typedef int Call64(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
		   int64_t, double, double, double, double);
typedef int Call32(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
		   int64_t, float, float, float, float);

static int call(const Made *m, const LibFn *f, int form, int64_t n, void **array, void *work)
{
	int64_t word[12] = {0};
	double real[4] = {0};
	uint32_t nword = 0, nreal = 0;
	if (form == EXPORT_MANY) {
		word[nword++] = n;
	}
	for (uint32_t k = 0; k < f->fn->narg + f->fn->nresult; k++) {
		const LibValue *v = k < f->fn->narg ? &f->arg[k] : NULL;
		bool value =
			v && form == EXPORT_ONE && v->count == 1 && v->of->type != EXPORT_COMPLEX;
		if (value && !build_is_integer(v)) {
			real[nreal++] =
				m->l.real_bytes == 4 ? *(float *)array[k] : *(double *)array[k];
		} else {
			word[nword++] = value ? *(int64_t *)array[k] : (int64_t)(intptr_t)array[k];
		}
	}
	if (f->form[form].work) {
		word[nword++] = (int64_t)(intptr_t)work;
	}
	cr_assert(nword <= 10 && nreal <= 4);
	char name[128];
	snprintf(name, sizeof name, "%s%s", f->name, form == EXPORT_MANY ? "_batch" : "");
	void *at = jit_find(m->code, name);
	cr_assert_not_null(at, "%s", name);
	const int64_t *w = word;
	if (m->l.real_bytes == 4) {
		return ((Call32 *)at)(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9],
				      (float)real[0], (float)real[1], (float)real[2],
				      (float)real[3]);
	}
	return ((Call64 *)at)(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], real[0],
			      real[1], real[2], real[3]);
}

/* ---- results ---- */

static bool same_part(const Made *m, const LibValue *v, const void *array, const Plan *p,
		      uint32_t output, unsigned part)
{
	size_t n = plan_count(p, output), wide = v->of->type == EXPORT_COMPLEX ? 2 : 1;
	bool same = true;
	for (size_t i = 0; i < n; i++) {
		size_t at = i * wide + part;
		if (build_is_integer(v)) {
			same = same && ((const int64_t *)array)[at] == plan_int(p, output)[i];
			continue;
		}
		double have = m->l.real_bytes == 4 ? (double)((const float *)array)[at]
						   : ((const double *)array)[at];
		same = same && memcmp(&have, &plan_real(p, output)[i], sizeof have) == 0;
	}
	return same;
}

static void **arrays(Made *m, const LibFn *f, int form, size_t calls, uint64_t *state)
{
	uint32_t narg = f->fn->narg;
	void **array = calloc(narg + f->fn->nresult, sizeof *array);
	for (uint32_t k = 0; k < narg; k++) {
		array[k] = fill(m, &f->arg[k], form, calls, state);
	}
	for (uint32_t k = 0; k < f->fn->nresult; k++) {
		array[narg + k] = calloc(f->result[k].count * calls + 1, element(m, &f->result[k]));
	}
	return array;
}

static void forget(const LibFn *f, void **array)
{
	for (uint32_t k = 0; k < f->fn->narg + f->fn->nresult; k++) {
		free(array[k]);
	}
	free(array);
}

static void compare(Made *m, uint32_t number, int form, uint64_t *state)
{
	LibFn *f = &m->l.fn[number];
	size_t calls = form == EXPORT_MANY ? f->form[form].calls : 1;
	void **array = arrays(m, f, form, calls, state), *work = malloc(f->form[form].work + 1);
	Plan *p = m->run[number][form];
	cr_assert(plan_run(p, m->e->ctx.diags, (RunContext){m->r->seed, 0}));
	cr_assert_eq(call(m, f, form, (int64_t)calls, array, work), 0, "%s", f->name);
	for (uint32_t k = 0, output = 0; k < f->fn->nresult; k++) {
		for (unsigned part = 0; part < 2; part++) {
			if (f->value[k][form][part]) {
				cr_expect(same_part(m, &f->result[k], array[f->fn->narg + k], p,
						    output++, part),
					  "%s, form %d, result %u: other bits", f->name, form, k);
			}
		}
	}
	free(work);
	forget(f, array);
}

static void compare_all(unsigned real_bytes)
{
	Made m = {0};
	uint64_t state = 7;
	make(&m, "tests/embed/kinds.pnn", real_bytes);
	cr_assert_gt(m.l.nfn, 12);
	for (uint32_t k = 0; k < m.l.nfn; k++) {
		for (int form = 0; form < EXPORT_FORMS; form++) {
			compare(&m, k, form, &state);
			compare(&m, k, form, &state);
		}
	}
	unmake(&m);
}

Test(build, bits_of_a_run_f64)
{
	compare_all(8);
}

Test(build, bits_of_a_run_f32)
{
	compare_all(4);
}

/* A row of a batch has the same bits for any number of calls and at any place; rows behind the last
 * are not touched. */
Test(build, rows_of_a_batch)
{
	Made m = {0};
	uint64_t state = 3;
	make(&m, "tests/embed/kinds.pnn", 8);
	for (uint32_t k = 0; k < m.l.nfn; k++) {
		LibFn *f = &m.l.fn[k];
		size_t calls = f->form[EXPORT_MANY].calls;
		uint32_t narg = f->fn->narg, all = narg + f->fn->nresult;
		void **array = arrays(&m, f, EXPORT_MANY, calls, &state),
		     *work = malloc(f->form[1].work + 1);
		cr_assert_eq(call(&m, f, EXPORT_MANY, (int64_t)calls, array, work), 0);
		for (size_t n = 0; n < calls; n = n < 3 ? n + 1 : 2 * n + 1) {
			size_t skip = calls - n; /* the last n rows, as a batch of their own */
			void *part[16];
			for (uint32_t i = 0; i < all; i++) {
				const LibValue *v = i < narg ? &f->arg[i] : &f->result[i - narg];
				size_t row = v->count * element(&m, v);
				part[i] = malloc((n + 1) * row);
				memset(part[i], 0x5a, (n + 1) * row);
				memcpy(part[i], (char *)array[i] + skip * row,
				       i < narg ? n * row : 0);
			}
			cr_assert_eq(call(&m, f, EXPORT_MANY, (int64_t)n, part, work), 0);
			for (uint32_t i = narg; i < all; i++) {
				const LibValue *v = &f->result[i - narg];
				size_t row = v->count * element(&m, v);
				cr_expect(!memcmp(part[i], (char *)array[i] + skip * row, n * row),
					  "%s: rows of %zu", f->name, n);
				for (size_t b = n * row; b < (n + 1) * row; b++) {
					cr_assert_eq(((unsigned char *)part[i])[b], 0x5a, "%s",
						     f->name);
				}
			}
			for (uint32_t i = 0; i < all; i++) {
				free(part[i]);
			}
		}
		free(work);
		forget(f, array);
	}
	unmake(&m);
}
