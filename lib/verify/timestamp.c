/*
 * Time stamp tokens. What the token itself is (form, imprint, value) is a fact about the file, and a failure of the
 * file; whether its authority is trusted decides only whether the token counts: then a NOTICE says so, and the time of
 * signing is taken from elsewhere.
 */
#include "form/timestamp.h"
#include "base/clock.h"
#include "verify/cms.h"

#define EKU_TIME_STAMPING "1.3.6.1.5.5.7.3.8"

static const struct role role_tsa = {ROLE("TSA", "timestamp"), .revoked = "TSA_CERT_REVOKED_BEFORE",
                                     .required = EKU_TIME_STAMPING, .trust = POLICY_TSA};
static const struct cms_steps tsa_steps = {
    .algorithm = "timestamp_algorithm",
    .attributes = "timestamp_attributes",
    .value = "timestamp_value",
    .data = "timestamp_content",
    .missing = "TSA_CERT_MISSING",
    .bad_value = "TS_BAD",
    .bad_data = "TS_CONTENT_MISMATCH",
};

static enum err imprint_step(struct judge *j, const struct time_stamp *ts, struct span stamped)
{
	enum digest_alg alg = digest_alg_of(ts->imprint_alg);
	uint8_t digest[DIGEST_SIZE_MAX];
	enum err e;

	if (alg == DIGEST_NONE) {
		step_fail(j, "timestamp_imprint", UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_ALG"), ts->imprint_alg);
		return ERR_OK;
	}
	e = digest_parts(alg, &stamped, 1, digest);
	if (e != ERR_OK)
		return e;
	if (!span_eq(ts->imprint, span_of(digest, digest_size(alg))))
		step_fail(j, "timestamp_imprint", FAILED(HASH_FAILURE, "TS_IMPRINT_MISMATCH"), digest_name(alg));
	else if (!policy_algorithm(j->p, digest_name(alg), ts->time))
		step_fail(j, "timestamp_imprint", UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_REFUSED"), digest_name(alg));
	else
		step_pass(j, "timestamp_imprint", digest_name(alg));
	return ERR_OK;
}

static void time_step(struct judge *j, const struct time_stamp *ts)
{
	char when[TIME_TEXT];

	time_format(ts->time, when);
	if (ts->time > j->at + CLOCK_SKEW_MS)
		step_fail(j, "timestamp_time", UNCLEAR(NOT_YET_VALID, "TIME_IN_FUTURE"), when);
	else
		step_pass(j, "timestamp_time", when);
}

/* All steps of a token that could be read, in j as if the token were a file of its own. */
static enum err judge_token(struct judge *j, const struct time_stamp *ts, struct span stamped)
{
	struct deviations found = {0};
	struct cms_job *job = arena_alloc(j->a, sizeof(*job));
	enum err e;

	if (job == NULL)
		return ERR_BUDGET;
	*job = (struct cms_job){
	    .role = &role_tsa, .steps = &tsa_steps, .sd = &ts->sd, .info = &ts->sd.signers[0], .dev = &found};
	j->time = ts->time;
	j->time_proven = false;
	j->unauthenticated = false;
	e = cms_open(job);
	if (e == ERR_OK && job->info->cert_hash.len == 0)
		e = deviation_add(&found, "TS_NO_SIGNING_CERT", "TimeStampToken.signedAttrs");
	if (e == ERR_OK)
		e = imprint_step(j, ts, stamped);
	if (e != ERR_OK)
		goto out;
	time_step(j, ts);
	cms_find_cert(j, job);
	e = cms_judge(j, job);
	if (e == ERR_OK) {
		judge_deviations(j, &found);
		e = cms_judge_cert(j, job);
	}
out:
	cms_close(job);
	return e;
}

/* Is this failure one of the token itself, and not of the trust in its authority? */
static bool is_of_token(const struct check *c)
{
	if (c->indication != TOTAL_FAILED)
		return false;
	return c->sub == SUB_FORMAT_FAILURE || c->sub == SUB_HASH_FAILURE || c->sub == SUB_SIG_CRYPTO_FAILURE ||
	       c->sub == SUB_SIG_CONSTRAINTS_FAILURE;
}

/* The steps of the token into the report; true when none failed. */
static bool take_over(struct judge *j, const struct check *c)
{
	bool counts = true;

	for (; c != NULL; c = c->next) {
		if (c->result == CHECK_FAIL && is_of_token(c))
			step_fail(j, c->step, (struct failure){c->indication, c->sub, c->code}, c->detail);
		else
			report_check(j->r, j->s, c->step, c->result == CHECK_FAIL ? CHECK_NOTICE : c->result, c->code, c->detail);
		if (c->result == CHECK_FAIL)
			counts = false;
	}
	return counts;
}

enum err judge_time_stamp(struct judge *j, struct span token, struct span stamped, int64_t *time)
{
	struct time_stamp *ts = arena_alloc(j->a, sizeof(*ts));
	struct signature_report *own = arena_alloc(j->a, sizeof(*own));
	struct deviations dev = {0};
	struct err_note note = {0};
	struct judge inner = *j;
	enum err parsed, e;

	if (ts == NULL || own == NULL)
		return ERR_BUDGET;
	*time = 0;
	inner.s = own;
	parsed = time_stamp_parse(j->a, token, &dev, ts, &note);
	e = judge_structure(&inner, "timestamp_structure", parsed, &note);
	if (e == ERR_OK && parsed == ERR_OK) {
		judge_deviations(&inner, &dev);
		e = judge_token(&inner, ts, stamped);
	}
	if (e != ERR_OK)
		return e;
	if (take_over(j, own->checks)) {
		*time = ts->time;
		step_pass(j, "timestamp", NULL);
	} else {
		step_notice(j, "timestamp", "TS_NOT_COUNTED", NULL);
	}
	return ERR_OK;
}
