/* core_canon.c — canonical forms up to renaming of index variables.
 * Each index gets a colour: a hash of the node in which it alone is marked and the others carry
 * their own last colours. Indices are sorted by colour; inside groups of equal colour all orders
 * are tried, up to a bound, and the smallest node in core_order is kept. Canonical index variables
 * belong to an axis, a family and a position; no definition owns them. */
#include "lang/core_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

Index core_canon(Core *c, CanonFamily family, Axis axis, uint32_t position)
{
	CanonAxis *ca = &c->canon[axis];
	while (ca->n[family] <= position) {
		Index i =
			family == CANON_WIDE ? core_index_wide(c, axis, 0) : core_index(c, axis, 0);
		c->index[i].rank = ((uint64_t)family << 32) | ca->n[family];
		ARENA_PUSH(c->arena, ca->index[family], ca->n[family], ca->cap[family], i);
	}
	return ca->index[family][position];
}

/* ---- colours ---- */

typedef struct Colouring {
	uint32_t n, nfree;
	Index *index;
	uint64_t *colour;
	Node *node; /* those with free indices, arguments first */
	size_t nnode, nodecap;
	uint64_t *hash; /* of node[k] */
	Memo *place;    /* node -> k + 1 */
	uint32_t marked;
} Colouring;

static uint64_t hash_at(const void *data, const Core *c, Node n)
{
	const Colouring *w = data;
	Node k = core_memo_get(w->place, n);
	return k ? w->hash[k - 1] : core_cell(c, n)->shape;
}

static int node_order(const void *x, const void *y)
{
	Node a = *(const Node *)x, b = *(const Node *)y;
	return a < b ? -1 : a > b;
}

static void list_nodes(Core *c, Colouring *w, Node root)
{
	size_t base = c->nstack;
	core_stack_push(c, root);
	while (c->nstack > base) {
		Node n = c->stack[--c->nstack];
		const NodeCell *cell = core_cell(c, n);
		if (core_memo_get(w->place, n) || cell->nfree == 0) {
			continue;
		}
		core_memo_set(c, w->place, n, 1);
		ARENA_PUSH(c->arena, w->node, w->nnode, w->nodecap, n);
		for (uint32_t k = 0; k < cell->info.n; k++) {
			core_stack_push(c, cell->info.arg[k]);
		}
	}
	if (w->nnode) {
		qsort(w->node, w->nnode, sizeof *w->node, node_order);
	}
	for (size_t k = 0; k < w->nnode; k++) {
		core_memo_set(c, w->place, w->node[k], (Node)k + 1);
	}
	w->hash = arena_array(c->arena, uint64_t, w->nnode);
}

static uint64_t marked_hash(const Core *c, Colouring *w, Node root)
{
	for (size_t k = 0; k < w->nnode; k++) {
		const NodeInfo *p = core_node(c, w->node[k]);
		uint64_t ref = p->ref;
		if (p->tag == NODE_INDEX) {
			for (uint32_t q = 0; q < w->n; q++) {
				if (w->index[q] == p->ref) {
					ref = core_mix(w->colour[q], q == w->marked);
				}
			}
		}
		w->hash[k] = core_hash_with(c, p, ref, hash_at, w);
	}
	return hash_at(w, c, root);
}

static uint32_t count_classes(const uint64_t *colour, uint32_t n)
{
	uint32_t classes = 0;
	for (uint32_t k = 0; k < n; k++) {
		bool fresh = true;
		for (uint32_t q = 0; q < k; q++) {
			fresh = fresh && colour[q] != colour[k];
		}
		classes += fresh;
	}
	return classes;
}

static void colour_indices(Core *c, Colouring *w, Node root)
{
	for (uint32_t k = 0; k < w->n; k++) {
		const IndexCell *cell = &c->index[w->index[k]];
		w->colour[k] = core_mix(((uint64_t)cell->axis << 8) | cell->wide, k < w->nfree);
	}
	uint64_t *next = arena_array(c->arena, uint64_t, w->n);
	uint32_t classes = count_classes(w->colour, w->n);
	bool listed = false;
	while (classes < w->n) {
		if (!listed) {
			list_nodes(c, w, root);
			listed = true;
		}
		for (w->marked = 0; w->marked < w->n; w->marked++) {
			next[w->marked] = core_mix(w->colour[w->marked], marked_hash(c, w, root));
		}
		memcpy(w->colour, next, w->n * sizeof *next);
		uint32_t more = count_classes(w->colour, w->n);
		if (more == classes) {
			break;
		}
		classes = more;
	}
}

/* ---- the smallest form ---- */

enum { PERMUTATIONS = 720 };

typedef struct Search {
	Core *c;
	Node root;
	uint32_t n, nfree;
	Index *order;     /* the indices, free ones first, sorted by colour */
	uint64_t *colour; /* of order[k] */
	Index *best;
	Node best_node;
} Search;

