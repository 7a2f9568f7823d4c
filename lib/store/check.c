/* Everything in the store, looked at row by row. Pages of rows, each on a snapshot of its own: a page that runs long
 * would keep the database from folding its log. */
#include "store/backup.h"
#include "store/internal.h"

#include "base/text.h"

#include <stdio.h>

enum { PAGE = 200, CHECK_BUDGET = 96 << 20, HASH_TEXT = 2 * SM3_LEN + 1, REPORT_EVERY = 2000 };

/* Where the walk through a table stands, and what it found on the page that was read. */
struct walk {
	struct store_check *c;
	struct arena *arena;
	int64_t seq; /* licences, audit */
	char *text;  /* seals, receipts: the last id, "" at the start */
	uint8_t hash[SM3_LEN];
	size_t rows;
};

static void fault(struct walk *w, const char *table, const char *row, const char *what)
{
	w->c->faults++;
	w->c->fault(w->c->arg, table, row, what);
}

static void counted(struct walk *w, uint64_t *count)
{
	struct store_check *c = w->c;
	uint64_t all = c->seals + c->licences + c->codes + c->receipts + c->audit + 1;

	++*count;
	w->rows++;
	if (c->watch.progress != NULL && all % REPORT_EVERY == 0)
		c->watch.progress(c->watch.arg, all, 0);
}

/* A row that is damaged is a finding; everything else ends the check. */
static enum err found(struct walk *w, enum err e, const char *table, const char *row)
{
	if (e == ERR_STORE_CORRUPT)
		fault(w, table, row, "a value does not decrypt in its place, or is out of its range");
	else if (e == ERR_NOT_FOUND)
		fault(w, table, row, "it is listed, and cannot be found");
	else
		return e;
	return ERR_OK;
}

/* One event per version of the object, and the last one is its state. */
static void check_history(struct walk *w, const char *table, const char *row, const struct state_event *ev, size_t n,
                          const uint64_t now[2] /* version, state */)
{
	for (size_t i = 0; i < n; i++)
		if (ev[i].sequence != i + 1) {
			fault(w, table, row, "its history has a gap");
			return;
		}
	if (n != now[0])
		fault(w, table, row, "its history does not have one event per version");
	else if (n == 0 || (uint64_t)ev[n - 1].state != now[1])
		fault(w, table, row, "its state is not that of its last event");
}

/* ---- seals ---------------------------------------------------------------------------------- */

static enum err check_seal(struct walk *w, struct store_tx *tx, const char *id)
{
	struct state_event *ev = NULL;
	struct seal_row s;
	uint8_t hash[SM3_LEN];
	size_t n = 0;
	enum err e = store_seal_get(tx, w->arena, id, &s);

	if (e != ERR_OK)
		return found(w, e, "seals", id);
	e = sm3(s.der, hash);
	if (e == ERR_OK && memcmp(hash, s.hash, SM3_LEN) != 0)
		fault(w, "seals", id, "the seal's bytes do not have the recorded hash");
	if (e == ERR_OK)
		e = store_seal_events(tx, w->arena, id, &ev, &n);
	if (e != ERR_OK)
		return found(w, e, "seals", id);
	check_history(w, "seals", id, ev, n, (uint64_t[2]){s.version, (uint64_t)s.state});
	return ERR_OK;
}

static enum err seal_page(struct store_tx *tx, void *arg)
{
	struct walk *w = arg;
	char **ids = arena_array(w->arena, PAGE, sizeof(*ids));
	struct query q;
	size_t n = 0;
	enum err e;

	if (ids == NULL)
		return ERR_BUDGET;
	q_open(&q, tx, "SELECT id FROM seals WHERE id > $1 ORDER BY id LIMIT $2");
	q_put_text(&q, w->text);
	q_put_int(&q, PAGE);
	while (n < PAGE && q_next(&q))
		ids[n++] = q_text(&q, w->arena);
	e = q_close(&q);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		counted(w, &w->c->seals);
		w->text = ids[i];
		e = check_seal(w, tx, ids[i]);
	}
	return e;
}

/* ---- licences ------------------------------------------------------------------------------- */

struct licence_seen {
	int64_t seq;
	uint8_t hash[SM3_LEN];
	char name[HASH_TEXT];
	char *id;
};

