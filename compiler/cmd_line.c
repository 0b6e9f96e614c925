/* cmd_line.c — the command line: global options anywhere, a command, its own options, its words. */
#include "compiler/cmd.h"
#include "compiler/target.h"
#include "runtime/number.h"
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const Command commands[] = {
	{"run", "FILE", "everything in the file: load, test, train, assert, record, save", "plots", 1, 1,
	 cmd_run},
	{"check", "FILE...", "names, axes, types, units, derivatives, and claims that need no data",
	 "", 1, -1, cmd_check},
	{"emit", "FILE --stage STAGE", "the program at a stage: tokens ast core deriv opt plan llvm asm",
	 "stage from", 1, 1, cmd_emit},
	{"grad", "FILE LOSS --wrt NAME",
	 "the derived backward pass as mathematics, and its numerical check", "wrt latex", 2, 2,
	 cmd_grad},
	{"eval", "FILE -e EXPRESSION",
	 "values of expressions; --csv reads points and writes a table", "expression weights csv",
	 1, 1, cmd_eval},
	{"info", "FILE", "axes, parameters, data, losses of a program; tensors of a weights file",
	 "", 1, 1, cmd_info},
	{"cost", "FILE",
	 "operations, bytes and derivative order of each loss, before anything runs", "", 1, 1,
	 cmd_cost},
	{"bench", "FILE", "time of a training step, and its part of what the machine can do", "of for",
	 1, 1, cmd_bench},
	{"build", "FILE [FUNCTION...] [-o LIBRARY] [--params WEIGHTS]",
	 "a C library (.so, .a, .o) of exported functions, with its header",
	 "output params external-params fortran python gradient", 1, -1, cmd_build},
	{"fmt", "FILE...", "canonical text on standard output; -w rewrites, --check only compares",
	 "write check", 1, -1, cmd_fmt},
	{"explain", "CODE", "what a diagnostic means, with an example and the remedy", "", 1, 1,
	 cmd_explain},
	{"repl", "[FILE]", "a prompt: every statement of the language, and : commands", "", 0, 1,
	 cmd_repl},
	{"cache", "[clear]", "where compiled code is kept and how much of it; clear removes all", "",
	 0, 1, cmd_cache},
	{"version", "", "the version", "", 0, 0, cmd_version},
	{"help", "[COMMAND]", "this text, or that of a command", "", 0, 1, cmd_show_help},
	{NULL, NULL, NULL, NULL, 0, 0, NULL},
};

enum {
	OPT_COLOUR = 256,
	OPT_JSON,
	OPT_SEED,
	OPT_THREADS,
	OPT_PRECISION,
	OPT_BACKEND,
	OPT_CPU,
	OPT_NO_CACHE,
	OPT_SET,
	OPT_OUT,
	OPT_METRICS,
	OPT_RESUME,
	OPT_SAVE_EVERY,
	OPT_STAGE,
	OPT_WRT,
	OPT_LATEX,
	OPT_CHECK,
	OPT_WRITE,
	OPT_EXPRESSION,
	OPT_WEIGHTS,
	OPT_CSV,
	OPT_OUTPUT,
	OPT_PARAMS,
	OPT_EXTERNAL,
	OPT_FORTRAN,
	OPT_PYTHON,
	OPT_GRADIENT,
	OPT_OF,
	OPT_FOR,
	OPT_FROM,
	OPT_PLOTS,
	OPT_VERSION
};

