/* The differential program: parts, and what they share. `make diff-sm2` runs it (docs/sm2.md). */
#ifndef YZ_TESTS_DIFF_H
#define YZ_TESTS_DIFF_H

#include "tests/diff/numbers.h"

struct diff {
	struct numbers numbers;
	uint64_t rounds;             /* for this process and this part */
	uint64_t done, valid, wrong; /* cases; how many of them were good signatures; differences found */
	bool quiet;                  /* no progress */
	const char *part;
};

/* Counts one comparison; says what differed, with the inputs in hexadecimal. */
void diff_check(struct diff *d, bool same, const char *what, const uint64_t *const *inputs, int n_inputs);
/* One more case is done; a line of progress now and then. */
void diff_step(struct diff *d);

/* Each compares with OpenSSL's big numbers or curve, on every path that the machine has. */
void diff_field(struct diff *d);
void diff_scalar(struct diff *d);
void diff_lanes(struct diff *d); /* the eight lanes of AVX-512 IFMA */
void diff_point(struct diff *d);
void diff_verify(struct diff *d);
void diff_sign(struct diff *d);

/* Sets the path number i of those that the machine has and tells its name; NULL past the last, and none is forbidden
 * any more. */
const char *diff_path(unsigned i);

#endif
