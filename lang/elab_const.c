/* elab_const.c — constants, and their values given by --set. SPEC: constants. */
#include "lang/elab_int.h"

#include <string.h>

static const Setting *setting_for(Elab *e, Sym name)
{
	for (uint32_t i = 0; i < e->options.nset; i++) {
		if (strcmp(e->options.set[i].name, elab_text(e, name)) == 0) {
			e->set_used[i] = true;
			return &e->options.set[i];
		}
	}
	return NULL;
}

/* The value given by --set, read as the declaration says: text for strings, an expression
 * otherwise. */
static Val setting_value(Elab *e, Scope *s, const Setting *set, const Val *declared, Span at)
{
	if (declared->tag == VAL_STRING) {
		return val_string(at, SYM(e, set->value));
	}
	const char *name = arena_printf(e->arena, "--set %s", set->name);
	uint32_t file = sources_add(e->ctx->sources, name, set->value, strlen(set->value));
	unsigned before = diags_errors(e->diags);
	const Ast *ast = parse_expression(e->ctx, file);
	Val v = ast ? elab_expr(e, s, ast) : val_error(at);
	if (v.tag == VAL_ERROR) {
		if (diags_errors(e->diags) == before) {
			diag_bad_setting(elab_diags(e), at, set->name, "this is not a value");
		}
		return v;
	}
	if (v.tag != declared->tag || (v.tag == VAL_NUM && v.rank != declared->rank)) {
		diag_bad_setting(elab_diags(e), at, set->name,
				 arena_printf(e->arena, "it is %s, declared is %s", val_type(e, &v),
					      val_type(e, declared)));
		return val_error(at);
	}
	if (v.tag == VAL_NUM) {
		bool fits = declared->elem == v.elem ||
			    (declared->elem == ELEM_REAL && v.elem == ELEM_INT) ||
			    (declared->elem == ELEM_COMPLEX && v.elem != ELEM_BOOL);
		if (!fits) {
			diag_bad_setting(elab_diags(e), at, set->name,
					 arena_printf(e->arena, "it is %s, declared is %s",
						      val_type(e, &v), val_type(e, declared)));
			return val_error(at);
		}
		bool complex = declared->elem == ELEM_COMPLEX;
		if (complex ? !val_to_complex(e, &v)
			    : declared->elem == ELEM_REAL && !val_real(e, &v)) {
			return val_error(at);
		}
		if ((complex || declared->elem == ELEM_REAL) &&
		    !val_convert(e, &v, declared->unit)) {
			return val_error(at);
		}
	}
	return v;
}

/* Does the value need parameters, data or what statements compute? */
static bool depends_on_leaves(Elab *e, Node n)
{
	Def *order;
	uint32_t *component, count = core_reach(e->core, e->arena, 1, &n, &order, &component);
	for (uint32_t i = 0; i < count; i++) {
		DefRole role = core_def(e->core, order[i])->role;
		if (role == DEF_PARAM || role == DEF_DATA || role == DEF_RUNTIME) {
			return true;
		}
	}
	return false;
}

static Val const_value(Elab *e, Scope *s, const Ast *ast, Val v)
{
	double x;
	if (v.tag != VAL_NUM) {
		return v;
	}
	if (v.rank == 0 && v.elem != ELEM_COMPLEX) {
		if (!elab_node_value(e, v.re, &x)) {
			Diag *d = diag_not_constant(elab_diags(e), ast->kid[1]->span, "a const");
			diag_help(d,
				  "write a definition without const, or  let %s = …  to compute it "
				  "now",
				  elab_text(e, ast->name));
			return val_error(ast->span);
		}
		if (v.elem == ELEM_INT) {
			int64_t whole;
			if (!val_const_int(e, &v, &whole)) {
				diag_int_overflow(elab_diags(e), ast->kid[1]->span,
						  elab_text(e, ast->name));
				return val_error(ast->span);
			}
			v.re = core_int_const(e->core, whole);
			v.of = 0;
			return v;
		}
		if (v.elem == ELEM_BOOL) {
			v.re = core_bool_const(e->core, x != 0);
			return v;
		}
		val_real(e, &v);
		Piece piece = {NULL, v.re};
		DefInfo info = {.role = DEF_CONST,
				.name = ast->name,
				.span = ast->span,
				.kind = KIND_REAL,
				.unit = unit_resolve(e->units, v.unit),
				.npiece = 1,
				.piece = &piece,
				.flags = DEF_USER};
		v.re = core_read(e->core, core_define(e->core, info), NULL);
		v.literal = false;
		return v;
	}
	if (depends_on_leaves(e, v.re) || (v.im && depends_on_leaves(e, v.im))) {
		Diag *d = diag_not_constant(elab_diags(e), ast->kid[1]->span, "a const");
		diag_help(d, "write a definition without const, or  let %s = …  to compute it now",
			  elab_text(e, ast->name));
		return val_error(ast->span);
	}
	return val_name(e, s, ast->name, v, DEF_USER);
}

void elab_const(Elab *e, Scope *s, const Ast *ast)
{
	Val v = elab_expr_as(e, s, ast->kid[1], s, ast->kid[0]);
	if (v.tag != VAL_ERROR && ast->kid[0]) {
		Scope *bind = scope_new(e, s, NULL);
		v.span = ast->kid[1]->span;
		if (!type_fit(e, bind, ast->kid[0], &v, elab_text(e, ast->name))) {
			v = val_error(ast->span);
		} else if (v.tag == VAL_NUM && v.elem == ELEM_REAL) {
			v.literal = false;
		}
	}
	const Setting *set = e->in_prelude ? NULL : setting_for(e, ast->name);
	if (set && v.tag != VAL_ERROR) {
		Val given = setting_value(e, s, set, &v, ast->name_span);
		if (given.tag != VAL_ERROR && ast->kid[0] &&
		    !type_fit(e, scope_new(e, s, NULL), ast->kid[0], &given,
			      elab_text(e, ast->name))) {
			given = val_error(ast->span);
		}
		v = given;
	}
	scope_add(e, s, ast->name, ast->name_span, const_value(e, s, ast, v));
}
