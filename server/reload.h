/* SIGHUP: the configuration is read anew, and what may change while serving changes. */
#ifndef YZ_SERVER_RELOAD_H
#define YZ_SERVER_RELOAD_H

#include "server/rpc.h"
#include "server/service.h"

/*
 * Certificates and keys (TLS, receipt, verdict, maker, seals), trust list, limits and log level. All of it is opened
 * and checked before any of it counts; after an error nothing has changed. Calls under way end with what they began
 * with, connections stay. What needs a restart and was changed is named in the log, and keeps its old value. Counters
 * of limits begin anew.
 */
enum err reload(struct service *s, struct rpc_tls *tls, const char *config_path, struct err_note *note) MUST_CHECK;
struct workers_limits reload_limits(const struct config *c);

#endif
