/* An agency issues a licence of its own types, sealed with its own seal. */
#include "base/text.h"
#include "desk/flow.h"
#include "form/ses.h"

enum { SERIAL_LEN = 20, SEALS_TRIED_MAX = 16, AREA_CODE_MAX = 12, VERSION_FIRST = 1 };

struct issue_work {
	const struct issue_request *req;
	struct licence_type type;
	struct seal_row seal;
	struct licence_record record;
	struct licence_row row;
};

static enum err refuse(struct desk_call *call, enum err e, const char *field, const char *help)
{
	return err_note_set(&call->note, e, field, help != NULL ? "%s" : NULL, help);
}

/* ---- holders -------------------------------------------------------------------------------- */

static bool holder_repeated(const struct issue_request *r, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(r->holders[k].code_type, r->holders[i].code_type) == 0 &&
		    strcmp(r->holders[k].code, r->holders[i].code) == 0)
			return true;
	}
	return false;
}

static enum err holders_check(struct desk_call *call, const struct issue_request *r)
{
	enum err e = ERR_OK;

	if (r->n_holders == 0)
		return refuse(call, ERR_FIELD_MISSING, "holders", "Name at least one holder.");
	if (r->n_holders > LICENCE_HOLDERS_MAX)
		return refuse(call, ERR_TOO_LARGE, "holders", "A licence has at most 64 holders.");
	for (size_t i = 0; e == ERR_OK && i < r->n_holders; i++) {
		e = need_text(call, r->holders[i].name, LICENCE_NAME_MAX, ERR_FIELD_MISSING, "holders.name");
		if (e == ERR_OK)
			e = need_text(call, r->holders[i].code, DESK_TEXT_MAX, ERR_FIELD_MISSING, "holders.code");
		if (e == ERR_OK && holder_code_check(r->holders[i].code_type, r->holders[i].code) != ERR_OK)
			e = refuse(call, ERR_HOLDER_CODE_INVALID, "holders.code", NULL);
		if (e == ERR_OK && holder_repeated(r, i))
			e = refuse(call, ERR_FIELD_INVALID, "holders", "A holder is named twice.");
	}
	return e;
}

static enum err request_check(struct desk_call *call, const struct issue_request *r)
{
	enum err e = need_text(call, r->type_code, DESK_TEXT_MAX, ERR_FIELD_MISSING, "type_code");

	if (e == ERR_OK && !desk_allows_type(&call->caller, r->type_code))
		e = refuse(call, ERR_TYPE_NOT_OWN, "type_code", NULL);
	if (e == ERR_OK)
		e = need_text(call, r->number, LICENCE_NAME_MAX, ERR_FIELD_MISSING, "number");
	if (e == ERR_OK && !text_is_trimmed(span_str(r->number))) /* else the same number could be issued again */
		e = refuse(call, ERR_FIELD_INVALID, "number", "A number begins and ends with a visible character.");
	if (e == ERR_OK && (strlen(r->area_code) > AREA_CODE_MAX || !text_only(span_str(r->area_code), "0123456789")))
		e = refuse(call, ERR_FIELD_INVALID, "area_code", "An area code is at most 12 digits.");
	if (e == ERR_OK && r->n_fields > LICENCE_FIELDS_MAX)
		e = refuse(call, ERR_TOO_LARGE, "fields", NULL);
	return e == ERR_OK ? holders_check(call, r) : e;
}

/* ---- fields, as the type defines them ------------------------------------------------------- */

static const struct licence_field *given_field(const struct issue_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		if (strcmp(r->fields[i].name, name) == 0)
			return &r->fields[i];
	}
	return NULL;
}

/* Every given field is one of the type, and given once. The name is not repeated when it is not the type's own. */
static enum err fields_known(struct desk_call *call, const struct issue_work *w)
{
	for (size_t i = 0; i < w->req->n_fields; i++) {
		const char *name = w->req->fields[i].name;

		if (licence_type_field(&w->type, name) == NULL)
			return refuse(call, ERR_FIELD_UNKNOWN, "fields", "A field is not defined by this licence type.");
		if (given_field(w->req, name) != &w->req->fields[i])
			return refuse(call, ERR_FIELD_INVALID, name, "The field is given twice.");
	}
	return ERR_OK;
}

