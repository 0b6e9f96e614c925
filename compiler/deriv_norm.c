/* deriv_norm.c — normal form before differentiation: nonlinear operations stand alone as
 * definitions, so that their result and their slope are shared by all orders and directions, and
 * arguments that are more than a multiple of one value are named, so that their adjoint is written
 * once. Definitions keep their meaning; only their text changes. It does not depend on the
 * variable: what is equal but for an alias of the variable (an energy, and the energy that a force
 * is derived from) stays so. */
#include "compiler/deriv_int.h"

#include <string.h>

typedef struct Normal {
	Deriv *dv;
	Core *c;
	Sub sub;
	bool *active;
	Node *now;  /* rewritten nodes, parallel to sub */
	Node *cond; /* under which condition a node is looked at; NULL: not asked */
	Sym reader;
	Span span;
	const DefInfo *def; /* NULL outside definitions */
	const Range *box;
	uint32_t count;
} Normal;

static bool no_constant(void *data, const NodeInfo *read)
{
	return core_def(data, read->ref)->role != DEF_CONST;
}

/* May a derivative by something pass through the node? */
static bool varies(Normal *m, Node n)
{
	return deriv_any_read(m->dv, n, no_constant, m->c);
}

/* Does the value depend on where it is looked at, other than by plain indices? Then naming it must
 * keep the condition. */
static bool risky(Normal *m, Node n)
{
	Sub s = deriv_sub(m->dv, n, SUB_VALUES);
	for (uint32_t k = 0; k < s.n; k++) {
		const NodeInfo *p = core_node(m->c, s.node[k]);
		for (uint32_t j = 0; p->tag == NODE_READ && j < p->n; j++) {
			NodeTag tag = (NodeTag)core_node(m->c, p->arg[j])->tag;
			if (tag != NODE_INDEX && tag != NODE_CONST) {
				return true;
			}
		}
	}
	return false;
}

static void add_condition(Normal *m, uint32_t from, Node to, Node extra)
{
	uint32_t k = deriv_sub_find(&m->sub, to);
	Node cond = m->cond[from];
	if (k == UINT32_MAX) {
		return;
	}
	if (extra) {
		cond = core_op2(m->c, OP_and, cond, extra);
	}
	m->cond[k] = m->cond[k] ? core_op2(m->c, OP_or, m->cond[k], cond) : cond;
}

static void find_conditions(Normal *m)
{
	m->cond = arena_array(m->dv->a, Node, m->sub.n);
	m->cond[m->sub.n - 1] = core_bool_const(m->c, true);
	for (uint32_t k = m->sub.n; k-- > 0;) {
		const NodeInfo *p = core_node(m->c, m->sub.node[k]);
		for (uint32_t j = 0; j < p->n; j++) {
			Node extra = 0;
			if (j && (p->tag == NODE_GUARD || p->tag == NODE_SELECT)) {
				extra = j == 1 ? p->arg[0] : core_op1(m->c, OP_not, p->arg[0]);
			}
			add_condition(m, k, p->arg[j], extra);
		}
	}
}

/* The free indices, those of the reader's formals first and in their order. */
static Index *reader_order(Normal *m, uint32_t n, const Index *free)
{
	Index *ix = arena_array(m->dv->a, Index, n + 1);
	uint32_t got = 0;
	for (uint32_t j = 0; m->def && j < m->def->nindex; j++) {
		for (uint32_t k = 0; k < n; k++) {
			if (free[k] == m->def->index[j]) {
				ix[got++] = free[k];
			}
		}
	}
	for (uint32_t k = 0, formals = got; k < n; k++) {
		bool formal = false;
		for (uint32_t j = 0; j < formals; j++) {
			formal |= ix[j] == free[k];
		}
		if (!formal) {
			ix[got++] = free[k];
		}
	}
	return ix;
}

