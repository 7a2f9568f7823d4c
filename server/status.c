#include "server/status.h"

#include "desk/caches.h"
#include "server/convert.h"
#include "server/dispatch.h"
#include "server/health.h"
#include "yinzheng/v1/admin.pb-c.h"

struct status {
	const struct service *service;
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

/* Names as in the contract; the last are the signers' tables. */
static enum err put_caches(struct desk_call *call, Y(GetStatusReply) * r)
{
	static const struct {
		const char *name;
		enum memo_kind kind;
	} rows[] = {
	    {"seal", MEMO_SEAL},        {"chain", MEMO_CHAIN},       {"licence", MEMO_LICENCE},
	    {"certificate", MEMO_CERT}, {"signer_table", MEMO_NONE},
	};
	enum { N = sizeof(rows) / sizeof(rows[0]) };
	struct desk_cache_figures f;

	desk_cache_figures(call->desk, &f);
	r->cache_bytes = f.memo.bytes + f.tables.bytes;
	r->cache_limit = f.memo.limit + f.tables.limit;
	r->caches = arena_array(call->arena, N, sizeof(*r->caches));
	for (size_t i = 0; r->caches != NULL && i < N; i++) {
		Y(CacheFigures) *c = conv_new(call, DESC(cache_figures));

		if (c == NULL)
			return ERR_BUDGET;
		c->name = (char *)(uintptr_t)rows[i].name;
		c->hits = rows[i].kind != MEMO_NONE ? f.memo.hits[rows[i].kind] : f.tables.hits;
		c->misses = rows[i].kind != MEMO_NONE ? f.memo.misses[rows[i].kind] : f.tables.misses;
		r->caches[r->n_caches++] = c;
	}
	return r->caches != NULL ? ERR_OK : ERR_BUDGET;
}

enum err encode_status_get(struct desk_call *call, ProtobufCMessage **out)
{
	const struct status *st = call->ans;
	struct service *s = (struct service *)st->service;
	Y(GetStatusReply) *r = conv_new(call, DESC(get_status_reply));

	if (r == NULL)
		return ERR_BUDGET;
	r->version = (char *)YZ_VERSION;
	r->started = conv_time_text(call, s->started);
	r->now = conv_time_text(call, st->now);
	r->store_schema = STORE_SCHEMA;
	r->audit_entries = st->audit_entries;
	r->calls_ok = atomic_load(&s->metrics.ok);
	r->calls_refused = atomic_load(&s->metrics.refused);
	r->calls_shed = atomic_load(&s->metrics.shed);
	r->workers = workers_threads(s->workers);
	r->queued = workers_queued(s->workers);
	r->trust_anchors = cert_store_anchors(s->trust);
	r->oldest_crl = conv_time_text(call, cert_store_oldest_crl(s->trust));
	r->n_warnings = st->n_warnings;
	r->warnings = st->warnings;
	*out = &r->base;
	return put_caches(call, r);
}
