/* plan_aid.h — plans compared with the slow evaluator: the same values, the same bits in every run
 * and for any number of threads. Systems are made with deriv_aid.h. */
#ifndef PNN_TESTS_PLAN_AID_H
#define PNN_TESTS_PLAN_AID_H
#include "compiler/plan.h"
#include "tests/unit/deriv_aid.h"

/* An int or bool leaf; values are label values or numbers in lo..hi. */
Def plan_aid_ints(Aid *t, DefRole role, const char *name, Kind kind, int64_t lo, int64_t hi,
		  const Axis *axes);
/* A store with the values that the evaluator has for all leaves. */
Store *plan_aid_store(Aid *t);
/* Plans the definitions together, runs them interpreted and compiled, each twice and with one and
 * more threads; fails the test where a value differs from the evaluator's by more than
 * tolerance*(1 + |value|), or a bit between runs of one kind. NaN equals NaN. Returns the worst
 * difference. */
double plan_aid_compare(Aid *t, uint32_t n, const Def *defs, double tolerance);
/* The first plan's text, for tests of what was recognised; freed by the caller. */
char *plan_aid_text(Aid *t, uint32_t n, const Def *defs);
/* Runs and expects this diagnostic ("E0409"), at building or at running, with the same words
 * interpreted and compiled and for any number of threads. */
void plan_aid_expect(Aid *t, uint32_t n, const Def *defs, const char *code);
#endif
