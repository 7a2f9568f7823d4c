#include "crypto/sm2_core.h"

#include "crypto/cpu.h"
#include "crypto/rand.h"
#include "crypto/sm2_core_ops.h"
#include "crypto/sm2_field_portable.h"
#include "crypto/sm2_select.h"

const struct sm2_core_ops *sm2_core_ops(void)
{
#if defined(__x86_64__)
	if ((cpu_paths() & CPU_ADX) != 0)
		return &sm2_core_adx;
#endif
	return &sm2_core_portable;
}

/* The x coordinates, before reduction mod n, that give (r - e) mod n: it, and it + n when that is below p. */
static void set_candidates(struct sm2_claim *out, const struct sm2_scalar *x)
{
	uint64_t carry = 0, borrow = 0, t[4];

	sm2_fe_to_mont(&out->x[0], x->v);
	out->candidates = 1;
	for (int i = 0; i < 4; i++)
		t[i] = sm2_addc(x->v[i], sm2_n[i], &carry);
	(void)sm2_subb(t[0], SM2_P0, &borrow);
	(void)sm2_subb(t[1], SM2_P1, &borrow);
	(void)sm2_subb(t[2], SM2_P2, &borrow);
	(void)sm2_subb(t[3], SM2_P3, &borrow);
	if (carry == 0 && borrow != 0) {
		sm2_fe_to_mont(&out->x[1], t);
		out->candidates = 2;
	}
}

static bool claim_of(struct sm2_claim *out, struct sm2_scalar *t, const uint8_t e[32], const uint8_t r[32],
                     const uint8_t s[32])
{
	struct sm2_scalar re, rr, rs;

	if (!sm2_scalar_from_bytes(&rr, r) || sm2_scalar_zero_mask(&rr) != 0 || !sm2_scalar_from_bytes(&rs, s) ||
	    sm2_scalar_zero_mask(&rs) != 0)
		return false;
	sm2_scalar_add(t, &rr, &rs);
	if (sm2_scalar_zero_mask(t) != 0)
		return false;
	sm2_scalar_recode(&out->s, &rs);
	sm2_scalar_recode(&out->t, t);
	sm2_scalar_reduce(&re, e);
	sm2_scalar_sub(&re, &rr, &re);
	set_candidates(out, &re);
	return true;
}

bool sm2_core_claim(struct sm2_claim *out, const uint8_t e[32], const uint8_t r[32], const uint8_t s[32])
{
	struct sm2_scalar t;

	return claim_of(out, &t, e, r, s);
}

bool sm2_core_verify_claim(const struct sm2_table *key, const struct sm2_claim *claim)
{
	return sm2_core_ops()->verify_known_complete(sm2_table_base(), key, claim);
}

#if defined(__x86_64__)
/* Is one of the claimed x coordinates x/zz? */
static bool fits(const struct sm2_claim *claim, const struct sm2_fe *x, const struct sm2_fe *zz)
{
	struct sm2_fe t;
	bool found = false;

	for (unsigned i = 0; i < claim->candidates; i++) {
		sm2_fe_mul(&t, &claim->x[i], zz);
		found |= sm2_fe_equal_mask(&t, x) != 0;
	}
	return found;
}

/* The same for 16 x/zz. */
static bool fits_sixteenfold(const struct sm2_claim *claim, struct sm2_fe *x, const struct sm2_fe *zz)
{
	for (int i = 0; i < 4; i++)
		sm2_fe_add(x, x, x);
	return fits(claim, x, zz);
}

/* Eight lanes for one sum. An irregular one goes the complete way. */
static bool verify_known_ifma(const struct sm2_table *key, const struct sm2_claim *claim)
{
	struct sm2_fe x, zz;

	sm2_core_known_ifma(&x, &zz, sm2_table_base(), key, claim);
	if (sm2_fe_zero_mask(&zz) != 0)
		return sm2_core_verify_claim(key, claim);
	return fits_sixteenfold(claim, &x, &zz);
}

