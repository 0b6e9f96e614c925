/* half.c — 16-bit floating point numbers. */
#include "runtime/half.h"
#include <math.h>
#include <string.h>

double rt_half_to_double(uint16_t bits)
{
	unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
	double size = 0;
	if (exponent == 31) {
		size = fraction ? (double)NAN : (double)INFINITY;
	} else if (exponent == 0) {
		size = ldexp(fraction, -24);
	} else {
		size = ldexp(1024 + fraction, (int)exponent - 25);
	}
	return bits >> 15 ? -size : size;
}

double rt_bfloat_to_double(uint16_t bits)
{
	uint32_t wide = (uint32_t)bits << 16;
	float x;
	memcpy(&x, &wide, sizeof x);
	return (double)x;
}
