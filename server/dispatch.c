#include "server/dispatch.h"

#include "server/convert.h"
#include "server/health.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/peers.h"
#include "server/refusal.h"
#include <stdio.h>
#include <stdlib.h>

enum { PATH_LEN = 96, PROMPT_REQUEST_MAX = 32 * 1024, LATE_MS = 1000 };

/* One call at work. Belongs to one thread at a time: a worker, or the store's writer while it commits. */
struct work {
	struct job job;
	struct service *service;
	struct app *app; /* the configuration that it began with */
	struct peer *peer;
	struct rpc_call *rpc;
	const struct method *method;
	struct arena *arena;
	struct desk_call call;
	ProtobufCMessage *reply; /* made by pack() or after the commit */
	struct span packed;      /* the same as it was packed to be kept; NULL: it was not */
	ProtobufCMessage *more;  /* fields that go behind it: a message may be sent in parts. NULL: none */
	unsigned attempts;
	enum err result; /* of the commit */
	int64_t started, submitted;
};

const struct app *dispatch_app(const struct desk_call *call)
{
	const struct work *w = call->pack_arg;

	return w->app;
}

struct service *dispatch_service(const struct desk_call *call)
{
	const struct work *w = call->pack_arg;

	return w->service;
}

static void work_free(struct work *w)
{
	arena_free(w->arena);
	peer_unref(w->peer);
	app_unref(w->app);
	free(w);
}

/* ---- the end of a call ---------------------------------------------------------------------- */

/* A line per refusal; not per call that went well, nor per call that is turned away because there are too many. */
static enum log_level level_of(enum err e)
{
	if (e == ERR_OK || e == ERR_OVERLOADED)
		return LOG_DEBUG;
	return err_class_of(e) >= ERRC_UNAVAILABLE ? LOG_WARN : LOG_INFO;
}

static void log_call(const struct work *w, enum err e)
{
	enum log_level level = level_of(e);
	bool noted = w->call.note.code == e && e != ERR_OK;

	if (level > log_level())
		return;
	log_event(level, "call", LOG_TEXT("method", rpc_path(w->rpc)),
	          LOG_TEXT("principal", w->call.caller.id != NULL ? w->call.caller.id : ""),
	          LOG_TEXT("reason", err_name(e)), LOG_TEXT("field", noted ? w->call.note.field : ""),
	          LOG_INT("ms", clock_monotonic_ms() - w->started), LOG_INT("attempts", w->attempts),
	          LOG_TEXT("replayed", w->call.replayed ? "yes" : "no"), LOG_TEXT("peer", rpc_peer(w->rpc)));
}

static void finish_refused(struct work *w, enum err e)
{
	log_call(w, e);
	metrics_refused(e);
	refuse_call(w->rpc, e, &w->call.note);
	work_free(w);
}

static void finish_replied(struct work *w)
{
	size_t n = w->packed.ptr != NULL ? w->packed.len : protobuf_c_message_get_packed_size(w->reply);
	size_t more = w->more != NULL ? protobuf_c_message_get_packed_size(w->more) : 0;
	uint8_t *room = rpc_reply_room(w->rpc, n + more);

	log_call(w, ERR_OK);
	if (w->packed.ptr != NULL)
		memcpy(room, w->packed.ptr, n);
	else
		protobuf_c_message_pack(w->reply, room);
	if (more != 0)
		protobuf_c_message_pack(w->more, room + n);
	rpc_reply(w->rpc);
	work_free(w);
}

/* Nobody waits for an answer any more. */
static void finish_dropped(struct work *w)
{
	log_call(w, ERR_CANCELLED);
	metrics_refused(ERR_CANCELLED);
	rpc_drop(w->rpc);
	work_free(w);
}

/* ---- after the use case --------------------------------------------------------------------- */

static enum err reply_again(struct work *w)
{
	enum err e = wire_unpack_own(w->arena, method_descriptor(w->method)->output, w->call.reply, &w->reply);

