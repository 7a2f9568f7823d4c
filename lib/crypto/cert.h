/*
 * X.509 certificates and CRLs (GB/T 20518), parsed by OpenSSL. SM2 links are verified with the default identity
 * on every link: OpenSSL takes the id from the certificate being checked, and its CRL check has no id at all,
 * so CRLs are checked here. Immutable after parsing; may be shared by threads.
 */
#ifndef YZ_CRYPTO_CERT_H
#define YZ_CRYPTO_CERT_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/sm2.h"

struct cert;
struct crl;

enum { CERT_MAX = 64 * 1024, CERT_FINGERPRINT = 32 };

/* DER, no trailing bytes. ERR_CERT_UNREADABLE, also for names with control characters or bidirectional overrides. A
 * malformed extension is no error here: chain_check() says CHAIN_CONSTRAINTS. The bytes are copied. */
enum err cert_parse(struct span der, struct cert **out) MUST_CHECK;
/* All certificates of a PEM bundle or one DER. *out is an arena array of *n; free each with cert_free. */
enum err cert_parse_bundle(struct arena *a, struct span pem_or_der, struct cert ***out, size_t *n) MUST_CHECK;
struct cert *cert_ref(struct cert *c);
void cert_free(struct cert *c);

struct span cert_der(const struct cert *c);     /* as received */
const char *cert_subject(const struct cert *c); /* RFC 2253, UTF-8 as it is: "CN=…,O=…" */
const char *cert_issuer(const struct cert *c);
const char *cert_common_name(const struct cert *c); /* "" when none */
const char *cert_serial_hex(const struct cert *c);
int64_t cert_not_before(const struct cert *c);
int64_t cert_not_after(const struct cert *c);
bool cert_is_ca(const struct cert *c);
bool cert_is_self_issued(const struct cert *c);
/* keyUsage bits as in X.509 (bit 0 digitalSignature = 1, bit 1 nonRepudiation = 2, … bit 5 keyCertSign = 32,
 * bit 6 cRLSign = 64); 0xffff when the extension is absent. */
unsigned cert_key_usage(const struct cert *c);
/* True when the extended key usage extension is present and names this OID (dotted) itself; anyExtendedKeyUsage does
 * not stand for it. */
bool cert_has_eku(const struct cert *c, const char *oid);
/* True when the extension is present and every purpose in it lies below this arc (dotted, without a dot at its end). */
bool cert_eku_only_below(const struct cert *c, const char *arc);
/* SM2 key of the certificate, owned by it; NULL when the key is of another algorithm. */
const struct sm2_key *cert_sm2_key(const struct cert *c);
/* Is it the one with this issuer (Name) and serial number (INTEGER), whole DER elements; names are compared as X.509
 * does, not byte by byte. */
bool cert_is_named(const struct cert *c, struct span issuer, struct span serial);
/* Does it carry this subject key identifier? */
bool cert_has_key_id(const struct cert *c, struct span key_id);
/* SHA-256 of the DER SubjectPublicKeyInfo: how a principal's key is named. */
void cert_key_fingerprint(const struct cert *c, uint8_t out[CERT_FINGERPRINT]);

enum err crl_parse(struct span der, struct crl **out) MUST_CHECK;
enum err crl_parse_pem_or_der(struct span in, struct crl **out) MUST_CHECK;
void crl_free(struct crl *c);
const char *crl_issuer(const struct crl *c);
int64_t crl_this_update(const struct crl *c);
int64_t crl_next_update(const struct crl *c); /* 0 when absent */

/* An OCSP response (RFC 6960) that was answered ("successful"), DER; ERR_CERT_UNREADABLE, ERR_TOO_LARGE. Its signature
 * is checked when it is used: by the issuer's key, or by a certificate in it that this issuer gave for this work (EKU
 * OCSPSigning), whose own revocation is not looked at. An answer without nextUpdate counts for a day. */
struct ocsp;
enum err ocsp_parse(struct span der, struct ocsp **out) MUST_CHECK;
void ocsp_free(struct ocsp *o);

/* A set of certificates and revocation evidence. Anchors are trusted; intermediates only help to build paths. */
struct cert_store;
enum err cert_store_new(struct cert_store **out) MUST_CHECK;
void cert_store_free(struct cert_store *s);
/* By what means signatures below this trust are verified (all zeros at first); its cache must outlive the store. Set
 * before the store is shared by threads. */
