/* Rows by which lost COMMITs are judged, of writers that are no more: they are taken out, and nobody is judged wrongly
 * for it. */
#include "postgres_help.h"

#include "store/internal.h"

enum { DAY = 24 * 60 * 60 * 1000 };

static const uint8_t own_id[DB_WRITER_ID] = {7};
#define OWN_ROW "get_byte(id, 0) = 7 AND get_byte(id, 1) = 0"
#define OLD_ROW "length(id) = 3"
#define MARK                                                                                                           \
	"WITH changed AS (UPDATE writers SET n = CASE WHEN n = %lld THEN n + 1 ELSE NULL END WHERE " OWN_ROW               \
	" RETURNING 1) SELECT 1 / count(*) FROM changed"

static struct db *open_lane(struct box *b)
{
	struct db *db = NULL;

	assert_int_equal(driver_postgres.fresh(b->url, &db), ERR_OK);
	driver_postgres.enlist(db, own_id);
	return db;
}

static enum err begin_receipt(struct box *b, struct db *db, const char *id)
{
	struct store_tx tx = {.store = b->store, .db = db};
	struct receipt_row r = {.id = (char *)(uintptr_t)id, .principal = (char *)"p", .body = span_str("x")};
	enum err e = driver_postgres.begin(db, DB_WRITE);

	return e == ERR_OK ? store_receipt_insert(&tx, &r) : e;
}

static enum err write_receipt(struct box *b, struct db *db, const char *id)
{
	enum err e = begin_receipt(b, db, id);

	if (e == ERR_OK)
		e = driver_postgres.commit(db);
	if (e != ERR_OK)
		driver_postgres.rollback(db);
	return e;
}

static int64_t receipts(struct box *b)
{
	return ask(b, "SELECT count(*) FROM receipts");
}

static void in_vain(PGconn *c, const char *text, const char *state)
{
	PGresult *r = PQexec(c, text);

	assert_string_equal(PQresultErrorField(r, PG_DIAG_SQLSTATE), state);
	PQclear(r);
}

static void in_order(PGconn *c, const char *text)
{
	PGresult *r = PQexec(c, text);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", text, PQerrorMessage(c));
	PQclear(r);
}

/* Past the store, and without holding up the end of a test that fails. */
static PGconn *outsider(struct box *b)
{
	PGconn *c = PQconnectdb(b->url);

	in_order(c, "SET idle_in_transaction_session_timeout = '10s'");
	return c;
}

static void wait_for(struct box *b, const char *text, int64_t value)
{
	for (int i = 0; i < 300 && ask(b, text) != value; i++)
		nap(10);
	assert_int_equal(ask(b, text), value);
}

/* ---- a writer without its row --------------------------------------------------------------- */

/* What is on its way when the row goes is not committed; the writer is told that another attempt is worth it, and makes
 * the row again as it was. */
static void made_again(void **state)
{
	struct box *b = *state;
	struct db *db = open_lane(b);
	bool committed = true;

	assert_int_equal(write_receipt(b, db, "one"), ERR_OK);
	assert_int_equal(write_receipt(b, db, "two"), ERR_OK);
	assert_int_equal(begin_receipt(b, db, "three"), ERR_OK);
	box_sql(b, "DELETE FROM writers WHERE " OWN_ROW);
	assert_int_equal(driver_postgres.commit(db), ERR_STORE_BUSY);
	assert_int_equal(driver_postgres.fault(db), DB_CONFLICT);
	driver_postgres.rollback(db);
	assert_int_equal(receipts(b), 2);
	assert_int_equal(ask(b, "SELECT count(*) FROM writers WHERE " OWN_ROW), 0);
	assert_int_equal(write_receipt(b, db, "three"), ERR_OK);
	assert_int_equal(ask(b, "SELECT n FROM writers WHERE " OWN_ROW), 3);
	assert_int_equal(driver_postgres.settle(db, &committed), ERR_OK);
	assert_false(committed);
	assert_int_equal(write_receipt(b, db, "four"), ERR_OK);
	assert_int_equal(receipts(b), 4);
	driver_postgres.close(db);
}