	if (e != ERR_OK)
		return e == ERR_BUDGET ? e : ERR_STORE_CORRUPT;
	w->packed = w->call.reply;
	conv_replayed(w->more);
	return ERR_OK;
}

static enum err make_reply(struct work *w)
{
	enum err e = ERR_OK;

	w->more = conv_new(&w->call, method_descriptor(w->method)->output);
	if (w->more == NULL)
		return ERR_BUDGET;
	if (w->call.replayed)
		e = reply_again(w);
	else if (w->reply == NULL)
		e = w->method->encode(&w->call, &w->reply);
	if (e == ERR_OK && w->method->complete != NULL)
		e = w->method->complete(&w->call, w->reply, w->more);
	return e == ERR_OK ? conv_complete(&w->call) : e;
}

static void answer(struct work *w)
{
	enum err e = make_reply(w);

	if (e != ERR_OK)
		finish_refused(w, e);
	else
		finish_replied(w);
}

/* desk_call.pack: the reply as it is kept for replay. Runs on the store's thread, perhaps more than once. */
static enum err pack_reply(struct desk_call *call, struct span *reply)
{
	struct work *w = call->pack_arg;
	enum err e = w->method->encode(call, &w->reply);

	if (e == ERR_OK)
		e = conv_complete(call);
	if (e == ERR_OK)
		e = wire_pack(call->arena, w->reply, reply);
	if (e == ERR_OK)
		w->packed = *reply;
	return e;
}

static void begin(struct work *w);

/* The store_fn: the last moment to see that nobody waits. From here on the use happens. */
static enum err commit(struct store_tx *tx, void *arg)
{
	struct work *w = arg;

	if (rpc_cancelled(w->rpc))
		return ERR_CANCELLED;
	if (rpc_left_ms(w->rpc) <= 0)
		return ERR_DEADLINE;
	return desk_commit(tx, &w->call);
}

static void run_answer(struct job *j)
{
	struct work *w = (struct work *)j;

	desk_committed(&w->call);
	answer(w);
}

static void run_again(struct job *j)
{
	begin((struct work *)j);
}

static void run_settle(struct job *j)
{
	struct work *w = (struct work *)j;

	if (w->result == ERR_CANCELLED)
		finish_dropped(w);
	else
		finish_refused(w, w->result);
}

/* On the store's thread: only say how to go on. */
static void commit_done(void *arg, enum err result)
{
	struct work *w = arg;

	w->result = result;
	workers_unpark(w->service->workers);
	metrics_commit(result, (uint64_t)(metrics_micros() - w->submitted));
	health_committed(w->service->health, result);
	if (result == ERR_OK)
		w->job.run = run_answer;
	else if (result == ERR_STORE_CHANGED && w->attempts < DESK_ATTEMPTS)
		w->job.run = run_again;
	else
		w->job.run = run_settle;
	workers_resume(w->service->workers, &w->job);
}

/* ---- the use case --------------------------------------------------------------------------- */

/* True when the call came to its end here, because nobody waits for it any more. */
static bool finish_late(struct work *w)
{
	if (rpc_cancelled(w->rpc))
		finish_dropped(w);
	else if (rpc_left_ms(w->rpc) <= 0)
		finish_refused(w, ERR_DEADLINE);
	else
		return false;
	return true;
}

static void submit(struct work *w)
{
	int64_t left = rpc_left_ms(w->rpc);
	enum err e;

	if (left <= 0) {
		finish_refused(w, ERR_DEADLINE);
		return;
	}
	w->submitted = metrics_micros();
	workers_park(w->service->workers);
	if ((e = store_submit_within(w->service->store, commit, w, commit_done, left)) == ERR_OK)
		return;
	workers_unpark(w->service->workers);
	finish_refused(w, e);
}

static enum err identify(struct work *w)
{
	struct peer_evidence seen;
	enum err e = peers_evidence(w->rpc, &seen);

