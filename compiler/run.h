/* run.h — a program being executed: data loaded, parameters made, statements carried out in order.
 */
#ifndef PNN_COMPILER_RUN_H
#define PNN_COMPILER_RUN_H
#include "compiler/engine.h"
#include "compiler/store.h"

typedef struct Run Run;

/* The state of a run of e->program, nothing loaded yet; NULL when memory is out. */
Run *run_create(Engine *e);
/* Frees the state, its plans and values; NULL is allowed. */
void run_free(Run *r);
Store *run_store(Run *r);
/* Loads, simulates or samples the data sets that are not there yet, cuts splits, and gives
 * parameters that have no values their initial ones. False after a diagnostic (E04xx, E05xx). May
 * be called again after more of the program was added. */
bool run_prepare(Run *r);
/* Executes the statements of the program that were not executed yet; diagnostics are shown as they
 * come. Continues a checkpoint if the options name one that exists. Returns the exit code. */
int run_program(Run *r);
/* Writes what recorded tables were given as paths, prints the tables unless quiet, closes the file
 * of events. */
void run_finish(Run *r);
/* Forgets values of parameters and data and what was executed (the prompt's :reload and a file that
 * changed). */
void run_forget(Run *r);
/* Computes a value and shows it on out: numbers with %.6g, arrays with labels if small, the unit
 * behind. False after a diagnostic. */
bool run_show(Run *r, const Value *v, FILE *out);
#endif
