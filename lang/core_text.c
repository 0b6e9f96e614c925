/* core_text.c — expressions of the core as text of the language.
 * Operands are put into an order that follows from the text alone (lines of the definitions, then
 * spelling), so that reading a text back and printing it again gives the same bytes although
 * definitions are numbered anew. */
#include "lang/core_text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Expressions nested deeper or longer than this are cut in messages; core_print has given names to
 * their parts before. */
enum { TEXT_DEPTH = 400, TEXT_SIZE = 20000 };

/* ---- names and numbers ---- */

const char *core_text_clean(Arena *a, const char *name)
{
	char *s = arena_strdup(a, name);
	for (char *p = s; *p; p++) {
		unsigned char ch = (unsigned char)*p;
		bool letter = ch >= 0x80 || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
		bool digit = ch >= '0' && ch <= '9';
		if (!letter && !(digit && p != s) && !(ch == '_' && p != s)) {
			*p = p == s ? 'd' : '_';
		}
	}
	return s;
}

const char *core_text_axis(const CoreText *t, Axis axis)
{
	if (t->axis_name) {
		return t->axis_name[axis];
	}
	const AxisInfo *info = core_axis_info(t->c, axis);
	const char *name = intern_text(t->c->names, info->name);
	return *name ? name : arena_printf(t->a, "axis%u", axis);
}

void core_text_clear(CoreText *t)
{
	t->nindex = 0;
}

static bool index_name_used(const CoreText *t, const char *name)
{
	for (size_t k = 0; k < t->nindex; k++) {
		if (strcmp(t->index[k].name, name) == 0) {
			return true;
		}
	}
	return t->taken && t->taken(t->data, name);
}

const char *core_text_index(CoreText *t, Index i)
{
	for (size_t k = 0; k < t->nindex; k++) {
		if (t->index[k].index == i) {
			return t->index[k].name;
		}
	}
	const char *base = intern_text(t->c->names, core_index_name(t->c, i));
	if (!*base) {
		char first = core_text_axis(t, core_index_axis(t->c, i))[0];
		base = first >= 'a' && first <= 'z' ? arena_printf(t->a, "%c", first) : "i";
	}
	base = core_text_clean(t->a, base);
	const char *name = base;
	for (unsigned k = 2; index_name_used(t, name); k++) {
		name = arena_printf(t->a, "%s%u", base, k);
	}
	ARENA_PUSH(t->a, t->index, t->nindex, t->indexcap, ((IndexName){i, name}));
	return name;
}

const char *core_text_number(Arena *a, double v)
{
	if (v != v || isinf(v)) {
		return v != v ? "nan" : v > 0 ? "inf" : "-inf";
	}
	char text[40];
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v) {
			break;
		}
	}
	char *e = strchr(text, 'e');
	if (!e) {
		return arena_strdup(a, text);
	}
	long power = strtol(e + 1, NULL, 10);
	if (power > 0 && power < 16) {
		snprintf(text, sizeof text, "%.0f", v);
		return arena_strdup(a, text);
	}
	*e = 0;
	return arena_printf(a, "%se%ld", text, power);
}

/* A positive coefficient: 1/3 reads better than 0.3333333333333333 and is the same number. */
static const char *coefficient(Arena *a, double v)
{
	const char *text = core_text_number(a, v);
	if (strlen(text) <= 6 || v > 1e6) {
		return text;
	}
	for (int q = 2; q <= 1000; q++) {
		double p = nearbyint(v * q);
		if (p >= 1 && p <= 1e6 && p / q == v) {
			return arena_printf(a, "%.0f/%d", p, q);
		}
	}
	return text;
}

static const char *definition_name(const CoreText *t, Def d)
{
	if (t->def_name) {
		return t->def_name[d];
	}
	const char *name = intern_text(t->c->names, core_def(t->c, d)->name);
	return *name ? name : arena_printf(t->a, "d%u", d);
}

bool core_text_in_place(const CoreText *t, Def d)
{
	if (t->in_place) {
		return t->in_place[d];
	}
	const DefInfo *info = core_def(t->c, d);
	return info->red != RED_NONE && !info->name && info->npiece == 1;
}

