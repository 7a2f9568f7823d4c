#include "verify/cms.h"

#include "base/text.h"

enum { CANDIDATES = 5, ALG_NAME_MAX = 24 };

/* ---- what is embedded ------------------------------------------------------------------------------------------ */

static bool is_ours(enum err e)
{
	return e != ERR_OK && err_class_of(e) != ERRC_DATA && e != ERR_TOO_LARGE;
}

/* What cannot be read is no evidence and no help, and no fault of the signature. */
static enum err open_evidence(struct cms_job *job)
{
	const struct signed_data *sd = job->sd;
	enum err e = ERR_OK;

	if (sd->n_crls + sd->n_ocsps == 0)
		return ERR_OK;
	e = cert_store_new(&job->evidence);
	for (size_t i = 0; e == ERR_OK && i < sd->n_crls; i++) {
		struct crl *crl = NULL;

		e = crl_parse(sd->crls[i], &crl);
		if (e == ERR_OK) {
			e = cert_store_add_crl(job->evidence, crl);
			if (e != ERR_OK)
				crl_free(crl);
		}
		e = is_ours(e) ? e : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < sd->n_ocsps; i++) {
		struct ocsp *ocsp = NULL;

		e = ocsp_parse(sd->ocsps[i], &ocsp);
		if (e == ERR_OK) {
			e = cert_store_add_ocsp(job->evidence, ocsp);
			if (e != ERR_OK)
				ocsp_free(ocsp);
		}
		e = is_ours(e) ? e : ERR_OK;
	}
	return e;
}

enum err cms_open(struct cms_job *job)
{
	for (size_t i = 0; i < job->sd->n_certs; i++) {
		enum err e = cert_parse(job->sd->certs[i], &job->extra[job->n_extra]);

		if (is_ours(e))
			return e;
		if (e == ERR_OK)
			job->n_extra++;
	}
	return open_evidence(job);
}

void cms_close(struct cms_job *job)
{
	for (size_t i = 0; i < job->n_extra; i++)
		cert_free(job->extra[i]);
	cert_store_free(job->evidence);
	job->n_extra = 0;
	job->evidence = NULL;
}

/* ---- the certificate ------------------------------------------------------------------------------------------- */

static bool is_named(const struct cert *c, const struct signer_info *info)
{
	return info->key_id.len != 0 ? cert_has_key_id(c, info->key_id) : cert_is_named(c, info->issuer, info->serial);
}

void cms_find_cert(struct judge *j, struct cms_job *job)
{
	const struct cert_store *trust = policy_trust(j->p, job->role->trust);

	job->cert = NULL;
	for (size_t i = 0; i < job->n_extra && job->cert == NULL; i++)
		if (is_named(job->extra[i], job->info))
			job->cert = job->extra[i];
	for (size_t i = 0; trust != NULL && i < cert_store_certs(trust) && job->cert == NULL; i++)
		if (is_named(cert_store_cert(trust, i), job->info))
			job->cert = cert_store_cert(trust, i);
	if (job->cert != NULL)
		return;
	step_fail(j, job->role->certificate, UNCLEAR(NO_CERTIFICATE_CHAIN_FOUND, job->steps->missing), NULL);
	j->unauthenticated = true;
}

enum err cms_judge_cert(struct judge *j, struct cms_job *job)
{
	enum err e;

	if (job->cert == NULL) {
		judge_cert_skip(j, job->role);
		return ERR_OK;
	}
	j->evidence = job->evidence;
	e = judge_cert_path(j, job->role, job->cert, job->extra, job->n_extra);
	j->evidence = NULL;
	if (e == ERR_OK)
		judge_cert_period(j, job->role, job->cert);
	return e;
}

/* ---- algorithms ------------------------------------------------------------------------------------------------ */

/* The name by which a policy knows it: "RSA-SHA256". */
static const char *algorithm_name(char out[ALG_NAME_MAX], enum key_kind key, enum digest_alg digest)
{
	static const char *const keys[] = {[KEY_OTHER] = "?", [KEY_SM2] = "SM2-", [KEY_RSA] = "RSA-", [KEY_EC] = "ECDSA-"};
	size_t n = strlen(keys[key]);

	memcpy(out, keys[key], n);
	for (const char *s = digest_name(digest); *s != '\0'; s++)
		if (*s != '-')
			out[n++] = *s;
	out[n] = '\0';
	return out;
}

static int64_t time_of_use(const struct judge *j)
{
	return j->time != 0 ? j->time : j->at;
}

