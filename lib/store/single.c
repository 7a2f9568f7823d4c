/*
 * Transactions on a shared database: one for a call, or one for several that wait at the same time.
 *
 *  - First fast: what most probably holds is not waited for, so that the whole transaction is one round trip. When it
 *    did not hold, or the function refuses, the function is run again as if alone, and that answer counts.
 *  - Conflicts with others (serialisation failures, deadlocks) are tried again after a moment of random length.
 *  - When the database goes away, the connection is made anew and the function run again; when that happened in the
 *    middle of a commit, first it is found out whether it was committed. Never is a committed write run again or called
 *    a failure: when it cannot be found out in time, the answer is ERR_STORE_UNSURE.
 *  - A write that is soon too late is told to the database, in the same round trip: what waits there for a lock gives
 * up in time. It is not run again once it is too late.
 *  - Together: each function fast, their statements put together, one COMMIT. It is all or nothing for those that took
 *    part: when anything of it did not hold, each is run again alone, and that answer counts. A function that must wait
 *    for the database, or refuses, takes no part and is run alone.
 */
#include "store/internal.h"

#include <stdio.h>
#include <time.h>

enum { CONFLICTS_MAX = 40, PAUSE_MAX_MS = 20, AWAY_MS = 12000, AWAY_PAUSE_MS = 100, SHORT_MS = 3000 };

struct run {
	struct store *store;
	struct db *db;
	store_fn *fn;
	void *arg;
	bool fast;
	unsigned conflicts;
	int64_t until; /* when the database must be back */
	int64_t late;  /* when nobody waits any longer; 0: never */
};

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L}, NULL);
}

/* Of random length, so that two who are in each other's way do not meet again. */
static void pause_after(struct run *r)
{
	uint8_t b = 0;
	unsigned most = r->conflicts < PAUSE_MAX_MS ? r->conflicts + 1 : PAUSE_MAX_MS;

	if (rand_fill(&r->store->rand, &b, 1) == ERR_OK)
		pause_ms(b % (most + 1));
}

static bool is_late(const struct run *r)
{
	return r->late != 0 && clock_monotonic_ms() >= r->late;
}

/* Only when less is left than the connection's own limits allow. */
static enum err limit(struct run *r, struct store_tx *tx)
{
	int64_t left = r->late != 0 ? r->late - clock_monotonic_ms() : SHORT_MS;
	char text[24];
	struct query q;

	if (left <= 0)
		return ERR_DEADLINE;
	if (left >= SHORT_MS)
		return ERR_OK;
	snprintf(text, sizeof(text), "%lld", (long long)left);
	q_open(&q, tx, r->db->driver->limit);
	q_put_text(&q, text);
	return q_later(&q);
}

/* ERR_STORE_UNSURE: the COMMIT left and its answer did not come. */
static enum err attempt(struct run *r, bool *optimist)
{
	struct store_tx tx = {.store = r->store, .db = r->db, .now = store_now(r->store), .fast = r->fast};
	const struct db_driver *d = r->db->driver;
	enum err e = d->begin(r->db, r->fast ? DB_WRITE : DB_SERIAL);

	*optimist = false;
	if (e != ERR_OK)
		return e;
	e = limit(r, &tx);
	if (e == ERR_OK)
		e = r->fn(&tx, r->arg);
	if (e == ERR_OK)
		e = tx.broken;
	if (e == ERR_OK && tx.unasked)
		e = ERR_STORE_CHANGED;
	if (e == ERR_OK)
		e = d->commit(r->db);
	if (e == ERR_OK) {
		(void)time_reached(r->store, tx.now);
		changed(r->store, tx.touched);
	} else {
		d->rollback(r->db);
	}
	*optimist = r->fast && tx.assumed;
	tx_end(&tx);
	return e;
}

/* Since when the database has been away, for all writers together: who comes later does not wait as long again. */
static int64_t away_until(struct store *s)
{
	int64_t since = atomic_load(&s->away_since);

	return (since != 0 ? since : clock_monotonic_ms()) + AWAY_MS;
}

static void note_away(struct store *s, bool away)
{
	int64_t none = 0;

	if (!away)
		atomic_store(&s->away_since, 0);
	else
		(void)atomic_compare_exchange_strong(&s->away_since, &none, clock_monotonic_ms());
}

/* Did the commit whose answer was lost take place? ERR_STORE_UNSURE when that cannot be found out in time. */
static enum err find_out(struct run *r, bool *committed)
{
	enum err e;

	do {
		e = r->db->driver->settle(r->db, committed);
		if (e == ERR_OK) {
			note_away(r->store, false);
			return ERR_OK;
		}
		pause_ms(AWAY_PAUSE_MS);
	} while (e != ERR_STORE_CORRUPT && clock_monotonic_ms() < r->until);
	/* Its count can be that of either outcome, now and later: what comes next is counted under another id. */
	(void)!enlist_writer(r->store, r->db);
	return ERR_STORE_UNSURE;
}