void cert_store_use(struct cert_store *s, struct sm2_means by);
struct sm2_means cert_store_means(const struct cert_store *s);                         /* s may be NULL */
enum err cert_store_add_anchor(struct cert_store *s, struct cert *c) MUST_CHECK;       /* takes a reference */
enum err cert_store_add_intermediate(struct cert_store *s, struct cert *c) MUST_CHECK; /* takes a reference */
enum err cert_store_add_crl(struct cert_store *s, struct crl *c) MUST_CHECK;   /* takes it over unless it fails */
enum err cert_store_add_ocsp(struct cert_store *s, struct ocsp *o) MUST_CHECK; /* takes it over unless it fails */
/* All certificates, anchors first; a view. */
size_t cert_store_certs(const struct cert_store *s);
struct cert *cert_store_cert(const struct cert_store *s, size_t i);
size_t cert_store_anchors(const struct cert_store *s);
size_t cert_store_crls(const struct cert_store *s);
/* Which trust is this? SHA-256 over the sorted SHA-256 of all parts (docs/verdict.md); s may be NULL: nothing in it. */
enum err cert_store_digest(const struct cert_store *s, uint8_t out[CERT_FINGERPRINT]) MUST_CHECK;
int64_t cert_store_oldest_crl(const struct cert_store *s); /* thisUpdate; 0 when there is none */
/* Up to which moment, itself included, the revocation evidence answers every question as it does at `now`: until then
 * no CRL and no OCSP response begins, ends, or comes to be more than max_age old (0: age does not count). INT64_MAX
 * when nothing is to come. */
int64_t cert_store_settled_until(const struct cert_store *s, int64_t now, int64_t max_age);

enum chain_status {
	CHAIN_OK,
	CHAIN_NO_PATH,       /* no path to an anchor */
	CHAIN_BAD_SIGNATURE, /* a link's signature is wrong */
	CHAIN_NOT_YET,       /* some certificate (see depth) is not yet valid at `at` */
	CHAIN_EXPIRED,
	CHAIN_CONSTRAINTS, /* basic constraints, path length, CA key usage, names; unknown critical or malformed extension
	                    */
	CHAIN_ALGORITHM    /* a link uses an algorithm that is refused (SHA-1, MD5, small RSA) */
};

enum revocation_status {
	REVOCATION_GOOD,    /* a CRL or OCSP response that fits, verifies and is fresh does not list it, for every link */
	REVOCATION_REVOKED, /* listed; see revoked_at */
	REVOCATION_NO_EVIDENCE, /* no CRL of some issuer at hand */
	REVOCATION_STALE,       /* only a CRL whose nextUpdate is past, or whose thisUpdate is in the future */
	REVOCATION_BAD_CRL      /* a CRL whose signature or critical extension fails */
};

struct chain_result {
	enum chain_status status;
	int depth;         /* where the status arose: 0 the leaf */
	char subject[256]; /* that certificate's subject, cut to fit at a character border */
	enum revocation_status revocation;
	int revoked_depth;
	int64_t revoked_at;      /* 0 unless REVOCATION_REVOKED */
	int64_t crl_this_update; /* oldest thisUpdate of the CRLs used, 0 when none */
	bool anchor_key_usage;   /* the anchor calls itself a CA, but its key usage has no keyCertSign */
	size_t length;           /* certificates in the path, leaf and anchor included; 0 without a path */
};

/*
 * Build and check a path from leaf to an anchor at time `at`; then revocation of every link below the anchor with
 * the CRLs and OCSP responses of the store, judged for freshness at `now`. `extra` certificates (may be NULL) help to
 * build. Path length at most 8; at most 64 signatures are tried. Of several failing paths the one that comes nearest is
 * told, in the order NO_PATH, BAD_SIGNATURE, ALGORITHM, CONSTRAINTS, times; within one path times come before
 * constraints. The anchor itself is not checked for revocation, and its key usage is only told: whoever configured it
 * has decided that it issues (RFC 5280 section 6.1 takes name and key of an anchor, not its certificate). Only complete
 * CRLs count: one with a critical extension (partitioned, indirect, delta) is a BAD_CRL. A certificate on a CRL is
 * revoked even when that CRL is stale. Key usage of the leaf is the caller's business. Not checked: certificate
 * policies. An error only when it could not judge (memory, library).
 */
enum err chain_check(const struct cert_store *s, struct cert *leaf, struct cert *const *extra, size_t n_extra,
                     int64_t at, int64_t now, struct chain_result *out) MUST_CHECK;

struct cert_list {
	struct cert *const *certs; /* may be NULL */
	size_t n;
};
/* The same with the CRLs and OCSP responses of `more` (may be NULL) as further evidence, such as a file carries itself;
 * its certificates are not looked at. */
enum err chain_check_with(const struct cert_store *s, const struct cert_store *more, struct cert *leaf,
                          struct cert_list extra, int64_t at, int64_t now, struct chain_result *out) MUST_CHECK;

#endif
