/* SM3's functions (clauses 4.3 and 4.4) where C's operators do: on words and on the vectors of compilers; and words
 * from octets. Included by the files of SM3 alone. */
#include <stdint.h>

#define ROL(x, n)       ((x) << (n) | (x) >> (32 - (n)))
#define P0(x)           ((x) ^ ROL(x, 9) ^ ROL(x, 17))
#define P1(x)           ((x) ^ ROL(x, 15) ^ ROL(x, 23))
#define XOR3(x, y, z)   ((x) ^ (y) ^ (z))
#define MAJ(x, y, z)    (((x) & (y)) | (((x) | (y)) & (z)))
#define CHOOSE(x, y, z) ((((y) ^ (z)) & (x)) ^ (z))

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
