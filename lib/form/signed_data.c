#include "form/signed_data.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>

enum {
	TAG_SET = 0x31,
	TAG_CONTEXT_1 = 0xa1,
	LOOK_MAX = 32, /* bytes that tell a SignedData */
	HALF_MAX = 67  /* a number of 521 bits, the largest curve, and its sign */
};

#define OID_CONTENT_TYPE     "1.2.840.113549.1.9.3"
#define OID_MESSAGE_DIGEST   "1.2.840.113549.1.9.4"
#define OID_SIGNING_TIME     "1.2.840.113549.1.9.5"
#define OID_SIGNING_CERT     "1.2.840.113549.1.9.16.2.12"
#define OID_SIGNING_CERT_V2  "1.2.840.113549.1.9.16.2.47"
#define OID_TIME_STAMP_TOKEN "1.2.840.113549.1.9.16.2.14"
#define OID_RI_OCSP          "1.3.6.1.5.5.7.16.2"
#define OID_SHA1             "1.3.14.3.2.26"
#define OID_SHA256           "2.16.840.1.101.3.4.2.1"

struct reading {
	struct arena *arena;
	struct deviations *dev;
	struct err_note *note;
};

static enum err wrong(const struct reading *rd, enum err e, const char *element)
{
	if (e == ERR_FORMAT)
		return err_note_set(rd->note, e, element, "%s is not as SignedData has it", element);
	if (e == ERR_TOO_LARGE)
		return err_note_set(rd->note, e, element, "%s is larger than allowed", element);
	return e;
}

/* AlgorithmIdentifier; parameters are left aside: those of all algorithms read here say nothing. */
static enum err read_algorithm(const struct reading *rd, struct der *d, const char **out)
{
	struct der in;
	struct der_item params;
	char *oid = NULL;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_oid(&in, rd->arena, &oid);
	if (e == ERR_OK && der_more(&in))
		e = der_take(&in, DER_ANY, &params);
	if (e == ERR_OK)
		e = der_end(&in);
	if (e == ERR_OK)
		*out = oid;
	return e;
}

/* ---- attributes ---- */

static bool digits_only(struct span s)
{
	return text_only(s, "0123456789");
}

static int two_digits(struct span s, size_t at)
{
	return (s.ptr[at] - '0') * 10 + (s.ptr[at + 1] - '0');
}

/* UTCTime, YYMMDDHHMMSSZ: 1950 to 2049. */
static enum err read_utc_time(struct der *d, int64_t *ms)
{
	struct der_item it;
	struct span s;
	int year;
	enum err e = der_take(d, DER_UTC_TIME, &it);

	if (e != ERR_OK)
		return e;
	s = it.value;
	if (s.len != 13 || s.ptr[12] != 'Z' || !digits_only(span_sub(s, 0, 12)))
		return ERR_FORMAT;
	year = two_digits(s, 0);
	year += year < 50 ? 2000 : 1900;
	return time_from_parts(year, two_digits(s, 2), two_digits(s, 4), two_digits(s, 6), two_digits(s, 8),
	                       two_digits(s, 10), ms) == ERR_OK
	           ? ERR_OK
	           : ERR_FORMAT;
}

static enum err read_time(struct der *d, int64_t *ms)
{
	return der_peek(d) == DER_UTC_TIME ? read_utc_time(d, ms) : der_gentime(d, ms);
}

/* SigningCertificate and its second version: the first ESSCertID is the signer's. */
static enum err read_signing_cert(const struct reading *rd, struct der *d, bool v2, struct signer_info *s)
{
	struct der whole, list, id;
	const char *alg = v2 ? OID_SHA256 : OID_SHA1;
	enum err e = der_enter(d, DER_SEQUENCE, &whole, NULL);

