/*
 * Is far more asked than can be done, and not just for a moment? Looked at every tenth of a second: in the last one
 * more than half of what came was turned away, and so much of it that turning away is itself a load.
 *
 * Then limits are tightened. Who is turned away by those and asks again at once would keep it up for ever, so every
 * five seconds the whole limits are tried, until they turn away more than a few. One thread at a time; `now` is
 * monotonic, in microseconds.
 */
#ifndef YZ_SERVER_STRAIN_H
#define YZ_SERVER_STRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct strain {
	int64_t since; /* of the window that is being counted */
	unsigned taken, refused;
	unsigned windows; /* in a row that were too much */
	bool trying;      /* in spite of that */
};

void strain_taken(struct strain *s);
void strain_refused(struct strain *s);
/* Are the limits tightened? */
bool strain_tight(struct strain *s, int64_t now);

#endif
