/* gen_stub.c — stands in for parts of the generator that are not there yet; goes when they are. */
#include "compiler/gen.h"
#include <stdlib.h>

__attribute__((weak)) void gen_nest(Gen *g, const GenPlace *w, const Nest *nest)
{
	(void)g, (void)w, (void)nest;
	abort();
}

__attribute__((weak)) void gen_gemm(Gen *g, const GenPlace *w, const Gemm *gemm)
{
	(void)g, (void)w, (void)gemm;
	abort();
}

__attribute__((weak)) void gen_fill(Gen *g, const GenPlace *w, const Fill *fill)
{
	(void)g, (void)w, (void)fill;
	abort();
}

__attribute__((weak)) bool gen_region(Gen *g, const GenPlace *w, uint32_t n, Step *const *step)
{
	(void)g, (void)w, (void)n, (void)step;
	return false;
}

__attribute__((weak)) void gen_code(GenCode *w)
{
	(void)w;
	abort();
}

__attribute__((weak)) int64_t gen_code_faults(Gen *g, const Nest *nest)
{
	(void)g, (void)nest;
	abort();
}

__attribute__((weak)) const char *gen_code_key(Gen *g, const Nest *nest)
{
	(void)g, (void)nest;
	abort();
}
