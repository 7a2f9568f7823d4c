/*
 * A verdict receipt: what the service found out about a document, signed as COSE_Sign1 with content type VERDICT_TYPE
 * by a key whose certificate names PURPOSE_VERDICT (form/statement.h). docs/verdict.md has the encoding. It holds
 * digests of the document, the report and the rules, and no part of the document: who has these can show that they
 * belong together.
 */
#ifndef YZ_FORM_VERDICT_H
#define YZ_FORM_VERDICT_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/digest.h"

#define VERDICT_TYPE "application/vnd.yinzheng.verdict+cbor"

enum { VERDICT_TEXT_MAX = 200, VERDICT_MAX = 16 * 1024, VERDICT_ID_LEN = 4 + 26 };

struct verdict_record {
	char *id;          /* "YZV-" and 26 of 0-9 A-Z */
	int64_t time;      /* when it was judged, by the service's clock */
	int64_t judged_at; /* as of when */
	char *service;     /* who states this */
	uint8_t document_digest[SM3_LEN];
	uint8_t data_digest[SM3_LEN]; /* of the signed data given beside it; zeros when none was */
	char *kind;                   /* "seal", "ofd", … (verify/report.h) */
	char *indication;             /* "TOTAL_PASSED", … */
	char *sub_indication;         /* "" when none */
	char *code;                   /* of the step that decided; "" when none */
	char *not_checked;            /* "REVOCATION TIME_STAMP …", "" when nothing was left out */
	char *policy, *policy_version;
	uint8_t policy_digest[SHA256_LEN]; /* of the policy's text */
	uint8_t trust_digest[SHA256_LEN];  /* of anchors, intermediates and revocation evidence (crypto/cert.h) */
	int64_t oldest_crl;                /* thisUpdate of the oldest list used; 0 none */
	uint8_t report_digest[SM3_LEN];    /* of the whole report as JSON, as it was given */
};

/* ERR_FIELD_INVALID when a text is empty (where it may not be), too long or not clean. */
enum err verdict_encode(struct arena *a, const struct verdict_record *in, struct span *out) MUST_CHECK;
/* ERR_FORMAT with a note naming the element; ERR_TOO_LARGE, ERR_BUDGET. encode(parse(x)) is x. */
enum err verdict_parse(struct arena *a, struct span in, struct verdict_record *out, struct err_note *note) MUST_CHECK;

#endif
