/* From version 1 of the store: each personal value of the audit log had a row of its own. */
#include "store/internal.h"

#include <stdio.h>

enum { SALT_LEN = 16, ROW_MAX = 48, ENTRY_BUDGET = 32 << 20 };

static void read_value(struct query *q, struct arena *a, uint64_t index, struct audit_value *v)
{
	size_t pos = (size_t)q_enum(q, 0, INT32_MAX);
	char row[ROW_MAX];
	struct span both;

	v->name = q_text(q, a);
	v->value = arena_strndup(a, NULL, 0);
	v->erased = q_is_null(q);
	if (v->erased)
		return;
	snprintf(row, ROW_MAX, "%llu/%zu", (unsigned long long)index, pos);
	both = q_sealed(q, a, (struct cell){"audit_values", row, "value", 1});
	if (both.len < SALT_LEN) {
		q_fail(q, ERR_STORE_CORRUPT);
		return;
	}
	memcpy(v->salt, both.ptr, SALT_LEN);
	v->value = arena_strndup(a, both.ptr + SALT_LEN, both.len - SALT_LEN);
}

static enum err read_values(struct store_tx *tx, struct arena *a, struct audit_row *r)
{
	struct query q;

	q_open(&q, tx, "SELECT pos, name, value FROM audit_values WHERE idx = $1 ORDER BY pos");
	q_put_int(&q, (int64_t)r->index);
	while (q_next(&q)) {
		struct audit_value *grown = q_grow(&q, a, r->values, r->n_values, sizeof(*grown));

		if (grown == NULL)
			break;
		r->values = grown;
		read_value(&q, a, r->index, &grown[r->n_values++]);
	}
	return q_close(&q);
}

/* The next entry that has values, from `from` on; ERR_NOT_FOUND at the end. */
static enum err next_entry(struct store_tx *tx, uint64_t from, struct audit_row *r)
{
	struct query q;
	bool found;

	q_open(&q, tx,
	       "SELECT a.idx, a.leaf FROM audit a WHERE a.idx = (SELECT MIN(v.idx) FROM audit_values v WHERE v.idx >= $1)");
	q_put_int(&q, (int64_t)from);
	found = q_next(&q);
	if (found) {
		r->index = (uint64_t)q_int(&q);
		q_fixed(&q, r->leaf, SHA256_LEN);
	}
	return q_close_found(&q, found);
}

static enum err write_values(struct store_tx *tx, const struct audit_row *r)
{
	struct query q;
	enum err e;

	q_open(&q, tx, "UPDATE audit SET names = $1, vals = $2 WHERE idx = $3");
	e = audit_put_values(&q, r);
	if (e != ERR_OK)
		q_fail(&q, e);
	q_put_int(&q, (int64_t)r->index);
	return q_run(&q, NULL);
}

enum err audit_values_join(struct store_tx *tx)
{
	uint64_t from = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK) {
		struct arena *a = arena_new(ENTRY_BUDGET);
		struct audit_row r = {0};

		e = a != NULL ? next_entry(tx, from, &r) : ERR_NO_MEMORY;
		if (e == ERR_OK)
			e = read_values(tx, a, &r);
		if (e == ERR_OK)
			e = write_values(tx, &r);
		arena_free(a);
		tx_end(tx); /* what was sealed for this entry */
		from = r.index + 1;
	}
	return e == ERR_NOT_FOUND ? tx->db->driver->script(tx->db, "DROP TABLE audit_values") : e;
}
