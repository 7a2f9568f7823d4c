/* Seals and signatures of many producers, as they were found: judged as the manifest of the corpus says. */
#include "ses_help.h"

struct found {
	const char *file, *data, *at;
	bool is_sound;        /* digest and signature values */
	const char *codes[3]; /* NOTICEs; none: nothing deviates */
};

static const struct found corpus[] = {
    {"seals/seal_v1_UserV1.esl", NULL, "2021-01-01", true, {NULL}},
    {"seals/seal_v4_UserV4.esl", NULL, "2021-01-01", true, {NULL}},
    {"seals/seal_v5_UserV5.esl", NULL, "2026-05-01", true, {NULL}},
    {"seals/seal_v1_ber_UserV1_old.esl", NULL, "2021-01-01", true, {"BER_LENGTHS", "BER_SIGNED_AS_DER"}},
    {"seals/seal_v4_badsig_UserV4_old.esl", NULL, "2021-01-01", false, {"BER_LENGTHS"}},
    {"seals/sv_v4_SignedValueV4.dat", NULL, "2021-01-01", true, {NULL}},
    {"fragments/signedFile_jiangsu_tax/SignedValue.dat",
     "fragments/signedFile_jiangsu_tax/Signature.xml",
     "2021-01-01",
     true,
     {"EXT_DEFAULT_ENCODED", "SEAL_BEFORE_MAKER_CERT"}},
    {"fragments/keyword_zibo/sig0/SignedValue.dat",
     "fragments/keyword_zibo/sig0/Signature.xml",
     "2020-07-01",
     true,
     {"VALUE_RAW", "EXT_CRITICAL_AUDIT"}},
    {"fragments/suzhou_dianju/SignedValue.dat", "fragments/suzhou_dianju/Signature.xml", "2021-04-01", true, {NULL}},
    {"fragments/azt_two_seals/sig0/SignedValue.dat",
     "fragments/azt_two_seals/sig0/Signature.xml",
     "2021-12-01",
     true,
     {"VALUE_NEGATIVE"}},
    {"fragments/azt_two_seals/sig1/SignedValue.dat",
     "fragments/azt_two_seals/sig1/Signature.xml",
     "2021-12-01",
     true,
     {"VALUE_NEGATIVE"}},
};

static size_t deviations_in(const struct check *c)
{
	size_t n = 0;

	for (; c != NULL; c = c->next)
		n += strcmp(c->step, "form") == 0 || strcmp(c->code, "SEAL_BEFORE_MAKER_CERT") == 0 ||
		     (strcmp(c->step, "maker_period") == 0 && strcmp(c->code, "MAKER_CERT_TIME") == 0);
	return n;
}

static struct report *judge_found(struct arena *a, const struct found *f, bool strict)
{
	struct made m = {.strict = strict, .trust = TRUST_NONE};
	struct span bytes, data = {0};
	int64_t at;

	assert_true(corpus_read(a, arena_printf(a, "ofd/%s", f->file), &bytes));
	if (f->data != NULL)
		assert_true(corpus_read(a, arena_printf(a, "ofd/%s", f->data), &data));
	assert_err(time_parse(span_str(f->at), &at), ERR_OK);
	m.at = at - pki.t0;
	return judge_made(a, &m, verify_any, bytes, data);
}

static void expect_found(struct arena *a, const struct found *f)
{
	struct report *r = judge_found(a, f, false);
	const struct check *checks = r->signatures != NULL ? r->signatures->checks : r->checks;
	size_t n = 0;

	assert_codes_known(r);
	for (; n < 3 && f->codes[n] != NULL; n++)
		if (find_code(r, f->codes[n]) == NULL)
			fail_msg("%s: no %s", f->file, f->codes[n]);
	if (f->is_sound == (find_code(r, "SIG_BAD") != NULL || find_code(r, "SEAL_SIG_BAD") != NULL ||
	                    find_code(r, "HASH_MISMATCH") != NULL || find_code(r, "SIGNER_NOT_IN_SEAL") != NULL))
		fail_msg("%s: the values are not as the manifest has them", f->file);
	if (strcmp(f->at, "2026-05-01") == 0) /* made when its maker's certificate had ended */
		expect(f->file, r, TOTAL_FAILED, SUB_EXPIRED, "MAKER_CERT_TIME");
	else if (deviations_in(checks) != n)
		fail_msg("%s: %zu deviations", f->file, deviations_in(checks));
	else if (f->is_sound)
		expect(f->file, r, INDETERMINATE, SUB_NO_CERTIFICATE_CHAIN_FOUND, "TRUST_EMPTY");
	r = judge_found(a, f, true);
	if (n != 0 && (r->indication != TOTAL_FAILED || r->sub != SUB_FORMAT_FAILURE))
		fail_msg("%s: strict accepts it", f->file);
}

static void corpus_is_judged_as_its_manifest_says(void **state)
{
	struct span manifest;

	if (!corpus_read(*state, "ofd/MANIFEST.tsv", &manifest)) {
		printf("note: corpus absent, skipped\n");
		return;
	}
	for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++)
		expect_found(*state, &corpus[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(corpus_is_judged_as_its_manifest_says),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
