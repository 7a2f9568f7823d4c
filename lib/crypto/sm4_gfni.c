/* SM4, 32 blocks side by side with GFNI and AVX-512. */
#include "crypto/sm4.h"

#if defined(__x86_64__)
#include "crypto/rand.h"

#include <immintrin.h>

/* As in sm4_aesni.c, with the affine maps and the inversion of AES' field as instructions of their own: a matrix of
 * 8 x 8 bits, its last row first, and a constant. */
#define SM4_TARGET __attribute__((target("gfni,avx512f,avx512bw")))
#define SM4_LANES  sm4_ctr32_gfni
#define V          __m512i

#define BEFORE       _mm512_set1_epi64(0x4c287db91a22505d)
#define BEFORE_CONST 0x3e
#define AFTER        _mm512_set1_epi64((long long)0xf3ab34a974a6b589)
#define AFTER_CONST  0xd3

#define XOR(a, b)     _mm512_xor_si512(a, b)
#define XOR3(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0x96)
#define SPLAT(v)      _mm512_set1_epi32((int)(v))
#define ADD(a, b)     _mm512_add_epi32(a, b)
#define ORDER         _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
#define SWAP(v)                                                                                                        \
	_mm512_shuffle_epi8(v, _mm512_broadcast_i32x4(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)))
#define LOW32(a, b)  _mm512_unpacklo_epi32(a, b)
#define HIGH32(a, b) _mm512_unpackhi_epi32(a, b)
#define LOW64(a, b)  _mm512_unpacklo_epi64(a, b)
#define HIGH64(a, b) _mm512_unpackhi_epi64(a, b)
#define LOAD(p)      _mm512_loadu_si512(p)
#define STORE(p, v)  _mm512_storeu_si512(p, v)

#define SUBST(v)                                                                                                       \
	_mm512_gf2p8affineinv_epi64_epi8(_mm512_gf2p8affine_epi64_epi8(v, BEFORE, BEFORE_CONST), AFTER, AFTER_CONST)

SM4_TARGET static inline __m512i linear(__m512i v)
{
	__m512i a = XOR3(v, _mm512_rol_epi32(v, 2), _mm512_rol_epi32(v, 10));

	return XOR3(a, _mm512_rol_epi32(v, 18), _mm512_rol_epi32(v, 24));
}

#define LINEAR(v) linear(v)

enum { WIDE = 4, GROUPS = 2 };

#include "crypto/sm4_lanes.h"

#else
typedef int no_gfni_here; /* a file must declare something */
#endif
