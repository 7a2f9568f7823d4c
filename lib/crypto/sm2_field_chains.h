/* The field's multiplication as chains of carries: plain C for x86-64, where sm2_addc() is one instruction and
 * comparisons of 128-bit sums are many. Part of sm2_field_portable.h. */
#ifndef YZ_CRYPTO_SM2_FIELD_CHAINS_H
#define YZ_CRYPTO_SM2_FIELD_CHAINS_H

/* out = t + (mask ? p : 0) mod 2^256, where mask is all ones or 0. */
static inline void sm2_fe_add_p(struct sm2_fe *out, const uint64_t t[4], uint64_t mask)
{
	uint64_t c = 0;

	out->v[0] = sm2_addc(t[0], mask, &c);
	out->v[1] = sm2_addc(t[1], mask << 32, &c);
	out->v[2] = sm2_addc(t[2], mask, &c);
	out->v[3] = sm2_addc(t[3], mask & SM2_P3, &c);
}

/* out = (top:t) mod p for a value below 2p: p is subtracted, and added again when that was too much. */
static inline void sm2_fe_final(struct sm2_fe *out, const uint64_t t[4], uint64_t top)
{
	uint64_t d[4], borrow = 0;

	d[0] = sm2_subb(t[0], SM2_P0, &borrow);
	d[1] = sm2_subb(t[1], SM2_P1, &borrow);
	d[2] = sm2_subb(t[2], SM2_P2, &borrow);
	d[3] = sm2_subb(t[3], SM2_P3, &borrow);
	sm2_fe_add_p(out, d, top - borrow);
}

/* (t[0..3] + m p) / 2^64 for m = t[0], into t[1..4] with t[4] new. As p = -1 mod 2^64 that is t[1..3] plus
 * m 2^192 - m 2^160 - m 2^32 + m, which takes shifts in place of multiplications. */
static inline uint64_t sm2_fe_step(uint64_t m, uint64_t *t1, uint64_t *t2, uint64_t *t3)
{
	uint64_t low = m << 32, high = m >> 32, b = 0, c = 0, d0, d1, d2, d3;

	d0 = sm2_subb(m, low, &b);
	d1 = sm2_subb(0, high, &b);
	d2 = sm2_subb(0, low, &b);
	d3 = sm2_subb(m, high, &b);
	*t1 = sm2_addc(*t1, d0, &c);
	*t2 = sm2_addc(*t2, d1, &c);
	*t3 = sm2_addc(*t3, d2, &c);
	return sm2_addc(d3, 0, &c);
}

/* out = t / 2^256 mod p for t < p 2^256, by Montgomery. */
static inline void sm2_fe_reduce(struct sm2_fe *out, const uint64_t t[8])
{
	uint64_t r0 = t[0], r1 = t[1], r2 = t[2], r3 = t[3], c = 0, u[4];

	r0 = sm2_fe_step(r0, &r1, &r2, &r3);
	r1 = sm2_fe_step(r1, &r2, &r3, &r0);
	r2 = sm2_fe_step(r2, &r3, &r0, &r1);
	r3 = sm2_fe_step(r3, &r0, &r1, &r2);
	u[0] = sm2_addc(t[4], r0, &c);
	u[1] = sm2_addc(t[5], r1, &c);
	u[2] = sm2_addc(t[6], r2, &c);
	u[3] = sm2_addc(t[7], r3, &c);
	sm2_fe_final(out, u, c);
}

/* The two halves of a*b. */
static inline uint64_t sm2_wide(uint64_t *high, uint64_t a, uint64_t b)
{
	sm2_u128 t = (sm2_u128)a * b;

	*high = (uint64_t)(t >> 64);
	return (uint64_t)t;
}

/* t[0..4] = a·b. Written out, as compilers do not unroll at -O2. */
static inline void sm2_first_row(uint64_t t[5], const uint64_t a[4], uint64_t b)
{
	uint64_t h0, h1, h2, c = 0;

	t[0] = sm2_wide(&h0, a[0], b);
	t[1] = sm2_wide(&h1, a[1], b);
	t[2] = sm2_wide(&h2, a[2], b);
	t[3] = sm2_wide(&t[4], a[3], b);
	t[1] = sm2_addc(t[1], h0, &c);
	t[2] = sm2_addc(t[2], h1, &c);
	t[3] = sm2_addc(t[3], h2, &c);
	t[4] = sm2_addc(t[4], 0, &c);
}

