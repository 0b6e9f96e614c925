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

/* ---- rules
 * ------------------------------------------------------------------------------------------------------------ */
static bool bad_rule(Elab *e, const FnDecl *d, Span at, const char *why)
{
	diag_bad_rule(elab_diags(e), at, elab_text(e, d->name), why);
	return false;
}

/* name = value over all its free indices, with a rule: its read. */
static Node ruled(Elab *e, const FnDecl *d, Span at, UnitId unit, Node value, const Rule *r)
{
	IndexSet set = {0};
	index_set_node(e, value, &set, NULL, 0);
	for (uint32_t i = 0; i < r->n; i++) {
		index_set_node(e, r->arg[i], &set, NULL, 0);
		index_set_node(e, r->partial[i], &set, NULL, 0);
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
	Rule *kept = arena_copy(e->arena, r, sizeof *r, _Alignof(Rule));
	for (uint32_t i = 0; i < r->n; i++) {
		kept->arg[i] = core_subst(e->core, r->arg[i], nix, ix, to);
		kept->partial[i] = core_subst(e->core, r->partial[i], nix, ix, to);
	}
	Piece piece = {NULL, core_subst(e->core, value, nix, ix, to)};
	DefInfo info = {.role = DEF_VALUE,
			.name = d->name,
			.span = at,
			.kind = KIND_REAL,
			.unit = unit,
			.nindex = nix,
			.index = formals,
			.npiece = 1,
			.piece = &piece,
			.flags = DEF_USER,
			.rule = kept};
	return core_read_plain(e->core, core_define(e->core, info), ix);
}

/* Of an array argument a the differential is Σ_i partial_i da_i: that of the sum of names whose values are those of a and
 * whose rules are the partials. */
static Node array_term(Elab *e, const FnDecl *d, Span at, const Val *arg, Node partial)
{
	Rule r = {.n = 1};
	r.arg = arena_array(e->arena, Node, 1);
	r.partial = arena_array(e->arena, Node, 1);
	r.arg[0] = arg->re;
	r.partial[0] = partial;
	Node element = ruled(e, d, at, arg->unit, arg->re, &r);
	Index *bound = arena_array(e->arena, Index, arg->rank);
	Node *to = arena_array(e->arena, Node, arg->rank);
	for (uint32_t i = 0; i < arg->rank; i++) {
		bound[i] = core_index_like(e->core, arg->ix[i]);
		to[i] = core_index_value(e->core, bound[i]);
	}
	element = core_subst(e->core, element, arg->rank, arg->ix, to);
	return core_reduce(e->core, RED_SUM, 0, at, arg->rank, bound, element);
}

/* One part of a rule, that of one argument, over the axes of the argument. */
static bool rule_part(Elab *e, Scope *names, const FnDecl *d, const Ast *part, const Val *arg, UnitId unit, Node *out)
{
	AxisRef *axis = arena_array(e->arena, AxisRef, arg->rank + 1);
	for (uint32_t i = 0; i < arg->rank; i++) {
		axis[i] = val_axis(e, arg, i);
	}
	Val p = elab_expr_on(e, names, part, arg->rank, axis);
	if (p.tag == VAL_ERROR || !val_real(e, &p)) {
		return false;
	}
	literal_fit(e, &p, arg);
	bool fits = p.rank == arg->rank;
	for (uint32_t i = 0; fits && i < p.rank; i++) {
		fits = axis_same(e, val_axis(e, &p, i), axis[i]);
	}
	if (!fits) {
		Diag *dg = diag_bad_rule(elab_diags(e), part->span, elab_text(e, d->name),
					 arena_printf(e->arena, "this part is %s for an argument that is %s",
						      val_type(e, &p), val_type(e, arg)));
		diag_help(dg, arg->rank ? "the derivatives by the elements of an array are an array over its axes:  [i -> …]"
					: "the derivative by a number is a number");
		return false;
	}
	if (!val_convert(e, &p, unit_div(e->units, unit, arg->unit))) {
		return false;
	}
	*out = p.rank ? val_align(e, &p, arg).re : p.re;
	return true;
}

/* The parts of the rule of d for the value v at these arguments. Those of arguments that are no reals are not looked at. */
static bool rule_parts(Elab *e, Scope *names, FnDecl *d, const Val *v, const Val *formal, Rule *r)
{
	const Ast *value = d->rule->kid[1];
	for (uint32_t i = 0; i < d->nformal; i++) {
		const Ast *part = value->kind == AST_TUPLE ? value->kid[i] : value;
		const Val *arg = &formal[i];
		if (arg->tag == VAL_NUM && arg->elem == ELEM_COMPLEX) {
			return bad_rule(e, d, part->span, "arguments are reals and arrays of reals");
		}
		if (arg->tag != VAL_NUM || arg->elem != ELEM_REAL) {
			continue;
		}
		Node partial;
		if (!rule_part(e, names, d, part, arg, v->unit, &partial)) {
			return false;
		}
		bool array = arg->rank;
		r->arg[r->n] = array ? array_term(e, d, v->span, arg, partial) : arg->re;
		r->partial[r->n++] = array ? core_real_const(e->core, 1) : partial;
	}
	return true;
}

/* derivative f(x) = …: the value becomes a definition that carries the rule. In the rule f itself is its formula, without
 * the rule: else f would need itself without end. */
Val rule_apply(Elab *e, Scope *in, FnDecl *d, Val v, const Val *formal)
{
	const Ast *rule = d->rule, *head = rule->kid[0], *value = rule->kid[1];
	if (!val_scalar(&v) || v.elem != ELEM_REAL) {
		bad_rule(e, d, rule->span, "rules are for functions with one real value");
		return val_error(v.span);
	}
	uint32_t n = d->nformal, given = value->kind == AST_TUPLE ? value->nkid : 1;
	if (given != n) {
		bad_rule(e, d, rule->span, arena_printf(e->arena, "it has %u part%s for %u argument%s", given, given == 1 ? "" : "s", n,
						      n == 1 ? "" : "s"));
		return val_error(v.span);
	}
	Rule r = {.n = 0};
	r.arg = arena_array(e->arena, Node, n + 1);
	r.partial = arena_array(e->arena, Node, n + 1);
	Scope *names = scope_new(e, in, NULL);
	for (uint32_t i = 0; i < n && i + 1 < head->nkid; i++) {
		scope_put(e, names, head->kid[i + 1]->name, head->kid[i + 1]->span,
			  scope_value(e, in, d->formal[i], v.span));
	}
	bool active = d->active;
	Sym outer = e->in_rule;
	d->active = false;
	d->in_rule = true;
	e->in_rule = intern_printf(e->names, "%s %s", outer ? elab_text(e, outer) : "", elab_text(e, d->name));
	bool good = rule_parts(e, names, d, &v, formal, &r);
	d->active = active;
	d->in_rule = false;
	e->in_rule = outer;
	if (!good) {
		return val_error(v.span);
	}
	v.re = ruled(e, d, v.span, v.unit, v.re, &r);
	return v;
}
