/* matrix.c — operations on whole arrays as definitions of the core. Keeps: equal operations of
 * equal arguments up to renaming are one definition; the bound indices stay in their order (rows,
 * columns). SPEC.md, matrices and ordering. */
#include "lang/matrix.h"

#include <assert.h>
#include <string.h>

#include "lang/core_int.h"

static const MatrixOp rows[] = {
#define MATRIX(id, name, word, nbound, nresult, integer)                                           \
	{name, word, nbound, nresult, integer, RED_##id},
#define MATRIX_WITH(id, name, word, nbound, nresult, integer)                                      \
	{name, word, nbound, nresult, integer, RED_NONE},
#include "lang/matrix.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

const MatrixOp *matrix_op(RedKind red)
{
	assert(red_is_matrix(red) && red - RED_ANY - 1 < ROWS);
	return &rows[red - RED_ANY - 1];
}

RedKind matrix_family(RedKind red)
{
	while (matrix_op(red)->family == RED_NONE) {
		red--;
	}
	return red;
}

RedKind matrix_find(const char *name)
{
	for (unsigned k = 0; k < ROWS; k++) {
		if (strcmp(rows[k].name, name) == 0) {
			return (RedKind)(RED_ANY + 1 + k);
		}
	}
	return RED_NONE;
}

uint32_t matrix_results(const DefInfo *d)
{
	return d->role == DEF_REDUCTION && red_is_matrix(d->red) ? matrix_op(d->red)->nresult : 0;
}

static bool among(Index i, uint32_t n, const Index *list)
{
	for (uint32_t k = 0; k < n; k++) {
		if (list[k] == i) {
			return true;
		}
	}
	return false;
}

static Def define_matrix(Core *c, RedKind red, Sym name, Span span, uint32_t naround,
			 const Index *index, const Index *result, Node body)
{
	const MatrixOp *op = matrix_op(red);
	uint32_t n = naround + op->nbound;
	Index *fresh = arena_array(c->arena, Index, n + op->nresult);
	Node *value = arena_array(c->arena, Node, n);
	for (uint32_t k = 0; k < n; k++) {
		fresh[k] = core_index_like(c, index[k]);
		value[k] = core_index_value(c, fresh[k]);
	}
	Index *formal = arena_array(c->arena, Index, naround + op->nresult);
	for (uint32_t k = 0; k < naround + op->nresult; k++) {
		formal[k] = k < naround ? fresh[k] : core_index_like(c, result[k - naround]);
	}
	Piece piece = {.value = core_subst(c, body, n, index, value)};
	DefInfo info = {.role = DEF_REDUCTION,
			.name = name,
			.span = span,
			.kind = op->integer ? KIND_INT : KIND_REAL,
			.nindex = naround + op->nresult,
			.index = formal,
			.red = red,
			.nbound = op->nbound,
			.bound = fresh + naround,
			.npiece = 1,
			.piece = &piece};
	return core_define(c, info);
}

Node core_matrix(Core *c, RedKind red, Sym name, Span span, const Index *bound, const Index *result,
		 Node body)
{
	const MatrixOp *op = matrix_op(red);
	const Index *seen;
	uint32_t nfree = core_free(c, body, &seen), n = 0, nkey = 0;
	Index *index = arena_array(c->arena, Index, nfree + op->nbound);
	for (uint32_t k = 0; k < nfree; k++) {
		if (!among(seen[k], op->nbound, bound)) {
			index[n++] = seen[k];
		}
	}
	uint32_t naround = n;
	for (uint32_t k = 0; k < op->nbound; k++) {
		index[n++] = bound[k];
	}
	Node *canon = arena_array(c->arena, Node, n);
	uint32_t *key = arena_array(c->arena, uint32_t, n + op->nresult + 2);
	key[nkey++] = red;
	for (uint32_t k = 0; k < n; k++) {
		CanonFamily f = c->index[index[k]].wide ? CANON_WIDE : CANON_FREE;
		canon[k] = core_index_value(c, core_canon(c, f, core_index_axis(c, index[k]), k));
		key[nkey++] = canon[k];
	}
	for (uint32_t k = 0; k < op->nresult; k++) {
		key[nkey++] = core_index_axis(c, result[k]);
	}
	key[nkey++] = core_subst(c, body, n, index, canon);
	Def d = core_key_find(&c->reduced, key, nkey);
	if (!d) {
		d = define_matrix(c, red, name, span, naround, index, result, body);
		core_key_add(c, &c->reduced, key, nkey, d);
	}
	Node *args = arena_array(c->arena, Node, naround + op->nresult);
	for (uint32_t k = 0; k < naround + op->nresult; k++) {
		args[k] = core_index_value(c, k < naround ? index[k] : result[k - naround]);
	}
	return core_read(c, d, args);
}
