/* build_fortran.c — the module for Fortran: interfaces by ISO_C_BINDING. Arrays are the caller's as
 * they lie in memory, so their indices stand in the opposite order: R[atom][xyz] is R(xyz, atom).
 */
#include "compiler/build_int.h"
#include <string.h>

enum { LINE = 100 };

static const char *kind(const Library *l, const LibValue *v)
{
	bool single = l->real_bytes == 4;
	return build_is_integer(v) ? "integer(c_int64_t)"
	       : v->of->type == EXPORT_COMPLEX
		       ? single ? "complex(c_float_complex)" : "complex(c_double_complex)"
	       : single ? "real(c_float)"
			: "real(c_double)";
}

/* Names joined by commas, continued on further lines. */
static void put_list(FILE *out, uint32_t n, const char *const *name)
{
	size_t column = 40;
	for (uint32_t k = 0; k < n; k++) {
		column += strlen(name[k]) + 2;
		if (column > LINE) {
			fputs("&\n        ", out);
			column = strlen(name[k]) + 10;
		}
		fprintf(out, "%s%s", name[k], k + 1 < n ? ", " : "");
	}
}

static void declare(const Library *l, const LibValue *v, bool many, bool result, FILE *out)
{
	bool value = !many && !result && v->count == 1 && v->of->type != EXPORT_COMPLEX;
	fprintf(out, "      %s, %s :: %s", kind(l, v),
		value    ? "value"
		: result ? "intent(out)"
			 : "intent(in)",
		v->name);
	if (!value && (v->rank || many)) {
		fputc('(', out);
		for (uint32_t k = v->rank; k-- > 0;) {
			fprintf(out, "%zu%s", v->dim[k], k || many ? ", " : "");
		}
		fputs(many ? "*)" : ")", out);
	}
	fprintf(out, " ! %s\n", build_type_text(l, v));
}

static void function(const Library *l, const LibFn *f, int form, FILE *out)
{
	bool many = form == EXPORT_MANY;
	uint32_t n = 0, narg = f->fn->narg, nresult = f->fn->nresult;
	const char **name = arena_array(l->arena, const char *, narg + nresult + 4);
	if (l->options->external_params) {
		name[n++] = "params";
	}
	if (many) {
		name[n++] = "n";
	}
	for (uint32_t k = 0; k < narg + nresult; k++) {
		name[n++] = k < narg ? f->arg[k].name : f->result[k - narg].name;
	}
	if (f->form[form].work) {
		name[n++] = "work";
	}
	const char *full = arena_printf(l->arena, "%s%s", f->name, many ? "_batch" : "");
	fprintf(out, "    integer(c_int) function %s(", full);
	put_list(out, n, name);
	fprintf(out, ") &\n        bind(c, name=\"%s\")\n      import\n", full);
	if (l->options->external_params) {
		fprintf(out, "      type(%s_params), intent(in) :: params\n", l->name);
	}
	if (many) {
		fputs("      integer(c_int64_t), value :: n\n", out);
	}
	for (uint32_t k = 0; k < narg + nresult; k++) {
		declare(l, k < narg ? &f->arg[k] : &f->result[k - narg], many, k >= narg, out);
	}
	if (f->form[form].work) {
		fputs("      integer(c_int8_t), intent(inout) :: work(*)\n", out);
	}
	fprintf(out, "    end function %s\n", full);
}

static void params_type(const Library *l, FILE *out)
{
	fprintf(out,
		"  ! Fill the parameters in, then call %s_prepare once. Indices stand in the "
		"opposite\n"
		"  ! order of the program's.\n  type, bind(c) :: %s_params\n",
		l->name, l->name);
	for (uint32_t k = 0; k < l->nparam; k++) {
		const LibParam *p = &l->param[k];
		bool real = core_def(l->r->core, p->copy)->kind == KIND_REAL;
		fprintf(out, "    %s :: %s",
			!real                ? "integer(c_int64_t)"
			: l->real_bytes == 4 ? "real(c_float)"
					     : "real(c_double)",
			p->name);
		for (uint32_t a = p->rank; a-- > 0;) {
			fprintf(out, "%s%zu%s", a + 1 == p->rank ? "(" : "", p->dim[a],
				a ? ", " : ")");
		}
		fprintf(out, " ! %s\n", p->tensor);
	}
	size_t n = l->prepared_bytes / 8;
	fprintf(out, "    integer(c_int64_t) :: prepared(%zu)\n  end type\n\n", n ? n : 1);
}

static void prepare(const Library *l, FILE *out)
{
	fprintf(out,
		"    integer(c_int) function %s_prepare(params) bind(c, name=\"%s_prepare\")\n"
		"      import\n      type(%s_params), intent(inout) :: params\n"
		"    end function %s_prepare\n",
		l->name, l->name, l->name, l->name);
}

void build_fortran(const Library *l, FILE *out)
{
	fprintf(out,
		"! %s.f90 - functions of %s, compiled by pnnc " PNNC_VERSION ".\n"
		"! Every function returns 0, or a code that %s.h explains. Arrays are the "
		"caller's;\n"
		"! name_batch takes n calls, the last index counts them.\n"
		"module %s_module\n  use, intrinsic :: iso_c_binding\n  implicit none\n\n",
		l->name, l->source, l->name, l->name);
	if (l->options->external_params) {
		params_type(l, out);
	}
	for (uint32_t k = 0; k < EXPORT_FORMS * l->nfn; k++) {
		const LibFn *f = &l->fn[k / 2];
		if (f->form[k % 2].work) {
			fprintf(out, "  integer, parameter :: %s%s_work = %zu ! bytes\n", f->name,
				k % 2 == EXPORT_MANY ? "_batch" : "", f->form[k % 2].work);
		}
	}
	fputs("\n  interface\n", out);
	if (l->options->external_params) {
		prepare(l, out);
	}
	for (uint32_t k = 0; k < l->nfn; k++) {
		function(l, &l->fn[k], EXPORT_ONE, out);
		function(l, &l->fn[k], EXPORT_MANY, out);
	}
	fprintf(out, "  end interface\nend module %s_module\n", l->name);
}
