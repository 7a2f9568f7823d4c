/*
 * Is far more asked than can be done, and not just for a moment? Looked at every tenth of a second: more than half of
 * what came in the last was turned away. One thread at a time; `now` is monotonic, in microseconds.
 */
#ifndef YZ_SERVER_STRAIN_H
#define YZ_SERVER_STRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct strain {
	int64_t since; /* of the window that is being counted */
	unsigned taken, refused;
	bool high; /* what the window before came to */
};

void strain_taken(struct strain *s);
void strain_refused(struct strain *s);
bool strain_high(struct strain *s, int64_t now);

#endif
