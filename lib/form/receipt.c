#include "form/receipt.h"

#include <stddef.h>

#include "base/text.h"
#include "form/record.h"

enum { KEY_MATERIALS = 17, KEYS = 17, KEY_FIELDS = 9, MATERIAL_KEYS = 9, ID_LEN = 4 + 26 };

#define AT(member) offsetof(struct receipt, member)

static const struct record_element elements[] = {
    {"kind", RECORD_NUMBER, AT(kind), RECEIPT_INSPECT},
    {"id", RECORD_TEXT, AT(id), ID_LEN},
    {"time", RECORD_TIME, AT(time), 0},
    {"service", RECORD_TEXT, AT(service), RECEIPT_TEXT_MAX},
    {"org_code", RECORD_TEXT, AT(org_code), RECEIPT_TEXT_MAX},
    {"org_name", RECORD_TEXT, AT(org_name), RECEIPT_TEXT_MAX},
    {"principal", RECORD_TEXT, AT(principal), RECEIPT_TEXT_MAX},
    {"legal_basis", RECORD_TEXT, AT(legal_basis), RECEIPT_TEXT_MAX},
    {"item_code", RECORD_OPTIONAL, AT(item_code), RECEIPT_TEXT_MAX},
    {"item_name", RECORD_OPTIONAL, AT(item_name), RECEIPT_TEXT_MAX},
    {"case_digest", RECORD_DIGEST, AT(case_digest), SM3_LEN},
    {"operator_digest", RECORD_DIGEST, AT(operator_digest), SM3_LEN},
    {"purpose", RECORD_TEXT, AT(purpose), RECEIPT_PURPOSE_MAX},
    {"code_hash", RECORD_DIGEST, AT(code_hash), SM3_LEN},
    {"request_digest", RECORD_DIGEST, AT(request_digest), SM3_LEN},
    {"audit_leaf", RECORD_DIGEST, AT(audit_leaf), SHA256_LEN},
};

#undef AT
#define AT(member) offsetof(struct receipt_material, member)

static const struct record_element material_elements[] = {
    {"type_code", RECORD_TEXT, AT(type_code), RECEIPT_TEXT_MAX},
    {"name", RECORD_TEXT, AT(name), RECEIPT_TEXT_MAX},
    {"status", RECORD_NUMBER, AT(status), MATERIAL_SOURCE_UNAVAILABLE},
    {"state", RECORD_OPTIONAL, AT(state), RECEIPT_TEXT_MAX},
    {"indication", RECORD_OPTIONAL, AT(indication), RECEIPT_TEXT_MAX},
    {"source", RECORD_OPTIONAL, AT(source), RECEIPT_TEXT_MAX},
    {"source_time", RECORD_TIME, AT(source_time), 0},
    {"licence_digest", RECORD_DIGEST, AT(licence_digest), SM3_LEN},
};

enum {
	N_ELEMENTS = sizeof(elements) / sizeof(elements[0]),
	N_MATERIAL_ELEMENTS = sizeof(material_elements) / sizeof(material_elements[0])
};
_Static_assert(KEY_MATERIALS == N_ELEMENTS + 1 && KEY_FIELDS == N_MATERIAL_ELEMENTS + 1, "lists follow the table");
_Static_assert(sizeof(enum receipt_kind) == sizeof(unsigned) && sizeof(enum material_status) == sizeof(unsigned),
               "RECORD_NUMBER stores an unsigned");

const char *material_status_name(enum material_status s)
{
	switch (s) {
	case MATERIAL_FULFILLED:
		return "FULFILLED";
	case MATERIAL_MISSING:
		return "MISSING";
	case MATERIAL_NOT_VALID:
		return "NOT_VALID";
	case MATERIAL_NOT_GRANTED:
		return "NOT_GRANTED";
	case MATERIAL_SOURCE_UNAVAILABLE:
		return "SOURCE_UNAVAILABLE";
	}
	return "";
}

