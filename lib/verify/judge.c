#include "verify/cms.h"

#include "base/clock.h"

static void count_trust(struct report *r, const struct cert_store *trust)
{
	if (trust == NULL)
		return;
	r->trust_anchors += cert_store_anchors(trust);
	r->trust_crls += cert_store_crls(trust);
}

enum err judge_begin(struct judge *j, enum verify_kind kind, struct arena *a, const struct verify_policy *p,
                     const struct verify_input *in)
{
	struct report *r = report_new(a, kind);

	if (r == NULL)
		return ERR_BUDGET;
	*j = (struct judge){.a = a, .p = p, .in = in, .r = r, .ahead = in->ahead};
	j->at = in->at != 0 ? in->at : in->now;
	j->now = in->now != 0 ? in->now : in->at;
	r->policy = p->name;
	r->judged_at = j->at;
	r->policy_version = policy_rules(p)->version;
	count_trust(r, p->trust);
	for (int i = 0; i < POLICY_ROLES; i++)
		count_trust(r, p->role_trust[i]);
	return ERR_OK;
}

enum err judge_end(struct judge *j, struct report **out)
{
	report_conclude(j->r);
	if (j->r->incomplete)
		return ERR_BUDGET;
	*out = j->r;
	return ERR_OK;
}

void step_pass(struct judge *j, const char *step, const char *detail)
{
	report_check(j->r, j->s, step, CHECK_PASS, "OK", detail);
}

void step_notice(struct judge *j, const char *step, const char *code, const char *detail)
{
	report_check(j->r, j->s, step, CHECK_NOTICE, code, detail);
}

void step_skip(struct judge *j, const char *step, const char *code)
{
	report_check(j->r, j->s, step, CHECK_SKIPPED, code, NULL);
}

void step_fail(struct judge *j, const char *step, struct failure f, const char *detail)
{
	struct check *c;

	report_check(j->r, j->s, step, CHECK_FAIL, f.code, detail);
	report_fail(j->r, j->s, f.ind, f.sub);
	c = j->s != NULL ? j->s->last : j->r->last;
	if (c == NULL || c->code != f.code)
		return; /* out of memory */
	c->indication = f.ind;
	c->sub = f.sub;
}

static const char *structure_code(enum err e)
{
	if (e == ERR_TOO_LARGE)
		return "TOO_LARGE";
	return e == ERR_VERSION_UNSUPPORTED ? "UNSUPPORTED_VERSION" : "FORMAT";
}

enum err judge_structure(struct judge *j, const char *step, enum err e, const struct err_note *note)
{
	const char *detail = NULL;

	if (e == ERR_OK) {
		step_pass(j, step, NULL);
		return ERR_OK;
	}
	if (err_class_of(e) != ERRC_DATA && err_class_of(e) != ERRC_INVALID && e != ERR_TOO_LARGE)
		return e;
	if (note->field[0] != '\0' && note->help[0] != '\0')
		detail = arena_printf(j->a, "%s: %s", note->field, note->help);
	else if (note->field[0] != '\0' || note->help[0] != '\0')
		detail = note->field[0] != '\0' ? note->field : note->help;
	step_fail(j, step, FAILED(FORMAT_FAILURE, structure_code(e)), detail);
	return ERR_OK;
}

