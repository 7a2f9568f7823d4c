/* What has served its time goes, a few rows at a time, so that the writer is never held for long. */
#include "store/internal.h"

static const int64_t minute_ms = 60 * 1000, day_ms = 24 * 3600 * 1000;

/* Found by its time, deleted by its key: no planner can be tempted to read the whole table. */
struct kind {
	const char *find, *drop; /* $1: up to when; $2: at most how many, in find; the key from $2 on, in drop */
	bool text;               /* the key begins with a text, and ends with it unless `bytes` */
	bool bytes;
};

static const struct kind replays = {"SELECT principal, request_id FROM replays WHERE time <= $1 ORDER BY time LIMIT $2",
                                    "DELETE FROM replays WHERE time <= $1 AND principal = $2 AND request_id = $3", true,
                                    true};
static const struct kind codes = {"SELECT hash FROM codes WHERE expires < $1 ORDER BY expires LIMIT $2",
                                  "DELETE FROM codes WHERE expires < $1 AND hash = $2", false, true};
static const struct kind grants = {"SELECT principal FROM grants WHERE time <= $1 ORDER BY time LIMIT $2",
                                   "DELETE FROM grants WHERE time <= $1 AND principal = $2", true, false};

struct key {
	char *text;
	struct span bytes;
};

static enum err find_keys(struct store_tx *tx, const struct kind *k, int64_t before, size_t max, struct key **out,
                          size_t *n)
{
	struct arena *a = tx_scratch(tx);
	struct key *list = NULL;
	struct query q;

	if (a == NULL)
		return ERR_NO_MEMORY;
	q_open(&q, tx, k->find);
	q_put_int(&q, before);
	q_put_int(&q, max < INT32_MAX ? (int64_t)max : INT32_MAX);
	while (q_next(&q)) {
		list = q_grow(&q, a, list, *n, sizeof(*list));
		if (list == NULL)
			break;
		if (k->text)
			list[*n].text = q_text(&q, a);
		if (k->bytes)
			list[*n].bytes = q_blob(&q, a);
		++*n;
	}
	*out = list;
	return q_close(&q);
}

static enum err drop_key(struct store_tx *tx, const struct kind *k, int64_t before, const struct key *key)
{
	struct query q;

	q_open(&q, tx, k->drop);
	q_put_int(&q, before);
	if (k->text)
		q_put_text(&q, key->text);
	if (k->bytes)
		q_put_blob(&q, key->bytes);
	return q_later(&q);
}

static enum err expire_one(struct store_tx *tx, const struct kind *k, int64_t before, size_t *left)
{
	struct key *list = NULL;
	size_t n = 0;
	enum err e = *left != 0 ? find_keys(tx, k, before, *left, &list, &n) : ERR_OK;

	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = drop_key(tx, k, before, &list[i]);
	if (e == ERR_OK)
		*left -= n;
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

	e = expire_one(tx, &replays, tx->now - 10 * minute_ms, &left);
	if (e == ERR_OK)
		e = expire_one(tx, &codes, tx->now - keep->codes, &left);
	if (e == ERR_OK)
		e = expire_one(tx, &grants, tx->now - day_ms, &left);
	if (e == ERR_OK && keep->audit_values != 0 && left != 0)
		e = erase_values(tx, tx->now - keep->audit_values, &left);
	if (e == ERR_OK)
		*n = max - left;
	return e;
}
