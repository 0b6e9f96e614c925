/* core_simplify.c — the reachable system rebuilt in its normal form, definition by definition,
 * those that are read first. In: any system. Out: the same meaning; each definition d has become an
 * image, an expression over d's own formals: a read of a definition, a number times a read, or a
 * number. Readers get the image with their arguments put in. Keeps: products never move into other
 * definitions; definitions are not changed in place (names and flags aside). */
#include <assert.h>
#include <string.h>

#include "lang/core_rules.h"
#include "lang/matrix.h"

typedef struct Simplify {
	Core *c;
	Arena *scratch;
	unsigned flags;
	Node *image; /* by definition, over its formals; 0: itself */
	uint32_t n;
	bool *pinned; /* by definition: something is still to be differentiated by it */
} Simplify;

/* ---- expressions ---- */

/* Is the label of i seen other than as a place on i's own axis? Images are small. */
static bool looks_at_label(const Core *c, Node n, Index i)
{
	const NodeInfo *p = core_node(c, n);
	if (p->tag == NODE_INDEX) {
		return p->ref == i;
	}
	for (uint32_t k = 0; k < p->n; k++) {
		const NodeInfo *arg = core_node(c, p->arg[k]);
		bool place = p->tag == NODE_READ &&
			     core_index_axis(c, core_def(c, p->ref)->index[k]) == core_index_axis(c, i);
		bool shift = arg->tag == NODE_LIN && arg->n == 1 && arg->coef[0] == 1;
		Node bare = place && shift ? arg->arg[0] : p->arg[k];
		if (place && core_node(c, bare)->tag == NODE_INDEX) {
			continue;
		}
		if (looks_at_label(c, p->arg[k], i)) {
			return true;
		}
	}
	return false;
}

/* The label that a place on a periodic axis has. */
static Node label_of(Core *c, Axis axis, Node place)
{
	const AxisInfo *a = core_axis_info(c, axis);
	const NodeInfo *p = core_node(c, place);
	if (p->tag == NODE_CONST || (p->tag == NODE_INDEX && core_index_axis(c, p->ref) == axis)) {
		return place; /* a read has put constants onto the axis */
	}
	Node first = core_int_const(c, a->first), size = core_size(c, axis);
	return core_add(c, core_op2(c, OP_imod, core_sub(c, place, first), size), first);
}

static Node put_in(Simplify *s, Def d, const Node *args)
{
	const DefInfo *info = core_def(s->c, d);
	Node *to = arena_array(s->scratch, Node, info->nindex + 1);
	for (uint32_t k = 0; k < info->nindex; k++) {
		Axis axis = core_index_axis(s->c, info->index[k]);
		bool ring = core_axis_info(s->c, axis)->flags & AXIS_PERIODIC;
		to[k] = ring && looks_at_label(s->c, s->image[d], info->index[k])
				? label_of(s->c, axis, args[k])
				: args[k];
	}
	return core_subst(s->c, s->image[d], info->nindex, info->index, to);
}

static Node simplify_leave(void *data, Core *c, Node was, Node n)
{
	Simplify *s = data;
	const NodeInfo *p = core_node(c, was);
	if (p->tag == NODE_READ) {
		return p->ref <= s->n && s->image[p->ref] ? put_in(s, p->ref, core_node(c, n)->arg)
							  : n;
	}
	if (s->flags & SIMPLIFY_FOLD) {
		if (p->tag == NODE_SIZE && core_axis_info(c, p->ref)->size >= 0) {
			return core_int_const(c, core_axis_info(c, p->ref)->size);
		}
		if (p->tag == NODE_STOP && core_node(c, n)->tag == NODE_STOP) {
			n = core_node(c, n)->arg[0];
		}
	}
	return core_rules_apply(c, s->flags, n);
}

static Node simplify_value(Simplify *s, Node n)
{
	Rewrite r = {.leave = simplify_leave, .data = s};
	Memo *memo = core_memo_take(s->c);
	n = core_rewrite(s->c, &r, memo, n);
	core_memo_give(s->c, memo);
	return n;
}

/* ---- what dissolves ---- */

static bool without_reads(const Core *c, Node n, int depth)
{
	const NodeInfo *p = core_node(c, n);
	if (p->tag == NODE_READ || depth > 8) {
		return false;
	}
	for (uint32_t k = 0; k < p->n; k++) {
		if (!without_reads(c, p->arg[k], depth + 1)) {
			return false;
		}
	}
	return true;
}

