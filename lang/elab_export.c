/* elab_export.c — `export energy, force with gradient, atom = 9 to "libff.so"`: functions as a
 * library will offer them. Each is called once with leaves that stand for one call's arguments, and
 * once with leaves over (calls, axes…) for many calls at a time. SPEC: export. */
#include "lang/elab_data_int.h"
#include "lang/elab_stmt.h"

#include <string.h>

typedef struct Exporting {
	Elab *e;
	Scope *in; /* axes that have a size here */
	ExportInfo *out;
	size_t room, nsized, capsized;
	const Ast *at;
	bool gradient; /* asked for */
	uint32_t used; /* functions that have one */
} Exporting;

/* One of the two forms of a function being made: its arguments and, for records, their sets. */
typedef struct Form {
	Exporting *x;
	ExportFn *fn;
	int form;
	Node call; /* EXPORT_MANY: which call */
	Index index;
	uint32_t narg;
	Val *arg;        /* as the function takes them: by number of the formal */
	uint32_t nvalue; /* as the library takes them: of fn->arg */
	size_t room;
} Form;

static bool refuse(Exporting *x, Span at, Sym name, const char *why, const char *help)
{
	Diag *d = diag_not_exportable(elab_diags(x->e), at, elab_text(x->e, name), why);
	if (help) {
		diag_help(d, "%s", help);
	}
	return false;
}

static bool is_unsized(const AxisInfo *a)
{
	return a->size < 0 && !(a->flags & AXIS_SAMPLES);
}

/* ---- arguments ---- */

static bool sized_by_data(const Exporting *x, Axis a)
{
	for (size_t k = 0; k < x->nsized; k++) {
		if (x->out->sized[k].axis == a) {
			return true;
		}
	}
	return false;
}

/* An axis whose size comes with each record stands for the size that all records of a set have. */
static bool size_from_data(Exporting *x, Span at, Axis declared)
{
	Elab *e = x->e;
	AxisInfo info = *core_axis_info(e->core, declared);
	for (uint32_t k = 0; k < e->program->ndata; k++) {
		DataInfo *d = e->program->data[k];
		for (uint32_t j = 0; d->kind != DATA_BATCH && j < d->nragged; j++) {
			if (core_axis_info(e->core, d->ragged[j])->name != info.name) {
				continue;
			}
			info.length = 0;
			ExportAxis one = {core_axis(e->core, info), d->ragged[j], d, at};
			ARENA_PUSH(e->arena, x->out->sized, x->nsized, x->capsized, one);
			x->out->nsized = (uint32_t)x->nsized;
			Val v = {.tag = VAL_AXIS, .span = at, .axis = {one.axis, 0}};
			scope_put(e, x->in, info.name, at, v);
			return true;
		}
	}
	return false;
}

/* Gives the axes of a type their sizes; the type is then read again. */
static bool size_axes(Exporting *x, Span at, const TypeInfo *t)
{
	bool any = false;
	for (uint32_t i = 0; t->ok && i < t->rank + (t->index_of.axis != 0); i++) {
		Axis a = i < t->rank ? t->axis[i].axis : t->index_of.axis;
		bool open = is_unsized(core_axis_info(x->e->core, a)) && !sized_by_data(x, a);
		any = (open && size_from_data(x, at, a)) || any;
	}
	return any;
}

static bool arg_axes(Exporting *x, Span at, Sym name, const TypeInfo *t)
{
	Elab *e = x->e;
	for (uint32_t i = 0; i < t->rank + (t->index_of.axis != 0); i++) {
		Axis a = i < t->rank ? t->axis[i].axis : t->index_of.axis;
		const AxisInfo *info = core_axis_info(e->core, a);
		if (is_unsized(info) && !sized_by_data(x, a)) {
			const char *axis = elab_text(e, info->name);
			return refuse(x, at, name,
				      arena_printf(e->arena, "the axis %s has no size", axis),
				      arena_printf(e->arena,
						   "say for how many:  export … with %s = 3 to …",
						   axis));
		}
	}
	return true;
}

