/* plot_draw.c — the data of a figure and the commands that draw them. */
#include "compiler/plot.h"
#include <math.h>
#include <string.h>

/* Okabe and Ito: told apart with every kind of colour vision, and in print. */
static const char *const hue[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
				  "#e69f00", "#56b4e9", "#000000", "#999999"};
enum { HUES = sizeof hue / sizeof *hue, MARKED = 40, CLOUD = 600, LETTERED = 400 };

static const char *colour(Run *r, const Figure *f, size_t k)
{
	if (f->nline <= HUES) {
		return hue[k];
	}
	/* Many lines: a course from blue to yellow. */
	double u = (double)k/(double)(f->nline - 1);
	return arena_printf(r->e->scratch, "#%02x%02x%02x", (unsigned)(48 + 200*u),
			    (unsigned)(18 + 190*u), (unsigned)(120*(1 - u) + 30*u*(1 - u)));
}

static void number(FILE *out, double v, bool logarithmic)
{
	if (!isfinite(v) || (logarithmic && v <= 0)) {
		fputs(" NaN", out);
	} else {
		fprintf(out, " %.8g", v == 0 ? 0 : v);
	}
}

/* ---- lines, points, histograms ---- */

static void line_data(const Figure *f, size_t k, FILE *out)
{
	const PlotLine *l = &f->line[k];
	bool lx = f->scale[PLOT_X].log, ly = f->scale[PLOT_Y].log;
	fprintf(out, "$d%zu << EOD\n", k);
	for (size_t i = 0; i < l->n; i++) {
		number(out, l->x[i], lx);
		number(out, l->y[i], ly);
		if (l->lo) {
			/* Below a logarithmic scale a band ends where the scale does. */
			bool below = ly && !(l->lo[i] > 0) && l->hi[i] > 0;
			number(out, below ? f->scale[PLOT_Y].lo : l->lo[i], ly);
			number(out, l->hi[i], ly);
		}
		fputc('\n', out);
	}
	fputs("EOD\n", out);
}

static void title(const char *label, bool quiet, FILE *out)
{
	if (quiet) {
		fputs(" notitle", out);
	} else {
		fputs(" title ", out);
		plot_quote(out, label);
	}
}

typedef struct Commands {
	FILE *out;
	unsigned n;
} Commands;

static void command(Commands *c)
{
	fputs(c->n++ ? ", \\\n     " : "plot ", c->out);
}

static void draw_line(Run *r, const Figure *f, size_t k, const char *ending, Commands *c)
{
	const PlotLine *l = &f->line[k];
	bool many = f->nline > HUES, text = strcmp(ending, "txt") == 0;
	command(c);
	fprintf(c->out, "$d%zu using 1:2 with ", k);
	if (f->kind == PLOT_POINTS) {
		bool cloud = l->n > CLOUD;
		fprintf(c->out, "points pointtype 7 pointsize %s linecolor rgb '#%s%s'",
			cloud ? "0.25" : "0.45", cloud ? "50" : "30", colour(r, f, k) + 1);
	} else if (f->kind == PLOT_HISTOGRAM) {
		fprintf(c->out, "boxes fillstyle transparent solid %s noborder linecolor rgb '%s'",
			f->nline > 1 ? "0.5" : "0.75", colour(r, f, k));
	} else if (l->n <= MARKED && !many && !text) {
		fprintf(c->out, "linespoints linewidth 1.6 pointtype 7 pointsize 0.45 linecolor rgb '%s'",
			colour(r, f, k));
	} else {
		/* Lines that fall together stay visible: later ones have gaps. */
		static const char *const gaps[] = {"", " dashtype (9,5)", " dashtype (3,4)",
						   " dashtype (9,4,3,4)"};
		fprintf(c->out, "lines linewidth %s%s linecolor rgb '%s'", many ? "1" : "1.8",
			f->nline <= 4 ? gaps[k] : "", colour(r, f, k));
	}
	title(l->label, many, c->out);
}

static void draw_lines(Run *r, const Figure *f, const char *ending, Commands *c)
{
	for (size_t k = 0; k < f->nline; k++) {
		line_data(f, k, c->out);
	}
	if (f->kind == PLOT_HISTOGRAM) {
		fprintf(c->out, "set boxwidth %.8g\n", f->bin);
	}
	for (size_t k = 0; k < f->nline; k++) {
		const PlotLine *l = &f->line[k];
		if (l->lo) {
			command(c);
			fprintf(c->out,
				"$d%zu using 1:3:4 with filledcurves fillstyle transparent solid 0.2 "
				"noborder linecolor rgb '%s'",
				k, colour(r, f, k));
			title(l->label, !l->band_alone, c->out);
		}
	}
	for (size_t k = 0; k < f->nline; k++) {
		if (!f->line[k].band_alone) {
			draw_line(r, f, k, ending, c);
		}
	}
}

static void diagonal(const Figure *f, Commands *c)
{
	if (f->option->diagonal) {
		command(c);
		fputs("x with lines linewidth 1 dashtype 2 linecolor rgb '#777777' notitle", c->out);
	}
}

