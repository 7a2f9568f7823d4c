/*
 * Eight elements of SM2's field at once, one in each lane of AVX-512 IFMA: radix 2^52, Montgomery form with R = 2^260.
 * Private to the IFMA files and their tests; whoever calls in has asked cpu.h. Nothing here branches on values.
 *
 * Two states of an element (value: the sum of limb[i] * 2^(52 i), congruent to what is meant):
 * tight  limbs in [0, 2^52), value below 4p: what a multiplication takes, since IFMA reads 52 bits of a limb;
 * loose  limbs signed, below 2^56 in size, value between -p and 3p: what is only added and subtracted.
 */
#ifndef YZ_CRYPTO_SM2_IFMA_FIELD_H
#define YZ_CRYPTO_SM2_IFMA_FIELD_H

#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

enum { FE8_LIMBS = 5, FE8_LANES = 8, FE8_BITS = 52 };

struct fe8 {
	__m512i v[FE8_LIMBS];
};

#define IFMA_TARGET __attribute__((target("avx512f,avx512ifma")))
#define IFMA_INLINE static inline __attribute__((target("avx512f,avx512ifma"), always_inline))

/* Limbs are registers only where their loops are unrolled; gcc does that at -O3 alone. */
#ifdef __clang__
#define FE8_UNROLL _Pragma("clang loop unroll(full)")
#else
#define FE8_UNROLL _Pragma("GCC unroll 16")
#endif

#define FE8_MASK ((long long)((1ULL << FE8_BITS) - 1))

/* p = 2^256 - 2^224 - 2^96 + 2^64 - 1 = -1 + 2^52 FOLD_1 - 2^104 + 2^208 FOLD_4: a multiple q p takes four products. */
#define FE8_FOLD_1 0x000ff00000001000LL
#define FE8_FOLD_4 0x0000ffffffff0000LL

/* Multiples of p, limb by limb; not in radix form, to be added to signed limbs. */
#define FE8_P_0 0xfffffffffffffLL
#define FE8_P_1 0xff00000000fffLL
#define FE8_P_2 0xfffffffffffffLL
#define FE8_P_3 0xfffffffffffffLL
#define FE8_P_4 0x0fffffffeffffLL

IFMA_INLINE __m512i fe8_word(long long x)
{
	return _mm512_set1_epi64(x);
}

/* Low and high halves of the 104-bit products, added to t. */
IFMA_INLINE __m512i fe8_lo(__m512i t, __m512i a, __m512i b)
{
	return _mm512_madd52lo_epu64(t, a, b);
}

IFMA_INLINE __m512i fe8_hi(__m512i t, __m512i a, __m512i b)
{
	return _mm512_madd52hi_epu64(t, a, b);
}

/* a + k p, loose; k small. */
IFMA_INLINE struct fe8 fe8_add_p(struct fe8 a, int k)
{
	a.v[0] = _mm512_add_epi64(a.v[0], fe8_word(k * FE8_P_0));
	a.v[1] = _mm512_add_epi64(a.v[1], fe8_word(k * FE8_P_1));
	a.v[2] = _mm512_add_epi64(a.v[2], fe8_word(k * FE8_P_2));
	a.v[3] = _mm512_add_epi64(a.v[3], fe8_word(k * FE8_P_3));
	a.v[4] = _mm512_add_epi64(a.v[4], fe8_word(k * FE8_P_4));
	return a;
}

/* Limb by limb: the result is loose at best. */
IFMA_INLINE struct fe8 fe8_add(struct fe8 a, struct fe8 b)
{
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		a.v[i] = _mm512_add_epi64(a.v[i], b.v[i]);
	return a;
}

IFMA_INLINE struct fe8 fe8_minus(struct fe8 a, struct fe8 b)
{
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		a.v[i] = _mm512_sub_epi64(a.v[i], b.v[i]);
	return a;
}

/* 2^k a: shifted limb by limb. */
IFMA_INLINE struct fe8 fe8_times(struct fe8 a, unsigned k)
{
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		a.v[i] = _mm512_slli_epi64(a.v[i], k);
	return a;
}

