/* Points of SM2's curve y^2 = x^3 - 3x + b over the field of sm2_field.h. Its order is the prime n: every point on the
 * curve other than infinity has order n, there are no small subgroups.
 *
 * All of these functions are complete: infinity, equal and opposite points give the right sum. Those named _secret are
 * constant-time; all others branch on what they meet and are for public points only. Outputs may be the same object as
 * inputs. They choose the path (cpu.h) in each call; whole sums are in sm2_core.h. */
#ifndef YZ_CRYPTO_SM2_POINT_H
#define YZ_CRYPTO_SM2_POINT_H

#include "crypto/sm2_field.h"

/* A point other than infinity: 64 bytes, Montgomery form. */
struct sm2_affine {
	struct sm2_fe x, y;
};

/* (X/Z^2, Y/Z^3); Z = 0 is infinity, whatever X and Y are. */
struct sm2_jacobian {
	struct sm2_fe x, y, z;
};

extern const struct sm2_affine sm2_g;   /* the base point */
extern const struct sm2_fe sm2_curve_b; /* b, Montgomery form */

/* Two coordinates of 32 big-endian bytes each. False when one is not below p or the point is not on the curve; then
 * `out` is not written. Nothing else needs to be checked of a public key (the order is prime). */
bool sm2_point_from_bytes(struct sm2_affine *out, const uint8_t x[32], const uint8_t y[32]);
void sm2_point_to_bytes(uint8_t x[32], uint8_t y[32], const struct sm2_affine *a);
bool sm2_point_on_curve(const struct sm2_affine *a);
bool sm2_point_is_infinity(const struct sm2_jacobian *a);
void sm2_point_set_infinity(struct sm2_jacobian *out);
void sm2_point_from_affine(struct sm2_jacobian *out, const struct sm2_affine *a);

void sm2_point_neg(struct sm2_affine *out, const struct sm2_affine *a);
void sm2_point_double(struct sm2_jacobian *out, const struct sm2_jacobian *a);
void sm2_point_add_affine(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b);
void sm2_point_add(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_jacobian *b);
/* Constant-time; serves public points too. One inversion. Infinity gives x = y = 0, which is no point of the curve, and
 * false; branching on the result tells only whether it was infinity. */
bool sm2_point_to_affine_secret(struct sm2_affine *out, const struct sm2_jacobian *a);
/* a + b in constant time, for any two points. */
void sm2_point_add_affine_secret(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b);

#endif
