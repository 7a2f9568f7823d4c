/* The certificates of a seal: in the standards a list of OCTET STRINGs or of digests; in the field also as they are. */
#include "form/ses_read.h"

enum { TEXT_MAX = 1024, DIGEST_MAX = 128, CERT_ELEMENTS = 3 };

static const char where_list[] = "property.certList";

/* One CertDigestObj. */
static enum err read_digest(const struct reading *rd, struct der *d, char **type, struct span *value)
{
	struct der in;
	enum err e = der_enter(d, DER_SEQUENCE, &in, NULL);

	if (e == ERR_OK)
		e = ses_text(rd, &in, DER_PRINTABLE, TEXT_MAX, where_list, type);
	if (e == ERR_OK)
		e = der_octets(&in, value);
	if (e == ERR_OK && (value->len == 0 || value->len > DIGEST_MAX))
		e = ERR_FORMAT;
	return e == ERR_OK ? der_end(&in) : e;
}

/* Something that names no certificate (an identifier, as a stray line of GM/T 0031-2014 has it). */
static enum err read_other(const struct reading *rd, struct der *d, struct span *value)
{
	struct der_item it;
	enum err e = deviation_add(rd->list, "CERT_LIST_ITEM", where_list);

	if (e == ERR_OK)
		e = der_take(d, DER_ANY, &it);
	if (e == ERR_OK)
		*value = it.value;
	return e;
}

static enum err read_item(const struct reading *rd, struct der *d, struct ses_seal *out, size_t i)
{
	if (out->list_kind == SES_LIST_DIGESTS)
		return read_digest(rd, d, &out->digest_types[i], &out->list[i]);
	if (out->list_kind == SES_LIST_OTHER)
		return read_other(rd, d, &out->list[i]);
	return ses_cert(rd, d, where_list, &out->list[i]);
}

/* What the items are, by the first of them: a certificate begins with another SEQUENCE, a digest with its type. */
static enum ses_cert_list kind_of(struct der d)
{
	struct der in;

	if (der_peek(&d) == DER_OCTET_STRING || !der_more(&d))
		return SES_LIST_CERTS;
	if (der_enter(&d, DER_SEQUENCE, &in, NULL) != ERR_OK)
		return SES_LIST_OTHER;
	return der_peek(&in) == DER_SEQUENCE ? SES_LIST_CERTS : SES_LIST_DIGESTS;
}

/* Certificate ::= SEQUENCE { SEQUENCE, SEQUENCE, BIT STRING }: one certificate where a list should be. */
static bool is_certificate(struct der d)
{
	struct der_item it;

	for (int i = 0; i < CERT_ELEMENTS; i++) {
		if (der_take(&d, i < CERT_ELEMENTS - 1 ? DER_SEQUENCE : DER_BIT_STRING, &it) != ERR_OK)
			return false;
	}
	return !der_more(&d);
}

static enum err bare_certificate(const struct reading *rd, struct ses_seal *out, struct span raw)
{
	enum err e = deviation_add(rd->list, "CERT_LIST_BARE", where_list);

	if (e != ERR_OK)
		return e;
	out->list_kind = SES_LIST_CERTS;
	out->n_list = 1;
	out->list = arena_array(rd->arena, 1, sizeof(*out->list));
	if (out->list == NULL)
		return ERR_BUDGET;
	out->list[0] = raw;
	return ERR_OK;
}

/* The number says what the list holds; where it says something else than the list does, the list counts. */
static enum err decide_kind(const struct reading *rd, int64_t said, struct der list, struct ses_seal *out)
{
	enum ses_cert_list found = kind_of(list);

	if (rd->list == NULL) {
		out->list_kind = (enum ses_cert_list)said;
		return said == SES_LIST_CERTS || said == SES_LIST_DIGESTS ? ERR_OK : ERR_FORMAT;
	}
	out->list_kind = found;
	if ((int64_t)found == said || found == SES_LIST_OTHER || !der_more(&list))
		return ERR_OK;
	return deviation_add(rd->list, "CERT_LIST_TYPE", "property.certListType");
}

static enum err read_items(const struct reading *rd, struct der d, struct ses_seal *out)
{
	bool digests = out->list_kind == SES_LIST_DIGESTS;
	enum err e = der_count(&d, SES_CERTS_MAX, &out->n_list);

	if (e != ERR_OK)
		return e;
	out->list = arena_array(rd->arena, out->n_list, sizeof(*out->list));
	if (digests)
		out->digest_types = arena_array(rd->arena, out->n_list, sizeof(*out->digest_types));
	if (out->list == NULL || (digests && out->digest_types == NULL))
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < out->n_list; i++)
		e = read_item(rd, &d, out, i);
	return e;
}

/* Version 1 has no number; elsewhere a missing one means certificates. */
static enum err read_number(const struct reading *rd, struct der *property, bool is_v1, int64_t *said)
{
	enum err e;

	*said = SES_LIST_CERTS;
	if (is_v1)
		return ERR_OK;
	if (der_peek(property) == DER_SEQUENCE)
		return deviation_add(rd->list, "CERT_LIST_TYPE_ABSENT", "property.certListType");
	e = der_int64(property, said);
	if (e == ERR_OK && *said != SES_LIST_CERTS && *said != SES_LIST_DIGESTS)
		e = deviation_add(rd->list, "CERT_LIST_TYPE", "property.certListType");
	return e;
}

enum err ses_cert_list(const struct reading *rd, struct der *property, struct ses_seal *out)
{
	struct der d;
	struct span raw;
	int64_t said;
	enum err e = read_number(rd, property, out->version == 1, &said);

	if (e != ERR_OK)
		return ses_wrong(rd, e, "property.certListType");
	e = der_enter(property, DER_SEQUENCE, &d, &raw);
	if (e == ERR_OK && is_certificate(d))
		return ses_wrong(rd, bare_certificate(rd, out, raw), where_list);
	if (e == ERR_OK)
		e = decide_kind(rd, said, d, out);
	if (e == ERR_OK)
		e = read_items(rd, d, out);
	return ses_wrong(rd, e, where_list);
}