/* ---- pieces of text ---- */

void core_text_put(TextBuffer *b, const char *s)
{
	for (; *s; s++) {
		ARENA_PUSH(b->a, b->s, b->n, b->cap, *s);
	}
}

const char *core_text_finish(TextBuffer *b)
{
	ARENA_PUSH(b->a, b->s, b->n, b->cap, '\0');
	return b->s;
}

static const char *brackets(CoreText *t, const char *s, int binds, int least)
{
	return binds < least ? arena_printf(t->a, "(%s)", s) : s;
}

const char *core_text_join(CoreText *t, const char *head, uint32_t n, const Node *args)
{
	TextBuffer b = {.a = t->a};
	core_text_put(&b, head);
	for (uint32_t k = 0; k < n; k++) {
		core_text_put(&b, k ? ", " : "");
		core_text_put(&b, core_text_node(t, args[k], BIND_IF));
	}
	return core_text_finish(&b);
}

/* ---- order of operands ---- */

int core_text_order(const void *x, const void *y)
{
	const TextOperand *a = x, *b = y;
	if (a->rank != b->rank) {
		return a->rank < b->rank ? -1 : 1;
	}
	if (a->line != b->line) {
		return a->line < b->line ? -1 : 1;
	}
	return strcmp(a->text + a->prefix, b->text + b->prefix);
}

static uint32_t first_line(const CoreText *t, Node n)
{
	for (int depth = 0; depth < TEXT_DEPTH; depth++) {
		const NodeInfo *p = core_node(t->c, n);
		if (p->tag == NODE_READ) {
			return core_text_in_place(t, p->ref) ? UINT32_MAX
			       : t->def_line                 ? t->def_line[p->ref]
							     : p->ref;
		}
		if (p->tag != NODE_OP || p->n == 0) {
			return UINT32_MAX;
		}
		n = p->arg[0];
	}
	return UINT32_MAX;
}

static int rank_of(const CoreText *t, Node n)
{
	const NodeInfo *p = core_node(t->c, n);
	switch ((NodeTag)p->tag) {
	case NODE_CONST:
		return 0;
	case NODE_INDEX:
	case NODE_SIZE:
		return 1;
	case NODE_READ:
		return core_text_in_place(t, p->ref)               ? 9
		       : core_def(t->c, p->ref)->role == DEF_CONST ? 1
								   : 2;
	case NODE_OP:
		return 3;
	case NODE_PROD:
	case NODE_LIN:
		return 4;
	case NODE_RANDOM:
	case NODE_STOP:
	case NODE_D:
		return 5;
	default:
		return 7;
	}
}

TextOperand core_text_operand(CoreText *t, Node n, int least)
{
	return (TextOperand){.rank = rank_of(t, n),
			     .line = first_line(t, n),
			     .text = core_text_node(t, n, least),
			     .node = n};
}

/* ---- products ---- */

static bool is_sum_in_place(const CoreText *t, Node n)
{
	const NodeInfo *p = core_node(t->c, n);
	return p->tag == NODE_READ && core_text_in_place(t, p->ref) &&
	       core_def(t->c, p->ref)->red == RED_SUM;
}

/* The sign of a sum that is a factor is chosen by the text: its first printed term is positive
 * unless there is a positive constant. Returns ±1 times which the factor is printed. */
static double factor_sign(CoreText *t, Node n);
static const char *sum_text(CoreText *t, Node n, double sign, int *binds);
static const char *choice_text(CoreText *t, Node n, bool *minus);
static const char *product_text(CoreText *t, Node n, const char *prefix, bool *minus);
static const char *constant_text(CoreText *t, const NodeInfo *p, int *binds);

