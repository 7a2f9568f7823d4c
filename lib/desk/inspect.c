/*
 * Inspection by show-code (the holder shows) or by identifier (a statutory use with its basis).
 *
 * What is answered when the state does not allow a use: identifier, type, issuer, validity, state and the verdict
 * always, because the officer must know what he holds in his hand; of the face only fields that are not personal, and
 * no name of a holder from the record. Without TOTAL_PASSED no field at all.
 */
#include "base/buf.h"
#include "desk/show.h"

struct inspect_line {
	const struct code_grant *grant; /* NULL: statutory, all of the face */
	struct fetched fetched;
	const struct licence_type *type; /* NULL: not in the catalogue */
	struct judged judged;
};
struct inspect_work {
	const struct inspect_request *req;
	bool by_code;
	struct scanned_code code;
	const char *type_code; /* statutory: as the identifier says */
	struct type_cache types;
	size_t n;
	struct inspect_line *lines;
	const char *purpose;
	struct receipt_draft draft;
};

/* ---- what is asked -------------------------------------------------------------------------- */

static enum err statutory_check(struct desk_call *call, const struct inspect_request *r)
{
	enum err e;

	if (!call->caller.statutory)
		return err_note_set(&call->note, ERR_STATUTORY_NOT_GRANTED, "licence_id", NULL);
	e = need_text(call, r->basis, DESK_TEXT_MAX, ERR_BASIS_MISSING, "basis");
	if (e == ERR_OK)
		e = need_text(call, r->purpose, DESK_PURPOSE_MAX, ERR_PURPOSE_MISSING, "purpose");
	if (e == ERR_OK && !licence_id_ok(span_str(r->licence_id)))
		e = err_note_set(&call->note, ERR_LICENCE_ID_INVALID, "licence_id", NULL);
	return e;
}

static enum err inspect_check(struct desk_call *call, const struct inspect_request *r)
{
	bool code = r->code[0] != '\0', id = r->licence_id[0] != '\0';
	enum err e = may_text(call, r->place, DESK_TEXT_MAX, "place");

	if (e == ERR_OK)
		e = may_text(call, r->purpose, DESK_PURPOSE_MAX, "purpose");
	if (e == ERR_OK)
		e = may_text(call, r->basis, DESK_TEXT_MAX, "basis");
	if (e == ERR_OK && !code && !id)
		e = err_note_set(&call->note, ERR_FIELD_MISSING, "code", "State a show-code or a licence identifier.");
	if (e == ERR_OK && code && id)
		e = err_note_set(&call->note, ERR_FIELD_INVALID, "licence_id",
		                 "State either a show-code or a licence identifier.");
	return e == ERR_OK && id ? statutory_check(call, r) : e;
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum err line_read(struct desk_call *call, struct store_tx *tx, struct inspect_work *w,
                          struct inspect_line *line)
{
	const struct code_grant *g = line->grant;
	enum err e = source_fetch(call, tx, g != NULL ? g->source : "", g != NULL ? g->licence_id : w->req->licence_id,
	                          &line->fetched);

	return e == ERR_OK ? type_cached(call, tx, &w->types, g != NULL ? g->type_code : w->type_code, &line->type) : e;
}

static enum err take_grants(struct desk_call *call, struct inspect_work *w)
{
	w->n = w->by_code ? w->code.body.n_grants : 1;
	w->lines = arena_array(call->arena, w->n, sizeof(*w->lines));
	if (w->lines == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; w->by_code && i < w->n; i++)
		w->lines[i].grant = &w->code.body.grants[i];
	return ERR_OK;
}

static enum err inspect_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct inspect_work *w = call->work;
	enum err e = ERR_OK;

	if (w->by_code)
		e = code_load(call, tx, CODE_SHOW, call->caller.roles & (ROLE_INSPECTOR | ROLE_WINDOW), &w->code);
	if (e == ERR_OK)
		e = take_grants(call, w);
	for (size_t i = 0; e == ERR_OK && i < w->n; i++)
		e = line_read(call, tx, w, &w->lines[i]);
	return e;
}

/* The type stands in the identifier, so that a licence that may not be read is not even looked for. That the identifier
 * is the record's own is checked when the licence is judged. */
static enum err statutory_type(struct desk_call *call, struct inspect_work *w)
{
	struct licence_id id;
	enum err e = licence_id_parse(span_str(w->req->licence_id), &id);

