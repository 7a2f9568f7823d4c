#include "crypto/sm2_select.h"

#include "crypto/cpu.h"

#include <string.h>

enum { INDEX = 0x7f };

/* What one instruction holds: SSE2 and NEON, AVX2. 32-bit lanes, since SSE2 compares no longer ones. */
typedef uint32_t quarter __attribute__((vector_size(16), may_alias));
typedef uint32_t half __attribute__((vector_size(32), may_alias));

static void select_row(struct sm2_affine *out, const struct sm2_affine row[SM2_ENTRIES], uint32_t want)
{
	const quarter *at = (const quarter *)(const void *)row;
	const quarter one = (quarter){0} + 1, wanted = (quarter){0} + want;
	quarter a = {0}, b = {0}, c = {0}, d = {0}, j = {0};

	for (size_t i = 0; i < SM2_ENTRIES; i++) {
		quarter mask = (quarter)(j == wanted);

		a |= at[4 * i] & mask;
		b |= at[4 * i + 1] & mask;
		c |= at[4 * i + 2] & mask;
		d |= at[4 * i + 3] & mask;
		j += one;
	}
	memcpy(&out->x.v[0], &a, sizeof(a));
	memcpy(&out->x.v[2], &b, sizeof(b));
	memcpy(&out->y.v[0], &c, sizeof(c));
	memcpy(&out->y.v[2], &d, sizeof(d));
}

static void select_plain(struct sm2_affine out[SM2_WINDOWS], const struct sm2_table *t, const struct sm2_digits *k)
{
	for (size_t i = 0; i < SM2_WINDOWS; i++)
		select_row(&out[i], t->at[i], k->at[i] & INDEX);
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

AVX2 static void select_row_avx2(struct sm2_affine *out, const struct sm2_affine row[SM2_ENTRIES], uint32_t want)
{
	const half *at = (const half *)(const void *)row;
	const half one = (half){0} + 1, wanted = (half){0} + want;
	half x = {0}, y = {0}, j = {0};

	for (size_t i = 0; i < SM2_ENTRIES; i++) {
		half mask = (half)(j == wanted);

		x |= at[2 * i] & mask;
		y |= at[2 * i + 1] & mask;
		j += one;
	}
	memcpy(&out->x, &x, sizeof(x));
	memcpy(&out->y, &y, sizeof(y));
}

AVX2 static void select_avx2(struct sm2_affine out[SM2_WINDOWS], const struct sm2_table *t, const struct sm2_digits *k)
{
	for (size_t i = 0; i < SM2_WINDOWS; i++)
		select_row_avx2(&out[i], t->at[i], k->at[i] & INDEX);
}
#endif

void sm2_select_secret(struct sm2_affine out[SM2_WINDOWS], const struct sm2_table *t, const struct sm2_digits *k)
{
#if defined(__x86_64__)
	if ((cpu_paths() & CPU_AVX2) != 0) {
		select_avx2(out, t, k);
		return;
	}
#endif
	select_plain(out, t, k);
}
