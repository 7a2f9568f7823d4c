/* SM2 signatures in batches: the same verdicts as one by one, on every path, for every number and place of bad ones,
 * and for jobs whose points meet. Random cases beside OpenSSL's are in tests/diff. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/cpu.h"
#include "crypto/sm2_batch.h"
#include "crypto/sm2_cache.h"
#include "crypto/sm2_core.h"
#include "crypto/sm2_inverse.h"
#include "crypto/sm2_key.h"
#include "crypto/sm2_sign.h"
#include "crypto/sm2_tree.h"

enum { KEYS = 5, WITH_TABLE = 3, JOBS = 3 * SM2_BATCH_BLOCK + 7, MSG = 40 };

/* A signed message, or a digest. */
struct signed_one {
	size_t key;
	uint8_t msg[MSG], der[SM2_SIG_MAX + 2], e[SM2_DIGEST];
	size_t len;
};

static struct sm2_key *keys[KEYS];
static struct signed_one ones[JOBS];

static const struct {
	const char *name;
	unsigned limit, needs;
} paths[] = {{"portable", CPU_PORTABLE, 0}, {"ADX", CPU_ADX, CPU_ADX}, {"IFMA", CPU_ALL, CPU_IFMA}};

/* ---- material -------------------------------------------------------------------------------- */

static uint64_t any(void)
{
	static uint64_t x = 88172645463325252U;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x * 0x2545f4914f6cdd1dU;
}

static void any_bytes(uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(any() >> 32);
}

/* Below n for certain. */
static void any_number(uint8_t out[32])
{
	any_bytes(out, 32);
	out[0] = 0x7f;
}

static void sign_one(struct signed_one *o, size_t key, const struct sm2_secret *s)
{
	struct sm2_value v;
	uint8_t k[32];

	o->key = key;
	any_bytes(o->msg, MSG);
	any_number(k);
	assert_int_equal(sm2_digest(keys[key], sm2_default_id(), span_of(o->msg, MSG), o->e), ERR_OK);
	assert_true(sm2_sign_with(s, k, o->e, &v));
	o->len = sm2_value_write(&v, o->der);
}

static int setup(void **state)
{
	struct sm2_secret *secret[KEYS];

	for (size_t i = 0; i < KEYS; i++) {
		uint8_t d[32], point[SM2_POINT];

		any_number(d);
		assert_int_equal(sm2_secret_new(d, &secret[i], point), ERR_OK);
		assert_int_equal(sm2_key_new(span_of(point, sizeof(point)), &keys[i]), ERR_OK);
		if (i < WITH_TABLE)
			assert_int_equal(sm2_key_prepare(keys[i]), ERR_OK);
	}
	for (size_t i = 0; i < JOBS; i++)
		sign_one(&ones[i], i % WITH_TABLE, secret[i % WITH_TABLE]);
	for (size_t i = 9; i < JOBS; i += 31)
		sign_one(&ones[i], WITH_TABLE + i % 2, secret[WITH_TABLE + i % 2]);
	for (size_t i = 0; i < KEYS; i++)
		sm2_secret_free(secret[i]);
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < KEYS; i++)
		sm2_key_free(keys[i]);
	return 0;
}

static struct sm2_job job_of(const struct signed_one *o)
{
	return (struct sm2_job){.key = keys[o->key],
	                        .id = sm2_default_id(),
	                        .msg = span_of(o->msg, MSG),
	                        .sig = span_of(o->der, o->len),
	                        .verdict = ERR_INTERNAL};
}

static void on_every_path(void (*f)(void))
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		unsigned got = cpu_limit(paths[i].limit);

		if ((got & paths[i].needs) == paths[i].needs)
			f();
		else
			printf("note: no %s here, skipped\n", paths[i].name);
	}
	cpu_limit(CPU_ALL);
}

static const struct sm2_means own = {0};

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

static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6,
                                  0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23};
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

/* ---- points that meet ------------------------------------------------------------------------ */