static void step_mislabelled(struct judge *j, const char *step, const char *alg)
{
	if (policy_deviation(j->p, "ALG_MISLABELLED") == POLICY_REFUSE)
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_MISLABELLED"), alg);
	else
		step_notice(j, step, "ALG_MISLABELLED", alg);
}

bool cms_algorithm(struct judge *j, const char *step, const char *alg, enum digest_alg named, const struct cert *c,
                   enum digest_alg *digest)
{
	struct value_alg va = value_alg_of(alg);
	enum key_kind key = cert_key_kind(c);
	char name[ALG_NAME_MAX];

	if (key == KEY_OTHER || cert_key_is_costly(c)) {
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_KEY"), cert_subject(c));
		return false;
	}
	*digest = va.digest != DIGEST_NONE ? va.digest : named;
	if (key == KEY_SM2)
		*digest = DIGEST_SM3;
	if (key != KEY_SM2 && (va.key != key || *digest == DIGEST_NONE || *digest == DIGEST_SM3)) {
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_ALG"), alg);
		return false;
	}
	if (!policy_algorithm(j->p, algorithm_name(name, key, *digest), time_of_use(j)))
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_REFUSED"), name);
	else if (key == KEY_RSA && cert_key_bits(c) < policy_rules(j->p)->rsa_min_bits)
		step_fail(j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "KEY_TOO_SMALL"), cert_subject(c));
	else if (va.key != key)
		step_mislabelled(j, step, alg);
	else
		step_pass(j, step, name);
	return true;
}

/* ---- attributes ------------------------------------------------------------------------------------------------ */

static bool is_data_type(const char *oid)
{
	return strcmp(oid, OID_GM_DATA) == 0 || strcmp(oid, OID_P7_DATA) == 0;
}

/* The attribute and the SignedData must speak of the same type of content, so that none is taken for another. */
static enum err content_types(struct cms_job *job, bool *same)
{
	const char *inside = job->sd->content_type, *said = job->info->content_type;

	*same = true;
	if (strcmp(job->sd->container, OID_GM_SIGNED_DATA) == 0 && strcmp(inside, OID_P7_DATA) == 0) {
		enum err e = deviation_add(job->dev, "CONTENT_TYPE_MIXED", "SignedData.contentType");
		if (e != ERR_OK)
			return e;
	}
	if (!job->info->has_attrs)
		return ERR_OK;
	if (said == NULL)
		return deviation_add(job->dev, "ATTRS_NO_CONTENT_TYPE", "SignerInfo.signedAttrs");
	if (strcmp(inside, said) == 0)
		return ERR_OK;
	*same = is_data_type(inside) && is_data_type(said);
	return *same ? deviation_add(job->dev, "CONTENT_TYPE_MIXED", "SignerInfo.contentType") : ERR_OK;
}

/* signingCertificate binds the value to one certificate, not just to its key. */
static enum err names_cert(const struct cms_job *job, bool *fits)
{
	const struct signer_info *info = job->info;
	enum digest_alg alg;
	uint8_t digest[DIGEST_SIZE_MAX];
	struct span der;
	enum err e;

	*fits = true;
	if (info->cert_hash.len == 0 || job->cert == NULL)
		return ERR_OK;
	alg = digest_alg_of(info->cert_hash_alg);
	der = cert_der(job->cert);
	if (alg == DIGEST_NONE)
		return ERR_OK;
	e = digest_parts(alg, &der, 1, digest);
	*fits = span_eq(info->cert_hash, span_of(digest, digest_size(alg)));
	return e;
}

static enum err judge_attrs(struct judge *j, struct cms_job *job)
{
	const char *step = job->steps->attributes;
	bool same, fits = true;
	enum err e = content_types(job, &same);

	if (e == ERR_OK)
		e = names_cert(job, &fits);
	if (e != ERR_OK || !job->info->has_attrs)
		return e;
	if (job->info->digest.len == 0)
		step_fail(j, step, FAILED(FORMAT_FAILURE, "ATTRS_NO_DIGEST"), NULL);
	else if (!same)
		step_fail(j, step, FAILED(SIG_CONSTRAINTS_FAILURE, "CONTENT_TYPE_WRONG"), job->info->content_type);
	else if (!fits)
		step_fail(j, step, FAILED(SIG_CONSTRAINTS_FAILURE, "SIGNING_CERT_OTHER"), cert_subject(job->cert));
	else
		step_pass(j, step, NULL);
	return ERR_OK;
}

/* ---- what was signed ------------------------------------------------------------------------------------------- */

/* The data itself, or what some software gives the signer in its place: the digest, or the digest as text. */
struct candidate {
	struct span bytes;
	const char *deviation; /* NULL: none */
};

