/* A bounded pool of threads with a bounded queue, apart from gRPC's threads. */
#ifndef YZ_SERVER_WORKERS_H
#define YZ_SERVER_WORKERS_H

#include "base/err.h"
#include "base/span.h"

struct workers;

/* Embedded in what is to be worked on; belongs to the pool from submit until run. */
struct job {
	void (*run)(struct job *j);
	struct job *next;
};

/* threads and queue at least 1. */
enum err workers_start(unsigned threads, unsigned queue, struct workers **out) MUST_CHECK;
/* New work. ERR_OVERLOADED when the queue is full, ERR_STOPPING. */
enum err workers_submit(struct workers *w, struct job *j) MUST_CHECK;
/* Work that was admitted before and goes on: never refused, and before new work. Any thread. */
void workers_resume(struct workers *w, struct job *j);
unsigned workers_queued(struct workers *w);
unsigned workers_threads(const struct workers *w);
/* Runs what is queued, then ends the threads and frees the pool. Accepts NULL. */
void workers_stop(struct workers *w);

#endif
