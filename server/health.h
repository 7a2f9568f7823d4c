/*
 * Is the service fit to serve? Judged from time to time, part by part, by a thread of its own, which also keeps house
 * (house.h) and tells systemd:
 *
 *   store        a read is answered
 *   writer       a write that changes nothing comes back; no commit failed lately for want of disk
 *   receipt-key  the key signs
 *   sequencer    audit entries get their numbers: none waits longer than SEQUENCER_FAULT_MS (on SQLite they have them)
 *
 * Asked through grpc.health.v1 (Check, Watch): for a part by the names above; for the empty name and every service of
 * the contract all parts count. In plain text on a Unix socket: connect, read one line "ok …" or "not serving: why",
 * end of file.
 */
#ifndef YZ_SERVER_HEALTH_H
#define YZ_SERVER_HEALTH_H

#include "server/rpc.h"
#include "server/service.h"

enum {
	HEALTH_PERIOD_MS = 2000,
	HEALTH_STALE_MS = 30 * 1000,
	COMMIT_FAULT_MS = 10 * 1000,
	SEQUENCER_FAULT_MS = 8 * 1000
};

enum health_part { HEALTH_STORE, HEALTH_WRITER, HEALTH_RECEIPT_KEY, HEALTH_SEQUENCER, HEALTH_PARTS };

struct health;
/* socket_path: "" none; an old socket file there is replaced. ERR_FILE_UNWRITABLE when it cannot be made. */
enum err health_start(struct service *s, const char *socket_path, struct health **out,
                      struct err_note *note) MUST_CHECK;
/* From now on NOT_SERVING, whatever the checks say: the first step of stopping. */
void health_leave(struct health *h);
/* After rpc_stop(): no watcher is left. Accepts NULL. */
void health_stop(struct health *h);
/* NULL: serving; else why not, a constant. */
const char *health_fault(struct health *h);
const char *health_part_fault(struct health *h, enum health_part part);
const char *health_part_name(enum health_part part);
/* A write came back from the store like this. Any thread. */
void health_committed(struct health *h, enum err result);

/* rpc_env() is a struct service. */
extern const struct rpc_handler health_check_handler, health_watch_handler;

#endif
