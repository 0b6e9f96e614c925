/* elab_plot.c — plot e, … [over …] [against …] [for …] [as kind] [with options] [to "file"]: what is
 * computed for a figure, and over which places. SPEC: figures. */
#include "lang/elab_plot_int.h"

#include <string.h>

enum { LINE_PLACES = 201, FIELD_PLACES = 151, ARROW_PLACES = 21, LABEL_MOST = 32 };

static bool refuse(Plotting *p, Span at, const char *why, const char *help)
{
	Diag *d = diag_bad_plot(elab_diags(p->e), at, why);
	if (help) {
		diag_help(d, "%s", help);
	}
	return false;
}

/* Behind a word of the statement: its values. */
static uint32_t several(const Ast *ast, Ast *const **list)
{
	*list = ast->kid;
	return ast->kind == AST_TUPLE ? ast->nkid : 0;
}

/* s.y is y where s is a record; everything else is as it is written, as far as it finds room. */
static const char *label_of(const Plotting *p, const Ast *ast)
{
	if (ast->kind == AST_FIELD && ast->kid[0]->kind == AST_NAME) {
		return elab_text(p->e, ast->name);
	}
	const char *text = ast_text(p->e->arena, p->e->names, ast);
	size_t n = 0, at = 0;
	while (text[at] && n < LABEL_MOST) {
		n += (text[++at] & 0xC0) != 0x80;
	}
	return text[at] ? arena_printf(p->e->arena, "%.*s…", (int)at, text) : text;
}

/* ---- values ---- */

static uint32_t add_value(Plotting *p, const Val *v, const Ast *ast)
{
	Value value;
	if (v->elem == ELEM_COMPLEX) {
		diag_help(diag_type_mismatch(elab_diags(p->e), v->span, val_type(p->e, v),
					     "a real value to draw"),
			  "draw abs(z), re(z), im(z) or arg(z)");
		return 0;
	}
	if (!elab_value(p->e, v, ast, &value)) {
		return 0;
	}
	if (v->of && core_axis_info(p->e->core, v->of)->nlabel) {
		p->out->classes = v->of;
	}
	if (!value.value) {
		refuse(p, v->span, "a text has no place in a figure",
		       "name a line so:  plot exact = g(x)");
		return 0;
	}
	size_t n = p->out->nvalue;
	ARENA_PUSH(p->e->arena, p->out->value, n, p->capvalue, value);
	p->out->nvalue = (uint32_t)n;
	return p->out->nvalue;
}

static bool ragged(const Val *v)
{
	for (uint32_t k = 0; v->rec && k < v->rank; k++) {
		if (v->rec[k]) {
			return true;
		}
	}
	return false;
}

/* Axes named behind `over` come first, in their order. */
static bool order_axes(Plotting *p, Val *v, uint32_t own)
{
	for (uint32_t k = 0; k < p->naxis; k++) {
		uint32_t at = own + k;
		while (at < v->rank && !axis_same(p->e, val_axis(p->e, v, at), p->axis[k])) {
			at++;
		}
		if (at == v->rank) {
			Diag *d = diag_bad_plot(
				elab_diags(p->e), v->span,
				arena_printf(p->e->arena, "the value is no array over %s",
					     axis_name(p->e, p->axis[k])));
			diag_help(d, "it is %s", val_type(p->e, v));
			return false;
		}
		Index ix = v->ix[at];
		memmove(&v->ix[own + k + 1], &v->ix[own + k], (at - own - k) * sizeof ix);
		v->ix[own + k] = ix;
	}
	return true;
}

/* The value over the indices of the plot, then its own axes. */
static bool spread(Plotting *p, Val *v)
{
	uint32_t n = p->bound.n;
	if (ragged(v)) {
		return refuse(p, v->span, "its axis is sized by record",
			      "draw a sum or a mean over it");
	}
	Index *ix = arena_array(p->e->arena, Index, n + v->rank + 1);
	for (uint32_t k = 0; k < n + v->rank; k++) {
		ix[k] = k < n ? p->bound.ix[k] : v->ix[k - n];
	}
	v->ix = ix;
	v->rec = NULL;
	v->rank += n;
	return order_axes(p, v, n);
}

