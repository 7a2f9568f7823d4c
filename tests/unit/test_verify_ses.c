/* Seals and signatures that deviate: one deviation at a time, made by our own writer and an edit, of all versions. */
#include "ses_help.h"

/* ---- changes -------------------------------------------------------------------------------- */

/* The 14 digits and Z of a GeneralizedTime, also within the BIT STRING of version 1 after 20. */
static struct span digits_of(struct arena *a, struct span item)
{
	if (item.ptr[0] == DER_GENERALIZED_TIME)
		return span_sub(item, 2, 15);
	return join(a, (const struct span[]){span_str("20"), span_sub(item, item.len - 13, 13)}, 2);
}

static struct span time_as(struct arena *a, uint8_t tag, const char *text)
{
	return tlv(a, tag, span_str(text));
}

static struct span time_spelled(struct arena *a, struct span item, const char *between, const char *end)
{
	const char *s = (const char *)digits_of(a, item).ptr;

	return span_str(
	    arena_printf(a, "%.4s-%.2s-%.2s%s%.2s:%.2s:%.2s%s", s, s + 4, s + 6, between, s + 8, s + 10, s + 12, end));
}

static struct span time_iso_bits(struct arena *a, struct span item)
{
	return bits(a, time_spelled(a, item, "T", ".000Z"));
}

static struct span time_plain_bits(struct arena *a, struct span item)
{
	return bits(a, time_spelled(a, item, " ", "Z"));
}

static struct span time_token_like(struct arena *a, struct span item)
{
	(void)item;
	return bits(a, tlv(a, DER_SEQUENCE, span_of(NULL, 0)));
}

static struct span time_garbage(struct arena *a, struct span item)
{
	(void)item;
	return bits(a, span_str("yesterday"));
}

static struct span time_wrapped(struct arena *a, struct span item)
{
	return tlv(a, DER_OCTET_STRING, item);
}

static struct span time_in_bits(struct arena *a, struct span item)
{
	return bits(a, item);
}

static struct span time_said(struct arena *a, struct span item)
{
	return tlv(a, DER_UTF8, time_spelled(a, item, " ", "Z"));
}

static struct span time_short_year(struct arena *a, struct span item)
{
	return tlv(a, DER_GENERALIZED_TIME, span_sub(item, 4, 13));
}

static struct span time_fraction(struct arena *a, struct span item)
{
	return time_as(a, DER_GENERALIZED_TIME, arena_printf(a, "%.14s.000Z", (const char *)item.ptr + 2));
}

/* Local time of China: with its offset, and as a time without any zone. */
static struct span time_local(struct arena *a, const char *end)
{
	int y, mo, d, h, mi, s;

	time_to_parts(pki.t0 + 8 * HOUR, &y, &mo, &d, &h, &mi, &s);
	return time_as(a, DER_GENERALIZED_TIME, arena_printf(a, "%04d%02d%02d%02d%02d%02d%s", y, mo, d, h, mi, s, end));
}

static struct span time_offset(struct arena *a, struct span item)
{
	(void)item;
	return time_local(a, "+0800");
}

static struct span time_no_zone(struct arena *a, struct span item)
{
	(void)item;
	return time_local(a, "");
}

static struct span as_octets(struct arena *a, struct span item)
{
	return tlv(a, DER_OCTET_STRING, span_sub(item, 3, SIZE_MAX)); /* a BIT STRING of less than 128 bytes */
}

static struct span as_bits(struct arena *a, struct span item)
{
	return bits(a, item);
}

/* OCTET STRING -> what it holds */
static struct span unwrapped(struct arena *a, struct span item)
{
	struct der d = der_of(item);
	struct span v;

	(void)a;
	assert_err(der_octets(&d, &v), ERR_OK);
	return v;
}

static struct span raw_list(struct arena *a, struct span item)
{
	(void)item;
	return tlv(a, DER_SEQUENCE, der_of_who("samr"));
}

static struct span bare_cert(struct arena *a, struct span item)
{
	(void)item;
	return arena_dup(a, der_of_who("samr"));
}

