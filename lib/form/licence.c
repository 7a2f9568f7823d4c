#include "form/licence.h"

#include <stddef.h>

#include "form/record.h"
#include "form/ses.h"

enum { CODE_MAX = 64, KEY_HOLDERS = 14, KEY_FIELDS = 15, KEYS = 15, FILE_VERSION = 1 };

#define AT(member) offsetof(struct licence_record, member)

static const struct record_element elements[] = {
    {"id", RECORD_TEXT, AT(id), LICENCE_ID_MAX},
    {"type_code", RECORD_TEXT, AT(type_code), CODE_MAX},
    {"type_name", RECORD_TEXT, AT(type_name), LICENCE_NAME_MAX},
    {"number", RECORD_TEXT, AT(number), LICENCE_NAME_MAX},
    {"version", RECORD_NUMBER, AT(version), 999},
    {"issuer_code", RECORD_TEXT, AT(issuer_code), CODE_MAX},
    {"issuer_name", RECORD_TEXT, AT(issuer_name), LICENCE_NAME_MAX},
    {"definer_code", RECORD_TEXT, AT(definer_code), CODE_MAX},
    {"issued", RECORD_TIME, AT(issued), 0},
    {"valid_from", RECORD_TIME, AT(valid_from), 0},
    {"valid_to", RECORD_TIME, AT(valid_to), 0},
    {"area_code", RECORD_OPTIONAL, AT(area_code), CODE_MAX},
    {"previous_id", RECORD_OPTIONAL, AT(previous_id), LICENCE_ID_MAX},
};

enum { N_ELEMENTS = sizeof(elements) / sizeof(elements[0]) };
_Static_assert(KEY_HOLDERS == N_ELEMENTS + 1 && KEY_FIELDS == KEYS, "lists follow the table");

/* ---- writer --------------------------------------------------------------------------------- */

static enum err put_holders(struct buf *b, const struct licence_record *in)
{
	cbor_put_uint(b, KEY_HOLDERS);
	cbor_put_array(b, in->n_holders);
	for (size_t i = 0; i < in->n_holders; i++) {
		const struct licence_holder *h = &in->holders[i];

		if (!record_name_ok(h->name, LICENCE_NAME_MAX) || !record_name_ok(h->code_type, CODE_MAX) ||
		    !record_name_ok(h->code, CODE_MAX))
			return ERR_FIELD_INVALID;
		cbor_put_array(b, 3);
		cbor_put_text(b, h->name);
		cbor_put_text(b, h->code_type);
		cbor_put_text(b, h->code);
	}
	return ERR_OK;
}

/* The field's name must differ from those before it. */
static bool name_is_new(const struct licence_field *fields, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(fields[k].name, fields[i].name) == 0)
			return false;
	}
	return true;
}

static enum err put_fields(struct buf *b, const struct licence_record *in)
{
	cbor_put_uint(b, KEY_FIELDS);
	cbor_put_array(b, in->n_fields);
	for (size_t i = 0; i < in->n_fields; i++) {
		const struct licence_field *f = &in->fields[i];

		if (!record_name_ok(f->name, LICENCE_NAME_MAX) || !record_name_ok(f->value, LICENCE_VALUE_MAX) ||
		    !name_is_new(in->fields, i))
			return ERR_FIELD_INVALID;
		cbor_put_array(b, 2);
		cbor_put_text(b, f->name);
		cbor_put_text(b, f->value);
	}
	return ERR_OK;
}

static bool times_ok(const struct licence_record *r)
{
	return r->issued != 0 && r->valid_from != 0 && (r->valid_to == 0 || r->valid_to >= r->valid_from);
}

enum err licence_record_encode(struct arena *a, const struct licence_record *in, struct span *out)
{
	struct buf b;
	struct span bytes;
	enum err e;

