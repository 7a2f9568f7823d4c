#include "server/verify_stream.h"

#include "server/convert.h"
#include "server/dispatch.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/peers.h"
#include "server/refusal.h"
#include "verify/ahead.h"
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

/* Freed when it is closed and its last turn is over. */
struct stream {
	struct service *service;
	const struct method *method;
	struct rpc_call *rpc; /* NULL when closed */
	struct peer_evidence caller;
	uint8_t *caller_bytes; /* what its views look at */
	unsigned turns;        /* queued or at work */
	bool called;           /* a turn is queued */
	unsigned taken;        /* documents that wait, are at work or not yet sent */
	size_t taken_bytes;    /* their requests */
	bool receiving, ended, sending;
	struct document *waiting, **last_waiting;
	unsigned n_waiting;
	struct answer *first, **last;
};

/* A worker's turn for a stream: its share of the documents that wait by then. One at most is queued, so that a stream
 * with many documents keeps no other call waiting. */
struct turn {
	struct job job;
	struct stream *stream;
};

struct document {
	struct document *next;
	struct stream *stream;
	uint8_t *bytes;
	size_t len;
	struct app *app;
	struct peer *peer;
	struct arena *arena;
	const Y(VerifyStreamRequest) * request; /* NULL: not to be judged */
	struct answer *answer;
	enum err fatal; /* of the whole stream */
	struct err_note note;
};

static void run(struct job *j);

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

static void document_free(struct document *d)
{
	arena_free(d->arena);
	peer_unref(d->peer);
	app_unref(d->app);
	free(d->bytes);
	free(d);
}

static void documents_free(struct document *list)
{
	while (list != NULL) {
		struct document *d = list;
		list = d->next;
		document_free(d);
	}
}

static void stream_unref(struct stream *s)
{
	if (s->rpc != NULL || s->turns != 0)
		return;
	while (s->first != NULL) {
		struct answer *a = s->first;
		s->first = a->next;
		free(a->bytes);
		free(a);
	}
	documents_free(s->waiting);
	streams_of(s)->open--;
	free(s->caller_bytes);
	free(s);
}

/* ---- documents, on a worker ------------------------------------------------------------------ */

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

static enum err judge(struct desk_call *call, const Y(VerifyStreamRequest) * q, const struct sm2_ahead *ahead,
                      ProtobufCMessage **reply)
{
	enum err e;

	if (q->request == NULL)
		return err_note_set(&call->note, ERR_FIELD_MISSING, "request", NULL);
	e = decode_verify(call, &q->request->base);
	if (e == ERR_OK)
		((struct verify_request *)call->req)->ahead = ahead;
	if (e == ERR_OK)
		e = desk_begin(call, &use_verify);
	if (e == ERR_OK)
		e = encode_verify(call, reply);
	return e == ERR_OK ? conv_complete(call) : e;
}

/* What it answers ends the stream. */
static enum err answer(struct document *d, const struct sm2_ahead *ahead)
{
	const Y(VerifyStreamRequest) *q = d->request;
	struct desk_call call = {.desk = d->app->desk, .arena = d->arena, .caller = *peer_principal(d->peer)};
	Y(VerifyStreamReply) r = YINZHENG__V1__VERIFY_STREAM_REPLY__INIT;
	ProtobufCMessage *reply = NULL;
	enum err e = judge(&call, q, ahead, &reply);

	if (e != ERR_OK)
		return answer_refused(d, q->id, e, &call.note);
	r.id = q->id;
	r.reply = (void *)reply;
	return pack(d, &r);
}

/* Who asks, and what. What it answers ends the stream. */
static enum err open_document(struct document *d)
{
	const struct stream *s = d->stream;
	const Y(VerifyStreamRequest) * q;
	ProtobufCMessage *m;
	enum err e;
	size_t n;

	d->arena = arena_new(s->method->budget);
	d->app = service_app(s->service);
	if (d->arena == NULL)
		return ERR_NO_MEMORY;
	e = peers_find(s->service, d->app, &s->caller, &d->peer);
	if (e == ERR_OK)
		e = wire_unpack(d->arena, DESC(verify_stream_request), span_of(d->bytes, d->len), &m, &d->note);
	if (e != ERR_OK)
		return e;
	q = (const void *)m;
	n = strlen(q->id);
	if (n == 0 || n > STREAM_ID_MAX)
		return err_note_set(&d->note, n == 0 ? ERR_FIELD_MISSING : ERR_FIELD_TOO_LONG, "id", NULL);
	d->request = q;
	return ERR_OK;
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
	if (d->answer != NULL) {
		*s->last = d->answer;
		s->last = &d->answer->next;
		send_next(s);
	} else if (s->rpc != NULL && d->fatal != ERR_OK) {
		refuse_stream(s->rpc, d->fatal, &d->note);
	}
	receive_more(s);
	pthread_mutex_unlock(&all->lock);
}