/* The two numbers of a value in its BIT STRING, 32 bytes each. */
static void numbers(struct span item, uint8_t rs[64])
{
	struct der top = der_of(span_sub(item, 3, SIZE_MAX)), d;
	struct der_item it;

	memset(rs, 0, 64);
	assert_err(der_enter(&top, DER_SEQUENCE, &d, NULL), ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		assert_err(der_take(&d, DER_INTEGER, &it), ERR_OK);
		if (it.value.len == 33)
			it.value = span_sub(it.value, 1, 32);
		memcpy(rs + 32 * i + 32 - it.value.len, it.value.ptr, it.value.len);
	}
}

static struct span value_raw(struct arena *a, struct span item)
{
	uint8_t rs[64];

	numbers(item, rs);
	return bits(a, span_of(rs, sizeof(rs)));
}

static struct span value_of_integers(struct arena *a, struct span r, struct span s)
{
	struct span two[] = {tlv(a, DER_INTEGER, r), tlv(a, DER_INTEGER, s)};

	return bits(a, tlv(a, DER_SEQUENCE, join(a, two, 2)));
}

/* Without the zeros that make a number positive: when neither number has one, this is no deviation. */
static struct span value_bare(struct arena *a, struct span item)
{
	uint8_t rs[64];

	numbers(item, rs);
	return value_of_integers(a, span_of(rs, 32), span_of(rs + 32, 32));
}

static struct span value_padded(struct arena *a, struct span item)
{
	uint8_t rs[68] = {0};

	numbers(item, rs + 4);
	memmove(rs + 2, rs + 4, 32);
	memset(rs + 34, 0, 2);
	return value_of_integers(a, span_of(rs, 34), span_of(rs + 34, 34));
}

static struct span value_tail(struct arena *a, struct span item)
{
	return bits(a, join(a, (const struct span[]){span_sub(item, 3, SIZE_MAX), span_str("tail")}, 2));
}

static struct span file_tail(struct arena *a, struct span item)
{
	return join(a, (const struct span[]){item, span_of("\r\n", 2)}, 2);
}

/* Zero bits at the end cut off, as from a list of named bits. */
static struct span value_trimmed(struct arena *a, struct span item)
{
	struct span v = arena_dup(a, span_sub(item, 2, SIZE_MAX));
	uint8_t *bytes = (uint8_t *)(uintptr_t)v.ptr;

	while (bytes[v.len - 1] == 0)
		v.len--;
	while ((bytes[v.len - 1] >> bytes[0] & 1) == 0)
		bytes[0]++;
	return tlv(a, DER_BIT_STRING, v);
}

static struct span seal_of_version_1(struct arena *a, struct span item)
{
	static const struct quirk one = {"V1", 1, PLAIN, {0}, NULL};

	(void)item;
	return quirky_seal(a, &one);
}

/* All constructed values with indefinite lengths; nothing of primitive ones is touched. */
static struct span indefinite(struct arena *a, struct span item)
{
	struct span parts[ITEMS_MAX];
	size_t n;

	if ((item.ptr[0] & 0x20) == 0)
		return item;
	n = split(item, parts);
	for (size_t i = 0; i < n; i++)
		parts[i] = indefinite(a, parts[i]);
	return join(
	    a, (const struct span[]){span_of(item.ptr, 1), span_of("\x80", 1), join(a, parts, n), span_of("\0\0", 2)}, 4);
}

/* The same value with a length in three octets more than are needed. */
static struct span ber_wrapped(struct arena *a, struct span item)
{
	return tlv(a, DER_OCTET_STRING, indefinite(a, item));
}

static struct span wrapped_with_tail(struct arena *a, struct span item)
{
	return tlv(a, DER_OCTET_STRING, join(a, (const struct span[]){item, span_str("tail")}, 2));
}

/* A seal in octets that lists something constructed, of which no reading takes the parts: they end too late. */
static struct span wrapped_and_broken(struct arena *a, struct span item)
{
	enum { HEAD = 4 /* 04 82 LL LL, and the same of the certificate in it: 30 82 LL LL */ };
	struct span listed = der_of_who("samr");
	uint8_t *copy = arena_alloc(a, item.len), *cert;

	memcpy(copy, item.ptr, item.len);
	cert = memmem(copy, item.len, listed.ptr, listed.len);
	assert_non_null(cert);
	cert[-HEAD] = 0x3d;
	cert[HEAD - 1]++;
	return tlv(a, DER_OCTET_STRING, span_of(copy, item.len));
}

