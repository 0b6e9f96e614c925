/* build_plan.c — plans of exported functions. What the program holds at this moment (parameters,
 * data, lets) is copied into leaves of role DATA, so that everything which depends on it alone is
 * computed once, when the library is built or its parameters are prepared. */
#include "compiler/build_int.h"
#include "compiler/deriv.h"
#include <stdalign.h>
#include <string.h>

enum { MANY = 256, FEW = 16 };

/* ---- definitions ---- */

/* All definitions of all functions and where each of them stands. The statement may be met again,
 * with other values: its own definitions stay as they are. */
typedef struct Defs {
	uint32_t n;
	Def *def;
	Def **home;
} Defs;

static void collect(Library *l, Defs *d)
{
	uint32_t room = 0;
	for (uint32_t k = 0; k < l->nfn; k++) {
		room += l->fn[k].fn->nresult * EXPORT_FORMS * 2;
	}
	d->def = arena_array(l->arena, Def, room + 1);
	d->home = arena_array(l->arena, Def *, room + 1);
	for (uint32_t k = 0; k < l->nfn; k++) {
		LibFn *f = &l->fn[k];
		for (uint32_t i = 0; i < f->fn->nresult; i++) {
			for (int q = 0; q < EXPORT_FORMS * 2; q++) {
				Def *at = &f->value[i][q / 2][q % 2];
				if (*at) {
					d->home[d->n] = at;
					d->def[d->n++] = *at;
				}
			}
		}
	}
}

static void put_back(const Defs *d)
{
	for (uint32_t k = 0; k < d->n; k++) {
		*d->home[k] = d->def[k];
	}
}

static bool is_argument(const Library *l, Def leaf)
{
	for (uint32_t k = 0; k < l->nfn; k++) {
		const ExportFn *fn = l->fn[k].fn;
		for (uint32_t i = 0; i < fn->narg * EXPORT_FORMS * 2; i++) {
			if (fn->arg[i / 4].def[i / 2 % 2][i % 2] == leaf) {
				return true;
			}
		}
	}
	return false;
}

/* ---- derivatives ---- */

static Def zero_like(Library *l, Def leaf, Sym name)
{
	Core *c = l->r->core;
	uint32_t n = core_def(c, leaf)->nindex;
	Index *ix = arena_array(l->arena, Index, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		ix[k] = core_index_like(c, core_def(c, leaf)->index[k]);
	}
	return core_share(c, name, core_def(c, leaf)->span, n, ix, core_real_const(c, 0), DEF_KEEP);
}

/* The value of one call, or the sum over all: its derivative by a call's arguments is that call's.
 */
static Node objective(Library *l, const LibFn *f, int form, Def value)
{
	Core *c = l->r->core;
	if (form == EXPORT_ONE) {
		return core_read(c, value, NULL);
	}
	Index call = core_index_like(c, core_def(c, value)->index[0]);
	Node one = core_read_plain(c, value, &call);
	return core_reduce(c, RED_SUM, f->fn->name, f->fn->span, 1, &call, one);
}

/* Definitions of the derivatives, from values in which none is left. */
static bool add_gradient(Library *l, LibFn *f, int form)
{
	Run *r = l->r;
	const ExportFn *fn = f->fn;
	Def *by = arena_array(l->arena, Def, fn->nresult),
	    *d = arena_array(l->arena, Def, fn->nresult);
	uint32_t n = fn->nresult - 1;
	for (uint32_t k = 0; k < n; k++) {
		by[k] = fn->arg[fn->result[k + 1].by - 1].def[form][0];
	}
	Node loss = objective(l, f, form, f->value[0][form][0]);
	if (!deriv_gradient(r->core, l->arena, r->e->ctx.diags, loss, n, by, d)) {
		return false;
	}
	for (uint32_t k = 0; k < n; k++) {
		f->value[k + 1][form][0] = d[k] ? d[k] : zero_like(l, by[k], fn->name);
	}
	return true;
}

