/* elab_reduce.h — what elab_reduce.c and elab_metric.c share. */
#ifndef PNN_LANG_ELAB_REDUCE_H
#define PNN_LANG_ELAB_REDUCE_H
#include "lang/elab_int.h"

/* The reduction of body over what b binds, where its filter holds. */
Node reduce_node(Elab *e, RedKind red, Span at, const Bound *b, Node body);
/* How many places b binds, as a real number. */
Node reduce_count(Elab *e, Span at, const Bound *b);
/* Sum or mean of a number, an array or a tuple. */
Val reduce_linear(Elab *e, Span at, const Bound *b, Val body, bool mean);
/* The names of all binders in the scope; false after a diagnostic. */
bool reduce_bind(Elab *e, Scope *in, const Ast *binders, const Ast *body, Bound *b);
bool reduce_is_metric(const char *name);
/* The metric of that name; ast is the reducer, s the scope of what it binds. */
Val reduce_metric(Elab *e, Scope *s, const Ast *ast, const Bound *b, const char *name);
#endif
