/* The order of every call: who, as whom, how often, asked before? then prepare and commit. */
#include "desk/desk.h"

#include <stdlib.h>

#include "desk/caches.h"
#include "desk/internal.h"
#include "form/receipt.h"
#include "form/statement.h"
#include "form/verdict.h"

enum { DAY_MS = 24 * 3600 * 1000, CERT_WARN_DAYS = 30, CRL_WARN_DAYS = 7, CLOCK_WARN_MS = 1000, WARNINGS_MAX = 64 };

/* ---- the desk ------------------------------------------------------------------------------- */

static enum err key_check(const struct desk_key *k, struct err_note *note)
{
	const struct sm2_key *pub = k->cert != NULL ? cert_sm2_key(k->cert) : NULL;

	if (k->signer == NULL || pub == NULL)
		return err_note_set(note, ERR_KEY_UNREADABLE, k->name, "The key and an SM2 certificate for it are needed.");
	if (!span_eq(sm2_key_point(pub), signer_point(k->signer)))
		return err_note_set(note, ERR_KEY_CERT_MISMATCH, k->name, NULL);
	return ERR_OK;
}

static enum err keys_check(const struct desk_options *o, struct err_note *note)
{
	enum err e = ERR_OK;
	size_t i;

	if (o->store == NULL || o->trust == NULL || o->receipt == NULL || o->service == NULL)
		return err_note_set(note, ERR_CONFIG_INVALID, "receipt",
		                    "Store, service, trust and receipt key are mandatory.");
	if (o->maker != NULL)
		e = key_check(o->maker, note);
	if (e == ERR_OK)
		e = key_check(o->receipt, note);
	if (e == ERR_OK && !cert_has_eku(o->receipt->cert, PURPOSE_RECEIPT))
		e = err_note_set(note, ERR_CONFIG_INVALID, o->receipt->name,
		                 "The certificate of the receipt key must name the extended key usage %s.", PURPOSE_RECEIPT);
	if (e == ERR_OK && o->verdict != NULL)
		e = key_check(o->verdict, note);
	if (e == ERR_OK && o->verdict != NULL && !cert_has_eku(o->verdict->cert, PURPOSE_VERDICT))
		e = err_note_set(note, ERR_CONFIG_INVALID, o->verdict->name,
		                 "The certificate of the verdict key must name the extended key usage %s.", PURPOSE_VERDICT);
	for (i = 0; e == ERR_OK && i < o->n_seal_keys; i++)
		e = key_check(&o->seal_keys[i], note);
	return e;
}

/* ---- policies ------------------------------------------------------------------------------- */

enum { POLICIES_ARENA = 512 * 1024 };

static enum err load_policies(struct desk *d, struct err_note *note)
{
	enum err e = ERR_OK;

	d->policies_arena = arena_new(POLICIES_ARENA);
	if (d->policies_arena == NULL)
		return err_note_set(note, ERR_NO_MEMORY, NULL, NULL);
	for (size_t i = 0; e == ERR_OK && i < DESK_POLICIES; i++) {
		e = policy_load(d->policies_arena, policy_shipped_name(i), &d->policies[i], note);
		d->policies[i].trust = d->o.trust;
	}
	d->strict = desk_policy(d, "strict");
	return e;
}

const struct verify_policy *desk_policy(const struct desk *d, const char *name)
{
	if (name == NULL || name[0] == '\0')
		name = "default";
	for (size_t i = 0; i < DESK_POLICIES; i++)
		if (d->policies[i].name != NULL && strcmp(d->policies[i].name, name) == 0)
			return &d->policies[i];
	return NULL;
}

enum err desk_new(const struct desk_options *o, struct desk **out, struct err_note *note)
{
	enum err e = keys_check(o, note);
	struct desk *d;

	if (e != ERR_OK)
		return e;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return err_note_set(note, ERR_NO_MEMORY, NULL, NULL);
	d->o = *o;
	e = limiter_new(o->operator_per_minute, o->principal_per_minute, &d->limiter);
	if (e == ERR_OK)
		e = cert_store_digest(o->trust, d->trust_digest);
	if (e == ERR_OK)
		e = desk_expect(o->receipt, RECEIPT_TYPE);
	if (e == ERR_OK && o->verdict != NULL)
		e = desk_expect(o->verdict, VERDICT_TYPE);
	e = e == ERR_OK ? load_policies(d, note) : err_note_set(note, e, NULL, NULL);
	if (e != ERR_OK) {
		desk_free(d);
		return e;
	}
	d->local = source_local();
	d->local.arg = d;
	d->local_list[0] = &d->local;
	d->number = desk_caches_number(o->caches);
	d->sources = o->n_sources != 0 ? o->sources : d->local_list;
	d->n_sources = o->n_sources != 0 ? o->n_sources : 1;
	*out = d;
	return ERR_OK;
}

