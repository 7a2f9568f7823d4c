/*
 * Many SM2 signatures at once: independent jobs, each with a verdict of its own, which is the one that sm2_verify_by()
 * would give. Jobs are taken in blocks of SM2_BATCH_BLOCK: messages are hashed side by side (sm3_many.h), and the sums
 * of the signers that have a table share their inversions (sm2_tree.h). So a batch pays with signers that return;
 * others are verified as they would be alone.
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
	const uint8_t *digest; /* SM2_DIGEST octets: e = SM3(Z || msg) as the caller knows it, verified by our own
	                        * arithmetic whatever the back end is; NULL: it is made here */
	struct span sig;       /* DER */
	enum err verdict;      /* out: ERR_OK, ERR_SIGNATURE_BAD, or ERR_FIELD_TOO_LONG of the identity */
};

void sm2_verify_batch(struct sm2_means by, struct sm2_job *jobs, size_t n);

#endif
