/* The CBOR writer and reader: one encoding for each value, everything else refused. */
#include "tests/unit/form_help.h"

#include "form/cbor.h"

static void drop(struct span s)
{
	free((void *)(uintptr_t)s.ptr);
}

/* RFC 8949 appendix A, the part that we know: cbor_skip() takes exactly the whole. */
static void test_known(void **state)
{
	static const char *const rows[] = {
	    "00",
	    "01",
	    "0a",
	    "17",
	    "1818",
	    "1819",
	    "1864",
	    "1903e8",
	    "1a000f4240",
	    "1b000000e8d4a51000",
	    "1bffffffffffffffff",
	    "20",
	    "29",
	    "3863",
	    "3903e7",
	    "3bffffffffffffffff",
	    "f4",
	    "f5",
	    "f6",
	    "40",
	    "4401020304",
	    "60",
	    "6161",
	    "6449455446",
	    "62225c",
	    "62c3bc",
	    "63e6b0b4",
	    "64f0908591",
	    "80",
	    "83010203",
	    "8301820203820405",
	    "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
	    "a0",
	    "a201020304",
	    "a2016141026142",
	    "8181818181818180",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span in = unhex(rows[i]), raw;
		struct cbor_reader r = {in};

		if (cbor_skip(&r, &raw) != ERR_OK || cbor_end(&r) != ERR_OK)
			fail_msg("%s", rows[i]);
		assert_span(raw, in);
		drop(in);
	}
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "1800",
	    "1817",
	    "190001",
	    "1900ff",
	    "1a00000001",
	    "1a0000ffff",
	    "1b0000000000000001",
	    "1b00000000ffffffff", /* longer
than need be */
	    "3800",
	    "390001",
	    "5800",
	    "580161",
	    "7801 61",
	    "9800",
	    "980101",
	    "b800",
	    "b9000101 02",
	    "18",
	    "19 01",
	    "1a 010000",
	    "1b 01000000000000", /* cut */
	    "41",
	    "42 01",
	    "61",
	    "82 01",
	    "a1",
	    "a1 01",
	    "5f 4101 ff",
	    "7f 6161 ff",
	    "9f 01 ff",
	    "bf 01 02 ff",
	    "ff", /* indefinite */
	    "f0",
	    "f7",
	    "f8 18",
	    "f8 ff",
	    "f8 14",
	    "f9 0000",
	    "fa 00000000",
	    "fb 0000000000000000", /* other simple, floats */
	    "c0 00",
	    "d2 80",
	    "c1 1a514b67b0", /* a tag inside */
	    "61 ff",
	    "62 c080",
	    "61 00",
	    "61 0a",
	    "63 eda080",
	    "63 e280ae", /* text that is not clean */
	    "a1 6161 01",
	    "a1 20 01",
	    "a1 41 01 01", /* keys of another kind */
	    "a2 01 00 01 00",
	    "a2 02 00 01 00", /* keys twice, falling */
	    "a1 1bffffffffffffffff 00",
	    "9a ffffffff 00",
	    "9b ffffffffffffffff 00",
	    "ba ffffffff 00",
	    "bb 8000000000000000 00",
	    "5a ffffffff 00",
	    "5b ffffffffffffffff 00",
	    "7b ffffffffffffffff 00",
	    "81 81 81 81 81 81 81 81 80", /* nine levels */
	    "1c",
	    "1d",
	    "1e",
	    "1f",
	    "3c",
	    "3f",
	    "5c",
	    "7d",
	    "9e",
	    "bc",
	    "dc",
	    "fc",
	    "fe",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span in = unhex(rows[i]), raw;
		struct cbor_reader r = {in};

		if (cbor_skip(&r, &raw) == ERR_OK && cbor_end(&r) == ERR_OK)
			fail_msg("%s", rows[i]);
		drop(in);
	}
}

