/* elab_plot_option.c — what stands behind `with` in a plot. SPEC: figures. */
#include "lang/elab_stmt.h"

#include <math.h>
#include <string.h>

typedef struct Reading {
	Elab *e;
	Scope *s;
	PlotOptions *out;
	const Ast *at; /* the value of the option at hand */
} Reading;

const char *plot_word(Elab *e, const Ast *ast)
{
	bool word = ast->kind == AST_NAME || ast->kind == AST_STR;
	return word ? elab_text(e, ast->name ? ast->name : ast->text) : "";
}

static bool wrong(const Reading *r, const char *name, const char *want)
{
	diag_bad_plot(elab_diags(r->e), r->at->span,
		      arena_printf(r->e->arena, "%s takes %s", name, want));
	return false;
}

static bool text(Reading *r, const char *name, const char **out)
{
	Val v = elab_expr(r->e, r->s, r->at);
	if (v.tag == VAL_STRING) {
		*out = elab_text(r->e, v.string);
		return true;
	}
	return v.tag != VAL_ERROR && wrong(r, name, "a text in quotes");
}

static bool truth(Reading *r, const char *name, bool *out)
{
	const char *word = plot_word(r->e, r->at);
	*out = strcmp(word, "true") == 0;
	return *out || strcmp(word, "false") == 0 || wrong(r, name, "true or false");
}

static bool whole(Reading *r, const char *name, int64_t least, int64_t most, int64_t *out)
{
	Val v = elab_expr(r->e, r->s, r->at);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	return (val_const_int(r->e, &v, out) && *out >= least && *out <= most) ||
	       wrong(r, name,
		     arena_printf(r->e->arena, "a whole number from %lld to %lld",
				  (long long)least, (long long)most));
}

/* (a, b) or [a, b], constants. Units are those of the axis: only the numbers count. */
static bool pair(Reading *r, const char *name, double *a, double *b)
{
	Val v = elab_expr(r->e, r->s, r->at);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	bool two = (v.tag == VAL_TUPLE || v.tag == VAL_NUM) && v.n == 2 && v.item;
	for (int k = 0; two && k < 2; k++) {
		Val one = v.item[k];
		two = val_scalar(&one) && one.elem != ELEM_BOOL && one.elem != ELEM_COMPLEX &&
		      val_real(r->e, &one) && elab_node_value(r->e, one.re, k ? b : a) &&
		      isfinite(k ? *b : *a);
	}
	return two || wrong(r, name, "two constant numbers:  (0, 1)");
}

static bool range(Reading *r, const char *name, int which)
{
	r->out->ranged[which] = true;
	return pair(r, name, &r->out->lo[which], &r->out->hi[which]) &&
	       (r->out->lo[which] != r->out->hi[which] ||
		wrong(r, name, "two different numbers"));
}

static bool size(Reading *r)
{
	return pair(r, "size", &r->out->width, &r->out->height) &&
	       ((r->out->width >= 2 && r->out->width <= 100 && r->out->height >= 2 &&
		 r->out->height <= 100) ||
		wrong(r, "size", "width and height in cm, each from 2 to 100"));
}

static bool logarithmic(Reading *r)
{
	const char *word = plot_word(r->e, r->at);
	bool none = strcmp(word, "none") == 0;
	if (!word[0] || (!none && strspn(word, "xyz") != strlen(word))) {
		return wrong(r, "log", "x, y, xy, z or none");
	}
	r->out->log_given = true;
	for (int k = 0; k < PLOT_DIRECTIONS && !none; k++) {
		r->out->log[k] = strchr(word, 'x' + k) != NULL;
	}
	return true;
}

