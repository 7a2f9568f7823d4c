/* The field and the scalars, limb by limb beside OpenSSL's big numbers. */
#include "tests/diff/diff.h"

#define SM2_FE_ADX 1 /* both forms of what is inline: portable and, where there is one, with MULX */
#include "crypto/cpu.h"
#include "crypto/sm2_field.h"
#include "crypto/sm2_field_inline.h"
#include "crypto/sm2_inverse.h"
#include "crypto/sm2_scalar.h"

#include <stdlib.h>
#include <string.h>

struct modulus {
	const uint64_t *limbs;
	BIGNUM *m, *r, *r_inverse, *a, *b, *out, *tmp;
	BN_CTX *ctx;
};

static void modulus_open(struct modulus *m, const uint64_t limbs[4])
{
	BIGNUM **all[] = {&m->m, &m->r, &m->r_inverse, &m->a, &m->b, &m->out, &m->tmp};

	m->limbs = limbs;
	m->ctx = BN_CTX_new();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i] = BN_new();
	limbs_to_bn(limbs, m->m);
	BN_set_bit(m->r, 256);
	if (BN_mod_inverse(m->r_inverse, m->r, m->m, m->ctx) == NULL)
		abort();
}

static void modulus_close(struct modulus *m)
{
	BIGNUM *all[] = {m->m, m->r, m->r_inverse, m->a, m->b, m->out, m->tmp};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		BN_free(all[i]);
	BN_CTX_free(m->ctx);
}

/* What an operation has to give, in m->out, of m->a and m->b, which it may change. What stands in the limbs is taken as
 * it is, Montgomery form or not. */
typedef void slow_fn(struct modulus *m);

static void slow_add(struct modulus *m)
{
	BN_mod_add(m->out, m->a, m->b, m->m, m->ctx);
}

static void slow_sub(struct modulus *m)
{
	BN_mod_sub(m->out, m->a, m->b, m->m, m->ctx);
}

static void slow_neg(struct modulus *m)
{
	BN_zero(m->tmp);
	BN_mod_sub(m->out, m->tmp, m->a, m->m, m->ctx);
}

static void slow_mul(struct modulus *m)
{
	BN_mod_mul(m->out, m->a, m->b, m->m, m->ctx);
}

static void slow_to_mont(struct modulus *m)
{
	BN_mod_mul(m->out, m->a, m->r, m->m, m->ctx);
}

static void slow_from_mont(struct modulus *m)
{
	BN_mod_mul(m->out, m->a, m->r_inverse, m->m, m->ctx);
}

static void slow_mul_mont(struct modulus *m)
{
	BN_mod_mul(m->tmp, m->a, m->b, m->m, m->ctx);
	BN_mod_mul(m->out, m->tmp, m->r_inverse, m->m, m->ctx);
}

static void slow_sqr_mont(struct modulus *m)
{
	BN_copy(m->b, m->a);
	slow_mul_mont(m);
}

static void slow_triple(struct modulus *m)
{
	BN_set_word(m->tmp, 3);
	BN_mod_mul(m->out, m->a, m->tmp, m->m, m->ctx);
}

static void slow_halve(struct modulus *m)
{
	if (BN_is_odd(m->a))
		BN_add(m->a, m->a, m->m);
	BN_rshift1(m->out, m->a);
}

static void slow_inv(struct modulus *m)
{
	if (BN_is_zero(m->a))
		BN_zero(m->out);
	else if (BN_mod_inverse(m->out, m->a, m->m, m->ctx) == NULL)
		abort();
}

static void slow_inv_mont(struct modulus *m)
{
	slow_inv(m);
	for (int i = 0; i < 2; i++)
		BN_mod_mul(m->out, m->out, m->r, m->m, m->ctx);
}

/* A mask, in every limb. */
static void slow_mask(struct modulus *m, bool set)
{
	BN_zero(m->out);
	if (set) {
		BN_set_bit(m->out, 256);
		BN_sub_word(m->out, 1);
	}
}

static void slow_zero_mask(struct modulus *m)
{
	slow_mask(m, BN_is_zero(m->a));
}

static void slow_equal_mask(struct modulus *m)
{
	slow_mask(m, BN_cmp(m->a, m->b) == 0);
}

static void slow_first(struct modulus *m)
{
	BN_copy(m->out, m->a);
}

static void slow_second(struct modulus *m)
{
	BN_copy(m->out, m->b);
}

