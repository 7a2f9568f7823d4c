/* The DER reader and writer. */
#include "tests/unit/form_help.h"

#include "form/der.h"

struct row {
	const char *hex, *want; /* want NULL: ERR_FORMAT */
};

typedef enum err (*read_fn)(struct der *d, struct arena *a, char **text);

static void check_rows(struct arena *a, read_fn read, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct span in = unhex(rows[i].hex);
		struct der d = der_of(in);
		char *text = NULL;
		enum err e = read(&d, a, &text);

		if ((e == ERR_OK) != (rows[i].want != NULL))
			fail_msg("%s: %s %s", rows[i].hex, err_name(e), text != NULL ? text : "");
		if (e == ERR_OK) {
			assert_string_equal(text, rows[i].want);
			assert_err(der_end(&d), ERR_OK);
		} else {
			assert_err(e, ERR_FORMAT);
		}
		free((void *)(uintptr_t)in.ptr);
	}
}

#define CHECK(read, rows) check_rows(*state, read, rows, sizeof(rows) / sizeof(rows[0]))

static enum err any_hex(struct der *d, struct arena *a, char **text)
{
	struct der_item it;
	enum err e = der_take(d, DER_ANY, &it);

	if (e == ERR_OK)
		*text = hex_text(a, it.value);
	return e;
}

static void test_lengths_and_tags(void **state)
{
	static const struct row rows[] = {
	    {"04 00", ""},
	    {"04 02 0102", "0102"},
	    {"a0 01 05", "05"},
	    {"", NULL},
	    {"04", NULL},
	    {"04 01", NULL},
	    {"04 02 01", NULL},
	    {"04 80", NULL}, /* indefinite */
	    {"30 80 0000", NULL},
	    {"04 81 01 00", NULL}, /* not the shortest form */
	    {"04 8200 01 00", NULL},
	    {"04 81", NULL},
	    {"04 82 01", NULL},
	    {"04 84 ffffffff 00", NULL},
	    {"04 85 0000000001 00", NULL},
	    {"04 88 ffffffffffffffff 00", NULL},
	    {"04 ff 00", NULL},
	    {"00 00", NULL},       /* end of contents */
	    {"1f 81 01 00", NULL}, /* long tag number */
	    {"bf 2a 00", NULL},
	};

	CHECK(any_hex, rows);
}

static enum err int_text(struct der *d, struct arena *a, char **text)
{
	int64_t v;
	enum err e = der_int64(d, &v);

	if (e == ERR_OK)
		*text = arena_printf(a, "%lld", (long long)v);
	return e;
}

static void test_integers(void **state)
{
	static const struct row rows[] = {
	    {"02 01 00", "0"},
	    {"02 01 7f", "127"},
	    {"02 02 0080", "128"},
	    {"02 01 80", "-128"},
	    {"02 01 ff", "-1"},
	    {"02 02 ff7f", "-129"},
	    {"02 08 7fffffffffffffff", "9223372036854775807"},
	    {"02 08 8000000000000000", "-9223372036854775808"},
	    {"02 00", NULL},
	    {"02 02 007f", NULL},
	    {"02 02 ff80", NULL},
	    {"02 09 008000000000000000", NULL},
	    {"02 02 01", NULL},
	    {"04 01 00", NULL},
	    {"22 01 00", NULL},
	};
	struct span out;
	struct buf b;

	CHECK(int_text, rows);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && rows[i].want != NULL; i++) {
		struct span want = unhex(rows[i].hex);

		buf_init(&b, *state);
		der_put_int(&b, strtoll(rows[i].want, NULL, 10));
		assert_err(buf_done(&b, &out), ERR_OK);
		assert_span(out, want);
		free((void *)(uintptr_t)want.ptr);
	}
}

static enum err oid_text(struct der *d, struct arena *a, char **text)
{
	return der_oid(d, a, text);
}

