/* Times of seals and signatures: two forms in the standards, a dozen in the field (standards 1.3, 1.11). */
#include "base/clock.h"
#include "base/text.h"
#include "form/ses_read.h"

enum { MINUTE_MS = 60 * 1000, TIME_TEXT_MAX = 40 };

/* What was found in the text of a time, one field per part. */
struct parts {
	int year, month, day, hour, minute, second, ms;
	int zone_minutes;
	bool two_digits, has_zone, is_offset, has_fraction, is_text;
};

struct cursor {
	const uint8_t *p, *end;
};

static bool at_digit(const struct cursor *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static bool take_char(struct cursor *c, char wanted)
{
	if (c->p == c->end || *c->p != (uint8_t)wanted)
		return false;
	c->p++;
	return true;
}

/* Exactly n digits. */
static bool take_number(struct cursor *c, int n, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!at_digit(c))
			return false;
		v = v * 10 + (*c->p++ - '0');
	}
	*out = v;
	return true;
}

static size_t digits_ahead(struct cursor c)
{
	size_t n = 0;

	for (; at_digit(&c); c.p++)
		n++;
	return n;
}

static bool take_fraction(struct cursor *c, struct parts *t)
{
	int scale = 100;

	if (!take_char(c, '.') && !take_char(c, ','))
		return true;
	t->has_fraction = true;
	if (!at_digit(c))
		return false;
	for (; at_digit(c); c->p++, scale /= 10)
		t->ms += (*c->p - '0') * scale;
	return true;
}

static bool take_zone(struct cursor *c, struct parts *t)
{
	int hours, minutes = 0, sign = 1;

	if (c->p == c->end)
		return true;
	t->has_zone = true;
	if (take_char(c, 'Z'))
		return c->p == c->end;
	t->is_offset = true;
	if (take_char(c, '-'))
		sign = -1;
	else if (!take_char(c, '+'))
		return false;
	if (!take_number(c, 2, &hours))
		return false;
	take_char(c, ':');
	if (c->p != c->end && !take_number(c, 2, &minutes))
		return false;
	t->zone_minutes = sign * (hours * 60 + minutes);
	return c->p == c->end && hours <= 14 && minutes < 60;
}

/* Two digits of a year as RFC 5280 reads them. */
static int full_year(int two)
{
	return two >= 50 ? 1900 + two : 2000 + two;
}

/* [YY]YYMMDDHHMM[SS]: with 12 digits, seconds and a short year are more common than a full year without seconds. */
static bool take_packed(struct cursor *c, struct parts *t)
{
	size_t n = digits_ahead(*c);

	if (n != 14 && n != 12 && n != 10)
		return false;
	t->two_digits = n != 14;
	if (!take_number(c, n == 14 ? 4 : 2, &t->year) || !take_number(c, 2, &t->month) || !take_number(c, 2, &t->day) ||
	    !take_number(c, 2, &t->hour) || !take_number(c, 2, &t->minute))
		return false;
	if (t->two_digits)
		t->year = full_year(t->year);
	return n == 10 || take_number(c, 2, &t->second);
}

/* YYYY-MM-DD or YYYY/MM/DD, then T or a space, then HH:MM[:SS]. */
static bool take_spelled(struct cursor *c, struct parts *t)
{
	char sep;

	t->is_text = true;
	if (!take_number(c, 4, &t->year) || c->p == c->end || (*c->p != '-' && *c->p != '/'))
		return false;
	sep = (char)*c->p;
	if (!take_char(c, sep) || !take_number(c, 2, &t->month) || !take_char(c, sep) || !take_number(c, 2, &t->day))
		return false;
	if (!take_char(c, 'T') && !take_char(c, ' '))
		return false;
	if (!take_number(c, 2, &t->hour) || !take_char(c, ':') || !take_number(c, 2, &t->minute))
		return false;
	return !take_char(c, ':') || take_number(c, 2, &t->second);
}

static enum err parse_parts(struct span s, struct parts *t)
{
	struct cursor c = {s.ptr, s.ptr + s.len};
	bool ok;

	if (s.len == 0 || s.len > TIME_TEXT_MAX)
		return ERR_FORMAT;
	ok = digits_ahead(c) >= 10 ? take_packed(&c, t) : take_spelled(&c, t);
	return ok && take_fraction(&c, t) && take_zone(&c, t) ? ERR_OK : ERR_FORMAT;
}

static enum err note_parts(const struct reading *rd, const struct parts *t, bool short_year_ok, const char *where)
{
	enum err e = ERR_OK;

	if (t->is_text)
		e = deviation_add(rd->list, "TIME_TEXT", where);
	if (e == ERR_OK && t->two_digits && !short_year_ok)
		e = deviation_add(rd->list, "TIME_TWO_DIGIT_YEAR", where);
	if (e == ERR_OK && t->has_fraction)
		e = deviation_add(rd->list, "TIME_FRACTION", where);
	if (e == ERR_OK && t->is_offset)
		e = deviation_add(rd->list, "TIME_OFFSET", where);
	if (e == ERR_OK && !t->has_zone)
		e = deviation_add(rd->list, "TIME_NO_ZONE", where);
	return e;
}

