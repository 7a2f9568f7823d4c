/* A few connections for reading, lent out one reader each. */
#include "store/internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { READERS_DEFAULT = 4, READERS_SHARED = 8, WAIT_SECONDS = 5 };

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping;
	size_t n_readers; /* with or without a connection */
	size_t n_free, n_all;
	struct db *free[STORE_READERS_MAX];
};

static enum err pool_init(struct pool *p)
{
	pthread_condattr_t attr;
	int bad;

	if (pthread_condattr_init(&attr) != 0)
		return ERR_NO_MEMORY;
	bad = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (bad == 0)
		bad = pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (bad != 0)
		return ERR_NO_MEMORY;
	if (pthread_mutex_init(&p->lock, NULL) != 0) {
		pthread_cond_destroy(&p->changed);
		return ERR_NO_MEMORY;
	}
	return ERR_OK;
}

enum err pool_new(struct store *s, unsigned readers, struct pool **out, struct err_note *note)
{
	struct pool *p = calloc(1, sizeof(*p));
	enum err e = p != NULL ? pool_init(p) : ERR_NO_MEMORY;

	if (e != ERR_OK) {
		free(p);
		return e;
	}
	if (readers == 0)
		readers = s->driver->shared ? READERS_SHARED : READERS_DEFAULT;
	readers = readers > STORE_READERS_MAX ? STORE_READERS_MAX : readers;
	while (p->n_all < readers && e == ERR_OK) {
		e = s->driver->shared ? s->driver->fresh(s->where, &p->free[p->n_all])
		                      : s->driver->open(s->where, DB_READ, &p->free[p->n_all], note);
		if (e == ERR_OK)
			p->free[p->n_all++]->counts = &s->counts.db;
	}
	p->n_free = p->n_all;
	if (e != ERR_OK) {
		pool_free(p);
		return e;
	}
	*out = p;
	return ERR_OK;
}

void pool_stop(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->changed);
	while (p->n_readers != 0)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n_all; i++)
		p->free[i]->driver->close(p->free[i]);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

enum err pool_enter(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	enum err e = p->stopping ? ERR_STOPPING : ERR_OK;
	p->n_readers += e == ERR_OK;
	pthread_mutex_unlock(&p->lock);
	return e;
}

void pool_leave(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->n_readers--;
	if (p->stopping)
		pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

enum err pool_take(struct pool *p, struct db **out)
{
	struct timespec until;
	int late = 0;
	enum err e = ERR_OK;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_SECONDS;
	pthread_mutex_lock(&p->lock);
	while (p->n_free == 0 && !p->stopping && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&p->changed, &p->lock, &until);
	if (p->stopping)
		e = ERR_STOPPING;
	else if (p->n_free == 0)
		e = ERR_STORE_BUSY;
	else
		*out = p->free[--p->n_free];
	pthread_mutex_unlock(&p->lock);
	return e;
}

void pool_give(struct pool *p, struct db *db)
{
	pthread_mutex_lock(&p->lock);
	p->free[p->n_free++] = db;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}
