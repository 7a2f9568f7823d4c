/*
 * A licence's canonical record and the licence file. docs/licence-record.md has the encoding.
 *
 * Record: deterministic CBOR map, metadata elements of GB/T 36903 under small integer keys, face fields as an
 * array of [name, value] in the order of the type. Every value is text in the form that its field type says.
 * File: CBOR array ["YZLICENCE", 1, record bytes, SES_Signature bytes]; the signature's data_hash is the SM3 of the
 * record bytes, its propertyInfo is LICENCE_SCOPE.
 */
#ifndef YZ_FORM_LICENCE_H
#define YZ_FORM_LICENCE_H

#include "base/arena.h"
#include "base/err.h"
#include "form/ids.h"

#define LICENCE_SCOPE      "yinzheng:licence-record:1"
#define LICENCE_FILE_MAGIC "YZLICENCE"

enum {
	LICENCE_RECORD_MAX = 256 * 1024,
	LICENCE_HOLDERS_MAX = 64,
	LICENCE_FIELDS_MAX = 128,
	LICENCE_NAME_MAX = 200,  /* bytes of a name */
	LICENCE_VALUE_MAX = 4000 /* bytes of a field's value */
};

struct licence_holder {
	char *name;
	char *code_type; /* GB/T 36903 annex A: "001", "111", … */
	char *code;
};

struct licence_field {
	char *name; /* the field's name in its type, e.g. "经营场所" */
	char *value;
};

struct licence_record {
	char *id;          /* 电子证照标识 */
	char *type_code;   /* 证照类型代码 */
	char *type_name;   /* 证照类型名称 */
	char *number;      /* 证照编号 */
	unsigned version;  /* 证照版本号, 1..999 */
	char *issuer_code; /* 证照颁发机构代码 */
	char *issuer_name;
	char *definer_code; /* 证照定义机构代码 */
	int64_t issued;     /* 证照颁发日期 */
	int64_t valid_from; /* 证照有效期起始 */
	int64_t valid_to;   /* 截止; 0: no end (长期) */
	char *area_code;    /* 管辖属地编码, "" when none */
	char *previous_id;  /* of the version before, "" when none */
	size_t n_holders;
	struct licence_holder *holders; /* at least one */
	size_t n_fields;
	struct licence_field *fields;
};

/* The inputs must be complete and clean (desk/ checks them against the type). ERR_FIELD_INVALID, ERR_TOO_LARGE. */
enum err licence_record_encode(struct arena *a, const struct licence_record *in, struct span *out) MUST_CHECK;
/* ERR_FORMAT with a note naming the element. Checks the encoding and bounds, not the identifier's check character. */
enum err licence_record_parse(struct arena *a, struct span in, struct licence_record *out,
                              struct err_note *note) MUST_CHECK;

/* Deep; NULL when out of memory. */
struct licence_record *licence_record_copy(struct arena *a, const struct licence_record *in);

enum err licence_file_encode(struct arena *a, struct span record, struct span signature, struct span *out) MUST_CHECK;
enum err licence_file_parse(struct span in, struct span *record, struct span *signature) MUST_CHECK;

/* Value of a field by name; NULL when the record has none. */
const char *licence_field_value(const struct licence_record *r, const char *name);

#endif
