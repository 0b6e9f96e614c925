/* half.h — 16-bit floating point numbers (private to the runtime). */
#ifndef PNN_RUNTIME_HALF_H
#define PNN_RUNTIME_HALF_H
#include <stdint.h>

double rt_half_to_double(uint16_t bits);     /* IEEE binary16, exact */
double rt_bfloat_to_double(uint16_t bits);   /* the upper half of a binary32, exact */
#endif
