/* cmd_grad.c — grad: the derived backward pass, printed, and checked against differences.
 *
 * The check compares entries of the gradient, at the initial parameters, with central differences
 * extrapolated by Richardson:
 *     D(h) = (L(x + h) - L(x - h))/(2h),   (4 D(h/2) - D(h))/3,   h = 1e-3 max(1, |x|)
 * The error of an entry is relative to the larger of it and 1e-4 of the largest entry compared. */
#include "compiler/cmd.h"
#include "compiler/deriv.h"
#include "compiler/grad_print.h"
#include "compiler/run_int.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP 1e-3
#define ALLOWED 1e-5
enum { ENTRIES = 24 };

typedef struct Gradient {
	Run *r;
	Node loss;
	uint32_t n;
	ParamInfo **param;
	Def *wrt, *grad;
} Gradient;

/* What the word names: a loss, or any expression of one number. */
static bool find_loss(Engine *e, const char *word, Gradient *g)
{
	const Program *p = e->program;
	for (uint32_t k = 0; k < p->nloss; k++) {
		if (strcmp(run_name(g->r, p->loss[k]->name), word) == 0) {
			g->loss = p->loss[k]->value;
			return true;
		}
	}
	uint32_t file = sources_add(e->ctx.sources, "expression", word, strlen(word));
	const Ast *ast = parse_expression(&e->ctx, file);
	Value v;
	const char *type;
	if (!ast || !elab_expression(e->elab, ast, &v, &type)) {
		return false;
	}
	if (!v.value || v.imaginary || core_def(g->r->core, v.value)->nindex ||
	    core_def(g->r->core, v.value)->kind != KIND_REAL) {
		diag_type_mismatch(e->ctx.diags, ast->span, type, "one real number");
		return false;
	}
	g->loss = core_read(g->r->core, v.value, NULL);
	return true;
}

static void add_param(Gradient *g, ParamInfo *p)
{
	for (uint32_t k = 0; k < g->n; k++) {
		if (g->param[k] == p) {
			return;
		}
	}
	g->param[g->n++] = p;
}

static bool add_named(Engine *e, Gradient *g, const char *name)
{
	const Program *p = e->program;
	for (uint32_t k = 0; k < p->nparam; k++) {
		if (strcmp(run_name(g->r, p->param[k]->path), name) == 0) {
			add_param(g, p->param[k]);
			return true;
		}
	}
	uint32_t n = 0;
	Sym sym = intern_find(e->ctx.names, name);
	ParamInfo **list = sym ? elab_params_of(e->elab, sym, &n) : NULL;
	for (uint32_t k = 0; k < n; k++) {
		add_param(g, list[k]);
	}
	if (n) {
		return true;
	}
	const char **names = arena_array(e->arena, const char *, p->nparam + 1);
	for (uint32_t k = 0; k < p->nparam; k++) {
		names[k] = run_name(g->r, p->param[k]->path);
	}
	const char *near = diag_nearest(name, names, p->nparam);
	Diag *d = diag_usage(e->ctx.diags, (Span){0},
			     arena_printf(e->arena, "there is no parameter %s", name));
	if (near) {
		diag_help(d, "did you mean  %s ?", near);
	}
	return false;
}

/* Without --wrt: every parameter that the loss reaches. */
static bool find_params(CmdLine *c, Engine *e, Gradient *g)
{
	const Program *p = e->program;
	g->param = arena_array(e->arena, ParamInfo *, p->nparam + 1);
	for (int k = 0; k < c->nwrt; k++) {
		if (!add_named(e, g, c->wrt[k])) {
			return false;
		}
	}
	for (uint32_t k = 0; !c->nwrt && k < p->nparam; k++) {
		if (core_depends(g->r->core, g->loss, p->param[k]->leaf)) {
			add_param(g, p->param[k]);
		}
	}
	for (uint32_t k = 0; k < g->n; k++) {
		if (!core_depends(g->r->core, g->loss, g->param[k]->leaf)) {
			diag_no_dependence(e->ctx.diags, g->param[k]->span, c->word[1],
					   run_name(g->r, g->param[k]->path));
			return false;
		}
	}
	if (!g->n) {
		diag_no_dependence(e->ctx.diags, (Span){0}, c->word[1], "any parameter");
	}
	return g->n > 0;
}

static bool derive(Engine *e, Gradient *g)
{
	g->wrt = arena_array(e->arena, Def, g->n);
	g->grad = arena_array(e->arena, Def, g->n);
	for (uint32_t k = 0; k < g->n; k++) {
		g->wrt[k] = g->param[k]->leaf;
	}
	return eval_resolve_nodes(g->r, 1, &g->loss) &&
	       deriv_gradient(g->r->core, e->scratch, e->ctx.diags, g->loss, g->n, g->wrt, g->grad);
}

