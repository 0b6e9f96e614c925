/* deriv_int.h — what the files of the derivative pass share; nobody outside compiler/deriv*.c
 * includes it.
 *
 * Every derivative is built from one thing, the linearisation of a definition: d(d[i]) = Σ over
 * terms and their bound indices of weight * d(of). Forward it is read from the right, reverse from
 * the left. */
#ifndef PNN_COMPILER_DERIV_INT_H
#define PNN_COMPILER_DERIV_INT_H
#include "compiler/deriv.h"
#include "lang/op.h"

/* Nodes below a node, ascending: a pass over an expression is a loop, not a recursion. */
typedef struct Sub {
	uint32_t n;
	Node *node;
} Sub;

/* What is remembered about a definition. The reads are those through which a derivative passes, in
 * its own formals. */
typedef struct Fact {
	bool has_reads, normal;
	uint32_t npiece;
	Node *piece; /* values for which the rest holds */
	uint32_t nread;
	Node *read;
	Node *slope; /* [2*piece + argument]: slope of the operation that stands alone there; 0 not
			yet made */
	bool *flat;  /* [2*piece + argument]: made, and zero */
	struct Origin *origin;
	Def like;   /* a definition made in advance: it will have this one's domain */
	Sym reader; /* a definition without a name: that of the one that reads it */
} Fact;

/* Word sequences to pointers. */
typedef struct TableSlot {
	const uint32_t *key;
	uint32_t n;
	void *value;
} TableSlot;
typedef struct Table {
	TableSlot *slot;
	uint32_t cap, used;
} Table;

typedef struct Deriv {
	Core *c;
	Arena *a;
	Diags *ds;
	Span at;     /* the derivative being taken, for messages */
	bool failed; /* an operation without derivative was met since the flag was cleared */
	bool errors;
	uint32_t *stamp; /* nodes seen while collecting */
	uint32_t nstamp, now;
	Fact *fact;
	uint32_t nfact;
	Table tangent;   /* TangentKey -> Tangent */
	Table adjoint;   /* (of, variable) -> Def */
	uint32_t order;  /* how often the program differentiates through itself */
	uint32_t narray; /* directions along arrays so far */
	Node *forward;   /* NODE_Ds that must be taken forward (a Laplacian is made of them),
			    ascending */
	uint32_t nforward;
	Node *independent; /* NODE_Ds whose operand does not reach their variable, ascending */
	uint32_t nindependent;
} Deriv;

/* ---- deriv_util.c ---- */
void deriv_begin(Deriv *dv, Core *c, Arena *scratch, Diags *ds);
/* Nodes below n including n, not those in the indices of reads: all; not those inside derivatives
 * still to be taken; only those through which a derivative passes (no conditions, stop, draws). */
typedef enum { SUB_ALL, SUB_VALUES, SUB_PASSING } SubWhich;
Sub deriv_sub(Deriv *dv, Node n, SubWhich which);
/* Is one of the real reads through which a derivative passes to n wanted? Stops at the first; `want`
 * must not walk over expressions itself. */
bool deriv_any_read(Deriv *dv, Node n, bool (*want)(void *data, const NodeInfo *read), void *data);
uint32_t deriv_sub_find(const Sub *s, Node n); /* position, or UINT32_MAX */
/* Does a derivative pass from the node's argument k to its value? */
bool deriv_passes(const NodeInfo *p, uint32_t k);
Fact *deriv_fact(Deriv *dv, Def d);
/* The reads of d's value through which a derivative passes, in d's own formals; int and bool ones
 * are not among them. */
uint32_t deriv_reads(Deriv *dv, Def d, const Node **reads);
/* Replaces the value of a piece by an equal expression (or the whole of d by one value over its
 * formals). */
void deriv_replace(Deriv *dv, Def d, uint32_t piece, Node value);
void deriv_replace_whole(Deriv *dv, Def d, Node value);
/* Cheap enough to stand wherever it is used: a number times one read, a constant, perhaps guarded.
 */
bool deriv_trivial(Deriv *dv, Node n);
/* A constant expression: numbers, sizes, named constants. */
bool deriv_constant(Deriv *dv, Node n);
/* name[ix…] = value as a definition, read at ix; a trivial value as it stands. Of ix only those are
 * formals that occur. A guard over the whole value also guards the reads. box: one range per ix, or
 * NULL. */
