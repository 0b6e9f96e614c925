/* build_link.c — a shared library through the system's C compiler, which alone knows how this
 * system links. Everything else is written without tools. */
#include "compiler/build_int.h"
#include "runtime/file.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool fail(const Library *l, const char *why, const char *help)
{
	Diag *d = diag_cannot_build(l->r->e->ctx.diags, l->span, l->path, why);
	if (help) {
		diag_help(d, "%s", help);
	}
	return false;
}

const char *build_compiler(const char *cpu)
{
	return cpu && strcmp(cpu, "aarch64") == 0 ? "aarch64-linux-gnu-gcc" : "cc";
}

/* What the compiler says goes to a file of its own, shown if it fails. */
static int run_compiler(char *const *arg, const char *said, int *status)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error = posix_spawn_file_actions_init(&actions);
	if (error) {
		return error;
	}
	posix_spawn_file_actions_addopen(&actions, 1, said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	error = posix_spawnp(&pid, arg[0], &actions, NULL, arg, environ);
	posix_spawn_file_actions_destroy(&actions);
	while (!error && waitpid(pid, status, 0) < 0) {
		error = errno == EINTR ? 0 : errno;
	}
	return error;
}

static const char *first_line(Library *l, const char *path)
{
	char *text;
	size_t n;
	RtError err;
	if (rt_file_read(path, 1 << 20, &text, &n, &err) != RT_OK) {
		return "it says nothing";
	}
	text[strcspn(text, "\n")] = 0;
	const char *line = arena_strdup(l->arena, text[0] ? text : "it says nothing");
	free(text);
	return line;
}

static bool link_files(Library *l, const char *object, const char *made, const char *said)
{
	const char *compiler = build_compiler(l->options->cpu), *slash = strrchr(l->path, '/');
	const char *soname = arena_printf(l->arena, "-Wl,-soname,%s", slash ? slash + 1 : l->path);
	const char *arg[] = {compiler, "-shared",         "-o",  made, object,
			     soname,   "-Wl,--as-needed", "-lm", NULL};
	int status = 0, error = run_compiler((char *const *)(uintptr_t)arg, said, &status);
	bool missing = error == ENOENT || (WIFEXITED(status) && WEXITSTATUS(status) == 127);
	if (missing) {
		return fail(l,
			    arena_printf(l->arena, "a shared library needs %s, which is not here",
					 compiler),
			    "build a .a or .o, which needs no tool, or install a C compiler");
	}
	if (error) {
		return fail(l, arena_printf(l->arena, "%s: %s", compiler, strerror(error)), NULL);
	}
	if (status) {
		return fail(l,
			    arena_printf(l->arena, "%s failed: %s", compiler, first_line(l, said)),
			    NULL);
	}
	if (chmod(made, 0755) != 0 || rename(made, l->path) != 0) {
		diag_cannot_write(l->r->e->ctx.diags, l->span, l->path, strerror(errno));
		return false;
	}
	return true;
}

bool build_shared(Library *l, const void *object, size_t size)
{
	const char *base = arena_printf(l->arena, "%s.%ld", l->path, (long)getpid());
	const char *o = arena_printf(l->arena, "%s.o", base),
		   *so = arena_printf(l->arena, "%s.so", base);
	const char *said = arena_printf(l->arena, "%s.txt", base);
	RtError err;
	if (rt_file_write(o, object, size, &err) != RT_OK) {
		diag_cannot_write(l->r->e->ctx.diags, l->span, l->path, run_reason(&err));
		return false;
	}
	bool ok = link_files(l, o, so, said);
	unlink(o);
	unlink(so);
	unlink(said);
	return ok;
}
