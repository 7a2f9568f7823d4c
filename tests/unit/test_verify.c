/* Verdicts about seals and seal signatures: one fault each, with the indication, sub-indication and code expected. */
#include "verify_help.h"

#include <jansson.h>
#include <unistd.h>

static const struct span signed_data = {(const uint8_t *)"the signed data", 15};

struct fault {
	const char *name;
	struct made made;
	enum indication ind;
	enum sub_indication sub;
	const char *code;
};

#define RUN(table, function, a)                                                                                        \
	for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++)                                                    \
		function((a), &(table)[i]);

/* ---- bare seals ----------------------------------------------------------------------------- */

static void judge_seal_fault(struct arena *a, const struct fault *f)
{
	struct report *r = judge_made(a, &f->made, verify_any, make_seal(a, &f->made), span_of(NULL, 0));

	assert_int_equal(r->kind, KIND_SEAL);
	expect(f->name, r, f->ind, f->sub, f->code);
}

static void seals_are_judged(void **state)
{
	static const struct fault table[] = {
	    {"good", {0}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"good, strict", {.strict = true}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"last second", {.to = HOUR, .at = HOUR + 999}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"ended", {.to = HOUR, .at = HOUR + 1000}, INDETERMINATE, SUB_OUT_OF_BOUNDS_NO_POE, "SEAL_EXPIRED"},
	    {"ended before a proven use",
	     {.to = HOUR, .sign = 2 * HOUR, .proven = true},
	     TOTAL_FAILED,
	     SUB_EXPIRED,
	     "SEAL_EXPIRED"},
	    {"not begun", {.from = HOUR}, TOTAL_FAILED, SUB_NOT_YET_VALID, "SEAL_NOT_YET_VALID"},
	    {"ends before it begins",
	     {.from = 2 * HOUR, .to = HOUR},
	     TOTAL_FAILED,
	     SUB_SIG_CONSTRAINTS_FAILURE,
	     "SEAL_DATES_WRONG"},
	    {"made in the future", {.created = HOUR}, TOTAL_FAILED, SUB_NOT_YET_VALID, "SEAL_CREATED_LATER"},
	    {"made before its maker's certificate",
	     {.created = -30 * DAY},
	     TOTAL_PASSED,
	     SUB_NONE,
	     "SEAL_BEFORE_MAKER_CERT"},
	    {"maker expired when it made it", {.maker = "expired"}, TOTAL_FAILED, SUB_EXPIRED, "MAKER_CERT_TIME"},
	    {"maker expired since",
	     {.at = 2000 * DAY},
	     INDETERMINATE,
	     SUB_OUT_OF_BOUNDS_NO_POE,
	     "MAKER_CERT_EXPIRED_SINCE"},
	    {"maker revoked", {.maker = "revoked"}, TOTAL_FAILED, SUB_REVOKED, "MAKER_CERT_REVOKED"},
	    {"maker may not sign", {.maker = "root"}, INDETERMINATE, SUB_CHAIN_CONSTRAINTS_FAILURE, "MAKER_CERT_KEYUSAGE"},
	    {"made by a statement key",
	     {.maker = "receipt"},
	     INDETERMINATE,
	     SUB_CHAIN_CONSTRAINTS_FAILURE,
	     "MAKER_CERT_PURPOSE"},
	    {"nobody trusted", {.trust = TRUST_NONE}, INDETERMINATE, SUB_NO_CERTIFICATE_CHAIN_FOUND, "TRUST_EMPTY"},
	    {"others trusted", {.trust = TRUST_OTHER}, INDETERMINATE, SUB_NO_CERTIFICATE_CHAIN_FOUND, "MAKER_CERT_CHAIN"},
	    {"no CRL, default", {.trust = TRUST_NO_CRL}, TOTAL_PASSED, SUB_NONE, "MAKER_CERT_UNKNOWN_STATUS"},
	    {"no CRL, strict",
	     {.trust = TRUST_NO_CRL, .strict = true},
	     INDETERMINATE,
	     SUB_TRY_LATER,
	     "MAKER_CERT_UNKNOWN_STATUS"},
	    {"old CRL, default", {.now = 400 * DAY}, TOTAL_PASSED, SUB_NONE, "MAKER_CERT_UNKNOWN_STATUS"},
	    {"old CRL, strict",
	     {.now = 400 * DAY, .strict = true},
	     INDETERMINATE,
	     SUB_TRY_LATER,
	     "MAKER_CERT_UNKNOWN_STATUS"},
	    {"lost .1 in the OID",
	     {.seal_alg = "1.2.156.10197.501"},
	     INDETERMINATE,
	     SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     "ALG_MISLABELLED"},
	    {"key exchange OID",
	     {.seal_alg = "1.2.156.10197.1.301.1"},
	     INDETERMINATE,
	     SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     "ALG_MISLABELLED"},
	    {"ECDSA OID",
	     {.seal_alg = "1.2.840.10045.4.3.2"},
	     INDETERMINATE,
	     SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     "UNSUPPORTED_ALG"},
	    {"extension", {.seal_ext = EXT_PLAIN}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"critical extension",
	     {.seal_ext = EXT_CRITICAL},
	     TOTAL_FAILED,
	     SUB_SIG_CONSTRAINTS_FAILURE,
	     "CRITICAL_EXT_UNKNOWN"},
	};

	RUN(table, judge_seal_fault, *state);
}

