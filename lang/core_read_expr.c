/* core_read_expr.c — expressions of the core's text form: kinds, axes of index variables, nodes. */
#include <math.h>
#include <string.h>

#include "lang/core_read.h"
#include "lang/matrix.h"

enum { READ_DEPTH = 2000 };

static const char *word_of(const CoreRead *r, const Ast *ast)
{
	return intern_text(r->c->names, ast->name);
}

Scope core_read_scope(const CoreEntry *e, const CorePiece *p, const Index *index)
{
	Scope s = {.n = 0};
	for (uint32_t k = 0; k < e->n && s.n < SCOPE_INDICES; k++) {
		if (p->name && p->name[k]) {
			s.item[s.n++] = (ScopeIndex){p->name[k], index ? index[k] : 0};
		}
	}
	return s;
}

static const ScopeIndex *find_index(const Scope *s, Sym name)
{
	for (uint32_t k = s->n; k-- > 0;) {
		if (s->item[k].name == name) {
			return &s->item[k];
		}
	}
	return NULL;
}

/* ---- walking a tree without recursion ---- */

typedef struct Walk {
	const Ast **stack;
	size_t n, cap;
	Arena *a;
} Walk;

static void walk_push(Walk *w, const Ast *ast)
{
	if (ast) {
		ARENA_PUSH(w->a, w->stack, w->n, w->cap, ast);
	}
}

static const Ast *walk_next(Walk *w)
{
	const Ast *ast = w->stack[--w->n];
	for (uint32_t k = ast->nkid; k-- > 0;) {
		walk_push(w, ast->kid[k]);
	}
	return ast;
}

size_t core_read_furthest(CoreRead *r, const Ast *ast)
{
	Walk w = {.a = r->c->arena};
	size_t last = 0;
	walk_push(&w, ast);
	while (w.n) {
		const Ast *one = walk_next(&w);
		CoreEntry *e = one->kind == AST_NAME ? core_read_entry(r, one->name) : NULL;
		size_t at = e ? (size_t)(e - r->entry) + 1 : 0;
		last = at > last ? at : last;
	}
	return last;
}

/* i, i + 1, i - 1 */
static bool is_shifted(const CoreRead *r, const Ast *ast, Sym index)
{
	if (ast->kind == AST_BINARY && ast->kid[1]->kind == AST_NUM) {
		const char *op = word_of(r, ast);
		return (strcmp(op, "+") == 0 || strcmp(op, "-") == 0) &&
		       is_shifted(r, ast->kid[0], index);
	}
	return ast->kind == AST_NAME && ast->name == index;
}

static Axis formal_axis(CoreRead *r, const CoreEntry *e, uint32_t k)
{
	if (e->def) {
		const DefInfo *d = core_def(r->c, e->def);
		return k < d->nindex ? core_index_axis(r->c, d->index[k]) : 0;
	}
	return e->axis && k < e->n ? e->axis[k] : 0;
}

Axis core_read_infer(CoreRead *r, const Ast *ast, Sym index)
{
	Walk w = {.a = r->c->arena};
	walk_push(&w, ast);
	while (w.n) {
		const Ast *one = walk_next(&w);
		CoreEntry *e = one->kind == AST_INDEX && one->kid[0]->kind == AST_NAME
				       ? core_read_entry(r, one->kid[0]->name)
				       : NULL;
		for (uint32_t k = 0; e && k + 1 < one->nkid; k++) {
			Axis axis =
				is_shifted(r, one->kid[k + 1], index) ? formal_axis(r, e, k) : 0;
			if (axis) {
				return axis;
			}
		}
	}
	return 0;
}

/* ---- kinds ---- */

static bool is_any(const char *word, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(word, *list) == 0) {
			return true;
		}
	}
	return false;
}

static bool name_kind(CoreRead *r, const Scope *s, const Ast *ast, Kind *out)
{
	const CoreEntry *e = core_read_entry(r, ast->name);
	const char *word = word_of(r, ast);
	if (find_index(s, ast->name)) {
		*out = KIND_INT;
	} else if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
		*out = KIND_BOOL;
	} else if (strcmp(word, "inf") == 0 || strcmp(word, "nan") == 0) {
		*out = KIND_REAL;
	} else if (e && (e->def || e->kind_known)) {
		*out = e->def ? core_def(r->c, e->def)->kind : e->kind;
	} else {
		return false;
	}
	return true;
}

