/* elab_stmt.c — statements of an experiment: let, print, record, reset, sweep, repeat, if, set,
 * freeze, save, load, claims. SPEC: statements. */
#include "lang/elab_stmt.h"

#include <string.h>

/* sweep: the statement whose body it is, or NULL */
static Block block(Elab *e, Scope *s, const Ast *ast, const Stmt *sweep)
{
	Block b = {.stmt = arena_array(e->arena, Stmt *, ast->nkid + 1)};
	OpenBlock open = {e->open, &b, sweep};
	e->open = &open;
	elab_defs(e, s, ast->nkid, ast->kid);
	for (uint32_t i = 0; i < ast->nkid; i++) {
		const Ast *k = ast->kid[i];
		if (!k || k->kind == AST_DEF || k->kind == AST_ERROR_STMT) {
			continue;
		}
		bool data = k->kind == AST_DATA || k->kind == AST_SPLIT;
		if (data) {
			elab_decl(e, s, k);
		}
		Stmt *st = data ? late_statement(e, k) : elab_stmt(e, s, k);
		if (st) {
			b.stmt[b.n++] = st;
		}
	}
	e->open = open.outer;
	return b;
}

Def stmt_closed_def(Elab *e, Sym name, Span at, const Val *v, Node body)
{
	core_at(e->core, at);
	Def d = core_share(e->core, name, at, v->rank, v->ix, body, DEF_KEEP);
	return d;
}

bool elab_value(Elab *e, const Val *v, const Ast *ast, Value *out)
{
	memset(out, 0, sizeof *out);
	out->text = ast ? ast_text(e->arena, e->names, ast) : "";
	out->digits = v->digits;
	if (v->tag == VAL_ERROR) {
		return false;
	}
	if (v->tag == VAL_STRING) {
		out->string = v->string;
		return true;
	}
	if (v->tag != VAL_NUM) {
		Diag *d = diag_type_mismatch(elab_diags(e), v->span, val_type(e, v),
					     "a value to show");
		if (v->tag == VAL_FN) {
			diag_help(d, "call it with its arguments");
		}
		return false;
	}
	if (!val_unmixed(e, v)) {
		return false;
	}
	const Index *free;
	for (int part = 0; part < 2; part++) {
		Node n = part ? v->im : v->re;
		uint32_t nf = n ? core_free(e->core, n, &free) : 0;
		for (uint32_t i = 0; i < nf; i++) {
			bool own = false;
			for (uint32_t k = 0; k < v->rank; k++) {
				own = own || v->ix[k] == free[i];
			}
			if (!own) {
				diag_index_axis_unknown(
					elab_diags(e), v->span,
					elab_text(e, core_index_name(e->core, free[i])));
				return false;
			}
		}
	}
	out->value = stmt_closed_def(e, SYM(e, "value"), v->span, v, v->re);
	out->imaginary = v->im ? stmt_closed_def(e, SYM(e, "value"), v->span, v, v->im) : 0;
	out->unit = unit_resolve(e->units, v->unit);
	out->of = v->elem == ELEM_INT ? v->of : 0;
	return true;
}

/* ---- values shown and kept
 * -----------------------------------------------------------------------------------------------
 */
static bool values(Elab *e, Scope *s, uint32_t n, Ast *const *kid, uint32_t *count, Value **out)
{
	bool ok = true;
	*out = arena_array(e->arena, Value, n + 1);
	*count = 0;
	for (uint32_t i = 0; i < n; i++) {
		const Ast *a = kid[i];
		Sym name = a->kind == AST_NAME ? a->name : 0;
		if (a->kind == AST_NAMEDARG) {
			name = a->name;
			a = a->kid[0];
		}
		Val v = elab_expr(e, s, a);
		v.span = a->span;
		if (v.tag == VAL_TUPLE) {
			for (uint32_t k = 0; k < v.n; k++) {
				Value *grown = arena_array(e->arena, Value, n + 1 + v.n + *count);
				memcpy(grown, *out, *count * sizeof *grown);
				*out = grown;
				ok = elab_value(e, &v.item[k], a, &(*out)[(*count)++]) && ok;
			}
			continue;
		}
		Value one;
		if (!elab_value(e, &v, a, &one)) {
			ok = false;
			continue;
		}
		one.name = name ? name : SYM(e, one.text);
		(*out)[(*count)++] = one;
	}
	return ok;
}

