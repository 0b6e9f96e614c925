/* elab_call.h — what the files of function calls share. */
#ifndef PNN_LANG_ELAB_CALL_H
#define PNN_LANG_ELAB_CALL_H
#include "lang/elab_int.h"

/* Index variables, each once, in order of arrival. */
typedef struct IndexSet {
	Index *ix;
	uint32_t n, cap;
} IndexSet;
void index_set_add(Elab *e, IndexSet *set, Index ix);
/* The indices that are bound around a place. */
void index_set_around(Elab *e, Scope *s, IndexSet *out);
/* The free indices of a node, of what a function has captured, of a value; those in own are left
 * out. */
void index_set_node(Elab *e, Node node, IndexSet *out, const Index *own, uint32_t nown);
void index_set_captured(Elab *e, const FnVal *f, IndexSet *out);
void index_set_value(Elab *e, const Val *v, IndexSet *out, const Index *own, uint32_t nown);
/* The result of an earlier expansion with the same arguments up to renaming of indices. */
bool memo_recall(Elab *e, FnDecl *d, Sym path, uint32_t n, const Val *arg, uint32_t nfree,
		 const Index *free, Val *out);
/* derivative f(x) = …: the value of the call as a definition that carries the rule. */
Val rule_apply(Elab *e, Scope *in, FnDecl *d, Val v, const Val *formal);
/* A sum, product or multiple of functions at its arguments. */
Val fn_call_combined(Elab *e, Scope *s, const FnVal *f, Span at, uint32_t n, Val *arg,
		     const Ast *ast);
/* Where functions stand for their values (equations, figures), an argument that f calls stays a function: the scope in which
 * the argument of that name, or at that place, is elaborated. */
Scope *scope_of_argument(Elab *e, Scope *s, const FnVal *f, Sym name, uint32_t place);
#endif
