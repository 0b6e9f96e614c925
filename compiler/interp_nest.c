/* interp_nest.c — nests: counters over the outer dimensions, strips of lanes, accumulators of
 * reductions. */
#include "compiler/interp_int.h"
#include "runtime/rt.h"
#include <math.h>
#include <string.h>

typedef int64_t Int __attribute__((may_alias));

double *access_pointer(const Worker *w, const Access *a)
{
	int64_t at = a->base;
	for (uint32_t k = 0; k < a->nslot; k++) {
		at += a->slot[k].coef * w->slot[a->slot[k].slot];
	}
	return w->base[a->buffer->id] + at;
}

/* ---- joining values ---- */

int64_t red_neutral(RedKind red, bool integer)
{
	double r;
	switch (red) {
	case RED_PROD:
		r = 1.0;
		break;
	case RED_MAX:
	case RED_ARGMAX:
	case RED_LOGSUMEXP:
		r = -INFINITY;
		break;
	case RED_MIN:
	case RED_ARGMIN:
		r = INFINITY;
		break;
	default:
		r = 0.0;
		break;
	}
	int64_t bits;
	memcpy(&bits, &r, sizeof bits);
	if (!integer) {
		return bits;
	}
	switch (red) {
	case RED_PROD:
	case RED_ALL:
		return 1;
	case RED_MAX:
	case RED_ARGMAX:
		return INT64_MIN;
	case RED_MIN:
	case RED_ARGMIN:
		return INT64_MAX;
	default:
		return 0;
	}
}

static double join_real(RedKind red, double a, double b)
{
	switch (red) {
	case RED_PROD:
		return a * b;
	case RED_MAX:
		return b > a || b != b ? (a != a ? a : b) : a;
	case RED_MIN:
		return b < a || b != b ? (a != a ? a : b) : a;
	default:
		return a + b;
	}
}

static bool join_int(RedKind red, int64_t a, int64_t b, int64_t *r)
{
	switch (red) {
	case RED_PROD:
		return !__builtin_mul_overflow(a, b, r);
	case RED_MAX:
		*r = a > b ? a : b;
		return true;
	case RED_MIN:
		*r = a < b ? a : b;
		return true;
	case RED_ALL:
		*r = a & b;
		return true;
	case RED_ANY:
		*r = a | b;
		return true;
	default:
		return !__builtin_add_overflow(a, b, r);
	}
}

bool red_join(RedKind red, bool integer, size_t n, void *to, int64_t stride, const void *from,
	      int64_t from_stride)
{
	bool good = true;
	if (integer) {
		Int *t = to;
		const Int *f = from;
		for (size_t i = 0; i < n; i++) {
			int64_t r;
			good &= join_int(red, t[(int64_t)i * stride], f[(int64_t)i * from_stride],
					 &r);
			t[(int64_t)i * stride] = r;
		}
		return good;
	}
	double *t = to;
	const double *f = from;
	if (red == RED_SUM) {
		for (size_t i = 0; i < n; i++) {
			t[(int64_t)i * stride] += f[(int64_t)i * from_stride];
		}
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		t[(int64_t)i * stride] =
			join_real(red, t[(int64_t)i * stride], f[(int64_t)i * from_stride]);
	}
	return true;
}

/* ---- one program over lanes ---- */

static void nest_fail(Worker *w, const Nest *nest, const Instr *at, int64_t value)
{
	if (!w->failed.nest) {
		w->failed.nest = nest;
		w->failed.at = at;
		w->failed.value = value;
	}
}

static void run_code(Worker *w, const Nest *nest, size_t n)
{
	vm_run(&w->cx, nest->code, nest->ncode, w->ptr, n);
	if (w->cx.failed) {
		nest_fail(w, nest, w->cx.failed, w->cx.value);
		w->cx.failed = NULL;
	}
}

static int64_t dim_size(const Worker *w, const Dim *d)
{
	return d->tiled ? w->lanes : d->size;
}

static int64_t dim_label(const Worker *w, const Dim *d)
{
	return d->lo + (d->tiled ? w->slot[d->slot] : 0);
}

/* Operand table: registers, then the first element of each access, then constants. */
static void nest_operands(Worker *w, const Nest *nest)
{
	void **ptr = w->ptr;
	double *reg = w->reg;
	for (uint32_t k = 0; k < nest->nreg; k++) {
		*ptr++ = reg;
		reg += nest->strip;
	}
	for (uint32_t k = 0; k < nest->nuniform; k++) {
		*ptr++ = reg++;
	}
	for (uint32_t k = 0; k < nest->naccess; k++) {
		w->outer[k] = access_pointer(w, &nest->access[k]);
		*ptr++ = w->outer[k];
	}
	for (uint32_t k = 0; k < nest->nconst; k++) {
		*ptr++ = &nest->constant[k];
	}
}