static Node name_value(Normal *m, Sym name, uint32_t at, Node value)
{
	if (deriv_trivial(m->dv, value)) {
		return value;
	}
	if (risky(m, value)) {
		if (!m->cond) {
			find_conditions(m);
		}
		value = m->cond[at] ? core_guard(m->c, m->cond[at], value) : value;
	}
	const Index *free;
	uint32_t n = core_free(m->c, value, &free);
	Index *ix = reader_order(m, n, free);
	Range *box = NULL;
	if (m->box && !box_whole(m->c, m->def, m->box)) {
		box = arena_array(m->dv->a, Range, n + 1);
		for (uint32_t k = 0; k < n; k++) {
			box[k] = (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
			for (uint32_t j = 0; j < m->def->nindex; j++) {
				box[k] = m->def->index[j] == ix[k] ? m->box[j] : box[k];
			}
		}
	}
	return deriv_name(m->dv, name, m->span, n, ix, value, box);
}

static Sym part_name(Normal *m)
{
	const char *base = deriv_text(m->dv, m->reader);
	size_t n = strlen(base);
	bool digit = n && base[n - 1] >= '0' && base[n - 1] <= '9';
	return deriv_sym(m->dv, digit ? "%s_%u" : "%s%u", n ? base : "part", ++m->count);
}

static Sym arg_name(Normal *m)
{
	return m->reader ? deriv_sym(m->dv, "arg_%s", deriv_text(m->dv, m->reader))
			 : deriv_sym(m->dv, "arg");
}

/* A number times one value, plus a number. */
static bool simple(Normal *m, Node n)
{
	const NodeInfo *p = core_node(m->c, n);
	if (p->tag == NODE_LIN && p->n == 1) {
		n = p->arg[0];
		p = core_node(m->c, n);
	}
	if (p->tag == NODE_PROD) {
		uint32_t varying = 0;
		for (uint32_t k = 0; k < p->n; k++) {
			bool read = core_node(m->c, p->arg[k])->tag == NODE_READ && p->expo[k] == 1;
			if (!deriv_constant(m->dv, p->arg[k])) {
				varying += read ? 1 : 2;
			}
		}
		return varying <= 1;
	}
	return p->tag == NODE_READ || p->tag == NODE_CONST;
}

/* A base of a power that may stay: a read, or a sum of reads none of which is a reduction. */
static bool simple_base(Normal *m, Node n)
{
	const NodeInfo *p = core_node(m->c, n);
	for (uint32_t k = 0; p->tag == NODE_LIN && k < p->n; k++) {
		const NodeInfo *q = core_node(m->c, p->arg[k]);
		if (q->tag != NODE_READ || core_def(m->c, q->ref)->role == DEF_REDUCTION) {
			return false;
		}
	}
	return p->tag == NODE_LIN || p->tag == NODE_READ;
}

static Node normal_op(Normal *m, uint32_t at, Node n, bool alone)
{
	const NodeInfo *p = core_node(m->c, n);
	Node *args = arena_array(m->dv->a, Node, p->n);
	for (uint32_t k = 0; k < p->n; k++) {
		args[k] = p->arg[k];
		if (deriv_passes(p, k) && varies(m, args[k]) && !simple(m, args[k])) {
			args[k] = name_value(m, arg_name(m), at, args[k]);
		}
	}
	n = core_rebuild(m->c, n, args);
	return alone || core_node(m->c, n)->tag != NODE_OP ? n : name_value(m, part_name(m), at, n);
}

/* Products of three or more varying factors become products of two where the order is high: else
 * the number of terms of the k-th derivative grows with the power of k that is the number of
 * factors. */
static Node cut_product(Normal *m, uint32_t at, Node n)
{
	const NodeInfo *p = core_node(m->c, n);
	uint32_t varying = 0;
	if (p->tag != NODE_PROD) {
		return n;
	}
	for (uint32_t k = 0; k < p->n; k++) {
		varying += varies(m, p->arg[k]) ? (uint32_t)(p->expo[k] > 0 ? p->expo[k] : 2) : 0;
	}
	if (varying < 3 || (m->dv->order < 3 && varying < 8)) {
		return n;
	}
	Node left = 0, rest = 0;
	uint32_t taken = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		int32_t e = p->expo[k];
		Node base = p->arg[k];
		if (!varies(m, base)) {
			rest = rest ? core_mul(m->c, rest, core_powi(m->c, base, e))
				    : core_powi(m->c, base, e);
			continue;
		}
		if (e < 0 && m->dv->order >= 3) {
			base = name_value(m, part_name(m), at, core_powi(m->c, base, -1));
			e = -e;
		}
		/* never more than there is, and never less than nothing: b = b^2*b^-1 fails where b is 0 */
		uint32_t half = (varying + 1) / 2, room = half > taken ? half - taken : 0;
		int32_t now = e < 0 || (uint32_t)e <= room ? e : (int32_t)room;
		if (now) {
			left = left ? core_mul(m->c, left, core_powi(m->c, base, now))
				    : core_powi(m->c, base, now);
			taken += (uint32_t)(now > 0 ? now : 1);
		}
		if (e != now) {
			rest = rest ? core_mul(m->c, rest, core_powi(m->c, base, e - now))
				    : core_powi(m->c, base, e - now);
		}
	}
	if (!left || !rest) {
		return left ? left : rest;
	}
	if (core_node(m->c, left)->tag == NODE_PROD) {
		left = name_value(m, part_name(m), at, cut_product(m, at, left));
	}
	return core_mul(m->c, left, cut_product(m, at, rest));
}

