/* Eight verifications of keys without tables, one in each lane of AVX-512 IFMA: sixteen multiples of the key in affine
 * form, 252 doublings and 63 additions by windows of four bits, then 32 additions of the base point's entries.
 *
 * Doublings use that a = -3, so t·P is summed on the curve itself; the base point's entries lie on the isomorphic one
 * of sm2_ifma_point.h, to which the sum goes over by its denominators. */
#include "crypto/sm2_core_ops.h"
#include "crypto/sm2_ifma_lanes.h"
#include "crypto/sm2_ifma_point.h"

#ifdef __x86_64__

enum { NIBBLES = 64, MULTIPLES = 8 };

/* t of each lane as 64 odd signed digits of four bits, least significant first. */
struct nibbles {
	uint8_t at[NIBBLES][FE8_LANES]; /* the multiple is 2·at + 1 */
	uint8_t minus[NIBBLES];         /* lanes */
};

static void put_nibble(struct nibbles *out, int i, int lane, int digit)
{
	out->at[i][lane] = (uint8_t)((digit < 0 ? -digit : digit) / 2);
	out->minus[i] |= (uint8_t)((digit < 0) << lane);
}

/* An odd digit d of eight bits is 16·high + low with both odd: low is d mod 32, less 16. */
static void nibbles_of(struct nibbles *out, const struct sm2_claim claim[FE8_LANES])
{
	*out = (struct nibbles){0};
	for (int l = 0; l < FE8_LANES; l++) {
		for (int i = 0; i < SM2_WINDOWS; i++) {
			int size = 2 * (claim[l].t.at[i] & 127) + 1, d = claim[l].t.at[i] >> 7 != 0 ? -size : size;
			int low = (d & 31) - 16;

			put_nibble(out, 2 * i, l, low);
			put_nibble(out, 2 * i + 1, l, (d - low) / 16);
		}
	}
}

/* (X/Z^2, Y/Z^3), each tight and below 2p. */
struct jacobian8 {
	struct fe8 x, y, z;
};

/* a = 2a, 3M + 5S. Z = 0 stays. */
IFMA_TARGET static void twice(struct jacobian8 *a)
{
	struct fe8 zz = fe8_sqr(&a->z), yy = fe8_sqr(&a->y), yz = fe8_carry(fe8_add(a->y, a->z)), m, b, t;
	struct fe8 less = fe8_sub(a->x, zz), more = fe8_carry(fe8_add(a->x, zz));

	t = fe8_minus(fe8_minus(fe8_sqr_loose(&yz), zz), yy);
	a->z = fe8_fold(fe8_add_p(t, 4));
	m = fe8_mul_loose(&less, &more);
	m = fe8_fold(fe8_add(fe8_times(m, 1), m)); /* 3(X - Z^2)(X + Z^2) */
	yy = fe8_carry(fe8_times(yy, 1));
	b = fe8_mul(&a->x, &yy); /* 2XY^2 */
	a->x = fe8_fold(fe8_add_p(fe8_minus(fe8_sqr_loose(&m), fe8_times(b, 2)), 9));
	b = fe8_fold(fe8_add_p(fe8_minus(fe8_times(b, 1), a->x), 2));
	t = fe8_minus(fe8_mul_loose(&m, &b), fe8_times(fe8_sqr_loose(&yy), 1));
	a->y = fe8_fold(fe8_add_p(t, 5));
}

/* a += b, 8M + 3S; b.y is the coordinate itself. Z = 0 stays, and is what becomes of equal or opposite points. */
IFMA_TARGET static void add_multiple(struct jacobian8 *a, const struct affine8 *b)
{
	struct fe8 zz = fe8_sqr(&a->z), zzz = fe8_mul(&zz, &a->z), h, r, t, v;

	h = fe8_sub(fe8_mul_loose(&b->x, &zz), a->x);
	r = fe8_sub(fe8_mul_loose(&b->y, &zzz), a->y);
	a->z = fe8_fold(fe8_mul_loose(&a->z, &h));
	zz = fe8_sqr(&h);
	zzz = fe8_mul(&zz, &h);
	v = fe8_mul(&a->x, &zz);
	t = fe8_minus(fe8_minus(fe8_sqr_loose(&r), zzz), fe8_times(v, 1));
	a->x = fe8_fold(fe8_add_p(t, 6));
	v = fe8_sub(v, a->x);
	t = fe8_minus(fe8_mul_loose(&r, &v), fe8_mul_loose(&a->y, &zzz));
	a->y = fe8_fold(fe8_add_p(t, 2));
}

/* The denominators that make X and Y the numbers of a point (x 2^-4, y 2^-6): ZZ = 16 Z^2, ZZZ = 64 Z^3 = 4 W. */
IFMA_TARGET static void put_denominators(struct xyzw8 *out, const struct fe8 *z)
{
	const struct fe8 z16 = sixteen();
	struct fe8 zz = fe8_sqr(z), zzz = fe8_mul(&zz, z);

	out->zz = fe8_mul(&zz, &z16);
	out->w = fe8_mul(&zzz, &z16);
}

