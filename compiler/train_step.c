/* train_step.c — one training step as definitions: objective, gradient by one reverse sweep,
 * update, all in one plan.
 *
 * The leaf that stands for ∂objective/∂parameter in an optimiser's text is replaced by the derived
 * gradient, scaled by
 *     min(1, clip/|g|)
 * when the phase clips; |g| is the norm over all parameters that are trained. */
#include "compiler/data_load.h"
#include "compiler/deriv.h"
#include "compiler/train_int.h"
#include "lang/op.h"
#include <stdlib.h>
#include <string.h>

typedef struct Build {
	Training *tr;
	Core *c;
	Arena *a;
	uint32_t n; /* trained parameters */
	Def *wrt, *grad;
	PlanOutput *out;
	uint32_t nout;
} Build;

static Node read_at(Core *c, Arena *a, Def d, Index **index)
{
	uint32_t n = core_def(c, d)->nindex;
	*index = arena_array(a, Index, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		(*index)[k] = core_index_like(c, core_def(c, d)->index[k]);
	}
	return core_read_plain(c, d, *index);
}

static Def define(Build *b, const char *name, uint32_t n, const Index *index, Node value)
{
	Span at = b->tr->phase->span;
	return core_share(b->c, intern_str(core_names(b->c), name), at, n, index, value, DEF_KEEP);
}

/* A gradient that vanishes identically is a definition of zeros. */
static void fill_zero_gradients(Build *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		if (!b->grad[k]) {
			Index *index;
			read_at(b->c, b->a, b->wrt[k], &index);
			b->grad[k] = define(b, "zero", core_def(b->c, b->wrt[k])->nindex, index,
					    core_real_const(b->c, 0));
		}
	}
}

static Node sum_over(Build *b, RedKind red, uint32_t n, const Index *index, Node body)
{
	return n ? core_reduce(b->c, red, intern_str(core_names(b->c), "norm"), b->tr->phase->span,
			       n, index, body)
		 : body;
}

static Node gradient_norm(Build *b)
{
	Node sum = core_real_const(b->c, 0);
	for (uint32_t k = 0; k < b->n; k++) {
		Index *index;
		Node g = read_at(b->c, b->a, b->grad[k], &index);
		sum = core_add(b->c, sum,
			       sum_over(b, RED_SUM, core_def(b->c, b->grad[k])->nindex, index,
					core_powi(b->c, g, 2)));
	}
	return core_op1(b->c, OP_sqrt, sum);
}

/* max over entries of |next - now|/(1 + |now|) */
static Node largest_change(Build *b)
{
	Node largest = core_real_const(b->c, 0);
	for (uint32_t k = 0; k < b->n; k++) {
		const Update *u = b->tr->update[k];
		uint32_t n = core_def(b->c, u->next)->nindex;
		Index *index;
		Node next = read_at(b->c, b->a, u->next, &index);
		Node now = core_read_plain(b->c, u->param->leaf, index);
		Node size = core_add(b->c, core_real_const(b->c, 1), core_op1(b->c, OP_abs, now));
		Node part = core_div(b->c, core_op1(b->c, OP_abs, core_sub(b->c, next, now)), size);
		largest = core_op2(b->c, OP_max, largest, sum_over(b, RED_MAX, n, index, part));
	}
	return largest;
}

static void clip_gradients(Build *b, Def norm)
{
	Node clip = b->tr->phase->clip;
	if (!clip) {
		return;
	}
	Node size = core_read(b->c, norm, NULL);
	Node args[2] = {clip, size};
	Node scale = core_select(b->c, core_op(b->c, OP_lt, args), core_div(b->c, clip, size),
				 core_real_const(b->c, 1));
	Def factor = define(b, "clip", 0, NULL, scale);
	for (uint32_t k = 0; k < b->n; k++) {
		Index *index;
		Node g = read_at(b->c, b->a, b->grad[k], &index);
		Node clipped = core_mul(b->c, core_read(b->c, factor, NULL), g);
		b->grad[k] =
			define(b, "clipped", core_def(b->c, b->grad[k])->nindex, index, clipped);
	}
}

static void output(Build *b, Def value, Def assign)
{
	b->out[b->nout++] = (PlanOutput){value, assign};
}

static uint32_t count_states(const Training *tr)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < tr->nfree; k++) {
		n += tr->update[k]->nstate;
	}
	return n;
}

/* next and state_next of all updates with the derived gradients in place of their leaves. */
static void add_updates(Build *b)
{
	Training *tr = b->tr;
	uint32_t n = b->n + count_states(tr), at = 0;
	Def *def = arena_array(b->a, Def, n + 1), *assign = arena_array(b->a, Def, n + 1);
	Def *leaf = arena_array(b->a, Def, b->n + 1);
	for (uint32_t k = 0; k < b->n; k++) {
		const Update *u = tr->update[k];
		leaf[k] = u->gradient;
		def[at] = u->next;
		assign[at++] = u->param->leaf;
		for (uint32_t j = 0; j < u->nstate; j++) {
			def[at] = u->state_next[j];
			assign[at++] = u->state[j];
		}
	}
	if (tr->wants_change) {
		def[at] = define(b, "change", 0, NULL, largest_change(b));
		assign[at++] = 0;
	}
	eval_replace(tr->r, at, def, b->n, leaf, b->grad);
	if (tr->wants_change) {
		output(b, def[--at], 0);
	}
	for (uint32_t k = 0; k < at; k++) {
		output(b, def[k], assign[k]);
	}
}

