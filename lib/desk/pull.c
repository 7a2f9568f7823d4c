/* A window's pull (docs/flows.md). Refusals spend nothing; an answered pull spends the code. */
#include "base/buf.h"
#include "desk/show.h"

struct pull_line {
	const struct item_material *material;
	const struct licence_type *type; /* NULL: not in the catalogue */
	const struct code_grant *grant;  /* NULL: the citizen was not asked for this material */
	struct fetched fetched;
	struct judged judged;
};
struct pull_work {
	const struct pull_request *req;
	struct scanned_code code;
	struct service_item item;
	struct type_cache types;
	struct pull_line *lines; /* one per material */
	struct receipt_draft draft;
};

/* ---- may it, and what does it ask for (step 5) ---------------------------------------------- */

static enum err pull_check(struct desk_call *call, const struct pull_request *r)
{
	enum err e = need_text(call, r->item_code, DESK_TEXT_MAX, ERR_ITEM_MISSING, "item_code");

	if (e == ERR_OK && !desk_allows_item(&call->caller, r->item_code))
		e = err_note_set(&call->note, ERR_ITEM_NOT_ALLOWED, "item_code", NULL);
	if (e == ERR_OK)
		e = need_text(call, r->purpose, DESK_PURPOSE_MAX, ERR_PURPOSE_MISSING, "purpose");
	return e == ERR_OK ? need_text(call, r->case_number, DESK_TEXT_MAX, ERR_CASE_MISSING, "case_number") : e;
}

/* ---- the code, and the licences that it lets out (steps 6 and 7) ---------------------------- */

/* Found by name and type, not by place: the item may have been changed since the citizen agreed. */
static const struct code_grant *grant_for(const struct code_body *body, const struct item_material *m)
{
	for (size_t i = 0; i < body->n_grants; i++) {
		if (strcmp(body->grants[i].material, m->name) == 0 && strcmp(body->grants[i].type_code, m->type_code) == 0)
			return &body->grants[i];
	}
	return NULL;
}

static enum err line_read(struct desk_call *call, struct store_tx *tx, struct pull_work *w, struct pull_line *line)
{
	const struct code_grant *g = grant_for(&w->code.body, line->material);
	enum err e = type_cached(call, tx, &w->types, line->material->type_code, &line->type);

	line->grant = g;
	if (e != ERR_OK || g == NULL || (g->status != GRANT_GIVEN && g->status != GRANT_UNUSABLE))
		return e;
	return source_fetch(call, tx, g->source, g->licence_id, &line->fetched);
}

static enum err read_lines(struct desk_call *call, struct store_tx *tx, struct pull_work *w)
{
	enum err e = ERR_OK;

	w->lines = arena_array(call->arena, w->item.n_materials, sizeof(*w->lines));
	if (w->lines == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < w->item.n_materials; i++) {
		w->lines[i].material = &w->item.materials[i];
		e = line_read(call, tx, w, &w->lines[i]);
	}
	return e;
}

static enum err pull_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct pull_work *w = call->work;
	enum err e = code_load(call, tx, CODE_USE, ROLE_WINDOW, &w->code);

	if (e == ERR_OK && strcmp(w->code.row.item_code, w->req->item_code) != 0)
		e = err_note_set(&call->note, ERR_CODE_ITEM, "item_code", NULL);
	if (e == ERR_OK)
		e = desk_item_of(call, tx, w->req->item_code, &w->item);
	return e == ERR_OK ? read_lines(call, tx, w) : e;
}

/* ---- what leaves (step 8) ------------------------------------------------------------------- */

/* The status of a material, and a sentence for the clerk when it is not fulfilled. */
static enum material_status line_status(const struct pull_work *w, const struct pull_line *line, const char **why)
{
	const struct judged *j = &line->judged;

