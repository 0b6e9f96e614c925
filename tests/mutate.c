/* mutate.c — changes tokens of valid programs at random and asks `pnnc check` about each: it must
 * accept the text or diagnose it at a place, whatever it is. Used by mutate.sh:  mutate PNNC N SEED
 * FOLDER FILE... The same seed makes the same texts. Texts that fail are kept in FOLDER. */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 2, MEGABYTES = 1024, SAID = 1 << 16, NAME = 4096 };

/* A token with the space before it. */
typedef struct Token {
	const char *gap, *text;
	size_t ngap, ntext;
} Token;
typedef struct Text {
	const char *path;
	Token *token;
	size_t n;
} Text;

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t n)
{
	return n ? (size_t)(next_random(state) % n) : 0;
}

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "mutate: no memory\n");
		exit(2);
	}
	return p;
}

static char *read_all(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "mutate: cannot read %s\n", path);
		exit(2);
	}
	size_t n = 0, cap = 1 << 16;
	char *text = must(malloc(cap));
	for (size_t got; (got = fread(text + n, 1, cap - n - 1, f)) > 0;) {
		n += got;
		if (cap - n < 2) {
			text = must(realloc(text, cap *= 2));
		}
	}
	fclose(f);
	text[n] = 0;
	char *block = strstr(text, "\n# >>>\n"); /* what a test expects is no part of its program */
	*size = block ? (size_t)(block + 1 - text) : n;
	return text;
}

static int is_word(unsigned char c)
{
	return isalnum(c) || c == '_' || c >= 0x80;
}

static size_t token_length(const char *s, const char *end)
{
	static const char *const pairs[] = {"|>", "->", "==", "!=", "<=", ">=", ".."};
	size_t n = 0, left = (size_t)(end - s);
	if (is_word((unsigned char)*s)) {
		while (n < left && is_word((unsigned char)s[n])) {
			n++;
		}
		return n;
	}
	if (*s == '"' || *s == '\'') {
		for (n = 1; n < left && s[n] != *s && s[n] != '\n'; n++) {
		}
		return n < left && s[n] == *s ? n + 1 : n;
	}
	for (size_t i = 0; left > 1 && i < sizeof pairs / sizeof *pairs; i++) {
		if (strncmp(s, pairs[i], 2) == 0) {
			return 2;
		}
	}
	return 1;
}

static Text tokens_of(const char *path)
{
	size_t size, cap = 0;
	const char *s = read_all(path, &size), *end = s + size;
	Text t = {.path = path};
	while (s < end) {
		Token k = {.gap = s};
		while (s < end && (*s == ' ' || *s == '\t' || *s == '#')) {
			if (*s == '#') { /* a comment is space up to the end of its line */
				while (s < end && *s != '\n') {
					s++;
				}
			} else {
				s++;
			}
		}
		k.ngap = (size_t)(s - k.gap);
		k.text = s;
		k.ntext = s < end ? token_length(s, end) : 0;
		s += k.ntext;
		if (t.n == cap) {
			cap = cap ? 2 * cap : 256;
			t.token = must(realloc(t.token, cap * sizeof *t.token));
		}
		t.token[t.n++] = k;
	}
	return t;
}

static Token spelled(const char *text)
{
	return (Token){.gap = " ", .ngap = 1, .text = text, .ntext = strlen(text)};
}

/* A token to put in: mostly one of this program, sometimes one of another or one that is seldom
 * seen. */
static Token other_token(uint64_t *random, const Text *t, const Text *all, size_t nall)
{
	static const char *const rare[] = {"0",
					   "1",
					   "-1",
					   "1e308",
					   "9223372036854775807",
					   "0.5",
					   "2",
					   "'eV'",
					   "'Å'",
					   "\"x\"",
					   "(",
					   ")",
					   "[",
					   "]",
					   "{",
					   "}",
					   ",",
					   ";",
					   ":",
					   "\n",
					   "+",
					   "-",
					   "*",
					   "/",
					   "^",
					   "^2",
					   "==",
					   "=",
					   "<",
					   "|>",
					   "->",
					   "..",
					   ".",
					   "~",
					   "sum[i]",
					   "mean",
					   "max",
					   "expect",
					   "if",
					   "then",
					   "else",
					   "in",
					   "for",
					   "and",
					   "not",
					   "mod",
					   "∂",
					   "real",
					   "int",
					   "complex",
					   "bool",
					   "spin",
					   "grad",
					   "laplacian",
					   "stop",
					   "join",
					   "size",
					   "end",
					   "param",
					   "fn",
					   "net",
					   "return",
					   "[i -> i]",
					   "x",
					   "i",
					   "t",
					   "(x, y)",
					   "pi",
					   "true",
					   "tanh",
					   "normal(0, 1)",
					   "h[0]"};
	size_t nrare = sizeof rare / sizeof *rare, kind = below(random, 8);
	if (kind == 0) {
		return spelled(rare[below(random, nrare)]);
	}
	const Text *from = kind == 1 ? &all[below(random, nall)] : t;
	return from->n ? from->token[below(random, from->n)] : spelled("x");
}

