#include "form/ses.h"

#include "form/der.h"

/* Reading stops at the first wrong element; the note names it in the schema's spelling. */
struct reading {
	struct arena *arena;
	struct err_note *note;
};

static enum err wrong(const struct reading *rd, enum err e, const char *element)
{
	if (e == ERR_OK)
		return ERR_OK;
	if (e == ERR_TOO_LARGE)
		return err_note_set(rd->note, e, element, "%s is larger than allowed", element);
	return err_note_set(rd->note, e, element, e == ERR_FORMAT ? "%s is not as GB/T 38540 has it" : NULL, element);
}

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
static enum err check_shape(const struct reading *rd, const struct der *d, bool is_seal)
{
	const char *element = is_seal ? "SESeal" : "SES_Signature";
	size_t n = 0;
	enum err e = der_count(d, 5, &n);

	if (e != ERR_OK)
		return wrong(rd, ERR_FORMAT, element);
	if (n == 2 && der_peek(d) == DER_OID)
		return err_note_set(rd->note, ERR_FORMAT, element, "this is a SignedData (GB/T 35275), not a %s", element);
	if (n == 2)
		return refuse_version(rd, element, 1);
	if (n == 5 && is_seal)
		return refuse_version(rd, element, 5);
	return n < 4 ? wrong(rd, ERR_FORMAT, element) : ERR_OK;
}

/* ---- ExtensionDatas ------------------------------------------------------------------------- */

static enum err read_ext(const struct reading *rd, struct der *d, struct ses_ext *out)
{
	struct der in;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_oid(&in, rd->arena, &out->oid);
	if (e == ERR_OK && der_peek(&in) == DER_BOOLEAN)
		e = der_bool(&in, &out->critical);
	if (e == ERR_OK)
		e = der_octets(&in, &out->value);
	return e == ERR_OK ? der_end(&in) : e;
}

static enum err read_ext_list(const struct reading *rd, struct der d, size_t *n_out, struct ses_ext **out)
{
	struct ses_ext *list;
	size_t n = 0;
	enum err e = der_count(&d, SES_EXT_MAX, &n);

	if (e != ERR_OK)
		return e;
	list = arena_array(rd->arena, n, sizeof(*list));
	if (list == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = read_ext(rd, &d, &list[i]);
	if (e != ERR_OK)
		return e;
	*out = list;
	*n_out = n;
	return ERR_OK;
}

/* EXPLICIT [0] holds one SEQUENCE OF ExtData, IMPLICIT [0] the ExtData themselves, whose first element is an OID. */
static bool holds_ext_data(struct der d)
{
	struct der first;

	return der_enter(&d, DER_SEQUENCE, &first, NULL) == ERR_OK && der_peek(&first) == DER_OID;
}

/* Nothing, [0] EXPLICIT, [0] IMPLICIT or untagged: all are written by somebody. */
static enum err read_exts(const struct reading *rd, struct der *d, size_t *n, struct ses_ext **ext)
{
	uint8_t tag = der_peek(d);
	struct der in, list;
	enum err e;

	*n = 0;
	*ext = NULL;
	if (tag == DER_ANY)
		return ERR_OK;
	if (tag != DER_CONTEXT_0 && tag != DER_SEQUENCE)
		return ERR_FORMAT;
	e = der_enter(d, tag, &in, NULL);
	if (e != ERR_OK)
		return e;
	if (tag == DER_SEQUENCE || !der_more(&in) || holds_ext_data(in))
		return read_ext_list(rd, in, n, ext);
	e = der_enter(&in, DER_SEQUENCE, &list, NULL);
	if (e == ERR_OK)
		e = der_end(&in);
	return e == ERR_OK ? read_ext_list(rd, list, n, ext) : e;
}

/* ---- SES_SealInfo --------------------------------------------------------------------------- */

enum { TEXT_MAX = 1024, SCOPE_MAX = 4096, DIGEST_MAX = 128 };

static enum err read_header(const struct reading *rd, struct der *info, struct ses_seal *out)
{
	struct der d;
	char *magic;
	int64_t version;
	enum err e = der_enter(info, DER_SEQUENCE, &d, NULL);

