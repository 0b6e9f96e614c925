/* test_deriv_random.c — random systems (seeded): reverse against differences, forward against
 * reverse in first and second order, and nested derivatives to order 5 both ways. */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/unit/deriv_aid.h"

static Aid t;

static void begin(void)
{
	aid_begin(&t);
}

static void end(void)
{
	aid_end(&t);
}

TestSuite(deriv_random, .init = begin, .fini = end);

#define C (t.c)

enum { AXES = 4, DEFS = 24 };

typedef struct Gen {
	Axis axis[AXES]; /* plain from 0, plain from 2, periodic, samples */
	Def def[DEFS], gather[AXES];
	uint32_t n, level;
	Index scope[4]; /* indices that an expression may use */
	uint32_t nscope;
} Gen;

static uint32_t pick(uint32_t n)
{
	return (uint32_t)aid_random(&t, 0, n) % n;
}

static Node real_of(Index i)
{
	return core_scale(C, 0.25, core_real(C, IX(&t, i)));
}

/* A place on the axis: an index in scope, perhaps shifted (periodic) or guarded, a label, or a
 * gather. */
static Node place(Gen *g, Axis a, Node *cond)
{
	const AxisInfo *info = core_axis_info(C, a);
	Index found[4];
	uint32_t n = 0;
	for (uint32_t k = 0; k < g->nscope; k++) {
		if (core_index_axis(C, g->scope[k]) == a) {
			found[n++] = g->scope[k];
		}
	}
	uint32_t which = 0;
	while (g->axis[which] != a) {
		which++;
	}
	if (!n || pick(8) == 0) {
		return core_int_const(C, info->first + pick((uint32_t)info->size));
	}
	Node i = IX(&t, found[pick(n)]);
	switch (pick(7)) {
	case 0:
		return AT(&t, g->gather[which], i);
	case 1: {
		Node shifted = core_add(C, i, core_int_const(C, 1));
		if (!(info->flags & AXIS_PERIODIC)) {
			Node in = core_op2(C, OP_ile, shifted,
					   core_int_const(C, info->first + info->size - 1));
			*cond = *cond ? core_op2(C, OP_and, *cond, in) : in;
		}
		return shifted;
	}
	case 2:
		if (!(info->flags & AXIS_PERIODIC)) { /* mirrored */
			return core_sub(C, core_int_const(C, 2 * info->first + info->size - 1), i);
		}
		return core_sub(C, i, core_int_const(C, 2));
	default:
		return i;
	}
}

static Node read_some(Gen *g)
{
	Def d = g->def[pick(g->n)];
	Node args[4], cond = 0;
	uint32_t rank = core_def(C, d)->nindex;
	for (uint32_t k = 0; k < rank; k++) {
		args[k] = place(g, core_index_axis(C, core_def(C, d)->index[k]), &cond);
	}
	Node n = core_read(C, d, args);
	return cond ? core_guard(C, cond, n) : n;
}

static Node expression(Gen *g, int depth);

static Node reduction(Gen *g, int depth)
{
	static const RedKind kind[] = {RED_SUM,       RED_SUM, RED_SUM, RED_PROD,
				       RED_LOGSUMEXP, RED_MAX, RED_MIN};
	if (g->nscope == 4) {
		return read_some(g);
	}
	RedKind red = kind[pick(7)];
	Index b = core_index(C, g->axis[pick(AXES)], intern_str(t.names, "b"));
	g->scope[g->nscope++] = b;
	Node body = expression(g, depth - 1);
	if (red == RED_MAX || red == RED_MIN) { /* far from ties */
		body = core_add(C, core_op1(C, OP_tanh, body), core_scale(C, 12, real_of(b)));
	} else if (red == RED_PROD) {
		body = core_add(C, core_real_const(C, 0.7),
				core_scale(C, 0.5, core_op1(C, OP_sin, body)));
	}
	if (pick(3) == 0) {
		Node skip = core_op2(
			C, OP_ine, IX(&t, b),
			core_int_const(C, core_axis_info(C, core_index_axis(C, b))->first + 1));
		body = core_filter(C, red, skip, body);
	}
	g->nscope--;
	return aid_sum(&t, red, body, (Index[]){b, 0});
}

