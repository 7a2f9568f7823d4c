/*
 * A receipt: what the service states of one use, signed as COSE_Sign1 with content type RECEIPT_TYPE.
 * docs/receipt.md has the encoding. It carries names of fields and salted digests, never values: the holder of
 * a value and its salt (the window got both) can prove what was delivered; others learn nothing.
 */
#ifndef YZ_FORM_RECEIPT_H
#define YZ_FORM_RECEIPT_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/digest.h"

#define RECEIPT_TYPE "application/vnd.yinzheng.receipt+cbor"

enum {
	RECEIPT_SALT = 16,
	RECEIPT_MATERIALS_MAX = 64,
	RECEIPT_FIELDS_MAX = 128,
	RECEIPT_TEXT_MAX = 200,    /* bytes of any text but the purpose */
	RECEIPT_PURPOSE_MAX = 600, /* bytes */
	RECEIPT_MAX = 256 * 1024
};

enum receipt_kind { RECEIPT_PULL = 1, RECEIPT_INSPECT = 2 };

/* Wire numbers are fixed. */
enum material_status {
	MATERIAL_FULFILLED = 1,
	MATERIAL_MISSING = 2,
	MATERIAL_NOT_VALID = 3,
	MATERIAL_NOT_GRANTED = 4,
	MATERIAL_SOURCE_UNAVAILABLE = 5
};
const char *material_status_name(enum material_status s); /* "FULFILLED", … */

struct receipt_field {
	char *name;
	uint8_t digest[SM3_LEN]; /* SM3( salt || name UTF-8 || 0x00 || value UTF-8 ) */
};

struct receipt_material {
	char *type_code;
	char *name; /* the material's name in the item */
	enum material_status status;
	char *state;      /* licence state at the time, "" when there is no licence */
	char *indication; /* verdict, "" when none was reached */
	char *source;     /* "local" or the source's name */
	int64_t source_time;
	uint8_t licence_digest[SM3_LEN]; /* SM3( salt || licence identifier ), zeros when none */
	size_t n_fields;
	struct receipt_field *fields;
};

struct receipt {
	enum receipt_kind kind;
	char *id; /* "YZR-" and 26 of 0-9 A-Z: a ULID, 80 bits of it random */
	int64_t time;
	char *service;                    /* who states this: the service's name */
	char *org_code, *org_name;        /* who received */
	char *principal;                  /* principal id of the receiver */
	char *legal_basis;                /* "consent" or "statutory" */
	char *item_code, *item_name;      /* "" for an inspection */
	uint8_t case_digest[SM3_LEN];     /* SM3( salt || case number ) */
	uint8_t operator_digest[SM3_LEN]; /* SM3( salt || operator id ) */
	char *purpose;
	uint8_t code_hash[SM3_LEN];      /* of the show-code; zeros for a statutory use */
	uint8_t request_digest[SM3_LEN]; /* SM3 of the request as received */
	uint8_t audit_leaf[SHA256_LEN];  /* RFC 6962 leaf hash of the audit entry */
	size_t n_materials;
	struct receipt_material *materials;
};

/* ERR_FIELD_INVALID when a text is empty (where it may not be), too long or not clean; ERR_TOO_LARGE. */
enum err receipt_encode(struct arena *a, const struct receipt *in, struct span *out) MUST_CHECK;
/* ERR_FORMAT with a note naming the element; ERR_TOO_LARGE, ERR_BUDGET. encode(parse(x)) is x. */
enum err receipt_parse(struct arena *a, struct span in, struct receipt *out, struct err_note *note) MUST_CHECK;
/* The digests above. */
enum err receipt_field_digest(struct span salt, const char *name, const char *value, uint8_t out[SM3_LEN]) MUST_CHECK;
enum err receipt_text_digest(struct span salt, const char *text, uint8_t out[SM3_LEN]) MUST_CHECK;

#endif
