#include "crypto/internal.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { CRL_MAX = 64 * 1024 * 1024, KU_BIT_CRL_SIGN = 64, TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30 };

/* Any critical extension is unknown to us: partitioned, indirect and delta CRLs say so by one, and taking them
 * for complete lists would call revoked certificates good. */
static bool has_critical(const X509_CRL *x)
{
	for (int i = 0; i < X509_CRL_get_ext_count(x); i++)
		if (X509_EXTENSION_get_critical(X509_CRL_get_ext(x, i)))
			return true;
	return false;
}

/* The tbs begins with version OPTIONAL, algorithm; the latter must be that of the signature. */
static enum err fill_parts(struct crl *c)
{
	struct span inner, rest, algorithm;

	if (der_signed(span_of(c->der, c->der_len), &c->parts) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	inner = c->parts.tbs_contents;
	if (der_element(inner, TAG_INTEGER, NULL, NULL, &rest) == ERR_OK)
		inner = rest;
	if (der_element(inner, TAG_SEQUENCE, NULL, &algorithm, NULL) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	c->algorithms_agree = span_eq(algorithm, c->parts.algorithm);
	return ERR_OK;
}

static enum err fill(struct crl *c)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(c->x);
	X509_REVOKED *found;
	ASN1_INTEGER *zero;

	if (fill_parts(c) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	c->issuer = name_text(X509_CRL_get_issuer(c->x));
	if (c->issuer == NULL || asn1_time_ms(X509_CRL_get0_lastUpdate(c->x), &c->this_update) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	if (next != NULL && asn1_time_ms(next, &c->next_update) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	c->has_unknown_critical = has_critical(c->x);
	/* The first search sorts the list; afterwards searching changes nothing. */
	zero = ASN1_INTEGER_new();
	if (zero == NULL)
		return openssl_failed(ERR_NO_MEMORY);
	X509_CRL_get0_by_serial(c->x, &found, zero);
	ASN1_INTEGER_free(zero);
	return ERR_OK;
}

enum err crl_parse(struct span der, struct crl **out)
{
	struct crl *c;
	const unsigned char *p;
	enum err e = ERR_CERT_UNREADABLE;

	if (der.len == 0 || der.len > CRL_MAX)
		return ERR_CERT_UNREADABLE;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ERR_NO_MEMORY;
	c->der = malloc(der.len);
	if (c->der == NULL) {
		e = ERR_NO_MEMORY;
		goto out;
	}
	memcpy(c->der, der.ptr, der.len);
	c->der_len = der.len;
	p = c->der;
	c->x = d2i_X509_CRL(NULL, &p, (long)der.len);
	if (c->x == NULL || p != c->der + der.len) {
		openssl_failed(e);
		goto out;
	}
	e = fill(c);
	if (e == ERR_OK) {
		*out = c;
		c = NULL;
	}
out:
	crl_free(c);
	return e;
}

enum err crl_parse_pem_or_der(struct span in, struct crl **out)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	BIO *bio;
	enum err e = ERR_CERT_UNREADABLE;

	if (in.len == 0 || in.len > CRL_MAX)
		return ERR_CERT_UNREADABLE;
	if (memmem(in.ptr, in.len, "-----BEGIN ", 11) == NULL)
		return crl_parse(in, out);
	bio = BIO_new_mem_buf(in.ptr, (int)in.len);
	if (bio == NULL)
		return openssl_failed(ERR_NO_MEMORY);
	if (PEM_read_bio(bio, &name, &header, &data, &len) != 1)
		openssl_failed(e);
	else if (strcmp(name, PEM_STRING_X509_CRL) == 0)
		e = crl_parse(span_of(data, (size_t)len), out);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(data, (size_t)len);
	BIO_free(bio);
	return e;
}

void crl_free(struct crl *c)
{
	if (c == NULL)
		return;
	X509_CRL_free(c->x);
	free(c->der);
	free(c->issuer);
	free(c);
}

const char *crl_issuer(const struct crl *c)
{
	return c->issuer;
}

int64_t crl_this_update(const struct crl *c)
{
	return c->this_update;
}

int64_t crl_next_update(const struct crl *c)
{
	return c->next_update;
}

/* ---- revocation ----------------------------------------------------------------------------- */

static void remember_key(struct crl *crl, const struct cert *issuer)
{
	int none = GOOD_NONE;

	if (!atomic_compare_exchange_strong(&crl->good, &none, GOOD_WRITING))
		return;
	memcpy(crl->good_key, issuer->fingerprint, CERT_FINGERPRINT);
	atomic_store(&crl->good, GOOD_KNOWN);
}

/* What a signature is worth depends on the list and the issuer's key, neither of which changes. */
static enum err check_signature(struct sm2_means by, struct crl *crl, const struct cert *issuer, enum link_status *out)
{
	enum err e;

	if (atomic_load(&crl->good) == GOOD_KNOWN && memcmp(crl->good_key, issuer->fingerprint, CERT_FINGERPRINT) == 0) {
		*out = LINK_GOOD;
		return ERR_OK;
	}
	e = link_check_crl(by, crl, issuer, out);
	if (e == ERR_OK && *out == LINK_GOOD)
		remember_key(crl, issuer);
	return e;
}

/* One CRL of the issuer's name. It is usable or stale when it is the issuer's; whoever is on it is revoked even
 * when it is stale, because nobody comes off a list. */
static enum err judge_crl(struct sm2_means by, struct crl *crl, const struct cert *c, const struct cert *issuer,
                          int64_t now, struct revocation_finding *out)
{
	enum link_status link;
	X509_REVOKED *entry = NULL;
	enum err e = check_signature(by, crl, issuer, &link);

	if (e != ERR_OK)
		return e;
	out->this_update = 0;
	out->status = REVOCATION_BAD_CRL;
	if (link != LINK_GOOD || crl->has_unknown_critical || (cert_key_usage(issuer) & KU_BIT_CRL_SIGN) == 0)
		return ERR_OK;
	out->this_update = crl->this_update;
	/* Any answer but 0 is a listing (2 says "removeFromCRL", which belongs in delta CRLs only). */
	if (X509_CRL_get0_by_cert(crl->x, &entry, c->x) != 0) {
		out->status = REVOCATION_REVOKED;
		if (asn1_time_ms(X509_REVOKED_get0_revocationDate(entry), &out->revoked_at) != ERR_OK)
			out->revoked_at = crl->this_update;
	} else if (crl->this_update > now || (crl->next_update != 0 && crl->next_update < now)) {
		out->status = REVOCATION_STALE;
	} else {
		out->status = REVOCATION_GOOD;
	}
	return ERR_OK;
}

void evidence_settle(const struct evidence_period *p, int64_t now, int64_t max_age, int64_t *until)
{
	const int64_t ends[] = {p->from - 1, p->to != 0 ? p->to : INT64_MAX, max_age != 0 ? p->from + max_age : INT64_MAX};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i] >= now && ends[i] < *until)
			*until = ends[i];
}

int64_t cert_store_settled_until(const struct cert_store *s, int64_t now, int64_t max_age)
{
	int64_t until = INT64_MAX;

	for (size_t i = 0; i < s->n_crls; i++) {
		const struct evidence_period p = {s->crls[i]->this_update, s->crls[i]->next_update};

		evidence_settle(&p, now, max_age, &until);
	}
	for (size_t i = 0; i < s->n_ocsps; i++)
		ocsp_settle(s->ocsps[i], now, max_age, &until);
	return until;
}

/* Within one link the strongest word counts: revoked, good, stale, bad CRL, nothing. */
static int strength(enum revocation_status s)
{
	static const int rank[] = {
	    [REVOCATION_REVOKED] = 4, [REVOCATION_GOOD] = 3,        [REVOCATION_STALE] = 2,
	    [REVOCATION_BAD_CRL] = 1, [REVOCATION_NO_EVIDENCE] = 0,
	};

	return rank[s];
}

/* The stronger finding; of equal ones the newer, of two revocations the earlier. */
static void keep_stronger(struct revocation_finding *best, const struct revocation_finding *f)
{
	if (strength(f->status) > strength(best->status) ||
	    (f->status == best->status && f->status != REVOCATION_REVOKED && f->this_update > best->this_update) ||
	    (f->status == best->status && f->status == REVOCATION_REVOKED && f->revoked_at < best->revoked_at))
		*best = *f;
}

/* All that one store has to say of one link. */
static enum err judge_link(struct sm2_means by, const struct cert_store *s, const struct cert *c,
                           const struct cert *issuer, int64_t now, struct revocation_finding *out)
{
	struct revocation_finding f;

	for (size_t i = 0; i < s->n_crls; i++) {
		enum err e;

		f = (struct revocation_finding){.status = REVOCATION_NO_EVIDENCE};
		if (X509_NAME_cmp(X509_CRL_get_issuer(s->crls[i]->x), X509_get_issuer_name(c->x)) != 0)
			continue;
		e = judge_crl(by, s->crls[i], c, issuer, now, &f);
		if (e != ERR_OK)
			return e;
		keep_stronger(out, &f);
	}
	for (size_t i = 0; i < s->n_ocsps; i++) {
		enum err e = ocsp_judge(by, s->ocsps[i], c, issuer, now, &f);

		if (e != ERR_OK)
			return e;
		keep_stronger(out, &f);
	}
	return ERR_OK;
}

/* Over the whole path the weakest word counts, revoked aside. */
static bool is_worse(enum revocation_status a, enum revocation_status b)
{
	if (a == REVOCATION_REVOKED || b == REVOCATION_REVOKED)
		return a == REVOCATION_REVOKED && b != REVOCATION_REVOKED;
	return strength(a) < strength(b);
}

enum err revocation_check(const struct cert_store *s, const struct cert_store *more, struct cert *const *path, size_t n,
                          int64_t now, struct chain_result *out)
{
	out->revocation = REVOCATION_GOOD;
	for (size_t i = 0; i + 1 < n; i++) {
		struct revocation_finding f = {.status = REVOCATION_NO_EVIDENCE};
		enum err e = judge_link(s->by, s, path[i], path[i + 1], now, &f);

		if (e == ERR_OK && more != NULL)
			e = judge_link(s->by, more, path[i], path[i + 1], now, &f);
		if (e != ERR_OK)
			return e;
		if (f.this_update != 0 && (out->crl_this_update == 0 || f.this_update < out->crl_this_update))
			out->crl_this_update = f.this_update;
		if (!is_worse(f.status, out->revocation))
			continue;
		out->revocation = f.status;
		out->revoked_depth = f.status == REVOCATION_REVOKED ? (int)i : 0;
		out->revoked_at = f.revoked_at;
	}
	return ERR_OK;
}