/* ---- seal signatures ------------------------------------------------------------------------ */

static void judge_signature_fault(struct arena *a, const struct fault *f)
{
	struct span sig = make_signature(a, &f->made, signed_data);
	struct report *r = judge_made(a, &f->made, verify_any, sig, signed_data);

	assert_int_equal(r->kind, KIND_SIGNATURE);
	expect(f->name, r, f->ind, f->sub, f->code);
}

static void signatures_are_judged(void **state)
{
	static const struct fault table[] = {
	    {"good", {0}, TOTAL_PASSED, SUB_NONE, "TIME_CLAIMED_ONLY"},
	    {"good, proven, strict", {.proven = true, .strict = true}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"wrong data", {.wrong_data = true}, TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH"},
	    {"no data", {.no_data = true}, INDETERMINATE, SUB_SIGNED_DATA_NOT_FOUND, "DATA_NOT_GIVEN"},
	    {"signer not in list", {.listed = "mnr"}, TOTAL_FAILED, SUB_SIG_CONSTRAINTS_FAILURE, "SIGNER_NOT_IN_SEAL"},
	    {"list of SM3 digests", {.list = LIST_SM3}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"list of SHA-256 digests", {.list = LIST_SHA256}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"list of other digests",
	     {.list = LIST_OTHER},
	     TOTAL_FAILED,
	     SUB_SIG_CONSTRAINTS_FAILURE,
	     "SIGNER_NOT_IN_SEAL"},
	    {"signed after the seal's end",
	     {.to = HOUR, .sign = 2 * HOUR, .at = 3 * HOUR},
	     TOTAL_FAILED,
	     SUB_EXPIRED,
	     "TIME_OUTSIDE_SEAL"},
	    {"signed before the seal's start", {.from = HOUR}, TOTAL_FAILED, SUB_NOT_YET_VALID, "TIME_OUTSIDE_SEAL"},
	    {"seal ended since",
	     {.to = HOUR, .at = 2 * HOUR},
	     INDETERMINATE,
	     SUB_OUT_OF_BOUNDS_NO_POE,
	     "SEAL_EXPIRED_SINCE"},
	    {"seal ended since, proven", {.to = HOUR, .at = 2 * HOUR, .proven = true}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"signer expired", {.signer = "expired"}, TOTAL_FAILED, SUB_EXPIRED, "TIME_OUTSIDE_CERT"},
	    {"before the signer's certificate",
	     {.sign = -2 * DAY, .from = -3 * DAY, .created = -3 * DAY},
	     TOTAL_FAILED,
	     SUB_NOT_YET_VALID,
	     "TIME_OUTSIDE_CERT"},
	    {"signer expired since", {.at = 2000 * DAY}, INDETERMINATE, SUB_OUT_OF_BOUNDS_NO_POE, "CERT_EXPIRED_SINCE"},
	    {"signer expired since, proven", {.at = 2000 * DAY, .proven = true}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"signed in the future", {.sign = HOUR}, TOTAL_FAILED, SUB_NOT_YET_VALID, "TIME_IN_FUTURE"},
	    {"a clock a little ahead", {.sign = 60 * 1000}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"revoked before", {.signer = "revoked"}, TOTAL_FAILED, SUB_REVOKED, "SIGNER_CERT_REVOKED_BEFORE"},
	    {"revoked after a claimed time",
	     {.signer = "revoked", .sign = -2 * HOUR, .from = -3 * HOUR, .created = -3 * HOUR},
	     INDETERMINATE,
	     SUB_OUT_OF_BOUNDS_NO_POE,
	     "SIGNER_CERT_REVOKED_AFTER"},
	    {"revoked after a proven time",
	     {.signer = "revoked", .sign = -2 * HOUR, .from = -3 * HOUR, .created = -3 * HOUR, .proven = true},
	     TOTAL_PASSED,
	     SUB_NONE,
	     "SIGNER_CERT_REVOKED_AFTER"},
	    {"maker revoked", {.maker = "revoked"}, TOTAL_FAILED, SUB_REVOKED, "MAKER_CERT_REVOKED"},
	    {"nobody trusted", {.trust = TRUST_NONE}, INDETERMINATE, SUB_NO_CERTIFICATE_CHAIN_FOUND, "TRUST_EMPTY"},
	    {"others trusted", {.trust = TRUST_OTHER}, INDETERMINATE, SUB_NO_CERTIFICATE_CHAIN_FOUND, "SIGNER_CERT_CHAIN"},
	    {"no CRL, strict",
	     {.trust = TRUST_NO_CRL, .strict = true},
	     INDETERMINATE,
	     SUB_TRY_LATER,
	     "SIGNER_CERT_UNKNOWN_STATUS"},
	    {"signer may not sign",
	     {.signer = "root"},
	     INDETERMINATE,
	     SUB_CHAIN_CONSTRAINTS_FAILURE,
	     "SIGNER_CERT_KEYUSAGE"},
	    {"signed by a statement key",
	     {.signer = "verdict"},
	     INDETERMINATE,
	     SUB_CHAIN_CONSTRAINTS_FAILURE,
	     "SIGNER_CERT_PURPOSE"},
	    {"seal made by a statement key",
	     {.maker = "receipt"},
	     INDETERMINATE,
	     SUB_CHAIN_CONSTRAINTS_FAILURE,
	     "MAKER_CERT_PURPOSE"},
	    {"lost .1 in the OID",
	     {.sig_alg = "1.2.156.10197.501"},
	     INDETERMINATE,
	     SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     "ALG_MISLABELLED"},
	    {"RSA OID",
	     {.sig_alg = "1.2.840.113549.1.1.11"},
	     INDETERMINATE,
	     SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     "UNSUPPORTED_ALG"},
	    {"lost .1 in the seal",
	     {.seal_alg = "1.2.156.10197.501"},
	     INDETERMINATE,
	     SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     "ALG_MISLABELLED"},
	    {"critical extension",
	     {.sig_ext = EXT_CRITICAL},
	     TOTAL_FAILED,
	     SUB_SIG_CONSTRAINTS_FAILURE,
	     "CRITICAL_EXT_UNKNOWN"},
	    {"critical extension of the seal",
	     {.seal_ext = EXT_CRITICAL},
	     TOTAL_FAILED,
	     SUB_SIG_CONSTRAINTS_FAILURE,
	     "CRITICAL_EXT_UNKNOWN"},
	    {"extension", {.sig_ext = EXT_PLAIN}, TOTAL_PASSED, SUB_NONE, "OK"},
	    {"a time stamp that is none", {.stamped = true}, TOTAL_FAILED, SUB_FORMAT_FAILURE, "FORMAT"},
	    {"failure before doubt",
	     {.wrong_data = true, .trust = TRUST_NONE},
	     TOTAL_FAILED,
	     SUB_HASH_FAILURE,
	     "TRUST_EMPTY"},
	};

	RUN(table, judge_signature_fault, *state);
}

/* ---- one byte changed ----------------------------------------------------------------------- */

/* A copy with one bit of `part`'s middle byte changed; `part` is a view into `whole`. */
static struct span flipped(struct arena *a, struct span whole, struct span part)
{
	size_t at = (size_t)(part.ptr - whole.ptr) + part.len / 2;
	uint8_t *copy = arena_alloc(a, whole.len);

	assert_non_null(copy);
	assert_true(part.len != 0 && at < whole.len);
	memcpy(copy, whole.ptr, whole.len);
	copy[at] ^= 1;
	return span_of(copy, whole.len);
}

static struct span find(struct span whole, const char *text)
{
	const uint8_t *p = memmem(whole.ptr, whole.len, text, strlen(text));

	assert_non_null(p);
	return span_of(p, strlen(text));
}

static void expect_flip(struct arena *a, const char *name, struct span whole, struct span part,
                        const struct fault *want)
{
	const struct made m = {0};
	struct report *r = judge_made(a, &m, verify_any, flipped(a, whole, part), signed_data);

	expect(name, r, want->ind, want->sub, want->code);
}

static void flipped_bytes_of_a_seal(void **state)
{
	const struct fault bad = {.ind = TOTAL_FAILED, .sub = SUB_SIG_CRYPTO_FAILURE, .code = "SEAL_SIG_BAD"};
	const struct fault form = {.ind = TOTAL_FAILED, .sub = SUB_FORMAT_FAILURE, .code = "FORMAT"};
	const struct fault link = {.ind = INDETERMINATE, .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND, .code = "MAKER_CERT_CHAIN"};
	struct arena *a = *state;
	const struct made m = {0};
	struct span whole = make_seal(a, &m);
	struct ses_seal s;

	assert_err(ses_seal_parse(a, whole, &s, NULL), ERR_OK);
	expect_flip(a, "picture", whole, s.picture, &bad);
	expect_flip(a, "name", whole, find(whole, "SEAL-1"), &bad);
	expect_flip(a, "list", whole, s.list[0], &bad);
	expect_flip(a, "value", whole, span_sub(s.value, s.value.len - 1, 1), &bad);
	expect_flip(a, "header", whole, find(whole, "ES"), &form);
	expect_flip(a, "length", whole, span_sub(whole, 2, 1), &form);
	expect_flip(a, "maker's certificate, signature", whole, span_sub(s.maker_cert, s.maker_cert.len - 1, 1), &link);
}

static void flipped_bytes_of_a_signature(void **state)
{
	const struct fault bad = {.ind = TOTAL_FAILED, .sub = SUB_SIG_CRYPTO_FAILURE, .code = "SIG_BAD"};
	const struct fault seal = {.ind = TOTAL_FAILED, .sub = SUB_SIG_CRYPTO_FAILURE, .code = "SEAL_SIG_BAD"};
	const struct fault hash = {.ind = TOTAL_FAILED, .sub = SUB_HASH_FAILURE, .code = "SIG_BAD"};
	const struct fault list = {.ind = TOTAL_FAILED, .sub = SUB_SIG_CONSTRAINTS_FAILURE, .code = "SIGNER_NOT_IN_SEAL"};
	struct arena *a = *state;
	const struct made m = {.scope = "scope of this"};
	struct span whole = make_signature(a, &m, signed_data);
	struct ses_signature s;

	assert_err(ses_signature_parse(a, whole, &s, NULL), ERR_OK);
	expect_flip(a, "scope", whole, find(whole, "scope of this"), &bad);
	expect_flip(a, "hash", whole, s.data_hash, &hash);
	expect_flip(a, "seal's picture", whole, s.seal.picture, &bad);
	expect_flip(a, "seal's picture", whole, s.seal.picture, &seal);
	expect_flip(a, "value", whole, span_sub(s.value, s.value.len - 1, 1), &bad);
	expect_flip(a, "certificate, signature", whole, span_sub(s.cert, s.cert.len - 1, 1), &list);
}

/* ---- structure and kind --------------------------------------------------------------------- */

static void expect_bytes(struct arena *a, const char *name, struct span bytes, enum verify_kind kind, const char *code)
{
	const struct made m = {0};
	struct report *r = judge_made(a, &m, verify_any, bytes, span_of(NULL, 0));

	assert_int_equal(r->kind, kind);
	expect(name, r, TOTAL_FAILED, SUB_FORMAT_FAILURE, code);
}

static void broken_files_get_a_report(void **state)
{
	struct arena *a = *state;
	const struct made m = {0};
	struct span seal = make_seal(a, &m), sig = make_signature(a, &m, signed_data);

	expect_bytes(a, "empty", span_of(NULL, 0), KIND_UNKNOWN, "UNKNOWN_KIND");
	expect_bytes(a, "one byte", span_of("0", 1), KIND_UNKNOWN, "UNKNOWN_KIND");
	expect_bytes(a, "text", span_str("hello"), KIND_UNKNOWN, "UNKNOWN_KIND");
	expect_bytes(a, "zip", span_of("PK\x03\x04zzzz", 8), KIND_OFD, "PACKAGE_BROKEN");
	expect_bytes(a, "certificate", der_of_who("samr"), KIND_UNKNOWN, "UNKNOWN_KIND");
	expect_bytes(a, "receipt's first bytes", span_of("\xd2\x84", 2), KIND_RECEIPT, "FORMAT");
	expect_bytes(a, "licence's first bytes", span_str("\x84\x69" LICENCE_FILE_MAGIC), KIND_LICENCE, "FORMAT");
	for (size_t n = 14; n < seal.len; n += 41)
		expect_bytes(a, "seal, cut", span_sub(seal, 0, n), KIND_SEAL, "FORMAT");
	for (size_t n = 31; n < sig.len; n += 67)
		expect_bytes(a, "signature, cut", span_sub(sig, 0, n), KIND_SIGNATURE, "FORMAT");
}

/* Whatever byte is changed, there is a report, and it is not PASSED unless it says that the form deviates: the last
 * bits of a signature value may be zeros, and the count of unused bits tells nothing about what was signed. */
static void no_changed_byte_passes(void **state)
{
	struct arena *a = *state;
	const struct made m = {0};
	struct span whole = make_signature(a, &m, signed_data);

	for (size_t i = 0; i < whole.len; i += 3) {
		struct report *r = judge_made(a, &m, verify_any, flipped(a, whole, span_sub(whole, i, 1)), signed_data);

		if (r->indication == TOTAL_PASSED && find_code(r, "BITS_TRIMMED") == NULL)
			fail_msg("passed with byte %zu changed", i);
		assert_codes_known(r);
	}
}

/* ---- the report itself ---------------------------------------------------------------------- */

static void json_has_the_shape_of_the_contract(void **state)
{
	static const char *const keys[] = {"file",   "kind",       "indication", "sub_indication", "policy", "judged_at",
	                                   "checks", "signatures", "coverage",   "not_checked",    "trust"};
	struct arena *a = *state;
	const struct made m = {.trust = TRUST_NO_CRL};
	struct report *r = judge_made(a, &m, verify_any, make_signature(a, &m, signed_data), signed_data);
	char *line;
	json_t *o, *sig;

	assert_err(report_json(a, r, "a \"b\".sig", &line), ERR_OK);
	assert_null(strchr(line, '\n'));
	o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(json_object_get(o, keys[i]));
	assert_string_equal(json_string_value(json_object_get(o, "file")), "a \"b\".sig");
	assert_string_equal(json_string_value(json_object_get(o, "kind")), "signature");
	assert_string_equal(json_string_value(json_object_get(o, "indication")), "TOTAL_PASSED");
	assert_true(json_is_null(json_object_get(o, "sub_indication")));
	assert_int_equal(json_array_size(json_object_get(o, "checks")), 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "not_checked"), 0)), "REVOCATION");
	sig = json_array_get(json_object_get(o, "signatures"), 0);
	assert_int_equal(json_integer_value(json_object_get(sig, "version")), 4);
	assert_string_equal(json_string_value(json_object_get(json_object_get(sig, "seal"), "name")), "云州市测试专用章");
	assert_non_null(json_object_get(json_object_get(sig, "signer"), "subject"));
	json_decref(o);
}