/* What the tables cannot say. */
static bool rules_ok(const struct receipt *r)
{
	struct span id = span_str(r->id);

	return id.len == ID_LEN && memcmp(id.ptr, "YZR-", 4) == 0 &&
	       text_only(span_sub(id, 4, ID_LEN), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") && r->time > 0 &&
	       (strcmp(r->legal_basis, "consent") == 0 || strcmp(r->legal_basis, "statutory") == 0);
}

/* ---- writer --------------------------------------------------------------------------------- */

static enum err put_material(struct buf *b, const struct receipt_material *m)
{
	enum err e;

	if (m->n_fields > RECEIPT_FIELDS_MAX)
		return ERR_TOO_LARGE;
	cbor_put_map(b, MATERIAL_KEYS);
	e = record_put(b, material_elements, N_MATERIAL_ELEMENTS, m);
	if (e != ERR_OK)
		return e;
	cbor_put_uint(b, KEY_FIELDS);
	cbor_put_array(b, m->n_fields);
	for (size_t i = 0; i < m->n_fields; i++) {
		if (!record_name_ok(m->fields[i].name, RECEIPT_TEXT_MAX))
			return ERR_FIELD_INVALID;
		cbor_put_array(b, 2);
		cbor_put_text(b, m->fields[i].name);
		cbor_put_bytes(b, span_of(m->fields[i].digest, SM3_LEN));
	}
	return ERR_OK;
}

enum err receipt_encode(struct arena *a, const struct receipt *in, struct span *out)
{
	struct buf b;
	struct span bytes;
	enum err e;

	if (in->n_materials > RECEIPT_MATERIALS_MAX)
		return ERR_TOO_LARGE;
	buf_init(&b, a);
	cbor_put_map(&b, KEYS);
	e = record_put(&b, elements, N_ELEMENTS, in);
	if (e == ERR_OK && !rules_ok(in))
		e = ERR_FIELD_INVALID;
	cbor_put_uint(&b, KEY_MATERIALS);
	cbor_put_array(&b, in->n_materials);
	for (size_t i = 0; e == ERR_OK && i < in->n_materials; i++)
		e = put_material(&b, &in->materials[i]);
	if (e == ERR_OK)
		e = buf_done(&b, &bytes);
	if (e == ERR_OK && bytes.len > RECEIPT_MAX)
		e = ERR_TOO_LARGE;
	if (e == ERR_OK)
		*out = bytes;
	return e;
}

/* ---- reader --------------------------------------------------------------------------------- */

static enum err get_field(struct cbor_reader *r, struct arena *a, struct receipt_field *f)
{
	struct span digest;
	enum err e = record_get_tuple(r, 2);

	if (e == ERR_OK)
		e = record_get_name(r, a, RECEIPT_TEXT_MAX, &f->name);
	if (e == ERR_OK)
		e = cbor_get_bytes(r, SM3_LEN, &digest);
	if (e != ERR_OK || digest.len != SM3_LEN)
		return e != ERR_OK ? e : ERR_FORMAT;
	memcpy(f->digest, digest.ptr, SM3_LEN);
	return ERR_OK;
}

static enum err get_fields(struct cbor_reader *r, struct arena *a, struct receipt_material *m)
{
	enum err e = cbor_get_key(r, KEY_FIELDS);

	if (e == ERR_OK)
		e = cbor_get_array(r, RECEIPT_FIELDS_MAX, &m->n_fields);
	if (e != ERR_OK)
		return e;
	m->fields = arena_array(a, m->n_fields, sizeof(*m->fields));
	if (m->fields == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < m->n_fields; i++)
		e = get_field(r, a, &m->fields[i]);
	return e;
}

static enum err get_head(struct cbor_reader *r, size_t keys)
{
	size_t n = 0;
	enum err e = cbor_get_map(r, keys, &n);

	return e != ERR_OK || n != keys ? ERR_FORMAT : ERR_OK;
}

static enum err named(enum err e, const char *element, struct err_note *note)
{
	return e == ERR_OK ? ERR_OK : err_note_set(note, e, element, "element %s is not as it must be", element);
}

static enum err get_materials(struct cbor_reader *r, struct arena *a, struct receipt *out, struct err_note *note)
{
	enum err e = cbor_get_key(r, KEY_MATERIALS);

	if (e == ERR_OK)
		e = cbor_get_array(r, RECEIPT_MATERIALS_MAX, &out->n_materials);
	if (e != ERR_OK)
		return named(e, "materials", note);
	out->materials = arena_array(a, out->n_materials, sizeof(*out->materials));
	if (out->materials == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < out->n_materials; i++) {
		struct receipt_material *m = &out->materials[i];

		e = get_head(r, MATERIAL_KEYS);
		if (e != ERR_OK)
			return named(e, "materials", note);
		e = record_get(r, a, material_elements, N_MATERIAL_ELEMENTS, m, note);
		if (e != ERR_OK)
			return e;
		e = get_fields(r, a, m);
		if (e != ERR_OK)
			return named(e, "fields", note);
	}
	return ERR_OK;
}

enum err receipt_parse(struct arena *a, struct span in, struct receipt *out, struct err_note *note)
{
	struct receipt rec = {0};
	struct cbor_reader r = {in};
	enum err e;

	if (in.len > RECEIPT_MAX)
		return named(ERR_TOO_LARGE, "receipt", note);
	if (get_head(&r, KEYS) != ERR_OK)
		return err_note_set(note, ERR_FORMAT, "receipt", "not a map of %d elements", KEYS);
	e = record_get(&r, a, elements, N_ELEMENTS, &rec, note);
	if (e != ERR_OK)
		return e;
	if (!rules_ok(&rec))
		return err_note_set(note, ERR_FORMAT, "receipt", "id, time or legal_basis is not as it must be");
	e = get_materials(&r, a, &rec, note);
	if (e != ERR_OK)
		return e;
	if (cbor_end(&r) != ERR_OK)
		return err_note_set(note, ERR_FORMAT, "receipt", "bytes follow the receipt");
	*out = rec;
	return ERR_OK;
}

/* ---- digests -------------------------------------------------------------------------------- */

enum err receipt_field_digest(struct span salt, const char *name, const char *value, uint8_t out[SM3_LEN])
{
	const struct span parts[] = {salt, span_str(name), span_of("", 1), span_str(value)};

	return sm3_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

enum err receipt_text_digest(struct span salt, const char *text, uint8_t out[SM3_LEN])
{
	const struct span parts[] = {salt, span_str(text)};

	return sm3_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}
