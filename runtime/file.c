/* file.c — whole files in, whole files out. Invariant of writing: the name given by the user refers
 * at every moment to the complete old content or to the complete new content. */
#include "runtime/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static RtStatus check_readable(int fd, const char *path, size_t limit, struct stat *st,
                               RtError *err)
{
	if (fstat(fd, st) != 0) {
		return rt_fail_errno(err, RT_E_READ, path, errno, "cannot read");
	}
	if (S_ISDIR(st->st_mode)) {
		return rt_fail(err, RT_E_READ, path, NULL, "is a folder, not a file");
	}
	if (!S_ISREG(st->st_mode)) {
		return rt_fail(err, RT_E_READ, path, NULL, "is a pipe or a device, not a file");
	}
	if (limit > 0 && (uintmax_t)st->st_size > limit) {
		return rt_fail(err, RT_E_LIMIT, path, NULL, "has %jd bytes, more than the limit of %zu",
		               (intmax_t)st->st_size, limit);
	}
	return RT_OK;
}

/* Reads to the end rather than to the size that fstat told: the file may shrink or grow meanwhile.
 * */
static RtStatus read_all(int fd, const char *path, size_t limit, size_t expected, char **bytes,
                         size_t *n, RtError *err)
{
	size_t room = expected + 2 > expected ? expected + 2 : expected, used = 0;
	char *data = malloc(room);
	while (data) {
		ssize_t got = read(fd, data + used, room - used - 1);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			int code = errno;
			free(data);
			return rt_fail_errno(err, RT_E_READ, path, code, "cannot read");
		}
		if (got == 0) {
			data[used] = 0;
			*bytes = data;
			*n = used;
			return RT_OK;
		}
		used += (size_t)got;
		if (limit > 0 && used > limit) {
			free(data);
			return rt_fail(err, RT_E_LIMIT, path, NULL, "has more bytes than the limit of %zu",
			               limit);
		}
		if (used + 1 == room && !rt_grow((void **)&data, &room, room + 1, 1)) {
			break;
		}
	}
	free(data);
	return rt_fail(err, RT_E_MEMORY, path, NULL, "not enough memory to read it");
}

RtStatus rt_file_read(const char *path, size_t limit, char **bytes, size_t *n, RtError *err)
{
	struct stat st;
	*bytes = NULL;
	*n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would wait here else */
	if (fd < 0) {
		return rt_fail_errno(err, RT_E_READ, path, errno, "cannot open");
	}
	RtStatus status = check_readable(fd, path, limit, &st, err);
	if (status == RT_OK) {
		status = read_all(fd, path, limit, (size_t)st.st_size, bytes, n, err);
	}
	(void)close(fd);
	return status;
}

struct RtFile {
	char *target;    /* what is replaced; NULL if a device is written to directly */
	char *temporary;
	char *path;      /* as the user wrote it, for messages */
	FILE *stream;
	int fd;
	int code;        /* errno of the first failed write, or 0 */
};

static ssize_t cookie_write(void *cookie, const char *bytes, size_t n)
{
	RtFile *f = cookie;
	size_t done = 0;
	while (done < n && f->code == 0) {
		ssize_t got = write(f->fd, bytes + done, n - done);
		if (got >= 0) {
			done += (size_t)got;
		} else if (errno != EINTR) {
			f->code = errno;
		}
	}
	return f->code ? 0 : (ssize_t)n;
}

static void free_file(RtFile *f)
{
	free(f->target);
	free(f->temporary);
	free(f->path);
	free(f);
}

/* The folder part of path with its slash, or "". */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A new file in the folder of the target, by a name of this process that is not taken. */
static int open_temporary(RtFile *f)
{
	size_t folder = folder_length(f->target), room = folder + 64;
	f->temporary = malloc(room);
	if (!f->temporary) {
		return ENOMEM;
	}
	for (int k = 0; k < 1000; k++) {
		(void)snprintf(f->temporary, room, "%.*s.%ld-%d.tmp", (int)folder, f->target,
		               (long)getpid(), k);
		f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (f->fd >= 0 || errno != EEXIST) {
			break;
		}
	}
	return f->fd >= 0 ? 0 : errno;
}

