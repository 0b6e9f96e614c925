/* build_python.c — the wrapper for Python: ctypes alone; numpy arrays are taken and given where the
 * caller uses them, lists of numbers otherwise. */
#include "compiler/build_int.h"
#include <string.h>

static const char HEAD[] =
	"import ctypes as _c\n"
	"import os as _os\n\n"
	"_lib = _c.CDLL(_os.path.join(_os.path.dirname(_os.path.abspath(__file__)), \"`\"))\n"
	"_TYPES = {\"r\": _c.^, \"z\": _c.^, \"i\": _c.c_int64}\n"
	"_NUMPY = {\"r\": \"$\", \"z\": \"&\", \"i\": \"int64\"}\n"
	"_ERRORS = {1: \"an int argument led outside an axis\", 2: \"ints overflowed\",\n"
	"           3: \"a number of calls below 0\"}\n\n\n";

static const char BODY[] =
	"class Error(ValueError):\n"
	"    pass\n\n\n"
	"def _flat(x, shape, name, out, z):\n"
	"    if not shape:\n"
	"        if z:\n"
	"            x = complex(x)\n"
	"            out += (x.real, x.imag)\n"
	"        else:\n"
	"            out.append(x)\n"
	"        return\n"
	"    if len(x) != shape[0]:\n"
	"        raise ValueError(\"%s: %d elements where %d are expected\" % (name, len(x), "
	"shape[0]))\n"
	"    for y in x:\n"
	"        _flat(y, shape[1:], name, out, z)\n\n\n"
	"def _nested(flat, shape, z):\n"
	"    if not shape:\n"
	"        return complex(flat[0], flat[1]) if z else flat[0]\n"
	"    step = len(flat) // shape[0] if shape[0] else 0\n"
	"    return [_nested(flat[k * step:(k + 1) * step], shape[1:], z) for k in "
	"range(shape[0])]\n\n\n"
	"def _take(x, kind, shape, name):\n"
	"    \"\"\"The array of C, what keeps it alive, and whether numpy is used.\"\"\"\n"
	"    if hasattr(x, \"__array_interface__\"):\n"
	"        import numpy\n"
	"        a = numpy.ascontiguousarray(x, _NUMPY[kind])\n"
	"        if a.shape != tuple(shape):\n"
	"            raise ValueError(\"%s: shape %s where %s is expected\" % (name, a.shape, "
	"tuple(shape)))\n"
	"        return _c.c_void_p(a.ctypes.data), a, True\n"
	"    flat = []\n"
	"    _flat(x, shape, name, flat, kind == \"z\")\n"
	"    a = (_TYPES[kind] * max(len(flat), 1))(*(map(int, flat) if kind == \"i\" else flat))\n"
	"    return a, a, False\n\n\n"
	"def _call(name, params, args, results, values, n, work):\n"
	"    given, kept, numpy_used = [], [], False\n"
	"    if params is not None:\n"
	"        given.append(_c.byref(params))\n"
	"    rows = () if n is None else (n,)\n"
	"    if n is not None:\n"
	"        given.append(_c.c_int64(n))\n"
	"    for (label, kind, shape), x in zip(args, values):\n"
	"        if n is None and not shape and kind != \"z\":\n"
	"            given.append(_TYPES[kind](x))\n"
	"            continue\n"
	"        at, keep, is_numpy = _take(x, kind, rows + shape, label)\n"
	"        given.append(at)\n"
	"        kept.append(keep)\n"
	"        numpy_used = numpy_used or is_numpy\n"
	"    made = []\n"
	"    for label, kind, shape in results:\n"
	"        if numpy_used:\n"
	"            import numpy\n"
	"            a = numpy.empty(rows + shape, _NUMPY[kind])\n"
	"            given.append(_c.c_void_p(a.ctypes.data))\n"
	"        else:\n"
	"            count = 2 if kind == \"z\" else 1\n"
	"            for k in rows + shape:\n"
	"                count *= k\n"
	"            a = (_TYPES[kind] * max(count, 1))()\n"
	"            given.append(a)\n"
	"        made.append(a)\n"
	"    if work:\n"
	"        given.append(_c.create_string_buffer(work))\n"
	"    code = getattr(_lib, name)(*given)\n"
	"    if code:\n"
	"        raise Error(\"%s: %s\" % (name, _ERRORS.get(code, code)))\n"
	"    out = []\n"
	"    for (label, kind, shape), a in zip(results, made):\n"
	"        if numpy_used:\n"
	"            out.append(a if a.shape else a[()])\n"
	"        else:\n"
	"            count = 0 if 0 in rows + shape else len(a)\n"
	"            out.append(_nested(list(a[:count]), rows + shape, kind == \"z\"))\n"
	"    return out[0] if len(out) == 1 else tuple(out)\n\n\n"
	"def _text(name):\n"
	"    f = getattr(_lib, name)\n"
	"    f.restype = _c.c_char_p\n"
	"    return f().decode()\n\n\n";

