/* Points in the lanes of AVX-512 IFMA: what sm2_core_ifma.c and sm2_lanes_ifma.c share. Private to them.
 *
 * As in sm2_ifma.c the tables are read as Montgomery form with R = 2^260: that gives x 2^-4 and y 2^-4 where an
 * isomorphic curve has x 2^-4 and y 2^-6. Here the denominator pays for the difference: W is ZZZ/4 throughout, so that
 * y's four-fold times W is y·ZZZ. Additions use neither a nor b; the quotient X/ZZ is x 2^-4. */
#ifndef YZ_CRYPTO_SM2_IFMA_POINT_H
#define YZ_CRYPTO_SM2_IFMA_POINT_H

#include "crypto/sm2_field_portable.h"
#include "crypto/sm2_ifma_field.h"
#include "crypto/sm2_point.h"

#ifdef __x86_64__

/* (X/ZZ, Y/4W), each tight and below 2p. */
struct xyzw8 {
	struct fe8 x, y, zz, w;
};

struct affine8 {
	struct fe8 x, y; /* y: four times the coordinate */
};

/* An entry for each lane, and which lanes take the negative. */
struct terms {
	const struct sm2_affine *at[FE8_LANES];
	unsigned minus;
};

IFMA_INLINE struct affine8 load_terms(const struct terms *t)
{
	struct affine8 e;
	__m512i row[FE8_LANES];

	FE8_UNROLL
	for (int l = 0; l < FE8_LANES; l++)
		row[l] = _mm512_loadu_si512(t->at[l]);
	fe8_transpose(row);
	e.x = fe8_from_words(row);
	e.y = fe8_carry(fe8_add_p(fe8_negate(fe8_from_words(row + 4), (__mmask8)t->minus), 1));
	return e;
}

/* The end that additions share: own X and Y over the common denominator are u and s; p and r are the differences. */
IFMA_INLINE void add_end(struct xyzw8 *a, const struct fe8 *u, const struct fe8 *s, const struct fe8 *p,
                         const struct fe8 *r)
{
	struct fe8 pp = fe8_sqr(p), ppp = fe8_mul(&pp, p), q = fe8_mul(u, &pp), t;

	t = fe8_minus(fe8_minus(fe8_sqr_loose(r), ppp), fe8_times(q, 1));
	a->x = fe8_fold(fe8_add_p(t, 6));
	a->zz = fe8_mul(&a->zz, &pp);
	a->w = fe8_mul(&a->w, &ppp);
	q = fe8_sub(q, a->x);
	t = fe8_minus(fe8_mul_loose(r, &q), fe8_mul_loose(s, &ppp));
	a->y = fe8_fold(fe8_add_p(t, 2));
}

/* ZZ = 0 for what has met an equal or opposite point: it stays 0. */
IFMA_INLINE void add_affine(struct xyzw8 *a, const struct affine8 *b)
{
	struct fe8 p = fe8_sub(fe8_mul_loose(&b->x, &a->zz), a->x), r = fe8_sub(fe8_mul_loose(&b->y, &a->w), a->y);

	add_end(a, &a->x, &a->y, &p, &r);
}

/* 16, as 2^264 mod p. */
IFMA_INLINE struct fe8 sixteen(void)
{
	struct fe8 r = {{fe8_word(0x100), fe8_word(0xffffffff00000), fe8_word(0), fe8_word(0), fe8_word(0x1000000)}};
	return r;
}

/* A sum begins; ZZ = W = 16, and ZZZ = 64. */
IFMA_INLINE void start(struct xyzw8 *a, const struct affine8 *e)
{
	const struct fe8 z = sixteen();

	a->x = fe8_mul(&e->x, &z);
	a->y = fe8_mul(&e->y, &z);
	a->zz = z;
	a->w = z;
}

#endif
#endif
