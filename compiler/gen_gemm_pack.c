/* gen_gemm_pack.c — B in another order copied to a panel: element by element, by gathers, or, where
 * the summed index is contiguous, by transposing squares in registers. */
#include "compiler/gen_gemm.h"
#include <stdio.h>
#include <string.h>

/* Squares of 16 take longer to compile (8 ms) and are no faster. */
enum { PACK_SIDE = 8 };

static LLVMValueRef move(Ir *g, LLVMValueRef base, LLVMValueRef bytes)
{
	return LLVMBuildGEP2(g->b, g->i8, base, &bytes, 1, "");
}

/* ---- transposing ---- */

unsigned gen_gemm_side(const Gen *gen)
{
	return gen->ir.vl < PACK_SIDE ? gen->ir.vl : PACK_SIDE;
}

static unsigned side(const Ir *g)
{
	return g->vl < PACK_SIDE ? g->vl : PACK_SIDE;
}

static LLVMValueRef pick(Ir *g, LLVMValueRef x, LLVMValueRef y, const unsigned *lane)
{
	LLVMValueRef index[PACK_SIDE];
	for (unsigned k = 0; k < side(g); k++) {
		index[k] = LLVMConstInt(g->i32, lane[k], false);
	}
	return LLVMBuildShuffleVector(g->b, x, y, LLVMConstVector(index, side(g)), "");
}

/* Units of `unit` lanes inside each run of `span` lanes: the low (high) half of x's units and of
 * y's alternate. */
static LLVMValueRef interleave(Ir *g, LLVMValueRef x, LLVMValueRef y, unsigned unit, unsigned span,
			       bool high)
{
	unsigned lane[PACK_SIDE], n = 0;
	for (unsigned s = 0; s < side(g); s += span) {
		for (unsigned u = 0; u < span / 2; u += unit) {
			for (unsigned of = 0; of < 2; of++) {
				for (unsigned q = 0; q < unit; q++) {
					lane[n++] =
						of * side(g) + s + (high ? span / 2 : 0) + u + q;
				}
			}
		}
	}
	return pick(g, x, y, lane);
}

/* Every second run of `in` lanes of x, then of y. */
static LLVMValueRef second(Ir *g, LLVMValueRef x, LLVMValueRef y, unsigned in, bool odd)
{
	unsigned lane[PACK_SIDE], n = 0;
	for (unsigned of = 0; of < 2; of++) {
		for (unsigned s = odd ? in : 0; s < side(g); s += 2 * in) {
			for (unsigned q = 0; q < in; q++) {
				lane[n++] = of * side(g) + s + q;
			}
		}
	}
	return pick(g, x, y, lane);
}

/* Rows 0 … in-1 of w become columns of 16 bytes: w[c] holds, in its run b, column in*b + c of the
 * rows. */
static void turn_inside(Ir *g, unsigned in, LLVMValueRef *w)
{
	if (in == 2) {
		LLVMValueRef x = w[0], y = w[1];
		w[0] = interleave(g, x, y, 1, 2, false);
		w[1] = interleave(g, x, y, 1, 2, true);
		return;
	}
	LLVMValueRef a = interleave(g, w[0], w[1], 1, 4, false),
		     b = interleave(g, w[0], w[1], 1, 4, true);
	LLVMValueRef c = interleave(g, w[2], w[3], 1, 4, false),
		     d = interleave(g, w[2], w[3], 1, 4, true);
	w[0] = interleave(g, a, c, 2, 4, false);
	w[1] = interleave(g, a, c, 2, 4, true);
	w[2] = interleave(g, b, d, 2, 4, false);
	w[3] = interleave(g, b, d, 2, 4, true);
}

/* v: rows of a square; afterwards its columns. */
static void turn(Ir *g, LLVMValueRef *v)
{
	unsigned in = 16 / g->real_bytes, runs = side(g) / in;
	for (unsigned r = 0; r < runs; r++) {
		turn_inside(g, in, v + r * in);
	}
	for (unsigned c = 0; c < in; c++) {
		LLVMValueRef w[PACK_SIDE], next[PACK_SIDE];
		for (unsigned r = 0; r < runs; r++) {
			w[r] = v[r * in + c];
		}
		for (unsigned round = 1; round < runs; round *= 2) {
			for (unsigned r = 0; r < runs / 2; r++) {
				next[r] = second(g, w[2 * r], w[2 * r + 1], in, false);
				next[runs / 2 + r] = second(g, w[2 * r], w[2 * r + 1], in, true);
			}
			memcpy(w, next, runs * sizeof *w);
		}
		for (unsigned r = 0; r < runs; r++) {
			v[r * in + c] = w[r];
		}
	}
}

