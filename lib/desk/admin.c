/*
 * Principals: who is enrolled, and who may change that. A principal that holds a sensitive right (role security or
 * gateway, a statutory right) is enrolled or changed by two security administrators: the first call is kept as a
 * proposal, the same contents from another one complete it. The very first administrator may enrol the second one, or
 * there would never be two. Later a lone one may not, or he would disable his colleague and enrol a second self: then
 * the host's operator enrols the second (desk_enrol_again()).
 */
#include "base/text.h"
#include "desk/internal.h"
#include "form/cbor.h"

enum {
	CHANGE = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT,
	LIST_TEXT_MAX = 3000, /* of types or items in an audit entry */
	PRINCIPAL_FACTS = 8
};

/* ---- contents: what is proposed and agreed -------------------------------------------------- */

static void put_texts(struct buf *b, char *const *list, size_t n)
{
	size_t i;

	cbor_put_array(b, n);
	for (i = 0; i < n; i++)
		cbor_put_text(b, list[i]);
}

/* Everything but the version. */
static enum err contents_digest(struct arena *a, const struct principal *p, uint8_t out[SM3_LEN])
{
	struct span bytes;
	struct buf b;
	size_t i;
	enum err e;

	buf_init(&b, a);
	cbor_put_array(&b, 10);
	cbor_put_text(&b, p->id);
	cbor_put_text(&b, p->name);
	cbor_put_text(&b, p->org_code);
	cbor_put_text(&b, p->org_name);
	cbor_put_uint(&b, p->roles);
	cbor_put_bool(&b, p->statutory);
	cbor_put_bool(&b, p->disabled);
	cbor_put_array(&b, 3 * p->n_keys);
	for (i = 0; i < p->n_keys; i++) {
		cbor_put_bytes(&b, span_of(p->keys[i].fingerprint, FINGERPRINT_LEN));
		cbor_put_int(&b, p->keys[i].not_before);
		cbor_put_int(&b, p->keys[i].not_after);
	}
	put_texts(&b, p->types, p->n_types);
	put_texts(&b, p->items, p->n_items);
	e = buf_done(&b, &bytes);
	return e == ERR_OK ? sm3(bytes, out) : e;
}

/* ---- audit ---------------------------------------------------------------------------------- */

static char *roles_text(struct arena *a, unsigned roles)
{
	static const char *const names[] = {"system", "security", "audit",     "sealer", "issuer",
	                                    "wallet", "window",   "inspector", "gateway"};
	struct buf b;
	size_t i;

	buf_init(&b, a);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((roles & 1u << i) != 0)
			buf_printf(&b, "%s%s", b.len != 0 ? " " : "", names[i]);
	return buf_text(&b);
}

/* All of them, or how many there are. */
static char *list_text(struct arena *a, char *const *list, size_t n)
{
	struct buf b;
	size_t i;

	buf_init(&b, a);
	for (i = 0; i < n && b.len <= LIST_TEXT_MAX; i++)
		buf_printf(&b, "%s%s", i != 0 ? " " : "", list[i]);
	return b.len <= LIST_TEXT_MAX ? buf_text(&b) : arena_printf(a, "%zu codes", n);
}

static enum err principal_facts(struct arena *a, const struct principal *p, const char *reason,
                                struct desk_fact facts[PRINCIPAL_FACTS])
{
	uint8_t digest[SM3_LEN];
	enum err e = contents_digest(a, p, digest);
	const struct desk_fact all[PRINCIPAL_FACTS] = {
	    {"principal", p->id, false},
	    {"roles", roles_text(a, p->roles), false},
	    {"statutory", p->statutory ? "yes" : "no", false},
	    {"disabled", p->disabled ? "yes" : "no", false},
	    {"types", list_text(a, p->types, p->n_types), false},
	    {"items", list_text(a, p->items, p->n_items), false},
	    {"contents", hex_text(a, span_of(digest, SM3_LEN)), false},
	    {"reason", reason, true},
	};

	if (e == ERR_OK)
		memcpy(facts, all, sizeof(all));
	return e;
}

static enum err audit_principal(struct desk_call *call, struct store_tx *tx, const char *result,
                                const struct principal *p, const char *reason)
{
	struct desk_fact facts[PRINCIPAL_FACTS];
	enum err e = principal_facts(call->arena, p, reason, facts);

	return e == ERR_OK ? desk_audit(call, tx, result, facts, PRINCIPAL_FACTS) : e;
}

/* ---- two hands ------------------------------------------------------------------------------ */

static bool is_active_security(const struct principal *p)
{
	return !p->disabled && (p->roles & ROLE_SECURITY) != 0;
}

static bool is_sensitive(const struct principal *p)
{
	return (p->roles & (ROLE_SECURITY | ROLE_GATEWAY)) != 0 || p->statutory; /* a gateway speaks for everybody */
}

static enum err last_check(struct store_tx *tx, const struct principal *before, const struct principal *after)
{
	uint64_t n = 0;
	enum err e;