/* t[0..4] = t[0..3] + a·b. */
static inline void sm2_row(uint64_t t[5], const uint64_t a[4], uint64_t b)
{
	uint64_t l[5], c = 0;

	sm2_first_row(l, a, b);
	t[0] = sm2_addc(t[0], l[0], &c);
	t[1] = sm2_addc(t[1], l[1], &c);
	t[2] = sm2_addc(t[2], l[2], &c);
	t[3] = sm2_addc(t[3], l[3], &c);
	t[4] = sm2_addc(l[4], 0, &c);
}

static inline void sm2_portable_mul(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	uint64_t t[8];

	sm2_first_row(t, a->v, b->v[0]);
	sm2_row(t + 1, a->v, b->v[1]);
	sm2_row(t + 2, a->v, b->v[2]);
	sm2_row(t + 3, a->v, b->v[3]);
	sm2_fe_reduce(out, t);
}

/* The six products of different limbs, doubled, and the four squares. */
static inline void sm2_portable_sqr(struct sm2_fe *out, const struct sm2_fe *a)
{
	uint64_t t[8], l, h, c = 0, s[8];
	const uint64_t *v = a->v;

	t[1] = sm2_wide(&t[2], v[0], v[1]);
	l = sm2_wide(&t[3], v[0], v[2]);
	t[2] = sm2_addc(t[2], l, &c);
	l = sm2_wide(&t[4], v[0], v[3]);
	t[3] = sm2_addc(t[3], l, &c);
	t[4] = sm2_addc(t[4], 0, &c);
	c = 0;
	l = sm2_wide(&h, v[1], v[3]);
	t[4] = sm2_addc(t[4], l, &c);
	l = sm2_wide(&t[6], v[2], v[3]);
	t[5] = sm2_addc(h, l, &c);
	t[6] = sm2_addc(t[6], 0, &c);
	c = 0;
	l = sm2_wide(&h, v[1], v[2]);
	t[3] = sm2_addc(t[3], l, &c);
	t[4] = sm2_addc(t[4], h, &c);
	t[5] = sm2_addc(t[5], 0, &c);
	t[6] = sm2_addc(t[6], 0, &c);
	c = 0;
	t[1] = sm2_addc(t[1], t[1], &c);
	t[2] = sm2_addc(t[2], t[2], &c);
	t[3] = sm2_addc(t[3], t[3], &c);
	t[4] = sm2_addc(t[4], t[4], &c);
	t[5] = sm2_addc(t[5], t[5], &c);
	t[6] = sm2_addc(t[6], t[6], &c);
	t[7] = c;
	s[0] = sm2_wide(&s[1], v[0], v[0]);
	s[2] = sm2_wide(&s[3], v[1], v[1]);
	s[4] = sm2_wide(&s[5], v[2], v[2]);
	s[6] = sm2_wide(&s[7], v[3], v[3]);
	c = 0;
	t[0] = s[0];
	t[1] = sm2_addc(t[1], s[1], &c);
	t[2] = sm2_addc(t[2], s[2], &c);
	t[3] = sm2_addc(t[3], s[3], &c);
	t[4] = sm2_addc(t[4], s[4], &c);
	t[5] = sm2_addc(t[5], s[5], &c);
	t[6] = sm2_addc(t[6], s[6], &c);
	t[7] = sm2_addc(t[7], s[7], &c);
	sm2_fe_reduce(out, t);
}

/* p is added when a - b is negative. */
static inline void sm2_portable_sub(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	uint64_t borrow = 0, t[4];

	t[0] = sm2_subb(a->v[0], b->v[0], &borrow);
	t[1] = sm2_subb(a->v[1], b->v[1], &borrow);
	t[2] = sm2_subb(a->v[2], b->v[2], &borrow);
	t[3] = sm2_subb(a->v[3], b->v[3], &borrow);
	sm2_fe_add_p(out, t, 0 - borrow);
}

#endif
