/* array.c — arrays to NPY and NPZ files.
 *
 * The machine is little-endian, as are the files: elements are written as they lie in memory. */
#include "runtime/array.h"
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include "runtime/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are written as memory is");

static const struct {
	char name[6], descr[4]; /* for safetensors and NPY; NPY has no BF16 */
	size_t size;
} dtypes[] = {
    [RT_F64] = {"F64", "<f8", 8}, [RT_F32] = {"F32", "<f4", 4},  [RT_F16] = {"F16", "<f2", 2},
    [RT_BF16] = {"BF16", "", 2}, [RT_I64] = {"I64", "<i8", 8}, [RT_I32] = {"I32", "<i4", 4},
    [RT_I16] = {"I16", "<i2", 2}, [RT_I8] = {"I8", "|i1", 1},    [RT_U64] = {"U64", "<u8", 8},
    [RT_U32] = {"U32", "<u4", 4}, [RT_U16] = {"U16", "<u2", 2},  [RT_U8] = {"U8", "|u1", 1},
    [RT_BOOL] = {"BOOL", "|b1", 1},
};

size_t rt_dtype_size(RtDtype dtype)
{
	return dtypes[dtype].size;
}

const char *rt_dtype_name(RtDtype dtype)
{
	return dtypes[dtype].name;
}

bool rt_dtype_find(const char *name, RtDtype *dtype)
{
	for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
		if (strcmp(dtypes[i].name, name) == 0) {
			*dtype = (RtDtype)i;
			return true;
		}
	}
	return false;
}

bool rt_tensor_count(const RtTensor *t, size_t *count)
{
	size_t bytes;
	*count = 1;
	if (t->ndim > RT_MAX_DIM) {
		return false;
	}
	for (unsigned i = 0; i < t->ndim; i++) {
		if (__builtin_mul_overflow(*count, t->dim[i], count)) {
			return false;
		}
	}
	return !__builtin_mul_overflow(*count, rt_dtype_size(t->dtype), &bytes);
}

enum { LONGEST_HEAD = 512 };

/* Magic, version 1.0, length and the header, filled with blanks so that the data begin at a
 * multiple of 64. */
static size_t npy_head(const RtTensor *t, char out[LONGEST_HEAD])
{
	char *at = out + 10, *end = out + LONGEST_HEAD;
	at += snprintf(at, (size_t)(end - at), "{'descr': '%s', 'fortran_order': False, 'shape': (",
	               dtypes[t->dtype].descr);
	for (unsigned i = 0; i < t->ndim; i++) {
		const char *between = i + 1 < t->ndim ? ", " : t->ndim == 1 ? "," : "";
		at += snprintf(at, (size_t)(end - at), "%zu%s", t->dim[i], between);
	}
	at += snprintf(at, (size_t)(end - at), "), }");
	while ((at - out + 1) % 64 != 0) {
		*at++ = ' ';
	}
	*at++ = '\n';
	size_t total = (size_t)(at - out), length = total - 10;
	memcpy(out, "\x93NUMPY\1\0", 8);
	out[8] = (char)(length & 255);
	out[9] = (char)(length >> 8);
	return total;
}

/* One array in NPY format; *bytes is the caller's (free). */
static RtStatus npy_bytes(const char *path, const RtTensor *t, char **bytes, size_t *n,
                          RtError *err)
{
	char head[LONGEST_HEAD];
	size_t count;
	*bytes = NULL;
	if (!dtypes[t->dtype].descr[0] || !rt_tensor_count(t, &count)) {
		return rt_fail(err, RT_E_USAGE, path, NULL, "an array of this type or size is not written");
	}
	size_t length = npy_head(t, head), body = count * rt_dtype_size(t->dtype);
	*bytes = body < SIZE_MAX - length ? malloc(length + body) : NULL;
	if (!*bytes) {
		return rt_fail(err, RT_E_MEMORY, path, NULL, "not enough memory to write it");
	}
	memcpy(*bytes, head, length);
	if (body > 0) {
		memcpy(*bytes + length, t->data, body);
	}
	*n = length + body;
	return RT_OK;
}

RtStatus rt_npy_write(const char *path, const RtTensor *t, RtError *err)
{
	char *bytes;
	size_t n;
	RtStatus status = npy_bytes(path, t, &bytes, &n, err);
	if (status == RT_OK) {
		status = rt_file_write(path, bytes, n, err);
	}
	free(bytes);
	return status;
}

