/* elab_batch.c — a loss over data rewritten over a batch of its records.
 * A sum over the records of the data that depends on parameters becomes a sum over the batch times
 * (records/batch); everything that carries the record index is copied with the batch's fields
 * instead. Statistics of the data that do not depend on parameters (means, deviations) stay sums
 * over all records. The loss must be linear in such sums, else the average over batches would not
 * be the loss: E0304. SPEC: training, batches. */
#include "lang/elab_int.h"
#include "lang/matrix.h"

#include <string.h>

typedef struct Copied {
	Def from;
	uint32_t formal;
	Def to;
} Copied;
typedef struct Batch {
	Elab *e;
	Core *c;
	Span at;
	Sym name;
	DataInfo *data, *batch;
	Copied *copied;
	size_t n, cap;
	bool failed;
	struct {
		Node from, to;
	} * seen; /* nodes of the level at hand */
	size_t nseen, capseen;
	uint8_t *holds; /* by definition: 0 not asked, 1 no, 2 yes */
	Def ndef;       /* definitions when holds was made */
	bool *trained;  /* by definition: it depends on parameters */
	Def ntrained;
	Visits walk, search;
} Batch;

static void refuse(Batch *b, const char *why)
{
	if (!b->failed) {
		diag_not_batchable(elab_diags(b->e), b->at, elab_text(b->e, b->name), why);
	}
	b->failed = true;
}

static bool depends_on_params(Batch *b, Node n)
{
	return node_holds_params(b->e, &b->walk, b->trained, b->ntrained, n);
}

static Def batch_field(Batch *b, Def leaf)
{
	for (uint32_t i = 0; i < b->data->nfield; i++) {
		if (b->data->field[i].leaf == leaf) {
			return b->batch->field[i].leaf;
		}
	}
	for (uint32_t i = 0; i < b->data->nragged; i++) {
		if (core_axis_info(b->c, b->data->ragged[i])->length == leaf) {
			return core_axis_info(b->c, b->batch->ragged[i])->length;
		}
	}
	return 0;
}

static Node carry(Batch *b, Node n, Index record, Node to);

/* Definition d with its formal number k running over the batch instead of the data. */
static Def copy_def(Batch *b, Def d, uint32_t k)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->copied[i].from == d && b->copied[i].formal == k) {
			return b->copied[i].to;
		}
	}
	Def leaf = batch_field(b, d);
	DefInfo info = *core_def(b->c, d);
	if (info.role == DEF_PARAM || info.role == DEF_DATA || info.role == DEF_RUNTIME) {
		if (!leaf || k != 0) {
			refuse(b, "something over its records is not a field of the data");
			return d;
		}
		return leaf;
	}
	if (k + matrix_results(&info) >= info.nindex) {
		refuse(b, "an operation on a whole array goes over all its records");
		return d;
	}
	Index *formal = arena_array(b->e->arena, Index, info.nindex + info.nbound + 1);
	Node *to = arena_array(b->e->arena, Node, info.nindex + info.nbound + 1);
	Index *from = arena_array(b->e->arena, Index, info.nindex + info.nbound + 1);
	for (uint32_t i = 0; i < info.nindex + info.nbound; i++) {
		from[i] = i < info.nindex ? info.index[i] : info.bound[i - info.nindex];
		Axis axis = i == k ? b->batch->records : core_index_axis(b->c, from[i]);
		formal[i] = core_index(b->c, axis, core_index_name(b->c, from[i]));
		to[i] = core_index_value(b->c, formal[i]);
	}
	Piece *piece = info.piece;
	uint32_t npiece = info.npiece;
	DefInfo fresh = info;
	fresh.index = formal;
	fresh.bound = formal + info.nindex;
	fresh.npiece = 0;
	fresh.piece = NULL;
	fresh.rule = NULL;
	Def made = core_define(b->c, fresh);
	Copied entry = {d, k, made};
	ARENA_PUSH(b->e->arena, b->copied, b->n, b->cap, entry);
	Piece *pieces = arena_array(b->e->arena, Piece, npiece + 1);
	for (uint32_t p = 0; p < npiece; p++) {
		size_t level = b->nseen;
		Node carried = carry(b, piece[p].value, info.index[k], to[k]);
		b->nseen = level;
		pieces[p].box = piece[p].box;
		pieces[p].value = core_subst(b->c, carried, info.nindex + info.nbound, from, to);
	}
	core_set_pieces(b->c, made, npiece, pieces);
	if (info.rule) {
		Rule *rule = arena_new(b->e->arena, Rule);
		rule->n = info.rule->n;
		rule->arg = arena_array(b->e->arena, Node, rule->n + 1);
		rule->partial = arena_array(b->e->arena, Node, rule->n + 1);
		for (uint32_t i = 0; i < rule->n; i++) {
			Node a = carry(b, info.rule->arg[i], info.index[k], to[k]),
			     p = carry(b, info.rule->partial[i], info.index[k], to[k]);
			rule->arg[i] = core_subst(b->c, a, info.nindex, from, to);
			rule->partial[i] = core_subst(b->c, p, info.nindex, from, to);
		}
		core_def_mutable(b->c, made)->rule = rule;
	}
	return made;
}

