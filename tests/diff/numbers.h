/* Numbers of 256 bits that look for trouble: uniform ones, and sparse, dense, in runs, near 0, n, p and 2^256. */
#ifndef YZ_TESTS_DIFF_NUMBERS_H
#define YZ_TESTS_DIFF_NUMBERS_H

#include <openssl/bn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SplitMix64: a seed gives the same run again. */
struct numbers {
	uint64_t state;
};

uint64_t numbers_next(struct numbers *n);
/* 0 .. limit - 1; limit not 0. */
uint64_t numbers_below(struct numbers *n, uint64_t limit);
void numbers_bytes(struct numbers *n, uint8_t *out, size_t len);

/* Any value of 256 bits, as four limbs, least significant first. */
void numbers_256(struct numbers *n, uint64_t out[4]);
/* The same less the modulus (of more than 255 bits) where it is not below it. */
void numbers_mod(struct numbers *n, const uint64_t modulus[4], uint64_t out[4]);

extern const uint64_t number_p[4], number_n[4];

void limbs_to_bytes(const uint64_t limbs[4], uint8_t out[32]);
void limbs_to_bn(const uint64_t limbs[4], BIGNUM *out);
/* False when it does not fit 256 bits. */
bool limbs_from_bn(const BIGNUM *v, uint64_t out[4]);
bool limbs_equal(const uint64_t a[4], const uint64_t b[4]);

#endif
