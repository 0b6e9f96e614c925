/* test_ir_math_random.c — compiled random numbers against runtime/rng.c: uniform ones bit for bit,
 * normal ones to a few units of the last place, also far out in the tails. */
#include <criterion/criterion.h>

#include "runtime/rng.h"
#include "tests/unit/ir_aid.h"
#include <math.h>
#include <stdlib.h>

enum { N = 64 };

/* void draw(y, seed, stream, step, i0, i1, i2, i3, n): lanes along index `axis`; i's are arrays of
 * n there, else one number, or arrays all of them (axis 4). */
typedef void DrawFn(void *y, uint64_t seed, uint64_t stream, uint64_t step,
		    const uint64_t *const *i);

static JitCode *compile(const char *target, unsigned real_bytes, bool normal, unsigned lanes,
			unsigned axis)
{
	Ir g;
	Target *t = ir_module(&g, target, real_bytes);
	LLVMTypeRef arg[5] = {g.ptr, g.i64, g.i64, g.i64, g.ptr};
	LLVMValueRef f = ir_function(&g, "draw", g.nothing, 5, arg, false), base[4], index[4];
	for (unsigned k = 0; k < 4; k++) {
		base[k] = ir_load(&g, g.ptr, 1, ir_at(&g, g.ptr, LLVMGetParam(f, 4), ir_int(&g, k)),
				  NULL);
	}
	IrLoop l;
	ir_loop(&g, &l, ir_int(&g, 0), ir_int(&g, N), lanes, 0, NULL, true);
	for (unsigned k = 0; k < 4; k++) {
		bool along = axis == k || axis == 4;
		LLVMValueRef at = ir_at(&g, g.i64, base[k], along ? l.i : ir_int(&g, 0));
		index[k] = ir_load(&g, g.i64, along ? lanes : 1, at, NULL);
	}
	LLVMValueRef y = ir_random(&g, normal, lanes, LLVMGetParam(f, 1), LLVMGetParam(f, 2),
				   LLVMGetParam(f, 3), index);
	ir_store(&g, y, ir_at(&g, g.real, LLVMGetParam(f, 0), l.i), NULL);
	ir_loop_end(&g, &l, NULL);
	LLVMBuildRetVoid(g.b);
	return ir_module_load(t, &g, "draw");
}

/* Indices: neighbours from `first` along the axis, or mixed ones. */
static void fill_indices(uint64_t index[4][N], unsigned axis, uint64_t first, bool apart)
{
	for (unsigned k = 0; k < 4; k++) {
		for (uint64_t i = 0; i < N; i++) {
			uint64_t step = apart ? i * i * 7 + i % 3 : i;
			index[k][i] = (axis == k || axis == 4 ? first + step : 5 + k)
				      << (apart && k > 1 ? 31 : 0);
		}
	}
}

/* The greatest relative difference; with real_bytes 4 and uniform numbers of the rounded ones. */
static double difference(DrawFn *draw, unsigned real_bytes, bool normal, unsigned axis,
			 uint64_t index[4][N])
{
	const uint64_t *at[4] = {index[0], index[1], index[2], index[3]};
	static double y[N];
	draw(y, 11, 22, 33, at);
	double worst = 0;
	for (unsigned i = 0; i < N; i++) {
		RngAddress a = {11, 22, 33, {0}};
		for (unsigned k = 0; k < 4; k++) {
			a.index[k] = index[k][axis == k || axis == 4 ? i : 0];
		}
		double want = normal ? rng_normal(a) : rng_uniform(a);
		want = normal || real_bytes == 8 ? want : (double)(float)want;
		worst = fmax(worst, fabs(ir_get(y, i, real_bytes) - want) / fabs(want));
	}
	return worst;
}

static void check(const char *target, unsigned real_bytes, bool normal)
{
	double limit = !normal ? 0 : real_bytes == 8 ? 2e-15 : 1e-6;
	for (unsigned axis = 0; axis <= 4; axis++) {
		for (int w = 0; w < WIDTHS; w++) {
			JitCode *c = compile(target, real_bytes, normal, ir_widths[w], axis);
			DrawFn *draw = (DrawFn *)(uintptr_t)jit_find(c, "draw");
			static uint64_t index[4][N];
			for (uint64_t first = 0; first < 3; first++) {
				for (int apart = 0; apart < 2; apart++) {
					fill_indices(index, axis, first * 6, apart);
					double d =
						difference(draw, real_bytes, normal, axis, index);
					cr_expect(d <= limit,
						  "%s, %u bytes, %s, axis %u, %u lanes: %g", target,
						  real_bytes, normal ? "normal" : "uniform", axis,
						  ir_widths[w], d);
				}
			}
			jit_free(c);
		}
	}
}

