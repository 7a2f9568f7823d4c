/* Certificates and CRLs made for a test, and a small world of them. */
#ifndef YZ_TESTS_UNIT_CERT_HELP_H
#define YZ_TESTS_UNIT_CERT_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/cert.h"
#include "crypto/signer.h"
#include "form/statement.h"

#define BYTES(s) span_of(s, sizeof(s) - 1)
#define PKI      "build/pki/"

enum { DAY = 86400 };

static const int64_t start = 1767225600; /* 2026-01-01, in seconds: day 0 of what is made here */

static inline int64_t day(int n)
{
	return (start + (int64_t)n * DAY) * 1000;
}

/* ---- making certificates and CRLs ----------------------------------------------------------- */

enum { ROOT, MIDDLE, LEAF, OTHER, P256, RSA2048, RSA1024, N_KEYS };
static EVP_PKEY *keys[N_KEYS];

static inline int make_keys(void **state)
{
	for (int i = ROOT; i <= OTHER; i++)
		keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	keys[P256] = EVP_EC_gen("P-256");
	keys[RSA2048] = EVP_RSA_gen(2048);
	keys[RSA1024] = EVP_RSA_gen(1024);
	return system("certs/make-pki.sh build/pki >/dev/null");
}

static inline int free_keys(void **state)
{
	for (int i = 0; i < N_KEYS; i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}

/* What to make; zero means the usual: days -10 to 100, serial 1, SM3 with the default identity. */
struct spec {
	const char *subject, *issuer;
	int key, signer;
	int from, to, serial;
	bool is_ca;
	int malformed; /* an extension of this kind that is not what it must be */
	const char *basic, *usage, *names, *id, *extra_oid, *alt, *eku;
	const EVP_MD *md;
};

static inline void add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static inline void add_raw(X509 *x, const ASN1_OBJECT *obj, int critical)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2);
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
}

static inline void add_oid(X509 *x, const char *oid)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);

	add_raw(x, obj, 1);
	ASN1_OBJECT_free(obj);
}

static inline X509_NAME *make_name(const char *cn)
{
	X509_NAME *name = X509_NAME_new();

	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"云州市", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	return name;
}

static inline EVP_MD_CTX *signing(int key, const char *id, const EVP_MD *md)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool is_sm2 = EVP_PKEY_is_a(keys[key], "SM2") == 1;

	md = md != NULL ? md : is_sm2 ? EVP_sm3() : EVP_sha256();
	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, keys[key]), 1);
	id = id != NULL ? id : "1234567812345678";
	if (is_sm2)
		assert_int_equal(EVP_PKEY_CTX_set1_id(pctx, id, (int)strlen(id)), 1);
	return ctx;
}

static inline X509 *make_x509(const struct spec *s)
{
	X509 *x = X509_new();
	X509_NAME *subject = make_name(s->subject), *issuer = make_name(s->issuer);
	EVP_MD_CTX *ctx = signing(s->signer, s->id, s->md);

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial != 0 ? s->serial : 1);
	X509_set_subject_name(x, subject);
	X509_set_issuer_name(x, issuer);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(start + (s->from != 0 ? s->from : -10) * DAY));
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(start + (s->to != 0 ? s->to : 100) * DAY));
	X509_set_pubkey(x, keys[s->key]);
	if (s->is_ca || s->basic != NULL)
		add_ext(x, x, NID_basic_constraints, s->basic != NULL ? s->basic : "critical,CA:TRUE");
	if (s->usage != NULL)
		add_ext(x, x, NID_key_usage, s->usage);
	else if (s->is_ca)
		add_ext(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (s->names != NULL)
		add_ext(x, x, NID_name_constraints, s->names);
	if (s->alt != NULL)
		add_ext(x, x, NID_subject_alt_name, s->alt);
	if (s->eku != NULL)
		add_ext(x, x, NID_ext_key_usage, s->eku);
	if (s->extra_oid != NULL)
		add_oid(x, s->extra_oid);
	if (s->malformed != 0)
		add_raw(x, OBJ_nid2obj(s->malformed), 0);
	assert_true(X509_sign_ctx(x, ctx) > 0);
	EVP_MD_CTX_free(ctx);
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
	return x;
}

static inline struct cert *make_cert(struct spec s)
{
	X509 *x = make_x509(&s);
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	struct cert *c = NULL;

	assert_int_equal(cert_parse(span_of(der, (size_t)len), &c), ERR_OK);
	OPENSSL_free(der);
	X509_free(x);
	return c;
}

struct crl_spec {
	const char *issuer;
	int signer, from, to; /* days; to 0: nextUpdate absent */
	int revoked, revoked_day;
	const char *id;
	bool with_idp;
};

static inline void add_idp(X509_CRL *x)
{
	ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

	idp->onlyuser = 0xff;
	assert_int_equal(X509_CRL_add1_ext_i2d(x, NID_issuing_distribution_point, idp, 1, 0), 1);
	ISSUING_DIST_POINT_free(idp);
}