Node deriv_name(Deriv *dv, Sym name, Span span, uint32_t n, const Index *ix, Node value,
		const Range *box);
/* The same with all of ix as formals; the definition itself. */
Def deriv_define(Deriv *dv, Sym name, Span span, uint32_t n, const Index *ix, uint32_t npiece,
		 const Piece *pieces, unsigned flags);
Node deriv_read_at(Deriv *dv, Def d, uint32_t n, const Node *args);
Node *deriv_index_nodes(Deriv *dv, uint32_t n, const Index *ix);
/* n with formals replaced by arguments, as if a definition were read there: on a periodic axis an
 * argument may lie outside the axis, but a formal does not, so that where n looks at its value the
 * argument is wrapped. */
Node deriv_inline(Deriv *dv, Node n, uint32_t count, const Index *formal, const Node *args);
/* The place on the axis that a label expression means: itself, or wrapped where the axis is
 * periodic. */
Node deriv_wrap(Deriv *dv, Axis a, Node e);
/* The condition that two label expressions mean the same place. */
Node deriv_same_place(Deriv *dv, Axis a, Node x, Node y);
/* n with what all terms of a sum are guarded by as one guard around it: [c and d]a + [c and e]b =
 * [c]([d]a + [e]b). Products then absorb it and definitions carry it to their readers, so that what
 * is not selected is never multiplied by zero. */
