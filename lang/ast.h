/* ast.h — the syntax tree: one uniform node; ast.def says what the children of each kind mean. */
#ifndef PNN_LANG_AST_H
#define PNN_LANG_AST_H
#include <stdbool.h>
#include "lang/arena.h"
#include "lang/diag.h"
#include "lang/intern.h"
#include "lang/source.h"

typedef enum {
#define AST(kind, name, kids) AST_##kind,
#include "lang/ast.def"
#undef AST
	AST_KINDS
} AstKind;

enum {
	AST_INTEGER = 1 << 0, AST_PERCENT = 1 << 1, AST_FILTER = 1 << 2, AST_IN = 1 << 3, AST_DRAW = 1 << 4,
	AST_EQ = 1 << 5, AST_FROM = 1 << 6, AST_AFTER_SEMI = 1 << 7, AST_SHARED = 1 << 8, AST_STEPS = 1 << 9,
	AST_EPOCHS = 1 << 10, AST_PERIODIC = 1 << 11, AST_PATH = 1 << 12, AST_FN_ = 1 << 13, AST_LAYER = 1 << 14,
	AST_NET = 1 << 15, AST_ACTIVATION = 1 << 16, AST_TO = 1 << 17, AST_SEED = 1 << 18, AST_THAW = 1 << 19,
	AST_EQUIVARIANT = 1 << 20, AST_MAXIMIZE = 1 << 21, AST_COMPLETE = 1 << 22
};

typedef struct Ast Ast;
struct Ast {
	AstKind kind;
	uint32_t flags;
	Span span;      /* the whole construct */
	Span name_span; /* the name, where there is one */
	Sym name, text;
	uint32_t nkid;
	uint32_t depth; /* levels of the tree below and with this node; set by ast_new */
	double num;
	int64_t integer; /* exact value of an AST_INTEGER NUM */
	Ast **kid;
};

/* What one parse needs and where its results live. */
typedef struct ParseCtx {
	Arena *arena;
	Intern *names;
	Sources *sources;
	Diags *diags;
} ParseCtx;

const char *ast_kind_name(AstKind k);
/* A node with n children copied from kids (may be NULL: all NULL). */
Ast *ast_new(Arena *a, AstKind kind, Span span, uint32_t n, Ast *const *kids);

/* Parses a whole registered text. Always returns a FILE node (with ERROR nodes where it went wrong);
 * mistakes are in ctx->diags. */
Ast *parse_file(ParseCtx *ctx, uint32_t file);
/* Parses one expression that must fill the text (pnnc eval -e, --set values); NULL after errors. */
Ast *parse_expression(ParseCtx *ctx, uint32_t file);
/* Parses what was typed at a prompt: as parse_file, and an expression alone is a statement that stands as itself;
 * a text that begins with : or ? is one COMMAND. */
Ast *parse_prompt(ParseCtx *ctx, uint32_t file);
/* For the prompt: is the text a complete input, or does it need another line? */
typedef enum { PARSE_COMPLETE, PARSE_NEEDS_MORE, PARSE_WRONG } ParseState;
ParseState parse_probe(ParseCtx *ctx, const char *text, size_t n);

/* Tokens of a file, one a line "lo-hi NAME text", for emit --stage tokens. Lexemes and gaps make up the text. */
void tokens_print(ParseCtx *ctx, uint32_t file, FILE *out);

/* Canonical source: keeps comments, blank lines and spelling of the original text that the tree was parsed from.
 * parse(print(x)) = parse(x); printing is idempotent. */
void ast_print(const Ast *file, const ParseCtx *ctx, FILE *out);
/* One expression or statement on one line without comments, for messages and dumps. */
const char *ast_text(Arena *a, const Intern *names, const Ast *node);
/* The tree itself, indented, one node a line with kind, name and span: emit --stage ast. */
void ast_dump(const Ast *node, const Intern *names, FILE *out);
#endif
