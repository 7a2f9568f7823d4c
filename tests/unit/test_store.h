/*
 * What the tests of the store share: a store of its own for each, a clock that the test moves, and checks that may be
 * made on the writer's thread (cmocka's own may not).
 *
 * The same tests run on both databases: on SQLite in a folder of its own, and when the environment says
 * STORE=postgres in a schema of its own of the database at YZ_PG_URL (scripts/unit.sh starts one).
 */
#ifndef YZ_TEST_STORE_H
#define YZ_TEST_STORE_H

#include "store/store.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { T0 = 1800000000 }; /* seconds; times are T0 * 1000 + … */
#define NOW ((int64_t)T0 * 1000)

struct box {
	bool postgres;
	char dir[64], path[96], url[512];
	char schema[32];
	uint8_t master[32];
	_Atomic int64_t clock;
	struct store_options options;
	struct store *store;
	struct arena *arena;
	int line; /* of the check that failed inside a transaction */
};

static inline void box_options(struct box *b)
{
	b->options = (struct store_options){
	    .url = b->url, .master_key = span_of(b->master, 32), .clock = clock_fixed(&b->clock), .rand = rand_system()};
	b->options.own_time = true;
}

static inline bool on_postgres(void)
{
	const char *store = getenv("STORE");

	return store != NULL && strcmp(store, "postgres") == 0;
}

static inline const char *pg_base(void)
{
	const char *url = getenv("YZ_PG_URL");

	if (url == NULL || url[0] == '\0')
		fail_msg("YZ_PG_URL must name a PostgreSQL: run 'make unit', which starts one");
	return url;
}

/* As somebody else, past the store. */
static inline void pg_sql(const char *url, const char *text)
{
	PGconn *c = PQconnectdb(url);
	PGresult *r;

	if (PQstatus(c) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(c));
	r = PQexec(c, text);
	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", text, PQerrorMessage(c));
	PQclear(r);
	PQfinish(c);
}

static inline void lite_sql(const char *path, const char *text)
{
	sqlite3 *db = NULL;
	char *message = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", text, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline void box_sql(struct box *b, const char *text)
{
	if (b->postgres)
		pg_sql(b->url, text);
	else
		lite_sql(b->path, text);
}

static inline void box_schema(struct box *b)
{
	char text[96];
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	snprintf(b->schema, sizeof(b->schema), "yz%d_%lx", (int)getpid(), t.tv_nsec + t.tv_sec % 1000 * 1000000000L);
	snprintf(b->url, sizeof(b->url), "%s?options=-csearch_path%%3D%s", pg_base(), b->schema);
	snprintf(text, sizeof(text), "CREATE SCHEMA %s", b->schema);
	pg_sql(pg_base(), text);
}

/* A folder and the options; no store yet. */
static inline struct box *box_empty(const char *where)
{
	struct box *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	snprintf(b->dir, sizeof(b->dir), "%s/yzstore.XXXXXX", where);
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/store.db", b->dir);
	b->postgres = on_postgres();
	snprintf(b->url, sizeof(b->url), "sqlite:%s", b->path);
	if (b->postgres)
		box_schema(b);
	memset(b->master, 7, sizeof(b->master));
	b->clock = NOW;
	b->arena = arena_new(64 << 20);
	assert_non_null(b->arena);
	box_options(b);
	return b;
}

static inline void box_open(struct box *b)
{
	struct err_note note;

	assert_int_equal(store_open(&b->options, &b->store, &note), ERR_OK);
}

static inline void box_close(struct box *b)
{
	store_close(b->store);
	b->store = NULL;
}

static inline struct box *box_new_in(const char *where)
{
	struct box *b = box_empty(where);
	struct err_note note;

	assert_int_equal(store_create(&b->options, &note), ERR_OK);
	box_open(b);
	return b;
}

static inline void box_free(struct box *b)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char path[128];

	box_close(b);
	if (b->postgres) {
		snprintf(path, sizeof(path), "SET client_min_messages = warning; DROP SCHEMA %s CASCADE", b->schema);
		pg_sql(pg_base(), path);
	}
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", b->path, tails[i]);
		unlink(path);
	}
	rmdir(b->dir);
	arena_free(b->arena);
	free(b);
}

static inline int box_setup(void **state)
{
	*state = box_new_in("/tmp");
	return 0;
}

static inline int box_teardown(void **state)
{
	box_free(*state);
	return 0;
}

/* In a store_fn whose arg is the box. */
#define CHECK(condition)                                                                                               \
	do {                                                                                                               \
		if (!(condition)) {                                                                                            \
			b->line = __LINE__;                                                                                        \
			return ERR_INTERNAL;                                                                                       \
		}                                                                                                              \
	} while (0)
#define CHECK_ERR(call, expected)                                                                                      \
	do {                                                                                                               \
		enum err got_ = (call);                                                                                        \
		if (got_ != (expected)) {                                                                                      \
			fprintf(stderr, "line %d: %s, not %s\n", __LINE__, err_name(got_), err_name(expected));                    \
			b->line = __LINE__;                                                                                        \
			return ERR_INTERNAL;                                                                                       \
		}                                                                                                              \
	} while (0)
#define CHECK_OK(call) CHECK_ERR(call, ERR_OK)

static inline void box_write(struct box *b, store_fn *fn)
{
	enum err e;

	b->line = 0;
	e = store_write(b->store, fn, b);
	if (e != ERR_OK)
		fail_msg("write: %s, line %d", err_name(e), b->line);
}

static inline void box_read(struct box *b, store_fn *fn)
{
	enum err e;

	b->line = 0;
	e = store_read(b->store, fn, b);
	if (e != ERR_OK)
		fail_msg("read: %s, line %d", err_name(e), b->line);
}

static inline enum err waiting_entries(struct store_tx *tx, void *arg)
{
	return store_audit_waiting(tx, arg);
}

/* Until every audit entry has its number. */
static inline void box_settle(struct box *b)
{
	uint64_t n = 1;

	for (int i = 0; i < 500 && n != 0; i++) {
		assert_int_equal(store_read(b->store, waiting_entries, &n), ERR_OK);
		if (n != 0)
			nanosleep(&(struct timespec){.tv_nsec = 10000000L}, NULL);
	}
	assert_int_equal(n, 0);
}

static inline bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

#endif
