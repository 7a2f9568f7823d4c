#include "server/status.h"

#include "desk/caches.h"
#include "server/accept.h"
#include "server/caches.h"
#include "server/convert.h"
#include "server/dispatch.h"
#include "server/health.h"
#include "server/metrics.h"
#include "yinzheng/v1/admin.pb-c.h"

struct status {
	struct service *service;
	const struct app *app;
	uint64_t audit_entries;
	char **warnings;
	size_t n_warnings;
	int64_t now;
};

static enum err read_size(struct store_tx *tx, void *arg)
{
	struct status *st = arg;

	return store_audit_size(tx, &st->audit_entries);
}

/* The desk's warnings, and what the health checks found. */
static enum err collect_warnings(struct desk_call *call, struct status *st)
{
	const char *fault = health_fault(st->service->health);
	char **known = NULL, **all;
	size_t n = 0;
	enum err e = desk_warnings(call->desk, call->arena, &known, &n);

	if (e != ERR_OK)
		return e;
	all = arena_array(call->arena, n + 1, sizeof(*all));
	if (all == NULL)
		return ERR_BUDGET;
	if (n != 0)
		memcpy(all, known, n * sizeof(*all));
	if (fault != NULL)
		all[n++] = (char *)fault;
	st->warnings = all;
	st->n_warnings = n;
	return ERR_OK;
}

static enum err prepare(struct desk_call *call)
{
	struct status *st = call->ans;
	enum err e;

	st->service = dispatch_service(call);
	st->app = dispatch_app(call);
	st->now = clock_now(&st->service->clock);
	if ((e = store_read(st->service->store, read_size, st)) != ERR_OK)
		return e;
	return collect_warnings(call, st);
}

const struct use_case use_status_get = {
    .action = "status.get", .roles = ROLE_SYSTEM | ROLE_SECURITY, .flags = 0, .prepare = prepare};

enum err decode_status_get(struct desk_call *call, const ProtobufCMessage *m)
{
	return conv_begin(call, 0, sizeof(struct status));
}

static uint64_t refused_calls(void)
{
	uint64_t n = 0;

	for (int e = ERR_OK + 1; e < ERR_COUNT; e++)
		if (e != ERR_OVERLOADED && e != ERR_CANCELLED)
			n += metrics_refused_read((enum err)e);
	return n;
}

static enum err put_queues(struct desk_call *call, const struct workers_figures *w, Y(GetStatusReply) * r)
{
	Y(QueueStatus) **q = conv_array(call, DESC(queue_status), CLASS_COUNT);

	if (q == NULL)
		return ERR_BUDGET;
	for (int i = 0; i < CLASS_COUNT; i++) {
		q[i]->name = conv_text(call_class_name((enum call_class)i));
		q[i]->queued = w->queued[i];
		q[i]->refused = w->refused[i];
		r->queued += w->queued[i];
	}
	r->n_queues = CLASS_COUNT;
	r->queues = q;
	return ERR_OK;
}

static enum err put_limits(struct desk_call *call, const struct status *st, const struct workers_figures *w,
                           Y(GetStatusReply) * r)
{
	Y(LimitStatus) *l = conv_new(call, DESC(limit_status));

	if (l == NULL)
		return ERR_BUDGET;
	l->queue = w->limits.queue;
	l->wait_ms = w->limits.wait_ms;
	l->commits = w->limits.commits;
	l->parked = w->parked;
	l->connections = st->service->connections_limit;
	l->connected = accept_open(st->service->port) + accept_open(st->service->gateway_port);
	l->operator_per_minute = st->app->config.operator_per_minute;
	l->principal_per_minute = st->app->config.principal_per_minute;
	r->limits = l;
	return ERR_OK;
}

static enum err put_parts(struct desk_call *call, struct service *s, Y(GetStatusReply) * r)
{
	Y(PartStatus) **p = conv_array(call, DESC(part_status), HEALTH_PARTS);

	if (p == NULL)
		return ERR_BUDGET;
	for (int i = 0; i < HEALTH_PARTS; i++) {
		const char *fault = health_part_fault(s->health, (enum health_part)i);

		p[i]->name = conv_text(health_part_name((enum health_part)i));
		p[i]->serving = fault == NULL;
		p[i]->why = conv_text(fault);
	}
	r->n_parts = HEALTH_PARTS;
	r->parts = p;
	return ERR_OK;
}

static enum err put_caches(struct desk_call *call, struct service *s, Y(GetStatusReply) * r)
{
	struct cache_figures all[CACHES_MAX];
	struct cache_room rooms[CACHES_MAX];
	size_t n = caches_read(s, all), n_rooms;
	Y(CacheFigures) **c = conv_array(call, DESC(cache_figures), n);

	if (c == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; i < n; i++) {
		uint64_t asked = all[i].hits + all[i].misses;

		c[i]->name = conv_text(all[i].name);
		c[i]->hits = all[i].hits;
		c[i]->misses = all[i].misses;
		c[i]->hit_rate = asked != 0 ? (double)all[i].hits / (double)asked : 0;
	}
	n_rooms = cache_rooms_read(s, rooms);
	for (size_t i = 0; i < n_rooms; i++) {
		r->cache_bytes += rooms[i].limit != 0 ? rooms[i].bytes : 0;
		r->cache_limit += rooms[i].limit;
	}
	r->n_caches = n;
	r->caches = c;
	return ERR_OK;
}

enum err encode_status_get(struct desk_call *call, ProtobufCMessage **out)
{
	const struct status *st = call->ans;
	struct service *s = st->service;
	Y(GetStatusReply) *r = conv_new(call, DESC(get_status_reply));
	struct workers_figures w;
	enum err e;

	if (r == NULL)
		return ERR_BUDGET;
	workers_figures(s->workers, &w);
	r->version = (char *)YZ_VERSION;
	r->started = conv_time_text(call, s->started);
	r->now = conv_time_text(call, st->now);
	r->store_schema = STORE_SCHEMA;
	r->audit_entries = st->audit_entries;
	r->calls_ok = metrics_ok();
	r->calls_refused = refused_calls();
	r->calls_shed = metrics_refused_read(ERR_OVERLOADED);
	r->workers = w.threads;
	r->trust_anchors = cert_store_anchors(st->app->trust);
	r->oldest_crl = conv_time_text(call, cert_store_oldest_crl(st->app->trust));
	r->n_warnings = st->n_warnings;
	r->warnings = st->warnings;
	if ((e = put_queues(call, &w, r)) != ERR_OK || (e = put_limits(call, st, &w, r)) != ERR_OK ||
	    (e = put_parts(call, s, r)) != ERR_OK)
		return e;
	*out = &r->base;
	return put_caches(call, s, r);
}
