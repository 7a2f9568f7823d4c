/* See rpc.h. Reference: gRPC C core 1.51; the order of stopping and the tags of a call follow its rules closely. */
#include "server/rpc.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/status.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* libgrpc is not instrumented, so ThreadSanitizer is told where a tag passes from thread to thread. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#endif
#ifdef WITH_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define TAG_RELEASE(tag) __tsan_release(tag)
#define TAG_ACQUIRE(tag) __tsan_acquire(tag)
#else
#define TAG_RELEASE(tag) ((void)(tag))
#define TAG_ACQUIRE(tag) ((void)(tag))
#endif

enum { PATH_MAX_LOGGED = 96, HANDSHAKE_MS = 10 * 1000, IDLE_MS = 10 * 60 * 1000, AGE_MS = 60 * 60 * 1000 };

/* What may be in flight of one call. A tag names the call and which of these came back. */
enum rpc_event { EV_NEW, EV_CLOSE, EV_DONE, EV_SENT, EV_RECEIVED, EV_COUNT, EV_STOPPED };

struct rpc_tag {
	enum rpc_event event;
	struct rpc_call *call;
};

/*
 * References: one per tag in flight, and one of the owner, which is the NEW tag's own passed on and is given up when
 * the call is finished. At zero everything is freed.
 */
struct rpc_call {
	struct rpc_server *server;
	const struct rpc_route *route;
	size_t slot; /* of the route; n_routes for the catch-all */
	struct rpc_tag tags[EV_COUNT];
	atomic_uint refs;
	bool delivered;
	void *user;
	/* received */
	grpc_call *call;
	grpc_call_details details;
	grpc_metadata_array metadata;
	gpr_timespec deadline;
	grpc_byte_buffer *in;
	grpc_slice request;
	bool has_request;
	int64_t until; /* clock_monotonic_ms() when the call's time is over; 0: never */
	char path[PATH_MAX_LOGGED];
	char *peer;
	grpc_auth_context *auth;
	/* how it goes */
	int close_flag;
	atomic_bool cancelled;
	pthread_mutex_t lock; /* of the following and of all batches */
	bool opened, sending, finished, finish_waits;
	/* to be sent; kept until the tag returns */
	grpc_slice out, status_text;
	grpc_byte_buffer *out_buffer;
	bool has_out;
	grpc_status_code status;
	grpc_metadata trailers[2];
	size_t n_trailers;
	struct rpc_call *prev, *next; /* open streams of the server */
};

struct rpc_server {
	struct rpc_options o;
	grpc_server *server;
	grpc_completion_queue *queue;
	void **registered; /* per route */
	pthread_t threads[RPC_THREADS];
	unsigned n_threads;
	atomic_bool stopping;
	struct rpc_tag stop_tag;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopped;   /* the stop tag came back */
	unsigned calls; /* not freed, armed ones included */
	unsigned live;  /* delivered and not freed */
	struct rpc_call *streams;
};

/* ---- a call's life -------------------------------------------------------------------------------------------- */

static void call_ref(struct rpc_call *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
}

/* server->lock is held. A call in the list is alive: it leaves it before its CLOSE reference is given up. */
static void streams_remove(struct rpc_call *c)
{
	struct rpc_server *s = c->server;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else if (s->streams == c)
		s->streams = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->prev = c->next = NULL;
}

