/* elab_claim_int.h — what elab_claim.c (test, assert) and elab_symmetry.c (invariance) share. */
#ifndef PNN_LANG_ELAB_CLAIM_INT_H
#define PNN_LANG_ELAB_CLAIM_INT_H
#include "lang/elab_int.h"

typedef struct RecordVar { DataInfo *data; Node record; } RecordVar;

/* A claim being elaborated. Its variables are names of the scope `in`, each read from a RUNTIME leaf that is sampled. */
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
	Index *ix;                /* free indices of the claim: every element is compared */
	Node *rec;                /* the record that sizes the axis of ix[k], or 0 */
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
/* The coordinate or field that the name stands for becomes a variable; false (silently) if there is none. *bad after a
 * diagnostic. */
bool claim_known_variable(Claiming *k, Sym name, Span at, bool *bad);
/* All free names of the expression become variables or indices; false after diagnostics. */
bool claim_free_names(Claiming *k, const Ast *ast);
/* left and right into the claim, compared by op ("==", "<", …). */
bool claim_compare(Claiming *k, Span at, const char *op, Val left, Val right);
/* E invariant under … into the claim. */
bool claim_symmetry(Claiming *k, const Ast *ast);
#endif
