/* fuzz_safetensors.c — the reader of weights on any bytes: weights whose every element can be read,
 * or a message. */
#include <stdint.h>
#include <stdlib.h>
#include "runtime/rt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	RtWeights *weights;
	RtError err = {.status = RT_OK};
	RtStatus status = rt_safetensors_from_bytes(data, size, "input", &weights, &err);
	if (status == RT_OK ? !weights : weights || !err.text[0] || err.status != status) {
		abort();
	}
	for (size_t i = 0; weights && i < weights->ntensors; i++) {
		size_t count;
		if (!rt_tensor_count(&weights->tensor[i], &count) || count > size) {
			abort();
		}
		double *values = rt_alloc(count, sizeof *values);
		if (values) {
			rt_tensor_reals(&weights->tensor[i], values);
		}
		free(values);
	}
	rt_weights_free(weights);
	return 0;
}
