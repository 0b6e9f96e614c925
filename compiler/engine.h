/* engine.h — one compilation and run as an object: the embeddable interface below the command line
 * and the prompt. An engine owns its arenas, names, sources, diagnostics, environment and values;
 * nothing is shared between engines. */
#ifndef PNN_COMPILER_ENGINE_H
#define PNN_COMPILER_ENGINE_H
#include "lang/elab.h"
#include <signal.h>
#include <stdio.h>

#define PNNC_VERSION "0.2.0"

/* What runs plans: compiled code where it pays, or always; or the interpreter. */
typedef enum { BACKEND_AUTO, BACKEND_JIT, BACKEND_INTERPRET } BackendKind;

/* Figures: drawn; drawn, with gnuplot's commands kept beside them; the commands alone; nothing. */
typedef enum { PLOTS_DRAW, PLOTS_KEEP, PLOTS_SCRIPT, PLOTS_NONE } PlotsKind;

typedef struct EngineOptions {
	bool quiet;           /* no progress, no tables */
	unsigned verbose;     /* 1: what was read and made; 2: more */
	bool colour;          /* of diagnostics */
	bool json;            /* diagnostics as one JSON object per line */
	bool terminal;        /* `error` is a terminal that can redraw a line */
	bool embedded_values; /* the prompt: values without decoration */
	uint64_t seed;        /* of all random numbers */
	unsigned threads;
	BackendKind backend;
	unsigned real_bytes;  /* of trainings: 8 or 4; 0: as the program says */
	const char *cpu;      /* what runs compiled code, a name of target.h; NULL: the processor at hand */
	PlotsKind plots;
	bool no_cache;        /* compiled code is not kept on disk */
	uint32_t nset;
	const char *const *set; /* "NAME=VALUE" */
	const char *out_dir;    /* folder of files that the program writes, or NULL */
	const char *metrics;    /* file of events, or NULL */
	const char *resume;     /* checkpoint, or NULL */
	double save_seconds;    /* least time between two checkpoints inside a training */
	int64_t save_steps;     /* steps between two checkpoints; 0: by time */
	FILE *output, *error;   /* results; everything else */
	const volatile sig_atomic_t
		*interrupted; /* nonzero asks to stop after the present step; NULL: never */
	volatile sig_atomic_t *training; /* nonzero while `interrupted` will be looked at; may be NULL */
	void (*exhausted)(void *data, size_t wanted); /* memory is out; must not return */
} EngineOptions;

typedef struct Engine {
	EngineOptions options;
	Arena *arena, *scratch; /* for the engine's life; for one pass */
	ParseCtx ctx;           /* arena, names, sources, diagnostics */
	Elab *elab;
	uint32_t file; /* number of the program's text */
	const Ast *ast;
	Program *program;
	int worst;       /* exit code of what was shown so far */
	struct Run *run; /* made by engine_run_state */
} Engine;

/* A new engine with the prelude loaded, or NULL when memory is out. Texts that options point to
 * must outlive it. */
Engine *engine_create(const EngineOptions *options);
/* Frees everything; NULL is allowed. */
void engine_free(Engine *e);
/* Reads a file ("-": standard input) and registers it; 0 after diagnostic E0502. Sets e->file. */
uint32_t engine_load(Engine *e, const char *path);
/* Parses the loaded text. False if there are errors. */
bool engine_parse(Engine *e);
/* Parses and elaborates the loaded text into e->program. False if there are errors. */
bool engine_elaborate(Engine *e);
/* The loaded program with all derivatives carried out, as far as claims, losses and trainings need
 * them: finds the mistakes that only differentiation sees. False if there are errors. */
bool engine_check_derivatives(Engine *e);
/* Is the parameter reached by a loss or by what some training minimises? */
bool engine_in_loss(const struct Run *r, const ParamInfo *p);
/* Warnings about the whole program: definitions that nothing reads, single precision with high
 * derivatives. */
void engine_warn(Engine *e);
/* Highest order to which derivatives are nested in what a value reaches; before they are carried
 * out. */
unsigned engine_derivative_order(struct Run *r, Node value);
/* The state of a run of this program: leaves in a store, created at the first call. NULL when
 * memory is out. */
struct Run *engine_run_state(Engine *e);
/* Shows and forgets all diagnostics so far; returns the exit code of the worst since the engine
 * began. */
int engine_flush(Engine *e);
/* The exit code if shown diagnostics and those still waiting end the program now. */
int engine_exit_code(const Engine *e);
/* The program's identity: SHA-256 of the canonical text and the settings, as hexadecimal text in
 * the arena. */
const char *engine_hash(Engine *e);
/* path itself if it is absolute, else under the output folder; in the arena. */
const char *engine_out_path(Engine *e, const char *path);
/* A file that the program reads: as given from the current folder, else beside the program's text;
 * in the arena. */
const char *engine_in_path(Engine *e, const char *path);
/* The worse of two exit codes: 70, 2, 3, 6, 4, 5, 130, 1, 0 in this order. */
int engine_worse(int a, int b);

/* Texts built into the program. The library module ("prelude"), or NULL; the page of a diagnostic
 * ("E0203"), or NULL. */
const char *stdlib_text(const char *module);
const char *explain_text(const char *code);
#endif
