/*
 * Where the secret number k of a signature comes from. A nonce that is known, repeated or biased gives the key away, so
 *it hangs on no random generator alone, and not on key and message alone either (hedged derivation):
 *
 *	prf  = HMAC-SM3(d, "Yinzheng SM2 nonce 1")                  once per key
 *	k(i) = HMAC-SM3(prf, i || fresh || e)    i = 0, 1, ...       until it fits (sm2_sign.h)
 *
 * as RFC 6979 does over key and digest, with fresh randomness mixed in as its section 3.6 lets one do. Without
 *randomness (always the same `fresh`) it is still a secret function of key and digest, never the same for two digests;
 *with it, two signatures over the same bytes differ, which faults and power traces of a deterministic signer live on. e
 *binds message and identity. Simpler than RFC 6979's generator: one call of the keyed function per candidate, so no
 *state is carried on.
 *
 * Constant time in all inputs.
 */
#ifndef YZ_CRYPTO_SM2_NONCE_H
#define YZ_CRYPTO_SM2_NONCE_H

#include "crypto/sm3_block.h"

enum { SM2_NONCE = 32 };

/* The keyed function, ready: the states of SM3 behind the padded key. A secret. */
struct sm2_nonce_key {
	uint32_t inner[SM3_WORDS], outer[SM3_WORDS];
};

/* d: the private number, 32 bytes, most significant first. */
void sm2_nonce_prepare(const uint8_t d[SM2_NONCE], struct sm2_nonce_key *out);
/* Candidate number i. It may be 0 or past the group's order: the caller asks for the next one then. */
void sm2_nonce_make(const struct sm2_nonce_key *key, uint8_t i, const uint8_t fresh[SM2_NONCE],
                    const uint8_t e[SM3_LEN], uint8_t out[SM2_NONCE]);

#endif