static bool call_kind(CoreRead *r, const Scope *s, const Ast *ast, Kind *out)
{
	static const char *const ints[] = {"size", "end", "first", "int", NULL},
				 *const same[] = {"abs", "min", "max", "stop", "mod", NULL};
	const char *word = ast->kid[0]->kind == AST_NAME ? word_of(r, ast->kid[0]) : "";
	if (is_any(word, same)) {
		for (uint32_t k = 1; k < ast->nkid; k++) {
			if (core_read_kind(r, s, ast->kid[k], out)) {
				return true;
			}
		}
		return false;
	}
	*out = is_any(word, ints) ? KIND_INT : KIND_REAL;
	return true;
}

static bool binary_kind(CoreRead *r, const Scope *s, const Ast *ast, Kind *out)
{
	static const char *const truth[] = {"==", "!=", "<", "<=", ">", ">=", "and", "or", NULL};
	static const char *const ints[] = {"div", "xor", "shl", "shr", "band", "bor", NULL};
	const char *op = word_of(r, ast);
	if (is_any(op, truth) || is_any(op, ints) || strcmp(op, "/") == 0) {
		*out = is_any(op, truth) ? KIND_BOOL : *op == '/' ? KIND_REAL : KIND_INT;
		return true;
	}
	Kind left, right;
	bool a = core_read_kind(r, s, ast->kid[0], &left),
	     b = strcmp(op, "^") != 0 && core_read_kind(r, s, ast->kid[1], &right);
	*out = a && b && (left == KIND_REAL || right == KIND_REAL) ? KIND_REAL
	       : a                                                 ? left
	       : b                                                 ? right
								   : KIND_INT;
	return a || b;
}

/* Inside a reduction its bound indices are ints too: they are added as names. */
static bool reduce_kind(CoreRead *r, const Scope *s, const Ast *ast, Kind *out)
{
	const char *word = word_of(r, ast);
	if (strncmp(word, "arg", 3) == 0 || strcmp(word, "all") == 0 || strcmp(word, "any") == 0) {
		*out = word[2] == 'g' ? KIND_INT : KIND_BOOL;
		return true;
	}
	Scope inner = *s;
	const Ast *b = ast->kid[0];
	for (uint32_t k = 0; k < b->nkid && inner.n < SCOPE_INDICES; k++) {
		if (b->kid[k]->kind == AST_BINDER && b->kid[k]->kid[0]->kind == AST_NAME) {
			inner.item[inner.n++] = (ScopeIndex){b->kid[k]->kid[0]->name, 0};
		}
	}
	return core_read_kind(r, &inner, ast->kid[1], out);
}

bool core_read_kind(CoreRead *r, const Scope *s, const Ast *ast, Kind *out)
{
	if (s->depth > READ_DEPTH) {
		return false;
	}
	Scope deeper = *s;
	deeper.depth++;
	s = &deeper;
	switch (ast->kind) {
	case AST_PAREN:
		return core_read_kind(r, s, ast->kid[0], out);
	case AST_NUM:
		*out = KIND_REAL;
		return !(ast->flags & AST_INTEGER);
	case AST_NAME:
		return name_kind(r, s, ast, out);
	case AST_INDEX:
		if (core_read_matrix_kind(r, ast) != RED_NONE) {
			*out = matrix_op(core_read_matrix_kind(r, ast))->integer ? KIND_INT
										 : KIND_REAL;
			return true;
		}
		return ast->kid[0]->kind == AST_NAME && name_kind(r, s, ast->kid[0], out);
	case AST_CALL:
		return call_kind(r, s, ast, out);
	case AST_UNARY:
		*out = KIND_BOOL;
		return strcmp(word_of(r, ast), "not") == 0 ||
		       core_read_kind(r, s, ast->kid[0], out);
	case AST_BINARY:
		return binary_kind(r, s, ast, out);
	case AST_IF:
		return core_read_kind(r, s, ast->kid[1], out) ||
		       core_read_kind(r, s, ast->kid[2], out);
	case AST_REDUCE:
		return reduce_kind(r, s, ast, out);
	case AST_PARTIALOP:
		*out = KIND_REAL;
		return true;
	default:
		return false;
	}
}

