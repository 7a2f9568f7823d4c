#include "form/ses.h"

#include "form/ses_read.h"

enum { TEXT_MAX = 1024, SCOPE_MAX = 4096, HASH_LEN = 32, V1_ELEMENTS = 2, V4_ELEMENTS = 4, V5_ELEMENTS = 5 };
enum { STEPS_MAX = 4 /* from a signature to the certificate in its seal's SES_SignInfo */ };

/* One file: how it is read, and as what it came. */
struct source {
	struct reading rd;
	bool only_v4;
	bool no_tail; /* nothing may stand behind it */
	bool is_ber;
	struct span in;                  /* as received */
	const struct ses_memory *memory; /* NULL: of nothing */
};

static enum err refuse_version(const struct reading *rd, const char *element, int64_t version)
{
	if (version == 1)
		return err_note_set(rd->note, ERR_VERSION_UNSUPPORTED, element, "version 1 (GM/T 0031-2014) is not read here");
	if (version == 5)
		return err_note_set(rd->note, ERR_VERSION_UNSUPPORTED, element, "version 5 (GM/T 0031-2025) is not read here");
	return err_note_set(rd->note, ERR_VERSION_UNSUPPORTED, element, "%s %lld is not a known version", element,
	                    (long long)version);
}

/*
 * The number of elements tells the version apart: SESeal 2 is version 1, 4 is version 4 (or 5, by its header), 5 is
 * version 5; SES_Signature 2 is version 1, 4 or 5 are version 4 or 5 (by the seal's header).
 */
static enum err check_shape(const struct source *src, const struct der *d, bool is_seal, size_t *out)
{
	const char *element = is_seal ? "SESeal" : "SES_Signature";
	size_t n = 0;
	enum err e = der_count(d, V5_ELEMENTS, &n);

	if (e != ERR_OK)
		return ses_wrong(&src->rd, ERR_FORMAT, element);
	if (n == V1_ELEMENTS && der_peek(d) == DER_OID)
		return err_note_set(src->rd.note, ERR_FORMAT, element, "this is a SignedData (GB/T 35275), not a %s", element);
	if (n == V1_ELEMENTS && src->only_v4)
		return refuse_version(&src->rd, element, 1);
	if (n == V5_ELEMENTS && is_seal && src->only_v4)
		return refuse_version(&src->rd, element, 5);
	*out = n;
	return n == V1_ELEMENTS || n >= V4_ELEMENTS ? ERR_OK : ses_wrong(&src->rd, ERR_FORMAT, element);
}

/* ---- SES_SealInfo ---- */

/* out->version is 1 when the structure says so; otherwise the header tells 4 from 5. */
static enum err decide_version(const struct source *src, int64_t said, struct ses_seal *out)
{
	if (src->only_v4 && said != 4)
		return refuse_version(&src->rd, "header.version", said);
	if (out->version == 1)
		return said == 1 || said == 11 ? ERR_OK : deviation_add(src->rd.list, "HEADER_VERSION", "header.version");
	out->version = said == 5 ? 5 : 4;
	if (said == 4 || said == 5)
		return ERR_OK;
	if (said != 1 && said != 11)
		return refuse_version(&src->rd, "header.version", said);
	return deviation_add(src->rd.list, "HEADER_VERSION", "header.version");
}

static enum err read_header(const struct source *src, struct der *info, struct ses_seal *out)
{
	const struct reading *rd = &src->rd;
	struct der d;
	char *magic;
	int64_t version;
	enum err e = der_enter(info, DER_SEQUENCE, &d, NULL);

	if (e == ERR_OK)
		e = ses_text(rd, &d, DER_IA5, TEXT_MAX, "header.ID", &magic);
	if (e != ERR_OK || strcmp(magic, "ES") != 0)
		return ses_wrong(rd, e != ERR_OK ? e : ERR_FORMAT, "header.ID");
	e = der_int64(&d, &version);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "header.version");
	e = decide_version(src, version, out);
	if (e != ERR_OK)
		return e == ERR_VERSION_UNSUPPORTED ? e : ses_wrong(rd, e, "header.version");
	e = ses_text(rd, &d, DER_IA5, TEXT_MAX, "header.Vid", &out->vendor);
	if (e == ERR_OK)
		e = der_end(&d);
	return ses_wrong(rd, e, "header.Vid");
}

