/* plan.c — from a system of definitions to a plan: the stages of planning in order, and access to
 * the finished plan. Core in (outputs closed up to their formals, no NODE_D); steps over buffers
 * out. SPEC.md, determinism. */
#include "compiler/plan_make.h"
#include "lang/matrix.h"
#include "lang/simplify.h"
#include <assert.h>
#include <string.h>

static const size_t MEMORY_DEFAULT = (size_t)8 << 30;

/* ---- outputs ---- */

static bool def_is_leaf(const Core *c, Def d)
{
	DefRole role = core_def(c, d)->role;
	return role == DEF_PARAM || role == DEF_DATA || role == DEF_RUNTIME;
}

/* Does any piece lie outside the axes (a base element)? Such a definition cannot be an output
 * itself. */
static bool def_exceeds(const Core *c, Def d)
{
	const DefInfo *info = core_def(c, d);
	for (uint32_t k = 0; k < info->npiece; k++) {
		for (uint32_t f = 0; info->piece[k].box && f < info->nindex; f++) {
			const AxisInfo *a = core_axis_info(c, core_index_axis(c, info->index[f]));
			Range r = info->piece[k].box[f];
			int64_t last = a->first + a->size - 1;
			int64_t lo =
				r.lo.kind == EDGE_AT
					? r.lo.offset
					: (r.lo.kind == EDGE_FIRST ? a->first : last) + r.lo.offset;
			int64_t hi =
				r.hi.kind == EDGE_AT
					? r.hi.offset
					: (r.hi.kind == EDGE_FIRST ? a->first : last) + r.hi.offset;
			if (lo < a->first || hi > last) {
				return true;
			}
		}
	}
	return (info->flags & DEF_ZERO_OUTSIDE) != 0;
}

/* The definition that an output node stands for: the one it reads plainly, or a new one with this
 * value. */
static Def output_def(Core *c, Def asked, Node node, uint32_t n, const Index *index)
{
	const NodeInfo *info = core_node(c, node);
	bool plain = info->tag == NODE_READ && !def_is_leaf(c, info->ref) && info->n == n &&
		     !def_exceeds(c, info->ref);
	for (uint32_t k = 0; k < n && plain; k++) {
		const NodeInfo *arg = core_node(c, info->arg[k]);
		Axis own = core_index_axis(c, core_def(c, info->ref)->index[k]);
		plain = arg->tag == NODE_INDEX && arg->ref == index[k] &&
			core_index_axis(c, index[k]) == own;
	}
	if (plain) {
		return info->ref;
	}
	DefInfo from = *core_def(c, asked);
	Index *own = arena_array(core_arena(c), Index, n + 1);
	Node *to = arena_array(core_arena(c), Node, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		own[k] = core_index(c, core_index_axis(c, index[k]), core_index_name(c, index[k]));
		to[k] = core_index_value(c, own[k]);
	}
	Piece piece = {NULL, core_subst(c, node, n, index, to)};
	return core_define(c, (DefInfo){.role = DEF_VALUE,
					.name = from.name,
					.span = from.span,
					.kind = from.kind,
					.unit = from.unit,
					.nindex = n,
					.index = own,
					.npiece = 1,
					.piece = &piece});
}

static Def *plan_outputs(Planner *p, uint32_t n, const PlanOutput *outputs)
{
	Core *c = p->core;
	Node *root = arena_array(p->arena, Node, n + 1);
	Index **index = arena_array(p->arena, Index *, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		DefInfo info = *core_def(c, outputs[k].value);
		index[k] = arena_array(p->arena, Index, info.nindex + 1);
		for (uint32_t f = 0; f < info.nindex; f++) {
			index[k][f] = core_index(c, core_index_axis(c, info.index[f]),
						 core_index_name(c, info.index[f]));
		}
		root[k] = core_read_plain(c, outputs[k].value, index[k]);
	}
	core_simplify(c, p->arena, SIMPLIFY_FOLD, n, root);
	Def *def = arena_array(p->arena, Def, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		def[k] = output_def(c, outputs[k].value, root[k],
				    core_def(c, outputs[k].value)->nindex, index[k]);
	}
	return def;
}

/* ---- stages ---- */

bool plan_axis_sized(Core *c, Diags *ds, Span span, Axis a)
{
	const AxisInfo *info = core_axis_info(c, a);
	if (info->size >= 0) {
		return true;
	}
	diag_wrong_arguments(ds, span, intern_text(core_names(c), info->name),
			     "the size of this axis comes with each record, and nothing here says of which");
	return false;
}

