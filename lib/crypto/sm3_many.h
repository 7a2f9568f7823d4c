/*
 * SM3 of many messages at once: independent messages share the lanes of a vector, 16 with AVX-512, 8 with AVX2, 4 in
 * portable C (crypto/cpu.h chooses). Lengths may differ: a lane whose message is over takes the next one. Nothing here
 * allocates or fails. Not for secrets: what passes through stays on the stack.
 */
#ifndef YZ_CRYPTO_SM3_MANY_H
#define YZ_CRYPTO_SM3_MANY_H

#include "crypto/sm3_block.h"

/* out[i] is the digest of in[i]. */
void sm3_many(const struct span *in, size_t n, uint8_t (*out)[SM3_LEN]);

/* A message that is the concatenation of parts, such as Z || M. */
struct sm3_message {
	const struct span *parts;
	size_t n;
};
void sm3_many_parts(const struct sm3_message *in, size_t n, uint8_t (*out)[SM3_LEN]);

/* The next piece of each of n messages that are read side by side: as sm3_add(&c[i], piece[i]) for all i. */
void sm3_add_many(struct sm3_ctx *const *c, const struct span *piece, size_t n);

/* ---- of the instruction sets' files ---- */

enum { SM3_LANES_MAX = 16 };

/* Lane l: the state h[0..7][l], and the next block to compress at at[l]. */
struct sm3_lanes {
	_Alignas(64) uint32_t h[SM3_WORDS][SM3_LANES_MAX];
	const uint8_t *at[SM3_LANES_MAX];
};

/* Compress `blocks` blocks of every lane; at[] moves on. Which are there, crypto/cpu.h knows. */
void sm3_lanes4(struct sm3_lanes *s, size_t blocks);
void sm3_lanes8_avx2(struct sm3_lanes *s, size_t blocks);
void sm3_lanes8_avx512(struct sm3_lanes *s, size_t blocks);
void sm3_lanes16_avx512(struct sm3_lanes *s, size_t blocks);

#endif
