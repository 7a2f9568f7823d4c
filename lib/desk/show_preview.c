#include "desk/show.h"
#include "form/cbor.h"

/* A renewal is often issued before it begins: until then the one before it counts. */
static bool valid_now(const struct licence_row *r, int64_t now)
{
	return licence_state_at(r, now, NULL) == LICENCE_VALID && r->valid_from <= now;
}

/* Valid before anything else, then the newest: what a clerk would take from the pile. */
static bool better(const struct licence_row *a, const struct licence_row *b, int64_t now)
{
	bool a_valid = valid_now(a, now), b_valid = valid_now(b, now);

	return a_valid != b_valid ? a_valid : a->issued > b->issued;
}

static const struct holder_row *best_of(const struct holder_rows *rows, const char *type_code, int64_t now)
{
	const struct holder_row *best = NULL;

	for (size_t i = 0; i < rows->n; i++) {
		const struct holder_row *r = &rows->rows[i];

		if (strcmp(r->row.type_code, type_code) == 0 && (best == NULL || better(&r->row, &best->row, now)))
			best = r;
	}
	return best;
}

static enum err line_read(struct desk_call *call, struct store_tx *tx, const struct holder_rows *rows,
                          struct preview_line *line)
{
	const char *type_code = line->material->type_code;
	const struct holder_row *best;
	struct holder_rows of_type;
	enum err e = source_rows_of_type(call, tx, rows, type_code, &of_type);

	if (e != ERR_OK)
		return e;
	best = best_of(&of_type, type_code, store_tx_now(tx));
	if (best != NULL)
		return source_fetch_row(call, tx, best, &line->fetched);
	line->fetched.unavailable = rows->unavailable;
	return ERR_OK;
}

enum err preview_read(struct desk_call *call, struct store_tx *tx, struct type_cache *types, const char *item_code,
                      const struct holder_rows *rows, struct preview *out)
{
	enum err e = desk_item_of(call, tx, item_code, &out->item);

	if (e != ERR_OK)
		return e == ERR_ITEM_UNKNOWN ? err_note_set(&call->note, e, "item_code", NULL) : e;
	out->n = out->item.n_materials;
	out->lines = arena_array(call->arena, out->n, sizeof(*out->lines));
	if (out->lines == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < out->n; i++) {
		struct preview_line *line = &out->lines[i];

		line->material = &out->item.materials[i];
		e = type_cached(call, tx, types, line->material->type_code, &line->type);
		if (e == ERR_OK)
			e = line_read(call, tx, rows, line);
	}
	return e;
}

/* The values of the fields that the item names, as far as the licence has them. */
static enum err take_values(struct desk_call *call, struct preview_line *line)
{
	const struct item_material *m = line->material;

	line->fields = arena_array(call->arena, m->n_fields, sizeof(*line->fields));
	if (line->fields == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < m->n_fields; i++) {
		const char *value = licence_field_value(line->judged.record, m->fields[i]);

		if (value != NULL)
			line->fields[line->n_fields++] = (struct licence_field){m->fields[i], (char *)(uintptr_t)value};
	}
	return ERR_OK;
}

static enum err line_judge(struct desk_call *call, int64_t now, const struct licence_holder *h,
                           struct preview_line *line)
{
	struct judged *j = &line->judged;
	enum err e = licence_judge(call, now, &line->fetched, j);

	if (e != ERR_OK)
		return e;
	line->n_fields = 0;
	if (j->source == NULL)
		line->status = j->unavailable ? GRANT_UNAVAILABLE : GRANT_NONE;
	else if (j->usable && record_has_holder(j->record, h))
		line->status = GRANT_GIVEN;
	else
		line->status = GRANT_UNUSABLE;
	return line->status == GRANT_GIVEN ? take_values(call, line) : ERR_OK;
}

static void put_line(struct buf *b, const struct preview_line *line)
{
	const struct licence_row *row = line->judged.row;

	cbor_put_array(b, 9);
	cbor_put_text(b, line->material->name);
	cbor_put_text(b, line->material->type_code);
	cbor_put_text(b, line->material->purpose);
	cbor_put_bool(b, line->material->required);
	cbor_put_uint(b, line->status);
	cbor_put_text(b, line->judged.id);
	cbor_put_uint(b, row != NULL ? row->version : 0);
	cbor_put_uint(b, line->judged.state);
	cbor_put_array(b, line->n_fields);
	for (size_t i = 0; i < line->n_fields; i++) {
		cbor_put_array(b, 2);
		cbor_put_text(b, line->fields[i].name);
		cbor_put_text(b, line->fields[i].value);
	}
}

/* Over everything that the citizen sees before agreeing (docs/flows.md). */
static enum err preview_seal(struct desk_call *call, const struct licence_holder *h, struct preview *p)
{
	struct span bytes;
	struct buf b;
	enum err e;

	buf_init(&b, call->arena);
	cbor_put_array(&b, 6);
	cbor_put_text(&b, "yinzheng:preview:1");
	cbor_put_text(&b, p->item.code);
	cbor_put_text(&b, p->item.name);
	cbor_put_text(&b, h->code_type);
	cbor_put_text(&b, h->code);
	cbor_put_array(&b, p->n);
	for (size_t i = 0; i < p->n; i++)
		put_line(&b, &p->lines[i]);
	e = buf_done(&b, &bytes);
	return e == ERR_OK ? sm3(bytes, p->digest) : e;
}

enum err preview_judge(struct desk_call *call, const struct licence_holder *h, struct preview *p)
{
	int64_t now = desk_now(call);
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->n; i++)
		e = line_judge(call, now, h, &p->lines[i]);
	return e == ERR_OK ? preview_seal(call, h, p) : e;
}

enum err preview_same(struct store_tx *tx, const struct preview *p)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->n; i++)
		e = judged_same(tx, &p->lines[i].judged);
	return e;
}
