/* unit_scale.c — factors between units, from exact definitions.
 * A factor is a quotient of two integers (times a power of pi, or a root of it): it is worked out
 * in whole numbers of any length and rounded once, so that eV/meV is 1000 and Å/nm the double next
 * to 0.1. */
#include "lang/unit_int.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { EXACT_BITS = 1 << 16, EXACT_ROOT = 12 };
static const long double PI = 3.14159265358979323846264338327950288L;

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;
		a = b;
		b = r;
	}
	return a;
}

static Scale scale_reduce(Scale s)
{
	uint64_t g = gcd(s.num, s.den);
	s.num /= g;
	s.den /= g;
	for (; s.num % 10 == 0; s.num /= 10) {
		s.ten++;
	}
	for (; s.den % 10 == 0; s.den /= 10) {
		s.ten--;
	}
	return s;
}

Scale scale_decimal(uint64_t mantissa, int32_t ten)
{
	assert(mantissa);
	return scale_reduce((Scale){mantissa, 1, ten, 0});
}

static uint64_t times(uint64_t a, uint64_t b)
{
	assert(a <= UINT64_MAX / b);
	return a * b;
}

Scale scale_times(Scale a, Scale b, int32_t e)
{
	if (e < 0) {
		b = (Scale){b.den, b.num, -b.ten, -b.pi};
		e = -e;
	}
	for (; e; e--) {
		uint64_t g = gcd(a.num, b.den), h = gcd(b.num, a.den);
		a = scale_reduce((Scale){times(a.num / g, b.num / h), times(a.den / h, b.den / g),
					 a.ten + b.ten, a.pi + b.pi});
	}
	return a;
}

/* ---- whole numbers of any length ---- */

typedef struct Big {
	uint64_t *limb;
	uint32_t n;
} Big; /* lowest limb first, no zero on top, room for what is done */

static void big_mul(Big *b, uint64_t m)
{
	uint64_t carry = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		unsigned __int128 t = (unsigned __int128)b->limb[i] * m + carry;
		b->limb[i] = (uint64_t)t;
		carry = (uint64_t)(t >> 64);
	}
	if (carry) {
		b->limb[b->n++] = carry;
	}
}

static int64_t big_bits(const Big *b)
{
	return (int64_t)b->n * 64 - __builtin_clzll(b->limb[b->n - 1]);
}

static void big_shift_up(Big *b, int64_t by)
{
	uint32_t limbs = (uint32_t)(by / 64);
	if (limbs) {
		memmove(b->limb + limbs, b->limb, b->n * sizeof *b->limb);
		memset(b->limb, 0, limbs * sizeof *b->limb);
		b->n += limbs;
	}
	big_mul(b, UINT64_C(1) << (by % 64));
}

static void big_halve(Big *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		b->limb[i] = b->limb[i] >> 1 | (i + 1 < b->n ? b->limb[i + 1] << 63 : 0);
	}
	if (b->n && b->limb[b->n - 1] == 0) {
		b->n--;
	}
}

/* a -= b where that is not negative; false where it would be. */
static bool big_take(Big *a, const Big *b)
{
	if (a->n < b->n) {
		return false;
	}
	uint32_t i = a->n;
	while (a->n == b->n && i && a->limb[i - 1] == b->limb[i - 1]) {
		i--;
	}
	if (a->n == b->n && i && a->limb[i - 1] < b->limb[i - 1]) {
		return false;
	}
	uint64_t borrow = 0;
	for (i = 0; i < a->n; i++) {
		uint64_t y = i < b->n ? b->limb[i] : 0, x = a->limb[i];
		a->limb[i] = x - y - borrow;
		borrow = x < y || (x == y && borrow);
	}
	while (a->n && a->limb[a->n - 1] == 0) {
		a->n--;
	}
	return true;
}

/* num/den = quotient * 2^exponent, the quotient of 63 or 64 bits with its last bit set where
 * something is cut off: its conversion to double rounds correctly. Uses up both numbers. */
