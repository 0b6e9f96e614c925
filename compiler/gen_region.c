/* gen_region.c — fusing the steps over one set of rows and samples: contractions, then the nests
 * that use them, with values that nobody outside reads kept in registers.
 *
 * The planner only proposes regions; whether one can be fused is decided here from the addresses:
 * elements that the region writes must be read at their own place alone, whatever else is read must
 * not be written by it. */
#include "compiler/gen_region.h"
#include "compiler/interp.h"
#include <string.h>

static bool same_slots(const Access *a, const Access *b)
{
	if (a->nslot != b->nslot) {
		return false;
	}
	for (uint32_t k = 0; k < a->nslot; k++) {
		if (a->slot[k].slot != b->slot[k].slot || a->slot[k].coef != b->slot[k].coef) {
			return false;
		}
	}
	return true;
}

/* ---- operands ---- */

static uint32_t row_class(Region *r, int64_t stride)
{
	for (uint32_t k = 0; k < r->nrow; k++) {
		if (r->row[k] == stride) {
			return k;
		}
	}
	if (r->nrow == REGION_CLASSES) {
		return REGION_CLASSES;
	}
	r->row[r->nrow] = stride;
	return r->nrow++;
}

/* The number of these elements; REGION_REFS if there are too many. */
static uint32_t region_ref(Region *r, const Access *a, int64_t rs, int64_t ls)
{
	for (uint32_t k = 0; k < r->nref; k++) {
		const RegionRef *f = &r->ref[k];
		if (f->access->buffer == a->buffer && f->access->base == a->base && f->rs == rs &&
		    f->ls == ls && same_slots(f->access, a)) {
			return k;
		}
	}
	uint32_t row = row_class(r, rs);
	if (r->nref == REGION_REFS || row == REGION_CLASSES) {
		return REGION_REFS;
	}
	const Buffer *b = a->buffer;
	r->ref[r->nref] = (RegionRef){.access = a,
				      .rs = rs,
				      .ls = ls,
				      .row = row,
				      .integer = b->integer,
				      .tile = b->place == PLACE_TILE};
	return r->nref++;
}

/* Elements from the first to the last that the ref touches. */
static int64_t extent(const Region *r, int64_t rs, int64_t ls)
{
	int64_t rows = rs < 0 ? -rs : rs, lanes = ls < 0 ? -ls : ls;
	return rows * (r->rows - 1) + lanes * (r->width - 1) + 1;
}

/* Do two accesses of one buffer certainly touch different elements? */
static bool apart(const Access *a, int64_t size_a, const Access *b, int64_t size_b)
{
	if (a->buffer != b->buffer) {
		return true;
	}
	int64_t d = a->base - b->base;
	return same_slots(a, b) && (d >= size_b || -d >= size_a);
}

/* Everything that lies in a written buffer is the written element itself or lies apart from it. */
static bool no_overlap(const Region *r)
{
	for (uint32_t k = 0; k < r->nref; k++) {
		const RegionRef *f = &r->ref[k];
		if (!f->written) {
			continue;
		}
		int64_t size = extent(r, f->rs, f->ls);
		if (f->ls != 1) {
			return false;
		}
		for (uint32_t q = 0; q < r->nref; q++) {
			const RegionRef *o = &r->ref[q];
			if (o->wide && o->access->buffer == f->access->buffer) {
				return false;
			}
			if (q != k && !apart(f->access, size, o->access, extent(r, o->rs, o->ls))) {
				return false;
			}
		}
		for (uint32_t q = 0; q < r->nproduct; q++) {
			const Gemm *g = r->product[q].gemm;
			int64_t b = (g->k.size - 1) * g->k.b + r->width;
			int64_t a = (g->k.size - 1) * g->k.a + (r->rows - 1) * g->m.a + 1;
			if (!apart(f->access, size, &g->b, b) ||
			    !apart(f->access, size, &g->a, a)) {
				return false;
			}
		}
	}
	return true;
}

/* ---- steps ---- */

static bool set_rows(Region *r, int64_t rows)
{
	if (r->rows && r->rows != rows) {
		return false;
	}
	r->rows = rows;
	return true;
}

