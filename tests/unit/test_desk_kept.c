/* What was read of the store is kept under an epoch, held as long as somebody uses it, and bounded. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "desk/kept.h"

enum { LIMIT = 64 * 1024, BUDGET = 1024 * 1024 };

struct making {
	const char *text;
	size_t more; /* bytes that it takes besides */
	enum err e;
	int made;
};

static enum err make(struct arena *a, void *arg, const void **value)
{
	struct making *m = arg;

	m->made++;
	if (m->e != ERR_OK)
		return m->e;
	*value = arena_strdup(a, m->text);
	return *value != NULL && arena_alloc(a, m->more) != NULL ? ERR_OK : ERR_BUDGET;
}

static struct kept *new_kept(void)
{
	struct kept *k = NULL;

	assert_int_equal(kept_new(LIMIT, &k), ERR_OK);
	return k;
}

static const char *get(struct kept *k, const struct kept_question *q, struct making *m)
{
	const void *v = kept_find(k, q);

	if (v == NULL)
		assert_int_equal(kept_put(k, q, make, m, &v), ERR_OK);
	return v;
}

static void read_once_per_epoch(void **state)
{
	struct kept *k = new_kept();
	struct arena *a = arena_new(BUDGET);
	struct kept_question q = {KEPT_TYPE, span_str("T1"), 1, a};
	struct making m = {.text = "one"};
	struct kept_figures f;

	assert_string_equal(get(k, &q, &m), "one");
	assert_string_equal(get(k, &q, &m), "one");
	assert_int_equal(m.made, 1);
	q.epoch = 2;
	m.text = "two";
	assert_string_equal(get(k, &q, &m), "two");
	assert_int_equal(m.made, 2);
	q.epoch = 1; /* who read an older epoch before does not bring it back */
	assert_null(kept_find(k, &q));
	kept_figures(k, &f);
	assert_int_equal(f.hits, 1);
	assert_int_equal(f.misses, 3);
	arena_free(a);
	kept_free(k);
}

static void kinds_and_names_are_apart(void **state)
{
	struct kept *k = new_kept();
	struct arena *a = arena_new(BUDGET);
	struct kept_question q = {KEPT_TYPE, span_str("X"), 1, a};
	struct making m = {.text = "type"};

	assert_string_equal(get(k, &q, &m), "type");
	q.kind = KEPT_ITEM;
	assert_null(kept_find(k, &q));
	q.kind = KEPT_TYPE;
	q.name = span_str("XX");
	assert_null(kept_find(k, &q));
	q.name = span_str("");
	assert_null(kept_find(k, &q));
	arena_free(a);
	kept_free(k);
}

static void held_values_outlive_what_dropped_them(void **state)
{
	struct kept *k = new_kept();
	struct arena *a = arena_new(BUDGET);
	struct kept_question q = {KEPT_SEAL, span_str("S"), 1, a};
	struct making m = {.text = "held"};
	const char *v = get(k, &q, &m);

	kept_clear(k);
	assert_null(kept_find(k, &q));
	q.epoch = 2;
	m.text = "new";
	assert_string_equal(get(k, &q, &m), "new");
	assert_string_equal(v, "held");
	arena_free(a);
	kept_free(k);
}

static void failures_are_told_and_not_kept(void **state)
{
	struct kept *k = new_kept();
	struct arena *a = arena_new(BUDGET);
	struct kept_question q = {KEPT_TYPE, span_str("T"), 1, a};
	struct making m = {.text = "x", .e = ERR_NOT_FOUND};
	const void *v = NULL;

	for (int i = 0; i < 2; i++)
		assert_int_equal(kept_put(k, &q, make, &m, &v), ERR_NOT_FOUND);
	assert_int_equal(m.made, 2);
	assert_null(kept_find(k, &q));
	arena_free(a);
	kept_free(k);
}

static void what_was_kept_last_has_room(void **state)
{
	struct kept *k = new_kept();
	struct arena *a = arena_new(64 * BUDGET);
	struct making m = {.text = "v", .more = 3000};
	char name[16];

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		struct kept_question q = {KEPT_LICENCE, span_str(name), 1, a};
		assert_string_equal(get(k, &q, &m), "v");
		assert_non_null(kept_find(k, &q)); /* others made room for it */
	}
	arena_free(a);
	kept_free(k);
}

