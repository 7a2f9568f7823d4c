#include "form/der.h"

#include "base/clock.h"

size_t der_open(struct buf *b, uint8_t tag)
{
	size_t mark;

	buf_byte(b, tag);
	mark = b->len;
	buf_byte(b, 0); /* the short form of the length; der_close() makes room for more */
	return mark;
}

/* Length octets, most significant first; returns how many. */
static size_t length_octets(size_t len, uint8_t out[1 + sizeof(size_t)])
{
	size_t n = 0;

	if (len < 0x80) {
		out[0] = (uint8_t)len;
		return 1;
	}
	for (size_t v = len; v != 0; v >>= 8)
		n++;
	out[0] = (uint8_t)(0x80 | n);
	for (size_t i = 0; i < n; i++)
		out[1 + i] = (uint8_t)(len >> 8 * (n - 1 - i));
	return 1 + n;
}

void der_close(struct buf *b, size_t mark)
{
	static const uint8_t room[sizeof(size_t)];
	uint8_t octets[1 + sizeof(size_t)];
	size_t len, n;

	if (b->failed)
		return;
	len = b->len - mark - 1;
	n = length_octets(len, octets);
	buf_add(b, span_of(room, n - 1));
	if (b->failed)
		return;
	memmove(b->ptr + mark + n, b->ptr + mark + 1, len);
	memcpy(b->ptr + mark, octets, n);
}

void der_put(struct buf *b, uint8_t tag, struct span contents)
{
	uint8_t octets[1 + sizeof(size_t)];

	buf_byte(b, tag);
	buf_add(b, span_of(octets, length_octets(contents.len, octets)));
	buf_add(b, contents);
}

void der_put_int(struct buf *b, int64_t v)
{
	uint8_t be[8];
	size_t from = 0;

	for (size_t i = 0; i < 8; i++)
		be[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
	/* An octet of sign alone is left out. */
	while (from < 7 && ((be[from] == 0x00 && be[from + 1] < 0x80) || (be[from] == 0xff && be[from + 1] >= 0x80)))
		from++;
	der_put(b, DER_INTEGER, span_of(be + from, 8 - from));
}

void der_put_unsigned(struct buf *b, struct span s)
{
	size_t mark;

	while (s.len != 0 && s.ptr[0] == 0)
		s = span_sub(s, 1, SIZE_MAX);
	mark = der_open(b, DER_INTEGER);
	if (s.len == 0 || s.ptr[0] >= 0x80)
		buf_byte(b, 0);
	buf_add(b, s);
	der_close(b, mark);
}

void der_put_bits(struct buf *b, struct span bytes)
{
	size_t mark = der_open(b, DER_BIT_STRING);

	buf_byte(b, 0);
	buf_add(b, bytes);
	der_close(b, mark);
}

void der_put_gentime(struct buf *b, int64_t ms)
{
	int y, mo, d, h, mi, s;
	size_t mark;

	time_to_parts(ms, &y, &mo, &d, &h, &mi, &s);
	mark = der_open(b, DER_GENERALIZED_TIME);
	buf_printf(b, "%04d%02d%02d%02d%02d%02dZ", y, mo, d, h, mi, s);
	der_close(b, mark);
}

static void put_arc(struct buf *b, uint64_t v)
{
	unsigned shift = 0;

	while (v >> shift >= 0x80)
		shift += 7;
	for (; shift != 0; shift -= 7)
		buf_byte(b, (uint8_t)(0x80 | (v >> shift & 0x7f)));
	buf_byte(b, (uint8_t)(v & 0x7f));
}

/* A decimal number without leading zeros, cut off *s with the dot behind it. */
static enum err cut_arc(const char **s, uint64_t *v)
{
	const char *p = *s;
	uint64_t n = 0;

	if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
		return ERR_FORMAT;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > INT64_MAX / 10)
			return ERR_FORMAT;
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > INT64_MAX)
			return ERR_FORMAT;
	}
	if (*p == '.' && p[1] != '\0')
		p++;
	else if (*p != '\0')
		return ERR_FORMAT;
	*s = p;
	*v = n;
	return ERR_OK;
}

enum err der_put_oid(struct buf *b, const char *dotted)
{
	uint64_t top, second, arc;
	size_t mark;
	enum err e = cut_arc(&dotted, &top);

	if (e != ERR_OK)
		return e;
	e = cut_arc(&dotted, &second);
	if (e != ERR_OK || top > 2 || (top < 2 && second > 39) || second > (uint64_t)INT64_MAX - 80)
		return ERR_FORMAT;
	mark = der_open(b, DER_OID);
	put_arc(b, top * 40 + second);
	while (*dotted != '\0') {
		e = cut_arc(&dotted, &arc);
		if (e != ERR_OK)
			return e;
		put_arc(b, arc);
	}
	der_close(b, mark);
	return ERR_OK;
}
