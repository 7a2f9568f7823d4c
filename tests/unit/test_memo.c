/* What was proved before answers for the same bytes, and for nothing else. */
#include "cert_help.h"
#include "crypto/memo.h"

static struct memo *new_memo(void)
{
	struct rand r = rand_system();
	struct memo *m = NULL;

	assert_int_equal(memo_new(MEMO_LIMIT_MIN, &r, &m), ERR_OK);
	return m;
}

static struct memo_question question(enum memo_kind kind)
{
	return (struct memo_question){
	    .kind = kind, .key = BYTES("key"), .id = BYTES("id"), .msg = BYTES("message"), .value = BYTES("value")};
}

static void known_only_after_it_was_learnt(void **state)
{
	struct memo *m = new_memo();
	struct memo_question q = question(MEMO_SEAL), again = question(MEMO_SEAL);
	struct memo_figures f;

	assert_false(memo_knows(m, &q));
	assert_false(memo_knows(m, &again));
	memo_learn(m, &q);
	memo_learn(m, &again); /* two threads found it at one time */
	assert_true(memo_knows(m, &again));
	memo_figures(m, &f);
	assert_int_equal(f.hits[MEMO_SEAL], 1);
	assert_int_equal(f.misses[MEMO_SEAL], 2);
	assert_int_equal(f.signatures, 1);
	memo_free(m);
}

static void a_question_that_differs_is_another(void **state)
{
	struct memo *m = new_memo();
	struct memo_question q = question(MEMO_SEAL),
	                     other[] = {
	                         question(MEMO_CHAIN), question(MEMO_LICENCE), question(MEMO_SEAL), question(MEMO_SEAL),
	                         question(MEMO_SEAL),  question(MEMO_SEAL),    question(MEMO_SEAL), question(MEMO_SEAL),
	                     };

	assert_false(memo_knows(m, &q));
	memo_learn(m, &q);
	other[2].key = BYTES("kez");
	other[3].id = BYTES("ie");
	other[4].msg = BYTES("messagf");
	other[5].value = BYTES("valuf");
	other[6].id = span_of(NULL, 0);
	/* The same bytes in a row, cut elsewhere. */
	other[7].value = BYTES("valuem");
	other[7].msg = BYTES("essage");
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		assert_false(memo_knows(m, &other[i]));
	assert_true(memo_knows(m, &q));
	memo_free(m);
}

static void documents_and_nobody_remember_nothing(void **state)
{
	struct memo *m = new_memo();
	struct memo_question q = question(MEMO_NONE), seal = question(MEMO_SEAL);
	struct memo_figures f;

	assert_false(memo_knows(m, &q));
	memo_learn(m, &q);
	assert_false(memo_knows(m, &q));
	memo_figures(m, &f);
	assert_int_equal(f.signatures, 0);
	assert_false(memo_knows(NULL, &seal));
	memo_learn(NULL, &seal);
	memo_free(m);
}

static void a_new_epoch_knows_nothing(void **state)
{
	struct memo *m = new_memo();
	struct memo_question q = question(MEMO_SEAL), late = question(MEMO_LICENCE);
	struct memo_figures f;

	assert_false(memo_knows(m, &q));
	memo_learn(m, &q);
	assert_false(memo_knows(m, &late));
	memo_next_epoch(m);
	memo_learn(m, &late); /* proved under the old one */
	assert_false(memo_knows(m, &q));
	assert_false(memo_knows(m, &late));
	memo_learn(m, &q);
	assert_true(memo_knows(m, &q));
	memo_figures(m, &f);
	assert_int_equal(f.epoch, 1);
	memo_free(m);
}

static void it_stays_within_its_limit(void **state)
{
	struct memo *m = new_memo();
	struct memo_question favourite = question(MEMO_SEAL), q = question(MEMO_LICENCE);
	struct memo_figures f;
	uint32_t i;

	assert_false(memo_knows(m, &favourite));
	memo_learn(m, &favourite);
	for (i = 0; i < 100000; i++) {
		q.msg = span_of(&i, sizeof(i));
		assert_false(memo_knows(m, &q));
		memo_learn(m, &q);
		if (i % 16 == 0) /* what is in use stays */
			assert_true(memo_knows(m, &favourite));
	}
	memo_figures(m, &f);
	assert_true(f.signatures * MEMO_KEY <= MEMO_LIMIT_MIN);
	assert_true(f.bytes <= f.limit);
	assert_int_equal(f.signatures + f.evicted, 100001);
	memo_free(m);
}

static void too_small_a_limit_is_refused(void **state)
{
	struct rand r = rand_system();
	struct memo *m = NULL;

	assert_int_equal(memo_new(MEMO_LIMIT_MIN - 1, &r, &m), ERR_FIELD_INVALID);
	assert_int_equal(memo_new(0, &r, &m), ERR_FIELD_INVALID);
	assert_null(m);
	memo_free(NULL);
}

/* ---- certificates --------------------------------------------------------------------------- */

static void a_certificate_is_parsed_once(void **state)
{
	struct memo *m = new_memo();
	struct cert *made = make_cert(leaf_spec), *a, *b, *c;
	uint8_t der[4096];
	size_t len = cert_der(made).len;

	assert_true(len <= sizeof(der));
	memcpy(der, cert_der(made).ptr, len);
	assert_int_equal(memo_cert(m, span_of(der, len), &a), ERR_OK);
	assert_int_equal(memo_cert(m, span_of(der, len), &b), ERR_OK);
	assert_ptr_equal(a, b);
	assert_int_equal(memo_cert(NULL, span_of(der, len), &c), ERR_OK);
	assert_ptr_not_equal(a, c);
	assert_string_equal(cert_subject(c), cert_subject(a));
	cert_free(c);
	cert_free(a);
	/* It lives on in the memo, and in who has it when the memo is gone. */
	assert_int_equal(memo_cert(m, span_of(der, len), &c), ERR_OK);
	assert_ptr_equal(b, c);
	cert_free(c);
	memo_free(m);
	assert_string_equal(cert_subject(b), cert_subject(made));
	cert_free(b);
	cert_free(made);
}

