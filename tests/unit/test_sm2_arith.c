/* SM2's field and scalars against OpenSSL's big numbers, limb by limb, each path forced. */
#include "sm2_oracle.h"

#include "crypto/sm2_inverse.h"

/* The plain C of other processors; the library has this one's. */
#define SM2_FE_COLUMNS
#include "crypto/sm2_field_portable.h"

enum { RANDOM_ROUNDS = 3000 };

/* What the oracle says of two numbers: Montgomery's 2^256 stands in `r`, its inverse in `back`. */
struct truth {
	const BIGNUM *m;
	BIGNUM *r, *back, *t;
};

static struct truth truth_of(const BIGNUM *modulus)
{
	struct truth o = {modulus, BN_new(), BN_new(), BN_new()};

	BN_set_bit(o.r, 256);
	BN_nnmod(o.r, o.r, modulus, ctx);
	BN_mod_inverse(o.back, o.r, modulus, ctx);
	return o;
}

static void truth_free(struct truth *o)
{
	BN_free(o->r);
	BN_free(o->back);
	BN_free(o->t);
}

/* ---- field -------------------------------------------------------------------------------------------------- */

/* What other processors compute is what this one does. */
static void check_columns(const struct sm2_fe *a, const struct sm2_fe *b)
{
	struct sm2_fe c, other;

	sm2_fe_add(&c, a, b);
	sm2_portable_add(&other, a, b);
	assert_memory_equal(&c, &other, sizeof(c));
	sm2_fe_sub(&c, a, b);
	sm2_portable_sub(&other, a, b);
	assert_memory_equal(&c, &other, sizeof(c));
	sm2_fe_mul(&c, a, b);
	sm2_portable_mul(&other, a, b);
	assert_memory_equal(&c, &other, sizeof(c));
	sm2_fe_sqr(&c, a);
	sm2_portable_sqr(&other, a);
	assert_memory_equal(&c, &other, sizeof(c));
}

static void check_field_pair(struct truth *o, const uint64_t va[4], const uint64_t vb[4])
{
	struct sm2_fe a, b, c;
	BIGNUM *x = number_of(va), *y = number_of(vb);

	memcpy(a.v, va, 32);
	memcpy(b.v, vb, 32);
	sm2_fe_add(&c, &a, &b);
	BN_mod_add(o->t, x, y, o->m, ctx);
	assert_limbs(c.v, o->t);
	sm2_fe_sub(&c, &a, &b);
	BN_mod_sub(o->t, x, y, o->m, ctx);
	assert_limbs(c.v, o->t);
	BN_mod_mul(o->t, x, y, o->m, ctx);
	BN_mod_mul(o->t, o->t, o->back, o->m, ctx);
	sm2_fe_mul(&c, &a, &b);
	assert_limbs(c.v, o->t);
	c = a;
	sm2_fe_mul(&c, &c, &b);
	assert_limbs(c.v, o->t);
	c = b;
	sm2_fe_mul(&c, &a, &c);
	assert_limbs(c.v, o->t);
	assert_true(sm2_fe_equal_mask(&a, &b) == (BN_cmp(x, y) == 0 ? ~UINT64_C(0) : 0));
	check_columns(&a, &b);
	BN_free(x);
	BN_free(y);
}

