#include "store/internal.h"

#define PRINCIPAL_COLUMNS "id, version, name, org_code, org_name, roles, statutory, disabled"

enum scope { SCOPE_TYPE = 1, SCOPE_ITEM = 2 };

static struct cell name_cell(const char *id, uint64_t version)
{
	return (struct cell){"principals", id, "name", version};
}

/* ---- reading -------------------------------------------------------------------------------- */

static void read_head(struct query *q, struct arena *a, struct principal *p)
{
	p->id = q_text(q, a);
	p->version = (uint64_t)q_int(q);
	p->name = q_sealed_text(q, a, name_cell(p->id, p->version));
	p->org_code = q_text(q, a);
	p->org_name = q_text(q, a);
	p->roles = (unsigned)q_enum(q, 0, INT32_MAX);
	p->statutory = q_int(q) != 0;
	p->disabled = q_int(q) != 0;
}

static enum err read_keys(struct store_tx *tx, struct arena *a, struct principal *p)
{
	struct query q;

	q_open(&q, tx, "SELECT fingerprint, not_before, not_after FROM principal_keys WHERE principal = $1 ORDER BY pos");
	q_put_text(&q, p->id);
	while (q_next(&q)) {
		struct principal_key *keys = q_grow(&q, a, p->keys, p->n_keys, sizeof(*keys)), *k;

		if (keys == NULL)
			break;
		p->keys = keys;
		k = &keys[p->n_keys++];
		q_fixed(&q, k->fingerprint, FINGERPRINT_LEN);
		k->not_before = q_int(&q);
		k->not_after = q_int(&q);
	}
	return q_close(&q);
}

static enum err read_scopes(struct store_tx *tx, struct arena *a, struct principal *p)
{
	struct query q;

	q_open(&q, tx, "SELECT kind, code FROM principal_scopes WHERE principal = $1 ORDER BY kind, pos");
	q_put_text(&q, p->id);
	while (q_next(&q)) {
		bool type = q_enum(&q, SCOPE_TYPE, SCOPE_ITEM) == SCOPE_TYPE;
		char ***list = type ? &p->types : &p->items;
		size_t *n = type ? &p->n_types : &p->n_items;
		char **grown = q_grow(&q, a, *list, *n, sizeof(*grown));

		if (grown == NULL)
			break;
		*list = grown;
		grown[(*n)++] = q_text(&q, a);
	}
	return q_close(&q);
}

static enum err read_rest(struct store_tx *tx, struct arena *a, struct principal *p)
{
	enum err e = read_keys(tx, a, p);

	return e == ERR_OK ? read_scopes(tx, a, p) : e;
}

static enum err read_one(struct query *q, struct arena *a, struct principal *out)
{
	struct store_tx *tx = q->tx;
	struct principal p = {0};
	bool found = q_next(q);
	enum err e;

	if (found)
		read_head(q, a, &p);
	e = q_close_found(q, found);
	if (e == ERR_OK)
		e = read_rest(tx, a, &p);
	if (e == ERR_OK)
		*out = p;
	return e;
}

enum err store_principal_by_key(struct store_tx *tx, struct arena *a, const uint8_t fp[FINGERPRINT_LEN],
                                struct principal *out)
{
	struct query q;

	q_open(&q, tx,
	       "SELECT " PRINCIPAL_COLUMNS
	       " FROM principals WHERE id = (SELECT principal FROM principal_keys WHERE fingerprint = $1)");
	q_put_blob(&q, span_of(fp, FINGERPRINT_LEN));
	return read_one(&q, a, out);
}

enum err store_principal_get(struct store_tx *tx, struct arena *a, const char *id, struct principal *out)
{
	struct query q;

	q_open(&q, tx, "SELECT " PRINCIPAL_COLUMNS " FROM principals WHERE id = $1");
	q_put_text(&q, id);
	return read_one(&q, a, out);
}

enum err store_principal_list(struct store_tx *tx, struct arena *a, const char *after, size_t max,
                              struct principal **out, size_t *n)
{
	struct principal *list = NULL;
	size_t count = 0;
	struct query q;
	enum err e;

	q_open(&q, tx, "SELECT " PRINCIPAL_COLUMNS " FROM principals WHERE id > $1 ORDER BY id LIMIT $2");
	q_put_text(&q, after);
	q_put_int(&q, (int64_t)page_of(max));
	while (q_next(&q)) {
		list = q_grow(&q, a, list, count, sizeof(*list));
		if (list == NULL)
			break;
		read_head(&q, a, &list[count++]);
	}
	e = q_close(&q);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = read_rest(tx, a, &list[i]);
	if (e == ERR_OK) {
		*out = list;
		*n = count;
	}
	return e;
}

static enum err count_roles(struct store_tx *tx, const char *sql, unsigned roles, uint64_t *n)
{
	struct query q;
	int64_t count = 0;
	enum err e;

	q_open(&q, tx, sql);
	q_put_int(&q, roles);
	if (q_next(&q))
		count = q_int(&q);
	e = q_close(&q);
	if (e == ERR_OK)
		*n = (uint64_t)count;
	return e;
}

