/* model.c — random models with their data, losses and trainings: larger than what the evaluator of eval.c computes in
 * time. Interpreted and compiled they say the same; compiled with any number of threads the same bytes. */
#include "tests/random/random.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 14, MOST = 4 };

typedef struct Model {
	Gen *g;
	FILE *out;
	int64_t f, h, q, t, r, k, n; /* sizes of axes, number of records */
	unsigned npiece, npar;
	unsigned piece[MOST];
	char par[24][8];             /* parameters */
	bool jumps;                  /* the loss has jumps, where a line search would end */
} Model;

static int64_t one_of(Gen *g, const int *from, unsigned n)
{
	return from[gen_pick(g, n)];
}

static const char *activation(Gen *g)
{
	static const char *const name[] = {"tanh", "sin", "sigmoid", "softplus", "gelu", "silu", "atan", "erf", "relu", "elu",
		"mish", "gaussian", "softsign", "asinh", "cos", "abs"};
	return name[gen_pick(g, 16)];
}

/* One without kinks, for derivatives. */
static const char *smooth(Gen *g)
{
	static const char *const name[] = {"tanh", "sin", "sigmoid", "softplus", "atan", "erf", "asinh", "gaussian"};
	return name[gen_pick(g, 8)];
}

/* param A12 : real[axes] */
static void parameter(Model *m, char letter, unsigned id, const char *axes)
{
	snprintf(m->par[m->npar], sizeof m->par[0], "%c%u", letter, id);
	m->npar++;
	fprintf(m->out, "param %c%u : real%s ~ uniform(-%g, %g)\n", letter, id, axes, 0.7, 0.8);
}

/* ---- pieces: each a function of one record, a number ---- */

static void piece_net(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[h, f]");
	parameter(m, 'B', id, "[h]");
	parameter(m, 'C', id, "[q, h]");
	parameter(m, 'D', id, "[q]");
	fprintf(m->out, "fn g%u(x: real[f]) {\n", id);
	fprintf(m->out, "  a[i] = %s(B%u[i] + sum[j] A%u[i,j]*x[j])\n", activation(m->g), id, id);
	fprintf(m->out, "  e[i] = %s(0.1*i + sum[j] C%u[i,j]*a[j])\n", activation(m->g), id);
	fprintf(m->out, "  return sum[i] D%u[i]*e[i]\n}\n", id);
}

/* States over letters. */
static void piece_sequence(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[k, h]");
	parameter(m, 'B', id, "[h, h]");
	parameter(m, 'C', id, "[h]");
	fprintf(m->out, "fn g%u(m: int[t], n: int) {\n  s[0,j] = 0.1*j\n", id);
	fprintf(m->out, "  s[i,j] = tanh(A%u[m[i], j] + 0.4*(sum[l] s[i-1, l]*B%u[l,j]))\n", id, id);
	if (gen_chance(m->g, 50)) {
		fprintf(m->out, "  return sum[j] s[end(t), j]*C%u[j]\n}\n", id);
	} else { /* of the length that the record says */
		fprintf(m->out, "  return sum[i in t if i <= n] sum[j] s[i,j]*C%u[j]\n}\n", id);
	}
}

/* One number that steps twice, forward or backward, beside another one. */
static void piece_pair(Model *m, unsigned id)
{
	bool back = gen_chance(m->g, 40);
	char way = back ? '+' : '-';
	parameter(m, 'A', id, "[k]");
	fprintf(m->out, "fn g%u(m: int[t], n: int, y: real) {\n", id);
	long edge = back ? (long)m->t + 1 : 0;
	fprintf(m->out, "  a[%ld] = y\n  b[%ld] = 0.3\n", edge, edge);
	fprintf(m->out, "  a[i] = %s(0.8*a[i%c1] - 0.4*b[i%c1] + A%u[m[i]])\n", smooth(m->g), way, way, id);
	fprintf(m->out, "  b[i] = 0.7*b[i%c1] + 0.2*a[i%s]\n", way, gen_chance(m->g, 50) ? "" : back ? "+1" : "-1");
	fprintf(m->out, "  return sum[i in t if i != n] (a[i]*b[i] + b[i])\n}\n");
}

