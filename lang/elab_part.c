/* elab_part.c — data sets that are not declared field by field: the elements of arrays (data chain
 * = e), parts and batches, which are copies of a declaration with records of their own. SPEC: data,
 * splits. */
#include "lang/elab_data_int.h"

#include <math.h>
#include <string.h>

/* ---- data chain = e: the elements of arrays are the records
 * ------------------------------------------------------------------ */

static bool expr_field(Elab *e, DataInfo *d, Sym name, Val *v)
{
	if (v->tag != VAL_NUM || v->rank == 0 || v->elem == ELEM_COMPLEX) {
		diag_type_mismatch(elab_diags(e), v->span, val_type(e, v),
				   "an array, whose first axis counts the records");
		return false;
	}
	AxisRef axis = val_axis(e, v, 0);
	if (d->expr_axis && axis.axis != d->expr_axis) {
		diag_axis_mismatch(elab_diags(e), v->span, axis_name(e, axis),
				   axis_name(e, (AxisRef){d->expr_axis, 0}));
		return false;
	}
	d->expr_axis = axis.axis;
	FieldInfo *f = &d->field[d->nfield++];
	*f = (FieldInfo){.name = name, .span = v->span, .source = SOURCE_DERIVED};
	f->kind = core_kind(e->core, v->re);
	f->spin = v->elem == ELEM_SPIN;
	f->unit = unit_resolve(e->units, v->unit);
	Axis *rest = arena_array(e->arena, Axis, v->rank);
	for (uint32_t k = 1; k < v->rank; k++) {
		rest[k - 1] = core_index_axis(e->core, v->ix[k]);
	}
	data_make_leaf(e, d, f, v->rank - 1, rest);
	Index record = core_index(e->core, d->records, SYM(e, "record"));
	Node label = core_add(e->core, core_index_value(e->core, record),
			      core_int_const(e->core, core_axis_info(e->core, axis.axis)->first));
	Node body = core_subst(e->core, v->re, 1, v->ix, &label);
	Index *ix = arena_array(e->arena, Index, v->rank);
	ix[0] = record;
	memcpy(ix + 1, v->ix + 1, (v->rank - 1) * sizeof *ix);
	core_at(e->core, v->span);
	f->formula = core_share(e->core, 0, v->span, v->rank, ix, body, 0);
	return true;
}

bool data_from_expr(Elab *e, Scope *s, DataInfo *d, const Ast *ast)
{
	Val v = elab_expr(e, s, ast);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	d->kind = DATA_EXPR;
	d->has_simulate = true;
	bool ok = true;
	if (v.tag == VAL_TUPLE && v.item_name) {
		d->field = arena_array(e->arena, FieldInfo, v.n + 1);
		for (uint32_t k = 0; ok && k < v.n; k++) {
			ok = v.item_name[k] && expr_field(e, d, v.item_name[k], &v.item[k]);
		}
	} else {
		d->field = arena_array(e->arena, FieldInfo, 1);
		ok = expr_field(e, d, SYM(e, "value"), &v);
	}
	if (!ok) {
		return false;
	}
	d->simulate = core_axis_info(e->core, d->expr_axis)->size;
	if (d->simulate < 1) {
		diag_not_constant(elab_diags(e), ast->span, "the number of records");
		return false;
	}
	return true;
}

/* ---- parts and batches ---- */

DataInfo *data_clone(Elab *e, DataInfo *of, DataKind kind, Sym name, Span at)
{
	DataInfo *d = arena_new(e->arena, DataInfo);
	d->kind = kind;
	d->name = name;
	d->span = at;
	d->parent = of;
	d->nfield = of->nfield;
	d->field = arena_array(e->arena, FieldInfo, of->nfield + 1);
	d->records = data_records_axis(e, name, at);
	for (uint32_t k = 0; k < of->nragged; k++) {
		data_ragged_axis(e, d, of->ragged[k]);
	}
	for (uint32_t k = 0; k < of->nfield; k++) {
		FieldInfo *f = &d->field[k];
		*f = of->field[k];
		f->formula = 0;
		if (!of->field[k].leaf) {
			continue;
		}
		uint32_t first = f->shared ? 0 : 1,
			 n = core_def(e->core, of->field[k].leaf)->nindex;
		Axis *axis = arena_array(e->arena, Axis, n + 1);
		for (uint32_t j = first; j < n; j++) {
			Axis a = core_index_axis(e->core,
						 core_def(e->core, of->field[k].leaf)->index[j]);
			axis[j - first] = data_is_ragged(of, a) ? data_ragged_axis(e, d, a) : a;
		}
		data_make_leaf(e, d, f, n - first, axis);
	}
	return d;
}

