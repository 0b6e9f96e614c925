/* elab_data.c — data sets and their splits: declarations into DataInfo with a leaf for each field.
 * Keeps: a field's leaf has the formals (records, axes of the type), or (axes of the type) when all
 * records share it; an axis without a size is copied per data set and sized by its records. SPEC:
 * data. */
#include "lang/elab_data_int.h"

#include <math.h>
#include <string.h>

static Val data_value(Span at, DataInfo *d)
{
	Val v = {.tag = VAL_DATA, .span = at, .data = d};
	return v;
}

void data_register(Elab *e, Scope *s, DataInfo *d, Span name_span)
{
	Program *p = e->program;
	ARENA_PUSH(e->arena, p->data, p->ndata, e->capdata, d);
	scope_add(e, s, d->name, name_span, data_value(name_span, d));
}

Axis data_records_axis(Elab *e, Sym name, Span at)
{
	AxisInfo info = {.name = name, .span = at, .size = -1, .flags = AXIS_SAMPLES};
	return core_axis(e->core, info);
}

/* ---- axes sized by record
 * ---------------------------------------------------------------------------------------------- */

/* The set's own copy of an axis declared without a size, made when first met. */
Axis data_ragged_axis(Elab *e, DataInfo *d, Axis declared)
{
	AxisInfo info = *core_axis_info(e->core, declared);
	for (uint32_t k = 0; k < d->nragged; k++) {
		if (core_axis_info(e->core, d->ragged[k])->name == info.name) {
			return d->ragged[k];
		}
	}
	Sym name = intern_printf(e->names, "%s.%s.length", elab_text(e, d->name),
				 elab_text(e, info.name));
	info.length = core_leaf(e->core, DEF_DATA, name, info.span, KIND_INT, 0, 1, &d->records);
	info.size = -1;
	Axis *more = arena_array(e->arena, Axis, d->nragged + 1);
	if (d->nragged) {
		memcpy(more, d->ragged, d->nragged * sizeof *more);
	}
	more[d->nragged] = core_axis(e->core, info);
	d->ragged = more;
	return d->ragged[d->nragged++];
}

static bool is_unsized(Elab *e, Axis a)
{
	const AxisInfo *info = core_axis_info(e->core, a);
	return info->size < 0 && !(info->flags & AXIS_SAMPLES) && !info->length;
}

bool data_is_ragged(const DataInfo *d, Axis a)
{
	for (uint32_t k = 0; k < d->nragged; k++) {
		if (d->ragged[k] == a) {
			return true;
		}
	}
	return false;
}

/* ---- reading fields ---- */

static Elem field_elem(const FieldInfo *f)
{
	if (f->spin) {
		return ELEM_SPIN;
	}
	return f->kind == KIND_INT ? ELEM_INT : f->kind == KIND_BOOL ? ELEM_BOOL : ELEM_REAL;
}

const FieldInfo *data_find_field(const DataInfo *d, Sym name)
{
	for (uint32_t k = 0; k < d->nfield; k++) {
		if (d->field[k].name == name) {
			return &d->field[k];
		}
	}
	return NULL;
}

static Val no_field(Elab *e, const DataInfo *d, Sym name, Span at, Span name_span)
{
	const char **candidate = arena_array(e->arena, const char *, d->nfield + 1);
	const char *list = "";
	for (uint32_t k = 0; k < d->nfield; k++) {
		candidate[k] = elab_text(e, d->field[k].name);
		list = arena_printf(e->arena, "%s%s%s", list, k ? ", " : "", candidate[k]);
	}
	Diag *diag =
		diag_no_field(elab_diags(e), name_span, elab_text(e, name), elab_text(e, d->name));
	const char *near = diag_nearest(elab_text(e, name), candidate, d->nfield);
	if (near) {
		diag_help(diag, "did you mean  %s ?", near);
	} else if (d->nfield) {
		diag_remark(diag, "its fields are %s", list);
	}
	return val_error(at);
}

