/* deriv_matrix.c — linearisations of operations on whole arrays, each in terms of the same or other
 * such operations, so that derivatives of every order follow:
 *
 *   X = inverse(A)       dX[i,k] = -Σ X[i,p] dA[p,q] X[q,k]
 *   logdet(A)            Σ X[q,p] dA[p,q]          det(A): det times that
 *   (λ, U) = eigh(A)     dλ[k] = Σ U[p,k] dA[p,q] U[q,k]
 *   (U, s, V) = svd(A)   ds[k] = Σ U[p,k] dA[p,q] V[k,q]
 *   sort(v)              dv at the place that order(v) tells
 *
 * The others have no derivative. SPEC.md, matrices and ordering. */
#include "compiler/deriv_int.h"
#include "lang/matrix.h"

/* Result `red` of the argument of t's definition, at the places, which lie on these axes. */
static Node other_result(Deriv *dv, const LinTerm *t, RedKind red, const Axis *axis,
			 const Node *place)
{
	Core *c = dv->c;
	const DefInfo info = *core_def(c, t->def);
	uint32_t around = info.nindex - matrix_results(&info), n = matrix_op(red)->nresult;
	Index *from = arena_array(dv->a, Index, around + n);
	Node *to = arena_array(dv->a, Node, around + n);
	for (uint32_t k = 0; k < around + n; k++) {
		from[k] = k < around ? info.index[k] : core_index(c, axis[k - around], 0);
		to[k] = k < around ? t->args[k] : place[k - around];
	}
	Node read =
		core_matrix(c, red, 0, info.span, info.bound, from + around, info.piece[0].value);
	return core_subst(c, read, around + n, from, to);
}

static const LinTerm *sorted_term(Deriv *dv, LinTerm t, Node at)
{
	Axis axis = core_index_axis(dv->c, t.bound[0]);
	Node place = other_result(dv, &t, RED_ORDER, &axis, &at);
	t.of = core_subst(dv->c, t.of, 1, t.bound, &place);
	t.nbound = 0;
	return deriv_one_term(dv, t);
}

static uint32_t refuse(Deriv *dv, const LinTerm *t, RedKind red)
{
	if (!dv->failed) {
		dv->failed = dv->errors = true;
		Diag *d = diag_not_differentiable(dv->ds, dv->at, matrix_op(red)->word);
		diag_note(d, core_def(dv->c, t->def)->span, "used here");
		diag_help(d, "keep it out with stop( ); inverse, solve, logdet, det, sort, the "
			     "eigenvalues of eigh and the singular values of svd have derivatives");
	}
	return 0;
}

uint32_t deriv_matrix_terms(Deriv *dv, LinTerm t, const LinTerm **terms)
{
	Core *c = dv->c;
	const DefInfo *info = core_def(c, t.def);
	RedKind red = info->red;
	const Node *at = t.args + (info->nindex - matrix_results(info)); /* places in the result */
	Node p = core_index_value(c, t.bound[0]);
	Node q = t.nbound > 1 ? core_index_value(c, t.bound[1]) : 0;
	Axis rows = core_index_axis(c, t.bound[0]);
	Axis columns = core_index_axis(c, t.bound[t.nbound - 1]);
	Axis back[2] = {columns, rows};
	Axis k = matrix_results(info) ? core_index_axis(c, info->index[info->nindex - 1]) : 0;
	switch (red) {
	case RED_INVERSE:
		t.weight =
			core_neg(c, core_mul(c, other_result(dv, &t, red, back, (Node[]){at[0], p}),
					     other_result(dv, &t, red, back, (Node[]){q, at[1]})));
		break;
	case RED_LOGDET:
		t.weight = other_result(dv, &t, RED_INVERSE, back, (Node[]){q, p});
		break;
	case RED_DET:
		t.weight = core_mul(c, core_read(c, t.def, t.args),
				    other_result(dv, &t, RED_INVERSE, back, (Node[]){q, p}));
		break;
	case RED_EIGH_VALUES:
		t.weight = core_mul(c,
				    other_result(dv, &t, RED_EIGH_VECTORS, (Axis[]){rows, k},
						 (Node[]){p, at[0]}),
				    other_result(dv, &t, RED_EIGH_VECTORS, (Axis[]){rows, k},
						 (Node[]){q, at[0]}));
		break;
	case RED_SVD_VALUES:
		t.weight = core_mul(
			c,
			other_result(dv, &t, RED_SVD_LEFT, (Axis[]){rows, k}, (Node[]){p, at[0]}),
			other_result(dv, &t, RED_SVD_RIGHT, (Axis[]){k, columns},
				     (Node[]){at[0], q}));
		break;
	case RED_SORT:
		*terms = sorted_term(dv, t, at[0]);
		return 1;
	case RED_RANK:
	case RED_ORDER:
		return 0; /* stepwise: zero */
	default:
		return refuse(dv, &t, red);
	}
	*terms = deriv_one_term(dv, t);
	return 1;
}
