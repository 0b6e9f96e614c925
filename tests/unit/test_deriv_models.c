/* test_deriv_models.c — derivatives of physical models: energies with forces, spins, circuits,
 * fields, gathers, reductions. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

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

TestSuite(deriv_models, .init = begin, .fini = end);

#define C (t.c)

static Node num(double v)
{
	return core_real_const(C, v);
}

static Node at(int64_t v)
{
	return core_int_const(C, v);
}

static Node mul3(Node a, Node b, Node c)
{
	return core_mul(C, a, core_mul(C, b, c));
}

static Node ne(Node a, Node b)
{
	return core_op2(C, OP_ine, a, b);
}

/* A recurrence-ready definition: readable before it has pieces. wide[k] says that formal k reaches
 * beyond its axis. */
static Def declare(const char *name, uint32_t n, const Axis *axis, const char *const *index,
		   int wide)
{
	Index ix[4];
	for (uint32_t k = 0; k < n; k++) {
		Sym s = intern_str(t.names, index[k]);
		ix[k] = (int)k == wide ? core_index_wide(C, axis[k], s) : core_index(C, axis[k], s);
	}
	return core_define(C, (DefInfo){.role = DEF_VALUE,
					.name = intern_str(t.names, name),
					.nindex = n,
					.index = ix});
}

static Index formal(Def d, uint32_t k)
{
	return core_def(C, d)->index[k];
}

static const Range ALL = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}};

static Range point(int64_t v)
{
	return (Range){{EDGE_AT, v}, {EDGE_AT, v}};
}

/* ---- pair distances, Gaussian orbitals, forces ---- */

typedef struct Atoms {
	Axis s, atom, xyz, n;
	Def R, data; /* the variable, and the leaf behind it */
	Def E;
} Atoms;

/* E[s] = Σ_i w tanh(Σ_k p[k]), g = exp(-α r2)*cut(sqrt(r2)), s-type and p-type sums over j != i. */
static Atoms atoms(void)
{
	Atoms m = {aid_axis(&t, "s", 0, 2, AXIS_SAMPLES),
		   aid_axis(&t, "atom", 1, 3, 0),
		   aid_axis(&t, "xyz", 0, 3, 0),
		   aid_axis(&t, "n", 0, 2, 0),
		   0,
		   0,
		   0};
	m.data = AID_LEAF(&t, DEF_DATA, "R0", -1, 1, m.s, m.atom, m.xyz);
	m.R = aid_variable(&t, "R", m.data);
	Def alpha = AID_LEAF(&t, DEF_PARAM, "alpha", 0.3, 1.5, m.n),
	    w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, m.n);
	Index s = aid_index(&t, m.s, "s"), i = aid_index(&t, m.atom, "i"),
	      j = aid_index(&t, m.atom, "j");
	Index a = aid_index(&t, m.xyz, "a"), k = aid_index(&t, m.n, "k");
	Node ns = IX(&t, s), ni = IX(&t, i), nj = IX(&t, j), na = IX(&t, a), nk = IX(&t, k);
	Node diff = core_sub(C, AT(&t, m.R, ns, nj, na), AT(&t, m.R, ns, ni, na));
	Def d = AID_DEF(&t, "d", diff, s, i, j, a);
	Node dn = AT(&t, d, ns, ni, nj, na);
	Def r2 = AID_DEF(&t, "r2", SUM(&t, core_powi(C, dn, 2), a), s, i, j);
	Node rn = AT(&t, r2, ns, ni, nj), r = core_op1(C, OP_sqrt, rn);
	Node in = core_op2(C, OP_lt, r, num(3.0));
	Node cut = core_guard(
		C, in,
		core_scale(
			C, 0.5,
			core_add(C, num(1), core_op1(C, OP_cos, core_scale(C, 3.14159 / 3, r)))));
	Node gauss = core_op1(C, OP_exp, core_neg(C, core_mul(C, AT(&t, alpha, nk), rn)));
	Node far = core_div(C, num(0.1),
			    core_add(C, r, core_scale(C, 0.0, r))); /* 1/r: infinite where j = i */
	Def g = AID_DEF(&t, "g", core_mul(C, gauss, core_add(C, cut, far)), s, i, j, k);
	Node gn = AT(&t, g, ns, ni, nj, nk);
	Def s0 = AID_DEF(&t, "s0", SUM(&t, core_guard(C, ne(nj, ni), gn), j), s, i, k);
	Def c1 = AID_DEF(&t, "c1", SUM(&t, core_guard(C, ne(nj, ni), core_mul(C, dn, gn)), j), s, i,
			 k, a);
	Node cn = AT(&t, c1, ns, ni, nk, na);
	Node p = core_mul(C, AT(&t, alpha, nk), SUM(&t, core_powi(C, cn, 2), a));
	Node y = core_op1(C, OP_tanh, core_add(C, AT(&t, s0, ns, ni, nk), p));
	m.E = AID_DEF(&t, "E", SUM(&t, core_mul(C, AT(&t, w, nk), y), i, k), s);
	return m;
}

