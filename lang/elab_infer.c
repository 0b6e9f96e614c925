/* elab_infer.c — which axis an index runs over, read off from how it is used:  W[i,j]*x[j]  says
 * the axes of i and j. Uses as they stand come first, then shifted ones (x[j-1]), then such as x[j
 * xor m]. What is indexed is elaborated on trial, its mistakes forgotten; names bound on the way
 * down to it (sum[s in data] s.x[i]) are bound on trial too. SPEC: axes. */
#include "lang/elab_int.h"

#include <string.h>

/* A reducer, comprehension or block around the place that is looked at; scope is made when first
 * needed. */
typedef struct Around {
	struct Around *outer;
	const Ast *ast;
	Scope *scope;
	bool failed; /* its names could not be bound: what is erroneous in it tells nothing */
} Around;
typedef enum { USE_PLAIN, USE_SHIFTED, USE_ANY, USES } Use;
typedef struct Infer {
	Elab *e;
	Scope *s;
	Sym name;
	AxisRef found;
	bool done;
	bool poisoned; /* something erroneous is read at the index: its axis would have been known
			*/
	bool unbound;  /* the scope at hand holds names that could not be bound */
	bool loud;     /* the first mistake in what is read at the index is reported */
	Use use;
} Infer;

enum { TRIAL_LIMIT = 6 }; /* of trials within trials: each level may double the work */

static const Ast *strip(const Ast *ast)
{
	while (ast && ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	return ast;
}

static bool mentions(const Ast *ast, Sym name)
{
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_NAME && ast->name == name) {
		return true;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (mentions(ast->kid[i], name)) {
			return true;
		}
	}
	return false;
}

/* Is the expression the index itself (PLAIN), the index plus or minus something else (SHIFTED), or
 * something that stays on its axis, as a remainder or bits turned over do (ANY)? */
static bool is_use(const Infer *in, const Ast *ast, Use use)
{
	ast = strip(ast);
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_NAME) {
		return ast->name == in->name;
	}
	if (ast->kind != AST_BINARY || ast->nkid != 2 || use == USE_PLAIN) {
		return false;
	}
	const char *op = elab_text(in->e, ast->name);
	if (strcmp(op, "+") == 0 || strcmp(op, "-") == 0) {
		const Ast *right = strip(ast->kid[1]);
		bool constant = use == USE_ANY || (right && right->kind == AST_NUM);
		return constant && (is_use(in, ast->kid[0], use) || is_use(in, ast->kid[1], use));
	}
	bool stays = strcmp(op, "mod") == 0 || strcmp(op, "xor") == 0 || strcmp(op, "bor") == 0 ||
		     strcmp(op, "band") == 0;
	return use == USE_ANY && stays && is_use(in, ast->kid[0], use);
}

/* Each round looks at what the rounds before did not. */
static bool uses(const Infer *in, const Ast *ast)
{
	const Ast *inner = strip(ast);
	bool plain = inner && inner->kind == AST_NAME;
	return plain == (in->use == USE_PLAIN) && is_use(in, inner, in->use);
}

/* The axis of one record that is bound further in is no axis out here. */
static bool is_outside(Infer *in, AxisRef a)
{
	Index *ctx;
	const Index *free;
	uint32_t n = scope_context(in->e, in->s, &ctx);
	uint32_t nfree = a.record ? core_free(in->e->core, a.record, &free) : 0;
	for (uint32_t i = 0; i < nfree; i++) {
		bool known = false;
		for (uint32_t k = 0; k < n; k++) {
			known = known || ctx[k] == free[i];
		}
		if (!known) {
			return false;
		}
	}
	return true;
}

static bool found(Infer *in, AxisRef a)
{
	if (!is_outside(in, a)) {
		return false;
	}
	in->found = a;
	in->done = true;
	return true;
}

/* ---- trials
 * --------------------------------------------------------------------------------------------------------
 */
Trial trial_begin(Elab *e)
{
	e->trial_depth++;
	return (Trial){diags_mark(e->diags), diags_errors(e->diags), e->nfailed, e->streams,
		       e->kept};
}

