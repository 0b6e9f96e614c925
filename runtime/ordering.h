/* ordering.h — the order of numbers: sorted, ranks, places.
 *
 * Equal numbers keep the order in which they stand (0.0 and -0.0 are equal). Infinities are numbers;
 * a NaN has no place and gives RT_E_DIVERGED. Outputs must not overlap inputs. */
#ifndef PNN_RUNTIME_ORDERING_H
#define PNN_RUNTIME_ORDERING_H
#include "runtime/status.h"
#include <stdint.h>

/* place[k]: where the k-th smallest of v[n] stands, from 0. */
RtStatus ordering_places(size_t n, const double *v, int64_t *place, RtError *err);
RtStatus ordering_sort(size_t n, const double *v, double *sorted, RtError *err);
/* Ranks from 1 to n; equal numbers get the mean of the ranks that they share. */
RtStatus ordering_rank(size_t n, const double *v, double *rank, RtError *err);
#endif
