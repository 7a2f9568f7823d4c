/* Slices of DER, as much of it as the signed shapes of this room need; whole structures are read in form/. */
#include "crypto/internal.h"

enum { TAG_BIT_STRING = 0x03, TAG_SEQUENCE = 0x30 };

/* The length octets after the tag; shortest form, at most four octets. */
static enum err der_length(struct span in, size_t *head, size_t *len)
{
	size_t n, v = 0;

	if (in.len < 2)
		return ERR_FORMAT;
	*head = 2;
	*len = in.ptr[1];
	if (in.ptr[1] < 0x80)
		return ERR_OK;
	n = in.ptr[1] & 0x7fu;
	if (n == 0 || n > 4 || in.len < 2 + n || in.ptr[2] == 0)
		return ERR_FORMAT;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | in.ptr[2 + i];
	*head = 2 + n;
	*len = v;
	return v >= 0x80 ? ERR_OK : ERR_FORMAT;
}

enum err der_element(struct span in, uint8_t tag, struct span *contents, struct span *whole, struct span *rest)
{
	size_t head, len;

	if (der_length(in, &head, &len) != ERR_OK || in.ptr[0] != tag || len > in.len - head)
		return ERR_FORMAT;
	if (contents != NULL)
		*contents = span_sub(in, head, len);
	if (whole != NULL)
		*whole = span_sub(in, 0, head + len);
	if (rest != NULL)
		*rest = span_sub(in, head + len, in.len);
	return ERR_OK;
}

enum err der_signed(struct span in, struct signed_parts *out)
{
	struct span outer, rest, bits;
	struct signed_parts p;

	if (der_element(in, TAG_SEQUENCE, &outer, NULL, &rest) != ERR_OK || rest.len != 0 ||
	    der_element(outer, TAG_SEQUENCE, &p.tbs_contents, &p.tbs, &rest) != ERR_OK ||
	    der_element(rest, TAG_SEQUENCE, NULL, &p.algorithm, &rest) != ERR_OK ||
	    der_element(rest, TAG_BIT_STRING, &bits, NULL, &rest) != ERR_OK || rest.len != 0)
		return ERR_FORMAT;
	/* The first octet counts unused bits; OpenSSL would blank that many of the last octet. */
	if (bits.len < 2 || bits.ptr[0] != 0)
		return ERR_FORMAT;
	p.value = span_sub(bits, 1, bits.len);
	*out = p;
	return ERR_OK;
}
