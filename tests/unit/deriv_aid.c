/* deriv_aid.c — see deriv_aid.h. */
#include "tests/unit/deriv_aid.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void aid_begin(Aid *t)
{
	*t = (Aid){.seed = 12345};
	t->arena = arena_create();
	t->scratch = arena_create();
	t->names = intern_create(t->arena);
	t->sources = sources_create(t->arena);
	t->diags = diags_create(t->arena, t->sources, 20);
	t->c = core_create(t->arena, t->names);
	t->ref = ref_create(t->c);
}

void aid_end(Aid *t)
{
	ref_free(t->ref);
	arena_free(t->scratch);
	arena_free(t->arena);
}

double aid_random(Aid *t, double lo, double hi)
{
	t->seed = t->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	uint64_t x = t->seed ^ (t->seed >> 33);
	return lo + (hi - lo) * (double)(x >> 11) * 0x1p-53;
}

Axis aid_axis(Aid *t, const char *name, int64_t first, int64_t size, unsigned flags)
{
	return core_axis(t->c, (AxisInfo){.name = intern_str(t->names, name),
					  .first = first,
					  .size = size,
					  .flags = flags});
}

Index aid_index(Aid *t, Axis a, const char *name)
{
	return core_index(t->c, a, intern_str(t->names, name));
}

Def aid_leaf(Aid *t, DefRole role, const char *name, double lo, double hi, const Axis *axes)
{
	uint32_t n = 0;
	while (axes[n]) {
		n++;
	}
	Def d = core_leaf(t->c, role, intern_str(t->names, name), (Span){0}, KIND_REAL, 0, n, axes);
	size_t size = ref_size(t->ref, d);
	double *v = malloc((size + 1) * sizeof *v);
	for (size_t k = 0; k < size; k++) {
		v[k] = aid_random(t, lo, hi);
	}
	ref_set(t->ref, d, v);
	free(v);
	t->leaf[t->nleaf++] = d;
	return d;
}

Node aid_at(Aid *t, Def d, const Node *args)
{
	return core_read(t->c, d, args);
}

Def aid_def(Aid *t, const char *name, Node value, const Index *ix)
{
	uint32_t n = 0;
	while (ix[n]) {
		n++;
	}
	return core_share(t->c, intern_str(t->names, name), (Span){0}, n, ix, value, DEF_USER);
}

Node aid_sum(Aid *t, RedKind red, Node body, const Index *bound)
{
	uint32_t n = 0;
	while (bound[n]) {
		n++;
	}
	return core_reduce(t->c, red, 0, (Span){0}, n, bound, body);
}

Def aid_variable(Aid *t, const char *name, Def d)
{
	const DefInfo *info = core_def(t->c, d);
	Index *ix = arena_array(t->arena, Index, info->nindex + 1);
	for (uint32_t k = 0; k < info->nindex; k++) {
		ix[k] = core_index_like(t->c, info->index[k]);
	}
	Piece piece = {.value = core_read_plain(t->c, d, ix)};
	DefInfo alias = {.role = DEF_VALUE,
			 .name = intern_str(t->names, name),
			 .nindex = info->nindex,
			 .index = ix,
			 .npiece = 1,
			 .piece = &piece,
			 .flags = DEF_VARIABLE};
	return core_define(t->c, alias);
}

static double shifted(Aid *t, Node of, double *x, double at, double h)
{
	*x = at + h;
	ref_forget(t->ref);
	return ref_node(t->ref, of);
}

static double richardson(Aid *t, Node of, double *x, double at, double h)
{
	double wide = (shifted(t, of, x, at, 2 * h) - shifted(t, of, x, at, -2 * h)) / (4 * h);
	double near = (shifted(t, of, x, at, h) - shifted(t, of, x, at, -h)) / (2 * h);
	return (4 * near - wide) / 3;
}

/* *spread: how far two step widths are apart, a measure of what differences can tell here. */
static double difference(Aid *t, Node of, Def leaf, size_t k, double *spread)
{
	double *x = &ref_values(t->ref, leaf)[k], at = *x;
	double coarse = richardson(t, of, x, at, 1e-3), fine = richardson(t, of, x, at, 2.5e-4);
	*x = at;
	ref_forget(t->ref);
	*spread = fabs(coarse - fine);
	return fine;
}

double aid_difference(Aid *t, Node of, Def leaf, size_t k)
{
	double spread;
	return difference(t, of, leaf, k, &spread);
}

