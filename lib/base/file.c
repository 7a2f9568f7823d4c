#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_READ = 16 * 1024, TEMP_NAMES = 100 };

/* strerror() shares a buffer between threads. */
static const char *reason(int err)
{
	const char *text = strerrordesc_np(err);

	return text != NULL ? text : "unknown error";
}

static enum err open_source(const char *path, int *fd, size_t *size, struct err_note *note)
{
	struct stat st;

	*fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0 || fstat(*fd, &st) != 0)
		return err_note_set(note, ERR_FILE_UNREADABLE, NULL, "%s: %s", path, reason(errno));
	if (S_ISDIR(st.st_mode))
		return err_note_set(note, ERR_FILE_UNREADABLE, NULL, "%s: is a directory", path);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return err_note_set(note, ERR_FILE_UNREADABLE, NULL, "%s: not a regular file or pipe", path);
	*size = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;
	return ERR_OK;
}

/* Reads at most cap bytes. */
static int read_some(int fd, uint8_t *p, size_t cap, size_t *len)
{
	while (*len < cap) {
		ssize_t n = read(fd, p + *len, cap - *len);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			*len += (size_t)n;
	}
	return 0;
}

/* One byte more than fits is asked for, so that the end is seen and a file that grows is noticed. */
static enum err read_all(struct arena *a, int fd, size_t cap, size_t max, struct span *out, int *sys)
{
	uint8_t *p = arena_alloc(a, cap), *q;
	size_t len = 0;

	for (;;) {
		if (p == NULL)
			return ERR_BUDGET;
		*sys = read_some(fd, p, cap, &len);
		if (*sys != 0)
			return ERR_FILE_UNREADABLE;
		if (len > max)
			return ERR_TOO_LARGE;
		if (len < cap)
			break;
		cap = cap > max / 2 ? max + 1 : cap * 2;
		q = arena_alloc(a, cap);
		if (q != NULL)
			memcpy(q, p, len);
		p = q;
	}
	*out = span_of(p, len);
	return ERR_OK;
}

enum err file_read(struct arena *a, const char *path, size_t max, struct span *out, struct err_note *note)
{
	size_t size = 0, cap;
	int fd = -1, sys = 0;
	enum err e = open_source(path, &fd, &size, note);

	if (e != ERR_OK)
		goto out;
	if (max == SIZE_MAX)
		max--;
	cap = size != 0 ? size + 1 : FIRST_READ;
	if (cap > max + 1)
		cap = max + 1;
	e = size > max ? ERR_TOO_LARGE : read_all(a, fd, cap, max, out, &sys);
	if (e == ERR_FILE_UNREADABLE)
		err_note_set(note, e, NULL, "%s: %s", path, reason(sys));
	else if (e == ERR_TOO_LARGE)
		err_note_set(note, e, NULL, "%s: larger than %zu bytes", path, max);
	else if (e != ERR_OK)
		err_note_set(note, e, NULL, NULL);
out:
	if (fd >= 0)
		close(fd);
	return e;
}

static int write_all(int fd, struct span data)
{
	size_t done = 0;

	while (done < data.len) {
		ssize_t n = write(fd, data.ptr + done, data.len - done);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* Devices and pipes are written in place: renaming over them would replace /dev/null by a file. */
static int write_in_place(const char *path, struct span data)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int sys;

	if (fd < 0)
		return errno;
	sys = write_all(fd, data);
	if (close(fd) != 0 && sys == 0)
		sys = errno;
	return sys;
}

/* A new file beside `path`; its name is written to temp, which holds size bytes. */
static int open_temp(const char *path, unsigned mode, char *temp, size_t size)
{
	int fd = -1;

	errno = EEXIST;
	for (int i = 0; i < TEMP_NAMES && fd < 0 && errno == EEXIST; i++) {
		snprintf(temp, size, "%s.%ld-%d.tmp", path, (long)gettid(), i);
		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
	}
	return fd;
}

/* The rename is not on disk before its folder is. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd = dir != NULL ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int sys = fd < 0 || fsync(fd) != 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	free(dir);
	/* Some file systems cannot sync a folder; the file itself is safe. */
	return sys == EINVAL || sys == EACCES ? 0 : sys;
}

static int replace(const char *path, struct span data, unsigned mode)
{
	size_t size = strlen(path) + 48;
	char *temp = malloc(size);
	int fd, sys;

	if (temp == NULL)
		return ENOMEM;
	fd = open_temp(path, mode, temp, size);
	if (fd < 0) {
		sys = errno;
		goto out;
	}
	sys = write_all(fd, data);
	if (sys == 0 && fsync(fd) != 0)
		sys = errno;
	if (close(fd) != 0 && sys == 0)
		sys = errno;
	if (sys == 0 && rename(temp, path) != 0)
		sys = errno;
	if (sys != 0)
		unlink(temp);
	else
		sys = sync_folder(path);
out:
	free(temp);
	return sys;
}

enum err file_write(const char *path, struct span data, unsigned mode, struct err_note *note)
{
	/* A link stays, and what it points at is replaced. */
	char *real = realpath(path, NULL);
	const char *target = real != NULL ? real : path;
	struct stat st;
	int sys;

	if (real != NULL && stat(real, &st) == 0 && !S_ISREG(st.st_mode))
		sys = S_ISDIR(st.st_mode) ? EISDIR : write_in_place(real, data);
	else
		sys = replace(target, data, mode);
	free(real);
	if (sys != 0)
		return err_note_set(note, ERR_FILE_UNWRITABLE, NULL, "%s: %s", path, reason(sys));
	return ERR_OK;
}