static const char LOAD[] =
	"    @classmethod\n"
	"    def load(cls, path):\n"
	"        \"\"\"Parameters from a safetensors file.\"\"\"\n"
	"        import json\n"
	"        import struct\n"
	"        with open(path, \"rb\") as f:\n"
	"            text = f.read(struct.unpack(\"<Q\", f.read(8))[0])\n"
	"            data = f.read()\n"
	"        head, params = json.loads(text), cls()\n"
	"        for tensor, member in cls.TENSORS:\n"
	"            if tensor not in head:\n"
	"                raise ValueError(\"%s: there is no %s\" % (path, tensor))\n"
	"            t = head[tensor]\n"
	"            lo, hi = t[\"data_offsets\"]\n"
	"            kind = {\"F64\": \"d\", \"F32\": \"f\", \"I64\": \"q\"}[t[\"dtype\"]]\n"
	"            values = struct.unpack(\"<%d%s\" % ((hi - lo) // struct.calcsize(kind), "
	"kind), "
	"data[lo:hi])\n"
	"            params.put(member, values)\n"
	"        return params.prepare()\n\n"
	"    def put(self, member, values):\n"
	"        \"\"\"All elements of a member in their order, the last index fastest.\"\"\"\n"
	"        kind = dict(self._fields_)[member]\n"
	"        element, count = kind, 1\n"
	"        while hasattr(element, \"_length_\"):\n"
	"            count *= element._length_\n"
	"            element = element._type_\n"
	"        if len(values) != count:\n"
	"            raise ValueError(\"%s: %d numbers where %d are expected\" % (member, "
	"len(values), "
	"count))\n"
	"        at = _c.addressof(self) + getattr(type(self), member).offset\n"
	"        (element * count).from_address(at)[:] = values\n\n"
	"    def prepare(self):\n"
	"        \"\"\"To be called once after the members were filled in.\"\"\"\n"
	"        code = _lib.`_prepare(_c.byref(self))\n"
	"        if code:\n"
	"            raise Error(_ERRORS.get(code, code))\n"
	"        return self\n\n\n";

static char kind(const LibValue *v)
{
	return build_is_integer(v) ? 'i' : v->of->type == EXPORT_COMPLEX ? 'z' : 'r';
}

static void put_values(FILE *out, uint32_t n, const LibValue *v)
{
	fputs("(", out);
	for (uint32_t k = 0; k < n; k++) {
		fprintf(out, "(\"%s\", \"%c\", (", v[k].name, kind(&v[k]));
		for (uint32_t a = 0; a < v[k].rank; a++) {
			fprintf(out, "%zu,", v[k].dim[a]);
		}
		fputs(")),", out);
	}
	fputs(")", out);
}

