/* SM2's points, tables and sums against OpenSSL's curve code, exceptional cases first, each path forced. */
#include "sm2_oracle.h"

#include <stdlib.h>

/* The same point with another denominator. */
static struct sm2_jacobian scaled(const struct sm2_affine *a, uint64_t seed)
{
	struct sm2_fe z = {{seed, seed * 3 + 1, 5, 7}}, t;
	struct sm2_jacobian j;

	sm2_fe_sqr(&t, &z);
	sm2_fe_mul(&j.x, &a->x, &t);
	sm2_fe_mul(&t, &t, &z);
	sm2_fe_mul(&j.y, &a->y, &t);
	j.z = z;
	return j;
}

static struct sm2_jacobian jacobian_of(const EC_POINT *p, uint64_t seed)
{
	struct sm2_jacobian j;
	struct sm2_affine a;

	if (EC_POINT_is_at_infinity(group, p)) {
		sm2_point_set_infinity(&j);
		return j;
	}
	a = affine_of(p);
	return scaled(&a, seed);
}

static void check_sum(const EC_POINT *p, const EC_POINT *q)
{
	EC_POINT *want = EC_POINT_new(group);
	struct sm2_jacobian a = jacobian_of(p, 11), b = jacobian_of(q, 23), c;
	struct sm2_affine single;

	EC_POINT_add(group, want, p, q, ctx);
	sm2_point_add(&c, &a, &b);
	assert_point(&c, want);
	c = a;
	sm2_point_add(&c, &c, &b);
	assert_point(&c, want);
	c = b;
	sm2_point_add(&c, &a, &c);
	assert_point(&c, want);
	if (!EC_POINT_is_at_infinity(group, q)) {
		single = affine_of(q);
		sm2_point_add_affine(&c, &a, &single);
		assert_point(&c, want);
		sm2_point_add_affine_secret(&c, &a, &single);
		assert_point(&c, want);
		c = a;
		sm2_point_add_affine_secret(&c, &c, &single);
		assert_point(&c, want);
	}
	EC_POINT_dbl(group, want, p, ctx);
	sm2_point_double(&c, &a);
	assert_point(&c, want);
	sm2_point_double(&a, &a);
	assert_point(&a, want);
	EC_POINT_free(want);
}

/* Multiples of G whose sums are ordinary, doublings, opposite, or involve infinity: every pair of them. */
static void sums_body(void)
{
	enum { SOME = 10 };
	EC_POINT *p[2 * SOME + 3];
	BIGNUM *k = BN_new();
	int n = 0;

	for (unsigned i = 0; i <= SOME; i++) {
		BN_set_word(k, i);
		p[n++] = multiple(k); /* infinity for 0 */
		if (i > 0) {
			BN_sub(k, order, k);
			p[n++] = multiple(k);
		}
	}
	BN_rshift1(k, order); /* (n - 1)/2 */
	p[n++] = multiple(k);
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < n; j++)
			check_sum(p[i], p[j]);
	}
	for (int i = 0; i < n; i++)
		EC_POINT_free(p[i]);
	BN_free(k);
}

static void sums_of_all_kinds_of_points(void **state)
{
	on_each_path(sums_body);
}

static void random_sums_body(void)
{
	uint64_t v[4];

	for (int i = 0; i < 60; i++) {
		random_number(v, order);
		BIGNUM *k = number_of(v);
		EC_POINT *p = multiple(k);
		random_number(v, order);
		BN_free(k);
		k = number_of(v);
		EC_POINT *q = multiple(k);
		check_sum(p, q);
		EC_POINT_free(p);
		EC_POINT_free(q);
		BN_free(k);
	}
}

static void sums_of_random_points(void **state)
{
	on_each_path(random_sums_body);
}

static void infinity_may_have_any_coordinates(void **state)
{
	struct sm2_jacobian a = {{{1, 2, 3, 4}}, {{5, 6, 7, 8}}, {{0, 0, 0, 0}}}, b, c;
	struct sm2_affine x;

	sm2_point_from_affine(&b, &sm2_g);
	sm2_point_add(&c, &a, &b);
	assert_memory_equal(&c, &b, sizeof(b));
	sm2_point_add(&c, &b, &a);
	assert_memory_equal(&c, &b, sizeof(b));
	sm2_point_add_affine_secret(&c, &a, &sm2_g);
	assert_memory_equal(&c, &b, sizeof(b));
	sm2_point_double(&c, &a);
	assert_true(sm2_point_is_infinity(&c));
	assert_false(sm2_point_to_affine_secret(&x, &a));
	assert_true(sm2_fe_zero_mask(&x.x) != 0 && sm2_fe_zero_mask(&x.y) != 0);
}

