/* diag.h — diagnostics: one typed constructor per row of diags.def, collected, sorted by place and rendered.
 *
 * A row is  DIAG(CODE, SEVERITY, name, P(parameters), "wording with %s", A(arguments))  and makes
 *     Diag *diag_name(Diags *, Span, parameters);
 * The wording is checked by the compiler like a printf format. The returned Diag may be given notes and a help
 * line; it is never NULL. diags_note adds the other place involved; diags_help the suggestion.
 * A row of diags.def may stand behind a comment; rows are sorted by code. Families: E01xx text and syntax, E02xx
 * names, types, axes, units, E03xx differentiation, E04xx data and numerics at run time, E05xx environment and use,
 * C00xx claims, W00xx warnings. Each code has a page doc/errors/CODE.md (title line, explanation, a fenced example
 * that fails with it, the remedy) and a test tests/diag/CODE_name.pnn. */
#ifndef PNN_LANG_DIAG_H
#define PNN_LANG_DIAG_H
#include <stdbool.h>
#include <stdio.h>
#include "lang/source.h"

typedef enum { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR, DIAG_REFUTED } DiagSeverity;
typedef struct Diag Diag;
typedef struct Diags Diags;

/* Collects into a; at most limit errors are kept for showing (the others are only counted). */
Diags *diags_create(Arena *a, const Sources *ss, unsigned limit);
/* A second place with a text shown under its own line. Returns d. */
Diag *diag_note(Diag *d, Span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Text without a place ("= text"). */
Diag *diag_remark(Diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The suggestion ("help: text"). */
Diag *diag_help(Diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text under the carets of the main place. */
Diag *diag_label(Diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
unsigned diags_errors(const Diags *ds);   /* errors so far, refuted claims not counted */
unsigned diags_warnings(const Diags *ds);
unsigned diags_count(const Diags *ds);
/* The newest one, to be given another note: where the function was called that it stands in. NULL if there is none. */
Diag *diags_last(Diags *ds);
/* Forgets everything (the REPL, after showing). */
void diags_clear(Diags *ds);
/* Number to go back to with diags_rewind, for trial elaboration whose errors are not wanted. */
unsigned diags_mark(const Diags *ds);
void diags_rewind(Diags *ds, unsigned mark);
/* Writes all, sorted by place, to out: as text (colour if asked) or as one JSON object per line. */
void diags_render(Diags *ds, FILE *out, bool colour, bool json);
/* The n-th candidate nearest to name in edit distance, or NULL if none is near: for "did you mean". */
const char *diag_nearest(const char *name, const char *const *candidates, size_t n);
/* The exit code of the worst diagnostic: 3 source, 4 data (E04xx but numerics), 5 numerics, 6 environment, 2 usage, 1 refuted; 0 none. */
int diags_exit_code(const Diags *ds);
/* Code table: i-th row's code, name, severity and wording; NULL code past the end. */
typedef struct DiagRow { const char *code, *name, *wording; DiagSeverity severity; int exit_code; } DiagRow;
const DiagRow *diag_row(unsigned i);

#define P(...) __VA_ARGS__
#define A(...) __VA_ARGS__
#define DIAG(code, severity, exit_code, name, params, wording, args) \
	Diag *diag_##name(Diags *ds, Span at params);
#include "lang/diags.def"
#undef DIAG
#undef P
#undef A
#endif
