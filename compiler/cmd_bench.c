/* cmd_bench.c — bench: how long a training step takes, and what part of the machine's limit that
 * is; for programs without a training, the value and gradient of a loss. */
#include "compiler/bench.h"
#include "compiler/cmd.h"
#include "compiler/cost.h"
#include "compiler/exec.h"
#include "compiler/run_int.h"
#include "compiler/train.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* What is timed, and what came of it. */
typedef struct Bench {
	CmdLine *c;
	Run *r;
	const Stmt *stmt; /* a training or a let, or NULL */
	const Phase *phase;
	const LossInfo *loss;
	const char *name;
	Plan *plan;
	BenchTimer timer;
	BenchResult result;
	double read, data; /* seconds until the program was checked; of loading and simulating */
	double peak;       /* GFLOP/s of all threads, 0: not known */
	Cost cost;
	unsigned real_bytes;
} Bench;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- what to time ---- */

static bool is_called(const Run *r, const Stmt *s, const char *name)
{
	if (s->kind == STMT_TRAIN) {
		return !name || strcmp(run_name(r, s->u.train.name), name) == 0;
	}
	return s->kind == STMT_LET && name && s->u.let.n &&
	       strcmp(run_name(r, s->u.let.value[0].name), name) == 0;
}

static const Stmt *find_stmt(const Run *r, const Block *b, const char *name)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Stmt *s = b->stmt[k], *inside = NULL;
		if (is_called(r, s, name)) {
			return s;
		}
		if (s->kind == STMT_SWEEP) {
			inside = find_stmt(r, &s->u.sweep.body, name);
		} else if (s->kind == STMT_REPEAT) {
			inside = find_stmt(r, &s->u.repeat.body, name);
		} else if (s->kind == STMT_IF) {
			inside = find_stmt(r, &s->u.branch.yes, name);
			inside = inside ? inside : find_stmt(r, &s->u.branch.no, name);
		}
		if (inside) {
			return inside;
		}
	}
	return NULL;
}

static const LossInfo *find_loss(const Run *r, const char *name)
{
	const Program *p = r->program;
	for (uint32_t k = p->nloss; k-- > 0;) {
		if (!name || strcmp(run_name(r, p->loss[k]->name), name) == 0) {
			return p->loss[k];
		}
	}
	return NULL;
}

/* The training, `let` or loss of that name; without a name the first training, else the last loss. */
static bool choose(Bench *b)
{
	const Program *p = b->r->program;
	Block all = {p->nstmt, p->stmt};
	b->stmt = find_stmt(b->r, &all, b->c->of);
	b->loss = b->stmt ? NULL : find_loss(b->r, b->c->of);
	if (b->stmt && b->stmt->kind == STMT_LET) {
		b->name = arena_printf(b->r->e->arena, "let %s", b->c->of);
		return true;
	}
	if (b->stmt) {
		const TrainInfo *t = &b->stmt->u.train;
		b->phase = &t->phase[0];
		b->name = arena_printf(b->r->e->arena, "step %s, %s", run_name(b->r, t->name),
				       run_name(b->r, b->phase->name));
		return true;
	}
	if (b->loss) {
		b->name = arena_printf(b->r->e->arena, "gradient %s",
				       run_name(b->r, b->loss->name));
	}
	return b->loss != NULL;
}

/* Values that it may read: the `let` and data of present values that stand before it, of what is trained
 * before it the values at the start. */
static bool run_values(Bench *b)
{
	const Program *p = b->r->program;
	for (uint32_t k = 0; k < p->nstmt; k++) {
		Block one = {1, &p->stmt[k]};
		if (b->stmt && find_stmt(b->r, &one, b->c->of) == b->stmt) {
			break;
		}
		StmtKind kind = p->stmt[k]->kind;
		if ((kind == STMT_LET || kind == STMT_DATA) && !run_statement(b->r, p->stmt[k])) {
			return false;
		}
	}
	return true;
}

/* ---- timing ---- */

static bool tick(void *data)
{
	Bench *b = data;
	return bench_tick(&b->timer) && !run_interrupted(b->r);
}

/* Steps as a run takes them, with everything that happens between them. */
static bool time_steps(Bench *b)
{
	Run *r = b->r;
	r->watch = tick;
	r->watch_data = b;
	r->no_interaction = true;
	bench_begin(&b->timer);
	train_run(r, b->stmt);
	r->watch = NULL;
	if (!b->timer.n) {
		return false;
	}
	b->plan = train_step_plan(r, &b->stmt->u.train, b->phase);
	return b->plan != NULL;
}

/* A `let`, or a loss with its gradient. */
static bool time_plan(Bench *b)
{
	Run *r = b->r;
	r->runs = 1e9;
	r->single = r->program->f32 || r->e->options.real_bytes == sizeof(float);
	bench_begin(&b->timer);
	b->plan = b->stmt ? let_plan(r, b->stmt) : cmd_gradient_plan(r, b->loss);
	bool more = b->plan && (b->stmt || eval_keep(r, b->loss, 0, b->plan));
	while (more) {
		more = eval_run(r, b->plan, 0) && tick(b);
	}
	return b->plan && b->timer.n > 0;
}