static void call_release_memory(struct rpc_call *c)
{
	if (c->auth != NULL)
		grpc_auth_context_release(c->auth);
	if (c->call != NULL)
		grpc_call_unref(c->call);
	grpc_call_details_destroy(&c->details);
	grpc_metadata_array_destroy(&c->metadata);
	grpc_byte_buffer_destroy(c->in);
	grpc_byte_buffer_destroy(c->out_buffer);
	grpc_slice_unref(c->request);
	grpc_slice_unref(c->out);
	grpc_slice_unref(c->status_text);
	for (size_t i = 0; i < c->n_trailers; i++)
		grpc_slice_unref(c->trailers[i].value);
	gpr_free(c->peer);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void call_unref(struct rpc_call *c)
{
	struct rpc_server *s = c->server;

	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	bool delivered = c->delivered;
	call_release_memory(c);
	/* Counted down last: the server waits for this before it takes the queue away. */
	pthread_mutex_lock(&s->lock);
	s->calls--;
	s->live -= delivered;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static struct rpc_call *call_new(struct rpc_server *s, size_t slot)
{
	struct rpc_call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->server = s;
	c->slot = slot;
	c->route = slot < s->o.n_routes ? &s->o.routes[slot] : NULL;
	for (int i = 0; i < EV_COUNT; i++)
		c->tags[i] = (struct rpc_tag){(enum rpc_event)i, c};
	atomic_init(&c->refs, 1);
	atomic_init(&c->cancelled, false);
	pthread_mutex_init(&c->lock, NULL);
	grpc_call_details_init(&c->details);
	grpc_metadata_array_init(&c->metadata);
	c->request = c->out = c->status_text = grpc_empty_slice();
	pthread_mutex_lock(&s->lock);
	s->calls++;
	pthread_mutex_unlock(&s->lock);
	return c;
}

/* Ask for one more call of this slot. Failure leaves one request fewer armed; the server stays alive. */
static bool arm(struct rpc_server *s, size_t slot)
{
	struct rpc_call *c = call_new(s, slot);
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
		call_unref(c);
	return e == GRPC_CALL_OK;
}

/* Start a batch whose tag holds a reference. The caller holds c->lock or is alone with the call. */
static bool batch(struct rpc_call *c, enum rpc_event event, const grpc_op *ops, size_t n)
{
	call_ref(c);
	TAG_RELEASE(&c->tags[event]);
	if (grpc_call_start_batch(c->call, ops, n, &c->tags[event], NULL) == GRPC_CALL_OK)
		return true;
	/* A bug of ours: no tag will come, and the client must not wait for ever. */
	grpc_call_cancel(c->call, NULL);
	atomic_store(&c->cancelled, true);
	atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel); /* never the last: the owner holds one */
	return false;
}

static size_t op_open(struct rpc_call *c, grpc_op *op)
{
	if (c->opened)
		return 0;
	c->opened = true;
	op->op = GRPC_OP_SEND_INITIAL_METADATA;
	return 1;
}

static size_t op_message(struct rpc_call *c, grpc_op *op)
{
	grpc_byte_buffer_destroy(c->out_buffer);
	c->out_buffer = grpc_raw_byte_buffer_create(&c->out, 1);
	op->op = GRPC_OP_SEND_MESSAGE;
	op->data.send_message.send_message = c->out_buffer;
	return 1;
}

/* c->lock is held; the status is set. */
static void start_done(struct rpc_call *c)
{
	grpc_op ops[3] = {0};
	size_t n = op_open(c, &ops[0]);

	if (c->has_out)
		n += op_message(c, &ops[n]);
	ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[n].data.send_status_from_server.status = c->status;
	ops[n].data.send_status_from_server.status_details = &c->status_text;
	ops[n].data.send_status_from_server.trailing_metadata = c->trailers;
	ops[n].data.send_status_from_server.trailing_metadata_count = c->n_trailers;
	batch(c, EV_DONE, ops, n + 1);
}

/* The first to finish gets true and holds the lock; finish_end() follows. */
static bool finish_begin(struct rpc_call *c)
{
	pthread_mutex_lock(&c->lock);
	if (!c->finished) {
		c->finished = true;
		return true;
	}
	pthread_mutex_unlock(&c->lock);
	return false;
}

static void finish_end(struct rpc_call *c)
{
	/* A message on its way goes first; the owner's reference is given up when the status follows it. */
	bool waits = c->sending;

	c->finish_waits = waits;
	if (!waits)
		start_done(c);
	pthread_mutex_unlock(&c->lock);
	if (!waits)
		call_unref(c);
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

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
	bool ok = batch(c, EV_CLOSE, &op, 1);
	pthread_mutex_unlock(&c->lock);
	if (ok)
		return;
	pthread_mutex_lock(&c->server->lock);
	streams_remove(c);
	pthread_mutex_unlock(&c->server->lock);
}

static void on_new(struct rpc_call *c, bool ok)
{
	struct rpc_server *s = c->server;
	bool stream = c->route != NULL && c->route->kind != RPC_UNARY;

	if (!ok) { /* the server is stopping */
		call_unref(c);
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

	call_ref(c);
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
	call_unref(c);
}

static void on_close(struct rpc_call *c)
{
	bool stream = c->route != NULL && c->route->kind != RPC_UNARY;

	if (c->close_flag)
		atomic_store(&c->cancelled, true);
	if (stream) {
		pthread_mutex_lock(&c->server->lock);
		streams_remove(c);
		pthread_mutex_unlock(&c->server->lock);
		c->route->handler->closed(c);
		rpc_drop(c);
	}
	call_unref(c);
}

static void on_sent(struct rpc_call *c, bool ok)
{
	pthread_mutex_lock(&c->lock);
	c->sending = false;
	bool finish = c->finish_waits;
	c->finish_waits = false;
	if (finish)
		start_done(c);
	pthread_mutex_unlock(&c->lock);
	if (finish)
		call_unref(c);
	else if (ok)
		c->route->handler->sent(c);
	call_unref(c);
}

static bool read_message(grpc_byte_buffer *in, grpc_slice *out)
{
	grpc_byte_buffer_reader r;
	bool ok = false;

	if (!grpc_byte_buffer_reader_init(&r, in))
		return false;
	/* Small messages arrive in one slice: no copy then. */
	if (grpc_byte_buffer_reader_next(&r, out)) {
		ok = GRPC_SLICE_LENGTH(*out) == grpc_byte_buffer_length(in);
		if (!ok)
			grpc_slice_unref(*out);
	}
	grpc_byte_buffer_reader_destroy(&r);
	if (ok)
		return true;
	if (!grpc_byte_buffer_reader_init(&r, in))
		return false;
	*out = grpc_byte_buffer_reader_readall(&r);
	grpc_byte_buffer_reader_destroy(&r);
	return true;
}

static void on_received(struct rpc_call *c, bool ok)
{
	grpc_byte_buffer *in = c->in;
	struct span m = {0};
	grpc_slice s;

	c->in = NULL;
	if (!ok || in == NULL || !read_message(in, &s)) {
		c->route->handler->message(c, NULL);
	} else {
		m = span_of(GRPC_SLICE_START_PTR(s), GRPC_SLICE_LENGTH(s));
		c->route->handler->message(c, &m);
		grpc_slice_unref(s);
	}
	grpc_byte_buffer_destroy(in);
	call_unref(c);
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
		call_unref(c);
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

/* ---- what handlers use ------------------------------------------------------------------------------------------- */

void *rpc_env(const struct rpc_call *c)
{
	return c->server->o.env;
}

const struct rpc_route *rpc_route_of(const struct rpc_call *c)
{
	return c->route;
}

const char *rpc_path(struct rpc_call *c)
{
	if (c->route != NULL)
		return c->route->path;
	size_t n = GRPC_SLICE_LENGTH(c->details.method);
	const uint8_t *p = GRPC_SLICE_START_PTR(c->details.method);

	if (n >= sizeof(c->path))
		n = sizeof(c->path) - 1;
	for (size_t i = 0; i < n; i++)
		c->path[i] = (char)(p[i] > 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\' ? p[i] : '?');
	c->path[n] = '\0';
	return c->path;
}

void rpc_set_user(struct rpc_call *c, void *user)
{
	c->user = user;
}

void *rpc_user(const struct rpc_call *c)
{
	return c->user;
}

bool rpc_request(struct rpc_call *c, struct span *out)
{
	if (c->in != NULL && !c->has_request)
		c->has_request = read_message(c->in, &c->request);
	if (c->has_request)
		*out = span_of(GRPC_SLICE_START_PTR(c->request), GRPC_SLICE_LENGTH(c->request));
	return c->has_request;
}

bool rpc_peer_pem(struct rpc_call *c, struct span *out)
{
	if (c->auth == NULL)
		c->auth = grpc_call_auth_context(c->call);
	if (c->auth == NULL || !grpc_auth_context_peer_is_authenticated(c->auth))
		return false;
	grpc_auth_property_iterator it =
	    grpc_auth_context_find_properties_by_name(c->auth, GRPC_X509_PEM_CERT_PROPERTY_NAME);
	const grpc_auth_property *p = grpc_auth_property_iterator_next(&it);

	if (p == NULL)
		return false;
	*out = span_of(p->value, p->value_length);
	return true;
}

const char *rpc_peer(struct rpc_call *c)
{
	if (c->peer == NULL)
		c->peer = grpc_call_get_peer(c->call);
	return c->peer != NULL ? c->peer : "";
}

bool rpc_cancelled(const struct rpc_call *c)
{
	return atomic_load(&c->cancelled);
}

int64_t rpc_left_ms(const struct rpc_call *c)
{
	return c->until == 0 ? INT64_MAX : c->until - clock_monotonic_ms();
}

uint8_t *rpc_reply_room(struct rpc_call *c, size_t n)
{
	grpc_slice_unref(c->out);
	c->out = grpc_slice_malloc(n);
	return GRPC_SLICE_START_PTR(c->out);
}

void rpc_reply(struct rpc_call *c)
{
	if (!finish_begin(c))
		return;
	c->has_out = true;
	c->status = GRPC_STATUS_OK;
	finish_end(c);
}

static void add_trailer(struct rpc_call *c, const char *key, const void *value, size_t len)
{
	c->trailers[c->n_trailers++] =
	    (grpc_metadata){.key = grpc_slice_from_static_string(key), .value = grpc_slice_from_copied_buffer(value, len)};
}

void rpc_refuse(struct rpc_call *c, const struct rpc_refusal *r)
{
	char retry[16];

	if (!finish_begin(c))
		return;
	c->status = (grpc_status_code)r->status;
	c->status_text = grpc_slice_from_copied_string(r->text);
	if (r->details.len != 0 && r->details.len <= RPC_DETAILS_MAX)
		add_trailer(c, "grpc-status-details-bin", r->details.ptr, r->details.len);
	if (r->retry_ms != 0)
		add_trailer(c, "retry-after-ms", retry, (size_t)snprintf(retry, sizeof(retry), "%u", r->retry_ms));
	finish_end(c);
}

void rpc_drop(struct rpc_call *c)
{
	if (!finish_begin(c))
		return;
	pthread_mutex_unlock(&c->lock);
	call_unref(c);
}

bool rpc_receive(struct rpc_call *c)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &c->in};

	pthread_mutex_lock(&c->lock);
	bool ok = !c->finished && batch(c, EV_RECEIVED, &op, 1);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

bool rpc_send(struct rpc_call *c, struct span message)
{
	grpc_op ops[2] = {0};

	pthread_mutex_lock(&c->lock);
	bool ok = !c->finished && !c->sending;
	if (ok) {
		grpc_slice_unref(c->out);
		c->out = grpc_slice_from_copied_buffer((const char *)message.ptr, message.len);
		size_t n = op_open(c, &ops[0]);
		n += op_message(c, &ops[n]);
		ok = c->sending = batch(c, EV_SENT, ops, n);
	}
	pthread_mutex_unlock(&c->lock);
	return ok;
}

void rpc_end(struct rpc_call *c)
{
	rpc_refuse(c, &(struct rpc_refusal){.status = GRPC_STATUS_OK, .text = ""});
}

/* ---- start and stop ---------------------------------------------------------------------------------------------- */

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
			call_ref(c);
			some[n++] = c;
			streams_remove(c);
		}
		pthread_mutex_unlock(&s->lock);
		if (n == 0)
			return;
		for (size_t i = 0; i < n; i++) {
			s->o.refuse(some[i], ERR_STOPPING);
			call_unref(some[i]);
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

unsigned rpc_live(struct rpc_server *s)
{
	pthread_mutex_lock(&s->lock);
	unsigned n = s->live;
	pthread_mutex_unlock(&s->lock);
	return n;
}
