/* gen_more.c — random functions, data sets, recurrences, pairs of results, whole arrays. */
#include "tests/random/random.h"

#include <string.h>

/* ---- functions ---- */

typedef struct Outside {
	unsigned nscope, narray;
	Var *scope[16];
} Outside;

static void step_in(Gen *g, Outside *o)
{
	o->nscope = g->nscope;
	o->narray = g->narray;
	memcpy(o->scope, g->scope, sizeof o->scope);
	g->nscope = 0;
}

static void step_out(Gen *g, const Outside *o)
{
	g->nscope = o->nscope;
	g->narray = o->narray;
	memcpy(g->scope, o->scope, sizeof o->scope);
}

static Dim some_dim(Gen *g)
{
	Dim d = dim_none();
	if (g->units && gen_chance(g, 35)) {
		d.power[gen_pick(g, DIMS)] = 1;
	}
	return d;
}

static void make_parameters(Gen *g, Fn *f)
{
	f->narg = 1 + gen_pick(g, 3);
	for (unsigned k = 0; k < f->narg; k++) {
		f->typed[k] = true;
		if (k > 0 && gen_chance(g, 45)) {
			const Axis *axis[2] = {g->axis[gen_pick(g, g->naxis)], g->axis[gen_pick(g, g->naxis)]};
			Array *a = gen_array(g, gen_chance(g, 80) ? 1 : 2, axis);
			a->form = FORM_ARGUMENT;
			a->dim = some_dim(g);
			array_room(g, a);
			f->array[k] = a;
			g->array[g->narray++] = a;
		} else if (k > 0 && gen_chance(g, 20)) {
			f->scalar[k] = var_index(g, g->axis[gen_pick(g, g->naxis)]);
			g->scope[g->nscope++] = f->scalar[k];
		} else {
			f->scalar[k] = var_scalar(g, some_dim(g));
			f->typed[k] = !dim_is_none(f->scalar[k]->dim) || gen_chance(g, 70);
			g->scope[g->nscope++] = f->scalar[k];
		}
	}
}

/* A definition inside the function; it may have axes. */
void gen_local(Gen *g, Fn *f)
{
	const Axis *axis[1] = {g->axis[gen_pick(g, g->naxis)]};
	Array *a = gen_array(g, gen_chance(g, 60), axis);
	if (a->naxes) {
		g->scope[g->nscope++] = a->index[0];
	}
	Node *body = gen_real(g, 2, some_dim(g));
	g->nscope -= a->naxes;
	a->form = gen_chance(g, 60) ? FORM_INDEX : FORM_ARRAY;
	a->dim = body->dim;
	array_room(g, a);
	f->local[f->nlocal++] = gen_define(g, a, body);
	g->array[g->narray++] = a;
}

/* net f(…) { param W : real[i] = c … } */
static void make_own_parameter(Gen *g, Fn *f)
{
	for (unsigned k = 0; k < g->narray; k++) {
		Array *c = g->array[k];
		if (c->form == FORM_CONST && c->kind == KIND_REAL && c->naxes > 0 && gen_chance(g, 50)) {
			Array *a = gen_array(g, c->naxes, c->axis);
			Node *body = node_read(g, c);
			for (unsigned j = 0; j < c->naxes; j++) {
				body->at[j] = node_index(g, a->index[j]);
			}
			a->form = FORM_PARAM;
			a->dim = c->dim;
			array_room(g, a);
			f->local[f->nlocal++] = gen_define(g, a, body);
			g->array[g->narray++] = a;
			return;
		}
	}
}

