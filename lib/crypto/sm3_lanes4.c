/* SM3, 4 messages side by side in what compilers make of 128-bit vectors: SSE2, NEON, or plain words. */
#include "crypto/sm3_many.h"
#include "crypto/sm3_plain.h"

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

#define LOAD(p)     (*(const vec4 *)(const void *)(p))
#define STORE(p, x) (*(vec4 *)(void *)(p) = (x))

static inline void load_words(V w[16], const uint8_t *const at[LANES])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = (vec4){get32(at[0] + 4 * i), get32(at[1] + 4 * i), get32(at[2] + 4 * i), get32(at[3] + 4 * i)};
}

#define LOAD_WORDS(w, at) load_words(w, at)

#include "crypto/sm3_lanes.h"