static enum err read_dates(const struct reading *rd, struct der *d, struct ses_seal *out)
{
	uint8_t tag = out->version == 1 ? DER_UTC_TIME : DER_GENERALIZED_TIME;
	enum err e = ses_time(rd, d, tag, "property.createDate", &out->created);

	if (e != ERR_OK)
		return ses_wrong(rd, e, "property.createDate");
	e = ses_time(rd, d, tag, "property.validStart", &out->valid_start);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "property.validStart");
	e = ses_time(rd, d, tag, "property.validEnd", &out->valid_end);
	if (e == ERR_OK)
		e = der_end(d);
	return ses_wrong(rd, e, "property.validEnd");
}

static enum err read_property(const struct reading *rd, struct der *info, struct ses_seal *out)
{
	struct der d;
	enum err e = der_enter(info, DER_SEQUENCE, &d, NULL);

	if (e == ERR_OK)
		e = der_int64(&d, &out->type);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "property.type");
	e = ses_text(rd, &d, DER_UTF8, TEXT_MAX, "property.name", &out->name);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "property.name");
	e = ses_cert_list(rd, &d, out);
	return e == ERR_OK ? read_dates(rd, &d, out) : e;
}

static enum err read_picture(const struct reading *rd, struct der *info, struct ses_seal *out)
{
	struct der d;
	enum err e = der_enter(info, DER_SEQUENCE, &d, NULL);

	if (e == ERR_OK)
		e = ses_text(rd, &d, DER_IA5, TEXT_MAX, "picture.type", &out->picture_type);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "picture.type");
	e = der_octets(&d, &out->picture);
	if (e == ERR_OK && out->picture.len > SES_PICTURE_MAX)
		e = ERR_TOO_LARGE;
	if (e != ERR_OK)
		return ses_wrong(rd, e, "picture.data");
	e = der_int64(&d, &out->picture_width);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "picture.width");
	e = der_int64(&d, &out->picture_height);
	if (e == ERR_OK)
		e = der_end(&d);
	return ses_wrong(rd, e, "picture.height");
}

static enum err read_info(const struct source *src, struct der *seal, struct ses_seal *out)
{
	const struct reading *rd = &src->rd;
	struct der d;
	enum err e = der_enter(seal, DER_SEQUENCE, &d, &out->info_raw);

	if (e != ERR_OK)
		return ses_wrong(rd, e, "eSealInfo");
	e = read_header(src, &d, out);
	if (e != ERR_OK)
		return e;
	e = ses_text(rd, &d, DER_IA5, TEXT_MAX, "esID", &out->id);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "esID");
	e = read_property(rd, &d, out);
	if (e == ERR_OK)
		e = read_picture(rd, &d, out);
	if (e != ERR_OK)
		return e;
	e = ses_exts(rd, &d, out->version == 1 ? EXT_EITHER : EXT_UNTAGGED, "eSealInfo.extDatas", &out->n_ext, &out->ext);
	if (e == ERR_OK)
		e = der_end(&d);
	return ses_wrong(rd, e, "eSealInfo.extDatas");
}

/* ---- SESeal ---- */

struct signed_by {
	struct span cert, value;
	struct span cert_raw, alg_raw; /* the elements, tag and length included */
	char *alg;
};

/* What *now has consumed of `before`. */
static struct span consumed(struct der before, const struct der *now)
{
	return span_sub(before.rest, 0, before.rest.len - now->rest.len);
}

/* certificate, algorithm */
static enum err read_cert_alg(const struct reading *rd, struct der *d, bool is_seal, struct signed_by *out)
{
	struct der before = *d;
	enum err e = ses_cert(rd, d, is_seal ? "SESeal.cert" : "SES_Signature.cert", &out->cert);

