/* core_text.h — one definition's worth of names while expressions are printed; shared by
 * core_text.c and core_print.c. */
#ifndef PNN_LANG_CORE_TEXT_H
#define PNN_LANG_CORE_TEXT_H
#include "lang/core_int.h"

/* Precedence, loosest first: an operand that binds less tightly than its place asks for stands in
 * brackets. */
enum {
	BIND_IF,
	BIND_OR,
	BIND_AND,
	BIND_NOT,
	BIND_COMPARE,
	BIND_SUM,
	BIND_PRODUCT,
	BIND_FACTOR,
	BIND_POWER,
	BIND_ATOM
};

typedef struct IndexName {
	Index index;
	const char *name;
} IndexName;

typedef struct CoreText {
	Core *c;
	Arena *a;
	/* Names of definitions by number, their lines (order of operands), and which reductions are
	 * printed in place; NULL for messages: then own names, numbers of definitions, and nameless
	 * reductions in place. */
	const char *const *def_name;
	const uint32_t *def_line;
	const bool *in_place;
	const char *const *axis_name; /* by axis number, or NULL */
	/* May an index variable stand in a reducer without its axis? Asked with the body. NULL:
	 * always. */
	bool (*plain_binder)(void *data, const struct CoreText *t, Index i, Node body);
	void *data;
	/* names that index variables must not take */
	bool (*taken)(void *data, const char *name);
	IndexName *index;
	size_t nindex, indexcap;
	Def whole; /* the reduction that is the whole value of this line: keeps its sign */
	unsigned depth;
} CoreText;

/* Name of an index variable in this text; a fresh distinct one at first use. */
const char *core_text_index(CoreText *t, Index i);
/* Forgets the index variables (a new line). */
void core_text_clear(CoreText *t);
/* n in brackets if it binds less tightly than least. */
const char *core_text_node(CoreText *t, Node n, int least);
/* A number as the shortest text that reads back exactly. */
const char *core_text_number(Arena *a, double v);
const char *core_text_axis(const CoreText *t, Axis axis);
/* A text that is a name in the language: other characters become _. */
const char *core_text_clean(Arena *a, const char *name);

/* ---- between core_text.c and core_text_op.c ---- */
typedef struct TextBuffer {
	Arena *a;
	char *s;
	size_t n, cap;
} TextBuffer;

void core_text_put(TextBuffer *b, const char *s);
const char *core_text_finish(TextBuffer *b);
/* head, then the nodes with commas between them. */
const char *core_text_join(CoreText *t, const char *head, uint32_t n, const Node *args);
bool core_text_in_place(const CoreText *t, Def d);
/* An operand with its text; sign and power are the caller's. */
typedef struct TextOperand {
	int rank;      /* kind of thing */
	uint32_t line; /* of the definition that is read first in it */
	const char *text;
	size_t prefix; /* length of the coefficient in text, which does not count in the order */
	double coef;
	int32_t expo;
	Node node;
} TextOperand;
int core_text_order(const void *x, const void *y); /* for qsort */
TextOperand core_text_operand(CoreText *t, Node n, int least);
/* The terms of a sum times sign in the order of the text. */
TextOperand *core_text_terms(CoreText *t, Node n, double sign);
/* A NODE_OP, a read of a reduction in place; *binds is how tightly the text binds (set only where
 * it is no atom). */
const char *core_text_op(CoreText *t, Node n, int *binds);
const char *core_text_reduction(CoreText *t, Def d, const Node *args, int *binds, bool *minus);
/* n or -n, whichever shows fewer signs by a rule that depends on the text alone; *minus is turned
 * if it is -n. */
const char *core_text_signed(CoreText *t, Node n, int least, bool *minus);
#endif
