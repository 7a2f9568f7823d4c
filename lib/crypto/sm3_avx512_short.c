/* SM3, 8 messages side by side in AVX-512's vectors of 256 bits, for when there are no more. */
#include "crypto/sm3_many.h"

#if defined(__x86_64__)

#define SM3_TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))
#define SM3_LANES  sm3_lanes8_avx512
#define LANES      8
#define V          __m256i

#include "crypto/sm3_load8.h"

#define ADD(x, y) _mm256_add_epi32(x, y)
#define XOR(x, y) _mm256_xor_si256(x, y)
#define SPLAT(x)  _mm256_set1_epi32((int)(x))
#define ROL(x, n) _mm256_rol_epi32(x, n)

/* The last operand is the truth table, read at 4x + 2y + z. */
#define XOR3(x, y, z)   _mm256_ternarylogic_epi32(x, y, z, 0x96)
#define MAJ(x, y, z)    _mm256_ternarylogic_epi32(x, y, z, 0xe8)
#define CHOOSE(x, y, z) _mm256_ternarylogic_epi32(x, y, z, 0xca)

#define P0(x) XOR3(x, ROL(x, 9), ROL(x, 17))
#define P1(x) XOR3(x, ROL(x, 15), ROL(x, 23))

#include "crypto/sm3_lanes.h"

#else
typedef int no_short_avx512_here; /* a file must declare something */
#endif