void gen_function(Gen *g)
{
	Outside o;
	Fn *f = NEW(g, Fn);
	f->id = ++g->nid;
	step_in(g, &o);
	make_parameters(g, f);
	unsigned form = gen_pick(g, 6);
	f->form = form == 0 ? FN_NET : form == 1 ? FN_LAYER : FN_FN;
	if (f->form != FN_FN) {
		make_own_parameter(g, f);
	}
	g->in_net = f->form == FN_NET;
	for (unsigned k = gen_pick(g, 3); k > 0; k--) {
		gen_local(g, f);
	}
	if (gen_chance(g, 25)) {
		const Axis *axis = g->axis[gen_pick(g, g->naxis)];
		f->result = gen_array(g, 1, &axis);
		g->scope[g->nscope++] = f->result->index[0];
	}
	Dim dim = some_dim(g);
	f->body = !f->result && gen_chance(g, 12) ? gen_complex(g, 3) : gen_real(g, 3, dim);
	if (!f->result && f->form == FN_FN && gen_chance(g, 20)) {
		f->second = gen_real(g, 2, dim);
	}
	g->in_net = false;
	step_out(g, &o);
	f->busy = f->second != NULL; /* a pair is taken apart by gen_pair alone */
	g->fn[g->nfn++] = f;
	gen_item(g, ITEM_FN)->fn = f;
}

/* ---- pairs: let (a, b) = f(…) ---- */

void gen_pair(Gen *g)
{
	for (unsigned k = 0; k < g->nfn; k++) {
		Fn *f = g->fn[k];
		bool simple = f->second != NULL;
		for (unsigned j = 0; j < f->narg; j++) {
			simple = simple && f->scalar[j] && !f->scalar[j]->axis;
		}
		if (!simple || gen_chance(g, 30)) {
			continue;
		}
		Group *group = NEW(g, Group);
		group->from = f;
		group->n = 2;
		for (unsigned j = 0; j < f->narg; j++) {
			group->arg[j] = gen_real(g, 2, f->scalar[j]->dim);
		}
		for (unsigned j = 0; j < 2; j++) {
			Array *a = gen_array(g, 0, NULL);
			Node *n = node_make(g, OP_FN, (j ? f->second : f->body)->kind, (j ? f->second : f->body)->dim);
			n->fn = f;
			n->whole = j;
			memcpy(n->arg, group->arg, sizeof n->arg);
			a->form = FORM_TUPLE;
			a->body = n;
			a->kind = n->kind;
			a->dim = n->dim;
			array_room(g, a);
			group->array[j] = a;
		}
		if (gen_settle(g, group)) {
			gen_item(g, ITEM_GROUP)->group = group;
			for (unsigned j = 0; j < 2; j++) {
				g->array[g->narray++] = group->array[j];
				gen_want(g, group->array[j]);
			}
		}
		return;
	}
}

/* ---- whole arrays ---- */

static Node *whole_read(Gen *g, Array *from, Array *to)
{
	Node *n = node_read(g, from);
	for (unsigned k = 0; k < from->naxes; k++) {
		n->at[k] = node_index(g, to->index[k]);
	}
	return n;
}

static Array *alike(Gen *g, const Array *a)
{
	for (unsigned k = 0, from = gen_pick(g, g->narray); k < g->narray; k++) {
		Array *b = g->array[(from + k) % g->narray];
		bool same = b->naxes == a->naxes && b->kind == a->kind && dim_equal(a->dim, b->dim) && b->form != FORM_FIELD && !b->nbase;
		for (unsigned j = 0; same && j < a->naxes; j++) {
			same = a->axis[j] == b->axis[j];
		}
		if (same) {
			return b;
		}
	}
	return NULL;
}

static Node *scaled(Gen *g, Node *n)
{
	Node *s = gen_chance(g, 50) ? node_number(g, gen_decimal(g, 0.2, 3)) : gen_real(g, 1, dim_none());
	return gen_chance(g, 30) ? node_two(g, OP_DIV, n, node_number(g, gen_decimal(g, 0.5, 3)))
		: gen_chance(g, 50) ? node_two(g, OP_MUL, s, n) : node_two(g, OP_MUL, n, s);
}

static Node *whole_value(Gen *g, Array *first, Array *to, int depth)
{
	static const int map[] = {CALL_SIN, CALL_TANH, CALL_EXP, CALL_ABS, CALL_SIGMOID, CALL_COS};
	Node *a = whole_read(g, gen_chance(g, 50) && alike(g, first) ? alike(g, first) : first, to);
	if (depth == 0) {
		return a;
	}
	switch (gen_pick(g, dim_is_none(first->dim) ? 6 : 4)) {
	case 0: return node_two(g, OP_ADD, a, whole_value(g, first, to, depth - 1));
	case 1: return node_two(g, OP_SUB, whole_value(g, first, to, depth - 1), a);
	case 2: return scaled(g, whole_value(g, first, to, depth - 1));
	case 3: {
		Node *n = node_make(g, OP_NEG, KIND_REAL, first->dim);
		n->a = whole_value(g, first, to, depth - 1);
		return n;
	}
	default: return node_call(g, map[gen_pick(g, 6)], whole_value(g, first, to, depth - 1));
	}
}