Test(deriv_models, forces_are_minus_the_gradient)
{
	Atoms m = atoms();
	Node e1 = AT(&t, m.E, at(1));
	Node f = aid_resolve(&t, core_d(C, e1, AT(&t, m.R, at(1), at(2), at(0))));
	double want = aid_difference(&t, e1, m.data, 1 * 9 + 1 * 3 + 0), got = aid_value(&t, f);
	NEAR(fabs(got - want), 1e-9);
}

Test(deriv_models, parameter_gradient_of_a_loss_on_forces)
{
	Atoms m = atoms();
	Index s = aid_index(&t, m.s, "s"), i = aid_index(&t, m.atom, "i"),
	      a = aid_index(&t, m.xyz, "a");
	Node v = AT(&t, m.R, IX(&t, s), IX(&t, i), IX(&t, a));
	Def F = AID_DEF(&t, "F", core_neg(C, core_d(C, AT(&t, m.E, IX(&t, s)), v)), s, i, a);
	Node loss = SUM(
		&t,
		core_powi(C, core_add(C, AT(&t, F, IX(&t, s), IX(&t, i), IX(&t, a)), num(0.1)), 2),
		s, i, a);
	loss = core_add(C, loss, SUM(&t, core_powi(C, AT(&t, m.E, IX(&t, s)), 2), s));
	NEAR(aid_gradient_error(&t, aid_resolve(&t, loss)), 1e-8);
}

/* Second derivatives of the energy by positions: forward over reverse, against differences of the
 * force. */
Test(deriv_models, hessian_in_positions)
{
	Atoms m = atoms();
	Node e0 = AT(&t, m.E, at(0));
	Index i = aid_index(&t, m.atom, "i"), a = aid_index(&t, m.xyz, "a"),
	      j = aid_index(&t, m.atom, "j"), b = aid_index(&t, m.xyz, "b");
	Node g = core_d(C, e0, AT(&t, m.R, at(0), IX(&t, i), IX(&t, a)));
	Node h = core_d(C, g, AT(&t, m.R, at(0), IX(&t, j), IX(&t, b)));
	Def H = AID_DEF(&t, "H", h, i, a, j, b);
	Node one = aid_resolve(&t, AT(&t, H, at(1), at(2), at(3), at(0)));
	Node other = aid_resolve(&t, AT(&t, H, at(3), at(0), at(1), at(2)));
	Node force = aid_resolve(&t, core_d(C, e0, AT(&t, m.R, at(0), at(1), at(2))));
	double want = aid_difference(&t, force, m.data, 2 * 3 + 0);
	NEAR(fabs(aid_value(&t, one) - want), 1e-8);
	NEAR(fabs(aid_value(&t, one) - aid_value(&t, other)), 1e-12);
}

/* ---- Laplacians ---- */

static Node network(Axis s, Axis xyz, Def x, Node r)
{
	Axis h = aid_axis(&t, "h", 0, 4, 0);
	Def W = AID_LEAF(&t, DEF_PARAM, "W", -1, 1, h, xyz),
	    V = AID_LEAF(&t, DEF_PARAM, "V", -1, 1, h, h);
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, h);
	Index i = aid_index(&t, h, "i"), j = aid_index(&t, h, "j"), c = aid_index(&t, xyz, "c"),
	      q = aid_index(&t, s, "s");
	Node z = SUM(&t,
		     core_mul(C, AT(&t, W, IX(&t, j), IX(&t, c)), AT(&t, x, IX(&t, q), IX(&t, c))),
		     c);
	Def a = AID_DEF(&t, "a", core_op1(C, OP_tanh, z), q, j);
	Node y = SUM(&t,
		     core_mul(C, AT(&t, V, IX(&t, i), IX(&t, j)), AT(&t, a, IX(&t, q), IX(&t, j))),
		     j);
	Def b = AID_DEF(&t, "b", core_op1(C, OP_sin, y), q, i);
	return SUM(&t, core_mul(C, AT(&t, w, IX(&t, i)), AT(&t, b, r, IX(&t, i))), i);
}

