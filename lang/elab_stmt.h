/* elab_stmt.h — what elab_stmt.c, elab_set.c and elab_export.c share. */
#ifndef PNN_LANG_ELAB_STMT_H
#define PNN_LANG_ELAB_STMT_H
#include "lang/elab_int.h"

/* body over v's own indices as a definition: an output. */
Def stmt_closed_def(Elab *e, Sym name, Span at, const Val *v, Node body);
/* A string constant; false after a diagnostic. */
bool stmt_path(Elab *e, Scope *s, const Ast *ast, Sym *path);
/* set left = right into st; false after a diagnostic. */
bool stmt_set(Elab *e, Scope *s, const Ast *ast, Stmt *st);
/* plot … (elab_plot.c); false after a diagnostic. */
bool elab_plot(Elab *e, Scope *s, const Ast *ast, PlotInfo *out);
/* with title = "…", log = y, … of a plot (elab_plot_option.c): by is the expression behind `by`, or
 * NULL; false after a diagnostic. */
bool plot_options(Elab *e, Scope *s, const Ast *with, PlotOptions *out, const Ast **by);
/* The word that an option or a kind is given as, "" if it is none: a name or a string. */
const char *plot_word(Elab *e, const Ast *ast);
#endif
