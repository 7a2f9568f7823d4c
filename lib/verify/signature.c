/* Verification of a seal signature: GM/T 0031-2014, GB/T 38540-2020, GM/T 0031-2025, the steps of standards 1.8. */
#include "crypto/value.h"
#include "verify/judge.h"

static const struct value_steps signature_value = {"signature_algorithm", "signature_value", "SIG_BAD", MEMO_LICENCE};

/* Digest lists name their algorithm freely (standards 1.4); SM3 and SHA-256 both give 32 bytes, so both are tried. */
static enum err in_digest_list(const struct ses_seal *seal, struct span cert, bool *found)
{
	uint8_t by_sm3[SM3_LEN], by_sha256[SHA256_LEN];
	enum err e = sm3(cert, by_sm3);

	if (e == ERR_OK)
		e = sha256_parts(&cert, 1, by_sha256);
	for (size_t i = 0; e == ERR_OK && i < seal->n_list && !*found; i++)
		*found =
		    span_eq(seal->list[i], span_of(by_sm3, SM3_LEN)) || span_eq(seal->list[i], span_of(by_sha256, SHA256_LEN));
	return e;
}

static enum err signer_in_seal(struct judge *j, const struct ses_signature *sig)
{
	const struct ses_seal *seal = &sig->seal;
	bool found = false;

	if (seal->list_kind == SES_LIST_DIGESTS) {
		enum err e = in_digest_list(seal, sig->cert, &found);
		if (e != ERR_OK)
			return e;
	}
	for (size_t i = 0; seal->list_kind == SES_LIST_CERTS && i < seal->n_list && !found; i++)
		found = span_eq(seal->list[i], sig->cert);
	if (found)
		step_pass(j, "signer_in_seal", NULL);
	else
		step_fail(j, "signer_in_seal", FAILED(SIG_CONSTRAINTS_FAILURE, "SIGNER_NOT_IN_SEAL"), NULL);
	return ERR_OK;
}

/* SM3 goes with SM2; with other keys the digest that their signature names. */
static enum digest_alg data_digest(const struct ses_signature *sig, const struct cert *signer)
{
	if (signer == NULL || cert_key_kind(signer) == KEY_SM2)
		return DIGEST_SM3;
	return value_alg_of(sig->alg).digest;
}

static enum err data_hash(struct judge *j, const struct ses_signature *sig, const struct cert *signer, struct span data)
{
	enum digest_alg alg = data_digest(sig, signer);
	uint8_t digest[DIGEST_SIZE_MAX];
	enum err e;

	if (data.ptr == NULL) {
		step_fail(j, "data_hash", UNCLEAR(SIGNED_DATA_NOT_FOUND, "DATA_NOT_GIVEN"), NULL);
		return ERR_OK;
	}
	if (alg == DIGEST_NONE) {
		step_skip(j, "data_hash", "CANNOT_JUDGE");
		return ERR_OK;
	}
	e = digest_parts(alg, &data, 1, digest);
	if (e != ERR_OK)
		return e;
	if (span_eq(sig->data_hash, span_of(digest, digest_size(alg))))
		step_pass(j, "data_hash", NULL);
	else
		step_fail(j, "data_hash", FAILED(HASH_FAILURE, "HASH_MISMATCH"), NULL);
	return ERR_OK;
}

static void scope_step(struct judge *j, const struct ses_signature *sig, const char *scope)
{
	if (scope == NULL)
		return;
	if (strcmp(sig->property_info, scope) == 0)
		step_pass(j, "scope", NULL);
	else if (j->own_format)
		step_fail(j, "scope", FAILED(SIG_CONSTRAINTS_FAILURE, "SCOPE_WRONG"), sig->property_info);
	/* Elsewhere the data hash binds the signature to its file; what propertyInfo says of it is a matter of form. */
	else if (policy_deviation(j->p, "SCOPE_OTHER") == POLICY_REFUSE)
		step_fail(j, "scope", FAILED(FORMAT_FAILURE, "SCOPE_OTHER"), sig->property_info);
	else
		step_notice(j, "scope", "SCOPE_OTHER", sig->property_info);
}

static enum err signer_value(struct judge *j, const struct ses_signature *sig, const struct cert *signer)
{
	const struct ses_signed what = {sig->tbs_raw, sig->tbs_received, "SES_Signature.signature"};

	if (signer == NULL) {
		step_skip(j, signature_value.algorithm, "CANNOT_JUDGE");
		step_skip(j, signature_value.value, "CANNOT_JUDGE");
		return ERR_OK;
	}
	j->s->signer = cert_facts_of(j, signer);
	j->s->has_signer = true;
	return judge_ses_value(j, &signature_value, sig->alg, signer, &what, sig->value);
}

