/* elab_points.c — domains and sets of points in them.
 *   domain D { x in [-1, 1]   t in [0, 1] }
 *   points I = sobol(D, n = 1000, redraw = 500, x = normal(0, 0.1))      a coordinate by itself: a
 * distribution between the ends of its interval, an interval, or a fixed number; grid(D, x = 201, t
 * = 41); boundary(D, x, n = 400): the faces of all or of the named coordinates; list(D, (0, 1),
 * (0.5, 2)); union(I, sobol(D, n = 50)). SPEC: domains, points. */
#include "lang/elab_int.h"

#include <math.h>
#include <string.h>

/* ---- intervals ---- */

/* A constant real in `unit`. */
static bool constant_in(Elab *e, Val v, UnitId unit, double *out)
{
	if (v.tag == VAL_ERROR) {
		return false;
	}
	Span at = v.span;
	if (!val_scalar(&v)) {
		diag_type_mismatch(elab_diags(e), at, val_type(e, &v), "a number");
		return false;
	}
	if (!val_real(e, &v) || !val_convert(e, &v, unit)) {
		return false;
	}
	if (!elab_node_value(e, v.re, out) || !isfinite(*out)) {
		diag_not_constant(elab_diags(e), at, "this number");
		return false;
	}
	return true;
}

bool points_interval(Elab *e, const Val *v, double *lo, double *hi, UnitId *unit)
{
	if (v->tag == VAL_ERROR) {
		return false;
	}
	bool range = v->tag == VAL_RANGE;
	if (!range && !(v->tag == VAL_NUM && v->rank == 1 && v->n == 2 && !v->item[0].rank)) {
		diag_help(diag_type_mismatch(elab_diags(e), v->span, val_type(e, v), "an interval"),
			  "an interval is written  [-1, 1]");
		return false;
	}
	*unit = range ? 0 : unit_resolve(e->units, v->unit);
	if (!constant_in(e, v->item[0], *unit, lo) || !constant_in(e, v->item[1], *unit, hi)) {
		return false;
	}
	if (!(*lo < *hi) && !(range && *lo == *hi)) {
		diag_wrong_arguments(elab_diags(e), v->span, "the interval",
				     arena_printf(e->arena,
						  "its end %g does not lie behind its beginning %g",
						  *hi, *lo));
		return false;
	}
	return true;
}

/* ---- domains ---- */

static const Ast *variable_name(const Ast *item)
{
	const Ast *name = item->nkid > 1 ? item->kid[0] : NULL;
	return name && name->kind == AST_NAME ? name : NULL;
}

static bool domain_var(Elab *e, Scope *s, DomainInfo *d, const Ast *item)
{
	const Ast *name = variable_name(item), *set = item->kid[item->nkid - 1];
	DomainVar v = {.name = name ? name->name : item->name, .span = item->span};
	if (!v.name) {
		diag_help(
			diag_bad_statement_place(elab_diags(e), item->span, "this", "in a domain"),
			"each coordinate has its interval:  x in [-1, 1]");
		return false;
	}
	for (uint32_t k = 0; k < d->n; k++) {
		if (d->var[k].name == v.name) {
			diag_note(diag_redefined(elab_diags(e), item->span, elab_text(e, v.name)),
				  d->var[k].span, "first defined here");
			return false;
		}
	}
	Val set_value = elab_callee(e, s, set);
	if (!points_interval(e, &set_value, &v.lo, &v.hi, &v.unit)) {
		return false;
	}
	d->var[d->n++] = v;
	return true;
}

