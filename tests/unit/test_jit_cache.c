/* test_jit_cache.c — the cache of compiled code: what is kept, what is refused, what several runs do at once. */
#include "compiler/cache.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 200 }; /* bytes before the content */
#define A "a00000000000000000000000000000000000000000000000000000000000000a"
#define B "b00000000000000000000000000000000000000000000000000000000000000b"
#define C "c00000000000000000000000000000000000000000000000000000000000000c"

static char root[64], said[2048];

static void begin(void)
{
	if (geteuid() == 0) { /* permissions do not bind the superuser */
		cr_assert_eq(seteuid(65534), 0);
	}
	strcpy(root, "/tmp/pnn_cache.XXXXXX");
	cr_assert_not_null(mkdtemp(root));
}

static void end(void)
{
	char command[192];
	snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", root, root);
	cr_expect_eq(system(command), 0);
}

TestSuite(cache, .init = begin, .fini = end);

static void keep_note(void *data, const char *text)
{
	(void)data;
	size_t n = strlen(said);
	snprintf(said + n, sizeof said - n, "%s\n", text);
}

static const char *path(const char *name)
{
	static char p[256];
	snprintf(p, sizeof p, "%s/cache%s%s", root, name[0] ? "/" : "", name);
	return p;
}

static Cache *open_with(const char *version, uint64_t limit)
{
	CacheOptions o = {.folder = path(""), .version = version, .limit = limit, .note = keep_note};
	said[0] = 0;
	return cache_open(&o);
}

/* Does the cache hold exactly this text under the key? */
static bool holds(Cache *c, const char *key, const char *text)
{
	size_t n = 0;
	char *got = cache_get(c, key, &n);
	bool same = got && n == strlen(text) && strcmp(got, text) == 0;
	free(got);
	return same;
}

static bool holds_nothing(Cache *c, const char *key)
{
	size_t n;
	char *got = cache_get(c, key, &n);
	free(got);
	return !got;
}

Test(cache, keeps)
{
	Cache *c = open_with("1", 0);
	cr_assert_not_null(c, "%s", said);
	cr_expect(holds_nothing(c, A));
	cache_put(c, A, "first", 5);
	cache_put(c, B, "second", 6);
	cache_put(c, C, "", 0);
	cr_expect(holds(c, A, "first") && holds(c, B, "second") && holds(c, C, ""));
	cache_put(c, A, "another", 7);
	cr_expect(holds(c, A, "another"));
	CacheSize s = cache_size(c);
	cr_expect_eq(s.entries, 3);
	cr_expect_eq(s.bytes, 3 * HEADER + 7 + 6);
	cr_expect_str_empty(said);
	cache_close(c);
	c = open_with("1", 0);
	cr_expect(holds(c, A, "another"));
	s = cache_clear(c);
	cr_expect(s.entries == 0 && s.bytes == 0 && holds_nothing(c, A));
	cache_close(c);
	cr_expect(holds_nothing(NULL, A));
	cache_put(NULL, A, "x", 1);
}

Test(cache, private_files)
{
	struct stat s;
	umask(0);
	Cache *c = open_with("1", 0);
	cache_put(c, A, "x", 1);
	cr_expect(stat(path(""), &s) == 0 && (s.st_mode & 0777) == 0700);
	cr_expect(stat(path(A), &s) == 0 && (s.st_mode & 0777) == 0600);
	cr_expect(holds(c, A, "x"));
	chmod(path(A), 0620);
	cr_expect(holds_nothing(c, A));
	cr_expect(strstr(said, "others can write it"), "%s", said);
	cache_close(c);
	chmod(path(""), 0702);
	cr_expect_null(open_with("1", 0));
	cr_expect(strstr(said, "others can write there"), "%s", said);
}

static char *read_file(const char *name, size_t *n)
{
	FILE *f = fopen(path(name), "rb");
	cr_assert_not_null(f);
	char *bytes = malloc(4096);
	*n = fread(bytes, 1, 4096, f);
	fclose(f);
	return bytes;
}

static void write_file(const char *name, const char *bytes, size_t n)
{
	int f = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(f >= 0 && write(f, bytes, n) == (ssize_t)n);
	close(f);
}

