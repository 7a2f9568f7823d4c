/* Identifiers and codes: check and make. No verdicts about who they belong to. */
#ifndef YZ_FORM_IDS_H
#define YZ_FORM_IDS_H

#include "base/arena.h"
#include "base/err.h"

#define LICENCE_ID_ROOT "1.2.156.3005.2"

enum {
	CREDIT_CODE_LEN = 18,
	RESIDENT_ID_LEN = 18,
	TYPE_CODE_LEN = 21,      /* 18 of the defining authority + 3 digits */
	LICENCE_SERIAL_MAX = 64, /* the standard's maximum is not known to us; 7..32 are seen */
	LICENCE_ID_MAX = 14 + 1 + TYPE_CODE_LEN + 1 + CREDIT_CODE_LEN + 1 + LICENCE_SERIAL_MAX + 1 + 3 + 1 + 1
};

/* GB 32100-2015, upper case only, check character included. */
bool credit_code_ok(struct span s);
char credit_code_check(struct span first17); /* '\0' when not 17 characters of the alphabet */
/* GB 11643: 17 digits and a check character 0-9X, the birth date must exist and not be before 1800. */
bool resident_id_ok(struct span s);
char resident_id_check(struct span first17); /* '\0' when not 17 digits */
/* 21 characters: a credit code that checks, then three digits. */
bool type_code_ok(struct span s);
/* A holder's code by its type of GB/T 36903 annex A: "001" credit code, "111" resident id are checked by their
 * own rule; the other known types (see standards) are 1..40 of A-Z 0-9 and '-'. ERR_HOLDER_CODE_INVALID. */
enum err holder_code_check(const char *code_type, const char *code) MUST_CHECK;

/* 电子证照标识 (GB/T 36904): root . type . issuer . serial . version . check; ISO 7064 MOD 37,36. */
struct licence_id {
	struct span type, issuer, serial, version; /* views into the text */
	char check;                                /* as written */
	char computed;                             /* as it should be */
	bool root_ok;                              /* begins with LICENCE_ID_ROOT (the older 1.2.156.3003.2 does not) */
	bool issuer_ok;                            /* an 18 character credit code that checks */
	bool type_ok;
};
/* Structure only: ERR_LICENCE_ID_INVALID when it does not have the parts. A wrong check character or part is
 * left to the reader of the result: in foreign licences it is a finding. */
enum err licence_id_parse(struct span s, struct licence_id *out) MUST_CHECK;
/* True when everything is right, check character included; version 000 is not. */
bool licence_id_ok(struct span s);
/* version 1..999. ERR_LICENCE_ID_INVALID when a part is wrong. */
enum err licence_id_make(struct arena *a, const char *type, const char *issuer, const char *serial, unsigned version,
                         char **out) MUST_CHECK;

#endif
