/*
 * One constant row per RPC of the contract: everything that is particular to it. The start-up check compares the rows
 * with the service descriptors both ways, so that neither can have what the other lacks.
 */
#ifndef YZ_SERVER_METHODS_H
#define YZ_SERVER_METHODS_H

#include "desk/uses.h"
#include "server/rpc.h"
#include "server/wire.h"
#include "server/workers.h"

struct method {
	const ProtobufCServiceDescriptor *service;
	const char *name;
	enum rpc_kind kind;
	uint32_t max_request; /* bytes on the wire */
	uint32_t max_millis;  /* cap of a call's life; 0: none */
	uint32_t budget;      /* bytes of the call's arena */
	/* Of a use case: it runs on the workers. */
	const struct use_case *use;
	/* Sets call->req and call->ans (both in call->arena) from the request. call->note on refusal. */
	enum err (*decode)(struct desk_call *call, const ProtobufCMessage *request);
	/* The reply from call->ans, without what complete() adds. May run on the store's thread: nothing but memory. */
	enum err (*encode)(struct desk_call *call, ProtobufCMessage **reply);
	/* After the commit, also for a replayed reply: what is signed anew each time, into `more`, whose fields go behind
	 * those of the reply. NULL: nothing. */
	enum err (*complete)(struct desk_call *call, const ProtobufCMessage *reply, ProtobufCMessage *more);
	/* Is this call, decoded, one that only computes, waits for nothing and is over within a fraction of a millisecond?
	 * Then the gRPC thread of a small machine may answer it at once. NULL: never. */
	bool (*prompt)(const struct desk_call *call);
	/* Without a use case: answered on the gRPC threads, so that it never waits for workers. */
	const struct rpc_handler *direct;
};

/* Of a row with a use case: administration (AdminService), writes (what has a commit), reads. */
enum call_class method_class(const struct method *m);

extern const struct method methods[];
extern const size_t methods_count;
/* The services of the contract, standard ones included. */
extern const ProtobufCServiceDescriptor *const services[];
extern const size_t services_count;

const ProtobufCMethodDescriptor *method_descriptor(const struct method *m); /* NULL: the service has no such method */
/* "/package.Service/Method"; 0 < length < n, or ERR_INTERNAL. */
enum err method_path(const struct method *m, char *out, size_t n) MUST_CHECK;
size_t methods_max_request(void);

/*
 * Do rows and contract agree? Every method has exactly one row and every row a method; a row has a use case with
 * decode and encode, or a direct handler; a use with USE_REQUEST_ID has `bytes request_id` in its request and
 * `bool replayed` in its reply, and nobody else has a request_id; USE_OPERATOR a field `operator`; no message contains
 * itself. ERR_INTERNAL with a note.
 */
enum err methods_check(const struct method *rows, size_t n, struct err_note *note) MUST_CHECK;

#endif
