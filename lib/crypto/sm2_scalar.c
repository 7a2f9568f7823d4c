#include "crypto/sm2_scalar.h"

#include <string.h>

#include "crypto/rand.h"
#include "crypto/sm2_field_portable.h"

const uint64_t sm2_n[4] = {UINT64_C(0x53bbf40939d54123), UINT64_C(0x7203df6b21c6052b), UINT64_C(0xffffffffffffffff),
                           UINT64_C(0xfffffffeffffffff)};

/* -1/n mod 2^64, and 2^512 mod n. */
static const uint64_t N_INVERSE = UINT64_C(0x327f9e8872350975);
static const struct sm2_scalar R2 = {{UINT64_C(0x901192af7c114f20), UINT64_C(0x3464504ade6fa2fa),
                                      UINT64_C(0x620fc84c3affe0d4), UINT64_C(0x1eb5e412a22b3d3b)}};
static const struct sm2_scalar ZERO, ONE = {{1, 0, 0, 0}};

static uint64_t load_be(const uint8_t *in)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

static void load(uint64_t out[4], const uint8_t in[32])
{
	for (int i = 0; i < 4; i++)
		out[i] = load_be(in + 8 * (3 - i));
}

/* out = (top:t) mod n for a value below 2n; the return value is all ones when it was below n already. */
static uint64_t subtract_n(struct sm2_scalar *out, const uint64_t t[4], uint64_t top)
{
	uint64_t borrow = 0, d[4], keep;

	for (int i = 0; i < 4; i++)
		d[i] = sm2_subb(t[i], sm2_n[i], &borrow);
	keep = 0 - (borrow & (top ^ 1));
	for (int i = 0; i < 4; i++)
		out->v[i] = (t[i] & keep) | (d[i] & ~keep);
	return keep;
}

bool sm2_scalar_from_bytes(struct sm2_scalar *out, const uint8_t in[32])
{
	uint64_t t[4], below;

	load(t, in);
	below = subtract_n(out, t, 0);
	for (int i = 0; i < 4; i++)
		out->v[i] &= below;
	return below != 0;
}

void sm2_scalar_reduce(struct sm2_scalar *out, const uint8_t in[32])
{
	uint64_t t[4];

	load(t, in);
	(void)subtract_n(out, t, 0);
}

/* high·2^256 + low: multiplying by 2^512 and dividing by 2^256 is what the high half needs. */
void sm2_scalar_reduce_wide(struct sm2_scalar *out, const uint8_t in[64])
{
	struct sm2_scalar high, low;

	sm2_scalar_reduce(&high, in);
	sm2_scalar_reduce(&low, in + 32);
	sm2_scalar_mont_mul(&high, &high, &R2);
	sm2_scalar_add(out, &high, &low);
}

void sm2_scalar_to_bytes(uint8_t out[32], const struct sm2_scalar *a)
{
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)(a->v[3 - i / 8] >> (56 - 8 * (i % 8)));
}

void sm2_scalar_add(struct sm2_scalar *out, const struct sm2_scalar *a, const struct sm2_scalar *b)
{
	uint64_t c = 0, t[4];

	for (int i = 0; i < 4; i++)
		t[i] = sm2_addc(a->v[i], b->v[i], &c);
	(void)subtract_n(out, t, c);
}

void sm2_scalar_sub(struct sm2_scalar *out, const struct sm2_scalar *a, const struct sm2_scalar *b)
{
	uint64_t borrow = 0, c = 0, t[4], mask;

	for (int i = 0; i < 4; i++)
		t[i] = sm2_subb(a->v[i], b->v[i], &borrow);
	mask = 0 - borrow;
	for (int i = 0; i < 4; i++)
		out->v[i] = sm2_addc(t[i], sm2_n[i] & mask, &c);
}

void sm2_scalar_neg(struct sm2_scalar *out, const struct sm2_scalar *a)
{
	sm2_scalar_sub(out, &ZERO, a);
}