	peer_unref(w->peer);
	w->peer = NULL;
	if (e == ERR_OK)
		e = peers_find(w->service, w->app, &seen, &w->peer);
	if (e == ERR_OK)
		w->call.caller = *peer_principal(w->peer);
	return e;
}

/* The caller's keys may have changed since it was recognised: only then it is looked up anew, once. */
static enum err begin_use(struct work *w)
{
	enum err e = desk_begin(&w->call, w->method->use);

	if (e != ERR_STORE_CHANGED)
		return e;
	peers_forget(w->service->peers);
	e = identify(w);
	return e == ERR_OK ? desk_begin(&w->call, w->method->use) : e;
}

static void begin(struct work *w)
{
	enum err e;

	if (finish_late(w))
		return;
	w->attempts++;
	w->reply = NULL;
	w->packed = span_of(NULL, 0);
	w->call.note = (struct err_note){0};
	if ((e = begin_use(w)) != ERR_OK)
		finish_refused(w, e);
	else if (w->call.replayed || (w->method->use->flags & USE_COMMIT) == 0)
		answer(w);
	else
		submit(w);
}

static enum err request_digest(const struct method *m, struct span request, uint8_t out[SM3_LEN])
{
	char path[PATH_LEN];
	enum err e = method_path(m, path, sizeof(path));

	if (e != ERR_OK)
		return e;
	struct span parts[] = {span_of(path, strlen(path) + 1), request};
	return sm3_parts(parts, 2, out);
}

enum err dispatch_decode(const struct method *m, struct desk_call *call, struct span request)
{
	ProtobufCMessage *message;
	enum err e;

	if (request.len > m->max_request)
		return err_note_set(&call->note, ERR_TOO_LARGE, NULL, "This method takes at most %u bytes.", m->max_request);
	/* What is asked twice is known again by it; nobody else looks at it. */
	if ((m->use->flags & USE_REQUEST_ID) != 0 && (e = request_digest(m, request, call->request_digest)) != ERR_OK)
		return e;
	if ((e = wire_unpack(call->arena, method_descriptor(m)->input, request, &message, &call->note)) != ERR_OK)
		return e;
	conv_head(call, message);
	return m->decode(call, message);
}

static void run_first(struct job *j)
{
	struct work *w = (struct work *)j;
	struct span request;
	enum err e;

	if (finish_late(w))
		return;
	if ((e = identify(w)) == ERR_OK)
		e = rpc_request(w->rpc, &request) ? dispatch_decode(w->method, &w->call, request) : ERR_MESSAGE_INVALID;
	if (e != ERR_OK)
		finish_refused(w, e);
	else
		begin(w);
}

/* ---- on gRPC's threads ---------------------------------------------------------------------- */

static struct work *work_new(struct rpc_call *c)
{
	const struct method *m = rpc_route_of(c)->row;
	struct work *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->arena = arena_new(m->budget);
	if (w->arena == NULL) {
		free(w);
		return NULL;
	}
	w->job.run = run_first;
	w->service = rpc_env(c);
	w->rpc = c;
	w->method = m;
	w->started = clock_monotonic_ms();
	w->app = service_app(w->service);
	w->call.desk = w->app->desk;
	w->call.arena = w->arena;
	w->call.pack = pack_reply;
	w->call.pack_arg = w;
	return w;
}

/* Calls wait unseen, before they are delivered: then what comes must go through the workers' admission. */
static bool is_behind(struct service *s)
{
	int64_t late = atomic_load_explicit(&s->late, memory_order_relaxed);

	return late != 0 && clock_monotonic_ms() - late < LATE_MS;
}

/* A caller that is known; nobody else has waited longer, and nobody waits behind: then the workers' threads shall have
 * it, while this one reads and sends. */
static bool may_be_prompt(struct work *w, struct span *request)
{
	struct service *s = w->service;
	struct peer_evidence seen;

	if (!s->prompt || w->method->prompt == NULL || is_behind(s) || !workers_quiet(s->workers) || rpc_more(w->rpc) ||
	    !rpc_request(w->rpc, request) || request->len > PROMPT_REQUEST_MAX || peers_evidence(w->rpc, &seen) != ERR_OK ||
	    (w->peer = peers_known(s, &seen)) == NULL)
		return false;
	w->call.caller = *peer_principal(w->peer);
	return desk_caller_is_kept(&w->call);
}

