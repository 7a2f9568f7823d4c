/*
 * The sums of a block of verifications side by side: each s G + t P is a tree of additions of 64 points of prepared
 * tables, level by level, where all additions of a level, of all jobs, share one inversion. Affine additions then take
 * six multiplications, three of them for the inversion. Private to sm2_batch.c; everything here is public.
 *
 * An addition of two points with equal x has no place in this (the points are equal or opposite, or the sum passes
 * infinity): such a job is marked irregular and its x means nothing. Others' sums are not touched by it. A job may also
 * be marked by mere chance (2^-50); whoever asked judges it in the complete way.
 */
#ifndef YZ_CRYPTO_SM2_TREE_H
#define YZ_CRYPTO_SM2_TREE_H

#include "crypto/sm2_core.h"

#include <stddef.h>

enum { SM2_TERMS = 2 * SM2_WINDOWS, SM2_TREE_LEVELS = 6, SM2_TREE_JOBS = 64, SM2_TREE_ALIGN = 64 };

struct sm2_sum {
	const struct sm2_table *key; /* of P */
	struct sm2_claim claim;      /* its digits */
	struct sm2_fe x;             /* out: of the sum */
	bool irregular;              /* out */
};

/* By the path that cpu.h allows now: AVX-512 IFMA (eight jobs to a vector), MULX and ADX, or plain C. */
struct sm2_tree {
	void (*sum)(struct sm2_sum *sums, size_t n, void *room); /* n from 1 to SM2_TREE_JOBS */
	size_t (*room)(size_t n); /* bytes of working memory for n jobs, to be SM2_TREE_ALIGN-aligned */
	size_t least;             /* jobs: fewer are faster one by one (measured, docs/sm2.md) */
};
const struct sm2_tree *sm2_tree_best(void);

void sm2_tree_sum_portable(struct sm2_sum *sums, size_t n, void *room);
void sm2_tree_sum_adx(struct sm2_sum *sums, size_t n, void *room);  /* x86-64 only */
void sm2_tree_sum_ifma(struct sm2_sum *sums, size_t n, void *room); /* x86-64 only */
size_t sm2_tree_room_ifma(size_t n);

#endif