static struct span long_length(struct arena *a, struct span item)
{
	struct der d = der_of(item);
	struct der_item it;
	uint8_t head[6] = {0x30, 0x84};

	assert_err(der_take(&d, DER_SEQUENCE, &it), ERR_OK);
	head[4] = (uint8_t)(it.value.len >> 8);
	head[5] = (uint8_t)it.value.len;
	return join(a, (const struct span[]){span_of(head, 6), it.value}, 2);
}

/* An OCTET STRING in two parts. */
static struct span in_parts(struct arena *a, struct span item)
{
	struct span v = unwrapped(a, item);
	struct span two[] = {tlv(a, DER_OCTET_STRING, span_sub(v, 0, 100)),
	                     tlv(a, DER_OCTET_STRING, span_sub(v, 100, SIZE_MAX))};

	return tlv(a, DER_OCTET_STRING | 0x20, join(a, two, 2));
}

/* A list of digests under the number of certificates. */
static struct span as_digests(struct arena *a, struct span item)
{
	(void)item;
	return digest_list(a, LIST_SM3, der_of_who("samr"));
}

static struct span with_ext_tag(struct arena *a, struct span item)
{
	(void)item;
	return ext_list(a, EXT_PLAIN, true);
}

static struct span without_ext_tag(struct arena *a, struct span item)
{
	(void)item;
	return ext_list(a, EXT_PLAIN, false);
}

static struct span ext_in_octets(struct arena *a, struct span item)
{
	(void)item;
	return tlv(a, DER_OCTET_STRING, ext_list(a, EXT_PLAIN, false));
}

/* ---- one deviation each --------------------------------------------------------------------- */

#define AT(...)                                                                                                        \
	{                                                                                                                  \
		__VA_ARGS__, -1                                                                                                \
	}
#define WHOLE                                                                                                          \
	{                                                                                                                  \
		-1                                                                                                             \
	}
#define HEX(h) (h), NULL
#define BY(f)  NULL, (f)