/* A number, or a number times a read at computable places, perhaps guarded by a condition on
 * places. */
static bool dissolves(const Core *c, Node n, Node *read)
{
	const NodeInfo *p = core_node(c, n);
	*read = 0;
	if (p->tag == NODE_GUARD && without_reads(c, p->arg[0], 0)) {
		n = p->arg[1];
		p = core_node(c, n);
	}
	if (p->tag == NODE_LIN && p->n == 1 && p->num == 0 && p->integer == 0) {
		n = p->arg[0];
		p = core_node(c, n);
	}
	if (p->tag == NODE_CONST) {
		return true;
	}
	if (p->tag != NODE_READ) {
		return false;
	}
	for (uint32_t k = 0; k < p->n; k++) {
		if (!without_reads(c, p->arg[k], 0)) {
			return false;
		}
	}
	*read = n;
	return true;
}

static bool distinct_indices(const Core *c, const NodeInfo *p)
{
	for (uint32_t k = 0; k < p->n; k++) {
		for (uint32_t q = 0; q <= k; q++) {
			if (core_node(c, p->arg[k])->tag != NODE_INDEX ||
			    (q < k && p->arg[q] == p->arg[k])) {
				return false;
			}
		}
	}
	return true;
}

static bool whole(const DefInfo *d)
{
	return d->npiece == 1 && !d->piece[0].box;
}

/* May readers of d read `value` instead? */
static bool may_dissolve(const Simplify *s, const DefInfo *d, Node value)
{
	Node read;
	bool variable = (d->flags & DEF_VARIABLE) != 0;
	if (!dissolves(s->c, value, &read) || (variable && (s->flags & SIMPLIFY_KEEP_VARIABLES))) {
		return false;
	}
	if ((d->flags & DEF_USER) && !variable && !(s->flags & SIMPLIFY_FOLD)) {
		return false;
	}
	if (!(d->flags & DEF_ZERO_OUTSIDE)) {
		return true;
	}
	/* what is zero outside may only become what is zero outside the same box */
	if (!read) {
		return core_is_zero(s->c, value);
	}
	const NodeInfo *p = core_node(s->c, read);
	const DefInfo *to = core_def(s->c, p->ref);
	return (to->flags & DEF_ZERO_OUTSIDE) && whole(to) && p->n == d->nindex &&
	       distinct_indices(s->c, p);
}

/* A definition without a user's name that stands for one with takes it over. */
static void hand_down_name(Simplify *s, const DefInfo *d, Node value)
{
	Node read;
	if (!dissolves(s->c, value, &read) || !read || read != value || !d->name) {
		return;
	}
	DefInfo *to = core_def_mutable(s->c, core_node(s->c, read)->ref);
	bool better = !to->name || ((d->flags & DEF_USER) && !(to->flags & DEF_USER));
	bool computed = to->role == DEF_VALUE || to->role == DEF_REDUCTION;
	if (better && computed && to->nindex == d->nindex &&
	    distinct_indices(s->c, core_node(s->c, read))) {
		to->name = d->name;
		to->flags |= d->flags & DEF_USER;
		to->unit = to->unit ? to->unit : d->unit;
	}
}

/* ---- sharing up to renaming and order of indices ---- */

static Node plain_read(Simplify *s, Def d)
{
	return core_read_plain(s->c, d, core_def(s->c, d)->index);
}

static Def define_like(Simplify *s, Def like, uint32_t n, const Index *index, Node value)
{
	Core *c = s->c;
	DefInfo info = *core_def(c, like);
	Index *fresh = arena_array(s->scratch, Index, n);
	Node *to = arena_array(s->scratch, Node, n);
	for (uint32_t k = 0; k < n; k++) {
		fresh[k] = core_index_like(c, index[k]);
		to[k] = core_index_value(c, fresh[k]);
	}
	Piece piece = {.value = core_subst(c, value, n, index, to)};
	info.flags &= ~(unsigned)DEF_VARIABLE;
	info.nindex = n;
	info.index = fresh;
	info.npiece = 1;
	info.piece = &piece;
	info.role = DEF_VALUE;
	info.red = RED_NONE;
	info.nbound = 0;
	info.rule = NULL;
	return core_define(c, info);
}

