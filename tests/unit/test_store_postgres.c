/* What only a database server can do to us: connections that end in the middle of anything, several servers at once,
 * audit numbers that one of them gives. */
#include "test_store.h"

#include "store/internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static void nap(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L}, NULL);
}

/* One number out of the database, past the store. */
static int64_t ask(struct box *b, const char *text)
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
static struct store *second(struct box *b)
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

static enum err piece_fn(struct store_tx *tx, void *arg)
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

/* ---- connections end ------------------------------------------------------------------------ */

#define KILL_ALL                                                                                                       \
	"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"                                                    \
	" WHERE application_name = 'yinzheng' AND pid <> pg_backend_pid()"

static enum err nothing(struct store_tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	return ERR_OK;
}

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

struct hammer {
	struct box *b;
	unsigned number, done;
	enum err result;
	atomic_bool *stop;
};

static void *write_many(void *arg)
{
	struct hammer *h = arg;

	while (!*h->stop && h->result == ERR_OK) {
		struct piece p = {0};

		snprintf(p.id, sizeof(p.id), "R%u.%u", h->number, h->done);
		h->result = store_write(h->b->store, piece_fn, &p);
		h->done += h->result == ERR_OK;
	}
	return NULL;
}

/* Connections are killed at random moments, many in the middle of a COMMIT. Whatever was answered is there, once, with
 * its entry; and since every attempt uses a unique name, a write that was run again after it had been committed would
 * be refused. */
static void killed_under_load(void **state)
{
	enum { THREADS = 12, ROUNDS = 40 };
	struct box *b = *state;
	struct hammer h[THREADS];
	pthread_t threads[THREADS];
	atomic_bool stop = false;
	int64_t done = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		h[i] = (struct hammer){.b = b, .number = i, .stop = &stop};
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &h[i]), 0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		nap(13 + (unsigned)i % 7 * 5);
		(void)ask(b, KILL_ALL);
	}
	stop = true;
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(h[i].result, ERR_OK);
		done += h[i].done;
	}
	assert_true(done > 0);
	assert_int_equal(ask(b, "SELECT count(*) FROM receipts"), done);
	box_settle(b);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit"), done);
	assert_int_equal(ask(b, "SELECT max(idx) + 1 FROM audit"), done);
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

/* ---- several servers ------------------------------------------------------------------------ */

static enum err put_type(struct store_tx *tx, void *arg)
{
	struct catalog_row r = {.code = (char *)"T", .json = span_str("{}")};

	(void)arg;
	return store_catalog_put(tx, CATALOG_TYPE, &r);
}

static enum err put_principal(struct store_tx *tx, void *arg)
{
	struct principal p = {.id = (char *)"p", .name = (char *)"n"};

	(void)arg;
	return store_principal_put(tx, &p);
}

static enum err put_seal(struct store_tx *tx, void *arg)
{
	struct seal_row s = {.id = (char *)"S", .state = SEAL_ACTIVE, .der = span_str("x")};

	(void)arg;
	return store_seal_insert(tx, &s);
}

static enum err suspend_seal(struct store_tx *tx, void *arg)
{
	struct state_event e = {.state = SEAL_SUSPENDED, .reason = (char *)"r", .principal = (char *)"p"};

	(void)arg;
	return store_seal_change(tx, "S", 1, &e);
}

static enum err put_licence(struct store_tx *tx, void *arg)
{
	struct holder_key h = {"111", "h"};
	struct licence_row l = {.id = (char *)"L"};

	(void)arg;
	return store_licence_insert(tx, &l, NULL, &h, 1, "i");
}

static enum err revoke_licence(struct store_tx *tx, void *arg)
{
	struct state_event e = {.state = LICENCE_REVOKED, .reason = (char *)"r", .principal = (char *)"p"};

	(void)arg;
	return store_licence_change(tx, "L", 1, &e);
}

/* A change through one server moves its own number at once and the other server's within a second. */
static void epochs(void **state)
{
	static const struct {
		enum store_kind kind;
		store_fn *before, *change;
	} cases[] = {
	    {STORE_CATALOGUE, nothing, put_type},
	    {STORE_PRINCIPALS, nothing, put_principal},
	    {STORE_SEALS, put_seal, suspend_seal},
	    {STORE_LICENCES, put_licence, revoke_licence},
	};
	struct box *b = *state;
	struct store *other = second(b);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t here, there;
		int64_t began;

		assert_int_equal(store_write(b->store, cases[i].before, NULL), ERR_OK);
		here = store_epoch(b->store, cases[i].kind);
		there = store_epoch(other, cases[i].kind);
		assert_int_equal(store_write(b->store, cases[i].change, NULL), ERR_OK);
		assert_true(store_epoch(b->store, cases[i].kind) > here);
		began = clock_monotonic_ms();
		while (store_epoch(other, cases[i].kind) == there && clock_monotonic_ms() < began + 5000)
			nap(5);
		assert_true(clock_monotonic_ms() - began < 1000);
	}
	store_close(other);
}

/* Entries of two servers get dense numbers from one of them; when that one dies with the lease, the other takes over.
 */
