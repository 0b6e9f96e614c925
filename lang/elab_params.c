/* elab_params.c — which parameters a value, a net or a list of names reaches. SPEC: parameters. */
#include "lang/elab_int.h"

#include <string.h>

ParamInfo **params_reached(Elab *e, uint32_t nroot, const Node *root, uint32_t *n)
{
	ParamInfo **out = arena_array(e->arena, ParamInfo *, e->program->nparam + 1);
	const bool *reached = defs_reached(e, nroot, root);
	*n = 0;
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		if (reached[e->program->param[i]->leaf]) {
			out[(*n)++] = e->program->param[i];
		}
	}
	return out;
}

static void add_param(ParamInfo **out, uint32_t *n, ParamInfo *p)
{
	for (uint32_t i = 0; i < *n; i++) {
		if (out[i] == p) {
			return;
		}
	}
	out[(*n)++] = p;
}

static void collect_nodes(const Val *v, Node *out, uint32_t *n, uint32_t cap)
{
	if (v->re && *n < cap) {
		out[(*n)++] = v->re;
	}
	if (v->im && *n < cap) {
		out[(*n)++] = v->im;
	}
	for (uint32_t i = 0; v->tag == VAL_TUPLE && i < v->n; i++) {
		collect_nodes(&v->item[i], out, n, cap);
	}
}

/* All parameters that a function's own expansions reach: those below its path, and those of what it
 * was seen to use. */
static void params_of_fn(Elab *e, FnDecl *d, ParamInfo **out, uint32_t *n);

/* A function that was not called yet: what the names in its text reach. */
static void params_of_text(Elab *e, FnDecl *d, const Ast *ast, ParamInfo **out, uint32_t *n)
{
	if (!ast) {
		return;
	}
	Entry *entry = ast->kind == AST_NAME ? scope_find(e, d->scope, ast->name) : NULL;
	bool formal = false;
	for (uint32_t i = 0; i < d->nformal; i++) {
		formal = formal || d->formal[i] == ast->name;
	}
	if (entry && !entry->pending && !formal && entry->val.tag == VAL_FN &&
	    entry->val.fn->kind == FNV_USER && entry->val.fn->decl != d &&
	    !entry->val.fn->decl->checking) {
		d->checking = true;
		params_of_fn(e, entry->val.fn->decl, out, n);
		d->checking = false;
	} else if (entry && !formal && (entry->pending || entry->val.tag == VAL_NUM)) {
		Val v = scope_value(e, d->scope, ast->name, ast->span);
		Node node[64];
		uint32_t m = 0, np;
		collect_nodes(&v, node, &m, 64);
		ParamInfo **reached = params_reached(e, m, node, &np);
		for (uint32_t i = 0; i < np; i++) {
			add_param(out, n, reached[i]);
		}
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		params_of_text(e, d, ast->kid[i], out, n);
	}
}

static ParamInfo **reached_by(Elab *e, const Val *v, uint32_t count, uint32_t *n)
{
	Node node[64];
	uint32_t m = 0;
	for (uint32_t k = 0; k < count; k++) {
		collect_nodes(&v[k], node, &m, 64);
	}
	return params_reached(e, m, node, n);
}

/* What the result of a call reaches, but for what it was given as arguments; were there such? */
static bool params_of_call(Elab *e, const Memo *call, ParamInfo **out, uint32_t *n)
{
	uint32_t na, nr;
	ParamInfo **arg = reached_by(e, call->arg, call->n, &na);
	ParamInfo **reached = reached_by(e, &call->result, 1, &nr);
	for (uint32_t i = 0; i < nr; i++) {
		bool given = false;
		for (uint32_t k = 0; k < na; k++) {
			given |= arg[k] == reached[i];
		}
		if (!given) {
			add_param(out, n, reached[i]);
		}
	}
	return na > 0;
}

static void params_of_fn(Elab *e, FnDecl *d, ParamInfo **out, uint32_t *n)
{
	const char *name = elab_text(e, d->name);
	size_t length = strlen(name);
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		const char *path = elab_text(e, e->program->param[i]->path);
		if (d->net && strncmp(path, name, length) == 0 && path[length] == '.') {
			add_param(out, n, e->program->param[i]);
		}
	}
	bool given = false; /* some call was given parameters */
	for (size_t k = 0; k < d->nmemo; k++) {
		given |= params_of_call(e, &d->memo[k], out, n);
	}
	if ((d->nmemo == 0 || given) && !d->net && !d->equation) {
		params_of_text(e, d, d->ast->kid[3], out, n);
	}
}

static bool params_of_name(Elab *e, Scope *s, const Ast *ast, ParamInfo **out, uint32_t *n)
{
	while (ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	if (ast->kind == AST_TUPLE) {
		for (uint32_t i = 0; i < ast->nkid; i++) {
			if (!params_of_name(e, s, ast->kid[i], out, n)) {
				return false;
			}
		}
		return true;
	}
	if (ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME &&
	    strcmp(elab_text(e, ast->kid[0]->name), "params") == 0) {
		for (uint32_t i = 1; i < ast->nkid; i++) {
			if (!params_of_name(e, s, ast->kid[i], out, n)) {
				return false;
			}
		}
		return true;
	}
	const char *dotted =
		ast_text(e->arena, e->names, ast); /* u.dense1.W: a parameter by its path */
	Sym path = intern_str(e->names, dotted);
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		if (e->program->param[i]->path == path) {
			add_param(out, n, e->program->param[i]);
			return true;
		}
	}
	size_t length = strlen(dotted);
	bool any = false;
	for (uint32_t i = 0; ast->kind == AST_FIELD && i < e->program->nparam; i++) {
		const char *p = elab_text(e, e->program->param[i]->path);
		if (strncmp(p, dotted, length) == 0 && p[length] == '.') {
			add_param(out, n, e->program->param[i]);
			any = true;
		}
	}
	if (any) {
		return true;
	}
	Val v = elab_callee(e, s, ast);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag == VAL_FN && v.fn->kind == FNV_USER) {
		params_of_fn(e, v.fn->decl, out, n);
		return true;
	}
	if (v.tag == VAL_NUM || v.tag == VAL_TUPLE) {
		Node node[64];
		uint32_t m = 0, np;
		collect_nodes(&v, node, &m, 64);
		ParamInfo **reached = params_reached(e, m, node, &np);
		for (uint32_t i = 0; i < np; i++) {
			add_param(out, n, reached[i]);
		}
		return true;
	}
	diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v),
			   "a parameter, a net or a value made of parameters");
	return false;
}

bool params_of_list(Elab *e, Scope *s, uint32_t n, Ast *const *name, uint32_t *count,
		    ParamInfo ***out)
{
	*out = arena_array(e->arena, ParamInfo *, e->program->nparam + 1);
	*count = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!params_of_name(e, s, name[i], *out, count)) {
			return false;
		}
	}
	if (n == 0) {
		for (uint32_t i = 0; i < e->program->nparam; i++) {
			(*out)[(*count)++] = e->program->param[i];
		}
	}
	return true;
}
