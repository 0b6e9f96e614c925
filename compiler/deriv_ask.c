/* deriv_ask.c — which tangent a read asks for: base definition, sorted directions, shared slots;
 * and at which arguments and under which condition it is then read. */
#include "compiler/deriv_int.h"

#include <assert.h>
#include <string.h>

static int dir_order(const Dir *a, const Dir *b)
{
	if (a->var != b->var) {
		return a->var < b->var ? -1 : 1;
	}
	for (uint32_t k = 0; k < a->n && k < b->n; k++) {
		uint32_t x = a->code[k], y = b->code[k];
		x = (x & DIR_MASK) == DIR_SLOT ? DIR_SLOT : x;
		y = (y & DIR_MASK) == DIR_SLOT ? DIR_SLOT : y;
		if (x != y) {
			return x < y ? -1 : 1;
		}
	}
	return a->n < b->n ? -1 : a->n > b->n;
}

typedef struct Asked {
	Def base;
	uint32_t nbase, nslot, ndir;
	Node *basearg, *slotarg;
	Index *slot; /* prototypes */
	Dir *dir;
	uint32_t *slotof; /* renumbering of slots */
	uint32_t *
		added; /* codes of the direction that is added, slots as they were numbered first */
	Node cond;
} Asked;

/* What d is the tangent of, if the variable reaches it that way. */
static const Origin *origin_of(Forward *f, Def d)
{
	const Origin *o = deriv_fact(f->dv, d)->origin;
	return o && scope_mark(f->s, o->base)->active ? o : NULL;
}

static void asked_begin(Forward *f, Asked *q, Node read)
{
	Arena *a = f->dv->a;
	const NodeInfo *p = core_node(f->c, read);
	const Origin *o = origin_of(f, p->ref);
	*q = (Asked){
		.base = o ? o->base : p->ref, .nslot = o ? o->nslot : 0, .ndir = o ? o->ndir : 0};
	q->nbase = core_def(f->c, q->base)->nindex;
	q->basearg = arena_array(a, Node, q->nbase + 1);
	q->slotarg = arena_array(a, Node, q->nslot + f->npos + 1);
	q->slot = arena_array(a, Index, q->nslot + f->npos + 1);
	q->dir = arena_array(a, Dir, q->ndir + 1);
	for (uint32_t k = 0; k < q->nbase; k++) {
		q->basearg[k] = p->arg[o ? o->place[k] : k];
	}
	for (uint32_t k = 0; k < q->nslot; k++) {
		q->slotarg[k] = p->arg[o->place[q->nbase + k]];
		q->slot[k] = core_def(f->c, p->ref)->index[o->place[q->nbase + k]];
	}
	for (uint32_t k = 0; k < q->ndir; k++) {
		q->dir[k] = o->dir[k];
	}
}

static uint32_t slot_of(Forward *f, Asked *q, uint32_t pos, Node e)
{
	Index formal = core_def(f->c, f->var)->index[pos];
	for (uint32_t k = 0; k < q->nslot; k++) {
		if (q->slotarg[k] == e &&
		    core_index_axis(f->c, q->slot[k]) == core_index_axis(f->c, formal)) {
			return k;
		}
	}
	q->slotarg[q->nslot] = e;
	q->slot[q->nslot] = formal;
	return q->nslot++;
}

/* Is the read's place at j the element's place at p? Each wraps on its own axis. */
static Node same_element(Forward *f, const Asked *q, uint32_t j, uint32_t p, Node e)
{
	Axis a = core_index_axis(f->c, core_def(f->c, q->base)->index[j]);
	Axis of = core_index_axis(f->c, core_def(f->c, f->var)->index[p]);
	if (a == of) {
		return deriv_same_place(f->dv, a, q->basearg[j], e);
	}
	return core_op2(f->c, OP_ieq, deriv_wrap(f->dv, a, q->basearg[j]), deriv_wrap(f->dv, of, e));
}

static void asked_direction(Forward *f, Asked *q, const Node *e)
{
	Dir d = {.var = f->var, .n = f->var ? f->npos : 1};
	d.code = arena_array(f->dv->a, uint32_t, d.n + 1);
	if (!f->var) {
		d.code[0] = DIR_ARRAY + f->array;
	}
	const Mark *mark = f->var ? scope_mark(f->s, q->base) : NULL;
	for (uint32_t p = 0; p < f->npos; p++) {
		uint32_t j = 0;
		while (j < q->nbase && j < 64 && !(mark->mask[p] >> j & 1)) {
			j++;
		}
		const Index *free;
		if (j < q->nbase && j < 64) {
			d.code[p] = DIR_SAME + j;
			if (q->basearg[j] != e[p]) {
				Node same = same_element(f, q, j, p, e[p]);
				q->cond = q->cond ? core_op2(f->c, OP_and, q->cond, same) : same;
			}
		} else if (core_free(f->c, e[p], &free) == 0 && e[p] < DIR_SLOT) {
			d.code[p] = DIR_FIXED + e[p];
		} else {
			d.code[p] = DIR_SLOT + slot_of(f, q, p, e[p]);
		}
	}
	q->added = d.code;
	uint32_t at = q->ndir++;
	while (at > 0 && dir_order(&d, &q->dir[at - 1]) < 0) {
		q->dir[at] = q->dir[at - 1];
		at--;
	}
	q->dir[at] = d;
}

