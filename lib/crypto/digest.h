/* SM3 (GB/T 32905) and SHA-256, and the keyed forms that the store uses. */
#ifndef YZ_CRYPTO_DIGEST_H
#define YZ_CRYPTO_DIGEST_H

#include "base/err.h"
#include "base/span.h"

enum { SM3_LEN = 32, SHA256_LEN = 32 };

enum err sm3(struct span in, uint8_t out[SM3_LEN]) MUST_CHECK;
/* Over the concatenation of n parts. */
enum err sm3_parts(const struct span *parts, size_t n, uint8_t out[SM3_LEN]) MUST_CHECK;
enum err sha256_parts(const struct span *parts, size_t n, uint8_t out[SHA256_LEN]) MUST_CHECK;
enum err sm3_hmac(struct span key, const struct span *parts, size_t n, uint8_t out[SM3_LEN]) MUST_CHECK;
/* HKDF (RFC 5869) with HMAC-SM3. */
enum err sm3_hkdf(struct span key, struct span salt, struct span info, uint8_t *out, size_t len) MUST_CHECK;

#endif
