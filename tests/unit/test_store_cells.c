/* Opened values come back for the same bytes in the same place, and make room. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store/cells.h"

#define BYTES(s) span_of(s, sizeof(s) - 1)

enum { LIMIT = 64 * 1024, BUDGET = 64 * 1024 * 1024 };

static struct cells *new_cells(void)
{
	struct rand r = rand_system();
	struct cells *c = NULL;

	assert_int_equal(cells_new(LIMIT, &r, &c), ERR_OK);
	return c;
}

static bool has(struct cells *c, struct arena *a, struct span context, struct span sealed, struct span want)
{
	uint8_t name[CELL_NAME];
	struct span got;

	assert_true(cells_name(c, context, sealed, name));
	return cells_get(c, name, a, &got) && span_eq(got, want);
}

static void keep(struct cells *c, struct span context, struct span sealed, struct span plain)
{
	uint8_t name[CELL_NAME];

	assert_true(cells_name(c, context, sealed, name));
	cells_put(c, name, plain);
	cells_put(c, name, plain); /* by two readers */
}

static void only_the_same_bytes_in_the_same_place(void **state)
{
	struct cells *c = new_cells();
	struct arena *a = arena_new(BUDGET);

	keep(c, BYTES("t|1|x|1"), BYTES("sealed"), BYTES("plain"));
	assert_true(has(c, a, BYTES("t|1|x|1"), BYTES("sealed"), BYTES("plain")));
	assert_false(has(c, a, BYTES("t|2|x|1"), BYTES("sealed"), BYTES("plain")));
	assert_false(has(c, a, BYTES("t|1|x|1"), BYTES("sealee"), BYTES("plain")));
	assert_false(has(c, a, BYTES("t|1|x|1s"), BYTES("ealed"), BYTES("plain")));
	keep(c, BYTES("t|1|x|1"), BYTES(""), BYTES(""));
	assert_true(has(c, a, BYTES("t|1|x|1"), BYTES(""), BYTES("")));
	arena_free(a);
	cells_free(c);
}

static void a_full_arena_is_no_hit(void **state)
{
	struct cells *c = new_cells();
	struct arena *a = arena_new(2);

	keep(c, BYTES("c"), BYTES("s"), BYTES("plain"));
	assert_false(has(c, a, BYTES("c"), BYTES("s"), BYTES("plain")));
	arena_free(a);
	cells_free(c);
}

static void what_is_used_stays(void **state)
{
	struct cells *c = new_cells();
	struct arena *a = arena_new(BUDGET);
	uint8_t value[1000] = {7};
	size_t there = 0;

	keep(c, BYTES("favourite"), BYTES("s"), BYTES("plain"));
	for (uint32_t i = 0; i < 2000; i++) {
		keep(c, BYTES("c"), span_of(&i, sizeof(i)), span_of(value, sizeof(value)));
		assert_true(has(c, a, BYTES("favourite"), BYTES("s"), BYTES("plain")));
	}
	for (uint32_t i = 0; i < 2000; i++)
		there += has(c, a, BYTES("c"), span_of(&i, sizeof(i)), span_of(value, sizeof(value)));
	assert_true(there > 16 && there <= LIMIT / sizeof(value));
	arena_free(a);
	cells_free(c);
}

static void too_large_is_not_kept(void **state)
{
	static uint8_t value[LIMIT];
	struct cells *c = new_cells();
	struct arena *a = arena_new(BUDGET);
	uint8_t name[CELL_NAME];

	keep(c, BYTES("c"), BYTES("s"), span_of(value, sizeof(value)));
	assert_false(has(c, a, BYTES("c"), BYTES("s"), span_of(value, sizeof(value))));
	assert_false(cells_name(NULL, BYTES("c"), BYTES("s"), name));
	cells_free(NULL);
	arena_free(a);
	cells_free(c);
}

static void nothing_stays_for_long(void **state)
{
	struct cells *c = new_cells();
	struct arena *a = arena_new(BUDGET);
	struct store_kept f;

	cells_age(NULL, 1);
	cells_age(c, 1000);
	keep(c, BYTES("c"), BYTES("old"), BYTES("plain"));
	cells_age(c, 1000 + CELLS_KEPT_MS / 2);
	keep(c, BYTES("c"), BYTES("young"), BYTES("plain"));
	cells_age(c, 999 + CELLS_KEPT_MS);
	assert_true(has(c, a, BYTES("c"), BYTES("old"), BYTES("plain"))); /* and being used makes it no younger */
	cells_age(c, 999 + CELLS_KEPT_MS + CELLS_AGE_MS);
	assert_false(has(c, a, BYTES("c"), BYTES("old"), BYTES("plain")));
	assert_true(has(c, a, BYTES("c"), BYTES("young"), BYTES("plain")));
	cells_age(c, 1000 + 2 * CELLS_KEPT_MS);
	cells_figures(c, &f);
	assert_int_equal(f.bytes, 0);
	assert_int_equal(f.hits, 2);
	assert_int_equal(f.misses, 1);
	assert_int_equal(f.limit, LIMIT);
	arena_free(a);
	cells_free(c);
}

static void *hammer(void *arg)
{
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t n = i % 300;
		uint8_t name[CELL_NAME], value[500];
		struct arena *a = arena_new(BUDGET);
		struct span got;

		memset(value, (int)n, sizeof(value));
		assert_true(cells_name(arg, BYTES("c"), span_of(&n, sizeof(n)), name));
		if (cells_get(arg, name, a, &got))
			assert_memory_equal(got.ptr, value, sizeof(value));
		else
			cells_put(arg, name, span_of(value, sizeof(value)));
		arena_free(a);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct cells *c = new_cells();
	pthread_t t[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, c), 0);
	for (int64_t now = 0; now < 100; now++)
		cells_age(c, now * CELLS_AGE_MS);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	cells_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_same_bytes_in_the_same_place),
	    cmocka_unit_test(a_full_arena_is_no_hit),
	    cmocka_unit_test(what_is_used_stays),
	    cmocka_unit_test(too_large_is_not_kept),
	    cmocka_unit_test(nothing_stays_for_long),
	    cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
