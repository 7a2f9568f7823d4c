/* The parts of a key of sm2.h, for the files of this room that sum in their own way. */
#ifndef YZ_CRYPTO_SM2_KEY_H
#define YZ_CRYPTO_SM2_KEY_H

#include "crypto/digest.h"
#include "crypto/sm2.h"
#include "crypto/sm2_table.h"

/* On the curve. */
const struct sm2_affine *sm2_key_at(const struct sm2_key *k);
/* Its own table, sm2_key_prepare(); NULL: none. */
const struct sm2_table *sm2_key_table(const struct sm2_key *k);
/* Z for the default identity, SM3_LEN octets. */
const uint8_t *sm2_key_z(const struct sm2_key *k);
/* As sm2_verify_by(), of e = SM3(Z || msg); what was answered before (by.memo, by.ahead) is of messages, not of it. */
enum err sm2_verify_digest_by(struct sm2_means by, const struct sm2_key *k, const uint8_t e[SM2_DIGEST],
                              struct span sig) MUST_CHECK;

#endif