static Def make_leaf(Form *f, const ExportValue *v, Kind kind)
{
	Elab *e = f->x->e;
	uint32_t n = 0;
	Axis *axis = arena_array(e->arena, Axis, v->rank + 1);
	if (f->form == EXPORT_MANY) {
		axis[n++] = f->fn->calls;
	}
	for (uint32_t i = 0; i < v->rank; i++) {
		axis[n++] = v->axis[i];
	}
	Def d = core_leaf(e->core, DEF_RUNTIME, v->name, v->span, kind, v->unit, n, axis);
	core_def_mutable(e->core, d)->flags |= DEF_USER;
	if (v->type == EXPORT_SPIN) {
		core_def_mutable(e->core, d)->flags |= DEF_SPIN;
	}
	return d;
}

static ExportType export_type(Elem elem)
{
	static const ExportType of[] = {EXPORT_REAL, EXPORT_COMPLEX, EXPORT_INT, EXPORT_BOOL,
					EXPORT_SPIN};
	return of[elem];
}

/* The place of the next argument: both forms meet them in the same order. */
static ExportValue *next_value(Form *f, ExportValue v)
{
	if (f->nvalue == f->fn->narg) {
		size_t n = f->nvalue;
		ARENA_PUSH(f->x->e->arena, f->fn->arg, n, f->room, v);
		f->fn->narg = (uint32_t)n;
	}
	return &f->fn->arg[f->nvalue++];
}

static Val number_argument(Form *f, Sym name, Span at, const TypeInfo *t)
{
	Elab *e = f->x->e;
	ExportValue v = {.name = name, .span = at, .unit = t->unit, .rank = t->rank};
	v.type = t->index_of.axis ? EXPORT_INDEX : export_type(t->elem);
	v.of = t->index_of.axis;
	Axis *axis = arena_array(e->arena, Axis, t->rank + 1);
	for (uint32_t i = 0; i < t->rank; i++) {
		axis[i] = t->axis[i].axis;
	}
	v.axis = axis;
	Kind kind = t->elem == ELEM_INT ? KIND_INT : t->elem == ELEM_BOOL ? KIND_BOOL : KIND_REAL;
	Def re = make_leaf(f, &v, kind);
	Def im = v.type == EXPORT_COMPLEX ? make_leaf(f, &v, kind) : 0;
	uint32_t nctx = f->form == EXPORT_MANY ? 1 : 0;
	Val read = val_of_def(e, at, t->elem, t->unit, re, im, nctx, &f->call, NULL);
	read.of = t->index_of.axis;
	ExportValue *out = next_value(f, v);
	out->def[f->form][0] = re;
	out->def[f->form][1] = im;
	return read;
}

/* s: foil — a record with leaves of its own; its fields are the arguments of the library. */
static Val record_argument(Form *f, Span at, DataInfo *data)
{
	Elab *e = f->x->e;
	DataInfo *d = data_clone(e, data, DATA_BATCH, data->name, at);
	core_axis_resize(e->core, d->records, 1);
	Val row = {.tag = VAL_RECORD, .span = at, .data = d};
	row.record = f->form == EXPORT_MANY ? f->call : core_int_const(e->core, 0);
	for (uint32_t k = 0; k < d->nfield; k++) {
		FieldInfo *field = &d->field[k];
		if (field->shared || !field->leaf) {
			field->leaf = data->field[k].leaf;
			continue;
		}
		ExportValue v = {
			.name = field->name, .span = at, .unit = field->unit, .field = true};
		v.type = field->spin                ? EXPORT_SPIN
			 : field->of                ? EXPORT_INDEX
			 : field->kind == KIND_INT  ? EXPORT_INT
			 : field->kind == KIND_BOOL ? EXPORT_BOOL
						    : EXPORT_REAL;
		v.of = field->of;
		const DefInfo *leaf = core_def(e->core, field->leaf);
		Axis *axis = arena_array(e->arena, Axis, leaf->nindex);
		for (uint32_t i = 1; i < leaf->nindex; i++) {
			axis[v.rank++] = core_index_axis(e->core, leaf->index[i]);
		}
		v.axis = axis;
		if (f->form == EXPORT_MANY) {
			field->leaf = make_leaf(f, &v, field->kind);
		}
		core_def_mutable(e->core, field->leaf)->role = DEF_RUNTIME;
		next_value(f, v)->def[f->form][0] = field->leaf;
	}
	return row;
}

