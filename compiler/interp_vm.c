/* interp_vm.c — straight-line programs over strips of lanes.
 *
 * Each operation is a loop over lanes that the compiler turns into vectors of the processor at
 * hand; a generic build holds one clone for each instruction set. No fused multiply-add here: the
 * bits are the same on every processor. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpass-failed"
#elif defined(__GNUC__)
#pragma GCC optimize("O3", "fp-contract=off", "no-math-errno", "no-trapping-math")
#endif
#include "compiler/interp.h"
#include "runtime/rt.h"
#include <math.h>
#include <string.h>

#define VM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))

static const char *const NAMES[VM_OPS] = {
	"mov",      "loads",   "add",    "sub",   "mul",   "div",    "max",    "min",    "sqr",
	"recip",    "neg",     "abs",    "sqrt",  "powi",  "axpk",   "axps",   "axpy",   "axby",
	"macc",     "macs",    "map",    "call",  "lt",    "le",     "eq",     "ne",     "ilt",
	"ile",      "ieq",     "ine",    "iaxpk", "iaxpy", "imul",   "imax",   "imin",   "ixor",
	"iand",     "ior",     "and",    "or",    "not",   "real",   "iota",   "label",  "slot",
	"select",   "guard",   "inside", "check", "wrap",  "offset", "gather", "stores", "scatter",
	"iscatter", "uniform", "normal",
};

const char *vm_name(unsigned op)
{
	return op < VM_OPS ? NAMES[op] : "?";
}

typedef double Real;
typedef int64_t Int __attribute__((may_alias));

/* y = e over all lanes, with A and B standing for the operands of this lane. */
#define LANES_AB(TO, FROM, e)                                                                      \
	do {                                                                                       \
		TO *to_ = y;                                                                       \
		const FROM *pa_ = a, *pb_ = b;                                                     \
		if (!(in->lone & 3)) {                                                             \
			_Pragma("GCC ivdep") for (size_t l = 0; l < n; l++)                        \
			{                                                                          \
				const FROM A = pa_[l], B = pb_[l];                                 \
				to_[l] = (e);                                                      \
			}                                                                          \
		} else if ((in->lone & 3) == 2) {                                                  \
			const FROM B = pb_[0];                                                     \
			_Pragma("GCC ivdep") for (size_t l = 0; l < n; l++)                        \
			{                                                                          \
				const FROM A = pa_[l];                                             \
				to_[l] = (e);                                                      \
			}                                                                          \
		} else if ((in->lone & 3) == 1) {                                                  \
			const FROM A = pa_[0];                                                     \
			_Pragma("GCC ivdep") for (size_t l = 0; l < n; l++)                        \
			{                                                                          \
				const FROM B = pb_[l];                                             \
				to_[l] = (e);                                                      \
			}                                                                          \
		} else {                                                                           \
			const FROM A = pa_[0], B = pb_[0];                                         \
			const TO v_ = (e);                                                         \
			for (size_t l = 0; l < n; l++) {                                           \
				to_[l] = v_;                                                       \
			}                                                                          \
		}                                                                                  \
	} while (0)

/* y = e over all lanes, with A for the operand. */
#define LANES_A(TO, FROM, e)                                                                       \
	do {                                                                                       \
		TO *to_ = y;                                                                       \
		const FROM *pa_ = a;                                                               \
		_Pragma("GCC ivdep") for (size_t l = 0; l < n; l++)                                \
		{                                                                                  \
			const FROM A = pa_[l];                                                     \
			to_[l] = (e);                                                              \
		}                                                                                  \
	} while (0)

