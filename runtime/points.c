/* points.c — point sets in the unit cube.   Promise: pure functions of the specification. */
#include "runtime/points.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/rng.h"

/* Primitive polynomials over GF(2) and initial direction numbers of Joe and Kuo, "Constructing
 * Sobol sequences with better two-dimensional projections", SIAM J. Sci. Comput. 30 (2008) 2635
 * (set D6): degree, inner coefficients as bits, m_1 .. m_degree. The first coordinate needs none.
 * */
typedef struct Direction {
	unsigned degree, inner;
	uint32_t m[7];
} Direction;

static const Direction directions[POINTS_SOBOL_DIM - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
};

enum { SOBOL_BITS = 52 };

/* v[k] are the direction numbers m_k/2^k as fractions of SOBOL_BITS bits, from
 *     m_k = 2 c_1 m_{k-1} ^ 4 c_2 m_{k-2} ^ ... ^ 2^s m_{k-s} ^ m_{k-s}. */
static void sobol_directions(unsigned coordinate, uint64_t v[SOBOL_BITS])
{
	if (coordinate == 0) {
		for (unsigned k = 0; k < SOBOL_BITS; k++) {
			v[k] = UINT64_C(1) << (SOBOL_BITS - 1 - k);
		}
		return;
	}
	const Direction *d = &directions[coordinate - 1];
	unsigned s = d->degree;
	for (unsigned k = 0; k < SOBOL_BITS; k++) {
		if (k < s) {
			v[k] = (uint64_t)d->m[k] << (SOBOL_BITS - 1 - k);
			continue;
		}
		v[k] = v[k - s] ^ (v[k - s] >> s);
		for (unsigned j = 1; j < s; j++) {
			if (d->inner >> (s - 1 - j) & 1) {
				v[k] ^= v[k - j];
			}
		}
	}
}

/* Streams of one specification that must not meet: one for values, one for shifts. */
enum { FOR_VALUES, FOR_SHIFTS };

static RngAddress address(const PointsSpec *s, uint64_t i, uint64_t coordinate, uint64_t purpose)
{
	return (RngAddress){s->seed, s->stream, s->step, {i, coordinate, purpose, 0}};
}

static void fill_sobol(const PointsSpec *s, double *out)
{
	uint64_t v[SOBOL_BITS];
	for (unsigned c = 0; c < s->d; c++) {
		sobol_directions(c, v);
		uint64_t x = 0;
		double middle = 0;
		if (s->shifted) { /* a digital shift, and the middle of the last digit's cell */
			x = rng_bits(address(s, 0, c, FOR_SHIFTS)) >> (64 - SOBOL_BITS);
			middle = 0.5;
		}
		for (size_t i = 0; i < s->n; i++) {
			if (i > 0) { /* Gray code: neighbours differ by the direction of the lowest zero bit */
				x ^= v[__builtin_ctzll(i)];
			}
			out[i * s->d + c] = ((double)x + middle) * 0x1p-52;
		}
	}
}

/* The digits of i in base b, mirrored at the point. */
static double van_der_corput(uint64_t i, unsigned b)
{
	uint64_t mirrored = 0, power = 1;
	while (i > 0 && power < (UINT64_C(1) << 53) / b) {
		mirrored = mirrored * b + i % b;
		power *= b;
		i /= b;
	}
	return (double)mirrored / (double)power;
}

static double shift_by(double x, double shift)
{
	double moved = x + shift;
	return moved >= 1 ? moved - 1 : moved;
}

static void fill_corput(const PointsSpec *s, double *out)
{
	static const unsigned prime[POINTS_HALTON_DIM] = {
	    2,  3,  5,  7,  11, 13, 17, 19, 23, 29,  31,  37,  41,  43,  47,  53,
	    59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131};
	bool hammersley = s->kind == POINTS_HAMMERSLEY;
	for (unsigned c = 0; c < s->d; c++) {
		double shift = s->shifted ? rng_uniform(address(s, 0, c, FOR_SHIFTS)) : 0;
		for (size_t i = 0; i < s->n; i++) {
			double x = 0;
			if (hammersley) {
				x = c == 0 ? ((double)i + 0.5) / (double)s->n : van_der_corput(i, prime[c - 1]);
			} else {
				x = van_der_corput(i + 1, prime[c]);
			}
			out[i * s->d + c] = s->shifted ? shift_by(x, shift) : x;
		}
	}
}

static void fill_independent(const PointsSpec *s, double *out)
{
	for (size_t i = 0; i < s->n; i++) {
		for (unsigned c = 0; c < s->d; c++) {
			RngAddress at = address(s, i, c, FOR_VALUES);
			out[i * s->d + c] = s->kind == POINTS_NORMAL ? rng_normal(at) : rng_uniform(at);
		}
	}
}

