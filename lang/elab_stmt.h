/* elab_stmt.h — what elab_stmt.c and elab_set.c share. */
#ifndef PNN_LANG_ELAB_STMT_H
#define PNN_LANG_ELAB_STMT_H
#include "lang/elab_int.h"

/* body over v's own indices as a definition: an output. */
Def stmt_closed_def(Elab *e, Sym name, Span at, const Val *v, Node body);
/* set left = right into st; false after a diagnostic. */
bool stmt_set(Elab *e, Scope *s, const Ast *ast, Stmt *st);
#endif
