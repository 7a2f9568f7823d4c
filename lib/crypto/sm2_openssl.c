#include "crypto/sm2_openssl.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

enum { COORDINATE = 32 };

bool sm2_openssl_is(const EVP_PKEY *pkey)
{
	return EVP_PKEY_is_a(pkey, "SM2") == 1;
}

EVP_PKEY *sm2_openssl_make(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
}

static bool put_number(EVP_PKEY *pkey, const char *name, uint8_t *out)
{
	BIGNUM *v = NULL;
	bool done = EVP_PKEY_get_bn_param(pkey, name, &v) == 1 && BN_bn2binpad(v, out, COORDINATE) == COORDINATE;

	BN_clear_free(v);
	return done;
}

enum err sm2_key_from_pkey(EVP_PKEY *pkey, struct sm2_key **out)
{
	uint8_t point[SM2_POINT] = {0x04};

	if (!sm2_openssl_is(pkey) || !put_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, point + 1) ||
	    !put_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, point + 1 + COORDINATE))
		return openssl_failed(ERR_FORMAT);
	return sm2_key_new(span_of(point, sizeof(point)), out);
}

enum err sm2_openssl_private(EVP_PKEY *pkey, uint8_t d[COORDINATE])
{
	if (!sm2_openssl_is(pkey) || !put_number(pkey, OSSL_PKEY_PARAM_PRIV_KEY, d))
		return openssl_failed(ERR_FORMAT);
	return ERR_OK;
}

/* ---- keys and identities -------------------------------------------------------------------- */

static enum err public_key(struct span point, EVP_PKEY **out)
{
	char group[] = "SM2";
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.ptr, point.len),
	    OSSL_PARAM_construct_end(),
	};
	enum err e = ERR_CRYPTO;

	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) == 1)
		e = ERR_OK;
	EVP_PKEY_CTX_free(ctx);
	return e;
}

/* On a fresh context, before any update: later this fails, and silently leaves the empty identity. Hence the check. */
static enum err set_id(EVP_PKEY_CTX *pctx, struct span id)
{
	const void *p = id.len != 0 ? (const void *)id.ptr : "";

	return EVP_PKEY_CTX_set1_id(pctx, p, (int)id.len) == 1 ? ERR_OK : ERR_CRYPTO;
}

/* ---- verifying and signing ------------------------------------------------------------------ */

static enum err verify(EVP_MD_CTX *ctx, EVP_PKEY *pkey, struct span id, struct span msg, struct span sig)
{
	EVP_PKEY_CTX *pctx = NULL;

	if (EVP_DigestVerifyInit(ctx, &pctx, EVP_sm3(), NULL, pkey) != 1 || set_id(pctx, id) != ERR_OK)
		return ERR_CRYPTO;
	if (msg.len != 0 && EVP_DigestVerifyUpdate(ctx, msg.ptr, msg.len) != 1)
		return ERR_CRYPTO;
	return EVP_DigestVerifyFinal(ctx, sig.ptr, sig.len) == 1 ? ERR_OK : ERR_SIGNATURE_BAD;
}

enum err sm2_openssl_verify(struct span point, struct span id, struct span msg, struct span sig)
{
	EVP_PKEY *pkey = NULL;
	EVP_MD_CTX *ctx = NULL;
	enum err e = id.len <= SM2_ID_MAX ? public_key(point, &pkey) : ERR_FIELD_TOO_LONG;

	if (e == ERR_OK) {
		ctx = EVP_MD_CTX_new();
		e = ctx != NULL ? verify(ctx, pkey, id, msg, sig) : ERR_NO_MEMORY;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return e == ERR_OK ? e : openssl_failed(e);
}

enum err sm2_openssl_verify_digest(struct span point, const uint8_t *e, struct span sig)
{
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	enum err err = public_key(point, &pkey);

	if (err == ERR_OK) {
		ctx = EVP_PKEY_CTX_new(pkey, NULL);
		err = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 ? ERR_OK : ERR_CRYPTO;
	}
	if (err == ERR_OK && EVP_PKEY_verify(ctx, sig.ptr, sig.len, e, SM2_DIGEST) != 1)
		err = ERR_SIGNATURE_BAD;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return err == ERR_OK ? err : openssl_failed(err);
}

static enum err sign(EVP_MD_CTX *ctx, EVP_PKEY *pkey, struct span msg, uint8_t *sig, size_t *len)
{
	EVP_PKEY_CTX *pctx = NULL;

	if (EVP_DigestSignInit(ctx, &pctx, EVP_sm3(), NULL, pkey) != 1 || set_id(pctx, sm2_default_id()) != ERR_OK)
		return ERR_CRYPTO;
	if (msg.len != 0 && EVP_DigestSignUpdate(ctx, msg.ptr, msg.len) != 1)
		return ERR_CRYPTO;
	return EVP_DigestSignFinal(ctx, sig, len) == 1 ? ERR_OK : ERR_CRYPTO;
}

enum err sm2_openssl_sign(EVP_PKEY *pkey, struct span msg, uint8_t sig[SM2_SIG_MAX], size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t room = SM2_SIG_MAX;
	enum err e = ctx != NULL ? sign(ctx, pkey, msg, sig, &room) : ERR_NO_MEMORY;

	EVP_MD_CTX_free(ctx);
	if (e != ERR_OK)
		return openssl_failed(e);
	*len = room;
	return ERR_OK;
}
