/* cmd_cost.c — cost: what losses, training steps and claims take, counted from their plans before
 * anything runs. */
#include "compiler/claims.h"
#include "compiler/cmd.h"
#include "compiler/cost.h"
#include "compiler/data_load.h"
#include "compiler/deriv.h"
#include "compiler/run_int.h"
#include "compiler/train.h"
#include <jansson.h>
#include <string.h>

enum { AXES = 16 };

/* One line: a plan, or what is left of a plan that is freed. */
typedef struct Row {
	const char *kind, *name; /* "loss", "gradient", "step", "test", "assert" */
	int order;               /* of derivatives; -1: does not apply */
	bool total;              /* a loss that adds up others */
	int64_t times;           /* steps, trials; -1: not known before */
	Cost run, once;          /* each run; when data change */
	double held, leaves;     /* bytes: of the plan; of data, parameters, states */
	uint32_t naxis;          /* along which steps are repeated */
	Axis axis[AXES];
	double more[AXES]; /* operations with twice the axis / operations */
} Row;

typedef struct Costs {
	Run *r;
	Row *row;
	size_t n, room;
} Costs;

static double work(const Cost *c)
{
	return cost_flops(c) + c->function + c->random + c->other;
}

/* The steps of a plan that take more than a hundredth of its operations (-v). */
typedef struct Steps {
	FILE *out;
	double all;
} Steps;

static void print_step(void *data, uint32_t number, const char *kind, const char *name, const Cost *c)
{
	Steps *s = data;
	if (work(c) > 0.01 * s->all) {
		fprintf(s->out, "  %4.1f %%  step %u: %s %s, %.4g flop, %.4g functions, %.4g others, "
			"%.4g bytes read, %.4g written\n",
			100 * work(c) / s->all, number, kind, *name ? name : "_", cost_flops(c),
			c->function, c->other, c->read, c->written);
	}
}

static Row *add_row(Costs *w, const char *kind, const char *name, const Plan *p)
{
	Row row = {.kind = kind, .name = name, .order = -1, .times = 1};
	row.run = cost_plan(p, false, 0);
	row.once = cost_plan(p, true, 0);
	row.held = (double)plan_cost(p).memory;
	row.leaves = cost_leaves(p);
	row.naxis = cost_axes(p, row.axis, AXES);
	for (uint32_t k = 0; k < row.naxis; k++) {
		Cost twice = cost_plan(p, false, row.axis[k]);
		row.more[k] = work(&row.run) > 0 ? work(&twice) / work(&row.run) : 1;
	}
	if (w->r->e->options.verbose && !w->r->e->options.json) {
		Steps s = {w->r->e->options.output, work(&row.run)};
		fprintf(s.out, "%s %s\n", kind, name);
		cost_steps(p, print_step, &s);
	}
	ARENA_PUSH(w->r->e->arena, w->row, w->n, w->room, row);
	return &w->row[w->n - 1];
}

/* ---- losses ---- */

Plan *cmd_gradient_plan(Run *r, const LossInfo *l)
{
	const Program *p = r->program;
	Node root = l->value;
	if (!eval_resolve_nodes(r, 1, &root)) {
		return NULL;
	}
	Arena *a = r->e->arena;
	Def *wrt = arena_array(a, Def, p->nparam + 1), *grad = arena_array(a, Def, p->nparam + 1);
	PlanOutput *out = arena_array(a, PlanOutput, p->nparam + 1);
	uint32_t n = 0, nout = 0;
	for (uint32_t k = 0; k < p->nparam; k++) {
		if (!p->param[k]->frozen && core_depends(r->core, root, p->param[k]->leaf)) {
			wrt[n++] = p->param[k]->leaf;
		}
	}
	ArenaMark mark = arena_mark(r->e->scratch);
	bool ok = deriv_gradient(r->core, r->e->scratch, r->e->ctx.diags, root, n, wrt, grad);
	arena_release(r->e->scratch, mark);
	if (!ok) {
		return NULL;
	}
	out[nout++] = (PlanOutput){eval_define(r, run_name(r, l->name), root), 0};
	for (uint32_t k = 0; k < n; k++) {
		if (grad[k]) {
			out[nout++] = (PlanOutput){grad[k], 0};
		}
	}
	return eval_plan(r, nout, out);
}

static bool adds_up(const Run *r, Node value, const LossInfo *l)
{
	const Program *p = r->program;
	const NodeInfo *sum = core_node(r->core, value);
	for (uint32_t k = 0; sum->tag == NODE_LIN && k < sum->n; k++) {
		for (uint32_t j = 0; j < p->nloss; j++) {
			if (p->loss[j] != l && p->loss[j]->value == sum->arg[k]) {
				return true;
			}
		}
	}
	return false;
}

