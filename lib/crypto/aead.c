#include "crypto/aead.h"

#include "crypto/digest.h"
#include "crypto/internal.h"

enum { VERSION = 1, SALT = 16, HEAD = 1 + SALT, PLAIN_MAX = 1 << 30 };

/* Fresh for every value, because the salt is: so the counter may start at a derived place, never reused. */
struct keys {
	uint8_t cipher[16], counter[16], mac[32];
};

static enum err derive(struct span key, struct span salt, struct span context, struct keys *out)
{
	static const char label[] = "yinzheng value v1";
	uint8_t digest[SM3_LEN], info[sizeof(label) + SM3_LEN];
	enum err e = key.len == AEAD_KEY ? sm3(context, digest) : ERR_INTERNAL;

	if (e != ERR_OK)
		return e;
	memcpy(info, label, sizeof(label));
	memcpy(info + sizeof(label), digest, sizeof(digest));
	return sm3_hkdf(key, salt, span_of(info, sizeof(info)), (uint8_t *)out, sizeof(*out));
}

/* SM4-CTR is its own inverse. len is at most PLAIN_MAX. */
static enum err apply_stream(const struct keys *k, struct span in, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	bool done = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_sm4_ctr(), NULL, k->cipher, k->counter) == 1 &&
	            (in.len == 0 || EVP_EncryptUpdate(ctx, out, &n, in.ptr, (int)in.len) == 1) &&
	            EVP_EncryptFinal_ex(ctx, out + n, &last) == 1 && (size_t)n + (size_t)last == in.len;

	EVP_CIPHER_CTX_free(ctx);
	return done ? ERR_OK : openssl_failed(ERR_CRYPTO);
}

enum err aead_seal(struct arena *a, const struct rand *r, struct span key, struct span context, struct span plain,
                   struct span *out)
{
	struct keys k;
	struct span body;
	uint8_t *p;
	enum err e;

	if (plain.len > PLAIN_MAX)
		return ERR_TOO_LARGE;
	p = arena_alloc(a, plain.len + AEAD_OVERHEAD);
	if (p == NULL)
		return ERR_BUDGET;
	p[0] = VERSION;
	e = rand_fill(r, p + 1, SALT);
	if (e == ERR_OK)
		e = derive(key, span_of(p + 1, SALT), context, &k);
	if (e == ERR_OK)
		e = apply_stream(&k, plain, p + HEAD);
	body = span_of(p, HEAD + plain.len);
	if (e == ERR_OK)
		e = sm3_hmac(span_of(k.mac, sizeof(k.mac)), &body, 1, p + body.len);
	secret_wipe(&k, sizeof(k));
	if (e == ERR_OK)
		*out = span_of(p, plain.len + AEAD_OVERHEAD);
	return e;
}

enum err aead_open(struct arena *a, struct span key, struct span context, struct span sealed, struct span *plain)
{
	struct span body, tag, cipher;
	uint8_t want[SM3_LEN], *p = NULL;
	struct keys k;
	enum err e;

	if (sealed.len < AEAD_OVERHEAD || sealed.len - AEAD_OVERHEAD > PLAIN_MAX || sealed.ptr[0] != VERSION)
		return ERR_STORE_CORRUPT;
	body = span_sub(sealed, 0, sealed.len - SM3_LEN);
	tag = span_sub(sealed, body.len, SM3_LEN);
	cipher = span_sub(body, HEAD, body.len);
	e = derive(key, span_sub(sealed, 1, SALT), context, &k);
	if (e == ERR_OK)
		e = sm3_hmac(span_of(k.mac, sizeof(k.mac)), &body, 1, want);
	if (e == ERR_OK && !secret_equal(tag, span_of(want, sizeof(want))))
		e = ERR_STORE_CORRUPT;
	if (e == ERR_OK && (p = arena_alloc(a, cipher.len)) == NULL)
		e = ERR_BUDGET;
	if (e == ERR_OK)
		e = apply_stream(&k, cipher, p);
	secret_wipe(&k, sizeof(k));
	secret_wipe(want, sizeof(want));
	if (e == ERR_OK)
		*plain = span_of(p, cipher.len);
	return e;
}