void desk_free(struct desk *d)
{
	if (d == NULL)
		return;
	limiter_free(d->limiter);
	arena_free(d->policies_arena);
	free(d);
}

void desk_cache_figures(const struct desk *d, struct desk_cache_figures *out)
{
	desk_caches_figures(d->o.caches, out);
}

/* ---- who is this ---------------------------------------------------------------------------- */

/* A principal, by key or id, as the store has it. */
struct principal_lookup {
	struct store_tx *tx;
	struct desk *desk;
	struct kept_question q;
	const void *found;
};

static enum err principal_make(struct arena *a, void *arg, const void **value)
{
	struct principal_lookup *l = arg;
	struct principal *p = arena_alloc(a, sizeof(*p));
	enum err e;

	if (p == NULL)
		return ERR_BUDGET;
	if (l->q.kind == KEPT_PRINCIPAL_KEY)
		e = store_principal_by_key(l->tx, a, l->q.name.ptr, p);
	else
		e = store_principal_get(l->tx, a, (const char *)l->q.name.ptr, p);
	if (e == ERR_OK)
		*value = p;
	return e;
}

static enum err principal_read(struct store_tx *tx, void *arg)
{
	struct principal_lookup *l = arg;

	l->tx = tx;
	return kept_put(desk_caches_kept(l->desk->o.caches), &l->q, principal_make, l, &l->found);
}

/* What it points at lives as long as the arena. */
static enum err principal_find(struct desk *d, struct arena *a, enum kept_kind kind, struct span name,
                               struct principal *out)
{
	struct principal_lookup l = {.desk = d, .q = {kind, name, store_epoch(d->o.store, STORE_PRINCIPALS), a}};
	enum err e = ERR_OK;

	l.found = kept_find(desk_caches_kept(d->o.caches), &l.q);
	if (l.found == NULL)
		e = store_read(d->o.store, principal_read, &l);
	if (e == ERR_OK)
		*out = *(const struct principal *)l.found;
	return e;
}

bool desk_caller_is_kept(struct desk_call *call)
{
	struct desk *d = call->desk;
	struct kept_question q = {KEPT_PRINCIPAL, span_str(call->caller.id), store_epoch(d->o.store, STORE_PRINCIPALS),
	                          call->arena};

	return kept_find(desk_caches_kept(d->o.caches), &q) != NULL;
}

static bool key_valid_at(const struct principal_key *k, int64_t now)
{
	return (k->not_before == 0 || now >= k->not_before) && (k->not_after == 0 || now <= k->not_after);
}

enum err desk_principal(struct desk *d, struct arena *a, const uint8_t fingerprint[FINGERPRINT_LEN],
                        struct principal *out)
{
	struct principal p;
	enum err e = principal_find(d, a, KEPT_PRINCIPAL_KEY, span_of(fingerprint, FINGERPRINT_LEN), &p);
	int64_t now = store_now(d->o.store);
	size_t i;

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_PRINCIPAL_UNKNOWN : e;
	if (p.disabled)
		return ERR_PRINCIPAL_DISABLED;
	for (i = 0; i < p.n_keys; i++) {
		if (memcmp(p.keys[i].fingerprint, fingerprint, FINGERPRINT_LEN) != 0)
			continue;
		if (!key_valid_at(&p.keys[i], now))
			return ERR_PRINCIPAL_EXPIRED;
		*out = p;
		return ERR_OK;
	}
	return ERR_PRINCIPAL_UNKNOWN;
}

/* ---- begin ---------------------------------------------------------------------------------- */

/* The note always says what is returned. */
static enum err refuse(struct desk_call *call, enum err e)
{
	if (e == ERR_OK || call->note.code == e)
		return e;
	return err_note_set(&call->note, e, NULL, NULL);
}

static enum err operator_check(struct desk_call *call, unsigned flags)
{
	const struct operator_name *o = &call->operator;
	bool must = (flags & USE_OPERATOR) != 0;
	const char *texts[] = {o->id, o->name, o->terminal};
	static const char *const fields[] = {"operator.id", "operator.name", "operator.terminal"};
	enum err e = ERR_OK;
	size_t i;

	for (i = 0; e == ERR_OK && i < 3; i++)
		e = must ? need_text(call, texts[i], DESK_TEXT_MAX, ERR_OPERATOR_MISSING, fields[i])
		         : may_text(call, texts[i], DESK_TEXT_MAX, fields[i]);
	return e;
}

static enum err request_id_check(struct desk_call *call, unsigned flags)
{
	if ((flags & USE_REQUEST_ID) == 0)
		return ERR_OK;
	if (call->request_id.len == REQUEST_ID_LEN)
		return ERR_OK;
	return err_note_set(&call->note, call->request_id.len == 0 ? ERR_REQUEST_ID_MISSING : ERR_FIELD_INVALID,
	                    "request_id", "A request_id has %d bytes.", REQUEST_ID_LEN);
}

