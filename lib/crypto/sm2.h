/*
 * SM2 signatures (GB/T 32918.2) with SM3, values as DER SEQUENCE{ INTEGER r, INTEGER s } (GM/T 0009 7.3).
 * The signer's identity is always an argument: OpenSSL's own default is the empty one.
 */
#ifndef YZ_CRYPTO_SM2_H
#define YZ_CRYPTO_SM2_H

#include "base/err.h"
#include "base/span.h"

enum { SM2_POINT = 65, SM2_SIG_MAX = 72 };

/* "1234567812345678": the identity of every Chinese certificate, seal, signature, CRL and time stamp. */
struct span sm2_default_id(void);

struct sm2_key; /* a public key, ready for use by several threads */

/* From the uncompressed point 04||X||Y; ERR_FORMAT when not on the curve. */
enum err sm2_key_new(struct span point, struct sm2_key **out) MUST_CHECK;
void sm2_key_free(struct sm2_key *k);
/* The point it was made from. */
struct span sm2_key_point(const struct sm2_key *k);

/* ERR_SIGNATURE_BAD when it does not verify, including a malformed signature (trailing bytes, raw r||s,
 * non-minimal or negative INTEGERs). `id` is at most 8190 bytes (OpenSSL's limit; ERR_FIELD_TOO_LONG). */
enum err sm2_verify(const struct sm2_key *k, struct span id, struct span msg, struct span sig) MUST_CHECK;

#endif
