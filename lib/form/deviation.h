/*
 * What a file does otherwise than its standard says, and what was read all the same. A parser that is given a list
 * notes every deviation there and goes on; a parser that is given NULL refuses with ERR_FORMAT. Whether a deviation may
 * be accepted is for verify/policy.h: here are only facts.
 */
#ifndef YZ_FORM_DEVIATION_H
#define YZ_FORM_DEVIATION_H

#include "base/arena.h"
#include "base/err.h"

enum { DEVIATIONS_MAX = 64 /* of one file; more are an ERR_FORMAT */ };

struct deviation {
	const char *code;  /* stable, e.g. "EXT_UNTAGGED"; docs/report-codes.md */
	const char *where; /* the element, e.g. "TBS_Sign.timeInfo" */
};

struct deviations {
	size_t n;
	struct deviation item[DEVIATIONS_MAX];
};

/* ERR_FORMAT when list is NULL (strict), or full. code and where are constants. The same code at the same place counts
 * once. */
enum err deviation_add(struct deviations *list, const char *code, const char *where) MUST_CHECK;

#endif