/* Lanes of `mask` negated; loose. */
IFMA_INLINE struct fe8 fe8_negate(struct fe8 a, __mmask8 mask)
{
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		a.v[i] = _mm512_mask_sub_epi64(a.v[i], mask, _mm512_setzero_si512(), a.v[i]);
	return a;
}

/* Lanes of `mask` are b's. */
IFMA_INLINE struct fe8 fe8_select(struct fe8 a, __mmask8 mask, struct fe8 b)
{
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		a.v[i] = _mm512_mask_mov_epi64(a.v[i], mask, b.v[i]);
	return a;
}

/* Signed limbs with a value in [0, 2^260) to limbs in [0, 2^52). */
IFMA_INLINE struct fe8 fe8_carry(struct fe8 a)
{
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS - 1; i++) {
		a.v[i + 1] = _mm512_add_epi64(a.v[i + 1], _mm512_srai_epi64(a.v[i], FE8_BITS));
		a.v[i] = _mm512_and_si512(a.v[i], fe8_word(FE8_MASK));
	}
	return a;
}

/* a - b + 2p, tight, when both are loose and a - b lies between -2p and 2p. */
IFMA_INLINE struct fe8 fe8_sub(struct fe8 a, struct fe8 b)
{
	return fe8_carry(fe8_add_p(fe8_minus(a, b), 2));
}

/* A value between 0 and 15p, limbs below 2^59 in size, to a tight one below p + 2^230: what lies above 2^256 is folded
 * as h p is subtracted. The other limbs make the top one at most 2^7 wrong; h is taken as if 2^8 less were there, so
 * that the value stays positive. */
IFMA_INLINE struct fe8 fe8_fold(struct fe8 a)
{
	__m512i h = _mm512_srai_epi64(_mm512_sub_epi64(a.v[4], fe8_word(256)), 48);

	a.v[0] = _mm512_add_epi64(a.v[0], h);
	a.v[1] = _mm512_add_epi64(a.v[1], _mm512_sub_epi64(_mm512_slli_epi64(h, 44), _mm512_slli_epi64(h, 12)));
	a.v[4] = _mm512_add_epi64(a.v[4], _mm512_sub_epi64(_mm512_slli_epi64(h, 16), _mm512_slli_epi64(h, 48)));
	return fe8_carry(a);
}

/* ---- multiplication ------------------------------------------------------------------------- */

IFMA_INLINE void fe8_row(__m512i *t, __m512i a, const struct fe8 *b)
{
	FE8_UNROLL
	for (int j = 0; j < FE8_LIMBS; j++) {
		t[j] = fe8_lo(t[j], a, b->v[j]);
		t[j + 1] = fe8_hi(t[j + 1], a, b->v[j]);
	}
}

/* One limb less: t[0] + q p has no bits below 2^52 for q = t[0] mod 2^52, as p = -1 mod 2^52. */
IFMA_INLINE void fe8_reduce_limb(__m512i *t)
{
	t[1] = fe8_lo(t[1], t[0], fe8_word(FE8_FOLD_1));
	t[1] = _mm512_add_epi64(t[1], _mm512_srai_epi64(t[0], FE8_BITS));
	t[2] = fe8_hi(t[2], t[0], fe8_word(FE8_FOLD_1));
	t[2] = _mm512_sub_epi64(t[2], _mm512_and_si512(t[0], fe8_word(FE8_MASK)));
	t[4] = fe8_lo(t[4], t[0], fe8_word(FE8_FOLD_4));
	t[5] = fe8_hi(t[5], t[0], fe8_word(FE8_FOLD_4));
}

/* Ten columns / 2^260 mod p; limbs below 2^56, value below 2p when that of the columns was below 16 p^2. */
IFMA_INLINE struct fe8 fe8_reduce(__m512i *t)
{
	struct fe8 r;

	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		fe8_reduce_limb(t + i);
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		r.v[i] = t[FE8_LIMBS + i];
	return r;
}

