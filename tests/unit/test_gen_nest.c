/* test_gen_nest.c — nests at random: compiled for every target that this processor runs, against the
 * interpreter on the same memory. */
#include "tests/unit/gen_nest_aid.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* the processor at hand only where it is none of those before */
static const char *const TARGETS[] = {"avx512", "avx2", "x86-64", "host"};
enum { NTARGET = sizeof TARGETS / sizeof *TARGETS };

static bool runs(const char *name)
{
	char *message = NULL, *why = NULL;
	Target *t = target_create(name, &message);
	bool good = t && target_runs_here(t, &why);
	free(message);
	free(why);
	target_free(t);
	return good;
}

typedef struct Sort {
	unsigned op; /* pointwise */
	RedKind red; /* RED_NONE: pointwise */
	bool copy;
	bool integer, lane_bound;
} Sort;

static void compare(const Sort *s, uint64_t seed, const char *target, unsigned real_bytes)
{
	Case *c = calloc(1, sizeof *c);
	char what[96];
	bool fault[2];
	c->state = seed * 0x9e3779b97f4a7c15u;
	c->real_bytes = real_bytes;
	if (s->copy || s->red == RED_NONE) {
		if (s->copy) {
			case_copy(c);
		} else {
			case_pointwise(c, s->op);
		}
		snprintf(what, sizeof what, "%s f%u seed %llu", target, 8 * real_bytes,
			 (unsigned long long)seed);
	} else {
		case_reduction(c, s->red, s->integer, s->lane_bound);
		snprintf(what, sizeof what, "red %d int %d lanes %d %s f%u seed %llu", (int)s->red,
			 s->integer, s->lane_bound, target, 8 * real_bytes, (unsigned long long)seed);
	}
	case_fill(c);
	case_run(c, target, fault);
	/* whether a product leaves the ints before it is zero depends on the order */
	bool order = s->red == RED_PROD && s->integer && (fault[0] || fault[1]);
	cr_assert(order || fault[0] == fault[1], "%s: fault %d, compiled %d", what, fault[0], fault[1]);
	if (!order) {
		case_compare(c, real_bytes == 8 ? 1e-12 : 1e-4, what);
	}
	case_free(c);
	free(c);
}

static void compare_all(const Sort *s, uint64_t from, uint64_t count)
{
	const char *only = getenv("NEST_SEED");
	for (uint64_t k = 0; k < count; k++) {
		uint64_t seed = only ? strtoull(only, NULL, 10) : from + k;
		int done = 0;
		for (int t = 0; t < NTARGET; t++) {
			if (!runs(TARGETS[t]) || (t == NTARGET - 1 && done)) {
				continue;
			}
			done++;
			compare(s, seed, TARGETS[t], 8);
			if (t % 2 == 0) {
				compare(s, seed, TARGETS[t], 4);
			}
		}
	}
}

Test(gen_nest, every_instruction)
{
	for (unsigned op = 0; op < VM_OPS; op++) {
		compare_all(&(Sort){.op = op}, 1000 * (op + 1), 3);
	}
}

Test(gen_nest, copies)
{
	compare_all(&(Sort){.copy = true}, 1, 12);
}

Test(gen_nest, reductions)
{
	static const RedKind REAL[] = {RED_SUM, RED_PROD,   RED_MAX,    RED_MIN,
				       RED_LOGSUMEXP, RED_ARGMAX, RED_ARGMIN};
	static const RedKind INT[] = {RED_SUM, RED_PROD, RED_MAX, RED_MIN, RED_ALL, RED_ANY, RED_ARGMAX,
				      RED_ARGMIN};
	for (unsigned k = 0; k < sizeof REAL / sizeof *REAL; k++) {
		compare_all(&(Sort){.red = REAL[k], .lane_bound = true}, 100 * k, 3);
		compare_all(&(Sort){.red = REAL[k]}, 100 * k + 50, 3);
	}
	for (unsigned k = 0; k < sizeof INT / sizeof *INT; k++) {
		compare_all(&(Sort){.red = INT[k], .integer = true, .lane_bound = true}, 100 * k, 3);
		compare_all(&(Sort){.red = INT[k], .integer = true}, 100 * k + 50, 3);
	}
}
