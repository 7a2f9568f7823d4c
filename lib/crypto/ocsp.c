/* OCSP responses (RFC 6960), from files: signature, responder and status for one certificate. OpenSSL reads the
 * structure; it has no place for the SM2 identity, so the value is checked here over the received bytes. */
#include "crypto/internal.h"
#include "crypto/value.h"

#include <openssl/ocsp.h>
#include <stdlib.h>

enum {
	OCSP_SIZE_MAX = 256 * 1024,
	SINGLES_MAX = 64,
	RESPONDERS_MAX = 8,
	ALG_TEXT = 80,
	TAG_OCTETS = 0x04,
	TAG_OID = 0x06,
	TAG_ENUMERATED = 0x0a,
	TAG_SEQUENCE = 0x30,
	TAG_CONTEXT_0 = 0xa0
};

#define EKU_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
/* How long an answer without nextUpdate stands: it says that newer ones may be had at any time. */
#define LIFE_WITHOUT_NEXT (INT64_C(24) * 3600 * 1000)

/* OCSPResponse ::= SEQUENCE { ENUMERATED, [0] { SEQUENCE { OID, OCTET STRING { BasicOCSPResponse } } } } */
static enum err slice_basic(struct span in, struct span *basic)
{
	static const uint8_t pkix_ocsp_basic[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
	struct span v, status, rest, oid;

	if (der_element(in, TAG_SEQUENCE, &v, NULL, &rest) != ERR_OK || rest.len != 0)
		return ERR_CERT_UNREADABLE;
	if (der_element(v, TAG_ENUMERATED, &status, NULL, &v) != ERR_OK || status.len != 1 || status.ptr[0] != 0)
		return ERR_CERT_UNREADABLE; /* the responder would not answer */
	if (der_element(v, TAG_CONTEXT_0, &v, NULL, &rest) != ERR_OK || rest.len != 0 ||
	    der_element(v, TAG_SEQUENCE, &v, NULL, &rest) != ERR_OK || rest.len != 0 ||
	    der_element(v, TAG_OID, &oid, NULL, &v) != ERR_OK ||
	    !span_eq(oid, span_of(pkix_ocsp_basic, sizeof(pkix_ocsp_basic))))
		return ERR_CERT_UNREADABLE;
	if (der_element(v, TAG_OCTETS, basic, NULL, &rest) != ERR_OK || rest.len != 0)
		return ERR_CERT_UNREADABLE;
	return ERR_OK;
}

/* BasicOCSPResponse is signed like a certificate, but certificates may follow within. */
static enum err slice_parts(struct span basic, struct signed_parts *out)
{
	struct span v, rest, bits;

	if (der_element(basic, TAG_SEQUENCE, &v, NULL, &rest) != ERR_OK || rest.len != 0 ||
	    der_element(v, TAG_SEQUENCE, &out->tbs_contents, &out->tbs, &v) != ERR_OK ||
	    der_element(v, TAG_SEQUENCE, NULL, &out->algorithm, &v) != ERR_OK ||
	    der_element(v, 0x03, &bits, NULL, &v) != ERR_OK || bits.len < 2 || bits.ptr[0] != 0)
		return ERR_CERT_UNREADABLE;
	out->value = span_sub(bits, 1, bits.len);
	return ERR_OK;
}

/* Certificates of others than the responder do no harm; those that cannot be read cannot have signed. */
static enum err fill_certs(struct ocsp *o)
{
	const STACK_OF(X509) *list = OCSP_resp_get0_certs(o->basic);

	for (int i = 0; i < sk_X509_num(list) && o->n_certs < RESPONDERS_MAX; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(sk_X509_value(list, i), &der);
		enum err e = len > 0 ? cert_parse(span_of(der, (size_t)len), &o->certs[o->n_certs]) : ERR_CERT_UNREADABLE;

		OPENSSL_free(der);
		if (e == ERR_NO_MEMORY || e == ERR_CRYPTO)
			return e;
		if (e == ERR_OK)
			o->n_certs++;
	}
	return openssl_failed(ERR_OK);
}

static enum err fill(struct ocsp *o, struct span basic)
{
	const unsigned char *p = basic.ptr;

