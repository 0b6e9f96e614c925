/* core_aid.h — random expression trees with an evaluation of their own, built into a core by its
 * constructors: the two must agree. Used by the tests of the core, the simplifier and the text
 * form. */
#ifndef PNN_TESTS_CORE_AID_H
#define PNN_TESTS_CORE_AID_H
#include "lang/core.h"
#include "tests/unit/ref_eval.h"

enum { AID_INDICES = 3, AID_LEAVES = 6 };

typedef struct Tree Tree;
typedef struct Aid {
	Arena *arena;
	Intern *names;
	Core *core;
	Ref *ref;
	uint64_t random;
	Axis h, ring;             /* 4 places from 0; 3 places from 1, periodic */
	Index index[AID_INDICES]; /* i, j over h; t over ring */
	Def leaf[AID_LEAVES];     /* W[h,h] x[h] y[h,ring] s[h] (±1) c (scalar) n[h] (int) */
	double *value[AID_LEAVES];
	bool flip;      /* operands of commutative operations are given in the other order */
	double largest; /* magnitude of what the last evaluation met */
	bool finite;
	unsigned inside; /* reductions around what is being evaluated */
} Aid;

Aid *aid_create(uint64_t seed);
void aid_free(Aid *a);
uint32_t aid_draw(Aid *a, uint32_t n); /* 0 … n-1 */
/* A random real expression in i, j, t; reductions only if asked. */
Tree *aid_tree(Aid *a, int depth, bool reductions);
/* Its value at label values of i, j, t: straight from the tree. Sets a->largest and a->finite. */
double aid_value(Aid *a, const Tree *t, const int64_t *at);
/* Its node over these index variables (of the axes of i, j, t). */
Node aid_build(Aid *a, const Tree *t, const Index *index);
/* The same by way of the core: indices replaced by label values. */
double aid_evaluate(Aid *a, Node n, const int64_t *at);
bool aid_close(double a, double b, double scale);
#endif
