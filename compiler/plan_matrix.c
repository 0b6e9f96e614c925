/* plan_matrix.c — operations on whole arrays (lang/matrix.h) as steps: the argument lies in memory,
 * results of one operation are computed together. */
#include <string.h>

#include "compiler/plan_make.h"
#include "lang/matrix.h"

/* ---- arguments ---- */

Node plan_matrix_argument(Planner *p, const PDef *d, Node value)
{
	Core *c = p->core;
	const Index *seen;
	uint32_t nfree = core_free(c, value, &seen), n = 0;
	Index *index = arena_array(p->arena, Index, nfree + d->nbound);
	for (uint32_t k = 0; k < nfree; k++) {
		bool bound = false;
		for (uint32_t b = 0; b < d->nbound; b++) {
			bound |= d->bound[b] == seen[k];
		}
		if (!bound) {
			index[n++] = seen[k];
		}
	}
	for (uint32_t b = 0; b < d->nbound; b++) {
		index[n++] = d->bound[b];
	}
	Def of = core_share(c, 0, core_def(c, d->def)->span, n, index, value, 0);
	return core_read_plain(c, of, index);
}

/* One on the diagonal, over the last formals of an argument. */
static Node unit_matrix(Planner *p, const PDef *d, uint32_t axes)
{
	Core *c = p->core;
	Node place[2];
	for (uint32_t k = 0; k < axes; k++) {
		Index i = d->formal[d->rank - axes + k];
		place[k] =
			core_sub(c, core_index_value(c, i), core_int_const(c, plan_axis(p, i).lo));
	}
	Node one = core_real_const(c, 1);
	return axes < 2 ? one : core_guard(c, core_op2(c, OP_ieq, place[0], place[1]), one);
}

Node plan_matrix_harmless(Planner *p, const PDef *d, const PDef *reader, Node cond, Node value)
{
	return core_select(p->core, cond, value, unit_matrix(p, d, reader->nbound));
}

void plan_matrix_condition(Planner *p, PDef *d, Node cond)
{
	for (uint32_t k = d->rank - matrix_op(d->red)->nresult; k < d->rank; k++) {
		if (core_has_index(p->core, cond, d->formal[k])) {
			return;
		}
	}
	CondSet *set = arena_new(p->arena, CondSet);
	*set = (CondSet){.n = 1, .seen = true, .cond = {{cond, true}}};
	for (uint32_t q = 0; q < d->nread; q++) {
		d->read[q].conds = set;
	}
}

/* ---- steps ---- */

static Affine plain_affine(Index i)
{
	return (Affine){.ok = true, .n = 1, .index = {i}, .coef = {1}};
}

/* Formals around that are counted here: not those of loops outside. */
static uint32_t dims_around(Planner *p, const PDef *d, uint32_t nresult, Dim *dim)
{
	uint32_t n = 0;
	for (uint32_t f = 0; f + nresult < d->rank; f++) {
		Interval box = d->region[0].box[f];
		plan_range_set(p, d->formal[f], box);
		if (!plan_slot(p, d->formal[f])) {
			dim[n++] = (Dim){
				.index = d->formal[f], .lo = box.lo, .size = interval_size(box)};
		}
	}
	return n;
}

static bool argument_access(Planner *p, const PDef *d, MatrixStep *s)
{
	Dim *dim = arena_array(p->arena, Dim, s->naround + d->nbound);
	memcpy(dim, s->dim, s->naround * sizeof *dim);
	for (uint32_t b = 0; b < d->nbound; b++) {
		dim[s->naround + b] = (Dim){.index = d->bound[b],
					    .lo = d->bounds[b].lo,
					    .size = interval_size(d->bounds[b])};
		s->size[b] = interval_size(d->bounds[b]);
	}
	s->first = d->bounds[0].lo;
	Node value = d->region[0].value;
	const NodeInfo *read = core_node(p->core, value);
	uint32_t n = read->n;
	const PDef *of = plan_def(p, read->ref);
	Affine *arg = arena_array(p->arena, Affine, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		arg[k] = plan_affine(p, core_node(p->core, value)->arg[k]);
	}
	return plan_access(p, plan_view(p, of), n, arg, s->naround + d->nbound, dim, &s->in);
}