static bool try_order(Search *s)
{
	Core *c = s->c;
	Node *to = arena_array(c->arena, Node, s->n);
	for (uint32_t k = 0; k < s->n; k++) {
		Index i = s->order[k];
		Axis axis = c->index[i].axis;
		CanonFamily f = k >= s->nfree      ? CANON_BOUND
				: c->index[i].wide ? CANON_WIDE
						   : CANON_FREE;
		uint32_t position = 0;
		for (uint32_t q = k < s->nfree ? 0 : s->nfree; q < k; q++) {
			position += c->index[s->order[q]].axis == axis &&
				    c->index[s->order[q]].wide == c->index[i].wide;
		}
		to[k] = core_index_value(c, core_canon(c, f, axis, position));
	}
	Node n = core_subst(c, s->root, s->n, s->order, to);
	if (s->best_node && core_order(c, s->best_node, n) <= 0) {
		return false;
	}
	s->best_node = n;
	memcpy(s->best, s->order, s->n * sizeof *s->best);
	return true;
}

/* Next order inside the group lo..hi-1 in the order of index numbers; false after the last (then
 * sorted again). */
static bool next_permutation(Index *v, uint32_t n)
{
	for (uint32_t k = n; k-- > 1;) {
		if (v[k - 1] < v[k]) {
			uint32_t q = n - 1;
			while (v[q] < v[k - 1]) {
				q--;
			}
			Index t = v[q];
			v[q] = v[k - 1];
			v[k - 1] = t;
			for (uint32_t lo = k, hi = n - 1; lo < hi; lo++, hi--) {
				t = v[lo];
				v[lo] = v[hi];
				v[hi] = t;
			}
			return true;
		}
	}
	for (uint32_t lo = 0, hi = n ? n - 1 : 0; lo < hi; lo++, hi--) {
		Index t = v[lo];
		v[lo] = v[hi];
		v[hi] = t;
	}
	return false;
}

static uint32_t group_end(const Search *s, uint32_t lo)
{
	uint32_t hi = lo + 1;
	while (hi < s->n && (hi < s->nfree) == (lo < s->nfree) && s->colour[hi] == s->colour[lo]) {
		hi++;
	}
	return hi;
}

static bool few_permutations(const Search *s)
{
	uint32_t total = 1;
	for (uint32_t lo = 0, hi; lo < s->n; lo = hi) {
		hi = group_end(s, lo);
		for (uint32_t k = 2; k <= hi - lo; k++) {
			total *= k;
			if (total > PERMUTATIONS) {
				return false;
			}
		}
	}
	return true;
}

static void search_orders(Search *s)
{
	for (;;) {
		try_order(s);
		uint32_t lo = 0;
		for (; lo < s->n; lo = group_end(s, lo)) {
			if (next_permutation(s->order + lo, group_end(s, lo) - lo)) {
				break;
			}
		}
		if (lo >= s->n) {
			return;
		}
	}
}

/* Sorts order[lo..hi) by colour, then by number. */
static void sort_colours(Search *s, uint32_t lo, uint32_t hi)
{
	for (uint32_t k = lo + 1; k < hi; k++) {
		Index i = s->order[k];
		uint64_t x = s->colour[k];
		uint32_t q = k;
		for (; q > lo &&
		       (s->colour[q - 1] > x || (s->colour[q - 1] == x && s->order[q - 1] > i));
		     q--) {
			s->order[q] = s->order[q - 1];
			s->colour[q] = s->colour[q - 1];
		}
		s->order[q] = i;
		s->colour[q] = x;
	}
}

bool core_canonical(Core *c, Node n, uint32_t nfree, const Index *free, uint32_t nbound,
		    const Index *bound, Node *node, uint32_t *perm_free, uint32_t *perm_bound)
{
	uint32_t all = nfree + nbound;
	Index *given = arena_array(c->arena, Index, all);
	for (uint32_t k = 0; k < all; k++) {
		given[k] = k < nfree ? free[k] : bound[k - nfree];
	}
	Colouring w = {.n = all,
		       .nfree = nfree,
		       .index = given,
		       .colour = arena_array(c->arena, uint64_t, all)};
	w.place = core_memo_take(c);
	colour_indices(c, &w, n);
	core_memo_give(c, w.place);
	Search s = {.c = c, .root = n, .n = all, .nfree = nfree, .colour = w.colour};
	s.order = arena_copy(c->arena, given, all * sizeof *given, alignof(Index));
	s.best = arena_array(c->arena, Index, all);
	sort_colours(&s, 0, nfree);
	sort_colours(&s, nfree, all);
	bool few = few_permutations(&s);
	if (few) {
		search_orders(&s);
	} else {
		try_order(&s);
	}
	*node = s.best_node;
	for (uint32_t k = 0; k < all; k++) {
		uint32_t at = 0;
		while (given[at] != s.best[k]) {
			at++;
		}
		if (k < nfree) {
			perm_free[k] = at;
		} else {
			perm_bound[k - nfree] = at - nfree;
		}
	}
	return few;
}
