/* plan_int.h — the parts of a plan, shared by plan_*.c and interp*.c alone.
 *
 * A plan is a tree of steps over buffers. A step is a nest (a program for the elements of one or
 * several definitions over one box of indices), a contraction, a fill, or a loop: along the axis of
 * a recurrence or over the tiles of a sample axis. Element addresses are affine in the nest's own
 * counters and in the slots: a slot holds the present label of a recurrence's index, or the first
 * position of the present tile. */
#ifndef PNN_COMPILER_PLAN_INT_H
#define PNN_COMPILER_PLAN_INT_H
#include "compiler/plan.h"
#include "lang/op.h"

typedef struct Interval {
	int64_t lo, hi;
} Interval; /* inclusive labels; empty iff hi < lo */

/* ---- memory
 * -------------------------------------------------------------------------------------------------------
 */
typedef enum {
	PLACE_LEAF,   /* an array of the store */
	PLACE_STATIC, /* computed when data change, kept */
	PLACE_GLOBAL, /* whole arrays of one run, room reused by lifetime; outputs live for ever */
	PLACE_TILE,   /* one tile of samples; each worker has its own */
	PLACE_BLOCK,  /* accumulators of one block of samples; block 0 holds the result after the
			 tree */
	PLACES
} PlaceKind;

typedef struct Buffer {
	uint32_t id;
	PlaceKind place;
	Def def;       /* whose values */
	size_t count;  /* elements: reals of Plan.real_bytes, ints and bools of 8 bytes */
	size_t offset; /* words of 8 bytes from the beginning of its place */
	uint32_t birth,
		death; /* numbers of the first and last step that touch it; birth > death: never */
	uint32_t tile; /* TILE, BLOCK: number of the tile loop */
	bool keep;     /* an output: not reused */
	bool apart;    /* compiled plans: an array of its own, which becomes the leaf that it is
			  assigned to; addressed as leaves are */
	RedKind red;   /* BLOCK: how blocks are joined */
	uint32_t region; /* TILE: the only region whose steps touch it, or 0 */
	bool integer;
} Buffer;

/* A definition's values in a buffer: element (i0, i1, …) lies at base + Σ stride[k]*(ik - origin of
 * k). */
typedef struct View {
	Buffer *buffer;  /* NULL: not stored */
	int64_t base;    /* with the origins of all formals taken off, in labels */
	int64_t *stride; /* per formal */
	int local;       /* formal of which the buffer holds the present tile alone, or -1 */
} View;

/* ---- affine index expressions
 * ------------------------------------------------------------------------------------- */
enum { AFFINE_TERMS = 8 };
typedef struct Affine {
	bool ok;
	uint32_t n;
	int64_t c;
	Index index[AFFINE_TERMS];
	int64_t coef[AFFINE_TERMS];
} Affine;

/* ---- steps
 * --------------------------------------------------------------------------------------------------------
 */
typedef struct SlotTerm {
	uint32_t slot;
	int64_t coef;
} SlotTerm;
typedef struct Access {
	Buffer *buffer;
	int64_t base; /* elements, with every counter at 0 and every slot at 0 */
	uint32_t nslot;
	SlotTerm *slot;
	int64_t *stride; /* per dimension of the step */
} Access;

typedef struct Dim {
	Index index;
	int64_t lo, size; /* label at counter 0; number of values (the tile's capacity if tiled) */
	bool tiled, bound;
	uint32_t slot; /* tiled: the slot of the tile's first position */
} Dim;

typedef struct Instr {
	uint16_t op;
	bool uniform;          /* one value for all lanes */
	uint32_t dst, a, b, c; /* operands: registers, then accesses, then constants */
	uint8_t lone;          /* bit 0, 1, 2: operand a, b, c is one value for all lanes */
	bool check;            /* ints: overflow is a fault */
	double k, k2;
	int64_t i, j;
	void (*map)(size_t n, double *y, const double *x);
	uint32_t fault; /* row of the nest's faults */
	uint32_t nmore;
	uint32_t *more; /* further operands: addresses of random numbers */
} Instr;

/* What is said when a check of an instruction fails. */
typedef struct Fault {
	Node node;
	Def def;
	uint32_t arg;
} Fault;