/* The base point's part alone in lanes. Neither part can be infinity, as s and t are not 0. */
static bool verify_unknown_ifma(const struct sm2_affine *key, const struct sm2_scalar *t, const struct sm2_claim *claim)
{
	const struct sm2_core_ops *ops = sm2_core_ops();
	struct sm2_jacobian sg, tp;
	struct sm2_fe zz;

	sm2_core_base_ifma(&sg, sm2_table_base(), &claim->s);
	ops->multiply(&tp, t, key);
	if (sm2_point_is_infinity(&sg) || sm2_point_is_infinity(&tp))
		ops->sum(&sg, sm2_table_base(), &claim->s, t, key);
	else
		ops->point_add(&sg, &sg, &tp);
	sm2_fe_sqr(&zz, &sg.z);
	return !sm2_point_is_infinity(&sg) && fits(claim, &sg.x, &zz);
}

/* Empty places repeat the first claim. */
static void verify_lanes(struct sm2_lanes *l)
{
	struct sm2_fe x[SM2_LANES], zz[SM2_LANES];

	for (size_t i = l->n; i < SM2_LANES; i++) {
		l->key[i] = l->key[0];
		l->claim[i] = l->claim[0];
	}
	sm2_core_lanes_ifma(x, zz, l->key, l->claim);
	for (size_t i = 0; i < l->n; i++) {
		if (sm2_fe_zero_mask(&zz[i]) != 0)
			l->open |= 1U << i;
		else if (fits_sixteenfold(&l->claim[i], &x[i], &zz[i]))
			l->good |= 1U << i;
	}
}
#endif

bool sm2_core_has_lanes(void)
{
	return (cpu_paths() & CPU_IFMA) != 0;
}

void sm2_core_verify_lanes(struct sm2_lanes *l)
{
	l->good = l->open = 0;
#if defined(__x86_64__)
	if (sm2_core_has_lanes()) {
		verify_lanes(l);
		return;
	}
#endif
	l->open = (1U << l->n) - 1;
}

bool sm2_core_verify_known(const struct sm2_table *key, const uint8_t e[32], const uint8_t r[32], const uint8_t s[32])
{
	struct sm2_claim claim;
	struct sm2_scalar t;

	if (!claim_of(&claim, &t, e, r, s))
		return false;
#if defined(__x86_64__)
	if ((cpu_paths() & CPU_IFMA) != 0)
		return verify_known_ifma(key, &claim);
#endif
	return sm2_core_ops()->verify_known(sm2_table_base(), key, &claim);
}

bool sm2_core_verify_unknown(const struct sm2_affine *key, const uint8_t e[32], const uint8_t r[32],
                             const uint8_t s[32])
{
	struct sm2_claim claim;
	struct sm2_scalar t;

	if (!claim_of(&claim, &t, e, r, s))
		return false;
#if defined(__x86_64__)
	if ((cpu_paths() & CPU_IFMA) != 0)
		return verify_unknown_ifma(key, &t, &claim);
#endif
	return sm2_core_ops()->verify_unknown(sm2_table_base(), key, &t, &claim);
}

/* False when there are no lanes; and for k = 0 and the few k (of 2^256) of which two parts meet: a secret decides this
 * branch, but no signature will ever take it. */
static bool base_in_lanes(struct sm2_jacobian *out, const struct sm2_affine entry[SM2_WINDOWS],
                          const struct sm2_digits *digits)
{
#if defined(__x86_64__)
	if ((cpu_paths() & CPU_IFMA) != 0) {
		sm2_core_chosen_ifma(out, entry, digits);
		return !sm2_point_is_infinity(out);
	}
#endif
	return false;
}

void sm2_core_base_secret(struct sm2_jacobian *out, const struct sm2_scalar *k)
{
	struct sm2_affine entry[SM2_WINDOWS];
	struct sm2_digits digits;

	sm2_scalar_recode(&digits, k);
	sm2_select_secret(entry, sm2_table_base(), &digits);
	if (!base_in_lanes(out, entry, &digits))
		sm2_core_ops()->base_secret(out, entry, &digits);
	secret_wipe(entry, sizeof(entry));
	secret_wipe(&digits, sizeof(digits));
}

void sm2_core_sum(struct sm2_jacobian *out, const struct sm2_scalar *s, const struct sm2_scalar *t,
                  const struct sm2_affine *p)
{
	struct sm2_digits digits;

	sm2_scalar_recode(&digits, s);
	sm2_core_ops()->sum(out, sm2_table_base(), &digits, t, p);
}
