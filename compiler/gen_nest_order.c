/* gen_nest_order.c — pointwise nests in a form of their own: instructions in an order that depends
 * on what they compute and not on the order of definitions, and definitions that have nothing in
 * common as nests of their own. Layers then share kernels, whatever the planner put together. */
#include "compiler/gen_nest.h"
#include <stdlib.h>
#include <string.h>

enum { OPERANDS = 12 };
static const uint32_t NONE = OPERAND_NONE;

typedef struct Order {
	Gen *g;
	const Nest *nest;
	uint32_t (*made)[OPERANDS]; /* by instruction and operand: the instruction it comes from */
	uint64_t *hash;             /* of what an instruction computes */
	bool *used;                 /* by another instruction */
	bool *lone; /* equal for all lanes, without effect: may be computed in every part */
	uint32_t *group;            /* by instruction: one of those it has something in common with */
} Order;

static uint32_t operand_count(const Instr *in)
{
	return 3 + in->nmore;
}

static uint32_t *operand(Instr *in, uint32_t q)
{
	uint32_t *const fixed[3] = {&in->a, &in->b, &in->c};
	return q < 3 ? fixed[q] : &in->more[q - 3];
}

static uint32_t operand_of(const Instr *in, uint32_t q)
{
	return q < 3 ? (q == 0 ? in->a : q == 1 ? in->b : in->c) : in->more[q - 3];
}

static uint32_t access_of(const Order *o, uint32_t at)
{
	GenCode look = {.nest = o->nest};
	return code_access(&look, at);
}

/* ---- what comes from where ---- */

/* Only programs whose memory may be read and written in any order that keeps values: every buffer
 * is written once, and read before that by nobody. */
static bool can_reorder(const Order *o)
{
	const Nest *n = o->nest;
	for (uint32_t k = 0; k < n->ncode; k++) {
		const Instr *in = &n->code[k];
		uint32_t to = access_of(o, in->dst);
		if (code_may_fail(in) || in->op == VM_SCATTER || in->nmore > OPERANDS - 3) {
			return false;
		}
		for (uint32_t j = 0; j <= k && to != NONE; j++) {
			const Instr *before = &n->code[j];
			uint32_t other = j < k ? access_of(o, before->dst) : NONE;
			bool twice = other != NONE &&
				     n->access[other].buffer == n->access[to].buffer;
			for (uint32_t q = 0; q < operand_count(before); q++) {
				uint32_t from = access_of(o, operand_of(before, q));
				twice |= from != NONE &&
					 n->access[from].buffer == n->access[to].buffer;
			}
			if (twice) {
				return false;
			}
		}
	}
	return true;
}

