#include "tests/diff/judge.h"

#include "crypto/cpu.h"
#include "crypto/sm2_batch.h"
#include "crypto/sm2_core.h"
#include "crypto/sm2_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

const char *judge_path(unsigned i)
{
	static const struct {
		unsigned set;
		const char *name;
	} paths[] = {{CPU_PORTABLE, "portable"}, {CPU_ADX, "adx"}, {CPU_ALL, "all"}};
	unsigned had = cpu_limit(CPU_ALL);

	for (unsigned k = 0; k < sizeof(paths) / sizeof(paths[0]); k++) {
		/* The last one is worth a turn only where it has what the one before lacks. */
		if ((paths[k].set == CPU_ADX && (had & CPU_ADX) == 0) || (paths[k].set == CPU_ALL && (had & CPU_IFMA) == 0))
			continue;
		if (i-- == 0) {
			cpu_limit(paths[k].set);
			return paths[k].name;
		}
	}
	return NULL;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static EVP_PKEY *pkey_of(const uint8_t point[65])
{
	char group[] = "SM2";
	uint8_t copy[65];
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	OSSL_PARAM params[3];

	memcpy(copy, point, sizeof(copy));
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof(copy));
	params[2] = OSSL_PARAM_construct_end();
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1)
		abort();
	if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return pkey;
}

bool judge_key_new(const uint8_t point[65], struct judge_key **out)
{
	struct judge_key *k = calloc(1, sizeof(*k));
	bool own, door;

	if (k == NULL)
		abort();
	memcpy(k->point, point, 65);
	k->pkey = pkey_of(point);
	door = sm2_key_new(span_of(point, 65), &k->key) == ERR_OK;
	own = point[0] == 0x04 && sm2_point_from_bytes(&k->at, point + 1, point + 33);
	if (own != door || (point[0] == 0x04 && own != (k->pkey != NULL))) {
		fprintf(stderr, "a point is accepted by some: openssl %d, door %d, arithmetic %d\n", k->pkey != NULL, door,
		        own);
		abort();
	}
	if (!own) {
		judge_key_free(k);
		return false;
	}
	if (sm2_key_prepare(k->key) != ERR_OK || (k->table = sm2_key_table(k->key)) == NULL)
		abort();
	*out = k;
	return true;
}

void judge_key_free(struct judge_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	sm2_key_free(k->key);
	free(k);
}

/* ---- OpenSSL ---------------------------------------------------------------------------------- */

bool judge_openssl(const struct judge_key *k, const uint8_t e[32], struct span sig)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
	uint8_t none = 0;
	bool good;

	if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1)
		abort();
	good = EVP_PKEY_verify(ctx, sig.len != 0 ? sig.ptr : &none, sig.len, e, 32) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

bool judge_openssl_message(const struct judge_key *k, struct span id, struct span msg, struct span sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t none = 0;
	bool good;

	if (ctx == NULL || EVP_DigestVerifyInit(ctx, &pctx, EVP_sm3(), NULL, k->pkey) != 1)
		abort();
	good = EVP_PKEY_CTX_set1_id(pctx, id.len != 0 ? (const void *)id.ptr : "", (int)id.len) == 1 &&
	       EVP_DigestVerifyUpdate(ctx, msg.len != 0 ? msg.ptr : &none, msg.len) == 1 &&
	       EVP_DigestVerifyFinal(ctx, sig.len != 0 ? sig.ptr : &none, sig.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

/* ---- ours ------------------------------------------------------------------------------------- */

static void count(struct judgement *j, bool good, const char *way)
{
	if (j->ways != 0 && good != (j->good != 0) && j->odd == NULL)
		j->odd = way;
	j->ways++;
	j->good += good;
}

/* s G + t P by complete additions, its x in bytes: the equation as the standard has it. */
static bool by_the_book(const struct judge_key *k, const uint8_t e[32], const struct sm2_value *v)
{
	struct sm2_scalar r, s, t, se, x;
	uint8_t bytes_x[32], bytes_y[32];
	struct sm2_jacobian sum;
	struct sm2_affine a;

	if (!sm2_scalar_from_bytes(&r, v->r) || !sm2_scalar_from_bytes(&s, v->s))
		return false;
	sm2_scalar_add(&t, &r, &s);
	if ((sm2_scalar_zero_mask(&r) | sm2_scalar_zero_mask(&s) | sm2_scalar_zero_mask(&t)) != 0)
		return false;
	sm2_core_sum(&sum, &s, &t, &k->at);
	if (!sm2_point_to_affine_secret(&a, &sum))
		return false;
	sm2_point_to_bytes(bytes_x, bytes_y, &a);
	sm2_scalar_reduce(&x, bytes_x);
	sm2_scalar_reduce(&se, e);
	sm2_scalar_add(&x, &x, &se);
	return sm2_scalar_equal_mask(&x, &r) != 0;
}

struct judgement judge_own(const struct judge_key *k, const uint8_t e[32], struct span sig, enum judge_slow slow)
{
	struct judgement j = {0};
	struct sm2_claim claim;
	struct sm2_value v;

	if (sm2_value_read(sig, &v) != ERR_OK)
		return j;
	for (unsigned i = 0; judge_path(i) != NULL; i++) {
		count(&j, sm2_core_verify_known(k->table, e, v.r, v.s), "known");
		count(&j, sm2_core_verify_unknown(&k->at, e, v.r, v.s), "unknown");
		/* The complete ways use no vectors. */
		if ((cpu_paths() & CPU_IFMA) != 0)
			continue;
		if (e[31] % slow != 0)
			continue;
		count(&j, sm2_core_claim(&claim, e, v.r, v.s) && sm2_core_verify_claim(k->table, &claim), "claim");
		count(&j, by_the_book(k, e, &v), "sum");
	}
	return j;
}

struct judgement judge_own_message(const struct judge_key *k, struct span id, struct span msg, struct span sig)
{
	struct sm2_means openssl = {.backend = SM2_OPENSSL};
	struct judgement j = {0};

	for (unsigned i = 0; judge_path(i) != NULL; i++)
		count(&j, sm2_verify(k->key, id, msg, sig) == ERR_OK, "door");
	count(&j, sm2_verify_by(openssl, k->key, id, msg, sig) == ERR_OK, "door, OpenSSL");
	return j;
}

void judge_batch(struct judge_job *jobs, size_t n)
{
	struct sm2_means own = {.backend = SM2_OWN};
	struct sm2_job *batch = calloc(n + 1, sizeof(*batch));
	const char *path;

	if (batch == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		jobs[i].wrong = NULL;
	for (unsigned p = 0; (path = judge_path(p)) != NULL; p++) {
		for (size_t i = 0; i < n; i++)
			batch[i] = (struct sm2_job){
			    .key = jobs[i].key->key, .digest = jobs[i].e, .sig = jobs[i].sig, .verdict = ERR_COUNT};
		sm2_verify_batch(own, batch, n);
		for (size_t i = 0; i < n; i++) {
			if (batch[i].verdict != (jobs[i].good ? ERR_OK : ERR_SIGNATURE_BAD))
				jobs[i].wrong = path;
		}
	}
	free(batch);
}