/* Does the loss add up others, itself or in a definition that it reads? */
static bool is_total(const Run *r, const LossInfo *l)
{
	ArenaMark mark = arena_mark(r->e->scratch);
	Def *order;
	uint32_t *component;
	Node value = l->value;
	uint32_t n = core_reach(r->core, r->e->scratch, 1, &value, &order, &component);
	bool total = adds_up(r, value, l);
	for (uint32_t k = 0; k < n && !total; k++) {
		const DefInfo *d = core_def(r->core, order[k]);
		total = d->npiece == 1 && d->nindex == 0 && adds_up(r, d->piece[0].value, l);
	}
	arena_release(r->e->scratch, mark);
	return total;
}

/* Orders come first: afterwards derivatives are carried out. */
static bool loss_rows(Costs *w)
{
	Run *r = w->r;
	const Program *p = r->program;
	unsigned *order = arena_array(r->e->arena, unsigned, p->nloss + 1);
	for (uint32_t k = 0; k < p->nloss; k++) {
		order[k] = engine_derivative_order(r, p->loss[k]->value);
	}
	for (uint32_t k = 0; k < p->nloss; k++) {
		const char *name = run_name(r, p->loss[k]->name);
		PlanOutput out = {eval_define(r, name, p->loss[k]->value), 0};
		Plan *value = eval_plan(r, 1, &out);
		if (!value) {
			return false;
		}
		add_row(w, "loss", name, value)->order = (int)order[k];
		plan_free(value);
		Plan *both = cmd_gradient_plan(r, p->loss[k]);
		if (!both) {
			return false;
		}
		Row *row = add_row(w, "gradient", name, both);
		row->order = (int)order[k];
		row->total = is_total(r, p->loss[k]);
		plan_free(both);
	}
	return true;
}

/* ---- statements ---- */

static int64_t phase_steps(const Run *r, const Phase *p)
{
	int64_t per = 1, n;
	if (p->epochs && p->batch_of && p->batch > 0) {
		per = (int64_t)data_records(r, p->batch_of) / p->batch;
	}
	return p->count >= 0 && !__builtin_mul_overflow(p->count, per, &n) ? n : -1;
}

static bool train_rows(Costs *w, const TrainInfo *t)
{
	Run *r = w->r;
	for (uint32_t k = 0; k < t->nphase; k++) {
		const Phase *phase = &t->phase[k];
		Plan *p = train_step_plan(r, t, phase);
		if (!p) {
			return false;
		}
		const char *name = arena_printf(r->e->arena, "%s, %s", run_name(r, t->name),
						run_name(r, phase->name));
		add_row(w, "step", name, p)->times = phase_steps(r, phase);
	}
	return true;
}

/* Claims over axes without a size are tried at several: they have no plan of their own. */
static bool claim_row(Costs *w, const Stmt *s)
{
	const Claim *c = &s->u.claim;
	if (c->nsized) {
		return true;
	}
	Plan *p = claims_plan(w->r, s);
	if (!p) {
		return false;
	}
	bool test = s->kind == STMT_TEST;
	Row *row = add_row(w, test ? "test" : "assert", c->text, p);
	row->times = test && c->nvar ? (c->trials > 0 ? c->trials : 1) : 1;
	return true;
}

/* Blocks are nested as deeply as the parser allows. */
static bool block_rows(Costs *w, const Block *b)
{
	bool ok = true;
	for (uint32_t k = 0; ok && k < b->n; k++) {
		const Stmt *s = b->stmt[k];
		switch (s->kind) {
		case STMT_TRAIN:
			ok = train_rows(w, &s->u.train);
			break;
		case STMT_TEST:
		case STMT_ASSERT:
			ok = claim_row(w, s);
			break;
		case STMT_SWEEP:
			ok = block_rows(w, &s->u.sweep.body);
			break;
		case STMT_REPEAT:
			ok = block_rows(w, &s->u.repeat.body);
			break;
		case STMT_IF:
			ok = block_rows(w, &s->u.branch.yes) && block_rows(w, &s->u.branch.no);
			break;
		default:
			break;
		}
	}
	return ok;
}

/* ---- text ---- */

enum { COLUMNS = 8 };
static const struct {
	const char *title, *name;
} columns[COLUMNS] = {
	{"add", "additions"},     {"multiply", "multiplications"}, {"divide", "divisions"},
	{"function", "functions"}, {"contract", "contraction_flops"}, {"read B", "bytes_read"},
	{"write B", "bytes_written"}, {"held B", "bytes_held"},
};

static double column(const Row *k, unsigned i)
{
	const double value[COLUMNS] = {k->run.add,      k->run.mul,  k->run.div,     k->run.function,
				       k->run.products, k->run.read, k->run.written, k->held};
	return value[i];
}

/* "76.42M": four digits and a prefix, "-" for nothing. */
static void print_number(FILE *out, double v)
{
	static const char prefix[] = " kMGTPE";
	unsigned k = 0;
	while (v >= 999.95 && prefix[k + 1]) {
		v /= 1000;
		k++;
	}
	int decimals = k == 0 ? 0 : v < 9.9995 ? 3 : v < 99.995 ? 2 : 1;
	if (v == 0) {
		fprintf(out, " %8s ", "-");
	} else {
		fprintf(out, " %8.*f%c", decimals, v, prefix[k]);
	}
}