static char class_of(const Token *k)
{
	unsigned char c = k->ntext ? (unsigned char)k->text[0] : 0;
	return isdigit(c)               ? '0'
	       : is_word(c)             ? 'a'
	       : c == '"' || c == '\''  ? (char)c
	       : strchr("()[]{},\n", c) ? 0
					: '+';
}

/* A token of the same class in its place, so that the text is most likely read and goes on to be
 * understood. */
static Token like_token(uint64_t *random, const Text *t, const Token *old)
{
	char class = class_of(old);
	for (int tries = 0; tries < 100 && class; tries++) {
		const Token *k = &t->token[below(random, t->n)];
		if (class_of(k) == class) {
			Token put = *k;
			put.gap = old->gap;
			put.ngap = old->ngap;
			return put;
		}
	}
	return *old;
}

static void put(FILE *f, const Token *k)
{
	fwrite(k->gap, 1, k->ngap, f);
	fwrite(k->text, 1, k->ntext, f);
}

/* The end of the group that token `from` opens, or of the line that it stands in. */
static size_t piece_end(const Text *t, size_t from)
{
	char open = t->token[from].ntext == 1 ? t->token[from].text[0] : 0;
	char close = open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : '\n';
	int depth = 0;
	for (size_t i = from; i < t->n; i++) {
		char c = t->token[i].ntext == 1 ? t->token[i].text[0] : 0;
		depth += c == open && close != '\n';
		depth -= c == close;
		if (c == close && depth <= 0) {
			return i + 1;
		}
	}
	return t->n;
}

/* Another piece of the program, bracketed likewise, in the place of this one. */
static void write_grafted(FILE *f, uint64_t *random, const Text *t)
{
	size_t at = 0, from = 0;
	for (int tries = 0; tries < 200; tries++) {
		at = below(random, t->n);
		from = below(random, t->n);
		char a = class_of(&t->token[at]) ? 0 : t->token[at].text[0],
		     b = t->token[from].text[0];
		if (a && t->token[at].ntext && t->token[from].ntext && a == b &&
		    strchr("([{\n", a)) {
			break;
		}
	}
	size_t end =
		piece_end(t, at == 0 || t->token[at].text[0] != '\n' ? at : at + (at + 1 < t->n));
	size_t stop = piece_end(
		t, from == 0 || t->token[from].text[0] != '\n' ? from : from + (from + 1 < t->n));
	for (size_t i = 0; i < at; i++) {
		put(f, &t->token[i]);
	}
	for (size_t i = from; i < stop; i++) {
		put(f, &t->token[i]);
	}
	for (size_t i = end; i < t->n; i++) {
		put(f, &t->token[i]);
	}
}

/* Writes the program with one to three tokens deleted, doubled, swapped or replaced, or with one
 * group or line in the place of another. */
static void write_mutant(const char *path, uint64_t *random, const Text *t, const Text *all,
			 size_t nall)
{
	if (below(random, 4) == 0 && t->n) {
		FILE *grafted = must(fopen(path, "wb"));
		write_grafted(grafted, random, t);
		fclose(grafted);
		return;
	}
	Token *k = must(malloc((t->n + 1) * sizeof *k));
	bool *gone = must(calloc(t->n + 1, sizeof *gone)),
	     *twice = must(calloc(t->n + 1, sizeof *twice));
	memcpy(k, t->token, t->n * sizeof *k);
	size_t changes = 1 + below(random, 3);
	bool mild = below(random, 2);
	for (; changes > 0 && t->n; changes--) {
		size_t at = below(random, t->n);
		if (mild) {
			k[at] = like_token(random, t, &k[at]);
			continue;
		}
		switch (below(random, 8)) {
		case 0:
			gone[at] = true;
			break;
		case 1:
			twice[at] = true;
			break;
		case 2: {
			size_t with = below(random, 2) ? (at + 1) % t->n : below(random, t->n);
			Token keep = k[at];
			k[at] = k[with];
			k[with] = keep;
			break;
		}
		default:
			k[at] = other_token(random, t, all, nall);
			break;
		}
	}
	FILE *f = must(fopen(path, "wb"));
	for (size_t i = 0; i < t->n; i++) {
		if (!gone[i]) {
			put(f, &k[i]);
			if (twice[i]) {
				put(f, &k[i]);
			}
		}
	}
	fclose(f);
	free(k);
	free(gone);
	free(twice);
}

typedef struct Outcome {
	int status; /* of waitpid */
	double seconds;
	char said[SAID];
} Outcome;

static void limits(bool memory)
{
	struct rlimit cpu = {SECONDS, SECONDS + 1},
		      room = {(rlim_t)MEGABYTES << 20, (rlim_t)MEGABYTES << 20}, core = {0, 0};
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &core);
	if (memory) {
		setrlimit(RLIMIT_AS, &room);
	}
}

/* What is asked of the program: to be checked, to be run, or to be elaborated without its claims.
 */
typedef enum { ASK_CHECK, ASK_RUN, ASK_EMIT } Ask;

