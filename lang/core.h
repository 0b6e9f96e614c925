/* core.h — the middle of the compiler: a program as a system of definitions in index form.
 *
 * A definition is  name[i, j, …] = scalar expression  over formal indices; an expression node is a scalar with a set of
 * free indices. Arrays exist only as definitions; `name[index expressions]` reads them. A reduction (sum, max, …) is a
 * definition without a user's name whose value is reduced over bound indices: expressions never contain a binder, so
 * substitution cannot capture. Batching, recurrences, derivatives, scatter-adds are all such definitions.
 *
 * Nodes are immutable, hash-consed and numbered so that arguments precede their users. Index variables are unique numbers:
 * two definitions never share one. Every value is real, int or bool (complex values are pairs made by elaboration).
 * Numeric coefficients live in LIN (constant + sum of coefficient*term) and PROD (product of base^integer): both are
 * flattened and ordered by structure, never by time of creation, so a program means the same bits wherever it is compiled. */
#ifndef PNN_LANG_CORE_H
#define PNN_LANG_CORE_H
#include <stdbool.h>
#include "lang/arena.h"
#include "lang/diag.h"
#include "lang/intern.h"
#include "lang/source.h"

typedef uint32_t Node;   /* 0: none (in derivatives: zero) */
typedef uint32_t Def;    /* 0: none */
typedef uint32_t Axis;   /* 0: none */
typedef uint32_t Index;  /* index variable; 0: none */
typedef uint32_t UnitId; /* lang/unit.h; 0: a pure number */
typedef struct Core Core;

typedef enum { KIND_REAL, KIND_INT, KIND_BOOL } Kind;

/* ---- axes --------------------------------------------------------------------------------------------------------- */
enum {
	AXIS_PERIODIC = 1, /* reads wrap around */
	AXIS_SAMPLES = 2,  /* records of data, points, batches: the plan may cut it into tiles */
	AXIS_ANONYMOUS = 4 /* structural: of an array literal or join; equal iff equal length */
};
typedef struct AxisInfo {
	Sym name;
	Span span;
	int64_t first; /* label value of position 0 */
	int64_t size;  /* -1: not known before the run (core_axis_resize) */
	unsigned flags;
	uint32_t nlabel; /* >0: label names by position; first is 0 */
	Sym *label;
	Def length; /* ragged: int definition length[record] of valid positions, else 0; size is then the maximum */
} AxisInfo;

Axis core_axis(Core *c, AxisInfo info);
/* The structural axis of that length, always the same one. */
Axis core_axis_anonymous(Core *c, int64_t size);
const AxisInfo *core_axis_info(const Core *c, Axis a);
void core_axis_resize(Core *c, Axis a, int64_t size);
uint32_t core_axis_count(const Core *c); /* axes are 1..count */

/* ---- index variables ---------------------------------------------------------------------------------------------- */
Index core_index(Core *c, Axis axis, Sym name); /* fresh; runs over the axis exactly, and conditions are decided by that */
/* Fresh, for formals of definitions whose boxes reach beyond the axis: nothing is concluded from the axis' range. */
Index core_index_wide(Core *c, Axis axis, Sym name);
Index core_index_like(Core *c, Index i); /* fresh, with axis, name and width of i */
Axis core_index_axis(const Core *c, Index i);
Sym core_index_name(const Core *c, Index i);

