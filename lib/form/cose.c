#include "form/cose.h"

#include "form/cbor.h"
#include "form/der.h"

enum {
	TAG_SIGN1 = 18,
	KEY_ALG = 1,
	KEY_TYPE = 3,
	KEY_X5CHAIN = 33,
	HALF = 32,
	CERT_BYTES_MAX = 64 * 1024,
	TYPE_MAX = 128
};

/* ---- writer --------------------------------------------------------------------------------- */

/* RFC 9360: one certificate is a byte string, several are an array. */
static void put_x5chain(struct buf *b, const struct span *certs, size_t n)
{
	if (n != 1)
		cbor_put_array(b, n);
	for (size_t i = 0; i < n; i++)
		cbor_put_bytes(b, certs[i]);
}

static enum err protected_header(struct arena *a, const char *content_type, const struct span *certs, size_t n,
                                 struct span *out)
{
	struct buf b;

	if (content_type == NULL || content_type[0] == '\0' || strlen(content_type) > TYPE_MAX || n == 0 ||
	    n > COSE_CERTS_MAX)
		return ERR_FIELD_INVALID;
	for (size_t i = 0; i < n; i++) {
		if (certs[i].len == 0 || certs[i].len > CERT_BYTES_MAX)
			return ERR_FIELD_INVALID;
	}
	buf_init(&b, a);
	cbor_put_map(&b, 3);
	cbor_put_uint(&b, KEY_ALG);
	cbor_put_int(&b, COSE_ALG_SM2);
	cbor_put_uint(&b, KEY_TYPE);
	cbor_put_text(&b, content_type);
	cbor_put_uint(&b, KEY_X5CHAIN);
	put_x5chain(&b, certs, n);
	return buf_done(&b, out);
}

/* Sig_structure (RFC 9052 section 4.4), without external data: what stands before the payload. */
static void put_beginning(struct buf *b, struct span header)
{
	cbor_put_array(b, 4);
	cbor_put_text(b, "Signature1");
	cbor_put_bytes(b, header);
	cbor_put_bytes(b, span_of(NULL, 0));
}

static enum err sig_structure(struct arena *a, struct span header, struct span payload, struct span *out)
{
	struct buf b;

	buf_init(&b, a);
	put_beginning(&b, header);
	cbor_put_bytes(&b, payload);
	return buf_done(&b, out);
}

enum err cose_beginning(struct arena *a, const char *content_type, const struct span *certs, size_t n_certs,
                        struct span *out)
{
	struct span header;
	struct buf b;
	enum err e = protected_header(a, content_type, certs, n_certs, &header);

	if (e != ERR_OK)
		return e;
	buf_init(&b, a);
	put_beginning(&b, header);
	return buf_done(&b, out);
}

enum err cose_to_be_signed(struct arena *a, const char *content_type, const struct span *certs, size_t n_certs,
                           struct span payload, struct span *out)
{
	struct span header;
	enum err e = protected_header(a, content_type, certs, n_certs, &header);

	return e == ERR_OK ? sig_structure(a, header, payload, out) : e;
}

/* One INTEGER of the signature into 32 bytes, right-aligned. */
static enum err take_half(struct der *d, uint8_t out[HALF])
{
	struct der_item it;
	struct span v;
	enum err e = der_take(d, DER_INTEGER, &it);

	if (e != ERR_OK)
		return e;
	v = it.value;
	if (v.len == 0 || v.ptr[0] >= 0x80)
		return ERR_FORMAT;
	if (v.ptr[0] == 0 && v.len > 1) {
		v = span_sub(v, 1, SIZE_MAX);
		if (v.ptr[0] < 0x80)
			return ERR_FORMAT;
	}
	if (v.len > HALF)
		return ERR_FORMAT;
	memset(out, 0, HALF);
	memcpy(out + HALF - v.len, v.ptr, v.len);
	return ERR_OK;
}

static enum err der_to_value(struct span sig_der, uint8_t rs[2 * HALF])
{
	struct der top = der_of(sig_der), d;
	enum err e = der_enter(&top, DER_SEQUENCE, &d, NULL);

	if (e == ERR_OK)
		e = der_end(&top);
	if (e == ERR_OK)
		e = take_half(&d, rs);
	if (e == ERR_OK)
		e = take_half(&d, rs + HALF);
	return e == ERR_OK ? der_end(&d) : e;
}

enum err cose_encode(struct arena *a, const char *content_type, const struct span *certs, size_t n_certs,
                     struct span payload, struct span sig_der, struct span *out)
{
	struct span header, bytes;
	uint8_t rs[2 * HALF];
	struct buf b;
	enum err e = protected_header(a, content_type, certs, n_certs, &header);

