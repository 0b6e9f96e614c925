/* plan_class.c — what is done with each definition: computed again where it is read, added up in
 * its reader, once for given data or in every run, for all samples at once or tile by tile, and in
 * which stage.
 *
 * Stage n: first the definitions without tiles, then one tile loop for each sample axis. What a
 * tile loop adds up over its samples, or computes for samples other than the reader's own, can be
 * read from the next stage on. */
#include "compiler/plan_make.h"
#include <string.h>

enum {
	CHEAP = 2,       /* operations that are rather repeated than stored */
	WIDE_TILE = 256, /* most samples of a tile */
	NARROW_TILE = 32,
	PANEL = 32768,         /* bytes of one layer's panel: the first cache */
	LINE = 64,             /* widths are whole vectors of the widest machine */
	BLOCKS = 16,           /* most blocks of a sample axis */
	BLOCK_TILES = 4,       /* fewest tiles of a block */
	BLOCK_MEMORY = 1 << 23 /* most elements of all blocks' accumulators */
};

/* ---- recomputation ---- */

typedef struct Cost {
	Planner *p;
	unsigned ops;
	bool read_inline;
} Cost;

static bool cost_node(void *data, Node n)
{
	Cost *w = data;
	const NodeInfo *info = core_node(w->p->core, n);
	switch (info->tag) {
	case NODE_CONST:
	case NODE_SIZE:
	case NODE_STOP:
		return true;
	case NODE_READ: /* arguments that are not plain cost too */
		for (uint32_t k = 0; k < info->n; k++) {
			w->ops += !plan_affine(w->p, info->arg[k]).ok;
		}
		return false;
	case NODE_LIN:
		w->ops += info->n > 1 ? info->n - 1 + (info->num != 0) : 1;
		return true;
	case NODE_PROD:
		for (uint32_t k = 0; k < info->n; k++) {
			w->ops += info->expo[k] == 1 || info->expo[k] == 2
					  ? k > 0 || info->expo[k] == 2
					  : 2;
		}
		return true;
	case NODE_OP: {
		Op op = (Op)info->op;
		w->ops += op == OP_real || op == OP_abs || op == OP_not ? 1 : 8;
		return true;
	}
	case NODE_RANDOM:
		w->ops += 16;
		return true;
	default:
		w->ops += 1;
		return true;
	}
}

/* Are all arguments different plain indices? */
static bool read_is_plain(const Planner *p, Node n)
{
	const NodeInfo *info = core_node(p->core, n);
	for (uint32_t k = 0; k < info->n; k++) {
		Index i = plan_plain_index(p, info->arg[k]);
		if (!i) {
			return false;
		}
		for (uint32_t q = 0; q < k; q++) {
			if (plan_plain_index(p, info->arg[q]) == i) {
				return false;
			}
		}
	}
	return true;
}

static bool def_is_cheap(Planner *p, PDef *d)
{
	if (d->mode != MODE_POINT || d->cyclic || d->output || d->operand || d->zero_outside ||
	    d->nregion != 1 || d->random) {
		return false;
	}
	for (uint32_t k = 0; k < d->rank; k++) {
		Interval axis = plan_axis(p, d->formal[k]);
		if (axis.lo != d->region[0].box[k].lo || axis.hi != d->region[0].box[k].hi) {
			return false;
		}
	}
	Cost w = {p, 0, false};
	plan_walk(p, d->region[0].value, cost_node, &w);
	return w.ops <= CHEAP;
}

static Node expand_below(Planner *p, Node n);

/* The node with reads of inline definitions replaced by their (already expanded) values. */
static Node expand_node(Planner *p, Node n)
{
	Node known = plan_memo(p, n);
	if (!known) {
		known = expand_below(p, n);
		plan_memo_set(p, n, known);
	}
	return known;
}

static Node expand_below(Planner *p, Node n)
{
	const NodeInfo *info = core_node(p->core, n);
	if (!info->n) {
		if (info->tag == NODE_READ) {
			uint32_t to = plan_number(p, info->ref);
			return to && p->def[to].mode == MODE_INLINE ? p->def[to].region[0].value
								    : n;
		}
		return n;
	}
	Node local[16], *arg = info->n <= 16 ? local : arena_array(p->arena, Node, info->n);
	uint32_t count = info->n;
	bool changed = false;
	for (uint32_t k = 0; k < count; k++) {
		Node old = core_node(p->core, n)->arg[k];
		arg[k] = expand_node(p, old);
		changed |= arg[k] != old;
	}
	info = core_node(p->core, n);
	if (info->tag == NODE_READ) {
		uint32_t to = plan_number(p, info->ref);
		if (to && p->def[to].mode == MODE_INLINE) {
			const PDef *d = &p->def[to];
			return core_subst(p->core, d->region[0].value, d->rank, d->formal, arg);
		}
	}
	return changed ? core_rebuild(p->core, n, arg) : n;
}