static void laplacian(int64_t d)
{
	Axis s = aid_axis(&t, "s", 0, 2, AXIS_SAMPLES), xyz = aid_axis(&t, "xyz", 0, d, 0);
	Def data = AID_LEAF(&t, DEF_DATA, "p", -1, 1, s, xyz), x = aid_variable(&t, "x", data);
	Index r = aid_index(&t, s, "s"), c = aid_index(&t, xyz, "c");
	Def u = AID_DEF(&t, "u", network(s, xyz, x, IX(&t, r)), r);
	Node v = AT(&t, x, IX(&t, r), IX(&t, c));
	Def lap =
		AID_DEF(&t, "lap", SUM(&t, core_d(C, core_d(C, AT(&t, u, IX(&t, r)), v), v), c), r);
	Node loss = SUM(&t, core_powi(C, core_add(C, AT(&t, lap, IX(&t, r)), num(0.3)), 2), r);
	Node at0 = AT(&t, lap, at(0));
	loss = aid_resolve(&t, loss);
	double want = 0;
	for (int64_t k = 0; k < d; k++) {
		Node first = aid_resolve(&t, core_d(C, AT(&t, u, at(0)), AT(&t, x, at(0), at(k))));
		want += aid_difference(&t, first, data, (size_t)k);
	}
	NEAR(fabs(aid_value(&t, at0) - want) / (1 + fabs(want)), 1e-8);
	NEAR(aid_gradient_error(&t, loss), 1e-8);
	/* collapsed: no definition that the loss reaches carries the coordinate twice
	 * differentiated */
	Def *order;
	uint32_t *component, n = core_reach(C, t.scratch, 1, &loss, &order, &component),
			     streams = 0;
	for (uint32_t k = 0; k < n; k++) {
		const char *name = intern_text(t.names, core_def(C, order[k])->name);
		streams += strncmp(name, "sum_", 4) == 0;
		cr_assert(!strstr(name, "_xx") || strncmp(name, "sum_", 4) == 0,
			  "%s is not collapsed", name);
	}
	cr_assert_gt(streams, 0);
}

Test(deriv_models, laplacian_in_two_coordinates)
{
	laplacian(2);
}

Test(deriv_models, laplacian_in_three_coordinates)
{
	laplacian(3);
}

Test(deriv_models, laplacian_in_six_coordinates)
{
	laplacian(6);
}

/* ---- spins ---- */

Test(deriv_models, pseudolikelihood_with_symmetric_reads)
{
	Axis r = aid_axis(&t, "r", 0, 4, AXIS_SAMPLES), site = aid_axis(&t, "site", 1, 5, 0);
	Def S = AID_LEAF(&t, DEF_DATA, "S", -1, 1, r, site),
	    J = AID_LEAF(&t, DEF_PARAM, "J", -1, 1, site, site);
	Def h = AID_LEAF(&t, DEF_PARAM, "h", -1, 1, site);
	Index q = aid_index(&t, r, "r"), i = aid_index(&t, site, "i"), j = aid_index(&t, site, "j");
	Node nq = IX(&t, q), ni = IX(&t, i), nj = IX(&t, j);
	Node sym = core_add(C, AT(&t, J, ni, nj), AT(&t, J, nj, ni));
	Node field = core_add(
		C, AT(&t, h, ni),
		SUM(&t, core_guard(C, ne(nj, ni), core_mul(C, sym, AT(&t, S, nq, nj))), j));
	Node e = core_op1(
		C, OP_log1p,
		core_op1(C, OP_exp, core_scale(C, -2, core_mul(C, AT(&t, S, nq, ni), field))));
	NEAR(aid_gradient_error(&t, SUM(&t, e, q, i)), 1e-8);
}

/* ---- a circuit: complex amplitudes as pairs, recurrence over layers, xor and bits in index
 * expressions ---- */

typedef struct Pair {
	Node re, im;
} Pair;

