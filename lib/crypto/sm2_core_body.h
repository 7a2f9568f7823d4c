/* The whole operations of sm2_core_ops.h, compiled once per path: sm2_core_portable.c and sm2_core_adx.c include this
 * file after choosing the field's multiplication, and nobody else does. */
#include "crypto/rand.h"
#include "crypto/sm2_core_ops.h"
#include "crypto/sm2_point_inline.h"

static void op_add(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	fe_add(out, a, b);
}

static void op_sub(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	fe_sub(out, a, b);
}

static void op_mul(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	fe_mul(out, a, b);
}

static void op_sqr(struct sm2_fe *out, const struct sm2_fe *a)
{
	fe_sqr(out, a);
}

static void op_inv(struct sm2_fe *out, const struct sm2_fe *a)
{
	fe_inv(out, a);
}

/* ---- complete additions ------------------------------------------------------------------------------------- */

static void point_double(struct sm2_jacobian *out, const struct sm2_jacobian *a)
{
	pt_double(out, a);
}

static const struct sm2_jacobian *settled(struct sm2_jacobian *sum, const struct sm2_meeting *m,
                                          const struct sm2_jacobian *a)
{
	if (fe_zero_mask(&m->h) != 0 && fe_zero_mask(&m->r) != 0)
		pt_double(sum, a);
	return sum; /* opposite points: Z1·Z2·H = 0 is infinity already */
}

static void point_add_affine(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b)
{
	struct sm2_jacobian sum;
	struct sm2_meeting m;

	if (fe_zero_mask(&a->z) != 0) {
		pt_from_affine(out, b);
		return;
	}
	pt_add_affine(&sum, a, b, &m);
	*out = *settled(&sum, &m, a);
}

static void point_add(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_jacobian *b)
{
	struct sm2_jacobian sum;
	struct sm2_readd again;
	struct sm2_meeting m;

	if (fe_zero_mask(&a->z) != 0) {
		*out = *b;
		return;
	}
	if (fe_zero_mask(&b->z) != 0) {
		*out = *a;
		return;
	}
	pt_readd_from(&again, b);
	pt_readd(&sum, a, &again, &m);
	*out = *settled(&sum, &m, a);
}

static void select_jacobian(struct sm2_jacobian *out, const struct sm2_jacobian *a, uint64_t mask)
{
	fe_select(&out->x, &a->x, mask);
	fe_select(&out->y, &a->y, mask);
	fe_select(&out->z, &a->z, mask);
}

/* All three answers are computed, masks choose. */
static void point_add_affine_secret(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b)
{
	struct sm2_jacobian sum, twice, single;
	struct sm2_meeting m;
	uint64_t infinite = fe_zero_mask(&a->z);

	pt_add_affine(&sum, a, b, &m);
	pt_from_affine(&single, b);
	pt_double(&twice, &single);
	select_jacobian(&sum, &twice, fe_zero_mask(&m.h) & fe_zero_mask(&m.r) & ~infinite);
	select_jacobian(&sum, &single, infinite);
	*out = sum;
}

/* ---- tables ------------------------------------------------------------------------------------------------- */

/* All of 2^0·P .. 2^255·P as affine points, by one inversion: prefix products of Z forward, inverses backward. */
static void powers_of_two(struct sm2_affine out[256], const struct sm2_affine *p)
{
	struct sm2_fe z[256], before[256], inverse, t;
	struct sm2_jacobian now;

	pt_from_affine(&now, p);
	t = now.z;
	for (int i = 0; i < 256; i++) {
		out[i].x = now.x;
		out[i].y = now.y;
		z[i] = now.z;
		pt_double(&now, &now);
	}
	for (int i = 0; i < 256; i++) {
		before[i] = t;
		fe_mul(&t, &t, &z[i]);
	}
	fe_inv(&inverse, &t);
	for (int i = 255; i >= 0; i--) {
		fe_mul(&t, &inverse, &before[i]); /* 1/Z */
		fe_mul(&inverse, &inverse, &z[i]);
		fe_mul(&out[i].y, &out[i].y, &t);
		fe_sqr(&t, &t);
		fe_mul(&out[i].x, &out[i].x, &t);
		fe_mul(&out[i].y, &out[i].y, &t);
	}
}

