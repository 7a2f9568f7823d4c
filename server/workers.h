/*
 * A bounded pool of threads with bounded queues, apart from gRPC's threads; and who is let in when there is too much.
 *
 * Calls are of three classes: administration goes first, then reads, then writes (one write after every few reads, so
 * that none waits for ever). What was admitted is worked on; what would have to wait too long is refused at once, while
 * that is still cheap: workers_admit() estimates the wait from what is queued and how fast the queues went lately.
 * Writes on their way to the disk are bounded by number: what they add to a commit costs little, and all of them wait
 * for about as long as that number takes. When more than half of what comes is refused for a while (strain.h), the
 * limits of its class are tightened to 12 % of the wait and 60 % of the commits, so that what is let in is
 * answered about as fast as else.
 */
#ifndef YZ_SERVER_WORKERS_H
#define YZ_SERVER_WORKERS_H

#include "base/err.h"
#include "base/span.h"

struct workers;

enum call_class { CLASS_ADMIN, CLASS_READ, CLASS_WRITE, CLASS_COUNT };

/* Embedded in what is to be worked on; belongs to the pool from submit until run. */
struct job {
	void (*run)(struct job *j);
	struct job *next;
};

struct workers_limits {
	unsigned queue;   /* jobs of each class that may wait */
	unsigned wait_ms; /* a read or write that would wait longer is refused; a short queue never is */
	unsigned commits; /* writes on their way to the disk */
};

/* threads and limits at least 1. */
enum err workers_start(unsigned threads, const struct workers_limits *limits, struct workers **out) MUST_CHECK;
/* They hold from now on. Any thread. */
void workers_set_limits(struct workers *w, const struct workers_limits *limits);

/* May one more of this class come in? Asked once of each call, which is how strain is known. ERR_OVERLOADED,
 * ERR_STOPPING. */
enum err workers_admit(struct workers *w, enum call_class class) MUST_CHECK;
/* Nothing waits for a thread. */
bool workers_quiet(struct workers *w);
/* New work: admit and queue. */
enum err workers_submit(struct workers *w, struct job *j, enum call_class class) MUST_CHECK;
/* Another share of work that was admitted as a whole and is bounded otherwise: never refused but by ERR_STOPPING, and
 * behind what waits. */
enum err workers_share(struct workers *w, struct job *j, enum call_class class) MUST_CHECK;
/* Work that was admitted before and goes on: never refused, and before new work. Any thread. */
void workers_resume(struct workers *w, struct job *j);
/* A write is on its way to the disk; it has come back. */
void workers_park(struct workers *w);
void workers_unpark(struct workers *w);

struct workers_figures {
	unsigned threads, busy, parked, resumed;
	unsigned queued[CLASS_COUNT];
	uint64_t refused[CLASS_COUNT];
	bool strained[CLASS_COUNT];          /* its limits are tightened */
	uint64_t wait_micros, commit_micros; /* estimates for a read that would come now, and for a write's commit */
	struct workers_limits limits;
};
void workers_figures(struct workers *w, struct workers_figures *out);
const char *call_class_name(enum call_class class); /* "admin", … */

/* Runs what is queued, then ends the threads and frees the pool. Accepts NULL. */
void workers_stop(struct workers *w);

#endif
