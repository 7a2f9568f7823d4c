#include "store/sqlite_log.h"

#include "store/internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct sqlite_log {
	char *where;
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_t thread;
	bool busy; /* from being woken on, until the thread has put back what there was */
	bool stopping;
	/* of the writer alone */
	bool started;
	int first;    /* how long the log was when it was seen first; -1: it was not */
	int woken_at; /* and when somebody put it back last */
};

bool sqlite_log_left(const char *where)
{
	char path[4096 + 8];
	struct stat st;

	if (stat(where, &st) == 0 && st.st_size > 0)
		return false;
	return snprintf(path, sizeof(path), "%s-wal", where) < (int)sizeof(path) && stat(path, &st) == 0 && st.st_size > 0;
}

/* A connection knows of the log only once it has read. */
static sqlite3 *connect_to(const char *where)
{
	sqlite3 *handle = NULL;

	if (sqlite3_open_v2(where, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
	    sqlite3_exec(handle, "PRAGMA mmap_size=0; PRAGMA schema_version", NULL, NULL, NULL) == SQLITE_OK)
		return handle;
	sqlite3_close(handle);
	return NULL;
}

/* What fails here (a full disk) leaves the log as it is and is tried again when it has grown; who writes finds out. */
static void put_back(const char *where, sqlite3 **handle)
{
	if (*handle == NULL)
		*handle = connect_to(where);
	if (*handle != NULL)
		(void)sqlite3_wal_checkpoint_v2(*handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static void *work(void *arg)
{
	struct sqlite_log *l = arg;
	sqlite3 *handle = NULL;

	pthread_mutex_lock(&l->lock);
	while (!l->stopping) {
		if (!l->busy) {
			pthread_cond_wait(&l->more, &l->lock);
			continue;
		}
		pthread_mutex_unlock(&l->lock);
		put_back(l->where, &handle);
		pthread_mutex_lock(&l->lock);
		l->busy = false;
	}
	pthread_mutex_unlock(&l->lock);
	sqlite3_close(handle);
	return NULL;
}

static void wake(struct sqlite_log *l)
{
	pthread_mutex_lock(&l->lock);
	l->busy = true;
	pthread_mutex_unlock(&l->lock);
	pthread_cond_signal(&l->more);
}

static bool is_busy(struct sqlite_log *l)
{
	pthread_mutex_lock(&l->lock);
	bool busy = l->busy;
	pthread_mutex_unlock(&l->lock);
	return busy;
}

/* After each commit of the writer; the log has so many pages. */
static int on_commit(void *arg, sqlite3 *writer, const char *name, int pages)
{
	struct sqlite_log *l = arg;

	if (l->first < 0)
		l->first = l->woken_at = pages;
	if (pages < l->woken_at) /* begun anew */
		l->first = l->woken_at = 0;
	if (pages - l->first < LOG_PART) /* a command that writes a little leaves it to the server beside it */
		return SQLITE_OK;
	if ((pages - l->woken_at < LOG_PART && pages < LOG_MOST) || is_busy(l))
		return SQLITE_OK;
	if (!l->started)
		l->started = thread_start(&l->thread, "yz-log", work, l) == ERR_OK;
	l->woken_at = pages;
	if (l->started && pages < LOG_MOST)
		wake(l);
	else
		(void)sqlite3_wal_checkpoint_v2(writer, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

enum err sqlite_log_new(const char *where, sqlite3 *writer, struct sqlite_log **out)
{
	struct sqlite_log *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->where = strdup(where);
	if (l == NULL || l->where == NULL) {
		free(l);
		return ERR_NO_MEMORY;
	}
	l->first = -1;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->more, NULL);
	sqlite3_wal_hook(writer, on_commit, l);
	*out = l;
	return ERR_OK;
}

void sqlite_log_free(struct sqlite_log *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_mutex_unlock(&l->lock);
	pthread_cond_signal(&l->more);
	if (l->started)
		pthread_join(l->thread, NULL);
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->lock);
	free(l->where);
	free(l);
}