/* A ring, read beyond where it closes. */
static void piece_ring(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[q, w]");
	parameter(m, 'B', id, "[q]");
	fprintf(m->out, "fn g%u(u: real[r]) {\n", id);
	fprintf(m->out, "  c[p,i] = %s(B%u[p] + sum[j] A%u[p,j]*u[i + %d*j - 2])\n", activation(m->g), id, id, 1 + (int)gen_pick(m->g, 2));
	fprintf(m->out, "  return mean[p in q, i in r] c[p,i]*c[p, i+%d]\n}\n", (int)gen_pick(m->g, 4));
}

static void piece_reducers(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[k, f]");
	fprintf(m->out, "fn g%u(x: real[f], c: int) {\n  z = [i -> sum[j] A%u[i,j]*x[j]]\n", id, id);
	static const char *const ways[] = {
		"logsumexp[i](z[i]) - z[c]",
		"max[i](z[i]) + 0.5*min[i](z[i] + 0.1*i)",
		"A%u[argmax[i](z[i]), 0] + z[argmin[i](z[i])]",
		"prod[i](1 + 0.3*sin(z[i]))",
		"logsumexp[i if i != c](2*z[i])",
		"(mean[i] z[i]^2) + (count[i] (z[i] > 0.1))*z[0]",
		"if any[i] (z[i] > 0.8) then sum[i] sqrt(abs(z[i])) else sum[i] z[i]",
	};
	unsigned way = m->k == 1 ? 1 : gen_pick(m->g, 7); /* of one number a difference is 0 */
	m->jumps = m->jumps || way == 2 || way > 4;
	fprintf(m->out, "  return ");
	fprintf(m->out, ways[way], id);
	fprintf(m->out, "\n}\n");
}

static void piece_filter(Model *m, unsigned id)
{
	static const char *const filter[] = {"x[j] > 0", "j != c mod size(f)", "x[j] > x[0] and j < n", "(j + n) mod 2 == 0",
		"x[j]^2 < 0.5 or j == c"};
	parameter(m, 'A', id, "[f, k]");
	parameter(m, 'B', id, "[k, h]");
	fprintf(m->out, "fn g%u(x: real[f], n: int, c: int) = sum[i in h] %s(sum[j in f if %s] (A%u[j,c]*x[j] + 0.2*B%u[c,i]))*B%u[c,i]\n",
		id, smooth(m->g), filter[gen_pick(m->g, 5)], id, id, id);
}

static void piece_complex(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[r, q]");
	fprintf(m->out, "fn g%u(u: real[r]) {\n", id);
	fprintf(m->out, "  z = [p in q -> sum[i in r] complex(A%u[i,p], 0.3)*exp(complex(0.1*u[i], 2*pi*i*p/size(r)))]\n", id);
	static const char *const ways[] = {"sum[p in q] re(z[p]*conj(z[p]))", "sum[p in q] (im(z[p]*z[p]) + abs(1.5 + z[p]))",
		"re(sum[p in q] sqrt(z[p] + complex(0, 9)))", "im(sum[p in q] log(9 + z[p]))*(re(exp(0.1*z[0])))"};
	fprintf(m->out, "  return %s\n}\n", ways[gen_pick(m->g, 4)]);
}