VM_CLONES static void vm_reals(const Instr *in, void *y, const void *a, const void *b,
			       const void *c, size_t n)
{
	const double k = in->k, k2 = in->k2;
	switch (in->op) {
	case VM_ADD:
		LANES_AB(Real, Real, A + B);
		break;
	case VM_SUB:
		LANES_AB(Real, Real, A - B);
		break;
	case VM_MUL:
		LANES_AB(Real, Real, A * B);
		break;
	case VM_DIV:
		LANES_AB(Real, Real, A / B);
		break;
	case VM_SQR:
		LANES_A(Real, Real, A * A);
		break;
	case VM_RECIP:
		LANES_A(Real, Real, 1.0 / A);
		break;
	case VM_NEG:
		LANES_A(Real, Real, -A);
		break;
	case VM_ABS:
		LANES_A(Real, Real, fabs(A));
		break;
	case VM_SQRT:
		LANES_A(Real, Real, sqrt(A));
		break;
	case VM_AXPK:
		LANES_A(Real, Real, k * A + k2);
		break;
	case VM_AXPS: {
		const double s = *(const double *)b;
		LANES_A(Real, Real, k * A + s);
		break;
	}
	case VM_AXPY:
		LANES_AB(Real, Real, A + k * B);
		break;
	case VM_AXBY:
		LANES_AB(Real, Real, k * A + k2 * B);
		break;
	case VM_MACC:
	case VM_MACS: {
		const double *pa = a, *pb = b, *pc = c;
		double *to = y;
		if (in->op == VM_MACS) {
			const double s = k * pb[0];
#pragma GCC ivdep
			for (size_t l = 0; l < n; l++) {
				to[l] = pc[l] + s * pa[l];
			}
		} else if (k == 1.0) {
#pragma GCC ivdep
			for (size_t l = 0; l < n; l++) {
				to[l] = pc[l] + pa[l] * pb[l];
			}
		} else {
#pragma GCC ivdep
			for (size_t l = 0; l < n; l++) {
				to[l] = pc[l] + k * (pa[l] * pb[l]);
			}
		}
		break;
	}
	case VM_MAX:
		LANES_AB(Real, Real, A >= B || A != A ? A : B);
		break;
	case VM_MIN:
		LANES_AB(Real, Real, A <= B || A != A ? A : B);
		break;
	default:
		break;
	}
}

VM_CLONES static void vm_tests(const Instr *in, void *y, const void *a, const void *b, size_t n)
{
	switch (in->op) {
	case VM_LT:
		LANES_AB(Int, Real, A < B);
		break;
	case VM_LE:
		LANES_AB(Int, Real, A <= B);
		break;
	case VM_EQ:
		LANES_AB(Int, Real, A == B);
		break;
	case VM_NE:
		LANES_AB(Int, Real, A != B);
		break;
	case VM_ILT:
		LANES_AB(Int, Int, A < B);
		break;
	case VM_ILE:
		LANES_AB(Int, Int, A <= B);
		break;
	case VM_IEQ:
		LANES_AB(Int, Int, A == B);
		break;
	case VM_INE:
		LANES_AB(Int, Int, A != B);
		break;
	case VM_IMAX:
		LANES_AB(Int, Int, A > B ? A : B);
		break;
	case VM_IMIN:
		LANES_AB(Int, Int, A < B ? A : B);
		break;
	case VM_IXOR:
		LANES_AB(Int, Int, A ^ B);
		break;
	case VM_AND:
	case VM_IAND:
		LANES_AB(Int, Int, A & B);
		break;
	case VM_OR:
	case VM_IOR:
		LANES_AB(Int, Int, A | B);
		break;
	case VM_NOT:
		LANES_A(Int, Int, !A);
		break;
	case VM_REAL:
		LANES_A(Real, Int, (double)A);
		break;
	default:
		break;
	}
}

static void vm_fail(VmContext *cx, const Instr *in, int64_t value)
{
	if (!cx->failed) {
		cx->failed = in;
		cx->value = value;
	}
}

/* Integer arithmetic; b of CHECK-like operations is a mask. A sum that overflows outside the mask
 * is not looked at. */
