/* core_read.c — the text of a stage back into a core: statements, axes, leaves, definitions in the
 * order of their lines. In: a text as core_print writes it (a hand-written one of the same form
 * will do). Out: a program whose print is the same text. Mistakes are diagnostics; nothing is
 * asserted about the text. */
#include <string.h>

#include "lang/core_read.h"

/* ---- names ---- */

CoreEntry *core_read_entry(CoreRead *r, Sym name)
{
	for (size_t k = 0; k < r->nentry; k++) {
		if (r->entry[k].name == name) {
			return &r->entry[k];
		}
	}
	return NULL;
}

Axis core_read_axis(CoreRead *r, const Ast *ast)
{
	for (size_t k = 0; ast->kind == AST_NAME && k < r->naxis; k++) {
		if (r->axis[k].name == ast->name) {
			return r->axis[k].axis;
		}
	}
	if (!r->failed) {
		r->failed = true;
		diag_undefined_name(r->ctx->diags, ast->span,
				    ast_text(r->c->arena, r->c->names, ast));
	}
	return 0;
}

void core_read_wrong(CoreRead *r, const Ast *at, const char *what)
{
	if (!r->failed) {
		diag_type_mismatch(r->ctx->diags, at->span, ast_text(r->c->arena, r->c->names, at),
				   what);
	}
	r->failed = true;
}

bool core_read_is(const CoreRead *r, const Ast *ast, const char *word)
{
	return ast && ast->kind == AST_NAME &&
	       strcmp(intern_text(r->c->names, ast->name), word) == 0;
}

/* f(…) with that name? */
bool core_read_call(const CoreRead *r, const Ast *ast, const char *word)
{
	return ast && ast->kind == AST_CALL && ast->nkid && core_read_is(r, ast->kid[0], word);
}

const Ast *core_read_inner(const Ast *ast)
{
	while (ast->kind == AST_PAREN && ast->nkid) {
		ast = ast->kid[0];
	}
	return ast;
}

/* A whole number as it stands in a text: 3, -3. */
bool core_read_whole(CoreRead *r, const Ast *ast, int64_t *out)
{
	ast = core_read_inner(ast);
	bool minus = ast->kind == AST_UNARY && ast->nkid == 1;
	const Ast *n = minus ? core_read_inner(ast->kid[0]) : ast;
	if (n->kind != AST_NUM || !(n->flags & AST_INTEGER)) {
		core_read_wrong(r, ast, "a whole number");
		return false;
	}
	*out = minus ? -n->integer : n->integer;
	return true;
}

/* ---- axes ---- */

static void add_axis(CoreRead *r, const Ast *s, AxisInfo info, const Ast *length)
{
	info.name = s->name;
	info.span = s->span;
	Axis a;
	if (info.flags & AXIS_ANONYMOUS) {
		a = core_axis_anonymous(r->c, info.size);
		r->c->axis[a].name = s->name;
	} else {
		a = core_axis(r->c, info);
	}
	CoreAxis made = {.name = s->name, .axis = a, .length = length};
	ARENA_PUSH(r->c->arena, r->axis, r->naxis, r->axiscap, made);
}

static void read_axis_call(CoreRead *r, const Ast *s, const Ast *e, AxisInfo *info,
			   const Ast **length)
{
	bool one = e->nkid == 2;
	if (core_read_call(r, e, "anonymous") && one) {
		info->flags |= AXIS_ANONYMOUS;
		core_read_whole(r, e->kid[1], &info->size);
	} else if (core_read_call(r, e, "from") && one) {
		core_read_whole(r, e->kid[1], &info->first);
	} else if (core_read_call(r, e, "ragged") && e->nkid == 3) {
		*length = e->kid[1];
		core_read_whole(r, e->kid[2], &info->size);
	} else {
		core_read_wrong(r, s, "an axis");
	}
}

