/* ref_eval.c — see ref_eval.h. Recursive: for tests whose depth is known. */
#include "tests/unit/ref_eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lang/op.h"

enum { RANK = 12, DEPTH = 20000 };

typedef struct Entry {
	Def def;        /* 0: empty */
	uint32_t state; /* 1: being computed, 2: known */
	int64_t at[RANK];
	double value;
} Entry;

typedef struct Bind {
	Index index;
	int64_t value;
} Bind;

struct Ref {
	Core *c;
	Entry *table;
	size_t cap, used;
	double **leaf; /* by definition */
	uint32_t nleaf;
	Bind *env;
	size_t nenv, envcap;
	const char *error;
	unsigned depth;
};

Ref *ref_create(Core *c)
{
	Ref *r = calloc(1, sizeof *r);
	r->c = c;
	r->cap = 1 << 12;
	r->table = calloc(r->cap, sizeof *r->table);
	return r;
}

void ref_free(Ref *r)
{
	for (uint32_t k = 0; k < r->nleaf; k++) {
		free(r->leaf[k]);
	}
	free(r->leaf);
	free(r->table);
	free(r->env);
	free(r);
}

void ref_forget(Ref *r)
{
	memset(r->table, 0, r->cap * sizeof *r->table);
	r->used = 0;
	r->error = NULL;
}

const char *ref_error(const Ref *r)
{
	return r->error;
}

size_t ref_size(Ref *r, Def d)
{
	const DefInfo *info = core_def(r->c, d);
	size_t n = 1;
	for (uint32_t k = 0; k < info->nindex; k++) {
		n *= (size_t)core_axis_info(r->c, core_index_axis(r->c, info->index[k]))->size;
	}
	return n;
}

double *ref_values(Ref *r, Def d)
{
	return d < r->nleaf ? r->leaf[d] : NULL;
}

void ref_set(Ref *r, Def d, const double *values)
{
	if (d >= r->nleaf) {
		uint32_t n = d + 64;
		r->leaf = realloc(r->leaf, n * sizeof *r->leaf);
		memset(r->leaf + r->nleaf, 0, (n - r->nleaf) * sizeof *r->leaf);
		r->nleaf = n;
	}
	size_t n = ref_size(r, d);
	free(r->leaf[d]);
	r->leaf[d] = malloc((n + 1) * sizeof(double));
	memcpy(r->leaf[d], values, n * sizeof(double));
	ref_forget(r);
}

static Entry *find(Ref *r, Def d, uint32_t n, const int64_t *at)
{
	uint64_t h = d * UINT64_C(0x9e3779b97f4a7c15);
	for (uint32_t k = 0; k < n; k++) {
		h = (h ^ (uint64_t)at[k]) * UINT64_C(0xbf58476d1ce4e5b9);
		h ^= h >> 29;
	}
	for (size_t k = h & (r->cap - 1);; k = (k + 1) & (r->cap - 1)) {
		Entry *e = &r->table[k];
		if (!e->def || (e->def == d && memcmp(e->at, at, n * sizeof *at) == 0)) {
			return e;
		}
	}
}

static void grow(Ref *r)
{
	Entry *old = r->table;
	size_t n = r->cap;
	r->cap *= 4;
	r->table = calloc(r->cap, sizeof *r->table);
	for (size_t k = 0; k < n; k++) {
		if (old[k].def) {
			*find(r, old[k].def, core_def(r->c, old[k].def)->nindex, old[k].at) =
				old[k];
		}
	}
	free(old);
}

static double fail(Ref *r, const char *why)
{
	r->error = r->error ? r->error : why;
	return NAN;
}

static void bind(Ref *r, Index i, int64_t value)
{
	if (r->nenv == r->envcap) {
		r->envcap = r->envcap ? 2 * r->envcap : 64;
		r->env = realloc(r->env, r->envcap * sizeof *r->env);
	}
	r->env[r->nenv++] = (Bind){i, value};
}

static int64_t bound_value(Ref *r, Index i)
{
	for (size_t k = r->nenv; k-- > 0;) {
		if (r->env[k].index == i) {
			return r->env[k].value;
		}
	}
	fail(r, "an index has no value");
	return 0;
}

/* Ints beyond 2^53 do not occur in the tests: one double carries every kind. */
static double eval(Ref *r, Node n);

/* A conjunction is false where one side is, whatever the other one would read: conditions of nested
 * guards are merged, and what is under a guard may look outside. A disjunction likewise. */
