/*
 * SQLite's log (WAL) put back into the file, by a thread of its own beside the connection that writes: what SQLite does
 * within the commit that makes the log too long, while everybody who writes waits for two flushes and the copying.
 *
 * A log is begun anew only when all of it was put back and nothing was added meanwhile. Under steady load the thread
 * never gets there, so that once the log is very long the writer itself puts back the little that is left.
 *
 * SQLite before 3.51.3 (and 3.50.7, 3.44.6) can lose commits when a log is begun anew while somebody else is about to
 * put it back ("WAL-reset bug", sqlite.org/wal.html): he then marks as put back what is not. So only one side puts back
 * at a time, and the thread begins only after a commit that was not put back yet: until it has ended, the log cannot be
 * begun anew. Another process does not take part: a command beside a running server puts nothing back unless it adds
 * more than LOG_PART pages, which none does.
 */
#ifndef YZ_STORE_SQLITE_LOG_H
#define YZ_STORE_SQLITE_LOG_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>

/* A log that lies here while its store is missing or empty (moved away without it): what is put here would be mixed
 * with what it holds, or take that with it. */
bool sqlite_log_left(const char *where);
#define SQLITE_LOG_LEFT "The log of a store that is gone lies here: %.150s-wal. Move it to its store, or away."

/* In pages. The thread is woken after each part (SQLite's own measure). A few parts and a little make 34 MB; by then
 * the last part was just put back, and little is left to the writer. */
enum { LOG_PART = 1000, LOG_MOST = 8 * LOG_PART + LOG_PART / 4 };

struct sqlite_log;

/* For the one connection that writes the database at `where`; the thread begins when it is needed. The connection
 * must be closed after sqlite_log_free(), which may be given NULL. ERR_NO_MEMORY. */
enum err sqlite_log_new(const char *where, sqlite3 *writer, struct sqlite_log **out) MUST_CHECK;
void sqlite_log_free(struct sqlite_log *l);

#endif
