/* What a wallet sees of a holder's licences, and the preview of a use. */
#include "desk/show.h"

struct holder_work {
	const struct holder_request *req;
	struct type_cache types;
	struct holder_rows rows;
	struct fetched *fetched; /* of each row: for the issuer's name */
	struct preview preview;
};

static enum err fetch_rows(struct desk_call *call, struct store_tx *tx, struct holder_work *w)
{
	const struct licence_type *type;
	enum err e = ERR_OK;

	w->fetched = arena_array(call->arena, w->rows.n, sizeof(*w->fetched));
	if (w->fetched == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < w->rows.n; i++) {
		e = source_fetch_row(call, tx, &w->rows.rows[i], &w->fetched[i]);
		if (e == ERR_OK)
			e = type_cached(call, tx, &w->types, w->rows.rows[i].row.type_code, &type);
	}
	return e;
}

static enum err holder_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct holder_work *w = call->work;
	enum err e = source_holder_rows(call, tx, &w->req->holder, "", &w->rows);

	if (e == ERR_OK)
		e = fetch_rows(call, tx, w);
	if (e == ERR_OK && w->req->item_code[0] != '\0')
		e = preview_read(call, tx, &w->types, w->req->item_code, &w->rows, &w->preview);
	return e;
}

static const struct licence_type *type_of(const struct type_cache *c, const char *code)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->types[i]->code, code) == 0)
			return c->types[i];
	}
	return NULL;
}

/* Names of the fields that a show-code may carry. */
static enum err face_names(struct desk_call *call, const struct licence_type *t, struct holder_licence *out)
{
	if (t == NULL)
		return ERR_OK;
	out->face = arena_array(call->arena, t->n_fields, sizeof(*out->face));
	if (out->face == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < t->n_fields; i++) {
		if (t->fields[i].face)
			out->face[out->n_face++] = t->fields[i].name;
	}
	return ERR_OK;
}

/* The issuer's name, which stands in the record only. A record that does not parse is for the use to judge. */
static const char *issuer_name(struct desk_call *call, const struct fetched *f)
{
	struct licence_record record;

	if (f->source == NULL || f->damaged || !fetched_record(call, f, &record))
		return "";
	return record.issuer_name;
}

static enum err list_licences(struct desk_call *call, const struct holder_work *w, struct holder_answer *ans)
{
	int64_t now = desk_now(call);
	enum err e = ERR_OK;

	ans->licences = arena_array(call->arena, w->rows.n, sizeof(*ans->licences));
	if (ans->licences == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < w->rows.n; i++) {
		const struct licence_type *t = type_of(&w->types, w->rows.rows[i].row.type_code);
		struct holder_licence *l = &ans->licences[i];

		l->row = w->rows.rows[i].row;
		l->row.state = licence_state_at(&w->rows.rows[i].row, now, &l->row.state_since);
		l->type_name = t != NULL ? t->name : "";
		l->issuer_name = issuer_name(call, &w->fetched[i]);
		e = face_names(call, t, l);
	}
	ans->n = e == ERR_OK ? w->rows.n : 0;
	return e;
}

static enum err list_preview(struct desk_call *call, const struct preview *p, struct holder_answer *ans)
{
	ans->preview = arena_array(call->arena, p->n, sizeof(*ans->preview));
	if (ans->preview == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < p->n; i++) {
		const struct preview_line *line = &p->lines[i];

		ans->preview[i] = (struct preview_material){
		    .material = line->material,
		    .type_name = line->type != NULL ? line->type->name : "",
		    .licence_id = line->judged.id,
		    .state = line->judged.state,
		    .n_fields = line->n_fields,
		    .fields = line->fields,
		};
	}
	ans->n_preview = p->n;
	ans->item_name = p->item.name;
	memcpy(ans->preview_digest, p->digest, SM3_LEN);
	return ERR_OK;
}

static enum err holder_prepare(struct desk_call *call)
{
	const struct holder_request *req = call->req;
	struct holder_answer *ans = call->ans;
	struct holder_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e = presenter_check(call, &req->holder, &req->presenter);

	if (e == ERR_OK)
		e = may_text(call, req->item_code, DESK_TEXT_MAX, "item_code");
	if (e != ERR_OK || w == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	*ans = (struct holder_answer){.item_name = ""};
	w->req = req;
	call->work = w;
	e = desk_read(call, holder_read);
	if (e == ERR_OK)
		e = list_licences(call, w, ans);
	if (e != ERR_OK || req->item_code[0] == '\0')
		return e;
	e = preview_judge(call, &req->holder, &w->preview);
	return e == ERR_OK ? list_preview(call, &w->preview, ans) : e;
}

/* The preview has values in it: they leave only with an entry, and only of licences that are still as they were. */
static enum err holder_commit(struct desk_call *call, struct store_tx *tx)
{
	const struct holder_work *w = call->work;
	struct desk_fact facts[WALLET_FACTS + 1];
	struct wallet_facts wallet;
	enum err e = judged_unchanged(call, tx) ? ERR_OK : preview_same(tx, &w->preview);

	wallet_facts(&wallet, &w->req->holder, &w->req->presenter);
	memcpy(facts, wallet.facts, sizeof(wallet.facts));
	facts[WALLET_FACTS] = (struct desk_fact){"item", w->req->item_code, false};
	return e == ERR_OK ? desk_audit(call, tx, "ok", facts, WALLET_FACTS + 1) : e;
}

const struct use_case use_holder_licences = {
    .action = "holder.licences",
    .roles = ROLE_WALLET,
    .flags = USE_COMMIT,
    .prepare = holder_prepare,
    .commit = holder_commit,
};
