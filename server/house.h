/* Keeping house in the store: what has served its time goes, a part at a time (store_expire()). */
#ifndef YZ_SERVER_HOUSE_H
#define YZ_SERVER_HOUSE_H

#include "server/service.h"

struct house;
/* NULL when out of memory. */
struct house *house_new(struct service *s);
/* A write on its way goes on. Accepts NULL. */
void house_free(struct house *h);
/* Do what is due, without waiting for it; from one thread. When to come again, clock_monotonic_ms(). */
int64_t house_keep(struct house *h, int64_t now);

#endif
