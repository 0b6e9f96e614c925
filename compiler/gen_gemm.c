/* gen_gemm.c — a contraction of the plan as calls of kernels.
 *
 * Which kernel, and which blocks, follows from what is known when compiling: sizes, strides and
 * places; never from the number of records of a tile or from the number of threads, so that the
 * order of additions is always the same. */
#include "compiler/gen_gemm.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

typedef struct Call {
	Gen *gen;
	Ir *g;
	const GenPlace *w;
	const Gemm *gemm;
	LLVMValueRef m, n, k;    /* sizes now */
	int64_t sm, sn, sk;      /* the same where known, else 0 */
	LLVMValueRef a, b, c, f; /* addresses, at the present place of the dimensions around */
	LLVMValueRef filter;     /* the same, NULL: none */
	GemmFrom from;
	int64_t fm, fn; /* strides of F */
	bool pack;
} Call;

static LLVMValueRef bytes(const Call *x, int64_t elements)
{
	return ir_int(x->g, elements * (int64_t)x->g->real_bytes);
}

static LLVMValueRef move(Call *x, LLVMValueRef base, LLVMValueRef by)
{
	return by ? LLVMBuildGEP2(x->g->b, x->g->i8, base, &by, 1, "") : base;
}

static LLVMValueRef size_now(Call *x, const GemmDim *d, int64_t *known)
{
	bool here = d->tiled && x->w->partial;
	*known = here ? 0 : d->tiled ? x->w->width : d->size;
	return here ? x->w->lanes : ir_int(x->g, *known);
}

static void call(Call *x, LLVMValueRef f, unsigned n, LLVMValueRef *arg)
{
	LLVMBuildCall2(x->g->b, LLVMGlobalGetValueType(f), f, arg, n, "");
}

/* ---- panels ---- */

/* Rows of an access hold the tile's records in whole groups of `lanes`? */
static bool padded_access(const Call *x, const Access *a, int64_t lanes)
{
	return a->buffer && a->buffer->place == PLACE_TILE && x->w->width % lanes == 0;
}

/* Columns past the last one may be read, computed and written. */
static bool padded_columns(const Call *x)
{
	const Gemm *g = x->gemm;
	int64_t vl = x->g->vl;
	return g->n.tiled && padded_access(x, &g->c, vl) &&
	       (x->pack || padded_access(x, &g->b, vl)) &&
	       (x->from != GEMM_FROM_ROW || !g->fresh || padded_access(x, &g->from, vl));
}

/* How B is packed. */
static PackKind pack_kind(Call *x, LLVMValueRef *last)
{
	const Gemm *g = x->gemm;
	int64_t side = gen_gemm_side(x->gen);
	*last = ir_int(x->g, INT64_MAX);
	if (g->k.b == 1 && g->k.tiled && padded_access(x, &g->b, side)) {
		return PACK_TURN; /* whole squares can be read */
	}
	if (g->k.b == 1 && x->sk >= side) {
		*last = ir_int(x->g, x->sk - side);
		return PACK_TURN;
	}
	return x->g->target.masks ? PACK_GATHER : PACK_ELEMENTS;
}

static void block_rows(const Call *x, GemmPanel *s)
{
	s->rows = gen_gemm_rows(x->gen, x->sm, s->vectors);
	s->rest = x->sm ? (unsigned)(x->sm % s->rows) : GEMM_ANY;
}

/* Columns from j0 on, in `stripes` stripes of this shape; n columns are left there. */
static void panel_part(Call *x, GemmPanel s, LLVMValueRef j0, LLVMValueRef stripes, LLVMValueRef n)
{
	const Gemm *g = x->gemm;
	Ir *ir = x->g;
	LLVMValueRef at = LLVMBuildMul(ir->b, j0, bytes(x, 1), "");
	LLVMValueRef arg[PACKED_PARAMS] = {x->m, x->k, stripes, n};
	arg[PANEL_A] = x->a;
	arg[PANEL_AM] = bytes(x, g->m.a);
	arg[PANEL_AK] = bytes(x, g->k.a);
	arg[PANEL_B] = move(x, x->b, LLVMBuildMul(ir->b, j0, bytes(x, g->n.b), ""));
	arg[PANEL_BK] = bytes(x, g->k.b);
	arg[PANEL_C] = move(x, x->c, at);
	arg[PANEL_CM] = bytes(x, g->m.c);
	arg[PANEL_F] = x->from == GEMM_FROM_ROW ? move(x, x->f, at) : x->f;
	arg[PANEL_FM] = bytes(x, x->fm);
	arg[PANEL_ALPHA] = ir_real(ir, g->alpha, 1);
	s.from = x->from;
	block_rows(x, &s);
	if (!x->pack) {
		call(x, gen_gemm_panel(x->gen, s), PANEL_PARAMS, arg);
		return;
	}
	PackKind kind = pack_kind(x, &arg[PACKED_LAST]);
	arg[PACKED_BN] = bytes(x, g->n.b);
	int64_t wide = s.vectors * s.lanes < ir->vl ? ir->vl : s.vectors * s.lanes;
	int64_t room = (g->k.size + ir->vl) * wide * ir->real_bytes;
	call(x, gen_gemm_packed(x->gen, s, kind, room > PANEL_ROOM), PACKED_PARAMS, arg);
}

