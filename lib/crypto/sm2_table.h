/* The prepared multiples of a point that replace doublings.
 *
 * at[i][j] = (2j + 1)·2^(8i)·P for i = 0..31, j = 0..127, affine, Montgomery form: the digits of sm2_scalar_recode()
 * index it directly. No entry is infinity. 256 KiB. Building one takes about 30,000 multiplications (sm2_core_ops.h).
 */
#ifndef YZ_CRYPTO_SM2_TABLE_H
#define YZ_CRYPTO_SM2_TABLE_H

#include "crypto/sm2_point.h"

enum {
	SM2_WINDOWS = 32,  /* of 8 bits each */
	SM2_ENTRIES = 128, /* odd multiples 1, 3 … 255 per window */
	SM2_TABLE_ALIGN = 64,
};

struct sm2_table {
	_Alignas(64) struct sm2_affine at[SM2_WINDOWS][SM2_ENTRIES];
};

/* Fill `out` (SM2_TABLE_ALIGN-aligned, the caller's memory: aligned_alloc) for the public point `p`, which must be on
 * the curve (not checked). Needs about 25 kB of stack and no other memory; cannot fail. */
void sm2_table_build(struct sm2_table *out, const struct sm2_affine *p);

/* The base point's table, built at the first call (any thread, once) and constant afterwards. Never NULL. */
const struct sm2_table *sm2_table_base(void);

#endif
