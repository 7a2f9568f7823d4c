/* The field's operations for code that is compiled once per path.
 *
 * A source file (for example sm2_core_portable.c, sm2_core_adx.c) defines SM2_FE_ADX as 0 or 1, includes this header
 * and then the header with its sums; its entry points are reached through a table of whole operations, chosen by
 * cpu_paths(), so that no multiplication pays for the choice. With SM2_FE_ADX 1 the code runs on x86-64 with BMI2 and
 * ADX only; elsewhere such a file compiles to nothing (SM2_HAS_ADX is 0).
 *
 * Everything here is constant-time, and outputs may be the same object as inputs (sm2_field.h). */
#ifndef YZ_CRYPTO_SM2_FIELD_INLINE_H
#define YZ_CRYPTO_SM2_FIELD_INLINE_H

#include "crypto/sm2_field_portable.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define SM2_HAS_ADX 1
#else
#define SM2_HAS_ADX 0
#endif

#if SM2_FE_ADX && SM2_HAS_ADX
#include "crypto/sm2_field_adx.h"
#define fe_mul    sm2_adx_mul
#define fe_sqr    sm2_adx_sqr
#define fe_add    sm2_adx_add
#define fe_sub    sm2_adx_sub
#define fe_triple sm2_adx_triple
#define fe_halve  sm2_adx_halve
#else
#define fe_mul    sm2_portable_mul
#define fe_sqr    sm2_portable_sqr
#define fe_add    sm2_portable_add
#define fe_sub    sm2_portable_sub
#define fe_triple sm2_portable_triple
#define fe_halve  sm2_portable_halve
#endif

static inline uint64_t fe_zero_mask(const struct sm2_fe *a)
{
	uint64_t any = a->v[0] | a->v[1] | a->v[2] | a->v[3];

	return ((any | (0 - any)) >> 63) - 1;
}

static inline uint64_t fe_equal_mask(const struct sm2_fe *a, const struct sm2_fe *b)
{
	struct sm2_fe d;

	for (int i = 0; i < 4; i++)
		d.v[i] = a->v[i] ^ b->v[i];
	return fe_zero_mask(&d);
}

/* out = mask ? a : out */
static inline void fe_select(struct sm2_fe *out, const struct sm2_fe *a, uint64_t mask)
{
	for (int i = 0; i < 4; i++)
		out->v[i] ^= (out->v[i] ^ a->v[i]) & mask;
}

static inline void fe_neg(struct sm2_fe *out, const struct sm2_fe *a)
{
	static const struct sm2_fe zero = {{0, 0, 0, 0}};

	fe_sub(out, &zero, a);
}

/* out = mask ? -out : out */
static inline void fe_negate_if(struct sm2_fe *out, uint64_t mask)
{
	struct sm2_fe minus;

	fe_neg(&minus, out);
	fe_select(out, &minus, mask);
}

static inline void fe_double(struct sm2_fe *out, const struct sm2_fe *a)
{
	fe_add(out, a, a);
}

static inline void fe_sqr_times(struct sm2_fe *out, const struct sm2_fe *a, int times)
{
	fe_sqr(out, a);
	for (int i = 1; i < times; i++)
		fe_sqr(out, out);
}

/* a^(p - 2). In bits, p - 2 is 31 ones, a zero, 128 ones, 32 zeros, 62 ones, 0, 1. */
static inline void fe_inv(struct sm2_fe *out, const struct sm2_fe *a)
{
	struct sm2_fe x = *a, x2, x4, x8, x16, x30, x31, x32, t;

	fe_sqr(&t, &x);
	fe_mul(&x2, &t, &x);
	fe_sqr_times(&t, &x2, 2);
	fe_mul(&x4, &t, &x2);
	fe_sqr_times(&t, &x4, 4);
	fe_mul(&x8, &t, &x4);
	fe_sqr_times(&t, &x8, 8);
	fe_mul(&x16, &t, &x8);
	fe_sqr_times(&t, &x16, 8);
	fe_mul(&t, &t, &x8);
	fe_sqr_times(&t, &t, 4);
	fe_mul(&t, &t, &x4);
	fe_sqr_times(&t, &t, 2);
	fe_mul(&x30, &t, &x2);
	fe_sqr(&t, &x30);
	fe_mul(&x31, &t, &x);
	fe_sqr(&t, &x31);
	fe_mul(&x32, &t, &x);

	fe_sqr_times(&t, &x31, 33); /* 31 ones, then 0 and the first 32 of 128 ones */
	fe_mul(&t, &t, &x32);
	for (int i = 0; i < 3; i++) {
		fe_sqr_times(&t, &t, 32);
		fe_mul(&t, &t, &x32);
	}
	fe_sqr_times(&t, &t, 64); /* 32 zeros, 32 ones */
	fe_mul(&t, &t, &x32);
	fe_sqr_times(&t, &t, 30);
	fe_mul(&t, &t, &x30);
	fe_sqr_times(&t, &t, 2);
	fe_mul(out, &t, &x);
}

#endif
