/* ast_print_int.h — shared by ast_print.c (lines, comments, alignment) and ast_print_space.c
 * (blanks between tokens); nobody else includes it. */
#ifndef PNN_LANG_AST_PRINT_INT_H
#define PNN_LANG_AST_PRINT_INT_H
#include "lang/parse_int.h"

/* What a bracket is, by what stands before it. */
typedef enum {
	BRACKET_NONE,
	BRACKET_CALL,
	BRACKET_GROUP,
	BRACKET_INDEX,
	BRACKET_ARRAY,
	BRACKET_TYPE,
	BRACKET_BODY
} BracketKind;

typedef struct PrintToken {
	Token t;
	bool begins;         /* a statement */
	bool unary;          /* a minus that is no difference, a star that is an index */
	BracketKind bracket; /* of an opening bracket; of its partner, too */
	bool close_commas;   /* in this bracket commas are followed by nothing */
	uint32_t inside;     /* number + 1 of the innermost opening bracket about the token */
	uint32_t braces;     /* open { about the token */
	uint32_t partner;    /* of an opening bracket: number of the closing one */
} PrintToken;

typedef struct PrintTokens {
	PrintToken *item;
	size_t n, cap;
	const char *text;
} PrintTokens;

/* Fills in what stands in which bracket. */
void print_structure(PrintTokens *ts);
/* Is there a blank between tokens i-1 and i on one line? */
bool print_blank(const PrintTokens *ts, size_t i);
#endif
