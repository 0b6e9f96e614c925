/* elab_claim_free.c — the variables of a claim: leaves that are sampled anew for each trial, and
 * the free names of its text that become such variables or indices. SPEC: claims. */
#include "lang/elab_claim_int.h"

#include <math.h>
#include <string.h>

/* ---- variables ---- */

Def claim_variable(Claiming *k, SampleVar var, Span at, Kind kind, uint32_t n, const Axis *axis)
{
	Elab *e = k->e;
	var.leaf = core_leaf(e->core, DEF_RUNTIME, var.name, at, kind, var.unit, n, axis);
	if (var.kind == SAMPLE_SPIN) {
		core_def_mutable(e->core, var.leaf)->flags |= DEF_SPIN;
	}
	ARENA_PUSH(e->arena, k->claim->var, k->nvar, k->capvar, var);
	k->claim->nvar = (uint32_t)k->nvar;
	return var.leaf;
}

Val claim_read(Claiming *k, Def leaf, Span at, Elem elem, UnitId unit)
{
	core_at(k->e->core, at);
	Val v = val_of_def(k->e, at, elem, unit, leaf, 0, 0, NULL, NULL);
	val_normalise(k->e, &v);
	return v;
}

Node claim_record(Claiming *k, DataInfo *data)
{
	for (size_t i = 0; i < k->nrecord; i++) {
		if (k->record[i].data == data) {
			return k->record[i].record;
		}
	}
	SampleVar var = {.name = data->name, .kind = SAMPLE_RECORD, .data = data};
	Def leaf = claim_variable(k, var, data->span, KIND_INT, 0, NULL);
	RecordVar r = {data, core_read(k->e->core, leaf, NULL)};
	ARENA_PUSH(k->e->arena, k->record, k->nrecord, k->caprecord, r);
	return r.record;
}

void claim_index(Claiming *k, Sym name, Span at, AxisRef axis)
{
	Elab *e = k->e;
	if (k->nix == k->capix) {
		uint32_t cap = k->capix ? 2 * k->capix : 8;
		Index *ix = arena_array(e->arena, Index, cap);
		Node *rec = arena_array(e->arena, Node, cap);
		if (k->nix) {
			memcpy(ix, k->ix, k->nix * sizeof *ix);
			memcpy(rec, k->rec, k->nix * sizeof *rec);
		}
		k->ix = ix;
		k->rec = rec;
		k->capix = cap;
	}
	k->ix[k->nix] = core_index(e->core, axis.axis, name);
	k->rec[k->nix] = axis.record;
	Val v = val_num(e, at, ELEM_INT, 0, core_index_value(e->core, k->ix[k->nix]));
	v.of = axis.axis;
	k->nix++;
	k->in->ctx = k->ix;
	k->in->nctx = k->nix;
	scope_put(e, k->in, name, at, v);
}

/* A number of an interval, or of all reals (lo = -inf). */
static void real_variable(Claiming *k, Sym name, Span at, double lo, double hi, UnitId unit)
{
	SampleVar var = {.name = name, .kind = SAMPLE_UNIFORM, .lo = lo, .hi = hi, .unit = unit};
	Def leaf = claim_variable(k, var, at, KIND_REAL, 0, NULL);
	scope_put(k->e, k->in, name, at, claim_read(k, leaf, at, ELEM_REAL, unit));
}

static void field_variable(Claiming *k, DataInfo *data, Sym field, Sym name, Span at)
{
	Val row = {.tag = VAL_RECORD, .span = at, .data = data, .record = claim_record(k, data)};
	scope_put(k->e, k->in, name, at, data_field(k->e, &row, field, at, at));
}

static const DomainVar *domain_has(const DomainInfo *d, Sym name)
{
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->var[i].name == name) {
			return &d->var[i];
		}
	}
	return NULL;
}

static void ambiguous_source(Claiming *k, Sym name, Span at, const char *a, const char *b)
{
	Elab *e = k->e;
	Diag *d = diag_ambiguous(elab_diags(e), at, elab_text(e, name),
				 arena_printf(e->arena, "%s and %s both have it", a, b));
	diag_help(d, "say which is meant: add  for %s in …", elab_text(e, name));
}

