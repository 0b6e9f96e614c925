/* plot.h — figures: values of a plot statement, gathered into lines or a field, written as commands
 * of gnuplot and drawn by it. */
#ifndef PNN_COMPILER_PLOT_H
#define PNN_COMPILER_PLOT_H
#include "compiler/run_int.h"

/* One line, cloud of points or histogram: n places in order. NaN is a gap. */
typedef struct PlotLine {
	const char *label;
	size_t n;
	double *x, *y;
	double *lo, *hi; /* a band about it, or NULL */
	bool band_alone; /* y is not drawn */
} PlotLine;

/* One direction of a figure: to the right, upwards, the colours. */
typedef struct PlotScale {
	const char *title;
	double lo, hi; /* of what is drawn, finite */
	bool log;
	bool whole;         /* places are whole numbers */
	size_t nlabel;      /* > 0: names of the places 0, 1, … */
	const char **label;
} PlotScale;

typedef struct Figure {
	PlotKind kind;
	const PlotOptions *option;
	const char *title;
	PlotScale scale[PLOT_DIRECTIONS];
	size_t nline;
	PlotLine *line;
	/* A field: z[y*nx + x]; arrows: (z, z2) at each place. Coordinates of the places. */
	size_t nx, ny;
	double *x, *y, *z, *z2;
	bool downwards;   /* the first row is the top one */
	bool rows_square; /* matrices */
	bool drawn;       /* there is something finite to draw */
	double bin;       /* width of the bars of a histogram */
} Figure;

/* ---- plot.c */
/* The plan of the values, kept under the statement; NULL after a diagnostic. Of a statement that
 * draws a recorded table there is none before it is carried out. */
Plan *plot_plan(Run *r, const Stmt *s);
/* Draws the figure; false after an error (a missing gnuplot is a warning). */
bool plot_run(Run *r, const Stmt *s);
/* ---- plot_data.c, plot_field.c: figures from values, in the scratch arena */
/* Element i of value k. */
double plot_value(Run *r, Plan *plan, const PlotInfo *p, uint32_t k, size_t i);
/* Name or number of place i of an axis. */
const char *plot_place_name(Run *r, Axis axis, size_t i);
size_t plot_size(const Run *r, const PlotInfo *p, uint32_t value, uint32_t dimension);
/* The title of a direction: what is drawn and its unit. */
const char *plot_title(Run *r, const char *label, UnitId unit);
/* Number at place i of direction k. */
double plot_place(Run *r, Plan *plan, const PlotInfo *p, uint32_t k, size_t i);
/* Places in equal ratios over a decade and more ask for a logarithmic scale. */
bool plot_in_ratios(const double *x, size_t n);
void plot_lines(Run *r, Plan *plan, const PlotInfo *p, Figure *f);
void plot_histogram(Run *r, Plan *plan, const PlotInfo *p, Figure *f);
void plot_field(Run *r, Plan *plan, const PlotInfo *p, Figure *f);
/* lo and hi of a scale grow to hold v. */
void plot_reach(PlotScale *s, double v);
/* ---- plot_script.c, plot_draw.c: commands of gnuplot; ending is that of the file ("svg") */
void plot_script(Run *r, const Figure *f, const char *ending, FILE *out);
void plot_draw(Run *r, const Figure *f, const char *ending, FILE *out);
/* A text in quotes: gnuplot takes nothing in it for a command. */
void plot_quote(FILE *out, const char *text);
/* ---- plot_tool.c */
/* Runs gnuplot on n bytes of commands, its output into the open file out. NULL, or why not. */
const char *plot_tool(Run *r, const char *script, size_t n, FILE *out);
/* A field as characters. */
void plot_text_field(const Figure *f, FILE *out);
#endif