static void slow(struct modulus *m, slow_fn *fn, const uint64_t a[4], const uint64_t b[4], uint64_t out[4])
{
	limbs_to_bn(a, m->a);
	limbs_to_bn(b, m->b);
	fn(m);
	if (!limbs_from_bn(m->out, out))
		abort();
}

typedef void quick_fn(uint64_t out[4], const uint64_t a[4], const uint64_t b[4]);

#define BINARY(name, type, fn)                                                                                         \
	static void name(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])                                        \
	{                                                                                                                  \
		fn((struct type *)(void *)out, (const struct type *)(const void *)a, (const struct type *)(const void *)b);    \
	}
#define UNARY(name, type, fn)                                                                                          \
	static void name(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])                                        \
	{                                                                                                                  \
		(void)b;                                                                                                       \
		fn((struct type *)(void *)out, (const struct type *)(const void *)a);                                          \
	}

#define MASKS(name, type, prefix)                                                                                      \
	static void name##_zero(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])                                 \
	{                                                                                                                  \
		(void)b;                                                                                                       \
		put_mask(out, prefix##_zero_mask((const struct type *)(const void *)a));                                       \
	}                                                                                                                  \
	static void name##_equal(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])                                \
	{                                                                                                                  \
		put_mask(out,                                                                                                  \
		         prefix##_equal_mask((const struct type *)(const void *)a, (const struct type *)(const void *)b));     \
	}                                                                                                                  \
	static void name##_select(uint64_t out[4], const uint64_t a[4], const uint64_t b[4], uint64_t mask)                \
	{                                                                                                                  \
		struct type z;                                                                                                 \
                                                                                                                       \
		memcpy(z.v, a, 32);                                                                                            \
		prefix##_select(&z, (const struct type *)(const void *)b, mask);                                               \
		memcpy(out, z.v, 32);                                                                                          \
	}                                                                                                                  \
	static void name##_select_0(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])                             \
	{                                                                                                                  \
		name##_select(out, a, b, 0);                                                                                   \
	}                                                                                                                  \
	static void name##_select_1(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])                             \
	{                                                                                                                  \
		name##_select(out, a, b, UINT64_MAX);                                                                          \
	}

static void put_mask(uint64_t out[4], uint64_t mask)
{
	for (int i = 0; i < 4; i++)
		out[i] = mask;
}

MASKS(field, sm2_fe, sm2_fe)
MASKS(sc, sm2_scalar, sm2_scalar)
BINARY(field_add, sm2_fe, sm2_fe_add)
BINARY(field_sub, sm2_fe, sm2_fe_sub)
BINARY(field_mul, sm2_fe, sm2_fe_mul)
UNARY(field_neg, sm2_fe, sm2_fe_neg)
UNARY(field_sqr, sm2_fe, sm2_fe_sqr)
UNARY(field_inv, sm2_fe, sm2_fe_inv)
UNARY(field_inv_public, sm2_fe, sm2_fe_inv_public)
UNARY(field_inv_secret, sm2_fe, sm2_fe_inv_secret)
UNARY(plain_triple, sm2_fe, sm2_portable_triple)
UNARY(plain_halve, sm2_fe, sm2_portable_halve)
#if SM2_HAS_ADX
UNARY(adx_triple_now, sm2_fe, sm2_adx_triple)
UNARY(adx_halve_now, sm2_fe, sm2_adx_halve)

/* Where the machine lacks it, the portable one stands in. */
static void adx_triple(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])
{
	((cpu_paths() & CPU_ADX) != 0 ? adx_triple_now : plain_triple)(out, a, b);
}

static void adx_halve(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])
{
	((cpu_paths() & CPU_ADX) != 0 ? adx_halve_now : plain_halve)(out, a, b);
}
#else
#define adx_triple plain_triple
#define adx_halve  plain_halve
#endif
BINARY(sc_add, sm2_scalar, sm2_scalar_add)
BINARY(sc_sub, sm2_scalar, sm2_scalar_sub)
BINARY(sc_mul, sm2_scalar, sm2_scalar_mul)
BINARY(sc_mont_mul, sm2_scalar, sm2_scalar_mont_mul)
UNARY(sc_neg, sm2_scalar, sm2_scalar_neg)
UNARY(sc_inv, sm2_scalar, sm2_scalar_inv)
UNARY(sc_to_mont, sm2_scalar, sm2_scalar_to_mont)
UNARY(sc_from_mont, sm2_scalar, sm2_scalar_from_mont)