/* OIDs that some software writes where SM2-with-SM3 is meant (standards 1.11). */
static bool is_mislabelled_sm2(const char *alg)
{
	static const char *const wrong[] = {"1.2.156.10197.501", "1.2.156.10197.1.301", "1.2.156.10197.1.301.1",
	                                    "1.2.156.10197.6.1.4.2.2"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (strcmp(alg, wrong[i]) == 0)
			return true;
	return false;
}

/* False when the value cannot be judged at all. */
static bool judge_algorithm(struct judge *j, const char *step, const char *alg, const struct cert *c)
{
	if (strcmp(alg, OID_SM2_SM3) != 0 && !is_mislabelled_sm2(alg)) {
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_ALG"), alg);
		return false;
	}
	if (cert_sm2_key(c) == NULL) {
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_KEY"), cert_subject(c));
		return false;
	}
	if (!policy_algorithm(j->p, OID_SM2_SM3, j->time != 0 ? j->time : j->at))
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_REFUSED"), alg);
	else if (strcmp(alg, OID_SM2_SM3) == 0)
		step_pass(j, step, alg);
	else if (policy_deviation(j->p, "ALG_MISLABELLED") == POLICY_REFUSE)
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_MISLABELLED"), alg);
	else
		step_notice(j, step, "ALG_MISLABELLED", alg);
	return true;
}

/* RSA, which GM/T 0031-2014 allows beside SM2, and ECDSA. */
static bool is_other_kind(const char *alg, const struct cert *c)
{
	enum key_kind named = value_alg_of(alg).key;

	return cert_sm2_key(c) == NULL && (named == KEY_RSA || named == KEY_EC);
}

bool judge_empty_id(const struct judge *j, const struct cert *c, struct span msg, struct span value)
{
	const struct sm2_key *key = cert_sm2_key(c);

	return key != NULL && sm2_verify_by(policy_means(j->p), key, span_of(NULL, 0), msg, value) == ERR_OK;
}

void bad_value_step(struct judge *j, const char *step, const char *code, const struct cert *c, bool empty_id)
{
	step_fail(j, step, FAILED(SIG_CRYPTO_FAILURE, empty_id ? "SM2_ID_EMPTY" : code), cert_subject(c));
	j->unauthenticated = true;
}

struct sm2_means judge_means(const struct judge *j, const struct value_steps *steps)
{
	struct sm2_means by = policy_means(j->p);

	by.ahead = j->ahead;
	if (j->known != NULL && steps->memo == MEMO_SEAL)
		by.ahead = seal_known_value(j->known);
	else if (j->known != NULL)
		by.heads = seal_known_heads(j->known, &by.n_heads);
	by.kind = steps->memo == MEMO_LICENCE && !j->own_format ? MEMO_NONE : steps->memo;
	return by;
}

enum err judge_value(struct judge *j, const struct value_steps *steps, const char *alg, const struct cert *c,
                     struct span msg, struct span value)
{
	enum digest_alg digest = DIGEST_SM3;
	bool can = is_other_kind(alg, c) ? cms_algorithm(j, steps->algorithm, alg, DIGEST_NONE, c, &digest)
	                                 : judge_algorithm(j, steps->algorithm, alg, c);
	enum err e;

	if (!can) {
		step_skip(j, steps->value, "CANNOT_JUDGE");
		j->unauthenticated = true;
		return ERR_OK;
	}
	e = value_verify(judge_means(j, steps), c, digest, msg, value);
	if (e == ERR_SIGNATURE_BAD) {
		bad_value_step(j, steps->value, steps->bad_code, c, judge_empty_id(j, c, msg, value));
		return ERR_OK;
	}
	if (e == ERR_OK)
		step_pass(j, steps->value, NULL);
	return e;
}

void judge_extensions(struct judge *j, const char *step, const struct ses_ext *ext, size_t n)
{
	static const char audit_identity[] = "1.3.6.1.5.5.7.1.4";
	struct deviations list = {0};

	for (size_t i = 0; i < n; i++) {
		if (!ext[i].critical)
			continue;
		if (strcmp(ext[i].oid, audit_identity) == 0 && deviation_add(&list, "EXT_CRITICAL_AUDIT", step) == ERR_OK)
			continue;
		step_fail(j, step, FAILED(SIG_CONSTRAINTS_FAILURE, "CRITICAL_EXT_UNKNOWN"), ext[i].oid);
		return;
	}
	judge_deviations(j, &list);
	step_pass(j, step, NULL);
}

void judge_time(struct judge *j, int64_t claimed)
{
	char when[TIME_TEXT];

	j->time_proven = j->in->proven_time != 0;
	j->time = j->time_proven ? j->in->proven_time : claimed;
	if (j->time == 0) {
		j->time = j->at;
		step_fail(j, "time", UNCLEAR(OUT_OF_BOUNDS_NO_POE, "TIME_UNKNOWN"), NULL);
		return;
	}
	time_format(j->time, when);
	if (!j->time_proven && j->time > j->at + CLOCK_SKEW_MS)
		step_fail(j, "time", FAILED(NOT_YET_VALID, "TIME_IN_FUTURE"), when);
	else if (j->time_proven)
		step_pass(j, "time", when);
	else if (policy_rules(j->p)->time_stamp_required)
		step_fail(j, "time", UNCLEAR(OUT_OF_BOUNDS_NO_POE, "TIME_NOT_PROVEN"), when);
	else
		step_notice(j, "time", "TIME_CLAIMED_ONLY", when);
}

void judge_time_stamped(struct judge *j, int64_t stamped, int64_t claimed)
{
	char when[TIME_TEXT];

	j->time = stamped;
	j->time_proven = true;
	step_pass(j, "time", time_format(stamped, when));
	if (claimed > stamped + CLOCK_SKEW_MS)
		step_notice(j, "time", "TS_BEFORE_CLAIM", time_format(claimed, when));
}
