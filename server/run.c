#include "server/run.h"

#include "base/file.h"
#include "desk/uses.h"
#include "server/accept.h"
#include "server/dispatch.h"
#include "server/health.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/metrics_http.h"
#include "server/notify.h"
#include "server/peers.h"
#include "server/reflect.h"
#include "server/refusal.h"
#include "server/reload.h"
#include "server/signals.h"
#include "server/verify_stream.h"
#include "store/backup.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGE_SPARE = 64 * 1024, CORES_PER_POLLER = 4, PROMPT_CORES = 2 };

struct running {
	struct service service;
	bool serves; /* not only looks whether it could */
	struct signals *signals;
	struct rpc_route *routes;
	size_t n_routes;
	struct rpc_tls *tls;
	struct rpc_server *rpc, *gateway;
	struct metrics_http *metrics;
	int metrics_port;
	char *port_file;
};

static void refuse_stream(struct rpc_call *c, enum err why)
{
	refuse_call(c, why, NULL);
}

/* One thread does the I/O of a small machine: a second one costs more than it brings. */
static unsigned pollers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 2 * CORES_PER_POLLER ? 1 : (unsigned)(cores / CORES_PER_POLLER);
}

static struct rpc_options rpc_options_of(struct running *r)
{
	const struct config *c = &r->service.app->config;

	return (struct rpc_options){.listen = c->listen,
	                            .tls = r->tls,
	                            .pollers = pollers(),
	                            .armed = c->armed,
	                            .max_concurrent_streams = c->max_concurrent_streams,
	                            .max_message = methods_max_request() + MESSAGE_SPARE,
	                            .routes = r->routes,
	                            .n_routes = r->n_routes,
	                            .unknown = &dispatch_unknown,
	                            .refuse = refuse_stream,
	                            .observe = dispatch_observe,
	                            .env = &r->service};
}

/* Table and contract first: a server that would answer wrongly does not start. */
static enum err check_tables(struct err_note *note)
{
	enum err e = methods_check(methods, methods_count, note);

	return e == ERR_OK ? reflect_check(note) : e;
}

static enum err write_port(struct running *r, struct err_note *note)
{
	const char *path = r->service.app->config.port_file;
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", r->service.port);

	if (*path == '\0')
		return ERR_OK;
	if ((r->port_file = strdup(path)) == NULL) /* the configuration may be exchanged */
		return ERR_NO_MEMORY;
	return file_write(path, span_of(text, (size_t)n), 0644, note);
}

/* All that is opened from files. */
/* A restore that was stopped before its last step: nothing is served before that is done. */
static enum err finish_restore(struct store *store, struct err_note *note)
{
	uint64_t cancelled = 0;
	enum err e = desk_restored(store, &cancelled, note);

	if (e == ERR_OK)
		log_event(LOG_WARN, "restore-finished", LOG_INT("codes_cancelled", cancelled));
	return e;
}

static enum err open_all(struct running *r, const char *config_path, struct err_note *note)
{
	struct service *s = &r->service;
	enum err e;

	pthread_mutex_init(&s->lock, NULL);
	s->clock = clock_system();
	s->started = clock_now(&s->clock);
	if ((s->app = app_new()) == NULL)
		return ERR_NO_MEMORY;
	if ((e = check_tables(note)) != ERR_OK || (e = app_configure(s->app, config_path, note)) != ERR_OK ||
	    (e = rand_pool_new(&s->random)) != ERR_OK)
		return e;
	s->app->rand = rand_pooled(s->random);
	if ((e = app_open_caches(s->app, &s->caches, note)) != ERR_OK || (e = app_read(s->app, s->caches, note)) != ERR_OK)
		return e;
	struct rpc_pem pem = {s->app->cert_pem, s->app->key_pem, s->app->client_ca_pem};
	if ((e = rpc_tls_new(&pem, &r->tls, note)) != ERR_OK ||
	    (e = app_open_store(s->app, r->serves, &s->store, note)) != ERR_OK ||
	    (r->serves && store_is_copy(s->store) && (e = finish_restore(s->store, note)) != ERR_OK))
		return e;
	return app_open_desk(s->app, s->store, note);
}

static enum err start_parts(struct running *r, struct err_note *note)
{
	struct service *s = &r->service;
	const struct config *c = &s->app->config;
	struct workers_limits limits = reload_limits(c);
	enum err e;

	s->prompt = sysconf(_SC_NPROCESSORS_ONLN) <= PROMPT_CORES;
	if ((e = dispatch_routes(&r->routes, &r->n_routes)) != ERR_OK || (e = peers_new(&s->peers)) != ERR_OK ||
	    (e = verify_streams_new(&s->verify_streams)) != ERR_OK ||
	    (e = workers_start(c->workers, &limits, &s->workers)) != ERR_OK)
		return e;
	return health_start(s, c->health_socket, &s->health, note);
}

