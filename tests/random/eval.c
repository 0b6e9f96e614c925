/* eval.c — the meaning of a random program, computed by walking its trees in 113-bit arithmetic. Derivatives are difference
 * quotients, extrapolated. */
#include "tests/random/random.h"

#include <quadmath.h>
#include <stdlib.h>
#include <string.h>

const char *const unit_name[] = {"nm", "Å", "pm", "μm", "eV", "meV", "kcal/mol"};
const char *const call_name[] = {"exp", "log", "sqrt", "sin", "cos", "tanh", "atan", "sigmoid", "softplus", "erf", "abs", "log1p",
	"expm1", "asinh", "cosh", "sign", "floor", "cbrt", "sinh"};
const char *const call2_name[] = {"min", "max", "atan2", "pow"};
const char *const ccall_name[] = {"exp", "sin", "cos", "log", "sqrt"};

Quad unit_quad(unsigned unit)
{
	static const double plain[] = {1, 0.1, 1e-3, 1e3, 1, 1e-3};
	if (unit < 6) {
		return unit == 1 ? 1/(Quad)10 : unit == 2 || unit == 5 ? 1/(Quad)1000 : (Quad)plain[unit];
	}
	return (Quad)4184/((Quad)6.02214076e23Q*(Quad)1.602176634e-19Q);
}

double unit_factor(unsigned unit)
{
	return (double)unit_quad(unit);
}

/* ---- numbers ---- */

static Num real_num(Quad v)
{
	return (Num){v, 0};
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30))*UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27))*UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void decide(Eval *e, int64_t what)
{
	e->signature = mix(e->signature + 0x9e3779b97f4a7c15u + (uint64_t)what);
}

static Num disturb(Eval *e, const Node *n, Num v)
{
	if (e->jitter != 0) {
		uint64_t h = mix(e->jitter_seed + mix(n->id + mix(e->where)));
		Quad factor = 1 + (Quad)e->jitter*((Quad)(double)(h >> 11)*0x1p-52Q - 1);
		v.re *= factor;
		v.im *= factor;
	}
	Quad size = fabsq(v.re) + fabsq(v.im);
	e->largest = size > e->largest ? size : e->largest;
	return v;
}

static Quad floor_div(Quad a, Quad b)
{
	return b == 0 ? 0 : floorq(a/b);
}

static int64_t wrap(const Axis *a, int64_t at)
{
	int64_t k = (at - a->first) % a->size;
	return a->first + (k < 0 ? k + a->size : k);
}

/* ---- arrays ---- */

static int64_t extent(const Array *a, unsigned k)
{
	return a->axis[k]->size + a->below[k] + a->above[k];
}

/* SIZE_MAX: no such place. */
size_t array_offset(const Array *a, const int64_t *at)
{
	size_t offset = 0;
	for (unsigned k = 0; k < a->naxes; k++) {
		int64_t place = a->axis[k]->periodic ? wrap(a->axis[k], at[k]) : at[k];
		int64_t from = place - a->axis[k]->first + a->below[k];
		if (from < 0 || from >= extent(a, k)) {
			return SIZE_MAX;
		}
		offset = offset*(size_t)extent(a, k) + (size_t)from;
	}
	return offset;
}

void array_room(Gen *g, Array *a)
{
	a->size = 1;
	for (unsigned k = 0; k < a->naxes; k++) {
		a->size *= (size_t)extent(a, k);
	}
	a->value = gen_alloc(g, a->size*sizeof *a->value);
}

/* The element of a symmetric, antisymmetric … parameter as programs read it. */
static Num constrained(const Array *a, const int64_t *at)
{
	int64_t turned[2] = {at[1], at[0]};
	bool upper = at[0] <= at[1];
	if (at[0] == at[1] && (a->constraint == ANTISYMMETRIC || a->constraint == ZERO_DIAGONAL)) {
		return real_num(0);
	}
	bool turn = !upper && (a->constraint == SYMMETRIC || a->constraint == ANTISYMMETRIC);
	Num v = a->value[array_offset(a, turn ? turned : at)];
	return turn && a->constraint == ANTISYMMETRIC ? real_num(-v.re) : v;
}

static Num element(Eval *e, const Array *a, const int64_t *at)
{
	size_t k = array_offset(a, at);
	if (k == SIZE_MAX) {
		e->bad = true;
		return real_num(0);
	}
	return a->constraint && a->naxes == 2 ? constrained(a, at) : a->value[k];
}

