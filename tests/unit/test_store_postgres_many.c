/* Writes that wait at the same time share a transaction on PostgreSQL: what goes together, what goes alone, and that
 * nobody's outcome depends on his neighbours. */
#include "postgres_help.h"

#include "store/internal.h"

enum { MANY = 8 };

/* A write, and its answer. */
struct ticket {
	store_fn *fn;
	void *arg;
	int64_t left_ms;
	atomic_bool answered;
	enum err result;
};

static enum err call(struct store_tx *tx, void *arg)
{
	struct ticket *t = arg;

	return t->fn(tx, t->arg);
}

static void answered(void *arg, enum err result)
{
	struct ticket *t = arg;

	t->result = result;
	t->answered = true;
}

/* The only writer is busy while they are handed in, so that they wait for it together. */
static void all_at_once(struct store *s, struct ticket *tickets, size_t n)
{
	struct piece first = {.id = "first", .hold_ms = 60};
	struct ticket busy = {.fn = piece_fn, .arg = &first};

	assert_int_equal(store_submit(s, call, &busy, answered), ERR_OK);
	nap(20);
	for (size_t i = 0; i < n; i++) {
		int64_t left = tickets[i].left_ms != 0 ? tickets[i].left_ms : 60000;

		assert_int_equal(store_submit_within(s, call, &tickets[i], answered, left), ERR_OK);
	}
	for (size_t i = 0; i < n; i++)
		while (!tickets[i].answered)
			nap(1);
	while (!busy.answered)
		nap(1);
	assert_int_equal(busy.result, ERR_OK);
}

static struct store *one_writer(struct box *b)
{
	struct store_options o = b->options;
	struct store *s = NULL;

	o.writers = 1;
	assert_int_equal(store_open(&o, &s, NULL), ERR_OK);
	return s;
}

#define TRANSACTIONS "SELECT count(DISTINCT xmin::text) FROM receipts WHERE id LIKE 'T%'"
#define RECEIPTS     "SELECT count(*) FROM receipts WHERE id LIKE 'T%'"

static void fill(struct ticket *t, struct piece *p, size_t n)
{
	memset(t, 0, n * sizeof(*t));
	memset(p, 0, n * sizeof(*p));
	for (size_t i = 0; i < n; i++) {
		snprintf(p[i].id, sizeof(p[i].id), "T%zu", i);
		t[i] = (struct ticket){.fn = piece_fn, .arg = &p[i]};
	}
}

static void waiting_writes_share_a_commit(void **state)
{
	struct box *b = *state;
	struct store *s = one_writer(b);
	struct piece p[MANY];
	struct ticket t[MANY];
	struct store_figures f;

	fill(t, p, MANY);
	all_at_once(s, t, MANY);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(t[i].result, ERR_OK);
		assert_int_equal(p[i].runs, 1);
	}
	assert_int_equal(ask(b, TRANSACTIONS), 1);
	assert_int_equal(ask(b, RECEIPTS), MANY);
	store_figures(s, &f);
	assert_int_equal(f.batch.sum, MANY + 1);
	store_close(s);
	box_settle(b);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit"), MANY + 1);
}

