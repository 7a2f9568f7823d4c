/* SM3, 16 messages side by side with AVX-512 F and BW: rotations and functions of three are one instruction each. */
#include "crypto/sm3_many.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define SM3_TARGET __attribute__((target("avx512f,avx512bw")))
#define SM3_LANES  sm3_lanes16_avx512
#define LANES      16
#define V          __m512i

#define ADD(x, y) _mm512_add_epi32(x, y)
#define XOR(x, y) _mm512_xor_si512(x, y)
#define SPLAT(x)  _mm512_set1_epi32((int)(x))
#define ROL(x, n) _mm512_rol_epi32(x, n)

/* The last operand is the truth table, read at 4x + 2y + z. */
#define XOR3(x, y, z)   _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define MAJ(x, y, z)    _mm512_ternarylogic_epi32(x, y, z, 0xe8)
#define CHOOSE(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)

#define P0(x) XOR3(x, ROL(x, 9), ROL(x, 17))
#define P1(x) XOR3(x, ROL(x, 15), ROL(x, 23))

/* gcc at -O2 leaves small loops alone, and their arrays in memory then; clang knows the pragma, too. */
#define UNROLL _Pragma("GCC unroll 16")

#define LOAD(p)     _mm512_load_si512(p)
#define STORE(p, x) _mm512_store_si512(p, x)

/* A 16x16 transposition: by pairs, pairs of pairs, then quarters. */
SM3_TARGET static inline void load_words(V w[16], const uint8_t *const at[16])
{
	const V swap = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
	V r[16], p[16];

	UNROLL
	for (size_t i = 0; i < 16; i++)
		r[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(at[i]), swap);
	UNROLL
	for (size_t i = 0; i < 16; i += 2) {
		p[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
		p[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
	}
	/* r[4g + k]: word k of each quarter, of blocks 4g .. 4g + 3 */
	UNROLL
	for (size_t i = 0; i < 16; i += 4) {
		r[i] = _mm512_unpacklo_epi64(p[i], p[i + 2]);
		r[i + 1] = _mm512_unpackhi_epi64(p[i], p[i + 2]);
		r[i + 2] = _mm512_unpacklo_epi64(p[i + 1], p[i + 3]);
		r[i + 3] = _mm512_unpackhi_epi64(p[i + 1], p[i + 3]);
	}
	/* A 4x4 transposition of quarters, for each k. */
	UNROLL
	for (size_t k = 0; k < 4; k++) {
		V even_low = _mm512_shuffle_i32x4(r[k], r[k + 4], 0x88), odd_low = _mm512_shuffle_i32x4(r[k], r[k + 4], 0xdd);
		V even_high = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0x88);
		V odd_high = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0xdd);

		w[k] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
		w[k + 4] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
		w[k + 8] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
		w[k + 12] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
	}
}

#define LOAD_WORDS(w, at) load_words(w, at)

#include "crypto/sm3_lanes.h"

#else
typedef int no_avx512_here; /* a file must declare something */
#endif
