/* Seals and signatures: written, read back, broken in many ways, and real ones made by others. */
#include "tests/unit/form_help.h"

#include "form/der.h"
#include "form/ses.h"

static const struct span cert_a = {(const uint8_t *)"certificate A", 13},
                         cert_b = {(const uint8_t *)"certificate B", 13};
static const int64_t t0 = 1597634009000, t1 = 1600000000000, t2 = 1700000000000;

static struct ses_seal_new sample(void)
{
	static struct span certs[2];

	certs[0] = cert_a;
	certs[1] = cert_b;
	return (struct ses_seal_new){.vendor = "YZ",
	                             .id = "5E4B0C",
	                             .name = "样例市大数据局",
	                             .type = 1,
	                             .n_certs = 2,
	                             .certs = certs,
	                             .created = t0,
	                             .valid_start = t1,
	                             .valid_end = t2,
	                             .picture_type = "PNG",
	                             .picture = span_str("picture"),
	                             .picture_width = 40,
	                             .picture_height = 41};
}

static struct span make_seal(struct arena *a)
{
	struct ses_seal_new in = sample();
	struct span info, seal;

	assert_err(ses_seal_info_encode(a, &in, &info), ERR_OK);
	assert_err(ses_seal_encode(a, info, cert_b, span_str("value"), &seal), ERR_OK);
	return seal;
}

static struct span make_tbs(struct arena *a)
{
	struct span tbs;

	assert_err(ses_tbs_encode(a, make_seal(a), t1, span_str("0123456789abcdef0123456789abcdef"), "/a", &tbs), ERR_OK);
	return tbs;
}

static struct span make_signature(struct arena *a)
{
	struct span sig;

	assert_err(ses_signature_encode(a, make_tbs(a), cert_a, span_str("sig"), &sig), ERR_OK);
	return sig;
}

static void test_seal(void **state)
{
	struct span in = make_seal(*state);
	struct ses_seal s;
	struct der d = der_of(in), inner;
	struct span info;

	assert_err(ses_seal_parse(*state, in, &s, NULL), ERR_OK);
	assert_span(s.raw, in);
	assert_err(der_enter(&d, DER_SEQUENCE, &inner, NULL), ERR_OK);
	assert_err(der_enter(&inner, DER_SEQUENCE, &d, &info), ERR_OK);
	assert_ptr_equal(s.info_raw.ptr, info.ptr);
	assert_int_equal(s.info_raw.len, info.len);
	assert_int_equal(s.version, 4);
	assert_string_equal(s.vendor, "YZ");
	assert_string_equal(s.id, "5E4B0C");
	assert_string_equal(s.name, "样例市大数据局");
	assert_int_equal(s.type, 1);
	assert_int_equal(s.list_kind, SES_LIST_CERTS);
	assert_int_equal(s.n_list, 2);
	assert_span(s.list[0], cert_a);
	assert_span(s.list[1], cert_b);
	assert_null(s.digest_types);
	assert_true(s.created == t0 && s.valid_start == t1 && s.valid_end == t2);
	assert_string_equal(s.picture_type, "PNG");
	assert_span(s.picture, span_str("picture"));
	assert_true(s.picture_width == 40 && s.picture_height == 41);
	assert_int_equal(s.n_ext, 0);
	assert_span(s.maker_cert, cert_b);
	assert_string_equal(s.alg, OID_SM2_SM3);
	assert_span(s.value, span_str("value"));
}

static void test_signature(void **state)
{
	struct span in = make_signature(*state), tbs = make_tbs(*state);
	struct ses_signature s;

	assert_err(ses_signature_parse(*state, in, &s, NULL), ERR_OK);
	assert_span(s.raw, in);
	assert_span(s.tbs_raw, tbs);
	assert_span(s.seal.raw, make_seal(*state));
	assert_int_equal(s.version, 4);
	assert_true(s.time == t1);
	assert_span(s.data_hash, span_str("0123456789abcdef0123456789abcdef"));
	assert_string_equal(s.property_info, "/a");
	assert_span(s.cert, cert_a);
	assert_string_equal(s.alg, OID_SM2_SM3);
	assert_span(s.value, span_str("sig"));
	assert_int_equal(s.time_stamp.len, 0);
	assert_int_equal(s.n_ext, 0);
}