/* Slots are numbered by first occurrence in the sorted directions. */
static void asked_number(Forward *f, Asked *q)
{
	Arena *a = f->dv->a;
	uint32_t *to = arena_array(a, uint32_t, q->nslot + 1), next = 0;
	memset(to, 0xff, q->nslot * sizeof *to);
	for (uint32_t k = 0; k < q->ndir; k++) {
		q->dir[k].code = arena_copy(a, q->dir[k].code, (q->dir[k].n + 1) * sizeof(uint32_t),
					    alignof(uint32_t));
		for (uint32_t p = 0; p < q->dir[k].n; p++) {
			uint32_t *code = &q->dir[k].code[p];
			if ((*code & DIR_MASK) == DIR_SLOT) {
				uint32_t slot = *code - DIR_SLOT;
				to[slot] = to[slot] == UINT32_MAX ? next++ : to[slot];
				*code = DIR_SLOT + to[slot];
			}
		}
	}
	assert(next == q->nslot);
	q->slotof = to;
}

static Sym tangent_name(Forward *f, const Asked *q)
{
	char text[200];
	size_t n = 0;
	bool letters = true;
	for (uint32_t k = 0; k < q->ndir; k++) {
		const char *s = q->dir[k].var
					? deriv_text(f->dv, core_def(f->c, q->dir[k].var)->name)
					: "d";
		size_t len = 1;
		while ((s[len] & 0xc0) == 0x80) {
			len++;
		}
		letters = letters && s[0] && !s[len];
	}
	for (uint32_t k = 0; k < q->ndir; k++) {
		const char *s = q->dir[k].var
					? deriv_text(f->dv, core_def(f->c, q->dir[k].var)->name)
					: "d";
		size_t len = strlen(s);
		if (n + len + 2 < sizeof text) {
			if (k && !letters) {
				text[n++] = '_';
			}
			memcpy(text + n, s, len);
			n += len;
		}
	}
	text[n] = 0;
	return deriv_sym(f->dv, "%s_%s", deriv_name_of(f->dv, q->base), text);
}

static Tangent *tangent_new(Forward *f, const Asked *q, Node read)
{
	Arena *a = f->dv->a;
	Tangent *t = arena_new(a, Tangent);
	const NodeInfo *p = core_node(f->c, read);
	const Origin *o = origin_of(f, p->ref);
	const DefInfo *base = core_def(f->c, q->base), *source = core_def(f->c, p->ref);
	t->of = (Origin){.base = q->base, .ndir = q->ndir, .dir = q->dir, .nslot = q->nslot};
	t->source = p->ref;
	t->name = tangent_name(f, q);
	t->span = base->span;
	t->nformal = q->nbase + q->nslot;
	t->formal = arena_array(a, Index, t->nformal + 1);
	for (uint32_t k = 0; k < q->nbase; k++) {
		t->formal[k] = core_index_like(f->c, base->index[k]);
	}
	for (uint32_t k = 0; k < q->nslot; k++) {
		t->formal[q->nbase + q->slotof[k]] = core_index_like(f->c, q->slot[k]);
	}
	t->args = arena_array(a, Node, source->nindex + 1);
	uint32_t slots = source->nindex - q->nbase;
	for (uint32_t k = 0; k < q->nbase; k++) {
		t->args[o ? o->place[k] : k] = core_index_value(f->c, t->formal[k]);
	}
	for (uint32_t k = 0; o && k < slots; k++) {
		t->args[o->place[q->nbase + k]] =
			core_index_value(f->c, t->formal[q->nbase + q->slotof[k]]);
	}
	return t;
}

/* The element in the direction that is added, over t's formals. */
static void tangent_element(Forward *f, Tangent *t, const Asked *q, const Node *e)
{
	t->e = arena_array(f->dv->a, Node, f->npos + 1);
	for (uint32_t p = 0; p < f->npos; p++) {
		uint32_t code = q->added[p] & ~(uint32_t)DIR_MASK;
		switch (q->added[p] & DIR_MASK) {
		case DIR_SAME:
			t->e[p] = core_index_value(f->c, t->formal[code]);
			break;
		case DIR_SLOT:
			t->e[p] = core_index_value(f->c, t->formal[q->nbase + q->slotof[code]]);
			break;
		default:
			t->e[p] = e[p];
		}
	}
}

Want tangent_want(Forward *f, Node read, const Node *e)
{
	Asked q;
	asked_begin(f, &q, read);
	asked_direction(f, &q, e);
	asked_number(f, &q);
	uint32_t words = 2;
	for (uint32_t k = 0; k < q.ndir; k++) {
		words += 2 + q.dir[k].n;
	}
	uint32_t *key = arena_array(f->dv->a, uint32_t, words), at = 0;
	key[at++] = q.base;
	key[at++] = q.ndir;
	for (uint32_t k = 0; k < q.ndir; k++) {
		key[at++] = q.dir[k].var;
		key[at++] = q.dir[k].n;
		memcpy(key + at, q.dir[k].code, q.dir[k].n * sizeof *key);
		at += q.dir[k].n;
	}
	Want w = {.t = table_get(&f->dv->tangent, words, key), .cond = q.cond};
	if (!w.t) {
		w.t = tangent_new(f, &q, read);
		tangent_element(f, w.t, &q, e);
		table_put(f->dv->a, &f->dv->tangent, words, key, w.t);
	}
	w.args = arena_array(f->dv->a, Node, q.nbase + q.nslot + 1);
	memcpy(w.args, q.basearg, q.nbase * sizeof(Node));
	for (uint32_t k = 0; k < q.nslot; k++) {
		w.args[q.nbase + q.slotof[k]] = q.slotarg[k];
	}
	return w;
}
