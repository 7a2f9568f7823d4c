/* The corpus' own PKI. Keys are new with every run; names and dates are always the same. Nothing of it is secret and no
 * key is kept. */
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tests/corpus/corpus.h"

static const char usual_id[] = "1234567812345678";

static void ok(int good, const char *what)
{
	if (good <= 0)
		give_up(what);
}

static EVP_PKEY *new_key(enum key_form form)
{
	EVP_PKEY *key = form == KEY_FORM_ED25519    ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
	                : form == KEY_FORM_SM2      ? EVP_PKEY_Q_keygen(NULL, NULL, "SM2")
	                : form == KEY_FORM_P256     ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
	                : form == KEY_FORM_RSA_1024 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024)
	                                            : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);

	ok(key != NULL, "key");
	return key;
}

/* ---- signing --------------------------------------------------------------------------------------------------- */

static EVP_MD_CTX *begin_sign(EVP_PKEY *key, const EVP_MD *md, const char *id)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool sm2 = EVP_PKEY_is_a(key, "SM2");

	ok(ctx != NULL, "context");
	if (md == NULL && !EVP_PKEY_is_a(key, "ED25519"))
		md = sm2 ? EVP_sm3() : EVP_sha256();
	ok(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), "sign");
	if (id == NULL)
		id = usual_id;
	if (sm2 && *id != '\0')
		ok(EVP_PKEY_CTX_set1_id(pctx, id, (int)strlen(id)), "SM2 identity");
	return ctx;
}

static struct span sign_with(EVP_PKEY *key, const EVP_MD *md, const char *id, struct span msg)
{
	uint8_t value[1024];
	size_t n = sizeof(value);
	EVP_MD_CTX *ctx = begin_sign(key, md, id);

	ok(EVP_DigestSign(ctx, value, &n, msg.ptr, msg.len), "sign");
	EVP_MD_CTX_free(ctx);
	return arena_dup(mem(), span_of(value, n));
}

struct span sign(const struct actor *who, struct span msg)
{
	return sign_with(who->key, NULL, NULL, msg);
}

struct span sign_id(const struct actor *who, const char *id, struct span msg)
{
	return sign_with(who->key, NULL, id, msg);
}

struct span sign_md(const struct actor *who, const EVP_MD *md, struct span msg)
{
	return sign_with(who->key, md, NULL, msg);
}

/* ---- certificates ---------------------------------------------------------------------------------------------- */

static X509_NAME *name_of(const char *cn)
{
	X509_NAME *name = X509_NAME_new();

	ok(name != NULL, "name");
	ok(X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8, (const uint8_t *)"CN", -1, -1, 0), "name");
	ok(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)"印证测试语料", -1, -1, 0), "name");
	ok(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0), "name");
	return name;
}

static void set_time(ASN1_TIME *t, const char *text)
{
	ok(ASN1_TIME_set_string_X509(t, text), text);
}

static void add_ext(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ok(e != NULL, value);
	ok(X509_add_ext(x, e, -1), value);
	X509_EXTENSION_free(e);
}

static X509_EXTENSION *odd_extension(const char *oid)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *v = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	ok(o != NULL && v != NULL && ASN1_OCTET_STRING_set(v, (const uint8_t *)"\x05\x00", 2), oid);
	e = X509_EXTENSION_create_by_OBJ(NULL, o, 1, v);
	ok(e != NULL, oid);
	ASN1_OBJECT_free(o);
	ASN1_OCTET_STRING_free(v);
	return e;
}

static void add_extensions(X509 *x, const struct cert_wish *w)
{
	const char *usage = w->usage != NULL ? w->usage : "critical,digitalSignature,nonRepudiation";

	if (w->ca) {
		add_ext(x, NID_basic_constraints,
		        w->path_length != 0 ? arena_printf(mem(), "critical,CA:TRUE,pathlen:%d", w->path_length - 1)
		                            : "critical,CA:TRUE");
		usage = w->no_ca_usage ? "critical,digitalSignature" : "critical,keyCertSign,cRLSign";
	}
	add_ext(x, NID_key_usage, usage);
	if (w->purpose != NULL)
		add_ext(x, NID_ext_key_usage, w->purpose);
	if (w->odd_extension != NULL) {
		X509_EXTENSION *e = odd_extension(w->odd_extension);
		ok(X509_add_ext(x, e, -1), "extension");
		X509_EXTENSION_free(e);
	}
}

