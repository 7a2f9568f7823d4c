/*
 * COSE_Sign1 (RFC 9052) for our signed statements, with SM2. Tag 18. Protected header, exactly: {1: COSE_ALG_SM2,
 * 3: content type text, 33: x5chain (one certificate as bytes, or an array with the signer's first)}; unprotected
 * header empty; the payload is attached. SM2 signs the DER-free Sig_structure with the default identity;
 * the value is raw r||s (64 bytes) as COSE uses for ECDSA.
 */
#ifndef YZ_FORM_COSE_H
#define YZ_FORM_COSE_H

#include "base/arena.h"
#include "base/err.h"

enum {
	COSE_ALG_SM2 = -65601 /* private use: none is registered for SM2 with SM3 */,
	COSE_CERTS_MAX = 4,
	COSE_MAX = 1024 * 1024
};

struct cose_sign1 {
	char *content_type;
	size_t n_certs;
	struct span certs[COSE_CERTS_MAX]; /* DER, signer's first */
	struct span payload;
	struct span value;        /* 64 bytes */
	struct span to_be_signed; /* the Sig_structure, rebuilt in the arena over the received parts */
};

enum err cose_parse(struct arena *a, struct span in, struct cose_sign1 *out) MUST_CHECK;
/* The bytes to sign, then the whole from the same parts and the signature as DER (converted to r||s). */
enum err cose_to_be_signed(struct arena *a, const char *content_type, const struct span *certs, size_t n_certs,
                           struct span payload, struct span *out) MUST_CHECK;
/* What the bytes to sign begin with, whatever the payload (signer_expect()). */
enum err cose_beginning(struct arena *a, const char *content_type, const struct span *certs, size_t n_certs,
                        struct span *out) MUST_CHECK;
enum err cose_encode(struct arena *a, const char *content_type, const struct span *certs, size_t n_certs,
                     struct span payload, struct span sig_der, struct span *out) MUST_CHECK;
/* r||s -> DER, for sm2_verify. out holds 72 bytes. */
enum err cose_value_to_der(struct span rs, uint8_t out[72], size_t *len) MUST_CHECK;

#endif
