/* text.c — a random program in the language, in one of several equivalent ways of writing it. */
#include "tests/random/random.h"

#include <stdlib.h>
#include <string.h>

typedef struct Text {
	FILE *out;
	Gen *g;
	const Style *style;
	uint64_t state;
	unsigned temps;
	const Fn *fn;           /* whose body is written */
	const Array *whole;     /* written without indices */
	const Group *group;     /* the definition that is written */
	bool in_data;           /* fields are names */
	unsigned frozen;        /* below a condition: nothing may be taken out */
	char *line[64];         /* definitions taken out */
	unsigned nline;
} Text;

static unsigned chance(Text *t, unsigned n)
{
	t->state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = (t->state ^ (t->state >> 30))*UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27))*UINT64_C(0x94d049bb133111eb);
	return (unsigned)((x >> 40) % n);
}

static void expression(Text *t, Node *n, int level);

/* ---- names ---- */

typedef enum NameKind { NAME_AXIS, NAME_INDEX, NAME_SCALAR, NAME_ARRAY, NAME_FN, NAME_DATA, NAME_TEMP, NAME_LABEL, NAME_DOMAIN } NameKind;

static void name(Text *t, NameKind kind, unsigned id)
{
	static const char *const letters[2][9] = {
		{"ax", "i", "x", "v", "f", "d", "w", "L", "D"},
		{"Menge", "κ", "ξ", "Ω_", "g", "obs", "tmp_", "m", "Gebiet"},
	};
	unsigned number = t->style->names ? (id*37 + 11) % 1009 : id;
	fprintf(t->out, "%s%u", letters[t->style->names & 1][kind], number);
}

static void axis_name(Text *t, const Axis *a)
{
	name(t, a->records ? NAME_DATA : NAME_AXIS, a->id);
}

static void array_name(Text *t, const Array *a)
{
	name(t, NAME_ARRAY, a->id);
}

static bool is_parameter(const Fn *f, const Var *v)
{
	for (unsigned k = 0; f && k < f->narg; k++) {
		if (f->scalar[k] == v) {
			return true;
		}
	}
	return false;
}

/* The index of a recurrence is written as its axis where no other use tells the axis. */
static bool named_as_axis(const Text *t, const Var *v);

static void var_name(Text *t, const Var *v)
{
	if (v->axis && named_as_axis(t, v)) {
		axis_name(t, v->axis);
	} else {
		name(t, v->axis ? NAME_INDEX : NAME_SCALAR, v->id);
	}
}

static void label(Text *t, const Axis *a, int64_t at)
{
	if (a->labelled) {
		name(t, NAME_LABEL, a->id);
		fprintf(t->out, "_%lld", (long long)at);
	} else {
		fprintf(t->out, "%lld", (long long)at);
	}
}

/* ---- looking at trees ---- */

typedef struct Walk {
	bool (*see)(void *data, const Node *n); /* true: found, stop */
	void *data;
} Walk;

static bool walk(const Walk *w, const Node *n)
{
	if (!n) {
		return false;
	}
	if (w->see(w->data, n) || walk(w, n->a) || walk(w, n->b) || walk(w, n->c)) {
		return true;
	}
	for (unsigned k = 0; k < MAX_AXES; k++) {
		if (walk(w, n->at[k])) {
			return true;
		}
	}
	for (unsigned k = 0; n->fn && k < n->fn->narg; k++) {
		if (walk(w, n->arg[k])) {
			return true;
		}
	}
	return false;
}

typedef struct Told {
	const Var *v;
	const Group *group;
} Told;

/* A read of another array with the index bare at one of its places tells the axis. */
static bool tells_axis(void *data, const Node *n)
{
	const Told *told = data;
	const Array *a = n->op == OP_READ ? n->array : NULL;
	for (unsigned k = 0; told->group && told->group->direction && k < told->group->n; k++) {
		if (a == told->group->array[k]) {
			return false;
		}
	}
	for (unsigned k = 0; a && k < a->naxes; k++) {
		if (n->at[k] && n->at[k]->op == OP_INDEX && n->at[k]->var == told->v && a->axis[k] == told->v->axis) {
			return true;
		}
	}
	return false;
}

static bool tells(const Var *v, const Group *group, const Node *n)
{
	Told told = {v, group};
	Walk w = {tells_axis, &told};
	return walk(&w, n);
}

static bool told_by_group(const Group *group, const Var *v)
{
	for (unsigned k = 0; k < group->n; k++) {
		const Array *a = group->array[k];
		bool told = tells(v, group, a->body);
		for (unsigned j = 0; j < a->nbase; j++) {
			told = told || tells(v, group, a->base[j]);
		}
		if (!told) {
			return false;
		}
	}
	return true;
}

static bool named_as_axis(const Text *t, const Var *v)
{
	if (!t->group || !t->group->direction) {
		return false;
	}
	const Array *a = t->group->array[0];
	for (unsigned k = 0; k < a->naxes; k++) {
		if (a->index[k] == v) {
			return !told_by_group(t->group, v);
		}
	}
	return false;
}

typedef struct Free {
	const Text *t;
	const Node *root;
	const Var *var[8];
	unsigned n;
	bool fixed; /* reads what cannot be moved */
} Free;

static bool is_bound(const Node *root, const Var *v);

