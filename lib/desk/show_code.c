/* Show-codes are made and cancelled. Of the code itself only the hash is kept. */
#include "desk/caches.h"
#include "desk/show.h"
#include "form/showcode.h"

struct code_work {
	const struct code_request *req;
	struct type_cache types;
	struct holder_rows rows;
	struct preview preview;          /* kind use */
	const struct holder_row **shown; /* kind show: the row of each selection */
	struct code_body body;
	struct code_row row;
};

/* ---- what the request must say -------------------------------------------------------------- */

static enum err refuse(struct desk_call *call, enum err e, const char *field, const char *help)
{
	return err_note_set(&call->note, e, field, help != NULL ? "%s" : NULL, help);
}

static enum err audience_check(struct desk_call *call, const struct code_request *r)
{
	bool organisation = r->audience == AUDIENCE_ORGANISATION;

	if (r->audience == 0)
		return refuse(call, ERR_FIELD_MISSING, "audience.kind", NULL);
	if (r->audience > AUDIENCE_ORGANISATION || (r->kind == CODE_USE && r->audience == AUDIENCE_INSPECTORS))
		return refuse(call, ERR_FIELD_INVALID, "audience.kind",
		              "A use code is for windows or one organisation; a show code for inspectors, too.");
	if (organisation && !credit_code_ok(span_str(r->audience_org)))
		return refuse(call, ERR_ORG_CODE_INVALID, "audience.org_code", NULL);
	if (!organisation && r->audience_org[0] != '\0')
		return refuse(call, ERR_FIELD_INVALID, "audience.org_code", "Only the audience ORGANISATION has a code.");
	return ERR_OK;
}

static enum err show_check(struct desk_call *call, const struct code_request *r)
{
	if (r->n_show == 0)
		return refuse(call, ERR_FIELD_MISSING, "show", "Choose at least one licence.");
	if (r->n_show > CODE_GRANTS_MAX)
		return refuse(call, ERR_TOO_LARGE, "show", NULL);
	if (r->item_code[0] != '\0' || r->n_declined != 0)
		return refuse(call, ERR_FIELD_INVALID, "item_code", "A show code has no item and nothing to decline.");
	return ERR_OK;
}

static enum err use_check(struct desk_call *call, const struct code_request *r)
{
	enum err e = need_text(call, r->item_code, DESK_TEXT_MAX, ERR_ITEM_MISSING, "item_code");

	if (e != ERR_OK)
		return e;
	if (r->n_show != 0)
		return refuse(call, ERR_FIELD_INVALID, "show", "A use code carries what its item names.");
	if (r->n_declined > CODE_GRANTS_MAX)
		return refuse(call, ERR_TOO_LARGE, "declined_licences", NULL);
	if (r->preview_digest.len == 0)
		return refuse(call, ERR_FIELD_MISSING, "preview_digest", "Show the preview first and give back its digest.");
	return r->preview_digest.len == SM3_LEN ? ERR_OK : refuse(call, ERR_FIELD_INVALID, "preview_digest", NULL);
}

static enum err code_check(struct desk_call *call, const struct code_request *r)
{
	enum err e = presenter_check(call, &r->holder, &r->presenter);

	if (e == ERR_OK && r->kind != CODE_SHOW && r->kind != CODE_USE)
		e = refuse(call, ERR_FIELD_INVALID, "kind", "State the kind: show or use.");
	if (e == ERR_OK)
		e = audience_check(call, r);
	if (e == ERR_OK)
		e = need_text(call, r->purpose, DESK_PURPOSE_MAX, ERR_PURPOSE_MISSING, "purpose");
	if (e == ERR_OK && r->life_seconds > CODE_LIFE_MAX)
		e = refuse(call, ERR_FIELD_INVALID, "life_seconds", "A code lives at most 300 seconds.");
	if (e != ERR_OK)
		return e;
	return r->kind == CODE_SHOW ? show_check(call, r) : use_check(call, r);
}

