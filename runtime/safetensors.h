/* safetensors.h — weights and optimiser state. Loading cannot run code and takes no more memory
 * than the file and its header need. Every offset is checked: inside the file, no holes, no
 * overlap, bytes equal to shape times element. */
#ifndef PNN_RUNTIME_SAFETENSORS_H
#define PNN_RUNTIME_SAFETENSORS_H
#include "runtime/array.h"

typedef struct RtMeta {
	const char *key, *value;
} RtMeta;

/* The content of a file; everything in it is owned by it. Tensors are sorted by name, so are the
 * metadata keys. */
typedef struct RtWeights {
	size_t ntensors, nmeta;
	RtTensor *tensor; /* data is aligned for its element and lives as long as the weights */
	RtMeta *meta;
} RtWeights;

/* Writes n tensors and the metadata; tensors are stored sorted by name, so equal content gives
 * equal bytes. Equal names and names that are not UTF-8 are refused (RT_E_USAGE). Atomic. */
RtStatus rt_safetensors_write(const char *path, const RtTensor *tensor, size_t n,
                              const RtMeta *meta, size_t nmeta, RtError *err);
/* Reads path. On RT_OK *weights belongs to the caller (rt_weights_free), otherwise it is NULL. */
RtStatus rt_safetensors_read(const char *path, RtWeights **weights, RtError *err);
RtStatus rt_safetensors_from_bytes(const void *bytes, size_t n, const char *name,
                                   RtWeights **weights, RtError *err);
/* By name, or NULL. */
const RtTensor *rt_weights_tensor(const RtWeights *weights, const char *name);
const char *rt_weights_meta(const RtWeights *weights, const char *key);
/* Copies the elements of t as doubles (any dtype, BOOL as 0 and 1) to out, which has room for all
 * of them. */
void rt_tensor_reals(const RtTensor *t, double *out);
void rt_weights_free(RtWeights *weights);
#endif
