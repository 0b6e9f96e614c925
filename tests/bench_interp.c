/* bench_interp.c — times of one training step on the interpreter: regression with an MLP (W1) and
 * Burgers' equation (W2), built by hand through the core and differentiated by deriv.h.
 * bench_interp [threads] */
#include "compiler/deriv.h"
#include "compiler/plan.h"
#include "lang/op.h"
#include "lang/simplify.h"
#include "runtime/rng.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Bench {
	Arena *arena;
	Intern *names;
	Core *core;
	Diags *ds;
	Store *store;
	Def param[64];
	uint32_t nparam;
	Axis samples;
} Bench;

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static Sym named(Bench *b, const char *text, unsigned k)
{
	return intern_str(b->names, arena_printf(b->arena, "%s%u", text, k));
}

static Axis axis(Bench *b, const char *name, int64_t size, unsigned flags)
{
	return core_axis(b->core, (AxisInfo){.name = intern_str(b->names, name),
					     .first = 0,
					     .size = size,
					     .flags = flags});
}

static Def param(Bench *b, const char *name, unsigned k, uint32_t n, const Axis *axes)
{
	Def d = core_leaf(b->core, DEF_PARAM, named(b, name, k), (Span){0}, KIND_REAL, 0, n, axes);
	b->param[b->nparam++] = d;
	return d;
}

/* y[s,o] = bias[o] + sum[k] weight[o,k]*x[s,k]; x is a node over `in` and `s`. */
static Node dense(Bench *b, unsigned k, Node x, Index s, Index in, Axis to, Index *out)
{
	Core *c = b->core;
	Axis from = core_index_axis(c, in), both[2] = {to, from};
	Def w = param(b, "W", k, 2, both), bias = param(b, "b", k, 1, &to);
	*out = core_index(c, to, intern_str(b->names, "i"));
	Index at[2] = {*out, in};
	Node sum = core_reduce(c, RED_SUM, named(b, "z", k), (Span){0}, 1, &in,
			       core_mul(c, core_read_plain(c, w, at), x));
	(void)s;
	return core_add(c, core_read_plain(c, bias, out), sum);
}

/* The named definition of a node over (s, i), read at (s, j) with a new j. */
static Node keep(Bench *b, const char *name, unsigned k, Node n, Index s, Index i, Index *fresh)
{
	Core *c = b->core;
	Index formals[2] = {s, i};
	Def d = core_share(c, named(b, name, k), (Span){0}, 2, formals, n, DEF_USER);
	*fresh = core_index(c, core_index_axis(c, i), intern_str(b->names, "j"));
	Index at[2] = {s, *fresh};
	return core_read_plain(c, d, at);
}

/* The network on a node x[s,j]: hidden layers with tanh, then one output; the node is over s alone.
 */
static Node network(Bench *b, Node x, Index s, Index in, unsigned layers, const Axis *hidden,
		    Axis one)
{
	Core *c = b->core;
	Index i;
	for (unsigned k = 0; k < layers; k++) {
		Node z = dense(b, k, x, s, in, hidden[k], &i);
		Index j;
		Node kept = keep(b, "y", k, z, s, i, &j);
		Node a = core_op1(c, OP_tanh, kept);
		x = keep(b, "a", k, a, s, j, &in);
	}
	Axis from = core_index_axis(c, in);
	(void)one;
	Def v = param(b, "v", 0, 1, &from), c0 = param(b, "c", 0, 0, NULL);
	Node sum = core_reduce(c, RED_SUM, named(b, "u", 0), (Span){0}, 1, &in,
			       core_mul(c, core_read_plain(c, v, &in), x));
	return core_add(c, core_read_plain(c, c0, NULL), sum);
}

static void fill(Bench *b, Def leaf, double scale, uint64_t stream)
{
	store_alloc(b->store, leaf);
	rng_fill_normal((RngAddress){.seed = 1, .stream = stream}, store_count(b->store, leaf),
			store_real(b->store, leaf));
	for (size_t i = 0; i < store_count(b->store, leaf); i++) {
		store_real(b->store, leaf)[i] *= scale;
	}
}

static Def closed(Bench *b, const char *name, Node n)
{
	return core_share(b->core, named(b, name, 0), (Span){0}, 0, NULL, n, 0);
}

