/* gen_nest_aid.h — nests made at random, run by the interpreter and by compiled code on the same
 * memory. Every array ends where a page ends that must not be touched. */
#ifndef PNN_TESTS_GEN_NEST_AID_H
#define PNN_TESTS_GEN_NEST_AID_H
#include "compiler/interp.h"
#include "compiler/target.h"
#include "lang/arena.h"

enum { CASE_BUFFERS = 64, CASE_DIMS = 6 };

typedef struct CaseArray {
	Buffer buffer;
	bool output;
	size_t bytes, room; /* of one copy; mapped */
	char *map[2], *at[2]; /* copies of the interpreter and of compiled code */
} CaseArray;

/* A nest and its memory. */
typedef struct Case {
	Arena *arena;
	uint64_t state; /* of the random numbers that make it */
	Nest nest;
	Dim dim[CASE_DIMS];
	uint32_t narray;
	CaseArray array[CASE_BUFFERS];
	unsigned real_bytes; /* of compiled code */
	bool tiled, partial; /* partial: compiled for fewer lanes than the width */
	int64_t width, lanes; /* tiled: of a full tile, of the present one */
	int64_t slot[2];
} Case;

typedef enum { VALUE_REAL, VALUE_INT, VALUE_BOOL } ValueKind;

int64_t case_below(Case *c, int64_t n); /* 0 .. n-1 */
/* A new array whose elements an access of these strides reaches; ints or reals. */
uint32_t case_array(Case *c, bool integer, bool output, PlaceKind place, const Access *a);
/* Values of all arrays, those of compiled code in its precision. Small multiples of 1/4. */
void case_fill(Case *c);
/* Runs both; *faults: did either see a fault? The interpreter's and that of compiled code. */
void case_run(Case *c, const char *target, bool faults[2]);
/* Fails the test where outputs differ by more than the tolerance, relative to 1 + |value|. */
void case_compare(const Case *c, double tolerance, const char *what);
void case_free(Case *c);

/* Records by features are copied to features by records of a tile. */
void case_copy(Case *c);
/* test programs: gen_nest_program.c */
/* A pointwise program that uses the instruction `op` (VM_OPS: any). */
void case_pointwise(Case *c, unsigned op);
void case_reduction(Case *c, RedKind red, bool integer, bool lane_bound);
#endif