static void run(const char *pnnc, const char *folder, const char *file, Ask ask, Outcome *out)
{
	int ends[2];
	struct timeval began, ended;
	if (pipe(ends) != 0) {
		exit(2);
	}
	gettimeofday(&began, NULL);
	pid_t child = fork();
	if (child == 0) {
		limits(!getenv("MUTATE_NO_MEMORY_LIMIT"));
		close(ends[0]);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[1]);
		close(0);
		open("/dev/null", O_RDONLY);
		if (ask == ASK_RUN && chdir(folder) == 0) {
			execl(pnnc, pnnc, "run", "-q", "--out", folder, file, (char *)NULL);
		} else if (ask == ASK_CHECK) {
			execl(pnnc, pnnc, "check", file, (char *)NULL);
		} else {
			execl(pnnc, pnnc, "emit", "--stage", "core", file, (char *)NULL);
		}
		_exit(127);
	}
	close(ends[1]);
	size_t n = 0;
	char more[4096];
	for (ssize_t got; (got = read(ends[0], more, sizeof more)) > 0;) {
		size_t room = SAID - 1 - n, take = (size_t)got < room ? (size_t)got : room;
		memcpy(out->said + n, more, take);
		n += take;
	}
	out->said[n] = 0;
	close(ends[0]);
	waitpid(child, &out->status, 0);
	gettimeofday(&ended, NULL);
	out->seconds = (double)(ended.tv_sec - began.tv_sec) +
		       1e-6 * (double)(ended.tv_usec - began.tv_usec);
}

static unsigned count_of(const char *text, const char *what)
{
	unsigned n = 0;
	for (const char *at = text; (at = strstr(at, what)); at++) {
		n++;
	}
	return n;
}

static const char LONG[] = "took too long", MUCH[] = "too much memory";

/* NULL if all is well, else what is wrong. */
static const char *judge(const Outcome *o)
{
	if (WIFSIGNALED(o->status)) {
		return WTERMSIG(o->status) == SIGXCPU || WTERMSIG(o->status) == SIGKILL ? LONG
											: "crashed";
	}
	int code = WEXITSTATUS(o->status);
	unsigned errors = count_of(o->said, "error[");
	if (strstr(o->said, "runtime error") || strstr(o->said, "Sanitizer")) {
		return "a sanitiser complained";
	}
	if (strstr(o->said, "E0590") || strstr(o->said, "Assertion `")) {
		return "our own fault";
	}
	if (strstr(o->said, "E0503")) {
		return MUCH;
	}
	if (code > 6 || code == 2) {
		return "an exit code that it should not have";
	}
	if (code == 3 && (errors == 0 || count_of(o->said, "--> ") < errors)) {
		return "an error without a place";
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: mutate PNNC N SEED FOLDER FILE...\n");
		return 2;
	}
	const char *pnnc = argv[1], *folder = argv[4];
	long count = strtol(argv[2], NULL, 10);
	uint64_t seed = strtoull(argv[3], NULL, 10);
	Ask asked = getenv("MUTATE_RUN") ? ASK_RUN : ASK_CHECK;
	size_t nfile = (size_t)(argc - 5);
	Text *text = must(calloc(nfile, sizeof *text));
	for (size_t i = 0; i < nfile; i++) {
		text[i] = tokens_of(argv[5 + i]);
	}
	long accepted = 0, diagnosed = 0, other = 0, larger = 0, failed = 0;
	unsigned most = 0;
	double slowest = 0;
	Outcome *out = must(malloc(sizeof *out));
	for (long i = 0; i < count; i++) {
		uint64_t random = seed * UINT64_C(1000003) + (uint64_t)i;
		const Text *t = &text[below(&random, nfile)];
		char path[NAME];
		snprintf(path, sizeof path, "%s/mutant-%llu-%ld.pnn", folder,
			 (unsigned long long)seed, i);
		write_mutant(path, &random, t, text, nfile);
		run(pnnc, folder, path, asked, out);
		const char *why = judge(out);
		bool large = why && (strcmp(why, LONG) == 0 || strcmp(why, MUCH) == 0);
		if (large) { /* an axis of 10^9 elements may well be meant: its claims take their
				time */
			run(pnnc, folder, path, ASK_EMIT, out);
			why = judge(out);
		}
		unsigned errors = count_of(out->said, "error[");
		slowest = out->seconds > slowest ? out->seconds : slowest;
		most = errors > most ? errors : most;
		if (why) {
			const char *line = strstr(out->said, "Assertion `");
			printf("FAILED %s (from %s): %s %.100s\n", path, t->path, why,
			       line ? line : "");
			failed++;
			continue;
		}
		int code = WEXITSTATUS(out->status);
		*(large ? &larger : code == 0 ? &accepted : code == 3 ? &diagnosed : &other) += 1;
		remove(path);
	}
	printf("mutants: %ld tried, %ld accepted, %ld diagnosed, %ld refuted or without data, %ld "
	       "with claims too large to try, %ld failed; at most %u errors, %.2f s\n",
	       count, accepted, diagnosed, other, larger, failed, most, slowest);
	return failed > 0;
}
