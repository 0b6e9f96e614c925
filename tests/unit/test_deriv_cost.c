/* test_deriv_cost.c — what derivatives cost: order k in one variable is O(k²), contractions are
 * those counted by hand, derivation is linear in depth. */
#include <criterion/criterion.h>
#include <math.h>
#include <time.h>

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

TestSuite(deriv_cost, .init = begin, .fini = end);

#define C (t.c)

/* Values are never computed here, so leaves need none. */
static Def leaf(DefRole role, const char *name, uint32_t n, const Axis *axes)
{
	Def d = core_leaf(C, role, intern_str(t.names, name), (Span){0}, KIND_REAL, 0, n, axes);
	t.leaf[t.nleaf < 63 ? t.nleaf++ : 63] = d;
	return d;
}

typedef struct Net {
	Axis s, h;
	Def x, y; /* coordinates */
	Def u;
	uint32_t nparam;
	Def param[256];
} Net;

static Def param(Net *net, const char *name, uint32_t n, const Axis *axes)
{
	return net->param[net->nparam++] = leaf(DEF_PARAM, name, n, axes);
}

/* u[s] of (x, t) through `layers` tanh layers of `width`; with one coordinate if t is not wanted.
 */
static Net network(int64_t points, int64_t width, int layers, bool two)
{
	Net net = {.s = aid_axis(&t, "s", 0, points, AXIS_SAMPLES),
		   .h = aid_axis(&t, "h", 0, width, 0)};
	net.x = aid_variable(&t, "x", leaf(DEF_DATA, "px", 1, &net.s));
	net.y = two ? aid_variable(&t, "t", leaf(DEF_DATA, "pt", 1, &net.s)) : 0;
	Index s = aid_index(&t, net.s, "s"), i = aid_index(&t, net.h, "i"),
	      j = aid_index(&t, net.h, "j");
	Def a = 0;
	char name[16];
	for (int k = 1; k <= layers; k++) {
		snprintf(name, sizeof name, "b%d", k);
		Node z = AT(&t, param(&net, name, 1, &net.h), IX(&t, i));
		snprintf(name, sizeof name, "W%d", k);
		if (k == 1) {
			Def W = param(&net, name, 1, &net.h),
			    V = two ? param(&net, "V1", 1, &net.h) : 0;
			z = core_add(C, z,
				     core_mul(C, AT(&t, W, IX(&t, i)), AT(&t, net.x, IX(&t, s))));
			z = two ? core_add(C, z,
					   core_mul(C, AT(&t, V, IX(&t, i)),
						    AT(&t, net.y, IX(&t, s))))
				: z;
		} else {
			Def W = param(&net, name, 2, (Axis[]){net.h, net.h});
			z = core_add(C, z,
				     SUM(&t,
					 core_mul(C, AT(&t, W, IX(&t, i), IX(&t, j)),
						  AT(&t, a, IX(&t, s), IX(&t, j))),
					 j));
		}
		snprintf(name, sizeof name, "z%d", k);
		Def zd = AID_DEF(&t, name, z, s, i);
		snprintf(name, sizeof name, "a%d", k);
		a = AID_DEF(&t, name, core_op1(C, OP_tanh, AT(&t, zd, IX(&t, s), IX(&t, i))), s, i);
	}
	Def v = param(&net, "v", 1, &net.h);
	net.u = AID_DEF(
		&t, "u",
		SUM(&t, core_mul(C, AT(&t, v, IX(&t, i)), AT(&t, a, IX(&t, s), IX(&t, i))), i), s);
	return net;
}

static uint32_t gradient(Net *net, Node loss, Node *root, Def *grad)
{
	uint32_t n = 0;
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, net->nparam, net->param, grad));
	for (uint32_t k = 0; k < net->nparam; k++) {
		const DefInfo *d = grad[k] ? core_def(C, grad[k]) : NULL;
		Index ix[4];
		for (uint32_t j = 0; d && j < d->nindex; j++) {
			ix[j] = core_index_like(C, d->index[j]);
		}
		if (d) {
			root[n++] = core_read_plain(C, grad[k], ix);
		}
	}
	root[n++] = loss;
	return n;
}