static void numbers(void **state)
{
	struct box *b = *state;
	struct store *other = second(b);
	int64_t began, n = 0;

	for (int i = 0; i < 40; i++) {
		struct piece p = {0};

		snprintf(p.id, sizeof(p.id), "R%d", i);
		assert_int_equal(store_write(i % 2 == 0 ? b->store : other, piece_fn, &p), ERR_OK);
		n++;
	}
	box_settle(b);
	/* the lease is somebody's who does not come back */
	box_sql(b, "UPDATE sequencer SET token = token + 1, until = " /* of the test's clock */ "1800000001500");
	for (int i = 0; i < 4; i++) {
		struct piece p = {0};

		snprintf(p.id, sizeof(p.id), "L%d", i);
		assert_int_equal(store_write(b->store, piece_fn, &p), ERR_OK);
		n++;
	}
	nap(400);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit_inbox"), 4); /* nobody numbers under a token that is not his */
	began = clock_monotonic_ms();
	b->clock += 1600;
	box_settle(b);
	assert_true(clock_monotonic_ms() - began < 3000);
	assert_int_equal(ask(b, "SELECT count(*) FROM audit"), n);
	assert_int_equal(ask(b, "SELECT max(idx) + 1 FROM audit"), n);
	store_close(other);
	box_close(b); /* in order: the lease is given back at once */
	assert_int_equal(ask(b, "SELECT until FROM sequencer"), 0);
	box_open(b);
}

struct opener {
	struct box *b;
	enum err created, opened;
};

static void *open_at_once(void *arg)
{
	struct opener *o = arg;
	struct store *s = NULL;

	o->created = store_create(&o->b->options, NULL);
	o->opened = store_open(&o->b->options, &s, NULL);
	if (o->opened == ERR_OK)
		store_close(s);
	return NULL;
}

/* Several servers meet an empty database: one makes the tables, all can use them. */
static void made_once(void **state)
{
	enum { SERVERS = 6 };
	struct box *b = box_empty("/tmp");
	struct opener o[SERVERS];
	pthread_t threads[SERVERS];
	int made = 0;

	(void)state;
	for (int i = 0; i < SERVERS; i++) {
		o[i].b = b;
		assert_int_equal(pthread_create(&threads[i], NULL, open_at_once, &o[i]), 0);
	}
	for (int i = 0; i < SERVERS; i++) {
		pthread_join(threads[i], NULL);
		assert_true(o[i].created == ERR_OK || o[i].created == ERR_ALREADY_EXISTS);
		assert_int_equal(o[i].opened, ERR_OK);
		made += o[i].created == ERR_OK;
	}
	assert_int_equal(made, 1);
	box_free(b);
}

/* ---- time and addresses --------------------------------------------------------------------- */

/* The database's clock decides, however wrong ours is, and time goes on without asking. */
static void the_databases_time(void **state)
{
	struct box *b = *state;
	int64_t there, first;

	box_close(b);
	b->options.own_time = false;
	b->options.clock = clock_system();
	box_open(b);
	there = ask(b, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
	/* the mark of T0, a time to come, was not passed by */
	assert_true(store_now(b->store) >= NOW || there > NOW);
	box_close(b);
	box_sql(b, "UPDATE meta SET num = 0 WHERE key = 'time'");
	box_open(b);
	first = store_now(b->store);
	there = ask(b, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
	assert_true(first <= there && there - first < 2000);
	nap(60);
	assert_true(store_now(b->store) >= first + 50);
}

static void without_password(void **state)
{
	static const char *const cases[][2] = {
	    {"sqlite:/a/b.db", "sqlite:/a/b.db"},
	    {"postgres://u:geheim@h:1/d", "postgres://u@h:1/d"},
	    {"postgres://u:ge%40heim@h1:1,h2:2/d?sslmode=require", "postgres://u@h1:1,h2:2/d?sslmode=require"},
	    {"postgresql://u@h/d?password=geheim&x=1", "postgresql://u@h/d?password=&x=1"},
	    {"postgres://h/d?sslpassword=geheim", "postgres://h/d?sslpassword="},
	    {"postgres://h/d?password=geheim&sslpassword=auch", "postgres://h/d?password=&sslpassword="},
	    {"postgres://u:ge?heim@h/d", "postgres://u@h/d"},
	    {"postgres://u:ge?hei=m@h", "postgres://u@h"},
	    {"postgres://u:ge@heim@h/d", "postgres://u@h/d"},
	    {"postgres://u:@h/d", "postgres://u@h/d"},
	    {"postgres:///d?host=/run/pg&password=gehe@im", "postgres:///d?host=/run/pg&password="},
	    {"postgres://h:5432/d", "postgres://h:5432/d"},
	};
	struct box *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(store_url_public(b->arena, cases[i][0]), cases[i][1]);
}

static void refused_connections(void **state)
{
	static const char *const urls[] = {"postgres://nobody:geheim@127.0.0.1:1/d",
	                                   "postgres://nobody:geheim@127.0.0.1:1,127.0.0.1:2/d?connect_timeout=1"};
	struct box *b = *state;
	struct err_note note;
	struct store *s;

	for (size_t i = 0; i < 2; i++) {
		b->options.url = urls[i];
		assert_int_equal(store_open(&b->options, &s, &note), ERR_STORE_IO);
		assert_int_equal(note.code, ERR_STORE_IO);
		assert_true(note.help[0] != '\0');
		assert_null(strstr(note.help, "geheim"));
	}
	b->options.url = b->url;
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(idle_connections_end),
	    T(ends_before_the_commit),
	    T(killed_under_load),
	    T(settled),
	    T(never_settled),
	    T(one_administrator_remains),
	    T(deadlock),
	    T(epochs),
	    T(numbers),
	    cmocka_unit_test(made_once),
	    T(the_databases_time),
	    T(without_password),
	    T(refused_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