bool stmt_path(Elab *e, Scope *s, const Ast *ast, Sym *path)
{
	Val v = elab_expr(e, s, ast);
	if (v.tag == VAL_STRING) {
		*path = v.string;
		return true;
	}
	if (v.tag != VAL_ERROR) {
		diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v), "a path in quotes");
	}
	return false;
}

static bool record(Elab *e, Scope *s, const Ast *ast, Stmt *st)
{
	uint32_t n = ast->nkid;
	bool ok = true;
	if ((ast->flags & AST_TO) && n) {
		n--;
		ok = stmt_path(e, s, ast->kid[n], &st->u.record.path);
	}
	st->u.record.table = ast->name;
	ok = values(e, s, n, ast->kid, &st->u.record.n, &st->u.record.column) && ok;
	for (uint32_t i = 0; i < st->u.record.n; i++) {
		Value *v = &st->u.record.column[i];
		if (v->value && core_def(e->core, v->value)->nindex) {
			diag_help(diag_type_mismatch(elab_diags(e), ast->span, "an array",
						     "one number in each column of a record"),
				  "record its elements, or a mean");
			return false;
		}
		for (uint32_t k = 0; k < i; k++) {
			if (v->name && st->u.record.column[k].name == v->name) {
				diag_redefined(elab_diags(e), ast->kid[i]->span, elab_text(e, v->name));
				return false;
			}
		}
	}
	return ok;
}

/* ---- let
 * --------------------------------------------------------------------------------------------------------------------
 */
static void let_one(Elab *e, Scope *s, Sym name, Span at, const Val *v, Stmt *st)
{
	Kind kind = v->elem == ELEM_INT ? KIND_INT : v->elem == ELEM_BOOL ? KIND_BOOL : KIND_REAL;
	Axis *axes = arena_array(e->arena, Axis, v->rank + 1);
	for (uint32_t i = 0; i < v->rank; i++) {
		axes[i] = core_index_axis(e->core, v->ix[i]);
	}
	Def leaf[2] = {0};
	for (int part = 0; part < (v->im ? 2 : 1); part++) {
		leaf[part] =
			core_leaf(e->core, DEF_RUNTIME, name, at, kind, v->unit, v->rank, axes);
		core_def_mutable(e->core, leaf[part])->flags |= DEF_USER;
		Val half = *v;
		if (part) {
			half.re = v->im;
		}
		half.im = 0;
		half.elem = v->im ? ELEM_REAL : v->elem;
		Value value;
		if (!elab_value(e, &half, NULL, &value)) {
			return;
		}
		value.name = name;
		st->u.let.leaf[st->u.let.n] = leaf[part];
		st->u.let.value[st->u.let.n++] = value;
	}
	Val kept = val_of_def(e, at, v->elem, v->unit, leaf[0], leaf[1], 0, NULL, NULL);
	kept.of = v->of;
	scope_add(e, s, name, at, kept);
}

