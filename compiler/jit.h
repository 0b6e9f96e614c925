/* jit.h — machine code of a module, loaded into the process. Nothing here knows plans. */
#ifndef PNN_COMPILER_JIT_H
#define PNN_COMPILER_JIT_H
#include "compiler/cache.h"
#include "compiler/target.h"

typedef struct JitCode JitCode; /* an object loaded into the process */
typedef struct JitSymbol {
	const char *name;
	void *address;
} JitSymbol;
/* Loads an object; its undefined symbols are found in `symbol` and then in the process. `entry`
 * names a symbol of its own, whose absence is a failure (NULL: nothing is linked before the first
 * jit_find). NULL with a message (malloc, the caller frees; NULL if memory is out). */
JitCode *jit_load(const void *object, size_t size, const char *entry, uint32_t n, const JitSymbol *symbol,
		  char **message);
/* The address of a symbol, or NULL if there is none or an undefined one was not found. */
void *jit_find(JitCode *c, const char *name);
void jit_free(JitCode *c); /* NULL is allowed */

/* What compiling took. */
typedef struct JitStats {
	double verify_ms, key_ms, codegen_ms, link_ms; /* processor time of the calling thread */
	uint32_t functions, instructions;	       /* of the module */
	size_t object_bytes;
	bool cached; /* the object came from the cache: nothing was generated */
} JitStats;

typedef struct JitOptions {
	Cache *cache; /* where objects are looked up and kept; NULL: nowhere */
} JitOptions;

/* A module's machine code, ready to be called (functions seen from outside are taken as mere callers
 * of the others and compiled in the quickest way): looked up in the cache, or verified, generated and
 * kept there; loaded. Sets the module's triple and layout; the module stays the caller's, of no
 * more use than to be disposed of. options and stats may be NULL. NULL on failure with a message
 * (malloc, the caller frees) that is an internal error; message NULL: not enough memory. */
JitCode *jit_compile(const Target *t, LLVMModuleRef m, const JitOptions *options, uint32_t n,
		     const JitSymbol *symbol, JitStats *stats, char **message);
#endif
