/* safetensors.c — weights and optimiser state.
 *
 * 8 bytes little-endian length of the header; the header, JSON padded with blanks to a multiple of
 * 8:
 *     {"__metadata__": {"key": "value"}, "name": {"dtype": "F64", "shape": [3, 4], "data_offsets":
 * [0, 96]}} then the data, offsets counting from their start. The tensors must cover the data
 * without holes or overlap. */
#include "runtime/safetensors.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/file.h"
#include "runtime/half.h"
#include "runtime/utf8.h"

static const char METADATA[] = "__metadata__";
enum { LONGEST_HEADER = 100000000 };

/* Writing. */

static int tensor_by_name(const void *a, const void *b)
{
	const RtTensor *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static int meta_by_key(const void *a, const void *b)
{
	const RtMeta *x = a, *y = b;
	return strcmp(x->key, y->key);
}

static bool is_utf8(const char *text)
{
	size_t n = strlen(text);
	return rt_utf8_valid(text, n) == n;
}

/* Sorted tensors that can be written: sizes, names. *bytes is the length of the data. */
static RtStatus check_tensors(const char *path, const RtTensor *t, size_t n, size_t *bytes,
                              RtError *err)
{
	*bytes = 0;
	for (size_t i = 0; i < n; i++) {
		size_t count;
		if (!is_utf8(t[i].name) || strcmp(t[i].name, METADATA) == 0 ||
		    (i > 0 && strcmp(t[i - 1].name, t[i].name) == 0)) {
			return rt_fail(err, RT_E_USAGE, path, NULL, "\"%s\" is no name of its own", t[i].name);
		}
		if (!rt_tensor_count(&t[i], &count) ||
		    __builtin_add_overflow(*bytes, count * rt_dtype_size(t[i].dtype), bytes)) {
			return rt_fail(err, RT_E_USAGE, path, NULL, "\"%s\" is too large", t[i].name);
		}
	}
	return RT_OK;
}

static json_t *describe(const RtTensor *t, size_t from, size_t to)
{
	json_t *shape = json_array();
	for (unsigned i = 0; shape && i < t->ndim; i++) {
		if (json_array_append_new(shape, json_integer((json_int_t)t->dim[i])) != 0) {
			json_decref(shape);
			shape = NULL;
		}
	}
	return shape ? json_pack("{s:s, s:o, s:[I, I]}", "dtype", rt_dtype_name(t->dtype), "shape",
	                         shape, "data_offsets", (json_int_t)from, (json_int_t)to)
	             : NULL;
}

static json_t *describe_all(const RtTensor *t, size_t n, const RtMeta *meta, size_t nmeta)
{
	json_t *head = json_object(), *m = json_object();
	bool good = head && m;
	for (size_t i = 0; good && i < nmeta; i++) {
		good = json_object_set_new(m, meta[i].key, json_string(meta[i].value)) == 0;
	}
	if (good && nmeta > 0) {
		good = json_object_set(head, METADATA, m) == 0;
	}
	json_decref(m);
	size_t from = 0, count = 0;
	for (size_t i = 0; good && i < n; i++) {
		(void)rt_tensor_count(&t[i], &count);
		size_t to = from + count * rt_dtype_size(t[i].dtype);
		good = json_object_set_new(head, t[i].name, describe(&t[i], from, to)) == 0;
		from = to;
	}
	if (!good) {
		json_decref(head);
		head = NULL;
	}
	return head;
}

/* The header with its length in front and its padding behind. */
static char *header_bytes(const RtTensor *t, size_t n, const RtMeta *meta, size_t nmeta,
                          size_t *length)
{
	json_t *head = describe_all(t, n, meta, nmeta);
	char *text = head ? json_dumps(head, JSON_COMPACT) : NULL, *out = NULL;
	json_decref(head);
	if (text) {
		size_t have = strlen(text), padded = (have + 7) / 8 * 8;
		out = malloc(8 + padded);
		for (size_t i = 0; out && i < 8; i++) {
			out[i] = (char)(padded >> (8 * i) & 255);
		}
		if (out) {
			memset(out + 8, ' ', padded);
			memcpy(out + 8, text, have);
			*length = 8 + padded;
		}
	}
	free(text);
	return out;
}

static RtStatus write_sorted(const char *path, const RtTensor *t, size_t n, const RtMeta *meta,
                             size_t nmeta, RtError *err)
{
	RtFile *file;
	size_t length = 0, bytes;
	RtStatus status = check_tensors(path, t, n, &bytes, err);
	if (status != RT_OK) {
		return status;
	}
	for (size_t i = 0; i < nmeta; i++) {
		if (!is_utf8(meta[i].key) || !is_utf8(meta[i].value) ||
		    (i > 0 && strcmp(meta[i - 1].key, meta[i].key) == 0)) {
			return rt_fail(err, RT_E_USAGE, path, NULL, "the metadata \"%s\" cannot be written",
			               meta[i].key);
		}
	}
	char *head = header_bytes(t, n, meta, nmeta, &length);
	if (!head) {
		return rt_fail(err, RT_E_MEMORY, path, NULL, "not enough memory to write it");
	}
	status = rt_file_begin(path, &file, err);
	if (status == RT_OK) {
		FILE *out = rt_file_stream(file);
		(void)fwrite(head, 1, length, out);
		for (size_t i = 0; i < n; i++) {
			size_t count;
			(void)rt_tensor_count(&t[i], &count);
			(void)fwrite(t[i].data, rt_dtype_size(t[i].dtype), count, out);
		}
		status = rt_file_commit(file, err);
	}
	free(head);
	return status;
}

RtStatus rt_safetensors_write(const char *path, const RtTensor *tensor, size_t n,
                              const RtMeta *meta, size_t nmeta, RtError *err)
{
	RtTensor *t = rt_alloc(n, sizeof *t);
	RtMeta *m = rt_alloc(nmeta, sizeof *m);
	RtStatus status;
	if (t && m) {
		if (n > 0) {
			memcpy(t, tensor, n * sizeof *t);
			qsort(t, n, sizeof *t, tensor_by_name);
		}
		if (nmeta > 0) {
			memcpy(m, meta, nmeta * sizeof *m);
			qsort(m, nmeta, sizeof *m, meta_by_key);
		}
		status = write_sorted(path, t, n, m, nmeta, err);
	} else {
		status = rt_fail(err, RT_E_MEMORY, path, NULL, "not enough memory to write it");
	}
	free(t);
	free(m);
	return status;
}

/* Reading. */

typedef struct Reader {
	const char *name;
	const char *data;  /* behind the header */
	size_t ndata;
	RtWeights *weights;
	size_t *from;      /* offset of each tensor */
	RtError *err;
} Reader;

static RtStatus bad(Reader *r, const char *tensor, const char *text)
{
	char where[RT_WHERE_MAX] = "";
	if (tensor) {
		(void)snprintf(where, sizeof where, "tensor %.80s", tensor);
	}
	return rt_fail(r->err, RT_E_FORMAT, r->name, where, "%s", text);
}

static bool read_size(const json_t *value, size_t *size)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0) {
		return false;
	}
	*size = (size_t)json_integer_value(value);
	return true;
}

