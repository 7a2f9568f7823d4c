/* Certificates, CRLs and paths: the development PKI, and certificates made here with one thing wrong each. */
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

static int64_t day(int n)
{
	return (start + (int64_t)n * DAY) * 1000;
}

/* ---- making certificates and CRLs ----------------------------------------------------------- */

enum { ROOT, MIDDLE, LEAF, OTHER, P256, RSA2048, RSA1024, N_KEYS };
static EVP_PKEY *keys[N_KEYS];

static int make_keys(void **state)
{
	for (int i = ROOT; i <= OTHER; i++)
		keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	keys[P256] = EVP_EC_gen("P-256");
	keys[RSA2048] = EVP_RSA_gen(2048);
	keys[RSA1024] = EVP_RSA_gen(1024);
	return system("certs/make-pki.sh build/pki >/dev/null");
}

static int free_keys(void **state)
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

static void add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void add_raw(X509 *x, const ASN1_OBJECT *obj, int critical)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2);
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
}

static void add_oid(X509 *x, const char *oid)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);

	add_raw(x, obj, 1);
	ASN1_OBJECT_free(obj);
}

static X509_NAME *make_name(const char *cn)
{
	X509_NAME *name = X509_NAME_new();

	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"云州市", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	return name;
}

static EVP_MD_CTX *signing(int key, const char *id, const EVP_MD *md)
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

static X509 *make_x509(const struct spec *s)
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

static struct cert *make_cert(struct spec s)
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

static void add_idp(X509_CRL *x)
{
	ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

	idp->onlyuser = 0xff;
	assert_int_equal(X509_CRL_add1_ext_i2d(x, NID_issuing_distribution_point, idp, 1, 0), 1);
	ISSUING_DIST_POINT_free(idp);
}

static struct span crl_der(const struct crl_spec *s, unsigned char **der)
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

static struct crl *make_crl(struct crl_spec s)
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

/* Checks the leaf in a store of this root, intermediate and CRLs (issuer NULL: left out). */
static struct chain_result check_world(struct spec root, struct spec middle, struct spec leaf, struct crl_spec crl1,
                                       struct crl_spec crl2)
{
	struct cert *c[] = {make_cert(root), make_cert(middle), make_cert(leaf)};
	struct chain_result r = {0};
	struct cert_store *s = NULL;

	assert_int_equal(cert_store_new(&s), ERR_OK);
	assert_int_equal(cert_store_add_anchor(s, c[0]), ERR_OK);
	assert_int_equal(cert_store_add_intermediate(s, c[1]), ERR_OK);
	if (crl1.issuer != NULL)
		assert_int_equal(cert_store_add_crl(s, make_crl(crl1)), ERR_OK);
	if (crl2.issuer != NULL)
		assert_int_equal(cert_store_add_crl(s, make_crl(crl2)), ERR_OK);
	assert_int_equal(chain_check(s, c[2], NULL, 0, day(1), day(1), &r), ERR_OK);
	cert_store_free(s);
	for (size_t i = 0; i < 3; i++)
		cert_free(c[i]);
	return r;
}

static struct chain_result check_certs(struct spec root, struct spec middle, struct spec leaf)
{
	return check_world(root, middle, leaf, root_crl, middle_crl);
}

static struct chain_result check_crls(struct crl_spec crl1, struct crl_spec crl2)
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

static void good_path_passes(void **state)
{
	struct chain_result r = check_certs(root_spec, middle_spec, leaf_spec);

	EXPECT(r, CHAIN_OK, 0);
	assert_int_equal(r.revocation, REVOCATION_GOOD);
	assert_int_equal(r.length, 3);
	assert_int_equal(r.crl_this_update, day(-2));
	assert_int_equal(r.revoked_at, 0);
	assert_string_equal(r.subject, "CN=签章,O=云州市");
}

static void wrong_identity_fails(void **state)
{
	struct spec s;

	/* On the leaf, on the intermediate; the empty one is OpenSSL's own default. The root's own is not looked at. */
	s = leaf_spec, s.id = "";
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_BAD_SIGNATURE, 0);
	s = leaf_spec, s.id = "1234567812345679";
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_BAD_SIGNATURE, 0);
	s = middle_spec, s.id = "";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_BAD_SIGNATURE, 1);
	s = root_spec, s.id = "";
	EXPECT(check_certs(s, middle_spec, leaf_spec), CHAIN_OK, 0);
}

static void wrong_key_fails(void **state)
{
	struct spec s;

	s = leaf_spec, s.signer = OTHER;
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_BAD_SIGNATURE, 0);
	s = middle_spec, s.signer = OTHER;
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_BAD_SIGNATURE, 1);
	s = leaf_spec, s.signer = P256; /* another kind of key than the issuer's */
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_BAD_SIGNATURE, 0);
}

