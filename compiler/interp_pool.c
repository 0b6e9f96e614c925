/* interp_pool.c — threads that share the blocks of a tile loop. Blocks are taken in order by
 * whoever is free; each has its own accumulators, so that it does not matter who took which. */
#include "compiler/interp_int.h"
#include <pthread.h>
#include <stdlib.h>

struct Pool {
	pthread_mutex_t lock;
	pthread_cond_t begin, done;
	Exec *exec;
	uint32_t nthread;
	pthread_t *thread;
	const Loop *loop; /* what is to be done; changes with `round` */
	uint64_t round;
	uint32_t next;   /* the next block */
	uint32_t failed; /* the first block that failed, or their number */
	uint32_t busy;
	bool stop;
};

typedef struct PoolMember {
	struct Pool *pool;
	Worker *worker;
} PoolMember;

/* Takes blocks until none is left, or one before them has failed: then what comes after it is not
 * reported anyway. */
static void pool_work(struct Pool *p, Worker *w)
{
	pthread_mutex_lock(&p->lock);
	while (p->next < p->loop->nblock && p->next < p->failed) {
		uint32_t b = p->next++;
		pthread_mutex_unlock(&p->lock);
		if (!w->failed.nest) {
			interp_tiles(w, p->loop, b);
			w->failed.order = w->failed.nest ? b : 0;
		}
		pthread_mutex_lock(&p->lock);
		if (w->failed.nest && w->failed.order < p->failed) {
			p->failed = (uint32_t)w->failed.order;
		}
	}
	pthread_mutex_unlock(&p->lock);
}

static void *pool_main(void *data)
{
	PoolMember m = *(PoolMember *)data;
	struct Pool *p = m.pool;
	free(data);
	uint64_t seen = 0;
	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->round == seen && !p->stop) {
			pthread_cond_wait(&p->begin, &p->lock);
		}
		if (p->stop) {
			break;
		}
		seen = p->round;
		pthread_mutex_unlock(&p->lock);
		pool_work(p, m.worker);
		pthread_mutex_lock(&p->lock);
		if (--p->busy == 0) {
			pthread_cond_signal(&p->done);
		}
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

bool pool_create(Exec *x)
{
	struct Pool *p = calloc(1, sizeof *p);
	if (!p) {
		return false;
	}
	x->pool = p;
	p->exec = x;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->begin, NULL);
	pthread_cond_init(&p->done, NULL);
	p->thread = calloc(x->nworker, sizeof *p->thread);
	for (uint32_t k = 1; k < x->nworker && p->thread; k++) {
		PoolMember *m = malloc(sizeof *m);
		if (!m) {
			return false;
		}
		*m = (PoolMember){p, &x->worker[k]};
		if (pthread_create(&p->thread[p->nthread], NULL, pool_main, m)) {
			free(m); /* fewer threads: the same results */
			break;
		}
		p->nthread++;
	}
	return p->thread != NULL;
}

void pool_free(Exec *x)
{
	struct Pool *p = x->pool;
	if (!p) {
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->begin);
	pthread_mutex_unlock(&p->lock);
	for (uint32_t k = 0; k < p->nthread; k++) {
		pthread_join(p->thread[k], NULL);
	}
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->begin);
	pthread_cond_destroy(&p->done);
	free(p->thread);
	free(p);
	x->pool = NULL;
}

void pool_run(Exec *x, const Loop *l)
{
	struct Pool *p = x->pool;
	pthread_mutex_lock(&p->lock);
	p->loop = l;
	p->next = 0;
	p->failed = l->nblock;
	p->busy = p->nthread;
	p->round++;
	pthread_cond_broadcast(&p->begin);
	pthread_mutex_unlock(&p->lock);
	pool_work(p, &x->worker[0]);
	pthread_mutex_lock(&p->lock);
	while (p->busy) {
		pthread_cond_wait(&p->done, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	Worker *first = &x->worker[0];
	for (uint32_t k = 1; k < x->nworker; k++) { /* the failure of the first block counts */
		const Failure *f = &x->worker[k].failed;
		if (f->nest && (!first->failed.nest || f->order < first->failed.order)) {
			first->failed = *f;
		}
	}
}
