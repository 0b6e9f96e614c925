/* interp.c — the reference meaning of a plan: its steps in order, tiles of samples inside fixed
 * blocks, blocks joined by a fixed tree, so that results do not depend on how many threads there
 * are. Nothing is allocated while a plan runs. */
#include "compiler/exec.h"
#include "compiler/interp_int.h"
#include "compiler/matrix_run.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_failed(const Worker *w)
{
	return w->failed.nest || w->failed.matrix;
}

/* ---- memory ---- */

static void *doubles(size_t n)
{
	size_t bytes = (n * sizeof(double) + 64) / 64 * 64;
	void *m = n > SIZE_MAX / 16 ? NULL : aligned_alloc(64, bytes);
	if (m) {
		memset(m, 0, bytes);
	}
	return m;
}

static void worker_free(Worker *w)
{
	free(w->base);
	free(w->tile);
	free(w->reg);
	free(w->pack);
	free(w->temp);
	free(w->ptr);
	free(w->outer);
	free(w->inner);
	free(w->count);
	free(w->label);
	free(w->slot);
	free(w->lane);
}

static bool worker_create(Worker *w, const Plan *p)
{
	w->plan = p;
	w->gemm = gemm_kernels();
	w->base = calloc(p->nbuffer + 1, sizeof *w->base);
	w->tile = doubles(p->place_count[PLACE_TILE]);
	w->reg = doubles(p->max_reg_doubles);
	w->pack = doubles(p->max_pack);
	w->temp = doubles(TEMP_LANES);
	w->ptr = calloc(p->max_access + 1, sizeof *w->ptr);
	w->outer = calloc(p->max_access + 1, sizeof *w->outer);
	w->inner = calloc(p->max_access + 1, sizeof *w->inner);
	w->count = calloc(p->max_dim + 1, sizeof *w->count);
	w->label = calloc(p->max_dim + 1, sizeof *w->label);
	w->slot = calloc(p->nslot + 1, sizeof *w->slot);
	w->lane = calloc(p->max_access + 1, sizeof *w->lane);
	return w->base && w->tile && w->reg && w->pack && w->temp && w->ptr && w->outer &&
	       w->inner && w->count && w->label && w->slot && w->lane;
}

static void worker_bases(Worker *w, const Exec *x)
{
	for (uint32_t k = 0; k < w->plan->nbuffer; k++) {
		const Buffer *b = w->plan->buffer[k];
		switch (b->place) {
		case PLACE_STATIC:
			w->base[k] = x->fixed + b->offset;
			break;
		case PLACE_GLOBAL:
			w->base[k] = x->global + b->offset;
			break;
		case PLACE_TILE:
			w->base[k] = w->tile + b->offset;
			break;
		case PLACE_BLOCK:
			w->base[k] = x->block + w->plan->tile[b->tile]->base + b->offset;
			break;
		default:
			break;
		}
	}
}

void interp_free(Plan *p)
{
	Exec *x = p->interpreted;
	if (!x) {
		return;
	}
	for (uint32_t k = 0; k < x->nworker; k++) {
		worker_free(&x->worker[k]);
	}
	free(x->worker);
	free(x->fixed);
	free(x->global);
	free(x->block);
	free(x);
	p->interpreted = NULL;
}

bool interp_create(Plan *p)
{
	Exec *x = calloc(1, sizeof *x);
	if (!x) {
		return false;
	}
	p->interpreted = x;
	x->fixed = doubles(p->place_count[PLACE_STATIC]);
	x->global = doubles(p->place_count[PLACE_GLOBAL]);
	x->block = doubles(p->place_count[PLACE_BLOCK]);
	x->worker = calloc(p->threads, sizeof *x->worker);
	bool good = x->fixed && x->global && x->block && x->worker;
	for (uint32_t k = 0; k < p->threads && good; k++) {
		x->nworker = k + 1;
		good = worker_create(&x->worker[k], p);
		if (good) {
			worker_bases(&x->worker[k], x);
		}
	}
	return good;
}

/* ---- steps ---- */

static void run_block(Worker *w, const Block *b);

static size_t gemm_size(const Worker *w, const GemmDim *d)
{
	return d->tiled ? (size_t)w->lanes : (size_t)d->size;
}

static void gemm_kernel(Worker *w, const Gemm *g, GemmArgs *x)
{
	if (g->form == GEMM_DOT) {
		x->bk = g->n.b;
		w->gemm.dot(x);
		return;
	}
	const double *b = x->b;
	x->bk = g->k.b;
	x->scratch = w->pack;
	if (g->pack) {
		size_t wide = (x->n + 7) / 8 * 8;
		gemm_pack(x->k, x->n, b, g->k.b, g->n.b, w->pack, wide);
		x->b = w->pack;
		x->bk = (int64_t)wide;
		x->scratch = w->pack + x->k * wide;
	}
	w->gemm.panel(x);
	x->b = b;
}