static void no_path_is_told(void **state)
{
	struct spec s;
	struct chain_result r;

	s = middle_spec, s.issuer = "别的根";
	r = check_certs(root_spec, s, leaf_spec);
	EXPECT(r, CHAIN_NO_PATH, 1);
	assert_int_equal(r.length, 0);
	assert_int_equal(r.revocation, REVOCATION_NO_EVIDENCE);
	assert_string_equal(r.subject, "CN=中级,O=云州市");
	s = leaf_spec, s.issuer = "无名";
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_NO_PATH, 0);
}

static void times_are_checked(void **state)
{
	struct spec s;
	struct chain_result r;

	s = leaf_spec, s.from = 2;
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_NOT_YET, 0);
	s = leaf_spec, s.to = -1;
	r = check_certs(root_spec, middle_spec, s);
	EXPECT(r, CHAIN_EXPIRED, 0);
	assert_int_equal(r.length, 3);
	s = middle_spec, s.to = -1;
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_EXPIRED, 1);
	s = root_spec, s.to = -1;
	EXPECT(check_certs(s, middle_spec, leaf_spec), CHAIN_EXPIRED, 2);
	/* The last second belongs to the validity. */
	s = leaf_spec, s.to = 1;
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_OK, 0);
	s = leaf_spec, s.from = 1;
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_OK, 0);
}

static void constraints_are_checked(void **state)
{
	struct spec s, l;

	s = middle_spec, s.is_ca = false; /* an end entity that issues */
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_CONSTRAINTS, 1);
	s = middle_spec, s.basic = "critical,CA:FALSE", s.usage = "keyCertSign";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_CONSTRAINTS, 1);
	s = middle_spec, s.usage = "critical,digitalSignature,cRLSign";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_CONSTRAINTS, 1);
	s = root_spec, s.basic = "critical,CA:TRUE,pathlen:0";
	EXPECT(check_certs(s, middle_spec, leaf_spec), CHAIN_CONSTRAINTS, 2);
	s = root_spec, s.basic = "critical,CA:TRUE,pathlen:1";
	EXPECT(check_certs(s, middle_spec, leaf_spec), CHAIN_OK, 0);
	s = middle_spec, s.basic = "critical,CA:TRUE,pathlen:0";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_OK, 0);
	s = leaf_spec, s.extra_oid = "1.2.156.10260.99.1";
	EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_CONSTRAINTS, 0);
	s = middle_spec, s.extra_oid = "1.2.156.10260.99.1";
	EXPECT(check_certs(root_spec, s, leaf_spec), CHAIN_CONSTRAINTS, 1);
	s = middle_spec, s.names = "critical,permitted;DNS:gov.example";
	l = leaf_spec, l.alt = "DNS:seal.gov.example";
	EXPECT(check_certs(root_spec, s, l), CHAIN_OK, 0);
	l = leaf_spec, l.alt = "DNS:shop.example";
	EXPECT(check_certs(root_spec, s, l), CHAIN_CONSTRAINTS, 1);
}

static void malformed_extensions_break_the_path(void **state)
{
	static const int nids[] = {
	    NID_subject_alt_name,         NID_key_usage,        NID_ext_key_usage, NID_basic_constraints,
	    NID_authority_key_identifier, NID_name_constraints,
	};

	for (size_t i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		struct spec l = leaf_spec, m = middle_spec;
		struct cert *c;

		l.usage = NULL, l.malformed = m.malformed = nids[i];
		EXPECT(check_certs(root_spec, middle_spec, l), CHAIN_CONSTRAINTS, 0);
		EXPECT(check_certs(root_spec, m, leaf_spec), CHAIN_CONSTRAINTS, 1);
		/* What cannot be read is not taken for absent, which would allow everything. */
		c = make_cert(l);
		assert_int_equal(cert_key_usage(c), 0);
		assert_false(cert_allows_eku(c, "1.3.6.1.5.5.7.3.8"));
		assert_false(cert_has_eku(c, "1.3.6.1.5.5.7.3.8"));
		cert_free(c);
	}
}

static void algorithms_are_checked(void **state)
{
	struct spec r = root_spec, m = middle_spec;
	struct crl_spec c = root_crl;

	/* RSA and ECDSA links stand beside SM2 ones. */
	r.key = r.signer = m.signer = c.signer = RSA2048;
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_OK, 0);
	assert_int_equal(check_world(r, m, leaf_spec, c, middle_crl).revocation, REVOCATION_GOOD);
	m.md = EVP_sha1();
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_ALGORITHM, 1);
	m.md = EVP_md5();
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_ALGORITHM, 1);
	m.md = NULL;
	r.key = r.signer = m.signer = c.signer = RSA1024;
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_ALGORITHM, 1);
	r.key = r.signer = m.signer = c.signer = P256;
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_OK, 0);
	assert_int_equal(check_world(r, m, leaf_spec, c, middle_crl).revocation, REVOCATION_GOOD);
	c.signer = ROOT;
	assert_int_equal(check_world(r, m, leaf_spec, c, middle_crl).revocation, REVOCATION_BAD_CRL);
	m.md = EVP_sha1();
	EXPECT(check_world(r, m, leaf_spec, c, middle_crl), CHAIN_ALGORITHM, 1);
}

