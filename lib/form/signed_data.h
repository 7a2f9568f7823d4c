/*
 * SignedData: GB/T 35275 clause 8 (the SM2 form of PKCS#7), PKCS#7 (RFC 2315) and CMS (RFC 5652), which differ in
 * identifiers alone as far as they are read here. Spans point into the received bytes, or into the arena when BER had
 * to be brought into DER.
 *
 * NOT checked here: any digest, value or certificate; that digestAlgorithms names what the signers use; the version
 * numbers beyond 0..5. Read and left aside: attribute certificates, unknown attributes, unknown revocation formats.
 */
#ifndef YZ_FORM_SIGNED_DATA_H
#define YZ_FORM_SIGNED_DATA_H

#include "form/der.h"
#include "form/deviation.h"

enum {
	SIGNED_DATA_MAX = 16 * 1024 * 1024,
	SIGNED_DATA_CERTS_MAX = 64,
	SIGNED_DATA_CRLS_MAX = 16,   /* CRLs and OCSP responses, each */
	SIGNED_DATA_SIGNERS_MAX = 8, /* each may cost a digest of all data */
	SIGNED_DATA_ATTRS_MAX = 64   /* of one signer, signed or unsigned */
};

#define OID_GM_DATA        "1.2.156.10197.6.1.4.2.1"
#define OID_GM_SIGNED_DATA "1.2.156.10197.6.1.4.2.2"
#define OID_P7_DATA        "1.2.840.113549.1.7.1"
#define OID_P7_SIGNED_DATA "1.2.840.113549.1.7.2"
#define OID_TST_INFO       "1.2.840.113549.1.9.16.1.4"

/* One SignerInfo. */
struct signer_info {
	struct span issuer, serial;             /* Name and INTEGER, whole elements; empty when named by key_id */
	struct span key_id;                     /* subject key identifier; empty when named by issuer and serial */
	const char *digest_alg, *signature_alg; /* dotted */
	bool has_attrs;
	struct span attrs;        /* contents of the signed attributes, in the order received */
	bool attrs_sorted;        /* that order is the one of DER */
	const char *content_type; /* attribute; NULL when absent */
	struct span digest;       /* messageDigest; empty when absent */
	int64_t time;             /* signingTime; 0 when absent */
	/* What signingCertificate says of the signer's certificate: its digest; cert_hash.len 0 when absent. */
	const char *cert_hash_alg;
	struct span cert_hash;
	struct span value;
	struct span time_stamp; /* a token among the unsigned attributes; empty when absent */
};

struct signed_data {
	const char *container;    /* dotted: OID_GM_SIGNED_DATA or OID_P7_SIGNED_DATA */
	const char *content_type; /* dotted, of the content inside */
	bool has_content;
	struct span content; /* what is digested: the octets of the OCTET STRING, or the contents of another element */
	size_t n_certs, n_crls, n_ocsps, n_signers;
	struct span certs[SIGNED_DATA_CERTS_MAX], crls[SIGNED_DATA_CRLS_MAX];
	struct span ocsps[SIGNED_DATA_CRLS_MAX]; /* OCSPResponse */
	struct signer_info signers[SIGNED_DATA_SIGNERS_MAX];
};

/* Could these bytes be a SignedData: do they begin with a SEQUENCE and an identifier of one? BER or DER. */
bool signed_data_starts(struct span in);

/* Are these bytes a bare value of SM2 or ECDSA, SEQUENCE { r, s }, and nothing behind it? */
bool signature_value_starts(struct span in);

/* dev: NULL reads strictly (form/deviation.h). ERR_FORMAT, ERR_TOO_LARGE with a note that names the element. */
enum err signed_data_parse(struct arena *a, struct span in, struct deviations *dev, struct signed_data *out,
                           struct err_note *note) MUST_CHECK;

/* The bytes that a signer with attributes has signed: the SET OF, in the order received or in that of DER. */
enum err signer_info_attrs(struct arena *a, const struct signer_info *s, bool sorted, struct span *out) MUST_CHECK;

#endif
