/* npz.c — NPZ archives to tables, by libzip.
 *
 * The directory is looked through before anything is unpacked: member names, sizes, methods. What
 * is unpacked counts against the memory limit with the size that the directory tells, and may not
 * be longer or shorter than that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include "runtime/table_int.h"

enum { MOST_MEMBERS = 10000 };

static RtStatus zip_failed(TableBuild *b, zip_error_t *e, const char *where, const char *what)
{
	return table_fail(b, RT_E_FORMAT, where, "%s: %s", what, zip_error_strerror(e));
}

static void member_place(char where[RT_WHERE_MAX], const char *name)
{
	(void)snprintf(where, RT_WHERE_MAX, "member %.80s", name);
}

/* The length of the column's name, which is the member's without ".npy"; refuses names that are
 * paths. */
static RtStatus check_name(TableBuild *b, const char *where, const char *name, size_t *n)
{
	*n = strlen(name);
	if (*n <= 4 || strcmp(name + *n - 4, ".npy") != 0) {
		return table_fail(b, RT_E_UNSUPPORTED, where, "is not an array (a name ending in .npy)");
	}
	*n -= 4;
	if (name[0] == '/' || strstr(name, "..") || strchr(name, '\\')) {
		return table_fail(b, RT_E_FORMAT, where, "the name leads out of the archive");
	}
	return RT_OK;
}

static RtStatus check_member(TableBuild *b, const char *where, const zip_stat_t *st)
{
	zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
	if ((st->valid & needed) != needed) {
		return table_fail(b, RT_E_FORMAT, where, "the directory of the archive is incomplete");
	}
	if (st->encryption_method != ZIP_EM_NONE) {
		return table_fail(b, RT_E_UNSUPPORTED, where, "is encrypted");
	}
	if (st->comp_method != ZIP_CM_STORE && st->comp_method != ZIP_CM_DEFLATE) {
		return table_fail(b, RT_E_UNSUPPORTED, where, "is compressed by a method that is not read");
	}
	if (st->size > b->limit - b->used) {
		return table_fail(b, RT_E_LIMIT, where, "would unpack to %llu bytes, over the limit of %zu",
		                  (unsigned long long)st->size, b->limit);
	}
	return RT_OK;
}

/* Exactly st->size bytes, and then the end, where libzip checks the checksum. */
static RtStatus unpack(TableBuild *b, const char *where, zip_file_t *file, size_t size, char *out)
{
	size_t done = 0;
	char more;
	while (done < size) {
		zip_int64_t got = zip_fread(file, out + done, size - done);
		if (got < 0) {
			return zip_failed(b, zip_file_get_error(file), where, "cannot be unpacked");
		}
		if (got == 0) {
			return table_fail(b, RT_E_FORMAT, where, "is shorter than the directory says");
		}
		done += (size_t)got;
	}
	zip_int64_t got = zip_fread(file, &more, 1);
	if (got < 0) {
		return zip_failed(b, zip_file_get_error(file), where, "cannot be unpacked");
	}
	return got == 0 ? RT_OK
	                : table_fail(b, RT_E_FORMAT, where, "is longer than the directory says");
}

static RtStatus read_member(TableBuild *b, zip_t *archive, zip_uint64_t i)
{
	zip_stat_t st;
	char where[RT_WHERE_MAX], prefix[RT_WHERE_MAX];
	size_t nname;
	RtColumn *c;
	if (zip_stat_index(archive, i, 0, &st) != 0 || !(st.valid & ZIP_STAT_NAME) || !st.name) {
		return zip_failed(b, zip_get_error(archive), NULL, "a member cannot be found");
	}
	member_place(where, st.name);
	(void)snprintf(prefix, sizeof prefix, "%.100s, ", where);
	RtStatus status = check_name(b, where, st.name, &nname);
	if (status == RT_OK) {
		status = check_member(b, where, &st);
	}
	if (status == RT_OK) {
		status = table_add(b, st.name, nname, &c);
	}
	if (status != RT_OK) {
		return status;
	}
	zip_file_t *file = zip_fopen_index(archive, i, 0);
	if (!file) {
		return zip_failed(b, zip_get_error(archive), where, "cannot be unpacked");
	}
	char *bytes = rt_alloc((size_t)st.size, 1);
	status = bytes ? unpack(b, where, file, (size_t)st.size, bytes)
	               : table_fail(b, RT_E_MEMORY, where, "not enough memory to unpack it");
	(void)zip_fclose(file);
	if (status == RT_OK) {
		status = npy_column(b, bytes, (size_t)st.size, prefix, c);
	}
	free(bytes);
	return status;
}

