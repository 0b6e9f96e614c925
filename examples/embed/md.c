/* md.c — molecular dynamics with the force field of ff.pnn: leapfrog steps at constant energy.
 *   pnnc build ff.pnn -o libff.so && cc -O2 md.c -o md -L. -l:libff.so -Wl,-rpath,. -lm && ./md
 * Prints energy and forces at the start, as ff_demo.f90 and ff_demo.py do. Then lets the atoms move
 * for 10 ps: the total energy stays within a band that is a quarter as wide for half the step, as it
 * must be where forces are the exact gradient of the energy. Fails if not. */
#include "ff.h"
#include <math.h>
#include <stdio.h>

enum { ATOMS = FF_ATOM, STEPS = 10000, CALLS = 3 };

/* The middle atom and six neighbours, a little out of place. */
static void start(double R[ATOMS][3])
{
	for (int i = 0; i < ATOMS; i++) {
		for (int k = 0; k < 3; k++) {
			double home = i == 0 || k != (i - 1) / 2 ? 0 : i % 2 == 0 ? 2.6 : -2.6;
			R[i][k] = home + 0.03125 * ((3 * i + 5 * k) % 7 - 3);
		}
	}
}

static double kinetic(double v[ATOMS][3], double mass)
{
	double sum = 0;
	for (int i = 0; i < ATOMS; i++) {
		for (int k = 0; k < 3; k++) {
			sum += v[i][k] * v[i][k];
		}
	}
	return mass * sum / 2;
}

/* Half a kick, a step, half a kick: the largest deviation of the total energy, or -1. */
static double simulate(int steps, double mass, double dt)
{
	double R[ATOMS][3], v[ATOMS][3] = {{0}}, slope[ATOMS][3], potential, first = 0, worst = 0;
	start(R);
	for (int step = 0; step <= steps; step++) {
		if (ff_energy_grad(R[0], &potential, slope[0])) {
			return -1;
		}
		double half = step == 0 ? 0 : dt / 2;
		for (int i = 0; i < ATOMS; i++) {
			for (int k = 0; k < 3; k++) {
				v[i][k] -= half * slope[i][k] / mass;
			}
		}
		double total = potential + kinetic(v, mass);
		first = step == 0 ? total : first;
		worst = fmax(worst, fabs(total - first));
		for (int i = 0; i < ATOMS; i++) {
			for (int k = 0; k < 3; k++) {
				v[i][k] -= dt / 2 * slope[i][k] / mass;
				R[i][k] += dt * v[i][k];
			}
		}
	}
	return worst;
}

int main(void)
{
	double R[ATOMS][3], F[ATOMS][3], many[CALLS][ATOMS][3], E, all[CALLS];
	start(R);
	if (ff_energy(R[0], &E) || ff_force(R[0], F[0])) {
		return 1;
	}
	printf("%.17g\n", E);
	for (int i = 0; i < ATOMS; i++) {
		printf("%.17g %.17g %.17g\n", F[i][0], F[i][1], F[i][2]);
	}
	for (int c = 0; c < CALLS; c++) {
		for (int i = 0; i < ATOMS; i++) {
			for (int k = 0; k < 3; k++) {
				many[c][i][k] = R[i][k] * (1 + 0.0625 * c);
			}
		}
	}
	static char work[FF_ENERGY_BATCH_WORK]; /* scratch memory: this one takes more than a stack has */
	if (ff_energy_batch(CALLS, many[0][0], all, work)) {
		return 1;
	}
	printf("%.17g %.17g %.17g\n", all[0], all[1], all[2]);
	double mass = 39.95 * 103.6427; /* argon's, in eV fs²/Å² */
	double wide = simulate(STEPS, mass, 1.0), narrow = simulate(2 * STEPS, mass, 0.5);
	fprintf(stderr, "largest deviation of the energy: %.3g eV in steps of 1 fs, %.3g eV of 0.5 fs\n",
		wide, narrow);
	return narrow > 0 && narrow < 1e-3 && narrow < 0.3 * wide ? 0 : 1;
}
