/* What every call of a running server needs. Made once by run.c; does not change while serving. */
#ifndef YZ_SERVER_SERVICE_H
#define YZ_SERVER_SERVICE_H

#include "desk/desk.h"
#include "server/metrics.h"
#include "server/workers.h"

struct health;
struct verify_streams;

struct service {
	struct desk *desk;
	struct store *store;
	const struct cert_store *trust;
	struct workers *workers;
	struct health *health;
	struct verify_streams *verify_streams;
	struct clock clock;
	int64_t started;
	struct metrics metrics;
};

#endif
