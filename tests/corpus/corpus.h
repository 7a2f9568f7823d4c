/*
 * The generator of the public negative corpus: what its parts share. A program for the tests, which ends with a message
 * when anything it needs is refused, so that no caller looks at an error; everything it makes lives until it ends.
 */
#ifndef YZ_TESTS_CORPUS_H
#define YZ_TESTS_CORPUS_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/buf.h"
#include "form/der.h"
#include "form/ses.h"

/* ---- tools (tools.c) ----------------------------------------------------------------------------------------------
 */

void corpus_begin(const char *folder);
struct arena *mem(void);
_Noreturn void give_up(const char *what);
void must(enum err e, const char *what);
struct span done(struct buf *b);
/* Under the corpus' folder; folders on the way are made. */
void put_file(const char *name, struct span bytes);
struct span joined(struct span a, struct span b);
struct span digest_of(const EVP_MD *md, struct span data);
/* SEQUENCE (or what tag says) around bytes. */
struct span wrap(uint8_t tag, struct span contents);
struct span oid_der(const char *dotted);
/* One bit of the first byte of `needle` in the bytes is turned over. */
struct span flipped(struct span bytes, const char *needle);
/* The same value in BER: every constructed value with indefinite length; with lengths in four octets; every OCTET
 * STRING in two parts. */
enum ber { BER_INDEFINITE, BER_LONG, BER_PARTS };
struct span in_ber(struct span der, enum ber how);

/* ---- people and their certificates (pki.c) ------------------------------------------------------------------------
 */

struct actor {
	EVP_PKEY *key;
	X509 *cert;
	struct span der;
	EVP_PKEY *signed_with; /* the key under which `cert` stands */
};

enum key_form { KEY_FORM_SM2, KEY_FORM_RSA, KEY_FORM_RSA_1024, KEY_FORM_P256, KEY_FORM_ED25519 };

/* Zero means the usual. */
struct cert_wish {
	const char *name;
	const struct actor *issuer;  /* NULL: signs itself */
	const char *issuer_name;     /* another name than the issuer's */
	const char *from, *to;       /* 2020 to 2049 */
	bool ca, no_ca_usage;        /* a CA; its key usage lacks keyCertSign */
	int path_length;             /* n + 1 for n; 0: none */
	const char *usage, *purpose; /* keyUsage, extendedKeyUsage in OpenSSL's words */
	const char *odd_extension;   /* critical, unknown */
	const EVP_MD *md;
	const char *id; /* SM2 identity of the link */
	enum key_form key;
	const struct actor *same_key; /* another certificate for this one's key */
	bool bad_value;
};
struct actor *new_actor(const struct cert_wish *w);

struct crl_wish {
	const struct actor *issuer, *signer; /* signer NULL: the issuer */
	const struct actor *revoked[4];
	const char *revoked_at[4];
	const char *from, *to;
	bool critical; /* with an unknown critical extension */
	bool bad_value;
};
struct span new_crl(const struct crl_wish *w);

/* The answer of an OCSP responder about one certificate. */
struct ocsp_wish {
	const struct actor *about, *issuer, *responder;
	const char *revoked_at; /* NULL: good */
	const char *from, *to;
};
struct span new_ocsp(const struct ocsp_wish *w);

/* SM2 with the usual identity (id NULL), or by the kind of the key with md. */
struct span sign(const struct actor *who, struct span msg);
struct span sign_id(const struct actor *who, const char *id, struct span msg);
struct span sign_md(const struct actor *who, const EVP_MD *md, struct span msg);

struct people {
	struct actor *root, *maker, *signer, *colleague, *tsa, *service;
	struct actor *maker_expired, *maker_young, *maker_revoked, *maker_usage, *maker_purpose, *maker_strange;
	struct actor *signer_expired, *signer_young, *signer_revoked, *signer_usage, *signer_purpose, *signer_strange;
	struct actor *stranger_root;
	struct actor *tsa_plain, *tsa_strange, *tsa_expired;
};
/* The usual ones; made once, with trust/good (the root and its revocation list) and trust/root (without the list). */
const struct people *people(void);

/* ---- seals and seal signatures (ses.c) ----------------------------------------------------------------------------
 */

