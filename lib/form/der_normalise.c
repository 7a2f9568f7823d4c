#include "form/der.h"

/*
 * Lengths of BER that DER does not have: indefinite ones, ended by two zero octets, and definite ones in more octets
 * than needed; and strings put together from parts. Elements are walked by descent of at most DER_DEPTH_MAX levels.
 */
enum { CONSTRUCTED = 0x20 };

struct head {
	uint8_t tag;
	size_t octets; /* of tag and length */
	size_t len;    /* of the contents; of no meaning when indefinite */
	bool is_indefinite, is_long;
};

static enum err read_head(struct span s, struct head *out)
{
	struct head h = {0};
	size_t n;

	if (s.len < 2 || s.ptr[0] == 0 || (s.ptr[0] & 0x1f) == 0x1f)
		return ERR_FORMAT;
	h.tag = s.ptr[0];
	n = s.ptr[1] < 0x80 ? 0 : s.ptr[1] & 0x7f;
	h.octets = 2 + n;
	h.is_indefinite = s.ptr[1] == 0x80;
	if (n > 8 || s.len < h.octets || (h.is_indefinite && (h.tag & CONSTRUCTED) == 0))
		return ERR_FORMAT;
	h.len = n == 0 ? s.ptr[1] & 0x7f : 0;
	for (size_t i = 0; i < n; i++) {
		if (h.len > SIZE_MAX >> 8)
			return ERR_FORMAT;
		h.len = h.len << 8 | s.ptr[2 + i];
	}
	h.is_long = n != 0 && (s.ptr[2] == 0 || h.len < 0x80);
	if (!h.is_indefinite && h.len > s.len - h.octets)
		return ERR_FORMAT;
	*out = h;
	return ERR_OK;
}

/* Does the sequence of children end here? Cuts the end-of-contents mark off. */
static enum err children_end(const struct head *h, struct span *rest, bool *ended)
{
	*ended = false;
	if (!h->is_indefinite) {
		*ended = rest->len == 0;
		return ERR_OK;
	}
	if (rest->len < 2)
		return ERR_FORMAT;
	if (rest->ptr[0] != 0)
		return ERR_OK;
	if (rest->ptr[1] != 0)
		return ERR_FORMAT;
	*rest = span_sub(*rest, 2, SIZE_MAX);
	*ended = true;
	return ERR_OK;
}

static struct span children_of(const struct head *h, struct span s)
{
	return span_sub(s, h->octets, h->is_indefinite ? SIZE_MAX : h->len);
}

/* A string in parts: constructed, of a universal type that DER has as primitive only. */
static bool is_parted(uint8_t tag)
{
	return tag == (DER_BIT_STRING | CONSTRUCTED) || tag == (DER_OCTET_STRING | CONSTRUCTED);
}

struct walk {
	bool is_ber, is_parted;
};

/* How many octets the element at the start takes, and what of it is not DER. */
static enum err measure(struct span s, unsigned depth, struct walk *w, size_t *used)
{
	struct head h;
	struct span rest;
	size_t child;
	bool ended;
	enum err e = read_head(s, &h);

	if (e != ERR_OK || depth > DER_DEPTH_MAX)
		return ERR_FORMAT;
	w->is_ber = w->is_ber || h.is_indefinite || h.is_long;
	w->is_parted = w->is_parted || is_parted(h.tag);
	if ((h.tag & CONSTRUCTED) == 0) {
		*used = h.octets + h.len;
		return ERR_OK;
	}
	rest = children_of(&h, s);
	while ((e = children_end(&h, &rest, &ended)) == ERR_OK && !ended) {
		e = measure(rest, depth + 1, w, &child);
		if (e != ERR_OK)
			return e;
		rest = span_sub(rest, child, SIZE_MAX);
	}
	*used = h.is_indefinite ? s.len - rest.len : h.octets + h.len;
	return e;
}

/* The contents of one primitive part; unused bits are for the last part of a BIT STRING alone. */
static enum err copy_part(struct buf *b, uint8_t type, struct span s, bool is_first, size_t *used)
{
	struct head h;
	struct span contents;
	enum err e = read_head(s, &h);

	if (e != ERR_OK || h.tag != type)
		return ERR_FORMAT;
	contents = span_sub(s, h.octets, h.len);
	if (type == DER_BIT_STRING) {
		if (contents.len == 0 || contents.ptr[0] != 0)
			return ERR_FORMAT;
		contents = span_sub(contents, is_first ? 0 : 1, SIZE_MAX);
	}
	buf_add(b, contents);
	*used = h.octets + h.len;
	return ERR_OK;
}

/* `s` was measured: every head in it can be read. */
static enum err copy(struct buf *b, struct span s, unsigned depth, size_t *used)
{
	struct head h;
	struct span rest;
	size_t mark, child, n = 0;
	bool ended;
	enum err e = read_head(s, &h);

	if (e != ERR_OK || depth > DER_DEPTH_MAX)
		return ERR_FORMAT;
	rest = children_of(&h, s);
	*used = h.octets + h.len;
	if ((h.tag & CONSTRUCTED) == 0) {
		der_put(b, h.tag, rest);
		return ERR_OK;
	}
	mark = der_open(b, is_parted(h.tag) ? (uint8_t)(h.tag & ~CONSTRUCTED) : h.tag);
	while ((e = children_end(&h, &rest, &ended)) == ERR_OK && !ended) {
		e = is_parted(h.tag) ? copy_part(b, (uint8_t)(h.tag & ~CONSTRUCTED), rest, n++ == 0, &child)
		                     : copy(b, rest, depth + 1, &child);
		if (e != ERR_OK)
			return e;
		rest = span_sub(rest, child, SIZE_MAX);
	}
	der_close(b, mark);
	if (h.is_indefinite)
		*used = s.len - rest.len;
	return e;
}

enum err der_normalise(struct arena *a, struct span in, struct deviations *list, const char *where, struct span *out,
                       struct span *rest)
{
	struct walk w = {0};
	struct span whole = in;
	struct buf b;
	size_t used = 0, again;
	enum err e = measure(in, 0, &w, &used);

	if (e != ERR_OK)
		return e;
	whole = span_sub(in, 0, used);
	if (w.is_ber)
		e = deviation_add(list, "BER_LENGTHS", where);
	if (e == ERR_OK && w.is_parted)
		e = deviation_add(list, "BER_STRINGS", where);
	if (e == ERR_OK && (w.is_ber || w.is_parted)) {
		buf_init(&b, a);
		e = copy(&b, whole, 0, &again);
		if (e == ERR_OK)
			e = buf_done(&b, &whole);
	}
	if (e != ERR_OK)
		return e;
	*out = whole;
	*rest = span_sub(in, used, SIZE_MAX);
	return ERR_OK;
}

enum err der_received(struct span in, const unsigned *path, size_t n, struct span *out)
{
	struct span at = in;
	struct walk w = {0};
	struct head h;
	size_t used = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i <= n; i++) {
		e = measure(at, 0, &w, &used);
		if (e != ERR_OK || i == n)
			break;
		e = read_head(at, &h);
		if (e != ERR_OK || (h.tag & CONSTRUCTED) == 0)
			return ERR_FORMAT;
		at = children_of(&h, span_sub(at, 0, used));
		for (unsigned skip = path[i]; skip != 0; skip--) {
			e = measure(at, 0, &w, &used);
			if (e != ERR_OK)
				return e;
			at = span_sub(at, used, SIZE_MAX);
		}
	}
	if (e == ERR_OK)
		*out = span_sub(at, 0, used);
	return e;
}
