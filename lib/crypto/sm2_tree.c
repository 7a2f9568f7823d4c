#include "crypto/sm2_tree.h"

#include "crypto/cpu.h"

static size_t room_affine(size_t n)
{
	return n * (SM2_TERMS * sizeof(struct sm2_affine) + SM2_TERMS / 2 * sizeof(struct sm2_fe));
}

static const struct sm2_tree portable = {sm2_tree_sum_portable, room_affine, 4};
#ifdef __x86_64__
static const struct sm2_tree adx = {sm2_tree_sum_adx, room_affine, 4};
static const struct sm2_tree ifma = {sm2_tree_sum_ifma, sm2_tree_room_ifma, 8};
#endif

const struct sm2_tree *sm2_tree_best(void)
{
#ifdef __x86_64__
	unsigned paths = cpu_paths();

	if ((paths & CPU_IFMA) != 0)
		return &ifma;
	if ((paths & CPU_ADX) != 0)
		return &adx;
#endif
	return &portable;
}