static bool is_number(Plotting *p, const Val *v)
{
	if (v->tag != VAL_NUM && v->tag != VAL_ERROR) {
		Diag *d = diag_type_mismatch(elab_diags(p->e), v->span, val_type(p->e, v),
					     "a value to draw");
		if (v->tag == VAL_FN) {
			diag_help(d, "say where:  plot f over D,  or  plot f(x) for x in [0, 1]");
		}
	}
	return v->tag == VAL_NUM;
}

/* ---- lines, fields, bands ---- */

/* slope(y, x), -slope(y, x): taken along the rows of a table when all are there. */
static const Ast *slope_call(Plotting *p, const Ast *ast, int *sign)
{
	*sign = 1;
	while (ast->kind == AST_PAREN || (ast->kind == AST_UNARY && ast->nkid == 1)) {
		*sign = ast->kind == AST_UNARY ? -*sign : *sign;
		ast = ast->kid[0];
	}
	Sym name = SYM(p->e, "slope");
	bool call = ast->kind == AST_CALL && ast->nkid == 3 && ast->kid[0]->kind == AST_NAME &&
		    ast->kid[0]->name == name;
	return call && p->out->record && !scope_knows(p->e, p->in, name) ? ast : NULL;
}

static bool add_series(Plotting *p, const Ast *ast)
{
	const char *label = NULL;
	PlotSeries one = {0};
	if (ast->kind == AST_NAMEDARG) {
		label = elab_text(p->e, ast->name);
		ast = ast->kid[0];
	}
	const Ast *slope = slope_call(p, ast, &one.slope);
	Val item[3], v = {0};
	if (slope) {
		item[0] = elab_expr(p->e, p->in, slope->kid[1]);
		item[1] = elab_expr(p->e, p->in, slope->kid[2]);
		one.n = 2;
	} else {
		one.slope = 0;
		v = elab_expr(p->e, p->in, ast);
		v.span = ast->span;
		one.n = v.tag == VAL_TUPLE ? v.n : 1;
		if (one.n < 1 || one.n > 3) {
			return refuse(p, ast->span, "a tuple here has two or three values",
				      "write a band as (low, high), a line with its band as "
				      "(y, low, high)");
		}
		for (uint32_t k = 0; k < one.n; k++) {
			item[k] = v.tag == VAL_TUPLE ? v.item[k] : v;
		}
	}
	bool line = ast->kind == AST_TUPLE && p->out->kind != PLOT_ARROWS;
	one.label = label ? label : label_of(p, line ? ast->kid[0] : ast);
	one.value = p->out->nvalue;
	for (uint32_t k = 0; k < one.n; k++) {
		if (!is_number(p, &item[k]) ||
		    (k && !one.slope && !val_agree(p->e, ast->span, &item[0], &item[k]))) {
			return false;
		}
		if (!spread(p, &item[k]) || !add_value(p, &item[k], ast)) {
			return false;
		}
	}
	size_t n = p->out->nseries;
	ARENA_PUSH(p->e->arena, p->out->series, n, p->capseries, one);
	p->out->nseries = (uint32_t)n;
	return true;
}

/* ---- places ---- */

static void add_place(Plotting *p, PlotPlace place)
{
	size_t n = p->out->nplace;
	ARENA_PUSH(p->e->arena, p->out->place, n, p->capplace, place);
	p->out->nplace = (uint32_t)n;
}

static bool add_place_value(Plotting *p, const Val *v, const Ast *ast, const char *label)
{
	uint32_t value = add_value(p, v, ast);
	if (value) {
		add_place(p, (PlotPlace){label, p->out->value[value - 1].unit,
					 core_index_axis(p->e->core, v->ix[0]), value});
	}
	return value != 0;
}