/* n with reads at the record index led to the batch's definitions; the index itself becomes `to`.
 */
static Node carry(Batch *b, Node n, Index record, Node to)
{
	if (!core_has_index(b->c, n, record) || b->failed) {
		return n;
	}
	NodeInfo info = *core_node(b->c, n);
	if (info.tag == NODE_INDEX) {
		return to;
	}
	for (size_t i = 0; i < b->nseen; i++) {
		if (b->seen[i].from == n) {
			return b->seen[i].to;
		}
	}
	Node *arg = arena_array(b->e->arena, Node, info.n + 1);
	Node result;
	if (info.tag == NODE_READ) {
		uint32_t k = info.n;
		for (uint32_t i = 0; i < info.n; i++) {
			NodeInfo a = *core_node(b->c, info.arg[i]);
			Axis formal = core_index_axis(b->c, core_def(b->c, info.ref)->index[i]);
			if (a.tag == NODE_INDEX && a.ref == record && formal == b->data->records) {
				if (k < info.n) {
					refuse(b, "a definition is read twice at the same record");
				}
				k = i;
			} else if (formal == b->data->records &&
				 core_has_index(b->c, info.arg[i], record)) {
				refuse(b, "a record is reached by arithmetic on its number");
				return n;
			}
			arg[i] = carry(b, info.arg[i], record, to);
		}
		/* no formal is the record: a place that a field tells, as in c[s.kind] */
		Def read = k == info.n ? info.ref : copy_def(b, info.ref, k);
		result = core_read(b->c, read, arg);
	} else {
		for (uint32_t i = 0; i < info.n; i++) {
			arg[i] = carry(b, info.arg[i], record, to);
		}
		result = core_rebuild(b->c, n, arg);
	}
	if (b->failed) {
		return n;
	}
	struct {
		Node from, to;
	} pair = {n, result};
	if (b->nseen == b->capseen) {
		b->seen = arena_grow(b->e->arena, b->seen, b->nseen, &b->capseen, sizeof *b->seen,
				     _Alignof(max_align_t));
	}
	memcpy(&b->seen[b->nseen++], &pair, sizeof pair);
	return result;
}

/* The sum over records that a reduction is, over the batch; 0 if it is none. */
static Node batch_sum(Batch *b, Node read)
{
	NodeInfo info = *core_node(b->c, read);
	DefInfo d = *core_def(b->c, info.ref);
	uint32_t k = d.nbound;
	for (uint32_t i = 0; i < d.nbound; i++) {
		if (core_index_axis(b->c, d.bound[i]) == b->data->records) {
			if (k < d.nbound) {
				refuse(b, "it sums over pairs of records");
				return 0;
			}
			k = i;
		}
	}
	if (d.role != DEF_REDUCTION || k == d.nbound) {
		return 0;
	}
	if (d.red != RED_SUM) {
		refuse(b, "it reduces over the records by something else than a sum");
		return 0;
	}
	Index *bound;
	Node body = core_open(b->c, info.ref, 0, info.arg, &bound);
	Index record = core_index(b->c, b->batch->records, core_index_name(b->c, bound[k]));
	b->nseen = 0;
	Node carried = carry(b, body, bound[k], core_index_value(b->c, record));
	bound[k] = record;
	Node sum = core_reduce(b->c, RED_SUM, d.name, d.span, d.nbound, bound, carried);
	Node all = core_real(b->c, core_size(b->c, b->data->records)),
	     some = core_real(b->c, core_size(b->c, b->batch->records));
	return core_div(b->c, core_mul(b->c, sum, all), some);
}

static bool holds_sum(Batch *b, Node n, unsigned depth);

static bool holds_any(Batch *b, Node n)
{
	b->search.now++;
	return holds_sum(b, n, 0);
}

