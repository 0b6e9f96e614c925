/* ast.c — nodes of the syntax tree. Keeps: depth = 1 + the largest depth of a child. */
#include "lang/ast.h"

#include <string.h>

const char *ast_kind_name(AstKind k)
{
	static const char *const names[] = {
#define AST(kind, name, kids) name,
#include "lang/ast.def"
#undef AST
	};
	return (unsigned)k < AST_KINDS ? names[k] : "?";
}

Ast *ast_new(Arena *a, AstKind kind, Span span, uint32_t n, Ast *const *kids)
{
	Ast *node = arena_new(a, Ast);
	node->kind = kind;
	node->span = span;
	node->nkid = n;
	node->kid = n ? arena_array(a, Ast *, n) : NULL;
	for (uint32_t i = 0; i < n && kids; i++) {
		node->kid[i] = kids[i];
		if (kids[i] && kids[i]->depth > node->depth) {
			node->depth = kids[i]->depth;
		}
	}
	node->depth++;
	return node;
}
