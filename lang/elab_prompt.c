/* elab_prompt.c — the environment of a prompt: lines added to a program, names defined anew and
 * what depends on them, and what others ask about names. SPEC: the prompt. */
#include "lang/elab_int.h"

#include <string.h>

static bool ast_mentions(const Ast *ast, Sym name)
{
	if (!ast) {
		return false;
	}
	if ((ast->kind == AST_NAME || ast->kind == AST_TYPE) && ast->name == name) {
		return true;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (ast_mentions(ast->kid[i], name)) {
			return true;
		}
	}
	return false;
}

static Sym declared_name(const Ast *k)
{
	switch (k->kind) {
	case AST_CONST:
	case AST_AXIS:
	case AST_PARAM:
	case AST_DATA:
	case AST_DOMAIN:
	case AST_POINTS:
	case AST_FN:
	case AST_EQUATION:
	case AST_LOSS:
	case AST_LET:
		return k->name;
	case AST_DEF: {
		const Ast *left = k->kid[0];
		left = left->kind == AST_INDEX ? left->kid[0] : left;
		return left->kind == AST_NAME ? left->name : 0;
	}
	default:
		return 0;
	}
}

static void forget_params(Elab *e, Sym name)
{
	const char *prefix = elab_text(e, name);
	size_t length = strlen(prefix);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		const char *path = elab_text(e, e->program->param[i]->path);
		bool mine = strncmp(path, prefix, length) == 0 &&
			    (path[length] == 0 || path[length] == '.');
		if (!mine) {
			e->program->param[kept++] = e->program->param[i];
		}
	}
	e->program->nparam = kept;
	size_t sites = 0;
	for (size_t i = 0; i < e->nsite; i++) {
		const char *path = elab_text(e, e->site[i].prefix);
		if (!(strncmp(path, prefix, length) == 0 &&
		      (path[length] == 0 || path[length] == '.'))) {
			e->site[sites++] = e->site[i];
		}
	}
	e->nsite = sites;
}

/* What was derived from the old meaning of the name: definitions are made again when asked for;
 * values that were computed, losses, parameters and axes keep it, and are listed. */
typedef struct Stale {
	Elab *e;
	Sym *changed;
	size_t nchanged, capchanged;
	Sym *list;
	uint32_t n;
} Stale;

static void add_stale(Stale *s, Sym name)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->list[i] == name) {
			return;
		}
	}
	s->list[s->n++] = name;
}

static bool is_changed(const Stale *s, Sym name)
{
	for (size_t i = 0; i < s->nchanged; i++) {
		if (s->changed[i] == name) {
			return true;
		}
	}
	return false;
}

/* One name that used the changed one. */
static void depends_on(Stale *s, const Ast *said, Sym by)
{
	Elab *e = s->e;
	Sym name = declared_name(said);
	if (!name || is_changed(s, name) || !ast_mentions(said, by)) {
		return;
	}
	Entry *entry = NULL;
	for (size_t k = 0; k < e->global->n; k++) {
		entry = e->global->entry[k].name == name ? &e->global->entry[k] : entry;
	}
	if (!entry || entry->builtin) {
		return;
	}
	if (said->kind == AST_FN || said->kind == AST_EQUATION) {
		FnDecl *d = entry->val.tag == VAL_FN && entry->val.fn->kind == FNV_USER
				    ? entry->val.fn->decl
				    : NULL;
		if (d) {
			d->bad = false;
		}
	} else if (said->kind == AST_DEF) {
		group_again(e, e->global, name);
	} else {
		add_stale(s, name);
	}
	ARENA_PUSH(e->arena, s->changed, s->nchanged, s->capchanged, name);
}

static void redefine(Stale *s, Entry *old)
{
	Elab *e = s->e;
	Sym name = old->name;
	old->name = 0;
	forget_params(e, name);
	for (size_t k = 0; k < e->global->n; k++) { /* expansions hold the old meaning */
		Entry *other = &e->global->entry[k];
		if (other->val.tag == VAL_FN && other->val.fn->kind == FNV_USER) {
			other->val.fn->decl->nmemo = 0;
		}
	}
	for (uint32_t k = 0; k < e->program->nloss; k++) {
		if (e->program->loss[k]->name == name) {
			for (uint32_t m = k + 1; m < e->program->nloss; m++) {
				e->program->loss[m - 1] = e->program->loss[m];
			}
			e->program->nloss--;
			k--;
		}
	}
	s->nchanged = 0;
	ARENA_PUSH(e->arena, s->changed, s->nchanged, s->capchanged, name);
	for (size_t c = 0; c < s->nchanged; c++) {
		for (size_t k = 0; k < e->nsaid; k++) {
			depends_on(s, e->said[k], s->changed[c]);
		}
	}
}

Program *elab_line(Elab *e, const Ast *file, uint32_t *nstale, Sym **stale)
{
	e->nunknown = 0;
	Stale s = {.e = e, .list = arena_array(e->arena, Sym, e->nsaid + 1)};
	for (uint32_t i = 0; i < file->nkid; i++) {
		Sym name = declared_name(file->kid[i]);
		Entry *old = NULL;
		for (size_t k = 0; name && k < e->global->n; k++) {
			old = e->global->entry[k].name == name ? &e->global->entry[k] : old;
		}
		bool earlier = false; /* h[0] = … and h[t] = … on one input are one definition */
		for (uint32_t k = 0; k < i; k++) {
			earlier = earlier || declared_name(file->kid[k]) == name;
		}
		if (old && !old->builtin && !earlier) {
			redefine(&s, old);
		}
	}
	*nstale = s.n;
	*stale = s.list;
	elab_unit(e, file);
	return e->program;
}

