/*
 * Is the service fit to serve? Judged from time to time (store answers, receipt key signs) by a thread of its own,
 * which also keeps house in the store. Asked through grpc.health.v1 (Check, Watch) and in plain text on a Unix socket:
 * connect, read one line "ok …" or "not serving: why", end of file.
 */
#ifndef YZ_SERVER_HEALTH_H
#define YZ_SERVER_HEALTH_H

#include "crypto/signer.h"
#include "server/rpc.h"
#include "store/store.h"

enum { HEALTH_PERIOD_MS = 2000, HEALTH_STALE_MS = 30 * 1000, EXPIRE_PERIOD_MS = 60 * 1000, EXPIRE_ROWS = 1000 };

struct health_options {
	struct store *store;
	const struct signer *receipt_signer;
	const char *socket_path; /* "" none; an old socket file there is replaced */
};

struct health;
/* ERR_FILE_UNWRITABLE when the socket cannot be made. */
enum err health_start(const struct health_options *o, struct health **out, struct err_note *note) MUST_CHECK;
/* From now on NOT_SERVING, whatever the checks say: the first step of stopping. */
void health_leave(struct health *h);
/* After rpc_stop(): no watcher is left. Accepts NULL. */
void health_stop(struct health *h);
/* NULL: serving; else why not, a constant. */
const char *health_fault(struct health *h);

/* rpc_env() is a struct service. */
extern const struct rpc_handler health_check_handler, health_watch_handler;

#endif
