/* elab_standard.c — standardize and unstandardize: shifts and scales by a part of the data. SPEC:
 * data. */
#include "lang/elab_builtin.h"

#include <string.h>

/* ---- standardising by a part of the data
 * -------------------------------------------------------------------------------------------- */
/* The names in an expression that stand for records of the data's family. */
static void record_names(Elab *e, Scope *s, const Ast *ast, const DataInfo *data, Sym *name,
			 uint32_t *n)
{
	if (!ast) {
		return;
	}
	if (ast->kind == AST_NAME) {
		Entry *entry = scope_find(e, s, ast->name);
		if (entry && !entry->pending && entry->val.tag == VAL_RECORD &&
		    data_family(entry->val.data, data)) {
			for (uint32_t i = 0; i < *n; i++) {
				if (name[i] == ast->name) {
					return;
				}
			}
			if (*n < 16) {
				name[(*n)++] = ast->name;
			}
		}
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		record_names(e, s, ast->kid[i], data, name, n);
	}
}

static Val column_moment(Elab *e, Span at, const Val *v, Index over, const Val *mean)
{
	Val r = *v;
	Node count = core_real(e->core, core_size(e->core, core_index_axis(e->core, over)));
	Node body = mean ? core_powi(e->core, core_sub(e->core, v->re, mean->re), 2) : v->re;
	r.re = core_div(e->core, core_reduce(e->core, RED_SUM, 0, at, 1, &over, body), count);
	if (mean) {
		r.re = core_op1(e->core, OP_sqrt, r.re);
	}
	r.n = 0;
	return r;
}

/* value |> standardize(part): (x - mean over part)/(deviation over part), element by element; a
 * constant column keeps its deviation of 0 and is only centred. */
Val builtin_standardize(Call *c)
{
	Elab *e = c->e;
	const Ast *pipe = c->ast;
	const Ast *text = pipe->kind == AST_PIPE ? pipe->kid[0] : c->n ? c->arg[0] : NULL;
	const Ast *set = pipe->kind == AST_PIPE
				 ? (pipe->kid[1]->nkid == 2 ? pipe->kid[1]->kid[1] : NULL)
			 : c->n == 2 ? c->arg[1]
				     : NULL;
	if (!text || !set) {
		return builtin_wrong(c, "is written  value |> standardize(data)");
	}
	Val data = elab_callee(e, c->s, set);
	if (data.tag == VAL_ERROR) {
		return data;
	}
	if (data.tag != VAL_DATA) {
		diag_type_mismatch(elab_diags(e), set->span, val_type(e, &data), "a data set");
		return val_error(c->at);
	}
	Sym name[16];
	uint32_t n = 0;
	record_names(e, c->s, text, data.data, name, &n);
	if (!n) {
		return builtin_wrong(c, arena_printf(e->arena,
						     "the value does not come from a record of %s",
						     elab_text(e, data.data->name)));
	}
	Val x = elab_expr(e, c->s, text);
	Scope *in = scope_new(e, c->s, NULL);
	Index over = core_index(e->core, data.data->records, 0);
	in->ctx = &over;
	in->nctx = 1;
	for (uint32_t i = 0; i < n; i++) {
		Val row = {.tag = VAL_RECORD,
			   .span = set->span,
			   .data = data.data,
			   .record = core_index_value(e->core, over)};
		scope_put(e, in, name[i], set->span, row);
	}
	Val all = elab_expr(e, in, text);
	if (x.tag == VAL_ERROR || all.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	x.mixed = all.mixed = false;
	for (uint32_t i = 0; i < x.n; i++) {
		x.item[i].unit = 0;
	}
	x.unit = all.unit = 0;
	if (x.tag != VAL_NUM || !val_real(e, &x) || !val_real(e, &all) || x.rank != all.rank) {
		return x.tag == VAL_NUM ? val_error(c->at) : builtin_wrong(c, "takes numbers");
	}
	all = val_align(e, &all, &x);
	Val mean = val_name(e, c->s, SYM(e, "mean"), column_moment(e, c->at, &all, over, NULL), 0);
	Val sd = val_name(e, c->s, SYM(e, "deviation"), column_moment(e, c->at, &all, over, &mean),
			  0);
	Core *k = e->core;
	Node zero = core_real_const(k, 0), one = core_real_const(k, 1);
	Node safe = core_select(k, core_op2(k, OP_lt, zero, sd.re), sd.re, one);
	x.re = core_div(k, core_sub(k, x.re, mean.re), safe);
	x.n = 0;
	x.span = c->at;
	return val_name(e, c->s, SYM(e, "standard"), x, 0);
}

/* y |> unstandardize(train.y): back to the mean, deviation and unit of a column. */
Val builtin_unstandardize(Call *c)
{
	Elab *e = c->e;
	if (c->n != 2) {
		return builtin_wrong(c, "is written  value |> unstandardize(data.field)");
	}
	Val y = builtin_value(c, 0), column = builtin_value(c, 1);
	if (y.tag == VAL_ERROR || column.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	if (column.tag != VAL_NUM || !column.rank || !val_real(e, &column) || !val_real(e, &y) ||
	    !val_pure(e, &y) || column.rank - 1 != y.rank) {
		return builtin_wrong(c, "needs a value and a column of the same shape, as in  "
					"unstandardize(train.y)");
	}
	Index over = column.ix[0];
	Val one = column;
	one.ix = column.ix + 1;
	one.rank--;
	one.rec = column.rec ? column.rec + 1 : NULL;
	one = y.rank ? val_align(e, &one, &y) : one;
	Val mean = val_name(e, c->s, SYM(e, "mean"), column_moment(e, c->at, &one, over, NULL), 0);
	Val sd = val_name(e, c->s, SYM(e, "deviation"), column_moment(e, c->at, &one, over, &mean),
			  0);
	y.re = core_add(e->core, mean.re, core_mul(e->core, sd.re, y.re));
	y.unit = column.unit;
	y.span = c->at;
	y.n = 0;
	return y;
}