	if (e == ERR_OK)
		e = der_enter(&whole, DER_SEQUENCE, &list, NULL);
	if (e == ERR_OK)
		e = der_enter(&list, DER_SEQUENCE, &id, NULL);
	if (e == ERR_OK && v2 && der_peek(&id) == DER_SEQUENCE)
		e = read_algorithm(rd, &id, &alg);
	if (e != ERR_OK)
		return e;
	s->cert_hash_alg = alg;
	e = der_octets(&id, &s->cert_hash);
	return e == ERR_OK && s->cert_hash.len == 0 ? ERR_FORMAT : e;
}

/* The one value of an attribute that is known here. *d holds the values. */
static enum err read_signed_value(const struct reading *rd, const char *oid, struct der *d, struct signer_info *s)
{
	char *type = NULL;
	enum err e;

	if (strcmp(oid, OID_CONTENT_TYPE) == 0) {
		if (s->content_type != NULL)
			return ERR_FORMAT;
		e = der_oid(d, rd->arena, &type);
		s->content_type = type;
		return e;
	}
	if (strcmp(oid, OID_MESSAGE_DIGEST) == 0)
		return s->digest.ptr != NULL ? ERR_FORMAT : der_octets(d, &s->digest);
	if (strcmp(oid, OID_SIGNING_TIME) == 0)
		return s->time != 0 ? ERR_FORMAT : read_time(d, &s->time);
	/* Both versions may stand side by side; the second one counts, its digest is the better one. */
	if (strcmp(oid, OID_SIGNING_CERT) == 0 && s->cert_hash.len != 0)
		d->rest = span_of(NULL, 0);
	else
		return read_signing_cert(rd, d, strcmp(oid, OID_SIGNING_CERT_V2) == 0, s);
	return ERR_OK;
}

static bool is_signed_attr(const char *oid)
{
	return strcmp(oid, OID_CONTENT_TYPE) == 0 || strcmp(oid, OID_MESSAGE_DIGEST) == 0 ||
	       strcmp(oid, OID_SIGNING_TIME) == 0 || strcmp(oid, OID_SIGNING_CERT) == 0 ||
	       strcmp(oid, OID_SIGNING_CERT_V2) == 0;
}

static enum err read_attr(const struct reading *rd, struct der *d, bool is_signed, struct signer_info *s)
{
	struct der attr, values;
	struct der_item token;
	char *oid = NULL;
	enum err e = der_enter(d, DER_SEQUENCE, &attr, NULL);

	if (e == ERR_OK)
		e = der_oid(&attr, rd->arena, &oid);
	if (e == ERR_OK)
		e = der_enter(&attr, TAG_SET, &values, NULL);
	if (e == ERR_OK)
		e = der_end(&attr);
	if (e != ERR_OK)
		return e;
	if (is_signed && is_signed_attr(oid)) {
		e = read_signed_value(rd, oid, &values, s);
		return e == ERR_OK ? der_end(&values) : e;
	}
	if (is_signed || strcmp(oid, OID_TIME_STAMP_TOKEN) != 0 || s->time_stamp.len != 0)
		return ERR_OK;
	e = der_take(&values, DER_SEQUENCE, &token);
	if (e == ERR_OK)
		s->time_stamp = token.raw;
	return e;
}

/* As DER orders a SET OF: byte by byte; the shorter one first when it begins the longer one. */
static int compare_elements(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int c = n != 0 ? memcmp(x->ptr, y->ptr, n) : 0;

	if (c != 0)
		return c;
	return (x->len > y->len) - (x->len < y->len);
}

static enum err read_attrs(const struct reading *rd, struct der *d, uint8_t tag, struct signer_info *s)
{
	struct der in;
	struct span before = {NULL, 0};
	bool is_signed = tag == DER_CONTEXT_0;
	size_t n = 0;
	enum err e = der_enter(d, tag, &in, NULL);