typedef struct Reads {
	Planner *p;
	uint32_t def, region;
	bool any;
} Reads;

static bool reads_inline(void *data, Node n)
{
	Reads *w = data;
	const NodeInfo *info = core_node(w->p->core, n);
	if (info->tag == NODE_READ) {
		w->any |= w->p->def[plan_number(w->p, info->ref)].mode == MODE_INLINE;
	}
	return !w->any;
}

static void def_expand(Planner *p, uint32_t number)
{
	PDef *d = &p->def[number];
	Reads w = {p, number, 0, false};
	for (uint32_t r = 0; r < d->nregion && !w.any; r++) {
		plan_walk(p, d->region[r].value, reads_inline, &w);
	}
	if (!w.any) {
		return;
	}
	plan_memo_begin(p);
	for (uint32_t r = 0; r < d->nregion; r++) {
		d->region[r].value = expand_node(p, d->region[r].value);
	}
	plan_read_again(p, number);
}

/* Marks what contraction kernels and operations on whole arrays read: it must lie in memory. */
static void mark_operands(Planner *p)
{
	for (uint32_t k = 1; k < p->ndef; k++) {
		PDef *d = &p->def[k];
		bool contracts = d->mode == MODE_REDUCE && d->red == RED_SUM && plan_contractible(p, k);
		d->mode = contracts ? MODE_CONTRACT : d->mode;
		if (contracts || d->mode == MODE_MATRIX) {
			for (uint32_t q = 0; q < d->nread; q++) {
				p->def[d->read[q].to].operand = true;
			}
		}
	}
}

static void choose_inline(Planner *p)
{
	bool *bent = arena_array(p->arena, bool, p->ndef); /* read at other than plain indices */
	for (uint32_t k = 1; k < p->ndef; k++) {
		for (uint32_t q = 0; q < p->def[k].nread; q++) {
			const Read *r = &p->def[k].read[q];
			bent[r->to] |= !read_is_plain(p, r->node);
		}
	}
	for (uint32_t k = 0; k < p->norder; k++) {
		PDef *d = &p->def[p->order[k]];
		if (d->mode == MODE_LEAF) {
			continue;
		}
		def_expand(p, p->order[k]);
		if (!bent[p->order[k]] && def_is_cheap(p, d)) {
			d->mode = MODE_INLINE;
		}
	}
}

/* ---- absorbing contractions ---- */

/* Is the contraction read once, as a term of the reader's whole value, over exactly the reader's
 * indices? */
/* A sum over samples is made tile by tile, apart from readers that do not live in the tile. */
static bool sums_samples(const Planner *p, const PDef *d)
{
	for (uint32_t k = 0; k < d->nbound; k++) {
		if (core_axis_info(p->core, core_index_axis(p->core, d->bound[k]))->flags &
		    AXIS_SAMPLES) {
			return true;
		}
	}
	return false;
}

typedef struct ReadOf {
	const Planner *p;
	Def def;
	bool found;
} ReadOf;

static bool is_read_of(void *data, Node n)
{
	ReadOf *w = data;
	const NodeInfo *i = core_node(w->p->core, n);
	w->found = w->found || (i->tag == NODE_READ && i->ref == w->def);
	return !w->found;
}

/* Is the definition read by z only as a term of its sums? y + sin(y) needs the value of y too. */
static bool read_as_term(Planner *p, const PDef *z, Def def)
{
	ReadOf w = {p, def, false};
	for (uint32_t r = 0; r < z->nregion && !w.found; r++) {
		Node value = z->region[r].value;
		const NodeInfo *v = core_node(p->core, value);
		bool sum = v->tag == NODE_LIN;
		for (uint32_t q = 0; q < (sum ? v->n : 1) && !w.found; q++) {
			Node term = sum ? core_node(p->core, value)->arg[q] : value;
			const NodeInfo *t = core_node(p->core, term);
			if (!sum || t->tag != NODE_READ || t->ref != def) {
				plan_walk(p, term, is_read_of, &w);
			}
		}
	}
	return !w.found;
}

