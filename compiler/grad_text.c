/* grad_text.c — expressions as mathematics: sums with their signs, quotients, reductions in place,
 * cases. */
#include "compiler/grad_text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/matrix.h"
#include "lang/op.h"

enum { DEEP = 40 };

static const char *node_text(GradText *t, Node n, Tightness *tight);

/* ---- names ---- */

static const char *const greek[] = {"alpha",   "beta",  "gamma", "delta", "epsilon", "zeta",
				    "eta",     "theta", "iota",  "kappa", "lambda",  "mu",
				    "nu",      "xi",    "pi",    "rho",   "sigma",   "tau",
				    "upsilon", "phi",   "chi",   "psi",   "omega"};
static const char *const greek_letter[] = {"α", "β", "γ", "δ", "ε", "ζ", "η", "θ",
					   "ι", "κ", "λ", "μ", "ν", "ξ", "π", "ρ",
					   "σ", "τ", "υ", "φ", "χ", "ψ", "ω"};

/* A plain word: Greek by name or letter, one letter as it is, longer ones upright. */
static const char *latex_word(Arena *a, const char *s)
{
	for (size_t k = 0; k < sizeof greek / sizeof *greek; k++) {
		if (strcmp(s, greek[k]) == 0 || strcmp(s, greek_letter[k]) == 0) {
			return strcmp(s, "ε") == 0 ? "\\varepsilon"
						   : arena_printf(a, "\\%s", greek[k]);
		}
	}
	size_t letters = 0;
	for (const char *p = s; *p; p++) {
		letters += ((unsigned char)*p & 0xc0) != 0x80;
	}
	return letters <= 1 ? s : arena_printf(a, "\\mathrm{%s}", s);
}

/* word, digits at its end as a number in brackets above: W4 is W^{(4)}. */
static const char *latex_base(Arena *a, const char *s, size_t n, const char **above)
{
	size_t end = n;
	while (end > 1 && isdigit((unsigned char)s[end - 1])) {
		end--;
	}
	*above = end < n ? arena_printf(a, "(%.*s)", (int)(n - end), s + end) : "";
	return latex_word(a, arena_printf(a, "%.*s", (int)end, s));
}

const char *grad_text_latex_name(Arena *a, const char *name)
{
	size_t n = strlen(name), bars = 0;
	while (n > 1 && name[n - 1] == '_') {
		n--;
		bars++;
	}
	if (strncmp(name, "slope_", 6) == 0 && n > 6) { /* f'(z) where a = f(z) */
		const char *slope = arena_printf(
			a, "{%s}'",
			grad_text_latex_name(a, arena_printf(a, "%.*s", (int)n - 6, name + 6)));
		for (size_t k = 0; k < bars; k++) {
			slope = arena_printf(a, "\\overline{%s}", slope);
		}
		return slope;
	}
	const char *cut = memchr(name, '_', n), *above;
	size_t base = cut && cut > name ? (size_t)(cut - name) : n;
	const char *text = latex_base(a, name, base, &above);
	if (base <
	    n) { /* what follows are the directions of a tangent, or parts of a longer name */
		char *tags = arena_printf(a, "%.*s", (int)(n - base - 1), name + base + 1);
		for (char *p = tags; *p; p++) {
			*p = *p == '_' ? ' ' : *p;
		}
		size_t len = strlen(tags);
		const char *tag = len <= 3 ? tags : arena_printf(a, "\\text{%s}", tags);
		above = *above ? arena_printf(a, "%s\\,%s", above, tag) : tag;
	}
	for (size_t k = 0; k < bars; k++) {
		text = arena_printf(a, "\\bar{%s}", text);
	}
	return *above ? arena_printf(a, "%s^{%s}", text, above) : text;
}

const char *grad_text_index(GradText *t, Index i)
{
	for (size_t k = 0; k < t->nindex; k++) {
		if (t->index[k].index == i) {
			return t->index[k].name;
		}
	}
	const char *base = intern_text(core_names(t->c), core_index_name(t->c, i));
	Sym axis = core_axis_info(t->c, core_index_axis(t->c, i))->name;
	base = *base ? base : axis ? intern_text(core_names(t->c), axis) : "k";
	const char *name = base;
	for (unsigned number = 2;; number++) {
		bool taken = false;
		for (size_t k = 0; k < t->nindex; k++) {
			taken |= strcmp(t->index[k].name, name) == 0;
		}
		if (!taken) {
			break;
		}
		name = arena_printf(t->a, "%s%u", base, number);
	}
	ARENA_PUSH(t->a, t->index, t->nindex, t->indexcap, ((GradName){i, name}));
	return name;
}