/* ---- colours ---- */

static bool only_0_and_1(const Figure *f)
{
	for (size_t i = 0; i < f->nx*f->ny; i++) {
		if (f->z[i] != 0 && f->z[i] != 1) {
			return false;
		}
	}
	return f->nx > 0 && f->kind != PLOT_CONFUSION;
}

static void palette(const Figure *f, FILE *out)
{
	const PlotScale *z = &f->scale[PLOT_Z];
	double lo = z->lo, hi = z->hi, most = fmax(fabs(lo), fabs(hi));
	bool binary = only_0_and_1(f);
	PlotColours c = f->option->colours;
	if (c == PLOT_COLOURS_AUTO) {
		bool both = lo < 0 && hi > 0 && fmin(-lo, hi) >= 0.1*most;
		c = binary || f->kind == PLOT_CONFUSION ? PLOT_GREY : both ? PLOT_DIVERGING : PLOT_VIRIDIS;
	}
	if (c == PLOT_GREY) {
		fputs(f->kind == PLOT_CONFUSION
			      ? "set palette defined (0 '#f7fbff', 0.5 '#6baed6', 1 '#08306b')\n"
			      : "set palette defined (0 '#ffffff', 1 '#1a1a1a')\n",
		      out);
	} else if (c == PLOT_DIVERGING) {
		fputs("set palette defined (0 '#053061', 1 '#2166ac', 2 '#4393c3', 3 '#92c5de', "
		      "4 '#d1e5f0', 5 '#f7f7f7', 6 '#fddbc7', 7 '#f4a582', 8 '#d6604d', "
		      "9 '#b2182b', 10 '#67001f')\n",
		      out);
		lo = -most;
		hi = most;
	} else {
		fputs("set palette defined (0 '#440154', 1 '#482878', 2 '#3e4a89', 3 '#31688e', "
		      "4 '#26828e', 5 '#1f9e89', 6 '#35b779', 7 '#6dcd59', 8 '#b4de2c', "
		      "9 '#fde725')\n",
		      out);
	}
	if (f->option->ranged[PLOT_Z]) {
		lo = f->option->lo[PLOT_Z];
		hi = f->option->hi[PLOT_Z];
	}
	if (f->kind == PLOT_CONFUSION || binary) {
		fputs("unset colorbox\nset cbrange [0:1]\n", out);
		return;
	}
	if (hi <= lo) {
		hi = lo + (lo != 0 ? fabs(lo) : 1);
	}
	if (z->log) {
		fputs("set logscale cb\nset format cb '10^{%T}'\n", out);
	}
	fprintf(out, "set cbrange [%.8g:%.8g]\nset cbtics scale 0.4\nset colorbox", lo, hi);
	fputs(" border\nset cblabel ", out);
	plot_quote(out, z->title ? z->title : "");
	fputs(" noenhanced offset 0.5,0\n", out);
}

/* ---- fields ---- */

static bool even(const double *v, size_t n, double *step)
{
	*step = n > 1 ? (v[n - 1] - v[0])/(double)(n - 1) : 1;
	for (size_t i = 1; i < n; i++) {
		if (fabs(v[i] - v[i - 1] - *step) > 1e-6*fabs(*step)) {
			return false;
		}
	}
	return true;
}

/* Edge of cell i: half-way to the one before it, in the scale's own measure. */
static double edge(const double *v, size_t n, size_t i, bool logarithmic)
{
	size_t a = i == 0 ? 0 : i - 1, b = i == 0 ? 1 : i;
	double from, to;
	if (n < 2) {
		return logarithmic ? v[0]*(i ? 2 : 0.5) : v[0] + (i ? 0.5 : -0.5);
	}
	if (i == n) {
		a = n - 2;
		b = n - 1;
	}
	from = logarithmic ? log(v[a]) : v[a];
	to = logarithmic ? log(v[b]) : v[b];
	double at = i == 0 ? from - (to - from)/2 : i == n ? to + (to - from)/2 : (from + to)/2;
	return logarithmic ? exp(at) : at;
}

static double row_sum(const Figure *f, size_t row)
{
	double sum = 0;
	for (size_t i = 0; i < f->nx; i++) {
		sum += f->z[row*f->nx + i];
	}
	return sum;
}

/* What the colour of a cell says: of confusion tables the share of its row. */
static double shade(const Figure *f, size_t x, size_t y)
{
	double v = f->z[y*f->nx + x];
	if (f->kind != PLOT_CONFUSION) {
		return v;
	}
	double sum = row_sum(f, y);
	return sum > 0 ? v/sum : 0;
}

static void letters(const Figure *f, FILE *out)
{
	for (size_t i = 0; f->kind == PLOT_CONFUSION && i < f->nx*f->ny && f->nx*f->ny <= LETTERED;
	     i++) {
		size_t x = i % f->nx, y = i/f->nx;
		fprintf(out, "set label '%.4g' at %.8g,%.8g center front textcolor rgb '%s'\n",
			f->z[i], f->x[x], f->y[y], shade(f, x, y) > 0.5 ? "#ffffff" : "#1a1a1a");
	}
}