/* Whether it was committed cannot be told without the row, and neither is said. */
static void not_judged_without(void **state)
{
	static const uint8_t another[DB_WRITER_ID] = {8};
	struct box *b = *state;
	struct db *db = open_lane(b);

	for (int i = 0; i < 2; i++) {
		const char *before = i == 0 ? "committed" : "not";
		bool committed = i == 0;

		driver_postgres.enlist(db, own_id);
		assert_int_equal(write_receipt(b, db, before), ERR_OK);
		if (i == 0)
			box_sql(b, "UPDATE writers SET n = n + 1 WHERE " OWN_ROW);
		box_sql(b, "DELETE FROM writers WHERE " OWN_ROW);
		for (int k = 0; k < 2; k++) {
			assert_int_equal(driver_postgres.settle(db, &committed), ERR_STORE_CORRUPT);
			assert_int_equal(committed, i == 0); /* as it was */
			assert_int_equal(ask(b, "SELECT count(*) FROM writers WHERE " OWN_ROW), 0);
		}
		driver_postgres.enlist(db, another); /* as single.c does */
		assert_int_equal(write_receipt(b, db, i == 0 ? "three" : "four"), ERR_OK);
		box_sql(b, "DELETE FROM writers WHERE get_byte(id, 0) = 8");
	}
	driver_postgres.close(db);
}

/* What was judged not to be committed cannot be committed later: neither while there is no row, nor when there is one
 * again. */
static void late_ones_fail(void **state)
{
	struct box *b = *state;
	struct db *db = open_lane(b);
	PGconn *late = outsider(b);
	bool committed = true;
	char mark[300];

	assert_int_equal(write_receipt(b, db, "one"), ERR_OK);
	snprintf(mark, sizeof(mark), MARK, 1LL);
	assert_int_equal(driver_postgres.settle(db, &committed), ERR_OK); /* of the one that is late */
	assert_false(committed);
	for (int i = 0; i < 4; i++) {
		in_order(late, "BEGIN");
		in_order(late, "INSERT INTO receipts VALUES ('late', 'p', 0, '')");
		if (i % 2 == 0)
			box_sql(b, "DELETE FROM writers WHERE " OWN_ROW);
		else
			while (write_receipt(b, db, i == 1 ? "two" : "three") != ERR_OK)
				assert_int_equal(driver_postgres.fault(db), DB_CONFLICT);
		in_vain(late, mark, i % 2 == 0 ? "22012" : "23502");
		in_order(late, "COMMIT");
	}
	assert_int_equal(receipts(b), 3);
	PQfinish(late);
	driver_postgres.close(db);
}

/* One that somebody is counting in is left: it would wait. */
#define TAKE_ALL                                                                                                       \
	"WITH gone AS (DELETE FROM writers WHERE id = ANY (ARRAY(SELECT id FROM writers FOR UPDATE SKIP LOCKED))"          \
	" RETURNING 1) SELECT count(*) FROM gone"

/* ---- under load ----------------------------------------------------------------------------- */

struct shot {
	struct store *store;
	unsigned number, sure, unsure;
	enum err result;
	atomic_bool *stop;
};

static void *write_or_ask(void *arg)
{
	struct shot *h = arg;

	while (!*h->stop) {
		struct piece p = {0};
		enum err e;

		snprintf(p.id, sizeof(p.id), "T%u.%u", h->number, h->sure + h->unsure);
		e = store_write(h->store, piece_fn, &p);
		h->sure += e == ERR_OK;
		h->unsure += e == ERR_STORE_UNSURE;
		if (e != ERR_OK && e != ERR_STORE_UNSURE) {
			h->result = e;
			break;
		}
	}
	return NULL;
}

/* Rows go all the time: no call notices. */
static void taken_under_load(void **state)
{
	struct box *b = *state;
	struct hammers all;

	hammers_start(&all, b->store);
	for (int i = 0; i < 40; i++) {
		nap(10 + (unsigned)i % 7 * 5);
		(void)ask(b, TAKE_ALL);
	}
	all_is_there(b, hammers_stop(&all));
}

/* Rows go and connections end, often in the middle of a COMMIT: what was answered is there, once; where nobody could
 * tell, it may be. */