static const char *shown_index(GradText *t, Index i)
{
	const char *name = grad_text_index(t, i);
	if (!t->latex) {
		return name;
	}
	size_t n = strlen(name), end = n;
	while (end > 1 && isdigit((unsigned char)name[end - 1])) {
		end--;
	}
	const char *word = latex_word(t->a, arena_printf(t->a, "%.*s", (int)end, name));
	for (size_t k = end < n ? (size_t)atoi(name + end) : 1; k > 1 && k < 5; k--) {
		word = arena_printf(t->a, "%s'", word);
	}
	return word;
}

const char *grad_text_label(GradText *t, Axis a, int64_t label)
{
	const AxisInfo *info = core_axis_info(t->c, a);
	if (label >= 0 && label < (int64_t)info->nlabel) {
		const char *s = intern_text(core_names(t->c), info->label[label]);
		return t->latex ? latex_word(t->a, s) : s;
	}
	return arena_printf(t->a, "%lld", (long long)label);
}

const char *grad_text_read(GradText *t, Def d, uint32_t n, const char *const *args)
{
	const char *s = t->latex ? grad_text_latex_name(t->a, t->name[d]) : t->name[d];
	for (uint32_t k = 0; k < n; k++) {
		const char *open = t->latex ? "_{" : "[", *sep = t->latex ? ",\\," : ", ";
		s = arena_printf(t->a, "%s%s%s", s, k ? sep : open, args[k]);
	}
	return n ? arena_printf(t->a, "%s%s", s, t->latex ? "}" : "]") : s;
}

/* ---- numbers ---- */

static const char *number_text(GradText *t, double v)
{
	if (isinf(v)) {
		return t->latex ? (v > 0 ? "\\infty" : "-\\infty") : v > 0 ? "inf" : "-inf";
	}
	char text[40];
	int digits = 1;
	do {
		snprintf(text, sizeof text, "%.*g", digits, v);
	} while (strtod(text, NULL) != v && digits++ < 17);
	char *e = strchr(text, 'e');
	if (e && fabs(v) >= 1 && fabs(v) < 1e15) { /* 10 rather than 1e+01 */
		snprintf(text, sizeof text, "%.*g",
			 atoi(e + 1) + 1 > digits ? atoi(e + 1) + 1 : digits, v);
		e = NULL;
	}
	if (t->latex && e) {
		int power = atoi(e + 1);
		*e = 0;
		return arena_printf(t->a, "%s\\cdot 10^{%d}", text, power);
	}
	return arena_printf(t->a, "%s", text);
}

/* A coefficient as a number or, where that is shorter, a small fraction. */
static const char *coefficient_text(GradText *t, double v)
{
	for (int q = 2; q <= 12 && v != floor(v); q++) {
		double p = round(v * q);
		if (p != 0 && fabs(p) <= 12 && p / q == v &&
		    fabs(v * 1000) != floor(fabs(v * 1000))) {
			return arena_printf(t->a, t->latex ? "\\tfrac{%.0f}{%d}" : "%.0f/%d", p, q);
		}
	}
	return number_text(t, v);
}

/* ---- operators ---- */

static const char *bracket(GradText *t, const char *s)
{
	return arena_printf(t->a, t->latex ? "\\left(%s\\right)" : "(%s)", s);
}

const char *grad_text(GradText *t, Node n, Tightness least)
{
	Tightness tight;
	if (t->depth >= DEEP) { /* deeper expressions are named, so that neither lines nor our stack
				   grow without bound */
		const NodeInfo *p = core_node(t->c, n);
		if (p->n && p->tag != NODE_READ) {
			ARENA_PUSH(t->a, t->part, t->npart, t->partcap, n);
			return arena_printf(t->a, t->latex ? "P_{%zu}" : "part%zu", t->npart);
		}
	}
	t->depth++;
	const char *s = node_text(t, n, &tight);
	t->depth--;
	return tight < least ? bracket(t, s) : s;
}