/* In the order of the type; absent optional ones are left out. */
static enum err fields_take(struct desk_call *call, struct issue_work *w)
{
	struct licence_record *r = &w->record;
	enum err e = fields_known(call, w);

	r->fields = arena_array(call->arena, w->type.n_fields, sizeof(*r->fields));
	if (e != ERR_OK || r->fields == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < w->type.n_fields; i++) {
		const struct field_type *f = &w->type.fields[i];
		const struct licence_field *given = given_field(w->req, f->name);
		bool absent = given == NULL || text_is_blank(span_str(given->value));

		if (absent && f->required)
			return refuse(call, ERR_FIELD_MISSING, f->name, NULL);
		if (absent)
			continue;
		if (strlen(given->value) > LICENCE_VALUE_MAX)
			return refuse(call, ERR_FIELD_TOO_LONG, f->name, NULL);
		e = field_value_check(f, given->value, &call->note);
		r->fields[r->n_fields++] = (struct licence_field){f->name, given->value};
	}
	return e;
}

/* ---- validity ------------------------------------------------------------------------------- */

/* The same day some months later; a day that the month does not have becomes its last one. */
static enum err months_later(int64_t from, unsigned months, int64_t *out)
{
	int y, mo, d, h, mi, s, total;
	enum err e = ERR_TIME_INVALID;

	time_to_parts(from, &y, &mo, &d, &h, &mi, &s);
	total = y * 12 + mo - 1 + (int)months;
	for (int day = d; e != ERR_OK && day > d - 4 && day > 0; day--)
		e = time_from_parts(total / 12, total % 12 + 1, day, h, mi, s, out);
	return e;
}

/* Validity by the type's rule: what is stated may be shorter, not longer. */
static enum err validity(struct desk_call *call, struct issue_work *w)
{
	struct licence_record *r = &w->record;
	unsigned months = w->type.validity_months;
	int64_t limit = 0;

	r->valid_from = w->req->valid_from != 0 ? w->req->valid_from : r->issued;
	if (months != 0 && months_later(r->valid_from, months, &limit) != ERR_OK)
		return refuse(call, ERR_TIME_INVALID, "valid_from", NULL);
	r->valid_to = w->req->valid_to != 0 ? w->req->valid_to : limit;
	if (r->valid_to != 0 && r->valid_to <= r->valid_from)
		return refuse(call, ERR_TIME_INVALID, "valid_to", "The validity must end after it begins.");
	if (r->valid_to != 0 && r->valid_to <= r->issued)
		return refuse(call, ERR_TIME_INVALID, "valid_to", "The validity must end in the future.");
	if (limit != 0 && r->valid_to > limit)
		return refuse(call, ERR_TIME_INVALID, "valid_to", "The validity is longer than the licence type allows.");
	return ERR_OK;
}

/* ---- the seal ------------------------------------------------------------------------------- */

static enum err seal_named(struct desk_call *call, struct store_tx *tx, struct issue_work *w)
{
	enum err e = store_seal_get(tx, call->arena, w->req->seal_id, &w->seal);

	if (e == ERR_NOT_FOUND)
		return refuse(call, ERR_SEAL_UNKNOWN, "seal_id", NULL);
	if (e == ERR_OK && strcmp(w->seal.owner_code, call->caller.org_code) != 0)
		return refuse(call, ERR_SEAL_NOT_OWN, "seal_id", NULL);
	return e;
}

/* The agency's only seal that is active now and has a key here; several, or none, must be named. */
static enum err seal_only_one(struct desk_call *call, struct store_tx *tx, struct issue_work *w)
{
	int64_t now = store_tx_now(tx);
	struct seal_row *rows;
	size_t n, found = 0;
	enum err e = store_seal_list(tx, call->arena, call->caller.org_code, "", SEALS_TRIED_MAX + 1, &rows, &n);

