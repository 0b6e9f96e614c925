/* gen_gemm.h — kernels of contractions: what gen_gemm*.c share and fused regions may use.
 *
 * Bits: an element of a panel product is the chain S = fma(a_k, b_k, S) over ascending k from 0,
 * then fma(alpha, S, F), or alpha*S where there is no F. An element of a dot product has one sum
 * for each lane of a vector: lane l takes k = l, l + VL, … in order; then the lanes are added as
 * ir_sum_lanes does. Nothing depends on the element's row, column, block or mask.
 *
 * Strides of the kernels are in bytes, sizes in elements. */
#ifndef PNN_COMPILER_GEN_GEMM_H
#define PNN_COMPILER_GEN_GEMM_H
#include "compiler/gen.h"

enum { GEMM_PRODUCTS = 8, GEMM_ACCUMULATORS = 30 };

/* One register block of panel products that share A: for each product p and each row i
 *   acc[i][p][…] = Σ_k A[i][k] * B_p[k][…]
 * over `vectors` neighbouring vectors of `lanes` columns. */
typedef struct GemmBlock {
	unsigned rows, products, vectors; /* rows*products*vectors <= GEMM_ACCUMULATORS */
	unsigned lanes;                   /* of a vector: ir.vl; 1: scalar columns */
	LLVMValueRef k;                   /* i64 > 0 */
	LLVMValueRef a, am, ak;           /* A[i][k] at a + i*am + k*ak; am, ak: i64 bytes */
	LLVMValueRef b[GEMM_PRODUCTS];    /* row 0 of each product, at the first column */
	LLVMValueRef bk[GEMM_PRODUCTS];   /* bytes from row to row; best the same value for all */
	LLVMValueRef mask; /* i1 lanes of the last vector of each product, or NULL: whole vectors */
	LLVMValueRef last; /* bytes from the first vector to the last one, or NULL: vectors lie side
			      by side */
} GemmBlock;

/* Emits the loop over k where the builder stands. acc[(i*products + p)*vectors + v] receives the
 * sums, usable behind the loop. The code inside is independent of the sizes k, am, ak, bk. */
void gen_gemm_block(Gen *gen, const GemmBlock *w, LLVMValueRef *acc);

/* Rows of a block for m rows (0: unknown number) of `wide` vectors (products*vectors), so that
 * accumulators, one row of B and a value of A stay in registers and few rows remain (m % result).
 */
unsigned gen_gemm_rows(const Gen *gen, int64_t m, unsigned wide);
/* The same, and the cycles for one k (of one row if m is 0): for comparing. */
unsigned gen_gemm_rows_cost(const Gen *gen, int64_t m, unsigned wide, double *cost);

/* What C is added to. */
typedef enum {
	GEMM_FROM_NONE,
	GEMM_FROM_ROW,
	GEMM_FROM_SPLAT
} GemmFrom; /* nothing; F[m][n]; F[m] */

/* Columns that are no whole vectors: the last vector of a stripe is masked, or it begins earlier,
 * so that some columns are computed twice (by the same operations; vectors >= 2). */
typedef enum { GEMM_WHOLE, GEMM_MASK, GEMM_SHIFT } GemmTail;

/* A kernel of panel products: stripes of `vectors` vectors, one after the other, and in each of
 * them blocks of `rows` rows. */
typedef struct GemmPanel {
	unsigned rows, vectors, lanes;
	unsigned rest; /* m % rows, or GEMM_ANY: not known, single rows take what is left (m may be
			  less than rows) */
	GemmTail tail;
	GemmFrom from;
} GemmPanel;
enum { GEMM_ANY = 255 };
/* Its parameters: i64, pointers, and a real (alpha). Strides in bytes. C[m][n] = F[m][n] + alpha*Σ
 * A[m][k]*B[k][n], n below stripes*vectors*lanes, or PANEL_N if there is a tail. */
