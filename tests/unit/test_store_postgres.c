/* What only a database server can do to us: connections that end in the middle of anything, commits whose answer is
 * lost, transactions that stand in each other's way. */
#include "postgres_help.h"

#include "store/internal.h"

/* ---- connections end ------------------------------------------------------------------------ */

/* Idle connections are gone: whoever comes next does not notice. */
static void idle_connections_end(void **state)
{
	struct box *b = *state;
	struct piece p = {.id = "R1"}, q = {.id = "R2"};

	assert_int_equal(store_write(b->store, piece_fn, &p), ERR_OK);
	assert_int_equal(store_ping(b->store), ERR_OK);
	for (int i = 0; i < 3; i++) {
		assert_true(ask(b, KILL_ALL) > 0);
		assert_int_equal(store_ping(b->store), ERR_OK);
		snprintf(q.id, sizeof(q.id), "Q%d", i);
		assert_int_equal(store_write(b->store, piece_fn, &q), ERR_OK);
	}
	assert_int_equal(ask(b, "SELECT count(*) FROM receipts"), 4);
}

static void *terminate_soon(void *arg)
{
	nap(30);
	(void)ask(arg, KILL_ALL);
	return NULL;
}

/* In the middle of a transaction, before its commit left: it is run again. */
static void ends_before_the_commit(void **state)
{
	struct box *b = *state;
	struct piece p = {.id = "R1", .hold_ms = 120};
	pthread_t killer;

	assert_int_equal(pthread_create(&killer, NULL, terminate_soon, b), 0);
	assert_int_equal(store_write(b->store, piece_fn, &p), ERR_OK);
	pthread_join(killer, NULL);
	assert_true(p.runs >= 2);
	assert_int_equal(ask(b, "SELECT count(*) FROM receipts"), 1);
	box_settle(b);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit"), 1);
}

/* Whatever was answered is there, once, with its entry. */
static void killed_under_load(void **state)
{
	struct box *b = *state;

	all_is_there(b, written_under_fire(b, b->store, 40, 13));
}

/* ---- a commit whose answer is lost ---------------------------------------------------------- */

static enum err open_lane(struct box *b, struct db **out)
{
	static const uint8_t id[DB_WRITER_ID] = {7};
	enum err e = driver_postgres.fresh(b->url, out);

	if (e == ERR_OK)
		driver_postgres.enlist(*out, id);
	return e;
}

static enum err run_receipt(struct store_tx *tx, const char *id)
{
	struct receipt_row r = {.id = (char *)(uintptr_t)id, .principal = (char *)"p", .body = span_str("x")};

	return store_receipt_insert(tx, &r);
}

/* settle() tells one that took place from one that did not, and the one that did not can take place no more. */
static void settled(void **state)
{
	struct box *b = *state;
	struct db *db = NULL;
	struct store_tx tx = {.store = b->store};
	bool committed = true;

	assert_int_equal(open_lane(b, &db), ERR_OK);
	tx.db = db;
	assert_int_equal(driver_postgres.begin(db, DB_WRITE), ERR_OK);
	assert_int_equal(run_receipt(&tx, "one"), ERR_OK);
	assert_int_equal(driver_postgres.commit(db), ERR_OK);
	/* the count was raised by somebody: as by a commit whose answer did not come */
	box_sql(b, "UPDATE writers SET n = n + 1 WHERE get_byte(id, 0) = 7 AND get_byte(id, 1) = 0");
	assert_int_equal(driver_postgres.settle(db, &committed), ERR_OK);
	assert_true(committed);
	assert_int_equal(driver_postgres.settle(db, &committed), ERR_OK);
	assert_false(committed);
	/* goes on after both */
	assert_int_equal(driver_postgres.begin(db, DB_WRITE), ERR_OK);
	assert_int_equal(run_receipt(&tx, "two"), ERR_OK);
	assert_int_equal(driver_postgres.commit(db), ERR_OK);
	/* one that is still on its way when settle() has judged fails */
	assert_int_equal(driver_postgres.begin(db, DB_WRITE), ERR_OK);
	assert_int_equal(run_receipt(&tx, "late"), ERR_OK);
	box_sql(b, "UPDATE writers SET n = n + 2 WHERE get_byte(id, 0) = 7 AND get_byte(id, 1) = 0");
	assert_int_not_equal(driver_postgres.commit(db), ERR_OK);
	driver_postgres.rollback(db);
	assert_int_equal(ask(b, "SELECT count(*) FROM receipts WHERE id = 'late'"), 0);
	assert_int_equal(ask(b, "SELECT count(*) FROM receipts"), 2);
	driver_postgres.close(db);
}

/* What came of it could not be found out: under its old id the lane would be refused for ever, under a new one it goes
 * on. */