static Node function(Gen *g, int depth)
{
	Node x = expression(g, depth - 1), one = core_real_const(C, 1),
	     y = core_add(C, one, core_powi(C, x, 2));
	switch (pick(10)) {
	case 0:
		return core_op1(C, OP_tanh, x);
	case 1:
		return core_op1(C, OP_sin, x);
	case 2:
		return core_op1(C, OP_exp, core_op1(C, OP_sin, x));
	case 3:
		return core_op1(C, OP_log, y);
	case 4:
		return core_op1(C, OP_sqrt, y);
	case 5:
		return core_div(C, expression(g, depth - 1), y);
	case 6:
		return core_op1(C, OP_sigmoid, x);
	case 7:
		return core_op1(C, OP_softplus, x);
	case 8:
		return core_op2(C, OP_atan2, x, core_add(C, one, y));
	default:
		return core_pow(C, y, core_op1(C, OP_sin, expression(g, depth - 1)));
	}
}

static Node choice(Gen *g, int depth)
{
	Node a = expression(g, depth - 1);
	if (!g->nscope) {
		return a;
	}
	Index i = g->scope[pick(g->nscope)];
	const AxisInfo *info = core_axis_info(C, core_index_axis(C, i));
	Node c = core_op2(C, pick(2) ? OP_ieq : OP_ilt, IX(&t, i),
			  core_int_const(C, info->first + pick((uint32_t)info->size)));
	return pick(2) ? core_guard(C, c, a) : core_select(C, c, a, expression(g, depth - 1));
}

static Node expression(Gen *g, int depth)
{
	if (depth <= 0) {
		return pick(6) ? read_some(g) : core_real_const(C, aid_random(&t, -1, 1));
	}
	switch (pick(9)) {
	case 0:
	case 1:
		return core_add(C, expression(g, depth - 1),
				core_scale(C, aid_random(&t, -1, 1), expression(g, depth - 1)));
	case 2:
	case 3:
		return core_mul(C, expression(g, depth - 1), expression(g, depth - 1));
	case 4:
	case 5:
		return function(g, depth);
	case 6:
		return choice(g, depth);
	default:
		return reduction(g, depth);
	}
}

/* x[t,i] = f(x[t-1,i or elsewhere], …) with a base value beside or on the axis. */
static void recurrence(Gen *g)
{
	bool beside = pick(2);
	Axis time = g->axis[1], other = g->axis[pick(2) ? 0 : 2];
	Index q = beside ? core_index_wide(C, time, intern_str(t.names, "q"))
			 : core_index(C, time, intern_str(t.names, "q"));
	Index i = core_index(C, other, intern_str(t.names, "i"));
	Def x = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "x"),
					 .nindex = 2,
					 .index = (Index[]){q, i}});
	Index at[2] = {core_def(C, x)->index[0], core_def(C, x)->index[1]};
	g->nscope = 1;
	g->scope[0] = at[1];
	Node start = core_op1(C, OP_tanh, expression(g, 1));
	Node before = core_sub(C, IX(&t, at[0]), core_int_const(C, 1)), from = IX(&t, at[1]);
	Node self = AT(&t, x, before, from);
	if (pick(2)) {
		Index b = core_index(C, other, intern_str(t.names, "b"));
		self = SUM(&t, core_mul(C, AT(&t, x, before, IX(&t, b)), real_of(b)), b);
	}
	Node rest = core_op1(C, OP_tanh,
			     read_some(g)); /* no growth, or differences would tell nothing */
	Node step =
		core_add(C, core_op1(C, OP_tanh, self), core_mul(C, rest, AT(&t, x, before, from)));
	Range all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}},
	      zero = {{EDGE_FIRST, beside ? -1 : 0}, {EDGE_FIRST, beside ? -1 : 0}};
	Range later = beside ? all : (Range){{EDGE_FIRST, 1}, {EDGE_LAST, 0}};
	Piece piece[2] = {{(Range[]){zero, all}, start}, {(Range[]){later, all}, step}};
	core_set_pieces(C, x, 2, piece);
	g->def[g->n++] = x;
}

