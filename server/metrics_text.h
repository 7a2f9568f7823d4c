/* The figures of a running server in Prometheus' text format 0.0.4; docs/operations.md lists the families. */
#ifndef YZ_SERVER_METRICS_TEXT_H
#define YZ_SERVER_METRICS_TEXT_H

#include "base/arena.h"
#include "server/service.h"

enum { METRICS_TEXT_BUDGET = 4 * 1024 * 1024 };

/* ERR_BUDGET. */
enum err metrics_text(struct service *s, struct arena *a, struct span *out) MUST_CHECK;

#endif
