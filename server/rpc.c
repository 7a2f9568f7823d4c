/* The server: events, start and stop. Reference: gRPC C core 1.51; the order of stopping follows its rules closely. */
#include "server/rpc_internal.h"

#include "base/clock.h"
#include <dlfcn.h>
#include <stdlib.h>

enum { HANDSHAKE_MS = 10 * 1000, IDLE_MS = 10 * 60 * 1000, AGE_MS = 60 * 60 * 1000, LOOK_MS = 10, TLS_FRAME = 4096 };

/* ---- events --------------------------------------------------------------------------------- */

/* Ask for one more call of this slot. Failure leaves one request fewer armed; the server stays alive. */
static bool arm(struct rpc_poller *p, size_t slot)
{
	struct rpc_server *s = p->server;
	struct rpc_call *c = rpc_call_new(p, slot);
	grpc_call_error e;

	if (c == NULL)
		return false;
	struct rpc_tag *tag = &c->tags[EV_NEW];
	TAG_RELEASE(tag);
	if (c->route == NULL)
		e = grpc_server_request_call(s->server, &c->call, &c->details, &c->metadata, p->queue, p->queue, tag);
	else
		e = grpc_server_request_registered_call(s->server, s->registered[slot], &c->call, &c->deadline, &c->metadata,
		                                        c->route->kind == RPC_BIDI ? NULL : &c->in, p->queue, p->queue, tag);
	if (e != GRPC_CALL_OK)
		rpc_call_unref(c);
	return e == GRPC_CALL_OK;
}

static int64_t deadline_left(gpr_timespec deadline)
{
	if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0)
		return INT64_MAX;
	return gpr_time_to_millis(gpr_time_sub(deadline, gpr_now(deadline.clock_type)));
}

static void set_time(struct rpc_call *c)
{
	int64_t left = deadline_left(c->route != NULL ? c->deadline : c->details.deadline);
	unsigned cap = c->route != NULL ? c->route->max_millis : 0;

	if (cap != 0 && left > cap)
		left = cap;
	c->until = left == INT64_MAX ? 0 : clock_monotonic_ms() + left;
}

static void stream_opened(struct rpc_call *c)
{
	struct rpc_server *s = c->server;

	c->next = s->streams;
	if (c->next != NULL)
		c->next->prev = c;
	s->streams = c;
}

static void watch_close(struct rpc_call *c)
{
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &c->close_flag};

	pthread_mutex_lock(&c->lock);
	bool ok = rpc_batch(c, EV_CLOSE, &op, 1);
	pthread_mutex_unlock(&c->lock);
	if (ok)
		return;
	pthread_mutex_lock(&c->server->lock);
	rpc_streams_remove(c);
	pthread_mutex_unlock(&c->server->lock);
}

void rpc_watch(struct rpc_call *c)
{
	c->close_with_done = false;
	watch_close(c);
}

static void start_unary(struct rpc_call *c)
{
	const struct rpc_handler *h = c->route != NULL ? c->route->handler : c->server->o.unknown;

	c->close_with_done = true;
	h->start(c);
}

static void on_new(struct rpc_call *c, bool ok)
{
	struct rpc_server *s = c->server;
	bool stream = c->route != NULL && c->route->kind != RPC_UNARY;

	if (!ok) { /* the server is stopping */
		rpc_call_unref(c);
		return;
	}
	c->began = rpc_micros();
	if (!atomic_load(&s->stopping))
		arm(c->poller, c->slot);
	set_time(c);
	c->delivered = true;
	atomic_fetch_add(&s->live, 1);
	if (stream) {
		pthread_mutex_lock(&s->lock);
		stream_opened(c);
		pthread_mutex_unlock(&s->lock);
	}
	rpc_call_ref(c);
	if (!stream) {
		start_unary(c);
	} else {
		/* The other way round, so that closed() cannot overtake start(). */
		if (atomic_load(&s->stopping))
			s->o.refuse(c, ERR_STOPPING);
		else
			c->route->handler->start(c);
		watch_close(c);
	}
	rpc_call_unref(c);
}

