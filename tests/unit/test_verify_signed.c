/* Verdicts about SignedData and bare values: SM2 ones made here with one fault each, RSA and P-256 ones made by
 * OpenSSL, real ones from the corpus. */
#include "signed_material.h"

#include "verify/judge.h"

/* ---- SM2 SignedData -------------------------------------------------------------------------------------------- */

struct sd_fault {
	const char *name;
	struct sd_made made;
	struct made how; /* how it is judged */
	enum indication ind;
	enum sub_indication sub;
	const char *code;
};

static void judge_sd(struct arena *a, const struct sd_fault *f)
{
	struct report *r = judge_made(a, &f->how, verify_any, make_signed_data(a, &f->made, data_signed), data_signed);

	assert_int_equal(r->kind, KIND_SIGNATURE);
	expect(f->name, r, f->ind, f->sub, f->code);
}

static void signed_data_is_judged(void **state)
{
	static const struct sd_fault table[] = {
	    {"detached", {0}, {0}, PASSES("TIME_CLAIMED_ONLY")},
	    {"attached", {.content = CONTENT_DATA}, {0}, PASSES("OK")},
	    {"attached, data not given", {.content = CONTENT_DATA}, {.no_data = true}, PASSES("OK")},
	    {"no attributes", {.no_attrs = true}, {0}, PASSES("TIME_NOT_STATED")},
	    {"no attributes, attached", {.no_attrs = true, .content = CONTENT_DATA}, {0}, PASSES("OK")},
	    {"no time", {.no_time = true}, {0}, PASSES("TIME_NOT_STATED")},
	    {"SM2-with-SM3", {.alg = OID_SM2_SM3}, {0}, PASSES("OK")},
	    {"PKCS#7 container", {.container = OID_P7_SIGNED_DATA, .type = OID_P7_DATA}, {0}, PASSES("OK")},
	    {"PKCS#7 data in a GM container", {.type = OID_P7_DATA}, {0}, PASSES("CONTENT_TYPE_MIXED")},
	    {"data types mixed", {.attr_type = OID_P7_DATA}, {0}, PASSES("CONTENT_TYPE_MIXED")},
	    {"attributes not sorted", {.unsorted = true}, {0}, PASSES("ATTRS_NOT_SORTED")},
	    {"no content type", {.no_type = true}, {0}, PASSES("ATTRS_NO_CONTENT_TYPE")},
	    {"raw value", {.raw_value = true}, {0}, PASSES("VALUE_RAW")},
	    {"trailing byte", {.trailing = true}, {0}, PASSES("TRAILING_BYTES")},
	    {"content is the digest", {.content = CONTENT_SM3}, {0}, PASSES("CONTENT_IS_DIGEST")},
	    {"content is base64", {.content = CONTENT_BASE64}, {0}, PASSES("CONTENT_IS_DIGEST_TEXT")},
	    {"content is hex", {.content = CONTENT_HEX}, {0}, PASSES("CONTENT_IS_DIGEST_TEXT")},
	    {"over the digest", {.over = CONTENT_SM3}, {0}, PASSES("CONTENT_IS_DIGEST")},
	    {"value over the digest", {.over = CONTENT_SM3, .no_attrs = true}, {0}, PASSES("CONTENT_IS_DIGEST")},
	    {"value over base64",
	     {.over = CONTENT_BASE64, .no_attrs = true, .raw_value = true},
	     {0},
	     PASSES("CONTENT_IS_DIGEST_TEXT")},
	    {"signing certificate named", {.ess = true}, {0}, PASSES("OK")},

	    {"value bad", {.bad_value = true}, {0}, FAILS(SIG_CRYPTO_FAILURE, "SIG_BAD")},
	    {"value bad, no attributes", {.bad_value = true, .no_attrs = true}, {0}, FAILS(SIG_CRYPTO_FAILURE, "SIG_BAD")},
	    {"other data", {0}, {.wrong_data = true}, FAILS(HASH_FAILURE, "HASH_MISMATCH")},
	    {"other data, attached", {.content = CONTENT_DATA}, {.wrong_data = true}, FAILS(HASH_FAILURE, "HASH_MISMATCH")},
	    {"other data, digest inside",
	     {.content = CONTENT_SM3},
	     {.wrong_data = true},
	     FAILS(HASH_FAILURE, "HASH_MISMATCH")},
	    {"other data, no attributes", {.no_attrs = true}, {.wrong_data = true}, FAILS(SIG_CRYPTO_FAILURE, "SIG_BAD")},
	    {"other data, attached, no attributes",
	     {.no_attrs = true, .content = CONTENT_DATA},
	     {.wrong_data = true},
	     FAILS(HASH_FAILURE, "HASH_MISMATCH")},
	    {"digest wrong", {.wrong_digest = true}, {0}, FAILS(HASH_FAILURE, "HASH_MISMATCH")},
	    {"digest wrong, attached",
	     {.wrong_digest = true, .content = CONTENT_DATA},
	     {.no_data = true},
	     FAILS(HASH_FAILURE, "HASH_MISMATCH")},
	    {"no digest", {.no_digest = true}, {0}, FAILS(FORMAT_FAILURE, "ATTRS_NO_DIGEST")},
	    {"two digests", {.twice_digest = true}, {0}, FAILS(FORMAT_FAILURE, "FORMAT")},
	    {"another content type", {.attr_type = "1.2.3"}, {0}, FAILS(SIG_CONSTRAINTS_FAILURE, "CONTENT_TYPE_WRONG")},
	    {"another certificate named", {.ess_other = true}, {0}, FAILS(SIG_CONSTRAINTS_FAILURE, "SIGNING_CERT_OTHER")},
	    {"no signer", {.no_signer = true}, {0}, FAILS(FORMAT_FAILURE, "SIGNER_INFO_MISSING")},
	    {"another's key", {.signer = "mnr", .bad_value = true}, {0}, FAILS(SIG_CRYPTO_FAILURE, "SIG_BAD")},
	    {"revoked", {.signer = "revoked"}, {0}, FAILS(REVOKED, "SIGNER_CERT_REVOKED_BEFORE")},
	    {"expired", {.signer = "expired"}, {0}, FAILS(EXPIRED, "TIME_OUTSIDE_CERT")},
	    {"expired, no time",
	     {.signer = "expired", .no_attrs = true},
	     {0},
	     IS_UNCLEAR(OUT_OF_BOUNDS_NO_POE, "CERT_EXPIRED_SINCE")},
	    {"in the future", {.time = HOUR}, {0}, FAILS(NOT_YET_VALID, "TIME_IN_FUTURE")},

	    {"data not given", {0}, {.no_data = true}, IS_UNCLEAR(SIGNED_DATA_NOT_FOUND, "DATA_NOT_GIVEN")},
	    {"data not given, no attributes",
	     {.no_attrs = true},
	     {.no_data = true},
	     IS_UNCLEAR(SIGNED_DATA_NOT_FOUND, "DATA_NOT_GIVEN")},
	    {"no certificate", {.no_cert = true}, {0}, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "SIGNER_CERT_MISSING")},
	    {"nobody trusted", {0}, {.trust = TRUST_NONE}, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "TRUST_EMPTY")},
	    {"others trusted", {0}, {.trust = TRUST_OTHER}, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "SIGNER_CERT_CHAIN")},
	    {"a statement key", {.signer = "receipt"}, {0}, IS_UNCLEAR(CHAIN_CONSTRAINTS_FAILURE, "SIGNER_CERT_PURPOSE")},
	    {"a CA's key", {.signer = "root"}, {0}, IS_UNCLEAR(CHAIN_CONSTRAINTS_FAILURE, "SIGNER_CERT_KEYUSAGE")},
	    {"mislabelled as ECDSA",
	     {.alg = "1.2.840.10045.4.3.2"},
	     {0},
	     IS_UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_MISLABELLED")},
	    {"mislabelled, .1 lost",
	     {.alg = "1.2.156.10197.501"},
	     {0},
	     IS_UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_MISLABELLED")},
	    {"digest unknown", {.digest_alg = "1.2.3"}, {0}, IS_UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_ALG")},
	    {"proven time, since expired", {0}, {.proven = true, .at = 2000 * DAY}, PASSES("OK")},
	    {"since expired", {0}, {.at = 2000 * DAY}, IS_UNCLEAR(OUT_OF_BOUNDS_NO_POE, "CERT_EXPIRED_SINCE")},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		judge_sd(*state, &table[i]);
}

static void strict_policy_refuses_deviations(void **state)
{
	static const struct sd_made table[] = {
	    {.unsorted = true}, {.raw_value = true}, {.trailing = true}, {.content = CONTENT_SM3}, {.type = OID_P7_DATA},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy_rules strict;
		struct verify_policy p = {.name = "strict", .trust = pki.trust};
		struct verify_input in = {
		    .bytes = make_signed_data(*state, &table[i], data_signed), .data = data_signed, .now = pki.t0};
		struct report *r;

		strict = *policy_rules(&p);
		strict.deviation_default = POLICY_REFUSE;
		p.rules = &strict;
		assert_err(verify_any(*state, &p, &in, &r), ERR_OK);
		assert_int_equal(r->indication, TOTAL_FAILED);
		assert_int_equal(r->sub, SUB_FORMAT_FAILURE);
	}
}

/* Every byte cut off and every bit turned: never a pass over other data, never a crash. */
static void damaged_signed_data_never_passes(void **state)
{
	struct span good = make_signed_data(*state, &(struct sd_made){.content = CONTENT_DATA}, data_signed);
	struct made how = {0};

	for (size_t i = 0; i < good.len; i += 7) {
		struct arena *a = arena_new(1 << 22);
		uint8_t *copy = malloc(good.len);

		memcpy(copy, good.ptr, good.len);
		assert_int_not_equal(judge_made(a, &how, verify_signed_data, span_of(copy, i), data_signed)->indication,
		                     TOTAL_PASSED);
		copy[i] ^= (uint8_t)(1U << (i % 8));
		(void)judge_made(a, &how, verify_signed_data, span_of(copy, good.len), data_signed);
		assert_int_not_equal(
		    judge_made(a, &(struct made){.wrong_data = true}, verify_signed_data, span_of(copy, good.len), data_signed)
		        ->indication,
		    TOTAL_PASSED);
		free(copy);
		arena_free(a);
	}
}

/* ---- bare values ----------------------------------------------------------------------------------------------- */

static void bare_values_are_tried(void **state)
{
	struct span value = sign_by(*state, "root", data_signed);
	struct made how = {0};
	struct report *r = judge_made(*state, &how, verify_any, value, data_signed);

	/* The one certificate in the trust list, though one that must not sign. */
	expect("bare", r, IS_UNCLEAR(CHAIN_CONSTRAINTS_FAILURE, "SIGNER_CERT_KEYUSAGE"));
	r = judge_made(*state, &how, verify_signed_data, raw_value(*state, value), data_signed);
	expect("bare, raw", r, IS_UNCLEAR(CHAIN_CONSTRAINTS_FAILURE, "VALUE_RAW"));
	r = judge_made(*state, &how, verify_any, sign_by(*state, "samr", data_signed), data_signed);
	expect("bare, unknown", r, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "SIGNER_CERT_UNKNOWN"));
	r = judge_made(*state, &(struct made){.wrong_data = true}, verify_any, value, data_signed);
	expect("bare, other data", r, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "SIGNER_CERT_UNKNOWN"));
	r = judge_made(*state, &(struct made){.no_data = true}, verify_any, value, data_signed);
	expect("bare, no data", r, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "DATA_NOT_GIVEN"));
}

