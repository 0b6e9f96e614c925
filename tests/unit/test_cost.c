/* test_cost.c — what `cost` says before a run is what the interpreter then does: instructions times
 * lanes, products of contractions, elements of memory touched, all counted while programs run.
 *
 * The counters stand where the interpreter's files call each other (the Makefile links this test
 * with --wrap for these functions). */
#include "compiler/cost_int.h"
#include "compiler/interp_int.h"
#include "compiler/matrix_run.h"
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* run_int.h and plan_int.h give different meanings to Block and Loop: run_int.h's are renamed. */
#define Block ProgramBlock
#define Loop ProgramLoop
#define Step ProgramStep
#include "compiler/run_int.h"
#include "compiler/train.h"
#undef Block
#undef Loop
#undef Step

/* ---- counters ---- */

typedef struct Touched { /* addresses of one nest, by access and direction */
	uint64_t *key;
	size_t room, n;
} Touched;

static struct {
	const Plan *plan, *checked; /* the one that runs; the one that is compared */
	Cost c;
	const Worker *worker;
	const Nest *nest;
	Touched touched;
	GemmKernels real;
} counter;

static bool touch(uint64_t key)
{
	Touched *t = &counter.touched;
	if (2 * t->n >= t->room) {
		Touched more = {calloc(4 * t->room + 1024, sizeof *more.key), 4 * t->room + 1024, 0};
		cr_assert_not_null(more.key);
		Touched old = *t;
		*t = more;
		for (size_t k = 0; k < old.room; k++) {
			if (old.key[k]) {
				touch(old.key[k]);
			}
		}
		free(old.key);
	}
	size_t at = (key * 0x9E3779B97F4A7C15u >> 20) % t->room;
	while (t->key[at] && t->key[at] != key) {
		at = (at + 1) % t->room;
	}
	bool fresh = !t->key[at];
	t->key[at] = key;
	t->n += fresh;
	return fresh;
}

static void forget_touched(void)
{
	if (counter.touched.n) {
		memset(counter.touched.key, 0, counter.touched.room * sizeof(uint64_t));
		counter.touched.n = 0;
	}
}

/* Which access an operand is, or -1. */
static int access_of(uint32_t operand)
{
	const Nest *n = counter.nest;
	uint32_t first = n->nreg + n->nuniform;
	return operand != OPERAND_NONE && operand >= first && operand < first + n->naccess
		       ? (int)(operand - first)
		       : -1;
}

static void touch_lanes(int access, const void *from, int64_t stride, size_t n, bool write)
{
	for (size_t l = 0; l < n; l++) {
		uint64_t address = (uint64_t)(uintptr_t)from + (uint64_t)((int64_t)l * stride * 8);
		uint64_t key = address << 9 | (uint64_t)access << 1 | write;
		if (touch(key)) {
			*(write ? &counter.c.written : &counter.c.read) += 8;
		}
	}
}

static void count_memory(const Instr *in, void *const *ptr, size_t n)
{
	const uint32_t operand[3] = {in->a, in->b, in->c};
	for (int k = 0; k < 3; k++) {
		int access = access_of(operand[k]);
		if (access < 0) {
			continue;
		}
		if (in->op == VM_GATHER && k == 0) {
			counter.c.read += 8.0 * (double)n;
		} else {
			bool one = (in->lone >> k) & 1;
			int64_t stride = in->op == VM_LOADS ? in->i : 1;
			touch_lanes(access, ptr[operand[k]], stride, one ? 1 : n, false);
		}
	}
	for (uint32_t q = 0; q < in->nmore; q++) {
		int access = access_of(in->more[q]);
		if (access >= 0) {
			touch_lanes(access, ptr[in->more[q]], 1, (in->lone >> q) & 1 ? 1 : n, false);
		}
	}
	int access = access_of(in->dst);
	if (access >= 0 && (in->op == VM_SCATTER || in->op == VM_ISCATTER)) {
		counter.c.read += 8.0 * (double)n;
		counter.c.written += 8.0 * (double)n;
	} else if (access >= 0) {
		touch_lanes(access, ptr[in->dst], in->op == VM_STORES ? in->i : 1, n, true);
	}
}

