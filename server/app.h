/* Everything that the configuration names, opened: keys, trust, store, desk. Used by run, check and (in part) init. */
#ifndef YZ_SERVER_APP_H
#define YZ_SERVER_APP_H

#include "desk/caches.h"
#include "desk/desk.h"
#include "server/config.h"

enum { APP_BUDGET = 64 * 1024 * 1024, MASTER_KEY = 32 };

struct app {
	struct arena *arena;
	struct config config;
	char *cert_pem, *key_pem, *client_ca_pem;
	uint8_t master[MASTER_KEY];
	struct desk_caches *caches;
	struct cert_store *trust;
	struct desk_key receipt, verdict, maker;
	struct desk_key *seal_keys;
	size_t n_seal_keys;
	struct store *store;
	struct desk *desk;
};

/* The configuration alone. After any failure app_close() cleans up. */
enum err app_configure(struct app *app, const char *path, struct err_note *note) MUST_CHECK;
/* Everything; the store must exist. */
enum err app_open(struct app *app, const char *path, struct err_note *note) MUST_CHECK;
/* ERR_FILE_UNREADABLE when absent; ERR_CONFIG_INVALID when it is not 64 hex characters or others may read it. */
enum err app_master_key(struct app *app, struct err_note *note) MUST_CHECK;
struct store_options app_store_options(const struct app *app);
void app_close(struct app *app);

#endif