static void only_points_of_the_curve_are_taken(void **state)
{
	uint8_t x[32], y[32], high[32];
	struct sm2_affine a, was = sm2_g;

	sm2_point_to_bytes(x, y, &sm2_g);
	assert_true(sm2_point_from_bytes(&a, x, y));
	assert_memory_equal(&a, &sm2_g, sizeof(a));
	assert_false(sm2_point_from_bytes(&was, y, x));
	assert_memory_equal(&was, &sm2_g, sizeof(was));
	for (int i = 0; i < 256; i++) {
		y[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(sm2_point_from_bytes(&a, x, y));
		y[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	/* p is not 0 */
	BN_bn2binpad(prime, high, 32);
	assert_false(sm2_point_from_bytes(&a, high, y));
	assert_false(sm2_point_from_bytes(&a, x, high));
	memset(high, 0, 32);
	assert_false(sm2_point_from_bytes(&a, high, high));
	sm2_point_neg(&a, &sm2_g);
	assert_true(sm2_point_on_curve(&a));
}

/* ---- tables ------------------------------------------------------------------------------------------------- */

static struct sm2_table *new_table(void)
{
	struct sm2_table *t = aligned_alloc(SM2_TABLE_ALIGN, sizeof(*t));

	assert_non_null(t);
	memset(t, 0xa5, sizeof(*t));
	return t;
}

/* Every entry, the oracle adding and doubling its way along. */
static void check_table(const struct sm2_table *t, const EC_POINT *p)
{
	EC_POINT *base = EC_POINT_dup(p, group), *two = EC_POINT_new(group), *odd = EC_POINT_new(group);
	struct sm2_affine want;

	for (int i = 0; i < SM2_WINDOWS; i++) {
		EC_POINT_dbl(group, two, base, ctx);
		EC_POINT_copy(odd, base);
		for (int j = 0; j < SM2_ENTRIES; j++) {
			want = affine_of(odd);
			assert_memory_equal(&t->at[i][j], &want, sizeof(want));
			EC_POINT_add(group, odd, odd, two, ctx);
		}
		for (int j = 0; j < 8; j++)
			EC_POINT_dbl(group, base, base, ctx);
	}
	EC_POINT_free(base);
	EC_POINT_free(two);
	EC_POINT_free(odd);
}

static void table_body(void)
{
	struct sm2_table *t = new_table();
	uint64_t v[4];

	random_number(v, order);
	BIGNUM *k = number_of(v);
	EC_POINT *p = multiple(k);
	struct sm2_affine a = affine_of(p);

	sm2_table_build(t, &a);
	check_table(t, p);
	sm2_table_build(t, &sm2_g);
	assert_memory_equal(t, sm2_table_base(), sizeof(*t));
	EC_POINT_free(p);
	BN_free(k);
	free(t);
}

static void tables_hold_the_odd_multiples(void **state)
{
	check_table(sm2_table_base(), EC_GROUP_get0_generator(group));
	on_each_path(table_body);
}

/* ---- sums --------------------------------------------------------------------------------------------------- */

static void check_base(const BIGNUM *k)
{
	struct sm2_scalar s = scalar_of(k);
	struct sm2_jacobian j;
	EC_POINT *want = multiple(k);

	sm2_core_base_secret(&j, &s);
	assert_point(&j, want);
	EC_POINT_free(want);
}

/* The digits of n, those of some windows with the other sign: two parts that are equal or opposite mod n, which lanes
 * meet when they are merged. Bit `step` of a window's number tells the parts. */
static void check_parts(unsigned step)
{
	struct sm2_scalar zero = {{0, 0, 0, 0}};
	struct sm2_digits d;
	BIGNUM *k = BN_new();

	sm2_scalar_recode(&d, &zero); /* of -n */
	for (unsigned i = SM2_WINDOWS; i-- > 0;) {
		BN_ULONG size = 2 * (BN_ULONG)(d.at[i] & 127) + 1;

		BN_lshift(k, k, 8);
		if ((d.at[i] >> 7 != 0) == ((i & step) != 0))
			BN_add_word(k, size);
		else
			BN_sub_word(k, size);
	}
	BN_nnmod(k, k, order, ctx);
	check_base(k);
	BN_sub(k, order, k);
	check_base(k);
	BN_free(k);
}

/* 510·2^248 - n is the only odd multiple whose last addition doubles; n minus it the even one. */
static void base_body(void)
{
	BIGNUM *k = BN_new();
	uint64_t edges[EDGES][4], v[4];
	int n = edge_numbers(edges, order);

	for (int i = 0; i < n; i++) {
		BIGNUM *edge = number_of(edges[i]);
		check_base(edge);
		BN_free(edge);
	}
	BN_set_word(k, 510);
	BN_lshift(k, k, 248);
	BN_sub(k, k, order);
	check_base(k);
	BN_sub(k, order, k);
	check_base(k);
	for (unsigned step = 1; step < SM2_WINDOWS; step <<= 1)
		check_parts(step);
	for (int i = 0; i < 200; i++) {
		random_number(v, order);
		BN_free(k);
		k = number_of(v);
		check_base(k);
	}
	BN_free(k);
}

static void secret_multiples_of_the_base_point(void **state)
{
	on_each_path(base_body);
}

static void sum_body(void)
{
	uint64_t edges[EDGES][4], v[4];
	int n = edge_numbers(edges, order);
	EC_POINT *want = EC_POINT_new(group), *g2 = EC_POINT_new(group);

	EC_POINT_dbl(group, g2, EC_GROUP_get0_generator(group), ctx);
	for (int i = 0; i < 60; i++) {
		random_number(v, order);
		BIGNUM *s = number_of(i % 3 == 0 ? v : edges[i % n]), *t = number_of(i % 3 == 1 ? v : edges[(7 * i) % n]);
		struct sm2_scalar ss = scalar_of(s), st = scalar_of(t);
		struct sm2_affine p = affine_of(g2);
		struct sm2_jacobian j;

		EC_POINT_mul(group, want, s, g2, t, ctx);
		sm2_core_sum(&j, &ss, &st, &p);
		assert_point(&j, want);
		BN_free(s);
		BN_free(t);
	}
	EC_POINT_free(want);
	EC_POINT_free(g2);
}

static void sums_of_two_multiples(void **state)
{
	on_each_path(sum_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_of_all_kinds_of_points),
	    cmocka_unit_test(sums_of_random_points),
	    cmocka_unit_test(infinity_may_have_any_coordinates),
	    cmocka_unit_test(only_points_of_the_curve_are_taken),
	    cmocka_unit_test(tables_hold_the_odd_multiples),
	    cmocka_unit_test(secret_multiples_of_the_base_point),
	    cmocka_unit_test(sums_of_two_multiples),
	};

	return cmocka_run_group_tests(tests, oracle_start, oracle_stop);
}