static bool free_in(void *data, const Node *n)
{
	Free *f = data;
	if (n->op == OP_INDEX && !is_parameter(f->t->fn, n->var) && !is_bound(f->root, n->var)) {
		bool seen = false;
		for (unsigned k = 0; k < f->n; k++) {
			seen = seen || f->var[k] == n->var;
		}
		f->fixed = f->fixed || n->var->axis->records || f->n >= 3 || named_as_axis(f->t, n->var);
		if (!seen && !f->fixed) {
			f->var[f->n++] = n->var;
		}
	}
	for (unsigned k = 0; f->t->group && n->op == OP_READ && k < f->t->group->n; k++) {
		f->fixed = f->fixed || n->array == f->t->group->array[k];
	}
	/* derivatives are taken by what stands in them */
	f->fixed = f->fixed || n->op == OP_GRAD || (n->op == OP_READ && n->array->form == FORM_FIELD && f->t->in_data);
	return f->fixed;
}

static bool binds_it(void *data, const Node *n)
{
	for (unsigned k = 0; k < n->nbound; k++) {
		if (n->bound[k] == data) {
			return true;
		}
	}
	return false;
}

static bool is_bound(const Node *root, const Var *v)
{
	Var *same;
	memcpy(&same, &v, sizeof same);
	Walk w = {binds_it, same};
	return walk(&w, root);
}

/* ---- numbers and units ---- */

static void number(Text *t, double v)
{
	char text[64];
	snprintf(text, sizeof text, "%.17g", v);
	for (int p = 1; p < 17; p++) {
		char shorter[64];
		snprintf(shorter, sizeof shorter, "%.*g", p, v);
		if (strtod(shorter, NULL) == v) {
			memcpy(text, shorter, sizeof text);
			break;
		}
	}
	fputs(text, t->out);
	if (!strpbrk(text, ".e")) {
		fputs(".0", t->out);
	}
}

/* Units of the dimension, and what one of it is in nm and eV. */
static Quad unit(Text *t, Dim d)
{
	static const unsigned first[] = {0, UNITS_LENGTH}, count[] = {UNITS_LENGTH, UNITS_ENERGY};
	Quad factor = 1;
	bool any = false;
	fputs("'", t->out);
	for (unsigned k = 0; k < DIMS; k++) {
		if (d.power[k]) {
			unsigned u = first[k] + chance(t, count[k]);
			bool simple = d.power[k] == 1 || u < 6;
			u = simple ? u : first[k];
			fprintf(t->out, d.power[k] == 1 ? "%s%s" : "%s%s^%d", any ? "*" : "", unit_name[u], d.power[k]);
			any = true;
			for (int p = 0; p < abs(d.power[k]); p++) {
				factor = d.power[k] > 0 ? factor*unit_quad(u) : factor/unit_quad(u);
			}
		}
	}
	fputs("'", t->out);
	return factor;
}

static void literal(Text *t, const Array *a, Num v)
{
	if (a->kind == KIND_INT) {
		fprintf(t->out, "%lld", (long long)v.re);
		return;
	}
	number(t, (double)v.re);
	if (!dim_is_none(a->dim)) {
		fputs(" ", t->out);
		Dim d = a->dim;
		static const char *const plain[] = {"nm", "eV"};
		fputs("'", t->out);
		for (int k = 0, any = 0; k < DIMS; k++) {
			if (d.power[k]) {
				fprintf(t->out, d.power[k] == 1 ? "%s%s" : "%s%s^%d", any ? "*" : "", plain[k], d.power[k]);
				any = 1;
			}
		}
		fputs("'", t->out);
	}
}

/* ---- expressions ---- */

static const char *const reducer_name[] = {"sum", "mean", "max", "min", "prod", "logsumexp", "argmax", "argmin", "count", "all", "any"};

static bool linear(const Node *n)
{
	return n->op == OP_REDUCE && (n->whole == RED_SUM || n->whole == RED_MEAN || n->whole == RED_COUNT);
}

/* Ends with a sum without brackets. */
static bool is_open(const Node *n)
{
	return linear(n) || ((n->op == OP_MUL || n->op == OP_DIV) && linear(n->b) && (n->id & 1));
}

static int level_of(const Node *n)
{
	switch (n->op) {
	case OP_NUMBER: return n->number.re < 0 ? 8 : 10;
	case OP_IF: return 0;
	case OP_OR: return 1;
	case OP_AND: return 2;
	case OP_NOT: return 3;
	case OP_LESS: case OP_LESSEQ: case OP_EQUAL: case OP_UNEQUAL: return 4;
	case OP_BAND: case OP_BOR: case OP_XOR: case OP_SHL: case OP_SHR: return 5;
	case OP_ADD: case OP_SUB: return 6;
	case OP_MUL: case OP_DIV: case OP_MODR: case OP_IDIV: case OP_IMOD: return 7;
	case OP_REDUCE: return linear(n) ? 7 : 10;
	case OP_NEG: return 8;
	case OP_POWER: return 9;
	case OP_DIFF: return n->partial ? 8 : 10;
	case OP_GRAD: return n->partial ? 8 : 10;
	case OP_TWIN: return level_of(n->a);
	default: return 10;
	}
}

static void infix(Text *t, Node *n, const char *op, int left, int right)
{
	expression(t, n->a, left);
	fprintf(t->out, " %s ", op);
	expression(t, n->b, right);
}

