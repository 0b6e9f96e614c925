/* elab_cycle.c — definitions that need each other: the strongly connected sets of the definitions
 * of one scope, found once for all of them (Tarjan). Which names a right side mentions decides; an
 * index that is bound on the left or by a reduction hides a definition of its name. SPEC: recurrences. */
#include "lang/elab_group.h"

#include <string.h>

typedef struct Links {
	uint32_t *to;
	uint32_t n;
	size_t cap;
} Links;
typedef struct Graph {
	Elab *e;
	Group **group;
	Links *links;
	uint32_t n;
	uint32_t *slot; /* hash of names: number of a group + 1 */
	uint32_t mask;
	/* the search */
	uint32_t *order, *low, *stack, *path, *next, nstack, npath, count;
	bool *open;
} Graph;

static uint32_t place(const Graph *g, Sym name)
{
	uint32_t k = ((uint32_t)name * 2654435761u) & g->mask;
	while (g->slot[k] && g->group[g->slot[k] - 1]->name != name) {
		k = (k + 1) & g->mask;
	}
	return k;
}

static bool bound_left(const Graph *g, const Group *of, const Ast *left, Sym name)
{
	for (uint32_t i = 1; left->kind == AST_INDEX && i < left->nkid; i++) {
		if (left->kid[i]->kind == AST_NAME && left->kid[i]->name == name) {
			return group_binds(g->e, of, left->kid[i]);
		}
	}
	return false;
}

static void link_names(Graph *g, Links *links, const Group *of, const Ast *left, const Ast *ast, const Binding *outer)
{
	if (!ast) {
		return;
	}
	Binding here = {outer, ast->nkid ? ast->kid[0] : NULL};
	if ((ast->kind == AST_REDUCE || ast->kind == AST_COMPREHENSION) && here.binders) {
		outer = &here;
	}
	uint32_t found = ast->kind == AST_NAME ? g->slot[place(g, ast->name)] : 0;
	if (found && (bound_left(g, of, left, ast->name) || bound_by(outer, ast->name))) {
		found = 0;
	}
	if (found && (links->n == 0 || links->to[links->n - 1] != found - 1)) {
		ARENA_PUSH(g->e->arena, links->to, links->n, links->cap, found - 1);
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		link_names(g, links, of, left, ast->kid[i], outer);
	}
}

static void enter(Graph *g, uint32_t v)
{
	g->order[v] = g->low[v] = ++g->count;
	g->stack[g->nstack++] = v;
	g->open[v] = true;
	g->path[g->npath++] = v;
}

/* v is done: what lies above it on the stack is one set if it reaches nothing below. */
static void leave(Graph *g, uint32_t v)
{
	g->npath--;
	if (g->npath) {
		uint32_t up = g->path[g->npath - 1];
		g->low[up] = g->low[v] < g->low[up] ? g->low[v] : g->low[up];
	}
	if (g->low[v] != g->order[v]) {
		return;
	}
	uint32_t first = g->nstack;
	while (g->stack[first - 1] != v) {
		first--;
	}
	for (uint32_t k = first - 1; k < g->nstack; k++) {
		uint32_t member = g->stack[k];
		g->open[member] = false;
		g->group[member]->set = g->order[v];
		g->group[member]->recursive = g->nstack - first > 0;
	}
	g->nstack = first - 1;
	for (uint32_t k = 0; k < g->links[v].n; k++) {
		g->group[v]->recursive |= g->links[v].to[k] == v;
	}
}

static void search(Graph *g, uint32_t root)
{
	enter(g, root);
	while (g->npath) {
		uint32_t v = g->path[g->npath - 1];
		if (g->next[v] == g->links[v].n) {
			leave(g, v);
			continue;
		}
		uint32_t to = g->links[v].to[g->next[v]++];
		if (!g->order[to]) {
			enter(g, to);
		} else if (g->open[to] && g->order[to] < g->low[v]) {
			g->low[v] = g->order[to];
		}
	}
}

