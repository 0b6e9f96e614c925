/* run_params.c — parameters: initial values, constraints, the statement `set`.
 *
 * A leaf holds the numbers that are trained; the program reads `value`, a definition of the leaf.
 * Initial values and files speak of what the program reads, so they pass through the inverse of the
 * constraint here: positive x = exp(leaf), simplex = softmax(leaf): leaf = log x; symmetric,
 * antisymmetric: the upper triangle; circulant: the first row; orthogonal: kept by replacing the
 * matrix by the Q of its QR factors. */
#include "compiler/data_load.h"
#include "compiler/run_int.h"
#include "runtime/linalg.h"
#include "runtime/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool out_of_memory(Run *r, const ParamInfo *p)
{
	diag_out_of_memory(r->e->ctx.diags, p->span, run_name(r, p->path));
	return false;
}

/* Rows and columns of a leaf as a matrix: the first axis, and the product of the others. */
static void matrix_shape(const Run *r, const ParamInfo *p, size_t *rows, size_t *columns)
{
	uint32_t n = core_def(r->core, p->leaf)->nindex;
	size_t count = store_count(r->store, p->leaf);
	*rows = n ? (size_t)data_leaf_size(r, p->leaf, 0) : 1;
	*columns = *rows ? count / *rows : 0;
}

static bool orthogonalise(Run *r, ParamInfo *p)
{
	size_t m, n;
	matrix_shape(r, p, &m, &n);
	if (m == 0 || n == 0) {
		return true;
	}
	double *q = rt_alloc(m * n, sizeof *q);
	if (!q) {
		return out_of_memory(r, p);
	}
	RtError err;
	double *leaf = store_real(r->store, p->leaf);
	RtStatus status = la_orthogonal(m, n, leaf, q, &err);
	if (status == RT_OK) {
		memcpy(leaf, q, m * n * sizeof *q);
	} else {
		diag_param_value(r->e->ctx.diags, p->span, run_name(r, p->path), err.text);
	}
	free(q);
	return status == RT_OK;
}

bool params_retract(Run *r, ParamInfo *p)
{
	return (p->constraint & CONSTRAINT_ORTHOGONAL) == 0 || orthogonalise(r, p);
}

/* A matrix of independent normals, then its Q: uniformly distributed over the orthogonal matrices.
 */
static bool init_orthogonal(Run *r, ParamInfo *p, uint64_t seed)
{
	const char *path = run_name(r, p->path);
	RngAddress at = {seed, rng_stream(path, strlen(path)), 0, {0, 0, 0, 0}};
	rng_fill_normal(at, store_count(r->store, p->leaf), store_real(r->store, p->leaf));
	return orthogonalise(r, p);
}

/* Are the dimensions those of the parameter's axes, but for axes of length one? */
static bool shape_fits(const Run *r, Def value, const RtColumn *col)
{
	uint32_t n = core_def(r->core, value)->nindex, k = 0;
	size_t count = 0;
	for (unsigned d = 0; d < col->ndim; d++) {
		while (k < n && data_leaf_size(r, value, k) == 1 && col->dim[d] != 1) {
			k++;
		}
		if (k < n && (int64_t)col->dim[d] == data_leaf_size(r, value, k)) {
			k++;
		} else if (col->dim[d] != 1) {
			return false;
		}
	}
	while (k < n && data_leaf_size(r, value, k) == 1) {
		k++;
	}
	return k == n && !col->offsets && eval_count(r, value, &count) && col->count == count;
}

static bool init_from_file(Run *r, ParamInfo *p)
{
	const char *path = engine_in_path(r->e, run_name(r, p->init_file));
	RtTable *t;
	RtError err;
	if (rt_table_load(path, NULL, &t, &err) != RT_OK) {
		run_rt_error(r, p->span, &err);
		return false;
	}
	const RtColumn *col = t->ncolumns == 1 ? &t->column[0] : NULL;
	double *value = col ? rt_alloc(col->count, sizeof *value) : NULL;
	bool ok = value && col->type != RT_STRING && shape_fits(r, p->value, col);
	for (size_t k = 0; ok && k < col->count; k++) {
		value[k] =
			col->type == RT_REAL ? col->values.real[k] : (double)col->values.integer[k];
	}
	if (ok) {
		ok = params_from_values(r, p, value);
	} else if (!col) {
		diag_data_file(r->e->ctx.diags, p->span, path,
			       "a parameter is read from a file of one array");
	} else if (!value) {
		out_of_memory(r, p);
	} else {
		diag_data_shape(r->e->ctx.diags, p->span, run_name(r, p->path),
				data_column_shape(r, col, 0), data_leaf_shape(r, p->value, 0));
	}
	free(value);
	rt_table_free(t);
	return ok;
}

static bool bad_value(Run *r, const ParamInfo *p, size_t k, double v, const char *must)
{
	const char *why = arena_printf(r->e->arena, "entry %zu is %.6g, and every entry must be %s",
				       k + 1, v, must);
	diag_param_value(r->e->ctx.diags, p->span, run_name(r, p->path), why);
	return false;
}

/* Where entry k of what the program reads is stored, and with which sign. */
static size_t stored_at(const Run *r, const ParamInfo *p, size_t k, size_t n, double *sign)
{
	size_t rows, columns;
	*sign = 1;
	if (p->constraint & (CONSTRAINT_SYMMETRIC | CONSTRAINT_ANTISYMMETRIC)) {
		matrix_shape(r, p, &rows, &columns);
		size_t i = k / columns, j = k % columns;
		if (i > j) {
			*sign = p->constraint & CONSTRAINT_ANTISYMMETRIC ? -1 : 1;
			return j * columns + i;
		}
	}
	if (p->constraint & CONSTRAINT_CIRCULANT) {
		size_t side = (size_t)llround(sqrt((double)n));
		size_t i = k / side, j = k % side;
		return (j + side - i) % side;
	}
	return k;
}