Node deriv_pull(Deriv *dv, Node n);
/* Terms that are added up at once: one by one a sum of many would take the square of their number. */
typedef struct Parts {
	Node *item;
	size_t n, cap;
} Parts;
void parts_add(Deriv *dv, Parts *p, Node n);
Node parts_total(Deriv *dv, const Parts *p); /* 0 if there are none */
/* Sum where 0 stands for zero. */
Node deriv_add(Deriv *dv, Node a, Node b);
/* The plain index variable that a node is, or 0. */
Index deriv_plain(Deriv *dv, Node n);
Sym deriv_sym(Deriv *dv, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *deriv_text(Deriv *dv, Sym s);
/* What derivatives of d are called after: its name, or that of the definition that reads it. */
const char *deriv_name_of(Deriv *dv, Def d);
void *table_get(const Table *t, uint32_t n, const uint32_t *key);
void table_put(Arena *a, Table *t, uint32_t n, const uint32_t *key,
	       void *value); /* the key is copied */

/* ---- deriv_scope.c: what depends on the variables ---- */
/* mask[p]: bit j says that every read of the (single) variable on the way from d has d's formal j
 * unchanged in position p. */
typedef struct Mark {
	bool known, active;
	uint64_t *mask;
} Mark;
typedef struct Scope {
	Deriv *dv;
	uint32_t nvar;
	const Def *var;
	uint32_t npos; /* positions of the variable, if it is one alone */
	Mark *mark;
	uint32_t nmark;
} Scope;
void scope_begin(Scope *s, Deriv *dv, uint32_t nvar, const Def *var);
bool scope_is_var(const Scope *s, Def d);
const Mark *scope_mark(Scope *s, Def d);
bool scope_active(Scope *s, Node n); /* does a derivative by the variables pass through n? */
/* A cycle's members in an order in which each comes after those it reads, but for those that are
 * `named`: they are read before their value is known. Arrays of n. */
void deriv_cycle_order(Deriv *dv, uint32_t n, Def *member, bool *named);

/* ---- deriv_norm.c ---- */
/* Normal form of everything that n reaches: nonlinear operations stand alone, their arguments are
 * named. n itself is returned in normal form. */
Node deriv_normal(Deriv *dv, Node n, Sym reader);

/* ---- deriv_terms.c: linearisation ---- */
typedef struct LinTerm {
	Def def; /* of which definition, at which piece and arguments */
	uint32_t piece;
	const Node *args;
	Node weight; /* 0: one */
	Node of;
	Node alone; /* the operation that is the value of the piece, 0 if there is none */
	uint32_t nbound;
	const Index *bound;
} LinTerm;
/* The terms of piece `piece` of d opened at args (as many nodes as d has formals). */
uint32_t deriv_terms(Deriv *dv, Def d, uint32_t piece, const Node *args, const LinTerm **terms);
uint32_t deriv_piece_count(Deriv *dv,
			   Def d); /* pieces to linearise: 1 where a rule stands for all */
/* An expression by itself, as one term. */
LinTerm deriv_term_of(Node n);
const LinTerm *deriv_one_term(Deriv *dv, LinTerm t);
/* ---- deriv_matrix.c: the terms of an operation on a whole array, which t is but for its weight */
uint32_t deriv_matrix_terms(Deriv *dv, LinTerm t, const LinTerm **terms);
/* ∂op/∂argument k where op is a node inside t; 0 if it is zero. E0302 is reported once per
 * derivative. */
Node deriv_slope(Deriv *dv, const LinTerm *t, Node op, uint32_t k);
/* ∂p/∂factor k of a product. */
Node deriv_cofactor(Deriv *dv, Node prod, uint32_t k);

/* ---- deriv_box.c: intervals of label values ---- */
typedef enum { TRI_NO, TRI_YES, TRI_MAYBE } Tri;
typedef struct Lim {
	Axis last; /* 0: the number off; else off beyond that axis' last label (of unknown size) */
	int64_t off;
} Lim;
typedef struct Seg {
	Lim lo, hi;
} Seg;
Seg seg_of_axis(Core *c, Axis a);
Seg seg_of_range(Core *c, Axis a, Range r);
Seg seg_shift(Seg s, int64_t by);
/* The part of s within `in`, as far as can be said. */
Seg seg_meet(Core *c, Seg s, Seg in);
/* The least interval around both, at most all. */
Seg seg_hull(Core *c, Seg a, Seg b, Seg all);
Tri lim_le(Core *c, Lim a, Lim b);
Tri lim_lt(Core *c, Lim a, Lim b);
bool lim_same(Lim a, Lim b);
bool seg_point(Seg s);
Tri seg_inside(Core *c, Seg s, Seg in);
Tri seg_disjoint(Core *c, Seg a, Seg b);
Node lim_node(Core *c, Lim l);
Range seg_range(Core *c, Axis a, Seg s);
/* The condition that int node e lies in `in`, given that it lies in `known`: 0 if that is implied.
 */
Node seg_condition(Core *c, Node e, Seg known, Seg in);
bool box_whole(Core *c, const DefInfo *d, const Range *box);
/* Where a definition has values, as a product of segments per formal: the part on the axis and
 * points beside it. */
typedef struct Domain {
	uint32_t n;
	uint32_t *nseg;
	Seg **seg;  /* the part on the axis comes first */
	bool whole; /* exactly the axes */
} Domain;
Domain domain_of(Deriv *dv, Def d);
Domain domain_of_piece(Deriv *dv, Def d, uint32_t piece);
/* The next combination of segments, one per formal; false after the last (and `at` is zero again).
 */
bool domain_next(const Domain *m, uint32_t *at);
/* Do some of d's pieces have values in this cell (one segment per formal)? */
bool domain_has(Deriv *dv, Def d, const Seg *cell);

/* ---- deriv_fwd.c ---- */
/* ∂of/∂v[e…]. The scope is of v alone. 0 if zero. */
Node deriv_forward(Scope *s, Node of, const Node *e);
/* Tangent of `of` along dir[k] (definitions) of the scope's variables. */
Node deriv_along(Scope *s, Node of, const Def *dir);
/* Laplacians: if d is a sum over an index of second derivatives along it, moves linear operations
 * out of the sum. */
void deriv_collapse(Deriv *dv, Def d);

/* ---- deriv_comb.c ---- */
/* Combinations of second derivatives in the definition's value as one stream each. */
void deriv_combine(Deriv *dv, Def d);

/* A definition that is the tangent of another: base along `dir`s; place[j] is where base's formal j
 * stands, then the slots. */
typedef struct Dir {
	Def var; /* 0: along arrays, number in code[0] */
	uint32_t n;
	uint32_t *code; /* per position: DIR_SAME + formal, DIR_SLOT + slot, DIR_FIXED + node */
} Dir;
enum {
	DIR_SAME = 0u,
	DIR_SLOT = 1u << 30,
	DIR_FIXED = 2u << 30,
	DIR_ARRAY = 3u << 30,
	DIR_MASK = 3u << 30
};
typedef struct Origin {
	Def base;
	uint32_t ndir;
	Dir *dir;
	uint32_t nslot;
	uint32_t *place; /* nindex of base, then nslot */
} Origin;

/* ---- deriv_ask.c ---- */
typedef enum { TANGENT_NEW, TANGENT_BUSY, TANGENT_DONE } TangentState;

typedef struct Tangent {
	TangentState state;
	Origin of;
	Index *formal; /* those of the base, then the slots */
	uint32_t nformal;
	Def source; /* the definition that is differentiated, read at args */
	Node *args;
	Node *e; /* the element, over the formals */
	Sym name;
	Span span;
	Def def;         /* made in advance, or 0 */
	Node node;       /* the tangent over the formals; 0: zero */
	uint32_t npiece; /* of the source, opened once */
	uint32_t *nterm;
	const LinTerm **term;
} Tangent;

typedef struct Forward {
	Scope *s;
	Deriv *dv;
	Core *c;
	Def var; /* 0: along arrays */
	uint32_t npos;
	const Def *dir; /* along arrays: parallel to the scope's variables */
	uint32_t array;
	Tangent **stack;
	size_t n, cap;
} Forward;

/* A tangent at certain arguments. */
typedef struct Want {
	Tangent *t;
	Node *args;
	Node cond; /* 0: none */
} Want;
/* The tangent of what is read in the forward direction at element e (NULL along arrays): asked for,
 * not yet made if its state says so. */
Want tangent_want(Forward *f, Node read, const Node *e);

/* ---- deriv_rev.c, deriv_solve.c ---- */
/* Adjoints of the scope's variables for the scalar `of`, whose free indices ctx are its context:
 * adj[k] is a node over formal[k][…] (the variable's formals) and ctx, 0 where zero. suffix is
 * appended to names. */
void deriv_reverse(Scope *s, Node of, uint32_t nctx, const Index *ctx, const char *suffix,
		   Index **formal, Node *adj);

/* An index that was solved for must lie in `in`. Its value over the adjoint's formals is `value`;
 * if pos >= 0 that is shift + sign*(formal pos). Outside `zero` (segments of a definition that is
 * zero there) the term vanishes by itself. */
typedef struct Need {
	Node value;
	int32_t pos, sign;
	int64_t shift;
	Seg in;
	uint32_t nzero;
	const Seg *zero;
	Def zeroed; /* that definition */
} Need;
/* One term of an adjoint: Σ_bound body where all needs are met. */
typedef struct Contribution {
	uint32_t nbound;
	Index *bound;
	Node body;
	uint32_t nneed;
	Need *need;
	bool scatter; /* a one-point filter that could not be solved */
} Contribution;
typedef struct Adjoint {
	Def def;
	bool reached, closed, met;
	Index *m;      /* formals of the adjoint, copies of def's */
	uint64_t *pin; /* per context index: positions at which every read has it; the lowest is the
			  one that is used */
	Contribution *part;
	size_t npart, cap;
	Def named;    /* adjoint definition made in advance, or 0 */
	Node node;    /* over m and the context indices that are not pinned; 0: zero */
	Seg *support; /* per formal: outside it the adjoint is zero; NULL: not known */
} Adjoint;
typedef struct Reverse {
	Scope *s;
	Deriv *dv;
	Core *c;
	uint32_t nctx;
	const Index *ctx;
	const char *suffix;
	Adjoint **adj; /* by definition, NULL where inactive */
	uint32_t nadj;
	Def before; /* definitions after this one are the sweep's own */
} Reverse;
/* An index that is summed in what is propagated, with the labels it takes. */
typedef struct SumIndex {
	Index index;
	Seg range;
} SumIndex;
int32_t adjoint_pin(const Reverse *r, const Adjoint *h, uint32_t q); /* position, or -1 */
/* Adds Σ_ix p*a, propagated through `read`, to the adjoint of what is read. */
void adjoint_add(Reverse *r, Adjoint *h, Node read, uint32_t n, const SumIndex *ix, Node p, Node a);
/* All parts are there: makes the definition. */
void adjoint_close(Reverse *r, Adjoint *h);
Sym adjoint_name(const Reverse *r, Def d);
/* Formals of h's adjoint as a definition: m and the context indices without a pin. */
uint32_t adjoint_formals(const Reverse *r, const Adjoint *h, Index **formals);
#endif