/* ---- kind show: chosen licences, face fields ------------------------------------------------ */

static const struct holder_row *own_row(const struct holder_rows *rows, const char *id)
{
	for (size_t i = 0; i < rows->n; i++) {
		if (strcmp(rows->rows[i].row.id, id) == 0)
			return &rows->rows[i];
	}
	return NULL;
}

/* The chosen licence among the holder's own; NULL when it is not there. An identifier names its type. */
static enum err find_own(struct desk_call *call, struct store_tx *tx, const struct holder_rows *all, const char *id,
                         const struct holder_row **out)
{
	struct licence_id parts;
	struct holder_rows *rows;
	char *type;
	enum err e;

	*out = own_row(all, id);
	if (*out != NULL || !all->more || licence_id_parse(span_str(id), &parts) != ERR_OK)
		return ERR_OK;
	type = arena_strndup(call->arena, parts.type.ptr, parts.type.len);
	rows = arena_alloc(call->arena, sizeof(*rows));
	if (type == NULL || rows == NULL)
		return ERR_BUDGET;
	e = source_rows_of_type(call, tx, all, type, rows);
	if (e == ERR_OK)
		*out = own_row(rows, id);
	return e;
}

static bool chosen_before(const struct code_work *w, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(w->shown[k]->row.id, w->shown[i]->row.id) == 0)
			return true;
	}
	return false;
}

static enum err show_read_one(struct desk_call *call, struct store_tx *tx, struct code_work *w, size_t i)
{
	const struct licence_type *type;
	enum err e = find_own(call, tx, &w->rows, w->req->show[i].licence_id, &w->shown[i]);

	if (e != ERR_OK)
		return e;
	if (w->shown[i] == NULL && w->rows.unavailable)
		return refuse(call, ERR_SOURCE_UNAVAILABLE, "show.licence_id", NULL);
	if (w->shown[i] == NULL)
		return refuse(call, ERR_LICENCE_UNKNOWN, "show.licence_id", "The holder has no such licence.");
	if (chosen_before(w, i))
		return refuse(call, ERR_FIELD_INVALID, "show.licence_id", "A licence was chosen twice.");
	return type_cached(call, tx, &w->types, w->shown[i]->row.type_code, &type);
}

static enum err show_read(struct desk_call *call, struct store_tx *tx, struct code_work *w)
{
	enum err e = ERR_OK;

	w->shown = arena_array(call->arena, w->req->n_show, sizeof(*w->shown));
	if (w->shown == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < w->req->n_show; i++)
		e = show_read_one(call, tx, w, i);
	return e;
}

/* All of the face. */
static void whole_face(const struct licence_type *t, struct code_grant *g)
{
	for (size_t i = 0; i < t->n_fields; i++) {
		if (t->fields[i].face)
			g->fields[g->n_fields++] = t->fields[i].name;
	}
}

static bool has_field(const struct code_grant *g, const char *name)
{
	for (size_t i = 0; i < g->n_fields; i++) {
		if (strcmp(g->fields[i], name) == 0)
			return true;
	}
	return false;
}

static enum err chosen_face(struct desk_call *call, const struct licence_type *t, const struct show_selection *s,
                            struct code_grant *g)
{
	for (size_t i = 0; i < s->n_fields; i++) {
		const struct field_type *f = licence_type_field(t, s->fields[i]);

		if (f == NULL || !f->face)
			return refuse(call, ERR_FIELD_UNKNOWN, "show.fields", "This is no face field of the licence's type.");
		if (has_field(g, f->name))
			return refuse(call, ERR_FIELD_INVALID, "show.fields", "A field was chosen twice.");
		g->fields[g->n_fields++] = f->name;
	}
	return ERR_OK;
}

static enum err show_grant(struct desk_call *call, struct code_work *w, size_t i, struct code_grant *g)
{
	const struct holder_row *row = w->shown[i];
	const struct licence_type *type = NULL;

