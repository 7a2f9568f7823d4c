#include "crypto/sm2.h"

#include "crypto/internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdlib.h>

enum { ID_MAX = 8190, COORDINATE = 32, TAG_INTEGER = 0x02, TAG_BIT_STRING = 0x03, TAG_SEQUENCE = 0x30 };

struct sm2_key {
	EVP_PKEY *pkey;
	uint8_t point[SM2_POINT];
};

struct span sm2_default_id(void)
{
	return span_str("1234567812345678");
}

/* The length octets after the tag; shortest form, at most four octets. */
static enum err der_length(struct span in, size_t *head, size_t *len)
{
	size_t n, v = 0;

	if (in.len < 2)
		return ERR_FORMAT;
	*head = 2;
	*len = in.ptr[1];
	if (in.ptr[1] < 0x80)
		return ERR_OK;
	n = in.ptr[1] & 0x7fu;
	if (n == 0 || n > 4 || in.len < 2 + n || in.ptr[2] == 0)
		return ERR_FORMAT;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | in.ptr[2 + i];
	*head = 2 + n;
	*len = v;
	return v >= 0x80 ? ERR_OK : ERR_FORMAT;
}

enum err der_element(struct span in, uint8_t tag, struct span *contents, struct span *whole, struct span *rest)
{
	size_t head, len;

	if (der_length(in, &head, &len) != ERR_OK || in.ptr[0] != tag || len > in.len - head)
		return ERR_FORMAT;
	if (contents != NULL)
		*contents = span_sub(in, head, len);
	if (whole != NULL)
		*whole = span_sub(in, 0, head + len);
	if (rest != NULL)
		*rest = span_sub(in, head + len, in.len);
	return ERR_OK;
}

enum err der_signed(struct span in, struct signed_parts *out)
{
	struct span outer, rest, bits;
	struct signed_parts p;

	if (der_element(in, TAG_SEQUENCE, &outer, NULL, &rest) != ERR_OK || rest.len != 0 ||
	    der_element(outer, TAG_SEQUENCE, &p.tbs_contents, &p.tbs, &rest) != ERR_OK ||
	    der_element(rest, TAG_SEQUENCE, NULL, &p.algorithm, &rest) != ERR_OK ||
	    der_element(rest, TAG_BIT_STRING, &bits, NULL, &rest) != ERR_OK || rest.len != 0)
		return ERR_FORMAT;
	/* The first octet counts unused bits; OpenSSL would blank that many of the last octet. */
	if (bits.len < 2 || bits.ptr[0] != 0)
		return ERR_FORMAT;
	p.value = span_sub(bits, 1, bits.len);
	*out = p;
	return ERR_OK;
}

/* A positive INTEGER of at most 256 bits in its shortest form. */
static enum err der_coordinate(struct span in, struct span *rest)
{
	struct span v;

	if (der_element(in, TAG_INTEGER, &v, NULL, rest) != ERR_OK || v.len == 0 || (v.ptr[0] & 0x80) != 0)
		return ERR_FORMAT;
	if (v.ptr[0] == 0) {
		if (v.len < 2 || (v.ptr[1] & 0x80) == 0) /* zero, or a needless leading zero */
			return ERR_FORMAT;
		v = span_sub(v, 1, v.len);
	}
	return v.len <= COORDINATE ? ERR_OK : ERR_FORMAT;
}

static enum err check_signature_form(struct span sig)
{
	struct span body, rest;

	if (sig.len > SM2_SIG_MAX || der_element(sig, TAG_SEQUENCE, &body, NULL, &rest) != ERR_OK || rest.len != 0)
		return ERR_FORMAT;
	if (der_coordinate(body, &rest) != ERR_OK || der_coordinate(rest, &rest) != ERR_OK || rest.len != 0)
		return ERR_FORMAT;
	return ERR_OK;
}

enum err sm2_key_new(struct span point, struct sm2_key **out)
{
	char group[] = "SM2";
	struct sm2_key *k;
	EVP_PKEY_CTX *ctx = NULL;
	OSSL_PARAM params[3];
	enum err e = ERR_FORMAT;

	if (point.len != SM2_POINT || point.ptr[0] != 0x04)
		return ERR_FORMAT;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return ERR_NO_MEMORY;
	memcpy(k->point, point.ptr, SM2_POINT);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, k->point, SM2_POINT);
	params[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1) {
		e = ERR_CRYPTO;
		goto out;
	}
	/* Refuses a point that is not on the curve. */
	if (EVP_PKEY_fromdata(ctx, &k->pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		goto out;
	*out = k;
	k = NULL;
	e = ERR_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	sm2_key_free(k);
	return e == ERR_OK ? e : openssl_failed(e);
}

static bool put_coordinate(EVP_PKEY *pkey, const char *name, uint8_t *out)
{
	BIGNUM *v = NULL;
	bool done = EVP_PKEY_get_bn_param(pkey, name, &v) == 1 && BN_bn2binpad(v, out, COORDINATE) == COORDINATE;

	BN_free(v);
	return done;
}

enum err sm2_key_from_pkey(EVP_PKEY *pkey, struct sm2_key **out)
{
	uint8_t point[SM2_POINT] = {0x04};

	/* EVP_PKEY_get_id() is -1 for these keys: only the name tells. */
	if (EVP_PKEY_is_a(pkey, "SM2") != 1 || !put_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, point + 1) ||
	    !put_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, point + 1 + COORDINATE))
		return openssl_failed(ERR_FORMAT);
	return sm2_key_new(span_of(point, sizeof(point)), out);
}

void sm2_key_free(struct sm2_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

struct span sm2_key_point(const struct sm2_key *k)
{
	return span_of(k->point, SM2_POINT);
}

enum err sm2_set_id(EVP_PKEY_CTX *pctx, struct span id)
{
	const void *p = id.len != 0 ? (const void *)id.ptr : "";

	if (id.len > ID_MAX)
		return ERR_FIELD_TOO_LONG;
	/* After the first update this fails, and silently leaves the empty identity: hence the check. */
	return EVP_PKEY_CTX_set1_id(pctx, p, (int)id.len) == 1 ? ERR_OK : ERR_CRYPTO;
}

enum err sm2_verify(const struct sm2_key *k, struct span id, struct span msg, struct span sig)
{
	EVP_PKEY_CTX *pctx = NULL;
	EVP_MD_CTX *ctx;
	enum err e = ERR_CRYPTO;

	if (check_signature_form(sig) != ERR_OK)
		return ERR_SIGNATURE_BAD;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return openssl_failed(ERR_NO_MEMORY);
	if (EVP_DigestVerifyInit(ctx, &pctx, EVP_sm3(), NULL, k->pkey) != 1)
		goto out;
	e = sm2_set_id(pctx, id);
	if (e == ERR_OK && msg.len != 0 && EVP_DigestVerifyUpdate(ctx, msg.ptr, msg.len) != 1)
		e = ERR_CRYPTO;
	if (e == ERR_OK && EVP_DigestVerifyFinal(ctx, sig.ptr, sig.len) != 1)
		e = ERR_SIGNATURE_BAD;
out:
	EVP_MD_CTX_free(ctx);
	return e == ERR_OK ? e : openssl_failed(e);
}
