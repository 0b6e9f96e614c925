/* gen_deriv.c — programs whose prints are derivatives: of functions of numbers to order 5, by parameters through losses on
 * derivatives, by arguments that are arrays, and at singular points. */
#include "tests/random/random.h"

#include <string.h>

static Node *plus(Gen *g, Node *a, Node *b)
{
	return node_two(g, OP_ADD, a, b);
}

static Node *times(Gen *g, Node *a, Node *b)
{
	return node_two(g, OP_MUL, a, b);
}

static Node *number(Gen *g, double v)
{
	return node_number(g, v);
}

static Node *squared(Gen *g, Node *a)
{
	Node *n = node_make(g, OP_POWER, KIND_REAL, dim_none());
	n->a = a;
	n->whole = 2;
	return n;
}

static void want(Gen *g, Node *n, unsigned order, const char *what)
{
	if (g->nwant < sizeof g->want/sizeof *g->want) {
		g->want[g->nwant++] = (Want){.id = ++g->nid, .node = n, .order = order, .what = what};
	}
}

/* Is the value modest and smooth where it is asked for? Differences tell. */
static bool settles(Node *n)
{
	Eval here = {0}, there = {.jitter = 1e-9, .jitter_seed = 3};
	Num v = eval_node(&here, n);
	eval_node(&there, n);
	return !here.bad && !here.lost && here.largest < 1e6Q && v.re == v.re && v.re < 1e5Q && v.re > -1e5Q
		&& here.signature == there.signature;
}

/* ---- functions ---- */

static Fn *new_fn(Gen *g, unsigned narg)
{
	Fn *f = NEW(g, Fn);
	f->id = ++g->nid;
	f->narg = narg;
	g->nscope = 0;
	for (unsigned k = 0; k < narg; k++) {
		f->scalar[k] = var_scalar(g, dim_none());
		f->typed[k] = gen_chance(g, 70);
		g->scope[g->nscope++] = f->scalar[k];
	}
	return f;
}

/* All trainable numbers enter for certain. */
static Node *of_known(Gen *g, const Fn *f)
{
	Node *sum = number(g, 0.25);
	for (unsigned k = 0; k < g->narray; k++) {
		Array *w = g->array[k];
		if (w->form != FORM_PARAM || w->constraint) {
			continue;
		}
		Node *read = node_read(g, w), *s = node_make(g, OP_REDUCE, KIND_REAL, dim_none());
		s->whole = RED_SUM;
		for (unsigned j = 0; j < w->naxes; j++) {
			s->bound[j] = var_index(g, w->axis[j]);
			read->at[j] = node_index(g, s->bound[j]);
		}
		s->nbound = w->naxes;
		s->a = node_call(g, CALL_SIN, plus(g, times(g, read, node_scalar(g, f->scalar[0])), number(g, gen_decimal(g, -1, 1))));
		sum = plus(g, sum, w->naxes ? s : s->a);
	}
	return sum;
}

/* The parameters enter for certain. */
static Node *with_parameters(Gen *g, const Fn *f, Node *body)
{
	static const int map[] = {CALL_SIN, CALL_TANH, CALL_COS, CALL_ATAN, CALL_ERF, CALL_SIGMOID};
	for (unsigned k = 0; k < f->narg; k++) {
		Node *x = node_scalar(g, f->scalar[k]);
		Node *wave = node_call(g, map[gen_pick(g, 6)], times(g, number(g, gen_decimal(g, 0.5, 1.8)), x));
		body = k & 1 ? times(g, body, plus(g, number(g, 1.5), wave)) : plus(g, body, wave);
	}
	return plus(g, body, of_known(g, f));
}

static Node *square_modulus(Gen *g)
{
	Node *z = gen_complex(g, 3), *n = node_make(g, OP_RE, KIND_REAL, dim_none()), *c = node_make(g, OP_CONJ, KIND_COMPLEX, dim_none());
	c->a = z;
	n->a = times(g, z, c);
	return n;
}

static Fn *make_function(Gen *g)
{
	unsigned narray = g->narray;
	Fn *f = new_fn(g, 1 + gen_pick(g, 3));
	for (unsigned k = gen_pick(g, 3); k > 0; k--) {
		gen_local(g, f);
	}
	if (gen_chance(g, 35)) {
		gen_local_recurrence(g, f);
	}
	unsigned form = gen_pick(g, 8);
	Node *body = form == 0 ? square_modulus(g) : gen_real(g, 4, dim_none());
	f->body = with_parameters(g, f, body);
	g->nscope = 0;
	g->narray = narray;
	gen_item(g, ITEM_FN)->fn = f;
	return f;
}