	if (e == ERR_OK)
		e = der_ia5(&d, rd->arena, TEXT_MAX, &magic);
	if (e != ERR_OK || strcmp(magic, "ES") != 0)
		return wrong(rd, e != ERR_OK ? e : ERR_FORMAT, "header.ID");
	e = der_int64(&d, &version);
	if (e != ERR_OK)
		return wrong(rd, e, "header.version");
	if (version != 4)
		return refuse_version(rd, "header.version", version);
	out->version = (int)version;
	e = der_ia5(&d, rd->arena, TEXT_MAX, &out->vendor);
	if (e == ERR_OK)
		e = der_end(&d);
	return wrong(rd, e, "header.Vid");
}

/* One CertDigestObj. */
static enum err read_digest(const struct reading *rd, struct der *d, char **type, struct span *value)
{
	struct der in;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = der_printable(&in, rd->arena, TEXT_MAX, type);
	if (e == ERR_OK)
		e = der_octets(&in, value);
	if (e == ERR_OK && (value->len == 0 || value->len > DIGEST_MAX))
		e = ERR_FORMAT;
	return e == ERR_OK ? der_end(&in) : e;
}

static enum err read_list_item(const struct reading *rd, struct der *d, struct ses_seal *out, size_t i)
{
	enum err e;

	if (out->list_kind == SES_LIST_DIGESTS)
		return read_digest(rd, d, &out->digest_types[i], &out->list[i]);
	e = der_octets(d, &out->list[i]);
	return e == ERR_OK && out->list[i].len == 0 ? ERR_FORMAT : e;
}

static enum err read_cert_list(const struct reading *rd, struct der *property, struct ses_seal *out)
{
	struct der d;
	int64_t kind;
	enum err e = der_int64(property, &kind);

	if (e == ERR_OK && kind != SES_LIST_CERTS && kind != SES_LIST_DIGESTS)
		e = ERR_FORMAT;
	if (e != ERR_OK)
		return wrong(rd, e, "property.certListType");
	e = der_enter(property, DER_SEQUENCE, &d, NULL);
	if (e == ERR_OK)
		e = der_count(&d, SES_CERTS_MAX, &out->n_list);
	if (e != ERR_OK)
		return wrong(rd, e, "property.certList");
	out->list_kind = (enum ses_cert_list)kind;
	out->list = arena_array(rd->arena, out->n_list, sizeof(*out->list));
	if (kind == SES_LIST_DIGESTS)
		out->digest_types = arena_array(rd->arena, out->n_list, sizeof(*out->digest_types));
	if (out->list == NULL || (kind == SES_LIST_DIGESTS && out->digest_types == NULL))
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < out->n_list; i++)
		e = read_list_item(rd, &d, out, i);
	return wrong(rd, e, "property.certList");
}

static enum err read_property(const struct reading *rd, struct der *info, struct ses_seal *out)
{
	struct der d;
	enum err e = der_enter(info, DER_SEQUENCE, &d, NULL);

	if (e == ERR_OK)
		e = der_int64(&d, &out->type);
	if (e != ERR_OK)
		return wrong(rd, e, "property.type");
	e = der_utf8(&d, rd->arena, TEXT_MAX, &out->name);
	if (e != ERR_OK)
		return wrong(rd, e, "property.name");
	e = read_cert_list(rd, &d, out);
	if (e != ERR_OK)
		return e;
	e = der_gentime(&d, &out->created);
	if (e != ERR_OK)
		return wrong(rd, e, "property.createDate");
	e = der_gentime(&d, &out->valid_start);
	if (e != ERR_OK)
		return wrong(rd, e, "property.validStart");
	e = der_gentime(&d, &out->valid_end);
	if (e == ERR_OK)
		e = der_end(&d);
	return wrong(rd, e, "property.validEnd");
}

