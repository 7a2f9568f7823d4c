/*
 * SM4 (GB/T 32907-2016) for authenticated encryption in this room; others use crypto/aead.h. Many blocks of a counter
 * stream at a time where the machine has the instructions: with the S-box computed by those of AES (AES-NI), or by
 * GFNI on AVX-512 registers. Both are constant time. One block, the key schedule and machines without them use tables,
 * as OpenSSL does: their time can depend on the key through the cache.
 *
 * The two functions that encrypt have the shapes of OpenSSL's block128_f and ctr128_f; `key` is a struct sm4_key.
 */
#ifndef YZ_CRYPTO_SM4_H
#define YZ_CRYPTO_SM4_H

#include <stddef.h>
#include <stdint.h>

enum { SM4_BLOCK = 16, SM4_KEY = 16, SM4_ROUNDS = 32 };

struct sm4_key { /* secret: who holds it wipes it */
	uint32_t rk[SM4_ROUNDS];
};

void sm4_prepare(const uint8_t key[SM4_KEY], struct sm4_key *out);
void sm4_block(const uint8_t in[SM4_BLOCK], uint8_t out[SM4_BLOCK], const void *key);
/* in XOR the encrypted counters that begin with `counter`; of it the last 32 bits count, big-endian, and wrap. in and
 * out may be the same. */
void sm4_ctr32(const uint8_t *in, uint8_t *out, size_t blocks, const void *key, const uint8_t counter[SM4_BLOCK]);

/* The same by one set of instructions; only where cpu_paths() has it. */
void sm4_ctr32_aesni(const uint8_t *in, uint8_t *out, size_t blocks, const struct sm4_key *key,
                     const uint8_t counter[SM4_BLOCK]);
void sm4_ctr32_gfni(const uint8_t *in, uint8_t *out, size_t blocks, const struct sm4_key *key,
                    const uint8_t counter[SM4_BLOCK]);

static inline uint32_t sm4_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void sm4_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

#endif