	if (e != ERR_OK)
		return e;
	w->type_code = arena_strndup(call->arena, id.type.ptr, id.type.len);
	if (w->type_code == NULL)
		return ERR_BUDGET;
	if (!desk_allows_type(&call->caller, w->type_code))
		return err_note_set(&call->note, ERR_TYPE_NOT_ALLOWED, "licence_id", NULL);
	return ERR_OK;
}

static enum err statutory_found(struct desk_call *call, const struct inspect_line *line)
{
	if (line->fetched.source != NULL)
		return ERR_OK;
	return err_note_set(&call->note, line->fetched.unavailable ? ERR_SOURCE_UNAVAILABLE : ERR_LICENCE_UNKNOWN,
	                    "licence_id", NULL);
}

/* ---- answering ------------------------------------------------------------------------------ */

/* A field of the face that may be shown: chosen by the holder, if he chose; personal ones only of a usable licence. */
static bool may_show(const struct inspect_line *line, const struct field_type *f)
{
	if (!f->face || (f->personal && !line->judged.usable))
		return false;
	if (line->grant == NULL)
		return true;
	for (size_t i = 0; i < line->grant->n_fields; i++) {
		if (strcmp(line->grant->fields[i], f->name) == 0)
			return true;
	}
	return false;
}

static enum err show_face(struct desk_call *call, const struct inspect_line *line, struct inspected_licence *out)
{
	const struct licence_type *t = line->type;

	if (t == NULL || line->judged.record == NULL)
		return ERR_OK;
	out->face = arena_array(call->arena, t->n_fields, sizeof(*out->face));
	if (out->face == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < t->n_fields; i++) {
		const char *value = licence_field_value(line->judged.record, t->fields[i].name);

		if (value != NULL && may_show(line, &t->fields[i]))
			out->face[out->n_face++] = (struct licence_field){t->fields[i].name, (char *)(uintptr_t)value};
	}
	return ERR_OK;
}

/* A shown licence must still be one of the holder who showed it. */
static void check_holder(const struct inspect_work *w, struct judged *j)
{
	if (!w->by_code || j->record == NULL || record_has_holder(j->record, &w->code.body.holder))
		return;
	j->record = NULL;
	j->genuine = j->usable = false;
	j->why = "The licence is not of the holder who showed the code.";
}

static void describe(const struct inspect_work *w, const struct inspect_line *line, struct inspected_licence *out)
{
	const struct judged *j = &line->judged;

	*out = (struct inspected_licence){
	    .id = line->grant != NULL ? line->grant->licence_id : w->req->licence_id,
	    .type_code = line->grant != NULL ? line->grant->type_code : w->type_code,
	    .type_name = line->type != NULL ? line->type->name : "",
	    .issuer_name = j->record != NULL ? j->record->issuer_name : "",
	    .state = j->state,
	    .state_since = j->state_since,
	    .valid_from = j->row != NULL ? j->row->valid_from : 0,
	    .valid_to = j->row != NULL ? j->row->valid_to : 0,
	    .report = j->report,
	    .source = j->source != NULL ? j->source->name : "",
	    .why = j->why,
	    .source_time = j->as_of,
	    .usable = j->usable,
	};
}

static enum material_status line_status(const struct judged *j)
{
	if (j->source == NULL)
		return j->unavailable ? MATERIAL_SOURCE_UNAVAILABLE : MATERIAL_MISSING;
	return j->usable ? MATERIAL_FULFILLED : MATERIAL_NOT_VALID;
}

static enum err line_answer(struct desk_call *call, struct inspect_work *w, struct inspect_line *line,
                            struct inspected_licence *out)
{
	struct receipt_material m = {0};
	enum err e = licence_judge(call, desk_now(call), &line->fetched, &line->judged);

	if (e != ERR_OK)
		return e;
	check_holder(w, &line->judged);
	describe(w, line, out);
	m.status = line_status(&line->judged);
	m.type_code = (char *)(uintptr_t)out->type_code;
	m.name = (char *)(uintptr_t)(out->type_name[0] != '\0' ? out->type_name : out->type_code);
	e = show_face(call, line, out);
	return e == ERR_OK ? receipt_add(call, &w->draft, &m, &line->judged, out->face, out->n_face) : e;
}

/* The name that an issuer wrote into a usable licence. Else by code the wallet's word, by identifier nobody's. */
static const char *holder_name(const struct inspect_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct judged *j = &w->lines[i].judged;

		if (j->usable)
			return w->by_code ? record_holder_name(j->record, &w->code.body.holder) : record_holder(j->record, 0)->name;
	}
	return w->by_code ? w->code.body.holder.name : "";
}

