/* Inversion in the field of sm2_field.h, faster than the fixed chain of sm2_fe_inv(): in constant time about twice as
 * fast, in time that depends on the value (for public ones) about five times. */
#ifndef YZ_CRYPTO_SM2_INVERSE_H
#define YZ_CRYPTO_SM2_INVERSE_H

#include "crypto/sm2_field.h"

#include <stddef.h>

/* 1/a, Montgomery form; the inverse of zero is zero. Constant-time. */
void sm2_fe_inv_secret(struct sm2_fe *out, const struct sm2_fe *a);
/* The same for public values. */
void sm2_fe_inv_public(struct sm2_fe *out, const struct sm2_fe *a);
/* The same for n elements, none of them zero, with one inversion for all. n is at most SM2_INV_MANY. */
enum { SM2_INV_MANY = 8 };
void sm2_fe_inv_many_public(struct sm2_fe *a, size_t n);

#endif