static bool legend(Reading *r)
{
	if (strcmp(plot_word(r->e, r->at), "none") == 0) {
		r->out->no_legend = true;
		return true;
	}
	Val v = elab_expr(r->e, r->s, r->at);
	uint32_t n = v.tag == VAL_TUPLE ? v.n : 1;
	r->out->legend = arena_array(r->e->arena, const char *, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		const Val *one = v.tag == VAL_TUPLE ? &v.item[k] : &v;
		if (one->tag != VAL_STRING) {
			return v.tag != VAL_ERROR && one->tag != VAL_ERROR &&
			       wrong(r, "legend", "texts,  (\"net\", \"exact\"), or none");
		}
		r->out->legend[r->out->nlegend++] = elab_text(r->e, one->string);
	}
	return true;
}

static bool choice(Reading *r, const char *name, const char *const *word, unsigned *out)
{
	const char *have = plot_word(r->e, r->at);
	const char *list = "";
	for (unsigned k = 0; word[k]; k++) {
		if (strcmp(word[k], have) == 0) {
			*out = k;
			return true;
		}
		list = arena_printf(r->e->arena, "%s%s%s", list,
				    !k            ? ""
				    : word[k + 1] ? ", "
						  : " or ",
				    word[k]);
	}
	return wrong(r, name, list);
}

static const char *const option_names[] = {
	"title",  "xlabel", "ylabel", "zlabel", "legend", "log",      "xrange", "yrange",
	"zrange", "size",   "bins",   "grid",   "spread", "diagonal", "colours", "by"};
static const char *const bands[] = {"deviation", "error", "range", "none", NULL};
static const char *const colours[] = {"auto", "viridis", "diverging", "grey", NULL};

static bool one_option(Reading *r, const char *name, const Ast **by)
{
	PlotOptions *o = r->out;
	size_t n = strlen(name);
	unsigned chosen = 0;
	bool ok;
	if (strcmp(name, "title") == 0) {
		return text(r, name, &o->title);
	}
	if (n == 6 && strcmp(name + 1, "label") == 0 && strchr("xyz", name[0])) {
		return text(r, name, &o->label[name[0] - 'x']);
	}
	if (n == 6 && strcmp(name + 1, "range") == 0 && strchr("xyz", name[0])) {
		return range(r, name, name[0] - 'x');
	}
	if (strcmp(name, "legend") == 0) {
		return legend(r);
	}
	if (strcmp(name, "log") == 0) {
		return logarithmic(r);
	}
	if (strcmp(name, "size") == 0) {
		return size(r);
	}
	if (strcmp(name, "bins") == 0) {
		return whole(r, name, 1, 10000, &o->bins);
	}
	if (strcmp(name, "grid") == 0) {
		return whole(r, name, 2, 5000, &o->grid);
	}
	if (strcmp(name, "diagonal") == 0) {
		return truth(r, name, &o->diagonal);
	}
	if (strcmp(name, "spread") == 0) {
		ok = choice(r, name, bands, &chosen);
		o->band = (PlotBand)chosen;
		return ok;
	}
	if (strcmp(name, "colours") == 0) {
		ok = choice(r, name, colours, &chosen);
		o->colours = (PlotColours)chosen;
		return ok;
	}
	if (strcmp(name, "by") == 0) {
		*by = r->at;
		return true;
	}
	size_t count = sizeof option_names / sizeof *option_names;
	const char *near = diag_nearest(name, option_names, count);
	Diag *d = diag_bad_plot(elab_diags(r->e), r->at->span,
				arena_printf(r->e->arena, "there is no option %s", name));
	if (near) {
		diag_help(d, "did you mean %s ?", near);
	}
	return false;
}

bool plot_options(Elab *e, Scope *s, const Ast *with, PlotOptions *out, const Ast **by)
{
	Reading r = {e, s, out, NULL};
	bool several = with->kind == AST_TUPLE, ok = true;
	uint32_t n = several ? with->nkid : 1;
	for (uint32_t k = 0; k < n; k++) {
		const Ast *one = several ? with->kid[k] : with;
		if (one->kind != AST_NAMEDARG) {
			diag_bad_plot(elab_diags(e), one->span,
				      "an option is written  title = \"…\"");
			return false;
		}
		r.at = one->kid[0];
		ok = one_option(&r, elab_text(e, one->name), by) && ok;
	}
	return ok;
}
