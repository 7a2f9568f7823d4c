/* Verdicts about SignedData, bare values, time stamps and OCSP: SM2 ones made here with one fault each, RSA and P-256
 * ones made by OpenSSL's command line, real ones from the corpus. */
#include "signed_help.h"

#include "verify/judge.h"

#define MATERIAL "build/signed"
#define SECOND   ((int64_t)1000)

static const struct span data_signed = {(const uint8_t *)"the signed data", 15};

static struct material {
	struct cert *tsa;
	struct signer *tsa_key;
} material;

static struct span read_material(struct arena *a, const char *name)
{
	struct span s;

	assert_err(file_read(a, arena_printf(a, MATERIAL "/%s", name), 1 << 20, &s, NULL), ERR_OK);
	return s;
}

static int signed_setup(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct cert **certs;
	size_t n;

	if (a == NULL || pki_setup(state) != 0 || system("tests/unit/signed_material.sh " PKI " " MATERIAL) != 0)
		return -1;
	assert_err(cert_parse_bundle(a, read_material(a, "sm2tsa.crt"), &certs, &n), ERR_OK);
	material.tsa = certs[0];
	assert_err(signer_open_file(MATERIAL "/sm2tsa.key", span_of(NULL, 0), &material.tsa_key, NULL), ERR_OK);
	arena_free(a);
	return 0;
}

static int signed_teardown(void **state)
{
	cert_free(material.tsa);
	signer_free(material.tsa_key);
	return pki_teardown(state);
}

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

#define PASSES(code)          TOTAL_PASSED, SUB_NONE, (code)
#define FAILS(sub, code)      TOTAL_FAILED, SUB_##sub, (code)
#define IS_UNCLEAR(sub, code) INDETERMINATE, SUB_##sub, (code)

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
	    TEST(time_stamps_are_judged),
	    TEST(time_stamps_prove_signatures),
	    TEST(others_signatures_are_judged),
	    TEST(ocsp_answers_count),
	    TEST(damaged_ocsp_is_refused),
	    TEST(others_time_stamps_are_judged),
	    TEST(sm2_ocsp_counts_with_the_identity),
	    TEST(empty_identity_is_told_apart),
	    TEST(embedded_evidence_counts),
	    TEST(rsa_and_ecdsa_values_are_judged),
	    TEST(digests_are_known_by_name_and_number),
	    TEST(corpus_fragments_fit),
	};

	return cmocka_run_group_tests(tests, signed_setup, signed_teardown);
}
