#include "base/text.h"
#include "form/der.h"
#include "form/ses.h"

enum { VERSION = 4, TEXT_MAX = 1024, SCOPE_MAX = 4096, HASH_LEN = 32 };

static bool is_ia5(const char *s, size_t max)
{
	size_t n = 0;

	if (s == NULL)
		return false;
	for (; s[n] != '\0'; n++) {
		if (n == max || s[n] < 0x20 || s[n] > 0x7e)
			return false;
	}
	return n != 0;
}

/* A GeneralizedTime has four digits for the year, and 0 is "not known". */
static bool is_time(int64_t ms)
{
	return ms > -62135596800000 && ms < 253402300800000 && ms != 0;
}

static enum err check_new(const struct ses_seal_new *in)
{
	if (!is_ia5(in->vendor, TEXT_MAX) || !is_ia5(in->id, TEXT_MAX) || !is_ia5(in->picture_type, TEXT_MAX))
		return ERR_FIELD_INVALID;
	if (in->name == NULL || in->name[0] == '\0' || !text_is_clean(span_str(in->name), TEXT_MAX))
		return ERR_FIELD_INVALID;
	if (!is_time(in->created) || !is_time(in->valid_start) || !is_time(in->valid_end))
		return ERR_TIME_INVALID;
	if (in->n_certs == 0 || in->picture.len == 0 || in->picture_width <= 0 || in->picture_height <= 0)
		return ERR_FIELD_INVALID;
	for (size_t i = 0; i < in->n_certs; i++) {
		if (in->certs[i].len == 0)
			return ERR_FIELD_INVALID;
	}
	return in->n_certs > SES_CERTS_MAX || in->picture.len > SES_PICTURE_MAX ? ERR_TOO_LARGE : ERR_OK;
}

static void put_header(struct buf *b, const char *vendor)
{
	size_t mark = der_open(b, DER_SEQUENCE);

	der_put(b, DER_IA5, span_str("ES"));
	der_put_int(b, VERSION);
	der_put(b, DER_IA5, span_str(vendor));
	der_close(b, mark);
}

static void put_property(struct buf *b, const struct ses_seal_new *in)
{
	size_t mark = der_open(b, DER_SEQUENCE), list;

	der_put_int(b, in->type);
	der_put(b, DER_UTF8, span_str(in->name));
	der_put_int(b, SES_LIST_CERTS);
	list = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < in->n_certs; i++)
		der_put(b, DER_OCTET_STRING, in->certs[i]);
	der_close(b, list);
	der_put_gentime(b, in->created);
	der_put_gentime(b, in->valid_start);
	der_put_gentime(b, in->valid_end);
	der_close(b, mark);
}

static void put_picture(struct buf *b, const struct ses_seal_new *in)
{
	size_t mark = der_open(b, DER_SEQUENCE);

	der_put(b, DER_IA5, span_str(in->picture_type));
	der_put(b, DER_OCTET_STRING, in->picture);
	der_put_int(b, in->picture_width);
	der_put_int(b, in->picture_height);
	der_close(b, mark);
}

enum err ses_seal_info_encode(struct arena *a, const struct ses_seal_new *in, struct span *out)
{
	struct buf b;
	size_t mark;
	enum err e = check_new(in);

	if (e != ERR_OK)
		return e;
	buf_init(&b, a);
	mark = der_open(&b, DER_SEQUENCE);
	put_header(&b, in->vendor);
	der_put(&b, DER_IA5, span_str(in->id));
	put_property(&b, in);
	put_picture(&b, in);
	der_close(&b, mark);
	return buf_done(&b, out);
}

/* SEQUENCE { what was signed, cert OCTET STRING, signature algorithm, value BIT STRING } */
static enum err put_signed(struct arena *a, struct span signed_part, struct span cert, struct span value,
                           struct span *out)
{
	struct buf b;
	size_t mark;
	enum err e;

	if (signed_part.len == 0 || cert.len == 0 || value.len == 0)
		return ERR_FIELD_INVALID;
	buf_init(&b, a);
	mark = der_open(&b, DER_SEQUENCE);
	buf_add(&b, signed_part);
	der_put(&b, DER_OCTET_STRING, cert);
	e = der_put_oid(&b, OID_SM2_SM3);
	if (e != ERR_OK)
		return e;
	der_put_bits(&b, value);
	der_close(&b, mark);
	return buf_done(&b, out);
}

enum err ses_seal_encode(struct arena *a, struct span info, struct span maker_cert, struct span value, struct span *out)
{
	return put_signed(a, info, maker_cert, value, out);
}

enum err ses_tbs_encode(struct arena *a, struct span seal, int64_t time, struct span hash, const char *property_info,
                        struct span *out)
{
	struct buf b;
	size_t mark;

	if (seal.len == 0 || hash.len != HASH_LEN || !is_ia5(property_info, SCOPE_MAX))
		return ERR_FIELD_INVALID;
	if (!is_time(time))
		return ERR_TIME_INVALID;
	buf_init(&b, a);
	mark = der_open(&b, DER_SEQUENCE);
	der_put_int(&b, VERSION);
	buf_add(&b, seal);
	der_put_gentime(&b, time);
	der_put_bits(&b, hash);
	der_put(&b, DER_IA5, span_str(property_info));
	der_close(&b, mark);
	return buf_done(&b, out);
}

enum err ses_signature_encode(struct arena *a, struct span tbs, struct span cert, struct span value, struct span *out)
{
	return put_signed(a, tbs, cert, value, out);
}
