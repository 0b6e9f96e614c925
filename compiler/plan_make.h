/* plan_make.h — what is known while a plan is made: one PDef for each definition that the outputs
 * reach. All of it lives in a scratch arena that goes when the plan is finished. */
#ifndef PNN_COMPILER_PLAN_MAKE_H
#define PNN_COMPILER_PLAN_MAKE_H
#include "compiler/plan_int.h"

/* Conditions that hold wherever a node is looked at. */
enum { CONDS = 8 };
typedef struct Cond {
	Node node;
	bool holds;
} Cond;
typedef struct CondSet {
	uint32_t n;
	bool seen;
	Cond cond[CONDS];
} CondSet;

typedef struct Region {
	Interval *box;
	Node value;
	bool known; /* the conditions of its reads have been looked for */
} Region;           /* boxes of one definition are disjoint */
typedef struct Read {
	Node node;
	uint32_t to, region;
	bool cut;             /* not an order inside the present loop */
	const CondSet *conds; /* NULL: none */
} Read;

typedef enum {
	MODE_LEAF,
	MODE_POINT,    /* a nest */
	MODE_REDUCE,   /* a nest with bound dimensions */
	MODE_CONTRACT, /* sums of products of two reads, plus a pointwise rest */
	MODE_MATRIX,   /* an operation on a whole array */
	MODE_INLINE,   /* computed again where it is read */
	MODE_ABSORBED  /* a contraction added up in its only reader */
} Mode;

typedef struct PDef {
	Def def;
	Kind kind;
	RedKind red;
	Mode mode;
	uint32_t rank, nbound;
	Index *formal, *bound;
	Interval *max, *dom; /* where it may be read; where it is */
	Interval *bounds;    /* labels of the bound indices */
	uint32_t nregion;
	Region *region;
	uint32_t nread;
	size_t read_cap;
	Read *read;
	bool zero_outside, is_static, random, random_step, output, operand, covered, filled;
	bool cyclic;       /* part of a recurrence */
	bool done;         /* MATRIX: computed with another result */
	uint64_t fleeting; /* formals (bits) of which only the present label is kept */
	uint32_t pin_slot; /* inside a recurrence along an axis it does not have: computed at this
			      label alone */
	int64_t pin;
	Interval pins;      /* labels that read it */
	uint32_t position;  /* in the order of computation */
	uint32_t component; /* strongly connected set, in order of computation */
	int carrier;        /* the formal that is cut into tiles, or -1 */
	Index tiled;        /* the formal or bound index that is cut into tiles, or 0 */
	Axis tile_axis;
	uint32_t stage;
	Loop *tile;       /* the tile loop that computes it */
	bool whole;       /* read beyond its tile: kept for all samples */
	View home, local; /* for all labels; for the present tile */
	int level;        /* latest possible place before its readers */
	uint32_t readers;
} PDef;

typedef struct LeafCopy {
	uint32_t leaf, samples;
	Loop *loop;
	View *view;
} LeafCopy;
typedef struct TileLoop {
	Loop *loop;
	uint32_t stage;
	bool is_static;
} TileLoop;

typedef struct Planner {
	Axis unsized;   /* an axis without a size that is counted, 0: none; and in which definition */
	Def unsized_in;
	Plan *plan;
	Core *core;
	Arena *arena; /* scratch */
	Diags *ds;
	PlanOptions options;
	PDef *def; /* 1..ndef */
	uint32_t ndef;
	size_t def_cap;
	uint32_t *of_def; /* by Def: number of the PDef, 0 none */
	size_t of_room;
	Interval *range; /* by Index: labels it takes */
	uint32_t *slot;  /* by Index: slot that holds its label, 0 none */
	size_t index_room;
	uint32_t *mark; /* by Node: for traversals */
	Node *memo;     /* by Node: answers, valid where memo_stamp is the present one */
	uint32_t *memo_stamp;
	size_t mark_room;
	uint32_t stamp, memo_now;
	TileLoop *tiled;
	uint32_t ntiled;
	size_t tiled_cap;
	uint32_t *order; /* PDefs, each after those it reads */
	uint32_t norder, ncomponent;
	LeafCopy *copy; /* of leaves, for the tiles of one loop */
	uint32_t ncopy;
	size_t copy_cap;
	Block *into;    /* steps are added here */
	Loop *tile;     /* tile loop being filled, or NULL */
	Interval *loop_range; /* by slot */
	size_t slot_room;
	bool failed;
} Planner;