static RtStatus zip_failed(const char *path, zip_error_t *e, RtError *err)
{
	return rt_fail(err, RT_E_WRITE, path, NULL, "cannot be packed: %s", zip_error_strerror(e));
}

/* Adds "name.npy", stored, without a time of its own so that equal content gives equal bytes. */
static RtStatus add_member(zip_t *archive, const char *path, const RtTensor *t, RtError *err)
{
	char *bytes, *name;
	size_t n, nname = strlen(t->name);
	RtStatus status = npy_bytes(path, t, &bytes, &n, err);
	if (status != RT_OK) {
		return status;
	}
	zip_source_t *source = zip_source_buffer(archive, bytes, n, 1); /* bytes are libzip's now */
	if (!source) {
		free(bytes);
		return zip_failed(path, zip_get_error(archive), err);
	}
	name = rt_alloc(nname + 5, 1);
	zip_int64_t at = -1;
	if (name) {
		memcpy(name, t->name, nname);
		memcpy(name + nname, ".npy", 5);
		at = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8);
	}
	if (at < 0) {
		zip_source_free(source);
		status = name ? zip_failed(path, zip_get_error(archive), err)
		              : rt_fail(err, RT_E_MEMORY, path, NULL, "not enough memory to write it");
	}
	free(name);
	if (status != RT_OK) {
		return status;
	}
	if (zip_set_file_compression(archive, (zip_uint64_t)at, ZIP_CM_STORE, 0) != 0 ||
	    zip_file_set_dostime(archive, (zip_uint64_t)at, 0, 0x21, 0) != 0) {
		return zip_failed(path, zip_get_error(archive), err);
	}
	return RT_OK;
}

/* Packs into memory, then writes that as a whole. */
static RtStatus pack(const char *path, zip_source_t *memory, const RtTensor *t, size_t n,
                     RtError *err)
{
	zip_error_t e;
	zip_error_init(&e);
	zip_source_keep(memory); /* closing the archive lets go of it */
	zip_t *archive = zip_open_from_source(memory, ZIP_TRUNCATE, &e);
	RtStatus status = RT_OK;
	if (!archive) {
		status = zip_failed(path, &e, err);
		zip_source_free(memory);
	}
	for (size_t i = 0; status == RT_OK && i < n; i++) {
		status = add_member(archive, path, &t[i], err);
	}
	if (archive && (status != RT_OK || zip_close(archive) != 0)) {
		status = status == RT_OK ? zip_failed(path, zip_get_error(archive), err) : status;
		zip_discard(archive);
	}
	zip_error_fini(&e);
	return status;
}

static RtStatus write_source(const char *path, zip_source_t *memory, RtError *err)
{
	zip_stat_t st;
	char *bytes = NULL;
	RtStatus status = RT_OK;
	if (zip_source_stat(memory, &st) != 0 || !(st.valid & ZIP_STAT_SIZE) ||
	    zip_source_open(memory) != 0) {
		return zip_failed(path, zip_source_error(memory), err);
	}
	bytes = rt_alloc((size_t)st.size, 1);
	if (!bytes) {
		status = rt_fail(err, RT_E_MEMORY, path, NULL, "not enough memory to write it");
	} else if (zip_source_read(memory, bytes, st.size) != (zip_int64_t)st.size) {
		status = zip_failed(path, zip_source_error(memory), err);
	}
	(void)zip_source_close(memory);
	if (status == RT_OK) {
		status = rt_file_write(path, bytes, (size_t)st.size, err);
	}
	free(bytes);
	return status;
}

RtStatus rt_npz_write(const char *path, const RtTensor *t, size_t n, RtError *err)
{
	zip_error_t e;
	if (n == 0) {
		return rt_fail(err, RT_E_USAGE, path, NULL, "there are no arrays to write");
	}
	zip_error_init(&e);
	zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &e);
	RtStatus status = memory ? pack(path, memory, t, n, err) : zip_failed(path, &e, err);
	if (status == RT_OK) {
		status = write_source(path, memory, err);
	}
	if (memory) {
		zip_source_free(memory);
	}
	zip_error_fini(&e);
	return status;
}
