/* build_name.c — names, sizes and units of a library, as C, Fortran and Python will read them.
 * SPEC: export. */
#include "compiler/build_int.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

/* ---- identifiers ---- */

/* Greek letters from Α to ω, and those of their own. */
static const char *greek(utf8proc_int32_t c)
{
	static const char *const name[] = {"alpha",   "beta", "gamma", "delta", "epsilon",
					   "zeta",    "eta",  "theta", "iota",  "kappa",
					   "lambda",  "mu",   "nu",    "xi",    "omicron",
					   "pi",      "rho",  "sigma", "sigma", "tau",
					   "upsilon", "phi",  "chi",   "psi",   "omega"};
	if (c >= 0x3B1 && c <= 0x3C9) {
		return name[c - 0x3B1];
	}
	return c == 0x3D1 ? "theta" : c == 0x3D5 ? "phi" : c == 0x3F5 ? "epsilon" : NULL;
}

static bool is_reserved(const char *name)
{
	static const char *const words[] = {
		"auto",   "bool",     "break",    "case",     "char",      "class",    "complex",
		"const",  "continue", "def",      "default",  "del",       "delete",   "do",
		"double", "elif",     "else",     "end",      "enum",      "except",   "export",
		"extern", "false",    "float",    "for",      "friend",    "from",     "global",
		"goto",   "if",       "import",   "in",       "inline",    "int",      "integer",
		"is",     "lambda",   "logical",  "long",     "namespace", "new",      "none",
		"not",    "operator", "or",       "and",      "params",    "pass",     "private",
		"public", "real",     "register", "restrict", "result",    "return",   "short",
		"signed", "sizeof",   "static",   "struct",   "switch",    "template", "this",
		"throw",  "true",     "try",      "typedef",  "typename",  "union",    "unsigned",
		"using",  "virtual",  "void",     "volatile", "while",     "with",     "work",
		"yield",  "n"};
	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		if (strcasecmp(words[k], name) == 0) {
			return true;
		}
	}
	return false;
}

const char *build_identifier(Arena *a, const char *name)
{
	const char *out = "";
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)name;
	while (*p) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(p, -1, &c);
		utf8proc_int32_t small = utf8proc_tolower(c);
		const char *letter = c > 127 ? greek(small) : NULL;
		if (n <= 0) {
			break;
		}
		if (letter && small != c) { /* Ψ and ψ stay different */
			out = arena_printf(a, "%s%c%s", out, toupper(letter[0]), letter + 1);
		} else if (letter) {
			out = arena_printf(a, "%s%s", out, letter);
		} else if (c < 128) {
			out = arena_printf(a, "%s%c", out, isalnum(c) ? (char)c : '_');
		} else {
			out = arena_printf(a, "%sU%04X", out, (unsigned)c);
		}
		p += n;
	}
	if (!isalpha((unsigned char)out[0])) {
		out = arena_printf(a, "x%s", out);
	}
	return is_reserved(out) ? arena_printf(a, "%s_", out) : out;
}

const char *build_unique(Arena *a, const char *name, uint32_t n, const char *const *others)
{
	const char *out = name;
	for (unsigned number = 2;; number++) {
		bool taken = false;
		for (uint32_t k = 0; k < n && !taken; k++) {
			taken = strcasecmp(out, others[k]) == 0;
		}
		if (!taken) {
			return out;
		}
		out = arena_printf(a, "%s_%u", name, number);
	}
}

/* ---- the library's name and files ---- */

/* Length of the path without its ending; 0 if it is no library's. */
static size_t path_stem(const char *path, BuildKind *kind)
{
	static const char *const end[] = {[BUILD_SO] = ".so", [BUILD_A] = ".a", [BUILD_O] = ".o"};
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t n = strlen(base);
	for (int k = BUILD_SO; k <= BUILD_O; k++) {
		size_t m = strlen(end[k]);
		if (n > m && strcmp(base + n - m, end[k]) == 0) {
			*kind = (BuildKind)k;
			return strlen(path) - m;
		}
	}
	return 0;
}

bool build_is_library(const char *path)
{
	BuildKind kind;
	return path_stem(path, &kind) != 0;
}

static bool path_kind(Library *l)
{
	size_t n = path_stem(l->path, &l->kind);
	if (n) {
		l->stem = arena_printf(l->arena, "%.*s", (int)n, l->path);
		return true;
	}
	diag_usage(l->r->e->ctx.diags, l->span,
		   arena_printf(l->arena, "a library is called ….so, .a or .o, not %s", l->path));
	return false;
}

/* libff.so: files ff.h, ff.f90, ff.py and the prefix ff. */
static void name_library(Library *l)
{
	const char *slash = strrchr(l->stem, '/'), *base = slash ? slash + 1 : l->stem;
	const char *plain = strncmp(base, "lib", 3) == 0 && base[3] ? base + 3 : base;
	l->stem = arena_printf(l->arena, "%.*s%s", (int)(base - l->stem), l->stem, plain);
	l->name = build_identifier(l->arena, plain);
	char *macro = arena_strdup(l->arena, l->name);
	for (char *p = macro; *p; p++) {
		*p = (char)toupper((unsigned char)*p);
	}
	l->macro = macro;
}

/* ---- values ---- */