static Node bit(Node b, int64_t q)
{
	return core_op2(C, OP_ieq, core_op2(C, OP_band, core_op2(C, OP_shr, b, at(q)), at(1)),
			at(1));
}

/* ψ'[l,b] after RY(q), then RZ(q), then CNOT(q, q+1) of three qubits, gate by gate as definitions.
 */
static Pair amplitude(const Def d[2], Node l, Node b)
{
	return (Pair){AT(&t, d[0], l, b), AT(&t, d[1], l, b)};
}

static void named(Def out[2], const char *re, const char *im, Pair p, Index l, Index b)
{
	out[0] = AID_DEF(&t, re, p.re, l, b);
	out[1] = AID_DEF(&t, im, p.im, l, b);
}

Test(deriv_models, circuit_of_three_qubits)
{
	Axis lay = aid_axis(&t, "lay", 1, 2, 0), state = aid_axis(&t, "state", 0, 8, 0),
	     q = aid_axis(&t, "q", 0, 3, 0);
	Def theta = AID_LEAF(&t, DEF_PARAM, "theta", -2, 2, lay, q),
	    phi = AID_LEAF(&t, DEF_PARAM, "phi", -2, 2, lay, q);
	const char *const names[] = {"l", "b"};
	Def psi[2] = {declare("re", 2, (Axis[]){lay, state}, names, 0),
		      declare("im", 2, (Axis[]){lay, state}, names, 0)};
	Def now[2] = {psi[0], psi[1]};
	Index l = aid_index(&t, lay, "l"), b = aid_index(&t, state, "b");
	Node nl = IX(&t, l), nb = IX(&t, b), before = core_sub(C, nl, at(1));
	for (int64_t k = 0; k < 3; k++) {
		Node half = core_scale(C, 0.5, AT(&t, theta, nl, at(k))),
		     turn = core_scale(C, 0.5, AT(&t, phi, nl, at(k)));
		Node co = core_op1(C, OP_cos, half), si = core_op1(C, OP_sin, half);
		Node sign = core_select(C, bit(nb, k), num(1), num(-1)),
		     flip = core_op2(C, OP_bxor, nb, at(1 << k));
		Node from = now[0] == psi[0] ? before : nl;
		Pair p = amplitude(now, from, nb), f = amplitude(now, from, flip);
		Pair y = {core_add(C, core_mul(C, co, p.re), mul3(sign, si, f.re)),
			  core_add(C, core_mul(C, co, p.im), mul3(sign, si, f.im))};
		named(now, "yr", "yi", y, l, b);
		p = amplitude(now, nl, nb);
		Node cz = core_op1(C, OP_cos, turn),
		     sz = core_mul(C, sign, core_op1(C, OP_sin, turn));
		Pair z = {core_sub(C, core_mul(C, cz, p.re), core_mul(C, sz, p.im)),
			  core_add(C, core_mul(C, sz, p.re), core_mul(C, cz, p.im))};
		named(now, "zr", "zi", z, l, b);
		if (k < 2) {
			Node target = core_op2(C, OP_bxor, nb, at(2 << k));
			Pair x = amplitude(now, nl, nb), w = amplitude(now, nl, target);
			Pair cn = {core_select(C, bit(nb, k), w.re, x.re),
				   core_select(C, bit(nb, k), w.im, x.im)};
			named(now, "cr", "ci", cn, l, b);
		}
	}
	for (int part = 0; part < 2; part++) {
		Index own[2] = {formal(psi[part], 0), formal(psi[part], 1)};
		Node start =
			part ? num(0)
			     : core_guard(C, core_op2(C, OP_ieq, IX(&t, own[1]), at(0)), num(1));
		Piece piece[2] = {
			{(Range[]){point(0), ALL}, start},
			{(Range[]){ALL, ALL}, AT(&t, now[part], IX(&t, own[0]), IX(&t, own[1]))}};
		core_set_pieces(C, psi[part], 2, piece);
	}
	Index c = aid_index(&t, state, "b");
	Node z0 = core_select(C, bit(IX(&t, c), 0), num(-1), num(1)),
	     flip = core_op2(C, OP_bxor, IX(&t, c), at(6));
	Pair p = amplitude(psi, at(2), IX(&t, c)), f = amplitude(psi, at(2), flip);
	Node prob = core_add(C, core_powi(C, p.re, 2), core_powi(C, p.im, 2));
	Node xx = core_add(C, core_mul(C, p.re, f.re), core_mul(C, p.im, f.im));
	Node energy = SUM(&t, core_add(C, core_mul(C, z0, prob), core_scale(C, 0.5, xx)), c);
	NEAR(fabs(aid_value(&t, SUM(&t, prob, c)) - 1), 1e-12);
	NEAR(aid_gradient_error(&t, energy), 1e-8);
	/* parameter shift: rotations have period 4π in θ and shift by π/2 */
	Node grad = aid_resolve(&t, core_d(C, energy, AT(&t, theta, at(2), at(1))));
	double *x = &ref_values(t.ref, theta)[4], was = *x, e[2];
	for (int s = 0; s < 2; s++) {
		*x = was + (s ? -1 : 1) * acos(0);
		ref_forget(t.ref);
		e[s] = aid_value(&t, energy);
	}
	*x = was;
	ref_forget(t.ref);
	NEAR(fabs(aid_value(&t, grad) - (e[0] - e[1]) / 2), 1e-12);
}