/* The text of a time in any of the known forms. Packed forms without seconds count as text. */
static enum err read_text(const struct reading *rd, struct span s, bool short_year_ok, const char *where, int64_t *ms)
{
	struct parts t = {0};
	int64_t v;
	enum err e = parse_parts(s, &t);

	if (e == ERR_OK && !t.is_text && digits_ahead((struct cursor){s.ptr, s.ptr + s.len}) == 10)
		t.is_text = true;
	if (e == ERR_OK && time_from_parts(t.year, t.month, t.day, t.hour, t.minute, t.second, &v) != ERR_OK)
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = note_parts(rd, &t, short_year_ok, where);
	if (e == ERR_OK)
		*ms = v + t.ms - (int64_t)(t.has_zone ? t.zone_minutes : rd->zone_minutes) * MINUTE_MS;
	return e;
}

static bool is_text_tag(uint8_t tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5;
}

/* One of the ASN.1 time types, or text. `tag`: the type that the standard has; DER_ANY: none is given. */
static enum err read_plain(const struct reading *rd, struct der *d, uint8_t tag, const char *where, int64_t *ms)
{
	struct der look = *d;
	struct der_item it;
	enum err e = der_take(&look, DER_ANY, &it);

	if (e != ERR_OK)
		return e;
	if (it.tag != DER_UTC_TIME && it.tag != DER_GENERALIZED_TIME && !is_text_tag(it.tag))
		return ERR_FORMAT;
	if (tag != DER_ANY && it.tag != tag)
		e = deviation_add(rd->list, "TIME_TYPE", where);
	if (e == ERR_OK)
		e = read_text(rd, it.value, it.tag == DER_UTC_TIME, where, ms);
	if (e == ERR_OK)
		*d = look;
	return e;
}

/* What a wrapping string holds: a DER value with nothing behind it, or bare text. */
static enum err read_wrapped(const struct reading *rd, struct span contents, const char *where, int64_t *ms)
{
	struct der d = der_of(contents);
	uint8_t tag = der_peek(&d);

	if (tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME || is_text_tag(tag)) {
		enum err e = read_plain(rd, &d, DER_ANY, where, ms);
		return e == ERR_OK ? der_end(&d) : e;
	}
	return read_text(rd, contents, true, where, ms);
}

/* Contents of a BIT STRING or OCTET STRING. */
static enum err take_wrapping(struct der *d, struct span *contents)
{
	return der_peek(d) == DER_OCTET_STRING ? der_octets(d, contents) : der_bits(d, contents);
}

enum err ses_time(const struct reading *rd, struct der *d, uint8_t tag, const char *where, int64_t *ms)
{
	struct der look = *d;
	struct span contents;
	int64_t v = 0;
	enum err e;

	if (der_peek(d) != DER_BIT_STRING && der_peek(d) != DER_OCTET_STRING)
		return read_plain(rd, d, tag, where, ms);
	e = take_wrapping(&look, &contents);
	if (e == ERR_OK)
		e = deviation_add(rd->list, "TIME_WRAPPED", where);
	if (e == ERR_OK)
		e = read_wrapped(rd, contents, where, &v);
	if (e != ERR_OK)
		return e;
	*d = look;
	*ms = v;
	return ERR_OK;
}

/* What is not a time at all: the time of signing stays unknown, everything else can be judged. */
static enum err unreadable(const struct reading *rd, struct der *d, const char *where, int64_t *ms)
{
	struct der look = *d;
	struct der_item it;
	enum err e = der_take(&look, DER_ANY, &it);

	if (e == ERR_OK)
		e = deviation_add(rd->list, "TIME_UNREADABLE", where);
	if (e != ERR_OK)
		return e;
	*d = look;
	*ms = 0;
	return ERR_OK;
}

static enum err time_info_bits(const struct reading *rd, struct der *d, const char *where, int64_t *ms,
                               struct span *token)
{
	struct der look = *d;
	struct span contents;
	enum err e = der_bits(&look, &contents);

	if (e != ERR_OK)
		return e;
	if (contents.len != 0 && contents.ptr[0] == DER_SEQUENCE) {
		*token = contents;
		*ms = 0;
		*d = look;
		return ERR_OK;
	}
	e = read_wrapped(rd, contents, where, ms);
	if (e == ERR_OK)
		*d = look;
	return e;
}

enum err ses_time_info(const struct reading *rd, struct der *d, bool is_v1, const char *where, int64_t *ms,
                       struct span *token)
{
	enum err e;

	if (is_v1 && der_peek(d) == DER_BIT_STRING)
		e = time_info_bits(rd, d, where, ms, token);
	else
		e = ses_time(rd, d, is_v1 ? DER_BIT_STRING : DER_GENERALIZED_TIME, where, ms);
	return e == ERR_FORMAT ? unreadable(rd, d, where, ms) : e;
}