static void on_close(struct rpc_call *c)
{
	bool stream = c->route != NULL && c->route->kind != RPC_UNARY;

	if (c->close_flag)
		atomic_store(&c->cancelled, true);
	if (stream) {
		pthread_mutex_lock(&c->server->lock);
		rpc_streams_remove(c);
		pthread_mutex_unlock(&c->server->lock);
		c->route->handler->closed(c);
		rpc_drop(c);
	}
	rpc_call_unref(c);
}

static void on_sent(struct rpc_call *c, bool ok)
{
	pthread_mutex_lock(&c->lock);
	c->sending = false;
	bool finish = c->finish_waits;
	c->finish_waits = false;
	if (finish)
		rpc_start_done(c);
	pthread_mutex_unlock(&c->lock);
	if (finish)
		rpc_call_unref(c);
	else if (ok)
		c->route->handler->sent(c);
	rpc_call_unref(c);
}

static void on_received(struct rpc_call *c, bool ok)
{
	grpc_byte_buffer *in = c->in;
	struct span m = {0};
	grpc_slice s;

	c->in = NULL;
	if (!ok || in == NULL || !rpc_read_message(in, &s)) {
		c->route->handler->message(c, NULL);
	} else {
		m = span_of(GRPC_SLICE_START_PTR(s), GRPC_SLICE_LENGTH(s));
		c->route->handler->message(c, &m);
		grpc_slice_unref(s);
	}
	grpc_byte_buffer_destroy(in);
	rpc_call_unref(c);
}