static int64_t places(const Plotting *p, bool field)
{
	int64_t n = p->out->option.grid;
	return n ? n : p->out->kind == PLOT_ARROWS ? ARROW_PLACES : field ? FIELD_PLACES : LINE_PLACES;
}

/* A coordinate that takes n places from lo to hi. */
static bool bind_interval(Plotting *p, Sym name, const Ast *ast, double lo, double hi, UnitId unit,
			  int64_t n)
{
	Core *c = p->e->core;
	Index k = core_index(c, axis_range(p->e, 0, n - 1), name);
	plot_bind(p, k);
	Node step = core_real_const(c, (hi - lo)/(double)(n - 1));
	Node at = core_add(c, core_real_const(c, lo),
			   core_mul(c, step, core_real(c, core_index_value(c, k))));
	Val v = val_num(p->e, ast->span, ELEM_REAL, unit, at);
	scope_put(p->e, p->in, name, ast->span, diff_alias(p->e, name, &v));
	v.rank = 1;
	v.ix = &p->bound.ix[p->bound.n - 1];
	return add_place_value(p, &v, ast, elab_text(p->e, name));
}

/* x in e: its values one after the other. */
static bool bind_array(Plotting *p, Sym name, const Ast *ast, Val v)
{
	if (v.elem == ELEM_BOOL || v.elem == ELEM_COMPLEX || ragged(&v)) {
		return refuse(p, ast->span, "places are real or whole numbers", NULL);
	}
	plot_bind(p, v.ix[0]);
	Val one = v;
	one.rank = 0;
	one.n = 0;
	one.item = NULL;
	scope_put(p->e, p->in, name, ast->span,
		  one.elem == ELEM_REAL ? diff_alias(p->e, name, &one) : one);
	return add_place_value(p, &v, ast, elab_text(p->e, name));
}

/* One `x in set` behind `for`; field: there are two of them. */
static bool bind_for(Plotting *p, const Ast *binder, bool field)
{
	const Ast *pattern = binder->kid[0], *set = binder->nkid > 1 ? binder->kid[1] : NULL;
	if (!set || pattern->kind == AST_ERROR_EXPR) {
		return false;
	}
	Val v = elab_callee(p->e, p->in, set);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	bool number = v.tag == VAL_NUM && v.rank == 1 && pattern->kind == AST_NAME;
	if (number && v.n == 2 && v.item) {
		double lo, hi;
		UnitId unit;
		return points_interval(p->e, &v, &lo, &hi, &unit) &&
		       bind_interval(p, pattern->name, pattern, lo, hi, unit, places(p, field));
	}
	if (number) {
		return bind_array(p, pattern->name, pattern, v);
	}
	Bound b = p->bound;
	Scope *inner = scope_new(p->e, p->in, p->in->frame);
	if (!elab_bind(p->e, inner, binder, p->ast, NULL, &b)) {
		return false;
	}
	if (b.filter) {
		return refuse(p, binder->span, "its axis is sized by record", NULL);
	}
	p->in = inner;
	p->bound = b;
	AxisRef axis = {core_index_axis(p->e->core, b.ix[b.n - 1]), 0};
	bool named = pattern->kind == AST_NAME && !b.data;
	add_place(p, (PlotPlace){named ? elab_text(p->e, pattern->name) : "record", 0, axis.axis, 0});
	return true;
}

static bool bind_all(Plotting *p)
{
	uint32_t n = 0;
	const Ast *set[2];
	for (uint32_t k = 0; k < p->ast->nkid; k++) {
		const Ast *option = p->ast->kid[k];
		if (option->kind != AST_PLOTOPT ||
		    strcmp(elab_text(p->e, option->name), "for") != 0) {
			continue;
		}
		Ast *const *list;
		uint32_t count = several(option->kid[0], &list);
		for (uint32_t i = 0; i < (count ? count : 1); i++) {
			if (n == 2) {
				return refuse(p, option->span, "a figure has two directions", NULL);
			}
			set[n++] = count ? list[i] : option->kid[0];
		}
	}
	for (uint32_t k = 0; k < n; k++) {
		if (!bind_for(p, set[k], n == 2)) {
			return false;
		}
	}
	return true;
}