/* ---- revocation ----------------------------------------------------------------------------- */

static void revocation_is_found(void **state)
{
	struct crl_spec c = middle_crl;
	struct chain_result r;

	c.revoked = 29, c.revoked_day = -1; /* 500, 29, 30 */
	r = check_crls(root_crl, c);
	assert_int_equal(r.revocation, REVOCATION_REVOKED);
	assert_int_equal(r.revoked_depth, 0);
	assert_int_equal(r.revoked_at, day(-1));
	c.from = -5, c.to = -3; /* nobody comes off a list that is out of date */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_REVOKED);
	c = root_crl, c.revoked = 20, c.revoked_day = -1;
	r = check_crls(c, middle_crl);
	assert_int_equal(r.revocation, REVOCATION_REVOKED);
	assert_int_equal(r.revoked_depth, 1);
	c = middle_crl, c.revoked = 100; /* others only */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_GOOD);
}

static void missing_and_stale_crls_are_told(void **state)
{
	static const struct crl_spec none = {0};
	struct crl_spec c;

	assert_int_equal(check_crls(none, none).revocation, REVOCATION_NO_EVIDENCE);
	assert_int_equal(check_crls(root_crl, none).revocation, REVOCATION_NO_EVIDENCE);
	assert_int_equal(check_crls(none, middle_crl).revocation, REVOCATION_NO_EVIDENCE);
	assert_int_equal(check_crls(none, none).crl_this_update, 0);
	c = middle_crl, c.to = -1;
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_STALE);
	c = middle_crl, c.from = 2;
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_STALE);
	c = root_crl, c.from = -9, c.to = -1;
	assert_int_equal(check_crls(c, middle_crl).revocation, REVOCATION_STALE);
	assert_int_equal(check_crls(c, middle_crl).crl_this_update, day(-9));
	c = middle_crl, c.to = 0; /* no nextUpdate */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_GOOD);
}

static void bad_crls_are_refused(void **state)
{
	struct crl_spec c;
	struct spec m = middle_spec;

	c = middle_crl, c.signer = OTHER;
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_BAD_CRL);
	c = middle_crl, c.id = "";
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_BAD_CRL);
	c = middle_crl, c.signer = OTHER, c.revoked = 29; /* a forged list revokes nobody */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_BAD_CRL);
	c = middle_crl, c.with_idp = true; /* a list of a part only */
	assert_int_equal(check_crls(root_crl, c).revocation, REVOCATION_BAD_CRL);
	m.usage = "critical,keyCertSign"; /* may not sign lists */
	assert_int_equal(check_world(root_spec, m, leaf_spec, root_crl, middle_crl).revocation, REVOCATION_BAD_CRL);
}

static void best_crl_counts(void **state)
{
	struct cert *c[] = {make_cert(root_spec), make_cert(middle_spec)};
	struct crl_spec stale = root_crl, forged = root_crl, revoked = root_crl;
	struct cert_store *s = NULL;
	struct chain_result r;

	stale.from = -20, stale.to = -10;
	forged.signer = OTHER;
	revoked.from = -20, revoked.to = -10, revoked.revoked = 20, revoked.revoked_day = -15;
	assert_int_equal(cert_store_new(&s), ERR_OK);
	assert_int_equal(cert_store_add_anchor(s, c[0]), ERR_OK);
	assert_int_equal(cert_store_add_crl(s, make_crl(forged)), ERR_OK);
	assert_int_equal(cert_store_add_crl(s, make_crl(stale)), ERR_OK);
	assert_int_equal(chain_check(s, c[1], NULL, 0, day(1), day(1), &r), ERR_OK);
	assert_int_equal(r.revocation, REVOCATION_STALE);
	assert_int_equal(cert_store_add_crl(s, make_crl(root_crl)), ERR_OK);
	assert_int_equal(chain_check(s, c[1], NULL, 0, day(1), day(1), &r), ERR_OK);
	assert_int_equal(r.revocation, REVOCATION_GOOD);
	assert_int_equal(r.crl_this_update, day(-1));
	assert_int_equal(cert_store_add_crl(s, make_crl(revoked)), ERR_OK);
	assert_int_equal(chain_check(s, c[1], NULL, 0, day(1), day(1), &r), ERR_OK);
	assert_int_equal(r.revocation, REVOCATION_REVOKED);
	assert_int_equal(r.revoked_at, day(-15));
	assert_int_equal(cert_store_crls(s), 4);
	cert_store_free(s);
	cert_free(c[0]);
	cert_free(c[1]);
}

