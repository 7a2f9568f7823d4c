#include "server/reload.h"

#include "server/log.h"
#include "server/peers.h"

struct workers_limits reload_limits(const struct config *c)
{
	return (struct workers_limits){.queue = c->queue, .wait_ms = c->wait_ms, .commits = c->commits};
}

/* What threads, sockets and the store were made with. */
static bool needs_restart(const struct config_row *row)
{
	static const char *const rows[][2] = {
	    {"server", "listen"},        {"server", "port_file"},
	    {"server", "workers"},       {"server", "armed"},
	    {"server", "connections"},   {"server", "max_concurrent_streams"},
	    {"server", "health_socket"}, {"gateway", "listen"},
	    {"metrics", "listen"},       {"store", "url"},
	    {"store", "master_key"},     {"cache", "memory_mib"},
	    {"store", "readers"},        {"store", "writers"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(row->section, rows[i][0]) == 0 && strcmp(row->key, rows[i][1]) == 0)
			return true;
	return false;
}

static bool same(const struct config_row *row, const struct config *a, const struct config *b)
{
	const char *x = (const char *)a + row->offset, *y = (const char *)b + row->offset;

	if (row->kind == CONFIG_NUMBER)
		return *(const unsigned *)(const void *)x == *(const unsigned *)(const void *)y;
	return strcmp(*(char *const *)(const void *)x, *(char *const *)(const void *)y) == 0;
}

static void tell_restart(const struct config *old, const struct config *new)
{
	for (size_t i = 0; i < config_rows_count; i++) {
		const struct config_row *row = &config_rows[i];

		if (needs_restart(row) && !same(row, old, new))
			log_event(LOG_WARN, "reload", LOG_TEXT("section", row->section), LOG_TEXT("key", row->key),
			          LOG_TEXT("why", "needs a restart; the old value stays"));
	}
}

static enum err open_new(struct service *s, struct app *app, const char *config_path, struct err_note *note)
{
	enum err e = app_configure(app, config_path, note);

	app->rand = rand_pooled(s->random);
	if (e == ERR_OK)
		e = app_read(app, s->caches, note);
	return e == ERR_OK ? app_open_desk(app, s->store, note) : e;
}

enum err reload(struct service *s, struct rpc_tls *tls, const char *config_path, struct err_note *note)
{
	struct app *app = app_new();
	enum err e;

	*note = (struct err_note){0};
	if (app == NULL)
		return ERR_NO_MEMORY;
	struct rpc_pem pem;
	if ((e = open_new(s, app, config_path, note)) == ERR_OK) {
		pem = (struct rpc_pem){app->cert_pem, app->key_pem, app->client_ca_pem};
		e = rpc_tls_change(tls, &pem, note); /* the last that can fail */
	}
	if (e != ERR_OK) {
		app_unref(app);
		return e;
	}
	tell_restart(&s->app->config, &app->config);
	struct workers_limits limits = reload_limits(&app->config);
	workers_set_limits(s->workers, &limits);
	log_set_level((enum log_level)app->config.log_level);
	service_change_app(s, app);
	peers_forget(s->peers);
	log_event(LOG_INFO, "reloaded", LOG_TEXT("config", config_path),
	          LOG_INT("anchors", cert_store_anchors(app->trust)));
	return ERR_OK;
}