static bool let(Elab *e, Scope *s, const Ast *ast, Stmt *st)
{
	bool pattern = !ast->name && ast->kid[0] && ast->kid[0]->kind == AST_TUPLE;
	Val v = elab_expr_as(e, s, ast->kid[1], s, pattern ? NULL : ast->kid[0]);
	if (!pattern && v.tag != VAL_ERROR && ast->kid[0] &&
	    !type_fit(e, scope_new(e, s, NULL), ast->kid[0], &v, elab_text(e, ast->name))) {
		v = val_error(ast->span);
	}
	uint32_t n = v.tag == VAL_TUPLE ? v.n : 1;
	st->u.let.leaf = arena_array(e->arena, Def, 2 * n + 2);
	st->u.let.value = arena_array(e->arena, Value, 2 * n + 2);
	if (v.tag == VAL_ERROR) {
		for (uint32_t i = 0; pattern && i < ast->kid[0]->nkid; i++) {
			scope_put(e, s, ast->kid[0]->kid[i]->name, ast->span, v);
		}
		if (!pattern) {
			scope_put(e, s, ast->name, ast->name_span, v);
		}
		return false;
	}
	if (pattern) {
		if (v.tag != VAL_TUPLE || v.n != ast->kid[0]->nkid) {
			diag_type_mismatch(
				elab_diags(e), ast->kid[1]->span, val_type(e, &v),
				arena_printf(e->arena, "a tuple of %u", ast->kid[0]->nkid));
			return false;
		}
		for (uint32_t i = 0; i < v.n; i++) {
			const Ast *name = ast->kid[0]->kid[i];
			if (v.item[i].tag == VAL_NUM) {
				let_one(e, s, name->name, name->span, &v.item[i], st);
			} else {
				scope_add(e, s, name->name, name->span, v.item[i]);
			}
		}
		return true;
	}
	if (v.tag == VAL_TUPLE) {
		Val kept = v;
		kept.item = arena_array(e->arena, Val, v.n + 1);
		for (uint32_t i = 0; i < v.n; i++) {
			kept.item[i] = v.item[i];
			if (v.item[i].tag != VAL_NUM) {
				continue;
			}
			Scope *own = scope_new(e, s, NULL);
			let_one(e, own, ast->name, ast->name_span, &v.item[i], st);
			kept.item[i] = scope_value(e, own, ast->name, ast->name_span);
		}
		scope_add(e, s, ast->name, ast->name_span, kept);
		return true;
	}
	if (v.tag != VAL_NUM) {
		scope_add(e, s, ast->name, ast->name_span, v);
		return true;
	}
	if (v.literal && v.elem == ELEM_INT) {
		v.literal = false;
	}
	let_one(e, s, ast->name, ast->name_span, &v, st);
	return true;
}

/* ---- sweep, repeat, if
 * --------------------------------------------------------------------------------------------------------
 */
static bool sweep_values(Elab *e, Scope *s, const Ast *set, Val *out)
{
	Val v = elab_callee(e, s, set);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	AxisRef axis = {0};
	Axis of = 0; /* a range is of plain ints */
	if (v.tag == VAL_RANGE) {
		int64_t lo, hi;
		if (!val_const_int(e, &v.item[0], &lo) || !val_const_int(e, &v.item[1], &hi)) {
			diag_not_constant(elab_diags(e), set->span, "the ends of a sweep");
			return false;
		}
		axis.axis = axis_range(e, lo, hi < lo ? lo - 1 : hi);
	} else if (v.tag == VAL_AXIS) {
		axis = v.axis;
		of = axis.axis;
	} else if (v.tag == VAL_NUM && v.rank == 1) {
		Val ints = v; /* [16, 32] are ints, as in 16..32 */
		*out = v.n && literal_ints(e, &ints) ? ints : v;
		return true;
	} else {
		diag_help(diag_type_mismatch(elab_diags(e), set->span, val_type(e, &v),
					     "the values of a sweep"),
			  "sweep over 1..5, [1.0, 2.0], logspace(a, b, n) or an axis");
		return false;
	}
	Index k = core_index(e->core, axis.axis, 0);
	*out = val_num(e, set->span, ELEM_INT, 0, core_index_value(e->core, k));
	out->rank = 1;
	out->of = of;
	out->ix = arena_copy(e->arena, &k, sizeof k, _Alignof(Index));
	return true;
}

