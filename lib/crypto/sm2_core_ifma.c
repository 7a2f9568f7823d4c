/* One verification's 64 table entries summed in the eight lanes of AVX-512 IFMA: lane l takes the windows l, l + 8,
 * l + 16 and l + 24 of both tables, then the lanes are merged in three steps.
 *
 * As in sm2_ifma.c the tables are read as Montgomery form with R = 2^260: that gives x 2^-4 and y 2^-4 where an
 * isomorphic curve has x 2^-4 and y 2^-6. Here the denominator pays for the difference: W is ZZZ/4 throughout, so that
 * y's four-fold times W is y·ZZZ. Additions use neither a nor b; the quotient X/ZZ is x 2^-4. */
#include "crypto/sm2_core_ops.h"

#ifdef __x86_64__
#include "crypto/sm2_field_portable.h"
#include "crypto/sm2_ifma_field.h"

/* (X/ZZ, Y/4W), each tight and below 2p. */
struct xyzw8 {
	struct fe8 x, y, zz, w;
};

struct affine8 {
	struct fe8 x, y; /* y: four times the coordinate */
};

/* One window of each lane. */
IFMA_INLINE struct affine8 entries_of(const struct sm2_table *table, const struct sm2_digits *d, int first)
{
	struct affine8 e;
	__m512i row[FE8_LANES];
	unsigned minus = 0;

	for (int l = 0; l < FE8_LANES; l++) {
		unsigned digit = d->at[first + l];

		row[l] = _mm512_load_si512(&table->at[first + l][digit % SM2_ENTRIES]);
		minus |= digit >> 7 << l;
	}
	fe8_transpose(row);
	e.x = fe8_from_words(row);
	e.y = fe8_carry(fe8_add_p(fe8_negate(fe8_from_words(row + 4), (__mmask8)minus), 1));
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
IFMA_INLINE void add_entries(struct xyzw8 *a, const struct affine8 *b)
{
	struct fe8 p = fe8_sub(fe8_mul_loose(&b->x, &a->zz), a->x), r = fe8_sub(fe8_mul_loose(&b->y, &a->w), a->y);

	add_end(a, &a->x, &a->y, &p, &r);
}

IFMA_INLINE struct fe8 swapped(struct fe8 a, __m512i with)
{
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		a.v[i] = _mm512_permutexvar_epi64(with, a.v[i]);
	return a;
}

/* Each lane adds the one whose number differs in bit `step`; both get the same sum. */
IFMA_INLINE void merge(struct xyzw8 *a, int step)
{
	const __m512i with = _mm512_xor_si512(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi64(step));
	struct fe8 w4 = fe8_fold(fe8_times(a->w, 2)), zz = swapped(a->zz, with), w, u, s, p, r;

	w = swapped(w4, with);
	u = fe8_mul(&a->x, &zz);
	s = fe8_mul(&a->y, &w);
	p = fe8_sub(swapped(u, with), u);
	r = fe8_sub(swapped(s, with), s);
	a->zz = fe8_mul(&a->zz, &zz);
	a->w = fe8_mul(&a->w, &w);
	add_end(a, &u, &s, &p, &r);
}

/* Lane 0 of a tight element below 2p, reduced below p. */
IFMA_TARGET static void lane0(struct sm2_fe *out, const struct fe8 *a)
{
	__m512i words[5];
	uint64_t t[5];

	fe8_to_words(a, words);
	for (int i = 0; i < 5; i++)
		t[i] = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(words[i]));
	sm2_fe_final(out, t, t[4]);
}

/* Of the first entries; ZZ = W = 16, as 2^264 mod p, and ZZZ = 64. */
IFMA_INLINE void start(struct xyzw8 *a, const struct affine8 *e)
{
	const struct fe8 sixteen = {
	    {fe8_word(0x100), fe8_word(0xffffffff00000), fe8_word(0x0), fe8_word(0x0), fe8_word(0x1000000)}};

	a->x = fe8_mul(&e->x, &sixteen);
	a->y = fe8_mul(&e->y, &sixteen);
	a->zz = sixteen;
	a->w = sixteen;
}

static void prefetch(const struct sm2_table *table, const struct sm2_digits *d)
{
	for (int i = 0; i < SM2_WINDOWS; i++)
		__builtin_prefetch(&table->at[i][d->at[i] % SM2_ENTRIES]);
}

IFMA_TARGET void sm2_core_known_ifma(struct sm2_fe *x, struct sm2_fe *zz, const struct sm2_table *base,
                                     const struct sm2_table *key, const struct sm2_claim *claim)
{
	struct xyzw8 sum;
	struct affine8 e;

	prefetch(base, &claim->s);
	prefetch(key, &claim->t);
	e = entries_of(base, &claim->s, 0);
	start(&sum, &e);
	for (int first = FE8_LANES; first < 2 * SM2_WINDOWS; first += FE8_LANES) {
		bool of_key = first >= SM2_WINDOWS;

		e = entries_of(of_key ? key : base, of_key ? &claim->t : &claim->s, first % SM2_WINDOWS);
		add_entries(&sum, &e);
	}
	for (int step = 1; step < FE8_LANES; step <<= 1)
		merge(&sum, step);
	lane0(x, &sum.x);
	lane0(zz, &sum.zz);
}
#endif