/* ---- evidence inside ------------------------------------------------------------------------------------------- */

static void embedded_evidence_counts(void **state)
{
	struct made how = {.trust = TRUST_NO_CRL};
	struct span pem, crl = {NULL, 0};
	struct sd_made m = {0};
	struct report *r;
	struct signed_data sd;

	assert_int_equal(system("openssl crl -in " PKI "/sm2/root.crl -outform DER -out " MATERIAL "/root.crl.der"), 0);
	crl = read_material(*state, "root.crl.der");
	r = judge_made(*state, &how, verify_any, make_signed_data(*state, &m, data_signed), data_signed);
	expect("none", r, PASSES("SIGNER_CERT_UNKNOWN_STATUS"));
	m.revocation = crl;
	r = judge_made(*state, &how, verify_any, make_signed_data(*state, &m, data_signed), data_signed);
	expect("CRL", r, PASSES("OK"));
	assert_null(find_code(r, "SIGNER_CERT_UNKNOWN_STATUS"));
	m.signer = "revoked";
	r = judge_made(*state, &how, verify_any, make_signed_data(*state, &m, data_signed), data_signed);
	expect("CRL, revoked", r, FAILS(REVOKED, "SIGNER_CERT_REVOKED_BEFORE"));
	m.signer = NULL;
	m.revocation = span_of("\x30\x03\x02\x01\x01", 5);
	r = judge_made(*state, &how, verify_any, make_signed_data(*state, &m, data_signed), data_signed);
	expect("no CRL at all", r, PASSES("SIGNER_CERT_UNKNOWN_STATUS"));

	pem = read_material(*state, "ocsp-good.der");
	{
		struct buf b;

		buf_init(&b, *state);
		put_oid(&b, "1.3.6.1.5.5.7.16.2");
		buf_add(&b, pem);
		m.revocation = one(*state, 0xa1, done(&b));
	}
	assert_err(signed_data_parse(*state, make_signed_data(*state, &m, data_signed), NULL, &sd, NULL), ERR_OK);
	assert_int_equal(sd.n_ocsps, 1);
	assert_span(sd.ocsps[0], pem);
}

