#include "desk/known.h"

#include <stdatomic.h>

#include "desk/caches.h"

/* The parts only rise, so equal sums are equal parts. */
uint64_t known_epoch(const struct desk_call *call, const struct store_tx *tx)
{
	return store_tx_epoch(tx, STORE_LICENCES) + store_tx_epoch(tx, STORE_SEALS) + call->doubts;
}

static struct kept_question question(struct desk_call *call, const char *id)
{
	return (struct kept_question){KEPT_LICENCE, span_str(id), call->desk->number, call->arena};
}

const struct known_licence *known_find(struct desk_call *call, const char *id, int64_t now)
{
	const struct kept_question q = question(call, id);
	const struct known_licence *k = kept_find(desk_caches_licences(call->desk->o.caches), &q);

	return k != NULL && now >= k->report->judged_at && now <= k->until ? k : NULL;
}

bool known_is_current(const struct known_licence *k, uint64_t epoch)
{
	return atomic_load(&k->epoch) == epoch;
}

void known_seen(const struct known_licence *k, uint64_t epoch)
{
	atomic_store(&((struct known_licence *)(uintptr_t)k)->epoch, epoch);
}

struct keeping {
	const struct desk *desk;
	const struct fetched *f;
	const struct report *r;
};

static bool own_row(struct arena *a, struct licence_row *row)
{
	row->id = arena_strdup(a, row->id);
	row->type_code = arena_strdup(a, row->type_code);
	row->issuer_code = arena_strdup(a, row->issuer_code);
	row->seal_id = arena_strdup(a, row->seal_id);
	row->record = row->sig_head = row->sig_tail = span_of(NULL, 0);
	return row->id != NULL && row->type_code != NULL && row->issuer_code != NULL && row->seal_id != NULL;
}

static enum err known_make(struct arena *a, void *arg, const void **value)
{
	const struct keeping *g = arg;
	struct known_licence *k = arena_alloc(a, sizeof(*k));

	if (k == NULL)
		return ERR_BUDGET;
	k->row = g->f->got.row;
	k->seal_version = g->f->got.seal_version;
	k->seal_then = g->f->got.seal_then;
	k->report = report_copy(a, g->r);
	k->until = verify_licence_until(g->desk->strict, g->r);
	atomic_init(&k->epoch, g->f->epoch);
	*value = k;
	return k->report != NULL && own_row(a, &k->row) ? ERR_OK : ERR_BUDGET;
}

void known_keep(struct desk_call *call, const struct fetched *f, const struct report *r)
{
	struct kept *kept = desk_caches_licences(call->desk->o.caches);
	const struct kept_question q = question(call, f->got.row.id);
	struct keeping g = {call->desk, f, r};
	const void *ignored;

	if (kept != NULL && q.name.len <= KEPT_NAME_MAX && kept_put(kept, &q, known_make, &g, &ignored) != ERR_OK)
		return; /* it will be judged anew */
}

/* ---- a holder's rows ------------------------------------------------------------------------ */

/* The name stands in the arena; empty when it cannot. */
static struct kept_question holder_question(struct desk_call *call, const struct holder_key *h, uint64_t epoch)
{
	const char *name = arena_printf(call->arena, "%s|%s", h->code_type, h->code);

	return (struct kept_question){KEPT_HOLDER, span_str(name), epoch, call->arena};
}

const struct known_rows *known_rows_find(struct desk_call *call, const struct holder_key *h, uint64_t epoch)
{
	struct kept *kept = desk_caches_licences(call->desk->o.caches);
	struct kept_question q;

	if (kept == NULL)
		return NULL;
	q = holder_question(call, h, epoch);
	return q.name.len != 0 ? kept_find(kept, &q) : NULL;
}

static enum err rows_make(struct arena *a, void *arg, const void **value)
{
	const struct known_rows *from = *(const struct known_rows *const *)arg;
	struct known_rows *k = arena_alloc(a, sizeof(*k));
	bool ok = k != NULL;

	if (ok) {
		k->n = from->n;
		k->rows = arena_array(a, from->n, sizeof(*k->rows));
		ok = k->rows != NULL;
	}
	for (size_t i = 0; ok && i < from->n; i++) {
		k->rows[i] = from->rows[i];
		ok = own_row(a, &k->rows[i]);
	}
	*value = k;
	return ok ? ERR_OK : ERR_BUDGET;
}

void known_rows_keep(struct desk_call *call, const struct holder_key *h, uint64_t epoch, const struct known_rows *rows)
{
	struct kept *kept = desk_caches_licences(call->desk->o.caches);
	struct kept_question q;
	const void *ignored;

	if (kept == NULL || rows->n == 0)
		return;
	q = holder_question(call, h, epoch);
	if (q.name.len != 0 && q.name.len <= KEPT_NAME_MAX && kept_put(kept, &q, rows_make, &rows, &ignored) != ERR_OK)
		return; /* they will be read again */
}
