/* plot_script.c — what all figures have in common, as commands of gnuplot: terminal, axes, titles,
 * scales, and where the legend is out of the way. */
#include "compiler/plot.h"
#include <math.h>
#include <string.h>

/* In single quotes gnuplot knows no escapes, no variables and no commands; a quote is doubled. */
void plot_quote(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		bool control = (unsigned char)*text < ' ' || *text == 127;
		fputs(*text == '\'' ? "'" : "", out);
		fputc(control ? ' ' : *text, out);
	}
	fputc('\'', out);
}

static void put_text(FILE *out, const char *what, const char *text)
{
	if (text && text[0]) {
		fprintf(out, "set %s ", what);
		plot_quote(out, text);
		fputs(" noenhanced\n", out);
	}
}

/* Everything in the three kinds of file has the same size relative to the figure: 1 cm is 40 px on
 * the screen, 100 in PNG. */
static void terminal(const Figure *f, const char *ending, FILE *out)
{
	const PlotOptions *o = f->option;
	double w = o->width > 0 ? o->width : f->rows_square ? 10 : 12;
	double h = o->height > 0 ? o->height : f->rows_square ? 8.6 : 8;
	if (strcmp(ending, "png") == 0) {
		fprintf(out,
			"set terminal pngcairo size %.0f,%.0f enhanced font 'Helvetica,10' "
			"fontscale 2.5 linewidth 2.5 pointscale 2.5 background '#ffffff'\n",
			100*w, 100*h);
	} else if (strcmp(ending, "pdf") == 0) {
		fprintf(out,
			"set terminal pdfcairo size %.4gcm,%.4gcm enhanced font 'Helvetica,10' "
			"fontscale 0.95 linewidth 1\n",
			w, h);
	} else if (strcmp(ending, "txt") == 0) {
		fputs("set terminal dumb size 79,24 enhanced\n", out);
	} else {
		fprintf(out,
			"set terminal svg size %.0f,%.0f enhanced font 'Helvetica,13' linewidth 1 "
			"background '#ffffff'\n",
			40*w, 40*h);
	}
}

/* The ends of a scale with a little room beyond the data. */
static void limits(const Figure *f, int k, double *lo, double *hi)
{
	const PlotScale *s = &f->scale[k];
	double room = k == PLOT_Y || f->kind == PLOT_POINTS ? 0.05 : 0;
	*lo = s->lo;
	*hi = s->hi;
	if (s->log) {
		double factor = *hi > *lo ? pow(*hi / *lo, room) : 2;
		*lo /= factor;
		*hi *= factor;
		return;
	}
	double width = *hi - *lo;
	if (!(width > 0)) {
		width = *lo != 0 ? fabs(*lo) : 1;
		room = 0.5;
	}
	*lo -= room*width;
	*hi += room*width;
	if (f->kind == PLOT_HISTOGRAM && k == PLOT_Y) {
		*lo = 0;
	}
}

static double shown(const PlotScale *s, double lo, double hi, double v)
{
	return s->log ? log(v/lo)/log(hi/lo) : (v - lo)/(hi - lo);
}

/* ---- the legend ---- */

typedef struct Corner {
	double x, y; /* its lower left in the unit square of the axes */
	const char *name;
	size_t hits;
} Corner;

static void count_hits(const Figure *f, const double lo[2], const double hi[2], double w, double h,
		       Corner *corner, int n)
{
	for (size_t k = 0; k < f->nline; k++) {
		const PlotLine *l = &f->line[k];
		for (size_t i = 0; i + 1 < l->n || (l->n == 1 && i == 0); i++) {
			size_t next = i + 1 < l->n ? i + 1 : i;
			for (int t = 0; t < 8; t++) {
				double u = t/8.0, x = shown(&f->scale[0], lo[0], hi[0], l->x[i]),
				       x1 = shown(&f->scale[0], lo[0], hi[0], l->x[next]),
				       y = shown(&f->scale[1], lo[1], hi[1], l->y[i]),
				       y1 = shown(&f->scale[1], lo[1], hi[1], l->y[next]);
				double px = x + u*(x1 - x), py = y + u*(y1 - y);
				for (int c = 0; c < n; c++) {
					corner[c].hits += px >= corner[c].x && px <= corner[c].x + w &&
							  py >= corner[c].y && py <= corner[c].y + h;
				}
			}
		}
	}
}

static size_t width_of(const char *s)
{
	size_t n = 0;
	for (; *s; s++) {
		n += (*s & 0xC0) != 0x80;
	}
	return n;
}

/* In the corner that hides least; if all hide something, above the data, or beside the figure where that would take half of
 * it. */