static void old_values_go(void **state)
{
	struct kept *k = new_kept();
	struct arena *a = arena_new(BUDGET);
	struct kept_question old = {KEPT_LICENCE, span_str("old"), 1, a}, young = {KEPT_LICENCE, span_str("young"), 1, a};
	struct making m = {.text = "v"};
	const char *held;
	struct kept_figures f;

	kept_age(NULL, 1, 1);
	kept_age(k, 1000, 100);
	held = get(k, &old, &m);
	kept_age(k, 1050, 100);
	get(k, &young, &m);
	kept_age(k, 1099, 100);
	assert_non_null(kept_find(k, &old));
	kept_age(k, 1100, 100);
	assert_null(kept_find(k, &old));
	assert_non_null(kept_find(k, &young));
	assert_string_equal(held, "v");
	kept_age(k, 1150, 100);
	kept_figures(k, &f);
	assert_int_equal(f.values, 0);
	assert_int_equal(f.bytes, 0);
	arena_free(a);
	kept_free(k);
}

static void bounded_in_number_and_bytes(void **state)
{
	struct kept *k = new_kept();
	struct arena *a = arena_new(BUDGET);
	struct making small = {.text = "s"}, big = {.text = "b", .more = 2 * LIMIT};
	struct kept_figures f;
	char name[16];

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		struct kept_question q = {KEPT_TYPE, span_str(name), 1, a};
		assert_string_equal(get(k, &q, &small), "s");
		kept_figures(k, &f);
		assert_true(f.bytes <= LIMIT);
	}
	assert_true(f.values > 10);
	struct kept_question q = {KEPT_TYPE, span_str("big"), 1, a};
	assert_string_equal(get(k, &q, &big), "b"); /* it is used, and not kept */
	assert_null(kept_find(k, &q));
	arena_free(a);
	kept_figures(k, &f);
	assert_true(f.bytes <= LIMIT);
	kept_free(k);
}

static void without_a_cache_the_holder_takes_it(void **state)
{
	struct arena *a = arena_new(BUDGET);
	char longest[KEPT_NAME_MAX + 2] = "";
	struct kept *k = new_kept();
	struct making m = {.text = "x"};

	memset(longest, 'n', KEPT_NAME_MAX + 1);
	struct kept_question q = {KEPT_TYPE, span_str("T"), 1, a}, too_long = {KEPT_TYPE, span_str(longest), 1, a};
	assert_string_equal(get(NULL, &q, &m), "x");
	assert_null(kept_find(NULL, &q));
	assert_string_equal(get(k, &too_long, &m), "x");
	assert_null(kept_find(k, &too_long));
	kept_clear(NULL);
	kept_free(NULL);
	arena_free(a);
	kept_free(k);
}

static void *hammer(void *arg)
{
	char name[16];

	for (int i = 0; i < 5000; i++) {
		struct arena *a = arena_new(BUDGET);
		struct making m = {.text = "v"};
		const char *v;

		snprintf(name, sizeof(name), "n%d", i % 50);
		struct kept_question q = {KEPT_TYPE, span_str(name), (uint64_t)(i / 500), a};
		v = get(arg, &q, &m);
		if (i % 777 == 0)
			kept_clear(arg);
		assert_string_equal(v, "v");
		arena_free(a);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct kept *k = new_kept();
	pthread_t t[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, k), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	kept_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_once_per_epoch),
	    cmocka_unit_test(kinds_and_names_are_apart),
	    cmocka_unit_test(held_values_outlive_what_dropped_them),
	    cmocka_unit_test(failures_are_told_and_not_kept),
	    cmocka_unit_test(what_was_kept_last_has_room),
	    cmocka_unit_test(old_values_go),
	    cmocka_unit_test(bounded_in_number_and_bytes),
	    cmocka_unit_test(without_a_cache_the_holder_takes_it),
	    cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
