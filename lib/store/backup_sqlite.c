/* Copies of a SQLite store, page by page out of one snapshot, while others write. */
#include "store/backup.h"
#include "store/driver.h"
#include "store/sqlite_log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_PAGES = 2048, APPLICATION = 0x595a5354, PATH_ROOM = 16 };

static enum err refuse(struct err_note *note, enum err e, const char *what, const char *path)
{
	return err_note_set(note, e, NULL, "%s: %.150s", what, path);
}

static enum err of_sqlite(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return ERR_OK;
	case SQLITE_FULL:
		return ERR_STORE_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_STORE_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_STORE_CORRUPT;
	case SQLITE_NOMEM:
		return ERR_NO_MEMORY;
	case SQLITE_IOERR:
		return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_STORE_FULL : ERR_STORE_IO;
	default:
		return ERR_STORE_IO;
	}
}

static int first_number(void *arg, int n, char **values, char **names)
{
	*(long long *)arg = n > 0 && values[0] != NULL ? strtoll(values[0], NULL, 10) : 0;
	return 0;
}

/* The read transaction stays open: what is copied is what the store was at this moment. */
static enum err open_source(const char *path, sqlite3 **out, struct err_note *note)
{
	long long application = 0;
	int rc = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_CANTOPEN)
		return refuse(note, ERR_STORE_NOT_INIT, "There is no store", path);
	sqlite3_busy_timeout(*out, 3000);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*out, "PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; BEGIN", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*out, "PRAGMA application_id", first_number, &application, NULL);
	if (rc != SQLITE_OK)
		return refuse(note, of_sqlite(rc), "The store cannot be read", path);
	if (application != APPLICATION)
		return refuse(note, ERR_STORE_CORRUPT, "This is no store of ours", path);
	return ERR_OK;
}

static enum err copy_pages(sqlite3 *from, sqlite3 *to, struct store_watch watch)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK;

	if (b == NULL)
		return of_sqlite(sqlite3_errcode(to));
	while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
		errno = 0;
		rc = sqlite3_backup_step(b, STEP_PAGES);
		if (watch.progress != NULL) {
			uint64_t total = (uint64_t)sqlite3_backup_pagecount(b);
			watch.progress(watch.arg, total - (uint64_t)sqlite3_backup_remaining(b), total);
		}
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
			sqlite3_sleep(20);
	}
	enum err e = of_sqlite(rc);
	int end = sqlite3_backup_finish(b);
	return e == ERR_OK ? of_sqlite(end) : e;
}

/* Out of the log's mode first, so that the mark is in the file itself; store_open() puts it back. */
static const char mark[] = "PRAGMA journal_mode=OFF; CREATE TABLE IF NOT EXISTS " DB_COPY_MARK " (x)";

static enum err copy_into(const char *from_path, const char *to_path, const char *then, struct store_watch watch,
                          struct err_note *note)
{
	sqlite3 *from = NULL, *to = NULL;
	enum err e = open_source(from_path, &from, note);

	if (e != ERR_OK)
		goto out;
	e = of_sqlite(sqlite3_open_v2(to_path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	/* Without a journal of its own: a copy that was not finished is thrown away. */
	if (e == ERR_OK)
		e = of_sqlite(sqlite3_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL));
	if (e == ERR_OK)
		e = copy_pages(from, to, watch);
	if (e == ERR_OK && then != NULL)
		e = of_sqlite(sqlite3_exec(to, then, NULL, NULL, NULL));
	if (e != ERR_OK)
		e = refuse(note, e, "The copy cannot be written", to_path);
out:
	sqlite3_close(to);
	sqlite3_close(from);
	return e;
}

static enum err sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	enum err e = fd >= 0 && fsync(fd) == 0 ? ERR_OK : ERR_STORE_IO;

	if (fd >= 0)
		close(fd);
	return e;
}

static enum err sync_both(const char *file)
{
	char *copy = strdup(file);
	enum err e = copy != NULL ? sync_path(file, O_RDONLY) : ERR_NO_MEMORY;

	if (e == ERR_OK)
		e = sync_path(dirname(copy), O_RDONLY | O_DIRECTORY);
	free(copy);
	return e;
}

static void remove_draft(const char *draft)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char path[4096 + PATH_ROOM];

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (snprintf(path, sizeof(path), "%s%s", draft, tails[i]) < (int)sizeof(path))
			unlink(path);
}

/* Under another name until it is whole and on disk; link() so that a file that came meanwhile is not replaced. */
static enum err copy_store(const char *from, const char *to, const char *then, struct store_watch watch,
                           struct err_note *note)
{
	char draft[4096];
	int fd;
	enum err e;

	if (access(to, F_OK) == 0)
		return refuse(note, ERR_ALREADY_EXISTS, "There is a file already", to);
	if (snprintf(draft, sizeof(draft), "%s.part", to) >= (int)sizeof(draft))
		return refuse(note, ERR_FILE_UNWRITABLE, "The path is too long", to);
	remove_draft(draft);
	fd = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return refuse(note, ERR_FILE_UNWRITABLE, strerror(errno), draft);
	close(fd);
	e = copy_into(from, draft, then, watch, note);
	if (e == ERR_OK && sync_path(draft, O_RDONLY) != ERR_OK)
		e = refuse(note, ERR_FILE_UNWRITABLE, strerror(errno), draft);
	if (e == ERR_OK && link(draft, to) != 0)
		e = refuse(note, errno == EEXIST ? ERR_ALREADY_EXISTS : ERR_FILE_UNWRITABLE, strerror(errno), to);
	remove_draft(draft);
	if (e == ERR_OK && sync_both(to) != ERR_OK)
		e = refuse(note, ERR_FILE_UNWRITABLE, strerror(errno), to);
	return e;
}

enum err backup_sqlite(const char *where, const char *path, struct store_watch watch, struct err_note *note)
{
	return copy_store(where, path, NULL, watch, note);
}

enum err restore_sqlite(const char *where, const char *path, struct store_watch watch, struct err_note *note)
{
	if (access(where, F_OK) != 0 && sqlite_log_left(where))
		return err_note_set(note, ERR_ALREADY_EXISTS, NULL, SQLITE_LOG_LEFT, where);
	return copy_store(path, where, mark, watch, note);
}
