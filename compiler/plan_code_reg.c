/* plan_code_reg.c — a program's last form: results go straight to memory where nothing else did,
 * equal index arithmetic is done once, registers are shared by lives. */
#include "compiler/plan_code.h"
#include <string.h>

/* Sends a value to memory: its instruction writes there directly if nothing else did, else it is
 * copied. */
void coder_store(Coder *w, Val v, uint32_t access, int64_t lane_stride)
{
	Val to = {CODE_ACCESS | access, lane_stride == 0};
	if (lane_stride != 0 && lane_stride != 1) {
		to.uniform = false;
		coder_emit(w, VM_STORES, v, VAL_NONE, VAL_NONE, &to)->i = lane_stride;
		return;
	}
	size_t at = w->ncode;
	while (v.at < CODE_ACCESS && at-- > 0 && w->code[at].dst != v.at) {
	}
	bool pinned = false;
	for (size_t k = 0; k < w->npinned; k++) {
		pinned |= w->pinned[k] == v.at;
	}
	if (v.at >= CODE_ACCESS || pinned || v.uniform != to.uniform ||
	    w->code[at].op == VM_SCATTER) {
		coder_emit(w, VM_MOV, v, VAL_NONE, VAL_NONE, &to);
		return;
	}
	w->code[at].dst = to.at;
	for (size_t k = at + 1; k < w->ncode; k++) {
		Instr *in = &w->code[k];
		in->a = in->a == v.at ? to.at : in->a;
		in->b = in->b == v.at ? to.at : in->b;
		in->c = in->c == v.at ? to.at : in->c;
		for (uint32_t q = 0; q < in->nmore; q++) {
			in->more[q] = in->more[q] == v.at ? to.at : in->more[q];
		}
	}
	for (size_t k = 0; k < w->nval; k++) {
		w->val[k].at = w->val[k].at == v.at ? to.at : w->val[k].at;
	}
	for (size_t k = 0; k < w->nknown; k++) {
		w->known[k].val.at = w->known[k].val.at == v.at ? to.at : w->known[k].val.at;
		w->known[k].mask.at = w->known[k].mask.at == v.at ? to.at : w->known[k].mask.at;
	}
}

typedef struct Pool {
	uint32_t *idle;
	size_t nidle, cap;
	uint32_t made;
} Pool;

static uint32_t pool_take(Planner *p, Pool *pool)
{
	(void)p;
	return pool->nidle ? pool->idle[--pool->nidle] : pool->made++;
}

static void operand_last(uint32_t *last, uint32_t operand, size_t at)
{
	if (operand < CODE_ACCESS) {
		last[operand] = (uint32_t)at + 1;
	}
}

static void pool_release(Coder *w, Pool pool[2], const uint32_t *last, const uint32_t *place,
			 uint32_t operand, size_t at, bool *gone)
{
	if (operand < CODE_ACCESS && last[operand] == at + 1 && !gone[operand]) {
		Pool *from = &pool[w->uniform[operand]];
		gone[operand] = true;
		ARENA_PUSH(w->p->arena, from->idle, from->nidle, from->cap, place[operand]);
	}
}

static uint32_t operand_final(const Coder *w, const uint32_t *place, uint32_t nvector,
			      uint32_t nreg, uint32_t operand)
{
	if (operand == OPERAND_NONE) {
		return operand;
	}
	if (operand & CODE_CONST) {
		return nreg + (uint32_t)w->naccess + (operand & CODE_INDEX);
	}
	if (operand & CODE_ACCESS) {
		return nreg + (operand & CODE_INDEX);
	}
	return w->uniform[operand] ? nvector + place[operand] : place[operand];
}

/* Registers by last use. A destination may take the place of operand a alone: every loop reads a
 * before it writes y. */
static void coder_registers(Coder *w, uint32_t *place, Pool pool[2])
{
	Planner *p = w->p;
	uint32_t *last = arena_array(p->arena, uint32_t, w->nreg + 1);
	bool *gone = arena_array(p->arena, bool, w->nreg + 1);
	for (size_t k = 0; k < w->ncode; k++) {
		const Instr *in = &w->code[k];
		operand_last(last, in->dst, k);
		operand_last(last, in->a, k);
		operand_last(last, in->b, k);
		operand_last(last, in->c, k);
		for (uint32_t q = 0; q < in->nmore; q++) {
			operand_last(last, in->more[q], k);
		}
	}
	if (w->nest->value < CODE_ACCESS) {
		last[w->nest->value] = UINT32_MAX;
	}
	if (w->nest->filter < CODE_ACCESS) {
		last[w->nest->filter] = UINT32_MAX;
	}
	for (size_t k = 0; k < w->npinned; k++) {
		last[w->pinned[k]] = UINT32_MAX;
		place[w->pinned[k]] = pool_take(p, &pool[0]);
		gone[w->pinned[k]] = true;
	}
	bool *made = arena_array(p->arena, bool, w->nreg + 1);
	for (size_t k = 0; k < w->npinned; k++) {
		made[w->pinned[k]] = true;
	}
	for (size_t k = 0; k < w->ncode; k++) {
		const Instr *in = &w->code[k];
		if (in->a != in->b && in->a != in->c && in->op != VM_CHECK) {
			pool_release(w, pool, last, place, in->a, k, gone);
		}
		if (in->dst < CODE_ACCESS && !made[in->dst]) {
			made[in->dst] = true;
			place[in->dst] = pool_take(p, &pool[w->uniform[in->dst]]);
		}
		pool_release(w, pool, last, place, in->a, k, gone);
		pool_release(w, pool, last, place, in->b, k, gone);
		pool_release(w, pool, last, place, in->c, k, gone);
		for (uint32_t q = 0; q < in->nmore; q++) {
			pool_release(w, pool, last, place, in->more[q], k, gone);
		}
		pool_release(w, pool, last, place, in->dst, k, gone);
	}
}

