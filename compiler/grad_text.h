/* grad_text.h — expressions of the core as readable mathematics, text or LaTeX; used by
 * grad_print.c. */
#ifndef PNN_COMPILER_GRAD_TEXT_H
#define PNN_COMPILER_GRAD_TEXT_H
#include "lang/core.h"

/* Loosest first; an operand that binds less tightly than its place asks for stands in brackets. */
typedef enum {
	TIGHT_CHOICE,
	TIGHT_LOGIC,
	TIGHT_COMPARE,
	TIGHT_SUM,
	TIGHT_PRODUCT,
	TIGHT_POWER,
	TIGHT_ATOM
} Tightness;

typedef struct GradName {
	Index index;
	const char *name;
} GradName;

typedef struct GradText {
	Core *c;
	Arena *a;
	bool latex;
	const char **name;    /* of definitions, by number */
	const bool *in_place; /* reductions that are written where they are read */
	GradName *index;      /* of the line being written */
	size_t nindex, indexcap;
	Node *part; /* expressions too deep to write in place: named part1, part2, … */
	size_t npart, partcap;
	unsigned depth;
} GradText;

/* The text of n, in brackets if it binds less tightly than least. In the arena. */
const char *grad_text(GradText *t, Node n, Tightness least);
/* The body of a reduction over its bound indices. */
const char *grad_text_reduction(GradText *t, Def d, Tightness least);
/* The name of an index variable, distinct within the line. */
const char *grad_text_index(GradText *t, Index i);
/* name[i, …], or with subscripts. */
const char *grad_text_read(GradText *t, Def d, uint32_t n, const char *const *args);
/* A label of an axis: its name or its number. */
const char *grad_text_label(GradText *t, Axis a, int64_t label);
/* How LaTeX writes the name of a definition: Greek letters, bars of adjoints, superscripts of
 * tangents. */
const char *grad_text_latex_name(Arena *a, const char *name);
#endif