void elab_domain(Elab *e, Scope *s, const Ast *ast)
{
	DomainInfo *d = arena_new(e->arena, DomainInfo);
	d->name = ast->name;
	d->span = ast->span;
	d->var = arena_array(e->arena, DomainVar, ast->nkid + 1);
	bool ok = true;
	for (uint32_t k = 0; k < ast->nkid; k++) {
		const Ast *item = ast->kid[k];
		if (item && item->kind == AST_DOMAINVAR) {
			ok = domain_var(e, s, d, item) && ok;
		} else if (item && item->kind != AST_ERROR_STMT) {
			diag_bad_statement_place(elab_diags(e), item->span,
						 ast_kind_name(item->kind), "in a domain");
			ok = false;
		}
	}
	if (ok && d->n == 0) {
		diag_help(diag_wrong_arguments(elab_diags(e), ast->span, elab_text(e, d->name),
					       "has no coordinates"),
			  "write  x in [-1, 1]");
		ok = false;
	}
	Val v = {.tag = ok ? VAL_DOMAIN : VAL_ERROR, .span = ast->name_span, .domain = d};
	scope_add(e, s, ast->name, ast->name_span, v);
	if (ok) {
		ARENA_PUSH(e->arena, e->domain, e->ndomain, e->capdomain, d);
	}
}

/* ---- generators ---- */

typedef struct Maker {
	const char *name;
	PointsKind kind;
} Maker;
static const Maker makers[] = {
	{"sobol", POINTS_SOBOL}, {"halton", POINTS_HALTON},   {"hammersley", POINTS_HAMMERSLEY},
	{"latin", POINTS_LATIN}, {"uniform", POINTS_UNIFORM}, {"grid", POINTS_GRID},
	{"union", POINTS_UNION}, {"list", POINTS_LIST},       {"boundary", POINTS_UNION},
};
enum { MAKERS = sizeof makers / sizeof *makers };
#define POINTS_LIMIT (INT64_C(1) << 32)

/* One set being read: its generator, and where its coordinates come from. */
typedef struct Making {
	Elab *e;
	Scope *s;
	const Ast *call;
	const DomainInfo *domain;
} Making;

static PointsGen *make_points(Elab *e, Scope *s, const Ast *ast, const DomainInfo **domain);

static PointsGen *generator(Elab *e, const DomainInfo *d, PointsKind kind)
{
	PointsGen *g = arena_new(e->arena, PointsGen);
	g->kind = kind;
	g->ncoord = d->n;
	g->coord = arena_array(e->arena, CoordGen, d->n);
	g->lo = arena_array(e->arena, double, d->n);
	g->hi = arena_array(e->arena, double, d->n);
	g->per_axis = arena_array(e->arena, int64_t, d->n);
	for (uint32_t k = 0; k < d->n; k++) {
		g->lo[k] = d->var[k].lo;
		g->hi[k] = d->var[k].hi;
		g->coord[k] = (CoordGen){COORD_UNIFORM, g->lo[k], g->hi[k]};
	}
	return g;
}

static uint32_t find_coordinate(const DomainInfo *d, Sym name)
{
	uint32_t k = 0;
	while (k < d->n && d->var[k].name != name) {
		k++;
	}
	return k;
}

static void unknown_option(const Making *m, const Ast *arg, Sym name)
{
	Elab *e = m->e;
	const char **candidate = arena_array(e->arena, const char *, m->domain->n + 2);
	candidate[0] = "n";
	candidate[1] = "redraw";
	for (uint32_t k = 0; k < m->domain->n; k++) {
		candidate[2 + k] = elab_text(e, m->domain->var[k].name);
	}
	Diag *d = diag_wrong_arguments(
		elab_diags(e), arg->span, elab_text(e, m->call->kid[0]->name),
		arena_printf(e->arena, "%s is neither an option nor a coordinate of %s",
			     elab_text(e, name), elab_text(e, m->domain->name)));
	const char *near = diag_nearest(elab_text(e, name), candidate, m->domain->n + 2);
	if (near) {
		diag_help(d, "did you mean  %s ?", near);
	}
}

