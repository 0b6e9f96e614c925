/* plan_contract.c — sums of products of two reads, given to matrix kernels.
 *
 * Every index is in the result (C), in the left read (A) or in the right one (B), mostly in two of
 * the three: m in A and C, n in B and C, k in A and B (summed). One index of each sort goes to the
 * kernel, the others are loops around it. A product may stand under a condition that is an array of
 * bools; its indices are loops around. */
#include "compiler/interp.h"
#include "compiler/plan_make.h"
#include <assert.h>
#include <string.h>

/* ---- recognition ---- */

static bool read_is_affine(Planner *p, Node n, Kind kind)
{
	const NodeInfo *info = core_node(p->core, n);
	if (info->tag != NODE_READ || info->kind != kind) {
		return false;
	}
	for (uint32_t k = 0; k < info->n; k++) {
		if (!plan_affine(p, info->arg[k]).ok) {
			return false;
		}
	}
	return true;
}

/* An array of bools that does not know samples? Those are cut into tiles and belong to the kernel. */
static bool filter_fits(Planner *p, const PDef *d, Node n)
{
	bool fits = read_is_affine(p, n, KIND_BOOL);
	for (uint32_t k = 0; k < d->rank + d->nbound && fits; k++) {
		Index i = k < d->rank ? d->formal[k] : d->bound[k - d->rank];
		Axis axis = core_index_axis(p->core, i);
		fits = !(core_axis_info(p->core, axis)->flags & AXIS_SAMPLES) ||
		       !core_has_index(p->core, n, i);
	}
	return fits;
}

/* Does one read know an index that the other does not, and do both know a bound one? Indices of a
 * filter do not count: the kernel does not have them. */
static bool product_fits(Planner *p, const PDef *d, Node filter, Node n)
{
	const NodeInfo *info = core_node(p->core, n);
	if (info->tag != NODE_PROD || info->n != 2 || info->expo[0] != 1 || info->expo[1] != 1) {
		return false;
	}
	Node a = info->arg[0], b = info->arg[1];
	if (!read_is_affine(p, a, KIND_REAL) || !read_is_affine(p, b, KIND_REAL)) {
		return false;
	}
	bool shared = false, apart = false;
	for (uint32_t k = 0; k < d->rank + d->nbound; k++) {
		Index i = k < d->rank ? d->formal[k] : d->bound[k - d->rank];
		bool in_a = core_has_index(p->core, a, i), in_b = core_has_index(p->core, b, i);
		bool counts = !filter || !core_has_index(p->core, filter, i);
		shared |= k >= d->rank && counts && in_a && in_b;
		apart |= counts && in_a != in_b;
	}
	return shared && apart;
}

/* A product, or a sum of products, each once or under a condition. */
static bool sum_fits(Planner *p, const PDef *d, Node filter, Node n)
{
	const NodeInfo *info = core_node(p->core, n);
	if (info->tag == NODE_GUARD && !filter) {
		Node inner = info->arg[1];
		filter = info->arg[0];
		return filter_fits(p, d, filter) && sum_fits(p, d, filter, inner);
	}
	if (info->tag != NODE_LIN) {
		return product_fits(p, d, filter, n);
	}
	bool all = info->num == 0;
	for (uint32_t k = 0; k < info->n && all; k++) {
		all = sum_fits(p, d, filter, core_node(p->core, n)->arg[k]);
	}
	return all;
}

bool plan_contractible(Planner *p, uint32_t number)
{
	const PDef *d = &p->def[number];
	if (d->red != RED_SUM || d->kind != KIND_REAL || d->nregion != 1) {
		return false;
	}
	return sum_fits(p, d, 0, d->region[0].value);
}

/* ---- one product ---- */

typedef struct Product {
	Planner *p;
	Dim *dim;
	uint32_t ndim;
	Step cond;        /* conditions on slots */
	bool cut;         /* less than the whole box is added to */
	uint32_t read[3]; /* PDefs: left, right, filter (0: none) */
	Affine *arg[3];
} Product;