/* The lanes of value and filter of a reduction that is no instruction. */
static void count_native(void *const *ptr, size_t n)
{
	const Nest *nest = counter.nest;
	if (nest->acc == OPERAND_NONE || (nest->red == RED_SUM && !nest->integer)) {
		return;
	}
	if (access_of(nest->value) >= 0) {
		touch_lanes(access_of(nest->value), ptr[nest->value], 1, nest->value_lone ? 1 : n,
			    false);
	}
	if (access_of(nest->filter) >= 0) {
		touch_lanes(access_of(nest->filter), ptr[nest->filter], 1,
			    nest->filter_lone ? 1 : n, false);
	}
	if (nest->red == RED_LOGSUMEXP) { /* two passes: greatest; difference, exp, sum */
		cost_add(&counter.c, (double)n / 2, &(Cost){.other = 1, .add = 2, .function = 1});
	} else if (nest->red == RED_PROD && !nest->integer) {
		counter.c.mul += (double)n;
	} else {
		counter.c.other += (double)n;
	}
}

void __real_vm_run(VmContext *cx, const Instr *code, uint32_t ncode, void *const *ptr, size_t n);
void __wrap_vm_run(VmContext *cx, const Instr *code, uint32_t ncode, void *const *ptr, size_t n);
void __wrap_vm_run(VmContext *cx, const Instr *code, uint32_t ncode, void *const *ptr, size_t n)
{
	const Nest *nest = counter.nest;
	if (nest && code == nest->code) {
		const Dim *last = &nest->dim[nest->ndim - 1];
		int64_t begin = last->lo + (last->tiled ? cx->slot[last->slot] : 0);
		for (uint32_t k = 0; k < ncode; k++) {
			Cost c = cost_instr(&code[k]);
			bool again = code[k].uniform && cx->label[nest->ndim - 1] != begin;
			double lanes = again ? 0 : code[k].uniform ? 1 : (double)n;
			cost_add(&counter.c, lanes, &c);
			if (!again) {
				count_memory(&code[k], ptr, code[k].uniform ? 1 : n);
			}
		}
		count_native(ptr, n);
	}
	__real_vm_run(cx, code, ncode, ptr, n);
}

void __real_nest_run(Worker *w, const Nest *nest);
void __wrap_nest_run(Worker *w, const Nest *nest);
void __wrap_nest_run(Worker *w, const Nest *nest)
{
	forget_touched();
	counter.nest = nest;
	__real_nest_run(w, nest);
	counter.nest = NULL;
	if (nest->acc == OPERAND_NONE) {
		return;
	}
	double outputs = 1;
	for (uint32_t d = 0; d < nest->ndim; d++) {
		bool formal = d < nest->nformal || (d + 1 == nest->ndim && !nest->lane_bound);
		int64_t size = nest->dim[d].tiled ? w->lanes : nest->dim[d].size;
		outputs *= formal ? (double)(size > 0 ? size : 0) : 1;
	}
	counter.c.written += 8 * outputs;
	if (nest->red == RED_LOGSUMEXP) {
		cost_add(&counter.c, outputs, &(Cost){.add = 1, .function = 1});
	}
	if (nest->accumulate) {
		counter.c.read += 8 * outputs;
		bool sum = nest->red == RED_SUM && !nest->integer;
		bool prod = nest->red == RED_PROD && !nest->integer;
		*(sum ? &counter.c.add : prod ? &counter.c.mul : &counter.c.other) += outputs;
	}
}

bool __real_red_join(RedKind red, bool integer, size_t n, void *to, int64_t stride, const void *from,
		     int64_t from_stride);
bool __wrap_red_join(RedKind red, bool integer, size_t n, void *to, int64_t stride, const void *from,
		     int64_t from_stride);
bool __wrap_red_join(RedKind red, bool integer, size_t n, void *to, int64_t stride, const void *from,
		     int64_t from_stride)
{
	bool sum = red == RED_SUM && !integer, prod = red == RED_PROD && !integer;
	*(sum ? &counter.c.add : prod ? &counter.c.mul : &counter.c.other) += (double)n;
	counter.c.read += 16.0 * (double)n;
	counter.c.written += 8.0 * (double)n;
	return __real_red_join(red, integer, n, to, stride, from, from_stride);
}

