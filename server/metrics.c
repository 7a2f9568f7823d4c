#include "server/metrics.h"

#include <stdatomic.h>
#include <time.h>

/* One process, one set of figures: kept here, so that whoever counts needs nothing but this. */
struct histogram {
	atomic_uint_least64_t bucket[METRICS_BUCKETS];
	atomic_uint_least64_t sum_micros;
};

static struct {
	struct {
		atomic_uint_least64_t code[METRICS_CODES];
		struct histogram seconds;
	} method[METRICS_METHODS];
	struct histogram commit;
	atomic_uint_least64_t refused[ERR_COUNT];
	atomic_uint_least64_t verdict[METRICS_VERDICTS];
} counted;

const uint64_t metrics_bounds[METRICS_BUCKETS - 1] = {100,   250,   500,    1000,   2500,   5000,    10000,
                                                      25000, 50000, 100000, 250000, 500000, 1000000, 5000000};

static void add(atomic_uint_least64_t *at, uint64_t n)
{
	atomic_fetch_add_explicit(at, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_least64_t *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

int64_t metrics_micros(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void observe(struct histogram *h, uint64_t micros)
{
	unsigned i = 0;

	while (i < METRICS_BUCKETS - 1 && micros > metrics_bounds[i])
		i++;
	add(&h->bucket[i], 1);
	add(&h->sum_micros, micros);
}

void metrics_call(size_t method, int status, uint64_t micros)
{
	if (method >= METRICS_METHODS)
		return;
	add(&counted.method[method].code[status >= 0 && status < METRICS_CODES ? status : 2], 1); /* 2: UNKNOWN */
	observe(&counted.method[method].seconds, micros);
}

void metrics_refused(enum err e)
{
	if (e >= 0 && e < ERR_COUNT)
		add(&counted.refused[e], 1);
}

void metrics_verdict(int indication)
{
	if (indication >= 0 && indication < METRICS_VERDICTS)
		add(&counted.verdict[indication], 1);
}

void metrics_commit(enum err e, uint64_t micros)
{
	observe(&counted.commit, micros);
}

static void read_histogram(const struct histogram *in, struct metrics_histogram *out)
{
	for (int i = 0; i < METRICS_BUCKETS; i++)
		out->bucket[i] = get(&in->bucket[i]);
	out->sum_micros = get(&in->sum_micros);
}

void metrics_method_read(size_t method, struct metrics_method *out)
{
	*out = (struct metrics_method){0};
	if (method >= METRICS_METHODS)
		return;
	for (int i = 0; i < METRICS_CODES; i++)
		out->code[i] = get(&counted.method[method].code[i]);
	read_histogram(&counted.method[method].seconds, &out->seconds);
}

void metrics_commit_read(struct metrics_histogram *out)
{
	read_histogram(&counted.commit, out);
}

uint64_t metrics_refused_read(enum err e)
{
	return e >= 0 && e < ERR_COUNT ? get(&counted.refused[e]) : 0;
}

uint64_t metrics_verdict_read(int indication)
{
	return indication >= 0 && indication < METRICS_VERDICTS ? get(&counted.verdict[indication]) : 0;
}

uint64_t metrics_ok(void)
{
	uint64_t n = 0;

	for (int i = 0; i < METRICS_METHODS; i++)
		n += get(&counted.method[i].code[0]);
	return n;
}
