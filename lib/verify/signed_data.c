/* SignedData (GB/T 35275, PKCS#7, CMS) and bare signature values over data. */
#include "base/clock.h"
#include "verify/cms.h"

enum { RAW_SM2_VALUE = 64, TRY_MAX = 64 /* certificates of the trust list that a bare value is tried under */ };

static const struct cms_steps signer_steps = {
    .algorithm = "signature_algorithm",
    .attributes = "signed_attributes",
    .value = "signature_value",
    .data = "data_hash",
    .missing = "SIGNER_CERT_MISSING",
    .bad_value = "SIG_BAD",
    .bad_data = "HASH_MISMATCH",
};

/* ---- time ------------------------------------------------------------------------------------------------------ */

/* Nothing says when: judged as of now, or as of the certificate's end when that is past, since it may be that old. */
static void time_unknown(struct judge *j, const struct cert *c)
{
	j->time = j->at;
	if (c != NULL && is_past(j->time, cert_not_after(c)))
		j->time = cert_not_after(c);
	j->time_proven = false;
	if (policy_rules(j->p)->time_stamp_required)
		step_fail(j, "time", UNCLEAR(OUT_OF_BOUNDS_NO_POE, "TIME_NOT_PROVEN"), NULL);
	else
		step_notice(j, "time", "TIME_NOT_STATED", NULL);
}

static enum err judge_when(struct judge *j, const struct signer_info *info, const struct cert *c)
{
	int64_t claimed = info->time != 0 ? info->time : j->said_time, stamped = 0;
	enum err e = ERR_OK;

	j->s->signing_time = claimed;
	if (info->time_stamp.len != 0)
		e = judge_time_stamp(j, info->time_stamp, info->value, &stamped);
	if (e != ERR_OK)
		return e;
	if (stamped != 0)
		judge_time_stamped(j, stamped, claimed);
	else if (claimed == 0 && j->in->proven_time == 0)
		time_unknown(j, c);
	else
		judge_time(j, claimed);
	return ERR_OK;
}

/* ---- one signer ------------------------------------------------------------------------------------------------ */

static void signer_facts(struct judge *j, const struct cert *c)
{
	if (c == NULL)
		return;
	j->s->signer = cert_facts_of(j, c);
	j->s->has_signer = true;
}

static enum err judge_signer(struct judge *j, struct cms_job *job)
{
	struct deviations found = {0};
	enum err e;

	job->dev = &found;
	j->unauthenticated = false;
	cms_find_cert(j, job);
	signer_facts(j, job->cert);
	e = judge_when(j, job->info, job->cert);
	if (e == ERR_OK)
		e = cms_judge(j, job);
	if (e != ERR_OK)
		return e;
	judge_deviations(j, &found);
	return cms_judge_cert(j, job);
}

static enum err judge_signers(struct judge *j, const struct signed_data *sd, const struct deviations *dev,
                              struct span data)
{
	struct signature_report *first = j->s;
	struct cms_job *job = arena_alloc(j->a, sizeof(*job));
	enum err e;

	if (job == NULL)
		return ERR_BUDGET;
	*job = (struct cms_job){.role = &role_signer, .steps = &signer_steps, .sd = sd, .data = data};
	e = cms_open(job);
	for (size_t i = 0; e == ERR_OK && i < sd->n_signers; i++) {
		if (i != 0) {
			j->s = report_signature(j->r, NULL, "Sign");
			if (j->s == NULL) {
				e = ERR_BUDGET;
				break;
			}
			step_pass(j, "structure", NULL);
		}
		judge_deviations(j, dev);
		job->info = &sd->signers[i];
		e = judge_signer(j, job);
	}
	cms_close(job);
	j->s = first;
	return e;
}

static enum err judge_container(struct judge *j, struct span bytes, struct span data)
{
	struct signed_data *sd = arena_alloc(j->a, sizeof(*sd));
	struct deviations dev = {0};
	struct err_note note = {0};
	enum err parsed, e;

	if (sd == NULL)
		return ERR_BUDGET;
	parsed = signed_data_parse(j->a, bytes, &dev, sd, &note);
	if (parsed == ERR_OK && sd->n_signers == 0) {
		step_fail(j, "structure", FAILED(FORMAT_FAILURE, "SIGNER_INFO_MISSING"), NULL);
		return ERR_OK;
	}
	e = judge_structure(j, "structure", parsed, &note);
	return e == ERR_OK && parsed == ERR_OK ? judge_signers(j, sd, &dev, data) : e;
}

