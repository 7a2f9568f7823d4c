/* Tables of the keys that return: when they are built, how many there are, who loses its own, and threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "crypto/rand.h"
#include "crypto/sm2_cache.h"
#include "crypto/sm2_core.h"

enum { KEYS = 1500, ROOM_FOR_ONE = sizeof(struct sm2_table) + 64, THREADS = 8 };

static struct sm2_affine keys[KEYS];

/* G, 2G, 3G … */
static int make_keys(void **state)
{
	struct sm2_jacobian sum;

	sm2_point_from_affine(&sum, &sm2_g);
	for (size_t i = 0; i < KEYS; i++) {
		if (!sm2_point_to_affine_secret(&keys[i], &sum))
			return -1;
		sm2_point_add_affine(&sum, &sum, &sm2_g);
	}
	return 0;
}

static struct sm2_cache *open_cache(size_t limit)
{
	const struct rand rand = rand_system();
	struct sm2_cache *c = NULL;

	assert_int_equal(sm2_cache_new(limit, &rand, &c), ERR_OK);
	return c;
}

/* One use; was there a table, and the right one? */
static bool use(struct sm2_cache *c, size_t key)
{
	const struct sm2_table *t = sm2_cache_take(c, &keys[key]);

	if (t == NULL)
		return false;
	assert_memory_equal(&t->at[0][0], &keys[key], sizeof(keys[key]));
	sm2_cache_give(t);
	return true;
}

static size_t use_times(struct sm2_cache *c, size_t key, size_t n)
{
	size_t hits = 0;

	for (size_t i = 0; i < n; i++)
		hits += use(c, key);
	return hits;
}

static struct sm2_cache_figures figures(struct sm2_cache *c)
{
	struct sm2_cache_figures f;

	sm2_cache_figures(c, &f);
	assert_true(f.bytes <= f.limit);
	return f;
}

/* ---- promotion ------------------------------------------------------------------------------ */

static void who_returns_gets_a_table(void **state)
{
	struct sm2_cache *c = open_cache(4 << 20);

	for (int i = 1; i < CACHE_PROMOTES; i++)
		assert_false(use(c, 7));
	assert_true(use(c, 7)); /* built by this use, and used by it */
	assert_int_equal(use_times(c, 7, 100), 100);
	assert_false(use(c, 8));
	struct sm2_cache_figures f = figures(c);
	assert_int_equal(f.built, 1);
	assert_int_equal(f.tables, 1);
	assert_int_equal(f.evicted, 0);
	assert_int_equal(f.hits, 100);
	assert_int_equal(f.misses, CACHE_PROMOTES + 1);
	assert_int_equal(f.limit, 4 << 20);
	sm2_cache_free(c);
	sm2_cache_free(NULL);
}

static void the_table_is_the_keys(void **state)
{
	struct sm2_cache *c = open_cache(4 << 20);
	struct sm2_table *want = aligned_alloc(SM2_TABLE_ALIGN, sizeof(*want));
	const struct sm2_table *t;

	assert_non_null(want);
	sm2_table_build(want, &keys[3]);
	(void)use_times(c, 3, CACHE_PROMOTES);
	t = sm2_cache_take(c, &keys[3]);
	assert_non_null(t);
	assert_memory_equal(t, want, sizeof(*want));
	sm2_cache_give(t);
	free(want);
	sm2_cache_free(c);
}

/* P and -P have the same x. */
static void opposite_keys_are_two(void **state)
{
	struct sm2_cache *c = open_cache(4 << 20);

	sm2_point_neg(&keys[KEYS - 1], &keys[3]);
	(void)use_times(c, 3, CACHE_PROMOTES);
	assert_false(use(c, KEYS - 1));
	assert_int_equal(use_times(c, KEYS - 1, CACHE_PROMOTES), 2);
	assert_true(use(c, 3));
	assert_int_equal(figures(c).built, 2);
	sm2_cache_free(c);
}

static void without_room_there_are_none(void **state)
{
	const size_t limits[] = {0, 1, ROOM_FOR_ONE - 1};

	for (size_t i = 0; i < 3; i++) {
		struct sm2_cache *c = open_cache(limits[i]);

		assert_int_equal(use_times(c, 1, 10 * CACHE_PROMOTES), 0);
		assert_int_equal(figures(c).tables, 0);
		sm2_cache_free(c);
	}
}

static enum err broken_fill(void *arg, uint8_t *out, size_t len)
{
	return ERR_RANDOM;
}

static void no_randomness_no_cache(void **state)
{
	const struct rand broken = {.fill = broken_fill};
	struct sm2_cache *c = NULL;

	assert_int_equal(sm2_cache_new(4 << 20, &broken, &c), ERR_RANDOM);
	assert_null(c);
}

/* ---- the bound ------------------------------------------------------------------------------ */

static void no_more_tables_than_fit(void **state)
{
	struct sm2_cache *c = open_cache(40 * ROOM_FOR_ONE);

	for (size_t k = 0; k < 200; k++)
		(void)use_times(c, k, CACHE_PROMOTES + 4);
	struct sm2_cache_figures f = figures(c);
	assert_in_range(f.tables, 30, 40);
	assert_int_equal(f.evicted, f.built - f.tables);
	sm2_cache_free(c);
}

/* Those in use stay, however many others come by. */
static void a_flood_moves_nobody_in_use(void **state)
{
	struct sm2_cache *c = open_cache(2 * ROOM_FOR_ONE);

	(void)use_times(c, 0, 4 * CACHE_PROMOTES);
	(void)use_times(c, 1, 4 * CACHE_PROMOTES);
	for (size_t k = 2; k < KEYS - 1; k++) {
		(void)use_times(c, k, CACHE_PROMOTES + 8);
		assert_int_equal(use_times(c, 0, 8) + use_times(c, 1, 8), 16);
	}
	assert_int_equal(figures(c).evicted, 0);
	sm2_cache_free(c);
}

