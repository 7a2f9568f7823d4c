/* Seals that are kept: reading, changes of state, signing a digest. Making and importing them is in seal_make.c. */
#include "desk/seal.h"
#include "base/text.h"

enum { CHANGE = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT, READERS = ROLE_SEALER | ROLE_ISSUER | ROLE_AUDIT };

struct seal_work {
	const char *id;
	struct seal_row row;
	size_t n_events;
	struct state_event *events;
	struct span signature;
};

/* Sealers and auditors see all seals, an issuer those of its own organisation. */
static bool sees_all(const struct principal *p)
{
	return (p->roles & (ROLE_SEALER | ROLE_AUDIT)) != 0;
}

static enum err row_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct seal_work *w = call->work;
	enum err e = store_seal_get(tx, call->arena, w->id, &w->row);

	if (e == ERR_NOT_FOUND)
		return err_note_set(&call->note, ERR_SEAL_UNKNOWN, "id", NULL);
	return e == ERR_OK ? store_seal_events(tx, call->arena, w->id, &w->events, &w->n_events) : e;
}

/* The seal and its history, without asking whose it is. */
static enum err seal_read(struct desk_call *call, const char *id, const char *field, struct seal_work **out)
{
	struct seal_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e;

	if (w == NULL)
		return ERR_BUDGET;
	e = need_text(call, id, SEAL_ID_MAX, ERR_FIELD_MISSING, field);
	if (e != ERR_OK)
		return e;
	w->id = id;
	call->work = w;
	e = desk_read(call, row_read);
	if (e == ERR_OK)
		*out = w;
	return e;
}

static enum err own_seal_read(struct desk_call *call, const char *id, struct seal_work **out)
{
	struct seal_work *w = NULL;
	enum err e = seal_read(call, id, "id", &w);

	if (e == ERR_OK && !sees_all(&call->caller) && strcmp(w->row.owner_code, call->caller.org_code) != 0)
		e = ERR_SEAL_NOT_OWN;
	if (e == ERR_OK)
		*out = w;
	return e;
}

/* ---- get, history --------------------------------------------------------------------------- */

static enum err get(struct desk_call *call)
{
	const struct by_id_request *q = call->req;
	struct seal_work *w = NULL;
	enum err e = own_seal_read(call, q->id, &w);

	if (e == ERR_OK)
		*(struct seal_answer *)call->ans = (struct seal_answer){w->row, desk_can_sign(call->desk, w->row.der)};
	return e;
}

static enum err history(struct desk_call *call)
{
	const struct by_id_request *q = call->req;
	struct seal_work *w = NULL;
	enum err e = own_seal_read(call, q->id, &w);

	if (e == ERR_OK)
		*(struct history_answer *)call->ans = (struct history_answer){w->n_events, w->events};
	return e;
}

/* ---- list ----------------------------------------------------------------------------------- */

/* Rows of a list come without the seal's bytes: look into each, one at a time. */
static enum err can_sign(struct desk_call *call, struct store_tx *tx, const struct seal_row *row, bool *out)
{
	struct arena *a = arena_new(2 * SES_MAX);
	struct span der;
	enum err e = a != NULL ? store_seal_der(tx, a, row->hash, &der) : ERR_NO_MEMORY;

	if (e == ERR_OK)
		*out = desk_can_sign(call->desk, der);
	arena_free(a);
	return e;
}

static const char *list_owner(const struct desk_call *call)
{
	const struct seal_list_request *q = call->req;

	return q->owner_code[0] == '\0' && !sees_all(&call->caller) ? call->caller.org_code : q->owner_code;
}

static enum err list_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	const struct seal_list_request *q = call->req;
	struct seal_list_answer ans = {.next = ""};
	struct seal_row *rows = NULL;
	size_t n = 0, i, max = desk_page(q->page_size);
	enum err e = store_seal_list(tx, call->arena, list_owner(call), q->page_token, max + 1, &rows, &n);

	if (e != ERR_OK)
		return e;
	ans.n = n < max ? n : max;
	if (n > max)
		ans.next = rows[max - 1].id;
	ans.seals = arena_array(call->arena, ans.n, sizeof(*ans.seals));
	if (ans.seals == NULL)
		return ERR_BUDGET;
	for (i = 0; e == ERR_OK && i < ans.n; i++) {
		ans.seals[i].seal = rows[i];
		e = can_sign(call, tx, &rows[i], &ans.seals[i].can_sign);
	}
	if (e == ERR_OK)
		*(struct seal_list_answer *)call->ans = ans;
	return e;
}

static enum err list(struct desk_call *call)
{
	const struct seal_list_request *q = call->req;
	enum err e = may_text(call, q->page_token, SEAL_ID_MAX, "page_token");

	if (e == ERR_OK && q->owner_code[0] != '\0' && !credit_code_ok(span_str(q->owner_code)))
		e = err_note_set(&call->note, ERR_ORG_CODE_INVALID, "owner_code", NULL);
	if (e == ERR_OK && strcmp(list_owner(call), call->caller.org_code) != 0 && !sees_all(&call->caller))
		e = ERR_SEAL_NOT_OWN;
	return e == ERR_OK ? desk_read(call, list_read) : e;
}

/* ---- change of state ------------------------------------------------------------------------ */

/* active <-> suspended, either -> revoked; revoked is final. */
static bool may_become(enum seal_state from, int to)
{
	if (from == SEAL_REVOKED || (int)from == to)
		return false;
	return to == SEAL_ACTIVE || to == SEAL_SUSPENDED || to == SEAL_REVOKED;
}