static RtStatus read_shape(Reader *r, const char *name, const json_t *shape, RtTensor *t)
{
	if (!json_is_array(shape)) {
		return bad(r, name, "the shape is not a list");
	}
	if (json_array_size(shape) > RT_MAX_DIM) {
		return bad(r, name, "the tensor has more than 8 dimensions");
	}
	t->ndim = (unsigned)json_array_size(shape);
	for (unsigned i = 0; i < t->ndim; i++) {
		if (!read_size(json_array_get(shape, i), &t->dim[i])) {
			return bad(r, name, "a dimension is not a whole number");
		}
	}
	return RT_OK;
}

static RtStatus read_tensor(Reader *r, const char *name, const json_t *entry, RtTensor *t,
                            size_t *from)
{
	const json_t *offsets = json_object_get(entry, "data_offsets");
	const char *dtype = json_string_value(json_object_get(entry, "dtype"));
	size_t to = 0, count;
	if (!json_is_object(entry) || json_object_size(entry) != 3 || !offsets || !dtype) {
		return bad(r, name, "its entry is not dtype, shape and data_offsets");
	}
	if (!rt_dtype_find(dtype, &t->dtype)) {
		return bad(r, name, "its element type is not read");
	}
	RtStatus status = read_shape(r, name, json_object_get(entry, "shape"), t);
	if (status != RT_OK) {
		return status;
	}
	if (json_array_size(offsets) != 2 || !read_size(json_array_get(offsets, 0), from) ||
	    !read_size(json_array_get(offsets, 1), &to) || *from > to || to > r->ndata) {
		return bad(r, name, "its data lie outside the file");
	}
	if (!rt_tensor_count(t, &count) || count * rt_dtype_size(t->dtype) != to - *from) {
		return bad(r, name, "its data are not as long as its shape demands");
	}
	char *copy = rt_alloc(to - *from, 1);
	char *label = rt_copy_text(name, strlen(name));
	if (!copy || !label) {
		free(copy);
		free(label);
		return rt_fail(r->err, RT_E_MEMORY, r->name, NULL, "not enough memory for its tensors");
	}
	memcpy(copy, r->data + *from, to - *from);
	t->data = copy;
	t->name = label;
	return RT_OK;
}

