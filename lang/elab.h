/* elab.h — elaboration: syntax tree → typed core and statements. Names, axes, units, free indices
 * are resolved here. */
#ifndef PNN_LANG_ELAB_H
#define PNN_LANG_ELAB_H
#include "lang/program.h"

typedef struct Elab Elab;

typedef struct Setting {
	const char *name, *value;
	Span span;
} Setting; /* --set NAME=VALUE */
typedef struct ElabOptions {
	uint32_t nset;
	const Setting *set;
	/* Text of a library module ("prelude", "quantum"), 0-terminated, or NULL. */
	const char *(*module)(void *data, const char *name);
	void *data;
} ElabOptions;

/* An environment holding the prelude. ctx outlives it. */
Elab *elab_create(ParseCtx *ctx, ElabOptions options);
/* Elaborates a whole file (after parse_file without errors) into the environment's program.
 * Mistakes are in ctx->diags; erroneous names are poisoned so that they cause no further errors. */
Program *elab_file(Elab *e, const Ast *file);
/* Elaborates one more statement (the prompt): new statements are appended to the program.
 * Redefinition replaces the name and *stale lists names whose definitions used the old one. */
Program *elab_line(Elab *e, const Ast *file, uint32_t *nstale, Sym **stale);
Program *elab_program(Elab *e);
/* An expression in the environment, as a value with its type: for eval, :type and the prompt.
 * `type` is a readable text such as "real[h] 'eV'". False after errors. */
bool elab_expression(Elab *e, const Ast *expr, Value *value, const char **type);
/* The parameters that the named net, fn, loss or parameter reaches, NULL with n = 0 if the name is
 * unknown. */
ParamInfo **elab_params_of(Elab *e, Sym name, uint32_t *n);
/* Names in scope, for completion: NULL past the end. */
const char *elab_name(Elab *e, uint32_t i);
/* One line about a name ("net u(x, t) -> real, 3 parameters, 1341 numbers"), or NULL: for info,
 * ?name. */
const char *elab_describe(Elab *e, Sym name);
/* All names of the program resolved, as core text roots (losses, claims, lets): for emit --stage
 * core. */
CoreProgram elab_core(Elab *e);
#endif
