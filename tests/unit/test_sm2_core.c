/* Whole SM2 verifications against OpenSSL's, with the cases that sums and comparisons can stumble over; each path
 * forced. */
#include "sm2_oracle.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

/* A signature value on its way through all verifiers: numbers for the oracle, octets for us. */
struct trial {
	BIGNUM *e, *r, *s;
	EC_POINT *key;
};

static struct sm2_table *table;

static EVP_PKEY *pkey_of(const EC_POINT *p)
{
	uint8_t point[65];
	OSSL_PARAM params[3];
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);

	assert_int_equal(EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, point, 65, ctx), 65);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t) "SM2", 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 65);
	params[2] = OSSL_PARAM_construct_end();
	assert_int_equal(EVP_PKEY_fromdata_init(c), 1);
	assert_int_equal(EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(c);
	return pkey;
}

static bool openssl_says(const struct trial *t)
{
	EVP_PKEY *pkey = pkey_of(t->key);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t e[32], *der = NULL;
	int len, good;

	assert_int_equal(ECDSA_SIG_set0(sig, BN_dup(t->r), BN_dup(t->s)), 1);
	len = i2d_ECDSA_SIG(sig, &der);
	assert_true(len > 0);
	BN_bn2binpad(t->e, e, 32);
	assert_int_equal(EVP_PKEY_verify_init(c), 1);
	good = EVP_PKEY_verify(c, der, (size_t)len, e, 32);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(pkey);
	return good == 1;
}

static bool claim_says(const uint8_t e[32], const uint8_t r[32], const uint8_t s[32])
{
	struct sm2_claim claim;

	return sm2_core_claim(&claim, e, r, s) && sm2_core_verify_claim(table, &claim);
}

/* A good claim of somebody else, whom bad neighbours in the lanes do not disturb. */
static struct sm2_affine neighbour_key;
static struct sm2_claim neighbour;

static bool lanes_say(const struct sm2_affine *key, const uint8_t e[32], const uint8_t r[32], const uint8_t s[32])
{
	static unsigned next;
	unsigned at = next++ % SM2_LANES, own = 1U << at, all = (1U << SM2_LANES) - 1;
	struct sm2_lanes l = {.n = SM2_LANES};

	for (int i = 0; i < SM2_LANES; i++) {
		l.key[i] = &neighbour_key;
		l.claim[i] = neighbour;
	}
	l.key[at] = key;
	if (!sm2_core_claim(&l.claim[at], e, r, s))
		return false;
	sm2_core_verify_lanes(&l);
	if (!sm2_core_has_lanes()) {
		assert_int_equal(l.open, all);
	} else {
		assert_int_equal(l.open & ~own, 0);
		assert_int_equal((l.good | own), all);
	}
	assert_int_equal(l.good & l.open, 0);
	return (l.open & own) != 0 ? sm2_core_verify_unknown(key, e, r, s) : (l.good & own) != 0;
}

/* All our ways on every path say `want`; `table` must be the key's. */
static void check_ours(const struct trial *t, bool want)
{
	static const unsigned PATHS[] = {CPU_PORTABLE, CPU_ADX, CPU_AVX512 | CPU_IFMA, CPU_ALL};
	struct sm2_affine key = affine_of(t->key);
	uint8_t e[32], r[32], s[32];

	BN_bn2binpad(t->e, e, 32);
	BN_bn2binpad(t->r, r, 32);
	BN_bn2binpad(t->s, s, 32);
	for (int i = 0; i < 4; i++) {
		cpu_limit(PATHS[i]);
		assert_int_equal(sm2_core_verify_known(table, e, r, s), want);
		assert_int_equal(sm2_core_verify_unknown(&key, e, r, s), want);
		assert_int_equal(claim_says(e, r, s), want);
		assert_int_equal(lanes_say(&key, e, r, s), want);
	}
	cpu_limit(CPU_ALL);
}

static void check(const struct trial *t, bool want)
{
	assert_int_equal(openssl_says(t), want);
	check_ours(t, want);
}

static void set_key(struct trial *t, const EC_POINT *key)
{
	struct sm2_affine a = affine_of(key);

	EC_POINT_copy(t->key, key);
	sm2_table_build(table, &a);
}

static struct trial trial_new(void)
{
	return (struct trial){BN_new(), BN_new(), BN_new(), EC_POINT_new(group)};
}

static void trial_free(struct trial *t)
{
	BN_free(t->e);
	BN_free(t->r);
	BN_free(t->s);
	EC_POINT_free(t->key);
}

static void random_below_n(BIGNUM *out)
{
	uint64_t v[4];
	BIGNUM *a;

	random_number(v, order);
	a = number_of(v);
	BN_copy(out, a);
	BN_free(a);
}