static void test_oids(void **state)
{
	static const struct row rows[] = {
	    {"06 08 2a811ccf55018375", "1.2.156.10197.1.501"},
	    {"06 01 00", "0.0"},
	    {"06 01 27", "0.39"},
	    {"06 01 28", "1.0"},
	    {"06 01 4f", "1.39"},
	    {"06 01 50", "2.0"},
	    {"06 03 883703", "2.999.3"},
	    {"06 0a 2affffffffffffffff7f", "1.2.9223372036854775807"},
	    {"06 00", NULL},
	    {"06 01 80", NULL},
	    {"06 02 8001", NULL},
	    {"06 02 2a80", NULL},
	    {"06 03 2a8001", NULL},
	    {"06 0b 2a81ffffffffffffffff7f", NULL},
	    {"06 21 000000000000000000000000000000000000000000000000000000000000000000", NULL}, /* 34 arcs */
	    {"04 01 00", NULL},
	};
	static const char *const bad[] = {"",
	                                  "1",
	                                  "1.",
	                                  ".1",
	                                  "1..2",
	                                  "1.2.",
	                                  "3.1",
	                                  "0.40",
	                                  "1.40",
	                                  "01.2",
	                                  "1.02",
	                                  "1.2.x",
	                                  "1.2.9223372036854775808",
	                                  "2.9223372036854775800",
	                                  "-1.2"};
	struct span out;
	struct buf b;

	CHECK(oid_text, rows);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && rows[i].want != NULL; i++) {
		struct span want = unhex(rows[i].hex);

		buf_init(&b, *state);
		assert_err(der_put_oid(&b, rows[i].want), ERR_OK);
		assert_err(buf_done(&b, &out), ERR_OK);
		assert_span(out, want);
		free((void *)(uintptr_t)want.ptr);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_init(&b, *state);
		assert_err(der_put_oid(&b, bad[i]), ERR_FORMAT);
	}
}

static enum err bool_text(struct der *d, struct arena *a, char **text)
{
	bool v;
	enum err e = der_bool(d, &v);

	if (e == ERR_OK)
		*text = arena_strdup(a, v ? "true" : "false");
	return e;
}

static enum err bits_hex(struct der *d, struct arena *a, char **text)
{
	struct span v;
	enum err e = der_bits(d, &v);

	if (e == ERR_OK)
		*text = hex_text(a, v);
	return e;
}

static void test_booleans_and_bits(void **state)
{
	static const struct row booleans[] = {
	    {"01 01 00", "false"}, {"01 01 ff", "true"}, {"01 01 01", NULL},
	    {"01 00", NULL},       {"01 02 ffff", NULL}, {"02 01 ff", NULL},
	};
	static const struct row bits[] = {
	    {"03 01 00", ""}, {"03 03 00abcd", "abcd"}, {"03 00", NULL}, {"03 02 04a0", NULL}, {"23 03 030100", NULL},
	};

	CHECK(bool_text, booleans);
	CHECK(bits_hex, bits);
}

static enum err utf8_text(struct der *d, struct arena *a, char **text)
{
	return der_utf8(d, a, 16, text);
}

static enum err ia5_text(struct der *d, struct arena *a, char **text)
{
	return der_ia5(d, a, 16, text);
}

static enum err printable_text(struct der *d, struct arena *a, char **text)
{
	return der_printable(d, a, 16, text);
}

static void test_text(void **state)
{
	static const struct row utf8[] = {
	    {"0c 06 e58db0e8af81", "印证"},
	    {"0c 00", ""},
	    {"0c 01 00", NULL},
	    {"0c 02 c080", NULL},
	    {"0c 03 eda080", NULL},
	    {"0c 02 e58d", NULL},
	    {"0c 01 0a", NULL},
	    {"0c 03 e280ae", NULL},
	    {"16 01 41", NULL},
	    {"0c 04 f4908080", NULL},
	};
	static const struct row ia5[] = {
	    {"16 02 4553", "ES"}, {"16 00", ""},        {"16 01 7f", NULL},
	    {"16 01 80", NULL},   {"16 02 4500", NULL}, {"0c 01 41", NULL},
	};
	static const struct row printable[] = {{"13 03 534d33", "SM3"}, {"13 01 0d", NULL}, {"16 01 41", NULL}};
	struct span in = unhex("0c 11 4141414141414141414141414141414141");
	struct der d = der_of(in);
	char *text;

	CHECK(utf8_text, utf8);
	CHECK(ia5_text, ia5);
	CHECK(printable_text, printable);
	assert_err(der_utf8(&d, *state, 16, &text), ERR_TOO_LARGE);
	free((void *)(uintptr_t)in.ptr);
}