static bool untyped_unit(Form *f, FnDecl *d, uint32_t i, UnitId *unit)
{
	Elab *e = f->x->e;
	if (d->equation) {
		*unit = d->domain->var[i].unit;
		return true;
	}
	*unit = 0;
	for (size_t k = 0; k < e->ndomain; k++) {
		for (uint32_t v = 0; v < e->domain[k]->n; v++) {
			if (e->domain[k]->var[v].name == d->formal[i]) {
				*unit = e->domain[k]->var[v].unit;
				return true;
			}
		}
	}
	return d->net;
}

static bool formal_argument(Form *f, FnDecl *d, uint32_t i)
{
	Exporting *x = f->x;
	Elab *e = x->e;
	const Ast *formal = d->equation ? NULL : d->ast->kid[1]->kid[i];
	const Ast *type = formal ? formal->kid[0] : NULL;
	Span at = x->at->span;
	TypeInfo t = {.ok = true, .elem = ELEM_REAL};
	if (!type && !untyped_unit(f, d, i, &t.unit)) {
		const char *name = elab_text(e, d->formal[i]);
		return refuse(x, at, d->name,
			      arena_printf(e->arena, "the type of its argument %s is open", name),
			      arena_printf(e->arena, "write it:  %s(%s: real)",
					   elab_text(e, d->name), name));
	}
	if (type) {
		t = elab_type(e, x->in, type);
		t = size_axes(x, at, &t) ? elab_type(e, x->in, type) : t;
	}
	if (!t.ok || !arg_axes(x, at, d->name, &t)) {
		return false;
	}
	if (t.record && t.record->nragged) {
		return refuse(x, at, d->name, "the arrays of its record differ in size",
			      "export a function that takes the arrays as arguments");
	}
	f->arg[f->narg++] = t.record ? record_argument(f, at, t.record)
				     : number_argument(f, d->formal[i], at, &t);
	return f->arg[f->narg - 1].tag != VAL_ERROR;
}

/* ---- results ---- */

static bool closed(Form *f, const Val *v, Node n)
{
	Elab *e = f->x->e;
	const Index *free;
	uint32_t count = core_free(e->core, n, &free);
	for (uint32_t i = 0; i < count; i++) {
		bool own = free[i] == f->index;
		for (uint32_t k = 0; k < v->rank; k++) {
			own = own || v->ix[k] == free[i];
		}
		if (!own) {
			return false;
		}
	}
	return true;
}

static Def result_def(Form *f, const Val *v, Node body)
{
	Elab *e = f->x->e;
	uint32_t n = 0;
	Index *ix = arena_array(e->arena, Index, v->rank + 1);
	if (f->form == EXPORT_MANY) {
		ix[n++] = f->index;
	}
	for (uint32_t i = 0; i < v->rank; i++) {
		ix[n++] = v->ix[i];
	}
	core_at(e->core, f->fn->span);
	return core_share(e->core, f->fn->name, f->fn->span, n, ix, body, DEF_KEEP);
}