static void read_axis(CoreRead *r, const Ast *s)
{
	AxisInfo info = {.size = -1, .flags = s->flags & AST_PERIODIC ? AXIS_PERIODIC : 0};
	const Ast *range = s->nkid ? s->kid[0] : NULL, *length = NULL;
	int64_t last = 0;
	if (range && range->kind == AST_LABELS) {
		info.size = info.nlabel = range->nkid;
		info.label = arena_array(r->c->arena, Sym, range->nkid);
		for (uint32_t k = 0; k < range->nkid; k++) {
			info.label[k] = range->kid[k]->name;
		}
	} else if (range && range->kind == AST_RANGE) {
		if (core_read_whole(r, range->kid[0], &info.first) &&
		    core_read_whole(r, range->kid[1], &last) &&
		    (last < info.first - 1 ||
		     __builtin_sub_overflow(last + 1, info.first, &info.size))) {
			core_read_wrong(r, s, "an axis with a size");
		}
	} else if (range && range->kind == AST_CALL) {
		read_axis_call(r, s, range, &info, &length);
	} else if (range) {
		core_read_whole(r, range, &info.size);
	}
	if (info.size < -1) {
		core_read_wrong(r, s, "an axis with a size");
	}
	if (r->failed) {
		return;
	}
	add_axis(r, s, info, length);
}

/* data s = records(100, first = 1) */
static void read_records(CoreRead *r, const Ast *s)
{
	AxisInfo info = {.size = -1, .flags = AXIS_SAMPLES};
	const Ast *e = s->nkid ? s->kid[0] : NULL;
	if (!core_read_call(r, e, "records")) {
		core_read_wrong(r, s, "records(n)");
		return;
	}
	for (uint32_t k = 1; k < e->nkid; k++) {
		const Ast *arg = e->kid[k];
		if (arg->kind == AST_NAMEDARG) {
			core_read_whole(r, arg->kid[0], &info.first);
		} else {
			core_read_whole(r, arg, &info.size);
		}
	}
	add_axis(r, s, info, NULL);
}

/* ---- leaves and heads ---- */

static bool read_type(CoreRead *r, const Ast *type, Kind *kind, UnitId *unit)
{
	const char *name = intern_text(r->c->names, type->name), *why = NULL;
	*kind = strcmp(name, "int") == 0    ? KIND_INT
		: strcmp(name, "bool") == 0 ? KIND_BOOL
					    : KIND_REAL;
	*unit = type->text && r->units
			? unit_parse(r->units, intern_text(r->c->names, type->text), &why)
			: 0;
	if ((*kind == KIND_REAL && strcmp(name, "real") != 0) || why) {
		core_read_wrong(r, type, "real, int or bool with a known unit");
		return false;
	}
	return true;
}

static CoreEntry *open_entry(CoreRead *r, Sym name, const Ast *s)
{
	CoreEntry *e = core_read_entry(r, name);
	if (!e) {
		ARENA_PUSH(r->c->arena, r->entry, r->nentry, r->entrycap,
			   ((CoreEntry){.name = name, .at = s}));
		e = &r->entry[r->nentry - 1];
	}
	if (e->leaf) {
		diag_redefined(r->ctx->diags, s->span, intern_text(r->c->names, name));
		r->failed = true;
		return NULL;
	}
	return e;
}

static void read_leaf(CoreRead *r, const Ast *s)
{
	const Ast *type = s->kid[0];
	Kind kind;
	UnitId unit;
	for (uint32_t k = 1; k < s->nkid; k++) {
		if (core_read_is(r, s->kid[k], "value")) {
			CoreEntry *declared = open_entry(r, s->name, s);
			if (declared) {
				declared->declared = type;
			}
			return;
		}
	}
	Axis *axes = arena_array(r->c->arena, Axis, type->nkid);
	if (!read_type(r, type, &kind, &unit)) {
		return;
	}
	for (uint32_t k = 0; k < type->nkid; k++) {
		axes[k] = core_read_axis(r, type->kid[k]);
		if (!axes[k]) {
			return;
		}
	}
	DefRole role = DEF_PARAM;
	unsigned flags = 0;
	for (uint32_t k = 1; k < s->nkid; k++) {
		role = core_read_is(r, s->kid[k], "data")      ? DEF_DATA
		       : core_read_is(r, s->kid[k], "runtime") ? DEF_RUNTIME
							       : role;
		flags |= core_read_is(r, s->kid[k], "signs") ? DEF_SPIN : 0;
	}
	if (core_read_entry(r, s->name)) {
		diag_redefined(r->ctx->diags, s->span, intern_text(r->c->names, s->name));
		r->failed = true;
		return;
	}
	CoreEntry e = {.name = s->name, .leaf = true};
	e.def = core_leaf(r->c, role, s->name, s->span, kind, unit, type->nkid, axes);
	core_def_mutable(r->c, e.def)->flags = flags;
	ARENA_PUSH(r->c->arena, r->entry, r->nentry, r->entrycap, e);
}

