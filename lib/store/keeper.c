/*
 * A thread that looks after what changes without us: the versions that caches hang on, and on a shared database its
 * clock and the numbers of the audit entries.
 *
 * Numbers are given by one server at a time. Its lease is a row with a token and an end; a transaction that numbers
 * locks that row under its own token first, so that one who has lost the lease cannot write any more, however late it
 * wakes up. Whoever finds the lease at its end takes it under the next token.
 */
#include "store/cells.h"
#include "store/internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { TICK_MS = 100, WATCH_MS = 250, LEASE_MS = 2500, RENEW_MS = 800, NUMBER_MAX = 2000, MARK_MS = 1000 };

struct keeper {
	struct store *store;
	struct db *db; /* of a shared database */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
	int64_t seen[STORE_KINDS];
	int64_t first; /* the audit entry that has waited longest for its number; 0: none */
	bool watched;  /* `seen` is what was seen before */
	int64_t token; /* 0: the lease is not ours */
	int64_t renew; /* steady ms: when the lease is due */
	int64_t marked;
};

/* ---- watching ------------------------------------------------------------------------------- */

struct look {
	int64_t versions[STORE_KINDS], time, mark, unnumbered, first;
};

/* An identity column counts from 1. */
static enum err look_at_inbox(struct store_tx *tx, struct look *l)
{
	struct query q;

	q_open(
	    &q, tx,
	    "SELECT COUNT(*), COALESCE(MIN(entry), 0) FROM (SELECT entry FROM audit_inbox ORDER BY entry LIMIT $1) AS w");
	q_put_int(&q, STORE_UNNUMBERED_MAX);
	if (q_next(&q)) {
		l->unnumbered = q_int(&q);
		l->first = q_int(&q);
	}
	return q_close(&q);
}

static enum err look(struct store_tx *tx, void *arg)
{
	struct look *l = arg;
	struct query q;
	enum err e = versions_read(tx, l->versions);

	if (e == ERR_OK && tx->db->driver->shared)
		e = look_at_inbox(tx, l);
	if (e != ERR_OK || !tx->store->db_time)
		return e;
	q_open(&q, tx, tx->db->driver->clock);
	if (q_next(&q))
		l->time = q_int(&q);
	e = q_close(&q);
	return e == ERR_OK ? mark_read(tx, &l->mark) : e;
}

/* Entries get their numbers in order: as long as the first one changes, they go on. */
static void note_unnumbered(struct keeper *k, const struct look *l)
{
	struct counts *c = &k->store->counts;

	atomic_store(&c->unnumbered, (uint64_t)l->unnumbered);
	if (l->first == 0 || l->first != k->first)
		atomic_store(&c->unnumbered_since, l->first == 0 ? 0 : clock_monotonic_ms());
	k->first = l->first;
}

static void watch(struct keeper *k)
{
	const int64_t asked = clock_steady(&k->store->clock);
	struct look l = {.time = 0};
	unsigned bits = 0;

	if (store_read(k->store, look, &l) != ERR_OK)
		return;
	for (unsigned i = 0; i < STORE_KINDS; i++)
		bits |= l.versions[i] != k->seen[i] ? 1u << i : 0;
	memcpy(k->seen, l.versions, sizeof(k->seen));
	if (k->watched)
		touched(k->store, bits);
	k->watched = true;
	note_unnumbered(k, &l);
	if (l.time != 0) {
		time_follow(k->store, l.time, asked);
		(void)time_reached(k->store, l.mark);
	}
}

/* ---- numbering ------------------------------------------------------------------------------ */

struct numbering {
	struct keeper *keeper;
	int64_t token, next, done;
	bool renew;
};

/* The row stays locked to the end of the transaction. */
static enum err hold(struct store_tx *tx, struct numbering *n)
{
	struct query q;
	bool found;

	q_open(&q, tx, "UPDATE sequencer SET until = $1 WHERE id = 1 AND token = $2 RETURNING next");
	q_put_int(&q, tx->now + LEASE_MS);
	q_put_int(&q, n->token);
	found = q_next(&q);
	if (found)
		n->next = q_int(&q);
	return q_close_found(&q, found);
}

static enum err number(struct store_tx *tx, struct numbering *n)
{
	struct query q;
	enum err e;

	q_open(&q, tx, tx->db->driver->number);
	q_put_int(&q, n->next);
	q_put_int(&q, NUMBER_MAX);
	if (q_next(&q))
		n->done = q_int(&q);
	e = q_close(&q);
	if (e != ERR_OK || n->done == 0)
		return e;
	q_open(&q, tx, "UPDATE sequencer SET next = next + $1 WHERE id = 1 AND token = $2");
	q_put_int(&q, n->done);
	q_put_int(&q, n->token);
	return q_must(&q, DB_CHANGED, ERR_STORE_CHANGED);
}

static enum err hold_and_number(struct store_tx *tx, void *arg)
{
	struct numbering *n = arg;
	enum err e = hold(tx, n);

	n->done = 0;
	return e == ERR_OK ? number(tx, n) : e;
}

static enum err any_waiting(struct store_tx *tx, void *arg)
{
	struct query q;