static void legend(const Figure *f, const char *ending, double lo[2], double hi[2], FILE *out)
{
	size_t longest = 0, lines = 0;
	for (size_t k = 0; k < f->nline; k++) {
		size_t n = width_of(f->line[k].label);
		longest = n > longest ? n : longest;
		lines++;
	}
	bool coloured = f->kind == PLOT_POINTS && f->nline == 1;
	if (lines < 2 || lines > 8 || f->option->no_legend || coloured) {
		fputs("unset key\n", out);
		return;
	}
	double w = fmin(0.09 + 0.022*(double)longest, 1), h = fmin(0.07 + 0.105*(double)lines, 1);
	Corner corner[] = {{1 - w, 1 - h, "top right", 0},
			   {0, 1 - h, "top left", 0},
			   {1 - w, 0, "bottom right", 0},
			   {0, 0, "bottom left", 0}};
	count_hits(f, lo, hi, w, h, corner, 4);
	int best = 0;
	for (int c = 1; c < 4; c++) {
		best = corner[c].hits < corner[best].hits ? c : best;
	}
	const char *place = corner[best].name;
	if (corner[best].hits && (f->option->ranged[PLOT_Y] || h >= 0.5)) {
		place = "outside right top";
	} else if (corner[best].hits) {
		place = corner[0].name;
		if (f->scale[PLOT_Y].log) {
			hi[1] *= pow(hi[1]/lo[1], h/(1 - h));
		} else {
			hi[1] += (hi[1] - lo[1])*h/(1 - h);
		}
	}
	bool text = strcmp(ending, "txt") == 0;
	fprintf(out, "set key %s noenhanced reverse Left samplen %s spacing %s width -1\n",
		place, text ? "3" : "1.6", text ? "1" : "1.15");
}

/* ---- scales ---- */

/* Less than two decades: 1, 2 and 5 of each. */
static void short_decades(const char *name, double lo, double hi, FILE *out)
{
	const char *comma = "";
	fprintf(out, "set %stics (", name);
	for (double d = pow(10, floor(log10(lo))); d <= hi; d *= 10) {
		for (int k = 0; k < 3; k++) {
			double v = d*(k == 0 ? 1 : k == 1 ? 2 : 5);
			if (v >= lo*(1 - 1e-12) && v <= hi*(1 + 1e-12)) {
				fprintf(out, "%s%.4g", comma, v);
				comma = ", ";
			}
		}
	}
	fputs(")\n", out);
}

static void tics(const PlotScale *s, const char *name, double lo, double hi, FILE *out)
{
	if (s->nlabel && s->nlabel <= 40) {
		fprintf(out, "set %stics (", name);
		for (size_t k = 0; k < s->nlabel; k++) {
			fputs(k ? ", " : "", out);
			plot_quote(out, s->label[k]);
			fprintf(out, " %zu", k);
		}
		fputs(") noenhanced scale 0\n", out);
	} else if (s->log) {
		fprintf(out, "set logscale %s\n", name);
		if (hi/lo >= 100) {
			fprintf(out, "set format %s '10^{%%T}'\n", name);
		} else {
			short_decades(name, lo, hi, out);
		}
	} else if (s->whole && hi - lo <= 12 && hi - lo >= 1) {
		fprintf(out, "set %stics 1\n", name);
	}
}

static void range(const char *name, double lo, double hi, FILE *out)
{
	fprintf(out, "set %srange [%.10g:%.10g]\n", name, lo, hi);
}

static void axes(const Figure *f, const char *ending, FILE *out)
{
	static const char *const name[] = {"x", "y"};
	bool field = f->nx > 0;
	double lo[2], hi[2];
	for (int k = 0; k < 2; k++) {
		limits(f, k, &lo[k], &hi[k]);
		if (f->option->ranged[k]) {
			lo[k] = f->option->lo[k];
			hi[k] = f->option->hi[k];
		}
	}
	if (!field) {
		legend(f, ending, lo, hi, out);
	} else {
		fputs("unset key\n", out);
	}
	for (int k = 0; k < 2; k++) {
		tics(&f->scale[k], name[k], lo[k], hi[k], out);
		if (!field) {
			range(name[k], lo[k], hi[k], out);
		}
	}
}

void plot_script(Run *r, const Figure *f, const char *ending, FILE *out)
{
	fputs("set encoding utf8\n", out);
	terminal(f, ending, out);
	bool field = f->nx > 0;
	const PlotScale *s = f->scale;
	if (strcmp(ending, "txt") != 0) {
		fprintf(out, "set border %d linewidth 0.8 linecolor rgb '#333333'\n", field ? 15 : 3);
		fputs("set tics out nomirror scale 0.5,0.25 textcolor rgb '#222222'\n"
		      "set minussign\nset format '%g'\n",
		      out);
	} else {
		fputs("set tics nomirror\n", out);
	}
	put_text(out, "title", f->title);
	put_text(out, "xlabel", s[PLOT_X].title);
	put_text(out, "ylabel", s[PLOT_Y].title);
	axes(f, ending, out);
	plot_draw(r, f, ending, out);
}