/* z[s, i] = e, z = e, h = [t in pos -> e], h[outside] = 0 */
static void read_equation(CoreRead *r, const Ast *s)
{
	const Ast *left = s->kid[0], *right = s->kid[1];
	bool indexed = left->kind == AST_INDEX && left->kid[0]->kind == AST_NAME;
	if (!(s->flags & AST_EQ) || (!indexed && left->kind != AST_NAME)) {
		core_read_wrong(r, s, "a definition");
		return;
	}
	CoreEntry *e = open_entry(r, indexed ? left->kid[0]->name : left->name, s);
	if (!e) {
		return;
	}
	if (indexed && left->nkid == 2 && core_read_is(r, left->kid[1], "outside")) {
		e->zero_outside = true;
		return;
	}
	CorePiece piece = {.head = indexed ? left : NULL, .value = right};
	if (!indexed && right->kind == AST_COMPREHENSION) {
		piece.binders = right->kid[0];
		piece.value = right->kid[1];
	}
	if (core_read_call(r, piece.value, "variable") && piece.value->nkid == 2) {
		e->variable = true;
		piece.value = piece.value->kid[1];
	}
	ARENA_PUSH(r->c->arena, e->piece, e->npiece, e->piececap, piece);
}

static void read_constant(CoreRead *r, const Ast *s)
{
	CoreEntry *e = open_entry(r, s->name, s);
	if (!e) {
		return;
	}
	e->constant = true;
	e->type = s->kid[0];
	CorePiece piece = {.value = s->kid[1]};
	ARENA_PUSH(r->c->arena, e->piece, e->npiece, e->piececap, piece);
}

static void read_derivative(CoreRead *r, const Ast *s)
{
	const Ast *head = s->kid[0];
	CoreEntry *e = head->kind == AST_CALL && head->kid[0]->kind == AST_NAME
			       ? core_read_entry(r, head->kid[0]->name)
			       : NULL;
	if (!e || e->leaf) {
		core_read_wrong(r, s, "the rule of a definition");
		return;
	}
	e->rule = s;
}

static void read_statement(CoreRead *r, const Ast *s, bool second)
{
	if (!second) {
		switch (s->kind) {
		case AST_AXIS:
			read_axis(r, s);
			return;
		case AST_DATA:
			read_records(r, s);
			return;
		default:
			return;
		}
	}
	switch (s->kind) {
	case AST_AXIS:
	case AST_DATA:
		return;
	case AST_PARAM:
		read_leaf(r, s);
		return;
	case AST_CONST:
		read_constant(r, s);
		return;
	case AST_DEF:
		read_equation(r, s);
		return;
	case AST_DERIVATIVE:
		read_derivative(r, s);
		return;
	case AST_PRINT:
		r->print = s;
		return;
	default:
		core_read_wrong(r, s, "a line of a core text");
	}
}

/* ---- definitions ---- */

static Index *make_indices(CoreRead *r, const CoreEntry *e)
{
	Index *index = arena_array(r->c->arena, Index, e->n);
	for (uint32_t k = 0; k < e->n; k++) {
		Sym name = 0;
		for (size_t p = 0; p < e->npiece && !name; p++) {
			name = e->piece[p].name ? e->piece[p].name[k] : 0;
		}
		index[k] = core_index(r->c, e->axis[k], name);
	}
	return index;
}

static bool find_kind(CoreRead *r, CoreEntry *e)
{
	UnitId unit;
	if (e->declared || e->type) {
		return read_type(r, e->declared ? e->declared : e->type, &e->kind, &unit);
	}
	for (size_t k = 0; k < e->npiece; k++) {
		Scope scope = core_read_scope(e, &e->piece[k], NULL);
		if (core_read_kind(r, &scope, e->piece[k].value, &e->kind)) {
			return true;
		}
	}
	return false;
}