static void field_to_mont(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])
{
	(void)b;
	sm2_fe_to_mont((struct sm2_fe *)(void *)out, a);
}

static void field_from_mont(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])
{
	(void)b;
	sm2_fe_from_mont(out, (const struct sm2_fe *)(const void *)a);
}

struct quick {
	const char *name;
	slow_fn *slow;
	quick_fn *fn;
	unsigned every; /* slow ones are asked less often */
};

/* The output apart from the inputs, and in the place of each. */
static void check_op(struct diff *d, struct modulus *m, const struct quick *q, const uint64_t a[4], const uint64_t b[4])
{
	const uint64_t *inputs[] = {a, b};
	uint64_t expected[4], out[4], x[4], y[4];
	bool same;

	slow(m, q->slow, a, b, expected);
	q->fn(out, a, b);
	same = limbs_equal(out, expected);
	memcpy(x, a, 32);
	q->fn(x, x, b);
	memcpy(y, b, 32);
	q->fn(y, a, y);
	diff_check(d, same && limbs_equal(x, expected) && limbs_equal(y, expected), q->name, inputs, 2);
	slow(m, q->slow, a, a, expected);
	memcpy(x, a, 32);
	q->fn(x, x, x);
	diff_check(d, limbs_equal(x, expected), q->name, inputs, 1);
}

static void run(struct diff *d, const uint64_t limbs[4], const struct quick *ops, size_t n_ops,
                void (*more)(struct diff *d, const uint64_t a[4]))
{
	uint64_t a[4], b[4];
	struct modulus m;

	modulus_open(&m, limbs);
	for (uint64_t i = 0; i < d->rounds; i++) {
		numbers_mod(&d->numbers, limbs, a);
		if (numbers_below(&d->numbers, 32) == 0)
			memcpy(b, a, 32);
		else
			numbers_mod(&d->numbers, limbs, b);
		for (unsigned path = 0; diff_path(path) != NULL; path++) {
			for (size_t k = 0; k < n_ops; k++) {
				if (i % ops[k].every == 0)
					check_op(d, &m, &ops[k], a, b);
			}
			more(d, a);
		}
		diff_step(d);
	}
	modulus_close(&m);
}

static bool is_zero(const uint64_t a[4])
{
	return (a[0] | a[1] | a[2] | a[3]) == 0;
}

static void field_bytes(struct diff *d)
{
	uint64_t any[4], plain[4];
	const uint64_t *inputs[] = {any};
	struct sm2_fe z;
	uint8_t bytes[32], back[32];
	bool below;

	numbers_256(&d->numbers, any);
	limbs_to_bytes(any, bytes);
	below = any[3] < number_p[3] || (any[3] == number_p[3] && any[2] == number_p[2] &&
	                                 (any[1] < number_p[1] || (any[1] == number_p[1] && any[0] < number_p[0])));
	below = below || (any[3] == number_p[3] && any[2] < number_p[2]);
	diff_check(d, sm2_fe_from_bytes(&z, bytes) == below, "field from bytes: range", inputs, 1);
	sm2_fe_to_bytes(back, &z);
	if (!below)
		memset(bytes, 0, 32);
	diff_check(d, memcmp(bytes, back, 32) == 0, "field to bytes", inputs, 1);
	sm2_fe_from_mont(plain, &z);
	diff_check(d, below ? limbs_equal(plain, any) : is_zero(plain), "field from bytes", inputs, 1);
}

static void field_more(struct diff *d, const uint64_t a[4])
{
	(void)a;
	field_bytes(d);
}

