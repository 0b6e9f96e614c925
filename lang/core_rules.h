/* core_rules.h — rules.def for the simplifier; shared by core_rules.c and core_simplify.c. */
#ifndef PNN_LANG_CORE_RULES_H
#define PNN_LANG_CORE_RULES_H
#include "lang/core_int.h"
#include "lang/simplify.h"

/* The first rule that applies to n itself, once; n if none does. */
Node core_rules_step(Core *c, unsigned flags, Node n);
/* Rules to a fixed point at n and in what they make of it. */
Node core_rules_apply(Core *c, unsigned flags, Node n);
#endif