static void define(Gen *g)
{
	uint32_t rank = pick(3);
	Index ix[4] = {0};
	g->nscope = 0;
	for (uint32_t k = 0; k < rank; k++) {
		ix[k] = core_index(C, g->axis[pick(AXES)], intern_str(t.names, k ? "j" : "i"));
		g->scope[g->nscope++] = ix[k];
	}
	Node value = expression(g, 3);
	char name[8];
	snprintf(name, sizeof name, "d%u", g->n);
	g->def[g->n++] = aid_def(&t, name, value, ix);
}

static Node make_system(Gen *g)
{
	*g = (Gen){.axis = {aid_axis(&t, "a", 0, 3, 0), aid_axis(&t, "b", 2, 3, 0),
			    aid_axis(&t, "p", 0, 4, AXIS_PERIODIC),
			    aid_axis(&t, "s", 0, 2, AXIS_SAMPLES)}};
	for (uint32_t k = 0; k < AXES; k++) {
		const AxisInfo *info = core_axis_info(C, g->axis[k]);
		g->gather[k] = core_leaf(C, DEF_DATA, intern_str(t.names, "id"), (Span){0},
					 KIND_INT, 0, 1, &g->axis[k]);
		double v[8];
		for (int64_t j = 0; j < info->size; j++) {
			v[j] = (double)(info->first + pick((uint32_t)info->size));
		}
		ref_set(t.ref, g->gather[k], v);
	}
	g->def[g->n++] = AID_LEAF(&t, DEF_PARAM, "P", -1, 1, g->axis[0], g->axis[2]);
	g->def[g->n++] = AID_LEAF(&t, DEF_PARAM, "Q", -1, 1, g->axis[1]);
	g->def[g->n++] = AID_LEAF(&t, DEF_PARAM, "R", -1, 1);
	g->def[g->n++] = AID_LEAF(&t, DEF_DATA, "D", -1, 1, g->axis[3], g->axis[0]);
	uint32_t count = 2 + pick(4);
	bool loop = pick(2);
	for (uint32_t k = 0; k < count; k++) {
		if (loop && k == count / 2) {
			recurrence(g);
		}
		define(g);
	}
	Node loss = core_powi(C, AT(&t, g->def[2]), 2);
	for (uint32_t k = 4; k < g->n; k++) { /* of everything something, or much would be dead */
		Index ix[4] = {0};
		const DefInfo *d = core_def(C, g->def[k]);
		uint32_t rank = d->nindex;
		for (uint32_t j = 0; j < rank; j++) {
			ix[j] = core_index(C, core_index_axis(C, core_def(C, g->def[k])->index[j]),
					   0);
		}
		Node one = core_op1(C, OP_sin, core_read_plain(C, g->def[k], ix));
		loss = core_add(C, loss, rank ? aid_sum(&t, RED_SUM, one, ix) : one);
	}
	return loss;
}

static Def direction(Def of, Def *dir)
{
	Axis axes[5] = {0};
	for (uint32_t k = 0; k < core_def(C, of)->nindex; k++) {
		axes[k] = core_index_axis(C, core_def(C, of)->index[k]);
	}
	return *dir = aid_leaf(&t, DEF_DATA, "dir", -1, 1, axes);
}

/* Σ over all elements of x*y. */
static Node inner(Def x, Def y)
{
	Index ix[5] = {0};
	uint32_t rank = core_def(C, x)->nindex;
	for (uint32_t k = 0; k < rank; k++) {
		ix[k] = core_index(C, core_index_axis(C, core_def(C, x)->index[k]), 0);
	}
	Node n = core_mul(C, core_read_plain(C, x, ix), core_read_plain(C, y, ix));
	return rank ? aid_sum(&t, RED_SUM, n, ix) : n;
}

static Node along(uint32_t n, const Def *grad, const Def *dir)
{
	Node sum = core_real_const(C, 0);
	for (uint32_t k = 0; k < n; k++) {
		sum = grad[k] ? core_add(C, sum, inner(grad[k], dir[k])) : sum;
	}
	return sum;
}

static double relative(double a, double b)
{
	return fabs(a - b) / (1 + fabs(a) + fabs(b));
}

