/* plot_tool.c — gnuplot as a process, without a shell: commands from a file, the figure to another,
 * both open here, so that no name of a file is ever read by it. */
#include "compiler/plot.h"
#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int run_gnuplot(int in, int out, int said, int *status)
{
	/* -d: the user's own settings would change the figure. */
	const char *arg[] = {"gnuplot", "-d", "-", NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error = posix_spawn_file_actions_init(&actions);
	if (error) {
		return error;
	}
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, said, 2);
	error = posix_spawnp(&pid, arg[0], &actions, NULL, (char *const *)(uintptr_t)arg,
			     environ);
	posix_spawn_file_actions_destroy(&actions);
	while (!error && waitpid(pid, status, 0) < 0) {
		error = errno == EINTR ? 0 : errno;
	}
	return error;
}

/* The line of its complaint that says what is wrong: the one with "line N:" if there is one. */
static const char *complaint(Run *r, FILE *said)
{
	char line[512], best[512] = "";
	rewind(said);
	while (fgets(line, sizeof line, said)) {
		line[strcspn(line, "\n")] = 0;
		const char *p = line + strspn(line, " \t^");
		const char *colon = strncmp(p, "line ", 5) == 0 ? strstr(p, ": ") : NULL;
		if (colon || (p[0] && !best[0])) {
			snprintf(best, sizeof best, "%s", colon ? colon + 2 : p);
		}
		if (colon) {
			break;
		}
	}
	return arena_strdup(r->e->scratch, best[0] ? best : "it says nothing");
}

const char *plot_tool(Run *r, const char *script, size_t n, FILE *out)
{
	FILE *in = tmpfile(), *said = tmpfile();
	const char *why = NULL;
	int status = 0;
	if (!in || !said || fwrite(script, 1, n, in) != n || fflush(in) != 0) {
		why = arena_printf(r->e->scratch, "no room for its commands: %s", strerror(errno));
	} else {
		rewind(in);
		int error = run_gnuplot(fileno(in), fileno(out), fileno(said), &status);
		struct stat made;
		bool missing = error == ENOENT || error == EACCES ||
			       (!error && WIFEXITED(status) && WEXITSTATUS(status) == 127);
		if (missing) {
			why = "gnuplot is not here";
		} else if (error) {
			why = arena_printf(r->e->scratch, "gnuplot: %s", strerror(error));
		} else if (status != 0) {
			why = arena_printf(r->e->scratch, "gnuplot failed: %s", complaint(r, said));
		} else if (fstat(fileno(out), &made) == 0 && made.st_size == 0) {
			why = "gnuplot made an empty file";
		}
	}
	if (in) {
		fclose(in);
	}
	if (said) {
		fclose(said);
	}
	return why;
}

/* ---- as characters ---- */

enum { TEXT_COLUMNS = 64, TEXT_ROWS = 22 };

void plot_text_field(const Figure *f, FILE *out)
{
	static const char ramp[] = " .:-=+*#%@";
	const PlotScale *z = &f->scale[PLOT_Z];
	size_t columns = f->nx < TEXT_COLUMNS ? f->nx : TEXT_COLUMNS,
	       rows = f->ny < TEXT_ROWS ? f->ny : TEXT_ROWS;
	for (size_t i = 0; i < rows; i++) {
		size_t row = (f->downwards ? i : rows - 1 - i)*f->ny/rows;
		fputs("  ", out);
		for (size_t j = 0; j < columns; j++) {
			size_t at = row*f->nx + j*f->nx/columns;
			double v = f->z2 ? hypot(f->z[at], f->z2[at]) : f->z[at];
			double u = z->hi > z->lo ? (v - z->lo)/(z->hi - z->lo) : 0;
			fputc(isfinite(u) ? ramp[(int)fmin(9.999*u, 9)] : '?', out);
		}
		fputc('\n', out);
	}
	fprintf(out, "  %s: ' ' = %.4g … '@' = %.4g", z->title ? z->title : "", z->lo, z->hi);
	fprintf(out, "; %s %.4g … %.4g to the right, %s %.4g … %.4g %s\n",
		f->scale[PLOT_X].title, f->scale[PLOT_X].lo, f->scale[PLOT_X].hi,
		f->scale[PLOT_Y].title, f->scale[PLOT_Y].lo, f->scale[PLOT_Y].hi,
		f->downwards ? "downwards" : "upwards");
}