/* Derivatives by numbers up to the fourth order, of a net. */
static void piece_derivative(Model *m, unsigned id)
{
	static const char *const of[] = {"∂u%u(x,t)/∂x", "∂²u%u(x,t)/∂x²", "∂²u%u(x,t)/∂x∂t", "∂³u%u(x,t)/∂x³", "∂⁴u%u(x,t)/∂x⁴",
		"∂³u%u(x,t)/∂x²∂t"};
	parameter(m, 'A', id, "[h, two]");
	parameter(m, 'B', id, "[h]");
	parameter(m, 'C', id, "[h, h]");
	fprintf(m->out, "fn u%u(x: real, t: real) {\n", id);
	fprintf(m->out, "  a[i] = %s(B%u[i] + A%u[i,0]*x + A%u[i,1]*t)\n", smooth(m->g), id, id, id);
	fprintf(m->out, "  e[i] = %s(sum[j] 0.5*C%u[i,j]*a[j])\n  return mean[i] e[i]*(1 + B%u[i])\n}\n", smooth(m->g), id, id);
	for (unsigned k = 0; k < 2; k++) {
		fprintf(m->out, "fn %c%u(x: real, t: real) = ", k ? 'w' : 'v', id);
		fprintf(m->out, of[gen_pick(m->g, 6)], id);
		fprintf(m->out, "\n");
	}
	fprintf(m->out, "fn g%u(x: real[f], y: real) = v%u(x[0], y)*u%u(x[0], y) + w%u(0.5*y, x[0])\n", id, id, id, id);
}

/* Bodies, an energy of their distances, its force. */
static void piece_force(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[two, q]");
	parameter(m, 'B', id, "[q]");
	fprintf(m->out, "fn r%u(X: real[k, xyz], i: k, j: k) = sqrt(0.1 + sum[a] (X[i,a] - X[j,a])^2)\n", id);
	fprintf(m->out, "fn e%u(X: real[k, xyz], c: int) {\n", id);
	fprintf(m->out, "  y[i,p] = sum[j in k if j != i and (j + c) mod %d != 1] exp(-A%u[0,p]^2*r%u(X, i, j))\n", 2 + (int)gen_pick(m->g, 3), id, id);
	fprintf(m->out, "  return sum[i in k, p in q] B%u[p]*%s(A%u[1,p]*y[i,p])\n}\n", id, smooth(m->g), id);
	fprintf(m->out, "fn g%u(X: real[k, xyz], c: int) = 0.3*e%u(X, c) + sum[i in k,a in xyz] (grad(e%u(X, c), X)[i,a])^2\n", id, id, id);
}

static void piece_draws(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[q, f]");
	fprintf(m->out, "fn g%u(x: real[f]) = expect[e ~ normal(q), n = %u] (mean[i in q] %s(e[i]*exp(0.2*x[0]) + sum[j in f] A%u[i,j]*x[j]))\n",
		id, 1 + gen_pick(m->g, 9), smooth(m->g), id);
}

static void piece_bits(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[bits]");
	parameter(m, 'B', id, "[bits]");
	fprintf(m->out, "fn g%u(n: int, c: int) = sum[i in bits] A%u[i xor (c band 7)]*B%u[(i shl 1) mod size(bits)]*"
		"(1 - 2*((i shr (n mod 3)) band 1))\n", id, id, id);
}

/* A recurrence over a ring of states: an integration in time. */
static void piece_motion(Model *m, unsigned id)
{
	parameter(m, 'A', id, "");
	parameter(m, 'B', id, "[r]");
	fprintf(m->out, "fn g%u(u: real[r]) {\n  z[0,i] = u[i]\n", id);
	fprintf(m->out, "  z[t,i] = z[t-1,i] + 0.1*A%u*(z[t-1,i+1] - 2*z[t-1,i] + z[t-1,i-1]) + 0.05*%s(B%u[i]*z[t-1,i])\n", id, smooth(m->g), id);
	fprintf(m->out, "  return sum[i in r] (z[end(t), i] - u[i])^2\n}\n");
}

/* c[i,l] of three neighbours before it: over two axes. */
static void piece_plane(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[k]");
	fprintf(m->out, "fn g%u(x: real[f], m: int[t]) {\n  c[0,-1] = 0\n  c[i,-1] = 0.1*i\n  c[0,j] = x[j]\n", id);
	fprintf(m->out, "  c[i,j] = tanh(0.5*c[i-1,j] + A%u[m[i]]*c[i,j-1] - 0.3*c[i-1,j-1])\n", id);
	fprintf(m->out, "  return sum[i in t] c[i, end(f)]\n}\n");
}