/* Dimensions: outer formals, outer bounds, and last the lanes. */
typedef struct Nest {
	uint32_t ndim, nformal,
		nbound; /* outer formals and outer bounds; ndim = nformal + nbound + 1 */
	Dim *dim;
	bool lane_bound; /* the lanes are summed over */
	uint32_t nreg, nuniform, naccess, nconst;
	uint32_t strip; /* lanes at once */
	Access *access;
	double *constant; /* ints as their bits */
	bool *constant_int;
	uint32_t ncode;
	Instr *code;
	RedKind red;
	uint32_t value, filter; /* reductions: operand reduced; operand that says which lanes take
				   part, or NONE */
	bool value_lone, filter_lone; /* one value for all lanes */
	uint32_t acc, acc2;           /* registers of the accumulators */
	uint32_t out;                 /* access that receives a reduction */
	bool accumulate;              /* the result joins what is there (block accumulators) */
	bool integer;                 /* the reduced values are ints */
	uint32_t nfault;
	Fault *fault;
	uint32_t ndef;
	Def *def;  /* what is computed, for dumps */
	bool flat; /* full tiles may be run with `flat_*`: neighbouring dimensions merged */
	uint32_t flat_ndim;
	int64_t *flat_size;
	int64_t *flat_stride; /* [access][flat_ndim] */
} Nest;
enum { OPERAND_NONE = UINT32_MAX };

typedef struct GemmDim {
	int64_t size;
	bool tiled;
	int64_t a, b, c, from, filter; /* strides */
	Index index;
} GemmDim;
typedef enum { GEMM_PANEL, GEMM_DOT } GemmForm;

/* C[…] = F[…] + alpha * Σ A[…]*B[…] over dims m (A, C), n (B, C), k (A, B) and further dims around
 * them. F is C itself or, if fresh, `from` (0 if it has no buffer). A filter is an array of bools
 * over the dimensions around: where it does not hold, nothing is added; never with fresh. */
typedef struct Gemm {
	Access a, b, c, from, filter; /* strides unused: see dims; filter: no buffer, all is added */
	GemmDim m, n, k;
	uint32_t nouter;
	GemmDim *outer;
	GemmForm form;
	double alpha;
	bool fresh;
	bool pack; /* B is copied to a panel first */
	Def result, left, right;
} Gemm;

typedef struct Fill {
	Access out;
	uint32_t ndim;
	Dim *dim;
	double value;
	Def def;
} Fill;

/* One result of an operation on whole arrays. */
typedef struct MatrixOut {
	RedKind red;
	Def def;
	uint32_t nresult;
	int64_t size[2];
	Access at; /* strides: of the places around, then of the result's axes */
} MatrixOut;

/* An operation on whole arrays (lang/matrix.h) at all places around. */
typedef struct MatrixStep {
	uint32_t number; /* in Plan.matrix */
	RedKind family;
	uint32_t naround;
	Dim *dim;
	int64_t size[2]; /* rows and columns; an array with one axis has one column */
	int64_t first;   /* label of the first row */
	Access in;       /* strides: of the places around, then of the argument's axes */
	uint32_t nout;
	MatrixOut out[3];
} MatrixStep;

typedef struct Step Step;
typedef struct Block {
	uint32_t n;
	size_t cap;
	Step **step;
} Block;

typedef struct Loop {
	bool tile;
	uint32_t slot;
	Index index;
	/* recurrence */
	int64_t lo, hi;
	bool down;
	/* tiles */
	uint32_t number; /* of the tile loop */
	Axis axis;
	int64_t samples, width; /* records; records of a full tile */
	uint32_t nblock;        /* fixed blocks of consecutive tiles */
	size_t local;           /* elements of a worker's tile memory */
	size_t accumulators;    /* elements of one block */
	size_t base;            /* of block 0 in the block memory */
	uint32_t njoin;
	Buffer **join; /* accumulators in this loop */
	Block body;
} Loop;