	if (e == ERR_OK)
		e = der_count(&in, SIGNED_DATA_ATTRS_MAX, &n);
	if (e != ERR_OK)
		return e;
	if (is_signed) {
		s->has_attrs = true;
		s->attrs = in.rest;
		s->attrs_sorted = true;
	}
	while (e == ERR_OK && der_more(&in)) {
		const uint8_t *start = in.rest.ptr;
		struct span now;

		e = read_attr(rd, &in, is_signed, s);
		if (e != ERR_OK)
			break;
		now = span_of(start, (size_t)(in.rest.ptr - start));
		if (is_signed && before.len != 0 && compare_elements(&before, &now) > 0)
			s->attrs_sorted = false;
		before = now;
	}
	return e;
}

static void put_set(struct buf *b, const struct span *list, size_t n)
{
	size_t mark = der_open(b, TAG_SET);

	for (size_t i = 0; i < n; i++)
		buf_add(b, list[i]);
	der_close(b, mark);
}

enum err signer_info_attrs(struct arena *a, const struct signer_info *s, bool sorted, struct span *out)
{
	struct span list[SIGNED_DATA_ATTRS_MAX];
	struct der d = der_of(s->attrs);
	struct buf b;
	size_t n = 0;

	buf_init(&b, a);
	if (!sorted) {
		put_set(&b, &s->attrs, 1);
		return buf_done(&b, out);
	}
	while (der_more(&d)) {
		struct der_item it;
		enum err e = n < SIGNED_DATA_ATTRS_MAX ? der_take(&d, DER_ANY, &it) : ERR_TOO_LARGE;

		if (e != ERR_OK)
			return e;
		list[n++] = it.raw;
	}
	qsort(list, n, sizeof(list[0]), compare_elements);
	put_set(&b, list, n);
	return buf_done(&b, out);
}

/* ---- SignerInfo ---- */

static enum err read_signer_id(struct der *d, struct signer_info *s)
{
	struct der in;
	struct der_item it;
	enum err e;

	if (der_peek(d) == DER_CONTEXT_0_PRIMITIVE) {
		e = der_take(d, DER_CONTEXT_0_PRIMITIVE, &it);
		if (e == ERR_OK)
			s->key_id = it.value;
		return e == ERR_OK && it.value.len == 0 ? ERR_FORMAT : e;
	}
	e = der_enter(d, DER_SEQUENCE, &in, NULL);
	if (e == ERR_OK)
		e = der_take(&in, DER_SEQUENCE, &it);
	if (e != ERR_OK)
		return e;
	s->issuer = it.raw;
	e = der_take(&in, DER_INTEGER, &it);
	if (e != ERR_OK)
		return e;
	s->serial = it.raw;
	return der_end(&in);
}

static enum err read_signer(const struct reading *rd, struct der *d, struct signer_info *s)
{
	struct der in;
	int64_t version;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_int64(&in, &version);
	if (e != ERR_OK || version < 0 || version > 5)
		return wrong(rd, e != ERR_OK ? e : ERR_FORMAT, "SignerInfo.version");
	e = read_signer_id(&in, s);
	if (e != ERR_OK)
		return wrong(rd, e, "SignerInfo.sid");
	e = read_algorithm(rd, &in, &s->digest_alg);
	if (e == ERR_OK && der_peek(&in) == DER_CONTEXT_0)
		e = wrong(rd, read_attrs(rd, &in, DER_CONTEXT_0, s), "SignerInfo.signedAttrs");
	if (e == ERR_OK)
		e = read_algorithm(rd, &in, &s->signature_alg);
	if (e == ERR_OK)
		e = der_octets(&in, &s->value);
	if (e == ERR_OK && der_peek(&in) == TAG_CONTEXT_1)
		e = wrong(rd, read_attrs(rd, &in, TAG_CONTEXT_1, s), "SignerInfo.unsignedAttrs");
	if (e == ERR_OK)
		e = der_end(&in);
	return rd->note->code != ERR_OK ? e : wrong(rd, e, "SignerInfo");
}

static enum err read_signers(const struct reading *rd, struct der *d, struct signed_data *out)
{
	struct der in;
	enum err e = der_enter(d, TAG_SET, &in, NULL);