/* The e that makes (r, s) good for the key when s·G + (r + s)·P has this x. */
static void fit_digest(struct trial *t, const BIGNUM *x)
{
	BN_mod_sub(t->e, t->r, x, order, ctx);
}

/* r = t - s, and the digest to fit the sum that the oracle computes; false when the sum is infinity. */
static bool from_scalars(struct trial *t, const BIGNUM *s, const BIGNUM *tt)
{
	EC_POINT *sum = EC_POINT_new(group);
	BIGNUM *x = BN_new(), *one = BN_dup(tt);
	bool finite;

	BN_copy(t->s, s);
	BN_mod_sub(t->r, tt, s, order, ctx);
	EC_POINT_mul(group, sum, s, t->key, one, ctx);
	finite = EC_POINT_is_at_infinity(group, sum) == 0;
	BN_zero(x);
	if (finite)
		EC_POINT_get_affine_coordinates(group, sum, x, NULL, ctx);
	fit_digest(t, x);
	EC_POINT_free(sum);
	BN_free(x);
	BN_free(one);
	return finite;
}

/* ---- random ------------------------------------------------------------------------------------------------- */

static void random_key(struct trial *t)
{
	BIGNUM *d = BN_new();
	EC_POINT *key;

	random_below_n(d);
	if (BN_is_zero(d))
		BN_set_word(d, 1);
	key = multiple(d);
	set_key(t, key);
	EC_POINT_free(key);
	BN_free(d);
}

/* One bit of one of the numbers. */
static void spoil(struct trial *t)
{
	BIGNUM *which[] = {t->e, t->r, t->s};
	BIGNUM *a = which[next_random() % 3];
	int bit = (int)(next_random() % 256);

	if (BN_is_bit_set(a, bit))
		BN_clear_bit(a, bit);
	else
		BN_set_bit(a, bit);
}

static void random_signatures(void **state)
{
	struct trial t = trial_new();
	BIGNUM *s = BN_new(), *tt = BN_new();

	for (int i = 0; i < 240; i++) {
		if (i % 20 == 0)
			random_key(&t);
		random_below_n(s);
		random_below_n(tt);
		if (BN_is_zero(s) || BN_is_zero(tt) || BN_cmp(s, tt) == 0 || !from_scalars(&t, s, tt))
			continue;
		check(&t, true);
		spoil(&t);
		check_ours(&t, openssl_says(&t));
	}
	BN_free(s);
	BN_free(tt);
	trial_free(&t);
}

/* ---- ranges ------------------------------------------------------------------------------------------------- */

static void values_out_of_range_are_bad(void **state)
{
	struct trial t = trial_new();
	BIGNUM *bad[6];

	for (int i = 0; i < 6; i++)
		bad[i] = BN_new();
	BN_copy(bad[1], order);
	BN_add(bad[2], order, BN_value_one());
	BN_copy(bad[3], prime);
	BN_set_bit(bad[4], 256);
	BN_sub_word(bad[4], 1);
	BN_sub(bad[5], order, BN_value_one()); /* in range, but fits nothing */
	random_key(&t);
	for (int i = 0; i < 6; i++) {
		for (int j = 0; j < 6; j++) {
			BN_copy(t.r, bad[i]);
			BN_copy(t.s, bad[j]);
			random_below_n(t.e);
			check(&t, false);
		}
		random_below_n(t.r);
		check(&t, false);
		BN_copy(t.r, bad[i]);
		random_below_n(t.s);
		check(&t, false);
	}
	for (int i = 0; i < 20; i++) { /* r + s = n */
		random_below_n(t.r);
		BN_sub(t.s, order, t.r);
		check(&t, false);
	}
	for (int i = 0; i < 6; i++)
		BN_free(bad[i]);
	trial_free(&t);
}

/* ---- sums that meet themselves ------------------------------------------------------------------------------ */

/* The sum of the lowest `count` digits, mod n. */
static void partial_sum(BIGNUM *out, const struct sm2_digits *d, int count)
{
	BN_zero(out);
	for (int j = count - 1; j >= 0; j--) {
		BN_ULONG size = 2 * (BN_ULONG)(d->at[j] & 127) + 1;
		BN_lshift(out, out, 8);
		if (d->at[j] >> 7 != 0)
			BN_sub_word(out, size);
		else
			BN_add_word(out, size);
	}
	BN_nnmod(out, out, order, ctx);
}

