/* elab_builtin.c — functions that need more than values: sizes and ends of axes, derivative
 * operators, distributions, joins, standardisation. One table; SPEC: built-in functions. */
#include "lang/elab_builtin.h"

#include <string.h>

Val builtin_value(Call *c, uint32_t i)
{
	if (!c->arg[i]) {
		return c->piped ? *c->piped : val_error(c->at);
	}
	Val v = elab_expr(c->e, c->s, c->arg[i]);
	v.span = c->arg[i]->span;
	return v;
}

Val builtin_wrong(Call *c, const char *why)
{
	diag_wrong_arguments(elab_diags(c->e), c->at, c->name, why);
	return val_error(c->at);
}

bool builtin_is_real(Call *c, Val *v)
{
	if (v->tag == VAL_ERROR || !val_real(c->e, v)) {
		return false;
	}
	if (v->rank) {
		diag_type_mismatch(elab_diags(c->e), v->span, val_type(c->e, v), "one number");
		return false;
	}
	return true;
}

static Val builtin_misplaced(Call *c)
{
	Diag *d = diag_bad_statement_place(elab_diags(c->e), c->at, c->name, "here");
	if (strcmp(c->name, "params") == 0) {
		diag_help(d, "write  sum[p in params(f)] p^2,  or  minimize L over params(f)");
	} else if (strcmp(c->name, "pairs") == 0) {
		diag_help(d, "write  sum[(i,j) in pairs(axis)] …");
	} else {
		diag_help(d, "write  points P = %s(D, n = 1000)", c->name);
	}
	return val_error(c->at);
}

/* ---- the table
 * ------------------------------------------------------------------------------------------------------------------------
 */
static const struct {
	const char *name;
	unsigned least, most;
	BuiltinFn fn;
} rows[] = {
	{"size", 1, 1, builtin_size},
	{"first", 1, 1, builtin_first},
	{"end", 1, 1, builtin_end},
	{"last", 1, 1, builtin_end},
	{"real", 1, 1, builtin_real},
	{"int", 1, 1, builtin_int},
	{"complex", 1, 2, builtin_complex},
	{"re", 1, 1, builtin_re},
	{"im", 1, 1, builtin_im},
	{"conj", 1, 1, builtin_conj},
	{"arg", 1, 1, builtin_arg},
	{"stop", 1, 1, builtin_stop},
	{"digits", 2, 2, builtin_digits},
	{"bit", 2, 2, builtin_bit},
	{"path", 2, 2, builtin_path},
	{"join", 1, 8, builtin_join},
	{"flip", 2, 8, builtin_flip},
	{"shift", 3, 8, builtin_shift},
	{"linspace", 2, 3, builtin_linspace},
	{"logspace", 2, 3, builtin_logspace},
	{"grad", 1, 2, builtin_grad},
	{"jacobian", 2, 2, builtin_jacobian},
	{"hessian", 1, 2, builtin_hessian},
	{"laplacian", 1, 2, builtin_laplacian},
	{"div", 2, 2, builtin_div},
	{"curl", 1, 2, builtin_curl},
	{"normal", 0, 4, builtin_distribution},
	{"uniform", 0, 4, builtin_distribution},
	{"loguniform", 2, 4, builtin_distribution},
	{"exponential", 0, 4, builtin_distribution},
	{"bernoulli", 1, 4, builtin_distribution},
	{"randint", 2, 4, builtin_distribution},
	{"randspin", 0, 4, builtin_distribution},
	{"glorot", 0, 0, builtin_initialiser},
	{"glorot_uniform", 0, 0, builtin_initialiser},
	{"he", 0, 0, builtin_initialiser},
	{"lecun", 0, 0, builtin_initialiser},
	{"standardize", 1, 2, builtin_standardize},
	{"unstandardize", 1, 2, builtin_unstandardize},
	{"eigh", 1, 1, builtin_eigh},
	{"eig", 1, 1, builtin_eig},
	{"svd", 1, 1, builtin_svd},
	{"qr", 1, 1, builtin_qr},
	{"cholesky", 1, 1, builtin_cholesky},
	{"expm", 1, 1, builtin_expm},
	{"inverse", 1, 1, builtin_inverse},
	{"pseudoinverse", 1, 1, builtin_pseudoinverse},
	{"solve", 2, 2, builtin_solve},
	{"lstsq", 2, 2, builtin_lstsq},
	{"det", 1, 1, builtin_det},
	{"logdet", 1, 1, builtin_logdet},
	{"sort", 1, 1, builtin_sort},
	{"rank", 1, 1, builtin_rank},
	{"order", 1, 1, builtin_order},
	{"params", 0, 8, builtin_misplaced},
	{"pairs", 0, 8, builtin_misplaced},
	{"sobol", 0, 8, builtin_misplaced},
	{"halton", 0, 8, builtin_misplaced},
	{"hammersley", 0, 8, builtin_misplaced},
	{"latin", 0, 8, builtin_misplaced},
	{"grid", 0, 8, builtin_misplaced},
};

bool builtin_find(Elab *e, Sym name, uint32_t *row)
{
	const char *text = elab_text(e, name);
	for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(rows[i].name, text) == 0) {
			*row = i;
			return true;
		}
	}
	return false;
}

const char *builtin_name(uint32_t row)
{
	return row < sizeof rows / sizeof *rows ? rows[row].name : NULL;
}

/* ast is the call, the pipe it stands in, or the bare name of a distribution. */
Val elab_builtin(Elab *e, Scope *s, uint32_t row, const Ast *ast, const Val *piped)
{
	Call c = {.e = e,
		  .s = s,
		  .ast = ast,
		  .at = ast->span,
		  .name = rows[row].name,
		  .piped = piped};
	const Ast *call = ast->kind == AST_PIPE ? ast->kid[1] : ast;
	while (call->kind == AST_PAREN) {
		call = call->kid[0];
	}
	uint32_t first = piped ? 1 : 0, given = call->kind == AST_CALL ? call->nkid - 1 : 0;
	c.n = first + given;
	bool pipe_text = ast->kind == AST_PIPE && rows[row].fn == builtin_standardize;
	if (c.n > rows[row].most || (c.n < rows[row].least && !pipe_text)) {
		return builtin_wrong(
			&c, rows[row].least == rows[row].most
				    ? arena_printf(e->arena, "takes %u argument%s, not %u",
						   rows[row].least, rows[row].least == 1 ? "" : "s",
						   c.n)
				    : arena_printf(e->arena, "takes %u to %u arguments, not %u",
						   rows[row].least, rows[row].most, c.n));
	}
	for (uint32_t i = 0; i < given; i++) {
		const Ast *a = call->kid[i + 1];
		if (a->kind == AST_NAMEDARG) {
			diag_help(diag_wrong_arguments(elab_diags(e), a->span, c.name,
						       "takes no named arguments"),
				  "give the values in their order");
			return val_error(c.at);
		}
		c.arg[first + i] = a;
	}
	core_at(e->core, c.at);
	return rows[row].fn(&c);
}
