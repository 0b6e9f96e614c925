/* front_aid.h — shared by the tests of the front end: a context of its own for each test. */
#ifndef PNN_TESTS_FRONT_AID_H
#define PNN_TESTS_FRONT_AID_H
#include "lang/ast.h"

typedef struct Front {
	Arena *arena;
	ParseCtx ctx;
} Front;

Front front_open(void);
void front_close(Front *f);
uint32_t front_text(Front *f, const char *text);
/* Parses a text; the tree, with its mistakes in f->ctx.diags. */
Ast *front_parse(Front *f, const char *text);
/* Codes of the diagnostics in the order of their places: "E0105 E0106"; in the arena. */
const char *front_codes(Front *f);
/* What diags_render writes; in the arena. */
const char *front_render(Front *f, bool json);
/* What ast_print writes for a tree; in the arena. */
const char *front_print(Front *f, const Ast *tree);
/* A whole file; NULL when it is not there. In the arena. */
const char *front_read(Front *f, const char *path);
#endif
