#include "form/der.h"

#include "base/clock.h"
#include "base/text.h"

struct der der_of(struct span in)
{
	return (struct der){.rest = in};
}

bool der_more(const struct der *d)
{
	return d->rest.len != 0;
}

uint8_t der_peek(const struct der *d)
{
	return d->rest.len != 0 ? d->rest.ptr[0] : DER_ANY;
}

/* The length behind the tag: its value, and how many octets it takes. */
static enum err read_length(struct span s, size_t *len, size_t *octets)
{
	size_t n, v = 0;

	if (s.len == 0)
		return ERR_FORMAT;
	if (s.ptr[0] < 0x80) {
		*len = s.ptr[0];
		*octets = 1;
		return ERR_OK;
	}
	n = s.ptr[0] & 0x7f;
	/* n == 0 is the indefinite form; four octets are more than any input that we take. */
	if (n == 0 || n > 4 || s.len < 1 + n || s.ptr[1] == 0)
		return ERR_FORMAT;
	for (size_t i = 1; i <= n; i++)
		v = v << 8 | s.ptr[i];
	if (v < 0x80)
		return ERR_FORMAT;
	*len = v;
	*octets = 1 + n;
	return ERR_OK;
}

enum err der_take(struct der *d, uint8_t tag, struct der_item *out)
{
	size_t len, octets;
	enum err e;

	if (d->rest.len < 2 || (tag != DER_ANY && d->rest.ptr[0] != tag))
		return ERR_FORMAT;
	/* Tag 0 would be the end-of-contents mark, low bits 1f announce a long tag number. */
	if (d->rest.ptr[0] == 0 || (d->rest.ptr[0] & 0x1f) == 0x1f)
		return ERR_FORMAT;
	e = read_length(span_sub(d->rest, 1, SIZE_MAX), &len, &octets);
	if (e != ERR_OK)
		return e;
	if (len > d->rest.len - 1 - octets)
		return ERR_FORMAT;
	out->tag = d->rest.ptr[0];
	out->raw = span_sub(d->rest, 0, 1 + octets + len);
	out->value = span_sub(d->rest, 1 + octets, len);
	d->rest = span_sub(d->rest, out->raw.len, SIZE_MAX);
	return ERR_OK;
}

enum err der_enter(struct der *d, uint8_t tag, struct der *inner, struct span *raw)
{
	struct der_item it;
	unsigned depth = d->depth + 1;
	enum err e;

	if (depth > DER_DEPTH_MAX)
		return ERR_FORMAT;
	e = der_take(d, tag, &it);
	if (e != ERR_OK)
		return e;
	*inner = (struct der){.rest = it.value, .depth = depth};
	if (raw != NULL)
		*raw = it.raw;
	return ERR_OK;
}

enum err der_end(const struct der *d)
{
	return d->rest.len == 0 ? ERR_OK : ERR_FORMAT;
}

enum err der_count(const struct der *d, size_t max, size_t *n)
{
	struct der look = *d;
	struct der_item it;
	size_t count = 0;
	enum err e;

	while (der_more(&look)) {
		e = der_take(&look, DER_ANY, &it);
		if (e != ERR_OK)
			return e;
		if (++count > max)
			return ERR_TOO_LARGE;
	}
	*n = count;
	return ERR_OK;
}

enum err der_bool(struct der *d, bool *v)
{
	struct der look = *d;
	struct der_item it;
	enum err e = der_take(&look, DER_BOOLEAN, &it);

	if (e != ERR_OK)
		return e;
	if (it.value.len != 1 || (it.value.ptr[0] != 0x00 && it.value.ptr[0] != 0xff))
		return ERR_FORMAT;
	*d = look;
	*v = it.value.ptr[0] == 0xff;
	return ERR_OK;
}

enum err der_int64(struct der *d, int64_t *v)
{
	struct der look = *d;
	struct der_item it;
	uint64_t u;
	enum err e = der_take(&look, DER_INTEGER, &it);
	const uint8_t *p;

	if (e != ERR_OK)
		return e;
	p = it.value.ptr;
	if (it.value.len == 0 || it.value.len > 8)
		return ERR_FORMAT;
	if (it.value.len > 1 && ((p[0] == 0x00 && p[1] < 0x80) || (p[0] == 0xff && p[1] >= 0x80)))
		return ERR_FORMAT;
	u = p[0] >= 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < it.value.len; i++)
		u = u << 8 | p[i];
	*d = look;
	*v = (int64_t)u;
	return ERR_OK;
}

enum err der_octets(struct der *d, struct span *v)
{
	struct der_item it;
	enum err e = der_take(d, DER_OCTET_STRING, &it);

	if (e == ERR_OK)
		*v = it.value;
	return e;
}