enum {
	PANEL_M,
	PANEL_K,
	PANEL_STRIPES,
	PANEL_N,
	PANEL_A,
	PANEL_AM,
	PANEL_AK,
	PANEL_B,
	PANEL_BK,
	PANEL_C,
	PANEL_CM,
	PANEL_F,
	PANEL_FM,
	PANEL_ALPHA,
	PANEL_PARAMS
};
/* The function, made at the first call; the builder stays where it is. */
LLVMValueRef gen_gemm_panel(Gen *gen, GemmPanel shape);
/* The text that says everything about it. */
enum { GEMM_KEY = 96 };
void gen_gemm_panel_key(GemmPanel s, char key[GEMM_KEY]);

/* A kernel of dot products: C[m][n] = F[m][n] + alpha*S, S = Σ_t Σ_k scale_t*A_t[m][k]*B_t[n][k],
 * k contiguous in all A and B. Blocks of rows by columns, as many sums in vectors at once; the last
 * block of rows or columns begins earlier if it would not fit and stores its new elements only. */
typedef struct GemmDot {
	unsigned rows, columns; /* powers of 2; m >= rows, n >= columns */
	bool exact;             /* m and n are multiples of rows and columns */
	bool whole;             /* k is a multiple of ir.vl */
	bool apart; /* C's or F's neighbouring columns lie apart: DOT_CN, DOT_FN are used */
	bool chain; /* products from a table at DOT_A, DOT_B of them */
	bool scale; /* chain: scale_t are not all 1 */
	GemmFrom from;
} GemmDot;
/* Parameters; strides in bytes. DOT_B is the number of products of a chain, DOT_AM and DOT_BN are
 * unused then. */
enum {
	DOT_M,
	DOT_N,
	DOT_K,
	DOT_A,
	DOT_AM,
	DOT_B,
	DOT_BN,
	DOT_C,
	DOT_CM,
	DOT_CN,
	DOT_F,
	DOT_FM,
	DOT_FN,
	DOT_ALPHA,
	DOT_PARAMS
};
/* A row of the table: words of 8 bytes (the scale is a real in the last one). */
enum { CHAIN_A, CHAIN_AM, CHAIN_B, CHAIN_BN, CHAIN_SCALE, CHAIN_WORDS };
LLVMValueRef gen_gemm_dot(Gen *gen, GemmDot shape);
/* Rows and columns for m by n (both known), into the shape, and whether they are exact. */
void gen_gemm_dot_block(const Gen *gen, int64_t m, int64_t n, GemmDot *shape);

/* Copies columns of B to a panel with rows of `row` columns: to[k][j] = B[k][j], j below PACK_N;
 * further columns, up to whole vectors, hold anything. */
typedef enum {
	PACK_ELEMENTS, /* any strides, one element after the other */
	PACK_GATHER,   /* any strides, vectors of columns */
	PACK_TURN /* k contiguous: squares of gen_gemm_side are transposed; they begin at multiples
		     of it, or at PACK_LAST if that is less, and are read and written whole */
} PackKind;
/* Its parameters; strides in bytes. */
enum { PACK_K, PACK_N, PACK_B, PACK_BK, PACK_BN, PACK_LAST, PACK_TO, PACK_ROW, PACK_PARAMS };
LLVMValueRef gen_gemm_pack(Gen *gen, PackKind kind);
unsigned gen_gemm_side(const Gen *gen);

/* A panel kernel that packs B, each stripe before it is used, into room of its own: for k up to
 * PANEL_ROOM bytes (PANEL_ROOM_BIG if `big`) divided by the bytes of a stripe's row. Parameters as
 * the panel's, then those of packing that are left. */
enum { PACKED_BN = PANEL_PARAMS, PACKED_LAST, PACKED_PARAMS };
enum { PANEL_ROOM = 64 << 10, PANEL_ROOM_BIG = 1 << 20 };
LLVMValueRef gen_gemm_packed(Gen *gen, GemmPanel shape, PackKind kind, bool big);
#endif