/* Operations on whole arrays, a matrix for each record: far from singular. */
static void piece_matrix(Model *m, unsigned id)
{
	parameter(m, 'A', id, "[f, f]");
	fprintf(m->out, "fn g%u(x: real[f]) {\n  z = [i -> sum[j] A%u[i,j]*x[j]]\n", id, id);
	fprintf(m->out, "  M = [i, j -> (if i == j then 4 else 0) + 0.3*sin(A%u[i,j]*(1 + x[j]))]\n", id);
	fprintf(m->out, "  S = [i, j -> M[i,j] + M[j,i]]\n");
	static const char *const ways[] = {
		"logdet(M) + 0.1*z[0]",
		"sum[i] solve(M, x)[i]*z[i]",
		"sum[i, j in f] (i + 2*j)*inverse(M)[i,j]",
		"sum[k] k*sort(z)[k]^2",
		"log(det(M)) + sum[k] cholesky(stop(S))[k,k]*z[k]",
		"eigh(S).values[0] + 0.3*eigh(S).values[end(f)]^2",
		"svd(M).s[0] + sum[i, j in f] stop(expm(0.1*M)[i,j])*z[i]",
		"sum[k] rank(z)[k]*z[k] + stop(sum[k] (qr(M).R[k,k] + pseudoinverse(M)[0,k]))*z[0]",
	};
	unsigned way = gen_pick(m->g, 8);
	m->jumps = m->jumps || way == 7;
	fprintf(m->out, "  return %s + 0.01*(z[0] + M[0,0] + S[0,0])\n}\n", ways[way]);
}

typedef struct Piece {
	void (*write)(Model *m, unsigned id);
	const char *arguments; /* fields of a record */
} Piece;
static const Piece pieces[PIECES] = {
	{piece_net, "x"}, {piece_sequence, "m,n"}, {piece_pair, "m,n,y"}, {piece_ring, "u"}, {piece_reducers, "x,c"},
	{piece_filter, "x,n,c"}, {piece_complex, "u"}, {piece_derivative, "x,y"}, {piece_force, "X,c"}, {piece_draws, "x"},
	{piece_bits, "n,c"}, {piece_motion, "u"}, {piece_plane, "x,m"}, {piece_matrix, "x"},
};

/* ---- the program ---- */

static void write_axes(Model *m)
{
	static const int records[] = {1, 2, 15, 16, 17, 31, 63, 64, 65, 100, 129, 257};
	Gen *g = m->g;
	m->f = 1 + gen_pick(g, 9);
	m->h = 1 + gen_pick(g, 33);
	m->q = 1 + gen_pick(g, 12);
	m->t = 1 + gen_pick(g, 10);
	m->r = 2 + gen_pick(g, 16);
	m->k = 1 + gen_pick(g, 6);
	m->n = one_of(g, records, 12);
	fprintf(m->out, "axis f = %ld\naxis h = %ld\naxis q = %ld\naxis t = 1..%ld\naxis r = 0..%ld periodic\naxis k = %ld\n",
		(long)m->f, (long)m->h, (long)m->q, (long)m->t, (long)m->r - 1, (long)m->k);
	fprintf(m->out, "axis w = %u\naxis two = 2\naxis xyz = 3\naxis bits = 0..%d\n", 1 + gen_pick(g, 5), (8 << gen_pick(g, 3)) - 1);
}

/* s.x, s.c for "x,c". */
static void write_call(Model *m, unsigned id)
{
	fprintf(m->out, "g%u(", id);
	for (const char *a = pieces[m->piece[id]].arguments; *a; a++) {
		fprintf(m->out, *a == ',' ? ", " : "s.%c", *a);
	}
	fprintf(m->out, ")");
}