	q_open(&q, tx, "SELECT entry FROM audit_inbox ORDER BY entry LIMIT 1");
	*(bool *)arg = q_next(&q);
	return q_close(&q);
}

static enum err take_lease(struct store_tx *tx, void *arg)
{
	int64_t *token = arg;
	struct query q;

	*token = 0;
	q_open(&q, tx, "UPDATE sequencer SET token = token + 1, until = $1 WHERE id = 1 AND until < $2 RETURNING token");
	q_put_int(&q, tx->now + LEASE_MS);
	q_put_int(&q, tx->now);
	if (q_next(&q))
		*token = q_int(&q);
	return q_close(&q);
}

/* Whether there may be more to do at once. */
static bool serve(struct keeper *k)
{
	struct numbering n = {.keeper = k, .token = k->token};
	bool waiting = false;
	enum err e;

	if (clock_monotonic_ms() < k->renew && (store_read(k->store, any_waiting, &waiting) != ERR_OK || !waiting))
		return false;
	e = run_single(k->store, k->db, hold_and_number, &n);
	if (e == ERR_NOT_FOUND)
		k->token = 0; /* another server has taken over */
	if (e == ERR_OK)
		k->renew = clock_monotonic_ms() + RENEW_MS;
	return e == ERR_OK && n.done == NUMBER_MAX;
}

static void apply(struct keeper *k)
{
	int64_t token = 0;

	if (run_single(k->store, k->db, take_lease, &token) == ERR_OK)
		k->token = token;
	k->renew = clock_monotonic_ms() + (k->token != 0 ? 0 : RENEW_MS / 2);
}

/* The next server need not wait for the lease's end. */
static enum err give_up(struct store_tx *tx, void *arg)
{
	struct query q;

	q_open(&q, tx, "UPDATE sequencer SET until = 0 WHERE id = 1 AND token = $1");
	q_put_int(&q, *(const int64_t *)arg);
	return q_run(&q, NULL);
}

/* ---- the mark of time ----------------------------------------------------------------------- */

static enum err raise_mark(struct store_tx *tx, void *arg)
{
	struct query q;

	q_open(&q, tx, "UPDATE meta SET num = $1 WHERE key = 'time' AND num < $1");
	q_put_int(&q, tx->now);
	return q_run(&q, NULL);
}

/* Time must not run back when another database server with another clock takes over. */
static void mark(struct keeper *k)
{
	int64_t now = store_now(k->store);

	if (now - k->marked >= MARK_MS && run_single(k->store, k->db, raise_mark, NULL) == ERR_OK)
		k->marked = now;
}

/* ---- the thread ----------------------------------------------------------------------------- */

static bool rest(struct keeper *k, unsigned ms)
{
	struct timespec until;
	bool stopping;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)ms * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&k->lock);
	while (!k->stopping && pthread_cond_timedwait(&k->stop, &k->lock, &until) == 0)
		;
	stopping = k->stopping;
	pthread_mutex_unlock(&k->lock);
	return stopping;
}

static void keep(struct keeper *k)
{
	if (k->db == NULL)
		return;
	if (k->token == 0 && clock_monotonic_ms() >= k->renew)
		apply(k);
	while (k->token != 0 && serve(k))
		;
	if (k->token != 0)
		mark(k);
}

static void *work(void *arg)
{
	struct keeper *k = arg;
	int64_t next_watch = 0;

	do {
		if (clock_monotonic_ms() >= next_watch) {
			watch(k);
			cells_age(k->store->cells, clock_monotonic_ms());
			next_watch = clock_monotonic_ms() + WATCH_MS;
		}
		keep(k);
	} while (!rest(k, TICK_MS));
	return NULL;
}

static void release(struct keeper *k)
{
	if (k->db != NULL)
		k->db->driver->close(k->db);
	pthread_cond_destroy(&k->stop);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static void init_sync(struct keeper *k)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->stop, &attr);
	pthread_condattr_destroy(&attr);
}

enum err keeper_new(struct store *s, struct keeper **out)
{
	struct keeper *k = calloc(1, sizeof(*k));
	enum err e = ERR_OK;

	if (k == NULL)
		return ERR_NO_MEMORY;
	k->store = s;
	init_sync(k);
	if (s->driver->shared)
		e = s->driver->fresh(s->where, &k->db);
	if (e == ERR_OK && k->db != NULL)
		k->db->counts = &s->counts.db;
	if (e == ERR_OK)
		e = enlist_writer(s, k->db);
	watch(k); /* before the first read of a cache */
	if (e == ERR_OK)
		e = thread_start(&k->thread, work, k);
	if (e != ERR_OK) {
		release(k);
		return e;
	}
	*out = k;
	return ERR_OK;
}

void keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	k->stopping = true;
	pthread_cond_signal(&k->stop);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	do /* what was committed before we stop is numbered */
		k->renew = 0;
	while (k->token != 0 && serve(k));
	if (k->db != NULL)
		(void)!run_single(k->store, k->db, raise_mark, NULL);
	if (k->token != 0)
		(void)!run_single(k->store, k->db, give_up, &k->token);
	release(k);
}
