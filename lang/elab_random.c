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
	const char *name = elab_text(e, d->name);
	Index *ctx;
	uint32_t nctx = scope_context(e, s, &ctx);
	Val arg[4];
	uint32_t n = 0, rank = 0;
	Index *own = arena_array(e->arena, Index, d->n + 1);
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->arg[i].tag == VAL_AXIS) {
			own[rank++] = core_index(k, d->arg[i].axis.axis, 0);
		} else if (n < 4) {
			arg[n++] = d->arg[i];
		}
	}
	Node *address = arena_array(e->arena, Node, nctx + rank + 1);
	uint32_t na = 0;
	for (uint32_t i = 0; i < nctx; i++) {
		address[na++] = core_index_value(k, ctx[i]);
	}
	for (uint32_t i = 0; i < rank; i++) {
		address[na++] = core_index_value(k, own[i]);
	}
	bool normal = strcmp(name, "normal") == 0, exponential = strcmp(name, "exponential") == 0,
	     bernoulli = strcmp(name, "bernoulli") == 0;
	bool loguniform = strcmp(name, "loguniform") == 0, randint = strcmp(name, "randint") == 0,
	     spin = strcmp(name, "randspin") == 0;
	uint32_t want = exponential || bernoulli ? 1 : spin ? 0 : 2;
	if (n != want && !(n == 0 && (normal || strcmp(name, "uniform") == 0 || exponential))) {
		diag_wrong_arguments(elab_diags(e), d->span, name,
				     arena_printf(e->arena, "takes %u numbers, not %u", want, n));
		return val_error(at);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (arg[i].tag == VAL_ERROR ||
		    (!(randint && arg[i].elem == ELEM_INT) && !val_real(e, &arg[i]))) {
			return val_error(at);
		}
		if (arg[i].rank) {
			diag_type_mismatch(elab_diags(e), arg[i].span, val_type(e, &arg[i]),
					   "one number or an axis");
			return val_error(at);
		}
	}
	if (n == 2 && !randint && !val_agree(e, at, &arg[1], &arg[0])) {
		return val_error(at);
	}
	core_at(k, at);
	Node raw = core_random(k, normal ? RANDOM_NORMAL : RANDOM_UNIFORM,
			       e->stream ? e->stream : ++e->streams,
			       each_step ? RANDOM_EACH_STEP : 0, na, address);
	Val r = val_num(e, at, ELEM_REAL, n ? arg[n - 1].unit : 0, raw);
	if (normal && n == 2) {
		r.re = core_add(k, arg[0].re, core_mul(k, arg[1].re, raw));
	} else if (loguniform) {
		Node ratio = core_op1(k, OP_log, core_div(k, arg[1].re, arg[0].re));
		r.re = core_mul(k, arg[0].re, core_op1(k, OP_exp, core_mul(k, raw, ratio)));
	} else if (randint) { /* a … b, both included */
		if (arg[0].elem != ELEM_INT || arg[1].elem != ELEM_INT) {
			diag_type_mismatch(elab_diags(e), at, "a real", "two integers");
			return val_error(at);
		}
		Node span = core_add(k, core_sub(k, arg[1].re, arg[0].re), core_int_const(k, 1));
		r.elem = ELEM_INT;
		r.unit = 0;
		r.re = core_add(k, arg[0].re,
				core_op1(k, OP_int, core_mul(k, raw, core_real(k, span))));
	} else if (exponential) {
		Node e1 = core_neg(k, core_op1(k, OP_log, raw));
		r.re = n ? core_mul(k, arg[0].re, e1) : e1;
	} else if (bernoulli) {
		if (!val_pure(e, &arg[0])) {
			return val_error(at);
		}
		r.elem = ELEM_BOOL;
		r.unit = 0;
		r.re = core_op2(k, OP_lt, raw, arg[0].re);
	} else if (spin) {
		r.elem = ELEM_SPIN;
		r.re = core_select(k, core_op2(k, OP_lt, raw, core_real_const(k, 0.5)),
				   core_real_const(k, -1), core_real_const(k, 1));
	} else if (n == 2) {
		r.re = core_add(k, arg[0].re, core_mul(k, core_sub(k, arg[1].re, arg[0].re), raw));
	}
	r.rank = rank;
	r.ix = own;
	return r;
}
