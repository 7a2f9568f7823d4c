/* Integers mod n, the order of SM2's base point (GB/T 32918.5).
 *
 * A scalar is four 64-bit limbs, least significant first, always fully reduced (< n). It is PLAIN unless a name says
 * "mont": Montgomery form is a·2^256 mod n. sm2_scalar_mont_mul() gives a·b/2^256, so that the product of a plain and a
 * Montgomery scalar is plain: a secret that multiplies often is kept in Montgomery form.
 *
 * Every function here is constant-time, results of from_bytes and the masks aside (the caller decides whether to branch
 * on them). Outputs may be the same object as inputs. Callers wipe their secrets; nothing secret stays behind in
 * statics, but the stack is not wiped here. */
#ifndef YZ_CRYPTO_SM2_SCALAR_H
#define YZ_CRYPTO_SM2_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

struct sm2_scalar {
	uint64_t v[4];
};

extern const uint64_t sm2_n[4]; /* n, plain limbs */

/* 32 big-endian bytes. False, and zero in `out`, when the number is not below n. Zero itself is accepted. */
bool sm2_scalar_from_bytes(struct sm2_scalar *out, const uint8_t in[32]);
/* 32 big-endian bytes of any value, reduced mod n: a digest. */
void sm2_scalar_reduce(struct sm2_scalar *out, const uint8_t in[32]);
/* 64 big-endian bytes, reduced mod n: randomness twice as long as n, so that the bias is below 2^-256. */
void sm2_scalar_reduce_wide(struct sm2_scalar *out, const uint8_t in[64]);
void sm2_scalar_to_bytes(uint8_t out[32], const struct sm2_scalar *a);

void sm2_scalar_add(struct sm2_scalar *out, const struct sm2_scalar *a, const struct sm2_scalar *b);
void sm2_scalar_sub(struct sm2_scalar *out, const struct sm2_scalar *a, const struct sm2_scalar *b);
void sm2_scalar_neg(struct sm2_scalar *out, const struct sm2_scalar *a);
/* Plain a·b mod n: two Montgomery multiplications. */
void sm2_scalar_mul(struct sm2_scalar *out, const struct sm2_scalar *a, const struct sm2_scalar *b);
/* Plain inverse by a fixed chain for n - 2; the inverse of zero is zero. */
void sm2_scalar_inv(struct sm2_scalar *out, const struct sm2_scalar *a);

void sm2_scalar_to_mont(struct sm2_scalar *out, const struct sm2_scalar *plain);
void sm2_scalar_from_mont(struct sm2_scalar *out, const struct sm2_scalar *mont);
/* a·b/2^256 mod n. */
void sm2_scalar_mont_mul(struct sm2_scalar *out, const struct sm2_scalar *a, const struct sm2_scalar *b);

/* All ones when a = 0 (a = b), else 0. */
uint64_t sm2_scalar_zero_mask(const struct sm2_scalar *a);
uint64_t sm2_scalar_equal_mask(const struct sm2_scalar *a, const struct sm2_scalar *b);
/* out = mask ? a : out, where mask is all ones or 0. */
void sm2_scalar_select(struct sm2_scalar *out, const struct sm2_scalar *a, uint64_t mask);

/* A scalar as 32 odd signed digits, least significant first: k = sum of digit(i)·2^(8i) mod n, |digit| <= 255, never 0.
 * at[i]: bits 0-6 are the index j of the table's entry, whose multiple is 2j + 1; bit 7 says that it is negative.
 * Every scalar has this form, zero too (as -n): an even k is taken as -(n - k). */
struct sm2_digits {
	uint8_t at[32];
};

/* Constant-time; serves public and secret scalars. */
void sm2_scalar_recode(struct sm2_digits *out, const struct sm2_scalar *k);

#endif
