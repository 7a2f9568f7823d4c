/* What the tests of lib/form share: an arena per test, vectors as text, bytes as hex. */
#ifndef YZ_TESTS_FORM_HELP_H
#define YZ_TESTS_FORM_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "base/text.h"

static inline int arena_setup(void **state)
{
	*state = arena_new(64 * 1024 * 1024);
	return *state != NULL ? 0 : -1;
}

static inline int arena_teardown(void **state)
{
	arena_free(*state);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

static inline void assert_err(enum err got, enum err want)
{
	assert_string_equal(err_name(got), err_name(want));
}

static inline void assert_span(struct span got, struct span want)
{
	assert_int_equal(got.len, want.len);
	if (want.len != 0)
		assert_memory_equal(got.ptr, want.ptr, want.len);
}

/* Hex with blanks; in memory of exactly its size, so that a sanitizer sees every byte read too far. Free it. */
static inline struct span unhex(const char *hex)
{
	size_t n = 0;
	uint8_t *out;

	for (const char *p = hex; *p != '\0'; p++)
		n += *p != ' ';
	out = malloc(n / 2 + 1);
	assert_non_null(out);
	n = 0;
	for (; *hex != '\0'; hex += *hex == ' ' ? 1 : 2) {
		if (*hex != ' ')
			assert_err(hex_decode(span_of(hex, 2), &out[n++], 1), ERR_OK);
	}
	out = realloc(out, n != 0 ? n : 1);
	assert_non_null(out);
	return span_of(out, n);
}

/* Every row "first<TAB>second" of a file of vectors; lines with # are comments. Returns the number of rows. */
static inline size_t each_row(struct arena *a, const char *path, void (*row)(const char *first, const char *second))
{
	struct span file;
	struct err_note note;
	char *text, *line, *next, *tab;
	size_t rows = 0;

	assert_err(file_read(a, path, 1 << 20, &file, &note), ERR_OK);
	text = arena_strndup(a, file.ptr, file.len);
	assert_non_null(text);
	for (line = text; *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		tab = strchr(line, '\t');
		if (line[0] == '#' || tab == NULL)
			continue;
		*tab = '\0';
		row(line, tab + 1);
		rows++;
	}
	return rows;
}

/* A file of the public corpora; false when they are not there. */
static inline bool corpus_read(struct arena *a, const char *name, struct span *out)
{
	const char *shared = getenv("SHARED");
	char *path = arena_printf(a, "%s/corpus/%s", shared != NULL ? shared : "../shared", name);
	struct err_note note;

	return file_read(a, path, 1 << 24, out, &note) == ERR_OK;
}

#endif
