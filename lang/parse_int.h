/* parse_int.h — shared by the scanner (scan.l), the layout of lines and brackets (parse_layout.c),
 * the grammar (parse.y), the constructors of its actions (parse_build*.c), its messages
 * (parse_error.c) and the driver (parse_driver.c); nobody else includes it. */
#ifndef PNN_LANG_PARSE_INT_H
#define PNN_LANG_PARSE_INT_H
#include "lang/ast.h"

#define PARSE_BRACKETS_MAX 1000u /* open brackets at one place */
#define PARSE_DEPTH_MAX 2000u    /* levels of one tree: what follows recurses over it */

/* One token; kind is a TOK_ constant. Texts are interned only where a node needs them. */
typedef struct Token {
	int kind;
	uint32_t lo, hi;
	uint32_t flags; /* of the literal: AST_INTEGER, AST_PERCENT */
	unsigned depth; /* open brackets about it; a bracket counts as inside its own pair */
	bool invented;  /* put in by the layout where a bracket was missing */
	bool reported;  /* a mistake in it was reported: what it leads to is not */
	Sym name, text; /* name in normal form or contents of a string; text as spelled */
	double num;
	int64_t integer;
} Token;

/* A growing list of nodes. */
typedef struct AstList {
	Ast **item;
	size_t n, cap;
} AstList;

typedef struct Scan {
	ParseCtx *ctx;
	uint32_t file;
	const char *text;
	size_t n;
	Token token;    /* the last token */
	uint32_t piece; /* where the newest piece of a name begins */
	void *flex;     /* the generated scanner */
	void *jump;     /* jmp_buf to leave by when the generated scanner gives up */
	void *numbers;  /* the locale in which numbers are read: always "C" */
	bool out_of_memory;
} Scan;

/* Checks the text and opens a scanner on it; false after a diagnostic. scan_close in any case. */
bool scan_open(Scan *s, ParseCtx *ctx, uint32_t file);
/* The next raw token into s->token: words are all TOK_NAME, newlines TOK_NEWLINE, at the end
 * TOK_END. */
void scan_next(Scan *s);
void scan_close(Scan *s);

/* Called by the rules of scan.l; each sets s->token.kind and false says "nothing, go on". */
bool scan_word(Scan *s);
bool scan_character(Scan *s);
bool scan_number(Scan *s);
bool scan_hex(Scan *s);
bool scan_bad_number(Scan *s, const char *why);
bool scan_string(Scan *s);
bool scan_unit(Scan *s);
/* May a name begin at the present token, may one that ends at offset go on there? */
bool scan_name_begins(const Scan *s);
bool scan_name_goes_on(const Scan *s, uint32_t offset);
/* Bytes of the character at offset. */
size_t scan_character_length(const Scan *s, uint32_t offset);

/* ---- words
 * -----------------------------------------------------------------------------------------------------
 */
typedef enum {
	WORD_NONE,
	WORD_STATEMENT, /* begins a statement, followed by a name */
	WORD_VALUE,     /* begins a statement, followed by a value */
	WORD_RESERVED,  /* infix words */
	WORD_TYPE,
	WORD_REDUCER,
	WORD_CONTEXT /* means something inside certain statements, is a name elsewhere */
} WordClass;

typedef struct Word {
	const char *text;
	int kind;
	WordClass class;
} Word;

/* The row of a word, NULL for ordinary names; and the i-th row, NULL past the end. */
const Word *word_find(const char *text);
const Word *word_row(size_t i);
/* Kinds that begin a value, that can end one, that stand between two. */
bool token_begins_value(int kind);
bool token_ends_value(int kind);
bool token_is_infix(int kind);
/* The name of a token kind in messages: "a name", "`+`". */
const char *parse_token_name(int kind);

/* ---- layout
 * ----------------------------------------------------------------------------------------------------
 */
typedef struct Bracket {
	char sign;
	uint32_t at;
} Bracket;

typedef struct Layout {
	Scan scan;
	Bracket open[PARSE_BRACKETS_MAX];
	unsigned n_open;
	Token peeked,
		held; /* a raw token read ahead; a token that waits for invented ones before it */
	unsigned to_close; /* brackets still to be closed by invented tokens */
	int previous;      /* kind delivered last */
	Token newline;     /* remembered, delivered if the next token does not go on */
	bool has_peeked, has_held, has_newline;
	bool fresh_line;    /* a newline that ends no statement was just passed */
	bool dropped;       /* a surplus bracket was just left out */
	bool prompt, probe; /* commands are allowed; brackets may stay open at the end */
	bool too_deep, ended, unfinished;
} Layout;

bool layout_open(Layout *l, ParseCtx *ctx, uint32_t file);
/* The next token for the grammar; TOK_END for ever at the end. Sets l->too_deep when it gave up. */
Token layout_next(Layout *l);
void layout_close(Layout *l);

/* ---- the parser
 * ------------------------------------------------------------------------------------------------
 */
typedef enum { PARSE_FILE, PARSE_EXPRESSION, PARSE_PROMPT } ParseMode;

typedef struct Parser {
	ParseCtx *ctx;
	uint32_t file;
	ParseMode mode;
	Layout layout;
	Token previous, current; /* pushed last, being pushed */
	Token before;            /* pushed before `previous` */
	Ast *result;
	unsigned skip_depth; /* while recovering, tokens in deeper brackets are dropped */
	bool recovering, deep;
	unsigned mistakes;
} Parser;