	if (e != ERR_OK)
		return ses_wrong(rd, e, "cert");
	out->cert_raw = consumed(before, d);
	before = *d;
	e = ses_alg(rd, d, is_seal ? "SESeal.signAlgID" : "SES_Signature.signatureAlgID", &out->alg);
	out->alg_raw = consumed(before, d);
	return ses_wrong(rd, e, "signatureAlgID");
}

static enum err read_value(const struct reading *rd, struct der *d, bool is_seal, struct span *out)
{
	const char *where = is_seal ? "SESeal.signedValue" : "SES_Signature.signature";

	return ses_wrong(rd, ses_bits(rd, d, 0, "VALUE_OCTETS", where, out), "signature");
}

/* certificate, algorithm, signature value: the same three in a seal and in a signature */
static enum err read_signed_by(const struct reading *rd, struct der *d, bool is_seal, struct signed_by *out)
{
	enum err e = read_cert_alg(rd, d, is_seal, out);

	return e == ERR_OK ? read_value(rd, d, is_seal, &out->value) : e;
}

/* SES_SignInfo, some time in a BIT STRING. */
static enum err read_sign_info(const struct reading *rd, struct der *seal, struct signed_by *out)
{
	struct der outer = *seal, d;
	struct span contents;
	bool wrapped = der_peek(seal) == DER_BIT_STRING;
	enum err e = ERR_OK;

	if (wrapped) {
		e = deviation_add(rd->list, "SIGN_INFO_WRAPPED", "SESeal.signInfo");
		if (e == ERR_OK)
			e = der_bits(seal, &contents);
		if (e == ERR_OK)
			outer = der_of(contents);
	}
	if (e == ERR_OK)
		e = der_enter(wrapped ? &outer : seal, DER_SEQUENCE, &d, NULL);
	if (e == ERR_OK && wrapped)
		e = der_end(&outer);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "signInfo");
	e = read_signed_by(rd, &d, true, out);
	return e == ERR_OK ? ses_wrong(rd, der_end(&d), "signInfo") : e;
}

static enum err signed_by_maker(const struct reading *rd, const struct signed_by *by, struct ses_seal *out)
{
	struct buf b;
	size_t mark;

	out->signed_raw = out->info_raw;
	if (out->version != 1)
		return ERR_OK;
	buf_init(&b, rd->arena);
	mark = der_open(&b, DER_SEQUENCE);
	buf_add(&b, out->info_raw);
	buf_add(&b, by->cert_raw);
	buf_add(&b, by->alg_raw);
	der_close(&b, mark);
	return buf_done(&b, &out->signed_raw);
}

static enum err read_seal_stamp(const struct reading *rd, struct der *d, struct ses_seal *out)
{
	enum err e = ERR_OK;

	if (der_more(d) && out->version == 4)
		e = deviation_add(rd->list, "TS_IN_V4_SEAL", "SESeal.timeStamp");
	if (e == ERR_OK)
		e = ses_time_stamp(rd, d, "SESeal.timeStamp", &out->time_stamp);
	return ses_wrong(rd, e, "SESeal.timeStamp");
}

static enum err read_seal(const struct source *src, struct der *parent, struct ses_seal *out)
{
	const struct reading *rd = &src->rd;
	struct signed_by by = {0};
	struct der d;
	size_t n = 0;
	enum err e = der_enter(parent, DER_SEQUENCE, &d, &out->raw);

	if (e != ERR_OK)
		return ses_wrong(rd, e, "SESeal");
	e = check_shape(src, &d, true, &n);
	if (e != ERR_OK)
		return e;
	out->version = n == V1_ELEMENTS ? 1 : 0;
	e = read_info(src, &d, out);
	if (e == ERR_OK)
		e = out->version == 1 ? read_sign_info(rd, &d, &by) : read_signed_by(rd, &d, true, &by);
	if (e == ERR_OK && out->version != 1)
		e = read_seal_stamp(rd, &d, out);
	if (e == ERR_OK)
		e = ses_wrong(rd, der_end(&d), "SESeal");
	if (e == ERR_OK)
		e = signed_by_maker(rd, &by, out);
	out->received = out->raw;
	out->maker_cert = by.cert;
	out->alg = by.alg;
	out->value = by.value;
	return e;
}

