#include "crypto/internal.h"
#include "crypto/value.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	PATH_MAX_LEN = 8,
	WORK_MAX = 64, /* signatures checked for one path search: hostile bundles must not cost more */
	RSA_MIN_BITS = 2048,
	STORE_MAX = 65536
};

/* ---- the set of certificates and CRLs ------------------------------------------------------- */

enum err cert_store_new(struct cert_store **out)
{
	struct cert_store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NO_MEMORY;
	*out = s;
	return ERR_OK;
}

void cert_store_free(struct cert_store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_anchors; i++)
		cert_free(s->anchors[i]);
	for (size_t i = 0; i < s->n_intermediates; i++)
		cert_free(s->intermediates[i]);
	for (size_t i = 0; i < s->n_crls; i++)
		crl_free(s->crls[i]);
	free(s->anchors);
	free(s->intermediates);
	for (size_t i = 0; i < s->n_ocsps; i++)
		ocsp_free(s->ocsps[i]);
	free(s->crls);
	free(s->ocsps);
	free(s);
}

void cert_store_use(struct cert_store *s, struct sm2_means by)
{
	s->by = by;
}

struct sm2_means cert_store_means(const struct cert_store *s)
{
	return s != NULL ? s->by : (struct sm2_means){0};
}

static enum err append_cert(struct cert ***list, size_t *n, struct cert *c)
{
	struct cert **grown = *n < STORE_MAX ? reallocarray(*list, *n + 1, sizeof(struct cert *)) : NULL;

	if (grown == NULL)
		return ERR_NO_MEMORY;
	grown[(*n)++] = cert_ref(c);
	*list = grown;
	return ERR_OK;
}

enum err cert_store_add_anchor(struct cert_store *s, struct cert *c)
{
	return append_cert(&s->anchors, &s->n_anchors, c);
}

enum err cert_store_add_intermediate(struct cert_store *s, struct cert *c)
{
	return append_cert(&s->intermediates, &s->n_intermediates, c);
}

enum err cert_store_add_crl(struct cert_store *s, struct crl *c)
{
	struct crl **grown = s->n_crls < STORE_MAX ? reallocarray(s->crls, s->n_crls + 1, sizeof(struct crl *)) : NULL;

	if (grown == NULL)
		return ERR_NO_MEMORY;
	grown[s->n_crls++] = c;
	s->crls = grown;
	return ERR_OK;
}

enum err cert_store_add_ocsp(struct cert_store *s, struct ocsp *o)
{
	struct ocsp **grown = s->n_ocsps < STORE_MAX ? reallocarray(s->ocsps, s->n_ocsps + 1, sizeof(struct ocsp *)) : NULL;

	if (grown == NULL)
		return ERR_NO_MEMORY;
	grown[s->n_ocsps++] = o;
	s->ocsps = grown;
	return ERR_OK;
}

size_t cert_store_certs(const struct cert_store *s)
{
	return s->n_anchors + s->n_intermediates;
}

struct cert *cert_store_cert(const struct cert_store *s, size_t i)
{
	return i < s->n_anchors ? s->anchors[i] : s->intermediates[i - s->n_anchors];
}

size_t cert_store_anchors(const struct cert_store *s)
{
	return s->n_anchors;
}

size_t cert_store_crls(const struct cert_store *s)
{
	return s->n_crls;
}

int64_t cert_store_oldest_crl(const struct cert_store *s)
{
	int64_t oldest = 0;

	for (size_t i = 0; i < s->n_crls; i++)
		if (oldest == 0 || s->crls[i]->this_update < oldest)
			oldest = s->crls[i]->this_update;
	return oldest;
}

/* ---- one link ------------------------------------------------------------------------------- */

static bool is_accepted(int nid)
{
	switch (nid) {
	case NID_SM2_with_SM3:
	case NID_sha256WithRSAEncryption:
	case NID_sha384WithRSAEncryption:
	case NID_sha512WithRSAEncryption:
	case NID_ecdsa_with_SHA256:
	case NID_ecdsa_with_SHA384:
	case NID_ecdsa_with_SHA512:
		return true;
	default:
		return false;
	}
}

static bool is_small_rsa(const struct cert *issuer)
{
	EVP_PKEY *pkey = X509_get0_pubkey(issuer->x);

	return pkey != NULL && EVP_PKEY_is_a(pkey, "RSA") == 1 && EVP_PKEY_get_bits(pkey) < RSA_MIN_BITS;
}

bool link_accepts(int nid, const struct cert *issuer)
{
	return is_accepted(nid) && !is_small_rsa(issuer) && !cert_key_is_costly(issuer);
}

/* The signed bytes are those received, never an encoding made anew. Our own check, since OpenSSL looks for the
 * identity on the certificate being checked and has no place for it on a CRL. */