bool trial_end(Elab *e, Trial t)
{
	bool wrong = diags_errors(e->diags) > t.errors;
	e->trial_depth--;
	if (e->kept == t.kept) { /* its draws are thrown away with it */
		e->streams = t.streams;
	}
	diags_rewind(e->diags, t.mark);
	groups_restore(e, t.failed);
	return wrong;
}

/* Is every name of the text defined here? */
static bool all_known(Elab *e, Scope *s, const Ast *ast)
{
	if (!ast) {
		return true;
	}
	if (ast->kind == AST_NAME && !scope_knows(e, s, ast->name)) {
		return false;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (!all_known(e, s, ast->kid[i])) {
			return false;
		}
	}
	return true;
}

static Val quiet(Infer *in, Scope *s, const Ast *ast, bool callee)
{
	Elab *e = in->e;
	if (e->trial_depth >= TRIAL_LIMIT) {
		return val_error(ast->span);
	}
	if (in->loud && all_known(e, s, ast)) {
		unsigned errors = diags_errors(e->diags);
		Val v = callee ? elab_callee(e, s, ast) : elab_expr(e, s, ast);
		in->done = in->poisoned = in->poisoned || diags_errors(e->diags) > errors;
		return v;
	}
	Trial t = trial_begin(e);
	Val v = callee ? elab_callee(e, s, ast) : elab_expr(e, s, ast);
	bool wrong = trial_end(e, t);
	in->poisoned = in->poisoned || (v.tag == VAL_ERROR && !wrong && !in->unbound);
	return v;
}

static bool pattern_has(const Ast *pattern, const Ast *ast)
{
	if (!pattern) {
		return false;
	}
	if (pattern->kind == AST_NAME) {
		return mentions(ast, pattern->name);
	}
	for (uint32_t i = 0; pattern->kind == AST_TUPLE && i < pattern->nkid; i++) {
		if (pattern_has(pattern->kid[i], ast)) {
			return true;
		}
	}
	return false;
}

static const Ast *defined_name(const Ast *def)
{
	const Ast *left = def && def->kind == AST_DEF ? def->kid[0] : NULL;
	return left && left->kind == AST_INDEX ? left->kid[0] : left;
}

/* Does the expression use a name that this construct binds? */
static bool binds_for(const Ast *around, const Ast *ast)
{
	if (around->kind == AST_BLOCK) {
		for (uint32_t i = 0; i < around->nkid; i++) {
			if (pattern_has(defined_name(around->kid[i]), ast)) {
				return true;
			}
		}
		return false;
	}
	const Ast *binders = around->kid[0];
	for (uint32_t i = 0; binders && i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		if (b && b->kind == AST_BINDER && pattern_has(b->kid[0], ast)) {
			return true;
		}
	}
	return false;
}

static void bind_around(Elab *e, Scope *in, const Ast *around)
{
	if (around->kind == AST_BLOCK) {
		elab_defs(e, in, around->nkid, around->kid);
		return;
	}
	const Ast *binders = around->kid[0];
	const Ast *filter = (binders->flags & AST_FILTER) && binders->nkid
				    ? binders->kid[binders->nkid - 1]
				    : NULL;
	Bound bound = {0};
	for (uint32_t i = 0; i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		if (!b || b->kind != AST_BINDER || b == filter) {
			continue;
		}
		if (b->flags & AST_DRAW) {
			Val dist = elab_expr(e, in, b->kid[1]),
			    draw = elab_draw(e, in, &dist, b->span, 0, NULL, true);
			if (b->kid[0]->kind == AST_NAME) {
				scope_put(e, in, b->kid[0]->name, b->span, draw);
			}
		} else if (!elab_bind(e, in, b, around->kid[1], filter, &bound) && b->kid[0] &&
			   b->kid[0]->kind == AST_NAME) {
			scope_put(e, in, b->kid[0]->name, b->span, val_error(b->span));
		}
	}
}

/* The scope in which the expression can be elaborated: that of the outermost construct which binds
 * none of its names. */
static Scope *scope_for(Infer *in, Around *around, const Ast *ast)
{
	while (around && !binds_for(around->ast, ast)) {
		around = around->outer;
	}
	in->unbound = false;
	if (!around) {
		return in->s;
	}
	if (!around->scope && in->e->trial_depth < TRIAL_LIMIT) {
		Scope *parent = around->outer ? scope_for(in, around->outer, around->ast) : in->s;
		Scope *made = scope_new(in->e, parent, NULL);
		Trial t = trial_begin(in->e);
		bind_around(in->e, made, around->ast);
		around->failed = trial_end(in->e, t) || in->unbound;
		around->scope = made;
	}
	in->unbound = !around->scope || around->failed;
	return around->scope ? around->scope : in->s;
}

