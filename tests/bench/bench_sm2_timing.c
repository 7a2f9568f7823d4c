/*
 * Does the time of a signature tell its secrets? In the manner of dudect (Reparaz, Balasch, Verbauwhede 2017): the same
 * operation many times, at random with a fixed secret or with a fresh one, each timed; Welch's t-test says whether the
 * two kinds differ. Slow measurements are interrupts rather than secrets, so the test is made with several shares of
 * the quickest ones. A control shows that a difference would be seen: a multiplication that may vary, with the same
 * numbers.
 */
#include "tests/bench/bench_sm2.h"

#include <math.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "crypto/sm2_core.h"
#include "crypto/sm2_sign.h"

enum { KEYS = 64, SAMPLES = 60000, CONTROL = 4000, WARM = 500 };

/* Below: nothing found. Above the second: they differ. Between: not clear (dudect's bounds are 4.5 and 10). */
#define T_NOTHING 4.5
#define T_DIFFERS 10.0

/* What may be timed: secrets of either kind, in as many places of memory. */
struct subject {
	struct sm2_secret *key[2][KEYS];
	uint8_t nonce[2][KEYS][SM2_NUMBER], e[KEYS][SM2_NUMBER];
};

typedef void (*timed)(const struct subject *s, size_t kind, size_t i);

static uint64_t ticks(void)
{
#if defined(__x86_64__)
	unsigned id;

	return __rdtscp(&id);
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
#endif
}

/* Public: a digest, and which nonce; secret: whose key. Randomness is part of what is timed. */
static void sign_with_key(const struct subject *s, size_t kind, size_t i)
{
	const struct rand r = rand_system();
	struct sm2_value v;

	must_be(sm2_sign(s->key[kind][i], &r, s->e[i], &v) == ERR_OK, "no value");
}

static void sign_with_nonce(const struct subject *s, size_t kind, size_t i)
{
	struct sm2_value v;

	must_be(sm2_sign_with(s->key[1][0], s->nonce[kind][i], s->e[i], &v), "no value");
}

static void multiply_varying(const struct subject *s, size_t kind, size_t i)
{
	struct sm2_scalar k, zero = {{0}};
	struct sm2_jacobian out;

	must_be(sm2_scalar_from_bytes(&k, s->nonce[kind][i]), "a number");
	sm2_core_sum(&out, &zero, &k, &sm2_table_base()->at[0][0]);
}

/* ---- statistics ---- */

struct class
{
	double n, mean, squares;
};

static void add(struct class *c, double x)
{
	double d = x - c->mean;

	c->n++;
	c->mean += d / c->n;
	c->squares += d * (x - c->mean);
}

static double welch(const struct class c[2])
{
	double v = 0;

	for (size_t k = 0; k < 2; k++) {
		if (c[k].n < 100)
			return 0;
		v += c[k].squares / (c[k].n - 1) / c[k].n;
	}
	return v > 0 ? fabs(c[0].mean - c[1].mean) / sqrt(v) : 0;
}

