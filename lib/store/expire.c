/* What has served its time goes, a few rows at a time, so that the writer is never held for long. */
#include "store/internal.h"

static const int64_t minute_ms = 60 * 1000, day_ms = 24 * 3600 * 1000;

static enum err expire_one(struct store_tx *tx, const char *sql, int64_t before, size_t *left)
{
	int64_t changed = 0;
	struct query q;
	enum err e;

	q_open(&q, tx, sql);
	q_put_int(&q, before);
	q_put_int(&q, *left < INT32_MAX ? (int64_t)*left : INT32_MAX);
	e = q_run(&q, &changed);
	if (e == ERR_OK)
		*left -= (size_t)changed;
	return e;
}

enum err store_expire(struct store_tx *tx, size_t max, uint64_t *n)
{
	size_t left = max;
	enum err e;

	e = expire_one(tx,
	               "DELETE FROM replays WHERE (principal, request_id) IN"
	               " (SELECT principal, request_id FROM replays WHERE time <= $1 ORDER BY time LIMIT $2)",
	               tx->now - 10 * minute_ms, &left);
	if (e == ERR_OK)
		e = expire_one(tx,
		               "DELETE FROM codes WHERE hash IN"
		               " (SELECT hash FROM codes WHERE expires < $1 ORDER BY expires LIMIT $2)",
		               tx->now - 30 * day_ms, &left);
	if (e == ERR_OK)
		e = expire_one(tx,
		               "DELETE FROM grants WHERE principal IN"
		               " (SELECT principal FROM grants WHERE time <= $1 ORDER BY time LIMIT $2)",
		               tx->now - day_ms, &left);
	if (e == ERR_OK)
		*n = max - left;
	return e;
}