void gen_whole(Gen *g)
{
	for (unsigned k = 0, from = gen_pick(g, g->narray); k < g->narray; k++) {
		Array *a = g->array[(from + k) % g->narray];
		if (a->kind != KIND_REAL || a->naxes == 0 || a->form == FORM_FIELD || a->nbase) {
			continue;
		}
		Array *to = gen_array(g, a->naxes, a->axis);
		to->dim = a->dim;
		array_room(g, to);
		g->nscope = 0;
		Group *group = gen_define(g, to, whole_value(g, a, to, 1 + (int)gen_pick(g, 3)));
		to->form = FORM_WHOLE;
		if (gen_settle(g, group)) {
			gen_item(g, ITEM_GROUP)->group = group;
			g->array[g->narray++] = to;
			gen_want(g, to);
		}
		return;
	}
}

/* ---- recurrences ---- */

/* The array itself (or its partner) at places before. */
static Node *before(Gen *g, Array *a, int64_t by, int64_t by_second)
{
	Node *n = node_read(g, a), *condition = NULL;
	for (unsigned k = 0; k < a->naxes; k++) {
		int64_t off = k == 0 ? by : k == 1 ? by_second : 0;
		if (off != 0) {
			n->at[k] = node_two(g, off > 0 ? OP_ADD : OP_SUB, node_index(g, a->index[k]), node_int(g, off > 0 ? off : -off));
		} else {
			n->at[k] = k == 0 || by_second != 0 ? node_index(g, a->index[k]) : gen_place(g, a->axis[k], &condition);
			if (condition) {
				n->at[k] = node_index(g, a->index[k]);
				condition = NULL;
			}
		}
	}
	return n;
}

static void share_indices(Array *a, const Array *of)
{
	memcpy(a->index, of->index, sizeof a->index);
}

static Node *times(Gen *g, double lo, double hi, Node *n)
{
	return node_two(g, OP_MUL, node_number(g, gen_decimal(g, lo, hi)), n);
}

/* A number that reads a known array at each index of `a` but one: so the axes of the indices are told. */
static Node *telling(Gen *g, const Array *a, unsigned without)
{
	Node *sum = NULL;
	for (unsigned k = 0; k < a->naxes; k++) {
		Array *found = NULL;
		for (unsigned j = 0; j < g->narray && k != without; j++) {
			Array *b = g->array[j];
			if (b->known && b->naxes == 1 && b->axis[0] == a->axis[k] && dim_is_none(b->dim) && !b->gather) {
				found = b;
			}
		}
		if (found) {
			Node *n = node_read(g, found);
			n->at[0] = node_index(g, a->index[k]);
			n = node_two(g, OP_MUL, node_number(g, gen_decimal(g, 0.1, 0.9)), n);
			sum = sum ? node_two(g, OP_ADD, sum, n) : n;
		}
	}
	return sum;
}

/* Every axis has an array whose reads tell it. */
void gen_telling(Gen *g)
{
	for (unsigned k = 0; k < g->naxis; k++) {
		const Axis *axis = g->axis[k];
		Array *a = gen_array(g, 1, &axis);
		a->form = FORM_CONST;
		a->known = true;
		array_room(g, a);
		for (size_t j = 0; j < a->size; j++) {
			a->value[j].re = (Quad)gen_decimal(g, -1, 1);
		}
		gen_item(g, ITEM_ARRAY)->array = a;
		g->array[g->narray++] = a;
	}
}