/* Affine form of n points, none of them infinity, by one inversion; y is the coordinate itself. */
IFMA_TARGET static void normalise(struct affine8 *out, const struct xyzw8 *in, int n)
{
	struct fe8 z[MULTIPLES], before[MULTIPLES], run, t, u;

	for (int i = 0; i < n; i++) {
		z[i] = fe8_mul(&in[i].zz, &in[i].w);
		before[i] = run = i == 0 ? z[0] : fe8_mul(&run, &z[i]);
	}
	run = fe8_invert_quarter(&run);
	for (int i = n - 1; i >= 0; i--) {
		t = i == 0 ? run : fe8_mul(&run, &before[i - 1]);
		run = fe8_mul(&run, &z[i]);
		u = fe8_mul(&t, &in[i].w); /* 1/4ZZ */
		out[i].x = fe8_fold(fe8_times(fe8_mul_loose(&in[i].x, &u), 2));
		u = fe8_mul(&t, &in[i].zz); /* 1/ZZZ */
		out[i].y = fe8_mul(&in[i].y, &u);
	}
}

/* From (x 2^-4, 4y 2^-6) on the isomorphic curve to (x, y). */
IFMA_TARGET static struct affine8 load_keys(const struct sm2_affine *const key[FE8_LANES])
{
	const struct fe8 z = sixteen();
	struct terms t = {.minus = 0};
	struct affine8 e;

	for (int l = 0; l < FE8_LANES; l++)
		t.at[l] = key[l];
	e = load_terms(&t);
	e.x = fe8_mul(&e.x, &z);
	e.y = fe8_mul(&e.y, &z);
	return e;
}

/* What add_affine() and start() take. */
IFMA_TARGET static struct affine8 fourfold(struct affine8 e)
{
	e.y = fe8_fold(fe8_times(e.y, 2));
	return e;
}

/* 1, as 2^260 mod p. */
IFMA_INLINE struct fe8 one(void)
{
	struct fe8 r = {{fe8_word(0x10), fe8_word(0xffffffff0000), fe8_word(0x0), fe8_word(0x0), fe8_word(0x100000)}};
	return r;
}

/* 2a. */
IFMA_TARGET static struct affine8 double_of(const struct affine8 *a)
{
	struct jacobian8 j = {a->x, a->y, one()};
	const struct fe8 z16 = sixteen(), z64 = fe8_sixty_four();
	struct xyzw8 sum;
	struct affine8 out;

	twice(&j);
	put_denominators(&sum, &j.z);
	sum.x = fe8_mul(&j.x, &z16);
	sum.y = fe8_mul(&j.y, &z64);
	normalise(&out, &sum, 1);
	return out;
}

/* P, 3P .. 15P. */
IFMA_TARGET static void odd_multiples(struct affine8 out[MULTIPLES], const struct sm2_affine *const key[FE8_LANES])
{
	struct xyzw8 sum[MULTIPLES];
	struct affine8 p = load_keys(key), step = fourfold(double_of(&p));

	p = fourfold(p);
	start(&sum[0], &p);
	for (int i = 1; i < MULTIPLES; i++) {
		sum[i] = sum[i - 1];
		add_affine(&sum[i], &step);
	}
	normalise(out, sum, MULTIPLES);
}

/* Each lane its own multiple. */
IFMA_INLINE struct affine8 pick(const struct affine8 multiple[MULTIPLES], const struct nibbles *n, int i)
{
	const __m512i at = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)n->at[i]));
	struct affine8 e = multiple[0];

	for (int j = 1; j < MULTIPLES; j++) {
		__mmask8 here = _mm512_cmpeq_epi64_mask(at, fe8_word(j));

		e.x = fe8_select(e.x, here, multiple[j].x);
		e.y = fe8_select(e.y, here, multiple[j].y);
	}
	e.y = fe8_carry(fe8_add_p(fe8_negate(e.y, n->minus[i]), 2));
	return e;
}

/* t·P, its denominators those of the isomorphic curve. */
IFMA_TARGET static void multiply(struct xyzw8 *out, const struct sm2_affine *const key[FE8_LANES],
                                 const struct sm2_claim claim[FE8_LANES])
{
	struct affine8 multiple[MULTIPLES], e;
	struct jacobian8 sum = {.z = one()};
	struct nibbles n;

	nibbles_of(&n, claim);
	odd_multiples(multiple, key);
	e = pick(multiple, &n, NIBBLES - 1);
	sum.x = fe8_fold(e.x);
	sum.y = fe8_fold(e.y);
	for (int i = NIBBLES - 2; i >= 0; i--) {
		for (int k = 0; k < 4; k++)
			twice(&sum);
		e = pick(multiple, &n, i);
		add_multiple(&sum, &e);
	}
	out->x = sum.x;
	out->y = sum.y;
	put_denominators(out, &sum.z);
}

static struct terms base_terms(const struct sm2_claim claim[FE8_LANES], int window)
{
	const struct sm2_table *base = sm2_table_base();
	struct terms t = {.minus = 0};

	for (int l = 0; l < FE8_LANES; l++) {
		unsigned digit = claim[l].s.at[window];

		t.at[l] = &base->at[window][digit % SM2_ENTRIES];
		t.minus |= digit >> 7 << l;
	}
	return t;
}

IFMA_TARGET void sm2_core_lanes_ifma(struct sm2_fe x[FE8_LANES], struct sm2_fe zz[FE8_LANES],
                                     const struct sm2_affine *const key[FE8_LANES],
                                     const struct sm2_claim claim[FE8_LANES])
{
	struct affine8 e;
	struct xyzw8 sum;

	multiply(&sum, key, claim);
	for (int i = 0; i < SM2_WINDOWS; i++) {
		struct terms t = base_terms(claim, i);

		e = load_terms(&t);
		add_affine(&sum, &e);
	}
	fe8_to_lanes(x, &sum.x);
	fe8_to_lanes(zz, &sum.zz);
}
#endif
