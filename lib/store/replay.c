#include "store/internal.h"

#include "base/text.h"

static const int64_t replay_ms = 10 * 60 * 1000;

/* The request id has a fixed length, so that the row's name is unambiguous. The version is the time: an answer that was
 * replaced does not fit any more. */
static enum err cell_of(struct store_tx *tx, const char *principal, const uint8_t request_id[REQUEST_ID_LEN],
                        int64_t time, struct cell *out)
{
	char hex[2 * REQUEST_ID_LEN + 1];
	struct arena *a = tx_scratch(tx);
	char *row;

	hex_encode(span_of(request_id, REQUEST_ID_LEN), hex);
	row = a != NULL ? arena_printf(a, "%s/%s", principal, hex) : NULL;
	if (row == NULL)
		return ERR_BUDGET;
	*out = (struct cell){"replays", row, "reply", (uint64_t)time};
	return ERR_OK;
}

enum err store_replay_get(struct store_tx *tx, struct arena *a, const char *principal,
                          const uint8_t request_id[REQUEST_ID_LEN], struct replay *out)
{
	struct replay r = {0};
	struct query q;
	struct cell cell = {0};
	bool found;
	enum err e;

	if (tx->fast) { /* store_replay_put() finds out */
		tx->assumed = tx->unasked = true;
		return ERR_NOT_FOUND;
	}
	q_open(&q, tx, "SELECT time, digest, reply FROM replays WHERE principal = $1 AND request_id = $2 AND time > $3");
	q_put_text(&q, principal);
	q_put_blob(&q, span_of(request_id, REQUEST_ID_LEN));
	q_put_int(&q, tx->now - replay_ms);
	found = q_next(&q);
	if (found) {
		e = cell_of(tx, principal, request_id, q_int(&q), &cell);
		if (e != ERR_OK)
			q_fail(&q, e);
		q_fixed(&q, r.request_digest, SM3_LEN);
		r.reply = q_sealed(&q, a, cell);
	}
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*out = r;
	return e;
}

#define PUT "INSERT INTO replays (principal, request_id, digest, reply, time) VALUES ($1, $2, $3, $4, $5)"
/* An old answer to the same request id makes room. */
#define OVER                                                                                                           \
	" ON CONFLICT (principal, request_id) DO UPDATE SET digest = excluded.digest, reply = excluded.reply,"             \
	" time = excluded.time WHERE replays.time <= $6"

enum err store_replay_put(struct store_tx *tx, const char *principal, const uint8_t request_id[REQUEST_ID_LEN],
                          const struct replay *r)
{
	struct cell cell;
	struct query q;
	enum err e = cell_of(tx, principal, request_id, tx->now, &cell);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx, tx->fast ? PUT : PUT OVER);
	q_put_text(&q, principal);
	q_put_blob(&q, span_of(request_id, REQUEST_ID_LEN));
	q_put_blob(&q, span_of(r->request_digest, SM3_LEN));
	q_put_sealed(&q, cell, r->reply);
	q_put_int(&q, tx->now);
	tx->unasked = false;
	if (tx->fast)
		return q_later(&q);
	q_put_int(&q, tx->now - replay_ms);
	return q_must(&q, DB_CHANGED, ERR_ALREADY_EXISTS);
}