/* coefficient times n with its sign taken out; *minus. */
static const char *term_text(GradText *t, double coef, Node n, bool *minus)
{
	const NodeInfo *p = core_node(t->c, n);
	*minus = coef < 0;
	coef = fabs(coef);
	if (coef == 1) {
		return grad_text(t, n, TIGHT_PRODUCT);
	}
	double whole = 1 / coef;
	if (whole == floor(whole) && whole <= 1000 && coef != 0.5 && p->tag != NODE_GUARD) {
		const char *s = grad_text(t, n, t->latex ? TIGHT_CHOICE : TIGHT_PRODUCT);
		return t->latex ? arena_printf(t->a, "\\frac{%s}{%.0f}", s, whole)
				: arena_printf(t->a, "%s/%.0f", s, whole);
	}
	return arena_printf(t->a, t->latex ? "%s\\,%s" : "%s*%s", coefficient_text(t, coef),
			    grad_text(t, n, TIGHT_PRODUCT));
}

static const char *int_constant(GradText *t, const NodeInfo *p)
{
	return arena_printf(t->a, "%lld", (long long)llabs(p->integer));
}

static const char *lin_text(GradText *t, const NodeInfo *p, Tightness *tight)
{
	const char *s = "";
	bool any = false, negative = p->kind == KIND_REAL ? p->num < 0 : p->integer < 0;
	bool constant = p->kind == KIND_REAL ? p->num != 0 : p->integer != 0;
	const char *number = !constant              ? ""
			     : p->kind == KIND_REAL ? coefficient_text(t, fabs(p->num))
						    : int_constant(t, p);
	if (constant && p->kind == KIND_REAL) { /* in index expressions the constant comes last */
		s = arena_printf(t->a, "%s%s", negative ? "-" : "", number);
		any = true;
	}
	for (int pass = 0; pass < 2; pass++) { /* terms with a plus first */
		for (uint32_t k = 0; k < p->n; k++) {
			bool minus = p->coef[k] < 0;
			if (minus == (pass == 0)) {
				continue;
			}
			const char *term = term_text(t, p->coef[k], p->arg[k], &minus);
			s = arena_printf(t->a, "%s%s%s", s,
					 any     ? (minus ? " - " : " + ")
					 : minus ? "-"
						 : "",
					 term);
			any = true;
		}
	}
	if (constant && p->kind != KIND_REAL) {
		s = arena_printf(t->a, "%s%s%s", s, negative ? " - " : " + ", number);
	}
	bool one = p->n == 1 && !constant && p->coef[0] > 0;
	*tight = one ? TIGHT_PRODUCT : TIGHT_SUM;
	return s;
}

static const char *power_text(GradText *t, Node base, int32_t e, bool single)
{
	if (e == 1) { /* above or below a bar by itself it needs no brackets */
		return grad_text(t, base, single ? TIGHT_CHOICE : TIGHT_PRODUCT + 1);
	}
	const char *text = grad_text(t, base, TIGHT_ATOM);
	if (!t->latex) {
		return arena_printf(t->a, "%s^%d", text, e);
	}
	/* a name with something above it takes no second superscript without braces */
	return arena_printf(t->a, strchr(text, '^') ? "{%s}^{%d}" : "%s^{%d}", text, e);
}

static const char *times(GradText *t, const char *a, const char *b)
{
	return !*a ? b : arena_printf(t->a, t->latex ? "%s\\,%s" : "%s*%s", a, b);
}

/* Is the factor a reduction written in place? It reaches to the right as far as it can, so it comes
 * last. */
static bool reaches(GradText *t, Node n)
{
	const NodeInfo *p = core_node(t->c, n);
	return p->tag == NODE_READ && t->in_place[p->ref];
}

static const char *prod_text(GradText *t, const NodeInfo *p, Tightness *tight)
{
	const char *over = "", *under = "";
	uint32_t nunder = 0, nover = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		nover += p->expo[k] > 0;
	}
	bool bar = t->latex && nover < p->n;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t k = 0; k < p->n; k++) {
			if (reaches(t, p->arg[k]) != (pass == 1)) {
				continue;
			}
			if (p->expo[k] > 0) {
				over = times(
					t, over,
					power_text(t, p->arg[k], p->expo[k], bar && nover == 1));
			} else {
				under = times(t, under,
					      power_text(t, p->arg[k], -p->expo[k],
							 bar && p->n - nover == 1));
				nunder++;
			}
		}
	}
	*tight = TIGHT_PRODUCT;
	if (!nunder) {
		return over;
	}
	over = *over ? over : "1";
	if (t->latex) {
		*tight = TIGHT_POWER;
		return arena_printf(t->a, "\\frac{%s}{%s}", over, under);
	}
	return arena_printf(t->a, nunder > 1 ? "%s/(%s)" : "%s/%s", over, under);
}