/* Adam on one parameter of any shape: p, m, v are leaves; three outputs with assignments. */
static uint32_t adam(Bench *b, Def p, Def grad, Node t, PlanOutput *out)
{
	Core *c = b->core;
	DefInfo info = *core_def(c, p);
	Axis axes[4];
	Index i[4];
	for (uint32_t k = 0; k < info.nindex; k++) {
		axes[k] = core_index_axis(c, info.index[k]);
		i[k] = core_index(c, axes[k], core_index_name(c, info.index[k]));
	}
	const char *name = intern_text(b->names, info.name);
	Def m = core_leaf(c, DEF_RUNTIME, intern_printf(b->names, "m_%s", name), (Span){0},
			  KIND_REAL, 0, info.nindex, axes);
	Def v = core_leaf(c, DEF_RUNTIME, intern_printf(b->names, "v_%s", name), (Span){0},
			  KIND_REAL, 0, info.nindex, axes);
	store_alloc(b->store, m);
	store_alloc(b->store, v);
	Node g = core_read_plain(c, grad, i);
	Node m1 = core_add(c, core_scale(c, 0.9, core_read_plain(c, m, i)), core_scale(c, 0.1, g));
	Node v1 = core_add(c, core_scale(c, 0.999, core_read_plain(c, v, i)),
			   core_scale(c, 0.001, core_mul(c, g, g)));
	Def md = core_share(c, intern_printf(b->names, "m1_%s", name), (Span){0}, info.nindex, i,
			    m1, 0);
	Def vd = core_share(c, intern_printf(b->names, "v1_%s", name), (Span){0}, info.nindex, i,
			    v1, 0);
	Node one = core_real_const(c, 1),
	     c1 = core_sub(c, one, core_pow(c, core_real_const(c, 0.9), t));
	Node c2 = core_sub(c, one, core_pow(c, core_real_const(c, 0.999), t));
	Def rate = core_share(c, named(b, "rate", 0), (Span){0}, 0, NULL,
			      core_div(c, core_real_const(c, 1e-3), c1), 0);
	Def root =
		core_share(c, named(b, "root", 0), (Span){0}, 0, NULL, core_op1(c, OP_sqrt, c2), 0);
	Node below = core_add(c,
			      core_div(c, core_op1(c, OP_sqrt, core_read_plain(c, vd, i)),
				       core_read_plain(c, root, NULL)),
			      core_real_const(c, 1e-8));
	Node step = core_div(
		c, core_mul(c, core_read_plain(c, rate, NULL), core_read_plain(c, md, i)), below);
	Node p1 = core_sub(c, core_read_plain(c, p, i), step);
	Def pd = core_share(c, intern_printf(b->names, "p1_%s", name), (Span){0}, info.nindex, i,
			    p1, 0);
	out[0] = (PlanOutput){pd, p};
	out[1] = (PlanOutput){md, m};
	out[2] = (PlanOutput){vd, v};
	return 3;
}

static Bench begin(void)
{
	Bench b = {.arena = arena_create()};
	b.names = intern_create(b.arena);
	b.core = core_create(b.arena, b.names);
	b.ds = diags_create(b.arena, sources_create(b.arena), 20);
	b.store = store_create(b.core);
	return b;
}

static void run(Bench *b, const char *name, Node loss, unsigned threads)
{
	Core *c = b->core;
	double t0 = seconds();
	Def grad[64];
	core_simplify(c, b->arena, 0, 1, &loss);
	if (!deriv_resolve(c, b->arena, b->ds, 1, &loss) ||
	    !deriv_gradient(c, b->arena, b->ds, loss, b->nparam, b->param, grad)) {
		diags_render(b->ds, stderr, false, false);
		exit(1);
	}
	double t1 = seconds();
	Def step = core_leaf(c, DEF_RUNTIME, intern_str(b->names, "step"), (Span){0}, KIND_REAL, 0,
			     0, NULL);
	store_alloc(b->store, step);
	PlanOutput out[256];
	uint32_t n = 0;
	out[n++] = (PlanOutput){closed(b, "loss", loss), 0};
	for (uint32_t k = 0; k < b->nparam; k++) {
		if (grad[k]) {
			n += adam(b, b->param[k], grad[k], core_read_plain(c, step, NULL), out + n);
		}
	}
	double t2 = seconds();
	Plan *p = plan_build(c, b->store, b->ds, n, out,
			     (PlanOptions){.threads = threads});
	double t3 = seconds();
	if (!p) {
		diags_render(b->ds, stderr, false, false);
		exit(1);
	}
	if (getenv("PLAN")) {
		plan_print(p, stdout);
	}
	double best = 1e9, first = 0, last = 0, began = seconds();
	for (unsigned k = 0; k < 5 || (k < 400 && seconds() - began < 1.5); k++) {
		*store_real(b->store, step) = k + 1;
		double a = seconds();
		if (!plan_run(p, b->ds, (RunContext){1, k})) {
			diags_render(b->ds, stderr, false, false);
			exit(1);
		}
		double d = seconds() - a;
		best = d < best ? d : best;
		last = *plan_real(p, 0);
		first = k == 0 ? last : first;
	}
	PlanCost cost = plan_cost(p);
	printf("%-12s %8.2f ms/step   %.1f MFLOP contractions, %.1f other   %.1f MB   derive %.1f "
	       "plan %.1f ms   loss %.6g -> %.6g\n",
	       name, best * 1e3, cost.contraction_flops * 1e-6,
	       (cost.flops - cost.contraction_flops) * 1e-6, (double)cost.memory * 1e-6,
	       (t1 - t0) * 1e3, (t3 - t2) * 1e3, first, last);
	plan_free(p);
}

