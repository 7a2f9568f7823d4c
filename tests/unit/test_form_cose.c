/* COSE_Sign1 statements. */
#include "tests/unit/form_help.h"

#include "crypto/signer.h"
#include "crypto/sm2.h"
#include "form/cose.h"

#include <unistd.h>

static const struct span certs[] = {{(const uint8_t *)"A", 1}, {(const uint8_t *)"B", 1}};
static const char type[] = "t/p";

/* r = 1, s = 2^255 */
static const char sig_hex[] = "30 26 0201 01 0221 008000000000000000000000000000000000000000000000000000000000000000";

/* {1: -65601, 3: "t/p", 33: h'41'} */
#define HEADER "50 a3 01 3a00010040 03 63742f70 1821 4141"
#define VALUE                                                                                                          \
	"5840 0000000000000000000000000000000000000000000000000000000000000001"                                            \
	"8000000000000000000000000000000000000000000000000000000000000000"
#define GOOD "d2 84 " HEADER " a0 4101 " VALUE

static void test_encoding(void **state)
{
	struct span want = unhex(GOOD), sig = unhex(sig_hex), tbs, out;
	struct span want_tbs = unhex("84 6a 5369676e617475726531 " HEADER " 40 4101");
	struct cose_sign1 s;
	uint8_t der[72];
	size_t len;

	assert_err(cose_to_be_signed(*state, type, certs, 1, span_of("\1", 1), &tbs), ERR_OK);
	assert_span(tbs, want_tbs);
	assert_err(cose_encode(*state, type, certs, 1, span_of("\1", 1), sig, &out), ERR_OK);
	assert_span(out, want);
	assert_err(cose_parse(*state, out, &s), ERR_OK);
	assert_string_equal(s.content_type, type);
	assert_int_equal(s.n_certs, 1);
	assert_span(s.certs[0], certs[0]);
	assert_span(s.payload, span_of("\1", 1));
	assert_span(s.to_be_signed, want_tbs);
	assert_err(cose_value_to_der(s.value, der, &len), ERR_OK);
	assert_span(span_of(der, len), sig);
	assert_err(cose_encode(*state, type, certs, 2, span_of(NULL, 0), sig, &out), ERR_OK);
	assert_err(cose_parse(*state, out, &s), ERR_OK);
	assert_int_equal(s.n_certs, 2);
	assert_span(s.certs[1], certs[1]);
	assert_int_equal(s.payload.len, 0);
	free((void *)(uintptr_t)want.ptr);
	free((void *)(uintptr_t)sig.ptr);
	free((void *)(uintptr_t)want_tbs.ptr);
}

static void test_bad(void **state)
{
	static const char *const rows[] = {
	    "",
	    "d2",
	    "d2 80",
	    "84 " HEADER " a0 4101 " VALUE, /* no tag */
	    "d1 84 " HEADER " a0 4101 " VALUE,
	    "d812 84 " HEADER " a0 4101 " VALUE,
	    "d2 85 " HEADER " a0 4101 " VALUE " 00",
	    "d2 84 " HEADER " a0 4101 " VALUE " 00",
	    "d2 84 " HEADER " a1 04 4101 4101 " VALUE, /* something unprotected */
	    "d2 84 " HEADER " a0 f6 " VALUE,           /* detached payload */
	    "d2 84 " HEADER " a0 4101 4101",
	    "d2 84 40 a0 4101 " VALUE, /* empty header */
	    "d2 84 41 a0 a0 4101 " VALUE,
	    "d2 84 4e a3 01 39ffff 03 63742f70 1821 4141 a0 4101 " VALUE,
	    "d2 84 4c a3 01 26 03 63742f70 1821 4141 a0 4101 " VALUE,            /* ES256 */
	    "d2 84 51 a3 01 3a00010040 03 63742f70 1821 4141 00 a0 4101 " VALUE, /* more behind the header */
	    "d2 84 50 a3 03 63742f70 01 3a00010040 1821 4141 a0 4101 " VALUE,    /* order of the keys */
	    "d2 84 4c a2 01 3a00010040 03 63742f70 a0 4101 " VALUE,              /* no certificate */
	    "d2 84 4f a3 01 3a00010040 03 63742f70 1821 40 a0 4101 " VALUE,      /* an empty one */
	    "d2 84 4f a3 01 3a00010040 03 63742f70 1821 80 a0 4101 " VALUE,
	    "d2 84 51 a3 01 3a00010040 03 63742f70 1821 81 4141 a0 4101 " VALUE, /* an array of one */
	    "d2 84 58 19 a3 01 3a00010040 03 63742f70 1821 85 4141 4141 4141 4141 4141 a0 4101 " VALUE,
	    "d2 84 4d a3 01 3a00010040 03 60 1821 4141 a0 4101 " VALUE,               /* no content type */
	    "d2 84 53 a4 01 3a00010040 03 63742f70 1821 4141 1822 00 a0 4101 " VALUE, /* a key more */
	    "d2 84 " HEADER " a0 4101 583f 00000000000000000000000000000000000000000000000000000000000000"
	    "0180000000000000000000000000000000000000000000000000000000000000 00",
	};
	struct cose_sign1 s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span in = unhex(rows[i]);

		if (cose_parse(*state, in, &s) != ERR_FORMAT)
			fail_msg("row %zu", i);
		free((void *)(uintptr_t)in.ptr);
	}
	assert_err(cose_parse(*state, span_of(arena_alloc(*state, COSE_MAX + 1), COSE_MAX + 1), &s), ERR_TOO_LARGE);
}