	if (!is_active_security(before) || is_active_security(after))
		return ERR_OK;
	e = store_principal_count(tx, ROLE_SECURITY, &n);
	return e == ERR_OK && n <= 1 ? ERR_LAST_SECURITY : e;
}

/* Keys, organisation, reactivation: whoever can change these on a sensitive principal alone can act as it. Nor does one
 * hand take the role from an administrator: disabling is for haste, and is remembered as the role's. */
static enum err needs_two(struct desk_call *call, const struct principal *before, const struct principal *after,
                          bool *out)
{
	uint8_t a[SM3_LEN], b[SM3_LEN];
	enum err e;

	*out = is_sensitive(after) || (before->roles & ROLE_SECURITY) != 0;
	if (!*out || before->id == NULL)
		return ERR_OK;
	e = contents_digest(call->arena, before, a);
	if (e == ERR_OK)
		e = contents_digest(call->arena, after, b);
	if (e == ERR_OK)
		*out = memcmp(a, b, SM3_LEN) != 0;
	return e;
}

/* The first administrator enrols the second: there never was another one, not even a disabled one. */
static enum err is_second(struct store_tx *tx, const struct principal *before, const struct principal *after, bool *out)
{
	uint64_t n = 0;
	enum err e = store_principal_count_all(tx, ROLE_SECURITY, &n);

	if (e == ERR_OK)
		*out = n == 1 && before->id == NULL && (after->roles & ROLE_SECURITY) != 0;
	return e;
}

/* *agreed when another security administrator, who still is one, has proposed the same. Else it is proposed now. */
static enum err second_hand(struct desk_call *call, struct store_tx *tx, const struct principal *p, bool *agreed)
{
	uint8_t digest[SM3_LEN];
	struct principal first = {0};
	char *by = NULL;
	enum err e = contents_digest(call->arena, p, digest);

	if (e == ERR_OK)
		e = store_grant_find(tx, call->arena, p->id, digest, &by);
	if (e == ERR_OK)
		e = store_principal_get(tx, call->arena, by, &first);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*agreed = e == ERR_OK && is_active_security(&first) && strcmp(by, call->caller.id) != 0;
	return *agreed ? store_grant_clear(tx, p->id) : store_grant_propose(tx, p->id, digest, call->caller.id);
}

static enum err may_put(struct desk_call *call, struct store_tx *tx, const struct principal *before,
                        const struct principal *after, bool *may)
{
	bool two = true, second = false;
	enum err e = last_check(tx, before, after);

	*may = true;
	if (e == ERR_OK)
		e = needs_two(call, before, after, &two);
	if (e != ERR_OK || !two)
		return e;
	e = is_second(tx, before, after, &second);
	if (e != ERR_OK || second)
		return e;
	return second_hand(call, tx, after, may);
}

/* ---- use cases ------------------------------------------------------------------------------ */

static enum err before_get(struct desk_call *call, struct store_tx *tx, const char *id, struct principal *out)
{
	enum err e = store_principal_get(tx, call->arena, id, out);

	if (e == ERR_NOT_FOUND) {
		*out = (struct principal){0};
		return ERR_OK;
	}
	return e;
}

static enum err put_check(struct desk_call *call)
{
	return principal_check(call->req, &call->note);
}

static enum err put_row(struct desk_call *call, struct store_tx *tx, struct principal *p)
{
	enum err e = store_principal_put(tx, p);

	if (e == ERR_ALREADY_EXISTS)
		e = err_note_set(&call->note, e, "keys", "A key is enrolled for another principal.");
	return e;
}

static enum err put_commit(struct desk_call *call, struct store_tx *tx)
{
	struct principal p = *(const struct principal *)call->req, before;
	bool may = false;
	enum err e = before_get(call, tx, p.id, &before);

	p.version = before.version;
	if (e == ERR_OK)
		e = may_put(call, tx, &before, &p, &may);
	if (e == ERR_OK && may)
		e = put_row(call, tx, &p);
	if (e == ERR_OK)
		e = audit_principal(call, tx, may ? "ok" : "pending", &p, NULL);
	if (e == ERR_OK)
		*(struct principal_answer *)call->ans = (struct principal_answer){p, !may};
	return e;
}

static enum err disable_check(struct desk_call *call)
{
	const struct disable_request *q = call->req;
	enum err e = need_text(call, q->id, DESK_TEXT_MAX, ERR_FIELD_MISSING, "id");

	return e == ERR_OK ? need_text(call, q->reason, DESK_PURPOSE_MAX, ERR_FIELD_MISSING, "reason") : e;
}

/* One hand is enough: a principal whose key is lost must be stopped at once. */
static enum err disable_commit(struct desk_call *call, struct store_tx *tx)
{
	const struct disable_request *q = call->req;
	struct principal before, after;
	enum err e = store_principal_get(tx, call->arena, q->id, &before);

	if (e == ERR_NOT_FOUND)
		return err_note_set(&call->note, e, "id", "No such principal.");
	if (e != ERR_OK)
		return e;
	after = before;
	after.disabled = true;
	e = last_check(tx, &before, &after);
	if (e == ERR_OK)
		e = put_row(call, tx, &after);
	if (e == ERR_OK)
		e = audit_principal(call, tx, "ok", &after, q->reason);
	if (e == ERR_OK)
		*(struct principal_answer *)call->ans = (struct principal_answer){after, false};
	return e;
}

