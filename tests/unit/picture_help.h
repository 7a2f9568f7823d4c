/* What tests of pictures share: room, and where a refusal is noted. */
#ifndef YZ_TESTS_PICTURE_HELP_H
#define YZ_TESTS_PICTURE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"

static struct arena *a;
static struct err_note note;

static inline int setup(void **state)
{
	(void)state;
	a = arena_new(256 << 20);
	memset(&note, 0, sizeof(note));
	return a != NULL ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

#endif