	for (size_t i = 0; e == ERR_OK && i < n && n <= SEALS_TRIED_MAX; i++) {
		struct seal_row full;

		if (rows[i].state != SEAL_ACTIVE || now < rows[i].valid_start || now > rows[i].valid_end)
			continue;
		e = store_seal_get(tx, call->arena, rows[i].id, &full);
		if (e != ERR_OK || !desk_can_sign(call->desk, full.der))
			continue;
		w->seal = full;
		found++;
	}
	if (e != ERR_OK || found == 1)
		return e;
	return refuse(call, ERR_FIELD_MISSING, "seal_id",
	              found == 0 ? "Your organisation has no active seal that can sign here. Name the seal."
	                         : "Your organisation has several seals. Name the seal.");
}

static enum err issue_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct issue_work *w = call->work;
	enum err e = desk_type_get(tx, call->arena, w->req->type_code, &w->type);

	if (e != ERR_OK)
		return e == ERR_TYPE_UNKNOWN ? refuse(call, e, "type_code", NULL) : e;
	return w->req->seal_id[0] != '\0' ? seal_named(call, tx, w) : seal_only_one(call, tx, w);
}

/* ---- the record ----------------------------------------------------------------------------- */

static enum err identifier(struct desk_call *call, struct issue_work *w)
{
	char *serial = (char *)(uintptr_t)w->req->serial;
	enum err e = ERR_OK;

	if (serial[0] == '\0')
		e = desk_random_text(call, "", SERIAL_LEN, &serial);
	if (e == ERR_OK)
		e = licence_id_make(call->arena, w->type.code, call->caller.org_code, serial, VERSION_FIRST, &w->record.id);
	return e == ERR_LICENCE_ID_INVALID
	           ? refuse(call, e, "serial", "Serials are digits and upper-case letters; the issuer has a credit code.")
	           : e;
}

static enum err make_record(struct desk_call *call, struct issue_work *w)
{
	struct licence_record *r = &w->record;
	enum err e;

	r->type_code = w->type.code;
	r->type_name = w->type.name;
	r->number = (char *)(uintptr_t)w->req->number;
	r->version = VERSION_FIRST;
	r->issuer_code = call->caller.org_code;
	r->issuer_name = call->caller.org_name;
	r->definer_code = w->type.definer_code;
	r->issued = desk_now(call);
	r->area_code = (char *)(uintptr_t)w->req->area_code;
	r->previous_id = "";
	r->n_holders = w->req->n_holders;
	r->holders = (struct licence_holder *)(uintptr_t)w->req->holders;
	e = validity(call, w);
	if (e == ERR_OK)
		e = fields_take(call, w);
	if (e == ERR_OK)
		e = identifier(call, w);
	return e == ERR_OK ? licence_record_encode(call->arena, r, &w->row.record) : e;
}

/* ---- sealing -------------------------------------------------------------------------------- */

/* A signature embeds its whole seal; the store keeps the seal once, and of the signature what stands around it. */
static enum err split(struct desk_call *call, struct span signature, struct licence_row *row)
{
	struct ses_signature sig;
	size_t head;
	enum err e = ses_signature_parse(call->arena, signature, &sig, NULL);

	if (e != ERR_OK)
		return e;
	head = (size_t)(sig.seal.raw.ptr - signature.ptr);
	row->sig_head = span_sub(signature, 0, head);
	row->sig_tail = span_sub(signature, head + sig.seal.raw.len, signature.len);
	return ERR_OK;
}

/* The licence as a stranger will see it must verify, or it is not issued. */
static enum err verify_result(struct desk_call *call, const struct issue_work *w, struct span signature)
{
	struct verify_input in = {.now = desk_now(call)};
	struct report *r;
	enum err e = licence_file_encode(call->arena, w->row.record, signature, &in.bytes);

	in.proven_time = in.now;
	if (e == ERR_OK)
		e = verify_licence(call->arena, call->desk->strict, &in, &r);
	if (e != ERR_OK || r->indication == TOTAL_PASSED)
		return e;
	return err_note_set(&call->note, ERR_SEAL_INVALID, "seal_id", "The licence would not verify: %s.",
	                    desk_verdict_text(call->arena, r));
}