/* ---- values under other keys ----------------------------------------------------------------------------------- */

static void rsa_and_ecdsa_values_are_judged(void **state)
{
	static const struct value_steps steps = {"signature_algorithm", "signature_value", "SIG_BAD", MEMO_NONE};
	static const struct {
		const char *cert, *alg, *value, *data, *code;
		enum indication ind;
	} table[] = {
	    {"rsa", "1.2.840.113549.1.1.11", "rsa.bare", "the signed data", "OK", TOTAL_PASSED},
	    {"p256", "1.2.840.10045.4.3.2", "p256.bare", "the signed data", "OK", TOTAL_PASSED},
	    {"rsa", "1.2.840.113549.1.1.11", "rsa.bare", "other", "SIG_BAD", TOTAL_FAILED},
	    {"p256", "1.2.840.10045.4.3.2", "p256.bare", "other", "SIG_BAD", TOTAL_FAILED},
	    {"rsa", "1.2.840.113549.1.1.11", "p256.bare", "the signed data", "SIG_BAD", TOTAL_FAILED},
	    {"rsa", "1.2.840.113549.1.1.5", "rsa.bare", "the signed data", "ALG_REFUSED", TOTAL_FAILED},
	    {"rsa", "1.2.840.113549.1.1.1", "rsa.bare", "the signed data", "UNSUPPORTED_ALG", INDETERMINATE},
	    {"rsa", "1.2.840.10045.4.3.2", "rsa.bare", "the signed data", "UNSUPPORTED_ALG", INDETERMINATE},
	    {"rsa", OID_SM2_SM3, "rsa.bare", "the signed data", "UNSUPPORTED_KEY", INDETERMINATE},
	    {"rsa", "1.2.3", "rsa.bare", "the signed data", "UNSUPPORTED_ALG", INDETERMINATE},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *name = arena_printf(*state, "%s.crt", table[i].cert);
		const struct verify_policy p = {.name = "default"};
		const struct verify_input in = {.now = pki.t0};
		struct cert **certs;
		struct judge j;
		size_t n;

		assert_err(cert_parse_bundle(*state, read_material(*state, name), &certs, &n), ERR_OK);
		assert_err(judge_begin(&j, KIND_SIGNATURE, *state, &p, &in), ERR_OK);
		j.s = report_signature(j.r, NULL, "Seal");
		assert_err(judge_value(&j, &steps, table[i].alg, certs[0], span_str(table[i].data),
		                       read_material(*state, table[i].value)),
		           ERR_OK);
		report_conclude(j.r);
		if (j.r->indication != table[i].ind || find_code(j.r, table[i].code) == NULL) {
			print_checks(table[i].value, j.r);
			fail_msg("row %zu: expected %s with %s", i, indication_name(table[i].ind), table[i].code);
		}
		cert_free(certs[0]);
	}
}

