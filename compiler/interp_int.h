/* interp_int.h — the interpreter's own memory: one Exec for a plan, one Worker for each thread. */
#ifndef PNN_COMPILER_INTERP_INT_H
#define PNN_COMPILER_INTERP_INT_H
#include "compiler/interp.h"

typedef struct Worker {
	const Plan *plan;
	GemmKernels gemm;
	double **base; /* by buffer */
	double *tile, *reg, *pack, *temp;
	void **ptr;
	double **outer, **inner; /* by access: at the outer formals, at the bound counters */
	int64_t *count, *label, *slot, *lane;
	int64_t lanes; /* samples of the present tile */
	int64_t width; /* samples of a full one */
	VmContext cx;
	Failure failed;
	Def overflow; /* ints that overflowed when blocks were joined, or 0 */
} Worker;

struct Exec {
	double *fixed, *global, *block;
	uint32_t nworker;
	Worker *worker;
};

/* Block b of a tile loop: its accumulators from their neutral elements, its tiles in order. */
void interp_tiles(Worker *w, const Loop *l, uint32_t b);
void nest_run(Worker *w, const Nest *nest);
double *access_pointer(const Worker *w, const Access *a);
/* Neutral element of a reduction of reals or ints, as bits. */
int64_t red_neutral(RedKind red, bool integer);
/* to[i*stride] = to joined with from, for n elements; false on integer overflow. */
bool red_join(RedKind red, bool integer, size_t n, void *to, int64_t stride, const void *from,
	      int64_t from_stride);
enum { TEMP_LANES = 512 };
#endif