typedef enum { STEP_NEST, STEP_GEMM, STEP_FILL, STEP_MATRIX, STEP_LOOP } StepTag;
struct Step {
	StepTag tag;
	uint32_t number, last; /* place in the plan; last: of the steps inside */
	bool copy;       /* of a leaf for the tile: reads nothing that other steps write */
	uint32_t region; /* neighbouring steps of one number > 0 may be fused (plan_fuse.c) */
	uint32_t ncond;        /* run only where each slot lies in its interval */
	struct {
		uint32_t slot;
		Interval in;
	} * cond;
	union {
		Nest *nest;
		Gemm *gemm;
		Fill *fill;
		MatrixStep *matrix;
		Loop *loop;
	};
};

/* ---- the plan
 * -----------------------------------------------------------------------------------------------------
 */
typedef struct Output {
	Def value, assign;
	Node node;
	View view;
	size_t count;
	bool integer;
	/* assigned: arrays that take turns with the leaf's. [0] receives the next result and holds
	 * what the leaf was before the last run but one, [1] what it was before the last run */
	void *spare[2];
	double *real; /* plan_real of f32 */
	uint64_t real_run;
} Output;

typedef struct Version {
	Def leaf;
	uint64_t version;
} Version;
typedef struct Exec Exec;         /* interp_int.h */
typedef struct Compiled Compiled; /* exec.c */

/* Why a run failed: an instruction's check, a sum of ints, or accumulators of a definition when
 * they were joined. */
typedef struct Failure {
	const Nest *nest; /* NULL: see def */
	const Instr *at;  /* NULL: the sum of a reduction */
	int64_t value;
	Def def;        /* of accumulators; 0 and nest and matrix NULL: nothing failed */
	uint64_t order; /* of the block it happened in: the first one is reported */
	const MatrixStep *matrix; /* not NULL: an operation on a whole array, and why */
	char why[384]; /* RT_TEXT_MAX */
} Failure;

struct Plan {
	Arena *arena;
	Core *core;
	Store *store;
	unsigned threads;
	unsigned real_bytes; /* 8; 4 only in plans that run compiled */
	size_t memory_limit;
	Block fixed, body; /* when data or seed change; every run */
	uint32_t nslot, nstep, ntile, nregion;
	Loop **tile;
	uint32_t nbuffer;
	size_t buffer_cap;
	Buffer **buffer;
	size_t place_count[PLACES]; /* elements; TILE: the largest loop */
	uint32_t max_reg_doubles, max_access, max_dim;
	size_t max_pack;
	uint32_t noutput;
	Output *output;
	uint32_t nversion;
	MatrixStep **matrix;
	uint32_t nmatrix;
	size_t matrix_cap;
	Version *version; /* data the fixed part depends on */
	uint64_t fixed_seed;
	bool fixed_done, fixed_random;
	PlanCost cost;
	/* how it is run: memory and scratch of one of the two */
	bool compiled;
	struct Machine *machine; /* what it runs on; own_machine: freed with the plan */
	bool own_machine;
	uint64_t runs; /* so far */
	bool told;     /* plan_how */
	const char *name;
	Exec *interpreted;
	Compiled *code;
};

/* ---- plan_run.c: memory for running, by the interpreter or compiled; false if refused. */
bool exec_create(Plan *p);
void exec_free(Plan *p);

/* ---- plan_pays.c: is compiling the plan and running it so often less work than running it by the
 * interpreter? Estimates from the plan alone. */
bool plan_pays(const Plan *p, double runs);

/* ---- interp.c */
bool interp_create(Plan *p);
void interp_free(Plan *p);
/* The fixed or the repeated part, from the leaves' present values. */
void interp_run(Plan *p, bool fixed, RunContext context, Failure *failure);
void *interp_output(const Plan *p, const Buffer *b);

/* ---- exec.c */
bool compiled_create(Plan *p);
void compiled_free(Plan *p);
/* Machine code, made at the first call. False after a diagnostic: the compiler failed, or the
 * machine lacks what it needs. */
bool compiled_prepare(Plan *p, Diags *ds);
PlanHow compiled_how(const Plan *p);
/* False if memory is out. */
bool compiled_run(Plan *p, bool fixed, RunContext context, Failure *failure);
void *compiled_output(const Plan *p, const Buffer *b);
#endif