static void choose_absorbed(Planner *p)
{
	uint32_t *reader = arena_array(p->arena, uint32_t, p->ndef);
	for (uint32_t k = 1; k < p->ndef; k++) {
		p->def[k].readers = 0;
	}
	for (uint32_t k = 1; k < p->ndef; k++) {
		if (p->def[k].mode == MODE_INLINE) {
			continue;
		}
		for (uint32_t q = 0; q < p->def[k].nread; q++) {
			p->def[p->def[k].read[q].to].readers++;
			reader[p->def[k].read[q].to] = k;
		}
	}
	for (uint32_t k = 1; k < p->ndef; k++) {
		PDef *d = &p->def[k];
		if (d->mode != MODE_CONTRACT || d->readers != 1 || d->output || d->red != RED_SUM ||
		    sums_samples(p, d)) {
			continue;
		}
		PDef *z = &p->def[reader[k]];
		if (z->mode != MODE_POINT || z->rank != d->rank || z->is_static != d->is_static ||
		    z->cyclic != d->cyclic || !read_as_term(p, z, d->def)) {
			continue;
		}
		for (uint32_t r = 0; r < z->nregion; r++) {
			const NodeInfo *v = core_node(p->core, z->region[r].value);
			for (uint32_t q = 0; v->tag == NODE_LIN && q < v->n; q++) {
				const NodeInfo *t = core_node(p->core, v->arg[q]);
				if (t->tag == NODE_READ && t->ref == d->def &&
				    read_is_plain(p, v->arg[q]) && z->kind == KIND_REAL) {
					d->mode = MODE_ABSORBED;
				}
			}
		}
	}
	for (uint32_t k = 1; k < p->ndef;
	     k++) { /* readers of absorbed ones are contractions with a rest */
		if (p->def[k].mode == MODE_ABSORBED) {
			p->def[reader[k]].mode = MODE_CONTRACT;
		}
	}
}

/* ---- static and tiled ---- */

static void mark_static(Planner *p)
{
	for (uint32_t end = 0; end < p->norder;) {
		uint32_t begin = end;
		bool fixed = true;
		for (; end < p->norder &&
		       p->def[p->order[end]].component == p->def[p->order[begin]].component;
		     end++) {
			PDef *d = &p->def[p->order[end]];
			if (d->mode == MODE_LEAF) {
				fixed = core_def(p->core, d->def)->role == DEF_DATA;
			}
			fixed &= !d->random_step;
			for (uint32_t q = 0; q < d->nread; q++) {
				const PDef *r = &p->def[d->read[q].to];
				fixed &= r->component == d->component || r->is_static;
			}
		}
		for (uint32_t k = begin; k < end; k++) {
			p->def[p->order[k]].is_static = fixed;
		}
	}
}

static bool index_tiles(const Planner *p, Index i)
{
	const AxisInfo *a = core_axis_info(p->core, core_index_axis(p->core, i));
	return (a->flags & AXIS_SAMPLES) && a->size > 0; /* however few: the same bits of a record */
}

/* Is the formal demanded and computed for all labels of its axis at once? */
static bool formal_is_whole(const Planner *p, const PDef *d, uint32_t f)
{
	Interval axis = plan_axis(p, d->formal[f]);
	bool whole = d->covered && d->dom[f].lo == axis.lo && d->dom[f].hi == axis.hi;
	for (uint32_t r = 0; r < d->nregion; r++) {
		whole &= d->region[r].box[f].lo == axis.lo && d->region[r].box[f].hi == axis.hi;
	}
	return whole;
}

static void def_tile(Planner *p, PDef *d, int formal, Index i)
{
	d->carrier = formal;
	d->tiled = i;
	d->tile_axis = core_index_axis(p->core, i);
}

static bool red_tiles(RedKind red)
{
	return red == RED_SUM || red == RED_PROD || red == RED_MAX || red == RED_MIN ||
	       red == RED_ALL || red == RED_ANY;
}

/* Tries to cut a whole recurrence along formal f of its first member: every read inside must pass
 * the index on unchanged. */
static bool cycle_tile(Planner *p, uint32_t begin, uint32_t end, int f)
{
	int *at = arena_array(p->arena, int, p->ndef);
	for (uint32_t k = begin; k < end; k++) {
		at[p->order[k]] = -1;
	}
	at[p->order[begin]] = f;
	for (bool again = true; again;) {
		again = false;
		for (uint32_t k = begin; k < end; k++) {
			const PDef *d = &p->def[p->order[k]];
			if (at[p->order[k]] < 0) {
				continue;
			}
			Index own = d->formal[at[p->order[k]]];
			for (uint32_t q = 0; q < d->nread; q++) {
				uint32_t to = d->read[q].to;
				if (p->def[to].component != d->component) {
					continue;
				}
				const NodeInfo *r = core_node(p->core, d->read[q].node);
				int found = -1;
				for (uint32_t a = 0; a < r->n && found < 0; a++) {
					found = plan_plain_index(p, r->arg[a]) == own ? (int)a : -1;
				}
				if (found < 0 || (at[to] >= 0 && at[to] != found)) {
					return false;
				}
				again |= at[to] < 0;
				at[to] = found;
			}
		}
	}
	for (uint32_t k = begin; k < end; k++) {
		PDef *d = &p->def[p->order[k]];
		if (at[p->order[k]] < 0 || !formal_is_whole(p, d, (uint32_t)at[p->order[k]])) {
			return false;
		}
	}
	for (uint32_t k = begin; k < end; k++) {
		PDef *d = &p->def[p->order[k]];
		def_tile(p, d, at[p->order[k]], d->formal[at[p->order[k]]]);
	}
	return true;
}