/* The next value out of what was before and anything else. */
static Node *next_value(Gen *g, const Array *a, Node *past)
{
	Node *rest = gen_real(g, 2, past->dim), *told = telling(g, a, MAX_AXES);
	rest = node_two(g, OP_ADD, rest, node_unit(g, told, past->dim));
	if (!dim_is_none(past->dim) || gen_chance(g, 35)) {
		return node_two(g, OP_ADD, times(g, 0.2, 0.9, past), rest);
	}
	static const int bounded[] = {CALL_TANH, CALL_SIN, CALL_ATAN, CALL_SIGMOID};
	return node_call(g, bounded[gen_pick(g, 4)], node_two(g, gen_chance(g, 70) ? OP_ADD : OP_SUB, times(g, 0.5, 1.5, past), rest));
}

static void base_values(Gen *g, Array *a, int64_t at, bool second)
{
	g->nscope = g->kept;
	for (unsigned k = 0; k < a->naxes; k++) {
		if (k != (second ? 1u : 0u)) {
			g->scope[g->nscope++] = a->index[k];
		}
	}
	a->base_at[a->nbase] = at;
	a->base_second[a->nbase] = second;
	Node *n = node_number(g, gen_decimal(g, -1, 1));
	if (!dim_is_none(a->dim) || gen_chance(g, 60)) {
		Node *told = telling(g, a, second ? 1 : 0);
		n = gen_real(g, 1, a->dim);
		n = told ? node_two(g, OP_SUB, n, node_unit(g, told, a->dim)) : n;
	}
	a->base[a->nbase++] = n;
}

static void all_indices(Gen *g, const Array *a)
{
	g->nscope = g->kept;
	for (unsigned k = 0; k < a->naxes; k++) {
		g->scope[g->nscope++] = a->index[k];
	}
}

static const Axis *straight_axis(Gen *g)
{
	for (unsigned k = 0, from = gen_pick(g, g->naxis); k < g->naxis; k++) {
		const Axis *a = g->axis[(from + k) % g->naxis];
		if (!a->periodic && !a->labelled && a->size > 1) {
			return a;
		}
	}
	return NULL;
}

/* Bases and equation of one array that steps by `direction`, reading `order` places back; partner: read beside itself. */
static void make_equation(Gen *g, Array *a, int direction, int order, Array *partner, bool partner_now)
{
	const Axis *t = a->axis[0];
	int64_t edge = direction > 0 ? t->first : t->first + t->size - 1;
	bool inside = !partner && t->size > order && gen_chance(g, 30);
	a->nbase = 0;
	for (int k = 0; k < order; k++) {
		base_values(g, a, inside ? edge + direction*k : edge - direction*(k + 1), false);
	}
	if (!inside) {
		*(direction > 0 ? &a->below[0] : &a->above[0]) = (unsigned)order;
	}
	all_indices(g, a);
	Node *past = before(g, a, -direction, 0);
	if (order > 1) {
		past = node_two(g, OP_ADD, times(g, 0.3, 1, past), times(g, -0.8, 0.8, before(g, a, -2*direction, 0)));
	}
	if (partner) {
		past = node_two(g, OP_SUB, past, times(g, 0.2, 0.9, before(g, partner, partner_now ? 0 : -direction, 0)));
	}
	a->body = next_value(g, a, past);
	a->form = FORM_PIECES;
	a->kind = KIND_REAL;
}

/* c[n,k] from its three neighbours before it. */
static void make_plane(Gen *g, Array *a)
{
	a->nbase = 1;
	a->base[0] = node_unit(g, node_number(g, gen_decimal(g, -1, 1)), a->dim);
	a->base_corner[0] = true;
	a->base_at[0] = a->axis[0]->first - 1;
	a->corner_at = a->axis[1]->first - 1;
	base_values(g, a, a->axis[0]->first - 1, false);
	base_values(g, a, a->axis[1]->first - 1, true);
	a->below[0] = a->below[1] = 1;
	all_indices(g, a);
	Node *past = node_two(g, OP_ADD, times(g, 0.2, 0.8, before(g, a, -1, -1)), times(g, 0.2, 0.8, before(g, a, 0, -1)));
	past = node_two(g, OP_SUB, past, times(g, 0.2, 0.8, before(g, a, -1, 0)));
	/* before() with no step leaves the place to chance: not in a plane */
	past->b->b->at[1] = node_index(g, a->index[1]);
	a->body = next_value(g, a, past);
	a->form = FORM_PIECES;
	a->kind = KIND_REAL;
}