/* A key that is seen once among many others is still counted when it returns. */
static void counts_outlast_a_flood(void **state)
{
	struct sm2_cache *c = open_cache(2 * ROOM_FOR_ONE);
	size_t uses = 0, k = 1;

	(void)use_times(c, 0, CACHE_PROMOTES / 2);
	while (!use(c, 0) && ++uses < 100)
		for (int i = 0; i < 10; i++)
			(void)use(c, k = k % (KEYS - 2) + 1);
	assert_true(uses <= CACHE_PROMOTES);
	sm2_cache_free(c);
}

/* Who was popular once makes room for who is now. */
static void the_forgotten_make_room(void **state)
{
	struct sm2_cache *c = open_cache(ROOM_FOR_ONE);

	(void)use_times(c, 0, 1000);
	assert_int_equal(use_times(c, 1, 900), 0); /* not yet */
	assert_true(use_times(c, 1, 100000) > 0);
	assert_false(use(c, 0));
	assert_int_equal(figures(c).tables, 1);
	assert_int_equal(figures(c).evicted, 1);
	sm2_cache_free(c);
}

/* Two keys for one place: it does not go back and forth. */
static void equals_do_not_quarrel(void **state)
{
	struct sm2_cache *c = open_cache(ROOM_FOR_ONE);

	for (int i = 0; i < 50000; i++) {
		(void)use(c, 0);
		(void)use(c, 1);
	}
	assert_true(figures(c).built <= 2);
	sm2_cache_free(c);
}

static void a_table_in_use_stays(void **state)
{
	struct sm2_cache *c = open_cache(ROOM_FOR_ONE);
	const struct sm2_table *held;
	struct sm2_affine last;

	(void)use_times(c, 0, CACHE_PROMOTES);
	held = sm2_cache_take(c, &keys[0]);
	assert_non_null(held);
	last = held->at[SM2_WINDOWS - 1][SM2_ENTRIES - 1];
	assert_true(use_times(c, 1, 100 * CACHE_PROMOTES) > 0);
	assert_false(use(c, 0)); /* gone from the cache */
	assert_memory_equal(&held->at[0][0], &keys[0], sizeof(keys[0]));
	assert_memory_equal(&held->at[SM2_WINDOWS - 1][SM2_ENTRIES - 1], &last, sizeof(last));
	sm2_cache_give(held);
	sm2_cache_free(c);
}

/* ---- threads -------------------------------------------------------------------------------- */

struct crowd {
	struct sm2_cache *c;
	pthread_barrier_t start;
	atomic_uint seed, wrong, hits;
};

static void one_use(struct crowd *w, size_t key)
{
	const struct sm2_table *t = sm2_cache_take(w->c, &keys[key]);

	if (t == NULL)
		return;
	if (memcmp(&t->at[0][0], &keys[key], sizeof(keys[key])) != 0)
		atomic_fetch_add(&w->wrong, 1);
	atomic_fetch_add(&w->hits, 1);
	sm2_cache_give(t);
}

static void *one_key(void *arg)
{
	struct crowd *w = arg;

	pthread_barrier_wait(&w->start);
	for (int i = 0; i < 200; i++)
		one_use(w, 5);
	return NULL;
}

/* Few keys often, many seldom, in a cache that is too small for them. */
static void *many_keys(void *arg)
{
	struct crowd *w = arg;
	unsigned x = atomic_fetch_add(&w->seed, 1) * 2654435761U + 1;

	pthread_barrier_wait(&w->start);
	for (int i = 0; i < 4000; i++) {
		x = x * 1664525U + 1013904223U;
		one_use(w, (x >> 30) != 0 ? (x >> 8) % 12 : (x >> 8) % KEYS);
	}
	return NULL;
}

static void run(struct crowd *w, void *(*body)(void *))
{
	pthread_t t[THREADS];

	assert_int_equal(pthread_barrier_init(&w->start, NULL, THREADS), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, body, w), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	pthread_barrier_destroy(&w->start);
	assert_int_equal(w->wrong, 0);
}

static void one_of_many_threads_builds(void **state)
{
	struct crowd w = {.c = open_cache(4 << 20)};

	run(&w, one_key);
	assert_int_equal(figures(w.c).built, 1);
	assert_true(w.hits > 0);
	sm2_cache_free(w.c);
}

static void threads_share_the_cache(void **state)
{
	struct crowd w = {.c = open_cache(8 * ROOM_FOR_ONE)};

	run(&w, many_keys);
	struct sm2_cache_figures f = figures(w.c);
	assert_in_range(f.tables, 1, 8);
	assert_int_equal(f.hits + f.misses, THREADS * 4000);
	assert_int_equal(f.built - f.evicted, f.tables);
	sm2_cache_free(w.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_returns_gets_a_table),    cmocka_unit_test(the_table_is_the_keys),
	    cmocka_unit_test(opposite_keys_are_two),       cmocka_unit_test(without_room_there_are_none),
	    cmocka_unit_test(no_randomness_no_cache),      cmocka_unit_test(no_more_tables_than_fit),
	    cmocka_unit_test(a_flood_moves_nobody_in_use), cmocka_unit_test(counts_outlast_a_flood),
	    cmocka_unit_test(the_forgotten_make_room),     cmocka_unit_test(equals_do_not_quarrel),
	    cmocka_unit_test(a_table_in_use_stays),        cmocka_unit_test(one_of_many_threads_builds),
	    cmocka_unit_test(threads_share_the_cache),
	};
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