static void product(Text *t, Node *n, const char *op)
{
	bool unit_literal = n->op == OP_MUL && n->a->op == OP_NUMBER && n->a->number.re >= 0 && n->a->kind == KIND_REAL
		&& dim_is_none(n->a->dim) && n->b->op == OP_NUMBER && !dim_is_none(n->b->dim) && (n->id & 1);
	if (unit_literal) {
		number(t, (double)n->a->number.re);
		fprintf(t->out, " '%s'", unit_name[n->b->unit]);
		return;
	}
	expression(t, n->a, is_open(n->a) ? 8 : 7);
	fputs(op, t->out);
	expression(t, n->b, is_open(n) ? 7 : 8);
}

static void compare(Text *t, Node *n)
{
	bool turn = n->id & 1;
	const char *op = n->op == OP_LESS ? (turn ? ">" : "<") : n->op == OP_LESSEQ ? (turn ? ">=" : "<=") : n->op == OP_EQUAL ? "==" : "!=";
	expression(t, turn ? n->b : n->a, 5);
	fprintf(t->out, " %s ", op);
	expression(t, turn ? n->a : n->b, 5);
}

static const Data *data_of(const Text *t, const Axis *a)
{
	for (unsigned k = 0; k < t->g->ndata; k++) {
		if (&t->g->data[k]->records == a) {
			return t->g->data[k];
		}
	}
	return NULL;
}

/* Points may be bound as a tuple of coordinates. */
static bool as_tuple(const Text *t, const Var *v)
{
	const Data *d = data_of(t, v->axis);
	return d && (d->form == DATA_GRID || d->form == DATA_LIST) && (v->id & 1);
}

static void binders(Text *t, Node *n)
{
	fputs("[", t->out);
	for (unsigned k = 0; k < n->nbound; k++) {
		Var *v = n->bound[k];
		fputs(k ? ", " : "", t->out);
		if (n->pairs) {
			fputs("(", t->out);
			var_name(t, n->bound[0]);
			fputs(", ", t->out);
			var_name(t, n->bound[1]);
			fputs(") in pairs(", t->out);
			axis_name(t, v->axis);
			fputs(")", t->out);
			break;
		}
		if (v->axis->records && as_tuple(t, v)) {
			fputs("(", t->out);
			var_name(t, v);
			fputs("a, ", t->out);
			var_name(t, v);
			fputs("b) in ", t->out);
			axis_name(t, v->axis);
			continue;
		}
		var_name(t, v);
		bool told = !v->axis->records && !n->b && (v->id & 2) && tells(v, NULL, n->a);
		if (!told) {
			fputs(" in ", t->out);
			axis_name(t, v->axis);
		}
	}
	if (n->b) {
		fputs(" if ", t->out);
		t->frozen++;
		expression(t, n->b, 0);
		t->frozen--;
	}
	fputs("]", t->out);
}

static void reduction(Text *t, Node *n)
{
	fputs(n->whole == RED_SUM && (n->id & 2) ? "Σ" : reducer_name[n->whole], t->out);
	binders(t, n);
	t->frozen += n->b != NULL;
	if (linear(n) && (n->id & 4 || n->whole == RED_COUNT)) {
		fputs(" ", t->out);
		expression(t, n->a, n->whole == RED_COUNT ? 10 : 7);
	} else if (linear(n)) {
		fputs(" (", t->out);
		expression(t, n->a, 0);
		fputs(")", t->out);
	} else {
		fputs("(", t->out);
		expression(t, n->a, 0);
		fputs(")", t->out);
	}
	t->frozen -= n->b != NULL;
}

/* A place: a label's name where a constant is asked for on a labelled axis. */
static void place(Text *t, Node *n, const Axis *a)
{
	if (n->op == OP_NUMBER && a->labelled) {
		label(t, a, (int64_t)n->number.re);
	} else {
		expression(t, n, 0);
	}
}

static void subscripts(Text *t, const Node *n, const Array *a)
{
	unsigned from = a->form == FORM_FIELD;
	for (unsigned k = from; k < a->naxes; k++) {
		fputs(k == from ? "[" : ", ", t->out);
		place(t, n->at[k], a->axis[k]);
	}
	fputs(a->naxes > from ? "]" : "", t->out);
}

static bool all_whole(const Text *t, const Node *n, const Array *a)
{
	bool same = t->whole != NULL && a->naxes == t->whole->naxes;
	for (unsigned k = 0; same && k < a->naxes; k++) {
		same = n->at[k] && n->at[k]->op == OP_INDEX && n->at[k]->var == t->whole->index[k];
	}
	return same;
}

static void field(Text *t, Node *n)
{
	const Array *a = n->array;
	const Var *v = n->at[0]->var;
	if (t->in_data) {
		array_name(t, a);
		return;
	}
	var_name(t, v);
	if (as_tuple(t, v)) {
		fputs(a->data->field[0] == a ? "a" : "b", t->out);
	} else {
		fputs(".", t->out);
		array_name(t, a);
	}
}

static bool of_group(const Text *t, const Array *a)
{
	for (unsigned k = 0; t->group && k < t->group->n; k++) {
		if (t->group->array[k] == a) {
			return true;
		}
	}
	return false;
}

static void read_array(Text *t, Node *n)
{
	const Array *a = n->array;
	fputs(n->op == OP_FLIPPED ? "flip(" : "", t->out);
	if (a->form == FORM_FIELD) {
		field(t, n);
	} else {
		array_name(t, a);
	}
	if (n->op == OP_FLIPPED) {
		fputs(", ", t->out);
		place(t, n->a, a->axis[a->naxes - 1]);
		fputs(")", t->out);
	}
	bool own = of_group(t, a); /* the places of a recurrence's reads stay what they are */
	t->frozen += own;
	if (n->at[0] && !all_whole(t, n, a)) {
		subscripts(t, n, a);
	}
	t->frozen -= own;
}

