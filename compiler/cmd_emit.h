/* cmd_emit.h — what the files of the command emit share. */
#ifndef PNN_COMPILER_CMD_EMIT_H
#define PNN_COMPILER_CMD_EMIT_H
#include "compiler/plan.h"
#include "lang/diag.h"
#include <stdio.h>

/* Prints a plan's module, or its assembly, for a processor (a name of target.h). False after a
 * diagnostic. */
bool cmd_emit_code(const Plan *p, const char *cpu, bool assembly, FILE *out, Diags *ds);
#endif