/* Cuts the range of the only index of an affine argument so that it stays inside `in`. */
static bool restrict_index(Product *w, const Affine *a, Interval in)
{
	if (a->n != 1 || (a->coef[0] != 1 && a->coef[0] != -1)) {
		return false;
	}
	w->cut = true;
	Interval r = a->coef[0] == 1 ? (Interval){in.lo - a->c, in.hi - a->c}
				     : (Interval){a->c - in.hi, a->c - in.lo};
	for (uint32_t d = 0; d < w->ndim; d++) {
		Dim *dim = &w->dim[d];
		if (dim->index == a->index[0]) {
			if (dim->tiled) {
				return false;
			}
			r = interval_meet(r, (Interval){dim->lo, dim->lo + dim->size - 1});
			dim->lo = r.lo;
			dim->size = interval_size(r);
			return true;
		}
	}
	uint32_t slot = plan_slot(w->p, a->index[0]);
	if (!slot || w->cond.ncond == 4) {
		return false;
	}
	w->cond.cond[w->cond.ncond].slot = slot;
	w->cond.cond[w->cond.ncond++].in = r;
	return true;
}

/* Is the read inside what is stored for all indices? A definition that is zero outside cuts the
 * ranges instead. */
static bool product_read(Product *w, unsigned side, Node n)
{
	Planner *p = w->p;
	uint32_t to = plan_number(p, core_node(p->core, n)->ref);
	const PDef *d = &p->def[to];
	w->read[side] = to;
	w->arg[side] = arena_array(p->arena, Affine, d->rank + 1);
	for (uint32_t k = 0; k < d->rank; k++) {
		Node arg = core_node(p->core, n)->arg[k];
		w->arg[side][k] = plan_affine(p, arg);
		if (!w->arg[side][k].ok) {
			return false;
		}
		Interval have = plan_interval(p, arg),
			 stored = d->mode == MODE_LEAF ? d->max[k] : d->dom[k];
		if (interval_empty(have) || (have.lo >= stored.lo && have.hi <= stored.hi)) {
			continue;
		}
		bool periodic =
			core_axis_info(p->core, core_index_axis(p->core, d->formal[k]))->flags &
			AXIS_PERIODIC;
		if (!d->zero_outside || periodic || !restrict_index(w, &w->arg[side][k], stored)) {
			return false;
		}
	}
	return true;
}

static void product_dims(Product *w, const PDef *d, const Interval *box, const PDef *sum)
{
	Planner *p = w->p;
	w->dim = arena_array(p->arena, Dim, d->rank + sum->nbound + 1);
	for (uint32_t k = 0; k < d->rank + sum->nbound; k++) {
		Index i = k < d->rank ? d->formal[k] : sum->bound[k - d->rank];
		Interval r = k < d->rank ? box[k] : sum->bounds[k - d->rank];
		plan_range_set(p, i, r);
		if (plan_slot(p, i)) {
			continue;
		}
		Dim dim = {.index = i, .lo = r.lo, .size = interval_size(r), .bound = k >= d->rank};
		if (p->tile && (i == d->tiled || i == sum->tiled)) {
			dim.tiled = true;
			dim.size = p->tile->width;
			dim.slot = p->tile->slot;
		}
		w->dim[w->ndim++] = dim;
	}
}

/* A leaf whose records lie apart is read from its copy for the present tile. */
static const View *product_view(Product *w, unsigned side)
{
	Planner *p = w->p;
	uint32_t number = w->read[side];
	const PDef *d = &p->def[number];
	if (d->mode != MODE_LEAF || !p->tile || d->rank < 2) {
		return plan_view(p, d);
	}
	for (uint32_t f = 0; f < d->rank; f++) {
		const Affine *a = &w->arg[side][f];
		for (uint32_t k = 0; k < w->ndim; k++) {
			if (w->dim[k].tiled && a->n == 1 && a->c == 0 && a->coef[0] == 1 &&
			    a->index[0] == w->dim[k].index && d->home.stride[f] != 1) {
				return plan_leaf_tile(p, number, f);
			}
		}
	}
	return plan_view(p, d);
}

static bool access_dims(Product *w, unsigned side, Access *out)
{
	const View *view = product_view(w, side);
	const PDef *d = &w->p->def[w->read[side]];
	return plan_access(w->p, view, d->rank, w->arg[side], w->ndim, w->dim, out);
}

/* ---- the kernel's dimensions ---- */

typedef enum { SORT_M, SORT_N, SORT_K, SORT_BATCH } Sort;

static Sort dim_sort(const GemmDim *d)
{
	if (d->filter) {
		return SORT_BATCH;
	}
	if (d->a && d->c && !d->b) {
		return SORT_M;
	}
	if (d->b && d->c && !d->a) {
		return SORT_N;
	}
	return d->a && d->b && !d->c ? SORT_K : SORT_BATCH;
}