static void never_settled(void **state)
{
	static const uint8_t another[DB_WRITER_ID] = {8};
	struct box *b = *state;
	struct db *db = NULL;
	struct store_tx tx = {.store = b->store};

	assert_int_equal(open_lane(b, &db), ERR_OK);
	tx.db = db;
	assert_int_equal(driver_postgres.begin(db, DB_WRITE), ERR_OK);
	assert_int_equal(run_receipt(&tx, "one"), ERR_OK);
	assert_int_equal(driver_postgres.commit(db), ERR_OK);
	box_sql(b, "UPDATE writers SET n = n + 1 WHERE get_byte(id, 0) = 7 AND get_byte(id, 1) = 0");
	driver_postgres.enlist(db, another);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(driver_postgres.begin(db, DB_WRITE), ERR_OK);
		assert_int_equal(run_receipt(&tx, i == 0 ? "two" : "three"), ERR_OK);
		assert_int_equal(driver_postgres.commit(db), ERR_OK);
	}
	assert_int_equal(ask(b, "SELECT count(*) FROM receipts"), 3);
	driver_postgres.close(db);
}

/* ---- conflicts ------------------------------------------------------------------------------ */

struct admin {
	struct store *store;
	const char *id;
	enum err result;
};

/* Each of the two administrators disables the other, seeing that there are two. */
static enum err disable(struct store_tx *tx, void *arg)
{
	struct admin *a = arg;
	struct arena *arena = arena_new(1 << 20);
	struct principal p;
	uint64_t n = 0;
	enum err e = store_principal_count(tx, ROLE_SECURITY, &n);

	if (e == ERR_OK && n < 2)
		e = ERR_LAST_SECURITY;
	if (e == ERR_OK)
		e = store_principal_get(tx, arena, a->id, &p);
	if (e == ERR_OK) {
		nap(20);
		p.disabled = true;
		e = store_principal_put(tx, &p);
	}
	arena_free(arena);
	return e;
}

static void *disable_one(void *arg)
{
	struct admin *a = arg;

	a->result = store_write(a->store, disable, a);
	return NULL;
}

static enum err two_admins(struct store_tx *tx, void *arg)
{
	struct principal p = {.id = (char *)"s1", .name = (char *)"n", .roles = ROLE_SECURITY};
	enum err e = store_principal_put(tx, &p);

	(void)arg;
	p.id = (char *)"s2";
	return e == ERR_OK ? store_principal_put(tx, &p) : e;
}

static void one_administrator_remains(void **state)
{
	struct box *b = *state;
	struct store *other = second(b);
	struct admin a[2] = {{.store = b->store, .id = "s1"}, {.store = other, .id = "s2"}};
	pthread_t threads[2];

	assert_int_equal(store_write(b->store, two_admins, b), ERR_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, disable_one, &a[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_true((a[0].result == ERR_OK) != (a[1].result == ERR_OK));
	assert_true(a[0].result == ERR_LAST_SECURITY || a[1].result == ERR_LAST_SECURITY);
	assert_int_equal(ask(b, "SELECT count(*) FROM principals WHERE disabled = 0"), 1);
	store_close(other);
}

struct crossing {
	struct store *store;
	const char *first, *then;
	enum err result;
};

static enum err change_both(struct store_tx *tx, void *arg)
{
	const struct crossing *c = arg;
	struct query q;
	enum err e = ERR_OK;

	for (int i = 0; i < 2 && e == ERR_OK; i++) {
		q_open(&q, tx, "UPDATE receipts SET time = time + 1 WHERE id = $1");
		q_put_text(&q, i == 0 ? c->first : c->then);
		e = q_run(&q, NULL);
		nap(50);
	}
	return e;
}

static void *change(void *arg)
{
	struct crossing *c = arg;

	c->result = store_write(c->store, change_both, c);
	return NULL;
}

/* Two that lock what the other one wants. */
static void deadlock(void **state)
{
	struct box *b = *state;
	struct crossing c[2] = {{b->store, "A", "B", ERR_OK}, {b->store, "B", "A", ERR_OK}};
	struct piece one = {.id = "A"}, two = {.id = "B"};
	pthread_t threads[2];

	assert_int_equal(store_write(b->store, piece_fn, &one), ERR_OK);
	assert_int_equal(store_write(b->store, piece_fn, &two), ERR_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, change, &c[i]), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(c[i].result, ERR_OK);
	}
	assert_int_equal(ask(b, "SELECT sum(time) FROM receipts"), 4);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(idle_connections_end), T(ends_before_the_commit),    T(killed_under_load), T(settled),
	    T(never_settled),        T(one_administrator_remains), T(deadlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
