/* SignedData and time stamp tokens with SM2, made for the tests, each with at most one fault. */
#ifndef YZ_TESTS_SIGNED_HELP_H
#define YZ_TESTS_SIGNED_HELP_H

#include "verify_help.h"

#include "crypto/digest.h"
#include "form/timestamp.h"

enum content_form { CONTENT_NONE, CONTENT_DATA, CONTENT_SM3, CONTENT_BASE64, CONTENT_HEX };

/* Zero means the good value: GB/T 35275, SM2, with attributes, detached, the signer's certificate inside. */
struct sd_made {
	const char *signer, *container, *type, *attr_type, *alg, *digest_alg;
	const struct signer *key; /* signs in place of the signer's */
	struct span cert;         /* stands for the signer's */
	enum content_form content;
	enum content_form over; /* what messageDigest, or the value, is over when the content is detached */
	struct span eat;        /* the content itself, when not made from the data */
	int64_t time;           /* relative to pki.t0 */
	bool no_attrs, no_cert, no_digest, no_type, unsorted, wrong_digest, bad_value, raw_value, no_time, ess, ess_other,
	    no_signer, trailing, twice_digest;
	struct span value;      /* made before, over the same */
	struct span stamp;      /* unsigned attribute */
	struct span revocation; /* an element for SignedData.crls */
};

static inline void put_oid(struct buf *b, const char *oid)
{
	assert_err(der_put_oid(b, oid), ERR_OK);
}

static inline void put_algorithm(struct buf *b, const char *oid)
{
	size_t m = der_open(b, DER_SEQUENCE);

	put_oid(b, oid);
	der_close(b, m);
}

static inline struct span done(const struct buf *b)
{
	struct span out;

	assert_err(buf_done(b, &out), ERR_OK);
	return out;
}

static inline struct span sm3_of(struct arena *a, struct span s)
{
	uint8_t d[SM3_LEN];

	assert_err(sm3(s, d), ERR_OK);
	return arena_dup(a, span_of(d, SM3_LEN));
}

static inline struct span content_as(struct arena *a, enum content_form form, struct span data)
{
	char hex[2 * SM3_LEN + 1];

	switch (form) {
	case CONTENT_SM3:
		return sm3_of(a, data);
	case CONTENT_BASE64:
		return span_str(base64_text(a, sm3_of(a, data)));
	case CONTENT_HEX:
		hex_encode(sm3_of(a, data), hex);
		return arena_dup(a, span_str(hex));
	default:
		return data;
	}
}

/* SEQUENCE { OID, SET { value } } */
static inline struct span attr(struct arena *a, const char *oid, struct span value)
{
	struct buf b;
	size_t m, set;

	buf_init(&b, a);
	m = der_open(&b, DER_SEQUENCE);
	put_oid(&b, oid);
	set = der_open(&b, 0x31);
	buf_add(&b, value);
	der_close(&b, set);
	der_close(&b, m);
	return done(&b);
}

static inline struct span one(struct arena *a, uint8_t tag, struct span contents)
{
	struct buf b;

	buf_init(&b, a);
	der_put(&b, tag, contents);
	return done(&b);
}

static inline struct span oid_element(struct arena *a, const char *oid)
{
	struct buf b;

	buf_init(&b, a);
	put_oid(&b, oid);
	return done(&b);
}

static inline struct span gentime(struct arena *a, int64_t ms)
{
	struct buf b;

	buf_init(&b, a);
	der_put_gentime(&b, ms);
	return done(&b);
}

static inline struct span ess_attr(struct arena *a, struct span cert, bool other)
{
	uint8_t d[SHA256_LEN];
	struct span s;

	assert_err(sha256_parts(&cert, 1, d), ERR_OK);
	d[0] ^= other;
	s = one(a, DER_OCTET_STRING, span_of(d, sizeof(d)));
	for (int i = 0; i < 3; i++)
		s = one(a, DER_SEQUENCE, s);
	return attr(a, "1.2.840.113549.1.9.16.2.47", s);
}

/* Contents of the signed attributes. In the order of DER the shortest comes first. */
static inline struct span attrs_of(struct arena *a, const struct sd_made *m, struct span over, struct span cert)
{
	struct span digest = sm3_of(a, over), type, list[6];
	const char *oid = m->attr_type != NULL ? m->attr_type : (m->type != NULL ? m->type : OID_GM_DATA);
	struct buf b;
	size_t n = 0;

	if (m->wrong_digest)
		((uint8_t *)(uintptr_t)digest.ptr)[0] ^= 1;
	type = attr(a, "1.2.840.113549.1.9.3", oid_element(a, oid));
	digest = attr(a, "1.2.840.113549.1.9.4", one(a, DER_OCTET_STRING, digest));
	if (!m->no_type)
		list[n++] = type;
	if (!m->no_time)
		list[n++] = attr(a, "1.2.840.113549.1.9.5", gentime(a, pki.t0 + m->time));
	if (!m->no_digest)
		list[n++] = digest;
	if (m->twice_digest)
		list[n++] = digest;
	if (m->ess || m->ess_other)
		list[n++] = ess_attr(a, cert, m->ess_other);
	buf_init(&b, a);
	for (size_t i = 0; i < n; i++)
		buf_add(&b, list[m->unsorted ? n - 1 - i : i]);
	return done(&b);
}

static inline struct span sm2_value(struct arena *a, const struct sd_made *m, struct span msg)
{
	uint8_t sig[SM2_SIG_MAX];
	size_t len;
	const struct signer *key = m->key != NULL ? m->key : who(m->signer != NULL ? m->signer : "samr")->signer;

	assert_err(signer_sign(key, msg, sig, &len), ERR_OK);
	if (m->bad_value)
		sig[len - 1] ^= 1;
	return arena_dup(a, span_of(sig, len));
}

