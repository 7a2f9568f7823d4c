#include "crypto/cert.h"

#include "base/clock.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/sm2_openssl.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 4096, BUNDLE_MAX = 4096, SERIAL_MAX = 64, EKU_TEXT = 128 };

/* ---- parts of a certificate ----------------------------------------------------------------- */

enum err asn1_time_ms(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return openssl_failed(ERR_FORMAT);
	if (time_from_parts(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, out) != ERR_OK)
		return ERR_FORMAT;
	return ERR_OK;
}

/* A malloc'd copy when it is fit to be shown, else NULL. */
static char *clean_copy(struct span s)
{
	return text_is_clean(s, NAME_MAX_BYTES) ? strndup(s.len != 0 ? (const char *)s.ptr : "", s.len) : NULL;
}

char *name_text(const X509_NAME *name)
{
	/* RFC 2253 would escape every byte of a Chinese name. */
	const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *out = NULL;
	long len;

	if (bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
		len = BIO_get_mem_data(bio, &text);
		out = clean_copy(span_of(text, len > 0 ? (size_t)len : 0));
	}
	BIO_free(bio);
	if (out == NULL)
		openssl_failed(ERR_FORMAT);
	return out;
}

static char *common_name(const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), len;
	unsigned char *utf8 = NULL;
	char *out;

	if (at < 0)
		return strdup("");
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	out = len >= 0 ? clean_copy(span_of(utf8, (size_t)len)) : NULL;
	OPENSSL_free(utf8);
	return out;
}

static char *serial_hex(const ASN1_INTEGER *serial)
{
	BIGNUM *v = ASN1_INTEGER_to_BN(serial, NULL);
	uint8_t bytes[SERIAL_MAX] = {0};
	int len = v != NULL ? BN_num_bytes(v) : -1;
	char *out = NULL;

	if (len >= 0 && len <= SERIAL_MAX)
		out = malloc(2 * SERIAL_MAX + 2);
	if (out != NULL) {
		/* Zero has no bytes at all. */
		len = BN_bn2binpad(v, bytes, len > 0 ? len : 1);
		out[0] = '-';
		hex_encode(span_of(bytes, (size_t)len), out + (BN_is_negative(v) ? 1 : 0));
	}
	BN_free(v);
	return out;
}

/* X.509 counts bits from the left of the first octet, OpenSSL keeps the octets. */
static unsigned key_usage_bits(X509 *x)
{
	uint32_t octets;
	unsigned bits = 0;

	if ((X509_get_extension_flags(x) & EXFLAG_KUSAGE) == 0)
		return 0xffff;
	octets = X509_get_key_usage(x);
	for (unsigned i = 0; i < 8; i++)
		if ((octets & (0x80u >> i)) != 0)
			bits |= 1u << i;
	return (octets & KU_DECIPHER_ONLY) != 0 ? bits | 1u << 8 : bits;
}

static enum err fill_fingerprint(struct cert *c)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x), &der);
	struct span spki = span_of(der, len > 0 ? (size_t)len : 0);
	enum err e = len > 0 ? sha256_parts(&spki, 1, c->fingerprint) : openssl_failed(ERR_CERT_UNREADABLE);

	OPENSSL_free(der);
	return e;
}

/* NULL without an error when the extension is absent; *bad when it is there and cannot be read, or is there twice. */
static void *extension(const X509 *x, int nid, bool *bad)
{
	int state = 0;
	void *ext = X509_get_ext_d2i(x, nid, &state, NULL);

	if (ext == NULL && state != -1)
		*bad = true;
	return ext;
}

static void fill_extensions(struct cert *c)
{
	bool bad = false;

	/* This makes OpenSSL work out now what it would else add to the object at the first use. */
	if (X509_check_purpose(c->x, -1, 0) != 1 || (X509_get_extension_flags(c->x) & EXFLAG_INVALID) != 0)
		bad = true;
	c->is_self_issued = X509_NAME_cmp(X509_get_subject_name(c->x), X509_get_issuer_name(c->x)) == 0;
	c->path_len = X509_get_pathlen(c->x);
	c->eku = extension(c->x, NID_ext_key_usage, &bad);
	c->akid = extension(c->x, NID_authority_key_identifier, &bad);
	c->name_constraints = extension(c->x, NID_name_constraints, &bad);
	c->is_malformed = bad;
	c->is_ca = !bad && X509_check_ca(c->x) == 1;
	c->says_ca = !bad && (X509_get_extension_flags(c->x) & EXFLAG_CA) != 0;
	c->key_usage = key_usage_bits(c->x);
	/* An extension that cannot be read must not pass for an absent one. */
	if (bad && c->key_usage == 0xffff)
		c->key_usage = 0;
	openssl_failed(ERR_OK);
}

