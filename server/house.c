#include "server/house.h"

#include "server/app.h"
#include "server/log.h"
#include <stdatomic.h>
#include <stdlib.h>

enum {
	PERIOD_MS = 60 * 1000,
	/* A busy service writes thousands of rows a second that are to go again: then one part follows the other. */
	MORE_MS = 100,
	ROWS = 1000
};

static const int64_t day_ms = 24 * 3600 * 1000;

/* Two hold it: whoever calls house_keep(), and the write on its way. */
struct house {
	struct service *service;
	atomic_uint refs;
	atomic_bool busy, more;
	int64_t next;
	struct store_keep keep; /* of the write on its way */
	uint64_t removed;
};

static void unref(struct house *h)
{
	if (atomic_fetch_sub(&h->refs, 1) == 1)
		free(h);
}

struct house *house_new(struct service *s)
{
	struct house *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->service = s;
	atomic_init(&h->refs, 1);
	h->next = clock_monotonic_ms() + PERIOD_MS;
	return h;
}

void house_free(struct house *h)
{
	if (h != NULL)
		unref(h);
}

static enum err expire(struct store_tx *tx, void *arg)
{
	struct house *h = arg;

	return store_expire(tx, &h->keep, ROWS, &h->removed);
}

static void expire_done(void *arg, enum err result)
{
	struct house *h = arg;

	if (result != ERR_OK && result != ERR_STOPPING)
		log_error(LOG_WARN, "housekeeping", result, NULL);
	atomic_store(&h->more, result == ERR_OK && h->removed == ROWS);
	atomic_store(&h->busy, false);
	unref(h);
}

/* The configuration may have been exchanged since the last time. */
static struct store_keep keep_of(struct service *s)
{
	struct app *app = service_app(s);
	struct store_keep keep = {.codes = app->config.codes_days * day_ms,
	                          .audit_values = app->config.audit_values_days * day_ms};

	app_unref(app);
	return keep;
}

int64_t house_keep(struct house *h, int64_t now)
{
	if (atomic_load(&h->busy))
		return now + MORE_MS;
	if (atomic_exchange(&h->more, false))
		h->next = now;
	if (now < h->next)
		return h->next;
	h->keep = keep_of(h->service);
	h->next = now + PERIOD_MS;
	atomic_store(&h->busy, true);
	atomic_fetch_add(&h->refs, 1);
	enum err e = store_submit(h->service->store, expire, h, expire_done);
	if (e != ERR_OK)
		expire_done(h, e);
	return now + MORE_MS;
}
