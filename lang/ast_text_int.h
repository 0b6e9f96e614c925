/* ast_text_int.h — shared by ast_text.c (expressions) and ast_text_stmt.c (statements); nobody else
 * includes it. */
#ifndef PNN_LANG_AST_TEXT_INT_H
#define PNN_LANG_AST_TEXT_INT_H
#include "lang/ast.h"

/* The line being made; s is 0-terminated. */
typedef struct TextOut {
	Arena *arena;
	const Intern *names;
	char *s;
	size_t n, cap;
} TextOut;

/* Levels of the grammar, loosest first: what may stand where without brackets. */
typedef enum {
	LEVEL_EXPR,
	LEVEL_PIPE,
	LEVEL_OR,
	LEVEL_AND,
	LEVEL_NOT,
	LEVEL_COMPARE,
	LEVEL_RANGE,
	LEVEL_BITS,
	LEVEL_ADDITIVE,
	LEVEL_TERM,
	LEVEL_PRODUCT,
	LEVEL_FACTOR,
	LEVEL_POWER,
	LEVEL_POSTFIX,
	LEVEL_PRIMARY
} Level;

void text_put(TextOut *t, const char *s);
void text_sym(TextOut *t, Sym s);
/* The node's name as the user spelled it. */
void text_name(TextOut *t, const Ast *node);
/* An expression, in brackets where its level is looser than the least that may stand there. */
void text_expr(TextOut *t, const Ast *e, Level least);
/* kids first..n-1, with a separator between. */
void text_kids(TextOut *t, const Ast *node, uint32_t first, uint32_t n, const char *separator);
/* Any node that is no expression. */
void text_statement(TextOut *t, const Ast *s);
#endif