/* Operations on whole arrays: each application by the textbook's figure for n by n (Golub and Van
 * Loan) or m comparisons for each halving of a sort; the argument read and the results written. */
bool __real_matrix_run(const MatrixStep *s, unsigned real_bytes, const void *in, void *const *out,
		       RtError *why);
bool __wrap_matrix_run(const MatrixStep *s, unsigned real_bytes, const void *in, void *const *out,
		       RtError *why);
bool __wrap_matrix_run(const MatrixStep *s, unsigned real_bytes, const void *in, void *const *out,
		       RtError *why)
{
	static const struct {
		RedKind family;
		double flops;
	} book[] = {{RED_EIGH_VALUES, 9}, {RED_EIG_REAL, 10}, {RED_SVD_LEFT, 22},
		    {RED_PSEUDOINVERSE, 22}, {RED_QR_Q, 4}, {RED_INVERSE, 2}, {RED_EXPM, 20},
		    {RED_CHOLESKY, 1.0 / 3}, {RED_LOGDET, 2.0 / 3}, {RED_DET, 2.0 / 3}};
	double m = (double)s->size[0], n = (double)s->size[1], times = 1, flops = -1;
	for (uint32_t d = 0; d < s->naround; d++) {
		times *= (double)s->dim[d].size;
	}
	for (size_t k = 0; k < sizeof book / sizeof *book; k++) {
		flops = book[k].family == s->family ? book[k].flops : flops;
	}
	if (flops < 0) {
		counter.c.other += times * round(m * (1 + log2(m)));
	} else {
		counter.c.add += times * round(flops * m * n * fmin(m, n) / 2);
		counter.c.mul += times * round(flops * m * n * fmin(m, n) / 2);
	}
	counter.c.read += times * m * n * 8;
	for (uint32_t k = 0; k < s->nout; k++) {
		counter.c.written += times * (double)(s->out[k].size[0] * s->out[k].size[1]) * 8;
	}
	return __real_matrix_run(s, real_bytes, in, out, why);
}

/* Fills ask for the address of what they fill. */
double *__real_access_pointer(const Worker *w, const Access *a);
double *__wrap_access_pointer(const Worker *w, const Access *a);

static const Fill *find_fill(const Block *b, const Access *a)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		if (s->tag == STEP_FILL && &s->fill->out == a) {
			return s->fill;
		}
		const Fill *inside = s->tag == STEP_LOOP ? find_fill(&s->loop->body, a) : NULL;
		if (inside) {
			return inside;
		}
	}
	return NULL;
}

double *__wrap_access_pointer(const Worker *w, const Access *a)
{
	const Fill *f = counter.nest || !counter.plan ? NULL : find_fill(&w->plan->body, a);
	f = f || counter.nest || !counter.plan ? f : find_fill(&w->plan->fixed, a);
	double n = f != NULL;
	for (uint32_t d = 0; f && d < f->ndim; d++) {
		n *= (double)(f->dim[d].tiled ? w->lanes : f->dim[d].size);
	}
	counter.c.written += 8 * n;
	counter.worker = w;
	return __real_access_pointer(w, a);
}

/* ---- contractions: every product, and the elements that the loops of the sum name ---- */

static double elements(const double *at, size_t n, int64_t sn, size_t m, int64_t sm)
{
	Touched outer = counter.touched;
	counter.touched = (Touched){0};
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < m; j++) {
			touch((uint64_t)(uintptr_t)(at + (int64_t)i * sn + (int64_t)j * sm));
		}
	}
	double count = (double)counter.touched.n;
	free(counter.touched.key);
	counter.touched = outer;
	return count;
}

/* Does a contraction begin from something in memory, or from the zero of the interpreter? */
static bool in_memory(const double *at)
{
	const Worker *w = counter.worker;
	for (uint32_t k = 0; k < w->plan->nbuffer; k++) {
		const double *from = w->base[w->plan->buffer[k]->id];
		if (at >= from && at < from + w->plan->buffer[k]->count) {
			return true;
		}
	}
	return false;
}