static void argument(Text *t, Node *n, const Fn *f, unsigned k)
{
	if (f->array[k]) {
		array_name(t, n->array);
	} else {
		expression(t, n, 0);
	}
}

static void arguments(Text *t, Node *const *arg, const Fn *f, unsigned from)
{
	for (unsigned k = from; k < f->narg; k++) {
		fputs(k > from ? ", " : "", t->out);
		argument(t, arg[k], f, k);
	}
}

static void call(Text *t, Node *n)
{
	const Fn *f = n->fn;
	bool pipe = (n->id & 3) == 0 && f->scalar[0] && !f->scalar[0]->axis;
	if (pipe) {
		fputs("(", t->out);
		expression(t, n->arg[0], 1);
		fputs(" |> ", t->out);
	}
	name(t, NAME_FN, f->id);
	if (!pipe || f->narg > 1) {
		fputs("(", t->out);
		arguments(t, n->arg, f, pipe);
		fputs(")", t->out);
	}
	fputs(pipe ? ")" : "", t->out);
	if (n->op == OP_ELEMENT && !all_whole(t, n, f->result)) {
		subscripts(t, n, f->result);
	}
}

static void order_text(Text *t, unsigned order)
{
	static const char *const small[] = {"", "", "²", "³", "⁴", "⁵", "⁶"};
	fputs(small[order], t->out);
}

/* (∂³f/∂x²∂y)(a, b) or partial[x,x,y] by names of the function's parameters. */
static void differential(Text *t, Node *n)
{
	unsigned total = 0;
	const Fn *f = n->fn;
	for (unsigned k = 0; k < f->narg; k++) {
		total += n->order[k];
	}
	fputs("(∂", t->out);
	order_text(t, total);
	name(t, NAME_FN, f->id);
	fputs("/", t->out);
	for (unsigned k = 0; k < f->narg; k++) {
		if (n->order[k]) {
			fputs("∂", t->out);
			var_name(t, f->scalar[k]);
			order_text(t, n->order[k]);
		}
	}
	fputs(")(", t->out);
	arguments(t, n->arg, f, 0);
	fputs(")", t->out);
}

/* grad(e, W)[i], or partial[W[i]] (e), or by a parameter of the function around. */
static void gradient(Text *t, Node *n)
{
	t->frozen++;
	if (n->var) {
		fputs("partial[", t->out);
		var_name(t, n->var);
		fputs("] (", t->out);
		expression(t, n->a, 0);
		fputs(")", t->out);
	} else if (n->partial) {
		fputs("partial[", t->out);
		array_name(t, n->array);
		subscripts(t, n, n->array);
		fputs("] (", t->out);
		expression(t, n->a, 0);
		fputs(")", t->out);
	} else {
		fputs("grad(", t->out);
		expression(t, n->a, 0);
		fputs(", ", t->out);
		array_name(t, n->array);
		fputs(")", t->out);
		if (!all_whole(t, n, n->array)) {
			subscripts(t, n, n->array);
		}
	}
	t->frozen--;
}

static void function(Text *t, Node *n, const char *text)
{
	if (n->op == OP_CALL1 && (n->id & 7) == 0) {
		fputs("(", t->out);
		expression(t, n->a, 1);
		fprintf(t->out, " |> %s)", text);
		return;
	}
	fprintf(t->out, "%s(", text);
	expression(t, n->a, 0);
	if (n->b) {
		fputs(", ", t->out);
		expression(t, n->b, 0);
	}
	fputs(")", t->out);
}

static void power(Text *t, Node *n)
{
	expression(t, n->a, 10);
	if (n->whole == 2 && (n->id & 1)) {
		fputs("²", t->out);
	} else if (n->whole == 3 && (n->id & 1)) {
		fputs("³", t->out);
	} else {
		fprintf(t->out, "^%lld", (long long)n->whole);
	}
}

static void select_text(Text *t, Node *n)
{
	t->frozen++;
	fputs("if ", t->out);
	expression(t, n->a, 1);
	fputs(" then ", t->out);
	expression(t, n->b, 1);
	fputs(" else ", t->out);
	expression(t, n->c, 0);
	t->frozen--;
}

static void constant(Text *t, const Node *n)
{
	if (n->kind == KIND_INT) {
		fprintf(t->out, "%lld", (long long)n->number.re);
	} else if (!dim_is_none(n->dim)) {
		fprintf(t->out, "1 '%s'", unit_name[n->unit]);
	} else {
		number(t, (double)n->number.re);
	}
}

static void axis_function(Text *t, const Node *n)
{
	const Axis *a = n->bound[0]->axis;
	fputs(n->op == OP_SIZE ? "size(" : n->op == OP_FIRST ? "first(" : "end(", t->out);
	axis_name(t, a);
	fputs(")", t->out);
}