const char *core_text_signed(CoreText *t, Node n, int least, bool *minus)
{
	const NodeInfo *p = core_node(t->c, n);
	int binds = BIND_ATOM;
	if (p->tag == NODE_LIN) {
		double sign = factor_sign(t, n);
		*minus ^= sign < 0;
		const char *s = sum_text(t, n, sign, &binds);
		return brackets(t, s, binds, least);
	}
	if (p->tag == NODE_CONST && p->num < 0) {
		*minus ^= true;
		NodeInfo positive = *p;
		positive.num = -p->num;
		return constant_text(t, &positive, &binds);
	}
	if (p->tag == NODE_GUARD) {
		return brackets(t, choice_text(t, n, minus), BIND_IF, least);
	}
	if (p->tag == NODE_PROD) {
		binds = p->n == 1 && p->expo[0] > 0 ? BIND_POWER : BIND_PRODUCT;
		return brackets(t, product_text(t, n, "", minus), binds, least);
	}
	if (is_sum_in_place(t, n)) {
		const char *s = core_text_reduction(t, p->ref, p->arg, &binds, minus);
		return brackets(t, s, binds, least);
	}
	return core_text_node(t, n, least);
}

static const char *factor_text(CoreText *t, const TextOperand *o, bool last)
{
	int32_t e = o->expo < 0 ? -o->expo : o->expo;
	const char *base = o->text;
	if (e == 1) {
		bool open = is_sum_in_place(t, o->node) && !last;
		return open ? arena_printf(t->a, "(%s)", base) : base;
	}
	return arena_printf(t->a, "%s^%d", base, e);
}

/* prefix is the coefficient ("" for one). */
static const char *product_text(CoreText *t, Node n, const char *prefix, bool *minus)
{
	const NodeInfo *p = core_node(t->c, n);
	TextOperand *o = arena_array(t->a, TextOperand, p->n);
	uint32_t
		below = 0,
		apart = 0; /* factors under the line, and those that are divided by one at a time */
	for (uint32_t k = 0; k < p->n; k++) {
		int32_t e = core_node(t->c, n)->expo[k];
		Node base = core_node(t->c, n)->arg[k];
		int least = e == 1 || e == -1 ? BIND_FACTOR : BIND_ATOM;
		if (e == 1 && is_sum_in_place(t, base)) {
			least = BIND_PRODUCT;
		}
		/* a guard below would swallow what it is multiplied by: it is divided by on its
		 * own, and its sign stays inside, because it may be 0 */
		bool alone = e < 0 && core_node(t->c, base)->tag == NODE_GUARD, turned = false;
		o[k] = (TextOperand){.rank = rank_of(t, base),
				     .line = first_line(t, base),
				     .node = base,
				     .text = alone ? core_text_node(t, base, least)
						   : core_text_signed(t, base, least, &turned)};
		*minus ^= turned && e % 2 != 0;
		o[k].expo = e;
		o[k].rank += alone ? 200 : e < 0 ? 100 : 0;
		below += e < 0 && !alone;
		apart += alone;
	}
	qsort(o, p->n, sizeof *o, core_text_order);
	uint32_t above = core_node(t->c, n)->n - below - apart;
	TextBuffer b = {.a = t->a};
	core_text_put(&b, *prefix ? prefix : above ? "" : "1");
	for (uint32_t k = 0; k < above + below; k++) {
		bool first = k == 0 && !*prefix;
		const char *s = factor_text(t, &o[k], k + 1 == above && below + apart == 0);
		core_text_put(&b, k >= above ? (k == above ? "/" : "*") : first ? "" : "*");
		core_text_put(&b, k == above && below > 1 ? "(" : "");
		core_text_put(&b, s);
	}
	core_text_put(&b, below > 1 ? ")" : "");
	for (uint32_t k = above + below; k < above + below + apart; k++) {
		core_text_put(&b, "/");
		core_text_put(&b, factor_text(t, &o[k], false));
	}
	return core_text_finish(&b);
}

/* ---- sums ---- */

/* size*n; *minus tells whether a factor turned its sign, *before how much of the text is the
 * coefficient. */