static Kind kind_or(CoreRead *r, const Scope *s, const Ast *ast, Kind otherwise)
{
	Kind k;
	return core_read_kind(r, s, ast, &k) ? k : otherwise;
}

static Kind common_kind(CoreRead *r, const Scope *s, const Ast *a, const Ast *b)
{
	Kind x, y;
	bool p = core_read_kind(r, s, a, &x), q = core_read_kind(r, s, b, &y);
	return p && q ? (x == KIND_REAL || y == KIND_REAL ? KIND_REAL : x)
	       : p    ? x
	       : q    ? y
		      : KIND_INT;
}

/* ---- nodes ---- */

static Node poison(CoreRead *r, Kind want)
{
	r->failed = true;
	return core_zero(r->c, want);
}

static Node mistake(CoreRead *r, const Ast *at, const char *what, Kind want)
{
	core_read_wrong(r, at, what);
	return poison(r, want);
}

static Node number_node(CoreRead *r, const Ast *ast, Kind want)
{
	if (want == KIND_REAL) {
		return core_real_const(r->c, ast->num);
	}
	if (want == KIND_BOOL || !(ast->flags & AST_INTEGER)) {
		return mistake(r, ast, want == KIND_BOOL ? "a condition" : "a whole number", want);
	}
	return core_int_const(r->c, ast->integer);
}

static Node read_of(CoreRead *r, Scope *s, const Ast *ast, const Ast *name, uint32_t n, Kind want)
{
	const CoreEntry *e = core_read_entry(r, name->name);
	if (!e || !e->def) {
		if (!r->failed) {
			diag_undefined_name(r->ctx->diags, name->span, word_of(r, name));
		}
		return poison(r, want);
	}
	const DefInfo *d = core_def(r->c, e->def);
	if (d->nindex != n) {
		if (!r->failed) {
			diag_rank_mismatch(r->ctx->diags, ast->span, word_of(r, name), n,
					   d->nindex);
		}
		return poison(r, want);
	}
	if (d->kind != want) {
		return mistake(r, ast,
			       want == KIND_REAL  ? "real"
			       : want == KIND_INT ? "int"
						  : "bool",
			       want);
	}
	Node *args = arena_array(r->c->arena, Node, n);
	for (uint32_t k = 0; k < n; k++) {
		args[k] = core_read_node(r, s, ast->kid[k + 1], KIND_INT);
	}
	return core_read(r->c, e->def, args);
}

static Node name_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	const ScopeIndex *i = find_index(s, ast->name);
	const char *word = word_of(r, ast);
	if (i) {
		return want == KIND_INT && i->index
			       ? core_index_value(r->c, i->index)
			       : mistake(r, ast, "a value, not an index", want);
	}
	if (want == KIND_BOOL && (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)) {
		return core_bool_const(r->c, *word == 't');
	}
	if (want == KIND_REAL && (strcmp(word, "inf") == 0 || strcmp(word, "nan") == 0)) {
		return core_real_const(r->c, *word == 'i' ? (double)INFINITY : (double)NAN);
	}
	return read_of(r, s, ast, ast, 0, want);
}

/* A left-leaning chain of + and - is one sum: its depth is the number of its terms. */
static Node sum_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	size_t n = 0, cap = 0, ncoef = 0, coefcap = 0;
	Node *arg = NULL;
	double *coef = NULL;
	for (;; ast = ast->kid[0]) {
		const char *op = ast->kind == AST_BINARY ? word_of(r, ast) : "";
		bool chain = strcmp(op, "+") == 0 || strcmp(op, "-") == 0;
		Node one = core_read_node(r, s, chain ? ast->kid[1] : ast, want);
		ARENA_PUSH(r->c->arena, arg, n, cap, one);
		ARENA_PUSH(r->c->arena, coef, ncoef, coefcap, *op == '-' && chain ? -1.0 : 1.0);
		if (!chain) {
			break;
		}
	}
	return core_lin(r->c, want, 0, (uint32_t)n, coef, arg);
}

/* A chain of * and / : the numbers in it are one coefficient, so that none of them is spread over a
 * sum beside it. */