static LLVMValueRef least(Ir *g, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, LLVMIntSLT, a, b, ""), a, b, "");
}

/* Columns in groups of a square, those past the end doubling the last one; down all k in squares.
 */
static void pack_turn(Ir *g, const LLVMValueRef *p)
{
	unsigned n = side(g);
	LLVMValueRef size = ir_int(g, g->real_bytes), from[PACK_SIDE], v[PACK_SIDE];
	LLVMValueRef last = LLVMBuildSub(g->b, p[PACK_N], ir_int(g, 1), "");
	IrLoop columns, down;
	ir_loop(g, &columns, ir_int(g, 0), p[PACK_N], n, 0, NULL, true);
	for (unsigned q = 0; q < n; q++) {
		LLVMValueRef j = least(g, LLVMBuildAdd(g->b, columns.i, ir_int(g, q), ""), last);
		from[q] = move(g, p[PACK_B], LLVMBuildMul(g->b, j, p[PACK_BN], ""));
	}
	LLVMValueRef side = move(g, p[PACK_TO], LLVMBuildMul(g->b, columns.i, size, ""));
	ir_loop(g, &down, ir_int(g, 0), p[PACK_K], n, 0, NULL, true);
	LLVMValueRef k = least(g, down.i, p[PACK_LAST]);
	LLVMValueRef bytes = LLVMBuildMul(g->b, k, size, "");
	for (unsigned q = 0; q < n; q++) {
		v[q] = ir_load(g, g->real, n, move(g, from[q], bytes), NULL);
	}
	turn(g, v);
	LLVMValueRef to = move(g, side, LLVMBuildMul(g->b, k, p[PACK_ROW], ""));
	for (unsigned q = 0; q < n; q++) {
		ir_store(g, v[q], to, NULL);
		to = move(g, to, p[PACK_ROW]);
	}
	ir_loop_end(g, &down, NULL);
	ir_loop_end(g, &columns, NULL);
}

/* ---- any strides ---- */

static void pack_strided(Ir *g, const LLVMValueRef *p, unsigned lanes)
{
	LLVMValueRef size = ir_int(g, g->real_bytes);
	LLVMValueRef apart = LLVMBuildSDiv(g->b, p[PACK_BN], size, ""); /* in elements */
	IrLoop down, columns;
	ir_loop(g, &columns, ir_int(g, 0), p[PACK_N], lanes, 0, NULL, true);
	LLVMValueRef mask =
		lanes > 1 ? ir_mask(g, lanes, LLVMBuildSub(g->b, p[PACK_N], columns.i, "")) : NULL;
	LLVMValueRef first[2] = {move(g, p[PACK_B], LLVMBuildMul(g->b, columns.i, p[PACK_BN], "")),
				 move(g, p[PACK_TO], LLVMBuildMul(g->b, columns.i, size, ""))};
	ir_loop(g, &down, ir_int(g, 0), p[PACK_K], 1, 2, first, true);
	ir_store(g, ir_load_strided(g, g->real, lanes, down.phi[0], apart, mask), down.phi[1],
		 NULL);
	LLVMValueRef next[2] = {move(g, down.phi[0], p[PACK_BK]),
				move(g, down.phi[1], p[PACK_ROW])};
	ir_loop_end(g, &down, next);
	ir_loop_end(g, &columns, NULL);
}