static void test_time(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* 0: ERR_FORMAT */
	} rows[] = {
	    {"20200817031329Z", 1597634009000},
	    {"20000229235959Z", 951868799000},
	    {"19691231235959Z", -1000},
	    {"20200817031329", 0},
	    {"20200817031329z", 0},
	    {"20200817031329+0800", 0},
	    {"20200817031329.5Z", 0},
	    {"202008170313Z", 0},
	    {"20200230000000Z", 0},
	    {"20200817240000Z", 0},
	    {"20200817036029Z", 0},
	    {"20200817031360Z", 0},
	    {"20201317031329Z", 0},
	    {"2020081703132 Z", 0},
	    {"00000101000000Z", 0},
	    {"200817031329Z", 0},
	    {"", 0},
	};
	struct span out;
	struct buf b;
	int64_t ms;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct der d;
		enum err e;

		buf_init(&b, *state);
		der_put(&b, DER_GENERALIZED_TIME, span_str(rows[i].text));
		assert_err(buf_done(&b, &out), ERR_OK);
		d = der_of(out);
		e = der_gentime(&d, &ms);
		assert_err(e, rows[i].ms != 0 ? ERR_OK : ERR_FORMAT);
		if (e != ERR_OK)
			continue;
		assert_true(ms == rows[i].ms);
		buf_init(&b, *state);
		der_put_gentime(&b, ms + 999);
		assert_err(buf_done(&b, &out), ERR_OK);
		assert_span(span_sub(out, 2, 15), span_str(rows[i].text));
	}
}

static void test_depth(void **state)
{
	struct span out;
	struct buf b;
	size_t marks[DER_DEPTH_MAX + 1];
	struct der d, in;

	buf_init(&b, *state);
	for (size_t i = 0; i < DER_DEPTH_MAX + 1; i++)
		marks[i] = der_open(&b, DER_SEQUENCE);
	for (size_t i = DER_DEPTH_MAX + 1; i > 0; i--)
		der_close(&b, marks[i - 1]);
	assert_err(buf_done(&b, &out), ERR_OK);
	d = der_of(out);
	for (size_t i = 0; i < DER_DEPTH_MAX; i++) {
		assert_err(der_enter(&d, DER_SEQUENCE, &in, NULL), ERR_OK);
		d = in;
	}
	assert_err(der_enter(&d, DER_SEQUENCE, &in, NULL), ERR_FORMAT);
}

/* Lengths around every change of form, written and read back. */
static void test_written_lengths(void **state)
{
	static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 70000};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct span value = span_of(arena_alloc(*state, lengths[i]), lengths[i]), out, raw;
		struct der d, in;
		struct buf b;
		size_t mark;

		buf_init(&b, *state);
		mark = der_open(&b, DER_SEQUENCE);
		der_put(&b, DER_OCTET_STRING, value);
		der_put_bits(&b, value);
		der_close(&b, mark);
		assert_err(buf_done(&b, &out), ERR_OK);
		d = der_of(out);
		assert_err(der_enter(&d, DER_SEQUENCE, &in, &raw), ERR_OK);
		assert_span(raw, out);
		assert_err(der_octets(&in, &raw), ERR_OK);
		assert_int_equal(raw.len, lengths[i]);
		assert_err(der_bits(&in, &raw), ERR_OK);
		assert_int_equal(raw.len, lengths[i]);
		assert_err(der_end(&in), ERR_OK);
	}
}

static void test_count(void **state)
{
	struct span in = unhex("0500 0500 0500"), bad = unhex("0500 05");
	struct der d = der_of(in);
	size_t n = 9;

	(void)state;
	assert_err(der_count(&d, 2, &n), ERR_TOO_LARGE);
	assert_int_equal(n, 9);
	assert_err(der_count(&d, 3, &n), ERR_OK);
	assert_int_equal(n, 3);
	d = der_of(bad);
	assert_err(der_count(&d, 3, &n), ERR_FORMAT);
	free((void *)(uintptr_t)in.ptr);
	free((void *)(uintptr_t)bad.ptr);
}

static void test_budget(void **state)
{
	struct arena *small = arena_new(64);
	struct span out;
	struct buf b;
	size_t mark;

	(void)state;
	buf_init(&b, small);
	mark = der_open(&b, DER_SEQUENCE);
	der_put(&b, DER_OCTET_STRING,
	        span_of("0123456789012345678901234567890123456789012345678901234567890123456789", 70));
	der_close(&b, mark);
	assert_err(buf_done(&b, &out), ERR_BUDGET);
	arena_free(small);
}

