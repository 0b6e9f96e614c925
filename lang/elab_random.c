/* elab_random.c — distributions, first values of parameters, draws addressed by their context.
 * SPEC: random numbers. */
#include "lang/elab_builtin.h"

#include <string.h>

/* ---- distributions
 * -------------------------------------------------------------------------------------------------------------
 */
Val builtin_distribution(Call *c)
{
	DistVal d = {.name = SYM(c->e, c->name), .n = c->n, .span = c->at};
	d.arg = arena_array(c->e->arena, Val, c->n + 1);
	for (uint32_t i = 0; i < c->n; i++) {
		d.arg[i] = c->arg[i] ? elab_callee(c->e, c->s, c->arg[i]) : builtin_value(c, i);
		if (d.arg[i].tag == VAL_ERROR) {
			return d.arg[i];
		}
	}
	Val v = {.tag = VAL_DIST, .span = c->at};
	v.dist = arena_copy(c->e->arena, &d, sizeof d, _Alignof(DistVal));
	return v;
}

/* glorot and the like: the deviation from fan_in and fan_out of the parameter at hand. */
Val builtin_initialiser(Call *c)
{
	Elab *e = c->e;
	Entry *in = scope_find(e, c->s, SYM(e, "fan_in")),
	      *out = scope_find(e, c->s, SYM(e, "fan_out"));
	if (!in || !out) {
		return builtin_wrong(
			c, "is a first value of parameters:  param W : real[h, k] ~ glorot");
	}
	Core *k = e->core;
	Node fan_in = core_real(k, in->val.re),
	     both = core_add(k, fan_in, core_real(k, out->val.re));
	bool uniform = strcmp(c->name, "glorot_uniform") == 0,
	     glorot = uniform || strcmp(c->name, "glorot") == 0;
	double factor = strcmp(c->name, "lecun") == 0 ? 1 : uniform ? 6 : 2;
	Node sd = core_op1(k, OP_sqrt,
			   core_div(k, core_real_const(k, factor), glorot ? both : fan_in));
	DistVal d = {.name = SYM(e, uniform ? "uniform" : "normal"), .n = 2, .span = c->at};
	d.arg = arena_array(e->arena, Val, 2);
	d.arg[0] =
		val_num(e, c->at, ELEM_REAL, 0, uniform ? core_neg(k, sd) : core_real_const(k, 0));
	d.arg[1] = val_num(e, c->at, ELEM_REAL, 0, sd);
	Val v = {.tag = VAL_DIST, .span = c->at};
	v.dist = arena_copy(e->arena, &d, sizeof d, _Alignof(DistVal));
	return v;
}

typedef enum {
	DRAW_NORMAL,
	DRAW_UNIFORM,
	DRAW_LOGUNIFORM,
	DRAW_EXPONENTIAL,
	DRAW_BERNOULLI,
	DRAW_RANDINT,
	DRAW_SPIN
} DrawKind;
/* How many numbers each takes; `bare` may stand without any. */
static const struct {
	const char *name;
	uint32_t takes;
	bool bare;
} draws[] = {
	[DRAW_NORMAL] = {"normal", 2, true},          [DRAW_UNIFORM] = {"uniform", 2, true},
	[DRAW_LOGUNIFORM] = {"loguniform", 2, false}, [DRAW_EXPONENTIAL] = {"exponential", 1, true},
	[DRAW_BERNOULLI] = {"bernoulli", 1, false},   [DRAW_RANDINT] = {"randint", 2, false},
	[DRAW_SPIN] = {"randspin", 0, false},
};

static DrawKind draw_kind(const char *name)
{
	size_t k = 0;
	while (strcmp(draws[k].name, name) != 0) {
		k++;
	}
	return (DrawKind)k;
}

/* The numbers among the arguments, as the distribution takes them. */
static bool draw_numbers(Elab *e, const DistVal *d, DrawKind kind, Span at, uint32_t n, Val *arg)
{
	if (n != draws[kind].takes && !(n == 0 && draws[kind].bare)) {
		diag_wrong_arguments(
			elab_diags(e), d->span, draws[kind].name,
			arena_printf(e->arena, "takes %u numbers, not %u", draws[kind].takes, n));
		return false;
	}
	bool ints = kind == DRAW_RANDINT;
	for (uint32_t i = 0; i < n; i++) {
		if (arg[i].tag == VAL_ERROR ||
		    (!(ints && arg[i].elem == ELEM_INT) && !val_real(e, &arg[i]))) {
			return false;
		}
		if (arg[i].rank) {
			diag_type_mismatch(elab_diags(e), arg[i].span, val_type(e, &arg[i]),
					   "one number or an axis");
			return false;
		}
		if (ints && arg[i].elem != ELEM_INT) {
			diag_type_mismatch(elab_diags(e), arg[i].span, "a real", "an integer");
			return false;
		}
	}
	return n != 2 || ints || val_agree(e, at, &arg[1], &arg[0]);
}

