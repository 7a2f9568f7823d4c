/*
 * What the store asks of a database. One row of functions per database: SQLite in driver_sqlite.c.
 *
 *  - Queries are written once, in SQL that SQLite and PostgreSQL both take: parameters are $1, $2, … in this order,
 *    upserts say ON CONFLICT, and no function or pragma of one database stands in them. DDL and locking are the
 *    driver's own.
 *  - A connection is used by one thread at a time.
 *  - A shared database has several writers at once, of several processes, and may go away and come back: a connection
 *    that was lost is made anew by begin().
 *  - Every failure comes back as one of ERR_ALREADY_EXISTS (a unique key), ERR_STORE_BUSY, ERR_STORE_FULL,
 *    ERR_STORE_IO, ERR_STORE_CORRUPT, ERR_TOO_LARGE, ERR_NO_MEMORY, ERR_INTERNAL (a wrong query, another constraint);
 * commit() may also say ERR_STORE_UNSURE.
 *  - After a failure the database may have ended the whole transaction by itself: ask in_transaction().
 */
#ifndef YZ_STORE_DRIVER_H
#define YZ_STORE_DRIVER_H

#include "base/err.h"
#include "base/span.h"
#include "store/backup.h"

enum db_use {
	DB_READ,
	DB_LOOK, /* of a shared database: to read, each statement at its own moment */
	DB_WRITE,
	DB_SERIAL /* of a shared database: as if alone; a refusal by a unique key does not end the transaction */
};
enum db_contents { DB_EMPTY, DB_OURS, DB_FOREIGN };

/* A table that is there from before a copy is in the store's place until its open codes were cancelled; see
 * store_restore(). To contents() it is nothing. */
#define DB_COPY_MARK "copy_in_place"

enum { DB_WRITER_ID = 16 };
/* What a statement must do that nobody waits for; else the transaction fails with ERR_STORE_CHANGED. */
enum db_expect { DB_ANY, DB_FOUND, DB_CHANGED };
/* What kind of failure the last one was: DB_CONFLICT and DB_LOST (the connection) are worth another attempt. */
enum db_fault { DB_FINE, DB_CONFLICT, DB_LOST };

struct db_driver;
struct db_counts { /* of all connections together */
	_Atomic uint64_t connects;
};
struct db { /* a connection; the driver's own struct begins with it */
	const struct db_driver *driver;
	struct db_counts *counts; /* NULL: nobody counts */
};
struct db_stmt;

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB };
struct db_value {
	enum db_type type;
	int64_t num;
	struct span bytes; /* of text or blob; must live until finish() */
};

struct db_migration {
	int64_t to;
	const char *sql; /* NULL: the end */
};

struct db_driver {
	bool shared;
	const struct db_migration *migrations; /* in order; those to versions above the database's are run */

	/* Make the database if it is not there, and connect to it. What it holds is not looked at. */
	enum err (*create)(const char *where, struct db **out, struct err_note *note);
	/* ERR_STORE_NOT_INIT when missing or empty, ERR_STORE_CORRUPT when it is something else. */
	enum err (*open)(const char *where, enum db_use use, struct db **out, struct err_note *note);
	void (*close)(struct db *db);
	enum err (*contents)(struct db *db, enum db_contents *out);

	/* A write transaction excludes other writers from its begin on, unless the database is shared; a read transaction
	 * is one snapshot. */
	enum err (*begin)(struct db *db, enum db_use use);
	enum err (*commit)(struct db *db);
	void (*rollback)(struct db *db);
	enum err (*savepoint)(struct db *db);
	enum err (*release)(struct db *db);
	enum err (*rollback_to)(struct db *db); /* and release */
	bool (*in_transaction)(struct db *db);

	/* Several statements without parameters: DDL. */
	enum err (*script)(struct db *db, const char *sql);
	/* `sql` must be a string constant: prepared statements are kept per connection under its address. ERR_INTERNAL
	 * when this very statement is still in use. */
	enum err (*prepare)(struct db *db, const char *sql, struct db_stmt **out);
	enum err (*bind)(struct db_stmt *st, unsigned n /* 1.. */, const struct db_value *v);
	enum err (*step)(struct db_stmt *st, bool *row);
	bool (*is_null)(struct db_stmt *st, unsigned column /* 0.. */);
	int64_t (*column_int)(struct db_stmt *st, unsigned column);
	/* Valid until the next step or finish. */
	struct span (*column_bytes)(struct db_stmt *st, unsigned column);
	void (*finish)(struct db_stmt *st);
	/* Rows changed by the last statement. */
	int64_t (*changes)(struct db *db);

