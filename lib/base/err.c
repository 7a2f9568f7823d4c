#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum err_class cls;
	const char *help;
} table[ERR_COUNT] = {
#define X(sym, cls, text) {#sym, ERRC_##cls, text},
    ERR_TABLE(X)
#undef X
};

static enum err known(enum err e)
{
	return (unsigned)e < ERR_COUNT ? e : ERR_INTERNAL;
}

const char *err_name(enum err e)
{
	return table[known(e)].name;
}

enum err_class err_class_of(enum err e)
{
	return table[known(e)].cls;
}

const char *err_help(enum err e)
{
	return table[known(e)].help;
}

/* snprintf() may have cut a UTF-8 character in two; half a character must not reach a protobuf string. */
static void drop_cut_character(char *s, size_t size, int wanted)
{
	size_t n = strlen(s), from = n;
	unsigned char lead;

	if (wanted < 0 || (size_t)wanted < size)
		return;
	while (from > 0 && ((unsigned char)s[from - 1] & 0xc0) == 0x80)
		from--;
	if (from == 0)
		return;
	lead = (unsigned char)s[--from];
	if (n - from < (lead >= 0xf0 ? 4u : lead >= 0xe0 ? 3u : lead >= 0xc0 ? 2u : 1u))
		s[from] = '\0';
}

enum err err_note_set(struct err_note *note, enum err code, const char *field, const char *fmt, ...)
{
	va_list ap;

	if (note == NULL)
		return code;
	note->code = code;
	drop_cut_character(note->field, sizeof(note->field),
	                   snprintf(note->field, sizeof(note->field), "%s", field != NULL ? field : ""));
	note->help[0] = '\0';
	if (fmt != NULL) {
		va_start(ap, fmt);
		drop_cut_character(note->help, sizeof(note->help), vsnprintf(note->help, sizeof(note->help), fmt, ap));
		va_end(ap);
	}
	return code;
}

const char *err_note_text(const struct err_note *note)
{
	return note->help[0] != '\0' ? note->help : err_help(note->code);
}