static void print_row(FILE *out, const Row *k)
{
	fprintf(out, "%-8s %-22.22s", k->kind, k->name);
	for (unsigned i = 0; i < COLUMNS; i++) {
		print_number(out, column(k, i));
	}
	if (k->order >= 0) {
		fprintf(out, "  order %d", k->order);
	} else if (k->times > 1) {
		fprintf(out, "  %lld times", (long long)k->times);
	}
	fputc('\n', out);
}

/* The term of an objective whose value and gradient take most. */
static void print_share(const Costs *w, FILE *out)
{
	const Row *most = NULL;
	double sum = 0;
	for (size_t k = 0; k < w->n; k++) {
		const Row *row = &w->row[k];
		if (strcmp(row->kind, "gradient") != 0 || row->total) {
			continue;
		}
		most = !most || work(&row->run) > work(&most->run) ? row : most;
		sum += work(&row->run);
	}
	if (most && work(&most->run) < sum) {
		fprintf(out, "of the losses %s takes %.3g %% of the operations\n", most->name,
			100 * work(&most->run) / sum);
	}
}

static const char *axis_name(const Run *r, Axis a)
{
	return run_name(r, core_axis_info(r->core, a)->name);
}

/* How the work grows, for each kind of step once. */
static void print_growth(const Costs *w, FILE *out)
{
	const Row *last = NULL;
	for (size_t k = 0; k < w->n; k++) {
		const Row *row = &w->row[k];
		bool same = last && last->naxis == row->naxis && last->held == row->held &&
			    work(&last->run) == work(&row->run);
		if (strcmp(row->kind, "step") != 0 || same || !row->naxis) {
			continue;
		}
		last = row;
		fprintf(out, "a step of %s:", row->name);
		for (uint32_t q = 0; q < row->naxis; q++) {
			fprintf(out, "%s twice %s takes %.3g times", q ? "," : "",
				axis_name(w->r, row->axis[q]), row->more[q]);
		}
		fputs(" the operations\n", out);
	}
}

static void print_text(const Costs *w, FILE *out)
{
	fprintf(out, "%-31s", "once each");
	for (unsigned i = 0; i < COLUMNS; i++) {
		fprintf(out, " %8s ", columns[i].title);
	}
	fputc('\n', out);
	double leaves = 0;
	for (size_t k = 0; k < w->n; k++) {
		print_row(out, &w->row[k]);
		leaves = w->row[k].leaves > leaves ? w->row[k].leaves : leaves;
	}
	print_share(w, out);
	print_growth(w, out);
	fputs("data, parameters and states that the largest reads:", out);
	print_number(out, leaves);
	fputs("B\n", out);
}

/* ---- JSON: one object for each line of the table ---- */

static json_t *number(double v)
{
	return json_integer((json_int_t)v);
}

static void print_object(const Costs *w, const Row *k, FILE *out)
{
	json_t *o = json_pack("{s:s, s:s}", "kind", k->kind, "name", k->name);
	for (unsigned i = 0; o && i < COLUMNS; i++) {
		json_object_set_new(o, columns[i].name, number(column(k, i)));
	}
	if (!o) {
		return;
	}
	json_object_set_new(o, "random_numbers", number(k->run.random));
	json_object_set_new(o, "other", number(k->run.other));
	json_object_set_new(o, "bytes_leaves", number(k->leaves));
	json_object_set_new(o, "flops_when_data_change", number(cost_flops(&k->once)));
	json_object_set_new(o, "times", k->times < 0 ? json_null() : json_integer(k->times));
	if (k->order >= 0) {
		json_object_set_new(o, "derivative_order", json_integer(k->order));
	}
	json_t *growth = json_object();
	for (uint32_t q = 0; q < k->naxis; q++) {
		json_object_set_new(growth, axis_name(w->r, k->axis[q]), json_real(k->more[q]));
	}
	json_object_set_new(o, "operations_with_twice", growth);
	json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
	fputc('\n', out);
	json_decref(o);
}

/* ---- the command ---- */

bool cmd_cost_in(Engine *e)
{
	Run *r = engine_run_state(e);
	const Program *p = e->program;
	if (!r || !run_prepare(r)) {
		return false;
	}
	Costs w = {.r = r};
	Block all = {p->nstmt, p->stmt};
	r->compiling = true;
	bool ok = loss_rows(&w) && block_rows(&w, &all);
	r->compiling = false;
	if (!e->options.json) {
		print_text(&w, e->options.output);
	}
	for (size_t k = 0; e->options.json && k < w.n; k++) {
		print_object(&w, &w.row[k], e->options.output);
	}
	return ok;
}

int cmd_cost(CmdLine *c)
{
	int code;
	Engine *e = cmd_open(c, 0, &code);
	if (e) {
		cmd_cost_in(e);
		code = cmd_close(e, 0);
	}
	return code;
}
