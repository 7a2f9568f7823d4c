/*
 * The one room that speaks to libgrpc. Its types stay inside rpc.c; above it there are routes, calls and handlers.
 *
 * A call is delivered to its route's handler on a poller, one of very few threads. Handlers must not block: health
 * checks, TLS handshakes and all I/O of the server wait for these threads. Whoever gets a call owns it until it is
 * finished, on any thread and as late as it likes; a waiting call holds no thread.
 *
 * Finishing is done once: of several rpc_reply(), rpc_refuse(), rpc_drop() on one call the first counts, the others do
 * nothing. A unary call must not be touched after it was finished; a stream may be until closed() was called for it.
 */
#ifndef YZ_SERVER_RPC_H
#define YZ_SERVER_RPC_H

#include "base/err.h"
#include "base/span.h"

struct rpc_server;
struct rpc_call;

enum rpc_kind { RPC_UNARY, RPC_SERVER_STREAM, RPC_BIDI };

enum {
	RPC_POLLERS_MAX = 16,
	RPC_CATCH_ALL = 4, /* armed requests for methods that nobody registered, per poller */
	RPC_IDLE_MS = 300,
	RPC_DETAILS_MAX = 2048
};

struct rpc_handler {
	/* A call has come; of a unary or server-streaming method with its request. */
	void (*start)(struct rpc_call *c);
	/* Bidi: the next message after rpc_receive(); NULL when the client has closed its side. */
	void (*message)(struct rpc_call *c, const struct span *m);
	/* Streams: rpc_send() is done, the next may follow. */
	void (*sent)(struct rpc_call *c);
	/* Streams: the call is over; nothing may be kept of it. Called exactly once, also when start() was not (the server
	 * stops), and perhaps while message() or sent() run on another thread or before them. */
	void (*closed)(struct rpc_call *c);
};

struct rpc_route {
	const char *path; /* "/package.Service/Method"; outlives the server */
	enum rpc_kind kind;
	unsigned max_millis; /* own cap of a call's life; 0: none (streams) */
	const struct rpc_handler *handler;
	const void *row; /* the handler's own */
};

/* Certificates of listeners, in PEM. */
struct rpc_pem {
	const char *cert, *key, *client_ca;
};
/* What TLS handshakes are made with. It may be exchanged while listeners serve: handshakes from then on are made with
 * the new one, connections that exist go on. Any thread. */
struct rpc_tls;
/* Both try the certificates on a port of their own first: ERR_CONFIG_INVALID when gRPC refuses them, and nothing has
 * changed then. The texts are copied. */
enum err rpc_tls_new(const struct rpc_pem *pem, struct rpc_tls **out, struct err_note *note) MUST_CHECK;
enum err rpc_tls_change(struct rpc_tls *t, const struct rpc_pem *pem, struct err_note *note) MUST_CHECK;
/* After its last server. Accepts NULL. */
void rpc_tls_free(struct rpc_tls *t);

struct rpc_options {
	const char *listen; /* host:port, port 0 for a free one */
	struct rpc_tls *tls;
	unsigned pollers; /* threads for all I/O, each with a queue of its own; at most RPC_POLLERS_MAX */
	unsigned armed;   /* requests armed per method and poller */
	unsigned max_concurrent_streams;
	size_t max_message; /* the largest of all methods; the routes' own limits are their handlers' business */
	const struct rpc_route *routes;
	size_t n_routes;
	const struct rpc_handler *unknown;                /* gets calls of unregistered methods */
	void (*refuse)(struct rpc_call *c, enum err why); /* finishes a stream when the server stops */
	/* A call was finished: gRPC's status, and how long that took since it was delivered. Short; any thread. */
	void (*observe)(struct rpc_call *c, int status, uint64_t micros);
	void *env;    /* rpc_env() */
	bool gateway; /* rpc_gateway() */
};

/* Listen and serve. ERR_PORT_TAKEN (the address cannot be bound). Signals that main waits for must be blocked before:
 * gRPC's threads inherit the mask. */
enum err rpc_start(const struct rpc_options *o, struct rpc_server **out, int *port, struct err_note *note) MUST_CHECK;
/* Stop in order: no new calls; open streams get UNAVAILABLE / STOPPING; calls under way may end within grace_ms, then
 * they are cancelled; waits until every call is finished by its owner. Calls of which only a part was sent, and
 * connections that stay for nothing, are given RPC_IDLE_MS once nothing else is under way. Frees the server. */
void rpc_stop(struct rpc_server *s, unsigned grace_ms);

/* Delivered and not freed. */
unsigned rpc_live(struct rpc_server *s);

void *rpc_env(const struct rpc_call *c);
bool rpc_gateway(const struct rpc_call *c);                     /* it came over a listener for gateways */
const struct rpc_route *rpc_route_of(const struct rpc_call *c); /* NULL: unknown method */
const char *rpc_path(struct rpc_call *c);                       /* as asked for, cut and cleaned for logs */
void rpc_set_user(struct rpc_call *c, void *user);
void *rpc_user(const struct rpc_call *c);

/* The request as received; false when there is none (half-close without a message). Valid until finished. */
bool rpc_request(struct rpc_call *c, struct span *out);
/* PEM of the peer's certificate, checked by TLS against client_ca; false when there is none. Valid until finished. */
bool rpc_peer_pem(struct rpc_call *c, struct span *out);
/* How often the client sent this header (lower case), and the value of the first; valid until finished. */
unsigned rpc_header(const struct rpc_call *c, const char *key, struct span *first);
/* Address of the peer, for logs only. */
const char *rpc_peer(struct rpc_call *c);
/* Do other calls wait behind this one? Only from start(), on gRPC's own thread. */
bool rpc_more(struct rpc_call *c);
/* Unary: whether the client goes away is to be told. Before the call is given to another thread or dropped; who
 * finishes it in start() spares an event. Streams are watched anyway. */
void rpc_watch(struct rpc_call *c);
/* The client is gone, or the call was cancelled. */
bool rpc_cancelled(const struct rpc_call *c);
/* Milliseconds until the client's deadline or our cap, whichever is first; negative when over. */
int64_t rpc_left_ms(const struct rpc_call *c);

/* Room for the reply, n bytes, written by the caller; then rpc_reply(). */
uint8_t *rpc_reply_room(struct rpc_call *c, size_t n);
void rpc_reply(struct rpc_call *c);

struct rpc_refusal {
	int status;          /* gRPC's number */
	const char *text;    /* UTF-8, short */
	struct span details; /* packed yinzheng.v1.Status, at most RPC_DETAILS_MAX; empty: none */
	unsigned retry_ms;   /* trailer retry-after-ms; 0: none */
};
/* All is copied. */
void rpc_refuse(struct rpc_call *c, const struct rpc_refusal *r);
/* End without a word: for calls whose client is gone. */
void rpc_drop(struct rpc_call *c);

/* Streams: ask for the next message; send one (never two at once: wait for sent()); end well. False when it is over. */
bool rpc_receive(struct rpc_call *c);
bool rpc_send(struct rpc_call *c, struct span message);
void rpc_end(struct rpc_call *c);

#endif
