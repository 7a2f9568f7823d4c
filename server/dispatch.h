/*
 * From a call to a use case and back:
 *
 *   gRPC thread   too late? too much of its class waiting? -> else to a worker; on few cores what is small and only
 *                 computes (method.prompt) is answered here, while nothing else waits or comes behind
 *   worker        principal, unpack within the budget, text, decode, desk_begin()
 *   store thread  desk_commit(), for uses that change something; the worker does not wait for it
 *   worker        ERR_STORE_CHANGED: begin again, at most DESK_ATTEMPTS times; else encode, complete, reply
 *
 * A call whose client is gone is dropped before the work or the commit starts. One that goes during the commit loses
 * only its answer: it is kept, and given when the same request_id is asked again.
 */
#ifndef YZ_SERVER_DISPATCH_H
#define YZ_SERVER_DISPATCH_H

#include "server/methods.h"
#include "server/service.h"

/* Routes for rpc_start() from the table, in memory of their own; free with dispatch_routes_free(). */
enum err dispatch_routes(struct rpc_route **out, size_t *n) MUST_CHECK;
void dispatch_routes_free(struct rpc_route *routes, size_t n);
/* The service that a call runs in, and the configuration; only while it is dispatched. */
struct service *dispatch_service(const struct desk_call *call);
const struct app *dispatch_app(const struct desk_call *call);
/* rpc_options.observe: counts. */
void dispatch_observe(struct rpc_call *c, int status, uint64_t micros);
extern const struct rpc_handler dispatch_handler; /* of all rows with a use case */
extern const struct rpc_handler dispatch_unknown; /* UNIMPLEMENTED */

/* The part between transport and desk, also for tests and fuzzing: unpack, check, decode into *call, whose arena is
 * set. */
enum err dispatch_decode(const struct method *m, struct desk_call *call, struct span request) MUST_CHECK;

#endif
