/*
 * A file beside the store that is locked as long as somebody serves the store. The kernel frees the lock when its
 * holder ends, however it ends; the file may stay, and says nothing by being there.
 *
 * The lock is one of flock(2), on a file of its own: of fcntl(2)'s a process loses all that it has on a file with
 * whatever descriptor of that file it closes, and on the database's own file SQLite has such locks.
 */
#include "store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_HERE = PATH_MAX + 16, PID_TEXT = 16 };

struct store_claim {
	int fd;
};

static enum err unusable(struct err_note *note, const char *file, int why)
{
	return err_note_set(note, why == ENOSPC || why == EDQUOT ? ERR_STORE_FULL : ERR_FILE_UNWRITABLE, NULL,
	                    "The store's lock file cannot be used: %s: %.120s", strerror(why), file);
}

/* One name for one store: SQLite, too, has its log beside the file that links lead to. Where there is no store yet, it
 * is the folder's that counts. */
static bool real_name(const char *where, char out[PATH_MAX])
{
	char folder[PATH_MAX], first[PATH_MAX], second[PATH_MAX];

	if (realpath(where, out) != NULL)
		return true;
	if (errno != ENOENT || snprintf(first, sizeof(first), "%s", where) >= (int)sizeof(first))
		return false;
	strcpy(second, first);
	if (realpath(dirname(first), folder) == NULL)
		return false;
	errno = ENAMETOOLONG;
	return snprintf(out, PATH_MAX, "%s/%s", folder, basename(second)) < PATH_MAX;
}

/* Made by root it would stand in the way of the service's own user, who may have the store: it is given to whom the
 * store belongs, or the folder, as SQLite does with what it puts beside a database. */
static void give_to_owner(int fd, const char *store)
{
	char copy[PATH_MAX];
	struct stat st;

	if (geteuid() != 0)
		return;
	strcpy(copy, store);
	if (stat(store, &st) == 0 || stat(dirname(copy), &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

static enum err open_file(const char *file, int *out, struct err_note *note)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return unusable(note, file, errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		close(fd);
		return err_note_set(note, ERR_FILE_UNWRITABLE, NULL, "The store's lock file is not a file of its own: %.120s",
		                    file);
	}
	*out = fd;
	return ERR_OK;
}

/* Whose it is, as the file says: 0 when it says nothing that could be so. */
static long holder_of(int fd)
{
	char text[PID_TEXT] = {0}, *end;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, &end, 10) : 0;

	if (pid <= 0 || pid > INT_MAX || *end != '\n' || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))
		return 0;
	return pid;
}

static enum err refuse(struct err_note *note, long holder, const char *store)
{
	char who[PID_TEXT + 8] = "Another process";

	if (holder != 0)
		snprintf(who, sizeof(who), "Process %ld", holder);
	return err_note_set(note, ERR_STORE_SERVED, NULL,
	                    "%s serves or restores this store: %.100s. Stop it first; several servers need PostgreSQL.",
	                    who, store);
}

/* For people alone: that a full disk has no room for it is no reason not to serve. */
static void write_holder(int fd)
{
	char text[PID_TEXT];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
}

enum err claim_file(const char *where, struct store_claim **out, struct err_note *note)
{
	char store[PATH_MAX], file[NAME_MAX_HERE];
	struct store_claim *c;
	int fd = -1;
	enum err e;

	if (!real_name(where, store))
		return unusable(note, where, errno);
	snprintf(file, sizeof(file), "%s-server", store);
	if ((e = open_file(file, &fd, note)) != ERR_OK)
		return e;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		e = errno == EWOULDBLOCK ? refuse(note, holder_of(fd), store) : unusable(note, file, errno);
		goto fail;
	}
	if ((c = malloc(sizeof(*c))) == NULL) {
		e = ERR_NO_MEMORY;
		goto fail;
	}
	give_to_owner(fd, store);
	write_holder(fd);
	c->fd = fd;
	*out = c;
	return ERR_OK;
fail:
	close(fd);
	return e;
}

void store_unclaim(struct store_claim *c)
{
	if (c == NULL)
		return;
	close(c->fd);
	free(c);
}
