/* cmd_emit.c — emit: the program at each stage, to standard output. */
#include "compiler/cmd.h"
#include "compiler/cmd_emit.h"
#include "compiler/deriv.h"
#include "compiler/run_int.h"
#include "compiler/train.h"
#include "lang/simplify.h"
#include <stdlib.h>
#include <string.h>

static bool all_trains(const Block *b, bool (*visit)(void *data, const TrainInfo *t), void *data)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Stmt *s = b->stmt[k];
		bool ok = s->kind == STMT_TRAIN    ? visit(data, &s->u.train)
			  : s->kind == STMT_SWEEP  ? all_trains(&s->u.sweep.body, visit, data)
			  : s->kind == STMT_REPEAT ? all_trains(&s->u.repeat.body, visit, data)
			  : s->kind == STMT_IF     ? all_trains(&s->u.branch.yes, visit, data) &&
							 all_trains(&s->u.branch.no, visit, data)
					       : true;
		if (!ok) {
			return false;
		}
	}
	return true;
}

/* ---- core, deriv, opt ---- */

typedef struct Outputs {
	Run *r;
	Sym *name;
	Node *root;
	size_t n, room, room2;
} Outputs;

static void add_output(Outputs *o, Sym name, Node root)
{
	size_t n = o->n;
	ARENA_PUSH(o->r->e->arena, o->name, n, o->room2, name);
	ARENA_PUSH(o->r->e->arena, o->root, o->n, o->room, root);
}

/* The gradient of a training's objective in each parameter, named by its path with the mark of an
 * adjoint. */
static bool add_gradients(void *data, const TrainInfo *t)
{
	Outputs *o = data;
	Run *r = o->r;
	Node root = t->objective;
	if (!eval_resolve_nodes(r, 1, &root)) {
		return false;
	}
	Def *wrt = arena_array(r->e->arena, Def, t->nparam + 1),
	    *grad = arena_array(r->e->arena, Def, t->nparam + 1);
	for (uint32_t k = 0; k < t->nparam; k++) {
		wrt[k] = t->param[k]->leaf;
	}
	if (!deriv_gradient(r->core, r->e->scratch, r->e->ctx.diags, root, t->nparam, wrt, grad)) {
		return false;
	}
	for (uint32_t k = 0; k < t->nparam; k++) {
		if (!grad[k]) {
			continue;
		}
		uint32_t n = core_def(r->core, grad[k])->nindex;
		Index *index = arena_array(r->e->arena, Index, n + 1);
		for (uint32_t j = 0; j < n; j++) {
			index[j] = core_index_like(r->core, core_def(r->core, grad[k])->index[j]);
		}
		Sym name =
			intern_printf(core_names(r->core), "%s_", run_name(r, t->param[k]->path));
		add_output(o, name, core_read_plain(r->core, grad[k], index));
	}
	return true;
}

static bool emit_core(Engine *e, int stage)
{
	Run *r = engine_run_state(e);
	CoreProgram p = elab_core(e->elab);
	Outputs o = {.r = r};
	for (uint32_t k = 0; k < p.n; k++) {
		add_output(&o, p.name[k], p.root[k]);
	}
	if (stage >= 1) {
		Block all = {e->program->nstmt, e->program->stmt};
		if (!eval_resolve_nodes(r, (uint32_t)o.n, o.root) ||
		    !all_trains(&all, add_gradients, &o)) {
			return false;
		}
	}
	if (stage >= 2) {
		core_simplify(r->core, e->scratch, 0, (uint32_t)o.n, o.root);
	}
	const char *why = core_check(r->core, (uint32_t)o.n, o.root, stage == 0);
	if (why) {
		diag_internal(e->ctx.diags, (Span){0}, why);
		return false;
	}
	CoreProgram out = {r->core, (uint32_t)o.n, o.name, o.root};
	core_print(&out, (const struct UnitTable *)e->program->units, e->options.output);
	return true;
}

/* ---- plan, llvm, asm ---- */

enum { STAGE_PLAN = 5, STAGE_LLVM, STAGE_ASM };

typedef struct PlanPrinter {
	Run *r;
	int stage;
	const char *cpu;
} PlanPrinter;

static bool print_plan(const PlanPrinter *w, const Plan *p, const char *what)
{
	fprintf(w->r->e->options.output, "%s %s\n", w->stage == STAGE_PLAN ? "#" : ";", what);
	if (w->stage == STAGE_PLAN) {
		plan_print(p, w->r->e->options.output);
		return true;
	}
	return cmd_emit_code(p, w->cpu, w->stage == STAGE_ASM, w->r->e->options.output,
			     w->r->e->ctx.diags);
}

