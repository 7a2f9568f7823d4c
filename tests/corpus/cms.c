/* SignedData (GB/T 35275, PKCS#7) and time stamp tokens (RFC 3161, GB/T 20520), by hand: OpenSSL 3.0 signs none of
 * them with the SM2 identity. */
#include <string.h>

#include "base/text.h"
#include "form/signed_data.h"
#include "tests/corpus/corpus.h"

#define GM_SM2_SIGN   "1.2.156.10197.1.301.1"
#define ATTR_TYPE     "1.2.840.113549.1.9.3"
#define ATTR_DIGEST   "1.2.840.113549.1.9.4"
#define ATTR_TIME     "1.2.840.113549.1.9.5"
#define ATTR_CERT     "1.2.840.113549.1.9.16.2.47"
#define ATTR_STAMP    "1.2.840.113549.1.9.16.2.14"
#define OID_SHA256    "2.16.840.1.101.3.4.2.1"
#define OID_RSA       "1.2.840.113549.1.1.1"
#define OID_ECDSA_256 "1.2.840.10045.4.3.2"

enum { TAG_SET = 0x31, TAG_1 = 0xa1 };

static const char *or_else(const char *s, const char *usual)
{
	return s != NULL ? s : usual;
}

static struct span alg_id(const char *oid)
{
	return wrap(DER_SEQUENCE, oid_der(oid));
}

static const char *content_type(const struct cms_wish *w)
{
	return or_else(w->content_type, w->gm ? OID_GM_DATA : OID_P7_DATA);
}

static const char *digest_oid(const struct cms_wish *w)
{
	if (w->md == NULL)
		return OID_SM3;
	return EVP_MD_get_type(w->md) == NID_sha256 ? OID_SHA256
	       : EVP_MD_get_type(w->md) == NID_sha1 ? "1.3.14.3.2.26"
	                                            : "1.2.840.113549.2.5";
}

/* The bytes of the content: what the digest is over. */
static struct span content_bytes(const struct cms_wish *w)
{
	struct span data = span_str(or_else(w->data, "the signed data\n")), d;

	if (w->content_bytes.len != 0)
		return w->content_bytes;
	if (w->content == C_OTHER)
		return span_str("other data\n");
	d = digest_of(EVP_sm3(), data);
	if (w->content == C_DIGEST)
		return d;
	if (w->content != C_DIGEST_BASE64)
		return data;
	return span_str(base64_text(mem(), d));
}

static struct span attribute(const char *oid, struct span value)
{
	return wrap(DER_SEQUENCE, joined(oid_der(oid), wrap(TAG_SET, value)));
}

static bool comes_before(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = memcmp(a.ptr, b.ptr, n);

	return c < 0 || (c == 0 && a.len < b.len);
}

/* Contents of the SET OF, in the order of DER or in the opposite one. */
static struct span set_of(struct span *item, size_t n, bool reverse)
{
	struct span out = {NULL, 0};

	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && comes_before(item[k], item[k - 1]) != reverse; k--) {
			struct span t = item[k];
			item[k] = item[k - 1];
			item[k - 1] = t;
		}
	for (size_t i = 0; i < n; i++)
		out = joined(out, item[i]);
	return out;
}

static const struct actor *signer_of(const struct cms_wish *w)
{
	return w->signer != NULL ? w->signer : people()->signer;
}

/* SigningCertificateV2 (RFC 5035) with the SM3 of the certificate. */
static struct span signing_cert(const struct cms_wish *w)
{
	struct span cert = w->wrong_cert ? people()->colleague->der : signer_of(w)->der;
	struct span id = wrap(DER_SEQUENCE, joined(alg_id(OID_SM3), wrap(DER_OCTET_STRING, digest_of(EVP_sm3(), cert))));

	return attribute(ATTR_CERT, wrap(DER_SEQUENCE, wrap(DER_SEQUENCE, id)));
}

static struct span attributes(const struct cms_wish *w)
{
	struct span item[4], digest = digest_of(w->md != NULL ? w->md : EVP_sm3(), content_bytes(w));
	size_t n = 0;

	if (w->wrong_digest)
		digest = digest_of(EVP_sm3(), digest);
	if (!w->no_type)
		item[n++] = attribute(ATTR_TYPE, oid_der(or_else(w->attr_type, content_type(w))));
	if (!w->no_digest)
		item[n++] = attribute(ATTR_DIGEST, wrap(DER_OCTET_STRING, digest));
	item[n++] = attribute(
	    ATTR_TIME, wrap(DER_UTC_TIME, span_str(arena_printf(mem(), "%sZ", or_else(w->time, "20240601000000") + 2))));
	if (w->with_cert || w->wrong_cert)
		item[n++] = signing_cert(w);
	return set_of(item, n, w->unsorted);
}

static struct span name_der(const struct actor *who)
{
	uint8_t *der = NULL;
	int n = i2d_X509_NAME(X509_get_issuer_name(who->cert), &der);
	struct span out;

	if (n <= 0)
		give_up("name");
	out = arena_dup(mem(), span_of(der, (size_t)n));
	OPENSSL_free(der);
	return out;
}

static struct span serial_der(const struct actor *who)
{
	uint8_t *der = NULL;
	int n = i2d_ASN1_INTEGER(X509_get_serialNumber(who->cert), &der);
	struct span out;

