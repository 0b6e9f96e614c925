/* gen.c — random programs: chance, memory, axes, constants, definitions. */
#include "tests/random/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory and chance ---- */

struct Chunk {
	Chunk *before;
	size_t used;
	_Alignas(16) char byte[1 << 18];
};

Gen *gen_create(uint64_t seed)
{
	Gen *g = calloc(1, sizeof *g);
	if (!g) {
		abort();
	}
	g->seed = seed;
	g->state = seed*UINT64_C(0x9e3779b97f4a7c15) + 1;
	return g;
}

void gen_free(Gen *g)
{
	for (Chunk *c = g->chunk, *before; c; c = before) {
		before = c->before;
		free(c);
	}
	free(g);
}

void *gen_alloc(Gen *g, size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (!g->chunk || g->chunk->used + n > sizeof g->chunk->byte) {
		size_t extra = n > sizeof g->chunk->byte ? n : 0;
		Chunk *c = calloc(1, sizeof *c + extra);
		if (!c) {
			abort();
		}
		c->before = g->chunk;
		g->chunk = c;
	}
	void *p = g->chunk->byte + g->chunk->used;
	g->chunk->used += n;
	return p;
}

uint64_t gen_bits(Gen *g)
{
	g->state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = (g->state ^ (g->state >> 30))*UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27))*UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

unsigned gen_pick(Gen *g, unsigned n)
{
	return (unsigned)((gen_bits(g) >> 32)*n >> 32);
}

bool gen_chance(Gen *g, unsigned percent)
{
	return gen_pick(g, 100) < percent;
}

double gen_decimal(Gen *g, double lo, double hi)
{
	char text[32];
	double v = lo + (hi - lo)*(double)(gen_bits(g) >> 11)*0x1p-53;
	snprintf(text, sizeof text, "%.*f", (int)gen_pick(g, 4), v);
	double short_one = strtod(text, NULL);
	return short_one < lo || short_one > hi ? v : short_one;
}

Item *gen_item(Gen *g, ItemForm form)
{
	Item *i = &g->item[g->nitem++];
	if (g->nitem >= sizeof g->item/sizeof *g->item) {
		abort();
	}
	i->form = form;
	return i;
}

/* ---- axes and constants ---- */

void gen_axis(Gen *g)
{
	static const int64_t begins[] = {0, 0, 0, 1, 1, 2, -3};
	Axis *a = NEW(g, Axis);
	a->id = ++g->nid;
	a->size = 1 + gen_pick(g, 6);
	a->first = begins[gen_pick(g, 7)];
	unsigned kind = gen_pick(g, 6);
	a->periodic = kind == 0;
	if (kind == 1 && a->size > 1) {
		a->labelled = true;
		a->first = 0;
	}
	g->axis[g->naxis++] = a;
	gen_item(g, ITEM_AXIS)->axis = a;
}

Array *gen_array(Gen *g, unsigned naxes, const Axis *const *axis)
{
	Array *a = NEW(g, Array);
	a->id = ++g->nid;
	a->naxes = naxes;
	for (unsigned k = 0; k < naxes; k++) {
		a->axis[k] = axis[k];
		a->index[k] = var_index(g, axis[k]);
	}
	return a;
}

static unsigned some_axes(Gen *g, const Axis **axis, unsigned most)
{
	unsigned n = gen_pick(g, most + 1);
	int64_t size = 1;
	for (unsigned k = 0; k < n; k++) {
		axis[k] = g->axis[gen_pick(g, g->naxis)];
		size *= axis[k]->size;
	}
	return size > 60 ? 1 : n;
}

static void declare(Gen *g, Array *a)
{
	gen_item(g, ITEM_ARRAY)->array = a;
	g->array[g->narray++] = a;
}

void gen_const(Gen *g, unsigned k)
{
	const Axis *axis[MAX_AXES];
	unsigned n = k < 2 ? 1 + (unsigned)(k & 1) : some_axes(g, axis, 2);
	for (unsigned j = 0; j < n && k < 2; j++) {
		axis[j] = g->axis[gen_pick(g, g->naxis)];
	}
	Array *a = gen_array(g, n, axis);
	unsigned way = gen_pick(g, 10);
	a->form = way < 3 ? FORM_PARAM : FORM_CONST;
	a->known = true;
	a->kind = a->form == FORM_CONST && way == 3 ? KIND_INT : KIND_REAL;
	if (a->kind == KIND_REAL && g->units && gen_chance(g, 50)) {
		a->dim.power[gen_pick(g, DIMS)] = (int8_t)(gen_chance(g, 80) ? 1 : -1);
	}
	if (a->form == FORM_PARAM && n == 2 && axis[0] == axis[1] && gen_chance(g, 70)) {
		a->constraint = (Constraint)(1 + gen_pick(g, 3));
	}
	array_room(g, a);
	for (size_t j = 0; j < a->size; j++) {
		a->value[j].re = a->kind == KIND_INT ? (Quad)((int)gen_pick(g, 9) - 3)
			: (Quad)gen_decimal(g, -2, 2);
	}
	size_t m = n == 2 ? (size_t)axis[0]->size : 0;
	for (size_t r = 0; a->constraint && r < m; r++) {
		for (size_t c = 0; c <= r; c++) {
			Quad upper = a->value[c*m + r].re;
			if (a->constraint != ZERO_DIAGONAL) {
				a->value[r*m + c].re = a->constraint == ANTISYMMETRIC ? -upper : upper;
			}
			if (r == c && a->constraint != SYMMETRIC) {
				a->value[r*m + c].re = 0;
			}
		}
	}
	declare(g, a);
}