static bool check_sizes(Planner *p)
{
	if (p->unsized) {
		return plan_axis_sized(p->core, p->ds, core_def(p->core, p->unsized_in)->span, p->unsized);
	}
	for (uint32_t k = 1; k < p->ndef; k++) {
		const PDef *d = &p->def[k];
		for (uint32_t f = 0; f < d->rank + d->nbound; f++) {
			Index i = f < d->rank ? d->formal[f] : d->bound[f - d->rank];
			if (!plan_axis_sized(p->core, p->ds, core_def(p->core, d->def)->span,
					     core_index_axis(p->core, i))) {
				return false;
			}
		}
		if (d->mode == MODE_LEAF && !store_has(p->plan->store, d->def) &&
		    !store_alloc(p->plan->store, d->def)) {
			const DefInfo *info = core_def(p->core, d->def);
			diag_out_of_memory(p->ds, info->span,
					   intern_text(core_names(p->core), info->name));
			return false;
		}
	}
	return true;
}

static void find_order(Planner *p)
{
	uint32_t n = p->ndef - 1;
	uint32_t *list = arena_array(p->arena, uint32_t, n + 1),
		 *comp = arena_array(p->arena, uint32_t, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		list[k] = k + 1;
	}
	p->order = arena_array(p->arena, uint32_t, n + 1);
	plan_order(p, n, list, p->order, comp, &p->ncomponent);
	p->norder = n;
	for (uint32_t k = 0; k < n; k++) {
		PDef *d = &p->def[p->order[k]];
		d->component = comp[k];
		d->cyclic =
			(k > 0 && comp[k - 1] == comp[k]) || (k + 1 < n && comp[k + 1] == comp[k]);
		for (uint32_t q = 0; q < d->nread; q++) {
			d->cyclic |= d->read[q].to == p->order[k];
		}
	}
}

/* Outputs that were computed tile by tile, features first, are put in order at the end of each
 * tile. */
static void copy_outputs(Planner *p, uint32_t n, const uint32_t *list)
{
	for (uint32_t k = 0; k < n; k++) {
		const PDef *d = &p->def[list[k]];
		if (d->home.buffer && d->local.buffer) {
			plan_emit_copy(p, d, d->dom, d->tiled, &d->local, &d->home);
		}
	}
}

static uint32_t gather_stage(const Planner *p, bool fixed, uint32_t stage, const Loop *tile,
			     uint32_t *list)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->norder; k++) {
		const PDef *d = &p->def[p->order[k]];
		bool absorbed_here = d->mode == MODE_ABSORBED;
		if (d->mode == MODE_LEAF || d->mode == MODE_INLINE || d->is_static != fixed ||
		    d->stage != stage) {
			continue;
		}
		if (d->tile == tile || absorbed_here) {
			list[n++] = p->order[k];
		}
	}
	return n;
}

static bool plan_stages(Planner *p, bool fixed)
{
	uint32_t last = 0;
	for (uint32_t k = 1; k < p->ndef; k++) {
		last = p->def[k].stage > last ? p->def[k].stage : last;
	}
	uint32_t *list = arena_array(p->arena, uint32_t, p->ndef + 1);
	Block *top = fixed ? &p->plan->fixed : &p->plan->body;
	for (uint32_t stage = 0; stage <= last; stage++) {
		p->into = top;
		uint32_t n = gather_stage(p, fixed, stage, NULL, list);
		if (!plan_schedule(p, n, list)) {
			return false;
		}
		for (uint32_t t = 0; t < p->ntiled; t++) {
			if (p->tiled[t].stage != stage || p->tiled[t].is_static != fixed) {
				continue;
			}
			p->tile = p->tiled[t].loop;
			p->into = &p->tile->body;
			n = gather_stage(p, fixed, stage, p->tile, list);
			if (!plan_schedule(p, n, list)) {
				return false;
			}
			copy_outputs(p, n, list);
			p->into = top;
			plan_step(p, STEP_LOOP)->loop = p->tile;
			p->tile = NULL;
		}
	}
	return true;
}

