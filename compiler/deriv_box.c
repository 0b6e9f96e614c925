/* deriv_box.c — intervals of label values: where definitions have values and where solved indices
 * may lie. */
#include "compiler/deriv_int.h"

#include <string.h>

static Lim lim_number(int64_t v)
{
	return (Lim){.off = v};
}

static Lim lim_last(Core *c, Axis a, int64_t off)
{
	const AxisInfo *info = core_axis_info(c, a);
	return info->size >= 0 ? lim_number(info->first + info->size - 1 + off)
			       : (Lim){.last = a, .off = off};
}

Seg seg_of_axis(Core *c, Axis a)
{
	return (Seg){lim_number(core_axis_info(c, a)->first), lim_last(c, a, 0)};
}

static Lim lim_of_edge(Core *c, Axis a, Edge e)
{
	switch (e.kind) {
	case EDGE_AT:
		return lim_number(e.offset);
	case EDGE_FIRST:
		return lim_number(core_axis_info(c, a)->first + e.offset);
	case EDGE_LAST:
		return lim_last(c, a, e.offset);
	}
	return lim_number(e.offset);
}

Seg seg_of_range(Core *c, Axis a, Range r)
{
	return (Seg){lim_of_edge(c, a, r.lo), lim_of_edge(c, a, r.hi)};
}

Seg seg_shift(Seg s, int64_t by)
{
	s.lo.off += by;
	s.hi.off += by;
	return s;
}

/* An axis of unknown size has at least one element wherever something is computed on it. */
Tri lim_le(Core *c, Lim a, Lim b)
{
	if (a.last == b.last) {
		return a.off <= b.off ? TRI_YES : TRI_NO;
	}
	if (!a.last && b.last) {
		return a.off <= core_axis_info(c, b.last)->first + b.off ? TRI_YES : TRI_MAYBE;
	}
	if (a.last && !b.last) {
		return core_axis_info(c, a.last)->first + a.off > b.off ? TRI_NO : TRI_MAYBE;
	}
	return TRI_MAYBE;
}

Tri lim_lt(Core *c, Lim a, Lim b)
{
	a.off++;
	return lim_le(c, a, b);
}

bool lim_same(Lim a, Lim b)
{
	return a.last == b.last && a.off == b.off;
}

Seg seg_meet(Core *c, Seg s, Seg in)
{
	s.lo = lim_le(c, s.lo, in.lo) == TRI_YES ? in.lo : s.lo;
	s.hi = lim_le(c, in.hi, s.hi) == TRI_YES ? in.hi : s.hi;
	return s;
}

Seg seg_hull(Core *c, Seg a, Seg b, Seg all)
{
	bool low_a = lim_le(c, a.lo, b.lo) == TRI_YES, low_b = lim_le(c, b.lo, a.lo) == TRI_YES;
	bool high_a = lim_le(c, b.hi, a.hi) == TRI_YES, high_b = lim_le(c, a.hi, b.hi) == TRI_YES;
	return (Seg){low_a ? a.lo : low_b ? b.lo : all.lo, high_a ? a.hi : high_b ? b.hi : all.hi};
}

bool seg_point(Seg s)
{
	return lim_same(s.lo, s.hi);
}

Tri seg_inside(Core *c, Seg s, Seg in)
{
	Tri lo = lim_le(c, in.lo, s.lo), hi = lim_le(c, s.hi, in.hi);
	if (lo == TRI_YES && hi == TRI_YES) {
		return TRI_YES;
	}
	return seg_disjoint(c, s, in) == TRI_YES ? TRI_NO : TRI_MAYBE;
}

Tri seg_disjoint(Core *c, Seg a, Seg b)
{
	Tri below = lim_lt(c, a.hi, b.lo), above = lim_lt(c, b.hi, a.lo);
	if (below == TRI_YES || above == TRI_YES) {
		return TRI_YES;
	}
	return below == TRI_NO && above == TRI_NO ? TRI_NO : TRI_MAYBE;
}

Node lim_node(Core *c, Lim l)
{
	if (!l.last) {
		return core_int_const(c, l.off);
	}
	return core_add(c, core_size(c, l.last),
			core_int_const(c, core_axis_info(c, l.last)->first - 1 + l.off));
}

static Edge lim_edge(Core *c, Axis a, Lim l)
{
	if (l.last == a) {
		return (Edge){EDGE_LAST, l.off};
	}
	const AxisInfo *info = core_axis_info(c, a);
	if (info->size >= 0 && info->first + info->size - 1 == l.off) {
		return (Edge){EDGE_LAST, 0};
	}
	return (Edge){EDGE_FIRST, l.off - info->first};
}

Range seg_range(Core *c, Axis a, Seg s)
{
	Seg all = seg_of_axis(c, a);
	if (seg_point(s) && !s.lo.last && seg_disjoint(c, s, all) == TRI_YES) {
		return (Range){{EDGE_AT, s.lo.off}, {EDGE_AT, s.lo.off}};
	}
	Edge lo = lim_edge(c, a, s.lo), hi = lim_edge(c, a, s.hi);
	if (!s.lo.last && s.lo.off == core_axis_info(c, a)->first) {
		lo = (Edge){EDGE_FIRST, 0};
	}
	return (Range){lo, hi};
}

Node seg_condition(Core *c, Node e, Seg known, Seg in)
{
	Node cond = 0;
	if (lim_le(c, in.lo, known.lo) != TRI_YES) {
		cond = core_op2(c, OP_ile, lim_node(c, in.lo), e);
	}
	if (lim_le(c, known.hi, in.hi) != TRI_YES) {
		Node below = core_op2(c, OP_ile, e, lim_node(c, in.hi));
		cond = cond ? core_op2(c, OP_and, cond, below) : below;
	}
	return cond;
}

