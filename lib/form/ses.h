/*
 * SES_Seal and SES_Signature (GB/T 38540-2020, structure version 4): bytes <-> checked structs, no verdicts.
 * Everything is a view into the received bytes, because signatures are verified over those and never over a
 * re-encoding. Versions 1 and 5 are told apart and refused with a note (the reader of all versions builds on this).
 */
#ifndef YZ_FORM_SES_H
#define YZ_FORM_SES_H

#include "base/arena.h"
#include "base/err.h"

enum {
	SES_MAX = 4 * 1024 * 1024, /* a seal or signature file */
	SES_CERTS_MAX = 64,        /* certificates or digests in a seal's list */
	SES_EXT_MAX = 64,
	SES_PICTURE_MAX = 2 * 1024 * 1024
};

#define OID_SM2_SM3 "1.2.156.10197.1.501"
#define OID_SM3     "1.2.156.10197.1.401"

enum ses_cert_list { SES_LIST_CERTS = 1, SES_LIST_DIGESTS = 2 };

struct ses_ext {
	char *oid;
	bool critical;
	struct span value;
};

struct ses_seal {
	struct span raw;      /* whole SESeal, tag and length included */
	struct span info_raw; /* SES_SealInfo, tag and length included: what the maker signs */
	int version;          /* header version: 4 */
	char *vendor;         /* Vid */
	char *id;             /* esID */
	int64_t type;         /* business defined; 1 unit, 2 personal by custom */
	char *name;
	enum ses_cert_list list_kind;
	size_t n_list;
	struct span *list;   /* DER certificates, or digest values */
	char **digest_types; /* for digests: the `type` of each; NULL otherwise */
	int64_t created, valid_start, valid_end;
	char *picture_type; /* "PNG", … as written */
	struct span picture;
	int64_t picture_width, picture_height; /* mm */
	size_t n_ext;
	struct ses_ext *ext;
	struct span maker_cert; /* DER */
	char *alg;              /* dotted OID */
	struct span value;      /* contents of the BIT STRING */
};

struct ses_signature {
	struct span raw;
	struct span tbs_raw; /* TBS_Sign, tag and length included: what the signer signs */
	int version;
	struct ses_seal seal;
	int64_t time;          /* timeInfo, claimed */
	struct span data_hash; /* contents of the BIT STRING */
	char *property_info;   /* states the protected scope */
	size_t n_ext;
	struct ses_ext *ext;
	struct span cert; /* signer's certificate, DER */
	char *alg;
	struct span value;
	struct span time_stamp; /* token bytes; empty when absent. Not looked into here. */
};

/* ERR_VERSION_UNSUPPORTED, or ERR_FORMAT, with a note that names the element; ERR_TOO_LARGE past a bound; ERR_BUDGET.
 * Trailing bytes are an ERR_FORMAT. `in` must outlive the result. */
enum err ses_seal_parse(struct arena *a, struct span in, struct ses_seal *out, struct err_note *note) MUST_CHECK;
enum err ses_signature_parse(struct arena *a, struct span in, struct ses_signature *out,
                             struct err_note *note) MUST_CHECK;

/*
 * On read, [0] fields may be tagged EXPLICIT (as the reference library writes them), IMPLICIT or not at all. Not
 * checked here: that the times are in order, the picture, the certificates, the algorithm, the signature values.
 *
 * Writing: ERR_FIELD_INVALID for empty or unclean parts (vendor, id, picture type and scope are printable ASCII),
 * ERR_TIME_INVALID, ERR_TOO_LARGE. The algorithm written is SM2 with SM3. Times lose their milliseconds.
 */

/* What a new seal says. */
struct ses_seal_new {
	const char *vendor, *id, *name;
	int64_t type;
	size_t n_certs;
	const struct span *certs; /* list kind 1 */
	int64_t created, valid_start, valid_end;
	const char *picture_type;
	struct span picture;
	int64_t picture_width, picture_height;
};
/* DER of SES_SealInfo, to be signed by the maker; then the whole seal. */
enum err ses_seal_info_encode(struct arena *a, const struct ses_seal_new *in, struct span *out) MUST_CHECK;
enum err ses_seal_encode(struct arena *a, struct span info, struct span maker_cert, struct span value,
                         struct span *out) MUST_CHECK;
/* DER of TBS_Sign, to be signed by the signer; then the whole signature. `hash` is 32 bytes (SM3). */
enum err ses_tbs_encode(struct arena *a, struct span seal, int64_t time, struct span hash, const char *property_info,
                        struct span *out) MUST_CHECK;
enum err ses_signature_encode(struct arena *a, struct span tbs, struct span cert, struct span value,
                              struct span *out) MUST_CHECK;

#endif