/* BER and its DER form; code: the deviation that is noted, NULL when it is DER already. */
static void test_normalise(void **state)
{
	static const struct {
		const char *ber, *der, *code; /* der NULL: ERR_FORMAT */
	} rows[] = {
	    {"30 00", "30 00", NULL},
	    {"30 03 020101", "30 03 020101", NULL},
	    {"30 80 020101 0000", "30 03 020101", "BER_LENGTHS"},
	    {"30 80 0000", "30 00", "BER_LENGTHS"},
	    {"30 80 3080 020101 0000 0500 0000", "30 07 3003 020101 0500", "BER_LENGTHS"},
	    {"30 07 3080 020101 0000", "30 05 3003 020101", "BER_LENGTHS"},
	    {"a0 80 0500 0000", "a0 02 0500", "BER_LENGTHS"},
	    {"30 8103 020101", "30 03 020101", "BER_LENGTHS"},
	    {"30 8400000003 020101", "30 03 020101", "BER_LENGTHS"},
	    {"30 04 02810101", "30 03 020101", "BER_LENGTHS"},
	    {"30 880000000000000003 020101", "30 03 020101", "BER_LENGTHS"},
	    {"24 06 0401 61 0401 62", "04 02 6162", "BER_STRINGS"},
	    {"24 80 0401 61 0401 62 0000", "04 02 6162", "BER_STRINGS"},
	    {"24 00", "04 00", "BER_STRINGS"},
	    {"23 08 0302 00ff 0302 04f0", NULL, NULL}, /* unused bits in the last part: whole bytes only */
	    {"23 08 0302 00ff 0302 00f0", "03 03 00fff0", "BER_STRINGS"},
	    {"23 02 0300", NULL, NULL},
	    {"24 03 0301 00", NULL, NULL},      /* a part of another type */
	    {"24 05 2403 0401 61", NULL, NULL}, /* parts of parts */
	    {"", NULL, NULL},
	    {"30", NULL, NULL},
	    {"30 80", NULL, NULL},
	    {"30 80 00", NULL, NULL},
	    {"30 80 0001 00 0000", NULL, NULL}, /* an end mark with a length */
	    {"30 02 0000", NULL, NULL},         /* an end mark within a definite length */
	    {"30 03 3080 00", NULL, NULL},
	    {"30 04 3080 0000", "30 02 3000", "BER_LENGTHS"},
	    {"04 80 0000", NULL, NULL}, /* a primitive value has a definite length */
	    {"30 04 020101", NULL, NULL},
	    {"30 02 0202", NULL, NULL}, /* a child longer than its parent */
	    {"30 89000000000000000003 020101", NULL, NULL},
	    {"30 88ffffffffffffffff 020101", NULL, NULL},
	    {"30 ff", NULL, NULL},
	    {"3f 8101 00", NULL, NULL},
	    {"00 00", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct deviations list = {0};
		struct span in = unhex(rows[i].ber), want, out, rest;
		enum err e = der_normalise(*state, in, &list, "here", &out, &rest);

		if (e != (rows[i].der != NULL ? ERR_OK : ERR_FORMAT))
			fail_msg("%s: %s", rows[i].ber, err_name(e));
		if (e == ERR_OK) {
			want = unhex(rows[i].der);
			assert_span(out, want);
			assert_int_equal(rest.len, 0);
			assert_true((rows[i].code == NULL) == (out.ptr == in.ptr));
			assert_true(rows[i].code == NULL ? list.n == 0 : strcmp(list.item[list.n - 1].code, rows[i].code) == 0);
			e = der_normalise(*state, in, NULL, "here", &out, &rest);
			assert_err(e, rows[i].code == NULL ? ERR_OK : ERR_FORMAT);
			free((void *)(uintptr_t)want.ptr);
		}
		free((void *)(uintptr_t)in.ptr);
	}
}

/* Parts of BER as they came. */
static void test_received(void **state)
{
	static const unsigned second[] = {1}, deep[] = {1, 0}, none[] = {2}, under_primitive[] = {0, 0};
	struct span in = unhex("30 80 0500 3080 020101 0000 0000 ffff"), got, want = unhex("3080 020101 0000");

	(void)state;
	assert_err(der_received(in, second, 1, &got), ERR_OK);
	assert_span(got, want);
	assert_err(der_received(in, deep, 2, &got), ERR_OK);
	assert_int_equal(got.len, 3);
	assert_err(der_received(in, NULL, 0, &got), ERR_OK);
	assert_int_equal(got.len, in.len - 2);
	assert_err(der_received(in, none, 1, &got), ERR_FORMAT);
	assert_err(der_received(in, under_primitive, 2, &got), ERR_FORMAT);
	free((void *)(uintptr_t)in.ptr);
	free((void *)(uintptr_t)want.ptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lengths_and_tags),
	    TEST(test_integers),
	    TEST(test_oids),
	    TEST(test_booleans_and_bits),
	    TEST(test_text),
	    TEST(test_time),
	    TEST(test_depth),
	    TEST(test_written_lengths),
	    TEST(test_count),
	    TEST(test_budget),
	    TEST(test_normalise),
	    TEST(test_received),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
