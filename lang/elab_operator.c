/* elab_operator.c — grad, jacobian, hessian, laplacian, div, curl. SPEC: derivatives. */
#include "lang/elab_builtin.h"

#include <string.h>

/* ---- derivative operators
 * --------------------------------------------------------------------------------------------------
 */
typedef struct Wrt {
	uint32_t n;
	Val v[8];
} Wrt; /* one array, or several scalars */

static bool operand(Call *c, Val *of, Wrt *wrt)
{
	Elab *e = c->e;
	wrt->n = 0;
	const Ast *by = c->n > 1 ? c->arg[1] : NULL;
	while (by && by->kind == AST_PAREN) {
		by = by->kid[0];
	}
	if (by && by->kind == AST_TUPLE) {
		for (uint32_t i = 0; i < by->nkid && i < 8; i++) {
			wrt->v[wrt->n] = elab_expr(e, c->s, by->kid[i]);
			if (wrt->v[wrt->n++].tag == VAL_ERROR) {
				return false;
			}
		}
	} else if (by) {
		wrt->v[wrt->n++] = builtin_value(c, 1);
		if (wrt->v[0].tag == VAL_ERROR) {
			return false;
		}
	}
	Val f = c->arg[0] ? elab_callee(e, c->s, c->arg[0]) : builtin_value(c, 0);
	if (f.tag == VAL_ERROR) {
		return false;
	}
	if (f.tag != VAL_FN) {
		*of = f;
		if (!wrt->n) {
			builtin_wrong(c, "needs what to differentiate by");
		}
		return wrt->n > 0;
	}
	FnDecl *d = f.fn->kind == FNV_USER ? f.fn->decl : NULL;
	if (!d) {
		builtin_wrong(c, "takes an expression or a function of the program");
		return false;
	}
	Val arg[32];
	bool named = d->nformal <= 32;
	for (uint32_t i = 0; i < d->nformal && named; i++) {
		Entry *entry = scope_find(e, c->s, d->formal[i]);
		named = entry && (entry->pending || entry->val.tag == VAL_NUM ||
				  entry->val.tag == VAL_RECORD);
	}
	if (!named && d->nformal == wrt->n) {
		for (uint32_t i = 0; i < wrt->n; i++) {
			arg[i] = wrt->v[i];
		}
	} else if (named) {
		for (uint32_t i = 0; i < d->nformal; i++) {
			arg[i] = scope_value(e, c->s, d->formal[i], c->at);
		}
	} else {
		builtin_wrong(
			c,
			arena_printf(e->arena,
				     "the arguments of %s are not in scope here; call it, as in  "
				     "%s(%s(x), x)",
				     elab_text(e, d->name), c->name, elab_text(e, d->name)));
		return false;
	}
	if (!wrt->n) { /* all coordinates that are numbers */
		for (uint32_t i = 0; i < d->nformal && wrt->n < 8; i++) {
			if (arg[i].tag == VAL_NUM && arg[i].elem == ELEM_REAL) {
				wrt->v[wrt->n++] = arg[i];
			}
			if (strcmp(c->name, "laplacian") == 0 &&
			    strcmp(elab_text(e, d->formal[i]), "t") == 0) {
				Diag *dg = diag_ambiguous(elab_diags(e), c->at, "laplacian",
							  "is time one of its coordinates?");
				diag_help(dg, "name them:  laplacian(%s, (x, y))",
					  elab_text(e, d->name));
				return false;
			}
		}
	}
	*of = elab_call_value(e, c->s, f.fn, c->at, d->nformal, arg, NULL, c->ast);
	return of->tag != VAL_ERROR;
}

static Val gradient(Call *c, const Val *of, const Wrt *w)
{
	if (w->n == 1) {
		return diff_by(c->e, c->at, of, &w->v[0]);
	}
	Val *item = arena_array(c->e->arena, Val, w->n);
	for (uint32_t i = 0; i < w->n; i++) {
		item[i] = diff_by(c->e, c->at, of, &w->v[i]);
	}
	return elab_array_literal(c->e, c->s, c->at, w->n, item);
}

Val builtin_grad(Call *c)
{
	Val of;
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (of.tag == VAL_NUM && of.rank) {
		diag_help(diag_type_mismatch(elab_diags(c->e), c->at, val_type(c->e, &of),
					     "one number"),
			  "of an array take  jacobian(f, x)");
		return val_error(c->at);
	}
	return gradient(c, &of, &w);
}

Val builtin_jacobian(Call *c)
{
	Val of;
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (w.n != 1) {
		return builtin_wrong(c, "takes one array to differentiate by");
	}
	return diff_by(c->e, c->at, &of, &w.v[0]);
}

Val builtin_hessian(Call *c)
{
	Val of;
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (w.n != 1) {
		return builtin_wrong(c, "takes one array to differentiate by");
	}
	Val g = diff_by(c->e, c->at, &of, &w.v[0]);
	return diff_by(c->e, c->at, &g, &w.v[0]);
}

/* Σ over the places of an array value's last two axes taken together (trace), as div and laplacian
 * need. */