static void check_field_one(struct truth *o, const uint64_t va[4])
{
	struct sm2_fe a, c;
	BIGNUM *x = number_of(va);
	uint8_t bytes[32], want[32];

	memcpy(a.v, va, 32);
	sm2_fe_neg(&c, &a);
	BN_mod_sub(o->t, o->m, x, o->m, ctx);
	assert_limbs(c.v, o->t);
	BN_mod_sqr(o->t, x, o->m, ctx);
	BN_mod_mul(o->t, o->t, o->back, o->m, ctx);
	sm2_fe_sqr(&c, &a);
	assert_limbs(c.v, o->t);
	c = a;
	sm2_fe_sqr(&c, &c);
	assert_limbs(c.v, o->t);
	sm2_fe_mul(&c, &a, &a);
	assert_limbs(c.v, o->t);
	c = a;
	sm2_fe_sub(&c, &c, &c);
	assert_true(sm2_fe_zero_mask(&c) == ~UINT64_C(0));
	assert_true(sm2_fe_zero_mask(&a) == (BN_is_zero(x) ? ~UINT64_C(0) : 0));
	BN_mod_mul(o->t, x, o->back, o->m, ctx);
	BN_bn2binpad(o->t, want, 32);
	sm2_fe_to_bytes(bytes, &a);
	assert_memory_equal(bytes, want, 32);
	assert_true(sm2_fe_from_bytes(&c, bytes));
	assert_memory_equal(&c, &a, sizeof(a));
	BN_free(x);
}

static void check_field_inverse(struct truth *o, const uint64_t va[4])
{
	struct sm2_fe a, c;
	BIGNUM *x = number_of(va);

	memcpy(a.v, va, 32);
	sm2_fe_inv(&c, &a);
	BN_zero(o->t);
	if (!BN_is_zero(x)) {
		BN_mod_inverse(o->t, x, o->m, ctx);
		BN_mod_mul(o->t, o->t, o->r, o->m, ctx);
		BN_mod_mul(o->t, o->t, o->r, o->m, ctx);
	}
	assert_limbs(c.v, o->t);
	BN_free(x);
}

static void field_body(void)
{
	struct truth o = truth_of(prime);
	uint64_t edges[EDGES][4], a[4], b[4];
	int n = edge_numbers(edges, prime);

	for (int i = 0; i < n; i++) {
		check_field_one(&o, edges[i]);
		check_field_inverse(&o, edges[i]);
		for (int j = 0; j < n; j++)
			check_field_pair(&o, edges[i], edges[j]);
	}
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		random_number(a, prime);
		random_number(b, prime);
		check_field_one(&o, a);
		check_field_pair(&o, a, b);
		check_field_pair(&o, a, edges[i % n]);
		if (i % 16 == 0)
			check_field_inverse(&o, a);
	}
	truth_free(&o);
}

static void field_agrees_with_big_numbers(void **state)
{
	on_each_path(field_body);
}

static void numbers_not_below_p_are_no_field_elements(void **state)
{
	BIGNUM *a = BN_dup(prime);
	struct sm2_fe f = sm2_fe_one;
	uint8_t bytes[32];

	for (int i = 0; i < 5; i++) {
		f = sm2_fe_one;
		BN_bn2binpad(a, bytes, 32);
		assert_false(sm2_fe_from_bytes(&f, bytes));
		assert_true(sm2_fe_zero_mask(&f) != 0);
		BN_add_word(a, 1);
	}
	memset(bytes, 0xff, 32);
	assert_false(sm2_fe_from_bytes(&f, bytes));
	BN_sub(a, prime, BN_value_one());
	BN_bn2binpad(a, bytes, 32);
	assert_true(sm2_fe_from_bytes(&f, bytes));
	BN_free(a);
}

static void selecting_takes_one_or_the_other(void **state)
{
	struct sm2_fe a = {{1, 2, 3, 4}}, b = {{5, 6, 7, 8}};
	struct sm2_scalar s = {{1, 2, 3, 4}}, t = {{5, 6, 7, 8}};

	sm2_fe_select(&a, &b, 0);
	assert_true(a.v[0] == 1 && a.v[3] == 4);
	sm2_fe_select(&a, &b, ~UINT64_C(0));
	assert_memory_equal(&a, &b, sizeof(a));
	sm2_scalar_select(&s, &t, 0);
	assert_true(s.v[0] == 1 && s.v[3] == 4);
	sm2_scalar_select(&s, &t, ~UINT64_C(0));
	assert_memory_equal(&s, &t, sizeof(s));
}

/* ---- scalars ------------------------------------------------------------------------------------------------ */