/* r||s */
static inline struct span raw_value(struct arena *a, struct span value)
{
	struct der d = der_of(value), s;
	uint8_t *out = arena_alloc(a, 64);

	assert_err(der_enter(&d, DER_SEQUENCE, &s, NULL), ERR_OK);
	for (int i = 0; i < 2; i++) {
		struct der_item it;
		size_t cut;

		assert_err(der_take(&s, DER_INTEGER, &it), ERR_OK);
		cut = it.value.len > 32 ? it.value.len - 32 : 0;
		memcpy(out + 32 * (i + 1) - (it.value.len - cut), it.value.ptr + cut, it.value.len - cut);
	}
	return span_of(out, 64);
}

/* issuer and serialNumber stand in this order apart in a certificate: version, serial, algorithm, issuer. */
static inline void put_signer_id(struct buf *b, struct span cert)
{
	struct der d = der_of(cert), c, tbs;
	struct der_item version, serial, alg, issuer;
	size_t m;

	assert_err(der_enter(&d, DER_SEQUENCE, &c, NULL), ERR_OK);
	assert_err(der_enter(&c, DER_SEQUENCE, &tbs, NULL), ERR_OK);
	assert_err(der_take(&tbs, DER_CONTEXT_0, &version), ERR_OK);
	assert_err(der_take(&tbs, DER_INTEGER, &serial), ERR_OK);
	assert_err(der_take(&tbs, DER_SEQUENCE, &alg), ERR_OK);
	assert_err(der_take(&tbs, DER_SEQUENCE, &issuer), ERR_OK);
	m = der_open(b, DER_SEQUENCE);
	buf_add(b, issuer.raw);
	buf_add(b, serial.raw);
	der_close(b, m);
}

static inline void put_signer_info(struct arena *a, struct buf *b, const struct sd_made *m, struct span over,
                                   struct span cert)
{
	const char *digest = m->digest_alg != NULL ? m->digest_alg : OID_SM3;
	struct span attrs = attrs_of(a, m, over, cert), value;
	size_t info = der_open(b, DER_SEQUENCE);

	der_put_int(b, 1);
	put_signer_id(b, cert);
	put_algorithm(b, digest);
	value = m->value.len != 0 ? m->value : sm2_value(a, m, m->no_attrs ? over : one(a, 0x31, attrs));
	if (!m->no_attrs)
		der_put(b, DER_CONTEXT_0, attrs);
	put_algorithm(b, m->alg != NULL ? m->alg : "1.2.156.10197.1.301.1");
	der_put(b, DER_OCTET_STRING, m->raw_value ? raw_value(a, value) : value);
	if (m->stamp.len != 0)
		der_put(b, 0xa1, attr(a, "1.2.840.113549.1.9.16.2.14", m->stamp));
	der_close(b, info);
}

static inline void put_content(struct arena *a, struct buf *b, const struct sd_made *m, struct span content)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_oid(b, m->type != NULL ? m->type : OID_GM_DATA);
	if (m->content != CONTENT_NONE || m->eat.len != 0)
		der_put(b, DER_CONTEXT_0, one(a, DER_OCTET_STRING, content));
	der_close(b, seq);
}

static inline struct span make_signed_data(struct arena *a, const struct sd_made *m, struct span data)
{
	struct span cert = m->cert.len != 0 ? m->cert : der_of_who(m->signer != NULL ? m->signer : "samr");
	struct span content = m->eat.len != 0 ? m->eat : content_as(a, m->content, data);
	struct span over = m->content == CONTENT_NONE && m->eat.len == 0 ? content_as(a, m->over, data) : content;
	struct buf b;
	size_t outer, tag, sd, set;

	buf_init(&b, a);
	outer = der_open(&b, DER_SEQUENCE);
	put_oid(&b, m->container != NULL ? m->container : OID_GM_SIGNED_DATA);
	tag = der_open(&b, DER_CONTEXT_0);
	sd = der_open(&b, DER_SEQUENCE);
	der_put_int(&b, 1);
	set = der_open(&b, 0x31);
	put_algorithm(&b, OID_SM3);
	der_close(&b, set);
	put_content(a, &b, m, content);
	if (!m->no_cert)
		der_put(&b, DER_CONTEXT_0, cert);
	if (m->revocation.len != 0)
		der_put(&b, 0xa1, m->revocation);
	set = der_open(&b, 0x31);
	if (!m->no_signer)
		put_signer_info(a, &b, m, over, cert);
	der_close(&b, set);
	der_close(&b, sd);
	der_close(&b, tag);
	der_close(&b, outer);
	if (m->trailing)
		buf_byte(&b, 0);
	return done(&b);
}

/* TSTInfo over `stamped` at this time. */
static inline struct span make_tst_info(struct arena *a, struct span stamped, int64_t time, struct span more)
{
	struct buf b;
	size_t seq, imprint;

	buf_init(&b, a);
	seq = der_open(&b, DER_SEQUENCE);
	der_put_int(&b, 1);
	put_oid(&b, "1.2.3.4");
	imprint = der_open(&b, DER_SEQUENCE);
	put_algorithm(&b, OID_SM3);
	der_put(&b, DER_OCTET_STRING, sm3_of(a, stamped));
	der_close(&b, imprint);
	der_put_int(&b, 42);
	der_put_gentime(&b, time);
	buf_add(&b, more);
	der_close(&b, seq);
	return done(&b);
}

#endif