/* A list found good under one key stays bad under another of the same name, asked before or after. */
static void crl_is_good_under_its_key_alone(void **state)
{
	struct spec other_middle = middle_spec, other_leaf = leaf_spec;
	struct cert *c[3], *leaf[2];
	struct cert_store *s = NULL;
	struct chain_result r;

	other_middle.key = other_leaf.signer = OTHER;
	c[0] = make_cert(root_spec), c[1] = make_cert(middle_spec), c[2] = make_cert(other_middle);
	leaf[0] = make_cert(leaf_spec), leaf[1] = make_cert(other_leaf);
	assert_int_equal(cert_store_new(&s), ERR_OK);
	assert_int_equal(cert_store_add_anchor(s, c[0]), ERR_OK);
	assert_int_equal(cert_store_add_intermediate(s, c[1]), ERR_OK);
	assert_int_equal(cert_store_add_intermediate(s, c[2]), ERR_OK);
	assert_int_equal(cert_store_add_crl(s, make_crl(root_crl)), ERR_OK);
	assert_int_equal(cert_store_add_crl(s, make_crl(middle_crl)), ERR_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(chain_check(s, leaf[(i + 1) % 2], NULL, 0, day(1), day(1), &r), ERR_OK);
		assert_int_equal(r.status, CHAIN_OK);
		assert_int_equal(r.revocation, i % 2 == 0 ? REVOCATION_BAD_CRL : REVOCATION_GOOD);
	}
	cert_store_free(s);
	for (size_t i = 0; i < 3; i++)
		cert_free(c[i]);
	cert_free(leaf[0]);
	cert_free(leaf[1]);
}

/* ---- paths ---------------------------------------------------------------------------------- */

static void another_path_is_tried(void **state)
{
	/* Two intermediates and two roots of the same names: only one combination holds. */
	struct spec old_root = root_spec, old_middle = middle_spec;
	struct cert *c[5], *extra[2];
	struct cert_store *s = NULL;
	struct chain_result r;

	old_root.key = old_root.signer = OTHER;
	old_middle.to = -1, old_middle.signer = OTHER;
	c[0] = make_cert(old_root), c[1] = make_cert(root_spec), c[2] = make_cert(old_middle);
	c[3] = make_cert(middle_spec), c[4] = make_cert(leaf_spec);
	assert_int_equal(cert_store_new(&s), ERR_OK);
	assert_int_equal(cert_store_add_anchor(s, c[0]), ERR_OK);
	assert_int_equal(cert_store_add_anchor(s, c[1]), ERR_OK);
	assert_int_equal(cert_store_anchors(s), 2);
	assert_int_equal(chain_check(s, c[4], NULL, 0, day(1), day(1), &r), ERR_OK);
	EXPECT(r, CHAIN_NO_PATH, 0);
	extra[0] = c[2], extra[1] = c[3];
	assert_int_equal(chain_check(s, c[4], extra, 1, day(1), day(1), &r), ERR_OK);
	EXPECT(r, CHAIN_EXPIRED, 1);
	assert_int_equal(chain_check(s, c[4], extra, 2, day(1), day(1), &r), ERR_OK);
	EXPECT(r, CHAIN_OK, 0);
	/* What came with the message helps to build; it is never trusted. */
	extra[0] = c[3];
	cert_store_free(s);
	assert_int_equal(cert_store_new(&s), ERR_OK);
	extra[1] = c[1];
	assert_int_equal(chain_check(s, c[4], extra, 2, day(1), day(1), &r), ERR_OK);
	assert_int_equal(r.status, CHAIN_NO_PATH);
	/* A leaf that is itself an anchor. */
	assert_int_equal(cert_store_add_anchor(s, c[4]), ERR_OK);
	assert_int_equal(chain_check(s, c[4], NULL, 0, day(1), day(1), &r), ERR_OK);
	EXPECT(r, CHAIN_OK, 0);
	assert_int_equal(r.length, 1);
	cert_store_free(s);
	for (size_t i = 0; i < 5; i++)
		cert_free(c[i]);
}

static void long_and_circular_paths_end(void **state)
{
	struct spec s = {.key = MIDDLE, .signer = MIDDLE, .is_ca = true};
	char names[12][16];
	struct cert *c[12], *loop[40];
	struct cert_store *store = NULL;
	struct chain_result r;

	for (int i = 0; i < 12; i++)
		snprintf(names[i], sizeof(names[i]), "CA %d", i);
	for (int i = 0; i < 12; i++) {
		s.subject = names[i], s.issuer = names[i > 0 ? i - 1 : 0];
		c[i] = make_cert(s);
	}
	assert_int_equal(cert_store_new(&store), ERR_OK);
	assert_int_equal(cert_store_add_anchor(store, c[0]), ERR_OK);
	assert_int_equal(chain_check(store, c[7], c, 12, day(1), day(1), &r), ERR_OK);
	EXPECT(r, CHAIN_OK, 0);
	assert_int_equal(r.length, 8);
	assert_int_equal(chain_check(store, c[8], c, 12, day(1), day(1), &r), ERR_OK);
	assert_int_equal(r.status, CHAIN_NO_PATH);
	/* Forty certificates that all issue one another: the search is cut short. */
	for (int i = 0; i < 40; i++) {
		s.subject = s.issuer = "环", s.serial = i + 1;
		loop[i] = make_cert(s);
	}
	assert_int_equal(chain_check(store, loop[0], loop, 40, day(1), day(1), &r), ERR_OK);
	assert_int_equal(r.status, CHAIN_NO_PATH);
	cert_store_free(store);
	for (size_t i = 0; i < 12; i++)
		cert_free(c[i]);
	for (size_t i = 0; i < 40; i++)
		cert_free(loop[i]);
}