/* ---- the numerical check ---- */

typedef struct Check {
	Gradient *g;
	Plan *loss;
	double worst;
	size_t entries;
	const char *where;
} Check;

static double loss_at(Check *k, double *x, double v)
{
	double old = *x;
	*x = v;
	bool ok = eval_run(k->g->r, k->loss, 1);
	*x = old;
	return ok ? plan_real(k->loss, 0)[0] : NAN;
}

static double difference(Check *k, double *x)
{
	double h = STEP * fmax(1, fabs(*x)), v = *x;
	double wide = (loss_at(k, x, v + h) - loss_at(k, x, v - h)) / (2 * h);
	double narrow = (loss_at(k, x, v + h / 2) - loss_at(k, x, v - h / 2)) / h;
	return (4 * narrow - wide) / 3;
}

static double largest_entry(const Gradient *g, const Plan *p)
{
	double most = 0;
	for (uint32_t k = 0, out = 0; k < g->n; k++) {
		size_t n = g->grad[k] ? plan_count(p, out) : 0;
		for (size_t i = 0; i < n; i++) {
			most = fmax(most, fabs(plan_real(p, out)[i]));
		}
		out += g->grad[k] != 0;
	}
	return most;
}

/* Entries spread evenly over a parameter, all of a small one. */
static void check_param(Check *k, uint32_t number, const double *grad, double largest)
{
	Run *r = k->g->r;
	Def leaf = k->g->wrt[number];
	size_t n = store_count(r->store, leaf), m = n < ENTRIES ? n : ENTRIES;
	for (size_t j = 0; j < m; j++) {
		size_t i = m > 1 ? j * (n - 1) / (m - 1) : 0;
		double want = grad ? grad[i] : 0,
		       have = difference(k, &store_real(r->store, leaf)[i]);
		double size = fmax(fmax(fabs(want), fabs(have)), fmax(1e-4 * largest, 1e-300));
		double error = fabs(want - have) / size;
		k->entries++;
		if (!(error <= k->worst)) {
			k->worst = error;
			k->where = arena_printf(
				r->e->arena, "%s, entry %zu: %.10g, by differences %.10g",
				run_name(r, k->g->param[number]->path), i + 1, want, have);
		}
	}
}

static int numerical_check(Engine *e, Gradient *g)
{
	if (!run_prepare(g->r)) {
		return 0;
	}
	PlanOutput *out = arena_array(e->arena, PlanOutput, g->n + 1),
		   loss = {eval_define(g->r, "loss", g->loss), 0};
	uint32_t n = 0;
	for (uint32_t k = 0; k < g->n; k++) {
		if (g->grad[k]) {
			out[n++] = (PlanOutput){g->grad[k], 0};
		}
	}
	Check k = {.g = g, .loss = eval_plan(g->r, 1, &loss), .where = ""};
	Plan *p = k.loss && n ? eval_plan(g->r, n, out) : NULL;
	bool ok = k.loss && (!n || (p && eval_run(g->r, p, 1)));
	if (ok) {
		double largest = p ? largest_entry(g, p) : 0;
		for (uint32_t j = 0, o = 0; j < g->n; j++) {
			check_param(&k, j, g->grad[j] ? plan_real(p, o++) : NULL, largest);
		}
	}
	plan_free(p);
	plan_free(k.loss);
	if (!ok) {
		return 0;
	}
	bool right = k.worst <= ALLOWED;
	fprintf(e->options.output,
		"# %s: %zu entries against differences, worst relative error %.1e of %.0e\n",
		right ? "checked" : "WRONG", k.entries, k.worst, ALLOWED);
	if (!right) {
		fprintf(e->options.output, "# %s\n", k.where);
	}
	return right ? 0 : 1;
}

int cmd_grad_in(CmdLine *c, Engine *e)
{
	Gradient g = {.r = engine_run_state(e)};
	int code = 0;
	if (g.r && find_loss(e, c->word[1], &g) && find_params(c, e, &g) && derive(e, &g)) {
		grad_print(g.r->core, g.loss, g.n, g.wrt, g.grad, c->latex, e->options.output);
		code = numerical_check(e, &g);
	}
	return code;
}

int cmd_grad(CmdLine *c)
{
	int code;
	Engine *e = cmd_open(c, 0, &code);
	return e ? cmd_close(e, cmd_grad_in(c, e)) : code;
}
