#include "form/showcode.h"

#include "base/text.h"

/* Crockford's base 32: no I, L, O, U. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char prefix[] = "YZ1";

enum { PREFIX = sizeof(prefix) - 1, RAW = SHOWCODE_BITS / 8 };

/* 5 bytes are 8 characters, so 20 bytes fit without padding. */
static void encode(const uint8_t raw[RAW], char *out)
{
	for (size_t group = 0; group < RAW / 5; group++) {
		uint64_t v = 0;

		for (size_t i = 0; i < 5; i++)
			v = v << 8 | raw[group * 5 + i];
		for (size_t i = 0; i < 8; i++)
			*out++ = alphabet[v >> (35 - 5 * i) & 31];
	}
}

enum err showcode_make(const struct rand *r, char out[SHOWCODE_TEXT + 1])
{
	uint8_t raw[RAW];
	enum err e = rand_fill(r, raw, sizeof(raw));

	if (e == ERR_OK) {
		memcpy(out, prefix, PREFIX);
		encode(raw, out + PREFIX);
		out[SHOWCODE_TEXT] = '\0';
	}
	secret_wipe(raw, sizeof(raw));
	return e;
}

static char unmistake(char c)
{
	if (c == 'I' || c == 'L')
		return '1';
	return c == 'O' ? '0' : c;
}

enum err showcode_read(struct arena *a, struct span typed, char **canonical)
{
	enum { TYPED_MAX = 512 }; /* full-width characters are three bytes, and some blanks around them */
	char *text;
	enum err e;

	if (typed.len > TYPED_MAX)
		return ERR_CODE_MALFORMED;
	e = text_scanned(a, typed, &text);
	if (e != ERR_OK)
		return e == ERR_TEXT_INVALID ? ERR_CODE_MALFORMED : e;
	if (strlen(text) != SHOWCODE_TEXT)
		return ERR_CODE_MALFORMED;
	for (size_t i = 0; i < SHOWCODE_TEXT; i++)
		text[i] = unmistake(text[i]);
	if (memcmp(text, prefix, PREFIX) != 0 || !text_only(span_str(text + PREFIX), alphabet))
		return ERR_CODE_MALFORMED;
	*canonical = text;
	return ERR_OK;
}

enum err showcode_hash(const char *canonical, uint8_t out[SM3_LEN])
{
	return sm3(span_str(canonical), out);
}