/* The field of the record (0: the whole column, an array over the records). */
static Val field_value(Elab *e, const DataInfo *d, const FieldInfo *f, Node record, Span at)
{
	uint32_t nctx = record && !f->shared ? 1 : 0, n = core_def(e->core, f->leaf)->nindex;
	Node *rec = NULL;
	for (uint32_t k = nctx; k < n; k++) {
		if (data_is_ragged(
			    d, core_index_axis(e->core, core_def(e->core, f->leaf)->index[k]))) {
			rec = rec ? rec : arena_array(e->arena, Node, n + 1);
			rec[k - nctx] = record;
		}
	}
	core_at(e->core, at);
	Val v = val_of_def(e, at, field_elem(f), f->unit, f->leaf, 0, nctx, &record, rec);
	v.of = v.rank ? 0 : f->of;
	val_normalise(e, &v);
	return v;
}

Val data_field(Elab *e, const Val *base, Sym name, Span at, Span name_span)
{
	const DataInfo *d = base->data;
	const FieldInfo *f = data_find_field(d, name);
	if (!f) {
		return no_field(e, d, name, at, name_span);
	}
	if (!f->leaf) {
		return val_error(at); /* its declaration went wrong */
	}
	if (base->tag == VAL_RECORD) {
		return field_value(e, d, f, base->record, at);
	}
	Val v = field_value(e, d, f, 0, at);
	for (uint32_t k = 0; k < v.rank; k++) {
		if (data_is_ragged(d, core_index_axis(e->core, v.ix[k]))) {
			Diag *diag = diag_type_mismatch(elab_diags(e), at,
							"an axis sized by each record",
							"a column of arrays of one size");
			diag_help(diag,
				  "take the field of one record, as in  mean[s in %s] … s.%s …",
				  elab_text(e, d->name), elab_text(e, name));
			return val_error(at);
		}
	}
	return v;
}

/* ---- fields ---- */

void data_make_leaf(Elab *e, DataInfo *d, FieldInfo *f, uint32_t rank, const Axis *axis)
{
	Axis *all = arena_array(e->arena, Axis, rank + 1);
	uint32_t n = 0;
	if (!f->shared) {
		all[n++] = d->records;
	}
	for (uint32_t k = 0; k < rank; k++) {
		all[n++] = axis[k];
	}
	Sym name = intern_printf(e->names, "%s.%s", elab_text(e, d->name), elab_text(e, f->name));
	f->leaf = core_leaf(e->core, DEF_DATA, name, f->span, f->kind, f->unit, n, all);
	if (f->spin) {
		core_def_mutable(e->core, f->leaf)->flags |= DEF_SPIN;
	}
}

/* Type and leaf; f->leaf stays 0 when the type is wrong. */
static bool field_type(Elab *e, Scope *s, DataInfo *d, FieldInfo *f, const Ast *type)
{
	TypeInfo t = elab_type(e, s, type);
	if (!t.ok) {
		return false;
	}
	if (t.record || t.elem == ELEM_COMPLEX) {
		Diag *diag = diag_type_mismatch(
			elab_diags(e), type->span, t.record ? "a data set" : "complex",
			"the type of a field: real, int, bool, spin or an axis");
		if (t.elem == ELEM_COMPLEX) {
			diag_help(diag, "keep the real and the imaginary part in two fields");
		}
		return false;
	}
	f->kind = t.elem == ELEM_INT ? KIND_INT : t.elem == ELEM_BOOL ? KIND_BOOL : KIND_REAL;
	f->spin = t.elem == ELEM_SPIN;
	f->unit = t.unit;
	f->of = t.index_of.axis;
	Axis *axis = arena_array(e->arena, Axis, t.rank + 1);
	for (uint32_t k = 0; k < t.rank; k++) {
		axis[k] = t.axis[k].axis;
		if (is_unsized(e, axis[k])) {
			if (f->shared) {
				diag_wrong_arguments(elab_diags(e), type->span,
						     elab_text(e, f->name),
						     "is shared by all records and has an axis "
						     "that each record sizes");
				return false;
			}
			axis[k] = data_ragged_axis(e, d, axis[k]);
		}
	}
	data_make_leaf(e, d, f, t.rank, axis);
	return true;
}

bool data_string(Elab *e, Scope *s, const Ast *ast, const char *what, Sym *out)
{
	Val v = elab_expr(e, s, ast);
	if (v.tag == VAL_STRING) {
		*out = v.string;
		return true;
	}
	if (v.tag != VAL_ERROR) {
		diag_help(diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v), what),
			  "a name in a file is a string: \"column\"");
	}
	return false;
}

