/* cmd_emit_code.c — emit --stage llvm|asm: the code of a plan as text, for any target. */
#include "compiler/cmd_emit.h"
#include "compiler/gen.h"
#include "compiler/target.h"
#include <stdlib.h>

/* The module of a plan; NULL after a message. */
static LLVMModuleRef module_of(const Plan *p, const Target *t, Arena *arena, LLVMContextRef context)
{
	Gen g = {.plan = p, .arena = arena};
	ir_begin(&g.ir, context, "plan", target_ir(t), p->real_bytes);
	target_prepare(t, g.ir.mod);
	bool good = gen_plan(&g, p);
	ir_end(&g.ir);
	if (!good) {
		LLVMDisposeModule(g.ir.mod);
	}
	return good ? g.ir.mod : NULL;
}

static bool print_module(LLVMModuleRef m, const Target *t, bool assembly, FILE *out, Diags *ds)
{
	char *why = NULL;
	size_t size;
	if (!target_verify(m, &why)) {
		diag_internal(ds, (Span){0}, why ? why : "the verifier refuses the module");
	} else if (assembly) {
		char *text = target_emit(t, m, true, &size, &why);
		if (text) {
			fputs(text, out);
		} else {
			diag_internal(ds, (Span){0}, why ? why : "no assembly");
		}
		free(text);
	} else {
		char *text = LLVMPrintModuleToString(m);
		fputs(text, out);
		LLVMDisposeMessage(text);
	}
	bool good = !why;
	free(why);
	return good;
}

bool cmd_emit_code(const Plan *p, const char *cpu, bool assembly, FILE *out, Diags *ds)
{
	char *why = NULL;
	Target *t = target_create(cpu, &why);
	Arena *arena = arena_create_like(p->arena);
	LLVMContextRef context = LLVMContextCreate();
	LLVMModuleRef m = t && arena ? module_of(p, t, arena, context) : NULL;
	bool good = m && print_module(m, t, assembly, out, ds);
	if (!m) {
		diag_internal(ds, (Span){0}, why ? why : "the plan has no code");
	}
	if (m) {
		LLVMDisposeModule(m);
	}
	LLVMContextDispose(context);
	arena_free(arena);
	target_free(t);
	free(why);
	return good;
}
