/* Entries of a table where secret digits say: every entry of every window is read, in order, and masks keep one of
 * each. No address hangs on a digit, nor does the time. */
#ifndef YZ_CRYPTO_SM2_SELECT_H
#define YZ_CRYPTO_SM2_SELECT_H

#include "crypto/sm2_scalar.h"
#include "crypto/sm2_table.h"

/* out[i] is the entry of digit i, whose sign is left to the caller. A secret, to be wiped. */
void sm2_select_secret(struct sm2_affine out[SM2_WINDOWS], const struct sm2_table *t, const struct sm2_digits *k);

#endif
