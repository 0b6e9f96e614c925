/* cmd_machine.c — the cache of compiled code as a command, and whether code for a processor can run
 * here. */
#include "compiler/cache.h"
#include "compiler/cmd.h"
#include "compiler/target.h"
#include <stdlib.h>
#include <string.h>

static void say(void *data, const char *text)
{
	const CmdLine *c = data;
	fprintf(c->engine.error, "pnnc: %s\n", text);
}

int cmd_cache(CmdLine *c)
{
	bool clear = c->n == 1 && strcmp(c->word[0], "clear") == 0;
	if (c->n == 1 && !clear) {
		return cmd_usage(c, "cache takes clear or nothing, not %s", c->word[0]);
	}
	Cache *cache = cache_open(&(CacheOptions){.version = PNNC_VERSION, .note = say, .data = c});
	if (!cache) {
		return 6;
	}
	CacheSize s = clear ? cache_clear(cache) : cache_size(cache);
	fprintf(c->engine.output, "%s: %u entr%s, %.1f of %d MB\n", cache_folder(cache), s.entries,
		s.entries == 1 ? "y" : "ies", (double)s.bytes / (1 << 20), CACHE_LIMIT_MB);
	cache_close(cache);
	return clear && s.entries > 0 ? 6 : 0;
}

int cmd_check_cpu(const CmdLine *c)
{
	char *why = NULL;
	Target *t = target_create(c->engine.cpu, &why);
	bool runs = t && target_runs_here(t, &why);
	if (!runs) {
		fprintf(c->engine.error, "pnnc: code for %s cannot run here: %s\n", c->engine.cpu,
			why ? why : "not enough memory");
	}
	free(why);
	target_free(t);
	return runs ? 0 : 6;
}
