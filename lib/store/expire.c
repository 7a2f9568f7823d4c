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

/* Entries are gone through once, in the order of their numbers, as far as they are old enough; how far is kept. */
static enum err erase_values(struct store_tx *tx, int64_t before, size_t *left)
{
	int64_t from = 0, last = -1;
	size_t n = 0;
	struct query q;
	enum err e = meta_get(tx, "audit.erased", &from);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	q_open(&q, tx, "SELECT idx, time FROM audit WHERE idx >= $1 ORDER BY idx LIMIT $2");
	q_put_int(&q, from);
	q_put_int(&q, *left < INT32_MAX ? (int64_t)*left : INT32_MAX);
	while (q_next(&q)) {
		int64_t index = q_int(&q);
		if (q_int(&q) >= before)
			break;
		last = index;
		n++;
	}
	e = q_close(&q);
	if (e != ERR_OK || n == 0)
		return e;
	q_open(&q, tx, "UPDATE audit SET vals = NULL WHERE idx >= $1 AND idx <= $2 AND vals IS NOT NULL");
	q_put_int(&q, from);
	q_put_int(&q, last);
	e = q_run(&q, NULL);
	if (e == ERR_OK)
		e = meta_put(tx, "audit.erased", last + 1);
	if (e == ERR_OK)
		*left -= n;
	return e;
}

enum err store_expire(struct store_tx *tx, const struct store_keep *keep, size_t max, uint64_t *n)
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
		               tx->now - keep->codes, &left);
	if (e == ERR_OK)
		e = expire_one(tx,
		               "DELETE FROM grants WHERE principal IN"
		               " (SELECT principal FROM grants WHERE time <= $1 ORDER BY time LIMIT $2)",
		               tx->now - day_ms, &left);
	if (e == ERR_OK && keep->audit_values != 0 && left != 0)
		e = erase_values(tx, tx->now - keep->audit_values, &left);
	if (e == ERR_OK)
		*n = max - left;
	return e;
}
