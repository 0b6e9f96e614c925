/* build.h — a library of the functions that a program exports: object code, a header for C, and on
 * request a module for Fortran and a wrapper for Python. */
#ifndef PNN_COMPILER_BUILD_H
#define PNN_COMPILER_BUILD_H
#include "compiler/run.h"

typedef struct BuildOptions {
	const char *path;     /* .so, .a or .o; NULL: what the statement says */
	const char *cpu;      /* a name of target.h; NULL: host */
	unsigned real_bytes;  /* 8 or 4; 0: as the program says */
	bool external_params; /* parameters are given at run time instead of being part of the code
			       */
	bool fortran, python; /* further files beside the header */
} BuildOptions;

/* The command that links shared libraries for a processor, looked up in PATH. */
const char *build_compiler(const char *cpu);
/* Is a path one of a library (.so, .a, .o)? */
bool build_is_library(const char *path);
/* Builds the library of an export statement from the present values of the parameters. Every file
 * is written whole or not at all. False after a diagnostic (E0227, E0501, E0505, and what planning
 * says). */
bool build_library(Run *r, const Stmt *s, const BuildOptions *options);
#endif