/* Key d·G. Choose t freely and s so that, after s·G, window i of t·P meets itself or its opposite. */
static void meet_in_known(struct trial *t, const BIGNUM *d, int i, bool opposite)
{
	BIGNUM *s = BN_new(), *tt = BN_new(), *below = BN_new(), *upto = BN_new();
	struct sm2_scalar scalar;
	struct sm2_digits digits;

	random_below_n(tt);
	scalar = scalar_of(tt);
	sm2_scalar_recode(&digits, &scalar);
	partial_sum(below, &digits, i);
	partial_sum(upto, &digits, i + 1);
	if (opposite) { /* s + d·upto = 0 */
		BN_mod_mul(s, upto, d, order, ctx);
		BN_sub(s, order, s);
	} else { /* s + d·below = d·(upto - below) */
		BN_mod_sub(s, upto, below, order, ctx);
		BN_mod_sub(s, s, below, order, ctx);
		BN_mod_mul(s, s, d, order, ctx);
	}
	check(t, (from_scalars(t, s, tt) && !BN_is_zero(t->r)));
	BN_free(s);
	BN_free(tt);
	BN_free(below);
	BN_free(upto);
}

/* The same where s·G's windows follow t·P. */
static void meet_in_unknown(struct trial *t, const BIGNUM *d, int i, bool opposite)
{
	BIGNUM *s = BN_new(), *tt = BN_new(), *below = BN_new(), *upto = BN_new(), *inverse = BN_new();
	struct sm2_scalar scalar;
	struct sm2_digits digits;

	random_below_n(s);
	scalar = scalar_of(s);
	sm2_scalar_recode(&digits, &scalar);
	partial_sum(below, &digits, i);
	partial_sum(upto, &digits, i + 1);
	if (opposite) {
		BN_sub(tt, order, upto);
	} else {
		BN_mod_sub(tt, upto, below, order, ctx);
		BN_mod_sub(tt, tt, below, order, ctx);
	}
	BN_mod_inverse(inverse, d, order, ctx);
	BN_mod_mul(tt, tt, inverse, order, ctx);
	check(t, (from_scalars(t, s, tt) && !BN_is_zero(t->r)));
	BN_free(s);
	BN_free(tt);
	BN_free(below);
	BN_free(upto);
	BN_free(inverse);
}

static void sums_that_meet_equal_and_opposite_points(void **state)
{
	struct trial t = trial_new();
	BIGNUM *d = BN_new();

	for (int key = 0; key < 6; key++) {
		EC_POINT *p;
		BN_set_word(d, key < 2 ? 1 : key < 4 ? 256 : 3);
		if (key % 2 != 0)
			BN_sub(d, order, d);
		p = multiple(d);
		set_key(&t, p);
		EC_POINT_free(p);
		for (int i = 0; i < SM2_WINDOWS; i++) {
			meet_in_known(&t, d, i, false);
			meet_in_known(&t, d, i, true);
			meet_in_unknown(&t, d, i, false);
			meet_in_unknown(&t, d, i, true);
		}
	}
	BN_free(d);
	trial_free(&t);
}

/* Small and large t meet the width-5 NAF's own entries (t = n - 6 doubles in its last addition); the key's small
 * multiples meet the base point's. */
static void small_and_large_multiples(void **state)
{
	struct trial t = trial_new();
	BIGNUM *d = BN_new(), *s = BN_new(), *tt = BN_new();

	for (unsigned key = 1; key < 4; key++) {
		EC_POINT *p;
		BN_set_word(d, key);
		p = multiple(d);
		set_key(&t, p);
		EC_POINT_free(p);
		for (unsigned i = 1; i < 66; i++) {
			BN_set_word(tt, (i + 1) / 2);
			if (i % 2 == 0)
				BN_sub(tt, order, tt);
			BN_set_word(s, 1 + i % 5);
			if (BN_cmp(s, tt) == 0)
				continue;
			check(&t, from_scalars(&t, s, tt));
			random_below_n(s);
			check(&t, from_scalars(&t, s, tt));
		}
	}
	BN_free(d);
	BN_free(s);
	BN_free(tt);
	trial_free(&t);
}

/* s·G + t·P is infinity: bad, whatever e and r say, also where x would have to be 0. */
static void a_sum_at_infinity_is_bad(void **state)
{
	struct trial t = trial_new();
	BIGNUM *d = BN_new(), *s = BN_new(), *tt = BN_new();

	for (int i = 0; i < 20; i++) {
		random_below_n(d);
		random_below_n(tt);
		EC_POINT *p = multiple(d);
		set_key(&t, p);
		EC_POINT_free(p);
		BN_mod_mul(s, tt, d, order, ctx);
		BN_sub(s, order, s);
		assert_false(from_scalars(&t, s, tt));
		check(&t, false); /* r = e */
	}
	BN_free(d);
	BN_free(s);
	BN_free(tt);
	trial_free(&t);
}

/* ---- the comparison ----------------------------------------------------------------------------------------- */

