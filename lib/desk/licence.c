/* An agency reads its licences and changes their state; own types and own licences only. */
#include "desk/flow.h"

struct licence_work {
	const char *id;
	bool want_file, want_events;
	struct fetched fetched; /* its source is the local store: what an agency issued here */
	struct licence_record record;
	struct state_event *events;
	size_t n_events;
	struct state_event change; /* of a change of state */
};

static enum err refuse(struct desk_call *call, enum err e, const char *field, const char *help)
{
	return err_note_set(&call->note, e, field, help != NULL ? "%s" : NULL, help);
}

/* ---- finding an own licence ----------------------------------------------------------------- */

static enum err own_check(struct desk_call *call, const struct licence_row *row)
{
	if (strcmp(row->issuer_code, call->caller.org_code) != 0)
		return refuse(call, ERR_LICENCE_NOT_OWN, "id", NULL);
	return desk_allows_type(&call->caller, row->type_code) ? ERR_OK : refuse(call, ERR_TYPE_NOT_OWN, "id", NULL);
}

static enum err own_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct licence_work *w = call->work;
	struct licence_row *row = &w->fetched.got.row;
	const struct source local = source_local();
	enum err e = w->want_file ? local.get(NULL, tx, call->arena, w->id, &w->fetched.got)
	                          : store_licence_get(tx, call->arena, w->id, row);

	if (e == ERR_NOT_FOUND)
		return refuse(call, ERR_LICENCE_UNKNOWN, "id", NULL);
	if (e == ERR_OK)
		e = own_check(call, row);
	if (e == ERR_OK && w->want_events)
		e = store_licence_events(tx, call->arena, w->id, &w->events, &w->n_events);
	if (e == ERR_OK && licence_record_parse(call->arena, row->record, &w->record, NULL) != ERR_OK)
		e = ERR_STORE_CORRUPT;
	return e;
}

static enum err own_find(struct desk_call *call, const char *id, bool want_file, bool want_events)
{
	struct licence_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e = need_text(call, id, LICENCE_ID_MAX, ERR_FIELD_MISSING, "id");

	if (e != ERR_OK || w == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	w->id = id;
	w->want_file = want_file;
	w->want_events = want_events;
	call->work = w;
	return desk_read(call, own_read);
}

static void answer(struct desk_call *call, const struct licence_work *w)
{
	struct licence_answer *ans = call->ans;

	*ans = (struct licence_answer){.record = w->record, .seal_id = w->fetched.got.row.seal_id};
	ans->state = licence_state_at(&w->fetched.got.row, desk_now(call), &ans->state_since);
}

/* Personal data is read: not without an entry. */
static enum err entry(struct desk_call *call, struct store_tx *tx, const char *state, const char *reason)
{
	const struct licence_work *w = call->work;
	const struct desk_fact facts[] = {
	    {"type", w->fetched.got.row.type_code, false},
	    {"state", state, false},
	    {"licence", w->id, true},
	    {"reason", reason, true},
	};

	return desk_audit(call, tx, "ok", facts, sizeof(facts) / sizeof(facts[0]));
}

static enum err read_commit(struct desk_call *call, struct store_tx *tx)
{
	return entry(call, tx, "", "");
}

/* ---- get, file, history --------------------------------------------------------------------- */

static enum err get_prepare(struct desk_call *call)
{
	const struct by_id_request *req = call->req;
	enum err e = own_find(call, req->id, false, false);

	if (e == ERR_OK)
		answer(call, call->work);
	return e;
}

static enum err file_prepare(struct desk_call *call)
{
	const struct by_id_request *req = call->req;
	struct file_answer *ans = call->ans;
	enum err e = own_find(call, req->id, true, false);

	if (e == ERR_OK)
		ans->file = ((const struct licence_work *)call->work)->fetched.got.file;
	return e;
}

static enum err history_prepare(struct desk_call *call)
{
	const struct by_id_request *req = call->req;
	struct history_answer *ans = call->ans;
	enum err e = own_find(call, req->id, false, true);
	const struct licence_work *w = call->work;

	if (e == ERR_OK)
		*ans = (struct history_answer){.n = w->n_events, .events = w->events};
	return e;
}

/* ---- list ----------------------------------------------------------------------------------- */

struct list_work {
	struct licence_row *rows;
	const char **names;
	size_t n;
	char *next;
};

static enum err list_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	const struct licence_list_request *req = call->req;
	struct type_cache *types = arena_alloc(call->arena, sizeof(*types));
	struct list_work *w = call->work;
	enum err e = store_licence_list(tx, call->arena, call->caller.org_code, req->type_code, req->page_token,
	                                desk_page(req->page_size), &w->rows, &w->n, &w->next);

	if (e == ERR_OK)
		w->names = arena_array(call->arena, w->n, sizeof(*w->names));
	if (e != ERR_OK || w->names == NULL || types == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < w->n; i++) {
		const struct licence_type *t = NULL;

		e = type_cached(call, tx, types, w->rows[i].type_code, &t);
		w->names[i] = t != NULL ? t->name : "";
	}
	return e;
}

/* Own types only: others' are left out of a page, so that a page may hold fewer than asked for. */
static void list_answer(struct desk_call *call, struct list_work *w)
{
	struct licence_list_answer *ans = call->ans;
	int64_t now = desk_now(call);
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (!desk_allows_type(&call->caller, w->rows[i].type_code))
			continue;
		w->rows[n] = w->rows[i];
		w->rows[n].state = licence_state_at(&w->rows[n], now, &w->rows[n].state_since);
		w->names[n++] = w->names[i];
	}
	*ans = (struct licence_list_answer){.n = n, .rows = w->rows, .type_names = w->names, .next = w->next};
}