/* ---- plan_collect.c: definitions, regions, reads, order
 * ----------------------------------------------------------- */
/* Adds the definitions and all they read. False after a diagnostic. */
bool plan_collect(Planner *p, uint32_t n, const Def *roots);
static inline PDef *plan_def(Planner *p, Def d)
{
	return &p->def[p->of_def[d]];
}
uint32_t plan_number(const Planner *p, Def d); /* 0: not collected */
/* Ordered sets: numbers of PDefs in the order of computation and the number of its set for each
 * (all by p->component). Only reads inside the given list that are not cut count. *ncomp sets;
 * comp[i] belongs to order[i]. */
void plan_order(Planner *p, uint32_t n, const uint32_t *list, uint32_t *order, uint32_t *comp,
		uint32_t *ncomp);
void plan_range_set(Planner *p, Index i, Interval r);
Interval plan_range(Planner *p, Index i);
uint32_t plan_slot(const Planner *p, Index i);
void plan_slot_set(Planner *p, Index i, uint32_t slot);
/* Calls visit(data, n) for each node below n once, users first; visit answers whether to go below.
 */
void plan_walk(Planner *p, Node n, bool (*visit)(void *data, Node n), void *data);
/* A memo by node, forgotten at the next begin. */
void plan_memo_begin(Planner *p);
uint32_t plan_memo(const Planner *p, Node n); /* 0: unknown */
void plan_memo_set(Planner *p, Node n, uint32_t answer);
Interval plan_axis(const Planner *p, Index i);
static inline bool interval_empty(Interval r)
{
	return r.hi < r.lo;
}
static inline Interval interval_meet(Interval a, Interval b)
{
	return (Interval){a.lo > b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
}
static inline int64_t interval_size(Interval r)
{
	return r.hi < r.lo ? 0 : r.hi - r.lo + 1;
}

/* Does the node read anything? */
bool plan_reads(Planner *p, Node n);
/* The reads of a definition anew, after its values were changed. */
void plan_read_again(Planner *p, uint32_t number);

/* ---- plan_factor.c ------------------------------------------------------------------------- */
/* Prepares sums of products for matrix kernels; false after a diagnostic. */
bool plan_factor(Planner *p);

/* Would the sum become contractions with filters if it stood under the condition? */
bool plan_filter_pays(Planner *p, uint32_t number, Node cond);

/* ---- plan_carry.c -------------------------------------------------------------------------- */
/* Puts conditions on data, under which alone sums of products are read, into these sums. p->order
 * must be known. */
void plan_carry(Planner *p);

/* ---- plan_guard.c
 * --------------------------------------------------------------------------------------------------
 */
enum { NARROWED = 32 };
typedef struct Narrowed {
	uint32_t n;
	Index index[NARROWED];
	Interval old[NARROWED];
} Narrowed;
/* Could computing the node fail (an index outside, an overflow) at labels in the present ranges? */
bool plan_may_fail(Planner *p, Node n);
/* Finds the conditions of all reads of a region. */
void plan_conditions(Planner *p, PDef *d, uint32_t region);
/* Narrows the ranges of indices by conditions, until plan_widen. */
Narrowed plan_narrow(Planner *p, const CondSet *set);
void plan_widen(Planner *p, const Narrowed *narrowed);
/* Moves the conditions under which definitions are read into those whose computation could fail. */
void plan_protect(Planner *p);

/* ---- plan_domain.c: index expressions, where values are needed
 * ---------------------------------------------------- */
Affine plan_affine(Planner *p, Node n);
/* a - b */
Affine plan_affine_difference(Planner *p, Node a, Node b);
/* Is the condition true (1) or false (0) for all labels in the present ranges, or not known (-1)?
 */
int plan_decide(Planner *p, Node cond);
/* Labels an int node may take for the present ranges of its indices; wide when nothing is known. */
Interval plan_interval(Planner *p, Node n);
/* The intervals of labels at which each definition is read, from the outputs back: d->dom. */
void plan_demand(Planner *p);
/* Cuts regions to the demand; drops what is not demanded. */
void plan_settle(Planner *p);
/* Number of the formal's label if the argument is exactly this index, else 0. */
Index plan_plain_index(const Planner *p, Node arg);

/* ---- plan_class.c: static or not, tiles, stages, modes
 * ------------------------------------------------------------ */
/* Chooses what is computed again where it is read, and puts it there. */
void plan_inline(Planner *p);
void plan_classify(Planner *p);

/* ---- plan_contract.c
 * -----------------------------------------------------------------------------------------------
 */
/* Is the body of this sum a sum of products of two reads that a kernel can do? */
bool plan_contractible(Planner *p, uint32_t d);
/* Emits the contractions of a definition that was initialised. */
void plan_emit_contract(Planner *p, uint32_t d, uint32_t region);

/* ---- plan_matrix.c ------------------------------------------------------------------------- */
/* The argument of an operation on a whole array as a read of a definition of its own. */
Node plan_matrix_argument(Planner *p, const PDef *d, Node value);
/* Results of d are looked at only where cond, over its formals, holds: so is then its argument,
 * unless that says something about single elements of the result. */
void plan_matrix_condition(Planner *p, PDef *d, Node cond);
/* value, the argument d of `reader`, where cond holds, else what no operation fails on. */
Node plan_matrix_harmless(Planner *p, const PDef *d, const PDef *reader, Node cond, Node value);
void plan_emit_matrix(Planner *p, uint32_t number);

/* ---- plan_order.c: loops of recurrences, order of steps
 * ------------------------------------------------------------ */
bool plan_schedule(Planner *p, uint32_t n, const uint32_t *list);
/* Steps added from `from` on run only where the box's labels of recurrence indices are the present
 * ones. */
void plan_condition(Planner *p, const PDef *d, const Interval *box, uint32_t from);
/* The same for one slot and the labels at which the steps run. */
void plan_condition_slot(Planner *p, uint32_t slot, Interval in, uint32_t from);
/* All steps of one definition. */
void plan_emit_single(Planner *p, uint32_t def);
/* Fills elements outside all regions, once. */
void plan_emit_uncovered(Planner *p, uint32_t def);

/* ---- plan_loop.c
 * ---------------------------------------------------------------------------------------------------
 */
/* Sums that wait for a recurrence alone; taken: added up inside its loop. */
typedef struct Riders {
	uint32_t n, *def;
	bool *taken;
} Riders;
/* A cyclic set as a loop along one of its axes; p->failed after a diagnostic. */
void plan_recurrence(Planner *p, uint32_t n, const uint32_t *list, Riders *riders);

/* ---- plan_view.c: buffers
 * ------------------------------------------------------------------------------------------ */
Buffer *plan_buffer(Planner *p, PlaceKind place, Def d, size_t count);
bool plan_views(Planner *p);
/* Keeps the definition only for the present label of a formal, before any step has used it. */
void plan_view_fleeting(Planner *p, PDef *d, uint32_t formal);
/* The address of a read in terms of the dimensions (and slots); false if an argument is not affine.
 */
bool plan_access(Planner *p, const View *v, uint32_t rank, const Affine *arg, uint32_t ndim,
		 const Dim *dim, Access *out);
const View *plan_view(Planner *p, const PDef *d);
/* The copy of a leaf for the present tile, samples last; made before the present step. */
const View *plan_leaf_tile(Planner *p, uint32_t leaf, uint32_t samples);

/* ---- plan_split.c -------------------------------------------------------------------------- */
/* Parts of a box in each of which conditions on single formals are decided; at least one. Ranges of
 * the formals must be set to the box. Boxes in the plan's arena. */
uint32_t plan_split(Planner *p, const PDef *d, const Interval *box, uint32_t nvalue,
		    const Node *value, Interval ***out);

/* ---- plan_flat.c --------------------------------------------------------------------------- */
/* Finds the merged dimensions of a pointwise nest whose program does not look at labels. */
void plan_flatten(Planner *p, Nest *nest);

/* ---- plan_nest.c
 * ----------------------------------------------------------------------------------------------------
 */
typedef struct NestItem {
	uint32_t def, region;
	Node value;
	Index *formal;
} NestItem;
/* value is over the formals of item 0; formal[k] is the formal of item 0 that stands for the item's
 * own k-th. */
void plan_emit_nest(Planner *p, uint32_t nitem, const NestItem *item);
/* Adds a reduction's value to what its buffer holds. */
void plan_emit_sum(Planner *p, const NestItem *item);
/* Zero in the item's region; block accumulators are zero already. */
void plan_emit_zero(Planner *p, const NestItem *item);
void plan_emit_fill(Planner *p, const NestItem *item, double value);
void plan_emit_copy(Planner *p, const PDef *d, const Interval *box, Index samples, const View *from,
		    const View *to);
Step *plan_step(Planner *p, StepTag tag);

/* ---- plan_memory.c
 * --------------------------------------------------------------------------------------------------
 */
bool plan_place(Planner *p);
#endif
