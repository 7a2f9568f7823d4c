#include "server/workers.h"

#include "server/pace.h"
#include "server/strain.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct queue {
	struct job *head, *tail;
	unsigned n;
};

/* After so many reads in a row a write has its turn. */
enum { READS_IN_A_ROW = 8, WAITING_ALWAYS_FINE = 4, WORKERS_NICE = 10 };
/* Under strain refusing itself takes much of the processors, and what was let in takes longer: then there is less of
 * it. */
enum { WHOLE = 100, STRAINED_WAIT = 12, STRAINED_COMMITS = 60 /* in a hundred parts */ };

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct queue fresh[CLASS_COUNT], resumed;
	struct workers_limits limits;
	struct pace waiting; /* of all classes: new jobs that wait for a thread */
	struct pace parked;
	struct strain strain[CLASS_COUNT];
	uint64_t refused[CLASS_COUNT];
	unsigned reads_in_a_row, idle, n_threads;
	bool stopping;
	pthread_t threads[];
};

const char *call_class_name(enum call_class class)
{
	static const char *const names[CLASS_COUNT] = {"admin", "read", "write"};

	return names[class];
}

static int64_t micros(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

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

static struct job *get_fresh(struct workers *w)
{
	struct queue *reads = &w->fresh[CLASS_READ], *writes = &w->fresh[CLASS_WRITE];
	struct job *j = queue_get(&w->fresh[CLASS_ADMIN]);

	if (j == NULL && (writes->n == 0 || w->reads_in_a_row < READS_IN_A_ROW)) {
		j = queue_get(reads);
		w->reads_in_a_row += j != NULL;
	}
	if (j == NULL && writes->n != 0) {
		j = queue_get(writes);
		w->reads_in_a_row = 0;
	}
	if (j != NULL)
		pace_leave(&w->waiting, micros());
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
			j = get_fresh(w);
		if (j != NULL || w->stopping)
			break;
		w->idle++;
		pthread_cond_wait(&w->work, &w->lock);
		w->idle--;
	}
	pthread_mutex_unlock(&w->lock);
	return j;
}

static void *worker(void *arg)
{
	struct job *j;

	pthread_setname_np(pthread_self(), "yz-worker");
	/* Below the threads that take calls in: when there are too many, it is them who refuse, and what they have not
	 * looked at waits unseen. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), WORKERS_NICE);
	while ((j = next_job(arg)) != NULL)
		j->run(j);
	return NULL;
}

enum err workers_start(unsigned threads, const struct workers_limits *limits, struct workers **out)
{
	struct workers *w = calloc(1, sizeof(*w) + threads * sizeof(w->threads[0]));

	if (w == NULL)
		return ERR_NO_MEMORY;
	w->limits = *limits;
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

void workers_set_limits(struct workers *w, const struct workers_limits *limits)
{
	pthread_mutex_lock(&w->lock);
	w->limits = *limits;
	pthread_mutex_unlock(&w->lock);
}

static void put_and_wake(struct workers *w, struct queue *q, struct job *j)
{
	queue_put(q, j);
	if (w->idle != 0)
		pthread_cond_signal(&w->work);
}

/* Nothing is refused that hardly waits, whatever the estimate says. */
static bool waits_too_long(const struct workers *w, enum call_class class, bool strained)
{
	uint64_t most = (uint64_t)w->limits.wait_ms * 1000 * (strained ? STRAINED_WAIT : WHOLE) / WHOLE;
	unsigned ahead = w->fresh[CLASS_ADMIN].n + w->fresh[CLASS_READ].n;

	if (class == CLASS_WRITE)
		ahead += w->fresh[CLASS_WRITE].n;
	return ahead > w->n_threads * WAITING_ALWAYS_FINE && pace_wait(&w->waiting, ahead) > most;
}

static bool too_many_commit(const struct workers *w, bool strained)
{
	unsigned most = (w->limits.commits * (strained ? STRAINED_COMMITS : WHOLE) + WHOLE - 1) / WHOLE; /* not 0 */

	return w->parked.n >= most;
}

/* The lock is held. */
static enum err admit(struct workers *w, enum call_class class)
{
	bool strained = strain_tight(&w->strain[class], micros());

	if (w->stopping)
		return ERR_STOPPING;
	if (w->fresh[class].n < w->limits.queue && (class != CLASS_WRITE || !too_many_commit(w, strained)) &&
	    (class == CLASS_ADMIN || !waits_too_long(w, class, strained)))
		return ERR_OK;
	w->refused[class]++;
	return ERR_OVERLOADED;
}

enum err workers_admit(struct workers *w, enum call_class class)
{
	pthread_mutex_lock(&w->lock);
	enum err e = admit(w, class);
	if (e == ERR_OK)
		strain_taken(&w->strain[class]);
	else if (e == ERR_OVERLOADED)
		strain_refused(&w->strain[class]);
	pthread_mutex_unlock(&w->lock);
	return e;
}

/* The lock is held. */
static void put_fresh(struct workers *w, struct job *j, enum call_class class)
{
	pace_enter(&w->waiting, micros());
	put_and_wake(w, &w->fresh[class], j);
}

enum err workers_share(struct workers *w, struct job *j, enum call_class class)
{
	pthread_mutex_lock(&w->lock);
	enum err e = w->stopping ? ERR_STOPPING : ERR_OK;
	if (e == ERR_OK)
		put_fresh(w, j, class);
	pthread_mutex_unlock(&w->lock);
	return e;
}

enum err workers_submit(struct workers *w, struct job *j, enum call_class class)
{
	pthread_mutex_lock(&w->lock);
	enum err e = admit(w, class);
	if (e == ERR_OK)
		put_fresh(w, j, class);
	pthread_mutex_unlock(&w->lock);
	return e;
}

bool workers_quiet(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	bool quiet = w->waiting.n == 0 && w->resumed.n == 0 && !w->stopping;
	pthread_mutex_unlock(&w->lock);
	return quiet;
}

void workers_resume(struct workers *w, struct job *j)
{
	pthread_mutex_lock(&w->lock);
	put_and_wake(w, &w->resumed, j);
	pthread_mutex_unlock(&w->lock);
}

void workers_park(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	pace_enter(&w->parked, micros());
	pthread_mutex_unlock(&w->lock);
}

void workers_unpark(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	pace_leave(&w->parked, micros());
	pthread_mutex_unlock(&w->lock);
}

void workers_figures(struct workers *w, struct workers_figures *out)
{
	pthread_mutex_lock(&w->lock);
	*out = (struct workers_figures){.threads = w->n_threads,
	                                .busy = w->n_threads - w->idle,
	                                .parked = w->parked.n,
	                                .resumed = w->resumed.n,
	                                .wait_micros = pace_wait(&w->waiting, w->waiting.n),
	                                .commit_micros = pace_wait(&w->parked, w->parked.n),
	                                .limits = w->limits};
	for (int i = 0; i < CLASS_COUNT; i++) {
		out->queued[i] = w->fresh[i].n;
		out->refused[i] = w->refused[i];
		out->strained[i] = strain_tight(&w->strain[i], micros());
	}
	pthread_mutex_unlock(&w->lock);
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