enum err store_principal_count(struct store_tx *tx, unsigned roles, uint64_t *n)
{
	return count_roles(tx, "SELECT COUNT(*) FROM principals WHERE disabled = 0 AND (roles & $1) = $1", roles, n);
}

enum err store_principal_count_all(struct store_tx *tx, unsigned roles, uint64_t *n)
{
	return count_roles(tx, "SELECT COUNT(*) FROM principals WHERE (roles & $1) = $1", roles, n);
}

/* ---- writing -------------------------------------------------------------------------------- */

static enum err next_version(struct store_tx *tx, const char *id, uint64_t *out)
{
	struct query q;
	uint64_t version = 1;
	enum err e;

	q_open(&q, tx, "SELECT version + 1 FROM principals WHERE id = $1");
	q_put_text(&q, id);
	if (q_next(&q))
		version = (uint64_t)q_int(&q);
	e = q_close(&q);
	if (e == ERR_OK)
		*out = version;
	return e;
}

static enum err put_head(struct store_tx *tx, const struct principal *p, uint64_t version)
{
	struct query q;

	q_open(&q, tx,
	       "INSERT INTO principals (" PRINCIPAL_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	       " ON CONFLICT (id) DO UPDATE SET version = excluded.version, name = excluded.name,"
	       " org_code = excluded.org_code, org_name = excluded.org_name, roles = excluded.roles,"
	       " statutory = excluded.statutory, disabled = excluded.disabled");
	q_put_text(&q, p->id);
	q_put_int(&q, (int64_t)version);
	q_put_sealed(&q, name_cell(p->id, version), span_str(p->name));
	q_put_text(&q, p->org_code);
	q_put_text(&q, p->org_name);
	q_put_int(&q, p->roles);
	q_put_int(&q, p->statutory);
	q_put_int(&q, p->disabled);
	return q_run(&q, NULL);
}

static enum err clear_rest(struct store_tx *tx, const char *id)
{
	struct query q;
	enum err e;

	q_open(&q, tx, "DELETE FROM principal_keys WHERE principal = $1");
	q_put_text(&q, id);
	e = q_run(&q, NULL);
	if (e != ERR_OK)
		return e;
	q_open(&q, tx, "DELETE FROM principal_scopes WHERE principal = $1");
	q_put_text(&q, id);
	return q_run(&q, NULL);
}

static enum err put_keys(struct store_tx *tx, const struct principal *p)
{
	enum err e = ERR_OK;
	struct query q;

	for (size_t i = 0; i < p->n_keys && e == ERR_OK; i++) {
		q_open(&q, tx,
		       "INSERT INTO principal_keys (fingerprint, principal, pos, not_before, not_after)"
		       " VALUES ($1, $2, $3, $4, $5)");
		q_put_blob(&q, span_of(p->keys[i].fingerprint, FINGERPRINT_LEN));
		q_put_text(&q, p->id);
		q_put_int(&q, (int64_t)i);
		q_put_int(&q, p->keys[i].not_before);
		q_put_int(&q, p->keys[i].not_after);
		e = q_run(&q, NULL);
	}
	return e;
}

static enum err put_scopes(struct store_tx *tx, const char *id, enum scope kind, char **codes, size_t n)
{
	enum err e = ERR_OK;
	struct query q;

	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		q_open(&q, tx, "INSERT INTO principal_scopes (principal, kind, pos, code) VALUES ($1, $2, $3, $4)");
		q_put_text(&q, id);
		q_put_int(&q, kind);
		q_put_int(&q, (int64_t)i);
		q_put_text(&q, codes[i]);
		e = q_run(&q, NULL);
	}
	return e;
}

enum err store_principal_same(struct store_tx *tx, const char *id, uint64_t version)
{
	struct query q;

	q_open(&q, tx, "SELECT 1 FROM principals WHERE id = $1 AND version = $2");
	q_put_text(&q, id);
	q_put_int(&q, (int64_t)version);
	return q_must(&q, DB_FOUND, ERR_STORE_CHANGED);
}

/* What was read before this (who else is an administrator, who proposed it) must still be so: only as if alone. */
enum err store_principal_put(struct store_tx *tx, struct principal *p)
{
	uint64_t version = 0;
	enum err e = tx_serial(tx);

	if (e == ERR_OK)
		e = next_version(tx, p->id, &version);
	if (e == ERR_OK)
		e = touch(tx, STORE_PRINCIPALS, 0);
	if (e == ERR_OK)
		e = put_head(tx, p, version);
	if (e == ERR_OK)
		e = clear_rest(tx, p->id);
	if (e == ERR_OK)
		e = put_keys(tx, p);
	if (e == ERR_OK)
		e = put_scopes(tx, p->id, SCOPE_TYPE, p->types, p->n_types);
	if (e == ERR_OK)
		e = put_scopes(tx, p->id, SCOPE_ITEM, p->items, p->n_items);
	if (e == ERR_OK)
		p->version = version;
	return e;
}