static void test_refused_to_write(void **state)
{
	static const char *const bad[] = {
	    "",
	    "30 00",
	    "30 03 020101",
	    "30 06 020101 0201ff",
	    "30 07 020101 02020001",
	    "30 06 020101 020101 00",
	    "30 08 020101 020101 0500",
	    "31 06 020101 020101",
	    "30 05 020101 0200",
	    "30 26 020101 0221 018000000000000000000000000000000000000000000000000000000000000000",
	};
	struct span sig = unhex(sig_hex), out, empty = {0};
	struct span five[] = {certs[0], certs[0], certs[0], certs[0], certs[0]};
	uint8_t der[72];
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span in = unhex(bad[i]);

		if (cose_encode(*state, type, certs, 1, span_of("\1", 1), in, &out) != ERR_FORMAT)
			fail_msg("%s", bad[i]);
		free((void *)(uintptr_t)in.ptr);
	}
	assert_err(cose_encode(*state, "", certs, 1, certs[0], sig, &out), ERR_FIELD_INVALID);
	assert_err(cose_encode(*state, type, certs, 0, certs[0], sig, &out), ERR_FIELD_INVALID);
	assert_err(cose_encode(*state, type, five, 5, certs[0], sig, &out), ERR_FIELD_INVALID);
	assert_err(cose_encode(*state, type, &empty, 1, certs[0], sig, &out), ERR_FIELD_INVALID);
	assert_err(cose_encode(*state, type, certs, 1, span_of(arena_alloc(*state, COSE_MAX), COSE_MAX), sig, &out),
	           ERR_TOO_LARGE);
	assert_err(cose_value_to_der(span_str("short"), der, &len), ERR_FORMAT);
	free((void *)(uintptr_t)sig.ptr);
}

/* With a real key: what is signed is what is rebuilt, and one changed bit is found. */
static void test_signed(void **state)
{
	char dir[] = "/tmp/yz-test-XXXXXX", path[sizeof(dir) + 8];
	struct span payload = span_str("payload"), tbs, whole, beginning;
	struct signer *signer = NULL;
	struct sm2_key *key = NULL;
	struct cose_sign1 s;
	struct err_note note;
	uint8_t sig[SM2_SIG_MAX], der[72];
	size_t len;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key.pem", dir);
	assert_err(signer_make_file(path, span_str("pass"), &note), ERR_OK);
	assert_err(signer_open_file(path, span_str("pass"), &signer, &note), ERR_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_err(sm2_key_new(signer_point(signer), &key), ERR_OK);
	assert_err(cose_beginning(*state, type, certs, 2, &beginning), ERR_OK);
	for (int i = 0; i < 20; i++) {
		if (i == 10)
			assert_err(signer_expect(signer, beginning), ERR_OK);
		assert_err(cose_to_be_signed(*state, type, certs, 2, payload, &tbs), ERR_OK);
		assert_true(span_eq(span_sub(tbs, 0, beginning.len), beginning));
		assert_err(signer_sign(signer, tbs, sig, &len), ERR_OK);
		assert_err(cose_encode(*state, type, certs, 2, payload, span_of(sig, len), &whole), ERR_OK);
		assert_err(cose_parse(*state, whole, &s), ERR_OK);
		assert_err(cose_value_to_der(s.value, der, &len), ERR_OK);
		assert_err(sm2_verify(key, sm2_default_id(), s.to_be_signed, span_of(der, len)), ERR_OK);
	}
	((uint8_t *)(uintptr_t)s.to_be_signed.ptr)[s.to_be_signed.len - 1] ^= 1;
	assert_err(sm2_verify(key, sm2_default_id(), s.to_be_signed, span_of(der, len)), ERR_SIGNATURE_BAD);
	sm2_key_free(key);
	signer_free(signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_encoding), TEST(test_bad), TEST(test_refused_to_write),
	                                   TEST(test_signed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
