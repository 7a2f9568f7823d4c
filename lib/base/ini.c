#include "base/ini.h"

#include <ini.h>

#include "base/text.h"

struct reading {
	const char *path;
	struct span rest; /* not yet read */
	int line;
	ini_taker *take;
	void *arg;
	struct err_note note;
	enum err e;
};

static void fault(struct reading *r, const char *what)
{
	r->e = err_note_set(&r->note, ERR_CONFIG_INVALID, NULL, "%s", what);
}

/* inih: nonzero is success. */
static int on_line(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;
	const struct ini_line line = {section, key, value, r->line};

	if (r->e != ERR_OK)
		return 0;
	if (!text_is_clean(span_str(section), INI_LINE_MAX) || !text_is_clean(span_str(key), INI_LINE_MAX) ||
	    !text_is_clean(span_str(value), INI_LINE_MAX))
		fault(r, "not clean text");
	else
		r->e = r->take(r->arg, &line, &r->note);
	return r->e == ERR_OK;
}

/* inih does not tell where it is, and cuts long lines: both are seen here. */
static char *next_line(char *out, int size, void *arg)
{
	struct reading *r = arg;
	size_t n = 0, room = size > INI_LINE_MAX ? INI_LINE_MAX : (size_t)size - 1;

	if (r->rest.len == 0 || r->e != ERR_OK)
		return NULL;
	r->line++;
	while (n < r->rest.len && r->rest.ptr[n] != '\n')
		n++;
	if (n > room || memchr(r->rest.ptr, '\0', n) != NULL) {
		fault(r, n > room ? "the line is too long" : "the line has a NUL");
		return NULL;
	}
	memcpy(out, r->rest.ptr, n);
	out[n] = '\0';
	r->rest = span_sub(r->rest, n + 1, r->rest.len);
	return out;
}

enum err ini_read(const char *path, struct span text, ini_taker *take, void *arg, struct err_note *note)
{
	struct reading r = {.path = path, .rest = text, .take = take, .arg = arg};
	int bad = ini_parse_stream(next_line, &r, on_line, &r);

	/* inih goes on after a line that it cannot read: the first fault counts, ours or its. */
	if (bad > 0 && (r.e == ERR_OK || bad < r.line)) {
		r.line = bad;
		fault(&r, "neither [section] nor key = value");
	}
	if (r.e == ERR_OK || err_class_of(r.e) != ERRC_INVALID)
		return r.e;
	return err_note_set(note, r.e, r.note.field, "%.120s:%d: %s", path, r.line, err_note_text(&r.note));
}
