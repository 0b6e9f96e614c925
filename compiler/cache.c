/* cache.c — see cache.h. An entry:
 *   bytes 0..7     "pnncode1"
 *   bytes 8..71    the key
 *   bytes 72..135  SHA-256 of the content, as text
 *   bytes 136..143 length of the content, least byte first
 *   bytes 144..199 the version, zeros behind it
 *   then the content
 * The file's name is the key. Files on the way have names that begin with "new.". */
#include "compiler/cache.h"
#include "runtime/hash.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEY = CACHE_KEY_TEXT - 1, AT_KEY = 8, AT_SUM = AT_KEY + KEY, AT_SIZE = AT_SUM + KEY,
       AT_VERSION = AT_SIZE + 8, VERSION = 56, HEADER = AT_VERSION + VERSION };
enum { STALE_SECONDS = 3600 }; /* a file on the way that is older was left by a run that died */
static const char MAGIC[AT_KEY + 1] = "pnncode1";

struct Cache {
	char *folder;
	int dir; /* the folder, open */
	char version[VERSION];
	CacheOptions o;
};

static __attribute__((format(printf, 2, 3))) void note(const CacheOptions *o, const char *format, ...)
{
	char text[1024];
	va_list ap;
	if (o->note) {
		va_start(ap, format);
		vsnprintf(text, sizeof text, format, ap);
		va_end(ap);
		o->note(o->data, text);
	}
}

/* ---- the folder ---- */

static char *join(const char *a, const char *b)
{
	size_t n = strlen(a) + strlen(b) + 1;
	char *s = malloc(n);
	if (s) {
		snprintf(s, n, "%s%s", a, b);
	}
	return s;
}