static void places(Eval *e, Node *const *node, unsigned n, int64_t *at)
{
	for (unsigned k = 0; k < n; k++) {
		at[k] = (int64_t)eval_node(e, node[k]).re;
	}
}

/* ---- functions ---- */

static Quad call(Eval *e, int64_t which, Quad x)
{
	switch (which) {
	case CALL_EXP: return expq(x);
	case CALL_LOG: return logq(x);
	case CALL_SQRT: return sqrtq(x);
	case CALL_SIN: return sinq(x);
	case CALL_COS: return cosq(x);
	case CALL_TANH: return tanhq(x);
	case CALL_ATAN: return atanq(x);
	case CALL_SIGMOID: return 1/(1 + expq(-x));
	case CALL_SOFTPLUS: return x > 0 ? x + log1pq(expq(-x)) : log1pq(expq(x));
	case CALL_ERF: return erfq(x);
	case CALL_ABS: decide(e, x > 0 ? 1 : x < 0 ? -1 : 0); return fabsq(x);
	case CALL_LOG1P: return log1pq(x);
	case CALL_EXPM1: return expm1q(x);
	case CALL_ASINH: return asinhq(x);
	case CALL_COSH: return coshq(x);
	case CALL_SINH: return sinhq(x);
	case CALL_SIGN: decide(e, x > 0 ? 1 : x < 0 ? -1 : 0); return x > 0 ? 1 : x < 0 ? -1 : 0;
	case CALL_FLOOR: decide(e, (int64_t)floorq(x)); return floorq(x);
	case CALL_CBRT: return cbrtq(x);
	default: abort();
	}
}

static Quad call2(Eval *e, int64_t which, Quad x, Quad y)
{
	switch (which) {
	case CALL2_MIN: decide(e, x <= y); return x <= y ? x : y;
	case CALL2_MAX: decide(e, x >= y); return x >= y ? x : y;
	case CALL2_ATAN2:
		e->lost = e->lost || (x == 0 && y <= 0);
		decide(e, y < 0 ? (x < 0 ? -1 : 1) : 0);
		return atan2q(x, y);
	case CALL2_POW: return powq(x, y);
	default: abort();
	}
}

static Num ccall(int64_t which, Num z)
{
	__complex128 c = 0;
	__real__ c = z.re;
	__imag__ c = z.im;
	switch (which) {
	case CCALL_EXP: c = cexpq(c); break;
	case CCALL_SIN: c = csinq(c); break;
	case CCALL_COS: c = ccosq(c); break;
	case CCALL_LOG: c = clogq(c); break;
	case CCALL_SQRT: c = csqrtq(c); break;
	default: abort();
	}
	return (Num){crealq(c), cimagq(c)};
}

static Num power(Num x, int64_t n)
{
	Num y = real_num(1);
	for (int64_t k = 0; k < (n < 0 ? -n : n); k++) {
		y = (Num){y.re*x.re - y.im*x.im, y.re*x.im + y.im*x.re};
	}
	Quad r = y.re*y.re + y.im*y.im;
	return n < 0 ? (Num){y.re/r, -y.im/r} : y;
}

static Num arith(Op op, Num a, Num b)
{
	Quad r = b.re*b.re + b.im*b.im;
	switch (op) {
	case OP_ADD: return (Num){a.re + b.re, a.im + b.im};
	case OP_SUB: return (Num){a.re - b.re, a.im - b.im};
	case OP_MUL: return (Num){a.re*b.re - a.im*b.im, a.re*b.im + a.im*b.re};
	case OP_DIV: return b.im == 0 ? (Num){a.re/b.re, a.im/b.re}
		: (Num){(a.re*b.re + a.im*b.im)/r, (a.im*b.re - a.re*b.im)/r};
	default: abort();
	}
}

static int64_t shift(int64_t a, int64_t by)
{
	return by < 0 || by > 62 ? (a < 0 ? -1 : 0) : a >> by;
}

