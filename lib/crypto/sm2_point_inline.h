/* The point formulas for code that is compiled once per path (sm2_field_inline.h). None of them is complete; what each
 * one cannot do is said there, and how it shows: a denominator of zero, which stays zero in all that follows, so that a
 * long sum is checked once, at its end.
 *
 * Outputs may be the same object as inputs. */
#ifndef YZ_CRYPTO_SM2_POINT_INLINE_H
#define YZ_CRYPTO_SM2_POINT_INLINE_H

#include "crypto/sm2_field_inline.h"
#include "crypto/sm2_point.h"

/* (X/ZZ, Y/ZZZ) with ZZ^3 = ZZZ^2: sums of affine points cost 8M + 2S each. ZZ = 0 is infinity or an exception. */
struct sm2_xyzz {
	struct sm2_fe x, y, zz, zzz;
};

/* A Jacobian point with Z^2 and Z^3, to be added often. */
struct sm2_readd {
	struct sm2_fe x, y, z, zz, zzz;
};

/* out = 2a, 4M + 4S. Right for infinity too (Z stays 0). Constant-time. */
static inline void pt_double(struct sm2_jacobian *out, const struct sm2_jacobian *a)
{
	struct sm2_fe y2, m, n, s, t;

	fe_double(&y2, &a->y);
	fe_sqr(&t, &a->z);
	fe_sqr(&s, &y2); /* 4Y^2 */
	fe_sub(&n, &a->x, &t);
	fe_add(&m, &a->x, &t);
	fe_mul(&out->z, &y2, &a->z);
	fe_mul(&m, &m, &n);
	fe_sqr(&t, &s);
	fe_mul(&s, &s, &a->x);
	fe_triple(&m, &m); /* 3(X - Z^2)(X + Z^2) */
	fe_sqr(&n, &m);
	fe_double(&y2, &s);
	fe_halve(&t, &t); /* 8Y^4 */
	fe_sub(&out->x, &n, &y2);
	fe_sub(&s, &s, &out->x);
	fe_mul(&s, &s, &m);
	fe_sub(&out->y, &s, &t);
}

/* What an addition found: H = 0 says that the x coordinates are equal, R = 0 beside it that the points are. */
struct sm2_meeting {
	struct sm2_fe h, r;
};

/* The common end of Jacobian additions: u1, s1 are X1, Y1 over the common denominator, z is Z1·Z2. */
static inline void pt_add_end(struct sm2_jacobian *out, const struct sm2_meeting *m, const struct sm2_fe *u1,
                              const struct sm2_fe *s1, const struct sm2_fe *z)
{
	struct sm2_fe hh, hhh, v, v2, x;

	fe_sqr(&hh, &m->h);
	fe_mul(&out->z, z, &m->h);
	fe_mul(&hhh, &hh, &m->h);
	fe_mul(&v, u1, &hh);
	fe_sqr(&x, &m->r);
	fe_double(&v2, &v);
	fe_sub(&x, &x, &hhh);
	fe_mul(&hhh, &hhh, s1);
	fe_sub(&out->x, &x, &v2);
	fe_sub(&v, &v, &out->x);
	fe_mul(&v, &v, &m->r);
	fe_sub(&out->y, &v, &hhh);
}

/* out = a + b, 8M + 3S. Z = 0 when a is infinity or a = ±b. Constant-time. */
static inline void pt_add_affine(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b,
                                 struct sm2_meeting *m)
{
	struct sm2_fe zz, x = a->x, y = a->y, z = a->z;

	fe_sqr(&zz, &z);
	fe_mul(&m->h, &b->x, &zz);
	fe_mul(&zz, &zz, &z);
	fe_sub(&m->h, &m->h, &x);
	fe_mul(&m->r, &b->y, &zz);
	fe_sub(&m->r, &m->r, &y);
	pt_add_end(out, m, &x, &y, &z);
}

static inline void pt_readd_from(struct sm2_readd *out, const struct sm2_jacobian *a)
{
	out->x = a->x;
	out->y = a->y;
	out->z = a->z;
	fe_sqr(&out->zz, &a->z);
	fe_mul(&out->zzz, &out->zz, &a->z);
}

/* out = a + b, 11M + 3S. Z = 0 when either is infinity or a = ±b. Constant-time. */
static inline void pt_readd(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_readd *b,
                            struct sm2_meeting *m)
{
	struct sm2_fe zz, u1, s1, z;

	fe_sqr(&zz, &a->z);
	fe_mul(&u1, &a->x, &b->zz);
	fe_mul(&m->h, &b->x, &zz);
	fe_mul(&zz, &zz, &a->z);
	fe_sub(&m->h, &m->h, &u1);
	fe_mul(&s1, &a->y, &b->zzz);
	fe_mul(&m->r, &b->y, &zz);
	fe_sub(&m->r, &m->r, &s1);
	fe_mul(&z, &a->z, &b->z);
	pt_add_end(out, m, &u1, &s1, &z);
}

static inline void pt_xyzz_from_jacobian(struct sm2_xyzz *out, const struct sm2_jacobian *a)
{
	out->x = a->x;
	out->y = a->y;
	fe_sqr(&out->zz, &a->z);
	fe_mul(&out->zzz, &out->zz, &a->z);
}

/* Z = ZZ serves: X/ZZ = X·ZZ/ZZ^2, and Y/ZZZ = Y·ZZZ/ZZ^3. */
static inline void pt_xyzz_to_jacobian(struct sm2_jacobian *out, const struct sm2_xyzz *a)
{
	fe_mul(&out->x, &a->x, &a->zz);
	fe_mul(&out->y, &a->y, &a->zzz);
	out->z = a->zz;
}

/* a += b, 8M + 2S. ZZ = 0 when a was infinity or a = ±b. Constant-time. */
static inline void pt_xyzz_add(struct sm2_xyzz *a, const struct sm2_affine *b, struct sm2_meeting *m)
{
	struct sm2_fe pp, ppp, rr, q;

	fe_mul(&m->h, &b->x, &a->zz);
	fe_mul(&m->r, &b->y, &a->zzz);
	fe_sub(&m->h, &m->h, &a->x);
	fe_sub(&m->r, &m->r, &a->y);
	fe_sqr(&pp, &m->h);
	fe_sqr(&rr, &m->r);
	fe_mul(&ppp, &pp, &m->h);
	fe_mul(&q, &a->x, &pp);
	fe_mul(&a->zz, &a->zz, &pp);
	fe_sub(&a->x, &rr, &ppp);
	fe_mul(&a->zzz, &a->zzz, &ppp);
	fe_double(&rr, &q);
	fe_mul(&ppp, &ppp, &a->y);
	fe_sub(&a->x, &a->x, &rr);
	fe_sub(&q, &q, &a->x);
	fe_mul(&q, &q, &m->r);
	fe_sub(&a->y, &q, &ppp);
}

static inline void pt_from_affine(struct sm2_jacobian *out, const struct sm2_affine *a)
{
	out->x = a->x;
	out->y = a->y;
	out->z = (struct sm2_fe){{1, UINT64_C(0xffffffff), 0, UINT64_C(0x100000000)}};
}

#endif