	if (in->n_holders > LICENCE_HOLDERS_MAX || in->n_fields > LICENCE_FIELDS_MAX)
		return ERR_TOO_LARGE;
	if (in->n_holders == 0 || !times_ok(in))
		return ERR_FIELD_INVALID;
	buf_init(&b, a);
	cbor_put_map(&b, KEYS);
	e = record_put(&b, elements, N_ELEMENTS, in);
	if (e == ERR_OK)
		e = put_holders(&b, in);
	if (e == ERR_OK)
		e = put_fields(&b, in);
	if (e == ERR_OK)
		e = buf_done(&b, &bytes);
	if (e == ERR_OK && bytes.len > LICENCE_RECORD_MAX)
		e = ERR_TOO_LARGE;
	if (e == ERR_OK)
		*out = bytes;
	return e;
}

/* ---- reader --------------------------------------------------------------------------------- */

static enum err get_holder(struct cbor_reader *r, struct arena *a, struct licence_holder *h)
{
	enum err e = record_get_tuple(r, 3);

	if (e == ERR_OK)
		e = record_get_name(r, a, LICENCE_NAME_MAX, &h->name);
	if (e == ERR_OK)
		e = record_get_name(r, a, CODE_MAX, &h->code_type);
	return e == ERR_OK ? record_get_name(r, a, CODE_MAX, &h->code) : e;
}

static enum err get_holders(struct cbor_reader *r, struct arena *a, struct licence_record *out)
{
	enum err e = cbor_get_key(r, KEY_HOLDERS);

	if (e == ERR_OK)
		e = cbor_get_array(r, LICENCE_HOLDERS_MAX, &out->n_holders);
	if (e != ERR_OK || out->n_holders == 0)
		return e != ERR_OK ? e : ERR_FORMAT;
	out->holders = arena_array(a, out->n_holders, sizeof(*out->holders));
	if (out->holders == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < out->n_holders; i++)
		e = get_holder(r, a, &out->holders[i]);
	return e;
}

static enum err get_field(struct cbor_reader *r, struct arena *a, struct licence_field *fields, size_t i)
{
	enum err e = record_get_tuple(r, 2);

	if (e == ERR_OK)
		e = record_get_name(r, a, LICENCE_NAME_MAX, &fields[i].name);
	if (e == ERR_OK)
		e = record_get_name(r, a, LICENCE_VALUE_MAX, &fields[i].value);
	return e == ERR_OK && !name_is_new(fields, i) ? ERR_FORMAT : e;
}

static enum err get_fields(struct cbor_reader *r, struct arena *a, struct licence_record *out)
{
	enum err e = cbor_get_key(r, KEY_FIELDS);

	if (e == ERR_OK)
		e = cbor_get_array(r, LICENCE_FIELDS_MAX, &out->n_fields);
	if (e != ERR_OK)
		return e;
	out->fields = arena_array(a, out->n_fields, sizeof(*out->fields));
	if (out->fields == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < out->n_fields; i++)
		e = get_field(r, a, out->fields, i);
	return e;
}

static enum err named(enum err e, const char *element, struct err_note *note)
{
	return e == ERR_OK ? ERR_OK : err_note_set(note, e, element, "element %s is not as it must be", element);
}

enum err licence_record_parse(struct arena *a, struct span in, struct licence_record *out, struct err_note *note)
{
	struct licence_record rec = {0};
	struct cbor_reader r = {in};
	size_t keys = 0;
	enum err e;

	if (in.len > LICENCE_RECORD_MAX)
		return named(ERR_TOO_LARGE, "record", note);
	e = cbor_get_map(&r, KEYS, &keys);
	if (e != ERR_OK || keys != KEYS)
		return err_note_set(note, ERR_FORMAT, "record", "not a map of %d elements", KEYS);
	e = record_get(&r, a, elements, N_ELEMENTS, &rec, note);
	if (e != ERR_OK)
		return e;
	if (!times_ok(&rec))
		return named(ERR_FORMAT, "valid_to", note);
	e = get_holders(&r, a, &rec);
	if (e != ERR_OK)
		return named(e, "holders", note);
	e = get_fields(&r, a, &rec);
	if (e != ERR_OK)
		return named(e, "fields", note);
	if (cbor_end(&r) != ERR_OK)
		return err_note_set(note, ERR_FORMAT, "record", "bytes follow the record");
	*out = rec;
	return ERR_OK;
}