static Num integer(const Node *n, Quad qa, Quad qb)
{
	int64_t a = (int64_t)qa, b = (int64_t)qb;
	switch (n->op) {
	case OP_IDIV: return real_num(floor_div(qa, qb));
	case OP_IMOD: return real_num(b == 0 ? 0 : qa - qb*floor_div(qa, qb));
	case OP_BAND: return real_num((Quad)(a & b));
	case OP_BOR: return real_num((Quad)(a | b));
	case OP_XOR: return real_num((Quad)(a ^ b));
	case OP_SHL: return real_num(b < 0 || b > 62 ? 0 : (Quad)(a*(INT64_C(1) << b)));
	case OP_SHR: return real_num((Quad)shift(a, b));
	case OP_BIT: return real_num((Quad)(shift(a, b) & 1));
	default: abort();
	}
}

static bool compare(Eval *e, const Node *n, Quad a, Quad b)
{
	bool yes = n->op == OP_LESS ? a < b : n->op == OP_LESSEQ ? a <= b : n->op == OP_EQUAL ? a == b : a != b;
	decide(e, yes);
	return yes;
}

/* ---- reductions ---- */

typedef struct Fold {
	Quad re, im, best;
	uint64_t n;
	int64_t at; /* label of the best */
	Quad *term; /* of logsumexp */
} Fold;

static Quad fold_start(int64_t which)
{
	switch (which) {
	case RED_PROD: case RED_ALL: return 1;
	case RED_MAX: case RED_LOGSUMEXP: return -(Quad)HUGE_VALQ;
	case RED_MIN: return (Quad)HUGE_VALQ;
	default: return 0;
	}
}

static void fold_term(Eval *e, const Node *n, Fold *f)
{
	Num v = eval_node(e, n->a);
	bool better = false;
	switch (n->whole) {
	case RED_SUM: case RED_MEAN: f->re += v.re; f->im += v.im; break;
	case RED_COUNT: f->re += v.re; break;
	case RED_PROD: f->re *= v.re; break;
	case RED_MAX: case RED_ARGMAX: better = f->n == 0 || v.re > f->best; break;
	case RED_MIN: case RED_ARGMIN: better = f->n == 0 || v.re < f->best; break;
	case RED_ALL: f->re = f->re != 0 && v.re != 0; break;
	case RED_ANY: f->re = f->re != 0 || v.re != 0; break;
	case RED_LOGSUMEXP:
		if (f->n == 0) {
			f->re = v.re;
		} else {
			Quad m = v.re > f->re ? v.re : f->re;
			f->re = m + logq(expq(v.re - m) + expq(f->re - m));
		}
		break;
	default: abort();
	}
	if (better) {
		f->best = v.re;
		f->at = n->bound[0]->at;
	}
	decide(e, better);
	f->n++;
}

static void fold_over(Eval *e, const Node *n, unsigned k, Fold *f)
{
	if (k == n->nbound) {
		uint64_t where = e->where;
		for (unsigned j = 0; j < n->nbound; j++) {
			e->where = mix(e->where + (uint64_t)n->bound[j]->at + 1);
		}
		if (!n->b || eval_node(e, n->b).re != 0) {
			fold_term(e, n, f);
		}
		e->where = where;
		return;
	}
	Var *v = n->bound[k];
	int64_t from = n->pairs && k == 1 ? n->bound[0]->at + 1 : v->axis->first;
	for (v->at = from; v->at < v->axis->first + v->axis->size; v->at++) {
		fold_over(e, n, k + 1, f);
	}
}

static Num reduce(Eval *e, const Node *n)
{
	Fold f = {.re = fold_start(n->whole)};
	fold_over(e, n, 0, &f);
	switch (n->whole) {
	case RED_MEAN: return (Num){f.re/(Quad)f.n, f.im/(Quad)f.n};
	case RED_MAX: case RED_MIN: return real_num(f.n ? f.best : f.re);
	case RED_ARGMAX: case RED_ARGMIN:
		e->bad = e->bad || f.n == 0;
		return real_num((Quad)f.at);
	default: return (Num){f.re, f.im};
	}
}

/* ---- calls ---- */

typedef struct Frame {
	Num scalar[MAX_ARGS];
	Num *array[MAX_ARGS];
} Frame;