static bool describe_value(Library *l, LibValue *v, const ExportValue *of, uint32_t taken,
			   const char *const *others, const char *fallback)
{
	Core *c = l->r->core;
	const char *name = of->name ? run_name(l->r, of->name) : fallback;
	*v = (LibValue){.of = of, .text = name, .rank = of->rank, .count = 1};
	v->name = build_unique(l->arena, build_identifier(l->arena, name), taken, others);
	v->unit = of->unit ? unit_text(l->r->program->units, of->unit) : "";
	v->dim = arena_array(l->arena, size_t, of->rank + 1);
	v->axis = arena_array(l->arena, const char *, of->rank + 1);
	for (uint32_t k = 0; k < of->rank; k++) {
		const AxisInfo *a = core_axis_info(c, of->axis[k]);
		v->axis[k] = a->name ? run_name(l->r, a->name) : "";
		if (a->size < 0 || __builtin_mul_overflow(v->count, (size_t)a->size, &v->count) ||
		    v->count > (size_t)1 << 40) {
			diag_not_exportable(l->r->e->ctx.diags, of->span, name,
					    a->size < 0 ? "its size is not known"
							: "it is too large");
			return false;
		}
		v->dim[k] = (size_t)a->size;
	}
	return true;
}

static bool describe_function(Library *l, LibFn *f, const ExportFn *fn)
{
	f->fn = fn;
	f->arg = arena_array(l->arena, LibValue, fn->narg + 1);
	f->result = arena_array(l->arena, LibValue, fn->nresult + 1);
	const char **name = arena_array(l->arena, const char *, fn->narg + fn->nresult + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < fn->narg; k++) {
		if (!describe_value(l, &f->arg[k], &fn->arg[k], n, name, "x")) {
			return false;
		}
		name[n++] = f->arg[k].name;
	}
	uint32_t plain = fn->gradient ? 1 : fn->nresult;
	for (uint32_t k = 0; k < fn->nresult; k++) {
		const char *fallback =
			plain == 1 ? "value" : arena_printf(l->arena, "value%u", k + 1);
		if (!describe_value(l, &f->result[k], &fn->result[k], n, name, fallback)) {
			return false;
		}
		name[n++] = f->result[k].name;
	}
	return true;
}

/* u of libu is u, u of libmlp is mlp_u. */
static bool name_functions(Library *l)
{
	const char **name = arena_array(l->arena, const char *, l->nfn + 1);
	for (uint32_t k = 0; k < l->nfn; k++) {
		const ExportFn *fn = &l->info->fn[k];
		LibFn *f = &l->fn[k];
		f->text = run_name(l->r, fn->name);
		const char *plain = build_identifier(l->arena, f->text);
		const char *full = strcmp(plain, l->name) == 0
					   ? plain
					   : arena_printf(l->arena, "%s_%s", l->name, plain);
		full = fn->gradient ? arena_printf(l->arena, "%s_grad", full) : full;
		f->name = name[k] = build_unique(l->arena, full, k, name);
		if (strcmp(f->name, full) != 0 && !fn->gradient) {
			for (uint32_t j = 0; j < k; j++) {
				if (l->info->fn[j].name == fn->name && !l->info->fn[j].gradient) {
					diag_not_exportable(l->r->e->ctx.diags, fn->span, f->text,
							    "it stands there twice");
					return false;
				}
			}
		}
		if (!describe_function(l, f, fn)) {
			return false;
		}
	}
	return true;
}

/* Axes that take their size from the records of a set: all of them must agree. */
static bool size_axes(Library *l)
{
	Run *r = l->r;
	for (uint32_t k = 0; k < l->info->nsized; k++) {
		const ExportAxis *s = &l->info->sized[k];
		const AxisInfo of = *core_axis_info(r->core, s->of);
		bool known = of.size > 0 && store_has(r->store, of.length), same = known;
		for (size_t i = 0; same && i < store_count(r->store, of.length); i++) {
			same = store_int(r->store, of.length)[i] == of.size;
		}
		if (!same) {
			const char *name = run_name(r, of.name);
			Diag *d = diag_not_exportable(
				r->e->ctx.diags, s->span, run_name(r, l->info->fn[0].name),
				arena_printf(l->arena,
					     "the axis %s differs between the records of %s", name,
					     run_name(r, s->data->name)));
			diag_help(d, "say for how many:  export … with %s = %lld to …", name,
				  (long long)(of.size > 0 ? of.size : 3));
			return false;
		}
		core_axis_resize(r->core, s->axis, of.size);
	}
	return true;
}

bool build_describe(Library *l)
{
	if (!path_kind(l)) {
		return false;
	}
	name_library(l);
	l->nfn = l->info->n;
	l->fn = arena_array(l->arena, LibFn, l->nfn + 1);
	return size_axes(l) && name_functions(l);
}

bool build_is_integer(const LibValue *v)
{
	return v->of->type == EXPORT_INT || v->of->type == EXPORT_BOOL ||
	       v->of->type == EXPORT_INDEX;
}

const char *build_type_text(const Library *l, const LibValue *v)
{
	static const char *const name[] = {
		[EXPORT_REAL] = "real", [EXPORT_COMPLEX] = "complex", [EXPORT_INT] = "int",
		[EXPORT_BOOL] = "bool", [EXPORT_SPIN] = "spin",       [EXPORT_INDEX] = "int"};
	const char *text = name[v->of->type];
	if (v->of->type == EXPORT_INDEX) {
		const AxisInfo *a = core_axis_info(l->r->core, v->of->of);
		text = arena_printf(l->arena, "%s, %lld..%lld", run_name(l->r, a->name),
				    (long long)a->first, (long long)(a->first + a->size - 1));
	}
	for (uint32_t k = 0; k < v->rank; k++) {
		text = arena_printf(l->arena, "%s%s%s%s%zu%s", text, k ? ", " : "[", v->axis[k],
				    v->axis[k][0] ? " = " : "", v->dim[k],
				    k + 1 == v->rank ? "]" : "");
	}
	return v->unit[0] ? arena_printf(l->arena, "%s '%s'", text, v->unit) : text;
}
