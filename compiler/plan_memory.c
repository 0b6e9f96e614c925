/* plan_memory.c — a place for every buffer: steps are numbered, each buffer lives from the first to
 * the last step that touches it (a whole loop if that runs again and again over it), and buffers
 * that do not live together share room. */
#include "compiler/plan_make.h"
#include <stdlib.h>
#include <string.h>

enum {
	ALIGN = 8 /* words */,
	STAGGER = 8 /* between panels of 4096 bytes and its multiples: other cache sets */
};

typedef struct Span2 {
	uint32_t first, last;
} Span2;

static void touch(const Access *a, uint32_t region, Span2 tile, Span2 run)
{
	Buffer *b = a->buffer;
	b->region = b->birth > b->death ? region : b->region == region ? region : 0;
	Span2 s = b->place == PLACE_TILE ? tile : run;
	b->birth = s.first < b->birth ? s.first : b->birth;
	b->death = s.last > b->death ? s.last : b->death;
}

/* tile, run: the steps during which buffers of a tile, of the whole run must be held for this step.
 */
static void touch_step(const Step *s, Span2 tile, Span2 run)
{
	switch (s->tag) {
	case STEP_NEST:
		for (uint32_t k = 0; k < s->nest->naccess; k++) {
			touch(&s->nest->access[k], s->region, tile, run);
		}
		break;
	case STEP_GEMM:
		touch(&s->gemm->a, s->region, tile, run);
		touch(&s->gemm->b, s->region, tile, run);
		touch(&s->gemm->c, s->region, tile, run);
		if (s->gemm->from.buffer) {
			touch(&s->gemm->from, s->region, tile, run);
		}
		if (s->gemm->filter.buffer) {
			touch(&s->gemm->filter, s->region, tile, run);
		}
		break;
	case STEP_FILL:
		touch(&s->fill->out, s->region, tile, run);
		break;
	case STEP_MATRIX:
		touch(&s->matrix->in, s->region, tile, run);
		for (uint32_t k = 0; k < s->matrix->nout; k++) {
			touch(&s->matrix->out[k].at, s->region, tile, run);
		}
		break;
	default:
		break;
	}
}

static void number_block(Plan *plan, Block *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		Step *s = b->step[k];
		s->number = plan->nstep++;
		if (s->tag == STEP_LOOP) {
			number_block(plan, &s->loop->body);
		}
		s->last = plan->nstep - 1;
	}
}

/* The steps of a region run together, row by row: what one of them touches is held for all. */
static Span2 region_span(const Block *b, uint32_t at)
{
	uint32_t first = at, last = at, region = b->step[at]->region;
	while (region && first > 0 && b->step[first - 1]->region == region) {
		first--;
	}
	while (region && last + 1 < b->n && b->step[last + 1]->region == region) {
		last++;
	}
	return (Span2){b->step[first]->number, b->step[last]->last};
}

/* Loops nest no deeper than there are indices. */
static void touch_block(const Block *b, bool in_tile, const Span2 *tile, const Span2 *run)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		Span2 own = region_span(b, k);
		Span2 t = tile ? *tile : own, r = run ? *run : own;
		if (s->tag == STEP_LOOP) {
			bool enters = s->loop->tile;
			touch_block(&s->loop->body, in_tile || enters,
				    enters    ? NULL
				    : in_tile ? &t
					      : NULL,
				    &r);
		} else {
			touch_step(s, t, r);
		}
	}
}

