/* rt_aid.c — what the tests of the runtime share. */
#include "tests/unit/rt_aid.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

const char *aid_folder(void)
{
	if (!folder[0]) {
		const char *base = getenv("TMPDIR");
		(void)snprintf(folder, sizeof folder, "%s/rt-XXXXXX", base ? base : "/tmp");
		if (!mkdtemp(folder)) {
			cr_assert_fail("no folder for files: %s", folder);
		}
	}
	return folder;
}

static size_t each_file(int remove_them)
{
	size_t count = 0;
	DIR *d = folder[0] ? opendir(folder) : NULL;
	for (struct dirent *e; d && (e = readdir(d));) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			count++;
			if (remove_them) {
				(void)unlink(aid_path(e->d_name));
			}
		}
	}
	if (d) {
		(void)closedir(d);
	}
	return count;
}

size_t aid_count(void)
{
	return each_file(0);
}

void aid_cleanup(void)
{
	if (folder[0]) {
		(void)each_file(1);
		(void)rmdir(folder);
		folder[0] = 0;
	}
}

const char *aid_path(const char *name)
{
	static char path[8][600];
	static unsigned turn;
	char *out = path[turn++ % 8];
	(void)snprintf(out, sizeof path[0], "%s/%s", aid_folder(), name);
	return out;
}

const char *aid_file(const char *name, const void *bytes, size_t n)
{
	const char *path = aid_path(name);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
		cr_assert_fail("cannot write %s", path);
	}
	return path;
}

char *aid_read(const char *name, size_t *n)
{
	FILE *f = fopen(aid_path(name), "rb");
	if (!f) {
		return NULL;
	}
	char *bytes = malloc(1 << 20);
	*n = bytes ? fread(bytes, 1, (1 << 20) - 1, f) : 0;
	if (bytes) {
		bytes[*n] = 0;
	}
	(void)fclose(f);
	return bytes;
}

static RtStatus load_exact(AidLoader *load, const char *bytes, size_t n, const char *what,
                           size_t at)
{
	char *copy = malloc(n ? n : 1); /* no byte of room behind */
	RtError err = {.status = RT_OK};
	cr_assert_not_null(copy);
	memcpy(copy, bytes, n);
	RtStatus status = load(copy, n, &err);
	cr_assert(status == RT_OK || (err.status == status && err.text[0]), "%s %zu: no message", what,
	          at);
	free(copy);
	return status;
}

size_t aid_torture(AidLoader *load, const void *bytes, size_t n)
{
	size_t refused = 0;
	for (size_t k = 0; k < n; k++) {
		refused += load_exact(load, bytes, k, "prefix", k) != RT_OK;
	}
	char *changed = malloc(n);
	cr_assert_not_null(changed);
	memcpy(changed, bytes, n);
	for (size_t k = 0; k < n; k++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			changed[k] = (char)(changed[k] ^ (1 << bit));
			(void)load_exact(load, changed, n, "flipped byte", k);
			changed[k] = (char)(changed[k] ^ (1 << bit));
		}
	}
	free(changed);
	return refused;
}
