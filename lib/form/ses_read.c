#include "form/ses_read.h"

#include "base/text.h"

enum { TAG_T61 = 0x14, TAG_VISIBLE = 0x1a };

enum err ses_wrong(const struct reading *rd, enum err e, const char *element)
{
	if (e == ERR_OK)
		return ERR_OK;
	if (e == ERR_TOO_LARGE)
		return err_note_set(rd->note, e, element, "%s is larger than allowed", element);
	return err_note_set(rd->note, e, element, e == ERR_FORMAT ? "%s is not as the standard has it" : NULL, element);
}

/* For forms that were always read, list or not: noted where there is a list. */
static enum err noted(const struct reading *rd, const char *code, const char *where)
{
	return rd->list != NULL ? deviation_add(rd->list, code, where) : ERR_OK;
}

/* ---- text ---- */

static bool is_text_tag(uint8_t tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5 || tag == TAG_T61 || tag == TAG_VISIBLE ||
	       tag == DER_OCTET_STRING;
}

/* Bytes that are no clean text are shown by their numbers. */
static char *shown(struct arena *a, struct span s)
{
	struct buf b;

	if (text_is_clean(s, s.len))
		return arena_strndup(a, s.ptr, s.len);
	buf_init(&b, a);
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] >= 0x20 && s.ptr[i] <= 0x7e)
			buf_byte(&b, s.ptr[i]);
		else
			buf_printf(&b, "\\x%02x", s.ptr[i]);
	}
	return buf_text(&b);
}

static enum err foreign_text(const struct reading *rd, struct der *d, uint8_t tag, size_t max, const char *where,
                             char **out)
{
	struct der look = *d;
	struct der_item it;
	char *s;
	enum err e = der_take(&look, DER_ANY, &it);

	if (e == ERR_OK && !is_text_tag(it.tag))
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = deviation_add(rd->list, it.tag != tag ? "TEXT_TYPE" : "TEXT_CHARSET", where);
	if (e != ERR_OK)
		return e;
	if (it.value.len > max)
		return ERR_TOO_LARGE;
	s = shown(rd->arena, it.value);
	if (s == NULL)
		return ERR_BUDGET;
	*d = look;
	*out = s;
	return ERR_OK;
}

enum err ses_text(const struct reading *rd, struct der *d, uint8_t tag, size_t max, const char *where, char **out)
{
	enum err e;

	if (tag == DER_UTF8)
		e = der_utf8(d, rd->arena, max, out);
	else if (tag == DER_PRINTABLE)
		e = der_printable(d, rd->arena, max, out);
	else
		e = der_ia5(d, rd->arena, max, out);
	return e == ERR_FORMAT ? foreign_text(rd, d, tag, max, where, out) : e;
}

/* ---- strings of bits ---- */

/* A copy with zeros up to `full` bytes, and the unused bits of the last byte set to zero. */
static enum err fill_up(const struct reading *rd, struct span bytes, unsigned unused, size_t full, struct span *out)
{
	size_t n = bytes.len > full ? bytes.len : full;
	uint8_t *copy = arena_alloc(rd->arena, n);

	if (copy == NULL)
		return ERR_BUDGET;
	if (bytes.len != 0) {
		memcpy(copy, bytes.ptr, bytes.len);
		copy[bytes.len - 1] &= (uint8_t)(0xff << unused);
	}
	*out = span_of(copy, n);
	return ERR_OK;
}

/* A DER SEQUENCE says itself how long it is; a few zero bytes may have been cut off its end. */
static size_t full_sequence(struct span s)
{
	if (s.len < 2 || s.ptr[0] != DER_SEQUENCE || s.ptr[1] >= 0x80)
		return s.len;
	return (size_t)2 + s.ptr[1];
}

enum { TRIMMED_MAX = 4 /* more zero bytes than that at the end of a digest or signature are no accident */ };

/* What is left after zero bits were cut off ends in a bit that is set. */
static bool is_trimmed(struct span bytes, unsigned unused)
{
	uint8_t last = bytes.len != 0 ? bytes.ptr[bytes.len - 1] : 0;

	return (unused == 0 ? last != 0 : (last >> unused & 1) != 0) && (last & ((1u << unused) - 1)) == 0;
}

