#include "server/verify_stream.h"

#include "server/convert.h"
#include "server/dispatch.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/peers.h"
#include "server/refusal.h"
#include "yinzheng/v1/verification.pb-c.h"
#include <pthread.h>
#include <stdlib.h>

/* One lock for all streams: it is held to count and to pass on, never while a document is judged. */
struct verify_streams {
	pthread_mutex_t lock;
	unsigned open;
};

struct answer {
	struct answer *next;
	uint8_t *bytes;
	size_t len, request_len;
};

/* Freed when it is closed and its last job has come back. */
struct stream {
	struct service *service;
	const struct method *method;
	struct rpc_call *rpc; /* NULL when closed */
	struct peer_evidence caller;
	uint8_t *caller_bytes; /* what its views look at */
	unsigned jobs;         /* at work */
	unsigned taken;        /* at work or not yet sent */
	size_t taken_bytes;    /* their requests */
	bool receiving, ended, sending;
	struct answer *first, **last;
};

struct document {
	struct job job;
	struct stream *stream;
	uint8_t *bytes;
	size_t len;
	struct app *app;
	struct peer *peer;
	struct arena *arena;
	struct answer *answer;
	enum err fatal; /* of the whole stream */
	struct err_note note;
};

static struct verify_streams *streams_of(const struct stream *s)
{
	return s->service->verify_streams;
}

/* ---- passing on; the lock is held ----------------------------------------------------------- */

static void receive_more(struct stream *s)
{
	if (s->rpc == NULL || s->receiving || s->ended || s->taken >= STREAM_WINDOW || s->taken_bytes >= STREAM_BYTES)
		return;
	s->receiving = rpc_receive(s->rpc);
}

static void send_next(struct stream *s)
{
	struct answer *a = s->first;

	if (s->rpc == NULL || s->sending)
		return;
	if (a == NULL) {
		if (s->ended && s->taken == 0)
			rpc_end(s->rpc);
		return;
	}
	s->sending = rpc_send(s->rpc, span_of(a->bytes, a->len));
	s->first = a->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->taken--;
	s->taken_bytes -= a->request_len;
	free(a->bytes);
	free(a);
}

static void stream_unref(struct stream *s)
{
	if (s->rpc != NULL || s->jobs != 0)
		return;
	while (s->first != NULL) {
		struct answer *a = s->first;
		s->first = a->next;
		free(a->bytes);
		free(a);
	}
	streams_of(s)->open--;
	free(s->caller_bytes);
	free(s);
}

/* ---- one document, on a worker -------------------------------------------------------------- */

static enum err pack(struct document *d, const Y(VerifyStreamReply) * r)
{
	struct answer *a = calloc(1, sizeof(*a));
	size_t n = yinzheng__v1__verify_stream_reply__get_packed_size(r);

	if (a == NULL)
		return ERR_NO_MEMORY;
	a->bytes = malloc(n + 1);
	if (a->bytes == NULL) {
		free(a);
		return ERR_NO_MEMORY;
	}
	a->len = yinzheng__v1__verify_stream_reply__pack(r, a->bytes);
	a->request_len = d->len;
	d->answer = a;
	return ERR_OK;
}

static enum err answer_refused(struct document *d, const char *id, enum err e, const struct err_note *note)
{
	Y(VerifyStreamReply) r = YINZHENG__V1__VERIFY_STREAM_REPLY__INIT;
	Y(Refusal) refusal = YINZHENG__V1__REFUSAL__INIT;
	struct err_note n = note->code == e ? *note : (struct err_note){.code = e};

	refusal.reason = (char *)(uintptr_t)err_name(e);
	refusal.field = n.field;
	refusal.help = (char *)(uintptr_t)err_note_text(&n);
	r.id = (char *)(uintptr_t)id;
	r.refusal = &refusal;
	return pack(d, &r);
}

static enum err judge(struct desk_call *call, const Y(VerifyStreamRequest) * q, ProtobufCMessage **reply)
{
	enum err e;

