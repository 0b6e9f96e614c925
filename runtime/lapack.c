/* lapack.c — see lapack.h. */
#include "runtime/lapack.h"
#include <dlfcn.h>
#include <stddef.h>

/* OpenBLAS stands in the global scope, so that LAPACKE's own calls of LAPACK find OpenBLAS's faster
 * routines before those of the reference library. */
static void *library(bool lapacke)
{
	void *blas = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
	void *l = lapacke && blas ? dlopen("liblapacke.so.3", RTLD_LAZY | RTLD_NODELETE) : blas;
	/* The count of users is of no interest: RTLD_NODELETE keeps both. */
	if (l) {
		dlclose(l);
	}
	if (lapacke && blas) {
		dlclose(blas);
	}
	return l;
}

void *lapack_routine(const char *name)
{
	void *l = library(name[0] == 'L');
	return l ? dlsym(l, name) : NULL;
}

bool lapack_ready(void)
{
	static const char *const NEEDED[] = {
		"LAPACKE_dgeqrf", "LAPACKE_dorgqr", "LAPACKE_dsyevd", "LAPACKE_dgeev", "LAPACKE_dgesdd", "LAPACKE_dgetrf",
		"LAPACKE_dgecon", "LAPACKE_dgetrs", "LAPACKE_dgelsd", "LAPACKE_dpotrf", "cblas_dgemm"};
	void (*threads)(int) = (void (*)(int))lapack_routine("openblas_set_num_threads");
	bool all = threads != NULL;
	for (size_t k = 0; all && k < sizeof NEEDED / sizeof *NEEDED; k++) {
		all = lapack_routine(NEEDED[k]) != NULL;
	}
	if (all) {
		threads(1);
	}
	return all;
}
