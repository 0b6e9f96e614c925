/* deriv_aid.h — small systems for the tests of derivatives: making them, filling their leaves,
 * comparing with differences. */
#ifndef PNN_TESTS_DERIV_AID_H
#define PNN_TESTS_DERIV_AID_H
#include "compiler/deriv.h"
#include "lang/op.h"
#include "tests/unit/ref_eval.h"

typedef struct Aid {
	Arena *arena, *scratch;
	Intern *names;
	Sources *sources;
	Diags *diags;
	Core *c;
	Ref *ref;
	uint64_t seed;
	uint32_t nleaf;
	Def leaf[64];
	unsigned compared, vague; /* derivatives compared with differences; those where the
				     differences tell little */
} Aid;

/* Fails unless value < bound (NaN fails). */
#define NEAR(value, bound)                                                                         \
	do {                                                                                       \
		double error_ = (value);                                                           \
		cr_assert(error_ < (bound), "error %g, allowed %g", error_, (double)(bound));      \
	} while (0)

void aid_begin(Aid *t);
void aid_end(Aid *t);
double aid_random(Aid *t, double lo, double hi);
Axis aid_axis(Aid *t, const char *name, int64_t first, int64_t size, unsigned flags);
Index aid_index(Aid *t, Axis a, const char *name);
/* A leaf over up to four axes (0 ends) with random values in (lo, hi). */
Def aid_leaf(Aid *t, DefRole role, const char *name, double lo, double hi, const Axis *axes);
#define AID_LEAF(t, role, name, lo, hi, ...)                                                       \
	aid_leaf((t), (role), (name), (lo), (hi), (const Axis[]){__VA_ARGS__ __VA_OPT__(, ) 0})
/* d[i…] */
Node aid_at(Aid *t, Def d, const Node *args);
#define AT(t, d, ...) aid_at((t), (d), (const Node[]){__VA_ARGS__ __VA_OPT__(, ) 0})
#define IX(t, i) core_index_value((t)->c, (i))
/* name[ix…] = value as a definition. */
Def aid_def(Aid *t, const char *name, Node value, const Index *ix);
#define AID_DEF(t, name, value, ...)                                                               \
	aid_def((t), (name), (value), (const Index[]){__VA_ARGS__ __VA_OPT__(, ) 0})
Node aid_sum(Aid *t, RedKind red, Node body, const Index *bound);
#define SUM(t, body, ...) aid_sum((t), RED_SUM, (body), (const Index[]){__VA_ARGS__, 0})
/* A DEF_VARIABLE alias of d. */
Def aid_variable(Aid *t, const char *name, Def d);
/* Central differences with one Richardson step of the closed node `of` in element k of the leaf. */
double aid_difference(Aid *t, Node of, Def leaf, size_t k);
/* Gradient of the closed scalar by every leaf of role PARAM, compared with differences: the worst
 * difference, beyond what two step widths differ by, relative to 1 + |value|. Fails the test on
 * diagnostics, evaluation errors and malformed results. */
double aid_gradient_error(Aid *t, Node loss);
/* Takes the derivatives in a node; checks the core afterwards. */
Node aid_resolve(Aid *t, Node n);
double aid_value(Aid *t, Node n);
/* Scalar operations in the definitions that n reaches, per element: products, sums and functions;
 * definitions in *defs. */
uint32_t aid_operations(Aid *t, uint32_t nroot, const Node *root, uint32_t *defs);
#endif
