/* PostgreSQL: the driver's functions. The pipeline is in postgres_pipe.c, connecting in postgres_connect.c. */
#include "store/postgres.h"

#include "crypto/rand.h"

#include <stdio.h>
#include <stdlib.h>

static struct pg *pg_of(struct db *db)
{
	return (struct pg *)db;
}

/* ---- making and opening --------------------------------------------------------------------- */

static void close_db(struct db *db)
{
	struct pg *pg = pg_of(db);

	if (pg == NULL)
		return;
	if (pg->conn != NULL && pg->listed) {
		struct db_stmt *st = pg_slot(pg, "DELETE FROM writers WHERE id = $1", PG_PLAIN);

		pg->err = ERR_OK;
		if (st != NULL)
			pg_bind_bytes(st, 1, DB_BLOB, span_of(pg->id, sizeof(pg->id)));
		if (pg_send(pg, st, PG_IGNORED) == ERR_OK)
			(void)!pg_drain(pg);
	}
	for (size_t i = 0; i < PG_STATEMENTS; i++)
		PQclear(pg->cache[i].res);
	for (size_t i = 0; i < PG_GROUPS * PG_PARAMS; i++)
		free(pg->groups[i / PG_PARAMS].columns[i % PG_PARAMS].bytes);
	PQfinish(pg->conn);
	if (pg->url != NULL)
		secret_wipe(pg->url, strlen(pg->url));
	free(pg->url);
	free(pg);
}

static enum err fresh(const char *where, struct db **out)
{
	struct pg *pg = calloc(1, sizeof(*pg));

	if (pg == NULL)
		return ERR_NO_MEMORY;
	pg->db.driver = &driver_postgres;
	pg->url = strdup(where);
	if (pg->url == NULL) {
		free(pg);
		return ERR_NO_MEMORY;
	}
	*out = &pg->db;
	return ERR_OK;
}

static enum err connect_to(const char *where, struct db **out, struct err_note *note)
{
	struct db *db = NULL;
	enum err e = fresh(where, &db);

	if (e == ERR_OK)
		e = pg_connect(pg_of(db), note);
	if (e != ERR_OK) {
		close_db(db);
		return e;
	}
	*out = db;
	return ERR_OK;
}

static enum err contents_of(struct db *db, enum db_contents *out)
{
	static const char sql[] =
	    "SELECT count(*) FILTER (WHERE obj_description(oid, 'pg_class') = 'yinzheng store'), count(*) FROM pg_class"
	    " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname <> '" DB_COPY_MARK
	    "'";
	struct pg *pg = pg_of(db);
	struct db_stmt *st = pg_slot(pg, sql, PG_PLAIN);
	enum err e;

	st->in_use = st->ran = true;
	pg->err = pg->in_tx ? pg->err : ERR_OK;
	e = pg_send(pg, st, PG_RUN);
	if (e == ERR_OK)
		e = pg_drain(pg);
	if (e == ERR_OK && st->res != NULL)
		*out = pg_number(st->res, 0, 1) == 0 ? DB_EMPTY : pg_number(st->res, 0, 0) > 0 ? DB_OURS : DB_FOREIGN;
	PQclear(st->res);
	st->res = NULL;
	st->in_use = st->ran = false;
	return e;
}

static enum err create(const char *where, struct db **out, struct err_note *note)
{
	return connect_to(where, out, note);
}

static enum err open_db(const char *where, enum db_use use, struct db **out, struct err_note *note)
{
	struct db *db = NULL;
	enum db_contents contents = DB_EMPTY;
	enum err e = connect_to(where, &db, note);

	(void)use;
	if (e != ERR_OK)
		return e;
	e = contents_of(db, &contents);
	if (e == ERR_OK && contents != DB_OURS)
		e = contents == DB_EMPTY ? ERR_STORE_NOT_INIT : ERR_STORE_CORRUPT;
	if (e != ERR_OK) {
		close_db(db);
		return err_note_set(note, e, NULL, contents == DB_FOREIGN ? "The database holds other tables." : NULL);
	}
	*out = db;
	return ERR_OK;
}

/* ---- transactions --------------------------------------------------------------------------- */

