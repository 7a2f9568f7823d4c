/* The single writer: who wins a race, what a batch does to its members, dense numbers, stopping. */
#include "test_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 64, EACH = 8 };

static const uint8_t code_hash[32] = {1};

static enum err add_code(struct store_tx *tx, void *arg)
{
	struct code_row c = {.kind = CODE_USE, .audience = AUDIENCE_WINDOWS, .body = span_str("b"), .expires = NOW + 60000};

	(void)arg;
	memcpy(c.hash, code_hash, 32);
	return store_code_insert(tx, &c);
}

struct racer {
	struct box *b;
	unsigned number;
	enum err result;
	uint64_t indexes[EACH];
};

static void run_racers(struct box *b, struct racer racers[THREADS], void *(*fn)(void *))
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){.b = b, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, fn, &racers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static enum err spend_with_entry(struct store_tx *tx, void *arg)
{
	struct audit_row entry = {.action = (char *)"pull", .principal = (char *)"w"};
	enum err e = store_code_spend(tx, code_hash, "w");

	(void)arg;
	return e == ERR_OK ? store_audit_append(tx, &entry) : e;
}

static void *spend(void *arg)
{
	struct racer *r = arg;

	r->result = store_write(r->b->store, spend_with_entry, r);
	return NULL;
}

static enum err one_entry(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	uint64_t n;

	CHECK_OK(store_audit_size(tx, &n));
	CHECK(n == 1);
	return ERR_OK;
}

static void one_winner(void **state)
{
	struct racer racers[THREADS];
	unsigned won = 0, used = 0;
	struct box *b = *state;

	box_write(b, add_code);
	run_racers(b, racers, spend);
	for (unsigned i = 0; i < THREADS; i++) {
		won += racers[i].result == ERR_OK;
		used += racers[i].result == ERR_CODE_USED;
	}
	assert_int_equal(won, 1);
	assert_int_equal(used, THREADS - 1);
	box_settle(b);
	box_read(b, one_entry);
}

/* ---- dense numbers -------------------------------------------------------------------------- */

static enum err append(struct store_tx *tx, void *arg)
{
	struct racer *r = arg;
	struct audit_row entry = {.time = r->number, .action = (char *)"a", .principal = (char *)"p"};
	enum err e = store_audit_append(tx, &entry);

	/* every third call is refused after it has taken a number */
	if (e == ERR_OK && r->number % 3 == 2)
		e = ERR_STORE_CHANGED;
	if (e == ERR_OK)
		r->indexes[0] = entry.index;
	return e;
}

static void *append_many(void *arg)
{
	struct racer *r = arg;
	enum err expected = r->number % 3 == 2 ? ERR_STORE_CHANGED : ERR_OK;

	for (unsigned i = 0; i < EACH; i++) {
		enum err e = store_write(r->b->store, append, r);

		if (e != expected)
			r->result = e != ERR_OK ? e : ERR_INTERNAL;
		r->indexes[i] = r->indexes[0];
	}
	return NULL;
}

enum { EXPECTED = (THREADS - THREADS / 3) * EACH };

static enum err dense_check(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct audit_row *list;
	uint64_t from = 0;
	size_t n;

	do {
		CHECK_OK(store_audit_list(tx, b->arena, from, 500, "", "", &list, &n));
		for (size_t i = 0; i < n; i++)
			CHECK(list[i].index == from + i && list[i].time % 3 != 2);
		from += n;
	} while (n != 0);
	CHECK(from == EXPECTED);
	return ERR_OK;
}

static void dense(void **state)
{
	struct racer racers[THREADS];
	struct box *b = *state;

	run_racers(b, racers, append_many);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(racers[i].result, ERR_OK);
	box_settle(b);
	box_read(b, dense_check);
}

/* ---- a batch whose members fail ------------------------------------------------------------- */

struct member {
	struct box *b;
	char id[8];
	enum err wanted, got;
	atomic_int answers, runs;
	int wait_ms;
	bool early; /* refused before it has written */
};

static enum err member_fn(struct store_tx *tx, void *arg)
{
	struct member *m = arg;
	struct receipt_row r = {.id = m->id, .principal = (char *)"p", .body = span_str("x")};
	enum err e;

	if (m->wait_ms != 0)
		nanosleep(&(struct timespec){.tv_nsec = m->wait_ms * 1000000L}, NULL);
	m->runs++;
	if (m->early && m->wanted != ERR_OK)
		return m->wanted;
	e = store_receipt_insert(tx, &r);
	return e == ERR_OK ? m->wanted : e;
}

static void member_done(void *arg, enum err result)
{
	struct member *m = arg;

	m->got = result;
	m->answers++;
}

static enum err nothing(struct store_tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	return ERR_OK;
}

static enum err members_kept(struct store_tx *tx, void *arg)
{
	struct member *m = arg;
	struct box *b = m->b;
	struct receipt_row r;

	for (unsigned i = 0; i < 16; i++)
		CHECK_ERR(store_receipt_get(tx, b->arena, m[i].id, &r), m[i].wanted == ERR_OK ? ERR_OK : ERR_NOT_FOUND);
	return ERR_OK;
}

static void wait_for_answers(struct member *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		while (m[i].answers == 0)
			nanosleep(&(struct timespec){.tv_nsec = 1000000L}, NULL);
}

/* 16 in one batch, half of them refused; each runs at most `most` times on SQLite. */
static void run_members(struct box *b, struct member m[16], char letter, bool early, int most)
{
	static const enum err wanted[4] = {ERR_OK, ERR_STORE_CHANGED, ERR_OK, ERR_CODE_USED};

	for (unsigned i = 0; i < 16; i++) {
		m[i] = (struct member){.b = b, .wanted = wanted[i % 4], .early = early};
		m[i].wait_ms = i == 0 ? 50 : 0; /* while the first runs, the others gather */
		snprintf(m[i].id, sizeof(m[i].id), "%c%u", letter, i);
		assert_int_equal(store_submit(b->store, member_fn, &m[i], member_done), ERR_OK);
	}
	wait_for_answers(m, 16);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(m[i].answers, 1);
		assert_int_equal(m[i].got, m[i].wanted);
		if (!b->postgres) /* where a refusal is looked at twice, alone */
			assert_in_range(m[i].runs, 1, most);
	}
	assert_int_equal(store_read(b->store, members_kept, m), ERR_OK);
}