static const struct quirk quirks[] = {
    {"nothing, V1", 1, KEEPS_TIME, {0}, NULL},
    {"nothing, V4", 4, KEEPS_TIME, {0}, NULL},
    {"nothing, V5", 5, KEEPS_TIME, {0}, NULL},
    /* encoding */
    {"BER throughout", 4, PLAIN, {SIG, WHOLE, BY(indefinite)}, "BER_LENGTHS"},
    {"BER throughout, V1", 1, PLAIN, {SIG, WHOLE, BY(indefinite)}, "BER_LENGTHS"},
    {"BER, DER signed", 4, PLAIN, {SIG, WHOLE, BY(indefinite)}, "BER_SIGNED_AS_DER"},
    {"BER, DER signed, V1", 1, PLAIN, {SIG, WHOLE, BY(indefinite)}, "BER_SIGNED_AS_DER"},
    {"BER signed as it is", 4, PLAIN, {TBS, WHOLE, BY(indefinite)}, "BER_SIGNED_AS_RECEIVED"},
    {"BER signed as it is, V1", 1, PLAIN, {TBS, WHOLE, BY(indefinite)}, "BER_SIGNED_AS_RECEIVED"},
    {"seal in BER signed as it is", 4, PLAIN, {INFO, WHOLE, BY(indefinite)}, "BER_SIGNED_AS_RECEIVED"},
    {"seal in BER signed as it is, V1", 1, PLAIN, {INFO, WHOLE, BY(indefinite)}, "BER_SIGNED_AS_RECEIVED"},
    {"long length", 4, PLAIN, {SIG, WHOLE, BY(long_length)}, "BER_LENGTHS"},
    {"certificate in parts", 4, PLAIN, {SIG, AT(1), BY(in_parts)}, "BER_STRINGS"},
    {"bytes behind", 4, PLAIN, {SIG, WHOLE, BY(file_tail)}, "TRAILING_BYTES"},
    {"bytes behind, V1", 1, PLAIN, {SIG, WHOLE, BY(file_tail)}, "TRAILING_BYTES"},
    /* versions */
    {"header 1 in V4", 4, PLAIN, {INFO, AT(0, 1), HEX("020101")}, "HEADER_VERSION"},
    {"header 4 in V1", 1, PLAIN, {INFO, AT(0, 1), HEX("020104")}, "HEADER_VERSION"},
    {"TBS says 1 in V4", 4, PLAIN, {TBS, AT(0), HEX("020101")}, "TBS_VERSION"},
    {"TBS says 4 in V5", 5, PLAIN, {TBS, AT(0), HEX("020104")}, "TBS_VERSION"},
    {"seal of V1 in V4", 4, PLAIN, {TBS, AT(1), BY(seal_of_version_1)}, "SEAL_VERSION_MIXED"},
    /* wrapping */
    {"seal in octets", 4, PLAIN, {TBS, AT(1), BY(time_wrapped)}, "SEAL_WRAPPED"},
    {"seal in octets, V1", 1, PLAIN, {TBS, AT(1), BY(time_wrapped)}, "SEAL_WRAPPED"},
    {"seal of BER in octets", 4, PLAIN, {TBS, AT(1), BY(ber_wrapped)}, "SEAL_WRAPPED"},
    {"BER of a seal in octets", 4, PLAIN, {TBS, AT(1), BY(ber_wrapped)}, "BER_LENGTHS"},
    {"BER of a seal in octets, V1", 1, PLAIN, {TBS, AT(1), BY(ber_wrapped)}, "BER_SIGNED_AS_DER"},
    {"signInfo in bits", 1, PLAIN, {SEAL, AT(1), BY(as_bits)}, "SIGN_INFO_WRAPPED"},
    /* texts */
    {"vendor in UTF-8", 4, PLAIN, {INFO, AT(0, 2), HEX("0c 02 595a")}, "TEXT_TYPE"},
    {"id in UTF-8", 4, PLAIN, {INFO, AT(1), HEX("0c 02 595a")}, "TEXT_TYPE"},
    {"name printable", 4, PLAIN, {INFO, AT(2, 1), HEX("13 02 595a")}, "TEXT_TYPE"},
    {"name in GBK", 4, PLAIN, {INFO, AT(2, 1), HEX("0c 02 d6d0")}, "TEXT_CHARSET"},
    {"id with high bytes", 4, PLAIN, {INFO, AT(1), HEX("16 02 d6d0")}, "TEXT_CHARSET"},
    {"scope in octets", 4, PLAIN, {TBS, AT(4), HEX("04 04 64617461")}, "TEXT_TYPE"},
    /* times */
    {"UTCTime in V4", 4, KEEPS_TIME, {TBS, AT(2), BY(as_utc)}, "TIME_TYPE"},
    {"seal's UTCTime in V4", 4, PLAIN, {INFO, AT(2, 5), BY(as_utc)}, "TIME_TYPE"},
    {"time in UTF-8", 4, KEEPS_TIME, {TBS, AT(2), BY(time_said)}, "TIME_TYPE"},
    {"time spelled", 4, KEEPS_TIME, {TBS, AT(2), BY(time_said)}, "TIME_TEXT"},
    {"time in octets", 4, KEEPS_TIME, {TBS, AT(2), BY(time_wrapped)}, "TIME_WRAPPED"},
    {"time in bits", 4, KEEPS_TIME, {TBS, AT(2), BY(time_in_bits)}, "TIME_WRAPPED"},
    {"time in octets, V1", 1, PLAIN, {TBS, AT(2), BY(time_wrapped)}, "TIME_UNREADABLE"},
    {"short year", 4, KEEPS_TIME, {TBS, AT(2), BY(time_short_year)}, "TIME_TWO_DIGIT_YEAR"},
    {"seal's short year", 4, PLAIN, {INFO, AT(2, 4), BY(time_short_year)}, "TIME_TWO_DIGIT_YEAR"},
    {"fraction", 4, KEEPS_TIME, {TBS, AT(2), BY(time_fraction)}, "TIME_FRACTION"},
    {"offset", 4, KEEPS_TIME, {TBS, AT(2), BY(time_offset)}, "TIME_OFFSET"},
    {"no zone", 4, KEEPS_TIME, {TBS, AT(2), BY(time_no_zone)}, "TIME_NO_ZONE"},
    {"ISO text, V1", 1, KEEPS_TIME, {TBS, AT(2), BY(time_iso_bits)}, "TIME_TEXT"},
    {"ISO text's fraction, V1", 1, KEEPS_TIME, {TBS, AT(2), BY(time_iso_bits)}, "TIME_FRACTION"},
    {"text, V1", 1, KEEPS_TIME, {TBS, AT(2), BY(time_plain_bits)}, "TIME_TEXT"},
    {"token, V1", 1, SOFT, {TBS, AT(2), BY(time_token_like)}, "TS_NOT_CHECKED"},
    {"no time at all, V1", 1, PLAIN, {TBS, AT(2), BY(time_garbage)}, "TIME_UNREADABLE"},
    /* digest and values */
    {"digest in octets", 4, PLAIN, {TBS, AT(3), BY(as_octets)}, "HASH_OCTETS"},
    {"digest in octets, V1", 1, PLAIN, {TBS, AT(3), BY(as_octets)}, "HASH_OCTETS"},
    {"value in octets", 4, PLAIN, {SIG, AT(3), BY(as_octets)}, "VALUE_OCTETS"},
    {"value trimmed", 4, PLAIN, {SIG, AT(3), BY(value_trimmed)}, "BITS_TRIMMED"},
    {"value raw", 4, SOFT, {SIG, AT(3), BY(value_raw)}, "VALUE_RAW"},
    {"value raw, V1", 1, SOFT, {SIG, AT(1), BY(value_raw)}, "VALUE_RAW"},
    {"seal's value raw", 4, SOFT, {SEAL, AT(3), BY(value_raw)}, "VALUE_RAW"},
    {"seal's value raw, V1", 1, SOFT, {SEAL, AT(1, 2), BY(value_raw)}, "VALUE_RAW"},
    {"value without zeros", 4, SOFT, {SIG, AT(3), BY(value_bare)}, "VALUE_NEGATIVE"},
    {"value with zeros", 4, SOFT, {SIG, AT(3), BY(value_padded)}, "VALUE_PADDED"},
    {"value with a tail", 4, SOFT, {SIG, AT(3), BY(value_tail)}, "VALUE_TRAILING"},
    /* certificates and algorithms */
    {"signer's certificate as it is", 4, PLAIN, {SIG, AT(1), BY(unwrapped)}, "CERT_RAW"},
    {"signer's certificate as it is, V1", 1, PLAIN, {TBS, AT(5), BY(unwrapped)}, "CERT_RAW"},
    {"maker's certificate as it is", 4, PLAIN, {SEAL, AT(1), BY(unwrapped)}, "CERT_RAW"},
    {"listed as it is", 4, PLAIN, {INFO, AT(2, 3), BY(raw_list)}, "CERT_RAW"},
    {"listed as it is, V1", 1, PLAIN, {INFO, AT(2, 2), BY(raw_list)}, "CERT_RAW"},
    {"one in place of the list", 4, PLAIN, {INFO, AT(2, 3), BY(bare_cert)}, "CERT_LIST_BARE"},
    {"one in place of the list, V1", 1, PLAIN, {INFO, AT(2, 2), BY(bare_cert)}, "CERT_LIST_BARE"},
    {"list type 3", 4, PLAIN, {INFO, AT(2, 2), HEX("020103")}, "CERT_LIST_TYPE"},
    {"list type of digests", 4, PLAIN, {INFO, AT(2, 2), HEX("020102")}, "CERT_LIST_TYPE"},
    {"digests as certificates", 4, PLAIN, {INFO, AT(2, 3), BY(as_digests)}, "CERT_LIST_TYPE"},
    {"no list type", 4, PLAIN, {INFO, AT(2, 2), HEX("")}, "CERT_LIST_TYPE_ABSENT"},
    {"AlgorithmIdentifier", 4, PLAIN, {SIG, AT(2), HEX("300c 0608 2a811ccf55018375 0500")}, "ALG_SEQUENCE"},
    {"AlgorithmIdentifier, V1", 1, PLAIN, {TBS, AT(6), HEX("300c 0608 2a811ccf55018375 0500")}, "ALG_SEQUENCE"},
    {"seal's AlgorithmIdentifier", 4, PLAIN, {SEAL, AT(2), HEX("300c 0608 2a811ccf55018375 0500")}, "ALG_SEQUENCE"},
    /* extensions */
    {"untagged", 4, SOFT, {TBS, AT(5), BY(without_ext_tag)}, "EXT_UNTAGGED"},
    {"tagged in the seal", 4, SOFT, {INFO, AT(4), BY(with_ext_tag)}, "EXT_TAGGED"},
    {"implicit", 4, SOFT, {TBS, AT(5), HEX("a0 0b 3009 0603 2a0304 0402 abcd")}, "EXT_IMPLICIT"},
    {"in octets", 4, PLAIN, {INFO, AT(4), BY(ext_in_octets)}, "EXT_WRAPPED"},
    {"critical FALSE", 4, SOFT, {INFO, AT(4), HEX("30 0e 300c 0603 2a0304 0101 00 0402 abcd")}, "EXT_DEFAULT_ENCODED"},
    {"audit identity",
     4,
     SOFT,
     {TBS, AT(5), HEX("a0 15 3013 3011 0608 2b06010505070104 0101 ff 0402 abcd")},
     "EXT_CRITICAL_AUDIT"},
};