/* The options that only some commands take come last, from "stage" on. */
static const struct option options[] = {
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{"color", required_argument, NULL, OPT_COLOUR},
	{"json", no_argument, NULL, OPT_JSON},
	{"seed", required_argument, NULL, OPT_SEED},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"precision", required_argument, NULL, OPT_PRECISION},
	{"backend", required_argument, NULL, OPT_BACKEND},
	{"cpu", required_argument, NULL, OPT_CPU},
	{"no-cache", no_argument, NULL, OPT_NO_CACHE},
	{"set", required_argument, NULL, OPT_SET},
	{"out", required_argument, NULL, OPT_OUT},
	{"metrics", required_argument, NULL, OPT_METRICS},
	{"resume", required_argument, NULL, OPT_RESUME},
	{"save-every", required_argument, NULL, OPT_SAVE_EVERY},
	{"stage", required_argument, NULL, OPT_STAGE},
	{"from", required_argument, NULL, OPT_FROM},
	{"wrt", required_argument, NULL, OPT_WRT},
	{"latex", no_argument, NULL, OPT_LATEX},
	{"check", no_argument, NULL, OPT_CHECK},
	{"write", no_argument, NULL, OPT_WRITE},
	{"expression", required_argument, NULL, OPT_EXPRESSION},
	{"weights", required_argument, NULL, OPT_WEIGHTS},
	{"csv", required_argument, NULL, OPT_CSV},
	{"output", required_argument, NULL, OPT_OUTPUT},
	{"params", required_argument, NULL, OPT_PARAMS},
	{"external-params", no_argument, NULL, OPT_EXTERNAL},
	{"fortran", no_argument, NULL, OPT_FORTRAN},
	{"python", no_argument, NULL, OPT_PYTHON},
	{"gradient", no_argument, NULL, OPT_GRADIENT},
	{"of", required_argument, NULL, OPT_OF},
	{"for", required_argument, NULL, OPT_FOR},
	{"plots", required_argument, NULL, OPT_PLOTS},
	{NULL, 0, NULL, 0},
};

const Command *cmd_table(void)
{
	return commands;
}

const Command *cmd_find(const char *name)
{
	for (const Command *k = commands; k->name; k++) {
		if (strcmp(k->name, name) == 0) {
			return k;
		}
	}
	return NULL;
}

int cmd_usage(const CmdLine *c, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	fputs("pnnc: ", c->engine.error);
	vfprintf(c->engine.error, format, ap);
	va_end(ap);
	if (c->command) {
		fprintf(c->engine.error, "\nusage: pnnc %s %s\n", c->command->name,
			c->command->arguments);
	} else {
		fputs("\n`pnnc help` lists the commands\n", c->engine.error);
	}
	return 2;
}

static bool takes(const Command *k, const char *option)
{
	size_t n = strlen(option);
	for (const char *p = k ? k->options : ""; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		if (strncmp(p, option, n) == 0 && (p[n] == ' ' || p[n] == 0)) {
			return true;
		}
	}
	return false;
}

static const char *option_name(int value)
{
	for (const struct option *o = options; o->name; o++) {
		if (o->val == value) {
			return o->name;
		}
	}
	return "";
}

/* The word after an option that getopt did not know, with the nearest that it does. */
static int unknown_option(const CmdLine *c, const char *text)
{
	const char *names[sizeof options / sizeof *options];
	size_t n = 0;
	for (const struct option *o = options; o->name; o++) {
		if (o->val < OPT_STAGE || takes(c->command, o->name)) {
			names[n++] = o->name;
		}
	}
	const char *near = strncmp(text, "--", 2) == 0 ? diag_nearest(text + 2, names, n) : NULL;
	if (near) {
		return cmd_usage(c, "there is no option %s; did you mean --%s ?", text, near);
	}
	return cmd_usage(c, "there is no option %s", text);
}

static bool whole_number(const char *text, int64_t *v)
{
	return rt_integer_parse(text, strlen(text), v) && *v >= 0;
}

static bool one_of(const char *text, const char *choices)
{
	Command words = {.options = choices};
	return text[0] && !strchr(text, ' ') && takes(&words, text);
}

static const char **push(const char **list, int *n, const char *text)
{
	const char **longer = realloc(list, ((size_t)*n + 1) * sizeof *longer);
	if (longer) {
		longer[(*n)++] = text;
	}
	return longer ? longer : list;
}

static int number_option(CmdLine *c, int value, const char *text)
{
	int64_t v;
	if (!whole_number(text, &v)) {
		return cmd_usage(c, "--%s takes a whole number, not %s", option_name(value), text);
	}
	if (value == OPT_SEED) {
		c->engine.seed = (uint64_t)v;
	} else if (value == OPT_THREADS) {
		if (v < 1 || v > 1024) {
			return cmd_usage(c, "--threads takes 1 to 1024");
		}
		c->engine.threads = (unsigned)v;
	} else {
		c->engine.save_steps = v;
	}
	return 0;
}

