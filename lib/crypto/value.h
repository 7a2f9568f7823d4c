/*
 * Signature values of all algorithms that are read here, under the key of a certificate: SM2 with SM3 (default
 * identity), RSA PKCS#1 v1.5, ECDSA on the NIST curves. What is refused by policy is still computed, so that a report
 * can say both. Not read: RSA-PSS, EdDSA.
 */
#ifndef YZ_CRYPTO_VALUE_H
#define YZ_CRYPTO_VALUE_H

#include "crypto/cert.h"
#include "crypto/digest.h"

enum key_kind { KEY_OTHER, KEY_SM2, KEY_RSA, KEY_EC };

/* What a check may cost: keys beyond this are made to keep verifiers busy. */
enum { RSA_BITS_MAX = 8192, RSA_EXPONENT_BITS_MAX = 64 };

/* What a signature algorithm identifier (dotted) says. */
struct value_alg {
	enum key_kind key;      /* KEY_OTHER: the identifier is not known here */
	enum digest_alg digest; /* DIGEST_NONE: it names the key alone, the digest is named elsewhere */
};
struct value_alg value_alg_of(const char *oid);

enum key_kind cert_key_kind(const struct cert *c);
int cert_key_bits(const struct cert *c);
/* An RSA key past the bounds above: neither values nor links are checked with it. */
bool cert_key_is_costly(const struct cert *c);

/* ERR_SIGNATURE_BAD when it does not verify or is malformed. ERR_FIELD_INVALID when this kind of key, its size or this
 * digest cannot be used (SM2 goes with SM3 alone, and only SM2 does). */
enum err value_verify(struct sm2_means by, const struct cert *c, enum digest_alg digest, struct span msg,
                      struct span value) MUST_CHECK;

#endif