static void node(Text *t, Node *n)
{
	switch (n->op) {
	case OP_NUMBER: constant(t, n); break;
	case OP_INDEX: case OP_SCALAR: var_name(t, n->var); break;
	case OP_READ: case OP_FLIPPED: read_array(t, n); break;
	case OP_ADD: infix(t, n, "+", 6, 7); break;
	case OP_SUB: infix(t, n, "-", 6, 7); break;
	case OP_MUL: product(t, n, "*"); break;
	case OP_DIV: product(t, n, "/"); break;
	case OP_MODR: case OP_IMOD: infix(t, n, "mod", is_open(n->a) ? 8 : 7, 8); break;
	case OP_IDIV: infix(t, n, "div", is_open(n->a) ? 8 : 7, 8); break;
	case OP_BAND: infix(t, n, "band", 8, 8); break;
	case OP_BOR: infix(t, n, "bor", 8, 8); break;
	case OP_XOR: infix(t, n, "xor", 8, 8); break;
	case OP_SHL: infix(t, n, "shl", 8, 8); break;
	case OP_SHR: infix(t, n, "shr", 8, 8); break;
	case OP_BIT: function(t, n, "bit"); break;
	case OP_NEG: fputs("-", t->out); expression(t, n->a, 8); break;
	case OP_POWER: power(t, n); break;
	case OP_CALL1: function(t, n, call_name[n->whole]); break;
	case OP_CALL2: function(t, n, call2_name[n->whole]); break;
	case OP_CCALL: function(t, n, ccall_name[n->whole]); break;
	case OP_FLOOR: function(t, n, "int"); break;
	case OP_TOREAL: function(t, n, "real"); break;
	case OP_COMPLEX: function(t, n, "complex"); break;
	case OP_RE: function(t, n, "re"); break;
	case OP_IM: function(t, n, "im"); break;
	case OP_CONJ: function(t, n, "conj"); break;
	case OP_CABS: function(t, n, "abs"); break;
	case OP_ARG: function(t, n, "arg"); break;
	case OP_IF: select_text(t, n); break;
	case OP_LESS: case OP_LESSEQ: case OP_EQUAL: case OP_UNEQUAL: compare(t, n); break;
	case OP_AND: infix(t, n, "and", 2, 3); break;
	case OP_OR: infix(t, n, "or", 1, 2); break;
	case OP_NOT: fputs("not ", t->out); expression(t, n->a, 4); break;
	case OP_SIZE: case OP_FIRST: case OP_END: axis_function(t, n); break;
	case OP_REDUCE: reduction(t, n); break;
	case OP_FN: case OP_ELEMENT: call(t, n); break;
	case OP_DIFF: differential(t, n); break;
	case OP_GRAD: gradient(t, n); break;
	case OP_TWIN: node(t, n->a); break;
	}
}

/* ---- parts as definitions of their own ---- */

static bool worth_taking(const Node *n)
{
	switch (n->op) {
	case OP_ADD: case OP_SUB: case OP_MUL: case OP_DIV: case OP_POWER: case OP_CALL1: case OP_REDUCE: case OP_FN: case OP_RE:
		return n->kind != KIND_BOOL;
	default:
		return false;
	}
}

static void take_out(Text *t, Node *n, const Free *f)
{
	FILE *out = t->out;
	char *text = NULL;
	size_t size;
	unsigned id = ++t->temps;
	t->out = open_memstream(&text, &size);
	name(t, NAME_TEMP, id);
	fputs(f->n ? " = [" : " = ", t->out);
	for (unsigned k = 0; k < f->n; k++) {
		fputs(k ? ", " : "", t->out);
		var_name(t, f->var[k]);
		fputs(" in ", t->out);
		axis_name(t, f->var[k]->axis);
	}
	fputs(f->n ? " -> " : "", t->out);
	node(t, n);
	fputs(f->n ? "]" : "", t->out);
	fclose(t->out);
	t->out = out;
	t->line[t->nline++] = text;
	name(t, NAME_TEMP, id);
	for (unsigned k = 0; k < f->n; k++) {
		fputs(k ? ", " : "[", t->out);
		var_name(t, f->var[k]);
	}
	fputs(f->n ? "]" : "", t->out);
}

static void expression(Text *t, Node *n, int level)
{
	if (t->style->split && !t->frozen && !t->whole && !t->in_data && t->nline < 60 && worth_taking(n) && chance(t, 8) == 0) {
		Free f = {.t = t, .root = n};
		Walk w = {free_in, &f};
		walk(&w, n);
		if (!f.fixed) {
			take_out(t, n, &f);
			return;
		}
	}
	bool brackets = level_of(n) < level || (level > 0 && level <= 6 && n->op != OP_NUMBER && chance(t, 12) == 0);
	fputs(brackets ? "(" : "", t->out);
	node(t, n);
	fputs(brackets ? ")" : "", t->out);
}

static void lines_taken(Text *t, const char *indent)
{
	for (unsigned k = 0; k < t->nline; k++) {
		fprintf(t->out, "%s%s\n", indent, t->line[k]);
		free(t->line[k]);
	}
	t->nline = 0;
}

/* ---- declarations ---- */

static void type(Text *t, const Array *a, unsigned from)
{
	fputs(a->spin ? "spin" : a->kind == KIND_INT ? "int" : a->kind == KIND_COMPLEX ? "complex" : "real", t->out);
	for (unsigned k = from; k < a->naxes; k++) {
		fputs(k == from ? "[" : ", ", t->out);
		axis_name(t, a->axis[k]);
	}
	fputs(a->naxes > from ? "]" : "", t->out);
	if (!dim_is_none(a->dim)) {
		fputs(" ", t->out);
		unit(t, a->dim);
	}
}

