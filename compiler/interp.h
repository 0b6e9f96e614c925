/* interp.h — the array machine of the interpreter: straight-line programs over strips of lanes, and
 * matrix kernels.
 *
 * The value of a lane depends on its operands in that lane alone, never on its place, the length of
 * the strip or the width of the processor's vectors; only the processor's having fused multiply-add
 * or not shows in the last bits of contractions. */
#ifndef PNN_COMPILER_INTERP_H
#define PNN_COMPILER_INTERP_H
#include "compiler/plan_int.h"

/* Operations: y is the destination; a, b, c operands; k, k2 numbers; i, j integers. */
typedef enum VmOp {
	VM_MOV,   /* y = a, bits of any kind; a may be one value */
	VM_LOADS, /* y = a[lane*i] */
	VM_ADD,
	VM_SUB,
	VM_MUL,
	VM_DIV,
	VM_MAX,
	VM_MIN, /* reals; a and b may be one value */
	VM_SQR,
	VM_RECIP,
	VM_NEG,
	VM_ABS,
	VM_SQRT,
	VM_POWI, /* y = a^i by squaring; i > 0 */
	VM_AXPK, /* y = k*a + k2 */
	VM_AXPS, /* y = k*a + b, b one value */
	VM_AXPY, /* y = a + k*b, a and b may be one value */
	VM_AXBY, /* y = k*a + k2*b */
	VM_MACC, /* y = c + k*(a*b) */
	VM_MACS, /* y = c + (k*b)*a, b one value */
	VM_MAP,  /* y = map(a), row i of ops.def */
	VM_CALL, /* y = row i of ops.def of a, b */
	VM_LT,
	VM_LE,
	VM_EQ,
	VM_NE, /* reals to bool */
	VM_ILT,
	VM_ILE,
	VM_IEQ,
	VM_INE,   /* ints to bool */
	VM_IAXPK, /* y = i*a + j */
	VM_IAXPY, /* y = a + i*b */
	VM_IMUL,
	VM_IMAX,
	VM_IMIN,
	VM_IXOR,
	VM_IAND,
	VM_IOR,
	VM_AND,
	VM_OR,
	VM_NOT,
	VM_REAL,   /* y = (real)a */
	VM_IOTA,   /* y = label of dimension i in this lane */
	VM_LABEL,  /* y = label of dimension i */
	VM_SLOT,   /* y = slot i, plus j */
	VM_SELECT, /* y = c ? a : b */
	VM_GUARD,  /* y = c ? a : 0 */
	VM_INSIDE, /* y = i <= a <= j, and b unless NONE */
	VM_CHECK, /* y = a; a fault where a lies outside i..j and b (unless NONE) holds; there y = i
		   */
	VM_WRAP,  /* y = the place i <= y < i + j of a modulo j */
	VM_OFFSET,   /* y = i*(a - j), plus b unless NONE */
	VM_GATHER,   /* y = a[lane*i + b], or 0 where c (unless NONE) does not hold */
	VM_STORES,   /* y[lane*i] = a */
	VM_SCATTER,  /* y[b] += a where c (unless NONE) holds; reals */
	VM_ISCATTER, /* the same for ints */
	VM_UNIFORM,
	VM_NORMAL, /* y = random number of stream i, at the step if j, for the indices `more` */
	VM_OPS
} VmOp;
const char *vm_name(unsigned op);

typedef struct VmContext {
	const int64_t *label; /* per dimension: of the first lane for the last one */
	const int64_t *slot;
	uint64_t seed, step;
	const Instr *failed; /* the first instruction whose check failed, or NULL */
	int64_t value;       /* and the value that failed */
} VmContext;

/* Runs the program over n lanes. ptr: operands; registers, accesses (at the first lane) and
 * constants. */
void vm_run(VmContext *cx, const Instr *code, uint32_t ncode, void *const *ptr, size_t n);

/* panel: C[m*cm + n] = F[m*fm + n*fn] + alpha * Σ_k A[m*am + k*ak] * B[k*bk + n], fn 0 or 1;
 * scratch holds k times the vector width. dot: C[m*cm + n*cn] = F[m*fm + n*fn] + alpha * Σ_k
 * A[m*am + k] * B[n*bk + k]. F may be C itself. */
typedef struct GemmArgs {
	size_t m, n, k;
	double alpha;
	const double *a;
	int64_t am, ak;
	const double *b;
	int64_t bk;
	double *c;
	int64_t cm, cn;
	const double *from;
	int64_t fm, fn;
	double *scratch;
} GemmArgs;
typedef void GemmKernel(const GemmArgs *g);
typedef struct GemmKernels {
	GemmKernel *panel;
	GemmKernel *dot;
	const char *name;
} GemmKernels;
/* The fastest kernels this processor can run. */
GemmKernels gemm_kernels(void);
enum { GEMM_WIDTH_MAX = 8, GEMM_ALL = 3 };
/* The i-th of all kernels that this processor can run (for tests), false past the end. */
bool gemm_kernels_nth(unsigned i, GemmKernels *out);
/* y[j*rows_to + i] = x[i*from_i + j*from_j]: copies n by m elements into a panel with rows of
 * length `row`. */
void gemm_pack(size_t k, size_t n, const double *b, int64_t bk, int64_t bn, double *panel,
	       size_t row);
#endif