/* Entries below the diagonal of a symmetric matrix, and all but the first row of a circulant one,
 * repeat what is stored. */
static bool repeats(const ParamInfo *p, size_t k, size_t side)
{
	if (p->constraint & (CONSTRAINT_SYMMETRIC | CONSTRAINT_ANTISYMMETRIC)) {
		return k / side > k % side;
	}
	return (p->constraint & CONSTRAINT_CIRCULANT) && k >= side;
}

bool params_from_values(Run *r, ParamInfo *p, const double *value)
{
	double *leaf = store_real(r->store, p->leaf), sign;
	size_t n, side;
	if (!eval_count(r, p->value, &n)) {
		return false;
	}
	side = (size_t)llround(sqrt((double)n));
	memset(leaf, 0, store_count(r->store, p->leaf) * sizeof *leaf);
	bool logs = (p->constraint & (CONSTRAINT_POSITIVE | CONSTRAINT_SIMPLEX)) != 0;
	for (size_t k = 0; k < n; k++) {
		if (!isfinite(value[k])) {
			return bad_value(r, p, k, value[k], "finite");
		}
		if (logs && value[k] <= 0) {
			return bad_value(r, p, k, value[k], "positive");
		}
		if (!repeats(p, k, side)) {
			leaf[stored_at(r, p, k, n, &sign)] = logs ? log(value[k]) : value[k];
		}
	}
	return params_retract(r, p);
}

static bool by_formula(const ParamInfo *p)
{
	return p->init && !p->init_file && !p->init_orthogonal;
}

Plan *params_init_plan(Run *r, const void *key, uint32_t n, ParamInfo **param, bool *none)
{
	PlanOutput *out = rt_alloc(n, sizeof *out);
	uint32_t count = 0;
	*none = false;
	if (!out) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "initial values");
		return NULL;
	}
	for (uint32_t k = 0; k < n; k++) {
		if (by_formula(param[k])) {
			out[count++] = (PlanOutput){param[k]->init, 0};
		}
	}
	Plan *plan = !count ? NULL
		     : key  ? eval_cached(r, key, 0, count, out)
			    : eval_plan(r, count, out);
	*none = !count;
	free(out);
	return plan;
}

static bool init_by_formulas(Run *r, const void *key, uint32_t n, ParamInfo **param, uint64_t seed)
{
	bool none;
	Plan *plan = params_init_plan(r, key, n, param, &none);
	bool ok = none || (plan && eval_run_at(r, plan, seed, 0));
	for (uint32_t k = 0, output = 0; ok && k < n; k++) {
		if (by_formula(param[k])) {
			ok = params_from_values(r, param[k], plan_real(plan, output++));
		}
	}
	if (!key) {
		plan_free(plan);
	}
	return ok;
}

static bool init_otherwise(Run *r, ParamInfo *p, uint64_t seed)
{
	if (p->init_file) {
		return init_from_file(r, p);
	}
	if (p->init_orthogonal) {
		return init_orthogonal(r, p, seed);
	}
	memset(store_real(r->store, p->leaf), 0, store_count(r->store, p->leaf) * sizeof(double));
	return params_retract(r, p);
}

bool params_reset(Run *r, const void *key, uint32_t n, ParamInfo **param, uint64_t seed)
{
	if (!init_by_formulas(r, key, n, param, seed)) {
		return false;
	}
	for (uint32_t k = 0; k < n; k++) {
		if (!by_formula(param[k]) && !init_otherwise(r, param[k], seed)) {
			return false;
		}
	}
	return true;
}

bool params_prepare(Run *r)
{
	const Program *p = r->program;
	ParamInfo **fresh = rt_alloc(p->nparam, sizeof *fresh);
	uint32_t n = 0;
	bool ok = fresh != NULL;
	for (uint32_t k = 0; ok && k < p->nparam; k++) {
		if (!store_has(r->store, p->param[k]->leaf)) {
			ok = store_alloc(r->store, p->param[k]->leaf);
			fresh[n++] = p->param[k];
		}
	}
	if (!ok) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "the parameters");
	}
	ok = ok && params_reset(r, NULL, n, fresh, r->seed);
	free(fresh);
	return ok;
}

Plan *params_set_plan(Run *r, const Stmt *s)
{
	PlanOutput out[2] = {{s->u.set.cond, 0}, {s->u.set.value, 0}};
	return eval_cached(r, s, 0, 2, out);
}

bool params_set(Run *r, const Stmt *s)
{
	ParamInfo *p = s->u.set.param;
	Plan *plan = params_set_plan(r, s);
	if (!plan || !eval_run(r, plan, 0)) {
		return false;
	}
	double *leaf = store_real(r->store, p->leaf);
	size_t n = plan_count(plan, 0);
	bool logs = (p->constraint & (CONSTRAINT_POSITIVE | CONSTRAINT_SIMPLEX)) != 0;
	for (size_t k = 0; k < n; k++) {
		if (eval_real(r, plan, 0, s->u.set.cond, k) == 0) {
			continue;
		}
		double v = eval_real(r, plan, 1, s->u.set.value, k), sign;
		if (!isfinite(v) || (logs && v <= 0)) {
			return bad_value(r, p, k, v, logs ? "positive" : "finite");
		}
		size_t at = stored_at(r, p, k, n, &sign);
		leaf[at] = logs ? log(v) : sign * v;
	}
	return params_retract(r, p);
}