static void worse_news_wins(void **state)
{
	struct report *r = report_new(*state, KIND_SEAL);

	assert_non_null(r);
	report_fail(r, NULL, INDETERMINATE, SUB_TRY_LATER);
	report_fail(r, NULL, INDETERMINATE, SUB_NO_CERTIFICATE_CHAIN_FOUND);
	report_fail(r, NULL, INDETERMINATE, SUB_SIGNED_DATA_NOT_FOUND);
	assert_int_equal(r->sub, SUB_NO_CERTIFICATE_CHAIN_FOUND);
	report_fail(r, NULL, TOTAL_FAILED, SUB_EXPIRED);
	report_fail(r, NULL, INDETERMINATE, SUB_NO_CERTIFICATE_CHAIN_FOUND);
	assert_int_equal(r->indication, TOTAL_FAILED);
	report_fail(r, NULL, TOTAL_FAILED, SUB_HASH_FAILURE);
	report_conclude(r);
	assert_int_equal(r->sub, SUB_HASH_FAILURE);
}

static void too_little_memory_is_an_error(void **state)
{
	const struct made m = {0};
	struct span sig = make_signature(*state, &m, signed_data);
	struct verify_policy p = {.name = "default", .trust = pki.trust};
	struct verify_input in = {.bytes = sig, .data = signed_data, .now = pki.t0};

	for (size_t budget = 64; budget < 16384; budget += 96) {
		struct arena *small = arena_new(budget);
		struct report *r = NULL;
		enum err e = verify_any(small, &p, &in, &r);

		if (e == ERR_OK)
			assert_int_equal(r->indication, TOTAL_PASSED);
		else
			assert_err(e, ERR_BUDGET);
		arena_free(small);
	}
}