void gen_recurrence(Gen *g, unsigned form)
{
	const Axis *t = straight_axis(g), *other = straight_axis(g);
	if (!t) {
		return;
	}
	for (int tries = 0; tries < 10; tries++) {
		const Axis *axis[3] = {t, form == 3 ? other : g->axis[gen_pick(g, g->naxis)], g->axis[gen_pick(g, g->naxis)]};
		bool plane = form == 3 && t != other;
		if (axis[1] == t) {
			continue;
		}
		unsigned naxes = plane ? 2 : 1 + gen_pick(g, 2);
		int direction = form == 1 || (form == 4 && gen_chance(g, 30)) ? -1 : 1;
		Group *group = NEW(g, Group);
		group->n = form == 4 ? 2 : 1;
		group->direction = direction;
		for (unsigned k = 0; k < group->n; k++) {
			group->array[k] = gen_array(g, naxes, axis);
			if (k) {
				share_indices(group->array[k], group->array[0]);
			}
		}
		Array *a = group->array[0], *b = group->array[1];
		if (g->units && gen_chance(g, 40)) {
			a->dim.power[gen_pick(g, DIMS)] = 1;
		}
		if (b) {
			b->dim = a->dim;
		}
		if (plane) {
			make_plane(g, a);
		} else {
			make_equation(g, a, direction, form == 2 ? 2 : 1, b, false);
		}
		if (b) {
			make_equation(g, b, direction, 1, a, gen_chance(g, 50));
		}
		g->nscope = 0;
		for (unsigned k = 0; k < group->n; k++) {
			array_room(g, group->array[k]);
		}
		if (gen_settle(g, group)) {
			gen_item(g, ITEM_GROUP)->group = group;
			for (unsigned k = 0; k < group->n; k++) {
				g->array[g->narray++] = group->array[k];
				gen_want(g, group->array[k]);
			}
			return;
		}
	}
}

/* A recurrence inside a function, of its parameters. */
void gen_local_recurrence(Gen *g, Fn *f)
{
	const Axis *t = straight_axis(g);
	if (!t) {
		return;
	}
	const Axis *axis[2] = {t, g->axis[gen_pick(g, g->naxis)]};
	Array *a = gen_array(g, axis[1] != t && gen_chance(g, 50) ? 2 : 1, axis);
	Group *group = NEW(g, Group);
	group->array[0] = a;
	group->n = 1;
	group->direction = gen_chance(g, 30) ? -1 : 1;
	g->kept = g->nscope;
	make_equation(g, a, group->direction, gen_chance(g, 30) ? 2 : 1, NULL, false);
	g->nscope = g->kept;
	g->kept = 0;
	array_room(g, a);
	f->local[f->nlocal++] = group;
	g->array[g->narray++] = a;
}

/* ---- data ---- */

static void add_field(Gen *g, Data *d, Array *a)
{
	a->form = FORM_FIELD;
	a->data = d;
	array_room(g, a);
	d->field[d->nfield++] = a;
}

static Array *column(Gen *g, Data *d)
{
	const Axis *axis = &d->records;
	return gen_array(g, 1, &axis);
}

static void make_points(Gen *g, Data *d)
{
	d->form = gen_chance(g, 60) ? DATA_GRID : DATA_LIST;
	d->domain = ++g->nid;
	for (unsigned k = 0; k < 2; k++) {
		d->lo[k] = (int)gen_pick(g, 3) - 1;
		d->hi[k] = d->lo[k] + 1 + gen_pick(g, 2);
		d->steps[k] = 2 + gen_pick(g, 3);
	}
	d->records.size = d->form == DATA_GRID ? d->steps[0]*d->steps[1] : 2 + gen_pick(g, 4);
	Array *x = column(g, d), *y = column(g, d);
	add_field(g, d, x);
	add_field(g, d, y);
	for (size_t k = 0; k < x->size; k++) {
		if (d->form == DATA_GRID) {
			/* the last coordinate runs fastest */
			Quad i = (Quad)(k/(size_t)d->steps[1]), j = (Quad)(k % (size_t)d->steps[1]);
			x->value[k].re = (Quad)d->lo[0] + (Quad)(d->hi[0] - d->lo[0])*i/(Quad)(d->steps[0] - 1);
			y->value[k].re = (Quad)d->lo[1] + (Quad)(d->hi[1] - d->lo[1])*j/(Quad)(d->steps[1] - 1);
		} else {
			x->value[k].re = (Quad)gen_decimal(g, d->lo[0], d->hi[0]);
			y->value[k].re = (Quad)gen_decimal(g, d->lo[1], d->hi[1]);
		}
	}
}

