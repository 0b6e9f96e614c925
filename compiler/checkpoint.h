/* checkpoint.h — continuing an interrupted run to the very same bits (--resume FILE).
 *
 * A checkpoint is a safetensors file: parameters as stored, variables of the program, states of the
 * optimiser that runs, where execution stands, and the tables recorded so far; its metadata name
 * the program by its hash. It is written atomically at the ends of statements and trainings and,
 * inside a training, every so many seconds or steps: time may decide when one is written, never
 * what a run computes. */
#ifndef PNN_COMPILER_CHECKPOINT_H
#define PNN_COMPILER_CHECKPOINT_H
#include "compiler/run.h"

/* Reads the checkpoint if --resume names one that exists, and puts its values in place. False after
 * a diagnostic. */
bool checkpoint_open(Run *r);
/* Is a checkpoint there to be continued? (before checkpoint_open too) */
bool checkpoint_continues(const Run *r);
/* Where a block at this depth begins: the saved statement, or 0; and the saved pass and branch of
 * that statement. */
bool checkpoint_frame(Run *r, unsigned depth, uint32_t *stmt, int64_t *pass, bool *branch);
/* Was the checkpoint written inside a block of the statement at this depth? */
bool checkpoint_deeper(const Run *r, unsigned depth);
/* Execution reached the saved place: from now on everything is carried out. */
void checkpoint_arrived(Run *r);
/* Writes a checkpoint at the end of a statement if --resume was given and enough time has passed,
 * or `now`. */
bool checkpoint_statement(Run *r, bool now);
void checkpoint_free(Run *r);

/* Named arrays of a training that runs; the checkpoint asks for them when it is written and gives
 * them back later. */
typedef struct SavedArray {
	const char *name;
	double *value;
	size_t n;
	Def leaf; /* its values in the place of `value`, or 0 */
} SavedArray;
/* Writes a checkpoint inside a training: `state` beside everything else. */
bool checkpoint_training(Run *r, uint32_t n, const SavedArray *state, bool now);
/* What every training saves first, in an array named "training": phase, step of the phase (0: it
 * has not begun), steps of the training, first loss. */
enum { TRAINING_PHASE, TRAINING_STEP, TRAINING_TOTAL, TRAINING_FIRST, TRAINING_NUMBERS };
/* Was the checkpoint that is being continued written inside the training that begins now? Then
 * these numbers. */
bool checkpoint_training_numbers(const Run *r, double number[TRAINING_NUMBERS]);
/* Fills state from the checkpoint; false after a diagnostic (E0408) when something is missing or of
 * another size. */
bool checkpoint_restore_training(Run *r, uint32_t n, const SavedArray *state);
/* The training ended: its arrays in the checkpoint are of no more use. */
void checkpoint_training_over(Run *r);
#endif