/* The leading dimension that most columns have; of equally frequent ones the largest. */
void table_find_records(RtTable *t)
{
	size_t best = 0;
	for (size_t i = 0; i < t->ncolumns; i++) {
		size_t same = 0, d = t->column[i].dim[0];
		for (size_t j = 0; t->column[i].ndim > 0 && j < t->ncolumns; j++) {
			same += t->column[j].ndim > 0 && t->column[j].dim[0] == d;
		}
		if (same > best || (same == best && same > 0 && d > t->records)) {
			best = same;
			t->records = d;
		}
	}
	if (best == 0) {
		t->records = 1;
	}
	for (size_t i = 0; i < t->ncolumns; i++) {
		RtColumn *c = &t->column[i];
		c->shared = c->ndim == 0 || c->dim[0] != t->records;
	}
}

static uint64_t number_at(const unsigned char *u)
{
	uint64_t x = 0;
	for (size_t k = 8; k-- > 0;) {
		x = x << 8 | u[k];
	}
	return x;
}

/* A directory cannot have more entries than there is room for, 46 bytes each, but libzip believes
 * what a zip64 directory says. Its end is found by the locator "PK67" (signature, 4 bytes, place),
 * which stands before the end of the file and at most 64 kB of comment. */
static bool plausible(const TableBuild *b)
{
	const unsigned char *u = (const unsigned char *)b->bytes;
	size_t n = b->n, look = 66000;
	for (size_t i = n > look ? n - look : 0; i + 20 <= n; i++) {
		if (memcmp(u + i, "PK\6\7", 4) != 0) {
			continue;
		}
		uint64_t at = number_at(u + i + 8);
		if (at < n && n - at >= 56 && memcmp(u + at, "PK\6\6", 4) == 0 &&
		    number_at(u + at + 32) > n / 46) {
			return false;
		}
	}
	return true;
}

static RtStatus read_archive(TableBuild *b, zip_t *archive)
{
	zip_int64_t members = zip_get_num_entries(archive, 0);
	if (members > MOST_MEMBERS) {
		return table_fail(b, RT_E_LIMIT, NULL, "has more than %d members", MOST_MEMBERS);
	}
	if (members <= 0) {
		return table_fail(b, RT_E_FORMAT, NULL, "holds no arrays");
	}
	RtStatus status = RT_OK;
	for (zip_int64_t i = 0; i < members && status == RT_OK; i++) {
		status = read_member(b, archive, (zip_uint64_t)i);
	}
	if (status == RT_OK) {
		table_find_records(b->table);
	}
	return status;
}

RtStatus npz_read(TableBuild *b)
{
	if (!plausible(b)) {
		return table_fail(b, RT_E_FORMAT, NULL,
		                  "the directory of the archive is larger than the file");
	}
	zip_error_t e;
	zip_error_init(&e);
	zip_source_t *source = zip_source_buffer_create(b->bytes, b->n, 0, &e);
	zip_t *archive = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &e) : NULL;
	RtStatus status;
	if (archive) {
		status = read_archive(b, archive);
		zip_discard(archive);
	} else {
		status = zip_failed(b, &e, NULL, "is not a readable archive");
		if (source) {
			zip_source_free(source);
		}
	}
	zip_error_fini(&e);
	return status;
}