static enum err one_exists(struct store_tx *tx, const char *sql, const uint8_t key[SM3_LEN], bool *out)
{
	struct query q;

	q_open(&q, tx, sql);
	q_put_blob(&q, span_of(key, SM3_LEN));
	*out = q_next(&q);
	return q_close(&q);
}

static enum err check_references(struct walk *w, struct store_tx *tx, const struct licence_seen *s,
                                 const uint8_t seal[SM3_LEN])
{
	bool there = false;
	enum err e = one_exists(tx, "SELECT 1 FROM seals WHERE hash = $1", seal, &there);

	if (e == ERR_OK && !there)
		fault(w, "licences", s->name, "the seal that it carries is not in the store");
	if (e == ERR_OK)
		e = one_exists(tx, "SELECT 1 FROM holders WHERE licence = $1", s->hash, &there);
	if (e == ERR_OK && !there)
		fault(w, "licences", s->name, "no holder leads to it");
	return e;
}

static enum err check_licence(struct walk *w, struct store_tx *tx, const struct licence_seen *s)
{
	const char *id = s->id;
	struct state_event *ev = NULL;
	struct licence_row l;
	uint8_t hash[SM3_LEN];
	size_t n = 0;
	enum err e = lookup_hash(tx, "licence.id", &id, 1, hash);

	if (e == ERR_OK && memcmp(hash, s->hash, SM3_LEN) != 0) {
		fault(w, "licences", s->name, "its identifier does not have the hash under which it is found");
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = store_licence_get(tx, w->arena, s->id, &l);
	if (e == ERR_OK)
		e = store_licence_events(tx, w->arena, s->id, &ev, &n);
	if (e != ERR_OK)
		return found(w, e, "licences", s->name);
	check_history(w, "licences", s->name, ev, n, (uint64_t[2]){l.version, (uint64_t)l.state});
	return check_references(w, tx, s, l.seal_hash);
}

/* An identifier that does not decrypt must not hide the rows behind it. */
static enum err read_licences(struct walk *w, struct store_tx *tx, struct licence_seen *list, size_t *n)
{
	struct query q;

	q_open(&q, tx, "SELECT seq, id_hash, id FROM licences WHERE seq > $1 ORDER BY seq LIMIT $2");
	q_put_int(&q, w->seq);
	q_put_int(&q, PAGE);
	while (*n < PAGE && q_next(&q)) {
		struct licence_seen *s = &list[(*n)++];

		s->seq = q_int(&q);
		q_fixed(&q, s->hash, SM3_LEN);
		hex_encode(span_of(s->hash, SM3_LEN), s->name);
		s->id = q_sealed_text(&q, w->arena, (struct cell){"licences", s->name, "id", 1});
		if (q.err == ERR_STORE_CORRUPT) {
			s->id = NULL;
			break;
		}
	}
	enum err e = q_close(&q);
	return e == ERR_STORE_CORRUPT ? ERR_OK : e;
}

static enum err licence_page(struct store_tx *tx, void *arg)
{
	struct walk *w = arg;
	struct licence_seen *list = arena_array(w->arena, PAGE, sizeof(*list));
	size_t n = 0;
	enum err e = list != NULL ? read_licences(w, tx, list, &n) : ERR_BUDGET;

	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		counted(w, &w->c->licences);
		w->seq = list[i].seq;
		if (list[i].id == NULL)
			e = found(w, ERR_STORE_CORRUPT, "licences", list[i].name);
		else
			e = check_licence(w, tx, &list[i]);
	}
	return e;
}

/* ---- show-codes and receipts ---------------------------------------------------------------- */

static enum err check_code(struct walk *w, struct store_tx *tx, const uint8_t hash[SM3_LEN])
{
	struct code_row c;
	char name[HASH_TEXT];
	enum err e = store_code_get(tx, w->arena, hash, &c);

	hex_encode(span_of(hash, SM3_LEN), name);
	if (e != ERR_OK)
		return found(w, e, "codes", name);
	if ((c.used != 0) != (c.used_by[0] != '\0'))
		fault(w, "codes", name, "it is used by nobody, or somebody used it at no time");
	else if (c.used != 0 && (c.used < c.created || c.used > c.expires))
		fault(w, "codes", name, "it was used outside its time");
	return ERR_OK;
}