static void choose_tiles(Planner *p)
{
	for (uint32_t end = 0; end < p->norder;) {
		uint32_t begin = end;
		while (end < p->norder &&
		       p->def[p->order[end]].component == p->def[p->order[begin]].component) {
			end++;
		}
		PDef *d = &p->def[p->order[begin]];
		bool matrix = false;
		for (uint32_t k = begin; k < end; k++) {
			matrix |= p->def[p->order[k]].mode == MODE_MATRIX;
		}
		if (d->mode == MODE_LEAF || d->mode == MODE_INLINE || matrix) {
			continue;
		}
		bool done = false;
		for (uint32_t f = 0; f < d->rank && !done; f++) {
			if (!index_tiles(p, d->formal[f]) || !formal_is_whole(p, d, f)) {
				continue;
			}
			if (d->cyclic) {
				done = cycle_tile(p, begin, end, (int)f);
			} else {
				def_tile(p, d, (int)f, d->formal[f]);
				done = true;
			}
		}
		for (uint32_t b = 0; b < d->nbound && !done && !d->cyclic && red_tiles(d->red);
		     b++) {
			if (index_tiles(p, d->bound[b])) {
				def_tile(p, d, -1, d->bound[b]);
				done = true;
			}
		}
	}
}

/* Does d read of e exactly the samples of its own tile? */
static bool reads_own_sample(const Planner *p, const PDef *d, const PDef *e, Node read)
{
	Index own = plan_plain_index(p, core_node(p->core, read)->arg[e->carrier]);
	return d->tiled && d->tile_axis == e->tile_axis && own == d->tiled;
}

/* The first stage in which `d` can read `e` this way. */
static uint32_t read_stage(const Planner *p, const PDef *d, const PDef *e, Node read)
{
	if (e->mode == MODE_LEAF || (e->is_static && !d->is_static)) {
		return 0;
	}
	if (!e->tiled) {
		return e->stage;
	}
	if (e->carrier < 0) {
		return e->stage + 1;
	}
	return reads_own_sample(p, d, e, read) ? e->stage : e->stage + 1;
}

/* What is read outside the tile loop that computes it is kept for all samples. */
static void mark_whole(Planner *p)
{
	for (uint32_t k = 1; k < p->ndef; k++) {
		PDef *d = &p->def[k];
		d->whole |= d->output;
		for (uint32_t q = 0; q < d->nread && d->mode != MODE_INLINE; q++) {
			PDef *e = &p->def[d->read[q].to];
			e->whole |= e->carrier >= 0 &&
				    !(e->stage == d->stage && e->is_static == d->is_static &&
				      reads_own_sample(p, d, e, d->read[q].node));
		}
	}
}

static void choose_stages(Planner *p)
{
	for (uint32_t end = 0; end < p->norder;) {
		uint32_t begin = end, stage = 0;
		for (; end < p->norder &&
		       p->def[p->order[end]].component == p->def[p->order[begin]].component;
		     end++) {
			PDef *d = &p->def[p->order[end]];
			if (d->mode == MODE_INLINE) {
				continue;
			}
			for (uint32_t q = 0; q < d->nread; q++) {
				PDef *e = &p->def[d->read[q].to];
				uint32_t s = e->component == d->component
						     ? 0
						     : read_stage(p, d, e, d->read[q].node);
				stage = s > stage ? s : stage;
			}
		}
		for (uint32_t k = begin; k < end; k++) {
			p->def[p->order[k]].stage = stage;
		}
	}
	/* An absorbed contraction is computed with its reader. */
	for (uint32_t k = 1; k < p->ndef; k++) {
		for (uint32_t q = 0; p->def[k].mode == MODE_CONTRACT && q < p->def[k].nread; q++) {
			PDef *e = &p->def[p->def[k].read[q].to];
			if (e->mode == MODE_ABSORBED) {
				e->stage = p->def[k].stage;
			}
		}
	}
}