static void count_gemm(const GemmArgs *g, bool dot)
{
	double products = 0;
	for (size_t i = 0; i < g->m; i++) {
		for (size_t j = 0; j < g->n; j++) {
			products += (double)g->k;
		}
	}
	counter.c.add += products;
	counter.c.mul += products;
	counter.c.products += 2 * products;
	int64_t bn = dot ? g->bk : 1, bk = dot ? 1 : g->bk, ak = dot ? 1 : g->ak, cn = dot ? g->cn : 1;
	counter.c.read += 8 * (elements(g->a, g->m, g->am, g->k, ak) + elements(g->b, g->n, bn, g->k, bk));
	counter.c.written += 8 * elements(g->c, g->m, g->cm, g->n, cn);
	if (in_memory(g->from)) {
		counter.c.read += 8 * elements(g->from, g->m, g->fm, g->n, g->fn);
	}
}

static void counting_panel(const GemmArgs *g)
{
	count_gemm(g, false);
	counter.real.panel(g);
}

static void counting_dot(const GemmArgs *g)
{
	count_gemm(g, true);
	counter.real.dot(g);
}

GemmKernels __real_gemm_kernels(void);
GemmKernels __wrap_gemm_kernels(void);
GemmKernels __wrap_gemm_kernels(void)
{
	counter.real = __real_gemm_kernels();
	return (GemmKernels){counting_panel, counting_dot, counter.real.name};
}

/* ---- one plan ---- */

/* Neighbouring dimensions that are run as one would hide rows. */
static void unmerge(const Block *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		if (b->step[k]->tag == STEP_NEST) {
			b->step[k]->nest->flat = false;
		} else if (b->step[k]->tag == STEP_LOOP) {
			unmerge(&b->step[k]->loop->body);
		}
	}
}

static bool has_fixed(const Block *b, const Plan *p, uint32_t tile)
{
	for (uint32_t k = 0; k < b->n; k++) {
		if (b->step[k]->tag == STEP_LOOP && b->step[k]->loop == p->tile[tile]) {
			return true;
		}
	}
	return false;
}

/* What is written without a call: first values of accumulators, results that go to leaves. */
static void count_silent(const Plan *p, bool fixed)
{
	for (uint32_t t = 0; t < p->ntile; t++) {
		const Loop *l = p->tile[t];
		for (uint32_t k = 0; k < l->njoin && has_fixed(&p->fixed, p, t) == fixed; k++) {
			counter.c.written += 8.0 * l->nblock * (double)l->join[k]->count;
		}
	}
	for (uint32_t k = 0; k < p->noutput && !fixed; k++) {
		double n = p->output[k].assign ? (double)p->output[k].count : 0;
		counter.c.read += 8 * n;
		counter.c.written += 8 * n;
	}
}

static void same(const char *what, const char *where, uint32_t plan, double said, double done)
{
	cr_assert_eq(said, done, "%s, plan %u: %s %.17g, counted %.17g", where, plan, what, said,
		     done);
}

static bool has_filter(const Block *b)
{
	bool any = false;
	for (uint32_t k = 0; k < b->n && !any; k++) {
		const Step *s = b->step[k];
		any = s->tag == STEP_LOOP ? has_filter(&s->loop->body)
					  : s->tag == STEP_GEMM && s->gemm->filter.buffer;
	}
	return any;
}

/* What filters leave out was counted before the run: no more than that is done. */
static void compare(const char *where, uint32_t plan, const Cost *said, const Cost *done)
{
	if (has_filter(&counter.checked->fixed) || has_filter(&counter.checked->body)) {
		cr_assert_leq(done->add, said->add, "%s, plan %u", where, plan);
		cr_assert_leq(done->products, said->products, "%s, plan %u", where, plan);
		cr_assert_leq(done->mul, said->mul, "%s, plan %u", where, plan);
		cr_assert_leq(done->read, said->read, "%s, plan %u", where, plan);
		cr_assert_leq(done->written, said->written, "%s, plan %u", where, plan);
		same("other additions", where, plan, said->add - said->products / 2, done->add - done->products / 2);
		same("functions", where, plan, said->function, done->function);
		return;
	}
	same("additions", where, plan, said->add, done->add);
	same("multiplications", where, plan, said->mul, done->mul);
	same("divisions", where, plan, said->div, done->div);
	same("functions", where, plan, said->function, done->function);
	same("random numbers", where, plan, said->random, done->random);
	same("others", where, plan, said->other, done->other);
	same("in contractions", where, plan, said->products, done->products);
	same("bytes read", where, plan, said->read, done->read);
	same("bytes written", where, plan, said->written, done->written);
}