/* ---- uses
 * -------------------------------------------------------------------------------------------------------------
 */
static void infer_index(Infer *in, Around *around, const Ast *ast)
{
	Elab *e = in->e;
	const Ast *base = strip(ast->kid[0]);
	for (uint32_t i = 1; i < ast->nkid && !in->done; i++) {
		if (!uses(in, ast->kid[i])) {
			continue;
		}
		Scope *s = scope_for(in, around, base);
		Entry *entry = base->kind == AST_NAME ? scope_find(e, s, base->name) : NULL;
		if (entry && entry->pending) {
			AxisRef a;
			if (group_axis(e, entry->pending, base->name, i - 1, &a)) {
				found(in, a);
			}
			continue;
		}
		if (entry && entry->val.tag == VAL_FN) {
			continue;
		}
		Val v = quiet(in, s, base, false);
		if (v.tag == VAL_NUM && i - 1 < v.rank) {
			found(in, val_axis(e, &v, i - 1));
		} else if (v.tag == VAL_DATA && i == 1) {
			found(in, (AxisRef){v.data->records, 0});
		}
	}
}

/* flip(s, i), shift(θ, l, i, d): positions of the first argument's axes. */
static void infer_builtin(Infer *in, Around *around, const Ast *ast, const char *name)
{
	if (!name || (strcmp(name, "flip") != 0 && strcmp(name, "shift") != 0)) {
		return;
	}
	Val array = quiet(in, scope_for(in, around, ast->kid[1]), ast->kid[1], false);
	for (uint32_t i = 2; i < ast->nkid && !in->done; i++) {
		if (uses(in, ast->kid[i]) && array.tag == VAL_NUM && i - 2 < array.rank) {
			found(in, val_axis(in->e, &array, i - 2));
		}
	}
}

/* The parameter that argument number i of the call goes to, by place or by name. */
static const Ast *parameter_of(const Ast *call, uint32_t i, const Ast *formals, const Ast **value)
{
	const Ast *arg = call->kid[i];
	*value = arg->kind == AST_NAMEDARG ? arg->kid[0] : arg;
	for (uint32_t k = 0; arg->kind == AST_NAMEDARG && k < formals->nkid; k++) {
		if (formals->kid[k]->name == arg->name) {
			return formals->kid[k];
		}
	}
	return arg->kind != AST_NAMEDARG && i - 1 < formals->nkid ? formals->kid[i - 1] : NULL;
}

/* f(R, i) with  i: atom  among f's parameters: the axis that R has where f says atom. */
static void infer_call(Infer *in, Around *around, const Ast *ast)
{
	Elab *e = in->e;
	bool any = false;
	for (uint32_t i = 1; i < ast->nkid; i++) {
		const Ast *arg = ast->kid[i];
		any = any || uses(in, arg->kind == AST_NAMEDARG ? arg->kid[0] : arg);
	}
	if (!any) {
		return;
	}
	Val f = quiet(in, scope_for(in, around, ast->kid[0]), ast->kid[0], true);
	if (f.tag != VAL_FN) {
		return;
	}
	if (f.fn->kind == FNV_BUILTIN) {
		infer_builtin(in, around, ast, builtin_name(f.fn->builtin));
		return;
	}
	const Ast *formals =
		f.fn->kind == FNV_USER && !f.fn->decl->equation ? f.fn->decl->ast->kid[1] : NULL;
	if (!formals) {
		return;
	}
	Scope *bind = scope_new(e, f.fn->decl->scope, NULL);
	const Ast *value;
	for (uint32_t i = 1; i < ast->nkid; i++) {
		const Ast *formal = parameter_of(ast, i, formals, &value);
		const Ast *type = formal ? formal->kid[0] : NULL;
		if (type && type->nkid && !uses(in, value)) {
			Val v = quiet(in, scope_for(in, around, value), value, false);
			Trial t = trial_begin(e);
			if (v.tag == VAL_NUM) {
				type_fit(e, bind, type, &v, "the argument");
			}
			trial_end(e, t);
		}
	}
	for (uint32_t i = 1; i < ast->nkid && !in->done; i++) {
		const Ast *formal = parameter_of(ast, i, formals, &value);
		const Ast *type = formal ? formal->kid[0] : NULL;
		if (type && type->nkid == 0 && uses(in, value)) {
			Entry *axis = scope_find(e, bind, type->name);
			if (axis && axis->val.tag == VAL_AXIS) {
				found(in, axis->val.axis);
			}
		}
	}
}