static enum err trimmed_bits(const struct reading *rd, struct span contents, size_t full, const char *where,
                             struct span *out)
{
	struct span bytes = span_sub(contents, 1, SIZE_MAX);
	enum err e;

	if (contents.len == 0 || contents.ptr[0] > 7 || (bytes.len == 0 && contents.ptr[0] != 0))
		return ERR_FORMAT;
	if (full == 0)
		full = full_sequence(bytes);
	if (bytes.len >= full)
		full = bytes.len;
	if (contents.ptr[0] == 0 && (bytes.len == full || full - bytes.len > TRIMMED_MAX)) {
		*out = bytes; /* whole, or of another size: whether that is right is not known here */
		return ERR_OK;
	}
	if (full - bytes.len > TRIMMED_MAX || !is_trimmed(bytes, contents.ptr[0]))
		return ERR_FORMAT;
	e = deviation_add(rd->list, "BITS_TRIMMED", where);
	return e == ERR_OK ? fill_up(rd, bytes, contents.ptr[0], full, out) : e;
}

enum err ses_bits(const struct reading *rd, struct der *d, size_t full, const char *octets_code, const char *where,
                  struct span *out)
{
	struct der look = *d;
	struct der_item it;
	struct span v = {0};
	enum err e;

	if (rd->list == NULL)
		return der_bits(d, out);
	e = der_take(&look, DER_ANY, &it);
	if (e == ERR_OK && it.tag == DER_BIT_STRING) {
		e = trimmed_bits(rd, it.value, full, where, &v);
	} else if (e == ERR_OK && it.tag == DER_OCTET_STRING) {
		e = deviation_add(rd->list, octets_code, where);
		v = it.value;
	} else {
		e = ERR_FORMAT;
	}
	if (e != ERR_OK)
		return e;
	*d = look;
	*out = v;
	return ERR_OK;
}

enum err ses_cert(const struct reading *rd, struct der *d, const char *where, struct span *out)
{
	struct der look = *d;
	struct der_item it;
	enum err e = der_take(&look, DER_ANY, &it);

	if (e != ERR_OK)
		return e;
	if (it.tag == DER_SEQUENCE)
		e = deviation_add(rd->list, "CERT_RAW", where);
	else if (it.tag != DER_OCTET_STRING)
		e = ERR_FORMAT;
	if (e == ERR_OK && it.value.len == 0)
		e = ERR_FORMAT;
	if (e != ERR_OK)
		return e;
	*d = look;
	*out = it.tag == DER_SEQUENCE ? it.raw : it.value;
	return ERR_OK;
}

enum err ses_alg(const struct reading *rd, struct der *d, const char *where, char **out)
{
	struct der look = *d, in;
	enum err e;

	if (der_peek(d) != DER_SEQUENCE)
		return der_oid(d, rd->arena, out);
	e = deviation_add(rd->list, "ALG_SEQUENCE", where);
	if (e == ERR_OK)
		e = der_enter(&look, DER_SEQUENCE, &in, NULL);
	if (e == ERR_OK)
		e = der_oid(&in, rd->arena, out);
	if (e == ERR_OK)
		*d = look;
	return e;
}

/* ---- ExtensionDatas ---- */

static enum err read_ext(const struct reading *rd, struct der *d, const char *where, struct ses_ext *out)
{
	struct der in;
	bool written = false;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_oid(&in, rd->arena, &out->oid);
	if (e == ERR_OK && der_peek(&in) == DER_BOOLEAN) {
		written = true;
		e = der_bool(&in, &out->critical);
	}
	if (e == ERR_OK && written && !out->critical)
		e = noted(rd, "EXT_DEFAULT_ENCODED", where);
	if (e == ERR_OK)
		e = der_octets(&in, &out->value);
	return e == ERR_OK ? der_end(&in) : e;
}

static enum err read_ext_list(const struct reading *rd, struct der d, const char *where, size_t *n_out,
                              struct ses_ext **out)
{
	struct ses_ext *list;
	size_t n = 0;
	enum err e = der_count(&d, SES_EXT_MAX, &n);