	for (size_t k = 0; k < w->types.n; k++) {
		if (strcmp(w->types.types[k]->code, row->row.type_code) == 0)
			type = w->types.types[k];
	}
	if (type == NULL)
		return refuse(call, ERR_TYPE_UNKNOWN, "show.licence_id", NULL);
	*g = (struct code_grant){
	    .status = GRANT_GIVEN,
	    .material = "",
	    .type_code = row->row.type_code,
	    .source = (char *)(uintptr_t)row->source->name,
	    .licence_id = row->row.id,
	    .fields = arena_array(call->arena, type->n_fields, sizeof(*g->fields)),
	};
	if (g->fields == NULL)
		return ERR_BUDGET;
	if (w->req->show[i].n_fields != 0)
		return chosen_face(call, type, &w->req->show[i], g);
	whole_face(type, g);
	return ERR_OK;
}

/* ---- kind use: what the preview said, less what was declined -------------------------------- */

static bool is_declined(const struct code_request *r, const char *licence_id)
{
	for (size_t i = 0; i < r->n_declined; i++) {
		if (strcmp(r->declined[i], licence_id) == 0)
			return true;
	}
	return false;
}

static enum err declined_known(struct desk_call *call, const struct code_work *w)
{
	for (size_t i = 0; i < w->req->n_declined; i++) {
		bool known = false;

		for (size_t k = 0; k < w->preview.n; k++) {
			const char *id = w->preview.lines[k].judged.id;

			known = known || (id[0] != '\0' && strcmp(id, w->req->declined[i]) == 0);
		}
		if (!known)
			return refuse(call, ERR_LICENCE_UNKNOWN, "declined_licences", "The preview has no such licence.");
	}
	return ERR_OK;
}

static enum err use_grant(struct desk_call *call, const struct code_request *req, const struct preview_line *line,
                          struct code_grant *g)
{
	const struct judged *j = &line->judged;

	*g = (struct code_grant){
	    .status = line->status,
	    .material = line->material->name,
	    .type_code = line->material->type_code,
	    .source = (char *)(uintptr_t)(j->source != NULL ? j->source->name : ""),
	    .licence_id = (char *)(uintptr_t)j->id,
	};
	if (j->id[0] != '\0' && is_declined(req, j->id)) {
		g->status = GRANT_DECLINED;
		return ERR_OK;
	}
	g->fields = arena_array(call->arena, line->n_fields, sizeof(*g->fields));
	if (g->fields == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < line->n_fields; i++)
		g->fields[g->n_fields++] = line->fields[i].name;
	return ERR_OK;
}

static enum err preview_agreed(struct desk_call *call, struct code_work *w)
{
	enum err e = preview_judge(call, &w->req->holder, &w->preview);

	if (e == ERR_OK && !secret_equal(w->req->preview_digest, span_of(w->preview.digest, SM3_LEN)))
		e = refuse(call, ERR_PREVIEW_CHANGED, "preview_digest", NULL);
	return e == ERR_OK ? declined_known(call, w) : e;
}

/* ---- both kinds ----------------------------------------------------------------------------- */

static enum err code_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct code_work *w = call->work;
	const struct code_request *r = w->req;
	enum err e;

	if (r->kind == CODE_SHOW) {
		e = source_holder_rows_with(call, tx, &r->holder, r->show, r->n_show, &w->rows);
		return e == ERR_OK ? show_read(call, tx, w) : e;
	}
	e = source_holder_rows_known(call, tx, &r->holder, &w->rows);
	return e == ERR_OK ? preview_read(call, tx, &w->types, r->item_code, &w->rows, &w->preview) : e;
}

static enum err make_grants(struct desk_call *call, struct code_work *w)
{
	bool show = w->req->kind == CODE_SHOW, any = false;
	size_t n = show ? w->req->n_show : w->preview.n;
	enum err e = ERR_OK;

	w->body.grants = arena_array(call->arena, n, sizeof(*w->body.grants));
	if (w->body.grants == NULL)
		return ERR_BUDGET;
	w->body.n_grants = n;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct code_grant *g = &w->body.grants[i];