	if (q->request == NULL)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "request", NULL);
	e = decode_verify(call, &q->request->base);
	if (e == ERR_OK)
		e = desk_begin(call, &use_verify);
	if (e == ERR_OK)
		e = encode_verify(call, reply);
	return e == ERR_OK ? conv_complete(call) : e;
}

static enum err answer(struct document *d, struct desk_call *call, const Y(VerifyStreamRequest) * q)
{
	Y(VerifyStreamReply) r = YINZHENG__V1__VERIFY_STREAM_REPLY__INIT;
	ProtobufCMessage *reply = NULL;
	enum err e = judge(call, q, &reply);

	if (e != ERR_OK)
		return answer_refused(d, q->id, e, &call->note);
	r.id = q->id;
	r.reply = (void *)reply;
	return pack(d, &r);
}

/* What it answers ends the stream. */
static enum err work(struct document *d)
{
	const struct stream *s = d->stream;
	struct desk_call call = {.desk = d->app->desk, .arena = d->arena};
	ProtobufCMessage *m;
	enum err e;

	if (d->arena == NULL)
		return ERR_NO_MEMORY;
	e = peers_find(s->service, d->app, &s->caller, &d->peer);
	if (e == ERR_OK)
		e = wire_unpack(d->arena, DESC(verify_stream_request), span_of(d->bytes, d->len), &m, &d->note);
	if (e != ERR_OK)
		return e;
	call.caller = *peer_principal(d->peer);
	const Y(VerifyStreamRequest) *q = (const void *)m;
	size_t n = strlen(q->id);
	if (n == 0 || n > STREAM_ID_MAX)
		return err_note_set(&d->note, n == 0 ? ERR_FIELD_MISSING : ERR_FIELD_TOO_LONG, "id", NULL);
	return answer(d, &call, q);
}

static void document_free(struct document *d)
{
	arena_free(d->arena);
	peer_unref(d->peer);
	app_unref(d->app);
	free(d->bytes);
	free(d);
}

static void refuse_stream(struct rpc_call *c, enum err e, const struct err_note *note)
{
	log_event(LOG_INFO, "call", LOG_TEXT("method", rpc_path(c)), LOG_TEXT("reason", err_name(e)),
	          LOG_TEXT("peer", rpc_peer(c)));
	metrics_refused(e);
	refuse_call(c, e, note);
}

static void settle(struct document *d)
{
	struct stream *s = d->stream;
	struct verify_streams *all = streams_of(s);

	pthread_mutex_lock(&all->lock);
	s->jobs--;
	if (d->answer != NULL) {
		*s->last = d->answer;
		s->last = &d->answer->next;
		send_next(s);
	} else if (s->rpc != NULL && d->fatal != ERR_OK) {
		refuse_stream(s->rpc, d->fatal, &d->note);
	}
	receive_more(s);
	stream_unref(s);
	pthread_mutex_unlock(&all->lock);
	document_free(d);
}

static bool is_closed(struct stream *s)
{
	struct verify_streams *all = streams_of(s);

	pthread_mutex_lock(&all->lock);
	bool closed = s->rpc == NULL;
	pthread_mutex_unlock(&all->lock);
	return closed;
}

static void run(struct job *j)
{
	struct document *d = (struct document *)j;
	struct service *s = d->stream->service;

	if (!is_closed(d->stream)) {
		d->arena = arena_new(d->stream->method->budget);
		d->app = service_app(s);
		d->fatal = work(d);
	}
	settle(d);
}

/* ---- on gRPC's threads ---------------------------------------------------------------------- */

static struct stream *stream_new(struct rpc_call *c, const struct peer_evidence *caller)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->caller_bytes = malloc(caller->pem.len + caller->header.len + 1);
	if (s->caller_bytes == NULL) {
		free(s);
		return NULL;
	}
	s->caller = *caller;
	s->caller.pem.ptr = memcpy(s->caller_bytes, caller->pem.ptr, caller->pem.len);
	if (caller->header.len != 0)
		memcpy(s->caller_bytes + caller->pem.len, caller->header.ptr, caller->header.len);
	s->caller.header.ptr = s->caller_bytes + caller->pem.len;
	s->service = rpc_env(c);
	s->method = rpc_route_of(c)->row;
	s->rpc = c;
	s->last = &s->first;
	return s;
}