static void make_gather(Gen *g)
{
	const Axis *axis = g->axis[gen_pick(g, g->naxis)];
	Array *a = gen_array(g, 1, &axis);
	a->kind = KIND_INT;
	a->form = FORM_CONST;
	a->known = a->gather = true;
	a->places = g->axis[gen_pick(g, g->naxis)];
	array_room(g, a);
	for (size_t k = 0; k < a->size; k++) {
		a->value[k].re = (Quad)(a->places->first + gen_pick(g, (unsigned)a->places->size));
	}
	declare(g, a);
}

/* ---- definitions ---- */

static bool evaluates(Group *group, double jitter, uint64_t seed, uint64_t *signature)
{
	Eval e = {.jitter = jitter, .jitter_seed = seed};
	eval_group(&e, group);
	*signature = e.signature;
	return !e.bad && !e.lost && e.largest < 1e7Q;
}

bool gen_settle(Gen *g, Group *group)
{
	uint64_t here, there;
	(void)g;
	/* the first pass without disturbance comes last, so that its values stay */
	return evaluates(group, 1e-9, 5, &there) && evaluates(group, 0, 0, &here) && here == there;
}

Group *gen_define(Gen *g, Array *a, Node *body)
{
	Group *group = NEW(g, Group);
	a->body = body;
	a->kind = body->kind;
	group->array[0] = a;
	group->n = 1;
	return group;
}

void gen_want(Gen *g, Array *a)
{
	if (g->nwant < sizeof g->want/sizeof *g->want) {
		g->want[g->nwant++] = (Want){.id = a->id, .array = a};
	}
}

static void make_definition(Gen *g)
{
	const Axis *axis[MAX_AXES];
	Array *a = gen_array(g, some_axes(g, axis, 3), axis);
	array_room(g, a);
	for (int tries = 0; tries < 20; tries++) {
		Dim dim = dim_none();
		if (g->units && gen_chance(g, 50)) {
			dim.power[gen_pick(g, DIMS)] = 1;
		}
		g->nscope = 0;
		for (unsigned k = 0; k < a->naxes; k++) {
			g->scope[g->nscope++] = a->index[k];
		}
		unsigned way = gen_pick(g, 10);
		int depth = 2 + (int)gen_pick(g, 4);
		Node *body = way == 0 ? gen_complex(g, depth) : way == 1 ? gen_int(g, depth) : gen_real(g, depth, dim);
		g->nscope = 0;
		a->form = gen_chance(g, 60) ? FORM_INDEX : FORM_ARRAY;
		a->dim = body->dim;
		Group *group = gen_define(g, a, body);
		if (gen_settle(g, group)) {
			gen_item(g, ITEM_GROUP)->group = group;
			g->array[g->narray++] = a;
			gen_want(g, a);
			return;
		}
	}
}

void gen_program(Gen *g)
{
	g->units = gen_chance(g, 35);
	for (unsigned k = 2 + gen_pick(g, 4); k > 0; k--) {
		gen_axis(g);
	}
	gen_telling(g);
	for (unsigned k = 0, n = 3 + gen_pick(g, 5); k < n; k++) {
		gen_const(g, k);
	}
	for (unsigned k = gen_pick(g, 3); k > 0; k--) {
		make_gather(g);
	}
	for (unsigned k = gen_pick(g, 3); k > 0; k--) {
		gen_data(g);
	}
	for (unsigned k = 1 + gen_pick(g, 4); k > 0; k--) {
		gen_function(g);
	}
	for (unsigned k = 8 + gen_pick(g, 8); k > 0; k--) {
		unsigned way = gen_pick(g, 20);
		if (way < 4) {
			gen_recurrence(g, gen_pick(g, 5));
		} else if (way == 4) {
			gen_pair(g);
		} else if (way < 8) {
			gen_whole(g);
		} else if (way == 8) {
			gen_function(g);
		} else {
			make_definition(g);
		}
	}
}
