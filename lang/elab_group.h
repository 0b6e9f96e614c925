/* elab_group.h — the definitions of one name, while they wait to be elaborated: what elab_def.c and
 * elab_sides.c share. */
#ifndef PNN_LANG_ELAB_GROUP_H
#define PNN_LANG_ELAB_GROUP_H
#include "lang/elab_int.h"

typedef enum { GROUP_NEW, GROUP_BUSY, GROUP_DONE } GroupState;
struct Group {
	Sym name;
	Scope *scope;
	Span span;
	const Ast **piece; /* DEF nodes of this name */
	size_t n, cap;
	GroupState state;
	Val val;
	/* while a set that needs each other is made */
	uint32_t rank; /* written indices */
	AxisRef *axis; /* of each written index */
	uint32_t set;   /* number of the set of definitions that need each other */
	uint32_t nneed; /* definitions of the scope that the right sides mention */
	Group **need;
	uint32_t visit, tried; /* of group_needs_first */
	AxisRef *hint;         /* axes found for others before the definition was made */
	bool by;        /* grad(z, y) with y = 3: the name is a variable, not the number */
	bool guess;     /* elem is taken to be int until a piece is something else */
	bool recursive; /* it needs itself, or others that need it */
	Def re, im;
	Elem elem;
	UnitId unit;
	uint32_t nextra; /* axes of array-valued right sides, after the written ones */
	AxisRef *extra;
	Val *body;   /* of each piece */
	Index **own; /* index variables bound in each piece, 0 for fixed positions */
	int64_t **fixed;
};

typedef struct Binding {
	const struct Binding *outer;
	const Ast *binders;
} Binding;
/* Is the name one of an index that is bound around? */
bool bound_by(const Binding *b, Sym name);
/* A position of a left side that binds an index, not one that is fixed by a number, a label or a
 * const. */
bool group_binds(Elab *e, const Group *g, const Ast *arg);
/* The axis of a written position, seen from what the right sides read; quiet. */
bool group_axis_from_bodies(Elab *e, Group *g, uint32_t p, AxisRef *out);
/* The same, seen from the reads of the name elsewhere in its scope. */
bool group_axis_from_uses(Elab *e, Group *g, uint32_t p, AxisRef *out);
/* Free indices are the same on both sides of every piece; E0203 otherwise. */
bool group_sides_agree(Elab *e, Group *g);
/* Is the name used where only ints can stand: as an operand of bits and div, or as a place? */
bool group_is_integral(Elab *e, const Group *g);
/* The definitions that wait and need each other with g, g first; g->recursive tells if there are
 * any, or if it needs itself. */
size_t group_cycle(Elab *e, Group *g, Group ***out);
/* What g needs in its scope is made first. */
void group_needs_first(Elab *e, Group *g);
/* Does the text hold the name? */
bool group_text_mentions(const Ast *ast, Sym name);
/* The axes of the written indices of definitions that need each other: what one finds helps the
 * next. */
bool group_find_axes(Elab *e, Group **set, size_t n);
/* Binds the written indices of one piece in the scope; fixed positions become numbers. */
bool group_bind_piece(Elab *e, Group *g, size_t piece, Scope *in);
Val group_piece_value(Elab *e, Group *g, size_t piece, Scope *in);
/* The group is done and its name means v. */
Val group_finish(Elab *e, Group *g, Val v);

/* Definitions that need each other, over the context indices ctx. */
typedef struct Cycle {
	Elab *e;
	Group **g;
	size_t n;
	uint32_t nctx;
	Index *ctx;
	bool integral; /* one of them stands where ints are needed */
	bool again;
} Cycle;
void group_recurrence(Cycle *c);
#endif