static bool count_option(const Making *m, const Ast *arg, const char *what, int64_t *out)
{
	Val v = elab_expr(m->e, m->s, arg->kid[0]);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (!val_const_int(m->e, &v, out) || *out < 1) {
		diag_not_constant(
			elab_diags(m->e), arg->span,
			arena_printf(m->e->arena, "%s, a whole number of at least 1,", what));
		return false;
	}
	if (*out > POINTS_LIMIT) {
		diag_too_large(elab_diags(m->e), arg->span, what, "2^32");
		return false;
	}
	return true;
}

/* x = normal(0, 0.1) or uniform(a, b). */
static bool coordinate_dist(const Making *m, const Ast *arg, const Val *v, const DomainVar *var,
			    CoordGen *c)
{
	const DistVal *d = v->dist;
	const char *name = elab_text(m->e, d->name);
	bool normal = strcmp(name, "normal") == 0;
	if ((!normal && strcmp(name, "uniform") != 0) || d->n != 2) {
		diag_help(diag_wrong_arguments(
				  elab_diags(m->e), arg->span, elab_text(m->e, var->name),
				  "takes normal(mean, deviation) or uniform(from, to)"),
			  "as in  %s = normal(%g, %g)", elab_text(m->e, var->name),
			  (var->lo + var->hi) / 2, (var->hi - var->lo) / 4);
		return false;
	}
	c->kind = normal ? COORD_NORMAL : COORD_UNIFORM;
	if (!constant_in(m->e, d->arg[0], var->unit, &c->a) ||
	    !constant_in(m->e, d->arg[1], var->unit, &c->b)) {
		return false;
	}
	if (normal ? !(c->b > 0) : !(c->b > c->a)) {
		diag_wrong_arguments(elab_diags(m->e), arg->span, name,
				     normal ? "the deviation must be positive"
					    : "the interval ends before it begins");
		return false;
	}
	return true;
}

static bool coordinate_option(const Making *m, PointsGen *g, const Ast *arg, uint32_t k)
{
	Elab *e = m->e;
	const DomainVar *var = &m->domain->var[k];
	CoordGen *c = &g->coord[k];
	Val v = elab_expr(e, m->s, arg->kid[0]);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (g->kind == POINTS_GRID && val_const_int(e, &v, &g->per_axis[k])) {
		return count_option(m, arg, "the number of grid points", &g->per_axis[k]);
	}
	if (v.tag == VAL_DIST) {
		return coordinate_dist(m, arg, &v, var, c);
	}
	UnitId unit;
	if (v.tag == VAL_NUM && v.rank == 1) {
		if (!points_interval(e, &v, &c->a, &c->b, &unit)) {
			return false;
		}
		return constant_in(e, v.item[0], var->unit, &c->a) &&
		       constant_in(e, v.item[1], var->unit, &c->b);
	}
	c->kind = COORD_FIXED;
	return constant_in(e, v, var->unit, &c->a);
}

/* n, redraw and coordinates, behind the domain. */
static bool options(const Making *m, PointsGen *g, uint32_t first)
{
	bool ok = true;
	for (uint32_t k = first; k < m->call->nkid; k++) {
		const Ast *arg = m->call->kid[k];
		if (arg->kind != AST_NAMEDARG) {
			diag_wrong_arguments(elab_diags(m->e), arg->span,
					     elab_text(m->e, m->call->kid[0]->name),
					     "takes options by name behind the domain: n = 1000, "
					     "redraw = 500, x = 0.5");
			ok = false;
			continue;
		}
		const char *name = elab_text(m->e, arg->name);
		uint32_t coordinate = find_coordinate(m->domain, arg->name);
		if (strcmp(name, "n") == 0) {
			ok = count_option(m, arg, "the number of points", &g->n) && ok;
		} else if (strcmp(name, "redraw") == 0) {
			ok = count_option(m, arg, "the number of steps between redraws",
					  &g->redraw) &&
			     ok;
		} else if (coordinate < m->domain->n) {
			ok = coordinate_option(m, g, arg, coordinate) && ok;
		} else {
			unknown_option(m, arg, arg->name);
			ok = false;
		}
	}
	return ok;
}