static enum err check_sm2(struct sm2_means by, const struct cert *issuer, const struct signed_parts *p,
                          enum link_status *out)
{
	enum err e;

	*out = LINK_BAD;
	if (issuer->sm2 == NULL)
		return ERR_OK;
	e = sm2_verify_by(by, issuer->sm2, sm2_default_id(), p->tbs, p->value);
	if (e == ERR_OK)
		*out = LINK_GOOD;
	return e == ERR_SIGNATURE_BAD ? ERR_OK : e;
}

enum err link_check_cert(struct sm2_means by, const struct cert *c, const struct cert *issuer, enum link_status *out)
{
	const X509_ALGOR *alg;
	int nid = X509_get_signature_nid(c->x);

	if (!link_accepts(nid, issuer)) {
		*out = LINK_REFUSED;
		return ERR_OK;
	}
	*out = LINK_BAD;
	X509_get0_signature(NULL, &alg, c->x);
	if (X509_ALGOR_cmp(alg, X509_get0_tbs_sigalg(c->x)) != 0)
		return ERR_OK;
	by.kind = MEMO_CHAIN;
	if (nid == NID_SM2_with_SM3)
		return check_sm2(by, issuer, &c->parts, out);
	if (issuer->sm2 == NULL && X509_verify(c->x, X509_get0_pubkey(issuer->x)) == 1)
		*out = LINK_GOOD;
	return openssl_failed(ERR_OK);
}

enum err link_check_crl(struct sm2_means by, const struct crl *c, const struct cert *issuer, enum link_status *out)
{
	int nid = X509_CRL_get_signature_nid(c->x);

	if (!link_accepts(nid, issuer)) {
		*out = LINK_REFUSED;
		return ERR_OK;
	}
	*out = LINK_BAD;
	if (!c->algorithms_agree)
		return ERR_OK;
	if (nid == NID_SM2_with_SM3)
		return check_sm2(by, issuer, &c->parts, out);
	if (issuer->sm2 == NULL && X509_CRL_verify(c->x, X509_get0_pubkey(issuer->x)) == 1)
		*out = LINK_GOOD;
	return openssl_failed(ERR_OK);
}

/* ---- one path ------------------------------------------------------------------------------- */

struct walk {
	const struct cert_store *store;
	struct cert *const *extra;
	size_t n_extra;
	int64_t at;
	int work;
	struct cert *path[PATH_MAX_LEN], *best_path[PATH_MAX_LEN];
	struct chain_result best;
	enum err failed;
};

/* How near a failure is to a good path: the nearest is what is told. */
static int nearness(enum chain_status s)
{
	static const int rank[] = {
	    [CHAIN_NO_PATH] = 0, [CHAIN_BAD_SIGNATURE] = 1, [CHAIN_ALGORITHM] = 2, [CHAIN_CONSTRAINTS] = 3,
	    [CHAIN_EXPIRED] = 4, [CHAIN_NOT_YET] = 4,       [CHAIN_OK] = 5,
	};

	return rank[s];
}

/* The longest beginning of `s` that fits without half a character. */
static void copy_subject(char *out, size_t size, const char *s)
{
	size_t n = strlen(s);

	if (n >= size) {
		n = size - 1;
		while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, s, n);
	out[n] = '\0';
}

/* length: of the path as far as it reaches an anchor, else 0. */
static void offer(struct walk *w, enum chain_status status, size_t depth, size_t length)
{
	bool farther = status == CHAIN_NO_PATH && w->best.status == CHAIN_NO_PATH && (int)depth > w->best.depth;

	if (!farther && nearness(status) <= nearness(w->best.status))
		return;
	w->best.status = status;
	w->best.depth = (int)depth;
	w->best.length = length;
	copy_subject(w->best.subject, sizeof(w->best.subject), cert_subject(w->path[depth]));
	if (length != 0)
		memcpy(w->best_path, w->path, length * sizeof(struct cert *));
}

/* Names in certificates below a CA that has name constraints; self-issued CA certificates are exempt (RFC 5280). */
static bool names_allowed(const struct walk *w, size_t ca)
{
	NAME_CONSTRAINTS *nc = w->path[ca]->name_constraints;

	for (size_t i = 0; nc != NULL && i < ca; i++)
		if ((i == 0 || !w->path[i]->is_self_issued) && NAME_CONSTRAINTS_check(w->path[i]->x, nc) != X509_V_OK)
			return false;
	return true;
}

/* path[i] of n as the issuer of path[i - 1]. `below`: CA certificates between it and the leaf, self-issued ones aside.
 */