/* Cycles for one k of all columns (of one vector of them if all is 0) in stripes of v vectors. */
static double stripes_cost(const Call *x, int64_t all, unsigned v)
{
	double cost, rest = 0;
	gen_gemm_rows_cost(x->gen, x->sm, v, &cost);
	if (!all) {
		return cost / v;
	}
	if (all % v) { /* two kernels */
		gen_gemm_rows_cost(x->gen, x->sm, (unsigned)(all % v), &rest);
		return ((double)(all / v) * cost + rest) * 1.03;
	}
	return cost * (double)(all / v);
}

/* Is the kernel there already? Its time to compile is saved; bits are the same with any block. */
static bool have_kernel(const Call *x, unsigned v)
{
	char key[GEMM_KEY];
	GemmPanel s = {.vectors = v, .lanes = x->g->vl, .from = x->from};
	block_rows(x, &s);
	gen_gemm_panel_key(s, key);
	return gen_kernel(x->gen, key) != NULL;
}

/* Vectors of a stripe for `all` vectors of columns (0: unknown number). shift: not one alone; 0 if
 * that cannot be. */
static unsigned stripe_vectors(const Call *x, int64_t all, bool shift)
{
	unsigned best = 0;
	double least = 0;
	for (unsigned v = 1; v <= 8 && (!all || v <= all) && v + 2 <= x->g->target.registers; v++) {
		if (shift && (v == 1 || all % v == 1)) {
			continue;
		}
		int64_t room = (x->gemm->k.size + x->g->vl) * v * x->g->target.vector_bytes;
		if (best && x->pack && room > PANEL_ROOM) {
			break;
		}
		double cost = stripes_cost(x, all, v) * (have_kernel(x, v) ? 0.95 : 1);
		if (!best || cost < least) {
			best = v;
			least = cost;
		}
	}
	return best;
}

/* Columns whose number is known, in vectors of `lanes`; they are all >= lanes. */
static void panel_vectors(Call *x, int64_t n, unsigned lanes, GemmTail tail)
{
	Ir *g = x->g;
	int64_t all = (n + lanes - 1) / lanes;
	unsigned v = stripe_vectors(x, all, tail == GEMM_SHIFT);
	if (!v) { /* hardly ever */
		v = stripe_vectors(x, all, false);
		tail = GEMM_MASK;
	}
	GemmPanel s = {.vectors = v, .lanes = lanes, .tail = all % v == 0 ? tail : GEMM_WHOLE};
	panel_part(x, s, ir_int(g, 0), ir_int(g, all / v), ir_int(g, n));
	if (all % v) {
		int64_t done = all / v * v * lanes;
		s.vectors = (unsigned)(all % v);
		s.tail = tail;
		panel_part(x, s, ir_int(g, done), ir_int(g, 1), ir_int(g, n - done));
	}
}

/* What is left of whole vectors is computed in a vector that begins earlier; few columns in shorter
 * vectors. */
static void panel_known(Call *x, int64_t n)
{
	unsigned lanes = x->g->vl;
	while (lanes > n) {
		lanes /= 2;
	}
	panel_vectors(x, n, lanes, n % lanes ? GEMM_SHIFT : GEMM_WHOLE);
}

/* Columns for the records of a tile that may be short. */
static void panel_records(Call *x)
{
	Ir *g = x->g;
	unsigned v = stripe_vectors(x, x->w->width / g->vl, false);
	GemmPanel s = {.vectors = v, .lanes = g->vl};
	LLVMValueRef wide = ir_int(g, (int64_t)v * g->vl);
	LLVMValueRef stripes = LLVMBuildUDiv(g->b, x->n, wide, "");
	panel_part(x, s, ir_int(g, 0), stripes, x->n);
	LLVMValueRef done = LLVMBuildMul(g->b, stripes, wide, "");
	LLVMValueRef left = LLVMBuildSub(g->b, x->n, done, "");
	GemmPanel end = {.vectors = 1,
			 .lanes = g->target.masks ? g->vl : 1,
			 .tail = g->target.masks ? GEMM_MASK : GEMM_WHOLE};
	LLVMValueRef up = LLVMBuildAdd(g->b, left, ir_int(g, end.lanes - 1), "");
	panel_part(x, end, done, LLVMBuildUDiv(g->b, up, ir_int(g, end.lanes), ""), left);
}