/* out = a + b for affine points, where `inverse` is 1/(b.x - a.x). */
static void add_with_inverse(struct sm2_affine *out, const struct sm2_affine *a, const struct sm2_affine *b,
                             const struct sm2_fe *inverse)
{
	struct sm2_fe slope, x;

	fe_sub(&slope, &b->y, &a->y);
	fe_mul(&slope, &slope, inverse);
	fe_sqr(&x, &slope);
	fe_sub(&x, &x, &a->x);
	fe_sub(&x, &x, &b->x);
	fe_sub(&out->y, &a->x, &x);
	fe_mul(&out->y, &out->y, &slope);
	fe_sub(&out->y, &out->y, &a->y);
	out->x = x;
}

/* The entries `have` .. 2·have - 1 of every window are those before them plus 2·have times the window's base. One
 * inversion for all: the entries that are still empty hold the differences (y) and their products so far (x). Equal or
 * opposite points cannot meet: as multiples of P both are below n, and so is their sum. */
static void table_level(struct sm2_table *out, const struct sm2_affine power[256], int level)
{
	int have = 1 << level;
	struct sm2_fe t = {{1, UINT64_C(0xffffffff), 0, UINT64_C(0x100000000)}}, inverse;

	for (int i = 0; i < SM2_WINDOWS; i++) {
		for (int j = 0; j < have; j++) {
			struct sm2_affine *to = &out->at[i][have + j];

			fe_sub(&to->y, &power[8 * i + level + 1].x, &out->at[i][j].x);
			to->x = t;
			fe_mul(&t, &t, &to->y);
		}
	}
	fe_inv(&inverse, &t);
	for (int i = SM2_WINDOWS - 1; i >= 0; i--) {
		for (int j = have - 1; j >= 0; j--) {
			struct sm2_affine *to = &out->at[i][have + j];

			fe_mul(&t, &inverse, &to->x);
			fe_mul(&inverse, &inverse, &to->y);
			add_with_inverse(to, &out->at[i][j], &power[8 * i + level + 1], &t);
		}
	}
}

static void table_build(struct sm2_table *out, const struct sm2_affine *p)
{
	struct sm2_affine power[256];

	powers_of_two(power, p);
	for (int i = 0; i < SM2_WINDOWS; i++)
		out->at[i][0] = power[8 * i];
	for (int level = 0; level < 7; level++)
		table_level(out, power, level);
}

/* ---- sums of table entries ---------------------------------------------------------------------------------- */

static inline void entry_of(struct sm2_affine *out, const struct sm2_table *table, int i, uint8_t digit)
{
	*out = table->at[i][digit & 127];
	fe_negate_if(&out->y, 0 - (uint64_t)(digit >> 7));
}

static inline void prefetch(const struct sm2_table *table, const struct sm2_digits *d)
{
	for (int i = 0; i < SM2_WINDOWS; i++)
		__builtin_prefetch(&table->at[i][d->at[i] & 127]);
}

static void add_digits(struct sm2_xyzz *acc, const struct sm2_table *table, const struct sm2_digits *d, int from)
{
	struct sm2_meeting m;
	struct sm2_affine entry;

	for (int i = from; i < SM2_WINDOWS; i++) {
		entry_of(&entry, table, i, d->at[i]);
		pt_xyzz_add(acc, &entry, &m);
	}
}

static void add_digits_complete(struct sm2_jacobian *acc, const struct sm2_table *table, const struct sm2_digits *d)
{
	struct sm2_affine entry;

	for (int i = 0; i < SM2_WINDOWS; i++) {
		entry_of(&entry, table, i, d->at[i]);
		point_add_affine(acc, acc, &entry);
	}
}

static void xyzz_from_affine(struct sm2_xyzz *out, const struct sm2_affine *a)
{
	struct sm2_jacobian j;

	pt_from_affine(&j, a);
	out->x = j.x;
	out->y = j.y;
	out->zz = out->zzz = j.z;
}