/* k G, or its opposite. */
static struct sm2_key *key_of(unsigned k, bool opposite)
{
	struct sm2_scalar zero = {{0, 0, 0, 0}}, s = {{k, 0, 0, 0}};
	struct sm2_jacobian sum;
	struct sm2_affine at;
	struct sm2_key *key;
	uint8_t point[SM2_POINT] = {0x04};

	if (opposite)
		sm2_scalar_neg(&s, &s);
	sm2_core_sum(&sum, &s, &zero, &sm2_g);
	assert_true(sm2_point_to_affine_secret(&at, &sum));
	sm2_point_to_bytes(point + 1, point + 33, &at);
	assert_int_equal(sm2_key_new(span_of(point, sizeof(point)), &key), ERR_OK);
	assert_int_equal(sm2_key_prepare(key), ERR_OK);
	return key;
}

/* A digest under which (r, s) is good for this key: e = r - x1. False when the sum is infinity; then any digest. */
static bool fitting_digest(const struct sm2_key *key, const struct sm2_value *v, uint8_t e[SM2_DIGEST])
{
	struct sm2_scalar r, s, t, x;
	struct sm2_jacobian sum;
	struct sm2_affine at;
	uint8_t bytes[32], y[32];

	memset(e, 7, SM2_DIGEST);
	assert_true(sm2_scalar_from_bytes(&r, v->r) && sm2_scalar_from_bytes(&s, v->s));
	sm2_scalar_add(&t, &r, &s);
	sm2_core_sum(&sum, &s, &t, sm2_key_at(key));
	if (!sm2_point_to_affine_secret(&at, &sum))
		return false;
	sm2_point_to_bytes(bytes, y, &at);
	sm2_scalar_reduce(&x, bytes);
	sm2_scalar_sub(&x, &r, &x);
	sm2_scalar_to_bytes(e, &x);
	return true;
}

struct crafted {
	struct sm2_key *key;
	uint8_t e[SM2_DIGEST], der[SM2_SIG_MAX];
	size_t len;
	bool good;
};

/* r = t - s. */
static void craft(struct crafted *c, struct sm2_key *key, const uint8_t s[32], const uint8_t t[32])
{
	struct sm2_scalar rs, rt, rr;
	struct sm2_value v;

	c->key = key;
	memcpy(v.s, s, 32);
	assert_true(sm2_scalar_from_bytes(&rs, s) && sm2_scalar_from_bytes(&rt, t));
	sm2_scalar_sub(&rr, &rt, &rs);
	sm2_scalar_to_bytes(v.r, &rr);
	c->len = sm2_value_write(&v, c->der);
	c->good = fitting_digest(key, &v, c->e) && sm2_scalar_zero_mask(&rr) == 0;
}

/* Where sG and tP are equal or opposite, for P = kG: s = k t mod n. */
static void craft_meeting(struct crafted *c, struct sm2_key *key, unsigned k, bool opposite)
{
	struct sm2_scalar t, s, factor = {{k, 0, 0, 0}};
	uint8_t st[32], tt[32];

	any_number(tt);
	assert_true(sm2_scalar_from_bytes(&t, tt));
	sm2_scalar_mul(&s, &t, &factor);
	if (opposite)
		sm2_scalar_neg(&s, &s);
	sm2_scalar_to_bytes(st, &s);
	craft(c, key, st, tt);
}

/* s whose lower and upper sixteen windows sum to the same point: n - 2 (n mod 2^128). */
static void halves_that_meet(uint8_t out[32])
{
	unsigned borrow = 0;

	memcpy(out, order, 32);
	for (int turn = 0; turn < 2; turn++)
		for (int i = 31; i >= 0; i--) {
			unsigned take = (i >= 16 ? order[i] : 0) + (i == 31 ? 0 : borrow);

			borrow = out[i] < take;
			out[i] = (uint8_t)(out[i] - take);
		}
}

enum { CRAFTED = 14 };
static struct crafted crafted[CRAFTED];
static struct sm2_key *odd_keys[6];

