#include "desk/known.h"

enum licence_state licence_state_at(const struct licence_row *row, int64_t now, int64_t *since)
{
	bool expired = row->state == LICENCE_VALID && row->valid_to != 0 && now > row->valid_to;

	if (since != NULL)
		*since = expired ? row->valid_to : row->state_since;
	return expired ? LICENCE_EXPIRED : row->state;
}

const char *licence_state_name(enum licence_state s)
{
	static const char *const names[] = {"", "valid", "suspended", "revoked", "cancelled", "expired"};

	return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "";
}

const struct licence_holder *record_holder(const struct licence_record *r, size_t i)
{
	return r != NULL && i < r->n_holders ? &r->holders[i] : NULL;
}

const char *record_holder_name(const struct licence_record *r, const struct licence_holder *h)
{
	for (size_t i = 0; i < r->n_holders; i++) {
		if (strcmp(r->holders[i].code_type, h->code_type) == 0 && strcmp(r->holders[i].code, h->code) == 0)
			return r->holders[i].name;
	}
	return NULL;
}

bool record_has_holder(const struct licence_record *r, const struct licence_holder *h)
{
	return record_holder_name(r, h) != NULL;
}

/* A genuine file under another licence's row would lend it that row's state: what both say must be equal. */
static bool record_of_row(const struct licence_record *r, const struct licence_row *row)
{
	return strcmp(r->id, row->id) == 0 && strcmp(r->type_code, row->type_code) == 0 &&
	       strcmp(r->issuer_code, row->issuer_code) == 0 && r->valid_from == row->valid_from &&
	       r->valid_to == row->valid_to;
}

/* Why its state does not allow a use at `now`; "" when it does. */
static const char *state_hinders(const struct judged *j, int64_t now)
{
	switch (j->state) {
	case LICENCE_VALID:
		return now < j->row->valid_from ? "The licence is not valid yet." : "";
	case LICENCE_SUSPENDED:
		return "The licence is suspended.";
	case LICENCE_REVOKED:
		return "The licence has been revoked.";
	case LICENCE_CANCELLED:
		return "The licence has been cancelled.";
	case LICENCE_EXPIRED:
		return "The licence has expired.";
	}
	return "The licence's state is not known.";
}

/* Why it is not genuine; "" when it is. NULL when out of memory. */
static const char *doubt(struct desk_call *call, const struct fetched *f, const struct report *r)
{
	if (f->damaged)
		return "The stored licence is damaged. Its issuer must restore it.";
	if (r->indication != TOTAL_PASSED)
		return arena_printf(call->arena, "The licence does not verify: %s.", desk_verdict_text(call->arena, r));
	if (r->licence == NULL || !record_of_row(r->licence, &f->got.row))
		return "The stored state belongs to another licence.";
	if (f->got.seal_then > SEAL_ACTIVE)
		return "The licence's seal was suspended or revoked when it was used.";
	return "";
}

/* Nothing was fetched: say why. */
static enum err judge_absent(const struct fetched *f, struct judged *out)
{
	out->unavailable = f->unavailable;
	out->why =
	    f->unavailable ? "The source of the licence could not be asked. Try again later." : "There is no such licence.";
	return ERR_OK;
}

/* As it would be said now. */
static enum err known_report(struct desk_call *call, const struct fetched *f, struct report **out)
{
	struct report *r = arena_alloc(call->arena, sizeof(*r));

	if (r == NULL)
		return ERR_BUDGET;
	*r = *f->known->report;
	r->judged_at = f->got.as_of;
	*out = r;
	return ERR_OK;
}

static enum err verify_fetched(struct desk_call *call, int64_t now, const struct fetched *f, struct report **out)
{
	const struct verify_input in = {.bytes = f->got.file, .now = now, .proven_time = f->got.row.issued};

	return f->known != NULL ? known_report(call, f, out) : verify_licence(call->arena, call->desk->strict, &in, out);
}

enum err licence_judge(struct desk_call *call, int64_t now, const struct fetched *f, struct judged *out)
{
	struct judged j = {.source = f->source, .id = f->source != NULL ? f->id : "", .why = ""};
	struct report *r;
	enum err e;

	*out = j;
	if (f->source == NULL)
		return judge_absent(f, out);
	e = verify_fetched(call, now, f, &r);
	if (e != ERR_OK)
		return e;
	j.report = r;
	j.as_of = f->got.as_of;
	j.why = f->known != NULL ? "" : doubt(call, f, r);
	if (j.why == NULL)
		return ERR_BUDGET;
	j.genuine = j.why[0] == '\0';
	j.record = j.genuine ? r->licence : NULL;
	if (!f->damaged) {
		j.row = &f->got.row;
		j.seal_version = f->got.seal_version;
		j.state = licence_state_at(j.row, now, &j.state_since);
	}
	if (j.genuine && f->known == NULL && source_is_kept(call, f->source))
		known_keep(call, f, r);
	if (j.genuine)
		j.why = state_hinders(&j, now);
	j.usable = j.genuine && j.why[0] == '\0';
	*out = j;
	return ERR_OK;
}

bool judged_unchanged(const struct desk_call *call, const struct store_tx *tx)
{
	return store_unchanged(tx, STORE_LICENCES, call->epochs[STORE_LICENCES]) &&
	       store_unchanged(tx, STORE_SEALS, call->epochs[STORE_SEALS]);
}

enum err judged_same(struct store_tx *tx, const struct judged *j)
{
	if (j->row == NULL || !source_is_local(j->source))
		return ERR_OK;
	return store_licence_sealed_same(tx, j->row->id, j->row->version, j->row->seal_id, j->seal_version);
}
