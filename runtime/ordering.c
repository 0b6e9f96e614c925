/* ordering.c — see ordering.h. */
#include "runtime/ordering.h"
#include <math.h>
#include <stdlib.h>

typedef struct Item {
	double value;
	size_t at;
} Item;

/* Places make the order total, so that qsort's own choices do not show. */
static int by_value(const void *x, const void *y)
{
	const Item *a = x, *b = y;
	if (a->value != b->value) {
		return a->value < b->value ? -1 : 1;
	}
	return a->at < b->at ? -1 : a->at > b->at;
}

/* The numbers with their places in ascending order; NULL after an error. The caller frees them. */
static Item *ordered(size_t n, const double *v, RtStatus *status, RtError *err)
{
	Item *item = rt_alloc(n, sizeof *item);
	if (!item) {
		*status = rt_fail(err, RT_E_MEMORY, NULL, NULL, "not enough memory for %zu numbers",
				  n);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i])) {
			free(item);
			*status = rt_fail(err, RT_E_DIVERGED, NULL, NULL,
					  "element number %zu of the array is not a number", i + 1);
			return NULL;
		}
		item[i] = (Item){v[i], i};
	}
	qsort(item, n, sizeof *item, by_value);
	*status = RT_OK;
	return item;
}

RtStatus ordering_places(size_t n, const double *v, int64_t *place, RtError *err)
{
	RtStatus status;
	Item *item = ordered(n, v, &status, err);
	for (size_t k = 0; item && k < n; k++) {
		place[k] = (int64_t)item[k].at;
	}
	free(item);
	return status;
}

RtStatus ordering_sort(size_t n, const double *v, double *sorted, RtError *err)
{
	RtStatus status;
	Item *item = ordered(n, v, &status, err);
	for (size_t k = 0; item && k < n; k++) {
		sorted[k] = item[k].value;
	}
	free(item);
	return status;
}

RtStatus ordering_rank(size_t n, const double *v, double *rank, RtError *err)
{
	RtStatus status;
	Item *item = ordered(n, v, &status, err);
	for (size_t k = 0, end; item && k < n; k = end) {
		end = k + 1;
		while (end < n && item[end].value == item[k].value) {
			end++;
		}
		for (size_t q = k; q < end; q++) { /* the mean of k + 1, …, end */
			rank[item[q].at] = ((double)k + 1 + (double)end) / 2;
		}
	}
	free(item);
	return status;
}