/* Was this asked before? Then call->reply is that answer. */
static enum err replay_find(struct desk_call *call, struct store_tx *tx)
{
	struct replay kept;
	enum err e;

	if ((call->use->flags & USE_REQUEST_ID) == 0)
		return ERR_OK;
	e = store_replay_get(tx, call->arena, call->caller.id, call->request_id.ptr, &kept);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	if (memcmp(kept.request_digest, call->request_digest, SM3_LEN) != 0)
		return err_note_set(&call->note, ERR_REQUEST_ID_REUSED, "request_id", NULL);
	call->reply = kept.reply;
	call->replayed = true;
	return ERR_OK;
}

static bool same_keys(const struct principal *a, const struct principal *b)
{
	size_t i;

	if (a->n_keys != b->n_keys)
		return false;
	for (i = 0; i < a->n_keys; i++)
		if (memcmp(a->keys[i].fingerprint, b->keys[i].fingerprint, FINGERPRINT_LEN) != 0 ||
		    a->keys[i].not_before != b->keys[i].not_before || a->keys[i].not_after != b->keys[i].not_after)
			return false;
	return true;
}

/* The caller was recognised before this attempt; since then it may have been changed or disabled. When its keys have
 * changed, the connection's key must be looked up anew, which only the caller can do by asking again. */
static enum err caller_refresh(struct desk_call *call)
{
	struct principal p;
	enum err e = principal_find(call->desk, call->arena, KEPT_PRINCIPAL, span_str(call->caller.id), &p);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_PRINCIPAL_UNKNOWN : e;
	if (p.disabled)
		return ERR_PRINCIPAL_DISABLED;
	if (p.version == call->caller.version)
		return ERR_OK;
	if (!same_keys(&p, &call->caller))
		return ERR_STORE_CHANGED;
	call->caller = p;
	return ERR_OK;
}

static enum err replay_read(struct store_tx *tx, void *arg)
{
	return replay_find(arg, tx);
}

/* Refused; but was this answered before? Then that answer stands, also when what it was about has changed since: a code
 * that it spent, say. A request that goes well is looked up where that counts, in the commit. */
static enum err refused_or_replayed(struct desk_call *call, enum err refusal)
{
	struct err_note note = call->note;
	enum err e;

	if ((call->use->flags & USE_REQUEST_ID) == 0)
		return refusal;
	call->note = (struct err_note){.code = ERR_OK};
	e = desk_read(call, replay_read);
	if (e != ERR_OK || call->replayed)
		return e;
	call->note = note;
	return refusal;
}

static enum err begin(struct desk_call *call, const struct use_case *use, bool first)
{
	enum err e;

	if (use->roles != 0 && (call->caller.roles & use->roles) == 0)
		return ERR_ROLE_MISSING;
	e = operator_check(call, use->flags);
	if (e == ERR_OK)
		e = request_id_check(call, use->flags);
	if (e == ERR_OK && first)
		e = limiter_take(call->desk->limiter, call->caller.id, call->operator.id, desk_now(call));
	if (e == ERR_OK)
		e = caller_refresh(call);
	if (e == ERR_OK && use->roles != 0 && (call->caller.roles & use->roles) == 0)
		e = ERR_ROLE_MISSING;
	if (e != ERR_OK || use->prepare == NULL)
		return e;
	e = use->prepare(call);
	return e == ERR_OK ? ERR_OK : refused_or_replayed(call, e);
}

enum err desk_begin(struct desk_call *call, const struct use_case *use)
{
	bool first = call->use != use; /* another attempt of one call is not another call */

	/* Something that was read had changed: another server's news may still be on its way. */
	if (!first)
		desk_caches_doubt(call->desk->o.caches);

	for (unsigned kind = 0; kind < STORE_KINDS; kind++)
		call->epochs[kind] = store_epoch(call->desk->o.store, kind);
	call->doubts = desk_caches_doubts(call->desk->o.caches);
	call->use = use;
	call->work = NULL;
	call->replayed = false;
	call->reply = span_of(NULL, 0);
	call->note = (struct err_note){.code = ERR_OK};
	return refuse(call, begin(call, use, first));
}

/* ---- commit --------------------------------------------------------------------------------- */

static enum err replay_keep(struct desk_call *call, struct store_tx *tx)
{
	struct replay r;
	enum err e;

	if ((call->use->flags & USE_REQUEST_ID) == 0 || call->pack == NULL)
		return ERR_OK;
	memcpy(r.request_digest, call->request_digest, SM3_LEN);
	e = call->pack(call, &r.reply);
	return e == ERR_OK ? store_replay_put(tx, call->caller.id, call->request_id.ptr, &r) : e;
}