enum err der_bits_value(struct span contents, struct span *v)
{
	if (contents.len == 0 || contents.ptr[0] != 0)
		return ERR_FORMAT;
	*v = span_sub(contents, 1, SIZE_MAX);
	return ERR_OK;
}

enum err der_bits(struct der *d, struct span *v)
{
	struct der look = *d;
	struct der_item it;
	enum err e = der_take(&look, DER_BIT_STRING, &it);

	if (e == ERR_OK)
		e = der_bits_value(it.value, v);
	if (e == ERR_OK)
		*d = look;
	return e;
}

enum { ARC_TEXT = 20 /* 2^63 has 19 digits, and a dot */ };

/* Its digits; where the next goes. Every seal has object identifiers: printf would show in what it costs. */
static char *put_decimal(char *at, uint64_t v)
{
	char digits[ARC_TEXT], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	memcpy(at, p, (size_t)(digits + sizeof(digits) - p));
	return at + (digits + sizeof(digits) - p);
}

/* One base-128 number; cut off *s. */
static enum err take_arc(struct span *s, uint64_t *v)
{
	uint64_t n = 0;
	size_t i = 0;

	if (s->len == 0 || s->ptr[0] == 0x80)
		return ERR_FORMAT;
	do {
		if (i == s->len || n > (uint64_t)INT64_MAX >> 7)
			return ERR_FORMAT;
		n = n << 7 | (s->ptr[i] & 0x7f);
	} while (s->ptr[i++] >= 0x80);
	*s = span_sub(*s, i, SIZE_MAX);
	*v = n;
	return ERR_OK;
}

enum err der_oid(struct der *d, struct arena *a, char **v)
{
	struct der look = *d;
	struct der_item it;
	char text[(DER_OID_ARCS_MAX + 1) * ARC_TEXT], *at = text, *s;
	uint64_t arc;
	size_t n = 0;
	enum err e = der_take(&look, DER_OID, &it);

	if (e != ERR_OK)
		return e;
	do {
		e = take_arc(&it.value, &arc);
		if (e != ERR_OK || ++n > DER_OID_ARCS_MAX)
			return ERR_FORMAT;
		if (n == 1) { /* the first number holds two arcs, the first of them 0, 1 or 2 */
			unsigned top = arc < 80 ? (unsigned)(arc / 40) : 2;

			at = put_decimal(at, top);
			arc -= top * 40;
		}
		*at++ = '.';
		at = put_decimal(at, arc);
	} while (it.value.len != 0);
	s = arena_strndup(a, text, (size_t)(at - text));
	if (s == NULL)
		return ERR_BUDGET;
	*d = look;
	*v = s;
	return ERR_OK;
}

static bool printable_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < 0x20 || s.ptr[i] > 0x7e)
			return false;
	}
	return true;
}

static enum err take_text(struct der *d, uint8_t tag, struct arena *a, size_t max, char **v)
{
	struct der look = *d;
	struct der_item it;
	char *s;
	enum err e = der_take(&look, tag, &it);

	if (e != ERR_OK)
		return e;
	if (it.value.len > max)
		return ERR_TOO_LARGE;
	if (tag == DER_UTF8 ? !text_is_clean(it.value, max) : !printable_ascii(it.value))
		return ERR_FORMAT;
	s = arena_strndup(a, it.value.ptr, it.value.len);
	if (s == NULL)
		return ERR_BUDGET;
	*d = look;
	*v = s;
	return ERR_OK;
}

enum err der_utf8(struct der *d, struct arena *a, size_t max, char **v)
{
	return take_text(d, DER_UTF8, a, max, v);
}

enum err der_ia5(struct der *d, struct arena *a, size_t max, char **v)
{
	return take_text(d, DER_IA5, a, max, v);
}

enum err der_printable(struct der *d, struct arena *a, size_t max, char **v)
{
	return take_text(d, DER_PRINTABLE, a, max, v);
}

static int digits_at(struct span s, size_t from, size_t n)
{
	int v = 0;

	for (size_t i = from; i < from + n; i++)
		v = v * 10 + (s.ptr[i] - '0');
	return v;
}

enum err der_gentime(struct der *d, int64_t *ms)
{
	struct der look = *d;
	struct der_item it;
	struct span s;
	enum err e = der_take(&look, DER_GENERALIZED_TIME, &it);

	if (e != ERR_OK)
		return e;
	s = it.value;
	if (s.len != 15 || s.ptr[14] != 'Z' || !text_only(span_sub(s, 0, 14), "0123456789"))
		return ERR_FORMAT;
	e = time_from_parts(digits_at(s, 0, 4), digits_at(s, 4, 2), digits_at(s, 6, 2), digits_at(s, 8, 2),
	                    digits_at(s, 10, 2), digits_at(s, 12, 2), ms);
	if (e != ERR_OK)
		return ERR_FORMAT;
	*d = look;
	return ERR_OK;
}
