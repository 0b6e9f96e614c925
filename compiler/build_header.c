/* build_header.c — the C header of a library: sizes, units, who owns what, how to link. */
#include "compiler/build_int.h"
#include <ctype.h>
#include <string.h>

static const char *real_type(const Library *l)
{
	return l->real_bytes == 4 ? "float" : "double";
}

static const char *c_type(const Library *l, const LibValue *v)
{
	return build_is_integer(v)             ? "int64_t"
	       : v->of->type == EXPORT_COMPLEX ? arena_printf(l->arena, "%s_complex", l->name)
					       : real_type(l);
}

static const char *upper(const Library *l, const char *text)
{
	char *s = arena_strdup(l->arena, text);
	for (char *p = s; *p; p++) {
		*p = (char)toupper((unsigned char)*p);
	}
	return s;
}

static bool has_complex(const Library *l)
{
	bool any = false;
	for (uint32_t k = 0; k < l->nfn; k++) {
		for (uint32_t i = 0; i < l->fn[k].fn->narg; i++) {
			any = any || l->fn[k].arg[i].of->type == EXPORT_COMPLEX;
		}
		for (uint32_t i = 0; i < l->fn[k].fn->nresult; i++) {
			any = any || l->fn[k].result[i].of->type == EXPORT_COMPLEX;
		}
	}
	return any;
}

/* ---- the beginning ---- */

static void about(const Library *l, FILE *out)
{
	bool so = l->kind == BUILD_SO, o = l->kind == BUILD_O;
	const char *slash = strrchr(l->path, '/'), *file = slash ? slash + 1 : l->path;
	fprintf(out,
		"/* %s.h — functions of %s, compiled by pnnc " PNNC_VERSION ".\n"
		" * Program%s: %s\n"
		" * Code for: %s; numbers are %s.\n *\n",
		l->name, l->source, l->options->external_params ? "" : " and parameters", l->hash,
		l->options->cpu ? l->options->cpu : "the processor it was built on", real_type(l));
	if (so) {
		fprintf(out, " * Link:  cc prog.c -L. -l:%s -Wl,-rpath,'$ORIGIN' -lm\n", file);
	} else {
		fprintf(out, " * Link:  cc prog.c %s -lm\n", o ? file : file);
	}
	fputs(" * The code needs the C library and its mathematics alone.\n *\n"
	      " * Arrays are row-major (the last index runs fastest), belong to the caller, and "
	      "are\n"
	      " * not kept after the call. Results may not overlap anything else. Nothing is "
	      "allocated\n"
	      " * and nothing is remembered between calls: functions may be called from any number "
	      "of\n"
	      " * threads at the same time.\n"
	      " *\n"
	      " * All functions return 0, or\n"
	      " *   1  an int argument led outside an axis\n"
	      " *   2  ints overflowed\n"
	      " *   3  a number of calls below 0\n"
	      " * in which case the results are not to be used.\n"
	      " *\n"
	      " * f_batch makes n calls of f: the arguments and results of call k are rows k of "
	      "arrays\n"
	      " * with n rows. The bits of a row depend neither on n nor on k; the order of sums "
	      "may\n"
	      " * differ from that of f, within rounding. */\n",
	      out);
}

static void begin(const Library *l, FILE *out)
{
	fprintf(out, "#ifndef PNN_%s_H\n#define PNN_%s_H\n#include <stdint.h>\n", l->macro,
		l->macro);
	if (l->options->external_params) {
		fputs("#include <stddef.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include "
		      "<string.h>\n",
		      out);
	}
	if (has_complex(l)) {
		fprintf(out,
			"#ifdef __cplusplus\n#include <complex>\n"
			"typedef std::complex<%s> %s_complex;\n#else\n"
			"typedef %s _Complex %s_complex;\n#endif\n",
			real_type(l), l->name, real_type(l), l->name);
	}
	fputs("#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", out);
}

/* ---- sizes ---- */

/* #define FF_ATOM 9, once for each axis that has a name. */
static void axis_macros(const Library *l, FILE *out)
{
	const char *done[256];
	uint32_t n = 0;
	for (uint32_t k = 0; k < l->nfn; k++) {
		const LibFn *f = &l->fn[k];
		for (uint32_t i = 0; i < f->fn->narg + f->fn->nresult; i++) {
			const LibValue *v =
				i < f->fn->narg ? &f->arg[i] : &f->result[i - f->fn->narg];
			for (uint32_t a = 0; a < v->rank && n < 256; a++) {
				/* "x" in front: words of C are no macros' */
				const char *word = arena_printf(l->arena, "x%s", v->axis[a]);
				const char *name = upper(l, build_identifier(l->arena, word) + 1);
				if (!v->axis[a][0] ||
				    build_unique(l->arena, name, n, done) != name) {
					continue;
				}
				fprintf(out, "#define %s_%s %zu\n", l->macro, name, v->dim[a]);
				done[n++] = name;
			}
		}
	}
	fputs(n ? "\n" : "", out);
}

