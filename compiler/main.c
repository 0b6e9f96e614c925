/* main.c — the roof: reads the command line, sets up streams and signals, ends the process. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "compiler/cmd.h"

/* Signals are received by a thread of their own, so that no state of the process is shared with a handler. */
static void *receive_signals(void *data)
{
	Interrupts *i = data;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	for (;;) {
		int number;
		if (sigwait(&set, &number) != 0) {
			return NULL;
		}
		if ((i->asked && !i->at_prompt) || (i->at_prompt && number == SIGTERM)) {
			_exit(128 + number);
		}
		i->asked = 1;
	}
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

/* True if *thread receives the signals from now on. */
static bool set_signals(Interrupts *interrupts, pthread_t *thread)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A reader that went away is a write error, to be reported as one. */
	signal(SIGPIPE, SIG_IGN);
	bool made = pthread_create(thread, NULL, receive_signals, interrupts) == 0;
	if (!made) {
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
	return made;
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
	Interrupts interrupts = {0, 0};
	const char *term = getenv("TERM");
	c.engine.output = stdout;
	c.engine.error = stderr;
	c.engine.threads = 1;
	c.engine.save_seconds = 30;
	c.engine.interrupted = &interrupts.asked;
	c.interrupts = &interrupts;
	c.engine.exhausted = on_exhausted;
	pthread_t thread;
	bool listening = set_signals(&interrupts, &thread);
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
	if (listening) {
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
	return close_output(code);
}
