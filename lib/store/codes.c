#include "store/internal.h"

#include "base/text.h"

static struct cell body_cell(const uint8_t hash[SM3_LEN], char row[2 * SM3_LEN + 1])
{
	hex_encode(span_of(hash, SM3_LEN), row);
	return (struct cell){"codes", row, "body", 1};
}

enum err store_code_insert(struct store_tx *tx, const struct code_row *c)
{
	char row[2 * SM3_LEN + 1];
	struct query q;

	q_open(
	    &q, tx,
	    "INSERT INTO codes (hash, kind, audience, audience_org, wallet, item_code, body, created, expires, cancelled,"
	    " used, used_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
	q_put_blob(&q, span_of(c->hash, SM3_LEN));
	q_put_int(&q, c->kind);
	q_put_int(&q, c->audience);
	q_put_text(&q, c->audience_org);
	q_put_text(&q, c->wallet);
	q_put_text(&q, c->item_code);
	q_put_sealed(&q, body_cell(c->hash, row), c->body);
	q_put_int(&q, c->created);
	q_put_int(&q, c->expires);
	q_put_int(&q, c->cancelled);
	q_put_int(&q, c->used);
	q_put_text(&q, c->used_by);
	return q_later(&q);
}

static void read_code(struct query *q, struct arena *a, struct code_row *c)
{
	char row[2 * SM3_LEN + 1];

	c->kind = (enum code_kind)q_enum(q, CODE_SHOW, CODE_USE);
	c->audience = (enum audience_kind)q_enum(q, AUDIENCE_INSPECTORS, AUDIENCE_ORGANISATION);
	c->audience_org = q_text(q, a);
	c->wallet = q_text(q, a);
	c->item_code = q_text(q, a);
	c->body = q_sealed(q, a, body_cell(c->hash, row));
	c->created = q_int(q);
	c->expires = q_int(q);
	c->cancelled = q_int(q);
	c->used = q_int(q);
	c->used_by = q_text(q, a);
}

enum err store_code_get(struct store_tx *tx, struct arena *a, const uint8_t hash[SM3_LEN], struct code_row *out)
{
	struct code_row c = {0};
	struct query q;
	bool found;
	enum err e;

	memcpy(c.hash, hash, SM3_LEN);
	q_open(&q, tx,
	       "SELECT kind, audience, audience_org, wallet, item_code, body, created, expires, cancelled, used, used_by"
	       " FROM codes WHERE hash = $1");
	q_put_blob(&q, span_of(hash, SM3_LEN));
	found = q_next(&q);
	if (found)
		read_code(&q, a, &c);
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*out = c;
	return e;
}

/* Why a code cannot be spent: what was done to it comes before what time did. ERR_OK when nothing is in the way. */
static enum err obstacle(struct store_tx *tx, const uint8_t hash[SM3_LEN])
{
	int64_t expires = 0, cancelled = 0, used = 0;
	struct query q;
	bool found;
	enum err e;

	q_open(&q, tx, "SELECT expires, cancelled, used FROM codes WHERE hash = $1");
	q_put_blob(&q, span_of(hash, SM3_LEN));
	found = q_next(&q);
	if (found) {
		expires = q_int(&q);
		cancelled = q_int(&q);
		used = q_int(&q);
	}
	e = q_close(&q);
	if (e != ERR_OK)
		return e;
	if (!found)
		return ERR_CODE_UNKNOWN;
	if (used != 0)
		return ERR_CODE_USED;
	if (cancelled != 0)
		return ERR_CODE_CANCELLED;
	return tx->now >= expires ? ERR_CODE_EXPIRED : ERR_OK;
}

/* The conditions stand in the statement itself, so that it is right under any locking. */
enum err store_code_spend(struct store_tx *tx, const uint8_t hash[SM3_LEN], const char *principal)
{
	struct query q;
	enum err e;

	q_open(&q, tx,
	       "UPDATE codes SET used = $1, used_by = $2"
	       " WHERE hash = $3 AND used = 0 AND cancelled = 0 AND expires > $1");
	q_put_int(&q, tx->now);
	q_put_text(&q, principal);
	q_put_blob(&q, span_of(hash, SM3_LEN));
	e = q_must(&q, DB_CHANGED, ERR_STORE_CHANGED);
	if (e != ERR_STORE_CHANGED)
		return e;
	e = obstacle(tx, hash);
	return e == ERR_OK ? ERR_STORE_CHANGED : e;
}

enum err store_code_cancel(struct store_tx *tx, const uint8_t hash[SM3_LEN])
{
	int64_t changed = 0;
	struct query q;
	enum err e;

	q_open(&q, tx, "UPDATE codes SET cancelled = $1 WHERE hash = $2 AND used = 0 AND cancelled = 0");
	q_put_int(&q, tx->now);
	q_put_blob(&q, span_of(hash, SM3_LEN));
	e = q_run(&q, &changed);
	if (e != ERR_OK || changed != 0)
		return e;
	e = obstacle(tx, hash);
	return e == ERR_CODE_CANCELLED || e == ERR_CODE_EXPIRED ? ERR_OK : e;
}
