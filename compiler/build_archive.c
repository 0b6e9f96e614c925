/* build_archive.c — a library in the form of ar with one member: the index of symbols that linkers
 * read, and the object. Numbers are decimal text, those of the index big-endian words. */
#include "compiler/build_int.h"
#include <stdlib.h>
#include <string.h>

enum { HEADER = 60, MAGIC = 8 };

/* Time, owner and mode are constants: equal content gives equal bytes. */
static char *put_header(char *at, const char *name, size_t size)
{
	char text[128];
	snprintf(text, sizeof text, "%-16s%-12d%-6d%-6d%-8o%-10zu`\n", name, 0, 0, 0, 0644u, size);
	memcpy(at, text, HEADER);
	return at + HEADER;
}

static char *put_word(char *at, size_t v)
{
	for (int k = 3; k >= 0; k--) {
		*at++ = (char)(v >> (8 * k) & 255);
	}
	return at;
}

void *build_archive(const char *member, const void *object, size_t size, uint32_t n,
		    const char *const *symbol, size_t *out)
{
	size_t names = 0;
	for (uint32_t k = 0; k < n; k++) {
		names += strlen(symbol[k]) + 1;
	}
	size_t index = (4 + 4 * (size_t)n + names + 1) / 2 * 2;
	size_t first = MAGIC + HEADER + index;
	*out = first + HEADER + (size + 1) / 2 * 2;
	char *bytes = calloc(*out, 1), *at = bytes;
	if (!bytes) {
		return NULL;
	}
	memcpy(at, "!<arch>\n", MAGIC);
	at = put_header(at + MAGIC, "/", index);
	at = put_word(at, n);
	for (uint32_t k = 0; k < n; k++) {
		at = put_word(at, first);
	}
	for (uint32_t k = 0; k < n; k++) {
		size_t length = strlen(symbol[k]) + 1;
		memcpy(at, symbol[k], length);
		at += length;
	}
	char name[17];
	snprintf(name, sizeof name, "%.13s.o/", member);
	at = put_header(bytes + first, name, size);
	memcpy(at, object, size);
	if (size % 2) {
		at[size] = '\n';
	}
	return bytes;
}
