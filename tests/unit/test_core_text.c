/* test_core_text.c — the text form of a stage: it reads back to the same bytes and means the same.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lang/ast.h"
#include "lang/op.h"
#include "lang/simplify.h"
#include "lang/unit.h"
#include "tests/unit/core_aid.h"

typedef struct Reader {
	Arena *arena;
	ParseCtx ctx;
	Core *core;
	UnitTable *units;
} Reader;

static Reader reader(void)
{
	Reader r = {.arena = arena_create()};
	r.ctx.arena = r.arena;
	r.ctx.names = intern_create(r.arena);
	r.ctx.sources = sources_create(r.arena);
	r.ctx.diags = diags_create(r.arena, r.ctx.sources, 20);
	r.core = core_create(r.arena, r.ctx.names);
	r.units = unit_table(r.arena, r.ctx.names);
	return r;
}

static char *printed(const CoreProgram *p, const UnitTable *units)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	core_print(p, units, f);
	fclose(f);
	return text;
}

static CoreProgram *read_text(Reader *r, const char *text)
{
	uint32_t file = sources_add(r->ctx.sources, "core.pnn", text, strlen(text));
	return core_read_text(&r->ctx, r->core, r->units, file);
}

static const char *complaints(Reader *r)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	diags_render(r->ctx.diags, f, false, false);
	fclose(f);
	return text;
}

/* Reads text, checks the graph, prints it again: the same bytes. */
static CoreProgram *round_trip(Reader *r, const char *text)
{
	CoreProgram *p = read_text(r, text);
	cr_assert_not_null(p, "%s\n%s", complaints(r), text);
	const char *wrong = core_check(r->core, p->n, p->root, true);
	cr_assert_null(wrong, "%s\n%s", wrong, text);
	char *again = printed(p, r->units);
	cr_assert(strcmp(again, text) == 0, "%.3000s\nbecame\n%.3000s", text, again);
	free(again);
	return p;
}

static void same_bytes(const char *text)
{
	Reader r = reader();
	round_trip(&r, text);
	arena_free(r.arena);
}

Test(core_text, recurrences_pieces_and_sums)
{
	same_bytes("axis h = 5\ndata s = records(7)\naxis pos = 1..60\n\n"
		   "param U : real[h, h]\nparam W : real[h, h]\nparam b : real[h]\nparam x : "
		   "real[s, pos, h] data\n\n"
		   "hid[s, 0, i] = 0\n"
		   "hid[s, t, i] = tanh(b[i] + sum[j] U[i, j]*hid[s, t - 1, j] + sum[k] W[i, "
		   "k]*x[s, t, k])\n"
		   "L = sum[s, i] (1 - hid[s, 31, i])^2/real(size(s))\n\nprint L\n");
}

Test(core_text, adjoints_of_a_recurrence)
{
	same_bytes("axis h = 5\ndata s = records(7)\naxis pos = 1..60\n\n"
		   "param U : real[h, h]\nparam v : real[h]\nparam a : real[s, pos, h] data\nparam "
		   "o_ : real[s] data\n\n"
		   "h_[s, t, i] = (if t == 31 then v[i]*o_[s] else 0) + sum[j] U[j, i]*z_[s, t + "
		   "1, j]\n"
		   "h_[outside] = 0\n"
		   "z_[s, t, i] = h_[s, t, i]*(1 - a[s, t, i]^2)\n"
		   "z_[outside] = 0\n"
		   "U_[i, j] = sum[s, t] a[s, t - 1, j]*z_[s, t, i]\n\nprint U_\n");
}

Test(core_text, every_kind_of_axis)
{
	same_bytes("axis h = 4\naxis site = 4 periodic\naxis xyz = x | y | z\naxis pos = "
		   "1..60\naxis atom\naxis late = from(2)\n"
		   "data water = records()\ndata chain = records(12, first = 1)\naxis each = "
		   "ragged(number, 21)\n"
		   "axis array3 = anonymous(3)\n\n"
		   "param a : real[h]\nparam b : real[site]\nparam c : real[xyz, pos]\nparam d : "
		   "real[atom, late] runtime\n"
		   "param number : int[water] data\nparam e : real[water, each, chain] data\nparam "
		   "f : bool[array3]\n"
		   "param g : real[site] data signs\n\n"
		   "F = sum[i] a[i] + sum[i] b[i - 1]*g[i]\n"
		   "G[r, c2] = sum[k] e[r, k, c2]\n"
		   "H[i, t] = sum[k, p] c[k, p]*d[i, t]\n"
		   "I = any[i](f[i])\n\nprint F, G, H, I\n");
}

