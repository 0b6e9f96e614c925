/* train_batch.c — what changes between steps besides the parameters: minibatches and redrawn
 * points. Both are pure functions of (seed, place, epoch or draw), so that a continued training
 * sees what an uninterrupted one does. */
#include "compiler/data_load.h"
#include "compiler/train_int.h"
#include "runtime/rng.h"
#include <stdlib.h>
#include <string.h>

static bool too_large(Training *tr, const Batches *b)
{
	Run *r = tr->r;
	const char *batch = arena_printf(r->e->arena, "%zu records", b->size);
	const char *have = arena_printf(r->e->arena, "%zu", b->records);
	diag_batch_too_large(r->e->ctx.diags, tr->phase->span, batch, run_name(r, b->of->name),
			     have);
	return false;
}

bool batches_begin(Training *tr)
{
	const Phase *p = tr->phase;
	Batches *b = &tr->batches;
	memset(b, 0, sizeof *b);
	if (p->batch <= 0 || !p->batch_data) {
		return true;
	}
	b->of = p->batch_of;
	b->batch = p->batch_data;
	b->records = data_records(tr->r, b->of);
	b->size = (size_t)p->batch;
	if (b->size > b->records) {
		return too_large(tr, b);
	}
	b->per_epoch = b->records / b->size;
	b->order = rt_alloc(b->records, sizeof *b->order);
	if (!b->order) {
		diag_out_of_memory(tr->r->e->ctx.diags, p->span, "a batch");
		return false;
	}
	return data_make_part(tr->r, b->batch, b->of, b->size);
}

void batches_end(Training *tr)
{
	free(tr->batches.order);
	tr->batches.order = NULL;
}

int64_t batches_next(Training *tr)
{
	Batches *b = &tr->batches;
	if (!b->of) {
		return tr->step; /* without batches every step is a pass over all data */
	}
	int64_t per = (int64_t)b->per_epoch, epoch = (tr->step - 1) / per + 1,
		within = (tr->step - 1) % per;
	if (b->epoch != epoch) {
		ArenaMark mark = arena_mark(tr->r->e->scratch);
		const char *place =
			arena_printf(tr->r->e->scratch, "%s.%u.%s", run_name(tr->r, tr->t->name),
				     tr->phase_number, run_name(tr->r, b->of->name));
		rng_permutation(tr->r->seed, rng_stream(place, strlen(place)), (uint64_t)epoch,
				b->records, b->order);
		arena_release(tr->r->e->scratch, mark);
		b->epoch = epoch;
	}
	data_gather(tr->r, b->of, b->batch, b->order + (size_t)within * b->size, b->size);
	return epoch;
}

/* Does some part of the set change at this step? The nesting of unions is limited by the parser. */
static bool changes_at(const PointsGen *g, int64_t total, bool *ever)
{
	bool now = g->redraw > 0 && total % g->redraw == 0;
	*ever = *ever || g->redraw > 0;
	for (uint32_t k = 0; k < g->nkid; k++) {
		now = changes_at(g->kid[k], total, ever) || now;
	}
	return now;
}

bool points_refresh(Training *tr, int64_t total, bool all)
{
	const Program *p = tr->r->program;
	for (uint32_t k = 0; k < p->ndata; k++) {
		DataInfo *d = p->data[k];
		if (d->kind != DATA_POINTS) {
			continue;
		}
		bool ever = false, now = changes_at(d->points, total, &ever);
		if ((now || (all && ever)) && !data_redraw(tr->r, d, (uint64_t)total)) {
			return false;
		}
	}
	return true;
}
