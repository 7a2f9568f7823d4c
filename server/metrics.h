/* Counters of the process since its start, for Prometheus (metrics_text.c, metrics_http.c) and AdminService.GetStatus.
 * Any thread; counting costs a few atomic additions. */
#ifndef YZ_SERVER_METRICS_H
#define YZ_SERVER_METRICS_H

#include "base/err.h"
#include <stdint.h>

enum { METRICS_METHODS = 96, METRICS_CODES = 17, METRICS_BUCKETS = 15, METRICS_VERDICTS = 8 };

/* Upper bounds of the histograms' buckets, in microseconds; the last one has none. */
extern const uint64_t metrics_bounds[METRICS_BUCKETS - 1];

struct metrics_histogram {
	uint64_t bucket[METRICS_BUCKETS]; /* not added up */
	uint64_t sum_micros;
};

struct metrics_method {
	uint64_t code[METRICS_CODES]; /* by gRPC status */
	struct metrics_histogram seconds;
};

int64_t metrics_micros(void); /* monotonic */
/* A call has ended. method: its row, or methods_count for unknown ones. */
void metrics_call(size_t method, int status, uint64_t micros);
/* Why it was refused; ERR_CANCELLED: dropped because its client was gone. */
void metrics_refused(enum err e);
/* enum indication */
void metrics_verdict(int indication);
/* A write came back from the store. */
void metrics_commit(enum err e, uint64_t micros);

/* What was counted. */
void metrics_method_read(size_t method, struct metrics_method *out);
void metrics_commit_read(struct metrics_histogram *out);
uint64_t metrics_refused_read(enum err e);
uint64_t metrics_verdict_read(int indication);
/* Of all methods. */
uint64_t metrics_ok(void);

#endif