static const char *infix(const GradText *t, Op op, Tightness *tight)
{
	static const struct {
		Op op;
		const char *text, *latex;
		Tightness tight;
	} rows[] = {
		{OP_lt, "<", "<", TIGHT_COMPARE},
		{OP_le, "<=", "\\le", TIGHT_COMPARE},
		{OP_eq, "==", "=", TIGHT_COMPARE},
		{OP_ne, "!=", "\\ne", TIGHT_COMPARE},
		{OP_ilt, "<", "<", TIGHT_COMPARE},
		{OP_ile, "<=", "\\le", TIGHT_COMPARE},
		{OP_ieq, "==", "=", TIGHT_COMPARE},
		{OP_ine, "!=", "\\ne", TIGHT_COMPARE},
		{OP_beq, "==", "=", TIGHT_COMPARE},
		{OP_and, "and", "\\wedge", TIGHT_LOGIC},
		{OP_or, "or", "\\vee", TIGHT_CHOICE},
		{OP_imod, "mod", "\\bmod", TIGHT_COMPARE},
		{OP_idiv, "div", "\\,\\mathrm{div}\\,", TIGHT_COMPARE},
		{OP_bxor, "xor", "\\oplus", TIGHT_COMPARE},
		{OP_band, "band", "\\,\\mathrm{band}\\,", TIGHT_COMPARE},
		{OP_bor, "bor", "\\,\\mathrm{bor}\\,", TIGHT_COMPARE},
		{OP_shl, "shl", "\\ll", TIGHT_COMPARE},
		{OP_shr, "shr", "\\gg", TIGHT_COMPARE},
		{OP_mod, "mod", "\\bmod", TIGHT_COMPARE},
	};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		if (rows[k].op == op) {
			*tight = rows[k].tight;
			return t->latex ? rows[k].latex : rows[k].text;
		}
	}
	return NULL;
}

static const char *op_text(GradText *t, const NodeInfo *p, Tightness *tight)
{
	Op op = (Op)p->op;
	const char *sign = p->n == 2 ? infix(t, op, tight) : NULL;
	if (sign) {
		const char *a = grad_text(t, p->arg[0], *tight),
			   *b = grad_text(t, p->arg[1], (Tightness)(*tight + 1));
		return arena_printf(t->a, "%s %s %s", a, sign, b);
	}
	if (op == OP_real) { /* an int stands for the number it is */
		return node_text(t, p->arg[0], tight);
	}
	if (op == OP_not) {
		*tight = TIGHT_COMPARE;
		return arena_printf(t->a, t->latex ? "\\neg %s" : "not %s",
				    grad_text(t, p->arg[0], TIGHT_COMPARE));
	}
	*tight = TIGHT_ATOM;
	if (t->latex && op == OP_sqrt) {
		return arena_printf(t->a, "\\sqrt{%s}", grad_text(t, p->arg[0], TIGHT_CHOICE));
	}
	if (t->latex && op == OP_abs) {
		return arena_printf(t->a, "\\left|%s\\right|",
				    grad_text(t, p->arg[0], TIGHT_CHOICE));
	}
	static const char *const known[] = {"exp",  "log",  "sin",  "cos", "tan",
					    "sinh", "cosh", "tanh", "min", "max"};
	const char *name = op_info(op)->syntax, *args = "";
	for (size_t k = 0; t->latex && k < sizeof known / sizeof *known; k++) {
		name = strcmp(name, known[k]) == 0 ? arena_printf(t->a, "\\%s", name) : name;
	}
	if (t->latex && *name != '\\') {
		name = arena_printf(t->a, "\\operatorname{%s}", name);
	}
	for (uint32_t k = 0; k < p->n; k++) {
		args = arena_printf(t->a, "%s%s%s", args, k ? ", " : "",
				    grad_text(t, p->arg[k], TIGHT_CHOICE));
	}
	return arena_printf(t->a, "%s%s", name, bracket(t, args));
}