	if (n <= 0)
		give_up("serial number");
	out = arena_dup(mem(), span_of(der, (size_t)n));
	OPENSSL_free(der);
	return out;
}

static const char *value_oid(const struct cms_wish *w, const struct actor *who)
{
	if (w->alg != NULL)
		return w->alg;
	if (EVP_PKEY_is_a(who->key, "RSA"))
		return OID_RSA;
	if (EVP_PKEY_is_a(who->key, "EC"))
		return OID_ECDSA_256;
	return w->gm ? GM_SM2_SIGN : OID_SM2_SM3;
}

static struct span flip_last(struct span v)
{
	struct span copy = arena_dup(mem(), v);

	((uint8_t *)(uintptr_t)copy.ptr)[copy.len - 1] ^= 1;
	return copy;
}

static struct span signer_info(const struct cms_wish *w, const struct actor *who)
{
	struct span attrs = w->attrs ? attributes(w) : span_of(NULL, 0);
	struct span msg = w->attrs ? wrap(TAG_SET, attrs) : content_bytes(w);
	struct span value = w->value.len != 0 ? w->value
	                    : w->md != NULL   ? sign_md(who, w->md, msg)
	                    : w->empty_id     ? sign_id(who, "", msg)
	                                      : sign(who, msg);
	struct buf b;

	if (w->flip_value)
		value = flip_last(value);
	buf_init(&b, mem());
	der_put_int(&b, 1);
	der_put(&b, DER_SEQUENCE, joined(name_der(who), serial_der(who)));
	buf_add(&b, alg_id(digest_oid(w)));
	if (w->attrs)
		der_put(&b, DER_CONTEXT_0, attrs);
	buf_add(&b, alg_id(value_oid(w, who)));
	der_put(&b, DER_OCTET_STRING, value);
	if (w->stamp.len != 0)
		der_put(&b, TAG_1, attribute(ATTR_STAMP, w->stamp));
	return wrap(DER_SEQUENCE, done(&b));
}

static struct span content_info(const struct cms_wish *w)
{
	struct span type = oid_der(content_type(w));

	if (w->content == C_DETACHED)
		return wrap(DER_SEQUENCE, type);
	return wrap(DER_SEQUENCE, joined(type, wrap(DER_CONTEXT_0,
	                                            wrap(w->raw_content ? DER_UTF8 : DER_OCTET_STRING, content_bytes(w)))));
}

struct span new_cms(const struct cms_wish *w)
{
	const struct actor *who = signer_of(w);
	struct span infos = {NULL, 0}, certs = w->no_cert ? infos : who->der;
	struct buf b;

	for (int i = 0; i < (w->signers != 0 ? w->signers : 1); i++)
		infos = joined(infos, signer_info(w, i == 0 || w->also == NULL ? who : w->also));
	if (w->also != NULL)
		certs = joined(certs, w->also->der);
	buf_init(&b, mem());
	der_put_int(&b, w->content_type != NULL ? 3 : 1);
	der_put(&b, TAG_SET, alg_id(digest_oid(w)));
	buf_add(&b, content_info(w));
	if (certs.len != 0)
		der_put(&b, DER_CONTEXT_0, certs);
	if (w->crl.len != 0)
		der_put(&b, TAG_1, w->crl);
	der_put(&b, TAG_SET, infos);
	return wrap(DER_SEQUENCE, joined(oid_der(w->gm ? OID_GM_SIGNED_DATA : OID_P7_SIGNED_DATA),
	                                 wrap(DER_CONTEXT_0, wrap(DER_SEQUENCE, done(&b)))));
}

/* ---- time stamps ----------------------------------------------------------------------------------------------- */

static struct span tst_info(const struct stamp_wish *w, struct span stamped)
{
	struct span imprint = digest_of(w->md != NULL ? w->md : EVP_sm3(), stamped);
	const char *oid = w->md != NULL ? OID_SHA256 : OID_SM3;
	struct buf b;

	if (w->wrong_imprint)
		imprint = digest_of(w->md != NULL ? w->md : EVP_sm3(), imprint);
	buf_init(&b, mem());
	der_put_int(&b, 1);
	buf_add(&b, oid_der("1.2.3.4.1"));
	der_put(&b, DER_SEQUENCE, joined(alg_id(oid), wrap(DER_OCTET_STRING, imprint)));
	der_put_int(&b, 4711);
	der_put(&b, DER_GENERALIZED_TIME, span_str(arena_printf(mem(), "%sZ", or_else(w->time, "20240601000500"))));
	return wrap(DER_SEQUENCE, done(&b));
}

struct span new_stamp(const struct stamp_wish *w, struct span stamped)
{
	const struct cms_wish cms = {
	    .signer = w->tsa != NULL ? w->tsa : people()->tsa,
	    .attrs = true,
	    .content_type = OID_TST_INFO,
	    .content_bytes = tst_info(w, stamped),
	    .md = w->md,
	    .flip_value = w->flip_value,
	    .no_cert = w->no_cert,
	    .wrong_digest = w->wrong_content,
	    .with_cert = !w->no_signing_cert,
	    .time = or_else(w->time, "20240601000500"),
	};
	struct span token = new_cms(&cms);

	if (!w->response)
		return token;
	return wrap(DER_SEQUENCE, joined(wrap(DER_SEQUENCE, wrap(DER_INTEGER, span_of("\0", 1))), token));
}