static bool over_domain(Plotting *p, const DomainInfo *d)
{
	if (d->n > 2) {
		return refuse(p, p->over->span, "a figure has two directions",
			      "choose them:  for x in [0, 1], t in [0, 1]");
	}
	for (uint32_t k = 0; k < d->n; k++) {
		const DomainVar *v = &d->var[k];
		if (!bind_interval(p, v->name, p->over, v->lo, v->hi, v->unit,
				   places(p, d->n == 2))) {
			return false;
		}
	}
	return true;
}

/* ---- over, against ---- */

static const Ast *first_of(const Ast *list)
{
	return list->kind == AST_TUPLE ? list->kid[0] : list;
}

/* The value behind `over` or `against` as places: per index of the plot, or an array of its own. */
static bool place_value(Plotting *p, const Ast *ast)
{
	bool column = p->out->record && ast->kind == AST_FIELD && ast->kid[0]->kind == AST_NAME &&
		      (ast->kid[0]->name == p->out->record->u.record.table ||
		       plot_names_file(p->e, p->out->record->u.record.path, ast->kid[0]->name));
	Val v = column ? scope_value(p->e, p->in, ast->name, ast->span)
		       : elab_expr(p->e, p->in, ast);
	v.span = ast->span;
	if (!is_number(p, &v)) {
		return false;
	}
	uint32_t own = v.rank;
	if (ragged(&v) || own + (p->bound.n ? 1 : 0) != 1) {
		return refuse(p, ast->span, "the places are one number for each value",
			      "write  plot y against x for s in data,  or give an array");
	}
	if (!own) {
		v.rank = p->bound.n;
		v.ix = p->bound.ix;
	} else {
		p->axis[p->naxis++] = val_axis(p->e, &v, 0);
	}
	return add_place_value(p, &v, ast, label_of(p, ast));
}

static bool place_list(Plotting *p, const Ast *list)
{
	Ast *const *kid;
	uint32_t n = several(list, &kid);
	if (n > 2) {
		return refuse(p, list->span, "a figure has two directions", NULL);
	}
	p->out->nplace = 0;
	for (uint32_t k = 0; k < (n ? n : 1); k++) {
		const Ast *ast = n ? kid[k] : list;
		Entry *entry = ast->kind == AST_NAME ? scope_find(p->e, p->in, ast->name) : NULL;
		if (entry && !entry->pending && entry->val.tag == VAL_AXIS && !p->bound.n) {
			p->axis[p->naxis++] = entry->val.axis;
			add_place(p, (PlotPlace){elab_text(p->e, ast->name), 0,
						 entry->val.axis.axis, 0});
		} else if (!place_value(p, ast)) {
			return false;
		}
	}
	/* Two arrays over one axis are places in the plane. */
	if (p->naxis == 2 && axis_same(p->e, p->axis[0], p->axis[1]) && p->out->place[0].value &&
	    p->out->place[1].value) {
		p->naxis = 1;
	}
	return true;
}

static bool find_places(Plotting *p)
{
	const Ast *list = p->over ? p->over : p->against;
	if (p->over && p->against) {
		return refuse(p, p->against->span, "`over` and `against` say the same",
			      "lines go over their places, points stand against them");
	}
	Entry *entry = NULL;
	if (list && first_of(list)->kind == AST_NAME) {
		entry = scope_find(p->e, p->in, first_of(list)->name);
	}
	ValTag tag = entry && !entry->pending ? entry->val.tag : VAL_ERROR;
	if (p->over && p->over->kind == AST_NAME && tag == VAL_DOMAIN && !p->bound.n) {
		return over_domain(p, entry->val.domain);
	}
	if (list && tag != VAL_AXIS && !p->bound.n) {
		plot_table(p, first_of(list));
	}
	return !list || place_list(p, list);
}

