/* The eight lanes of AVX-512 IFMA beside OpenSSL's big numbers: every lane its own numbers, values up to the limits
 * that sm2_ifma_field.h states. */
#include "tests/diff/diff.h"

#include "crypto/cpu.h"
#include "crypto/sm2_ifma_field.h"

#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__

struct lanes {
	BIGNUM *p, *inverse, *a, *b, *out, *tmp; /* inverse of 2^260 */
	BN_CTX *ctx;
};

/* A value below `times` p, as five limbs of 52 bits. */
static void draw(struct diff *d, struct lanes *l, unsigned times, BIGNUM *v)
{
	uint64_t limbs[4];

	numbers_mod(&d->numbers, number_p, limbs);
	limbs_to_bn(limbs, v);
	for (uint64_t k = numbers_below(&d->numbers, times); k != 0; k--)
		BN_add(v, v, l->p);
}

static uint64_t word_of(const BIGNUM *v, BIGNUM *tmp, int shift)
{
	uint8_t bytes[40] = {0};
	uint64_t w = 0;

	BN_rshift(tmp, v, shift);
	BN_bn2lebinpad(tmp, bytes, sizeof(bytes));
	for (int i = 7; i >= 0; i--)
		w = w << 8 | bytes[i];
	return w & ((UINT64_C(1) << 52) - 1);
}

static void put_lane(struct lanes *l, uint64_t words[5][8], int lane, const BIGNUM *v)
{
	for (int i = 0; i < 5; i++)
		words[i][lane] = word_of(v, l->tmp, 52 * i);
}

/* Signed limbs summed up. */
static void take_lane(struct lanes *l, uint64_t words[5][8], int lane, BIGNUM *out)
{
	BN_zero(out);
	for (int i = 4; i >= 0; i--) {
		int64_t limb = (int64_t)words[i][lane];

		BN_lshift(out, out, 52);
		BN_set_word(l->tmp, limb < 0 ? 0 - (BN_ULONG)limb : (BN_ULONG)limb);
		BN_set_negative(l->tmp, limb < 0);
		BN_add(out, out, l->tmp);
	}
}

enum lane_op { MUL, SQR, MUL_LOOSE, SUB, FOLD, LANE_OPS };

static const struct {
	const char *name;
	unsigned times; /* inputs are below so many p */
	unsigned loose; /* so much may their limbs pass 52 bits, up and down */
	unsigned below; /* the output is below so many p, ... */
	int and_bit;    /* ... and a power of two */
	bool is_tight;  /* the output's limbs are below 2^52 */
} lane_ops[LANE_OPS] = {[MUL] = {"lanes mul", 4, 0, 2, -1, true},
                        [SQR] = {"lanes sqr", 4, 0, 2, -1, true},
                        [MUL_LOOSE] = {"lanes mul loose", 4, 0, 2, -1, false},
                        [SUB] = {"lanes sub", 2, 8, 4, -1, true},
                        [FOLD] = {"lanes fold", 15, 64, 1, 230, true}};

IFMA_TARGET static void apply(enum lane_op op, uint64_t a[5][8], uint64_t b[5][8], uint64_t out[5][8])
{
	struct fe8 x, y, r;

	for (int i = 0; i < 5; i++) {
		x.v[i] = _mm512_loadu_si512(a[i]);
		y.v[i] = _mm512_loadu_si512(b[i]);
	}
	if (op == MUL)
		r = fe8_mul(&x, &y);
	else if (op == SQR)
		r = fe8_sqr(&x);
	else if (op == MUL_LOOSE)
		r = fe8_mul_loose(&x, &y);
	else
		r = op == SUB ? fe8_sub(x, y) : fe8_fold(x);
	for (int i = 0; i < 5; i++)
		_mm512_storeu_si512(out[i], r.v[i]);
}

/* The same value in limbs that are not in [0, 2^52). */
static void loosen(struct diff *d, uint64_t words[5][8], int lane, unsigned by)
{
	for (int i = 0; by != 0 && i < 4; i++) {
		uint64_t k = numbers_below(&d->numbers, 2 * by) - by;

		words[i][lane] += k << 52;
		words[i + 1][lane] -= k;
	}
}

static void expected(struct lanes *l, enum lane_op op, BIGNUM *out)
{
	if (op == SUB || op == FOLD) {
		if (op == FOLD)
			BN_zero(l->b);
		BN_mod_sub(out, l->a, l->b, l->p, l->ctx);
		return;
	}
	BN_mod_mul(out, l->a, op == SQR ? l->a : l->b, l->p, l->ctx);
	BN_mod_mul(out, out, l->inverse, l->p, l->ctx);
}

static bool fits(struct lanes *l, enum lane_op op, uint64_t words[5][8], int lane, const BIGNUM *want)
{
	bool same;

	for (int i = 0; i < 5; i++) {
		if (lane_ops[op].is_tight && words[i][lane] >> 52 != 0)
			return false;
	}
	take_lane(l, words, lane, l->out);
	BN_zero(l->tmp);
	if (lane_ops[op].and_bit >= 0)
		BN_set_bit(l->tmp, lane_ops[op].and_bit);
	for (unsigned i = 0; i < lane_ops[op].below; i++)
		BN_add(l->tmp, l->tmp, l->p);
	same = BN_cmp(l->out, l->tmp) < 0 && !BN_is_negative(l->out);
	BN_nnmod(l->out, l->out, l->p, l->ctx);
	return same && BN_cmp(l->out, want) == 0;
}

static void check(struct diff *d, struct lanes *l, enum lane_op op)
{
	uint64_t a[5][8], b[5][8], out[5][8];
	BIGNUM *want[8];

	for (int lane = 0; lane < 8; lane++) {
		want[lane] = BN_new();
		draw(d, l, lane_ops[op].times, l->a);
		draw(d, l, lane_ops[op].times, l->b);
		put_lane(l, a, lane, l->a);
		put_lane(l, b, lane, l->b);
		loosen(d, a, lane, lane_ops[op].loose);
		loosen(d, b, lane, lane_ops[op].loose);
		expected(l, op, want[lane]);
	}
	apply(op, a, b, out);
	for (int lane = 0; lane < 8; lane++) {
		const uint64_t in_a[4] = {a[0][lane], a[1][lane], a[2][lane], a[3][lane]};
		const uint64_t in_b[4] = {b[0][lane], b[1][lane], b[2][lane], b[3][lane]};
		const uint64_t *inputs[] = {in_a, in_b};

		diff_check(d, fits(l, op, out, lane, want[lane]), lane_ops[op].name, inputs, 2);
		BN_free(want[lane]);
	}
}

void diff_lanes(struct diff *d)
{
	struct lanes l = {BN_new(), BN_new(), BN_new(), BN_new(), BN_new(), BN_new(), BN_CTX_new()};

	limbs_to_bn(number_p, l.p);
	BN_set_bit(l.tmp, 260);
	if (BN_mod_inverse(l.inverse, l.tmp, l.p, l.ctx) == NULL)
		abort();
	for (uint64_t i = 0; i < d->rounds && (cpu_paths() & CPU_IFMA) != 0; i++) {
		for (enum lane_op op = 0; op < LANE_OPS; op++)
			check(d, &l, op);
		diff_step(d);
	}
	BN_free(l.p);
	BN_free(l.inverse);
	BN_free(l.a);
	BN_free(l.b);
	BN_free(l.out);
	BN_free(l.tmp);
	BN_CTX_free(l.ctx);
}

#else

void diff_lanes(struct diff *d)
{
	(void)d;
}

#endif
