/* One sum of table entries in the eight lanes of AVX-512 IFMA: lane l takes the windows l, l + 8, l + 16 and l + 24 of
 * each table, then the lanes are merged in three steps (sm2_ifma_point.h). */
#include "crypto/rand.h"
#include "crypto/sm2_core_ops.h"
#include "crypto/sm2_ifma_point.h"

#ifdef __x86_64__

/* The windows first .. first + 7 of a table. */
static inline struct terms terms_of(const struct sm2_table *table, const struct sm2_digits *d, int first)
{
	struct terms t = {.minus = 0};

	for (int l = 0; l < FE8_LANES; l++) {
		unsigned digit = d->at[first + l];

		t.at[l] = &table->at[first + l][digit % SM2_ENTRIES];
		t.minus |= digit >> 7 << l;
	}
	return t;
}

/* The same of entries that were chosen already. */
static inline struct terms terms_chosen(const struct sm2_affine *chosen, const struct sm2_digits *d, int first)
{
	struct terms t = {.minus = 0};

	for (int l = 0; l < FE8_LANES; l++) {
		t.at[l] = &chosen[first + l];
		t.minus |= (unsigned)d->at[first + l] >> 7 << l;
	}
	return t;
}

IFMA_TARGET static void start_terms(struct xyzw8 *a, const struct terms *t)
{
	struct affine8 e = load_terms(t);

	start(a, &e);
}

IFMA_TARGET static void add_terms(struct xyzw8 *a, const struct terms *t)
{
	struct affine8 e = load_terms(t);

	add_affine(a, &e);
}

IFMA_INLINE struct fe8 swapped(struct fe8 a, __m512i with)
{
	FE8_UNROLL
	for (int i = 0; i < FE8_LIMBS; i++)
		a.v[i] = _mm512_permutexvar_epi64(with, a.v[i]);
	return a;
}

/* Each lane adds the one whose number differs in bit `step`; both get the same sum. */
IFMA_TARGET static void merge(struct xyzw8 *a, int step)
{
	const __m512i with = _mm512_xor_si512(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi64(step));
	struct fe8 w4 = fe8_fold(fe8_times(a->w, 2)), zz = swapped(a->zz, with), w, u, s, p, r;

	w = swapped(w4, with);
	u = fe8_mul(&a->x, &zz);
	s = fe8_mul(&a->y, &w);
	p = fe8_sub(swapped(u, with), u);
	r = fe8_sub(swapped(s, with), s);
	a->zz = fe8_mul(&a->zz, &zz);
	a->w = fe8_mul(&a->w, &w);
	add_end(a, &u, &s, &p, &r);
}

/* Lane 0 of a tight element below 2p, reduced below p. */
IFMA_TARGET static void lane0(struct sm2_fe *out, const struct fe8 *a)
{
	__m512i words[5];
	uint64_t t[5];

	fe8_to_words(a, words);
	for (int i = 0; i < 5; i++)
		t[i] = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(words[i]));
	sm2_fe_final(out, t, t[4]);
}

static void prefetch(const struct sm2_table *table, const struct sm2_digits *d)
{
	for (int i = 0; i < SM2_WINDOWS; i++)
		__builtin_prefetch(&table->at[i][d->at[i] % SM2_ENTRIES]);
}

/* From `first` on, into a sum that has begun. */
static void add_table(struct xyzw8 *sum, const struct sm2_table *table, const struct sm2_digits *d, int first)
{
	for (int i = first; i < SM2_WINDOWS; i += FE8_LANES) {
		struct terms t = terms_of(table, d, i);

		add_terms(sum, &t);
	}
}

static void merge_all(struct xyzw8 *sum)
{
	for (int step = 1; step < FE8_LANES; step <<= 1)
		merge(sum, step);
}

void sm2_core_known_ifma(struct sm2_fe *x, struct sm2_fe *zz, const struct sm2_table *base, const struct sm2_table *key,
                         const struct sm2_claim *claim)
{
	struct xyzw8 sum;
	struct terms t = terms_of(base, &claim->s, 0);

	prefetch(base, &claim->s);
	prefetch(key, &claim->t);
	start_terms(&sum, &t);
	add_table(&sum, base, &claim->s, FE8_LANES);
	add_table(&sum, key, &claim->t, 0);
	merge_all(&sum);
	lane0(x, &sum.x);
	lane0(zz, &sum.zz);
}

/* Lane 0 holds 16 times the numbers of the point (X/ZZ, Y/4W) = (x 2^-4, y 2^-6). So x = 16 X/ZZ and y = 16 Y/W of what
 * is read, and Z = ZZ makes it Jacobian: X' = 16 X·ZZ, and Y' = 16 Y·ZZ^3/W, where ZZ^3 = 256 W^2. */
static void to_jacobian(struct sm2_jacobian *out, const struct xyzw8 *sum)
{
	static const struct sm2_fe R16 = {{16, UINT64_C(0xffffffff0), 0, UINT64_C(0x1000000000)}};
	static const struct sm2_fe R4096 = {{4096, UINT64_C(0xffffffff000), 0, UINT64_C(0x100000000000)}};
	struct sm2_fe w;

	lane0(&out->x, &sum->x);
	lane0(&out->y, &sum->y);
	lane0(&out->z, &sum->zz);
	lane0(&w, &sum->w);
	sm2_fe_mul(&out->x, &out->x, &out->z);
	sm2_fe_mul(&out->x, &out->x, &R16);
	sm2_fe_mul(&out->y, &out->y, &w);
	sm2_fe_mul(&out->y, &out->y, &R4096);
	secret_wipe(&w, sizeof(w));
}

void sm2_core_base_ifma(struct sm2_jacobian *out, const struct sm2_table *base, const struct sm2_digits *d)
{
	struct xyzw8 sum;
	struct terms t = terms_of(base, d, 0);

	prefetch(base, d);
	start_terms(&sum, &t);
	add_table(&sum, base, d, FE8_LANES);
	merge_all(&sum);
	to_jacobian(out, &sum);
}

void sm2_core_chosen_ifma(struct sm2_jacobian *out, const struct sm2_affine chosen[SM2_WINDOWS],
                          const struct sm2_digits *d)
{
	struct xyzw8 sum;
	struct terms t = terms_chosen(chosen, d, 0);

	start_terms(&sum, &t);
	for (int i = FE8_LANES; i < SM2_WINDOWS; i += FE8_LANES) {
		t = terms_chosen(chosen, d, i);
		add_terms(&sum, &t);
	}
	merge_all(&sum);
	to_jacobian(out, &sum);
	secret_wipe(&sum, sizeof(sum));
	secret_wipe(&t, sizeof(t)); /* signs of digits */
}
#endif
