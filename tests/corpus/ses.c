/* SES_Seal and SES_Signature of all versions, good ones and such with one thing otherwise (standards: GM/T 0031-2014,
 * GB/T 38540-2020, GM/T 0031-2025). Written by hand, because the library writes version 4 alone, and only well. */
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "tests/corpus/corpus.h"

enum { TIME_MAX = 40, MANY = 65, PICTURE_TOO_BIG = 2 * 1024 * 1024 + 1 };

static const char *or_else(const char *s, const char *usual)
{
	return s != NULL ? s : usual;
}

/* ---- times ----------------------------------------------------------------------------------------------------- */

static struct span time_der(uint8_t tag, const char *t)
{
	return wrap(tag, span_str(arena_printf(mem(), "%sZ", tag == DER_UTC_TIME ? t + 2 : t)));
}

/* YYYY-MM-DDTHH:MM:SSZ of YYYYMMDDHHMMSS */
static char *spelled(const char *t)
{
	return arena_printf(mem(), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", t, t + 4, t + 6, t + 8, t + 10, t + 12);
}

static struct span bit_string(struct span bytes)
{
	struct buf b;

	buf_init(&b, mem());
	der_put_bits(&b, bytes);
	return done(&b);
}

/* A time where the standard has one of type `tag`. */
static struct span time_in_form(uint8_t tag, const char *t, enum time_form form)
{
	uint8_t other = tag == DER_UTC_TIME ? DER_GENERALIZED_TIME : DER_UTC_TIME;
	const char *text = t;

	switch (form) {
	case T_OTHER_TYPE:
		return time_der(other, t);
	case T_OCTETS:
		return wrap(DER_OCTET_STRING, time_der(tag, t));
	case T_BITS:
	case T_BITS_UTC:
		return bit_string(time_der(form == T_BITS_UTC ? DER_UTC_TIME : tag, t));
	case T_BITS_GEN:
		return bit_string(time_der(DER_GENERALIZED_TIME, t));
	case T_TEXT:
		text = spelled(t);
		break;
	case T_TWO_DIGITS:
		text = arena_printf(mem(), "%sZ", t + 2);
		break;
	case T_FRACTION:
		text = arena_printf(mem(), "%s.5Z", t);
		break;
	case T_OFFSET:
		text = arena_printf(mem(), "%s+0800", t);
		break;
	case T_NONSENSE:
		text = "once upon a time";
		break;
	case T_NO_ZONE:
		break;
	default:
		return time_der(tag, t);
	}
	return wrap(tag, span_str(text));
}

/* timeInfo of version 1: in a BIT STRING. */
static struct span time_info_v1(const struct signature_wish *w, const char *t)
{
	switch (w->time_form) {
	case T_GOOD:
	case T_BITS_UTC:
		return bit_string(time_der(DER_UTC_TIME, t));
	case T_BITS_GEN:
		return bit_string(time_der(DER_GENERALIZED_TIME, t));
	case T_BITS_TOKEN:
		return bit_string(w->token);
	case T_TEXT:
		return bit_string(span_str(spelled(t)));
	case T_NO_ZONE:
		return bit_string(span_str(arena_printf(mem(), "%s", t)));
	case T_OTHER_TYPE:
		return time_der(DER_GENERALIZED_TIME, t);
	case T_NONSENSE:
		return bit_string(span_str("once upon a time"));
	default:
		return time_in_form(DER_UTC_TIME, t, w->time_form);
	}
}

/* ---- extensions ------------------------------------------------------------------------------------------------ */

static void put_extension(struct buf *b, enum ext_form form)
{
	size_t mark = der_open(b, DER_SEQUENCE);

	must(der_put_oid(b, form == E_AUDIT ? "1.3.6.1.5.5.7.1.4" : "1.2.3.4.5"), "OID");
	if (form == E_CRITICAL || form == E_AUDIT)
		der_put(b, DER_BOOLEAN, span_of("\xff", 1));
	if (form == E_DEFAULT)
		der_put(b, DER_BOOLEAN, span_of("\x00", 1));
	der_put(b, DER_OCTET_STRING, span_str("extension"));
	der_close(b, mark);
}

/* usual: as the standard has it there, with a tag or without. */
static struct span extensions(enum ext_form form, bool usual_tagged)
{
	struct buf b;
	struct span list;
	bool tagged = form == E_TAGGED || (usual_tagged && form != E_UNTAGGED);

	if (form == E_NONE)
		return span_of(NULL, 0);
	buf_init(&b, mem());
	for (int i = 0; i < (form == E_MANY ? MANY : 1); i++)
		put_extension(&b, form);
	list = done(&b);
	if (form == E_IMPLICIT)
		return wrap(DER_CONTEXT_0, list);
	list = wrap(DER_SEQUENCE, list);
	if (form == E_WRAPPED)
		return wrap(DER_OCTET_STRING, list);
	return tagged ? wrap(DER_CONTEXT_0, list) : list;
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

struct halves {
	struct span r, s; /* contents of the INTEGERs */
};

static struct halves halves_of(struct span value)
{
	struct der top = der_of(value), d;
	struct der_item r, s;

	must(der_enter(&top, DER_SEQUENCE, &d, NULL), "value");
	must(der_take(&d, DER_INTEGER, &r), "value");
	must(der_take(&d, DER_INTEGER, &s), "value");
	return (struct halves){r.value, s.value};
}

static struct span from_halves(struct span r, struct span s)
{
	return wrap(DER_SEQUENCE, joined(wrap(DER_INTEGER, r), wrap(DER_INTEGER, s)));
}

static struct span stripped(struct span v)
{
	return v.len > 1 && v.ptr[0] == 0 ? span_sub(v, 1, v.len) : v;
}

/* 32 bytes, right-aligned. */
static struct span full(struct span v)
{
	uint8_t out[32] = {0};

	v = stripped(v);
	memcpy(out + sizeof(out) - v.len, v.ptr, v.len);
	return arena_dup(mem(), span_of(out, sizeof(out)));
}

static struct span value_negative(const struct actor *who, struct span msg)
{
	for (;;) {
		struct halves h = halves_of(sign(who, msg));
		if (h.r.ptr[0] == 0)
			return from_halves(stripped(h.r), h.s);
	}
}

static struct span value_cut(const struct actor *who, struct span msg)
{
	for (;;) {
		struct span v = sign(who, msg);
		if (v.ptr[v.len - 1] == 0 && v.ptr[v.len - 2] != 0)
			return span_sub(v, 0, v.len - 1);
	}
}

static struct span value_flip(struct span v)
{
	struct span copy = arena_dup(mem(), v);

	((uint8_t *)(uintptr_t)copy.ptr)[copy.len - 1] ^= 1;
	return copy;
}

static struct span value_bytes(const struct actor *who, const EVP_MD *md, struct span msg, enum value_form form)
{
	struct span good = sign_md(who, md, msg);
	struct halves h;

	if (EVP_PKEY_is_a(who->key, "RSA"))
		return form == VALUE_FLIP ? value_flip(good) : good;
	h = halves_of(good);
	switch (form) {
	case VALUE_RAW64:
		return joined(full(h.r), full(h.s));
	case VALUE_MINUS:
		return value_negative(who, msg);
	case VALUE_PAD:
		return from_halves(joined(span_of("\0\0", h.r.ptr[0] == 0 ? 1 : 2), h.r), h.s);
	case VALUE_TAIL:
		return joined(good, span_str("!"));
	case VALUE_CUT:
		return value_cut(who, msg);
	case VALUE_FLIP:
		return value_flip(good);
	case VALUE_EMPTY_ID:
		return sign_id(who, "", msg);
	case VALUE_OTHER_ID:
		return sign_id(who, "ALICE123@YAHOO.COM", msg);
	case VALUE_OTHER_KEY:
		return sign(people()->colleague, msg);
	case VALUE_EMPTY:
		return span_of("", 0);
	default:
		return good;
	}
}

/* ---- the seal -------------------------------------------------------------------------------------------------- */

static int version_of(const struct seal_wish *w)
{
	return w->version != 0 ? w->version : 4;
}

static struct span header(const struct seal_wish *w)
{
	struct buf b;
	size_t mark;

	buf_init(&b, mem());
	mark = der_open(&b, DER_SEQUENCE);
	der_put(&b, DER_IA5, span_str("ES"));
	der_put_int(&b, w->header_version != 0 ? w->header_version : version_of(w));
	der_put(&b, w->text_type ? DER_UTF8 : DER_IA5, span_str(w->text_charset ? "印证" : "YZ"));
	der_close(&b, mark);
	return done(&b);
}

static void put_digest(struct buf *b, enum list_form form, struct span cert)
{
	size_t mark = der_open(b, DER_SEQUENCE);
	struct span d = digest_of(form == L_SHA256 ? EVP_sha256() : EVP_sm3(), cert);

	der_put(b, DER_PRINTABLE, span_str(form == L_SHA256 ? "SHA256" : "SM3"));
	der_put(b, DER_OCTET_STRING, form == L_WRONG_DIGEST ? digest_of(EVP_sm3(), d) : d);
	der_close(b, mark);
}

static void put_item(struct buf *b, enum list_form form, struct span cert)
{
	if (form == L_SM3 || form == L_SHA256 || form == L_WRONG_DIGEST)
		put_digest(b, form, cert);
	else if (form == L_RAW)
		buf_add(b, cert);
	else if (form == L_TEXT)
		der_put(b, DER_IA5, span_str("cert-1"));
	else
		der_put(b, DER_OCTET_STRING, cert);
}

static void put_list(struct buf *b, const struct seal_wish *w)
{
	const struct actor *listed = w->listed != NULL ? w->listed : people()->signer;
	size_t mark;

	if (w->list == L_BARE) {
		buf_add(b, listed->der);
		return;
	}
	mark = der_open(b, DER_SEQUENCE);
	for (int i = 0; i < (w->list == L_MANY ? MANY : w->list == L_EMPTY ? 0 : 1); i++)
		put_item(b, w->list, w->list == L_MANY && i != 0 ? span_str("certificate") : listed->der);
	if (w->listed_too != NULL)
		put_item(b, w->list, w->listed_too->der);
	der_close(b, mark);
}

static int list_type(const struct seal_wish *w)
{
	if (w->list_type != 0)
		return w->list_type;
	return w->list == L_SM3 || w->list == L_SHA256 || w->list == L_WRONG_DIGEST ? 2 : 1;
}

static struct span property(const struct seal_wish *w)
{
	uint8_t tag = version_of(w) == 1 ? DER_UTC_TIME : DER_GENERALIZED_TIME;
	struct buf b;
	size_t mark;

	buf_init(&b, mem());
	mark = der_open(&b, DER_SEQUENCE);
	der_put_int(&b, 1);
	der_put(&b, DER_UTF8, span_str("云州市测试专用章 NAME"));
	if (version_of(w) != 1 && list_type(w) > 0)
		der_put_int(&b, list_type(w));
	put_list(&b, w);
	buf_add(&b, time_in_form(tag, or_else(w->created, "20240101000000"), w->times));
	buf_add(&b, time_der(tag, or_else(w->from, "20240101000000")));
	buf_add(&b, time_der(tag, or_else(w->to, "20341231000000")));
	der_close(&b, mark);
	return done(&b);
}

static struct span picture(const struct seal_wish *w)
{
	struct buf b;
	struct span data = span_str("PICTURE-BYTES");
	size_t mark;

	if (w->big_picture)
		data = span_of(arena_alloc(mem(), PICTURE_TOO_BIG), PICTURE_TOO_BIG);
	buf_init(&b, mem());
	mark = der_open(&b, DER_SEQUENCE);
	der_put(&b, DER_IA5, span_str("PNG"));
	der_put(&b, DER_OCTET_STRING, data);
	der_put_int(&b, 40);
	der_put_int(&b, 40);
	der_close(&b, mark);
	return done(&b);
}

static struct span seal_info(const struct seal_wish *w)
{
	struct buf b;
	size_t mark;

	buf_init(&b, mem());
	mark = der_open(&b, DER_SEQUENCE);
	buf_add(&b, header(w));
	der_put(&b, DER_IA5, span_str("SEAL-0001"));
	buf_add(&b, property(w));
	buf_add(&b, picture(w));
	buf_add(&b, extensions(w->ext, false));
	der_close(&b, mark);
	return done(&b);
}

/* Certificate and algorithm, as they stand in both structures. */
static struct span cert_and_alg(struct span cert, bool raw, const char *alg, bool sequence)
{
	struct span a = oid_der(or_else(alg, OID_SM2_SM3));

	return joined(raw ? cert : wrap(DER_OCTET_STRING, cert), sequence ? wrap(DER_SEQUENCE, a) : a);
}

/* *bytes: the value itself. */
static struct span value_element(const struct actor *who, const EVP_MD *md, struct span msg, enum value_form form,
                                 struct span *bytes)
{
	*bytes = value_bytes(who, md, msg, form);
	return form == VALUE_IN_OCTETS ? wrap(DER_OCTET_STRING, *bytes) : bit_string(*bytes);
}

static struct span tagged_stamp(const struct seal_wish *w, struct span value)
{
	if (!w->stamped)
		return span_of(NULL, 0);
	return wrap(DER_CONTEXT_0, bit_string(new_stamp(&(struct stamp_wish){.time = w->stamp_time}, value)));
}

struct span new_seal(const struct seal_wish *w)
{
	const struct actor *maker = w->maker != NULL ? w->maker : people()->maker;
	struct span info = seal_info(w), by, value, bytes, rest;

	if (w->ber_signed)
		info = in_ber(info, BER_INDEFINITE);
	by = cert_and_alg(w->maker_bytes.len != 0 ? w->maker_bytes : maker->der, w->cert_raw, w->alg, w->alg_sequence);
	value =
	    value_element(maker, NULL, version_of(w) == 1 ? wrap(DER_SEQUENCE, joined(info, by)) : info, w->value, &bytes);
	if (w->flip != NULL)
		info = flipped(info, w->flip);
	rest = joined(by, value);
	if (version_of(w) == 1)
		rest = w->sign_info_wrapped ? bit_string(wrap(DER_SEQUENCE, rest)) : wrap(DER_SEQUENCE, rest);
	return wrap(DER_SEQUENCE, joined(joined(info, rest), tagged_stamp(w, bytes)));
}

/* ---- the signature --------------------------------------------------------------------------------------------- */

static struct span hash_element(const struct signature_wish *w)
{
	struct span data = w->data_bytes.len != 0 ? w->data_bytes : span_str(or_else(w->data, "the signed data\n"));
	struct span hash = digest_of(w->md != NULL ? w->md : EVP_sm3(), data);

	if (w->hash == H_OCTETS)
		return wrap(DER_OCTET_STRING, hash);
	if (w->hash == H_CUT || w->hash == H_SHORT)
		hash = span_sub(hash, 0, w->hash == H_CUT ? hash.len - 1 : 16);
	return bit_string(hash);
}

static struct span to_sign(const struct signature_wish *w, struct span by)
{
	int version = version_of(&w->seal);
	const char *t = or_else(w->time, "20240601000000");
	struct span seal = w->seal_bytes.len != 0 ? w->seal_bytes : new_seal(&w->seal);
	struct buf b;
	size_t mark;

	buf_init(&b, mem());
	mark = der_open(&b, DER_SEQUENCE);
	der_put_int(&b, w->version != 0 ? w->version : version);
	buf_add(&b, w->seal_wrapped ? wrap(DER_OCTET_STRING, seal) : seal);
	buf_add(&b, version == 1 ? time_info_v1(w, t) : time_in_form(DER_GENERALIZED_TIME, t, w->time_form));
	buf_add(&b, hash_element(w));
	der_put(&b, DER_IA5, span_str(or_else(w->scope, "the whole file")));
	if (version == 1)
		buf_add(&b, by);
	else
		buf_add(&b, extensions(w->ext, true));
	der_close(&b, mark);
	return done(&b);
}

static struct span stamp_element(const struct signature_wish *w, struct span value)
{
	static const struct stamp_wish good = {0};
	struct span token;

	if (w->stamp == S_NONE)
		return span_of(NULL, 0);
	token = w->stamp == S_EMPTY ? span_of("", 0) : new_stamp(w->stamp_wish != NULL ? w->stamp_wish : &good, value);
	if (w->stamp == S_UNTAGGED)
		return bit_string(token);
	if (w->stamp == S_IMPLICIT)
		return wrap(DER_CONTEXT_0_PRIMITIVE, joined(span_of("\0", 1), token));
	return wrap(DER_CONTEXT_0, bit_string(token));
}

struct span new_signature(const struct signature_wish *w)
{
	const struct actor *signer = w->signer != NULL ? w->signer : people()->signer;
	struct span by = cert_and_alg(w->signer_bytes.len != 0 ? w->signer_bytes : signer->der, w->cert_raw, w->alg, false);
	struct span tbs = to_sign(w, by), value, bytes;

	if (w->ber_signed)
		tbs = in_ber(tbs, BER_INDEFINITE);
	value = value_element(signer, w->md, tbs, w->value, &bytes);
	if (w->flip != NULL)
		tbs = flipped(tbs, w->flip);
	if (version_of(&w->seal) == 1)
		return wrap(DER_SEQUENCE, joined(tbs, value));
	return wrap(DER_SEQUENCE, joined(joined(tbs, by), joined(value, stamp_element(w, bytes))));
}