/* Every prefix, and every byte changed, is refused with a reason and replaced by the next run. */
Test(cache, corrupt)
{
	static const char text[] = "machine code of some length";
	Cache *c = open_with("1", 0);
	cache_put(c, A, text, strlen(text));
	size_t n, got;
	char *bytes = read_file(A, &n);
	cr_assert_eq(n, HEADER + strlen(text));
	for (size_t k = 0; k < n; k++) {
		said[0] = 0;
		write_file(A, bytes, k);
		cr_expect(holds_nothing(c, A), "%zu bytes", k);
		cr_expect(strstr(said, "truncated"), "%zu bytes: %s", k, said);
		said[0] = 0;
		bytes[k] = (char)(bytes[k] ^ 1 << k % 8);
		write_file(A, bytes, n);
		cr_expect(holds_nothing(c, A), "byte %zu", k);
		cr_expect(strstr(said, "is not used: "), "byte %zu: %s", k, said);
		bytes[k] = (char)(bytes[k] ^ 1 << k % 8);
	}
	bytes[n] = 'x';
	write_file(A, bytes, n + 1);
	cr_expect(holds_nothing(c, A) && strstr(said, "too long"), "%s", said);
	write_file(B, bytes, n);
	cr_expect(holds_nothing(c, B) && strstr(said, "belongs to another program"), "%s", said);
	cache_put(c, A, text, strlen(text));
	cr_expect(holds(c, A, text));
	void *again = cache_get(c, A, &got);
	cr_expect_eq(got, strlen(text));
	free(again);
	free(bytes);
	cache_close(c);
}

Test(cache, other_version)
{
	Cache *c = open_with("1.0", 0);
	cache_put(c, A, "old", 3);
	cache_close(c);
	c = open_with("1.1", 0);
	cr_expect(holds_nothing(c, A) && strstr(said, "another version"), "%s", said);
	cache_put(c, A, "new", 3);
	cr_expect(holds(c, A, "new"));
	cache_close(c);
}

/* Links, pipes and folders in the place of an entry. */
Test(cache, no_files)
{
	Cache *c = open_with("1", 0);
	char target[256];
	cache_put(c, A, "x", 1);
	strcpy(target, path(A));
	cr_assert_eq(symlink(target, path(B)), 0);
	cr_expect(holds_nothing(c, B) && said[0]);
	cr_assert_eq(mkfifo(path(C), 0600), 0);
	cr_expect(holds_nothing(c, C) && strstr(said, "it is no file"), "%s", said);
	cache_put(c, C, "y", 1);
	cr_expect(holds(c, C, "y"));
	unlink(path(C));
	mkdir(path(C), 0700);
	said[0] = 0;
	cache_put(c, C, "y", 1);
	cr_expect(holds_nothing(c, C) && strstr(said, "cannot keep"), "%s", said);
	cache_close(c);
}

Test(cache, read_only)
{
	Cache *c = open_with("1", 0);
	cache_put(c, A, "x", 1);
	chmod(path(""), 0500);
	cache_put(c, B, "y", 1);
	cr_expect(strstr(said, "cannot keep compiled code"), "%s", said);
	cr_expect(holds(c, A, "x") && holds_nothing(c, B));
	chmod(path(A), 0);
	said[0] = 0;
	cr_expect(holds_nothing(c, A) && strstr(said, "Permission denied"), "%s", said);
	cache_close(c);
	chmod(path(""), 0);
	cr_expect_null(open_with("1", 0));
	cr_expect(strstr(said, "Permission denied"), "%s", said);
	chmod(path(""), 0700);
	CacheOptions nowhere = {.folder = "/proc/pnn/cache", .version = "1", .note = keep_note};
	cr_expect_null(cache_open(&nowhere));
	nowhere.note = NULL;
	cr_expect_null(cache_open(&nowhere));
}

/* A disk that is full, as far as a process can have one to itself: nothing of the file is left. */
Test(cache, full)
{
	Cache *c = open_with("1", 0);
	char big[20000] = "big";
	struct rlimit small = {8192, 8192};
	cache_put(c, A, "x", 1);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	cache_put(c, B, big, sizeof big);
	cr_expect(strstr(said, "cannot keep compiled code"), "%s", said);
	cr_expect(holds_nothing(c, B) && holds(c, A, "x"));
	cr_expect_eq(cache_size(c).entries, 1);
	cache_close(c);
}

static void age(const char *name, time_t seconds)
{
	struct timeval t[2] = {{time(NULL) - seconds, 0}, {time(NULL) - seconds, 0}};
	cr_assert_eq(utimes(path(name), t), 0);
}