static void find_makers(Order *o)
{
	const Nest *n = o->nest;
	uint32_t regs = n->nreg + n->nuniform;
	uint32_t *reg = arena_array(o->g->arena, uint32_t, regs + 1);
	for (uint32_t k = 0; k < n->ncode; k++) {
		const Instr *in = &n->code[k];
		o->lone[k] = in->uniform && access_of(o, in->dst) == NONE;
		for (uint32_t q = 0; q < operand_count(in); q++) {
			uint32_t at = operand_of(in, q), a = access_of(o, at);
			o->made[k][q] = at < regs ? reg[at] : NONE;
			for (uint32_t j = 0; j < k && a != NONE; j++) {
				uint32_t to = access_of(o, n->code[j].dst);
				if (to != NONE && n->access[to].buffer == n->access[a].buffer) {
					o->made[k][q] = j;
				}
			}
			if (o->made[k][q] != NONE) {
				o->used[o->made[k][q]] = true;
				o->lone[k] &= o->lone[o->made[k][q]];
			}
		}
		if (in->dst < regs) {
			reg[in->dst] = k;
		}
	}
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

static uint64_t mix_real(uint64_t h, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	return mix(h, bits);
}

static uint64_t hash_access(const Order *o, uint32_t a)
{
	const Access *x = &o->nest->access[a];
	uint64_t h = x->buffer->integer;
	for (uint32_t d = 0; d < o->nest->ndim; d++) {
		h = mix(h, x->stride[d] == 0 ? 0 : x->stride[d] == 1 ? 1 : 2);
	}
	return h;
}

static void find_hashes(Order *o)
{
	const Nest *n = o->nest;
	for (uint32_t k = 0; k < n->ncode; k++) {
		const Instr *in = &n->code[k];
		uint64_t h = mix(mix(mix(in->op, in->uniform), (uint64_t)in->i), (uint64_t)in->j);
		h = mix_real(mix_real(h, in->k), in->k2);
		for (uint32_t q = 0; q < operand_count(in); q++) {
			uint32_t at = operand_of(in, q), a = access_of(o, at);
			if (o->made[k][q] != NONE) {
				h = mix(h, o->hash[o->made[k][q]]);
			} else if (a != NONE) {
				h = mix(h, hash_access(o, a));
			} else if (at != NONE) {
				h = mix_real(h, n->constant[at - n->nreg - n->nuniform - n->naccess]);
			}
		}
		uint32_t to = access_of(o, in->dst);
		o->hash[k] = to != NONE ? mix(h, hash_access(o, to)) : h;
	}
}

/* ---- parts ---- */

static uint32_t leader(const Order *o, uint32_t k)
{
	while (o->group[k] != k) {
		k = o->group[k];
	}
	return k;
}

static void unite(Order *o, uint32_t a, uint32_t b)
{
	a = leader(o, a);
	b = leader(o, b);
	o->group[a > b ? a : b] = a < b ? a : b;
}

/* Instructions belong together that use each other's values, or read the same lanes. */
static void find_groups(Order *o)
{
	const Nest *n = o->nest;
	uint32_t *reader = arena_array(o->g->arena, uint32_t, n->naccess + 1);
	memset(reader, 0xff, n->naccess * sizeof *reader);
	for (uint32_t k = 0; k < n->ncode; k++) {
		o->group[k] = k;
	}
	for (uint32_t k = 0; k < n->ncode; k++) {
		for (uint32_t q = 0; q < operand_count(&n->code[k]) && !o->lone[k]; q++) {
			uint32_t from = o->made[k][q], a = access_of(o, operand_of(&n->code[k], q));
			if (from != NONE && !o->lone[from]) {
				unite(o, k, from);
			}
			if (a != NONE && n->access[a].stride[n->ndim - 1] != 0) {
				if (reader[a] != NONE) {
					unite(o, k, reader[a]);
				}
				reader[a] = k;
			}
		}
	}
}

/* ---- a part as a nest ---- */

typedef struct Part {
	const Order *o;
	Nest *nest;
	uint32_t *place; /* by old instruction: 1 + its new place */
	uint32_t *reg;   /* by new instruction: its register, NONE: it writes to memory */
	uint32_t *access, *constant; /* by old: the new one, or NONE */
	uint32_t *old;   /* by new access: the old one */
} Part;

/* Registers, accesses and constants in the order they are met; tagged, as their numbers are not
 * known yet. */
enum { TAG_LONE = 1 << 28, TAG_ACCESS = 2 << 28, TAG_CONST = 3 << 28, TAG = 3 << 28 };

static uint32_t part_access(Part *p, uint32_t a)
{
	if (p->access[a] == NONE) {
		p->access[a] = p->nest->naccess;
		p->old[p->nest->naccess++] = a;
	}
	return TAG_ACCESS | p->access[a];
}

static uint32_t part_operand(Part *p, uint32_t k, uint32_t q)
{
	const Nest *n = p->o->nest;
	uint32_t at = operand_of(&n->code[k], q), a = access_of(p->o, at), from = p->o->made[k][q];
	if (a != NONE) {
		return part_access(p, a);
	}
	if (from != NONE) {
		return p->reg[p->place[from] - 1];
	}
	uint32_t c = at - n->nreg - n->nuniform - n->naccess;
	if (p->constant[c] == NONE) {
		p->constant[c] = p->nest->nconst;
		p->nest->constant[p->nest->nconst] = n->constant[c];
		p->nest->constant_int[p->nest->nconst++] = n->constant_int[c];
	}
	return TAG_CONST | p->constant[c];
}

/* An instruction behind all it needs. */
static void part_add(Part *p, uint32_t k)
{
	const Instr *old = &p->o->nest->code[k];
	if (p->place[k]) {
		return;
	}
	for (uint32_t q = 0; q < operand_count(old); q++) {
		if (p->o->made[k][q] != NONE) {
			part_add(p, p->o->made[k][q]);
		}
	}
	Instr in = *old;
	if (in.nmore) {
		in.more = arena_copy(p->o->g->arena, old->more, in.nmore * sizeof *in.more,
				     alignof(uint32_t));
	}
	for (uint32_t q = 0; q < operand_count(&in); q++) {
		if (operand_of(old, q) != NONE) {
			*operand(&in, q) = part_operand(p, k, q);
		}
	}
	uint32_t to = access_of(p->o, in.dst);
	in.dst = to != NONE   ? part_access(p, to)
		 : in.uniform ? TAG_LONE | p->nest->nuniform++
			      : p->nest->nreg++;
	p->reg[p->nest->ncode] = in.dst;
	p->nest->code[p->nest->ncode++] = in;
	p->place[k] = p->nest->ncode;
}

static uint32_t untag(const Nest *n, uint32_t at)
{
	uint32_t k = at & ~(uint32_t)TAG;
	if (at == NONE) {
		return at;
	}
	switch (at & TAG) {
	case TAG_LONE:
		return n->nreg + k;
	case TAG_ACCESS:
		return n->nreg + n->nuniform + k;
	case TAG_CONST:
		return n->nreg + n->nuniform + n->naccess + k;
	default:
		return k;
	}
}

static void part_finish(Part *p)
{
	Nest *n = p->nest;
	const Nest *old = p->o->nest;
	Arena *arena = p->o->g->arena;
	for (uint32_t k = 0; k < n->ncode; k++) {
		Instr *in = &n->code[k];
		in->dst = untag(n, in->dst);
		for (uint32_t q = 0; q < operand_count(in); q++) {
			*operand(in, q) = untag(n, *operand(in, q));
		}
	}
	n->access = arena_array(arena, Access, n->naccess + 1);
	for (uint32_t a = 0; a < n->naccess; a++) {
		n->access[a] = old->access[p->old[a]];
	}
	if (old->flat_stride) {
		uint32_t dims = old->flat_ndim;
		n->flat_stride = arena_array(arena, int64_t, (size_t)(n->naccess + 1) * dims);
		for (uint32_t a = 0; a < n->naccess; a++) {
			memcpy(n->flat_stride + (size_t)a * dims,
			       old->flat_stride + (size_t)p->old[a] * dims, dims * sizeof(int64_t));
		}
	}
}

static uint32_t *numbers(Arena *a, uint32_t n, int byte)
{
	uint32_t *v = arena_array(a, uint32_t, n + 1);
	memset(v, byte, n * sizeof *v);
	return v;
}

/* The instructions of a group (NONE: all), those that others use behind them. */
static const Nest *part_make(const Order *o, uint32_t group)
{
	const Nest *n = o->nest;
	Arena *arena = o->g->arena;
	Part p = {.o = o, .nest = arena_new(arena, Nest)};
	*p.nest = *n;
	p.nest->nreg = p.nest->nuniform = p.nest->naccess = p.nest->nconst = p.nest->ncode = 0;
	p.nest->code = arena_array(arena, Instr, n->ncode + 1);
	p.nest->constant = arena_array(arena, double, n->nconst + 1);
	p.nest->constant_int = arena_array(arena, bool, n->nconst + 1);
	p.place = numbers(arena, n->ncode, 0);
	p.reg = numbers(arena, n->ncode, 0);
	p.old = numbers(arena, n->naccess, 0);
	p.access = numbers(arena, n->naccess, 0xff);
	p.constant = numbers(arena, n->nconst, 0xff);
	for (;;) { /* results in the order of what they compute */
		uint32_t next = NONE;
		for (uint32_t k = 0; k < n->ncode; k++) {
			bool mine = !p.place[k] && !o->used[k] && !o->lone[k] &&
				    (group == NONE || leader(o, k) == group);
			if (mine && (next == NONE || o->hash[k] > o->hash[next])) {
				next = k;
			}
		}
		if (next == NONE) {
			break;
		}
		part_add(&p, next);
	}
	part_finish(&p);
	return p.nest;
}

/* ---- nests ---- */

/* Do at least two parts have the same code, so that they share a kernel? */
static bool any_equal(Gen *g, uint32_t n, const Nest *const *part)
{
	for (uint32_t a = 0; a < n; a++) {
		const char *key = gen_code_key(g, part[a]);
		for (uint32_t b = 0; b < a; b++) {
			if (strcmp(key, gen_code_key(g, part[b])) == 0) {
				return true;
			}
		}
	}
	return false;
}

static bool order_begin(Order *o, Gen *g, const Nest *nest)
{
	*o = (Order){.g = g, .nest = nest};
	if (nest->acc != NONE || !can_reorder(o)) {
		return false;
	}
	uint32_t n = nest->ncode;
	o->made = arena_alloc_n(g->arena, n + 1, sizeof *o->made, alignof(uint32_t));
	memset(o->made, 0xff, n * sizeof *o->made);
	o->hash = arena_array(g->arena, uint64_t, n + 1);
	o->used = arena_array(g->arena, bool, n + 1);
	o->lone = arena_array(g->arena, bool, n + 1);
	o->group = arena_array(g->arena, uint32_t, n + 1);
	find_makers(o);
	find_hashes(o);
	find_groups(o);
	return true;
}

const Nest *gen_nest_order(Gen *g, const Nest *nest)
{
	Order o;
	return order_begin(&o, g, nest) ? part_make(&o, NONE) : nest;
}

uint32_t gen_nest_parts(Gen *g, const Nest *nest, const Nest ***out)
{
	Order o;
	uint32_t n = 0;
	const Nest **part = arena_array(g->arena, const Nest *, nest->ncode + 1);
	*out = part;
	part[0] = nest;
	if (!order_begin(&o, g, nest)) {
		return 1;
	}
	for (uint32_t k = 0; k < nest->ncode; k++) {
		if (leader(&o, k) == k && !o.lone[k]) {
			part[n++] = part_make(&o, k);
		}
	}
	if (n > 1 && any_equal(g, n, part)) {
		return n;
	}
	part[0] = part_make(&o, NONE);
	return 1;
}