static const Ast *inside(const Ast *ast)
{
	while (ast && ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	return ast;
}

static bool is_call(Elab *e, const Ast *ast, const char *name)
{
	return ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME &&
	       strcmp(elab_text(e, ast->kid[0]->name), name) == 0;
}

/* onehot("sequence"): shares of the labels of the field's last axis. */
static bool onehot_source(Elab *e, Scope *s, FieldInfo *f, const Ast *call)
{
	if (call->nkid != 2) {
		diag_wrong_arguments(elab_diags(e), call->span, "onehot",
				     "takes the name of one column");
		return false;
	}
	f->source = SOURCE_ONEHOT;
	if (!data_string(e, s, call->kid[1], "the name of a column", &f->column)) {
		return false;
	}
	const DefInfo *leaf = core_def(e->core, f->leaf);
	uint32_t n = leaf->nindex;
	Axis last = n > (f->shared ? 0u : 1u) ? core_index_axis(e->core, leaf->index[n - 1]) : 0;
	if (!last || core_axis_info(e->core, last)->nlabel == 0 || f->kind != KIND_REAL ||
	    f->spin) {
		diag_help(diag_wrong_arguments(elab_diags(e), call->span, "onehot",
					       "needs a real field whose last axis has labels"),
			  "as in  axis base = A | C | G | T  and  x : real[pos, base] from "
			  "onehot(\"sequence\")");
		return false;
	}
	f->onehot = last;
	return true;
}

/* "class" == "EI": 1 where the text is equal. */
static bool equals_source(Elab *e, Scope *s, FieldInfo *f, const Ast *ast)
{
	f->source = SOURCE_EQUALS;
	if (f->kind == KIND_INT || f->spin || f->unit) {
		diag_type_mismatch(elab_diags(e), ast->span, "a comparison, 0 or 1",
				   "a value of this field");
		return false;
	}
	return data_string(e, s, ast->kid[0], "the name of a column", &f->column) &&
	       data_string(e, s, ast->kid[1], "a text to compare with", &f->literal);
}

static bool field_source(Elab *e, Scope *s, const DataInfo *d, FieldInfo *f, const Ast *decl)
{
	const Ast *source = decl->nkid > 1 ? inside(decl->kid[1]) : NULL;
	if (decl->nkid > 3 && decl->kid[3] && !rows_place(e, s, d, f, decl)) {
		return false;
	}
	if (!source) {
		f->source = decl->nkid > 2 && decl->kid[2] ? SOURCE_DERIVED : SOURCE_COLUMN;
		f->column = f->source == SOURCE_COLUMN ? f->name : 0;
		return true;
	}
	if (is_call(e, source, "onehot")) {
		return onehot_source(e, s, f, source);
	}
	if (source->kind == AST_BINARY && strcmp(elab_text(e, source->name), "==") == 0) {
		return equals_source(e, s, f, source);
	}
	f->source = SOURCE_COLUMN;
	if (source->kind == AST_RANGE) {
		return data_string(e, s, source->kid[0], "the name of the first column", &f->column) &&
		       data_string(e, s, source->kid[1], "the name of the last column", &f->column_to);
	}
	return data_string(e, s, source, "the name of a column", &f->column);
}

/* ---- formulas: simulated and derived fields
 * -------------------------------------------------------------------------------- */

/* What the formulas of a set see: its fields at one record, by name, and its own axes. */
static Scope *formula_scope(Elab *e, Scope *s, DataInfo *d, Index *record)
{
	Scope *in = scope_new(e, s, NULL);
	*record = core_index(e->core, d->records, SYM(e, "record"));
	in->ctx = record;
	in->nctx = 1;
	Node r = core_index_value(e->core, *record);
	for (uint32_t k = 0; k < d->nragged; k++) {
		Val axis = {.tag = VAL_AXIS, .span = d->span, .axis = {d->ragged[k], r}};
		scope_put(e, in, core_axis_info(e->core, d->ragged[k])->name, d->span, axis);
	}
	for (uint32_t k = 0; k < d->nfield; k++) {
		const FieldInfo *f = &d->field[k];
		Val v = f->leaf ? field_value(e, d, f, r, f->span) : val_error(f->span);
		scope_put(e, in, f->name, f->span, v);
	}
	return in;
}

/* Each element drawn by itself: an array over the leaf's axes. */
static Val drawn(Elab *e, Scope *in, const DataInfo *d, const FieldInfo *f, Index record,
		 const Ast *ast)
{
	Val dist = elab_expr(e, in, ast);
	if (dist.tag == VAL_ERROR) {
		return dist;
	}
	if (dist.tag != VAL_DIST) {
		diag_help(diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &dist),
					     "a distribution"),
			  "write  ~ normal(mean, deviation)  or  = value");
		return val_error(ast->span);
	}
	bool array = false; /* normal(atom) draws over its own axes, normal(0, 1) over those of the
			       field */
	for (uint32_t k = 0; k < dist.dist->n; k++) {
		array = array || dist.dist->arg[k].tag == VAL_AXIS;
	}
	uint32_t first = f->shared ? 0 : 1, n = core_def(e->core, f->leaf)->nindex;
	Index *ix = arena_array(e->arena, Index, n + 1);
	Node *rec = arena_array(e->arena, Node, n + 1);
	for (uint32_t k = first; k < n; k++) {
		Index of = core_def(e->core, f->leaf)->index[k];
		Axis axis = core_index_axis(e->core, of);
		ix[k - first] = core_index(e->core, axis, core_index_name(e->core, of));
		rec[k - first] = data_is_ragged(d, axis) ? core_index_value(e->core, record) : 0;
	}
	Scope *each = scope_new(e, f->shared ? in->parent : in, NULL);
	each->ctx = ix;
	each->nctx = array ? 0 : n - first;
	core_at(e->core, ast->span);
	Val v = elab_draw(e, each, &dist, ast->span, each->nctx, ix, false);
	if (v.tag == VAL_NUM && !array) {
		v.rank = n - first;
		v.ix = ix;
		v.rec = rec;
	}
	return v;
}

