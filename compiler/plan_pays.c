/* plan_pays.c — whether a plan is compiled: estimates of both ways in nanoseconds, from the plan
 * and the expected number of runs alone, so that the same program always runs the same way. The
 * figures are those of an x86-64 processor of 3 GHz with AVX-512; nothing but speed depends on them. */
#include "compiler/cost.h"
#include "compiler/plan_int.h"
#include <math.h>

/* The interpreter: one operation of a strip, of a function, of a contraction; one step. */
#define FLOP_NS 0.2
#define FUNCTION_NS 3.5
#define PRODUCT_NS 0.022
#define STEP_NS 110.0
/* Compiled code takes this part of it. */
#define COMPILED 0.35
/* Compiling: in any case, one kernel, one instruction of a nest. */
#define COMPILE_NS 8e6
#define KERNEL_NS 0.9e6
#define CODE_NS 0.18e6

typedef struct Size {
	double steps;   /* carried out in one run */
	double kernels; /* steps in the text */
	double code;    /* instructions of nests in the text */
} Size;

static double trips(const Loop *l)
{
	double n = l->tile ? ceil((double)l->samples / (double)l->width)
			   : (double)(l->hi - l->lo + 1);
	return n > 0 ? n : 0;
}

/* Loops nest no deeper than there are indices. */
static void measure(const Block *b, double times, Size *s)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *t = b->step[k];
		if (t->tag == STEP_LOOP) {
			measure(&t->loop->body, times * trips(t->loop), s);
			continue;
		}
		s->steps += times;
		s->kernels += 1;
		s->code += t->tag == STEP_NEST ? t->nest->ncode : 0;
	}
}

bool plan_pays(const Plan *p, double runs)
{
	if (isinf(runs)) {
		return true;
	}
	Size text = {0}, once = {0};
	measure(&p->body, 1, &text);
	measure(&p->fixed, 1, &once);
	Cost c = cost_plan(p, false, 0);
	double flops = c.add + c.mul + c.div + c.other - c.products;
	double run = flops * FLOP_NS + c.function * FUNCTION_NS + c.random * FUNCTION_NS +
		     c.products * PRODUCT_NS + text.steps * STEP_NS;
	double compile = COMPILE_NS + (text.kernels + once.kernels) * KERNEL_NS +
			 (text.code + once.code) * CODE_NS;
	return (runs > 1 ? runs : 1) * run * (1 - COMPILED) > compile;
}
