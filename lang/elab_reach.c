/* elab_reach.c — what a value is made of: the definitions that it reaches, and which of them hold
 * parameters. One walk answers for all parameters and fields at once. */
#include "lang/elab_int.h"

#include <string.h>

bool *defs_reached(Elab *e, uint32_t nroot, const Node *root)
{
	bool *reached = arena_array(e->arena, bool, core_def_count(e->core) + 1);
	Node *given = arena_array(e->arena, Node, nroot + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < nroot; k++) {
		if (root[k]) {
			given[n++] = root[k];
		}
	}
	Def *order;
	uint32_t *component, count = core_reach(e->core, e->arena, n, given, &order, &component);
	for (uint32_t k = 0; k < count; k++) {
		reached[order[k]] = true;
	}
	return reached;
}

/* A node is met for the first time in this walk. */
bool visit_first(Elab *e, Visits *v, Node n)
{
	if (n >= v->cap) {
		uint32_t cap = 2 * n + 256;
		uint32_t *more = arena_array(e->arena, uint32_t, cap);
		if (v->cap) {
			memcpy(more, v->stamp, v->cap * sizeof *more);
		}
		v->stamp = more;
		v->cap = cap;
	}
	if (v->stamp[n] == v->now) {
		return false;
	}
	v->stamp[n] = v->now;
	return true;
}

static bool reads_marked(Elab *e, Visits *v, const bool *mark, Def nmark, Node n)
{
	if (!visit_first(e, v, n)) {
		return false;
	}
	NodeInfo i = *core_node(e->core, n);
	if (i.tag == NODE_READ && i.ref <= nmark && mark[i.ref]) {
		return true;
	}
	for (uint32_t k = 0; k < i.n; k++) {
		if (reads_marked(e, v, mark, nmark, i.arg[k])) {
			return true;
		}
	}
	return false;
}

bool node_holds_params(Elab *e, Visits *v, const bool *mark, Def nmark, Node n)
{
	v->now++;
	return reads_marked(e, v, mark, nmark, n);
}

/* Does one of the definitions' pieces read what is marked? */
static bool set_reads(Elab *e, Visits *v, const bool *mark, Def nmark, uint32_t n, const Def *set)
{
	for (uint32_t k = 0; k < n; k++) {
		DefInfo d = *core_def(e->core, set[k]);
		if (d.role == DEF_PARAM) {
			return true;
		}
		for (uint32_t p = 0; p < d.npiece; p++) {
			v->now++;
			if (reads_marked(e, v, mark, nmark, d.piece[p].value)) {
				return true;
			}
		}
	}
	return false;
}

bool *defs_with_params(Elab *e, Visits *v, Node root, Def *nmark)
{
	*nmark = core_def_count(e->core);
	bool *mark = arena_array(e->arena, bool, *nmark + 1);
	Def *order;
	uint32_t *component, count = core_reach(e->core, e->arena, 1, &root, &order, &component);
	for (uint32_t k = 0, end; k < count; k = end) { /* each set after what it reads */
		for (end = k + 1; end < count && component[end] == component[k]; end++) {
		}
		bool holds = set_reads(e, v, mark, *nmark, end - k, order + k);
		for (uint32_t j = k; j < end; j++) {
			mark[order[j]] = holds;
		}
	}
	return mark;
}