static Val trace(Call *c, Val m)
{
	Elab *e = c->e;
	if (m.tag == VAL_ERROR) {
		return m;
	}
	Node place = core_index_value(e->core, m.ix[m.rank - 2]);
	Index k = m.ix[m.rank - 2];
	m.re = core_subst(e->core, m.re, 1, &m.ix[m.rank - 1], &place);
	m.re = core_reduce(e->core, RED_SUM, 0, c->at, 1, &k, m.re);
	m.rank -= 2;
	m.span = c->at;
	return m;
}

Val builtin_laplacian(Call *c)
{
	Elab *e = c->e;
	Val of;
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (of.tag != VAL_NUM || of.rank) {
		diag_type_mismatch(elab_diags(e), c->at, val_type(e, &of), "one number");
		return val_error(c->at);
	}
	if (w.n == 1 && w.v[0].rank == 1) {
		Val g = diff_by(e, c->at, &of, &w.v[0]);
		return trace(c, diff_by(e, c->at, &g, &w.v[0]));
	}
	if (w.n == 1 && w.v[0].rank > 1) { /* over all entries: Σ_{j,a} ∂²/∂R[j,a]² */
		Val g = diff_by(e, c->at, &of, &w.v[0]), h = diff_by(e, c->at, &g, &w.v[0]);
		if (h.tag == VAL_ERROR) {
			return h;
		}
		uint32_t r = w.v[0].rank;
		Node *to = arena_array(e->arena, Node, r);
		for (uint32_t i = 0; i < r; i++) {
			to[i] = core_index_value(e->core, h.ix[i]);
		}
		h.re = core_subst(e->core, h.re, r, h.ix + r, to);
		h.re = core_reduce(e->core, RED_SUM, 0, c->at, r, h.ix, h.re);
		h.rank = 0;
		return h;
	}
	Val total = val_error(c->at);
	for (uint32_t i = 0; i < w.n; i++) {
		Val g = diff_by(e, c->at, &of, &w.v[i]), h = diff_by(e, c->at, &g, &w.v[i]);
		total = i ? val_binary(e, c->at, SYM(e, "+"), total, h) : h;
	}
	return total;
}

static bool components(Call *c, const Val *of, uint32_t n, Val *out)
{
	Elab *e = c->e;
	if (of->tag == VAL_TUPLE && of->n == n) {
		memcpy(out, of->item, n * sizeof *out);
		return true;
	}
	if (of->tag == VAL_NUM && of->rank == 1 &&
	    core_axis_info(e->core, core_index_axis(e->core, of->ix[0]))->size == (int64_t)n) {
		int64_t first = core_axis_info(e->core, core_index_axis(e->core, of->ix[0]))->first;
		for (uint32_t i = 0; i < n; i++) {
			Node at = core_int_const(e->core, first + i);
			out[i] = of->n ? of->item[i] : val_subst(e, of, 1, of->ix, &at);
			out[i].rank = of->n ? out[i].rank : 0;
			out[i].n = 0;
		}
		return true;
	}
	builtin_wrong(c, arena_printf(e->arena, "the field needs %u components", n));
	return false;
}

Val builtin_div(Call *c)
{
	Elab *e = c->e;
	Val of, part_[8];
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (w.n == 1 && w.v[0].rank == 1 && of.tag == VAL_NUM && of.rank == 1) {
		return trace(c, diff_by(e, c->at, &of, &w.v[0]));
	}
	if (!components(c, &of, w.n, part_)) {
		return val_error(c->at);
	}
	Val total = val_error(c->at);
	for (uint32_t i = 0; i < w.n; i++) {
		Val d = diff_by(e, c->at, &part_[i], &w.v[i]);
		total = i ? val_binary(e, c->at, SYM(e, "+"), total, d) : d;
	}
	return total;
}

Val builtin_curl(Call *c)
{
	Elab *e = c->e;
	Val of, f[8];
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (w.n == 1 && w.v[0].rank == 1) { /* an array of coordinates: its three components */
		Val array = w.v[0];
		if (!components(c, &array, 3, w.v)) {
			return val_error(c->at);
		}
		w.n = 3;
	}
	if ((w.n != 3 && w.n != 2) || !components(c, &of, w.n, f)) {
		return w.n == 3 || w.n == 2 ? val_error(c->at)
					    : builtin_wrong(c, "needs two or three coordinates");
	}
	Sym minus = SYM(e, "-");
	Val item[3];
	for (uint32_t k = 0; k < 3; k++) {
		uint32_t i = w.n == 2 ? 0 : (k + 1) % 3, j = w.n == 2 ? 1 : (k + 2) % 3;
		Val a = diff_by(e, c->at, &f[j], &w.v[i]), b = diff_by(e, c->at, &f[i], &w.v[j]);
		item[k] = val_binary(e, c->at, minus, a, b);
		if (w.n == 2) {
			return item[0];
		}
	}
	return elab_array_literal(e, c->s, c->at, 3,
				  arena_copy(e->arena, item, sizeof item, _Alignof(Val)));
}
