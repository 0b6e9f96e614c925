/* engine_check.c — the derivatives of a whole program, carried out without running it: what `check`
 * finds beyond names and types. Roots: losses, claims, values of statements, objectives with their
 * gradients. */
#include "compiler/deriv.h"
#include "compiler/engine.h"
#include "compiler/run_int.h"
#include <stdlib.h>

typedef struct Roots {
	Arena *a;
	Def *def;
	size_t n, room;
	const TrainInfo **train;
	size_t ntrain, troom;
} Roots;

static void add(Roots *s, Def d)
{
	if (d) {
		ARENA_PUSH(s->a, s->def, s->n, s->room, d);
	}
}

static void add_values(Roots *s, uint32_t n, const Value *v)
{
	for (uint32_t k = 0; k < n; k++) {
		add(s, v[k].value);
		add(s, v[k].imaginary);
	}
}

static void add_blocks(Roots *s, const Block *b);

static void add_statement(Roots *s, const Stmt *t)
{
	switch (t->kind) {
	case STMT_TRAIN:
		ARENA_PUSH(s->a, s->train, s->ntrain, s->troom, &t->u.train);
		break;
	case STMT_SWEEP:
		add_blocks(s, &t->u.sweep.body);
		break;
	case STMT_REPEAT:
		add_blocks(s, &t->u.repeat.body);
		break;
	case STMT_IF:
		add_blocks(s, &t->u.branch.yes);
		add_blocks(s, &t->u.branch.no);
		break;
	case STMT_RECORD:
		add_values(s, t->u.record.n, t->u.record.column);
		break;
	case STMT_DATA:
		for (uint32_t k = 0; k < t->u.data.n; k++) {
			const DataInfo *d = t->u.data.set[k];
			for (uint32_t j = 0; j < d->nfield; j++) {
				add(s, d->field[j].formula);
			}
		}
		break;
	case STMT_LET:
		add_values(s, t->u.let.n, t->u.let.value);
		break;
	case STMT_PRINT:
		add_values(s, t->u.print.n, t->u.print.item);
		break;
	case STMT_PLOT:
		add_values(s, t->u.plot.nvalue, t->u.plot.value);
		break;
	case STMT_SET:
		add(s, t->u.set.cond);
		add(s, t->u.set.value);
		break;
	case STMT_TEST:
	case STMT_ASSERT:
		add(s, t->u.claim.left);
		add(s, t->u.claim.right);
		add(s, t->u.claim.scale);
		add(s, t->u.claim.condition);
		break;
	default:
		break;
	}
}

/* Blocks are nested as deeply as the parser allows. */
static void add_blocks(Roots *s, const Block *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		add_statement(s, b->stmt[k]);
	}
}

static bool check_phase(Run *r, const TrainInfo *t, const Phase *p)
{
	Node root = p->objective ? p->objective : t->objective;
	if (!eval_resolve_nodes(r, 1, &root)) {
		return false;
	}
	Arena *scratch = r->e->scratch;
	ArenaMark mark = arena_mark(scratch);
	Def *wrt = arena_array(scratch, Def, t->nparam + 1),
	    *grad = arena_array(scratch, Def, t->nparam + 1);
	for (uint32_t k = 0; k < t->nparam; k++) {
		wrt[k] = t->param[k]->leaf;
	}
	bool ok = deriv_gradient(r->core, scratch, r->e->ctx.diags, root, t->nparam, wrt, grad);
	arena_release(scratch, mark);
	return ok;
}

/* Our own mistake, if the checker finds one. */
static bool check_core(Run *r, size_t n, const Def *def)
{
	Node *root = rt_alloc(n, sizeof *root);
	if (!root) {
		return false;
	}
	for (size_t k = 0; k < n; k++) {
		root[k] = core_read_plain(r->core, def[k], core_def(r->core, def[k])->index);
	}
	const char *why = core_check(r->core, (uint32_t)n, root, false);
	if (why) {
		diag_internal(r->e->ctx.diags, (Span){0}, why);
	}
	free(root);
	return !why;
}

bool engine_check_derivatives(Engine *e)
{
	Run *r = engine_run_state(e);
	if (!r) {
		diag_out_of_memory(e->ctx.diags, (Span){0}, "the program");
		return false;
	}
	Roots s = {.a = e->arena};
	const Program *p = e->program;
	for (uint32_t k = 0; k < p->nloss; k++) {
		add(&s, eval_define(r, run_name(r, p->loss[k]->name), p->loss[k]->value));
	}
	Block all = {p->nstmt, p->stmt};
	add_blocks(&s, &all);
	bool ok = eval_resolve(r, (uint32_t)s.n, s.def) && check_core(r, s.n, s.def);
	for (size_t k = 0; k < s.ntrain; k++) {
		for (uint32_t j = 0; j < s.train[k]->nphase; j++) {
			ok = check_phase(r, s.train[k], &s.train[k]->phase[j]) && ok;
		}
	}
	return ok && diags_errors(e->ctx.diags) == 0;
}

/* ---- warnings ---- */