static bool result_axes(Form *f, const Val *v)
{
	Elab *e = f->x->e;
	for (uint32_t i = 0; i < v->rank; i++) {
		Axis axis = core_index_axis(e->core, v->ix[i]);
		const AxisInfo *a = core_axis_info(e->core, axis);
		if ((is_unsized(a) && !sized_by_data(f->x, axis)) || a->length ||
		    (v->rec && v->rec[i])) {
			return refuse(f->x, f->fn->span, f->fn->name,
				      "the size of its result is not fixed", NULL);
		}
	}
	return true;
}

/* Result k of the function: described in the first form, a definition in each. */
static bool put_result(Form *f, uint32_t *k, Sym name, Val v)
{
	Elab *e = f->x->e;
	if (v.tag == VAL_TUPLE) {
		bool ok = true;
		for (uint32_t i = 0; ok && i < v.n; i++) {
			Sym item = v.item_name ? v.item_name[i] : 0;
			ok = put_result(f, k, item ? item : name, v.item[i]);
		}
		return ok;
	}
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag != VAL_NUM || !closed(f, &v, v.re)) {
		return refuse(f->x, f->fn->span, f->fn->name,
			      arena_printf(e->arena, "its value is %s, no number or array",
					   val_type(e, &v)),
			      NULL);
	}
	if (!val_unmixed(e, &v) || !result_axes(f, &v)) {
		return false;
	}
	UnitId unit = unit_resolve(e->units, v.unit);
	if (unit_has_variable(e->units, unit)) {
		diag_unit_undetermined(elab_diags(e), f->fn->span, elab_text(e, f->fn->name));
		return false;
	}
	size_t n = f->fn->nresult, room = n;
	if (*k == n) {
		ExportValue one = {.name = name, .span = f->fn->span, .unit = unit, .rank = v.rank};
		one.type = v.of ? EXPORT_INDEX : export_type(v.elem);
		one.of = v.of;
		Axis *axis = arena_array(e->arena, Axis, v.rank + 1);
		for (uint32_t i = 0; i < v.rank; i++) {
			axis[i] = core_index_axis(e->core, v.ix[i]);
		}
		one.axis = axis;
		ARENA_PUSH(e->arena, f->fn->result, n, room, one);
		f->fn->nresult = (uint32_t)n;
	}
	f->fn->result[*k].def[f->form][0] = result_def(f, &v, v.re);
	f->fn->result[*k].def[f->form][1] = v.im ? result_def(f, &v, v.im) : 0;
	(*k)++;
	return true;
}

/* The derivative by every real argument; whoever plans makes the definitions, all of them in one
 * reverse sweep. */
static void put_gradient(Form *f, const Val *value)
{
	Elab *e = f->x->e;
	for (uint32_t i = 0; i < f->fn->narg; i++) {
		const ExportValue *a = &f->fn->arg[i];
		bool read = !a->field || core_depends(e->core, value->re, a->def[EXPORT_ONE][0]);
		if (a->type != EXPORT_REAL || !read) {
			continue;
		}
		ExportValue d = *a;
		size_t n = f->fn->nresult, room = n;
		d.name = intern_printf(e->names, "d_%s", elab_text(e, a->name));
		d.unit = unit_div(e->units, value->unit, a->unit);
		d.by = i + 1;
		memset(d.def, 0, sizeof d.def);
		ARENA_PUSH(e->arena, f->fn->result, n, room, d);
		f->fn->nresult = (uint32_t)n;
	}
}

/* ---- one function ---- */

static bool make_form(Exporting *x, ExportFn *fn, const FnVal *v, int form)
{
	Elab *e = x->e;
	FnDecl *d = v->decl;
	Form f = {.x = x, .fn = fn, .form = form};
	if (form == EXPORT_MANY) {
		fn->calls = data_records_axis(e, SYM(e, "call"), fn->span);
		f.index = core_index(e->core, fn->calls, SYM(e, "call"));
		f.call = core_index_value(e->core, f.index);
	}
	f.arg = arena_array(e->arena, Val, d->nformal + 1);
	for (uint32_t i = 0; i < d->nformal; i++) {
		if (!formal_argument(&f, d, i)) {
			return false;
		}
	}
	Val value = elab_call_value(e, x->in, v, fn->span, f.narg, f.arg, NULL, x->at);
	uint32_t k = 0;
	if (!put_result(&f, &k, 0, value)) {
		return false;
	}
	if (fn->gradient && form == EXPORT_ONE) {
		put_gradient(&f, &value);
	}
	return true;
}