/* Values of the functions, then derivatives: definitions without derivatives in them. */
static bool resolve(Library *l, Defs *d)
{
	for (uint32_t k = 0; k < l->nfn; k++) {
		LibFn *f = &l->fn[k];
		f->value = (Def(*)[EXPORT_FORMS][2])arena_alloc(
			l->arena, (f->fn->nresult + 1) * sizeof *f->value, alignof(Def));
		for (uint32_t i = 0; i < f->fn->nresult; i++) {
			memcpy(f->value[i], f->fn->result[i].def, sizeof f->value[i]);
		}
		core_axis_resize(l->r->core, f->fn->calls, MANY); /* until a plan knows better */
	}
	collect(l, d);
	if (!eval_resolve(l->r, d->n, d->def)) {
		return false;
	}
	put_back(d);
	for (uint32_t k = 0; k < l->nfn; k++) {
		for (int form = 0; l->fn[k].fn->gradient && form < EXPORT_FORMS; form++) {
			if (!add_gradient(l, &l->fn[k], form)) {
				return false;
			}
		}
	}
	*d = (Defs){0};
	collect(l, d);
	return true;
}

/* ---- leaves ---- */

static bool copy_leaf(Library *l, Def leaf)
{
	Run *r = l->r;
	DefInfo d = *core_def(r->core, leaf);
	if (!store_has(r->store, leaf)) {
		diag_no_value(r->e->ctx.diags, d.span, run_name(r, d.name));
		return false;
	}
	Axis *axis = arena_array(l->arena, Axis, d.nindex + 1);
	for (uint32_t k = 0; k < d.nindex; k++) {
		axis[k] = core_index_axis(r->core, d.index[k]);
	}
	Def copy = core_leaf(r->core, DEF_DATA, d.name, d.span, d.kind, d.unit, d.nindex, axis);
	core_def_mutable(r->core, copy)->flags |= d.flags & DEF_SPIN;
	if (!eval_room(r, copy)) {
		return false;
	}
	size_t n = store_count(r->store, leaf);
	if (d.kind == KIND_REAL) {
		memcpy(store_real(r->store, copy), store_read(r->store, leaf), n * sizeof(double));
	} else {
		memcpy(store_int(r->store, copy), store_int(r->store, leaf), n * sizeof(int64_t));
	}
	l->leaf[l->nleaf] = leaf;
	l->copy[l->nleaf++] = copy;
	return true;
}

static bool copy_leaves(Library *l, const Defs *d)
{
	Core *c = l->r->core;
	Node *root = arena_array(l->arena, Node, d->n + 1);
	for (uint32_t k = 0; k < d->n; k++) {
		root[k] = core_read_plain(c, d->def[k], core_def(c, d->def[k])->index);
	}
	Def *order;
	uint32_t *component, n = core_reach(c, l->arena, d->n, root, &order, &component);
	l->leaf = arena_array(l->arena, Def, n + 1);
	l->copy = arena_array(l->arena, Def, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		DefRole role = core_def(c, order[k])->role;
		bool leaf = role == DEF_PARAM || role == DEF_DATA || role == DEF_RUNTIME;
		if (leaf && !is_argument(l, order[k]) && !copy_leaf(l, order[k])) {
			return false;
		}
	}
	return true;
}

static void describe_params(Library *l)
{
	Run *r = l->r;
	const char **name = arena_array(l->arena, const char *, l->nleaf + 1);
	l->param = arena_array(l->arena, LibParam, l->nleaf + 1);
	for (uint32_t k = 0; k < r->program->nparam; k++) {
		const ParamInfo *p = r->program->param[k];
		for (uint32_t i = 0; i < l->nleaf; i++) {
			if (l->leaf[i] != p->leaf) {
				continue;
			}
			LibParam *q = &l->param[l->nparam];
			const DefInfo *d = core_def(r->core, p->leaf);
			const char *path = run_name(r, p->path);
			*q = (LibParam){
				.param = p, .copy = l->copy[i], .rank = d->nindex, .count = 1};
			q->tensor = p->value == p->leaf ? path
							: arena_printf(l->arena, "%s.stored", path);
			q->name = build_unique(l->arena, build_identifier(l->arena, path),
					       l->nparam, name);
			q->dim = arena_array(l->arena, size_t, d->nindex + 1);
			for (uint32_t a = 0; a < d->nindex; a++) {
				Axis axis = core_index_axis(r->core, d->index[a]);
				q->dim[a] = (size_t)core_axis_info(r->core, axis)->size;
				q->count *= q->dim[a];
			}
			name[l->nparam++] = q->name;
		}
	}
}

