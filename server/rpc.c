/* The server: events, start and stop. Reference: gRPC C core 1.51; the order of stopping follows its rules closely. */
#include "server/rpc_internal.h"

#include "base/clock.h"
#include <stdlib.h>

enum { HANDSHAKE_MS = 10 * 1000, IDLE_MS = 10 * 60 * 1000, AGE_MS = 60 * 60 * 1000 };

/* ---- events --------------------------------------------------------------------------------- */

/* Ask for one more call of this slot. Failure leaves one request fewer armed; the server stays alive. */
static bool arm(struct rpc_server *s, size_t slot)
{
	struct rpc_call *c = rpc_call_new(s, slot);
	grpc_call_error e;

	if (c == NULL)
		return false;
	struct rpc_tag *tag = &c->tags[EV_NEW];
	TAG_RELEASE(tag);
	if (c->route == NULL)
		e = grpc_server_request_call(s->server, &c->call, &c->details, &c->metadata, s->queue, s->queue, tag);
	else
		e = grpc_server_request_registered_call(s->server, s->registered[slot], &c->call, &c->deadline, &c->metadata,
		                                        c->route->kind == RPC_BIDI ? NULL : &c->in, s->queue, s->queue, tag);
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

static void on_new(struct rpc_call *c, bool ok)
{
	struct rpc_server *s = c->server;
	bool stream = c->route != NULL && c->route->kind != RPC_UNARY;

	if (!ok) { /* the server is stopping */
		rpc_call_unref(c);
		return;
	}
	if (!atomic_load(&s->stopping))
		arm(s, c->slot);
	set_time(c);
	pthread_mutex_lock(&s->lock);
	c->delivered = true;
	s->live++;
	if (stream)
		stream_opened(c);
	pthread_mutex_unlock(&s->lock);

	rpc_call_ref(c);
	if (!stream) {
		/* First of all, so that a worker can see that the client has gone. */
		watch_close(c);
		(c->route != NULL ? c->route->handler : s->o.unknown)->start(c);
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

static void *poll_loop(void *arg)
{
	struct rpc_server *s = arg;

	for (;;) {
		grpc_event e = grpc_completion_queue_next(s->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		if (e.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (e.type != GRPC_OP_COMPLETE)
			continue;
		TAG_ACQUIRE(e.tag);
		on_event(s, e.tag, e.success != 0);
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
	grpc_ssl_pem_key_cert_pair pair = {s->o.key_pem, s->o.cert_pem};
	grpc_ssl_server_certificate_config *cfg = grpc_ssl_server_certificate_config_create(s->o.client_ca_pem, &pair, 1);
	grpc_server_credentials *creds =
	    grpc_ssl_server_credentials_create_with_options(grpc_ssl_server_credentials_create_options_using_config(
	        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, cfg));

	if (creds == NULL)
		return err_note_set(note, ERR_CONFIG_INVALID, "tls", "the server certificate or key is not accepted");
	int bound = grpc_server_add_http2_port(s->server, s->o.listen, creds);
	/* gRPC does not say why; a port that nobody can have taken tells the two reasons apart. */
	bool tls_bad = bound <= 0 && grpc_server_add_http2_port(s->server, "127.0.0.1:0", creds) <= 0;
	grpc_server_credentials_release(creds);
	if (tls_bad)
		return err_note_set(note, ERR_CONFIG_INVALID, "tls",
		                    "the server's certificate, key or client_ca is not accepted");
	if (bound <= 0)
		return err_note_set(note, ERR_PORT_TAKEN, "server.listen", "cannot listen on %.100s: taken, or not ours",
		                    s->o.listen);
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

static void arm_all(struct rpc_server *s)
{
	for (size_t i = 0; i < s->o.n_routes; i++)
		for (unsigned k = 0; k < s->o.armed; k++)
			arm(s, i);
	for (unsigned k = 0; k < RPC_CATCH_ALL; k++)
		arm(s, s->o.n_routes);
}

static enum err start_threads(struct rpc_server *s)
{
	for (s->n_threads = 0; s->n_threads < RPC_THREADS; s->n_threads++)
		if (pthread_create(&s->threads[s->n_threads], NULL, poll_loop, s) != 0)
			return s->n_threads > 0 ? ERR_OK : ERR_NO_MEMORY;
	return ERR_OK;
}

/* After the last call: nothing may be started on the queue any more. */
static void server_free(struct rpc_server *s)
{
	grpc_completion_queue_shutdown(s->queue);
	for (unsigned i = 0; i < s->n_threads; i++)
		pthread_join(s->threads[i], NULL);
	if (s->n_threads == 0)
		poll_loop(s); /* drain */
	grpc_server_destroy(s->server);
	grpc_completion_queue_destroy(s->queue);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free(s->registered);
	free(s);
	grpc_shutdown();
}

static struct rpc_server *server_new(const struct rpc_options *o)
{
	struct rpc_server *s = calloc(1, sizeof(*s));
	pthread_condattr_t mono;

	if (s == NULL)
		return NULL;
	s->o = *o;
	s->stop_tag = (struct rpc_tag){EV_STOPPED, NULL};
	atomic_init(&s->stopping, false);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &mono);
	pthread_condattr_destroy(&mono);
	grpc_init();
	s->queue = grpc_completion_queue_create_for_next(NULL);
	s->server = server_create(o);
	grpc_server_register_completion_queue(s->server, s->queue, NULL);
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
	arm_all(s);
	*out = s;
out:
	if (e != ERR_OK)
		rpc_stop(s, 0);
	return e;
}

/* Wait until all calls are freed and the stop tag is back, at most ms (negative: for ever). */
static bool wait_quiet(struct rpc_server *s, int64_t ms)
{
	struct timespec t;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&s->lock);
	while (rc == 0 && !(s->stopped && s->calls == 0))
		rc = ms < 0 ? pthread_cond_wait(&s->changed, &s->lock) : pthread_cond_timedwait(&s->changed, &s->lock, &t);
	bool quiet = s->stopped && s->calls == 0;
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

void rpc_stop(struct rpc_server *s, unsigned grace_ms)
{
	atomic_store(&s->stopping, true);
	TAG_RELEASE(&s->stop_tag);
	grpc_server_shutdown_and_notify(s->server, s->queue, &s->stop_tag);
	if (s->n_threads > 0) {
		refuse_streams(s);
		if (!wait_quiet(s, grace_ms)) {
			grpc_server_cancel_all_calls(s->server);
			(void)wait_quiet(s, -1);
		}
	}
	server_free(s);
}
