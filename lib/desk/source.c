#include "desk/source.h"

#include "base/buf.h"
#include "desk/caches.h"
#include "desk/flow.h"
#include "desk/known.h"

/* ---- the local store ------------------------------------------------------------------------ */

/* What state was this seal in at `at`? Events may be written down later than they took effect. */
static enum err seal_state_at(struct store_tx *tx, struct arena *a, const char *id, int64_t at, enum seal_state *out)
{
	enum seal_state state = SEAL_ACTIVE;
	struct state_event *events;
	size_t n;
	enum err e = store_seal_events(tx, a, id, &events, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (events[i].effective <= at)
			state = (enum seal_state)events[i].state;
	}
	if (e == ERR_OK)
		*out = state;
	return e;
}

struct seal_lookup {
	struct store_tx *tx;
	const char *id;
};

static enum err seal_make(struct arena *a, void *arg, const void **value)
{
	const struct seal_lookup *l = arg;
	struct seal_row *s = arena_alloc(a, sizeof(*s));
	enum err e = s != NULL ? store_seal_get(l->tx, a, l->id, s) : ERR_BUDGET;

	*value = s;
	return e;
}

/* Seals are few and change seldom; a commit asks for the version again. */
static enum err seal_of(struct desk *d, struct store_tx *tx, struct arena *a, const char *id, struct seal_row *out)
{
	struct kept *kept = d != NULL ? desk_caches_kept(d->o.caches) : NULL;
	const struct kept_question q = {KEPT_SEAL, span_str(id), store_tx_epoch(tx, STORE_SEALS), a};
	struct seal_lookup l = {tx, id};
	const void *found = kept_find(kept, &q);
	enum err e = found != NULL ? ERR_OK : kept_put(kept, &q, seal_make, &l, &found);

	if (e == ERR_OK)
		*out = *(const struct seal_row *)found;
	return e;
}

/* The seal's bytes as they were embedded, and what has become of the seal since. */
static enum err local_seal(struct desk *d, struct store_tx *tx, struct arena *a, struct sourced_licence *l,
                           struct span *der)
{
	struct seal_row seal;
	enum err e = seal_of(d, tx, a, l->row.seal_id, &seal);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_STORE_CORRUPT : e;
	l->seal_version = seal.version;
	l->seal_then = seal.state;
	if (seal.version > 1)
		e = seal_state_at(tx, a, seal.id, l->row.issued, &l->seal_then);
	if (e != ERR_OK)
		return e;
	*der = seal.der;
	if (memcmp(seal.hash, l->row.seal_hash, SM3_LEN) != 0)
		e = store_seal_der(tx, a, l->row.seal_hash, der);
	return e == ERR_NOT_FOUND ? ERR_STORE_CORRUPT : e;
}

/* The signature before the seal, the seal, the signature behind it; then record and signature as one file. Whether the
 * result is sound is for verify_licence() to say. */
static enum err rebuild(struct arena *a, const struct licence_row *row, struct span seal, struct span *file)
{
	struct span signature;
	struct buf b;
	enum err e;

	buf_init(&b, a);
	buf_add(&b, row->sig_head);
	buf_add(&b, seal);
	buf_add(&b, row->sig_tail);
	e = buf_done(&b, &signature);
	return e == ERR_OK ? licence_file_encode(a, row->record, signature, file) : e;
}

static enum err local_get(void *arg, struct store_tx *tx, struct arena *a, const char *id, struct sourced_licence *out)
{
	struct sourced_licence l = {.as_of = store_tx_now(tx)};
	struct span seal;
	enum err e = store_licence_get(tx, a, id, &l.row);

	if (e == ERR_OK)
		e = local_seal(arg, tx, a, &l, &seal);
	if (e == ERR_OK)
		e = rebuild(a, &l.row, seal, &l.file);
	if (e == ERR_OK)
		*out = l;
	return e;
}

static enum err local_by_holder(void *arg, struct store_tx *tx, struct arena *a, const struct holder_key *h,
                                const char *type_code, size_t max, struct licence_row **out, size_t *n)
{
	return store_licence_by_holder(tx, a, h, type_code, max, out, n);
}

struct source source_local(void)
{
	return (struct source){.name = "local", .get = local_get, .by_holder = local_by_holder};
}

bool source_is_local(const struct source *s)
{
	return s->get == local_get;
}

