/* repl_edit.c — lines from a terminal (libedit: editing, history, completion) or from anything
 * else. Completion: names in scope, words of the language and commands; a word that begins with a
 * backslash becomes a Greek letter or a symbol. */
#include "compiler/repl.h"
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HISTORY_LINES = 2000, LISTED = 60 };

static const struct {
	const char *name, *character;
} symbols[] = {
	{"alpha", "α"},    {"beta", "β"},   {"gamma", "γ"}, {"delta", "δ"},   {"epsilon", "ε"},
	{"zeta", "ζ"},     {"eta", "η"},    {"theta", "θ"}, {"iota", "ι"},    {"kappa", "κ"},
	{"lambda", "λ"},   {"mu", "μ"},     {"nu", "ν"},    {"xi", "ξ"},      {"pi", "π"},
	{"rho", "ρ"},      {"sigma", "σ"},  {"tau", "τ"},   {"upsilon", "υ"}, {"phi", "φ"},
	{"chi", "χ"},      {"psi", "ψ"},    {"omega", "ω"}, {"Gamma", "Γ"},   {"Delta", "Δ"},
	{"Theta", "Θ"},    {"Lambda", "Λ"}, {"Xi", "Ξ"},    {"Pi", "Π"},      {"Sigma", "Σ"},
	{"Phi", "Φ"},      {"Psi", "Ψ"},    {"Omega", "Ω"}, {"partial", "∂"}, {"sum", "Σ"},
	{"Angstrom", "Å"}, {"hbar", "ħ"},   {"^2", "²"},    {"^3", "³"},      {"^4", "⁴"},
};

static const char *const words[] = {
	"activation", "assert", "axis",      "const",    "data",      "derivative", "domain",
	"equation",   "fn",     "freeze",    "group",    "layer",     "let",        "load",
	"loss",       "net",    "optimizer", "param",    "points",    "precision",  "print",
	"record",     "repeat", "reset",     "save",     "set",       "split",      "sweep",
	"test",       "train",  "unfreeze",  "use",      "if",        "then",       "else",
	"and",        "or",     "not",       "mod",      "div",       "xor",        "sum",
	"mean",       "max",    "min",       "prod",     "logsumexp", "argmax",     "argmin",
	"all",        "any",    "count",     "expect",   "real",      "complex",    "int",
	"bool",       "spin",   "minimize",  "maximize", "until",     "steps",      "epochs",
	"within",     "return", "true",      "false",
};

/* ---- completion ---- */

/* The k-th word that could be meant, NULL past the end. */
static const char *candidate(const Repl *r, size_t k)
{
	size_t nwords = sizeof words / sizeof *words, commands = 0;
	if (k < nwords) {
		return words[k];
	}
	k -= nwords;
	while (repl_command_name((unsigned)commands)) {
		commands++;
	}
	return k < commands ? repl_command_name((unsigned)k)
			    : elab_name(r->e->elab, (uint32_t)(k - commands));
}

static int characters(const char *s, size_t n)
{
	int count = 0;
	for (size_t k = 0; k < n; k++) {
		count += (s[k] & 0xC0) != 0x80;
	}
	return count;
}