static void find_layout(const Training *tr, Layout *l)
{
	bool search = tr->phase->kind == OPTIMISER_LBFGS;
	l->objective = 0;
	l->term = 1;
	l->norm = 1 + tr->phase->nterm;
	l->change = tr->wants_change && !search ? l->norm + 1 : 0;
	l->gradient = search ? l->norm + 1 : 0;
	l->n = l->norm + 1;
}

/* Losses without derivatives in them: root[0] the objective, then the terms. */
static bool resolve_losses(Build *b, Node *root)
{
	const Phase *p = b->tr->phase;
	root[0] = p->objective ? p->objective : b->tr->t->objective;
	for (uint32_t k = 0; k < p->nterm; k++) {
		root[1 + k] = p->term[k].value;
	}
	return eval_resolve_nodes(b->tr->r, 1 + p->nterm, root);
}

/* How often the plan of a step runs: a line search evaluates a little more than once a step; a phase
 * that ends by a condition alone is taken to need a thousand steps. */
static double expected_runs(const Training *tr)
{
	enum { UNKNOWN = 1000 };
	const Phase *p = tr->phase;
	int64_t limit = UNKNOWN;
	if (p->epochs && p->batch_data) {
		double per = (double)data_records(tr->r, p->batch_of) / (double)p->batch;
		return (double)(tr->count < 0 ? UNKNOWN : tr->count) * (per > 1 ? per : 1);
	}
	step_limit(tr, &limit);
	return (double)limit * (p->kind == OPTIMISER_LBFGS ? 1.1 : 1);
}

static Plan *build_plan(Training *tr, const Layout *l)
{
	Run *r = tr->r;
	Build b = {.tr = tr, .c = r->core, .a = r->e->arena, .n = tr->nfree};
	b.wrt = arena_array(b.a, Def, b.n + 1);
	b.grad = arena_array(b.a, Def, b.n + 1);
	b.out = arena_array(b.a, PlanOutput, l->n + 1 + b.n + b.n + count_states(tr));
	Node *root = arena_array(b.a, Node, tr->phase->nterm + 1);
	for (uint32_t k = 0; k < b.n; k++) {
		b.wrt[k] = tr->update[k]->param->leaf;
	}
	if (!resolve_losses(&b, root)) {
		return NULL;
	}
	ArenaMark mark = arena_mark(r->e->scratch);
	bool ok = deriv_gradient(b.c, r->e->scratch, r->e->ctx.diags, root[0], b.n, b.wrt, b.grad);
	arena_release(r->e->scratch, mark);
	if (!ok) {
		return NULL;
	}
	fill_zero_gradients(&b);
	output(&b, define(&b, "objective", 0, NULL, root[0]), 0);
	for (uint32_t k = 0; k < tr->phase->nterm; k++) {
		output(&b, define(&b, run_name(r, tr->phase->term[k].name), 0, NULL, root[1 + k]),
		       0);
	}
	Def norm = define(&b, "grad_norm", 0, NULL, gradient_norm(&b));
	output(&b, norm, 0);
	if (l->gradient) {
		for (uint32_t k = 0; k < b.n; k++) {
			output(&b, b.grad[k], 0);
		}
	} else {
		clip_gradients(&b, norm);
		add_updates(&b);
	}
	double runs = r->runs;
	r->runs *= expected_runs(tr);
	r->single = r->program->f32;
	r->what = arena_printf(b.a, "step of %s, %s", run_name(r, tr->t->name),
			       run_name(r, tr->phase->name));
	Plan *p = eval_plan(r, b.nout, b.out);
	r->what = NULL;
	r->single = false;
	r->runs = runs;
	return p;
}

/* Plans leave frozen parameters out: each set of frozen ones that was met has a number. */
static unsigned frozen_number(Run *r)
{
	uint32_t n = r->program->nparam;
	char *text = arena_alloc(r->e->arena, (size_t)n + 1, 1);
	for (uint32_t k = 0; k < n; k++) {
		text[k] = r->program->param[k]->frozen ? '1' : '0';
	}
	for (size_t k = 0; k < r->nfrozen; k++) {
		if (strcmp(r->frozen[k], text) == 0) {
			return (unsigned)k;
		}
	}
	ARENA_PUSH(r->e->arena, r->frozen, r->nfrozen, r->frozen_room, text);
	return (unsigned)r->nfrozen - 1;
}

Plan *step_plan(Training *tr, Layout *layout)
{
	find_layout(tr, layout);
	unsigned part = PART_STEP + 2 * frozen_number(tr->r);
	Plan *p = eval_find(tr->r, tr->phase, part);
	if (p) {
		return p;
	}
	p = build_plan(tr, layout);
	return p && eval_keep(tr->r, tr->phase, part, p) ? p : NULL;
}

Plan *state_plan(Training *tr, bool *none)
{
	uint32_t n = 0, most = count_states(tr);
	*none = most == 0;
	PlanOutput *out = rt_alloc(most, sizeof *out);
	if (!out) {
		diag_out_of_memory(tr->r->e->ctx.diags, tr->phase->span, "an optimiser's state");
		return NULL;
	}
	for (uint32_t k = 0; k < tr->nfree; k++) {
		const Update *u = tr->update[k];
		for (uint32_t j = 0; j < u->nstate; j++) {
			out[n++] = (PlanOutput){u->state_init[j], u->state[j]};
		}
	}
	unsigned part = PART_STEP + 1 + 2 * frozen_number(tr->r);
	tr->r->what = arena_printf(tr->r->e->arena, "states of %s, %s", run_name(tr->r, tr->t->name),
				   run_name(tr->r, tr->phase->name));
	Plan *p = most ? eval_cached(tr->r, tr->phase, part, n, out) : NULL;
	tr->r->what = NULL;
	free(out);
	return p;
}
