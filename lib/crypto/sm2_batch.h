/*
 * Many SM2 signatures at once: independent jobs, each with a verdict of its own, which is the one that sm2_verify_by()
 * would give. Jobs are taken in blocks of SM2_BATCH_BLOCK: messages are hashed side by side (sm3_many.h), and the sums
 * of the signers that have a table share their inversions (sm2_tree.h). So a batch pays with signers that return;
 * others are verified side by side where the machine has AVX-512 IFMA (sm2_core.h), and alone elsewhere.
 *
 * Working memory is that of one block (below 600 KiB), however many jobs there are; when it is not to be had, jobs are
 * verified one by one. One bad job does not cost the others anything, but for its own time.
 */
#ifndef YZ_CRYPTO_SM2_BATCH_H
#define YZ_CRYPTO_SM2_BATCH_H

#include "crypto/sm2.h"

#include <stddef.h>

enum { SM2_BATCH_BLOCK = 64 };

struct sm2_job {
	const struct sm2_key *key;
	struct span id, msg;   /* what was signed, in whose name; not looked at when there is a digest */
	const uint8_t *digest; /* SM2_DIGEST octets: e = SM3(Z || msg) as the caller knows it; NULL: it is made here */
	struct span sig;       /* DER */
	enum err verdict;      /* out: ERR_OK, ERR_SIGNATURE_BAD, or ERR_FIELD_TOO_LONG of the identity */
};

void sm2_verify_batch(struct sm2_means by, struct sm2_job *jobs, size_t n);

/*
 * What a batch found, for those who ask one by one afterwards: in struct sm2_means it answers sm2_verify_by() when it
 * is asked for exactly one of the jobs (key, identity, message and value, octet by octet), and for nothing else. So who
 * collects jobs may guess: a job that nobody asks for, or a key read wrongly, costs time and nothing more. Jobs with a
 * digest in place of their message are not looked at. Keys and octets of the jobs must outlive it.
 */
struct sm2_ahead {
	const struct sm2_job *jobs; /* sm2_verify_batch() has answered them */
	size_t n;
};
/* False, and *out is not written, when it is none of them; a may be NULL. */
bool sm2_ahead_knows(const struct sm2_ahead *a, const struct sm2_key *k, struct span id, struct span msg,
                     struct span sig, enum err *out) MUST_CHECK;

#endif