	if (line->grant == NULL || line->grant->status == GRANT_DECLINED) {
		*why = "The citizen did not let this licence out.";
		return MATERIAL_NOT_GRANTED;
	}
	if (line->grant->status == GRANT_NONE) {
		*why = "The holder had no such licence when the code was made.";
		return MATERIAL_MISSING;
	}
	if (line->grant->status == GRANT_UNAVAILABLE) {
		*why = "A source of such licences could not be asked when the code was made. Ask for a new code later.";
		return MATERIAL_SOURCE_UNAVAILABLE;
	}
	*why = j->why;
	if (j->source == NULL)
		return j->unavailable ? MATERIAL_SOURCE_UNAVAILABLE : MATERIAL_MISSING;
	if (!j->usable)
		return MATERIAL_NOT_VALID;
	if (!record_has_holder(j->record, &w->code.body.holder)) {
		*why = "The licence is not of the holder who showed the code.";
		return MATERIAL_NOT_VALID;
	}
	*why = line->grant->status == GRANT_UNUSABLE ? "It could not be used when the citizen agreed. Ask for a new code."
	                                             : "";
	return line->grant->status == GRANT_UNUSABLE ? MATERIAL_NOT_GRANTED : MATERIAL_FULFILLED;
}

static bool was_granted(const struct code_grant *g, const char *name)
{
	for (size_t i = 0; i < g->n_fields; i++) {
		if (strcmp(g->fields[i], name) == 0)
			return true;
	}
	return false;
}

/* The fields that the item names now and the citizen agreed to, and no others. */
static enum err cut_fields(struct desk_call *call, const struct pull_line *line, struct pulled_material *out)
{
	const struct item_material *m = line->material;

	out->fields = arena_array(call->arena, m->n_fields, sizeof(*out->fields));
	if (out->fields == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < m->n_fields; i++) {
		const char *value = licence_field_value(line->judged.record, m->fields[i]);

		if (value != NULL && was_granted(line->grant, m->fields[i]))
			out->fields[out->n_fields++] = (struct licence_field){m->fields[i], (char *)(uintptr_t)value};
	}
	return ERR_OK;
}

static enum err line_answer(struct desk_call *call, struct pull_work *w, struct pull_line *line,
                            struct pulled_material *out)
{
	struct receipt_material m = {.type_code = line->material->type_code, .name = line->material->name};
	const struct judged *j = &line->judged;
	enum err e = licence_judge(call, desk_now(call), &line->fetched, &line->judged);

	if (e != ERR_OK)
		return e;
	*out = (struct pulled_material){
	    .material = line->material,
	    .type_name = line->type != NULL ? line->type->name : "",
	    .licence_id = j->id,
	    .state = j->state,
	    .report = j->report,
	    .source = j->source != NULL ? j->source->name : "",
	    .source_time = j->as_of,
	};
	out->status = m.status = line_status(w, line, &out->why);
	if (out->status == MATERIAL_FULFILLED)
		e = cut_fields(call, line, out);
	return e == ERR_OK ? receipt_add(call, &w->draft, &m, j, out->fields, out->n_fields) : e;
}

/* As an issuer wrote it, when a licence leaves; the wallet's word only when none does. */
static const char *holder_name(const struct pull_work *w, const struct pull_answer *ans)
{
	for (size_t i = 0; i < ans->n; i++) {
		if (ans->materials[i].status == MATERIAL_FULFILLED)
			return record_holder_name(w->lines[i].judged.record, &w->code.body.holder);
	}
	return w->code.body.holder.name;
}

static enum err pull_answer(struct desk_call *call, struct pull_work *w)
{
	struct pull_answer *ans = call->ans;
	enum err e = ERR_OK;

	*ans = (struct pull_answer){
	    .receipt_id = w->draft.receipt.id,
	    .materials = arena_array(call->arena, w->item.n_materials, sizeof(*ans->materials)),
	    .complete = true,
	    .salt = w->draft.salt,
	};
	if (ans->materials == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < w->item.n_materials; i++) {
		e = line_answer(call, w, &w->lines[i], &ans->materials[i]);
		if (w->item.materials[i].required && ans->materials[i].status != MATERIAL_FULFILLED)
			ans->complete = false;
	}
	ans->n = w->item.n_materials;
	ans->holder_name = e == ERR_OK ? holder_name(w, ans) : "";
	return e;
}

