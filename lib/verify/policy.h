/*
 * What a verification accepts: a data file (INI), read once, shared by threads, never changed while in use.
 * Three are shipped and compiled in: "default", "strict" and "archive" (share/policy/ holds their text). A file states
 * only what it changes: everything else stands as in "default". docs/policy.md explains every key.
 *
 * The verifiers ask here and nowhere else; a policy never makes a bad signature value or digest good.
 */
#ifndef YZ_VERIFY_POLICY_H
#define YZ_VERIFY_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/digest.h"

enum {
	POLICY_FILE_MAX = 64 * 1024,
	POLICY_NAME_MAX = 64,
	POLICY_ROWS_MAX = 64,  /* algorithms; deviations */
	POLICY_PATHS_MAX = 16, /* of trust, per role */
	POLICY_DAYS_MAX = 36500
};

/* What to make of a deviation from a standard (form/deviation.h). */
enum policy_answer {
	POLICY_ACCEPT_WITH_NOTICE, /* a NOTICE step with the deviation's code */
	POLICY_REFUSE              /* a FAIL step: what follows is for the verifier (FORMAT_FAILURE in general) */
};

enum policy_revocation {
	POLICY_REVOCATION_IF_AVAILABLE, /* judged where evidence is at hand, else listed in not_checked */
	POLICY_REVOCATION_REQUIRED,     /* without fresh evidence: INDETERMINATE / TRY_LATER */
	POLICY_REVOCATION_OFF           /* not looked at; listed in not_checked */
};

/* Which entries of a document no signature may leave out (INDETERMINATE / SIG_CONSTRAINTS_FAILURE, UNCOVERED). */
enum policy_coverage {
	POLICY_COVERAGE_DISPLAYED, /* whatever a reader displays */
	POLICY_COVERAGE_ALL,       /* every entry, save those that carry the signatures themselves */
	POLICY_COVERAGE_OFF        /* only reported */
};

/* In whose role a certificate stands. */
enum policy_role { POLICY_MAKER, POLICY_SIGNER, POLICY_TSA, POLICY_STATEMENT, POLICY_ROLES };

struct policy_algorithm_row {
	char name[24];
	bool refused;
	int64_t until; /* last instant at which its use is accepted; 0: no end. Of no meaning when refused */
};

struct policy_deviation_row {
	char code[40];
	enum policy_answer answer;
};

struct policy_rules {
	uint8_t digest[SHA256_LEN]; /* SHA-256 of the file's text: name and version are only words */
	char name[POLICY_NAME_MAX];
	char version[POLICY_NAME_MAX];
	enum policy_revocation revocation;
	int crl_max_days; /* evidence older than this (thisUpdate to now) is no evidence; 0: only its nextUpdate counts */
	bool time_stamp_required; /* without a good time stamp (or the store's own time): INDETERMINATE / NO_POE */
	enum policy_coverage coverage;
	int zone_minutes; /* east of UTC: what a time without a zone means */
	int rsa_min_bits;
	enum policy_answer deviation_default; /* for codes without a row */
	size_t n_deviations, n_algorithms;
	struct policy_deviation_row deviations[POLICY_ROWS_MAX];
	struct policy_algorithm_row algorithms[POLICY_ROWS_MAX]; /* what has no row is refused */
};

/* Trust and rules of one verification; shared by threads, never changed while in use. */
struct verify_policy {
	const char *name;                 /* as it stands in reports */
	const struct cert_store *trust;   /* anchors, intermediates, CRLs; NULL: nothing is trusted */
	const struct policy_rules *rules; /* NULL: those of "default" */
	/* Trust of one role alone, in place of `trust`; NULL: `trust` holds for it too. */
	struct cert_store *role_trust[POLICY_ROLES];
};

/* The rules in force: p->rules or those of "default"; never NULL. */
const struct policy_rules *policy_rules(const struct verify_policy *p);
/* The deviation `code` (form/deviation.h). */
enum policy_answer policy_deviation(const struct verify_policy *p, const char *code);
/* May this algorithm have been used at `at`? alg: a dotted OID of a signature or digest algorithm, or a name: SM2-SM3,
 * RSA-SHA256, RSA-SHA1, RSA-MD5, ECDSA-SHA256, SM3, SHA-256, SHA-1, MD5 (letter case is ignored). Unknown: false. */
bool policy_algorithm(const struct verify_policy *p, const char *alg, int64_t at);
/* The name of an algorithm, from its OID or a name in any case; NULL when it is not known. */
const char *policy_algorithm_name(const char *alg);
/* Trust for a role; NULL: nothing is trusted. */
const struct cert_store *policy_trust(const struct verify_policy *p, enum policy_role role);
/* By what means values are verified: those of the trust, cert_store_use(). */
struct sm2_means policy_means(const struct verify_policy *p);
/* Is revocation evidence of this thisUpdate (producedAt of OCSP) fresh enough at `now`? nextUpdate is the caller's. */
bool policy_fresh(const struct verify_policy *p, int64_t this_update, int64_t now);

/* Up to which moment, itself included, the revocation evidence of all roles' trust answers as it does at `now`. */
int64_t policy_settled_until(const struct verify_policy *p, int64_t now);

/* ---- files (docs/policy.md) ----------------------------------------------------------------- */

struct policy_file {
	struct policy_rules rules;
	/* [trust]: paths as written, relative ones from the policy's folder */
	struct {
		size_t n;
		const char *path[POLICY_PATHS_MAX];
	} trust[POLICY_ROLES];
};

/* The text of a shipped policy, compiled in; ptr NULL when there is none of this name. */
struct span policy_shipped(const char *name);
/* The names of the shipped policies; NULL past the end. */
const char *policy_shipped_name(size_t i);
/* `path` is the file's, for notes and relative paths. ERR_CONFIG_INVALID with a note that names the line: unknown or
 * repeated sections, keys and codes (verify/report.h) are refused, so that a slip of the pen loosens nothing. */
enum err policy_parse(struct arena *a, const char *path, struct span text, struct policy_file *out,
                      struct err_note *note) MUST_CHECK;
/* A shipped policy by its name, or the file at a path (what holds a / or a .). Rules stand in the arena; `trust` is
 * left NULL for the caller to set; trust of roles is loaded from the file's paths. policy_release() when done.
 * ERR_CONFIG_INVALID, ERR_FILE_UNREADABLE, ERR_TOO_LARGE, and those of trust_load(). */
enum err policy_load(struct arena *a, const char *name_or_path, struct verify_policy *out,
                     struct err_note *note) MUST_CHECK;
void policy_release(struct verify_policy *p);

#endif
