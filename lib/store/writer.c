/*
 * The single writer. One thread takes what has gathered in the queue, runs each job under a savepoint in one
 * transaction, commits, and then answers; so many writes share one wait for the disk, and each is still all or nothing.
 *
 *  - When the commit fails, every job of the batch gets its error, also those that had been refused: they may have been
 *    refused because of a neighbour that is now undone.
 *  - When the database gives up the whole transaction in the middle (disk full), each job runs again on its own.
 */
#include "store/internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { QUEUE_MAX = 4096, BATCH_DEFAULT = 256 };

struct job {
	store_fn *fn;
	store_done *done;
	void *arg;
	enum err result;
};

struct writer {
	struct store *store;
	struct db *db;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	bool stopping;
	size_t head, count, batch_max;
	struct job *batch;
	struct job queue[QUEUE_MAX];
};

/* ---- one transaction ------------------------------------------------------------------------ */

/* The clock, but never before what has been written, be it by another process. */
static enum err tx_begin(struct writer *w, struct store_tx *tx)
{
	int64_t mark = 0, now = store_now(w->store);
	enum err e = w->db->driver->begin(w->db, DB_WRITE);

	*tx = (struct store_tx){.store = w->store, .db = w->db, .now = now};
	if (e == ERR_OK)
		e = mark_read(tx, &mark);
	if (e != ERR_OK) {
		w->db->driver->rollback(w->db);
		return e;
	}
	if (tx->now < mark)
		tx->now = mark;
	return ERR_OK;
}

static enum err tx_commit(struct writer *w, struct store_tx *tx)
{
	enum err e = mark_write(tx);

	if (e == ERR_OK)
		e = w->db->driver->commit(w->db);
	if (e == ERR_OK)
		(void)time_reached(w->store, tx->now);
	else
		w->db->driver->rollback(w->db);
	return e;
}

/* After it, when the transaction is still there, it holds all of the job or nothing of it. */
static enum err run_job(struct store_tx *tx, const struct job *j)
{
	const struct db_driver *d = tx->db->driver;
	enum err e = d->savepoint(tx->db), undo;

	if (e != ERR_OK)
		return e;
	e = j->fn(tx, j->arg);
	tx_end(tx);
	if (e == ERR_OK)
		e = tx->broken;
	tx->broken = ERR_OK;
	if (!d->in_transaction(tx->db))
		return e != ERR_OK ? e : ERR_STORE_IO;
	if (e == ERR_OK)
		e = d->release(tx->db);
	if (e == ERR_OK)
		return ERR_OK;
	undo = d->rollback_to(tx->db);
	if (undo != ERR_OK)
		d->rollback(tx->db); /* what cannot be undone alone is undone as a whole */
	return e;
}

static void run_alone(struct writer *w, struct job *j)
{
	struct store_tx tx;

	j->result = tx_begin(w, &tx);
	if (j->result != ERR_OK)
		return;
	j->result = run_job(&tx, j);
	if (j->result == ERR_OK)
		j->result = tx_commit(w, &tx);
	else
		w->db->driver->rollback(w->db);
	tx_end(&tx);
}

static void all_get(struct writer *w, size_t n, enum err e)
{
	for (size_t i = 0; i < n; i++)
		w->batch[i].result = e;
}

/* false when the transaction was lost on the way. */
static bool run_together(struct writer *w, size_t n)
{
	struct store_tx tx;
	bool any = false, kept = true;
	enum err e = tx_begin(w, &tx);

	if (e != ERR_OK) {
		all_get(w, n, e);
		return true;
	}
	for (size_t i = 0; i < n && kept; i++) {
		w->batch[i].result = run_job(&tx, &w->batch[i]);
		any = any || w->batch[i].result == ERR_OK;
		kept = w->db->driver->in_transaction(w->db);
	}
	e = kept && any ? tx_commit(w, &tx) : ERR_OK;
	if (e != ERR_OK)
		all_get(w, n, e);
	else
		w->db->driver->rollback(w->db); /* nothing to keep; no effect after a commit */
	tx_end(&tx);
	return kept;
}

static void run_batch(struct writer *w, size_t n)
{
	if (!run_together(w, n))
		for (size_t i = 0; i < n; i++)
			run_alone(w, &w->batch[i]);
	for (size_t i = 0; i < n; i++)
		w->batch[i].done(w->batch[i].arg, w->batch[i].result);
}

/* ---- the thread and its queue --------------------------------------------------------------- */

/* 0 when stopping and nothing is left. */
static size_t take_batch(struct writer *w)
{
	size_t n;

	pthread_mutex_lock(&w->lock);
	while (w->count == 0 && !w->stopping)
		pthread_cond_wait(&w->more, &w->lock);
	n = w->count < w->batch_max ? w->count : w->batch_max;
	for (size_t i = 0; i < n; i++)
		w->batch[i] = w->queue[(w->head + i) % QUEUE_MAX];
	w->head = (w->head + n) % QUEUE_MAX;
	w->count -= n;
	pthread_mutex_unlock(&w->lock);
	return n;
}

static void *work(void *arg)
{
	struct writer *w = arg;
	size_t n;

	while ((n = take_batch(w)) != 0)
		run_batch(w, n);
	return NULL;
}

/* Signals are for the program's own threads. */
static enum err start(struct writer *w)
{
	sigset_t all, before;
	int bad;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bad = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return bad == 0 ? ERR_OK : ERR_NO_MEMORY;
}

static void release_all(struct writer *w)
{
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w->batch);
	free(w);
}

enum err writer_new(struct store *s, struct db *db, unsigned batch_max, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));
	enum err e = ERR_NO_MEMORY;

	if (w == NULL)
		goto out;
	w->store = s;
	w->db = db;
	w->batch_max = batch_max == 0 ? BATCH_DEFAULT : batch_max > QUEUE_MAX ? QUEUE_MAX : batch_max;
	w->batch = calloc(w->batch_max, sizeof(*w->batch));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	if (w->batch != NULL)
		e = start(w);
	if (e != ERR_OK)
		release_all(w);
out:
	if (e == ERR_OK)
		*out = w;
	else
		db->driver->close(db);
	return e;
}

void writer_stop(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
}

/* After writer_stop(). */
void writer_free(struct writer *w)
{
	w->db->driver->close(w->db);
	release_all(w);
}

enum err writer_submit(struct writer *w, store_fn *fn, void *arg, store_done *done)
{
	enum err e = ERR_OK;

	pthread_mutex_lock(&w->lock);
	if (w->stopping) {
		e = ERR_STOPPING;
	} else if (w->count == QUEUE_MAX) {
		e = ERR_STORE_BUSY;
	} else {
		w->queue[(w->head + w->count) % QUEUE_MAX] = (struct job){.fn = fn, .done = done, .arg = arg};
		w->count++;
		pthread_cond_signal(&w->more);
	}
	pthread_mutex_unlock(&w->lock);
	return e;
}
