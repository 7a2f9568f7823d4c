/* SM2 signature values as they are found: GM/T 0009 has one form, the field has five. */
#include "form/der.h"
#include "form/ses.h"

enum { HALF = 32 };

struct halves {
	struct span r, s; /* big-endian, unsigned, without leading zeros */
	bool negative, padded, trailing;
};

static struct span without_zeros(struct span v)
{
	while (v.len != 0 && v.ptr[0] == 0)
		v = span_sub(v, 1, SIZE_MAX);
	return v;
}

/* One INTEGER, read as an unsigned number whatever its first bit says. */
static enum err take_half(struct der *d, struct halves *h, struct span *out)
{
	struct der_item it;
	enum err e = der_take(d, DER_INTEGER, &it);

	if (e != ERR_OK)
		return e;
	*out = without_zeros(it.value);
	if (out->len == 0 || out->len > HALF)
		return ERR_FORMAT;
	if (it.value.ptr[0] >= 0x80)
		h->negative = true;
	if (it.value.len > out->len + (out->ptr[0] >= 0x80 ? 1 : 0))
		h->padded = true;
	return ERR_OK;
}

static enum err take_sequence(struct span value, struct halves *h)
{
	struct der top = der_of(value), d;
	enum err e = der_enter(&top, DER_SEQUENCE, &d, NULL);

	if (e == ERR_OK)
		e = take_half(&d, h, &h->r);
	if (e == ERR_OK)
		e = take_half(&d, h, &h->s);
	if (e == ERR_OK)
		e = der_end(&d);
	h->trailing = der_more(&top);
	return e;
}

static enum err write_sequence(struct arena *a, const struct halves *h, struct span *out)
{
	struct buf b;
	size_t mark;

	buf_init(&b, a);
	mark = der_open(&b, DER_SEQUENCE);
	der_put_unsigned(&b, h->r);
	der_put_unsigned(&b, h->s);
	der_close(&b, mark);
	return buf_done(&b, out);
}

enum err ses_value_read(struct arena *a, struct span value, struct deviations *list, const char *where,
                        struct span *out)
{
	struct halves h = {0};
	enum err e = ERR_OK;

	*out = value;
	if (list == NULL)
		return ERR_OK;
	if (take_sequence(value, &h) != ERR_OK) {
		if (value.len != 2 * HALF)
			return ERR_OK;
		h = (struct halves){.r = without_zeros(span_sub(value, 0, HALF)),
		                    .s = without_zeros(span_sub(value, HALF, HALF))};
		e = deviation_add(list, "VALUE_RAW", where);
		return e == ERR_OK ? write_sequence(a, &h, out) : e;
	}
	if (h.negative)
		e = deviation_add(list, "VALUE_NEGATIVE", where);
	if (e == ERR_OK && h.padded)
		e = deviation_add(list, "VALUE_PADDED", where);
	if (e == ERR_OK && h.trailing)
		e = deviation_add(list, "VALUE_TRAILING", where);
	if (e != ERR_OK || (!h.negative && !h.padded && !h.trailing))
		return e;
	return write_sequence(a, &h, out);
}
