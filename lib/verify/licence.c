/* Verification of a licence file: the record and its identifier, the seal signature over it, and whether they fit. */
#include <stdio.h>

#include "base/clock.h"
#include "verify/judge.h"
#include "verify/subject.h"

/* GB/T 36904: our own format, so parts that disagree with the record are a fault and not a foreign custom. */
static void identifier_step(struct judge *j, const struct licence_record *rec)
{
	struct failure bad = FAILED(SIG_CONSTRAINTS_FAILURE, "LICENCE_ID_MISMATCH");
	struct licence_id id;
	char version[12];
	const char *fault = NULL;

	snprintf(version, sizeof(version), "%03u", rec->version);
	if (licence_id_parse(span_str(rec->id), &id) != ERR_OK)
		fault = "the identifier does not have the parts of GB/T 36904";
	else if (id.check != id.computed)
		fault = "the check character is wrong";
	else if (!id.root_ok || !span_eq(id.type, span_str(rec->type_code)))
		fault = "the identifier names another licence type";
	else if (!span_eq(id.issuer, span_str(rec->issuer_code)))
		fault = "the identifier names another issuer";
	else if (!span_eq(id.version, span_str(version)))
		fault = "the identifier names another version";
	if (fault == NULL)
		step_pass(j, "identifier", NULL);
	else
		step_fail(j, "identifier", bad, fault);
}

static void issuer_step(struct judge *j, const struct licence_record *rec, const struct signature_report *sig)
{
	if (!sig->has_signer)
		step_skip(j, "issuer", "CANNOT_JUDGE");
	else if (subject_names_org(j->a, sig->signer.subject, rec->issuer_code, rec->issuer_name))
		step_pass(j, "issuer", NULL);
	else
		step_fail(j, "issuer", FAILED(SIG_CONSTRAINTS_FAILURE, "ISSUER_MISMATCH"), sig->signer.subject);
}

/* A finding beside the verdict: a licence past its date is genuine and not usable. */
static void period_step(struct judge *j, const struct licence_record *rec)
{
	char when[TIME_TEXT];

	if (rec->valid_from != 0 && j->at < rec->valid_from)
		step_notice(j, "licence_period", "LICENCE_NOT_YET_VALID", time_format(rec->valid_from, when));
	else if (rec->valid_to != 0 && j->at > rec->valid_to)
		step_notice(j, "licence_period", "LICENCE_EXPIRED", time_format(rec->valid_to, when));
	else
		step_pass(j, "licence_period", NULL);
}

static void record_steps(struct judge *j, const struct licence_record *rec, const struct signature_report *sig)
{
	j->s = NULL;
	identifier_step(j, rec);
	issuer_step(j, rec, sig);
	period_step(j, rec);
}

static enum err judge_file(struct judge *j, struct span record, struct span signature)
{
	struct licence_record *rec = arena_alloc(j->a, sizeof(*rec));
	struct err_note note = {0};
	enum err parsed, e;

	if (rec == NULL)
		return ERR_BUDGET;
	parsed = licence_record_parse(j->a, record, rec, &note);
	e = judge_structure(j, "record", parsed, &note);
	if (e == ERR_OK)
		e = judge_signature(j, signature, record, LICENCE_SCOPE);
	if (e != ERR_OK || parsed != ERR_OK)
		return e;
	j->r->licence = rec;
	record_steps(j, rec, j->r->signatures);
	return ERR_OK;
}

int64_t verify_licence_until(const struct verify_policy *p, const struct report *r)
{
	const int64_t now = r->judged_at, ends[] = {r->licence->valid_from - 1, r->licence->valid_to};
	int64_t until = policy_settled_until(p, now);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i] >= now && ends[i] < until)
			until = ends[i];
	return until;
}

enum err verify_licence(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                        struct report **out)
{
	struct judge j;
	struct span record, signature;
	struct err_note note = {0};
	enum err parsed, e = judge_begin(&j, KIND_LICENCE, a, p, in);

	if (e != ERR_OK)
		return e;
	j.own_format = true;
	report_not_checked(j.r, "LICENCE_STATE");
	parsed = licence_file_parse(in->bytes, &record, &signature);
	e = judge_structure(&j, "structure", parsed, &note);
	if (e == ERR_OK && parsed == ERR_OK)
		e = judge_file(&j, record, signature);
	return e == ERR_OK ? judge_end(&j, out) : e;
}