static bool want_count(const Making *m, const PointsGen *g)
{
	if (g->n == 0) {
		diag_help(diag_wrong_arguments(elab_diags(m->e), m->call->span,
					       elab_text(m->e, m->call->kid[0]->name),
					       "does not say how many points"),
			  "add  n = 1000");
	}
	return g->n > 0;
}

/* Points of a grid: the product over its free coordinates; n alone is the number along each. */
static bool finish_grid(const Making *m, PointsGen *g)
{
	int64_t each = g->n, total = 1;
	for (uint32_t k = 0; k < g->ncoord; k++) {
		if (g->coord[k].kind == COORD_FIXED) {
			continue;
		}
		g->per_axis[k] = g->per_axis[k] ? g->per_axis[k] : each;
		if (g->per_axis[k] == 0) {
			diag_help(diag_wrong_arguments(elab_diags(m->e), m->call->span, "grid",
						       "does not say how many points"),
				  "add  %s = 101", elab_text(m->e, m->domain->var[k].name));
			return false;
		}
		if (total > POINTS_LIMIT / g->per_axis[k]) {
			diag_too_large(elab_diags(m->e), m->call->span, "the grid", "2^32 points");
			return false;
		}
		total *= g->per_axis[k];
	}
	g->n = total;
	return true;
}

/* boundary(D, x, n = 400): n points shared out over the faces of the coordinates named (of all if
 * none is). */
static PointsGen *boundary(const Making *m)
{
	Elab *e = m->e;
	bool *chosen = arena_array(e->arena, bool, m->domain->n);
	uint32_t first = 2, faces = 0;
	for (; first < m->call->nkid && m->call->kid[first]->kind == AST_NAME; first++) {
		uint32_t k = find_coordinate(m->domain, m->call->kid[first]->name);
		if (k == m->domain->n) {
			unknown_option(m, m->call->kid[first], m->call->kid[first]->name);
			return NULL;
		}
		faces += chosen[k] ? 0 : 2;
		chosen[k] = true;
	}
	bool all = faces == 0;
	faces = all ? 2 * m->domain->n : faces;
	PointsGen *g = generator(e, m->domain, POINTS_UNION),
		  *face = generator(e, m->domain, POINTS_SOBOL);
	if (!options(m, face, first) || !want_count(m, face)) {
		return NULL;
	}
	g->n = face->n;
	g->redraw = face->redraw;
	g->kid = arena_array(e->arena, PointsGen *, faces);
	for (uint32_t k = 0; k < m->domain->n; k++) {
		for (int end = 0; end < 2 && (all || chosen[k]); end++) {
			PointsGen *part = generator(e, m->domain, POINTS_SOBOL);
			memcpy(part->coord, face->coord, m->domain->n * sizeof *part->coord);
			part->coord[k] =
				(CoordGen){COORD_FIXED, end ? part->hi[k] : part->lo[k], 0};
			part->n = face->n / faces + (g->nkid < face->n % faces ? 1 : 0);
			part->redraw = face->redraw;
			part->stream = ++e->streams;
			if (part->n) {
				g->kid[g->nkid++] = part;
			}
		}
	}
	return g;
}