/* Highest order of derivative in the definitions that a loss reaches. order[d] of definitions is
 * settled by rounds, since recurrences read themselves; a derivative inside a recurrence does not
 * add up, so the rounds end. */
typedef struct Orders {
	Core *c;
	unsigned *def;
	unsigned *node;
	uint32_t nnode;
} Orders;

static unsigned node_order(Orders *o, Node root)
{
	/* Arguments come before their users, so one pass upwards settles all nodes below the root.
	 */
	for (Node n = 1; n <= root; n++) {
		const NodeInfo *i = core_node(o->c, n);
		unsigned order = i->tag == NODE_READ ? o->def[i->ref] : 0;
		for (uint32_t k = 0; k < i->n; k++) {
			order = o->node[i->arg[k]] > order ? o->node[i->arg[k]] : order;
		}
		o->node[n] = order + (i->tag == NODE_D);
	}
	return o->node[root];
}

unsigned engine_derivative_order(Run *r, Node loss)
{
	Core *c = r->core;
	Orders o = {c, rt_alloc(core_def_count(c) + 1, sizeof(unsigned)), NULL, core_node_count(c)};
	o.node = rt_alloc((size_t)o.nnode + 1, sizeof(unsigned));
	unsigned result = 0;
	ArenaMark mark = arena_mark(r->e->scratch);
	if (o.def && o.node) {
		Def *order;
		uint32_t *component, n = core_reach(c, r->e->scratch, 1, &loss, &order, &component);
		for (uint32_t k = 0; k < n; k++) {
			const DefInfo *d = core_def(c, order[k]);
			for (uint32_t j = 0; j < d->npiece; j++) {
				unsigned here = node_order(&o, d->piece[j].value);
				o.def[order[k]] = here > o.def[order[k]] ? here : o.def[order[k]];
			}
		}
		result = node_order(&o, loss);
	}
	arena_release(r->e->scratch, mark);
	free(o.def);
	free(o.node);
	return result;
}

bool engine_in_loss(const Run *r, const ParamInfo *p)
{
	bool found = p->used;
	for (uint32_t k = 0; !found && k < r->program->nloss; k++) {
		found = core_depends(r->core, r->program->loss[k]->value, p->leaf);
	}
	return found;
}

/* Names read below a node; a definition does not read what it defines, but its indices do. */
static void mark_names(const Ast *a, bool *used)
{
	if (a->kind == AST_NAME) {
		used[a->name] = true;
	}
	bool defines = a->kind == AST_DEF && a->nkid == 2;
	for (uint32_t k = 0; k < a->nkid; k++) {
		const Ast *kid = a->kid[k];
		if (!kid || (defines && k == 0 && kid->kind == AST_NAME)) {
			continue;
		}
		bool head = defines && k == 0 && kid->kind == AST_INDEX;
		for (uint32_t j = 1; head && j < kid->nkid; j++) {
			mark_names(kid->kid[j], used);
		}
		if (!head) {
			mark_names(kid, used);
		}
	}
}

/* The name that a statement of a body defines, 0 if it defines none. */
static Sym defined_name(const Ast *statement)
{
	if (statement->kind != AST_DEF || !statement->kid[0] ||
	    (statement->kid[1]->kind == AST_FIELD && statement->kid[1]->integer)) {
		return 0; /* a part of (a, b) = …, which must be named */
	}
	const Ast *left = statement->kid[0];
	left = left->kind == AST_INDEX ? left->kid[0] : left;
	return left->kind == AST_NAME ? left->name : 0;
}

/* Definitions in the bodies of functions that nothing reads. As deep as the parser allows. */
static void warn_unused(Engine *e, const Ast *a)
{
	for (uint32_t k = 0; k < a->nkid; k++) {
		if (a->kid[k]) {
			warn_unused(e, a->kid[k]);
		}
	}
	if (a->kind != AST_BLOCK) {
		return;
	}
	ArenaMark mark = arena_mark(e->scratch);
	bool *used = arena_array(e->scratch, bool, intern_count(e->ctx.names) + 1);
	mark_names(a, used);
	for (uint32_t k = 0; k < a->nkid; k++) {
		Sym name = a->kid[k] ? defined_name(a->kid[k]) : 0;
		if (name && !used[name]) {
			used[name] = true; /* once for all its pieces */
			diag_unused_name(e->ctx.diags, a->kid[k]->kid[0]->span,
					 intern_text(e->ctx.names, name));
		}
	}
	arena_release(e->scratch, mark);
}

void engine_warn(Engine *e)
{
	Run *r = engine_run_state(e);
	const Program *p = e->program;
	if (!r) {
		return;
	}
	for (uint32_t k = 0; k < e->ast->nkid; k++) {
		/* Other blocks hold statements, fields and equations, which are read from outside.
		 */
		if (e->ast->kid[k]->kind == AST_FN) {
			warn_unused(e, e->ast->kid[k]);
		}
	}
	for (uint32_t k = 0; p->f32 && k < p->nloss; k++) {
		unsigned order = engine_derivative_order(r, p->loss[k]->value);
		if (order >= 2) {
			diag_f32_high_order(e->ctx.diags, p->loss[k]->span, order);
		}
	}
}
