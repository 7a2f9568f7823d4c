/* What the files of this room share and nobody else sees: OpenSSL objects behind our types, and DER slices. */
#ifndef YZ_CRYPTO_INTERNAL_H
#define YZ_CRYPTO_INTERNAL_H

#include "crypto/cert.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>

/* A failed call leaves entries in the thread's error queue, where a later reader (TLS) would take them for its
 * own: every failure of OpenSSL is left through here. */
enum err openssl_failed(enum err code);

/* One DER element at the start of `in`: definite, shortest length, one-byte tag, within `in`. Outputs may be NULL:
 * the contents, the whole element, what follows. */
enum err der_element(struct span in, uint8_t tag, struct span *contents, struct span *whole,
                     struct span *rest) MUST_CHECK;

/* What is signed has one shape: SEQUENCE { tbs SEQUENCE, algorithm SEQUENCE, value BIT STRING of whole bytes }. */
struct signed_parts {
	struct span tbs, tbs_contents, algorithm, value; /* tbs and algorithm with their headers */
};
enum err der_signed(struct span in, struct signed_parts *out) MUST_CHECK;

/* A copy of the public half of an SM2 key; ERR_FORMAT when it is of another kind. */
enum err sm2_key_from_pkey(EVP_PKEY *pkey, struct sm2_key **out) MUST_CHECK;

struct cert {
	atomic_uint refs;
	X509 *x;
	uint8_t *der;
	size_t der_len;
	struct signed_parts parts; /* of der: as received */
	char *subject, *issuer, *common_name, *serial_hex;
	int64_t not_before, not_after;
	bool is_ca, is_self_issued;
	bool says_ca;      /* by basic constraints alone, whatever its key usage is */
	bool is_malformed; /* some extension cannot be read: it can be shown, and stands in no good path */
	unsigned key_usage;
	long path_len;           /* -1: no limit */
	EXTENDED_KEY_USAGE *eku; /* NULL when absent */
	AUTHORITY_KEYID *akid;   /* NULL when absent */
	NAME_CONSTRAINTS *name_constraints;
	struct sm2_key *sm2; /* NULL when the key is of another kind */
	uint8_t fingerprint[CERT_FINGERPRINT];
};

enum { GOOD_NONE, GOOD_WRITING, GOOD_KNOWN };

struct crl {
	X509_CRL *x;
	uint8_t *der;
	size_t der_len;
	struct signed_parts parts;
	char *issuer;
	int64_t this_update, next_update;
	bool has_unknown_critical, algorithms_agree;
	/* The first key that its signature was found good under (cert.fingerprint), so that a list that stays for long is
	 * not verified anew for each certificate. Written once: by who takes `good` from NONE to WRITING. */
	atomic_int good;
	uint8_t good_key[CERT_FINGERPRINT];
};

struct ocsp {
	struct ocsp_basic_response_st *basic; /* OCSP_BASICRESP; points to nothing of der */
	uint8_t *der;
	struct signed_parts parts; /* of der */
	struct cert **certs;
	size_t n_certs;
	int64_t produced_at;
};

struct cert_store {
	struct cert **anchors, **intermediates;
	struct crl **crls;
	struct ocsp **ocsps;
	size_t n_anchors, n_intermediates, n_crls, n_ocsps;
	struct sm2_means by;
};

enum link_status { LINK_GOOD, LINK_BAD, LINK_REFUSED };

/* Does `issuer`'s key verify this signature over tbs? SM2 with the default identity; RSA and ECDSA by X509_verify
 * and X509_CRL_verify. LINK_REFUSED: an algorithm or key size that is not accepted. */
enum err link_check_cert(struct sm2_means by, const struct cert *c, const struct cert *issuer,
                         enum link_status *out) MUST_CHECK;
enum err link_check_crl(struct sm2_means by, const struct crl *c, const struct cert *issuer,
                        enum link_status *out) MUST_CHECK;

/* Is this signature algorithm accepted for links, and the issuer's key large enough? */
bool link_accepts(int nid, const struct cert *issuer);

/* What the evidence at hand says about one certificate. */
struct revocation_finding {
	enum revocation_status status;
	int64_t revoked_at, this_update;
};
/* What one OCSP response says; NO_EVIDENCE when it does not speak of c. */
enum err ocsp_judge(struct sm2_means by, const struct ocsp *o, const struct cert *c, const struct cert *issuer,
                    int64_t now, struct revocation_finding *out) MUST_CHECK;

/* The moments around `now` at which a piece of evidence changes: *until becomes the earliest last moment before one. */
struct evidence_period {
	int64_t from, to; /* to: itself included; 0: open */
};
void evidence_settle(const struct evidence_period *p, int64_t now, int64_t max_age, int64_t *until);
void ocsp_settle(const struct ocsp *o, int64_t now, int64_t max_age, int64_t *until);

/* Revocation of path[0 .. n-2], each judged with CRLs and OCSP responses of its issuer, from both stores (`more` may be
 * NULL); fills the revocation part of out. */
enum err revocation_check(const struct cert_store *s, const struct cert_store *more, struct cert *const *path, size_t n,
                          int64_t now, struct chain_result *out) MUST_CHECK;

/* RFC 2253 text of a name, malloc'd; NULL when it is not clean UTF-8 or too long. */
char *name_text(const X509_NAME *name);
/* ERR_FORMAT when it names no time. */
enum err asn1_time_ms(const ASN1_TIME *t, int64_t *out) MUST_CHECK;

#endif