/* The one interval that domains give the name; false if none does. */
static bool find_coordinate(Claiming *k, Sym name, Span at, const DomainVar **out, bool *bad)
{
	Elab *e = k->e;
	*out = k->domain ? domain_has(k->domain, name) : NULL;
	const DomainInfo *from = NULL;
	for (size_t i = 0; !*out && i < e->ndomain; i++) {
		const DomainVar *v = domain_has(e->domain[i], name);
		if (!v || !from) {
			from = v ? e->domain[i] : from;
			continue;
		}
		const DomainVar *first = domain_has(from, name);
		if (v->lo != first->lo || v->hi != first->hi || v->unit != first->unit) {
			ambiguous_source(k, name, at, elab_text(e, from->name),
					 elab_text(e, e->domain[i]->name));
			*bad = true;
			return false;
		}
	}
	*out = *out ? *out : from ? domain_has(from, name) : NULL;
	return *out != NULL;
}

static DataInfo *find_data(Claiming *k, Sym name, Span at, bool *bad)
{
	const Program *p = k->e->program;
	DataInfo *found = NULL;
	for (uint32_t i = 0; i < p->ndata; i++) {
		DataInfo *d = p->data[i];
		for (uint32_t f = 0; !d->parent && f < d->nfield; f++) {
			if (d->field[f].name != name || d->kind == DATA_BATCH) {
				continue;
			}
			if (found) {
				ambiguous_source(k, name, at, elab_text(k->e, found->name),
						 elab_text(k->e, d->name));
				*bad = true;
				return NULL;
			}
			found = d;
		}
	}
	return found;
}

bool claim_known_variable(Claiming *k, Sym name, Span at, bool *bad)
{
	*bad = false;
	if (k->asserted) {
		return false;
	}
	const DomainVar *coordinate;
	if (find_coordinate(k, name, at, &coordinate, bad)) {
		real_variable(k, name, at, coordinate->lo, coordinate->hi, coordinate->unit);
		return true;
	}
	DataInfo *data = *bad ? NULL : find_data(k, name, at, bad);
	if (data) {
		field_variable(k, data, name, name, at);
	}
	return data != NULL;
}

/* ---- variables of `for` ---- */

static bool pattern_count(Claiming *k, const Ast *pattern, uint32_t want, const char *of)
{
	uint32_t n = pattern->kind == AST_TUPLE ? pattern->nkid : 1;
	if (n != want) {
		diag_wrong_arguments(elab_diags(k->e), pattern->span, of,
				     arena_printf(k->e->arena, "has %u coordinate%s, not %u", want,
						  want == 1 ? "" : "s", n));
	}
	return n == want;
}

static const Ast *pattern_name(const Ast *pattern, uint32_t i)
{
	return pattern->kind == AST_TUPLE ? pattern->kid[i] : pattern;
}

static bool for_domain(Claiming *k, const Ast *pattern, const DomainInfo *d)
{
	if (!pattern_count(k, pattern, d->n, elab_text(k->e, d->name))) {
		return false;
	}
	for (uint32_t i = 0; i < d->n; i++) {
		const Ast *name = pattern_name(pattern, i);
		real_variable(k, name->name, name->span, d->var[i].lo, d->var[i].hi,
			      d->var[i].unit);
	}
	return true;
}

static bool for_data(Claiming *k, const Ast *pattern, DataInfo *d)
{
	if (pattern->kind == AST_NAME && d->kind != DATA_POINTS) {
		Val row = {.tag = VAL_RECORD,
			   .span = pattern->span,
			   .data = d,
			   .record = claim_record(k, d)};
		scope_put(k->e, k->in, pattern->name, pattern->span, row);
		return true;
	}
	if (!pattern_count(k, pattern, d->nfield, elab_text(k->e, d->name))) {
		return false;
	}
	for (uint32_t i = 0; i < d->nfield; i++) {
		const Ast *name = pattern_name(pattern, i);
		field_variable(k, d, d->field[i].name, name->name, name->span);
	}
	return true;
}

