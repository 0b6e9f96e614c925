/* elab_place.c — places that lie outside their axis for certain: x[k+1] where k runs over the whole
 * axis of x. What stands under a condition may be looked at for other k alone, and is left to the
 * run. SPEC: axes. */
#include "lang/elab_int.h"

enum { PLACE_VISITS = 2000 }; /* a body longer than this is not searched to its end */
typedef struct Places {
	Elab *e;
	uint32_t n;
	const Index *ix;
	unsigned visits;
	bool ok;
} Places;

/* Is the argument k + shift of an index that runs? */
static bool is_shift(const Places *p, Node arg, Index *index, int64_t *shift)
{
	Core *c = p->e->core;
	NodeInfo i = *core_node(c, arg);
	*shift = 0;
	if (i.tag == NODE_LIN && i.n == 1 && i.coef[0] == 1) {
		*shift = i.integer;
		i = *core_node(c, i.arg[0]);
	}
	if (i.tag != NODE_INDEX) {
		return false;
	}
	*index = i.ref;
	for (uint32_t k = 0; k < p->n; k++) {
		if (p->ix[k] == *index) {
			return true;
		}
	}
	return false;
}

/* Arrays that have no places beside their axes. */
static bool has_axes_alone(const DefInfo *d)
{
	if (d->role == DEF_PARAM || d->role == DEF_DATA || d->role == DEF_RUNTIME) {
		return true;
	}
	return d->role == DEF_VALUE && d->npiece == 1 && !d->piece[0].box &&
	       !(d->flags & DEF_ZERO_OUTSIDE);
}

static void check_read(Places *p, Node n)
{
	Elab *e = p->e;
	NodeInfo read = *core_node(e->core, n);
	DefInfo d = *core_def(e->core, read.ref);
	for (uint32_t k = 0; has_axes_alone(&d) && k < read.n && p->ok; k++) {
		Index index;
		int64_t shift;
		Axis axis = core_index_axis(e->core, d.index[k]);
		const AxisInfo *a = core_axis_info(e->core, axis);
		if (a->size < 1 || a->length || (a->flags & AXIS_PERIODIC) ||
		    !is_shift(p, read.arg[k], &index, &shift)) {
			continue;
		}
		const AxisInfo *own = core_axis_info(e->core, core_index_axis(e->core, index));
		int64_t low = own->first + shift, last = own->first + own->size - 1;
		if (own->size < 1 || own->length ||
		    (low >= a->first && last + shift < a->first + a->size)) {
			continue;
		}
		p->ok = false;
		const char *name = elab_text(e, core_index_name(e->core, index)),
			   *of = a->name ? elab_text(e, a->name) : "of the array";
		const char *place =
			shift ? arena_printf(e->arena, "%s %s %lld", name, shift < 0 ? "-" : "+",
					     (long long)(shift < 0 ? -shift : shift))
			      : name;
		bool under = low < a->first;
		int64_t at = under ? own->first : last;
		Diag *diag = diag_index_out_of_range(elab_diags(e), read.span, place, of);
		diag_remark(diag, "%s runs over all of the axis, and at %s = %lld this is %lld",
			    name, name, (long long)at, (long long)(at + shift));
		diag_help(diag,
			  "leave such places out, as in  if %s %s %lld then … else 0,  or make the "
			  "axis periodic",
			  name, under ? ">" : "<",
			  (long long)(under ? a->first - shift - 1 : a->first + a->size - shift));
	}
}

static void walk(Places *p, Node n)
{
	if (!p->ok || p->visits++ > PLACE_VISITS) {
		return;
	}
	NodeInfo i = *core_node(p->e->core, n);
	if (i.tag == NODE_READ) {
		check_read(p, n);
	}
	/* the condition alone is looked at always, of several conditions none */
	uint32_t last = i.tag == NODE_SELECT || i.tag == NODE_GUARD ? 1 : i.n;
	last = i.tag == NODE_OP && (i.op == OP_and || i.op == OP_or) ? 0 : last;
	for (uint32_t k = 0; k < last; k++) {
		walk(p, i.arg[k]);
	}
}

bool places_inside(Elab *e, Node body, uint32_t n, const Index *ix)
{
	Places p = {.e = e, .n = n, .ix = ix, .ok = true};
	if (n && body && !e->unseen) {
		walk(&p, body);
	}
	return p.ok;
}