/* Moves a set of pointers to the next counters; false when all are done. Strides of access k along
 * d: stride[k][d]. */
static bool advance(Worker *w, const Nest *nest, uint32_t from, uint32_t to, double **at)
{
	for (uint32_t d = to; d-- > from;) {
		int64_t size = dim_size(w, &nest->dim[d]);
		w->count[d]++;
		w->label[d]++;
		if (w->count[d] < size) {
			for (uint32_t k = 0; k < nest->naccess; k++) {
				at[k] += nest->access[k].stride[d];
			}
			return true;
		}
		w->label[d] -= w->count[d];
		w->count[d] = 0;
		for (uint32_t k = 0; k < nest->naccess; k++) {
			at[k] -= (size - 1) * nest->access[k].stride[d];
		}
	}
	return false;
}

static bool has_empty(const Worker *w, const Nest *nest, uint32_t from, uint32_t to)
{
	for (uint32_t d = from; d < to; d++) {
		if (dim_size(w, &nest->dim[d]) <= 0) {
			return true;
		}
	}
	return false;
}

/* ---- pointwise ---- */

static void pointwise_strips(Worker *w, const Nest *nest, double *const *at, const int64_t *lane,
			     size_t lane_step, int64_t n)
{
	void **ptr = w->ptr + nest->nreg + nest->nuniform;
	const uint32_t last = nest->ndim - 1;
	int64_t first = w->label[last];
	for (int64_t s = 0; s < n; s += nest->strip) {
		for (uint32_t k = 0; k < nest->naccess; k++) {
			ptr[k] = at[k] + s * lane[k * lane_step];
		}
		w->label[last] = first + s;
		run_code(w, nest, (size_t)(n - s < nest->strip ? n - s : nest->strip));
	}
	w->label[last] = first;
}

static void run_flat(Worker *w, const Nest *nest)
{
	const uint32_t n = nest->flat_ndim;
	const int64_t *stride = nest->flat_stride;
	for (uint32_t d = 0; d < n; d++) {
		if (nest->flat_size[d] <= 0) {
			return;
		}
		w->count[d] = 0;
	}
	for (;;) {
		pointwise_strips(w, nest, w->outer, stride + n - 1, n, nest->flat_size[n - 1]);
		uint32_t d = n - 1;
		while (d-- > 0) {
			if (++w->count[d] < nest->flat_size[d]) {
				for (uint32_t k = 0; k < nest->naccess; k++) {
					w->outer[k] += stride[k * n + d];
				}
				break;
			}
			w->count[d] = 0;
			for (uint32_t k = 0; k < nest->naccess; k++) {
				w->outer[k] -= (nest->flat_size[d] - 1) * stride[k * n + d];
			}
		}
		if (d == UINT32_MAX) {
			return;
		}
	}
}

static void lane_strides(const Nest *nest, int64_t *lane)
{
	for (uint32_t k = 0; k < nest->naccess; k++) {
		lane[k] = nest->access[k].stride[nest->ndim - 1];
	}
}

static void run_pointwise(Worker *w, const Nest *nest)
{
	const uint32_t last = nest->ndim - 1;
	int64_t n = dim_size(w, &nest->dim[last]);
	if (n <= 0 || has_empty(w, nest, 0, last)) {
		return;
	}
	lane_strides(nest, w->lane);
	do {
		pointwise_strips(w, nest, w->outer, w->lane, 1, n);
	} while (advance(w, nest, 0, last, w->outer));
}

/* ---- reductions ---- */

typedef struct Red {
	Worker *w;
	const Nest *nest;
	void *acc, *acc2;
	const void *value, *filter;
	uint32_t label_dim; /* argmax: the bound dimension */
} Red;

static void fill_bits(void *y, int64_t bits, size_t n)
{
	Int *to = y;
	for (size_t l = 0; l < n; l++) {
		to[l] = bits;
	}
}

static const int64_t UNSET = INT64_MIN; /* argmax: no lane has taken part yet */

/* Does value b come before a in an argmax or argmin? Reals that are not numbers never do. */
static bool comes_before(const Nest *nest, int64_t b, int64_t a)
{
	bool max = nest->red == RED_ARGMAX;
	if (nest->integer) {
		return max ? b > a : b < a;
	}
	double x, y;
	memcpy(&x, &b, sizeof x);
	memcpy(&y, &a, sizeof y);
	return max ? x > y : x < y;
}

