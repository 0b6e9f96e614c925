/* train_int.h — what the files of training share. */
#ifndef PNN_COMPILER_TRAIN_INT_H
#define PNN_COMPILER_TRAIN_INT_H
#include "compiler/checkpoint.h"
#include "compiler/run_int.h"
#include "compiler/train.h"

/* Minibatches of one phase: records in the order of a permutation that is new in every epoch. What
 * is left over at the end of an epoch, less than a batch, waits for the next permutation. */
typedef struct Batches {
	DataInfo *of, *batch;
	size_t records, size, per_epoch;
	size_t *order;
	int64_t epoch; /* of the order, 0: none yet */
} Batches;

/* What the outputs of a step plan are. */
typedef struct Layout {
	uint32_t objective, term, norm, change,
		gradient; /* first output of each kind; change and gradient 0: not there */
	uint32_t n;
} Layout;

typedef struct Training {
	Run *r;
	const Stmt *stmt;
	const TrainInfo *t;
	const Phase *phase;
	uint32_t phase_number;
	int64_t count; /* steps or epochs of the phase, -1: until its condition */
	int64_t step;  /* of the phase, from 1 */
	int64_t total; /* steps since the training began */
	double first_loss, loss, norm, change;
	double *term;
	bool have_first;
	double started, phase_started, last_shown; /* seconds of a monotone clock */
	int64_t shown_step;
	Batches batches;
	Plan *assigns; /* the step that changes parameters; NULL in a line search */
	bool good;     /* it ran before with a loss that was finite */
	uint32_t nfree; /* updates whose parameter is not frozen */
	const Update **update;
	bool wants_change;
	bool resumed; /* this phase continues a checkpoint */
} Training;

/* Parts of a phase under which plans are kept: a condition, options of a line search, then two for
 * each set of frozen parameters. */
enum { PART_UNTIL, PART_COUNT, PART_OPTION = 4, PART_STEP = 8 };

/* ---- train_step.c: the plan of one step */
/* Outputs: objective, terms, gradient norm, largest change if wanted, then next values and states,
 * assigned to their leaves; for a line search the gradients instead. Kept by the run. NULL after a
 * diagnostic. */
Plan *step_plan(Training *tr, Layout *layout);
/* First values of the optimiser's states, assigned to their leaves; NULL with *none when it keeps
 * none. */
Plan *state_plan(Training *tr, bool *none);
/* ---- train_batch.c */
bool batches_begin(Training *tr);
/* Fills the batch of this step; the epoch's number. */
int64_t batches_next(Training *tr);
void batches_end(Training *tr);
/* New points where sets are redrawn, as they stand at step `total` (from 0); all: also those that
 * do not change now. */
bool points_refresh(Training *tr, int64_t total, bool all);
/* ---- train_report.c */
double train_clock(void);
void report_begin(Training *tr);
void report_step(Training *tr);
void report_end(Training *tr, const char *why);
/* ---- train_loop.c */
bool phase_first_order(Training *tr);
bool alloc_states(Training *tr);
/* The leaves `step` and `epoch` of this step. */
void step_leaves(Training *tr, int64_t epoch);
/* After a step: leaves for expressions, events, records; *until when the phase is over by its own
 * condition. */
bool step_done(Training *tr, bool *until);
bool step_limit(const Training *tr, int64_t *limit);
/* Diagnoses a loss or gradient that is not finite, or a loss that grew without bound. True if all
 * is well. */
bool step_healthy(Training *tr);
/* ---- train_lbfgs.c */
bool phase_line_search(Training *tr);
#endif
