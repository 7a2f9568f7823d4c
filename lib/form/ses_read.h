/*
 * Private to the room: elements of seals and signatures as they are found in the field. Each function takes one element
 * as the standard has it and, where the list of deviations allows, in the other forms that are written by somebody; a
 * deviation is noted under the name `where`. On failure nothing is consumed.
 */
#ifndef YZ_FORM_SES_READ_H
#define YZ_FORM_SES_READ_H

#include "form/der.h"
#include "form/ses.h"

/* Reading stops at the first wrong element; the note names it in the schema's spelling. */
struct reading {
	struct arena *arena;
	struct err_note *note;
	struct deviations *list; /* NULL: strict */
	int zone_minutes;        /* east of UTC: what a time without a zone means */
};

/* The note for an element that failed with e; returns e. */
enum err ses_wrong(const struct reading *rd, enum err e, const char *element);

/* Text of this type. Otherwise: of another string type (TEXT_TYPE), or with bytes that the type does not have
 * (TEXT_CHARSET), those that cannot be shown written as \xNN. */
enum err ses_text(const struct reading *rd, struct der *d, uint8_t tag, size_t max, const char *where,
                  char **out) MUST_CHECK;

/* UTCTime or GeneralizedTime as `tag` says. Otherwise: the other of the two or text (TIME_TYPE), wrapped in a BIT
 * STRING or OCTET STRING (TIME_WRAPPED), and all of ses_time_text(). */
enum err ses_time(const struct reading *rd, struct der *d, uint8_t tag, const char *where, int64_t *ms) MUST_CHECK;
/* timeInfo of version 1: a BIT STRING with a UTCTime (DER, or its text), or with a time stamp token, which goes into
 * *token while *ms is 0. Otherwise: the forms of ses_time(), and anything else as an unknown time (TIME_UNREADABLE). */
enum err ses_time_info(const struct reading *rd, struct der *d, bool is_v1, const char *where, int64_t *ms,
                       struct span *token) MUST_CHECK;

/* A BIT STRING of whole bytes; shorter than `full` (0: any) it is trimmed zero bits (BITS_TRIMMED); or an OCTET STRING
 * (`octets_code`). */
enum err ses_bits(const struct reading *rd, struct der *d, size_t full, const char *octets_code, const char *where,
                  struct span *out) MUST_CHECK;
/* A certificate in an OCTET STRING, or as it is (CERT_RAW). */
enum err ses_cert(const struct reading *rd, struct der *d, const char *where, struct span *out) MUST_CHECK;
/* An OID, or one within an AlgorithmIdentifier (ALG_SEQUENCE). */
enum err ses_alg(const struct reading *rd, struct der *d, const char *where, char **out) MUST_CHECK;

/* How the standard has ExtensionDatas at this place. */
enum ext_place { EXT_EITHER, EXT_UNTAGGED, EXT_TAGGED };
/* ExtensionDatas or nothing: untagged, [0] EXPLICIT, [0] IMPLICIT (EXT_UNTAGGED, EXT_TAGGED, EXT_IMPLICIT where it is
 * not as `place` says), or in an OCTET STRING (EXT_WRAPPED); `critical FALSE` written out is EXT_DEFAULT_ENCODED. */
enum err ses_exts(const struct reading *rd, struct der *d, enum ext_place place, const char *where, size_t *n,
                  struct ses_ext **ext) MUST_CHECK;
/* [0] EXPLICIT BIT STRING or nothing; otherwise [0] IMPLICIT or untagged (TS_UNTAGGED). Empty is ERR_FORMAT. */
enum err ses_time_stamp(const struct reading *rd, struct der *d, const char *where, struct span *out) MUST_CHECK;

/* The list of certificates or of their digests, and the number in front of it (not in version 1). */
enum err ses_cert_list(const struct reading *rd, struct der *property, struct ses_seal *out) MUST_CHECK;

#endif