/* VALUE_NEGATIVE needs a number with its first bit set, and unpadded ones must fill 32 bytes: signing again finds it.
 */
static struct span made_so(struct arena *a, const struct quirk *q, struct report **r, const struct made *m)
{
	struct span in = {0};

	for (int i = 0; i < 64; i++) {
		in = quirky(a, q);
		*r = judge_made(a, m, verify_signature, in, signed_data);
		if (q->code == NULL || find_code(*r, q->code) != NULL)
			return in;
	}
	return in;
}

static void expect_quirk(struct arena *a, const struct quirk *q)
{
	const struct made lax = {0}, strict = {.strict = true};
	const struct ses_reading none = {0};
	bool unknown_time =
	    q->code != NULL && (strcmp(q->code, "TIME_UNREADABLE") == 0 || strcmp(q->code, "TS_NOT_CHECKED") == 0);
	struct ses_signature s;
	struct report *r;
	struct span in = made_so(a, q, &r, &lax);
	enum err e;

	expect(q->name, r, unknown_time ? INDETERMINATE : TOTAL_PASSED, unknown_time ? SUB_OUT_OF_BOUNDS_NO_POE : SUB_NONE,
	       q->code != NULL ? q->code : "OK");
	assert_int_equal(r->signatures->version, q->version);
	if (q->what == KEEPS_TIME && r->signatures->signing_time / 1000 != pki.t0 / 1000)
		fail_msg("%s: the time was read as another", q->name);
	e = ses_signature_read(a, in, &none, &s, NULL);
	if (e != (q->code == NULL || q->what == SOFT ? ERR_OK : ERR_FORMAT))
		fail_msg("%s: %s without a list", q->name, err_name(e));
	if (q->code == NULL || strcmp(q->code, "TS_NOT_CHECKED") == 0)
		return;
	r = judge_made(a, &strict, verify_signature, in, signed_data);
	if (find_code(r, q->code) == NULL || r->indication != TOTAL_FAILED || r->sub != SUB_FORMAT_FAILURE) {
		print_checks(q->name, r);
		fail_msg("%s: strict accepts it", q->name);
	}
}

