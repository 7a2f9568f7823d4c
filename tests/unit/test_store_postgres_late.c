/* Writes that nobody waits for any longer, on PostgreSQL: a row that somebody else holds is given up in time. */
#include "test_store.h"

#include "base/clock.h"

#include <pthread.h>

struct late {
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool answered;
	enum err result;
	unsigned runs;
};

/* Changes the one row that the test holds. */
static enum err change(struct store_tx *tx, void *arg)
{
	struct late *l = arg;
	struct principal p = {.id = (char *)"held", .name = (char *)"n", .org_code = (char *)"c", .org_name = (char *)"o"};

	l->runs++;
	return store_principal_put(tx, &p);
}

static void answered(void *arg, enum err result)
{
	struct late *l = arg;

	pthread_mutex_lock(&l->lock);
	l->result = result;
	l->answered = true;
	pthread_cond_signal(&l->over);
	pthread_mutex_unlock(&l->lock);
}

/* The result, and how long it took, ms. */
static int64_t write_within(struct box *b, struct late *l, int64_t left_ms)
{
	int64_t began = clock_monotonic_ms();

	*l = (struct late){.lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
	assert_int_equal(store_submit_within(b->store, change, l, answered, left_ms), ERR_OK);
	pthread_mutex_lock(&l->lock);
	while (!l->answered)
		pthread_cond_wait(&l->over, &l->lock);
	pthread_mutex_unlock(&l->lock);
	return clock_monotonic_ms() - began;
}

static PGconn *hold_row(struct box *b)
{
	PGconn *c = PQconnectdb(b->url);
	PGresult *r = PQexec(c, "BEGIN; SELECT 1 FROM principals WHERE id = 'held' FOR UPDATE");

	assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
	assert_int_equal(PQntuples(r), 1);
	PQclear(r);
	return c;
}

static void a_held_row_is_given_up_in_time(void **state)
{
	struct box *b = *state;
	struct late l;

	write_within(b, &l, 60000);
	assert_int_equal(l.result, ERR_OK);
	PGconn *holder = hold_row(b);
	int64_t took = write_within(b, &l, 500);
	assert_int_equal(l.result, ERR_DEADLINE);
	assert_in_range(took, 400, 2500); /* the connection's own limit is 3 s */
	/* With time enough the connection's own limit counts. */
	took = write_within(b, &l, 60000);
	assert_int_equal(l.result, ERR_STORE_BUSY);
	assert_true(took >= 2900);
	PQfinish(holder);
	/* What was set held for that transaction alone. */
	write_within(b, &l, 60000);
	assert_int_equal(l.result, ERR_OK);
	write_within(b, &l, 2000);
	assert_int_equal(l.result, ERR_OK);
}

static void who_comes_too_late_is_not_run(void **state)
{
	struct box *b = *state;
	struct late l;

	write_within(b, &l, 0);
	assert_int_equal(l.result, ERR_DEADLINE);
	assert_int_equal(l.runs, 0);
}

static void figures_of_a_shared_database(void **state)
{
	struct box *b = *state;
	struct store_figures f, g;
	struct late l;

	store_figures(b->store, &f);
	assert_true(f.shared);
	assert_true(f.connects >= 1);
	for (int i = 0; i < 5; i++)
		write_within(b, &l, 60000);
	store_figures(b->store, &g);
	assert_true(g.batch.sum >= f.batch.sum + 5); /* the one of each batch, at least */
	assert_true(g.batch.bucket[0] >= f.batch.bucket[0] + 5);
	assert_true(g.write.sum > f.write.sum);
	assert_int_equal(g.queued, 0);
	assert_int_equal(g.unnumbered_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_held_row_is_given_up_in_time, box_setup, box_teardown),
	    cmocka_unit_test_setup_teardown(who_comes_too_late_is_not_run, box_setup, box_teardown),
	    cmocka_unit_test_setup_teardown(figures_of_a_shared_database, box_setup, box_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