/* ---- what kind of figure ---- */

static const char *const kinds[] = {"lines",     "points", "heatmap",   "matrix",
				    "spacetime", "arrows", "confusion", "histogram"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool read_kind(Plotting *p)
{
	const char *word = p->as ? plot_word(p->e, p->as) : "lines";
	for (unsigned k = 0; k < KINDS; k++) {
		if (strcmp(word, kinds[k]) == 0) {
			p->out->kind = (PlotKind)k;
			p->kind_given = p->as != NULL;
			return true;
		}
	}
	const char *near = diag_nearest(word, kinds, KINDS);
	Diag *d = diag_bad_plot(elab_diags(p->e), p->as->span, "there is no figure of that kind");
	diag_help(d, near ? "did you mean %s ?" : "there are %s, points, heatmap, matrix, spacetime, "
						 "arrows, confusion, histogram",
		  near ? near : "lines");
	return false;
}

static uint32_t rank_of(const Plotting *p, uint32_t value)
{
	return core_def(p->e->core, p->out->value[value].value)->nindex;
}

static Axis axis_of(const Plotting *p, uint32_t value, uint32_t dimension)
{
	const DefInfo *d = core_def(p->e->core, p->out->value[value].value);
	return core_index_axis(p->e->core, d->index[dimension]);
}

static void choose_kind(Plotting *p)
{
	uint32_t first = p->out->series[0].value, rank = rank_of(p, first);
	if (p->kind_given) {
		return;
	}
	if (p->against) {
		p->out->kind = PLOT_POINTS;
	} else if (rank == 2 && p->out->nseries == 1 && p->bound.n + p->naxis != 1) {
		bool square = !p->bound.n && axis_of(p, first, 0) == axis_of(p, first, 1);
		p->out->kind = square ? PLOT_MATRIX : PLOT_HEATMAP;
	} else if (rank == 2 && p->over && p->naxis == 1 && p->out->nseries == 1 &&
		   axis_of(p, first, 0) == axis_of(p, first, 1)) {
		p->out->kind = PLOT_MATRIX;
	}
}

/* Directions that nothing was said about are the axes of the array. */
static void complete_places(Plotting *p)
{
	uint32_t first = p->out->series[0].value, rank = rank_of(p, first);
	for (uint32_t k = p->out->nplace; k < 2 && k < rank; k++) {
		AxisRef axis = {axis_of(p, first, k), 0};
		bool named = core_axis_info(p->e->core, axis.axis)->name;
		add_place(p, (PlotPlace){named ? axis_name(p->e, axis) : "", 0, axis.axis, 0});
	}
}

static bool fits(Plotting *p)
{
	PlotInfo *o = p->out;
	const PlotSeries *s = &o->series[0];
	uint32_t rank = rank_of(p, s->value);
	bool field = o->kind == PLOT_HEATMAP || o->kind == PLOT_MATRIX || o->kind == PLOT_SPACETIME;
	bool table = o->kind == PLOT_CONFUSION && !p->against;
	bool gridded = field && rank == 1 && o->nplace == 2 && o->place[1].value;
	if (o->kind == PLOT_ARROWS) {
		bool two = s->n == 2 && rank == 2;
		bool one = s->n == 1 && rank == 3 &&
			   core_axis_info(p->e->core, axis_of(p, s->value, 2))->size == 2;
		return (o->nseries == 1 && (two || one)) ||
		       refuse(p, p->ast->span, "arrows have two components at each place of a plane",
			      "plot (u(x,y), v(x,y)) over D as arrows");
	}
	if (field || table) {
		return (o->nseries == 1 && s->n == 1 && (rank == 2 || gridded)) ||
		       refuse(p, p->ast->span, "it takes one value at each place of a plane",
			      "plot u over D as heatmap,  or an array with two axes");
	}
	for (uint32_t k = 0; k < o->nseries; k++) {
		rank = rank_of(p, o->series[k].value);
		bool plain = o->kind == PLOT_LINES || (o->series[k].n == 1 && !o->series[k].slope);
		if (o->kind != PLOT_HISTOGRAM && (rank < 1 || rank > 2)) {
			return refuse(p, p->ast->span, "a line takes a value at each of its places",
				      "say where:  over an axis, a domain or a column, or  for x in …");
		}
		if (!plain || (o->kind == PLOT_CONFUSION && rank != 1)) {
			return refuse(p, p->ast->span, "that kind of figure has no bands", NULL);
		}
	}
	return true;
}

static bool line_groups(Plotting *p)
{
	if (!p->by) {
		return true;
	}
	if (!p->bound.n) {
		return refuse(p, p->by->span, "`by` tells the rows of a table or records apart",
			      NULL);
	}
	Val v = elab_expr(p->e, p->in, p->by);
	v.span = p->by->span;
	if (!is_number(p, &v)) {
		return false;
	}
	if (v.rank || p->bound.n != 1) {
		return refuse(p, p->by->span, "`by` takes one number for each row", NULL);
	}
	v.rank = 1;
	v.ix = p->bound.ix;
	p->out->by = add_value(p, &v, p->by);
	return p->out->by != 0;
}

static bool read_parts(Plotting *p)
{
	const struct {
		const char *name;
		const Ast **at;
	} part[] = {{"over", &p->over}, {"against", &p->against}, {"as", &p->as},
		    {"to", &p->to},     {"with", &p->with}};
	for (uint32_t k = 0; k < p->ast->nkid; k++) {
		const Ast *option = p->ast->kid[k];
		for (size_t i = 0; option->kind == AST_PLOTOPT && i < 5; i++) {
			if (strcmp(elab_text(p->e, option->name), part[i].name) != 0) {
				continue;
			}
			if (*part[i].at) {
				return refuse(p, option->span,
					      arena_printf(p->e->arena, "`%s` stands twice",
							   part[i].name),
					      NULL);
			}
			*part[i].at = option->kid[0];
		}
	}
	return read_kind(p) && (!p->to || stmt_path(p->e, p->in, p->to, &p->out->path)) &&
	       (!p->with || plot_options(p->e, p->in, p->with, &p->out->option, &p->by));
}

static bool known_ending(Plotting *p)
{
	const char *path = p->out->path ? elab_text(p->e, p->out->path) : NULL;
	const char *dot = path ? strrchr(path, '.') : NULL;
	static const char *const ending[] = {".svg", ".png", ".pdf", ".gp", ".txt"};
	for (size_t k = 0; dot && k < sizeof ending / sizeof *ending; k++) {
		if (strcmp(dot, ending[k]) == 0) {
			return true;
		}
	}
	return !path || refuse(p, p->to->span, "the file's ending does not say how",
			       "end it in .svg, .png, .pdf, .txt, or .gp for gnuplot's commands");
}

bool elab_plot(Elab *e, Scope *s, const Ast *ast, PlotInfo *out)
{
	Frame *frame = arena_new(e->arena, Frame);
	if (s->frame) {
		*frame = *s->frame;
	}
	frame->equation = true;
	Scope *base = scope_new(e, s, frame);
	Plotting p = {.e = e, .base = base, .in = scope_new(e, base, frame), .ast = ast, .out = out};
	if (!read_parts(&p) || !known_ending(&p) || !bind_all(&p) || !find_places(&p)) {
		return false;
	}
	bool ok = true;
	for (uint32_t k = 0; k < ast->nkid; k++) {
		ok = (ast->kid[k]->kind == AST_PLOTOPT || add_series(&p, ast->kid[k])) && ok;
	}
	if (!ok || !line_groups(&p)) {
		return false;
	}
	choose_kind(&p);
	complete_places(&p);
	return fits(&p);
}