/* Rewrites the parts of a closed value that depend on parameters; linear says whether sums may
 * still stand here. */
static Node rewrite(Batch *b, Node n, bool linear, unsigned depth)
{
	if (b->failed || !depends_on_params(b, n) || !holds_any(b, n)) {
		return n;
	}
	if (depth > 200) {
		refuse(b, "it is nested too deeply");
		return n;
	}
	NodeInfo info = *core_node(b->c, n);
	if (!linear) {
		refuse(b, "it is not linear in its sum over the records");
		return n;
	}
	Node *arg = arena_array(b->e->arena, Node, info.n + 1);
	switch ((NodeTag)info.tag) {
	case NODE_READ: {
		Node sum = batch_sum(b, n);
		if (sum || b->failed) {
			return sum ? sum : n;
		}
		DefInfo d = *core_def(b->c, info.ref);
		if (d.npiece != 1 || d.role != DEF_VALUE) {
			refuse(b, "it is not linear in its sum over the records");
			return n;
		}
		return rewrite(b, core_open(b->c, info.ref, 0, info.arg, NULL), linear, depth + 1);
	}
	case NODE_LIN:
		for (uint32_t i = 0; i < info.n; i++) {
			arg[i] = rewrite(b, info.arg[i], linear, depth + 1);
		}
		return core_rebuild(b->c, n, arg);
	case NODE_PROD: {
		uint32_t with = 0;
		for (uint32_t i = 0; i < info.n; i++) {
			with += depends_on_params(b, info.arg[i]) && holds_any(b, info.arg[i]);
		}
		for (uint32_t i = 0; i < info.n; i++) {
			arg[i] = rewrite(b, info.arg[i], with == 1 && info.expo[i] == 1, depth + 1);
		}
		return core_rebuild(b->c, n, arg);
	}
	case NODE_GUARD:
	case NODE_SELECT:
		for (uint32_t i = 0; i < info.n; i++) {
			arg[i] = i ? rewrite(b, info.arg[i], linear, depth + 1) : info.arg[i];
		}
		return core_rebuild(b->c, n, arg);
	default:
		refuse(b, "it is not linear in its sum over the records");
		return n;
	}
}

/* Is there a sum over the data's records, depending on parameters, inside the definition? */
static bool def_holds_sum(Batch *b, Node read, const DefInfo *d, unsigned depth)
{
	if ((d->role != DEF_REDUCTION && d->role != DEF_VALUE) || !depends_on_params(b, read)) {
		return false;
	}
	for (uint32_t i = 0; i < d->nbound; i++) {
		if (core_index_axis(b->c, d->bound[i]) == b->data->records) {
			return true;
		}
	}
	for (uint32_t i = 0; i < d->nindex; i++) {
		if (core_index_axis(b->c, d->index[i]) == b->data->records) {
			return false; /* of one record: inside a sum that was met already */
		}
	}
	for (uint32_t p = 0; p < d->npiece; p++) {
		if (holds_sum(b, d->piece[p].value, depth + 1)) {
			return true;
		}
	}
	return false;
}

static bool holds_sum(Batch *b, Node n, unsigned depth)
{
	NodeInfo info = *core_node(b->c, n);
	if (depth > 2000) {
		return true;
	}
	if (!visit_first(b->e, &b->search, n)) { /* it held none */
		return false;
	}
	if (info.tag == NODE_READ) {
		uint8_t *known = info.ref <= b->ndef ? &b->holds[info.ref] : NULL;
		if (known && *known) {
			return *known == 2;
		}
		if (known) { /* what a recurrence reads of itself adds nothing */
			*known = 1;
		}
		DefInfo d = *core_def(b->c, info.ref);
		bool holds = def_holds_sum(b, n, &d, depth);
		if (known) {
			*known = holds ? 2 : 1;
		}
		return holds;
	}
	for (uint32_t i = 0; i < info.n; i++) {
		if (holds_sum(b, info.arg[i], depth + 1)) {
			return true;
		}
	}
	return false;
}

Node batch_rewrite(Elab *e, Span at, Node objective, DataInfo *data, DataInfo *batch, Sym name)
{
	Batch b = {.e = e, .c = e->core, .at = at, .name = name, .data = data, .batch = batch};
	b.ndef = core_def_count(e->core);
	b.holds = arena_array(e->arena, uint8_t, b.ndef + 1);
	b.trained = defs_with_params(e, &b.walk, objective, &b.ntrained);
	Node n = rewrite(&b, objective, true, 0);
	return b.failed ? 0 : n;
}
