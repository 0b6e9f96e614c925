/* rt_aid.h — what the tests of the runtime share. */
#ifndef PNN_TESTS_RT_AID_H
#define PNN_TESTS_RT_AID_H
#include <stddef.h>
#include "runtime/rt.h"

/* A new folder for files; removed with its files by aid_cleanup. Not NULL. */
const char *aid_folder(void);
void aid_cleanup(void);
/* folder/name, in one of eight buffers that are used in turn. */
const char *aid_path(const char *name);
/* Writes n bytes to folder/name and returns its path. */
const char *aid_file(const char *name, const void *bytes, size_t n);
/* The bytes of folder/name, zero terminated; the caller frees. NULL if there is none. */
char *aid_read(const char *name, size_t *n);
/* Files in the folder. */
size_t aid_count(void);

/* What a loader does with bytes: returns its status; err is filled. Frees what it makes. */
typedef RtStatus AidLoader(const void *bytes, size_t n, RtError *err);
/* Loads every prefix of the n bytes, and all with each byte flipped in 8 ways; bytes lie in memory
 * of exactly the length, so that a sanitiser sees any read beyond. Fails the test if an error comes
 * without text. Returns how many of the prefixes were refused. */
size_t aid_torture(AidLoader *load, const void *bytes, size_t n);
#endif