/* Of one sort, the dimension that suits the kernel: contiguous in C (for n), else the longest. */
static int pick(const GemmDim *dim, uint32_t n, Sort sort, bool contiguous)
{
	int best = -1;
	for (uint32_t k = 0; k < n; k++) {
		if (dim_sort(&dim[k]) != sort) {
			continue;
		}
		bool better = best < 0 || (contiguous && (dim[k].c == 1) != (dim[best].c == 1)
						   ? dim[k].c == 1
						   : dim[k].size > dim[best].size);
		best = better ? (int)k : best;
	}
	return best;
}

/* Can the kernel begin from this value: no sum is added up in several calls, rows of it are
 * contiguous or constant? */
static bool gemm_begins(const Gemm *g)
{
	for (uint32_t k = 0; k < g->nouter; k++) {
		if (!g->outer[k].c) {
			return false;
		}
	}
	return g->form == GEMM_DOT || g->n.from == 0 || g->n.from == 1;
}

static void gemm_swap(Gemm *g, GemmDim *dim, uint32_t n)
{
	Access t = g->a;
	Def left = g->left;
	g->a = g->b;
	g->b = t;
	g->left = g->right;
	g->right = left;
	for (uint32_t k = 0; k < n; k++) {
		int64_t s = dim[k].a;
		dim[k].a = dim[k].b;
		dim[k].b = s;
	}
}

/* Joins non-tiled dimensions that every array walks through as one. */
static uint32_t gemm_merge(GemmDim *dim, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < n; j++) {
			GemmDim *o = &dim[i], *in = &dim[j];
			if (i == j || o->tiled || in->tiled || o->a != in->a * in->size ||
			    o->b != in->b * in->size || o->c != in->c * in->size ||
			    o->from != in->from * in->size ||
			    o->filter != in->filter * in->size) {
				continue;
			}
			in->size *= o->size;
			dim[i] = dim[--n];
			i = (uint32_t)-1; /* from the beginning: few dimensions */
			break;
		}
	}
	return n;
}

static bool gemm_shape(Planner *p, Gemm *g, GemmDim *dim, uint32_t n)
{
	int in = pick(dim, n, SORT_N, true), im = pick(dim, n, SORT_M, true);
	bool panel = in >= 0 && dim[in].c == 1;
	if (!panel && im >= 0 && dim[im].c == 1) {
		gemm_swap(g, dim, n);
		panel = true;
	} else if (panel && im >= 0 && dim[im].c == 1 && dim[in].b != 1 && dim[im].a == 1) {
		gemm_swap(g, dim, n);
	}
	in = pick(dim, n, SORT_N, true);
	im = pick(dim, n, SORT_M, false);
	int ik = pick(dim, n, SORT_K, false);
	g->n = in >= 0 ? dim[in] : (GemmDim){.size = 1};
	g->m = im >= 0 ? dim[im] : (GemmDim){.size = 1};
	g->k = ik >= 0 ? dim[ik] : (GemmDim){.size = 1};
	bool dot = g->k.a == 1 && g->k.b == 1;
	if (dot && (!panel || g->n.size < 8 || (g->n.b != 1 && g->m.size < 8))) {
		g->form = GEMM_DOT;
	} else if (panel) {
		g->form = GEMM_PANEL;
		g->pack = g->n.b != 1;
	} else {
		return false;
	}
	g->outer = arena_array(p->plan->arena, GemmDim, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		if ((int)k != in && (int)k != im && (int)k != ik) {
			if (dim[k].tiled) {
				return false; /* a kernel for each sample: the array machine does
						 better */
			}
			g->outer[g->nouter++] = dim[k];
		}
	}
	return true;
}

/* Room for the kernel's panels. */
static void gemm_room(Planner *p, const Gemm *g)
{
	p->plan->cost.contractions++;
	size_t k = (size_t)g->k.size, n = (size_t)g->n.size;
	size_t pack = k * GEMM_WIDTH_MAX + (g->pack ? k * ((n + 7) / 8 * 8) : 0);
	p->plan->max_pack = pack > p->plan->max_pack ? pack : p->plan->max_pack;
}

/* What a contraction is added to: the rest of its definition's value, until something has put it in
 * place. */
typedef struct Rest {
	bool pending;
	Node value;
} Rest;