static void shared_reads_record(Elab *e, const FieldInfo *f, Span at)
{
	diag_help(diag_wrong_arguments(
			  elab_diags(e), at, elab_text(e, f->name),
			  "is shared by all records, but its value differs between them"),
		  "leave out the word shared, or compute it from shared fields alone");
}

static void field_formula(Elab *e, Scope *in, DataInfo *d, FieldInfo *f, Index record,
			  const Ast *decl)
{
	const Ast *ast = decl->nkid > 2 ? decl->kid[2] : NULL;
	if (!ast || !f->leaf) {
		return;
	}
	Val v = decl->flags & AST_DRAW ? drawn(e, in, d, f, record, ast)
				       : elab_expr_as(e, in, ast, in, decl->kid[0]);
	if (v.tag == VAL_NUM && f->spin && (v.elem == ELEM_INT || v.elem == ELEM_REAL)) {
		if (!val_real(e, &v)) {
			return;
		}
		v.elem = ELEM_SPIN;
	}
	if (!type_fit(e, in, decl->kid[0], &v, elab_text(e, f->name)) ||
	    (f->unit && !val_convert(e, &v, f->unit))) {
		return;
	}
	if (f->shared && core_has_index(e->core, v.re, record)) {
		shared_reads_record(e, f, ast->span);
		return;
	}
	uint32_t n = 0;
	Index *ix = arena_array(e->arena, Index, v.rank + 1);
	if (!f->shared) {
		ix[n++] = record;
	}
	for (uint32_t k = 0; k < v.rank; k++) {
		ix[n++] = v.ix[k];
	}
	core_at(e->core, ast->span);
	f->formula = core_share(e->core, 0, ast->span, n, ix, v.re, 0);
}

/* ---- declarations ---- */

static uint32_t count_fields(const Ast *body)
{
	uint32_t n = 0;
	for (uint32_t k = 0; body && k < body->nkid; k++) {
		n += body->kid[k] && body->kid[k]->kind == AST_FIELDDECL;
	}
	return n;
}

static void declare_field(Elab *e, Scope *s, DataInfo *d, const Ast *decl)
{
	const FieldInfo *old = data_find_field(d, decl->name);
	if (old) {
		diag_note(diag_redefined(elab_diags(e), decl->name_span, elab_text(e, decl->name)),
			  old->span, "first defined here");
		return;
	}
	FieldInfo *f = &d->field[d->nfield++];
	*f = (FieldInfo){
		.name = decl->name, .span = decl->span, .shared = decl->flags & AST_SHARED};
	if (field_type(e, s, d, f, decl->kid[0])) {
		field_source(e, s, d, f, decl);
	}
}

