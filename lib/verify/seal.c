/* Verification of a seal: GM/T 0031-2014, GB/T 38540-2020 and GM/T 0031-2025, the steps of standards 1.7. */
#include "base/buf.h"
#include "base/clock.h"
#include "verify/judge.h"

static const struct value_steps seal_value = {"seal_algorithm", "seal_signature", "SEAL_SIG_BAD", MEMO_SEAL};

static const char *span_of_time(struct judge *j, int64_t from, int64_t to)
{
	char when[TIME_TEXT];
	struct buf b;

	buf_init(&b, j->a);
	buf_str(&b, time_format(from, when));
	buf_str(&b, " .. ");
	buf_str(&b, time_format(to, when));
	if (j->unauthenticated)
		buf_str(&b, " (claimed by unauthenticated data)");
	return buf_text(&b);
}

struct seal_facts seal_facts_of(struct judge *j, const struct ses_seal *seal)
{
	return (struct seal_facts){
	    .id = seal->id,
	    .name = seal->name,
	    .valid_start = seal->valid_start,
	    .valid_end = seal->valid_end,
	    .version = seal->version,
	};
}

/* Version 5 forbids a seal that is older than its maker's certificate; older standards do not speak of it. */
static bool is_too_early(struct judge *j, const struct ses_seal *seal, const struct cert *c)
{
	if (j->time < cert_not_before(c))
		return true;
	if (seal->created >= cert_not_before(c))
		return false;
	return seal->version == 5 || policy_deviation(j->p, "SEAL_BEFORE_MAKER_CERT") == POLICY_REFUSE;
}

/* The maker's certificate may have ended since the seal was made; before that it made no valid seal. */
static void maker_period(struct judge *j, const struct ses_seal *seal, const struct cert *c)
{
	const char *detail = span_of_time(j, cert_not_before(c), cert_not_after(c));
	const char *step = role_maker.period;

	if (is_too_early(j, seal, c))
		step_fail(j, step, FAILED(NOT_YET_VALID, "MAKER_CERT_TIME"), detail);
	else if (is_past(seal->created, cert_not_after(c)))
		step_fail(j, step, FAILED(EXPIRED, "MAKER_CERT_TIME"), detail);
	else if (is_past(j->time, cert_not_after(c)) && seal->version == 5)
		step_notice(j, step, "MAKER_CERT_EXPIRED_SINCE", detail); /* good when the seal was made: GM/T 0031-2025 */
	else if (is_past(j->time, cert_not_after(c)))
		step_fail(j, step, UNCLEAR(OUT_OF_BOUNDS_NO_POE, "MAKER_CERT_EXPIRED_SINCE"), detail);
	else if (seal->created < cert_not_before(c))
		step_notice(j, step, "SEAL_BEFORE_MAKER_CERT", detail);
	else
		step_pass(j, step, NULL);
}

/* GM/T 0031-2025 asks whether the maker's certificate was good when the seal was made, and only notes what came later.
 * Where the policy asks for proof of times, only a time stamp proves when the seal was made. */
static enum err maker_path(struct judge *j, const struct ses_seal *seal, bool is_stamped, struct cert *maker)
{
	struct judge then = *j;

	if (seal->version != 5)
		return judge_cert_path(j, &role_maker, maker, NULL, 0);
	then.time = seal->created;
	then.time_proven = is_stamped || !policy_rules(j->p)->time_stamp_required;
	return judge_cert_path(&then, &role_maker, maker, NULL, 0);
}

static void seal_period(struct judge *j, const struct ses_seal *seal, bool embedded)
{
	const char *detail = span_of_time(j, seal->valid_start, seal->valid_end);
	bool proven = embedded || j->in->proven_time != 0;

	if (j->time < seal->valid_start)
		step_fail(j, "seal_period", FAILED(NOT_YET_VALID, embedded ? "TIME_OUTSIDE_SEAL" : "SEAL_NOT_YET_VALID"),
		          detail);
	else if (is_past(j->time, seal->valid_end) && proven)
		step_fail(j, "seal_period", FAILED(EXPIRED, embedded ? "TIME_OUTSIDE_SEAL" : "SEAL_EXPIRED"), detail);
	else if (is_past(j->time, seal->valid_end))
		step_fail(j, "seal_period", UNCLEAR(OUT_OF_BOUNDS_NO_POE, "SEAL_EXPIRED"), detail);
	else if (embedded && is_past(j->at, seal->valid_end) && !j->time_proven)
		step_fail(j, "seal_period", UNCLEAR(OUT_OF_BOUNDS_NO_POE, "SEAL_EXPIRED_SINCE"), detail);
	else
		step_pass(j, "seal_period", detail);
}