static enum err list_prepare(struct desk_call *call)
{
	const struct licence_list_request *req = call->req;
	struct list_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e = may_text(call, req->type_code, DESK_TEXT_MAX, "type_code");

	if (e == ERR_OK)
		e = may_text(call, req->page_token, DESK_TEXT_MAX, "page_token");
	if (e == ERR_OK && req->type_code[0] != '\0' && !desk_allows_type(&call->caller, req->type_code))
		e = refuse(call, ERR_TYPE_NOT_OWN, "type_code", NULL);
	if (e != ERR_OK || w == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	call->work = w;
	e = desk_read(call, list_read);
	if (e == ERR_OK)
		list_answer(call, w);
	return e;
}

/* ---- changes of state ----------------------------------------------------------------------- */

static enum err change_check(struct desk_call *call, const struct status_request *r)
{
	enum err e = need_text(call, r->reason, DESK_TEXT_MAX, ERR_FIELD_MISSING, "reason");

	if (e != ERR_OK)
		return e;
	if (r->state < LICENCE_VALID || r->state > LICENCE_CANCELLED)
		return refuse(call, ERR_STATE_CHANGE_INVALID, "state",
		              "A licence becomes valid again, suspended, revoked or cancelled; it expires by time alone.");
	return r->effective <= desk_now(call)
	           ? ERR_OK
	           : refuse(call, ERR_TIME_INVALID, "effective", "A change cannot take effect in the future.");
}

/* valid -> suspended -> valid; valid or suspended (expired, too: it can still be withdrawn) -> revoked or cancelled,
 * which are final. */
static bool change_allowed(enum licence_state from, enum licence_state to)
{
	switch (from) {
	case LICENCE_VALID:
		return to != LICENCE_VALID;
	case LICENCE_SUSPENDED:
		return to != LICENCE_SUSPENDED;
	case LICENCE_EXPIRED:
		return to == LICENCE_REVOKED || to == LICENCE_CANCELLED;
	case LICENCE_REVOKED:
	case LICENCE_CANCELLED:
		return false;
	}
	return false;
}

static enum err change_plan(struct desk_call *call, const struct status_request *req, struct licence_work *w)
{
	const struct licence_row *row = &w->fetched.got.row;
	int64_t now = desk_now(call), effective = req->effective != 0 ? req->effective : now;
	enum licence_state from = licence_state_at(row, now, NULL);

	if (!change_allowed(from, (enum licence_state)req->state))
		return err_note_set(&call->note, ERR_LICENCE_STATE, "state", "A licence that is %s cannot become %s.",
		                    licence_state_name(from), licence_state_name((enum licence_state)req->state));
	if (effective < row->issued)
		return refuse(call, ERR_TIME_INVALID, "effective",
		              "A change cannot take effect before the licence was issued.");
	/* A licence may turn out to have been void for longer than it was suspended; the other way round makes no sense. */
	if (effective < row->state_since && req->state <= LICENCE_SUSPENDED)
		return refuse(call, ERR_TIME_INVALID, "effective", "This change cannot take effect before the last one did.");
	w->change = (struct state_event){
	    .state = req->state,
	    .reason = (char *)(uintptr_t)req->reason,
	    .effective = effective,
	    .principal = call->caller.id,
	};
	return ERR_OK;
}

static enum err status_prepare(struct desk_call *call)
{
	const struct status_request *req = call->req;
	enum err e = change_check(call, req);

	if (e == ERR_OK)
		e = own_find(call, req->id, false, false);
	return e == ERR_OK ? change_plan(call, req, call->work) : e;
}

static enum err status_commit(struct desk_call *call, struct store_tx *tx)
{
	struct licence_work *w = call->work;
	struct state_event change = w->change; /* the store writes into it, and a commit may run twice */
	struct licence_row after = w->fetched.got.row;
	struct licence_answer *ans = call->ans;
	enum err e = store_licence_change(tx, w->id, after.version, &change);

	if (e == ERR_OK)
		e = entry(call, tx, licence_state_name((enum licence_state)change.state), change.reason);
	if (e != ERR_OK)
		return e;
	after.state = (enum licence_state)change.state;
	after.state_since = change.effective;
	*ans = (struct licence_answer){.record = w->record, .seal_id = after.seal_id};
	ans->state = licence_state_at(&after, store_tx_now(tx), &ans->state_since);
	return ERR_OK;
}

const struct use_case use_licence_get = {
    .action = "licence.get",
    .roles = ROLE_ISSUER,
    .flags = USE_OPERATOR | USE_COMMIT,
    .prepare = get_prepare,
    .commit = read_commit,
};

const struct use_case use_licence_file = {
    .action = "licence.file",
    .roles = ROLE_ISSUER,
    .flags = USE_OPERATOR | USE_COMMIT,
    .prepare = file_prepare,
    .commit = read_commit,
};

const struct use_case use_licence_history = {
    .action = "licence.history",
    .roles = ROLE_ISSUER,
    .flags = USE_OPERATOR | USE_COMMIT,
    .prepare = history_prepare,
    .commit = read_commit,
};

const struct use_case use_licence_list = {
    .action = "licence.list",
    .roles = ROLE_ISSUER,
    .flags = USE_OPERATOR,
    .prepare = list_prepare,
};

const struct use_case use_licence_status = {
    .action = "licence.status",
    .roles = ROLE_ISSUER,
    .flags = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT,
    .prepare = status_prepare,
    .commit = status_commit,
};