static void rest_emit(Planner *p, uint32_t number, uint32_t region, Rest *rest)
{
	if (!rest->pending) {
		return;
	}
	rest->pending = false;
	NestItem item = {number, region, rest->value, p->def[number].formal};
	double v;
	if (core_is_const(p->core, rest->value, &v) && v == 0) {
		plan_emit_zero(p, &item);
	} else {
		plan_emit_nest(p, 1, &item);
	}
}

/* The address of the rest, if it is one plain value in memory or zero; its strides go into dim. */
static bool rest_access(Product *w, const Rest *rest, Access *out)
{
	Planner *p = w->p;
	double v;
	*out = (Access){0};
	if (core_is_const(p->core, rest->value, &v)) {
		return v == 0;
	}
	if (!read_is_affine(p, rest->value, KIND_REAL)) {
		return false;
	}
	const NodeInfo *info = core_node(p->core, rest->value);
	const PDef *d = plan_def(p, info->ref);
	Affine *arg = arena_array(p->arena, Affine, d->rank + 1);
	for (uint32_t k = 0; k < d->rank; k++) {
		arg[k] = plan_affine(p, info->arg[k]);
		Interval have = plan_interval(p, info->arg[k]);
		Interval stored = d->mode == MODE_LEAF ? d->max[k] : d->dom[k];
		if (!interval_empty(have) && (have.lo < stored.lo || have.hi > stored.hi)) {
			return false;
		}
	}
	return plan_access(p, plan_view(p, d), d->rank, arg, w->ndim, w->dim, out);
}

/* The product as a kernel's work, or NULL; *empty if there is nothing to add. */
static Gemm *product_gemm(Product *w, const PDef *d, double alpha, const Rest *rest, bool *empty)
{
	Planner *p = w->p;
	Gemm *g = arena_new(p->plan->arena, Gemm);
	g->alpha = alpha;
	g->result = d->def;
	g->left = p->def[w->read[0]].def;
	g->right = p->def[w->read[1]].def;
	Affine *own = arena_array(p->arena, Affine, d->rank + 1);
	for (uint32_t k = 0; k < d->rank; k++) {
		own[k] = (Affine){.ok = true, .n = 1, .index = {d->formal[k]}, .coef = {1}};
	}
	if (!access_dims(w, 0, &g->a) || !access_dims(w, 1, &g->b) ||
	    !plan_access(p, plan_view(p, d), d->rank, own, w->ndim, w->dim, &g->c) ||
	    (w->read[2] && !access_dims(w, 2, &g->filter))) {
		return NULL;
	}
	bool whole = rest->pending && !w->cut && !w->read[2] && g->c.buffer->place != PLACE_BLOCK &&
		     rest_access(w, rest, &g->from);
	GemmDim *dim = arena_array(p->arena, GemmDim, w->ndim + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < w->ndim; k++) {
		*empty |= !w->dim[k].size;
		if (w->dim[k].size > 1 || w->dim[k].tiled) {
			dim[n++] =
				(GemmDim){.size = w->dim[k].size,
					  .tiled = w->dim[k].tiled,
					  .a = g->a.stride[k],
					  .b = g->b.stride[k],
					  .c = g->c.stride[k],
					  .from = whole && g->from.buffer ? g->from.stride[k] : 0,
					  .filter = w->read[2] ? g->filter.stride[k] : 0,
					  .index = w->dim[k].index};
		}
	}
	if (*empty || !gemm_shape(p, g, dim, gemm_merge(dim, n))) {
		return NULL;
	}
	g->fresh = whole && gemm_begins(g);
	return g;
}

static bool emit_product(Planner *p, uint32_t number, uint32_t region, const PDef *sum,
			 double alpha, Node product, Rest *rest)
{
	const PDef *d = &p->def[number];
	Product w = {.p = p};
	w.cond.cond = arena_alloc_n(p->plan->arena, 4, sizeof *w.cond.cond, alignof(max_align_t));
	product_dims(&w, d, d->region[region].box, sum);
	const NodeInfo *info = core_node(p->core, product);
	Node filter = 0;
	if (info->tag == NODE_GUARD) {
		filter = info->arg[0];
		info = core_node(p->core, info->arg[1]);
	}
	Node a = info->arg[0], b = info->arg[1];
	if (!product_read(&w, 0, a) || !product_read(&w, 1, b) ||
	    (filter && !product_read(&w, 2, filter))) {
		return false;
	}
	bool empty = false;
	Gemm *g = product_gemm(&w, d, alpha, rest, &empty);
	if (!g) {
		return empty;
	}
	if (g->fresh) {
		rest->pending = false;
	} else {
		rest_emit(p, number, region, rest);
	}
	gemm_room(p, g);
	Step *s = plan_step(p, STEP_GEMM);
	s->gemm = g;
	s->ncond = w.cond.ncond;
	s->cond = w.cond.cond;
	return true;
}