static void long_subject_is_cut_at_a_character(void **state)
{
	/* 64 characters is the most that a common name may have, so several organisational units are needed. */
	struct spec s = leaf_spec;
	X509 *x;
	X509_NAME *name = make_name("章");
	EVP_MD_CTX *ctx = signing(MIDDLE, NULL, NULL);
	unsigned char *der = NULL;
	struct cert_store *store = NULL;
	struct cert *c = NULL;
	struct chain_result r;
	int len;

	for (int i = 0; i < 12; i++)
		X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"处室处室处室处室处室", -1, -1, 0);
	x = make_x509(&s);
	X509_set_subject_name(x, name);
	assert_true(X509_sign_ctx(x, ctx) > 0);
	len = i2d_X509(x, &der);
	assert_int_equal(cert_parse(span_of(der, (size_t)len), &c), ERR_OK);
	assert_true(strlen(cert_subject(c)) > 300);
	assert_int_equal(cert_store_new(&store), ERR_OK);
	assert_int_equal(chain_check(store, c, NULL, 0, day(1), day(1), &r), ERR_OK);
	assert_true(strlen(r.subject) >= sizeof(r.subject) - 4 && strlen(r.subject) < sizeof(r.subject));
	assert_memory_equal(r.subject, cert_subject(c), strlen(r.subject));
	assert_int_not_equal((unsigned char)cert_subject(c)[strlen(r.subject)] & 0xc0, 0x80);
	cert_store_free(store);
	cert_free(c);
	OPENSSL_free(der);
	X509_NAME_free(name);
	EVP_MD_CTX_free(ctx);
	X509_free(x);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void fields_are_read(void **state)
{
	struct spec s = leaf_spec;
	struct cert *c, *root = make_cert(root_spec), *other;
	uint8_t a[CERT_FINGERPRINT], b[CERT_FINGERPRINT];

	s.serial = 0x1234;
	s.usage = "digitalSignature,nonRepudiation,decipherOnly,keyAgreement";
	c = make_cert(s);
	assert_string_equal(cert_subject(c), "CN=签章,O=云州市");
	assert_string_equal(cert_issuer(c), "CN=中级,O=云州市");
	assert_string_equal(cert_common_name(c), "签章");
	assert_string_equal(cert_serial_hex(c), "1234");
	assert_int_equal(cert_not_before(c), day(-10));
	assert_int_equal(cert_not_after(c), day(100));
	assert_false(cert_is_ca(c));
	assert_false(cert_is_self_issued(c));
	assert_int_equal(cert_key_usage(c), 1 | 2 | 16 | 256);
	assert_true(cert_allows_eku(c, "1.3.6.1.5.5.7.3.8"));
	assert_false(cert_has_eku(c, "1.3.6.1.5.5.7.3.8"));
	assert_false(cert_eku_only_below(c, "1.3"));
	assert_non_null(cert_sm2_key(c));
	assert_true(cert_is_ca(root));
	assert_true(cert_is_self_issued(root));
	assert_int_equal(cert_key_usage(root), 32 | 64);
	cert_key_fingerprint(c, a);
	cert_key_fingerprint(root, b);
	assert_memory_not_equal(a, b, CERT_FINGERPRINT);
	s.subject = "换证", s.serial = 7, s.usage = NULL;
	other = make_cert(s); /* a renewed certificate names the same key */
	cert_key_fingerprint(other, b);
	assert_memory_equal(a, b, CERT_FINGERPRINT);
	assert_int_equal(cert_key_usage(other), 0xffff);
	cert_free(other);
	s.key = P256;
	other = make_cert(s);
	assert_null(cert_sm2_key(other));
	assert_ptr_equal(cert_ref(other), other);
	cert_free(other);
	assert_string_equal(cert_common_name(other), "换证");
	cert_free(other);
	cert_free(c);
	cert_free(root);
	cert_free(NULL);
}