/* ---- trust lists ---------------------------------------------------------------------------- */

static void trust_lists_say_what_is_wrong(void **state)
{
	const char *none[] = {PKI "/nothing"}, *key[] = {PKI "/passphrase"}, *leaf[] = {PKI "/sm2/samr.crt"},
	           *two[] = {PKI "/sm2/root.crt", PKI "/sm2/root.crl"}, *dir[] = {PKI "/sm2"};
	struct cert_store *s = NULL;
	struct err_note note;

	(void)state;
	assert_err(trust_load(none, 1, &s, &note), ERR_FILE_UNREADABLE);
	assert_non_null(strstr(note.help, "nothing"));
	assert_err(trust_load(key, 1, &s, &note), ERR_CERT_UNREADABLE);
	assert_err(trust_load(leaf, 1, &s, &note), ERR_CERT_UNREADABLE);
	assert_err(trust_load(NULL, 0, &s, &note), ERR_CERT_UNREADABLE);
	assert_null(s);
	assert_err(trust_load(two, 2, &s, &note), ERR_OK);
	assert_int_equal(cert_store_anchors(s), 1);
	assert_int_equal(cert_store_crls(s), 1);
	cert_store_free(s);
	assert_err(trust_load(dir, 1, &s, &note), ERR_OK); /* keys beside the certificates are passed over */
	assert_int_equal(cert_store_anchors(s), 1);
	cert_store_free(s);
}