/* ---- tile loops ---- */

static size_t def_features(const PDef *d)
{
	size_t n = 1;
	for (uint32_t k = 0; k < d->rank; k++) {
		n *= (int)k == d->carrier ? 1 : (size_t)interval_size(d->dom[k]);
	}
	return n;
}

/* Contractions of one loop that share a matrix run side by side: their number, forward or backward.
 */
static size_t loop_streams(Planner *p, const PDef *like)
{
	uint32_t *uses = arena_array(p->arena, uint32_t, p->ndef);
	uint32_t most = 1;
	for (uint32_t k = 1; k < p->ndef; k++) {
		const PDef *d = &p->def[k];
		if (d->red != RED_SUM || d->carrier < 0 || d->tile_axis != like->tile_axis ||
		    (d->mode != MODE_CONTRACT && d->mode != MODE_ABSORBED)) {
			continue;
		}
		for (uint32_t q = 0; q < d->nread; q++) {
			if (!p->def[d->read[q].to].tiled && p->def[d->read[q].to].rank > 1) {
				uint32_t u = ++uses[d->read[q].to];
				most = u > most ? u : most;
			}
		}
	}
	return (most + 1) / 2;
}

static Loop *tile_loop(Planner *p, const PDef *d)
{
	for (uint32_t k = 0; k < p->ntiled; k++) {
		const TileLoop *t = &p->tiled[k];
		if (t->loop->axis == d->tile_axis && t->stage == d->stage &&
		    t->is_static == d->is_static) {
			return t->loop;
		}
	}
	Loop *l = arena_new(p->plan->arena, Loop);
	l->tile = true;
	l->axis = d->tile_axis;
	l->slot = p->plan->nslot++;
	l->samples = core_axis_info(p->core, l->axis)->size;
	l->number = p->plan->ntile++;
	size_t n = p->ntiled;
	ARENA_PUSH(p->arena, p->tiled, n, p->tiled_cap, ((TileLoop){l, d->stage, d->is_static}));
	p->ntiled = (uint32_t)n;
	return l;
}

/* Samples of a tile such that the panels of one layer stay in the first cache; a pure function of
 * the program. */
static void loop_width(Planner *p, Loop *l)
{
	size_t widest = 1, accumulators = 0;
	bool recurs = false; /* every label's values are kept: narrow tiles, each much work */
	const PDef *some = NULL;
	for (uint32_t k = 1; k < p->ndef; k++) {
		const PDef *d = &p->def[k];
		if (d->tile != l) {
			continue;
		}
		some = d;
		recurs |= d->cyclic;
		if (d->carrier < 0) {
			accumulators += def_features(d);
		} else if (!d->cyclic && d->nbound + d->operand > 0) {
			size_t n = def_features(d);
			widest = n > widest ? n : widest;
		}
	}
	size_t line = LINE / p->plan->real_bytes;
	size_t width = PANEL / p->plan->real_bytes / (widest * loop_streams(p, some));
	width = width > WIDE_TILE ? WIDE_TILE : width < NARROW_TILE ? NARROW_TILE : width;
	width = recurs && width > NARROW_TILE ? NARROW_TILE : width;
	int64_t tiles = (l->samples + (int64_t)width - 1) / (int64_t)width;
	l->width = tiles ? ((l->samples + tiles - 1) / tiles + (int64_t)line - 1) / (int64_t)line * (int64_t)line : NARROW_TILE;
	tiles = (l->samples + l->width - 1) / l->width;
	int64_t blocks = recurs ? tiles : tiles / BLOCK_TILES;
	while (blocks > 1 && (blocks > BLOCKS || (size_t)blocks * accumulators > BLOCK_MEMORY)) {
		blocks--;
	}
	l->nblock = (uint32_t)(blocks < 1 ? 1 : blocks);
}

void plan_classify(Planner *p)
{
	mark_static(p);
	choose_absorbed(p);
	choose_tiles(p);
	choose_stages(p);
	mark_whole(p);
	for (uint32_t k = 0; k < p->norder; k++) {
		PDef *d = &p->def[p->order[k]];
		if (d->tiled && d->mode != MODE_INLINE) {
			d->tile = tile_loop(p, d);
		}
	}
	for (uint32_t k = 1; k < p->ndef; k++) {
		if (p->def[k].tile && !p->def[k].tile->width) {
			loop_width(p, p->def[k].tile);
		}
	}
}

void plan_inline(Planner *p)
{
	mark_operands(p);
	choose_inline(p);
}
