/*
 * How fast does a queue go? Time counts only while something is in it, so that a quiet hour tells nothing. One thread
 * at a time; `now` is monotonic, in microseconds.
 */
#ifndef YZ_SERVER_PACE_H
#define YZ_SERVER_PACE_H

#include <stdint.h>

struct pace {
	unsigned n; /* in the queue */
	int64_t since;
	uint64_t busy, done; /* of the sample that is being taken */
	uint64_t interval;   /* microseconds from one to the next, smoothed; 0: not yet known */
};

void pace_enter(struct pace *p, int64_t now);
void pace_leave(struct pace *p, int64_t now);
/* How long one that comes behind `ahead` would wait. */
uint64_t pace_wait(const struct pace *p, unsigned ahead);

#endif
