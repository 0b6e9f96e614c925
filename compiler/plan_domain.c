/* plan_domain.c — index expressions as affine forms and intervals, and the labels at which each
 * definition is needed.
 *
 * Definitions are demanded backwards from the outputs: a region of a reader, cut to the labels
 * demanded of it, gives intervals of arguments, whose hull is demanded of what is read. In a
 * recurrence this is repeated until nothing grows. */
#include "compiler/plan_make.h"
#include "lang/matrix.h"
#include <assert.h>
#include <string.h>

static const Interval WIDE = {-((int64_t)1 << 60), (int64_t)1 << 60};

/* ---- affine forms ---- */

static void affine_add(Affine *to, const Affine *a, int64_t k)
{
	int64_t t;
	if (!a->ok || __builtin_mul_overflow(k, a->c, &t) ||
	    __builtin_add_overflow(to->c, t, &to->c)) {
		to->ok = false;
		return;
	}
	for (uint32_t q = 0; q < a->n; q++) {
		uint32_t at = 0;
		while (at < to->n && to->index[at] != a->index[q]) {
			at++;
		}
		if (at == AFFINE_TERMS || __builtin_mul_overflow(k, a->coef[q], &t)) {
			to->ok = false;
			return;
		}
		if (at == to->n) {
			to->index[at] = a->index[q];
			to->coef[at] = 0;
			to->n++;
		}
		if (__builtin_add_overflow(to->coef[at], t, &to->coef[at])) {
			to->ok = false;
			return;
		}
		if (!to->coef[at]) {
			to->n--;
			to->index[at] = to->index[to->n];
			to->coef[at] = to->coef[to->n];
		}
	}
}

static bool is_small_int(double v)
{
	return v == (double)(int64_t)v && v > -1e15 && v < 1e15;
}

Affine plan_affine(Planner *p, Node n)
{
	const NodeInfo *info = core_node(p->core, n);
	Affine f = {.ok = true};
	switch (info->tag) {
	case NODE_CONST:
		f.ok = info->kind == KIND_INT;
		f.c = info->integer;
		break;
	case NODE_SIZE:
		f.c = core_axis_info(p->core, info->ref)->size;
		break;
	case NODE_INDEX:
		f.n = 1;
		f.index[0] = info->ref;
		f.coef[0] = 1;
		break;
	case NODE_LIN: {
		f.ok = is_small_int(info->num);
		f.c = f.ok ? (int64_t)info->num : 0;
		for (uint32_t k = 0; k < info->n && f.ok; k++) {
			Affine a = plan_affine(p, info->arg[k]);
			f.ok = is_small_int(info->coef[k]);
			if (f.ok) {
				affine_add(&f, &a, (int64_t)info->coef[k]);
			}
		}
		break;
	}
	default:
		f.ok = false;
		break;
	}
	return f;
}

Affine plan_affine_difference(Planner *p, Node a, Node b)
{
	Affine f = plan_affine(p, a), g = plan_affine(p, b);
	affine_add(&f, &g, -1);
	return f;
}

static Interval affine_interval(Planner *p, const Affine *f)
{
	__int128 lo = f->c, hi = f->c;
	for (uint32_t k = 0; k < f->n; k++) {
		Interval r = plan_range(p, f->index[k]);
		if (interval_empty(r)) {
			return WIDE;
		}
		lo += (__int128)f->coef[k] * (f->coef[k] > 0 ? r.lo : r.hi);
		hi += (__int128)f->coef[k] * (f->coef[k] > 0 ? r.hi : r.lo);
	}
	return (Interval){lo < WIDE.lo ? WIDE.lo : (int64_t)lo,
			  hi > WIDE.hi ? WIDE.hi : (int64_t)hi};
}

static int decide_comparison(Planner *p, const NodeInfo *info)
{
	Affine f = plan_affine_difference(p, info->arg[0], info->arg[1]);
	if (!f.ok) {
		return -1;
	}
	Interval d = affine_interval(p, &f);
	bool zero = d.lo == 0 && d.hi == 0, apart = d.lo > 0 || d.hi < 0;
	switch ((Op)info->op) {
	case OP_ilt:
		return d.hi < 0 ? 1 : d.lo >= 0 ? 0 : -1;
	case OP_ile:
		return d.hi <= 0 ? 1 : d.lo > 0 ? 0 : -1;
	case OP_ieq:
		return zero ? 1 : apart ? 0 : -1;
	case OP_ine:
		return apart ? 1 : zero ? 0 : -1;
	default:
		return -1;
	}
}

