/* elab_builtin.h — a call of a built-in function and what the files of them share. */
#ifndef PNN_LANG_ELAB_BUILTIN_H
#define PNN_LANG_ELAB_BUILTIN_H
#include "lang/elab_int.h"

typedef struct Call {
	Elab *e;
	Scope *s;
	const Ast *ast; /* the call, or the pipe */
	Span at;
	const char *name;
	uint32_t n;        /* arguments, the piped one included */
	const Ast *arg[8]; /* NULL for the piped value */
	const Val *piped;
} Call;

typedef Val (*BuiltinFn)(Call *c);

/* Argument i; the piped value where it stands for one. */
Val builtin_value(Call *c, uint32_t i);
/* E0209 with the reason. */
Val builtin_wrong(Call *c, const char *why);
/* Is v one real number? E0208 otherwise. */
bool builtin_is_real(Call *c, Val *v);
/* v with another body of the same axes. */
Val builtin_map(Call *c, Val v, Elem elem, Node re, Node im);

/* The functions of the table in elab_builtin.c. */
Val builtin_size(Call *c);
Val builtin_first(Call *c);
Val builtin_end(Call *c);
Val builtin_real(Call *c);
Val builtin_int(Call *c);
Val builtin_complex(Call *c);
Val builtin_re(Call *c);
Val builtin_im(Call *c);
Val builtin_conj(Call *c);
Val builtin_arg(Call *c);
Val builtin_stop(Call *c);
Val builtin_digits(Call *c);
Val builtin_path(Call *c);
Val builtin_bit(Call *c);
Val builtin_join(Call *c);
Val builtin_flip(Call *c);
Val builtin_shift(Call *c);
Val builtin_linspace(Call *c);
Val builtin_logspace(Call *c);
Val builtin_grad(Call *c);
Val builtin_jacobian(Call *c);
Val builtin_hessian(Call *c);
Val builtin_laplacian(Call *c);
Val builtin_div(Call *c);
Val builtin_curl(Call *c);
Val builtin_distribution(Call *c);
Val builtin_initialiser(Call *c);
Val builtin_standardize(Call *c);
Val builtin_unstandardize(Call *c);
Val builtin_eigh(Call *c);
Val builtin_eig(Call *c);
Val builtin_svd(Call *c);
Val builtin_qr(Call *c);
Val builtin_cholesky(Call *c);
Val builtin_expm(Call *c);
Val builtin_inverse(Call *c);
Val builtin_pseudoinverse(Call *c);
Val builtin_solve(Call *c);
Val builtin_lstsq(Call *c);
Val builtin_det(Call *c);
Val builtin_logdet(Call *c);
Val builtin_sort(Call *c);
Val builtin_rank(Call *c);
Val builtin_order(Call *c);
#endif