/*
 * The row by which a COMMIT whose answer was lost is judged. Committed before it is used.
 *
 * Rows that have not counted for long are taken out (`tidy`): their writers are gone, or idle. However short that time
 * is, nothing is judged wrongly by it:
 *  - A transaction commits only when its row is there with the count that it expects. One that is on its way when the
 *    row goes fails, and its writer, told so, makes the row again here and runs it again.
 *  - Who does not know what came of his COMMIT and finds no row is not told "no", but that it cannot be told: settle().
 *    That never makes a row, unless the server has said before the connection ended that there was none.
 *  - A row that is made again begins with its writer's count. What was judged not to have been committed and is still
 * on its way expects a lower one: each judgement counts on by two.
 *  - The row of a COMMIT that is under way (waiting for a replica, say) is locked, and is left alone.
 * A server of schema 2 commits without its row, too, and nothing fails then; for it to be judged rightly no COMMIT may
 * be on its way for as long as that time.
 */
static enum err list_writer(struct pg *pg)
{
	/* one that is there after all (the transaction that took it out was undone by it) is as good as new */
	static const char sql[] = "INSERT INTO writers (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen = -1";
	struct db_stmt *st = pg_slot(pg, sql, PG_PLAIN);
	enum err e;

	if (st == NULL)
		return ERR_INTERNAL;
	pg_bind_bytes(st, 1, DB_BLOB, span_of(pg->id, sizeof(pg->id)));
	pg_bind_int(st, 2, pg->n);
	e = pg_send(pg, st, PG_RUN);
	if (e == ERR_OK)
		e = pg_drain(pg);
	pg->listed = e == ERR_OK;
	return e;
}

