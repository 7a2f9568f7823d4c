#include "server/signals.h"

#include "server/log.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_AT_ONCE = 70 };

struct signals {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, reload;
};

static const char *name_of(int sig)
{
	return sig == SIGTERM ? "TERM" : sig == SIGINT ? "INT" : "HUP";
}

static void take(struct signals *s, int sig)
{
	pthread_mutex_lock(&s->lock);
	bool second = s->stop && sig != SIGHUP;
	if (sig == SIGHUP)
		s->reload = true;
	else
		s->stop = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (!second) {
		log_event(LOG_INFO, sig == SIGHUP ? "reloading" : "stopping", LOG_TEXT("signal", name_of(sig)));
		return;
	}
	log_event(LOG_WARN, "killed", LOG_TEXT("signal", name_of(sig)));
	_exit(EXIT_AT_ONCE);
}

static void *loop(void *arg)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	for (;;)
		if (sigwait(&set, &sig) == 0)
			take(arg, sig);
	return NULL;
}

enum err signals_start(struct signals **out)
{
	struct signals *s = calloc(1, sizeof(*s));
	pthread_attr_t attr;
	pthread_t thread;

	if (s == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	int bad = pthread_create(&thread, &attr, loop, s);
	pthread_attr_destroy(&attr);
	if (bad != 0) {
		free(s);
		return ERR_NO_MEMORY;
	}
	*out = s;
	return ERR_OK;
}

enum signal_wish signals_wait(struct signals *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->stop && !s->reload)
		pthread_cond_wait(&s->changed, &s->lock);
	enum signal_wish w = s->stop ? WISH_STOP : WISH_RELOAD;
	s->reload = false;
	pthread_mutex_unlock(&s->lock);
	return w;
}

bool signals_stopping(struct signals *s)
{
	pthread_mutex_lock(&s->lock);
	bool stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	return stop;
}