static enum err candidates(struct judge *j, const struct cms_job *job, enum digest_alg alg,
                           struct candidate out[CANDIDATES], size_t *n)
{
	uint8_t digest[DIGEST_SIZE_MAX];
	char hex[2 * DIGEST_SIZE_MAX + 1];
	size_t size = digest_size(alg);
	enum err e;

	*n = 0;
	if (job->data.ptr == NULL)
		return ERR_OK;
	out[(*n)++] = (struct candidate){job->data, NULL};
	if (alg == DIGEST_NONE)
		return ERR_OK;
	e = digest_parts(alg, &job->data, 1, digest);
	if (e != ERR_OK)
		return e;
	hex_encode(span_of(digest, size), hex);
	out[(*n)++] = (struct candidate){arena_dup(j->a, span_of(digest, size)), "CONTENT_IS_DIGEST"};
	out[(*n)++] = (struct candidate){span_str(base64_text(j->a, span_of(digest, size))), "CONTENT_IS_DIGEST_TEXT"};
	out[(*n)++] = (struct candidate){arena_dup(j->a, span_str(hex)), "CONTENT_IS_DIGEST_TEXT"};
	for (char *s = hex; *s != '\0'; s++)
		*s = *s >= 'a' && *s <= 'f' ? (char)(*s - 'a' + 'A') : *s;
	out[(*n)++] = (struct candidate){arena_dup(j->a, span_str(hex)), "CONTENT_IS_DIGEST_TEXT"};
	for (size_t i = 1; i < *n; i++)
		if (out[i].bytes.ptr == NULL)
			return ERR_BUDGET;
	return ERR_OK;
}

/* What cms_judge() works out step by step. */
struct work {
	struct judge *j;
	struct cms_job *job;
	enum digest_alg named; /* SignerInfo.digestAlgorithm */
	struct candidate list[CANDIDATES];
	size_t n;
	bool can_verify;
	enum digest_alg digest; /* of the value */
	struct span value;      /* in the form that is checked */
};

static enum err value_fits(const struct work *w, struct span msg, bool *good)
{
	enum err e = value_verify(policy_means(w->j->p), w->job->cert, w->digest, msg, w->value);

	*good = e == ERR_OK;
	return e == ERR_SIGNATURE_BAD ? ERR_OK : e;
}

/* Over the attributes as they stand, or in the order of DER, which some software signs and does not write. */
static enum err value_over_attrs(struct work *w, bool *good)
{
	const struct signer_info *info = w->job->info;
	struct span set;
	enum err e = signer_info_attrs(w->j->a, info, false, &set);

	if (e == ERR_OK)
		e = value_fits(w, set, good);
	if (e != ERR_OK || info->attrs_sorted)
		return e;
	if (!*good)
		e = signer_info_attrs(w->j->a, info, true, &set);
	if (e == ERR_OK && !*good)
		e = value_fits(w, set, good);
	return e == ERR_OK ? deviation_add(w->job->dev, "ATTRS_NOT_SORTED", "SignerInfo.signedAttrs") : e;
}

static enum err value_over_candidates(struct work *w, bool *good)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && !*good && i < w->n; i++) {
		e = value_fits(w, w->list[i].bytes, good);
		if (e == ERR_OK && *good && w->list[i].deviation != NULL)
			e = deviation_add(w->job->dev, w->list[i].deviation, "SignedData.content");
	}
	return e;
}

static bool fits_empty_id(const struct work *w)
{
	const struct signer_info *info = w->job->info;
	struct span msg = w->job->sd->has_content || w->n == 0 ? w->job->sd->content : w->list[0].bytes;

	if (info->has_attrs && signer_info_attrs(w->j->a, info, false, &msg) != ERR_OK)
		return false;
	return judge_empty_id(w->j, w->job->cert, msg, w->value);
}

static void value_step(struct work *w, bool good)
{
	const struct cms_steps *steps = w->job->steps;

	if (good)
		step_pass(w->j, steps->value, NULL);
	else
		bad_value_step(w->j, steps->value, steps->bad_value, w->job->cert, fits_empty_id(w));
}

static bool is_detached_plain(const struct cms_job *job)
{
	return !job->info->has_attrs && !job->sd->has_content;
}

static enum err judge_the_value(struct work *w)
{
	struct cms_job *job = w->job;
	bool good = false;
	enum err e = ERR_OK;