	/* Of databases that are not shared: how many rows this connection has written; and in a transaction, a number that
	 * is another one when anybody has written but this connection. */
	int64_t (*written)(struct db *db);
	/* "SELECT": how many tables DB_COPY_MARK there are. */
	const char *marked;
	/* Is it time to commit, because much is kept in memory until then? */
	bool (*crowded)(struct db *db);
	enum err (*others)(struct db *db, int64_t *out);

	/* ---- of shared databases only ---- */

	/* A connection that is made at its first begin(). */
	enum err (*fresh)(const char *where, struct db **out);
	/* Run without waiting; a failure is that of a later step() or of the commit. */
	enum err (*later)(struct db_stmt *st, enum db_expect expected);
	/* After begin(): several functions share the transaction, one after the other. Nothing is sent before the commit,
	 * so a function may only ask for what can be done later(); anything else fails with ERR_STORE_CHANGED. */
	void (*collect)(struct db *db);
	/* A function has ended. Whether its part stays in the transaction; it does not when it was not to be kept, or when
	 * it asked for what cannot be collected, and then nothing is left of it. */
	bool (*keep)(struct db *db, bool keep);
	/* From now on settle() can tell what came of a COMMIT whose answer was lost (ERR_STORE_UNSURE). The id is random;
	 * when settle() could not tell (ERR_STORE_CORRUPT: it never will), the connection goes on under a new one. */
	void (*enlist)(struct db *db, const uint8_t id[DB_WRITER_ID]);
	enum err (*settle)(struct db *db, bool *committed);
	enum db_fault (*fault)(struct db *db);
	/* Wait until nobody else migrates; in a transaction, until its end. */
	enum err (*lock_schema)(struct db *db);
	/* "SELECT" the database's clock in ms. */
	const char *clock;
	/* Number at most $2 waiting audit entries from $1 on; gives how many. */
	const char *number;
	/* "SELECT": for the rest of the transaction no statement takes more than $1 ms, given as text. */
	const char *limit;
	/* "SELECT": its commit tells those who listen on this store that something was changed, and nothing else. Commits
	 * that tell wait for one another, so it is not for a transaction that anybody waits for. */
	const char *notify;
	/* Listen, on this connection and on each that is made after it was lost. What was told while there was none is not
	 * heard later, and there may be something in between that passes nothing on: who listens must look by himself, too.
	 */
	void (*listen)(struct db *db);
	/* Whether anybody has told since the last time, or may have: the connection is a new one. Does not wait. */
	bool (*heard)(struct db *db);
	/* A descriptor that is readable when there is something to be heard, or the connection has ended, both for heard()
	 * to find out; -1: none. To be asked for anew after heard() and begin(). */
	int (*ear)(struct db *db);
	/* Take out the rows of enlisted connections that have not counted since $2, and note which have, at $1 (ms). */
	const char *tidy;

	/* No other process may serve the store until store_unclaim() (claim.h); NULL when several may. */
	enum err (*claim)(const char *where, struct store_claim **out, struct err_note *note);
	/* See store_backup() and store_restore(); NULL when the database has tools of its own for that. */
	enum err (*backup)(const char *where, const char *path, struct store_watch watch, struct err_note *note);
	enum err (*restore)(const char *where, const char *path, struct store_watch watch, struct err_note *note);
};

/* By the URL's scheme; *where is what stands behind it. ERR_CONFIG_INVALID. */
enum err driver_find(const char *url, const struct db_driver **out, const char **where,
                     struct err_note *note) MUST_CHECK;

extern const struct db_driver driver_sqlite, driver_postgres;
extern const struct db_migration schema_sqlite[], schema_postgres[];
enum err backup_sqlite(const char *where, const char *path, struct store_watch watch, struct err_note *note) MUST_CHECK;
enum err restore_sqlite(const char *where, const char *path, struct store_watch watch,
                        struct err_note *note) MUST_CHECK;
enum err backup_postgres(const char *where, const char *path, struct store_watch watch,
                         struct err_note *note) MUST_CHECK;
enum err restore_postgres(const char *where, const char *path, struct store_watch watch,
                          struct err_note *note) MUST_CHECK;

#endif