static void make_crafted(void)
{
	static const unsigned factor[6] = {1, 1, 3, 3, 2, 255};
	uint8_t half[32], other[32];
	size_t n = 0;

	for (size_t i = 0; i < 6; i++) {
		bool opposite = i % 2 == 1;

		odd_keys[i] = key_of(factor[i], opposite);
		craft_meeting(&crafted[n++], odd_keys[i], factor[i], opposite);  /* equal */
		craft_meeting(&crafted[n++], odd_keys[i], factor[i], !opposite); /* infinity */
	}
	halves_that_meet(half);
	any_number(other);
	craft(&crafted[n++], keys[0], half, other);
	craft(&crafted[n++], keys[0], other, half);
	assert_int_equal(n, CRAFTED);
}

static void crafted_among_good(void)
{
	struct sm2_job jobs[SM2_BATCH_BLOCK];

	for (size_t step = 1; step < 5; step++) {
		for (size_t i = 0; i < SM2_BATCH_BLOCK; i++) {
			const struct crafted *c = &crafted[i / step % CRAFTED];

			jobs[i] = job_of(&ones[i]);
			if (i % step == 0)
				jobs[i] = (struct sm2_job){.key = c->key, .digest = c->e, .sig = span_of(c->der, c->len)};
		}
		sm2_verify_batch(own, jobs, SM2_BATCH_BLOCK);
		for (size_t i = 0; i < SM2_BATCH_BLOCK; i++) {
			bool good = i % step != 0 || crafted[i / step % CRAFTED].good;

			assert_int_equal(jobs[i].verdict, good ? ERR_OK : ERR_SIGNATURE_BAD);
		}
	}
}

static void meeting_test(void **state)
{
	size_t good = 0;

	make_crafted();
	for (size_t i = 0; i < CRAFTED; i++)
		good += crafted[i].good;
	assert_int_equal(good, CRAFTED - 7); /* six sums are infinity, and with P = G and s = t there is r = 0 */
	on_every_path(crafted_among_good);
	for (size_t i = 0; i < 6; i++)
		sm2_key_free(odd_keys[i]);
}

/* ---- the tree itself ------------------------------------------------------------------------- */

enum { TREE_JOBS = 19 };
static struct sm2_table *false_table;
static struct sm2_sum honest[TREE_JOBS];
static unsigned false_level;

static void any_claim(struct sm2_sum *s)
{
	any_bytes(s->claim.s.at, SM2_WINDOWS);
	any_bytes(s->claim.t.at, SM2_WINDOWS);
	s->key = sm2_key_table(keys[any() % WITH_TABLE]);
}

static void run_tree(struct sm2_sum *sums, size_t n)
{
	const struct sm2_tree *tree = sm2_tree_best();
	void *room = aligned_alloc(SM2_TREE_ALIGN, (tree->room(n) + 63) / 64 * 64);

	assert_non_null(room);
	tree->sum(sums, n, room);
	free(room);
}

/* The job in the middle has a table whose windows repeat, so that two sums of this level are the same point (or, with
 * the sign of one turned, opposite ones); nobody else's sum changes. */
static void false_job(size_t at, bool opposite)
{
	struct sm2_sum sums[TREE_JOBS];
	unsigned width = 1U << false_level;

	memcpy(sums, honest, sizeof(sums));
	sums[at].key = false_table;
	for (unsigned w = 0; w < width; w++)
		sums[at].claim.t.at[width + w] = sums[at].claim.t.at[w] ^ (opposite ? 0x80 : 0);
	run_tree(sums, TREE_JOBS);
	for (size_t i = 0; i < TREE_JOBS; i++) {
		assert_int_equal(sums[i].irregular, i == at);
		if (i != at)
			assert_memory_equal(&sums[i].x, &honest[i].x, sizeof(sums[i].x));
	}
}

static void levels(void)
{
	for (size_t at = 0; at < TREE_JOBS; at++) {
		false_job(at, false);
		false_job(at, true);
	}
}

