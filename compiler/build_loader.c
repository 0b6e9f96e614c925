/* build_loader.c — the function of the header that reads parameters from a safetensors file: eight
 * bytes with the length of the text, a JSON object of tensors, the bytes. It takes files of any
 * writer: names, types and places are read, everything else is skipped. */
#include "compiler/build_int.h"

static const char READER[] =
	"/* ---- reading a safetensors file ---- */\n"
	"typedef struct @_text { const char *at, *end; } @_text;\n"
	"static inline void @_skip(@_text *t)\n"
	"{\n"
	"\twhile (t->at < t->end && (*t->at == ' ' || *t->at == '\\n' || *t->at == '\\t' || "
	"*t->at == '\\r')) {\n"
	"\t\tt->at++;\n"
	"\t}\n"
	"}\n"
	"static inline int @_sign(@_text *t, char c)\n"
	"{\n"
	"\t@_skip(t);\n"
	"\tif (t->at < t->end && *t->at == c) {\n"
	"\t\tt->at++;\n"
	"\t\treturn 1;\n"
	"\t}\n"
	"\treturn 0;\n"
	"}\n"
	"/* A string: its bytes as written, between the quotes. */\n"
	"static inline int @_string(@_text *t, const char **s, size_t *n)\n"
	"{\n"
	"\tif (!@_sign(t, '\"')) {\n"
	"\t\treturn 0;\n"
	"\t}\n"
	"\t*s = t->at;\n"
	"\twhile (t->at < t->end && *t->at != '\"') {\n"
	"\t\tt->at += *t->at == '\\\\' && t->end - t->at > 1 ? 2 : 1;\n"
	"\t}\n"
	"\t*n = (size_t)(t->at - *s);\n"
	"\treturn @_sign(t, '\"');\n"
	"}\n"
	"static inline int @_number(@_text *t, uint64_t *v)\n"
	"{\n"
	"\tconst char *first;\n"
	"\t@_skip(t);\n"
	"\tfirst = t->at;\n"
	"\tfor (*v = 0; t->at < t->end && *t->at >= '0' && *t->at <= '9' && *v < UINT64_MAX / 16; "
	"t->at++) {\n"
	"\t\t*v = *v * 10 + (uint64_t)(*t->at - '0');\n"
	"\t}\n"
	"\treturn t->at > first;\n"
	"}\n"
	"/* Any value; depth ends what is nested without end. */\n"
	"static inline int @_value(@_text *t, int depth)\n"
	"{\n"
	"\tconst char *s;\n"
	"\tsize_t n;\n"
	"\tint map = @_sign(t, '{');\n"
	"\tif (depth > 20) {\n"
	"\t\treturn 0;\n"
	"\t}\n"
	"\tif (!map && !@_sign(t, '[')) {\n"
	"\t\t@_skip(t);\n"
	"\t\tif (t->at < t->end && *t->at == '\"') {\n"
	"\t\t\treturn @_string(t, &s, &n);\n"
	"\t\t}\n"
	"\t\twhile (t->at < t->end && !strchr(\",]} \\n\\r\\t\", *t->at)) {\n"
	"\t\t\tt->at++;\n"
	"\t\t}\n"
	"\t\treturn 1;\n"
	"\t}\n"
	"\tif (@_sign(t, map ? '}' : ']')) {\n"
	"\t\treturn 1;\n"
	"\t}\n"
	"\tdo {\n"
	"\t\tif ((map && (!@_string(t, &s, &n) || !@_sign(t, ':'))) || !@_value(t, depth + 1)) {\n"
	"\t\t\treturn 0;\n"
	"\t\t}\n"
	"\t} while (@_sign(t, ','));\n"
	"\treturn @_sign(t, map ? '}' : ']');\n"
	"}\n"
	"/* \"dtype\", \"shape\", \"data_offsets\" of one tensor. */\n"
	"static inline int @_tensor(@_text *t, int *bytes, uint64_t *count, uint64_t *from, "
	"uint64_t *to)\n"
	"{\n"
	"\tconst char *s, *type;\n"
	"\tsize_t n, m;\n"
	"\tuint64_t v;\n"
	"\t*bytes = 0;\n"
	"\t*count = 1;\n"
	"\t*from = *to = 0;\n"
	"\tif (!@_sign(t, '{')) {\n"
	"\t\treturn 0;\n"
	"\t}\n"
	"\tdo {\n"
	"\t\tif (!@_string(t, &s, &n) || !@_sign(t, ':')) {\n"
	"\t\t\treturn 0;\n"
	"\t\t}\n"
	"\t\tif (n == 5 && !memcmp(s, \"dtype\", 5)) {\n"
	"\t\t\tif (!@_string(t, &type, &m)) {\n"
	"\t\t\t\treturn 0;\n"
	"\t\t\t}\n"
	"\t\t\t*bytes = m != 3 ? 0 : !memcmp(type, \"F64\", 3) ? 8 : !memcmp(type, \"F32\", 3) ? 4"
	" : !memcmp(type, \"I64\", 3) ? -8 : 0;\n"
	"\t\t} else if (n == 5 && !memcmp(s, \"shape\", 5)) {\n"
	"\t\t\tint more = @_sign(t, '[') && !@_sign(t, ']');\n"
	"\t\t\twhile (more) {\n"
	"\t\t\t\tif (!@_number(t, &v) || (v && *count > (UINT64_MAX >> 8) / v)) {\n"
	"\t\t\t\t\treturn 0;\n"
	"\t\t\t\t}\n"
	"\t\t\t\t*count *= v;\n"
	"\t\t\t\tmore = @_sign(t, ',');\n"
	"\t\t\t\tif (!more && !@_sign(t, ']')) {\n"
	"\t\t\t\t\treturn 0;\n"
	"\t\t\t\t}\n"
	"\t\t\t}\n"
	"\t\t} else if (n == 12 && !memcmp(s, \"data_offsets\", 12)) {\n"
	"\t\t\tif (!@_sign(t, '[') || !@_number(t, from) || !@_sign(t, ',') || !@_number(t, to) || "
	"!@_sign(t, ']')) {\n"
	"\t\t\t\treturn 0;\n"
	"\t\t\t}\n"
	"\t\t} else if (!@_value(t, 0)) {\n"
	"\t\t\treturn 0;\n"
	"\t\t}\n"
	"\t} while (@_sign(t, ','));\n"
	"\treturn @_sign(t, '}');\n"
	"}\n"
	"/* Bytes of one tensor into its member: 0, or 2 where type, size or place do not fit. */\n"
	"static inline int @_copy(FILE *f, uint64_t text, uint64_t from, uint64_t to, int bytes, "
	"uint64_t count,\n"
	"                         void *member, uint64_t want, int ints)\n"
	"{\n"
	"\tuint64_t i, size = (uint64_t)(bytes < 0 ? -bytes : bytes);\n"
	"\tunsigned char b[8];\n"
	"\tif (!bytes || (bytes < 0) != ints || count != want || to < from || to - from != count * "
	"size ||\n"
	"\t    from > INT64_MAX / 2 || fseek(f, (long)(8 + text + from), SEEK_SET)) {\n"
	"\t\treturn 2;\n"
	"\t}\n"
	"\tfor (i = 0; i < count; i++) {\n"
	"\t\tuint64_t word = 0;\n"
	"\t\tint k;\n"
	"\t\tif (fread(b, 1, (size_t)size, f) != size) {\n"
	"\t\t\treturn 2;\n"
	"\t\t}\n"
	"\t\tfor (k = (int)size - 1; k >= 0; k--) {\n"
	"\t\t\tword = word << 8 | b[k];\n"
	"\t\t}\n"
	"\t\tif (bytes == 4) {\n"
	"\t\t\tuint32_t half = (uint32_t)word;\n"
	"\t\t\tfloat v;\n"
	"\t\t\tmemcpy(&v, &half, 4);\n"
	"\t\t\t((%*)member)[i] = (%)v;\n"
	"\t\t} else if (bytes == 8) {\n"
	"\t\t\tdouble v;\n"
	"\t\t\tmemcpy(&v, &word, 8);\n"
	"\t\t\t((%*)member)[i] = (%)v;\n"
	"\t\t} else {\n"
	"\t\t\tmemcpy((char *)member + 8 * i, &word, 8);\n"
	"\t\t}\n"
	"\t}\n"
	"\treturn 0;\n"
	"}\n";

