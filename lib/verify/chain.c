/* One certificate in one role: path, key usage, revocation, and its period against the time of signing. */
#include "base/clock.h"
#include "crypto/memo.h"
#include "form/statement.h"
#include "verify/judge.h"

const struct role role_maker = {ROLE("MAKER", "maker"), .revoked = "MAKER_CERT_REVOKED", .trust = POLICY_MAKER};
const struct role role_signer = {ROLE("SIGNER", "signer"), .revoked = "SIGNER_CERT_REVOKED_BEFORE",
                                 .trust = POLICY_SIGNER};

enum { KU_DIGITAL_SIGNATURE = 1, KU_NON_REPUDIATION = 2 };

enum err judge_cert_read(struct judge *j, const struct role *role, struct span der, struct cert **out)
{
	enum err e = memo_cert(policy_means(j->p).memo, der, out);

	if (e == ERR_OK || (err_class_of(e) != ERRC_DATA && e != ERR_TOO_LARGE))
		return e;
	step_fail(j, role->certificate, FAILED(FORMAT_FAILURE, role->unreadable), NULL);
	j->unauthenticated = true;
	return ERR_OK;
}

void judge_cert_skip(struct judge *j, const struct role *role)
{
	step_skip(j, role->chain, "CANNOT_JUDGE");
	step_skip(j, role->key_usage, "CANNOT_JUDGE");
	step_skip(j, role->purpose, "CANNOT_JUDGE");
	step_skip(j, role->revocation, "CANNOT_JUDGE");
	step_skip(j, role->period, "CANNOT_JUDGE");
	report_not_checked(j->r, "REVOCATION");
}

struct cert_facts cert_facts_of(struct judge *j, const struct cert *c)
{
	struct cert_facts f = {
	    .subject = arena_strdup(j->a, cert_subject(c)),
	    .issuer = arena_strdup(j->a, cert_issuer(c)),
	    .serial = arena_strdup(j->a, cert_serial_hex(c)),
	    .not_before = cert_not_before(c),
	    .not_after = cert_not_after(c),
	};

	if (f.subject == NULL || f.issuer == NULL || f.serial == NULL)
		j->r->incomplete = true;
	return f;
}

static const char *when(struct judge *j, int64_t time)
{
	char text[TIME_TEXT];

	return arena_printf(j->a, "%s%s", time_format(time, text),
	                    j->unauthenticated ? " (claimed by unauthenticated data)" : "");
}

/* Roots without keyCertSign are in use: whoever trusts one has decided that it issues, but it is told. */
static void anchor_step(struct judge *j, const struct role *role, const struct chain_result *res)
{
	if (!res->anchor_key_usage)
		step_pass(j, role->chain, NULL);
	else if (policy_deviation(j->p, "ANCHOR_KEYUSAGE") == POLICY_REFUSE)
		step_fail(j, role->chain, UNCLEAR(CHAIN_CONSTRAINTS_FAILURE, "ANCHOR_KEYUSAGE"), NULL);
	else
		step_notice(j, role->chain, "ANCHOR_KEYUSAGE", NULL);
}

static void chain_step(struct judge *j, const struct role *role, const struct chain_result *res)
{
	struct failure f = UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, role->no_path);

	switch (res->status) {
	case CHAIN_OK:
		anchor_step(j, role, res);
		return;
	case CHAIN_NO_PATH:
		if (policy_trust(j->p, role->trust) == NULL || cert_store_anchors(policy_trust(j->p, role->trust)) == 0)
			f.code = "TRUST_EMPTY";
		break;
	case CHAIN_BAD_SIGNATURE:
		break;
	case CHAIN_NOT_YET:
	case CHAIN_EXPIRED:
		/* Of an issuer: the leaf's own period is a step of its own. A newer issuer might exist elsewhere. */
		f.code = role->issuer_time;
		break;
	case CHAIN_CONSTRAINTS:
		f = UNCLEAR(CHAIN_CONSTRAINTS_FAILURE, role->constraints);
		break;
	case CHAIN_ALGORITHM:
		f = UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, role->algorithm);
		break;
	}
	step_fail(j, role->chain, f, res->subject[0] != '\0' ? res->subject : NULL);
}

