/* make bench-sm2: bench_sm2 FOLDER, which gets sm2.json. */
#include "tests/bench/bench_sm2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURNS = 15, TURN_MS = 20, FIGURES_MAX = 96 };

struct figure {
	const char *key, *text, *why; /* text: a string; why: there is no value */
	double value;
};

static struct figure figures[FIGURES_MAX];
static size_t n_figures;

void quit(const char *why)
{
	fprintf(stderr, "bench_sm2: %s\n", why);
	exit(1);
}

void must_be(int ok, const char *what)
{
	if (!ok)
		quit(what);
}

/* ---- figures ---- */

static void put(struct figure f)
{
	must_be(n_figures < FIGURES_MAX, "too many figures");
	figures[n_figures++] = f;
}

void put_figure(const char *key, double value)
{
	put((struct figure){.key = key, .value = value});
}

void put_none(const char *key, const char *why)
{
	put((struct figure){.key = key, .why = why});
}

void put_text(const char *key, const char *value)
{
	put((struct figure){.key = key, .text = value});
}

void write_figures(const char *path)
{
	FILE *f = fopen(path, "w");
	bool any = false;

	must_be(f != NULL, path);
	fputs("{", f);
	for (size_t i = 0; i < n_figures; i++) {
		fprintf(f, "%s\n  \"%s\": ", i != 0 ? "," : "", figures[i].key);
		if (figures[i].why != NULL)
			fputs("null", f);
		else if (figures[i].text != NULL)
			fprintf(f, "\"%s\"", figures[i].text);
		else
			fprintf(f, "%.3f", figures[i].value);
	}
	fputs(",\n  \"null_because\": {", f);
	for (size_t i = 0; i < n_figures; i++) {
		if (figures[i].why == NULL)
			continue;
		fprintf(f, "%s\n    \"%s\": \"%s\"", any ? "," : "", figures[i].key, figures[i].why);
		any = true;
	}
	fputs("}\n}\n", f);
	must_be(fclose(f) == 0, path);
	printf("written: %s\n", path);
}

/* ---- measuring ---- */

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[n / 2];
}

/* Nanoseconds of an operation. */
static double turn(const struct contestant *c)
{
	size_t runs = 0;
	double start, spent;

	cpu_limit(c->paths);
	c->run(c->arg); /* its tables and code are in the caches again */
	start = cpu_ns();
	do {
		c->run(c->arg);
		runs++;
		spent = cpu_ns() - start;
	} while (spent < TURN_MS * 1e6);
	cpu_limit(CPU_ALL);
	return spent / (double)(runs * c->ops);
}

double time_of(const struct contestant *c)
{
	double ns[TURNS];

	for (size_t t = 0; t < TURNS; t++)
		ns[t] = turn(c);
	return median(ns, TURNS);
}

static const char *missing(unsigned needs)
{
	unsigned lacks = needs & ~cpu_paths();

	if ((lacks & CPU_IFMA) != 0)
		return "this machine has no AVX-512 IFMA";
	if ((lacks & CPU_AVX512) != 0)
		return "this machine has no AVX-512";
	if ((lacks & CPU_AVX2) != 0)
		return "this machine has no AVX2";
	if ((lacks & CPU_ADX) != 0)
		return "this machine has no BMI2 and ADX";
	return NULL;
}

static void say(const struct contestant *c, size_t i, double *ns, double *ratio)
{
	double each = median(ns, TURNS), times = median(ratio, TURNS);

	if (i == 0)
		printf("  %-52s %12.0f /s %9.2f us\n", c->text, 1e9 / each, each / 1e3);
	else
		printf("  %-52s %12.0f /s %9.2f us %8.2f x\n", c->text, 1e9 / each, each / 1e3, times);
	put_figure(c->key, i == 0 ? 1e9 / each : times);
}

void contest(const char *title, const struct contestant *c, size_t n)
{
	static double ns[CONTEST_MAX][TURNS], ratio[CONTEST_MAX][TURNS];

	must_be(n <= CONTEST_MAX, "too many contestants");
	for (size_t t = 0; t < TURNS; t++) {
		for (size_t k = 0; k < n; k++) {
			size_t i = t % 2 == 0 ? k : n - 1 - k;

			if (missing(c[i].needs) == NULL)
				ns[i][t] = turn(&c[i]);
		}
		for (size_t i = 0; i < n; i++)
			ratio[i][t] = ns[0][t] / ns[i][t];
	}
	printf("\n%s\n", title);
	for (size_t i = 0; i < n; i++) {
		if (missing(c[i].needs) == NULL) {
			say(&c[i], i, ns[i], ratio[i]);
		} else {
			printf("  %-52s %s\n", c[i].text, missing(c[i].needs));
			put_none(c[i].key, missing(c[i].needs));
		}
	}
}

/* ---- all of it ---- */

static void say_machine(void)
{
	unsigned p = cpu_paths();
	static char has[64];

	snprintf(has, sizeof(has), "%s%s%s%s%s", (p & CPU_ADX) != 0 ? "ADX " : "", (p & CPU_AVX2) != 0 ? "AVX2 " : "",
	         (p & CPU_AVX512) != 0 ? "AVX-512 " : "", (p & CPU_IFMA) != 0 ? "IFMA" : "",
	         p == CPU_PORTABLE ? "plain C only" : "");
	printf("SM2 and SM3 beside %s, one core, %d turns of %d ms each; this machine has: %s\n",
	       OpenSSL_version(OPENSSL_VERSION), TURNS, TURN_MS, has);
	put_text("openssl", OpenSSL_version(OPENSSL_VERSION));
	put_text("instruction_sets", has);
}

int main(int argc, char **argv)
{
	char path[4096];

	if (argc != 2) {
		fprintf(stderr, "usage: bench_sm2 FOLDER\n");
		return 64;
	}
	say_machine();
	bench_verify();
	bench_sign(argv[1]);
	bench_sm3();
	test_timing();
	must_be(snprintf(path, sizeof(path), "%s/sm2.json", argv[1]) < (int)sizeof(path), "name too long");
	write_figures(path);
	return 0;
}
