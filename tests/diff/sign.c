/* Signing, both ways round: OpenSSL verifies what we sign, we verify what OpenSSL signs, and a signature with a given
 * nonce is the one that big numbers give. */
#include "tests/diff/diff.h"
#include "tests/diff/judge.h"

#include "crypto/sm2_sign.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

struct bench {
	EC_GROUP *group;
	EC_POINT *at;
	BIGNUM *n, *d, *k, *e, *r, *s, *x, *t;
	BN_CTX *ctx;
};

static void bench_open(struct bench *b)
{
	BIGNUM **all[] = {&b->n, &b->d, &b->k, &b->e, &b->r, &b->s, &b->x, &b->t};

	b->group = EC_GROUP_new_by_curve_name(NID_sm2);
	b->at = EC_POINT_new(b->group);
	b->ctx = BN_CTX_new();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i] = BN_new();
	limbs_to_bn(number_n, b->n);
}

static void bench_close(struct bench *b)
{
	BIGNUM *all[] = {b->n, b->d, b->k, b->e, b->r, b->s, b->x, b->t};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		BN_free(all[i]);
	BN_CTX_free(b->ctx);
	EC_POINT_free(b->at);
	EC_GROUP_free(b->group);
}

/* GB/T 32918.2 clause 6.1, A3 to A6, by OpenSSL's curve and numbers; false where the standard wants another k. */
static bool slow_sign(struct bench *b, struct sm2_value *out)
{
	if (BN_is_zero(b->k) || BN_cmp(b->k, b->n) >= 0)
		return false;
	EC_POINT_mul(b->group, b->at, b->k, NULL, NULL, b->ctx);
	EC_POINT_get_affine_coordinates(b->group, b->at, b->x, NULL, b->ctx);
	BN_mod_add(b->r, b->e, b->x, b->n, b->ctx);
	BN_mod_add(b->t, b->r, b->k, b->n, b->ctx);
	if (BN_is_zero(b->r) || BN_is_zero(b->t))
		return false;
	BN_mod_mul(b->t, b->r, b->d, b->n, b->ctx);
	BN_mod_sub(b->s, b->k, b->t, b->n, b->ctx);
	BN_one(b->t);
	BN_add(b->t, b->t, b->d);
	if (BN_mod_inverse(b->t, b->t, b->n, b->ctx) == NULL)
		abort();
	BN_mod_mul(b->s, b->s, b->t, b->n, b->ctx);
	if (BN_is_zero(b->s))
		return false;
	return BN_bn2binpad(b->r, out->r, 32) == 32 && BN_bn2binpad(b->s, out->s, 32) == 32;
}

/* Nonces that the standard refuses turn up only when made: k with r = 0, r + k = n or s = 0. */
static void make_refused(struct diff *d, struct bench *b, uint8_t e[32])
{
	uint64_t which = numbers_below(&d->numbers, 3);

	if (BN_is_zero(b->k) || BN_cmp(b->k, b->n) >= 0)
		return;
	EC_POINT_mul(b->group, b->at, b->k, NULL, NULL, b->ctx);
	EC_POINT_get_affine_coordinates(b->group, b->at, b->x, NULL, b->ctx);
	BN_zero(b->r);
	if (which == 1)
		BN_sub(b->r, b->n, b->k);
	if (which == 2) { /* s = 0: k = r d */
		if (BN_mod_inverse(b->r, b->d, b->n, b->ctx) == NULL)
			abort();
		BN_mod_mul(b->r, b->r, b->k, b->n, b->ctx);
	}
	BN_mod_sub(b->e, b->r, b->x, b->n, b->ctx);
	BN_bn2binpad(b->e, e, 32);
}

static void given_nonce(struct diff *d, struct bench *b, const struct sm2_secret *secret)
{
	uint64_t k_limbs[4], e_limbs[4];
	const uint64_t *inputs[] = {k_limbs, e_limbs};
	struct sm2_value ours, theirs;
	uint8_t k[32], e[32];
	bool good;

	numbers_256(&d->numbers, k_limbs);
	numbers_256(&d->numbers, e_limbs);
	limbs_to_bytes(k_limbs, k);
	limbs_to_bytes(e_limbs, e);
	limbs_to_bn(k_limbs, b->k);
	limbs_to_bn(e_limbs, b->e);
	if (numbers_below(&d->numbers, 8) == 0)
		make_refused(d, b, e);
	good = slow_sign(b, &theirs);
	for (unsigned path = 0; diff_path(path) != NULL; path++) {
		bool signed_ok = sm2_sign_with(secret, k, e, &ours);

		diff_check(d, signed_ok == good && (!good || memcmp(&ours, &theirs, sizeof(ours)) == 0), "sign with k", inputs,
		           2);
	}
}

