/* Verdicts about OFD packages, one fault each; and hostile ones. */
#include "ofd_help.h"

#include <jansson.h>

static struct report *judge_zip(struct arena *a, const struct made *m, struct span zip)
{
	struct report *r = judge_made(a, m, verify_any, zip, span_of(NULL, 0));

	assert_codes_known(r);
	return r;
}

static struct report *judge_pack(const struct pack *p)
{
	static const struct made good;

	return judge_zip(p->a, &good, pack_zip(p, NULL));
}

static bool is_listed(const char *const *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], path) == 0)
			return true;
	return false;
}

/* ---- one fault when the signature is made ---- */

struct fault {
	const char *name;
	struct stamp stamp;
	struct made judged;
	enum indication ind;
	enum sub_indication sub;
	const char *code;
};

static void faults_of_the_signature(void **state)
{
	static const struct fault table[] = {
	    {.name = "good", .ind = TOTAL_PASSED, .code = "TIME_CLAIMED_ONLY"},
	    {.name = "good, strict", .judged = {.strict = true}, .ind = TOTAL_PASSED, .code = "OK"},
	    {.name = "type absent", .stamp = {.type = ""}, .ind = TOTAL_PASSED, .code = "OK"},
	    {.name = "locked", .stamp = {.locks = true}, .ind = TOTAL_PASSED, .code = "OK"},
	    {.name = "relative",
	     .stamp = {.base_loc = "Sign_0/Signature.xml", .value_loc = "SignedValue.dat"},
	     .ind = TOTAL_PASSED,
	     .code = "OK"},
	    {.name = "from the root", .stamp = {.value_loc = VALUE(0)}, .ind = TOTAL_PASSED, .code = "PATH_FROM_ROOT"},
	    {.name = "no Seal element", .stamp = {.seal_loc = ""}, .ind = TOTAL_PASSED, .code = "OK"},
	    {.name = "SM3 by name", .stamp = {.method = "sm3"}, .ind = TOTAL_PASSED, .code = "OK"},
	    {.name = "SM3 by another OID",
	     .stamp = {.method = OID_SM3 ".1"},
	     .ind = TOTAL_PASSED,
	     .code = "CHECK_METHOD_OID"},
	    {.name = "SHA-256", .stamp = {.method = "SHA256", .alg = RUN_SHA256}, .ind = TOTAL_PASSED, .code = "OK"},
	    {.name = "SHA-256 by OID",
	     .stamp = {.method = "2.16.840.1.101.3.4.2.1", .alg = RUN_SHA256},
	     .ind = TOTAL_PASSED,
	     .code = "OK"},
	    {.name = "SHA-1",
	     .stamp = {.method = "SHA1", .alg = RUN_SHA1},
	     .ind = INDETERMINATE,
	     .sub = SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     .code = "CHECK_METHOD_REFUSED"},
	    {.name = "MD5",
	     .stamp = {.method = "MD5", .alg = RUN_MD5},
	     .ind = INDETERMINATE,
	     .sub = SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     .code = "CHECK_METHOD_REFUSED"},
	    {.name = "no CheckMethod is MD5",
	     .stamp = {.method = "", .alg = RUN_MD5},
	     .ind = INDETERMINATE,
	     .sub = SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     .code = "CHECK_METHOD_REFUSED"},
	    {.name = "no CheckMethod over SM3",
	     .stamp = {.method = ""},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_HASH_FAILURE,
	     .code = "HASH_MISMATCH"},
	    {.name = "unknown CheckMethod",
	     .stamp = {.method = "CRC32"},
	     .ind = INDETERMINATE,
	     .sub = SUB_CRYPTO_CONSTRAINTS_FAILURE,
	     .code = "CHECK_METHOD_UNKNOWN"},
	    {.name = "no references",
	     .stamp = {.without_references = true},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "NO_REFERENCES"},
	    {.name = "page left out",
	     .stamp = {.leave_out = PAGE},
	     .ind = INDETERMINATE,
	     .sub = SUB_UNCOVERED,
	     .code = "UNCOVERED"},
	    {.name = "template left out",
	     .stamp = {.leave_out = TEMPLATE},
	     .ind = INDETERMINATE,
	     .sub = SUB_UNCOVERED,
	     .code = "UNCOVERED"},
	    {.name = "annotation left out",
	     .stamp = {.leave_out = ANNOT},
	     .ind = INDETERMINATE,
	     .sub = SUB_UNCOVERED,
	     .code = "UNCOVERED"},
	    {.name = "picture left out",
	     .stamp = {.leave_out = PICTURE},
	     .ind = INDETERMINATE,
	     .sub = SUB_UNCOVERED,
	     .code = "UNCOVERED"},
	    {.name = "root left out",
	     .stamp = {.leave_out = DOCUMENT},
	     .ind = INDETERMINATE,
	     .sub = SUB_UNCOVERED,
	     .code = "UNCOVERED"},
	    {.name = "OFD.xml left out",
	     .stamp = {.leave_out = OFD_MAIN},
	     .ind = TOTAL_PASSED,
	     .code = "ENTRY_UNPROTECTED"},
	    {.name = "attachment left out",
	     .stamp = {.leave_out = ATTACHED},
	     .ind = TOTAL_PASSED,
	     .code = "ENTRY_UNPROTECTED"},
	    {.name = "reference to nothing",
	     .stamp = {.first_ref = "/Doc_0/None.xml"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_HASH_FAILURE,
	     .code = "REFERENCE_MISSING"},
	    {.name = "reference out of the package",
	     .stamp = {.first_ref = "/../../etc/passwd"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_HASH_FAILURE,
	     .code = "REFERENCE_MISSING"},
	    {.name = "unknown type",
	     .stamp = {.type = "Stamp"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_FORMAT_FAILURE,
	     .code = "SIGNATURE_TYPE_UNKNOWN"},
	    {.name = "a seal called Sign",
	     .stamp = {.type = "Sign"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_FORMAT_FAILURE,
	     .code = "FORMAT"},
	    {.name = "Signature.xml missing",
	     .stamp = {.base_loc = "Sign_9/Signature.xml"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_FORMAT_FAILURE,
	     .code = "ENTRY_MISSING"},
	    {.name = "SignedValue missing",
	     .stamp = {.value_loc = "None.dat"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_FORMAT_FAILURE,
	     .code = "ENTRY_MISSING"},
	    {.name = "SignedValue not named",
	     .stamp = {.value_loc = ""},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_FORMAT_FAILURE,
	     .code = "XML_BAD"},
	    {.name = "Seal.esl missing",
	     .stamp = {.seal_loc = "None.esl"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_FORMAT_FAILURE,
	     .code = "ENTRY_MISSING"},
	    {.name = "two SignedValue",
	     .stamp = {.more = "<SignedValue>x</SignedValue>"},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_FORMAT_FAILURE,
	     .code = "XML_BAD"},
	    {.name = "signer not in the seal",
	     .stamp = {.made = {.listed = "mnr"}},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_SIG_CONSTRAINTS_FAILURE,
	     .code = "SIGNER_NOT_IN_SEAL"},
	    {.name = "signer revoked",
	     .stamp = {.made = {.signer = "revoked"}},
	     .ind = TOTAL_FAILED,
	     .sub = SUB_REVOKED,
	     .code = "SIGNER_CERT_REVOKED_BEFORE"},
	    {.name = "nobody trusted",
	     .judged = {.trust = TRUST_NONE},
	     .ind = INDETERMINATE,
	     .sub = SUB_NO_CERTIFICATE_CHAIN_FOUND,
	     .code = "TRUST_EMPTY"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pack p = pack_document(*state);
		struct report *r;

		pack_sign(&p, &table[i].stamp, 1);
		r = judge_zip(*state, &table[i].judged, pack_zip(&p, NULL));
		assert_int_equal(r->kind, KIND_OFD);
		expect(table[i].name, r, table[i].ind, table[i].sub, table[i].code);
		assert_string_equal(r->signatures->id, "s001");
	}
}

/* ---- one change after the signature was made ---- */

struct change {
	const char *name, *file, *text; /* text NULL: the file is removed */
	enum indication ind;
	enum sub_indication sub;
	const char *code;
};

static void changes_after_signing(void **state)
{
	static const struct change table[] = {
	    {"page", PAGE, "<Page/>", TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH"},
	    {"picture", PICTURE, "another face", TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH"},
	    {"attachment", ATTACHED, "<data>1</data>", TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH"},
	    {"page emptied", PAGE, "", TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH"},
	    {"page removed", PAGE, NULL, TOTAL_FAILED, SUB_HASH_FAILURE, "REFERENCE_MISSING"},
	    {"stray file", "Doc_0/stray.txt", "x", TOTAL_PASSED, SUB_NONE, "ENTRY_UNPROTECTED"},
	    {"Signature.xml", SIGN(0),
	     "<Signature><SignedInfo><References><Reference "
	     "FileRef='/OFD.xml'/></References></SignedInfo><SignedValue>SignedValue.dat</SignedValue></Signature>",
	     TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH"},
	    {"Signature.xml cut", SIGN(0), "<Signature>", TOTAL_FAILED, SUB_FORMAT_FAILURE, "XML_BAD"},
	    {"Signature.xml removed", SIGN(0), NULL, TOTAL_FAILED, SUB_FORMAT_FAILURE, "ENTRY_MISSING"},
	    {"SignedValue", VALUE(0), "nothing", TOTAL_FAILED, SUB_FORMAT_FAILURE, "FORMAT"},
	    {"SignedValue removed", VALUE(0), NULL, TOTAL_FAILED, SUB_FORMAT_FAILURE, "ENTRY_MISSING"},
	    {"another Seal.esl", ESL(0), "another seal", TOTAL_FAILED, SUB_SIG_CONSTRAINTS_FAILURE, "SEAL_FILE_MISMATCH"},
	    {"empty Seal.esl", ESL(0), "", TOTAL_FAILED, SUB_SIG_CONSTRAINTS_FAILURE, "SEAL_FILE_MISMATCH"},
	    {"list removed", LIST, NULL, TOTAL_FAILED, SUB_FORMAT_FAILURE, "ENTRY_MISSING"},
	    {"list emptied", LIST, "<Signatures/>", NO_SIGNATURE_FOUND, SUB_NONE, "UNSIGNED"},
	    {"list of another kind", LIST, "<List/>", TOTAL_FAILED, SUB_FORMAT_FAILURE, "XML_BAD"},
	    {"list with a document type", LIST, "<!DOCTYPE x><Signatures/>", TOTAL_FAILED, SUB_FORMAT_FAILURE, "XML_DTD"},
	    {"OFD.xml without documents", OFD_MAIN, "<OFD/>", TOTAL_FAILED, SUB_FORMAT_FAILURE, "XML_BAD"},
	    {"OFD.xml expands entities", OFD_MAIN, "<!DOCTYPE OFD [<!ENTITY a 'aaaa'>]><OFD>&a;</OFD>", TOTAL_FAILED,
	     SUB_FORMAT_FAILURE, "XML_DTD"},
	    {"OFD.xml forgets the list", OFD_MAIN, "<OFD><DocBody><DocRoot>Doc_0/Document.xml</DocRoot></DocBody></OFD>",
	     NO_SIGNATURE_FOUND, SUB_NONE, "UNSIGNED"},
	    {"OFD.xml removed", OFD_MAIN, NULL, TOTAL_FAILED, SUB_FORMAT_FAILURE, "NO_OFD_XML"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pack p = pack_signed(*state);

		if (table[i].text != NULL)
			pack_text(&p, table[i].file, table[i].text);
		else
			pack_remove(&p, table[i].file);
		expect(table[i].name, judge_pack(&p), table[i].ind, table[i].sub, table[i].code);
	}
}

/* Another page slipped in through a root that nothing protects. */
static void an_added_page_is_not_covered(void **state)
{
	const struct stamp open = {.leave_out = DOCUMENT};
	struct pack p = pack_document(*state);
	struct report *r;

	pack_sign(&p, &open, 1);
	pack_text(&p, DOCUMENT, "<Document><Pages><Page BaseLoc='Pages/Page_1/Content.xml'/></Pages></Document>");
	pack_text(&p, "Doc_0/Pages/Page_1/Content.xml", "<Page/>");
	r = judge_pack(&p);
	expect("added page", r, INDETERMINATE, SUB_UNCOVERED, "UNCOVERED");
	assert_true(is_listed(r->coverage->unprotected, r->coverage->n_unprotected, "/Doc_0/Pages/Page_1/Content.xml"));
	assert_string_equal(sub_indication_name(r->sub), "SIG_CONSTRAINTS_FAILURE");
}

static void seal_file_with_a_tail(void **state)
{
	struct pack p = pack_signed(*state);
	struct span esl = pack_get(&p, ESL(0));
	uint8_t *longer = arena_alloc(*state, esl.len + 1);

	memcpy(longer, esl.ptr, esl.len);
	pack_put(&p, ESL(0), span_of(longer, esl.len + 1));
	expect("tail", judge_pack(&p), TOTAL_PASSED, SUB_NONE, "SEAL_FILE_TRAILING");
}

/* ---- several signatures ---- */

static void later_signatures_join_an_open_list(void **state)
{
	const struct stamp two[] = {{.made = {0}}, {.made = {0}}};
	struct pack p = pack_document(*state);
	struct report *r;

	pack_sign(&p, two, 2);
	r = judge_pack(&p);
	expect("two", r, TOTAL_PASSED, SUB_NONE, "OK");
	assert_string_equal(r->signatures->next->id, "s002");
	assert_int_equal(r->coverage->n_changed, 0);
}

static void a_locked_list_is_not_extended(void **state)
{
	const struct stamp two[] = {{.locks = true}, {.locks = true}};
	struct pack p = pack_document(*state);
	struct report *r;

	pack_sign(&p, two, 2);
	r = judge_pack(&p);
	expect("locked", r, TOTAL_FAILED, SUB_HASH_FAILURE, "LOCKED_LIST_EXTENDED");
	assert_int_equal(r->signatures->next->indication, TOTAL_PASSED);
	assert_true(is_listed(r->coverage->changed, r->coverage->n_changed, "/" LIST));
}

/* The list was changed and nothing was added: that is no extension. */
static void a_locked_list_is_not_tampered_with(void **state)
{
	const struct stamp locked = {.locks = true};
	struct pack p = pack_document(*state);
	struct report *r;

	pack_sign(&p, &locked, 1);
	pack_text(&p, LIST,
	          "<Signatures><MaxSignId>9</MaxSignId><Signature ID='s001' BaseLoc='Sign_0/Signature.xml'/></Signatures>");
	r = judge_pack(&p);
	expect("tampered", r, TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH");
	assert_null(find_code(r, "LOCKED_LIST_EXTENDED"));
}

/* What was added after the first signature and signed by the second is said at the first. */
static void what_only_others_cover_is_said(void **state)
{
	const struct stamp two[] = {{.leave_out = ANNOT}, {.made = {.signer = "mnr"}}};
	struct pack p = pack_document(*state);
	struct report *r;

	pack_sign(&p, two, 2);
	r = judge_pack(&p);
	expect("by others", r, TOTAL_PASSED, SUB_NONE, "COVERED_BY_OTHERS");
	assert_string_equal(r->signatures->last->code, "COVERED_BY_OTHERS");
	assert_non_null(strstr(r->signatures->last->detail, "/" ANNOT));
}

/* The first signer's page was changed, and the second signed the change. */
static void changes_between_signatures_are_found(void **state)
{
	const struct stamp two[] = {{.type = "Seal"}, {.type = "Seal"}};
	struct pack p = pack_document(*state), changed;
	struct report *r;

	pack_sign(&p, two, 1);
	changed = p;
	pack_text(&changed, PAGE, "<Page>changed</Page>");
	pack_put(&changed, LIST, list_xml(*state, two, 2));
	{
		struct span xml = signature_xml(&changed, &two[1], 1), value = make_signature(*state, &two[1].made, xml);
		pack_put(&changed, SIGN(1), xml);
		pack_put(&changed, VALUE(1), value);
		pack_put(&changed, ESL(1), seal_within(value));
	}
	r = judge_pack(&changed);
	expect("changed", r, TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH");
	assert_int_equal(r->signatures->next->indication, TOTAL_PASSED);
	assert_true(is_listed(r->coverage->changed, r->coverage->n_changed, "/" PAGE));
}

static void every_document_of_a_package_counts(void **state)
{
	struct pack p = pack_signed(*state);

	pack_text(&p, OFD_MAIN,
	          "<OFD><DocBody><DocRoot>Doc_0/Document.xml</DocRoot><Signatures>" LIST "</Signatures></DocBody>"
	          "<DocBody><DocRoot>Doc_1/Document.xml</DocRoot></DocBody></OFD>");
	pack_text(&p, "Doc_1/Document.xml", "<Document/>");
	expect("second document", judge_pack(&p), TOTAL_FAILED, SUB_HASH_FAILURE, "UNCOVERED");
}

/* ---- hostile packages ---- */

static void a_thousand_signatures_are_refused(void **state)
{
	struct pack p = pack_signed(*state);
	struct buf b;
	struct span list;

	buf_init(&b, *state);
	buf_str(&b, "<Signatures>");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "<Signature ID='s%d' BaseLoc='Sign_0/Signature.xml'/>", i);
	buf_str(&b, "</Signatures>");
	assert_err(buf_done(&b, &list), ERR_OK);
	pack_put(&p, LIST, list);
	expect("a thousand", judge_pack(&p), TOTAL_FAILED, SUB_FORMAT_FAILURE, "TOO_LARGE");
}

/* Files that name one another in circles. */
static void cycles_end(void **state)
{
	const struct stamp open = {.leave_out = ANNOTS};
	struct pack p = pack_document(*state);

	pack_text(&p, ANNOTS,
	          "<Annotations><FileLoc>Annotations.xml</FileLoc><FileLoc>../Document.xml</FileLoc></Annotations>");
	pack_sign(&p, &open, 1);
	expect("cycle", judge_pack(&p), INDETERMINATE, SUB_UNCOVERED, "UNCOVERED");
	pack_text(&p, LIST, "<Signatures><Signature BaseLoc='Signatures.xml'/></Signatures>");
	expect("list of itself", judge_pack(&p), TOTAL_FAILED, SUB_FORMAT_FAILURE, "XML_BAD");
}

static void no_changed_byte_passes(void **state)
{
	struct pack p = pack_signed(*state);
	struct span zip = pack_zip(&p, NULL);
	uint8_t *copy = arena_alloc(*state, zip.len);
	static const struct made good;

	memcpy(copy, zip.ptr, zip.len);
	for (size_t i = 0; i < zip.len; i += 7) {
		struct arena *a = arena_new(64 << 20);
		struct report *r;

		copy[i] ^= 0x21;
		r = judge_zip(a, &good, span_of(copy, zip.len));
		copy[i] ^= 0x21;
		/* Dates and attributes of entries may change, contents may not. */
		if (r->indication == TOTAL_PASSED && (r->coverage == NULL || r->coverage->n_unprotected != 0))
			fail_msg("passed with byte %zu changed", i);
		arena_free(a);
	}
}

static void cut_packages_fail(void **state)
{
	struct pack p = pack_signed(*state);
	struct span zip = pack_zip(&p, NULL);
	static const struct made good;

	for (size_t n = 4; n < zip.len; n += 97)
		expect("cut", judge_zip(*state, &good, span_sub(zip, 0, n)), TOTAL_FAILED, SUB_FORMAT_FAILURE,
		       "PACKAGE_BROKEN");
}

static void too_little_memory_is_an_error(void **state)
{
	struct pack p = pack_signed(*state);
	const struct verify_policy policy = {.name = "default", .trust = pki.trust};
	const struct verify_input in = {.bytes = pack_zip(&p, NULL), .now = pki.t0};

	for (size_t budget = 64; budget < 64 * 1024; budget += 509) {
		struct arena *small = arena_new(budget);
		struct report *r = NULL;
		enum err e = verify_any(small, &policy, &in, &r);

		if (e == ERR_OK)
			assert_int_equal(r->indication, TOTAL_PASSED);
		else
			assert_err(e, ERR_BUDGET);
		arena_free(small);
	}
}

/* ---- the report ---- */

static void json_tells_the_coverage(void **state)
{
	const struct stamp open = {.leave_out = OFD_MAIN};
	struct pack p = pack_document(*state);
	json_t *o, *c;
	char *line;

	pack_sign(&p, &open, 1);
	assert_err(report_json(*state, judge_pack(&p), "a.ofd", &line), ERR_OK);
	o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "kind")), "ofd");
	c = json_object_get(o, "coverage");
	assert_int_equal(json_integer_value(json_object_get(c, "protected")), 9);
	assert_int_equal(json_array_size(json_object_get(c, "unprotected")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(c, "unprotected"), 0)), "/OFD.xml");
	assert_int_equal(json_array_size(json_object_get(c, "changed_later")), 0);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(faults_of_the_signature),
	    TEST(changes_after_signing),
	    TEST(an_added_page_is_not_covered),
	    TEST(seal_file_with_a_tail),
	    TEST(later_signatures_join_an_open_list),
	    TEST(a_locked_list_is_not_extended),
	    TEST(a_locked_list_is_not_tampered_with),
	    TEST(what_only_others_cover_is_said),
	    TEST(changes_between_signatures_are_found),
	    TEST(every_document_of_a_package_counts),
	    TEST(a_thousand_signatures_are_refused),
	    TEST(cycles_end),
	    TEST(no_changed_byte_passes),
	    TEST(cut_packages_fail),
	    TEST(too_little_memory_is_an_error),
	    TEST(json_tells_the_coverage),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
