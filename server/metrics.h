/* Counters since the start, for AdminService.GetStatus. */
#ifndef YZ_SERVER_METRICS_H
#define YZ_SERVER_METRICS_H

#include <stdatomic.h>

struct metrics {
	atomic_ullong ok, refused, shed, dropped; /* dropped: the client was gone before the work began */
};

#endif