		e = show ? show_grant(call, w, i, g) : use_grant(call, w->req, &w->preview.lines[i], g);
		any = any || g->status == GRANT_GIVEN;
	}
	if (e == ERR_OK && !any)
		e = refuse(call, ERR_NOTHING_TO_SHOW, "", NULL);
	return e;
}

static enum err make_code(struct desk_call *call, struct code_work *w)
{
	struct code_answer *ans = call->ans;
	char *text = arena_alloc(call->arena, SHOWCODE_TEXT + 1);
	enum err e = text != NULL ? showcode_make(&call->desk->o.rand, text) : ERR_BUDGET;

	if (e == ERR_OK)
		e = showcode_hash(text, w->row.hash);
	if (e == ERR_OK)
		e = code_body_encode(call->arena, &w->body, &w->row.body);
	if (e != ERR_OK)
		return e;
	w->row.kind = w->req->kind;
	w->row.audience = w->req->audience;
	w->row.audience_org = (char *)(uintptr_t)w->req->audience_org;
	w->row.wallet = call->caller.id;
	w->row.item_code = (char *)(uintptr_t)w->req->item_code;
	w->row.used_by = "";
	*ans = (struct code_answer){.code = text};
	return ERR_OK;
}

static enum err code_prepare(struct desk_call *call)
{
	const struct code_request *req = call->req;
	struct code_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e = code_check(call, req);

	if (e != ERR_OK || w == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	w->req = req;
	w->body.holder = req->holder;
	w->body.presenter = req->presenter;
	w->body.purpose = (char *)(uintptr_t)req->purpose;
	call->work = w;
	e = desk_look(call, code_read);
	if (e == ERR_OK && req->kind == CODE_USE)
		e = preview_agreed(call, w);
	if (e == ERR_OK)
		e = make_grants(call, w);
	return e == ERR_OK ? make_code(call, w) : e;
}

/* A code is made for licences as they are now. */
static enum err granted_same(const struct desk_call *call, struct store_tx *tx, const struct code_work *w)
{
	enum err e = ERR_OK;

	if (judged_unchanged(call, tx))
		return ERR_OK;
	if (w->req->kind == CODE_USE)
		return preview_same(tx, &w->preview);
	for (size_t i = 0; e == ERR_OK && i < w->req->n_show; i++) {
		if (source_is_local(w->shown[i]->source))
			e = store_licence_same(tx, w->shown[i]->row.id, w->shown[i]->row.version);
	}
	return e;
}

static enum err code_entry(struct desk_call *call, struct store_tx *tx, const struct code_work *w)
{
	const char *ids[CODE_GRANTS_MAX];
	struct desk_fact facts[WALLET_FACTS + 4 + AUDIT_ID_FACTS];
	struct wallet_facts wallet;
	struct id_facts granted;
	size_t n_ids = 0, n = WALLET_FACTS;
	enum err e;

	for (size_t i = 0; i < w->body.n_grants; i++) {
		if (w->body.grants[i].status == GRANT_GIVEN)
			ids[n_ids++] = w->body.grants[i].licence_id;
	}
	e = audit_ids(call, "licences", ids, n_ids, &granted);
	wallet_facts(&wallet, &w->req->holder, &w->req->presenter);
	memcpy(facts, wallet.facts, sizeof(wallet.facts));
	facts[n++] = (struct desk_fact){"kind", w->req->kind == CODE_SHOW ? "show" : "use", false};
	facts[n++] = (struct desk_fact){"item", w->req->item_code, false};
	facts[n++] = (struct desk_fact){"purpose", w->req->purpose, false};
	facts[n++] = (struct desk_fact){"audience", w->req->audience_org, false};
	for (size_t i = 0; i < granted.n; i++)
		facts[n++] = granted.facts[i];
	return e == ERR_OK ? desk_audit(call, tx, "ok", facts, n) : e;
}

static enum err code_commit(struct desk_call *call, struct store_tx *tx)
{
	struct code_work *w = call->work;
	struct code_answer *ans = call->ans;
	unsigned life = w->req->life_seconds != 0 ? w->req->life_seconds : CODE_LIFE;
	enum err e = granted_same(call, tx, w);