static enum err pull_receipt(struct desk_call *call, struct pull_work *w)
{
	struct receipt *r = &w->draft.receipt;
	enum err e = receipt_begin(call, RECEIPT_PULL, &w->draft);

	if (e != ERR_OK)
		return e;
	r->legal_basis = (char *)(uintptr_t) "consent";
	r->item_code = w->item.code;
	r->item_name = w->item.name;
	r->purpose = (char *)(uintptr_t)w->req->purpose;
	memcpy(r->code_hash, w->code.hash, SM3_LEN);
	return receipt_text_digest(w->draft.salt, w->req->case_number, r->case_digest);
}

static enum err pull_prepare(struct desk_call *call)
{
	const struct pull_request *req = call->req;
	struct pull_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e = pull_check(call, req);

	if (e != ERR_OK || w == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	w->req = req;
	call->work = w;
	e = code_scan(call, req->code, &w->code);
	if (e == ERR_OK)
		e = desk_look(call, pull_read);
	if (e == ERR_OK)
		e = pull_receipt(call, w);
	return e == ERR_OK ? pull_answer(call, w) : e;
}

/* ---- spend, check again, write down (step 9) ------------------------------------------------ */

static enum err lines_same(const struct desk_call *call, struct store_tx *tx, const struct pull_work *w)
{
	enum err e = ERR_OK;

	if (judged_unchanged(call, tx))
		return ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < w->item.n_materials; i++)
		e = judged_same(tx, &w->lines[i].judged);
	return e;
}

/* "FULFILLED MISSING …" in the item's order. */
static char *statuses(struct desk_call *call, const struct pull_answer *ans)
{
	struct buf b;

	buf_init(&b, call->arena);
	for (size_t i = 0; i < ans->n; i++)
		buf_printf(&b, "%s%s", i > 0 ? " " : "", material_status_name(ans->materials[i].status));
	return buf_text(&b);
}

static enum err pull_entry(struct desk_call *call, struct store_tx *tx, const struct pull_work *w)
{
	const struct code_body *body = &w->code.body;
	const struct pull_answer *ans = call->ans;
	const char *ids[CATALOG_MATERIALS_MAX];
	struct id_facts touched;
	size_t n_ids = 0, n = 0;
	enum err e;

	for (size_t i = 0; i < ans->n; i++) {
		if (ans->materials[i].licence_id[0] != '\0')
			ids[n_ids++] = ans->materials[i].licence_id;
	}
	e = audit_ids(call, "licences", ids, n_ids, &touched);
	if (e != ERR_OK)
		return e;
	struct desk_fact facts[9 + AUDIT_ID_FACTS] = {
	    {"item", w->req->item_code, false},       {"purpose", w->req->purpose, false},
	    {"purpose.agreed", body->purpose, false}, {"code", w->code.hash_hex, false},
	    {"receipt", ans->receipt_id, false},      {"materials", statuses(call, ans), false},
	    {"holder", body->holder.code, true},      {"presenter", body->presenter.code, true},
	    {"case", w->req->case_number, true},
	};
	for (n = 0; n < touched.n; n++)
		facts[9 + n] = touched.facts[n];
	return desk_audit(call, tx, ans->complete ? "complete" : "incomplete", facts, 9 + n);
}

static enum err pull_commit(struct desk_call *call, struct store_tx *tx)
{
	struct pull_work *w = call->work;
	struct pull_answer *ans = call->ans;
	enum err e = code_spend(call, tx, &w->code);

	if (e == ERR_OK)
		e = lines_same(call, tx, w);
	if (e == ERR_OK)
		e = pull_entry(call, tx, w);
	if (e == ERR_OK)
		e = receipt_store(call, tx, &w->draft);
	if (e == ERR_OK)
		ans->time = w->draft.receipt.time;
	return e;
}

const struct use_case use_pull = {
    .action = "pull",
    .roles = ROLE_WINDOW,
    .flags = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT,
    .prepare = pull_prepare,
    .commit = pull_commit,
};
