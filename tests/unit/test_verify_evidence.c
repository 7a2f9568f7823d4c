/* What proves a time and a state: time stamps and OCSP responses, of our making with one fault each and by OpenSSL; and
 * the signatures of OpenSSL that they go with. */
#include "signed_material.h"

#include "verify/judge.h"

#define SECOND ((int64_t)1000)

/* ---- time stamps ----------------------------------------------------------------------------------------------- */

/* A token of the SM2 authority. */
static struct span make_token(struct arena *a, const struct sd_made *changes, struct span stamped, int64_t time)
{
	struct sd_made m = *changes;

	m.type = m.type != NULL ? m.type : OID_TST_INFO;
	m.eat = m.eat.len != 0 ? m.eat : make_tst_info(a, stamped, pki.t0 + time, span_of(NULL, 0));
	if (m.signer == NULL) {
		m.cert = cert_der(material.tsa);
		m.key = material.tsa_key;
	}
	m.no_time = true;
	return make_signed_data(a, &m, span_of(NULL, 0));
}

struct stamp_fault {
	const char *name;
	struct sd_made made;
	int64_t time;
	bool other, whole;
	enum { NO_MORE, MORE_CRITICAL, MORE_PLAIN } more;
	int trust; /* as in struct made */
	enum indication ind;
	const char *code;
	bool counts;
};

/* [1] IMPLICIT: the tag of the list changes. */
static struct span extensions(struct arena *a, bool critical)
{
	struct span list = arena_dup(a, ext_list(a, critical ? EXT_CRITICAL : EXT_PLAIN, false));

	((uint8_t *)(uintptr_t)list.ptr)[0] = 0xa1;
	return list;
}

static void judge_stamp(struct arena *a, const struct stamp_fault *f)
{
	struct verify_policy p = {.name = "default", .trust = f->trust == TRUST_OTHER ? pki.other : pki.trust};
	struct verify_input in = {.now = pki.t0 + 2 * HOUR};
	struct span stamped = span_str("value"), token;
	struct sd_made m = f->made;
	struct judge j;
	int64_t time = 1;

	if (f->more != NO_MORE)
		m.eat = make_tst_info(a, stamped, pki.t0 + f->time, extensions(a, f->more == MORE_CRITICAL));
	token = make_token(a, &m, f->other ? span_str("other") : stamped, f->time);
	if (f->whole) {
		struct buf b;

		buf_init(&b, a);
		buf_add(&b, one(a, DER_SEQUENCE, one(a, DER_INTEGER, span_of("\0", 1))));
		buf_add(&b, token);
		token = one(a, DER_SEQUENCE, done(&b));
	}
	assert_err(judge_begin(&j, KIND_SIGNATURE, a, &p, &in), ERR_OK);
	assert_err(judge_time_stamp(&j, token, stamped, &time), ERR_OK);
	report_conclude(j.r);
	if (j.r->indication != f->ind || find_code(j.r, f->code) == NULL || (time != 0) != f->counts) {
		print_checks(f->name, j.r);
		fail_msg("%s: expected %s with %s", f->name, indication_name(f->ind), f->code);
	}
	if (f->counts)
		assert_true(time == (pki.t0 + f->time) / SECOND * SECOND);
	assert_codes_known(j.r);
}

