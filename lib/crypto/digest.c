/* SHA256_Init and its like are deprecated in favour of EVP, which takes 500 ns to begin; they are the same code. */
#define OPENSSL_API_COMPAT 0x10101000L

#include "crypto/digest.h"

#include "crypto/internal.h"
#include "crypto/rand.h"
#include "crypto/sm3_block.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <strings.h>

/* EVP takes 300 ns before the first octet, which ours does not: half of a short message. Longer ones are for OpenSSL,
 * which is as quick as ours, and quicker where a machine has instructions for it. */
enum { HKDF_MAX = 255 * SM3_LEN, SM3_OURS_MAX = 2048 };

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
	return sm3_parts(&in, 1, out);
}

static bool is_short(const struct span *parts, size_t n)
{
	size_t left = SM3_OURS_MAX;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].len > left)
			return false;
		left -= parts[i].len;
	}
	return true;
}

enum err sm3_parts(const struct span *parts, size_t n, uint8_t out[SM3_LEN])
{
	struct sm3_ctx c;

	if (!is_short(parts, n))
		return md_parts(EVP_sm3(), parts, n, out);
	sm3_start(&c);
	for (size_t i = 0; i < n; i++)
		sm3_add(&c, parts[i]);
	sm3_end(&c, out);
	secret_wipe(&c, sizeof(c));
	return ERR_OK;
}

enum err sha256_parts(const struct span *parts, size_t n, uint8_t out[SHA256_LEN])
{
	SHA256_CTX c;
	bool ok = SHA256_Init(&c) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = parts[i].len == 0 || SHA256_Update(&c, parts[i].ptr, parts[i].len) == 1;
	ok = ok && SHA256_Final(out, &c) == 1;
	secret_wipe(&c, sizeof(c));
	return ok ? ERR_OK : openssl_failed(ERR_CRYPTO);
}

/* RFC 2104: both digests with the key's block behind them, so that a key that is used again costs two blocks less. */
struct hmac_key {
	struct sm3_ctx inner, outer;
};

/* One of the two. */
static void hmac_start(struct sm3_ctx *c, const uint8_t key[SM3_BLOCK], uint8_t pad)
{
	uint8_t block[SM3_BLOCK];

	for (size_t i = 0; i < SM3_BLOCK; i++)
		block[i] = key[i] ^ pad;
	sm3_start(c);
	sm3_add(c, span_of(block, sizeof(block)));
	secret_wipe(block, sizeof(block));
}

static void hmac_prepare(struct span key, struct hmac_key *out)
{
	uint8_t block[SM3_BLOCK] = {0};

	if (key.len > SM3_BLOCK) {
		sm3_start(&out->inner);
		sm3_add(&out->inner, key);
		sm3_end(&out->inner, block);
	} else if (key.len != 0) {
		memcpy(block, key.ptr, key.len);
	}
	hmac_start(&out->inner, block, 0x36);
	hmac_start(&out->outer, block, 0x5c);
	secret_wipe(block, sizeof(block));
}

static void hmac_with(const struct hmac_key *k, const struct span *parts, size_t n, uint8_t out[SM3_LEN])
{
	struct sm3_ctx c = k->inner;
	uint8_t inner[SM3_LEN];

	for (size_t i = 0; i < n; i++)
		sm3_add(&c, parts[i]);
	sm3_end(&c, inner);
	c = k->outer;
	sm3_add(&c, span_of(inner, sizeof(inner)));
	sm3_end(&c, out);
	secret_wipe(inner, sizeof(inner));
	secret_wipe(&c, sizeof(c));
}

enum err sm3_hmac(struct span key, const struct span *parts, size_t n, uint8_t out[SM3_LEN])
{
	struct hmac_key k;

	hmac_prepare(key, &k);
	hmac_with(&k, parts, n, out);
	secret_wipe(&k, sizeof(k));
	return ERR_OK;
}

/* T(i) = HMAC(prk, T(i-1) | info | i) */
static void hkdf_expand(struct span prk, struct span info, uint8_t *out, size_t len)
{
	uint8_t t[SM3_LEN], i = 0;
	struct hmac_key k;
	size_t t_len = 0;

	hmac_prepare(prk, &k);
	while (len > 0) {
		size_t n = len < SM3_LEN ? len : SM3_LEN;

		i++;
		hmac_with(&k, (struct span[]){span_of(t, t_len), info, span_of(&i, 1)}, 3, t);
		t_len = SM3_LEN;
		memcpy(out, t, n);
		out += n;
		len -= n;
	}
	secret_wipe(t, sizeof(t));
	secret_wipe(&k, sizeof(k));
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
		hkdf_expand(span_of(prk, sizeof(prk)), info, out, len);
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
			return alg == DIGEST_SM3 ? sm3_parts(parts, n, out) : md_parts(digests[i].md(), parts, n, out);
	return ERR_FIELD_INVALID;
}