static void some_fail(void **state)
{
	struct member m[16], again = {.b = *state, .id = "L0"};
	int twice = 0;

	run_members(*state, m, 'E', true, 1);
	run_members(*state, m, 'L', false, 2);
	for (unsigned i = 0; i < 16; i++)
		twice += m[i].runs == 2;
	assert_true(again.b->postgres || twice != 0); /* a neighbour had written before it was refused */
	run_members(*state, m, 'C', false, 1);        /* now expected */
	assert_int_equal(store_submit(again.b->store, member_fn, &again, member_done), ERR_OK);
	wait_for_answers(&again, 1);
	assert_int_equal(again.got, ERR_ALREADY_EXISTS); /* a unique key's own refusal */
}

/* ---- the queue ------------------------------------------------------------------------------ */

static enum err slow(struct store_tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	nanosleep(&(struct timespec){.tv_nsec = 200000000L}, NULL);
	return ERR_OK;
}

static void count_done(void *arg, enum err result)
{
	atomic_int *n = arg;

	if (result == ERR_OK)
		(*n)++;
}

static void ignore(void *arg, enum err result)
{
	(void)arg;
	(void)result;
}

static void queue_full(void **state)
{
	struct box *b = *state;
	atomic_int answered = 0;
	int accepted = 0;
	enum err e = ERR_OK;

	assert_int_equal(store_submit(b->store, slow, &answered, count_done), ERR_OK);
	for (accepted = 1; accepted < 20000; accepted++) {
		e = store_submit(b->store, nothing, &answered, count_done);
		if (e != ERR_OK)
			break;
	}
	assert_int_equal(e, ERR_STORE_BUSY);
	assert_true(accepted >= 4096);
	box_close(b); /* waits for what was accepted */
	assert_int_equal(answered, accepted);
	box_open(b);
}

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open;
	struct box *b;
};

static enum err wait_at_gate(struct store_tx *tx, void *arg)
{
	struct gate *g = arg;

	(void)tx;
	pthread_mutex_lock(&g->lock);
	while (!g->open)
		pthread_cond_wait(&g->opened, &g->lock);
	pthread_mutex_unlock(&g->lock);
	return ERR_OK;
}

static void open_gate(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_broadcast(&g->opened);
	pthread_mutex_unlock(&g->lock);
}