/* ---- nodes ---------------------------------------------------------------------------------------------------------- */
typedef enum {
	NODE_NONE,
	NODE_CONST,  /* number: num (real), integer (int, bool) */
	NODE_INDEX,  /* label value of an index variable, an int */
	NODE_SIZE,   /* number of elements of an axis, an int, known at the plan */
	NODE_READ,   /* def[arg…]; args are int nodes in label values of the formal's axis; a bool/real/int of def's kind */
	NODE_LIN,    /* num + Σ coef[k]*arg[k]; real or int */
	NODE_PROD,   /* Π arg[k]^expo[k], expo a nonzero integer; real (or int with positive exponents) */
	NODE_OP,     /* op(arg…), row of ops.def */
	NODE_SELECT, /* if arg0 then arg1 else arg2; what is not selected is not looked at */
	NODE_GUARD,  /* [arg0] arg1: arg1 where arg0 holds, else zero, strictly: zero even where arg1 is inf or NaN */
	NODE_RANDOM, /* addressed draw: op is RANDOM_UNIFORM or RANDOM_NORMAL; arg… are the address after (seed, stream, step) */
	NODE_STOP,   /* arg0, with derivative zero */
	NODE_D       /* ∂ arg0 / ∂ arg1; arg1 is a NODE_READ of the variable. Gone after the deriv pass */
} NodeTag;
enum { RANDOM_UNIFORM, RANDOM_NORMAL };        /* (0,1); standard normal */
enum { RANDOM_EACH_STEP = 1 };                 /* flag: the step counter is part of the address (else 0) */

typedef struct NodeInfo {
	uint8_t tag;  /* NodeTag */
	uint8_t kind; /* Kind */
	uint16_t op;  /* Op, or RANDOM_… */
	uint32_t n;   /* arguments */
	const Node *arg;
	const double *coef;  /* LIN */
	const int32_t *expo; /* PROD */
	double num;          /* CONST real, LIN constant */
	int64_t integer;     /* CONST int or bool; LIN of ints: exact constant; RANDOM: stream number; D: unused */
	uint32_t ref;        /* READ: Def; INDEX: Index; SIZE: Axis; RANDOM: flags */
	Span span;           /* first occurrence; not part of equality */
} NodeInfo;

/* Valid until the next node is made: copy what you need before constructing. */
const NodeInfo *core_node(const Core *c, Node n);
uint32_t core_node_count(const Core *c); /* nodes are 1..count */

/* Spans of nodes made from now on (elaboration sets it as it walks). */
void core_at(Core *c, Span at);

/* Smart constructors: fold constants, flatten, collect, order operands, apply the local exact rules. Arguments must be of
 * fitting kinds (asserted); int operands of real operations are wrapped in OP_real by core_real. */
Node core_real_const(Core *c, double v);
Node core_int_const(Core *c, int64_t v);
Node core_bool_const(Core *c, bool v);
Node core_index_value(Core *c, Index i);
Node core_size(Core *c, Axis a);
Node core_read(Core *c, Def d, const Node *args); /* as many as d has formals */
Node core_read_plain(Core *c, Def d, const Index *args);
Node core_add(Core *c, Node a, Node b);
Node core_sub(Core *c, Node a, Node b);
Node core_neg(Core *c, Node a);
Node core_scale(Core *c, double k, Node a);
Node core_lin(Core *c, Kind kind, double constant, uint32_t n, const double *coef, const Node *arg);
Node core_mul(Core *c, Node a, Node b);
Node core_div(Core *c, Node a, Node b); /* real */
Node core_powi(Core *c, Node a, int32_t e);
Node core_pow(Core *c, Node a, Node b); /* integer constant exponents become PROD, else OP_pow */
Node core_op(Core *c, uint16_t op, const Node *args);
Node core_op1(Core *c, uint16_t op, Node a);
Node core_op2(Core *c, uint16_t op, Node a, Node b);
Node core_real(Core *c, Node a); /* int or real to real */
Node core_select(Core *c, Node cond, Node yes, Node no);
Node core_guard(Core *c, Node cond, Node a);
Node core_random(Core *c, uint16_t kind, int64_t stream, uint32_t flags, uint32_t n, const Node *address);
Node core_stop(Core *c, Node a);
Node core_d(Core *c, Node of, Node variable);
static inline Kind core_kind(const Core *c, Node n) { return (Kind)core_node(c, n)->kind; }
bool core_is_const(const Core *c, Node n, double *value); /* a numeric CONST of any kind */
/* Did folding of ints overflow since the last call? (The folded value then wrapped around.) */
bool core_int_overflow(Core *c);