static uint64_t big_quotient(Big *num, Big *den, int64_t *exponent)
{
	int64_t up = 63 - (big_bits(num) - big_bits(den));
	if (up > 0) {
		big_shift_up(num, up);
	} else {
		big_shift_up(den, -up);
	}
	*exponent = -up;
	uint64_t q = 0;
	big_shift_up(den, 63);
	for (int bit = 63; bit >= 0; bit--) {
		if (big_take(num, den)) {
			q |= UINT64_C(1) << bit;
		}
		big_halve(den);
	}
	return num->n ? q | 1 : q;
}

/* ---- the product ---- */

static void big_mul_power(Big *b, uint64_t m, int64_t e)
{
	for (; m != 1 && e > 0; e--) {
		big_mul(b, m);
	}
}

static int64_t bits_of(uint64_t m)
{
	return m == 1 ? 0 : 64 - __builtin_clzll(m);
}

/* By logarithms: for exponents that no one writes. */
static double value_by_logarithms(uint32_t n, const ScalePower *p)
{
	long double sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		const Scale *s = &p[i].scale;
		long double l = logl((long double)s->num) - logl((long double)s->den) +
				s->ten * logl(10) + s->pi * logl(PI);
		sum += l * p[i].e.num / p[i].e.den;
	}
	return (double)expl(sum);
}

/* (q * 2^exponent * pi^pi)^(1/root) */
static double value_rounded(uint64_t q, int64_t exponent, int64_t pi, int64_t root)
{
	if (root == 1 && pi == 0) {
		return ldexp((double)q, (int)exponent);
	}
	int64_t low = ((exponent % root) + root) % root;
	long double x = ldexpl((long double)q, (int)low);
	x = root == 1   ? x
	    : root == 2 ? sqrtl(x)
	    : root == 3 ? cbrtl(x)
			: powl(x, 1 / (long double)root);
	x *= powl(PI, (long double)pi / (long double)root);
	return (double)ldexpl(x, (int)((exponent - low) / root));
}

double scale_value(Arena *scratch, uint32_t n, const ScalePower *p)
{
	uint64_t root = 1;
	for (uint32_t i = 0; i < n && root <= EXACT_ROOT; i++) {
		root *= (uint64_t)p[i].e.den / gcd(root, (uint64_t)p[i].e.den);
	}
	int64_t bits = 0, ten = 0, pi = 0;
	for (uint32_t i = 0; i < n && root <= EXACT_ROOT; i++) {
		int64_t e = p[i].e.num * (int64_t)root / p[i].e.den;
		bits += (bits_of(p[i].scale.num) + bits_of(p[i].scale.den)) * (e < 0 ? -e : e);
		ten += p[i].scale.ten * e;
		pi += p[i].scale.pi * e;
	}
	bits += 4 * (ten < 0 ? -ten : ten);
	if (root > EXACT_ROOT || bits > EXACT_BITS) {
		return value_by_logarithms(n, p);
	}
	ArenaMark mark = arena_mark(scratch);
	uint32_t room = (uint32_t)(2 * bits / 64 + 8);
	Big num = {arena_array(scratch, uint64_t, room), 1},
	    den = {arena_array(scratch, uint64_t, room), 1};
	num.limb[0] = den.limb[0] = 1;
	for (uint32_t i = 0; i < n; i++) {
		int64_t e = p[i].e.num * (int64_t)root / p[i].e.den;
		big_mul_power(e < 0 ? &den : &num, p[i].scale.num, e < 0 ? -e : e);
		big_mul_power(e < 0 ? &num : &den, p[i].scale.den, e < 0 ? -e : e);
	}
	big_mul_power(ten < 0 ? &den : &num, 10, ten < 0 ? -ten : ten);
	int64_t exponent;
	uint64_t q = big_quotient(&num, &den, &exponent);
	arena_release(scratch, mark);
	return value_rounded(q, exponent, pi, (int64_t)root);
}