static bool add_product(Region *r, const Gemm *g)
{
	if (g->form != GEMM_PANEL || g->pack || g->nouter || g->filter.buffer || !g->n.tiled ||
	    g->n.b != 1 || g->n.c != 1 || g->m.tiled || g->k.tiled ||
	    r->nproduct == REGION_PRODUCTS || !set_rows(r, g->m.size) || g->a.buffer->integer ||
	    g->b.buffer->place != PLACE_TILE) {
		return false;
	}
	RegionProduct *p = &r->product[r->nproduct];
	*p = (RegionProduct){.gemm = g, .from = REGION_REFS};
	while (p->group < r->ngroup) {
		const Gemm *o = r->group[p->group].gemm;
		if (o->a.buffer == g->a.buffer && o->a.base == g->a.base && o->m.a == g->m.a &&
		    o->k.a == g->k.a && o->k.size == g->k.size && same_slots(&o->a, &g->a)) {
			break;
		}
		p->group++;
	}
	if (p->group == r->ngroup) {
		r->group[r->ngroup++] = (RegionGroup){.gemm = g};
	}
	p->c = region_ref(r, &g->c, g->m.c, 1);
	if (p->c == REGION_REFS) {
		return false;
	}
	if (!g->fresh) {
		p->from = p->c;
	} else if (g->from.buffer) {
		p->from = region_ref(r, &g->from, g->m.from, g->n.from);
		if (p->from == REGION_REFS) {
			return false;
		}
	}
	r->ref[p->c].written |= true;
	r->step[r->nstep++] = (RegionStep){.product = r->nproduct++};
	return true;
}

static bool is_label(const Instr *in)
{
	return in->op == VM_IOTA || in->op == VM_LABEL;
}

/* Operations that write elsewhere than at their lanes stay outside. */
static bool code_fits(const Nest *n)
{
	for (uint32_t k = 0; k < n->ncode; k++) {
		switch (n->code[k].op) {
		case VM_SCATTER:
		case VM_ISCATTER:
		case VM_STORES:
		case VM_UNIFORM:
		case VM_NORMAL:
			return false;
		default:
			break;
		}
	}
	return true;
}

static bool access_is_written(const Nest *n, uint32_t access)
{
	uint32_t operand = n->nreg + n->nuniform + access;
	for (uint32_t k = 0; k < n->ncode; k++) {
		if (n->code[k].dst == operand) {
			return true;
		}
	}
	return false;
}

/* Are other elements than those of the lanes read through the access? */
static bool access_is_gathered(const Nest *n, uint32_t access)
{
	uint32_t operand = n->nreg + n->nuniform + access;
	for (uint32_t k = 0; k < n->ncode; k++) {
		const Instr *in = &n->code[k];
		if ((in->op == VM_GATHER || in->op == VM_LOADS) && in->a == operand) {
			return true;
		}
	}
	return false;
}

static bool add_nest(Region *r, const Nest *n)
{
	bool rows = n->ndim == 2;
	if (n->acc != OPERAND_NONE || n->nbound || n->ndim < 1 || n->ndim > 2 ||
	    !n->dim[n->ndim - 1].tiled || (rows && n->dim[0].tiled) ||
	    !set_rows(r, rows ? n->dim[0].size : 1) || !code_fits(n)) {
		return false;
	}
	RegionStep *s = &r->step[r->nstep++];
	*s = (RegionStep){.nest = n, .ref = arena_array(r->g->arena, uint32_t, n->naccess + 1)};
	for (uint32_t k = 0; k < n->naccess; k++) {
		const Access *a = &n->access[k];
		s->ref[k] = region_ref(r, a, rows ? a->stride[0] : 0, a->stride[n->ndim - 1]);
		if (s->ref[k] == REGION_REFS) {
			return false;
		}
		RegionRef *f = &r->ref[s->ref[k]];
		f->written |= access_is_written(n, k);
		f->wide |= access_is_gathered(n, k);
	}
	for (uint32_t k = 0; k < n->ncode; k++) {
		s->labels |= is_label(&n->code[k]);
	}
	r->code += n->ncode;
	return true;
}

/* Another label of the loop around is another place. */
static bool moves(const Access *a)
{
	for (uint32_t k = 0; k < a->nslot; k++) {
		if (a->slot[k].coef) {
			return true;
		}
	}
	return false;
}

/* Values that leave registers: read by others, or in another way. A buffer that this region alone
 * touches is still needed where its elements are another product's operand or those of another
 * label (the steps that read them there need not be among these: conditions). */
static void find_stored(Region *r, uint32_t number)
{
	for (uint32_t k = 0; k < r->nref; k++) {
		RegionRef *f = &r->ref[k];
		const Buffer *b = f->access->buffer;
		f->stored = f->written &&
			    (b->place != PLACE_TILE || b->region != number || moves(f->access));
		for (uint32_t q = 0; q < r->nref && f->written; q++) {
			f->stored |= q != k && r->ref[q].access->buffer == b;
		}
		for (uint32_t q = 0; q < r->nproduct && f->written; q++) {
			f->stored |= r->product[q].gemm->b.buffer == b ||
				     r->product[q].gemm->a.buffer == b;
		}
	}
}

