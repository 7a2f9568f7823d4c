#include "store/internal.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

/* The identifier may hold a personal number: a licence is found by a keyed hash of it, and named by that hash in
 * every other table and in the contexts of its encrypted values. */
#define HEAD_COLUMNS                                                                                                   \
	"l.id_hash, l.id, l.type_code, l.issuer_code, l.seal_id, l.state, l.state_since, l.issued, l.valid_from,"          \
	" l.valid_to, l.seal_hash, l.version"

enum { HASH_TEXT = 2 * SM3_LEN + 1, OBJECT_MAX = 8 + HASH_TEXT, TOKEN_LEN = 16 };

struct key {
	uint8_t hash[SM3_LEN];
	char text[HASH_TEXT];
	char object[OBJECT_MAX];
};

static void key_names(struct key *k)
{
	static const char head[] = "licence/";

	hex_encode(span_of(k->hash, SM3_LEN), k->text);
	memcpy(k->object, head, sizeof(head) - 1);
	memcpy(k->object + sizeof(head) - 1, k->text, sizeof(k->text));
}

static enum err key_of(struct store_tx *tx, const char *id, struct key *k)
{
	enum err e = lookup_hash(tx, "licence.id", &id, 1, k->hash);

	if (e == ERR_OK)
		key_names(k);
	return e;
}

static enum err holder_hash(struct store_tx *tx, const struct holder_key *h, uint8_t out[SM3_LEN])
{
	const char *parts[] = {h->code_type, h->code};

	return lookup_hash(tx, "licence.holder", parts, 2, out);
}

static struct cell cell_of(const struct key *k, const char *column)
{
	return (struct cell){"licences", k->text, column, 1};
}

/* ---- inserting ------------------------------------------------------------------------------ */

/* Licences without a number are not compared: NULL is unlike any NULL. */
static void put_number(struct query *q, const struct licence_row *l, const char *number)
{
	const char *parts[] = {l->type_code, l->issuer_code, number};
	uint8_t *hash = NULL;
	enum err e = ERR_OK;

	if (number == NULL || number[0] == '\0') {
		q_put_null(q);
		return;
	}
	hash = tx_scratch(q->tx) != NULL ? arena_alloc(q->tx->scratch, SM3_LEN) : NULL;
	e = hash != NULL ? lookup_hash(q->tx, "licence.number", parts, 3, hash) : ERR_BUDGET;
	if (e != ERR_OK)
		q_fail(q, e);
	q_put_blob(q, span_of(hash, SM3_LEN));
}

static enum err insert_row(struct store_tx *tx, const struct licence_row *l, const struct key *k, const char *number)
{
	struct query q;

	q_open(
	    &q, tx,
	    "INSERT INTO licences (id_hash, number_hash, id, type_code, issuer_code, seal_id, state, state_since, issued,"
	    " valid_from, valid_to, seal_hash, version, record, sig_head, sig_tail)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14, $15)");
	q_put_blob(&q, span_of(k->hash, SM3_LEN));
	put_number(&q, l, number);
	q_put_sealed(&q, cell_of(k, "id"), span_str(l->id));
	q_put_text(&q, l->type_code);
	q_put_text(&q, l->issuer_code);
	q_put_text(&q, l->seal_id);
	q_put_int(&q, LICENCE_VALID);
	q_put_int(&q, l->state_since);
	q_put_int(&q, l->issued);
	q_put_int(&q, l->valid_from);
	q_put_int(&q, l->valid_to);
	q_put_blob(&q, span_of(l->seal_hash, SM3_LEN));
	q_put_sealed(&q, cell_of(k, "record"), l->record);
	q_put_sealed(&q, cell_of(k, "sig_head"), l->sig_head);
	q_put_sealed(&q, cell_of(k, "sig_tail"), l->sig_tail);
	return q_later(&q);
}

/* Somebody who is named twice is one holder. */
static enum err insert_holder(struct store_tx *tx, const struct holder_key *h, const struct key *k)
{
	uint8_t hash[SM3_LEN];
	struct query q;
	enum err e = holder_hash(tx, h, hash);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx, "INSERT INTO holders (holder_hash, licence) VALUES ($1, $2) ON CONFLICT DO NOTHING");
	q_put_blob(&q, span_of(hash, SM3_LEN));
	q_put_blob(&q, span_of(k->hash, SM3_LEN));
	return q_later(&q);
}

