/*
 * A disk that fails, put below a program by LD_PRELOAD: some writes are cut short, find no space or an input/output
 * error, and some fsyncs fail. Only files under YZ_FAULT_DIR are met, each call with a probability of
 * 1 / YZ_FAULT_ONE_IN, from the moment on that the file YZ_FAULT_DIR/faults exists.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum fault { NONE, SHORT, NO_SPACE, IO_ERROR, FAULTS };

ssize_t pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);
ssize_t write(int fd, const void *p, size_t n);
int fsync(int fd);
int fdatasync(int fd);

static atomic_uint_fast64_t state;

static uint64_t next_random(void)
{
	uint64_t x = atomic_fetch_add(&state, 0x9e3779b97f4a7c15u);

	if (x == 0) {
		struct timespec t;
		clock_gettime(CLOCK_MONOTONIC, &t);
		atomic_fetch_add(&state, (uint64_t)t.tv_nsec * 2654435761u);
	}
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* The store's files alone: its log and configuration stand beside it, and are not what is on trial. */
static int is_store(int fd, const char *dir)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return 0;
	path[n] = '\0';
	return strncmp(path, dir, strlen(dir)) == 0 && strstr(path, "/store.db") != NULL;
}

static enum fault draw(int fd)
{
	const char *dir = getenv("YZ_FAULT_DIR"), *one_in = getenv("YZ_FAULT_ONE_IN");
	char flag[PATH_MAX];
	int saved = errno;
	enum fault f = NONE;

	if (dir != NULL && one_in != NULL && next_random() % (uint64_t)(atoi(one_in) > 0 ? atoi(one_in) : 1) == 0) {
		snprintf(flag, sizeof(flag), "%s/faults", dir);
		if (access(flag, F_OK) == 0 && is_store(fd, dir))
			f = (enum fault)(SHORT + next_random() % (FAULTS - SHORT));
	}
	errno = saved;
	return f;
}

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* How much of n is to be written; -1 with errno. */
static ssize_t allowed(int fd, size_t n)
{
	switch (draw(fd)) {
	case SHORT:
		return (ssize_t)(n / 2);
	case NO_SPACE:
		errno = ENOSPC;
		return -1;
	case IO_ERROR:
		errno = EIO;
		return -1;
	default:
		return (ssize_t)n;
	}
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	ssize_t (*fn)(int, const void *, size_t, off64_t);
	ssize_t m = allowed(fd, n);

	*(void **)&fn = real("pwrite64");
	return m < 0 ? m : fn(fd, p, (size_t)m, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return pwrite64(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
	ssize_t (*fn)(int, const void *, size_t);
	ssize_t m = allowed(fd, n);

	*(void **)&fn = real("write");
	return m < 0 ? m : fn(fd, p, (size_t)m);
}

static int sync_call(int fd, const char *name)
{
	int (*fn)(int);

	*(void **)&fn = real(name);
	if (draw(fd) != NONE) {
		errno = EIO;
		return -1;
	}
	return fn(fd);
}

int fsync(int fd)
{
	return sync_call(fd, "fsync");
}

int fdatasync(int fd)
{
	return sync_call(fd, "fdatasync");
}