/* Multiplication and reduction limb by limb (CIOS): t stays below 2n·2^64. */
void sm2_scalar_mont_mul(struct sm2_scalar *out, const struct sm2_scalar *a, const struct sm2_scalar *b)
{
	uint64_t t[6] = {0};

	for (int i = 0; i < 4; i++) {
		uint64_t c = 0, d = 0, m;

		for (int j = 0; j < 4; j++)
			t[j] = sm2_mac(a->v[j], b->v[i], t[j], &c);
		t[4] = sm2_addc(t[4], c, &d);
		t[5] = d;
		m = t[0] * N_INVERSE;
		c = 0;
		d = 0;
		(void)sm2_mac(m, sm2_n[0], t[0], &c);
		for (int j = 1; j < 4; j++)
			t[j - 1] = sm2_mac(m, sm2_n[j], t[j], &c);
		t[3] = sm2_addc(t[4], c, &d);
		t[4] = t[5] + d;
	}
	(void)subtract_n(out, t, t[4]);
}

void sm2_scalar_to_mont(struct sm2_scalar *out, const struct sm2_scalar *plain)
{
	sm2_scalar_mont_mul(out, plain, &R2);
}

void sm2_scalar_from_mont(struct sm2_scalar *out, const struct sm2_scalar *mont)
{
	sm2_scalar_mont_mul(out, mont, &ONE);
}

void sm2_scalar_mul(struct sm2_scalar *out, const struct sm2_scalar *a, const struct sm2_scalar *b)
{
	struct sm2_scalar mont;

	sm2_scalar_to_mont(&mont, a);
	sm2_scalar_mont_mul(out, &mont, b);
}

/* a^(n - 2) with a fixed window of 4 bits: the exponent is public, its 64 digits are the same for every a. */
void sm2_scalar_inv(struct sm2_scalar *out, const struct sm2_scalar *a)
{
	struct sm2_scalar power[16], acc;

	sm2_scalar_to_mont(&power[1], a);
	for (int i = 2; i < 16; i++)
		sm2_scalar_mont_mul(&power[i], &power[i - 1], &power[1]);
	acc = power[15]; /* the top digit of n - 2 */
	for (int i = 62; i >= 0; i--) {
		unsigned digit = (unsigned)((sm2_n[i / 16] - (i < 16 ? 2 : 0)) >> (4 * (i % 16))) & 15;

		for (int j = 0; j < 4; j++)
			sm2_scalar_mont_mul(&acc, &acc, &acc);
		if (digit != 0)
			sm2_scalar_mont_mul(&acc, &acc, &power[digit]);
	}
	sm2_scalar_from_mont(out, &acc);
	secret_wipe(power, sizeof(power)); /* a may be made of a private number */
	secret_wipe(&acc, sizeof(acc));
}

uint64_t sm2_scalar_zero_mask(const struct sm2_scalar *a)
{
	uint64_t any = a->v[0] | a->v[1] | a->v[2] | a->v[3];

	return ((any | (0 - any)) >> 63) - 1;
}

uint64_t sm2_scalar_equal_mask(const struct sm2_scalar *a, const struct sm2_scalar *b)
{
	struct sm2_scalar d;

	for (int i = 0; i < 4; i++)
		d.v[i] = a->v[i] ^ b->v[i];
	return sm2_scalar_zero_mask(&d);
}

void sm2_scalar_select(struct sm2_scalar *out, const struct sm2_scalar *a, uint64_t mask)
{
	for (int i = 0; i < 4; i++)
		out->v[i] ^= (out->v[i] ^ a->v[i]) & mask;
}

/* For odd k the digits are d_i = 2·w_i + 1 - 256 with w_i = bits 8i+1 .. 8i+8, and d_31 = 2·w_31 + 1 for the 7 bits
 * that are left: the sum of the (1 - 256)·256^i telescopes to 1 - 256^31. So every digit is found alone, without
 * carries. */
void sm2_scalar_recode(struct sm2_digits *out, const struct sm2_scalar *k)
{
	uint64_t odd[4], mask = (k->v[0] & 1) - 1, borrow = 0;

	for (int i = 0; i < 4; i++) {
		uint64_t minus = sm2_subb(sm2_n[i], k->v[i], &borrow);

		odd[i] = k->v[i] ^ ((k->v[i] ^ minus) & mask);
	}
	for (int i = 0; i < 32; i++) {
		uint64_t next = i % 8 < 7 ? 0 : i < 31 ? odd[i / 8 + 1] << 7 : 128; /* the top digit is positive */
		uint8_t w = (uint8_t)(odd[i / 8] >> (8 * (i % 8) + 1) | next);
		uint8_t negative = (uint8_t)((w >> 7) - 1); /* all ones for w < 128 */

		out->at[i] = (uint8_t)(((w ^ negative) & 127) | ((negative ^ (uint8_t)mask) & 128));
	}
}
