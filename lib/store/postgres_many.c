/*
 * PostgreSQL: the statements of several functions that share a transaction, put together.
 *
 * While a transaction collects, nothing is sent: what is asked later() becomes a row under its statement, and before
 * the COMMIT each statement is sent once, with a column of values per parameter. A use writes the same few statements
 * as any other, so that eight uses cost hardly more statements than one. A function that asks for anything else is
 * unfit, and its rows are dropped again.
 */
#include "store/postgres.h"

#include <stdio.h>
#include <stdlib.h>

/* Types by number, as in the server's pg_type.h, and an array in its binary form: dimensions, flags, type of the
 * elements, their number, the first one's index, then each after its length. */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_BYTEAS = 1001, OID_TEXTS = 1009, OID_INT8S = 1016 };
enum { HEAD = 20, HEAD_TYPE = 8, HEAD_COUNT = 12, LENGTH = 4, FIRST_ROOM = 1024, COLLECTED_MAX = 4 << 20 };
#define NONE UINT32_MAX

/* ---- columns of values ---------------------------------------------------------------------- */

static void put_32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static bool reserve(struct pg_column *c, size_t more)
{
	size_t size = c->size != 0 ? c->size : FIRST_ROOM;
	uint8_t *p;

	while (size - c->len < more)
		size *= 2;
	if (size == c->size)
		return true;
	p = realloc(c->bytes, size);
	if (p == NULL)
		return false;
	c->bytes = p;
	c->size = size;
	return true;
}

/* value NULL: there is none. */
static bool add_value(struct pg_column *c, const char *value, size_t len)
{
	if (!reserve(c, LENGTH + len))
		return false;
	put_32(c->bytes + c->len, value != NULL ? (uint32_t)len : NONE);
	if (len != 0)
		memcpy(c->bytes + c->len + LENGTH, value, len);
	c->len += LENGTH + len;
	return true;
}

static Oid array_of(Oid type)
{
	return type == OID_INT8 ? OID_INT8S : type == OID_TEXT ? OID_TEXTS : OID_BYTEAS;
}

/* Only bytes may be missing in our tables, never numbers or text. */
static Oid type_of(const struct db_stmt *st, unsigned i)
{
	return st->types[i] != 0 ? st->types[i] : OID_BYTEA;
}

static bool begin_column(struct pg_column *c, Oid type)
{
	c->len = c->kept = 0;
	c->type = type;
	if (!reserve(c, HEAD))
		return false;
	memset(c->bytes, 0, HEAD);
	put_32(c->bytes, 1);
	put_32(c->bytes + HEAD_TYPE, type);
	put_32(c->bytes + HEAD - LENGTH, 1);
	c->len = c->kept = HEAD;
	return true;
}

/* ---- collecting ----------------------------------------------------------------------------- */

static struct pg_group *group_of(struct pg *pg, const struct db_stmt *st)
{
	for (size_t i = 0; i < pg->n_groups; i++)
		if (pg->groups[i].st == st)
			return &pg->groups[i];
	return NULL;
}

static struct pg_group *begin_group(struct pg *pg, struct db_stmt *st, const struct db_stmt *from)
{
	struct pg_group *g = &pg->groups[pg->n_groups];

	if (pg->n_groups == PG_GROUPS || !pg_can_join(st))
		return NULL;
	for (unsigned i = 0; i < from->n; i++)
		if (!begin_column(&g->columns[i], type_of(from, i)))
			return NULL;
	g->st = st;
	g->rows = g->kept_rows = 0;
	st->n = from->n;
	pg->n_groups++;
	return g;
}

static bool add_row(struct pg *pg, struct pg_group *g, const struct db_stmt *from)
{
	if (from->n != g->st->n)
		return false;
	for (unsigned i = 0; i < from->n; i++) {
		size_t len = (size_t)from->lengths[i];

		if (type_of(from, i) != g->columns[i].type || len > COLLECTED_MAX - pg->collected)
			return false;
		if (!add_value(&g->columns[i], from->values[i], len))
			return false;
		pg->collected += len;
	}
	g->rows++;
	return true;
}

void pg_collect(struct pg *pg, const struct db_stmt *from, enum pg_want want)
{
	struct db_stmt *st = pg_slot(pg, from->sql, want);
	struct pg_group *g = st != NULL ? group_of(pg, st) : NULL;

	if (pg->unfit)
		return;
	if (g == NULL && st != NULL && from->n <= PG_PARAMS)
		g = begin_group(pg, st, from);
	if (g == NULL || !add_row(pg, g, from))
		pg->unfit = true;
}

bool pg_keep(struct pg *pg, bool keep)
{
	keep = keep && !pg->unfit;
	for (size_t i = 0; i < pg->n_groups; i++) {
		struct pg_group *g = &pg->groups[i];

		if (keep)
			g->kept_rows = g->rows;
		g->rows = g->kept_rows;
		for (unsigned k = 0; k < g->st->n; k++) {
			struct pg_column *c = &g->columns[k];

			if (keep)
				c->kept = c->len;
			c->len = c->kept;
		}
	}
	pg->unfit = false;
	return keep;
}

/* ---- sending -------------------------------------------------------------------------------- */