static void enter(Eval *e, const Node *n, Frame *saved)
{
	Num value[MAX_ARGS] = {{0, 0}};
	Num *copy[MAX_ARGS] = {NULL};
	const Fn *f = n->fn;
	for (unsigned k = 0; k < f->narg; k++) {
		if (f->scalar[k]) {
			value[k] = eval_node(e, n->arg[k]);
		} else {
			const Array *from = n->arg[k]->array;
			copy[k] = malloc(from->size*sizeof *copy[k]);
			memcpy(copy[k], from->value, from->size*sizeof *copy[k]);
		}
	}
	for (unsigned k = 0; k < f->narg; k++) {
		if (f->scalar[k]) {
			saved->scalar[k] = f->scalar[k]->value;
			f->scalar[k]->value = value[k];
			f->scalar[k]->at = (int64_t)value[k].re;
		} else {
			saved->array[k] = f->array[k]->value;
			f->array[k]->value = copy[k];
		}
	}
}

static void leave(const Fn *f, Frame *saved)
{
	for (unsigned k = 0; k < f->narg; k++) {
		if (f->scalar[k]) {
			f->scalar[k]->value = saved->scalar[k];
			f->scalar[k]->at = (int64_t)saved->scalar[k].re;
		} else {
			free(f->array[k]->value);
			f->array[k]->value = saved->array[k];
		}
	}
}

static void locals(Eval *e, const Fn *f)
{
	for (unsigned k = 0; k < f->nlocal; k++) {
		eval_group(e, f->local[k]);
	}
}

static Num call_fn(Eval *e, const Node *n)
{
	Frame saved;
	int64_t at[MAX_AXES], old[MAX_AXES];
	const Array *r = n->fn->result;
	if (r) {
		places(e, n->at, r->naxes, at);
	}
	enter(e, n, &saved);
	locals(e, n->fn);
	for (unsigned k = 0; r && k < r->naxes; k++) {
		old[k] = r->index[k]->at;
		r->index[k]->at = r->axis[k]->periodic ? wrap(r->axis[k], at[k]) : at[k];
	}
	Num v = eval_node(e, n->whole == 1 ? n->fn->second : n->fn->body);
	for (unsigned k = 0; r && k < r->naxes; k++) {
		r->index[k]->at = old[k];
	}
	leave(n->fn, &saved);
	return v;
}

/* ---- difference quotients ---- */

enum { LEVELS = 5, LEVELS_NESTED = 4 };

/* What is varied: scalar parameters of a called function, or one element of an array. */
typedef struct Vary {
	Num *place[MAX_ARGS];
	unsigned order[MAX_ARGS], n;
	Node *body;
	const Fn *fn;
	uint64_t signature;
	bool first;
} Vary;

static Quad vary(Eval *e, Vary *y, unsigned k, Quad h)
{
	if (k == y->n) {
		uint64_t before = e->signature;
		e->signature = 1;
		if (y->fn) {
			locals(e, y->fn);
		}
		Quad v = eval_node(e, y->body).re;
		if (y->first) {
			y->signature = e->signature;
			y->first = false;
		}
		e->lost = e->lost || e->signature != y->signature;
		e->signature = mix(before + y->signature);
		return v;
	}
	if (y->order[k] == 0) {
		return vary(e, y, k + 1, h);
	}
	Quad middle = y->place[k]->re, sum = 0, coefficient = 1;
	for (unsigned j = 0; j <= y->order[k]; j++) {
		y->place[k]->re = middle + h*(Quad)((int)y->order[k] - 2*(int)j);
		sum += coefficient*vary(e, y, k + 1, h);
		coefficient *= -(Quad)(y->order[k] - j)/(Quad)(j + 1);
	}
	y->place[k]->re = middle;
	return sum/powq(2*h, (Quad)y->order[k]);
}

static Num quotient(Eval *e, Vary *y, double step)
{
	Quad t[LEVELS][LEVELS], h = (Quad)step;
	unsigned levels = e->nested ? LEVELS_NESTED : LEVELS;
	e->nested++;
	y->first = true;
	for (unsigned l = 0; l < levels; l++, h /= 2) {
		Quad four = 4;
		t[l][0] = vary(e, y, 0, h);
		for (unsigned m = 1; m <= l; m++, four *= 4) {
			t[l][m] = t[l][m - 1] + (t[l][m - 1] - t[l - 1][m - 1])/(four - 1);
		}
	}
	e->nested--;
	Quad best = t[levels - 1][levels - 1], off = fabsq(best - t[levels - 1][levels - 2]);
	e->lost = e->lost || !(off <= 1e-13Q*(fabsq(best) + 1e-3Q));
	return real_num(best);
}

