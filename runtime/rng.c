/* rng.c — Philox4x64-10 and what is made of its bits.   Promise: a value depends on its address
 * alone. */
#include "runtime/rng.h"
#include <math.h>
#include "runtime/vmath.h"

/* Constants of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC11): two
 * multipliers, two Weyl steps (golden ratio and sqrt(3) - 1). */
static const uint64_t MULTIPLIER_0 = 0xD2E7470EE14C6C93, MULTIPLIER_1 = 0xCA5A826395121157;
static const uint64_t WEYL_0 = 0x9E3779B97F4A7C15, WEYL_1 = 0xBB67AE8584CAA73B;

__extension__ typedef unsigned __int128 Wide;

void rng_philox(const uint64_t counter[4], const uint64_t key[2], uint64_t out[4])
{
	uint64_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint64_t k0 = key[0], k1 = key[1];
	for (int round = 0; round < 10; round++) {
		Wide p0 = (Wide)MULTIPLIER_0 * c0, p1 = (Wide)MULTIPLIER_1 * c2;
		c0 = (uint64_t)(p1 >> 64) ^ c1 ^ k0;
		c1 = (uint64_t)p1;
		c2 = (uint64_t)(p0 >> 64) ^ c3 ^ k1;
		c3 = (uint64_t)p0;
		k0 += WEYL_0;
		k1 += WEYL_1;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

/* The finaliser of splitmix64: a bijection of 64 bits that spreads every bit. */
static uint64_t splitmix(uint64_t x)
{
	x += WEYL_0;
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
	return x ^ (x >> 31);
}

static void block(const RngAddress *at, uint64_t quarter, uint64_t out[4])
{
	uint64_t i2 = at->index[2], i3 = at->index[3];
	uint64_t last = (i2 | i3) >> 32 ? i2 + splitmix(i3) : i2 | i3 << 32;
	const uint64_t key[2] = {at->seed, at->stream};
	const uint64_t counter[4] = {at->step, quarter, at->index[1], last};
	rng_philox(counter, key, out);
}

uint64_t rng_bits(RngAddress at)
{
	uint64_t words[4];
	block(&at, at.index[0] >> 2, words);
	return words[at.index[0] & 3];
}

/* (k + 1/2)/2^52 with the upper 52 bits k: exact, since k + 1/2 has 53 bits. */
static double to_uniform(uint64_t bits)
{
	return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

double rng_uniform(RngAddress at)
{
	return to_uniform(rng_bits(at));
}

double rng_normal(RngAddress at)
{
	return rng_normal_quantile(rng_uniform(at));
}

/* Lemire's multiplication with rejection. The r-th retry, needed with probability below n/2^64,
 * uses a stream of its own. */
uint64_t rng_below(RngAddress at, uint64_t n)
{
	uint64_t floor = -n % n; /* 2^64 mod n */
	for (;;) {
		Wide product = (Wide)rng_bits(at) * n;
		if ((uint64_t)product >= floor) {
			return (uint64_t)(product >> 64);
		}
		at.stream = splitmix(at.stream ^ 0x7265747279); /* "retry" */
	}
}

void rng_fill_bits(RngAddress at, size_t n, uint64_t *out)
{
	uint64_t words[4];
	for (size_t i = 0; i < n; i++) {
		uint64_t index = at.index[0] + i;
		if (i == 0 || (index & 3) == 0) {
			block(&at, index >> 2, words);
		}
		out[i] = words[index & 3];
	}
}

void rng_fill_uniform(RngAddress at, size_t n, double *out)
{
	uint64_t words[4];
	for (size_t i = 0; i < n; i++) {
		uint64_t index = at.index[0] + i;
		if (i == 0 || (index & 3) == 0) {
			block(&at, index >> 2, words);
		}
		out[i] = to_uniform(words[index & 3]);
	}
}

void rng_fill_normal(RngAddress at, size_t n, double *out)
{
	rng_fill_uniform(at, n, out);
	for (size_t i = 0; i < n; i++) {
		out[i] = rng_normal_quantile(out[i]);
	}
}

void rng_permutation(uint64_t seed, uint64_t stream, uint64_t step, size_t n, size_t *out)
{
	for (size_t i = 0; i < n; i++) {
		RngAddress at = {seed, stream, step, {i, 0, 0, 0}};
		size_t j = (size_t)rng_below(at, i + 1);
		if (j < i) {
			out[i] = out[j];
		}
		out[j] = i;
	}
}

uint64_t rng_stream(const char *text, size_t n)
{
	uint64_t h = splitmix(n);
	for (size_t i = 0; i < n; i++) {
		h = splitmix(h ^ (unsigned char)text[i]);
	}
	return h;
}

/* p(x)/q(x) for polynomials of degree 7 given from the constant term up. */
static double rational(const double p[8], const double q[8], double x)
{
	double a = p[7], b = q[7];
	for (int i = 6; i >= 0; i--) {
		a = a * x + p[i];
		b = b * x + q[i];
	}
	return a / b;
}

/* Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics
 * 37 (1988) 477; PPND16, relative error about 1e-16. Three rational functions: about the middle,
 * the flanks, the far tails. */
double rng_normal_quantile(double p)
{
	static const double a[8] = {
	    3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
	    1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
	    3.3430575583588128105e4, 2.5090809287301226727e3};
	static const double b[8] = {
	    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
	    2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
	    5.2264952788528545610e3};
	static const double c[8] = {
	    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
	    3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
	    2.27238449892691845833e-2, 7.74545014278341407640e-4};
	static const double d[8] = {
	    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
	    1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
	    1.05075007164441684324e-9};
	static const double e[8] = {
	    6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
	    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
	    2.71155556874348757815e-5, 2.01033439929228813265e-7};
	static const double f[8] = {
	    1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
	    7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
	    2.04426310338993978564e-15};
	double q = p - 0.5;
	if (fabs(q) <= 0.425) {
		return q * rational(a, b, 0.180625 - q * q);
	}
	double tail = q < 0 ? p : 1 - p;
	if (!(tail > 0)) {
		return tail == 0 ? copysign(INFINITY, q) : NAN;
	}
	double r;
	vm_log(1, &r, &tail); /* not log: the same bits on every processor */
	r = sqrt(-r);
	double x = r <= 5 ? rational(c, d, r - 1.6) : rational(e, f, r - 5);
	return q < 0 ? -x : x;
}