/* B is too long to be packed: column by column. */
static void panel_columns(Call *x)
{
	Ir *g = x->g;
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), x->n, 1, 0, NULL, true);
	x->pack = false;
	panel_part(x, (GemmPanel){.vectors = 1, .lanes = 1}, l.i, ir_int(g, 1), ir_int(g, 1));
	ir_loop_end(g, &l, NULL);
}

static void emit_panel(Call *x)
{
	Ir *g = x->g;
	if (x->pack && (x->gemm->k.size + g->vl) * g->target.vector_bytes > PANEL_ROOM_BIG) {
		panel_columns(x);
	} else if (x->sn) {
		panel_known(x, x->sn);
	} else if (padded_columns(x) &&
		   (x->w->width / g->vl) % stripe_vectors(x, x->w->width / g->vl, false) == 0) {
		unsigned v = stripe_vectors(x, x->w->width / g->vl, false), wide = v * g->vl;
		LLVMValueRef up = LLVMBuildAdd(g->b, x->n, ir_int(g, wide - 1), "");
		LLVMValueRef stripes = LLVMBuildUDiv(g->b, up, ir_int(g, wide), "");
		panel_part(x, (GemmPanel){.vectors = v, .lanes = g->vl}, ir_int(g, 0), stripes,
			   x->n);
	} else if (padded_columns(x)) {
		panel_known(x, x->w->width);
	} else {
		panel_records(x);
	}
}

/* ---- dots ---- */

static void dot_call(Call *x, GemmDot s)
{
	const Gemm *g = x->gemm;
	LLVMValueRef arg[DOT_PARAMS];
	arg[DOT_M] = x->m;
	arg[DOT_N] = x->n;
	arg[DOT_K] = x->k;
	arg[DOT_A] = x->a;
	arg[DOT_AM] = bytes(x, g->m.a);
	arg[DOT_B] = x->b;
	arg[DOT_BN] = bytes(x, g->n.b);
	arg[DOT_C] = x->c;
	arg[DOT_CM] = bytes(x, g->m.c);
	arg[DOT_CN] = bytes(x, g->n.c);
	arg[DOT_F] = x->f;
	arg[DOT_FM] = bytes(x, x->fm);
	arg[DOT_FN] = bytes(x, x->fn);
	arg[DOT_ALPHA] = ir_real(x->g, g->alpha, 1);
	call(x, gen_gemm_dot(x->gen, s), DOT_PARAMS, arg);
}

static void emit_dot(Call *x)
{
	Ir *g = x->g;
	const Gemm *gemm = x->gemm;
	GemmDot s = {.whole = x->sk && x->sk % g->vl == 0, .from = x->from};
	bool beside = x->fn == 1 || (x->fn == 0 && x->from != GEMM_FROM_ROW);
	s.apart = x->sn != 1 && (gemm->n.c != 1 || !beside);
	if (x->sm && x->sn) {
		gen_gemm_dot_block(x->gen, x->sm, x->sn, &s);
		dot_call(x, s);
		return;
	}
	/* records are rows or columns: blocks where there are enough, else one by one */
	gen_gemm_dot_block(x->gen, x->sm ? x->sm : x->w->width, x->sn ? x->sn : x->w->width, &s);
	s.exact = false;
	GemmDot one = s;
	one.rows = one.columns = 1;
	one.exact = true;
	LLVMValueRef enough =
		x->sm ? LLVMBuildICmp(g->b, LLVMIntSGE, x->n, ir_int(g, s.columns), "")
		      : LLVMBuildICmp(g->b, LLVMIntSGE, x->m, ir_int(g, s.rows), "");
	IrIf many, few;
	ir_if(g, &many, enough);
	dot_call(x, s);
	ir_if_end(g, &many);
	ir_if(g, &few, LLVMBuildNot(g->b, enough, ""));
	dot_call(x, one);
	ir_if_end(g, &few);
}