static enum err begin(struct db *db, enum db_use use)
{
	static const char *const sql[] = {[DB_LOOK] = NULL,
	                                  [DB_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	                                  [DB_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED",
	                                  [DB_SERIAL] = "BEGIN ISOLATION LEVEL SERIALIZABLE"};
	struct pg *pg = pg_of(db);
	enum err e;

	pg->use = use;
	pg->err = ERR_OK;
	pg->fault = DB_FINE;
	pg->committed = pg->warned = pg->read_some = false;
	pg_forget(pg);
	e = pg_ready(pg);
	if (e == ERR_OK && use >= DB_WRITE && pg->named && !pg->listed)
		e = list_writer(pg);
	if (e == ERR_OK && sql[use] != NULL)
		e = pg_send_text(pg, sql[use], PG_RUN);
	pg->in_tx = e == ERR_OK;
	return e;
}

static bool in_transaction(struct db *db)
{
	return pg_of(db)->in_tx;
}

/* Nobody waits for it. What was queued before it is cut off by a sync, because a failure there would skip it. */
static void rollback(struct db *db)
{
	struct pg *pg = pg_of(db);
	enum err e = ERR_OK;

	if (!pg->in_tx || pg->conn == NULL)
		return;
	pg->in_tx = false;
	pg_forget(pg);
	if (pg->use == DB_LOOK)
		return; /* nothing is open */
	pg->err = ERR_OK;
	for (size_t i = 0; i < pg->count; i++) {
		struct pg_pending *p = &pg->pending[(pg->head + i) % PG_PENDING];

		if (p->kind == PG_RUN || p->kind == PG_MARK || p->kind == PG_COMMIT)
			p->kind = PG_IGNORED;
	}
	if (pg->unsynced)
		e = pg_sync(pg);
	if (e == ERR_OK)
		e = pg_send_text(pg, "ROLLBACK", PG_IGNORED);
	if (e == ERR_OK)
		e = pg_sync(pg);
	if (e != ERR_OK)
		pg_lose(pg);
}

/* Another count than ours (settle() has counted on) is not NULL's place: the transaction fails. So it does without the
 * row. */
static enum err send_mark(struct pg *pg)
{
	struct db_stmt *st =
	    pg_slot(pg, "UPDATE writers SET n = CASE WHEN n = $2 THEN n + 1 ELSE NULL END WHERE id = $1", PG_CHANGE);

	if (st == NULL)
		return ERR_INTERNAL;
	pg_bind_bytes(st, 1, DB_BLOB, span_of(pg->id, sizeof(pg->id)));
	pg_bind_int(st, 2, pg->n);
	return pg_send(pg, st, PG_MARK);
}

/* Once the COMMIT has left, only its answer says what came of it. */
static enum err commit(struct db *db)
{
	struct pg *pg = pg_of(db);
	enum err e = pg->in_tx ? pg->err : ERR_STORE_IO;

	if (e == ERR_OK && pg->collecting)
		e = pg_send_collected(pg);
	if (e == ERR_OK && pg->named)
		e = send_mark(pg);
	if (e == ERR_OK)
		e = pg_send_text(pg, "COMMIT", PG_COMMIT);
	if (e != ERR_OK)
		return e;
	e = pg_drain(pg);
	if (e == ERR_OK && !pg->committed)
		e = ERR_STORE_IO;
	if (pg->conn == NULL || (pg->committed && pg->warned)) {
		pg->fault = DB_LOST;
		return ERR_STORE_UNSURE;
	}
	pg->in_tx = PQtransactionStatus(pg->conn) != PQTRANS_IDLE;
	if (e == ERR_OK)
		pg->n += pg->named ? 1 : 0;
	return e;
}

/* Was the last transaction, whose COMMIT was not answered, committed? The row's lock waits for a server process that is
 * still at it, and counting on makes one that has not begun yet fail. */
static enum err settle(struct db *db, bool *committed)
{
	struct pg *pg = pg_of(db);
	struct db_stmt *st = pg_slot(pg, "SELECT n FROM writers WHERE id = $1 FOR UPDATE", PG_PLAIN);
	struct db_stmt *skip = pg_slot(pg, "UPDATE writers SET n = $2 WHERE id = $1", PG_PLAIN);
	int64_t n = -1;
	enum err e = begin(db, DB_WRITE);

	if (e != ERR_OK)
		return e;
	pg_bind_bytes(st, 1, DB_BLOB, span_of(pg->id, sizeof(pg->id)));
	st->in_use = st->ran = true;
	e = pg_send(pg, st, PG_RUN);
	if (e == ERR_OK)
		e = pg_drain(pg);
	if (e == ERR_OK && st->res != NULL && PQntuples(st->res) == 1)
		n = pg_number(st->res, 0, 0);
	PQclear(st->res);
	st->res = NULL;
	st->in_use = st->ran = false;
	if (e == ERR_OK && n < pg->n)
		e = ERR_STORE_CORRUPT; /* not the database that we wrote to, or the row was taken out */
	if (e == ERR_OK && n != pg->n + 1) {
		pg_bind_bytes(skip, 1, DB_BLOB, span_of(pg->id, sizeof(pg->id)));
		pg_bind_int(skip, 2, pg->n + 2);
		e = pg_send(pg, skip, PG_RUN);
	}
	if (e == ERR_OK)
		e = pg_send_text(pg, "COMMIT", PG_COMMIT);
	if (e == ERR_OK)
		e = pg_drain(pg);
	if (e == ERR_OK && (!pg->committed || pg->warned))
		e = ERR_STORE_IO;
	if (e != ERR_OK) {
		rollback(db);
		return e;
	}
	pg->in_tx = false;
	*committed = n == pg->n + 1;
	pg->n += *committed ? 1 : 2;
	return ERR_OK;
}

static void collect(struct db *db)
{
	pg_of(db)->collecting = true;
}

static bool keep(struct db *db, bool wanted)
{
	return pg_keep(pg_of(db), wanted);
}

static void enlist(struct db *db, const uint8_t id[DB_WRITER_ID])
{
	struct pg *pg = pg_of(db);

	memcpy(pg->id, id, DB_WRITER_ID);
	pg->named = true;
	pg->listed = false;
	pg->n = 0;
}

/* "yinzheng" and the place of our tables: stores in different schemas of one database do not wait for one another. */
static enum err lock_schema(struct db *db)
{
	struct pg *pg = pg_of(db);
	static const char *const steps[] = {
	    "SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = 60000",
	    "SELECT pg_advisory_xact_lock(2037280634, hashtext(current_schema()))",
	    "SET LOCAL lock_timeout = 3000" /* a change of a table must not hold up the servers that use it */
	};
	enum err e = ERR_OK;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && e == ERR_OK; i++)
		e = pg_send_text(pg, steps[i], PG_RUN);
	return e == ERR_OK ? pg_drain(pg) : e;
}

static enum db_fault fault(struct db *db)
{
	return pg_of(db)->fault;
}

/* ---- statements ----------------------------------------------------------------------------- */

/* Between statements of the pipeline there may be none of these: they are for making and migrating only. */
static enum err script(struct db *db, const char *sql)
{
	struct pg *pg = pg_of(db);
	enum err e = pg_drain(pg);
	PGresult *res;

