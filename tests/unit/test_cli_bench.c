/* The load generator's arithmetic: histogram, mix, due times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/bench_hist.h"
#include "cli/bench_pace.h"

static struct hist *empty(void)
{
	struct hist *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	return h;
}

static void nothing_counted_is_zero(void **state)
{
	struct hist *h = empty();

	assert_int_equal(hist_quantile(h, 0.5), 0);
	assert_int_equal(hist_quantile(h, 1), 0);
	assert_int_equal(hist_mean(h), 0);
	free(h);
}

static void small_values_are_exact(void **state)
{
	struct hist *h = empty();

	for (int64_t v = 1; v <= 100; v++)
		hist_add(h, v);
	assert_int_equal(hist_quantile(h, 0.5), 50);
	assert_int_equal(hist_quantile(h, 0.99), 99);
	assert_int_equal(hist_quantile(h, 0.991), 100);
	assert_int_equal(hist_quantile(h, 1), 100);
	assert_int_equal(hist_quantile(h, 0), 1);
	assert_int_equal(hist_mean(h), 50);
	free(h);
}

/* Alone beside a larger one, so that max does not cut what the bucket says. */
static void every_size_comes_back_within_a_128th(void **state)
{
	for (uint64_t v = 1; v < (uint64_t)1 << 43; v = v + v / 7 + 1) {
		struct hist *h = empty();
		uint64_t got;

		hist_add(h, (int64_t)v);
		hist_add(h, INT64_MAX);
		got = hist_quantile(h, 0.5);
		assert_true(got >= v && got <= v + v / 128);
		free(h);
	}
}

static void the_ends(void **state)
{
	struct hist *h = empty();

	hist_add(h, -5);
	assert_int_equal(h->count[0], 1);
	assert_int_equal(hist_quantile(h, 0.5), 0);
	hist_add(h, INT64_MAX);
	assert_int_equal(h->count[HIST_BUCKETS - 1], 1);
	assert_int_equal(hist_quantile(h, 1), INT64_MAX);
	free(h);
}

static void a_mix_is_spread_by_weight(void **state)
{
	struct err_note note = {0};
	struct mix m;
	size_t n[BENCH_OPS] = {0};

	assert_int_equal(mix_parse("verify=3,show=1,pull=2", &m, &note), ERR_OK);
	assert_int_equal(m.n, 6);
	for (uint64_t i = 0; i < 600; i++)
		n[mix_at(&m, i)]++;
	assert_int_equal(n[BENCH_VERIFY], 300);
	assert_int_equal(n[BENCH_SHOW], 100);
	assert_int_equal(n[BENCH_PULL], 200);
	assert_true(mix_has(&m, BENCH_PULL) && !mix_has(&m, BENCH_NULL) && !mix_has(&m, BENCH_INSPECT));
	for (uint64_t i = 0; i < 5; i++)
		assert_false(mix_at(&m, i) == BENCH_PULL && mix_at(&m, i + 1) == BENCH_PULL);
	assert_int_equal(mix_parse("null", &m, &note), ERR_OK);
	assert_int_equal(m.n, 1);
	assert_int_equal(mix_at(&m, 12345), BENCH_NULL);
	assert_int_equal(mix_parse("null=1000,verify=1000,show=1000,pull=1000,inspect=1000", &m, &note), ERR_OK);
	assert_int_equal(m.n, MIX_MAX);
}

static void bad_mixes_say_why(void **state)
{
	static const char *const bad[] = {
	    "",        "nul",           "null=",        "null=0",  "null=-1", "null=1001", "pull=x",
	    "pull=1x", "pull=1,pull=2", "pull=1,,null", "pull=1,", "PULL=1",  "=3",        "null=99999999999999999999"};
	struct mix m;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err_note note = {0};

		assert_int_equal(mix_parse(bad[i], &m, &note), ERR_USAGE);
		assert_string_equal(note.field, "mix");
		assert_true(note.help[0] != '\0');
	}
}

static void calls_are_due_evenly_for_ever(void **state)
{
	assert_int_equal(pace_due(7, 1000, 0), 7);
	assert_int_equal(pace_due(7, 1000, 1), 1000007);
	assert_int_equal(pace_due(0, 3, 3), 1000000000);
	assert_int_equal(pace_due(0, 3, 1), 333333333);
	for (uint64_t i = 0; i < 100000; i++) {
		int64_t gap = pace_due(0, 4999, i + 1) - pace_due(0, 4999, i);

		assert_true(gap == 200040 || gap == 200041 || gap == 200039);
	}
	/* A year at a million per second. */
	assert_int_equal(pace_due(0, 1000000, 31536000000000), 31536000000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_counted_is_zero),
	    cmocka_unit_test(small_values_are_exact),
	    cmocka_unit_test(every_size_comes_back_within_a_128th),
	    cmocka_unit_test(the_ends),
	    cmocka_unit_test(a_mix_is_spread_by_weight),
	    cmocka_unit_test(bad_mixes_say_why),
	    cmocka_unit_test(calls_are_due_evenly_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