static void gemm_move(GemmArgs *x, const Gemm *g, const GemmDim *o, int64_t steps)
{
	x->a += steps * o->a;
	x->b += steps * o->b;
	x->c += steps * o->c;
	x->from += steps * (g->fresh ? o->from : o->c);
}

/* Bools: 8 bytes, the number 0 or 1. */
static bool gemm_holds(const double *filter)
{
	int64_t v = 1;
	if (filter) {
		memcpy(&v, filter, sizeof v);
	}
	return v != 0;
}

static void run_gemm(Worker *w, const Gemm *g)
{
	static const double ZERO = 0.0;
	GemmArgs x = {.m = gemm_size(w, &g->m), .n = gemm_size(w, &g->n), .k = gemm_size(w, &g->k)};
	x.alpha = g->alpha;
	x.a = access_pointer(w, &g->a);
	x.b = access_pointer(w, &g->b);
	x.c = access_pointer(w, &g->c);
	x.am = g->m.a;
	x.ak = g->k.a;
	x.cm = g->m.c;
	x.cn = g->n.c;
	x.from = !g->fresh ? x.c : g->from.buffer ? access_pointer(w, &g->from) : &ZERO;
	x.fm = g->fresh ? g->m.from : g->m.c;
	x.fn = g->fresh ? g->n.from : g->n.c;
	const double *filter = g->filter.buffer ? access_pointer(w, &g->filter) : NULL;
	for (uint32_t d = 0; d < g->nouter; d++) {
		w->count[d] = 0;
	}
	for (;;) {
		if (gemm_holds(filter)) {
			gemm_kernel(w, g, &x);
		}
		uint32_t d = g->nouter;
		while (d-- > 0) {
			const GemmDim *o = &g->outer[d];
			if (++w->count[d] < o->size) {
				gemm_move(&x, g, o, 1);
				filter = filter ? filter + o->filter : NULL;
				break;
			}
			w->count[d] = 0;
			gemm_move(&x, g, o, 1 - o->size);
			filter = filter ? filter + o->filter * (1 - o->size) : NULL;
		}
		if (d == UINT32_MAX) {
			return;
		}
	}
}

static void fill_from(const Worker *w, const Fill *f, uint32_t d, double *at)
{
	if (d == f->ndim) {
		*at = f->value;
		return;
	}
	const Dim *dim = &f->dim[d];
	int64_t n = dim->tiled ? w->lanes : dim->size, stride = f->out.stride[d];
	if (d + 1 == f->ndim && stride == 1) {
		for (int64_t i = 0; i < n; i++) {
			at[i] = f->value;
		}
		return;
	}
	for (int64_t i = 0; i < n; i++) {
		fill_from(w, f, d + 1, at + i * stride);
	}
}

static bool step_applies(const Worker *w, const Step *s)
{
	for (uint32_t k = 0; k < s->ncond; k++) {
		int64_t v = w->slot[s->cond[k].slot];
		if (v < s->cond[k].in.lo || v > s->cond[k].in.hi) {
			return false;
		}
	}
	return true;
}

static void run_recurrence(Worker *w, const Loop *l)
{
	if (l->down) {
		for (int64_t t = l->hi; t >= l->lo && !has_failed(w); t--) {
			w->slot[l->slot] = t;
			run_block(w, &l->body);
		}
	} else {
		for (int64_t t = l->lo; t <= l->hi && !has_failed(w); t++) {
			w->slot[l->slot] = t;
			run_block(w, &l->body);
		}
	}
}

void interp_tiles(Worker *w, const Loop *l, uint32_t b)
{
	for (uint32_t k = 0; k < l->njoin; k++) {
		const Buffer *a = l->join[k];
		int64_t neutral = red_neutral(a->red, a->integer);
		double *to = w->plan->interpreted->block + l->base + b * l->accumulators + a->offset;
		w->base[a->id] = to;
		if (neutral == 0) {
			memset(to, 0, a->count * sizeof *to);
		} else {
			for (size_t i = 0; i < a->count; i++) {
				memcpy(&to[i], &neutral, sizeof neutral);
			}
		}
	}
	int64_t tiles = (l->samples + l->width - 1) / l->width;
	int64_t first = tiles * b / l->nblock, end = tiles * (b + 1) / l->nblock;
	w->width = l->width;
	for (int64_t t = first; t < end && !w->failed.nest; t++) {
		int64_t start = t * l->width, left = l->samples - start;
		w->slot[l->slot] = start;
		w->lanes = left < l->width ? left : l->width;
		run_block(w, &l->body);
	}
}