static void axis(Text *t, const Axis *a)
{
	fputs("axis ", t->out);
	axis_name(t, a);
	fputs(" = ", t->out);
	for (int64_t k = 0; a->labelled && k < a->size; k++) {
		fputs(k ? " | " : "", t->out);
		label(t, a, k);
	}
	if (!a->labelled) {
		if (a->first || (a->id & 1)) {
			fprintf(t->out, "%lld..%lld", (long long)a->first, (long long)(a->first + a->size - 1));
		} else {
			fprintf(t->out, "%lld", (long long)a->size);
		}
	}
	fputs(a->periodic ? " periodic\n" : "\n", t->out);
}

static void elements(Text *t, const Array *a, unsigned k, size_t *at)
{
	if (k == a->naxes) {
		literal(t, a, a->value[(*at)++]);
		return;
	}
	fputs("[", t->out);
	for (int64_t j = 0; j < a->axis[k]->size; j++) {
		fputs(j ? ", " : "", t->out);
		elements(t, a, k + 1, at);
	}
	fputs("]", t->out);
}

static void known_array(Text *t, const Array *a)
{
	static const char *const constraint[] = {"", " symmetric", " antisymmetric", " zero_diagonal", " positive"};
	size_t at = 0;
	fputs(a->form == FORM_PARAM ? "param " : "const ", t->out);
	array_name(t, a);
	if (a->naxes || a->form == FORM_PARAM || (a->id & 1) || a->kind == KIND_INT) {
		fputs(" : ", t->out);
		type(t, a, 0);
	}
	fprintf(t->out, "%s = ", constraint[a->constraint]);
	elements(t, a, 0, &at);
	fputs("\n", t->out);
}

/* ---- definitions ---- */

static bool index_form(const Array *a)
{
	bool told = a->form == FORM_INDEX;
	for (unsigned k = 0; told && k < a->naxes; k++) {
		told = tells(a->index[k], NULL, a->body);
	}
	return told;
}

static void left_side(Text *t, const Array *a, const Node *body, unsigned base)
{
	array_name(t, a);
	for (unsigned k = 0; k < a->naxes; k++) {
		fputs(k ? ", " : "[", t->out);
		if (body != a->body && k == (a->base_second[base] ? 1u : 0u)) {
			label(t, a->axis[k], a->base_at[base]);
		} else if (body != a->body && a->base_corner[base]) {
			label(t, a->axis[k], a->corner_at);
		} else {
			var_name(t, a->index[k]);
		}
	}
	fputs(a->naxes ? "] = " : " = ", t->out);
}

static void definition(Text *t, const Array *a)
{
	if (a->form == FORM_PIECES) {
		for (unsigned k = 0; k < a->nbase; k++) {
			left_side(t, a, a->base[k], k);
			expression(t, a->base[k], 0);
			fputs("\n", t->out);
		}
		left_side(t, a, a->body, 0);
		expression(t, a->body, 0);
	} else if (a->form == FORM_WHOLE) {
		array_name(t, a);
		fputs(" = ", t->out);
		t->whole = a;
		expression(t, a->body, 0);
		t->whole = NULL;
	} else if (a->naxes && !index_form(a)) {
		array_name(t, a);
		fputs(" = [", t->out);
		for (unsigned k = 0; k < a->naxes; k++) {
			fputs(k ? ", " : "", t->out);
			var_name(t, a->index[k]);
			fputs(" in ", t->out);
			axis_name(t, a->axis[k]);
		}
		fputs(" -> ", t->out);
		expression(t, a->body, 0);
		fputs("]", t->out);
	} else {
		left_side(t, a, a->body, 0);
		expression(t, a->body, 0);
	}
	fputs("\n", t->out);
}

/* A group's lines, each behind `indent`. */
static void group_lines(Text *t, const Group *group, const char *indent)
{
	FILE *out = t->out;
	char *text = NULL;
	size_t size;
	t->out = open_memstream(&text, &size);
	t->group = group;
	if (group->from) {
		fputs("let (", t->out);
		array_name(t, group->array[0]);
		fputs(", ", t->out);
		array_name(t, group->array[1]);
		fputs(") = ", t->out);
		name(t, NAME_FN, group->from->id);
		fputs("(", t->out);
		t->frozen++; /* the line is a statement, done in its place */
		arguments(t, group->arg, group->from, 0);
		t->frozen--;
		fputs(")\n", t->out);
	}
	for (unsigned k = 0; k < group->n && !group->from; k++) {
		definition(t, group->array[k]);
	}
	t->group = NULL;
	fclose(t->out);
	t->out = out;
	lines_taken(t, indent);
	for (char *at = text, *end; *at; at = end) {
		end = strchr(at, '\n') + 1;
		fprintf(t->out, "%s%.*s", indent, (int)(end - at), at);
	}
	free(text);
}

/* ---- functions ---- */

static void parameters(Text *t, const Fn *f)
{
	fputs("(", t->out);
	for (unsigned k = 0; k < f->narg; k++) {
		fputs(k ? ", " : "", t->out);
		if (f->array[k]) {
			array_name(t, f->array[k]);
			fputs(": ", t->out);
			type(t, f->array[k], 0);
		} else {
			Var *v = f->scalar[k];
			var_name(t, v);
			if (v->axis) {
				fputs(": ", t->out);
				axis_name(t, v->axis);
			} else if (f->typed[k]) {
				fputs(": real", t->out);
				if (!dim_is_none(v->dim)) {
					fputs(" ", t->out);
					unit(t, v->dim);
				}
			}
		}
	}
	fputs(")", t->out);
}

