/* simplify.h — the system of equations rewritten to its normal form (core_simplify.c, rules.def).
 */
#ifndef PNN_LANG_SIMPLIFY_H
#define PNN_LANG_SIMPLIFY_H
#include "lang/core.h"

enum {
	SIMPLIFY_FOLD =
		1, /* named constants and known axis sizes become numbers (right before the plan) */
	SIMPLIFY_KEEP_VARIABLES = 2, /* aliases made for differentiation (DEF_VARIABLE) stay */
	SIMPLIFY_EXACT =
		4 /* only rules marked EXACT: results keep their bits up to the order of operands */
};

/* Rebuilds everything reachable from the roots (which are replaced in place) as new definitions
 * where something changes: aliases and multiples dissolved, rules.def applied to a fixed point,
 * conditions decided, one-point filters resolved, equal definitions merged up to renaming and order
 * of indices; what is then not reached is dead. Definitions are never changed in place, so other
 * roots keep their meaning. A product is never moved into a reduction nor into a definition with
 * more indices. Derivative rules are dropped. Time is linear in the size of the system. Working
 * memory in scratch. */
void core_simplify(Core *c, Arena *scratch, unsigned flags, uint32_t nroot, Node *root);

/* Row i of rules.def, for its test: texts over a, b, c; condition "" if it always holds. False past
 * the end. */
typedef struct RuleRow {
	const char *pattern, *replacement, *condition;
	bool exact;
} RuleRow;
bool simplify_rule(unsigned i, RuleRow *out);
/* n with rules.def applied to a fixed point, within this expression alone. */
Node simplify_node(Core *c, unsigned flags, Node n);
#endif
