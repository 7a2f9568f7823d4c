/*
 * SES_Seal and SES_Signature: bytes <-> checked structs, no verdicts. Versions 1 (GM/T 0031-2014), 4 (GB/T 38540-2020)
 * and 5 (GM/T 0031-2025) are told apart by their structure, never by the version number alone; 4 is written.
 * Everything is a view into the received bytes, because signatures are verified over those and never over a
 * re-encoding; the exceptions (BER, the maker's part of version 1, trimmed BIT STRINGs) are stated at their fields.
 */
#ifndef YZ_FORM_SES_H
#define YZ_FORM_SES_H

#include "base/arena.h"
#include "base/err.h"
#include "form/deviation.h"

enum {
	SES_MAX = 4 * 1024 * 1024, /* a seal or signature file */
	SES_CERTS_MAX = 64,        /* certificates or digests in a seal's list */
	SES_EXT_MAX = 64,
	SES_PICTURE_MAX = 2 * 1024 * 1024
};

#define OID_SM2_SM3 "1.2.156.10197.1.501"
#define OID_SM3     "1.2.156.10197.1.401"

enum ses_cert_list {
	SES_LIST_CERTS = 1,
	SES_LIST_DIGESTS = 2,
	SES_LIST_OTHER = 99 /* neither (CERT_LIST_ITEM): nobody is listed */
};

struct ses_ext {
	char *oid;
	bool critical;
	struct span value;
};

struct ses_seal {
	struct span raw;      /* whole SESeal, tag and length included */
	struct span info_raw; /* SES_SealInfo, tag and length included */
	/* The same as received; differs from raw only when that was BER, whose DER form raw is a part of. */
	struct span received;
	/* What the maker signs: SES_SealInfo in versions 4 and 5; in version 1 SEQUENCE { SES_SealInfo, cert,
	 * signatureAlgorithm } put together in the arena from the received elements. Of BER the DER form, as the standards
	 * say DER; then signed_received has the same of the bytes as received; else it is empty. */
	struct span signed_raw, signed_received;
	int version;  /* 1, 4 or 5 */
	char *vendor; /* Vid */
	char *id;     /* esID */
	int64_t type; /* business defined; 1 unit, 2 personal by custom */
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
	struct span time_stamp; /* version 5: token over `value`; empty when absent. Not looked into here. */
};

struct ses_signature {
	struct span raw;
	struct span tbs_raw;      /* TBS_Sign, tag and length included: what the signer signs; of BER the DER form */
	struct span tbs_received; /* of BER: the same as received; else empty */
	int version;              /* by structure: 1, or that of the seal, 4 or 5 */
	struct ses_seal seal;
	int64_t time;           /* timeInfo, claimed; 0: not known (TIME_UNREADABLE, or version 1 with a token) */
	struct span time_token; /* version 1: timeInfo is this time stamp token; empty otherwise. Not looked into here. */
	struct span data_hash;  /* contents of the BIT STRING */
	char *property_info;    /* states the protected scope */
	size_t n_ext;
	struct ses_ext *ext;
	struct span cert; /* signer's certificate, DER */
	char *alg;
	struct span value;
	struct span time_stamp; /* token bytes; empty when absent. Not looked into here. */
};

/* How much is tolerated. Deviations are noted in `list` under codes that docs/report-codes.md explains. */
struct ses_reading {
	struct deviations *list; /* NULL: strict */
	int zone_minutes;        /* east of UTC: what a time without a zone means */
};

/* Any version. ERR_VERSION_UNSUPPORTED, or ERR_FORMAT, with a note that names the element; ERR_TOO_LARGE past a bound;
 * ERR_BUDGET. `in` must outlive the result. Trailing bytes are a deviation. */
enum err ses_seal_read(struct arena *a, struct span in, const struct ses_reading *how, struct ses_seal *out,
                       struct err_note *note) MUST_CHECK;
enum err ses_signature_read(struct arena *a, struct span in, const struct ses_reading *how, struct ses_signature *out,
                            struct err_note *note) MUST_CHECK;
/* The same, where the seal of a signature may have been read before: recall() is asked for the octets of the seal as
 * they stand in `in`, if that is DER, and answers what ses_seal_read() made of them with the same `how`, for at least
 * as long as the arena; NULL: nothing is known. */
struct ses_known {
	struct ses_seal seal;
	size_t n; /* deviations that it noted */
	const struct deviation *item;
};
struct ses_memory {
	const struct ses_known *(*recall)(void *arg, struct span seal);
	void *arg;
};
enum err ses_signature_recall(struct arena *a, struct span in, const struct ses_reading *how,
                              const struct ses_memory *memory, struct ses_signature *out,
                              struct err_note *note) MUST_CHECK;
/* The same for what we make ourselves: version 4 only, strict. */
enum err ses_seal_parse(struct arena *a, struct span in, struct ses_seal *out, struct err_note *note) MUST_CHECK;
enum err ses_signature_parse(struct arena *a, struct span in, struct ses_signature *out,
                             struct err_note *note) MUST_CHECK;

/* An SM2 signature value as DER SEQUENCE { r, s } for crypto/sm2.h. Other forms are made DER in the arena where the
 * list allows: raw r||s of 64 bytes (VALUE_RAW), INTEGERs without the leading zero that makes them positive
 * (VALUE_NEGATIVE) or with more of them (VALUE_PADDED), bytes behind the SEQUENCE (VALUE_TRAILING). What is none of
 * these, or while list is NULL, stays as it is, and does not verify. ERR_BUDGET; ERR_FORMAT when the list is full. */
enum err ses_value_read(struct arena *a, struct span value, struct deviations *list, const char *where,
                        struct span *out) MUST_CHECK;

/*
 * On read, strict or not, [0] fields may be tagged EXPLICIT (as the reference library writes them), IMPLICIT or not at
 * all, and critical FALSE may be written out: real seals differ there. Where there is a list these are noted, too. Not
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
