/* lapack.h — LAPACK and BLAS, loaded when they are first needed.
 *
 * OpenBLAS looks at the processor, reserves memory and makes threads when it is loaded: several
 * milliseconds, which a run that needs no linear algebra should not pay. So the libraries are not
 * linked; their headers give the types, and the dynamic linker keeps what it loaded (nothing is kept
 * here). */
#ifndef PNN_RUNTIME_LAPACK_H
#define PNN_RUNTIME_LAPACK_H
#include <cblas.h>
#include <lapacke.h>
#include <stdbool.h>

/* Loads the libraries unless that was done, and holds OpenBLAS to one thread, for the same bits on
 * every run. False if they are not installed, or lack a routine. */
bool lapack_ready(void);
/* A routine by name; not NULL after lapack_ready for those of LAPACK() and BLAS() in linalg.c. */
void *lapack_routine(const char *name);

#define LAPACK(name) ((__typeof__(&LAPACKE_##name))lapack_routine("LAPACKE_" #name))
#define BLAS(name) ((__typeof__(&cblas_##name))lapack_routine("cblas_" #name))
#endif
