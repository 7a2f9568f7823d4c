/*
 * Authenticated encryption for stored personal values: SM4-GCM (GB/T 32907, RFC 8998) under a key and a nonce of this
 * value alone, HMAC-SM3( data key, label | salt | context ). The context (table, row, column, version) keeps a value
 * from being moved to another place. Layout: version 0x02 | salt 16 | ciphertext | tag 16.
 *
 * Values of version 0x01 are read as well: SM4-CTR then HMAC-SM3, keys by HKDF-HMAC-SM3; version | salt 16 | ciphertext
 * | tag 32.
 */
#ifndef YZ_CRYPTO_AEAD_H
#define YZ_CRYPTO_AEAD_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/rand.h"

enum { AEAD_KEY = 32, AEAD_OVERHEAD = 1 + 16 + 16 };

enum err aead_seal(struct arena *a, const struct rand *r, struct span key, struct span context, struct span plain,
                   struct span *out) MUST_CHECK;
/* ERR_STORE_CORRUPT when the tag does not fit (wrong key, context or bytes). */
enum err aead_open(struct arena *a, struct span key, struct span context, struct span sealed,
                   struct span *plain) MUST_CHECK;

#endif
