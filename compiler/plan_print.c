/* plan_print.c — a plan as text: buffers with sizes and lives, then the steps. Same plan, same
 * bytes. */
#include "compiler/interp.h"
#include "lang/matrix.h"
#include <string.h>

static const char *const PLACE_NAME[PLACES] = {"leaf", "static", "global", "tile", "block"};

typedef struct Print {
	const Plan *p;
	FILE *out;
} Print;

/* Reductions mostly have no name. */
static const char *def_name(const Print *w, Def d)
{
	const char *name = intern_text(core_names(w->p->core), core_def(w->p->core, d)->name);
	return *name ? name : "_";
}

/* The name of an index, or of its axis. */
static const char *index_name(const Print *w, Index i)
{
	const Core *c = w->p->core;
	if (!i) {
		return "-";
	}
	const char *own = intern_text(core_names(w->p->core), core_index_name(c, i));
	const AxisInfo *axis = core_axis_info(c, core_index_axis(c, i));
	return *own ? own : intern_text(core_names(w->p->core), axis->name);
}

static void print_access(const Print *w, const Access *a, uint32_t ndim)
{
	fprintf(w->out, "#%u[%lld", a->buffer->id, (long long)a->base);
	for (uint32_t k = 0; k < a->nslot; k++) {
		fprintf(w->out, " + %lld*$%u", (long long)a->slot[k].coef, a->slot[k].slot);
	}
	for (uint32_t d = 0; d < ndim; d++) {
		if (a->stride[d]) {
			fprintf(w->out, " + %lld*d%u", (long long)a->stride[d], d);
		}
	}
	fputc(']', w->out);
}

static void print_operand(const Print *w, const Nest *n, uint32_t o)
{
	uint32_t regs = n->nreg + n->nuniform;
	if (o == OPERAND_NONE) {
		fputs(" -", w->out);
	} else if (o < regs) {
		fprintf(w->out, o < n->nreg ? " r%u" : " u%u", o < n->nreg ? o : o - n->nreg);
	} else if (o < regs + n->naccess) {
		fprintf(w->out, " @%u", o - regs);
	} else {
		int64_t bits;
		double v = n->constant[o - regs - n->naccess];
		memcpy(&bits, &v, sizeof bits);
		if (bits > -((int64_t)1 << 40) && bits < (int64_t)1 << 40 && bits != 0) {
			fprintf(w->out, " %lld", (long long)bits);
		} else {
			fprintf(w->out, " %.17g", v);
		}
	}
}

static void print_dims(const Print *w, uint32_t n, const Dim *dim, const char *note)
{
	for (uint32_t d = 0; d < n; d++) {
		fprintf(w->out, " %s%s=%lld..%lld%s", dim[d].bound ? "sum " : "",
			index_name(w, dim[d].index), (long long)dim[d].lo,
			(long long)(dim[d].lo + dim[d].size - 1), dim[d].tiled ? " tiled" : "");
	}
	fputs(note, w->out);
}

static void print_nest(const Print *w, const Nest *n, int depth)
{
	fprintf(w->out, "nest");
	for (uint32_t k = 0; k < n->ndef; k++) {
		fprintf(w->out, " %s", def_name(w, n->def[k]));
	}
	fputs(" over", w->out);
	print_dims(w, n->ndim, n->dim, "");
	fprintf(w->out, "; strip %u%s%s\n", n->strip, n->flat ? ", merged" : "",
		n->accumulate ? ", joins" : "");
	for (uint32_t k = 0; k < n->naccess; k++) {
		fprintf(w->out, "%*s@%u = ", depth + 2, "", k);
		print_access(w, &n->access[k], n->ndim);
		fputc('\n', w->out);
	}
	for (uint32_t k = 0; k < n->ncode; k++) {
		const Instr *in = &n->code[k];
		fprintf(w->out, "%*s%s%s", depth + 2, "", in->uniform ? "one " : "",
			vm_name(in->op));
		print_operand(w, n, in->dst);
		fputs(" <-", w->out);
		if (in->a != OPERAND_NONE) {
			print_operand(w, n, in->a);
		}
		if (in->b != OPERAND_NONE) {
			print_operand(w, n, in->b);
		}
		if (in->c != OPERAND_NONE) {
			print_operand(w, n, in->c);
		}
		if (in->op == VM_CALL || in->op == VM_MAP) {
			fprintf(w->out, " %s", op_info((Op)in->i)->id);
		} else if (in->i || in->j) {
			fprintf(w->out, " i=%lld j=%lld", (long long)in->i, (long long)in->j);
		}
		if (in->k != 0 || in->k2 != 0) {
			fprintf(w->out, " k=%.17g k2=%.17g", in->k, in->k2);
		}
		fputc('\n', w->out);
	}
	if (n->acc != OPERAND_NONE) {
		fprintf(w->out, "%*sreduce", depth + 2, "");
		print_operand(w, n, n->acc);
		fprintf(w->out, " to @%u\n", n->out);
	}
}

