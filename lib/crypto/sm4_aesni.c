/* SM4, 16 blocks side by side with AES-NI and SSSE3. */
#include "crypto/sm4.h"

#if defined(__x86_64__)
#include "crypto/rand.h"

#include <immintrin.h>

/*
 * Both S-boxes are an inversion in GF(2^8) between affine maps, so that SM4's is AES' one between two other affine
 * maps: S(x) = after(SubBytes(before(x))). A map of a byte is the sum of maps of its halves, which are table lookups
 * within a register. before and after include the isomorphism from SM4's field (x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1)
 * to that of AES.
 */
#define SM4_TARGET __attribute__((target("aes,ssse3")))
#define SM4_LANES  sm4_ctr32_aesni
#define V          __m128i

#define BEFORE_LOW                                                                                                     \
	_mm_setr_epi8(0x3e, -0x4e, 0x0e, -0x7e, -0x45, 0x37, -0x75, 0x07, -0x5f, 0x2d, -0x6f, 0x1d, 0x24, -0x58, 0x14,     \
	              -0x68)
#define BEFORE_HIGH                                                                                                    \
	_mm_setr_epi8(0x00, -0x24, 0x2e, -0x0e, -0x3b, 0x19, -0x15, 0x37, 0x08, -0x2c, 0x26, -0x06, -0x33, 0x11, -0x1d,    \
	              0x3f)
#define AFTER_LOW                                                                                                      \
	_mm_setr_epi8(0x6c, -0x2c, -0x5a, 0x1e, 0x52, -0x16, -0x68, 0x20, 0x0b, -0x4d, -0x3f, 0x79, 0x35, -0x73, -0x01,    \
	              0x47)
#define AFTER_HIGH                                                                                                     \
	_mm_setr_epi8(0x00, -0x20, 0x50, -0x50, -0x63, 0x7d, -0x33, 0x2d, -0x40, 0x20, -0x70, 0x70, 0x5d, -0x43, 0x0d,     \
	              -0x13)

#define XOR(a, b)     _mm_xor_si128(a, b)
#define XOR3(a, b, c) XOR(XOR(a, b), c)
#define SPLAT(v)      _mm_set1_epi32((int)(v))
#define ADD(a, b)     _mm_add_epi32(a, b)
#define ORDER         _mm_setr_epi32(0, 1, 2, 3)
#define SHUFFLE(v, s) _mm_shuffle_epi8(v, s)
#define SWAP(v)       SHUFFLE(v, _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12))
#define ROL8(v)       SHUFFLE(v, _mm_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14))
#define ROL16(v)      SHUFFLE(v, _mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13))
#define ROL24(v)      SHUFFLE(v, _mm_setr_epi8(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12))
#define LOW32(a, b)   _mm_unpacklo_epi32(a, b)
#define HIGH32(a, b)  _mm_unpackhi_epi32(a, b)
#define LOW64(a, b)   _mm_unpacklo_epi64(a, b)
#define HIGH64(a, b)  _mm_unpackhi_epi64(a, b)
#define LOAD(p)       _mm_loadu_si128((const __m128i *)(const void *)(p))
#define STORE(p, v)   _mm_storeu_si128((__m128i *)(void *)(p), v)

SM4_TARGET static inline __m128i by_halves(__m128i v, __m128i low, __m128i high)
{
	const __m128i half = _mm_set1_epi8(0x0f);

	return XOR(SHUFFLE(low, _mm_and_si128(v, half)), SHUFFLE(high, _mm_and_si128(_mm_srli_epi32(v, 4), half)));
}

/* The last round of AES moves bytes, too (ShiftRows): they are moved back. */
SM4_TARGET static inline __m128i substitute(__m128i v)
{
	const __m128i back = _mm_setr_epi8(0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3);

	v = _mm_aesenclast_si128(by_halves(v, BEFORE_LOW, BEFORE_HIGH), _mm_setzero_si128());
	return by_halves(SHUFFLE(v, back), AFTER_LOW, AFTER_HIGH);
}

/* As x <<< 10 = (x <<< 8) <<< 2 and x <<< 18 = (x <<< 16) <<< 2. */
SM4_TARGET static inline __m128i linear(__m128i v)
{
	__m128i two = XOR3(v, ROL8(v), ROL16(v));

	return XOR3(XOR(v, ROL24(v)), _mm_slli_epi32(two, 2), _mm_srli_epi32(two, 30));
}

#define SUBST(v)  substitute(v)
#define LINEAR(v) linear(v)

enum { WIDE = 1, GROUPS = 4 };

#include "crypto/sm4_lanes.h"

#else
typedef int no_aesni_here; /* a file must declare something */
#endif
