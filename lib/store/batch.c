/*
 * Group commit of the single writer: jobs run in one transaction and share one wait for the disk; each is still all or
 * nothing.
 *
 *  - A job that fails has mostly written nothing, and then there is nothing to undo. When one fails that has, the
 *    transaction is given up, and all of them run again, now under a savepoint each; so do the next batches, because
 *    what made it fail may come again. Savepoints for all, always, cost a copy of each page that is changed.
 *  - When the commit fails, every job of the batch gets its error, also those that had been refused: they may have been
 *    refused because of a neighbour that is now undone.
 *  - When the disk is full, each job runs again on its own.
 */
#include "store/internal.h"

enum { CAREFUL_BATCHES = 64 };

/* The clock, but never before what has been written, be it by another process. */
static enum err tx_begin(struct store *s, struct db *db, struct store_tx *tx)
{
	int64_t mark = 0, now = store_now(s);
	enum err e = db->driver->begin(db, DB_WRITE);

	*tx = (struct store_tx){.store = s, .db = db, .now = now};
	if (e == ERR_OK)
		e = mark_read(tx, &mark);
	if (e == ERR_OK)
		e = others_follow(tx);
	if (e != ERR_OK) {
		db->driver->rollback(db);
		return e;
	}
	if (tx->now < mark)
		tx->now = mark;
	return ERR_OK;
}

static enum err tx_commit(struct store_tx *tx)
{
	enum err e = mark_write(tx);

	if (e == ERR_OK)
		e = tx->db->driver->commit(tx->db);
	if (e != ERR_OK) {
		tx->db->driver->rollback(tx->db);
		return e;
	}
	(void)time_reached(tx->store, tx->now);
	touched(tx->store, tx->touched);
	return ERR_OK;
}

static enum err run_plain(struct store_tx *tx, const struct job *j)
{
	enum err e = j->fn(tx, j->arg);

	tx_end(tx);
	if (e == ERR_OK)
		e = tx->broken;
	tx->broken = ERR_OK;
	return e == ERR_OK && !tx->db->driver->in_transaction(tx->db) ? ERR_STORE_IO : e;
}

/* After it, when the transaction is still there, it holds all of the job or nothing of it. */
static enum err run_careful(struct store_tx *tx, const struct job *j)
{
	const struct db_driver *d = tx->db->driver;
	enum err e = d->savepoint(tx->db), undo;

	if (e != ERR_OK)
		return e;
	e = run_plain(tx, j);
	if (!d->in_transaction(tx->db))
		return e;
	if (e == ERR_OK)
		e = d->release(tx->db);
	if (e == ERR_OK)
		return ERR_OK;
	undo = d->rollback_to(tx->db);
	if (undo != ERR_OK)
		d->rollback(tx->db); /* what cannot be undone alone is undone as a whole */
	return e;
}

static void run_alone(struct store *s, struct db *db, struct job *j)
{
	struct store_tx tx;

	j->result = tx_begin(s, db, &tx);
	if (j->result != ERR_OK)
		return;
	j->result = run_plain(&tx, j);
	if (j->result == ERR_OK)
		j->result = tx_commit(&tx);
	else
		db->driver->rollback(db);
	tx_end(&tx);
}

static void all_get(struct job *jobs, size_t n, enum err e)
{
	for (size_t i = 0; i < n; i++)
		jobs[i].result = e;
}

/* So many of the jobs were run. 0 when what is left of the transaction is no whole number of them: one was undone in
 * part, or all of it is gone. */
static size_t run_jobs(struct store_tx *tx, struct job *jobs, size_t n, bool careful, bool *any)
{
	const struct db_driver *d = tx->db->driver;

	for (size_t i = 0; i < n; i++) {
		int64_t written = d->written(tx->db);

		jobs[i].result = careful ? run_careful(tx, &jobs[i]) : run_plain(tx, &jobs[i]);
		*any = *any || jobs[i].result == ERR_OK;
		if (!d->in_transaction(tx->db) || (!careful && jobs[i].result != ERR_OK && d->written(tx->db) != written))
			return 0;
		if (d->crowded(tx->db))
			return i + 1;
	}
	return n;
}

/* So many of the jobs have their results. 0 when they must run again: the transaction was lost on the way, or holds a
 * part of a job, or the disk has no room for all of it. */
static size_t run_together(struct store *s, struct db *db, struct job *jobs, size_t n, bool careful)
{
	struct store_tx tx;
	bool any = false;
	size_t ran;
	enum err e = tx_begin(s, db, &tx);

	if (e != ERR_OK) {
		all_get(jobs, n, e);
		return n;
	}
	ran = run_jobs(&tx, jobs, n, careful, &any);
	e = ran != 0 && any ? tx_commit(&tx) : ERR_OK;
	if (e == ERR_STORE_FULL)
		ran = 0;
	else if (e != ERR_OK)
		all_get(jobs, ran, e);
	else
		db->driver->rollback(db); /* nothing to keep; no effect after a commit */
	tx_end(&tx);
	return ran;
}

/* At least one of them, and how many. */
static size_t run_some(struct store *s, struct db *db, struct job *jobs, size_t n, unsigned *careful)
{
	size_t ran;

	if (n > 1 && *careful == 0) {
		if ((ran = run_together(s, db, jobs, n, false)) != 0)
			return ran;
		*careful = CAREFUL_BATCHES;
	}
	if (*careful != 0)
		--*careful;
	if (n > 1 && (ran = run_together(s, db, jobs, n, true)) != 0)
		return ran;
	for (size_t i = 0; i < n; i++)
		run_alone(s, db, &jobs[i]);
	return n;
}

void run_batch(struct store *s, struct db *db, struct job *jobs, size_t n, unsigned *careful)
{
	for (size_t ran = 0; ran < n;)
		ran += run_some(s, db, jobs + ran, n - ran, careful);
}