static int by_ticks(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

/* The largest t of all shares. */
static double largest_t(const uint64_t *took, const uint8_t *kind, size_t n)
{
	static const double shares[] = {0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1};
	uint64_t *sorted = malloc(n * sizeof(*sorted));
	double most = 0;

	must_be(sorted != NULL, "memory");
	memcpy(sorted, took, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_ticks);
	for (size_t s = 0; s < sizeof(shares) / sizeof(shares[0]); s++) {
		uint64_t limit = sorted[(size_t)(shares[s] * (double)(n - 1))];
		struct class c[2] = {{0}};

		for (size_t i = 0; i < n; i++)
			if (took[i] <= limit)
				add(&c[kind[i]], (double)took[i]);
		most = fmax(most, welch(c));
	}
	free(sorted);
	return most;
}

static double measure(const struct subject *s, timed f, size_t n)
{
	uint64_t *took = malloc(n * sizeof(*took));
	uint8_t *kind = malloc(n), *which = malloc(n);
	double t;

	must_be(took != NULL && kind != NULL && which != NULL, "memory");
	must_be(RAND_bytes(kind, (int)n) == 1 && RAND_bytes(which, (int)n) == 1, "randomness");
	for (size_t i = 0; i < WARM; i++)
		f(s, i % 2, i % KEYS);
	for (size_t i = 0; i < n; i++) {
		uint64_t start;

		kind[i] &= 1;
		start = ticks();
		f(s, kind[i], which[i] % KEYS);
		took[i] = ticks() - start;
	}
	t = largest_t(took, kind, n);
	free(took);
	free(kind);
	free(which);
	return t;
}

/* ---- subjects ---- */

/* Kind 0: one number with long runs of zero bits, the same in every place. Kind 1: random numbers. */
static void make_number(uint8_t out[SM2_NUMBER], size_t kind)
{
	must_be(RAND_bytes(out, SM2_NUMBER) == 1, "randomness");
	out[0] &= 0x7f; /* below the order */
	if (kind == 0) {
		memset(out, 0, SM2_NUMBER);
		out[SM2_NUMBER - 1] = 2;
		out[20] = 1;
	}
}

static struct subject *make_subject(void)
{
	struct subject *s = calloc(1, sizeof(*s));
	uint8_t d[SM2_NUMBER], point[SM2_POINT];

	must_be(s != NULL, "memory");
	for (size_t i = 0; i < KEYS; i++) {
		must_be(RAND_bytes(s->e[i], SM2_NUMBER) == 1, "randomness");
		for (size_t kind = 0; kind < 2; kind++) {
			make_number(d, kind);
			must_be(sm2_secret_new(d, &s->key[kind][i], point) == ERR_OK, "a secret key");
			make_number(s->nonce[kind][i], kind);
		}
	}
	return s;
}

static void free_subject(struct subject *s)
{
	for (size_t i = 0; i < KEYS; i++)
		for (size_t kind = 0; kind < 2; kind++)
			sm2_secret_free(s->key[kind][i]);
	free(s);
}

/* ---- verdict ---- */

static const char *verdict(double t)
{
	return t < T_NOTHING ? "no difference found" : t < T_DIFFERS ? "not clear" : "they differ";
}

/* What is not clear is measured again, four times as long: a real difference grows to twice its t, chance does not. */
static double say(const struct subject *s, const char *what, timed f, size_t n, const char *key)
{
	double t = measure(s, f, n);

	if (t >= T_NOTHING && t < T_DIFFERS)
		t = measure(s, f, 4 * n);
	printf("  %-52s t = %8.2f  %s\n", what, t, verdict(t));
	put_figure(key, t);
	return t;
}

void test_timing(void)
{
	static const struct {
		const char *text, *key, *nonce;
		unsigned paths, needs;
	} ways[] = {
	    {"AVX-512 IFMA", "timing_key_ifma_t", "timing_nonce_ifma_t", CPU_ALL, CPU_IFMA},
	    {"MULX and ADX", "timing_key_adx_t", "timing_nonce_adx_t", CPU_ADX | CPU_AVX2, CPU_ADX},
	    {"plain C", "timing_key_portable_t", "timing_nonce_portable_t", CPU_PORTABLE, 0},
	};
	struct subject *s = make_subject();
	double worst = 0, control;
	const char *all;

	printf("\nTiming of signing, fixed secrets against random ones (largest t of seven croppings; below %.1f is "
	       "nothing)\n",
	       T_NOTHING);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if ((cpu_limit(ways[i].paths) & ways[i].needs) != ways[i].needs)
			continue;
		printf("  %s\n", ways[i].text);
		worst = fmax(worst, say(s, "  key: sm2_sign()", sign_with_key, SAMPLES, ways[i].key));
		worst = fmax(worst, say(s, "  nonce: sm2_sign_with()", sign_with_nonce, SAMPLES, ways[i].nonce));
	}
	cpu_limit(CPU_ALL);
	control = say(s, "control: a multiplication that varies", multiply_varying, CONTROL, "timing_control_t");
	all = control < T_DIFFERS ? "the control was not seen: this says nothing" : verdict(worst);
	printf("  timing: %s\n", all);
	put_text("timing_verdict", all);
	free_subject(s);
}