/* Is one of the claimed x coordinates x/zz? */
static bool fits(const struct sm2_claim *claim, const struct sm2_fe *x, const struct sm2_fe *zz)
{
	struct sm2_fe t;

	for (unsigned i = 0; i < claim->candidates; i++) {
		fe_mul(&t, &claim->x[i], zz);
		if (fe_equal_mask(&t, x) != 0)
			return true;
	}
	return false;
}

static bool fits_jacobian(const struct sm2_claim *claim, const struct sm2_jacobian *sum)
{
	struct sm2_fe zz;

	if (fe_zero_mask(&sum->z) != 0)
		return false;
	fe_sqr(&zz, &sum->z);
	return fits(claim, &sum->x, &zz);
}

static bool verify_known_complete(const struct sm2_table *base, const struct sm2_table *key,
                                  const struct sm2_claim *claim)
{
	struct sm2_jacobian acc = {0};

	add_digits_complete(&acc, base, &claim->s);
	add_digits_complete(&acc, key, &claim->t);
	return fits_jacobian(claim, &acc);
}

static bool verify_known(const struct sm2_table *base, const struct sm2_table *key, const struct sm2_claim *claim)
{
	struct sm2_xyzz acc;
	struct sm2_affine first;

	prefetch(base, &claim->s);
	prefetch(key, &claim->t);
	entry_of(&first, base, 0, claim->s.at[0]);
	xyzz_from_affine(&acc, &first);
	add_digits(&acc, base, &claim->s, 1);
	add_digits(&acc, key, &claim->t, 0);
	if (fe_zero_mask(&acc.zz) != 0)
		return verify_known_complete(base, key, claim);
	return fits(claim, &acc.x, &acc.zz);
}

/* ---- one point without a table ------------------------------------------------------------------------------ */

enum { NAF_WIDTH = 5, NAF_ENTRIES = 1 << (NAF_WIDTH - 2), NAF_MAX = 257 };

/* Width-5 NAF, least significant first: odd digits |d| < 16 with at least four zeros between them. Returns its length.
 * Public scalars only. */
static int naf_of(int8_t naf[NAF_MAX], const struct sm2_scalar *k)
{
	uint64_t v[5] = {k->v[0], k->v[1], k->v[2], k->v[3], 0};
	int len = 0, carry = 0;

	for (int i = 0; i < NAF_MAX; i++)
		naf[i] = 0;
	for (int i = 0; i < NAF_MAX;) {
		int word = i / 64, bit = i % 64, digit;
		uint64_t window = v[word] >> bit;

		if (bit > 64 - NAF_WIDTH && word < 4)
			window |= v[word + 1] << (64 - bit);
		digit = (int)(window & ((1U << NAF_WIDTH) - 1)) + carry;
		if ((digit & 1) == 0) {
			i++;
			continue;
		}
		carry = digit >> (NAF_WIDTH - 1);
		naf[i] = (int8_t)(digit - (carry << NAF_WIDTH));
		len = i + 1;
		i += NAF_WIDTH;
	}
	return len;
}

/* P, 3P .. 15P. On an isomorphic curve where 2P has Z = 1 they are sums with an affine point (additions use neither a
 * nor b); each Z is then multiplied by that of 2P. */
static void odd_multiples(struct sm2_readd out[NAF_ENTRIES], const struct sm2_affine *p)
{
	struct sm2_jacobian now, twice, real;
	struct sm2_affine step;
	struct sm2_meeting m;
	struct sm2_fe zz;

	pt_from_affine(&now, p);
	pt_double(&twice, &now);
	step.x = twice.x;
	step.y = twice.y;
	fe_sqr(&zz, &twice.z);
	fe_mul(&now.x, &now.x, &zz);
	fe_mul(&zz, &zz, &twice.z);
	fe_mul(&now.y, &now.y, &zz);
	for (int i = 0; i < NAF_ENTRIES; i++) {
		real = now;
		fe_mul(&real.z, &now.z, &twice.z);
		pt_readd_from(&out[i], &real);
		pt_add_affine(&now, &now, &step, &m);
	}
}