static bool for_range(Claiming *k, const Ast *pattern, const Val *set)
{
	int64_t lo, hi;
	if (!val_const_int(k->e, &set->item[0], &lo) || !val_const_int(k->e, &set->item[1], &hi) ||
	    lo > hi) {
		diag_not_constant(elab_diags(k->e), set->span,
				  "the range, from a whole number to one not below it,");
		return false;
	}
	SampleVar var = {
		.name = pattern->name, .kind = SAMPLE_INTEGER, .lo = (double)lo, .hi = (double)hi};
	Def leaf = claim_variable(k, var, pattern->span, KIND_INT, 0, NULL);
	scope_put(k->e, k->in, pattern->name, pattern->span,
		  claim_read(k, leaf, pattern->span, ELEM_INT, 0));
	return true;
}

/* for x in [0, 1], n in 1..9, i in atom, s in water, (x, t) in D */
bool claim_for(Claiming *k, const Ast *binder)
{
	Elab *e = k->e;
	const Ast *pattern = binder->kid[0];
	if (!pattern || (pattern->kind != AST_NAME && pattern->kind != AST_TUPLE)) {
		return false;
	}
	Val set = elab_callee(e, k->in, binder->kid[1]);
	UnitId unit;
	double lo, hi;
	if (set.tag == VAL_ERROR) {
		return false;
	}
	if (k->asserted && set.tag != VAL_AXIS) {
		diag_help(diag_bad_statement_place(elab_diags(e), binder->span, "a variable",
						   "in assert: it holds present values"),
			  "random points are tried by  test");
		return false;
	}
	if (set.tag == VAL_DATA) {
		return for_data(k, pattern, set.data);
	}
	if (set.tag == VAL_DOMAIN) {
		return for_domain(k, pattern, set.domain);
	}
	if (pattern->kind == AST_TUPLE) {
		diag_type_mismatch(elab_diags(e), binder->kid[1]->span, val_type(e, &set),
				   "a domain or a set of points");
		return false;
	}
	if (set.tag == VAL_AXIS) {
		claim_index(k, pattern->name, pattern->span, set.axis);
		return true;
	}
	if (set.tag == VAL_RANGE) {
		return for_range(k, pattern, &set);
	}
	if (!points_interval(e, &set, &lo, &hi, &unit)) {
		return false;
	}
	real_variable(k, pattern->name, pattern->span, lo, hi, unit);
	return true;
}

/* ---- free names ---- */

typedef struct FreeName {
	Sym name;
	Span at;
	bool index, other;
} FreeName;
typedef struct Walk {
	Claiming *k;
	FreeName *free;
	size_t n, cap;
	Sym *bound; /* names bound on the way down */
	size_t nbound, capbound;
} Walk;