static void check_orders(int seed, Node loss, const Def *wrt)
{
	Def grad[3], second[3], dir[3], other[3];
	for (uint32_t k = 0; k < 3; k++) {
		direction(wrt[k], &dir[k]);
		direction(wrt[k], &other[k]);
	}
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 3, wrt, grad));
	Node g = along(3, grad, dir), f = deriv_tangent(C, t.scratch, t.diags, loss, 3, wrt, dir);
	double a = aid_value(&t, g), b = f ? aid_value(&t, f) : 0;
	cr_assert(relative(a, b) < 1e-11, "system %d, first order: reverse %.17g, forward %.17g",
		  seed, a, b);
	cr_assert(deriv_gradient(C, t.scratch, t.diags, g, 3, wrt, second));
	Node gg = along(3, second, other),
	     fg = deriv_tangent(C, t.scratch, t.diags, g, 3, wrt, other);
	Node ff = f ? deriv_tangent(C, t.scratch, t.diags, f, 3, wrt, other) : 0;
	a = aid_value(&t, gg);
	b = fg ? aid_value(&t, fg) : 0;
	cr_assert(relative(a, b) < 1e-10,
		  "system %d: reverse over reverse %.17g, forward over reverse %.17g", seed, a, b);
	b = ff ? aid_value(&t, ff) : 0;
	cr_assert(relative(a, b) < 1e-10,
		  "system %d: reverse over reverse %.17g, forward over forward %.17g", seed, a, b);
}

static void random_systems(int from, int to)
{
	uint32_t definitions = 0, compared = 0, vague = 0, systems = 0;
	for (int seed = from; seed < to; seed++) {
		aid_end(&t);
		aid_begin(&t);
		t.seed = (uint64_t)seed * 7919;
		Gen g;
		Node loss = make_system(&g);
		Def wrt[3] = {g.def[0], g.def[1], g.def[2]};
		if (!isfinite(aid_value(&t, loss))) {
			continue;
		}
		double error = aid_gradient_error(&t, loss);
		cr_assert(error < 1e-6, "system %d: gradient differs from differences by %g", seed,
			  error);
		check_orders(seed, loss, wrt);
		definitions += core_def_count(C);
		compared += t.compared;
		vague += t.vague;
		systems++;
	}
	cr_log_info("%u systems: %u definitions, %u derivatives, %u of them where differences tell "
		    "little",
		    systems, definitions, compared, vague);
	cr_assert_gt(systems, (uint32_t)(to - from) * 9 / 10);
	cr_assert_lt(20 * vague, compared);
}

Test(deriv_random, systems_1)
{
	random_systems(0, 200);
}

Test(deriv_random, systems_2)
{
	random_systems(200, 400);
}

/* Orders 2 to 5 in two scalars: nested forward and nested reverse. */
Test(deriv_random, nested_orders_both_ways)
{
	for (int seed = 0; seed < 12; seed++) {
		aid_end(&t);
		aid_begin(&t);
		t.seed = (uint64_t)seed * 104729 + 1;
		Def x = AID_LEAF(&t, DEF_PARAM, "x", 0.2, 0.8),
		    y = AID_LEAF(&t, DEF_PARAM, "y", 0.2, 0.8);
		Gen g = {.def = {x, y}, .n = 2};
		for (uint32_t k = 0; k < AXES; k++) {
			g.axis[k] = aid_axis(&t, "a", 0, 2, 0);
			g.gather[k] = core_leaf(C, DEF_DATA, intern_str(t.names, "id"), (Span){0},
						KIND_INT, 0, 1, &g.axis[k]);
			ref_set(t.ref, g.gather[k], (double[]){1, 0});
		}
		for (int k = 0; k < 3; k++) {
			define(&g);
		}
		g.nscope = 0;
		Node value = core_mul(C, core_op1(C, OP_tanh, AT(&t, x)), expression(&g, 4));
		value = core_add(C, value, core_op1(C, OP_exp, core_mul(C, AT(&t, x), AT(&t, y))));
		Node forward = value, reverse = value;
		for (int order = 1; order <= 5; order++) {
			Def by = order & 1 ? x : y, grad;
			forward = core_d(C, forward, AT(&t, by));
			Node f = aid_resolve(&t, forward);
			cr_assert(deriv_gradient(C, t.scratch, t.diags, reverse, 1, &by, &grad));
			reverse = grad ? AT(&t, grad) : core_real_const(C, 0);
			double a = aid_value(&t, f), b = aid_value(&t, reverse);
			cr_assert(!(relative(a, b) >= 1e-11),
				  "system %d, order %d: forward %.17g, reverse %.17g", seed, order,
				  a, b);
		}
	}
}