	if (e != ERR_OK)
		return e;
	if (PQexitPipelineMode(pg->conn) == 0)
		return ERR_INTERNAL;
	res = PQexec(pg->conn, sql);
	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		break;
	default:
		e = pg->err = pg_classify(pg, res);
	}
	PQclear(res);
	if (pg->fault == DB_LOST)
		pg_lose(pg);
	else if (PQenterPipelineMode(pg->conn) == 0)
		e = ERR_INTERNAL;
	return e;
}

static enum err prepare(struct db *db, const char *sql, struct db_stmt **out)
{
	struct db_stmt *st = pg_slot(pg_of(db), sql, PG_PLAIN);

	if (st == NULL || st->in_use)
		return ERR_INTERNAL;
	st->in_use = true;
	st->ran = false;
	st->n = 0;
	*out = st;
	return ERR_OK;
}

static enum err bind(struct db_stmt *st, unsigned n, const struct db_value *v)
{
	if (n > PG_PARAMS)
		return ERR_INTERNAL;
	switch (v->type) {
	case DB_NULL:
		pg_bind_null(st, n);
		break;
	case DB_INT:
		pg_bind_int(st, n, v->num);
		break;
	case DB_TEXT:
	case DB_BLOB:
		if (v->bytes.len > INT32_MAX)
			return ERR_TOO_LARGE;
		pg_bind_bytes(st, n, v->type, v->bytes);
		break;
	}
	return ERR_OK;
}

static bool starts_with_insert(const struct db_stmt *st)
{
	return strncmp(st->sql, "INSERT", 6) == 0;
}

/* A refusal by a unique key must not end a serial transaction: SQLite's does not, and callers go on after it. */
static enum err run_guarded(struct pg *pg, struct db_stmt *st)
{
	enum err e = pg_send_text(pg, "SAVEPOINT s", PG_RUN);

	if (e == ERR_OK)
		e = pg_send(pg, st, PG_RUN);
	if (e == ERR_OK)
		e = pg_drain(pg);
	if (e != ERR_ALREADY_EXISTS)
		return e != ERR_OK ? e : pg_send_text(pg, "RELEASE s", PG_RUN);
	pg->err = ERR_OK;
	e = pg_send_text(pg, "ROLLBACK TO s", PG_RUN);
	return e == ERR_OK ? ERR_ALREADY_EXISTS : e;
}

static enum err run_once(struct pg *pg, struct db_stmt *st)
{
	enum err e;

	st->ran = true;
	if (pg->collecting) {
		pg->unfit = true;
		return ERR_STORE_CHANGED;
	}
	if (pg->use == DB_LOOK && strncmp(st->sql, "SELECT", 6) != 0)
		return pg->err = ERR_STORE_IO;
	if (pg->use == DB_SERIAL && starts_with_insert(st))
		return run_guarded(pg, st);
	e = pg_send(pg, st, PG_RUN);
	return e == ERR_OK ? pg_drain(pg) : e;
}

/* A reader to whom nothing was given yet does not notice that its connection had to be made anew. */
static enum err run(struct pg *pg, struct db_stmt *st)
{
	enum err e = run_once(pg, st);

	if (e != ERR_OK && pg->use < DB_WRITE && !pg->read_some && pg->fault == DB_LOST) {
		e = begin(&pg->db, pg->use);
		if (e == ERR_OK)
			e = run_once(pg, st);
	}
	pg->read_some = true;
	return e;
}

static enum err step(struct db_stmt *st, bool *row)
{
	enum err e = st->ran ? ERR_OK : run(st->pg, st);

	*row = false;
	if (e != ERR_OK || st->res == NULL)
		return e;
	st->row++;
	*row = PQresultStatus(st->res) == PGRES_TUPLES_OK && st->row < PQntuples(st->res);
	return ERR_OK;
}

/* The slot of the same statement with its condition takes over the parameters. */
static enum err later(struct db_stmt *st, enum db_expect expected)
{
	static const enum pg_want wants[] = {[DB_ANY] = PG_PLAIN, [DB_FOUND] = PG_FIND, [DB_CHANGED] = PG_CHANGE};
	struct db_stmt *to;