static void keep_better_name(Simplify *s, Def known, const DefInfo *d)
{
	DefInfo *info = core_def_mutable(s->c, known);
	if (d->name && (!info->name || ((d->flags & DEF_USER) && !(info->flags & DEF_USER)))) {
		info->name = d->name;
		info->span = d->span;
	}
	info->flags |= d->flags & (DEF_USER | DEF_KEEP);
}

/* Formals that the value has; all of them where places outside matter. */
static uint32_t used_formals(Simplify *s, const DefInfo *d, Node value, Index *used)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < d->nindex; k++) {
		if ((d->flags & DEF_ZERO_OUTSIDE) || core_has_index(s->c, value, d->index[k])) {
			used[n++] = d->index[k];
		}
	}
	return n;
}

/* The image of a definition on its whole domain: a read of the definition with this value. */
static Node share_value(Simplify *s, Def def, Node value)
{
	Core *c = s->c;
	const DefInfo *d = core_def(c, def);
	Index *used = arena_array(s->scratch, Index, d->nindex);
	uint32_t n = used_formals(s, d, value, used), nkey = 0;
	uint32_t *perm = arena_array(s->scratch, uint32_t, n),
		 *key = arena_array(s->scratch, uint32_t, n + 3);
	Node canon;
	core_canonical(c, value, n, used, 0, NULL, &canon, perm, NULL);
	key[nkey++] = canon;
	key[nkey++] = d->flags & (DEF_ZERO_OUTSIDE | DEF_SPIN);
	for (uint32_t k = 0; k < n; k++) {
		key[nkey++] = core_index_axis(c, used[perm[k]]);
	}
	Def known = core_key_find(&c->valued, key, nkey);
	if (known) {
		keep_better_name(s, known, d);
	} else {
		bool unchanged = d->role == DEF_VALUE && whole(d) && n == d->nindex &&
				 value == d->piece[0].value && !d->rule &&
				 !(d->flags & DEF_VARIABLE);
		known = unchanged ? def : define_like(s, def, n, used, value);
		core_key_add(c, &c->valued, key, nkey, known);
		core_def_cell(c, known)->canon =
			n ? arena_copy(c->arena, perm, n * sizeof *perm, alignof(uint32_t)) : NULL;
	}
	const uint32_t *place = core_def_cell(c, known)->canon;
	Node *args = arena_array(s->scratch, Node, n);
	for (uint32_t k = 0; k < n; k++) {
		args[place[k]] = core_index_value(c, used[perm[k]]);
	}
	return core_read(c, known, args);
}

/* ---- single definitions ---- */

static Node image_of_value(Simplify *s, Def def, Node value)
{
	const DefInfo *d = core_def(s->c, def);
	if (may_dissolve(s, d, value)) {
		hand_down_name(s, d, value);
		return value;
	}
	return share_value(s, def, value);
}

/* Puts the body of a reduction through the rules of sums again. */
static Node image_of_reduction(Simplify *s, Def def)
{
	Core *c = s->c;
	DefInfo d = *core_def(c, def);
	Node *formal = arena_array(s->scratch, Node, d.nindex);
	for (uint32_t k = 0; k < d.nindex; k++) {
		formal[k] = core_index_value(c, d.index[k]);
	}
	Index *bound;
	Node body = simplify_value(s, core_open(c, def, 0, formal, &bound));
	Node n = red_is_matrix(d.red)
			 ? core_matrix(c, d.red, d.name, d.span, bound,
				       d.index + (d.nindex - matrix_results(&d)), body)
			 : core_reduce(c, d.red, d.name, d.span, d.nbound, bound, body);
	n = core_rules_apply(c, s->flags, n);
	Node read;
	if (dissolves(c, n, &read)) {
		hand_down_name(s, &d, n);
		return n;
	}
	return share_value(s, def, n);
}

static void simplify_constant(Simplify *s, Def def)
{
	const DefInfo *d = core_def(s->c, def);
	Node value = simplify_value(s, d->piece[0].value);
	if (core_is_const(s->c, value, NULL) && (s->flags & SIMPLIFY_FOLD)) {
		s->image[def] = value;
	} else if (value != d->piece[0].value) {
		DefInfo info = *d;
		Piece piece = {.value = value};
		info.piece = &piece;
		s->image[def] = core_read(s->c, core_define(s->c, info), NULL);
	}
}

/* ---- definitions with boxes, and cycles ---- */

typedef struct Clone {
	Def copy;
	Index *from;
	Node *to;
} Clone;