/* Cutting at any place, or adding a byte, is an error and leaves the result alone. */
static void test_cut(void **state)
{
	struct span in = make_signature(*state), seal = make_seal(*state);
	struct ses_signature sig = {.version = 77};
	struct ses_seal s = {.version = 77};
	struct err_note note;
	uint8_t *longer = arena_alloc(*state, in.len + 1);

	for (size_t n = 0; n < in.len; n++)
		assert_err(ses_signature_parse(*state, span_sub(in, 0, n), &sig, &note), ERR_FORMAT);
	for (size_t n = 0; n < seal.len; n++)
		assert_err(ses_seal_parse(*state, span_sub(seal, 0, n), &s, &note), ERR_FORMAT);
	memcpy(longer, in.ptr, in.len);
	assert_err(ses_signature_parse(*state, span_of(longer, in.len + 1), &sig, &note), ERR_FORMAT);
	assert_string_equal(note.help, "bytes follow the signature");
	assert_int_equal(sig.version, 77);
	assert_int_equal(s.version, 77);
}

/* ---- seals by parts, so that each can be replaced ------------------------------------------- */

static struct span tlv(struct arena *a, uint8_t tag, struct span contents)
{
	struct span out = {0};
	struct buf b;

	buf_init(&b, a);
	der_put(&b, tag, contents);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

static struct span join(struct arena *a, const struct span *parts, size_t n)
{
	struct span out = {0};
	struct buf b;

	buf_init(&b, a);
	for (size_t i = 0; i < n; i++)
		buf_add(&b, parts[i]);
	assert_err(buf_done(&b, &out), ERR_OK);
	return out;
}

static struct span hex(struct arena *a, const char *text)
{
	struct span raw = unhex(text), copy = arena_dup(a, raw);

	free((void *)(uintptr_t)raw.ptr);
	return copy;
}

/* The items of one constructed value. */
static size_t split(struct span in, struct span *parts, size_t max)
{
	struct der top = der_of(in), d;
	struct der_item it;
	size_t n = 0;

	assert_err(der_enter(&top, DER_ANY, &d, NULL), ERR_OK);
	while (der_more(&d)) {
		assert_true(n < max);
		assert_err(der_take(&d, DER_ANY, &it), ERR_OK);
		parts[n++] = it.raw;
	}
	return n;
}

/* `in` with the item at `path` (indices, -1 ends) replaced by `with`; an index at the end appends. */
static struct span replace(struct arena *a, struct span in, const int *path, struct span with)
{
	struct span parts[16];
	size_t n;

