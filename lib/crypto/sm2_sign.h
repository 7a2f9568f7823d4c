/*
 * SM2 signing by our own arithmetic (GB/T 32918.2 clause 6.1, steps A3 to A7), constant-time in key and nonce: no
 * branch, index or division hangs on them (`make ct` checks it). Digests, identities and DER are the callers' business,
 * and so is the check of the result before it is released (signer.h).
 *
 * Of the private number d only what signing needs is kept: (1 + d)^-1, and the key that nonces are derived with. With
 * k + r in place of k the step s = (1 + d)^-1 (k - r d) becomes s = (1 + d)^-1 (k + r) - r: one multiplication, without
 * d.
 *
 * A kept secret lies on pages of its own, left out of core dumps and, where the limits allow, never swapped; it is
 * wiped before they go back. Copies on the stack are wiped; what a compiler spilled there is not.
 */
#ifndef YZ_CRYPTO_SM2_SIGN_H
#define YZ_CRYPTO_SM2_SIGN_H

#include "crypto/rand.h"
#include "crypto/sm2.h"

enum { SM2_NUMBER = 32, SM2_TRIES = 16 /* candidates for a nonce; one in 2^32 does not fit */ };

struct sm2_secret;

/* From d, 32 bytes, most significant first; ERR_FORMAT unless 1 <= d <= n - 2. `point` gets d*G: who has another
 * public key at hand compares. ERR_NO_MEMORY. */
enum err sm2_secret_new(const uint8_t d[SM2_NUMBER], struct sm2_secret **out, uint8_t point[SM2_POINT]) MUST_CHECK;
void sm2_secret_free(struct sm2_secret *s);

/* Signs the digest e (with the identity in it, sm2_digest()). May be called by several threads. ERR_RANDOM when the
 * source fails; ERR_CRYPTO when no candidate fits, which is no accident. */
enum err sm2_sign(const struct sm2_secret *s, const struct rand *r, const uint8_t e[SM2_NUMBER],
                  struct sm2_value *out) MUST_CHECK;

/* The same with a given k, 32 bytes: for tests against published examples, and the last step of sm2_sign(). False, and
 * nothing written, when the standard wants another k: out of range, r = 0, r + k = n, s = 0. */
bool sm2_sign_with(const struct sm2_secret *s, const uint8_t k[SM2_NUMBER], const uint8_t e[SM2_NUMBER],
                   struct sm2_value *out) MUST_CHECK;

#endif
