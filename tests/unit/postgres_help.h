/* What the tests of a PostgreSQL that several servers share have in common. */
#ifndef YZ_TESTS_POSTGRES_HELP_H
#define YZ_TESTS_POSTGRES_HELP_H

#include "test_store.h"

#include <stdatomic.h>
#include <time.h>

static inline void nap(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L}, NULL);
}

/* One number out of the database, past the store. */
static inline int64_t ask(struct box *b, const char *text)
{
	PGconn *c = PQconnectdb(b->url);
	PGresult *r = PQexec(c, text);
	int64_t v;

	if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1)
		fail_msg("%s: %s", text, PQerrorMessage(c));
	v = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	PQclear(r);
	PQfinish(c);
	return v;
}

/* Another server on the same database. */
static inline struct store *second(struct box *b)
{
	struct store *s = NULL;

	assert_int_equal(store_open(&b->options, &s, NULL), ERR_OK);
	return s;
}

struct piece {
	char id[16];
	atomic_int runs;
	int hold_ms; /* inside the transaction */
};

static inline enum err piece_fn(struct store_tx *tx, void *arg)
{
	struct piece *p = arg;
	struct receipt_row r = {.id = p->id, .principal = (char *)"p", .body = span_str("x")};
	struct audit_row entry = {.action = (char *)"a", .principal = (char *)"p"};
	enum err e = store_receipt_insert(tx, &r);

	p->runs++;
	if (p->hold_ms != 0)
		nap((unsigned)p->hold_ms);
	return e == ERR_OK ? store_audit_append(tx, &entry) : e;
}

static inline enum err nothing(struct store_tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	return ERR_OK;
}

#endif