static void digests_are_known_by_name_and_number(void **state)
{
	static const struct {
		const char *name, *shown, *hex;
	} table[] = {
	    {"SM3", "SM3", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
	    {"1.2.156.10197.1.401", "SM3", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
	    {"sha-256", "SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {"SHA1", "SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
	    {"md5", "MD5", "900150983cd24fb0d6963f7d28e17f72"},
	};
	const struct span abc = span_str("abc");
	uint8_t out[DIGEST_SIZE_MAX];
	char hex[2 * DIGEST_SIZE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum digest_alg alg = digest_alg_of(table[i].name);

		assert_string_equal(digest_name(alg), table[i].shown);
		assert_err(digest_parts(alg, &abc, 1, out), ERR_OK);
		hex_encode(span_of(out, digest_size(alg)), hex);
		assert_string_equal(hex, table[i].hex);
	}
	assert_int_equal(digest_alg_of(""), DIGEST_NONE);
	assert_int_equal(digest_alg_of("SM"), DIGEST_NONE);
	assert_int_equal(digest_alg_of("1.2.156.10197.1.401.2"), DIGEST_NONE);
	assert_err(digest_parts(DIGEST_NONE, &abc, 1, out), ERR_FIELD_INVALID);
}

/* ---- the corpus ------------------------------------------------------------------------------------------------ */

static void corpus_fragments_fit(void **state)
{
	static const struct {
		const char *dir, *code;
	} table[] = {{"ccb_receipt_1", "TIME_CLAIMED_ONLY"}, {"keyword_zibo/sig1", "CONTENT_IS_DIGEST"}};
	const char *shared = getenv("SHARED");

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *dir =
		    arena_printf(*state, "%s/corpus/ofd/fragments/%s", shared != NULL ? shared : "../shared", table[i].dir);
		struct span value, xml;
		struct report *r;

		if (file_read(*state, arena_printf(*state, "%s/SignedValue.dat", dir), 1 << 20, &value, NULL) != ERR_OK) {
			print_message("note: corpus absent, skipped\n");
			return;
		}
		assert_err(file_read(*state, arena_printf(*state, "%s/Signature.xml", dir), 1 << 20, &xml, NULL), ERR_OK);
		r = judge_made(*state, &(struct made){.trust = TRUST_NONE}, verify_any, value, xml);
		expect(table[i].dir, r, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, table[i].code));
		assert_null(find_code(r, "SIG_BAD"));
		assert_null(find_code(r, "HASH_MISMATCH"));
		r = judge_made(*state, &(struct made){.trust = TRUST_NONE, .wrong_data = true}, verify_any, value, xml);
		expect(table[i].dir, r, FAILS(HASH_FAILURE, "HASH_MISMATCH"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(signed_data_is_judged),
	    TEST(strict_policy_refuses_deviations),
	    TEST(damaged_signed_data_never_passes),
	    TEST(bare_values_are_tried),
	    TEST(embedded_evidence_counts),
	    TEST(rsa_and_ecdsa_values_are_judged),
	    TEST(digests_are_known_by_name_and_number),
	    TEST(corpus_fragments_fit),
	};

	return cmocka_run_group_tests(tests, signed_setup, signed_teardown);
}