static bool print_plans(void *data, const TrainInfo *t)
{
	const PlanPrinter *w = data;
	Run *r = w->r;
	for (uint32_t k = 0; k < t->nphase; k++) {
		Plan *p = train_step_plan(r, t, &t->phase[k]);
		if (!p) {
			return false;
		}
		const char *what =
			arena_printf(r->e->arena, "train %s, %s: one step", run_name(r, t->name),
				     run_name(r, t->phase[k].name));
		if (!print_plan(w, p, what)) {
			return false;
		}
	}
	return true;
}

static bool found(void *data, const TrainInfo *t)
{
	(void)t;
	*(bool *)data = true;
	return true;
}

/* What the plans may read: the `let` and data of present values that stand before the last training, of parameters as they
 * are at the start. */
static bool run_values(Run *r)
{
	const Program *p = r->program;
	uint32_t end = p->nstmt;
	for (uint32_t k = p->nstmt; k-- > 0 && end == p->nstmt;) {
		Block one = {1, &p->stmt[k]};
		bool trains = false;
		all_trains(&one, found, &trains);
		end = trains ? k : end;
	}
	for (uint32_t k = 0; k < end; k++) {
		StmtKind kind = p->stmt[k]->kind;
		if ((kind == STMT_LET || kind == STMT_DATA) && !run_statement(r, p->stmt[k])) {
			return false;
		}
	}
	return true;
}

/* Code is shown of every plan, whether compiling it pays or not. */
static bool emit_plan(Engine *e, int stage, const char *cpu)
{
	Run *r = engine_run_state(e);
	PlanPrinter w = {r, stage, cpu};
	if (!r || !run_prepare(r) || !run_values(r)) {
		return false;
	}
	if (stage != STAGE_PLAN) {
		e->options.backend = BACKEND_JIT;
	}
	const Program *p = e->program;
	for (uint32_t k = 0; k < p->nloss; k++) {
		PlanOutput out = {eval_define(r, run_name(r, p->loss[k]->name), p->loss[k]->value),
				  0};
		Plan *plan = eval_plan(r, 1, &out);
		if (!plan) {
			return false;
		}
		const char *what =
			arena_printf(e->arena, "loss %s", run_name(r, p->loss[k]->name));
		bool good = print_plan(&w, plan, what);
		plan_free(plan);
		if (!good) {
			return false;
		}
	}
	Block all = {p->nstmt, p->stmt};
	return all_trains(&all, print_plans, &w);
}

static int stage_number(const char *name)
{
	static const char *const stages[] = {"tokens", "ast", "core", "deriv", "opt", "plan",
					    "llvm", "asm"};
	for (int k = 0; name && k < (int)(sizeof stages / sizeof *stages); k++) {
		if (strcmp(name, stages[k]) == 0) {
			return k;
		}
	}
	return -1;
}

/* Tokens and the tree need no meaning: they are shown of programs with mistakes too. */
static int emit_text(CmdLine *c, int stage)
{
	Engine *e = engine_create(&c->engine);
	if (!e) {
		return 6;
	}
	if (engine_load(e, c->word[0])) {
		if (stage == 0) {
			tokens_print(&e->ctx, e->file, c->engine.output);
		} else {
			engine_parse(e);
			ast_dump(e->ast, e->ctx.names, c->engine.output);
		}
	}
	return cmd_close(e, 0);
}

bool cmd_emit_in(Engine *e, const char *stage)
{
	int k = stage_number(stage);
	return k >= 2 && (k < STAGE_PLAN ? emit_core(e, k - 2) : emit_plan(e, k, e->options.cpu));
}

int cmd_emit(CmdLine *c)
{
	int stage = stage_number(c->stage), code;
	if (stage < 0) {
		return cmd_usage(c, "--stage takes tokens, ast, core, deriv, opt, plan, llvm or asm");
	}
	if (c->from && (strcmp(c->from, "core") != 0 || stage < 2 || stage > 4)) {
		return cmd_usage(c, "--from core goes with --stage core, deriv or opt");
	}
	if (c->from) {
		return cmd_emit_text(c, stage - 2);
	}
	if (stage < 2) {
		return emit_text(c, stage);
	}
	if (stage > STAGE_PLAN) { /* what has to run first, runs here, whatever the code is for */
		c->engine.backend = BACKEND_INTERPRET;
	}
	Engine *e = cmd_open(c, 0, &code);
	if (!e) {
		return code;
	}
	cmd_emit_in(e, c->stage);
	return cmd_close(e, 0);
}
