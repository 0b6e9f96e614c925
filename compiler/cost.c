/* cost.c — counting a plan: a walk over its steps that knows how often each is carried out. */
#include "compiler/cost_int.h"
#include "compiler/interp.h"
#include "lang/matrix.h"
#include <math.h>
#include <stdlib.h>

double cost_flops(const Cost *c)
{
	return c->add + c->mul + c->div;
}

void cost_add(Cost *to, double times, const Cost *c)
{
	to->add += times * c->add;
	to->mul += times * c->mul;
	to->div += times * c->div;
	to->function += times * c->function;
	to->random += times * c->random;
	to->other += times * c->other;
	to->products += times * c->products;
	to->read += times * c->read;
	to->written += times * c->written;
}

/* ---- instructions ---- */

/* A factor that has to be multiplied by. */
static double factor(double k)
{
	return fabs(k) != 1.0;
}

/* Products of a power by repeated squaring. */
static double power_products(int64_t e)
{
	double n = 0;
	for (uint64_t bits = (uint64_t)e; bits > 1; bits >>= 1) {
		n += 1 + (double)(bits & 1);
	}
	return n;
}

static Cost linear_cost(const Instr *in)
{
	switch (in->op) {
	case VM_AXPK:
		return (Cost){.mul = factor(in->k),
			      .add = in->k2 != 0,
			      .other = in->k == -1 && in->k2 == 0};
	case VM_AXPS:
	case VM_AXPY:
		return (Cost){.mul = factor(in->k), .add = 1};
	case VM_AXBY:
		return (Cost){.mul = factor(in->k) + factor(in->k2), .add = 1};
	case VM_MACC:
		return (Cost){.mul = 1 + factor(in->k), .add = 1};
	default: /* VM_MACS: k*b is one value */
		return (Cost){.mul = 1, .add = 1};
	}
}

static Cost call_cost(const Instr *in)
{
	OpSig sig = op_info((Op)in->i)->sig;
	bool real = sig == SIG_R_R || sig == SIG_RR_R;
	return (Cost){.function = real, .other = !real};
}

Cost cost_instr(const Instr *in)
{
	switch (in->op) {
	case VM_ADD:
	case VM_SUB:
	case VM_SCATTER:
		return (Cost){.add = 1};
	case VM_MUL:
	case VM_SQR:
		return (Cost){.mul = 1};
	case VM_DIV:
	case VM_RECIP:
	case VM_SQRT:
		return (Cost){.div = 1};
	case VM_POWI:
		return (Cost){.mul = power_products(in->i)};
	case VM_AXPK:
	case VM_AXPS:
	case VM_AXPY:
	case VM_AXBY:
	case VM_MACC:
	case VM_MACS:
		return linear_cost(in);
	case VM_MAP:
		return (Cost){.function = 1};
	case VM_CALL:
		return call_cost(in);
	case VM_UNIFORM:
	case VM_NORMAL:
		return (Cost){.random = 1};
	case VM_MOV:
	case VM_LOADS:
	case VM_STORES:
	case VM_GATHER:
	case VM_IOTA:
	case VM_LABEL:
	case VM_SLOT:
		return (Cost){0};
	default:
		return (Cost){.other = 1};
	}
}

Cost cost_join(RedKind red, bool integer)
{
	bool sum = red == RED_SUM && !integer, product = red == RED_PROD && !integer;
	return (Cost){.add = sum, .mul = product, .other = !sum && !product};
}

Cost cost_reduce(const Nest *n, unsigned *passes)
{
	*passes = n->red == RED_LOGSUMEXP ? 2 : 1;
	if (n->red == RED_LOGSUMEXP) { /* the greatest; then the sum of exp(value - greatest) */
		return (Cost){.other = 1, .add = 2, .function = 1};
	}
	if (n->red == RED_SUM && !n->integer) { /* its sum is an instruction */
		return (Cost){0};
	}
	return cost_join(n->red, n->integer);
}

/* ---- the walk ---- */

typedef struct Walk {
	const Plan *p;
	Cost c;
	Axis twice;
	Interval *range; /* by slot: labels of the recurrence that runs */
	const Loop **loop;
	double times;  /* of the tiles around */
	int64_t lanes; /* records of the present tile */
	Cost *each;    /* by number of the step, or NULL */
} Walk;

static double real_bytes(const Walk *w, const Buffer *b)
{
	return b->integer ? 8.0 : (double)w->p->real_bytes;
}

static bool is_twice(const Walk *w, Index i)
{
	return w->twice && i && core_index_axis(w->p->core, i) == w->twice;
}

static double labels(Interval r)
{
	return r.hi < r.lo ? 0 : (double)(r.hi - r.lo + 1);
}