/* Fields of records that no result reads are not asked for. */
static void drop_unread(Elab *e, ExportFn *fn)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < fn->narg; i++) {
		bool read = !fn->arg[i].field;
		for (uint32_t k = 0; k < fn->nresult && !read; k++) {
			for (int part = 0; part < 2 && !read; part++) {
				Def r = fn->result[k].def[EXPORT_ONE][part];
				Node n =
					r ? core_read_plain(e->core, r, core_def(e->core, r)->index)
					  : 0;
				read = n && core_depends(e->core, n, fn->arg[i].def[EXPORT_ONE][0]);
			}
		}
		for (uint32_t k = 0; k < fn->nresult && read; k++) {
			fn->result[k].by = fn->result[k].by == i + 1 ? kept + 1 : fn->result[k].by;
		}
		if (read) {
			fn->arg[kept++] = fn->arg[i];
		}
	}
	fn->narg = kept;
}

static bool differentiable(const ExportFn *fn)
{
	bool real = false;
	for (uint32_t i = 0; i < fn->narg; i++) {
		real = real || fn->arg[i].type == EXPORT_REAL;
	}
	return real && fn->nresult == 1 && fn->result[0].type == EXPORT_REAL && !fn->result[0].rank;
}

static bool add_function(Exporting *x, ExportInfo *out, const FnVal *v, bool gradient)
{
	Elab *e = x->e;
	ExportFn fn = {.name = x->at->name, .span = x->at->span, .gradient = gradient};
	for (int form = 0; form < EXPORT_FORMS; form++) {
		if (!make_form(x, &fn, v, form)) {
			return false;
		}
	}
	drop_unread(e, &fn);
	size_t n = out->n;
	ARENA_PUSH(e->arena, out->fn, n, x->room, fn);
	out->n = (uint32_t)n;
	if (x->gradient && !gradient && differentiable(&fn)) {
		x->used++;
		return add_function(x, out, v, true);
	}
	return true;
}

static bool exportable(Exporting *x, const Val *v)
{
	Elab *e = x->e;
	Sym name = x->at->name;
	Span at = x->at->span;
	if (v->tag == VAL_ERROR) {
		return false;
	}
	if (v->tag != VAL_FN) {
		return refuse(x, at, name,
			      arena_printf(e->arena, "it is %s, no function", val_type(e, v)),
			      v->tag == VAL_NUM
				      ? arena_printf(e->arena, "write  fn f() = %s  and export f",
						     elab_text(e, name))
				      : NULL);
	}
	const FnDecl *d = v->fn->kind == FNV_USER ? v->fn->decl : NULL;
	if (!d || d->layer || d->activation) {
		return refuse(x, at, name, "only an fn, a net or an equation of the program can be",
			      "write an fn that calls it");
	}
	if (d->bad) {
		return false;
	}
	const Ast *axes = d->equation ? NULL : d->ast->kid[0];
	for (uint32_t i = 0; axes && i < axes->nkid; i++) {
		Entry *entry = scope_find(e, x->in, axes->kid[i]->name);
		if (!entry || entry->val.tag != VAL_AXIS) {
			const char *axis = elab_text(e, axes->kid[i]->name);
			return refuse(
				x, at, name, arena_printf(e->arena, "it is for any axis %s", axis),
				arena_printf(e->arena,
					     "say for which size:  export %s with %s = 3 to …",
					     elab_text(e, name), axis));
		}
	}
	return true;
}

/* ---- the statement ---- */