static enum err list_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	const struct list_request *q = call->req;
	struct principal_list_answer ans = {.next = ""};
	size_t max = desk_page(q->page_size);
	enum err e = store_principal_list(tx, call->arena, q->page_token, max + 1, &ans.principals, &ans.n);

	if (e != ERR_OK)
		return e;
	if (ans.n > max) {
		ans.n = max;
		ans.next = ans.principals[max - 1].id;
	}
	*(struct principal_list_answer *)call->ans = ans;
	return ERR_OK;
}

static enum err list(struct desk_call *call)
{
	const struct list_request *q = call->req;
	enum err e = may_text(call, q->page_token, DESK_TEXT_MAX, "page_token");

	return e == ERR_OK ? desk_read(call, list_read) : e;
}

const struct use_case use_principal_put = {
    .action = "principal.put", .roles = ROLE_SECURITY, .flags = CHANGE, .prepare = put_check, .commit = put_commit};
const struct use_case use_principal_list = {
    .action = "principal.list", .roles = ROLE_SECURITY | ROLE_AUDIT, .flags = 0, .prepare = list, .commit = NULL};
const struct use_case use_principal_disable = {.action = "principal.disable",
                                               .roles = ROLE_SECURITY,
                                               .flags = CHANGE,
                                               .prepare = disable_check,
                                               .commit = disable_commit};

/* ---- the first administrators --------------------------------------------------------------- */

struct enrolment {
	const char *action;
	struct arena *arena;
	struct rand rand;
	struct principal *admins;
	size_t n;
};

static enum err enrol_one(struct store_tx *tx, const struct enrolment *en, struct principal *p)
{
	struct audit_head head = {
	    .time = store_tx_now(tx), .action = en->action, .principal = "init", .org_code = p->org_code, .result = "ok"};
	struct desk_fact facts[PRINCIPAL_FACTS];
	uint8_t leaf[SHA256_LEN];
	enum err e = store_principal_put(tx, p);

	if (e == ERR_OK)
		e = principal_facts(en->arena, p, NULL, facts);
	return e == ERR_OK ? audit_append(en->arena, &en->rand, tx, &head, facts, PRINCIPAL_FACTS, leaf) : e;
}

static enum err enrol(struct store_tx *tx, void *arg)
{
	struct enrolment *en = arg;
	struct principal *there;
	size_t n = 0, i;
	enum err e = store_principal_list(tx, en->arena, "", 1, &there, &n);

	if (e == ERR_OK && n != 0)
		e = ERR_ALREADY_EXISTS;
	for (i = 0; e == ERR_OK && i < en->n; i++)
		e = enrol_one(tx, en, &en->admins[i]);
	return e;
}

/* Whoever runs the host stands in for the second hand; the entry says so. */
static enum err enrol_again(struct store_tx *tx, void *arg)
{
	struct enrolment *en = arg;
	struct principal there;
	enum err e = store_principal_get(tx, en->arena, en->admins[0].id, &there);

	if (e == ERR_OK)
		return ERR_ALREADY_EXISTS;
	return e == ERR_NOT_FOUND ? enrol_one(tx, en, &en->admins[0]) : e;
}

static enum err first_check(const struct principal *p, struct err_note *note)
{
	if (p->roles != ROLE_SECURITY || p->disabled)
		return err_note_set(note, ERR_ROLES_CONFLICT, "roles", "The first principals are security administrators.");
	return principal_check(p, note);
}

static enum err enrol_write(struct store *s, store_fn *fn, struct enrolment *en, struct err_note *note)
{
	enum err e = ERR_OK;
	size_t i;

	if (en->n == 0)
		return err_note_set(note, ERR_FIELD_MISSING, "admins", NULL);
	for (i = 0; e == ERR_OK && i < en->n; i++)
		e = first_check(&en->admins[i], note);
	if (e != ERR_OK)
		return e;
	en->arena = arena_new(1024 * 1024);
	e = en->arena != NULL ? store_write(s, fn, en) : ERR_NO_MEMORY;
	arena_free(en->arena);
	if (e == ERR_ALREADY_EXISTS)
		return err_note_set(note, e, NULL, "A principal with this name or key is enrolled already.");
	return e != ERR_OK ? err_note_set(note, e, NULL, NULL) : ERR_OK;
}

enum err desk_enrol_first(struct store *s, struct principal *admins, size_t n, struct err_note *note)
{
	struct enrolment en = {.action = "init", .rand = rand_system(), .admins = admins, .n = n};

	return enrol_write(s, enrol, &en, note);
}

enum err desk_enrol_again(struct store *s, struct principal *admin, struct err_note *note)
{
	struct enrolment en = {.action = "init.again", .rand = rand_system(), .admins = admin, .n = 1};

	return enrol_write(s, enrol_again, &en, note);
}