static enum err fill_key(struct cert *c)
{
	EVP_PKEY *pkey = X509_get0_pubkey(c->x);

	if (pkey == NULL || !sm2_openssl_is(pkey)) {
		/* An unknown kind of key makes no path, but the certificate can still be shown. */
		openssl_failed(ERR_OK);
		return ERR_OK;
	}
	return sm2_key_from_pkey(pkey, &c->sm2) == ERR_OK ? ERR_OK : ERR_CERT_UNREADABLE;
}

static enum err fill(struct cert *c)
{
	enum err e;

	if (der_signed(cert_der(c), &c->parts) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	c->subject = name_text(X509_get_subject_name(c->x));
	c->issuer = name_text(X509_get_issuer_name(c->x));
	c->common_name = common_name(X509_get_subject_name(c->x));
	c->serial_hex = serial_hex(X509_get0_serialNumber(c->x));
	if (c->subject == NULL || c->issuer == NULL || c->common_name == NULL || c->serial_hex == NULL)
		return openssl_failed(ERR_CERT_UNREADABLE);
	if (asn1_time_ms(X509_get0_notBefore(c->x), &c->not_before) != ERR_OK ||
	    asn1_time_ms(X509_get0_notAfter(c->x), &c->not_after) != ERR_OK)
		return ERR_CERT_UNREADABLE;
	fill_extensions(c);
	e = fill_key(c);
	return e == ERR_OK ? fill_fingerprint(c) : e;
}

/* ---- life ----------------------------------------------------------------------------------- */

enum err cert_parse(struct span der, struct cert **out)
{
	struct cert *c;
	const unsigned char *p;
	enum err e = ERR_CERT_UNREADABLE;

	if (der.len == 0 || der.len > CERT_MAX)
		return ERR_CERT_UNREADABLE;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ERR_NO_MEMORY;
	atomic_init(&c->refs, 1);
	c->der = malloc(der.len);
	if (c->der == NULL) {
		e = ERR_NO_MEMORY;
		goto out;
	}
	memcpy(c->der, der.ptr, der.len);
	c->der_len = der.len;
	p = c->der;
	c->x = d2i_X509(NULL, &p, (long)der.len);
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
	cert_free(c);
	return e;
}

struct cert *cert_ref(struct cert *c)
{
	if (c != NULL)
		atomic_fetch_add(&c->refs, 1);
	return c;
}

void cert_free(struct cert *c)
{
	if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	X509_free(c->x);
	EXTENDED_KEY_USAGE_free(c->eku);
	AUTHORITY_KEYID_free(c->akid);
	NAME_CONSTRAINTS_free(c->name_constraints);
	sm2_key_free(c->sm2);
	free(c->der);
	free(c->subject);
	free(c->issuer);
	free(c->common_name);
	free(c->serial_hex);
	free(c);
}

/* ---- bundles -------------------------------------------------------------------------------- */

struct bundle {
	struct arena *arena;
	struct cert **list;
	size_t n, cap;
};

static enum err bundle_add(struct bundle *b, struct span der)
{
	if (b->n == BUNDLE_MAX)
		return ERR_TOO_LARGE;
	if (b->n == b->cap) {
		size_t cap = b->cap != 0 ? b->cap * 2 : 4;
		struct cert **list = arena_array(b->arena, cap, sizeof(struct cert *));

		if (list == NULL)
			return ERR_BUDGET;
		if (b->n != 0)
			memcpy(list, b->list, b->n * sizeof(struct cert *));
		b->list = list;
		b->cap = cap;
	}
	return cert_parse(der, &b->list[b->n++]);
}

/* One PEM block. *end when there is none left. Blocks of other kinds are passed over. */
static enum err bundle_next(BIO *bio, struct bundle *b, bool *end)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	enum err e = ERR_OK;

	if (PEM_read_bio(bio, &name, &header, &data, &len) != 1) {
		*end = true;
		e = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? ERR_OK : ERR_CERT_UNREADABLE;
		return openssl_failed(e);
	}
	if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0) {
		size_t before = b->n;

		e = bundle_add(b, span_of(data, (size_t)len));
		if (e != ERR_OK)
			b->n = before;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(data, (size_t)len); /* it may have been a private key */
	return e;
}