	if (st->pg->collecting) {
		pg_collect(st->pg, st, PG_PLAIN_ROWS + wants[expected]);
		return st->pg->unfit ? ERR_STORE_CHANGED : ERR_OK;
	}
	to = pg_slot(st->pg, st->sql, wants[expected]);
	if (to == NULL)
		return ERR_INTERNAL;
	if (to != st) {
		to->n = st->n;
		memcpy(to->types, st->types, sizeof(to->types));
		memcpy(to->values, st->values, sizeof(to->values));
		memcpy(to->lengths, st->lengths, sizeof(to->lengths));
	}
	return pg_send(st->pg, to, PG_RUN);
}

static bool is_null(struct db_stmt *st, unsigned column)
{
	return PQgetisnull(st->res, st->row, (int)column) != 0;
}

static int64_t column_int(struct db_stmt *st, unsigned column)
{
	return pg_number(st->res, st->row, (int)column);
}

static struct span column_bytes(struct db_stmt *st, unsigned column)
{
	return span_of(PQgetvalue(st->res, st->row, (int)column), (size_t)PQgetlength(st->res, st->row, (int)column));
}

static void finish(struct db_stmt *st)
{
	if (st == NULL)
		return;
	PQclear(st->res);
	st->res = NULL;
	st->in_use = st->ran = false;
}

static int64_t changes(struct db *db)
{
	return pg_of(db)->changed;
}

/* ---- what others tell ----------------------------------------------------------------------- */

static void listen_from_now(struct db *db)
{
	pg_of(db)->listens = true;
}

static bool heard(struct db *db)
{
	return pg_heard(pg_of(db));
}

static int ear(struct db *db)
{
	struct pg *pg = pg_of(db);

	return pg->listens && pg->conn != NULL ? PQsocket(pg->conn) : -1;
}

/* ---- SQL of our own ------------------------------------------------------------------------- */

/* The message is empty: who may connect to the database may listen, and may tell, too; that costs a look. */
static const char notify[] = "SELECT pg_notify(" PG_CHANNEL ", '')";

/* A row that somebody is counting in is no dead one, and can be noted the next time. */
static const char tidy[] =
    "WITH gone AS (DELETE FROM writers WHERE id = ANY (ARRAY(SELECT id FROM writers WHERE n = seen AND since < $2"
    " LIMIT 1000 FOR UPDATE SKIP LOCKED)))"
    " UPDATE writers SET seen = n, since = $1 WHERE id = ANY (ARRAY(SELECT id FROM writers WHERE n <> seen"
    " FOR UPDATE SKIP LOCKED))";

/* Within one statement, so that what is numbered and what is taken out are the same entries. */
static const char number[] =
    "WITH gone AS (DELETE FROM audit_inbox WHERE entry = ANY (ARRAY(SELECT entry FROM audit_inbox ORDER BY entry"
    " LIMIT $2)) RETURNING entry, time, action, principal, record, leaf, names, vals),"
    " put AS (INSERT INTO audit (idx, time, action, principal, record, leaf, names, vals)"
    " SELECT $1 + row_number() OVER (ORDER BY entry) - 1, time, action, principal, record, leaf, names, vals"
    " FROM gone RETURNING 1) SELECT count(*) FROM put";

const struct db_driver driver_postgres = {
    .shared = true,
    .migrations = schema_postgres,
    .create = create,
    .open = open_db,
    .fresh = fresh,
    .close = close_db,
    .contents = contents_of,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .settle = settle,
    .collect = collect,
    .keep = keep,
    .enlist = enlist,
    .fault = fault,
    .lock_schema = lock_schema,
    .marked = "SELECT count(*) FROM pg_class"
              " WHERE relnamespace = current_schema()::regnamespace AND relname = '" DB_COPY_MARK "'",
    .clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    .limit = "SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true)",
    .number = number,
    .notify = notify,
    .listen = listen_from_now,
    .heard = heard,
    .ear = ear,
    .tidy = tidy,
    .in_transaction = in_transaction,
    .script = script,
    .prepare = prepare,
    .bind = bind,
    .step = step,
    .later = later,
    .is_null = is_null,
    .column_int = column_int,
    .column_bytes = column_bytes,
    .finish = finish,
    .changes = changes,
    .backup = backup_postgres,
    .restore = restore_postgres,
};