bool box_whole(Core *c, const DefInfo *d, const Range *box)
{
	for (uint32_t k = 0; box && k < d->nindex; k++) {
		Axis a = core_index_axis(c, d->index[k]);
		Seg s = seg_of_range(c, a, box[k]), all = seg_of_axis(c, a);
		if (!lim_same(s.lo, all.lo) || !lim_same(s.hi, all.hi)) {
			return false;
		}
	}
	return true;
}

/* ---- domains ---- */

static void domain_add_point(Deriv *dv, Domain *m, uint32_t k, int64_t label)
{
	for (uint32_t j = 1; j < m->nseg[k]; j++) {
		if (m->seg[k][j].lo.off == label && !m->seg[k][j].lo.last) {
			return;
		}
	}
	Seg *grown = arena_array(dv->a, Seg, m->nseg[k] + 1);
	memcpy(grown, m->seg[k], m->nseg[k] * sizeof *grown);
	grown[m->nseg[k]++] = (Seg){lim_number(label), lim_number(label)};
	m->seg[k] = grown;
}

/* One range of one piece: its part on the axis widens the hull, what lies beside it becomes points.
 * At most 64 of them are made; base elements further out than that are refused where the definition
 * is elaborated. */
static void domain_widen(Deriv *dv, Domain *m, uint32_t k, Seg s, Seg all, bool *has_hull)
{
	Core *c = dv->c;
	Seg on = s;
	if (!s.lo.last && !all.lo.last && s.lo.off < all.lo.off) {
		int64_t end = !s.hi.last && s.hi.off < all.lo.off ? s.hi.off : all.lo.off - 1;
		for (int64_t v = s.lo.off; v <= end && v < s.lo.off + 64; v++) {
			domain_add_point(dv, m, k, v);
		}
		on.lo = all.lo;
	}
	if (s.hi.last == all.hi.last && s.hi.off > all.hi.off) {
		int64_t start = s.lo.last == all.hi.last && s.lo.off > all.hi.off ? s.lo.off
										  : all.hi.off + 1;
		for (int64_t v = start; !s.hi.last && v <= s.hi.off && v < start + 64; v++) {
			domain_add_point(dv, m, k, v);
		}
		on.hi = all.hi;
	}
	if (lim_lt(c, on.hi, on.lo) == TRI_YES) {
		return;
	}
	Seg *hull = &m->seg[k][0];
	if (!*has_hull) {
		*hull = on;
		*has_hull = true;
		return;
	}
	*hull = seg_hull(c, *hull, on, all);
}

static Domain domain_of_pieces(Deriv *dv, Def d, uint32_t from, uint32_t to)
{
	Core *c = dv->c;
	const DefInfo *info = core_def(c, d);
	Domain m = {.n = info->nindex, .whole = true};
	m.nseg = arena_array(dv->a, uint32_t, m.n + 1);
	m.seg = arena_array(dv->a, Seg *, m.n + 1);
	for (uint32_t k = 0; k < m.n; k++) {
		Seg all = seg_of_axis(c, core_index_axis(c, info->index[k]));
		m.nseg[k] = 1;
		m.seg[k] = arena_array(dv->a, Seg, 1);
		bool has_hull = false;
		for (uint32_t p = from; p < to; p++) {
			const Range *box = info->piece[p].box;
			Seg s = box ? seg_of_range(c, core_index_axis(c, info->index[k]), box[k])
				    : all;
			domain_widen(dv, &m, k, s, all, &has_hull);
		}
		if (!has_hull) {
			m.seg[k][0] = all;
			if (m.nseg[k] > 1) { /* wholly beside the axis */
				memmove(m.seg[k], m.seg[k] + 1, --m.nseg[k] * sizeof *m.seg[k]);
			}
		}
		m.whole = m.whole && m.nseg[k] == 1 && lim_same(m.seg[k][0].lo, all.lo) &&
			  lim_same(m.seg[k][0].hi, all.hi);
	}
	return m;
}

Domain domain_of(Deriv *dv, Def d)
{
	return domain_of_pieces(dv, d, 0, core_def(dv->c, d)->npiece);
}

Domain domain_of_piece(Deriv *dv, Def d, uint32_t piece)
{
	const DefInfo *info = core_def(dv->c, d);
	return info->rule ? domain_of(dv, d) : domain_of_pieces(dv, d, piece, piece + 1);
}

bool domain_next(const Domain *m, uint32_t *at)
{
	for (uint32_t k = m->n; k-- > 0;) {
		if (++at[k] < m->nseg[k]) {
			return true;
		}
		at[k] = 0;
	}
	return false;
}

bool domain_has(Deriv *dv, Def d, const Seg *cell)
{
	Core *c = dv->c;
	const DefInfo *info = core_def(c, d);
	if (!info->npiece) {
		return true;
	}
	for (uint32_t p = 0; p < info->npiece; p++) {
		const Range *box = info->piece[p].box;
		bool meets = true;
		for (uint32_t k = 0; k < info->nindex && meets; k++) {
			Axis a = core_index_axis(c, info->index[k]);
			Seg s = box ? seg_of_range(c, a, box[k]) : seg_of_axis(c, a);
			meets = seg_disjoint(c, s, cell[k]) != TRI_YES;
		}
		if (meets) {
			return true;
		}
	}
	return false;
}
