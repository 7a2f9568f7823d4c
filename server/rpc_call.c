/* One call: its references, batches and end, and what handlers may do with it. */
#include "server/rpc_internal.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t rpc_micros(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- a call's life -------------------------------------------------------------------------- */

void rpc_call_ref(struct rpc_call *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
}

void rpc_streams_remove(struct rpc_call *c)
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

/* The server is freed as soon as it stops and has no calls: outside of the lock it must not be touched after counting
 * down. While it stops, the lock makes sure that it is still there. */
static void count_down(struct rpc_server *s, bool delivered)
{
	bool stopping = atomic_load(&s->stopping);

	if (stopping)
		pthread_mutex_lock(&s->lock);
	if (delivered)
		atomic_fetch_sub(&s->live, 1);
	if (stopping)
		pthread_cond_broadcast(&s->changed);
	atomic_fetch_sub(&s->calls, 1);
	if (stopping)
		pthread_mutex_unlock(&s->lock);
}

void rpc_call_unref(struct rpc_call *c)
{
	struct rpc_server *s = c->server;

	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	bool delivered = c->delivered;
	call_release_memory(c);
	count_down(s, delivered);
}

struct rpc_call *rpc_call_new(struct rpc_poller *p, size_t slot)
{
	struct rpc_call *c = calloc(1, sizeof(*c));
	struct rpc_server *s = p->server;

	if (c == NULL)
		return NULL;
	c->server = s;
	c->poller = p;
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
	atomic_fetch_add(&s->calls, 1);
	return c;
}

bool rpc_batch(struct rpc_call *c, enum rpc_event event, const grpc_op *ops, size_t n)
{
	rpc_call_ref(c);
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

void rpc_start_done(struct rpc_call *c)
{
	grpc_op ops[4] = {0};
	size_t n = op_open(c, &ops[0]);

	if (c->has_out)
		n += op_message(c, &ops[n]);
	if (c->close_with_done) {
		ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
		ops[n++].data.recv_close_on_server.cancelled = &c->close_flag;
	}
	ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[n].data.send_status_from_server.status = c->status;
	ops[n].data.send_status_from_server.status_details = &c->status_text;
	ops[n].data.send_status_from_server.trailing_metadata = c->trailers;
	ops[n].data.send_status_from_server.trailing_metadata_count = c->n_trailers;
	rpc_batch(c, EV_DONE, ops, n + 1);
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
	c->server->o.observe(c, (int)c->status, (uint64_t)(rpc_micros() - c->began));
	if (!waits)
		rpc_start_done(c);
	pthread_mutex_unlock(&c->lock);
	if (!waits)
		rpc_call_unref(c);
}

bool rpc_read_message(grpc_byte_buffer *in, grpc_slice *out)
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

/* ---- what handlers use ---------------------------------------------------------------------- */

void *rpc_env(const struct rpc_call *c)
{
	return c->server->o.env;
}

bool rpc_gateway(const struct rpc_call *c)
{
	return c->server->o.gateway;
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
		c->has_request = rpc_read_message(c->in, &c->request);
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

unsigned rpc_header(const struct rpc_call *c, const char *key, struct span *first)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->metadata.count; i++) {
		const grpc_metadata *m = &c->metadata.metadata[i];

		if (grpc_slice_str_cmp(m->key, key) == 0 && n++ == 0)
			*first = span_of(GRPC_SLICE_START_PTR(m->value), GRPC_SLICE_LENGTH(m->value));
	}
	return n;
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
	c->server->o.observe(c, GRPC_STATUS_CANCELLED, (uint64_t)(rpc_micros() - c->began));
	pthread_mutex_unlock(&c->lock);
	rpc_call_unref(c);
}

bool rpc_receive(struct rpc_call *c)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &c->in};

	pthread_mutex_lock(&c->lock);
	bool ok = !c->finished && rpc_batch(c, EV_RECEIVED, &op, 1);
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
		ok = c->sending = rpc_batch(c, EV_SENT, ops, n);
	}
	pthread_mutex_unlock(&c->lock);
	return ok;
}

void rpc_end(struct rpc_call *c)
{
	rpc_refuse(c, &(struct rpc_refusal){.status = GRPC_STATUS_OK, .text = ""});
}
