/* cache.h — bytes kept on disk under a key: the compiled code of earlier runs.
 *
 * An entry is a file of its own in one folder, put there whole by renaming, so that any number of
 * runs may use the folder at once. Entries are checked when they are read (owner, permissions, key,
 * version, checksum): what does not fit is dropped. Nothing that goes wrong here is an error for
 * anybody: it is said through `note`, and the cache does nothing. */
#ifndef PNN_COMPILER_CACHE_H
#define PNN_COMPILER_CACHE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Cache Cache;
enum { CACHE_KEY_TEXT = 65, CACHE_LIMIT_MB = 256 };

typedef struct CacheOptions {
	const char *folder;  /* NULL: $PNN_CACHE_DIR, else $XDG_CACHE_HOME/pnn, else $HOME/.cache/pnn */
	const char *version; /* of what writes entries; others' entries are not read; < 56 bytes */
	uint64_t limit;      /* bytes of all entries together; 0: CACHE_LIMIT_MB */
	void (*note)(void *data, const char *text); /* may be NULL */
	void *data;
} CacheOptions;

/* Makes the folder if need be (for its owner alone). NULL if there is none or memory is out; a note
 * was given. The options' texts are copied. */
Cache *cache_open(const CacheOptions *o);
void cache_close(Cache *c); /* NULL is allowed */
const char *cache_folder(const Cache *c);

/* The bytes kept under a key (64 hexadecimal digits), malloc, a zero behind them; NULL if there are
 * none. The entry counts as used now. c may be NULL. */
void *cache_get(Cache *c, const char *key, size_t *size);
/* Keeps bytes under a key, then removes the entries that were not used for longest until all fit
 * the limit. c may be NULL. */
void cache_put(Cache *c, const char *key, const void *bytes, size_t size);

typedef struct CacheSize {
	uint32_t entries;
	uint64_t bytes;
} CacheSize;
CacheSize cache_size(const Cache *c);
/* Removes all entries; what is left (none, if all went well). */
CacheSize cache_clear(Cache *c);
#endif
