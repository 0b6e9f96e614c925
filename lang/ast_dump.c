/* ast_dump.c — the tree itself, one node a line: kind, name, spelling, number, flags and the bytes
 * it covers. */
#include <stdio.h>
#include <string.h>

#include "lang/ast.h"

static void dump_flags(const Ast *node, FILE *out)
{
	static const char *const names[] = {
		"integer", "percent",    "filter",      "in",      "draw",       "eq",
		"from",    "after_semi", "shared",      "steps",   "epochs",     "periodic",
		"path",    "fn",         "layer",       "net",     "activation", "to",
		"seed",    "thaw",       "equivariant", "maximize",
		"complete"};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if (node->flags >> i & 1) {
			fprintf(out, " +%s", names[i]);
		}
	}
}

static void dump(const Ast *node, const Intern *names, FILE *out, unsigned depth)
{
	fprintf(out, "%*s", (int)(2 * depth), "");
	if (!node) {
		fputs("-\n", out);
		return;
	}
	fputs(ast_kind_name(node->kind), out);
	if (node->name) {
		fprintf(out, " %s", node->kind == AST_STR ? "" : intern_text(names, node->name));
	}
	if (node->text && node->text != node->name) {
		fprintf(out, " `%s`", intern_text(names, node->text));
	}
	if (node->kind == AST_PARTIAL || node->kind == AST_DVAR) {
		fprintf(out, " %.0f", node->num);
	}
	dump_flags(node, out);
	fprintf(out, "  %u-%u\n", (unsigned)node->span.lo, (unsigned)node->span.hi);
	for (uint32_t i = 0; i < node->nkid; i++) {
		dump(node->kid[i], names, out, depth + 1);
	}
}

void ast_dump(const Ast *node, const Intern *names, FILE *out)
{
	dump(node, names, out, 0);
}
