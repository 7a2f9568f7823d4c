/*
 * Counts of durations in buckets that grow with the value: 128 to an octave, so that what is read back is at most one
 * part in 128 above what was put in. Any unit; nanoseconds here. Of fixed size, and histograms add up.
 */
#ifndef YZ_CLI_BENCH_HIST_H
#define YZ_CLI_BENCH_HIST_H

#include <stddef.h>
#include <stdint.h>

enum { HIST_SUB_BITS = 7, HIST_TOP_BITS = 43, HIST_BUCKETS = (HIST_TOP_BITS - HIST_SUB_BITS + 1) << HIST_SUB_BITS };

struct hist {
	uint64_t n, sum, max;
	uint64_t count[HIST_BUCKETS];
};

/* Negative values count as 0; those of 2^43 (two and a half hours) and more stand in the last bucket, max is exact. */
void hist_add(struct hist *h, int64_t value);
/* The smallest value that at least the part q (0 to 1) of all values does not exceed, rounded up to its bucket's end
 * and never above max. 0 when empty. */
uint64_t hist_quantile(const struct hist *h, double q);
uint64_t hist_mean(const struct hist *h);

#endif
