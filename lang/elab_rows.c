/* elab_rows.c — which rows of a table become records: where, by, complete, at. SPEC: data. */
#include "lang/elab_data_int.h"

#include <string.h>

static const struct {
	const char *text;
	RowOp op;
} row_op[] = {{"and", ROW_AND}, {"or", ROW_OR}, {"not", ROW_NOT}, {"==", ROW_EQ}, {"!=", ROW_NE},
	      {"<", ROW_LT},    {"<=", ROW_LE}, {">", ROW_GT},    {">=", ROW_GE}};

/* "iso_code" != "" and "year" >= 1970: the left side names a column, the right side is a constant.
 */
static bool comparison(Elab *e, Scope *s, RowTest *t, const Ast *ast)
{
	if (!data_string(e, s, ast->kid[0], "the name of a column", &t->column)) {
		return false;
	}
	Val v = elab_expr(e, s, ast->kid[1]);
	if (v.tag == VAL_STRING) {
		t->is_text = true;
		t->text = v.string;
		if (t->op != ROW_EQ && t->op != ROW_NE) {
			diag_type_mismatch(elab_diags(e), ast->span, "an order of texts",
					   "== or !=");
			return false;
		}
		return true;
	}
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (!val_scalar(&v) || v.elem == ELEM_BOOL || v.elem == ELEM_COMPLEX ||
	    !elab_node_value(e, v.re, &t->number)) {
		diag_not_constant(elab_diags(e), ast->kid[1]->span,
				  "what a cell is compared with, a number or a text,");
		return false;
	}
	return true;
}

static const RowTest *row_test(Elab *e, Scope *s, const Ast *ast)
{
	while (ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	RowTest *t = arena_new(e->arena, RowTest);
	t->span = ast->span;
	size_t k = 0, n = sizeof row_op / sizeof *row_op;
	bool made = ast->kind == AST_BINARY || ast->kind == AST_UNARY;
	while (made && k < n && strcmp(elab_text(e, ast->name), row_op[k].text) != 0) {
		k++;
	}
	if (!made || k == n) {
		if (ast->kind != AST_ERROR_EXPR) {
			diag_help(diag_type_mismatch(elab_diags(e), ast->span, "this",
						     "a condition on the cells of a row"),
				  "write  \"column\" >= 3  or  \"column\" != \"text\", joined by "
				  "and, or, not");
		}
		return NULL;
	}
	t->op = row_op[k].op;
	if (t->op > ROW_NOT) {
		return comparison(e, s, t, ast) ? t : NULL;
	}
	t->a = row_test(e, s, ast->kid[0]);
	t->b = t->op == ROW_NOT ? NULL : row_test(e, s, ast->kid[1]);
	return t->a && (t->b || t->op == ROW_NOT) ? t : NULL;
}

bool rows_declare(Elab *e, Scope *s, DataInfo *d, const Ast *rows)
{
	bool ok = true;
	d->complete = rows->flags & AST_COMPLETE;
	if (rows->kid[0]) {
		d->where = row_test(e, s, rows->kid[0]);
		ok = d->where != NULL;
	}
	if (rows->kid[1]) {
		ok = data_string(e, s, rows->kid[1], "the name of a column", &d->by) && ok;
	}
	return ok;
}

bool rows_place(Elab *e, Scope *s, const DataInfo *d, FieldInfo *f, const Ast *decl)
{
	const Ast *at = decl->kid[3];
	const char *why = NULL;
	const DefInfo *leaf = core_def(e->core, f->leaf);
	if (!d->by) {
		why = "takes its places from a column, and each row is a record of its own";
	} else if (f->shared || leaf->nindex != 2) {
		why = "takes its places from a column and needs one axis";
	} else if (core_axis_info(e->core, core_index_axis(e->core, leaf->index[1]))->size < 0) {
		why = "takes its places from a column and needs an axis with a size";
	}
	if (why) {
		diag_help(diag_wrong_arguments(elab_diags(e), at->span, elab_text(e, f->name), why),
			  "as in  data d from \"t.csv\" by \"country\" { y : real[year] from \"y\" "
			  "at "
			  "\"year\" }");
		return false;
	}
	return data_string(e, s, at, "the name of a column", &f->at);
}
