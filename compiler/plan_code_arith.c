/* plan_code_arith.c — sums (LIN) and products (PROD) in few passes over the lanes: values that are
 * equal in all lanes are joined first, products inside sums become multiply-adds. */
#include "compiler/plan_code.h"
#include <assert.h>

static Val emit(Coder *w, VmOp op, Val a, Val b, double k, double k2)
{
	Val y = VAL_NONE;
	Instr *in = coder_emit(w, op, a, b, VAL_NONE, &y);
	in->k = k;
	in->k2 = k2;
	return y;
}

/* ---- sums ---- */

/* k*a + c */
static Val sum_scale(Coder *w, Val a, double k, double c)
{
	if (k == 1.0 && c == 0.0) {
		return a;
	}
	if (k == -1.0 && c == 0.0) {
		return emit(w, VM_NEG, a, VAL_NONE, 0, 0);
	}
	return emit(w, VM_AXPK, a, VAL_NONE, k, c);
}

/* sum + k*a, operands in this order */
static Val sum_add(Coder *w, Val sum, Val a, double k)
{
	if (k == 1.0) {
		return emit(w, VM_ADD, sum, a, 0, 0);
	}
	return k == -1.0 ? emit(w, VM_SUB, sum, a, 0, 0) : emit(w, VM_AXPY, sum, a, k, 0);
}

/* A term a*b of a sum, of which both are wanted separately: a product of two different first
 * powers. */
static bool term_product(Coder *w, Node n, Val mask, Val *a, Val *b)
{
	const NodeInfo *info = core_node(w->p->core, n);
	if (info->tag != NODE_PROD || info->n != 2 || info->expo[0] != 1 || info->expo[1] != 1 ||
	    plan_memo(w->p, n) || info->kind != KIND_REAL) {
		return false;
	}
	*a = coder_node(w, info->arg[0], mask);
	*b = coder_node(w, core_node(w->p->core, n)->arg[1], mask);
	if (coder_is_zero(w, *a) || coder_is_zero(w, *b)) {
		*a = *b = coder_int(w, 0);
	}
	if (a->uniform && !b->uniform) {
		Val t = *a;
		*a = *b;
		*b = t;
	}
	return true;
}

/* sum + k*a*b in place of two passes */
static Val sum_add_product(Coder *w, Val sum, Val a, Val b, double k)
{
	bool uniform = a.uniform && b.uniform;
	if (coder_is_zero(w, a)) {
		return sum;
	}
	if (uniform || sum.uniform) {
		return sum_add(w, sum, emit(w, VM_MUL, a, b, 0, 0), k);
	}
	Val y = {coder_register(w, false), false};
	coder_emit(w, b.uniform ? VM_MACS : VM_MACC, a, b, sum, &y)->k = k;
	return y;
}

static Val lin_real(Coder *w, Node n, Val mask)
{
	Planner *p = w->p;
	uint32_t count = core_node(p->core, n)->n;
	Val same = VAL_NONE, sum = VAL_NONE;
	double c = core_node(p->core, n)->num, held = 0;
	bool used = false; /* the constant */
	for (uint32_t k = 0; k < count; k++) {
		double coef = core_node(p->core, n)->coef[k];
		Node arg = core_node(p->core, n)->arg[k];
		Val a, b;
		if (val_some(sum) && held == 0 && term_product(w, arg, mask, &a, &b)) {
			sum = sum_add_product(w, sum, a, b, coef);
			continue;
		}
		Val t = coder_node(w, arg, mask);
		if (coder_is_zero(w, t)) {
			continue;
		}
		if (t.uniform) {
			same = val_some(same) ? sum_add(w, same, t, coef)
					      : sum_scale(w, t, coef, used ? 0 : c);
			used = true;
		} else if (!val_some(sum)) {
			sum = t;
			held = coef == 1.0 ? 0 : coef; /* not multiplied yet */
		} else if (held != 0) {
			sum = emit(w, VM_AXBY, sum, t, held, coef);
			held = 0;
		} else {
			sum = sum_add(w, sum, t, coef);
		}
	}
	if (!val_some(sum)) {
		return val_some(same) ? same : coder_real(w, c);
	}
	held = held == 0 ? 1.0 : held;
	if (val_some(same)) {
		return emit(w, VM_AXPS, sum, same, held, 0);
	}
	return sum_scale(w, sum, held, c);
}

static Val lin_int(Coder *w, Node n, Val mask)
{
	Planner *p = w->p;
	uint32_t count = core_node(p->core, n)->n;
	bool check = !coder_int_safe(w, n);
	int64_t c = (int64_t)core_node(p->core, n)->num;
	Val sum = VAL_NONE;
	for (uint32_t k = 0; k < count; k++) {
		int64_t coef = (int64_t)core_node(p->core, n)->coef[k];
		Val a = coder_node(w, core_node(p->core, n)->arg[k], mask), y = VAL_NONE;
		bool first = !val_some(sum);
		if (first && coef == 1 && c == 0) {
			sum = a;
			continue;
		}
		if (check && val_some(mask) && !mask.uniform && a.uniform && sum.uniform) {
			y = (Val){coder_register(w, false), false};
		}
		Instr *in =
			first ? coder_emit(w, VM_IAXPK, a, VAL_NONE, check ? mask : VAL_NONE, &y)
			      : coder_emit(w, VM_IAXPY, sum, a, check ? mask : VAL_NONE, &y);
		in->i = coef;
		in->j = first ? c : 0;
		in->check = check;
		if (check) {
			ARENA_PUSH(p->arena, w->fault, w->nfault, w->fault_cap, ((Fault){n, 0, 0}));
			in->fault = (uint32_t)(w->nfault - 1);
		}
		sum = y;
	}
	return val_some(sum) ? sum : coder_int(w, c);
}