int plan_decide(Planner *p, Node cond)
{
	const NodeInfo *info = core_node(p->core, cond);
	if (info->tag == NODE_CONST) {
		return info->integer != 0;
	}
	if (info->tag != NODE_OP) {
		return -1;
	}
	if (info->op == OP_not) {
		int a = plan_decide(p, info->arg[0]);
		return a < 0 ? a : !a;
	}
	if (info->op == OP_and || info->op == OP_or) {
		int wins = info->op == OP_or; /* one side alone decides by this value */
		Node left = info->arg[0], right = info->arg[1];
		int a = plan_decide(p, left), b = plan_decide(p, right);
		return a == wins || b == wins ? wins : a < 0 || b < 0 ? -1 : !wins;
	}
	return decide_comparison(p, info);
}

Index plan_plain_index(const Planner *p, Node arg)
{
	const NodeInfo *info = core_node(p->core, arg);
	return info->tag == NODE_INDEX ? info->ref : 0;
}

/* ---- intervals ---- */

static int64_t clamp(__int128 v)
{
	return v < WIDE.lo ? WIDE.lo : v > WIDE.hi ? WIDE.hi : (int64_t)v;
}

static Interval interval_times(Interval a, Interval b)
{
	__int128 v[4] = {(__int128)a.lo * b.lo, (__int128)a.lo * b.hi, (__int128)a.hi * b.lo,
			 (__int128)a.hi * b.hi};
	__int128 lo = v[0], hi = v[0];
	for (int k = 1; k < 4; k++) {
		lo = v[k] < lo ? v[k] : lo;
		hi = v[k] > hi ? v[k] : hi;
	}
	return (Interval){clamp(lo), clamp(hi)};
}

