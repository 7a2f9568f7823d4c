/*
 * Writes wait in a queue for a writer: one thread that commits many together (batch.c), or on a shared database
 * several, each with a connection of its own (single.c): a transaction for each write that comes alone, and one for
 * those that have been waiting when a writer comes free.
 *
 * The one writer adapts how long it lets a batch gather: when the last batch was shared, those who shared it will most
 * probably be back after their answer, and a short wait for them, a part of what a commit takes, saves commits. A lone
 * caller never waits.
 */
#include "store/internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	QUEUE_MAX = 4096,
	BATCH_DEFAULT = 256,
	LANES_DEFAULT = 4,
	SHARED_MAX = 32,
	GATHER_MAX_US = 2000,
	GATHER_PART = 4,
	/* Behind threads that take calls in and refuse them, before those that work on them (server/workers.c). */
	WRITER_NICE = 5
};

struct lane {
	struct writer *writer;
	struct db *db;
	pthread_t thread;
	struct job *batch;
	size_t most;      /* jobs that it takes at once */
	size_t last;      /* jobs of the last batch */
	int64_t took_us;  /* that it took */
	unsigned careful; /* run_batch()'s */
};

struct writer {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t more;
	bool stopping;
	size_t head, count, batch_max, n_lanes, n_started;
	size_t enough; /* so many jobs wake who waits: 1, or what the one writer hopes for while it gathers */
	struct lane lanes[STORE_WRITERS_MAX];
	struct job queue[QUEUE_MAX];
};

/* Writes that were in each other's way, or in another server's, are taken one by one for a while; and those that mostly
 * cannot share, so that they do not wait for one another while other writers have nothing to do. */
static void adapt(struct lane *l, bool well)
{
	if (!well)
		l->most = 1;
	else if (l->most < l->writer->batch_max)
		l->most = 2 * l->most < l->writer->batch_max ? 2 * l->most : l->writer->batch_max;
}

static void count(struct lane *l, size_t n, int64_t began)
{
	struct counts *c = &l->writer->store->counts;

	l->last = n;
	l->took_us = steady_us() - began;
	spread_add(&c->batch, store_batch_bounds, n);
	spread_add(&c->write, store_time_bounds, (uint64_t)l->took_us);
}

static void answer(const struct job *j)
{
	j->done(j->arg, j->result);
}

static void run_alone(struct lane *l, struct job *j)
{
	int64_t began = steady_us();

	j->result = run_single_until(l->writer->store, l->db, j);
	count(l, 1, began);
	answer(j);
}

/* What took no part, or has to be done again, is run alone when the others have their answers. */
static void run_on_shared(struct lane *l, size_t n)
{
	int64_t began = steady_us();
	size_t joined = 0;
	bool well;

	for (size_t i = 0; i < n; i++)
		l->batch[i].joined = false;
	well = n < 2 || run_shared(l->writer->store, l->db, l->batch, n);
	for (size_t i = 0; i < n; i++)
		joined += l->batch[i].joined;
	adapt(l, well && (n < 2 || joined >= n / 2));
	if (joined != 0)
		count(l, joined, began);
	for (size_t i = 0; i < n; i++)
		if (l->batch[i].joined)
			answer(&l->batch[i]);
	for (size_t i = 0; i < n; i++)
		if (!l->batch[i].joined)
			run_alone(l, &l->batch[i]);
}

static void run_on_own(struct lane *l, size_t n)
{
	int64_t began = steady_us();

	run_batch(l->writer->store, l->db, l->batch, n, &l->careful);
	count(l, n, began);
	for (size_t i = 0; i < n; i++)
		answer(&l->batch[i]);
}

/* Those of the last batch, for a part of the time that it took. */
static void gather(struct writer *w, const struct lane *l)
{
	int64_t us = l->took_us / GATHER_PART < GATHER_MAX_US ? l->took_us / GATHER_PART : GATHER_MAX_US;
	size_t hoped = l->last < w->batch_max ? l->last : w->batch_max;
	struct timespec until;
	int late = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)us * 1000;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	if (w->n_lanes == 1) /* others would not take what comes meanwhile */
		w->enough = hoped;
	while (w->count < hoped && !w->stopping && late == 0)
		late = pthread_cond_timedwait(&w->more, &w->lock, &until);
	w->enough = 1;
}

/* 0 when stopping and nothing is left. */
static size_t take_batch(struct lane *l)
{
	struct writer *w = l->writer;
	size_t n;

	pthread_mutex_lock(&w->lock);
	do { /* while it gathers, another writer may take all there is */
		while (w->count == 0 && !w->stopping)
			pthread_cond_wait(&w->more, &w->lock);
		if (w->batch_max > 1 && l->last > 1 && w->count < l->last)
			gather(w, l);
	} while (w->count == 0 && !w->stopping);
	n = w->count < l->most ? w->count : l->most;
	for (size_t i = 0; i < n; i++)
		l->batch[i] = w->queue[(w->head + i) % QUEUE_MAX];
	w->head = (w->head + n) % QUEUE_MAX;
	w->count -= n;
	if (w->count != 0) /* who gathered was woken in another's place */
		pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	return n;
}