	if (!w->can_verify || (is_detached_plain(job) && w->n == 0)) {
		step_skip(w->j, job->steps->value, "CANNOT_JUDGE");
		w->j->unauthenticated = true;
		return ERR_OK;
	}
	w->value = job->info->value;
	if (cert_key_kind(job->cert) == KEY_SM2)
		e = ses_value_read(w->j->a, w->value, job->dev, "SignerInfo.signature", &w->value);
	if (e != ERR_OK)
		return e;
	if (job->info->has_attrs)
		e = value_over_attrs(w, &good);
	else if (job->sd->has_content)
		e = value_fits(w, job->sd->content, &good);
	else
		e = value_over_candidates(w, &good);
	if (e == ERR_OK)
		value_step(w, good);
	return e;
}

/* ---- the data -------------------------------------------------------------------------------------------------- */

static enum err digest_fits(const struct work *w, struct span content, bool *fits)
{
	uint8_t digest[DIGEST_SIZE_MAX];
	enum err e = digest_parts(w->named, &content, 1, digest);

	*fits = e == ERR_OK && span_eq(w->job->info->digest, span_of(digest, digest_size(w->named)));
	return e;
}

/* The content inside, or one of the forms of the data given, is what messageDigest says; the data given is the content.
 */
static enum err data_fits(struct work *w, bool *fits)
{
	const struct signed_data *sd = w->job->sd;
	bool has_attrs = w->job->info->has_attrs;
	enum err e = ERR_OK;

	*fits = true;
	if (has_attrs && sd->has_content)
		e = digest_fits(w, sd->content, fits);
	if (e != ERR_OK || !*fits || w->n == 0)
		return e;
	*fits = false;
	for (size_t i = 0; e == ERR_OK && !*fits && i < w->n; i++) {
		if (sd->has_content)
			*fits = span_eq(sd->content, w->list[i].bytes);
		else
			e = digest_fits(w, w->list[i].bytes, fits);
		if (e == ERR_OK && *fits && w->list[i].deviation != NULL)
			e = deviation_add(w->job->dev, w->list[i].deviation, "SignedData.content");
	}
	return e;
}

static enum err judge_the_data(struct work *w)
{
	const struct cms_job *job = w->job;
	const char *step = job->steps->data, *name = digest_name(w->named);
	bool fits = false;
	enum err e;

	if (!job->sd->has_content && job->data.ptr == NULL) {
		step_fail(w->j, step, UNCLEAR(SIGNED_DATA_NOT_FOUND, "DATA_NOT_GIVEN"), NULL);
		return ERR_OK;
	}
	if (is_detached_plain(job)) {
		/* The value itself is over the data. */
		if (w->j->unauthenticated)
			step_skip(w->j, step, "CANNOT_JUDGE");
		else
			step_pass(w->j, step, NULL);
		return ERR_OK;
	}
	if (job->info->has_attrs && w->named == DIGEST_NONE) {
		step_fail(w->j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "UNSUPPORTED_ALG"), job->info->digest_alg);
		return ERR_OK;
	}
	e = data_fits(w, &fits);
	if (e != ERR_OK)
		return e;
	if (!fits)
		step_fail(w->j, step, FAILED(HASH_FAILURE, job->steps->bad_data), name);
	else if (job->info->has_attrs && !policy_algorithm(w->j->p, name, time_of_use(w->j)))
		step_fail(w->j, step, UNCLEAR(CRYPTO_CONSTRAINTS_FAILURE, "ALG_REFUSED"), name);
	else
		step_pass(w->j, step, job->data.ptr == NULL ? "the signed content is inside the file" : NULL);
	return ERR_OK;
}

enum err cms_judge(struct judge *j, struct cms_job *job)
{
	const struct signer_info *info = job->info;
	struct work w = {.j = j, .job = job, .named = digest_alg_of(info->digest_alg)};
	enum err e = candidates(j, job, w.named, w.list, &w.n);

	if (e != ERR_OK)
		return e;
	if (job->cert == NULL)
		step_skip(j, job->steps->algorithm, "CANNOT_JUDGE");
	else
		w.can_verify = cms_algorithm(j, job->steps->algorithm, info->signature_alg, w.named, job->cert, &w.digest);
	e = judge_attrs(j, job);
	if (e == ERR_OK)
		e = judge_the_value(&w);
	if (e == ERR_OK)
		e = judge_the_data(&w);
	/* Past DEVIATIONS_MAX: no file of honest software has as many. */
	if (e != ERR_FORMAT)
		return e;
	step_fail(j, job->steps->attributes, FAILED(FORMAT_FAILURE, "FORMAT"), NULL);
	return ERR_OK;
}