static void each_deviation_is_named(void **state)
{
	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
		expect_quirk(*state, &quirks[i]);
}

/* A deviation excuses nothing: with other data, or another picture, every one of them still fails. */
static void deviations_excuse_nothing(void **state)
{
	const struct made other = {.wrong_data = true}, same = {0};

	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
		struct span in = quirky(*state, &quirks[i]);
		uint8_t *copy = arena_alloc(*state, in.len);
		struct report *r = judge_made(*state, &other, verify_signature, in, signed_data);
		uint8_t *picture;

		expect(quirks[i].name, r, TOTAL_FAILED, SUB_HASH_FAILURE, "HASH_MISMATCH");
		memcpy(copy, in.ptr, in.len);
		picture = memmem(copy, in.len, "picture", 7);
		assert_non_null(picture);
		picture[0] ^= 1;
		r = judge_made(*state, &same, verify_signature, span_of(copy, in.len), signed_data);
		expect(quirks[i].name, r, TOTAL_FAILED, SUB_SIG_CRYPTO_FAILURE, "SIG_BAD");
		assert_non_null(find_code(r, "SEAL_SIG_BAD"));
	}
}

/* Nothing listed is nobody listed. */
static void what_is_no_certificate_lists_nobody(void **state)
{
	const struct quirk q = {"name in the list", 1, PLAIN, {INFO, AT(2, 2), HEX("30 03 1601 31")}, "CERT_LIST_ITEM"};
	const struct made m = {0};

	expect(q.name, judge_made(*state, &m, verify_signature, quirky(*state, &q), signed_data), TOTAL_FAILED,
	       SUB_SIG_CONSTRAINTS_FAILURE, "SIGNER_NOT_IN_SEAL");
}

