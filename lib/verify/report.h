/*
 * A verdict as data: every check with its result and code; printing is someone else's job.
 * docs/report-codes.md lists the codes.
 */
#ifndef YZ_VERIFY_REPORT_H
#define YZ_VERIFY_REPORT_H

#include "base/arena.h"
#include "base/err.h"

enum indication { IND_NONE, TOTAL_PASSED, TOTAL_FAILED, INDETERMINATE, NO_SIGNATURE_FOUND };

/* Within one indication the first of these wins. */
enum sub_indication {
	SUB_NONE,
	SUB_FORMAT_FAILURE,
	SUB_HASH_FAILURE,
	SUB_SIG_CRYPTO_FAILURE,
	SUB_SIG_CONSTRAINTS_FAILURE,
	SUB_REVOKED,
	SUB_EXPIRED,
	SUB_NOT_YET_VALID,
	SUB_NO_CERTIFICATE_CHAIN_FOUND,
	SUB_CHAIN_CONSTRAINTS_FAILURE,
	SUB_CRYPTO_CONSTRAINTS_FAILURE,
	SUB_TRY_LATER,
	SUB_OUT_OF_BOUNDS_NO_POE,
	SUB_SIGNED_DATA_NOT_FOUND,
	SUB_UNCOVERED /* INDETERMINATE / SIG_CONSTRAINTS_FAILURE, code UNCOVERED */
};

enum check_result { CHECK_PASS, CHECK_FAIL, CHECK_NOTICE, CHECK_SKIPPED };

struct check {
	const char *step; /* stable: "structure", "seal_signature", "maker_chain", "seal_period", … */
	enum check_result result;
	const char *code;           /* stable: "OK", "SEAL_SIG_BAD", … */
	const char *detail;         /* for people; NULL when none; no personal data beyond what the file itself shows */
	enum indication indication; /* what follows from a FAIL; IND_NONE otherwise */
	enum sub_indication sub;
	struct check *next;
};

struct cert_facts {
	const char *subject, *issuer, *serial;
	int64_t not_before, not_after;
};

struct seal_facts {
	const char *id, *name, *maker;
	int64_t valid_start, valid_end;
	int version;
};

/* One judged signature (or seal): what it is, the steps, the verdict. */
struct signature_report {
	const char *id;   /* in its document, or NULL */
	const char *type; /* "Seal", "Sign", "Statement" */
	int version;      /* 0 when not applicable */
	enum indication indication;
	enum sub_indication sub;
	int64_t signing_time; /* claimed; 0 unknown */
	struct cert_facts signer;
	struct seal_facts seal;
	bool has_signer, has_seal;
	struct check *checks, *last;
	struct signature_report *next;
};

enum verify_kind { KIND_UNKNOWN, KIND_OFD, KIND_SEAL, KIND_SIGNATURE, KIND_LICENCE, KIND_RECEIPT, KIND_VERDICT };

/* Of a package: which of its entries a signature protects. Paths begin with '/'. The files of the signatures themselves
 * (the list, Signature.xml, SignedValue.dat, Seal.esl) are in none of the lists unless a signature refers to them. */
struct report_coverage {
	size_t n_protected; /* entries with a right digest in a sound signature */
	size_t n_unprotected, n_changed;
	const char **unprotected;
	const char **changed; /* differ from what a sound signature signed; its steps say which signature */
};

struct report {
	struct arena *arena;
	enum verify_kind kind;
	enum indication indication;
	enum sub_indication sub;
	const char *policy, *policy_version;
	int64_t judged_at;           /* the clock's now, or --at */
	struct check *checks, *last; /* of the file itself (or of a bare seal) */
	struct signature_report *signatures, *last_signature;
	const char *not_checked[8]; /* "REVOCATION", … */
	size_t n_not_checked;
	size_t trust_anchors, trust_crls;
	int64_t oldest_crl; /* thisUpdate of the oldest CRL used; 0 none */
	bool incomplete;    /* memory ran out while writing: the verdict cannot be PASSED */
	/* Of a bare seal: what it says, and its maker's certificate. */
	struct seal_facts seal;
	struct cert_facts maker;
	bool has_seal, has_maker;
	const struct report_coverage *coverage; /* of a package that could be read; NULL otherwise */
	/* What the file says, for people; NULL/0 when not of that kind. */
	const struct licence_record *licence;
	const struct receipt *receipt;
	const struct verdict_record *verdict;
};

const char *indication_name(enum indication i);         /* "TOTAL_PASSED", …; NULL for IND_NONE */
const char *sub_indication_name(enum sub_indication s); /* NULL for SUB_NONE */
const char *check_result_name(enum check_result r);
const char *verify_kind_name(enum verify_kind k);

/* An empty report of this kind; NULL when out of memory. */
struct report *report_new(struct arena *a, enum verify_kind kind);
/* Add a step. detail may be NULL; it is copied; step and code must be constants. Out of memory sets the report to
 * INDETERMINATE at the end. */
void report_check(struct report *r, struct signature_report *s /* NULL: the file's own */, const char *step,
                  enum check_result result, const char *code, const char *detail);
/* Record a failure: the worse of what stands and this (FAILED over INDETERMINATE; then the order of the enum). */
void report_fail(struct report *r, struct signature_report *s, enum indication i, enum sub_indication sub);
/* Append a signature; NULL when out of memory. */
struct signature_report *report_signature(struct report *r, const char *id, const char *type);
void report_not_checked(struct report *r, const char *what);
/* For longer than the arena that it was written in: a copy of a report on a licence, record included (coverage, receipt
 * and verdict are not copied, policy's names are the policy's). NULL when out of memory. */
struct report *report_copy(struct arena *a, const struct report *r);
/* After all steps: a signature without failure is TOTAL_PASSED; the file's verdict is the worst. */
void report_conclude(struct report *r);

/* The step that decided the verdict: the first FAIL, in the file's own steps and then in its signatures, from which it
 * follows; NULL when there is none. */
const struct check *report_reason(const struct report *r);

struct report_code {
	const char *code;
	const char *en, *zh; /* one sentence each: what is wrong, and whose fault */
};
/* NULL when unknown. */
const struct report_code *report_code_find(const char *code);
size_t report_codes(const struct report_code **all);

#endif