static void arg_lanes(const Red *r, size_t n)
{
	const Nest *nest = r->nest;
	const size_t sv = !nest->value_lone, sf = !nest->filter_lone;
	const Int *v = r->value, *f = r->filter;
	Int *best = r->acc, *where = r->acc2;
	int64_t label = r->w->label[r->label_dim];
	for (size_t l = 0; l < n; l++) {
		if ((!f || f[l * sf]) &&
		    (where[l] == UNSET || comes_before(nest, v[l * sv], best[l]))) {
			best[l] = v[l * sv];
			where[l] = label + (nest->lane_bound ? (int64_t)l : 0);
		}
	}
}

/* One pass of a reduction other than a sum of reals: the lanes of value join the accumulators. */
static void join_lanes(const Red *r, size_t n)
{
	const Nest *nest = r->nest;
	const size_t sv = !nest->value_lone, sf = !nest->filter_lone;
	const Int *f = r->filter;
	RedKind red = nest->red == RED_LOGSUMEXP ? RED_MAX : nest->red;
	if (red == RED_ARGMAX || red == RED_ARGMIN) {
		arg_lanes(r, n);
		return;
	}
	if (!f) {
		if (!red_join(red, nest->integer, n, r->acc, 1, r->value, (int64_t)sv)) {
			nest_fail(r->w, nest, NULL, 0);
		}
		return;
	}
	for (size_t l = 0; l < n; l++) {
		if (f[l * sf] && !red_join(red, nest->integer, 1, (Int *)r->acc + l, 1,
					   (const Int *)r->value + l * sv, 0)) {
			nest_fail(r->w, nest, NULL, 0);
		}
	}
}

/* The second pass of logsumexp: acc2 += exp(value - acc); with the lanes summed over, acc[0] is the
 * greatest of all. */
static void exp_lanes(const Red *r, size_t n)
{
	const Nest *nest = r->nest;
	const size_t sv = !nest->value_lone, sf = !nest->filter_lone, sm = !nest->lane_bound;
	const double *v = r->value, *m = r->acc;
	const Int *f = r->filter;
	double *t = r->w->temp, *sum = r->acc2;
	for (size_t l = 0; l < n; l++) {
		t[l] = v[l * sv] - m[l * sm];
	}
	vm_exp(n, t, t);
	for (size_t l = 0; l < n; l++) {
		sum[l] += f && !f[l * sf] ? 0.0 : t[l];
	}
}

static double lse_value(double m, double sum)
{
	return isinf(m) || m != m ? m : m + log(sum);
}

/* All bound counters and, if the lanes are bound, all strips; pass 1 is the second one of
 * logsumexp. */
static void bound_pass(Red *r, int64_t s, int64_t n, int pass)
{
	Worker *w = r->w;
	const Nest *nest = r->nest;
	const uint32_t last = nest->ndim - 1;
	void **ptr = w->ptr + nest->nreg + nest->nuniform;
	if (has_empty(w, nest, nest->nformal, last)) {
		return;
	}
	bool native = nest->red != RED_SUM || nest->integer;
	int64_t first = w->label[last], end = nest->lane_bound ? n : s + 1;
	memcpy(w->inner, w->outer, nest->naccess * sizeof *w->inner);
	do {
		for (int64_t at = s; at < end; at += nest->strip) {
			for (uint32_t k = 0; k < nest->naccess; k++) {
				ptr[k] = w->inner[k] + at * w->lane[k];
			}
			size_t lanes = (size_t)(n - at < nest->strip ? n - at : nest->strip);
			w->label[last] = first + at;
			run_code(w, nest, lanes);
			if (native) { /* the operands may lie in memory: their places move with the
					 lanes */
				r->value = w->ptr[nest->value];
				r->filter =
					nest->filter == OPERAND_NONE ? NULL : w->ptr[nest->filter];
				(pass ? exp_lanes : join_lanes)(r, lanes);
			}
		}
		w->label[last] = first;
	} while (advance(w, nest, nest->nformal, last, w->inner));
}

/* The accumulators of all lanes as one, in a fixed tree. */
static void fold_lanes(const Red *r, void *acc, RedKind red, size_t n)
{
	while (n > 1) {
		size_t half = (n + 1) / 2;
		if (!red_join(red, r->nest->integer, n - half, acc, 1, (Int *)acc + half, 1)) {
			nest_fail(r->w, r->nest, NULL, 0);
		}
		n = half;
	}
}

static void fold_arg(const Red *r, size_t n)
{
	Int *best = r->acc, *where = r->acc2;
	for (size_t l = 1; l < n; l++) {
		bool better = where[l] != UNSET &&
			      (where[0] == UNSET || comes_before(r->nest, best[l], best[0]) ||
			       (!comes_before(r->nest, best[0], best[l]) && where[l] < where[0]));
		if (better) {
			best[0] = best[l];
			where[0] = where[l];
		}
	}
}

