/* Packages with several signatures: their values are verified together before they are judged. The report is the one
 * that judging them one by one gives, octet by octet, for good ones and for bad ones in any place. */
#include "ofd_help.h"

#include "crypto/memo.h"
#include "crypto/sm2_batch.h"
#include "crypto/sm2_cache.h"

enum { STAMPS = 6 };

static char *json(struct arena *a, struct sm2_means by, struct span package)
{
	static const struct made m;
	char *out;

	cert_store_use(pki.trust, by);
	assert_err(report_json(a, judge_made(a, &m, verify_ofd, package, span_of(NULL, 0)), NULL, &out), ERR_OK);
	cert_store_use(pki.trust, (struct sm2_means){0});
	return out;
}

/* OpenSSL verifies each value when its turn comes; our own means verify them together, with and without caches. */
static const char *same_report(struct arena *a, const struct pack *p)
{
	struct span package = pack_zip(p, NULL);
	struct sm2_means kept = {0};
	struct rand r = rand_system();
	const char *want = json(a, (struct sm2_means){.backend = SM2_OPENSSL}, package);

	assert_string_equal(json(a, (struct sm2_means){0}, package), want);
	assert_err(sm2_cache_new(4 << 20, &r, &kept.tables), ERR_OK);
	assert_err(memo_new(MEMO_LIMIT_MIN, &r, &kept.memo), ERR_OK);
	for (int i = 0; i < 4; i++)
		assert_string_equal(json(a, kept, package), want);
	sm2_cache_free(kept.tables);
	memo_free(kept.memo);
	return want;
}

static struct pack with_stamps(struct arena *a, size_t n)
{
	static const struct stamp stamps[STAMPS] = {{.made = {.signer = "mnr"}}};
	struct pack p = pack_document(a);

	pack_sign(&p, stamps, n);
	return p;
}

static char *value_name(struct arena *a, size_t i)
{
	return arena_printf(a, "Doc_0/Signs/Sign_%zu/SignedValue.dat", i);
}

static void good_ones(void **state)
{
	for (size_t n = 0; n <= STAMPS; n++) {
		struct pack p = with_stamps(*state, n);
		const char *report = same_report(*state, &p);

		assert_int_equal(strstr(report, "TOTAL_PASSED") != NULL, n != 0);
	}
}

static void spoil(struct arena *a, size_t at, size_t from_end)
{
	struct pack p = with_stamps(a, STAMPS);
	struct span value = arena_dup(a, pack_get(&p, value_name(a, at)));

	((uint8_t *)(uintptr_t)value.ptr)[value.len - from_end] ^= 1;
	pack_put(&p, value_name(a, at), value);
	assert_non_null(strstr(same_report(a, &p), "\"TOTAL_FAILED\""));
}

/* The last octets are the signer's value; before it stand its certificate and the seal with the maker's value. */
static void spoilt_octets(void **state)
{
	for (size_t at = 0; at < STAMPS; at++)
		for (size_t from_end = 1; from_end < 1500; from_end += 333) {
			struct arena *a = arena_new(64 * 1024 * 1024);

			assert_non_null(a);
			spoil(a, at, from_end);
			arena_free(a);
		}
}

static void exchanged_and_missing(void **state)
{
	struct pack p = with_stamps(*state, STAMPS);
	struct span first = pack_get(&p, value_name(*state, 0)), last = pack_get(&p, value_name(*state, STAMPS - 1));

	pack_put(&p, value_name(*state, 0), last);
	pack_put(&p, value_name(*state, STAMPS - 1), first);
	same_report(*state, &p);
	pack_put(&p, value_name(*state, 2), span_of("", 0));
	pack_put(&p, value_name(*state, 3), span_str("no DER"));
	pack_put(&p, value_name(*state, 4), span_sub(last, 0, last.len - 1));
	same_report(*state, &p);
	pack_remove(&p, value_name(*state, 1));
	same_report(*state, &p);
}

static void other_kinds_among_them(void **state)
{
	static const struct stamp mixed[] = {
	    {.made = {.sig_alg = "1.2.3"}}, {.type = "Sign"},           {.type = "Other"},
	    {.made = {.signer = "maker"}},  {.made = {.maker = "mnr"}}, {.value_loc = "nowhere"}};
	struct pack p = pack_document(*state);

	pack_sign(&p, mixed, sizeof(mixed) / sizeof(mixed[0]));
	same_report(*state, &p);
}

/* ---- what a batch found answers for exactly that ---------------------------------------------- */

static void answers_for_its_jobs_alone(void **state)
{
	const struct sm2_key *key = cert_sm2_key(who("samr")->cert), *other = cert_sm2_key(who("mnr")->cert);
	struct span msg = span_str("message"), copy = arena_dup(*state, msg), sig = sign_by(*state, "samr", msg);
	struct sm2_job job = {.key = key, .id = sm2_default_id(), .msg = msg, .sig = sig, .verdict = ERR_INTERNAL};
	const struct sm2_ahead ahead = {&job, 1};
	enum err e = ERR_OK;

	assert_true(sm2_ahead_knows(&ahead, key, sm2_default_id(), copy, sig, &e));
	assert_err(e, ERR_INTERNAL);
	assert_false(sm2_ahead_knows(NULL, key, sm2_default_id(), msg, sig, &e));
	assert_false(sm2_ahead_knows(&ahead, other, sm2_default_id(), msg, sig, &e));
	assert_false(sm2_ahead_knows(&ahead, key, span_of(NULL, 0), msg, sig, &e));
	assert_false(sm2_ahead_knows(&ahead, key, sm2_default_id(), span_str("Message"), sig, &e));
	assert_false(sm2_ahead_knows(&ahead, key, sm2_default_id(), span_sub(msg, 0, 6), sig, &e));
	assert_false(sm2_ahead_knows(&ahead, key, sm2_default_id(), msg, span_sub(sig, 0, sig.len - 1), &e));
	job.digest = sig.ptr;
	assert_false(sm2_ahead_knows(&ahead, key, sm2_default_id(), msg, sig, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(good_ones),
	    TEST(spoilt_octets),
	    TEST(exchanged_and_missing),
	    TEST(other_kinds_among_them),
	    TEST(answers_for_its_jobs_alone),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
