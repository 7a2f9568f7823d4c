#include "store/internal.h"

#include "base/text.h"

enum { SALT_LEN = 16, NAME_HEAD = 2, VALUE_HEAD = SALT_LEN + 4, NAME_MAX = 0xffff };

/* Personal values stand beside the entry that they belong to, found by its leaf, and are erased together. */
static struct cell values_cell(const uint8_t leaf[SHA256_LEN], char row[2 * SHA256_LEN + 1])
{
	hex_encode(span_of(leaf, SHA256_LEN), row);
	return (struct cell){"audit", row, "vals", 1};
}

static void put_number(uint8_t *p, size_t n, size_t v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static size_t get_number(const uint8_t *p, size_t n)
{
	size_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
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

/* Each name after its length. */
static enum err pack_names(struct arena *a, const struct audit_row *r, struct span *out)
{
	size_t n = 0, at = 0;
	uint8_t *p;

	for (size_t i = 0; i < r->n_values; i++) {
		size_t len = strlen(r->values[i].name);

		if (len > NAME_MAX)
			return ERR_FIELD_TOO_LONG;
		n += NAME_HEAD + len;
	}
	p = arena_alloc(a, n);
	if (p == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < r->n_values; i++) {
		size_t len = strlen(r->values[i].name);

		put_number(p + at, NAME_HEAD, len);
		memcpy(p + at + NAME_HEAD, r->values[i].name, len);
		at += NAME_HEAD + len;
	}
	*out = span_of(p, n);
	return ERR_OK;
}

/* Salt, length and value of each, so that they go together. */
static enum err pack_values(struct arena *a, const struct audit_row *r, struct span *out)
{
	size_t n = 0, at = 0;
	uint8_t *p;

	for (size_t i = 0; i < r->n_values; i++)
		n += VALUE_HEAD + span_str(r->values[i].value).len;
	p = n <= UINT32_MAX ? arena_alloc(a, n) : NULL;
	if (p == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < r->n_values; i++) {
		struct span v = span_str(r->values[i].value);

		memcpy(p + at, r->values[i].salt, SALT_LEN);
		put_number(p + at + SALT_LEN, VALUE_HEAD - SALT_LEN, v.len);
		if (v.len != 0)
			memcpy(p + at + VALUE_HEAD, v.ptr, v.len);
		at += VALUE_HEAD + v.len;
	}
	*out = span_of(p, n);
	return ERR_OK;
}

enum err audit_put_values(struct query *q, const struct audit_row *r)
{
	char row[2 * SHA256_LEN + 1];
	struct arena *a = tx_scratch(q->tx);
	struct span names = {0}, values = {0};
	enum err e = a != NULL ? pack_names(a, r, &names) : ERR_BUDGET;

	if (e == ERR_OK)
		e = pack_values(a, r, &values);
	if (e != ERR_OK)
		return e;
	q_put_blob(q, names);
	if (r->n_values == 0 || r->values[0].erased)
		q_put_null(q);
	else
		q_put_sealed(q, values_cell(r->leaf, row), values);
	return ERR_OK;
}

enum err store_audit_append(struct store_tx *tx, struct audit_row *r)
{
	bool shared = tx->store->driver->shared;
	uint64_t index = AUDIT_UNNUMBERED;
	struct query q;
	enum err e = shared ? ERR_OK : next_index(tx, &index), bad;

	if (e != ERR_OK)
		return e;
	if (shared) {
		q_open(&q, tx,
		       "INSERT INTO audit_inbox (time, action, principal, record, leaf, names, vals)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7)");
	} else {
		q_open(&q, tx,
		       "INSERT INTO audit (idx, time, action, principal, record, leaf, names, vals)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
		q_put_int(&q, (int64_t)index);
	}
	q_put_int(&q, r->time);
	q_put_text(&q, r->action);
	q_put_text(&q, r->principal);
	q_put_blob(&q, r->record);
	q_put_blob(&q, span_of(r->leaf, SHA256_LEN));
	bad = audit_put_values(&q, r);
	if (bad != ERR_OK)
		q_fail(&q, bad);
	e = q_later(&q);
	if (e == ERR_OK)
		r->index = index;
	return e;
}

/* ---- reading -------------------------------------------------------------------------------- */

static size_t count_names(struct span names)
{
	size_t at = 0, n = 0;

	for (; at + NAME_HEAD <= names.len; n++)
		at += NAME_HEAD + get_number(names.ptr + at, NAME_HEAD);
	return at == names.len ? n : SIZE_MAX;
}

/* *out is all that is left when the value is erased. */
static enum err unpack_one(struct arena *a, struct span *names, struct span *values, bool erased,
                           struct audit_value *out)
{
	size_t n = get_number(names->ptr, NAME_HEAD), len = 0;

	out->name = arena_strndup(a, names->ptr + NAME_HEAD, n);
	*names = span_sub(*names, NAME_HEAD + n, names->len);
	out->erased = erased;
	if (!erased) {
		if (values->len < VALUE_HEAD)
			return ERR_STORE_CORRUPT;
		len = get_number(values->ptr + SALT_LEN, VALUE_HEAD - SALT_LEN);
		if (len > values->len - VALUE_HEAD)
			return ERR_STORE_CORRUPT;
		memcpy(out->salt, values->ptr, SALT_LEN);
	}
	out->value = arena_strndup(a, erased ? NULL : values->ptr + VALUE_HEAD, len);
	if (!erased)
		*values = span_sub(*values, VALUE_HEAD + len, values->len);
	return out->name != NULL && out->value != NULL ? ERR_OK : ERR_BUDGET;
}

static void read_values(struct query *q, struct arena *a, struct audit_row *r)
{
	struct span names = q_blob(q, a), values = {0};
	char row[2 * SHA256_LEN + 1];
	size_t n = count_names(names);
	bool erased = q_is_null(q);
	enum err e = n != SIZE_MAX ? ERR_OK : ERR_STORE_CORRUPT;

	if (!erased)
		values = q_sealed(q, a, values_cell(r->leaf, row));
	if (q->err != ERR_OK || n == 0)
		return;
	r->values = e == ERR_OK ? arena_array(a, n, sizeof(*r->values)) : NULL;
	if (e == ERR_OK && r->values == NULL)
		e = ERR_BUDGET;
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = unpack_one(a, &names, &values, erased, &r->values[i]);
	if (e == ERR_OK && values.len != 0)
		e = ERR_STORE_CORRUPT;
	if (e != ERR_OK)
		q_fail(q, e);
	else
		r->n_values = n;
}

static void read_entry(struct query *q, struct arena *a, struct audit_row *r)
{
	r->index = (uint64_t)q_int(q);
	r->time = q_int(q);
	r->action = q_text(q, a);
	r->principal = q_text(q, a);
	r->record = q_blob(q, a);
	q_fixed(q, r->leaf, SHA256_LEN);
	if (q->err == ERR_OK)
		read_values(q, a, r);
}

#define AUDIT_SELECT "SELECT idx, time, action, principal, record, leaf, names, vals FROM audit WHERE idx >= $1"
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

enum err store_audit_waiting(struct store_tx *tx, uint64_t *n)
{
	int64_t count = 0;
	struct query q;
	enum err e;

	if (!tx->store->driver->shared) {
		*n = 0;
		return ERR_OK;
	}
	q_open(&q, tx, "SELECT COUNT(*) FROM audit_inbox");
	if (q_next(&q))
		count = q_int(&q);
	e = q_close(&q);
	if (e == ERR_OK)
		*n = (uint64_t)count;
	return e;
}