enum err store_licence_insert(struct store_tx *tx, const struct licence_row *l, const char *number,
                              const struct holder_key *holders, size_t n_holders, const char *principal)
{
	char nothing[] = "", by[256];
	struct state_event first = {
	    .sequence = 1, .state = LICENCE_VALID, .reason = nothing, .effective = l->state_since, .principal = by};
	struct key k;
	enum err e = key_of(tx, l->id, &k);

	if (snprintf(by, sizeof(by), "%s", principal) >= (int)sizeof(by))
		return ERR_FIELD_TOO_LONG;
	if (e == ERR_OK)
		e = insert_row(tx, l, &k, number);
	for (size_t i = 0; i < n_holders && e == ERR_OK; i++)
		e = insert_holder(tx, &holders[i], &k);
	return e == ERR_OK ? events_add(tx, k.object, &first) : e;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void read_head(struct query *q, struct arena *a, struct key *k, struct licence_row *l)
{
	q_fixed(q, k->hash, SM3_LEN);
	key_names(k);
	l->id = q_sealed_text(q, a, cell_of(k, "id"));
	l->type_code = q_text(q, a);
	l->issuer_code = q_text(q, a);
	l->seal_id = q_text(q, a);
	l->state = (enum licence_state)q_enum(q, LICENCE_VALID, LICENCE_CANCELLED);
	l->state_since = q_int(q);
	l->issued = q_int(q);
	l->valid_from = q_int(q);
	l->valid_to = q_int(q);
	q_fixed(q, l->seal_hash, SM3_LEN);
	l->version = (uint64_t)q_int(q);
}

enum err store_licence_get(struct store_tx *tx, struct arena *a, const char *id, struct licence_row *out)
{
	struct licence_row l = {0};
	struct query q;
	struct key k = {0};
	bool found;
	enum err e = key_of(tx, id, &k);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx, "SELECT " HEAD_COLUMNS ", l.record, l.sig_head, l.sig_tail FROM licences l WHERE l.id_hash = $1");
	q_put_blob(&q, span_of(k.hash, SM3_LEN));
	found = q_next(&q);
	if (found) {
		read_head(&q, a, &k, &l);
		l.record = q_sealed(&q, a, cell_of(&k, "record"));
		l.sig_head = q_sealed(&q, a, cell_of(&k, "sig_head"));
		l.sig_tail = q_sealed(&q, a, cell_of(&k, "sig_tail"));
	}
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*out = l;
	return e;
}

enum err store_licence_by_holder(struct store_tx *tx, struct arena *a, const struct holder_key *h,
                                 const char *type_code, size_t max, struct licence_row **out, size_t *n)
{
	struct licence_row *list = NULL;
	uint8_t hash[SM3_LEN];
	struct key k = {0};
	size_t count = 0;
	struct query q;
	enum err e = holder_hash(tx, h, hash);

	if (e != ERR_OK)
		return e;
	/* The sum keeps a planner from walking through all licences in the order of seq. */
	q_open(&q, tx,
	       "SELECT " HEAD_COLUMNS " FROM holders h JOIN licences l ON l.id_hash = h.licence"
	       " WHERE h.holder_hash = $1 AND ($2 = '' OR l.type_code = $2) ORDER BY l.seq + 0 DESC LIMIT $3");
	q_put_blob(&q, span_of(hash, SM3_LEN));
	q_put_text(&q, type_code);
	q_put_int(&q, (int64_t)page_of(max));
	while (q_next(&q)) {
		list = q_grow(&q, a, list, count, sizeof(*list));
		if (list == NULL)
			break;
		read_head(&q, a, &k, &list[count++]);
	}
	e = q_close(&q);
	if (e == ERR_OK) {
		*out = list;
		*n = count;
	}
	return e;
}

enum err store_licence_count(struct store_tx *tx, const struct holder_key *h, uint64_t *n)
{
	uint8_t hash[SM3_LEN];
	struct query q;
	bool found;
	enum err e = holder_hash(tx, h, hash);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx, "SELECT count(*) FROM holders WHERE holder_hash = $1");
	q_put_blob(&q, span_of(hash, SM3_LEN));
	found = q_next(&q);
	if (found)
		*n = (uint64_t)q_int(&q);
	return q_close_found(&q, found);
}

/* A token is the sequence number of the last row that was given, in hex. */
static enum err token_decode(const char *token, int64_t *seq)
{
	uint8_t b[TOKEN_LEN / 2];
	int64_t v = 0;

	if (token[0] == '\0') {
		*seq = 0;
		return ERR_OK;
	}
	if (hex_decode(span_str(token), b, sizeof(b)) != ERR_OK || b[0] > 0x7f)
		return ERR_FIELD_INVALID;
	for (size_t i = 0; i < sizeof(b); i++)
		v = v << 8 | b[i];
	*seq = v;
	return ERR_OK;
}

static void open_list(struct query *q, struct store_tx *tx, const char *issuer_code, const char *type_code)
{
	static const char all[] = "SELECT l.seq, " HEAD_COLUMNS
	                          " FROM licences l WHERE l.issuer_code = $1 AND l.seq > $2 ORDER BY l.seq LIMIT $3";
	static const char of_type[] =
	    "SELECT l.seq, " HEAD_COLUMNS " FROM licences l"
	    " WHERE l.issuer_code = $1 AND l.seq > $2 AND l.type_code = $4 ORDER BY l.seq LIMIT $3";

	q_open(q, tx, type_code[0] != '\0' ? of_type : all);
	q_put_text(q, issuer_code);
}