static enum err signer_steps(struct judge *j, struct cert *signer)
{
	enum err e;

	if (signer == NULL) {
		judge_cert_skip(j, &role_signer);
		return ERR_OK;
	}
	e = judge_cert_path(j, &role_signer, signer, NULL, 0);
	if (e == ERR_OK)
		judge_cert_period(j, &role_signer, signer);
	return e;
}

/* A time stamp over the signature value that counts, else what is known otherwise. In version 1 a token can stand in
 * the place of the claimed time; what it is made over is not laid down, so it is not judged. */
static enum err signing_time(struct judge *j, const struct ses_signature *sig)
{
	int64_t stamped = 0;
	enum err e = ERR_OK;

	if (sig->time_token.len != 0) {
		step_skip(j, "timestamp", "TS_NOT_CHECKED");
		report_not_checked(j->r, "TIME_STAMP");
	}
	if (sig->time_stamp.len != 0)
		e = judge_time_stamp(j, sig->time_stamp, sig->value, &stamped);
	if (e != ERR_OK)
		return e;
	if (stamped != 0)
		judge_time_stamped(j, stamped, sig->time);
	else
		judge_time(j, sig->time);
	return ERR_OK;
}

/* What the signature should be over: its data (ptr NULL: not at hand), and the scope it should name (NULL: any). */
struct signed_what {
	struct span data;
	const char *scope;
};

static void signature_facts(struct judge *j, const struct ses_signature *sig)
{
	j->s->version = sig->version;
	j->s->signing_time = sig->time;
	j->s->seal = seal_facts_of(j, &sig->seal);
	j->s->has_seal = true;
}

/* When nothing was wrong with it. */
static void remember_seal(struct judge *j, const struct seal_question *q, const struct ses_signature *sig,
                          const struct cert *signer)
{
	struct seal_found found = {sig, signer != NULL ? cert_sm2_key(signer) : NULL, policy_means(j->p)};

	found.by.kind = MEMO_SEAL;
	if (j->s->indication == IND_NONE && !j->r->incomplete)
		seal_memo_keep(q, &found);
}

static enum err judge_parsed(struct judge *j, const struct ses_signature *sig, const struct seal_question *q,
                             struct signed_what what)
{
	struct cert *signer = NULL;
	enum err e;

	signature_facts(j, sig);
	e = judge_cert_read(j, &role_signer, sig->cert, &signer);
	if (e == ERR_OK)
		e = signer_value(j, sig, signer);
	if (e == ERR_OK)
		e = signer_in_seal(j, sig);
	if (e == ERR_OK)
		e = data_hash(j, sig, signer, what.data);
	if (e != ERR_OK)
		goto out;
	scope_step(j, sig, what.scope);
	judge_extensions(j, "extensions", sig->ext, sig->n_ext);
	e = signing_time(j, sig);
	if (e == ERR_OK)
		e = judge_seal(j, &sig->seal, true);
	if (e == ERR_OK)
		e = signer_steps(j, signer);
	if (e == ERR_OK)
		remember_seal(j, q, sig, signer);
out:
	cert_free(signer);
	return e;
}

enum err judge_signature(struct judge *j, struct span bytes, struct span data, const char *scope)
{
	struct ses_signature *sig = arena_alloc(j->a, sizeof(*sig));
	struct deviations list = {0};
	struct seal_question q = {
	    .memo = policy_means(j->p).seals, .arena = j->a, .zone_minutes = policy_rules(j->p)->zone_minutes};
	const struct ses_reading how = {&list, q.zone_minutes};
	const struct ses_memory memory = {seal_memo_recall, &q};
	struct err_note note = {0};
	enum err parsed, e;

	j->s = report_signature(j->r, NULL, "Seal");
	if (sig == NULL || j->s == NULL)
		return ERR_BUDGET;
	parsed = j->own_format ? ses_signature_parse(j->a, bytes, sig, &note)
	                       : ses_signature_recall(j->a, bytes, &how, &memory, sig, &note);
	e = judge_structure(j, "structure", parsed, &note);
	if (e == ERR_OK)
		judge_deviations(j, &list);
	j->known = q.found;
	if (e == ERR_OK && parsed == ERR_OK)
		e = judge_parsed(j, sig, &q, (struct signed_what){data, scope});
	j->known = NULL;
	return e;
}

enum err verify_signature(struct arena *a, const struct verify_policy *p, const struct verify_input *in,
                          struct report **out)
{
	struct judge j;
	enum err e = judge_begin(&j, KIND_SIGNATURE, a, p, in);

	if (e == ERR_OK)
		e = judge_signature(&j, in->bytes, in->data, NULL);
	return e == ERR_OK ? judge_end(&j, out) : e;
}
