/* What is compiled once per path: whole operations, so that the choice is made once in each. Internal to the SM2 files;
 * the meanings stand in sm2_field.h, sm2_point.h, sm2_table.h and sm2_core.h. */
#ifndef YZ_CRYPTO_SM2_CORE_OPS_H
#define YZ_CRYPTO_SM2_CORE_OPS_H

#include "crypto/sm2_core.h"

typedef void sm2_fe_op2(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b);
typedef void sm2_fe_op1(struct sm2_fe *out, const struct sm2_fe *a);

struct sm2_core_ops {
	sm2_fe_op2 *add, *sub, *mul;
	sm2_fe_op1 *sqr, *inv;
	void (*point_double)(struct sm2_jacobian *out, const struct sm2_jacobian *a);
	void (*point_add)(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_jacobian *b);
	void (*point_add_affine)(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b);
	void (*point_add_affine_secret)(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b);
	void (*table_build)(struct sm2_table *out, const struct sm2_affine *p);
	/* s·G + t·P from both tables; its x is compared with the claim's. */
	bool (*verify_known)(const struct sm2_table *base, const struct sm2_table *key, const struct sm2_claim *claim);
	bool (*verify_known_complete)(const struct sm2_table *base, const struct sm2_table *key,
	                              const struct sm2_claim *claim);
	bool (*verify_unknown)(const struct sm2_table *base, const struct sm2_affine *key, const struct sm2_scalar *t,
	                       const struct sm2_claim *claim);
	/* t·P, t public; Z = 0 for t = 0 and when equal or opposite points met on the way. */
	void (*multiply)(struct sm2_jacobian *out, const struct sm2_scalar *t, const struct sm2_affine *p);
	void (*sum)(struct sm2_jacobian *out, const struct sm2_table *base, const struct sm2_digits *s,
	            const struct sm2_scalar *t, const struct sm2_affine *p);
	/* The sum of the digits' entries (sm2_select.h), with their signs; they are changed on the way. */
	void (*base_secret)(struct sm2_jacobian *out, struct sm2_affine entry[SM2_WINDOWS], const struct sm2_digits *k);
};

extern const struct sm2_core_ops sm2_core_portable;
extern const struct sm2_core_ops sm2_core_adx; /* x86-64 only */

/* s·G + t·P in the lanes of AVX-512 IFMA (x86-64 with CPU_IFMA only): its x coordinate times 2^256 is 16·x/zz mod p.
 * zz = 0 says that the sum is infinity, or that equal or opposite points met on the way. */
void sm2_core_known_ifma(struct sm2_fe *x, struct sm2_fe *zz, const struct sm2_table *base, const struct sm2_table *key,
                         const struct sm2_claim *claim);

/* s·G + t·P of one claim and key in each lane; x and zz as above. Keys must be on the curve. */
void sm2_core_lanes_ifma(struct sm2_fe x[SM2_LANES], struct sm2_fe zz[SM2_LANES],
                         const struct sm2_affine *const key[SM2_LANES], const struct sm2_claim claim[SM2_LANES]);

/* k·G, its windows spread over the lanes, from the digits' entries in the table (public digits) or from those that
 * masks have chosen (constant-time). Z = 0 for k = 0, and for those few k of which two parts are equal or opposite mod
 * n. */
void sm2_core_base_ifma(struct sm2_jacobian *out, const struct sm2_table *base, const struct sm2_digits *d);
void sm2_core_chosen_ifma(struct sm2_jacobian *out, const struct sm2_affine chosen[SM2_WINDOWS],
                          const struct sm2_digits *d);

/* The best that cpu_paths() allows now. */
const struct sm2_core_ops *sm2_core_ops(void);

#endif
