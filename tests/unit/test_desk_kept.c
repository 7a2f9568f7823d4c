/* What was read of the store is kept under an epoch, held as long as somebody uses it, and bounded. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* How often it stands in the heap; written upside down here, so that the test has no copy of it. */
static unsigned in_heap(const char *upside_down)
{
	size_t len = strlen(upside_down), from = 0, to = 0, size, n = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY);
	char line[512];
	uint8_t *copy;

	assert_true(maps != NULL && mem >= 0);
	while (fgets(line, sizeof(line), maps) != NULL)
		if (strstr(line, "[heap]") != NULL)
			assert_int_equal(sscanf(line, "%zx-%zx", &from, &to), 2);
	size = to - from;
	copy = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(copy != MAP_FAILED);
	assert_int_equal(pread(mem, copy, size, (off_t)from), (ssize_t)size);
	for (size_t i = 0; i + len <= size; i++) {
		size_t k = 0;

		while (k < len && copy[i + k] == (uint8_t)upside_down[len - 1 - k])
			k++;
		n += k == len;
	}
	munmap(copy, size + 1);
	close(mem);
	fclose(maps);
	return (unsigned)n;
}

/* The name of a holder's list is his number. */
static void nothing_of_it_stays_in_memory(void **state)
{
	static const char upside_down[] = "X12123009914092013", text_upside_down[] = "noitatibah fo ecalp";
	struct kept *k = new_kept();
	struct arena *a = arena_new(BUDGET);
	char number[sizeof(upside_down)] = "", text[sizeof(text_upside_down)] = "";
	struct kept_question q = {KEPT_HOLDER, span_of(number, sizeof(number) - 1), 1, a};
	struct making m = {.text = text};

	for (size_t i = 0; i + 1 < sizeof(number); i++)
		number[i] = upside_down[sizeof(number) - 2 - i];
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = text_upside_down[sizeof(text) - 2 - i];
	get(k, &q, &m);
	arena_free(a);
	if (in_heap(upside_down) == 0) { /* a sanitizer's heap is elsewhere */
		kept_free(k);
		skip();
	}
	assert_true(in_heap(text_upside_down) != 0);
	kept_age(k, 1000, 1000);
	assert_int_equal(in_heap(upside_down), 0);
	assert_int_equal(in_heap(text_upside_down), 0);
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
	    cmocka_unit_test(nothing_of_it_stays_in_memory),
	    cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
