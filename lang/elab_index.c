/* elab_index.c — reads of arrays: x[i], x[2], x[C], rows W[i], and slices x[a..b], W[*, j]. SPEC: axes.
 */
#include "lang/elab_int.h"

#include <string.h>

/* Has the array, a definition by pieces, a value at this place of its position p, beside the axis?
 * While it is being made nobody knows. */
static bool has_place(Elab *e, const Val *base, uint32_t p, int64_t at)
{
	NodeInfo read = *core_node(e->core, base->re);
	if (!base->reaches || read.tag != NODE_READ || read.n < base->rank) {
		return false;
	}
	DefInfo d = *core_def(e->core, read.ref);
	for (uint32_t k = 0; k < d.npiece; k++) {
		const Range *box = d.piece[k].box ? &d.piece[k].box[read.n - base->rank + p] : NULL;
		if (box && box->lo.kind == EDGE_AT && box->lo.offset == at) {
			return true;
		}
	}
	return d.npiece == 0;
}

static bool range_check(Elab *e, const Val *index, const Val *base, uint32_t p, const Ast *ast)
{
	int64_t v;
	AxisRef axis = val_axis(e, base, p);
	const AxisInfo *info = core_axis_info(e->core, axis.axis);
	if (info->size < 0 || (info->flags & AXIS_PERIODIC) || e->unseen ||
	    !val_const_int(e, index, &v) || (v >= info->first && v < info->first + info->size) ||
	    has_place(e, base, p, v)) {
		return true;
	}
	Diag *d = diag_index_out_of_range(elab_diags(e), ast->span,
					  arena_printf(e->arena, "%lld", (long long)v),
					  axis_name(e, axis));
	diag_remark(d, "the axis runs from %lld to %lld", (long long)info->first,
		    (long long)(info->first + info->size - 1));
	return false;
}

/* x[i] with i bound by nothing: E0203. On an axis with labels the name may be a misspelt one. */
static bool free_index(Elab *e, Scope *s, const Ast *ast, AxisRef axis)
{
	const Ast *name = ast;
	while (name->kind == AST_PAREN ||
	       (name->kind == AST_BINARY && name->kid[1]->kind == AST_NUM)) {
		name = name->kid[0];
	}
	if (name->kind != AST_NAME || core_axis_info(e->core, axis.axis)->nlabel ||
	    scope_knows(e, s, name->name)) {
		return false;
	}
	if (scope_is_news(e, name->name)) {
		const char *text = elab_text(e, name->name);
		Diag *d = diag_indices_disagree(elab_diags(e), name->span, text,
						"is free here: nothing binds it");
		diag_help(d, "sum over it, as in  sum[%s] …, or make an array:  [%s -> …]", text,
			  text);
	}
	return true;
}

/* One index expression as an int node in label values of the axis. */
static Node index_node(Elab *e, Scope *s, const Ast *ast, const Val *base, uint32_t p)
{
	AxisRef axis = val_axis(e, base, p);
	int64_t label;
	if (ast->kind == AST_NAME && ast->nkid) {
		Diag *d = diag_bad_statement_place(elab_diags(e), ast->span,
						   "an index with its axis",
						   "where an array is read");
		diag_help(d, "the axis stands where the index is bound:  y[%s in axis] = …  or  "
			     "[%s in axis -> …]",
			  elab_text(e, ast->name), elab_text(e, ast->name));
		return 0;
	}
	if (names_label(e, axis.axis, ast, &label)) {
		Entry *entry = scope_find(e, s, ast->name);
		if (entry && !entry->pending && entry->val.tag == VAL_NUM &&
		    entry->val.elem == ELEM_INT && entry->val.of) {
			diag_note(diag_ambiguous(elab_diags(e), ast->span, elab_text(e, ast->name),
						 "it is a label of the axis and an index"),
				  entry->span, "the index");
			return 0;
		}
		return core_int_const(e->core, label);
	}
	if (free_index(e, s, ast, axis)) {
		return 0;
	}
	Val v = elab_expr(e, s, ast);
	if (v.tag == VAL_ERROR) {
		return 0;
	}
	bool records = core_axis_info(e->core, axis.axis)->flags & AXIS_SAMPLES;
	if (v.tag == VAL_RECORD && records) { /* a[r] of an array over the set that r runs over */
		if (v.data->records != axis.axis) {
			diag_axis_mismatch(elab_diags(e), ast->span, elab_text(e, v.data->name),
					   axis_name(e, axis));
			return 0;
		}
		return v.record;
	}
	if (v.tag == VAL_RECORD && v.data->records == axis.axis) { /* n[r] of n = [r in set -> …] */
		return v.record;
	}
	if (!val_scalar(&v) || v.elem != ELEM_INT) {
		Diag *d = diag_type_mismatch(
			elab_diags(e), ast->span, val_type(e, &v),
			arena_printf(e->arena, "an index over axis %s", axis_name(e, axis)));
		if (val_scalar(&v) && v.elem == ELEM_REAL) {
			diag_help(d, "a real becomes an int by  int(x), which rounds down");
		}
		return 0;
	}
	if (v.of && v.of != axis.axis && !records && !axis_is_range(e, v.of)) {
		Diag *d = diag_axis_mismatch(elab_diags(e), ast->span,
					     axis_name(e, (AxisRef){v.of, 0}), axis_name(e, axis));
		diag_remark(d, "axes are types: an index of one cannot read along another");
		diag_help(d, "the number of the place can, which is checked against the axis:  "
			     "x[int(%s)]",
			  ast_text(e->arena, e->names, ast));
		return 0;
	}
	return range_check(e, &v, base, p, ast) ? v.re : 0;
}

