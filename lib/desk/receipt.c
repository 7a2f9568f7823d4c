#include "base/buf.h"
#include "desk/flow.h"

/* ---- made with the use ---------------------------------------------------------------------- */

enum err receipt_begin(struct desk_call *call, enum receipt_kind kind, struct receipt_draft *d)
{
	uint8_t *salt = arena_alloc(call->arena, RECEIPT_SALT);
	struct receipt *r = &d->receipt;
	enum err e = salt != NULL ? rand_fill(&call->desk->o.rand, salt, RECEIPT_SALT) : ERR_BUDGET;

	*d = (struct receipt_draft){0};
	if (e == ERR_OK)
		e = desk_ulid(call, "YZR-", &r->id);
	if (e == ERR_OK)
		r->materials = arena_array(call->arena, RECEIPT_MATERIALS_MAX, sizeof(*r->materials));
	if (e == ERR_OK && r->materials == NULL)
		e = ERR_BUDGET;
	if (e != ERR_OK)
		return e;
	d->salt = span_of(salt, RECEIPT_SALT);
	r->kind = kind;
	r->service = (char *)(uintptr_t)call->desk->o.service;
	r->org_code = call->caller.org_code;
	r->org_name = call->caller.org_name;
	r->principal = call->caller.id;
	r->item_code = "";
	r->item_name = "";
	memcpy(r->request_digest, call->request_digest, SM3_LEN);
	return receipt_text_digest(d->salt, call->operator.id, r->operator_digest);
}

static enum err add_fields(struct desk_call *call, struct span salt, struct receipt_material *m,
                           const struct licence_field *fields, size_t n)
{
	enum err e = ERR_OK;

	if (n > RECEIPT_FIELDS_MAX)
		return ERR_TOO_LARGE;
	m->n_fields = n;
	m->fields = arena_array(call->arena, n, sizeof(*m->fields));
	if (m->fields == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		m->fields[i].name = fields[i].name;
		e = receipt_field_digest(salt, fields[i].name, fields[i].value, m->fields[i].digest);
	}
	return e;
}

enum err receipt_add(struct desk_call *call, struct receipt_draft *d, struct receipt_material *m,
                     const struct judged *j, const struct licence_field *fields, size_t n_fields)
{
	const char *indication = j != NULL && j->report != NULL ? indication_name(j->report->indication) : NULL;
	enum err e;

	if (d->receipt.n_materials >= RECEIPT_MATERIALS_MAX)
		return ERR_TOO_LARGE;
	m->state = (char *)(uintptr_t)(j != NULL ? licence_state_name(j->state) : "");
	m->indication = (char *)(uintptr_t)(indication != NULL ? indication : "");
	m->source = (char *)(uintptr_t)(j != NULL && j->source != NULL ? j->source->name : "");
	m->source_time = j != NULL ? j->as_of : 0;
	e = add_fields(call, d->salt, m, fields, n_fields);
	if (e == ERR_OK && j != NULL && j->id[0] != '\0')
		e = receipt_text_digest(d->salt, j->id, m->licence_digest);
	if (e == ERR_OK)
		d->receipt.materials[d->receipt.n_materials++] = *m;
	return e;
}

enum err receipt_store(struct desk_call *call, struct store_tx *tx, struct receipt_draft *d)
{
	struct receipt *r = &d->receipt;
	struct receipt_row row = {.id = r->id, .principal = call->caller.id};
	enum err e;

	r->time = row.time = store_tx_now(tx);
	memcpy(r->audit_leaf, call->audit_leaf, SHA256_LEN);
	e = receipt_encode(call->arena, r, &row.body);
	call->receipt_id = row.id;
	call->receipt_body = row.body;
	return e == ERR_OK ? store_receipt_insert(tx, &row) : e;
}

/* ---- identifiers in audit entries ----------------------------------------------------------- */

static enum err add_fact(struct desk_call *call, struct id_facts *f, const char *name, const char *text)
{
	if (text == NULL || f->n == AUDIT_ID_FACTS)
		return text == NULL ? ERR_BUDGET : ERR_TOO_LARGE;
	f->facts[f->n].name = arena_printf(call->arena, "%s.%zu", name, f->n + 1);
	f->facts[f->n].value = text;
	f->facts[f->n].personal = true;
	return f->facts[f->n++].name != NULL ? ERR_OK : ERR_BUDGET;
}

enum err audit_ids(struct desk_call *call, const char *name, const char *const *ids, size_t n, struct id_facts *out)
{
	enum { PER_FACT = AUDIT_TEXT_MAX / (LICENCE_ID_MAX + 1) };
	enum err e = ERR_OK;

	out->n = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i += PER_FACT) {
		struct buf b;

		buf_init(&b, call->arena);
		for (size_t k = i; k < n && k < i + PER_FACT; k++)
			buf_printf(&b, "%s%s", k > i ? " " : "", ids[k]);
		e = add_fact(call, out, name, buf_text(&b));
	}
	return e;
}

/* ---- signed and handed out ------------------------------------------------------------------ */

struct receipt_read {
	struct desk_call *call;
	const char *id;
	struct receipt_row row;
};

/* Of another principal: it does not exist for this caller. */
static enum err read_own(struct store_tx *tx, void *arg)
{
	struct receipt_read *r = arg;
	enum err e = store_receipt_get(tx, r->call->arena, r->id, &r->row);

	if (e == ERR_NOT_FOUND || (e == ERR_OK && strcmp(r->row.principal, r->call->caller.id) != 0))
		return err_note_set(&r->call->note, ERR_RECEIPT_UNKNOWN, "receipt_id", NULL);
	return e;
}

static enum err sign_body(struct desk_call *call, struct span body, struct span *out)
{
	return desk_sign(call, call->desk->o.receipt, RECEIPT_TYPE, body, out);
}

enum err desk_receipt(struct desk_call *call, const char *receipt_id, struct span *out)
{
	struct receipt_read r = {.call = call, .id = receipt_id};
	enum err e;

	/* Of this very call, which is committed. */
	if (!call->replayed && call->receipt_id != NULL && strcmp(call->receipt_id, receipt_id) == 0)
		return sign_body(call, call->receipt_body, out);
	e = store_read(call->desk->o.store, read_own, &r);
	return e == ERR_OK ? sign_body(call, r.row.body, out) : e;
}

static enum err receipt_get_prepare(struct desk_call *call)
{
	const struct by_id_request *req = call->req;
	struct file_answer *ans = call->ans;
	enum err e = need_text(call, req->id, DESK_TEXT_MAX, ERR_FIELD_MISSING, "receipt_id");

	return e == ERR_OK ? desk_receipt(call, req->id, &ans->file) : e;
}

const struct use_case use_receipt_get = {
    .action = "receipt.get",
    .roles = ROLE_WINDOW | ROLE_INSPECTOR,
    .prepare = receipt_get_prepare,
};
