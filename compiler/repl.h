/* repl.h — the prompt: what its files share. */
#ifndef PNN_COMPILER_REPL_H
#define PNN_COMPILER_REPL_H
#include "compiler/cmd.h"
#include <histedit.h>

typedef struct Repl {
	CmdLine *line;
	Engine *e;
	const char *file; /* the program that was loaded, or NULL */
	char *loaded;     /* its name if it was typed; malloc */
	char **settings;  /* typed by :set; malloc */
	size_t nsetting;
	bool terminal;
	bool more; /* a text is under way */
	bool quit;
	char *text; /* what was typed of it so far; malloc */
	size_t n, room;
	EditLine *editor; /* on a terminal */
	History *history;
	char *history_path;
	char prompts[2][8]; /* of a new text, of one under way */
	char *input;        /* the last line that did not come from a terminal; malloc */
} Repl;

/* ---- repl.c */
/* Elaborates and carries out a text; what is wrong is shown. False if there were errors. */
bool repl_execute(Repl *r, const char *text, size_t n);
/* A new engine with the program of r->file, if any, carried out. False when memory is out. */
bool repl_restart(Repl *r);
/* ---- repl_command.c */
/* A line that begins with : or ?. */
void repl_command(Repl *r, const char *line);
/* Names of the commands (":type"), NULL past the end. */
const char *repl_command_name(unsigned k);
/* ---- repl_edit.c */
bool repl_edit_begin(Repl *r);
void repl_edit_end(Repl *r);
/* The next line without its newline, or NULL at the end of input; valid until the next call. */
const char *repl_edit_line(Repl *r, size_t *n);
#endif