/* a b / 2^260 mod p, loose. */
IFMA_INLINE struct fe8 fe8_mul_loose(const struct fe8 *a, const struct fe8 *b)
{
	__m512i t[2 * FE8_LIMBS];

	FE8_UNROLL
	for (int i = 0; i < 2 * FE8_LIMBS; i++)
		t[i] = _mm512_setzero_si512();
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		fe8_row(t + i, a->v[i], b);
	return fe8_reduce(t);
}

IFMA_INLINE struct fe8 fe8_mul(const struct fe8 *a, const struct fe8 *b)
{
	return fe8_carry(fe8_mul_loose(a, b));
}

IFMA_INLINE struct fe8 fe8_sqr_loose(const struct fe8 *a)
{
	__m512i t[2 * FE8_LIMBS];

	FE8_UNROLL
	for (int i = 0; i < 2 * FE8_LIMBS; i++)
		t[i] = _mm512_setzero_si512();
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		FE8_UNROLL
	for (int j = i + 1; j < FE8_LIMBS; j++) {
		t[i + j] = fe8_lo(t[i + j], a->v[i], a->v[j]);
		t[i + j + 1] = fe8_hi(t[i + j + 1], a->v[i], a->v[j]);
	}
	FE8_UNROLL
	for (int i = 0; i < 2 * FE8_LIMBS; i++)
		t[i] = _mm512_add_epi64(t[i], t[i]);
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++) {
		t[2 * i] = fe8_lo(t[2 * i], a->v[i], a->v[i]);
		t[2 * i + 1] = fe8_hi(t[2 * i + 1], a->v[i], a->v[i]);
	}
	return fe8_reduce(t);
}

IFMA_INLINE struct fe8 fe8_sqr(const struct fe8 *a)
{
	return fe8_carry(fe8_sqr_loose(a));
}

/* ---- four words of 64 bits and five limbs of 52 --------------------------------------------- */

/* Lanes of w[0..3], least significant first. */
IFMA_INLINE struct fe8 fe8_from_words(const __m512i *w)
{
	const __m512i mask = fe8_word(FE8_MASK);
	struct fe8 r;

	r.v[0] = _mm512_and_si512(w[0], mask);
	FE8_UNROLL
	for (unsigned i = 1; i < 4; i++) {
		__m512i low = _mm512_srli_epi64(w[i - 1], 64 - 12 * i), high = _mm512_slli_epi64(w[i], 12 * i);

		r.v[i] = _mm512_and_si512(_mm512_or_si512(low, high), mask);
	}
	r.v[4] = _mm512_srli_epi64(w[3], 16);
	return r;
}

/* Of limbs in [0, 2^52) and a value below 2^257: four words, and the bit above them in w[4]. */
IFMA_INLINE void fe8_to_words(const struct fe8 *a, __m512i *w)
{
	FE8_UNROLL
	for (unsigned i = 0; i < 4; i++)
		w[i] = _mm512_or_si512(_mm512_srli_epi64(a->v[i], 12 * i), _mm512_slli_epi64(a->v[i + 1], 52 - 12 * i));
	w[4] = _mm512_srli_epi64(a->v[4], 48);
}

/* Rows to columns, 8 by 8 words. */
IFMA_INLINE void fe8_transpose(__m512i r[8])
{
	__m512i a[8], b[8];

	FE8_UNROLL
	for (int i = 0; i < 8; i += 2) {
		a[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
		a[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
	}
	FE8_UNROLL
	for (int i = 0; i < 8; i += 4)
		FE8_UNROLL
	for (int j = 0; j < 2; j++) {
		b[i + j] = _mm512_shuffle_i64x2(a[i + j], a[i + j + 2], 0x88);
		b[i + j + 2] = _mm512_shuffle_i64x2(a[i + j], a[i + j + 2], 0xdd);
	}
	FE8_UNROLL
	for (int j = 0; j < 4; j++) {
		r[j] = _mm512_shuffle_i64x2(b[j], b[j + 4], 0x88);
		r[j + 4] = _mm512_shuffle_i64x2(b[j], b[j + 4], 0xdd);
	}
}

#endif
#endif
