/* The tree of sm2_tree.h with AVX-512 IFMA: lane l of group g is job 8g + l.
 *
 * The tables hold x 2^256 and y 2^256 for the other paths; read as Montgomery form with R = 2^260 that is x 2^-4 and
 * y 2^-4. The map (x, y) -> (x 2^-4, y 2^-6) takes the curve to one with the same addition, so x is right as it is and
 * y is four times what it should be. It is kept so, and every level pays for it with nothing: the inverses are made a
 * quarter of what they should be (a constant that is multiplied in anyway), and 4 y3 = 4 l (x1 - x3) - 4 y1. */
#include "crypto/sm2_tree.h"

#ifdef __x86_64__
#include "crypto/sm2_ifma_lanes.h"

#include <string.h>

enum { CHAINS = 2 };

struct point8 {
	struct fe8 x, y; /* y: four times the coordinate */
};

struct room {
	struct point8 (*points)[SM2_TERMS]; /* of each group */
	struct fe8 *after;                  /* of each pair: the product of the differences that come after it */
	size_t groups;
	__mmask8 irregular[SM2_TREE_JOBS / FE8_LANES];
};

static size_t groups_of(size_t n)
{
	return (n + FE8_LANES - 1) / FE8_LANES;
}

size_t sm2_tree_room_ifma(size_t n)
{
	return groups_of(n) * (SM2_TERMS * sizeof(struct point8) + SM2_TERMS / 2 * sizeof(struct fe8));
}

/* ---- from the tables ------------------------------------------------------------------------- */

/* Eight entries, one of each lane's table, and which lanes take the negative. */
struct entries {
	const struct sm2_affine *at[FE8_LANES];
	unsigned minus;
};

/* Of each window; asked for at once, since they lie anywhere in the tables. Lanes past the last job repeat it. */
static void find_entries(struct entries out[SM2_WINDOWS], const struct sm2_sum *sums, size_t n, bool of_key)
{
	memset(out, 0, SM2_WINDOWS * sizeof(*out));
	for (unsigned l = 0; l < FE8_LANES; l++) {
		const struct sm2_sum *s = &sums[l < n ? l : n - 1];
		const struct sm2_table *table = of_key ? s->key : sm2_table_base();
		const uint8_t *digit = of_key ? s->claim.t.at : s->claim.s.at;

		for (int w = 0; w < SM2_WINDOWS; w++) {
			out[w].at[l] = &table->at[w][digit[w] % SM2_ENTRIES];
			out[w].minus |= (unsigned)(digit[w] >> 7) << l;
			_mm_prefetch((const char *)out[w].at[l], _MM_HINT_T0);
		}
	}
}

IFMA_TARGET static void gather(struct point8 out[SM2_WINDOWS], const struct sm2_sum *sums, size_t n, bool of_key)
{
	struct entries e[SM2_WINDOWS];
	__m512i row[FE8_LANES];

	find_entries(e, sums, n, of_key);
	for (int w = 0; w < SM2_WINDOWS; w++) {
		for (int l = 0; l < FE8_LANES; l++)
			row[l] = _mm512_load_si512(e[w].at[l]);
		fe8_transpose(row);
		out[w].x = fe8_from_words(row);
		out[w].y = fe8_negate(fe8_from_words(row + 4), (__mmask8)e[w].minus);
	}
}

/* ---- a level of the tree --------------------------------------------------------------------- */

IFMA_TARGET static struct fe8 one(void)
{
	struct fe8 r = {{fe8_word(1)}};
	return r;
}

/* Pair k of this level, of 2^log pairs in each group. */
static struct point8 *pair_at(const struct room *m, size_t k, unsigned log)
{
	return m->points[k >> log] + 2 * (k & (((size_t)1 << log) - 1));
}

