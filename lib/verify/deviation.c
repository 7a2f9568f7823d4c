/* What deviates from the standards, said step by step: never a change of the verdict in silence. */
#include "verify/cms.h"

void judge_deviations(struct judge *j, const struct deviations *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct deviation *d = &list->item[i];
		if (policy_deviation(j->p, d->code) == POLICY_REFUSE)
			step_fail(j, "form", FAILED(FORMAT_FAILURE, d->code), d->where);
		else
			step_notice(j, "form", d->code, d->where);
	}
}

/*
 * What was signed when the structure came in BER: the standards say its DER form, some software signs what it writes.
 * Both say the same; the one under which the value is good is named. When neither is, the DER form is judged.
 */
static enum err choose_bytes(struct sm2_means by, const struct cert *c, const struct ses_signed *what,
                             struct span value, struct deviations *list, struct span *msg)
{
	const char *code = "BER_SIGNED_AS_DER";
	enum err e;

	*msg = what->der;
	if (what->received.len == 0)
		return ERR_OK;
	e = sm2_verify_by(by, cert_sm2_key(c), sm2_default_id(), what->der, value);
	if (e == ERR_SIGNATURE_BAD) {
		e = sm2_verify_by(by, cert_sm2_key(c), sm2_default_id(), what->received, value);
		if (e == ERR_SIGNATURE_BAD)
			return ERR_OK;
		*msg = what->received;
		code = "BER_SIGNED_AS_RECEIVED";
	}
	return e == ERR_OK ? deviation_add(list, code, what->where) : e;
}

/* RSA, which GM/T 0031-2014 allows, and ECDSA; the policy says whether they are accepted. */
static enum err judge_other_value(struct judge *j, const struct value_steps *steps, const char *alg,
                                  const struct cert *c, const struct ses_signed *what, struct span value)
{
	enum digest_alg digest = DIGEST_NONE;
	enum err e;

	if (!cms_algorithm(j, steps->algorithm, alg, DIGEST_NONE, c, &digest)) {
		step_skip(j, steps->value, "CANNOT_JUDGE");
		j->unauthenticated = true;
		return ERR_OK;
	}
	e = value_verify(policy_means(j->p), c, digest, what->der, value);
	if (e == ERR_OK) {
		step_pass(j, steps->value, NULL);
		return ERR_OK;
	}
	if (e != ERR_SIGNATURE_BAD && e != ERR_FIELD_INVALID)
		return e;
	step_fail(j, steps->value, FAILED(SIG_CRYPTO_FAILURE, steps->bad_code), cert_subject(c));
	j->unauthenticated = true;
	return ERR_OK;
}

enum err judge_ses_value(struct judge *j, const struct value_steps *steps, const char *alg, const struct cert *c,
                         const struct ses_signed *what, struct span value)
{
	struct deviations list = {0};
	struct span msg = what->der, as_der = value;
	enum err e = ERR_OK;

	if (cert_sm2_key(c) == NULL && !j->own_format)
		return judge_other_value(j, steps, alg, c, what, value);
	if (!j->own_format) {
		e = ses_value_read(j->a, value, &list, what->where, &as_der);
		if (e == ERR_OK)
			e = choose_bytes(judge_means(j, steps), c, what, as_der, &list, &msg);
	}
	if (e != ERR_OK)
		return e;
	judge_deviations(j, &list);
	return judge_value(j, steps, alg, c, msg, as_der);
}