static void taken_under_fire(void **state)
{
	enum { SHOTS = 8 };
	struct box *b = *state;
	struct shot h[SHOTS];
	pthread_t threads[SHOTS];
	atomic_bool stop = false;
	int64_t sure = 0, unsure = 0, there;

	for (unsigned i = 0; i < SHOTS; i++) {
		h[i] = (struct shot){.store = b->store, .number = i, .stop = &stop};
		assert_int_equal(pthread_create(&threads[i], NULL, write_or_ask, &h[i]), 0);
	}
	for (int i = 0; i < 40; i++) {
		nap(15 + (unsigned)i % 7 * 6);
		(void)ask(b,
		          i % 2 == 0 ? KILL_ALL : "WITH gone AS (DELETE FROM writers RETURNING 1) SELECT count(*) FROM gone");
	}
	stop = true;
	for (unsigned i = 0; i < SHOTS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(h[i].result, ERR_OK);
		sure += h[i].sure;
		unsure += h[i].unsure;
	}
	there = receipts(b);
	assert_true(sure > SHOTS);
	assert_in_range(there, sure, sure + unsure);
	all_is_there(b, there);
}

/* ---- taking out ----------------------------------------------------------------------------- */

static enum err tidy(struct store_tx *tx, void *arg)
{
	struct query q;

	q_open(&q, tx, driver_postgres.tidy);
	q_put_int(&q, tx->now);
	q_put_int(&q, tx->now - *(int64_t *)arg);
	return q_run(&q, NULL);
}

static void tidy_now(struct box *b, int64_t age)
{
	assert_int_equal(store_write(b->store, tidy, &age), ERR_OK);
}

/* The store that was just opened does it, too, once. */
static void keeper_has_tidied(struct box *b)
{
	wait_for(b, "SELECT least(count(*), 1) FROM writers WHERE seen >= 0", 1); /* its own row, for one */
}

static int64_t old_rows(struct box *b)
{
	return ask(b, "SELECT count(*) FROM writers WHERE " OLD_ROW);
}

/* A row that has not counted for a week goes; one that has counted since it was seen last does not, whoever made it. */
static void dead_rows_go(void **state)
{
	struct box *b = *state;

	keeper_has_tidied(b);
	box_sql(b, "INSERT INTO writers (id, n) VALUES ('\\x000001', 5), ('\\x000002', 0)"); /* as a server of schema 2 */
	for (int day = 0; day < 7; day++) {
		tidy_now(b, 7LL * DAY);
		assert_int_equal(old_rows(b), 2);
		b->clock += DAY;
	}
	box_sql(b, "UPDATE writers SET n = n + 1 WHERE id = '\\x000001'");
	tidy_now(b, 7LL * DAY); /* to the day */
	assert_int_equal(old_rows(b), 2);
	b->clock += 1;
	tidy_now(b, 7LL * DAY);
	assert_int_equal(old_rows(b), 1);
	assert_int_equal(ask(b, "SELECT n FROM writers WHERE " OLD_ROW), 6);
	b->clock += 7LL * DAY + 1;
	tidy_now(b, 7LL * DAY);
	assert_int_equal(old_rows(b), 0);
}

/* The server that gives the numbers does it, as soon as it does that. */
static void the_keeper_tidies(void **state)
{
	struct box *b = *state;

	box_close(b);
	assert_int_equal(ask(b, "SELECT count(*) FROM writers"), 0); /* a server that ends in order leaves none */
	box_sql(
	    b,
	    "INSERT INTO writers (id, n) SELECT decode(lpad(to_hex(i), 6, '0'), 'hex'), 3 FROM generate_series(1, 50) i");
	box_open(b);
	wait_for(b, "SELECT count(*) FROM writers WHERE seen = 3 AND since = 1800000000000 AND " OLD_ROW, 50);
	box_close(b);
	b->clock += 7LL * DAY + 1;
	box_open(b);
	wait_for(b, "SELECT count(*) FROM writers WHERE " OLD_ROW, 0);
}