	if (e != ERR_OK)
		return e;
	list = arena_array(rd->arena, n, sizeof(*list));
	if (list == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = read_ext(rd, &d, where, &list[i]);
	if (e != ERR_OK)
		return e;
	*out = list;
	*n_out = n;
	return ERR_OK;
}

/* EXPLICIT [0] holds one SEQUENCE OF ExtData, IMPLICIT [0] the ExtData themselves, whose first element is an OID. */
static bool holds_ext_data(struct der d)
{
	struct der first;

	return der_enter(&d, DER_SEQUENCE, &first, NULL) == ERR_OK && der_peek(&first) == DER_OID;
}

/* The SEQUENCE OF ExtData behind its tags. */
static enum err enter_exts(const struct reading *rd, struct der *d, enum ext_place place, const char *where,
                           struct der *list)
{
	uint8_t tag = der_peek(d);
	struct der in;
	enum err e;

	if (tag != DER_CONTEXT_0 && tag != DER_SEQUENCE)
		return ERR_FORMAT;
	e = der_enter(d, tag, &in, NULL);
	if (e == ERR_OK && tag == DER_SEQUENCE && place == EXT_TAGGED)
		e = noted(rd, "EXT_UNTAGGED", where);
	if (e == ERR_OK && tag == DER_CONTEXT_0 && place == EXT_UNTAGGED)
		e = noted(rd, "EXT_TAGGED", where);
	if (e != ERR_OK)
		return e;
	*list = in;
	if (tag == DER_SEQUENCE || !der_more(&in))
		return ERR_OK;
	if (holds_ext_data(in))
		return noted(rd, "EXT_IMPLICIT", where);
	e = der_enter(&in, DER_SEQUENCE, list, NULL);
	return e == ERR_OK ? der_end(&in) : e;
}

/* The whole list within an OCTET STRING. */
static enum err wrapped_exts(const struct reading *rd, struct der *d, const char *where, struct der *list)
{
	struct span contents;
	struct der in;
	enum err e = deviation_add(rd->list, "EXT_WRAPPED", where);

	if (e == ERR_OK)
		e = der_octets(d, &contents);
	if (e != ERR_OK)
		return e;
	in = der_of(contents);
	e = enter_exts(rd, &in, EXT_EITHER, where, list);
	return e == ERR_OK ? der_end(&in) : e;
}

enum err ses_exts(const struct reading *rd, struct der *d, enum ext_place place, const char *where, size_t *n,
                  struct ses_ext **ext)
{
	struct der look = *d, list;
	enum err e;

	*n = 0;
	*ext = NULL;
	if (!der_more(d))
		return ERR_OK;
	if (der_peek(d) == DER_OCTET_STRING)
		e = wrapped_exts(rd, &look, where, &list);
	else
		e = enter_exts(rd, &look, place, where, &list);
	if (e == ERR_OK)
		e = read_ext_list(rd, list, where, n, ext);
	if (e == ERR_OK)
		*d = look;
	return e;
}

/* ---- time stamps ---- */

enum err ses_time_stamp(const struct reading *rd, struct der *d, const char *where, struct span *out)
{
	struct der look = *d, in;
	struct der_item it;
	struct span v = {0};
	enum err e;

	if (!der_more(d))
		return ERR_OK;
	if (der_peek(d) == DER_BIT_STRING || der_peek(d) == DER_CONTEXT_0_PRIMITIVE) {
		e = der_take(&look, DER_ANY, &it);
		if (e == ERR_OK)
			e = der_bits_value(it.value, &v);
		if (e == ERR_OK)
			e = noted(rd, "TS_UNTAGGED", where);
	} else {
		e = der_enter(&look, DER_CONTEXT_0, &in, NULL);
		if (e == ERR_OK)
			e = der_bits(&in, &v);
		if (e == ERR_OK)
			e = der_end(&in);
	}
	if (e == ERR_OK && v.len == 0)
		e = ERR_FORMAT; /* an empty token would read as "no time stamp" */
	if (e != ERR_OK)
		return e;
	*d = look;
	*out = v;
	return ERR_OK;
}
