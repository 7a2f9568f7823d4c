/* Verification of a seal: GB/T 38540-2020, the steps of standards 1.7. */
#include "base/clock.h"
#include "verify/judge.h"

static const struct value_steps seal_value = {"seal_algorithm", "seal_signature", "SEAL_SIG_BAD"};

static const char *span_of_time(struct judge *j, int64_t from, int64_t to)
{
	char a[TIME_TEXT], b[TIME_TEXT];

	return arena_printf(j->a, "%s .. %s%s", time_format(from, a), time_format(to, b),
	                    j->unauthenticated ? " (claimed by unauthenticated data)" : "");
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

/* The maker's certificate may have ended since the seal was made; before that it made no valid seal. */
static void maker_period(struct judge *j, const struct ses_seal *seal, const struct cert *c)
{
	const char *detail = span_of_time(j, cert_not_before(c), cert_not_after(c));
	const char *step = role_maker.period;

	if (seal->created < cert_not_before(c) || j->time < cert_not_before(c))
		step_fail(j, step, FAILED(NOT_YET_VALID, "MAKER_CERT_TIME"), detail);
	else if (is_past(seal->created, cert_not_after(c)))
		step_fail(j, step, FAILED(EXPIRED, "MAKER_CERT_TIME"), detail);
	else if (is_past(j->time, cert_not_after(c)))
		step_fail(j, step, UNCLEAR(OUT_OF_BOUNDS_NO_POE, "MAKER_CERT_EXPIRED_SINCE"), detail);
	else
		step_pass(j, step, NULL);
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

static enum err judge_maker(struct judge *j, const struct ses_seal *seal, struct cert *maker)
{
	enum err e;

	if (maker == NULL) {
		step_skip(j, seal_value.algorithm, "CANNOT_JUDGE");
		step_skip(j, seal_value.value, "CANNOT_JUDGE");
		judge_cert_skip(j, &role_maker);
		return ERR_OK;
	}
	e = judge_value(j, &seal_value, seal->alg, maker, seal->info_raw, seal->value);
	if (e == ERR_OK)
		e = judge_cert_path(j, &role_maker, maker, NULL, 0);
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
	struct err_note note = {0};
	enum err parsed, e = judge_begin(&j, KIND_SEAL, a, p, in);

	if (e != ERR_OK)
		return e;
	/* "Good for use at this time": nobody claims it, the question states it. */
	j.time = in->proven_time != 0 ? in->proven_time : j.at;
	j.time_proven = true;
	parsed = ses_seal_parse(a, in->bytes, &seal, &note);
	e = judge_structure(&j, "structure", parsed, &note);
	if (e == ERR_OK && parsed == ERR_OK) {
		j.r->seal = seal_facts_of(&j, &seal);
		j.r->has_seal = true;
		e = judge_seal(&j, &seal, false);
	}
	return e == ERR_OK ? judge_end(&j, out) : e;
}
