/* core_read_matrix.c — operations on whole arrays in the core's text form:
 * inverse([p in h, q in h -> A[s, p, q]])[i, k]. */
#include "lang/core_read.h"
#include "lang/matrix.h"

static const Ast *the_call(const Ast *ast)
{
	return ast->kind == AST_INDEX ? ast->kid[0] : ast;
}

RedKind core_read_matrix_kind(const CoreRead *r, const Ast *ast)
{
	const Ast *call = the_call(ast);
	if (call->kind != AST_CALL || call->nkid != 2 || call->kid[0]->kind != AST_NAME ||
	    call->kid[1]->kind != AST_COMPREHENSION) {
		return RED_NONE;
	}
	RedKind red = matrix_find(intern_text(r->c->names, call->kid[0]->name));
	return red != RED_NONE && matrix_op(red)->nresult == ast->nkid - 1 - (ast == call)
		       ? red
		       : RED_NONE;
}

/* The argument and its bound indices, as many as the operation takes. */
static Node argument(CoreRead *r, Scope *s, const Ast *ast, RedKind red, Index *bound)
{
	const Ast *of = the_call(ast)->kid[1], *binders = of->kid[0];
	uint32_t outside = s->n;
	if (binders->nkid != matrix_op(red)->nbound) {
		core_read_wrong(r, of, "an array with another number of axes");
		return core_zero(r->c, KIND_REAL);
	}
	for (uint32_t k = 0; k < binders->nkid; k++) {
		const Ast *b = binders->kid[k];
		bool named = b->kind == AST_BINDER && b->kid[0]->kind == AST_NAME && b->nkid == 2;
		Axis axis = named && b->kid[1] ? core_read_axis(r, b->kid[1]) : 0;
		if (!axis || s->n == SCOPE_INDICES) {
			core_read_wrong(r, b, "an index with its axis");
			return core_zero(r->c, KIND_REAL);
		}
		bound[k] = core_index(r->c, axis, b->kid[0]->name);
		s->item[s->n++] = (ScopeIndex){b->kid[0]->name, bound[k]};
	}
	Node body = core_read_node(r, s, core_read_inner(of->kid[1]), KIND_REAL);
	s->n = outside;
	return body;
}

void core_read_matrix_value(CoreRead *r, Scope *s, const Ast *ast, Def d, Node *body)
{
	RedKind red = core_read_matrix_kind(r, ast);
	const MatrixOp *op = matrix_op(red);
	DefInfo *info = core_def_mutable(r->c, d);
	uint32_t first = info->nindex - op->nresult;
	*body = core_zero(r->c, KIND_REAL);
	if (info->nindex < op->nresult) {
		core_read_wrong(r, ast, "a definition with the axes of the result last");
		return;
	}
	for (uint32_t k = 0; k < op->nresult; k++) {
		const Ast *place = ast->kid[k + 1];
		if (place->kind != AST_NAME ||
		    place->name != core_index_name(r->c, info->index[first + k])) {
			core_read_wrong(r, place, "the definition's last indices in their order");
			return;
		}
	}
	Index *bound = arena_array(r->c->arena, Index, op->nbound);
	*body = argument(r, s, ast, red, bound);
	info->role = DEF_REDUCTION;
	info->red = red;
	info->nbound = op->nbound;
	info->bound = bound;
}