static Interval interval_hull(Interval a, Interval b)
{
	if (interval_empty(a)) {
		return b;
	}
	if (interval_empty(b)) {
		return a;
	}
	return (Interval){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

static Interval interval_op(Planner *p, const NodeInfo *info)
{
	Interval a = plan_interval(p, info->arg[0]);
	Interval b = info->n > 1 ? plan_interval(p, info->arg[1]) : a;
	if (interval_empty(a) || interval_empty(b)) {
		return (Interval){0, -1};
	}
	switch ((Op)info->op) {
	case OP_imin:
		return (Interval){a.lo < b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
	case OP_imax:
		return (Interval){a.lo > b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
	case OP_imod: /* floored: the sign of the divisor */
		if (b.lo > 0) {
			return a.lo >= 0 && a.hi < b.lo ? a : (Interval){0, b.hi - 1};
		}
		return WIDE;
	case OP_idiv:
		if (b.lo == b.hi && b.lo > 0) {
			int64_t m = b.lo;
			return (Interval){(a.lo - (a.lo % m + m) % m) / m,
					  (a.hi - (a.hi % m + m) % m) / m};
		}
		return WIDE;
	case OP_band:
		if (a.lo >= 0 && b.lo >= 0) {
			return (Interval){0, a.hi < b.hi ? a.hi : b.hi};
		}
		return WIDE;
	case OP_shl:
		if (a.lo >= 0 && b.lo >= 0 && b.hi < 62 && a.hi <= WIDE.hi >> b.hi) {
			return (Interval){a.lo << b.lo, a.hi << b.hi};
		}
		return WIDE;
	case OP_shr:
		if (a.lo >= 0 && b.lo >= 0 && b.hi < 64) {
			return (Interval){a.lo >> b.hi, a.hi >> b.lo};
		}
		return WIDE;
	case OP_bor:
	case OP_bxor:
		if (a.lo >= 0 && b.lo >= 0) {
			int64_t top = a.hi > b.hi ? a.hi : b.hi, mask = 0;
			while (mask < top) {
				mask = mask * 2 + 1;
			}
			return (Interval){0, mask};
		}
		return WIDE;
	default:
		return WIDE;
	}
}

/* Integer values of a LIN node; coefficients of ints are whole numbers. */
static Interval interval_lin(Planner *p, const NodeInfo *info)
{
	__int128 lo = (int64_t)info->num, hi = lo;
	for (uint32_t k = 0; k < info->n; k++) {
		if (!is_small_int(info->coef[k])) {
			return WIDE;
		}
		Interval a = plan_interval(p, info->arg[k]);
		if (interval_empty(a)) {
			return a;
		}
		int64_t c = (int64_t)info->coef[k];
		Interval t = interval_times(a, (Interval){c, c});
		lo += t.lo;
		hi += t.hi;
	}
	return (Interval){clamp(lo), clamp(hi)};
}

Interval plan_interval(Planner *p, Node n)
{
	const NodeInfo *info = core_node(p->core, n);
	if (info->kind == KIND_BOOL) {
		return (Interval){0, 1};
	}
	switch (info->tag) {
	case NODE_CONST:
		return (Interval){clamp(info->integer), clamp(info->integer)};
	case NODE_SIZE: {
		int64_t size = core_axis_info(p->core, info->ref)->size;
		return (Interval){size, size};
	}
	case NODE_INDEX:
		return plan_range(p, info->ref);
	case NODE_LIN:
		return interval_lin(p, info);
	case NODE_OP:
		return interval_op(p, info);
	case NODE_STOP:
		return plan_interval(p, info->arg[0]);
	case NODE_GUARD:
		return interval_hull((Interval){0, 0}, plan_interval(p, info->arg[1]));
	case NODE_SELECT:
		return interval_hull(plan_interval(p, info->arg[1]),
				     plan_interval(p, info->arg[2]));
	case NODE_PROD: {
		Interval r = {1, 1};
		for (uint32_t k = 0; k < info->n; k++) {
			for (int32_t e = 0; e < info->expo[k] && e < 64; e++) {
				r = interval_times(r, plan_interval(p, info->arg[k]));
			}
		}
		return r;
	}
	default:
		return WIDE;
	}
}

/* ---- demand ---- */

/* Adds the labels of argument k to what is demanded of d; true if it grew. */
static bool demand_arg(Planner *p, PDef *to, uint32_t k, Interval want, unsigned round)
{
	bool periodic = core_axis_info(p->core, core_index_axis(p->core, to->formal[k]))->flags &
			AXIS_PERIODIC;
	Interval limit = to->max[k];
	if (to->mode == MODE_MATRIX && k + matrix_op(to->red)->nresult >= to->rank) {
		want = limit; /* all of a result is computed at once */
	}
	/* A reduction may be read a little beside its axis by a shift, never by a computed place.
	 */
	if (to->red && (to->output || want.lo < limit.lo || want.hi > limit.hi)) {
		limit = plan_axis(p, to->formal[k]);
	}
	if (periodic && !interval_empty(want) && (want.lo < limit.lo || want.hi > limit.hi)) {
		want = limit;
	}
	want = interval_meet(want, limit);
	Interval now = interval_hull(to->dom[k], want);
	if (now.lo == to->dom[k].lo && now.hi == to->dom[k].hi) {
		return false;
	}
	/* A recurrence that creeps along its axis: take the rest at once, where the definition
	 * itself has a limit. */
	bool bounded = to->nregion > 1 || to->zero_outside || to->mode == MODE_LEAF;
	if (!interval_empty(to->dom[k]) && round > (bounded ? 3u : 40u)) {
		Interval far = to->red ? interval_hull(plan_axis(p, to->formal[k]), now) : limit;
		now.lo = now.lo < to->dom[k].lo ? far.lo : now.lo;
		now.hi = now.hi > to->dom[k].hi ? far.hi : now.hi;
	}
	to->dom[k] = now;
	return true;
}

/* Ranges of the formals in one region, cut to the demand; false if nothing of it is demanded. */
static bool region_ranges(Planner *p, const PDef *d, uint32_t region)
{
	bool some = true;
	for (uint32_t k = 0; k < d->rank; k++) {
		Interval r = interval_meet(d->region[region].box[k], d->dom[k]);
		plan_range_set(p, d->formal[k], r);
		some &= !interval_empty(r);
	}
	return some;
}

static bool demand_from(Planner *p, uint32_t number, unsigned round)
{
	bool grew = false;
	uint32_t region = UINT32_MAX;
	bool some = false;
	for (uint32_t q = 0; q < p->def[number].nread; q++) {
		PDef *d = &p->def[number];
		const Read *r = &d->read[q];
		if (r->region != region) {
			region = r->region;
			some = region_ranges(p, d, region);
			if (!d->region[region].known) {
				plan_conditions(p, d, region);
			}
		}
		if (!some) {
			continue;
		}
		uint32_t n = core_node(p->core, r->node)->n;
		Narrowed narrowed = plan_narrow(p, r->conds);
		for (uint32_t k = 0; k < n; k++) {
			Interval want = plan_interval(p, core_node(p->core, r->node)->arg[k]);
			grew |= demand_arg(p, &p->def[r->to], k, want, round);
		}
		plan_widen(p, &narrowed);
	}
	return grew;
}

static void def_settle(Planner *p, PDef *d)
{
	for (uint32_t k = 0; k < d->rank; k++) {
		plan_range_set(p, d->formal[k], d->dom[k]);
	}
	for (uint32_t r = 0; r < d->nregion; r++) {
		for (uint32_t k = 0; k < d->rank; k++) {
			d->region[r].box[k] = interval_meet(d->region[r].box[k], d->dom[k]);
		}
	}
	/* Are all elements demanded inside some region? Regions are disjoint, so sizes add up. */
	int64_t all = 1, inside = 0;
	for (uint32_t k = 0; k < d->rank; k++) {
		all *= interval_size(d->dom[k]);
	}
	for (uint32_t r = 0; r < d->nregion; r++) {
		int64_t n = 1;
		for (uint32_t k = 0; k < d->rank; k++) {
			n *= interval_size(d->region[r].box[k]);
		}
		inside += n;
	}
	d->covered = d->mode == MODE_LEAF || inside == all;
}

static bool region_is_empty(const PDef *d, uint32_t r)
{
	for (uint32_t k = 0; k < d->rank; k++) {
		if (interval_empty(d->region[r].box[k])) {
			return true;
		}
	}
	return false;
}

/* Regions of which nothing is demanded read nothing; what is then not reached is not computed. */
static void drop_dead(Planner *p)
{
	uint32_t *todo = arena_array(p->arena, uint32_t, p->ndef + 1), ntodo = 0;
	bool *reached = arena_array(p->arena, bool, p->ndef + 1);
	for (uint32_t k = 1; k < p->ndef; k++) {
		PDef *d = &p->def[k];
		uint32_t kept = 0;
		for (uint32_t q = 0; q < d->nread; q++) {
			if (!region_is_empty(d, d->read[q].region)) {
				d->read[kept++] = d->read[q];
			}
		}
		d->nread = kept;
		if (d->output) {
			reached[k] = true;
			todo[ntodo++] = k;
		}
	}
	while (ntodo) {
		const PDef *d = &p->def[todo[--ntodo]];
		for (uint32_t q = 0; q < d->nread; q++) {
			if (!reached[d->read[q].to]) {
				reached[d->read[q].to] = true;
				todo[ntodo++] = d->read[q].to;
			}
		}
	}
	for (uint32_t k = 1; k < p->ndef; k++) {
		if (!reached[k] && p->def[k].mode != MODE_LEAF) {
			p->def[k].mode = MODE_INLINE; /* never emitted */
			p->def[k].nread = 0;
		}
	}
}

void plan_demand(Planner *p)
{
	for (uint32_t k = 1; k < p->ndef; k++) {
		PDef *d = &p->def[k];
		for (uint32_t f = 0; f < d->rank; f++) {
			Interval all = d->red ? plan_axis(p, d->formal[f]) : d->max[f];
			d->dom[f] = d->output ? all : (Interval){0, -1};
		}
	}
	for (uint32_t end = p->norder; end > 0;) {
		uint32_t begin = end;
		while (begin > 0 && p->def[p->order[begin - 1]].component ==
					    p->def[p->order[end - 1]].component) {
			begin--;
		}
		bool grew = true;
		for (unsigned round = 0; grew; round++) {
			grew = false;
			for (uint32_t k = end; k > begin; k--) {
				grew |= demand_from(p, p->order[k - 1], round);
			}
			grew &= end - begin > 1 || p->def[p->order[begin]].cyclic;
		}
		end = begin;
	}
}

void plan_settle(Planner *p)
{
	for (uint32_t k = 1; k < p->ndef; k++) {
		def_settle(p, &p->def[k]);
	}
	drop_dead(p);
}