static enum err code_page(struct store_tx *tx, void *arg)
{
	struct walk *w = arg;
	uint8_t(*list)[SM3_LEN] = arena_array(w->arena, PAGE, sizeof(*list));
	struct query q;
	size_t n = 0;
	enum err e;

	if (list == NULL)
		return ERR_BUDGET;
	q_open(&q, tx, "SELECT hash FROM codes WHERE hash > $1 ORDER BY hash LIMIT $2");
	q_put_blob(&q, span_of(w->hash, SM3_LEN));
	q_put_int(&q, PAGE);
	while (n < PAGE && q_next(&q))
		q_fixed(&q, list[n++], SM3_LEN);
	e = q_close(&q);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		counted(w, &w->c->codes);
		memcpy(w->hash, list[i], SM3_LEN);
		e = check_code(w, tx, list[i]);
	}
	return e;
}

static enum err receipt_page(struct store_tx *tx, void *arg)
{
	struct walk *w = arg;
	struct query q;

	q_open(&q, tx, "SELECT id, body FROM receipts WHERE id > $1 ORDER BY id LIMIT $2");
	q_put_text(&q, w->text);
	q_put_int(&q, PAGE);
	while (q_next(&q)) {
		w->text = q_text(&q, w->arena);
		counted(w, &w->c->receipts);
		if (w->text != NULL && q_blob(&q, w->arena).len == 0)
			fault(w, "receipts", w->text, "it is empty");
	}
	return q_close(&q);
}

/* ---- audit ---------------------------------------------------------------------------------- */

static enum err check_entry(struct walk *w, const struct audit_row *r)
{
	static const uint8_t prefix[1] = {0}; /* docs/audit.md: the leaf hash of RFC 6962 */
	struct span parts[] = {span_of(prefix, 1), r->record};
	uint8_t leaf[SHA256_LEN];
	char name[24];
	enum err e = sha256_parts(parts, 2, leaf);

	snprintf(name, sizeof(name), "%llu", (unsigned long long)r->index);
	if (e == ERR_OK && memcmp(leaf, r->leaf, SHA256_LEN) != 0)
		fault(w, "audit", name, "the record does not have the recorded leaf");
	if (r->index != (uint64_t)w->seq)
		fault(w, "audit", name, "the entry before it is missing");
	w->seq = (int64_t)r->index + 1;
	return e;
}

static enum err audit_page(struct store_tx *tx, void *arg)
{
	struct walk *w = arg;
	struct audit_row *list;
	size_t n = 0;
	enum err e = store_audit_list(tx, w->arena, (uint64_t)w->seq, PAGE, "", "", &list, &n);
	char name[24];

	if (e == ERR_STORE_CORRUPT) {
		/* Which one of the page: ask for each alone. */
		snprintf(name, sizeof(name), "%lld", (long long)w->seq);
		e = store_audit_list(tx, w->arena, (uint64_t)w->seq, 1, "", "", &list, &n);
		if (e == ERR_STORE_CORRUPT) {
			counted(w, &w->c->audit);
			w->seq++;
			return found(w, e, "audit", name);
		}
	}
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		counted(w, &w->c->audit);
		e = check_entry(w, &list[i]);
	}
	return e;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static enum err walk_table(struct store *s, struct store_check *c, store_fn *page)
{
	struct walk w = {.c = c};
	char last[256] = "";
	enum err e;

	do {
		w.arena = arena_new(CHECK_BUDGET);
		if (w.arena == NULL)
			return ERR_NO_MEMORY;
		w.rows = 0;
		w.text = last;
		e = store_read(s, page, &w);
		if (e == ERR_OK && w.text != last)
			snprintf(last, sizeof(last), "%s", w.text);
		arena_free(w.arena);
	} while (e == ERR_OK && w.rows != 0);
	return e;
}

enum err store_check(struct store *s, struct store_check *c)
{
	static store_fn *const tables[] = {seal_page, licence_page, code_page, receipt_page, audit_page};
	enum err e = ERR_OK;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && e == ERR_OK; i++)
		e = walk_table(s, c, tables[i]);
	return e;
}
