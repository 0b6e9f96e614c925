/* elab_op.c — scalar operations of the table on values: their units and kinds; an array argument is
 * mapped. SPEC: operations. */
#include "lang/elab_int.h"

/* Units of arguments and result of a real operation. */
static bool op_units(Elab *e, Span at, const OpInfo *info, uint32_t n, Val *args, UnitId *unit)
{
	*unit = 0;
	switch (info->units) {
	case UNITS_PURE:
		for (uint32_t i = 0; i < n; i++) {
			if (!val_pure(e, &args[i])) {
				return false;
			}
		}
		return true;
	case UNITS_SAME:
	case UNITS_RATIO:
		for (uint32_t i = 1; i < n; i++) {
			if (!val_agree(e, at, &args[0], &args[i])) {
				return false;
			}
		}
		*unit = info->units == UNITS_SAME ? args[0].unit : 0;
		return true;
	case UNITS_ROOT2:
		*unit = unit_pow(e->units, args[0].unit, 1, 2);
		return true;
	case UNITS_ROOT3:
		*unit = unit_pow(e->units, args[0].unit, 1, 3);
		return true;
	default:
		return true;
	}
}

/* min and max of ints stay ints. */
static Op int_version(Op op)
{
	switch (op) {
	case OP_min:
		return OP_imin;
	case OP_max:
		return OP_imax;
	case OP_abs:
		return OP_iabs;
	case OP_mod:
		return OP_imod;
	default:
		return OP_NONE;
	}
}

Val val_op(Elab *e, Span at, Op op, uint32_t n, Val *args)
{
	const OpInfo *info = op_info(op);
	bool all_int = true;
	for (uint32_t i = 0; i < n; i++) {
		if (args[i].tag == VAL_ERROR) {
			return val_error(at);
		}
		if (!val_need_number(e, &args[i], info->syntax)) {
			return val_error(at);
		}
		all_int = all_int && args[i].elem == ELEM_INT;
	}
	if (n != info->n) {
		diag_wrong_arguments(elab_diags(e), at, info->syntax,
				     arena_printf(e->arena, "takes %u argument%s, not %u", info->n,
						  info->n == 1 ? "" : "s", n));
		return val_error(at);
	}
	core_at(e->core, at);
	Node node[2] = {0};
	if (n == 2 && (args[0].rank || args[1].rank)) {
		bool both = args[0].rank && args[1].rank;
		diag_help(both ? diag_array_product(elab_diags(e), at, info->syntax)
			       : diag_array_scalar_sum(elab_diags(e), at, "beside"),
			  "write the indices, as in  %s(a[i], b%s)", info->syntax,
			  both ? "[i]" : "");
		return val_error(at);
	}
	if (all_int && int_version(op) != OP_NONE) {
		for (uint32_t i = 0; i < n; i++) {
			node[i] = args[i].re;
		}
		Val r = args[0]; /* over the array's places, if it is one */
		r.span = at;
		r.unit = 0;
		r.re = core_op(e->core, (uint16_t)int_version(op), node);
		r.of = 0;
		r.n = 0;
		r.literal = false;
		return r;
	}
	bool wants_bool = info->sig == SIG_B_B || info->sig == SIG_BB_B;
	bool wants_int = info->sig == SIG_I_I || info->sig == SIG_II_I || info->sig == SIG_II_B ||
			 info->sig == SIG_I_R;
	for (uint32_t i = 0; i < n; i++) {
		Elem want = wants_bool ? ELEM_BOOL : ELEM_INT;
		if ((wants_bool || wants_int) && args[i].elem != want) {
			diag_type_mismatch(elab_diags(e), args[i].span, val_type(e, &args[i]),
					   wants_bool ? "a truth value" : "an integer");
			return val_error(at);
		}
		if (!wants_bool && !wants_int && !val_real(e, &args[i])) {
			return val_error(at);
		}
	}
	UnitId unit;
	if (!op_units(e, at, info, n, args, &unit)) {
		return val_error(at);
	}
	Val r = args[0];
	r.span = at;
	r.n = 0;
	r.literal = false;
	r.reaches = false;
	r.of = 0;
	r.unit = unit;
	for (uint32_t i = 0; i < n; i++) {
		node[i] = args[i].re;
	}
	r.re = core_op(e->core, (uint16_t)op, node);
	Kind kind = core_kind(e->core, r.re);
	r.elem = kind == KIND_REAL ? ELEM_REAL : kind == KIND_INT ? ELEM_INT : ELEM_BOOL;
	val_normalise(e, &r);
	return r;
}