/* The entries that were not used for longest go; files of others stay. */
Test(cache, limit)
{
	char big[1000] = {0};
	Cache *c = open_with("1", 4 * (HEADER + 1000));
	write_file("notes", "mine", 4);
	write_file("new.dead", "half", 4);
	write_file("new.busy", "half", 4);
	age("new.dead", 100000);
	cache_put(c, A, big, 1000);
	cr_expect(access(path("new.dead"), F_OK) != 0 && access(path("new.busy"), F_OK) == 0);
	unlink(path("new.busy"));
	cache_put(c, B, big, 1000);
	cache_put(c, C, big, 1000);
	age(A, 300);
	age(B, 200);
	age(C, 100);
	size_t n;
	void *used = cache_get(c, A, &n); /* used now */
	cr_expect_not_null(used);
	free(used);
	static const char *const MORE[] = {
		"d00000000000000000000000000000000000000000000000000000000000000d",
		"e00000000000000000000000000000000000000000000000000000000000000e"};
	cache_put(c, MORE[0], big, 1000);
	cr_expect_eq(cache_size(c).entries, 4);
	cache_put(c, MORE[1], big, 1000);
	cr_expect(holds_nothing(c, B) && holds_nothing(c, C));
	cr_expect_eq(cache_size(c).entries, 3);
	char *huge = calloc(1, 8000);
	cache_put(c, B, huge, 8000); /* more than all: not kept, nothing removed for it */
	cr_expect(holds_nothing(c, B));
	cr_expect_eq(cache_size(c).entries, 3);
	free(huge);
	cache_clear(c);
	cr_expect(access(path("notes"), F_OK) == 0);
	cache_close(c);
}

Test(cache, environment)
{
	char own[128], xdg[128], home[128];
	CacheOptions o = {.version = "1", .note = keep_note};
	snprintf(own, sizeof own, "%s/own", root);
	snprintf(xdg, sizeof xdg, "%s/xdg", root);
	snprintf(home, sizeof home, "%s/home", root);
	setenv("PNN_CACHE_DIR", own, 1);
	setenv("XDG_CACHE_HOME", xdg, 1);
	setenv("HOME", home, 1);
	Cache *c = cache_open(&o);
	cr_expect_str_eq(cache_folder(c), own);
	cache_close(c);
	setenv("PNN_CACHE_DIR", "", 1);
	c = cache_open(&o);
	cr_expect_eq(strncmp(cache_folder(c), xdg, strlen(xdg)), 0);
	cr_expect_str_eq(cache_folder(c) + strlen(xdg), "/pnn");
	cache_close(c);
	setenv("XDG_CACHE_HOME", "relative", 1);
	c = cache_open(&o);
	cr_expect_eq(strncmp(cache_folder(c), home, strlen(home)), 0);
	cr_expect_str_eq(cache_folder(c) + strlen(home), "/.cache/pnn");
	cache_close(c);
	unsetenv("HOME");
	said[0] = 0;
	cr_expect_null(cache_open(&o));
	cr_expect(strstr(said, "HOME"), "%s", said);
}

/* Writers and readers at once, with so little room that entries are removed all the time: what is
 * read is whole and right. */
static int hammer(unsigned seed)
{
	Cache *c = open_with("1", 6 * (HEADER + 3000));
	char text[3001];
	int bad = 0, found = 0;
	for (unsigned k = 0; k < 300; k++) {
		seed = seed * 1103515245u + 12345u;
		unsigned which = seed >> 16 & 7;
		char key[CACHE_KEY_TEXT];
		memset(key, 'a', 64);
		key[63] = (char)('0' + which);
		key[64] = 0;
		memset(text, (int)('A' + which), 3000);
		text[3000] = 0;
		size_t n = 0;
		char *got = cache_get(c, key, &n);
		found += got != NULL;
		bad += got && (n != 3000 || strcmp(got, text) != 0);
		free(got);
		cache_put(c, key, text, 3000);
		bad += strstr(said, "is not used") != NULL;
		said[0] = 0;
	}
	cache_close(c);
	return bad ? 2 : found > 0 ? 0 : 1;
}

Test(cache, at_once)
{
	enum { RUNS = 4 };
	pid_t pid[RUNS];
	for (unsigned k = 0; k < RUNS; k++) {
		pid[k] = fork();
		if (pid[k] == 0) {
			_exit(hammer(k + 1));
		}
	}
	for (unsigned k = 0; k < RUNS; k++) {
		int status = -1;
		waitpid(pid[k], &status, 0);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "run %u: %x", k, status);
	}
	Cache *c = open_with("1", 6 * (HEADER + 3000));
	cr_expect_leq(cache_size(c).bytes, 10 * (HEADER + 3000));
	cache_close(c);
}
