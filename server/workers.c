#include "server/workers.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
	struct job *head, *tail;
	unsigned n;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct queue fresh, resumed;
	unsigned limit, n_threads;
	bool stopping;
	pthread_t threads[];
};

static void queue_put(struct queue *q, struct job *j)
{
	j->next = NULL;
	if (q->tail != NULL)
		q->tail->next = j;
	else
		q->head = j;
	q->tail = j;
	q->n++;
}

static struct job *queue_get(struct queue *q)
{
	struct job *j = q->head;

	if (j == NULL)
		return NULL;
	q->head = j->next;
	if (q->head == NULL)
		q->tail = NULL;
	q->n--;
	return j;
}

/* NULL: stopping, and nothing is left. */
static struct job *next_job(struct workers *w)
{
	struct job *j;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		j = queue_get(&w->resumed);
		if (j == NULL)
			j = queue_get(&w->fresh);
		if (j != NULL || w->stopping)
			break;
		pthread_cond_wait(&w->work, &w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return j;
}

static void *worker(void *arg)
{
	struct job *j;

	while ((j = next_job(arg)) != NULL)
		j->run(j);
	return NULL;
}

enum err workers_start(unsigned threads, unsigned queue, struct workers **out)
{
	struct workers *w = calloc(1, sizeof(*w) + threads * sizeof(w->threads[0]));

	if (w == NULL)
		return ERR_NO_MEMORY;
	w->limit = queue;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	while (w->n_threads < threads && pthread_create(&w->threads[w->n_threads], NULL, worker, w) == 0)
		w->n_threads++;
	if (w->n_threads < threads) {
		workers_stop(w);
		return ERR_NO_MEMORY;
	}
	*out = w;
	return ERR_OK;
}

static void put_and_wake(struct workers *w, struct queue *q, struct job *j)
{
	queue_put(q, j);
	pthread_cond_signal(&w->work);
}

enum err workers_submit(struct workers *w, struct job *j)
{
	enum err e = ERR_OK;

	pthread_mutex_lock(&w->lock);
	if (w->stopping)
		e = ERR_STOPPING;
	else if (w->fresh.n >= w->limit)
		e = ERR_OVERLOADED;
	else
		put_and_wake(w, &w->fresh, j);
	pthread_mutex_unlock(&w->lock);
	return e;
}

void workers_resume(struct workers *w, struct job *j)
{
	pthread_mutex_lock(&w->lock);
	put_and_wake(w, &w->resumed, j);
	pthread_mutex_unlock(&w->lock);
}

unsigned workers_queued(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	unsigned n = w->fresh.n + w->resumed.n;
	pthread_mutex_unlock(&w->lock);
	return n;
}

unsigned workers_threads(const struct workers *w)
{
	return w->n_threads;
}

void workers_stop(struct workers *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->work);
	free(w);
}