static enum err inspect_answer(struct desk_call *call, struct inspect_work *w)
{
	struct inspect_answer *ans = call->ans;
	enum err e = ERR_OK;

	*ans = (struct inspect_answer){
	    .receipt_id = w->draft.receipt.id,
	    .presenter_capacity = w->by_code ? capacity_name(w->code.body.presenter.capacity) : "",
	    .licences = arena_array(call->arena, w->n, sizeof(*ans->licences)),
	    .salt = w->draft.salt,
	};
	if (ans->licences == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < w->n; i++)
		e = line_answer(call, w, &w->lines[i], &ans->licences[i]);
	ans->n = w->n;
	ans->holder_name = e == ERR_OK ? holder_name(w) : "";
	return e;
}

static enum err inspect_receipt(struct desk_call *call, struct inspect_work *w)
{
	struct receipt *r = &w->draft.receipt;
	enum err e = receipt_begin(call, RECEIPT_INSPECT, &w->draft);

	if (e != ERR_OK)
		return e;
	w->purpose = w->req->purpose[0] != '\0' ? w->req->purpose : w->code.body.purpose;
	r->legal_basis = (char *)(uintptr_t)(w->by_code ? "consent" : "statutory");
	r->purpose = (char *)(uintptr_t)w->purpose;
	if (w->by_code)
		memcpy(r->code_hash, w->code.hash, SM3_LEN);
	return ERR_OK;
}

static enum err inspect_prepare(struct desk_call *call)
{
	const struct inspect_request *req = call->req;
	struct inspect_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e = inspect_check(call, req);

	if (e != ERR_OK || w == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	w->req = req;
	w->by_code = req->code[0] != '\0';
	call->work = w;
	e = w->by_code ? code_scan(call, req->code, &w->code) : statutory_type(call, w);
	if (e == ERR_OK)
		e = desk_read(call, inspect_read);
	if (e == ERR_OK && !w->by_code)
		e = statutory_found(call, &w->lines[0]);
	if (e == ERR_OK)
		e = inspect_receipt(call, w);
	return e == ERR_OK ? inspect_answer(call, w) : e;
}

/* ---- commit --------------------------------------------------------------------------------- */

static enum err inspect_entry(struct desk_call *call, struct store_tx *tx, const struct inspect_work *w)
{
	const struct inspect_answer *ans = call->ans;
	const struct code_body *body = &w->code.body;
	const char *ids[CODE_GRANTS_MAX];
	struct id_facts touched;
	size_t n;
	enum err e;

	for (n = 0; n < ans->n; n++)
		ids[n] = ans->licences[n].id;
	e = audit_ids(call, "licences", ids, n, &touched);
	if (e != ERR_OK)
		return e;
	struct desk_fact facts[8 + AUDIT_ID_FACTS] = {
	    {"basis", w->by_code ? "consent" : "statutory", false},
	    {"basis.stated", w->req->basis, false},
	    {"purpose", w->purpose, false},
	    {"place", w->req->place, true},
	    {"code", w->by_code ? w->code.hash_hex : "", false},
	    {"receipt", ans->receipt_id, false},
	    {"holder", w->by_code ? body->holder.code : "", true},
	    {"presenter", w->by_code ? body->presenter.code : "", true},
	};
	for (n = 0; n < touched.n; n++)
		facts[8 + n] = touched.facts[n];
	return desk_audit(call, tx, "ok", facts, 8 + n);
}

static enum err inspect_commit(struct desk_call *call, struct store_tx *tx)
{
	struct inspect_work *w = call->work;
	struct inspect_answer *ans = call->ans;
	enum err e = w->by_code ? code_spend(call, tx, &w->code) : ERR_OK;

	if (!judged_unchanged(call, tx))
		for (size_t i = 0; e == ERR_OK && i < w->n; i++)
			e = judged_same(tx, &w->lines[i].judged);
	if (e == ERR_OK)
		e = inspect_entry(call, tx, w);
	if (e == ERR_OK)
		e = receipt_store(call, tx, &w->draft);
	if (e == ERR_OK)
		ans->time = w->draft.receipt.time;
	return e;
}

const struct use_case use_inspect = {
    .action = "inspect",
    .roles = ROLE_INSPECTOR | ROLE_WINDOW,
    .flags = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT,
    .prepare = inspect_prepare,
    .commit = inspect_commit,
};