/* atom = 9: an axis of that size under that name. */
static bool size_option(Exporting *x, const Ast *option)
{
	Elab *e = x->e;
	Val v = elab_expr(e, x->in, option->kid[0]);
	int64_t size;
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (!val_const_int(e, &v, &size) || size < 1) {
		diag_not_constant(elab_diags(e), option->span, "the size, a whole number above 0,");
		return false;
	}
	Entry *entry = scope_find(e, x->in, option->name);
	AxisInfo info = {.name = option->name, .span = option->span};
	if (entry && entry->val.tag == VAL_AXIS) {
		info = *core_axis_info(e->core, entry->val.axis.axis);
		if (!is_unsized(&info)) {
			return refuse(x, option->span, option->name,
				      "with another size: the axis has one already",
				      "its declaration or --set gives it");
		}
	}
	info.size = size;
	info.length = 0;
	Val axis = {.tag = VAL_AXIS, .span = option->span, .axis = {core_axis(e->core, info), 0}};
	scope_put(e, x->in, option->name, option->span, axis);
	return true;
}

static bool option(Exporting *x, const Ast *o)
{
	if (o->kind == AST_NAMEDARG) {
		return size_option(x, o);
	}
	if (o->kind == AST_NAME && strcmp(elab_text(x->e, o->name), "gradient") == 0) {
		x->gradient = true;
		return true;
	}
	diag_help(diag_wrong_arguments(elab_diags(x->e), o->span, "export",
				       "an option is  gradient  or a size"),
		  "write  with gradient, atom = 9");
	return false;
}

static bool options(Exporting *x, const Ast *with)
{
	const Ast *list = with->kid[0];
	bool several = list->kind == AST_TUPLE, ok = true;
	for (uint32_t i = 0; i < (several ? list->nkid : 1); i++) {
		ok = option(x, several ? list->kid[i] : list) && ok;
	}
	return ok;
}

/* A mistake here is found before a long training. */
static bool is_library(const char *path)
{
	const char *dot = strrchr(path, '.');
	return dot && dot > path && dot[-1] != '/' &&
	       (strcmp(dot, ".so") == 0 || strcmp(dot, ".a") == 0 || strcmp(dot, ".o") == 0);
}

static bool path(Elab *e, Scope *s, const Ast *ast, Sym *out)
{
	if (!stmt_path(e, s, ast, out)) {
		return false;
	}
	const char *name = elab_text(e, *out), *why = "a library is called ….so, .a or .o, not";
	bool fits = is_library(name);
	if (!fits) {
		diag_wrong_arguments(elab_diags(e), ast->span, "export",
				     arena_printf(e->arena, "%s %s", why, name));
	}
	return fits;
}

bool elab_export(Elab *e, Scope *s, const Ast *ast, ExportInfo *out)
{
	Exporting x = {.e = e, .in = scope_new(e, s, NULL), .out = out, .at = ast};
	uint32_t n = ast->nkid - 1;
	const Ast *with = n && ast->kid[n - 1]->kind == AST_PLOTOPT ? ast->kid[--n] : NULL;
	bool ok = path(e, s, ast->kid[ast->nkid - 1], &out->path) && (!with || options(&x, with));
	for (uint32_t i = 0; ok && i < n; i++) {
		x.at = ast->kid[i];
		if (x.at->kind != AST_NAME) {
			ok = refuse(&x, x.at->span, SYM(e, ast_text(e->arena, e->names, x.at)),
				    "functions are exported by name", "give it one:  fn f(…) = …");
			break;
		}
		Val v = elab_callee(e, x.in, x.at);
		ok = exportable(&x, &v) && add_function(&x, out, v.fn, false);
	}
	if (ok && x.gradient && !x.used) {
		ok = refuse(&x, with->span, SYM(e, "the gradient"),
			    "no exported function has one real number as value and a real argument",
			    NULL);
	}
	return ok;
}