static void vm_ints(VmContext *cx, const Instr *in, Int *y, const Int *a, const Int *b,
		    const Int *c, size_t n)
{
	const size_t sa = !(in->lone & 1), sb = !(in->lone & 2), sc = !(in->lone & 4);
	for (size_t l = 0; l < n; l++) {
		int64_t r, t;
		bool bad;
		switch (in->op) {
		case VM_IAXPK:
			bad = __builtin_mul_overflow(in->i, a[l * sa], &t) |
			      __builtin_add_overflow(t, in->j, &r);
			break;
		case VM_IAXPY:
			bad = __builtin_mul_overflow(in->i, b[l * sb], &t) |
			      __builtin_add_overflow(a[l * sa], t, &r);
			break;
		default:
			bad = __builtin_mul_overflow(a[l * sa], b[l * sb], &r);
			break;
		}
		if (bad && in->check && (!c || c[l * sc])) {
			vm_fail(cx, in, a[l * sa]);
		}
		y[l] = r;
	}
}

VM_CLONES static void vm_ints_plain(const Instr *in, void *y, const void *a, const void *b,
				    size_t n)
{
	const uint64_t i = (uint64_t)in->i, j = (uint64_t)in->j;
	typedef uint64_t Word __attribute__((may_alias));
	switch (in->op) {
	case VM_IAXPK:
		LANES_A(Word, Word, i * A + j);
		break;
	case VM_IAXPY:
		LANES_AB(Word, Word, A + i * B);
		break;
	default:
		LANES_AB(Word, Word, A * B);
		break;
	}
}

VM_CLONES static void vm_check(VmContext *cx, const Instr *in, Int *y, const Int *a, const Int *b,
			       size_t n)
{
	const size_t sa = !(in->lone & 1), sb = !(in->lone & 2);
	bool good = true;
	for (size_t l = 0; l < n; l++) {
		int64_t v = a[l * sa];
		good &= v >= in->i && v <= in->j;
		y[l] = v;
	}
	if (good) {
		return;
	}
	for (size_t l = 0; l < n; l++) {
		if (y[l] < in->i || y[l] > in->j) {
			if (!b || b[l * sb]) {
				vm_fail(cx, in, y[l]);
			}
			y[l] = in->i;
		}
	}
}

static void vm_wrap(const Instr *in, Int *y, const Int *a, size_t n)
{
	for (size_t l = 0; l < n; l++) {
		int64_t v = (int64_t)((uint64_t)a[l] - (uint64_t)in->i) % in->j;
		y[l] = in->i + (v < 0 ? v + in->j : v);
	}
}

/* Out of place lanes hold offset 0 after VM_CHECK or are masked, so that every address lies in the
 * array. */
VM_CLONES static void vm_gather(const Instr *in, Int *y, const Int *a, const Int *b, const Int *c,
				size_t n)
{
	const size_t sb = !(in->lone & 2), sc = !(in->lone & 4);
	if (!c && !sb && in->i == 1) {
		memcpy(y, a + b[0], n * sizeof *y);
		return;
	}
	if (!c && sb && in->i == 0) {
		for (size_t l = 0; l < n; l++) {
			y[l] = a[b[l]];
		}
		return;
	}
	for (size_t l = 0; l < n; l++) {
		y[l] = !c || c[l * sc] ? a[(int64_t)l * in->i + b[l * sb]] : 0;
	}
}

static void vm_places(VmContext *cx, const Instr *in, Int *y, const Int *a, const Int *b,
		      const Int *c, size_t n)
{
	switch (in->op) {
	case VM_IOTA: {
		int64_t first = cx->label[in->i];
		for (size_t l = 0; l < n; l++) {
			y[l] = first + (int64_t)l;
		}
		break;
	}
	case VM_LABEL:
		y[0] = cx->label[in->i];
		break;
	case VM_SLOT:
		y[0] = cx->slot[in->i] + in->j;
		break;
	case VM_INSIDE: {
		const size_t sa = !(in->lone & 1), sb = !(in->lone & 2);
		for (size_t l = 0; l < n; l++) {
			y[l] = (a[l * sa] >= in->i) & (a[l * sa] <= in->j) &
			       (b ? b[l * sb] != 0 : 1);
		}
		break;
	}
	case VM_OFFSET: {
		const size_t sa = !(in->lone & 1), sb = !(in->lone & 2);
		for (size_t l = 0; l < n; l++) {
			y[l] = in->i * (a[l * sa] - in->j) + (b ? b[l * sb] : 0);
		}
		break;
	}
	case VM_CHECK:
		vm_check(cx, in, y, a, b, n);
		break;
	case VM_WRAP:
		vm_wrap(in, y, a, n);
		break;
	case VM_GATHER:
		vm_gather(in, y, a, b, c, n);
		break;
	default:
		break;
	}
}

