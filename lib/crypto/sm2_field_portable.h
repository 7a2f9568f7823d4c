/* The field's operations in plain C: for every machine. The longer ones are written in two ways, one for x86-64 and
 * one for all others; SM2_FE_COLUMNS chooses the latter on x86-64 too (for tests). Part of sm2_field_inline.h. */
#ifndef YZ_CRYPTO_SM2_FIELD_PORTABLE_H
#define YZ_CRYPTO_SM2_FIELD_PORTABLE_H

#include "crypto/sm2_field.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

__extension__ typedef unsigned __int128 sm2_u128;

/* a + b + *carry, the carry (0 or 1) going out again. Of this intrinsic, which needs no more than x86-64, compilers
 * make chains of ADC; of the 128-bit sums gcc does not. */
static inline uint64_t sm2_addc(uint64_t a, uint64_t b, uint64_t *carry)
{
#ifdef __x86_64__
	unsigned long long sum;

	*carry = _addcarry_u64((unsigned char)*carry, a, b, &sum);
	return sum;
#else
	sm2_u128 t = (sm2_u128)a + b + *carry;

	*carry = (uint64_t)(t >> 64);
	return (uint64_t)t;
#endif
}

/* a - b - *borrow, the borrow (0 or 1) going out again. */
static inline uint64_t sm2_subb(uint64_t a, uint64_t b, uint64_t *borrow)
{
#ifdef __x86_64__
	unsigned long long difference;

	*borrow = _subborrow_u64((unsigned char)*borrow, a, b, &difference);
	return difference;
#else
	sm2_u128 t = (sm2_u128)a - b - *borrow;

	*borrow = (uint64_t)(t >> 64) & 1;
	return (uint64_t)t;
#endif
}

/* a·b + c + *carry: at most 2^128 - 1. */
static inline uint64_t sm2_mac(uint64_t a, uint64_t b, uint64_t c, uint64_t *carry)
{
	sm2_u128 t = (sm2_u128)a * b + c + *carry;

	*carry = (uint64_t)(t >> 64);
	return (uint64_t)t;
}

/* sm2_fe_final(), sm2_fe_reduce(), sm2_portable_mul(), sm2_portable_sqr() and sm2_portable_sub(). gcc makes twice as
 * many instructions of the wrong one of the two. */
#if defined(__x86_64__) && !defined(SM2_FE_COLUMNS)
#include "crypto/sm2_field_chains.h"
#else
#include "crypto/sm2_field_columns.h"
#endif

static inline void sm2_portable_add(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	uint64_t c = 0, t[4];

	t[0] = sm2_addc(a->v[0], b->v[0], &c);
	t[1] = sm2_addc(a->v[1], b->v[1], &c);
	t[2] = sm2_addc(a->v[2], b->v[2], &c);
	t[3] = sm2_addc(a->v[3], b->v[3], &c);
	sm2_fe_final(out, t, c);
}

static inline void sm2_portable_triple(struct sm2_fe *out, const struct sm2_fe *a)
{
	struct sm2_fe two;

	sm2_portable_add(&two, a, a);
	sm2_portable_add(out, &two, a);
}

/* a/2: an odd number becomes even by adding p. */
static inline void sm2_portable_halve(struct sm2_fe *out, const struct sm2_fe *a)
{
	uint64_t odd = 0 - (a->v[0] & 1), c = 0;
	uint64_t t0 = sm2_addc(a->v[0], odd & SM2_P0, &c), t1 = sm2_addc(a->v[1], odd & SM2_P1, &c);
	uint64_t t2 = sm2_addc(a->v[2], odd & SM2_P2, &c), t3 = sm2_addc(a->v[3], odd & SM2_P3, &c);

	out->v[0] = t0 >> 1 | t1 << 63;
	out->v[1] = t1 >> 1 | t2 << 63;
	out->v[2] = t2 >> 1 | t3 << 63;
	out->v[3] = t3 >> 1 | c << 63;
}

#endif