static Num differential(Eval *e, Node *n)
{
	Frame saved;
	enter(e, n, &saved);
	Vary y = {.body = n->fn->body, .fn = n->fn};
	unsigned total = 0;
	for (unsigned k = 0; k < n->fn->narg; k++) {
		if (n->order[k]) {
			y.place[y.n] = &n->fn->scalar[k]->value;
			y.order[y.n++] = n->order[k];
			total += n->order[k];
		}
	}
	Num v = quotient(e, &y, total > 3 ? 0x1p-6 : 0x1p-8);
	leave(n->fn, &saved);
	return v;
}

static Num gradient(Eval *e, Node *n)
{
	Vary y = {.body = n->a, .n = 1, .order = {1}};
	int64_t at[MAX_AXES];
	if (n->var) {
		y.place[0] = &n->var->value;
	} else {
		places(e, n->at, n->array->naxes, at);
		size_t k = array_offset(n->array, at);
		if (k == SIZE_MAX) {
			e->bad = true;
			return real_num(0);
		}
		y.place[0] = &n->array->value[k];
	}
	return quotient(e, &y, 0x1p-7);
}

/* ---- nodes ---- */

static Num read_array(Eval *e, const Node *n)
{
	int64_t at[MAX_AXES];
	places(e, n->at, n->array->naxes, at);
	Num v = element(e, n->array, at);
	if (n->op == OP_FLIPPED) {
		int64_t place = (int64_t)eval_node(e, n->a).re;
		v.re = place == at[1] ? -v.re : v.re;
	}
	return v;
}

static Num truth(Eval *e, const Node *n)
{
	if (n->op == OP_NOT) {
		return real_num(eval_node(e, n->a).re == 0);
	}
	bool a = eval_node(e, n->a).re != 0, b = eval_node(e, n->b).re != 0;
	return real_num(n->op == OP_AND ? a && b : a || b);
}

static Num axis_number(const Node *n)
{
	const Axis *a = n->bound[0]->axis;
	return real_num((Quad)(n->op == OP_SIZE ? a->size : n->op == OP_FIRST ? a->first : a->first + a->size - 1));
}

static Num complex_part(Eval *e, const Node *n, Num a)
{
	switch (n->op) {
	case OP_RE: return real_num(a.re);
	case OP_IM: return real_num(a.im);
	case OP_CONJ: return (Num){a.re, -a.im};
	case OP_CABS: return disturb(e, n, real_num(hypotq(a.re, a.im)));
	case OP_ARG:
		e->lost = e->lost || (a.im == 0 && a.re <= 0); /* the sign of a zero decides */
		return disturb(e, n, real_num(atan2q(a.im, a.re)));
	default: return disturb(e, n, ccall(n->whole, a));
	}
}

static Num floor_int(Eval *e, Quad a)
{
	decide(e, (int64_t)floorq(a));
	return real_num(floorq(a));
}

Num eval_node(Eval *e, Node *n)
{
	switch (n->op) {
	case OP_NUMBER: return n->number;
	case OP_INDEX: return real_num((Quad)n->var->at);
	case OP_SCALAR: return n->var->value;
	case OP_READ: case OP_FLIPPED: return read_array(e, n);
	case OP_SIZE: case OP_FIRST: case OP_END: return axis_number(n);
	case OP_IF: return eval_node(e, eval_node(e, n->a).re != 0 ? n->b : n->c);
	case OP_REDUCE: return disturb(e, n, reduce(e, n));
	case OP_FN: case OP_ELEMENT: return call_fn(e, n);
	case OP_DIFF: return differential(e, n);
	case OP_GRAD: return gradient(e, n);
	case OP_TWIN: return eval_node(e, n->b);
	case OP_AND: case OP_OR: case OP_NOT: return truth(e, n);
	default: break;
	}
	Num a = eval_node(e, n->a), b = n->b ? eval_node(e, n->b) : real_num(0);
	switch (n->op) {
	case OP_ADD: case OP_SUB: case OP_MUL: case OP_DIV: a = arith(n->op, a, b); break;
	case OP_NEG: return (Num){-a.re, -a.im};
	case OP_POWER: a = power(a, n->whole); break;
	case OP_CALL1: a = real_num(call(e, n->whole, a.re)); break;
	case OP_CALL2: a = real_num(call2(e, n->whole, a.re, b.re)); break;
	case OP_MODR: decide(e, (int64_t)floorq(a.re/b.re)); a = real_num(a.re - b.re*floorq(a.re/b.re)); break;
	case OP_LESS: case OP_LESSEQ: case OP_EQUAL: case OP_UNEQUAL: return real_num(compare(e, n, a.re, b.re));
	case OP_FLOOR: return floor_int(e, a.re);
	case OP_TOREAL: return a;
	case OP_COMPLEX: return (Num){a.re, b.re};
	case OP_RE: case OP_IM: case OP_CONJ: case OP_CABS: case OP_ARG: case OP_CCALL: return complex_part(e, n, a);
	default: return integer(n, a.re, b.re);
	}
	return n->kind == KIND_INT ? a : disturb(e, n, a);
}

