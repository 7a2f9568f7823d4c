/* SM3 (GB/T 32905) and SHA-256, and the keyed forms that the store uses; other digests only to read others' files. */
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

/* Digests that files of others name. MD5 and SHA-1 are here so that a report can say what was found; whether they count
 * is for policy. */
enum digest_alg { DIGEST_NONE, DIGEST_SM3, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_SHA1, DIGEST_MD5 };
enum { DIGEST_SIZE_MAX = 64 };

/* From a dotted identifier or a name in any case ("SM3", "SHA-256", "SHA256", "MD5"); DIGEST_NONE when not known. */
enum digest_alg digest_alg_of(const char *name);
const char *digest_name(enum digest_alg alg); /* "SM3", "SHA-256", …; "" for DIGEST_NONE */
size_t digest_size(enum digest_alg alg);      /* 0 for DIGEST_NONE */
/* Over the concatenation of n parts; digest_size() bytes. ERR_FIELD_INVALID for DIGEST_NONE. */
enum err digest_parts(enum digest_alg alg, const struct span *parts, size_t n, uint8_t out[DIGEST_SIZE_MAX]) MUST_CHECK;

#endif
