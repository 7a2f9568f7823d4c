/*
 * SM3 (GB/T 32905-2016) itself: the compression function and a digest that is fed in pieces. For the files of this
 * room; others take digests from crypto/digest.h and crypto/sm3_many.h. Nothing here allocates or fails.
 *
 * Constant time in the octets. Contexts that saw secrets are wiped by who holds them (secret_wipe).
 */
#ifndef YZ_CRYPTO_SM3_BLOCK_H
#define YZ_CRYPTO_SM3_BLOCK_H

#include "base/span.h"
#include "crypto/digest.h"

enum { SM3_BLOCK = 64, SM3_WORDS = 8, SM3_ROUNDS = 64 };

/* Between calls `held` < SM3_BLOCK. The second half of buf serves the padding. */
struct sm3_ctx {
	uint32_t h[SM3_WORDS];
	uint32_t held;  /* octets that wait in buf for the rest of their block */
	uint64_t total; /* octets that were added */
	uint8_t buf[2 * SM3_BLOCK];
};

/* The round constants, each rotated as its round wants it (clause 5.3.3: T_j <<< (j mod 32)). */
extern const uint32_t sm3_t[SM3_ROUNDS];
extern const uint32_t sm3_iv[SM3_WORDS];

/* n blocks of SM3_BLOCK octets, any alignment. */
void sm3_blocks(uint32_t h[SM3_WORDS], const uint8_t *at, size_t n);

void sm3_start(struct sm3_ctx *c);
void sm3_add(struct sm3_ctx *c, struct span piece);
/* Once; the context is of no use afterwards but for sm3_start(). */
void sm3_end(struct sm3_ctx *c, uint8_t out[SM3_LEN]);

/* The end of a message in pieces, for who compresses blocks elsewhere: writes the padding behind what is held and says
 * how many blocks buf has then (1 or 2); and the digest from the state. */
size_t sm3_pad(struct sm3_ctx *c);
void sm3_put(const uint32_t h[SM3_WORDS], uint8_t out[SM3_LEN]);

#endif