static enum err status_prepare(struct desk_call *call)
{
	const struct status_request *q = call->req;
	struct seal_work *w = NULL;
	enum err e = need_text(call, q->reason, DESK_PURPOSE_MAX, ERR_FIELD_MISSING, "reason");

	if (e == ERR_OK)
		e = seal_read(call, q->id, "id", &w);
	if (e != ERR_OK)
		return e;
	if (!may_become(w->row.state, q->state))
		return err_note_set(&call->note, ERR_STATE_CHANGE_INVALID, "state", "The seal is %s.",
		                    seal_state_name(w->row.state));
	if (q->effective != 0 && (q->effective > desk_now(call) || q->effective < w->row.valid_start))
		return err_note_set(&call->note, ERR_TIME_INVALID, "effective",
		                    "Not in the future, and not before the seal's validity.");
	return ERR_OK;
}

static enum err status_commit(struct desk_call *call, struct store_tx *tx)
{
	const struct status_request *q = call->req;
	const struct seal_work *w = call->work;
	struct seal_answer *ans = call->ans;
	int64_t from = q->effective != 0 ? q->effective : store_tx_now(tx);
	struct state_event event = {
	    .state = q->state, .reason = (char *)(uintptr_t)q->reason, .effective = from, .principal = call->caller.id};
	const struct desk_fact facts[] = {
	    {"seal", w->row.id, false},
	    {"owner", w->row.owner_code, false},
	    {"from", seal_state_name(w->row.state), false},
	    {"to", seal_state_name((enum seal_state)q->state), false},
	    {"effective", time_text(call->arena, from), false},
	    {"reason", q->reason, true}, /* free text may name people */
	};
	enum err e = store_seal_change(tx, w->row.id, w->row.version, &event);

	if (e == ERR_OK)
		e = desk_audit(call, tx, "ok", facts, sizeof(facts) / sizeof(facts[0]));
	if (e != ERR_OK)
		return e;
	*ans = (struct seal_answer){w->row, desk_can_sign(call->desk, w->row.der)};
	ans->seal.state = (enum seal_state)q->state;
	ans->seal.version = w->row.version + 1;
	return ERR_OK;
}

/* ---- signing a digest ----------------------------------------------------------------------- */

static bool is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

/* Scopes of our own say that the use case behind them made its checks: nobody signs a licence record as a mere digest.
 */
static enum err scope_check(struct desk_call *call, const char *scope)
{
	enum err e = need_text(call, scope, DESK_TEXT_MAX, ERR_FIELD_MISSING, "property_info");

	if (e == ERR_OK && !is_printable(scope))
		e = err_note_set(&call->note, ERR_FIELD_INVALID, "property_info", "Printable ASCII only.");
	if (e == ERR_OK && strncmp(scope, "yinzheng:", 9) == 0)
		e = err_note_set(&call->note, ERR_FIELD_INVALID, "property_info",
		                 "Scopes of yinzheng: are made by the service.");
	return e;
}

static enum err sign_prepare(struct desk_call *call)
{
	const struct sign_request *q = call->req;
	struct seal_work *w = NULL;
	struct seal_use use;
	enum err e = need_text(call, q->purpose, DESK_PURPOSE_MAX, ERR_PURPOSE_MISSING, "purpose");

	if (e == ERR_OK)
		e = scope_check(call, q->property_info);
	if (e == ERR_OK && q->digest.len != SM3_LEN)
		e = err_note_set(&call->note, ERR_FIELD_INVALID, "digest", "An SM3 digest has %d bytes.", SM3_LEN);
	if (e == ERR_OK)
		e = seal_read(call, q->seal_id, "seal_id", &w);
	if (e != ERR_OK)
		return e;
	if (strcmp(w->row.owner_code, call->caller.org_code) != 0)
		return ERR_SEAL_NOT_OWN;
	use = (struct seal_use){.row = &w->row, .scope = q->property_info};
	memcpy(use.digest, q->digest.ptr, SM3_LEN);
	return desk_seal_sign(call, &use, &w->signature);
}

static enum err sign_commit(struct desk_call *call, struct store_tx *tx)
{
	const struct sign_request *q = call->req;
	const struct seal_work *w = call->work;
	const struct desk_fact facts[] = {
	    {"seal", w->row.id, false},
	    {"digest", hex_text(call->arena, q->digest), false},
	    {"property_info", q->property_info, true}, /* may be a file's name, with a person's in it */
	    {"purpose", q->purpose, false},
	};
	enum err e = store_seal_same(tx, w->row.id, w->row.version);

	if (e == ERR_OK)
		e = desk_audit(call, tx, "ok", facts, sizeof(facts) / sizeof(facts[0]));
	if (e == ERR_OK)
		((struct sign_answer *)call->ans)->signature = w->signature;
	return e;
}

const struct use_case use_seal_get = {
    .action = "seal.get", .roles = READERS, .flags = 0, .prepare = get, .commit = NULL};
const struct use_case use_seal_list = {
    .action = "seal.list", .roles = READERS, .flags = 0, .prepare = list, .commit = NULL};
const struct use_case use_seal_history = {
    .action = "seal.history", .roles = READERS, .flags = 0, .prepare = history, .commit = NULL};
const struct use_case use_seal_status = {
    .action = "seal.status", .roles = ROLE_SEALER, .flags = CHANGE, .prepare = status_prepare, .commit = status_commit};
const struct use_case use_seal_sign = {
    .action = "seal.sign", .roles = ROLE_ISSUER, .flags = CHANGE, .prepare = sign_prepare, .commit = sign_commit};