/* Decides what path means: a new file, a file to be replaced (through links), or a device. */
static int open_target(RtFile *f, const char *path)
{
	struct stat st;
	bool exists = stat(path, &st) == 0;
	if (exists && S_ISDIR(st.st_mode)) {
		return EISDIR;
	}
	if (exists && !S_ISREG(st.st_mode)) {
		f->fd = open(path, O_WRONLY | O_CLOEXEC);
		return f->fd >= 0 ? 0 : errno;
	}
	if (!exists && errno != ENOENT) {
		return errno;
	}
	if (folder_length(path) > INT_MAX) {
		return ENAMETOOLONG;
	}
	if (exists && access(path, W_OK) != 0) {
		return errno;
	}
	f->target = exists ? realpath(path, NULL) : strdup(path);
	if (!f->target) {
		return errno;
	}
	int code = open_temporary(f);
	if (code == 0 && exists) {
		(void)fchmod(f->fd, st.st_mode & 07777); /* the same readers as before, if allowed */
	}
	return code;
}

RtStatus rt_file_begin(const char *path, RtFile **file, RtError *err)
{
	*file = NULL;
	RtFile *f = calloc(1, sizeof *f);
	if (!f || !(f->path = strdup(path))) {
		free(f);
		return rt_fail(err, RT_E_MEMORY, path, NULL, "not enough memory to write it");
	}
	f->fd = -1;
	int code = open_target(f, path);
	if (code == 0) {
		cookie_io_functions_t io = {.write = cookie_write};
		f->stream = fopencookie(f, "w", io);
		code = f->stream ? 0 : ENOMEM;
	}
	if (code != 0) {
		rt_file_abort(f);
		return rt_fail_errno(err, RT_E_WRITE, path, code, "cannot write");
	}
	*file = f;
	return RT_OK;
}

FILE *rt_file_stream(RtFile *file)
{
	return file->stream;
}

/* A rename is durable only when the folder is. Some file systems cannot sync a folder, which is no
 * error. */
static int sync_folder(const char *target)
{
	size_t folder = folder_length(target);
	char *name = folder > 0 ? strndup(target, folder) : strdup(".");
	int fd = name ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, code = 0;
	free(name);
	if (fd < 0) {
		return 0;
	}
	if (fsync(fd) != 0 && errno == EIO) {
		code = EIO;
	}
	(void)close(fd);
	return code;
}

static int finish_write(RtFile *f)
{
	bool flushed = fflush(f->stream) == 0 && !ferror(f->stream);
	(void)fclose(f->stream);
	f->stream = NULL;
	if (f->code != 0 || !flushed) {
		return f->code ? f->code : EIO;
	}
	if (fsync(f->fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) {
		return errno;
	}
	int closed = close(f->fd) == 0 || errno == EINTR ? 0 : errno;
	f->fd = -1;
	if (closed != 0 || !f->target) {
		return closed;
	}
	if (rename(f->temporary, f->target) != 0) {
		return errno;
	}
	free(f->temporary); /* it is the target now: nothing is left to remove */
	f->temporary = NULL;
	return sync_folder(f->target);
}

RtStatus rt_file_commit(RtFile *f, RtError *err)
{
	int code = finish_write(f);
	RtStatus status = RT_OK;
	if (code != 0) {
		status = rt_fail_errno(err, RT_E_WRITE, f->path, code, "cannot write");
	}
	rt_file_abort(f);
	return status;
}

void rt_file_abort(RtFile *f)
{
	if (!f) {
		return;
	}
	if (f->stream) {
		f->code = f->code ? f->code : ECANCELED; /* nothing buffered need be written any more */
		(void)fclose(f->stream);
	}
	if (f->fd >= 0) {
		(void)close(f->fd);
	}
	if (f->temporary) {
		(void)unlink(f->temporary);
	}
	free_file(f);
}

RtStatus rt_file_write(const char *path, const void *bytes, size_t n, RtError *err)
{
	RtFile *file;
	RtStatus status = rt_file_begin(path, &file, err);
	if (status != RT_OK) {
		return status;
	}
	(void)fwrite(bytes, 1, n, rt_file_stream(file));
	return rt_file_commit(file, err);
}
