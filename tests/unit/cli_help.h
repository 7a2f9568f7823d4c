/* What the tests of the command line share: an arena for each, and what is printed meanwhile. */
#ifndef YZ_TESTS_UNIT_CLI_HELP_H
#define YZ_TESTS_UNIT_CLI_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/opt.h"
#include "cli/term.h"

static inline int with_arena(void **state)
{
	*state = arena_new(1 << 20);
	return *state != NULL ? 0 : -1;
}

static inline int without_arena(void **state)
{
	arena_free(*state);
	return 0;
}

#define TEST(f)  cmocka_unit_test_setup_teardown(f, with_arena, without_arena)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- what is printed ------------------------------------------------------------------------ */

enum { SAID_MAX = 8192 };

/* Standard output and error, turned into files while something runs. */
struct said {
	FILE *file[2];
	int kept[2];
	char out[SAID_MAX], err[SAID_MAX];
};

static inline void listen(struct said *s)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		s->file[i] = tmpfile();
		assert_non_null(s->file[i]);
		s->kept[i] = dup(i + 1);
		assert_true(dup2(fileno(s->file[i]), i + 1) >= 0);
	}
}

static inline void heard(struct said *s)
{
	char *text[] = {s->out, s->err};

	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		size_t n;

		dup2(s->kept[i], i + 1);
		close(s->kept[i]);
		rewind(s->file[i]);
		n = fread(text[i], 1, SAID_MAX - 1, s->file[i]);
		text[i][n] = '\0';
		fclose(s->file[i]);
	}
}

#endif
