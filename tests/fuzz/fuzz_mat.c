/* fuzz_mat.c — the reader of MATLAB files on any bytes: a table or a message, never more memory
 * than the limit. */
#include <stdint.h>
#include <stdlib.h>
#include "runtime/rt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	RtTableOptions options = {.format = RT_MAT};
	RtTable *table;
	RtError err = {.status = RT_OK};
	RtStatus status = rt_table_from_bytes(data, size, "input.mat", &options, &table, &err);
	if (status == RT_OK ? !table : table || !err.text[0] || err.status != status) {
		abort();
	}
	for (size_t i = 0; table && i < table->ncolumns; i++) {
		const RtColumn *c = &table->column[i];
		for (size_t k = 0; c->type == RT_STRING && k < c->count; k++) {
			if (!c->values.string[k]) {
				abort();
			}
		}
		if (c->has_missing && c->first_missing >= c->count) {
			abort();
		}
	}
	rt_table_free(table);
	return 0;
}
