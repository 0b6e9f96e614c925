/* status.h — how every function of the runtime reports the machine's and the data's refusals.
 *
 * A function that can fail returns an RtStatus and, if it is not RT_OK, has filled the caller's
 * RtError. The error holds no pointers: it may be copied and needs no freeing. err may be NULL
 * where only the status matters. */
#ifndef PNN_RUNTIME_STATUS_H
#define PNN_RUNTIME_STATUS_H
#include <stddef.h>

typedef enum {
	RT_OK,
	RT_E_READ,     /* a file cannot be opened or read (missing, no permission, a directory) */
	RT_E_WRITE,    /* a file cannot be written (no space, no permission, not a folder) */
	RT_E_FORMAT,   /* the content is not what its format demands (truncated, ragged, not UTF-8) */
	RT_E_UNSUPPORTED, /* well formed, but of a kind that is not read (Python objects, encrypted) */
	RT_E_LIMIT,    /* larger than a stated limit */
	RT_E_MEMORY,   /* the allocator refused */
	RT_E_SINGULAR, /* a matrix has no inverse */
	RT_E_DIVERGED, /* an iteration of linear algebra did not converge, or was given NaN */
	/* arguments out of range: more dimensions of a point set than there are, a zero size */
	RT_E_USAGE
} RtStatus;

enum { RT_PATH_MAX = 512, RT_WHERE_MAX = 128, RT_TEXT_MAX = 384 };

typedef struct RtError {
	RtStatus status;
	char path[RT_PATH_MAX];   /* the file, shortened in the middle if longer; "" if there is none */
	char where[RT_WHERE_MAX]; /* "line 12, column 3", "byte 128", "member x.npy, byte 6"; or "" */
	char text[RT_TEXT_MAX];   /* what is wrong, a clause without a full stop */
} RtError;

/* Fills err (if not NULL) and returns status, so that "return rt_fail(...)" reads as one thought.
 * path and where may be NULL. */
RtStatus rt_fail(RtError *err, RtStatus status, const char *path, const char *where,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* As rt_fail, with the text "format: strerror(code)" for a failed system call. */
RtStatus rt_fail_errno(RtError *err, RtStatus status, const char *path, int code,
                       const char *what);
/* Memory for n items of size bytes, zeroed; NULL if refused or if n*size overflows. n = 0 gives a
 * valid pointer. The caller frees it with free. */
void *rt_alloc(size_t n, size_t size);
/* Doubles a growing array: makes room for at least need items, *room being the number it has. The
 * items are kept; on failure returns false and everything is as it was. The array belongs to the
 * caller (free). */
_Bool rt_grow(void **items, size_t *room, size_t need, size_t size);
/* A copy of n bytes of text with a terminating zero, or NULL. The caller frees it. */
char *rt_copy_text(const char *text, size_t n);
#endif