static enum err read_picture(const struct reading *rd, struct der *info, struct ses_seal *out)
{
	struct der d;
	enum err e = der_enter(info, DER_SEQUENCE, &d, NULL);

	if (e == ERR_OK)
		e = der_ia5(&d, rd->arena, TEXT_MAX, &out->picture_type);
	if (e != ERR_OK)
		return wrong(rd, e, "picture.type");
	e = der_octets(&d, &out->picture);
	if (e == ERR_OK && out->picture.len > SES_PICTURE_MAX)
		e = ERR_TOO_LARGE;
	if (e != ERR_OK)
		return wrong(rd, e, "picture.data");
	e = der_int64(&d, &out->picture_width);
	if (e != ERR_OK)
		return wrong(rd, e, "picture.width");
	e = der_int64(&d, &out->picture_height);
	if (e == ERR_OK)
		e = der_end(&d);
	return wrong(rd, e, "picture.height");
}

static enum err read_info(const struct reading *rd, struct der *seal, struct ses_seal *out)
{
	struct der d;
	enum err e = der_enter(seal, DER_SEQUENCE, &d, &out->info_raw);

	if (e != ERR_OK)
		return wrong(rd, e, "eSealInfo");
	e = read_header(rd, &d, out);
	if (e != ERR_OK)
		return e;
	e = der_ia5(&d, rd->arena, TEXT_MAX, &out->id);
	if (e != ERR_OK)
		return wrong(rd, e, "esID");
	e = read_property(rd, &d, out);
	if (e != ERR_OK)
		return e;
	e = read_picture(rd, &d, out);
	if (e != ERR_OK)
		return e;
	e = read_exts(rd, &d, &out->n_ext, &out->ext);
	if (e == ERR_OK)
		e = der_end(&d);
	return wrong(rd, e, "eSealInfo.extDatas");
}

/* ---- SESeal --------------------------------------------------------------------------------- */

/* certificate, algorithm, signature value: the same three in a seal and in a signature */
static enum err read_signed_by(const struct reading *rd, struct der *d, struct span *cert, char **alg,
                               struct span *value)
{
	enum err e = der_octets(d, cert);

	if (e == ERR_OK && cert->len == 0)
		e = ERR_FORMAT;
	if (e != ERR_OK)
		return wrong(rd, e, "cert");
	e = der_oid(d, rd->arena, alg);
	if (e != ERR_OK)
		return wrong(rd, e, "signatureAlgID");
	return wrong(rd, der_bits(d, value), "signature");
}

static enum err read_seal(const struct reading *rd, struct der *parent, struct ses_seal *out)
{
	struct der d;
	enum err e = der_enter(parent, DER_SEQUENCE, &d, &out->raw);

	if (e != ERR_OK)
		return wrong(rd, e, "SESeal");
	e = check_shape(rd, &d, true);
	if (e == ERR_OK)
		e = read_info(rd, &d, out);
	if (e == ERR_OK)
		e = read_signed_by(rd, &d, &out->maker_cert, &out->alg, &out->value);
	return e == ERR_OK ? wrong(rd, der_end(&d), "SESeal") : e;
}

static enum err check_input(const struct reading *rd, struct span in, const char *element)
{
	return in.len > SES_MAX ? wrong(rd, ERR_TOO_LARGE, element) : ERR_OK;
}

enum err ses_seal_parse(struct arena *a, struct span in, struct ses_seal *out, struct err_note *note)
{
	struct reading rd = {a, note};
	struct ses_seal seal = {0};
	struct der d = der_of(in);
	enum err e = check_input(&rd, in, "SESeal");

