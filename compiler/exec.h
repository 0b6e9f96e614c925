/* exec.h — what plans run on: threads, the target of compiled code and its cache, shared by all
 * plans of one run. */
#ifndef PNN_COMPILER_EXEC_H
#define PNN_COMPILER_EXEC_H
#include "compiler/jit.h"
#include "compiler/pool.h"

typedef struct Machine Machine;

/* Makes nothing yet: threads are started, targets looked up when they are first needed. NULL if
 * memory is out. */
Machine *machine_create(unsigned threads);
void machine_free(Machine *m); /* NULL is allowed; after the plans that use it */
unsigned machine_threads(const Machine *m);
/* The threads, or NULL if there is one alone (or memory is out). */
Pool *machine_pool(Machine *m);
/* The target, or NULL with a message (malloc). */
const Target *machine_target(Machine *m, char **message);
/* Bytes that the arrays of a program may take: three quarters of the machine's memory; 0 if it does
 * not say. */
size_t machine_memory(void);
/* What to compile for, a name of target.h, instead of the processor at hand; before the first
 * target is asked for. */
void machine_set_target(Machine *m, const char *name);
/* Where objects are kept: opened when the first one is, closed with the machine. Without options:
 * nowhere. */
void machine_set_cache(Machine *m, const CacheOptions *o);
Cache *machine_cache(Machine *m);
#endif
