/* Copies of whole stores: the driver makes them, the rules are here. */
#include "store/backup.h"

#include "store/internal.h"

static enum err of_its_own(struct err_note *note)
{
	return err_note_set(note, ERR_UNIMPLEMENTED, "store",
	                    "PostgreSQL is copied with its own tools: pg_basebackup, or pg_dump (docs/postgresql.md).");
}

enum err store_backup(const char *url, const char *path, struct store_watch watch, struct err_note *note)
{
	const struct db_driver *d;
	const char *where;
	enum err e = driver_find(url, &d, &where, note);

	if (e == ERR_OK && d->backup == NULL)
		return of_its_own(note);
	return e == ERR_OK ? d->backup(where, path, watch, note) : e;
}

enum err store_restore(const char *url, const char *path, struct store_watch watch, struct store_claim **out,
                       struct err_note *note)
{
	struct store_claim *claim = NULL;
	const struct db_driver *d;
	const char *where;
	enum err e = driver_find(url, &d, &where, note);

	if (e == ERR_OK && d->restore == NULL)
		return of_its_own(note);
	if (e == ERR_OK && d->claim != NULL)
		e = d->claim(where, &claim, note);
	if (e == ERR_OK)
		e = d->restore(where, path, watch, note);
	if (e == ERR_OK)
		*out = claim;
	else
		store_unclaim(claim);
	return e;
}

enum err copy_marked(struct store_tx *tx, bool *out)
{
	bool marked = false;
	struct query q;
	enum err e;

	q_open(&q, tx, tx->db->driver->marked);
	if (q_next(&q))
		marked = q_int(&q) != 0;
	e = q_close(&q);
	if (e == ERR_OK)
		*out = marked;
	return e;
}

enum err copy_unmark(struct store_tx *tx)
{
	bool marked = false;
	enum err e = copy_marked(tx, &marked);

	return e == ERR_OK && marked ? tx->db->driver->script(tx->db, "DROP TABLE " DB_COPY_MARK) : e;
}

enum err store_cancel_codes(struct store_tx *tx, uint64_t *n)
{
	int64_t changed = 0;
	struct query q;
	enum err e;

	q_open(&q, tx, "UPDATE codes SET cancelled = $1 WHERE used = 0 AND cancelled = 0 AND expires > $1");
	q_put_int(&q, tx->now);
	e = q_run(&q, &changed);
	if (e == ERR_OK)
		e = copy_unmark(tx);
	if (e == ERR_OK)
		*n = (uint64_t)changed;
	return e;
}