/* What no reading makes sense of. */
static void broken_in_any_reading(void **state)
{
	static const struct quirk rows[] = {
	    {"header 7", 4, PLAIN, {INFO, AT(0, 1), HEX("020107")}, "UNSUPPORTED_VERSION"},
	    {"header 7, V5", 5, PLAIN, {INFO, AT(0, 1), HEX("020107")}, "UNSUPPORTED_VERSION"},
	    {"no time in the seal", 4, PLAIN, {INFO, AT(2, 4), HEX("0500")}, "FORMAT"},
	    {"month 13 in the seal", 4, PLAIN, {INFO, AT(2, 4), HEX("18 0f 3230323031333031303030303030 5a")}, "FORMAT"},
	    {"month 13 in the seal, V1", 1, PLAIN, {INFO, AT(2, 3), HEX("17 0d 323031333031303030303030 5a")}, "FORMAT"},
	    {"text after Z in the seal",
	     4,
	     PLAIN,
	     {INFO, AT(2, 4), HEX("18 10 3230323031323031303030303030 5a30")},
	     "FORMAT"},
	    {"offset of 15 hours",
	     4,
	     PLAIN,
	     {INFO, AT(2, 4), HEX("18 13 3230323031323031303030303030 2b31353030")},
	     "FORMAT"},
	    {"unused bits in the digest", 4, PLAIN, {TBS, AT(3), HEX("03 03 04 abcd")}, "FORMAT"},
	    {"eight unused bits", 4, PLAIN, {TBS, AT(3), HEX("03 02 08 ab")}, "FORMAT"},
	    {"no certificate", 4, PLAIN, {SIG, AT(1), HEX("04 00")}, "FORMAT"},
	    {"text in place of a certificate", 4, PLAIN, {SIG, AT(1), HEX("0c 01 41")}, "FORMAT"},
	    {"algorithm without OID", 4, PLAIN, {SIG, AT(2), HEX("30 02 0500")}, "FORMAT"},
	    {"picture in parts of another type", 4, PLAIN, {SIG, AT(1), HEX("24 03 0301 00")}, "FORMAT"},
	    {"ends too early", 4, PLAIN, {SIG, WHOLE, HEX("30 80 3080 0000")}, "FORMAT"},
	    {"end mark with a length", 4, PLAIN, {SIG, WHOLE, HEX("30 80 0001 00 0000")}, "FORMAT"},
	    {"indefinite primitive", 4, PLAIN, {SIG, WHOLE, HEX("30 06 0480 0000 0000")}, "FORMAT"},
	    {"five elements in V1's place", 1, PLAIN, {SIG, AT(2), HEX("0500")}, "FORMAT"},
	    {"extensions in a SET", 4, PLAIN, {TBS, AT(5), HEX("31 00")}, "FORMAT"},
	    {"empty time stamp", 4, PLAIN, {SIG, AT(4), HEX("a0 03 030100")}, "FORMAT"},
	    {"another field after it", 4, PLAIN, {SIG, AT(4), HEX("0500")}, "FORMAT"},
	    {"tail of a seal in octets", 4, PLAIN, {TBS, AT(1), BY(wrapped_with_tail)}, "FORMAT"},
	    {"list of nonsense, in octets", 4, PLAIN, {TBS, AT(1), BY(wrapped_and_broken)}, "FORMAT"},
	    {"name too long for its place", 4, PLAIN, {INFO, AT(2, 1), HEX("02 01 01")}, "FORMAT"},
	};
	const struct made m = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(rows[i].name, judge_made(*state, &m, verify_signature, quirky(*state, &rows[i]), signed_data),
		       TOTAL_FAILED, SUB_FORMAT_FAILURE, rows[i].code);
}