/* ---- a bare value ---------------------------------------------------------------------------------------------- */

/* Nothing in the file says whose it is: the certificates that are trusted, or were given beside them, are tried. */
static enum err find_signer(struct judge *j, struct span value, struct span data, struct cert **out)
{
	const struct cert_store *trust = policy_trust(j->p, POLICY_SIGNER);
	size_t n = trust != NULL ? cert_store_certs(trust) : 0;
	enum err e = ERR_OK;

	*out = NULL;
	for (size_t i = 0; e == ERR_OK && *out == NULL && i < n && i < TRY_MAX; i++) {
		struct cert *c = cert_store_cert(trust, i);
		bool is_sm2 = cert_key_kind(c) == KEY_SM2;

		e = value_verify(policy_means(j->p), c, is_sm2 ? DIGEST_SM3 : DIGEST_SHA256, data, value);
		if (e == ERR_OK)
			*out = c;
		else if (e == ERR_SIGNATURE_BAD || e == ERR_FIELD_INVALID)
			e = ERR_OK;
	}
	return e;
}

static enum err judge_bare_signer(struct judge *j, struct cert *c)
{
	const struct signer_info nothing = {0};
	enum digest_alg digest;
	const char *alg = cert_key_kind(c) == KEY_SM2   ? OID_SM2_SM3
	                  : cert_key_kind(c) == KEY_RSA ? "1.2.840.113549.1.1.11"
	                                                : "1.2.840.10045.4.3.2";
	enum err e;

	signer_facts(j, c);
	e = judge_when(j, &nothing, c);
	if (e != ERR_OK)
		return e;
	(void)cms_algorithm(j, signer_steps.algorithm, alg, DIGEST_NONE, c, &digest);
	step_pass(j, signer_steps.value, NULL);
	step_pass(j, signer_steps.data, NULL);
	e = judge_cert_path(j, &role_signer, c, NULL, 0);
	if (e == ERR_OK)
		judge_cert_period(j, &role_signer, c);
	return e;
}

static enum err judge_bare(struct judge *j, struct span bytes, struct span data)
{
	struct deviations dev = {0};
	struct span value;
	struct cert *signer = NULL;
	enum err e = ses_value_read(j->a, bytes, &dev, "signature value", &value);

	if (e == ERR_OK && data.ptr != NULL)
		e = find_signer(j, value, data, &signer);
	if (e != ERR_OK)
		return e;
	step_pass(j, "structure", NULL);
	judge_deviations(j, &dev);
	if (signer != NULL)
		return judge_bare_signer(j, signer);
	j->unauthenticated = true;
	step_fail(j, role_signer.certificate, UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, "SIGNER_CERT_UNKNOWN"), NULL);
	step_skip(j, signer_steps.value, "CANNOT_JUDGE");
	if (data.ptr == NULL)
		step_fail(j, signer_steps.data, UNCLEAR(SIGNED_DATA_NOT_FOUND, "DATA_NOT_GIVEN"), NULL);
	else
		step_skip(j, signer_steps.data, "CANNOT_JUDGE");
	judge_cert_skip(j, &role_signer);
	return ERR_OK;
}

/* r||s, or an RSA value: no structure at all, so only its size tells. */
static bool is_raw_value(struct span in)
{
	return in.len == RAW_SM2_VALUE || in.len == 256 || in.len == 384 || in.len == 512;
}

enum err judge_signed_data(struct judge *j, struct span bytes, struct span data)
{
	j->s = report_signature(j->r, NULL, "Sign");
	if (j->s == NULL)
		return ERR_BUDGET;
	if (!signed_data_starts(bytes) && (signature_value_starts(bytes) || is_raw_value(bytes)))
		return judge_bare(j, bytes, data);
	return judge_container(j, bytes, data);
}

enum err verify_signed_data(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                            struct report **out)
{
	struct judge j;
	enum err e = judge_begin(&j, KIND_SIGNATURE, a, p, in);

	if (e == ERR_OK)
		e = judge_signed_data(&j, in->bytes, in->data);
	return e == ERR_OK ? judge_end(&j, out) : e;
}