static Node product_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	size_t n = 0, cap = 0;
	const Ast **link = NULL;
	for (; ast->kind == AST_BINARY &&
	       (strcmp(word_of(r, ast), "*") == 0 || strcmp(word_of(r, ast), "/") == 0);
	     ast = ast->kid[0]) {
		ARENA_PUSH(r->c->arena, link, n, cap, ast);
	}
	Node number = core_read_node(r, s, ast, want), rest = 0;
	if (!core_is_const(r->c, number, NULL)) {
		rest = number;
		number = want == KIND_INT ? core_int_const(r->c, 1) : core_real_const(r->c, 1);
	}
	while (n-- > 0 && !r->failed) {
		bool below = strcmp(word_of(r, link[n]), "/") == 0;
		if (below && want == KIND_INT) {
			return mistake(r, link[n], "an int", want);
		}
		Node one = core_read_node(r, s, link[n]->kid[1], want);
		Node *to = core_is_const(r->c, one, NULL) ? &number : &rest;
		one = !*to && below ? core_powi(r->c, one, -1) : one;
		*to = !*to ? one : below ? core_div(r->c, *to, one) : core_mul(r->c, *to, one);
	}
	return rest ? core_mul(r->c, number, rest) : number;
}

static Node power_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	Node a = core_read_node(r, s, ast->kid[0], want);
	Node b = core_read_node(r, s, ast->kid[1], want);
	if (want == KIND_INT) {
		const NodeInfo *p = core_node(r->c, b);
		bool fits = p->tag == NODE_CONST && p->integer >= 0 && p->integer <= 64;
		return fits ? core_powi(r->c, a, (int32_t)p->integer)
			    : mistake(r, ast, "a power with a small whole exponent", want);
	}
	return core_pow(r->c, a, b);
}

static Node compare_node(CoreRead *r, Scope *s, const Ast *ast, const char *op)
{
	Kind kind = common_kind(r, s, ast->kid[0], ast->kid[1]);
	Node a = core_read_node(r, s, ast->kid[0], kind),
	     b = core_read_node(r, s, ast->kid[1], kind);
	if (r->failed) {
		return poison(r, KIND_BOOL);
	}
	if (*op == '>') {
		Node swap = a;
		a = b;
		b = swap;
		op = op[1] ? "<=" : "<";
	}
	if (kind == KIND_BOOL) {
		Node equal = core_op2(r->c, OP_beq, a, b);
		return strcmp(op, "==") == 0   ? equal
		       : strcmp(op, "!=") == 0 ? core_op1(r->c, OP_not, equal)
					       : mistake(r, ast, "numbers to compare", KIND_BOOL);
	}
	return core_op2(r->c, (uint16_t)op_find_kind(op, kind), a, b);
}

static Node binary_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	static const char *const compares[] = {"==", "!=", "<", "<=", ">", ">=", NULL};
	const char *op = word_of(r, ast);
	bool compares_it = is_any(op, compares),
	     logical = strcmp(op, "and") == 0 || strcmp(op, "or") == 0;
	if ((compares_it || logical) != (want == KIND_BOOL)) {
		return mistake(r, ast, want == KIND_BOOL ? "a condition" : "a number", want);
	}
	if (compares_it) {
		return compare_node(r, s, ast, op);
	}
	if (strcmp(op, "+") == 0 || strcmp(op, "-") == 0) {
		return sum_node(r, s, ast, want);
	}
	if (strcmp(op, "^") == 0) {
		return power_node(r, s, ast, want);
	}
	if (strcmp(op, "*") == 0 || strcmp(op, "/") == 0) {
		return product_node(r, s, ast, want);
	}
	Node a = core_read_node(r, s, ast->kid[0], want),
	     b = core_read_node(r, s, ast->kid[1], want);
	if (r->failed) {
		return poison(r, want);
	}
	Op found = op_find_kind(op, want);
	return found ? core_op2(r->c, (uint16_t)found, a, b)
		     : mistake(r, ast, "an operation on this kind of number", want);
}

