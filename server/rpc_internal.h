/* Private to rpc.c, rpc_call.c and rpc_tls.c: a call and a server as they are, with libgrpc's types. */
#ifndef YZ_SERVER_RPC_INTERNAL_H
#define YZ_SERVER_RPC_INTERNAL_H

#include "base/tsan.h"
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

enum { PATH_MAX_LOGGED = 96 };

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
	struct rpc_poller *poller;
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
	int64_t began; /* monotonic microseconds */
	char path[PATH_MAX_LOGGED];
	char *peer;
	grpc_auth_context *auth;
	/* how it goes */
	int close_flag;
	atomic_bool cancelled;
	pthread_mutex_t lock; /* of the following and of all batches */
	bool opened, sending, finished, finish_waits, close_with_done;
	/* to be sent; kept until the tag returns */
	grpc_slice out, status_text;
	grpc_byte_buffer *out_buffer;
	bool has_out;
	grpc_status_code status;
	grpc_metadata trailers[2];
	size_t n_trailers;
	struct rpc_call *prev, *next; /* open streams of the server */
};

/* One queue with one thread: on few cores that costs the least per call by far. */
struct rpc_poller {
	struct rpc_server *server;
	grpc_completion_queue *queue;
	pthread_t thread;
	grpc_event ahead; /* taken by rpc_more(), GRPC_QUEUE_TIMEOUT: nothing. The thread's own. */
};

/* Which certificates a listener has made its handshakes with last. */
struct rpc_tls_seen {
	struct rpc_tls *tls;
	uint64_t version;
};

struct rpc_server {
	struct rpc_options o;
	grpc_server *server;
	struct rpc_poller pollers[RPC_POLLERS_MAX];
	unsigned n_pollers, n_threads;
	void **registered; /* per route */
	struct rpc_tls_seen seen;
	atomic_bool stopping;
	struct rpc_tag stop_tag;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopped;      /* the stop tag came back */
	atomic_uint calls; /* not freed, armed ones included */
	atomic_uint live;  /* delivered and not freed */
	struct rpc_call *streams;
};

/* A request to be armed, with one reference; NULL when out of memory. */
struct rpc_call *rpc_call_new(struct rpc_poller *p, size_t slot);
void rpc_call_ref(struct rpc_call *c);
void rpc_call_unref(struct rpc_call *c);
/* server->lock is held. A call in the list is alive: it leaves it before its CLOSE reference is given up. */
void rpc_streams_remove(struct rpc_call *c);
/* Start a batch whose tag holds a reference. The caller holds c->lock. */
bool rpc_batch(struct rpc_call *c, enum rpc_event event, const grpc_op *ops, size_t n);
int64_t rpc_micros(void);
/* New credentials of a listener; NULL when out of memory. */
grpc_server_credentials *rpc_tls_credentials(struct rpc_tls_seen *seen);
/* The last batch: status, and the reply when there is one. c->lock is held; the status is set. */
void rpc_start_done(struct rpc_call *c);
/* All of a received message in one slice, which the caller owns. */
bool rpc_read_message(grpc_byte_buffer *in, grpc_slice *out);

#endif