	if (e == ERR_OK)
		e = read_seal(&rd, &d, &seal);
	if (e == ERR_OK && der_more(&d))
		e = err_note_set(note, ERR_FORMAT, "SESeal", "bytes follow the seal");
	if (e == ERR_OK)
		*out = seal;
	return e;
}

/* ---- SES_Signature -------------------------------------------------------------------------- */

static enum err read_tbs(const struct reading *rd, struct der *sig, struct ses_signature *out)
{
	struct der d;
	int64_t version;
	enum err e = der_enter(sig, DER_SEQUENCE, &d, &out->tbs_raw);

	if (e == ERR_OK)
		e = der_int64(&d, &version);
	if (e != ERR_OK)
		return wrong(rd, e, "toSign.version");
	e = read_seal(rd, &d, &out->seal);
	if (e != ERR_OK)
		return e;
	if (version != out->seal.version)
		return refuse_version(rd, "toSign.version", version);
	out->version = (int)version;
	e = der_gentime(&d, &out->time);
	if (e != ERR_OK)
		return wrong(rd, e, "toSign.timeInfo");
	e = der_bits(&d, &out->data_hash);
	if (e != ERR_OK)
		return wrong(rd, e, "toSign.dataHash");
	e = der_ia5(&d, rd->arena, SCOPE_MAX, &out->property_info);
	if (e != ERR_OK)
		return wrong(rd, e, "toSign.propertyInfo");
	e = read_exts(rd, &d, &out->n_ext, &out->ext);
	if (e == ERR_OK)
		e = der_end(&d);
	return wrong(rd, e, "toSign.extDatas");
}

/* Nothing, [0] EXPLICIT BIT STRING, [0] IMPLICIT or untagged. */
static enum err read_time_stamp(struct der *d, struct span *out)
{
	struct der in;
	struct der_item it;
	enum err e;

	if (der_peek(d) == DER_ANY)
		return ERR_OK;
	if (der_peek(d) == DER_BIT_STRING)
		return der_bits(d, out);
	if (der_peek(d) == DER_CONTEXT_0_PRIMITIVE) {
		e = der_take(d, DER_CONTEXT_0_PRIMITIVE, &it);
		return e == ERR_OK ? der_bits_value(it.value, out) : e;
	}
	e = der_enter(d, DER_CONTEXT_0, &in, NULL);
	if (e == ERR_OK)
		e = der_bits(&in, out);
	return e == ERR_OK ? der_end(&in) : e;
}

static enum err read_signature(const struct reading *rd, struct der *parent, struct ses_signature *out)
{
	struct der d;
	bool stamped;
	enum err e = der_enter(parent, DER_SEQUENCE, &d, &out->raw);

	if (e != ERR_OK)
		return wrong(rd, e, "SES_Signature");
	e = check_shape(rd, &d, false);
	if (e == ERR_OK)
		e = read_tbs(rd, &d, out);
	if (e == ERR_OK)
		e = read_signed_by(rd, &d, &out->cert, &out->alg, &out->value);
	if (e != ERR_OK)
		return e;
	stamped = der_more(&d);
	e = read_time_stamp(&d, &out->time_stamp);
	if (e == ERR_OK && stamped && out->time_stamp.len == 0)
		e = ERR_FORMAT; /* an empty token would read as "no time stamp" */
	if (e == ERR_OK)
		e = der_end(&d);
	return wrong(rd, e, "timeStamp");
}

enum err ses_signature_parse(struct arena *a, struct span in, struct ses_signature *out, struct err_note *note)
{
	struct reading rd = {a, note};
	struct ses_signature sig = {0};
	struct der d = der_of(in);
	enum err e = check_input(&rd, in, "SES_Signature");

	if (e == ERR_OK)
		e = read_signature(&rd, &d, &sig);
	if (e == ERR_OK && der_more(&d))
		e = err_note_set(note, ERR_FORMAT, "SES_Signature", "bytes follow the signature");
	if (e == ERR_OK)
		*out = sig;
	return e;
}