static void seal_dates(struct judge *j, const struct ses_seal *seal)
{
	char when[TIME_TEXT];

	time_format(seal->created, when);
	if (seal->valid_start > seal->valid_end || seal->created > seal->valid_end)
		step_fail(j, "seal_dates", FAILED(SIG_CONSTRAINTS_FAILURE, "SEAL_DATES_WRONG"), when);
	else if (seal->created > j->time + CLOCK_SKEW_MS)
		step_fail(j, "seal_dates", FAILED(NOT_YET_VALID, "SEAL_CREATED_LATER"), when);
	else
		step_pass(j, "seal_dates", when);
}

/* GM/T 0031-2025: a seal's time stamp must not be older than the seal says it is. */
static enum err seal_stamp(struct judge *j, const struct ses_seal *seal, bool *is_stamped)
{
	char when[TIME_TEXT];
	int64_t stamped = 0;
	enum err e;

	*is_stamped = false;
	if (seal->time_stamp.len == 0)
		return ERR_OK;
	e = judge_time_stamp(j, seal->time_stamp, seal->value, &stamped);
	if (e != ERR_OK || stamped == 0)
		return e;
	if (seal->created > stamped)
		step_fail(j, "seal_time", FAILED(SIG_CONSTRAINTS_FAILURE, "TS_BEFORE_CREATE"), time_format(stamped, when));
	else
		step_pass(j, "seal_time", time_format(stamped, when));
	*is_stamped = seal->created <= stamped;
	return ERR_OK;
}

static enum err judge_maker(struct judge *j, const struct ses_seal *seal, struct cert *maker)
{
	const struct ses_signed what = {seal->signed_raw, seal->signed_received, "SESeal.signedValue"};
	bool is_stamped = false;
	enum err e;

	if (maker == NULL) {
		step_skip(j, seal_value.algorithm, "CANNOT_JUDGE");
		step_skip(j, seal_value.value, "CANNOT_JUDGE");
		judge_cert_skip(j, &role_maker);
		return seal_stamp(j, seal, &is_stamped);
	}
	e = judge_ses_value(j, &seal_value, seal->alg, maker, &what, seal->value);
	if (e == ERR_OK)
		e = seal_stamp(j, seal, &is_stamped);
	if (e == ERR_OK)
		e = maker_path(j, seal, is_stamped, maker);
	if (e == ERR_OK)
		maker_period(j, seal, maker);
	return e;
}

/* The facts stand in the signature, or in the report of a bare seal. */
static void maker_facts(struct judge *j, const struct cert *maker)
{
	if (j->s == NULL) {
		j->r->maker = cert_facts_of(j, maker);
		j->r->has_maker = true;
		j->r->seal.maker = j->r->maker.subject;
		return;
	}
	j->s->seal.maker = arena_strdup(j->a, cert_subject(maker));
	if (j->s->seal.maker == NULL)
		j->r->incomplete = true;
}

enum err judge_seal(struct judge *j, const struct ses_seal *seal, bool embedded)
{
	struct cert *maker = NULL;
	bool outer = j->unauthenticated;
	enum err e = judge_cert_read(j, &role_maker, seal->maker_cert, &maker);

	if (e != ERR_OK)
		return e;
	if (maker != NULL)
		maker_facts(j, maker);
	e = judge_maker(j, seal, maker);
	if (e == ERR_OK) {
		seal_period(j, seal, embedded);
		seal_dates(j, seal);
		judge_extensions(j, "seal_extensions", seal->ext, seal->n_ext);
	}
	j->unauthenticated = outer;
	cert_free(maker);
	return e;
}

enum err verify_seal(struct arena *a, const struct verify_policy *p, const struct verify_input *in, struct report **out)
{
	struct judge j;
	struct ses_seal seal = {0};
	struct deviations list = {0};
	const struct ses_reading how = {&list, policy_rules(p)->zone_minutes};
	struct err_note note = {0};
	enum err parsed, e = judge_begin(&j, KIND_SEAL, a, p, in);

	if (e != ERR_OK)
		return e;
	/* "Good for use at this time": nobody claims it, the question states it. */
	j.time = in->proven_time != 0 ? in->proven_time : j.at;
	j.time_proven = true;
	parsed = ses_seal_read(a, in->bytes, &how, &seal, &note);
	e = judge_structure(&j, "structure", parsed, &note);
	if (e == ERR_OK)
		judge_deviations(&j, &list);
	if (e == ERR_OK && parsed == ERR_OK) {
		j.r->seal = seal_facts_of(&j, &seal);
		j.r->has_seal = true;
		e = judge_seal(&j, &seal, false);
	}
	return e == ERR_OK ? judge_end(&j, out) : e;
}