static void on_stopped(struct rpc_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopped = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void on_event(struct rpc_server *s, const struct rpc_tag *tag, bool ok)
{
	struct rpc_call *c = tag->call;

	switch (tag->event) {
	case EV_NEW:
		on_new(c, ok);
		break;
	case EV_CLOSE:
		on_close(c);
		break;
	case EV_DONE: /* success or not: a late status to a client that is gone is no news */
		rpc_call_unref(c);
		break;
	case EV_SENT:
		on_sent(c, ok);
		break;
	case EV_RECEIVED:
		on_received(c, ok);
		break;
	case EV_STOPPED:
		on_stopped(s);
		break;
	case EV_COUNT:
		break;
	}
}

static void take_event(struct rpc_poller *p, const grpc_event *e)
{
	TAG_ACQUIRE(e->tag);
	on_event(p->server, e->tag, e->success != 0);
}

static bool is_done(const grpc_event *e)
{
	return e->type == GRPC_OP_COMPLETE && ((const struct rpc_tag *)e->tag)->event == EV_DONE;
}

bool rpc_more(struct rpc_call *c)
{
	struct rpc_poller *p = c->poller;

	/* Ends of other calls are no work that waits. */
	while (p->ahead.type == GRPC_QUEUE_TIMEOUT) {
		p->ahead = grpc_completion_queue_next(p->queue, gpr_time_0(GPR_CLOCK_MONOTONIC), NULL);
		if (p->ahead.type == GRPC_QUEUE_TIMEOUT)
			return false;
		if (is_done(&p->ahead)) {
			grpc_event e = p->ahead;
			p->ahead.type = GRPC_QUEUE_TIMEOUT;
			take_event(p, &e);
		}
	}
	return true;
}

static void *poll_loop(void *arg)
{
	struct rpc_poller *p = arg;

	pthread_setname_np(pthread_self(), "yz-rpc");
	for (;;) {
		grpc_event e = p->ahead;
		p->ahead.type = GRPC_QUEUE_TIMEOUT;
		if (e.type == GRPC_QUEUE_TIMEOUT)
			e = grpc_completion_queue_next(p->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		if (e.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (e.type == GRPC_OP_COMPLETE)
			take_event(p, &e);
	}
}

/* ---- start and stop ------------------------------------------------------------------------- */

static grpc_server *server_create(const struct rpc_options *o)
{
	const struct {
		const char *key;
		int value;
	} limits[] = {
	    {GRPC_ARG_ALLOW_REUSEPORT, 0}, /* else a second server takes half of the connections */
	    {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)o->max_message},
	    {GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, (int)o->max_message},
	    {GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)o->max_concurrent_streams},
	    {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_MS},
	    {GRPC_ARG_ENABLE_CHANNELZ, 0},            /* nobody could ask it */
	    {GRPC_ARG_TSI_MAX_FRAME_SIZE, TLS_FRAME}, /* every connection keeps a buffer of this size */
	    {GRPC_ARG_MAX_CONNECTION_IDLE_MS, IDLE_MS},
	    {GRPC_ARG_MAX_CONNECTION_AGE_MS, AGE_MS}, /* certificates are looked at anew */
	    {GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, HANDSHAKE_MS},
	};
	enum { N = sizeof(limits) / sizeof(limits[0]) };
	grpc_arg args[N];

	for (size_t i = 0; i < N; i++)
		args[i] = (grpc_arg){GRPC_ARG_INTEGER, (char *)limits[i].key, {.integer = limits[i].value}};
	return grpc_server_create(&(grpc_channel_args){N, args}, NULL);
}

static enum err bind_port(struct rpc_server *s, int *port, struct err_note *note)
{
	grpc_server_credentials *creds = rpc_tls_credentials(&s->seen);

	if (creds == NULL)
		return ERR_NO_MEMORY;
	int bound = grpc_server_add_http2_port(s->server, s->o.listen, creds);
	grpc_server_credentials_release(creds);
	if (bound <= 0)
		return err_note_set(note, ERR_PORT_TAKEN, s->o.gateway ? "gateway.listen" : "server.listen",
		                    "cannot listen on %.100s: taken, or not ours", s->o.listen);
	*port = bound;
	return ERR_OK;
}

static enum err register_routes(struct rpc_server *s, struct err_note *note)
{
	s->registered = calloc(s->o.n_routes + 1, sizeof(*s->registered));
	if (s->registered == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->o.n_routes; i++) {
		const struct rpc_route *r = &s->o.routes[i];
		/* No host: a method bound to one would leave calls with another :authority hanging. */
		s->registered[i] = grpc_server_register_method(
		    s->server, r->path, NULL,
		    r->kind == RPC_BIDI ? GRPC_SRM_PAYLOAD_NONE : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
		if (s->registered[i] == NULL)
			return err_note_set(note, ERR_INTERNAL, NULL, "method %.80s cannot be registered", r->path);
	}
	return ERR_OK;
}

static void arm_all(struct rpc_poller *p)
{
	const struct rpc_options *o = &p->server->o;

	for (size_t i = 0; i < o->n_routes; i++)
		for (unsigned k = 0; k < o->armed; k++)
			arm(p, i);
	for (unsigned k = 0; k < RPC_CATCH_ALL; k++)
		arm(p, o->n_routes);
}

/* All of them: calls are bound to their poller's queue. */
static enum err start_threads(struct rpc_server *s)
{
	for (; s->n_threads < s->n_pollers; s->n_threads++)
		if (pthread_create(&s->pollers[s->n_threads].thread, NULL, poll_loop, &s->pollers[s->n_threads]) != 0)
			return ERR_NO_MEMORY;
	for (unsigned i = 0; i < s->n_pollers; i++)
		arm_all(&s->pollers[i]);
	return ERR_OK;
}

/* After the last call: nothing may be started on the queues any more. */
static void server_free(struct rpc_server *s)
{
	for (unsigned i = 0; i < s->n_pollers; i++)
		grpc_completion_queue_shutdown(s->pollers[i].queue);
	for (unsigned i = 0; i < s->n_pollers; i++) {
		if (i < s->n_threads)
			pthread_join(s->pollers[i].thread, NULL);
		else
			poll_loop(&s->pollers[i]); /* drain */
	}
	grpc_server_destroy(s->server);
	for (unsigned i = 0; i < s->n_pollers; i++)
		grpc_completion_queue_destroy(s->pollers[i].queue);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free(s->registered);
	free(s);
	grpc_shutdown();
}

/* Debian's abseil looks for deadlocks at every lock that gRPC takes; there is no other way to tell it not to. About a
 * tenth of a small call; without the symbol all goes on as before. */
static void spare_lock_checks(void)
{
	void (*set_mode)(int);
	void *found = dlsym(RTLD_DEFAULT, "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE");

	if (found == NULL)
		return;
	memcpy(&set_mode, &found, sizeof(found));
	set_mode(0); /* OnDeadlockCycle::kIgnore */
}

static struct rpc_server *server_new(const struct rpc_options *o)
{
	struct rpc_server *s = calloc(1, sizeof(*s));
	pthread_condattr_t mono;

	if (s == NULL)
		return NULL;
	s->o = *o;
	s->seen.tls = o->tls;
	s->stop_tag = (struct rpc_tag){EV_STOPPED, NULL};
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &mono);
	pthread_condattr_destroy(&mono);
	spare_lock_checks();
	grpc_init();
	s->server = server_create(o);
	s->n_pollers = o->pollers < 1 ? 1 : o->pollers < RPC_POLLERS_MAX ? o->pollers : RPC_POLLERS_MAX;
	for (unsigned i = 0; i < s->n_pollers; i++) {
		s->pollers[i] = (struct rpc_poller){
		    .server = s, .queue = grpc_completion_queue_create_for_next(NULL), .ahead.type = GRPC_QUEUE_TIMEOUT};
		grpc_server_register_completion_queue(s->server, s->pollers[i].queue, NULL);
	}
	return s;
}

enum err rpc_start(const struct rpc_options *o, struct rpc_server **out, int *port, struct err_note *note)
{
	struct rpc_server *s = server_new(o);
	enum err e;

	if (s == NULL)
		return ERR_NO_MEMORY;
	if ((e = register_routes(s, note)) != ERR_OK || (e = bind_port(s, port, note)) != ERR_OK)
		goto out;
	grpc_server_start(s->server);
	if ((e = start_threads(s)) != ERR_OK)
		goto out;
	*out = s;
out:
	if (e != ERR_OK)
		rpc_stop(s, 0);
	return e;
}

/* The counters go down without a word while nobody stops, so the waiting looks up now and then. */
static void wait_changed(struct rpc_server *s)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += LOOK_MS * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&s->changed, &s->lock, &t);
}

