/* What a load consists of, and when each call is due. */
#ifndef YZ_CLI_BENCH_PACE_H
#define YZ_CLI_BENCH_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum bench_op { BENCH_NULL, BENCH_VERIFY, BENCH_SHOW, BENCH_PULL, BENCH_INSPECT, BENCH_OPS };

/* "null", "verify", … */
const char *bench_op_name(enum bench_op op);

enum { MIX_WEIGHT_MAX = 1000, MIX_MAX = MIX_WEIGHT_MAX * BENCH_OPS };

/* The order of calls: every n of them hold each kind by its weight, spread as evenly as can be. */
struct mix {
	size_t n;
	uint8_t op[MIX_MAX];
};
/* "pull", or "verify=3,show=1,pull=1". Weights are 1 to MIX_WEIGHT_MAX. ERR_USAGE with a note that says what is wrong:
 * unknown names, a name twice, no weight. */
enum err mix_parse(const char *text, struct mix *out, struct err_note *note) MUST_CHECK;
static inline enum bench_op mix_at(const struct mix *m, uint64_t i)
{
	return (enum bench_op)m->op[i % m->n];
}
bool mix_has(const struct mix *m, enum bench_op op);

/* When the i-th call at `rate` per second is due, in ns: exact to the nanosecond however long it runs. A call that
 * could not be started then is still measured from here, so that a server that stalls the generator does not hide how
 * long those waited that would have come meanwhile. */
int64_t pace_due(int64_t start, uint64_t rate, uint64_t i);

#endif