static bool reads_later(CoreRead *r, const CoreEntry *e)
{
	for (size_t k = 0; k < e->npiece; k++) {
		if (core_read_furthest(r, e->piece[k].value) > (size_t)(e - r->entry)) {
			return true;
		}
	}
	return false;
}

/* Kinds of entries that may read one another. Where only whole numbers stand, the kind is int, but
 * real in a recurrence. */
static void find_kinds(CoreRead *r, size_t lo, size_t hi)
{
	for (size_t first = lo; first < hi;) {
		for (bool progress = true; progress;) {
			progress = false;
			for (size_t k = first; k < hi; k++) {
				CoreEntry *e = &r->entry[k];
				if (!e->leaf && !e->kind_known && find_kind(r, e)) {
					e->kind_known = progress = true;
				}
			}
		}
		while (first < hi && (r->entry[first].leaf || r->entry[first].kind_known)) {
			first++;
		}
		if (first < hi) {
			r->entry[first].kind =
				reads_later(r, &r->entry[first]) ? KIND_REAL : KIND_INT;
			r->entry[first].kind_known = true;
		}
	}
}

static void make_head(CoreRead *r, CoreEntry *e)
{
	DefInfo info = {.role = e->constant ? DEF_CONST : DEF_VALUE,
			.name = e->name,
			.span = e->at->span,
			.kind = e->kind,
			.nindex = e->n,
			.index = make_indices(r, e)};
	if (e->type && !read_type(r, e->type, &info.kind, &info.unit)) {
		return;
	}
	info.flags =
		(e->zero_outside ? DEF_ZERO_OUTSIDE : 0u) | (e->variable ? DEF_VARIABLE : DEF_USER);
	e->def = core_define(r->c, info);
}

static bool whole_box(const CoreEntry *e, const Range *box)
{
	for (uint32_t k = 0; box && k < e->n; k++) {
		if (box[k].lo.kind != EDGE_FIRST || box[k].lo.offset ||
		    box[k].hi.kind != EDGE_LAST || box[k].hi.offset) {
			return false;
		}
	}
	return true;
}

static void make_rule(CoreRead *r, CoreEntry *e)
{
	const Ast *head = e->rule->kid[0], *value = core_read_inner(e->rule->kid[1]);
	Rule *rule = arena_new(r->c->arena, Rule);
	rule->n = head->nkid - 1;
	rule->arg = arena_array(r->c->arena, Node, rule->n);
	rule->partial = arena_array(r->c->arena, Node, rule->n);
	if (e->npiece == 0 ||
	    (rule->n > 1 && (value->kind != AST_TUPLE || value->nkid != rule->n))) {
		core_read_wrong(r, e->rule, "one partial derivative for each argument");
		return;
	}
	Scope scope = core_read_scope(e, &e->piece[0], core_def(r->c, e->def)->index);
	for (uint32_t k = 0; k < rule->n && !r->failed; k++) {
		rule->arg[k] = core_read_node(r, &scope, head->kid[k + 1], KIND_REAL);
		rule->partial[k] =
			core_read_node(r, &scope, rule->n > 1 ? value->kid[k] : value, KIND_REAL);
	}
	core_def_mutable(r->c, e->def)->rule = rule;
}

static void fill_entry(CoreRead *r, CoreEntry *e)
{
	const DefInfo *d = core_def(r->c, e->def);
	Piece *piece = arena_array(r->c->arena, Piece, e->npiece);
	for (size_t k = 0; k < e->npiece && !r->failed; k++) {
		Scope scope = core_read_scope(e, &e->piece[k], d->index);
		piece[k].box = whole_box(e, e->piece[k].box) ? NULL : e->piece[k].box;
		core_at(r->c, e->piece[k].value->span);
		const Ast *value = core_read_inner(e->piece[k].value);
		if (e->npiece == 1 && !piece[k].box && value->kind == AST_REDUCE && !e->variable &&
		    !e->constant) {
			core_read_reduction(r, &scope, value, e->def, &piece[k].value);
		} else if (e->npiece == 1 && !piece[k].box && !e->variable && !e->constant &&
			   core_read_matrix_kind(r, value) != RED_NONE) {
			core_read_matrix_value(r, &scope, value, e->def, &piece[k].value);
		} else {
			piece[k].value = core_read_node(r, &scope, value, d->kind);
		}
	}
	if (!r->failed) {
		core_set_pieces(r->c, e->def, (uint32_t)e->npiece, piece);
		if (e->rule) {
			make_rule(r, e);
		}
	}
}