static void *write_at_gate(void *arg)
{
	struct gate *g = arg;

	return store_write(g->b->store, wait_at_gate, g) == ERR_OK ? arg : NULL;
}

static void *close_it(void *arg)
{
	store_close(arg);
	return NULL;
}

/* While the store closes, what came before is finished and what comes after is refused. */
static void stopping(void **state)
{
	struct gate g = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER, .b = *state};
	atomic_int accepted = 0, answered = 0;
	struct store *s = g.b->store;
	pthread_t closer, writer;
	void *ok = NULL;

	assert_int_equal(store_submit(s, wait_at_gate, &g, ignore), ERR_OK);
	assert_int_equal(pthread_create(&writer, NULL, write_at_gate, &g), 0);
	nanosleep(&(struct timespec){.tv_nsec = 50000000L}, NULL);
	assert_int_equal(pthread_create(&closer, NULL, close_it, s), 0);
	while (store_submit(s, nothing, &answered, count_done) == ERR_OK) {
		accepted++;
		nanosleep(&(struct timespec){.tv_nsec = 1000000L}, NULL);
	}
	assert_int_equal(store_submit(s, nothing, &answered, count_done), ERR_STOPPING);
	assert_int_equal(store_write(s, nothing, NULL), ERR_STOPPING);
	assert_int_equal(store_read(s, nothing, NULL), ERR_STOPPING);
	open_gate(&g);
	pthread_join(writer, &ok);
	pthread_join(closer, NULL);
	g.b->store = NULL;
	assert_non_null(ok);
	assert_int_equal(answered, accepted);
}

