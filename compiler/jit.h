/* jit.h — LLVM's services: targets, machine code of a module, loading it into the process.
 * Nothing here knows plans. */
#ifndef PNN_COMPILER_JIT_H
#define PNN_COMPILER_JIT_H
#include "compiler/ir.h"
#include <stddef.h>

typedef struct Target Target; /* a target machine */
/* The processor at hand (name NULL or "host"), or "x86-64", "avx2", "avx512", "aarch64". NULL with a
 * message (malloc, the caller frees) on failure. */
Target *target_create(const char *name, char **message);
void target_free(Target *t);
IrTarget target_ir(const Target *t);
/* Sets triple and data layout; before code is emitted. */
void target_prepare(const Target *t, LLVMModuleRef m);

/* Machine code as an object file (or text of the assembler), malloc; NULL with a message. The module is verified
 * first. */
void *target_emit(const Target *t, LLVMModuleRef m, bool assembly, size_t *size, char **message);

typedef struct JitCode JitCode; /* an object loaded into the process */
typedef struct JitSymbol {
	const char *name;
	void *address;
} JitSymbol;
/* Loads an object; its undefined symbols are found in `symbol` and then in the process. */
JitCode *jit_load(const void *object, size_t size, uint32_t n, const JitSymbol *symbol, char **message);
void *jit_find(JitCode *c, const char *name); /* NULL if there is none */
void jit_free(JitCode *c);

/* What compiling took. */
typedef struct JitStats {
	double verify_ms, codegen_ms, link_ms; /* processor time of the calling thread */
	uint32_t functions, instructions;      /* of the module */
	size_t object_bytes;
	bool cached; /* the object came from the cache: nothing was generated */
} JitStats;

struct Cache; /* cache.h */
typedef struct JitOptions {
	struct Cache *cache; /* where objects are looked up and kept; NULL: nowhere */
} JitOptions;

/* A module's machine code, ready to be called: verified, looked up in the cache or generated and
 * kept there, loaded. Sets the module's triple and layout; the module stays the caller's. options
 * and stats may be NULL. NULL on failure with a message (malloc, the caller frees) that is an
 * internal error; message NULL: not enough memory. */
JitCode *jit_compile(const Target *t, LLVMModuleRef m, const JitOptions *options, uint32_t n,
		     const JitSymbol *symbol, JitStats *stats, char **message);

/* Called with a reason when LLVM cannot go on; it must not return. For the whole process. */
void jit_on_fatal(void (*handler)(const char *reason));
#endif