bool elab_expression(Elab *e, const Ast *expr, Value *value, const char **type)
{
	unsigned before = diags_errors(e->diags);
	e->nunknown = 0;
	Val v = elab_expr(e, e->global, expr);
	v.span = expr->span;
	*type = val_type(e, &v);
	if (v.tag == VAL_TUPLE) {
		Diag *d =
			diag_type_mismatch(elab_diags(e), expr->span, val_type(e, &v), "one value");
		diag_help(d,
			  v.item_name ? "take one of its fields, as in  r.%s"
				      : "take it apart:  let (a, b) = …",
			  v.item_name ? elab_text(e, v.item_name[0]) : "");
		return false;
	}
	return elab_value(e, &v, expr, value) && diags_errors(e->diags) == before;
}

ParamInfo **elab_params_of(Elab *e, Sym name, uint32_t *n)
{
	*n = 0;
	Entry *entry = scope_find(e, e->global, name);
	Ast node = {.kind = AST_NAME, .name = name};
	Ast *list[1] = {&node};
	ParamInfo **out = NULL;
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		if (e->program->param[i]->path == name) {
			out = arena_array(e->arena, ParamInfo *, 1);
			out[0] = e->program->param[i];
			*n = 1;
			return out;
		}
	}
	if (!entry || !params_of_list(e, e->global, 1, list, n, &out)) {
		return NULL;
	}
	return out;
}

const char *elab_name(Elab *e, uint32_t i)
{
	uint32_t k = 0;
	for (const Scope *s = e->global; s; s = s->parent) {
		for (size_t at = 0; at < s->n; at++) {
			if (s->entry[at].name && k++ == i) {
				return elab_text(e, s->entry[at].name);
			}
		}
	}
	const char *name = builtin_name(i - k);
	if (name) {
		return name;
	}
	uint32_t base = 0, ops = 0;
	while (builtin_name(base)) {
		base++;
	}
	for (const Scope *s = e->global; s; s = s->parent) {
		for (size_t at = 0; at < s->n; at++) {
			ops += s->entry[at].name != 0;
		}
	}
	uint32_t op = i - ops - base + 1;
	while (op < OPS && (op_info((Op)op)->syntax[0] | 32) < 'a') {
		op++;
	}
	return op < OPS ? op_info((Op)op)->syntax : NULL;
}

static const char *describe_axis(Elab *e, const char *text, Axis a)
{
	const AxisInfo *info = core_axis_info(e->core, a);
	long long size = (long long)info->size, first = (long long)info->first;
	if (info->size < 0) {
		return arena_printf(e->arena, "%s: an axis sized by each record", text);
	}
	if (!info->nlabel) {
		const char *periodic = info->flags & AXIS_PERIODIC ? ", periodic" : "";
		return arena_printf(e->arena, "%s: an axis of %lld elements, %lld..%lld%s", text,
				    size, first, first + size - 1, periodic);
	}
	const char *labels = "";
	for (uint32_t i = 0; i < info->nlabel; i++) {
		labels = arena_printf(e->arena, "%s%s%s", labels, i ? " | " : "",
				      elab_text(e, info->label[i]));
	}
	return arena_printf(e->arena, "%s: an axis of %lld elements, %s", text, size, labels);
}

const char *elab_describe(Elab *e, Sym name)
{
	Entry *entry = scope_find(e, e->global, name);
	const char *text = elab_text(e, name);
	uint32_t row;
	if (!entry) {
		Op op = op_find(text);
		if (op != OP_NONE) {
			return arena_printf(e->arena, "%s: %s", text, op_info(op)->doc);
		}
		return builtin_find(e, name, &row) ? arena_printf(e->arena, "%s: built in", text)
						   : NULL;
	}
	Val v = scope_value(e, e->global, name, entry->span);
	if (v.tag == VAL_AXIS) {
		return describe_axis(e, text, v.axis.axis);
	}
	if (v.tag != VAL_FN || v.fn->kind != FNV_USER) {
		return arena_printf(e->arena, "%s: %s", text, val_type(e, &v));
	}
	FnDecl *d = v.fn->decl;
	const char *args = "";
	for (uint32_t i = 0; i < d->nformal; i++) {
		args = arena_printf(e->arena, "%s%s%s", args, i ? ", " : "",
				    elab_text(e, d->formal[i]));
	}
	uint32_t n = 0;
	elab_params_of(e, name, &n);
	const char *kind = d->equation     ? "equation"
			   : d->net        ? "net"
			   : d->layer      ? "layer"
			   : d->activation ? "activation"
					   : "fn";
	return n ? arena_printf(e->arena, "%s %s(%s): %u parameter array%s", kind, text, args, n,
				n == 1 ? "" : "s")
		 : arena_printf(e->arena, "%s %s(%s)", kind, text, args);
}