static void irregular_at_every_level(void **state)
{
	const struct sm2_table *real = sm2_key_table(keys[0]);

	for (size_t i = 0; i < TREE_JOBS; i++)
		any_claim(&honest[i]);
	cpu_limit(CPU_PORTABLE);
	run_tree(honest, TREE_JOBS);
	false_table = aligned_alloc(SM2_TABLE_ALIGN, sizeof(*false_table));
	assert_non_null(false_table);
	for (false_level = 0; false_level < SM2_TREE_LEVELS - 1; false_level++) {
		memcpy(false_table, real, sizeof(*real));
		for (unsigned w = 0; w < 1U << false_level; w++)
			memcpy(false_table->at[(1U << false_level) + w], real->at[w], sizeof(real->at[w]));
		on_every_path(levels);
	}
	free(false_table);
}

/* The windows of one digit make a known multiple: paths agree with the complete sum. */
static void sums_are_right(void)
{
	struct sm2_sum sums[SM2_TREE_JOBS];
	struct sm2_value v;
	uint8_t e[SM2_DIGEST];

	for (size_t i = 0; i < SM2_TREE_JOBS; i++) {
		any_number(v.r);
		any_number(v.s);
		sums[i].key = sm2_key_table(keys[i % WITH_TABLE]);
		assert_true(fitting_digest(keys[i % WITH_TABLE], &v, e));
		assert_true(sm2_core_claim(&sums[i].claim, e, v.r, v.s));
	}
	for (size_t n = 1; n <= SM2_TREE_JOBS; n += n < 10 ? 1 : 18) {
		run_tree(sums, n);
		for (size_t i = 0; i < n; i++) {
			assert_false(sums[i].irregular);
			assert_int_not_equal(sm2_fe_equal_mask(&sums[i].x, &sums[i].claim.x[0]), 0);
		}
	}
}

static void sums_test(void **state)
{
	on_every_path(sums_are_right);
}

/* ---- inversion ------------------------------------------------------------------------------- */

static void check_inverse(const struct sm2_fe *a)
{
	struct sm2_fe inverse, want, alias = *a;

	sm2_fe_inv(&want, a);
	sm2_fe_inv_public(&inverse, a);
	assert_memory_equal(&inverse, &want, sizeof(want));
	sm2_fe_inv_public(&alias, &alias);
	assert_memory_equal(&alias, &want, sizeof(want));
}

static void inverses(void **state)
{
	struct sm2_fe a = {{SM2_P0 - 1, SM2_P1, SM2_P2, SM2_P3}};

	check_inverse(&sm2_fe_zero);
	check_inverse(&a);
	for (unsigned bit = 0; bit < 255; bit++) {
		a = (struct sm2_fe){{0, 0, 0, 0}};
		a.v[bit / 64] = UINT64_C(1) << bit % 64;
		check_inverse(&a);
		sm2_fe_neg(&a, &a);
		check_inverse(&a);
		a = (struct sm2_fe){{bit, 0, 0, 0}};
		check_inverse(&a);
	}
	for (int i = 0; i < 3000; i++) {
		for (int k = 0; k < 4; k++)
			a.v[k] = any();
		a.v[3] >>= 1;
		check_inverse(&a);
	}
}

static void inverses_of_many(void **state)
{
	for (size_t n = 1; n <= SM2_INV_MANY; n++) {
		struct sm2_fe a[SM2_INV_MANY], b[SM2_INV_MANY], product;

		for (size_t i = 0; i < n; i++) {
			a[i] = (struct sm2_fe){{any(), any(), any(), any() >> 1}};
			b[i] = a[i];
		}
		sm2_fe_inv_many_public(b, n);
		for (size_t i = 0; i < n; i++) {
			sm2_fe_mul(&product, &a[i], &b[i]);
			assert_memory_equal(&product, &sm2_fe_one, sizeof(product));
		}
	}
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
	    cmocka_unit_test(meeting_test),
	    cmocka_unit_test(irregular_at_every_level),
	    cmocka_unit_test(sums_test),
	    cmocka_unit_test(inverses),
	    cmocka_unit_test(inverses_of_many),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
