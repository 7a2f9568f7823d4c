#include "cli/bench_hist.h"

#include <math.h>

enum { SUB = 1 << HIST_SUB_BITS };

static size_t bucket_of(uint64_t v)
{
	int top;

	if (v < SUB)
		return (size_t)v;
	if (v >> HIST_TOP_BITS != 0)
		return HIST_BUCKETS - 1;
	top = 63 - __builtin_clzll(v);
	return ((size_t)(top - HIST_SUB_BITS + 1) << HIST_SUB_BITS) + (size_t)((v >> (top - HIST_SUB_BITS)) & (SUB - 1));
}

/* The largest value of a bucket. */
static uint64_t bucket_end(size_t i)
{
	size_t octave = i >> HIST_SUB_BITS;

	if (octave == 0)
		return i;
	return ((((uint64_t)i & (SUB - 1)) + SUB + 1) << (octave - 1)) - 1;
}

void hist_add(struct hist *h, int64_t value)
{
	uint64_t v = value > 0 ? (uint64_t)value : 0;

	h->n++;
	h->sum += v;
	if (v > h->max)
		h->max = v;
	h->count[bucket_of(v)]++;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
	double wanted = ceil(q * (double)h->n);
	uint64_t rank = wanted > 1 ? (uint64_t)wanted : 1, seen = 0, end;

	if (rank > h->n)
		rank = h->n;
	for (size_t i = 0; h->n != 0 && i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen < rank)
			continue;
		end = bucket_end(i);
		return i == HIST_BUCKETS - 1 || end > h->max ? h->max : end;
	}
	return 0;
}

uint64_t hist_mean(const struct hist *h)
{
	return h->n != 0 ? h->sum / h->n : 0;
}