/* On few cores the way to a worker and back takes longer than a small computation. False: a worker goes on. */
static bool answer_at_once(struct work *w)
{
	struct span request;
	enum err e;

	if (!may_be_prompt(w, &request))
		return false;
	if ((e = dispatch_decode(w->method, &w->call, request)) != ERR_OK) {
		finish_refused(w, e);
		return true;
	}
	if (!w->method->prompt(&w->call)) {
		w->job.run = run_again;
		return false;
	}
	begin(w);
	return true;
}

/* Before anything is made for it: what is turned away must cost little. */
static enum err admit(struct rpc_call *c, enum call_class class)
{
	struct service *s = rpc_env(c);

	/* A call may have waited long before it was delivered. */
	if (rpc_left_ms(c) > 0)
		return workers_admit(s->workers, class);
	atomic_store_explicit(&s->late, clock_monotonic_ms(), memory_order_relaxed);
	return ERR_DEADLINE;
}

static void dispatch_start(struct rpc_call *c)
{
	struct service *s = rpc_env(c);
	enum call_class class = method_class(rpc_route_of(c)->row);
	enum err e = admit(c, class);
	struct work *w;

	if (e != ERR_OK || (w = work_new(c)) == NULL) {
		e = e != ERR_OK ? e : ERR_NO_MEMORY;
		metrics_refused(e);
		refuse_call(c, e, NULL);
		return;
	}
	if (answer_at_once(w))
		return;
	rpc_watch(c); /* first, so that a worker can see that the client has gone */
	e = workers_submit(s->workers, &w->job, class);
	if (e != ERR_OK)
		finish_refused(w, e);
}

static void unknown_start(struct rpc_call *c)
{
	log_event(LOG_INFO, "call", LOG_TEXT("method", rpc_path(c)), LOG_TEXT("reason", err_name(ERR_UNIMPLEMENTED)),
	          LOG_TEXT("peer", rpc_peer(c)));
	metrics_refused(ERR_UNIMPLEMENTED);
	refuse_call(c, ERR_UNIMPLEMENTED, NULL);
}

void dispatch_observe(struct rpc_call *c, int status, uint64_t micros)
{
	const struct rpc_route *r = rpc_route_of(c);
	const struct method *m = r != NULL ? r->row : NULL;

	metrics_call(m != NULL ? (size_t)(m - methods) : methods_count, status, micros);
}

const struct rpc_handler dispatch_handler = {.start = dispatch_start};
const struct rpc_handler dispatch_unknown = {.start = unknown_start};

void dispatch_routes_free(struct rpc_route *routes, size_t n)
{
	for (size_t i = 0; routes != NULL && i < n; i++)
		free((char *)routes[i].path);
	free(routes);
}

enum err dispatch_routes(struct rpc_route **out, size_t *n)
{
	struct rpc_route *r = calloc(methods_count, sizeof(*r));
	char path[PATH_LEN];
	enum err e = r != NULL ? ERR_OK : ERR_NO_MEMORY;

	for (size_t i = 0; e == ERR_OK && i < methods_count; i++) {
		const struct method *m = &methods[i];
		if ((e = method_path(m, path, sizeof(path))) != ERR_OK)
			break;
		r[i] = (struct rpc_route){.path = strdup(path),
		                          .kind = m->kind,
		                          .max_millis = m->max_millis,
		                          .handler = m->use != NULL ? &dispatch_handler : m->direct,
		                          .row = m};
		if (r[i].path == NULL)
			e = ERR_NO_MEMORY;
	}
	if (e != ERR_OK) {
		dispatch_routes_free(r, methods_count);
		return e;
	}
	*out = r;
	*n = methods_count;
	return ERR_OK;
}