/* Labels of a slot's recurrence for which the step runs. */
static Interval step_range(const Walk *w, const Step *s, uint32_t slot)
{
	Interval r = w->range[slot];
	for (uint32_t k = 0; k < s->ncond; k++) {
		if (s->cond[k].slot == slot) {
			r.lo = s->cond[k].in.lo > r.lo ? s->cond[k].in.lo : r.lo;
			r.hi = s->cond[k].in.hi < r.hi ? s->cond[k].in.hi : r.hi;
		}
	}
	return r;
}

/* How often a step runs: tiles, and labels of the recurrences around it. */
static double step_times(const Walk *w, const Step *s)
{
	double times = w->times;
	for (uint32_t k = 0; k < w->p->nslot; k++) {
		if (w->loop[k]) {
			bool twice = is_twice(w, w->loop[k]->index);
			times *= labels(step_range(w, s, k)) * (twice ? 2 : 1);
		}
	}
	return times;
}

static double dim_size(const Walk *w, const Dim *d)
{
	double n = d->tiled ? (double)w->lanes : (double)(d->size > 0 ? d->size : 0);
	return !d->tiled && is_twice(w, d->index) ? 2 * n : n;
}

/* Elements that an access reaches with all counters: neighbouring counters may reach the same ones.
 */
static double distinct(const Walk *w, const Access *a, uint32_t ndim, const Dim *dim)
{
	double n = 1, span = 1;
	for (uint32_t d = 0; d < ndim; d++) {
		double size = dim_size(w, &dim[d]);
		if (a->stride[d]) {
			n *= size;
			span += fabs((double)a->stride[d]) * (size - 1);
		}
	}
	return n < span ? n : span;
}

static bool mentions(const Nest *n, const Instr *in, uint32_t operand)
{
	bool found = in->a == operand || in->b == operand || in->c == operand;
	for (uint32_t k = 0; k < in->nmore; k++) {
		found |= in->more[k] == operand;
	}
	(void)n;
	return found;
}

/* Bytes through access k of a nest. */
static void access_bytes(Walk *w, const Nest *n, uint32_t k, double rows, double lanes,
			 double times)
{
	const Access *a = &n->access[k];
	uint32_t operand = n->nreg + n->nuniform + k;
	double bytes = real_bytes(w, a->buffer) * times, each = 0;
	bool read = n->value == operand || n->filter == operand, written = n->out == k;
	read |= written && n->accumulate;
	if (n->acc == OPERAND_NONE) {
		read = written = false;
	}
	for (uint32_t q = 0; q < n->ncode; q++) {
		const Instr *in = &n->code[q];
		bool scatter = in->op == VM_SCATTER || in->op == VM_ISCATTER;
		if (in->op == VM_GATHER && in->a == operand) {
			each += rows * (in->uniform ? 1 : lanes);
			read |= in->b == operand || in->c == operand;
		} else if (scatter && in->dst == operand) {
			w->c.written += rows * lanes * bytes;
			each += rows * lanes;
		} else {
			read |= mentions(n, in, operand);
			written |= in->dst == operand;
		}
	}
	double all = distinct(w, a, n->ndim, n->dim);
	w->c.read += (each + (read ? all : 0)) * bytes;
	w->c.written += (written ? all : 0) * bytes;
}

static void walk_nest(Walk *w, const Nest *n, double times)
{
	double rows = 1, outputs = 1, lanes = dim_size(w, &n->dim[n->ndim - 1]);
	for (uint32_t d = 0; d + 1 < n->ndim; d++) {
		rows *= dim_size(w, &n->dim[d]);
		outputs *= d < n->nformal ? dim_size(w, &n->dim[d]) : 1;
	}
	outputs *= n->lane_bound ? 1 : lanes;
	unsigned passes = 1;
	if (n->acc != OPERAND_NONE) {
		Cost each = cost_reduce(n, &passes);
		cost_add(&w->c, times * rows * lanes, &each);
		if (n->red == RED_LOGSUMEXP) {
			cost_add(&w->c, times * outputs, &(Cost){.function = 1, .add = 1});
		}
		if (n->accumulate) {
			each = cost_join(n->red, n->integer);
			cost_add(&w->c, times * outputs, &each);
		}
	}
	for (uint32_t k = 0; k < n->ncode; k++) {
		Cost c = cost_instr(&n->code[k]);
		double runs = n->code[k].uniform ? (lanes > 0) : lanes;
		cost_add(&w->c, times * rows * runs * passes, &c);
	}
	for (uint32_t k = 0; k < n->naccess && (rows * lanes > 0 || k == n->out); k++) {
		access_bytes(w, n, k, rows, lanes, times);
	}
}

static double gemm_size(const Walk *w, const GemmDim *d)
{
	double n = d->tiled ? (double)w->lanes : (double)d->size;
	return !d->tiled && is_twice(w, d->index) ? 2 * n : n;
}

/* Each call of the kernel reads its operands once and writes its result once. Filters are not known:
 * all is counted. */
