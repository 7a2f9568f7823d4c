/* Points beside OpenSSL's: sums of small multiples of a random point, so that equal points, opposite points and
 * infinity come up all the time, each in many Jacobian forms. */
#include "tests/diff/diff.h"

#include "crypto/sm2_core.h"
#include "crypto/sm2_point.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

enum { MULTIPLES = 9, POOL = 4 * MULTIPLES + 1, ORIGIN = 2 * MULTIPLES, FORMS = 400 };

struct pool {
	bool finite[POOL];
	uint8_t bytes[POOL][65]; /* what OpenSSL says of (i - ORIGIN) B */
	struct sm2_affine at[POOL];
};

static void fill(struct diff *d, const EC_GROUP *g, BN_CTX *ctx, struct pool *pool)
{
	EC_POINT *base = EC_POINT_new(g), *p = EC_POINT_new(g);
	BIGNUM *k = BN_new();
	uint64_t limbs[4];

	do {
		numbers_mod(&d->numbers, number_n, limbs);
		limbs_to_bn(limbs, k);
	} while (BN_is_zero(k));
	if (EC_POINT_mul(g, base, k, NULL, NULL, ctx) != 1)
		abort();
	for (int i = 0; i < POOL; i++) {
		const struct sm2_affine none = {{{0}}, {{0}}};

		BN_set_word(k, (BN_ULONG)abs(i - ORIGIN));
		BN_set_negative(k, i < ORIGIN);
		EC_POINT_mul(g, p, NULL, base, k, ctx);
		pool->finite[i] = i != ORIGIN;
		pool->at[i] = none;
		if (pool->finite[i] &&
		    (EC_POINT_point2oct(g, p, POINT_CONVERSION_UNCOMPRESSED, pool->bytes[i], 65, ctx) != 65 ||
		     !sm2_point_from_bytes(&pool->at[i], pool->bytes[i] + 1, pool->bytes[i] + 33)))
			abort();
	}
	BN_free(k);
	EC_POINT_free(base);
	EC_POINT_free(p);
}

static struct sm2_fe some_fe(struct diff *d)
{
	struct sm2_fe z;

	do
		numbers_mod(&d->numbers, number_p, z.v);
	while (sm2_fe_zero_mask(&z) != 0);
	return z;
}

/* Another form of the same point; infinity with whatever X and Y. */
static struct sm2_jacobian some_form(struct diff *d, const struct pool *pool, int i)
{
	struct sm2_jacobian out = {some_fe(d), some_fe(d), {{0}}};
	struct sm2_fe z2;

	if (!pool->finite[i])
		return out;
	sm2_point_from_affine(&out, &pool->at[i]);
	if (numbers_below(&d->numbers, 4) == 0)
		return out;
	out.z = some_fe(d);
	sm2_fe_sqr(&z2, &out.z);
	sm2_fe_mul(&out.x, &out.x, &z2);
	sm2_fe_mul(&z2, &z2, &out.z);
	sm2_fe_mul(&out.y, &out.y, &z2);
	return out;
}

static void is_multiple(struct diff *d, const struct pool *pool, const struct sm2_jacobian *p, int i, const char *what)
{
	const uint64_t *inputs[] = {pool->at[i].x.v, pool->at[i].y.v};
	struct sm2_affine a;
	uint8_t bytes[65] = {0x04};
	bool finite = sm2_point_to_affine_secret(&a, p), same;

	same = finite == pool->finite[i] && sm2_point_is_infinity(p) != finite;
	if (finite && same) {
		sm2_point_to_bytes(bytes + 1, bytes + 33, &a);
		same = memcmp(bytes, pool->bytes[i], 65) == 0 && sm2_point_on_curve(&a);
	}
	diff_check(d, same, what, inputs, 2);
}

static void sums(struct diff *d, const struct pool *pool)
{
	int i = (int)numbers_below(&d->numbers, 2 * MULTIPLES + 1) - MULTIPLES;
	int j = (int)numbers_below(&d->numbers, 2 * MULTIPLES + 1) - MULTIPLES;
	struct sm2_jacobian a = some_form(d, pool, ORIGIN + i), b = some_form(d, pool, ORIGIN + j), out;

	sm2_point_add(&out, &a, &b);
	is_multiple(d, pool, &out, ORIGIN + i + j, "point add");
	out = b;
	sm2_point_add(&out, &a, &out);
	is_multiple(d, pool, &out, ORIGIN + i + j, "point add, in place");
	sm2_point_double(&out, &a);
	is_multiple(d, pool, &out, ORIGIN + 2 * i, "point double");
	if (j == 0)
		return;
	sm2_point_add_affine(&out, &a, &pool->at[ORIGIN + j]);
	is_multiple(d, pool, &out, ORIGIN + i + j, "point add affine");
	out = a;
	sm2_point_add_affine_secret(&out, &out, &pool->at[ORIGIN + j]);
	is_multiple(d, pool, &out, ORIGIN + i + j, "point add affine secret");
}

/* Single coordinates changed: on the curve only if OpenSSL says so, and it never does here. */
static void off_curve(struct diff *d, const EC_GROUP *g, EC_POINT *p, BN_CTX *ctx, const struct pool *pool)
{
	const uint8_t *good = pool->bytes[ORIGIN + 1];
	struct sm2_affine a;
	uint8_t bytes[65];
	uint64_t limbs[4];

	memcpy(bytes, good, 65);
	numbers_256(&d->numbers, limbs);
	if (numbers_below(&d->numbers, 2) == 0)
		limbs_to_bytes(limbs, bytes + 1 + 32 * numbers_below(&d->numbers, 2));
	else
		bytes[1 + numbers_below(&d->numbers, 64)] ^= (uint8_t)(1u << numbers_below(&d->numbers, 8));
	diff_check(d, sm2_point_from_bytes(&a, bytes + 1, bytes + 33) == (EC_POINT_oct2point(g, p, bytes, 65, ctx) == 1),
	           "point from bytes", (const uint64_t *const[]){limbs}, 1);
}

void diff_point(struct diff *d)
{
	EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_sm2);
	BN_CTX *ctx = BN_CTX_new();
	EC_POINT *p = EC_POINT_new(g);
	struct pool *pool = calloc(1, sizeof(*pool));

	for (uint64_t i = 0; i < d->rounds; i++) {
		if (i % FORMS == 0)
			fill(d, g, ctx, pool);
		for (unsigned path = 0; diff_path(path) != NULL; path++)
			sums(d, pool);
		off_curve(d, g, p, ctx, pool);
		diff_step(d);
	}
	free(pool);
	EC_POINT_free(p);
	BN_CTX_free(ctx);
	EC_GROUP_free(g);
}