static int word_option(CmdLine *c, int value, const char *text)
{
	switch (value) {
	case OPT_COLOUR:
		c->colour = text;
		return one_of(text, "auto always never")
			       ? 0
			       : cmd_usage(c, "--color takes auto, always or never");
	case OPT_PRECISION:
		c->engine.real_bytes = strcmp(text, "f32") == 0 ? 4 : 8;
		return one_of(text, "f32 f64") ? 0 : cmd_usage(c, "--precision takes f32 or f64");
	case OPT_BACKEND:
		c->engine.backend = strcmp(text, "jit") == 0         ? BACKEND_JIT
				    : strcmp(text, "interpret") == 0 ? BACKEND_INTERPRET
								     : BACKEND_AUTO;
		return one_of(text, "auto jit interpret")
			       ? 0
			       : cmd_usage(c, "--backend takes auto, jit or interpret");
	case OPT_CPU:
		c->engine.cpu = text;
		return target_known(text) ? 0 : cmd_usage(c, "--cpu takes one of %s", target_names());
	case OPT_PLOTS:
		c->engine.plots = strcmp(text, "keep") == 0     ? PLOTS_KEEP
				  : strcmp(text, "script") == 0 ? PLOTS_SCRIPT
				  : strcmp(text, "none") == 0   ? PLOTS_NONE
								: PLOTS_DRAW;
		return one_of(text, "draw keep script none")
			       ? 0
			       : cmd_usage(c, "--plots takes draw, keep, script or none");
	case OPT_SET:
		if (!strchr(text, '=') || text[0] == '=') {
			return cmd_usage(c, "--set takes NAME=VALUE, not %s", text);
		}
		c->set = push(c->set, &c->nset, text);
		return 0;
	case OPT_WRT:
		c->wrt = push(c->wrt, &c->nwrt, text);
		return 0;
	case OPT_EXPRESSION:
	case 'e':
		c->expression = push(c->expression, &c->nexpression, text);
		return 0;
	default:
		return number_option(c, value, text);
	}
}

static int read_option(CmdLine *c, int value, const char *text)
{
	if (value >= OPT_STAGE && value != OPT_VERSION && !takes(c->command, option_name(value))) {
		return cmd_usage(c, "the option --%s does not belong here", option_name(value));
	}
	switch (value) {
	case 'q':
		c->engine.quiet = true;
		return 0;
	case 'v':
		c->engine.verbose++;
		return 0;
	case 'h':
		c->help = true;
		return 0;
	case OPT_VERSION:
		c->version = true;
		return 0;
	case OPT_JSON:
		c->engine.json = true;
		return 0;
	case OPT_NO_CACHE:
		c->engine.no_cache = true;
		return 0;
	case OPT_OUT:
		c->engine.out_dir = text;
		return 0;
	case OPT_METRICS:
		c->engine.metrics = text;
		return 0;
	case OPT_RESUME:
		c->engine.resume = text;
		return 0;
	case OPT_STAGE:
		c->stage = text;
		return 0;
	case OPT_FROM:
		c->from = text;
		return 0;
	case OPT_LATEX:
		c->latex = true;
		return 0;
	case OPT_CHECK:
		c->check = true;
		return 0;
	case OPT_WRITE:
		c->write = true;
		return 0;
	case OPT_WEIGHTS:
		c->weights = text;
		return 0;
	case OPT_CSV:
		c->csv = text;
		return 0;
	case OPT_OUTPUT:
		c->output = text;
		return 0;
	case OPT_PARAMS:
		c->params = text;
		return 0;
	case OPT_EXTERNAL:
		c->external_params = true;
		return 0;
	case OPT_FORTRAN:
		c->fortran = true;
		return 0;
	case OPT_PYTHON:
		c->python = true;
		return 0;
	case OPT_GRADIENT:
		c->gradient = true;
		return 0;
	case OPT_OF:
		c->of = text;
		return 0;
	case OPT_FOR:
		return rt_number_parse(text, strlen(text), &c->seconds) == RT_NUMBER &&
				       c->seconds > 0
			       ? 0
			       : cmd_usage(c, "--for takes seconds, not %s", text);
	default:
		return word_option(c, value, text);
	}
}

/* -w is --write for fmt and --weights for eval. */
static const char *short_options(const Command *k)
{
	return !k                    ? "+:qvh"
	       : takes(k, "weights") ? ":qvhe:w:"
	       : takes(k, "write")   ? ":qvhw"
	       : takes(k, "output")  ? ":qvho:"
				     : ":qvh";
}