static bool is_known(Claiming *k, Sym name)
{
	const char *text = elab_text(k->e, name);
	uint32_t row;
	return scope_find(k->e, k->in, name) || builtin_find(k->e, name, &row) ||
	       op_find(text) != OP_NONE || strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static void meet_name(Walk *w, const Ast *ast, bool index)
{
	for (size_t i = 0; i < w->nbound; i++) {
		if (w->bound[i] == ast->name) {
			return;
		}
	}
	if (is_known(w->k, ast->name)) {
		return;
	}
	size_t i = 0;
	while (i < w->n && w->free[i].name != ast->name) {
		i++;
	}
	if (i == w->n) {
		FreeName f = {.name = ast->name, .at = ast->span};
		ARENA_PUSH(w->k->e->arena, w->free, w->n, w->cap, f);
	}
	w->free[i].index |= index;
	w->free[i].other |= !index;
}

static void bind_pattern(Walk *w, const Ast *pattern)
{
	uint32_t n = pattern && pattern->kind == AST_TUPLE ? pattern->nkid : pattern ? 1 : 0;
	for (uint32_t i = 0; i < n; i++) {
		const Ast *name = pattern->kind == AST_TUPLE ? pattern->kid[i] : pattern;
		if (name && name->kind == AST_NAME) {
			ARENA_PUSH(w->k->e->arena, w->bound, w->nbound, w->capbound, name->name);
		}
	}
}

static void walk(Walk *w, const Ast *ast, bool index);

static void walk_kids(Walk *w, const Ast *ast, uint32_t first, bool index)
{
	for (uint32_t i = first; i < ast->nkid; i++) {
		walk(w, ast->kid[i], index);
	}
}

/* sum[i in S, j if c] body: the sets are outside, filter and body inside. */
static void walk_binders(Walk *w, const Ast *ast)
{
	const Ast *binders = ast->kid[0];
	size_t before = w->nbound;
	for (uint32_t i = 0; i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		if (b && b->kind == AST_BINDER) {
			walk(w, b->nkid > 1 ? b->kid[1] : NULL, false);
			bind_pattern(w, b->kid[0]);
		}
	}
	for (uint32_t i = 0; i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		if (b && b->kind != AST_BINDER) {
			walk(w, b, false);
		}
	}
	walk(w, ast->kid[1], false);
	w->nbound = before;
}

/* The definitions of a block are its own. */
static void walk_block(Walk *w, const Ast *ast)
{
	size_t before = w->nbound;
	for (uint32_t i = 0; i < ast->nkid; i++) {
		const Ast *def = ast->kid[i];
		const Ast *left = def && def->kind == AST_DEF ? def->kid[0] : NULL;
		for (uint32_t j = 0; left && left->kind == AST_INDEX && j < left->nkid; j++) {
			bind_pattern(w, left->kid[j]);
		}
		bind_pattern(w, left && left->kind == AST_NAME ? left : NULL);
	}
	walk_kids(w, ast, 0, false);
	w->nbound = before;
}

static bool is_additive(Elab *e, const Ast *ast)
{
	const char *op = elab_text(e, ast->name);
	return (op[0] == '+' || op[0] == '-') && op[1] == 0;
}

static void walk_one(Walk *w, const Ast *ast, bool index)
{
	switch (ast->kind) {
	case AST_NAME:
		meet_name(w, ast, index);
		break;
	case AST_CALL: /* a function that does not exist is reported where it is called */
		if (ast->kid[0]->kind != AST_NAME) {
			walk(w, ast->kid[0], false);
		}
		walk_kids(w, ast, 1, false);
		break;
	case AST_INDEX:
		walk(w, ast->kid[0], false);
		walk_kids(w, ast, 1, true);
		break;
	case AST_PIPE:
		walk(w, ast->kid[0], false);
		if (ast->kid[1]->kind != AST_NAME) {
			walk(w, ast->kid[1], false);
		}
		break;
	case AST_REDUCE:
	case AST_COMPREHENSION:
		walk_binders(w, ast);
		break;
	case AST_BLOCK:
		walk_block(w, ast);
		break;
	case AST_PARTIAL: { /* (∂²u/∂x²)(0): x is a name of u's own */
		const Ast *of = ast->kid[0];
		while (of->kind == AST_PAREN) {
			of = of->kid[0];
		}
		walk(w, of, false);
		if (of->kind != AST_NAME) {
			walk_kids(w, ast, 1, false);
		}
		break;
	}
	case AST_PARTIALOP: { /* (partial[x,x] u)(0), likewise */
		const Ast *of = ast->kid[1];
		while (of->kind == AST_PAREN) {
			of = of->kid[0];
		}
		walk(w, of, false);
		if (of->kind != AST_NAME) {
			walk(w, ast->kid[0], false);
		}
		break;
	}
	case AST_PAREN:
		walk(w, ast->kid[0], index);
		break;
	case AST_RANGE: /* x[A..C] */
		for (uint32_t i = 0; i < ast->nkid; i++) {
			const Ast *end = ast->kid[i];
			bool label = index && end->kind == AST_NAME && is_any_label(w->k->e, end->name);
			walk(w, label ? NULL : end, index);
		}
		break;
	default:
		walk_kids(w, ast, 0, false);
	}
}

/* Long chains of operators lean to the left: no recursion along them. */
static void walk(Walk *w, const Ast *ast, bool index)
{
	while (ast && ast->kind == AST_BINARY && ast->nkid == 2) {
		index = index && is_additive(w->k->e, ast);
		walk(w, ast->kid[1], index);
		ast = ast->kid[0];
	}
	if (ast) {
		walk_one(w, ast, index);
	}
}

/* ---- free names that are arguments: force(R)[i,a] ---- */

/* The type of the parameter that the name is given to, in some call of the claim; NULL if none
 * says. Only arrays and indices are taken so: of a number nobody knows which values make sense. */
static const Ast *argument_type(Claiming *k, const Ast *ast, Sym name)
{
	Elab *e = k->e;
	const Ast *found = NULL;
	if (!ast) {
		return NULL;
	}
	if (ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME) {
		Entry *entry = scope_find(e, k->in, ast->kid[0]->name);
		const FnDecl *d = entry && !entry->pending && entry->val.tag == VAL_FN &&
						  entry->val.fn->kind == FNV_USER
					  ? entry->val.fn->decl
					  : NULL;
		const Ast *formals = d && !d->equation ? d->ast->kid[1] : NULL;
		for (uint32_t i = 1; formals && i < ast->nkid && !found; i++) {
			const Ast *arg = ast->kid[i], *formal = NULL;
			if (arg->kind == AST_NAMEDARG) {
				for (uint32_t f = 0; f < formals->nkid; f++) {
					formal = formals->kid[f]->name == arg->name
							 ? formals->kid[f]
							 : formal;
				}
				arg = arg->kid[0];
			} else if (i - 1 < formals->nkid) {
				formal = formals->kid[i - 1];
			}
			const Ast *type = formal ? formal->kid[0] : NULL;
			bool given = arg->kind == AST_NAME && arg->name == name;
			found = given && type && type->kind == AST_TYPE ? type : NULL;
		}
	}
	for (uint32_t i = 0; i < ast->nkid && !found; i++) {
		found = argument_type(k, ast->kid[i], name);
	}
	return found;
}

/* Arrays, spins and truth values have values of their own; so have indices and records. */
static bool has_values(Claiming *k, const Ast *type)
{
	const char *elem = elab_text(k->e, type->name);
	return type->nkid || (strcmp(elem, "real") != 0 && strcmp(elem, "int") != 0 &&
			      strcmp(elem, "complex") != 0);
}

/* False if no call says what the name is; *bad after a diagnostic. */
static bool argument_variable(Claiming *k, const FreeName *f, const Ast *claim, bool *bad)
{
	const Ast *type = k->asserted ? NULL : argument_type(k, claim, f->name);
	if (!type || !has_values(k, type)) {
		return false;
	}
	*bad = !claim_typed_variable(k, f->name, f->at, type);
	return true;
}

static void unknown_name(Claiming *k, const FreeName *f, const Ast *claim)
{
	Elab *e = k->e;
	const char *name = elab_text(e, f->name);
	if (f->index && !f->other) {
		if (axis_blamed(e, k->in, f->name, claim)) {
			return;
		}
		diag_help(diag_index_axis_unknown(elab_diags(e), f->at, name),
			  "say it: add  for %s in axis", name);
		return;
	}
	if (!k->asserted && strlen(name) <= 2) { /* too short for a slip of the pen */
		diag_help(diag_undefined_name(elab_diags(e), f->at, name),
			  "say what it ranges over: add  for %s in [0, 1]", name);
		return;
	}
	Val missing = scope_value(e, k->in, f->name, f->at); /* E0201, with the nearest name */
	(void)missing;
}

static void poison(Claiming *k, const FreeName *f)
{
	scope_put(k->e, k->in, f->name, f->at, val_error(f->at));
}

/* First the names used as values, since they say what the indices run over; then the indices. */
bool claim_free_names(Claiming *k, const Ast *ast)
{
	Walk w = {.k = k};
	walk(&w, ast, false);
	bool ok = true;
	for (size_t i = 0; i < w.n; i++) {
		bool bad = false;
		if (w.free[i].other &&
		    !claim_known_variable(k, w.free[i].name, w.free[i].at, &bad) && !bad) {
			argument_variable(k, &w.free[i], ast, &bad);
		}
		if (bad) {
			poison(k, &w.free[i]);
			ok = false;
		}
	}
	for (size_t i = 0; i < w.n; i++) {
		AxisRef axis;
		int64_t label;
		if (scope_find(k->e, k->in, w.free[i].name)) {
			continue;
		}
		if (axis_infer(k->e, k->in, w.free[i].name, ast, &axis)) {
			if (!is_label(k->e, axis.axis, w.free[i].name, &label)) {
				claim_index(k, w.free[i].name, w.free[i].at, axis);
			}
			continue;
		}
		unknown_name(k, &w.free[i], ast);
		poison(k, &w.free[i]);
		ok = false;
	}
	return ok;
}