static void *work(void *arg)
{
	struct lane *l = arg;
	size_t n;

	setpriority(PRIO_PROCESS, (id_t)gettid(), WRITER_NICE);
	while ((n = take_batch(l)) != 0)
		l->writer->store->driver->shared ? run_on_shared(l, n) : run_on_own(l, n);
	return NULL;
}

/* ---- making and ending ---------------------------------------------------------------------- */

/* Signals are for the program's own threads. */
enum err thread_start(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg)
{
	sigset_t all, before;
	int bad;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bad = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (bad == 0)
		pthread_setname_np(*thread, name);
	return bad == 0 ? ERR_OK : ERR_NO_MEMORY;
}

enum err enlist_writer(struct store *s, struct db *db)
{
	uint8_t id[DB_WRITER_ID];
	enum err e = ERR_OK;

	if (!s->driver->shared)
		return ERR_OK;
	e = rand_fill(&s->rand, id, sizeof(id));
	if (e == ERR_OK)
		s->driver->enlist(db, id);
	return e;
}

static enum err lane_new(struct writer *w, struct lane *l)
{
	enum err e = ERR_OK;

	l->writer = w;
	l->most = w->batch_max;
	l->batch = calloc(w->batch_max, sizeof(*l->batch));
	if (l->batch == NULL)
		return ERR_NO_MEMORY;
	if (l->db == NULL)
		e = w->store->driver->fresh(w->store->where, &l->db);
	if (e == ERR_OK)
		l->db->counts = &w->store->counts.db;
	return e == ERR_OK ? enlist_writer(w->store, l->db) : e;
}

static void release_all(struct writer *w)
{
	for (size_t i = 0; i < w->n_lanes; i++) {
		if (w->lanes[i].db != NULL)
			w->lanes[i].db->driver->close(w->lanes[i].db);
		free(w->lanes[i].batch);
	}
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void size_up(struct writer *w, const struct store_options *o)
{
	if (w->store->driver->shared) {
		w->batch_max = SHARED_MAX;
		w->n_lanes = o->writers == 0 ? LANES_DEFAULT : o->writers > STORE_WRITERS_MAX ? STORE_WRITERS_MAX : o->writers;
	} else {
		w->batch_max = o->batch_max == 0 ? BATCH_DEFAULT : o->batch_max > QUEUE_MAX ? QUEUE_MAX : o->batch_max;
		w->n_lanes = 1;
	}
}

static void init_sync(struct writer *w)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &attr);
	pthread_condattr_destroy(&attr);
}

enum err writer_new(struct store *s, struct db *db, const struct store_options *o, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));
	enum err e = ERR_OK;

	if (w == NULL) {
		db->driver->close(db);
		return ERR_NO_MEMORY;
	}
	w->store = s;
	w->enough = 1;
	size_up(w, o);
	init_sync(w);
	w->lanes[0].db = db;
	for (size_t i = 0; i < w->n_lanes && e == ERR_OK; i++)
		e = lane_new(w, &w->lanes[i]);
	for (; w->n_started < w->n_lanes && e == ERR_OK; w->n_started += e == ERR_OK)
		e = thread_start(&w->lanes[w->n_started].thread, "yz-writer", work, &w->lanes[w->n_started]);
	if (e != ERR_OK) {
		writer_stop(w);
		release_all(w);
		return e;
	}
	*out = w;
	return ERR_OK;
}

void writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (; w->n_started != 0; w->n_started--)
		pthread_join(w->lanes[w->n_started - 1].thread, NULL);
}

/* After writer_stop(). */
void writer_free(struct writer *w)
{
	if (w != NULL)
		release_all(w);
}

unsigned writer_queued(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	size_t n = w->count;
	pthread_mutex_unlock(&w->lock);
	return (unsigned)n;
}

enum err writer_submit(struct writer *w, const struct job *j)
{
	enum err e = ERR_OK;

	pthread_mutex_lock(&w->lock);
	if (w->stopping) {
		e = ERR_STOPPING;
	} else if (w->count == QUEUE_MAX) {
		e = ERR_STORE_BUSY;
	} else {
		w->queue[(w->head + w->count) % QUEUE_MAX] = *j;
		w->count++;
		if (w->count >= w->enough)
			pthread_cond_signal(&w->more);
	}
	pthread_mutex_unlock(&w->lock);
	return e;
}
