/* SM3, 4 messages side by side in what compilers make of 128-bit vectors: SSE2, NEON, or plain words. */
#include "crypto/sm3_many.h"

typedef uint32_t vec4 __attribute__((vector_size(16), may_alias));

#define SM3_TARGET
#define SM3_LANES sm3_lanes4
#define LANES     4
#define V         vec4

#define ADD(x, y) ((x) + (y))
#define XOR(x, y) ((x) ^ (y))
#define SPLAT(x)                                                                                                       \
	(vec4)                                                                                                             \
	{                                                                                                                  \
		x, x, x, x                                                                                                     \
	}
#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))

#define XOR3(x, y, z)   ((x) ^ (y) ^ (z))
#define MAJ(x, y, z)    (((x) & (y)) | (((x) | (y)) & (z)))
#define CHOOSE(x, y, z) ((((y) ^ (z)) & (x)) ^ (z))
#define P0(x)           ((x) ^ ROL(x, 9) ^ ROL(x, 17))
#define P1(x)           ((x) ^ ROL(x, 15) ^ ROL(x, 23))

#define LOAD(p)     (*(const vec4 *)(const void *)(p))
#define STORE(p, x) (*(vec4 *)(void *)(p) = (x))

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void load_words(V w[16], const uint8_t *const at[LANES])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = (vec4){get32(at[0] + 4 * i), get32(at[1] + 4 * i), get32(at[2] + 4 * i), get32(at[3] + 4 * i)};
}

#define LOAD_WORDS(w, at) load_words(w, at)

#include "crypto/sm3_lanes.h"
