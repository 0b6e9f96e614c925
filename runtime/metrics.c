/* metrics.c — JSON lines. A line is built in memory and written with one call, so a reader that
 * follows the file never sees half of one. */
#include "runtime/metrics.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "runtime/number.h"
#include "runtime/utf8.h"

enum { DEEPEST = 8 };

struct RtMetrics {
	char *name;
	FILE *stream;    /* the caller's, or NULL: then fd */
	int fd;
	char *line;
	size_t used, room;
	unsigned depth;  /* open nested objects */
	bool first[DEEPEST + 1]; /* no field yet at this depth */
	bool no_memory;
	int code;        /* errno of the first failed write */
};

static void put(RtMetrics *m, const char *text, size_t n)
{
	if (!rt_grow((void **)&m->line, &m->room, m->used + n + 1, 1)) {
		m->no_memory = true;
		return;
	}
	memcpy(m->line + m->used, text, n);
	m->used += n;
}

static void put_text(RtMetrics *m, const char *text)
{
	put(m, text, strlen(text));
}

static void put_quoted(RtMetrics *m, const char *text)
{
	size_t n = strlen(text);
	put(m, "\"", 1);
	for (size_t i = 0; i < n;) {
		size_t step = rt_utf8_step(text + i, n - i);
		unsigned char c = (unsigned char)text[i];
		if (step == 0) {
			put_text(m, "\xef\xbf\xbd");
			step = 1;
		} else if (c == '"' || c == '\\') {
			put(m, "\\", 1);
			put(m, text + i, 1);
		} else if (c < 0x20 || c == 0x7f) {
			char escape[8];
			(void)snprintf(escape, sizeof escape, "\\u%04x", c);
			put_text(m, escape);
		} else {
			put(m, text + i, step);
		}
		i += step;
	}
	put(m, "\"", 1);
}

static void put_key(RtMetrics *m, const char *key)
{
	if (!m->first[m->depth]) {
		put(m, ",", 1);
	}
	m->first[m->depth] = false;
	put_quoted(m, key);
	put(m, ":", 1);
}

static RtMetrics *create(const char *name)
{
	RtMetrics *m = calloc(1, sizeof *m);
	if (m && !(m->name = strdup(name))) {
		free(m);
		m = NULL;
	}
	if (m) {
		m->fd = -1;
	}
	return m;
}

RtStatus metrics_open(const char *path, bool append, RtMetrics **out, RtError *err)
{
	RtMetrics *m = create(path);
	*out = NULL;
	if (!m) {
		return rt_fail(err, RT_E_MEMORY, path, NULL, "not enough memory to write it");
	}
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (append ? 0 : O_TRUNC);
	m->fd = open(path, flags, 0666);
	if (m->fd < 0) {
		RtStatus status = rt_fail_errno(err, RT_E_WRITE, path, errno, "cannot write");
		free(m->name);
		free(m);
		return status;
	}
	*out = m;
	return RT_OK;
}

RtStatus metrics_attach(FILE *stream, const char *name, RtMetrics **out, RtError *err)
{
	RtMetrics *m = create(name);
	*out = m;
	if (!m) {
		return rt_fail(err, RT_E_MEMORY, name, NULL, "not enough memory to write it");
	}
	m->stream = stream;
	return RT_OK;
}

void metrics_begin(RtMetrics *m, const char *event)
{
	m->used = 0;
	m->depth = 0;
	m->first[0] = true;
	put(m, "{", 1);
	metrics_string(m, "event", event);
}

void metrics_string(RtMetrics *m, const char *key, const char *value)
{
	put_key(m, key);
	if (value) {
		put_quoted(m, value);
	} else {
		put_text(m, "null");
	}
}

void metrics_int(RtMetrics *m, const char *key, int64_t value)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%lld", (long long)value);
	put_key(m, key);
	put_text(m, text);
}

void metrics_real(RtMetrics *m, const char *key, double value)
{
	char text[RT_REAL_TEXT];
	put_key(m, key);
	put_text(m, isfinite(value) ? rt_real_text(value, text) : "null");
}

void metrics_bool(RtMetrics *m, const char *key, bool value)
{
	put_key(m, key);
	put_text(m, value ? "true" : "false");
}

void metrics_nest(RtMetrics *m, const char *key)
{
	assert(m->depth < DEEPEST);
	put_key(m, key);
	put(m, "{", 1);
	m->first[++m->depth] = true;
}

void metrics_close(RtMetrics *m)
{
	if (m->depth > 0) {
		put(m, "}", 1);
		m->depth--;
	}
}

static void write_line(RtMetrics *m)
{
	if (m->stream) {
		bool good = fwrite(m->line, 1, m->used, m->stream) == m->used && fflush(m->stream) == 0;
		m->code = m->code || good ? m->code : errno ? errno : EIO;
		return;
	}
	for (size_t done = 0; done < m->used && m->code == 0;) {
		ssize_t got = write(m->fd, m->line + done, m->used - done);
		if (got >= 0) {
			done += (size_t)got;
		} else if (errno != EINTR) {
			m->code = errno;
		}
	}
}

static RtStatus report(const RtMetrics *m, RtError *err)
{
	if (m->code != 0) {
		return rt_fail_errno(err, RT_E_WRITE, m->name, m->code, "cannot write");
	}
	if (m->no_memory) {
		return rt_fail(err, RT_E_MEMORY, m->name, NULL, "not enough memory for a line of metrics");
	}
	return RT_OK;
}

RtStatus metrics_end(RtMetrics *m, RtError *err)
{
	while (m->depth > 0) {
		metrics_close(m);
	}
	put(m, "}\n", 2);
	if (!m->no_memory && m->code == 0) {
		write_line(m);
	}
	m->used = 0;
	return report(m, err);
}

RtStatus metrics_finish(RtMetrics *m, RtError *err)
{
	if (!m) {
		return RT_OK;
	}
	if (m->fd >= 0 && close(m->fd) != 0 && m->code == 0) {
		m->code = errno;
	}
	RtStatus status = report(m, err);
	free(m->name);
	free(m->line);
	free(m);
	return status;
}
