/* build_int.h — what the files of build share: the library as it will be seen from outside. */
#ifndef PNN_COMPILER_BUILD_INT_H
#define PNN_COMPILER_BUILD_INT_H
#include "compiler/build.h"
#include "compiler/build_code.h"
#include "compiler/run_int.h"

typedef enum { BUILD_SO, BUILD_A, BUILD_O } BuildKind;

/* An argument or result of an exported function. */
typedef struct LibValue {
	const ExportValue *of;
	const char *name; /* identifier, the same in all languages */
	const char *text; /* as the program calls it */
	const char *unit; /* "" for numbers */
	uint32_t rank;
	size_t *dim;
	const char **axis; /* names of the axes */
	size_t count;      /* elements of one call */
} LibValue;

typedef struct LibForm {
	Plan *plan;
	size_t calls; /* of one run of the plan */
	size_t work;  /* bytes that the caller gives; 0: the stack serves */
} LibForm;

typedef struct LibFn {
	const ExportFn *fn;
	const char *name; /* C symbol of one call; NAME_batch is for many */
	const char *text; /* as the program calls it */
	LibValue *arg, *result;
	LibForm form[EXPORT_FORMS];
	Def (*value)[EXPORT_FORMS]
		    [2]; /* of each result, real and imaginary part: what is planned */
} LibFn;

/* A parameter that the functions read; with external parameters a member of the library's struct.
 */
typedef struct LibParam {
	const ParamInfo *param;
	const char *name, *tensor; /* member; name in a file of weights */
	Def copy;                  /* the present values as data: what they give is computed once */
	uint32_t rank;
	size_t *dim;
	size_t count;
} LibParam;

typedef struct Library {
	Run *r;
	Arena *arena;
	const BuildOptions *options;
	const ExportInfo *info;
	Span span;
	BuildKind kind;
	const char *path,
		*stem; /* stem: path without extension and leading lib, for the other files */
	const char *name, *macro; /* prefix of all names, and of macros */
	const char *hash, *source;
	unsigned real_bytes;
	uint32_t nfn;
	LibFn *fn;
	uint32_t nparam;
	LibParam *param;
	/* leaves of the program that the functions read and the copies that stand for them */
	uint32_t nleaf;
	Def *leaf, *copy;
	size_t params_bytes,
		prepared_bytes; /* of the struct: the entries, and what is made of them */
	size_t scratch_bytes;
} Library;

/* ---- build_name.c */
/* An identifier of C, Fortran and Python made of a name: Greek letters are spelled, what is neither
 * letter nor digit becomes _. In the arena. */
const char *build_identifier(Arena *a, const char *name);
/* The same, different from the n others in any case of letters. */
const char *build_unique(Arena *a, const char *name, uint32_t n, const char *const *others);
/* Names, sizes and units of everything. False after a diagnostic. */
bool build_describe(Library *l);

/* ---- build_plan.c */
/* Copies of the leaves, and a plan for every function and form. False after a diagnostic. */
bool build_plans(Library *l);
void build_plans_free(Library *l);
/* Is the leaf a parameter of the library (external ones alone)? NULL if not. */
const LibParam *build_param_of(const Library *l, Def copy);

/* The object file, malloc; NULL after a diagnostic. */
void *build_object(Library *l, size_t *size);

/* ---- build_archive.c */
/* A library for linkers with one object in it, in the form of ar; malloc, NULL if memory is out. */
void *build_archive(const char *member, const void *object, size_t size, uint32_t n,
		    const char *const *symbol, size_t *out);
/* ---- build_link.c */
/* A shared library from an object through the system's compiler. False after a diagnostic. */
bool build_shared(Library *l, const void *object, size_t size);

/* ---- build_header.c, build_loader.c, build_fortran.c, build_python.c: texts */
void build_header(const Library *l, FILE *out);
void build_loader(const Library *l, FILE *out);
void build_fortran(const Library *l, FILE *out);
void build_python(const Library *l, FILE *out);
/* "real[3] 'eV'": what a value is, for comments. */
const char *build_type_text(const Library *l, const LibValue *v);
bool build_is_integer(const LibValue *v);
#endif