/* What the maker of version 1 would have signed had he signed what he wrote: the elements as received in a SEQUENCE. */
static enum err received_v1(const struct source *src, const unsigned *to_seal, size_t n, struct ses_seal *out)
{
	static const unsigned paths[3][2] = {{0}, {1, 0}, {1, 1}}; /* SES_SealInfo; cert and algorithm in SES_SignInfo */
	unsigned path[STEPS_MAX];
	struct span part;
	struct buf b;
	size_t mark;
	enum err e = ERR_OK;

	buf_init(&b, src->rd.arena);
	mark = der_open(&b, DER_SEQUENCE);
	for (size_t i = 0; e == ERR_OK && i < 3; i++) {
		size_t own = i == 0 ? 1 : 2;
		if (n != 0)
			memcpy(path, to_seal, n * sizeof(*path));
		memcpy(path + n, paths[i], own * sizeof(*path));
		e = der_received(src->in, path, n + own, &part);
		if (e == ERR_OK)
			buf_add(&b, part);
	}
	if (e == ERR_FORMAT)
		return ERR_OK; /* SIGN_INFO_WRAPPED: only the DER form remains */
	der_close(&b, mark);
	return e == ERR_OK ? buf_done(&b, &out->signed_received) : e;
}

/* The parts of a seal in BER as they came; `path` leads to the seal. */
static enum err received_seal(const struct source *src, const unsigned *path, size_t n, struct ses_seal *out)
{
	unsigned to_info[STEPS_MAX] = {0}; /* the seal's first element */
	enum err e;

	if (!src->is_ber)
		return ERR_OK;
	if (n != 0)
		memcpy(to_info, path, n * sizeof(*path));
	e = der_received(src->in, path, n, &out->received);
	if (e == ERR_OK && out->version == 1)
		e = received_v1(src, path, n, out);
	else if (e == ERR_OK)
		e = der_received(src->in, to_info, n + 1, &out->signed_received);
	return e;
}

/* ---- the outermost value ---- */

/* Its DER form, and what is behind it. */
static enum err begin(struct source *src, const char *element, struct der *d)
{
	struct span der = src->in, rest = {0};
	enum err e = src->in.len > SES_MAX ? ERR_TOO_LARGE : ERR_OK;

	if (e == ERR_OK && src->rd.list != NULL)
		e = der_normalise(src->rd.arena, src->in, src->rd.list, element, &der, &rest);
	if (e == ERR_OK && rest.len != 0)
		e = src->no_tail ? ERR_FORMAT : deviation_add(src->rd.list, "TRAILING_BYTES", element);
	if (e != ERR_OK)
		return ses_wrong(&src->rd, e, element);
	src->is_ber = der.ptr != src->in.ptr;
	*d = der_of(src->rd.list != NULL ? der : src->in);
	return ERR_OK;
}

static struct source source_of(struct arena *a, struct span in, const struct ses_reading *how, struct err_note *note)
{
	return (struct source){.rd = {a, note, how != NULL ? how->list : NULL, how != NULL ? how->zone_minutes : 0},
	                       .only_v4 = how == NULL,
	                       .in = in};
}

static enum err read_whole_seal(struct source *src, struct ses_seal *out)
{
	struct ses_seal seal = {0};
	struct der d;
	enum err e = begin(src, "SESeal", &d);

	if (e == ERR_OK)
		e = read_seal(src, &d, &seal);
	if (e == ERR_OK && der_more(&d))
		e = err_note_set(src->rd.note, ERR_FORMAT, "SESeal", "bytes follow the seal");
	if (e == ERR_OK)
		e = received_seal(src, NULL, 0, &seal);
	if (e == ERR_OK)
		*out = seal;
	return e;
}

enum err ses_seal_read(struct arena *a, struct span in, const struct ses_reading *how, struct ses_seal *out,
                       struct err_note *note)
{
	struct source src = source_of(a, in, how, note);

