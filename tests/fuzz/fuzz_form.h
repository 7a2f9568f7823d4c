/* What the fuzz targets of lib/form share. */
#ifndef YZ_TESTS_FUZZ_FORM_H
#define YZ_TESTS_FUZZ_FORM_H

#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_BUDGET = 32 * 1024 * 1024 };

/* Holds in every build. */
#define MUST(cond)                                                                                                     \
	do {                                                                                                               \
		if (!(cond))                                                                                                   \
			abort();                                                                                                   \
	} while (0)

/* A view lies within what was received. */
static inline bool fuzz_inside(struct span part, struct span whole)
{
	return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

#endif