/* Both sides contiguous along k: transposing B for a panel, or sums in lanes? Compares cycles. */
static bool dot_pays(const Call *x)
{
	const Gemm *g = x->gemm;
	if (g->form == GEMM_DOT) {
		return true;
	}
	int64_t m = g->m.tiled ? x->w->width : g->m.size, n = g->n.tiled ? x->w->width : g->n.size;
	int64_t k = g->k.tiled ? x->w->width : g->k.size, vl = x->g->vl;
	if (!g->pack || g->k.a != 1 || g->k.b != 1 || g->m.tiled || g->n.tiled || k < vl) {
		return false;
	}
	GemmDot s = {0};
	gen_gemm_dot_block(x->gen, m, n, &s);
	unsigned block = s.rows * s.columns;
	int64_t all = (n + vl - 1) / vl;
	double side = gen_gemm_side(x->gen), sums = 0;
	for (unsigned v = 1; v <= 8 && v <= all;
	     v++) { /* not stripe_vectors: it asks for kernels made so far */
		double cost = stripes_cost(x, all, v);
		sums = v == 1 || cost < sums ? cost : sums;
	}
	double squares = ((double)n / side + 1) * ((double)k / side + 1);
	double panel = sums * (double)k + squares * side * (side > 4 ? 4 : side);
	double blocks = (double)((m + s.rows - 1) / s.rows * ((n + s.columns - 1) / s.columns));
	double tree = block % vl ? 4.0 * block : 2.0 * block;
	return blocks * ((double)((k + vl - 1) / vl) * block / 2 + tree + 12) < panel;
}

/* ---- a step ---- */

static void emit_kernel(Call *x)
{
	Ir *g = x->g;
	IrIf holds;
	if (x->filter) {
		LLVMValueRef v = ir_load(g, g->i64, 1, x->filter, NULL);
		ir_if(g, &holds, LLVMBuildICmp(g->b, LLVMIntNE, v, ir_int(g, 0), ""));
	}
	if (dot_pays(x)) {
		emit_dot(x);
	} else {
		emit_panel(x);
	}
	if (x->filter) {
		ir_if_end(g, &holds);
	}
}

/* Loops over the dimensions around, from number d on. */
static void emit_outer(Call *x, uint32_t d)
{
	if (d == x->gemm->nouter) {
		emit_kernel(x);
		return;
	}
	Ir *g = x->g;
	const GemmDim *o = &x->gemm->outer[d];
	Call in = *x;
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), ir_int(g, o->size), 1, 0, NULL, true);
	in.a = move(x, x->a, o->a ? LLVMBuildMul(g->b, l.i, bytes(x, o->a), "") : NULL);
	in.b = move(x, x->b, o->b ? LLVMBuildMul(g->b, l.i, bytes(x, o->b), "") : NULL);
	in.c = move(x, x->c, o->c ? LLVMBuildMul(g->b, l.i, bytes(x, o->c), "") : NULL);
	int64_t f = x->gemm->fresh ? o->from : o->c;
	in.f = move(x, x->f, f ? LLVMBuildMul(g->b, l.i, bytes(x, f), "") : NULL);
	if (o->filter) {
		in.filter = move(x, x->filter, LLVMBuildMul(g->b, l.i, ir_int(g, o->filter * 8), ""));
	}
	emit_outer(&in, d + 1);
	ir_loop_end(g, &l, NULL);
}

void gen_gemm(Gen *gen, const GenPlace *w, const Gemm *gemm)
{
	Call x = {.gen = gen, .g = &gen->ir, .w = w, .gemm = gemm, .pack = gemm->pack};
	x.m = size_now(&x, &gemm->m, &x.sm);
	x.n = size_now(&x, &gemm->n, &x.sn);
	x.k = size_now(&x, &gemm->k, &x.sk);
	x.a = gen_address(gen, w, &gemm->a);
	x.b = gen_address(gen, w, &gemm->b);
	x.c = gen_address(gen, w, &gemm->c);
	x.filter = gemm->filter.buffer ? gen_address(gen, w, &gemm->filter) : NULL;
	x.f = x.c;
	x.from = GEMM_FROM_ROW;
	x.fm = gemm->m.c;
	x.fn = gemm->n.c;
	if (gemm->fresh && gemm->from.buffer) {
		x.f = gen_address(gen, w, &gemm->from);
		x.fm = gemm->m.from;
		x.fn = gemm->n.from;
		x.from = x.fn == 0 && x.sn != 1 ? GEMM_FROM_SPLAT : GEMM_FROM_ROW;
	} else if (gemm->fresh) {
		x.from = GEMM_FROM_NONE;
		x.fm = x.fn = 0;
	}
	emit_outer(&x, 0);
}