/* Scalar operations of a network of two hidden layers of one unit's width, cumulative by order: the
 * figures are those of the design; within a factor 1.5 of them, and growing no faster than k². */
Test(deriv_cost, orders_in_one_variable)
{
	static const uint32_t forward[] = {12, 21, 37, 58, 88, 121, 163},
			      backward[] = {34, 66, 117, 185, 274, 378, 503};
	for (int k = 1; k <= 7; k++) {
		aid_end(&t);
		aid_begin(&t);
		Net net = network(100, 4, 2, false);
		Index s = aid_index(&t, net.s, "s");
		Node u = AT(&t, net.u, IX(&t, s)), d = u;
		for (int j = 0; j < k; j++) {
			d = core_d(C, d, AT(&t, net.x, IX(&t, s)));
		}
		d = aid_resolve(&t, d);
		uint32_t defs, ops = aid_operations(&t, 1, &d, &defs);
		cr_log_info("order %d: %u operations in %u definitions", k, ops, defs);
		cr_assert(ops <= 1.5 * forward[k - 1], "order %d: %u operations", k, ops);
		Node root[256];
		Def grad[256];
		uint32_t n = gradient(&net, SUM(&t, core_powi(C, d, 2), s), root, grad);
		ops = aid_operations(&t, n, root, &defs);
		cr_log_info("order %d with reverse: %u operations in %u definitions", k, ops, defs);
		cr_assert(ops <= 1.5 * backward[k - 1], "order %d with reverse: %u operations", k,
			  ops);
	}
}

static double elements(const DefInfo *d)
{
	double n = 1;
	for (uint32_t k = 0; k < d->nindex + d->nbound; k++) {
		Index i = k < d->nindex ? d->index[k] : d->bound[k - d->nindex];
		n *= (double)core_axis_info(C, core_index_axis(C, i))->size;
	}
	return n;
}

/* One term of a sum: a product of two plain reads each of which lacks an index that the other has?
 */
static bool is_contraction(Node n)
{
	const NodeInfo *p = core_node(C, n);
	if (p->tag != NODE_PROD || p->n != 2 || p->expo[0] != 1 || p->expo[1] != 1) {
		return false;
	}
	const Index *x, *y;
	uint32_t nx = core_free(C, p->arg[0], &x), ny = core_free(C, p->arg[1], &y), only_x = 0,
		 only_y = 0;
	for (uint32_t k = 0; k < nx; k++) {
		only_x += !core_has_index(C, p->arg[1], x[k]);
	}
	for (uint32_t k = 0; k < ny; k++) {
		only_y += !core_has_index(C, p->arg[0], y[k]);
	}
	return core_node(C, p->arg[0])->tag == NODE_READ &&
	       core_node(C, p->arg[1])->tag == NODE_READ && only_x && only_y;
}

/* Multiplications and additions of the sums that run over two axes of `h` and the samples; *other
 * counts terms of such sums that are no products of two operands. */
static double contractions(const Net *net, uint32_t nroot, const Node *root, uint32_t *other)
{
	Def *order;
	uint32_t *component, n = core_reach(C, t.scratch, nroot, root, &order, &component);
	double flop = 0;
	*other = 0;
	for (uint32_t k = 0; k < n; k++) {
		const DefInfo *d = core_def(C, order[k]);
		uint32_t wide = 0;
		for (uint32_t j = 0; j < d->nindex + d->nbound; j++) {
			wide += core_index_axis(C, j < d->nindex
							   ? d->index[j]
							   : d->bound[j - d->nindex]) == net->h;
		}
		if (d->role != DEF_REDUCTION || wide < 2) {
			continue;
		}
		const NodeInfo *p = core_node(C, d->piece[0].value);
		uint32_t terms = p->tag == NODE_LIN ? p->n : 1;
		for (uint32_t j = 0; j < terms; j++) {
			Node term = p->tag == NODE_LIN ? p->arg[j] : d->piece[0].value;
			flop += 2 * elements(d);
			*other += !is_contraction(term);
		}
	}
	return flop;
}

/* Eight layers of 20, u, u_x, u_t, u_xx and the gradient by all parameters at 10 000 points: seven
 * matrices, four streams, forward, backward and weights are 7*4*3*800 operations per point. */