static RtStatus read_metadata(Reader *r, json_t *map)
{
	RtWeights *w = r->weights;
	const char *key;
	json_t *value;
	if (!json_is_object(map)) {
		return bad(r, NULL, "the metadata are not a map of texts");
	}
	w->meta = rt_alloc(json_object_size(map), sizeof *w->meta);
	if (!w->meta) {
		return rt_fail(r->err, RT_E_MEMORY, r->name, NULL, "not enough memory for its metadata");
	}
	json_object_foreach(map, key, value) {
		if (!json_is_string(value)) {
			return bad(r, NULL, "the metadata are not a map of texts");
		}
		char *k = rt_copy_text(key, strlen(key));
		char *v = rt_copy_text(json_string_value(value), json_string_length(value));
		w->meta[w->nmeta++] = (RtMeta){k, v};
		if (!k || !v) {
			return rt_fail(r->err, RT_E_MEMORY, r->name, NULL,
			               "not enough memory for its metadata");
		}
	}
	qsort(w->meta, w->nmeta, sizeof *w->meta, meta_by_key);
	return RT_OK;
}

typedef struct Piece {
	size_t from, to;
} Piece;

static int piece_by_start(const void *a, const void *b)
{
	const Piece *x = a, *y = b;
	int start = (x->from > y->from) - (x->from < y->from);
	return start ? start : (x->to > y->to) - (x->to < y->to);
}

/* The tensors, in the order of their places, must follow one another from 0 to the end. */
static RtStatus check_cover(Reader *r)
{
	RtWeights *w = r->weights;
	Piece *piece = rt_alloc(w->ntensors, sizeof *piece);
	size_t reached = 0, count;
	RtStatus status = RT_OK;
	if (!piece) {
		return rt_fail(r->err, RT_E_MEMORY, r->name, NULL, "not enough memory for its tensors");
	}
	for (size_t i = 0; i < w->ntensors; i++) {
		(void)rt_tensor_count(&w->tensor[i], &count);
		size_t to = r->from[i] + count * rt_dtype_size(w->tensor[i].dtype);
		piece[i] = (Piece){r->from[i], to};
	}
	qsort(piece, w->ntensors, sizeof *piece, piece_by_start);
	for (size_t i = 0; i < w->ntensors && status == RT_OK; i++) {
		if (piece[i].from != reached) {
			status = bad(r, NULL, piece[i].from < reached ? "two tensors overlap"
			                                              : "there is a hole between two tensors");
		}
		reached = piece[i].to;
	}
	free(piece);
	if (status == RT_OK && reached != r->ndata) {
		status = bad(r, NULL, "bytes follow the last tensor");
	}
	return status;
}

/* Counted while it is read, so that overlapping tensors cannot make more of the file than there is.
 * */
static RtStatus read_entries(Reader *r, json_t *head)
{
	RtWeights *w = r->weights;
	const char *key;
	json_t *value;
	size_t n = json_object_size(head), taken = 0, count;
	w->tensor = rt_alloc(n, sizeof *w->tensor);
	r->from = rt_alloc(n, sizeof *r->from);
	if (!w->tensor || !r->from) {
		return rt_fail(r->err, RT_E_MEMORY, r->name, NULL, "not enough memory for its tensors");
	}
	json_object_foreach(head, key, value) {
		RtStatus status;
		if (strcmp(key, METADATA) == 0) {
			status = read_metadata(r, value);
		} else {
			RtTensor *t = &w->tensor[w->ntensors];
			status = read_tensor(r, key, value, t, &r->from[w->ntensors]);
			w->ntensors += status == RT_OK;
			(void)rt_tensor_count(t, &count);
			taken += status == RT_OK ? count * rt_dtype_size(t->dtype) : 0;
			if (status == RT_OK && taken > r->ndata) {
				status = bad(r, NULL, "two tensors overlap");
			}
		}
		if (status != RT_OK) {
			return status;
		}
	}
	return RT_OK;
}