/* ---- all sources of the desk ---------------------------------------------------------------- */

bool source_is_kept(const struct desk_call *call, const struct source *s)
{
	return source_is_local(s) && s->arg == call->desk;
}

/* ---- what is known already ------------------------------------------------------------------ */

/* Is the row that was read, or if none was the row that there is now, the one that is known, under the same seal? */
static bool is_same(struct desk_call *call, struct store_tx *tx, const struct licence_row *row,
                    const struct known_licence *k)
{
	const uint64_t epoch = known_epoch(call, tx);
	struct seal_row seal;

	if (row == NULL && known_is_current(k, epoch))
		return true;
	if (row != NULL ? row->version != k->row.version : store_licence_same(tx, k->row.id, k->row.version) != ERR_OK)
		return false;
	if (seal_of(call->desk, tx, call->arena, k->row.seal_id, &seal) != ERR_OK || seal.version != k->seal_version)
		return false;
	if (row == NULL)
		known_seen(k, epoch);
	return true;
}

/* Whatever goes wrong here: then it is read. */
static bool find_known(struct desk_call *call, struct store_tx *tx, const struct source *s, const char *id,
                       const struct licence_row *row, struct fetched *out)
{
	const int64_t now = store_tx_now(tx);
	const struct known_licence *k = source_is_kept(call, s) ? known_find(call, id, now) : NULL;

	if (k == NULL || !is_same(call, tx, row, k))
		return false;
	*out = (struct fetched){
	    .source = s,
	    .known = k,
	    .got = {.row = k->row, .as_of = now, .seal_version = k->seal_version, .seal_then = k->seal_then}};
	return true;
}

/* One source's answer as facts; only our own store's failures stay errors. */
static enum err fetch_from(struct desk_call *call, struct store_tx *tx, const struct source *s, const char *id,
                           const struct licence_row *row, struct fetched *out)
{
	struct sourced_licence got = {0};
	enum err e;

	if (find_known(call, tx, s, id, row, out))
		return ERR_OK;
	e = s->get(s->arg, tx, call->arena, id, &got);
	switch (e) {
	case ERR_OK:
		*out = (struct fetched){.source = s, .got = got, .epoch = known_epoch(call, tx)};
		return ERR_OK;
	case ERR_STORE_CORRUPT: /* of this one licence: the others can still be used */
		*out = (struct fetched){.source = s, .damaged = true};
		return ERR_OK;
	case ERR_NOT_FOUND:
		return ERR_OK;
	case ERR_SOURCE_UNAVAILABLE:
		out->unavailable = true;
		return ERR_OK;
	default:
		return e;
	}
}

enum err source_fetch(struct desk_call *call, struct store_tx *tx, const char *source, const char *id,
                      struct fetched *out)
{
	struct desk *d = call->desk;
	struct fetched f = {0};
	bool asked = false;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && f.source == NULL && i < d->n_sources; i++) {
		if (source[0] != '\0' && strcmp(source, d->sources[i]->name) != 0)
			continue;
		asked = true;
		e = fetch_from(call, tx, d->sources[i], id, NULL, &f);
	}
	if (e != ERR_OK)
		return e;
	if (!asked) /* the source was taken out of the configuration: nobody can be asked */
		f.unavailable = true;
	f.id = id;
	*out = f;
	return ERR_OK;
}

enum err source_fetch_row(struct desk_call *call, struct store_tx *tx, const struct holder_row *row,
                          struct fetched *out)
{
	struct fetched f = {0};
	enum err e = fetch_from(call, tx, row->source, row->row.id, &row->row, &f);

	if (e != ERR_OK)
		return e;
	f.id = row->row.id;
	*out = f;
	return ERR_OK;
}

bool fetched_record(struct desk_call *call, const struct fetched *f, struct licence_record *out)
{
	if (f->known != NULL)
		*out = *f->known->report->licence;
	return f->known != NULL || licence_record_parse(call->arena, f->got.row.record, out, NULL) == ERR_OK;
}

/* Room for as many as there are: most holders have a few. */
static enum err add_rows(struct arena *a, const struct source *s, const struct licence_row *rows, size_t n,
                         struct holder_rows *all)
{
	size_t room = HOLDER_LICENCES_MAX - all->n, taken = n < room ? n : room;
	struct holder_row *list = arena_array(a, all->n + taken, sizeof(*list));

