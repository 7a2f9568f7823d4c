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

/* a = 2a on the curve itself, 7M + 2S. ZZ = 0 stays. */
IFMA_TARGET static void twice(struct xyzw8 *a)
{
	struct fe8 u = fe8_carry(fe8_times(a->y, 1)), v = fe8_sqr(&u), w = fe8_mul(&u, &v), s = fe8_mul(&a->x, &v), t;
	struct fe8 less = fe8_sub(a->x, a->zz), more = fe8_carry(fe8_add(a->x, a->zz)), m = fe8_mul_loose(&less, &more);

	m = fe8_fold(fe8_add(fe8_times(m, 1), m)); /* 3(X - ZZ)(X + ZZ) */
	a->x = fe8_fold(fe8_add_p(fe8_minus(fe8_sqr_loose(&m), fe8_times(s, 1)), 5));
	a->zz = fe8_mul(&a->zz, &v);
	s = fe8_sub(s, a->x);
	t = fe8_minus(fe8_mul_loose(&m, &s), fe8_mul_loose(&w, &a->y));
	a->w = fe8_mul(&a->w, &w);
	a->y = fe8_fold(fe8_add_p(t, 2));
}

/* Affine form of n points, none of them infinity, by one inversion. */
IFMA_TARGET static void normalise(struct affine8 *out, const struct xyzw8 *in, int n)
{
	struct fe8 z[MULTIPLES], before[MULTIPLES], run, t, u;

	for (int i = 0; i < n; i++) {
		z[i] = fe8_mul(&in[i].zz, &in[i].w);
		before[i] = run = i == 0 ? z[0] : fe8_mul(&run, &z[i]);
	}
	run = fe8_fold(fe8_times(fe8_invert_quarter(&run), 2));
	for (int i = n - 1; i >= 0; i--) {
		t = i == 0 ? run : fe8_mul(&run, &before[i - 1]);
		run = fe8_mul(&run, &z[i]);
		u = fe8_mul(&t, &in[i].w); /* 1/ZZ */
		out[i].x = fe8_mul(&in[i].x, &u);
		u = fe8_mul(&t, &in[i].zz); /* 1/W */
		out[i].y = fe8_mul(&in[i].y, &u);
	}
}

/* From the isomorphic curve to the curve itself: (x 2^-4, 4y 2^-6) to (x, 4y). */
IFMA_TARGET static struct affine8 load_keys(const struct sm2_affine *const key[FE8_LANES])
{
	const struct fe8 z = sixteen(), zz = fe8_sixty_four();
	struct terms t = {.minus = 0};
	struct affine8 e;

	for (int l = 0; l < FE8_LANES; l++)
		t.at[l] = key[l];
	e = load_terms(&t);
	e.x = fe8_mul(&e.x, &z);
	e.y = fe8_mul(&e.y, &zz);
	return e;
}

/* P, 3P .. 15P. */
IFMA_TARGET static void odd_multiples(struct affine8 out[MULTIPLES], const struct sm2_affine *const key[FE8_LANES])
{
	struct xyzw8 sum[MULTIPLES];
	struct affine8 p = load_keys(key), two;

	start(&sum[0], &p);
	sum[1] = sum[0];
	twice(&sum[1]);
	normalise(&two, &sum[1], 1);
	for (int i = 1; i < MULTIPLES; i++) {
		sum[i] = sum[i - 1];
		add_affine(&sum[i], &two);
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

IFMA_TARGET static void multiply(struct xyzw8 *sum, const struct sm2_affine *const key[FE8_LANES],
                                 const struct sm2_claim claim[FE8_LANES])
{
	struct affine8 multiple[MULTIPLES], e;
	struct nibbles n;

	nibbles_of(&n, claim);
	odd_multiples(multiple, key);
	e = pick(multiple, &n, NIBBLES - 1);
	start(sum, &e);
	for (int i = NIBBLES - 2; i >= 0; i--) {
		for (int k = 0; k < 4; k++)
			twice(sum);
		e = pick(multiple, &n, i);
		add_affine(sum, &e);
	}
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

/* ZZ becomes 16 ZZ and ZZZ 64 ZZZ for the isomorphic curve. */
IFMA_TARGET void sm2_core_lanes_ifma(struct sm2_fe x[FE8_LANES], struct sm2_fe zz[FE8_LANES],
                                     const struct sm2_affine *const key[FE8_LANES],
                                     const struct sm2_claim claim[FE8_LANES])
{
	const struct fe8 z16 = sixteen(), z64 = fe8_sixty_four();
	struct affine8 e;
	struct xyzw8 sum;

	multiply(&sum, key, claim);
	sum.zz = fe8_mul(&sum.zz, &z16);
	sum.w = fe8_mul(&sum.w, &z64);
	for (int i = 0; i < SM2_WINDOWS; i++) {
		struct terms t = base_terms(claim, i);

		e = load_terms(&t);
		add_affine(&sum, &e);
	}
	fe8_to_lanes(x, &sum.x);
	fe8_to_lanes(zz, &sum.zz);
}
#endif