static RtStatus fill_latin(const PointsSpec *s, double *out, RtError *err)
{
	size_t *cell = rt_alloc(s->n, sizeof *cell);
	if (!cell) {
		return rt_fail(err, RT_E_MEMORY, NULL, NULL, "not enough memory for %zu points", s->n);
	}
	for (unsigned c = 0; c < s->d; c++) {
		uint64_t stream = rng_bits(address(s, 0, c, FOR_SHIFTS));
		rng_permutation(s->seed, stream, s->step, s->n, cell);
		for (size_t i = 0; i < s->n; i++) {
			double x = ((double)cell[i] + rng_uniform(address(s, i, c, FOR_VALUES))) / (double)s->n;
			out[i * s->d + c] = x < 1 ? x : 0x1.fffffffffffffp-1;
		}
	}
	free(cell);
	return RT_OK;
}

RtStatus points_grid(const size_t *k, unsigned d, double *out, RtError *err)
{
	size_t n = 1;
	for (unsigned c = 0; c < d; c++) {
		if (k[c] == 0 || __builtin_mul_overflow(n, k[c], &n)) {
			return rt_fail(err, RT_E_USAGE, NULL, NULL, "a grid cannot have %zu points an axis",
			               k[c]);
		}
	}
	for (size_t i = 0; i < n; i++) {
		size_t rest = i;
		for (unsigned c = d; c-- > 0;) {
			size_t j = rest % k[c];
			rest /= k[c];
			out[i * d + c] = k[c] > 1 ? (double)j / (double)(k[c] - 1) : 0.5;
		}
	}
	return RT_OK;
}

/* The k of n = k^d, or 0. */
static size_t root_of(size_t n, unsigned d)
{
	size_t guess = (size_t)(pow((double)n, 1.0 / d) + 0.5);
	size_t power = 1;
	for (unsigned c = 0; c < d; c++) {
		if (__builtin_mul_overflow(power, guess, &power)) {
			return 0;
		}
	}
	return power == n ? guess : 0;
}

static RtStatus fill_grid(const PointsSpec *s, double *out, RtError *err)
{
	size_t k = s->n == 0 ? 0 : root_of(s->n, s->d), side[64];
	if (k == 0 || s->d > 64) {
		return rt_fail(err, RT_E_USAGE, NULL, NULL,
		               "a grid of %zu points in %u dimensions has no equal sides", s->n, s->d);
	}
	for (unsigned c = 0; c < s->d; c++) {
		side[c] = k;
	}
	return points_grid(side, s->d, out, err);
}

RtStatus points_fill(const PointsSpec *s, double *out, RtError *err)
{
	unsigned most = UINT16_MAX;
	if (s->kind == POINTS_SOBOL) {
		most = POINTS_SOBOL_DIM;
	} else if (s->kind == POINTS_HALTON || s->kind == POINTS_HAMMERSLEY) {
		most = POINTS_HALTON_DIM;
	}
	if (s->d == 0 || s->d > most) {
		return rt_fail(err, RT_E_USAGE, NULL, NULL, "%s points have 1 to %u dimensions, not %u",
		               points_kind_name(s->kind), most, s->d);
	}
	if (s->n > SIZE_MAX / sizeof(double) / s->d || s->n >> SOBOL_BITS) {
		return rt_fail(err, RT_E_USAGE, NULL, NULL, "%zu points are too many", s->n);
	}
	switch (s->kind) {
	case POINTS_UNIFORM:
	case POINTS_NORMAL:
		fill_independent(s, out);
		return RT_OK;
	case POINTS_SOBOL:
		fill_sobol(s, out);
		return RT_OK;
	case POINTS_HALTON:
	case POINTS_HAMMERSLEY:
		fill_corput(s, out);
		return RT_OK;
	case POINTS_LATIN:
		return fill_latin(s, out, err);
	case POINTS_GRID:
		return fill_grid(s, out, err);
	}
	return rt_fail(err, RT_E_USAGE, NULL, NULL, "there is no such kind of points");
}

static const struct {
	char name[12];
	PointsKind kind;
} kinds[] = {
    {"uniform", POINTS_UNIFORM},       {"sobol", POINTS_SOBOL}, {"halton", POINTS_HALTON},
    {"hammersley", POINTS_HAMMERSLEY}, {"latin", POINTS_LATIN}, {"grid", POINTS_GRID},
    {"normal", POINTS_NORMAL},
};

const char *points_kind_name(PointsKind kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].kind == kind) {
			return kinds[i].name;
		}
	}
	return "unknown";
}

bool points_kind_find(const char *name, PointsKind *kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}
