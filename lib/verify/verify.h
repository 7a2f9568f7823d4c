/*
 * Verify a seal, a signature, a licence file or a receipt. A hostile file gets a report (TOTAL_FAILED /
 * FORMAT_FAILURE); an error is returned only when it could not judge (ERR_BUDGET, ERR_NO_MEMORY, ERR_CRYPTO).
 */
#ifndef YZ_VERIFY_VERIFY_H
#define YZ_VERIFY_VERIFY_H

#include "crypto/cert.h"
#include "form/licence.h"
#include "form/receipt.h"
#include "form/ses.h"
#include "form/verdict.h"
#include "verify/policy.h"
#include "verify/report.h"

enum {
	VERIFY_FILE_MAX = 64 * 1024 * 1024,
	TRUST_FILES_MAX = 1024,
	TRUST_FILE_MAX = 16 * 1024 * 1024,
	CLOCK_SKEW_MS = 5 * 60 * 1000 /* how far a claimed time may lie ahead of the clock */
};

struct verify_input {
	struct span bytes;
	struct span data;    /* signed data of a bare SES_Signature; ptr NULL when not given */
	int64_t now;         /* the clock */
	int64_t at;          /* judge as of this time; 0: now */
	int64_t proven_time; /* trusted time of signing (the store's issue time); 0: none, the claimed time is used */
	const struct sm2_ahead *ahead; /* values verified together with other files' (ahead.h); NULL: none */
};

/* Kind by content, then the right one of the below. */
enum err verify_any(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                    struct report **out) MUST_CHECK;
/* By its first bytes a seal signature: what judging it takes is bounded by its size. */
bool verify_is_seal_signature(struct span document);
/* A bare seal, "good for use at `at`": GB/T 38540 seal verification in order (standards 1.7). */
enum err verify_seal(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                     struct report **out) MUST_CHECK;
/* A seal signature over in->data (standards 1.8). */
enum err verify_signature(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                          struct report **out) MUST_CHECK;
/* A SignedData (GB/T 35275, PKCS#7, CMS) or a bare signature value over in->data; a bare value is tried under the
 * certificates of the trust list. */
enum err verify_signed_data(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                            struct report **out) MUST_CHECK;
/* A licence file: structure, identifier, record against signature (issuer's name and code in the signer's
 * certificate or the seal must fit the record), signature, seal, chain. State is not known here. */
enum err verify_licence(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                        struct report **out) MUST_CHECK;
/* Of a report of verify_licence() that passed, at a proven time: up to which moment, itself included, judging the same
 * bytes with the same policy would say the same. What may change with time alone is whether the licence is within its
 * dates, and whether there is current evidence of revocation. */
int64_t verify_licence_until(const struct verify_policy *p, const struct report *r);
/* A signed statement, receipt or verdict by its content type: COSE structure, signature value, chain and purpose of its
 * certificate, structure of what it states. Whether a verdict fits a document is not checked: compare the digest. */
enum err verify_statement(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                          struct report **out) MUST_CHECK;

/* An OFD package: bounds of the package, then each signature of each document (references, Seal.esl, the signature over
 * Signature.xml), then what no signature protects (report.h, coverage). Unsigned: NO_SIGNATURE_FOUND. A ZIP without
 * OFD.xml is of unknown kind. */
enum err verify_ofd(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                    struct report **out) MUST_CHECK;

/* Trust from files and directories (PEM or DER certificates and CRLs, DER OCSP responses, recognised by content;
 * directories are read one level deep and may hold other files too). Self-issued certificates become anchors (whether
 * they may issue is judged with each path), others intermediates. ERR_CERT_UNREADABLE with a note that names the path:
 * it gives neither certificate nor CRL, a certificate or CRL in it is damaged, or all paths together give no anchor.
 * ERR_FILE_UNREADABLE; ERR_TOO_LARGE past TRUST_FILES_MAX. */
enum err trust_load(const char *const *paths, size_t n, struct cert_store **out, struct err_note *note) MUST_CHECK;

/* JSON of one report, one line, in the arena. `file` may be NULL. */
enum err report_json(struct arena *a, const struct report *r, const char *file, char **out) MUST_CHECK;

#endif