static void write_value(Model *m)
{
	for (unsigned k = 0; k < m->npiece; k++) {
		fprintf(m->out, k ? gen_chance(m->g, 70) ? " + " : " + 0.3*" : "");
		write_call(m, k);
	}
}

static void write_loss(Model *m)
{
	static const char *const form[] = {"mean[s in d] (value%s - s.y)^2", "0.1*sum[s in d] huber(value%s - s.y)", "mean[s in d if s.n != 1] logcosh(value%s - s.y)",
		"mean[s in d] softplus(value%s*s.y)"};
	unsigned way = gen_pick(m->g, 4);
	const char *f = form[way], *at = strstr(f, "value%s");
	fprintf(m->out, "loss L = %.*s(", (int)(at - f), f);
	write_value(m);
	fprintf(m->out, ")%s\n", at + strlen("value%s"));
}

static void write_trainings(Model *m)
{
	static const char *const optimizer[] = {"gd(lr = 1e-2", "momentum(lr = 1e-2", "nesterov(lr = 5e-3", "rmsprop(lr = 1e-3",
		"adagrad(lr = 1e-2", "adam(lr = 1e-3", "adamw(lr = 1e-3", "lion(lr = 1e-4", "lbfgs(memory = 5", "proximal(lr = 1e-2, prox = soft(%s, 1e-3)",
		"adam(lr = cosine(1e-3, step, 9)"};
	for (unsigned k = 0; k < 2; k++) {
		Gen *g = m->g;
		unsigned way = gen_pick(g, 11);
		way = way == 8 && m->jumps ? 0 : way;
		fprintf(m->out, "reset\ntrain t%u { minimize L; use ", k);
		fprintf(m->out, optimizer[way], m->par[0]);
		if (m->n > 2 && way != 8 && gen_chance(g, 40)) {
			fprintf(m->out, ", batch = %u", 1 + gen_pick(g, (unsigned)m->n));
		}
		if (way != 8 && gen_chance(g, 30)) {
			fprintf(m->out, ", clip = 0.5");
		}
		fprintf(m->out, ") for %u steps }\nprint \"trained \", digits(L, 17)\n", 1 + gen_pick(g, 4));
		for (unsigned p = 0; p < m->npar; p++) {
			fprintf(m->out, "print \"%s \", digits(%s, 17)\n", m->par[p], m->par[p]);
		}
	}
}

void model_text(Gen *g, FILE *out)
{
	Model model = {.g = g, .out = out}, *m = &model;
	write_axes(m);
	fprintf(out, "data d = simulate(%ld) {\n  x : real[f] ~ uniform(-1.5, 1.5)\n  u : real[r] ~ normal(0, 0.7)\n", (long)m->n);
	fprintf(out, "  m : int[t] ~ randint(0, %ld)\n  n : int ~ randint(0, %ld)\n  c : int ~ randint(0, %ld)\n", (long)m->k - 1, (long)m->t,
		(long)m->k - 1);
	fprintf(out, "  X : real[k, xyz] ~ normal(0, 1)\n  y : real ~ normal(0, 1)\n}\n");
	m->npiece = 1 + gen_pick(g, MOST);
	for (unsigned k = 0; k < m->npiece; k++) {
		do {
			m->piece[k] = gen_pick(g, PIECES);
		} while (pieces[m->piece[k]].write == piece_force && m->k == 1); /* no distances */
		pieces[m->piece[k]].write(m, k);
	}
	write_loss(m);
	fprintf(out, "print \"values \", digits([s in d -> ");
	write_value(m);
	fprintf(out, "], 17)\nprint \"L \", digits(L, 17)\n");
	for (unsigned p = 0; p < m->npar; p++) {
		fprintf(out, "print \"grad %s \", digits(grad(L, %s), 17)\n", m->par[p], m->par[p]);
	}
	write_trainings(m);
}
