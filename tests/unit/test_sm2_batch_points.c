/* SM2 signatures in batches whose points meet, and the tree that sums them. */
#include "sm2_batch_help.h"

#include "crypto/sm2_core.h"
#include "crypto/sm2_tree.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(meeting_test),
	    cmocka_unit_test(irregular_at_every_level),
	    cmocka_unit_test(sums_test),
	};

	return cmocka_run_group_tests(tests, batch_setup, batch_teardown);
}