static void declare_fields(Elab *e, Scope *s, DataInfo *d, const Ast *body)
{
	uint32_t n = count_fields(body);
	if (n == 0) {
		diag_help(diag_wrong_arguments(elab_diags(e), d->span, elab_text(e, d->name),
					       "declares no fields"),
			  "write  { x : real from \"column\" }");
	}
	d->field = arena_array(e->arena, FieldInfo, n + 1);
	for (uint32_t k = 0; body && k < body->nkid; k++) {
		if (body->kid[k] && body->kid[k]->kind == AST_FIELDDECL) {
			declare_field(e, s, d, body->kid[k]);
		}
	}
	Index record;
	Scope *in = formula_scope(e, s, d, &record);
	if (body) {
		elab_defs(e, in, body->nkid, body->kid);
	}
	for (uint32_t k = 0, j = 0; body && k < body->nkid && j < d->nfield; k++) {
		const Ast *decl = body->kid[k];
		if (decl && decl->kind == AST_FIELDDECL && decl->name == d->field[j].name) {
			field_formula(e, in, d, &d->field[j++], record, decl);
		}
	}
}

/* The number of records to simulate: n or simulate(n). */
static bool simulated_count(Elab *e, Scope *s, const Ast *ast, int64_t *out)
{
	ast = inside(ast);
	if (is_call(e, ast, "simulate")) {
		if (ast->nkid != 2) {
			diag_wrong_arguments(elab_diags(e), ast->span, "simulate",
					     "takes the number of records");
			return false;
		}
		ast = ast->kid[1];
	}
	Val v = elab_expr(e, s, ast);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (!val_const_int(e, &v, out) || *out < 1) {
		diag_not_constant(elab_diags(e), ast->span,
				  "the number of records, a whole number of at least 1,");
		return false;
	}
	if (*out > INT64_C(1) << 40) {
		diag_too_large(elab_diags(e), ast->span, "the number of records", "2^40");
		return false;
	}
	return true;
}

static bool declare_data(Elab *e, Scope *s, DataInfo *d, const Ast *ast)
{
	const Ast *from = ast->kid[0], *simulate = ast->nkid > 1 ? ast->kid[1] : NULL;
	const Ast *body = ast->nkid > 2 ? ast->kid[2] : NULL;
	if ((ast->flags & AST_EQ) && from && !body) {
		return data_from_expr(e, s, d, from);
	}
	bool ok = true;
	if (from) {
		ok = data_string(e, s, from, "the name of a file", &d->path);
	}
	if (ast->nkid > 3 && ast->kid[3]) {
		ok = rows_declare(e, s, d, ast->kid[3]) && ok;
	}
	if (simulate) {
		d->has_simulate = true;
		ok = simulated_count(e, s, simulate, &d->simulate) && ok;
	}
	if (!from && !simulate) {
		diag_help(
			diag_wrong_arguments(elab_diags(e), ast->span, elab_text(e, ast->name),
					     "says neither which file holds it nor how many "
					     "records are simulated"),
			"write  data %s from \"file.csv\" { … }  or  data %s = simulate(100) { … }",
			elab_text(e, ast->name), elab_text(e, ast->name));
		ok = false;
	}
	declare_fields(e, s, d, body);
	return ok;
}

void elab_data(Elab *e, Scope *s, const Ast *ast)
{
	DataInfo *d = arena_new(e->arena, DataInfo);
	d->kind = DATA_TABLE;
	d->name = ast->name;
	d->span = ast->span;
	d->ast = ast;
	d->records = data_records_axis(e, ast->name, ast->name_span);
	unsigned errors = diags_errors(elab_diags(e));
	bool ok = declare_data(e, s, d, ast);
	if (!ok && diags_errors(elab_diags(e)) > errors && d->nfield == 0) {
		scope_add(e, s, ast->name, ast->name_span, val_error(ast->name_span));
		return;
	}
	d->late = (s != e->global && !(d->kind == DATA_TABLE && d->path)) || data_reads_present(e, d);
	data_register(e, s, d, ast->name_span);
}
