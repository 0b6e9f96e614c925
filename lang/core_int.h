/* core_int.h — what the files of the core share; nobody else includes it. */
#ifndef PNN_LANG_CORE_INT_H
#define PNN_LANG_CORE_INT_H
#include "lang/core.h"
#include "lang/op.h"

enum {
	CORE_CHUNK = 1024
}; /* nodes or definitions per block: blocks never move, so pointers into them stay valid */

/* A node with what is derived from it. `shape` is a hash in which an index variable counts as its
 * axis only and the order of operands of LIN, PROD and of int equalities does not count: renaming
 * indices does not change it. */
typedef struct NodeCell {
	NodeInfo info;
	uint64_t shape;
	uint64_t hash;
	uint32_t nfree;
	uint32_t size, height; /* of the node written out as a tree, saturating */
	bool conditional;      /* a guard or select somewhere inside */
	bool derivative;       /* a NODE_D somewhere inside */
	const Index *free;     /* first occurrences from the left */
} NodeCell;

typedef struct IndexCell {
	Axis axis;
	Sym name;
	bool wide;  /* may lie outside its axis (definitions whose boxes do): ranges decide nothing
		     */
	Node value; /* its NODE_INDEX, 0 until made */
	uint64_t rank; /* order among index variables: canonical ones by family and position, then
			  the others by number */
} IndexCell;

typedef struct DefCell {
	DefInfo info;
	Def *reads; /* definitions read by the pieces, first occurrences; NULL until asked */
	uint32_t nread;
	bool reads_known;
	const uint32_t *canon; /* of definitions in `valued`: formal that stands at each canonical
				  position */
} DefCell;

/* Working memory of the constructors: a stack of terms, used by offset because it moves when it
 * grows. */
typedef struct Term {
	Node arg;
	int32_t expo;
	double coef;
} Term;

/* A map Node -> Node that is emptied in no time. Taken and given back in stack order. */
typedef struct Memo {
	uint32_t *stamp;
	Node *value;
	uint32_t cap, now;
} Memo;

/* Keys (sequences of words) to numbers: share and reduction tables. */
typedef struct KeyEntry {
	const uint32_t *key;
	uint32_t n, value;
	uint64_t hash;
} KeyEntry;
typedef struct KeyTable {
	KeyEntry *slot;
	uint32_t cap, used;
} KeyTable;

typedef enum { CANON_FREE, CANON_WIDE, CANON_BOUND, CANON_FAMILIES } CanonFamily;
typedef struct CanonAxis {
	Index *index[CANON_FAMILIES];
	size_t n[CANON_FAMILIES], cap[CANON_FAMILIES];
} CanonAxis;

/* What core_depends remembers about one definition: does_reach[d] for all d < upto. */
typedef struct DependsMemo {
	Def on;
	uint32_t upto, cap, version;
	bool *reaches;
} DependsMemo;

typedef struct CoreRules CoreRules; /* rules.def as nodes, core_rules.c */

struct Core {
	Arena *arena;
	Intern *names;
	Span at;
	NodeCell **node;
	size_t nnodechunk, nodechunkcap;
	uint32_t nnode;
	uint32_t *table; /* open addressing, node numbers */
	uint32_t tablecap;
	DefCell **def;
	size_t ndefchunk, defchunkcap;
	uint32_t ndef;
	uint32_t version; /* of the definitions: changes when pieces of an existing one do */
	AxisInfo *axis;   /* axis[0] is unused */
	size_t naxis, axiscap;
	CanonAxis *canon; /* parallel to axis */
	size_t ncanon, canoncap;
	IndexCell *index; /* index[0] is unused */
	size_t nindex, indexcap;
	Term *term;
	size_t nterm, termcap;
	Node *stack; /* work lists of the rewriters, used by offset */
	size_t nstack, stackcap;
	Memo **memo;
	size_t nmemo, memocap, memoused;
	KeyTable shared, reduced;
	DependsMemo *depends;
	size_t ndepends, dependscap;
	KeyTable valued; /* definitions by their values up to renaming and order of indices
			    (core_simplify.c) */
	const CoreRules *rules;
	unsigned guard_depth; /* of merging nested guards */
	bool int_overflow;
};

/* ---- core.c ---- */
static inline const NodeCell *core_cell(const Core *c, Node n)
{
	return &c->node[(n - 1) / CORE_CHUNK][(n - 1) % CORE_CHUNK];
}
static inline DefCell *core_def_cell(const Core *c, Def d)
{
	return &c->def[(d - 1) / CORE_CHUNK][(d - 1) % CORE_CHUNK];
}
uint64_t core_mix(uint64_t h, uint64_t x);
/* Hash of a node from hashes of its arguments and of what ref stands for; independent of the order
 * of operands that commute (also along chains of and, or, xor). */