static bool sweep(Elab *e, Scope *s, const Ast *ast, Stmt *st)
{
	uint32_t n = ast->nkid - 1;
	Scope *in = scope_new(e, s, NULL);
	st->u.sweep.loop = arena_array(e->arena, Loop, n + 1);
	bool ok = true;
	for (uint32_t i = 0; i < n; i++) {
		const Ast *b = ast->kid[i];
		Val v;
		if (b->kind != AST_BINDER || b->kid[0]->kind != AST_NAME || b->nkid < 2 ||
		    !b->kid[1] || !sweep_values(e, in, b->kid[1], &v)) {
			if (b->kind == AST_BINDER && b->kid[0]->kind == AST_NAME) {
				scope_put(e, in, b->kid[0]->name, b->span, val_error(b->span));
			}
			ok = false;
			continue;
		}
		if (v.elem == ELEM_SPIN) {
			val_real(e, &v);
		}
		if (v.elem == ELEM_BOOL || v.elem == ELEM_COMPLEX) {
			diag_type_mismatch(elab_diags(e), b->kid[1]->span, val_type(e, &v),
					   "real or whole numbers to sweep over");
			scope_put(e, in, b->kid[0]->name, b->span, val_error(b->span));
			ok = false;
			continue;
		}
		Loop *l = &st->u.sweep.loop[st->u.sweep.nloop++];
		l->name = b->kid[0]->name;
		l->span = b->span;
		l->leaf = core_leaf(e->core, DEF_RUNTIME, l->name, b->span,
				    v.elem == ELEM_INT ? KIND_INT : KIND_REAL, v.unit, 0, NULL);
		core_def_mutable(e->core, l->leaf)->flags |= DEF_USER;
		l->values = val_to_def(e, l->name, &v, NULL);
		Val here = val_num(e, b->span, v.elem, v.unit, core_read(e->core, l->leaf, NULL));
		here.of = l->of = v.elem == ELEM_INT ? v.of : 0;
		scope_add(e, in, l->name, b->kid[0]->span, here);
	}
	Scope *body = scope_new(e, in, NULL);
	st->u.sweep.body = block(e, body, ast->kid[n], st);
	return ok && n;
}

static Node condition(Elab *e, Scope *s, const Ast *ast, bool *ok)
{
	Val v = elab_expr(e, s, ast);
	if (v.tag == VAL_ERROR) {
		*ok = false;
		return 0;
	}
	if (!val_scalar(&v) || v.elem != ELEM_BOOL) {
		diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v), "a truth value");
		*ok = false;
		return 0;
	}
	return v.re;
}

static bool repeat(Elab *e, Scope *s, const Ast *ast, Stmt *st)
{
	bool ok = true;
	if (ast->kid[0]) {
		Val n = elab_expr(e, s, ast->kid[0]);
		if (n.tag == VAL_ERROR) {
			ok = false;
		} else if (!val_scalar(&n) || n.elem != ELEM_INT) {
			diag_type_mismatch(elab_diags(e), ast->kid[0]->span, val_type(e, &n),
					   "a whole number of times");
			ok = false;
		}
		st->u.repeat.count = n.re;
	}
	Scope *in = scope_new(e, s, NULL);
	st->u.repeat.body = block(e, in, ast->kid[2], NULL);
	if (ast->kid[1]) {
		st->u.repeat.until = condition(e, in, ast->kid[1], &ok);
	}
	return ok;
}

static bool branch(Elab *e, Scope *s, const Ast *ast, Stmt *st)
{
	bool ok = true;
	st->u.branch.cond = condition(e, s, ast->kid[0], &ok);
	st->u.branch.yes = block(e, scope_new(e, s, NULL), ast->kid[1], NULL);
	if (ast->nkid > 2 && ast->kid[2]) {
		const Ast *other = ast->kid[2];
		if (other->kind == AST_BLOCK) {
			st->u.branch.no = block(e, scope_new(e, s, NULL), other, NULL);
		} else {
			Stmt *inner = elab_stmt(e, scope_new(e, s, NULL), other);
			st->u.branch.no.stmt = arena_array(e->arena, Stmt *, 1);
			if (inner) {
				st->u.branch.no.stmt[st->u.branch.no.n++] = inner;
			}
		}
	}
	return ok;
}

static bool reset(Elab *e, Scope *s, const Ast *ast, Stmt *st)
{
	uint32_t n = ast->nkid;
	if ((ast->flags & AST_SEED) && n) {
		n--;
		Val v = elab_expr(e, s, ast->kid[n]);
		if (v.tag == VAL_ERROR) {
			return false;
		}
		if (!val_scalar(&v) || v.elem != ELEM_INT) {
			diag_type_mismatch(elab_diags(e), ast->kid[n]->span, val_type(e, &v),
					   "a whole number as seed");
			return false;
		}
		st->u.reset.seed = v.re;
	}
	return params_of_list(e, s, n, ast->kid, &st->u.reset.n, &st->u.reset.param);
}

