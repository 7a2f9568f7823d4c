/* PostgreSQL: a connection as a pipeline. Statements go out as they come, results are taken when one is needed. */
#include "store/postgres.h"

#include <stdio.h>
#include <stdlib.h>

/* Types by number, as in the server's pg_type.h. */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25 };

/* ---- statements ----------------------------------------------------------------------------- */

struct db_stmt *pg_slot(struct pg *pg, const char *sql, enum pg_want want)
{
	size_t at = (((uintptr_t)sql >> 3) + (size_t)want * 97) * 2654435761u;

	for (size_t i = 0; i < PG_STATEMENTS; i++) {
		struct db_stmt *st = &pg->cache[(at + i) & (PG_STATEMENTS - 1)];

		if (st->sql == NULL) {
			st->pg = pg;
			st->sql = sql;
			st->want = want;
		}
		if (st->sql == sql && st->want == want)
			return st;
	}
	return NULL;
}

static void set_param(struct db_stmt *st, unsigned n, Oid type, const void *value, size_t length)
{
	if (n > PG_PARAMS)
		return; /* pg_send() refuses it */
	st->types[n - 1] = type;
	st->values[n - 1] = value;
	st->lengths[n - 1] = (int)length;
}

void pg_bind_int(struct db_stmt *st, unsigned n, int64_t v)
{
	st->n = n > st->n ? n : st->n;
	if (n > PG_PARAMS)
		return;
	for (unsigned i = 0; i < 8; i++)
		st->ints[n - 1][i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
	set_param(st, n, OID_INT8, st->ints[n - 1], 8);
}

void pg_bind_bytes(struct db_stmt *st, unsigned n, enum db_type type, struct span v)
{
	st->n = n > st->n ? n : st->n;
	set_param(st, n, type == DB_TEXT ? OID_TEXT : OID_BYTEA, v.ptr != NULL ? (const void *)v.ptr : "", v.len);
}

/* Of what type it would be the server finds out from where it stands. */
void pg_bind_null(struct db_stmt *st, unsigned n)
{
	st->n = n > st->n ? n : st->n;
	set_param(st, n, 0, NULL, 0);
}

/* A condition that does not hold divides by zero: the server itself then gives up the transaction, so that a COMMIT
 * that is on its way already is not carried out. */
static bool spell(const struct db_stmt *st, char out[PG_SQL])
{
	static const char *const forms[] = {"%s", "SELECT 1 / count(*) FROM (%s) AS found",
	                                    "WITH changed AS (%s RETURNING 1) SELECT 1 / count(*) FROM changed"};
	int n;

	if (st->want >= PG_PLAIN_ROWS)
		return pg_spell_rows(st, out);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = snprintf(out, PG_SQL, forms[st->want], st->sql);
#pragma GCC diagnostic pop
	return n > 0 && n < PG_SQL;
}

static void name_of(const struct db_stmt *st, char out[PG_NAME])
{
	snprintf(out, PG_NAME, "s%zu", (size_t)(st - st->pg->cache));
}

/* ---- sending -------------------------------------------------------------------------------- */

static enum err lost(struct pg *pg)
{
	pg_lose(pg);
	pg->fault = DB_LOST;
	if (pg->err == ERR_OK)
		pg->err = ERR_STORE_IO;
	return pg->err;
}

static void expect(struct pg *pg, enum pg_kind kind, struct db_stmt *st)
{
	pg->pending[(pg->head + pg->count++) % PG_PENDING] = (struct pg_pending){kind, st};
}

static bool send_prepare(struct pg *pg, struct db_stmt *st, const char *name)
{
	char text[PG_SQL];

	if (!spell(st, text))
		return false;
	if (PQsendPrepare(pg->conn, name, text, (int)st->n, st->types) == 0)
		return false;
	expect(pg, PG_PREPARE, st);
	st->prepared = true;
	return true;
}

enum err pg_send(struct pg *pg, struct db_stmt *st, enum pg_kind kind)
{
	static const int binary[PG_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	char name[PG_NAME];

	if (pg->count + 3 > PG_PENDING && pg_drain(pg) != ERR_OK)
		return pg->err;
	if (pg->err != ERR_OK)
		return pg->err;
	if (pg->conn == NULL)
		return lost(pg);
	if (st == NULL || st->n > PG_PARAMS)
		return ERR_INTERNAL;
	name_of(st, name);
	if (!st->prepared && !send_prepare(pg, st, name))
		return PQstatus(pg->conn) == CONNECTION_BAD ? lost(pg) : ERR_INTERNAL;
	if (PQsendQueryPrepared(pg->conn, name, (int)st->n, st->values, st->lengths, binary, 1) == 0)
		return lost(pg);
	expect(pg, kind, st);
	pg->unsynced = true;
	return ERR_OK;
}

enum err pg_send_text(struct pg *pg, const char *sql, enum pg_kind kind)
{
	return pg_send(pg, pg_slot(pg, sql, PG_PLAIN), kind);
}

enum err pg_sync(struct pg *pg)
{
	if (pg->conn == NULL || PQpipelineSync(pg->conn) == 0)
		return lost(pg);
	expect(pg, PG_SYNC, NULL);
	pg->unsynced = false;
	return ERR_OK;
}

/* ---- taking results ------------------------------------------------------------------------- */

static void failed(struct pg *pg, const struct pg_pending *p, const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	enum db_fault fault = pg->fault;
	enum err e;

	if (p->kind == PG_PREPARE)
		p->st->prepared = false;
	if (status == PGRES_PIPELINE_ABORTED)
		return; /* because of what failed before it */
	e = pg_classify(pg, res);
	if (pg->fault == DB_LOST) {
		pg->err = pg->err != ERR_OK ? pg->err : e;
		return;
	}
	if (p->kind == PG_IGNORED || pg->err != ERR_OK) {
		pg->fault = fault; /* of a transaction that was given up, or not the first */
		return;
	}
	pg->err = e;
	if (p->kind == PG_MARK && e == ERR_STORE_CHANGED) { /* the row is gone: once more, with another one */
		pg->err = ERR_STORE_BUSY;
		pg->fault = DB_CONFLICT;
		pg->listed = false;
	}
}

static void succeeded(struct pg *pg, const struct pg_pending *p, PGresult **res)
{
	if (p->kind == PG_COMMIT)
		pg->committed = strcmp(PQcmdStatus(*res), "COMMIT") == 0;
	if (p->kind != PG_RUN)
		return;
	pg->changed = strtoll(PQcmdTuples(*res), NULL, 10);
	if (p->st->in_use && p->st->ran && p->st->res == NULL) {
		p->st->res = *res;
		p->st->row = -1;
		*res = NULL;
	}
}

static void take(struct pg *pg, const struct pg_pending *p)
{
	PGresult *res, *more;

	pg->asked = p->kind == PG_COMMIT;
	res = PQgetResult(pg->conn);
	pg->asked = false;
	switch (PQresultStatus(res)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		succeeded(pg, p, &res);
		break;
	case PGRES_PIPELINE_SYNC:
		break;
	default:
		failed(pg, p, res);
	}
	PQclear(res);
	if (p->kind == PG_SYNC)
		return;
	while ((more = PQgetResult(pg->conn)) != NULL)
		PQclear(more);
}

enum err pg_drain(struct pg *pg)
{
	if (pg->unsynced && pg_sync(pg) != ERR_OK)
		return pg->err;
	while (pg->count != 0 && pg->conn != NULL) {
		struct pg_pending p = pg->pending[pg->head];

		pg->head = (pg->head + 1) % PG_PENDING;
		pg->count--;
		take(pg, &p);
		if (pg->fault == DB_LOST || PQstatus(pg->conn) == CONNECTION_BAD)
			return lost(pg);
	}
	return pg->err;
}

int64_t pg_number(const PGresult *res, int row, int column)
{
	const uint8_t *p = (const uint8_t *)PQgetvalue(res, row, column);
	int n = PQgetlength(res, row, column);
	uint64_t v = n > 0 && (p[0] & 0x80) != 0 ? UINT64_MAX : 0;

	for (int i = 0; i < n && i < 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}
