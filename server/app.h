/*
 * Everything that the configuration names, opened: keys, trust, desk. Used by run, check and (in part) init. While the
 * daemon serves, a reload makes a new one over the same store and exchanges them; calls under way keep the one that
 * they began with, so it is counted.
 */
#ifndef YZ_SERVER_APP_H
#define YZ_SERVER_APP_H

#include "desk/caches.h"
#include "desk/desk.h"
#include "server/config.h"
#include <stdatomic.h>

enum { APP_BUDGET = 64 * 1024 * 1024, MASTER_KEY = 32 };

struct app {
	atomic_uint refs;
	struct arena *arena;
	struct config config;
	char *cert_pem, *key_pem, *client_ca_pem;
	int64_t cert_not_after;       /* of the server's TLS certificate */
	struct cert_store *client_ca; /* the same certificates, for those that a gateway forwards */
	uint8_t master[MASTER_KEY];
	struct desk_caches *caches; /* not its own: they outlive it */
	struct rand rand;           /* of store and desk; the system's unless changed between configuring and opening */
	struct cert_store *trust;
	struct desk_key receipt, verdict, maker;
	struct desk_key *seal_keys;
	size_t n_seal_keys;
	struct store *store; /* of commands that do not serve: closed with the rest; a server's is its own */
	struct desk *desk;
};

/* The configuration alone, into what need not be initialised. After any failure app_close() cleans up. */
enum err app_configure(struct app *app, const char *path, struct err_note *note) MUST_CHECK;
/* What all that follow one another use; the caller's. */
enum err app_open_caches(const struct app *app, struct desk_caches **out, struct err_note *note) MUST_CHECK;
/* All files of a configured one: certificates, keys, trust list, which uses the caches. */
enum err app_read(struct app *app, struct desk_caches *caches, struct err_note *note) MUST_CHECK;
/* The store, which must exist; it is the caller's. `serves` as in store_options. */
enum err app_open_store(struct app *app, bool serves, struct store **out, struct err_note *note) MUST_CHECK;
/* The desk over a store, which must outlive it. */
enum err app_open_desk(struct app *app, struct store *store, struct err_note *note) MUST_CHECK;
/* ERR_FILE_UNREADABLE when absent; ERR_CONFIG_INVALID when it is not 64 hex characters or others may read it. */
enum err app_master_key(struct app *app, struct err_note *note) MUST_CHECK;
struct store_options app_store_options(const struct app *app);
void app_close(struct app *app);

/* On the heap, with one reference; then configure it. NULL when out of memory. */
struct app *app_new(void);
void app_ref(struct app *app);
/* The last one closes and frees it. Accepts NULL. */
void app_unref(struct app *app);

#endif
