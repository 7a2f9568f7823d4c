/*
 * A thread that looks after what changes without us: the versions that caches hang on, and on a shared database its
 * clock and the numbers of the audit entries.
 *
 * Numbers are given by one server at a time. Its lease is a row with a token and an end; a transaction that numbers
 * locks that row under its own token first, so that one who has lost the lease cannot write any more, however late it
 * wakes up. Whoever finds the lease at its end takes it under the next token.
 *
 * It looks at the versions again and again, as long as the database answers. On a database that can tell of changes it
 * tells the other servers of ours, once they are committed, and listens, and looks at once when it is told; what it is
 * not told, or does not hear, it finds at the next look. It tells by itself, not the transaction that changes
 * something: the commits of those that tell wait for one another.
 */
#include "store/cells.h"
#include "store/internal.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TICK_MS = 100, WATCH_MS = 250, LEASE_MS = 2500, RENEW_MS = 800, NUMBER_MAX = 2000, MARK_MS = 1000 };
enum { NEWS_MS = 10 /* between two looks, and between two tellings, however much is told */ };
enum { TIDY_MS = 60 * 60 * 1000, WRITER_KEPT_MS = 7 * 24 * 60 * 60 * 1000 };

struct keeper {
	struct store *store;
	struct db *db; /* of a shared database */
	pthread_t thread;
	int wake; /* an eventfd: readable when one of the following was set */
	atomic_bool stopping, news;
	unsigned watch_ms;
	int64_t next_watch, next_keep, next_tidy; /* steady ms */
	int64_t looked, told;                     /* steady ms */
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

	if (e == ERR_OK && tx->store->driver->shared)
		e = look_at_inbox(tx, l);
	if (e != ERR_OK || !tx->store->db_time)
		return e;
	q_open(&q, tx, tx->store->driver->clock);
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

	q_open(&q, tx, tx->store->driver->number);
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

/* ---- connections that are no more ------------------------------------------------------------ */

static enum err tidy(struct store_tx *tx, void *arg)
{
	struct query q;

	(void)arg;
	q_open(&q, tx, tx->store->driver->tidy);
	q_put_int(&q, tx->now);
	q_put_int(&q, tx->now - WRITER_KEPT_MS);
	return q_run(&q, NULL);
}

/* Nobody waits for it: what fails is done the next time. */
static void tidy_up(struct keeper *k)
{
	if (clock_monotonic_ms() < k->next_tidy)
		return;
	(void)!run_single(k->store, k->db, tidy, NULL);
	k->next_tidy = clock_monotonic_ms() + TIDY_MS;
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* What was told is looked for soon. A flood of it is one look, and another one when that is over. */
static void heed(struct keeper *k)
{
	int64_t soon = k->looked + NEWS_MS;

	if (k->db != NULL && k->db->driver->heard(k->db) && soon < k->next_watch)
		k->next_watch = soon;
}

static enum err tell(struct store_tx *tx, void *arg)
{
	struct query q;

	(void)arg;
	q_open(&q, tx, tx->store->driver->notify);
	return q_run(&q, NULL);
}

/* A flood of changes is told once. */
static void pass_on(struct keeper *k)
{
	if (k->db == NULL || clock_monotonic_ms() < k->told + NEWS_MS || !atomic_exchange(&k->news, false))
		return;
	(void)!run_single(k->store, k->db, tell, NULL);
	k->told = clock_monotonic_ms();
}

void keeper_tell(struct keeper *k)
{
	if (k != NULL && !atomic_exchange(&k->news, true))
		(void)!eventfd_write(k->wake, 1);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until the next thing is due, there is something to hear or to tell, or the thread is to end. Who looks soon anyway
 * does not listen until then. */
static void rest(struct keeper *k)
{
	int64_t now = clock_monotonic_ms(), next = sooner(k->next_keep, k->next_watch);
	bool listens = k->db != NULL && k->next_watch > k->looked + NEWS_MS;
	struct pollfd p[2] = {{.fd = k->wake, .events = POLLIN},
	                      {.fd = listens ? k->db->driver->ear(k->db) : -1, .events = POLLIN}};
	eventfd_t ignored;

	if (atomic_load(&k->news) && k->db != NULL)
		next = sooner(next, k->told + NEWS_MS);
	if (poll(p, 2, next > now ? (int)(next - now) : 0) > 0 && p[0].revents != 0)
		(void)!eventfd_read(k->wake, &ignored);
}

static void keep(struct keeper *k)
{
	if (k->db == NULL)
		return;
	if (k->token == 0 && clock_monotonic_ms() >= k->renew)
		apply(k);
	while (k->token != 0 && serve(k))
		pass_on(k);
	if (k->token != 0) {
		mark(k);
		tidy_up(k);
	}
}

static void *work(void *arg)
{
	struct keeper *k = arg;

	do {
		if (clock_monotonic_ms() >= k->next_watch) {
			watch(k);
			cells_age(k->store->cells, clock_monotonic_ms());
			k->looked = clock_monotonic_ms();
			k->next_watch = k->looked + k->watch_ms;
		}
		if (clock_monotonic_ms() >= k->next_keep) {
			keep(k);
			k->next_keep = clock_monotonic_ms() + TICK_MS;
		}
		pass_on(k);
		heed(k);
		rest(k);
	} while (!atomic_load(&k->stopping));
	return NULL;
}

static void release(struct keeper *k)
{
	if (k->db != NULL)
		k->db->driver->close(k->db);
	if (k->wake >= 0)
		close(k->wake);
	free(k);
}

static enum err connect_later(struct keeper *k)
{
	struct store *s = k->store;
	enum err e = s->driver->fresh(s->where, &k->db);

	if (e != ERR_OK)
		return e;
	k->db->counts = &s->counts.db;
	s->driver->listen(k->db);
	return enlist_writer(s, k->db);
}

enum err keeper_new(struct store *s, const struct store_options *o, struct keeper **out)
{
	struct keeper *k = calloc(1, sizeof(*k));
	enum err e = ERR_OK;

	if (k == NULL)
		return ERR_NO_MEMORY;
	k->store = s;
	k->watch_ms = o->watch_ms != 0 ? o->watch_ms : WATCH_MS;
	k->wake = eventfd(0, EFD_CLOEXEC);
	if (k->wake < 0)
		e = ERR_NO_MEMORY;
	if (e == ERR_OK && s->driver->shared)
		e = connect_later(k);
	watch(k); /* before the first read of a cache */
	if (e == ERR_OK)
		e = thread_start(&k->thread, "yz-keeper", work, k);
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
	atomic_store(&k->stopping, true);
	(void)!eventfd_write(k->wake, 1);
	pthread_join(k->thread, NULL);
	k->told = 0; /* at once */
	pass_on(k);
	do /* what was committed before we stop is numbered */
		k->renew = 0;
	while (k->token != 0 && serve(k));
	if (k->db != NULL)
		(void)!run_single(k->store, k->db, raise_mark, NULL);
	if (k->token != 0)
		(void)!run_single(k->store, k->db, give_up, &k->token);
	release(k);
}