static int by_birth(const void *a, const void *b)
{
	const Buffer *x = *(Buffer *const *)a, *y = *(Buffer *const *)b;
	if (x->birth != y->birth) {
		return x->birth < y->birth ? -1 : 1;
	}
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Words of 8 bytes that a buffer takes, whole cache lines. */
static size_t words(const Planner *p, const Buffer *b)
{
	size_t n = b->integer || p->plan->real_bytes == 8 ? b->count : (b->count + 1) / 2;
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* First fit among the buffers alive, which are kept in the order of their places. Returns the room
 * needed. */
static size_t fit(Planner *p, Buffer **list, uint32_t n)
{
	Buffer **alive = arena_array(p->arena, Buffer *, n + 1);
	uint32_t nalive = 0;
	size_t most = 0;
	qsort(list, n, sizeof *list, by_birth);
	for (uint32_t k = 0; k < n; k++) {
		Buffer *b = list[k];
		uint32_t kept = 0;
		for (uint32_t q = 0; q < nalive; q++) {
			if (alive[q]->death >= b->birth) {
				alive[kept++] = alive[q];
			}
		}
		nalive = kept;
		size_t need = words(p, b) + STAGGER, at = 0;
		uint32_t q = 0;
		for (; q < nalive && alive[q]->offset < at + need; q++) {
			size_t end = alive[q]->offset + words(p, alive[q]) + STAGGER;
			at = end > at ? end : at;
		}
		memmove(&alive[q + 1], &alive[q], (nalive - q) * sizeof *alive);
		alive[q] = b;
		nalive++;
		b->offset = at;
		most = at + need > most ? at + need : most;
	}
	return most;
}

static size_t place_kind(Planner *p, PlaceKind kind, uint32_t tile)
{
	Plan *plan = p->plan;
	Buffer **list = arena_array(p->arena, Buffer *, plan->nbuffer + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < plan->nbuffer; k++) {
		Buffer *b = plan->buffer[k];
		if (b->place != kind || (kind == PLACE_TILE && b->tile != tile)) {
			continue;
		}
		if (b->birth > b->death) { /* never touched: an empty definition */
			b->birth = b->death = 0;
		}
		if (b->keep || kind == PLACE_STATIC) {
			b->birth = 0;
			b->death = plan->nstep;
		}
		list[n++] = b;
	}
	return fit(p, list, n);
}

/* Accumulators: side by side, one copy for each block. */
static size_t place_blocks(Planner *p)
{
	Plan *plan = p->plan;
	size_t at = 0;
	for (uint32_t t = 0; t < plan->ntile; t++) {
		Loop *l = plan->tile[t];
		l->base = at;
		l->join = arena_array(plan->arena, Buffer *, plan->nbuffer + 1);
		for (uint32_t k = 0; k < plan->nbuffer; k++) {
			Buffer *b = plan->buffer[k];
			if (b->place == PLACE_BLOCK && b->tile == t) {
				b->offset = l->accumulators;
				l->accumulators += words(p, b);
				l->join[l->njoin++] = b;
			}
		}
		at += l->accumulators * l->nblock;
	}
	return at;
}

bool plan_place(Planner *p)
{
	Plan *plan = p->plan;
	number_block(plan, &plan->fixed);
	number_block(plan, &plan->body);
	touch_block(&plan->fixed, false, NULL, NULL);
	touch_block(&plan->body, false, NULL, NULL);
	plan->place_count[PLACE_STATIC] = place_kind(p, PLACE_STATIC, 0);
	plan->place_count[PLACE_GLOBAL] = place_kind(p, PLACE_GLOBAL, 0);
	for (uint32_t t = 0; t < plan->ntile; t++) {
		plan->tile[t]->local = place_kind(p, PLACE_TILE, t);
		if (plan->tile[t]->local > plan->place_count[PLACE_TILE]) {
			plan->place_count[PLACE_TILE] = plan->tile[t]->local;
		}
	}
	plan->place_count[PLACE_BLOCK] = place_blocks(p);
	size_t workers = plan->threads > 1 ? plan->threads : 1;
	size_t total =
		plan->place_count[PLACE_STATIC] + plan->place_count[PLACE_GLOBAL] +
		plan->place_count[PLACE_BLOCK] +
		workers * (plan->place_count[PLACE_TILE] + plan->max_reg_doubles + plan->max_pack);
	for (uint32_t k = 0; k < plan->noutput; k++) { /* arrays that take turns with the leaf's */
		const Output *o = &plan->output[k];
		total += o->assign ? 2 * words(p, o->view.buffer) : 0;
	}
	plan->cost.memory = total * sizeof(double);
	return plan->cost.memory <= plan->memory_limit;
}
