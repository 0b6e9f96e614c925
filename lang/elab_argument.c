/* elab_argument.c — arguments that are functions, where functions stand for their values: in equations and figures.
 * SPEC: functions. */
#include "lang/elab_call.h"

static bool is_called(Elab *e, const FnDecl *d, uint32_t formal, int depth);

static bool called_in(Elab *e, Scope *s, const Ast *ast, Sym name, int depth);

/* Is the name given to a function that calls it? */
static bool handed_on(Elab *e, Scope *s, const Ast *call, Sym name, int depth)
{
	const Ast *to = call->kid[0];
	Entry *entry = to->kind == AST_NAME ? scope_find(e, s, to->name) : NULL;
	const FnVal *f = entry && entry->val.tag == VAL_FN ? entry->val.fn : NULL;
	if (!f || f->kind != FNV_USER || f->decl->equation) {
		return false;
	}
	for (uint32_t i = 1; i < call->nkid; i++) {
		const Ast *a = call->kid[i];
		bool named = a->kind == AST_NAMEDARG;
		const Ast *given = named ? a->kid[0] : a;
		for (uint32_t k = 0; given->kind == AST_NAME && given->name == name && k < f->decl->nformal; k++) {
			bool here = named ? f->decl->formal[k] == a->name : k == i - 1;
			if (here && is_called(e, f->decl, k, depth + 1)) {
				return true;
			}
		}
	}
	return false;
}

static bool called_in(Elab *e, Scope *s, const Ast *ast, Sym name, int depth)
{
	if (!ast) {
		return false;
	}
	const Ast *callee = ast->kind == AST_CALL ? ast->kid[0] : ast->kind == AST_PIPE ? ast->kid[1] : NULL;
	if (callee && ((callee->kind == AST_NAME && callee->name == name) ||
		       (ast->kind == AST_CALL && handed_on(e, s, ast, name, depth)))) {
		return true;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (called_in(e, s, ast->kid[i], name, depth)) {
			return true;
		}
	}
	return false;
}

/* Does the body call this parameter, itself or in a function that it is given to? It is a function then. */
static bool is_called(Elab *e, const FnDecl *d, uint32_t formal, int depth)
{
	enum { DEPTH = 8 };
	return depth < DEPTH && !d->equation && called_in(e, d->scope, d->ast->kid[3], d->formal[formal], depth);
}

Scope *scope_of_argument(Elab *e, Scope *s, const FnVal *f, Sym name, uint32_t place)
{
	if (!s->frame || !s->frame->equation || f->kind != FNV_USER || f->decl->equation) {
		return s;
	}
	const FnDecl *d = f->decl;
	for (uint32_t k = 0; k < d->nformal; k++) {
		if ((name ? d->formal[k] == name : k == place) && is_called(e, d, k, 0)) {
			Frame *frame = arena_copy(e->arena, s->frame, sizeof *frame, _Alignof(Frame));
			frame->equation = false;
			frame->nctx = scope_context(e, s, &frame->ctx);
			return scope_new(e, s, frame);
		}
	}
	return s;
}
