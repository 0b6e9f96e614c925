/* plan_code_read.c — reads: straight from memory where every index is affine and inside; else by
 * offsets that are computed, wrapped on periodic axes, checked, or masked where a definition is
 * zero outside its domain. */
#include "compiler/plan_code.h"
#include <assert.h>

bool coder_arg_safe(Coder *w, const PDef *d, uint32_t k, Node arg, bool *wraps)
{
	Planner *p = w->p;
	Interval have = plan_interval(p, arg),
		 stored = d->mode == MODE_LEAF ? d->max[k] : d->dom[k];
	Interval axis = plan_axis(p, d->formal[k]);
	*wraps = false;
	if (interval_empty(have) || (have.lo >= stored.lo && have.hi <= stored.hi)) {
		return true;
	}
	bool periodic = core_axis_info(p->core, core_index_axis(p->core, d->formal[k]))->flags &
			AXIS_PERIODIC;
	*wraps = periodic && stored.lo <= axis.lo && stored.hi >= axis.hi;
	return false;
}

typedef struct ReadPlan {
	Affine *arg;      /* constant 0 where the argument goes into the offset */
	Val offset, mask; /* elements to add; lanes that are read */
	bool bent;
} ReadPlan;

static uint32_t read_fault(Coder *w, Node n, Def def, uint32_t arg)
{
	ARENA_PUSH(w->p->arena, w->fault, w->nfault, w->fault_cap, ((Fault){n, def, arg}));
	return (uint32_t)(w->nfault - 1);
}

/* An index that leaves its axis for certain, whatever the data are, is a mistake of the program. */
static void read_leaves_axis(Coder *w, Node n, Node arg, const PDef *d, uint32_t k)
{
	Planner *p = w->p;
	Axis axis = core_index_axis(p->core, d->formal[k]);
	Interval have = plan_interval(p, arg), in = plan_axis(p, d->formal[k]);
	Diag *e = diag_index_out_of_range(
		p->ds, core_node(p->core, n)->span, core_text(p->core, p->arena, n),
		intern_text(core_names(p->core), core_axis_info(p->core, axis)->name));
	diag_remark(e, "the index runs over %lld..%lld, the axis over %lld..%lld",
		    (long long)have.lo, (long long)have.hi, (long long)in.lo, (long long)in.hi);
	diag_help(e, "a condition (if … then … else …) or a first element beside the axis");
	p->failed = true;
}

/* One argument that is not a plain affine index inside: its label, put in order, times the stride
 * joins the offset. */
static void read_bent_arg(Coder *w, const PDef *d, uint32_t k, Node n, Node arg, const View *view,
			  Val mask, ReadPlan *r)
{
	bool wraps, safe = coder_arg_safe(w, d, k, arg, &wraps);
	Interval axis = plan_axis(w->p, d->formal[k]),
		 stored = d->mode == MODE_LEAF ? d->max[k] : d->dom[k];
	Val label = coder_node(w, arg, mask);
	if (wraps) {
		Val y = VAL_NONE;
		Instr *in = coder_emit(w, VM_WRAP, label, VAL_NONE, VAL_NONE, &y);
		in->i = axis.lo;
		in->j = interval_size(axis);
		label = y;
	} else if (!safe && d->zero_outside) {
		Val y = VAL_NONE;
		Instr *in = coder_emit(w, VM_INSIDE, label, r->mask, VAL_NONE, &y);
		in->i = stored.lo;
		in->j = stored.hi;
		r->mask = y;
	} else if (!safe) {
		if (!val_some(mask) && plan_affine(w->p, arg).ok) {
			read_leaves_axis(w, n, arg, d, k);
		}
		Val y = VAL_NONE;
		bool lanes = val_some(mask) && !mask.uniform && label.uniform;
		if (lanes) {
			y = (Val){coder_register(w, false), false};
		}
		Instr *in = coder_emit(w, VM_CHECK, label, mask, VAL_NONE, &y);
		in->i = stored.lo;
		in->j = stored.hi;
		in->fault = read_fault(w, n, d->def, k);
		label = y;
	}
	Val y = VAL_NONE;
	Instr *in = coder_emit(w, VM_OFFSET, label, r->offset, VAL_NONE, &y);
	in->i = view->stride[k];
	in->j = 0;
	r->offset = y;
	r->bent = true;
}

/* Is the read zero for affine reasons alone: arguments affine, some possibly outside a definition
 * that is zero there? Then the address stays affine and only the mask is computed. */
static void read_outside_arg(Coder *w, const PDef *d, uint32_t k, Node arg, Val mask, ReadPlan *r)
{
	Val label = coder_node(w, arg, mask), y = VAL_NONE;
	Instr *in = coder_emit(w, VM_INSIDE, label, r->mask, VAL_NONE, &y);
	in->i = d->dom[k].lo;
	in->j = d->dom[k].hi;
	r->mask = y;
}