static Node *derivative(Gen *g, const Fn *f, unsigned order)
{
	Node *n = node_make(g, OP_DIFF, KIND_REAL, dim_none());
	n->fn = f;
	for (unsigned k = 0; k < order; k++) {
		n->order[gen_pick(g, f->narg)]++;
	}
	for (unsigned k = 0; k < f->narg; k++) {
		double at = gen_decimal(g, -1, 1);
		n->arg[k] = number(g, at == 0 ? 0.375 : at); /* at 0 parts fall away that derivatives are asked of */
	}
	return n;
}

/* partial[x] (f(x, …)) in a function of its own, and that function's derivatives. */
static void nested(Gen *g, const Fn *f)
{
	Fn *q = new_fn(g, 1);
	Node *inner = node_make(g, OP_FN, KIND_REAL, dim_none()), *d = node_make(g, OP_GRAD, KIND_REAL, dim_none());
	inner->fn = f;
	for (unsigned k = 0; k < f->narg; k++) {
		Node *x = node_scalar(g, q->scalar[0]);
		inner->arg[k] = k == 0 ? x : k == 1 ? squared(g, x) : times(g, number(g, 0.5), x);
	}
	d->a = inner;
	d->var = q->scalar[0];
	d->partial = true;
	q->body = times(g, d, plus(g, number(g, 1.25), node_scalar(g, q->scalar[0])));
	g->nscope = 0;
	Node *value = derivative(g, q, 0), *slope = derivative(g, q, 1);
	value->op = OP_FN;
	if (settles(value) && settles(slope)) {
		gen_item(g, ITEM_FN)->fn = q;
		want(g, value, 1, "partial in a function");
		want(g, slope, 2, "derivative of a partial in a function");
	}
}

/* ---- losses on derivatives ---- */

static Array *free_parameter(Gen *g)
{
	for (unsigned k = 0, from = gen_pick(g, g->narray); k < g->narray; k++) {
		Array *a = g->array[(from + k) % g->narray];
		if (a->form == FORM_PARAM && !a->constraint && a->naxes <= 2) {
			return a;
		}
	}
	return NULL;
}

static Node *by_element(Gen *g, Node *e, Array *w)
{
	Node *n = node_make(g, OP_GRAD, KIND_REAL, dim_none());
	n->a = e;
	n->array = w;
	n->partial = w->naxes == 0 || gen_chance(g, 40);
	for (unsigned k = 0; k < w->naxes; k++) {
		n->at[k] = node_int(g, w->axis[k]->first + gen_pick(g, (unsigned)w->axis[k]->size));
	}
	return n;
}

/* mean[s in data] (∂²f/∂x²(s.x, …) + f(…))^2, or at one place. */
static Node *residual(Gen *g, const Fn *f, unsigned order)
{
	Data *d = g->ndata && gen_chance(g, 70) ? g->data[0] : NULL;
	Node *n = derivative(g, f, order), *value = node_make(g, OP_FN, KIND_REAL, dim_none());
	n->op = order ? OP_DIFF : OP_FN;
	value->fn = f;
	Var *s = d ? var_index(g, &d->records) : NULL;
	for (unsigned k = 0; d && k < 2 && k < f->narg; k++) {
		n->arg[k] = node_read(g, d->field[k]);
		n->arg[k]->at[0] = node_index(g, s);
	}
	memcpy(value->arg, n->arg, sizeof n->arg);
	Node *square = squared(g, plus(g, n, times(g, number(g, gen_decimal(g, 0.2, 1.5)), value)));
	if (!d) {
		return square;
	}
	Node *mean = node_make(g, OP_REDUCE, KIND_REAL, dim_none());
	mean->whole = RED_MEAN;
	mean->bound[0] = s;
	mean->nbound = 1;
	mean->a = square;
	return mean;
}

static void losses(Gen *g, const Fn *f)
{
	Array *w = free_parameter(g), *v = free_parameter(g);
	for (unsigned order = 0; w && order < 3; order++) {
		Node *n = by_element(g, residual(g, f, order), w);
		if (settles(n)) {
			want(g, n, order + 1, "gradient of a loss on derivatives");
		}
	}
	for (unsigned order = 0; w && order < 2; order++) {
		Node *n = by_element(g, by_element(g, residual(g, f, order), v), w);
		if (settles(n)) {
			want(g, n, order + 2, "second derivative by parameters");
		}
	}
}

/* ---- arguments that are arrays ---- */