bool data_family(const DataInfo *a, const DataInfo *b)
{
	while (a->parent) {
		a = a->parent;
	}
	while (b->parent) {
		b = b->parent;
	}
	return a == b;
}

/* A share of the records, in (0,1], or a number of them. 100% is a share: it must not be read as
 * one record. */
static bool part_amount(Elab *e, Scope *s, const Ast *part, double *amount)
{
	const Ast *ast = part->kid[0];
	Val v = elab_expr(e, s, ast);
	int64_t count;
	double x;
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (val_const_int(e, &v, &count) && count >= 1) {
		*amount = (double)count;
		return true;
	}
	if (val_scalar(&v) && v.elem == ELEM_REAL && !unit_resolve(e->units, v.unit) &&
	    elab_node_value(e, v.re, &x) && x > 0 && x <= 1) {
		*amount = x < 1 ? x : nextafter(1, 0);
		return true;
	}
	diag_help(diag_wrong_arguments(elab_diags(e), ast->span, elab_text(e, part->name),
				       "needs a share between 0% and 100% or a number of records"),
		  "write  %s 80%%  or  %s 1000", elab_text(e, part->name),
		  elab_text(e, part->name));
	return false;
}

static bool split_by(Elab *e, Scope *s, const DataInfo *d, const Ast *by, Sym *out)
{
	if (by->kind == AST_NAME && data_find_field(d, by->name)) {
		*out = by->name;
		return true;
	}
	return data_string(e, s, by, "a field or the name of a column", out);
}

static bool split_options(Elab *e, Scope *s, const Ast *ast, SplitInfo *split)
{
	bool ok = true;
	if (ast->kid[1]) {
		ok = split_by(e, s, split->parent, ast->kid[1], &split->by);
	}
	split->seed = -1;
	if (ast->kid[2]) {
		Val v = elab_expr(e, s, ast->kid[2]);
		bool known = val_const_int(e, &v, &split->seed);
		if (!known && s != e->global && val_scalar(&v) && v.elem == ELEM_INT) {
			split->seed = -1;
			split->seed_now = v.re; /* in a sweep: each pass deals by its own */
		} else if (v.tag != VAL_ERROR && (!known || split->seed < 0)) {
			diag_not_constant(elab_diags(e), ast->kid[2]->span,
					  "the seed, a whole number of at least 0,");
			ok = false;
		}
		ok = ok && v.tag != VAL_ERROR;
	}
	return ok;
}

static void poison_parts(Elab *e, Scope *s, const Ast *ast)
{
	for (uint32_t k = 3; k < ast->nkid; k++) {
		if (ast->kid[k] && ast->kid[k]->name) {
			scope_add(e, s, ast->kid[k]->name, ast->kid[k]->span,
				  val_error(ast->kid[k]->span));
		}
	}
}

void elab_split(Elab *e, Scope *s, const Ast *ast)
{
	Val v = ast->kid[0] ? elab_callee(e, s, ast->kid[0])
			    : scope_value(e, s, ast->name, ast->name_span);
	if (v.tag != VAL_DATA) {
		if (v.tag != VAL_ERROR) {
			diag_type_mismatch(elab_diags(e),
					   ast->kid[0] ? ast->kid[0]->span : ast->name_span,
					   val_type(e, &v), "a data set");
		}
		poison_parts(e, s, ast);
		return;
	}
	SplitInfo *split = arena_new(e->arena, SplitInfo);
	split->parent = v.data;
	split->span = ast->span;
	bool ok = split_options(e, s, ast, split);
	uint32_t n = ast->nkid - 3;
	split->part = arena_array(e->arena, DataInfo *, n + 1);
	split->amount = arena_array(e->arena, double, n + 1);
	double shares = 0;
	for (uint32_t k = 0; k < n; k++) {
		const Ast *part = ast->kid[3 + k];
		DataInfo *d = data_clone(e, v.data, DATA_PART, part->name, part->span);
		d->part = k;
		d->ast = ast;
		d->late = v.data->late || s != e->global;
		ok = part_amount(e, s, part, &split->amount[k]) && ok;
		shares += split->amount[k] < 1 ? split->amount[k] : 0;
		split->part[split->npart++] = d;
		data_register(e, s, d, part->name_span);
	}
	if (ok && shares > 1 + 1e-9) {
		diag_wrong_arguments(
			elab_diags(e), ast->span, "split",
			arena_printf(e->arena, "the parts are %.4g%% of the whole", 100 * shares));
		ok = false;
	}
	if (ok) {
		Program *p = e->program;
		ARENA_PUSH(e->arena, p->split, p->nsplit, e->capsplit, split);
	}
}