/* Somebody else holds what we need for longer than we wait. */
static void locked_outside_lite(struct box *b)
{
	sqlite3 *other = NULL;

	assert_int_equal(sqlite3_open(b->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_write(b->store, add_code, NULL), ERR_STORE_BUSY);
	assert_int_equal(store_ping(b->store), ERR_OK); /* reading goes on */
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

static void locked_outside_postgres(struct box *b)
{
	PGconn *other = PQconnectdb(b->url);

	PQclear(PQexec(other, "BEGIN; LOCK TABLE codes IN EXCLUSIVE MODE"));
	assert_int_equal(PQtransactionStatus(other), PQTRANS_INTRANS);
	assert_int_equal(store_write(b->store, add_code, NULL), ERR_STORE_BUSY);
	assert_int_equal(store_ping(b->store), ERR_OK);
	PQfinish(other);
}

static void locked_outside(void **state)
{
	struct box *b = *state;

	if (b->postgres)
		locked_outside_postgres(b);
	else
		locked_outside_lite(b);
	assert_int_equal(store_write(b->store, add_code, NULL), ERR_OK);
}

/* ---- readers -------------------------------------------------------------------------------- */

struct look {
	struct box *b;
	uint64_t before, after;
};

static enum err append_one(struct store_tx *tx, void *arg)
{
	struct audit_row entry = {.action = (char *)"a", .principal = (char *)"p"};

	(void)arg;
	return store_audit_append(tx, &entry);
}

static enum err look_twice(struct store_tx *tx, void *arg)
{
	struct look *l = arg;
	enum err e = store_audit_size(tx, &l->before);

	if (e == ERR_OK)
		e = store_write(l->b->store, append_one, NULL); /* the writer does not wait for this reader */
	return e == ERR_OK ? store_audit_size(tx, &l->after) : e;
}

static void snapshot(void **state)
{
	struct look l = {.b = *state};

	assert_int_equal(store_read(l.b->store, look_twice, &l), ERR_OK);
	assert_int_equal(l.before, 0);
	assert_int_equal(l.after, 0);
	box_settle(l.b);
	assert_int_equal(store_read(l.b->store, look_twice, &l), ERR_OK);
	assert_int_equal(l.after, 1);
}

static enum err write_in_read(struct store_tx *tx, void *arg)
{
	return append_one(tx, arg);
}

static void readers_cannot_write(void **state)
{
	struct box *b = *state;

	assert_int_equal(store_read(b->store, write_in_read, NULL), ERR_STORE_IO);
}

static void *read_many(void *arg)
{
	struct racer *r = arg;
	uint64_t last = 0;

	for (unsigned i = 0; i < EACH * 4 && r->result == ERR_OK; i++) {
		struct look l = {.b = r->b};

		r->result = store_read(r->b->store, r->number % 8 == 0 ? look_twice : nothing, &l);
		if (r->number % 8 == 0 && (l.before != l.after || l.before < last))
			r->result = ERR_INTERNAL;
		last = l.before;
	}
	return NULL;
}

/* More readers than connections, while others write. */
static void readers_and_writers(void **state)
{
	struct racer racers[THREADS];
	struct box *b = *state;

	run_racers(b, racers, read_many);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(racers[i].result, ERR_OK);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

/* What was read before a write: known to be as it was until anybody changes a state, this store or another one on the
 * same file, even behind the store's back. PostgreSQL never says so. */
struct look_back {
	uint64_t epoch;
	bool change, before, after;
};

static enum err look_back(struct store_tx *tx, void *arg)
{
	struct look_back *l = arg;
	struct principal p = {.id = (char *)"p", .name = (char *)"p", .org_code = (char *)"o", .org_name = (char *)"o"};

	l->before = store_unchanged(tx, STORE_PRINCIPALS, l->epoch);
	if (l->change && store_principal_put(tx, &p) != ERR_OK)
		return ERR_INTERNAL;
	l->after = store_unchanged(tx, STORE_PRINCIPALS, l->epoch);
	return ERR_OK;
}

static struct look_back looked(struct store *s, uint64_t epoch, bool change)
{
	struct look_back l = {.epoch = epoch, .change = change};

	assert_int_equal(store_write(s, look_back, &l), ERR_OK);
	return l;
}

static void unchanged_until_somebody_writes(void **state)
{
	struct box *b = *state;
	struct store *other = NULL;
	struct look_back l;
	struct err_note note;
	uint64_t epoch;

	looked(b->store, 0, false); /* its first transaction knows nothing of an earlier one */
	epoch = store_epoch(b->store, STORE_PRINCIPALS);
	l = looked(b->store, epoch, false);
	assert_true(l.before == !b->postgres && l.after == !b->postgres);
	l = looked(b->store, epoch, true);
	assert_true(l.before == !b->postgres && !l.after);
	l = looked(b->store, epoch, false);
	assert_true(!l.before && !l.after);
	if (b->postgres)
		return;
	assert_int_equal(store_open(&b->options, &other, &note), ERR_OK);
	looked(other, 0, false);
	looked(b->store, 0, false);
	epoch = store_epoch(b->store, STORE_PRINCIPALS);
	looked(other, 0, true);
	assert_false(looked(b->store, epoch, false).before);
	store_close(other);
	epoch = store_epoch(b->store, STORE_PRINCIPALS);
	box_sql(b, "UPDATE principals SET disabled = 1");
	assert_false(looked(b->store, epoch, false).before);
	epoch = store_epoch(b->store, STORE_PRINCIPALS);
	assert_true(looked(b->store, epoch, false).before);
}

static enum err ask_after_gate(struct store_tx *tx, void *arg)
{
	uint64_t n;
	enum err e = wait_at_gate(tx, arg);

	return e == ERR_OK ? store_audit_size(tx, &n) : e;
}

static void *read_at_gate(void *arg)
{
	struct gate *g = arg;

	return store_read(g->b->store, ask_after_gate, g) == ERR_STOPPING ? arg : NULL;
}

/* The store stays until a reader has gone, also one that has not asked yet. */
static void stopping_under_a_reader(void **state)
{
	struct gate g = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER, .b = *state};
	pthread_t closer, reader;
	void *refused = NULL;

	assert_int_equal(pthread_create(&reader, NULL, read_at_gate, &g), 0);
	nanosleep(&(struct timespec){.tv_nsec = 50000000L}, NULL);
	assert_int_equal(pthread_create(&closer, NULL, close_it, g.b->store), 0);
	nanosleep(&(struct timespec){.tv_nsec = 50000000L}, NULL);
	assert_int_equal(pthread_tryjoin_np(closer, NULL), EBUSY);
	open_gate(&g);
	pthread_join(reader, &refused);
	pthread_join(closer, NULL);
	g.b->store = NULL;
	assert_non_null(refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(one_winner),
	                                   T(dense),
	                                   T(some_fail),
	                                   T(queue_full),
	                                   T(snapshot),
	                                   T(readers_cannot_write),
	                                   T(readers_and_writers),
	                                   T(stopping),
	                                   T(stopping_under_a_reader),
	                                   T(locked_outside),
	                                   T(unchanged_until_somebody_writes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