static Node normal_prod(Normal *m, uint32_t at, Node n, bool alone)
{
	const NodeInfo *p = core_node(m->c, n);
	Node *args = arena_array(m->dv->a, Node, p->n);
	for (uint32_t k = 0; k < p->n; k++) {
		args[k] = p->arg[k];
		if (p->expo[k] != 1 && varies(m, args[k]) && !simple_base(m, args[k])) {
			args[k] = name_value(m, arg_name(m), at, args[k]);
		}
	}
	n = core_rebuild(m->c, n, args);
	p = core_node(m->c, n);
	if (p->tag != NODE_PROD) {
		return n;
	}
	if (p->n == 1 && p->expo[0] == -1) {
		return alone || m->dv->order < 3 ? n : name_value(m, part_name(m), at, n);
	}
	return cut_product(m, at, n);
}

static Node normal_node(Normal *m, uint32_t at, bool alone)
{
	Node old = m->sub.node[at], n = old;
	const NodeInfo *p = core_node(m->c, old);
	if (p->tag == NODE_READ || p->tag == NODE_D || !p->n) {
		return n;
	}
	Node *args = arena_array(m->dv->a, Node, p->n);
	bool changed = false;
	for (uint32_t k = 0; k < p->n; k++) {
		uint32_t j = deriv_sub_find(&m->sub, p->arg[k]);
		args[k] = j == UINT32_MAX ? p->arg[k] : m->now[j];
		changed |= args[k] != p->arg[k];
	}
	if (changed) {
		n = core_rebuild(m->c, old, args);
	}
	if (!m->active[at] || core_kind(m->c, n) != KIND_REAL) {
		return n;
	}
	switch ((NodeTag)core_node(m->c, n)->tag) {
	case NODE_OP:
		return normal_op(m, at, n, alone);
	case NODE_PROD:
		return normal_prod(m, at, n, alone);
	default:
		return n;
	}
}