	src.only_v4 = false;
	return read_whole_seal(&src, out);
}

enum err ses_seal_parse(struct arena *a, struct span in, struct ses_seal *out, struct err_note *note)
{
	struct source src = source_of(a, in, NULL, note);

	return read_whole_seal(&src, out);
}

/* ---- SES_Signature ---- */

/* A seal that was read before, word for word. *found: it was. */
static enum err recall_seal(const struct source *src, struct der *tbs, struct ses_seal *out, bool *found)
{
	const struct ses_memory *m = src->memory;
	const struct ses_known *known = NULL;
	struct der look = *tbs;
	struct der_item it;
	enum err e = ERR_OK;

	if (m != NULL && !src->is_ber && der_take(&look, DER_SEQUENCE, &it) == ERR_OK)
		known = m->recall(m->arg, it.raw);
	*found = known != NULL;
	if (known == NULL)
		return ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < known->n; i++)
		e = deviation_add(src->rd.list, known->item[i].code, known->item[i].where);
	if (e != ERR_OK)
		return ses_wrong(&src->rd, e, "SESeal");
	*out = known->seal;
	out->raw = out->received = it.raw;
	*tbs = look;
	return ERR_OK;
}

/* A seal in an OCTET STRING is read as one that stands alone: what surrounds it was not looked into when the signature
 * was made DER. */
static enum err read_wrapped_seal(const struct source *src, struct der *tbs, struct ses_seal *out)
{
	struct source own = *src;
	struct der d;
	enum err e = deviation_add(src->rd.list, "SEAL_WRAPPED", "toSign.eseal");

	if (e == ERR_OK)
		e = der_octets(tbs, &own.in);
	if (e != ERR_OK)
		return ses_wrong(&src->rd, e, "SESeal");
	own.no_tail = true;
	e = begin(&own, "SESeal", &d);
	if (e == ERR_OK)
		e = read_seal(&own, &d, out);
	return e == ERR_OK ? received_seal(&own, NULL, 0, out) : e;
}

static enum err read_embedded_seal(const struct source *src, struct der *tbs, struct ses_seal *out)
{
	static const unsigned path[] = {0, 1};
	bool found;
	enum err e = recall_seal(src, tbs, out, &found);

	if (e != ERR_OK || found)
		return e;
	if (der_peek(tbs) == DER_OCTET_STRING)
		return read_wrapped_seal(src, tbs, out);
	e = read_seal(src, tbs, out);
	return e == ERR_OK ? received_seal(src, path, 2, out) : e;
}

/* A signature of version 1 holds a seal of version 1, of version 4 or 5 one of the same. */
static enum err check_versions(const struct source *src, int64_t said, struct ses_signature *out)
{
	bool is_v1 = out->version == 1;
	enum err e = ERR_OK;

	if (src->only_v4 && said != out->seal.version)
		return refuse_version(&src->rd, "toSign.version", said);
	if (is_v1 != (out->seal.version == 1))
		e = deviation_add(src->rd.list, "SEAL_VERSION_MIXED", "toSign.eseal");
	if (!is_v1)
		out->version = out->seal.version == 5 ? 5 : 4;
	if (e == ERR_OK && said != out->version && !(is_v1 && said == 11))
		e = deviation_add(src->rd.list, "TBS_VERSION", "toSign.version");
	return ses_wrong(&src->rd, e, "toSign.version");
}

static enum err read_what_is_signed(const struct reading *rd, struct der *d, struct ses_signature *out)
{
	enum err e = ses_time_info(rd, d, out->version == 1, "toSign.timeInfo", &out->time, &out->time_token);

	if (e != ERR_OK)
		return ses_wrong(rd, e, "toSign.timeInfo");
	e = ses_bits(rd, d, HASH_LEN, "HASH_OCTETS", "toSign.dataHash", &out->data_hash);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "toSign.dataHash");
	e = ses_text(rd, d, DER_IA5, SCOPE_MAX, "toSign.propertyInfo", &out->property_info);
	return ses_wrong(rd, e, "toSign.propertyInfo");
}