static void purposes_are_read(void **state)
{
	static const struct {
		const char *eku;
		bool receipt, only_statements;
	} table[] = {
	    {NULL, false, false},
	    {PURPOSE_RECEIPT, true, true},
	    {"critical," PURPOSE_RECEIPT, true, true},
	    {PURPOSE_VERDICT, false, true},
	    {PURPOSE_VERDICT "," PURPOSE_RECEIPT, true, true},
	    {"emailProtection," PURPOSE_RECEIPT, true, false},
	    {PURPOSE_RECEIPT ",emailProtection", true, false},
	    {"emailProtection", false, false},
	    {"anyExtendedKeyUsage", false, false},
	    {PURPOSE_RECEIPT "0", false, true},  /* another number below the arc */
	    {PURPOSE_RECEIPT ".1", false, true}, /* deeper */
	    {STATEMENT_ARC, false, false},       /* the arc is no purpose */
	    {STATEMENT_ARC "0.1", false, false}, /* another arc that begins alike */
	    {STATEMENT_ARC ".11111111111111111111111111111111111111111111111111111111111111111111111111111111111111", false,
	     false}, /* too long to be asked for */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct spec s = leaf_spec;
		struct cert *c;

		s.eku = table[i].eku;
		EXPECT(check_certs(root_spec, middle_spec, s), CHAIN_OK, 0);
		c = make_cert(s);
		if (cert_has_eku(c, PURPOSE_RECEIPT) != table[i].receipt ||
		    cert_eku_only_below(c, STATEMENT_ARC) != table[i].only_statements)
			fail_msg("%s", s.eku != NULL ? s.eku : "none");
		assert_int_equal(cert_allows_eku(c, PURPOSE_RECEIPT), s.eku == NULL || table[i].receipt);
		cert_free(c);
	}
}

static void broken_certificates_are_refused(void **state)
{
	struct cert *good = make_cert(leaf_spec), *c = NULL;
	struct arena *a = arena_new(1 << 20);
	struct span der = cert_der(good), copy;
	struct crl_spec cs = middle_crl;
	unsigned char *crl_bytes;
	struct span crl = crl_der(&cs, &crl_bytes);
	struct crl *l = NULL;
	uint8_t *p = arena_alloc(a, CERT_MAX + 1);

	for (size_t n = 0; n < der.len; n++)
		assert_int_equal(cert_parse(span_sub(der, 0, n), &c), ERR_CERT_UNREADABLE);
	memcpy(p, der.ptr, der.len);
	assert_int_equal(cert_parse(span_of(p, der.len + 1), &c), ERR_CERT_UNREADABLE);
	assert_int_equal(cert_parse(span_of(p, CERT_MAX + 1), &c), ERR_CERT_UNREADABLE);
	assert_null(c);
	/* No single wrong byte may do more than be refused or be seen by the signature. */
	for (size_t i = 0; i < der.len; i++) {
		copy = arena_dup(a, der);
		((uint8_t *)(uintptr_t)copy.ptr)[i] ^= 0x20;
		if (cert_parse(copy, &c) == ERR_OK)
			cert_free(c);
	}
	for (size_t n = 0; n < crl.len; n++)
		assert_int_equal(crl_parse(span_sub(crl, 0, n), &l), ERR_CERT_UNREADABLE);
	memcpy(p, crl.ptr, crl.len);
	assert_int_equal(crl_parse(span_of(p, crl.len + 1), &l), ERR_CERT_UNREADABLE);
	assert_int_equal(crl_parse_pem_or_der(BYTES("-----BEGIN X509 CRL-----\n"), &l), ERR_CERT_UNREADABLE);
	assert_int_equal(crl_parse_pem_or_der(der, &l), ERR_CERT_UNREADABLE);
	assert_int_equal(crl_parse_pem_or_der(crl, &l), ERR_OK);
	assert_string_equal(crl_issuer(l), "CN=中级,O=云州市");
	assert_int_equal(crl_this_update(l), day(-2));
	assert_int_equal(crl_next_update(l), day(30));
	crl_free(l);
	crl_free(NULL);
	OPENSSL_free(crl_bytes);
	arena_free(a);
	cert_free(good);
}

static void flipped_bytes_break_the_path(void **state)
{
	struct cert *root = make_cert(root_spec), *leaf, *c = NULL;
	struct spec s = leaf_spec;
	struct cert_store *store = NULL;
	struct chain_result r;
	struct arena *a = arena_new(1 << 20);
	struct span der;

	s.issuer = "根", s.signer = ROOT;
	leaf = make_cert(s);
	der = cert_der(leaf);
	assert_int_equal(cert_store_new(&store), ERR_OK);
	assert_int_equal(cert_store_add_anchor(store, root), ERR_OK);
	assert_int_equal(chain_check(store, leaf, NULL, 0, day(1), day(1), &r), ERR_OK);
	assert_int_equal(r.status, CHAIN_OK);
	for (size_t i = 0; i < der.len; i++) {
		struct span copy = arena_dup(a, der);

		((uint8_t *)(uintptr_t)copy.ptr)[i] ^= 0x01;
		if (cert_parse(copy, &c) != ERR_OK)
			continue;
		assert_int_equal(chain_check(store, c, NULL, 0, day(1), day(1), &r), ERR_OK);
		if (r.status == CHAIN_OK)
			fail_msg("byte %zu may be changed", i);
		cert_free(c);
	}
	arena_free(a);
	cert_store_free(store);
	cert_free(leaf);
	cert_free(root);
}

