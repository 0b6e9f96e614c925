/* bench.h — timing of short repeated work, and the limit of the machine to compare with. */
#ifndef PNN_COMPILER_BENCH_H
#define PNN_COMPILER_BENCH_H
#include "compiler/target.h"
#include <stdbool.h>
#include <stddef.h>

/* Something done again and again, timed in chunks: after a warm-up, chunks of about 3 ms or one
 * repetition, whichever is longer, until the time is over. */
typedef struct BenchTimer {
	double budget;        /* seconds to measure for; set by the caller, the rest zero */
	double began;         /* monotone clock; 0: nothing was done yet */
	double first, first_cpu; /* seconds of the first repetition, with what comes before it */
	double least;         /* shortest repetition of the warm-up */
	double last, until;   /* end of the last repetition; end of warm-up or of everything */
	bool warm;            /* the warm-up is over */
	size_t done, chunk;   /* repetitions so far, in a chunk */
	size_t left;          /* of the present chunk */
	double wall, cpu;     /* where it began; cpu: of all threads */
	size_t n, room;       /* chunks */
	double *chunk_wall, *chunk_cpu; /* seconds a repetition in each; malloc */
	bool failed;          /* memory is out */
} BenchTimer;

/* Before the first repetition. */
void bench_begin(BenchTimer *t);
/* After each repetition; true if another one is wanted. */
bool bench_tick(BenchTimer *t);
void bench_free(BenchTimer *t);

/* Seconds a repetition: least and median of the chunks' wall times, least of processor time over
 * all threads. With one thread the least of both is the best figure: a processor that is shared
 * takes nothing from it. */
typedef struct BenchResult {
	double best, median, cpu;
	size_t repetitions, chunks;
} BenchResult;
/* Needs at least one chunk. */
BenchResult bench_result(const BenchTimer *t);

/* Fused multiply-adds of whole vectors on one core, GFLOP/s; 0 with a message (malloc, the caller
 * frees) if no code could be made. */
double bench_peak(const Target *t, unsigned real_bytes, char **message);
#endif