/* t·P for public t. Z = 0 when t = 0 or when the sum met an exception. */
static void multiply(struct sm2_jacobian *out, const struct sm2_scalar *t, const struct sm2_affine *p)
{
	struct sm2_readd odd[NAF_ENTRIES], entry;
	struct sm2_meeting m;
	int8_t naf[NAF_MAX];
	int top = naf_of(naf, t) - 1;

	*out = (struct sm2_jacobian){0};
	if (top < 0)
		return;
	odd_multiples(odd, p);
	*out = (struct sm2_jacobian){odd[naf[top] / 2].x, odd[naf[top] / 2].y, odd[naf[top] / 2].z};
	for (int i = top - 1; i >= 0; i--) {
		pt_double(out, out);
		if (naf[i] == 0)
			continue;
		entry = odd[(naf[i] < 0 ? -naf[i] : naf[i]) / 2];
		if (naf[i] < 0)
			fe_neg(&entry.y, &entry.y);
		pt_readd(out, out, &entry, &m);
	}
}

/* s·G + t·P, bit by bit and with complete additions. */
static void sum_complete(struct sm2_jacobian *out, const struct sm2_table *base, const struct sm2_digits *s,
                         const struct sm2_scalar *t, const struct sm2_affine *p)
{
	struct sm2_jacobian acc = {0};

	for (int i = 255; i >= 0; i--) {
		pt_double(&acc, &acc);
		if ((t->v[i / 64] >> (i % 64) & 1) != 0)
			point_add_affine(&acc, &acc, p);
	}
	add_digits_complete(&acc, base, s);
	*out = acc;
}

static bool verify_unknown(const struct sm2_table *base, const struct sm2_affine *key, const struct sm2_scalar *t,
                           const struct sm2_claim *claim)
{
	struct sm2_jacobian tp;
	struct sm2_xyzz acc;

	prefetch(base, &claim->s);
	multiply(&tp, t, key);
	pt_xyzz_from_jacobian(&acc, &tp);
	add_digits(&acc, base, &claim->s, 0);
	if (fe_zero_mask(&acc.zz) == 0)
		return fits(claim, &acc.x, &acc.zz);
	sum_complete(&tp, base, &claim->s, t, key);
	return fits_jacobian(claim, &tp);
}

/* ---- secret multiples of the base point --------------------------------------------------------------------- */

/* Windows are added from the lowest: before the last one, the sum's multiple is smaller in size than the next term's,
 * so that they are neither equal nor opposite. In the last addition the two can meet mod n; it is complete. */
static void base_secret(struct sm2_jacobian *out, struct sm2_affine entry[SM2_WINDOWS], const struct sm2_digits *k)
{
	struct sm2_meeting m;
	struct sm2_xyzz acc;
	struct sm2_jacobian sum;

	for (int i = 0; i < SM2_WINDOWS; i++)
		fe_negate_if(&entry[i].y, 0 - (uint64_t)(k->at[i] >> 7));
	xyzz_from_affine(&acc, &entry[0]);
	for (int i = 1; i < SM2_WINDOWS - 1; i++)
		pt_xyzz_add(&acc, &entry[i], &m);
	pt_xyzz_to_jacobian(&sum, &acc);
	point_add_affine_secret(out, &sum, &entry[SM2_WINDOWS - 1]);
	secret_wipe(&m, sizeof(m));
	secret_wipe(&acc, sizeof(acc));
	secret_wipe(&sum, sizeof(sum));
}

const struct sm2_core_ops SM2_CORE_OPS = {
    .add = op_add,
    .sub = op_sub,
    .mul = op_mul,
    .sqr = op_sqr,
    .inv = op_inv,
    .point_double = point_double,
    .point_add = point_add,
    .point_add_affine = point_add_affine,
    .point_add_affine_secret = point_add_affine_secret,
    .table_build = table_build,
    .verify_known = verify_known,
    .verify_known_complete = verify_known_complete,
    .verify_unknown = verify_unknown,
    .multiply = multiply,
    .sum = sum_complete,
    .base_secret = base_secret,
};
