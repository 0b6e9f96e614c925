/* elab_train.h — what the files of training share. */
#ifndef PNN_LANG_ELAB_TRAIN_H
#define PNN_LANG_ELAB_TRAIN_H
#include "lang/elab_int.h"

/* The OPTIMIZER of that name, NULL if there is none. */
const Ast *optimiser_find(Elab *e, Sym name);
/* E0201 with the nearest optimiser. */
void optimiser_unknown(Elab *e, const Ast *ast, Sym name);
/* Makes v a real number without unit; false after a diagnostic. */
bool optimiser_number(Elab *e, Val *v);
/* What the optimiser does with one parameter under the options of the call; false after
 * diagnostics. */
bool optimiser_update(Elab *e, Scope *s, const Ast *opt, const Ast *call, const ParamInfo *p,
		      Update *u);
#endif