static bool word_byte(char c)
{
	return (c & 0x80) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

/* "\alpha" before the cursor becomes the letter. */
static bool complete_symbol(EditLine *editor, const char *start, const char *end)
{
	size_t n = (size_t)(end - start);
	for (size_t k = 0; k < sizeof symbols / sizeof *symbols; k++) {
		if (strlen(symbols[k].name) == n && memcmp(symbols[k].name, start, n) == 0) {
			el_deletestr(editor, characters(start, n) + 1);
			el_insertstr(editor, symbols[k].character);
			return true;
		}
	}
	return false;
}

/* The longest text that all candidates with this prefix share, and their number. */
static size_t common_prefix(const Repl *r, const char *word, size_t n, char *shared, size_t room)
{
	size_t found = 0;
	const char *text;
	shared[0] = 0;
	for (size_t k = 0; (text = candidate(r, k)); k++) {
		if (strncmp(text, word, n) != 0 || strlen(text) + 1 > room) {
			continue;
		}
		if (found++ == 0) {
			strcpy(shared, text);
		}
		size_t same = 0;
		while (shared[same] && shared[same] == text[same]) {
			same++;
		}
		while (same && (shared[same] & 0xC0) == 0x80) {
			same--; /* never half a character */
		}
		shared[same] = 0;
	}
	return found;
}

static void list_candidates(const Repl *r, const char *word, size_t n)
{
	const char *text;
	size_t shown = 0;
	fputc('\n', r->line->engine.output);
	for (size_t k = 0; (text = candidate(r, k)) && shown < LISTED; k++) {
		if (strncmp(text, word, n) == 0) {
			fprintf(r->line->engine.output, "%s%s", shown++ ? "  " : "", text);
		}
	}
	fputc('\n', r->line->engine.output);
	fflush(r->line->engine.output);
}

static unsigned char complete_word(EditLine *editor, int key)
{
	(void)key;
	Repl *r;
	el_get(editor, EL_CLIENTDATA, &r);
	const LineInfo *line = el_line(editor);
	const char *start = line->cursor;
	while (start > line->buffer && (word_byte(start[-1]) || start[-1] == '^')) {
		start--;
	}
	if (start > line->buffer && start[-1] == '\\') {
		return complete_symbol(editor, start, line->cursor) ? CC_REFRESH : CC_ERROR;
	}
	while (start < line->cursor && *start == '^') {
		start++;
	}
	char shared[256], word[256];
	size_t n = (size_t)(line->cursor - start);
	if (n == 0 || n >= sizeof word) {
		return CC_ERROR;
	}
	memcpy(word, start, n);
	word[n] = 0;
	size_t found = common_prefix(r, word, n, shared, sizeof shared - 1);
	if (found == 0) {
		return CC_ERROR;
	}
	if (strlen(shared) > n) {
		el_insertstr(editor, shared + n);
		return CC_REFRESH;
	}
	if (found > 1) {
		list_candidates(r, word, n);
		return CC_REDISPLAY;
	}
	return CC_ERROR;
}

static char *prompt(EditLine *editor)
{
	Repl *r;
	el_get(editor, EL_CLIENTDATA, &r);
	return r->more ? r->prompts[1] : r->prompts[0];
}

/* ---- history ---- */

static bool make_parents(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p == '/') {
			*p = 0;
			bool ok = mkdir(path, 0700) == 0 || errno == EEXIST;
			*p = '/';
			if (!ok) {
				return false;
			}
		}
	}
	return true;
}

/* A history that cannot be kept is no reason to say anything. */
static void open_history(Repl *r)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	HistEvent event;
	char *path = NULL;
	int n = state && state[0] == '/' ? asprintf(&path, "%s/pnn/history", state)
		: home && home[0] == '/' ? asprintf(&path, "%s/.local/state/pnn/history", home)
					 : -1;
	if (n >= 0 && make_parents(path)) {
		r->history_path = path;
		history(r->history, &event, H_LOAD, path);
	} else if (n >= 0) {
		free(path);
	}
}

bool repl_edit_begin(Repl *r)
{
	if (!r->terminal) {
		return true;
	}
	strcpy(r->prompts[0], "pnn> ");
	strcpy(r->prompts[1], "...> ");
	setlocale(LC_CTYPE, ""); /* the terminal's encoding; numbers keep the C locale */
	HistEvent event;
	r->history = history_init();
	r->editor = el_init("pnnc", stdin, stdout, stderr);
	if (!r->history || !r->editor) {
		repl_edit_end(r);
		return false;
	}
	history(r->history, &event, H_SETSIZE, HISTORY_LINES);
	history(r->history, &event, H_SETUNIQUE, 1);
	open_history(r);
	el_set(r->editor, EL_CLIENTDATA, r);
	el_set(r->editor, EL_PROMPT, prompt);
	el_set(r->editor, EL_EDITOR, "emacs");
	el_set(r->editor, EL_HIST, history, r->history);
	el_set(r->editor, EL_ADDFN, "complete-word", "Complete the word", complete_word);
	el_set(r->editor, EL_BIND, "^I", "complete-word", NULL);
	el_set(r->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
	return true;
}

void repl_edit_end(Repl *r)
{
	HistEvent event;
	if (r->history && r->history_path) {
		history(r->history, &event, H_SAVE, r->history_path);
	}
	if (r->editor) {
		el_end(r->editor);
	}
	if (r->history) {
		history_end(r->history);
	}
	free(r->history_path);
	free(r->input);
}

static const char *plain_line(Repl *r, size_t *n)
{
	/* The text under way and the line share no buffer: take_line copies. */
	const size_t most = (size_t)64 << 20;
	char *line = NULL;
	size_t room = 0;
	ssize_t got = getline(&line, &room, stdin);
	if (got < 0 || (size_t)got > most) {
		free(line);
		return NULL;
	}
	*n = (size_t)got;
	if (*n && line[*n - 1] == '\n') {
		(*n)--;
	}
	line[*n] = 0;
	free(r->input);
	r->input = line;
	return line;
}

const char *repl_edit_line(Repl *r, size_t *n)
{
	if (!r->terminal) {
		return plain_line(r, n);
	}
	int count = 0;
	const char *line = el_gets(r->editor, &count);
	if (!line || count <= 0) {
		fputc('\n', r->line->engine.output);
		return NULL;
	}
	HistEvent event;
	if (strspn(line, " \t\n") < (size_t)count) {
		history(r->history, &event, H_ENTER, line);
	}
	*n = (size_t)count - (line[count - 1] == '\n');
	return line;
}