static Node random_node(CoreRead *r, Scope *s, const Ast *ast, bool uniform)
{
	if (ast->nkid < 3) {
		return mistake(r, ast, "a stream and flags", KIND_REAL);
	}
	Node stream = core_read_node(r, s, ast->kid[1], KIND_INT),
	     flags = core_read_node(r, s, ast->kid[2], KIND_INT);
	const NodeInfo *p = core_node(r->c, stream), *q = core_node(r->c, flags);
	if (r->failed || p->tag != NODE_CONST || q->tag != NODE_CONST || q->integer < 0 ||
	    q->integer > 1) {
		return mistake(r, ast, "a stream and flags", KIND_REAL);
	}
	uint32_t n = ast->nkid - 3;
	Node *address = arena_array(r->c->arena, Node, n);
	for (uint32_t k = 0; k < n; k++) {
		address[k] = core_read_node(r, s, ast->kid[k + 3], KIND_INT);
	}
	return core_random(r->c, uniform ? RANDOM_UNIFORM : RANDOM_NORMAL, p->integer,
			   (uint32_t)q->integer, n, address);
}

static Node op_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	const char *word = word_of(r, ast->kid[0]);
	Kind args = strcmp(word, "real") == 0  ? KIND_INT
		    : strcmp(word, "int") == 0 ? KIND_REAL
					       : want;
	Op op = op_find_kind(word, args);
	if (!op || op_result_kind(op) != want || op_info(op)->n != ast->nkid - 1) {
		return mistake(r, ast, "an operation with its arguments", want);
	}
	Node arg[2] = {0, 0};
	for (uint32_t k = 0; k + 1 < ast->nkid; k++) {
		arg[k] = core_read_node(r, s, ast->kid[k + 1], args);
	}
	return r->failed ? poison(r, want) : core_op(r->c, (uint16_t)op, arg);
}

static Node call_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	if (core_read_call(r, ast, "size") && ast->nkid == 2 && want == KIND_INT) {
		Axis axis = core_read_axis(r, ast->kid[1]);
		return axis ? core_size(r->c, axis) : poison(r, want);
	}
	if (core_read_call(r, ast, "stop") && ast->nkid == 2) {
		return core_stop(r->c, core_read_node(r, s, ast->kid[1], want));
	}
	bool uniform = core_read_call(r, ast, "uniform_at");
	if ((uniform || core_read_call(r, ast, "normal_at")) && want == KIND_REAL) {
		return random_node(r, s, ast, uniform);
	}
	return ast->kid[0]->kind == AST_NAME ? op_node(r, s, ast, want)
					     : mistake(r, ast, "a value", want);
}

/* ---- reductions ---- */

static RedKind reducer_of(const CoreRead *r, const Ast *ast)
{
	static const struct {
		const char *word;
		RedKind red;
	} rows[] = {{"sum", RED_SUM},
		    {"prod", RED_PROD},
		    {"max", RED_MAX},
		    {"min", RED_MIN},
		    {"logsumexp", RED_LOGSUMEXP},
		    {"argmax", RED_ARGMAX},
		    {"argmin", RED_ARGMIN},
		    {"all", RED_ALL},
		    {"any", RED_ANY}};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		if (strcmp(rows[k].word, word_of(r, ast)) == 0) {
			return rows[k].red;
		}
	}
	return RED_NONE;
}

/* Bound indices of a reduction and its body; *bound has room for all. Returns their number. */
static uint32_t reduction_parts(CoreRead *r, Scope *s, const Ast *ast, RedKind red, Kind want,
				Index *bound, Node *body)
{
	const Ast *binders = ast->kid[0];
	bool filtered = (binders->flags & AST_FILTER) != 0;
	uint32_t n = binders->nkid - filtered;
	*body = core_zero(r->c, want);
	for (uint32_t k = 0; k < n; k++) {
		const Ast *b = binders->kid[k];
		bool named = b->kind == AST_BINDER && b->kid[0]->kind == AST_NAME;
		Axis axis = !named      ? 0
			    : b->kid[1] ? core_read_axis(r, b->kid[1])
					: core_read_infer(r, ast, b->kid[0]->name);
		if (!axis || s->n == SCOPE_INDICES) {
			core_read_wrong(r, b, "an index with its axis");
			return 0;
		}
		bound[k] = core_index(r->c, axis, b->kid[0]->name);
		s->item[s->n++] = (ScopeIndex){b->kid[0]->name, bound[k]};
	}
	bool counted = red == RED_ARGMAX || red == RED_ARGMIN,
	     truth = red == RED_ALL || red == RED_ANY;
	Kind kind = truth ? KIND_BOOL : counted ? kind_or(r, s, ast->kid[1], KIND_REAL) : want;
	*body = core_read_node(r, s, core_read_inner(ast->kid[1]), kind);
	if (filtered && !r->failed) {
		*body = core_filter(r->c, red, core_read_node(r, s, binders->kid[n], KIND_BOOL),
				    *body);
	}
	return n;
}