	if (e == ERR_OK)
		e = der_count(&in, SIGNED_DATA_SIGNERS_MAX, &out->n_signers);
	if (e != ERR_OK)
		return wrong(rd, e, "SignedData.signerInfos");
	for (size_t i = 0; e == ERR_OK && i < out->n_signers; i++)
		e = read_signer(rd, &in, &out->signers[i]);
	return e;
}

/* ---- SignedData ---- */

/* Certificates are SEQUENCEs; what is tagged is of a kind that is not read here. */
static enum err read_certs(struct der *d, struct signed_data *out)
{
	struct der in;
	struct der_item it;
	enum err e = der_enter(d, DER_CONTEXT_0, &in, NULL);

	while (e == ERR_OK && der_more(&in)) {
		e = der_take(&in, DER_ANY, &it);
		if (e != ERR_OK || it.tag != DER_SEQUENCE)
			continue;
		if (out->n_certs == SIGNED_DATA_CERTS_MAX)
			return ERR_TOO_LARGE;
		out->certs[out->n_certs++] = it.raw;
	}
	return e;
}

/* OtherRevocationInfoFormat: SEQUENCE under [1] IMPLICIT. */
static enum err read_other_revocation(const struct reading *rd, struct span contents, struct signed_data *out)
{
	struct der d = der_of(contents);
	struct der_item it;
	char *oid = NULL;
	enum err e = der_oid(&d, rd->arena, &oid);

	if (e == ERR_OK)
		e = der_take(&d, DER_ANY, &it);
	if (e != ERR_OK || strcmp(oid, OID_RI_OCSP) != 0)
		return e;
	if (out->n_ocsps == SIGNED_DATA_CRLS_MAX)
		return ERR_TOO_LARGE;
	out->ocsps[out->n_ocsps++] = it.raw;
	return ERR_OK;
}

static enum err read_revocation(const struct reading *rd, struct der *d, struct signed_data *out)
{
	struct der in;
	struct der_item it;
	enum err e = der_enter(d, TAG_CONTEXT_1, &in, NULL);

	while (e == ERR_OK && der_more(&in)) {
		e = der_take(&in, DER_ANY, &it);
		if (e == ERR_OK && it.tag == TAG_CONTEXT_1) {
			e = read_other_revocation(rd, it.value, out);
		} else if (e == ERR_OK && it.tag == DER_SEQUENCE) {
			if (out->n_crls == SIGNED_DATA_CRLS_MAX)
				return ERR_TOO_LARGE;
			out->crls[out->n_crls++] = it.raw;
		}
	}
	return e;
}

/* An OCTET STRING in CMS and GB/T 35275; in PKCS#7 any element, whose contents are digested. */
static enum err read_content(const struct reading *rd, struct der *d, struct signed_data *out)
{
	struct der in, explicit;
	struct der_item it;
	char *type = NULL;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_oid(&in, rd->arena, &type);
	if (e != ERR_OK)
		return e;
	out->content_type = type;
	if (!der_more(&in))
		return ERR_OK;
	e = der_enter(&in, DER_CONTEXT_0, &explicit, NULL);
	if (e == ERR_OK)
		e = der_end(&in);
	if (e == ERR_OK)
		e = der_take(&explicit, DER_ANY, &it);
	if (e == ERR_OK)
		e = der_end(&explicit);
	if (e != ERR_OK)
		return e;
	out->has_content = true;
	out->content = it.value;
	return it.tag == DER_OCTET_STRING ? ERR_OK : deviation_add(rd->dev, "CONTENT_NOT_OCTETS", "SignedData.content");
}