	if (list == NULL)
		return ERR_BUDGET;
	if (all->n != 0)
		memcpy(list, all->rows, all->n * sizeof(*list));
	for (size_t i = 0; i < taken; i++)
		list[all->n + i] = (struct holder_row){.source = s, .row = rows[i]};
	all->rows = list;
	all->n += taken;
	all->more = all->more || taken < n;
	return ERR_OK;
}

struct rows_wanted {
	const char *type_code;
	bool may_be_known;
	const struct show_selection *chosen; /* when no others are asked for */
	size_t n_chosen;
};

static bool are_among(const struct known_rows *k, const struct rows_wanted *want)
{
	size_t found = 0;

	for (size_t i = 0; i < want->n_chosen; i++) {
		size_t at = 0;

		while (at < k->n && strcmp(k->rows[at].id, want->chosen[i].licence_id) != 0)
			at++;
		found += at < k->n;
	}
	return want->n_chosen != 0 && found == want->n_chosen;
}

/* Those that are known, when there are as many now, or the chosen ones are among them: others that were added since
 * make no difference to those. False: they must be read. */
static bool rows_known(struct desk_call *call, struct store_tx *tx, const struct holder_key *h,
                       const struct rows_wanted *want, struct known_rows *out)
{
	const struct known_rows *k = known_rows_find(call, h, known_epoch(call, tx));
	uint64_t n = 0;

	if (k == NULL || (!are_among(k, want) && (store_licence_count(tx, h, &n) != ERR_OK || n != k->n)))
		return false;
	*out = *k;
	return true;
}

static enum err rows_of(struct desk_call *call, struct store_tx *tx, const struct source *s, const struct holder_key *h,
                        const struct rows_wanted *want, struct known_rows *out)
{
	enum err e;

	if (want->may_be_known && source_is_kept(call, s) && rows_known(call, tx, h, want, out))
		return ERR_OK;
	e = s->by_holder(s->arg, tx, call->arena, h, want->type_code, HOLDER_LICENCES_MAX + 1, &out->rows, &out->n);
	if (e == ERR_OK && source_is_kept(call, s) && want->type_code[0] == '\0' && out->n <= HOLDER_LICENCES_MAX)
		known_rows_keep(call, h, known_epoch(call, tx), out);
	return e;
}

static enum err all_rows(struct desk_call *call, struct store_tx *tx, const struct licence_holder *h,
                         const struct rows_wanted *want, struct holder_rows *out)
{
	const struct holder_key key = {h->code_type, h->code};
	struct holder_rows all = {.holder = h};
	struct desk *d = call->desk;

	for (size_t i = 0; i < d->n_sources; i++) {
		const struct source *s = d->sources[i];
		struct known_rows found = {0};
		enum err e = rows_of(call, tx, s, &key, want, &found);

		if (e == ERR_OK)
			e = add_rows(call->arena, s, found.rows, found.n, &all);
		if (e == ERR_SOURCE_UNAVAILABLE)
			all.unavailable = true;
		else if (e != ERR_OK)
			return e;
	}
	*out = all;
	return ERR_OK;
}

enum err source_holder_rows(struct desk_call *call, struct store_tx *tx, const struct licence_holder *h,
                            const char *type_code, struct holder_rows *out)
{
	return all_rows(call, tx, h, &(struct rows_wanted){.type_code = type_code}, out);
}

enum err source_holder_rows_known(struct desk_call *call, struct store_tx *tx, const struct licence_holder *h,
                                  struct holder_rows *out)
{
	return all_rows(call, tx, h, &(struct rows_wanted){.type_code = "", .may_be_known = true}, out);
}

enum err source_holder_rows_with(struct desk_call *call, struct store_tx *tx, const struct licence_holder *h,
                                 const struct show_selection *chosen, size_t n, struct holder_rows *out)
{
	const struct rows_wanted want = {.type_code = "", .may_be_known = true, .chosen = chosen, .n_chosen = n};

	return all_rows(call, tx, h, &want, out);
}

enum err source_rows_of_type(struct desk_call *call, struct store_tx *tx, const struct holder_rows *all,
                             const char *type_code, struct holder_rows *out)
{
	if (all->more)
		return source_holder_rows(call, tx, all->holder, type_code, out);
	*out = *all;
	return ERR_OK;
}
