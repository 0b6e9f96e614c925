/* status.c — filling errors, and memory whose sizes are checked. */
#include "runtime/status.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Control characters would break the one line a message stands on. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f) {
			*text = '?';
		}
	}
}

/* Both ends of a path tell more than its beginning. Cuts only between UTF-8 characters. */
static void copy_path(char out[RT_PATH_MAX], const char *path)
{
	static const char gap[] = "...";
	size_t n = strlen(path), head = RT_PATH_MAX / 2 - 8, tail = RT_PATH_MAX / 2 - 8;
	if (n < RT_PATH_MAX) {
		memcpy(out, path, n + 1);
	} else {
		while (head > 0 && ((unsigned char)path[head] & 0xc0) == 0x80) {
			head--;
		}
		while (tail > 0 && ((unsigned char)path[n - tail] & 0xc0) == 0x80) {
			tail--;
		}
		memcpy(out, path, head);
		memcpy(out + head, gap, sizeof gap - 1);
		memcpy(out + head + sizeof gap - 1, path + n - tail, tail + 1);
	}
	make_printable(out);
}

static void fill(RtError *err, RtStatus status, const char *path, const char *where,
                 const char *format, va_list args)
{
	memset(err, 0, sizeof *err);
	err->status = status;
	if (path) {
		copy_path(err->path, path);
	}
	if (where) {
		(void)snprintf(err->where, sizeof err->where, "%s", where);
	}
	(void)vsnprintf(err->text, sizeof err->text, format, args);
	make_printable(err->text);
}

RtStatus rt_fail(RtError *err, RtStatus status, const char *path, const char *where,
                 const char *format, ...)
{
	if (err) {
		va_list args;
		va_start(args, format);
		fill(err, status, path, where, format, args);
		va_end(args);
	}
	return status;
}

RtStatus rt_fail_errno(RtError *err, RtStatus status, const char *path, int code,
                       const char *what)
{
	char why[128];
	return rt_fail(err, status, path, NULL, "%s: %s", what, strerror_r(code, why, sizeof why));
}

void *rt_alloc(size_t n, size_t size)
{
	return n == 0 || size == 0 ? calloc(1, 1) : calloc(n, size);
}

_Bool rt_grow(void **items, size_t *room, size_t need, size_t size)
{
	if (need <= *room) {
		return 1;
	}
	size_t wanted = *room < 16 ? 16 : *room;
	while (wanted < need) {
		if (wanted > SIZE_MAX / 2) {
			return 0;
		}
		wanted *= 2;
	}
	void *grown = reallocarray(*items, wanted, size);
	if (!grown) {
		return 0;
	}
	*items = grown;
	*room = wanted;
	return 1;
}

char *rt_copy_text(const char *text, size_t n)
{
	char *copy = n < SIZE_MAX ? malloc(n + 1) : NULL;
	if (copy) {
		if (n > 0) {
			memcpy(copy, text, n);
		}
		copy[n] = 0;
	}
	return copy;
}
