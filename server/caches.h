/* Figures of every cache of the service, for GetStatus and the metrics. */
#ifndef YZ_SERVER_CACHES_H
#define YZ_SERVER_CACHES_H

#include "server/service.h"

enum { CACHES_MAX = 12 };

/* What was found proved before, and what had to be proved; names as in the contract (CacheFigures). */
struct cache_figures {
	const char *name;
	uint64_t hits, misses;
};
/* Memory: seals, chains, licences and certificates share one, "memo". */
struct cache_room {
	const char *name;
	uint64_t bytes, limit; /* limit 0: bounded by number */
};

/* Both at most CACHES_MAX; how many. */
size_t caches_read(struct service *s, struct cache_figures *out);
size_t cache_rooms_read(struct service *s, struct cache_room *out);

#endif