/* A COMMIT that waits holds its row, and nobody waits for it. */
static void a_held_row_stays(void **state)
{
	struct box *b = *state;
	PGconn *c = outsider(b);
	int64_t began;

	keeper_has_tidied(b);
	box_sql(b, "INSERT INTO writers (id, n) VALUES ('\\x000001', 5), ('\\x000002', 5)");
	tidy_now(b, 7LL * DAY);
	b->clock += 8LL * DAY;
	in_order(c, "BEGIN");
	in_order(c, "UPDATE writers SET n = n + 1 WHERE id = '\\x000001'");
	began = clock_monotonic_ms();
	tidy_now(b, 7LL * DAY);
	assert_true(clock_monotonic_ms() - began < 1000);
	assert_int_equal(old_rows(b), 1);
	in_order(c, "COMMIT");
	tidy_now(b, 7LL * DAY);
	assert_int_equal(old_rows(b), 1);
	PQfinish(c);
}

/* A server to whom nobody has come for a week has lost its rows, and writes as before. */
static void idle_for_long(void **state)
{
	struct box *b = *state;
	struct store *idle = second(b);
	struct piece p = {.id = "A"}, q = {.id = "B"};

	keeper_has_tidied(b);
	assert_int_equal(store_write(idle, piece_fn, &p), ERR_OK);
	tidy_now(b, 7LL * DAY);
	b->clock += 8LL * DAY;
	box_sql(b, "UPDATE writers SET since = 0 WHERE n = seen");
	tidy_now(b, 7LL * DAY);
	assert_int_equal(store_write(idle, piece_fn, &q), ERR_OK);
	for (int i = 0; i < 20; i++) {
		struct piece more = {0};

		snprintf(more.id, sizeof(more.id), "C%d", i);
		assert_int_equal(store_write(i % 2 == 0 ? idle : b->store, piece_fn, &more), ERR_OK);
		if (i % 5 == 0)
			tidy_now(b, -DAY); /* everything that is not just counting */
	}
	all_is_there(b, 22);
	store_close(idle);
}

/* ---- from the schema before ----------------------------------------------------------------- */

/* While a server of schema 2 works on, with the statements that it prepared before. */
static void from_schema_2(void **state)
{
	struct box *b = *state;
	PGconn *old = outsider(b);

	box_close(b);
	box_sql(b, "ALTER TABLE writers DROP COLUMN seen, DROP COLUMN since; UPDATE meta SET num = 2 WHERE key = 'schema'");
	in_order(old, "SET plan_cache_mode = force_generic_plan");
	in_order(old, "PREPARE list AS INSERT INTO writers (id, n) VALUES ($1, 0) ON CONFLICT (id) DO NOTHING");
	in_order(old, "PREPARE mark AS UPDATE writers SET n = CASE WHEN n = $2 THEN n + 1 ELSE NULL END WHERE id = $1");
	in_order(old, "PREPARE judge AS SELECT n FROM writers WHERE id = $1 FOR UPDATE");
	in_order(old, "EXECUTE list('\\x000001')");
	in_order(old, "EXECUTE list('\\x000002')");
	in_order(old, "EXECUTE mark('\\x000001', 0)");
	in_order(old, "EXECUTE judge('\\x000001')");
	box_open(b);
	assert_int_equal(ask(b, "SELECT num FROM meta WHERE key = 'schema'"), STORE_SCHEMA);
	keeper_has_tidied(b);
	in_order(old, "EXECUTE mark('\\x000001', 1)");
	in_vain(old, "EXECUTE mark('\\x000001', 1)", "23502");
	in_order(old, "EXECUTE judge('\\x000001')");
	in_order(old, "EXECUTE list('\\x000003')");
	tidy_now(b, 7LL * DAY);
	assert_int_equal(old_rows(b), 3);
	b->clock += 7LL * DAY + 1;
	in_order(old, "EXECUTE mark('\\x000001', 2)");
	tidy_now(b, 7LL * DAY);
	assert_int_equal(old_rows(b), 1);
	assert_int_equal(ask(b, "SELECT n FROM writers WHERE " OLD_ROW), 3);
	PQfinish(old);
	box_close(b);
	box_open(b); /* and once more, as it is now */
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(made_again),   T(not_judged_without), T(late_ones_fail),   T(taken_under_load), T(taken_under_fire),
	    T(dead_rows_go), T(the_keeper_tidies),  T(a_held_row_stays), T(idle_for_long),    T(from_schema_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