Test(ir_random, uniform)
{
	for (int t = 0; t < TARGETS; t++) {
		if (ir_runs(ir_targets[t])) {
			check(ir_targets[t], 8, false);
			check(ir_targets[t], 4, false);
		}
	}
}

Test(ir_random, normal)
{
	for (int t = 0; t < TARGETS; t++) {
		if (ir_runs(ir_targets[t])) {
			check(ir_targets[t], 8, true);
			check(ir_targets[t], 4, true);
		}
	}
}

/* Multiplier inverse modulo 2^64, by Newton's iteration. */
static uint64_t inverse(uint64_t m)
{
	uint64_t x = m;
	for (int k = 0; k < 6; k++) {
		x *= 2 - m * x;
	}
	return x;
}

/* The counter whose Philox block is `out`: the rounds backwards. */
static void counter_of(const uint64_t out[4], uint64_t seed, uint64_t stream, uint64_t c[4])
{
	const uint64_t m0 = 0xD2E7470EE14C6C93, m1 = 0xCA5A826395121157;
	uint64_t v[4] = {out[0], out[1], out[2], out[3]};
	for (uint64_t round = 10; round-- > 0;) {
		uint64_t k0 = seed + round * 0x9E3779B97F4A7C15,
			 k1 = stream + round * 0xBB67AE8584CAA73B;
		c[0] = v[3] * inverse(m0);
		c[2] = v[1] * inverse(m1);
		__extension__ unsigned __int128 p0 = (unsigned __int128)m0 * c[0],
						p1 = (unsigned __int128)m1 * c[2];
		c[1] = v[0] ^ (uint64_t)(p1 >> 64) ^ k0;
		c[3] = v[2] ^ (uint64_t)(p0 >> 64) ^ k1;
		for (int k = 0; k < 4; k++) {
			v[k] = c[k];
		}
	}
}

/* An address whose 64 bits are the given ones. */
static RngAddress address_of(uint64_t bits)
{
	for (uint64_t guess = 1;; guess++) {
		uint64_t out[4] = {guess, bits, 3, 4}, c[4];
		counter_of(out, 1, 2, c);
		if (c[1] >> 62 == 0) {
			return (RngAddress){
				1, 2, c[0], {c[1] << 2 | 1, c[2], c[3] & 0xffffffff, c[3] >> 32}};
		}
	}
}

Test(ir_random, tails)
{
	/* numbers near 0, 1, 1/2, the borders of the rational functions (0.075, e^-25) */
	static const double u[] = {0x1p-53, 0x3p-53,  1e-15,  1.388e-11, 1.389e-11, 1e-11,
				   1e-9,    1e-3,     0.0749, 0.0751,    0.4999,    0.5000001,
				   0.9249,  0.925001, 0.9999, 1 - 1e-11, 1 - 1e-13, 1 - 0x1p-53};
	for (int t = 0; t < TARGETS; t++) {
		for (unsigned lanes = 1; lanes <= 8 && ir_runs(ir_targets[t]); lanes *= 8) {
			JitCode *c[2] = {compile(ir_targets[t], 4, true, lanes, 0),
					 compile(ir_targets[t], 8, true, lanes, 0)};
			for (size_t k = 0; k < sizeof u / sizeof *u; k++) {
				RngAddress a = address_of((uint64_t)(u[k] * 0x1p52) << 12);
				cr_assert(fabs(rng_uniform(a) - u[k]) < 0x1p-52);
				uint64_t row[N];
				for (uint64_t i = 0; i < N; i++) {
					row[i] = a.index[0] +
						 3 * i; /* others' neighbours are ordinary */
				}
				const uint64_t *at[4] = {row, a.index + 1, a.index + 2,
							 a.index + 3};
				double want = rng_normal(a), y[N];
				for (unsigned wide = 0; wide < 2; wide++) {
					DrawFn *draw =
						(DrawFn *)(uintptr_t)jit_find(c[wide], "draw");
					draw(y, a.seed, a.stream, a.step, at);
					double got = ir_get(y, 0, wide ? 8 : 4);
					cr_expect(fabs(got - want) <=
							  (wide ? 2e-15 : 1e-6) * fabs(want),
						  "%s, %g: %.17g instead of %.17g", ir_targets[t],
						  u[k], got, want);
				}
			}
			jit_free(c[0]), jit_free(c[1]);
		}
	}
}
