/*
 * Digests of bytes that pass by in pieces, several algorithms in one pass. SHA-1 and MD5 are here only so that a report
 * can say whether a reference made with them fits: no policy accepts them (verify/policy.h), and nothing of ours is
 * signed or named by them.
 */
#ifndef YZ_CRYPTO_DIGEST_RUN_H
#define YZ_CRYPTO_DIGEST_RUN_H

#include "base/err.h"
#include "base/span.h"

enum run_alg { RUN_SM3, RUN_SHA256, RUN_SHA1, RUN_MD5, RUN_ALGS };
enum { RUN_LEN_MAX = 32 };

/* Sets of algorithms: RUN_BIT(RUN_SM3) | RUN_BIT(RUN_MD5). */
#define RUN_BIT(alg) (1U << (alg))

struct run_digests {
	uint8_t value[RUN_ALGS][RUN_LEN_MAX]; /* of algorithms not asked for: zeros */
};

struct digest_run;

/* Octets of a digest. */
size_t run_len(enum run_alg alg);
/* ERR_NO_MEMORY, ERR_CRYPTO. An empty set is allowed: its run only lets bytes pass. */
enum err digest_run_new(unsigned algs, struct digest_run **out) MUST_CHECK;
enum err digest_run_add(struct digest_run *run, struct span piece) MUST_CHECK;
/* Once, at the end. */
enum err digest_run_done(struct digest_run *run, struct run_digests *out) MUST_CHECK;
void digest_run_free(struct digest_run *run);

#endif