/* DER of x; a bit of the value turned over when asked for. */
static struct span der_of_cert(X509 *x, bool bad_value)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);
	struct span out;

	ok(n, "certificate");
	if (bad_value)
		der[n - 1] ^= 1;
	out = arena_dup(mem(), span_of(der, (size_t)n));
	OPENSSL_free(der);
	return out;
}

static void set_names(X509 *x, const struct cert_wish *w)
{
	X509_NAME *subject = name_of(w->name), *issuer = NULL;

	ok(X509_set_subject_name(x, subject), "name");
	if (w->issuer_name != NULL)
		issuer = name_of(w->issuer_name);
	else if (w->issuer != NULL)
		issuer = X509_NAME_dup(X509_get_subject_name(w->issuer->cert));
	ok(X509_set_issuer_name(x, issuer != NULL ? issuer : subject), "name");
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
}

struct actor *new_actor(const struct cert_wish *w)
{
	static long serial = 1000;
	struct actor *a = arena_alloc(mem(), sizeof(*a));
	EVP_MD_CTX *ctx;

	a->key = w->same_key != NULL ? w->same_key->key : new_key(w->key);
	a->cert = X509_new();
	a->signed_with = w->issuer != NULL ? w->issuer->key : a->key;
	ok(X509_set_version(a->cert, 2), "certificate");
	ok(ASN1_INTEGER_set(X509_get_serialNumber(a->cert), ++serial), "serial number");
	set_names(a->cert, w);
	set_time(X509_getm_notBefore(a->cert), w->from != NULL ? w->from : "20200101000000Z");
	set_time(X509_getm_notAfter(a->cert), w->to != NULL ? w->to : "20491231235959Z");
	ok(X509_set_pubkey(a->cert, a->key), "public key");
	add_extensions(a->cert, w);
	ctx = begin_sign(a->signed_with, w->md, w->id);
	ok(X509_sign_ctx(a->cert, ctx), "certificate");
	EVP_MD_CTX_free(ctx);
	a->der = der_of_cert(a->cert, w->bad_value);
	return a;
}

/* ---- revocation ------------------------------------------------------------------------------------------------ */

static void revoke(X509_CRL *crl, const struct actor *who, const char *at)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *t = ASN1_TIME_new();

	set_time(t, at);
	ok(X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(who->cert)), "serial number");
	ok(X509_REVOKED_set_revocationDate(r, t), "time");
	ok(X509_CRL_add0_revoked(crl, r), "revocation");
	ASN1_TIME_free(t);
}

struct span new_crl(const struct crl_wish *w)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_new(), *to = ASN1_TIME_new();
	EVP_MD_CTX *ctx = begin_sign((w->signer != NULL ? w->signer : w->issuer)->key, NULL, NULL);
	uint8_t *der = NULL;
	int n;

	set_time(from, w->from != NULL ? w->from : "20240301000000Z");
	set_time(to, w->to != NULL ? w->to : "20991231000000Z");
	ok(X509_CRL_set_version(crl, 1), "CRL");
	ok(X509_CRL_set_issuer_name(crl, X509_get_subject_name(w->issuer->cert)), "CRL");
	ok(X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, to), "CRL");
	for (size_t i = 0; i < 4 && w->revoked[i] != NULL; i++)
		revoke(crl, w->revoked[i], w->revoked_at[i]);
	if (w->critical) {
		X509_EXTENSION *e = odd_extension("1.2.3.4.5");
		ok(X509_CRL_add_ext(crl, e, -1), "CRL");
		X509_EXTENSION_free(e);
	}
	X509_CRL_sort(crl);
	ok(X509_CRL_sign_ctx(crl, ctx), "CRL");
	EVP_MD_CTX_free(ctx);
	n = i2d_X509_CRL(crl, &der);
	ok(n, "CRL");
	if (w->bad_value)
		der[n - 1] ^= 1;
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	X509_CRL_free(crl);
	struct span out = arena_dup(mem(), span_of(der, (size_t)n));
	OPENSSL_free(der);
	return out;
}

