#include "crypto/sm2_point.h"

#include "crypto/rand.h"
#include "crypto/sm2_core_ops.h"
#include "crypto/sm2_inverse.h"

const struct sm2_affine sm2_g = {
    {{UINT64_C(0x61328990f418029e), UINT64_C(0x3e7981eddca6c050), UINT64_C(0xd6a1ed99ac24c3c3),
      UINT64_C(0x91167a5ee1c13b05)}},
    {{UINT64_C(0xc1354e593c2d0ddd), UINT64_C(0xc1f5e5788d3295fa), UINT64_C(0x8d4cfb066e2a48f8),
      UINT64_C(0x63cd65d481d735bd)}},
};
const struct sm2_fe sm2_curve_b = {{UINT64_C(0x90d230632bc0dd42), UINT64_C(0x71cf379ae9b537ab),
                                    UINT64_C(0x527981505ea51c3c), UINT64_C(0x240fe188ba20e2c8)}};

bool sm2_point_on_curve(const struct sm2_affine *a)
{
	struct sm2_fe left, right, x3;

	sm2_fe_sqr(&left, &a->y);
	sm2_fe_sqr(&right, &a->x);
	sm2_fe_mul(&right, &right, &a->x);
	sm2_fe_add(&x3, &a->x, &a->x);
	sm2_fe_add(&x3, &x3, &a->x);
	sm2_fe_sub(&right, &right, &x3);
	sm2_fe_add(&right, &right, &sm2_curve_b);
	return sm2_fe_equal_mask(&left, &right) != 0;
}

bool sm2_point_from_bytes(struct sm2_affine *out, const uint8_t x[32], const uint8_t y[32])
{
	struct sm2_affine a;

	if (!sm2_fe_from_bytes(&a.x, x) || !sm2_fe_from_bytes(&a.y, y) || !sm2_point_on_curve(&a))
		return false;
	*out = a;
	return true;
}

void sm2_point_to_bytes(uint8_t x[32], uint8_t y[32], const struct sm2_affine *a)
{
	sm2_fe_to_bytes(x, &a->x);
	sm2_fe_to_bytes(y, &a->y);
}

bool sm2_point_is_infinity(const struct sm2_jacobian *a)
{
	return sm2_fe_zero_mask(&a->z) != 0;
}

void sm2_point_set_infinity(struct sm2_jacobian *out)
{
	*out = (struct sm2_jacobian){sm2_fe_one, sm2_fe_one, sm2_fe_zero};
}

void sm2_point_from_affine(struct sm2_jacobian *out, const struct sm2_affine *a)
{
	*out = (struct sm2_jacobian){a->x, a->y, sm2_fe_one};
}

void sm2_point_neg(struct sm2_affine *out, const struct sm2_affine *a)
{
	out->x = a->x;
	sm2_fe_neg(&out->y, &a->y);
}

void sm2_point_double(struct sm2_jacobian *out, const struct sm2_jacobian *a)
{
	sm2_core_ops()->point_double(out, a);
}

void sm2_point_add_affine(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b)
{
	sm2_core_ops()->point_add_affine(out, a, b);
}

void sm2_point_add(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_jacobian *b)
{
	sm2_core_ops()->point_add(out, a, b);
}

void sm2_point_add_affine_secret(struct sm2_jacobian *out, const struct sm2_jacobian *a, const struct sm2_affine *b)
{
	sm2_core_ops()->point_add_affine_secret(out, a, b);
}

bool sm2_point_to_affine_secret(struct sm2_affine *out, const struct sm2_jacobian *a)
{
	struct sm2_fe inverse, square;
	bool finite;

	sm2_fe_inv_secret(&inverse, &a->z);
	sm2_fe_sqr(&square, &inverse);
	sm2_fe_mul(&out->x, &a->x, &square);
	sm2_fe_mul(&square, &square, &inverse);
	sm2_fe_mul(&out->y, &a->y, &square);
	finite = sm2_fe_zero_mask(&inverse) == 0;
	secret_wipe(&inverse, sizeof(inverse));
	secret_wipe(&square, sizeof(square));
	return finite;
}