/* ---- reductions and reads ---- */

static const char *reducer(const GradText *t, RedKind red)
{
	static const struct {
		const char *text, *latex;
	} rows[] = {
		[RED_SUM] = {"sum", "\\sum"},
		[RED_PROD] = {"prod", "\\prod"},
		[RED_MAX] = {"max", "\\max"},
		[RED_MIN] = {"min", "\\min"},
		[RED_LOGSUMEXP] = {"logsumexp", "\\operatorname{logsumexp}"},
		[RED_ARGMAX] = {"argmax", "\\operatorname*{arg\\,max}"},
		[RED_ARGMIN] = {"argmin", "\\operatorname*{arg\\,min}"},
		[RED_ALL] = {"all", "\\bigwedge"},
		[RED_ANY] = {"any", "\\bigvee"},
	};
	return t->latex ? rows[red].latex : rows[red].text;
}

static const char *reduce_text(GradText *t, RedKind red, uint32_t n, const Index *bound, Node body,
			       Tightness *tight)
{
	Core *c = t->c;
	const NodeInfo *p = core_node(c, body);
	const char *over = "";
	for (uint32_t k = 0; k < n; k++) {
		grad_text_index(t, bound[k]);
		over = arena_printf(t->a, "%s%s%s", over, k ? (t->latex ? "," : ", ") : "",
				    shown_index(t, bound[k]));
	}
	double left_out;
	bool filter = p->tag == NODE_GUARD ||
		      (p->tag == NODE_SELECT && core_is_const(c, p->arg[2], &left_out) &&
		       (isinf(left_out) || (red == RED_PROD && left_out == 1)));
	if (filter) {
		const char *cond = grad_text(t, p->arg[0], TIGHT_CHOICE);
		over = arena_printf(t->a, t->latex ? "%s:\\,%s" : "%s if %s", over, cond);
		body = p->arg[1];
	}
	const char *inner = grad_text(t, body, red == RED_SUM ? TIGHT_PRODUCT : TIGHT_CHOICE);
	*tight = TIGHT_PRODUCT;
	if (t->latex) {
		return arena_printf(t->a,
				    red == RED_SUM ? "%s_{%s} %s" : "%s_{%s}\\left(%s\\right)",
				    reducer(t, red), over, inner);
	}
	return red == RED_SUM ? arena_printf(t->a, "sum[%s] %s", over, inner)
			      : arena_printf(t->a, "%s[%s](%s)", reducer(t, red), over, inner);
}


static const char *arg_text(GradText *t, Axis a, Node n)
{
	const NodeInfo *p = core_node(t->c, n);
	return p->tag == NODE_CONST ? grad_text_label(t, a, p->integer)
				    : grad_text(t, n, TIGHT_CHOICE);
}

/* inverse([p, q -> A[p,q]])[i,k] */
static const char *matrix_text(GradText *t, const DefInfo *info, const Index *bound, Node body,
			       const Node *args, Tightness *tight)
{
	const MatrixOp *op = matrix_op(info->red);
	const char *over = "", *places = "", *comma = t->latex ? "," : ", ";
	for (uint32_t k = 0; k < op->nbound; k++) {
		grad_text_index(t, bound[k]);
		over = arena_printf(t->a, "%s%s%s", over, k ? comma : "", shown_index(t, bound[k]));
	}
	for (uint32_t k = 0; k < op->nresult; k++) {
		uint32_t f = info->nindex - op->nresult + k;
		Axis axis = core_index_axis(t->c, info->index[f]);
		places = arena_printf(t->a, "%s%s%s", places, k ? comma : "",
				      arg_text(t, axis, args[f]));
	}
	const char *inner = grad_text(t, body, TIGHT_CHOICE);
	*tight = TIGHT_ATOM;
	const char *s = arena_printf(t->a,
				     t->latex ? "\\operatorname{%s}_{%s}\\left(%s\\right)"
					      : "%s([%s -> %s])",
				     op->word, over, inner);
	return op->nresult ? arena_printf(t->a, t->latex ? "%s_{%s}" : "%s[%s]", s, places) : s;
}