static enum err send_group(struct pg *pg, struct pg_group *g)
{
	struct db_stmt *st = g->st;

	if (g->rows == 0)
		return ERR_OK;
	for (unsigned i = 0; i < st->n; i++) {
		put_32(g->columns[i].bytes + HEAD_COUNT, (uint32_t)g->rows);
		st->types[i] = array_of(g->columns[i].type);
		st->values[i] = (const char *)g->columns[i].bytes;
		st->lengths[i] = (int)g->columns[i].len;
	}
	return pg_send(pg, st, PG_RUN);
}

enum err pg_send_collected(struct pg *pg)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < pg->n_groups && e == ERR_OK; i++)
		e = send_group(pg, &pg->groups[i]);
	pg_forget(pg);
	return e;
}

void pg_forget(struct pg *pg)
{
	pg->collecting = pg->unfit = false;
	pg->n_groups = pg->collected = 0;
}

/* ---- spelling ------------------------------------------------------------------------------- */

struct text {
	char *p;
	size_t len;
	bool full;
};

static void put(struct text *t, const char *s, size_t n)
{
	if (n >= PG_SQL - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->p + t->len, s, n);
	t->len += n;
	t->p[t->len] = '\0';
}

static void put_word(struct text *t, const char *s)
{
	put(t, s, strlen(s));
}

/* Each $1 becomes v.v1: the row's value. */
static void put_of_row(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '$')
			put_word(t, "v.v");
		else
			put(t, s + i, 1);
	}
}

static void put_rows(struct text *t, unsigned n)
{
	char one[16];

	put_word(t, " FROM unnest(");
	for (unsigned i = 1; i <= n; i++) {
		snprintf(one, sizeof(one), "%s$%u", i > 1 ? ", " : "", i);
		put_word(t, one);
	}
	put_word(t, ") AS v (");
	for (unsigned i = 1; i <= n; i++) {
		snprintf(one, sizeof(one), "%sv%u", i > 1 ? ", " : "", i);
		put_word(t, one);
	}
	put_word(t, ")");
}

#define VALUES " VALUES ("
#define WHERE  " WHERE "

/* INSERT … VALUES (…) [ON CONFLICT DO NOTHING] becomes INSERT … SELECT … FROM the rows. */
static void spell_insert(struct text *t, const struct db_stmt *st)
{
	const char *values = strstr(st->sql, VALUES), *first = values + strlen(VALUES),
	           *end = strstr(first, ") ON CONFLICT");

	if (end == NULL)
		end = strrchr(first, ')');
	put(t, st->sql, (size_t)(values - st->sql));
	put_word(t, " SELECT ");
	put_of_row(t, first, (size_t)(end - first));
	put_rows(t, st->n);
	put_word(t, end + 1);
}

/* A row for which nothing is found counts for nothing. */
static void spell_find(struct text *t, const struct db_stmt *st)
{
	put_word(t, "SELECT 1 / (count((");
	put_of_row(t, st->sql, strlen(st->sql));
	put_word(t, ")) = cardinality($1))::int");
	put_rows(t, st->n);
}

/* UPDATE … WHERE key = $3 AND … The keys together are a condition of their own, because the database orders them: two
 * such transactions lock rows in one order. */
static void spell_change(struct text *t, const struct db_stmt *st)
{
	const char *where = strstr(st->sql, WHERE), *key = where + strlen(WHERE), *equal = strstr(key, " = $");
	size_t name = (size_t)(equal - key), number = strspn(equal + 4, "0123456789");

	put_word(t, "WITH changed AS (");
	put_of_row(t, st->sql, (size_t)(where - st->sql));
	put_rows(t, st->n);
	put_word(t, WHERE);
	put(t, key, name);
	put_word(t, " = ANY ($");
	put(t, equal + 4, number);
	put_word(t, ") AND ");
	put_of_row(t, key, strlen(key));
	put_word(t, " RETURNING 1) SELECT 1 / (count(*) = cardinality($1))::int FROM changed");
}

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* The first condition of an UPDATE must name its row. */
static bool names_row(const char *sql)
{
	const char *where = strstr(sql, WHERE);

	if (where == NULL)
		return false;
	where += strlen(WHERE);
	return starts(where + strspn(where, "abcdefghijklmnopqrstuvwxyz_"), " = $");
}

bool pg_can_join(const struct db_stmt *st)
{
	switch (st->want) {
	case PG_PLAIN_ROWS:
		return starts(st->sql, "INSERT INTO ") && strstr(st->sql, VALUES) != NULL &&
		       strstr(st->sql, " DO UPDATE") == NULL;
	case PG_FIND_ROWS:
		return starts(st->sql, "SELECT ");
	case PG_CHANGE_ROWS:
		return starts(st->sql, "UPDATE ") && names_row(st->sql);
	default:
		return false;
	}
}

bool pg_spell_rows(const struct db_stmt *st, char out[PG_SQL])
{
	struct text t = {.p = out};

	if (st->want == PG_PLAIN_ROWS)
		spell_insert(&t, st);
	else if (st->want == PG_FIND_ROWS)
		spell_find(&t, st);
	else
		spell_change(&t, st);
	return !t.full;
}