static void hostile_names_are_refused(void **state)
{
	static const char *const bad[] = {"章\xe2\x80\xae签", "章\xe2\x81\xa6", "章\xc2\x85"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct spec s = leaf_spec;
		unsigned char *der = NULL;
		struct cert *c = NULL;
		X509 *x;
		int len;

		s.subject = bad[i];
		x = make_x509(&s);
		len = i2d_X509(x, &der);
		assert_int_equal(cert_parse(span_of(der, (size_t)len), &c), ERR_CERT_UNREADABLE);
		OPENSSL_free(der);
		X509_free(x);
	}
}

/* ---- the development PKI -------------------------------------------------------------------- */

static struct span read_pki(struct arena *a, const char *name)
{
	struct span s = {0};
	struct err_note note = {0};

	if (file_read(a, arena_printf(a, PKI "%s", name), 1 << 20, &s, &note) != ERR_OK)
		fail_msg("%s", note.help);
	return s;
}

static struct cert *read_cert(struct arena *a, const char *name)
{
	struct cert **list = NULL;
	size_t n = 0;

	assert_int_equal(cert_parse_bundle(a, read_pki(a, name), &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	return list[0];
}

static struct cert_store *open_trust(struct arena *a)
{
	struct cert *root = read_cert(a, "trust/root.crt");
	struct cert_store *s = NULL;
	struct crl *crl = NULL;

	assert_int_equal(crl_parse_pem_or_der(read_pki(a, "trust/root.crl"), &crl), ERR_OK);
	assert_int_equal(cert_store_new(&s), ERR_OK);
	assert_int_equal(cert_store_add_anchor(s, root), ERR_OK);
	assert_int_equal(cert_store_add_crl(s, crl), ERR_OK);
	cert_free(root);
	return s;
}

static void development_pki_holds(void **state)
{
	static const struct {
		const char *name, *purpose;
	} good[] = {
	    {"maker", NULL},
	    {"samr", NULL},
	    {"mnr", NULL},
	    {"hrss", NULL},
	    {"receipt", PURPOSE_RECEIPT},
	    {"verdict", PURPOSE_VERDICT},
	    {"checkpoint", PURPOSE_CHECKPOINT},
	};
	struct clock wall = clock_system();
	int64_t now = clock_now(&wall);
	struct arena *a = arena_new(1 << 20);
	struct cert_store *s = open_trust(a);
	struct chain_result r;
	struct cert *c;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		c = read_cert(a, arena_printf(a, "sm2/%s.crt", good[i].name));
		assert_int_equal(chain_check(s, c, NULL, 0, now, now, &r), ERR_OK);
		EXPECT(r, CHAIN_OK, 0);
		assert_int_equal(r.revocation, REVOCATION_GOOD);
		assert_int_equal(cert_key_usage(c), 1 | 2);
		assert_int_equal(cert_eku_only_below(c, STATEMENT_ARC), good[i].purpose != NULL);
		assert_true(good[i].purpose == NULL || cert_has_eku(c, good[i].purpose));
		cert_free(c);
	}
	c = read_cert(a, "sm2/revoked.crt");
	assert_int_equal(chain_check(s, c, NULL, 0, now, now, &r), ERR_OK);
	EXPECT(r, CHAIN_OK, 0);
	assert_int_equal(r.revocation, REVOCATION_REVOKED);
	assert_true(r.revoked_at > 0 && r.revoked_at <= now);
	cert_free(c);
	c = read_cert(a, "sm2/expired.crt");
	assert_int_equal(chain_check(s, c, NULL, 0, now, now, &r), ERR_OK);
	EXPECT(r, CHAIN_EXPIRED, 0);
	assert_int_equal(chain_check(s, c, NULL, 0, 1593561600000, now, &r), ERR_OK); /* 2020-07-01 */
	EXPECT(r, CHAIN_OK, 0);
	cert_free(c);
	c = read_cert(a, "sm2/samr.crt");
	assert_int_equal(chain_check(s, c, NULL, 0, now, now + (int64_t)800 * DAY * 1000, &r), ERR_OK);
	assert_int_equal(r.revocation, REVOCATION_STALE);
	cert_free(c);
	c = read_cert(a, "tls/window.crt");
	assert_true(cert_allows_eku(c, "1.3.6.1.5.5.7.3.2"));
	assert_false(cert_allows_eku(c, "1.3.6.1.5.5.7.3.1"));
	assert_false(cert_allows_eku(c, "1.3.6.1.5.5.7.3"));
	assert_int_equal(chain_check(s, c, NULL, 0, now, now, &r), ERR_OK);
	assert_int_equal(r.status, CHAIN_NO_PATH);
	cert_free(c);
	cert_store_free(s);
	arena_free(a);
}

static void keys_fit_their_certificates(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct span pass = read_pki(a, "passphrase");
	struct cert *c = read_cert(a, "sm2/samr.crt");
	struct signer *s = NULL;
	struct err_note note;
	uint8_t sig[SM2_SIG_MAX];
	size_t len;

	pass.len = strcspn((const char *)pass.ptr, "\n");
	assert_int_equal(signer_open_file(PKI "sm2/samr.key", pass, &s, &note), ERR_OK);
	assert_true(span_eq(signer_point(s), sm2_key_point(cert_sm2_key(c))));
	assert_int_equal(signer_sign(s, BYTES("m"), sig, &len), ERR_OK);
	assert_int_equal(sm2_verify(cert_sm2_key(c), sm2_default_id(), BYTES("m"), span_of(sig, len)), ERR_OK);
	signer_free(s);
	s = NULL;
	assert_int_equal(signer_open_file(PKI "tls/window.key", BYTES(""), &s, &note), ERR_KEY_UNREADABLE);
	assert_null(s);
	cert_free(c);
	arena_free(a);
}

static void bundles_are_read(void **state)
{
	struct arena *a = arena_new(1 << 20), *tiny = arena_new(8);
	struct span one = read_pki(a, "sm2/samr.crt"), key = read_pki(a, "sm2/samr.key"), der;
	struct span two = read_pki(a, "sm2/mnr.crt");
	struct cert **list = NULL, **none = NULL;
	size_t n = 0;
	char *text = arena_printf(a, "comment\n%.*s%.*s\n%.*s", (int)one.len, (const char *)one.ptr, (int)key.len,
	                          (const char *)key.ptr, (int)two.len, (const char *)two.ptr);

	assert_int_equal(cert_parse_bundle(a, span_str(text), &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(cert_common_name(list[1]), "云州市自然资源和规划局 电子签章");
	der = arena_dup(a, cert_der(list[0]));
	cert_free(list[0]);
	cert_free(list[1]);
	assert_int_equal(cert_parse_bundle(a, der, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	cert_free(list[0]);
	n = 77;
	assert_int_equal(cert_parse_bundle(a, span_of(NULL, 0), &none, &n), ERR_CERT_UNREADABLE);
	assert_int_equal(cert_parse_bundle(a, key, &none, &n), ERR_CERT_UNREADABLE);
	assert_int_equal(cert_parse_bundle(a, span_sub(one, 0, one.len - 40), &none, &n), ERR_CERT_UNREADABLE);
	text = arena_printf(a, "%.*s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", (int)one.len,
	                    (const char *)one.ptr);
	assert_int_equal(cert_parse_bundle(a, span_str(text), &none, &n), ERR_CERT_UNREADABLE);
	assert_int_equal(cert_parse_bundle(tiny, one, &none, &n), ERR_BUDGET);
	assert_null(none);
	assert_int_equal(n, 77);
	arena_free(a);
	arena_free(tiny);
}

struct shared {
	struct cert_store *store;
	struct cert *leaf;
	int64_t now;
};

static void *check_many(void *arg)
{
	struct shared *s = arg;
	intptr_t bad = 0;

	for (int i = 0; i < 50; i++) {
		struct chain_result r;
		struct cert *c = cert_ref(s->leaf);

		bad |= chain_check(s->store, c, NULL, 0, s->now, s->now, &r) != ERR_OK || r.status != CHAIN_OK ||
		       r.revocation != REVOCATION_GOOD;
		cert_free(c);
	}
	return (void *)bad;
}

static void store_is_shared_by_threads(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct clock wall = clock_system();
	struct shared s = {.store = open_trust(a), .leaf = read_cert(a, "sm2/samr.crt"), .now = clock_now(&wall)};
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, check_many, &s), 0);
	for (size_t i = 0; i < 4; i++) {
		void *bad = NULL;

		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
	cert_free(s.leaf);
	cert_store_free(s.store);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_path_passes),
	    cmocka_unit_test(wrong_identity_fails),
	    cmocka_unit_test(wrong_key_fails),
	    cmocka_unit_test(no_path_is_told),
	    cmocka_unit_test(times_are_checked),
	    cmocka_unit_test(constraints_are_checked),
	    cmocka_unit_test(malformed_extensions_break_the_path),
	    cmocka_unit_test(algorithms_are_checked),
	    cmocka_unit_test(revocation_is_found),
	    cmocka_unit_test(missing_and_stale_crls_are_told),
	    cmocka_unit_test(bad_crls_are_refused),
	    cmocka_unit_test(best_crl_counts),
	    cmocka_unit_test(crl_is_good_under_its_key_alone),
	    cmocka_unit_test(another_path_is_tried),
	    cmocka_unit_test(long_and_circular_paths_end),
	    cmocka_unit_test(long_subject_is_cut_at_a_character),
	    cmocka_unit_test(fields_are_read),
	    cmocka_unit_test(purposes_are_read),
	    cmocka_unit_test(broken_certificates_are_refused),
	    cmocka_unit_test(flipped_bytes_break_the_path),
	    cmocka_unit_test(hostile_names_are_refused),
	    cmocka_unit_test(development_pki_holds),
	    cmocka_unit_test(keys_fit_their_certificates),
	    cmocka_unit_test(bundles_are_read),
	    cmocka_unit_test(store_is_shared_by_threads),
	};

	return cmocka_run_group_tests_name("cert", tests, make_keys, free_keys);
}