static bool file(Elab *e, Scope *s, const Ast *ast, Stmt *st)
{
	uint32_t n = ast->nkid - 1;
	return stmt_path(e, s, ast->kid[n], &st->u.file.path) &&
	       params_of_list(e, s, n, ast->kid, &st->u.file.n, &st->u.file.param);
}

static Stmt *make(Elab *e, const Ast *ast, StmtKind kind)
{
	Stmt *st = arena_new(e->arena, Stmt);
	st->kind = kind;
	st->span = ast->span;
	st->ast = ast;
	return st;
}

static bool reserved(Elab *e, const Ast *ast, const char *what)
{
	diag_reserved_feature(elab_diags(e), ast->span, what);
	return false;
}

Stmt *elab_stmt(Elab *e, Scope *s, const Ast *ast)
{
	Stmt *st = NULL;
	bool ok = false;
	core_at(e->core, ast->span);
	switch (ast->kind) {
	case AST_TRAIN:
		st = make(e, ast, STMT_TRAIN);
		ok = elab_train(e, s, ast, &st->u.train);
		break;
	case AST_SWEEP:
		st = make(e, ast, STMT_SWEEP);
		ok = sweep(e, s, ast, st);
		break;
	case AST_REPEAT:
		st = make(e, ast, STMT_REPEAT);
		ok = repeat(e, s, ast, st);
		break;
	case AST_IFSTMT:
		st = make(e, ast, STMT_IF);
		ok = branch(e, s, ast, st);
		break;
	case AST_RECORD:
		st = make(e, ast, STMT_RECORD);
		ok = record(e, s, ast, st);
		break;
	case AST_RESET:
		st = make(e, ast, STMT_RESET);
		ok = reset(e, s, ast, st);
		break;
	case AST_LET:
		st = make(e, ast, STMT_LET);
		ok = let(e, s, ast, st);
		break;
	case AST_PRINT:
		st = make(e, ast, STMT_PRINT);
		ok = values(e, s, ast->nkid, ast->kid, &st->u.print.n, &st->u.print.item);
		break;
	case AST_SAVE:
		st = make(e, ast, STMT_SAVE);
		ok = file(e, s, ast, st);
		break;
	case AST_LOAD:
		st = make(e, ast, STMT_LOAD);
		ok = file(e, s, ast, st);
		break;
	case AST_SET:
		st = make(e, ast, STMT_SET);
		ok = stmt_set(e, s, ast, st);
		break;
	case AST_FREEZE:
		st = make(e, ast, STMT_FREEZE);
		st->u.freeze.thaw = ast->flags & AST_THAW;
		ok = params_of_list(e, s, ast->nkid, ast->kid, &st->u.freeze.n,
				    &st->u.freeze.param);
		break;
	case AST_TEST:
		st = make(e, ast, STMT_TEST);
		ok = elab_claim(e, s, ast, &st->u.claim);
		break;
	case AST_ASSERT:
		st = make(e, ast, STMT_ASSERT);
		ok = elab_claim(e, s, ast, &st->u.claim);
		break;
	case AST_PLOT:
		st = make(e, ast, STMT_PLOT);
		ok = elab_plot(e, s, ast, &st->u.plot);
		break;
	case AST_EXPORT:
		st = make(e, ast, STMT_EXPORT);
		ok = elab_export(e, s, ast, &st->u.export);
		break;
	case AST_PROVE:
		reserved(e, ast, "prove");
		return NULL;
	case AST_BOUND:
		reserved(e, ast, "bound");
		return NULL;
	case AST_IMPOSE:
		reserved(e, ast, "impose");
		return NULL;
	case AST_ERROR_STMT:
		return NULL;
	default:
		if (s != e->global) {
			diag_bad_statement_place(elab_diags(e), ast->span, ast_kind_name(ast->kind),
						 "inside a block of statements");
		}
		return NULL;
	}
	if (!ok && diags_errors(e->diags) == 0) {
		diag_internal(elab_diags(e), ast->span,
			      "a statement was dropped and nobody said why");
	}
	return ok ? st : NULL;
}