const char *licence_field_value(const struct licence_record *r, const char *name)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		if (strcmp(r->fields[i].name, name) == 0)
			return r->fields[i].value;
	}
	return NULL;
}

/* ---- licence file --------------------------------------------------------------------------- */

enum err licence_file_encode(struct arena *a, struct span record, struct span signature, struct span *out)
{
	struct buf b;

	if (record.len == 0 || signature.len == 0)
		return ERR_FIELD_INVALID;
	if (record.len > LICENCE_RECORD_MAX || signature.len > SES_MAX)
		return ERR_TOO_LARGE;
	buf_init(&b, a);
	cbor_put_array(&b, 4);
	cbor_put_text(&b, LICENCE_FILE_MAGIC);
	cbor_put_uint(&b, FILE_VERSION);
	cbor_put_bytes(&b, record);
	cbor_put_bytes(&b, signature);
	return buf_done(&b, out);
}

enum err licence_file_parse(struct span in, struct span *record, struct span *signature)
{
	struct cbor_reader r = {in};
	struct span magic, rec, sig;
	enum err e = record_get_tuple(&r, 4);

	if (e == ERR_OK)
		e = cbor_get_text_view(&r, sizeof(LICENCE_FILE_MAGIC) - 1, &magic);
	if (e != ERR_OK || !span_eq(magic, span_str(LICENCE_FILE_MAGIC)))
		return ERR_FORMAT;
	e = cbor_get_key(&r, FILE_VERSION);
	if (e == ERR_OK)
		e = cbor_get_bytes(&r, LICENCE_RECORD_MAX, &rec);
	if (e == ERR_OK)
		e = cbor_get_bytes(&r, SES_MAX, &sig);
	if (e == ERR_OK && (rec.len == 0 || sig.len == 0))
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = cbor_end(&r);
	if (e != ERR_OK)
		return e;
	*record = rec;
	*signature = sig;
	return ERR_OK;
}

/* ---- a copy --------------------------------------------------------------------------------- */

static bool own_text(struct arena *a, char **s)
{
	*s = arena_strdup(a, *s);
	return *s != NULL;
}

static bool own_lists(struct arena *a, struct licence_record *r, const struct licence_record *in)
{
	bool ok = true;

	r->holders = arena_array(a, in->n_holders, sizeof(*r->holders));
	r->fields = arena_array(a, in->n_fields, sizeof(*r->fields));
	if (r->holders == NULL || r->fields == NULL)
		return false;
	for (size_t i = 0; ok && i < in->n_holders; i++) {
		r->holders[i] = in->holders[i];
		ok = own_text(a, &r->holders[i].name) && own_text(a, &r->holders[i].code_type) &&
		     own_text(a, &r->holders[i].code);
	}
	for (size_t i = 0; ok && i < in->n_fields; i++) {
		r->fields[i] = in->fields[i];
		ok = own_text(a, &r->fields[i].name) && own_text(a, &r->fields[i].value);
	}
	return ok;
}

struct licence_record *licence_record_copy(struct arena *a, const struct licence_record *in)
{
	struct licence_record *r = arena_alloc(a, sizeof(*r));
	bool ok = r != NULL;

	if (!ok)
		return NULL;
	*r = *in;
	char **texts[] = {&r->id,          &r->type_code,    &r->type_name, &r->number,     &r->issuer_code,
	                  &r->issuer_name, &r->definer_code, &r->area_code, &r->previous_id};
	for (size_t i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++)
		ok = own_text(a, texts[i]);
	return ok && own_lists(a, r, in) ? r : NULL;
}
