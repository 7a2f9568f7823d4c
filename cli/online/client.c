#include "cli/online/client_grpc.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yinzheng/v1/common.pb-c.h"

enum { RETRY_FIRST_MS = 100, RETRY_HINT_MAX = 24 * 3600 * 1000 };

struct client {
	grpc_completion_queue *cq;
	grpc_channel *channel;
	int64_t timeout_ms;
};

static char *pem_text(struct span s)
{
	char *t = calloc(1, s.len + 1);

	if (t != NULL && s.len != 0)
		memcpy(t, s.ptr, s.len);
	return t;
}

static grpc_channel_credentials *credentials(const struct client_options *o)
{
	char *ca = pem_text(o->ca), *cert = pem_text(o->cert), *key = pem_text(o->key);
	grpc_ssl_pem_key_cert_pair pair = {key, cert};
	grpc_channel_credentials *creds = NULL;

	if (ca != NULL && cert != NULL && key != NULL)
		creds = grpc_ssl_credentials_create_ex(ca, &pair, NULL, NULL);
	if (key != NULL)
		explicit_bzero(key, o->key.len);
	free(ca);
	free(cert);
	free(key);
	return creds;
}

/* A server on this machine: gRPC would ask the proxy of the environment (http_proxy) for it too. */
static bool is_local(const char *server)
{
	static const char *const start[] = {"localhost:", "127.", "[::1]", "unix:"};

	for (size_t i = 0; i < sizeof(start) / sizeof(start[0]); i++)
		if (strncmp(server, start[i], strlen(start[i])) == 0)
			return true;
	return false;
}

grpc_channel *client_channel(const struct client_options *o, bool alone)
{
	grpc_arg arg[] = {
	    {GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_HTTP_PROXY, {.integer = !is_local(o->server)}},
	    {GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, {.integer = CLIENT_MESSAGE_MAX}},
	    {GRPC_ARG_INTEGER, (char *)GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, {.integer = RETRY_FIRST_MS}},
	    {GRPC_ARG_INTEGER, (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, {.integer = alone}},
	};
	grpc_channel_args args = {sizeof(arg) / sizeof(arg[0]), arg};
	grpc_channel_credentials *creds = credentials(o);
	grpc_channel *channel;

	if (creds == NULL)
		return NULL;
	channel = grpc_channel_create(o->server, creds, &args);
	grpc_channel_credentials_release(creds);
	return channel;
}

enum err client_open(const struct client_options *o, struct client **out)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_NO_MEMORY;
	grpc_init();
	c->channel = client_channel(o, false);
	if (c->channel == NULL) {
		grpc_shutdown();
		free(c);
		return ERR_NO_MEMORY;
	}
	c->timeout_ms = o->timeout_ms;
	c->cq = grpc_completion_queue_create_for_pluck(NULL);
	*out = c;
	return ERR_OK;
}

