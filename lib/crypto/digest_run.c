#include "crypto/digest_run.h"

#include "crypto/internal.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct digest_run {
	EVP_MD_CTX *ctx[RUN_ALGS]; /* NULL: not asked for */
};

static const EVP_MD *md_of(enum run_alg alg)
{
	switch (alg) {
	case RUN_SM3:
		return EVP_sm3();
	case RUN_SHA256:
		return EVP_sha256();
	case RUN_SHA1:
		return EVP_sha1();
	case RUN_MD5:
	case RUN_ALGS:
		break;
	}
	return EVP_md5();
}

size_t run_len(enum run_alg alg)
{
	static const uint8_t len[RUN_ALGS] = {[RUN_SM3] = 32, [RUN_SHA256] = 32, [RUN_SHA1] = 20, [RUN_MD5] = 16};

	return (size_t)alg < RUN_ALGS ? len[alg] : 0;
}

void digest_run_free(struct digest_run *run)
{
	if (run == NULL)
		return;
	for (size_t i = 0; i < RUN_ALGS; i++)
		EVP_MD_CTX_free(run->ctx[i]);
	free(run);
}

enum err digest_run_new(unsigned algs, struct digest_run **out)
{
	struct digest_run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < RUN_ALGS; i++) {
		if ((algs & RUN_BIT(i)) == 0)
			continue;
		run->ctx[i] = EVP_MD_CTX_new();
		if (run->ctx[i] == NULL || EVP_DigestInit_ex(run->ctx[i], md_of((enum run_alg)i), NULL) != 1) {
			digest_run_free(run);
			return openssl_failed(ERR_CRYPTO);
		}
	}
	*out = run;
	return ERR_OK;
}

enum err digest_run_add(struct digest_run *run, struct span piece)
{
	for (size_t i = 0; i < RUN_ALGS; i++)
		if (run->ctx[i] != NULL && piece.len != 0 && EVP_DigestUpdate(run->ctx[i], piece.ptr, piece.len) != 1)
			return openssl_failed(ERR_CRYPTO);
	return ERR_OK;
}

enum err digest_run_done(struct digest_run *run, struct run_digests *out)
{
	struct run_digests d = {0};

	for (size_t i = 0; i < RUN_ALGS; i++)
		if (run->ctx[i] != NULL && EVP_DigestFinal_ex(run->ctx[i], d.value[i], NULL) != 1)
			return openssl_failed(ERR_CRYPTO);
	*out = d;
	return ERR_OK;
}
