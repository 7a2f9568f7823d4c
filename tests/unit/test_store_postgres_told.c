/* Servers on one PostgreSQL that tell one another of changes (LISTEN and NOTIFY), and that look by themselves when they
 * are not told. The second server looks once a minute here, unless it is told. */
#include "postgres_help.h"

enum { MINUTE = 60000, SOON = 1000 };

static struct store *looking_every(struct box *b, unsigned ms)
{
	struct store *s = NULL;

	b->options.watch_ms = ms;
	assert_int_equal(store_open(&b->options, &s, NULL), ERR_OK);
	b->options.watch_ms = 0;
	return s;
}

/* How long it took, ms; at most five seconds. */
static int64_t until_known(struct store *s, enum store_kind kind, uint64_t epoch)
{
	int64_t began = clock_monotonic_ms();

	while (store_epoch(s, kind) == epoch && clock_monotonic_ms() < began + 5000)
		nap(1);
	return clock_monotonic_ms() - began;
}

static int64_t change_catalogue(struct box *b, struct store *other)
{
	uint64_t epoch = store_epoch(other, STORE_CATALOGUE);

	assert_int_equal(store_write(b->store, put_type, NULL), ERR_OK);
	return until_known(other, STORE_CATALOGUE, epoch);
}

/* The look that follows a new connection is over. */
static void wait_for_listener(struct box *b, struct store *other)
{
	assert_true(change_catalogue(b, other) < 5000);
	nap(100);
}

static void told_at_once(void **state)
{
	struct box *b = *state;
	struct store *other = looking_every(b, MINUTE);
	int64_t took, most = 0;

	wait_for_listener(b, other);
	for (size_t i = 0; i < CHANGES; i++) {
		uint64_t epoch;

		assert_int_equal(store_write(b->store, changes[i].before, NULL), ERR_OK);
		epoch = store_epoch(other, changes[i].kind);
		assert_int_equal(store_write(b->store, changes[i].change, NULL), ERR_OK);
		took = until_known(other, changes[i].kind, epoch);
		most = took > most ? took : most;
	}
	assert_in_range(most, 0, SOON);
	store_close(other);
}

/* What is told while nobody listens is found when the connection has been made anew; then it listens again. */
static void listens_again(void **state)
{
	struct box *b = *state;
	struct store *other = looking_every(b, MINUTE);

	wait_for_listener(b, other);
	for (int i = 0; i < 3; i++) {
		assert_true(ask(b, KILL_ALL) > 0);
		assert_in_range(change_catalogue(b, other), 0, 3000);
		nap(1200); /* every connection has been made anew */
		assert_in_range(change_catalogue(b, other), 0, SOON);
	}
	store_close(other);
}

/* A change of which nothing is heard is found all the same. */
static void looks_by_itself(void **state)
{
	struct box *b = *state;
	struct store *other = looking_every(b, 1500);
	uint64_t epoch;

	wait_for_listener(b, other);
	for (int i = 0; i < 2; i++) {
		epoch = store_epoch(other, STORE_CATALOGUE);
		box_sql(b, "UPDATE versions SET version = version + 1");
		assert_in_range(until_known(other, STORE_CATALOGUE, epoch), 500, 3000);
	}
	store_close(other);
}

/* Where nothing can be told, changes are made and found all the same. */
static void without_notifications(void **state)
{
	struct box *b = *state;
	char url[600];
	struct store *other;

	box_close(b);
	box_sql(b, "CREATE FUNCTION pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS"
	           " 'BEGIN RAISE EXCEPTION ''no''; END'");
	snprintf(url, sizeof(url), "%s%%2Cpg_catalog", b->url);
	b->options.url = url;
	box_open(b);
	other = looking_every(b, 1500);
	assert_true(change_catalogue(b, other) < 5000);
	nap(100);
	for (int i = 0; i < 2; i++)
		assert_in_range(change_catalogue(b, other), 500, 3000);
	store_close(other);
	b->options.url = b->url;
}

/* ---- who tells ------------------------------------------------------------------------------ */

static PGconn *listener(struct box *b)
{
	char text[64];
	PGconn *c = PQconnectdb(b->url);

	snprintf(text, sizeof(text), "LISTEN yinzheng_%lld",
	         (long long)ask(b, "SELECT current_schema()::regnamespace::oid::bigint"));
	PQclear(PQexec(c, text));
	assert_int_equal(PQstatus(c), CONNECTION_OK);
	return c;
}

/* How often it was told since the last time, what is told soon with it; never anything but that. */
static int told(PGconn *c)
{
	PGnotify *n;
	int times = 0;

	nap(150);
	PQclear(PQexec(c, "SELECT 1"));
	while ((n = PQnotifies(c)) != NULL) {
		assert_string_equal(n->extra, "");
		PQfreemem(n);
		times++;
	}
	return times;
}

