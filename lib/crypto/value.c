#include "crypto/value.h"

#include "crypto/internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

static const struct {
	const char *oid;
	struct value_alg alg;
} algs[] = {
    {"1.2.156.10197.1.501", {KEY_SM2, DIGEST_SM3}},
    {"1.2.156.10197.1.301.1", {KEY_SM2, DIGEST_NONE}}, /* as GB/T 35275 has it */
    {"1.2.840.113549.1.1.1", {KEY_RSA, DIGEST_NONE}},
    {"1.2.840.113549.1.1.4", {KEY_RSA, DIGEST_MD5}},
    {"1.2.840.113549.1.1.5", {KEY_RSA, DIGEST_SHA1}},
    {"1.2.840.113549.1.1.11", {KEY_RSA, DIGEST_SHA256}},
    {"1.2.840.113549.1.1.12", {KEY_RSA, DIGEST_SHA384}},
    {"1.2.840.113549.1.1.13", {KEY_RSA, DIGEST_SHA512}},
    {"1.2.840.10045.2.1", {KEY_EC, DIGEST_NONE}},
    {"1.2.840.10045.4.1", {KEY_EC, DIGEST_SHA1}},
    {"1.2.840.10045.4.3.2", {KEY_EC, DIGEST_SHA256}},
    {"1.2.840.10045.4.3.3", {KEY_EC, DIGEST_SHA384}},
    {"1.2.840.10045.4.3.4", {KEY_EC, DIGEST_SHA512}},
};

struct value_alg value_alg_of(const char *oid)
{
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (strcmp(algs[i].oid, oid) == 0)
			return algs[i].alg;
	return (struct value_alg){KEY_OTHER, DIGEST_NONE};
}

enum key_kind cert_key_kind(const struct cert *c)
{
	EVP_PKEY *pkey;

	if (c->sm2 != NULL)
		return KEY_SM2;
	pkey = X509_get0_pubkey(c->x);
	if (pkey == NULL) {
		openssl_failed(ERR_OK);
		return KEY_OTHER;
	}
	if (EVP_PKEY_is_a(pkey, "RSA") == 1)
		return KEY_RSA;
	return EVP_PKEY_is_a(pkey, "EC") == 1 ? KEY_EC : KEY_OTHER;
}

int cert_key_bits(const struct cert *c)
{
	EVP_PKEY *pkey = X509_get0_pubkey(c->x);

	return pkey != NULL ? EVP_PKEY_get_bits(pkey) : (int)openssl_failed(ERR_OK);
}

bool cert_key_is_costly(const struct cert *c)
{
	EVP_PKEY *pkey = X509_get0_pubkey(c->x);
	BIGNUM *exponent = NULL;
	bool costly;

	if (cert_key_kind(c) != KEY_RSA)
		return false;
	costly = EVP_PKEY_get_bits(pkey) > RSA_BITS_MAX ||
	         EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1 ||
	         BN_num_bits(exponent) > RSA_EXPONENT_BITS_MAX;
	BN_free(exponent);
	openssl_failed(ERR_OK);
	return costly;
}

static const EVP_MD *md_of(enum digest_alg digest)
{
	switch (digest) {
	case DIGEST_MD5:
		return EVP_md5();
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA384:
		return EVP_sha384();
	case DIGEST_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static enum err verify_evp(EVP_PKEY *pkey, const EVP_MD *md, struct span msg, struct span value)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum err e = ERR_CRYPTO;

	if (ctx == NULL)
		return openssl_failed(ERR_NO_MEMORY);
	if (EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey) == 1 &&
	    (msg.len == 0 || EVP_DigestVerifyUpdate(ctx, msg.ptr, msg.len) == 1))
		e = EVP_DigestVerifyFinal(ctx, value.ptr, value.len) == 1 ? ERR_OK : ERR_SIGNATURE_BAD;
	EVP_MD_CTX_free(ctx);
	return openssl_failed(e);
}

enum err value_verify(struct sm2_means by, const struct cert *c, enum digest_alg digest, struct span msg,
                      struct span value)
{
	enum key_kind kind = cert_key_kind(c);
	const EVP_MD *md = md_of(digest);

	if (kind == KEY_SM2)
		return digest == DIGEST_SM3 ? sm2_verify_by(by, c->sm2, sm2_default_id(), msg, value) : ERR_FIELD_INVALID;
	if (kind == KEY_OTHER || md == NULL || cert_key_is_costly(c))
		return ERR_FIELD_INVALID;
	if (value.len == 0)
		return ERR_SIGNATURE_BAD;
	return verify_evp(X509_get0_pubkey(c->x), md, msg, value);
}
