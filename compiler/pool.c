/* pool.c — see pool.h. A round is announced by a counter. Waiting threads look at it for a short
 * while before they sleep, since rounds of a training follow each other within microseconds. */
#include "compiler/pool.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LOOKS = 4000 }; /* at the counter before sleeping, some tens of microseconds */

typedef struct Member {
	Pool *pool;
	uint32_t worker;
	pthread_t thread;
} Member;

struct Pool {
	pthread_mutex_t lock;
	pthread_cond_t begin, done;
	uint32_t nthread;
	Member *member;
	bool (*job)(void *data, uint32_t worker, uint32_t k);
	void *data;
	uint32_t n;
	atomic_uint_fast64_t round; /* changes under the lock */
	atomic_uint next;           /* the next job */
	atomic_uint failed;         /* the first one that failed, or their number */
	atomic_uint busy;           /* threads inside the round */
	atomic_bool stop;
};

static void pause_briefly(void)
{
#if defined __x86_64__
	__builtin_ia32_pause();
#endif
}

static void note_failed(Pool *p, uint32_t k)
{
	unsigned first = atomic_load(&p->failed);
	while (k < first && !atomic_compare_exchange_weak(&p->failed, &first, k)) {
	}
}

static void work(Pool *p, uint32_t worker)
{
	for (;;) {
		uint32_t k = atomic_fetch_add(&p->next, 1);
		if (k >= p->n || k >= atomic_load(&p->failed)) {
			return;
		}
		if (!p->job(p->data, worker, k)) {
			note_failed(p, k);
		}
	}
}

/* Until the counter is no longer `seen`; false to stop. */
static bool wait_round(Pool *p, uint64_t seen)
{
	for (int look = 0; look < LOOKS; look++) {
		if (atomic_load(&p->round) != seen || atomic_load(&p->stop)) {
			return !atomic_load(&p->stop);
		}
		pause_briefly();
	}
	pthread_mutex_lock(&p->lock);
	while (atomic_load(&p->round) == seen && !atomic_load(&p->stop)) {
		pthread_cond_wait(&p->begin, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return !atomic_load(&p->stop);
}

static void *member_main(void *data)
{
	Member *m = data;
	Pool *p = m->pool;
	for (uint64_t seen = 0; wait_round(p, seen);) {
		seen++; /* a round ends only when every thread took part */
		work(p, m->worker);
		if (atomic_fetch_sub(&p->busy, 1) == 1) {
			pthread_mutex_lock(&p->lock);
			pthread_cond_signal(&p->done);
			pthread_mutex_unlock(&p->lock);
		}
	}
	return NULL;
}

Pool *pool_create(uint32_t workers)
{
	Pool *p = calloc(1, sizeof *p);
	if (!p) {
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->begin, NULL);
	pthread_cond_init(&p->done, NULL);
	p->member = calloc(workers ? workers : 1, sizeof *p->member);
	for (uint32_t k = 1; p->member && k < workers; k++) {
		Member *m = &p->member[p->nthread];
		*m = (Member){p, k, 0};
		if (pthread_create(&m->thread, NULL, member_main, m)) {
			break; /* fewer threads: the same results */
		}
		p->nthread++;
	}
	return p;
}

void pool_free(Pool *p)
{
	if (!p) {
		return;
	}
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->stop, true);
	pthread_cond_broadcast(&p->begin);
	pthread_mutex_unlock(&p->lock);
	for (uint32_t k = 0; k < p->nthread; k++) {
		pthread_join(p->member[k].thread, NULL);
	}
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->begin);
	pthread_cond_destroy(&p->done);
	free(p->member);
	free(p);
}

static void wait_done(Pool *p)
{
	for (int look = 0; look < LOOKS; look++) {
		if (atomic_load(&p->busy) == 0) {
			return;
		}
		pause_briefly();
	}
	pthread_mutex_lock(&p->lock);
	while (atomic_load(&p->busy)) {
		pthread_cond_wait(&p->done, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
}

void pool_run(Pool *p, uint32_t n, bool (*job)(void *data, uint32_t worker, uint32_t k),
	      void *data)
{
	p->job = job;
	p->data = data;
	p->n = n;
	atomic_store(&p->next, 0);
	atomic_store(&p->failed, n);
	atomic_store(&p->busy, p->nthread);
	pthread_mutex_lock(&p->lock);
	atomic_fetch_add(&p->round, 1);
	pthread_cond_broadcast(&p->begin);
	pthread_mutex_unlock(&p->lock);
	work(p, 0);
	wait_done(p);
}