static enum err start_listeners(struct running *r, struct err_note *note)
{
	struct service *s = &r->service;
	const struct config *c = &s->app->config;
	struct rpc_options o = rpc_options_of(r);
	enum err e;

	if ((e = metrics_http_start(s, c->metrics_listen, &r->metrics, &r->metrics_port, note)) != ERR_OK ||
	    (e = rpc_start(&o, &r->rpc, &s->port, note)) != ERR_OK)
		return e;
	if (*c->gateway_listen != '\0') {
		o.listen = c->gateway_listen;
		o.gateway = true;
		if ((e = rpc_start(&o, &r->gateway, &s->gateway_port, note)) != ERR_OK)
			return e;
	}
	s->connections_limit = accept_limit(c->connections);
	if (s->connections_limit < c->connections)
		log_event(LOG_WARN, "connections", LOG_TEXT("why", "the limit of open files allows fewer"),
		          LOG_INT("limit", s->connections_limit));
	return write_port(r, note);
}

/* ERR_STOPPING: the end was wished for before the start was over. */
static enum err start(struct running *r, const char *config_path, struct err_note *note)
{
	enum err e;

	if ((e = signals_start(&r->signals)) != ERR_OK || (e = open_all(r, config_path, note)) != ERR_OK)
		return e;
	log_set_level((enum log_level)r->service.app->config.log_level);
	if (signals_stopping(r->signals))
		return ERR_STOPPING;
	if ((e = start_parts(r, note)) != ERR_OK)
		return e;
	return signals_stopping(r->signals) ? ERR_STOPPING : start_listeners(r, note);
}

static void *stop_gateway(void *arg)
{
	struct running *r = arg;

	rpc_stop(r->gateway, r->service.app->config.grace_seconds * 1000);
	return NULL;
}

/* Both listeners at the same time, so that the grace time is given once. */
static void stop_listeners(struct running *r)
{
	pthread_t thread;
	bool beside = r->gateway != NULL && r->rpc != NULL && pthread_create(&thread, NULL, stop_gateway, r) == 0;

	if (r->gateway != NULL && !beside)
		stop_gateway(r);
	if (r->rpc != NULL)
		rpc_stop(r->rpc, r->service.app->config.grace_seconds * 1000);
	if (beside)
		pthread_join(thread, NULL);
}

/* In the order that loses nothing: no new calls, the calls under way, their threads, the store. */
static void stop(struct running *r)
{
	struct service *s = &r->service;

	if (s->health != NULL)
		health_leave(s->health);
	stop_listeners(r);
	metrics_http_stop(r->metrics);
	workers_stop(s->workers);
	verify_streams_free(s->verify_streams);
	health_stop(s->health);
	dispatch_routes_free(r->routes, r->n_routes);
	peers_free(s->peers);
	if (r->port_file != NULL)
		unlink(r->port_file);
	free(r->port_file);
	rpc_tls_free(r->tls);
	app_unref(s->app);
	desk_caches_free(s->caches);
	if (s->store != NULL)
		store_close(s->store);
	rand_pool_free(s->random);
	pthread_mutex_destroy(&s->lock);
}

static void serve(struct running *r, const char *config_path)
{
	struct err_note note = {0};

	log_event(LOG_INFO, "serving", LOG_TEXT("listen", r->service.app->config.listen), LOG_INT("port", r->service.port),
	          LOG_INT("gateway", r->service.gateway_port), LOG_INT("metrics", r->metrics_port),
	          LOG_TEXT("version", YZ_VERSION), LOG_INT("methods", r->n_routes),
	          LOG_INT("workers", r->service.app->config.workers));
	notify_ready();
	while (signals_wait(r->signals) == WISH_RELOAD) {
		notify_reloading();
		enum err e = reload(&r->service, r->tls, config_path, &note);
		if (e != ERR_OK)
			log_error(LOG_ERROR, "reload", e, &note);
		notify_ready();
	}
	notify_stopping();
}

enum err run_server(const char *config_path, struct err_note *note)
{
	struct running r = {.serves = true};
	enum err e = start(&r, config_path, note);

	if (e == ERR_OK)
		serve(&r, config_path);
	stop(&r);
	if (e == ERR_OK || e == ERR_STOPPING)
		log_event(LOG_INFO, "stopped", LOG_INT("ok", metrics_ok()),
		          LOG_INT("shed", metrics_refused_read(ERR_OVERLOADED)),
		          LOG_INT("dropped", metrics_refused_read(ERR_CANCELLED)));
	return e == ERR_STOPPING ? ERR_OK : e;
}

enum err run_check(const char *config_path, struct err_note *note)
{
	struct running r = {0};
	enum err e = open_all(&r, config_path, note);

	stop(&r);
	return e;
}
