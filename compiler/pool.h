/* pool.h — threads that share numbered jobs. Who takes which job is open; that all are done when
 * pool_run returns is not. */
#ifndef PNN_COMPILER_POOL_H
#define PNN_COMPILER_POOL_H
#include <stdbool.h>
#include <stdint.h>

typedef struct Pool Pool;

/* Threads for all workers but the caller, who is worker 0. If the system gives fewer threads, those
 * work. NULL if memory is out. */
Pool *pool_create(uint32_t workers);
void pool_free(Pool *p); /* NULL is allowed */
/* job(data, worker, k) for k = 0 … n-1, each once, begun in this order, no two at once by one
 * worker. If a job returns false those after it need not be begun; all before it are done. */
void pool_run(Pool *p, uint32_t n, bool (*job)(void *data, uint32_t worker, uint32_t k),
	      void *data);
#endif