static double eval_logic(Ref *r, const NodeInfo *p, bool decides)
{
	const char *before = r->error, *error = before;
	bool found = false;
	for (uint32_t k = 0; k < 2 && !found; k++) {
		r->error = NULL;
		bool v = eval(r, p->arg[k]) != 0;
		found = !r->error && v == decides;
		error = error ? error : r->error;
	}
	r->error = found ? before : error;
	return found ? decides : !decides;
}

static double eval_op(Ref *r, const NodeInfo *p)
{
	if (p->op == OP_and || p->op == OP_or) {
		return eval_logic(r, p, p->op == OP_or);
	}
	OpValue v[2] = {{0}, {0}};
	for (uint32_t k = 0; k < p->n; k++) {
		double x = eval(r, p->arg[k]);
		if (op_arg_kind((Op)p->op) == KIND_REAL) {
			v[k].r = x;
		} else {
			v[k].i = (int64_t)x;
		}
	}
	OpValue y = op_apply((Op)p->op, v);
	return op_result_kind((Op)p->op) == KIND_REAL ? y.r : (double)y.i;
}

static double eval_read(Ref *r, const NodeInfo *p)
{
	int64_t at[RANK];
	for (uint32_t k = 0; k < p->n; k++) {
		at[k] = (int64_t)eval(r, p->arg[k]);
	}
	return ref_def(r, p->ref, at);
}

static double eval(Ref *r, Node n)
{
	const NodeInfo *p = core_node(r->c, n);
	double v;
	switch ((NodeTag)p->tag) {
	case NODE_CONST:
		return p->kind == KIND_REAL ? p->num : (double)p->integer;
	case NODE_INDEX:
		return (double)bound_value(r, p->ref);
	case NODE_SIZE:
		return (double)core_axis_info(r->c, p->ref)->size;
	case NODE_READ:
		return eval_read(r, p);
	case NODE_LIN:
		v = p->kind == KIND_REAL ? p->num : (double)p->integer;
		for (uint32_t k = 0; k < p->n; k++) {
			v += p->coef[k] * eval(r, p->arg[k]);
		}
		return v;
	case NODE_PROD:
		v = 1;
		for (uint32_t k = 0; k < p->n; k++) {
			double x = eval(r, p->arg[k]);
			for (int32_t e = abs(p->expo[k]); e > 0; e--) {
				v = p->expo[k] > 0 ? v * x : v / x;
			}
		}
		return v;
	case NODE_OP:
		return eval_op(r, p);
	case NODE_SELECT:
		return eval(r, p->arg[0]) != 0 ? eval(r, p->arg[1]) : eval(r, p->arg[2]);
	case NODE_GUARD:
		return eval(r, p->arg[0]) != 0 ? eval(r, p->arg[1]) : 0;
	case NODE_STOP:
		return eval(r, p->arg[0]);
	default:
		return fail(r, "a node that has no value");
	}
}

static int64_t edge(Ref *r, Axis a, Edge e)
{
	const AxisInfo *info = core_axis_info(r->c, a);
	return e.kind == EDGE_AT      ? e.offset
	       : e.kind == EDGE_FIRST ? info->first + e.offset
				      : info->first + info->size - 1 + e.offset;
}

static bool inside(Ref *r, const DefInfo *d, const Range *box, const int64_t *at)
{
	for (uint32_t k = 0; k < d->nindex; k++) {
		Axis a = core_index_axis(r->c, d->index[k]);
		Range all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}}, s = box ? box[k] : all;
		if (at[k] < edge(r, a, s.lo) || at[k] > edge(r, a, s.hi)) {
			return false;
		}
	}
	return true;
}

static double combine(RedKind red, double a, double b)
{
	switch (red) {
	case RED_SUM:
		return a + b;
	case RED_PROD:
		return a * b;
	case RED_MAX:
		return b > a ? b : a;
	case RED_MIN:
		return b < a ? b : a;
	case RED_ALL:
		return a != 0 && b != 0;
	case RED_ANY:
		return a != 0 || b != 0;
	default:
		return NAN;
	}
}

static double start(RedKind red)
{
	return red == RED_SUM || red == RED_ANY    ? 0
	       : red == RED_PROD || red == RED_ALL ? 1
	       : red == RED_MIN                    ? INFINITY
						   : -INFINITY;
}

