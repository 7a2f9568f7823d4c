#include "store/internal.h"

#include <stdio.h>

/* A seal's bytes stand in every document that it seals, so that they are no secret; who applied and approved is. */
#define SEAL_COLUMNS                                                                                                   \
	"id, name, owner_code, maker, type, state, valid_start, valid_end, application, approver, created_by, hash, "      \
	"version"

enum { OBJECT_MAX = 300 };

static enum err object_of(const char *id, char out[OBJECT_MAX])
{
	int n = snprintf(out, OBJECT_MAX, "seal/%s", id);

	return n > 0 && n < OBJECT_MAX ? ERR_OK : ERR_FIELD_TOO_LONG;
}

static struct cell cell_of(const char *id, const char *column)
{
	return (struct cell){"seals", id, column, 1};
}

static enum err insert_row(struct store_tx *tx, const struct seal_row *s)
{
	struct query q;

	q_open(&q, tx,
	       "INSERT INTO seals (" SEAL_COLUMNS ", der)"
	       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13)");
	q_put_text(&q, s->id);
	q_put_text(&q, s->name);
	q_put_text(&q, s->owner_code);
	q_put_text(&q, s->maker);
	q_put_int(&q, s->type);
	q_put_int(&q, (int64_t)s->state);
	q_put_int(&q, s->valid_start);
	q_put_int(&q, s->valid_end);
	q_put_sealed(&q, cell_of(s->id, "application"), span_str(s->application));
	q_put_sealed(&q, cell_of(s->id, "approver"), span_str(s->approver));
	q_put_text(&q, s->created_by);
	q_put_blob(&q, span_of(s->hash, SM3_LEN));
	q_put_blob(&q, s->der);
	return q_run(&q, NULL);
}

enum err store_seal_insert(struct store_tx *tx, const struct seal_row *s)
{
	struct state_event first = {.sequence = 1,
	                            .state = (int)s->state,
	                            .reason = s->application,
	                            .effective = tx->now,
	                            .principal = s->created_by};
	char object[OBJECT_MAX];
	enum err e = object_of(s->id, object);

	if (e == ERR_OK && (s->state < SEAL_ACTIVE || s->state > SEAL_REVOKED))
		e = ERR_STATE_CHANGE_INVALID;
	if (e == ERR_OK)
		e = insert_row(tx, s);
	return e == ERR_OK ? events_add(tx, object, &first) : e;
}

static void read_seal(struct query *q, struct arena *a, struct seal_row *s)
{
	s->id = q_text(q, a);
	s->name = q_text(q, a);
	s->owner_code = q_text(q, a);
	s->maker = q_text(q, a);
	s->type = q_int(q);
	s->state = (enum seal_state)q_enum(q, SEAL_ACTIVE, SEAL_REVOKED);
	s->valid_start = q_int(q);
	s->valid_end = q_int(q);
	s->application = q_sealed_text(q, a, cell_of(s->id, "application"));
	s->approver = q_sealed_text(q, a, cell_of(s->id, "approver"));
	s->created_by = q_text(q, a);
	q_fixed(q, s->hash, SM3_LEN);
	s->version = (uint64_t)q_int(q);
}

enum err store_seal_get(struct store_tx *tx, struct arena *a, const char *id, struct seal_row *out)
{
	struct seal_row s = {0};
	struct query q;
	bool found;
	enum err e;

	q_open(&q, tx, "SELECT " SEAL_COLUMNS ", der FROM seals WHERE id = $1");
	q_put_text(&q, id);
	found = q_next(&q);
	if (found) {
		read_seal(&q, a, &s);
		s.der = q_blob(&q, a);
	}
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*out = s;
	return e;
}

enum err store_seal_der(struct store_tx *tx, struct arena *a, const uint8_t hash[SM3_LEN], struct span *der)
{
	struct span bytes = {0};
	struct query q;
	bool found;
	enum err e;

	q_open(&q, tx, "SELECT der FROM seals WHERE hash = $1");
	q_put_blob(&q, span_of(hash, SM3_LEN));
	found = q_next(&q);
	if (found)
		bytes = q_blob(&q, a);
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*der = bytes;
	return e;
}

enum err store_seal_list(struct store_tx *tx, struct arena *a, const char *owner_code, const char *after, size_t max,
                         struct seal_row **out, size_t *n)
{
	struct seal_row *list = NULL;
	size_t count = 0;
	struct query q;
	enum err e;

	q_open(&q, tx,
	       "SELECT " SEAL_COLUMNS " FROM seals WHERE id > $1 AND ($2 = '' OR owner_code = $2) ORDER BY id LIMIT $3");
	q_put_text(&q, after);
	q_put_text(&q, owner_code);
	q_put_int(&q, (int64_t)page_of(max));
	while (q_next(&q)) {
		list = q_grow(&q, a, list, count, sizeof(*list));
		if (list == NULL)
			break;
		read_seal(&q, a, &list[count++]);
	}
	e = q_close(&q);
	if (e == ERR_OK) {
		*out = list;
		*n = count;
	}
	return e;
}

enum err store_seal_same(struct store_tx *tx, const char *id, uint64_t version)
{
	struct query q;

	q_open(&q, tx, "SELECT 1 FROM seals WHERE id = $1 AND version = $2");
	q_put_text(&q, id);
	q_put_int(&q, (int64_t)version);
	return q_must(&q, DB_FOUND, ERR_STORE_CHANGED);
}

static enum err known(struct store_tx *tx, const char *id)
{
	struct query q;
	bool found;

	q_open(&q, tx, "SELECT 1 FROM seals WHERE id = $1");
	q_put_text(&q, id);
	found = q_next(&q);
	return q_close_found(&q, found);
}

enum err store_seal_change(struct store_tx *tx, const char *id, uint64_t version, struct state_event *ev)
{
	char object[OBJECT_MAX];
	int64_t changed = 0;
	struct query q;
	enum err e = object_of(id, object);

	if (e == ERR_OK && (ev->state < SEAL_ACTIVE || ev->state > SEAL_REVOKED))
		e = ERR_STATE_CHANGE_INVALID;
	if (e != ERR_OK)
		return e;
	q_open(&q, tx, "UPDATE seals SET state = $1, version = version + 1 WHERE id = $2 AND version = $3");
	q_put_int(&q, ev->state);
	q_put_text(&q, id);
	q_put_int(&q, (int64_t)version);
	e = q_run(&q, &changed);
	if (e == ERR_OK && changed == 0) {
		e = known(tx, id);
		return e == ERR_OK ? ERR_STORE_CHANGED : e;
	}
	ev->sequence = (unsigned)version + 1;
	if (e == ERR_OK)
		e = events_add(tx, object, ev);
	return e == ERR_OK ? touch(tx, STORE_SEALS, 0) : e;
}

enum err store_seal_events(struct store_tx *tx, struct arena *a, const char *id, struct state_event **out, size_t *n)
{
	char object[OBJECT_MAX];
	enum err e = object_of(id, object);

	if (e == ERR_OK)
		e = known(tx, id);
	return e == ERR_OK ? events_list(tx, a, object, out, n) : e;
}