static void of_arrays(Gen *g)
{
	const Axis *axis = g->axis[gen_pick(g, g->naxis)];
	unsigned narray = g->narray;
	Array *w = NULL;
	for (unsigned k = 0; k < g->narray; k++) {
		Array *a = g->array[k];
		w = a->known && a->naxes == 1 && a->axis[0] == axis && a->kind == KIND_REAL ? a : w;
	}
	Fn *f = NEW(g, Fn), *df = NEW(g, Fn);
	f->id = ++g->nid;
	df->id = ++g->nid;
	f->narg = df->narg = 1;
	for (unsigned k = 0; k < 2; k++) {
		Array *v = gen_array(g, 1, &axis);
		v->form = FORM_ARGUMENT;
		array_room(g, v);
		(k ? df : f)->array[0] = v;
	}
	g->array[g->narray++] = f->array[0];
	g->nscope = 0;
	Node *own = node_make(g, OP_REDUCE, KIND_REAL, dim_none()), *x = node_read(g, f->array[0]);
	own->whole = (int[]){RED_SUM, RED_LOGSUMEXP, RED_PROD, RED_MAX, RED_MIN}[gen_pick(g, 5)];
	own->bound[0] = var_index(g, axis);
	own->nbound = 1;
	x->at[0] = node_index(g, own->bound[0]);
	own->a = plus(g, times(g, x, number(g, gen_decimal(g, 0.5, 1.5))), node_call(g, CALL_SIN, x));
	f->body = plus(g, own, gen_real(g, 3, dim_none()));
	g->narray = narray;
	Node *call = node_make(g, OP_FN, KIND_REAL, dim_none()), *d = node_make(g, OP_GRAD, KIND_REAL, dim_none());
	call->fn = f;
	call->arg[0] = node_read(g, df->array[0]);
	df->result = gen_array(g, 1, &axis);
	d->a = call;
	d->array = df->array[0];
	d->at[0] = node_index(g, df->result->index[0]);
	df->body = d;
	Node *n = node_make(g, OP_ELEMENT, KIND_REAL, dim_none());
	n->fn = df;
	n->arg[0] = node_read(g, w);
	n->at[0] = node_int(g, axis->first + gen_pick(g, (unsigned)axis->size));
	if (settles(n)) {
		gen_item(g, ITEM_FN)->fn = f;
		gen_item(g, ITEM_FN)->fn = df;
		want(g, n, 1, "gradient by an array argument");
		if (w->form == FORM_PARAM && !w->constraint) {
			Node *again = by_element(g, n, w);
			if (settles(again)) {
				want(g, again, 2, "derivative of a gradient");
			}
		}
	}
}

/* ---- singular points ---- */

enum { SINGULAR = 16 };

/* Something of x - x0 that is singular where it is 0, with its value there and the slope that SPEC.md states. */
static Node *singular(Gen *g, Node *x, double x0, unsigned kind, double *value, double *slope)
{
	Node *d = node_two(g, OP_SUB, x, number(g, x0)), *n = NULL;
	double c = gen_decimal(g, 0.3, 2);
	*value = *slope = 0;
	switch (kind) {
	case 0: return node_call(g, CALL_SQRT, d);
	case 1: return node_call(g, CALL_SQRT, times(g, number(g, c), squared(g, d)));
	case 2: return node_call(g, CALL_CBRT, d);
	case 3: return node_call(g, CALL_ABS, d);
	case 4: return node_call(g, gen_chance(g, 50) ? CALL_SIGN : CALL_FLOOR, d);
	case 5: case 6:
		n = node_make(g, OP_CALL2, KIND_REAL, dim_none());
		n->whole = kind == 5 ? CALL2_MAX : CALL2_MIN;
		n->a = times(g, number(g, c), d);
		n->b = times(g, number(g, c + 1), d);
		*slope = c;
		return n;
	case 7: case 8: case 9: case 10:
		n = node_make(g, OP_CALL2, KIND_REAL, dim_none());
		n->whole = CALL2_POW;
		n->a = d;
		n->b = kind == 10 ? plus(g, node_call(g, CALL_ABS, d), number(g, c)) : number(g, kind == 7 ? 1.5 : kind == 8 ? 0 : 1);
		n->a = kind == 10 ? times(g, number(g, 0), x) : d;
		*value = kind == 8;
		*slope = kind == 9;
		return n;
	case 11: {
		Node *e = node_make(g, OP_IF, KIND_REAL, dim_none());
		e->a = node_two(g, OP_LESSEQ, x, number(g, x0));
		e->b = times(g, number(g, c), d);
		e->c = node_call(g, CALL_LOG, d);
		*slope = c;
		return e;
	}
	case 12: { /* the other side is infinite */
		Node *e = node_make(g, OP_IF, KIND_REAL, dim_none());
		e->a = node_two(g, OP_LESS, number(g, x0), x);
		e->b = node_two(g, OP_DIV, number(g, 1), d);
		e->c = times(g, number(g, c), d);
		*slope = c;
		return e;
	}
	case 13: { /* the distance of a point from itself */
		const Axis *axis = g->axis[gen_pick(g, g->naxis)];
		Node *s = node_make(g, OP_REDUCE, KIND_REAL, dim_none());
		s->whole = RED_SUM;
		s->bound[0] = var_index(g, axis);
		s->nbound = 1;
		s->a = squared(g, times(g, d, plus(g, number(g, 1), node_call(g, CALL_COS, node_index(g, s->bound[0])))));
		return node_call(g, CALL_SQRT, s);
	}
	case 14: case 15: { /* all elements are equal: the first one counts */
		const Axis *axis = g->axis[gen_pick(g, g->naxis)];
		Node *s = node_make(g, OP_REDUCE, KIND_REAL, dim_none());
		s->whole = kind == 14 ? RED_MAX : RED_MIN;
		s->bound[0] = var_index(g, axis);
		s->nbound = 1;
		s->a = times(g, d, plus(g, number(g, c), node_index(g, s->bound[0])));
		*slope = c + (double)axis->first;
		return s;
	}
	default: return d;
	}
}