struct span new_ocsp(const struct ocsp_wish *w)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), w->about->cert, w->issuer->cert);
	ASN1_TIME *from = ASN1_TIME_new(), *to = ASN1_TIME_new(), *revoked = ASN1_TIME_new();
	EVP_MD_CTX *ctx = begin_sign(w->responder->key, NULL, NULL);
	OCSP_RESPONSE *response;
	uint8_t *der = NULL;
	int n;

	ok(ASN1_GENERALIZEDTIME_set_string(from, w->from != NULL ? w->from : "20240701000000Z"), "time");
	ok(ASN1_GENERALIZEDTIME_set_string(to, w->to != NULL ? w->to : "20991231000000Z"), "time");
	if (w->revoked_at != NULL)
		ok(ASN1_GENERALIZEDTIME_set_string(revoked, w->revoked_at), "time");
	ok(OCSP_basic_add1_status(basic, id, w->revoked_at != NULL ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD,
	                          OCSP_REVOKED_STATUS_UNSPECIFIED, w->revoked_at != NULL ? revoked : NULL, from,
	                          to) != NULL,
	   "OCSP");
	ok(OCSP_basic_sign_ctx(basic, w->responder->cert, ctx, NULL, 0), "OCSP");
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	n = i2d_OCSP_RESPONSE(response, &der);
	ok(n, "OCSP");
	EVP_MD_CTX_free(ctx);
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_TIME_free(revoked);
	struct span out = arena_dup(mem(), span_of(der, (size_t)n));
	OPENSSL_free(der);
	return out;
}

/* ---- the usual people ------------------------------------------------------------------------------------------ */

static struct actor *person(const char *name, const struct actor *issuer)
{
	return new_actor(&(struct cert_wish){.name = name, .issuer = issuer});
}

static struct actor *between(const char *name, const struct actor *issuer, const char *from, const char *to)
{
	return new_actor(&(struct cert_wish){.name = name, .issuer = issuer, .from = from, .to = to});
}

static struct actor *with_usage(const char *name, const struct actor *issuer, const char *usage, const char *purpose)
{
	return new_actor(&(struct cert_wish){.name = name, .issuer = issuer, .usage = usage, .purpose = purpose});
}

static void make_makers(struct people *p)
{
	p->maker = person("制章者", p->root);
	p->maker_expired = between("制章者 过期", p->root, "20200101000000Z", "20240901000000Z");
	p->maker_young = between("制章者 未生效", p->root, "20240201000000Z", "20491231235959Z");
	p->maker_revoked = person("制章者 吊销", p->root);
	p->maker_usage = with_usage("制章者 用法", p->root, "critical,keyEncipherment", NULL);
	p->maker_purpose = with_usage("制章者 用途", p->root, NULL, "2.25.105039159541296996231050704801945025399.1");
	p->maker_strange = person("制章者 不受信任", p->stranger_root);
}

static void make_signers(struct people *p)
{
	p->signer = person("签章者", p->root);
	p->colleague = person("签章者 同事", p->root);
	p->signer_expired = between("签章者 过期", p->root, "20200101000000Z", "20240901000000Z");
	p->signer_young = between("签章者 未生效", p->root, "20240801000000Z", "20491231235959Z");
	p->signer_revoked = person("签章者 吊销", p->root);
	p->signer_usage = with_usage("签章者 用法", p->root, "critical,keyEncipherment", NULL);
	p->signer_purpose = with_usage("签章者 用途", p->root, NULL, "2.25.105039159541296996231050704801945025399.1");
	p->signer_strange = person("签章者 不受信任", p->stranger_root);
}

static void make_others(struct people *p)
{
	static const char stamping[] = "critical,timeStamping";

	p->tsa = with_usage("时间戳", p->root, "critical,digitalSignature", stamping);
	p->tsa_plain = person("时间戳 无用途", p->root);
	p->tsa_strange = with_usage("时间戳 不受信任", p->stranger_root, "critical,digitalSignature", stamping);
	p->tsa_expired = new_actor(&(struct cert_wish){.name = "时间戳 过期",
	                                               .issuer = p->root,
	                                               .usage = "critical,digitalSignature",
	                                               .purpose = stamping,
	                                               .to = "20240201000000Z"});
	p->service = with_usage("回执服务", p->root, NULL, "critical,2.25.105039159541296996231050704801945025399.1");
}

const struct people *people(void)
{
	static struct people p;

	if (p.root != NULL)
		return &p;
	p.root = new_actor(&(struct cert_wish){.name = "测试语料根", .ca = true});
	p.stranger_root = new_actor(&(struct cert_wish){.name = "另一个根", .ca = true});
	make_makers(&p);
	make_signers(&p);
	make_others(&p);
	put_file("trust/root/root.crt", p.root->der);
	put_file("trust/good/root.crt", p.root->der);
	put_file("trust/other/root.crt", p.stranger_root->der);
	put_file("trust/good/root.crl", new_crl(&(struct crl_wish){
	                                    .issuer = p.root,
	                                    .revoked = {p.maker_revoked, p.signer_revoked},
	                                    .revoked_at = {"20240201000000Z", "20240801000000Z"},
	                                    .from = "20240901000000Z",
	                                }));
	return &p;
}