static void walk_gemm(Walk *w, const Gemm *g, double times)
{
	double m = gemm_size(w, &g->m), n = gemm_size(w, &g->n), k = gemm_size(w, &g->k);
	for (uint32_t q = 0; q < g->nouter; q++) {
		times *= gemm_size(w, &g->outer[q]);
	}
	double products = m * n * k * times;
	w->c.add += products;
	w->c.mul += products;
	w->c.products += 2 * products;
	double a = (g->m.a ? m : 1) * (g->k.a ? k : 1), b = (g->n.b ? n : 1) * (g->k.b ? k : 1);
	w->c.read += g->filter.buffer ? times * sizeof(int64_t) : 0;
	double c = (g->m.c ? m : 1) * (g->n.c ? n : 1);
	double from = (g->m.from ? m : 1) * (g->n.from ? n : 1);
	w->c.read += times * (a * real_bytes(w, g->a.buffer) + b * real_bytes(w, g->b.buffer));
	w->c.written += times * c * real_bytes(w, g->c.buffer);
	if (!g->fresh) {
		w->c.read += times * c * real_bytes(w, g->c.buffer);
	} else if (g->from.buffer) {
		w->c.read += times * from * real_bytes(w, g->from.buffer);
	}
}

static void walk_fill(Walk *w, const Fill *f, double times)
{
	double n = times * real_bytes(w, f->out.buffer);
	for (uint32_t d = 0; d < f->ndim; d++) {
		n *= dim_size(w, &f->dim[d]);
	}
	w->c.written += n;
}

/* Operations on matrices of n rows, in units of n^2 times the smaller number of rows and columns:
 * rounded textbook figures of their algorithms. */
static double matrix_flops(RedKind family)
{
	switch (family) {
	case RED_EIGH_VALUES:
		return 9;
	case RED_EIG_REAL:
		return 10;
	case RED_SVD_LEFT:
	case RED_PSEUDOINVERSE:
		return 22;
	case RED_QR_Q:
		return 4;
	case RED_INVERSE:
		return 2;
	case RED_EXPM:
		return 20;
	case RED_CHOLESKY:
		return 1.0 / 3;
	default: /* LU factors */
		return 2.0 / 3;
	}
}

static void walk_matrix(Walk *w, const MatrixStep *s, double times)
{
	for (uint32_t d = 0; d < s->naround; d++) {
		times *= dim_size(w, &s->dim[d]);
	}
	double m = (double)s->size[0], n = (double)s->size[1];
	if (matrix_op(s->family)->nbound == 1) {
		w->c.other += times * round(m * (1 + log2(m))); /* comparisons of a sort */
	} else {
		double half = round(matrix_flops(s->family) * m * n * fmin(m, n) / 2);
		w->c.add += times * half;
		w->c.mul += times * half;
	}
	w->c.read += times * m * n * real_bytes(w, s->in.buffer);
	for (uint32_t k = 0; k < s->nout; k++) {
		const MatrixOut *o = &s->out[k];
		w->c.written += times * (double)(o->size[0] * o->size[1]) *
				real_bytes(w, o->at.buffer);
	}
}

static void walk_block(Walk *w, const Block *b);

/* Full tiles, then the last one if it is smaller; accumulators from their neutral elements, and the
 * tree over the blocks. */
static void walk_tiles(Walk *w, const Step *s, double times)
{
	const Loop *l = s->loop;
	double outside = w->times, full = (double)(l->samples / l->width);
	bool twice = w->twice == l->axis && w->twice;
	double more = twice ? 2 : 1;
	int64_t rest = l->samples % l->width;
	w->times = times * full * more;
	w->lanes = l->width;
	walk_block(w, &l->body);
	w->times = times * more;
	w->lanes = rest;
	if (rest) {
		walk_block(w, &l->body);
	}
	w->times = outside;
	w->lanes = 0;
	for (uint32_t k = 0; k < l->njoin; k++) {
		const Buffer *a = l->join[k];
		double n = (double)a->count * times, joins = (double)l->nblock - 1;
		Cost each = cost_join(a->red, a->integer);
		cost_add(&w->c, n * joins, &each);
		w->c.written += n * (joins + l->nblock) * real_bytes(w, a);
		w->c.read += n * joins * 2 * real_bytes(w, a);
	}
}

static void walk_loop(Walk *w, const Step *s)
{
	const Loop *l = s->loop;
	if (l->tile) {
		walk_tiles(w, s, step_times(w, s));
		return;
	}
	/* The conditions of the loop hold for what is inside. */
	Interval outside[8];
	uint32_t n = s->ncond < 8 ? s->ncond : 8;
	for (uint32_t k = 0; k < n; k++) {
		outside[k] = w->range[s->cond[k].slot];
		w->range[s->cond[k].slot] = step_range(w, s, s->cond[k].slot);
	}
	w->range[l->slot] = (Interval){l->lo, l->hi};
	w->loop[l->slot] = l;
	walk_block(w, &l->body);
	w->loop[l->slot] = NULL;
	while (n-- > 0) {
		w->range[s->cond[n].slot] = outside[n];
	}
}