/* ---- fields ---- */

Test(deriv_models, periodic_convolution_in_a_recurrence)
{
	Axis time = aid_axis(&t, "time", 1, 3, 0), site = aid_axis(&t, "site", 0, 5, AXIS_PERIODIC);
	Axis ch = aid_axis(&t, "ch", 0, 2, 0), off = aid_axis(&t, "off", -1, 3, 0);
	Def K = AID_LEAF(&t, DEF_PARAM, "K", -1, 1, ch, ch, off),
	    u0 = AID_LEAF(&t, DEF_PARAM, "u0", -1, 1, site, ch);
	Def u = declare("u", 3, (Axis[]){time, site, ch}, (const char *const[]){"t", "x", "c"}, 0);
	Index q = formal(u, 0), x = formal(u, 1), c = formal(u, 2), e = aid_index(&t, ch, "e"),
	      o = aid_index(&t, off, "o");
	Node shifted = AT(&t, u, core_sub(C, IX(&t, q), at(1)), core_add(C, IX(&t, x), IX(&t, o)),
			  IX(&t, e));
	Node z = SUM(&t, core_mul(C, AT(&t, K, IX(&t, c), IX(&t, e), IX(&t, o)), shifted), e, o);
	Piece piece[2] = {{(Range[]){point(0), ALL, ALL}, AT(&t, u0, IX(&t, x), IX(&t, c))},
			  {(Range[]){ALL, ALL, ALL}, core_op1(C, OP_sin, z)}};
	core_set_pieces(C, u, 2, piece);
	Index y = aid_index(&t, site, "x"), d = aid_index(&t, ch, "c");
	NEAR(aid_gradient_error(
		     &t, SUM(&t, core_powi(C, AT(&t, u, at(3), IX(&t, y), IX(&t, d)), 3), y, d)),
	     1e-8);
}

/* A convolution with zero boundary: several indices in one index expression, guarded reads. */
Test(deriv_models, open_convolution)
{
	Axis site = aid_axis(&t, "site", 1, 6, 0), off = aid_axis(&t, "off", -1, 3, 0);
	Def K = AID_LEAF(&t, DEF_PARAM, "K", -1, 1, off),
	    u = AID_LEAF(&t, DEF_PARAM, "u", 0.5, 1, site);
	Index x = aid_index(&t, site, "x"), o = aid_index(&t, off, "o");
	Node place = core_add(C, IX(&t, x), IX(&t, o));
	Node in = core_op2(C, OP_and, core_op2(C, OP_ile, at(1), place),
			   core_op2(C, OP_ile, place, at(6)));
	Node y = SUM(&t,
		     core_guard(C, in,
				core_mul(C, AT(&t, K, IX(&t, o)),
					 core_op1(C, OP_log, AT(&t, u, place)))),
		     o);
	NEAR(aid_gradient_error(&t, SUM(&t, core_powi(C, y, 2), x)), 1e-8);
}

/* u[t+1,x] = 2u[t,x] - u[t-1,x] + c²(u[t,x+1] - 2u[t,x] + u[t,x-1]), zero at both ends; the last
 * step is chosen by data. */