static const char LOADER[] = "/* Fills the parameters from a file that a program saved, and "
			     "prepares them. 0; 1: the file cannot "
			     "be\n"
			     " * read; 2: it is no safetensors file, or a parameter is missing or "
			     "differs in size; otherwise "
			     "what\n"
			     " * @_prepare returns. */\n"
			     "static inline int @_load(@_params *params, const char *path)\n"
			     "{\n"
			     "\tstatic const struct { const char *name; size_t at; uint64_t count; "
			     "int ints; } want[] = {\n";

static const char LOADER_END[] =
	"\t};\n"
	"\tenum { COUNT = sizeof want / sizeof *want };\n"
	"\tFILE *f = fopen(path, \"rb\");\n"
	"\tunsigned char b[8];\n"
	"\tuint64_t n = 0;\n"
	"\tchar *text = NULL, found[COUNT] = {0};\n"
	"\tint k, code = 1;\n"
	"\tif (!f) {\n"
	"\t\treturn 1;\n"
	"\t}\n"
	"\tif (fread(b, 1, 8, f) == 8) {\n"
	"\t\tfor (k = 7; k >= 0; k--) {\n"
	"\t\t\tn = n << 8 | b[k];\n"
	"\t\t}\n"
	"\t\tcode = 2;\n"
	"\t\ttext = n < 100000000 ? (char *)malloc((size_t)n + 1) : NULL;\n"
	"\t}\n"
	"\tif (text && fread(text, 1, (size_t)n, f) == n) {\n"
	"\t\t@_text t;\n"
	"\t\tt.at = text;\n"
	"\t\tt.end = text + n;\n"
	"\t\tcode = @_sign(&t, '{') ? 0 : 2;\n"
	"\t\twhile (!code && !@_sign(&t, '}')) {\n"
	"\t\t\tconst char *s;\n"
	"\t\t\tsize_t m;\n"
	"\t\t\tint bytes = 0, which = -1;\n"
	"\t\t\tuint64_t count = 0, from = 0, to = 0;\n"
	"\t\t\tif (!@_string(&t, &s, &m) || !@_sign(&t, ':')) {\n"
	"\t\t\t\tcode = 2;\n"
	"\t\t\t\tbreak;\n"
	"\t\t\t}\n"
	"\t\t\tfor (k = 0; k < (int)COUNT; k++) {\n"
	"\t\t\t\twhich = strlen(want[k].name) == m && !memcmp(want[k].name, s, m) ? k : which;\n"
	"\t\t\t}\n"
	"\t\t\tif (which < 0 ? !@_value(&t, 0) : !@_tensor(&t, &bytes, &count, &from, &to)) {\n"
	"\t\t\t\tcode = 2;\n"
	"\t\t\t} else if (which >= 0) {\n"
	"\t\t\t\tfound[which] = 1;\n"
	"\t\t\t\tcode = @_copy(f, n, from, to, bytes, count, (char *)params + want[which].at, "
	"want[which].count,\n"
	"\t\t\t\t              want[which].ints);\n"
	"\t\t\t}\n"
	"\t\t\tif (!code && !@_sign(&t, ',')) {\n"
	"\t\t\t\tcode = @_sign(&t, '}') ? 0 : 2;\n"
	"\t\t\t\tbreak;\n"
	"\t\t\t}\n"
	"\t\t}\n"
	"\t}\n"
	"\tfor (k = 0; k < (int)COUNT && !code; k++) {\n"
	"\t\tcode = found[k] ? 0 : 2;\n"
	"\t}\n"
	"\tfree(text);\n"
	"\tfclose(f);\n"
	"\treturn code ? code : @_prepare(params);\n"
	"}\n";