static Node normal_value(Normal *m, Node value, bool may_stand)
{
	m->sub = deriv_sub(m->dv, value, SUB_VALUES);
	m->active = arena_array(m->dv->a, bool, m->sub.n);
	m->now = arena_array(m->dv->a, Node, m->sub.n);
	m->cond = NULL;
	Node top = value;
	while (core_node(m->c, top)->tag == NODE_GUARD) {
		top = core_node(m->c, top)->arg[1];
	}
	for (uint32_t k = 0; k < m->sub.n; k++) {
		const NodeInfo *p = core_node(m->c, m->sub.node[k]);
		m->active[k] = p->tag == NODE_READ && p->kind == KIND_REAL &&
			       core_def(m->c, p->ref)->role != DEF_CONST;
		for (uint32_t j = 0; j < p->n && p->tag != NODE_READ && p->tag != NODE_D; j++) {
			m->active[k] |=
				deriv_passes(p, j) && m->active[deriv_sub_find(&m->sub, p->arg[j])];
		}
		m->now[k] = normal_node(m, k, may_stand && m->sub.node[k] == top);
	}
	return m->now[m->sub.n - 1];
}

static void normal_rule(Normal *m, Def d)
{
	Rule *rule = core_def_mutable(m->c, d)->rule;
	for (uint32_t k = 0; k < rule->n; k++) {
		Node arg = normal_value(m, rule->arg[k], false);
		if (arg != rule->arg[k]) {
			rule->arg[k] = arg;
			deriv_fact(m->dv, d)->has_reads = false;
		}
	}
}

static void normal_def(Deriv *dv, Def d)
{
	Core *c = dv->c;
	const Node *reads;
	deriv_reads(dv, d, &reads);
	if (deriv_fact(dv, d)->normal) {
		return;
	}
	const DefInfo info = *core_def(c, d);
	Sym reader = intern_str(core_names(c), deriv_name_of(dv, d));
	Normal m = {.dv = dv, .c = c, .reader = reader, .span = info.span, .def = &info};
	if (info.rule) {
		normal_rule(&m, d);
	}
	for (uint32_t k = 0; k < info.npiece && !info.rule; k++) {
		Node value = info.piece[k].value;
		m.box = info.piece[k].box;
		deriv_replace(dv, d, k, normal_value(&m, value, info.role == DEF_VALUE));
	}
	deriv_reads(dv, d, &reads);
	deriv_fact(dv, d)->normal = true;
}

/* Sums without a name are called after what reads them. */
static void name_reads(Deriv *dv, Node value, Sym reader)
{
	Sub sub = deriv_sub(dv, value, SUB_PASSING);
	for (uint32_t k = 0; k < sub.n; k++) {
		const NodeInfo *p = core_node(dv->c, sub.node[k]);
		if (p->tag == NODE_READ && !core_def(dv->c, p->ref)->name &&
		    !deriv_fact(dv, p->ref)->reader) {
			deriv_fact(dv, p->ref)->reader = reader;
		}
	}
}

static void name_readers(Deriv *dv, Node n, Sym reader)
{
	Def *order;
	uint32_t *component, count = core_reach(dv->c, dv->a, 1, &n, &order, &component);
	for (uint32_t k = 0; k < count; k++) {
		deriv_fact(dv, order[k])->reader = 0;
	}
	name_reads(dv, n, reader);
	for (uint32_t k = count; k-- > 0;) {
		const DefInfo *d = core_def(dv->c, order[k]);
		Sym name = d->name ? d->name : deriv_fact(dv, order[k])->reader;
		for (uint32_t p = 0; name && p < d->npiece; p++) {
			name_reads(dv, core_def(dv->c, order[k])->piece[p].value, name);
		}
	}
}

Node deriv_normal(Deriv *dv, Node n, Sym reader)
{
	Def *order;
	uint32_t *component;
	uint32_t count = core_reach(dv->c, dv->a, 1, &n, &order, &component);
	name_readers(dv, n, reader);
	for (uint32_t k = 0; k < count; k++) {
		normal_def(dv, order[k]);
	}
	Normal m = {.dv = dv, .c = dv->c, .reader = reader, .span = dv->at};
	n = normal_value(&m, n, false);
	name_readers(dv, n, reader); /* what was read by an operation is now read by its argument */
	return n;
}
