/* core_print.h — shared by core_print.c (text of lines) and core_lines.c (which lines). */
#ifndef PNN_LANG_CORE_PRINT_H
#define PNN_LANG_CORE_PRINT_H
#include <stdio.h>

#include "lang/core_text.h"

typedef struct Print {
	Core *c;
	Arena *a;
	const CoreProgram *program;
	struct UnitTable *units;
	FILE *out;
	Node *root;
	uint32_t n; /* definitions reached */
	Def *order;
	uint32_t *component;
	Def *line; /* printed definitions in the order of their lines */
	uint32_t nline;
	uint32_t *line_of; /* by definition; 0: none */
	bool *in_place, *axis_used;
	const char **def_name, **axis_name;
	char **names; /* all that are taken */
	size_t nname, namecap;
	CoreText text;
	uint32_t *block; /* by line: number of the last line of its strongly connected set */
	uint32_t now;    /* lines up to here have been given a head when this one is read back */
	bool **known;    /* by definition: formals whose axes the text tells */
	Def before;      /* definitions before printing began */
	Sym *output; /* by definition without a name of its own: that of the output that it is */
} Print;

bool core_print_leaf(const DefInfo *d);
/* Are all places of a read different plain index variables? */
bool core_print_distinct(const Core *c, const NodeInfo *p);
/* Finds the definitions that the roots reach, after giving names to large parts. */
void core_print_reach(Print *p);
void core_print_in_place(Print *p);
void core_print_order(Print *p);
void core_print_leaves_first(Print *p);
void core_print_find_axes(Print *p);
void core_print_name_axes(Print *p);
void core_print_name_definitions(Print *p);
bool core_print_names_definition(void *data, const char *name);
#endif