/* @ is the library's name, % its type of reals. */
static void put(const Library *l, const char *text, FILE *out)
{
	for (const char *p = text; *p; p++) {
		if (*p == '@') {
			fputs(l->name, out);
		} else if (*p == '%') {
			fputs(l->real_bytes == 4 ? "float " : "double ", out);
		} else {
			fputc(*p, out);
		}
	}
}

/* Names in the file are JSON: what is not plain is written with escapes there. */
static void put_quoted(const char *name, FILE *out)
{
	fputc('"', out);
	for (const char *p = name; *p; p++) {
		if (*p == '"' || *p == '\\') {
			fputc('\\', out);
		}
		fputc(*p, out);
	}
	fputc('"', out);
}

void build_loader(const Library *l, FILE *out)
{
	fputc('\n', out);
	put(l, READER, out);
	put(l, LOADER, out);
	for (uint32_t k = 0; k < l->nparam; k++) {
		const LibParam *p = &l->param[k];
		bool real = core_def(l->r->core, p->copy)->kind == KIND_REAL;
		fputs("\t\t{", out);
		put_quoted(p->tensor, out);
		fprintf(out, ", offsetof(%s_params, %s), %zu, %d},\n", l->name, p->name, p->count,
			!real);
	}
	put(l, LOADER_END, out);
}
