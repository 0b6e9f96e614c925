/* metrics.h — JSON lines: one object per event, appended and flushed line by line.
 *
 * A line is begun, gets its fields, and is ended; it reaches the file whole or (on a full disk) is
 * reported. */
#ifndef PNN_RUNTIME_METRICS_H
#define PNN_RUNTIME_METRICS_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "runtime/status.h"

typedef struct RtMetrics RtMetrics;
/* Opens path for writing at its start, or behind what it holds if append. "-" is not special. */
RtStatus metrics_open(const char *path, bool append, RtMetrics **m, RtError *err);
/* Writes to a stream that stays the caller's; name stands for it in messages. */
RtStatus metrics_attach(FILE *stream, const char *name, RtMetrics **m, RtError *err);
void metrics_begin(RtMetrics *m, const char *event); /* starts {"event":"..." */
/* NULL as null; bad UTF-8 as U+FFFD */
void metrics_string(RtMetrics *m, const char *key, const char *value);
void metrics_int(RtMetrics *m, const char *key, int64_t value);
/* shortest exact; NaN and infinity as null */
void metrics_real(RtMetrics *m, const char *key, double value);
void metrics_bool(RtMetrics *m, const char *key, bool value);
/* A nested object: fields until metrics_close belong to it. At most 8 deep. */
void metrics_nest(RtMetrics *m, const char *key);
void metrics_close(RtMetrics *m);
/* Ends the line, writes and flushes it. */
RtStatus metrics_end(RtMetrics *m, RtError *err);
/* Closes (a path) or only flushes (a stream), frees m; reports what could not be written. NULL is
 * allowed. */
RtStatus metrics_finish(RtMetrics *m, RtError *err);
#endif