static void function(const Library *l, const LibFn *f, int form, FILE *out)
{
	bool many = form == EXPORT_MANY, params = l->options->external_params;
	size_t skip = strlen(l->name);
	bool prefixed = strncmp(f->name, l->name, skip) == 0 && f->name[skip] == '_';
	bool own = strcmp(f->text, l->name) == 0 || !prefixed;
	const char *plain = own ? f->name : f->name + skip + 1;
	fprintf(out, "def %s%s(", plain, many ? "_batch" : "");
	const char *comma = params ? "params" : "";
	fputs(comma, out);
	for (uint32_t k = 0; k < f->fn->narg; k++) {
		fprintf(out, "%s%s", comma[0] ? ", " : "", f->arg[k].name);
		comma = ", ";
	}
	if (many && !f->fn->narg) {
		fprintf(out, "%sn", comma[0] ? ", " : "");
	}
	fprintf(out, "):\n    \"\"\"%s%s\n\n", f->text, many ? ", row by row" : "");
	for (uint32_t k = 0; k < f->fn->narg; k++) {
		fprintf(out, "    %s: %s\n", f->arg[k].name, build_type_text(l, &f->arg[k]));
	}
	for (uint32_t k = 0; k < f->fn->nresult; k++) {
		fprintf(out, "    returns %s: %s\n", f->result[k].name,
			build_type_text(l, &f->result[k]));
	}
	fprintf(out, "    \"\"\"\n    return _call(\"%s%s\", %s, ", f->name, many ? "_batch" : "",
		params ? "params" : "None");
	put_values(out, f->fn->narg, f->arg);
	fputs(", ", out);
	put_values(out, f->fn->nresult, f->result);
	fputs(", (", out);
	for (uint32_t k = 0; k < f->fn->narg; k++) {
		fprintf(out, "%s,", f->arg[k].name);
	}
	if (many) {
		fprintf(out, "), %s%s%s, ", f->fn->narg ? "len(" : "",
			f->fn->narg ? f->arg[0].name : "n", f->fn->narg ? ")" : "");
	} else {
		fputs("), None, ", out);
	}
	fprintf(out, "%zu)\n\n\n", f->form[form].work);
}

/* ` is a name, ^ and the others the types of reals. */
static void put(const Library *l, const char *text, const char *name, FILE *out)
{
	bool single = l->real_bytes == 4;
	for (const char *p = text; *p; p++) {
		const char *word = *p == '`'   ? name
				   : *p == '^' ? single ? "c_float" : "c_double"
				   : *p == '$' ? single ? "float32" : "float64"
				   : *p == '&' ? single ? "complex64" : "complex128"
					       : NULL;
		if (word) {
			fputs(word, out);
		} else {
			fputc(*p, out);
		}
	}
}

static void params_class(const Library *l, FILE *out)
{
	fputs("class Params(_c.Structure):\n    \"\"\"The parameters of the library.\"\"\"\n    "
	      "_fields_ = [",
	      out);
	for (uint32_t k = 0; k < l->nparam; k++) {
		const LibParam *p = &l->param[k];
		bool real = core_def(l->r->core, p->copy)->kind == KIND_REAL;
		fprintf(out, "(\"%s\", _TYPES[\"%c\"]", p->name, real ? 'r' : 'i');
		for (uint32_t a = p->rank; a-- > 0;) {
			fprintf(out, " * %zu", p->dim[a]);
		}
		fputs("), ", out);
	}
	size_t n = l->prepared_bytes / 8;
	fprintf(out, "(\"prepared\", _c.c_int64 * %zu)]\n    TENSORS = [", n ? n : 1);
	for (uint32_t k = 0; k < l->nparam; k++) {
		fprintf(out, "(\"%s\", \"%s\"), ", l->param[k].tensor, l->param[k].name);
	}
	fputs("]\n\n", out);
	put(l, LOAD, l->name, out);
}

void build_python(const Library *l, FILE *out)
{
	const char *slash = strrchr(l->path, '/');
	fprintf(out,
		"\"\"\"%s - functions of %s, compiled by pnnc " PNNC_VERSION ".\n\n"
		"Numbers, nested lists and numpy arrays are taken; where an argument is a numpy "
		"array, so are the\n"
		"results. f_batch makes many calls at once: its arguments and results have one "
		"more axis, the\n"
		"first.\n\"\"\"\n",
		l->name, l->source);
	put(l, HEAD, slash ? slash + 1 : l->path, out);
	fputs(BODY, out);
	if (l->options->external_params) {
		params_class(l, out);
	}
	for (uint32_t k = 0; k < l->nfn; k++) {
		function(l, &l->fn[k], EXPORT_ONE, out);
		function(l, &l->fn[k], EXPORT_MANY, out);
	}
	fprintf(out, "version = _text(\"%s_version\")\nhash = _text(\"%s_hash\")\n", l->name,
		l->name);
}
