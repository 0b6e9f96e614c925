/* main.c — the roof: reads the command line, sets up streams and signals, ends the process. */
#include "compiler/cmd.h"
#include "compiler/target.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The write end of a pipe has a number of its own, so that the handler needs no variable. Libraries
 * may have threads that were made before main, so signals cannot simply be blocked and waited for.
 */
enum { SIGNAL_PIPE = 211 };

static void on_signal(int number)
{
	int saved = errno;
	char byte = (char)number;
	ssize_t n = write(SIGNAL_PIPE, &byte, 1);
	(void)n; /* the pipe is full: nobody listens any more, or enough was said */
	errno = saved;
}

typedef struct Listener {
	pthread_t thread;
	int pipe; /* its read end */
	bool running;
	Interrupts interrupts;
} Listener;

/* What was printed so far is written, unless somebody is at it or nobody reads: then the alarm ends
 * the process. */
static _Noreturn void end_now(int number)
{
	signal(SIGALRM, SIG_DFL);
	alarm(1);
	if (ftrylockfile(stdout) == 0) {
		fflush(stdout);
	}
	if (number == SIGTERM) {
		signal(SIGTERM, SIG_DFL);
		kill(getpid(), SIGTERM);
	}
	_exit(128 + number);
}

static void *listen_to_signals(void *data)
{
	Listener *l = data;
	const Interrupts *now = &l->interrupts;
	char number;
	while (read(l->pipe, &number, 1) == 1) {
		bool gentle = (now->training || now->interactive) && !now->asked;
		bool waiting = now->at_prompt && now->interactive;
		if (waiting ? number == SIGTERM : !gentle) {
			end_now(number);
		}
		l->interrupts.asked = 1;
	}
	return NULL;
}

static void on_exhausted(void *data, size_t wanted)
{
	(void)data;
	fflush(stdout);
	fprintf(stderr, "error[E0503]: not enough memory for the equations of the program\n"
			"  = note: %zu bytes are not there\n"
			"  = help: what is read twice at every step of a chain of definitions may double at each; "
			"parts of the program by themselves show where\n",
		wanted);
	_exit(6);
}

/* Files of results are renamed into place when they are whole: nothing half written stays. */
static void on_llvm_failure(const char *reason)
{
	fflush(stdout);
	fprintf(stderr, "error[E0590]: the compiler made a mistake: LLVM failed: %s\n", reason);
	_exit(70);
}

static bool wants_colour(const CmdLine *c, FILE *f)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
	if (c->colour && strcmp(c->colour, "auto") != 0) {
		return strcmp(c->colour, "always") == 0;
	}
	return isatty(fileno(f)) && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}

static void listen_begin(Listener *l)
{
	int ends[2];
	/* A reader that went away is a write error, to be reported as one. */
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(ends, O_CLOEXEC) != 0) {
		return;
	}
	l->pipe = ends[0];
	if (dup3(ends[1], SIGNAL_PIPE, O_CLOEXEC) == SIGNAL_PIPE &&
	    pthread_create(&l->thread, NULL, listen_to_signals, l) == 0) {
		l->running = true;
		struct sigaction action;
		memset(&action, 0, sizeof action);
		action.sa_handler = on_signal;
		action.sa_flags = SA_RESTART;
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
	}
	close(ends[1]);
}

static void listen_end(Listener *l)
{
	if (l->running) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		/* The thread reads the end of the pipe. Cancelling it instead would load a library. */
		close(SIGNAL_PIPE);
		pthread_join(l->thread, NULL);
	}
}

/* Results that could not be written are a failure, whatever came before. */
static int close_output(int code)
{
	errno = 0;
	bool failed = fflush(stdout) != 0 || ferror(stdout);
	if (failed) {
		fprintf(stderr, "error[E0501]: cannot write standard output: %s\n",
			strerror(errno ? errno : EIO));
		return engine_worse(code, 6);
	}
	return code;
}

int main(int argc, char **argv)
{
	CmdLine c = {0};
	Listener listener = {0};
	const char *term = getenv("TERM");
	c.engine.output = stdout;
	c.engine.error = stderr;
	c.engine.threads = 1;
	c.engine.save_seconds = 30;
	c.engine.interrupted = &listener.interrupts.asked;
	c.engine.training = &listener.interrupts.training;
	c.interrupts = &listener.interrupts;
	c.engine.exhausted = on_exhausted;
	listen_begin(&listener);
	target_on_fatal(on_llvm_failure);
	int code = cmd_line_read(&c, argc, argv);
	if (code == 0) {
		c.engine.colour = wants_colour(&c, stderr);
		c.engine.terminal = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
		if (c.help && c.command) {
			cmd_help(&c, strcmp(c.command->name, "help") == 0 ? NULL : c.command,
				 stdout);
		} else {
			code = c.command->run(&c);
		}
	}
	cmd_line_free(&c);
	listen_end(&listener);
	return close_output(code);
}