static void print_gemm_dim(const Print *w, const char *sort, const GemmDim *d)
{
	fprintf(w->out, " %s %s%lld", sort, d->tiled ? "<=" : "", (long long)d->size);
}

static void print_gemm(const Print *w, const Gemm *g)
{
	static const char *const FORM[] = {"panel", "dot"};
	fprintf(w->out, "contract %s += %.17g*%s*%s (%s%s):", def_name(w, g->result), g->alpha,
		def_name(w, g->left), def_name(w, g->right), FORM[g->form],
		g->pack ? ", packed" : "");
	if (g->fresh && g->from.buffer) {
		fprintf(w->out, " from #%u", g->from.buffer->id);
	} else if (g->fresh) {
		fputs(" from 0", w->out);
	}
	print_gemm_dim(w, "m", &g->m);
	print_gemm_dim(w, "n", &g->n);
	print_gemm_dim(w, "k", &g->k);
	for (uint32_t k = 0; k < g->nouter; k++) {
		print_gemm_dim(w, "around", &g->outer[k]);
	}
	fprintf(w->out, "; #%u #%u #%u", g->c.buffer->id, g->a.buffer->id, g->b.buffer->id);
	if (g->filter.buffer) {
		fprintf(w->out, " where #%u", g->filter.buffer->id);
	}
	fputc('\n', w->out);
}

static void print_matrix(const Print *w, const MatrixStep *s)
{
	for (uint32_t k = 0; k < s->nout; k++) {
		fprintf(w->out, "%s%s %s", k ? ", " : "", matrix_op(s->out[k].red)->name,
			def_name(w, s->out[k].def));
	}
	fprintf(w->out, " of %lldx%lld:", (long long)s->size[0], (long long)s->size[1]);
	print_dims(w, s->naround, s->dim, "; ");
	print_access(w, &s->in, s->naround);
	for (uint32_t k = 0; k < s->nout; k++) {
		fputs(" -> ", w->out);
		print_access(w, &s->out[k].at, s->naround);
	}
	fputc('\n', w->out);
}

static void print_block(const Print *w, const Block *b, int depth);

static void print_loop(const Print *w, const Loop *l, int depth)
{
	if (l->tile) {
		const AxisInfo *a = core_axis_info(w->p->core, l->axis);
		fprintf(w->out,
			"tiles $%u of %s: %lld records, %lld a tile, %u blocks, %zu doubles a "
			"tile, %zu accumulators\n",
			l->slot, intern_text(core_names(w->p->core), a->name),
			(long long)l->samples, (long long)l->width, l->nblock, l->local,
			l->accumulators);
	} else {
		fprintf(w->out, "loop $%u %s = %lld..%lld %s\n", l->slot, index_name(w, l->index),
			(long long)l->lo, (long long)l->hi, l->down ? "down" : "up");
	}
	print_block(w, &l->body, depth + 2);
}

static void print_block(const Print *w, const Block *b, int depth)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		fprintf(w->out, "%*s%u: ", depth, "", s->number);
		if (s->region) {
			fprintf(w->out, "rows %u ", s->region);
		}
		for (uint32_t q = 0; q < s->ncond; q++) {
			fprintf(w->out, "if $%u in %lld..%lld ", s->cond[q].slot,
				(long long)s->cond[q].in.lo, (long long)s->cond[q].in.hi);
		}
		switch (s->tag) {
		case STEP_NEST:
			print_nest(w, s->nest, depth);
			break;
		case STEP_GEMM:
			print_gemm(w, s->gemm);
			break;
		case STEP_FILL:
			fprintf(w->out, "fill %s with %g:", def_name(w, s->fill->def),
				s->fill->value);
			print_dims(w, s->fill->ndim, s->fill->dim, "\n");
			break;
		case STEP_MATRIX:
			print_matrix(w, s->matrix);
			break;
		case STEP_LOOP:
			print_loop(w, s->loop, depth);
			break;
		}
	}
}

void plan_print(const Plan *p, FILE *out)
{
	Print w = {p, out};
	fprintf(out, "memory: %zu static, %zu global, %zu tile, %zu block doubles\n",
		p->place_count[PLACE_STATIC], p->place_count[PLACE_GLOBAL],
		p->place_count[PLACE_TILE], p->place_count[PLACE_BLOCK]);
	for (uint32_t k = 0; k < p->nbuffer; k++) {
		const Buffer *b = p->buffer[k];
		fprintf(out, "#%u %s %s: %zu", b->id, PLACE_NAME[b->place], def_name(&w, b->def),
			b->count);
		if (b->place != PLACE_LEAF) {
			fprintf(out, " at %zu", b->offset);
		}
		if (b->birth <= b->death && b->place != PLACE_BLOCK) {
			fprintf(out, ", steps %u..%u", b->birth, b->death);
		}
		fputc('\n', out);
	}
	fputs("when data change:\n", out);
	print_block(&w, &p->fixed, 2);
	fputs("every run:\n", out);
	print_block(&w, &p->body, 2);
}
