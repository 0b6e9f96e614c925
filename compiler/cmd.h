/* cmd.h — the commands of pnnc: each takes a parsed command line and returns an exit code. */
#ifndef PNN_COMPILER_CMD_H
#define PNN_COMPILER_CMD_H
#include "compiler/engine.h"

typedef struct CmdLine {
	EngineOptions engine;
	const struct Command *command;
	int n; /* words that are not options, after the command */
	char **word;
	const char *stage; /* emit */
	const char *from;  /* emit --from core: the file is a text that emit printed */
	const char **wrt;  /* grad */
	int nwrt;
	const char **expression; /* eval -e */
	int nexpression;
	const char *weights; /* eval -w FILE */
	const char *csv;     /* eval --csv FILE */
	const char *output;  /* build -o FILE */
	const char *params;  /* build --params FILE */
	bool external_params, fortran, python, gradient; /* build */
	const char *of;      /* bench --of NAME */
	double seconds;      /* bench --for SECONDS */
	const char **set;    /* --set */
	int nset;
	bool latex, check, write, help, version;
	struct Interrupts *interrupts; /* main.c's view of Ctrl-C */
	const char *colour;
} CmdLine;

typedef struct Command {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *summary;
	const char *options; /* long names of its own options, blank-separated */
	int least, most;     /* words it takes; most -1: any number */
	int (*run)(CmdLine *c);
} Command;

/* The commands in the order of `pnnc help`; name NULL ends. */
const Command *cmd_table(void);
const Command *cmd_find(const char *name);

/* Reads argv into c. 0, or an exit code after a message on c->engine.error. Frees nothing:
 * cmd_line_free does. */
int cmd_line_read(CmdLine *c, int argc, char **argv);
void cmd_line_free(CmdLine *c);
/* A message about how pnnc was called; returns 2. */
int cmd_usage(const CmdLine *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cmd_help(const CmdLine *c, const Command *about, FILE *out);

int cmd_run(CmdLine *c);
int cmd_check(CmdLine *c);
int cmd_emit(CmdLine *c);
/* emit --from core: reads the text of a stage back and takes it on to a later one (0 core, 1 deriv,
 * 2 opt). */
int cmd_emit_text(CmdLine *c, int stage);
int cmd_grad(CmdLine *c);
int cmd_eval(CmdLine *c);
int cmd_info(CmdLine *c);
int cmd_cost(CmdLine *c);
int cmd_bench(CmdLine *c);
int cmd_build(CmdLine *c);
int cmd_fmt(CmdLine *c);
int cmd_explain(CmdLine *c);
int cmd_repl(CmdLine *c);
int cmd_cache(CmdLine *c);
/* Can code for c->engine.cpu run in this process? 0, or 6 after a message. */
int cmd_check_cpu(const CmdLine *c);
int cmd_version(CmdLine *c);
int cmd_show_help(CmdLine *c);

/* What Ctrl-C did: `asked` is set by the first one within a training or a statement of a prompt; a
 * second one ends the process, and outside of them the first one does, unless the prompt is waiting. */
typedef struct Interrupts {
	volatile sig_atomic_t asked, at_prompt;
	volatile sig_atomic_t training, interactive;
} Interrupts;

/* The same within an engine that is open: diagnostics stay in it. */
int cmd_grad_in(CmdLine *c, Engine *e);
bool cmd_emit_in(Engine *e, const char *stage);
bool cmd_cost_in(Engine *e);
/* The plan of a loss and its gradient in all parameters that it reaches; the caller frees it. NULL
 * after a diagnostic. */
struct Plan *cmd_gradient_plan(struct Run *r, const LossInfo *l);
void cmd_info_in(Engine *e, bool params, bool data);

/* What most commands begin with: an engine with the program of word k loaded, elaborated and
 * without mistakes. NULL with *code set after diagnostics were shown. */
Engine *cmd_open(CmdLine *c, int k, int *code);
/* Shows what diagnostics are left, frees the engine, returns the worse of code and theirs. */
int cmd_close(Engine *e, int code);
#endif