static void bench_mlp(unsigned threads)
{
	Bench b = begin();
	Core *c = b.core;
	b.samples = axis(&b, "s", 1024, AXIS_SAMPLES);
	Axis two = axis(&b, "in", 2, 0), h[4];
	for (unsigned k = 0; k < 4; k++) {
		h[k] = axis(&b, "h", 64, 0);
	}
	Axis xa[2] = {b.samples, two};
	Def x = core_leaf(c, DEF_DATA, intern_str(b.names, "X"), (Span){0}, KIND_REAL, 0, 2, xa);
	Def y = core_leaf(c, DEF_DATA, intern_str(b.names, "Y"), (Span){0}, KIND_REAL, 0, 1,
			  &b.samples);
	fill(&b, x, 1, 1);
	fill(&b, y, 1, 2);
	Index s = core_index(c, b.samples, intern_str(b.names, "s")),
	      in = core_index(c, two, intern_str(b.names, "k"));
	Index at[2] = {s, in};
	Node u = network(&b, core_read_plain(c, x, at), s, in, 4, h, 0);
	Node e = core_sub(c, u, core_read_plain(c, y, &s));
	Node loss = core_reduce(c, RED_SUM, intern_str(b.names, "L"), (Span){0}, 1, &s,
				core_mul(c, e, e));
	loss = core_scale(c, 1.0 / 1024, loss);
	for (uint32_t k = 0; k < b.nparam; k++) {
		fill(&b, b.param[k], core_def(c, b.param[k])->nindex == 2 ? 0.12 : 0.1, 10 + k);
	}
	run(&b, "W1", loss, threads);
	arena_free(b.arena);
}

static Node d1(Core *c, Node u, Def v, Index s)
{
	return core_d(c, u, core_read_plain(c, v, &s));
}

static void bench_burgers(unsigned threads)
{
	Bench b = begin();
	Core *c = b.core;
	b.samples = axis(&b, "p", 10000, AXIS_SAMPLES);
	Axis two = axis(&b, "in", 2, 0), h[8];
	for (unsigned k = 0; k < 8; k++) {
		h[k] = axis(&b, "h", 20, 0);
	}
	Axis pa[2] = {b.samples, two};
	Def points =
		core_leaf(c, DEF_DATA, intern_str(b.names, "I"), (Span){0}, KIND_REAL, 0, 2, pa);
	fill(&b, points, 1, 1);
	Index s = core_index(c, b.samples, intern_str(b.names, "s"));
	Def v[2];
	for (unsigned k = 0; k < 2; k++) { /* the coordinates, as variables to differentiate by */
		Index own = core_index(c, b.samples, intern_str(b.names, "s"));
		Node args[2] = {core_index_value(c, own), core_int_const(c, k)};
		Piece piece = {NULL, core_read(c, points, args)};
		v[k] = core_define(c, (DefInfo){.role = DEF_VALUE,
						.name = intern_str(b.names, k ? "x" : "t"),
						.kind = KIND_REAL,
						.nindex = 1,
						.index = &own,
						.npiece = 1,
						.piece = &piece,
						.flags = DEF_VARIABLE});
	}
	/* [t, x] as an array over the anonymous axis: pieces at its two places */
	Index own[2] = {core_index(c, b.samples, intern_str(b.names, "s")),
			core_index(c, two, intern_str(b.names, "k"))};
	Range whole = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
	Range box0[2] = {whole, {{EDGE_AT, 0}, {EDGE_AT, 0}}},
	      box1[2] = {whole, {{EDGE_AT, 1}, {EDGE_AT, 1}}};
	Piece pieces[2] = {{box0, core_read_plain(c, v[0], own)},
			   {box1, core_read_plain(c, v[1], own)}};
	Def in = core_define(c, (DefInfo){.role = DEF_VALUE,
					  .name = intern_str(b.names, "xt"),
					  .kind = KIND_REAL,
					  .nindex = 2,
					  .index = own,
					  .npiece = 2,
					  .piece = pieces});
	Index k = core_index(c, two, intern_str(b.names, "k"));
	Index at[2] = {s, k};
	Node u = network(&b, core_read_plain(c, in, at), s, k, 8, h, 0);
	Def ud = core_share(c, intern_str(b.names, "u"), (Span){0}, 1, &s, u, DEF_USER);
	u = core_read_plain(c, ud, &s);
	Node ut = d1(c, u, v[0], s), ux = d1(c, u, v[1], s), uxx = d1(c, ux, v[1], s);
	Node f = core_sub(c, core_add(c, ut, core_mul(c, u, ux)),
			  core_scale(c, 0.01 / 3.14159265358979, uxx));
	Def fd = core_share(c, intern_str(b.names, "f"), (Span){0}, 1, &s, f, DEF_USER);
	f = core_read_plain(c, fd, &s);
	Node loss = core_reduce(c, RED_SUM, intern_str(b.names, "L"), (Span){0}, 1, &s,
				core_mul(c, f, f));
	loss = core_scale(c, 1.0 / 10000, loss);
	for (uint32_t q = 0; q < b.nparam; q++) {
		fill(&b, b.param[q], core_def(c, b.param[q])->nindex == 2 ? 0.22 : 0.1, 10 + q);
	}
	run(&b, "W2-burgers", loss, threads);
	arena_free(b.arena);
}

int main(int argc, char **argv)
{
	unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	bench_mlp(threads);
	bench_burgers(threads);
	return 0;
}
