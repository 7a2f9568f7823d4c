/*
 * Private to the room: what the verifiers share while they write one report. Every helper adds steps and verdicts to
 * `j->s` (a signature) or, when that is NULL, to the file itself; an `enum err` from them means "could not judge".
 */
#ifndef YZ_VERIFY_JUDGE_H
#define YZ_VERIFY_JUDGE_H

#include "verify/seal_memo.h"
#include "verify/verify.h"

struct judge {
	struct arena *a;
	const struct verify_policy *p;
	const struct verify_input *in;
	struct report *r;
	struct signature_report *s; /* NULL: the file's own steps */
	int64_t at;                 /* as of when: --at, else the clock */
	int64_t now;                /* for how fresh revocation lists are */
	int64_t time;               /* the time of signing (or of use, for a bare seal) that is judged */
	bool time_proven;           /* `time` is not just claimed by the file */
	bool unauthenticated;       /* the signature value over what is judged now is bad: its dates are mere claims */
	int64_t said_time;          /* what the signed data says of its time (SignatureDateTime); 0: nothing. For
	                             * judge_signed_data(), when the SignedData has no signingTime of its own */
	const struct cert_store *evidence; /* revocation evidence that the file itself carries; NULL: none */
	const struct sm2_ahead *ahead;     /* values that were verified together before; NULL: none */
	const struct seal_known *known;    /* the seal of the signature, when it was found good before; NULL: not known */
	bool own_format; /* a file of our own making: its signature is read strictly, without deviations */
};

/* A new report in j->r, with policy, trust and times filled in. */
enum err judge_begin(struct judge *j, enum verify_kind kind, struct arena *a, const struct verify_policy *p,
                     const struct verify_input *in) MUST_CHECK;
/* Conclude. ERR_BUDGET when memory ran out on the way, so that half a report is never taken for a whole one. */
enum err judge_end(struct judge *j, struct report **out) MUST_CHECK;

void step_pass(struct judge *j, const char *step, const char *detail);
void step_notice(struct judge *j, const char *step, const char *code, const char *detail);
void step_skip(struct judge *j, const char *step, const char *code);

/* A step that fails, and what follows from it. */
struct failure {
	enum indication ind;
	enum sub_indication sub;
	const char *code;
};
void step_fail(struct judge *j, const char *step, struct failure f, const char *detail);

/* Times in certificates and seals name a second, and all of that second is within. */
static inline bool is_past(int64_t time, int64_t end)
{
	return time > end + 999;
}

#define FAILED(sub, code)  ((struct failure){TOTAL_FAILED, SUB_##sub, (code)})
#define UNCLEAR(sub, code) ((struct failure){INDETERMINATE, SUB_##sub, (code)})

/* In whose name a certificate stands: the names of its steps and codes, and the purpose that it must name. */
struct role {
	const char *certificate, *chain, *key_usage, *purpose, *revocation, *period; /* steps */
	const char *unreadable, *no_path, *issuer_time, *constraints, *algorithm, *bad_usage, *bad_purpose, *revoked,
	    *revoked_after, *unknown_status; /* codes */
	enum policy_role trust;
	const char *required; /* extended key usage, form/statement.h; NULL: any but one that is for statements alone */
};
extern const struct role role_maker, role_signer;
/* Names of steps and codes by their beginnings, e.g. ROLE("MAKER", "maker"). */
#define ROLE(prefix, step)                                                                                             \
	.certificate = step "_certificate", .chain = step "_chain", .key_usage = step "_key_usage",                        \
	.purpose = step "_purpose", .revocation = step "_revocation", .period = step "_period",                            \
	.unreadable = prefix "_CERT_UNREADABLE", .no_path = prefix "_CERT_CHAIN",                                          \
	.issuer_time = prefix "_CERT_ISSUER_TIME", .constraints = prefix "_CERT_CONSTRAINTS",                              \
	.algorithm = prefix "_CERT_ALGORITHM", .bad_usage = prefix "_CERT_KEYUSAGE",                                       \
	.bad_purpose = prefix "_CERT_PURPOSE", .unknown_status = prefix "_CERT_UNKNOWN_STATUS",                            \
	.revoked_after = prefix "_CERT_REVOKED_AFTER"