typedef uint64_t CoreHash(const void *data, const Core *c, Node n);
uint64_t core_hash_with(const Core *c, const NodeInfo *p, uint64_t ref, CoreHash *child,
			const void *data);
/* The node equal to proto, made if there is none; proto's arrays are copied. Nothing is simplified.
 */
Node core_intern(Core *c, const NodeInfo *proto);
/* Total order by structure: first by shape (index variables count as their axes), then by index
 * variables. */
int core_order(const Core *c, Node a, Node b);
/* The same by shape alone: 0 if equal up to index variables. */
int core_order_shape(const Core *c, Node a, Node b);
void core_term_push(Core *c, Node arg, double coef, int32_t expo);
void core_stack_push(Core *c, Node n);
Memo *core_memo_take(Core *c);
void core_memo_give(Core *c, Memo *m);
Node core_memo_get(const Memo *m, Node n); /* 0: absent */
void core_memo_set(Core *c, Memo *m, Node n, Node value);
uint32_t core_key_find(const KeyTable *t, const uint32_t *key, uint32_t n); /* 0: absent */
void core_key_add(Core *c, KeyTable *t, const uint32_t *key, uint32_t n, uint32_t value);
Node core_zero(Core *c, Kind kind);
bool core_is_zero(const Core *c, Node n);

/* ---- core_arith.c ---- */
int64_t core_int_mul(Core *c, int64_t a, int64_t b); /* notes an overflow */
/* Sorts the terms from base on by their arguments. */
void core_terms_sort(Core *c, size_t base);
/* k of n = k*rest for a LIN of several terms: a common factor that divides out exactly, with a sign
 * that does not depend on the names of index variables (or, with any_sign, at least a fixed one). 1
 * and rest = n if there is none. */
double core_content(Core *c, Node n, bool any_sign, Node *rest);

/* ---- core_logic.c ---- */
Node core_logic_op(Core *c, Op op,
		   const Node *args); /* and or not, comparisons of ints; 0: no rule applies */
/* Values that an int node can take; wide where nothing is known. */
void core_range(const Core *c, Node n, int64_t *lo, int64_t *hi);
/* The conjuncts of a condition are pushed on the stack; returns their number. */
size_t core_conjuncts(Core *c, Node cond);
Node core_not(Core *c, Node cond);
Node core_and(Core *c, Node a, Node b);
/* n where the condition is known to hold (or to fail). */
Node core_assume(Core *c, Node n, Node cond, bool holds);

/* ---- core_walk.c ---- */
/* Rewrites n from the leaves up: enter may answer for a node (nonzero: that is its value), else its
 * arguments are rewritten and it is rebuilt; leave (may be NULL) may then replace the result n of
 * what was `was`. Iterative. */
typedef struct Rewrite {
	Node (*enter)(void *data, Core *c, Node n);
	Node (*leave)(void *data, Core *c, Node was, Node n);
	void *data;
} Rewrite;
Node core_rewrite(Core *c, const Rewrite *r, Memo *memo, Node n);
/* core_reach in which definitions that `stop` replaces are not looked into; image[d] is what stop
 * answered. */
uint32_t core_reach_stopped(Core *c, Arena *scratch, const CoreMap *stop, Def *image,
			    uint32_t nroot, const Node *root, Def **order, uint32_t **component);
/* A copy of d's head (no pieces, no rule) with fresh index variables; from/to (nindex + nbound
 * long, in scratch) substitute the old ones. */
Def core_clone_head(Core *c, Arena *scratch, Def d, Index **from, Node **to);
/* Definitions read by d's pieces and by the lengths of its axes. */
const Def *core_def_reads(Core *c, Def d, uint32_t *n);
/* Pushes the definitions read in n (each once for this memo) on the stack. */
void core_collect_reads(Core *c, Memo *seen, Node n);

/* ---- core_expr.c ---- */
typedef struct CoreName {
	const char *name;
	Node value;
} CoreName;
/* The node of a table's expression over the named nodes: + - * / ^, comparisons, and or not, if
 * then else, operations by their syntax, numbers. The text is ours: mistakes in it are asserted. */
Node core_expression(Core *c, const char *text, size_t n, const CoreName *names);

/* ---- core_canon.c ---- */
Index core_canon(Core *c, CanonFamily family, Axis axis, uint32_t position);
/* Canonical form of a node up to renaming of `nfree` free and `nbound` bound index variables: *node
 * over canonical variables, perm_free[p] = which of the given free variables stands at canonical
 * position p (same for bound). False if the symmetric permutations are too many to try; then the
 * given order is kept. */
bool core_canonical(Core *c, Node n, uint32_t nfree, const Index *free, uint32_t nbound,
		    const Index *bound, Node *node, uint32_t *perm_free, uint32_t *perm_bound);
#endif