static void check_scalar_pair(struct truth *o, const uint64_t va[4], const uint64_t vb[4])
{
	struct sm2_scalar a, b, c;
	BIGNUM *x = number_of(va), *y = number_of(vb);

	memcpy(a.v, va, 32);
	memcpy(b.v, vb, 32);
	sm2_scalar_add(&c, &a, &b);
	BN_mod_add(o->t, x, y, o->m, ctx);
	assert_limbs(c.v, o->t);
	sm2_scalar_sub(&c, &a, &b);
	BN_mod_sub(o->t, x, y, o->m, ctx);
	assert_limbs(c.v, o->t);
	sm2_scalar_mul(&c, &a, &b);
	BN_mod_mul(o->t, x, y, o->m, ctx);
	assert_limbs(c.v, o->t);
	c = a;
	sm2_scalar_mont_mul(&c, &c, &b);
	BN_mod_mul(o->t, o->t, o->back, o->m, ctx);
	assert_limbs(c.v, o->t);
	assert_true(sm2_scalar_equal_mask(&a, &b) == (BN_cmp(x, y) == 0 ? ~UINT64_C(0) : 0));
	BN_free(x);
	BN_free(y);
}

/* The digits' value, which must be the scalar again; each is odd and in its range by its form. */
static void check_digits(struct truth *o, const struct sm2_scalar *k, const BIGNUM *x)
{
	struct sm2_digits d;

	sm2_scalar_recode(&d, k);
	BN_zero(o->t);
	for (int i = 31; i >= 0; i--) {
		BN_ULONG size = 2 * (BN_ULONG)(d.at[i] & 127) + 1;
		BN_lshift(o->t, o->t, 8);
		if (d.at[i] >> 7 != 0)
			BN_sub_word(o->t, size);
		else
			BN_add_word(o->t, size);
	}
	BN_nnmod(o->t, o->t, o->m, ctx);
	assert_int_equal(BN_cmp(o->t, x), 0);
}

static void check_scalar_one(struct truth *o, const uint64_t va[4])
{
	struct sm2_scalar a, c;
	BIGNUM *x = number_of(va);
	uint8_t bytes[32], want[32];

	memcpy(a.v, va, 32);
	sm2_scalar_neg(&c, &a);
	BN_mod_sub(o->t, o->m, x, o->m, ctx);
	assert_limbs(c.v, o->t);
	sm2_scalar_to_mont(&c, &a);
	BN_mod_mul(o->t, x, o->r, o->m, ctx);
	assert_limbs(c.v, o->t);
	sm2_scalar_from_mont(&c, &c);
	assert_memory_equal(&c, &a, sizeof(a));
	check_digits(o, &a, x);
	BN_bn2binpad(x, want, 32);
	sm2_scalar_to_bytes(bytes, &a);
	assert_memory_equal(bytes, want, 32);
	assert_true(sm2_scalar_from_bytes(&c, bytes));
	assert_memory_equal(&c, &a, sizeof(a));
	assert_true(sm2_scalar_zero_mask(&a) == (BN_is_zero(x) ? ~UINT64_C(0) : 0));
	BN_free(x);
}

static void check_scalar_inverse(struct truth *o, const uint64_t va[4])
{
	struct sm2_scalar a;
	BIGNUM *x = number_of(va);

	memcpy(a.v, va, 32);
	sm2_scalar_inv(&a, &a);
	BN_zero(o->t);
	if (!BN_is_zero(x))
		BN_mod_inverse(o->t, x, o->m, ctx);
	assert_limbs(a.v, o->t);
	BN_free(x);
}

