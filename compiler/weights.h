/* weights.h — parameters in safetensors files.
 *
 * A parameter is stored under its path as what the program reads; one whose stored entries are
 * something else (a positive parameter trains its logarithm) has them too, as PATH.stored, so that
 * saving and loading give back the same bits. */
#ifndef PNN_COMPILER_WEIGHTS_H
#define PNN_COMPILER_WEIGHTS_H
#include "compiler/run.h"
#include "runtime/safetensors.h"

/* Writes n parameters. False after E0501. */
bool weights_save(Run *r, Span at, const char *path, uint32_t n, ParamInfo **param);
/* Reads n parameters from a file; every one must be there with its shape, else E0408 says what
 * differs. */
bool weights_load(Run *r, Span at, const char *path, uint32_t n, ParamInfo **param);
/* Shape of a leaf as a tensor over its store (name as given, F64 or I64). */
RtTensor weights_leaf(const Run *r, const char *name, Def leaf);
/* Does the tensor have the leaf's shape? */
bool weights_fit(const Run *r, const RtTensor *t, Def leaf);
/* "[3,4]" of a tensor, in the engine's arena. */
const char *weights_shape(const Run *r, const RtTensor *t);
#endif
