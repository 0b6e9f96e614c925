/* claims_sample.c — random points for claims: every number is addressed by (seed, claim and
 * variable, trial, element). */
#include "compiler/claims_int.h"
#include "runtime/linalg.h"
#include "runtime/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t stream_of(const Run *r, const Claim *c, Sym name)
{
	char text[512];
	int n = snprintf(text, sizeof text, "%.200s/%.200s", c->text, run_name(r, name));
	return rng_stream(text, (size_t)n);
}

static double spread(RngAddress at, double lo, double hi)
{
	if (isfinite(lo) && isfinite(hi)) {
		return lo + (hi - lo) * rng_uniform(at);
	}
	double z = rng_normal(at);
	return isfinite(lo) ? lo + fabs(z) : isfinite(hi) ? hi - fabs(z) : z;
}

static void put(const Run *r, Def leaf, size_t i, double v)
{
	if (core_def(r->core, leaf)->kind == KIND_REAL) {
		store_real(r->store, leaf)[i] = v;
	} else {
		store_int(r->store, leaf)[i] = (int64_t)v;
	}
}

static double integer_between(RngAddress at, double lo, double hi)
{
	return lo + (double)rng_below(at, (uint64_t)(hi - lo) + 1);
}

static double element(const Run *r, const SampleVar *v, RngAddress at)
{
	switch (v->kind) {
	case SAMPLE_INTEGER:
		return integer_between(at, v->lo, v->hi);
	case SAMPLE_SPIN:
		return rng_below(at, 2) ? 1 : -1;
	case SAMPLE_BOOL:
		return (double)rng_below(at, 2);
	case SAMPLE_RECORD: {
		const AxisInfo *a = core_axis_info(r->core, v->data->records);
		return (double)a->first + (double)rng_below(at, (uint64_t)a->size);
	}
	case SAMPLE_VECTOR:
		return rng_normal(at);
	default:
		return spread(at, v->lo, v->hi);
	}
}

/* Haar distributed: the Q of a matrix of normals; of SO(d) if `proper`: the first column turned
 * where det = -1. */
static bool orthogonal(Run *r, const SampleVar *v, RngAddress at, bool proper)
{
	size_t n = store_count(r->store, v->leaf), d = (size_t)llround(sqrt((double)n));
	double *q = store_real(r->store, v->leaf), logdet, sign = 1;
	double *a = rt_alloc(n, sizeof *a);
	RtError err = {.text = "not enough memory"};
	bool ok = a != NULL;
	if (ok) {
		rng_fill_normal(at, n, a);
		ok = la_orthogonal(d, d, a, q, &err) == RT_OK &&
		     la_logdet(d, q, &logdet, &sign, &err) == RT_OK;
	}
	for (size_t i = 0; ok && proper && sign < 0 && i < d; i++) {
		q[i * d] = -q[i * d];
	}
	if (!ok) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, err.text);
	}
	free(a);
	return ok;
}

/* Places of the axis that the record of this trial has: all, unless the axis is sized by record. */
static size_t places(const Run *r, const Claim *c, const SampleVar *v, const AxisInfo *a)
{
	size_t n = store_count(r->store, v->leaf);
	for (uint32_t k = 0; v->data && a->length && k < c->nvar; k++) {
		const SampleVar *record = &c->var[k];
		if (record->kind == SAMPLE_RECORD && record->data == v->data &&
		    store_has(r->store, a->length)) {
			int64_t row = store_int(r->store, record->leaf)[0] -
				      core_axis_info(r->core, v->data->records)->first;
			return (size_t)store_int(r->store, a->length)[row];
		}
	}
	return n;
}

static bool permutation(Run *r, const Claim *c, const SampleVar *v, RngAddress at)
{
	size_t n = store_count(r->store, v->leaf), *order = rt_alloc(n, sizeof *order);
	if (!order) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "a permutation");
		return false;
	}
	Index i = core_def(r->core, v->leaf)->index[0];
	const AxisInfo *a = core_axis_info(r->core, core_index_axis(r->core, i));
	double first = (double)a->first;
	size_t moved = places(r, c, v, a);
	if (moved) {
		rng_permutation(at.seed, at.stream, at.step, moved, order);
	}
	for (size_t k = 0; k < n; k++) {
		put(r, v->leaf, k, first + (double)(k < moved ? order[k] : k));
	}
	free(order);
	return true;
}