const LibParam *build_param_of(const Library *l, Def copy)
{
	for (uint32_t k = 0; k < l->nparam; k++) {
		if (l->param[k].copy == copy) {
			return &l->param[k];
		}
	}
	return NULL;
}

/* ---- plans ---- */

static Plan *make_plan(Library *l, const LibFn *f, int form)
{
	Run *r = l->r;
	PlanOutput *out = arena_array(l->arena, PlanOutput, 2 * f->fn->nresult + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < f->fn->nresult; k++) {
		for (int part = 0; part < 2; part++) {
			if (f->value[k][form][part]) {
				out[n++] = (PlanOutput){f->value[k][form][part], 0};
			}
		}
	}
	PlanOptions o = {.threads = 1, .real_bytes = l->real_bytes};
	Plan *p = plan_build(r->core, r->store, r->e->ctx.diags, n, out, o);
	const char *library = p ? plan_library(p) : NULL;
	if (library) { /* what is built needs libc and libm alone */
		diag_not_exportable(r->e->ctx.diags, f->fn->span, f->name,
				    arena_printf(core_arena(r->core),
						 "it uses %s, which compiled libraries do not have",
						 library));
		plan_free(p);
		return NULL;
	}
	if (p && r->e->options.verbose > 1) {
		fprintf(r->e->options.error, "# %s%s\n", f->name,
			form == EXPORT_MANY ? "_batch" : "");
		plan_print(p, r->e->options.error);
	}
	return p;
}

static bool plan_calls(Library *l, LibFn *f, int64_t calls)
{
	LibForm *m = &f->form[EXPORT_MANY];
	core_axis_resize(l->r->core, f->fn->calls, calls);
	plan_free(m->plan);
	m->plan = make_plan(l, f, EXPORT_MANY);
	m->calls = (size_t)calls;
	return m->plan != NULL;
}

/* A run of the form for many calls does one tile: as many calls as the planner would take at once,
 * fewer where the stack would not hold them. */
static bool plan_many(Library *l, LibFn *f)
{
	if (!plan_calls(l, f, MANY)) {
		return false;
	}
	int64_t width = code_width(f->form[EXPORT_MANY].plan);
	bool ok = width == MANY || plan_calls(l, f, width ? width : FEW);
	for (width = width ? width : FEW;
	     ok && width > FEW && !code_fits(f->form[EXPORT_MANY].plan);) {
		width = width / 2 < FEW ? FEW : width / 2;
		ok = plan_calls(l, f, width);
	}
	return ok;
}

bool build_plans(Library *l)
{
	Defs d = {0};
	if (!resolve(l, &d) || !copy_leaves(l, &d)) {
		return false;
	}
	describe_params(l);
	eval_replace(l->r, d.n, d.def, l->nleaf, l->leaf, l->copy);
	put_back(&d);
	bool ok = true;
	for (uint32_t k = 0; ok && k < l->nfn; k++) {
		LibForm *one = &l->fn[k].form[EXPORT_ONE];
		one->plan = make_plan(l, &l->fn[k], EXPORT_ONE);
		one->calls = 1;
		ok = one->plan && plan_many(l, &l->fn[k]);
	}
	return ok;
}

void build_plans_free(Library *l)
{
	for (uint32_t k = 0; k < l->nfn; k++) {
		for (int form = 0; form < EXPORT_FORMS; form++) {
			plan_free(l->fn[k].form[form].plan);
			l->fn[k].form[form].plan = NULL;
		}
	}
}