/* The last entry that entries lo… read, directly or through what they read, so that heads up to it
 * must stand first. */
static size_t last_read(CoreRead *r, size_t lo)
{
	size_t last = lo;
	for (size_t k = lo; k <= last; k++) {
		for (size_t p = 0; p < r->entry[k].npiece; p++) {
			size_t one = core_read_furthest(r, r->entry[k].piece[p].value);
			last = one > last + 1 ? one - 1 : last;
		}
	}
	return last;
}

static void make_definitions(CoreRead *r)
{
	for (size_t lo = 0, hi; lo < r->nentry && !r->failed; lo = hi) {
		hi = lo + 1;
		if (r->entry[lo].leaf) {
			continue;
		}
		hi = last_read(r, lo) + 1;
		if (!core_read_heads(r, lo, hi)) {
			return;
		}
		find_kinds(r, lo, hi);
		for (size_t k = lo; k < hi && !r->failed; k++) {
			if (!r->entry[k].leaf) {
				make_head(r, &r->entry[k]);
			}
		}
		for (size_t k = lo; k < hi && !r->failed; k++) {
			if (!r->entry[k].leaf) {
				fill_entry(r, &r->entry[k]);
			}
		}
	}
}

static void set_lengths(CoreRead *r)
{
	for (size_t k = 0; k < r->naxis; k++) {
		const Ast *length = r->axis[k].length;
		CoreEntry *e = length && length->kind == AST_NAME ? core_read_entry(r, length->name)
								  : NULL;
		if (e && e->leaf) {
			r->c->axis[r->axis[k].axis].length = e->def;
		} else if (length) {
			core_read_wrong(r, length, "an int leaf");
		}
	}
}

static CoreProgram *make_program(CoreRead *r)
{
	CoreProgram *p = arena_new(r->c->arena, CoreProgram);
	p->core = r->c;
	p->n = r->print ? r->print->nkid : 0;
	p->name = arena_array(r->c->arena, Sym, p->n);
	p->root = arena_array(r->c->arena, Node, p->n);
	for (uint32_t k = 0; k < p->n && !r->failed; k++) {
		const Ast *name = r->print->kid[k];
		CoreEntry *e = name->kind == AST_NAME ? core_read_entry(r, name->name) : NULL;
		if (!e || !e->def) {
			core_read_wrong(r, name, "the name of a definition");
			break;
		}
		const DefInfo *d = core_def(r->c, e->def);
		Index *fresh = arena_array(r->c->arena, Index, d->nindex);
		for (uint32_t q = 0; q < d->nindex; q++) {
			fresh[q] = core_index_like(r->c, d->index[q]);
		}
		p->name[k] = e->name;
		p->root[k] = core_read_plain(r->c, e->def, fresh);
	}
	return r->failed ? NULL : p;
}

CoreProgram *core_read_text(struct ParseCtx *ctx, Core *c, struct UnitTable *units, uint32_t file)
{
	unsigned before = diags_errors(ctx->diags);
	const Ast *ast = parse_file(ctx, file);
	if (diags_errors(ctx->diags) > before) {
		return NULL;
	}
	CoreRead r = {.ctx = ctx, .c = c, .units = units};
	for (int second = 0; second < 2; second++) {
		for (uint32_t k = 0; k < ast->nkid && !r.failed; k++) {
			read_statement(&r, ast->kid[k], second);
		}
	}
	if (!r.failed) {
		set_lengths(&r);
	}
	if (!r.failed) {
		make_definitions(&r);
	}
	return r.failed ? NULL : make_program(&r);
}