/* A relative path in an environment variable is no path (XDG base directory specification). */
static char *folder_of_environment(void)
{
	const char *own = getenv("PNN_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	return own && own[0]	      ? join(own, "")
	       : xdg && xdg[0] == '/' ? join(xdg, "/pnn")
	       : home && home[0] == '/' ? join(home, "/.cache/pnn")
					: NULL;
}

/* Makes the folder and those above it. */
static bool make_folders(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p == '/') {
			*p = 0;
			bool ok = mkdir(path, 0700) == 0 || errno == EEXIST || errno == EROFS ||
				  errno == EACCES;
			*p = '/';
			if (!ok) {
				return false;
			}
		}
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* Code is run that lies here: nobody else may be able to write it. */
static bool is_ours(const struct stat *s)
{
	return s->st_uid == geteuid() && (s->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool folder_open(Cache *c)
{
	struct stat s;
	const char *why = NULL;
	c->dir = make_folders(c->folder) ? open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (c->dir < 0 || fstat(c->dir, &s) != 0) {
		why = strerror(errno);
	} else if (!is_ours(&s)) {
		why = "others can write there";
	}
	if (why) {
		note(&c->o, "no cache of compiled code in %s: %s", c->folder, why);
	}
	return !why;
}

Cache *cache_open(const CacheOptions *o)
{
	Cache *c = calloc(1, sizeof *c);
	if (!c) {
		return NULL;
	}
	c->o = *o;
	c->o.limit = o->limit ? o->limit : (uint64_t)CACHE_LIMIT_MB << 20;
	c->dir = -1;
	snprintf(c->version, sizeof c->version, "%s", o->version);
	c->o.version = c->version;
	c->folder = o->folder ? join(o->folder, "") : folder_of_environment();
	c->o.folder = c->folder;
	if (!c->folder || !c->folder[0]) {
		note(o, "no cache of compiled code: neither PNN_CACHE_DIR, XDG_CACHE_HOME nor HOME names a folder");
	} else if (folder_open(c)) {
		return c;
	}
	cache_close(c);
	return NULL;
}

void cache_close(Cache *c)
{
	if (c) {
		if (c->dir >= 0) {
			close(c->dir);
		}
		free(c->folder);
		free(c);
	}
}

const char *cache_folder(const Cache *c)
{
	return c->folder;
}

/* ---- entries ---- */

static void put_size(unsigned char *at, uint64_t n)
{
	for (int k = 0; k < 8; k++) {
		at[k] = (unsigned char)(n >> 8 * k);
	}
}

static uint64_t get_size(const unsigned char *at)
{
	uint64_t n = 0;
	for (int k = 0; k < 8; k++) {
		n |= (uint64_t)at[k] << 8 * k;
	}
	return n;
}

static void make_header(const Cache *c, const char *key, const void *bytes, size_t size, char *header)
{
	char sum[RT_SHA256_TEXT];
	memset(header, 0, HEADER);
	memcpy(header, MAGIC, AT_KEY);
	memcpy(header + AT_KEY, key, KEY);
	memcpy(header + AT_SUM, rt_sha256(bytes, size, sum), KEY);
	put_size((unsigned char *)header + AT_SIZE, size);
	memcpy(header + AT_VERSION, c->version, VERSION);
}

/* What is wrong with an entry, or NULL. */
static const char *mistake(const Cache *c, const char *key, const char *entry, size_t n)
{
	char sum[RT_SHA256_TEXT];
	if (n < HEADER) {
		return "it is truncated";
	}
	if (memcmp(entry, MAGIC, AT_KEY) != 0) {
		return "it is no compiled code";
	}
	if (memcmp(entry + AT_VERSION, c->version, VERSION) != 0) {
		return "another version wrote it";
	}
	if (memcmp(entry + AT_KEY, key, KEY) != 0) {
		return "it belongs to another program";
	}
	uint64_t size = get_size((const unsigned char *)entry + AT_SIZE);
	if (size != n - HEADER) {
		return size > n - HEADER ? "it is truncated" : "it is too long";
	}
	return memcmp(entry + AT_SUM, rt_sha256(entry + HEADER, n - HEADER, sum), KEY) != 0
		       ? "its checksum does not fit"
		       : NULL;
}

/* Up to n bytes, as many as there are; -1 on failure. */
static ssize_t read_all(int file, char *to, size_t n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t k = read(file, to + got, n - got);
		if (k == 0) {
			break;
		}
		if (k < 0 && errno != EINTR) {
			return -1;
		}
		got += k > 0 ? (size_t)k : 0;
	}
	return (ssize_t)got;
}

/* Reads an open entry whole; NULL with the reason in *why. */
static char *read_entry(const Cache *c, int file, size_t *n, const char **why)
{
	struct stat s;
	char *entry = NULL;
	if (fstat(file, &s) != 0) {
		*why = strerror(errno);
	} else if (!S_ISREG(s.st_mode)) {
		*why = "it is no file";
	} else if (!is_ours(&s)) {
		*why = "others can write it";
	} else if ((uint64_t)s.st_size > c->o.limit) {
		*why = "it is larger than the cache may be";
	} else if ((entry = malloc((size_t)s.st_size + 1)) != NULL) {
		ssize_t got = read_all(file, entry, (size_t)s.st_size);
		if (got < 0) {
			*why = strerror(errno);
			free(entry);
			entry = NULL;
		} else {
			*n = (size_t)got;
			entry[*n] = 0;
		}
	} else {
		*why = strerror(ENOMEM);
	}
	return entry;
}

void *cache_get(Cache *c, const char *key, size_t *size)
{
	/* Not to wait for a pipe, nor to follow a link. */
	int file = c ? openat(c->dir, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	if (file < 0) {
		if (c && errno != ENOENT) {
			note(&c->o, "compiled code in %s/%s: %s", c->folder, key, strerror(errno));
		}
		return NULL;
	}
	const char *why = NULL;
	size_t n = 0;
	char *entry = read_entry(c, file, &n, &why);
	why = entry ? mistake(c, key, entry, n) : why;
	if (!why) {
		(void)futimens(file, NULL);
		*size = n - HEADER;
		memmove(entry, entry + HEADER, *size + 1);
	} else {
		note(&c->o, "compiled code in %s/%s is not used: %s", c->folder, key, why);
		free(entry);
		entry = NULL;
	}
	close(file);
	return entry;
}

static bool write_all(int file, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t k = write(file, bytes, n);
		if (k < 0 && errno != EINTR) {
			return false;
		}
		bytes += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
	return true;
}

/* ---- the whole folder ---- */

typedef struct Entry {
	char name[KEY + 1];
	uint64_t bytes;
	struct timespec used;
} Entry;

/* A key, or a file on the way; nothing else in the folder is touched. */
static bool is_entry(const char *name)
{
	return strncmp(name, "new.", 4) == 0 ? strlen(name) <= KEY
					     : strlen(name) == KEY && strspn(name, "0123456789abcdef") == KEY;
}

/* All files of the cache; malloc. */
static Entry *list(const Cache *c, size_t *n)
{
	*n = 0;
	size_t room = 0;
	Entry *entry = NULL;
	int again = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	struct stat s;
	for (struct dirent *d; dir && (d = readdir(dir)) != NULL;) {
		if (!is_entry(d->d_name) || fstatat(c->dir, d->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(s.st_mode)) {
			continue;
		}
		if (*n == room) {
			room = room ? 2 * room : 64;
			Entry *more = realloc(entry, room * sizeof *more);
			if (!more) {
				break;
			}
			entry = more;
		}
		Entry *e = &entry[(*n)++];
		memcpy(e->name, d->d_name, strlen(d->d_name) + 1);
		e->bytes = (uint64_t)s.st_size;
		e->used = s.st_mtim;
	}
	if (dir) {
		closedir(dir);
	} else if (again >= 0) {
		close(again);
	}
	return entry;
}

static int by_age(const void *a, const void *b)
{
	const Entry *x = a, *y = b;
	return x->used.tv_sec != y->used.tv_sec	  ? (x->used.tv_sec < y->used.tv_sec ? -1 : 1)
	       : x->used.tv_nsec != y->used.tv_nsec ? (x->used.tv_nsec < y->used.tv_nsec ? -1 : 1)
						    : strcmp(x->name, y->name);
}

static uint64_t total(const Entry *entry, size_t n)
{
	uint64_t sum = 0;
	for (size_t k = 0; k < n; k++) {
		sum += entry[k].bytes;
	}
	return sum;
}

/* Down to three quarters of the limit, so that not every entry to come has to make room. */
static void make_room(Cache *c)
{
	size_t n, removed = 0;
	Entry *entry = list(c, &n);
	uint64_t sum = total(entry, n), keep = sum > c->o.limit ? c->o.limit / 4 * 3 : sum;
	time_t now = time(NULL);
	if (n > 0) {
		qsort(entry, n, sizeof *entry, by_age);
	}
	for (size_t k = 0; k < n; k++) {
		bool fresh = entry[k].name[0] == 'n' && entry[k].used.tv_sec + STALE_SECONDS > now;
		bool left = entry[k].name[0] == 'n' && !fresh;
		if ((left || (!fresh && sum > keep)) && unlinkat(c->dir, entry[k].name, 0) == 0) {
			sum -= entry[k].bytes;
			removed++;
		}
	}
	free(entry);
	if (removed > 0) {
		note(&c->o, "removed %zu old files from the cache of compiled code", removed);
	}
}

void cache_put(Cache *c, const char *key, const void *bytes, size_t size)
{
	if (!c || size > c->o.limit || c->o.limit - size < HEADER) {
		return;
	}
	char header[HEADER], *path = join(c->folder, "/new.XXXXXX");
	make_header(c, key, bytes, size, header);
	int file = path ? mkostemp(path, O_CLOEXEC) : -1; /* mode 0600 */
	bool ok = file >= 0 && write_all(file, header, HEADER) && write_all(file, bytes, size);
	int why = errno;
	if (file >= 0 && close(file) != 0 && ok) { /* a full disk may show here only */
		ok = false;
		why = errno;
	}
	const char *name = path ? path + strlen(c->folder) + 1 : "";
	if (ok && renameat(c->dir, name, c->dir, key) != 0) {
		ok = false;
		why = errno;
	}
	if (!ok) {
		note(&c->o, "cannot keep compiled code in %s: %s", c->folder, strerror(why));
		if (file >= 0) {
			(void)unlinkat(c->dir, name, 0);
		}
	}
	free(path);
	make_room(c);
}

CacheSize cache_size(const Cache *c)
{
	size_t n;
	Entry *entry = list(c, &n);
	CacheSize s = {(uint32_t)n, total(entry, n)};
	free(entry);
	return s;
}

CacheSize cache_clear(Cache *c)
{
	size_t n;
	Entry *entry = list(c, &n);
	for (size_t k = 0; k < n; k++) {
		(void)unlinkat(c->dir, entry[k].name, 0);
	}
	free(entry);
	return cache_size(c);
}
