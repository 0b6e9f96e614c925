/* elab_claim_int.h — what elab_claim.c (test, assert) and elab_symmetry.c (invariance) share. */
#ifndef PNN_LANG_ELAB_CLAIM_INT_H
#define PNN_LANG_ELAB_CLAIM_INT_H
#include "lang/elab_int.h"

typedef struct RecordVar {
	DataInfo *data;
	Node record;
} RecordVar;

/* A claim being elaborated. Its variables are names of the scope `in`, each read from a RUNTIME
 * leaf that is sampled. */
typedef struct Claiming {
	Elab *e;
	Scope *in;
	Claim *claim;
	bool asserted;            /* assert: nothing is sampled */
	const DomainInfo *domain; /* `on D`, or NULL */
	const Ast *within;        /* the tolerance, or NULL */
	size_t nvar, capvar;
	size_t nsized, capsized;
	RecordVar *record;
	size_t nrecord, caprecord;
	Index *ix; /* free indices of the claim: every element is compared */
	Node *rec; /* the record that sizes the axis of ix[k], or 0 */
	uint32_t nix, capix;
} Claiming;

/* A fresh variable of the claim over n axes; the leaf it is read from. */
Def claim_variable(Claiming *k, SampleVar var, Span at, Kind kind, uint32_t n, const Axis *axis);
/* The variable's value: an array over the leaf's axes. */
Val claim_read(Claiming *k, Def leaf, Span at, Elem elem, UnitId unit);
/* The record of a data set that is drawn anew for each trial. */
Node claim_record(Claiming *k, DataInfo *data);
/* Adds a free index over the axis under its name. */
void claim_index(Claiming *k, Sym name, Span at, AxisRef axis);
/* The coordinate or field that the name stands for becomes a variable; false (silently) if there is
 * none. *bad after a diagnostic. */
bool claim_known_variable(Claiming *k, Sym name, Span at, bool *bad);
/* A variable by the written type of the parameter that it is given to: arrays with normal elements
 * of size 1, axes without a size at several sizes. False after a diagnostic. */
bool claim_typed_variable(Claiming *k, Sym name, Span at, const Ast *type);
/* All free names of the expression become variables or indices; false after diagnostics. */
bool claim_free_names(Claiming *k, const Ast *ast);
/* left and right into the claim, compared by op ("==", "<", …). */
bool claim_compare(Claiming *k, Span at, const char *op, Val left, Val right);
/* E invariant under … into the claim. */
bool claim_symmetry(Claiming *k, const Ast *ast);
/* The variables of a pattern with a set: `for (x, t) in D`. False after a diagnostic. */
bool claim_for(Claiming *k, const Ast *binder);

/* ---- elab_act.c: random group elements ---- */
typedef enum { ACT_ROTATE, ACT_TRANSLATE, ACT_PERMUTE, ACT_CYCLE, ACT_FLIP } ActKind;
/* One group element. leaf is read by it; axis is the axis it turns, moves along or permutes. */
typedef struct Act {
	ActKind kind;
	Span at;
	Def leaf;
	Axis axis;
	Node record;   /* of the permuted axis when records size it */
	UnitId unit;   /* TRANSLATE */
	int64_t order; /* CYCLE */
	bool tuple;    /* acts on several scalars: axis counts them */
	bool used;     /* it moved the result */
} Act;

typedef struct Symmetry {
	Claiming *k;
	const FnVal *fn; /* E is a function: its parameters are the variables; else NULL */
	const FnDecl *decl;
	const Ast *of;
	Scope *moved; /* the arguments after the change */
	Act *act;
	size_t n, cap;
} Symmetry;

/* The element acts on the target, an argument or several, and its leaf is drawn for each trial.
 * False after a diagnostic. size: of O(n), -1 where it is not written. */
bool act_rotate(Symmetry *y, Act *a, SampleKind kind, int64_t size, const Ast *target);
bool act_translate(Symmetry *y, Act *a, const Ast *target);
bool act_permute(Symmetry *y, Act *a, const Ast *target);
bool act_cycle(Symmetry *y, Act *a, const Ast *target);
bool act_flip(Symmetry *y, Act *a, const Ast *target);
/* v with position p turned: sum[b] Q[a,b]*v[…b…]. */
Val act_turn(Elab *e, Def q, Val v, uint32_t p, Span at);
/* v with all its axes that are permuted read in the new order. */
Val act_reorder(Elab *e, const Act *a, Val v);
#endif