static RtStatus read_head(Reader *r, const char *text, size_t n)
{
	json_error_t e;
	json_t *head = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
	if (!head) {
		char where[RT_WHERE_MAX];
		(void)snprintf(where, sizeof where, "byte %d", 8 + (e.position > 0 ? e.position : 0));
		return rt_fail(r->err, RT_E_FORMAT, r->name, where, "the header is not JSON: %s", e.text);
	}
	RtStatus status = json_is_object(head) ? read_entries(r, head)
	                                       : bad(r, NULL, "the header is not a JSON object");
	json_decref(head);
	if (status == RT_OK) {
		status = check_cover(r);
	}
	free(r->from);
	if (status == RT_OK) {
		qsort(r->weights->tensor, r->weights->ntensors, sizeof(RtTensor), tensor_by_name);
	}
	return status;
}

RtStatus rt_safetensors_from_bytes(const void *bytes, size_t n, const char *name,
                                   RtWeights **weights, RtError *err)
{
	const unsigned char *u = bytes;
	uint64_t length = 0;
	Reader r = {.name = name, .err = err};
	*weights = NULL;
	for (size_t i = 8; n >= 8 && i-- > 0;) {
		length = length << 8 | u[i];
	}
	if (n < 8 || length > n - 8) {
		return rt_fail(err, RT_E_FORMAT, name, "byte 0",
		               "the header reaches beyond the end of the file");
	}
	if (length > LONGEST_HEADER) {
		return rt_fail(err, RT_E_LIMIT, name, "byte 0", "the header is longer than 100 MB");
	}
	r.data = (const char *)bytes + 8 + length;
	r.ndata = n - 8 - (size_t)length;
	r.weights = calloc(1, sizeof *r.weights);
	if (!r.weights) {
		return rt_fail(err, RT_E_MEMORY, name, NULL, "not enough memory to read it");
	}
	RtStatus status = read_head(&r, (const char *)bytes + 8, (size_t)length);
	if (status != RT_OK) {
		rt_weights_free(r.weights);
		return status;
	}
	*weights = r.weights;
	return RT_OK;
}

RtStatus rt_safetensors_read(const char *path, RtWeights **weights, RtError *err)
{
	char *bytes;
	size_t n;
	*weights = NULL;
	RtStatus status = rt_file_read(path, 0, &bytes, &n, err);
	if (status == RT_OK) {
		status = rt_safetensors_from_bytes(bytes, n, path, weights, err);
		free(bytes);
	}
	return status;
}

const RtTensor *rt_weights_tensor(const RtWeights *weights, const char *name)
{
	for (size_t i = 0; i < weights->ntensors; i++) {
		if (strcmp(weights->tensor[i].name, name) == 0) {
			return &weights->tensor[i];
		}
	}
	return NULL;
}

const char *rt_weights_meta(const RtWeights *weights, const char *key)
{
	for (size_t i = 0; i < weights->nmeta; i++) {
		if (strcmp(weights->meta[i].key, key) == 0) {
			return weights->meta[i].value;
		}
	}
	return NULL;
}

static double element(const RtTensor *t, size_t i)
{
	switch (t->dtype) {
	case RT_F64:
		return ((const double *)t->data)[i];
	case RT_F32:
		return (double)((const float *)t->data)[i];
	case RT_F16:
		return rt_half_to_double(((const uint16_t *)t->data)[i]);
	case RT_BF16:
		return rt_bfloat_to_double(((const uint16_t *)t->data)[i]);
	case RT_I64:
		return (double)((const int64_t *)t->data)[i];
	case RT_I32:
		return ((const int32_t *)t->data)[i];
	case RT_I16:
		return ((const int16_t *)t->data)[i];
	case RT_I8:
		return ((const int8_t *)t->data)[i];
	case RT_U64:
		return (double)((const uint64_t *)t->data)[i];
	case RT_U32:
		return ((const uint32_t *)t->data)[i];
	case RT_U16:
		return ((const uint16_t *)t->data)[i];
	case RT_U8:
		return ((const uint8_t *)t->data)[i];
	case RT_BOOL:
		return ((const uint8_t *)t->data)[i] != 0;
	}
	return 0;
}

void rt_tensor_reals(const RtTensor *t, double *out)
{
	size_t count;
	if (rt_tensor_count(t, &count)) {
		for (size_t i = 0; i < count; i++) {
			out[i] = element(t, i);
		}
	}
}

void rt_weights_free(RtWeights *weights)
{
	if (!weights) {
		return;
	}
	for (size_t i = 0; i < weights->ntensors; i++) {
		free((void *)(uintptr_t)weights->tensor[i].name);
		free((void *)(uintptr_t)weights->tensor[i].data);
	}
	for (size_t i = 0; i < weights->nmeta; i++) {
		free((void *)(uintptr_t)weights->meta[i].key);
		free((void *)(uintptr_t)weights->meta[i].value);
	}
	free(weights->tensor);
	free(weights->meta);
	free(weights);
}