LLVMValueRef gen_gemm_pack(Gen *gen, PackKind kind)
{
	static const char *const KEY[] = {"pack.elements", "pack.gather", "pack.turn"};
	LLVMValueRef f = gen_kernel(gen, KEY[kind]);
	if (f) {
		return f;
	}
	Ir *g = &gen->ir;
	IrPlace back = ir_leave(g);
	LLVMTypeRef param[PACK_PARAMS];
	for (unsigned q = 0; q < PACK_PARAMS; q++) {
		param[q] = q == PACK_B || q == PACK_TO ? g->ptr : g->i64;
	}
	f = ir_function(g, KEY[kind], g->nothing, PACK_PARAMS, param, true);
	LLVMValueRef p[PACK_PARAMS];
	LLVMGetParams(f, p);
	if (kind == PACK_TURN) {
		pack_turn(g, p);
	} else {
		pack_strided(g, p, kind == PACK_GATHER ? g->vl : 1);
	}
	LLVMBuildRetVoid(g->b);
	ir_return(g, back);
	gen_kernel_add(gen, KEY[kind], f);
	return f;
}

/* ---- packing, then the panel, stripe by stripe ---- */

static void packed_stripes(Gen *gen, GemmPanel s, PackKind kind, bool big, LLVMValueRef *p)
{
	Ir *g = &gen->ir;
	LLVMValueRef pack = gen_gemm_pack(gen, kind), panel = gen_gemm_panel(gen, s);
	unsigned wide = s.vectors * s.lanes;
	unsigned whole = wide < g->vl ? g->vl : wide; /* packing writes whole vectors */
	LLVMValueRef bytes = ir_int(g, (int64_t)wide * g->real_bytes), arg[PACKED_PARAMS];
	LLVMValueRef row = ir_int(g, (int64_t)whole * g->real_bytes);
	LLVMValueRef room =
		LLVMBuildAlloca(g->b, LLVMArrayType2(g->i8, big ? PANEL_ROOM_BIG : PANEL_ROOM), "");
	LLVMSetAlignment(room, 64);
	LLVMValueRef first[4] = {p[PANEL_B], p[PANEL_C], p[PANEL_F], p[PANEL_N]};
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), p[PANEL_STRIPES], 1, 4, first, false);
	LLVMValueRef copy[PACK_PARAMS] = {p[PANEL_K],   least(g, l.phi[3], ir_int(g, wide)),
					  l.phi[0],     p[PANEL_BK],
					  p[PACKED_BN], p[PACKED_LAST],
					  room,         row};
	LLVMBuildCall2(g->b, LLVMGlobalGetValueType(pack), pack, copy, PACK_PARAMS, "");
	memcpy(arg, p, PANEL_PARAMS * sizeof *arg);
	arg[PANEL_STRIPES] = ir_int(g, 1);
	arg[PANEL_N] = l.phi[3];
	arg[PANEL_B] = room;
	arg[PANEL_BK] = row;
	arg[PANEL_C] = l.phi[1];
	arg[PANEL_F] = l.phi[2];
	LLVMBuildCall2(g->b, LLVMGlobalGetValueType(panel), panel, arg, PANEL_PARAMS, "");
	LLVMValueRef step = LLVMBuildMul(g->b, p[PACKED_BN], ir_int(g, wide), "");
	LLVMValueRef next[4] = {move(g, l.phi[0], step), move(g, l.phi[1], bytes),
				s.from == GEMM_FROM_ROW ? move(g, l.phi[2], bytes) : l.phi[2],
				LLVMBuildSub(g->b, l.phi[3], ir_int(g, wide), "")};
	ir_loop_end(g, &l, next);
}

LLVMValueRef gen_gemm_packed(Gen *gen, GemmPanel s, PackKind kind, bool big)
{
	char panel[GEMM_KEY], key[GEMM_KEY + 32];
	gen_gemm_panel_key(s, panel);
	snprintf(key, sizeof key, "packed.%u%s.%s", (unsigned)kind, big ? ".big" : "", panel);
	LLVMValueRef f = gen_kernel(gen, key);
	if (f) {
		return f;
	}
	Ir *g = &gen->ir;
	IrPlace back = ir_leave(g);
	LLVMTypeRef param[PACKED_PARAMS];
	LLVMGetParamTypes(LLVMGlobalGetValueType(gen_gemm_panel(gen, s)), param);
	param[PACKED_BN] = param[PACKED_LAST] = g->i64;
	f = ir_function(g, key, g->nothing, PACKED_PARAMS, param, true);
	LLVMValueRef p[PACKED_PARAMS];
	LLVMGetParams(f, p);
	packed_stripes(gen, s, kind, big, p);
	LLVMBuildRetVoid(g->b);
	ir_return(g, back);
	gen_kernel_add(gen, key, f);
	return f;
}
