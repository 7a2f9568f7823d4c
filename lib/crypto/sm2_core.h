/* SM2's sums as whole operations: verification of one signature (GB/T 32918.2 clause 7.1, steps B1, B2 and B5 to B7)
 * and multiples of the base point. Digests, identities, DER and keys' encodings are the callers' business (sm2.h).
 *
 * e, r, s are 32 big-endian bytes. e is any digest value (it counts mod n). r and s are as the signature states them:
 * the range 1..n-1 is checked here. Inputs of the verifications are public: time varies with them. */
#ifndef YZ_CRYPTO_SM2_CORE_H
#define YZ_CRYPTO_SM2_CORE_H

#include <stddef.h>

#include "crypto/sm2_scalar.h"
#include "crypto/sm2_table.h"

/* Does (r, s) fit e under the key whose table this is? 64 additions, no doubling, no inversion. */
bool sm2_core_verify_known(const struct sm2_table *key, const uint8_t e[32], const uint8_t r[32], const uint8_t s[32]);

/* The same for a key without a table (on the curve; not checked): base point's table and width-5 NAF of the key. */
bool sm2_core_verify_unknown(const struct sm2_affine *key, const uint8_t e[32], const uint8_t r[32],
                             const uint8_t s[32]);

/* What a verification starts from, for those who sum in their own way (batches). */
struct sm2_claim {
	struct sm2_digits s, t; /* of s and of t = r + s: the sum is s·G + t·P */
	struct sm2_fe x[2];     /* the x coordinates (Montgomery form) that the sum may have: (r - e) mod n, and + n */
	unsigned candidates;    /* 1, or 2 when (r - e) mod n + n is below p */
};

/* False when r or s is out of range or r + s = n: the signature is bad, whatever the key. */
bool sm2_core_claim(struct sm2_claim *out, const uint8_t e[32], const uint8_t r[32], const uint8_t s[32]);

/* The judgement of a claim, complete (equal, opposite points, infinity), for jobs that a batch found irregular. */
bool sm2_core_verify_claim(const struct sm2_table *key, const struct sm2_claim *claim);

/* Claims under keys without a table (on the curve), side by side. The answers are sets of bits, one for each of them:
 * in `good` those that are right, in `open` those that are to be judged alone (where equal or opposite points met; all
 * of them where this machine has no lanes). n is from 1 to SM2_LANES; the others' places may be empty. */
enum { SM2_LANES = 8 };
struct sm2_lanes {
	const struct sm2_affine *key[SM2_LANES];
	struct sm2_claim claim[SM2_LANES];
	size_t n;
	unsigned good, open; /* out */
};
void sm2_core_verify_lanes(struct sm2_lanes *l);
/* Whether there are lanes: then so many in them are faster than one by one (measured). */
enum { SM2_LANES_LEAST = 3 };
bool sm2_core_has_lanes(void);

/* k·G in constant time for a secret k (1..n-1; 0 gives infinity): every table entry is read and masked. */
void sm2_core_base_secret(struct sm2_jacobian *out, const struct sm2_scalar *k);

/* s·G + t·P with complete formulas for any s, t (public). The tests' and the irregular cases' way. */
void sm2_core_sum(struct sm2_jacobian *out, const struct sm2_scalar *s, const struct sm2_scalar *t,
                  const struct sm2_affine *p);

#endif