static enum err ordinary(struct store_tx *tx, void *arg)
{
	struct code_row c = {.hash = {*(uint8_t *)arg}, .body = span_str("x"), .expires = INT64_MAX};
	struct replay r = {.request_digest = {1}, .reply = span_str("x")};
	uint8_t id[REQUEST_ID_LEN] = {*(uint8_t *)arg};
	struct audit_row entry = {.action = (char *)"a", .principal = (char *)"p"};
	enum err e = store_code_insert(tx, &c);

	if (e == ERR_OK)
		e = store_replay_put(tx, "p", id, &r);
	return e == ERR_OK ? store_audit_append(tx, &entry) : e;
}

static enum err spend(struct store_tx *tx, void *arg)
{
	uint8_t hash[SM3_LEN] = {*(uint8_t *)arg};
	struct audit_row entry = {.action = (char *)"a", .principal = (char *)"p"};
	enum err e = store_code_spend(tx, hash, "p");

	return e == ERR_OK ? store_audit_append(tx, &entry) : e;
}

/* What happens at every call is no news to others. */
static void ordinary_calls_tell_nothing(void **state)
{
	struct box *b = *state, *elsewhere = box_new_in("/tmp");
	PGconn *c = listener(b), *d = listener(elsewhere);
	struct piece p = {.id = "R"};

	for (uint8_t i = 0; i < 3; i++) {
		assert_int_equal(store_write(b->store, ordinary, &i), ERR_OK);
		assert_int_equal(store_write(b->store, spend, &i), ERR_OK);
	}
	assert_int_equal(store_write(b->store, piece_fn, &p), ERR_OK);
	assert_int_equal(store_write(b->store, put_seal, NULL), ERR_OK);
	assert_int_equal(store_write(b->store, put_licence, NULL), ERR_OK);
	box_settle(b);
	nap(1200); /* the lease and the mark of time were renewed, too */
	assert_int_equal(told(c), 0);
	for (size_t i = 0; i < CHANGES; i++) {
		assert_int_equal(store_write(b->store, changes[i].change, NULL), ERR_OK);
		assert_int_equal(told(c), 1);
	}
	assert_int_equal(told(d), 0); /* of another store */
	PQfinish(c);
	PQfinish(d);
	box_free(elsewhere);
}

static enum err change_and_refuse(struct store_tx *tx, void *arg)
{
	enum err e = put_type(tx, arg);

	return e == ERR_OK ? ERR_NOT_FOUND : e;
}

/* Two changes in one transaction are told once; one that does not take place is not told. */
static enum err change_two(struct store_tx *tx, void *arg)
{
	enum err e = put_type(tx, arg);

	return e == ERR_OK ? put_principal(tx, arg) : e;
}

static void told_after_the_commit(void **state)
{
	struct box *b = *state;
	PGconn *c = listener(b);

	assert_int_equal(store_write(b->store, change_and_refuse, NULL), ERR_NOT_FOUND);
	assert_int_equal(told(c), 0);
	assert_int_equal(store_write(b->store, change_two, NULL), ERR_OK);
	assert_int_equal(told(c), 1);
	PQfinish(c);
}

/* Commits that notify wait for one another, so many changes are told by few. */
static void many_changes_are_told_once(void **state)
{
	enum { MANY = 200 };
	struct box *b = *state;
	PGconn *c = listener(b);
	int times;

	for (int i = 0; i < MANY; i++)
		assert_int_equal(store_write(b->store, put_type, NULL), ERR_OK);
	times = told(c);
	assert_in_range(times, 1, MANY / 2);
	PQfinish(c);
}

/* ---- too much is told ----------------------------------------------------------------------- */

static uint64_t reads(struct store *s)
{
	struct store_figures f;
	uint64_t n = 0;

	store_figures(s, &f);
	for (size_t i = 0; i < STORE_BUCKETS; i++)
		n += f.read.bucket[i];
	return n;
}

/* Somebody who tells all the time makes a server look a hundred times a second at most, and hears and ends as before.
 */
static void a_flood(void **state)
{
	struct box *b = *state;
	struct store *other = looking_every(b, MINUTE);
	PGconn *c = PQconnectdb(b->url);
	int64_t began, sent = 0;
	uint64_t before, looks;

	wait_for_listener(b, other);
	before = reads(other);
	began = clock_monotonic_ms();
	for (; clock_monotonic_ms() < began + 1000; sent++)
		PQclear(PQexec(c, "SELECT pg_notify('yinzheng_' || current_schema()::regnamespace::oid::text, '')"));
	looks = reads(other) - before;
	assert_true(sent > 200);
	assert_in_range(looks, 10, 130); /* ten a second are for numbers that are waited for */
	nap(100);
	assert_in_range(change_catalogue(b, other), 0, SOON);
	PQfinish(c);
	began = clock_monotonic_ms();
	store_close(other);
	assert_true(clock_monotonic_ms() - began < SOON);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(told_at_once),
	    T(listens_again),
	    T(looks_by_itself),
	    T(without_notifications),
	    T(ordinary_calls_tell_nothing),
	    T(told_after_the_commit),
	    T(many_changes_are_told_once),
	    T(a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