/* The value made of the raw number, which is normal or uniform. */
static bool draw_value(Elab *e, DrawKind kind, uint32_t n, Val *arg, Node raw, Val *r)
{
	Core *k = e->core;
	switch (kind) {
	case DRAW_NORMAL:
		r->re = n ? core_add(k, arg[0].re, core_mul(k, arg[1].re, raw)) : raw;
		return true;
	case DRAW_UNIFORM:
		r->re = n ? core_add(k, arg[0].re,
				     core_mul(k, core_sub(k, arg[1].re, arg[0].re), raw))
			  : raw;
		return true;
	case DRAW_LOGUNIFORM: {
		Node ratio = core_op1(k, OP_log, core_div(k, arg[1].re, arg[0].re));
		r->re = core_mul(k, arg[0].re, core_op1(k, OP_exp, core_mul(k, raw, ratio)));
		return true;
	}
	case DRAW_EXPONENTIAL:
		r->re = core_neg(k, core_op1(k, OP_log, raw));
		r->re = n ? core_mul(k, arg[0].re, r->re) : r->re;
		return true;
	case DRAW_BERNOULLI:
		if (!val_pure(e, &arg[0])) {
			return false;
		}
		r->elem = ELEM_BOOL;
		r->unit = 0;
		r->re = core_op2(k, OP_lt, raw, arg[0].re);
		return true;
	case DRAW_RANDINT: { /* a … b, both included */
		Node span = core_add(k, core_sub(k, arg[1].re, arg[0].re), core_int_const(k, 1));
		r->elem = ELEM_INT;
		r->unit = 0;
		r->re = core_add(k, arg[0].re,
				 core_op1(k, OP_int, core_mul(k, raw, core_real(k, span))));
		return true;
	}
	case DRAW_SPIN:
		r->elem = ELEM_SPIN;
		r->re = core_select(k, core_op2(k, OP_lt, raw, core_real_const(k, 0.5)),
				    core_real_const(k, -1), core_real_const(k, 1));
		return true;
	}
	return false;
}

/* A draw with the context as its address. Axis arguments make arrays: normal(z) is one standard
 * normal for each z. */
Val elab_draw(Elab *e, Scope *s, const Val *v, Span at, uint32_t nix, const Index *ix,
	      bool each_step)
{
	(void)ix;
	(void)nix;
	if (v->tag == VAL_ERROR) {
		return val_error(at);
	}
	if (v->tag != VAL_DIST) {
		diag_help(diag_type_mismatch(elab_diags(e), at, val_type(e, v), "a distribution"),
			  "after ~ stands normal(mean, sd), uniform(a, b), …");
		return val_error(at);
	}
	const DistVal *d = v->dist;
	Core *k = e->core;
	DrawKind kind = draw_kind(elab_text(e, d->name));
	Index *ctx;
	uint32_t nctx = scope_context(e, s, &ctx), n = 0, rank = 0;
	Val *arg = arena_array(e->arena, Val, d->n + 1);
	Index *own = arena_array(e->arena, Index, d->n + 1);
	Node *rec = arena_array(e->arena, Node, d->n + 1);
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->arg[i].tag == VAL_AXIS) {
			rec[rank] = d->arg[i].axis.record;
			own[rank++] = core_index(k, d->arg[i].axis.axis, 0);
		} else {
			arg[n++] = d->arg[i];
		}
	}
	Node *address = arena_array(e->arena, Node, nctx + rank + 1);
	for (uint32_t i = 0; i < nctx + rank; i++) {
		address[i] = core_index_value(k, i < nctx ? ctx[i] : own[i - nctx]);
	}
	if (!draw_numbers(e, d, kind, at, n, arg)) {
		return val_error(at);
	}
	core_at(k, at);
	Node raw = core_random(k, kind == DRAW_NORMAL ? RANDOM_NORMAL : RANDOM_UNIFORM,
			       e->stream ? e->stream : ++e->streams,
			       each_step ? RANDOM_EACH_STEP : 0, nctx + rank, address);
	e->draws++;
	Val r = val_num(e, at, ELEM_REAL, n ? arg[n - 1].unit : 0, raw);
	if (!draw_value(e, kind, n, arg, raw, &r)) {
		return val_error(at);
	}
	r.rank = rank;
	r.ix = own;
	r.rec = rec;
	return r;
}