	if (path[0] < 0)
		return with;
	n = split(in, parts, 15);
	if ((size_t)path[0] == n)
		parts[n++] = with;
	else
		parts[path[0]] = replace(a, parts[path[0]], path + 1, with);
	return tlv(a, in.ptr[0], join(a, parts, n));
}

#define PATH(...)                                                                                                      \
	(const int[])                                                                                                      \
	{                                                                                                                  \
		__VA_ARGS__, -1                                                                                                \
	}

static void test_bad_seals(void **state)
{
	static const struct {
		int path[5];
		const char *hex, *field;
	} rows[] = {
	    {{0, 0, 0, -1}, "16 02 4553", NULL}, /* unchanged: "ES" */
	    {{0, 0, 0, -1}, "16 02 4554", "header.ID"},
	    {{0, 0, 0, -1}, "0c 02 4553", "header.ID"},
	    {{0, 0, 1, -1}, "16 01 34", "header.version"},
	    {{0, 0, 2, -1}, "0c 01 41", "header.Vid"},
	    {{0, 0, 3, -1}, "0500", "header.Vid"},
	    {{0, 1, -1}, "16 02 41ff", "esID"},
	    {{0, 1, -1}, "0c 01 41", "esID"},
	    {{0, 2, 0, -1}, "02 09 010000000000000000", "property.type"},
	    {{0, 2, 1, -1}, "16 01 41", "property.name"},
	    {{0, 2, 1, -1}, "0c 01 ff", "property.name"},
	    {{0, 2, 1, -1}, "0c 01 00", "property.name"},
	    {{0, 2, 2, -1}, "02 01 00", "property.certListType"},
	    {{0, 2, 2, -1}, "02 01 03", "property.certListType"},
	    {{0, 2, 2, -1}, "02 01 02", "property.certList"}, /* certificates, but the type says digests */
	    {{0, 2, 3, -1}, "04 00", "property.certList"},
	    {{0, 2, 3, 0, -1}, "04 00", "property.certList"},
	    {{0, 2, 3, 0, -1}, "30 00", "property.certList"},
	    {{0, 2, 4, -1}, "17 0d 3230303831373033313332395a", "property.createDate"}, /* UTCTime */
	    {{0, 2, 5, -1}, "18 0e 3230323030383137303331333239", "property.validStart"},
	    {{0, 2, 6, -1}, "18 0f 32303230303233303033313332395a30", "property.validEnd"},
	    {{0, 2, 7, -1}, "0500", "property.validEnd"},
	    {{0, 3, 0, -1}, "0c 03 504e47", "picture.type"},
	    {{0, 3, 1, -1}, "03 01 00", "picture.data"},
	    {{0, 3, 2, -1}, "16 01 31", "picture.width"},
	    {{0, 3, 3, -1}, "02 00", "picture.height"},
	    {{0, 3, 4, -1}, "0500", "picture.height"},
	    {{0, 4, -1}, "31 00", "eSealInfo.extDatas"},
	    {{0, 4, -1}, "30 02 3000", "eSealInfo.extDatas"},
	    {{0, 4, -1}, "30 0a 3008 0603 2a0304 0101 01", "eSealInfo.extDatas"},
	    {{1, -1}, "04 00", "cert"},
	    {{1, -1}, "30 00", "cert"},
	    {{2, -1}, "06 00", "signatureAlgID"},
	    {{2, -1}, "30 00", "signatureAlgID"},
	    {{3, -1}, "04 01 00", "signature"},
	    {{3, -1}, "03 02 0100", "signature"},
	    {{3, -1}, "03 00", "signature"},
	};
	struct span seal = make_seal(*state);
	struct ses_seal s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err_note note = {0};
		struct span in = replace(*state, seal, rows[i].path, hex(*state, rows[i].hex));
		enum err e = ses_seal_parse(*state, in, &s, &note);

		if (e != (rows[i].field != NULL ? ERR_FORMAT : ERR_OK))
			fail_msg("row %zu: %s", i, err_name(e));
		if (e != ERR_OK)
			assert_string_equal(note.field, rows[i].field);
	}
}

static void test_versions(void **state)
{
	struct span seal = make_seal(*state), parts[8], v;
	struct ses_seal s;
	struct ses_signature g;
	struct err_note note;

	split(seal, parts, 8);
	v = tlv(*state, DER_SEQUENCE, join(*state, parts, 2));
	assert_err(ses_seal_parse(*state, v, &s, &note), ERR_VERSION_UNSUPPORTED);
	assert_non_null(strstr(note.help, "version 1 "));
	assert_err(ses_signature_parse(*state, v, &g, &note), ERR_VERSION_UNSUPPORTED);
	assert_non_null(strstr(note.help, "version 1 "));
	v = replace(*state, seal, PATH(4), hex(*state, "a0 03 030100"));
	assert_err(ses_seal_parse(*state, v, &s, &note), ERR_VERSION_UNSUPPORTED);
	assert_non_null(strstr(note.help, "version 5 "));
	v = replace(*state, seal, PATH(0, 0, 1), hex(*state, "02 01 05"));
	assert_err(ses_seal_parse(*state, v, &s, &note), ERR_VERSION_UNSUPPORTED);
	assert_non_null(strstr(note.help, "version 5 "));
	v = replace(*state, seal, PATH(0, 0, 1), hex(*state, "02 01 01"));
	assert_err(ses_seal_parse(*state, v, &s, &note), ERR_VERSION_UNSUPPORTED);
	assert_non_null(strstr(note.help, "version 1 "));
	v = replace(*state, seal, PATH(0, 0, 1), hex(*state, "02 01 03"));
	assert_err(ses_seal_parse(*state, v, &s, &note), ERR_VERSION_UNSUPPORTED);
	assert_string_equal(note.field, "header.version");
	v = replace(*state, make_signature(*state), PATH(0, 0), hex(*state, "02 01 05"));
	assert_err(ses_signature_parse(*state, v, &g, &note), ERR_VERSION_UNSUPPORTED);
	assert_string_equal(note.field, "toSign.version");
	v = hex(*state, "30 0e 060a 2a811ccf550601040202 a000");
	assert_err(ses_signature_parse(*state, v, &g, &note), ERR_FORMAT);
	assert_non_null(strstr(note.help, "SignedData"));
}

