/*
 * Authenticated encryption for stored personal values: SM4-CTR then HMAC-SM3 (encrypt-then-MAC), with keys
 * derived by HKDF-HMAC-SM3 from a data key and a context (table, row, column, version), so that a value cannot
 * be moved to another place. Layout: version 0x01 | salt 16 | ciphertext | tag 32.
 */
#ifndef YZ_CRYPTO_AEAD_H
#define YZ_CRYPTO_AEAD_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/rand.h"

enum { AEAD_KEY = 32, AEAD_OVERHEAD = 1 + 16 + 32 };

enum err aead_seal(struct arena *a, const struct rand *r, struct span key, struct span context, struct span plain,
                   struct span *out) MUST_CHECK;
/* ERR_STORE_CORRUPT when the tag does not fit (wrong key, context or bytes). */
enum err aead_open(struct arena *a, struct span key, struct span context, struct span sealed,
                   struct span *plain) MUST_CHECK;

#endif
