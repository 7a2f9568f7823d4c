/* Numbers in meta: the schema's version, the mark of time, and others. */
#include "store/internal.h"

enum err meta_get(struct store_tx *tx, const char *key, int64_t *out)
{
	struct query q;
	int64_t num = 0;
	bool found;
	enum err e;

	q_open(&q, tx, "SELECT num FROM meta WHERE key = $1");
	q_put_text(&q, key);
	found = q_next(&q);
	if (found)
		num = q_int(&q);
	e = q_close_found(&q, found);
	if (e == ERR_OK)
		*out = num;
	return e;
}

enum err meta_put(struct store_tx *tx, const char *key, int64_t num)
{
	struct query q;

	q_open(&q, tx, "INSERT INTO meta (key, num) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET num = excluded.num");
	q_put_text(&q, key);
	q_put_int(&q, num);
	return q_run(&q, NULL);
}

/* A store without these rows is no store of ours. */
static enum err must_be_there(enum err e)
{
	return e == ERR_NOT_FOUND || e == ERR_INTERNAL ? ERR_STORE_CORRUPT : e;
}

enum err schema_version(struct store_tx *tx, int64_t *out)
{
	int64_t version = 0;
	enum err e = must_be_there(meta_get(tx, "schema", &version));

	if (e == ERR_OK && version < 1)
		e = ERR_STORE_CORRUPT;
	if (e == ERR_OK)
		*out = version;
	return e;
}

enum err migrate(struct store_tx *tx, int64_t from)
{
	const struct db_migration *m = tx->db->driver->migrations;
	enum err e = ERR_OK;

	for (; m->sql != NULL && e == ERR_OK; m++)
		if (m->to > from)
			e = tx->db->driver->script(tx->db, m->sql);
	if (e == ERR_OK && from <= 1 && !tx->db->driver->shared)
		e = audit_values_join(tx);
	return e == ERR_OK ? meta_put(tx, "schema", STORE_SCHEMA) : e;
}

enum err mark_read(struct store_tx *tx, int64_t *out)
{
	return must_be_there(meta_get(tx, "time", out));
}

enum err mark_write(struct store_tx *tx)
{
	return meta_put(tx, "time", tx->now);
}