/* Where one index reads: at a place, or along an index of its own, which the result keeps. */
typedef struct ReadAt {
	Node at;
	Index ix; /* 0 for a single place */
	Node rec; /* of an axis sized by record */
} ReadAt;

/* x[a..b]: the places from one end to the other, on an axis of that length. */
static bool slice(Elab *e, Scope *s, const Ast *ast, const Val *base, uint32_t p, ReadAt *out)
{
	int64_t end[2];
	for (int k = 0; k < 2; k++) {
		Node at = index_node(e, s, ast->kid[k], base, p);
		double x;
		if (!at) {
			return false;
		}
		if (core_node(e->core, at)->kind != KIND_INT || !core_is_const(e->core, at, &x)) {
			Diag *d = diag_not_constant(elab_diags(e), ast->kid[k]->span,
						    "the end of a slice");
			diag_help(d, "where the places move, say which of them:  [k in 0..n -> x[i + k]]");
			return false;
		}
		end[k] = core_node(e->core, at)->integer;
	}
	if (end[1] < end[0] - 1) {
		diag_index_out_of_range(elab_diags(e), ast->span, "the end of the range",
					"that begins after it");
		return false;
	}
	Axis axis = core_axis_anonymous(e->core, end[1] - end[0] + 1);
	out->ix = core_index(e->core, axis, core_index_name(e->core, base->ix[p]));
	out->at = core_add(e->core, core_index_value(e->core, out->ix),
			   core_int_const(e->core, end[0]));
	return true;
}

static bool place(Elab *e, Scope *s, const Ast *ast, const Val *base, uint32_t p, ReadAt *out)
{
	const Ast *inner = ast;
	while (inner->kind == AST_PAREN) {
		inner = inner->kid[0];
	}
	if (inner->kind == AST_RANGE) {
		return slice(e, s, inner, base, p, out);
	}
	if (inner->kind == AST_OPERATOR) { /* W[*, j]: all of the axis */
		Index old = base->ix[p];
		out->ix = core_index(e->core, core_index_axis(e->core, old),
				     core_index_name(e->core, old));
		out->at = core_index_value(e->core, out->ix);
		out->rec = base->rec ? base->rec[p] : 0;
		return true;
	}
	out->at = index_node(e, s, ast, base, p);
	return out->at != 0;
}

/* d[3], d[place[k]]: a record by its number, from 0. */
static Val record_at(Elab *e, Scope *s, const Val *set, uint32_t n, Ast *const *index, Span at)
{
	DataInfo *d = set->data;
	if (n != 1) {
		diag_rank_mismatch(elab_diags(e), at, elab_text(e, d->name), n, 1);
		return val_error(at);
	}
	Index record = core_index(e->core, d->records, SYM(e, "record"));
	Val numbers = val_num(e, at, ELEM_INT, 0, core_index_value(e->core, record));
	numbers.rank = 1;
	numbers.ix = &record;
	Node number = index_node(e, s, index[0], &numbers, 0);
	Val v = {.tag = VAL_RECORD, .span = at, .data = d, .record = number};
	return number ? v : val_error(at);
}

Val elab_index(Elab *e, Scope *s, Val base, uint32_t n, Ast *const *index, Span at)
{
	if (base.tag == VAL_ERROR) {
		return base;
	}
	if (base.tag == VAL_DATA) {
		return record_at(e, s, &base, n, index, at);
	}
	if (base.tag != VAL_NUM) {
		diag_type_mismatch(elab_diags(e), base.span, val_type(e, &base), "an array");
		return val_error(at);
	}
	if (n > base.rank) {
		diag_rank_mismatch(elab_diags(e), at, base.rank ? "the array" : "the scalar", n,
				   base.rank);
		return val_error(at);
	}
	ReadAt *to = arena_array(e->arena, ReadAt, n + 1);
	Node *node = arena_array(e->arena, Node, n + 1);
	uint32_t kept = 0;
	bool ok = true;
	for (uint32_t i = 0; i < n; i++) {
		ok = place(e, s, index[i], &base, i, &to[i]) && ok;
		node[i] = to[i].at;
		kept += to[i].ix != 0;
	}
	if (!ok) {
		return val_error(at);
	}
	double k;
	if (base.n && elab_node_value(e, node[0], &k) && k >= 0 && k < base.n) {
		Val item = base.item[(size_t)k];
		item.span = at;
		return n > 1 ? elab_index(e, s, item, n - 1, index + 1, at) : item;
	}
	if (base.mixed) {
		diag_unit_mismatch(elab_diags(e), at, "different from element to element",
				   "one unit");
		return val_error(at);
	}
	core_at(e->core, at);
	Val r = val_subst(e, &base, n, base.ix, node);
	r.span = at;
	r.rank = base.rank - n + kept;
	r.ix = arena_array(e->arena, Index, r.rank + 1);
	r.rec = arena_array(e->arena, Node, r.rank + 1);
	uint32_t m = 0;
	for (uint32_t i = 0; i < base.rank; i++) {
		if (i >= n || to[i].ix) {
			r.ix[m] = i < n ? to[i].ix : base.ix[i];
			r.rec[m++] = i < n ? to[i].rec : base.rec ? base.rec[i] : 0;
		}
	}
	r.rec = base.rec ? r.rec : NULL;
	r.n = 0;
	r.of = 0;
	r.literal = false;
	return r;
}