static void red_begin(const Red *r, size_t n)
{
	const Nest *nest = r->nest;
	fill_bits(r->acc, red_neutral(nest->red, nest->integer), n);
	if (nest->red == RED_ARGMAX || nest->red == RED_ARGMIN) {
		fill_bits(r->acc2, UNSET, n);
	} else if (nest->red == RED_LOGSUMEXP) {
		fill_bits(r->acc2, 0, n);
	}
}

/* From accumulators to results in acc (ints for argmax). */
static void red_end(const Red *r, size_t n)
{
	const Nest *nest = r->nest;
	if (nest->red == RED_ARGMAX || nest->red == RED_ARGMIN) {
		Int *to = r->acc;
		const Int *where = r->acc2;
		for (size_t l = 0; l < n; l++) {
			to[l] = where[l] == UNSET ? nest->dim[r->label_dim].lo : where[l];
		}
	} else if (nest->red == RED_LOGSUMEXP) {
		double *to = r->acc;
		const double *sum = r->acc2;
		for (size_t l = 0; l < n; l++) {
			to[l] = lse_value(to[l], sum[l]);
		}
	}
}

static void red_store(const Red *r, double *to, int64_t stride, size_t n)
{
	const Nest *nest = r->nest;
	bool integer = nest->integer || nest->red == RED_ARGMAX || nest->red == RED_ARGMIN;
	if (nest->accumulate) {
		if (!red_join(nest->red, integer, n, to, stride, r->acc, 1)) {
			nest_fail(r->w, nest, NULL, 0);
		}
		return;
	}
	Int *y = (void *)to;
	const Int *x = r->acc;
	for (size_t l = 0; l < n; l++) {
		y[(int64_t)l * stride] = x[l];
	}
}

/* One element (lanes bound) or one strip of elements. */
static void reduce_at(Red *r, int64_t s, int64_t n)
{
	const Nest *nest = r->nest;
	Worker *w = r->w;
	int64_t width = n - s < nest->strip ? n - s : nest->strip;
	size_t lanes = (size_t)(width < 1 ? 1 : width);
	red_begin(r, lanes);
	bound_pass(r, s, n, 0);
	if (nest->lane_bound) {
		if (nest->red == RED_ARGMAX || nest->red == RED_ARGMIN) {
			fold_arg(r, lanes);
		} else {
			fold_lanes(r, r->acc, nest->red == RED_LOGSUMEXP ? RED_MAX : nest->red,
				   lanes);
		}
	}
	if (nest->red == RED_LOGSUMEXP) {
		bound_pass(r, s, n, 1);
		if (nest->lane_bound) {
			fold_lanes(r, r->acc2, RED_SUM, lanes);
		}
	}
	red_end(r, nest->lane_bound ? 1 : lanes);
	double *to = w->outer[nest->out] + (nest->lane_bound ? 0 : s * w->lane[nest->out]);
	red_store(r, to, nest->lane_bound ? 1 : w->lane[nest->out], nest->lane_bound ? 1 : lanes);
}

static void run_reduction(Worker *w, const Nest *nest)
{
	const uint32_t last = nest->ndim - 1;
	int64_t n = dim_size(w, &nest->dim[last]);
	if (has_empty(w, nest, 0, nest->nformal) || (!nest->lane_bound && n <= 0)) {
		return;
	}
	lane_strides(nest, w->lane);
	Red r = {.w = w, .nest = nest, .acc = w->ptr[nest->acc]};
	r.acc2 = nest->acc2 == OPERAND_NONE ? NULL : w->ptr[nest->acc2];
	r.label_dim = nest->lane_bound ? last : nest->nformal;
	do {
		for (int64_t s = 0; s == 0 || (s < n && !nest->lane_bound); s += nest->strip) {
			reduce_at(&r, s, n);
		}
	} while (advance(w, nest, 0, nest->nformal, w->outer));
}

void nest_run(Worker *w, const Nest *nest)
{
	nest_operands(w, nest);
	w->cx.label = w->label;
	w->cx.slot = w->slot;
	bool full = true;
	for (uint32_t d = 0; d < nest->ndim; d++) {
		w->count[d] = 0;
		w->label[d] = dim_label(w, &nest->dim[d]);
		full &= !nest->dim[d].tiled || w->lanes == w->width;
	}
	if (nest->acc != OPERAND_NONE) {
		run_reduction(w, nest);
	} else if (nest->flat && full) {
		run_flat(w, nest);
	} else {
		run_pointwise(w, nest);
	}
}