/* ---- parameters given at run time ---- */

static void params_struct(const Library *l, FILE *out)
{
	fprintf(out,
		"/* The parameters. The caller owns the struct: fill in the members by hand or "
		"with\n"
		" * %s_load, then call %s_prepare once; after that it is only read, by any number "
		"of\n"
		" * threads. */\n"
		"typedef struct %s_params {\n",
		l->name, l->name, l->name);
	for (uint32_t k = 0; k < l->nparam; k++) {
		const LibParam *p = &l->param[k];
		bool real = core_def(l->r->core, p->copy)->kind == KIND_REAL;
		fprintf(out, "\t%s %s", real ? real_type(l) : "int64_t", p->name);
		for (uint32_t a = 0; a < p->rank; a++) {
			fprintf(out, "[%zu]", p->dim[a]);
		}
		fprintf(out, ";%s%s%s\n", strcmp(p->name, p->tensor) ? " /* " : "",
			strcmp(p->name, p->tensor) ? p->tensor : "",
			strcmp(p->name, p->tensor) ? " */" : "");
	}
	size_t n = l->prepared_bytes / 8;
	fprintf(out, "\tint64_t prepared[%zu]; /* what %s_prepare makes */\n} %s_params;\n",
		n ? n : 1, l->name, l->name);
	fprintf(out, "int %s_prepare(%s_params *params);\n\n", l->name, l->name);
}

/* ---- functions ---- */

static bool by_value(const LibValue *v, bool many, bool result)
{
	return !many && !result && v->count == 1 && v->of->type != EXPORT_COMPLEX;
}

static void parameter(const Library *l, const LibValue *v, bool many, bool result, FILE *out)
{
	fprintf(out, "%s%s %s%s", result || by_value(v, many, result) ? "" : "const ", c_type(l, v),
		by_value(v, many, result) ? "" : "*", v->name);
}

static void describe(const Library *l, const LibValue *v, const char *arrow, FILE *out)
{
	fprintf(out, " *   %s%-10s %s%s\n", arrow, v->name, build_type_text(l, v),
		v->of->type == EXPORT_BOOL   ? ", 0 or 1"
		: v->of->type == EXPORT_SPIN ? ", +1 or -1"
					     : "");
}

static void prototype(const Library *l, const LibFn *f, int form, FILE *out)
{
	bool many = form == EXPORT_MANY;
	const char *comma = "";
	fprintf(out, "int %s%s(", f->name, many ? "_batch" : "");
	if (l->options->external_params) {
		fprintf(out, "const %s_params *params", l->name);
		comma = ", ";
	}
	if (many) {
		fprintf(out, "%sint64_t n", comma);
		comma = ", ";
	}
	for (uint32_t k = 0; k < f->fn->narg + f->fn->nresult; k++) {
		bool result = k >= f->fn->narg;
		fputs(comma, out);
		parameter(l, result ? &f->result[k - f->fn->narg] : &f->arg[k], many, result, out);
		comma = ", ";
	}
	if (f->form[form].work) {
		fprintf(out, "%svoid *work", comma);
		comma = ", ";
	}
	fprintf(out, "%s);\n", comma[0] ? "" : "void");
}

static void function(const Library *l, const LibFn *f, FILE *out)
{
	fprintf(out, "/* %s%s\n", f->text, f->fn->gradient ? ", and its derivatives" : "");
	for (uint32_t k = 0; k < f->fn->narg; k++) {
		describe(l, &f->arg[k], "", out);
	}
	for (uint32_t k = 0; k < f->fn->nresult; k++) {
		describe(l, &f->result[k], "-> ", out);
	}
	for (int form = 0; form < EXPORT_FORMS; form++) {
		if (f->form[form].work) {
			fprintf(out, " * work: %zu bytes of scratch memory, one for each thread.\n",
				f->form[form].work);
		}
	}
	fputs(" */\n", out);
	for (int form = 0; form < EXPORT_FORMS; form++) {
		if (f->form[form].work) {
			fprintf(out, "#define %s%s_WORK %zu\n", upper(l, f->name),
				form == EXPORT_MANY ? "_BATCH" : "", f->form[form].work);
		}
		prototype(l, f, form, out);
	}
	fputs("\n", out);
}

void build_header(const Library *l, FILE *out)
{
	about(l, out);
	begin(l, out);
	axis_macros(l, out);
	if (l->options->external_params) {
		params_struct(l, out);
	}
	for (uint32_t k = 0; k < l->nfn; k++) {
		function(l, &l->fn[k], out);
	}
	fprintf(out,
		"/* The compiler's version, and the hash above. */\n"
		"const char *%s_version(void);\nconst char *%s_hash(void);\n\n"
		"#ifdef __cplusplus\n}\n#endif\n",
		l->name, l->name);
	if (l->options->external_params) {
		build_loader(l, out);
	}
	fputs("#endif\n", out);
}
