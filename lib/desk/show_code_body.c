#include <stddef.h>

#include "desk/show.h"
#include "form/record.h"

enum { TEXT_MAX = 200, CODE_TEXT_MAX = 64, PURPOSE_MAX = DESK_PURPOSE_MAX, GRANT_PARTS = 6 };

#define AT(member) offsetof(struct code_body, member)

static const struct record_element elements[] = {
    {"holder.name", RECORD_TEXT, AT(holder.name), LICENCE_NAME_MAX},
    {"holder.code_type", RECORD_TEXT, AT(holder.code_type), CODE_TEXT_MAX},
    {"holder.code", RECORD_TEXT, AT(holder.code), CODE_TEXT_MAX},
    {"presenter.name", RECORD_TEXT, AT(presenter.name), LICENCE_NAME_MAX},
    {"presenter.code_type", RECORD_TEXT, AT(presenter.code_type), CODE_TEXT_MAX},
    {"presenter.code", RECORD_TEXT, AT(presenter.code), CODE_TEXT_MAX},
    {"presenter.capacity", RECORD_NUMBER, AT(presenter.capacity), CAPACITY_AGENT},
    {"authentication.method", RECORD_TEXT, AT(presenter.auth_method), TEXT_MAX},
    {"authentication.reference", RECORD_OPTIONAL, AT(presenter.auth_reference), TEXT_MAX},
    {"authentication.level", RECORD_NUMBER, AT(presenter.auth_level), 4},
    {"authentication.time", RECORD_TIME, AT(presenter.auth_time), 0},
    {"purpose", RECORD_TEXT, AT(purpose), PURPOSE_MAX},
};

enum { N_ELEMENTS = sizeof(elements) / sizeof(elements[0]), KEY_GRANTS = N_ELEMENTS + 1 };

static enum err put_grant(struct buf *b, const struct code_grant *g)
{
	if (g->n_fields > CATALOG_FIELDS_MAX)
		return ERR_TOO_LARGE;
	cbor_put_array(b, GRANT_PARTS);
	cbor_put_uint(b, g->status);
	cbor_put_text(b, g->material);
	cbor_put_text(b, g->type_code);
	cbor_put_text(b, g->source);
	cbor_put_text(b, g->licence_id);
	cbor_put_array(b, g->n_fields);
	for (size_t i = 0; i < g->n_fields; i++)
		cbor_put_text(b, g->fields[i]);
	return ERR_OK;
}

enum err code_body_encode(struct arena *a, const struct code_body *in, struct span *out)
{
	struct span bytes;
	struct buf b;
	enum err e;

	if (in->n_grants > CODE_GRANTS_MAX)
		return ERR_TOO_LARGE;
	buf_init(&b, a);
	cbor_put_map(&b, KEY_GRANTS);
	e = record_put(&b, elements, N_ELEMENTS, in);
	cbor_put_uint(&b, KEY_GRANTS);
	cbor_put_array(&b, in->n_grants);
	for (size_t i = 0; e == ERR_OK && i < in->n_grants; i++)
		e = put_grant(&b, &in->grants[i]);
	if (e == ERR_OK)
		e = buf_done(&b, &bytes);
	if (e == ERR_OK && bytes.len > CODE_BODY_MAX)
		e = ERR_TOO_LARGE;
	if (e == ERR_OK)
		*out = bytes;
	return e;
}

static enum err get_fields(struct cbor_reader *r, struct arena *a, struct code_grant *g)
{
	size_t n;
	enum err e = cbor_get_array(r, CATALOG_FIELDS_MAX, &n);

	if (e != ERR_OK)
		return e;
	g->fields = arena_array(a, n, sizeof(*g->fields));
	if (g->fields == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = record_get_name(r, a, LICENCE_NAME_MAX, &g->fields[i]);
	g->n_fields = n;
	return e;
}

static enum err get_grant(struct cbor_reader *r, struct arena *a, struct code_grant *g)
{
	uint64_t status = 0;
	enum err e = record_get_tuple(r, GRANT_PARTS);

	if (e == ERR_OK)
		e = cbor_get_uint(r, GRANT_UNUSABLE, &status);
	if (e == ERR_OK && status == 0)
		e = ERR_FORMAT;
	g->status = (enum grant_status)status;
	if (e == ERR_OK)
		e = cbor_get_text(r, a, LICENCE_NAME_MAX, &g->material);
	if (e == ERR_OK)
		e = cbor_get_text(r, a, CODE_TEXT_MAX, &g->type_code);
	if (e == ERR_OK)
		e = cbor_get_text(r, a, TEXT_MAX, &g->source);
	if (e == ERR_OK)
		e = cbor_get_text(r, a, LICENCE_ID_MAX, &g->licence_id);
	return e == ERR_OK ? get_fields(r, a, g) : e;
}

static enum err get_grants(struct cbor_reader *r, struct arena *a, struct code_body *out)
{
	enum err e = cbor_get_key(r, KEY_GRANTS);

	if (e == ERR_OK)
		e = cbor_get_array(r, CODE_GRANTS_MAX, &out->n_grants);
	if (e != ERR_OK)
		return e;
	out->grants = arena_array(a, out->n_grants, sizeof(*out->grants));
	if (out->grants == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < out->n_grants; i++)
		e = get_grant(r, a, &out->grants[i]);
	return e;
}

enum err code_body_parse(struct arena *a, struct span in, struct code_body *out)
{
	struct cbor_reader r = {in};
	struct code_body body = {0};
	size_t n = 0;
	enum err e = in.len > CODE_BODY_MAX ? ERR_TOO_LARGE : cbor_get_map(&r, KEY_GRANTS, &n);

	if (e == ERR_OK && n != KEY_GRANTS)
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = record_get(&r, a, elements, N_ELEMENTS, &body, NULL);
	if (e == ERR_OK)
		e = get_grants(&r, a, &body);
	if (e == ERR_OK)
		e = cbor_end(&r);
	if (e == ERR_OK)
		*out = body;
	return e;
}
