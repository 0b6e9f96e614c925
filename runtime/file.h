/* file.h — whole files in, whole files out.
 *
 * Writing is all or nothing: the bytes go to a new file in the same folder, which is synced, then
 * renamed over the target, then the folder is synced. Until the rename the old file is untouched;
 * on any failure the new one is removed. */
#ifndef PNN_RUNTIME_FILE_H
#define PNN_RUNTIME_FILE_H
#include <stdint.h>
#include <stdio.h>
#include "runtime/status.h"

/* Reads a regular file whole. *bytes has one more byte, zero, behind its *n; the caller frees it.
 * Folders, pipes and devices are refused (RT_E_READ); limit is the largest size accepted in bytes,
 * 0 for none. */
RtStatus rt_file_read(const char *path, size_t limit, char **bytes, size_t *n, RtError *err);

typedef struct RtFile RtFile;
/* Begins to write path. On RT_OK *file must be ended by exactly one of rt_file_commit and
 * rt_file_abort. */
RtStatus rt_file_begin(const char *path, RtFile **file, RtError *err);
/* Where the content is written (fprintf, fwrite); write errors are remembered and reported by
 * commit. */
FILE *rt_file_stream(RtFile *file);
/* Puts the new content in place of the old and frees file, also on failure. If nothing but the last
 * step fails, syncing the folder, that is reported too, but the new content is already in place. */
RtStatus rt_file_commit(RtFile *file, RtError *err);
/* Drops what was written and frees file. NULL is allowed. */
void rt_file_abort(RtFile *file);
/* n bytes as the new content of path. */
RtStatus rt_file_write(const char *path, const void *bytes, size_t n, RtError *err);
#endif