const char *grad_text_reduction(GradText *t, Def d, Tightness least)
{
	const DefInfo *info = core_def(t->c, d);
	Tightness tight;
	const char *s;
	if (red_is_matrix(info->red)) {
		Node *args = arena_array(t->a, Node, info->nindex + 1);
		for (uint32_t k = 0; k < info->nindex; k++) {
			args[k] = core_index_value(t->c, info->index[k]);
		}
		s = matrix_text(t, info, info->bound, info->piece[0].value, args, &tight);
	} else {
		s = reduce_text(t, info->red, info->nbound, info->bound, info->piece[0].value,
				&tight);
	}
	return tight < least ? bracket(t, s) : s;
}

static const char *read_text(GradText *t, const NodeInfo *p, Tightness *tight)
{
	Core *c = t->c;
	Def d = p->ref;
	if (t->in_place[d]) {
		Index *bound;
		Node body = core_open(c, d, 0, p->arg, &bound);
		const DefInfo *info = core_def(c, d);
		if (red_is_matrix(info->red)) {
			return matrix_text(t, info, bound, body, p->arg, tight);
		}
		return reduce_text(t, info->red, info->nbound, bound, body, tight);
	}
	const char **args = arena_array(t->a, const char *, p->n + 1);
	for (uint32_t k = 0; k < p->n; k++) {
		args[k] = arg_text(t, core_index_axis(c, core_def(c, d)->index[k]), p->arg[k]);
	}
	*tight = TIGHT_ATOM;
	return grad_text_read(t, d, p->n, args);
}

static const char *choice_text(GradText *t, Node cond, Node yes, Node no, Tightness *tight)
{
	const char *c = grad_text(t, cond, TIGHT_CHOICE), *a, *b;
	if (t->latex && !no) { /* Iverson's bracket */
		*tight = TIGHT_PRODUCT;
		return arena_printf(t->a, "\\left[%s\\right]\\,%s", c,
				    grad_text(t, yes, TIGHT_PRODUCT));
	}
	a = grad_text(t, yes, TIGHT_CHOICE);
	b = no ? grad_text(t, no, TIGHT_CHOICE) : "0";
	*tight = t->latex ? TIGHT_ATOM : TIGHT_CHOICE;
	if (t->latex) {
		return arena_printf(t->a, "\\begin{cases}%s & %s\\\\ %s & \\text{else}\\end{cases}",
				    a, c, b);
	}
	return arena_printf(t->a, "if %s then %s else %s", c, a, b);
}

static const char *node_text(GradText *t, Node n, Tightness *tight)
{
	const NodeInfo *p = core_node(t->c, n);
	*tight = TIGHT_ATOM;
	switch ((NodeTag)p->tag) {
	case NODE_CONST:
		*tight = (p->kind == KIND_REAL ? p->num : (double)p->integer) < 0 ? TIGHT_SUM
										  : TIGHT_ATOM;
		return p->kind == KIND_BOOL   ? (p->integer ? "true" : "false")
		       : p->kind == KIND_REAL ? number_text(t, p->num)
					      : arena_printf(t->a, "%lld", (long long)p->integer);
	case NODE_INDEX:
		return shown_index(t, p->ref);
	case NODE_SIZE: {
		Sym axis = core_axis_info(t->c, p->ref)->name;
		const char *s = axis ? intern_text(core_names(t->c), axis) : "axis";
		return t->latex ? arena_printf(t->a, "N_{%s}", latex_word(t->a, s))
				: arena_printf(t->a, "size(%s)", s);
	}
	case NODE_READ:
		return read_text(t, p, tight);
	case NODE_LIN:
		return lin_text(t, p, tight);
	case NODE_PROD:
		return prod_text(t, p, tight);
	case NODE_OP:
		return op_text(t, p, tight);
	case NODE_SELECT:
		return choice_text(t, p->arg[0], p->arg[1], p->arg[2], tight);
	case NODE_GUARD:
		return choice_text(t, p->arg[0], p->arg[1], 0, tight);
	case NODE_RANDOM:
		return p->op == RANDOM_NORMAL ? "normal" : "uniform";
	case NODE_STOP:
		return arena_printf(t->a, t->latex ? "\\operatorname{stop}(%s)" : "stop(%s)",
				    grad_text(t, p->arg[0], TIGHT_CHOICE));
	default:
		return "?";
	}
}