static enum err open_stream(struct rpc_call *c)
{
	struct verify_streams *all = ((struct service *)rpc_env(c))->verify_streams;
	struct peer_evidence caller;
	struct stream *s;
	enum err e = peers_evidence(c, &caller);

	if (e != ERR_OK)
		return e;
	s = stream_new(c, &caller);
	if (s == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_lock(&all->lock);
	if (all->open < STREAMS_MAX) {
		all->open++;
		rpc_set_user(c, s);
		receive_more(s);
	} else {
		e = ERR_OVERLOADED;
	}
	pthread_mutex_unlock(&all->lock);
	if (e != ERR_OK) {
		free(s->caller_bytes);
		free(s);
	}
	return e;
}

static void stream_start(struct rpc_call *c)
{
	enum err e = open_stream(c);

	if (e != ERR_OK)
		refuse_stream(c, e, NULL);
}

static struct document *document_new(const struct span *m)
{
	struct document *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->bytes = malloc(m->len + 1);
	if (d->bytes == NULL) {
		free(d);
		return NULL;
	}
	memcpy(d->bytes, m->ptr, m->len);
	d->len = m->len;
	d->job.run = run;
	return d;
}

/* A full queue ends the stream as it refuses a call: what was not answered is asked again later. */
static enum err take(struct stream *s, struct document *d)
{
	enum err e;

	d->stream = s;
	s->jobs++;
	s->taken++;
	s->taken_bytes += d->len;
	e = workers_submit(s->service->workers, &d->job, CLASS_READ);
	if (e == ERR_OK)
		return ERR_OK;
	s->jobs--;
	s->taken--;
	s->taken_bytes -= d->len;
	return e;
}

static enum err on_document(struct stream *s, const struct span *m)
{
	struct document *d;
	enum err e;

	if (m->len > s->method->max_request)
		return ERR_TOO_LARGE;
	d = document_new(m);
	if (d == NULL)
		return ERR_NO_MEMORY;
	e = take(s, d);
	if (e != ERR_OK)
		document_free(d);
	return e;
}

static void stream_message(struct rpc_call *c, const struct span *m)
{
	struct verify_streams *all = ((struct service *)rpc_env(c))->verify_streams;
	enum err e = ERR_OK;

	pthread_mutex_lock(&all->lock);
	struct stream *s = rpc_user(c);
	if (s != NULL) { /* else closed() was faster */
		s->receiving = false;
		if (m == NULL)
			s->ended = true;
		else
			e = on_document(s, m);
		if (e != ERR_OK)
			refuse_stream(c, e, NULL);
		else if (s->ended)
			send_next(s);
		else
			receive_more(s);
	}
	pthread_mutex_unlock(&all->lock);
}

static void stream_sent(struct rpc_call *c)
{
	struct verify_streams *all = ((struct service *)rpc_env(c))->verify_streams;

	pthread_mutex_lock(&all->lock);
	struct stream *s = rpc_user(c);
	if (s != NULL) {
		s->sending = false;
		send_next(s);
		receive_more(s);
	}
	pthread_mutex_unlock(&all->lock);
}

static void stream_closed(struct rpc_call *c)
{
	struct verify_streams *all = ((struct service *)rpc_env(c))->verify_streams;

	pthread_mutex_lock(&all->lock);
	struct stream *s = rpc_user(c);
	if (s != NULL) {
		rpc_set_user(c, NULL);
		s->rpc = NULL;
		stream_unref(s);
	}
	pthread_mutex_unlock(&all->lock);
}

const struct rpc_handler verify_stream_handler = {
    .start = stream_start, .message = stream_message, .sent = stream_sent, .closed = stream_closed};

/* ---- all of them ---------------------------------------------------------------------------- */

enum err verify_streams_new(struct verify_streams **out)
{
	struct verify_streams *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return ERR_OK;
}

void verify_streams_free(struct verify_streams *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}