static void walk_block(Walk *w, const Block *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		Cost before = w->c;
		switch (s->tag) {
		case STEP_NEST:
			walk_nest(w, s->nest, step_times(w, s));
			break;
		case STEP_GEMM:
			walk_gemm(w, s->gemm, step_times(w, s));
			break;
		case STEP_FILL:
			walk_fill(w, s->fill, step_times(w, s));
			break;
		case STEP_MATRIX:
			walk_matrix(w, s->matrix, step_times(w, s));
			break;
		case STEP_LOOP:
			walk_loop(w, s);
			break;
		}
		if (w->each && s->tag != STEP_LOOP) {
			cost_add(&w->each[s->number], 1, &w->c);
			cost_add(&w->each[s->number], -1, &before);
		}
	}
}

static void walk(Walk *w, const Block *b)
{
	w->times = 1;
	w->range = calloc(w->p->nslot + 1, sizeof *w->range);
	w->loop = calloc(w->p->nslot + 1, sizeof *w->loop);
	if (w->range && w->loop) {
		walk_block(w, b);
	}
	free(w->range);
	free(w->loop);
}

Cost cost_plan(const Plan *p, bool fixed, Axis twice)
{
	Walk w = {.p = p, .twice = twice};
	walk(&w, fixed ? &p->fixed : &p->body);
	for (uint32_t k = 0; k < p->noutput && !fixed; k++) {
		const Output *o = &p->output[k];
		if (o->assign) {
			double bytes = (double)o->count * real_bytes(&w, o->view.buffer);
			w.c.read += bytes;
			w.c.written += bytes;
		}
	}
	return w.c;
}

static const char *step_def(const Plan *p, const Step *s)
{
	Def d = s->tag == STEP_NEST   ? s->nest->def[0]
		: s->tag == STEP_GEMM ? s->gemm->result
		: s->tag == STEP_MATRIX ? s->matrix->out[0].def
				      : s->fill->def;
	return intern_text(core_names(p->core), core_def(p->core, d)->name);
}

static void tell_steps(const Plan *p, const Block *b, const Cost *each, CostVisit *visit, void *data)
{
	static const char *const KIND[] = {"nest", "contract", "fill", "matrix"};
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		if (s->tag == STEP_LOOP) {
			tell_steps(p, &s->loop->body, each, visit, data);
		} else {
			visit(data, s->number, KIND[s->tag], step_def(p, s), &each[s->number]);
		}
	}
}

void cost_steps(const Plan *p, CostVisit *visit, void *data)
{
	Walk w = {.p = p, .each = calloc(p->nstep + 1, sizeof *w.each)};
	if (w.each) {
		walk(&w, &p->body);
		tell_steps(p, &p->body, w.each, visit, data);
	}
	free(w.each);
}

PlanHow cost_how(const Plan *p, unsigned *real_bytes)
{
	*real_bytes = p->real_bytes;
	return p->compiled ? compiled_how(p) : (PlanHow){0};
}

double cost_leaves(const Plan *p)
{
	Walk w = {.p = p};
	double bytes = 0;
	for (uint32_t k = 0; k < p->nbuffer; k++) {
		const Buffer *b = p->buffer[k];
		bytes += b->place == PLACE_LEAF ? (double)b->count * real_bytes(&w, b) : 0;
	}
	return bytes;
}

static void gather_axes(const Plan *p, const Block *b, Axis *axis, uint32_t *n, uint32_t room)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		if (s->tag != STEP_LOOP) {
			continue;
		}
		Axis a = s->loop->tile ? s->loop->axis : core_index_axis(p->core, s->loop->index);
		bool known = *n >= room;
		for (uint32_t q = 0; q < *n && !known; q++) {
			known = axis[q] == a;
		}
		if (!known) {
			axis[(*n)++] = a;
		}
		gather_axes(p, &s->loop->body, axis, n, room);
	}
}

uint32_t cost_axes(const Plan *p, Axis *axis, uint32_t room)
{
	uint32_t n = 0;
	gather_axes(p, &p->body, axis, &n, room);
	return n;
}

PlanCost plan_cost(const Plan *p)
{
	Cost c = cost_plan(p, false, 0), once = cost_plan(p, true, 0);
	cost_add(&c, 1, &once);
	PlanCost k = p->cost; /* memory, definitions, contractions */
	k.flops = cost_flops(&c);
	k.transcendental = c.function + c.random;
	k.bytes = c.read + c.written;
	k.contraction_flops = c.products;
	return k;
}