static bool may_issue(const struct walk *w, size_t i, size_t n, long below)
{
	const struct cert *c = w->path[i];
	bool anchor = i + 1 == n;

	return (anchor ? c->says_ca : c->is_ca) && (c->path_len < 0 || below <= c->path_len) && names_allowed(w, i);
}

static bool time_fits(struct walk *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (w->at < w->path[i]->not_before) {
			offer(w, CHAIN_NOT_YET, i, n);
			return false;
		}
		/* notAfter names a second, and all of that second is within. */
		if (w->at > w->path[i]->not_after + 999) {
			offer(w, CHAIN_EXPIRED, i, n);
			return false;
		}
	}
	return true;
}

/* All signatures of path[0 .. n-1] are good and the last one is an anchor. */
static void judge_path(struct walk *w, size_t n)
{
	long below = 0;

	if (!time_fits(w, n))
		return;
	for (size_t i = 0; i < n; i++) {
		bool unknown = (X509_get_extension_flags(w->path[i]->x) & EXFLAG_CRITICAL) != 0;

		if (w->path[i]->is_malformed || unknown || (i > 0 && !may_issue(w, i, n, below))) {
			offer(w, CHAIN_CONSTRAINTS, i, n);
			return;
		}
		if (i > 0 && !w->path[i]->is_self_issued)
			below++;
	}
	offer(w, CHAIN_OK, 0, n);
	w->best.anchor_key_usage = n > 1 && !w->path[n - 1]->is_ca;
}

static bool is_anchor(const struct walk *w, const struct cert *c)
{
	for (size_t i = 0; i < w->store->n_anchors; i++)
		if (span_eq(cert_der(w->store->anchors[i]), cert_der(c)))
			return true;
	return false;
}

static bool is_candidate(const struct walk *w, size_t n, const struct cert *issuer)
{
	const struct cert *c = w->path[n - 1];

	if (X509_NAME_cmp(X509_get_subject_name(issuer->x), X509_get_issuer_name(c->x)) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (span_eq(cert_der(w->path[i]), cert_der(issuer)))
			return false;
	return c->akid == NULL || X509_check_akid(issuer->x, c->akid) == X509_V_OK;
}

static void walk_up(struct walk *w, size_t n);

static void try_issuer(struct walk *w, size_t n, struct cert *issuer)
{
	enum link_status link;

	if (w->failed != ERR_OK || w->best.status == CHAIN_OK || !is_candidate(w, n, issuer) || w->work <= 0)
		return;
	w->work--;
	w->failed = link_check_cert(w->store->by, w->path[n - 1], issuer, &link);
	if (w->failed != ERR_OK)
		return;
	if (link != LINK_GOOD) {
		offer(w, link == LINK_BAD ? CHAIN_BAD_SIGNATURE : CHAIN_ALGORITHM, n - 1, 0);
		return;
	}
	w->path[n] = issuer;
	walk_up(w, n + 1);
}

/* path[0 .. n-1] hangs together; find what stands above it. At most PATH_MAX_LEN calls deep. */
static void walk_up(struct walk *w, size_t n)
{
	if (is_anchor(w, w->path[n - 1])) {
		judge_path(w, n);
		return;
	}
	offer(w, CHAIN_NO_PATH, n - 1, 0);
	if (n == PATH_MAX_LEN)
		return;
	for (size_t i = 0; i < w->store->n_anchors; i++)
		try_issuer(w, n, w->store->anchors[i]);
	for (size_t i = 0; i < w->store->n_intermediates; i++)
		try_issuer(w, n, w->store->intermediates[i]);
	for (size_t i = 0; i < w->n_extra; i++)
		try_issuer(w, n, w->extra[i]);
}

enum err chain_check(const struct cert_store *s, struct cert *leaf, struct cert *const *extra, size_t n_extra,
                     int64_t at, int64_t now, struct chain_result *out)
{
	return chain_check_with(s, NULL, leaf, (struct cert_list){extra, n_extra}, at, now, out);
}

enum err chain_check_with(const struct cert_store *s, const struct cert_store *more, struct cert *leaf,
                          struct cert_list extra, int64_t at, int64_t now, struct chain_result *out)
{
	struct walk w = {
	    .store = s, .extra = extra.certs, .n_extra = extra.certs != NULL ? extra.n : 0, .at = at, .work = WORK_MAX};
	enum err e;

	w.best = (struct chain_result){.status = CHAIN_NO_PATH, .depth = -1, .revocation = REVOCATION_NO_EVIDENCE};
	w.path[0] = leaf;
	walk_up(&w, 1);
	if (w.failed != ERR_OK)
		return w.failed;
	if (w.best.length != 0) {
		e = revocation_check(s, more, w.best_path, w.best.length, now, &w.best);
		if (e != ERR_OK)
			return e;
	}
	*out = w.best;
	return ERR_OK;
}