static enum err read_signed_data(const struct reading *rd, struct der *d, struct signed_data *out)
{
	struct der in;
	struct der_item digests;
	int64_t version;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_int64(&in, &version);
	if (e != ERR_OK || version < 0 || version > 5)
		return wrong(rd, e != ERR_OK ? e : ERR_FORMAT, "SignedData.version");
	e = der_take(&in, TAG_SET, &digests);
	if (e != ERR_OK)
		return wrong(rd, e, "SignedData.digestAlgorithms");
	e = read_content(rd, &in, out);
	if (e != ERR_OK)
		return wrong(rd, e, "SignedData.content");
	if (der_peek(&in) == DER_CONTEXT_0)
		e = wrong(rd, read_certs(&in, out), "SignedData.certificates");
	if (e == ERR_OK && der_peek(&in) == TAG_CONTEXT_1)
		e = wrong(rd, read_revocation(rd, &in, out), "SignedData.crls");
	if (e == ERR_OK)
		e = read_signers(rd, &in, out);
	return e == ERR_OK ? wrong(rd, der_end(&in), "SignedData") : e;
}

static bool is_container(const char *oid)
{
	return strcmp(oid, OID_GM_SIGNED_DATA) == 0 || strcmp(oid, OID_P7_SIGNED_DATA) == 0;
}

bool signed_data_starts(struct span in)
{
	static const uint8_t gm[] = {0x06, 0x0a, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x06, 0x01, 0x04, 0x02, 0x02};
	static const uint8_t p7[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
	size_t octets;

	if (in.len < 2 || in.ptr[0] != DER_SEQUENCE)
		return false;
	octets = in.ptr[1] >= 0x80 ? in.ptr[1] & 0x7fu : 0;
	if (octets > LOOK_MAX)
		return false;
	in = span_sub(in, 2 + octets, LOOK_MAX);
	return span_eq(span_sub(in, 0, sizeof(gm)), span_of(gm, sizeof(gm))) ||
	       span_eq(span_sub(in, 0, sizeof(p7)), span_of(p7, sizeof(p7)));
}

bool signature_value_starts(struct span in)
{
	struct der d = der_of(in), s;
	struct der_item r, t;

	return der_enter(&d, DER_SEQUENCE, &s, NULL) == ERR_OK && der_take(&s, DER_INTEGER, &r) == ERR_OK &&
	       der_take(&s, DER_INTEGER, &t) == ERR_OK && !der_more(&s) && !der_more(&d) && r.value.len <= HALF_MAX &&
	       t.value.len <= HALF_MAX;
}

static enum err read_container(const struct reading *rd, struct span in, struct signed_data *out)
{
	struct der d, info, explicit;
	struct span rest;
	char *oid = NULL;
	enum err e = der_normalise(rd->arena, in, rd->dev, "SignedData", &in, &rest);

	if (e == ERR_OK && rest.len != 0)
		e = deviation_add(rd->dev, "TRAILING_BYTES", "SignedData");
	d = der_of(in);
	if (e == ERR_OK)
		e = der_enter(&d, DER_SEQUENCE, &info, NULL);
	if (e == ERR_OK)
		e = der_oid(&info, rd->arena, &oid);
	if (e == ERR_OK && !is_container(oid))
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = der_enter(&info, DER_CONTEXT_0, &explicit, NULL);
	if (e == ERR_OK)
		e = der_end(&info);
	if (e != ERR_OK)
		return wrong(rd, e, "ContentInfo");
	out->container = oid;
	e = read_signed_data(rd, &explicit, out);
	return e == ERR_OK ? wrong(rd, der_end(&explicit), "ContentInfo") : e;
}

enum err signed_data_parse(struct arena *a, struct span in, struct deviations *dev, struct signed_data *out,
                           struct err_note *note)
{
	struct err_note own = {0};
	struct reading rd = {.arena = a, .dev = dev, .note = note != NULL ? note : &own};
	struct signed_data *sd = arena_alloc(a, sizeof(*sd));
	enum err e;

	if (sd == NULL)
		return ERR_BUDGET;
	if (in.len > SIGNED_DATA_MAX)
		return wrong(&rd, ERR_TOO_LARGE, "SignedData");
	rd.note->code = ERR_OK;
	e = read_container(&rd, in, sd);
	if (e == ERR_OK)
		*out = *sd;
	return e;
}