Test(core_text, conditions_filters_and_operations)
{
	same_bytes("axis h = 6\n\nparam a : real[h]\nparam n : int[h] data\n\n"
		   "A[i] = sum[j if i != j] a[j]*exp(-a[i])\n"
		   "B[i] = max[j if n[j] <= i](a[j] - a[i])\n"
		   "C[i] = if a[i] <= 0.5 or n[i] == 2 then 1/3*a[i]^2 else a[i]^0.5\n"
		   "D[i] = a[n[i] mod 6]\n"
		   "E[i] = a[i xor 1]*real((n[i] div 2) + 1)\n"
		   "F = argmin[i](a[i])\n"
		   "G[i] = normal_at(3, 1, i, n[i])*stop(a[i])\n"
		   "H[i] = a[i]^2.5\n\nprint A, B, C, D, E, F, G, H\n");
}

Test(core_text, recurrences_of_ints_are_declared)
{
	same_bytes("axis t = 9\n\nparam n : int[t] data\n\n"
		   "param f : int[t] value\n"
		   "f[0] = 1\n"
		   "f[i] = n[i] + 2*f[i - 1]\n"
		   "g = [i in t(0) -> 1]\n"
		   "g = [i in t -> 2*g[i - 1]]\n"
		   "a = [i in t -> 2*b[i - 1]]\n"
		   "b = [i in t -> 2*a[i]]\n\nprint f, g, b\n");
}

Test(core_text, derivatives_rules_and_variables)
{
	same_bytes("axis h = 6\ndata s = records(3)\n\nparam x : real[s, h] data\nparam w : "
		   "real[h]\n\n"
		   "v[s, i] = variable(x[s, i])\n"
		   "f[s, i] = w[i]*sin(v[s, i])\n"
		   "derivative f(v[s, i], w[i]) = (w[i]*cos(v[s, i]), sin(v[s, i]))\n"
		   "F[s, j] = partial[v[s, j]] (sum[i] f[s, i])\n\nprint F\n");
}

Test(core_text, constants_with_units)
{
	same_bytes("axis h = 6\n\nparam R : real[h] 'Å'\n\nconst rc : real 'Å' = 5.0\nconst ν = "
		   "0.01\nconst n : int = 3\n"
		   "F[i] = real(n) + ν*R[i]/rc\n\nprint F\n");
}

Test(core_text, pieces_on_ranges_and_unknown_axes)
{
	same_bytes("axis t = 9\n\nparam a : real[t]\n\n"
		   "f = [i in t(0) -> 1]\n"
		   "f = [i in t -> 2*f[i - 1]]\n"
		   "g = [i in t(first + 1..last - 1) -> a[i + 1] + a[i - 1]]\n"
		   "g[end(t)] = 0\n"
		   "g[i] = a[i]\n"
		   "h = [i in t -> real(i)]\n\nprint f, g, h\n");
}

/* ---- random systems ---- */

static double leaf_by_name(Aid *a, Reader *r, Ref *other)
{
	double sum = 0;
	for (Def d = 1; d <= core_def_count(r->core); d++) {
		const char *name = intern_text(r->ctx.names, core_def(r->core, d)->name);
		for (int k = 0; k < AID_LEAVES; k++) {
			const char *mine =
				intern_text(a->names, core_def(a->core, a->leaf[k])->name);
			if (core_def(r->core, d)->npiece == 0 && strcmp(name, mine) == 0) {
				ref_set(other, d, a->value[k]);
				sum += 1;
			}
		}
	}
	return sum;
}

static void compare_values(Aid *a, Reader *r, const CoreProgram *p, const CoreProgram *q,
			   unsigned seed)
{
	Ref *other = ref_create(r->core);
	leaf_by_name(a, r, other);
	for (uint32_t k = 0; k < p->n; k++) {
		double x = ref_node(a->ref, p->root[k]), y = ref_node(other, q->root[k]);
		cr_assert(aid_close(x, y, 1) || !isfinite(x) || fabs(x) > 1e8,
			  "seed %u: %.17g and %.17g", seed, x, y);
	}
	ref_free(other);
}