static enum err read_pem(struct bundle *b, struct span pem)
{
	BIO *bio = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	bool end = false;
	enum err e = bio != NULL ? ERR_OK : openssl_failed(ERR_NO_MEMORY);

	while (e == ERR_OK && !end)
		e = bundle_next(bio, b, &end);
	BIO_free(bio);
	return e;
}

enum err cert_parse_bundle(struct arena *a, struct span in, struct cert ***out, size_t *n)
{
	struct bundle b = {.arena = a};
	enum err e;

	if (in.len != 0 && memmem(in.ptr, in.len, "-----BEGIN ", 11) != NULL) {
		e = read_pem(&b, in);
	} else {
		e = bundle_add(&b, in);
		if (e != ERR_OK)
			b.n = 0;
	}
	if (e == ERR_OK && b.n == 0)
		e = ERR_CERT_UNREADABLE;
	if (e != ERR_OK) {
		for (size_t i = 0; i < b.n; i++)
			cert_free(b.list[i]);
		return e;
	}
	*out = b.list;
	*n = b.n;
	return ERR_OK;
}

/* ---- reading -------------------------------------------------------------------------------- */

struct span cert_der(const struct cert *c)
{
	return span_of(c->der, c->der_len);
}

const char *cert_subject(const struct cert *c)
{
	return c->subject;
}

const char *cert_issuer(const struct cert *c)
{
	return c->issuer;
}

const char *cert_common_name(const struct cert *c)
{
	return c->common_name;
}

const char *cert_serial_hex(const struct cert *c)
{
	return c->serial_hex;
}

int64_t cert_not_before(const struct cert *c)
{
	return c->not_before;
}

int64_t cert_not_after(const struct cert *c)
{
	return c->not_after;
}

bool cert_is_ca(const struct cert *c)
{
	return c->is_ca;
}

bool cert_is_self_issued(const struct cert *c)
{
	return c->is_self_issued;
}

unsigned cert_key_usage(const struct cert *c)
{
	return c->key_usage;
}

/* The purpose as dotted text; "" when it does not fit, which is no purpose that anybody asks for. */
static const char *eku_text(const struct cert *c, int i, char text[EKU_TEXT])
{
	int n = OBJ_obj2txt(text, EKU_TEXT, sk_ASN1_OBJECT_value(c->eku, i), 1);

	if (n <= 0 || n >= EKU_TEXT)
		text[0] = '\0';
	return text;
}

bool cert_has_eku(const struct cert *c, const char *oid)
{
	char text[EKU_TEXT];

	for (int i = 0; c->eku != NULL && i < sk_ASN1_OBJECT_num(c->eku); i++)
		if (strcmp(eku_text(c, i, text), oid) == 0)
			return true;
	return false;
}

bool cert_eku_only_below(const struct cert *c, const char *arc)
{
	size_t len = strlen(arc);
	char text[EKU_TEXT];

	if (c->eku == NULL)
		return false;
	for (int i = 0; i < sk_ASN1_OBJECT_num(c->eku); i++)
		if (strncmp(eku_text(c, i, text), arc, len) != 0 || text[len] != '.')
			return false;
	return sk_ASN1_OBJECT_num(c->eku) > 0;
}

const struct sm2_key *cert_sm2_key(const struct cert *c)
{
	return c->sm2;
}

static bool same_serial(const X509 *x, struct span serial)
{
	unsigned char *der = NULL;
	int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &der);
	bool same = len > 0 && span_eq(span_of(der, (size_t)len), serial);

	OPENSSL_free(der);
	return same;
}

bool cert_is_named(const struct cert *c, struct span issuer, struct span serial)
{
	const unsigned char *p = issuer.ptr;
	X509_NAME *name;
	bool same;

	if (issuer.len == 0 || issuer.len > CERT_MAX || !same_serial(c->x, serial))
		return false;
	name = d2i_X509_NAME(NULL, &p, (long)issuer.len);
	same = name != NULL && X509_NAME_cmp(name, X509_get_issuer_name(c->x)) == 0;
	X509_NAME_free(name);
	openssl_failed(ERR_OK);
	return same;
}

bool cert_has_key_id(const struct cert *c, struct span key_id)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(c->x);

	return id != NULL && key_id.len != 0 &&
	       span_eq(span_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)), key_id);
}

void cert_key_fingerprint(const struct cert *c, uint8_t out[CERT_FINGERPRINT])
{
	memcpy(out, c->fingerprint, CERT_FINGERPRINT);
}
