/* Several servers on one PostgreSQL: changes that reach one another, audit numbers that one of them gives, tables that
 * one of them makes; the database's clock, and its address. */
#include "postgres_help.h"

/* ---- several servers ------------------------------------------------------------------------ */

/* A change through one server moves its own number at once and the other server's within a second. */
static void epochs(void **state)
{
	struct box *b = *state;
	struct store *other = second(b);

	for (size_t i = 0; i < CHANGES; i++) {
		uint64_t here, there;
		int64_t began;

		assert_int_equal(store_write(b->store, changes[i].before, NULL), ERR_OK);
		here = store_epoch(b->store, changes[i].kind);
		there = store_epoch(other, changes[i].kind);
		assert_int_equal(store_write(b->store, changes[i].change, NULL), ERR_OK);
		assert_true(store_epoch(b->store, changes[i].kind) > here);
		began = clock_monotonic_ms();
		while (store_epoch(other, changes[i].kind) == there && clock_monotonic_ms() < began + 5000)
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

/* What libpq takes for a host or a port may be a part of the password. */
static void torn_passwords_are_not_told(void **state)
{
	static const char *const urls[] = {"postgres://u:ge@heim@127.0.0.1:1/d", "postgres://u:geheim/x@127.0.0.1:1/d",
	                                   "postgres://u:ge@heim@127.0.0.1:1,127.0.0.1:2/d"};
	struct box *b = *state;
	struct err_note note;
	struct store *s;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		b->options.url = urls[i];
		assert_int_equal(store_open(&b->options, &s, &note), ERR_CONFIG_INVALID);
		assert_null(strstr(note.help, "heim"));
	}
	b->options.url = b->url;
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(epochs),
	    T(numbers),
	    cmocka_unit_test(made_once),
	    T(the_databases_time),
	    T(without_password),
	    T(refused_connections),
	    T(torn_passwords_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