static void damaged_trust_is_not_passed_over(void **state)
{
	static const char text[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	char path[] = "/tmp/yz-trust-XXXXXX";
	const char *paths[] = {PKI "/trust", path};
	struct cert_store *s = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	assert_err(trust_load(paths, 2, &s, NULL), ERR_CERT_UNREADABLE);
	assert_null(s);
	unlink(path);
}

/* ---- the table of codes and its page -------------------------------------------------------- */

static char *codes_page(struct arena *a)
{
	const struct report_code *all;
	size_t n = report_codes(&all);
	struct buf b;

	buf_init(&b, a);
	buf_str(&b,
	        "# Codes of a verification report\n\n"
	        "Each step of a report carries one of these codes; `yinzheng verify --explain CODE` says the same.\n"
	        "A code never changes its meaning. This page is the table of `lib/verify/report_codes.c`: after a change\n"
	        "there, `YZ_UPDATE=1` and the unit test `test_verify` write it anew.\n\n"
	        "| code | what is wrong, and whose fault it is | 含义 |\n|---|---|---|\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "| `%s` | %s | %s |\n", all[i].code, all[i].en, all[i].zh);
	return buf_text(&b);
}

static void page_of_codes_is_the_table(void **state)
{
	char *want = codes_page(*state);
	struct span got;

	assert_non_null(want);
	if (getenv("YZ_UPDATE") != NULL)
		assert_err(file_write("docs/report-codes.md", span_str(want), 0644, NULL), ERR_OK);
	assert_err(file_read(*state, "docs/report-codes.md", 1 << 20, &got, NULL), ERR_OK);
	assert_span(got, span_str(want));
}

static void codes_are_unique_and_in_both_languages(void **state)
{
	const struct report_code *all;
	size_t n = report_codes(&all);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(report_code_find(all[i].code), &all[i]);
		assert_true(strlen(all[i].en) > 10 && text_is_clean(span_str(all[i].zh), 1000) && strlen(all[i].zh) > 10);
	}
	assert_null(report_code_find("NO_SUCH_CODE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(seals_are_judged),
	    TEST(signatures_are_judged),
	    TEST(flipped_bytes_of_a_seal),
	    TEST(flipped_bytes_of_a_signature),
	    TEST(broken_files_get_a_report),
	    TEST(no_changed_byte_passes),
	    TEST(json_has_the_shape_of_the_contract),
	    TEST(worse_news_wins),
	    TEST(too_little_memory_is_an_error),
	    TEST(trust_lists_say_what_is_wrong),
	    TEST(damaged_trust_is_not_passed_over),
	    TEST(page_of_codes_is_the_table),
	    TEST(codes_are_unique_and_in_both_languages),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