static void add_result(Planner *p, const PDef *d, MatrixStep *s)
{
	MatrixOut *o = &s->out[s->nout++];
	o->red = d->red;
	o->def = d->def;
	o->nresult = matrix_op(d->red)->nresult;
	o->size[0] = o->size[1] = 1;
	Dim *dim = arena_array(p->arena, Dim, d->rank + 1);
	uint32_t n = dims_around(p, d, o->nresult, dim);
	for (uint32_t k = 0; k < o->nresult; k++) {
		uint32_t f = d->rank - o->nresult + k;
		Interval box = d->region[0].box[f];
		o->size[k] = interval_size(box);
		dim[n++] = (Dim){.index = d->formal[f], .lo = box.lo, .size = o->size[k]};
	}
	Affine *arg = arena_array(p->arena, Affine, d->rank + 1);
	for (uint32_t f = 0; f < d->rank; f++) {
		arg[f] = plain_affine(d->formal[f]);
	}
	plan_access(p, plan_view(p, d), d->rank, arg, n, dim, &o->at);
}

/* Is e another result of the operation that d is, at the same places? */
static bool goes_with(Planner *p, const PDef *d, const PDef *e)
{
	uint32_t around = d->rank - matrix_op(d->red)->nresult;
	if (e == d || e->mode != MODE_MATRIX || e->done || e->cyclic || e->nregion != 1 ||
	    e->stage != d->stage || e->is_static != d->is_static ||
	    matrix_family(e->red) != matrix_family(d->red) ||
	    e->rank != around + matrix_op(e->red)->nresult) {
		return false;
	}
	Index *from = arena_array(p->arena, Index, e->rank + e->nbound);
	Node *to = arena_array(p->arena, Node, e->rank + e->nbound);
	for (uint32_t k = 0; k < around; k++) {
		Interval a = d->region[0].box[k], b = e->region[0].box[k];
		if (a.lo != b.lo || a.hi != b.hi) {
			return false;
		}
		from[k] = e->formal[k];
		to[k] = core_index_value(p->core, d->formal[k]);
	}
	for (uint32_t k = 0; k < d->nbound; k++) {
		from[around + k] = e->bound[k];
		to[around + k] = core_index_value(p->core, d->bound[k]);
	}
	return core_subst(p->core, e->region[0].value, around + d->nbound, from, to) ==
	       d->region[0].value;
}

/* Sizes that were not known before, those of axes of records: NULL if they fit. */
static const char *wrong_size(const PDef *d, const MatrixStep *s)
{
	int64_t m = s->size[0], n = s->size[1], least = m < n ? m : n;
	if (least < 1) {
		return "takes arrays with at least one element";
	}
	if (s->family == RED_SVD_LEFT || s->family == RED_QR_Q) {
		for (uint32_t k = 0; k < s->nout; k++) {
			const MatrixOut *o = &s->out[k];
			bool left = o->red == RED_SVD_LEFT || o->red == RED_QR_Q;
			if (o->size[left ? 1 : 0] != least) {
				return "takes an axis of records for the longer one, and it is the "
				       "shorter one here";
			}
		}
		return NULL;
	}
	bool square = d->nbound == 2 && s->family != RED_PSEUDOINVERSE;
	return square && m != n ? "takes a square matrix" : NULL;
}

static bool sizes_fit(Planner *p, const PDef *d, const MatrixStep *s)
{
	const char *why = wrong_size(d, s);
	if (why) {
		diag_wrong_arguments(p->ds, core_def(p->core, d->def)->span,
				     matrix_op(d->red)->word,
				     arena_printf(p->arena, "%s: %lld rows and %lld columns", why,
						  (long long)s->size[0], (long long)s->size[1]));
		p->failed = true;
	}
	return !why;
}

void plan_emit_matrix(Planner *p, uint32_t number)
{
	PDef *d = &p->def[number];
	if (d->done) { /* with another result */
		return;
	}
	MatrixStep *s = arena_new(p->plan->arena, MatrixStep);
	s->family = matrix_family(d->red);
	s->size[0] = s->size[1] = 1;
	s->dim = arena_array(p->plan->arena, Dim, d->rank + 1);
	s->naround = dims_around(p, d, matrix_op(d->red)->nresult, s->dim);
	argument_access(p, d, s);
	add_result(p, d, s);
	for (uint32_t k = 1; k < p->ndef && !d->cyclic; k++) {
		if (goes_with(p, d, &p->def[k])) {
			p->def[k].done = true;
			add_result(p, &p->def[k], s);
		}
	}
	if (sizes_fit(p, d, s)) {
		s->number = p->plan->nmatrix++;
		size_t n = s->number;
		ARENA_PUSH(p->plan->arena, p->plan->matrix, n, p->plan->matrix_cap, s);
		plan_step(p, STEP_MATRIX)->matrix = s;
	}
}