/* Whether another attempt is to be made. *e is the last one's result, and may become the final one. */
static bool again(struct run *r, enum err *e, bool optimist)
{
	enum db_fault fault = r->db->driver->fault(r->db);
	bool committed = false;

	if (*e == ERR_OK)
		return false;
	if (*e == ERR_STORE_UNSURE) {
		*e = find_out(r, &committed);
		if (*e == ERR_OK && committed)
			changed(r->store, ~0u);
		return *e == ERR_OK && !committed;
	}
	if (is_late(r))
		return false;
	if (fault == DB_LOST && clock_monotonic_ms() < r->until) {
		r->store->counts.lost++;
		pause_ms(AWAY_PAUSE_MS / 4);
		return true;
	}
	if (fault == DB_CONFLICT && r->conflicts++ < CONFLICTS_MAX) {
		r->store->counts.conflicts++;
		pause_after(r);
		return true;
	}
	if (optimist && fault == DB_FINE) {
		r->fast = false;
		r->store->counts.exact++;
		return true;
	}
	return false;
}

enum err run_single(struct store *s, struct db *db, store_fn *fn, void *arg)
{
	return run_single_until(s, db, &(struct job){.fn = fn, .arg = arg});
}

enum err run_single_until(struct store *s, struct db *db, const struct job *j)
{
	struct run r = {s, db, j->fn, j->arg, true, 0, away_until(s), j->until};
	bool optimist;
	enum err e;

	if (is_late(&r))
		return ERR_DEADLINE;
	do {
		e = attempt(&r, &optimist);
		note_away(s, e != ERR_OK && db->driver->fault(db) == DB_LOST);
	} while (again(&r, &e, optimist));
	/* What gave up for want of time, or was kept from another attempt by it. */
	return is_late(&r) && (e == ERR_STORE_BUSY || e == ERR_STORE_CHANGED) ? ERR_DEADLINE : e;
}

/* ---- together ------------------------------------------------------------------------------- */

static bool is_over(const struct job *j)
{
	return j->until != 0 && clock_monotonic_ms() >= j->until;
}

/* When the first of them is too late that is not yet. */
static int64_t first_late(const struct job *jobs, size_t n)
{
	int64_t first = 0;

	for (size_t i = 0; i < n; i++)
		if (jobs[i].until != 0 && !is_over(&jobs[i]) && (first == 0 || jobs[i].until < first))
			first = jobs[i].until;
	return first;
}

static void join(struct run *r, struct job *j, unsigned *kinds)
{
	struct store_tx tx = {.store = r->store, .db = r->db, .now = store_now(r->store), .fast = true};
	enum err e = j->fn(&tx, j->arg);

	if (e == ERR_OK)
		e = tx.broken;
	j->joined = r->db->driver->keep(r->db, e == ERR_OK && !tx.unasked);
	if (j->joined)
		*kinds |= tx.touched;
	tx_end(&tx);
}

static enum err try_together(struct run *r, struct job *jobs, size_t n, unsigned *kinds)
{
	const struct db_driver *d = r->db->driver;
	struct store_tx tx = {.store = r->store, .db = r->db, .fast = true};
	size_t joined = 0;
	enum err e = d->begin(r->db, DB_WRITE);

	if (e == ERR_OK)
		e = limit(r, &tx);
	tx_end(&tx);
	if (e == ERR_OK)
		d->collect(r->db);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		if (!is_over(&jobs[i]))
			join(r, &jobs[i], kinds);
		joined += jobs[i].joined;
	}
	if (e == ERR_OK && joined != 0)
		e = d->commit(r->db);
	if (e != ERR_OK || joined == 0)
		d->rollback(r->db);
	return e;
}

bool run_shared(struct store *s, struct db *db, struct job *jobs, size_t n)
{
	struct run r = {.store = s, .db = db, .until = away_until(s), .late = first_late(jobs, n)};
	unsigned kinds = 0;
	bool committed = false;
	enum err e = try_together(&r, jobs, n, &kinds), told = e;

	note_away(s, e != ERR_OK && db->driver->fault(db) == DB_LOST);
	if (e == ERR_STORE_UNSURE) {
		told = find_out(&r, &committed);
		kinds = ~0u;
	}
	if (told == ERR_OK && (e == ERR_OK || committed))
		changed(s, kinds);
	for (size_t i = 0; i < n; i++) {
		jobs[i].joined = jobs[i].joined && (told == ERR_STORE_UNSURE || e == ERR_OK || committed);
		jobs[i].result = told;
	}
	return e == ERR_OK;
}
