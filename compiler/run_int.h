/* run_int.h — what the files of a run share. */
#ifndef PNN_COMPILER_RUN_INT_H
#define PNN_COMPILER_RUN_INT_H
#include "compiler/eval.h"
#include "compiler/run.h"
#include "runtime/metrics.h"
#include "runtime/number.h"
#include "runtime/status.h"
#include "runtime/table.h"

enum { RUN_DEPTH = 64 }; /* deepest nesting of statements that is executed */

typedef struct CachedPlan {
	const void *key;
	unsigned part;
	Plan *plan;
} CachedPlan;

/* Where execution stands in one block. */
typedef struct Frame {
	uint32_t stmt; /* statement of the block */
	int64_t pass;  /* of a loop, from 0 */
	bool branch;   /* taken by an `if` */
} Frame;

/* A cell of a recorded table. */
typedef struct Cell {
	double real;
	const char *text; /* a text, else NULL */
} Cell;
typedef struct RecordTable {
	const Stmt *stmt; /* the first statement that made it */
	const char *name; /* "" if it has none */
	const char *path; /* CSV to write, or NULL */
	uint32_t ncolumn;
	const char **column;
	bool *integer;
	Axis *of; /* ints that are places of an axis with labels; 0 otherwise */
	size_t rows, room;
	Cell *cell; /* [rows][ncolumn], malloc */
} RecordTable;

typedef struct LoopVar {
	const Loop *loop;
	double value;
	bool integer;
} LoopVar;

struct Checkpoint;
struct BuildOptions;

struct Run {
	Engine *e;
	Program *program;
	Core *core;
	Store *store;
	uint64_t seed; /* of this moment: the run's, mixed with the enclosing loops */
	struct Machine *machine; /* what plans run on */
	double runs;   /* how often a plan that is made now is expected to run */
	bool single;   /* a plan that is made now computes in f32 */
	const char *what; /* what a plan that is made now is for, or NULL */
	CachedPlan *plan;
	size_t nplan, plan_room;
	uint32_t executed; /* top-level statements done */
	Frame frame[RUN_DEPTH];
	unsigned depth;
	LoopVar loop[RUN_DEPTH]; /* sweep variables, outermost first */
	unsigned nloop;
	RecordTable *table;
	size_t ntable, table_room;
	RtMetrics *metrics;
	bool metrics_failed;
	bool no_interaction;    /* quiet evaluation: nothing is printed or written by statements */
	struct DataState *data; /* data_load.c */
	unsigned claims, claims_failed;
	const struct BuildOptions *build; /* of export statements; NULL: none were given */
	const Stmt *only;    /* the one export statement that is carried out; NULL: all */
	bool stop;           /* an error ended the run */
	bool compiling;      /* plans are made before the values that they will read */
	const char **frozen; /* sets of frozen parameters met so far, a text of 0 and 1 each; in the
				engine's arena */
	size_t nfrozen, frozen_room;
	bool interrupted;
	struct Checkpoint *checkpoint;   /* being continued or written; NULL without --resume */
	const struct Training *training; /* the one that runs now */
	/* Asked after every step of a training, which goes on for as long as it says so, whatever
	 * its phase says; NULL: nobody watches. (bench) */
	bool (*watch)(void *data);
	void *watch_data;
};

/* ---- run_compile.c */
/* The plans of all statements in the order of the text, before anything runs: mistakes that only a
 * plan shows come first, and the bits of a result do not depend on which statements ran before (a
 * continued run plans in the same order). */
bool run_compile(Run *r);
/* ---- run_stmt.c: plans that are kept under the statement */
Plan *let_plan(Run *r, const Stmt *s);
Plan *loop_plan(Run *r, const Loop *l);
bool run_block(Run *r, const Block *b);
bool run_statement(Run *r, Stmt *s);
/* ---- run_params.c */
bool params_prepare(Run *r);
/* Initial values for n parameters; key as in eval_cached (NULL: not kept). */
bool params_reset(Run *r, const void *key, uint32_t n, ParamInfo **param, uint64_t seed);
bool params_set(Run *r, const Stmt *s);
Plan *params_set_plan(Run *r, const Stmt *s);
Plan *params_init_plan(Run *r, const void *key, uint32_t n, ParamInfo **param, bool *none);
/* Stored entries of a parameter from values of what the program reads (a constraint's inverse);
 * false after E0410. */
bool params_from_values(Run *r, ParamInfo *p, const double *value);
/* Brings entries back onto their constraint where it is kept by C (orthogonal); false after a
 * diagnostic. */
bool params_retract(Run *r, ParamInfo *p);
/* ---- run_record.c */
/* The label of place v of the axis, or NULL if it has none. */
const char *run_label(const Run *r, Axis of, int64_t v);
/* NULL with *none set when no column is a number. */
Plan *record_plan(Run *r, const Stmt *s, bool *none);
bool record_row(Run *r, const Stmt *s, int64_t step);
bool record_finish(Run *r);
void record_free(Run *r);
char *record_to_text(const RecordTable *t);
bool record_from_text(Run *r, const char *text);
/* ---- run_value.c */
Plan *value_plan(Run *r, const void *key, uint32_t n, const Value *item, bool *none);
bool value_print(Run *r, const void *key, uint32_t n, const Value *item, FILE *out);
/* ---- run.c */
void run_event_end(Run *r);         /* ends a metrics line, reports a failure once */
bool run_interrupted(const Run *r); /* the user asked to stop */
/* A name of a definition, axis or parameter. */
const char *run_name(const Run *r, Sym s);
/* What a failed writing says behind "cannot write FILE". */
const char *run_reason(const RtError *err);
void run_rt_error(Run *r, Span at, const RtError *err); /* E0401, E0501, E0502, E0503 by status */
#endif