/* Loads for one multiply-add of a block of mr rows and nv vectors: the values of A, the vectors of
 * B; the rows that are left over one by one count for what they cost. */
static double block_cost(const Region *r, unsigned mr, unsigned nv)
{
	double products = r->nproduct, one = (0.5 + products * nv) / (products * nv);
	double rest = (double)(r->rows % mr) / (double)r->rows;
	double whole = (0.5 * mr + products * nv) / (mr * products * nv);
	unsigned sums = mr * r->nproduct * nv;
	double wait = sums < 8 ? 8.0 / sums : 1; /* latency of a multiply-add */
	return (1 + whole * wait) * (1 - rest) +
	       (1 + one * (nv * products < 8 ? 8 / (nv * products) : 1)) * rest;
}

/* Registers hold the sums of a block: products * rows * vectors. */
static void choose_block(Region *r)
{
	unsigned room = r->g->ir.target.registers == 32 ? 24 : 10;
	unsigned vectors = (unsigned)((r->width + (int64_t)r->g->ir.vl - 1) / (int64_t)r->g->ir.vl);
	unsigned sums = r->nproduct;
	double best = 0;
	r->mr = r->nv = 1;
	for (unsigned nv = 1; sums && nv <= 4; nv++) {
		for (unsigned mr = 1; mr <= 8 && mr <= r->rows; mr++) {
			if (vectors % nv || (mr * nv > 1 && mr * nv * sums > room)) {
				continue;
			}
			double cost = block_cost(r, mr, nv);
			if (best == 0 || cost <= best) {
				best = cost;
				r->mr = mr;
				r->nv = nv;
			}
		}
	}
}

/* ---- arguments ---- */

static uint32_t add_arg(Region *r, LLVMValueRef v)
{
	r->arg[r->narg] = v;
	return r->narg++;
}

static void bind_products(Region *r)
{
	Gen *g = r->g;
	for (uint32_t k = 0; k < r->ngroup; k++) {
		RegionGroup *p = &r->group[k];
		p->a = add_arg(r, gen_address(g, r->w, &p->gemm->a));
		p->k = add_arg(r, ir_int(&g->ir, p->gemm->k.size));
		p->am = p->gemm->m.a == 1 ? 0 : add_arg(r, ir_int(&g->ir, p->gemm->m.a));
		p->ak = p->gemm->k.a == 1 ? 0 : add_arg(r, ir_int(&g->ir, p->gemm->k.a));
	}
	for (uint32_t k = 0; k < r->nproduct; k++) {
		RegionProduct *p = &r->product[k];
		p->b = add_arg(r, gen_address(g, r->w, &p->gemm->b));
		p->bk = add_arg(r, ir_int(&g->ir, p->gemm->k.b));
		for (uint32_t q = 0; q < k; q++) {
			if (r->product[q].gemm->k.b == p->gemm->k.b) {
				p->bk = r->product[q].bk;
				r->narg--;
				break;
			}
		}
	}
}

static bool can_fail(const Nest *n)
{
	for (uint32_t k = 0; k < n->ncode; k++) {
		if (n->code[k].op == VM_CHECK || n->code[k].check) {
			return true;
		}
	}
	return false;
}

static void bind_labels(Region *r, RegionStep *s)
{
	Gen *g = r->g;
	const Nest *n = s->nest;
	for (uint32_t k = 0; k < n->ncode; k++) {
		const Instr *in = &n->code[k];
		if (in->op == VM_SLOT && !r->slot_arg[in->i]) {
			r->slot_arg[in->i] = add_arg(r, r->w->slot[in->i]);
		}
	}
	if (can_fail(n)) {
		s->fault = add_arg(r, ir_int(&g->ir, gen_code_faults(g, n)));
	}
	if (!s->labels) {
		return;
	}
	const Dim *lane = &n->dim[n->ndim - 1];
	LLVMValueRef first =
		LLVMBuildAdd(g->ir.b, r->w->slot[lane->slot], ir_int(&g->ir, lane->lo), "");
	s->label[0] = add_arg(r, ir_int(&g->ir, n->ndim == 2 ? n->dim[0].lo : 0));
	s->label[1] = add_arg(r, first);
}