static enum err random_fill(void *arg, uint8_t *out, size_t len)
{
	numbers_bytes(arg, out, len);
	return ERR_OK;
}

/* Ours, verified by OpenSSL and by ourselves. */
static void ours(struct diff *d, const struct judge_key *key, const struct sm2_secret *secret)
{
	struct rand source = {random_fill, &d->numbers};
	uint8_t der[SM2_SIG_MAX], e[32];
	uint64_t e_limbs[4];
	const uint64_t *inputs[] = {e_limbs};
	struct judgement own;
	struct sm2_value v;
	struct span sig;

	numbers_256(&d->numbers, e_limbs);
	limbs_to_bytes(e_limbs, e);
	if (sm2_sign(secret, &source, e, &v) != ERR_OK) {
		diff_check(d, false, "sign", inputs, 1);
		return;
	}
	sig = span_of(der, sm2_value_write(&v, der));
	own = judge_own(key, e, sig, JUDGE_SOMETIMES);
	diff_check(d, own.ways != 0 && own.good == own.ways, "our signature, by us", inputs, 1);
	diff_check(d, judge_openssl(key, e, sig), "our signature, by OpenSSL", inputs, 1);
	d->valid++;
}

static EVP_PKEY *private_pkey(const uint8_t d[32], const uint8_t point[65])
{
	char group[] = "SM2";
	uint8_t copy[65], native[32];
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	BIGNUM *v = BN_bin2bn(d, 32, NULL);
	OSSL_PARAM params[4];

	BN_bn2nativepad(v, native, 32);
	memcpy(copy, point, 65);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, 32);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, 65);
	params[3] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		abort();
	BN_free(v);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* OpenSSL's over a message, verified by the door; and not under another identity or message. */
static void theirs(struct diff *d, const struct judge_key *key, EVP_PKEY *pkey)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t id[64], msg[300], sig[80];
	size_t id_len = numbers_below(&d->numbers, sizeof(id)), msg_len = numbers_below(&d->numbers, sizeof(msg));
	size_t sig_len = sizeof(sig);
	struct span who = span_of(id, id_len);
	struct judgement j;

	numbers_bytes(&d->numbers, id, sizeof(id));
	numbers_bytes(&d->numbers, msg, sizeof(msg));
	if (numbers_below(&d->numbers, 2) == 0)
		who = sm2_default_id();
	if (EVP_DigestSignInit(ctx, &pctx, EVP_sm3(), NULL, pkey) != 1 ||
	    EVP_PKEY_CTX_set1_id(pctx, who.ptr, (int)who.len) != 1 || EVP_DigestSign(ctx, sig, &sig_len, msg, msg_len) != 1)
		abort();
	j = judge_own_message(key, who, span_of(msg, msg_len), span_of(sig, sig_len));
	diff_check(d, j.good == j.ways, "OpenSSL's signature, by us", NULL, 0);
	d->valid++;
	msg[numbers_below(&d->numbers, sizeof(msg))] ^= 1;
	id[0] ^= (uint8_t)(id_len == 0 || who.ptr != id);
	j = judge_own_message(key, span_of(id, id_len), span_of(msg, msg_len), span_of(sig, sig_len));
	diff_check(d,
	           (j.good == j.ways || j.good == 0) &&
	               (j.good != 0) ==
	                   judge_openssl_message(key, span_of(id, id_len), span_of(msg, msg_len), span_of(sig, sig_len)),
	           "OpenSSL's signature, changed message", NULL, 0);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
}

void diff_sign(struct diff *d)
{
	uint64_t limbs[4];
	struct bench b;

	bench_open(&b);
	while (d->done < d->rounds) {
		const uint64_t *inputs[] = {limbs};
		struct judge_key *key = NULL;
		struct sm2_secret *secret = NULL;
		uint8_t bytes[32], point[65];
		EVP_PKEY *pkey;
		bool fits;

		numbers_256(&d->numbers, limbs);
		limbs_to_bytes(limbs, bytes);
		limbs_to_bn(limbs, b.d);
		BN_copy(b.t, b.n);
		BN_sub_word(b.t, 2);
		fits = !BN_is_zero(b.d) && BN_cmp(b.d, b.t) <= 0;
		diff_check(d, (sm2_secret_new(bytes, &secret, point) == ERR_OK) == fits, "private key's range", inputs, 1);
		diff_step(d);
		if (secret == NULL)
			continue;
		if (!judge_key_new(point, &key))
			abort();
		pkey = private_pkey(bytes, point);
		for (int i = 0; i < 8; i++) {
			given_nonce(d, &b, secret);
			ours(d, key, secret);
			theirs(d, key, pkey);
			diff_step(d);
		}
		EVP_PKEY_free(pkey);
		judge_key_free(key);
		sm2_secret_free(secret);
	}
	bench_close(&b);
}