static void find_peak(Bench *b)
{
	char *message = NULL;
	const Target *t = machine_target(b->r->machine, &message);
	if (t) {
		b->peak = bench_peak(t, b->real_bytes, &message) * b->c->engine.threads;
	}
	free(message);
}

/* ---- what is said ---- */

/* The smallest trustworthy time: see bench.h. */
static double best(const Bench *b)
{
	bool alone = b->c->engine.threads == 1;
	return alone ? fmin(b->result.best, b->result.cpu) : b->result.best;
}

static const char *duration(Bench *b, double s)
{
	static const char *const unit[] = {"s", "ms", "µs", "ns"};
	unsigned k = 0;
	while (k < 3 && s < 0.9995) {
		s *= 1000;
		k++;
	}
	return arena_printf(b->r->e->arena, "%.*f %s", s < 9.995 ? 2 : s < 99.95 ? 1 : 0, s,
			    unit[k]);
}

static long resident_kb(void)
{
	struct rusage u;
	return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_maxrss : 0;
}

static void say_text(Bench *b, const PlanHow *how)
{
	FILE *out = b->r->e->options.output;
	fprintf(out, "%s, f%u, %u thread%s, %s\n", b->name, 8 * b->real_bytes,
		b->c->engine.threads, b->c->engine.threads == 1 ? "" : "s",
		how->compiled ? "compiled" : "interpreted");
	fprintf(out, "  best %s, median %s, processor time %s; %zu times in chunks of %zu\n",
		duration(b, best(b)), duration(b, b->result.median), duration(b, b->result.cpu),
		b->result.repetitions, b->timer.chunk);
	fprintf(out, "  %.4g MFLOP, of which %.4g in contractions: %.4g GFLOP/s",
		cost_flops(&b->cost) * 1e-6, b->cost.products * 1e-6,
		b->cost.products / best(b) * 1e-9);
	if (b->peak > 0) {
		fprintf(out, ", %.3g %% of the limit %.4g", 100e-9 * b->cost.products / best(b) / b->peak,
			b->peak);
	}
	fprintf(out, "\n  before: program %s, data %s, plans%s and first time %s", duration(b, b->read),
		duration(b, b->data), how->compiled ? ", code" : "", duration(b, b->timer.first));
	if (how->compiled) {
		fprintf(out, " (%u instructions%s)", how->instructions,
			how->cached ? ", from the cache" : "");
	}
	fprintf(out, "\n  memory: plan %.4g MB, process at most %.4g MB\n",
		(double)plan_cost(b->plan).memory * 1e-6, (double)resident_kb() * 1.024e-3);
}

static void say_json(Bench *b, const PlanHow *how)
{
	FILE *out = b->r->e->options.output;
	json_t *o = json_pack("{s:s, s:i, s:i, s:b, s:b}", "what", b->name, "bits",
			      (int)(8 * b->real_bytes), "threads", (int)b->c->engine.threads,
			      "compiled", (int)how->compiled, "cached", (int)how->cached);
	const struct {
		const char *name;
		double value;
	} number[] = {
		{"best", best(b)},
		{"best_wall", b->result.best},
		{"median_wall", b->result.median},
		{"best_cpu", b->result.cpu},
		{"read", b->read},
		{"data", b->data},
		{"first", b->timer.first},
		{"first_cpu", b->timer.first_cpu},
		{"compile", how->compile_ms * 1e-3},
		{"flops", cost_flops(&b->cost)},
		{"contraction_flops", b->cost.products},
		{"peak_gflops", b->peak},
		{"plan_bytes", (double)plan_cost(b->plan).memory},
		{"resident_kb", (double)resident_kb()},
		{"repetitions", (double)b->result.repetitions},
		{"instructions", how->instructions},
	};
	for (size_t k = 0; o && k < sizeof number / sizeof *number; k++) {
		json_object_set_new(o, number[k].name, json_real(number[k].value));
	}
	if (o) {
		json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
		fputc('\n', out);
		json_decref(o);
	}
}

static void say(Bench *b)
{
	PlanHow how = cost_how(b->plan, &b->real_bytes);
	b->result = bench_result(&b->timer);
	b->cost = cost_plan(b->plan, false, 0);
	find_peak(b);
	(b->c->engine.json ? say_json : say_text)(b, &how);
}

/* ---- the command ---- */

int cmd_bench(CmdLine *c)
{
	int code;
	Bench b = {.c = c, .timer = {.budget = c->seconds > 0 ? c->seconds : 1}};
	double began = now();
	Engine *e = cmd_open(c, 0, &code);
	if (!e) {
		return code;
	}
	b.r = engine_run_state(e);
	b.read = now() - began;
	bool ready = b.r && run_prepare(b.r);
	b.data = now() - began - b.read;
	if (ready && !choose(&b)) {
		code = c->of ? cmd_usage(c, "there is no training, let or loss %s", c->of)
			     : cmd_usage(c, "the program has neither a training nor a loss");
	} else if (ready && run_values(&b)) {
		b.data = now() - began - b.read;
		if (b.stmt && b.stmt->kind == STMT_TRAIN ? time_steps(&b) : time_plan(&b)) {
			say(&b);
		} else if (diags_errors(e->ctx.diags) == 0) {
			code = cmd_usage(c, "%s ended before it could be timed", b.name);
		}
	}
	bench_free(&b.timer);
	return cmd_close(e, code);
}