static void make_columns(Gen *g, Data *d)
{
	d->form = gen_chance(g, 50) ? DATA_CSV : DATA_SIMULATED;
	d->records.size = 2 + gen_pick(g, 5);
	for (unsigned k = 1 + gen_pick(g, 2); k > 0; k--) {
		Array *a = column(g, d);
		a->drawn = d->form == DATA_SIMULATED;
		a->draw_lo = gen_decimal(g, -2, 0);
		a->draw_hi = a->draw_lo + gen_decimal(g, 0.5, 2);
		if (g->units && gen_chance(g, 50)) {
			a->dim.power[0] = 1;
		}
		add_field(g, d, a);
		for (size_t j = 0; j < a->size; j++) {
			a->value[j].re = (Quad)gen_decimal(g, a->draw_lo, a->draw_hi);
		}
	}
	d->nfile = d->nfield;
}

/* ±1 */
static Node *spin_value(Gen *g)
{
	Node *n = node_make(g, OP_IF, KIND_INT, dim_none());
	n->a = gen_bool(g, 2);
	n->b = node_int(g, 1);
	n->c = node_int(g, -1);
	return n;
}

/* A field computed from those above it. */
static void derived_field(Gen *g, Data *d)
{
	unsigned narray = g->narray, nfn = g->nfn, ndata = g->ndata;
	Array *all[sizeof g->array/sizeof *g->array];
	memcpy(all, g->array, sizeof all);
	for (int tries = 0; tries < 10; tries++) {
		Array *a = column(g, d);
		const Axis *both[2] = {&d->records, g->axis[gen_pick(g, g->naxis)]};
		if (gen_chance(g, 50)) {
			a = gen_array(g, 2, both);
		}
		/* parameters have no values yet when data are made */
		g->narray = g->nfn = g->ndata = 0;
		for (unsigned k = 0; k < narray; k++) {
			if (all[k]->form == FORM_CONST) {
				g->array[g->narray++] = all[k];
			}
		}
		for (unsigned k = 0; k < d->nfield; k++) {
			g->array[g->narray++] = d->field[k];
		}
		for (unsigned k = 0; k < a->naxes; k++) {
			g->scope[g->nscope++] = a->index[k];
		}
		a->spin = a->naxes > 1 && gen_chance(g, 50);
		Node *body = a->spin ? spin_value(g) : gen_real(g, 2, dim_none());
		g->nscope = 0;
		memcpy(g->array, all, sizeof all);
		g->narray = narray;
		g->nfn = nfn;
		g->ndata = ndata;
		array_room(g, a);
		Group *group = gen_define(g, a, body);
		a->kind = KIND_REAL; /* a spin may stand for a real, not for an int */
		a->dim = body->dim;
		if (gen_settle(g, group)) {
			add_field(g, d, a);
			eval_group(&(Eval){0}, group);
			return;
		}
	}
}

void gen_data(Gen *g)
{
	Data *d = NEW(g, Data);
	d->id = ++g->nid;
	d->records.id = d->id;
	d->records.records = true;
	if (gen_chance(g, 50)) {
		make_points(g, d);
	} else {
		make_columns(g, d);
		if (gen_chance(g, 60)) {
			derived_field(g, d);
		}
	}
	gen_item(g, ITEM_DATA)->data = d;
	g->data[g->ndata++] = d;
	for (unsigned k = 0; k < d->nfield; k++) {
		g->array[g->narray++] = d->field[k];
		if (d->field[k]->body || d->field[k]->drawn) {
			gen_want(g, d->field[k]);
		}
	}
}