/* ---- definitions ---- */

static void check_value(Eval *e, Num v, Kind kind)
{
	double limit = kind == KIND_INT ? 1e6 : 1e5;
	if (!(fabsq(v.re) <= (Quad)limit && fabsq(v.im) <= (Quad)limit)) {
		e->bad = true;
	}
}

static Node *equation_at(const Array *a, const int64_t *at)
{
	for (unsigned k = 0; k < a->nbase; k++) {
		if (at[a->base_second[k] ? 1 : 0] == a->base_at[k] && (!a->base_corner[k] || at[1] == a->corner_at)) {
			return a->base[k];
		}
	}
	return a->body;
}

static void eval_element(Eval *e, Array *a, const int64_t *at)
{
	for (unsigned k = 0; k < a->naxes; k++) {
		a->index[k]->at = at[k];
	}
	e->where = array_offset(a, at) + 1;
	Num v = eval_node(e, equation_at(a, at));
	check_value(e, v, a->kind);
	a->value[array_offset(a, at)] = v;
}

static bool on_base(const Array *a, const int64_t *at)
{
	unsigned beside = 0;
	for (unsigned k = 0; k < a->naxes; k++) {
		int64_t from = at[k] - a->axis[k]->first;
		beside += from < 0 || from >= a->axis[k]->size;
	}
	if (beside > 1) {
		return a->nbase && a->base_corner[0] && equation_at(a, at) == a->base[0];
	}
	for (unsigned k = 0; k < a->naxes; k++) {
		int64_t from = at[k] - a->axis[k]->first;
		if (from < 0 || from >= a->axis[k]->size) {
			return equation_at(a, at) != a->body;
		}
	}
	return true;
}

static void eval_axes(Eval *e, Group *group, Array *a, unsigned k, int64_t *at)
{
	if (k == a->naxes) {
		if (on_base(a, at)) {
			eval_element(e, a, at);
		}
		return;
	}
	int64_t lo = a->axis[k]->first - a->below[k], n = extent(a, k);
	bool back = k == 0 && group->direction < 0;
	for (int64_t j = 0; j < n; j++) {
		at[k] = back ? lo + n - 1 - j : lo + j;
		eval_axes(e, group, a, k + 1, at);
	}
}

void eval_group(Eval *e, Group *group)
{
	uint64_t where = e->where;
	int64_t at[MAX_AXES] = {0};
	Array *first = group->array[0];
	if (group->direction == 0) {
		for (unsigned k = 0; k < group->n; k++) {
			eval_axes(e, group, group->array[k], 0, at);
		}
	} else {
		int64_t lo = first->axis[0]->first - first->below[0], n = extent(first, 0);
		for (int64_t j = 0; j < n; j++) {
			for (unsigned k = 0; k < group->n; k++) {
				at[0] = group->direction < 0 ? lo + n - 1 - j : lo + j;
				eval_axes(e, group, group->array[k], 1, at);
			}
		}
	}
	e->where = where;
}

void eval_program(Eval *e, Gen *g)
{
	for (unsigned k = 0; k < g->nitem; k++) {
		if (g->item[k].form == ITEM_GROUP) {
			eval_group(e, g->item[k].group);
		} else if (g->item[k].form == ITEM_DATA) {
			const Data *d = g->item[k].data;
			for (unsigned j = 0; j < d->nfield; j++) {
				if (d->field[j]->body) {
					Group one = {.array = {d->field[j]}, .n = 1};
					eval_group(e, &one);
				}
			}
		}
	}
}