Test(deriv_cost, burgers_has_the_contractions_counted_by_hand)
{
	Net net = network(10000, 20, 8, true);
	Index s = aid_index(&t, net.s, "s");
	Node u = AT(&t, net.u, IX(&t, s)), x = AT(&t, net.x, IX(&t, s)),
	     y = AT(&t, net.y, IX(&t, s));
	Node ux = core_d(C, u, x), uxx = core_d(C, core_d(C, u, x), x), ut = core_d(C, u, y);
	Node nu = AT(&t, leaf(DEF_PARAM, "nu", 0, NULL));
	Node res = core_sub(C, core_add(C, ut, core_mul(C, u, ux)), core_mul(C, nu, uxx));
	Def r = AID_DEF(&t, "r", res, s);
	Node n_points = core_real(C, core_size(C, net.s));
	Node loss = aid_resolve(
		&t, core_div(C, SUM(&t, core_powi(C, AT(&t, r, IX(&t, s)), 2), s), n_points));
	Node root[256];
	Def grad[256];
	uint32_t n = gradient(&net, loss, root, grad), other;
	double flop = contractions(&net, n, root, &other);
	cr_assert_eq(other, 0, "%u terms are no contractions", other);
	cr_assert_float_eq(flop / 1e6, 672.0, 1e-9, "%.2f MFLOP", flop / 1e6);
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double derive(int layers, size_t *memory)
{
	aid_end(&t);
	aid_begin(&t);
	Net net = network(1000, 20, layers, true);
	Index s = aid_index(&t, net.s, "s");
	Node u = AT(&t, net.u, IX(&t, s)), x = AT(&t, net.x, IX(&t, s)),
	     y = AT(&t, net.y, IX(&t, s));
	Node res = core_add(C, core_add(C, core_d(C, u, y), core_mul(C, u, core_d(C, u, x))),
			    core_d(C, core_d(C, u, x), x));
	Node loss = SUM(&t, core_powi(C, res, 2), s);
	Node root[256];
	Def grad[256];
	double from = seconds();
	cr_assert(deriv_resolve(C, t.scratch, t.diags, 1, &loss));
	gradient(&net, loss, root, grad);
	*memory = arena_used(t.scratch);
	return seconds() - from;
}

Test(deriv_cost, derivation_is_linear_in_depth)
{
	size_t small, large;
	double t16 = derive(16, &small), t64 = derive(64, &large);
	cr_log_info("16 layers %.1f ms, 64 layers %.1f ms; scratch %zu and %zu kB", 1e3 * t16,
		    1e3 * t64, small >> 10, large >> 10);
	cr_assert_lt(t64, 0.5, "%g s", t64);
	cr_assert_lt((double)large, 6.0 * (double)small, "scratch grows from %zu to %zu", small,
		     large);
}

/* A chain of definitions and one deep expression: neither our stack nor our time grows out of
 * bounds. */
Test(deriv_cost, long_chains_and_deep_expressions)
{
	Def p = AID_LEAF(&t, DEF_PARAM, "p", 0.3, 0.4), x = p, grad;
	double from = seconds();
	for (int k = 0; k < 20000; k++) {
		Node y = core_op1(C, OP_sin, core_add(C, AT(&t, x), core_scale(C, 0.1, AT(&t, p))));
		x = AID_DEF(&t, "x", y);
	}
	cr_assert(deriv_gradient(C, t.scratch, t.diags, AT(&t, x), 1, &p, &grad));
	Node tangent = core_d(C, AT(&t, x), AT(&t, p));
	cr_assert(deriv_resolve(C, t.scratch, t.diags, 1, &tangent));
	double chain = seconds();
	Node deep = AT(&t, p);
	for (int k = 0; k < 5000; k++) {
		deep = core_add(C, core_mul(C, deep, deep), core_op1(C, OP_cos, deep));
		deep = core_scale(C, 0.5, deep);
	}
	Def other;
	cr_assert(deriv_gradient(C, t.scratch, t.diags, deep, 1, &p, &other));
	double nested = seconds();
	cr_log_info("chain of 20000: %.0f ms, 5000 deep: %.0f ms", 1e3 * (chain - from),
		    1e3 * (nested - chain));
	cr_assert_lt(nested - from, 5.0);
}