static void time_stamps_are_judged(void **state)
{
	static const struct stamp_fault table[] = {
	    {"good", {.ess = true}, .ind = TOTAL_PASSED, .code = "OK", .counts = true},
	    {"PKCS#7 container",
	     {.ess = true, .container = OID_P7_SIGNED_DATA},
	     .ind = TOTAL_PASSED,
	     .code = "OK",
	     .counts = true},
	    {"certificate not named", {0}, .ind = TOTAL_PASSED, .code = "TS_NO_SIGNING_CERT", .counts = true},
	    {"whole response",
	     {.ess = true},
	     .whole = true,
	     .ind = TOTAL_PASSED,
	     .code = "TS_WHOLE_RESPONSE",
	     .counts = true},
	    {"for another value", {.ess = true}, .other = true, .ind = TOTAL_FAILED, .code = "TS_IMPRINT_MISMATCH"},
	    {"value bad", {.ess = true, .bad_value = true}, .ind = TOTAL_FAILED, .code = "TS_BAD"},
	    {"contents exchanged", {.ess = true, .wrong_digest = true}, .ind = TOTAL_FAILED, .code = "TS_CONTENT_MISMATCH"},
	    {"no attributes' digest", {.ess = true, .no_digest = true}, .ind = TOTAL_FAILED, .code = "ATTRS_NO_DIGEST"},
	    {"another certificate", {.ess_other = true}, .ind = TOTAL_FAILED, .code = "SIGNING_CERT_OTHER"},
	    {"another content", {.type = OID_GM_DATA}, .ind = TOTAL_FAILED, .code = "FORMAT"},
	    {"no signer", {.no_signer = true}, .ind = TOTAL_FAILED, .code = "FORMAT"},
	    {"not a TSTInfo", {.eat = {(const uint8_t *)"\x30\x00", 2}}, .ind = TOTAL_FAILED, .code = "FORMAT"},
	    {"no certificate", {.no_cert = true}, .ind = TOTAL_PASSED, .code = "TSA_CERT_MISSING"},
	    {"not for time stamps", {.signer = "samr"}, .ind = TOTAL_PASSED, .code = "TSA_CERT_PURPOSE"},
	    {"not trusted", {.ess = true}, .trust = TRUST_OTHER, .ind = TOTAL_PASSED, .code = "TSA_CERT_CHAIN"},
	    {"revoked", {.signer = "revoked"}, .ind = TOTAL_PASSED, .code = "TSA_CERT_REVOKED_BEFORE"},
	    {"expired", {.signer = "expired"}, .ind = TOTAL_PASSED, .code = "TIME_OUTSIDE_CERT"},
	    {"in the future", {.ess = true}, .time = 9 * HOUR, .ind = TOTAL_PASSED, .code = "TIME_IN_FUTURE"},
	    {"extension", {.ess = true}, .more = MORE_PLAIN, .ind = TOTAL_PASSED, .code = "OK", .counts = true},
	    {"critical extension",
	     {.ess = true},
	     .more = MORE_CRITICAL,
	     .ind = TOTAL_FAILED,
	     .code = "UNSUPPORTED_VERSION"},
	    {"mislabelled", {.ess = true, .alg = "1.2.3"}, .ind = TOTAL_PASSED, .code = "TS_NOT_COUNTED"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		judge_stamp(*state, &table[i]);
}

/* A time stamp that counts holds against the certificate's end; one that does not leaves the claim. */
static void time_stamps_prove_signatures(void **state)
{
	struct sd_made m = {0};
	struct made later = {.at = 2000 * DAY};
	struct span plain = make_signed_data(*state, &m, data_signed);
	struct span signed_data;
	struct signed_data sd;
	struct report *r;

	assert_err(signed_data_parse(*state, plain, NULL, &sd, NULL), ERR_OK);
	m.value = sd.signers[0].value;
	m.stamp = make_token(*state, &(struct sd_made){.ess = true}, m.value, 0);
	signed_data = make_signed_data(*state, &m, data_signed);
	/* The signer's certificate ends in five years, that of the authority in one; so first within both. */
	r = judge_made(*state, &(struct made){0}, verify_any, signed_data, data_signed);
	expect("stamped", r, PASSES("OK"));
	assert_null(find_code(r, "TIME_CLAIMED_ONLY"));
	r = judge_made(*state, &(struct made){.trust = TRUST_NO_CRL}, verify_any, signed_data, data_signed);
	assert_null(find_code(r, "TS_NOT_COUNTED"));
	r = judge_made(*state, &later, verify_any, signed_data, data_signed);
	expect("stamp of an authority that has ended since", r, IS_UNCLEAR(OUT_OF_BOUNDS_NO_POE, "TS_NOT_COUNTED"));
	m.time = HOUR / 2;
	m.value = span_of(NULL, 0);
	m.stamp = make_token(*state, &(struct sd_made){.ess = true}, span_str("some other value"), 0);
	r = judge_made(*state, &later, verify_any, make_signed_data(*state, &m, data_signed), data_signed);
	expect("stamp of another value", r, FAILS(HASH_FAILURE, "TS_IMPRINT_MISMATCH"));
	m.stamp = span_of("\x30\x00", 2);
	r = judge_made(*state, &later, verify_any, make_signed_data(*state, &m, data_signed), data_signed);
	expect("no stamp at all", r, FAILS(FORMAT_FAILURE, "FORMAT"));
}

/* ---- by OpenSSL ------------------------------------------------------------------------------------------------ */

struct other {
	const char *file, *trust[3];
	enum indication ind;
	enum sub_indication sub;
	const char *code;
};

static struct report *judge_other(struct arena *a, const struct other *o, struct span data)
{
	struct verify_policy p = {.name = "default"};
	struct clock clock = clock_system();
	struct verify_input in = {.bytes = read_material(a, o->file), .data = data, .now = clock_now(&clock)};
	struct cert_store *trust = NULL;
	const char *paths[3];
	size_t n = 0;
	struct report *r;

	for (; n < 3 && o->trust[n] != NULL; n++)
		paths[n] = arena_printf(a, MATERIAL "/%s", o->trust[n]);
	assert_err(trust_load(paths, n, &trust, NULL), ERR_OK);
	p.trust = trust;
	assert_err(verify_signed_data(a, &p, &in, &r), ERR_OK);
	cert_store_free(trust);
	return r;
}

static void others_signatures_are_judged(void **state)
{
	static const struct other table[] = {
	    {"rsa-detached.p7", {"ca.crt"}, PASSES("OK")},
	    {"rsa-attached.p7", {"ca.crt"}, PASSES("OK")},
	    {"rsa-plain.p7", {"ca.crt"}, PASSES("TIME_NOT_STATED")},
	    {"rsa-plain-attached.p7", {"ca.crt"}, PASSES("OK")},
	    {"rsa-keyid.p7", {"ca.crt"}, PASSES("OK")},
	    {"rsa-cades.p7", {"ca.crt"}, PASSES("OK")},
	    {"rsa-stream.p7", {"ca.crt"}, PASSES("BER_LENGTHS")},
	    {"rsa-smime.p7", {"ca.crt"}, PASSES("OK")},
	    {"p256.p7", {"ca.crt"}, PASSES("OK")},
	    {"two.p7", {"ca.crt"}, PASSES("OK")},
	    {"resigned.p7", {"ca.crt"}, PASSES("OK")},
	    {"rsa-nocerts.p7", {"ca.crt", "rsa.crt"}, PASSES("OK")},
	    {"rsa.bare", {"ca.crt", "rsa.crt"}, PASSES("TIME_NOT_STATED")},
	    {"p256.bare", {"ca.crt", "p256.crt"}, PASSES("TIME_NOT_STATED")},
	    {"rsa.bare", {"ca.crt"}, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "SIGNER_CERT_UNKNOWN")},
	    {"rsa-nocerts.p7", {"ca.crt"}, IS_UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "SIGNER_CERT_MISSING")},
	    {"rsa-sha1.p7", {"ca.crt"}, IS_UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_REFUSED")},
	    {"rsa-md5.p7", {"ca.crt"}, IS_UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_REFUSED")},
	    {"rsa-pss.p7", {"ca.crt"}, IS_UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_ALG")},
	    {"small.p7", {"ca.crt"}, IS_UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "KEY_TOO_SMALL")},
	    {"costly.p7", {"ca.crt"}, IS_UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_KEY")},
	    {"certs-only.p7", {"ca.crt"}, FAILS(FORMAT_FAILURE, "SIGNER_INFO_MISSING")},
	    {"data", {"ca.crt"}, FAILS(FORMAT_FAILURE, "FORMAT")},
	    /* OCSP responses among the trust */
	    {"rsa-detached.p7", {"ca.crt", "ocsp-revoked.der"}, FAILS(REVOKED, "SIGNER_CERT_REVOKED_BEFORE")},
	    {"rsa-detached.p7", {"ca.crt", "ocsp-unknown.der"}, PASSES("SIGNER_CERT_UNKNOWN_STATUS")},
	    {"rsa-detached.p7", {"ca.crt", "ocsp-stranger.der"}, PASSES("SIGNER_CERT_UNKNOWN_STATUS")},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct report *r = judge_other(*state, &table[i], data_signed);

		expect(table[i].file, r, table[i].ind, table[i].sub, table[i].code);
		if (table[i].ind == TOTAL_PASSED)
			assert_int_equal(judge_other(*state, &table[i], span_str("other"))->indication == TOTAL_PASSED, false);
	}
}

static void ocsp_answers_count(void **state)
{
	static const char *const good[] = {"ocsp-good.der", "ocsp-good-by-ca.der", "ocsp-good-short.der"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct report *r =
		    judge_other(*state, &(struct other){.file = "rsa-detached.p7", .trust = {"ca.crt", good[i]}}, data_signed);

		assert_null(find_code(r, "SIGNER_CERT_UNKNOWN_STATUS"));
		assert_int_equal(r->indication, TOTAL_PASSED);
		/* About one certificate it says nothing of another. */
		r = judge_other(*state, &(struct other){.file = "p256.p7", .trust = {"ca.crt", good[i]}}, data_signed);
		assert_non_null(find_code(r, "SIGNER_CERT_UNKNOWN_STATUS"));
	}
}

static void ocsp_answers_are_settled_until_they_end(void **state)
{
	static const char *const answers[] = {"ocsp-good.der", "ocsp-good-short.der"};

	for (size_t i = 0; i < 2; i++) {
		const char *paths[] = {MATERIAL "/ca.crt", arena_printf(*state, MATERIAL "/%s", answers[i])};
		struct verify_policy p = {.name = "default"};
		struct clock clock = clock_system();
		struct verify_input in = {.bytes = read_material(*state, "rsa-detached.p7"), .data = data_signed};
		const int64_t now = clock_now(&clock);
		struct cert_store *trust = NULL;
		int64_t until;

		assert_err(trust_load(paths, 2, &trust, NULL), ERR_OK);
		p.trust = trust;
		until = policy_settled_until(&p, now);
		assert_true(until >= now && until < now + 4000 * DAY);
		for (int64_t late = 0; late <= 1; late++) {
			struct report *r;

			in.now = until + late;
			assert_err(verify_signed_data(*state, &p, &in, &r), ERR_OK);
			assert_int_equal(find_code(r, "SIGNER_CERT_UNKNOWN_STATUS") != NULL, late == 1);
		}
		cert_store_free(trust);
	}
}

static void damaged_ocsp_is_refused(void **state)
{
	struct span good = read_material(*state, "ocsp-good.der");

	for (size_t i = 0; i < good.len; i += 11) {
		struct ocsp *o = NULL;

		assert_true(ocsp_parse(span_sub(good, 0, i), &o) != ERR_OK);
		assert_null(o);
	}
	assert_err(ocsp_parse(span_of("\x30\x03\x0a\x01\x06", 5), &(struct ocsp *){NULL}), ERR_CERT_UNREADABLE);
}

static void others_time_stamps_are_judged(void **state)
{
	static const struct {
		const char *file, *data, *trust, *code;
		bool counts;
	} table[] = {
	    {"stamp.tst", "the signed data", "ca.crt", "OK", true},
	    {"stamp.tsr", "the signed data", "ca.crt", "TS_WHOLE_RESPONSE", true},
	    {"stamp-sm3.tst", "the signed data", "ca.crt", "OK", true},
	    {"stamp-sha1.tst", "the signed data", "ca.crt", "ALG_REFUSED", false},
	    {"stamp.tst", "other", "ca.crt", "TS_IMPRINT_MISMATCH", false},
	    {"stamp.tst", "the signed data", "tsa.key", "TRUST_EMPTY", false},
	    {"rsa-attached.p7", "the signed data", "ca.crt", "FORMAT", false},
	};
	struct clock clock = clock_system();

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *path = arena_printf(*state, MATERIAL "/%s", table[i].trust);
		struct verify_policy p = {.name = "default"};
		struct verify_input in = {.now = clock_now(&clock)};
		struct cert_store *trust = NULL;
		struct judge j;
		int64_t time = 1;

		if (strcmp(table[i].code, "TRUST_EMPTY") != 0)
			assert_err(trust_load(&path, 1, &trust, NULL), ERR_OK);
		p.trust = trust;
		assert_err(judge_begin(&j, KIND_SIGNATURE, *state, &p, &in), ERR_OK);
		assert_err(judge_time_stamp(&j, read_material(*state, table[i].file), span_str(table[i].data), &time), ERR_OK);
		if (find_code(j.r, table[i].code) == NULL || (time != 0) != table[i].counts) {
			print_checks(table[i].file, j.r);
			fail_msg("%s: expected %s", table[i].file, table[i].code);
		}
		cert_store_free(trust);
	}
}

/* ---- what OpenSSL cannot be told: the SM2 identity of OCSP responses ------------------------------------------- */

static struct report *judge_tsa_signature(struct arena *a, const struct sd_made *m, const char *evidence)
{
	const char *paths[] = {PKI "/sm2/root.crt", arena_printf(a, MATERIAL "/%s", evidence)};
	struct verify_policy p = {.name = "default"};
	struct clock clock = clock_system();
	struct verify_input in = {.data = data_signed, .now = clock_now(&clock)};
	struct cert_store *trust = NULL;
	struct sd_made made = *m;
	struct report *r;

	made.cert = cert_der(material.tsa);
	made.key = material.tsa_key;
	made.no_time = true;
	in.bytes = make_signed_data(a, &made, data_signed);
	assert_err(trust_load(paths, evidence != NULL ? 2 : 1, &trust, NULL), ERR_OK);
	p.trust = trust;
	assert_err(verify_any(a, &p, &in, &r), ERR_OK);
	cert_store_free(trust);
	return r;
}

static void sm2_ocsp_counts_with_the_identity(void **state)
{
	struct sd_made m = {0};
	struct report *r = judge_tsa_signature(*state, &m, "ocsp-sm2-good.der");

	expect("good", r, PASSES("OK"));
	assert_null(find_code(r, "SIGNER_CERT_UNKNOWN_STATUS"));
	r = judge_tsa_signature(*state, &m, "ocsp-sm2-revoked.der");
	expect("revoked", r, FAILS(REVOKED, "SIGNER_CERT_REVOKED_BEFORE"));
	r = judge_tsa_signature(*state, &m, "ocsp-sm2-empty-id.der");
	expect("without the identity", r, PASSES("SIGNER_CERT_UNKNOWN_STATUS"));
}

static void empty_identity_is_told_apart(void **state)
{
	struct sd_made m = {.no_attrs = true, .value = read_material(*state, "sm2-empty-id.bare")};

	expect("detached", judge_tsa_signature(*state, &m, NULL), FAILS(SIG_CRYPTO_FAILURE, "SM2_ID_EMPTY"));
	m.content = CONTENT_DATA;
	expect("attached", judge_tsa_signature(*state, &m, NULL), FAILS(SIG_CRYPTO_FAILURE, "SM2_ID_EMPTY"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(time_stamps_are_judged),
	    TEST(time_stamps_prove_signatures),
	    TEST(others_signatures_are_judged),
	    TEST(ocsp_answers_count),
	    TEST(ocsp_answers_are_settled_until_they_end),
	    TEST(damaged_ocsp_is_refused),
	    TEST(others_time_stamps_are_judged),
	    TEST(sm2_ocsp_counts_with_the_identity),
	    TEST(empty_identity_is_told_apart),
	};

	return cmocka_run_group_tests(tests, signed_setup, signed_teardown);
}