static inline struct span crl_der(const struct crl_spec *s, unsigned char **der)
{
	X509_CRL *x = X509_CRL_new();
	X509_NAME *issuer = make_name(s->issuer);
	EVP_MD_CTX *ctx = signing(s->signer, s->id, NULL);
	ASN1_TIME *t = ASN1_TIME_new();
	int len;

	X509_CRL_set_version(x, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(x, issuer);
	X509_CRL_set1_lastUpdate(x, ASN1_TIME_set(t, (time_t)(start + s->from * DAY)));
	if (s->to != 0)
		X509_CRL_set1_nextUpdate(x, ASN1_TIME_set(t, (time_t)(start + s->to * DAY)));
	for (int serial = s->revoked; serial != 0 && serial < s->revoked + 3; serial++) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *n = ASN1_INTEGER_new();

		/* Not in order, as lists often are. */
		ASN1_INTEGER_set(n, serial == s->revoked ? 500 : serial - 1);
		X509_REVOKED_set_serialNumber(r, n);
		X509_REVOKED_set_revocationDate(r, ASN1_TIME_set(t, (time_t)(start + s->revoked_day * DAY)));
		assert_int_equal(X509_CRL_add0_revoked(x, r), 1);
		ASN1_INTEGER_free(n);
	}
	if (s->with_idp)
		add_idp(x);
	assert_true(X509_CRL_sign_ctx(x, ctx) > 0);
	*der = NULL;
	len = i2d_X509_CRL(x, der);
	assert_true(len > 0);
	ASN1_TIME_free(t);
	EVP_MD_CTX_free(ctx);
	X509_NAME_free(issuer);
	X509_CRL_free(x);
	return span_of(*der, (size_t)len);
}

static inline struct crl *make_crl(struct crl_spec s)
{
	unsigned char *der;
	struct span bytes = crl_der(&s, &der);
	struct crl *c = NULL;

	assert_int_equal(crl_parse(bytes, &c), ERR_OK);
	OPENSSL_free(der);
	return c;
}

/* ---- a small world: root, intermediate, leaf ------------------------------------------------ */

static const struct spec root_spec = {.subject = "根", .issuer = "根", .key = ROOT, .signer = ROOT, .is_ca = true};
static const struct spec middle_spec = {
    .subject = "中级", .issuer = "根", .key = MIDDLE, .signer = ROOT, .serial = 20, .is_ca = true};
static const struct spec leaf_spec = {
    .subject = "签章", .issuer = "中级", .key = LEAF, .signer = MIDDLE, .serial = 30, .usage = "digitalSignature"};
static const struct crl_spec root_crl = {.issuer = "根", .signer = ROOT, .from = -1, .to = 30};
static const struct crl_spec middle_crl = {.issuer = "中级", .signer = MIDDLE, .from = -2, .to = 30};

/* A store that trusts this root; none when NULL. */
static inline struct cert_store *trusting(struct cert *root)
{
	struct cert_store *s = NULL;

	assert_int_equal(cert_store_new(&s), ERR_OK);
	if (root != NULL)
		assert_int_equal(cert_store_add_anchor(s, root), ERR_OK);
	return s;
}

static inline void add_crl(struct cert_store *s, struct crl_spec crl)
{
	assert_int_equal(cert_store_add_crl(s, make_crl(crl)), ERR_OK);
}

/* What is found of a certificate that came with n others, a day from now. */
static inline struct chain_result check(struct cert_store *s, struct cert *leaf, struct cert *const *others, size_t n)
{
	struct chain_result r;

	assert_int_equal(chain_check(s, leaf, others, n, day(1), day(1), &r), ERR_OK);
	return r;
}

static inline void free_certs(struct cert **c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cert_free(c[i]);
}

/* Checks the leaf in a store of this root, intermediate and CRLs (issuer NULL: left out). */
static inline struct chain_result check_world(struct spec root, struct spec middle, struct spec leaf,
                                              struct crl_spec crl1, struct crl_spec crl2)
{
	struct cert *c[] = {make_cert(root), make_cert(middle), make_cert(leaf)};
	struct cert_store *s = trusting(c[0]);
	struct chain_result r;

	assert_int_equal(cert_store_add_intermediate(s, c[1]), ERR_OK);
	if (crl1.issuer != NULL)
		add_crl(s, crl1);
	if (crl2.issuer != NULL)
		add_crl(s, crl2);
	r = check(s, c[2], NULL, 0);
	cert_store_free(s);
	free_certs(c, 3);
	return r;
}

static inline struct chain_result check_certs(struct spec root, struct spec middle, struct spec leaf)
{
	return check_world(root, middle, leaf, root_crl, middle_crl);
}

static inline struct chain_result check_crls(struct crl_spec crl1, struct crl_spec crl2)
{
	struct chain_result r = check_world(root_spec, middle_spec, leaf_spec, crl1, crl2);

	assert_int_equal(r.status, CHAIN_OK);
	return r;
}

#define EXPECT(r, want_status, want_depth)                                                                             \
	do {                                                                                                               \
		struct chain_result got = (r);                                                                                 \
		assert_int_equal(got.status, want_status);                                                                     \
		assert_int_equal(got.depth, want_depth);                                                                       \
	} while (0)

#endif