static void returned(Text *t, const Fn *f)
{
	if (f->second) {
		fputs("(", t->out);
		expression(t, f->body, 0);
		fputs(", ", t->out);
		expression(t, f->second, 0);
		fputs(")", t->out);
	} else if (f->result) {
		fputs("[", t->out);
		var_name(t, f->result->index[0]);
		fputs(" in ", t->out);
		axis_name(t, f->result->axis[0]);
		fputs(" -> ", t->out);
		expression(t, f->body, 0);
		fputs("]", t->out);
	} else {
		expression(t, f->body, 0);
	}
}

static void own_parameter(Text *t, const Array *a)
{
	fputs("  param ", t->out);
	array_name(t, a);
	fputs(" : ", t->out);
	type(t, a, 0);
	fputs(" = ", t->out);
	array_name(t, a->body->array);
	fputs("\n", t->out);
}

static void function_text(Text *t, const Fn *f)
{
	static const char *const word[] = {"fn", "net", "layer"};
	fprintf(t->out, "%s ", word[f->form]);
	name(t, NAME_FN, f->id);
	parameters(t, f);
	t->fn = f;
	if (!f->second && !f->result && f->body->kind == KIND_REAL && (f->id & 1)) {
		fputs(" -> real", t->out);
		if (!dim_is_none(f->body->dim)) {
			fputs(" ", t->out);
			unit(t, f->body->dim);
		}
	}
	if (!f->nlocal && !t->style->split && (f->id & 2)) {
		fputs(" = ", t->out);
		returned(t, f);
		fputs("\n", t->out);
		t->fn = NULL;
		return;
	}
	fputs(" {\n", t->out);
	for (unsigned k = 0; k < f->nlocal; k++) {
		const Array *a = f->local[k]->array[0];
		if (a->form == FORM_PARAM) {
			own_parameter(t, a);
		} else {
			group_lines(t, f->local[k], "  ");
		}
	}
	FILE *out = t->out;
	char *text = NULL;
	size_t size;
	t->out = open_memstream(&text, &size);
	returned(t, f);
	fclose(t->out);
	t->out = out;
	lines_taken(t, "  ");
	fprintf(t->out, "  return %s\n}\n", text);
	free(text);
	t->fn = NULL;
}

/* ---- data ---- */

static void points(Text *t, const Data *d)
{
	fputs("domain ", t->out);
	name(t, NAME_DOMAIN, d->domain);
	fputs(" {\n", t->out);
	for (unsigned k = 0; k < 2; k++) {
		fputs("  ", t->out);
		array_name(t, d->field[k]);
		fprintf(t->out, " in [%g, %g]\n", d->lo[k], d->hi[k]);
	}
	fputs("}\npoints ", t->out);
	name(t, NAME_DATA, d->id);
	fprintf(t->out, " = %s(", d->form == DATA_GRID ? "grid" : "list");
	name(t, NAME_DOMAIN, d->domain);
	for (unsigned k = 0; k < 2 && d->form == DATA_GRID; k++) {
		fputs(", ", t->out);
		array_name(t, d->field[k]);
		fprintf(t->out, " = %lld", (long long)d->steps[k]);
	}
	for (size_t k = 0; k < d->field[0]->size && d->form == DATA_LIST; k++) {
		fputs(", (", t->out);
		number(t, (double)d->field[0]->value[k].re);
		fputs(", ", t->out);
		number(t, (double)d->field[1]->value[k].re);
		fputs(")", t->out);
	}
	fputs(")\n", t->out);
}

static void data(Text *t, const Data *d)
{
	if (d->form == DATA_GRID || d->form == DATA_LIST) {
		points(t, d);
		return;
	}
	fputs("data ", t->out);
	name(t, NAME_DATA, d->id);
	if (d->form == DATA_CSV) {
		fprintf(t->out, " from \"s%llu_%u.csv\" {\n", (unsigned long long)t->g->seed, d->id);
	} else {
		fprintf(t->out, " = simulate(%lld) {\n", (long long)d->records.size);
	}
	t->in_data = true;
	for (unsigned k = 0; k < d->nfield; k++) {
		const Array *a = d->field[k];
		fputs("  ", t->out);
		array_name(t, a);
		fputs(a->spin ? " : spin" : " : real", t->out);
		if (a->naxes > 1) {
			fputs("[", t->out);
			axis_name(t, a->axis[1]);
			fputs("]", t->out);
		}
		if (!dim_is_none(a->dim)) {
			fputs(a->drawn || a->body ? " " : " 'nm'", t->out);
			if (a->drawn || a->body) {
				unit(t, a->dim);
			}
		}
		if (a->drawn) {
			const char *u = dim_is_none(a->dim) ? "" : " 'nm'";
			fputs(" ~ uniform(", t->out);
			number(t, a->draw_lo);
			fprintf(t->out, "%s, ", u);
			number(t, a->draw_hi);
			fprintf(t->out, "%s)", u);
		} else if (a->body) {
			fputs(a->naxes > 1 ? " = [" : " = ", t->out);
			if (a->naxes > 1) {
				var_name(t, a->index[1]);
				fputs(" in ", t->out);
				axis_name(t, a->axis[1]);
				fputs(" -> ", t->out);
			}
			expression(t, a->body, 0);
			fputs(a->naxes > 1 ? "]" : "", t->out);
		} else {
			fprintf(t->out, " from \"c%u\"", k);
		}
		fputs("\n", t->out);
	}
	t->in_data = false;
	fputs("}\n", t->out);
}