/* h(singular(x), x) at x0: forward as a function, in reverse by a parameter. */
static void singular_point(Gen *g)
{
	static const char *const what[SINGULAR] = {"sqrt at 0", "sqrt of a square at 0", "cbrt at 0", "abs at 0", "step", "max at a tie",
		"min at a tie", "power 1.5 of 0", "power 0 of 0", "power 1 of 0", "exponent of 0", "border of an if", "other side infinite",
		"norm at 0", "max of equal elements", "min of equal elements"};
	unsigned kind = gen_pick(g, SINGULAR);
	double x0 = gen_decimal(g, -1, 1), value, slope;
	bool forward = gen_chance(g, 50);
	Fn *f = new_fn(g, 1);
	Array *p = gen_array(g, 0, NULL);
	p->form = FORM_PARAM;
	p->known = true;
	array_room(g, p);
	p->value[0].re = (Quad)x0;
	Node *x = forward ? node_scalar(g, f->scalar[0]) : node_read(g, p);
	Node *twin = node_make(g, OP_TWIN, KIND_REAL, dim_none());
	twin->a = singular(g, x, x0, kind, &value, &slope);
	twin->b = plus(g, number(g, value), times(g, number(g, slope), node_two(g, OP_SUB, x, number(g, x0))));
	Node *h = plus(g, node_call(g, CALL_SIN, x), times(g, twin, plus(g, number(g, 1.5), node_call(g, CALL_EXP, x))));
	if (gen_chance(g, 50)) {
		h = node_call(g, CALL_TANH, h);
	}
	g->nscope = 0;
	Node *n;
	if (forward) {
		f->body = h;
		gen_item(g, ITEM_FN)->fn = f;
		n = derivative(g, f, 1);
		n->arg[0] = number(g, x0);
	} else {
		gen_item(g, ITEM_ARRAY)->array = p;
		n = by_element(g, h, p);
	}
	want(g, n, 1, what[kind]);
}

/* ---- programs ---- */

void gen_derivatives(Gen *g)
{
	g->smooth = true;
	for (unsigned k = 2 + gen_pick(g, 2); k > 0; k--) {
		gen_axis(g);
	}
	gen_telling(g);
	for (unsigned k = 0, n = 3 + gen_pick(g, 3); k < n; k++) {
		gen_const(g, k);
	}
	if (gen_chance(g, 60)) {
		gen_data(g);
	}
	unsigned ndata = g->ndata;
	for (unsigned made = 0, tries = 0; made < 2 && tries < 12; tries++) {
		unsigned nitem = g->nitem;
		Fn *f = make_function(g);
		Node *first = derivative(g, f, 3);
		if (!settles(first)) {
			g->nitem = nitem;
			continue;
		}
		made++;
		for (unsigned order = 1; order <= 5; order++) {
			Node *n = derivative(g, f, order);
			if (settles(n)) {
				want(g, n, order, "derivative of a function");
			}
		}
		/* losses are taken over points with two coordinates */
		bool points = ndata && (g->data[0]->form == DATA_GRID || g->data[0]->form == DATA_LIST) && g->data[0]->records.size <= 6;
		g->ndata = points ? ndata : 0;
		losses(g, f);
		g->ndata = ndata;
		if (gen_chance(g, 50)) {
			nested(g, f);
		}
	}
	if (gen_chance(g, 60)) {
		of_arrays(g);
	}
	for (unsigned k = 0; k < 3; k++) {
		singular_point(g);
	}
}
