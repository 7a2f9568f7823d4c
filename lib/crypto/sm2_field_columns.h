/* The field's multiplication in columns of 128 bits: plain C that compilers for Arm and others do well with. Part of
 * sm2_field_portable.h. */
#ifndef YZ_CRYPTO_SM2_FIELD_COLUMNS_H
#define YZ_CRYPTO_SM2_FIELD_COLUMNS_H

__extension__ typedef __int128 sm2_i128;

/* out = (top:t) mod p for a value below 2p. The difference is summed in a signed 128-bit column, whose sign is kept. */
static inline void sm2_fe_final(struct sm2_fe *out, const uint64_t t[4], uint64_t top)
{
	sm2_i128 acc = (sm2_i128)t[0] - SM2_P0;
	uint64_t d0 = (uint64_t)acc, d1, d2, d3, keep;

	acc = (acc >> 64) + t[1] - SM2_P1;
	d1 = (uint64_t)acc;
	acc = (acc >> 64) + t[2] - SM2_P2;
	d2 = (uint64_t)acc;
	acc = (acc >> 64) + t[3] - SM2_P3;
	d3 = (uint64_t)acc;
	keep = (uint64_t)(acc >> 64) + top; /* all ones when the value is below p, else 0 */
	out->v[0] = d0 ^ ((t[0] ^ d0) & keep);
	out->v[1] = d1 ^ ((t[1] ^ d1) & keep);
	out->v[2] = d2 ^ ((t[2] ^ d2) & keep);
	out->v[3] = d3 ^ ((t[3] ^ d3) & keep);
}

/* out = t / 2^256 mod p for t < p·2^256, by Montgomery. As p = -1 mod 2^64, the multipliers m0 .. m3 are the running
 * low limbs themselves, and m·p = m·2^256 - m·2^224 - m·2^96 + m·2^64 - m is shifts: in each column below stand the
 * halves of m << 32 (l below, h above). Columns are signed, their upper half is carried. */
static inline void sm2_fe_reduce(struct sm2_fe *out, const uint64_t t[8])
{
	uint64_t m0 = t[0], l0 = m0 << 32, h0 = m0 >> 32, m1, l1, h1, m2, l2, h2, m3, l3, h3, u[4];
	sm2_i128 acc = (sm2_i128)t[1] + m0 - l0;

	m1 = (uint64_t)acc;
	l1 = m1 << 32;
	h1 = m1 >> 32;
	acc = (acc >> 64) + t[2] + m1 - l1 - h0;
	m2 = (uint64_t)acc;
	l2 = m2 << 32;
	h2 = m2 >> 32;
	acc = (acc >> 64) + t[3] + m2 - l2 - l0 - h1;
	m3 = (uint64_t)acc;
	l3 = m3 << 32;
	h3 = m3 >> 32;
	acc = (acc >> 64) + t[4] + m3 - l3 - l1 - h2 + (m0 - h0);
	u[0] = (uint64_t)acc;
	acc = (acc >> 64) + t[5] - l2 - h3 + (m1 - h1);
	u[1] = (uint64_t)acc;
	acc = (acc >> 64) + t[6] - l3 + (m2 - h2);
	u[2] = (uint64_t)acc;
	acc = (acc >> 64) + t[7] + (m3 - h3);
	u[3] = (uint64_t)acc;
	sm2_fe_final(out, u, (uint64_t)(acc >> 64));
}

/* t[0..4] = t[0..3] + a·b. Written out, as compilers do not unroll at -O2. */
static inline void sm2_row(uint64_t t[5], const uint64_t a[4], uint64_t b)
{
	uint64_t c = 0;

	t[0] = sm2_mac(a[0], b, t[0], &c);
	t[1] = sm2_mac(a[1], b, t[1], &c);
	t[2] = sm2_mac(a[2], b, t[2], &c);
	t[3] = sm2_mac(a[3], b, t[3], &c);
	t[4] = c;
}

static inline void sm2_portable_mul(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	uint64_t t[8] = {0};

	sm2_row(t, a->v, b->v[0]);
	sm2_row(t + 1, a->v, b->v[1]);
	sm2_row(t + 2, a->v, b->v[2]);
	sm2_row(t + 3, a->v, b->v[3]);
	sm2_fe_reduce(out, t);
}

/* t[0..1] = a·a + 2·t[0..1] and what came from below; `*carry` is at most 2. */
static inline void sm2_square(uint64_t t[2], uint64_t a, uint64_t *carry)
{
	sm2_u128 square = (sm2_u128)a * a, low = (sm2_u128)(uint64_t)square + t[0] + t[0] + *carry,
	         high = (square >> 64) + t[1] + t[1] + (low >> 64);

	t[0] = (uint64_t)low;
	t[1] = (uint64_t)high;
	*carry = (uint64_t)(high >> 64);
}

/* The six products of different limbs, doubled while the four squares are added. */
static inline void sm2_portable_sqr(struct sm2_fe *out, const struct sm2_fe *a)
{
	uint64_t t[8], c = 0;
	const uint64_t *v = a->v;

	t[0] = 0;
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
	t[7] = 0;
	c = 0;
	sm2_square(t, v[0], &c);
	sm2_square(t + 2, v[1], &c);
	sm2_square(t + 4, v[2], &c);
	sm2_square(t + 6, v[3], &c);
	sm2_fe_reduce(out, t);
}

/* p's limbs under a mask, added when a - b is negative. */
static inline void sm2_portable_sub(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	sm2_i128 acc = (sm2_i128)a->v[0] - b->v[0];
	uint64_t t0 = (uint64_t)acc, t1, t2, t3, mask, c = 0;

	acc = (acc >> 64) + a->v[1] - b->v[1];
	t1 = (uint64_t)acc;
	acc = (acc >> 64) + a->v[2] - b->v[2];
	t2 = (uint64_t)acc;
	acc = (acc >> 64) + a->v[3] - b->v[3];
	t3 = (uint64_t)acc;
	mask = (uint64_t)(acc >> 64);
	out->v[0] = sm2_addc(t0, mask & SM2_P0, &c);
	out->v[1] = sm2_addc(t1, mask & SM2_P1, &c);
	out->v[2] = sm2_addc(t2, mask & SM2_P2, &c);
	out->v[3] = sm2_addc(t3, mask & SM2_P3, &c);
}

#endif
