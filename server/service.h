/* What every call of a running server needs. Made once by run.c; while serving only `app` is exchanged, by a reload. */
#ifndef YZ_SERVER_SERVICE_H
#define YZ_SERVER_SERVICE_H

#include "server/app.h"
#include "server/workers.h"
#include <pthread.h>
#include <stdatomic.h>

struct health;
struct verify_streams;
struct peers;

struct service {
	struct store *store;
	struct desk_caches *caches;
	struct rand_pool *random;
	struct workers *workers;
	struct health *health;
	struct verify_streams *verify_streams;
	struct peers *peers;
	struct clock clock;
	int64_t started;
	int port, gateway_port;     /* 0: none */
	unsigned connections_limit; /* that holds */
	bool prompt;                /* few cores: gRPC's thread answers what method.prompt allows */
	atomic_int_least64_t late;  /* monotonic ms when a call came that had waited too long for gRPC's thread; 0: never */
	pthread_mutex_t lock;
	struct app *app; /* see service_app() */
};

/* The configuration that holds now, with a reference for the caller: app_unref(). */
struct app *service_app(struct service *s);
/* From now on this one, whose reference is taken over. */
void service_change_app(struct service *s, struct app *app);

#endif
