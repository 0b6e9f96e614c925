/* elab_plot_int.h — what the files of plot share. */
#ifndef PNN_LANG_ELAB_PLOT_INT_H
#define PNN_LANG_ELAB_PLOT_INT_H
#include "lang/elab_stmt.h"

typedef struct Plotting {
	Elab *e;
	Scope *base, *in; /* in: of the values: coordinates and columns have names there */
	const Ast *ast, *over, *against, *as, *to, *with, *by;
	PlotInfo *out;
	size_t capvalue, capseries, capplace;
	Bound bound;      /* indices that the values are over, outermost first */
	uint32_t naxis;   /* axes named behind `over`: the first dimensions of the values */
	AxisRef axis[2];
	bool kind_given;
} Plotting;

/* The values are over one more index, the innermost. */
void plot_bind(Plotting *p, Index ix);
/* over c, over table.c: is there a recorded table with that column? Its columns then have names in
 * p->in, and the values are over its rows. */
bool plot_names_file(const Elab *e, Sym path, Sym table); /* m.csv may be called m */
bool plot_table(Plotting *p, const Ast *ast);
#endif
