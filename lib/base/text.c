#include "base/text.h"

#include "base/buf.h"

/* Decodes the character at *pos and steps over it. False when it is not well-formed. */
static bool next_char(struct span s, size_t *pos, uint32_t *out)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint8_t lead = s.ptr[*pos];
	size_t more = lead < 0x80 ? 0 : lead < 0xc0 ? 4 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf8 ? 3 : 4;
	uint32_t c = lead;

	if (more > 3 || more > s.len - *pos - 1)
		return false;
	if (more > 0)
		c &= 0x3fu >> more;
	for (size_t i = 1; i <= more; i++) {
		uint8_t b = s.ptr[*pos + i];

		if ((b & 0xc0) != 0x80)
			return false;
		c = c << 6 | (b & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return false;
	*pos += more + 1;
	*out = c;
	return true;
}

/* The length of what stands at `pos` and is most of all text: printing ASCII, and U+4E00 to U+9FFF (nearly all Chinese
 * characters), which are well-formed and wanted at a glance. 0: look closer. */
static size_t plain_char(struct span s, size_t pos)
{
	const uint8_t *p = s.ptr + pos;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] < 0x7f;
	if (s.len - pos < 3 || p[0] < 0xe4 || p[0] > 0xe9 || (p[0] == 0xe4 && p[1] < 0xb8))
		return 0;
	return (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 ? 3 : 0;
}

bool text_is_utf8(struct span s)
{
	uint32_t c;

	for (size_t pos = 0; pos < s.len;) {
		size_t n = plain_char(s, pos);

		if (n == 0 && !next_char(s, &pos, &c))
			return false;
		pos += n;
	}
	return true;
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(const struct range *r, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= r[i].first && c <= r[i].last)
			return true;
	return false;
}

/* Controls, line ends, and what nobody sees but a comparison does: two names that look alike must be alike. The joiners
 * U+200C and U+200D stay, scripts need them. */
static bool is_unwanted(uint32_t c)
{
	static const struct range unwanted[] = {
	    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x200b, 0x200b}, {0x200e, 0x200f},
	    {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	return (c & 0xfffe) == 0xfffe || in_ranges(unwanted, sizeof(unwanted) / sizeof(unwanted[0]), c);
}

/* White space of any width, fillers that look like it, and the joiners. */
static bool is_blank_char(uint32_t c)
{
	static const struct range blank[] = {
	    {' ', ' '},       {0xa0, 0xa0},     {0x115f, 0x1160}, {0x1680, 0x1680}, {0x2000, 0x200d}, {0x202f, 0x202f},
	    {0x205f, 0x205f}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164}, {0xffa0, 0xffa0},
	};

	return in_ranges(blank, sizeof(blank) / sizeof(blank[0]), c);
}

bool text_is_blank(struct span s)
{
	uint32_t c;

	for (size_t pos = 0; pos < s.len;)
		if (!next_char(s, &pos, &c) || !is_blank_char(c))
			return false;
	return true;
}

bool text_is_trimmed(struct span s)
{
	uint32_t c, first = 0, last = 0;

	for (size_t pos = 0; pos < s.len; last = c) {
		bool at_start = pos == 0;

		if (!next_char(s, &pos, &c))
			return false;
		if (at_start)
			first = c;
	}
	return !is_blank_char(first) && !is_blank_char(last);
}

bool text_is_clean(struct span s, size_t max_bytes)
{
	uint32_t c;

	if (s.len > max_bytes)
		return false;
	for (size_t pos = 0; pos < s.len;) {
		size_t n = plain_char(s, pos);

		if (n == 0 && (!next_char(s, &pos, &c) || is_unwanted(c)))
			return false;
		pos += n;
	}
	return true;
}

size_t text_length(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += (s.ptr[i] & 0xc0) != 0x80;
	return n;
}

bool text_only(struct span s, const char *alphabet)
{
	size_t n = strlen(alphabet);

	for (size_t i = 0; i < s.len; i++)
		if (memchr(alphabet, s.ptr[i], n) == NULL)
			return false;
	return true;
}

static uint32_t scanned_char(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e)
		c -= 0xfee0;
	if (c == 0x3000)
		c = ' ';
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

static bool is_edge(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

static struct span trimmed(struct span s)
{
	while (s.len > 0 && is_edge(s.ptr[0]))
		s = span_sub(s, 1, s.len);
	while (s.len > 0 && is_edge(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

enum err text_scanned(struct arena *a, struct span in, char **out)
{
	struct span text;
	struct buf b;
	enum err e;

	buf_init(&b, a);
	for (size_t pos = 0; pos < in.len;) {
		size_t from = pos;
		uint32_t c, mapped;

		if (!next_char(in, &pos, &c))
			return ERR_TEXT_INVALID;
		mapped = scanned_char(c);
		if (mapped < 0x80)
			buf_byte(&b, (uint8_t)mapped);
		else
			buf_add(&b, span_sub(in, from, pos - from));
	}
	e = buf_done(&b, &text);
	if (e != ERR_OK)
		return e;
	text = trimmed(text);
	/* A NUL that is left would hide what follows it. */
	if (text.len != 0 && memchr(text.ptr, '\0', text.len) != NULL)
		return ERR_TEXT_INVALID;
	*out = arena_strndup(a, text.ptr, text.len);
	return *out != NULL ? ERR_OK : ERR_BUDGET;
}

void hex_encode(struct span in, char *out)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < in.len; i++) {
		*out++ = digit[in.ptr[i] >> 4];
		*out++ = digit[in.ptr[i] & 15];
	}
	*out = '\0';
}

char *hex_text(struct arena *a, struct span in)
{
	char *out = in.len <= (SIZE_MAX - 1) / 2 ? arena_alloc(a, 2 * in.len + 1) : NULL;

	if (out != NULL)
		hex_encode(in, out);
	return out;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum err hex_decode(struct span in, uint8_t *out, size_t n)
{
	if (in.len % 2 != 0 || in.len / 2 != n)
		return ERR_FORMAT;
	for (size_t i = 0; i < in.len; i++)
		if (hex_value(in.ptr[i]) < 0)
			return ERR_FORMAT;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(hex_value(in.ptr[2 * i]) << 4 | hex_value(in.ptr[2 * i + 1]));
	return ERR_OK;
}

char *base64_text(struct arena *a, struct span in)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out, *p;

	out = p = in.len < SIZE_MAX / 2 ? arena_alloc(a, (in.len + 2) / 3 * 4 + 1) : NULL;
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = in.len - i;
		uint32_t v =
		    (uint32_t)in.ptr[i] << 16 | (left > 1 ? (uint32_t)in.ptr[i + 1] << 8 : 0) | (left > 2 ? in.ptr[i + 2] : 0);

		*p++ = digit[v >> 18];
		*p++ = digit[v >> 12 & 63];
		*p++ = left > 1 ? digit[v >> 6 & 63] : '=';
		*p++ = left > 2 ? digit[v & 63] : '=';
	}
	*p = '\0';
	return out;
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four with `pad` signs of padding. The bits that padding leaves over must be zero, so that every
 * byte string has one spelling. */
static bool base64_group(const uint8_t *in, size_t pad, uint8_t *out)
{
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		int d = i < 4 - pad ? base64_value(in[i]) : 0;

		if (d < 0)
			return false;
		v = v << 6 | (uint32_t)d;
	}
	if ((pad == 1 && (v & 0xff) != 0) || (pad == 2 && (v & 0xffff) != 0))
		return false;
	for (size_t i = 0; i < 3 - pad; i++)
		out[i] = (uint8_t)(v >> (16 - 8 * i));
	return true;
}

enum err base64_decode(struct arena *a, struct span in, struct span *out)
{
	size_t pad = 0;
	uint8_t *p;

	if (in.len % 4 != 0)
		return ERR_FORMAT;
	if (in.len != 0)
		pad = in.ptr[in.len - 1] != '=' ? 0 : in.ptr[in.len - 2] != '=' ? 1 : 2;
	p = arena_alloc(a, in.len / 4 * 3);
	if (p == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < in.len; i += 4)
		if (!base64_group(in.ptr + i, i + 4 == in.len ? pad : 0, p + i / 4 * 3))
			return ERR_FORMAT;
	*out = span_of(p, in.len / 4 * 3 - pad);
	return ERR_OK;
}