static enum err seal_record(struct desk_call *call, struct issue_work *w)
{
	struct seal_use use = {.row = &w->seal, .scope = LICENCE_SCOPE};
	struct span signature;
	enum err e = sm3(w->row.record, use.digest);

	if (e == ERR_OK)
		e = desk_seal_sign(call, &use, &signature);
	if (e == ERR_OK)
		e = verify_result(call, w, signature);
	return e == ERR_OK ? split(call, signature, &w->row) : e;
}

static void fill_row(struct issue_work *w)
{
	struct licence_row *row = &w->row;

	row->id = w->record.id;
	row->type_code = w->record.type_code;
	row->issuer_code = w->record.issuer_code;
	row->seal_id = w->seal.id;
	row->state = LICENCE_VALID;
	row->valid_from = w->record.valid_from;
	row->valid_to = w->record.valid_to;
	memcpy(row->seal_hash, w->seal.hash, SM3_LEN);
}

static enum err issue_prepare(struct desk_call *call)
{
	const struct issue_request *req = call->req;
	struct issue_work *w = arena_alloc(call->arena, sizeof(*w));
	enum err e = request_check(call, req);

	if (e != ERR_OK || w == NULL)
		return e != ERR_OK ? e : ERR_BUDGET;
	w->req = req;
	call->work = w;
	e = desk_read(call, issue_read);
	if (e == ERR_OK)
		e = make_record(call, w);
	if (e == ERR_OK)
		e = seal_record(call, w);
	if (e == ERR_OK)
		fill_row(w);
	return e;
}

/* ---- commit --------------------------------------------------------------------------------- */

static enum err insert(struct desk_call *call, struct store_tx *tx, struct issue_work *w)
{
	struct holder_key *keys = arena_array(call->arena, w->record.n_holders, sizeof(*keys));
	enum err e;

	if (keys == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < w->record.n_holders; i++)
		keys[i] = (struct holder_key){w->record.holders[i].code_type, w->record.holders[i].code};
	/* The store's own time, never before the signature: later it proves when the seal was used. */
	w->row.issued = w->row.state_since = store_tx_now(tx);
	e = store_licence_insert(tx, &w->row, w->record.number, keys, w->record.n_holders, call->caller.id);
	if (e == ERR_ALREADY_EXISTS)
		e = refuse(call, e, "number", "A licence of this type with this number or identifier was issued already.");
	return e;
}

static enum err issue_entry(struct desk_call *call, struct store_tx *tx, const struct issue_work *w)
{
	enum { OWN = 4 };
	const char *codes[LICENCE_HOLDERS_MAX];
	struct desk_fact facts[OWN + AUDIT_ID_FACTS] = {
	    {"type", w->record.type_code, false},
	    {"seal", w->seal.id, false},
	    {"licence", w->record.id, true},
	    {"number", w->record.number, true},
	};
	struct id_facts holders;
	enum err e;

	for (size_t i = 0; i < w->record.n_holders; i++)
		codes[i] = w->record.holders[i].code;
	e = audit_ids(call, "holders", codes, w->record.n_holders, &holders);
	for (size_t i = 0; e == ERR_OK && i < holders.n; i++)
		facts[OWN + i] = holders.facts[i];
	return e == ERR_OK ? desk_audit(call, tx, "ok", facts, OWN + holders.n) : e;
}

static enum err issue_commit(struct desk_call *call, struct store_tx *tx)
{
	struct issue_work *w = call->work;
	struct licence_answer *ans = call->ans;
	enum err e = store_seal_same(tx, w->seal.id, w->seal.version);

	if (e == ERR_OK)
		e = insert(call, tx, w);
	if (e == ERR_OK)
		e = issue_entry(call, tx, w);
	if (e == ERR_OK)
		*ans = (struct licence_answer){
		    .record = w->record,
		    .state = LICENCE_VALID,
		    .state_since = w->row.state_since,
		    .seal_id = w->seal.id,
		};
	return e;
}

const struct use_case use_issue = {
    .action = "licence.issue",
    .roles = ROLE_ISSUER,
    .flags = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT,
    .prepare = issue_prepare,
    .commit = issue_commit,
};