/* Runs the plan twice, counting: what depends on data alone is done by the first run. False if it
 * cannot run with the values at hand. */
static bool check_plan(const char *where, uint32_t number, Plan *p, Diags *ds)
{
	unmerge(&p->fixed);
	unmerge(&p->body);
	counter.plan = counter.checked = p;
	Cost first, second;
	bool again = p->fixed_done;
	counter.c = (Cost){0};
	bool ok = plan_run(p, ds, (RunContext){1, 1});
	count_silent(p, false);
	first = counter.c;
	if (!again) {
		count_silent(p, true);
		first = counter.c;
	}
	counter.c = (Cost){0};
	ok = ok && plan_run(p, ds, (RunContext){1, 1});
	count_silent(p, false);
	second = counter.c;
	counter.plan = NULL;
	if (!ok) {
		diags_clear(ds);
		return false;
	}
	Cost body = cost_plan(p, false, 0), all = cost_plan(p, true, 0);
	cost_add(&all, 1, &body);
	compare(where, number, &body, &second);
	if (!again) {
		compare(where, number, &all, &first);
	}
	return true;
}

/* ---- programs ---- */

typedef struct Sum {
	unsigned programs, plans;
	double operations;
} Sum;

static void check_program(const char *path, Sum *sum)
{
	char *said = NULL;
	size_t n = 0;
	FILE *sink = open_memstream(&said, &n);
	EngineOptions o = {.output = sink,
			   .error = sink,
			   .threads = 1,
			   .quiet = true,
			   .backend = BACKEND_INTERPRET};
	Engine *e = engine_create(&o);
	cr_assert_not_null(e);
	Run *r = engine_load(e, path) && engine_elaborate(e) ? engine_run_state(e) : NULL;
	bool ok = r && run_prepare(r);
	if (ok) {
		run_compile(r);
		sum->programs++;
	}
	for (uint32_t k = 0; ok && k < r->program->nloss; k++) {
		const LossInfo *l = r->program->loss[k];
		PlanOutput out = {eval_define(r, "loss", l->value), 0};
		eval_cached(r, l, 0, 1, &out);
	}
	for (size_t k = 0; ok && k < r->nplan; k++) {
		PlanCost cost = plan_cost(r->plan[k].plan);
		if (cost.flops < 2e7 && check_plan(path, (uint32_t)k, r->plan[k].plan, e->ctx.diags)) {
			sum->plans++;
			sum->operations += cost.flops;
		}
	}
	engine_free(e);
	fclose(sink);
	free(said);
}

static Sum check_folder(const char *pattern)
{
	Sum sum = {0};
	glob_t files;
	cr_assert_eq(glob(pattern, 0, NULL, &files), 0);
	for (size_t k = 0; k < files.gl_pathc; k++) {
		check_program(files.gl_pathv[k], &sum);
	}
	globfree(&files);
	free(counter.touched.key);
	counter.touched = (Touched){0};
	return sum;
}

Test(cost, counted_plans)
{
	Sum s = check_folder("tests/plan/*.pnn");
	cr_assert(s.programs >= 3 && s.plans >= 3, "%u programs, %u plans", s.programs, s.plans);
}

Test(cost, counted_bench)
{
	Sum s = check_folder("examples/bench/*.pnn");
	cr_assert(s.programs >= 11 && s.plans >= 240, "%u programs, %u plans", s.programs, s.plans);
}

Test(cost, counted_programs)
{
	Sum s = check_folder("tests/programs/*.pnn");
	cr_assert(s.programs >= 80 && s.plans >= 560, "%u programs, %u plans", s.programs, s.plans);
}