static void test_digest_list(void **state)
{
	struct span seal = replace(*state, make_seal(*state), PATH(0, 2, 2), hex(*state, "02 01 02"));
	struct span list = hex(*state, "30 0b 3009 1303 534d33 0402 abcd");
	struct err_note note;
	struct ses_seal s;

	assert_err(ses_seal_parse(*state, replace(*state, seal, PATH(0, 2, 3), list), &s, NULL), ERR_OK);
	assert_int_equal(s.list_kind, SES_LIST_DIGESTS);
	assert_int_equal(s.n_list, 1);
	assert_string_equal(s.digest_types[0], "SM3");
	assert_span(s.list[0], hex(*state, "abcd"));
	list = hex(*state, "30 09 3007 1303 534d33 0400");
	assert_err(ses_seal_parse(*state, replace(*state, seal, PATH(0, 2, 3), list), &s, &note), ERR_FORMAT);
	list = hex(*state, "30 0b 3009 1603 534d33 0402 abcd");
	assert_err(ses_seal_parse(*state, replace(*state, seal, PATH(0, 2, 3), list), &s, &note), ERR_FORMAT);
	assert_string_equal(note.field, "property.certList");
}

/* The optional parts, in the three ways in which they are found. */
static void test_optional_parts(void **state)
{
	static const char *const exts[] = {
	    "a0 10 300e 300c 0603 2a0304 0101 ff 0402 abcd", /* EXPLICIT */
	    "a0 0e 300c 0603 2a0304 0101 ff 0402 abcd",      /* IMPLICIT */
	    "30 0e 300c 0603 2a0304 0101 ff 0402 abcd",      /* untagged */
	};
	static const char *const stamps[] = {"a0 05 0303 00beef", "80 03 00beef", "03 03 00beef"};
	static const char *const bad_stamps[] = {
	    "a0 00",      "a0 03 030100",      "a0 04 0302 01be",        "80 00",          "80 02 01be", "03 01 00",
	    "04 02 beef", "a1 05 0303 00beef", "a0 07 0303 00beef 0500", "a0 04 0402 beef"};
	struct span sig = make_signature(*state);
	struct ses_signature s;
	struct ses_seal seal;
	struct err_note note;

	for (size_t i = 0; i < 3; i++) {
		assert_err(ses_signature_parse(*state, replace(*state, sig, PATH(0, 5), hex(*state, exts[i])), &s, NULL),
		           ERR_OK);
		assert_int_equal(s.n_ext, 1);
		assert_string_equal(s.ext[0].oid, "1.2.3.4");
		assert_true(s.ext[0].critical);
		assert_span(s.ext[0].value, hex(*state, "abcd"));
		assert_err(
		    ses_seal_parse(*state, replace(*state, make_seal(*state), PATH(0, 4), hex(*state, exts[i])), &seal, NULL),
		    ERR_OK);
		assert_int_equal(seal.n_ext, 1);
		assert_err(ses_signature_parse(*state, replace(*state, sig, PATH(4), hex(*state, stamps[i])), &s, NULL),
		           ERR_OK);
		assert_span(s.time_stamp, hex(*state, "beef"));
	}
	for (size_t i = 0; i < sizeof(bad_stamps) / sizeof(bad_stamps[0]); i++) {
		sig = replace(*state, make_signature(*state), PATH(4), hex(*state, bad_stamps[i]));
		assert_err(ses_signature_parse(*state, sig, &s, &note), ERR_FORMAT);
		assert_string_equal(note.field, "timeStamp");
	}
	/* critical FALSE, written out as DER says it should not be; and no extension at all */
	sig = replace(*state, make_signature(*state), PATH(0, 5), hex(*state, "a0 0d 300b 3009 0603 2a0304 0101 00 0400"));
	assert_err(ses_signature_parse(*state, sig, &s, &note), ERR_FORMAT); /* lengths are wrong */
	sig = replace(*state, make_signature(*state), PATH(0, 5), hex(*state, "a0 0e 300c 300a 0603 2a0304 0101 00 0400"));
	assert_err(ses_signature_parse(*state, sig, &s, &note), ERR_OK);
	assert_false(s.ext[0].critical);
	sig = replace(*state, make_signature(*state), PATH(0, 5), hex(*state, "a0 02 3000"));
	assert_err(ses_signature_parse(*state, sig, &s, &note), ERR_OK);
	assert_int_equal(s.n_ext, 0);
}

