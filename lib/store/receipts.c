#include "store/internal.h"

enum err store_receipt_insert(struct store_tx *tx, const struct receipt_row *r)
{
	struct query q;

	q_open(&q, tx, "INSERT INTO receipts (id, principal, time, body) VALUES ($1, $2, $3, $4)");
	q_put_text(&q, r->id);
	q_put_text(&q, r->principal);
	q_put_int(&q, r->time);
	q_put_blob(&q, r->body);
	return q_later(&q);
}

enum err store_receipt_get(struct store_tx *tx, struct arena *a, const char *id, struct receipt_row *out)
{
	struct receipt_row r = {0};
	struct query q;
	bool found;
	enum err e;

	q_open(&q, tx, "SELECT id, principal, time, body FROM receipts WHERE id = $1");
	q_put_text(&q, id);
	found = q_next(&q);
	if (found) {
		r.id = q_text(&q, a);
		r.principal = q_text(&q, a);
		r.time = q_int(&q);
		r.body = q_blob(&q, a);
	}
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*out = r;
	return e;
}