	if (slice_parts(basic, &o->parts) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	o->basic = d2i_OCSP_BASICRESP(NULL, &p, (long)basic.len);
	if (o->basic == NULL || p != basic.ptr + basic.len)
		return openssl_failed(ERR_CERT_UNREADABLE);
	if (OCSP_resp_count(o->basic) > SINGLES_MAX)
		return ERR_TOO_LARGE;
	if (asn1_time_ms(OCSP_resp_get0_produced_at(o->basic), &o->produced_at) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	return fill_certs(o);
}

enum err ocsp_parse(struct span der, struct ocsp **out)
{
	struct ocsp *o;
	struct span basic;
	enum err e;

	if (der.len == 0 || der.len > OCSP_SIZE_MAX)
		return ERR_CERT_UNREADABLE;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return ERR_NO_MEMORY;
	o->certs = calloc(RESPONDERS_MAX, sizeof(struct cert *));
	o->der = malloc(der.len);
	e = o->der != NULL && o->certs != NULL ? ERR_OK : ERR_NO_MEMORY;
	if (e == ERR_OK) {
		memcpy(o->der, der.ptr, der.len);
		e = slice_basic(span_of(o->der, der.len), &basic);
	}
	if (e == ERR_OK)
		e = fill(o, basic);
	if (e == ERR_OK)
		*out = o;
	else
		ocsp_free(o);
	return e;
}

void ocsp_free(struct ocsp *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n_certs; i++)
		cert_free(o->certs[i]);
	OCSP_BASICRESP_free(o->basic);
	free(o->certs);
	free(o->der);
	free(o);
}

/* ---- one certificate ------------------------------------------------------------------------------------------- */

static OCSP_SINGLERESP *find_single(const struct ocsp *o, const struct cert *c, const struct cert *issuer)
{
	for (int i = 0; i < OCSP_resp_count(o->basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(o->basic, i);
		OCSP_CERTID *theirs = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single), *ours;
		ASN1_OBJECT *digest = NULL;
		const EVP_MD *md;
		bool same;

		if (OCSP_id_get0_info(NULL, &digest, NULL, NULL, theirs) != 1)
			continue;
		md = EVP_get_digestbyobj(digest);
		ours = md != NULL ? OCSP_cert_to_id(md, c->x, issuer->x) : NULL;
		same = ours != NULL && OCSP_id_cmp(ours, theirs) == 0;
		OCSP_CERTID_free(ours);
		if (same)
			return single;
	}
	openssl_failed(ERR_OK);
	return NULL;
}

/* The issuer itself, or one whom it has named for this work (RFC 6960, 4.2.2.2). */
static enum err may_respond(struct sm2_means means, const struct ocsp *o, const struct cert *c,
                            const struct cert *issuer, bool *out)
{
	enum link_status link = LINK_BAD;
	enum err e;

	*out = false;
	if (c->is_malformed || !cert_has_eku(c, EKU_OCSP_SIGNING) ||
	    X509_NAME_cmp(X509_get_issuer_name(c->x), X509_get_subject_name(issuer->x)) != 0 ||
	    o->produced_at < c->not_before || o->produced_at > c->not_after + 999)
		return ERR_OK;
	e = link_check_cert(means, c, issuer, &link);
	*out = e == ERR_OK && link == LINK_GOOD;
	return e;
}

static enum err verify_by(struct sm2_means means, const struct ocsp *o, const struct cert *by, bool *good)
{
	char text[ALG_TEXT];
	const X509_ALGOR *alg = OCSP_resp_get0_tbs_sigalg(o->basic);
	const ASN1_OBJECT *oid = NULL;
	struct value_alg va;
	enum err e;
	int n;

