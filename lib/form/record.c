#include "form/record.h"

#include "base/text.h"

static bool text_ok(const char *s, size_t min, size_t max)
{
	struct span text = span_str(s);

	return s != NULL && text.len >= min && text_is_clean(text, max);
}

bool record_name_ok(const char *s, size_t max)
{
	return text_ok(s, 1, max);
}

static enum err put_element(struct buf *b, const struct record_element *el, const void *at)
{
	const char *text;
	unsigned number;
	int64_t time;

	switch (el->kind) {
	case RECORD_TEXT:
	case RECORD_OPTIONAL:
		text = *(char *const *)at;
		if (!text_ok(text, el->kind == RECORD_TEXT ? 1 : 0, el->max))
			return ERR_FIELD_INVALID;
		cbor_put_text(b, text);
		return ERR_OK;
	case RECORD_NUMBER:
		memcpy(&number, at, sizeof(number)); /* memcpy: enums are stored here too */
		if (number < 1 || number > el->max)
			return ERR_FIELD_INVALID;
		cbor_put_uint(b, number);
		return ERR_OK;
	case RECORD_TIME:
		memcpy(&time, at, sizeof(time));
		cbor_put_int(b, time);
		return ERR_OK;
	case RECORD_DIGEST:
		cbor_put_bytes(b, span_of(at, el->max));
		return ERR_OK;
	}
	return ERR_INTERNAL;
}

enum err record_put(struct buf *b, const struct record_element *t, size_t n, const void *from)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		cbor_put_uint(b, i + 1);
		e = put_element(b, &t[i], (const char *)from + t[i].at);
	}
	return e;
}

enum err record_get_name(struct cbor_reader *r, struct arena *a, size_t max, char **out)
{
	char *s;
	enum err e = cbor_get_text(r, a, max, &s);

	if (e == ERR_OK && s[0] == '\0')
		e = ERR_FORMAT;
	if (e == ERR_OK)
		*out = s;
	return e;
}

static enum err get_element(struct cbor_reader *r, struct arena *a, const struct record_element *el, void *at)
{
	struct span bytes;
	uint64_t wide;
	unsigned number;
	enum err e;

	switch (el->kind) {
	case RECORD_TEXT:
		return record_get_name(r, a, el->max, at);
	case RECORD_OPTIONAL:
		return cbor_get_text(r, a, el->max, at);
	case RECORD_NUMBER:
		e = cbor_get_uint(r, el->max, &wide);
		if (e != ERR_OK || wide < 1)
			return ERR_FORMAT;
		number = (unsigned)wide;
		memcpy(at, &number, sizeof(number));
		return ERR_OK;
	case RECORD_TIME:
		return cbor_get_int(r, at);
	case RECORD_DIGEST:
		e = cbor_get_bytes(r, el->max, &bytes);
		if (e != ERR_OK || bytes.len != el->max)
			return ERR_FORMAT;
		memcpy(at, bytes.ptr, bytes.len);
		return ERR_OK;
	}
	return ERR_INTERNAL;
}

enum err record_get(struct cbor_reader *r, struct arena *a, const struct record_element *t, size_t n, void *to,
                    struct err_note *note)
{
	for (size_t i = 0; i < n; i++) {
		enum err e = cbor_get_key(r, i + 1);

		if (e == ERR_OK)
			e = get_element(r, a, &t[i], (char *)to + t[i].at);
		if (e != ERR_OK)
			return err_note_set(note, e, t[i].name, "element %s (key %zu) is not as it must be", t[i].name, i + 1);
	}
	return ERR_OK;
}

enum err record_get_tuple(struct cbor_reader *r, size_t n)
{
	struct cbor_reader look = *r;
	size_t count;
	enum err e = cbor_get_array(&look, n, &count);

	if (e != ERR_OK || count != n)
		return ERR_FORMAT;
	*r = look;
	return ERR_OK;
}
