/* SM3, 8 messages side by side with AVX2. */
#include "crypto/sm3_many.h"

#if defined(__x86_64__)

#define SM3_TARGET __attribute__((target("avx2")))
#define SM3_LANES  sm3_lanes8_avx2
#define LANES      8
#define V          __m256i

#include "crypto/sm3_load8.h"

#define ADD(x, y) _mm256_add_epi32(x, y)
#define XOR(x, y) _mm256_xor_si256(x, y)
#define AND(x, y) _mm256_and_si256(x, y)
#define OR(x, y)  _mm256_or_si256(x, y)
#define SPLAT(x)  _mm256_set1_epi32((int)(x))
#define ROL(x, n) OR(_mm256_slli_epi32(x, n), _mm256_srli_epi32(x, 32 - (n)))
#define ROL8(x)   BYTES(x, 3, 0, 1, 2)

#define XOR3(x, y, z)   XOR(XOR(x, y), z)
#define MAJ(x, y, z)    OR(AND(x, y), AND(OR(x, y), z))
#define CHOOSE(x, y, z) XOR(AND(XOR(y, z), x), z)

/* As x <<< 17 = (x <<< 8) <<< 9 and x <<< 23 = (x <<< 8) <<< 15: a rotation by 8 is one instruction, others are three.
 */
#define P0(x) XOR(x, ROL(XOR(x, ROL8(x)), 9))
#define P1(x) XOR(x, ROL(XOR(x, ROL8(x)), 15))

#include "crypto/sm3_lanes.h"

#else
typedef int no_avx2_here; /* a file must declare something */
#endif
