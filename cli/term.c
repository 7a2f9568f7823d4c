#include "cli/term.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

int term_exit(enum err e)
{
	switch (e) {
	case ERR_USAGE:
	case ERR_CONFIG_INVALID:
		return EXIT_USAGE;
	case ERR_FILE_UNREADABLE:
		return EXIT_NO_INPUT;
	case ERR_FILE_UNWRITABLE:
		return EXIT_NO_OUTPUT;
	case ERR_TOO_LARGE:
	case ERR_BUDGET:
		return EXIT_DATA; /* later is no better */
	default:
		break;
	}
	switch (err_class_of(e)) {
	case ERRC_OK:
		return EXIT_OK;
	case ERRC_INVALID:
	case ERRC_DATA:
		return EXIT_DATA;
	case ERRC_UNAUTHENTICATED:
	case ERRC_DENIED:
	case ERRC_NOT_FOUND:
	case ERRC_EXISTS:
	case ERRC_PRECONDITION:
		return EXIT_REFUSED;
	case ERRC_EXHAUSTED:
	case ERRC_DEADLINE:
	case ERRC_CANCELLED:
		return EXIT_TRY_LATER;
	case ERRC_UNAVAILABLE:
		return EXIT_NO_SERVER;
	case ERRC_INTERNAL:
		break;
	}
	return EXIT_INTERNAL;
}

int term_exit_reason(const char *reason)
{
	int e;

	for (e = 1; e < ERR_COUNT; e++)
		if (strcmp(err_name((enum err)e), reason) == 0)
			return term_exit((enum err)e);
	return EXIT_REFUSED;
}

bool term_is_tty(FILE *f)
{
	return isatty(fileno(f)) == 1;
}

bool term_colour(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return term_is_tty(f) && (no == NULL || no[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0;
}

/* ---- text ----------------------------------------------------------------------------------- */

/* Length of the character at the start of s (len > 0), 0 when that is not UTF-8; *cp is its code point. */
static size_t next_char(struct span s, uint32_t *cp)
{
	uint8_t c = s.ptr[0];
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2, i;

	if (n > s.len || !text_is_utf8(span_of(s.ptr, n)))
		return 0;
	*cp = n == 1 ? c : c & (0x7fu >> n);
	for (i = 1; i < n; i++)
		*cp = *cp << 6 | (s.ptr[i] & 0x3f);
	return n;
}

struct range {
	uint32_t from, to;
};

static bool within(const struct range *r, size_t n, uint32_t cp)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (cp >= r[i].from && cp <= r[i].to)
			return true;
	return false;
}

static size_t char_width(uint32_t cp)
{
	static const struct range none[] = {{0x300, 0x36f},   {0x200b, 0x200f}, {0x2060, 0x2064}, {0x20d0, 0x20ff},
	                                    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};
	/* Unicode's East Asian Width W and F, joined where the gaps are unassigned. */
	static const struct range wide[] = {{0x1100, 0x115f},  {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},
	                                    {0xac00, 0xd7a3},  {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
	                                    {0xffe0, 0xffe6},  {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
	                                    {0x20000, 0x3fffd}};

	if (within(none, sizeof(none) / sizeof(none[0]), cp))
		return 0;
	return within(wide, sizeof(wide) / sizeof(wide[0]), cp) ? 2 : 1;
}

size_t term_width(const char *text)
{
	struct span s = span_str(text);
	size_t width = 0, n;
	uint32_t cp;

	for (; s.len != 0; s = span_sub(s, n, s.len)) {
		n = next_char(s, &cp);
		width += n != 0 ? char_width(cp) : 1;
		n = n != 0 ? n : 1;
	}
	return width;
}

/* The next piece of s as it may be shown; returns how much of s that was. */
static size_t safe_piece(struct span s, char out[20])
{
	uint32_t cp;
	size_t n = next_char(s, &cp), i;

	if (n != 0 && text_is_clean(span_of(s.ptr, n), n)) {
		memcpy(out, s.ptr, n);
		out[n] = '\0';
		return n;
	}
	n = n != 0 ? n : 1;
	for (i = 0; i < n; i++)
		snprintf(out + 4 * i, 5, "\\x%02x", s.ptr[i]);
	return n;
}

const char *term_safe(struct arena *a, struct span s)
{
	struct buf b;
	char piece[20];
	const char *text;

	buf_init(&b, a);
	while (s.len != 0) {
		s = span_sub(s, safe_piece(s, piece), s.len);
		buf_str(&b, piece);
	}
	text = buf_text(&b);
	return text != NULL ? text : "(out of memory)";
}

static void print_safe(FILE *f, const char *text)
{
	struct span s = span_str(text);
	char piece[20];

	while (s.len != 0) {
		s = span_sub(s, safe_piece(s, piece), s.len);
		fputs(piece, f);
	}
}

/* ---- answers -------------------------------------------------------------------------------- */

enum err term_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? ERR_OK : ERR_FILE_UNWRITABLE;
}

enum err term_json(json_t *line)
{
	int bad;

	if (line == NULL)
		return ERR_NO_MEMORY;
	bad = json_dumpf(line, stdout, JSON_COMPACT);
	json_decref(line);
	if (bad != 0)
		return ERR_FILE_UNWRITABLE;
	putchar('\n');
	return term_flush();
}

json_t *term_error_json(const char *reason, const char *field, const char *help)
{
	return json_pack("{s:s, s:s?, s:s}", "reason", reason, "field", field != NULL && field[0] != '\0' ? field : NULL,
	                 "help", help);
}

static void print_refusal(const char *reason, const char *field, const char *help, const char *subject,
                          unsigned retry_ms)
{
	fprintf(stderr, "yinzheng: %s: ", reason);
	if (subject != NULL && strncmp(help, subject, strlen(subject)) != 0) {
		print_safe(stderr, subject);
		fputs(": ", stderr);
	}
	print_safe(stderr, help);
	if (field != NULL && field[0] != '\0')
		fprintf(stderr, " [%s]", field);
	if (retry_ms != 0) /* rounded up: too early would be refused again */
		fprintf(stderr, " Try again in %u.%u s.", (retry_ms + 99) / 1000, (retry_ms + 99) / 100 % 10);
	fputc('\n', stderr);
}

void term_refusal(bool json, const char *reason, const char *field, const char *help, const char *subject)
{
	term_refusal_hint(json, reason, field, help, subject, 0);
}

void term_refusal_hint(bool json, const char *reason, const char *field, const char *help, const char *subject,
                       unsigned retry_ms)
{
	json_t *line, *error;

	if (json) {
		error = term_error_json(reason, field, help);
		if (error != NULL && retry_ms != 0)
			json_object_set_new(error, "retry_after_ms", json_integer(retry_ms));
		line = json_pack("{s:o}", "error", error);
		if (subject != NULL && line != NULL)
			json_object_set_new(line, "subject", json_string(subject));
		if (term_json(line) == ERR_OK)
			return;
	}
	print_refusal(reason, field, help, subject, retry_ms);
}

int term_error(bool json, enum err e, const struct err_note *note, const char *subject)
{
	bool own = note != NULL && note->code == e && note->help[0] != '\0';

	term_refusal(json, err_name(e), note != NULL && note->code == e ? note->field : NULL,
	             own ? note->help : err_help(e), subject);
	return term_exit(e);
}
