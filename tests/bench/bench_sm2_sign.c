/* Signatures over digests that are at hand, DER values written: what EVP_PKEY_sign() does, with its context kept. */
#include "tests/bench/bench_sm2.h"

#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/signer.h"
#include "crypto/sm2_sign.h"

struct signing {
	struct signer_case *s;
	struct sm2_secret *secret;
	struct signer *own;
};

static void openssl_run(void *arg)
{
	struct signing *g = arg;
	struct signer_case *s = g->s;
	uint8_t der[SM2_SIG_MAX];
	size_t len = sizeof(der);

	must_be(EVP_PKEY_sign(s->sign, der, &len, s->at_case[s->next++ % CASES].e, SM2_DIGEST) == 1, "OpenSSL: no value");
}

static void sign_run(void *arg)
{
	struct signing *g = arg;
	const struct rand r = rand_system();
	struct sm2_value v;
	uint8_t der[SM2_SIG_MAX];

	must_be(sm2_sign(g->secret, &r, g->s->at_case[g->s->next++ % CASES].e, &v) == ERR_OK, "no value");
	must_be(sm2_value_write(&v, der) != 0, "no DER");
}

/* From the message: identity and digest, the check by a verification, and DER are all in it. */
static void released_run(void *arg)
{
	struct signing *g = arg;
	uint8_t der[SM2_SIG_MAX];
	size_t len = 0;

	must_be(signer_sign(g->own, span_of(g->s->at_case[g->s->next++ % CASES].e, SM2_DIGEST), der, &len) == ERR_OK,
	        "nothing is released");
}

static struct sm2_secret *secret_of(EVP_PKEY *pkey)
{
	struct sm2_secret *secret = NULL;
	BIGNUM *d = NULL;
	uint8_t number[SM2_NUMBER], point[SM2_POINT];

	must_be(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
	            BN_bn2binpad(d, number, sizeof(number)) == (int)sizeof(number) &&
	            sm2_secret_new(number, &secret, point) == ERR_OK,
	        "a secret key");
	BN_clear_free(d);
	return secret;
}

void bench_sign(const char *folder)
{
	struct signing g = {.s = make_signer()};
	struct err_note note = {0};
	char path[4096];

	must_be(snprintf(path, sizeof(path), "%s/bench_sm2.key", folder) < (int)sizeof(path), "name too long");
	unlink(path);
	must_be(signer_make_file(path, (struct span){0}, &note) == ERR_OK &&
	            signer_open_file(path, (struct span){0}, &g.own, &note) == ERR_OK,
	        err_note_text(&note));
	unlink(path);
	g.secret = secret_of(g.s->pkey);
	const struct contestant c[] = {
	    {"openssl_sign_per_s", "OpenSSL, EVP_PKEY_sign()", CPU_ALL, 0, openssl_run, &g, 1},
	    {"sign_ratio", "sm2_sign()", CPU_ALL, 0, sign_run, &g, 1},
	    {"sign_adx_ratio", "  MULX and ADX", CPU_ADX, CPU_ADX, sign_run, &g, 1},
	    {"sign_portable_ratio", "  plain C", CPU_PORTABLE, 0, sign_run, &g, 1},
	    {"sign_released_ratio", "signer_sign(): digest, value, check before release", CPU_ALL, 0, released_run, &g, 1},
	    {"sign_released_portable_ratio", "  plain C", CPU_PORTABLE, 0, released_run, &g, 1},
	};

	contest("Signature over a digest", c, sizeof(c) / sizeof(c[0]));
	signer_free(g.own);
	sm2_secret_free(g.secret);
	free_signer(g.s);
}