/* list(D, (0, 1), (0.5, 2)): points as they are written. */
static PointsGen *list(const Making *m)
{
	Elab *e = m->e;
	PointsGen *g = generator(e, m->domain, POINTS_UNION);
	g->kid = arena_array(e->arena, PointsGen *, m->call->nkid);
	for (uint32_t k = 2; k < m->call->nkid; k++) {
		const Ast *at = m->call->kid[k];
		while (at->kind == AST_PAREN) {
			at = at->kid[0];
		}
		bool tuple = at->kind == AST_TUPLE;
		if ((tuple ? at->nkid : 1) != m->domain->n || at->kind == AST_NAMEDARG) {
			diag_wrong_arguments(
				elab_diags(e), at->span, "list",
				arena_printf(e->arena, "a point of %s has %u coordinates",
					     elab_text(e, m->domain->name), m->domain->n));
			return NULL;
		}
		PointsGen *point = generator(e, m->domain, POINTS_LIST);
		point->n = 1;
		for (uint32_t j = 0; j < m->domain->n; j++) {
			point->coord[j].kind = COORD_FIXED;
			if (!constant_in(e, elab_expr(e, m->s, tuple ? at->kid[j] : at),
					 m->domain->var[j].unit, &point->coord[j].a)) {
				return NULL;
			}
		}
		g->kid[g->nkid++] = point;
		g->n++;
	}
	return want_count(m, g) ? g : NULL;
}

static bool same_coordinates(const DomainInfo *a, const DomainInfo *b)
{
	bool same = a->n == b->n;
	for (uint32_t k = 0; same && k < a->n; k++) {
		same = a->var[k].name == b->var[k].name && a->var[k].unit == b->var[k].unit;
	}
	return same;
}

/* union(I, sobol(D, n = 50)): the rows of each, one set after the other. */
static PointsGen *join(Elab *e, Scope *s, const Ast *call, const DomainInfo **domain)
{
	PointsGen *g = NULL;
	for (uint32_t k = 1; k < call->nkid; k++) {
		const DomainInfo *of = NULL;
		PointsGen *part = make_points(e, s, call->kid[k], &of);
		if (!part) {
			return NULL;
		}
		if (!g) {
			*domain = of;
			g = generator(e, of, POINTS_UNION);
			g->kid = arena_array(e->arena, PointsGen *, call->nkid);
		}
		if (!same_coordinates(*domain, of)) {
			diag_wrong_arguments(elab_diags(e), call->kid[k]->span, "union",
					     "the sets have different coordinates or units");
			return NULL;
		}
		if (g->n > POINTS_LIMIT - part->n) {
			diag_too_large(elab_diags(e), call->span, "the number of points", "2^32");
			return NULL;
		}
		g->n += part->n;
		g->redraw = part->redraw && (!g->redraw || part->redraw < g->redraw) ? part->redraw
										     : g->redraw;
		g->kid[g->nkid++] = part;
	}
	if (!g) {
		diag_wrong_arguments(elab_diags(e), call->span, "union",
				     "needs at least one set of points");
	}
	return g;
}

static bool domain_of(Elab *e, Scope *s, const Ast *call, const DomainInfo **domain)
{
	const char *name = elab_text(e, call->kid[0]->name);
	if (call->nkid < 2 || call->kid[1]->kind == AST_NAMEDARG) {
		diag_help(diag_wrong_arguments(elab_diags(e), call->span, name,
					       "needs the domain first"),
			  "as in  %s(D, n = 1000)", name);
		return false;
	}
	Val v = elab_callee(e, s, call->kid[1]);
	if (v.tag != VAL_DOMAIN) {
		if (v.tag != VAL_ERROR) {
			diag_type_mismatch(elab_diags(e), call->kid[1]->span, val_type(e, &v),
					   "a domain");
		}
		return false;
	}
	*domain = v.domain;
	return true;
}

static const Maker *kind_of(Elab *e, const Ast *ast)
{
	for (size_t k = 0; k < MAKERS && ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME;
	     k++) {
		if (strcmp(elab_text(e, ast->kid[0]->name), makers[k].name) == 0) {
			return &makers[k];
		}
	}
	return NULL;
}

static DomainInfo *domain_of_set(Elab *e, const DataInfo *d)
{
	DomainInfo *domain = arena_new(e->arena, DomainInfo);
	domain->name = d->name;
	domain->span = d->span;
	domain->n = d->nfield;
	domain->var = arena_array(e->arena, DomainVar, d->nfield);
	for (uint32_t k = 0; k < d->nfield; k++) {
		domain->var[k] = (DomainVar){d->field[k].name, d->field[k].span, d->field[k].unit,
					     d->points->lo[k], d->points->hi[k]};
	}
	return domain;
}

