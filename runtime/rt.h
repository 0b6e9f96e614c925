/* rt.h — the one header of the runtime: what a running program needs and knows nothing of programs.
 *
 * Nothing here prints, exits or keeps mutable state between calls (OpenBLAS's thread count is
 * the only exception). What can fail returns an RtStatus and fills the caller's RtError
 * (status.h). */
#ifndef PNN_RUNTIME_RT_H
#define PNN_RUNTIME_RT_H
#include "runtime/array.h"       /* NPY, NPZ, CSV out */
#include "runtime/file.h"        /* whole files in, atomic files out */
#include "runtime/hash.h"        /* SHA-256 */
#include "runtime/linalg.h"      /* qr, eigh, svd, solve, expm */
#include "runtime/metrics.h"     /* JSON lines */
#include "runtime/number.h"      /* numbers as text */
#include "runtime/points.h"      /* Sobol', Halton, Latin hypercube, grids */
#include "runtime/rng.h"         /* addressed random numbers */
#include "runtime/safetensors.h" /* weights */
#include "runtime/status.h"      /* errors */
#include "runtime/table.h"       /* CSV, NPY, NPZ, XYZ in */
#include "runtime/vmath.h"       /* elementary functions of arrays */
#endif