enum err store_licence_list(struct store_tx *tx, struct arena *a, const char *issuer_code, const char *type_code,
                            const char *token, size_t max, struct licence_row **out, size_t *n, char **next)
{
	struct licence_row *list = NULL;
	struct key k = {0};
	size_t count = 0, page = page_of(max);
	bool more = false;
	char *end;
	int64_t seq;
	struct query q;
	enum err e = token_decode(token, &seq);

	if (e != ERR_OK)
		return e;
	open_list(&q, tx, issuer_code, type_code);
	q_put_int(&q, seq);
	q_put_int(&q, (int64_t)page + 1);
	if (type_code[0] != '\0')
		q_put_text(&q, type_code);
	while (q_next(&q)) {
		more = count == page;
		if (more)
			break;
		list = q_grow(&q, a, list, count, sizeof(*list));
		if (list == NULL)
			break;
		seq = q_int(&q);
		read_head(&q, a, &k, &list[count++]);
	}
	e = q_close(&q);
	end = more ? arena_printf(a, "%016llx", (unsigned long long)seq) : arena_strndup(a, NULL, 0);
	if (e == ERR_OK && end == NULL)
		e = ERR_BUDGET;
	if (e == ERR_OK) {
		*out = list;
		*n = count;
		*next = end;
	}
	return e;
}

/* ---- state ---------------------------------------------------------------------------------- */

static enum err known(struct store_tx *tx, const struct key *k)
{
	struct query q;
	bool found;

	q_open(&q, tx, "SELECT 1 FROM licences WHERE id_hash = $1");
	q_put_blob(&q, span_of(k->hash, SM3_LEN));
	found = q_next(&q);
	return q_close_found(&q, found);
}

enum err store_licence_same(struct store_tx *tx, const char *id, uint64_t version)
{
	struct query q;
	struct key k;
	enum err e = key_of(tx, id, &k);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx, "SELECT 1 FROM licences WHERE id_hash = $1 AND version = $2");
	q_put_blob(&q, span_of(k.hash, SM3_LEN));
	q_put_int(&q, (int64_t)version);
	return q_must(&q, DB_FOUND, ERR_STORE_CHANGED);
}

enum err store_licence_sealed_same(struct store_tx *tx, const char *id, uint64_t version, const char *seal_id,
                                   uint64_t seal_version)
{
	struct query q;
	struct key k;
	enum err e = key_of(tx, id, &k);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx,
	       "SELECT 1 FROM licences WHERE id_hash = $1 AND version = $2"
	       " AND EXISTS (SELECT 1 FROM seals WHERE id = $3 AND version = $4)");
	q_put_blob(&q, span_of(k.hash, SM3_LEN));
	q_put_int(&q, (int64_t)version);
	q_put_text(&q, seal_id);
	q_put_int(&q, (int64_t)seal_version);
	return q_must(&q, DB_FOUND, ERR_STORE_CHANGED);
}

enum err store_licence_change(struct store_tx *tx, const char *id, uint64_t version, struct state_event *ev)
{
	int64_t changed = 0;
	struct query q;
	struct key k;
	enum err e = key_of(tx, id, &k);

	if (e == ERR_OK && (ev->state < LICENCE_VALID || ev->state > LICENCE_CANCELLED))
		e = ERR_STATE_CHANGE_INVALID;
	if (e != ERR_OK)
		return e;
	q_open(
	    &q, tx,
	    "UPDATE licences SET state = $1, state_since = $2, version = version + 1 WHERE id_hash = $3 AND version = $4");
	q_put_int(&q, ev->state);
	q_put_int(&q, ev->effective);
	q_put_blob(&q, span_of(k.hash, SM3_LEN));
	q_put_int(&q, (int64_t)version);
	e = q_run(&q, &changed);
	if (e == ERR_OK && changed == 0) {
		e = known(tx, &k);
		return e == ERR_OK ? ERR_STORE_CHANGED : e;
	}
	ev->sequence = (unsigned)version + 1;
	if (e == ERR_OK)
		e = events_add(tx, k.object, ev);
	return e == ERR_OK ? touch(tx, STORE_LICENCES, k.hash[0]) : e;
}

enum err store_licence_events(struct store_tx *tx, struct arena *a, const char *id, struct state_event **out, size_t *n)
{
	struct key k;
	enum err e = key_of(tx, id, &k);

	if (e == ERR_OK)
		e = known(tx, &k);
	return e == ERR_OK ? events_list(tx, a, k.object, out, n) : e;
}
