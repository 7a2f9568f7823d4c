#include "store/internal.h"

#include <stdio.h>

enum { SALT_LEN = 16, ROW_MAX = 48 };

static struct cell value_cell(uint64_t index, size_t pos, char row[ROW_MAX])
{
	snprintf(row, ROW_MAX, "%llu/%zu", (unsigned long long)index, pos);
	return (struct cell){"audit_values", row, "value", 1};
}

/* ---- appending ------------------------------------------------------------------------------ */

/* Dense, because nobody else writes while this transaction is open. */
static enum err next_index(struct store_tx *tx, uint64_t *out)
{
	int64_t index = 0;
	struct query q;
	enum err e;

	q_open(&q, tx, "SELECT COALESCE(MAX(idx) + 1, 0) FROM audit");
	if (q_next(&q))
		index = q_int(&q);
	e = q_close(&q);
	if (e == ERR_OK)
		*out = (uint64_t)index;
	return e;
}

static enum err put_entry(struct store_tx *tx, const struct audit_row *r, uint64_t index)
{
	struct query q;

	q_open(&q, tx, "INSERT INTO audit (idx, time, action, principal, record, leaf) VALUES ($1, $2, $3, $4, $5, $6)");
	q_put_int(&q, (int64_t)index);
	q_put_int(&q, r->time);
	q_put_text(&q, r->action);
	q_put_text(&q, r->principal);
	q_put_blob(&q, r->record);
	q_put_blob(&q, span_of(r->leaf, SHA256_LEN));
	return q_run(&q, NULL);
}

/* Salt and value together, so that they go together. */
static enum err put_value(struct store_tx *tx, uint64_t index, size_t pos, const struct audit_value *v)
{
	struct arena *a = tx_scratch(tx);
	size_t n = span_str(v->value).len;
	uint8_t *both = a != NULL ? arena_alloc(a, SALT_LEN + n) : NULL;
	char row[ROW_MAX];
	struct query q;

	if (both == NULL)
		return ERR_BUDGET;
	memcpy(both, v->salt, SALT_LEN);
	if (n != 0)
		memcpy(both + SALT_LEN, v->value, n);
	q_open(&q, tx, "INSERT INTO audit_values (idx, pos, name, value) VALUES ($1, $2, $3, $4)");
	q_put_int(&q, (int64_t)index);
	q_put_int(&q, (int64_t)pos);
	q_put_text(&q, v->name);
	if (v->erased)
		q_put_null(&q);
	else
		q_put_sealed(&q, value_cell(index, pos, row), span_of(both, SALT_LEN + n));
	return q_run(&q, NULL);
}

enum err store_audit_append(struct store_tx *tx, struct audit_row *r)
{
	uint64_t index = 0;
	enum err e = next_index(tx, &index);

	if (e == ERR_OK)
		e = put_entry(tx, r, index);
	for (size_t i = 0; i < r->n_values && e == ERR_OK; i++)
		e = put_value(tx, index, i, &r->values[i]);
	if (e == ERR_OK)
		r->index = index;
	return e;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void read_value(struct query *q, struct arena *a, uint64_t index, struct audit_value *v)
{
	size_t pos = (size_t)q_enum(q, 0, INT32_MAX);
	char row[ROW_MAX];
	struct span both;

	v->name = q_text(q, a);
	v->erased = q_is_null(q);
	if (v->erased) {
		v->value = arena_strndup(a, NULL, 0);
		if (v->value == NULL)
			q_fail(q, ERR_BUDGET);
		return;
	}
	both = q_sealed(q, a, value_cell(index, pos, row));
	if (both.len < SALT_LEN) {
		q_fail(q, ERR_STORE_CORRUPT);
		return;
	}
	memcpy(v->salt, both.ptr, SALT_LEN);
	v->value = arena_strndup(a, both.ptr + SALT_LEN, both.len - SALT_LEN);
	if (v->value == NULL)
		q_fail(q, ERR_BUDGET);
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

static void read_entry(struct query *q, struct arena *a, struct audit_row *r)
{
	r->index = (uint64_t)q_int(q);
	r->time = q_int(q);
	r->action = q_text(q, a);
	r->principal = q_text(q, a);
	r->record = q_blob(q, a);
	q_fixed(q, r->leaf, SHA256_LEN);
}

#define AUDIT_SELECT "SELECT idx, time, action, principal, record, leaf FROM audit WHERE idx >= $1"
#define AUDIT_ORDER  " ORDER BY idx LIMIT $2"

/* One statement per set of filters, so that each can use its index. */
static void open_list(struct query *q, struct store_tx *tx, const char *action, const char *principal)
{
	static const char all[] = AUDIT_SELECT AUDIT_ORDER;
	static const char by_action[] = AUDIT_SELECT " AND action = $3" AUDIT_ORDER;
	static const char by_principal[] = AUDIT_SELECT " AND principal = $3" AUDIT_ORDER;
	static const char by_both[] = AUDIT_SELECT " AND action = $3 AND principal = $4" AUDIT_ORDER;

	if (action[0] != '\0')
		q_open(q, tx, principal[0] != '\0' ? by_both : by_action);
	else
		q_open(q, tx, principal[0] != '\0' ? by_principal : all);
}

enum err store_audit_list(struct store_tx *tx, struct arena *a, uint64_t from, size_t max, const char *action,
                          const char *principal, struct audit_row **out, size_t *n)
{
	struct audit_row *list = NULL;
	size_t count = 0;
	struct query q;
	enum err e;

	open_list(&q, tx, action, principal);
	q_put_int(&q, from < INT64_MAX ? (int64_t)from : INT64_MAX);
	q_put_int(&q, (int64_t)page_of(max));
	if (action[0] != '\0')
		q_put_text(&q, action);
	if (principal[0] != '\0')
		q_put_text(&q, principal);
	while (q_next(&q)) {
		list = q_grow(&q, a, list, count, sizeof(*list));
		if (list == NULL)
			break;
		read_entry(&q, a, &list[count++]);
	}
	e = q_close(&q);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = read_values(tx, a, &list[i]);
	if (e == ERR_OK) {
		*out = list;
		*n = count;
	}
	return e;
}

enum err store_audit_size(struct store_tx *tx, uint64_t *n)
{
	return next_index(tx, n);
}

enum err store_audit_erase(struct store_tx *tx, int64_t before, uint64_t *n)
{
	int64_t changed = 0;
	struct query q;
	enum err e;

	q_open(&q, tx,
	       "UPDATE audit_values SET value = NULL"
	       " WHERE value IS NOT NULL AND idx IN (SELECT idx FROM audit WHERE time < $1)");
	q_put_int(&q, before);
	e = q_run(&q, &changed);
	if (e == ERR_OK)
		*n = (uint64_t)changed;
	return e;
}