void client_close(struct client *c)
{
	if (c == NULL)
		return;
	grpc_channel_destroy(c->channel);
	grpc_completion_queue_shutdown(c->cq);
	(void)grpc_completion_queue_pluck(c->cq, NULL, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	grpc_completion_queue_destroy(c->cq);
	grpc_shutdown();
	free(c);
}

bool unary_start(struct unary *u, grpc_call *call, grpc_byte_buffer *out, uint32_t flags, void *tag)
{
	grpc_op ops[6];

	memset(ops, 0, sizeof(ops));
	*u = (struct unary){.call = call, .out = out, .status = GRPC_STATUS_UNKNOWN, .details = grpc_empty_slice()};
	grpc_metadata_array_init(&u->initial);
	grpc_metadata_array_init(&u->trailing);
	ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[0].flags = flags;
	ops[1].op = GRPC_OP_SEND_MESSAGE;
	ops[1].data.send_message.send_message = u->out;
	ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &u->initial;
	ops[4].op = GRPC_OP_RECV_MESSAGE;
	ops[4].data.recv_message.recv_message = &u->in;
	ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	ops[5].data.recv_status_on_client.trailing_metadata = &u->trailing;
	ops[5].data.recv_status_on_client.status = &u->status;
	ops[5].data.recv_status_on_client.status_details = &u->details;
	TAG_RELEASE(tag);
	return grpc_call_start_batch(call, ops, 6, tag, NULL) == GRPC_CALL_OK;
}

void unary_release(struct unary *u)
{
	grpc_call_unref(u->call);
	grpc_byte_buffer_destroy(u->out);
	if (u->in != NULL)
		grpc_byte_buffer_destroy(u->in);
	grpc_metadata_array_destroy(&u->initial);
	grpc_metadata_array_destroy(&u->trailing);
	grpc_slice_unref(u->details);
}

static enum err exchange(struct client *c, const char *path, struct span request, struct unary *u)
{
	gpr_timespec deadline =
	    gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(c->timeout_ms, GPR_TIMESPAN));
	grpc_slice body = grpc_slice_from_copied_buffer((const char *)request.ptr, request.len);
	grpc_slice method = grpc_slice_from_copied_string(path);
	grpc_call *call =
	    grpc_channel_create_call(c->channel, NULL, GRPC_PROPAGATE_DEFAULTS, c->cq, method, NULL, deadline, NULL);
	bool started = unary_start(u, call, grpc_raw_byte_buffer_create(&body, 1), 0, u);

	grpc_slice_unref(body);
	grpc_slice_unref(method);
	if (!started)
		return ERR_INTERNAL;
	(void)grpc_completion_queue_pluck(c->cq, u, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	return ERR_OK;
}

static struct span slice_span(const grpc_slice *s)
{
	return span_of(GRPC_SLICE_START_PTR(*s), GRPC_SLICE_LENGTH(*s));
}

static void *take(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void give_back(void *arena, void *p)
{
}

static ProtobufCMessage *unpack(struct arena *a, const ProtobufCMessageDescriptor *d, struct span bytes)
{
	ProtobufCAllocator in_arena = {take, give_back, a};

	return protobuf_c_message_unpack(d, &in_arena, bytes.len, bytes.ptr);
}

/* What a status means when no Refusal came with it: the transport itself failed. */
static const char *transport_reason(grpc_status_code status)
{
	switch (status) {
	case GRPC_STATUS_UNAVAILABLE:
		return "SERVER_UNREACHABLE";
	case GRPC_STATUS_DEADLINE_EXCEEDED:
		return "DEADLINE";
	case GRPC_STATUS_RESOURCE_EXHAUSTED:
		return "TOO_LARGE";
	case GRPC_STATUS_UNAUTHENTICATED:
		return "PRINCIPAL_UNKNOWN";
	case GRPC_STATUS_UNIMPLEMENTED:
		return "UNIMPLEMENTED";
	case GRPC_STATUS_CANCELLED:
		return "CANCELLED";
	default:
		return "INTERNAL";
	}
}

static const Yinzheng__V1__Refusal *find_refusal(struct arena *a, const grpc_metadata_array *trailing)
{
	const Yinzheng__V1__Status *st;
	size_t i;

	for (i = 0; i < trailing->count; i++) {
		if (grpc_slice_str_cmp(trailing->metadata[i].key, "grpc-status-details-bin") != 0)
			continue;
		st = (const Yinzheng__V1__Status *)unpack(a, &yinzheng__v1__status__descriptor,
		                                          slice_span(&trailing->metadata[i].value));
		if (st == NULL || st->n_details == 0)
			return NULL;
		return (const Yinzheng__V1__Refusal *)unpack(a, &yinzheng__v1__refusal__descriptor,
		                                             span_of(st->details[0]->value.data, st->details[0]->value.len));
	}
	return NULL;
}

/* The trailer retry-after-ms; 0 when there is none or it is no sensible number. */
static unsigned find_retry(const grpc_metadata_array *trailing)
{
	for (size_t i = 0; i < trailing->count; i++) {
		struct span text = slice_span(&trailing->metadata[i].value);
		unsigned n = 0;

		if (grpc_slice_str_cmp(trailing->metadata[i].key, "retry-after-ms") != 0)
			continue;
		for (size_t k = 0; k < text.len && n <= RETRY_HINT_MAX; k++) {
			if (text.ptr[k] < '0' || text.ptr[k] > '9')
				return 0;
			n = n * 10 + (unsigned)(text.ptr[k] - '0');
		}
		return n <= RETRY_HINT_MAX ? n : 0;
	}
	return 0;
}

void client_explain(struct arena *a, grpc_status_code status, const grpc_metadata_array *trailing,
                    const grpc_slice *text, struct refusal *why)
{
	const Yinzheng__V1__Refusal *r = find_refusal(a, trailing);
	struct span details = slice_span(text);

	why->retry_ms = find_retry(trailing);
	if (r != NULL) {
		snprintf(why->reason, sizeof(why->reason), "%s", r->reason);
		snprintf(why->field, sizeof(why->field), "%s", r->field);
		snprintf(why->help, sizeof(why->help), "%s", r->help);
		return;
	}
	why->field[0] = '\0';
	snprintf(why->reason, sizeof(why->reason), "%s", transport_reason(status));
	snprintf(why->help, sizeof(why->help), "%.*s", (int)(details.len < 300 ? details.len : 300),
	         (const char *)details.ptr);
}

static enum err read_reply(struct arena *a, struct unary *x, const ProtobufCMessageDescriptor *d,
                           ProtobufCMessage **reply)
{
	grpc_byte_buffer_reader reader;
	grpc_slice all;

	if (x->in == NULL || !grpc_byte_buffer_reader_init(&reader, x->in))
		return ERR_MESSAGE_INVALID;
	all = grpc_byte_buffer_reader_readall(&reader);
	*reply = unpack(a, d, slice_span(&all));
	grpc_slice_unref(all);
	grpc_byte_buffer_reader_destroy(&reader);
	return *reply != NULL ? ERR_OK : ERR_MESSAGE_INVALID;
}

static enum err call_once(struct client *c, struct arena *a, const char *path, struct span request,
                          const ProtobufCMessageDescriptor *out, ProtobufCMessage **reply, struct refusal *why,
                          bool *again)
{
	struct unary x;
	enum err e = exchange(c, path, request, &x);

	*again = false;
	if (e == ERR_OK && x.status == GRPC_STATUS_OK) {
		e = read_reply(a, &x, out, reply);
		if (e != ERR_OK)
			snprintf(why->reason, sizeof(why->reason), "%s", err_name(e));
	} else if (e == ERR_OK) {
		client_explain(a, x.status, &x.trailing, &x.details, why);
		*again = x.status == GRPC_STATUS_UNAVAILABLE;
		e = ERR_SERVER_UNREACHABLE;
	}
	unary_release(&x);
	return e;
}

static void wait_ms(int64_t ms)
{
	gpr_sleep_until(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN)));
}

enum err client_call(struct client *c, struct arena *a, const ProtobufCServiceDescriptor *service, const char *method,
                     const ProtobufCMessage *request, ProtobufCMessage **reply, struct refusal *why)
{
	const ProtobufCMethodDescriptor *m = protobuf_c_service_descriptor_get_method_by_name(service, method);
	size_t len = protobuf_c_message_get_packed_size(request);
	uint8_t *bytes = arena_alloc(a, len);
	char path[160];
	bool again = true;
	enum err e = ERR_INTERNAL;

	memset(why, 0, sizeof(*why));
	snprintf(why->reason, sizeof(why->reason), "INTERNAL");
	if (m == NULL || bytes == NULL || request->descriptor != m->input)
		return ERR_INTERNAL;
	protobuf_c_message_pack(request, bytes);
	snprintf(path, sizeof(path), "/%s/%s", service->name, method);
	for (int attempt = 1; again && attempt <= CLIENT_ATTEMPTS; attempt++) {
		if (attempt > 1)
			wait_ms(RETRY_FIRST_MS << attempt);
		e = call_once(c, a, path, span_of(bytes, len), m->output, reply, why, &again);
	}
	return e;
}
