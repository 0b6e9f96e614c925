/* hash.h — SHA-256 (libnettle) of programs and files. */
#ifndef PNN_RUNTIME_HASH_H
#define PNN_RUNTIME_HASH_H
#include <stddef.h>

enum { RT_SHA256_TEXT = 65 };
/* The digest of n bytes as 64 lower-case hexadecimal digits and a zero. Returns out. */
char *rt_sha256(const void *bytes, size_t n, char out[RT_SHA256_TEXT]);
#endif
