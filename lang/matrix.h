/* matrix.h — the table of operations on whole arrays, matrix.def. */
#ifndef PNN_LANG_MATRIX_H
#define PNN_LANG_MATRIX_H
#include "lang/core.h"

typedef struct MatrixOp {
	const char *name, *word; /* in dumps, in programs */
	uint32_t nbound, nresult;
	bool integer;
	RedKind family; /* RED_NONE: goes with the row above */
} MatrixOp;

static inline bool red_is_matrix(RedKind red)
{
	return red > RED_ANY;
}
/* The row of a matrix operation. */
const MatrixOp *matrix_op(RedKind red);
/* The first row of those that are computed together. */
RedKind matrix_family(RedKind red);
/* RED_NONE if the name is none in dumps. */
RedKind matrix_find(const char *name);
/* Formals of the definition that stand for axes of its result: the last so many; 0 if it is no
 * matrix operation. */
uint32_t matrix_results(const DefInfo *d);

/* The operation's result at the result indices, of the array `body` over the bound ones; other free
 * indices of the body are those around. Merged with equal ones. */
Node core_matrix(Core *c, RedKind red, Sym name, Span span, const Index *bound, const Index *result,
		 Node body);
#endif
