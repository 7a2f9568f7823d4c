#include "crypto/aead.h"

#include "crypto/digest.h"
#include "crypto/internal.h"

#include <gcrypt.h>
#include <pthread.h>

enum { CTR_HMAC = 1, GCM = 2, SALT = 16, HEAD = 1 + SALT, TAG = 16, PLAIN_MAX = 1 << 30 };

/* ---- version 2: SM4-GCM --------------------------------------------------------------------- */

/* Fresh for every value, because the salt is. */
struct gcm_keys {
	uint8_t cipher[16], nonce[12], unused[4];
};

/* One HMAC is enough for key and nonce. Label and salt have fixed lengths, so that the context needs none. */
static enum err gcm_derive(struct span key, struct span salt, struct span context, struct gcm_keys *out)
{
	static const char label[] = "yinzheng value v2";
	struct span parts[] = {span_of(label, sizeof(label)), salt, context};

	_Static_assert(sizeof(*out) == SM3_LEN, "one HMAC");
	return key.len == AEAD_KEY ? sm3_hmac(key, parts, 3, (uint8_t *)out) : ERR_INTERNAL;
}

/* OpenSSL 3.0 has no SM4-GCM, and its SM4 takes one block at a time; libgcrypt has both, with vectors. Where another
 * library of the process has begun to use it, this is done. */
static void gcm_begin(void)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return;
	(void)gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0); /* key schedules live for one value and are wiped with it */
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static enum err gcm_open_cipher(const struct gcm_keys *k, gcry_cipher_hd_t *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, gcm_begin);
	if (gcry_cipher_open(out, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM, 0) != 0)
		return ERR_CRYPTO;
	if (gcry_cipher_setkey(*out, k->cipher, sizeof(k->cipher)) == 0 &&
	    gcry_cipher_setiv(*out, k->nonce, sizeof(k->nonce)) == 0)
		return ERR_OK;
	gcry_cipher_close(*out);
	return ERR_CRYPTO;
}

static enum err gcm_encrypt(const struct gcm_keys *k, struct span in, uint8_t *out, uint8_t tag[TAG])
{
	gcry_cipher_hd_t h;
	enum err e = gcm_open_cipher(k, &h);

	if (e != ERR_OK)
		return e;
	if ((in.len != 0 && gcry_cipher_encrypt(h, out, in.len, in.ptr, in.len) != 0) ||
	    gcry_cipher_gettag(h, tag, TAG) != 0)
		e = ERR_CRYPTO;
	gcry_cipher_close(h);
	return e;
}

/* What was decrypted counts only after the tag. */
static enum err gcm_decrypt(const struct gcm_keys *k, struct span in, uint8_t *out, const uint8_t tag[TAG])
{
	gcry_cipher_hd_t h;
	enum err e = gcm_open_cipher(k, &h);

	if (e != ERR_OK)
		return e;
	if (in.len != 0 && gcry_cipher_decrypt(h, out, in.len, in.ptr, in.len) != 0)
		e = ERR_CRYPTO;
	else if (gcry_cipher_checktag(h, tag, TAG) != 0)
		e = ERR_STORE_CORRUPT;
	gcry_cipher_close(h);
	return e;
}

enum err aead_seal(struct arena *a, const struct rand *r, struct span key, struct span context, struct span plain,
                   struct span *out)
{
	struct gcm_keys k;
	uint8_t *p;
	enum err e;

	if (plain.len > PLAIN_MAX)
		return ERR_TOO_LARGE;
	p = arena_alloc(a, plain.len + AEAD_OVERHEAD);
	if (p == NULL)
		return ERR_BUDGET;
	p[0] = GCM;
	e = rand_fill(r, p + 1, SALT);
	if (e == ERR_OK)
		e = gcm_derive(key, span_of(p + 1, SALT), context, &k);
	if (e == ERR_OK)
		e = gcm_encrypt(&k, plain, p + HEAD, p + HEAD + plain.len);
	secret_wipe(&k, sizeof(k));
	if (e == ERR_OK)
		*out = span_of(p, plain.len + AEAD_OVERHEAD);
	return e;
}

static enum err gcm_open(struct arena *a, struct span key, struct span context, struct span sealed, struct span *plain)
{
	struct span cipher = span_sub(sealed, HEAD, sealed.len - HEAD - TAG);
	uint8_t *p = arena_alloc(a, cipher.len);
	struct gcm_keys k;
	enum err e = p != NULL ? gcm_derive(key, span_sub(sealed, 1, SALT), context, &k) : ERR_BUDGET;

	if (e != ERR_OK)
		return e;
	e = gcm_decrypt(&k, cipher, p, sealed.ptr + sealed.len - TAG);
	secret_wipe(&k, sizeof(k));
	if (e == ERR_OK)
		*plain = span_of(p, cipher.len);
	else
		secret_wipe(p, cipher.len);
	return e;
}

/* ---- version 1: SM4-CTR, then HMAC-SM3 ------------------------------------------------------ */

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

static enum err ctr_open(struct arena *a, struct span key, struct span context, struct span sealed, struct span *plain)
{
	struct span body = span_sub(sealed, 0, sealed.len - SM3_LEN), tag = span_sub(sealed, body.len, sealed.len);
	struct span cipher = span_sub(body, HEAD, body.len);
	uint8_t want[SM3_LEN], *p = NULL;
	struct keys k;
	enum err e = derive(key, span_sub(sealed, 1, SALT), context, &k);

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

enum err aead_open(struct arena *a, struct span key, struct span context, struct span sealed, struct span *plain)
{
	if (sealed.len < HEAD || sealed.len - HEAD > PLAIN_MAX)
		return ERR_STORE_CORRUPT;
	if (sealed.ptr[0] == GCM && sealed.len >= HEAD + TAG)
		return gcm_open(a, key, context, sealed, plain);
	if (sealed.ptr[0] == CTR_HMAC && sealed.len >= HEAD + SM3_LEN)
		return ctr_open(a, key, context, sealed, plain);
	return ERR_STORE_CORRUPT;
}