/* Calls for each element over d's bound indices from the k-th on, the first outermost. */
static void reduce(Ref *r, const DefInfo *d, uint32_t k, double *acc, double *best, int64_t *place)
{
	if (k < d->nbound) {
		const AxisInfo *a = core_axis_info(r->c, core_index_axis(r->c, d->bound[k]));
		for (int64_t v = a->first; v < a->first + a->size; v++) {
			bind(r, d->bound[k], v);
			reduce(r, d, k + 1, acc, best, place);
			r->nenv--;
		}
		return;
	}
	const NodeInfo *body = core_node(r->c, d->piece[0].value);
	if (d->red == RED_SUM && body->tag == NODE_GUARD && eval(r, body->arg[0]) == 0) {
		return; /* zero; the filters of other reductions are selects (core_filter) */
	}
	double x = eval(r, d->piece[0].value);
	if (d->red == RED_ARGMAX || d->red == RED_ARGMIN) {
		if (d->red == RED_ARGMAX ? x > *best : x < *best) {
			*best = x;
			*place = bound_value(r, d->bound[0]);
		}
	} else if (d->red == RED_LOGSUMEXP) { /* two values: maximum in *best, scaled sum in *acc */
		double top = x > *best ? x : *best;
		*acc = top == -INFINITY ? 0 : *acc * exp(*best - top) + exp(x - top);
		*best = top;
	} else {
		*acc = combine(d->red, *acc, x);
	}
}

static double compute(Ref *r, Def def, const int64_t *at)
{
	const DefInfo *d = core_def(r->c, def);
	size_t mark = r->nenv;
	double v = 0;
	for (uint32_t k = 0; k < d->nindex; k++) {
		bind(r, d->index[k], at[k]);
	}
	if (d->role == DEF_REDUCTION) {
		double acc = d->red == RED_LOGSUMEXP ? 0 : start(d->red),
		       best = d->red == RED_ARGMIN ? INFINITY : -INFINITY;
		int64_t place = core_axis_info(r->c, core_index_axis(r->c, d->bound[0]))->first;
		reduce(r, d, 0, &acc, &best, &place);
		bool arg = d->red == RED_ARGMAX || d->red == RED_ARGMIN;
		v = arg ? (double)place : d->red == RED_LOGSUMEXP ? best + log(acc) : acc;
	} else {
		uint32_t k = 0;
		while (k < d->npiece && !inside(r, d, d->piece[k].box, at)) {
			k++;
		}
		bool zero = d->flags & DEF_ZERO_OUTSIDE;
		v = k < d->npiece ? eval(r, d->piece[k].value)
		    : zero        ? 0
				  : fail(r, intern_text(core_names(r->c), d->name));
	}
	r->nenv = mark;
	return v;
}

double ref_def(Ref *r, Def def, const int64_t *labels)
{
	const DefInfo *d = core_def(r->c, def);
	int64_t at[RANK] = {0};
	size_t offset = 0;
	bool on = true;
	for (uint32_t k = 0; k < d->nindex; k++) {
		const AxisInfo *a = core_axis_info(r->c, core_index_axis(r->c, d->index[k]));
		int64_t p = labels[k] - a->first;
		if (a->flags & AXIS_PERIODIC) {
			p = ((p % a->size) + a->size) % a->size;
		}
		at[k] = p + a->first;
		on = on && p >= 0 && p < a->size;
		offset = offset * (size_t)a->size + (size_t)p;
	}
	if (def < r->nleaf && r->leaf[def]) {
		return on ? r->leaf[def][offset] : fail(r, intern_text(core_names(r->c), d->name));
	}
	if (d->role == DEF_REDUCTION && !on && (d->flags & DEF_ZERO_OUTSIDE)) {
		return 0;
	}
	if (d->role != DEF_VALUE && d->role != DEF_REDUCTION && d->role != DEF_CONST) {
		return fail(r, "a leaf has no values");
	}
	Entry *e = find(r, def, d->nindex, at);
	if (e->def && e->state == 1) {
		return fail(r, "a cycle");
	}
	if (e->def) {
		return e->value;
	}
	if (4 * ++r->used > 3 * r->cap) {
		grow(r);
		e = find(r, def, d->nindex, at);
	}
	e->def = def;
	e->state = 1;
	memcpy(e->at, at, sizeof at);
	double v = ++r->depth > DEPTH ? fail(r, "too deep") : compute(r, def, at);
	r->depth--;
	e = find(r, def, d->nindex, at);
	e->value = v;
	e->state = 2;
	return v;
}

double ref_node(Ref *r, Node n)
{
	return eval(r, n);
}

void ref_array(Ref *r, Def d, double *out)
{
	const DefInfo *info = core_def(r->c, d);
	size_t n = ref_size(r, d);
	for (size_t k = 0; k < n; k++) {
		int64_t at[RANK] = {0};
		size_t rest = k;
		for (uint32_t j = info->nindex; j-- > 0;) {
			const AxisInfo *a =
				core_axis_info(r->c, core_index_axis(r->c, info->index[j]));
			at[j] = a->first + (int64_t)(rest % (size_t)a->size);
			rest /= (size_t)a->size;
		}
		out[k] = ref_def(r, d, at);
	}
}