static void a_broken_certificate_is_broken_every_time(void **state)
{
	struct memo *m = new_memo();
	struct cert *made = make_cert(leaf_spec), *c = NULL;
	struct memo_figures f;
	uint8_t der[4096];
	size_t len = cert_der(made).len;

	memcpy(der, cert_der(made).ptr, len);
	assert_int_equal(memo_cert(m, span_of(der, len), &c), ERR_OK);
	cert_free(c);
	c = NULL;
	for (int again = 0; again < 2; again++) {
		assert_int_equal(memo_cert(m, span_of(der, len - 1), &c), ERR_CERT_UNREADABLE);
		assert_int_equal(memo_cert(m, span_of(NULL, 0), &c), ERR_CERT_UNREADABLE);
	}
	assert_null(c);
	memo_figures(m, &f);
	assert_int_equal(f.certs, 1);
	memo_free(m);
	cert_free(made);
}

/* ---- under a trust list --------------------------------------------------------------------- */

struct world {
	struct cert *c[3];
	struct cert_store *s;
};

static struct world open_world(struct memo *m, struct spec leaf, struct crl_spec crl2)
{
	struct world w = {{make_cert(root_spec), make_cert(middle_spec), make_cert(leaf)}, NULL};

	assert_int_equal(cert_store_new(&w.s), ERR_OK);
	assert_int_equal(cert_store_add_anchor(w.s, w.c[0]), ERR_OK);
	assert_int_equal(cert_store_add_intermediate(w.s, w.c[1]), ERR_OK);
	assert_int_equal(cert_store_add_crl(w.s, make_crl(root_crl)), ERR_OK);
	assert_int_equal(cert_store_add_crl(w.s, make_crl(crl2)), ERR_OK);
	cert_store_use(w.s, (struct sm2_means){.memo = m});
	return w;
}

static void close_world(struct world *w)
{
	cert_store_free(w->s);
	for (size_t i = 0; i < 3; i++)
		cert_free(w->c[i]);
}

static struct chain_result ask(struct world *w, int64_t at)
{
	struct chain_result r = {0};

	assert_int_equal(chain_check(w->s, w->c[2], NULL, 0, at, at, &r), ERR_OK);
	return r;
}

/* The links are known and every question of time and revocation is asked all the same. */
static void what_may_change_is_judged_anew(void **state)
{
	struct memo *m = new_memo();
	struct world w = open_world(m, leaf_spec, middle_crl), revoked;
	struct crl_spec bad = middle_crl;
	struct memo_figures f;

	assert_int_equal(ask(&w, day(1)).status, CHAIN_OK);
	EXPECT(ask(&w, day(1)), CHAIN_OK, 0);
	memo_figures(m, &f);
	assert_int_equal(f.hits[MEMO_CHAIN], 2);
	assert_int_equal(f.misses[MEMO_CHAIN], 2);
	EXPECT(ask(&w, day(101)), CHAIN_EXPIRED, 0);
	EXPECT(ask(&w, day(-11)), CHAIN_NOT_YET, 0);
	assert_int_equal(ask(&w, day(31)).revocation, REVOCATION_STALE);
	bad.revoked = 30;
	revoked = open_world(m, leaf_spec, bad);
	assert_int_equal(ask(&revoked, day(1)).revocation, REVOCATION_REVOKED);
	close_world(&revoked);
	close_world(&w);
	memo_free(m);
}

/* A bad link beside the good one: of the same names, under a key that is not the issuer's. */
static void a_bad_value_is_never_learnt(void **state)
{
	struct memo *m = new_memo();
	struct spec forged = leaf_spec;
	struct world w = open_world(m, leaf_spec, middle_crl), bad;

	forged.signer = OTHER;
	bad = open_world(m, forged, middle_crl);
	EXPECT(ask(&w, day(1)), CHAIN_OK, 0);
	for (int again = 0; again < 3; again++)
		EXPECT(ask(&bad, day(1)), CHAIN_BAD_SIGNATURE, 0);
	close_world(&bad);
	close_world(&w);
	memo_free(m);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void *hammer(void *arg)
{
	struct memo *m = arg;

	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t n = i % 3000;
		struct memo_question q = question(MEMO_LICENCE);

		q.msg = span_of(&n, sizeof(n));
		if (!memo_knows(m, &q))
			memo_learn(m, &q);
		if (i % 5000 == 0)
			memo_next_epoch(m);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct memo *m = new_memo();
	struct memo_figures f;
	pthread_t t[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, m), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	memo_figures(m, &f);
	assert_int_equal(f.hits[MEMO_LICENCE] + f.misses[MEMO_LICENCE], 80000);
	assert_true(f.hits[MEMO_LICENCE] > 0);
	memo_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_only_after_it_was_learnt),
	    cmocka_unit_test(a_question_that_differs_is_another),
	    cmocka_unit_test(documents_and_nobody_remember_nothing),
	    cmocka_unit_test(a_new_epoch_knows_nothing),
	    cmocka_unit_test(it_stays_within_its_limit),
	    cmocka_unit_test(too_small_a_limit_is_refused),
	    cmocka_unit_test(a_certificate_is_parsed_once),
	    cmocka_unit_test(a_broken_certificate_is_broken_every_time),
	    cmocka_unit_test(what_may_change_is_judged_anew),
	    cmocka_unit_test(a_bad_value_is_never_learnt),
	    cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