Test(deriv_models, wave_equation)
{
	Axis time = aid_axis(&t, "time", 0, 6, 0), site = aid_axis(&t, "x", 0, 5, 0),
	     rec = aid_axis(&t, "rec", 0, 2, AXIS_SAMPLES);
	Def c2 = AID_LEAF(&t, DEF_PARAM, "c2", 0.1, 0.3, site),
	    u0 = AID_LEAF(&t, DEF_PARAM, "u0", -1, 1, site);
	Def last = core_leaf(C, DEF_DATA, intern_str(t.names, "last"), (Span){0}, KIND_INT, 0, 1,
			     (Axis[]){rec});
	ref_set(t.ref, last, (double[]){5, 3});
	Def u = declare("u", 2, (Axis[]){time, site}, (const char *const[]){"t", "x"}, -1);
	Node q = IX(&t, formal(u, 0)), x = IX(&t, formal(u, 1)), b1 = core_sub(C, q, at(1)),
	     b2 = core_sub(C, q, at(2));
	Node mid = AT(&t, u, b1, x), lap = core_add(C, AT(&t, u, b1, core_add(C, x, at(1))),
						    AT(&t, u, b1, core_sub(C, x, at(1))));
	lap = core_sub(C, lap, core_scale(C, 2, mid));
	Node step = core_add(C, core_sub(C, core_scale(C, 2, mid), AT(&t, u, b2, x)),
			     core_mul(C, AT(&t, c2, x), lap));
	Range inner = {{EDGE_FIRST, 1}, {EDGE_LAST, -1}}, later = {{EDGE_FIRST, 2}, {EDGE_LAST, 0}},
	      start = {{EDGE_AT, 0}, {EDGE_AT, 1}};
	Piece piece[4] = {{(Range[]){ALL, point(0)}, num(0)},
			  {(Range[]){ALL, point(4)}, num(0)},
			  {(Range[]){start, inner}, AT(&t, u0, x)},
			  {(Range[]){later, inner}, step}};
	core_set_pieces(C, u, 4, piece);
	Index r = aid_index(&t, rec, "r"), y = aid_index(&t, site, "y");
	Node e = core_powi(C, AT(&t, u, AT(&t, last, IX(&t, r)), IX(&t, y)), 2);
	Node loss = core_add(C, SUM(&t, e, r, y), AT(&t, u, at(4), at(2)));
	NEAR(aid_gradient_error(&t, loss), 1e-8);
}

/* Soft edit distance: D[i,j] = -log(exp(-D[i-1,j]-g) + exp(-D[i,j-1]-g) + exp(-D[i-1,j-1]-c[i,j])),
 * beside both axes base values. */
Test(deriv_models, two_dimensional_recurrence)
{
	Axis a = aid_axis(&t, "a", 1, 3, 0), b = aid_axis(&t, "b", 1, 4, 0);
	Def c = AID_LEAF(&t, DEF_PARAM, "c", 0, 1, a, b),
	    g = AID_LEAF(&t, DEF_PARAM, "g", 0.2, 0.8);
	Index di = core_index_wide(C, a, intern_str(t.names, "i")),
	      dj = core_index_wide(C, b, intern_str(t.names, "j"));
	Def D = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "D"),
					 .nindex = 2,
					 .index = (Index[]){di, dj}});
	Node i = IX(&t, di), j = IX(&t, dj), im = core_sub(C, i, at(1)), jm = core_sub(C, j, at(1)),
	     gap = AT(&t, g);
	Node up = core_op1(C, OP_exp, core_neg(C, core_add(C, AT(&t, D, im, j), gap)));
	Node left = core_op1(C, OP_exp, core_neg(C, core_add(C, AT(&t, D, i, jm), gap)));
	Node diagonal =
		core_op1(C, OP_exp, core_neg(C, core_add(C, AT(&t, D, im, jm), AT(&t, c, i, j))));
	Node soft = core_neg(C, core_op1(C, OP_log, core_add(C, up, core_add(C, left, diagonal))));
	Range fromzero = {{EDGE_FIRST, -1}, {EDGE_LAST, 0}};
	Piece piece[3] = {{(Range[]){point(0), fromzero}, core_mul(C, core_real(C, j), gap)},
			  {(Range[]){ALL, point(0)}, core_mul(C, core_real(C, i), gap)},
			  {(Range[]){ALL, ALL}, soft}};
	core_set_pieces(C, D, 3, piece);
	NEAR(aid_gradient_error(&t, AT(&t, D, at(3), at(4))), 1e-8);
}