	*good = false;
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	n = OBJ_obj2txt(text, ALG_TEXT, oid, 1);
	if (n <= 0 || n >= ALG_TEXT || !link_accepts(OBJ_obj2nid(oid), by))
		return openssl_failed(ERR_OK);
	va = value_alg_of(text);
	if (va.key != cert_key_kind(by))
		return ERR_OK;
	e = value_verify(means, by, va.digest, o->parts.tbs, o->parts.value);
	*good = e == ERR_OK;
	return e == ERR_SIGNATURE_BAD || e == ERR_FIELD_INVALID ? ERR_OK : e;
}

static enum err is_signed(struct sm2_means means, const struct ocsp *o, const struct cert *issuer, bool *good)
{
	enum err e = verify_by(means, o, issuer, good);

	for (size_t i = 0; e == ERR_OK && !*good && i < o->n_certs; i++) {
		bool may;

		e = may_respond(means, o, o->certs[i], issuer, &may);
		if (e == ERR_OK && may)
			e = verify_by(means, o, o->certs[i], good);
	}
	return e;
}

/* Critical extensions of an answer change what it says in ways not known here. */
static bool has_critical(OCSP_SINGLERESP *single, OCSP_BASICRESP *basic)
{
	return OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0 ||
	       OCSP_BASICRESP_get_ext_by_critical(basic, 1, -1) >= 0;
}

/* What one answer says, and for when; false when its times cannot be read. */
static bool read_single(OCSP_SINGLERESP *single, int *status, ASN1_GENERALIZEDTIME **revoked, struct evidence_period *p)
{
	ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;

	*status = OCSP_single_get0_status(single, NULL, revoked, &this_update, &next_update);
	if (asn1_time_ms(this_update, &p->from) != ERR_OK)
		return false;
	p->to = p->from + LIFE_WITHOUT_NEXT;
	return next_update == NULL || asn1_time_ms(next_update, &p->to) == ERR_OK;
}

void ocsp_settle(const struct ocsp *o, int64_t now, int64_t max_age, int64_t *until)
{
	for (int i = 0; i < OCSP_resp_count(o->basic); i++) {
		ASN1_GENERALIZEDTIME *revoked = NULL;
		struct evidence_period p;
		int status;

		if (read_single(OCSP_resp_get0(o->basic, i), &status, &revoked, &p))
			evidence_settle(&p, now, max_age, until);
	}
}

static void fill_finding(OCSP_SINGLERESP *single, int64_t now, struct revocation_finding *out)
{
	ASN1_GENERALIZEDTIME *revoked = NULL;
	struct evidence_period p = {0};
	int status;
	bool readable = read_single(single, &status, &revoked, &p);

	out->this_update = p.from;
	if (!readable)
		return;
	if (status == V_OCSP_CERTSTATUS_REVOKED) {
		out->status = REVOCATION_REVOKED;
		if (asn1_time_ms(revoked, &out->revoked_at) != ERR_OK)
			out->revoked_at = out->this_update;
	} else if (status == V_OCSP_CERTSTATUS_GOOD) {
		out->status = p.from > now || p.to < now ? REVOCATION_STALE : REVOCATION_GOOD;
	} else {
		out->status = REVOCATION_NO_EVIDENCE;
	}
}

enum err ocsp_judge(struct sm2_means by, const struct ocsp *o, const struct cert *c, const struct cert *issuer,
                    int64_t now, struct revocation_finding *out)
{
	OCSP_SINGLERESP *single = find_single(o, c, issuer);
	bool good = false;
	enum err e;

	*out = (struct revocation_finding){.status = REVOCATION_NO_EVIDENCE};
	if (single == NULL)
		return ERR_OK;
	e = is_signed(by, o, issuer, &good);
	if (e != ERR_OK)
		return e;
	out->status = REVOCATION_BAD_CRL;
	if (good && !has_critical(single, o->basic))
		fill_finding(single, now, out);
	return ERR_OK;
}