/* Whatever no kernel can do is summed by the array machine on top of what is there. */
static void emit_term(Planner *p, uint32_t number, uint32_t region, const PDef *sum, double alpha,
		      Node product, Rest *rest)
{
	if (emit_product(p, number, region, sum, alpha, product, rest)) {
		return;
	}
	rest_emit(p, number, region, rest);
	PDef kept = p->def[number], *d = &p->def[number];
	d->nbound = sum->nbound;
	d->bound = sum->bound;
	d->bounds = sum->bounds;
	d->red = RED_SUM;
	d->tiled = kept.tiled ? kept.tiled : sum->tiled;
	Node value = core_scale(p->core, alpha, product);
	plan_emit_sum(p, &(NestItem){number, region, value, d->formal});
	d = &p->def[number];
	d->nbound = kept.nbound;
	d->bound = kept.bound;
	d->bounds = kept.bounds;
	d->red = kept.red;
	d->tiled = kept.tiled;
}

/* A condition on a sum is one on each of its terms. */
static void emit_sum(Planner *p, uint32_t number, uint32_t region, const PDef *sum, double alpha,
		     Node filter, Node body, Rest *rest)
{
	const NodeInfo *info = core_node(p->core, body);
	if (info->tag == NODE_GUARD) {
		emit_sum(p, number, region, sum, alpha, info->arg[0], info->arg[1], rest);
		return;
	}
	if (info->tag != NODE_LIN) {
		Node term = filter ? core_guard(p->core, filter, body) : body;
		emit_term(p, number, region, sum, alpha, term, rest);
		return;
	}
	uint32_t n = info->n;
	for (uint32_t k = 0; k < n; k++) {
		info = core_node(p->core, body);
		double coef = info->coef[k];
		emit_sum(p, number, region, sum, alpha * coef, filter, info->arg[k], rest);
	}
}

typedef struct Terms {
	uint32_t n;
	Node *node;
	double *coef;
	Node rest;
} Terms;

/* A value as absorbed contractions with their coefficients, and the rest. */
static Terms split_value(Planner *p, Node value)
{
	const NodeInfo *info = core_node(p->core, value);
	uint32_t n = info->tag == NODE_LIN ? info->n : 0, nrest = 0;
	Terms t = {0, arena_array(p->arena, Node, n + 1), arena_array(p->arena, double, n + 1),
		   value};
	Node *rest = arena_array(p->arena, Node, n + 1);
	double *coef = arena_array(p->arena, double, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		const NodeInfo *r = core_node(p->core, info->arg[k]);
		if (r->tag == NODE_READ && plan_def(p, r->ref)->mode == MODE_ABSORBED) {
			t.coef[t.n] = info->coef[k];
			t.node[t.n++] = info->arg[k];
		} else {
			coef[nrest] = info->coef[k];
			rest[nrest++] = info->arg[k];
		}
	}
	if (n) {
		t.rest = core_lin(p->core, KIND_REAL, info->num, nrest, coef, rest);
	}
	return t;
}

void plan_emit_contract(Planner *p, uint32_t number, uint32_t region)
{
	PDef *d = &p->def[number];
	Node value = d->region[region].value;
	Rest rest = {true, core_real_const(p->core, 0)};
	if (d->red == RED_SUM) {
		PDef sum = *d;
		emit_sum(p, number, region, &sum, 1.0, 0, value, &rest);
		rest_emit(p, number, region, &rest);
		return;
	}
	Terms t = split_value(p, value);
	rest.value = t.rest;
	for (uint32_t k = 0; k < t.n; k++) {
		const PDef *sum = plan_def(p, core_node(p->core, t.node[k])->ref);
		Node *args = arena_array(p->arena, Node, sum->rank + 1);
		memcpy(args, core_node(p->core, t.node[k])->arg, sum->rank * sizeof *args);
		Node body = core_subst(p->core, sum->region[0].value, sum->rank, sum->formal, args);
		emit_sum(p, number, region, sum, t.coef[k], 0, body, &rest);
	}
	rest_emit(p, number, region, &rest);
}