/* ---- derivatives with indices of their own ---- */

static uint32_t formals_of(Def d, Index *ix)
{
	uint32_t n = core_def(C, d)->nindex;
	for (uint32_t k = 0; k < n; k++) {
		ix[k] = core_index(C, core_index_axis(C, core_def(C, d)->index[k]),
				   intern_str(t.names, "m"));
	}
	return n;
}

static void somewhere(uint32_t n, const Index *ix, int64_t *at, Node *label)
{
	for (uint32_t k = 0; k < n; k++) {
		const AxisInfo *info = core_axis_info(C, core_index_axis(C, ix[k]));
		at[k] = info->first + pick((uint32_t)info->size);
		label[k] = core_int_const(C, at[k]);
	}
}

/* ∂d[…]/∂P[…] as a definition over all indices, whatever way is chosen, against the gradient of one
 * element of d; and its derivative by Q against the gradient of that. */
static void check_jacobian(int seed, Gen *g, Def d)
{
	Index ix[12];
	Def P = g->def[0], Q = g->def[1];
	uint32_t nd = formals_of(d, ix), np = formals_of(P, ix + nd),
		 nq = formals_of(Q, ix + nd + np);
	Node of = core_read_plain(C, d, ix);
	if (!core_depends(C, of, P)) {
		return;
	}
	Node j = core_d(C, of, core_read_plain(C, P, ix + nd));
	Def J = core_share(C, intern_str(t.names, "J"), (Span){0}, nd + np, ix, j, 0);
	Node two[2] = {core_read_plain(C, J, ix), 0};
	bool second = core_depends(C, j, Q);
	if (second) {
		Node h = core_d(C, two[0], core_read_plain(C, Q, ix + nd + np));
		Def H = core_share(C, intern_str(t.names, "H"), (Span){0}, nd + np + nq, ix, h, 0);
		two[1] = core_read_plain(C, H, ix);
	}
	cr_assert(deriv_resolve(C, t.scratch, t.diags, second ? 2 : 1, two));
	const char *wrong = core_check(C, second ? 2 : 1, two, false);
	cr_assert(!wrong, "system %d: %s", seed, wrong ? wrong : "");
	for (int tries = 0; tries < 3; tries++) {
		int64_t at[12];
		Node label[12];
		somewhere(nd + np + nq, ix, at, label);
		Def first, other;
		cr_assert(deriv_gradient(C, t.scratch, t.diags, core_read(C, d, label), 1, &P,
					 &first));
		Node element = first ? core_read(C, first, label + nd) : core_real_const(C, 0);
		double a = aid_value(&t, core_subst(C, two[0], nd + np, ix, label)),
		       b = aid_value(&t, element);
		cr_assert(relative(a, b) < 1e-10, "system %d: Jacobian %.17g, gradient %.17g", seed,
			  a, b);
		if (second) {
			cr_assert(deriv_gradient(C, t.scratch, t.diags, element, 1, &Q, &other));
			a = aid_value(&t, core_subst(C, two[1], nd + np + nq, ix, label));
			b = other ? aid_value(&t, core_read(C, other, label + nd + np)) : 0;
			cr_assert(relative(a, b) < 1e-9,
				  "system %d: second derivative %.17g, gradient twice %.17g", seed,
				  a, b);
		}
	}
}

Test(deriv_random, jacobians_and_their_derivatives)
{
	uint32_t checked = 0;
	for (int seed = 1000; seed < 1100; seed++) {
		aid_end(&t);
		aid_begin(&t);
		t.seed = (uint64_t)seed * 7919;
		Gen g;
		if (!isfinite(aid_value(&t, make_system(&g)))) {
			continue;
		}
		for (uint32_t k = 4; k < g.n && k < 8; k++) {
			check_jacobian(seed, &g, g.def[k]);
			checked++;
		}
	}
	cr_log_info("%u definitions", checked);
	cr_assert_gt(checked, 200u);
}
