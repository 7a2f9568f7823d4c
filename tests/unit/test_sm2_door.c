/* The door of SM2: which values, keys and identities pass, told by our own arithmetic and by OpenSSL alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "crypto/sm2_cache.h"
#include "crypto/sm2_openssl.h"
#include "crypto/sm2_sign.h"

#define BYTES(s) span_of(s, sizeof(s) - 1)

enum { ROOM = 160 };

static const struct sm2_means openssl = {.backend = SM2_OPENSSL};

struct signed_one {
	struct sm2_secret *secret;
	struct sm2_key *key;
	struct sm2_value v;
	uint8_t der[SM2_SIG_MAX];
	size_t len;
};

static void sign(struct signed_one *o, struct span id, struct span msg)
{
	const struct rand rand = rand_system();
	uint8_t e[SM2_DIGEST];

	assert_int_equal(sm2_digest(o->key, id, msg, e), ERR_OK);
	assert_int_equal(sm2_sign(o->secret, &rand, e, &o->v), ERR_OK);
	o->len = sm2_value_write(&o->v, o->der);
}

static int begin(void **state)
{
	struct signed_one *o = calloc(1, sizeof(*o));
	const struct rand rand = rand_system();
	uint8_t d[SM2_NUMBER], point[SM2_POINT];

	if (o == NULL || rand_fill(&rand, d, sizeof(d)) != ERR_OK)
		return -1;
	d[0] = 0x12;
	if (sm2_secret_new(d, &o->secret, point) != ERR_OK || sm2_key_new(span_of(point, sizeof(point)), &o->key) != ERR_OK)
		return -1;
	/* Both numbers with a leading zero octet, so that the headers have one form. */
	do
		sign(o, sm2_default_id(), BYTES("m"));
	while (o->v.r[0] < 0x80 || o->v.s[0] < 0x80);
	*state = o;
	return 0;
}

static int end(void **state)
{
	struct signed_one *o = *state;

	sm2_secret_free(o->secret);
	sm2_key_free(o->key);
	free(o);
	return 0;
}

static enum err verdict(const struct signed_one *o, struct span sig)
{
	return sm2_verify(o->key, sm2_default_id(), BYTES("m"), sig);
}

/* OpenSSL's own word, without our look at the form. */
static enum err theirs(const struct signed_one *o, struct span sig)
{
	return sm2_openssl_verify(sm2_key_point(o->key), sm2_default_id(), BYTES("m"), sig);
}

/* ---- values --------------------------------------------------------------------------------- */