static Node *rewritten_pieces(Simplify *s, Def def, bool *changed)
{
	const DefInfo *d = core_def(s->c, def);
	Node *value = arena_array(s->scratch, Node, d->npiece);
	for (uint32_t k = 0; k < d->npiece; k++) {
		value[k] = simplify_value(s, core_def(s->c, def)->piece[k].value);
		*changed |= value[k] != core_def(s->c, def)->piece[k].value;
	}
	return value;
}

static void clone_head(Simplify *s, Def def, Clone *k)
{
	k->copy = core_clone_head(s->c, s->scratch, def, &k->from, &k->to);
	if (!(s->flags & SIMPLIFY_KEEP_VARIABLES)) {
		core_def_mutable(s->c, k->copy)->flags &= ~(unsigned)DEF_VARIABLE;
	}
	s->image[def] = core_read_plain(s->c, k->copy, core_def(s->c, def)->index);
}

static void clone_pieces(Simplify *s, Def def, const Clone *k, const Node *value)
{
	const DefInfo *d = core_def(s->c, def);
	Piece *piece = arena_array(s->scratch, Piece, d->npiece);
	for (uint32_t q = 0; q < d->npiece; q++) {
		piece[q].box = d->piece[q].box;
		piece[q].value = core_subst(s->c, value[q], d->nindex + d->nbound, k->from, k->to);
	}
	core_set_pieces(s->c, k->copy, d->npiece, piece);
}

static void simplify_boxed(Simplify *s, Def def)
{
	bool drops_variable = (core_def(s->c, def)->flags & DEF_VARIABLE) &&
			      !(s->flags & SIMPLIFY_KEEP_VARIABLES);
	bool changed = core_def(s->c, def)->rule != NULL || drops_variable;
	Node *value = rewritten_pieces(s, def, &changed);
	if (changed) {
		Clone k;
		clone_head(s, def, &k);
		clone_pieces(s, def, &k, value);
	}
}

static bool reads_itself(Simplify *s, Def d)
{
	uint32_t n;
	const Def *reads = core_def_reads(s->c, d, &n);
	for (uint32_t k = 0; k < n; k++) {
		if (reads[k] == d) {
			return true;
		}
	}
	return false;
}

/* A member that needs no head: a reduction, or what can be dissolved into another member. */
static bool follows(const Simplify *s, Def def, bool aliases)
{
	const DefInfo *d = core_def(s->c, def);
	Node read;
	if (s->pinned[def] || d->red != RED_NONE) {
		return !s->pinned[def];
	}
	return aliases && whole(d) && dissolves(s->c, d->piece[0].value, &read) &&
	       may_dissolve(s, d, d->piece[0].value);
}

/* The followers of a cycle, each after those it reads; false if there is a cycle among them. */
static bool order_followers(Simplify *s, uint32_t n, const Def *set, bool aliases, Def *order,
			    uint32_t *count)
{
	uint8_t *state = arena_array(s->scratch, uint8_t, s->n + 1); /* 1: a follower, 2: ordered */
	uint32_t total = 0;
	*count = 0;
	for (uint32_t k = 0; k < n; k++) {
		state[set[k]] = follows(s, set[k], aliases);
		total += state[set[k]];
	}
	for (bool progress = true; progress && *count < total;) {
		progress = false;
		for (uint32_t k = 0; k < n; k++) {
			if (state[set[k]] != 1) {
				continue;
			}
			uint32_t nread;
			const Def *reads = core_def_reads(s->c, set[k], &nread);
			bool ready = true;
			for (uint32_t q = 0; q < nread; q++) {
				ready = ready && (reads[q] > s->n || state[reads[q]] != 1);
			}
			if (ready) {
				state[set[k]] = 2;
				order[(*count)++] = set[k];
				progress = true;
			}
		}
	}
	return *count == total;
}

static bool cycle_changes(Simplify *s, uint32_t n, const Def *set)
{
	bool changed = false;
	for (uint32_t k = 0; k < n; k++) {
		const DefInfo *d = core_def(s->c, set[k]);
		changed |= d->rule != NULL ||
			   ((d->flags & DEF_VARIABLE) && !(s->flags & SIMPLIFY_KEEP_VARIABLES)) ||
			   (d->red == RED_NONE && follows(s, set[k], true));
		rewritten_pieces(s, set[k], &changed);
	}
	return changed;
}

/* A strongly connected set. Nothing is copied if nothing changes; else its values get new heads,
 * and the others follow. */