static int read_options(CmdLine *c, int argc, char **argv)
{
	int value;
	opterr = 0;
	while ((value = getopt_long(argc, argv, short_options(c->command), options, NULL)) != -1) {
		const char *text = argv[optind > 0 ? optind - 1 : 0];
		if (value == ':') {
			return cmd_usage(c, "%s needs a value", text);
		}
		if (value == '?') {
			char letter[3] = {'-', (char)optopt, 0};
			return unknown_option(c, strncmp(text, "--", 2) == 0 || !optopt ? text
											: letter);
		}
		value = value == 'o' ? OPT_OUTPUT : value;
		if (value == 'w') {
			value = takes(c->command, "weights") ? OPT_WEIGHTS : OPT_WRITE;
		}
		int code = read_option(c, value, optarg);
		if (code) {
			return code;
		}
	}
	return 0;
}

static int unknown_command(CmdLine *c, const char *name)
{
	const char *names[sizeof commands / sizeof *commands];
	size_t n = 0;
	for (const Command *k = commands; k->name; k++) {
		names[n++] = k->name;
	}
	const char *near = diag_nearest(name, names, n);
	if (near) {
		return cmd_usage(c, "there is no command %s; did you mean %s ?", name, near);
	}
	return cmd_usage(c, "there is no command %s", name);
}

static int count_words(CmdLine *c)
{
	const Command *k = c->command;
	if (c->help) {
		return 0;
	}
	if (c->n < k->least) {
		return cmd_usage(c, "%s is missing something", k->name);
	}
	if (k->most >= 0 && c->n > k->most) {
		return cmd_usage(c, "%s does not take %s", k->name, c->word[k->most]);
	}
	return 0;
}

int cmd_line_read(CmdLine *c, int argc, char **argv)
{
	optind = 0;
	int code = read_options(c, argc, argv);
	if (code) {
		return code;
	}
	if (c->version || c->help || optind >= argc) {
		c->command = cmd_find(c->version ? "version" : "help");
		return c->version || c->help
			       ? 0
			       : cmd_usage(&(CmdLine){.engine = c->engine}, "a command is missing");
	}
	int first = optind;
	c->command = cmd_find(argv[first]);
	if (!c->command) {
		return unknown_command(c, argv[first]);
	}
	optind = 0;
	code = read_options(c, argc - first, argv + first);
	c->word = argv + first + optind;
	c->n = argc - first - optind;
	c->engine.set = c->set;
	c->engine.nset = (uint32_t)c->nset;
	code = code ? code : count_words(c);
	/* emit only shows code */
	bool runs = c->engine.cpu && !c->help && strcmp(c->command->name, "emit") != 0 &&
		    strcmp(c->command->name, "build") != 0;
	return code || !runs ? code : cmd_check_cpu(c);
}

void cmd_line_free(CmdLine *c)
{
	free(c->set);
	free(c->wrt);
	free(c->expression);
}

static const char global_options[] =
	"Options everywhere:\n"
	"  -q, -v                    say less, say more\n"
	"  --color auto|always|never colour of diagnostics (NO_COLOR and TERM=dumb are respected)\n"
	"  --json                    diagnostics as one JSON object per line\n"
	"  --seed N                  seed of all random numbers (0)\n"
	"  --threads N               threads; results have the same bits for any number\n"
	"  --precision f32|f64       of trainings, whatever the program says\n"
	"  --backend auto|jit|interpret  compiled where that pays, always, or never\n"
	"  --cpu NAME                compile for host, x86-64, avx2 or avx512 (emit, build: or aarch64)\n"
	"  --no-cache                compiled code is neither looked up nor kept on disk\n"
	"  --set NAME=VALUE          another value for a const or an axis size\n"
	"  --out DIR                 folder for the files that the program writes\n"
	"  --metrics FILE            one JSON object per training step, claim and record\n"
	"  --resume FILE             continue from FILE if it exists, and keep it up to date\n"
	"  --save-every N            steps between two writings of that file (default: every 30 "
	"seconds)\n"
	"Exit codes: 0 all well, 1 a claim failed, 2 usage, 3 source, 4 data, 5 numerics, 6 "
	"environment, 70 our fault,\n"
	"130 interrupted.\n";

void cmd_help(const CmdLine *c, const Command *about, FILE *out)
{
	(void)c;
	if (about) {
		fprintf(out, "usage: pnnc %s %s\n%s\n\n", about->name, about->arguments,
			about->summary);
		fputs(global_options, out);
		return;
	}
	fputs("usage: pnnc COMMAND ...\n\n", out);
	for (const Command *k = commands; k->name; k++) {
		fprintf(out, "  %-8s %-22s %s\n", k->name, k->arguments, k->summary);
	}
	fputs("\n", out);
	fputs(global_options, out);
}