/* What a writer of DER can do wrong, and BER that OpenSSL refuses as well. %r and %s: the numbers, 32 octets. */
static void every_malformed_value_is_bad(void **state)
{
	static const char *const bad[] = {
	    "",
	    "30",
	    "3000",
	    "3080",
	    "308000",
	    "300000",
	    "3001",
	    "300102",
	    "30020200",
	    "30020201",
	    "02",
	    "%r%s",                       /* raw */
	    "04%r%s",                     /* raw, with the head of a point */
	    "3046022100%r022100%s00",     /* an octet behind */
	    "3047022100%r022100%s00",     /* behind, within */
	    "3048022100%r022100%s0500",   /* NULL behind */
	    "3049022100%r022100%s020101", /* a third number */
	    "3023022100%r",               /* one number */
	    "3023022100%s",               /* the other */
	    "3045022100%r022100%s",       /* length one too small */
	    "3047022100%r022100%s",       /* one too large */
	    "308146022100%r022100%s",     /* lengths not in their shortest form */
	    "30820046022100%r022100%s",
	    "3083000046022100%r022100%s",
	    "308400000046022100%r022100%s",
	    "30850000000046022100%r022100%s",
	    "3088000000000000004602"
	    "2100%r022100%s",
	    "30ff46022100%r022100%s",
	    "304702812100%r022100%s",
	    "3047022100%r02812100%s",
	    "30480282002100%r022100%s",
	    "3080022100%r022100%s0000", /* no length */
	    "30800280022100%r0000022100%s0000",
	    "304702220000%r022100%s", /* needless zeros */
	    "3047022100%r02220000%s",
	    "30480223000000%r022100%s",
	    "30440220%r0220%s", /* negative */
	    "3045022100%r0220%s",
	    "30450220%r022100%s",
	    "30470222ffff%r022100%s", /* negative, and needlessly long */
	    "3046022101%r022100%s",   /* 33 octets */
	    "3046022100%r022101%s",
	    "3046022180%r022100%s",
	    "30660241"
	    "00%r%s"
	    "022100%s",         /* 65 octets */
	    "30250200022100%s", /* no octets */
	    "3025022100%r0200",
	    "3026020100022100%s", /* zero */
	    "3026022100%r020100",
	    "30270202"
	    "0000022100%s",
	    "3006020100020100",
	    "3026"
	    "0201ff022100%s", /* -1 */
	    "3026"
	    "022100%r0201ff",
	    "3146022100%r022100%s", /* SET */
	    "7046022100%r022100%s", /* other classes, primitive */
	    "b046022100%r022100%s",
	    "f046022100%r022100%s",
	    "1046022100%r022100%s",
	    "3f10"
	    "46022100%r022100%s",   /* a tag of several octets */
	    "3046032100%r022100%s", /* BIT STRING, OCTET STRING, ENUMERATED, constructed */
	    "3046042100%r022100%s",
	    "30460a2100%r022100%s",
	    "3046222100%r022100%s",
	    "3046822100%r022100%s",
	    "3046022100%r032100%s",
	    "3046022100%r0a2100%s",
	    "3046022100%r222100%s",
	    "3046022100%r022200%s", /* past the end */
	    "3046022100%r02ff00%s",
	    "304602ff00%r022100%s",
	    "3048"
	    "3046022100%r022100%s", /* wrapped */
	    "03490030"
	    "46022100%r022100%s",
	    "04483046022100%r022100%s",
	    "3046022100%s022100%r", /* the wrong way round */
	};
	const struct signed_one *o = *state;
	char r[65], s[65], text[2 * ROOM];
	uint8_t buf[ROOM];

	hex_encode(span_of(o->v.r, 32), r);
	hex_encode(span_of(o->v.s, 32), s);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t n = 0;

		for (const char *p = bad[i]; *p != '\0'; p++)
			if (*p == '%')
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", *++p == 'r' ? r : s);
			else
				text[n++] = *p;
		assert_int_equal(hex_decode(span_of(text, n), buf, n / 2), ERR_OK);
		if (verdict(o, span_of(buf, n / 2)) != ERR_SIGNATURE_BAD || theirs(o, span_of(buf, n / 2)) == ERR_OK ||
		    sm2_verify_by(openssl, o->key, sm2_default_id(), BYTES("m"), span_of(buf, n / 2)) != ERR_SIGNATURE_BAD)
			fail_msg("value %zu: %s", i, bad[i]);
	}
	assert_int_equal(verdict(o, span_of(o->der, o->len)), ERR_OK);
	assert_int_equal(theirs(o, span_of(o->der, o->len)), ERR_OK);
	assert_int_equal(verdict(o, span_of(NULL, 0)), ERR_SIGNATURE_BAD);
}

static void every_cut_and_every_longer_value_is_bad(void **state)
{
	const struct signed_one *o = *state;
	uint8_t buf[ROOM] = {0};

	memcpy(buf, o->der, o->len);
	for (size_t n = 0; n < ROOM; n++)
		if (n != o->len)
			assert_int_equal(verdict(o, span_of(buf, n)), ERR_SIGNATURE_BAD);
}

