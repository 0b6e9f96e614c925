/* plan_view.c — buffers and addresses. Whole arrays are row-major in the order of the formals; what
 * is cut into tiles has the samples last, so that one feature of a tile is contiguous. */
#include "compiler/plan_make.h"
#include <string.h>

Buffer *plan_buffer(Planner *p, PlaceKind place, Def d, size_t count)
{
	Buffer *b = arena_new(p->plan->arena, Buffer);
	size_t n = p->plan->nbuffer;
	b->id = (uint32_t)n;
	b->place = place;
	b->def = d;
	b->count = count;
	b->integer = core_def(p->core, d)->kind != KIND_REAL;
	b->birth = UINT32_MAX;
	ARENA_PUSH(p->plan->arena, p->plan->buffer, n, p->plan->buffer_cap, b);
	p->plan->nbuffer = (uint32_t)n;
	return b;
}

/* Elements of d with formal `last` innermost (-1: natural order) and `width` in place of its extent
 * if local. */
static bool view_layout(Planner *p, const PDef *d, int last, int64_t width, View *v, size_t *count)
{
	v->stride = arena_array(p->plan->arena, int64_t, d->rank + 1);
	v->local = width ? last : -1;
	v->base = 0;
	int64_t at = 1;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t k = d->rank; k-- > 0;) {
			if (((int)k == last) != (pass == 0) || (k < 64 && d->fleeting >> k & 1)) {
				continue;
			}
			bool local = width && (int)k == last;
			v->stride[k] = at;
			if (__builtin_mul_overflow(at, local ? width : interval_size(d->dom[k]),
						   &at)) {
				return false;
			}
			v->base -= local ? 0 : v->stride[k] * d->dom[k].lo;
		}
	}
	*count = (size_t)at;
	return at >= 0 && (size_t)at <= p->plan->memory_limit / sizeof(double);
}

static void view_too_large(Planner *p, const PDef *d)
{
	const DefInfo *info = core_def(p->core, d->def);
	char *limit = arena_printf(p->arena, "%zu MB of memory", p->plan->memory_limit >> 20);
	diag_too_large(p->ds, info->span,
		       arena_printf(p->arena, "the array %s",
				    intern_text(core_names(p->core), info->name)),
		       limit);
	p->failed = true;
}

static bool def_view(Planner *p, PDef *d)
{
	size_t count;
	if (d->mode == MODE_LEAF) {
		if (!view_layout(p, d, -1, 0, &d->home, &count)) {
			return false;
		}
		/* A leaf lies in the store over its whole axes, whatever part of it is demanded. */
		int64_t at = 1;
		d->home.base = 0;
		for (uint32_t k = d->rank; k-- > 0;) {
			d->home.stride[k] = at;
			d->home.base -= at * d->max[k].lo;
			at *= interval_size(d->max[k]);
		}
		d->home.buffer = plan_buffer(p, PLACE_LEAF, d->def, (size_t)at);
		return true;
	}
	bool inner = d->carrier >= 0 && !d->output;
	if (d->carrier < 0 || d->whole) {
		if (!view_layout(p, d, inner ? d->carrier : -1, 0, &d->home, &count)) {
			return false;
		}
		PlaceKind place = d->tiled && d->carrier < 0 ? PLACE_BLOCK
				  : d->is_static             ? PLACE_STATIC
							     : PLACE_GLOBAL;
		d->home.buffer = plan_buffer(p, place, d->def, count);
		d->home.buffer->keep = d->output;
		d->home.buffer->red = d->red;
		d->home.buffer->tile = d->tile ? d->tile->number : 0;
		d->home.buffer->integer = d->kind != KIND_REAL;
	}
	if (d->carrier >= 0 && (!d->whole || d->home.stride[d->carrier] != 1)) {
		if (!view_layout(p, d, d->carrier, d->tile->width, &d->local, &count)) {
			return false;
		}
		d->local.buffer = plan_buffer(p, PLACE_TILE, d->def, count);
		d->local.buffer->tile = d->tile->number;
		d->local.buffer->integer = d->kind != KIND_REAL;
	}
	return true;
}

void plan_view_fleeting(Planner *p, PDef *d, uint32_t formal)
{
	View *v = d->local.buffer ? &d->local : &d->home;
	Buffer *b = v->buffer;
	size_t count;
	if (!b || formal >= 64 || (d->local.buffer && d->home.buffer)) {
		return;
	}
	d->fleeting |= (uint64_t)1 << formal;
	bool inner = d->carrier >= 0 && !d->output;
	if (view_layout(p, d, inner ? d->carrier : -1, v == &d->local ? d->tile->width : 0, v,
			&count)) {
		b->count = count;
	}
}

bool plan_views(Planner *p)
{
	for (uint32_t k = 1; k < p->ndef; k++) {
		PDef *d = &p->def[k];
		d->home.local = d->local.local = -1;
		if (d->mode != MODE_INLINE && d->mode != MODE_ABSORBED && !def_view(p, d)) {
			view_too_large(p, d);
			return false;
		}
	}
	return true;
}

const View *plan_view(Planner *p, const PDef *d)
{
	return p->tile && d->tile == p->tile && d->local.buffer ? &d->local : &d->home;
}

static void access_slot(Planner *p, Access *out, uint32_t slot, int64_t coef)
{
	for (uint32_t k = 0; k < out->nslot; k++) {
		if (out->slot[k].slot == slot) {
			out->slot[k].coef += coef;
			return;
		}
	}
	SlotTerm *more = arena_array(p->plan->arena, SlotTerm, out->nslot + 1);
	if (out->nslot) {
		memcpy(more, out->slot, out->nslot * sizeof *more);
	}
	more[out->nslot++] = (SlotTerm){slot, coef};
	out->slot = more;
}

bool plan_access(Planner *p, const View *v, uint32_t rank, const Affine *arg, uint32_t ndim,
		 const Dim *dim, Access *out)
{
	*out = (Access){.buffer = v->buffer, .base = v->base};
	out->stride = arena_array(p->plan->arena, int64_t, ndim + 1);
	for (uint32_t f = 0; f < rank; f++) {
		if (!arg[f].ok) {
			return false;
		}
		bool local = (int)f == v->local;
		out->base += local ? 0 : v->stride[f] * arg[f].c;
		for (uint32_t t = 0; t < arg[f].n; t++) {
			int64_t s = v->stride[f] * arg[f].coef[t];
			uint32_t d = 0;
			while (d < ndim && dim[d].index != arg[f].index[t]) {
				d++;
			}
			if (d < ndim) {
				out->stride[d] += s;
				if (!local) {
					out->base += s * dim[d].lo;
					if (dim[d].tiled) {
						access_slot(p, out, dim[d].slot, s);
					}
				}
			} else if (plan_slot(p, arg[f].index[t])) {
				access_slot(p, out, plan_slot(p, arg[f].index[t]), s);
			} else {
				return false;
			}
		}
	}
	return true;
}