static const char *term_text(CoreText *t, Node n, double size, bool *minus, size_t *before)
{
	*minus = false;
	const char *prefix = size == 1 ? "" : coefficient(t->a, size);
	*before = *prefix ? strlen(prefix) + 1 : 0;
	if (core_node(t->c, n)->tag == NODE_PROD) {
		return product_text(t, n, prefix, minus);
	}
	/* a sign in front of `a mod b` would go to a */
	const NodeInfo *p = core_node(t->c, n);
	bool quotient =
		p->tag == NODE_OP && (p->op == OP_mod || p->op == OP_imod || p->op == OP_idiv);
	bool sum = is_sum_in_place(t, n), sign = sum || p->tag == NODE_GUARD;
	int least = (*prefix && !sum) || quotient ? BIND_FACTOR : BIND_PRODUCT;
	const char *s = sign ? core_text_signed(t, n, least, minus) : core_text_node(t, n, least);
	return *prefix ? arena_printf(t->a, "%s*%s", prefix, s) : s;
}

TextOperand *core_text_terms(CoreText *t, Node n, double sign)
{
	const NodeInfo *p = core_node(t->c, n);
	TextOperand *o = arena_array(t->a, TextOperand, p->n);
	for (uint32_t k = 0; k < p->n; k++) {
		bool minus;
		Node arg = core_node(t->c, n)->arg[k];
		double coef = core_node(t->c, n)->coef[k];
		o[k].text = term_text(t, arg, fabs(coef), &minus, &o[k].prefix);
		o[k].coef = minus ? -coef * sign : coef * sign;
		o[k].rank = rank_of(t, arg) + (o[k].coef < 0 ? 100 : 0);
		o[k].line = first_line(t, arg);
		o[k].node = arg;
	}
	qsort(o, core_node(t->c, n)->n, sizeof *o, core_text_order);
	return o;
}

static double factor_sign(CoreText *t, Node n)
{
	const NodeInfo *p = core_node(t->c, n);
	uint32_t count = p->n;
	double constant = p->num;
	TextOperand *o = core_text_terms(t, n, 1);
	uint32_t positive = 0;
	for (uint32_t k = 0; k < count; k++) {
		positive += o[k].coef > 0;
		o[k].rank %= 100;
	}
	if (positive == count || (positive && constant > 0)) {
		return 1;
	}
	if (positive == 0) {
		return constant > 0 ? 1 : -1;
	}
	qsort(o, count, sizeof *o, core_text_order);
	return o[0].coef > 0 ? 1 : -1;
}

static const char *sum_text(CoreText *t, Node n, double sign, int *binds)
{
	const NodeInfo *p = core_node(t->c, n);
	uint32_t count = p->n;
	bool ints = p->kind == KIND_INT;
	int64_t whole = sign < 0 ? -p->integer : p->integer;
	double constant = ints ? (double)whole : p->num * sign;
	const char *number =
		ints ? arena_printf(t->a, "%lld", (long long)(whole < 0 ? -whole : whole))
		     : coefficient(t->a, fabs(constant));
	TextOperand *o = core_text_terms(t, n, sign);
	TextBuffer b = {.a = t->a};
	bool first = true;
	if (constant > 0 && !ints) {
		core_text_put(&b, number);
		first = false;
	}
	for (uint32_t k = 0; k < count; k++) {
		core_text_put(&b, o[k].coef < 0 ? (first ? "-" : " - ") : first ? "" : " + ");
		core_text_put(&b, o[k].text);
		first = false;
	}
	if (constant != 0 && (ints || constant < 0)) {
		core_text_put(&b, constant < 0 ? " - " : " + ");
		core_text_put(&b, number);
	} else if (constant != constant) {
		core_text_put(&b, " + nan");
	}
	*binds = count == 1 && constant == 0 ? BIND_PRODUCT : BIND_SUM;
	return core_text_finish(&b);
}

/* ---- everything ---- */

static const char *constant_text(CoreText *t, const NodeInfo *p, int *binds)
{
	if (p->kind == KIND_BOOL) {
		return p->integer ? "true" : "false";
	}
	if (p->kind == KIND_INT && p->integer == INT64_MIN) {
		*binds = BIND_SUM;
		return "-9223372036854775807 - 1";
	}
	bool negative = p->kind == KIND_INT ? p->integer < 0 : signbit(p->num) && p->num == p->num;
	*binds = negative ? BIND_FACTOR : BIND_ATOM;
	if (p->kind == KIND_INT) {
		return arena_printf(t->a, "%lld", (long long)p->integer);
	}
	const char *s = core_text_number(t->a, p->num);
	return strpbrk(s, ".en") ? s : arena_printf(t->a, "%s.0", s);
}

