/* The field of SM2's curve: integers mod p = 2^256 - 2^224 - 2^96 + 2^64 - 1 (GB/T 32918.5).
 *
 * An element is kept in Montgomery form (a·2^256 mod p), four 64-bit limbs, least significant first, and is always
 * fully reduced (< p) between functions: zero has one representation, and equality is equality of limbs.
 *
 * Every function here is constant-time: no branch, index or instruction of varying duration depends on a value.
 * Outputs may be the same object as inputs.
 *
 * These functions choose the path (cpu.h) in each call. Loops over many multiplications do not use them but are
 * compiled once per path over sm2_field_inline.h. */
#ifndef YZ_CRYPTO_SM2_FIELD_H
#define YZ_CRYPTO_SM2_FIELD_H

#include <stdbool.h>
#include <stdint.h>

struct sm2_fe {
	uint64_t v[4];
};

/* p itself, as plain limbs. */
#define SM2_P0 UINT64_C(0xffffffffffffffff)
#define SM2_P1 UINT64_C(0xffffffff00000000)
#define SM2_P2 UINT64_C(0xffffffffffffffff)
#define SM2_P3 UINT64_C(0xfffffffeffffffff)

extern const struct sm2_fe sm2_fe_zero;
extern const struct sm2_fe sm2_fe_one; /* 2^256 mod p */

/* 32 big-endian bytes. False, and zero in `out`, when the number is not below p. */
bool sm2_fe_from_bytes(struct sm2_fe *out, const uint8_t in[32]);
void sm2_fe_to_bytes(uint8_t out[32], const struct sm2_fe *a);
/* Plain limbs (< p; not checked) into Montgomery form, and back. */
void sm2_fe_to_mont(struct sm2_fe *out, const uint64_t plain[4]);
void sm2_fe_from_mont(uint64_t plain[4], const struct sm2_fe *a);

void sm2_fe_add(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b);
void sm2_fe_sub(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b);
void sm2_fe_neg(struct sm2_fe *out, const struct sm2_fe *a);
void sm2_fe_mul(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b);
void sm2_fe_sqr(struct sm2_fe *out, const struct sm2_fe *a);
/* 1/a by a fixed addition chain for p - 2; the inverse of zero is zero. */
void sm2_fe_inv(struct sm2_fe *out, const struct sm2_fe *a);

/* All ones when a = 0 (a = b), else 0. */
uint64_t sm2_fe_zero_mask(const struct sm2_fe *a);
uint64_t sm2_fe_equal_mask(const struct sm2_fe *a, const struct sm2_fe *b);
/* out = mask ? a : out, where mask is all ones or 0. */
void sm2_fe_select(struct sm2_fe *out, const struct sm2_fe *a, uint64_t mask);

#endif
