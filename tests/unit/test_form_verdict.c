/* Verdict receipts: one encoding, and every element checked. */
#include "tests/unit/form_help.h"

#include "form/verdict.h"

static struct verdict_record sample(void)
{
	return (struct verdict_record){
	    .id = "YZV-0123456789ABCDEFGHJKMNPQRS",
	    .time = 1600000000000,
	    .judged_at = 1500000000000,
	    .service = "印证样例服务",
	    .document_digest = {1},
	    .data_digest = {2},
	    .kind = "ofd",
	    .indication = "TOTAL_FAILED",
	    .sub_indication = "HASH_FAILURE",
	    .code = "HASH_MISMATCH",
	    .not_checked = "REVOCATION TIME_STAMP",
	    .policy = "strict",
	    .policy_version = "1",
	    .policy_digest = {3},
	    .trust_digest = {4},
	    .oldest_crl = 1400000000000,
	    .report_digest = {5},
	};
}

static struct span encode(struct arena *a, const struct verdict_record *v)
{
	struct span out = {0};

	assert_err(verdict_encode(a, v, &out), ERR_OK);
	return out;
}

static void what_is_written_is_read(void **state)
{
	struct verdict_record in = sample(), v;
	struct err_note note;

	assert_err(verdict_parse(*state, encode(*state, &in), &v, &note), ERR_OK);
	assert_string_equal(v.id, in.id);
	assert_true(v.time == in.time && v.judged_at == in.judged_at && v.oldest_crl == in.oldest_crl);
	assert_string_equal(v.service, in.service);
	assert_string_equal(v.kind, in.kind);
	assert_string_equal(v.indication, in.indication);
	assert_string_equal(v.sub_indication, in.sub_indication);
	assert_string_equal(v.code, in.code);
	assert_string_equal(v.not_checked, in.not_checked);
	assert_string_equal(v.policy, in.policy);
	assert_string_equal(v.policy_version, in.policy_version);
	assert_memory_equal(v.document_digest, in.document_digest, SM3_LEN);
	assert_memory_equal(v.data_digest, in.data_digest, SM3_LEN);
	assert_memory_equal(v.policy_digest, in.policy_digest, SHA256_LEN);
	assert_memory_equal(v.trust_digest, in.trust_digest, SHA256_LEN);
	assert_memory_equal(v.report_digest, in.report_digest, SM3_LEN);
	assert_span(encode(*state, &v), encode(*state, &in));
}

static void what_may_be_empty_may(void **state)
{
	struct verdict_record in = sample(), v;
	struct err_note note;

	in.sub_indication = in.code = in.not_checked = "";
	in.oldest_crl = 0;
	assert_err(verdict_parse(*state, encode(*state, &in), &v, &note), ERR_OK);
	assert_string_equal(v.code, "");
}

static void one_fault_each(void **state)
{
	char long_text[VERDICT_TEXT_MAX + 2];
	struct verdict_record faults[12];
	struct span out;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	for (size_t i = 0; i < 12; i++)
		faults[i] = sample();
	faults[0].id = "";
	faults[1].id = "YZR-0123456789ABCDEFGHJKMNPQRS";
	faults[2].id = "YZV-0123456789abcdefghjkmnpqrs";
	faults[3].id = "YZV-0123456789ABCDEFGHJKMNPQR";
	faults[4].time = 0;
	faults[5].judged_at = 0;
	faults[6].service = "";
	faults[7].kind = "";
	faults[8].indication = "";
	faults[9].policy = "";
	faults[10].policy_version = long_text;
	faults[11].code = "A\nB";
	for (size_t i = 0; i < 12; i++)
		if (verdict_encode(*state, &faults[i], &out) == ERR_OK)
			fail_msg("fault %zu was written", i);
}

static void bytes_cut_or_added_are_refused(void **state)
{
	struct verdict_record in = sample(), v;
	struct span good = encode(*state, &in);
	uint8_t *more = arena_alloc(*state, VERDICT_MAX + 1);
	struct err_note note;

	for (size_t n = 0; n < good.len; n++)
		assert_int_not_equal(verdict_parse(*state, span_sub(good, 0, n), &v, &note), ERR_OK);
	memcpy(more, good.ptr, good.len);
	assert_err(verdict_parse(*state, span_of(more, good.len + 1), &v, &note), ERR_FORMAT);
	assert_err(verdict_parse(*state, span_of(more, VERDICT_MAX + 1), &v, &note), ERR_TOO_LARGE);
	more[0]--; /* a map of one element less */
	assert_err(verdict_parse(*state, span_of(more, good.len), &v, &note), ERR_FORMAT);
}

static void no_byte_can_be_changed_unseen(void **state)
{
	struct verdict_record in = sample(), v;
	struct span good = encode(*state, &in);
	uint8_t *bytes = arena_alloc(*state, good.len);
	struct err_note note;

	for (size_t i = 0; i < good.len; i++) {
		memcpy(bytes, good.ptr, good.len);
		bytes[i] ^= 0x20;
		if (verdict_parse(*state, span_of(bytes, good.len), &v, &note) == ERR_OK)
			assert_span(encode(*state, &v), span_of(bytes, good.len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_written_is_read),        TEST(what_may_be_empty_may),         TEST(one_fault_each),
	    TEST(bytes_cut_or_added_are_refused), TEST(no_byte_can_be_changed_unseen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