/* ---- definitions ---------------------------------------------------------------------------------------------------- */
typedef enum {
	DEF_VALUE,     /* pieces */
	DEF_REDUCTION, /* one piece, reduced over bound indices */
	DEF_CONST,     /* a named constant: one piece, no indices; stays a symbol until the plan */
	DEF_PARAM,     /* leaf: trained */
	DEF_DATA,      /* leaf: loaded, simulated or sampled arrays */
	DEF_RUNTIME    /* leaf: set by the running program (step, sweep variable, optimiser state, random test point) */
} DefRole;
typedef enum {
	RED_NONE, RED_SUM, RED_PROD, RED_MAX, RED_MIN, RED_LOGSUMEXP, RED_ARGMAX, RED_ARGMIN, RED_ALL, RED_ANY,
	/* operations on whole arrays: lang/matrix.h */
#define MATRIX(id, name, word, nbound, nresult, integer) RED_##id,
#include "lang/matrix.def"
} RedKind;
/* Empty reductions: sum 0, prod 1, max -inf, min +inf, logsumexp -inf, argmax/argmin the axis' first, all true, any false.
 * A filter is made by core_filter: for sums a guard, for the others `if c then e else neutral element`. A guard in a body
 * is zero where it fails, as everywhere: max[j] (if c then e else 0) and max[j if c](e) are different things. */

typedef enum { EDGE_AT, EDGE_FIRST, EDGE_LAST } EdgeKind; /* label value; axis' first label + offset; last label + offset */
typedef struct Edge { EdgeKind kind; int64_t offset; } Edge;
typedef struct Range { Edge lo, hi; } Range; /* inclusive; the whole axis is {FIRST,0},{LAST,0} */
enum { CORE_BESIDE = 64 }; /* a box may reach so many places beyond its axis */
typedef struct Piece {
	Range *box; /* one range per formal; NULL: the whole axes */
	Node value;
} Piece;
enum {
	DEF_ZERO_OUTSIDE = 1, /* reads outside the pieces are zero (adjoints); else they are an error */
	DEF_SPIN = 2,         /* values are ±1: squares simplify to 1 */
	DEF_VARIABLE = 4,     /* an alias kept apart because something is differentiated by it; dissolved after deriv */
	DEF_USER = 8,         /* the name was written by the user: keep it in dumps, never inline it away in `grad` */
	DEF_KEEP = 16         /* an output: not removed as dead */
};
/* A derivative rule of the user's: dd = Σ_k partial[k] * d(arg[k]) instead of differentiating the value. Over d's formals. */
typedef struct Rule { uint32_t n; Node *arg, *partial; } Rule;

typedef struct DefInfo {
	DefRole role;
	Sym name;
	Span span;
	Kind kind;
	UnitId unit;
	uint32_t nindex;
	Index *index; /* formals, owned by this definition alone */
	RedKind red;
	uint32_t nbound;
	Index *bound;
	uint32_t npiece;
	Piece *piece; /* first match wins */
	unsigned flags;
	Rule *rule;
} DefInfo;

/* Adds a definition. Arrays are copied. Formals (and bounds) of the body are the given index variables, which must not
 * be used by another definition. No merging: see core_share. */
Def core_define(Core *c, DefInfo info);
/* Adds pieces to a definition made without (recurrences: the name must be readable first). */
void core_set_pieces(Core *c, Def d, uint32_t n, const Piece *pieces);
const DefInfo *core_def(const Core *c, Def d); /* valid until the next definition is made */
DefInfo *core_def_mutable(Core *c, Def d);     /* for flags, names, rules */
uint32_t core_def_count(const Core *c);        /* definitions are 1..count, in order of creation */

/* A leaf with fresh formals over the given axes. */
Def core_leaf(Core *c, DefRole role, Sym name, Span span, Kind kind, UnitId unit, uint32_t n, const Axis *axes);

/* name[formals] = body as a definition whose formals replace the given free indices (fresh copies are made, body may go on
 * being used). Every free index of the body must be given. An equal definition (up to renaming, same order of indices, same
 * role) is returned instead of a new one; it keeps its first name. The usual way to share. */