	w->row.created = store_tx_now(tx);
	w->row.expires = w->row.created + (int64_t)life * 1000;
	if (e == ERR_OK)
		e = store_code_insert(tx, &w->row);
	if (e == ERR_OK)
		e = code_entry(call, tx, w);
	if (e == ERR_OK)
		ans->expires = w->row.expires;
	return e;
}

static void code_committed(struct desk_call *call)
{
	const struct code_work *w = call->work;

	fresh_put(desk_caches_codes(call->desk->o.caches), &w->row);
}

const struct use_case use_code_issue = {
    .action = "code.issue",
    .roles = ROLE_WALLET,
    .flags = USE_REQUEST_ID | USE_COMMIT,
    .prepare = code_prepare,
    .commit = code_commit,
    .committed = code_committed,
};

/* ---- cancelling ----------------------------------------------------------------------------- */

/* Of another wallet or holder: such a code does not exist for this caller. */
static enum err cancel_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	const struct code_cancel_request *req = call->req;
	struct scanned_code *c = call->work;
	enum err e = store_code_get(tx, call->arena, c->hash, &c->row);

	if (e == ERR_NOT_FOUND || (e == ERR_OK && strcmp(c->row.wallet, call->caller.id) != 0))
		return refuse(call, ERR_CODE_UNKNOWN, "code", NULL);
	if (e == ERR_OK)
		e = code_body_parse(call->arena, c->row.body, &c->body);
	if (e != ERR_OK)
		return e == ERR_FORMAT || e == ERR_TOO_LARGE ? ERR_STORE_CORRUPT : e;
	if (strcmp(c->body.holder.code_type, req->holder.code_type) != 0 ||
	    strcmp(c->body.holder.code, req->holder.code) != 0)
		return refuse(call, ERR_CODE_UNKNOWN, "code", NULL);
	return c->row.used != 0 ? refuse(call, ERR_CODE_USED, "code", NULL) : ERR_OK;
}

static enum err cancel_prepare(struct desk_call *call)
{
	const struct code_cancel_request *req = call->req;
	struct scanned_code *c = arena_alloc(call->arena, sizeof(*c));
	enum err e = presenter_check(call, &req->holder, &req->presenter);

	if (e == ERR_OK && c == NULL)
		e = ERR_BUDGET;
	if (e == ERR_OK)
		e = code_scan(call, req->code, c);
	call->work = c;
	return e == ERR_OK ? desk_read(call, cancel_read) : e;
}

static enum err cancel_commit(struct desk_call *call, struct store_tx *tx)
{
	const struct code_cancel_request *req = call->req;
	const struct scanned_code *c = call->work;
	struct desk_fact facts[WALLET_FACTS + 1];
	struct wallet_facts wallet;
	enum err e = store_code_cancel(tx, c->hash);

	wallet_facts(&wallet, &req->holder, &req->presenter);
	memcpy(facts, wallet.facts, sizeof(wallet.facts));
	facts[WALLET_FACTS] = (struct desk_fact){"code", c->hash_hex, false};
	return e == ERR_OK ? desk_audit(call, tx, "ok", facts, WALLET_FACTS + 1) : e;
}

static void cancel_committed(struct desk_call *call)
{
	const struct scanned_code *c = call->work;

	fresh_drop(desk_caches_codes(call->desk->o.caches), c->hash);
}

const struct use_case use_code_cancel = {
    .action = "code.cancel",
    .roles = ROLE_WALLET,
    .flags = USE_REQUEST_ID | USE_COMMIT,
    .prepare = cancel_prepare,
    .commit = cancel_commit,
    .committed = cancel_committed,
};