/* 40 levels of indefinite length, and one level of very many. */
static void nesting_is_bounded(void **state)
{
	enum { LEVELS = 40, MANY = 1 << 20 };
	const struct made m = {0};
	uint8_t *deep = arena_alloc(*state, LEVELS * 4), *wide = arena_alloc(*state, MANY + 4);

	for (size_t i = 0; i < LEVELS; i++) {
		deep[2 * i] = 0x30;
		deep[2 * i + 1] = 0x80;
	}
	wide[0] = 0x30;
	wide[1] = 0x80;
	for (size_t i = 0; i < MANY; i += 2)
		wide[2 + i] = 0x05;
	expect("deep", judge_made(*state, &m, verify_signature, span_of(deep, LEVELS * 4), signed_data), TOTAL_FAILED,
	       SUB_FORMAT_FAILURE, "FORMAT");
	expect("wide", judge_made(*state, &m, verify_signature, span_of(wide, MANY + 4), signed_data), TOTAL_FAILED,
	       SUB_FORMAT_FAILURE, "FORMAT");
}

/* ---- GM/T 0031-2025: what is asked of the maker's certificate ------------------------------- */

static void version_5_judges_the_maker_when_it_made(void **state)
{
	static const struct quirk five = {"V5", 5, PLAIN, {0}, NULL};
	static const struct quirk early = {
	    "made too early", 5, PLAIN, {INFO, AT(2, 4), HEX("18 0f 3230323030313031303030303030 5a")}, "MAKER_CERT_TIME"};
	const struct made now = {0}, later = {.at = 2000 * DAY};

	expect("good", judge_made(*state, &now, verify_seal, quirky_seal(*state, &five), signed_data), TOTAL_PASSED,
	       SUB_NONE, "OK");
	expect("ended since", judge_made(*state, &later, verify_seal, quirky_seal(*state, &five), signed_data),
	       TOTAL_PASSED, SUB_NONE, "MAKER_CERT_EXPIRED_SINCE");
	expect(early.name, judge_made(*state, &now, verify_seal, quirky_seal(*state, &early), signed_data), TOTAL_FAILED,
	       SUB_NOT_YET_VALID, "MAKER_CERT_TIME");
}

/* Revoked a day after its certificate began; the seal was made in between, or later. */
static void version_5_notes_a_later_revocation(void **state)
{
	static const struct quirk four = {"V4", 4, PLAIN, {0}, NULL}, five = {"V5", 5, PLAIN, {0}, NULL};
	const struct made now = {0};
	struct report *r;

	made_at.maker = "revoked";
	made_at.created = cert_not_before(who("revoked")->cert) + HOUR;
	r = judge_made(*state, &now, verify_seal, quirky_seal(*state, &five), signed_data);
	expect("V5, revoked later", r, TOTAL_PASSED, SUB_NONE, "MAKER_CERT_REVOKED_AFTER");
	r = judge_made(*state, &now, verify_seal, quirky_seal(*state, &four), signed_data);
	expect("V4, revoked later", r, TOTAL_FAILED, SUB_REVOKED, "MAKER_CERT_REVOKED");
	made_at.created = pki.t0 - HOUR / 2;
	r = judge_made(*state, &now, verify_seal, quirky_seal(*state, &five), signed_data);
	expect("V5, revoked before", r, TOTAL_FAILED, SUB_REVOKED, "MAKER_CERT_REVOKED");
	made_at.maker = NULL;
	made_at.created = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_deviation_is_named),
	    TEST(deviations_excuse_nothing),
	    TEST(what_is_no_certificate_lists_nobody),
	    TEST(broken_in_any_reading),
	    TEST(nesting_is_bounded),
	    TEST(version_5_judges_the_maker_when_it_made),
	    TEST(version_5_notes_a_later_revocation),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