static enum err commit(struct desk_call *call, struct store_tx *tx)
{
	enum err e = ERR_OK;

	if (!store_unchanged(tx, STORE_PRINCIPALS, call->epochs[STORE_PRINCIPALS]))
		e = store_principal_same(tx, call->caller.id, call->caller.version);
	if (e == ERR_OK)
		e = replay_find(call, tx);
	if (e != ERR_OK || call->replayed)
		return e;
	e = call->use->commit(call, tx);
	return e == ERR_OK ? replay_keep(call, tx) : e;
}

enum err desk_commit(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;

	/* The writer may run this again. */
	call->replayed = false;
	call->reply = span_of(NULL, 0);
	call->note = (struct err_note){.code = ERR_OK};
	return refuse(call, commit(call, tx));
}

void desk_committed(struct desk_call *call)
{
	if (!call->replayed && call->use->committed != NULL)
		call->use->committed(call);
}

enum err desk_run(struct desk_call *call, const struct use_case *use)
{
	enum err e = ERR_STORE_CHANGED;
	int i;

	call->use = NULL;
	for (i = 0; e == ERR_STORE_CHANGED && i < DESK_ATTEMPTS; i++) {
		e = desk_begin(call, use);
		if (e == ERR_OK && !call->replayed && (use->flags & USE_COMMIT) != 0)
			e = refuse(call, store_write(call->desk->o.store, desk_commit, call));
	}
	if (e == ERR_OK)
		desk_committed(call);
	return e;
}

/* ---- warnings ------------------------------------------------------------------------------- */

struct warnings {
	struct arena *arena;
	char **list;
	size_t n;
	bool failed;
};

static void warn(struct warnings *w, char *text)
{
	if (text == NULL)
		w->failed = true;
	else if (w->n < WARNINGS_MAX)
		w->list[w->n++] = text;
}

static void warn_revocation(struct warnings *w, const char *name, const struct chain_result *r, int64_t now)
{
	if (r->revocation == REVOCATION_REVOKED)
		warn(w, arena_printf(w->arena, "The certificate of key %s is revoked.", name));
	else if (r->revocation != REVOCATION_GOOD)
		warn(w,
		     arena_printf(w->arena, "The revocation list for key %s is missing, past its next update or bad.", name));
	else if (r->crl_this_update != 0 && now - r->crl_this_update > (int64_t)CRL_WARN_DAYS * DAY_MS)
		warn(w, arena_printf(w->arena, "The revocation list for key %s is older than %d days.", name, CRL_WARN_DAYS));
}

static enum err warn_key(struct warnings *w, const struct desk *d, const struct desk_key *k, int64_t now)
{
	struct chain_result r;
	enum err e;

	if (k == NULL)
		return ERR_OK;
	e = chain_check(d->o.trust, k->cert, NULL, 0, now, now, &r);
	if (e != ERR_OK)
		return e;
	if (r.status == CHAIN_EXPIRED || r.status == CHAIN_NOT_YET)
		warn(w, arena_printf(w->arena, "The certificate of key %s is outside its validity.", k->name));
	else if (r.status != CHAIN_OK)
		warn(w, arena_printf(w->arena, "The certificate of key %s does not chain to a trust anchor.", k->name));
	else
		warn_revocation(w, k->name, &r, now);
	if (r.status == CHAIN_OK && cert_not_after(k->cert) - now < (int64_t)CERT_WARN_DAYS * DAY_MS)
		warn(w, arena_printf(w->arena, "The certificate of key %s ends within %d days.", k->name, CERT_WARN_DAYS));
	return ERR_OK;
}

enum err desk_warnings(struct desk *d, struct arena *a, char ***out, size_t *n)
{
	struct warnings w = {.arena = a, .list = arena_array(a, WARNINGS_MAX, sizeof(char *))};
	int64_t now = store_now(d->o.store), behind = store_clock_behind(d->o.store);
	enum err e;
	size_t i;

	if (w.list == NULL)
		return ERR_BUDGET;
	if (behind > CLOCK_WARN_MS)
		warn(&w,
		     arena_printf(a, "The clock stands %lld s behind the store's latest time.", (long long)(behind / 1000)));
	if (cert_store_anchors(d->o.trust) == 0)
		warn(&w, arena_strdup(a, "No trust anchor is loaded: nothing can be verified."));
	e = warn_key(&w, d, d->o.receipt, now);
	if (e == ERR_OK)
		e = warn_key(&w, d, d->o.maker, now);
	for (i = 0; e == ERR_OK && i < d->o.n_seal_keys; i++)
		e = warn_key(&w, d, &d->o.seal_keys[i], now);
	if (e == ERR_OK && w.failed)
		e = ERR_BUDGET;
	if (e != ERR_OK)
		return e;
	*out = w.list;
	*n = w.n;
	return ERR_OK;
}
