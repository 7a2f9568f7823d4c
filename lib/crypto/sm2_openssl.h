/*
 * OpenSSL's SM2 (EVP), the other back end: for a cross-check of our own arithmetic, and to read keys. Nobody else in
 * the project calls OpenSSL for SM2. Private to the room.
 */
#ifndef YZ_CRYPTO_SM2_OPENSSL_H
#define YZ_CRYPTO_SM2_OPENSSL_H

#include "crypto/internal.h"

/* Is this an SM2 key? EVP_PKEY_get_id() is -1 for these: only the name tells. */
bool sm2_openssl_is(const EVP_PKEY *pkey);
/* A new key pair; NULL when it fails. */
EVP_PKEY *sm2_openssl_make(void);
/* As sm2_verify(), under the uncompressed point; about twenty times slower, and the key is read anew each time. */
enum err sm2_openssl_verify(struct span point, struct span id, struct span msg, struct span sig) MUST_CHECK;
/* The same of e = SM3(Z || msg), SM2_DIGEST octets. */
enum err sm2_openssl_verify_digest(struct span point, const uint8_t *e, struct span sig) MUST_CHECK;
/* With the default identity. ERR_CRYPTO; the result is not checked. */
enum err sm2_openssl_sign(EVP_PKEY *pkey, struct span msg, uint8_t sig[SM2_SIG_MAX], size_t *len) MUST_CHECK;
/* The private number of an SM2 key, 32 bytes, most significant first; a secret. ERR_FORMAT when there is none. */
enum err sm2_openssl_private(EVP_PKEY *pkey, uint8_t d[32]) MUST_CHECK;

#endif