static bool is_closed(struct stream *s)
{
	struct verify_streams *all = streams_of(s);

	pthread_mutex_lock(&all->lock);
	bool closed = s->rpc == NULL;
	pthread_mutex_unlock(&all->lock);
	return closed;
}

/* What is signed in several small documents is verified together (verify/ahead.h). NULL: nothing is. */
static struct verify_ahead *collect(struct document *list)
{
	struct verify_ahead *h = list->next != NULL && list->request != NULL ? desk_verify_ahead(list->app->desk) : NULL;

	for (struct document *d = list; h != NULL && d != NULL; d = d->next)
		if (d->request != NULL && d->request->request != NULL)
			verify_ahead_add(h, span_of(d->request->request->document.data, d->request->request->document.len));
	return h;
}

/* Answers go out one by one; the documents stay until the last is judged, since what was verified looks at them. */
static void judge_all(struct document *list)
{
	struct verify_ahead *values;
	const struct sm2_ahead *ahead;

	for (struct document *d = list; d != NULL; d = d->next)
		if (!is_closed(d->stream))
			d->fatal = open_document(d);
	values = collect(list);
	ahead = verify_ahead_run(values);
	for (struct document *d = list; d != NULL; d = d->next) {
		if (d->request != NULL && !is_closed(d->stream))
			d->fatal = answer(d, ahead);
		settle(d);
	}
	verify_ahead_free(values);
}

/* A part of what waits, as many as leave enough for the other workers; a large document goes alone. The lock is held.
 */
static struct document *take_share(struct stream *s, unsigned workers)
{
	struct document *list = s->waiting, **end = &s->waiting;
	unsigned share = s->n_waiting / workers;

	for (unsigned n = 0; *end != NULL && (n == 0 || n < share); n++) {
		if (n != 0 && ((*end)->len > STREAM_SMALL || list->len > STREAM_SMALL))
			break;
		end = &(*end)->next;
		s->n_waiting--;
	}
	s->waiting = *end;
	*end = NULL;
	if (s->waiting == NULL)
		s->last_waiting = &s->waiting;
	return list;
}

/* When something waits and nobody was called for it. Streams are bounded by their number and each by its window, so
 * that one which was let in is not cut off because others are too many. The lock is held. */
static enum err call_worker(struct stream *s)
{
	struct turn *t;
	enum err e;

	if (s->waiting == NULL || s->called || s->rpc == NULL)
		return ERR_OK;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ERR_NO_MEMORY;
	t->job.run = run;
	t->stream = s;
	e = workers_share(s->service->workers, &t->job, CLASS_READ);
	if (e != ERR_OK) {
		free(t);
		return e;
	}
	s->called = true;
	s->turns++;
	return ERR_OK;
}

/* The lock is held. */
static void end_turn(struct stream *s)
{
	enum err e = call_worker(s);

	if (e != ERR_OK)
		refuse_stream(s->rpc, e, NULL);
	s->turns--;
	stream_unref(s);
}

static void run(struct job *j)
{
	struct turn *t = (struct turn *)j;
	struct stream *s = t->stream;
	struct verify_streams *all = streams_of(s);
	struct workers_figures figures;
	struct document *list;

	workers_figures(s->service->workers, &figures);
	pthread_mutex_lock(&all->lock);
	s->called = false;
	list = take_share(s, figures.threads);
	(void)call_worker(s); /* if not now, then at the end */
	pthread_mutex_unlock(&all->lock);
	judge_all(list);
	documents_free(list);
	pthread_mutex_lock(&all->lock);
	end_turn(s);
	pthread_mutex_unlock(&all->lock);
	free(t);
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
	s->last_waiting = &s->waiting;
	return s;
}

static enum err open_stream(struct rpc_call *c)
{
	struct verify_streams *all = ((struct service *)rpc_env(c))->verify_streams;
	struct peer_evidence caller;
	struct stream *s;
	enum err e = peers_evidence(c, &caller);

	if (e == ERR_OK)
		e = workers_admit(((struct service *)rpc_env(c))->workers, CLASS_READ);
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
	return d;
}

static enum err on_document(struct stream *s, const struct span *m)
{
	struct document *d;

	if (m->len > s->method->max_request)
		return ERR_TOO_LARGE;
	d = document_new(m);
	if (d == NULL)
		return ERR_NO_MEMORY;
	d->stream = s;
	*s->last_waiting = d;
	s->last_waiting = &d->next;
	s->n_waiting++;
	s->taken++;
	s->taken_bytes += d->len;
	return call_worker(s);
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
