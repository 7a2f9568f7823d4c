/*
 * SQLite's log (WAL) put back into the file, by a thread of its own beside the connection that writes: what SQLite does
 * within the commit that makes the log too long, while everybody who writes waits for two flushes and the copying.
 *
 * A log is begun anew only when all of it was put back and nothing was added meanwhile. Under steady load the thread
 * never gets there, so that once the log is very long the writer itself puts back the little that is left.
 */
#ifndef YZ_STORE_SQLITE_LOG_H
#define YZ_STORE_SQLITE_LOG_H

#include "base/err.h"

#include <sqlite3.h>

enum {
	LOG_PART = 1000, /* pages after which the thread is woken; SQLite's own measure */
	LOG_MOST =
	    8250 /* pages after which the writer does it: 34 MB. A little more than some parts: so little is then left */
};

struct sqlite_log;

/* For the one connection that writes the database at `where`; the thread begins when it is needed. The connection
 * must be closed after sqlite_log_free(), which may be given NULL. ERR_NO_MEMORY. */
enum err sqlite_log_new(const char *where, sqlite3 *writer, struct sqlite_log **out) MUST_CHECK;
void sqlite_log_free(struct sqlite_log *l);

#endif
