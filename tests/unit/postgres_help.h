/* What the tests of a PostgreSQL that several servers share have in common. */
#ifndef YZ_TESTS_POSTGRES_HELP_H
#define YZ_TESTS_POSTGRES_HELP_H

#include "test_store.h"

#include <pthread.h>
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

/* ---- what other servers must know of, and the seal and the licence for it ---- */

static inline enum err put_type(struct store_tx *tx, void *arg)
{
	struct catalog_row r = {.code = (char *)"T", .json = span_str("{}")};

	(void)arg;
	return store_catalog_put(tx, CATALOG_TYPE, &r);
}

static inline enum err put_principal(struct store_tx *tx, void *arg)
{
	struct principal p = {.id = (char *)"p", .name = (char *)"n"};

	(void)arg;
	return store_principal_put(tx, &p);
}

static inline enum err put_seal(struct store_tx *tx, void *arg)
{
	struct seal_row s = {.id = (char *)"S", .state = SEAL_ACTIVE, .der = span_str("x")};

	(void)arg;
	return store_seal_insert(tx, &s);
}

static inline enum err suspend_seal(struct store_tx *tx, void *arg)
{
	struct state_event e = {.state = SEAL_SUSPENDED, .reason = (char *)"r", .principal = (char *)"p"};

	(void)arg;
	return store_seal_change(tx, "S", 1, &e);
}

static inline enum err put_licence(struct store_tx *tx, void *arg)
{
	struct holder_key h = {"111", "h"};
	struct licence_row l = {.id = (char *)"L"};

	(void)arg;
	return store_licence_insert(tx, &l, NULL, &h, 1, "i");
}

static inline enum err revoke_licence(struct store_tx *tx, void *arg)
{
	struct state_event e = {.state = LICENCE_REVOKED, .reason = (char *)"r", .principal = (char *)"p"};

	(void)arg;
	return store_licence_change(tx, "L", 1, &e);
}

/* What other servers must come to know, and what has to be there before. */
static const struct {
	enum store_kind kind;
	store_fn *before, *change;
} changes[] = {
    {STORE_CATALOGUE, nothing, put_type},
    {STORE_PRINCIPALS, nothing, put_principal},
    {STORE_SEALS, put_seal, suspend_seal},
    {STORE_LICENCES, put_licence, revoke_licence},
};
enum { CHANGES = sizeof(changes) / sizeof(changes[0]) };

#define KILL_ALL                                                                                                       \
	"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"                                                    \
	" WHERE application_name = 'yinzheng' AND pid <> pg_backend_pid()"

struct hammer {
	struct store *store;
	unsigned number, done;
	enum err result;
	atomic_bool *stop;
};

static inline void *write_many(void *arg)
{
	struct hammer *h = arg;

	while (!*h->stop && h->result == ERR_OK) {
		struct piece p = {0};

		snprintf(p.id, sizeof(p.id), "T%u.%u", h->number, h->done);
		h->result = store_write(h->store, piece_fn, &p);
		h->done += h->result == ERR_OK;
	}
	return NULL;
}

enum { HAMMERS = 12 };

struct hammers {
	struct hammer h[HAMMERS];
	pthread_t threads[HAMMERS];
	atomic_bool stop;
};

static inline void hammers_start(struct hammers *all, struct store *s)
{
	all->stop = false;
	for (unsigned i = 0; i < HAMMERS; i++) {
		all->h[i] = (struct hammer){.store = s, .number = i, .stop = &all->stop};
		assert_int_equal(pthread_create(&all->threads[i], NULL, write_many, &all->h[i]), 0);
	}
}

/* How many writes were answered, all of them well. */
static inline int64_t hammers_stop(struct hammers *all)
{
	int64_t done = 0;

	all->stop = true;
	for (unsigned i = 0; i < HAMMERS; i++) {
		pthread_join(all->threads[i], NULL);
		assert_int_equal(all->h[i].result, ERR_OK);
		done += all->h[i].done;
	}
	assert_true(done > HAMMERS);
	return done;
}

/* Threads write while connections are killed at random moments, many in the middle of a COMMIT; `ms` is the shortest
 * time between. How many writes were answered, all of them well: every attempt uses a unique name, so that a write that
 * was run again after it had been committed would be refused. */
static inline int64_t written_under_fire(struct box *b, struct store *s, int rounds, unsigned ms)
{
	struct hammers all;

	hammers_start(&all, s);
	for (int i = 0; i < rounds; i++) {
		nap(ms + (unsigned)i % 7 * (ms / 2));
		(void)ask(b, KILL_ALL);
	}
	return hammers_stop(&all);
}

/* As many receipts and numbered audit entries as writes were answered. */
static inline void all_is_there(struct box *b, int64_t done)
{
	assert_int_equal(ask(b, "SELECT count(*) FROM receipts"), done);
	box_settle(b);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit"), done);
	assert_int_equal(ask(b, "SELECT max(idx) + 1 FROM audit"), done);
}

#endif
