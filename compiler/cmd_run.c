/* cmd_run.c — run and check. */
#include "compiler/claims.h"
#include "compiler/cmd.h"
#include "compiler/run_int.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The output folder is made if it is missing: its parent must be there. */
static bool make_folder(Engine *e)
{
	const char *dir = e->options.out_dir;
	if (!dir || mkdir(dir, 0777) == 0 || errno == EEXIST) {
		return true;
	}
	diag_cannot_write(e->ctx.diags, (Span){0}, dir, strerror(errno));
	return false;
}

int cmd_run(CmdLine *c)
{
	int code;
	Engine *e = cmd_open(c, 0, &code);
	if (!e) {
		return code;
	}
	engine_warn(e);
	engine_flush(e);
	Run *r = make_folder(e) ? engine_run_state(e) : NULL;
	if (r) {
		code = run_program(r);
		run_finish(r);
	}
	return cmd_close(e, code);
}

/* ---- check ---- */

static bool reads_data(const Run *r, Def d)
{
	const Program *p = r->program;
	if (!d) {
		return false;
	}
	Node n = core_read_plain(r->core, d, core_def(r->core, d)->index);
	for (uint32_t k = 0; k < p->ndata; k++) {
		for (uint32_t j = 0; j < p->data[k]->nfield; j++) {
			if (core_depends(r->core, n, p->data[k]->field[j].leaf)) {
				return true;
			}
		}
	}
	return false;
}

static bool needs_data(const Run *r, const Claim *c)
{
	for (uint32_t k = 0; k < c->nvar; k++) {
		if (c->var[k].kind == SAMPLE_RECORD) {
			return true;
		}
	}
	return reads_data(r, c->left) || reads_data(r, c->right) || reads_data(r, c->condition);
}

static bool reads_params(const Run *r, Def d)
{
	bool reads = false;
	for (uint32_t k = 0; d && k < r->program->nparam && !reads; k++) {
		Node n = core_read_plain(r->core, d, core_def(r->core, d)->index);
		reads = core_depends(r->core, n, r->program->param[k]->leaf);
	}
	return reads;
}

/* A parameter whose initial value needs a file or data cannot be made here. */
static bool params_at_hand(const Run *r)
{
	for (uint32_t k = 0; k < r->program->nparam; k++) {
		const ParamInfo *p = r->program->param[k];
		if (p->init_file || reads_data(r, p->init)) {
			return false;
		}
	}
	return true;
}

/* Tests that stand at top level and read no data are tried at once: they need no training. */
static void check_claims(Run *r)
{
	bool ready = false, possible = params_at_hand(r);
	for (uint32_t k = 0; k < r->program->nstmt; k++) {
		const Stmt *s = r->program->stmt[k];
		if (s->kind != STMT_TEST || needs_data(r, &s->u.claim)) {
			continue;
		}
		bool params = reads_params(r, s->u.claim.left) ||
			      reads_params(r, s->u.claim.right) ||
			      reads_params(r, s->u.claim.scale) ||
			      reads_params(r, s->u.claim.condition);
		if (params && !possible) {
			continue;
		}
		if (params && !ready) {
			ready = params_prepare(r);
			if (!ready) {
				return;
			}
		}
		if (!claims_test(r, s)) {
			return;
		}
	}
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static uint32_t count_claims(const Block *b)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < b->n; k++) {
		const Stmt *s = b->stmt[k];
		n += s->kind == STMT_TEST || s->kind == STMT_ASSERT;
		n += s->kind == STMT_SWEEP    ? count_claims(&s->u.sweep.body)
		     : s->kind == STMT_REPEAT ? count_claims(&s->u.repeat.body)
		     : s->kind == STMT_IF
			     ? count_claims(&s->u.branch.yes) + count_claims(&s->u.branch.no)
			     : 0;
	}
	return n;
}

static uint32_t count_axes(const Program *p)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->file->nkid; k++) {
		n += p->file->kid[k]->kind == AST_AXIS;
	}
	return n;
}

/* Sets that the program names: batches are made for it. */
static uint32_t count_data(const Program *p)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->ndata; k++) {
		n += p->data[k]->kind != DATA_BATCH;
	}
	return n;
}

static void verdict(Engine *e, const char *name)
{
	const Program *p = e->program;
	Run *r = e->run;
	if (e->options.quiet || !r) {
		return;
	}
	Block all = {p->nstmt, p->stmt};
	uint32_t claims = count_claims(&all), ndata = count_data(p);
	unsigned warnings = diags_warnings(e->ctx.diags), axes = count_axes(p);
	bool failed = diags_exit_code(e->ctx.diags) != 0;
	fprintf(e->options.output,
		"%s: %s, %u warning%s; %u %s, %u parameter%s, %u data set%s, %u loss%s, %u claim%s",
		name, failed ? "not well" : "ok", warnings, plural(warnings), axes,
		axes == 1 ? "axis" : "axes", p->nparam, plural(p->nparam), ndata,
		plural(ndata), p->nloss, p->nloss == 1 ? "" : "es", claims, plural(claims));
	if (r->claims) {
		fprintf(e->options.output, " (%u tried, %u failed)", r->claims, r->claims_failed);
	}
	fputc('\n', e->options.output);
}

int cmd_check(CmdLine *c)
{
	int worst = 0;
	for (int k = 0; k < c->n; k++) {
		int code;
		Engine *e = cmd_open(c, k, &code);
		if (e) {
			engine_warn(e);
			if (engine_check_derivatives(e)) {
				e->run->no_interaction = true;
				check_claims(e->run);
				verdict(e, c->word[k]);
			}
			code = cmd_close(e, 0);
		}
		worst = engine_worse(worst, code);
	}
	return worst;
}