static void finish_outputs(Planner *p, uint32_t n, const PlanOutput *outputs, const Def *def)
{
	Plan *plan = p->plan;
	plan->noutput = n;
	plan->output = arena_array(plan->arena, Output, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		const PDef *d = plan_def(p, def[k]);
		Output *o = &plan->output[k];
		o->value = outputs[k].value;
		o->assign = outputs[k].assign;
		o->view = d->home;
		o->count = d->home.buffer->count;
		o->integer = d->kind != KIND_REAL;
	}
	plan->tile = arena_array(plan->arena, Loop *, p->ntiled + 1);
	for (uint32_t t = 0; t < p->ntiled; t++) {
		plan->tile[p->tiled[t].loop->number] = p->tiled[t].loop;
	}
	plan->version = arena_array(plan->arena, Version, p->ndef + 1);
	for (uint32_t k = 1; k < p->ndef; k++) {
		const PDef *d = &p->def[k];
		plan->cost.definitions += d->mode != MODE_LEAF;
		plan->fixed_random |= d->random && d->is_static;
		if (d->mode == MODE_LEAF && d->is_static) {
			plan->version[plan->nversion++] = (Version){d->def, 0};
		}
	}
}

/* Compiled code writes what is assigned into an array that then becomes the leaf's. */
static void decide_backend(Planner *p)
{
	Plan *plan = p->plan;
	plan->compiled = p->options.compiled && plan_pays(plan, p->options.runs);
	for (uint32_t k = 0; plan->compiled && k < plan->noutput; k++) {
		const Output *o = &plan->output[k];
		Buffer *b = o->view.buffer;
		bool alone = true;
		for (uint32_t q = 0; q < plan->noutput; q++) {
			alone &= q == k || plan->output[q].view.buffer != b;
		}
		b->apart = o->assign && alone && b->place == PLACE_GLOBAL;
	}
}

static bool plan_make(Planner *p, uint32_t n, const PlanOutput *outputs)
{
	Def *def = plan_outputs(p, n, outputs);
	if (!plan_collect(p, n, def) || !check_sizes(p)) {
		return false;
	}
	for (uint32_t k = 0; k < n; k++) {
		plan_def(p, def[k])->output = true;
	}
	find_order(p);
	plan_carry(p);
	if (!plan_factor(p)) {
		return false;
	}
	find_order(p);
	plan_demand(p);
	plan_protect(p);
	plan_inline(p);
	plan_demand(p);
	plan_settle(p);
	find_order(p); /* regions that are not demanded may have closed cycles */
	plan_classify(p);
	if (!plan_views(p) || !plan_stages(p, true) || !plan_stages(p, false)) {
		return false;
	}
	finish_outputs(p, n, outputs, def);
	decide_backend(p);
	if (!plan_place(p)) {
		diag_too_large(p->ds, core_def(p->core, outputs[0].value)->span,
			       arena_printf(p->arena, "the memory needed (%zu MB)",
					    p->plan->cost.memory >> 20),
			       arena_printf(p->arena, "%zu MB", p->plan->memory_limit >> 20));
		return false;
	}
	if (!exec_create(p->plan)) {
		diag_out_of_memory(p->ds, core_def(p->core, outputs[0].value)->span,
				   "the arrays of the program");
		return false;
	}
	return true;
}

Plan *plan_build(Core *c, Store *store, Diags *ds, uint32_t n, const PlanOutput *outputs,
		 PlanOptions options)
{
	Arena *arena = arena_create_like(core_arena(c)), *scratch = arena_create_like(core_arena(c));
	if (!arena || !scratch) {
		arena_free(arena);
		arena_free(scratch);
		diag_out_of_memory(ds, n ? core_def(c, outputs[0].value)->span : (Span){0},
				   "a plan");
		return NULL;
	}
	Plan *plan = arena_new(arena, Plan);
	plan->arena = arena;
	plan->core = c;
	plan->store = store;
	plan->threads = options.threads ? options.threads : 1;
	plan->machine = options.machine;
	plan->name = options.name ? arena_strdup(arena, options.name) : NULL;
	plan->real_bytes = options.real_bytes ? options.real_bytes : sizeof(double);
	plan->memory_limit = options.memory ? options.memory : MEMORY_DEFAULT;
	plan->nslot = 1;
	Planner p = {.plan = plan, .core = c, .arena = scratch, .ds = ds, .options = options};
	bool made = n == 0 ? exec_create(plan) : plan_make(&p, n, outputs);
	arena_free(scratch);
	if (!made) {
		plan_free(plan);
		return NULL;
	}
	return plan;
}

void plan_free(Plan *p)
{
	if (p) {
		exec_free(p);
		arena_free(p->arena);
	}
}

size_t plan_count(const Plan *p, uint32_t k)
{
	assert(k < p->noutput);
	return p->output[k].count;
}

const char *plan_library(const Plan *p)
{
	return p->nmatrix ? matrix_op(p->matrix[0]->family)->word : NULL;
}
