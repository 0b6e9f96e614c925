/* data_load_onehot.c — labels of a text column as shares of an axis' labels.
 *
 * With an axis of positions before the labels, each letter of the cell is one position; a letter
 * that is an ambiguity code of nucleic acids (IUPAC) gives an even share to each base it stands
 * for. Otherwise the whole cell is one label. */
#include "compiler/data_load_int.h"
#include <string.h>

static const struct {
	char code;
	const char *bases;
} iupac[] = {
	{'R', "AG"},  {'Y', "CT"},  {'S', "CG"},  {'W', "AT"},  {'K', "GT"},   {'M', "AC"},
	{'B', "CGT"}, {'D', "AGT"}, {'H', "ACT"}, {'V', "ACG"}, {'N', "ACGT"},
};

static const char *ambiguity(char c)
{
	for (size_t k = 0; k < sizeof iupac / sizeof *iupac; k++) {
		if (iupac[k].code == c) {
			return iupac[k].bases;
		}
	}
	return NULL;
}

int64_t label_position(const Run *r, Axis a, const char *s, size_t n)
{
	const AxisInfo *info = core_axis_info(r->core, a);
	for (uint32_t k = 0; k < info->nlabel; k++) {
		const char *label = run_name(r, info->label[k]);
		if (strlen(label) == n && memcmp(label, s, n) == 0) {
			return k;
		}
	}
	int64_t v;
	if (info->nlabel == 0 && rt_integer_parse(s, n, &v) && v >= info->first &&
	    v - info->first < info->size) {
		return v - info->first;
	}
	return -1;
}

static bool is_nucleic(const Run *r, Axis a)
{
	for (const char *b = "ACGT"; *b; b++) {
		if (label_position(r, a, b, 1) < 0) {
			return false;
		}
	}
	return true;
}

static bool bad_label(Loading *l, const FieldInfo *f, const RtColumn *col, size_t record,
		      const char *s, size_t n)
{
	Run *r = l->r;
	const char *where =
		arena_printf(r->e->arena, "column \"%s\", record %zu", col->name, record + 1);
	const char *axis = run_name(r, core_axis_info(r->core, f->onehot)->name);
	const char *why = arena_printf(r->e->arena, "\"%.*s\" is no label of axis %s",
				       (int)(n < 40 ? n : 40), s, axis);
	diag_data_value(r->e->ctx.diags, f->span, l->path, where, why);
	return false;
}

/* Shares of one label into out, a place per label of the axis; false if it is none. */
static bool put_label(Loading *l, const FieldInfo *f, const char *s, size_t n, double *out)
{
	int64_t at = label_position(l->r, f->onehot, s, n);
	if (at >= 0) {
		out[at] = 1;
		return true;
	}
	const char *bases = n == 1 && is_nucleic(l->r, f->onehot) ? ambiguity(*s) : NULL;
	for (size_t k = 0; bases && bases[k]; k++) {
		out[label_position(l->r, f->onehot, &bases[k], 1)] = 1.0 / (double)strlen(bases);
	}
	return bases != NULL;
}

static bool put_letters(Loading *l, const FieldInfo *f, const RtColumn *col, size_t record,
			const char *s, size_t n, double *out)
{
	uint32_t last = core_def(l->r->core, f->leaf)->nindex - 1;
	size_t places = (size_t)data_leaf_size(l->r, f->leaf, last - 1),
	       labels = (size_t)data_leaf_size(l->r, f->leaf, last);
	bool ragged = ragged_number(l->r, l->d, f->leaf, last - 1) >= 0;
	if (n > places || (!ragged && n != places)) {
		const char *where = arena_printf(l->r->e->arena, "column \"%s\", record %zu",
						 col->name, record + 1);
		const char *why =
			arena_printf(l->r->e->arena, "%zu letters where field %s has %zu positions",
				     n, run_name(l->r, f->name), places);
		diag_data_value(l->r->e->ctx.diags, f->span, l->path, where, why);
		return false;
	}
	for (size_t k = 0; k < n; k++) {
		if (!put_label(l, f, s + k, 1, out + k * labels)) {
			return bad_label(l, f, col, record, s + k, 1);
		}
	}
	return true;
}

bool field_fill_onehot(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	uint32_t nindex = core_def(l->r->core, f->leaf)->nindex;
	bool letters = nindex - (f->shared ? 0 : 1) == 2;
	double *out = store_real(l->r->store, f->leaf);
	size_t width = store_count(l->r->store, f->leaf) / l->records;
	for (size_t i = 0; i < l->records; i++) {
		char number[RT_REAL_TEXT];
		const char *s = number;
		if (col->type == RT_STRING) {
			s = col->values.string[i];
		} else {
			double v = col->type == RT_REAL ? col->values.real[i]
							: (double)col->values.integer[i];
			rt_real_text(v, number);
		}
		size_t n = strlen(s);
		for (; n && (*s == ' ' || *s == '\t'); n--) {
			s++;
		}
		while (n && (s[n - 1] == ' ' || s[n - 1] == '\t')) {
			n--;
		}
		bool ok = letters ? put_letters(l, f, col, i, s, n, out + i * width)
				  : put_label(l, f, s, n, out + i * width) ||
					    bad_label(l, f, col, i, s, n);
		if (!ok) {
			return false;
		}
	}
	return true;
}
