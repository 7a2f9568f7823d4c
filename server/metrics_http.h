/* Metrics for Prometheus over plain HTTP on a listener of their own: GET /metrics, nothing else. A thread of its own,
 * which sleeps while nobody asks. */
#ifndef YZ_SERVER_METRICS_HTTP_H
#define YZ_SERVER_METRICS_HTTP_H

#include "server/service.h"

struct metrics_http;

/* listen: host:port, [address]:port; the host is an IP address or localhost; port 0 takes a free one. "" starts
 * nothing: *out is NULL. ERR_CONFIG_INVALID, ERR_PORT_TAKEN. */
enum err metrics_http_start(struct service *s, const char *listen, struct metrics_http **out, int *port,
                            struct err_note *note) MUST_CHECK;
/* Accepts NULL. */
void metrics_http_stop(struct metrics_http *m);

#endif
