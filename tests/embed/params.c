/* params.c — the force field with its parameters in the code and with the same ones from a file:
 * equal bits; files that are none are refused. */
#include "ff.h"
#include "ffx.h"
#include <string.h>

static ffx_params params;

int main(int argc, char **argv)
{
	double R[FF_ATOM * FF_XYZ], a, b, d[FF_ATOM * FF_XYZ], e[FF_ATOM * FF_XYZ];
	if (argc < 4 || ffx_load(&params, argv[1])) {
		return 1;
	}
	for (int k = 0; k < FF_ATOM * FF_XYZ; k++) {
		R[k] = 0.7 * (k % 5) + 0.125 * k;
	}
	if (ff_energy_grad(R, &a, d) || ffx_energy_grad(&params, R, &b, e) || memcmp(&a, &b, sizeof a) ||
	    memcmp(d, e, sizeof d)) {
		return 2;
	}
	if (ffx_load(&params, "/nonexistent") != 1 || ffx_load(&params, argv[2]) != 2 ||
	    ffx_load(&params, argv[3]) != 2) {
		return 3;
	}
	return strcmp(ff_version(), ffx_version()) || !strcmp(ff_hash(), ffx_hash()) ? 4 : 0;
}