static bool bind_args(Region *r)
{
	Gen *g = r->g;
	if (3 + 4 * r->ngroup + 2 * r->nproduct + r->nref + r->nrow + 3 * r->nstep +
		    r->g->plan->nslot >=
	    REGION_ARGS) {
		return false;
	}
	r->slot_arg = arena_array(g->arena, uint32_t, r->g->plan->nslot + 1);
	r->context_arg = add_arg(r, r->w->context);
	r->rows_arg = add_arg(r, ir_int(&g->ir, r->rows));
	r->lanes_arg = add_arg(r, r->w->lanes);
	for (uint32_t k = 0; k < r->nrow; k++) {
		r->row_arg[k] = r->row[k] ? add_arg(r, ir_int(&g->ir, r->row[k])) : 0;
	}
	bind_products(r);
	for (uint32_t k = 0; k < r->nref; k++) {
		RegionRef *f = &r->ref[k];
		bool inside = f->written && !f->stored;
		f->arg = inside ? 0 : add_arg(r, gen_address(g, r->w, f->access));
	}
	for (uint32_t k = 0; k < r->nstep; k++) {
		if (r->step[k].nest) {
			bind_labels(r, &r->step[k]);
		}
	}
	return true;
}

/* ---- the key ---- */

static const char *region_key(Region *r)
{
	Arena *a = r->g->arena;
	const char *t = arena_printf(a, "region %u %u %d %d|", r->mr, r->nv,
				     (int)(r->rows % r->mr != 0), r->w->partial);
	for (uint32_t k = 0; k < r->nrow; k++) {
		t = arena_printf(a, "%s%c", t, r->row[k] ? 'r' : '0');
	}
	for (uint32_t k = 0; k < r->nref; k++) {
		const RegionRef *f = &r->ref[k];
		t = arena_printf(a, "%s,%u%c%c%c%c%c", t, f->row,
				 f->ls == 0   ? '0'
				 : f->ls == 1 ? '1'
					      : '*',
				 f->integer ? 'i' : 'r', f->tile ? 't' : 'g',
				 f->written ? 'w' : 'x', f->stored ? 's' : 'l');
		if (f->ls != 0 && f->ls != 1) {
			t = arena_printf(a, "%s%lld", t, (long long)f->ls);
		}
	}
	for (uint32_t k = 0; k < r->ngroup; k++) {
		t = arena_printf(a, "%s;%d%d", t, r->group[k].gemm->m.a == 1,
				 r->group[k].gemm->k.a == 1);
	}
	for (uint32_t k = 0; k < r->nstep; k++) {
		const RegionStep *s = &r->step[k];
		if (!s->nest) {
			const RegionProduct *p = &r->product[s->product];
			t = arena_printf(a, "%s|p%u %u %u %u %a", t, p->group, p->c, p->from, p->bk,
					 p->gemm->alpha);
			continue;
		}
		t = arena_printf(a, "%s|n%u%c %s:", t, s->nest->ndim, s->fault ? 'f' : ' ',
				 gen_code_key(r->g, s->nest));
		for (uint32_t q = 0; q < s->nest->naccess; q++) {
			t = arena_printf(a, "%s %u", t, s->ref[q]);
		}
	}
	for (uint32_t k = 1; k < r->g->plan->nslot; k++) {
		if (r->slot_arg[k]) {
			t = arena_printf(a, "%s$%u=%u", t, k, r->slot_arg[k]);
		}
	}
	return t;
}

bool gen_region(Gen *g, const GenPlace *w, uint32_t n, Step *const *step)
{
	if (n < 2 || n > REGION_STEPS || !w->lanes) {
		return false;
	}
	Region *r = arena_new(g->arena, Region);
	r->g = g;
	r->w = w;
	r->width = w->width;
	for (uint32_t k = 0; k < n; k++) {
		const Step *s = step[k];
		if ((s->tag != STEP_GEMM && s->tag != STEP_NEST) ||
		    !(s->tag == STEP_GEMM ? add_product(r, s->gemm) : add_nest(r, s->nest))) {
			return false;
		}
	}
	if (!no_overlap(r)) {
		return false;
	}
	find_stored(r, step[0]->region);
	choose_block(r);
	if (!bind_args(r)) {
		return false;
	}
	const char *key = region_key(r);
	LLVMValueRef f = gen_kernel(g, key);
	if (!f) {
		IrPlace here = ir_leave(&g->ir);
		f = region_kernel(r);
		ir_return(&g->ir, here);
		gen_kernel_add(g, key, f);
	}
	LLVMBuildCall2(g->ir.b, LLVMGlobalGetValueType(f), f, r->arg, r->narg, "");
	return true;
}