/* The first point at or above x (below p), or NULL. */
static EC_POINT *point_at(BIGNUM *x)
{
	EC_POINT *p = EC_POINT_new(group);

	while (EC_POINT_set_compressed_coordinates(group, p, x, 1, ctx) != 1) {
		BN_add_word(x, 1);
		assert_true(BN_cmp(x, prime) < 0);
	}
	return p;
}

/* A key for which s·G + t·P is the given point: P = (point - s·G)/t. Nobody knows its private half. */
static void key_for_sum(struct trial *t, const EC_POINT *point, const BIGNUM *s, const BIGNUM *tt)
{
	EC_POINT *p = multiple(s);
	BIGNUM *inverse = BN_new();

	BN_mod_inverse(inverse, tt, order, ctx);
	EC_POINT_invert(group, p, ctx);
	EC_POINT_add(group, p, p, point, ctx);
	EC_POINT_mul(group, p, NULL, p, inverse, ctx);
	set_key(t, p);
	EC_POINT_free(p);
	BN_free(inverse);
}

/* x coordinates around 0, n and p: those from n on appear in r as x - n, which small x share. */
static void x_coordinates_beyond_n(void **state)
{
	struct trial t = trial_new();
	BIGNUM *x = BN_new(), *s = BN_new(), *tt = BN_new();

	for (int i = 0; i < 40; i++) {
		BN_set_word(x, (BN_ULONG)(i / 4) * 1000);
		if (i % 4 == 1)
			BN_add(x, order, x);
		if (i % 4 >= 2)
			BN_sub(x, i % 4 == 2 ? prime : order, x);
		if (i % 4 >= 2)
			BN_sub_word(x, 500);
		EC_POINT *point = point_at(x);
		random_below_n(s);
		random_below_n(tt);
		key_for_sum(&t, point, s, tt);
		assert_true(from_scalars(&t, s, tt));
		check(&t, true);
		BN_add_word(t.e, 1);
		check(&t, false);
		EC_POINT_free(point);
	}
	BN_free(x);
	BN_free(s);
	BN_free(tt);
	trial_free(&t);
}

/* A digest counts mod n: a residue below 2^256 - n is also the digest n above it. */
static void digests_above_n(void **state)
{
	struct trial t = trial_new();
	BIGNUM *s = BN_new(), *tt = BN_new(), *x = BN_new();
	EC_POINT *sum = EC_POINT_new(group);

	for (BN_ULONG i = 0; i < 10; i++) {
		random_below_n(s);
		random_below_n(tt);
		random_key(&t);
		EC_POINT_mul(group, sum, s, t.key, tt, ctx);
		EC_POINT_get_affine_coordinates(group, sum, x, NULL, ctx);
		/* r is to be x + i, so t = r + s must follow: another key, for which the sum is the same */
		BN_set_word(t.e, i);
		BN_mod_add(t.r, x, t.e, order, ctx);
		BN_mod_add(tt, t.r, s, order, ctx);
		BN_copy(t.s, s);
		key_for_sum(&t, sum, s, tt);
		check(&t, true);
		BN_add(t.e, t.e, order);
		check(&t, true);
		BN_add_word(t.e, 1);
		check(&t, false);
	}
	BN_free(s);
	BN_free(tt);
	BN_free(x);
	EC_POINT_free(sum);
	trial_free(&t);
}

static void make_neighbour(void)
{
	struct trial t = trial_new();
	BIGNUM *s = BN_new(), *tt = BN_new();
	uint8_t e[32], r[32], value[32];

	random_key(&t);
	BN_set_word(s, 12345);
	BN_set_word(tt, 678901);
	assert_true(from_scalars(&t, s, tt));
	neighbour_key = affine_of(t.key);
	BN_bn2binpad(t.e, e, 32);
	BN_bn2binpad(t.r, r, 32);
	BN_bn2binpad(t.s, value, 32);
	assert_true(sm2_core_claim(&neighbour, e, r, value));
	BN_free(s);
	BN_free(tt);
	trial_free(&t);
}

static int start(void **state)
{
	table = aligned_alloc(SM2_TABLE_ALIGN, sizeof(*table));
	if (table == NULL || oracle_start(state) != 0)
		return -1;
	make_neighbour();
	return 0;
}

static int stop(void **state)
{
	free(table);
	return oracle_stop(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_signatures),
	    cmocka_unit_test(values_out_of_range_are_bad),
	    cmocka_unit_test(sums_that_meet_equal_and_opposite_points),
	    cmocka_unit_test(small_and_large_multiples),
	    cmocka_unit_test(a_sum_at_infinity_is_bad),
	    cmocka_unit_test(x_coordinates_beyond_n),
	    cmocka_unit_test(digests_above_n),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