/* Joins the accumulators of all blocks in a tree of fixed shape into those of block 0. */
static void join_blocks(Worker *w, const Loop *l)
{
	double *base = w->plan->interpreted->block + l->base;
	for (uint32_t apart = 1; apart < l->nblock; apart *= 2) {
		for (uint32_t b = 0; b + apart < l->nblock; b += 2 * apart) {
			for (uint32_t k = 0; k < l->njoin; k++) {
				const Buffer *a = l->join[k];
				double *to = base + b * l->accumulators + a->offset;
				const double *from = to + apart * l->accumulators;
				if (!red_join(a->red, a->integer, a->count, to, 1, from, 1)) {
					w->overflow = a->def;
				}
			}
		}
	}
	Exec *x = w->plan->interpreted;
	for (uint32_t n = 0; n < x->nworker; n++) {
		for (uint32_t k = 0; k < l->njoin; k++) {
			x->worker[n].base[l->join[k]->id] = base + l->join[k]->offset;
		}
	}
}

typedef struct Shared {
	Exec *exec;
	const Loop *loop;
} Shared;

static bool shared_block(void *data, uint32_t worker, uint32_t b)
{
	const Shared *s = data;
	Worker *w = &s->exec->worker[worker];
	interp_tiles(w, s->loop, b);
	w->failed.order = b;
	return !w->failed.nest;
}

/* All blocks of the loop, by all workers; the failure of the first block counts. */
static void run_shared(Exec *x, struct Pool *pool, const Loop *l)
{
	Shared s = {x, l};
	Worker *first = &x->worker[0];
	for (uint32_t k = 1; k < x->nworker; k++) { /* slots of loops around the tiles */
		memcpy(x->worker[k].slot, first->slot, first->plan->nslot * sizeof *first->slot);
	}
	pool_run(pool, l->nblock, shared_block, &s);
	for (uint32_t k = 1; k < x->nworker; k++) {
		Failure f = x->worker[k].failed;
		if (f.nest && (!first->failed.nest || f.order < first->failed.order)) {
			first->failed = f;
		}
	}
}

static void run_loop(Worker *w, const Loop *l)
{
	if (!l->tile) {
		run_recurrence(w, l);
		return;
	}
	struct Pool *pool = l->nblock > 1 ? machine_pool(w->plan->machine) : NULL;
	if (pool) {
		run_shared(w->plan->interpreted, pool, l);
	} else {
		for (uint32_t b = 0; b < l->nblock && !w->failed.nest; b++) {
			interp_tiles(w, l, b);
		}
	}
	join_blocks(w, l);
}

static void run_matrix(Worker *w, const MatrixStep *s)
{
	void *out[3] = {NULL};
	for (uint32_t k = 0; k < s->nout; k++) {
		out[k] = access_pointer(w, &s->out[k].at);
	}
	RtError why;
	if (!matrix_run(s, sizeof(double), access_pointer(w, &s->in), out, &why)) {
		w->failed.matrix = s;
		snprintf(w->failed.why, sizeof w->failed.why, "%s", why.text);
	}
}

static void run_block(Worker *w, const Block *b)
{
	for (uint32_t k = 0; k < b->n && !has_failed(w); k++) {
		const Step *s = b->step[k];
		if (s->ncond && !step_applies(w, s)) {
			continue;
		}
		switch (s->tag) {
		case STEP_NEST:
			nest_run(w, s->nest);
			break;
		case STEP_GEMM:
			run_gemm(w, s->gemm);
			break;
		case STEP_FILL:
			fill_from(w, s->fill, 0, access_pointer(w, &s->fill->out));
			break;
		case STEP_MATRIX:
			run_matrix(w, s->matrix);
			break;
		case STEP_LOOP:
			run_loop(w, s->loop);
			break;
		}
	}
}

/* ---- a run ---- */

static void leaf_bases(Plan *p, Worker *w)
{
	for (uint32_t k = 0; k < p->nbuffer; k++) {
		const Buffer *b = p->buffer[k];
		if (b->place == PLACE_LEAF) {
			assert(store_count(p->store, b->def) == b->count);
			/* nothing writes to leaves here */
			w->base[k] = b->integer ? (double *)(void *)store_int(p->store, b->def)
						: (double *)(uintptr_t)store_read(p->store, b->def);
		}
	}
}

void interp_run(Plan *p, bool fixed, RunContext context, Failure *failure)
{
	Exec *x = p->interpreted;
	for (uint32_t k = 0; k < x->nworker; k++) {
		Worker *w = &x->worker[k];
		leaf_bases(p, w);
		w->failed = (Failure){0};
		w->overflow = 0;
		w->cx.failed = NULL;
		w->cx.seed = context.seed;
		w->cx.step = context.step;
	}
	Worker *w = &x->worker[0];
	run_block(w, fixed ? &p->fixed : &p->body);
	*failure = w->failed;
	if (!failure->nest && !failure->matrix) {
		failure->def = w->overflow;
	}
}

void *interp_output(const Plan *p, const Buffer *b)
{
	return p->interpreted->worker[0].base[b->id];
}