static void simplify_cycle(Simplify *s, uint32_t n, const Def *set)
{
	if (!cycle_changes(s, n, set)) {
		return;
	}
	Def *follower = arena_array(s->scratch, Def, n);
	uint32_t nfollower;
	bool aliases = order_followers(s, n, set, true, follower, &nfollower);
	bool ordered = aliases || order_followers(s, n, set, false, follower, &nfollower);
	Clone *clone = arena_array(s->scratch, Clone, n);
	for (uint32_t k = 0; k < n; k++) {
		if (!ordered || !follows(s, set[k], aliases)) {
			clone_head(s, set[k], &clone[k]);
		}
	}
	for (uint32_t k = 0; ordered && k < nfollower; k++) {
		Def def = follower[k];
		const DefInfo *d = core_def(s->c, def);
		s->image[def] =
			d->red != RED_NONE
				? image_of_reduction(s, def)
				: image_of_value(s, def, simplify_value(s, d->piece[0].value));
	}
	for (uint32_t k = 0; k < n; k++) {
		if (clone[k].copy) {
			bool any = false;
			clone_pieces(s, set[k], &clone[k], rewritten_pieces(s, set[k], &any));
		}
	}
}

static void simplify_single(Simplify *s, Def def)
{
	const DefInfo *d = core_def(s->c, def);
	switch (d->role) {
	case DEF_PARAM:
	case DEF_DATA:
	case DEF_RUNTIME:
		return;
	case DEF_CONST:
		simplify_constant(s, def);
		return;
	case DEF_REDUCTION:
		if (s->pinned[def]) {
			simplify_boxed(s, def);
			return;
		}
		s->image[def] = image_of_reduction(s, def);
		break;
	case DEF_VALUE:
		if (!whole(d) || s->pinned[def] ||
		    ((d->flags & DEF_VARIABLE) && (s->flags & SIMPLIFY_KEEP_VARIABLES))) {
			simplify_boxed(s, def);
			return;
		}
		s->image[def] = image_of_value(s, def, simplify_value(s, d->piece[0].value));
		break;
	}
	if (s->image[def] == plain_read(s, def)) {
		s->image[def] = 0;
	}
}

/* Variables of derivatives that are left keep their identity: what equals one is not the same to
 * differentiate by. */
static void pin_variables(Simplify *s, Node root)
{
	Core *c = s->c;
	size_t base = c->nstack;
	Memo *seen = core_memo_take(c);
	core_stack_push(c, root);
	while (c->nstack > base) {
		Node n = c->stack[--c->nstack];
		if (!core_cell(c, n)->derivative || core_memo_get(seen, n)) {
			continue;
		}
		core_memo_set(c, seen, n, n);
		const NodeInfo *p = core_node(c, n);
		if (p->tag == NODE_D) {
			s->pinned[core_node(c, p->arg[1])->ref] = true;
		}
		for (uint32_t k = 0; k < p->n; k++) {
			core_stack_push(c, p->arg[k]);
		}
	}
	core_memo_give(c, seen);
}

void core_simplify(Core *c, Arena *scratch, unsigned flags, uint32_t nroot, Node *root)
{
	Simplify s = {.c = c, .scratch = scratch, .flags = flags, .n = c->ndef};
	s.image = arena_array(scratch, Node, c->ndef + 1);
	s.pinned = arena_array(scratch, bool, c->ndef + 1);
	Def *order;
	uint32_t *component, n = core_reach(c, scratch, nroot, root, &order, &component);
	for (uint32_t k = 0; k < n + nroot; k++) {
		const DefInfo *d = k < n ? core_def(c, order[k]) : NULL;
		for (uint32_t p = 0; d && p < d->npiece; p++) {
			pin_variables(&s, d->piece[p].value);
		}
		if (!d && root[k - n]) {
			pin_variables(&s, root[k - n]);
		}
	}
	for (uint32_t lo = 0, hi; lo < n; lo = hi) {
		for (hi = lo + 1; hi < n && component[hi] == component[lo]; hi++) {
		}
		bool leaf = core_def(c, order[lo])->npiece == 0;
		if (hi - lo > 1 || (!leaf && reads_itself(&s, order[lo]))) {
			simplify_cycle(&s, hi - lo, order + lo);
		} else {
			simplify_single(&s, order[lo]);
		}
	}
	for (uint32_t r = 0; r < nroot; r++) {
		if (root[r]) {
			root[r] = simplify_value(&s, root[r]);
		}
	}
}