/* Certificate from the file; a step says so when it is unreadable, and *out stays NULL. Free with cert_free. */
enum err judge_cert_read(struct judge *j, const struct role *role, struct span der, struct cert **out) MUST_CHECK;
/* Chain at j->time, key usage, purpose, revocation. */
enum err judge_cert_path(struct judge *j, const struct role *role, struct cert *c, struct cert *const *extra,
                         size_t n_extra) MUST_CHECK;
/* The signing time within the certificate's period, and whether that has ended since without proof. */
void judge_cert_period(struct judge *j, const struct role *role, const struct cert *c);
/* Skip all steps of a role: its certificate cannot be read. */
void judge_cert_skip(struct judge *j, const struct role *role);
/* Says how the time of signing is known, and refuses one that lies in the future. */
void judge_time(struct judge *j, int64_t claimed);
/* The same for a time that a time stamp proves. claimed: what the signer says; 0: nothing. */
void judge_time_stamped(struct judge *j, int64_t stamped, int64_t claimed);
struct cert_facts cert_facts_of(struct judge *j, const struct cert *c);

/* Algorithm and signature value; `steps` are {algorithm, value}. Sets j->unauthenticated when the value is bad. */
struct value_steps {
	const char *algorithm, *value, *bad_code;
	enum memo_kind memo; /* what may be remembered of good ones; MEMO_LICENCE: in files of our own format */
};
/* By what means values of this kind are verified. */
struct sm2_means judge_means(const struct judge *j, const struct value_steps *steps);
enum err judge_value(struct judge *j, const struct value_steps *steps, const char *alg, const struct cert *c,
                     struct span msg, struct span value) MUST_CHECK;
/* What a parser noted: a NOTICE "form" for each, or a failure where the policy refuses it. */
void judge_deviations(struct judge *j, const struct deviations *list);
/* The bytes under a signature value of a SES structure. */
struct ses_signed {
	struct span der, received; /* received: empty unless the structure came in BER */
	const char *where;         /* the value's element */
};
/* judge_value() for values as they are found (ses_value_read), over received bytes or, of BER, over its DER form. */
enum err judge_ses_value(struct judge *j, const struct value_steps *steps, const char *alg, const struct cert *c,
                         const struct ses_signed *what, struct span value) MUST_CHECK;
/* Software that leaves OpenSSL's default in place signs with the empty SM2 identity: that is a fault of its maker, not
 * a forgery, and still no signature of the standard. Asked only for a value that does not fit. */
bool judge_empty_id(const struct judge *j, const struct cert *c, struct span msg, struct span value);
/* The value does not fit: `code`, or SM2_ID_EMPTY. */
void bad_value_step(struct judge *j, const char *step, const char *code, const struct cert *c, bool empty_id);
/* Extensions that say they must be understood. Known is one that has no bearing on validity, and is a deviation: the
 * audit identity of RFC 5755 4.3.1. */
void judge_extensions(struct judge *j, const char *step, const struct ses_ext *ext, size_t n);
/* Structure failed with e: a step with the right code, or e itself when it is no fault of the file. */
enum err judge_structure(struct judge *j, const char *step, enum err e, const struct err_note *note) MUST_CHECK;

/* A parsed seal at j->time: all steps of standards 1.7. embedded: inside a signature. */
enum err judge_seal(struct judge *j, const struct ses_seal *seal, bool embedded) MUST_CHECK;
struct seal_facts seal_facts_of(struct judge *j, const struct ses_seal *seal);
/* A SES_Signature with all steps of standards 1.8, in a new signature of the report. scope: what propertyInfo must be;
 * NULL: anything. */
enum err judge_signature(struct judge *j, struct span bytes, struct span data, const char *scope) MUST_CHECK;

/* A SignedData (GB/T 35275, CMS, PKCS#7), or a bare signature value, over `data` (ptr NULL: not at hand), with all
 * steps, in a new signature of the report (type "Sign"). */
/* j->s is the first of them afterwards: a SignedData may have several signers. */
enum err judge_signed_data(struct judge *j, struct span bytes, struct span data) MUST_CHECK;
/* A time stamp token (RFC 3161, GB/T 20520) over the bytes `stamped`: steps "timestamp_…" in j->s (or of the file),
 * with the verdicts that follow. *time is the stamped time when every step of the token passed, its authority trusted;
 * else 0, and the time of signing is to be taken from elsewhere. j->time and j->time_proven are left as they are. */
enum err judge_time_stamp(struct judge *j, struct span token, struct span stamped, int64_t *time) MUST_CHECK;

#endif