Test(core_text, random_systems)
{
	for (unsigned seed = 1; seed <= 150; seed++) {
		Aid *a = aid_create(seed);
		Core *c = a->core;
		Node root[4];
		Sym name[4];
		for (unsigned k = 0; k < 4; k++) {
			Node n = aid_build(a, aid_tree(a, 2 + (int)k, true), a->index);
			Def d = core_share(c, k % 2 ? intern_str(a->names, "z") : 0, (Span){0},
					   AID_INDICES, a->index, n, 0);
			Node twice = core_mul(c, core_read_plain(c, d, a->index),
					      core_read_plain(c, d, a->index));
			root[k] = core_reduce(c, RED_SUM, 0, (Span){0}, AID_INDICES, a->index,
					      core_add(c, n, twice));
			name[k] = intern_printf(a->names, "out%u", k);
		}
		if (seed % 2) {
			Arena *scratch = arena_create();
			core_simplify(c, scratch, 0, 4, root);
			arena_free(scratch);
		}
		CoreProgram p = {.core = c, .n = 4, .name = name, .root = root};
		char *text = printed(&p, NULL);
		Reader r = reader();
		CoreProgram *q = read_text(&r, text);
		cr_assert_not_null(q, "seed %u: %s\n%s", seed, complaints(&r), text);
		char *again = printed(q, r.units);
		cr_assert(strcmp(again, text) == 0, "seed %u\n%s\n%s", seed, text, again);
		const char *wrong = core_check(r.core, q->n, q->root, false);
		cr_assert_null(wrong, "seed %u: %s\n%s", seed, wrong, text);
		compare_values(a, &r, &p, q, seed);
		free(again);
		free(text);
		arena_free(r.arena);
		aid_free(a);
	}
}

/* ---- wrong texts ---- */

Test(core_text, mistakes_are_told)
{
	static const char *const wrong[] = {
		"F = a + 1\n\nprint F\n",
		"axis h = 3\nparam a : real[h]\nF[i] = a[i, i]\nprint F\n",
		"axis h = 3\nF[i] = 1\nprint F\n",
		"axis h = x..3\n",
		"axis h = 3\nparam a : real[k]\n",
		"param a : real\nF = a and a\nprint F\n",
		"train f { }\n",
		"param a : real\nF = if a then 1 else 2\nprint F\n",
		"param a : real\nF = sum[i] a\nprint F\n",
		"param a : real\nprint b\n",
		"param a : real\nparam a : real\n",
		"F = 1.5 mod 2 xor 3\nprint F\n",
		"F = frob(1.5)\nprint F\n",
		"F = 2^(-1)\nprint F\n",
		"param a : real\nderivative a(a) = 1\n",
		"F = ((\nprint F\n",
		"axis h = 3..1\n",
		"param a : complex\n"};
	for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
		Reader r = reader();
		cr_assert_null(read_text(&r, wrong[k]), "%s", wrong[k]);
		cr_assert_gt(diags_errors(r.ctx.diags), 0, "%s", wrong[k]);
		arena_free(r.arena);
	}
}

/* An expression that shares a large part many times over, and a deep one: the parts get lines of
 * their own. */
Test(core_text, shared_and_deep_expressions)
{
	Reader r = reader();
	Core *c = r.core;
	Axis h = core_axis(c, (AxisInfo){.name = intern_str(r.ctx.names, "h"), .size = 3});
	Def x = core_leaf(c, DEF_PARAM, intern_str(r.ctx.names, "x"), (Span){0}, KIND_REAL, 0, 1,
			  &h);
	Index i = core_index(c, h, intern_str(r.ctx.names, "i"));
	Node n = core_read_plain(c, x, &i), deep = n;
	for (int k = 0; k < 60; k++) {
		n = core_add(c, core_op1(c, OP_sin, n), core_mul(c, n, core_op1(c, OP_cos, n)));
	}
	for (int k = 0; k < 5000; k++) {
		deep = core_op1(c, OP_sin, deep);
	}
	Node root[2] = {n, deep};
	Sym name[2] = {intern_str(r.ctx.names, "wide"), intern_str(r.ctx.names, "deep")};
	CoreProgram p = {.core = c, .n = 2, .name = name, .root = root};
	char *text = printed(&p, NULL);
	cr_assert_lt(strlen(text), 100000);
	cr_assert_null(strstr(text, "…"));
	Reader again = reader();
	round_trip(&again, text);
	free(text);
	arena_free(again.arena);
	arena_free(r.arena);
}