static void mark_variables(const Graph *g, const Scope *s)
{
	Sym *name = arena_array(g->e->arena, Sym, g->n + 1);
	bool *by = arena_array(g->e->arena, bool, g->n + 1);
	for (uint32_t k = 0; k < g->n; k++) {
		name[k] = g->group[k]->name;
	}
	for (uint32_t i = 0; i < s->ntext; i++) {
		diff_text_by(g->e, s->text[i], g->n, name, by);
	}
	for (uint32_t k = 0; k < g->n; k++) {
		g->group[k]->by = by[k];
	}
}

static void find_sets(Elab *e, Scope *s)
{
	Graph g = {.e = e};
	g.group = arena_array(e->arena, Group *, s->n + 1);
	for (size_t k = 0; k < s->n; k++) {
		Group *made = s->entry[k].name ? s->entry[k].made : NULL;
		if (made && made->scope == s) {
			g.group[g.n++] = made;
		}
	}
	for (g.mask = 15; g.mask < 4 * g.n; g.mask = 2 * g.mask + 1) {
	}
	g.slot = arena_array(e->arena, uint32_t, g.mask + 1);
	g.links = arena_array(e->arena, Links, g.n + 1);
	uint32_t *word = arena_array(e->arena, uint32_t, 5 * g.n + 5);
	g.order = word;
	g.low = word + g.n;
	g.stack = word + 2 * g.n;
	g.path = word + 3 * g.n;
	g.next = word + 4 * g.n;
	g.open = arena_array(e->arena, bool, g.n + 1);
	for (uint32_t k = 0; k < g.n; k++) {
		g.slot[place(&g, g.group[k]->name)] = k + 1;
	}
	for (uint32_t k = 0; k < g.n; k++) {
		for (size_t i = 0; i < g.group[k]->n; i++) {
			const Ast *def = g.group[k]->piece[i];
			link_names(&g, &g.links[k], g.group[k], def->kid[0], def->kid[1], NULL);
		}
	}
	for (uint32_t k = 0; k < g.n; k++) {
		if (!g.order[k]) {
			search(&g, k);
		}
	}
	mark_variables(&g, s);
	for (uint32_t k = 0; k < g.n; k++) {
		g.group[k]->nneed = g.links[k].n;
		g.group[k]->need = arena_array(e->arena, Group *, g.links[k].n + 1);
		for (uint32_t i = 0; i < g.links[k].n; i++) {
			g.group[k]->need[i] = g.group[g.links[k].to[i]];
		}
	}
	s->nsorted = s->ngroup;
}

/* A chain of definitions, each needing the one before, is made from its beginning: else it would
 * be descended as deep as it is long. Scopes with few definitions need no such care. */
void group_needs_first(Elab *e, Group *g)
{
	Scope *s = g->scope;
	if (s->ngroup <= (s == e->global ? 200u : 20u)) {
		return;
	}
	if (s->nsorted != s->ngroup) {
		find_sets(e, s);
	}
	bool any = false;
	for (uint32_t i = 0; i < g->nneed; i++) {
		any = any || (g->need[i]->state == GROUP_NEW && g->need[i]->set != g->set);
	}
	if (!any) {
		return;
	}
	Group **path = arena_array(e->arena, Group *, s->ngroup + 1);
	uint32_t n = 0;
	path[n++] = g;
	uint32_t visit = ++e->visits;
	g->visit = visit;
	g->tried = 0;
	while (n) {
		Group *top = path[n - 1];
		Group *next = top->tried < top->nneed ? top->need[top->tried++] : NULL;
		if (!next) {
			n--;
			if (top != g && top->state == GROUP_NEW && top->set != g->set) {
				elab_group(e, s, top, top->name, top->span);
			}
		} else if (next->visit != visit && next->state == GROUP_NEW) {
			next->visit = visit;
			next->tried = 0;
			path[n++] = next;
		}
	}
}

size_t group_cycle(Elab *e, Group *g, Group ***out)
{
	Scope *s = g->scope;
	if (s->nsorted != s->ngroup) {
		find_sets(e, s);
	}
	size_t n = 0, cap = 0;
	*out = NULL;
	ARENA_PUSH(e->arena, *out, n, cap, g);
	for (size_t k = 0; g->recursive && k < s->n; k++) {
		Group *h = s->entry[k].pending;
		if (h && h != g && h->state == GROUP_NEW && h->scope == s && h->set == g->set) {
			ARENA_PUSH(e->arena, *out, n, cap, h);
		}
	}
	return n;
}