enum value_form {
	VALUE_GOOD,
	VALUE_RAW64,
	VALUE_MINUS, /* without the zero that makes a number positive */
	VALUE_PAD,   /* one zero too many */
	VALUE_TAIL,  /* a byte behind the SEQUENCE */
	VALUE_IN_OCTETS,
	VALUE_CUT, /* ends in a zero byte, which is cut off */
	VALUE_FLIP,
	VALUE_EMPTY_ID,
	VALUE_OTHER_ID,
	VALUE_OTHER_KEY,
	VALUE_EMPTY
};
enum list_form { L_CERTS, L_SM3, L_SHA256, L_WRONG_DIGEST, L_RAW, L_BARE, L_TEXT, L_EMPTY, L_MANY };
enum time_form {
	T_GOOD,
	T_OTHER_TYPE, /* UTCTime for GeneralizedTime and the other way round */
	T_OCTETS,
	T_BITS,
	T_TEXT,
	T_NO_ZONE,
	T_TWO_DIGITS,
	T_FRACTION,
	T_OFFSET,
	T_NONSENSE,
	T_BITS_UTC, /* version 1: a UTCTime within the BIT STRING */
	T_BITS_GEN,
	T_BITS_TOKEN /* version 1: a time stamp token */
};
enum ext_form { E_NONE, E_GOOD, E_TAGGED, E_UNTAGGED, E_IMPLICIT, E_WRAPPED, E_DEFAULT, E_CRITICAL, E_AUDIT, E_MANY };

struct seal_wish {
	int version;        /* 1, 4, 5; 0: 4 */
	int header_version; /* 0: as it should be */
	const struct actor *maker, *listed, *listed_too;
	const char *created, *from, *to; /* 20240101000000 */
	enum list_form list;
	int list_type; /* 0: as it should be; -1: absent */
	enum time_form times;
	enum ext_form ext;
	const char *alg;
	bool alg_sequence, cert_raw, sign_info_wrapped, text_type, text_charset, big_picture;
	enum value_form value;
	bool ber_signed; /* SES_SealInfo in BER, signed as it is */
	bool stamped;    /* over the value, by the time stamp authority */
	const char *stamp_time;
	const char *flip;        /* in what is signed, afterwards */
	struct span maker_bytes; /* instead of the maker's certificate */
};
struct span new_seal(const struct seal_wish *w);

enum stamp_form { S_NONE, S_GOOD, S_UNTAGGED, S_IMPLICIT, S_EMPTY };
struct signature_wish {
	struct seal_wish seal;
	struct span seal_bytes; /* instead */
	bool seal_wrapped;
	int version; /* 0: as it should be */
	const struct actor *signer;
	const char *time; /* 20240601000000 */
	enum time_form time_form;
	struct span token; /* for T_BITS_TOKEN */
	const char *data, *scope;
	struct span data_bytes; /* instead of data */
	const EVP_MD *md;       /* of data and value; NULL: SM3, of an RSA value SHA-256 */
	enum { H_GOOD, H_OCTETS, H_CUT, H_SHORT } hash;
	enum ext_form ext;
	const char *alg;
	enum value_form value;
	bool ber_signed, cert_raw;
	enum stamp_form stamp;
	const struct stamp_wish *stamp_wish; /* NULL: a good one */
	const char *flip;
	struct span signer_bytes;
};
struct span new_signature(const struct signature_wish *w);

/* ---- SignedData and time stamps (cms.c) ---------------------------------------------------------------------------
 */

enum content_form { C_DATA, C_DETACHED, C_DIGEST, C_DIGEST_BASE64, C_OTHER };
struct cms_wish {
	bool gm; /* identifiers of GB/T 35275, else of PKCS#7 */
	const char *data;
	enum content_form content;
	const struct actor *signer, *also;
	const EVP_MD *md; /* NULL: SM3 */
	const char *alg, *attr_type;
	const char *time;
	bool attrs, no_digest, wrong_digest, no_type, unsorted, no_cert;
	bool with_cert, wrong_cert; /* attribute signingCertificate; of somebody else */
	bool flip_value, empty_id, raw_content;
	int signers; /* 0: one; -1: none */
	struct span crl, stamp;
	struct span value; /* instead of one that is made */
	/* a time stamp */
	const char *content_type;
	struct span content_bytes;
};
struct span new_cms(const struct cms_wish *w);

struct stamp_wish {
	const struct actor *tsa;
	const char *time; /* 20240601000500 */
	bool wrong_imprint, flip_value, no_cert, no_signing_cert, response, wrong_content;
	const EVP_MD *md;
};
struct span new_stamp(const struct stamp_wish *w, struct span stamped);

/* ---- the table (table.c) ------------------------------------------------------------------------------------------
 */

/* One row. codes: "step=CODE" for each step that differs from the good case of its kind, "step" to leave it out,
 * "+step= CODE" for one more, "only" in front: nothing else. NULL means the usual. */
struct row {
	const char *id, *file, *kind;
	const char *trust, *at, *policy, *data;
	const char *indication, *sub, *codes;
	const char *about; /* the fault in words */
};
void add_row(const struct row *r);
/* The file is stored under the row's identifier. */
void add_case(struct row r, struct span bytes);
void write_table(void);

void seal_cases(void);
void signature_cases(void);
void chain_cases(void);
void cms_cases(void);
void ofd_cases(void);
void own_cases(void);
void role_cases(void);
void policy_cases(void);
void hostile_cases(void);

/* Receipts (cases_own.c). */
struct span receipt_payload(const char *time);
struct span new_receipt(const struct actor *by, const char *type, struct span payload);

#endif
