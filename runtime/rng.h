/* rng.h — addressed random numbers: a value is a pure function of (seed, stream, step, indices) and
 * of nothing else, so that results depend on no order of evaluation, no thread and no tile.
 *
 * Philox4x64-10 (Salmon, Moraes, Dror, Shaw 2011) with
 *     key     = (seed, stream)          stream: the place in the program's text
 *     counter = (step, i0/4, i1, i2 + 2^32 i3)
 * and the answer is word i0 mod 4 of the block. Distinct addresses never share a word as long as
 * i2, i3 < 2^32; larger ones are mixed (the last counter word is then i2 + splitmix64(i3), which is
 * not injective). Fill i0 first. */
#ifndef PNN_RUNTIME_RNG_H
#define PNN_RUNTIME_RNG_H
#include <stddef.h>
#include <stdint.h>

typedef struct RngAddress {
	uint64_t seed, stream, step;
	uint64_t index[4];
} RngAddress;

/* One Philox4x64-10 block. */
void rng_philox(const uint64_t counter[4], const uint64_t key[2], uint64_t out[4]);
/* 64 random bits at an address. */
uint64_t rng_bits(RngAddress at);
/* Uniform in (0,1): an odd multiple of 2^-53, so neither 0 nor 1 and symmetric about 1/2. */
double rng_uniform(RngAddress at);
/* Standard normal: the quantile (Wichura AS 241, relative error about 1e-16) of rng_uniform at the
 * same address. */
double rng_normal(RngAddress at);
/* Exactly uniform in 0 .. n-1; n > 0. */
uint64_t rng_below(RngAddress at, uint64_t n);
/* n values at the addresses at.index[0], at.index[0]+1, ...: equal to the single calls, about four
 * times as fast. */
void rng_fill_bits(RngAddress at, size_t n, uint64_t *out);
void rng_fill_uniform(RngAddress at, size_t n, double *out);
void rng_fill_normal(RngAddress at, size_t n, double *out);
/* A permutation of 0 .. n-1 (Fisher–Yates). */
void rng_permutation(uint64_t seed, uint64_t stream, uint64_t step, size_t n, size_t *out);
/* The standard normal quantile of p in (0,1); ∓inf at 0 and 1, NaN outside. */
double rng_normal_quantile(double p);
/* A well mixed 64-bit hash of text: stream numbers from names of places. */
uint64_t rng_stream(const char *text, size_t n);
#endif
