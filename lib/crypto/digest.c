#include "crypto/digest.h"

#include "crypto/internal.h"
#include "crypto/rand.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <strings.h>

enum { HKDF_MAX = 255 * SM3_LEN };

enum err openssl_failed(enum err code)
{
	ERR_clear_error();
	return code;
}

static enum err md_parts(const EVP_MD *md, const struct span *parts, size_t n, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum err e = ERR_CRYPTO;

	if (ctx == NULL)
		return openssl_failed(ERR_NO_MEMORY);
	if (EVP_DigestInit_ex(ctx, md, NULL) != 1)
		goto out;
	for (size_t i = 0; i < n; i++)
		if (parts[i].len != 0 && EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) != 1)
			goto out;
	if (EVP_DigestFinal_ex(ctx, out, NULL) == 1)
		e = ERR_OK;
out:
	EVP_MD_CTX_free(ctx);
	return e == ERR_OK ? e : openssl_failed(e);
}

enum err sm3(struct span in, uint8_t out[SM3_LEN])
{
	return md_parts(EVP_sm3(), &in, 1, out);
}

enum err sm3_parts(const struct span *parts, size_t n, uint8_t out[SM3_LEN])
{
	return md_parts(EVP_sm3(), parts, n, out);
}

enum err sha256_parts(const struct span *parts, size_t n, uint8_t out[SHA256_LEN])
{
	return md_parts(EVP_sha256(), parts, n, out);
}

static enum err hmac_run(EVP_MAC_CTX *ctx, struct span key, const struct span *parts, size_t n, uint8_t out[SM3_LEN])
{
	char md[] = "SM3";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, md, 0), OSSL_PARAM_construct_end()};
	/* To EVP_MAC_init() a NULL key means "the one of last time". */
	const uint8_t *k = key.len != 0 ? key.ptr : (const uint8_t *)"";
	size_t len;

	if (EVP_MAC_init(ctx, k, key.len, params) != 1)
		return ERR_CRYPTO;
	for (size_t i = 0; i < n; i++)
		if (parts[i].len != 0 && EVP_MAC_update(ctx, parts[i].ptr, parts[i].len) != 1)
			return ERR_CRYPTO;
	return EVP_MAC_final(ctx, out, &len, SM3_LEN) == 1 && len == SM3_LEN ? ERR_OK : ERR_CRYPTO;
}

enum err sm3_hmac(struct span key, const struct span *parts, size_t n, uint8_t out[SM3_LEN])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	enum err e = ctx != NULL ? hmac_run(ctx, key, parts, n, out) : ERR_CRYPTO;

	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return e == ERR_OK ? e : openssl_failed(e);
}

/* T(i) = HMAC(prk, T(i-1) | info | i) */
static enum err hkdf_expand(struct span prk, struct span info, uint8_t *out, size_t len)
{
	uint8_t t[SM3_LEN], i = 0;
	size_t t_len = 0;
	enum err e = ERR_OK;

	while (len > 0 && e == ERR_OK) {
		size_t n = len < SM3_LEN ? len : SM3_LEN;

		i++;
		e = sm3_hmac(prk, (struct span[]){span_of(t, t_len), info, span_of(&i, 1)}, 3, t);
		t_len = SM3_LEN;
		if (e == ERR_OK)
			memcpy(out, t, n);
		out += n;
		len -= n;
	}
	secret_wipe(t, sizeof(t));
	return e;
}

enum err sm3_hkdf(struct span key, struct span salt, struct span info, uint8_t *out, size_t len)
{
	static const uint8_t no_salt[SM3_LEN];
	uint8_t prk[SM3_LEN];
	enum err e;

	if (len > HKDF_MAX)
		return ERR_TOO_LARGE;
	if (salt.len == 0)
		salt = span_of(no_salt, sizeof(no_salt));
	e = sm3_hmac(salt, &key, 1, prk);
	if (e == ERR_OK)
		e = hkdf_expand(span_of(prk, sizeof(prk)), info, out, len);
	secret_wipe(prk, sizeof(prk));
	return e;
}

/* ---- digests by name ------------------------------------------------------------------------ */

static const struct {
	enum digest_alg alg;
	size_t size;
	const char *name, *plain, *oid;
	const EVP_MD *(*md)(void);
} digests[] = {
    {DIGEST_SM3, 32, "SM3", "SM3", "1.2.156.10197.1.401", EVP_sm3},
    {DIGEST_SHA256, 32, "SHA-256", "SHA256", "2.16.840.1.101.3.4.2.1", EVP_sha256},
    {DIGEST_SHA384, 48, "SHA-384", "SHA384", "2.16.840.1.101.3.4.2.2", EVP_sha384},
    {DIGEST_SHA512, 64, "SHA-512", "SHA512", "2.16.840.1.101.3.4.2.3", EVP_sha512},
    {DIGEST_SHA1, 20, "SHA-1", "SHA1", "1.3.14.3.2.26", EVP_sha1},
    {DIGEST_MD5, 16, "MD5", "MD5", "1.2.840.113549.2.5", EVP_md5},
};

enum { DIGESTS = sizeof(digests) / sizeof(digests[0]) };

enum digest_alg digest_alg_of(const char *name)
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (strcasecmp(name, digests[i].name) == 0 || strcasecmp(name, digests[i].plain) == 0 ||
		    strcmp(name, digests[i].oid) == 0)
			return digests[i].alg;
	return DIGEST_NONE;
}

const char *digest_name(enum digest_alg alg)
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (digests[i].alg == alg)
			return digests[i].name;
	return "";
}

size_t digest_size(enum digest_alg alg)
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (digests[i].alg == alg)
			return digests[i].size;
	return 0;
}

enum err digest_parts(enum digest_alg alg, const struct span *parts, size_t n, uint8_t out[DIGEST_SIZE_MAX])
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (digests[i].alg == alg)
			return md_parts(digests[i].md(), parts, n, out);
	return ERR_FIELD_INVALID;
}
