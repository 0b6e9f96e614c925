/* cmd_emit_text.c — emit --from core: the text of a stage read back and taken on to a later one, so that
 * a pass can be tried on an input written by hand. */
#include "compiler/cmd.h"
#include "compiler/deriv.h"
#include "lang/simplify.h"
#include "lang/unit.h"

static bool take_on(Engine *e, const CoreProgram *p, int stage)
{
	Arena *scratch = e->scratch;
	if (stage >= 1 && !deriv_resolve(p->core, scratch, e->ctx.diags, p->n, p->root)) {
		return false;
	}
	if (stage >= 2) {
		core_simplify(p->core, scratch, 0, p->n, p->root);
	}
	const char *why = core_check(p->core, p->n, p->root, stage == 0);
	if (why) {
		diag_internal(e->ctx.diags, (Span){0}, why);
	}
	return !why;
}

int cmd_emit_text(CmdLine *c, int stage)
{
	Engine *e = engine_create(&c->engine);
	if (!e) {
		return 6;
	}
	if (engine_load(e, c->word[0])) {
		Core *core = core_create(e->ctx.arena, e->ctx.names);
		UnitTable *units = unit_table(e->ctx.arena, e->ctx.names);
		CoreProgram *p = core_read_text(&e->ctx, core, (struct UnitTable *)units, e->file);
		if (p && take_on(e, p, stage)) {
			core_print(p, (const struct UnitTable *)units, c->engine.output);
		}
	}
	return cmd_close(e, 0);
}