static void test_integers(void **state)
{
	static const struct {
		int64_t v;
		const char *hex;
	} rows[] = {
	    {0, "00"},
	    {23, "17"},
	    {24, "1818"},
	    {255, "18ff"},
	    {256, "190100"},
	    {65535, "19ffff"},
	    {65536, "1a00010000"},
	    {4294967295, "1affffffff"},
	    {4294967296, "1b0000000100000000"},
	    {-1, "20"},
	    {-24, "37"},
	    {-25, "3818"},
	    {-65601, "3a00010040"},
	    {INT64_MAX, "1b7fffffffffffffff"},
	    {INT64_MIN, "3b7fffffffffffffff"},
	};
	static const char *const bad[] = {"1b8000000000000000", "3b8000000000000000", "f6", "40", "80"};
	int64_t v = 77;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span want = unhex(rows[i].hex), out;
		struct cbor_reader r = {want};
		struct buf b;

		buf_init(&b, *state);
		cbor_put_int(&b, rows[i].v);
		assert_err(buf_done(&b, &out), ERR_OK);
		assert_span(out, want);
		assert_err(cbor_get_int(&r, &v), ERR_OK);
		assert_true(v == rows[i].v);
		assert_err(cbor_end(&r), ERR_OK);
		drop(want);
	}
	v = 77;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span in = unhex(bad[i]);
		struct cbor_reader r = {in};

		assert_err(cbor_get_int(&r, &v), ERR_FORMAT);
		assert_true(v == 77 && r.rest.len == in.len);
		drop(in);
	}
}

static void test_typed_reads(void **state)
{
	struct buf b;
	struct span out, s;
	struct cbor_reader r, at;
	enum cbor_kind kind;
	uint64_t u;
	size_t n;
	char *text;
	bool v;

	buf_init(&b, *state);
	cbor_put_tag(&b, 18);
	cbor_put_array(&b, 6);
	cbor_put_uint(&b, 500);
	cbor_put_bytes(&b, span_str("abc"));
	cbor_put_text(&b, "印证");
	cbor_put_bool(&b, true);
	buf_byte(&b, 0xf6); /* null: read, never written */
	cbor_put_map(&b, 1);
	cbor_put_uint(&b, 7);
	cbor_put_array(&b, 0);
	assert_err(buf_done(&b, &out), ERR_OK);
	r = (struct cbor_reader){out};
	assert_err(cbor_get_tag(&r, 17), ERR_FORMAT);
	assert_err(cbor_get_tag(&r, 18), ERR_OK);
	assert_err(cbor_get_map(&r, 9, &n), ERR_FORMAT);
	at = r;
	assert_err(cbor_get_array(&at, 5, &n), ERR_TOO_LARGE);
	assert_err(cbor_get_array(&r, 6, &n), ERR_OK);
	assert_int_equal(n, 6);
	assert_err(cbor_get_uint(&r, 499, &u), ERR_FORMAT);
	assert_err(cbor_get_key(&r, 501), ERR_FORMAT);
	assert_err(cbor_get_uint(&r, 500, &u), ERR_OK);
	assert_err(cbor_get_text(&r, *state, 9, &text), ERR_FORMAT);
	assert_err(cbor_get_bytes(&r, 2, &s), ERR_TOO_LARGE);
	assert_err(cbor_get_bytes(&r, 3, &s), ERR_OK);
	assert_span(s, span_str("abc"));
	assert_err(cbor_get_text(&r, *state, 5, &text), ERR_TOO_LARGE);
	assert_err(cbor_get_text(&r, *state, 6, &text), ERR_OK);
	assert_string_equal(text, "印证");
	assert_err(cbor_get_bool(&r, &v), ERR_OK);
	assert_true(v);
	assert_err(cbor_get_bool(&r, &v), ERR_FORMAT);
	assert_err(cbor_peek(&r, &kind), ERR_OK);
	assert_int_equal(kind, CBOR_NULL);
	assert_err(cbor_skip(&r, NULL), ERR_OK);
	assert_err(cbor_get_map(&r, 1, &n), ERR_OK);
	assert_err(cbor_end(&r), ERR_FORMAT);
	assert_err(cbor_get_key(&r, 7), ERR_OK);
	assert_err(cbor_get_array(&r, 0, &n), ERR_OK);
	assert_err(cbor_end(&r), ERR_OK);
	assert_err(cbor_peek(&r, &kind), ERR_OK);
	assert_int_equal(kind, CBOR_END);
	assert_err(cbor_get_uint(&r, 9, &u), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_known), TEST(test_refused), TEST(test_integers),
	                                   TEST(test_typed_reads)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
