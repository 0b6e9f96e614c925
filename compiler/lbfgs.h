/* lbfgs.h — limited-memory BFGS with a line search for the strong Wolfe conditions, over a flat
 * vector.
 *
 * The search direction is d = -H g, H by the two-loop recursion over the last `memory` pairs
 * (s, y); the step a satisfies
 *     f(x + a d) <= f(x) + c1 a g·d     and     |g(x + a d)·d| <= c2 |g·d|,
 * c1 = 1e-4, c2 = 0.9, and is found by bracketing and safeguarded cubic interpolation (Nocedal and
 * Wright, Numerical Optimization, algorithms 3.5 and 3.6). */
#ifndef PNN_COMPILER_LBFGS_H
#define PNN_COMPILER_LBFGS_H
#include <stdbool.h>
#include <stddef.h>

/* Value and gradient at x; false if it cannot be computed (the search then stops with
 * LBFGS_FAILED). Values that are not finite are allowed: the step is shortened. */
typedef bool (*LbfgsFunction)(void *data, const double *x, double *f, double *g);

typedef enum {
	LBFGS_STEP,  /* x, f, g are those of the next iterate */
	LBFGS_STUCK, /* no step lowers f: a minimum to rounding; x, f, g as before */
	LBFGS_FAILED /* the function could not be computed */
} LbfgsStatus;

typedef struct Lbfgs {
	size_t n, memory;
	size_t pairs, next; /* pairs held; where the next one goes */
	double *s, *y;      /* [memory][n] */
	double *rho;        /* [memory]: 1/(y·s) */
	double *work;       /* 3 vectors of n and one of memory */
} Lbfgs;

/* Room for vectors of n numbers; false if memory is out. Freed by lbfgs_free. */
bool lbfgs_create(Lbfgs *l, size_t n, size_t memory);
void lbfgs_free(Lbfgs *l);
/* Forgets the pairs. */
void lbfgs_restart(Lbfgs *l);
/* One iteration from x with value *f and gradient g, which are replaced. */
LbfgsStatus lbfgs_step(Lbfgs *l, double *x, double *f, double *g, LbfgsFunction function,
		       void *data);
#endif