/* ---- single instructions ---- */

static void instruction(Instr in, double add, double mul, double div, double function)
{
	Cost c = cost_instr(&in);
	cr_assert(c.add == add && c.mul == mul && c.div == div && c.function == function,
		  "op %u: %g additions, %g multiplications, %g divisions, %g functions", in.op,
		  c.add, c.mul, c.div, c.function);
}

Test(cost, instructions)
{
	instruction((Instr){.op = VM_SUB}, 1, 0, 0, 0);
	instruction((Instr){.op = VM_SQR}, 0, 1, 0, 0);
	instruction((Instr){.op = VM_RECIP}, 0, 0, 1, 0);
	instruction((Instr){.op = VM_SQRT}, 0, 0, 1, 0);
	instruction((Instr){.op = VM_AXPK, .k = 2, .k2 = 1}, 1, 1, 0, 0);
	instruction((Instr){.op = VM_AXPK, .k = -1, .k2 = 1}, 1, 0, 0, 0);
	instruction((Instr){.op = VM_AXPK, .k = 3}, 0, 1, 0, 0);
	instruction((Instr){.op = VM_AXPS, .k = 1}, 1, 0, 0, 0);
	instruction((Instr){.op = VM_AXPY, .k = 0.5}, 1, 1, 0, 0);
	instruction((Instr){.op = VM_AXBY, .k = -1, .k2 = 2}, 1, 1, 0, 0);
	instruction((Instr){.op = VM_MACC, .k = 1}, 1, 1, 0, 0);
	instruction((Instr){.op = VM_MACC, .k = 2}, 1, 2, 0, 0);
	instruction((Instr){.op = VM_MACS, .k = 2}, 1, 1, 0, 0);
	instruction((Instr){.op = VM_MAP, .i = OP_tanh}, 0, 0, 0, 1);
	instruction((Instr){.op = VM_SELECT}, 0, 0, 0, 0);
	instruction((Instr){.op = VM_GATHER}, 0, 0, 0, 0);
	const double power[] = {0, 0, 1, 2, 2, 3, 3, 4, 3, 4, 4}; /* x^8: 3, x^7: x, x^2, x^3, x^6 */
	for (int64_t e = 1; e <= 10; e++) {
		instruction((Instr){.op = VM_POWI, .i = e}, 0, power[e], 0, 0);
	}
}

/* ---- closed forms: operations in contractions of one training step ---- */

static double step_products(const char *path)
{
	EngineOptions o = {.output = stderr, .error = stderr, .threads = 1, .quiet = true};
	Engine *e = engine_create(&o);
	cr_assert(e && engine_load(e, path) && engine_elaborate(e));
	Run *r = engine_run_state(e);
	cr_assert(r && run_prepare(r));
	const Stmt *s = NULL;
	for (uint32_t k = 0; k < r->program->nstmt && !s; k++) {
		s = r->program->stmt[k]->kind == STMT_TRAIN ? r->program->stmt[k] : NULL;
	}
	cr_assert_not_null(s);
	Plan *p = train_step_plan(r, &s->u.train, &s->u.train.phase[0]);
	cr_assert_not_null(p);
	double products = cost_plan(p, false, 0).products;
	engine_free(e);
	return products;
}

/* c channels of derivatives, n records; a hidden layer of w weights takes 2*c*w operations forward,
 * for the values' adjoints and for the weights' gradient. The output layer of h weights has no sum
 * in the adjoints of its values: forward and gradient alone. */
static double net(double n, double c, double weights, double h)
{
	return n * c * (6 * weights + 4 * h);
}

Test(cost, closed_forms)
{
	/* 2-64-64-64-64-1, 16 records; the first layer is a contraction over two inputs. */
	cr_assert_eq(step_products("examples/bench/w1.pnn"), net(16, 1, 3 * 4096, 64) + 16 * 4 * 128);
	/* 2-20x8-1, u, u_t, u_x, u_xx at 16 points and u at 8; the inputs are written out. */
	cr_assert_eq(step_products("examples/bench/w2_burgers.pnn"),
		     net(16, 4, 7 * 400, 20) + net(8, 1, 7 * 400, 20));
}
