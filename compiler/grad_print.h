/* grad_print.h — the derived backward pass as mathematics: with the source's names, sums kept as
 * sums, common parts named. */
#ifndef PNN_COMPILER_GRAD_PRINT_H
#define PNN_COMPILER_GRAD_PRINT_H
#include "lang/core.h"
#include <stdio.h>

/* Writes what the gradients grad[k] of the closed scalar loss by wrt[k] (0: the loss does not
 * depend on it) are made of: the definitions of the loss, then the adjoints, then the gradients; as
 * lines of text, or as a LaTeX align environment with Greek letters, subscripts, sums and adjoints
 * as bars. Simplified copies are printed: nothing that was given is changed. */
void grad_print(Core *c, Node loss, uint32_t n, const Def *wrt, const Def *grad, bool latex,
		FILE *out);
#endif
