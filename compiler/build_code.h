/* build_code.h — the object code of a library, from plans: what build*.c, which know the program,
 * ask of build_code.c, which knows plans and LLVM. */
#ifndef PNN_COMPILER_BUILD_CODE_H
#define PNN_COMPILER_BUILD_CODE_H
#include "compiler/plan.h"

/* An argument or result of an entry. Results are the plan's outputs in order, a complex one its
 * real and its imaginary part. */
typedef struct CodeValue {
	bool complex, integer, writes;
	size_t count; /* elements of one call */
	Def leaf[2];  /* arguments: what stands for them; 0: nothing reads it */
} CodeValue;

typedef struct CodeForm {
	const char *name; /* symbol */
	Plan *plan;       /* no longer of use to anybody else */
	bool many;        /* n calls at once */
	size_t calls;     /* of one run of the plan */
	uint32_t nvalue;
	const CodeValue *value;
	size_t work;   /* found: bytes of scratch memory that the caller gives; 0: none */
	bool prepares; /* found: something depends on external parameters alone */
} CodeForm;

/* A leaf that is no argument: part of the code, or of the caller's parameters. */
typedef struct CodeLeaf {
	Def def;
	const void *bytes; /* NULL: parameter */
	size_t size, offset;
} CodeLeaf;

typedef struct CodeUnit {
	Arena *arena;
	const char *cpu;
	unsigned real_bytes;
	uint64_t seed;
	uint32_t nform, nleaf;
	CodeForm *form;
	const CodeLeaf *leaf;
	/* external parameters: the symbol that computes what depends on them alone, behind
	 * `prepared` bytes of the caller's struct; NULL: everything is constant */
	const char *prepare;
	size_t prepared;
	size_t prepared_bytes, scratch_bytes; /* found */
	uint32_t ntext;
	const char *const *text_name, *const *text; /* functions that return these texts */
	unsigned long instructions;                 /* found: of the optimised module */
} CodeUnit;

/* Records of a tile of the plan, 0 if it has no tiles. */
int64_t code_width(const Plan *p);
/* Does a call of this plan find room on the stack? */
bool code_fits(const Plan *p);
/* Bytes of scratch memory that a call of a form takes beyond the stack; sets form->work. */
void code_measure(CodeUnit *u);
/* The object file, malloc; NULL with a message (malloc; NULL: memory is out). */
void *code_object(CodeUnit *u, size_t *size, char **message);
#endif
