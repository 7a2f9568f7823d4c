/* Verdicts about licence files and receipts, one fault each; and seals made by others. */
#include "verify_help.h"

#include <jansson.h>
#include <unistd.h>

#include "verify/subject.h"

#define SAMR_CODE "11990100MB00001073"
#define SAMR_NAME "云州市市场监督管理局"
#define TYPE_CODE SAMR_CODE "001"

/* ---- licences ------------------------------------------------------------------------------- */

struct licence_fault {
	const char *name;
	struct made made;
	const char *id, *type_code, *issuer_code, *issuer_name; /* NULL: right */
	unsigned version;                                       /* 0: 1 */
	int64_t valid_from, valid_to;                           /* relative; 0: since a day, without end */
	bool other_record;                                      /* another record beside the signature */
	enum indication ind;
	enum sub_indication sub;
	const char *code;
};

static const char *either(const char *given, const char *usual)
{
	return given != NULL ? given : usual;
}

static struct span make_record(struct arena *a, const struct licence_fault *f)
{
	struct licence_holder holder = {"云州好味餐饮有限公司", "001", "91990100MA00000017"};
	struct licence_field field = {"经营场所", "云州市测试路 1 号"};
	struct licence_record rec = {
	    .type_code = arena_strdup(a, either(f->type_code, TYPE_CODE)),
	    .type_name = "食品经营许可证",
	    .number = "JY100",
	    .version = f->version != 0 ? f->version : 1,
	    .issuer_code = arena_strdup(a, either(f->issuer_code, SAMR_CODE)),
	    .issuer_name = arena_strdup(a, either(f->issuer_name, SAMR_NAME)),
	    .definer_code = SAMR_CODE,
	    .issued = pki.t0 - HOUR,
	    .valid_from = pki.t0 + (f->valid_from != 0 ? f->valid_from : -DAY),
	    .valid_to = f->valid_to != 0 ? pki.t0 + f->valid_to : 0,
	    .area_code = "",
	    .previous_id = "",
	    .n_holders = 1,
	    .holders = &holder,
	    .n_fields = 1,
	    .fields = &field,
	};
	struct span out;

	if (f->id != NULL)
		rec.id = arena_strdup(a, f->id);
	else
		assert_err(licence_id_make(a, TYPE_CODE, SAMR_CODE, "20260001", 1, &rec.id), ERR_OK);
	assert_err(licence_record_encode(a, &rec, &out), ERR_OK);
	return out;
}

static struct span make_licence(struct arena *a, const struct licence_fault *f)
{
	struct made m = f->made;
	struct span record = make_record(a, f), signature, out;

	m.scope = m.scope != NULL ? m.scope : LICENCE_SCOPE;
	signature = make_signature(a, &m, record);
	if (f->other_record)
		record = make_record(a, &(struct licence_fault){.valid_to = 9 * DAY});
	assert_err(licence_file_encode(a, record, signature, &out), ERR_OK);
	return out;
}

static void judge_licence(struct arena *a, const struct licence_fault *f)
{
	struct report *r = judge_made(a, &f->made, verify_any, make_licence(a, f), span_of(NULL, 0));

	assert_int_equal(r->kind, KIND_LICENCE);
	assert_non_null(r->licence);
	expect(f->name, r, f->ind, f->sub, f->code);
}