/* A guard's sign is its value's: with minus it is the caller's. */
static const char *choice_text(CoreText *t, Node n, bool *minus)
{
	const NodeInfo *p = core_node(t->c, n);
	const char *cond = core_text_node(t, p->arg[0], BIND_OR);
	const char *yes = minus ? core_text_signed(t, p->arg[1], BIND_OR, minus)
				: core_text_node(t, p->arg[1], BIND_OR);
	const char *no = p->tag == NODE_GUARD ? "0" : core_text_node(t, p->arg[2], BIND_IF);
	return arena_printf(t->a, "if %s then %s else %s", cond, yes, no);
}

static const char *random_text(CoreText *t, const NodeInfo *p)
{
	const char *name = p->op == RANDOM_UNIFORM ? "uniform_at" : "normal_at";
	const char *head = arena_printf(t->a, "%s(%lld, %u%s", name, (long long)p->integer, p->ref,
					p->n ? ", " : "");
	return arena_printf(t->a, "%s)", core_text_join(t, head, p->n, p->arg));
}

static const char *node_text(CoreText *t, Node n, int *binds)
{
	const NodeInfo *p = core_node(t->c, n);
	bool minus = false;
	*binds = BIND_ATOM;
	switch ((NodeTag)p->tag) {
	case NODE_CONST:
		return constant_text(t, p, binds);
	case NODE_INDEX:
		return core_text_index(t, p->ref);
	case NODE_SIZE:
		return arena_printf(t->a, "size(%s)", core_text_axis(t, p->ref));
	case NODE_READ:
		if (core_text_in_place(t, p->ref)) {
			const char *s = core_text_reduction(t, p->ref, p->arg, binds, &minus);
			*binds = minus ? BIND_PRODUCT : *binds;
			return minus ? arena_printf(t->a, "-%s", s) : s;
		}
		return p->n ? arena_printf(t->a, "%s]",
					   core_text_join(t,
							  arena_printf(t->a, "%s[",
								       definition_name(t, p->ref)),
							  p->n, p->arg))
			    : definition_name(t, p->ref);
	case NODE_LIN:
		return sum_text(t, n, 1, binds);
	case NODE_PROD: {
		const char *s = product_text(t, n, "", &minus);
		bool power = p->n == 1 && p->expo[0] > 0;
		*binds = power && !minus ? BIND_POWER : BIND_PRODUCT;
		return minus ? arena_printf(t->a, "-%s", s) : s;
	}
	case NODE_OP:
		return core_text_op(t, n, binds);
	case NODE_SELECT:
	case NODE_GUARD:
		*binds = BIND_IF;
		return choice_text(t, n, NULL);
	case NODE_RANDOM:
		return random_text(t, p);
	case NODE_STOP:
		return arena_printf(t->a, "stop(%s)", core_text_node(t, p->arg[0], BIND_IF));
	case NODE_D: {
		*binds = BIND_FACTOR;
		Node of = p->arg[0];
		const char *by = core_text_node(t, p->arg[1], BIND_IF);
		return arena_printf(t->a, "partial[%s] (%s)", by, core_text_node(t, of, BIND_IF));
	}
	case NODE_NONE:
		break;
	}
	return "?";
}

const char *core_text_node(CoreText *t, Node n, int least)
{
	const NodeCell *cell = core_cell(t->c, n);
	if (t->depth >= TEXT_DEPTH || cell->size > TEXT_SIZE) {
		return "…";
	}
	t->depth++;
	int binds;
	const char *s = node_text(t, n, &binds);
	t->depth--;
	return brackets(t, s, binds, least);
}

const char *core_text(Core *c, Arena *a, Node n)
{
	CoreText t = {.c = c, .a = a};
	return n ? core_text_node(&t, n, BIND_IF) : "0";
}
