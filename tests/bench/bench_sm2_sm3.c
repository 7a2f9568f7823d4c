/* SM3: 32 messages of 8 kB at once, and single short ones. OpenSSL's context and algorithm are kept. */
#include "tests/bench/bench_sm2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sm3_many.h"

enum { MESSAGES = 32, EACH = 8192, SHORT = 64, SHORTS = 64 };

struct hashing {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	struct span in[MESSAGES];
	uint8_t out[MESSAGES][SM3_LEN];
};

static void openssl_one(struct hashing *h, struct span in, uint8_t out[SM3_LEN])
{
	must_be(EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1 && EVP_DigestUpdate(h->ctx, in.ptr, in.len) == 1 &&
	            EVP_DigestFinal_ex(h->ctx, out, NULL) == 1,
	        "OpenSSL's SM3");
}

static void openssl_run(void *arg)
{
	struct hashing *h = arg;

	for (size_t i = 0; i < MESSAGES; i++)
		openssl_one(h, h->in[i], h->out[i]);
}

static void many_run(void *arg)
{
	struct hashing *h = arg;

	sm3_many(h->in, MESSAGES, h->out);
}

static void one_by_one_run(void *arg)
{
	struct hashing *h = arg;

	for (size_t i = 0; i < MESSAGES; i++)
		must_be(sm3(h->in[i], h->out[i]) == ERR_OK, "SM3");
}

static void openssl_short_run(void *arg)
{
	struct hashing *h = arg;

	for (size_t i = 0; i < SHORTS; i++)
		openssl_one(h, span_sub(h->in[0], i, SHORT), h->out[0]);
}

static void short_run(void *arg)
{
	struct hashing *h = arg;

	for (size_t i = 0; i < SHORTS; i++)
		must_be(sm3(span_sub(h->in[0], i, SHORT), h->out[0]) == ERR_OK, "SM3");
}

void bench_sm3(void)
{
	static struct hashing h;
	static uint8_t text[MESSAGES][EACH];
	const struct contestant big[] = {
	    {"openssl_sm3_8k_per_s", "OpenSSL, one after the other", CPU_ALL, 0, openssl_run, &h, MESSAGES},
	    {"sm3_multi_avx512_ratio", "sm3_many(), AVX-512, 16 lanes", CPU_ALL, CPU_AVX512, many_run, &h, MESSAGES},
	    {"sm3_multi_avx2_ratio", "sm3_many(), AVX2, 8 lanes", CPU_AVX2, CPU_AVX2, many_run, &h, MESSAGES},
	    {"sm3_multi_portable_ratio", "sm3_many(), plain C, 4 lanes", CPU_PORTABLE, 0, many_run, &h, MESSAGES},
	    {"sm3_single_8k_ratio", "sm3(), one after the other", CPU_ALL, 0, one_by_one_run, &h, MESSAGES},
	};
	const struct contestant small[] = {
	    {"openssl_sm3_64_per_s", "OpenSSL", CPU_ALL, 0, openssl_short_run, &h, SHORTS},
	    {"sm3_single_64_ratio", "sm3()", CPU_ALL, 0, short_run, &h, SHORTS},
	};

	h.md = EVP_MD_fetch(NULL, "SM3", NULL);
	h.ctx = EVP_MD_CTX_new();
	must_be(h.md != NULL && h.ctx != NULL, "OpenSSL's SM3");
	for (size_t i = 0; i < MESSAGES; i++) {
		for (size_t k = 0; k < EACH; k++)
			text[i][k] = (uint8_t)(i * 31 + k * 7 + (k >> 8));
		h.in[i] = span_of(text[i], EACH);
	}
	contest("SM3 of 32 messages of 8 kB", big, sizeof(big) / sizeof(big[0]));
	contest("SM3 of single messages of 64 octets", small, sizeof(small) / sizeof(small[0]));
	EVP_MD_CTX_free(h.ctx);
	EVP_MD_free(h.md);
}
