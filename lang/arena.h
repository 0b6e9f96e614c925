/* arena.h — bump allocation with marks. One arena per lifetime: engine, unit of compilation, scratch.
 * Nothing is freed singly; a pointer never points into an arena of shorter life. */
#ifndef PNN_LANG_ARENA_H
#define PNN_LANG_ARENA_H
#include <stdalign.h>
#include <stddef.h>

typedef struct Arena Arena;
typedef struct ArenaMark { void *chunk; size_t used; } ArenaMark;

/* A new empty arena, or NULL when memory is out. The caller frees it by arena_free. */
Arena *arena_create(void);
/* Frees the arena and everything allocated in it; NULL is allowed. */
void arena_free(Arena *a);
/* size bytes aligned to align (a power of two), zeroed. Out of memory calls the handler set by
 * arena_on_exhausted, which must not return; without one the process is aborted. */
void *arena_alloc(Arena *a, size_t size, size_t align);
/* n elements of the given size, zeroed; the product is checked for overflow. */
void *arena_alloc_n(Arena *a, size_t n, size_t size, size_t align);
/* Copies of bytes or of a string (with its 0). */
void *arena_copy(Arena *a, const void *bytes, size_t size, size_t align);
char *arena_strdup(Arena *a, const char *s);
/* Formats as printf does into the arena. */
char *arena_printf(Arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Everything allocated after the mark is given back by arena_release. */
ArenaMark arena_mark(Arena *a);
void arena_release(Arena *a, ArenaMark m);
/* Bytes in use, for tests of growth. */
size_t arena_used(const Arena *a);
/* handler(data, bytes wanted) is called when memory is out, or when the arena would hold more than limit bytes
 * (0: no limit); it must not return. */
void arena_on_exhausted(Arena *a, size_t limit, void (*handler)(void *data, size_t wanted), void *data);
/* A new empty arena with the handler and the limit of another, or NULL when memory is out. */
Arena *arena_create_like(const Arena *a);

#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T), alignof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc_n((a), (n), sizeof(T), alignof(T)))

/* A growing array in an arena: ARENA_PUSH(a, items, n, cap, value). Old storage stays until the arena goes. */
void *arena_grow(Arena *a, void *items, size_t n, size_t *cap, size_t size, size_t align);
#define ARENA_PUSH(a, items, n, cap, value)                                                        \
	((n) == (cap) ? (void)((items) = arena_grow((a), (items), (n), &(cap), sizeof *(items),         \
	                                            alignof(max_align_t)))                              \
	              : (void)0,                                                                        \
	 (items)[(n)++] = (value))
#endif