Val coder_lin(Coder *w, Node n, Val mask)
{
	return core_node(w->p->core, n)->kind == KIND_REAL ? lin_real(w, n, mask)
							   : lin_int(w, n, mask);
}

/* ---- products ---- */

static Val prod_power(Coder *w, Val a, int32_t e)
{
	if (e == 1) {
		return a;
	}
	Val square = emit(w, VM_SQR, a, VAL_NONE, 0, 0);
	switch (e) {
	case 2:
		return square;
	case 3:
		return emit(w, VM_MUL, square, a, 0, 0);
	case 4:
		return emit(w, VM_SQR, square, VAL_NONE, 0, 0);
	default: {
		Val y = VAL_NONE;
		coder_emit(w, VM_POWI, a, VAL_NONE, VAL_NONE, &y)->i = e;
		return y;
	}
	}
}

static Val prod_join(Coder *w, Val product, Val factor)
{
	return val_some(product) ? emit(w, VM_MUL, product, factor, 0, 0) : factor;
}

/* Factors of one sign of exponent: those equal in all lanes first. */
static Val prod_side(Coder *w, Node n, Val mask, int sign)
{
	uint32_t count = core_node(w->p->core, n)->n;
	Val same = VAL_NONE, lanes = VAL_NONE;
	for (uint32_t k = 0; k < count; k++) {
		int32_t e = core_node(w->p->core, n)->expo[k];
		if ((e > 0) != (sign > 0)) {
			continue;
		}
		Val a = prod_power(w, coder_node(w, core_node(w->p->core, n)->arg[k], mask),
				   e > 0 ? e : -e);
		if (coder_is_zero(w, a) && sign > 0) {
			return a; /* zero by a condition: strictly, whatever the other factors are
				   */
		}
		if (a.uniform) {
			same = prod_join(w, same, a);
		} else {
			lanes = prod_join(w, lanes, a);
		}
	}
	return val_some(lanes) ? val_some(same) ? emit(w, VM_MUL, lanes, same, 0, 0) : lanes : same;
}

static Val prod_int(Coder *w, Node n, Val mask)
{
	Planner *p = w->p;
	uint32_t count = core_node(p->core, n)->n;
	bool check = !coder_int_safe(w, n);
	Val product = VAL_NONE;
	for (uint32_t k = 0; k < count; k++) {
		int32_t e = core_node(p->core, n)->expo[k];
		assert(e > 0);
		Val a = coder_node(w, core_node(p->core, n)->arg[k], mask);
		for (int32_t q = 0; q < e; q++) {
			if (!val_some(product)) {
				product = a;
				continue;
			}
			Val y = VAL_NONE;
			if (check && val_some(mask) && !mask.uniform && a.uniform &&
			    product.uniform) {
				y = (Val){coder_register(w, false), false};
			}
			Instr *in = coder_emit(w, VM_IMUL, product, a, check ? mask : VAL_NONE, &y);
			in->check = check;
			if (check) {
				ARENA_PUSH(p->arena, w->fault, w->nfault, w->fault_cap,
					   ((Fault){n, 0, 0}));
				in->fault = (uint32_t)(w->nfault - 1);
			}
			product = y;
		}
	}
	return product;
}

Val coder_prod(Coder *w, Node n, Val mask)
{
	if (core_node(w->p->core, n)->kind != KIND_REAL) {
		return prod_int(w, n, mask);
	}
	Val over = prod_side(w, n, mask, 1), under = prod_side(w, n, mask, -1);
	if (!val_some(under) || coder_is_zero(w, over)) {
		return over;
	}
	if (!val_some(over)) {
		return emit(w, VM_RECIP, under, VAL_NONE, 0, 0);
	}
	return emit(w, VM_DIV, over, under, 0, 0);
}

/* ---- sums of a reduction ---- */

void coder_accumulate(Coder *w, uint32_t acc, Node n, double k, Val mask)
{
	Planner *p = w->p;
	const NodeInfo *info = core_node(p->core, n);
	Val to = {acc, false};
	if (info->tag == NODE_LIN && info->kind == KIND_REAL && !plan_memo(p, n)) {
		uint32_t count = info->n;
		double c = info->num;
		for (uint32_t q = 0; q < count; q++) {
			double coef = core_node(p->core, n)->coef[q];
			coder_accumulate(w, acc, core_node(p->core, n)->arg[q], k * coef, mask);
		}
		if (c != 0) {
			coder_emit(w, VM_AXPY, to, coder_real(w, c), VAL_NONE, &to)->k = k;
		}
		return;
	}
	Val a, b;
	if (term_product(w, n, mask, &a, &b) && !(a.uniform && b.uniform)) {
		coder_emit(w, b.uniform ? VM_MACS : VM_MACC, a, b, to, &to)->k = k;
		return;
	}
	Val v = coder_node(w, n, mask);
	if (coder_is_zero(w, v)) {
		return;
	}
	Instr *in = coder_emit(w, k == 1.0 ? VM_ADD : VM_AXPY, to, v, VAL_NONE, &to);
	in->k = k;
}