static void test_bounds(void **state)
{
	struct span seal = make_seal(*state), item = hex(*state, "0401 41"), list, big;
	struct span many[SES_CERTS_MAX + 1];
	struct err_note note;
	struct ses_seal s;
	struct arena *small = arena_new(64);

	for (size_t i = 0; i < SES_CERTS_MAX + 1; i++)
		many[i] = item;
	list = tlv(*state, DER_SEQUENCE, join(*state, many, SES_CERTS_MAX + 1));
	assert_err(ses_seal_parse(*state, replace(*state, seal, PATH(0, 2, 3), list), &s, &note), ERR_TOO_LARGE);
	list = tlv(*state, DER_SEQUENCE, join(*state, many, SES_CERTS_MAX));
	assert_err(ses_seal_parse(*state, replace(*state, seal, PATH(0, 2, 3), list), &s, &note), ERR_OK);
	big = tlv(*state, DER_OCTET_STRING, span_of(arena_alloc(*state, SES_PICTURE_MAX + 1), SES_PICTURE_MAX + 1));
	assert_err(ses_seal_parse(*state, replace(*state, seal, PATH(0, 3, 1), big), &s, &note), ERR_TOO_LARGE);
	assert_string_equal(note.field, "picture.data");
	big = span_of(arena_alloc(*state, SES_MAX + 1), SES_MAX + 1);
	assert_err(ses_seal_parse(*state, big, &s, &note), ERR_TOO_LARGE);
	assert_err(ses_seal_parse(small, seal, &s, &note), ERR_BUDGET);
	arena_free(small);
}

/* Whatever the budget: all, or ERR_BUDGET and nothing. */
static void test_every_budget(void **state)
{
	struct span in = make_signature(*state);
	struct ses_signature s = {.version = 77};
	enum err e = ERR_BUDGET;
	size_t budget;

	for (budget = 0; e != ERR_OK && budget < 65536; budget += 16) {
		struct arena *a = arena_new(budget);
		struct err_note note;

		e = ses_signature_parse(a, in, &s, &note);
		assert_err(e, e != ERR_OK ? ERR_BUDGET : ERR_OK);
		assert_int_equal(s.version, e != ERR_OK ? 77 : 4);
		arena_free(a);
	}
	assert_err(e, ERR_OK);
}

