/*
 * Messages that begin alike: what a signer signs with one seal begins with the whole seal, 2 to 20 kB that differ in
 * nothing. A head holds SM3's state after Z and such a beginning, so that only the rest of a message is hashed.
 *
 * It decides how long a digest takes, never what it is: a head is used where Z and the beginning are the same, octet by
 * octet, and else the whole message is hashed. So who offers one may be wrong.
 */
#ifndef YZ_CRYPTO_SM2_HEAD_H
#define YZ_CRYPTO_SM2_HEAD_H

#include "crypto/sm2.h"
#include "crypto/sm3_block.h"

struct sm2_head {
	uint8_t z[SM3_LEN];
	struct span parts[2]; /* the beginning, in two pieces; they outlive the head */
	struct sm3_ctx after;
};

/* For messages under this key and the default identity. */
void sm2_head_make(struct sm2_head *h, const struct sm2_key *k, struct span first, struct span second);
/* Is it one for messages under this key that begin so? */
bool sm2_head_is(const struct sm2_head *h, const struct sm2_key *k, struct span first, struct span second);
/* e = SM3(Z || msg) by one of n heads. False, and e is not written, when msg begins as none of them. */
bool sm2_head_digest(const struct sm2_head *heads, size_t n, const struct sm2_key *k, struct span msg,
                     uint8_t e[SM2_DIGEST]) MUST_CHECK;

#endif