static enum err read_tbs(const struct source *src, struct der *sig, struct signed_by *by, struct ses_signature *out)
{
	const struct reading *rd = &src->rd;
	struct der d;
	int64_t version;
	enum err e = der_enter(sig, DER_SEQUENCE, &d, &out->tbs_raw);

	if (e == ERR_OK)
		e = der_int64(&d, &version);
	if (e != ERR_OK)
		return ses_wrong(rd, e, "toSign.version");
	e = read_embedded_seal(src, &d, &out->seal);
	if (e == ERR_OK)
		e = check_versions(src, version, out);
	if (e == ERR_OK)
		e = read_what_is_signed(rd, &d, out);
	if (e == ERR_OK && out->version == 1)
		e = read_cert_alg(rd, &d, false, by);
	if (e != ERR_OK)
		return e;
	e = ses_exts(rd, &d, EXT_TAGGED, "toSign.extDatas", &out->n_ext, &out->ext);
	if (e == ERR_OK)
		e = der_end(&d);
	return ses_wrong(rd, e, "toSign.extDatas");
}

/* What stands behind TBS_Sign. */
static enum err read_behind(const struct reading *rd, struct der *d, struct signed_by *by, struct ses_signature *out)
{
	enum err e;

	if (out->version == 1) {
		e = read_value(rd, d, false, &by->value);
		return e == ERR_OK ? ses_wrong(rd, der_end(d), "SES_Signature") : e;
	}
	e = read_signed_by(rd, d, false, by);
	if (e != ERR_OK)
		return e;
	e = ses_time_stamp(rd, d, "SES_Signature.timeStamp", &out->time_stamp);
	if (e == ERR_OK)
		e = der_end(d);
	return ses_wrong(rd, e, "timeStamp");
}

static enum err read_signature(const struct source *src, struct der *parent, struct ses_signature *out)
{
	static const unsigned path[] = {0};
	struct signed_by by = {0};
	struct der d;
	size_t n = 0;
	enum err e = der_enter(parent, DER_SEQUENCE, &d, &out->raw);

	if (e != ERR_OK)
		return ses_wrong(&src->rd, e, "SES_Signature");
	e = check_shape(src, &d, false, &n);
	if (e != ERR_OK)
		return e;
	out->version = n == V1_ELEMENTS ? 1 : 0;
	e = read_tbs(src, &d, &by, out);
	if (e == ERR_OK)
		e = read_behind(&src->rd, &d, &by, out);
	if (e == ERR_OK && src->is_ber)
		e = der_received(src->in, path, 1, &out->tbs_received);
	out->cert = by.cert;
	out->alg = by.alg;
	out->value = by.value;
	return e;
}

static enum err read_whole_signature(struct source *src, struct ses_signature *out)
{
	struct ses_signature sig = {0};
	struct der d;
	enum err e = begin(src, "SES_Signature", &d);

	if (e == ERR_OK)
		e = read_signature(src, &d, &sig);
	if (e == ERR_OK && der_more(&d))
		e = err_note_set(src->rd.note, ERR_FORMAT, "SES_Signature", "bytes follow the signature");
	if (e == ERR_OK)
		*out = sig;
	return e;
}

enum err ses_signature_recall(struct arena *a, struct span in, const struct ses_reading *how,
                              const struct ses_memory *memory, struct ses_signature *out, struct err_note *note)
{
	struct source src = source_of(a, in, how, note);

	src.only_v4 = false;
	src.memory = memory;
	return read_whole_signature(&src, out);
}

enum err ses_signature_read(struct arena *a, struct span in, const struct ses_reading *how, struct ses_signature *out,
                            struct err_note *note)
{
	return ses_signature_recall(a, in, how, NULL, out, note);
}

enum err ses_signature_parse(struct arena *a, struct span in, struct ses_signature *out, struct err_note *note)
{
	struct source src = source_of(a, in, NULL, note);

	return read_whole_signature(&src, out);
}