VM_CLONES static void vm_select(const Instr *in, Int *y, const Int *a, const Int *b, const Int *c,
				size_t n)
{
	const size_t sa = !(in->lone & 1), sb = !(in->lone & 2);
	if (in->lone & 4) { /* one condition for all: only the chosen side is copied */
		const Int *from = *c ? a : b;
		const size_t step = *c ? sa : sb;
		for (size_t l = 0; l < n; l++) {
			y[l] = from ? from[l * step] : 0;
		}
	} else if (in->op == VM_GUARD) {
		for (size_t l = 0; l < n; l++) {
			y[l] = a[l * sa] & -(int64_t)(c[l] != 0);
		}
	} else {
		for (size_t l = 0; l < n; l++) {
			y[l] = c[l] ? a[l * sa] : b[l * sb];
		}
	}
}

static void vm_random(const VmContext *cx, const Instr *in, double *y, void *const *ptr, size_t n)
{
	for (size_t l = 0; l < n; l++) {
		RngAddress at = {cx->seed, (uint64_t)in->i, in->j ? cx->step : 0, {0}};
		for (uint32_t q = 0; q < in->nmore; q++) {
			const Int *index = ptr[in->more[q]];
			uint64_t v = (uint64_t)index[(in->lone >> q) & 1 ? 0 : l];
			if (q < 4) {
				at.index[q] = v;
			} else { /* more than four indices: the last word mixes the rest, order kept
				  */
				at.index[3] = (at.index[3] ^ (v + 0x9e3779b97f4a7c15u)) *
					      0xbf58476d1ce4e5b9u;
				at.index[3] ^= at.index[3] >> 31;
			}
		}
		y[l] = in->op == VM_UNIFORM ? rng_uniform(at) : rng_normal(at);
	}
}

static void vm_call(const Instr *in, void *y, const void *a, const void *b, size_t n)
{
	const OpInfo *op = op_info((Op)in->i);
	const size_t sa = !(in->lone & 1), sb = !(in->lone & 2);
	const bool real_in = op->sig == SIG_R_R || op->sig == SIG_RR_R || op->sig == SIG_R_B ||
			     op->sig == SIG_RR_B || op->sig == SIG_R_I;
	const bool real_out = op->sig == SIG_R_R || op->sig == SIG_RR_R || op->sig == SIG_I_R;
	for (size_t l = 0; l < n; l++) {
		OpValue v[2] = {{0}, {0}};
		if (real_in) {
			v[0].r = ((const double *)a)[l * sa];
			v[1].r = b ? ((const double *)b)[l * sb] : 0.0;
		} else {
			v[0].i = ((const Int *)a)[l * sa];
			v[1].i = b ? ((const Int *)b)[l * sb] : 0;
		}
		OpValue r = op_apply((Op)in->i, v);
		if (real_out) {
			((double *)y)[l] = r.r;
		} else {
			((Int *)y)[l] = r.i;
		}
	}
}