/* Span of a token. */
Span parse_span(const Parser *p, const Token *t);
/* The text of a span cut to a length fit for a message, in back quotes. */
const char *parse_quote(const Parser *p, Span at);
/* The same without quotes, for suggestions; a line break inside is shown as a blank. */
const char *parse_excerpt(const Parser *p, Span at);
/* Reports a syntax error at p->current; expected are n token kinds. */
void parse_report(Parser *p, const int *expected, size_t n);
/* The tree or the stack got too deep: once. */
void parse_report_deep(Parser *p, Span at, unsigned limit);
/* Runs the grammar over the layout's tokens; true when it accepted. stop_early: leave before the
 * end token. */
bool parse_run(Parser *p, bool probe);

/* ---- constructors of the grammar's actions ----------------------------------------------------
 * Tokens and spans say where; a node that would be too deep, or is no sense, is reported and
 * becomes an error node. */

/* parse_build.c: nodes, lists, expressions */
AstList build_none(void);
AstList build_list(Parser *p, AstList list, Ast *item); /* appends; a NULL item is left out */
AstList build_concat(Parser *p, AstList a, AstList b,
                     uint32_t flags); /* the nodes of b get the flags */
Ast *build_node(Parser *p, AstKind kind, Span at, const Token *name, size_t n, Ast *const *kids);
Ast *build_from(Parser *p, AstKind kind, Span at, const Token *name, Ast *first, AstList rest);
#define BUILD(p, kind, at, name, ...)                                                         \
	build_node((p), (kind), (at), (name), sizeof((Ast *[]){__VA_ARGS__}) / sizeof(Ast *), \
	           (Ast *[]){__VA_ARGS__})
Ast *build_error(Parser *p, AstKind kind, Span at);
Ast *build_flag(Ast *node, uint32_t flags);
Ast *build_name(Parser *p, const Token *t);
Ast *build_number(Parser *p, const Token *t);
Ast *build_quantity(Parser *p, const Token *number, const Token *unit, Span at);
Ast *build_string(Parser *p, const Token *t);
/* name NULL: the operator's own spelling */
Ast *build_binary(Parser *p, const Token *op, const char *name, Ast *left, Ast *right);
Ast *build_compare(Parser *p, const Token *op, Ast *left, Ast *right);
Ast *build_bits(Parser *p, const Token *op, Ast *left, Ast *right);
Ast *build_unary(Parser *p, const Token *op, Ast *operand);
Ast *build_superscript(Parser *p, Ast *base, const Token *sup);
Ast *build_argument(Parser *p, Ast *left, Ast *right);
Ast *build_condition(Parser *p, const Token *equals, Ast *left, Ast *right);
Ast *build_question(Parser *p, Ast *condition);
Ast *build_several(Parser *p, Span at, AstList values); /* the only one, or a TUPLE */

/* parse_build_index.c: brackets, reducers, derivatives */
Ast *build_brackets(Parser *p, Span at, AstList args);
Ast *build_array(Parser *p, Span at, AstList elements);
Ast *build_comprehension(Parser *p, Span at, AstList elements, Ast *body);
Ast *build_element(Parser *p, Ast *pattern, Ast *set, uint32_t flags);
/* [k in axis] on a left side: the NAME, with the axis as its kid */
Ast *build_place(Parser *p, const Ast *name, Ast *axis);
Ast *build_binder(Parser *p, Ast *pattern, Ast *set, uint32_t flags);
Ast *build_binders(Parser *p, Span at, AstList binders, Ast *filter);
Ast *build_reduce(Parser *p, Span at, const Token *word, Ast *binders, Ast *body);
Ast *build_metric(Parser *p, Span at, const Token *word, Ast *binders, AstList args, Span args_at);
Ast *build_partial(Parser *p, Span at, const Token *sign, unsigned order, Ast *of,
                   AstList variables);
Ast *build_dvar(Parser *p, Span at, Ast *variable, unsigned order);
unsigned build_order(Parser *p, const Token *t);
/* Is the expression a name, or a bracket of names? */
bool build_is_pattern(const Ast *e);

/* parse_build_stmt.c: statements */
Ast *build_type(Parser *p, Span at, const Token *name, AstList axes, const Token *unit);
Ast *build_param(Parser *p, Span at, const Token *name, Ast *type, Ast *init, Ast *path,
                 AstList constraints, uint32_t flags);
/* States that are records are taken apart in a list of statements. */
AstList build_states(Parser *p, AstList items);
Ast *build_const_draw(Parser *p, Span at, const Token *name, const Ast *type, const Ast *dist);
Ast *build_data(Parser *p, Span at, const Token *name, Ast *from, Ast *other, Ast *body,
                bool equals);
Ast *build_rows(Ast *data, Ast *rows); /* rows may be NULL */
Ast *build_split(Parser *p, Span at, const Token *data, Ast *by, Ast *seed, AstList parts);
Ast *build_seed(Parser *p, const Token *word, Ast *value);
Ast *build_use(Parser *p, Span at, Ast *optimiser, Ast *count, Ast *until, uint32_t flags);
Ast *build_freeze(Parser *p, Span at, const Token *word, AstList targets);
Ast *build_record(Parser *p, Span at, AstList args, Ast *path);
Ast *build_every(Parser *p, Span at, Ast *statement, Ast *count);
Ast *build_reset(Parser *p, Span at, AstList targets, Ast *seed);
Ast *build_plot(Parser *p, Span at, AstList values, AstList options);
AstList build_claim_fors(Parser *p, const Token *word, AstList items);
Ast *build_command(Parser *p, Span at, const Token *t);

/* parse_items.c: what may stand in which body */
Ast *build_block(Parser *p, Span at, AstList items);
Ast *build_file(Parser *p, AstList items);
AstList build_items(Parser *p, AstKind owner, AstList items);
#endif