static void scalars_agree_with_big_numbers(void **state)
{
	struct truth o = truth_of(order);
	uint64_t edges[EDGES][4], a[4], b[4];
	int n = edge_numbers(edges, order);

	for (int i = 0; i < n; i++) {
		check_scalar_one(&o, edges[i]);
		check_scalar_inverse(&o, edges[i]);
		for (int j = 0; j < n; j++)
			check_scalar_pair(&o, edges[i], edges[j]);
	}
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		random_number(a, order);
		random_number(b, order);
		check_scalar_one(&o, a);
		check_scalar_pair(&o, a, b);
		if (i % 16 == 0)
			check_scalar_inverse(&o, a);
	}
	truth_free(&o);
}

static void any_octets_are_reduced_mod_n(void **state)
{
	BIGNUM *x = BN_new();
	struct sm2_scalar a;
	uint8_t bytes[64];

	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		for (int j = 0; j < 64; j++)
			bytes[j] = i < 2 ? (uint8_t)(0 - i) : (uint8_t)next_random();
		if (i % 4 == 3)
			memset(bytes, 0xff, 30);
		BN_bin2bn(bytes, 64, x);
		BN_nnmod(x, x, order, ctx);
		sm2_scalar_reduce_wide(&a, bytes);
		assert_limbs(a.v, x);
		BN_bin2bn(bytes, 32, x);
		BN_nnmod(x, x, order, ctx);
		sm2_scalar_reduce(&a, bytes);
		assert_limbs(a.v, x);
	}
	BN_free(x);
}

static void numbers_not_below_n_are_no_scalars(void **state)
{
	BIGNUM *x = BN_dup(order);
	struct sm2_scalar a;
	uint8_t bytes[32];

	for (unsigned i = 0; i < 5; i++) {
		BN_bn2binpad(x, bytes, 32);
		a = (struct sm2_scalar){{7, 7, 7, 7}};
		assert_false(sm2_scalar_from_bytes(&a, bytes));
		assert_true(sm2_scalar_zero_mask(&a) != 0);
		sm2_scalar_reduce(&a, bytes);
		assert_true(a.v[0] == i && (a.v[1] | a.v[2] | a.v[3]) == 0);
		BN_add_word(x, 1);
	}
	memset(bytes, 0xff, 32);
	assert_false(sm2_scalar_from_bytes(&a, bytes));
	BN_free(x);
}

/* ---- paths -------------------------------------------------------------------------------------------------- */

static void a_limit_takes_away_and_never_adds(void **state)
{
	unsigned all = cpu_limit(CPU_ALL);

	assert_int_equal(all, cpu_paths());
	assert_int_equal(cpu_limit(CPU_PORTABLE), CPU_PORTABLE);
	assert_int_equal(cpu_paths(), CPU_PORTABLE);
	for (unsigned one = 1; one <= CPU_IFMA; one <<= 1)
		assert_int_equal(cpu_limit(one), all & one);
	assert_int_equal(cpu_limit(CPU_ALL), all);
}

/* ---- inverses of what is public -----------------------------------------------------------------------------------
 */

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
			a.v[k] = next_random();
		a.v[3] >>= 1;
		check_inverse(&a);
	}
}

static void inverses_of_many(void **state)
{
	for (size_t n = 1; n <= SM2_INV_MANY; n++) {
		struct sm2_fe a[SM2_INV_MANY], b[SM2_INV_MANY], product;

		for (size_t i = 0; i < n; i++) {
			a[i] = (struct sm2_fe){{next_random(), next_random(), next_random(), next_random() >> 1}};
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
	    cmocka_unit_test(field_agrees_with_big_numbers),
	    cmocka_unit_test(numbers_not_below_p_are_no_field_elements),
	    cmocka_unit_test(selecting_takes_one_or_the_other),
	    cmocka_unit_test(scalars_agree_with_big_numbers),
	    cmocka_unit_test(any_octets_are_reduced_mod_n),
	    cmocka_unit_test(numbers_not_below_n_are_no_scalars),
	    cmocka_unit_test(a_limit_takes_away_and_never_adds),
	    cmocka_unit_test(inverses),
	    cmocka_unit_test(inverses_of_many),
	};

	return cmocka_run_group_tests(tests, oracle_start, oracle_stop);
}
