/* SM2 signatures in batches: the same verdicts as one by one, on every path, for every number, kind and place of bad
 * ones. Random cases beside OpenSSL's are in tests/diff. */
#include "sm2_batch_help.h"

#include "crypto/sm2_cache.h"

/* ---- numbers and places ---------------------------------------------------------------------- */

static void batches_of_all_sizes(void)
{
	static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 71, 72, 127, 128, 129, JOBS};
	struct sm2_job jobs[JOBS];

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t i = 0; i < JOBS; i++)
			jobs[i] = job_of(&ones[i]);
		sm2_verify_batch(own, jobs, sizes[s]);
		for (size_t i = 0; i < JOBS; i++)
			assert_int_equal(jobs[i].verdict, i < sizes[s] ? ERR_OK : ERR_INTERNAL);
	}
}

static void sizes_test(void **state)
{
	on_every_path(batches_of_all_sizes);
}

static void one_bad(size_t n, size_t at)
{
	struct sm2_job jobs[SM2_BATCH_BLOCK + 1];
	struct signed_one bad = ones[at];

	for (size_t i = 0; i < n; i++)
		jobs[i] = job_of(&ones[i]);
	bad.msg[at % MSG] ^= 0x10;
	jobs[at].msg = span_of(bad.msg, MSG);
	sm2_verify_batch(own, jobs, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(jobs[i].verdict, i == at ? ERR_SIGNATURE_BAD : ERR_OK);
}

static void one_bad_everywhere(void)
{
	for (size_t at = 0; at < SM2_BATCH_BLOCK + 1; at++)
		one_bad(SM2_BATCH_BLOCK + 1, at);
	for (size_t at = 0; at < 11; at++)
		one_bad(11, at);
}

static void places_test(void **state)
{
	on_every_path(one_bad_everywhere);
}

static void all_but_one_bad(void)
{
	struct sm2_job jobs[SM2_BATCH_BLOCK];

	for (size_t i = 0; i < SM2_BATCH_BLOCK; i++) {
		jobs[i] = job_of(&ones[i]);
		if (i != 20)
			jobs[i].msg = span_of(ones[i + 1].msg, MSG);
	}
	sm2_verify_batch(own, jobs, SM2_BATCH_BLOCK);
	for (size_t i = 0; i < SM2_BATCH_BLOCK; i++)
		assert_int_equal(jobs[i].verdict, i == 20 ? ERR_OK : ERR_SIGNATURE_BAD);
}

static void mostly_bad_test(void **state)
{
	on_every_path(all_but_one_bad);
}

/* ---- every kind of bad one ------------------------------------------------------------------- */

enum { KINDS = 14 };

/* n - a */
static void minus_mod_n(uint8_t out[32], const uint8_t a[32])
{
	int borrow = 0;

	for (int i = 31; i >= 0; i--) {
		int v = order[i] - a[i] - borrow;

		borrow = v < 0;
		out[i] = (uint8_t)v;
	}
}

static void spoil_numbers(struct signed_one *o, unsigned kind)
{
	struct sm2_value v;

	assert_int_equal(sm2_value_read(span_of(o->der, o->len), &v), ERR_OK);
	switch (kind) {
	case 0:
		memcpy(v.r, order, 32);
		break;
	case 1:
		memcpy(v.s, order, 32);
		break;
	case 2:
		memset(v.r, 0xff, 32);
		break;
	case 3:
		minus_mod_n(v.s, v.r); /* r + s = n */
		break;
	case 4:
		v.r[31] ^= 1;
		break;
	case 5:
		v.s[0] ^= 1;
		break;
	default:
		minus_mod_n(v.s, v.s);
		break;
	}
	o->len = sm2_value_write(&v, o->der);
}

static void spoil(struct signed_one *o, struct sm2_job *job, unsigned kind)
{
	switch (kind) {
	case 7:
		o->der[o->len++] = 0;
		break;
	case 8:
		o->len--;
		break;
	case 9:
		o->len = 0;
		break;
	case 10:
		o->der[2] = 0x03;
		break;
	case 11:
		job->key = keys[(o->key + 1) % KEYS];
		break;
	case 12:
		job->id = span_str("another identity");
		break;
	case 13:
		job->id = span_of(NULL, 0);
		break;
	default:
		spoil_numbers(o, kind);
		break;
	}
}

static void bad_ones(void)
{
	struct sm2_job jobs[SM2_BATCH_BLOCK];
	struct signed_one bad[SM2_BATCH_BLOCK];

	for (unsigned shift = 0; shift < 3; shift++) {
		for (size_t i = 0; i < SM2_BATCH_BLOCK; i++) {
			bad[i] = ones[i];
			jobs[i] = job_of(&bad[i]);
			if (i % 3 == shift)
				spoil(&bad[i], &jobs[i], (unsigned)(i / 3 % KINDS));
			jobs[i].sig = span_of(bad[i].der, bad[i].len);
		}
		sm2_verify_batch(own, jobs, SM2_BATCH_BLOCK);
		for (size_t i = 0; i < SM2_BATCH_BLOCK; i++) {
			assert_int_equal(jobs[i].verdict, i % 3 == shift ? ERR_SIGNATURE_BAD : ERR_OK);
			assert_int_equal(jobs[i].verdict, sm2_verify(jobs[i].key, jobs[i].id, jobs[i].msg, jobs[i].sig));
		}
	}
}

static void kinds_test(void **state)
{
	on_every_path(bad_ones);
}

static void identities_are_bounded(void **state)
{
	static const uint8_t id[SM2_ID_MAX + 1];
	struct sm2_job jobs[3] = {job_of(&ones[0]), job_of(&ones[1]), job_of(&ones[2])};

	jobs[1].id = span_of(id, sizeof(id));
	jobs[2].id = span_of(id, SM2_ID_MAX);
	sm2_verify_batch(own, jobs, 3);
	assert_int_equal(jobs[0].verdict, ERR_OK);
	assert_int_equal(jobs[1].verdict, ERR_FIELD_TOO_LONG);
	assert_int_equal(jobs[2].verdict, ERR_SIGNATURE_BAD);
}

/* ---- digests, back ends, caches -------------------------------------------------------------- */

static void digests_stand_for_messages(void **state)
{
	struct sm2_job jobs[20], single;

	for (size_t i = 0; i < 20; i++) {
		jobs[i] = job_of(&ones[i]);
		jobs[i].digest = ones[i % 5 == 1 ? i + 1 : i].e;
		jobs[i].msg = jobs[i].id = span_of(NULL, 0);
	}
	single = jobs[0];
	sm2_verify_batch(own, jobs, 20);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(jobs[i].verdict, i % 5 == 1 ? ERR_SIGNATURE_BAD : ERR_OK);
	sm2_verify_batch(own, &single, 1);
	assert_int_equal(single.verdict, ERR_OK);
	single.digest = ones[1].e;
	sm2_verify_batch(own, &single, 1);
	assert_int_equal(single.verdict, ERR_SIGNATURE_BAD);
	single.sig = span_of("0", 1);
	sm2_verify_batch(own, &single, 1);
	assert_int_equal(single.verdict, ERR_SIGNATURE_BAD);
}

static void openssl_gives_the_same(void **state)
{
	struct sm2_job jobs[12];

	for (size_t i = 0; i < 12; i++) {
		jobs[i] = job_of(&ones[i]);
		if (i % 4 == 3)
			jobs[i].msg = span_of(ones[i + 1].msg, MSG);
	}
	for (size_t i = 0; i < 4; i++)
		jobs[i].digest = ones[i == 3 ? 4 : i].e;
	sm2_verify_batch((struct sm2_means){.backend = SM2_OPENSSL}, jobs, 12);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(jobs[i].verdict, i % 4 == 3 ? ERR_SIGNATURE_BAD : ERR_OK);
	jobs[0].sig = span_of("0", 1);
	sm2_verify_batch((struct sm2_means){.backend = SM2_OPENSSL}, jobs, 1);
	assert_int_equal(jobs[0].verdict, ERR_SIGNATURE_BAD);
}

static void tables_of_the_cache_are_used_and_given_back(void **state)
{
	struct sm2_cache *cache;
	struct sm2_cache_figures figures;
	struct signed_one mine[SM2_BATCH_BLOCK];
	struct sm2_job jobs[SM2_BATCH_BLOCK];
	struct sm2_secret *secret;
	struct rand r = rand_system();
	struct sm2_key *key;
	uint8_t d[32], point[SM2_POINT];

	any_number(d);
	assert_int_equal(sm2_secret_new(d, &secret, point), ERR_OK);
	assert_int_equal(sm2_key_new(span_of(point, sizeof(point)), &key), ERR_OK);
	assert_int_equal(sm2_cache_new(4 << 20, &r, &cache), ERR_OK);
	for (size_t i = 0; i < SM2_BATCH_BLOCK; i++) {
		struct sm2_key *swap = keys[0];

		keys[0] = key;
		sign_one(&mine[i], 0, secret);
		jobs[i] = job_of(&mine[i]);
		keys[0] = swap;
	}
	jobs[30].msg = jobs[31].msg;
	for (int turn = 0; turn < 3; turn++) {
		sm2_verify_batch((struct sm2_means){.tables = cache}, jobs, SM2_BATCH_BLOCK);
		for (size_t i = 0; i < SM2_BATCH_BLOCK; i++)
			assert_int_equal(jobs[i].verdict, i == 30 ? ERR_SIGNATURE_BAD : ERR_OK);
	}
	sm2_cache_figures(cache, &figures);
	assert_int_equal(figures.built, 1);
	assert_true(figures.hits > SM2_BATCH_BLOCK);
	sm2_cache_free(cache);
	sm2_key_free(key);
	sm2_secret_free(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes_test),
	    cmocka_unit_test(places_test),
	    cmocka_unit_test(mostly_bad_test),
	    cmocka_unit_test(kinds_test),
	    cmocka_unit_test(identities_are_bounded),
	    cmocka_unit_test(digests_stand_for_messages),
	    cmocka_unit_test(openssl_gives_the_same),
	    cmocka_unit_test(tables_of_the_cache_are_used_and_given_back),
	};

	return cmocka_run_group_tests(tests, batch_setup, batch_teardown);
}
