/* What 8 lanes of 256 bits share, with AVX2 as with AVX-512's short vectors: taking the words of 8 blocks. Included
 * where SM3_TARGET is defined. */
#include <immintrin.h>

/* gcc at -O2 leaves small loops alone, and their arrays in memory then; clang knows the pragma, too. */
#define UNROLL _Pragma("GCC unroll 16")

/* The octets of each word in the order that is given. */
#define BYTES(x, a, b, c, d)                                                                                           \
	_mm256_shuffle_epi8(x, _mm256_setr_epi8(a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8,        \
	                                        a + 12, b + 12, c + 12, d + 12, a, b, c, d, a + 4, b + 4, c + 4, d + 4,    \
	                                        a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12, d + 12))
#define SWAP(x) BYTES(x, 3, 2, 1, 0)

#define LOAD(p)     _mm256_load_si256((const __m256i *)(const void *)(p))
#define STORE(p, x) _mm256_store_si256((__m256i *)(void *)(p), x)

/* Words 8 * half .. 8 * half + 7 of eight blocks: an 8x8 transposition by pairs, pairs of pairs, halves. */
SM3_TARGET static inline void load_half(__m256i w[8], const uint8_t *const at[8], size_t half)
{
	__m256i r[8], p[8];

	UNROLL
	for (size_t i = 0; i < 8; i++)
		r[i] = SWAP(_mm256_loadu_si256((const __m256i *)(const void *)(at[i] + 32 * half)));
	UNROLL
	for (size_t i = 0; i < 8; i += 2) {
		p[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
		p[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
	}
	UNROLL
	for (size_t i = 0; i < 8; i += 4) {
		r[i] = _mm256_unpacklo_epi64(p[i], p[i + 2]);
		r[i + 1] = _mm256_unpackhi_epi64(p[i], p[i + 2]);
		r[i + 2] = _mm256_unpacklo_epi64(p[i + 1], p[i + 3]);
		r[i + 3] = _mm256_unpackhi_epi64(p[i + 1], p[i + 3]);
	}
	UNROLL
	for (size_t i = 0; i < 4; i++) {
		w[i] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x20);
		w[i + 4] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x31);
	}
}

#define LOAD_WORDS(w, at) (load_half(w, at, 0), load_half((w) + 8, at, 1))
