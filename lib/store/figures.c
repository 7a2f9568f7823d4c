/* What the store counts of its own work. Relaxed: a figure may be a moment behind its neighbour. */
#include "store/cells.h"
#include "store/internal.h"

#include <time.h>

const uint64_t store_time_bounds[STORE_BUCKETS - 1] = {100,   250,   500,    1000,   2500,   5000,    10000,
                                                       25000, 50000, 100000, 250000, 500000, 1000000, 5000000};
const uint64_t store_batch_bounds[STORE_BUCKETS - 1] = {1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256};

int64_t steady_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void spread_add(struct spread *s, const uint64_t bounds[STORE_BUCKETS - 1], uint64_t value)
{
	unsigned i = 0;

	while (i < STORE_BUCKETS - 1 && value > bounds[i])
		i++;
	atomic_fetch_add_explicit(&s->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->sum, value, memory_order_relaxed);
}

static void spread_read(const struct spread *s, struct store_spread *out)
{
	for (int i = 0; i < STORE_BUCKETS; i++)
		out->bucket[i] = atomic_load_explicit(&s->bucket[i], memory_order_relaxed);
	out->sum = atomic_load_explicit(&s->sum, memory_order_relaxed);
}

void store_figures(struct store *s, struct store_figures *out)
{
	const struct counts *c = &s->counts;
	int64_t since = atomic_load(&c->unnumbered_since), now = clock_monotonic_ms();

	*out = (struct store_figures){.shared = s->driver->shared,
	                              .connects = atomic_load(&c->db.connects),
	                              .conflicts = atomic_load(&c->conflicts),
	                              .lost = atomic_load(&c->lost),
	                              .exact = atomic_load(&c->exact),
	                              .queued = writer_queued(s->writer),
	                              .unnumbered = atomic_load(&c->unnumbered),
	                              .unnumbered_ms = since != 0 && now > since ? now - since : 0};
	cells_figures(s->cells, &out->identifiers);
	spread_read(&c->batch, &out->batch);
	spread_read(&c->write, &out->write);
	spread_read(&c->read, &out->read);
}