static void test_refused_to_write(void **state)
{
	struct ses_seal_new in;
	struct span out;

#define REFUSED(change, err)                                                                                           \
	in = sample();                                                                                                     \
	in.change;                                                                                                         \
	assert_err(ses_seal_info_encode(*state, &in, &out), err)
	REFUSED(vendor = "", ERR_FIELD_INVALID);
	REFUSED(vendor = "印", ERR_FIELD_INVALID);
	REFUSED(id = NULL, ERR_FIELD_INVALID);
	REFUSED(id = "a\n", ERR_FIELD_INVALID);
	REFUSED(name = "", ERR_FIELD_INVALID);
	REFUSED(name = "\xff", ERR_FIELD_INVALID);
	REFUSED(name = NULL, ERR_FIELD_INVALID);
	REFUSED(created = 0, ERR_TIME_INVALID);
	REFUSED(valid_end = INT64_MAX, ERR_TIME_INVALID);
	REFUSED(n_certs = 0, ERR_FIELD_INVALID);
	REFUSED(picture.len = 0, ERR_FIELD_INVALID);
	REFUSED(picture.len = SES_PICTURE_MAX + 1, ERR_TOO_LARGE);
	REFUSED(picture_width = 0, ERR_FIELD_INVALID);
#undef REFUSED
	assert_err(ses_seal_encode(*state, span_of(NULL, 0), cert_a, cert_a, &out), ERR_FIELD_INVALID);
	assert_err(ses_tbs_encode(*state, cert_a, t0, span_str("short"), "/a", &out), ERR_FIELD_INVALID);
	assert_err(ses_tbs_encode(*state, cert_a, t0, span_str("0123456789abcdef0123456789abcdef"), "", &out),
	           ERR_FIELD_INVALID);
	assert_err(ses_tbs_encode(*state, cert_a, 0, span_str("0123456789abcdef0123456789abcdef"), "/a", &out),
	           ERR_TIME_INVALID);
}

/* ---- made by others ------------------------------------------------------------------------- */

static const struct {
	const char *file;
	bool is_seal;
	const char *refused; /* part of the note; NULL: it is read */
} corpus[] = {
    {"ofd/seals/seal_v4_UserV4.esl", true, NULL},
    {"ofd/seals/seal_v1_UserV1.esl", true, "version 1 "},
    {"ofd/seals/seal_v5_UserV5.esl", true, "version 5 "},
    {"ofd/seals/seal_v4_badsig_UserV4_old.esl", true, "SESeal"}, /* BER, indefinite lengths */
    {"ofd/seals/seal_v1_ber_UserV1_old.esl", true, "SESeal"},
    {"ofd/seals/sv_v4_SignedValueV4.dat", false, NULL},
    {"ofd/fragments/signedFile_jiangsu_tax/SignedValue.dat", false, NULL},
    {"ofd/fragments/suzhou_dianju/SignedValue.dat", false, NULL},
    {"ofd/fragments/azt_two_seals/sig0/SignedValue.dat", false, NULL},
    {"ofd/fragments/azt_two_seals/sig0/Seal.esl", true, NULL},
    {"ofd/fragments/azt_two_seals/sig1/SignedValue.dat", false, NULL},
    {"ofd/fragments/azt_two_seals/sig1/Seal.esl", true, NULL},
    {"ofd/fragments/keyword_zibo/sig0/SignedValue.dat", false, NULL},
    {"ofd/fragments/keyword_zibo/sig0/Seal.esl", true, NULL},
    {"ofd/fragments/keyword_zibo/sig1/SignedValue.dat", false, "SignedData"},
    {"ofd/fragments/ccb_receipt_1/SignedValue.dat", false, "SignedData"},
};

/* What our writer makes of the parts is what the other one wrote. */
static void same_seal_again(struct arena *a, const struct ses_seal *s)
{
	struct ses_seal_new in = {
	    s->vendor,      s->id,        s->name,         s->type,    s->n_list,        s->list,          s->created,
	    s->valid_start, s->valid_end, s->picture_type, s->picture, s->picture_width, s->picture_height};
	struct span info, seal;

	assert_err(ses_seal_info_encode(a, &in, &info), ERR_OK);
	assert_span(info, s->info_raw);
	assert_err(ses_seal_encode(a, info, s->maker_cert, s->value, &seal), ERR_OK);
	assert_span(seal, s->raw);
}

static void test_corpus(void **state)
{
	struct err_note note;
	struct ses_seal s;
	struct ses_signature g;
	struct span in;

	for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++) {
		enum err e;

		if (!corpus_read(*state, corpus[i].file, &in)) {
			print_message("note: corpus absent, skipped\n");
			return;
		}
		e = corpus[i].is_seal ? ses_seal_parse(*state, in, &s, &note) : ses_signature_parse(*state, in, &g, &note);
		if ((e == ERR_OK) != (corpus[i].refused == NULL) ||
		    (e != ERR_OK && strstr(note.help, corpus[i].refused) == NULL))
			fail_msg("%s: %s %s", corpus[i].file, err_name(e), err_note_text(&note));
	}
	assert_true(corpus_read(*state, corpus[0].file, &in));
	assert_err(ses_seal_parse(*state, in, &s, &note), ERR_OK);
	assert_string_equal(s.name, "OFD R&W 测试用印章");
	same_seal_again(*state, &s);
}

