#include "server/run.h"

#include "base/file.h"
#include "server/app.h"
#include "server/dispatch.h"
#include "server/health.h"
#include "server/log.h"
#include "server/reflect.h"
#include "server/refusal.h"
#include "server/verify_stream.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { MESSAGE_SPARE = 64 * 1024, EXIT_AT_ONCE = 70 };

struct running {
	struct app app;
	struct service service;
	struct rpc_route *routes;
	size_t n_routes;
	struct rpc_server *rpc;
	int port;
};

static void refuse_stream(struct rpc_call *c, enum err why)
{
	refuse_call(c, why, NULL);
}

static struct rpc_options rpc_options_of(struct running *r)
{
	const struct config *c = &r->app.config;

	return (struct rpc_options){.listen = c->listen,
	                            .cert_pem = r->app.cert_pem,
	                            .key_pem = r->app.key_pem,
	                            .client_ca_pem = r->app.client_ca_pem,
	                            .armed = c->armed,
	                            .max_concurrent_streams = c->max_concurrent_streams,
	                            .max_message = methods_max_request() + MESSAGE_SPARE,
	                            .routes = r->routes,
	                            .n_routes = r->n_routes,
	                            .unknown = &dispatch_unknown,
	                            .refuse = refuse_stream,
	                            .env = &r->service};
}

/* Table and contract first: a server that would answer wrongly does not start. */
static enum err check_tables(struct err_note *note)
{
	enum err e = methods_check(methods, methods_count, note);

	return e == ERR_OK ? reflect_check(note) : e;
}

static enum err write_port(const struct running *r, struct err_note *note)
{
	const char *path = r->app.config.port_file;
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", r->port);

	return *path != '\0' ? file_write(path, span_of(text, (size_t)n), 0644, note) : ERR_OK;
}

static enum err start(struct running *r, const char *config_path, struct err_note *note)
{
	struct service *s = &r->service;
	enum err e;

	if ((e = check_tables(note)) != ERR_OK || (e = app_open(&r->app, config_path, note)) != ERR_OK)
		return e;
	log_set_level((enum log_level)r->app.config.log_level);
	s->desk = r->app.desk;
	s->store = r->app.store;
	s->trust = r->app.trust;
	s->clock = clock_system();
	s->started = clock_now(&s->clock);
	if ((e = dispatch_routes(&r->routes, &r->n_routes)) != ERR_OK ||
	    (e = verify_streams_new(&s->verify_streams)) != ERR_OK ||
	    (e = workers_start(r->app.config.workers, r->app.config.queue, &s->workers)) != ERR_OK)
		return e;
	struct health_options h = {r->app.store, r->app.receipt.signer, r->app.config.health_socket};
	if ((e = health_start(&h, &s->health, note)) != ERR_OK)
		return e;
	struct rpc_options o = rpc_options_of(r);
	if ((e = rpc_start(&o, &r->rpc, &r->port, note)) != ERR_OK)
		return e;
	return write_port(r, note);
}

/* In the order that loses nothing: no new calls, the calls under way, their threads, the store. */
static void stop(struct running *r)
{
	if (r->service.health != NULL)
		health_leave(r->service.health);
	if (r->rpc != NULL)
		rpc_stop(r->rpc, r->app.config.grace_seconds * 1000);
	workers_stop(r->service.workers);
	verify_streams_free(r->service.verify_streams);
	health_stop(r->service.health);
	dispatch_routes_free(r->routes, r->n_routes);
	if (r->rpc != NULL && *r->app.config.port_file != '\0')
		unlink(r->app.config.port_file);
	app_close(&r->app);
}

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

static void *exit_at_second_signal(void *arg)
{
	sigset_t set;
	int sig;

	stop_signals(&set);
	sigwait(&set, &sig);
	log_event(LOG_WARN, "killed", LOG_TEXT("signal", sig == SIGTERM ? "TERM" : "INT"));
	_exit(EXIT_AT_ONCE);
	return NULL;
}

static void wait_for_signal(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t set;
	int sig = 0;

	stop_signals(&set);
	sigwait(&set, &sig);
	log_event(LOG_INFO, "stopping", LOG_TEXT("signal", sig == SIGTERM ? "TERM" : "INT"));
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, exit_at_second_signal, NULL) != 0)
		log_error(LOG_WARN, "stopping", ERR_NO_MEMORY, NULL);
	pthread_attr_destroy(&attr);
}

enum err run_server(const char *config_path, struct err_note *note)
{
	struct running r = {0};
	enum err e = start(&r, config_path, note);

	if (e == ERR_OK) {
		log_event(LOG_INFO, "serving", LOG_TEXT("listen", r.app.config.listen), LOG_INT("port", r.port),
		          LOG_TEXT("version", YZ_VERSION), LOG_INT("methods", r.n_routes),
		          LOG_INT("workers", r.app.config.workers));
		wait_for_signal();
	}
	stop(&r);
	if (e == ERR_OK)
		log_event(LOG_INFO, "stopped", LOG_INT("ok", atomic_load(&r.service.metrics.ok)),
		          LOG_INT("refused", atomic_load(&r.service.metrics.refused)),
		          LOG_INT("shed", atomic_load(&r.service.metrics.shed)),
		          LOG_INT("dropped", atomic_load(&r.service.metrics.dropped)));
	return e;
}

enum err run_check(const char *config_path, struct err_note *note)
{
	struct running r = {0};
	enum err e;

	if ((e = check_tables(note)) == ERR_OK && (e = app_open(&r.app, config_path, note)) == ERR_OK) {
		struct rpc_options o = rpc_options_of(&r);
		o.listen = "127.0.0.1:0";
		e = rpc_start(&o, &r.rpc, &r.port, note);
	}
	r.app.config.port_file = (char *)"";
	stop(&r);
	return e;
}