Def core_share(Core *c, Sym name, Span span, uint32_t n, const Index *indices, Node body, unsigned flags);
/* Reduction of body over bound; free indices of the body become formals in structural order. Merged with equal ones; local
 * rules apply (factors without bound indices leave a sum, unused bound index of a sum is a factor size, one-point filters,
 * guards without bound indices leave). Returns a node: the read of the reduction, perhaps times something. */
Node core_reduce(Core *c, RedKind red, Sym name, Span span, uint32_t nbound, const Index *bound, Node body);

/* The body of a reduction with a filter: elements where cond fails are left out. */
Node core_filter(Core *c, RedKind red, Node cond, Node body);

/* ---- walking ---------------------------------------------------------------------------------------------------------- */
/* Free indices of a node in structural order of first occurrence. Returns their number; *out in the core's arena. */
uint32_t core_free(Core *c, Node n, const Index **out);
bool core_has_index(Core *c, Node n, Index i);
/* Replaces index variables by int nodes, everywhere in n (reads' arguments included). */
Node core_subst(Core *c, Node n, uint32_t count, const Index *from, const Node *to);
/* Piece `piece` of d with the formals replaced by args and the bound indices by fresh ones (returned in *bound if asked). */
Node core_open(Core *c, Def d, uint32_t piece, const Node *args, Index **bound);
/* Rebuilds n with each argument replaced by f's answer (f = 0 keeps it); used by rewriting passes. */
Node core_rebuild(Core *c, Node n, const Node *new_args);
/* Definitions reachable from roots, each after those it reads, cycles contiguous (strongly connected sets in *component,
 * numbered in order). Iterative: depth costs heap, not stack. Arrays in scratch. */
uint32_t core_reach(Core *c, Arena *scratch, uint32_t nroot, const Node *root, Def **order, uint32_t **component);
/* Does n (through definitions) depend on the leaf or variable? Memoised in the core for immutable definitions. */
bool core_depends(Core *c, Node n, Def on);

/* Copies everything reachable from the roots with definitions replaced: `map` is asked once for each definition reached
 * (return 0 to copy it, or a replacement definition with the same number of formals) and index substitution is left alone.
 * Unchanged definitions are shared, not copied. Recurrences are copied whole. */
typedef struct CoreMap { Def (*map)(void *data, Core *c, Def d); void *data; } CoreMap;
void core_copy(Core *c, Arena *scratch, const CoreMap *map, uint32_t nroot, Node *root);

/* ---- whole core -------------------------------------------------------------------------------------------------------- */
Core *core_create(Arena *a, Intern *names);
Arena *core_arena(Core *c);
Intern *core_names(Core *c);

/* A stage of a program: named outputs over one core. The roots may have free indices (they are then listed as formals). */
typedef struct CoreProgram { Core *core; uint32_t n; Sym *name; Node *root; } CoreProgram;

/* Text of everything reachable from the roots: axes, leaves, definitions in dependency order, then `output name = …`.
 * It is the language itself: core_read_text reads it back and prints the same bytes. The form is described in core_print.c.
 * Large parts that are shared or deep get definitions of their own first, also in the core; they mean the same. */
struct UnitTable;
void core_print(const CoreProgram *p, const struct UnitTable *units, FILE *out);
/* An expression in the language, for messages. */
const char *core_text(Core *c, Arena *a, Node n);
/* Reads the text form. NULL after diagnostics. */
struct ParseCtx;
CoreProgram *core_read_text(struct ParseCtx *ctx, Core *c, struct UnitTable *units, uint32_t file);

/* The checker, run after every pass: kinds, ranks, closedness (free indices are formals or bound), argument numbering,
 * LIN/PROD normal form, no NODE_D when allow_d is false, boxes within reach. NULL if all is well, else a text in the
 * arena that names definition and node. */
const char *core_check(Core *c, uint32_t nroot, const Node *root, bool allow_d);
#endif
