#include "crypto/sm2_field.h"

#include "crypto/sm2_core_ops.h"

#define SM2_FE_ADX 0
#include "crypto/sm2_field_inline.h"

const struct sm2_fe sm2_fe_zero = {{0, 0, 0, 0}};
const struct sm2_fe sm2_fe_one = {{1, UINT64_C(0xffffffff), 0, UINT64_C(0x100000000)}};

/* 2^512 mod p. */
static const struct sm2_fe R2 = {
    {UINT64_C(0x200000003), UINT64_C(0x2ffffffff), UINT64_C(0x100000001), UINT64_C(0x400000002)}};

bool sm2_fe_from_bytes(struct sm2_fe *out, const uint8_t in[32])
{
	uint64_t t[4] = {0}, borrow = 0, below;

	for (int i = 0; i < 32; i++)
		t[3 - i / 8] = t[3 - i / 8] << 8 | in[i];
	(void)sm2_subb(t[0], SM2_P0, &borrow);
	(void)sm2_subb(t[1], SM2_P1, &borrow);
	(void)sm2_subb(t[2], SM2_P2, &borrow);
	(void)sm2_subb(t[3], SM2_P3, &borrow);
	below = 0 - borrow;
	for (int i = 0; i < 4; i++)
		t[i] &= below;
	sm2_fe_to_mont(out, t);
	return below != 0;
}

void sm2_fe_to_bytes(uint8_t out[32], const struct sm2_fe *a)
{
	uint64_t t[4];

	sm2_fe_from_mont(t, a);
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)(t[3 - i / 8] >> (56 - 8 * (i % 8)));
}

void sm2_fe_to_mont(struct sm2_fe *out, const uint64_t plain[4])
{
	struct sm2_fe t = {{plain[0], plain[1], plain[2], plain[3]}};

	sm2_fe_mul(out, &t, &R2);
}

void sm2_fe_from_mont(uint64_t plain[4], const struct sm2_fe *a)
{
	struct sm2_fe t;
	uint64_t wide[8] = {a->v[0], a->v[1], a->v[2], a->v[3]};

	sm2_fe_reduce(&t, wide);
	for (int i = 0; i < 4; i++)
		plain[i] = t.v[i];
}

void sm2_fe_add(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	sm2_core_ops()->add(out, a, b);
}

void sm2_fe_sub(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	sm2_core_ops()->sub(out, a, b);
}

void sm2_fe_neg(struct sm2_fe *out, const struct sm2_fe *a)
{
	sm2_core_ops()->sub(out, &sm2_fe_zero, a);
}

void sm2_fe_mul(struct sm2_fe *out, const struct sm2_fe *a, const struct sm2_fe *b)
{
	sm2_core_ops()->mul(out, a, b);
}

void sm2_fe_sqr(struct sm2_fe *out, const struct sm2_fe *a)
{
	sm2_core_ops()->sqr(out, a);
}

void sm2_fe_inv(struct sm2_fe *out, const struct sm2_fe *a)
{
	sm2_core_ops()->inv(out, a);
}

uint64_t sm2_fe_zero_mask(const struct sm2_fe *a)
{
	return fe_zero_mask(a);
}

uint64_t sm2_fe_equal_mask(const struct sm2_fe *a, const struct sm2_fe *b)
{
	return fe_equal_mask(a, b);
}

void sm2_fe_select(struct sm2_fe *out, const struct sm2_fe *a, uint64_t mask)
{
	fe_select(out, a, mask);
}