static PointsGen *not_points(Elab *e, Scope *s, const Ast *ast, const DomainInfo **domain)
{
	if (ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME) {
		const char *candidate[MAKERS];
		for (size_t k = 0; k < MAKERS; k++) {
			candidate[k] = makers[k].name;
		}
		const char *name = elab_text(e, ast->kid[0]->name),
			   *near = diag_nearest(name, candidate, MAKERS);
		Diag *d = diag_undefined_name(elab_diags(e), ast->kid[0]->span, name);
		if (near) {
			diag_help(d, "did you mean  %s ?", near);
		} else {
			diag_help(d, "points are made by sobol, halton, hammersley, latin, "
				     "uniform, grid, boundary, list and union");
		}
		return NULL;
	}
	Val v = elab_callee(e, s, ast);
	if (v.tag == VAL_DATA && v.data->kind == DATA_POINTS) {
		*domain = domain_of_set(e, v.data);
		return v.data->points;
	}
	if (v.tag != VAL_ERROR) {
		diag_help(diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v),
					     "a set of points"),
			  "as in  sobol(D, n = 1000)  or  grid(D, x = 101, t = 41)");
	}
	return NULL;
}

/* The parser limits how deeply unions nest. */
static PointsGen *make_points(Elab *e, Scope *s, const Ast *ast, const DomainInfo **domain)
{
	while (ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	const Maker *kind = kind_of(e, ast);
	if (!kind) {
		return not_points(e, s, ast, domain);
	}
	if (strcmp(kind->name, "union") == 0) {
		return join(e, s, ast, domain);
	}
	if (!domain_of(e, s, ast, domain)) {
		return NULL;
	}
	Making m = {e, s, ast, *domain};
	if (strcmp(kind->name, "boundary") == 0) {
		return boundary(&m);
	}
	if (kind->kind == POINTS_LIST) {
		return list(&m);
	}
	PointsGen *g = generator(e, *domain, kind->kind);
	g->stream = ++e->streams;
	if (!options(&m, g, 2)) {
		return NULL;
	}
	bool grid = kind->kind == POINTS_GRID;
	return (grid ? finish_grid(&m, g) : want_count(&m, g)) ? g : NULL;
}

void elab_points(Elab *e, Scope *s, const Ast *ast)
{
	const DomainInfo *domain = NULL;
	PointsGen *g = make_points(e, s, ast->kid[0], &domain);
	if (!g) {
		scope_add(e, s, ast->name, ast->name_span, val_error(ast->name_span));
		return;
	}
	DataInfo *d = arena_new(e->arena, DataInfo);
	d->kind = DATA_POINTS;
	d->name = ast->name;
	d->span = ast->span;
	d->points = g;
	AxisInfo info = {
		.name = ast->name, .span = ast->name_span, .size = g->n, .flags = AXIS_SAMPLES};
	d->records = core_axis(e->core, info);
	d->nfield = domain->n;
	d->field = arena_array(e->arena, FieldInfo, domain->n);
	for (uint32_t k = 0; k < domain->n; k++) {
		FieldInfo *f = &d->field[k];
		*f = (FieldInfo){.name = domain->var[k].name,
				 .span = ast->span,
				 .unit = domain->var[k].unit};
		Sym leaf = intern_printf(e->names, "%s.%s", elab_text(e, d->name),
					 elab_text(e, f->name));
		f->leaf = core_leaf(e->core, DEF_DATA, leaf, ast->span, KIND_REAL, f->unit, 1,
				    &d->records);
	}
	Program *p = e->program;
	ARENA_PUSH(e->arena, p->data, p->ndata, e->capdata, d);
	Val v = {.tag = VAL_DATA, .span = ast->name_span, .data = d};
	scope_add(e, s, ast->name, ast->name_span, v);
}