/* Each octet of the headers in all its values, the others with one bit changed: as OpenSSL has it. */
static void changed_octets_are_judged_alike(void **state)
{
	const struct signed_one *o = *state;
	uint8_t buf[SM2_SIG_MAX];

	assert_int_equal(o->len, SM2_SIG_MAX);
	for (size_t i = 0; i < o->len; i++) {
		bool header = i < 5 || (i >= 37 && i < 40);

		memcpy(buf, o->der, o->len);
		for (unsigned v = 0; v < 256; v += header ? 1 : 128) {
			buf[i] = (uint8_t)(o->der[i] ^ v);
			enum err e = verdict(o, span_of(buf, o->len));
			assert_int_equal(e, v == 0 ? ERR_OK : ERR_SIGNATURE_BAD);
			if (header)
				assert_int_equal(e == ERR_OK, theirs(o, span_of(buf, o->len)) == ERR_OK);
		}
	}
}

/* Numbers of every length are written in their shortest form, and read again. */
static void values_are_written_as_they_are_read(void **state)
{
	for (size_t zeros = 0; zeros < 32; zeros++) {
		static const uint8_t first[] = {0x01, 0x7f, 0x80, 0xff};

		for (size_t i = 0; i < sizeof(first); i++) {
			struct sm2_value v = {0}, back;
			uint8_t der[SM2_SIG_MAX];

			memset(v.r + zeros, 0x5a, 32 - zeros);
			memset(v.s + zeros, 0xa5, 32 - zeros);
			v.r[zeros] = first[i];
			v.s[31 - zeros] = first[i];
			size_t len = sm2_value_write(&v, der);
			assert_true(len <= SM2_SIG_MAX);
			assert_int_equal(sm2_value_read(span_of(der, len), &back), ERR_OK);
			assert_memory_equal(&v, &back, sizeof(v));
		}
	}
}

static void unread_values_leave_the_output(void **state)
{
	struct sm2_value v, before;
	const uint8_t one_number[] = {0x30, 0x03, 0x02, 0x01, 0x05};

	memset(&v, 0x33, sizeof(v));
	before = v;
	assert_int_equal(sm2_value_read(span_of(one_number, sizeof(one_number)), &v), ERR_FORMAT);
	assert_memory_equal(&v, &before, sizeof(v));
}

/* ---- identities ----------------------------------------------------------------------------- */

static void identities_are_kept_apart(void **state)
{
	static uint8_t longest[SM2_ID_MAX + 1];
	struct signed_one *o = *state;
	const struct span ids[] = {sm2_default_id(),
	                           BYTES(""),
	                           BYTES("1234567812345679"),
	                           BYTES("123456781234567"),
	                           BYTES("ALICE123@YAHOO.COM"),
	                           span_of(longest, SM2_ID_MAX)};
	enum { IDS = sizeof(ids) / sizeof(ids[0]) };

	for (size_t i = 0; i < IDS; i++) {
		sign(o, ids[i], BYTES("m"));
		struct span sig = span_of(o->der, o->len);
		for (size_t j = 0; j < IDS; j++) {
			enum err want = i == j ? ERR_OK : ERR_SIGNATURE_BAD;
			assert_int_equal(sm2_verify(o->key, ids[j], BYTES("m"), sig), want);
			assert_int_equal(sm2_verify_by(openssl, o->key, ids[j], BYTES("m"), sig), want);
		}
	}
	struct span sig = span_of(o->der, o->len), too_long = span_of(longest, SM2_ID_MAX + 1);
	assert_int_equal(sm2_verify(o->key, too_long, BYTES("m"), sig), ERR_FIELD_TOO_LONG);
	assert_int_equal(sm2_verify_by(openssl, o->key, too_long, BYTES("m"), sig), ERR_FIELD_TOO_LONG);
	/* A malformed value is told first, by both. */
	assert_int_equal(sm2_verify(o->key, too_long, BYTES("m"), BYTES("0")), ERR_SIGNATURE_BAD);
	assert_int_equal(sm2_verify_by(openssl, o->key, too_long, BYTES("m"), BYTES("0")), ERR_SIGNATURE_BAD);
}

/* ---- means ---------------------------------------------------------------------------------- */

