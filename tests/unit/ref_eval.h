/* ref_eval.h — a slow evaluator of core definitions for tests: element by element, by demand, with
 * a memo. It shares nothing with the plan or the interpreter. */
#ifndef PNN_TESTS_REF_EVAL_H
#define PNN_TESTS_REF_EVAL_H
#include "lang/core.h"

typedef struct Ref Ref;
Ref *ref_create(Core *c);
void ref_free(Ref *r);
/* Gives a leaf (or any definition: it is then not computed) its values, row-major over its axes.
 * Forgets computed values. */
void ref_set(Ref *r, Def d, const double *values);
/* Where a set leaf's values lie, to be changed; call ref_forget afterwards. */
double *ref_values(Ref *r, Def d);
void ref_forget(Ref *r);
/* A closed node. */
double ref_node(Ref *r, Node n);
/* One element of a definition, by label values. */
double ref_def(Ref *r, Def d, const int64_t *labels);
/* All elements, row-major. */
void ref_array(Ref *r, Def d, double *out);
size_t ref_size(Ref *r, Def d);
/* Why the last values mean nothing (a read outside, a cycle), or NULL. */
const char *ref_error(const Ref *r);
#endif
