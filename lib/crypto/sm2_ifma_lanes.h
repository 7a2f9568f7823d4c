/* Between the lanes of sm2_ifma_field.h and elements of sm2_field.h, and one inversion for eight lanes. Private to the
 * IFMA files; public values. */
#ifndef YZ_CRYPTO_SM2_IFMA_LANES_H
#define YZ_CRYPTO_SM2_IFMA_LANES_H

#include "crypto/sm2_field_portable.h"
#include "crypto/sm2_ifma_field.h"
#include "crypto/sm2_inverse.h"

#ifdef __x86_64__

/* Of tight elements below 2p: reduced below p. */
IFMA_INLINE void fe8_to_lanes(struct sm2_fe out[FE8_LANES], const struct fe8 *a)
{
	_Alignas(64) uint64_t w[5][FE8_LANES];
	__m512i v[5];

	fe8_to_words(a, v);
	for (int i = 0; i < 5; i++)
		_mm512_store_si512(w[i], v[i]);
	for (int l = 0; l < FE8_LANES; l++) {
		const uint64_t t[4] = {w[0][l], w[1][l], w[2][l], w[3][l]};

		sm2_fe_final(&out[l], t, w[4][l]);
	}
}

IFMA_INLINE struct fe8 fe8_from_lanes(const struct sm2_fe in[FE8_LANES])
{
	_Alignas(64) uint64_t w[4][FE8_LANES];
	__m512i v[4];

	for (int i = 0; i < 4; i++) {
		for (int l = 0; l < FE8_LANES; l++)
			w[i][l] = in[l].v[i];
		v[i] = _mm512_load_si512(w[i]);
	}
	return fe8_from_words(v);
}

/* 64, as 2^266 mod p. */
IFMA_INLINE struct fe8 fe8_sixty_four(void)
{
	struct fe8 r = {{fe8_word(0x400), fe8_word(0xfffffffc00000), fe8_word(3), fe8_word(0), fe8_word(0x4000000)}};
	return r;
}

/* 1 / (4 a). An element a 2^260 is taken for a 2^4 by sm2_field.h, whose inverse is a^-1 2^252: 2^6 is missing.
 * No lane may be zero: it would spoil the others. */
IFMA_TARGET static inline struct fe8 fe8_invert_quarter(const struct fe8 *a)
{
	const struct fe8 scale = fe8_sixty_four();
	struct sm2_fe lane[FE8_LANES];
	struct fe8 inverse;

	fe8_to_lanes(lane, a);
	sm2_fe_inv_many_public(lane, FE8_LANES);
	inverse = fe8_from_lanes(lane);
	return fe8_mul(&inverse, &scale);
}

#endif
#endif
