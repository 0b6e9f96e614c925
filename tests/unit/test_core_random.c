/* test_core_random.c — constructors, reductions, sharing and the simplifier on random expressions,
 * against a direct evaluation of the same trees. */
#include <criterion/criterion.h>

#include <math.h>

#include "lang/simplify.h"
#include "tests/unit/core_aid.h"

enum { SYSTEMS = 200, TREES = 12 };

static void each_place(Aid *a, Tree *t, Node n, const char *what, unsigned seed, unsigned *compared)
{
	for (int64_t k = 0; k < 8; k++) {
		int64_t at[AID_INDICES] = {aid_draw(a, 4), aid_draw(a, 4), 1 + aid_draw(a, 3)};
		double want = aid_value(a, t, at);
		if (!a->finite || a->largest > 1e8) {
			continue;
		}
		double have = aid_evaluate(a, n, at);
		++*compared;
		cr_assert(aid_close(want, have, a->largest),
			  "%s, seed %u: %.17g by hand, %.17g by the core: %s", what, seed, want,
			  have, core_text(a->core, a->arena, n));
	}
}

static const char *text_of(Aid *a, Node n)
{
	return core_text(a->core, a->arena, n);
}

Test(core_random, values_are_those_of_the_tree)
{
	unsigned compared = 0;
	for (unsigned seed = 1; seed <= SYSTEMS; seed++) {
		Aid *a = aid_create(seed);
		for (int k = 0; k < TREES; k++) {
			Tree *t = aid_tree(a, 1 + k % 5, k % 2);
			Node n = aid_build(a, t, a->index);
			const char *wrong = core_check(a->core, 1, &n, false);
			cr_assert_null(wrong, "seed %u: %s: %s", seed, wrong, text_of(a, n));
			each_place(a, t, n, "constructed", seed, &compared);
		}
		aid_free(a);
	}
	cr_assert_gt(compared, 4000, "only %u values could be compared", compared);
}

/* Operands given in another order make the same node. */
Test(core_random, order_of_operands_does_not_matter)
{
	for (unsigned seed = 1; seed <= SYSTEMS; seed++) {
		Aid *a = aid_create(seed);
		for (int k = 0; k < TREES; k++) {
			Tree *t = aid_tree(a, 1 + k % 5, k % 2);
			Node n = aid_build(a, t, a->index);
			a->flip = true;
			Node m = aid_build(a, t, a->index);
			a->flip = false;
			cr_assert_eq(n, m, "seed %u: %s and %s", seed, text_of(a, n),
				     text_of(a, m));
		}
		aid_free(a);
	}
}

/* Other index variables, made in another order, and all of them summed over: the same reduction. */
Test(core_random, names_of_indices_do_not_matter)
{
	unsigned same = 0, all = 0;
	for (unsigned seed = 1; seed <= SYSTEMS; seed++) {
		Aid *a = aid_create(seed);
		Core *c = a->core;
		for (int k = 0; k < TREES; k++) {
			Tree *t = aid_tree(a, 1 + k % 4, k % 2);
			Index turned[AID_INDICES];
			for (int q = AID_INDICES; q-- > 0;) {
				turned[q] = core_index_like(c, a->index[q]);
			}
			Index bound[AID_INDICES] = {turned[2], turned[1], turned[0]};
			Node n = core_reduce(c, RED_MAX, 0, (Span){0}, AID_INDICES, a->index,
					     aid_build(a, t, a->index));
			Node m = core_reduce(c, RED_MAX, 0, (Span){0}, AID_INDICES, bound,
					     aid_build(a, t, turned));
			all++;
			same += n == m;
			Node s = core_reduce(c, RED_SUM, 0, (Span){0}, AID_INDICES, a->index,
					     aid_build(a, t, a->index));
			Node u = core_reduce(c, RED_SUM, 0, (Span){0}, AID_INDICES, bound,
					     aid_build(a, t, turned));
			all++;
			same += s == u;
			double x = ref_node(a->ref, s), y = ref_node(a->ref, u);
			cr_assert(aid_close(x, y, fabs(x)) || !isfinite(x), "seed %u: %s and %s",
				  seed, text_of(a, s), text_of(a, u));
		}
		aid_free(a);
	}
	/* a sign that only the numbering of two indices can choose is left as it is, so a few are
	 * not recognised */
	cr_assert_geq((double)same / all, 0.99, "%u of %u recognised", same, all);
}

static void simplified(Aid *a, Tree *t, unsigned flags, unsigned seed, unsigned *compared)
{
	Core *c = a->core;
	Node n = aid_build(a, t, a->index);
	/* through definitions: one for the expression, an alias, a multiple, one with its indices
	 * turned about */
	Def d = core_share(c, intern_str(a->names, "d"), (Span){0}, AID_INDICES, a->index, n, 0);
	Index turned[AID_INDICES] = {a->index[2], a->index[0], a->index[1]};
	Def alias = core_share(c, 0, (Span){0}, AID_INDICES, turned,
			       core_read_plain(c, d, a->index), 0);
	Def twice = core_share(c, 0, (Span){0}, AID_INDICES, a->index,
			       core_scale(c, 2, core_read_plain(c, alias, turned)), 0);
	Def again = core_share(c, 0, (Span){0}, AID_INDICES, turned, n, 0);
	Node sum =
		core_sub(c, core_read_plain(c, twice, a->index), core_read_plain(c, again, turned));
	Node root[2] = {sum, n};
	ArenaMark mark = arena_mark(a->arena);
	(void)mark;
	Arena *scratch = arena_create();
	core_simplify(c, scratch, flags, 2, root);
	const char *wrong = core_check(c, 2, root, false);
	cr_assert_null(wrong, "seed %u: %s", seed, wrong);
	ref_forget(a->ref);
	each_place(a, t, root[0], "simplified through definitions", seed, compared);
	each_place(a, t, root[1], "simplified", seed, compared);
	Node once[2] = {root[0], root[1]};
	core_simplify(c, scratch, flags, 2, root);
	cr_assert_eq(root[0], once[0], "seed %u: %s then %s", seed, text_of(a, once[0]),
		     text_of(a, root[0]));
	cr_assert_eq(root[1], once[1], "seed %u: %s then %s", seed, text_of(a, once[1]),
		     text_of(a, root[1]));
	arena_free(scratch);
}

Test(core_random, simplifying_keeps_values_and_is_done_once)
{
	static const unsigned flags[] = {0, SIMPLIFY_FOLD, SIMPLIFY_EXACT};
	unsigned compared = 0;
	for (unsigned seed = 1; seed <= SYSTEMS; seed++) {
		Aid *a = aid_create(seed);
		for (int k = 0; k < TREES; k++) {
			simplified(a, aid_tree(a, 1 + k % 5, k % 2), flags[k % 3], seed, &compared);
		}
		aid_free(a);
	}
	cr_assert_gt(compared, 8000, "only %u values could be compared", compared);
}