/* A digest whose last bits were zeros and are not there, and what is no such digest. */
static void test_trimmed_digest(void **state)
{
	static const struct {
		const char *hex;
		size_t len; /* 0: ERR_FORMAT */
		bool is_trimmed;
	} rows[] = {
	    {"03 05 00 00112233", 4, false}, /* of another size, but whole */
	    {"03 20 00 01010101010101010101010101010101010101010101010101010101010101", 32, true},
	    {"03 21 04 0101010101010101010101010101010101010101010101010101010101010110", 32, true},
	    {"03 21 04 0101010101010101010101010101010101010101010101010101010101010120", 0, false}, /* one bit too few */
	    {"03 21 04 0101010101010101010101010101010101010101010101010101010101010118", 0,
	     false},                         /* an unused bit is set */
	    {"03 05 04 00112230", 0, false}, /* more than some zeros are missing */
	    {"03 01 04", 0, false},
	    {"03 00", 0, false},
	    {"03 02 08 80", 0, false},
	};
	struct span sig = make_signature(*state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct deviations list = {0};
		const struct ses_reading how = {&list, 0};
		struct ses_signature s;
		struct err_note note = {0};
		struct span in = replace(*state, sig, PATH(0, 3), hex(*state, rows[i].hex));
		enum err e = ses_signature_read(*state, in, &how, &s, &note);

		if (e != (rows[i].len != 0 ? ERR_OK : ERR_FORMAT))
			fail_msg("row %zu: %s", i, err_name(e));
		if (e != ERR_OK) {
			assert_string_equal(note.field, "toSign.dataHash");
			continue;
		}
		assert_int_equal(s.data_hash.len, rows[i].len);
		assert_int_equal(list.n, rows[i].is_trimmed ? 1 : 0);
	}
}

/* Values that are none of the known forms stay as they are, whatever the list allows. */
static void test_values(void **state)
{
	static const struct {
		const char *in, *out, *code; /* code NULL: nothing noted */
	} rows[] = {
	    {"30 06 020101 020102", "30 06 020101 020102", NULL},
	    {"30 06 020181 020102", "30 07 02020081 020102", "VALUE_NEGATIVE"},
	    {"30 07 02020001 020102", "30 06 020101 020102", "VALUE_PADDED"},
	    {"30 07 02020081 020102", "30 07 02020081 020102", NULL},
	    {"30 06 020101 020102 00", "30 06 020101 020102", "VALUE_TRAILING"},
	    {"30 06 020100 020102", "30 06 020100 020102", NULL}, /* zero */
	    {"30 09 020101 020102 020103", "30 09 020101 020102 020103", NULL},
	    {"30 03 020101", "30 03 020101", NULL},
	    {"30 05 0200 020102", "30 05 0200 020102", NULL},
	    {"31 06 020101 020102", "31 06 020101 020102", NULL},
	    {"", "", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct deviations list = {0};
		struct span in = hex(*state, rows[i].in), out;

		assert_err(ses_value_read(*state, in, &list, "here", &out), ERR_OK);
		assert_span(out, hex(*state, rows[i].out));
		if (rows[i].code == NULL)
			assert_int_equal(list.n, 0);
		else
			assert_string_equal(list.item[0].code, rows[i].code);
		assert_err(ses_value_read(*state, in, NULL, "here", &out), ERR_OK);
		assert_span(out, in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_seal),           TEST(test_signature),    TEST(test_cut),
	    TEST(test_bad_seals),      TEST(test_versions),     TEST(test_digest_list),
	    TEST(test_optional_parts), TEST(test_bounds),       TEST(test_refused_to_write),
	    TEST(test_corpus),         TEST(test_every_budget), TEST(test_trimmed_digest),
	    TEST(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
