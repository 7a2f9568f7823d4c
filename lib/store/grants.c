/* Grants that wait for a second hand: at most one per principal, the latest. */
#include "store/internal.h"

static const int64_t grant_ms = 24 * 3600 * 1000;

enum err store_grant_propose(struct store_tx *tx, const char *principal, const uint8_t digest[SM3_LEN], const char *by)
{
	struct query q;
	enum err e = tx_serial(tx);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx,
	       "INSERT INTO grants (principal, digest, proposed_by, time) VALUES ($1, $2, $3, $4)"
	       " ON CONFLICT (principal) DO UPDATE SET digest = excluded.digest, proposed_by = excluded.proposed_by,"
	       " time = excluded.time");
	q_put_text(&q, principal);
	q_put_blob(&q, span_of(digest, SM3_LEN));
	q_put_text(&q, by);
	q_put_int(&q, tx->now);
	return q_run(&q, NULL);
}

enum err store_grant_find(struct store_tx *tx, struct arena *a, const char *principal, const uint8_t digest[SM3_LEN],
                          char **by)
{
	struct query q;
	char *found_by = NULL;
	bool found;
	enum err e;

	q_open(&q, tx, "SELECT proposed_by FROM grants WHERE principal = $1 AND digest = $2 AND time > $3");
	q_put_text(&q, principal);
	q_put_blob(&q, span_of(digest, SM3_LEN));
	q_put_int(&q, tx->now - grant_ms);
	found = q_next(&q);
	if (found)
		found_by = q_text(&q, a);
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*by = found_by;
	return e;
}

enum err store_grant_clear(struct store_tx *tx, const char *principal)
{
	struct query q;
	enum err e = tx_serial(tx);

	if (e != ERR_OK)
		return e;
	q_open(&q, tx, "DELETE FROM grants WHERE principal = $1");
	q_put_text(&q, principal);
	return q_run(&q, NULL);
}
