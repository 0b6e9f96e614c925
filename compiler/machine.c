/* machine.c — see exec.h. */
#include "compiler/exec.h"
#include <stdlib.h>
#include <unistd.h>

struct Machine {
	unsigned threads;
	Pool *pool;
	Target *target;
	const char *cpu; /* name of the target */
	CacheOptions cache_options;
	bool cache_wanted; /* and not yet opened */
	Cache *cache;
};

Machine *machine_create(unsigned threads)
{
	Machine *m = calloc(1, sizeof *m);
	if (m) {
		m->threads = threads ? threads : 1;
	}
	return m;
}

void machine_free(Machine *m)
{
	if (m) {
		pool_free(m->pool);
		target_free(m->target);
		cache_close(m->cache);
		free(m);
	}
}

unsigned machine_threads(const Machine *m)
{
	return m->threads;
}

Pool *machine_pool(Machine *m)
{
	if (m->threads > 1 && !m->pool) {
		m->pool = pool_create(m->threads);
	}
	return m->pool;
}

const Target *machine_target(Machine *m, char **message)
{
	if (!m->target) {
		m->target = target_create(m->cpu, message);
	}
	return m->target;
}

size_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	return pages > 0 && size > 0 ? (size_t)pages / 4 * 3 * (size_t)size : 0;
}

void machine_set_target(Machine *m, const char *name)
{
	m->cpu = name;
}

void machine_set_cache(Machine *m, const CacheOptions *o)
{
	m->cache_options = *o;
	m->cache_wanted = true;
}

Cache *machine_cache(Machine *m)
{
	if (m->cache_wanted) {
		m->cache_wanted = false;
		m->cache = cache_open(&m->cache_options);
	}
	return m->cache;
}
