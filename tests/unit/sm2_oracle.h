/* The slow oracle of SM2's arithmetic: OpenSSL's big numbers and its generic curve code, and edge values to feed both.
 */
#ifndef YZ_TESTS_SM2_ORACLE_H
#define YZ_TESTS_SM2_ORACLE_H

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/cpu.h"
#include "crypto/sm2_core.h"

static BN_CTX *ctx;
static EC_GROUP *group;
static BIGNUM *prime; /* p */
static const BIGNUM *order;

static inline int oracle_start(void **state)
{
	(void)state;
	ctx = BN_CTX_new();
	group = EC_GROUP_new_by_curve_name(NID_sm2);
	prime = BN_new();
	if (ctx == NULL || group == NULL || prime == NULL || EC_GROUP_get_curve(group, prime, NULL, NULL, ctx) != 1)
		return -1;
	order = EC_GROUP_get0_order(group);
	return 0;
}

static inline int oracle_stop(void **state)
{
	(void)state;
	cpu_limit(CPU_ALL);
	EC_GROUP_free(group);
	BN_free(prime);
	BN_CTX_free(ctx);
	return 0;
}

/* Run `body` once per path that the machine has. */
static inline void on_each_path(void (*body)(void))
{
	static const struct {
		unsigned path;
		const char *name;
	} PATHS[] = {{CPU_PORTABLE, "portable"}, {CPU_ADX, "MULX/ADX"}, {CPU_AVX512 | CPU_IFMA, "IFMA"}};

	for (size_t i = 0; i < 3; i++) {
		if (cpu_limit(PATHS[i].path) == PATHS[i].path)
			body();
		else
			print_message("note: %s absent, skipped\n", PATHS[i].name);
	}
	cpu_limit(CPU_ALL);
}

/* A fixed sequence (xorshift64*), so that a failure comes again. */
static inline uint64_t next_random(void)
{
	static uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static inline void limbs_of(uint64_t v[4], const BIGNUM *a)
{
	uint8_t b[32];

	assert_int_equal(BN_bn2lebinpad(a, b, 32), 32);
	for (int i = 0; i < 4; i++) {
		v[i] = 0;
		for (int j = 7; j >= 0; j--)
			v[i] = v[i] << 8 | b[8 * i + j];
	}
}

static inline BIGNUM *number_of(const uint64_t v[4])
{
	uint8_t b[32];

	for (int i = 0; i < 32; i++)
		b[i] = (uint8_t)(v[i / 8] >> (8 * (i % 8)));
	return BN_lebin2bn(b, 32, NULL);
}

static inline void assert_limbs(const uint64_t got[4], const BIGNUM *want)
{
	uint64_t v[4];

	limbs_of(v, want);
	for (int i = 0; i < 4; i++)
		assert_true(got[i] == v[i]);
}

/* Numbers below `modulus` that provoke carries: around 0, the modulus and the powers of two that it is made of, and
 * limbs of all zeros and ones in every arrangement. */
enum { EDGES = 128 };

static inline int add_edge(uint64_t edges[][4], int n, BIGNUM *a, const BIGNUM *modulus)
{
	if (n < EDGES && !BN_is_negative(a) && BN_cmp(a, modulus) < 0)
		limbs_of(edges[n++], a);
	return n;
}

static inline int edge_numbers(uint64_t edges[EDGES][4], const BIGNUM *modulus)
{
	static const int BITS[] = {31, 32, 63, 64, 95, 96, 127, 128, 160, 191, 192, 223, 224, 255};
	BIGNUM *a = BN_new();
	int n = 0;

	for (unsigned i = 0; i < 4; i++) {
		BN_set_word(a, i);
		n = add_edge(edges, n, a, modulus);
		BN_sub(a, modulus, a);
		n = add_edge(edges, n, a, modulus);
	}
	for (size_t i = 0; i < sizeof(BITS) / sizeof(BITS[0]); i++) {
		BN_zero(a);
		BN_set_bit(a, BITS[i]);
		n = add_edge(edges, n, a, modulus);
		BN_sub_word(a, 1);
		n = add_edge(edges, n, a, modulus);
		BN_sub(a, modulus, a);
		n = add_edge(edges, n, a, modulus);
	}
	for (unsigned pattern = 1; pattern < 15; pattern++) {
		uint64_t v[4];
		for (int i = 0; i < 4; i++)
			v[i] = (pattern >> i & 1) != 0 ? ~UINT64_C(0) : 0;
		BN_free(a);
		a = number_of(v);
		n = add_edge(edges, n, a, modulus);
		BN_sub(a, modulus, a);
		n = add_edge(edges, n, a, modulus);
	}
	BN_free(a);
	return n;
}

/* Below the modulus; one in eight has limbs of zeros or ones. */
static inline void random_number(uint64_t v[4], const BIGNUM *modulus)
{
	BIGNUM *a;

	for (int i = 0; i < 4; i++) {
		uint64_t shape = next_random() & 31;
		v[i] = shape == 0 ? 0 : shape == 1 ? ~UINT64_C(0) : next_random();
	}
	a = number_of(v);
	BN_nnmod(a, a, modulus, ctx);
	limbs_of(v, a);
	BN_free(a);
}

static inline struct sm2_scalar scalar_of(const BIGNUM *a)
{
	struct sm2_scalar s;

	limbs_of(s.v, a);
	return s;
}

/* A point of the oracle in our form; it must not be infinity. */
static inline struct sm2_affine affine_of(const EC_POINT *p)
{
	BIGNUM *x = BN_new(), *y = BN_new();
	uint8_t bx[32], by[32];
	struct sm2_affine a;

	assert_int_equal(EC_POINT_get_affine_coordinates(group, p, x, y, ctx), 1);
	BN_bn2binpad(x, bx, 32);
	BN_bn2binpad(y, by, 32);
	assert_true(sm2_point_from_bytes(&a, bx, by));
	BN_free(x);
	BN_free(y);
	return a;
}

static inline void assert_point(const struct sm2_jacobian *got, const EC_POINT *want)
{
	struct sm2_affine a, w;

	if (EC_POINT_is_at_infinity(group, want)) {
		assert_true(sm2_point_is_infinity(got));
		assert_false(sm2_point_to_affine_secret(&a, got));
		return;
	}
	w = affine_of(want);
	assert_true(sm2_point_to_affine_secret(&a, got));
	assert_memory_equal(&a, &w, sizeof(a));
}

/* k·G by the oracle. */
static inline EC_POINT *multiple(const BIGNUM *k)
{
	EC_POINT *p = EC_POINT_new(group);

	assert_int_equal(EC_POINT_mul(group, p, k, NULL, NULL, ctx), 1);
	return p;
}

#endif
