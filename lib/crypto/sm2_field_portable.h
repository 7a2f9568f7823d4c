/* The field's multiplication in plain C over unsigned __int128: for every machine. Part of sm2_field_inline.h. */
#ifndef YZ_CRYPTO_SM2_FIELD_PORTABLE_H
#define YZ_CRYPTO_SM2_FIELD_PORTABLE_H

#include "crypto/sm2_field.h"

__extension__ typedef unsigned __int128 sm2_u128;

/* a + b + *carry, the carry (0 or 1) going out again. */
static inline uint64_t sm2_addc(uint64_t a, uint64_t b, uint64_t *carry)
{
	sm2_u128 t = (sm2_u128)a + b + *carry;

	*carry = (uint64_t)(t >> 64);
	return (uint64_t)t;
}

/* a - b - *borrow, the borrow (0 or 1) going out again. */
static inline uint64_t sm2_subb(uint64_t a, uint64_t b, uint64_t *borrow)
{
	sm2_u128 t = (sm2_u128)a - b - *borrow;

	*borrow = (uint64_t)(t >> 64) & 1;
	return (uint64_t)t;
}

/* a·b + c + *carry: at most 2^128 - 1. */
static inline uint64_t sm2_mac(uint64_t a, uint64_t b, uint64_t c, uint64_t *carry)
{
	sm2_u128 t = (sm2_u128)a * b + c + *carry;

	*carry = (uint64_t)(t >> 64);
	return (uint64_t)t;
}

/* out = (top:t) mod p for a value below 2p. */
static inline void sm2_fe_final(struct sm2_fe *out, const uint64_t t[4], uint64_t top)
{
	uint64_t borrow = 0, d[4], keep;

	d[0] = sm2_subb(t[0], SM2_P0, &borrow);
	d[1] = sm2_subb(t[1], SM2_P1, &borrow);
	d[2] = sm2_subb(t[2], SM2_P2, &borrow);
	d[3] = sm2_subb(t[3], SM2_P3, &borrow);
	keep = 0 - (borrow & (top ^ 1));
	for (int i = 0; i < 4; i++)
		out->v[i] = (t[i] & keep) | (d[i] & ~keep);
}

/* One step of Montgomery's reduction, t = (t + t[0]·p) / 2^64. As p = -1 mod 2^64, t[0] is the multiplier itself, and
 * t[0]·(p + 1)/2^64 = t[0]·(2^192 - 2^160 - 2^32 + 1) is two shifts. Four limbs in, four out: the new top limb is
 * t[0] + carries - its high half. */
static inline void sm2_fe_step(uint64_t t[4])
{
	uint64_t m = t[0], low = m << 32, high = m >> 32, c = 0, b = 0;
	uint64_t t1 = sm2_addc(t[1], m, &c), t2 = sm2_addc(t[2], 0, &c), t3 = sm2_addc(t[3], 0, &c), t4 = m + c;

	t[0] = sm2_subb(t1, low, &b);
	t[1] = sm2_subb(t2, high, &b);
	t[2] = sm2_subb(t3, low, &b);
	t[3] = t4 - high - b;
}

/* out = t / 2^256 mod p for t < p·2^256. */
static inline void sm2_fe_reduce(struct sm2_fe *out, uint64_t t[8])
{
	uint64_t c = 0, u[4];

	for (int i = 0; i < 4; i++)
		sm2_fe_step(t);
	for (int i = 0; i < 4; i++)
		u[i] = sm2_addc(t[i], t[i + 4], &c);
	sm2_fe_final(out, u, c);
}

static inline void sm2_portable_mul(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	uint64_t t[8] = {0};

	for (int i = 0; i < 4; i++) {
		uint64_t c = 0;

		for (int j = 0; j < 4; j++)
			t[i + j] = sm2_mac(a->v[j], b->v[i], t[i + j], &c);
		t[i + 4] = c;
	}
	sm2_fe_reduce(out, t);
}

/* The six products of different limbs are doubled by a shift, then the four squares are added. */
static inline void sm2_portable_sqr(struct sm2_fe *out, const struct sm2_fe *a)
{
	uint64_t t[8], c = 0, carry = 0;
	const uint64_t *v = a->v;

	t[1] = sm2_mac(v[0], v[1], 0, &c);
	t[2] = sm2_mac(v[0], v[2], 0, &c);
	t[3] = sm2_mac(v[0], v[3], 0, &c);
	t[4] = c;
	c = 0;
	t[3] = sm2_mac(v[1], v[2], t[3], &c);
	t[4] = sm2_mac(v[1], v[3], t[4], &c);
	t[5] = c;
	c = 0;
	t[5] = sm2_mac(v[2], v[3], t[5], &c);
	t[6] = c;
	t[7] = t[6] >> 63;
	for (int i = 6; i > 1; i--)
		t[i] = t[i] << 1 | t[i - 1] >> 63;
	t[1] <<= 1;
	t[0] = 0;
	for (int i = 0; i < 4; i++) {
		uint64_t high = 0;

		t[2 * i] = sm2_mac(v[i], v[i], t[2 * i], &carry);
		t[2 * i + 1] = sm2_addc(t[2 * i + 1], carry, &high);
		carry = high;
	}
	sm2_fe_reduce(out, t);
}

static inline void sm2_portable_add(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	uint64_t c = 0, t[4];

	for (int i = 0; i < 4; i++)
		t[i] = sm2_addc(a->v[i], b->v[i], &c);
	sm2_fe_final(out, t, c);
}

/* p's limbs under a mask, added when a - b is negative. */
static inline void sm2_portable_sub(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	uint64_t c = 0, t[4], mask;

	for (int i = 0; i < 4; i++)
		t[i] = sm2_subb(a->v[i], b->v[i], &c);
	mask = 0 - c;
	c = 0;
	out->v[0] = sm2_addc(t[0], mask & SM2_P0, &c);
	out->v[1] = sm2_addc(t[1], mask & SM2_P1, &c);
	out->v[2] = sm2_addc(t[2], mask & SM2_P2, &c);
	out->v[3] = sm2_addc(t[3], mask & SM2_P3, &c);
}

#endif