/* A name that is taken: the others are there all the same, each in a transaction of its own. */
static void one_of_them_fails(void **state)
{
	struct box *b = *state;
	struct store *s = one_writer(b);
	struct piece p[MANY];
	struct ticket t[MANY];

	fill(t, p, MANY);
	snprintf(p[3].id, sizeof(p[3].id), "first");
	all_at_once(s, t, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(t[i].result, i == 3 ? ERR_ALREADY_EXISTS : ERR_OK);
	assert_int_equal(ask(b, TRANSACTIONS), MANY - 1);
	assert_int_equal(ask(b, RECEIPTS), MANY - 1);
	store_close(s);
	box_settle(b);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit"), MANY);
}

static enum err refuse(struct store_tx *tx, void *arg)
{
	enum err e = piece_fn(tx, arg);

	return e == ERR_OK ? ERR_ITEM_NOT_ALLOWED : e;
}

/* Reads what its part has written, which must wait for the database. */
static enum err look_again(struct store_tx *tx, void *arg)
{
	struct piece *p = arg;
	struct arena *a = arena_new(1 << 16);
	struct receipt_row r;
	enum err e = piece_fn(tx, arg);

	if (e == ERR_OK)
		e = store_receipt_get(tx, a, p->id, &r);
	arena_free(a);
	return e;
}

/* Says that it went well although it was not given what it asked for. */
static enum err look_and_forget(struct store_tx *tx, void *arg)
{
	(void)!look_again(tx, arg);
	return ERR_OK;
}

/* They are run alone; of what they had asked for before nothing is left over, and the others are not held up. */
static void some_take_no_part(void **state)
{
	struct box *b = *state;
	struct store *s = one_writer(b);
	struct piece p[MANY];
	struct ticket t[MANY];

	fill(t, p, MANY);
	t[0].fn = refuse;
	t[2].fn = look_again;
	t[3].fn = look_and_forget;
	t[5].fn = nothing;
	t[6].left_ms = 1;
	all_at_once(s, t, MANY);
	for (size_t i = 1; i < MANY; i++)
		assert_int_equal(t[i].result, i == 6 ? ERR_DEADLINE : ERR_OK);
	assert_int_equal(t[0].result, ERR_ITEM_NOT_ALLOWED);
	assert_int_equal(p[6].runs, 0);
	assert_int_equal(ask(b, RECEIPTS), MANY - 3);
	assert_int_equal(ask(b, "SELECT count(DISTINCT xmin::text) FROM receipts WHERE id IN ('T1', 'T4', 'T7')"), 1);
	assert_int_equal(ask(b, "SELECT count(DISTINCT xmin::text) FROM receipts WHERE id IN ('T1', 'T2', 'T3')"), 3);
	store_close(s);
	box_settle(b);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit"), MANY - 3 + 1);
}

/* ---- codes ---------------------------------------------------------------------------------- */

struct use {
	struct piece piece;
	uint8_t hash[SM3_LEN];
};

static enum err make_code(struct store_tx *tx, void *arg)
{
	const struct use *u = arg;
	struct code_row c = {.kind = CODE_USE,
	                     .audience = AUDIENCE_ORGANISATION,
	                     .audience_org = (char *)"o",
	                     .wallet = (char *)"w",
	                     .item_code = (char *)"i",
	                     .body = span_str("body"),
	                     .expires = NOW + 60000,
	                     .used_by = (char *)""};

	memcpy(c.hash, u->hash, SM3_LEN);
	return store_code_insert(tx, &c);
}

static enum err use_code(struct store_tx *tx, void *arg)
{
	struct use *u = arg;
	enum err e = store_code_spend(tx, u->hash, "p");

	return e == ERR_OK ? piece_fn(tx, &u->piece) : e;
}

static void prepare_uses(struct use u[MANY], struct ticket t[MANY])
{
	memset(u, 0, MANY * sizeof(*u));
	memset(t, 0, MANY * sizeof(*t));
	for (size_t i = 0; i < MANY; i++) {
		snprintf(u[i].piece.id, sizeof(u[i].piece.id), "T%zu", i);
		memset(u[i].hash, (int)i + 1, SM3_LEN);
		t[i] = (struct ticket){.fn = make_code, .arg = &u[i]};
	}
}

static void codes_are_made_and_used_together(void **state)
{
	struct box *b = *state;
	struct store *s = one_writer(b);
	struct use u[MANY];
	struct ticket t[MANY];

	prepare_uses(u, t);
	all_at_once(s, t, MANY);
	assert_int_equal(ask(b, "SELECT count(DISTINCT xmin::text) FROM codes"), 1);
	box_sql(b, "DELETE FROM receipts");
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(t[i].result, ERR_OK);
		t[i] = (struct ticket){.fn = use_code, .arg = &u[i]};
	}
	all_at_once(s, t, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(t[i].result, ERR_OK);
	assert_int_equal(ask(b, TRANSACTIONS), 1);
	assert_int_equal(ask(b, "SELECT count(*) FROM codes WHERE used <> 0 AND used_by = 'p'"), MANY);
	store_close(s);
}

/* Of those that wait together some want the same code, one wants an unknown one, one a used one. */
static void no_code_is_used_twice(void **state)
{
	struct box *b = *state;
	struct store *s = one_writer(b);
	struct use u[MANY];
	struct ticket t[MANY];
	unsigned good = 0;

	prepare_uses(u, t);
	all_at_once(s, t, 5);
	box_sql(b, "DELETE FROM receipts");
	box_sql(b, "UPDATE codes SET used = 1 WHERE get_byte(hash, 0) = 5");
	for (size_t i = 0; i < MANY; i++) {
		t[i] = (struct ticket){.fn = use_code, .arg = &u[i]};
		if (i >= 6)
			memset(u[i].hash, 1, SM3_LEN);
	}
	all_at_once(s, t, MANY);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(t[i].result, ERR_OK);
	assert_int_equal(t[4].result, ERR_CODE_USED);
	assert_int_equal(t[5].result, ERR_CODE_UNKNOWN);
	for (size_t i = 0; i < MANY; i += i == 0 ? 6 : 1) {
		good += t[i].result == ERR_OK;
		assert_true(t[i].result == ERR_OK || t[i].result == ERR_CODE_USED);
	}
	assert_int_equal(good, 1);
	assert_int_equal(ask(b, RECEIPTS), 4);
	store_close(s);
}

/* Another server has locked one code for longer than its caller waits: he is told so, the others have their answers. */
static void one_waits_too_long(void **state)
{
	struct box *b = *state;
	struct store *s = one_writer(b);
	PGconn *other = PQconnectdb(b->url);
	struct use u[MANY];
	struct ticket t[MANY];

	prepare_uses(u, t);
	all_at_once(s, t, MANY);
	box_sql(b, "DELETE FROM receipts");
	PQclear(PQexec(other, "BEGIN"));
	PQclear(PQexec(other, "SELECT FROM codes WHERE get_byte(hash, 0) = 3 FOR UPDATE"));
	for (size_t i = 0; i < MANY; i++)
		t[i] = (struct ticket){.fn = use_code, .arg = &u[i]};
	t[2].left_ms = 300;
	all_at_once(s, t, MANY);
	PQfinish(other);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(t[i].result, i == 2 ? ERR_DEADLINE : ERR_OK);
	assert_int_equal(ask(b, "SELECT count(*) FROM codes WHERE used <> 0"), MANY - 1);
	assert_int_equal(ask(b, RECEIPTS), MANY - 1);
	store_close(s);
}

/* ---- connections end ------------------------------------------------------------------------ */

/* The commits are those that several share. Whatever was answered is there, once. */
static void killed_under_load(void **state)
{
	struct box *b = *state;
	struct store *s = one_writer(b);
	int64_t done = written_under_fire(b, s, 60, 7);

	assert_true(ask(b, TRANSACTIONS) < done); /* some were together */
	store_close(s);
	all_is_there(b, done);
}

struct lost_answer {
	struct box *box;
	struct piece *first;
	int64_t ended;
};

/* A commit waits for a replica that there is not, and its connection ends: it took place, and nobody told. */
static void *lose_an_answer(void *arg)
{
	static const char waits[] = "pg_stat_activity WHERE application_name = 'yinzheng' AND wait_event = 'SyncRep'";
	struct box *b = ((struct lost_answer *)arg)->box;
	char look[160], end[160];

	snprintf(look, sizeof(look), "SELECT count(*) FROM %s", waits);
	snprintf(end, sizeof(end), "SELECT count(pg_terminate_backend(pid)) FROM %s", waits);
	while (((struct lost_answer *)arg)->first->runs == 0)
		nap(1);
	box_sql(b, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
	(void)ask(b, "SELECT pg_reload_conf()::int");
	for (int i = 0; i < 300 && ask(b, look) == 0; i++)
		nap(10);
	((struct lost_answer *)arg)->ended = ask(b, end);
	nap(50);
	box_sql(b, "ALTER SYSTEM RESET synchronous_standby_names");
	(void)ask(b, "SELECT pg_reload_conf()::int");
	return NULL;
}

/* All of them are told that it was committed; none is run again. */
static void an_answer_for_many_is_lost(void **state)
{
	struct box *b = *state;
	struct store *s = one_writer(b);
	struct piece p[MANY];
	struct ticket t[MANY];
	struct lost_answer lost = {.box = b, .first = &p[0]};
	pthread_t thread;

	fill(t, p, MANY);
	p[0].hold_ms = 400;
	t[4].fn = look_again; /* it takes no part, and waits until it is known */
	assert_int_equal(pthread_create(&thread, NULL, lose_an_answer, &lost), 0);
	all_at_once(s, t, MANY);
	pthread_join(thread, NULL);
	store_close(s);
	assert_true(lost.ended > 0);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(t[i].result, ERR_OK);
		assert_int_equal(p[i].runs, i == 4 ? 2 : 1);
	}
	assert_int_equal(ask(b, TRANSACTIONS), 2);
	assert_int_equal(ask(b, RECEIPTS), MANY);
	box_settle(b);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit"), MANY + 1);
}

/* ---- several writers ------------------------------------------------------------------------ */

enum { WRITERS = 4 };

/* Waits in its transaction until all others are in theirs. */
static enum err meet(struct store_tx *tx, void *arg)
{
	atomic_int *here = arg;

	(void)tx;
	atomic_fetch_add(here, 1);
	for (int i = 0; i < 3000 && *here < WRITERS; i++)
		nap(1);
	return *here >= WRITERS ? ERR_OK : ERR_STORE_BUSY;
}

/* One that waits for more writes to come may find all of them taken by another; it goes on. */
static void every_writer_stays(void **state)
{
	struct box *b = *state;
	struct store_options o = b->options;
	struct store *s = NULL;
	struct hammers all;
	struct ticket t[WRITERS];
	atomic_int here = 0;

	o.writers = WRITERS;
	assert_int_equal(store_open(&o, &s, NULL), ERR_OK);
	hammers_start(&all, s);
	nap(1000);
	(void)hammers_stop(&all);
	for (int i = 0; i < WRITERS; i++) {
		t[i] = (struct ticket){.fn = meet, .arg = &here};
		assert_int_equal(store_submit(s, call, &t[i], answered), ERR_OK);
		for (int ms = 0; ms < 3000 && here <= i; ms++)
			nap(1);
	}
	store_close(s);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(t[i].result, ERR_OK);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(waiting_writes_share_a_commit),
	    T(one_of_them_fails),
	    T(some_take_no_part),
	    T(codes_are_made_and_used_together),
	    T(no_code_is_used_twice),
	    T(one_waits_too_long),
	    T(killed_under_load),
	    T(an_answer_for_many_is_lost),
	    T(every_writer_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
