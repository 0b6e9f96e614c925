/* gen_entry.h — functions of a library around the code of a plan: arguments and results are the
 * caller's arrays, everything else is constant or on the stack. Nothing is allocated and nothing
 * is kept between calls. */
#ifndef PNN_COMPILER_GEN_ENTRY_H
#define PNN_COMPILER_GEN_ENTRY_H
#include "compiler/gen.h"

/* What a leaf of the plan holds when the library's code runs. */
typedef enum {
	ENTRY_NOTHING,   /* never read */
	ENTRY_ARGUMENT,  /* the caller's array number `part` */
	ENTRY_CONSTANT,  /* bytes that are part of the code */
	ENTRY_PARAMETER, /* at `offset` of the caller's parameters */
	ENTRY_RESULT     /* as ENTRY_ARGUMENT, written */
} EntryKind;
typedef struct EntryLeaf {
	EntryKind kind;
	uint32_t part;
	const void *bytes;
	size_t size, offset;
} EntryLeaf;

/* What the fixed part leaves in the memory of blocks (sums over data) is kept behind its static
 * memory: words of 8 bytes. */
typedef struct EntryMove {
	Buffer *buffer;
	size_t from, to, words;
} EntryMove;

/* Code of a plan as a function of its arrays:  i32 name(ptr params, ptr work, ptr part…). */
typedef struct EntryCore {
	Gen *gen;               /* after gen_plan */
	const EntryLeaf *leaf;  /* by Buffer.id */
	uint32_t npart;         /* arguments, then results; imaginary parts behind real ones */
	const bool *writes;     /* by part */
	const uint32_t *output; /* by output of the plan: its part */
	uint64_t seed;
	size_t fixed_words;  /* static memory, moved buffers included */
	const void *fixed;   /* its values, or NULL: at fixed_offset */
	size_t fixed_offset; /* of the caller's parameters */
	uint32_t nmove;
	const EntryMove *move;
} EntryCore;

/* Buffers to be moved, in the arena; *words is the size of the static memory then. */
uint32_t entry_moves(Arena *a, const Plan *p, EntryMove **move, size_t *words);
/* From now on the plan's body reads them there, and there is no fixed part any more. */
void entry_move(Plan *p, uint32_t n, const EntryMove *move);

/* Gives outputs that are whole arrays of their own the caller's memory: before gen_plan. */
void entry_redirect(Plan *plan);
/* Bytes of `work` that core and prepare need. */
size_t entry_work(const Plan *plan);
LLVMValueRef entry_core(const EntryCore *c, const char *name);
/* i32 name(ptr params, ptr work): computes the static memory in the caller's parameters. */
LLVMValueRef entry_prepare(const EntryCore *c, const char *name);

/* An argument or result as the library's caller passes it. */
typedef struct EntryValue {
	bool complex, integer, writes;
	size_t count;  /* elements of one call */
	uint32_t part; /* of the core; the imaginary part is the next one */
} EntryValue;

typedef struct EntryShape {
	const char *name;
	LLVMValueRef core;
	size_t core_work; /* bytes */
	bool params;      /* the first argument */
	bool work;        /* the last argument: scratch memory of the caller's */
	bool many;        /* n, then arrays over all calls */
	size_t calls;     /* many: of one run of the core */
	uint32_t nvalue, npart;
	const EntryValue *value; /* arguments, then results */
} EntryShape;
/* Bytes of scratch memory that the entry takes. */
size_t entry_scratch(const EntryShape *s, unsigned real_bytes);
/* The function that the library's user calls. */
void entry_function(Gen *g, const EntryShape *s);
/* const char *name(void) */
void entry_text(Gen *g, const char *name, const char *text);
#endif