static Node reduce_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	RedKind red = reducer_of(r, ast);
	if (red == RED_NONE || ((red == RED_ALL || red == RED_ANY) != (want == KIND_BOOL)) ||
	    ((red == RED_ARGMAX || red == RED_ARGMIN) && want != KIND_INT)) {
		return mistake(r, ast, "a reduction", want);
	}
	uint32_t outside = s->n;
	Index *bound = arena_array(r->c->arena, Index, ast->kid[0]->nkid);
	Node body;
	uint32_t n = reduction_parts(r, s, ast, red, want, bound, &body);
	s->n = outside;
	return r->failed ? poison(r, want) : core_reduce(r->c, red, 0, ast->span, n, bound, body);
}

void core_read_reduction(CoreRead *r, Scope *s, const Ast *ast, Def d, Node *body)
{
	RedKind red = reducer_of(r, ast);
	if (red == RED_NONE) {
		core_read_wrong(r, ast, "a reduction");
		return;
	}
	Index *bound = arena_array(r->c->arena, Index, ast->kid[0]->nkid);
	uint32_t n = reduction_parts(r, s, ast, red, core_def(r->c, d)->kind, bound, body);
	DefInfo *info = core_def_mutable(r->c, d);
	info->role = DEF_REDUCTION;
	info->red = red;
	info->nbound = n;
	info->bound = bound;
}

/* ---- everything ---- */

static Node partial_node(CoreRead *r, Scope *s, const Ast *ast)
{
	const Ast *by = ast->kid[0];
	Node of = core_read_node(r, s, ast->kid[1], KIND_REAL);
	for (uint32_t k = 0; k < by->nkid && !r->failed; k++) {
		Node variable = core_read_node(r, s, by->kid[k], KIND_REAL);
		if (core_node(r->c, variable)->tag != NODE_READ) {
			return mistake(r, by->kid[k], "something to differentiate by", KIND_REAL);
		}
		of = core_d(r->c, of, variable);
	}
	return of;
}

static Node unary_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	bool negation = strcmp(word_of(r, ast), "not") == 0;
	if (negation != (want == KIND_BOOL)) {
		return mistake(r, ast, want == KIND_BOOL ? "a condition" : "a number", want);
	}
	Node a = core_read_node(r, s, ast->kid[0], want);
	return negation ? core_op1(r->c, OP_not, a) : core_neg(r->c, a);
}

static Node expression_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	switch (ast->kind) {
	case AST_PAREN:
		return core_read_node(r, s, ast->kid[0], want);
	case AST_NUM:
		return number_node(r, ast, want);
	case AST_NAME:
		return name_node(r, s, ast, want);
	case AST_INDEX:
		return ast->kid[0]->kind == AST_NAME
			       ? read_of(r, s, ast, ast->kid[0], ast->nkid - 1, want)
			       : mistake(r, ast, "a read", want);
	case AST_CALL:
		return call_node(r, s, ast, want);
	case AST_UNARY:
		return unary_node(r, s, ast, want);
	case AST_BINARY:
		return binary_node(r, s, ast, want);
	case AST_IF: {
		Node cond = core_read_node(r, s, ast->kid[0], KIND_BOOL);
		Node yes = core_read_node(r, s, ast->kid[1], want),
		     no = core_read_node(r, s, ast->kid[2], want);
		return r->failed ? poison(r, want) : core_select(r->c, cond, yes, no);
	}
	case AST_REDUCE:
		return reduce_node(r, s, ast, want);
	case AST_PARTIALOP:
		return want == KIND_REAL ? partial_node(r, s, ast)
					 : mistake(r, ast, "an int or a condition", want);
	default:
		return mistake(r, ast, "an expression of a core text", want);
	}
}

Node core_read_node(CoreRead *r, Scope *s, const Ast *ast, Kind want)
{
	if (r->failed) {
		return core_zero(r->c, want);
	}
	if (++s->depth > READ_DEPTH) {
		diag_too_deep(r->ctx->diags, ast->span, READ_DEPTH);
		s->depth--;
		return poison(r, want);
	}
	Node n = expression_node(r, s, ast, want);
	s->depth--;
	return n;
}