static void licences_are_judged(void **state)
{
#define ID(type, issuer, version, check) LICENCE_ID_ROOT "." type "." issuer ".20260001." version "." check
	static const struct licence_fault table[] = {
	    {.name = "good", .ind = TOTAL_PASSED, .code = "TIME_CLAIMED_ONLY"},
	    {.name = "good, strict", .made = {.strict = true, .proven = true}, .ind = TOTAL_PASSED, .code = "OK"},
	    {.name = "past its own date",
	     .valid_to = HOUR,
	     .made = {.at = 2 * HOUR},
	     .ind = TOTAL_PASSED,
	     .code = "LICENCE_EXPIRED"},
	    {.name = "before its own date", .valid_from = HOUR, .ind = TOTAL_PASSED, .code = "LICENCE_NOT_YET_VALID"},
	    {.name = "identifier without parts",
	     .id = "1.2.3",
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "LICENCE_ID_MISMATCH"},
	    {.name = "another version",
	     .version = 2,
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "LICENCE_ID_MISMATCH"},
	    {.name = "another type",
	     .type_code = SAMR_CODE "002",
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "LICENCE_ID_MISMATCH"},
	    {.name = "another issuer's code",
	     .issuer_code = "11990100MB0000203C",
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "LICENCE_ID_MISMATCH"},
	    {.name = "check character",
	     .id = ID(TYPE_CODE, SAMR_CODE, "001", "?"),
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "LICENCE_ID_MISMATCH"},
	    {.name = "signed by another agency",
	     .made = {.signer = "mnr"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "ISSUER_MISMATCH"},
	    {.name = "another record",
	     .other_record = true,
	     .ind = TOTAL_FAILED,
	     .sub = SUB_HASH_FAILURE,
	     .code = "HASH_MISMATCH"},
	    {.name = "signed for something else",
	     .made = {.scope = "/Doc_0/Signs/Sign_0/Signature.xml"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "SCOPE_WRONG"},
	    {.name = "seal ended before",
	     .made = {.to = HOUR, .sign = 2 * HOUR, .at = 3 * HOUR},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_EXPIRED,
	     .code = "TIME_OUTSIDE_SEAL"},
	    {.name = "signer revoked",
	     .made = {.signer = "revoked"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "SIGNER_CERT_REVOKED_BEFORE"},
	    {.name = "nobody trusted",
	     .made = {.trust = TRUST_NONE},
	     .ind = INDETERMINATE,
	     .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND,
	     .code = "TRUST_EMPTY"},
	    {.name = "CRL required",
	     .made = {.trust = TRUST_NO_CRL, .strict = true},
	     .ind = INDETERMINATE,
	     .sub = SUB_TRY_LATER,
	     .code = "SIGNER_CERT_UNKNOWN_STATUS"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		judge_licence(*state, &table[i]);
}

static void no_changed_byte_of_a_licence_passes(void **state)
{
	struct span whole = make_licence(*state, &(struct licence_fault){0});
	const struct made m = {0};
	uint8_t *copy = arena_alloc(*state, whole.len);

	memcpy(copy, whole.ptr, whole.len);
	for (size_t i = 0; i < whole.len; i += 5) {
		struct report *r;

		copy[i] ^= 0x10;
		r = judge_made(*state, &m, verify_any, span_of(copy, whole.len), span_of(NULL, 0));
		copy[i] ^= 0x10;
		if (r->indication == TOTAL_PASSED)
			fail_msg("passed with byte %zu changed", i);
		assert_codes_known(r);
	}
}

static void licences_say_what_is_in_them(void **state)
{
	const struct made m = {0};
	struct span file = make_licence(*state, &(struct licence_fault){0});
	struct report *r = judge_made(*state, &m, verify_any, file, span_of(NULL, 0));
	char *line;
	json_t *o, *l;

	assert_err(report_json(*state, r, NULL, &line), ERR_OK);
	o = json_loads(line, 0, NULL);
	assert_non_null(o);
	assert_true(json_is_null(json_object_get(o, "file")));
	l = json_object_get(o, "licence");
	assert_string_equal(json_string_value(json_object_get(l, "issuer_code")), SAMR_CODE);
	assert_true(json_is_null(json_object_get(l, "valid_to")));
	assert_int_equal(json_array_size(json_object_get(l, "fields")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "not_checked"), 0)), "LICENCE_STATE");
	json_decref(o);
}

/* ---- whom a subject names ------------------------------------------------------------------- */

static void subjects_name_organisations(void **state)
{
	static const struct {
		const char *subject;
		bool names;
	} table[] = {
	    {"CN=x,organizationIdentifier=" SAMR_CODE ",O=other,C=CN", true},
	    {"CN=x,2.5.4.97=NTRCN-" SAMR_CODE ",C=CN", true},
	    {"serialNumber=" SAMR_CODE, true},
	    {"CN=x+serialNumber=" SAMR_CODE ",C=CN", true},
	    {"CN=x,O=" SAMR_NAME ",C=CN", true},
	    {"OU=" SAMR_NAME ",O=政府", true},
	    {"CN=x,serialNumber=12345,O=" SAMR_NAME, true},
	    {"CN=x,organizationIdentifier=11990100MB0000203C,O=" SAMR_NAME, false}, /* the code decides */
	    {"CN=" SAMR_NAME, false},
	    {"CN=x\\,O\\=" SAMR_NAME ",C=CN", false},
	    {"CN=x\\,O=" SAMR_NAME ",C=CN", false},
	    {"CN=serialNumber\\=" SAMR_CODE, false},
	    {"CN=x,O=" SAMR_NAME "分局", false},
	    {"serialNumber=" SAMR_CODE "\\00", false},
	    {"", false},
	    {"=,+\\", false},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (subject_names_org(*state, table[i].subject, SAMR_CODE, SAMR_NAME) != table[i].names)
			fail_msg("%s", table[i].subject);
	assert_false(subject_names_org(*state, "CN=x,O=", SAMR_CODE, ""));
}

/* ---- receipts ------------------------------------------------------------------------------- */

static struct span make_payload(struct arena *a)
{
	struct receipt_material material = {
	    .type_code = TYPE_CODE,
	    .name = "营业执照",
	    .status = MATERIAL_MISSING,
	    .state = "",
	    .indication = "",
	    .source = "local",
	    .source_time = pki.t0,
	};
	struct receipt rec = {
	    .kind = RECEIPT_PULL,
	    .id = "YZR-ABCDEFGHJKMNPQRSTVWXYZ0123",
	    .time = pki.t0,
	    .service = "印证",
	    .org_code = SAMR_CODE,
	    .org_name = "政务服务中心",
	    .principal = "window-1",
	    .legal_basis = "consent",
	    .item_code = "ITEM-1",
	    .item_name = "食品经营许可新办",
	    .purpose = "办理许可",
	    .n_materials = 1,
	    .materials = &material,
	};
	struct span out;

	assert_err(receipt_encode(a, &rec, &out), ERR_OK);
	return out;
}

static struct span make_receipt(struct arena *a, const char *type, const char *by, struct span payload)
{
	struct span cert = der_of_who(by), tbs, out;

	assert_err(cose_to_be_signed(a, type, &cert, 1, payload, &tbs), ERR_OK);
	assert_err(cose_encode(a, type, &cert, 1, payload, sign_by(a, by, tbs), &out), ERR_OK);
	return out;
}

struct receipt_fault {
	const char *name, *type, *by;
	struct made made;
	bool other_payload;
	enum indication ind;
	enum sub_indication sub;
	const char *code;
};

static void judge_receipt(struct arena *a, const struct receipt_fault *f)
{
	struct span payload = f->other_payload ? span_of("\xa0", 1) : make_payload(a);
	struct span file = make_receipt(a, either(f->type, RECEIPT_TYPE), either(f->by, "receipt"), payload);
	struct report *r = judge_made(a, &f->made, verify_any, file, span_of(NULL, 0));

	assert_int_equal(r->kind, KIND_RECEIPT);
	expect(f->name, r, f->ind, f->sub, f->code);
}

static void receipts_are_judged(void **state)
{
	static const struct receipt_fault table[] = {
	    {.name = "good", .ind = TOTAL_PASSED, .code = "TIME_CLAIMED_ONLY"},
	    {.name = "good, strict", .made = {.strict = true}, .ind = TOTAL_PASSED, .code = "OK"},
	    {.name = "another statement",
	     .type = "application/other+cbor",
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "STATEMENT_TYPE"},
	    {.name = "not a receipt inside",
	     .other_payload = true,
	     .ind = TOTAL_FAILED,
	     .sub = SUB_FORMAT_FAILURE,
	     .code = "FORMAT"},
	    {.name = "outside of trust",
	     .made = {.trust = TRUST_OTHER},
	     .ind = INDETERMINATE,
	     .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND,
	     .code = "STATEMENT_CERT_CHAIN"},
	    {.name = "nobody trusted",
	     .made = {.trust = TRUST_NONE},
	     .ind = INDETERMINATE,
	     .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND,
	     .code = "TRUST_EMPTY"},
	    {.name = "revoked",
	     .by = "revoked",
	     .ind = TOTAL_FAILED,
	     .sub = SUB_REVOKED,
	     .code = "STATEMENT_CERT_REVOKED_BEFORE"},
	    {.name = "expired", .by = "expired", .ind = TOTAL_FAILED, .sub = SUB_EXPIRED, .code = "TIME_OUTSIDE_CERT"},
	    {.name = "may not sign",
	     .by = "root",
	     .ind = INDETERMINATE,
	     .sub = SUB_CHAIN_CONSTRAINTS_FAILURE,
	     .code = "STATEMENT_CERT_KEYUSAGE"},
	    {.name = "by an agency",
	     .by = "samr",
	     .ind = INDETERMINATE,
	     .sub = SUB_CHAIN_CONSTRAINTS_FAILURE,
	     .code = "STATEMENT_CERT_PURPOSE"},
	    {.name = "by the key of another statement",
	     .by = "verdict",
	     .ind = INDETERMINATE,
	     .sub = SUB_CHAIN_CONSTRAINTS_FAILURE,
	     .code = "STATEMENT_CERT_PURPOSE"},
	    {.name = "by an agency that is not trusted",
	     .by = "samr",
	     .made = {.trust = TRUST_OTHER},
	     .ind = INDETERMINATE,
	     .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND,
	     .code = "STATEMENT_CERT_PURPOSE"},
	    {.name = "ended since",
	     .made = {.at = 2000 * DAY},
	     .ind = INDETERMINATE,
	     .sub = SUB_OUT_OF_BOUNDS_NO_POE,
	     .code = "CERT_EXPIRED_SINCE"},
	    {.name = "no CRL, strict",
	     .made = {.trust = TRUST_NO_CRL, .strict = true},
	     .ind = INDETERMINATE,
	     .sub = SUB_TRY_LATER,
	     .code = "STATEMENT_CERT_UNKNOWN_STATUS"},
	    {.name = "in the future",
	     .made = {.now = -HOUR},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_NOT_YET_VALID,
	     .code = "TIME_IN_FUTURE"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		judge_receipt(*state, &table[i]);
}

static void altered_receipts_fail(void **state)
{
	struct span whole = make_receipt(*state, RECEIPT_TYPE, "receipt", make_payload(*state));
	const struct made m = {0};
	uint8_t *copy = arena_alloc(*state, whole.len), *at;
	struct report *r;

	memcpy(copy, whole.ptr, whole.len);
	at = memmem(copy, whole.len, "window-1", 8);
	assert_non_null(at);
	at[7] = '2';
	r = judge_made(*state, &m, verify_any, span_of(copy, whole.len), span_of(NULL, 0));
	expect("altered", r, TOTAL_FAILED, SUB_SIG_CRYPTO_FAILURE, "STATEMENT_SIG_BAD");
	at[7] = '1';
	for (size_t i = 0; i < whole.len; i += 3) {
		copy[i] ^= 1;
		r = judge_made(*state, &m, verify_any, span_of(copy, whole.len), span_of(NULL, 0));
		copy[i] ^= 1;
		if (r->indication == TOTAL_PASSED)
			fail_msg("passed with byte %zu changed", i);
		assert_codes_known(r);
	}
}

/* ---- seals made by others ------------------------------------------------------------------- */

static const char *shared(void)
{
	return either(getenv("SHARED"), "../shared");
}

/* The root of the corpus stands in a PKCS#12 file of published test keys. NULL when it cannot be taken out. */
static struct cert_store *foreign_trust(struct arena *a, char *dir)
{
	const char *path = arena_printf(a, "%s/root.pem", dir);
	struct cert_store *s = NULL;

	if (system(arena_printf(a,
	                        "openssl pkcs12 -legacy -in '%s/corpus/ofd/keys/ofdrw_ROOT.p12' -passin pass:123456 "
	                        "-nokeys 2>/dev/null | openssl x509 -out '%s' 2>/dev/null",
	                        shared(), path)) != 0 ||
	    trust_load(&path, 1, &s, NULL) != ERR_OK)
		s = NULL;
	unlink(path);
	return s;
}

static struct report *judge_foreign(struct arena *a, const struct cert_store *trust, const char *file, bool damage)
{
	struct verify_policy p = {.name = "default", .trust = trust};
	struct verify_input in = {.now = pki.t0};
	struct report *r = NULL;

	assert_err(time_parse(span_str("2021-01-01"), &in.at), ERR_OK);
	assert_err(file_read(a, arena_printf(a, "%s/corpus/ofd/seals/%s", shared(), file), SES_MAX, &in.bytes, NULL),
	           ERR_OK);
	if (damage) {
		uint8_t *copy = arena_alloc(a, in.bytes.len);
		memcpy(copy, in.bytes.ptr, in.bytes.len);
		copy[5000] ^= 1; /* in the picture */
		in.bytes.ptr = copy;
	}
	assert_err(verify_any(a, &p, &in, &r), ERR_OK);
	return r;
}

static void seals_of_others_are_judged(void **state)
{
	char dir[] = "/tmp/yz-verify-XXXXXX";
	struct cert_store *trust;
	struct report *r;

	if (access(arena_printf(*state, "%s/corpus/ofd/seals/seal_v4_UserV4.esl", shared()), R_OK) != 0) {
		printf("note: corpus absent, skipped\n");
		return;
	}
	assert_non_null(mkdtemp(dir));
	trust = foreign_trust(*state, dir);
	rmdir(dir);
	if (trust == NULL)
		printf("note: the corpus' root could not be taken out of its PKCS#12 file; judged without trust\n");
	r = judge_foreign(*state, trust, "seal_v4_UserV4.esl", false);
	assert_int_equal(r->checks->next->next->result, CHECK_PASS); /* structure, algorithm, the maker's signature */
	assert_string_equal(r->checks->next->next->step, "seal_signature");
	/* Their root's key usage does not name certificates: whoever trusts it has decided, and it is told. */
	if (trust != NULL)
		expect("V4", r, TOTAL_PASSED, SUB_NONE, "ANCHOR_KEYUSAGE");
	r = judge_foreign(*state, trust, "seal_v4_UserV4.esl", true);
	expect("V4, picture changed", r, TOTAL_FAILED, SUB_SIG_CRYPTO_FAILURE, "SEAL_SIG_BAD");
	r = judge_foreign(*state, trust, "seal_v1_UserV1.esl", false);
	assert_null(find_code(r, "SEAL_SIG_BAD"));
	if (trust != NULL)
		expect("V1", r, TOTAL_PASSED, SUB_NONE, "ANCHOR_KEYUSAGE");
	r = judge_foreign(*state, trust, "seal_v5_UserV5.esl", false);
	expect("V5", r, TOTAL_FAILED, SUB_EXPIRED, "MAKER_CERT_TIME"); /* made when its maker's certificate had ended */
	r = judge_foreign(*state, trust, "seal_v4_badsig_UserV4_old.esl", false);
	expect("V4 in BER", r, TOTAL_FAILED, SUB_SIG_CRYPTO_FAILURE, "SEAL_SIG_BAD");
	assert_non_null(find_code(r, "BER_LENGTHS"));
	r = judge_foreign(*state, NULL, "sv_v4_SignedValueV4.dat", false);
	expect("V4 signature", r, INDETERMINATE, SUB_NO_CERTIFICATE_CHAIN_FOUND, "DATA_NOT_GIVEN");
	assert_null(find_code(r, "SIG_BAD"));
	cert_store_free(trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(licences_are_judged),          TEST(no_changed_byte_of_a_licence_passes),
	    TEST(licences_say_what_is_in_them), TEST(subjects_name_organisations),
	    TEST(receipts_are_judged),          TEST(altered_receipts_fail),
	    TEST(seals_of_others_are_judged),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
