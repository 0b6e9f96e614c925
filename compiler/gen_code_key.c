/* gen_code_key.c — a text that says everything about the code of a nest's program. */
#include "compiler/gen_code.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST = 16 }; /* lanes of the longest vectors */

static void key_instr(FILE *out, const Instr *in)
{
	fprintf(out, "%u%s%s %u %u %u %u", in->op, in->uniform ? "u" : "", in->check ? "c" : "",
		in->dst, in->a, in->b, in->c);
	if (in->k != 0 || in->k2 != 0) {
		fprintf(out, " %a %a", in->k, in->k2);
	}
	if (in->i || in->j) {
		fprintf(out, " %" PRId64 " %" PRId64, in->i, in->j);
	}
	for (uint32_t q = 0; q < in->nmore; q++) {
		fprintf(out, " r%u", in->more[q]);
	}
	fputc(';', out);
}

/* Kind of the elements, stride along the lanes, and the first access to the same buffer. */
static void key_access(FILE *out, const Nest *nest, uint32_t k)
{
	const Access *a = &nest->access[k];
	int64_t stride = a->stride[nest->ndim - 1];
	uint32_t first = 0;
	while (nest->access[first].buffer != a->buffer) {
		first++;
	}
	fprintf(out, "%c%c", a->buffer->integer ? 'i' : 'r',
		stride == 0   ? '0'
		: stride == 1 ? '1'
			      : 's');
	if (first < k) {
		fprintf(out, "=%u", first);
	}
}

bool code_aligned(const Nest *nest)
{
	const Dim *lane = &nest->dim[nest->ndim - 1];
	return !lane->tiled && lane->lo % WIDEST == 0 && lane->size % WIDEST == 0;
}

const char *gen_code_key(Gen *g, const Nest *nest)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	fprintf(out, "%u %u %u,", nest->nreg, nest->nuniform, nest->naccess);
	for (uint32_t k = 0; k < nest->naccess; k++) {
		key_access(out, nest, k);
	}
	for (uint32_t k = 0; k < nest->nconst; k++) {
		int64_t bits;
		memcpy(&bits, &nest->constant[k], sizeof bits);
		fprintf(out, " %" PRIx64 "%s", bits, nest->constant_int[k] ? "i" : "");
	}
	fputc('|', out);
	bool labels = nest->red == RED_ARGMAX || nest->red == RED_ARGMIN, flips = false;
	for (uint32_t k = 0; k < nest->ncode; k++) {
		key_instr(out, &nest->code[k]);
		labels |= nest->code[k].op == VM_LABEL || nest->code[k].op == VM_IOTA;
		flips |= nest->code[k].op == VM_IXOR;
	}
	if (flips && code_aligned(nest)) {
		fputs("|a", out);
	}
	if (labels) { /* they name dimensions */
		fprintf(out, "|%u %u", nest->ndim, nest->nformal);
	}
	if (nest->acc != OPERAND_NONE) {
		fprintf(out, "|%d %u %u %u %u %u %d%d%d", (int)nest->red, nest->acc, nest->acc2,
			nest->value, nest->filter, nest->out, nest->integer, nest->accumulate,
			nest->lane_bound);
	}
	fclose(out);
	const char *key = arena_strdup(g->arena, text);
	free(text);
	return key;
}