bool sample_point(Run *r, const Claim *c, uint64_t trial)
{
	/* Permutations come last: how much they move depends on the record. */
	for (uint32_t j = 0; j < 2 * c->nvar; j++) {
		const SampleVar *v = &c->var[j % c->nvar];
		if ((v->kind == SAMPLE_PERMUTATION) != (j >= c->nvar)) {
			continue;
		}
		RngAddress at = {r->e->options.seed, stream_of(r, c, v->name), trial, {0, 0, 0, 0}};
		bool ok = true;
		if (v->kind == SAMPLE_ROTATION || v->kind == SAMPLE_ORTHOGONAL) {
			ok = orthogonal(r, v, at, v->kind == SAMPLE_ROTATION);
		} else if (v->kind == SAMPLE_PERMUTATION) {
			ok = permutation(r, c, v, at);
		} else {
			for (size_t i = 0; i < store_count(r->store, v->leaf); i++) {
				at.index[0] = i;
				put(r, v->leaf, i, element(r, v, at));
			}
		}
		if (!ok) {
			return false;
		}
	}
	return true;
}

/* ---- parameters ---- */

bool params_keep(Run *r, const Claim *c, MovedParams *m)
{
	const Def def[] = {c->left, c->right, c->condition};
	memset(m, 0, sizeof *m);
	m->param = rt_alloc(r->program->nparam, sizeof *m->param);
	size_t count = 0;
	for (uint32_t k = 0; m->param && k < r->program->nparam; k++) {
		ParamInfo *p = r->program->param[k];
		bool reached = false;
		for (size_t j = 0; j < sizeof def / sizeof *def && !reached; j++) {
			reached = def[j] &&
				  core_depends(r->core,
					       core_read_plain(r->core, def[j],
							       core_def(r->core, def[j])->index),
					       p->leaf);
		}
		if (reached) {
			m->param[m->n++] = p;
			count += store_count(r->store, p->leaf);
		}
	}
	m->value = rt_alloc(count, sizeof *m->value);
	if (!m->param || !m->value) {
		params_release(m);
		diag_out_of_memory(r->e->ctx.diags, c->span, "a claim");
		return false;
	}
	double *to = m->value;
	for (uint32_t k = 0; k < m->n; k++) {
		size_t n = store_count(r->store, m->param[k]->leaf);
		memcpy(to, store_real(r->store, m->param[k]->leaf), n * sizeof *to);
		to += n;
	}
	return true;
}

void params_back(Run *r, const MovedParams *m)
{
	const double *from = m->value;
	for (uint32_t k = 0; k < m->n; k++) {
		size_t n = store_count(r->store, m->param[k]->leaf);
		memcpy(store_real(r->store, m->param[k]->leaf), from, n * sizeof *from);
		from += n;
	}
}

/* Each entry v becomes v + (0.3 + |v|) times a normal number. */
bool params_move(Run *r, const MovedParams *m, uint64_t trial)
{
	params_back(r, m);
	for (uint32_t k = 0; k < m->n; k++) {
		const char *path = run_name(r, m->param[k]->path);
		double *v = store_real(r->store, m->param[k]->leaf);
		RngAddress at = {r->e->options.seed,
				 rng_stream(path, strlen(path)) + 1,
				 trial,
				 {0, 0, 0, 0}};
		for (size_t i = 0; i < store_count(r->store, m->param[k]->leaf); i++) {
			at.index[0] = i;
			v[i] += (0.3 + fabs(v[i])) * rng_normal(at);
		}
		if (!params_retract(r, m->param[k])) {
			return false;
		}
	}
	return true;
}

void params_release(MovedParams *m)
{
	free(m->param);
	free(m->value);
	memset(m, 0, sizeof *m);
}
