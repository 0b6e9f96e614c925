/* main.c — the roof: reads the command line, sets up streams and signals, ends the process. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "compiler/cmd.h"

/* Set by Ctrl-C and by a polite request to end; a second one ends at once. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	if (interrupted) {
		_exit(128 + number);
	}
	interrupted = 1;
}

static void on_exhausted(void *data, size_t wanted)
{
	(void)data;
	fflush(stdout);
	fprintf(stderr, "error[E0503]: not enough memory for %zu bytes\n", wanted);
	_exit(6);
}

static bool wants_colour(const CmdLine *c, FILE *f)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
	if (c->colour && strcmp(c->colour, "auto") != 0) {
		return strcmp(c->colour, "always") == 0;
	}
	return isatty(fileno(f)) && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}

static void set_signals(void)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = on_interrupt;
	action.sa_flags = SA_RESTART;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A reader that went away is a write error, to be reported as one. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

/* Results that could not be written are a failure, whatever came before. */
static int close_output(int code)
{
	errno = 0;
	bool failed = fflush(stdout) != 0 || ferror(stdout);
	if (failed) {
		fprintf(stderr, "error[E0501]: cannot write standard output: %s\n", strerror(errno ? errno : EIO));
		return engine_worse(code, 6);
	}
	return code;
}

int main(int argc, char **argv)
{
	CmdLine c = {0};
	const char *term = getenv("TERM");
	c.engine.output = stdout;
	c.engine.error = stderr;
	c.engine.threads = 1;
	c.engine.save_seconds = 30;
	c.engine.interrupted = &interrupted;
	c.engine.exhausted = on_exhausted;
	set_signals();
	int code = cmd_line_read(&c, argc, argv);
	if (code == 0) {
		c.engine.colour = wants_colour(&c, stderr);
		c.engine.terminal = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
		if (c.help && c.command) {
			cmd_help(&c, strcmp(c.command->name, "help") == 0 ? NULL : c.command, stdout);
		} else {
			code = c.command->run(&c);
		}
	}
	cmd_line_free(&c);
	return close_output(code);
}