VM_CLONES static void vm_mov(const Instr *in, Int *y, const Int *a, size_t n)
{
	if (in->op == VM_LOADS) {
		for (size_t l = 0; l < n; l++) {
			y[l] = a[(int64_t)l * in->i];
		}
	} else if (in->op == VM_STORES) {
		const size_t sa = !(in->lone & 1);
		for (size_t l = 0; l < n; l++) {
			y[(int64_t)l * in->i] = a[l * sa];
		}
	} else if (in->lone & 1) {
		const int64_t v = a[0];
		for (size_t l = 0; l < n; l++) {
			y[l] = v;
		}
	} else {
		memmove(y, a, n * sizeof *y);
	}
}

static void vm_powi(double *y, const double *a, int64_t e, size_t n)
{
	for (size_t l = 0; l < n; l++) {
		double base = a[l], r = 1.0;
		for (uint64_t bits = (uint64_t)e; bits; bits >>= 1) {
			r = bits & 1 ? r * base : r;
			base *= base;
		}
		y[l] = r;
	}
}

/* Sums in the order of lanes. */
static void vm_scatter(VmContext *cx, const Instr *in, void *y, const void *a, const Int *b,
		       const Int *c, size_t n)
{
	const size_t sa = !(in->lone & 1), sb = !(in->lone & 2), sc = !(in->lone & 4);
	for (size_t l = 0; l < n; l++) {
		if (c && !c[l * sc]) {
			continue;
		}
		if (in->op == VM_SCATTER) {
			((double *)y)[b[l * sb]] += ((const double *)a)[l * sa];
		} else {
			Int *to = (Int *)y + b[l * sb];
			int64_t sum;
			if (__builtin_add_overflow(*to, ((const Int *)a)[l * sa], &sum)) {
				vm_fail(cx, in, *to);
			}
			*to = sum;
		}
	}
}

static void vm_step(VmContext *cx, const Instr *in, void *y, const void *a, const void *b,
		    const void *c, void *const *ptr, size_t n)
{
	switch (in->op) {
	case VM_MOV:
	case VM_STORES:
	case VM_LOADS:
		vm_mov(in, y, a, n);
		break;
	case VM_POWI:
		vm_powi(y, a, in->i, n);
		break;
	case VM_MAP:
		in->map(n, y, a);
		break;
	case VM_CALL:
		vm_call(in, y, a, b, n);
		break;
	case VM_IAXPK:
	case VM_IAXPY:
	case VM_IMUL:
		if (in->check) {
			vm_ints(cx, in, y, a, b, c, n);
		} else {
			vm_ints_plain(in, y, a, b, n);
		}
		break;
	case VM_SELECT:
	case VM_GUARD:
		vm_select(in, y, a, b, c, n);
		break;
	case VM_UNIFORM:
	case VM_NORMAL:
		vm_random(cx, in, y, ptr, n);
		break;
	case VM_SCATTER:
	case VM_ISCATTER:
		vm_scatter(cx, in, y, a, b, c, n);
		break;
	case VM_IOTA:
	case VM_LABEL:
	case VM_SLOT:
	case VM_INSIDE:
	case VM_CHECK:
	case VM_WRAP:
	case VM_OFFSET:
	case VM_GATHER:
		vm_places(cx, in, y, a, b, c, n);
		break;
	default:
		vm_tests(in, y, a, b, n);
		break;
	}
}

void vm_run(VmContext *cx, const Instr *code, uint32_t ncode, void *const *ptr, size_t n)
{
	for (const Instr *in = code, *end = code + ncode; in < end; in++) {
		const size_t lanes = in->uniform ? 1 : n;
		void *y = ptr[in->dst];
		const void *a = in->a == OPERAND_NONE ? NULL : ptr[in->a];
		const void *b = in->b == OPERAND_NONE ? NULL : ptr[in->b];
		const void *c = in->c == OPERAND_NONE ? NULL : ptr[in->c];
		if ((in->op >= VM_ADD && in->op <= VM_SQRT) ||
		    (in->op >= VM_AXPK && in->op <= VM_MACS)) {
			vm_reals(in, y, a, b, c, lanes);
		} else {
			vm_step(cx, in, y, a, b, c, ptr, lanes);
		}
	}
}
