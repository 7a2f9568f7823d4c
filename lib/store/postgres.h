/*
 * Private to the PostgreSQL driver: one connection as a pipeline.
 *
 * Statements are sent when they are known and their results are taken when they are needed: whatever was queued travels
 * with the first statement that is waited for, or with the COMMIT. The first failure of a transaction is kept; what
 * comes after it is not sent any more.
 */
#ifndef YZ_STORE_POSTGRES_H
#define YZ_STORE_POSTGRES_H

#include "store/driver.h"

#include <libpq-fe.h>

enum {
	PG_STATEMENTS = 512, /* prepared statements; a power of two, well above the number of queries in lib/store */
	PG_PARAMS = 20,
	PG_PENDING = 512, /* results on their way */
	PG_SQL = 2048,
	PG_NAME = 16,
	PG_GROUPS = 24 /* statements that are collected */
};

enum pg_want {
	PG_PLAIN,
	PG_FIND,   /* the transaction fails unless the query finds a row */
	PG_CHANGE, /* … unless the statement changes one */
	/* The same for many rows of parameters: … unless each is found, unless each changes one. */
	PG_PLAIN_ROWS,
	PG_FIND_ROWS,
	PG_CHANGE_ROWS
};

struct db_stmt {
	struct pg *pg;
	const char *sql; /* as the caller wrote it; with `want` the key */
	enum pg_want want;
	bool prepared, in_use, ran;
	unsigned n;
	Oid types[PG_PARAMS];
	const char *values[PG_PARAMS];
	int lengths[PG_PARAMS];
	uint8_t ints[PG_PARAMS][8];
	PGresult *res;
	int row;
};

/* PG_MARK: the count in `writers`, without which there is no commit */
enum pg_kind { PG_PREPARE, PG_RUN, PG_MARK, PG_COMMIT, PG_IGNORED, PG_SYNC };

struct pg_pending {
	enum pg_kind kind;
	struct db_stmt *st;
};

/* A parameter's values of several rows, as an array in the server's binary form. */
struct pg_column {
	uint8_t *bytes;
	size_t len, size, kept;
	Oid type; /* of one value */
};

struct pg_group {
	struct db_stmt *st;
	size_t rows, kept_rows;
	struct pg_column columns[PG_PARAMS];
};

struct pg {
	struct db db;
	char *url;
	PGconn *conn; /* NULL: not connected */
	enum db_use use;
	bool in_tx;
	bool unsynced;  /* something was sent since the last sync */
	bool committed; /* the COMMIT of this transaction was answered as such */
	bool asked;     /* its answer is being taken */
	bool warned;    /* a warning came with it: the replica may not have it */
	bool read_some; /* this transaction has given rows to its caller */
	bool listens;   /* for what others tell */
	bool told;      /* it may have been told something that it could not hear */
	enum err err;   /* the first failure of this transaction */
	enum db_fault fault;
	int64_t changed;
	bool named, listed; /* has an id; its row in `writers` is there */
	uint8_t id[DB_WRITER_ID];
	int64_t n;              /* commits, as in that row */
	bool collecting, unfit; /* a function asked for what cannot be collected */
	size_t n_groups, collected /* bytes */;
	struct pg_group groups[PG_GROUPS];
	size_t head, count;
	struct pg_pending pending[PG_PENDING];
	struct db_stmt cache[PG_STATEMENTS];
};

/* Of this store alone: channels are the database's, and another store may stand in another schema of it. */
#define PG_CHANNEL "'yinzheng_' || current_schema()::regnamespace::oid::text"

/* ---- connecting (postgres_connect.c) -------------------------------------------------------- */

/* One attempt over all hosts of the address. The note names the server's reason, never a password. */
enum err pg_connect(struct pg *pg, struct err_note *note) MUST_CHECK;
/* Drop the connection; the transaction on it is lost. */
void pg_lose(struct pg *pg);
/* Connect when there is no connection; a reader tries again for up to two seconds. */
enum err pg_ready(struct pg *pg) MUST_CHECK;
/* What a failed result means; also sets pg->fault. */
enum err pg_classify(struct pg *pg, const PGresult *res);
/* See db_driver.heard. */
bool pg_heard(struct pg *pg);

/* ---- the pipeline (postgres_pipe.c) --------------------------------------------------------- */

/* The slot of this statement; NULL when there are too many. */
struct db_stmt *pg_slot(struct pg *pg, const char *sql, enum pg_want want);
void pg_bind_int(struct db_stmt *st, unsigned n, int64_t v);
void pg_bind_bytes(struct db_stmt *st, unsigned n, enum db_type type, struct span v);
void pg_bind_null(struct db_stmt *st, unsigned n);
/* Queue it. The first failure of the transaction is returned, also one that is known from earlier. */
enum err pg_send(struct pg *pg, struct db_stmt *st, enum pg_kind kind) MUST_CHECK;
/* The same for a statement without parameters. */
enum err pg_send_text(struct pg *pg, const char *sql, enum pg_kind kind) MUST_CHECK;
enum err pg_sync(struct pg *pg) MUST_CHECK;
/* Wait for every result. Gives the first failure. */
enum err pg_drain(struct pg *pg) MUST_CHECK;
int64_t pg_number(const PGresult *res, int row, int column);
/* ---- several functions in one transaction (postgres_many.c) --------------------------------- */

/* Another row for this statement; pg->unfit when it cannot have any. */
void pg_collect(struct pg *pg, const struct db_stmt *from, enum pg_want want);
/* What was collected since the last call stays (true), or is dropped: it was not to be kept, or something was unfit. */
bool pg_keep(struct pg *pg, bool keep);
enum err pg_send_collected(struct pg *pg) MUST_CHECK;
void pg_forget(struct pg *pg);
/* Whether a statement has a form for many rows, and that form; false when it is too long. */
bool pg_can_join(const struct db_stmt *st);
bool pg_spell_rows(const struct db_stmt *st, char out[PG_SQL]) MUST_CHECK;

#endif
