/* The tree of sm2_tree.h over sm2_field_inline.h, compiled once per path: sm2_tree_portable.c and sm2_tree_adx.c
 * include this file after choosing the field's multiplication and naming their entry SM2_TREE_SUM, and nobody else
 * does. */
#include "crypto/sm2_field_inline.h"
#include "crypto/sm2_inverse.h"
#include "crypto/sm2_tree.h"

struct tree {
	struct sm2_affine (*points)[SM2_TERMS]; /* of each job */
	struct sm2_fe *after;                   /* of each pair: the product of the differences that come after it */
	struct sm2_sum *sums;
	size_t n;
};

static void gather(struct sm2_affine out[SM2_WINDOWS], const struct sm2_table *table, const struct sm2_digits *digits)
{
	for (int w = 0; w < SM2_WINDOWS; w++) {
		unsigned digit = digits->at[w];

		out[w] = table->at[w][digit % SM2_ENTRIES];
		fe_negate_if(&out[w].y, 0 - (uint64_t)(digit >> 7));
	}
}

/* Pair k of this level, of 2^log pairs of each job. */
static struct sm2_affine *pair_at(const struct tree *t, size_t k, unsigned log)
{
	return t->points[k >> log] + 2 * (k & (((size_t)1 << log) - 1));
}

/* The second x of each pair becomes x2 - x1, and after[] the products of what follows. Where there is no difference,
 * 1 takes its place. */
static void differences(struct tree *t, unsigned log, struct sm2_fe *run)
{
	*run = sm2_fe_one;
	for (size_t k = t->n << log; k-- > 0;) {
		struct sm2_affine *pair = pair_at(t, k, log);
		struct sm2_fe *d = &pair[1].x;

		fe_sub(d, d, &pair[0].x);
		if (fe_zero_mask(d) != 0) {
			t->sums[k >> log].irregular = true;
			*d = sm2_fe_one;
		}
		t->after[k] = *run;
		fe_mul(run, run, d);
	}
}

/* run: the inverse of all differences' product. Sums move to the front of their job. */
static void additions(struct tree *t, unsigned log, struct sm2_fe *run)
{
	for (size_t k = 0; k < t->n << log; k++) {
		const struct sm2_affine *pair = pair_at(t, k, log);
		struct sm2_affine *sum = t->points[k >> log] + (k & (((size_t)1 << log) - 1)), a = pair[0];
		struct sm2_fe d = pair[1].x, rise, slope, x;

		fe_sub(&rise, &pair[1].y, &a.y);
		fe_mul(&slope, run, &t->after[k]);
		fe_mul(run, run, &d);
		fe_mul(&slope, &slope, &rise);
		/* x3 = slope^2 - x1 - x2, where x2 = x1 + d */
		fe_sqr(&x, &slope);
		fe_sub(&x, &x, &d);
		fe_sub(&x, &x, &a.x);
		fe_sub(&x, &x, &a.x);
		sum->x = x;
		fe_sub(&x, &a.x, &x);
		fe_mul(&x, &slope, &x);
		fe_sub(&sum->y, &x, &a.y);
	}
}

void SM2_TREE_SUM(struct sm2_sum *sums, size_t n, void *room)
{
	struct tree t = {.points = room, .sums = sums, .n = n};
	struct sm2_fe run;

	t.after = (struct sm2_fe *)(t.points + n);
	for (size_t i = 0; i < n; i++) {
		sums[i].irregular = false;
		gather(t.points[i], sm2_table_base(), &sums[i].claim.s);
		gather(t.points[i] + SM2_WINDOWS, sums[i].key, &sums[i].claim.t);
	}
	for (unsigned log = SM2_TREE_LEVELS; log-- > 0;) {
		differences(&t, log, &run);
		sm2_fe_inv_public(&run, &run);
		additions(&t, log, &run);
	}
	for (size_t i = 0; i < n; i++)
		sums[i].x = t.points[i][0].x;
}