enum { SAME_WINDOW = 48 };

static bool op_is_pure(const Instr *in)
{
	return in->op >= VM_REAL && in->op <= VM_OFFSET && in->op != VM_SELECT &&
	       in->op != VM_GUARD;
}

static bool same_instr(const Instr *a, const Instr *b)
{
	return a->op == b->op && a->a == b->a && a->b == b->b && a->c == b->c && a->i == b->i &&
	       a->j == b->j && a->uniform == b->uniform && a->check == b->check;
}

/* Index arithmetic that was done a few instructions before is not done again. Registers are written
 * once, so equal operands are equal values. */
static void coder_merge(Coder *w)
{
	uint32_t *canon = arena_array(w->p->arena, uint32_t, w->nreg + 1);
	for (uint32_t r = 0; r < w->nreg; r++) {
		canon[r] = r;
	}
	size_t kept = 0;
	for (size_t k = 0; k < w->ncode; k++) {
		Instr in = w->code[k];
		in.a = in.a < CODE_ACCESS ? canon[in.a] : in.a;
		in.b = in.b < CODE_ACCESS ? canon[in.b] : in.b;
		in.c = in.c < CODE_ACCESS ? canon[in.c] : in.c;
		for (uint32_t q = 0; q < in.nmore; q++) {
			in.more[q] = in.more[q] < CODE_ACCESS ? canon[in.more[q]] : in.more[q];
		}
		bool seen = false;
		for (size_t q = kept; q > 0 && kept - q < SAME_WINDOW && !seen &&
				      in.dst < CODE_ACCESS && op_is_pure(&in);
		     q--) {
			seen = w->code[q - 1].dst < CODE_ACCESS && same_instr(&w->code[q - 1], &in);
			canon[in.dst] = seen ? w->code[q - 1].dst : in.dst;
		}
		if (!seen) {
			w->code[kept++] = in;
		}
	}
	w->ncode = kept;
	w->nest->value = w->nest->value < CODE_ACCESS ? canon[w->nest->value] : w->nest->value;
	w->nest->filter = w->nest->filter < CODE_ACCESS ? canon[w->nest->filter] : w->nest->filter;
}

void coder_finish(Coder *w)
{
	Planner *p = w->p;
	Nest *nest = w->nest;
	coder_merge(w);
	uint32_t *place = arena_array(p->arena, uint32_t, w->nreg + 1);
	Pool pool[2] = {{0}, {0}};
	coder_registers(w, place, pool);
	uint32_t nvector = pool[0].made, nreg = nvector + pool[1].made;
	for (size_t k = 0; k < w->ncode; k++) {
		Instr *in = &w->code[k];
		in->dst = operand_final(w, place, nvector, nreg, in->dst);
		in->a = operand_final(w, place, nvector, nreg, in->a);
		in->b = operand_final(w, place, nvector, nreg, in->b);
		in->c = operand_final(w, place, nvector, nreg, in->c);
		for (uint32_t q = 0; q < in->nmore; q++) {
			in->more[q] = operand_final(w, place, nvector, nreg, in->more[q]);
		}
	}
	nest->acc = operand_final(w, place, nvector, nreg, nest->acc);
	nest->acc2 = operand_final(w, place, nvector, nreg, nest->acc2);
	nest->value = operand_final(w, place, nvector, nreg, nest->value);
	nest->filter = operand_final(w, place, nvector, nreg, nest->filter);
	Arena *a = p->plan->arena;
	nest->nreg = nvector;
	nest->nuniform = pool[1].made;
	nest->ncode = (uint32_t)w->ncode;
	nest->code = arena_copy(a, w->code, w->ncode * sizeof(Instr), alignof(Instr));
	nest->naccess = (uint32_t)w->naccess;
	nest->access = arena_copy(a, w->access, w->naccess * sizeof(Access), alignof(Access));
	nest->nconst = (uint32_t)w->nconst;
	nest->constant = arena_copy(a, w->constant, w->nconst * sizeof(double), alignof(double));
	nest->constant_int = arena_copy(a, w->const_int, w->nconst * sizeof(bool), alignof(bool));
	nest->nfault = (uint32_t)w->nfault;
	nest->fault = arena_copy(a, w->fault, w->nfault * sizeof(Fault), alignof(Fault));
}