static void key_usage_step(struct judge *j, const struct role *role, const struct cert *c)
{
	if ((cert_key_usage(c) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0)
		step_pass(j, role->key_usage, NULL);
	else
		step_fail(j, role->key_usage, UNCLEAR(CHAIN_CONSTRAINTS_FAILURE, role->bad_usage), cert_subject(c));
}

/* A statement's key signs statements of its own kind and nothing else. Certificates for seals name no purpose of ours:
 * real ones have none, or others. */
static void purpose_step(struct judge *j, const struct role *role, const struct cert *c)
{
	bool fits = role->required != NULL ? cert_has_eku(c, role->required) : !cert_eku_only_below(c, STATEMENT_ARC);

	if (fits)
		step_pass(j, role->purpose, NULL);
	else
		step_fail(j, role->purpose, UNCLEAR(CHAIN_CONSTRAINTS_FAILURE, role->bad_purpose), cert_subject(c));
}

/* Listed: what that means depends on whether the signature is proven to be older (standards 1.8 d). */
static void revoked_step(struct judge *j, const struct role *role, const struct chain_result *res)
{
	const char *detail = when(j, res->revoked_at);

	if (res->revoked_at <= j->time)
		step_fail(j, role->revocation, FAILED(REVOKED, role->revoked), detail);
	else if (j->time_proven)
		step_notice(j, role->revocation, role->revoked_after, detail);
	else
		step_fail(j, role->revocation, UNCLEAR(OUT_OF_BOUNDS_NO_POE, role->revoked_after), detail);
}

static void no_evidence_step(struct judge *j, const struct role *role, enum revocation_status status)
{
	const char *detail = "no revocation list of the issuer is at hand";

	if (status == REVOCATION_STALE)
		detail = "the revocation list at hand is out of date";
	else if (status == REVOCATION_BAD_CRL)
		detail = "the revocation list at hand does not verify";
	report_not_checked(j->r, "REVOCATION");
	if (policy_rules(j->p)->revocation == POLICY_REVOCATION_REQUIRED)
		step_fail(j, role->revocation, UNCLEAR(TRY_LATER, role->unknown_status), detail);
	else
		report_check(j->r, j->s, role->revocation, CHECK_SKIPPED, role->unknown_status, detail);
}

static void skip_revocation(struct judge *j, const struct role *role, const char *code)
{
	step_skip(j, role->revocation, code);
	report_not_checked(j->r, "REVOCATION");
}

static void revocation_step(struct judge *j, const struct role *role, const struct chain_result *res)
{
	if (policy_rules(j->p)->revocation == POLICY_REVOCATION_OFF) {
		skip_revocation(j, role, "REVOCATION_OFF");
		return;
	}
	if (res->length == 0) {
		skip_revocation(j, role, "CANNOT_JUDGE");
		return;
	}
	if (res->crl_this_update != 0 && (j->r->oldest_crl == 0 || res->crl_this_update < j->r->oldest_crl))
		j->r->oldest_crl = res->crl_this_update;
	if (res->revocation == REVOCATION_GOOD && !policy_fresh(j->p, res->crl_this_update, j->now))
		no_evidence_step(j, role, REVOCATION_STALE);
	else if (res->revocation == REVOCATION_GOOD)
		step_pass(j, role->revocation, NULL);
	else if (res->revocation == REVOCATION_REVOKED)
		revoked_step(j, role, res);
	else
		no_evidence_step(j, role, res->revocation);
}

/* The path is judged at the time of signing, or at the nearest time at which the certificate itself was valid: so an
 * expired certificate of a trusted issuer is told apart from one of nobody. */
static int64_t path_time(const struct judge *j, const struct cert *c)
{
	if (j->time < cert_not_before(c))
		return cert_not_before(c);
	return j->time > cert_not_after(c) ? cert_not_after(c) : j->time;
}

enum err judge_cert_path(struct judge *j, const struct role *role, struct cert *c, struct cert *const *extra,
                         size_t n_extra)
{
	struct chain_result res = {.status = CHAIN_NO_PATH, .revocation = REVOCATION_NO_EVIDENCE};
	const struct cert_store *trust = policy_trust(j->p, role->trust);
	enum err e = ERR_OK;

	if (trust != NULL)
		e = chain_check_with(trust, j->evidence, c, (struct cert_list){extra, n_extra}, path_time(j, c), j->now, &res);
	if (e != ERR_OK)
		return e;
	chain_step(j, role, &res);
	key_usage_step(j, role, c);
	purpose_step(j, role, c);
	revocation_step(j, role, &res);
	return ERR_OK;
}

void judge_cert_period(struct judge *j, const struct role *role, const struct cert *c)
{
	if (j->time < cert_not_before(c))
		step_fail(j, role->period, FAILED(NOT_YET_VALID, "TIME_OUTSIDE_CERT"), when(j, cert_not_before(c)));
	else if (is_past(j->time, cert_not_after(c)))
		step_fail(j, role->period, FAILED(EXPIRED, "TIME_OUTSIDE_CERT"), when(j, cert_not_after(c)));
	else if (is_past(j->at, cert_not_after(c)) && !j->time_proven)
		step_fail(j, role->period, UNCLEAR(OUT_OF_BOUNDS_NO_POE, "CERT_EXPIRED_SINCE"), when(j, cert_not_after(c)));
	else
		step_pass(j, role->period, NULL);
}
