/* elab_fn_value.c — functions as values: sums, multiples and compositions of them; rules for their
 * derivatives. SPEC: functions, derivatives. */
#include "lang/elab_call.h"

#include <string.h>

static bool is_operator_value(const Val *v)
{
	return v->tag == VAL_FN && (v->fn->kind == FNV_USER || v->fn->kind == FNV_COMBINED ||
				    v->fn->kind == FNV_DERIVED);
}

bool fn_combines(const Val *a, const Val *b, char op)
{
	bool f = is_operator_value(a), g = is_operator_value(b);
	bool x = a->tag == VAL_NUM && !a->rank, y = b->tag == VAL_NUM && !b->rank;
	return (f && g && (op == '+' || op == '-' || op == '*')) || (x && g && op == '*') ||
	       (f && y && (op == '*' || op == '/'));
}

Val fn_combine(Elab *e, Span at, char op, Val a, Val b)
{
	FnVal f = {.kind = FNV_COMBINED, .combine = op};
	if (a.tag == VAL_NUM || b.tag == VAL_NUM) {
		Val number = a.tag == VAL_NUM ? a : b;
		if (op == '/') {
			Val one = val_num(e, at, ELEM_REAL, 0, core_real_const(e->core, 1));
			number = val_binary(e, at, SYM(e, "/"), one, number);
			if (number.tag == VAL_ERROR) {
				return number;
			}
		}
		b = a.tag == VAL_NUM ? b : a;
		a = number;
		f.combine = 's';
	}
	f.left = arena_copy(e->arena, &a, sizeof a, _Alignof(Val));
	f.right = arena_copy(e->arena, &b, sizeof b, _Alignof(Val));
	Val v = {.tag = VAL_FN, .span = at};
	v.fn = arena_copy(e->arena, &f, sizeof f, _Alignof(FnVal));
	return v;
}

Val fn_call_combined(Elab *e, Scope *s, const FnVal *f, Span at, uint32_t n, Val *arg,
		     const Ast *ast)
{
	Val *again = arena_copy(e->arena, arg, n * sizeof *arg, _Alignof(Val));
	Val right = elab_call_value(e, s, f->right->fn, at, n, arg, NULL, ast);
	if (right.tag == VAL_ERROR) {
		return right;
	}
	if (f->combine == 's') {
		return val_binary(e, at, SYM(e, "*"), *f->left, right);
	}
	if (f->combine == '*') {
		if (right.tag == VAL_NUM) {
			right = val_name(e, s, SYM(e, "applied"), right, 0);
		}
		return elab_call_value(e, s, f->left->fn, at, 1, &right, NULL, ast);
	}
	Val left = elab_call_value(e, s, f->left->fn, at, n, again, NULL, ast);
	return val_binary(e, at, SYM(e, f->combine == '+' ? "+" : "-"), left, right);
}

/* derivative f(x) = …: the value becomes a definition that carries the rule. */
Val rule_apply(Elab *e, Scope *in, FnDecl *d, Val v, const Val *formal)
{
	const Ast *rule = d->rule;
	if (!val_scalar(&v) || v.elem != ELEM_REAL) {
		diag_bad_rule(elab_diags(e), rule->span, elab_text(e, d->name),
			      "rules are for functions with one real value");
		return val_error(v.span);
	}
	uint32_t n = d->nformal;
	const Ast *value = rule->kid[1];
	uint32_t given = value->kind == AST_TUPLE ? value->nkid : 1;
	if (given != n) {
		diag_bad_rule(elab_diags(e), rule->span, elab_text(e, d->name),
			      arena_printf(e->arena, "it has %u parts for %u arguments", given, n));
		return val_error(v.span);
	}
	Rule r = {.n = n};
	r.arg = arena_array(e->arena, Node, n + 1);
	r.partial = arena_array(e->arena, Node, n + 1);
	Scope *names = scope_new(e, in, NULL);
	const Ast *head = rule->kid[0];
	for (uint32_t i = 0; i < n && i + 1 < head->nkid; i++) {
		scope_put(e, names, head->kid[i + 1]->name, head->kid[i + 1]->span,
			  scope_value(e, in, d->formal[i], v.span));
	}
	for (uint32_t i = 0; i < n; i++) {
		const Ast *part = value->kind == AST_TUPLE ? value->kid[i] : value;
		Val p = elab_expr(e, names, part);
		if (p.tag == VAL_ERROR || !val_real(e, &p)) {
			return val_error(v.span);
		}
		if (!val_scalar(&formal[i]) || formal[i].elem != ELEM_REAL || !val_scalar(&p)) {
			diag_bad_rule(elab_diags(e), part->span, elab_text(e, d->name),
				      "arguments and parts are real scalars");
			return val_error(v.span);
		}
		UnitId want = unit_div(e->units, v.unit, formal[i].unit);
		if (!val_convert(e, &p, want)) {
			return val_error(v.span);
		}
		r.arg[i] = formal[i].re;
		r.partial[i] = p.re;
	}
	IndexSet set = {0};
	index_set_value(e, &v, &set, NULL, 0);
	for (uint32_t i = 0; i < n; i++) {
		index_set_node(e, r.arg[i], &set, NULL, 0);
		index_set_node(e, r.partial[i], &set, NULL, 0);
	}
	uint32_t nix = set.n;
	const Index *ix = set.ix;
	Node *to = arena_array(e->arena, Node, nix + 1);
	Index *formals = arena_array(e->arena, Index, nix + 1);
	for (uint32_t i = 0; i < nix; i++) {
		formals[i] = core_index(e->core, core_index_axis(e->core, ix[i]),
					core_index_name(e->core, ix[i]));
		to[i] = core_index_value(e->core, formals[i]);
	}
	Rule *kept = arena_copy(e->arena, &r, sizeof r, _Alignof(Rule));
	for (uint32_t i = 0; i < n; i++) {
		kept->arg[i] = core_subst(e->core, r.arg[i], nix, ix, to);
		kept->partial[i] = core_subst(e->core, r.partial[i], nix, ix, to);
	}
	Piece piece = {NULL, core_subst(e->core, v.re, nix, ix, to)};
	DefInfo info = {.role = DEF_VALUE,
			.name = d->name,
			.span = v.span,
			.kind = KIND_REAL,
			.unit = v.unit,
			.nindex = nix,
			.index = formals,
			.npiece = 1,
			.piece = &piece,
			.flags = DEF_USER,
			.rule = kept};
	Def def = core_define(e->core, info);
	v.re = core_read_plain(e->core, def, ix);
	return v;
}