/* The second x of each pair becomes x2 - x1, and after[] the products of what follows, in CHAINS that do not wait for
 * one another. A difference is 0 mod p only as p, 2p or 3p: their low limbs are the three highest there are. Such lanes
 * go on with 1. */
IFMA_TARGET static void differences(struct room *m, unsigned log, struct fe8 run[CHAINS])
{
	const __m512i suspect = fe8_word(FE8_MASK - 2);

	for (int c = 0; c < CHAINS; c++)
		run[c] = one();
	for (size_t k = m->groups << log; k-- > 0;) {
		struct point8 *pair = pair_at(m, k, log);
		struct fe8 d = fe8_sub(pair[1].x, pair[0].x), *r = &run[k % CHAINS];
		__mmask8 same = _mm512_cmpge_epu64_mask(d.v[0], suspect);

		m->irregular[k >> log] |= same;
		pair[1].x = fe8_select(d, same, one());
		m->after[k] = *r;
		*r = fe8_mul(r, &pair[1].x);
	}
}

/* run[]: the inverses of the chains' products, quartered. Sums move to the front of their group. */
IFMA_TARGET static void additions(struct room *m, unsigned log, struct fe8 run[CHAINS])
{
	for (size_t k = 0; k < m->groups << log; k++) {
		struct point8 *pair = pair_at(m, k, log), *sum = m->points[k >> log] + (k & (((size_t)1 << log) - 1));
		struct fe8 x1 = pair[0].x, y1 = pair[0].y, d = pair[1].x, *r = &run[k % CHAINS];
		struct fe8 slope = fe8_mul(r, &m->after[k]), rise = fe8_sub(pair[1].y, y1), t;

		*r = fe8_mul(r, &d);
		slope = fe8_mul(&slope, &rise);
		/* x3 = slope^2 - x1 - x2, where x2 = d + x1 - 2p */
		t = fe8_minus(fe8_minus(fe8_sqr_loose(&slope), fe8_times(x1, 1)), d);
		sum->x = fe8_fold(fe8_add_p(t, 6));
		t = fe8_sub(x1, sum->x);
		t = fe8_minus(fe8_times(fe8_mul_loose(&slope, &t), 2), y1);
		sum->y = fe8_fold(fe8_add_p(t, 2));
	}
}

IFMA_TARGET static void add_level(struct room *m, unsigned log)
{
	struct fe8 run[CHAINS], product, inverse, swap;

	differences(m, log, run);
	product = fe8_mul(&run[0], &run[1]);
	inverse = fe8_invert_quarter(&product);
	swap = run[0];
	run[0] = fe8_mul(&inverse, &run[1]);
	run[1] = fe8_mul(&inverse, &swap);
	additions(m, log, run);
}

/* ---- a block --------------------------------------------------------------------------------- */

IFMA_TARGET static void put_out(const struct room *m, struct sm2_sum *sums, size_t n)
{
	struct sm2_fe x[FE8_LANES];

	for (size_t i = 0; i < n; i++) {
		if (i % FE8_LANES == 0)
			fe8_to_lanes(x, &m->points[i / FE8_LANES][0].x);
		sums[i].x = x[i % FE8_LANES];
		sums[i].irregular = (m->irregular[i / FE8_LANES] >> i % FE8_LANES & 1) != 0;
	}
}

IFMA_TARGET void sm2_tree_sum_ifma(struct sm2_sum *sums, size_t n, void *room)
{
	struct room m = {.points = room, .groups = groups_of(n)};

	m.after = (struct fe8 *)(m.points + m.groups);
	for (size_t g = 0; g < m.groups; g++) {
		gather(m.points[g], sums + g * FE8_LANES, n - g * FE8_LANES, false);
		gather(m.points[g] + SM2_WINDOWS, sums + g * FE8_LANES, n - g * FE8_LANES, true);
	}
	for (unsigned log = SM2_TREE_LEVELS; log-- > 0;)
		add_level(&m, log);
	put_out(&m, sums, n);
}
#endif