	if (e == ERR_OK)
		e = der_to_value(sig_der, rs);
	if (e != ERR_OK)
		return e;
	buf_init(&b, a);
	cbor_put_tag(&b, TAG_SIGN1);
	cbor_put_array(&b, 4);
	cbor_put_bytes(&b, header);
	cbor_put_map(&b, 0);
	cbor_put_bytes(&b, payload);
	cbor_put_bytes(&b, span_of(rs, sizeof(rs)));
	e = buf_done(&b, &bytes);
	if (e == ERR_OK && bytes.len > COSE_MAX)
		e = ERR_TOO_LARGE;
	if (e == ERR_OK)
		*out = bytes;
	return e;
}

/* SEQUENCE { INTEGER r, INTEGER s }, by hand: two numbers of at most 33 bytes keep every length short. */
enum err cose_value_to_der(struct span rs, uint8_t out[72], size_t *len)
{
	size_t at = 2;

	if (rs.len != 2 * HALF)
		return ERR_FORMAT;
	for (size_t half = 0; half < 2; half++) {
		struct span v = span_sub(rs, half * HALF, HALF);
		size_t sign;

		while (v.len > 1 && v.ptr[0] == 0)
			v = span_sub(v, 1, SIZE_MAX);
		sign = v.ptr[0] >= 0x80 ? 1 : 0;
		out[at++] = DER_INTEGER;
		out[at++] = (uint8_t)(sign + v.len);
		if (sign != 0)
			out[at++] = 0;
		memcpy(out + at, v.ptr, v.len);
		at += v.len;
	}
	out[0] = DER_SEQUENCE;
	out[1] = (uint8_t)(at - 2);
	*len = at;
	return ERR_OK;
}

/* ---- reader --------------------------------------------------------------------------------- */

static enum err get_cert(struct cbor_reader *r, struct span *cert)
{
	enum err e = cbor_get_bytes(r, CERT_BYTES_MAX, cert);

	return e == ERR_OK && cert->len == 0 ? ERR_FORMAT : e;
}

static enum err get_x5chain(struct cbor_reader *r, struct cose_sign1 *out)
{
	enum cbor_kind kind;
	size_t n = 1;
	enum err e = cbor_peek(r, &kind);

	if (e == ERR_OK && kind == CBOR_ARRAY) {
		e = cbor_get_array(r, COSE_CERTS_MAX, &n);
		if (e == ERR_OK && n < 2)
			e = ERR_FORMAT;
	}
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = get_cert(r, &out->certs[i]);
	out->n_certs = n;
	return e;
}

static enum err get_header(struct arena *a, struct span header, struct cose_sign1 *out)
{
	struct cbor_reader r = {header};
	int64_t alg = 0;
	size_t n;
	enum err e = cbor_get_map(&r, 3, &n);

	if (e != ERR_OK || n != 3)
		return ERR_FORMAT;
	e = cbor_get_key(&r, KEY_ALG);
	if (e == ERR_OK)
		e = cbor_get_int(&r, &alg);
	if (e == ERR_OK && alg != COSE_ALG_SM2)
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = cbor_get_key(&r, KEY_TYPE);
	if (e == ERR_OK)
		e = cbor_get_text(&r, a, TYPE_MAX, &out->content_type);
	if (e == ERR_OK && out->content_type[0] == '\0')
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = cbor_get_key(&r, KEY_X5CHAIN);
	if (e == ERR_OK)
		e = get_x5chain(&r, out);
	return e == ERR_OK ? cbor_end(&r) : e;
}

/* Tag, array of four, header bytes, empty map. */
static enum err get_head(struct cbor_reader *r, struct span *header)
{
	size_t n = 0;
	enum err e = cbor_get_tag(r, TAG_SIGN1);

	if (e == ERR_OK)
		e = cbor_get_array(r, 4, &n);
	if (e == ERR_OK && n != 4)
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = cbor_get_bytes(r, COSE_MAX, header);
	return e == ERR_OK ? cbor_get_map(r, 0, &n) : e;
}

enum err cose_parse(struct arena *a, struct span in, struct cose_sign1 *out)
{
	struct cbor_reader r = {in};
	struct cose_sign1 sign1 = {0};
	struct span header;
	enum err e;

	if (in.len > COSE_MAX)
		return ERR_TOO_LARGE;
	e = get_head(&r, &header);
	if (e == ERR_OK)
		e = cbor_get_bytes(&r, COSE_MAX, &sign1.payload);
	if (e == ERR_OK)
		e = cbor_get_bytes(&r, 2 * HALF, &sign1.value);
	if (e == ERR_OK && sign1.value.len != 2 * HALF)
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = cbor_end(&r);
	if (e == ERR_OK)
		e = get_header(a, header, &sign1);
	if (e == ERR_OK)
		e = sig_structure(a, header, sign1.payload, &sign1.to_be_signed);
	if (e == ERR_OK)
		*out = sign1;
	return e == ERR_TOO_LARGE ? ERR_FORMAT : e;
}