/* i == j and i < j with the other side a label value of a known axis. */
static void infer_compare(Infer *in, Around *around, const Ast *ast)
{
	for (int side = 0; side < 2 && !in->done; side++) {
		const Ast *other = ast->kid[1 - side];
		if (uses(in, ast->kid[side])) {
			Val v = quiet(in, scope_for(in, around, other), other, false);
			if (v.tag == VAL_NUM && v.rank == 0 && v.of) {
				found(in, (AxisRef){v.of, 0});
			}
		}
	}
}

static bool binds(const Ast *binders, Sym name)
{
	for (uint32_t i = 0; binders && i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		const Ast *p = b && b->kind == AST_BINDER ? b->kid[0] : NULL;
		for (uint32_t j = 0; p && j < (p->kind == AST_TUPLE ? p->nkid : 1); j++) {
			const Ast *bound = p->kind == AST_TUPLE ? p->kid[j] : p;
			if (bound && bound->kind == AST_NAME && bound->name == name) {
				return true;
			}
		}
	}
	return false;
}

static bool compares(const char *op)
{
	return strcmp(op, "==") == 0 || strcmp(op, "!=") == 0 || op[0] == '<' || op[0] == '>';
}

static void infer(Infer *in, Around *around, const Ast *ast)
{
	if (!ast || in->done) {
		return;
	}
	bool binder = ast->kind == AST_REDUCE || ast->kind == AST_COMPREHENSION;
	if (binder && binds(ast->kid[0], in->name)) {
		return;
	}
	Around here = {.outer = around, .ast = ast};
	if (binder || ast->kind == AST_BLOCK) {
		around = &here;
	}
	if (ast->kind == AST_INDEX) {
		infer_index(in, around, ast);
	} else if (ast->kind == AST_CALL) {
		infer_call(in, around, ast);
	}
	for (uint32_t i = 0; i < ast->nkid && !in->done; i++) {
		infer(in, around, ast->kid[i]);
	}
	if (!in->done && ast->kind == AST_BINARY && ast->nkid == 2 &&
	    compares(elab_text(in->e, ast->name))) {
		infer_compare(in, around, ast);
	}
}

/* sum[site] …: the index is called as an axis of the same text. */
static bool infer_name(Infer *in, const Ast *body, bool same_file)
{
	Entry *entry = scope_find(in->e, in->s, in->name);
	bool axis = entry && !entry->pending && entry->val.tag == VAL_AXIS;
	return axis && (!same_file || entry->span.file == body->span.file) &&
	       found(in, entry->val.axis);
}

/* Shifted uses say less than the name of an axis: in  f[v] = m[v div 2, v mod 2]  v is v. */
static bool infer_all(Infer *in, const Ast *body)
{
	for (in->use = USE_PLAIN; in->use < USES && !in->done; in->use++) {
		infer(in, NULL, body);
		if (in->use == USE_PLAIN && !in->done) {
			infer_name(in, body, true);
		}
	}
	return in->done;
}

bool axis_infer(Elab *e, Scope *s, Sym name, const Ast *body, AxisRef *out)
{
	Infer in = {.e = e, .s = s, .name = name};
	if (!mentions(body, name) || !infer_all(&in, body)) {
		infer_name(&in, body, false);
	}
	*out = in.found;
	return in.done;
}

bool axis_blamed(Elab *e, Scope *s, Sym name, const Ast *body)
{
	Infer in = {.e = e, .s = s, .name = name};
	if (!mentions(body, name) || infer_all(&in, body)) {
		return false;
	}
	if (!in.poisoned) {
		in.loud = true;
		infer_all(&in, body);
	}
	return in.poisoned;
}