void diff_field(struct diff *d)
{
	static const struct quick ops[] = {
	    {"field add", slow_add, field_add, 1},
	    {"field sub", slow_sub, field_sub, 1},
	    {"field neg", slow_neg, field_neg, 1},
	    {"field mul", slow_mul_mont, field_mul, 1},
	    {"field sqr", slow_sqr_mont, field_sqr, 1},
	    {"field inv", slow_inv_mont, field_inv, 16},
	    {"field inv secret", slow_inv_mont, field_inv_secret, 4},
	    {"field triple", slow_triple, plain_triple, 1},
	    {"field halve", slow_halve, plain_halve, 1},
	    {"field triple, adx", slow_triple, adx_triple, 1},
	    {"field halve, adx", slow_halve, adx_halve, 1},
	    {"field inv public", slow_inv_mont, field_inv_public, 4},
	    {"field to mont", slow_to_mont, field_to_mont, 1},
	    {"field from mont", slow_from_mont, field_from_mont, 1},
	    {"field zero mask", slow_zero_mask, field_zero, 1},
	    {"field equal mask", slow_equal_mask, field_equal, 1},
	    {"field select 0", slow_first, field_select_0, 1},
	    {"field select 1", slow_second, field_select_1, 1},
	};

	run(d, number_p, ops, sizeof(ops) / sizeof(ops[0]), field_more);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static void reduced(const uint8_t *bytes, int len, uint64_t out[4])
{
	BIGNUM *v = BN_bin2bn(bytes, len, NULL), *n = BN_new(), *rem = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	limbs_to_bn(number_n, n);
	BN_nnmod(rem, v, n, ctx);
	if (!limbs_from_bn(rem, out))
		abort();
	BN_free(v);
	BN_free(n);
	BN_free(rem);
	BN_CTX_free(ctx);
}

/* The digits, summed up again mod n, least significant first. */
static void digits_sum(const struct sm2_digits *digits, uint64_t out[4])
{
	BIGNUM *v = BN_new(), *n = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	limbs_to_bn(number_n, n);
	for (int i = 31; i >= 0; i--) {
		unsigned size = 2 * (digits->at[i] & 0x7fu) + 1;

		BN_lshift(v, v, 8);
		if ((digits->at[i] & 0x80) != 0)
			BN_sub_word(v, size);
		else
			BN_add_word(v, size);
	}
	BN_nnmod(v, v, n, ctx);
	if (!limbs_from_bn(v, out))
		abort();
	BN_free(v);
	BN_free(n);
	BN_CTX_free(ctx);
}

static void scalar_bytes(struct diff *d)
{
	uint64_t any[8], expected[4];
	const uint64_t *inputs[] = {any, any + 4};
	uint8_t bytes[64], back[32];
	struct sm2_scalar x;

	numbers_256(&d->numbers, any);
	numbers_256(&d->numbers, any + 4);
	limbs_to_bytes(any, bytes);
	limbs_to_bytes(any + 4, bytes + 32);
	reduced(bytes, 32, expected);
	sm2_scalar_reduce(&x, bytes);
	diff_check(d, limbs_equal(x.v, expected), "scalar reduce", inputs, 1);
	sm2_scalar_to_bytes(back, &x);
	limbs_to_bytes(expected, bytes);
	diff_check(d, memcmp(back, bytes, 32) == 0, "scalar to bytes", inputs, 1);
	limbs_to_bytes(any, bytes);
	diff_check(d, sm2_scalar_from_bytes(&x, bytes) == limbs_equal(any, expected), "scalar range", inputs, 1);
	diff_check(d, limbs_equal(any, expected) ? limbs_equal(x.v, any) : is_zero(x.v), "scalar from bytes", inputs, 1);
	reduced(bytes, 64, expected);
	sm2_scalar_reduce_wide(&x, bytes);
	diff_check(d, limbs_equal(x.v, expected), "scalar reduce wide", inputs, 2);
}

static void scalar_more(struct diff *d, const uint64_t a[4])
{
	const uint64_t *inputs[] = {a};
	struct sm2_digits digits;
	struct sm2_scalar x;
	uint64_t sum[4];

	memcpy(x.v, a, 32);
	sm2_scalar_recode(&digits, &x);
	digits_sum(&digits, sum);
	diff_check(d, limbs_equal(sum, a), "scalar recode", inputs, 1);
	scalar_bytes(d);
}

void diff_scalar(struct diff *d)
{
	static const struct quick ops[] = {
	    {"scalar add", slow_add, sc_add, 1},
	    {"scalar sub", slow_sub, sc_sub, 1},
	    {"scalar neg", slow_neg, sc_neg, 1},
	    {"scalar mul", slow_mul, sc_mul, 1},
	    {"scalar mont mul", slow_mul_mont, sc_mont_mul, 1},
	    {"scalar inv", slow_inv, sc_inv, 16},
	    {"scalar to mont", slow_to_mont, sc_to_mont, 1},
	    {"scalar from mont", slow_from_mont, sc_from_mont, 1},
	    {"scalar zero mask", slow_zero_mask, sc_zero, 1},
	    {"scalar equal mask", slow_equal_mask, sc_equal, 1},
	    {"scalar select 0", slow_first, sc_select_0, 1},
	    {"scalar select 1", slow_second, sc_select_1, 1},
	};

	run(d, number_n, ops, sizeof(ops) / sizeof(ops[0]), scalar_more);
}