static Val read_direct(Coder *w, uint32_t access, int64_t stride)
{
	Val y = {CODE_ACCESS | access, stride == 0};
	if (stride == 0 || stride == 1) {
		return y;
	}
	Val to = {coder_register(w, false), false};
	coder_emit(w, VM_LOADS, y, VAL_NONE, VAL_NONE, &to)->i = stride;
	return to;
}

static Val read_gather(Coder *w, uint32_t access, int64_t stride, const ReadPlan *r)
{
	Val offset = val_some(r->offset) ? r->offset : coder_int(w, 0);
	Val from = {CODE_ACCESS | access, true};
	bool uniform = stride == 0 && offset.uniform && r->mask.uniform;
	Val y = {coder_register(w, uniform), uniform};
	Instr *in = coder_emit(w, VM_GATHER, from, offset, r->mask, &y);
	in->i = stride;
	return y;
}

enum { FEW_FEATURES = 8 };

/* A tile's copy of a leaf, features by samples, where the samples of the leaf are not contiguous.
 */
static const View *read_view(Coder *w, PDef *d, Node n)
{
	Planner *p = w->p;
	if (d->mode != MODE_LEAF || !p->tile || d->rank < 2) {
		return plan_view(p, d);
	}
	const NodeInfo *info = core_node(p->core, n);
	int samples = -1;
	bool varies = false;
	for (uint32_t k = 0; k < info->n; k++) {
		Index i = plan_plain_index(p, info->arg[k]);
		if (i && i == w->dim[w->ndim - 1].index && w->dim[w->ndim - 1].tiled) {
			samples = (int)k;
		} else {
			varies |= core_node(p->core, info->arg[k])->tag != NODE_CONST;
		}
	}
	if (samples < 0 || d->home.stride[samples] == 1) {
		return plan_view(p, d);
	}
	/* one feature alone: where it is read again in every row, and the others cost little */
	if (!varies && (w->ndim < 2 || d->home.stride[samples] > FEW_FEATURES)) {
		return plan_view(p, d);
	}
	return plan_leaf_tile(p, plan_number(p, d->def), (uint32_t)samples);
}

/* Whole periods by which the labels of an argument lie beside a periodic axis, or 0. */
static int64_t read_period(Coder *w, const PDef *d, uint32_t k, Node arg)
{
	Planner *p = w->p;
	Interval have = plan_interval(p, arg), axis = plan_axis(p, d->formal[k]);
	int64_t size = interval_size(axis);
	bool periodic = core_axis_info(p->core, core_index_axis(p->core, d->formal[k]))->flags &
			AXIS_PERIODIC;
	if (!periodic || size <= 0 || interval_empty(have) || have.hi - have.lo >= size) {
		return 0;
	}
	int64_t low = have.lo - axis.lo, period = (low - (low % size + size) % size) / size;
	return have.hi - period * size <= axis.hi ? period : 0;
}

/* Is the whole read outside a definition that is zero there? */
static bool read_is_zero(Coder *w, const PDef *d, Node n)
{
	Planner *p = w->p;
	for (uint32_t k = 0; k < d->rank && d->zero_outside; k++) {
		Interval have = plan_interval(p, core_node(p->core, n)->arg[k]);
		bool periodic =
			core_axis_info(p->core, core_index_axis(p->core, d->formal[k]))->flags &
			AXIS_PERIODIC;
		if (!periodic && !interval_empty(have) &&
		    interval_empty(interval_meet(have, d->dom[k]))) {
			return true;
		}
	}
	return false;
}

Val coder_read(Coder *w, Node n, Val mask)
{
	Planner *p = w->p;
	PDef *d = plan_def(p, core_node(p->core, n)->ref);
	assert(d->mode != MODE_INLINE && d->mode != MODE_ABSORBED);
	if (read_is_zero(w, d, n)) {
		return coder_int(w, 0);
	}
	const View *view = read_view(w, d, n);
	ReadPlan r = {arena_array(p->arena, Affine, d->rank + 1), VAL_NONE, VAL_NONE, false};
	for (uint32_t k = 0; k < d->rank; k++) {
		Node arg = core_node(p->core, n)->arg[k];
		bool wraps, safe = coder_arg_safe(w, d, k, arg, &wraps);
		int64_t period = wraps ? read_period(w, d, k, arg) : 0;
		r.arg[k] = plan_affine(p, arg);
		if (r.arg[k].ok && period) {
			r.arg[k].c -= period * interval_size(plan_axis(p, d->formal[k]));
		} else if (!r.arg[k].ok || (!safe && (!d->zero_outside || wraps))) {
			read_bent_arg(w, d, k, n, arg, view, mask, &r);
			r.arg[k] = (Affine){.ok = true};
		} else if (!safe) {
			read_outside_arg(w, d, k, arg, mask, &r);
		}
	}
	Access a;
	bool affine = plan_access(p, view, d->rank, r.arg, w->ndim, w->dim, &a);
	assert(affine);
	(void)affine;
	int64_t stride = a.stride[w->ndim - 1];
	uint32_t access = coder_access(w, a);
	if (!r.bent && !val_some(r.mask)) {
		return read_direct(w, access, stride);
	}
	return read_gather(w, access, stride, &r);
}
