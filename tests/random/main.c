/* main.c — random programs: random KIND PNNC FOLDER N SEED. KIND: programs, derivatives, models. */
#include "tests/random/random.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void table(const Runner *r)
{
	printf("%-8s %10s %14s\n", "order", "values", "worst error");
	for (unsigned k = 1; k <= 5; k++) {
		if (r->count[k]) {
			printf("%-8u %10lu %14.2e\n", k, r->count[k], r->error[k]);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: random programs|derivatives|models PNNC FOLDER N SEED [text]\n");
		return 2;
	}
	bool derivatives = strcmp(argv[1], "derivatives") == 0, models = strcmp(argv[1], "models") == 0, text = argc > 6;
	Runner r = {.pnnc = argv[2], .folder = argv[3], .keep = getenv("RANDOM_TELL") != NULL};
	const char *every = getenv("RANDOM_COMPILED");
	r.compiled = every ? (unsigned)strtoul(every, NULL, 10) : 1;
	unsigned long n = strtoul(argv[4], NULL, 10), failed = 0;
	uint64_t seed = strtoull(argv[5], NULL, 10);
	clock_t begin = clock();
	printf("random %s: seeds %llu to %llu\n", argv[1], (unsigned long long)seed, (unsigned long long)(seed + n - 1));
	fflush(stdout);
	for (unsigned long k = 0; k < n; k++) {
		Gen *g = gen_create(seed + k);
		if (models) {
			if (text) {
				model_text(g, stdout);
			} else {
				failed += !run_model(&r, g);
			}
			gen_free(g);
			continue;
		}
		if (derivatives) {
			gen_derivatives(g);
		} else {
			gen_program(g);
		}
		if (text) {
			text_program(g, &(Style){0}, stdout);
		} else {
			failed += !run_case(&r, g, !derivatives);
		}
		gen_free(g);
	}
	if (derivatives) {
		table(&r);
	}
	printf("random %s: %lu programs, %lu values compared, %lu dropped, worst error %.2e of the condition, %lu failed, %.0f s here\n",
		argv[1], n, r.compared, r.dropped, r.worst, failed, (double)(clock() - begin)/CLOCKS_PER_SEC);
	return failed ? 1 : 0;
}
