/* claims_int.h — what the files of claims share. */
#ifndef PNN_COMPILER_CLAIMS_INT_H
#define PNN_COMPILER_CLAIMS_INT_H
#include "compiler/claims.h"
#include "compiler/run_int.h"

/* Parameters that a claim reads, and the values they had. */
typedef struct MovedParams {
	uint32_t n;
	ParamInfo **param;
	double *value;
} MovedParams;

/* Fills the variables of a claim for one trial; their leaves have room. False after a diagnostic.
 */
bool sample_point(Run *r, const Claim *c, uint64_t trial);
/* Remembers the parameters that the claim reads; moves them to a random point; puts them back;
 * frees the memory. */
bool params_keep(Run *r, const Claim *c, MovedParams *m);
bool params_move(Run *r, const MovedParams *m, uint64_t trial);
void params_back(Run *r, const MovedParams *m);
void params_release(MovedParams *m);
#endif