static void check(Aid *t, uint32_t n, const Node *root)
{
	const char *wrong = core_check(t->c, n, root, false);
	cr_assert(!wrong, "%s", wrong ? wrong : "");
	if (diags_count(t->diags)) {
		diags_render(t->diags, stderr, false, false);
	}
	cr_assert_eq(diags_count(t->diags), 0);
}

double aid_gradient_error(Aid *t, Node loss)
{
	Def wrt[64], grad[64];
	uint32_t n = 0;
	for (uint32_t k = 0; k < t->nleaf; k++) {
		if (core_def(t->c, t->leaf[k])->role == DEF_PARAM) {
			wrt[n++] = t->leaf[k];
		}
	}
	cr_assert(deriv_gradient(t->c, t->scratch, t->diags, loss, n, wrt, grad));
	double worst = 0;
	for (uint32_t k = 0; k < n; k++) {
		size_t size = ref_size(t->ref, wrt[k]);
		double *g = calloc(size + 1, sizeof *g);
		if (grad[k]) {
			Index *ix = arena_array(t->scratch, Index, 16);
			for (uint32_t j = 0; j < core_def(t->c, grad[k])->nindex; j++) {
				ix[j] = core_index_like(t->c, core_def(t->c, grad[k])->index[j]);
			}
			Node root = core_read_plain(t->c, grad[k], ix);
			check(t, 1, &root);
			ref_forget(t->ref);
			ref_array(t->ref, grad[k], g);
			cr_assert(!ref_error(t->ref), "%s",
				  ref_error(t->ref) ? ref_error(t->ref) : "");
		}
		for (size_t j = 0; j < size; j++) {
			double spread, d = difference(t, loss, wrt[k], j, &spread);
			double e = fmax(0, fabs(g[j] - d) - spread) / (1 + fabs(d));
			e = isnan(g[j]) ? NAN : e;
			t->vague += spread > 1e-5 * (1 + fabs(d));
			t->compared++;
			worst = e > worst || isnan(e) ? e : worst;
			if (isnan(worst)) {
				free(g);
				return worst;
			}
		}
		free(g);
	}
	cr_assert(!ref_error(t->ref), "%s", ref_error(t->ref) ? ref_error(t->ref) : "");
	return worst;
}

Node aid_resolve(Aid *t, Node n)
{
	cr_assert(deriv_resolve(t->c, t->scratch, t->diags, 1, &n));
	check(t, 1, &n);
	ref_forget(t->ref);
	return n;
}

double aid_value(Aid *t, Node n)
{
	double v = ref_node(t->ref, n);
	cr_assert(!ref_error(t->ref), "%s", ref_error(t->ref) ? ref_error(t->ref) : "");
	return v;
}

static uint32_t count_nodes(Aid *t, Node n)
{
	const NodeInfo *p = core_node(t->c, n);
	uint32_t ops = 0;
	switch ((NodeTag)p->tag) {
	case NODE_LIN:
		for (uint32_t k = 0; k < p->n; k++) {
			ops += (uint32_t)((p->coef[k] != 1 && p->coef[k] != -1) + (k > 0)) +
			       count_nodes(t, p->arg[k]);
		}
		return ops + (uint32_t)(p->num != 0);
	case NODE_PROD:
		for (uint32_t k = 0; k < p->n; k++) {
			ops += (uint32_t)abs(p->expo[k]) - (k == 0 && p->expo[k] > 0) +
			       count_nodes(t, p->arg[k]);
		}
		return ops;
	case NODE_OP:
	case NODE_SELECT:
	case NODE_GUARD:
		for (uint32_t k = 0; k < p->n; k++) {
			ops += count_nodes(t, p->arg[k]);
		}
		return ops + 1;
	default:
		return 0;
	}
}

uint32_t aid_operations(Aid *t, uint32_t nroot, const Node *root, uint32_t *defs)
{
	Def *order;
	uint32_t *component, ops = 0;
	uint32_t n = core_reach(t->c, t->scratch, nroot, root, &order, &component);
	*defs = 0;
	for (uint32_t k = 0; k < n; k++) {
		const DefInfo *d = core_def(t->c, order[k]);
		*defs += d->npiece > 0;
		for (uint32_t p = 0; p < d->npiece; p++) {
			ops += count_nodes(t, d->piece[p].value) + (d->role == DEF_REDUCTION);
		}
	}
	return ops;
}