void text_csv(const Gen *g, const Data *d, FILE *out)
{
	(void)g;
	for (unsigned k = 0; k < d->nfile; k++) {
		fprintf(out, "%sc%u", k ? "," : "", k);
	}
	fputs("\n", out);
	for (size_t j = 0; j < d->field[0]->size; j++) {
		for (unsigned k = 0; k < d->nfile; k++) {
			fprintf(out, "%s%.17g", k ? "," : "", (double)d->field[k]->value[j].re);
		}
		fputs("\n", out);
	}
}

/* ---- what is printed ---- */

/* The array without its unit, of one part of complex numbers ('r', 'i'). */
static void want(Text *t, const Want *w, char part)
{
	const Array *a = w->array;
	fprintf(t->out, "print \"@%u%c \", digits(", w->id, part ? part : 'v');
	if (w->node) {
		expression(t, w->node, 0);
	} else if (a->form == FORM_FIELD) {
		fputs("[s in ", t->out);
		name(t, NAME_DATA, a->data->id);
		fputs(a->naxes > 1 ? ", k in " : " -> ", t->out);
		if (a->naxes > 1) {
			axis_name(t, a->axis[1]);
			fputs(" -> ", t->out);
		}
		fputs("s.", t->out);
		array_name(t, a);
		fputs(a->naxes > 1 ? "[k]" : "", t->out);
	} else if (part && a->naxes) {
		fputs("[", t->out);
		for (unsigned k = 0; k < a->naxes; k++) {
			fputs(k ? ", " : "", t->out);
			var_name(t, a->index[k]);
			fputs(" in ", t->out);
			axis_name(t, a->axis[k]);
		}
		fprintf(t->out, " -> %s(", part == 'r' ? "re" : "im");
		array_name(t, a);
		for (unsigned k = 0; k < a->naxes; k++) {
			fputs(k ? ", " : "[", t->out);
			var_name(t, a->index[k]);
		}
		fputs("])]", t->out);
	} else if (part) {
		fprintf(t->out, "%s(", part == 'r' ? "re" : "im");
		array_name(t, a);
		fputs(")", t->out);
	} else {
		array_name(t, a);
	}
	Dim dim = w->node ? w->node->dim : a->dim;
	if (!dim_is_none(dim)) {
		fputs("/(1 '", t->out);
		for (int k = 0, any = 0; k < DIMS; k++) {
			if (dim.power[k]) {
				fprintf(t->out, "%s%s^%d", any ? "*" : "", k ? "eV" : "nm", dim.power[k]);
				any = 1;
			}
		}
		fputs("')", t->out);
	}
	fputs(!w->node && a->form == FORM_FIELD ? "]" : "", t->out);
	fputs(", 17)\n", t->out);
}

static void wants(Text *t)
{
	unsigned n = t->g->nwant, from = t->style->shuffle && n ? chance(t, n) : 0;
	for (unsigned k = 0; k < n; k++) {
		const Want *w = &t->g->want[(from + k) % n];
		t->frozen++;
		if (w->array && w->array->kind == KIND_COMPLEX) {
			want(t, w, 'r');
			want(t, w, 'i');
		} else {
			want(t, w, 0);
		}
		t->frozen--;
	}
}

static void item(Text *t, const Item *i)
{
	switch (i->form) {
	case ITEM_AXIS: axis(t, i->axis); break;
	case ITEM_ARRAY: known_array(t, i->array); break;
	case ITEM_FN: function_text(t, i->fn); break;
	case ITEM_DATA: data(t, i->data); break;
	case ITEM_GROUP: group_lines(t, i->group, ""); break;
	}
}

/* Items of a form in an order by chance; what must stay in order stays. */
static void shuffled(Text *t, ItemForm form)
{
	unsigned at[160], n = 0;
	for (unsigned k = 0; k < t->g->nitem; k++) {
		if (t->g->item[k].form == form) {
			at[n++] = k;
		}
	}
	bool free_order = form == ITEM_AXIS || form == ITEM_ARRAY || form == ITEM_GROUP;
	for (unsigned k = n; free_order && k > 1; k--) {
		unsigned j = chance(t, k), other = at[k - 1];
		at[k - 1] = at[j];
		at[j] = other;
	}
	for (unsigned k = 0; k < n; k++) {
		item(t, &t->g->item[at[k]]);
	}
}

void text_program(Gen *g, const Style *s, FILE *out)
{
	Text t = {.out = out, .g = g, .style = s, .state = s->seed*77 + 5};
	bool pairs = false; /* what is let stands above the functions that read it */
	for (unsigned k = 0; k < g->nitem; k++) {
		pairs = pairs || (g->item[k].form == ITEM_GROUP && g->item[k].group->from);
	}
	if (s->shuffle && !pairs) {
		shuffled(&t, ITEM_AXIS);
		shuffled(&t, ITEM_ARRAY);
		shuffled(&t, ITEM_DATA);
		shuffled(&t, ITEM_FN);
		shuffled(&t, ITEM_GROUP);
	} else {
		for (unsigned k = 0; k < g->nitem; k++) {
			item(&t, &g->item[k]);
		}
	}
	wants(&t);
}