/* The same verdicts without a table, with one from the cache, with the key's own, and by OpenSSL. */
static void all_means_agree(void **state)
{
	const struct rand rand = rand_system();
	struct signed_one *o = *state;
	struct sm2_means by = {0};

	assert_int_equal(sm2_cache_new(1 << 20, &rand, &by.tables), ERR_OK);
	for (int i = 0; i < 3 * CACHE_PROMOTES; i++) {
		struct span msg = span_of(&i, sizeof(i)), bad = span_of(&i, sizeof(i) - 1);
		sign(o, sm2_default_id(), msg);
		struct span sig = span_of(o->der, o->len);
		if (i == 2 * CACHE_PROMOTES)
			assert_int_equal(sm2_key_prepare(o->key), ERR_OK);
		assert_int_equal(sm2_verify_by(by, o->key, sm2_default_id(), msg, sig), ERR_OK);
		assert_int_equal(sm2_verify_by(by, o->key, sm2_default_id(), bad, sig), ERR_SIGNATURE_BAD);
		assert_int_equal(sm2_verify(o->key, sm2_default_id(), msg, sig), ERR_OK);
		assert_int_equal(sm2_verify_by(openssl, o->key, sm2_default_id(), msg, sig), ERR_OK);
		assert_int_equal(sm2_verify_by(openssl, o->key, sm2_default_id(), bad, sig), ERR_SIGNATURE_BAD);
	}
	assert_int_equal(sm2_key_prepare(o->key), ERR_OK);
	sm2_cache_free(by.tables);
}

/* Messages around the lengths at which hashing changes its way. */
static void messages_of_all_lengths(void **state)
{
	static const size_t lens[] = {0, 1, 23, 24, 31, 32, 55, 56, 63, 64, 65, 2015, 2016, 2017, 4096, 100000};
	static uint8_t big[100000];
	struct signed_one *o = *state;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		sign(o, sm2_default_id(), span_of(big, lens[i]));
		struct span sig = span_of(o->der, o->len);
		assert_int_equal(sm2_verify_by(openssl, o->key, sm2_default_id(), span_of(big, lens[i]), sig), ERR_OK);
		assert_int_equal(sm2_verify(o->key, sm2_default_id(), span_of(big, lens[i]), sig), ERR_OK);
	}
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void bad_points_are_refused(void **state)
{
	const struct signed_one *o = *state;
	/* On y^2 = x^3 - 3x + b' for other b': OpenSSL's test of invalid curves. And p itself, which is 0 to the careless.
	 */
	static const char *const bad[] = {
	    "04"
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "04"
	    "0000000000000000000000000000000000000000000000000000000000000001"
	    "0000000000000000000000000000000000000000000000000000000000000001",
	    "04"
	    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF"
	    "FD4511E81736A60F07E88A83D6CF5A167FAE6D1A9C9330E76E232E00F5CDC154",
	    "04"
	    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
	    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A1",
	};
	uint8_t point[SM2_POINT];
	struct sm2_key *k = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(hex_decode(span_str(bad[i]), point, sizeof(point)), ERR_OK);
		assert_int_equal(sm2_key_new(span_of(point, sizeof(point)), &k), ERR_FORMAT);
	}
	for (unsigned head = 0; head < 256; head++) {
		memcpy(point, sm2_key_point(o->key).ptr, sizeof(point));
		point[0] = (uint8_t)head;
		if (head != 0x04)
			assert_int_equal(sm2_key_new(span_of(point, sizeof(point)), &k), ERR_FORMAT);
	}
	for (size_t n = 0; n < sizeof(point); n++)
		assert_int_equal(sm2_key_new(span_sub(sm2_key_point(o->key), 0, n), &k), ERR_FORMAT);
	assert_null(k);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_malformed_value_is_bad),
	    TEST(every_cut_and_every_longer_value_is_bad),
	    TEST(changed_octets_are_judged_alike),
	    cmocka_unit_test(values_are_written_as_they_are_read),
	    cmocka_unit_test(unread_values_leave_the_output),
	    TEST(identities_are_kept_apart),
	    TEST(all_means_agree),
	    TEST(messages_of_all_lengths),
	    TEST(bad_points_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