/* Wait until all calls are freed and the stop tag is back, at most ms (negative: for ever); with `idle` no longer than
 * that after the last call under way. */
static bool wait_quiet(struct rpc_server *s, int64_t ms, bool idle)
{
	int64_t now = clock_monotonic_ms(), until = ms < 0 ? INT64_MAX : now + ms, busy = now;
	bool quiet;

	pthread_mutex_lock(&s->lock);
	while (!(quiet = s->stopped && atomic_load(&s->calls) == 0)) {
		now = clock_monotonic_ms();
		if (atomic_load(&s->live) != 0)
			busy = now;
		if (now >= until || (idle && now - busy >= RPC_IDLE_MS))
			break;
		wait_changed(s);
	}
	pthread_mutex_unlock(&s->lock);
	return quiet;
}

/* Open streams wait for something that will not come any more. They are collected first: finishing one takes its lock,
 * and its last reference the server's. */
static void refuse_streams(struct rpc_server *s)
{
	for (;;) {
		struct rpc_call *some[64];
		size_t n = 0;

		pthread_mutex_lock(&s->lock);
		for (struct rpc_call *c = s->streams; c != NULL && n < 64; c = s->streams) {
			rpc_call_ref(c);
			some[n++] = c;
			rpc_streams_remove(c);
		}
		pthread_mutex_unlock(&s->lock);
		if (n == 0)
			return;
		for (size_t i = 0; i < n; i++) {
			s->o.refuse(some[i], ERR_STOPPING);
			rpc_call_unref(some[i]);
		}
	}
}

unsigned rpc_live(struct rpc_server *s)
{
	return atomic_load(&s->live);
}

void rpc_stop(struct rpc_server *s, unsigned grace_ms)
{
	atomic_store(&s->stopping, true);
	TAG_RELEASE(&s->stop_tag);
	grpc_server_shutdown_and_notify(s->server, s->pollers[0].queue, &s->stop_tag);
	if (s->n_threads > 0) {
		refuse_streams(s);
		if (!wait_quiet(s, grace_ms, true)) {
			grpc_server_cancel_all_calls(s->server);
			(void)wait_quiet(s, -1, false);
		}
	}
	server_free(s);
}