static void field_range(const char *name, const PlotOptions *o, int k, double lo, double hi,
			bool turned, FILE *out)
{
	if (o->ranged[k]) {
		lo = o->lo[k];
		hi = o->hi[k];
	}
	fprintf(out, "set %srange [%.8g:%.8g]\n", name, turned ? hi : lo, turned ? lo : hi);
}

static void draw_field(const Figure *f, Commands *c)
{
	FILE *out = c->out;
	double dx, dy;
	bool lx = f->scale[PLOT_X].log, ly = f->scale[PLOT_Y].log, lz = f->scale[PLOT_Z].log;
	bool regular = even(f->x, f->nx, &dx) && even(f->y, f->ny, &dy) && !lx && !ly;
	field_range("x", f->option, PLOT_X, edge(f->x, f->nx, 0, lx), edge(f->x, f->nx, f->nx, lx),
		    false, out);
	field_range("y", f->option, PLOT_Y, edge(f->y, f->ny, 0, ly), edge(f->y, f->ny, f->ny, ly),
		    f->downwards, out);
	if (f->rows_square && f->nx && f->ny) {
		fprintf(out, "set size ratio %.6g\n", (double)f->ny/(double)f->nx);
	}
	letters(f, out);
	fputs("$d0 << EOD\n", out);
	for (size_t y = 0; y < f->ny; y++) {
		for (size_t x = 0; x < f->nx; x++) {
			number(out, f->x[x], lx);
			number(out, f->y[y], ly);
			if (!regular) {
				number(out, edge(f->x, f->nx, x, lx), lx);
				number(out, edge(f->x, f->nx, x + 1, lx), lx);
				number(out, edge(f->y, f->ny, y, ly), ly);
				number(out, edge(f->y, f->ny, y + 1, ly), ly);
			}
			number(out, shade(f, x, y), lz);
			fputc('\n', out);
		}
	}
	fputs("EOD\n", out);
	command(c);
	/* Viewers smooth an embedded image of few cells: those are drawn one by one. */
	bool few = f->nx * f->ny <= 4096;
	fputs(regular ? few ? "$d0 using 1:2:3 with image pixels notitle"
			    : "$d0 using 1:2:3 with image notitle"
		      : "$d0 using 1:2:3:4:5:6:7 with boxxyerror fillstyle solid noborder "
			"fillcolor palette notitle",
	      out);
}

/* Arrows are displacements of one time: they lie along the lines of the flow. The longest fills a
 * cell. */
static void draw_arrows(const Figure *f, Commands *c)
{
	double dx, dy, most = 0;
	even(f->x, f->nx, &dx);
	even(f->y, f->ny, &dy);
	for (size_t i = 0; i < f->nx*f->ny; i++) {
		double cells = fmax(fabs(f->z[i]/dx), fabs(f->z2[i]/dy));
		most = isfinite(cells) ? fmax(most, cells) : most;
	}
	double time = most > 0 ? 0.95/most : 0;
	fprintf(c->out, "set xrange [%.8g:%.8g]\nset yrange [%.8g:%.8g]\n$d0 << EOD\n",
		f->x[0] - dx/2, f->x[f->nx - 1] + dx/2, f->y[0] - dy/2, f->y[f->ny - 1] + dy/2);
	for (size_t i = 0; i < f->nx*f->ny; i++) {
		double u = time*f->z[i], v = time*f->z2[i];
		if (!isfinite(u) || !isfinite(v)) {
			continue;
		}
		number(c->out, f->x[i % f->nx] - u/2, false);
		number(c->out, f->y[i/f->nx] - v/2, false);
		number(c->out, u, false);
		number(c->out, v, false);
		number(c->out, hypot(f->z[i], f->z2[i]), f->scale[PLOT_Z].log);
		fputc('\n', c->out);
	}
	fputs("EOD\n", c->out);
	command(c);
	fputs("$d0 using 1:2:3:4:5 with vectors head filled size screen 0.012,20,60 fixed "
	      "linewidth 1.2 linecolor palette notitle",
	      c->out);
}

void plot_draw(Run *r, const Figure *f, const char *ending, FILE *out)
{
	Commands c = {out, 0};
	bool coloured = f->kind == PLOT_POINTS && f->nline == 1 && f->line[0].lo;
	if (f->nx || coloured) {
		palette(f, out);
	}
	if (f->kind == PLOT_ARROWS) {
		draw_arrows(f, &c);
	} else if (f->nx) {
		draw_field(f, &c);
	} else if (coloured) {
		line_data(f, 0, out);
		command(&c);
		fputs("$d0 using 1:2:3 with points pointtype 7 pointsize 0.5 palette notitle", out);
	} else {
		draw_lines(r, f, ending, &c);
	}
	diagonal(f, &c);
	fputc('\n', out);
}
