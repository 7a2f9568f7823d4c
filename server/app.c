#include "server/app.h"

#include "base/file.h"
#include "base/text.h"
#include <stdlib.h>
#include <sys/stat.h>

enum { PEM_MAX = 1024 * 1024, PASSPHRASE_MAX = 4096, MIB = 1024 * 1024 };
enum { STORE_SHARE = 16 }; /* of the memory for caches: identifiers in the store, the rest is the desk's */

enum err app_configure(struct app *app, const char *path, struct err_note *note)
{
	*app = (struct app){.arena = arena_new(APP_BUDGET), .rand = rand_system()};
	atomic_init(&app->refs, 1);
	if (app->arena == NULL)
		return ERR_NO_MEMORY;
	return config_load(app->arena, path, &app->config, note);
}

/* A secret that others can read is none. */
static enum err check_private(const char *path, struct err_note *note)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		return err_note_set(note, ERR_CONFIG_INVALID, NULL, "%.150s may be read by others: chmod 600", path);
	return ERR_OK;
}

static enum err read_text(struct app *app, const char *path, char **out, struct err_note *note)
{
	struct span s;
	enum err e = file_read(app->arena, path, PEM_MAX, &s, note);

	if (e != ERR_OK)
		return e;
	*out = arena_strndup(app->arena, s.ptr, s.len);
	return *out != NULL ? ERR_OK : ERR_BUDGET;
}

/* What a bundle ends with, and what it begins with when `anchors` is not given. */
static enum err read_bundle(struct app *app, const char *path, const char *pem, struct cert_store *anchors,
                            int64_t *not_after, struct err_note *note)
{
	struct cert **all = NULL;
	size_t n = 0;
	enum err e = cert_parse_bundle(app->arena, span_str(pem), &all, &n);

	if (e != ERR_OK || n == 0)
		return err_note_set(note, ERR_CERT_UNREADABLE, NULL, "%.150s holds no certificate that can be read", path);
	*not_after = cert_not_after(all[0]);
	for (size_t i = 0; i < n; i++) {
		if (e == ERR_OK && anchors != NULL)
			e = cert_store_add_anchor(anchors, all[i]);
		cert_free(all[i]);
	}
	return e;
}

static enum err read_tls_certs(struct app *app, struct err_note *note)
{
	const struct config *c = &app->config;
	int64_t ignored;
	enum err e = read_bundle(app, c->tls_cert, app->cert_pem, NULL, &app->cert_not_after, note);

	if (e == ERR_OK)
		e = cert_store_new(&app->client_ca);
	return e == ERR_OK ? read_bundle(app, c->tls_client_ca, app->client_ca_pem, app->client_ca, &ignored, note) : e;
}

static enum err read_tls(struct app *app, struct err_note *note)
{
	const struct config *c = &app->config;
	enum err e;

	if ((e = check_private(c->tls_key, note)) != ERR_OK)
		return e;
	if ((e = read_text(app, c->tls_cert, &app->cert_pem, note)) != ERR_OK ||
	    (e = read_text(app, c->tls_key, &app->key_pem, note)) != ERR_OK)
		return e;
	if ((e = read_text(app, c->tls_client_ca, &app->client_ca_pem, note)) != ERR_OK)
		return e;
	return read_tls_certs(app, note);
}

enum err app_master_key(struct app *app, struct err_note *note)
{
	const char *path = app->config.master_key;
	struct span s;
	enum err e;

	if ((e = file_read(app->arena, path, PASSPHRASE_MAX, &s, note)) != ERR_OK ||
	    (e = check_private(path, note)) != ERR_OK)
		return e;
	while (s.len != 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
		s.len--;
	if (hex_decode(s, app->master, sizeof(app->master)) != ERR_OK)
		return err_note_set(note, ERR_CONFIG_INVALID, "store.master_key", "%.150s must hold 64 hex characters", path);
	return ERR_OK;
}

/* The first line, without its end. */
static enum err read_passphrase(struct app *app, const char *path, struct span *out, struct err_note *note)
{
	enum err e;

	*out = span_of("", 0);
	if (*path == '\0')
		return ERR_OK;
	if ((e = check_private(path, note)) != ERR_OK ||
	    (e = file_read(app->arena, path, PASSPHRASE_MAX, out, note)) != ERR_OK)
		return e;
	size_t n = 0;
	while (n < out->len && out->ptr[n] != '\n' && out->ptr[n] != '\r')
		n++;
	out->len = n;
	return ERR_OK;
}

/* The first certificate of the file is the key's own. */
static enum err read_cert(struct app *app, const char *path, struct cert **out, struct err_note *note)
{
	struct cert **all;
	struct span pem;
	size_t n;
	enum err e = file_read(app->arena, path, PEM_MAX, &pem, note);

	if (e != ERR_OK)
		return e;
	e = cert_parse_bundle(app->arena, pem, &all, &n);
	if (e != ERR_OK || n == 0)
		return err_note_set(note, ERR_CERT_UNREADABLE, NULL, "%.150s holds no certificate that can be read", path);
	for (size_t i = 1; i < n; i++)
		cert_free(all[i]);
	*out = all[0];
	return ERR_OK;
}

static enum err open_key(struct app *app, const struct config_key *k, struct desk_key *out, struct err_note *note)
{
	struct span passphrase;
	enum err e;

	out->name = k->name;
	if ((e = read_passphrase(app, k->passphrase_file, &passphrase, note)) != ERR_OK ||
	    (e = signer_open_file_by(app->config.sm2_sign, k->key, passphrase, &out->signer, note)) != ERR_OK)
		return e;
	return read_cert(app, k->cert, &out->cert, note);
}

static enum err open_keys(struct app *app, struct err_note *note)
{
	const struct config *c = &app->config;
	enum err e = open_key(app, &c->receipt, &app->receipt, note);

	if (e == ERR_OK && *c->verdict.key != '\0')
		e = open_key(app, &c->verdict, &app->verdict, note);
	if (e == ERR_OK && *c->maker.key != '\0')
		e = open_key(app, &c->maker, &app->maker, note);
	app->seal_keys = arena_array(app->arena, c->n_seal_keys, sizeof(*app->seal_keys));
	if (app->seal_keys == NULL)
		return ERR_BUDGET;
	for (size_t i = 0; e == ERR_OK && i < c->n_seal_keys; i++) {
		e = open_key(app, &c->seal_keys[i], &app->seal_keys[i], note);
		app->n_seal_keys = i + 1;
	}
	return e;
}

/* Unless it is stated: so that no worker waits for a connection, and one for the health checks. */
static unsigned readers_of(const struct config *c)
{
	return c->store_readers != 0 ? c->store_readers : c->workers + 1;
}

struct store_options app_store_options(const struct app *app)
{
	return (struct store_options){.url = app->config.store_url,
	                              .master_key = span_of(app->master, sizeof(app->master)),
	                              .clock = clock_system(),
	                              .rand = app->rand,
	                              .readers = readers_of(&app->config),
	                              .writers = app->config.store_writers,
	                              .cell_memory = (size_t)app->config.cache_mib * MIB / STORE_SHARE};
}

enum err app_open_store(struct app *app, bool serves, struct store **out, struct err_note *note)
{
	struct store_options o = app_store_options(app);
	enum err e = app_master_key(app, note);

	o.serves = serves;
	return e == ERR_OK ? store_open(&o, out, note) : e;
}

enum err app_open_caches(const struct app *app, struct desk_caches **out, struct err_note *note)
{
	const size_t all = (size_t)app->config.cache_mib * MIB;
	enum err e = desk_caches_new(all - all / STORE_SHARE, &app->rand, out);

	if (e == ERR_FIELD_INVALID)
		return err_note_set(note, ERR_CONFIG_INVALID, "cache.memory_mib", "0 (none), or at least %d",
		                    CACHES_LIMIT_MIN / (STORE_SHARE - 1) * STORE_SHARE / MIB);
	return e;
}

enum err app_read(struct app *app, struct desk_caches *caches, struct err_note *note)
{
	enum err e;

	if ((e = read_tls(app, note)) != ERR_OK || (e = open_keys(app, note)) != ERR_OK)
		return e;
	if ((e = trust_load((const char *const *)app->config.trust, app->config.n_trust, &app->trust, note)) != ERR_OK)
		return e;
	app->caches = caches;
	cert_store_use(app->trust, (struct sm2_means){.backend = app->config.sm2_verify});
	desk_caches_use(caches, app->trust);
	return ERR_OK;
}

enum err app_open_desk(struct app *app, struct store *store, struct err_note *note)
{
	struct desk_options o = {.store = store,
	                         .clock = clock_system(),
	                         .rand = app->rand,
	                         .service = app->config.service_name,
	                         .trust = app->trust,
	                         .maker = app->maker.signer != NULL ? &app->maker : NULL,
	                         .receipt = &app->receipt,
	                         .verdict = app->verdict.signer != NULL ? &app->verdict : NULL,
	                         .seal_keys = app->seal_keys,
	                         .n_seal_keys = app->n_seal_keys,
	                         .operator_per_minute = app->config.operator_per_minute,
	                         .principal_per_minute = app->config.principal_per_minute,
	                         .caches = app->caches};
	return desk_new(&o, &app->desk, note);
}

static void close_key(struct desk_key *k)
{
	signer_free(k->signer);
	cert_free(k->cert);
}

void app_close(struct app *app)
{
	if (app->desk != NULL)
		desk_free(app->desk);
	if (app->store != NULL)
		store_close(app->store);
	close_key(&app->receipt);
	close_key(&app->verdict);
	close_key(&app->maker);
	for (size_t i = 0; i < app->n_seal_keys; i++)
		close_key(&app->seal_keys[i]);
	if (app->trust != NULL)
		cert_store_free(app->trust);
	if (app->client_ca != NULL)
		cert_store_free(app->client_ca);
	secret_wipe(app->master, sizeof(app->master));
	arena_free(app->arena);
}

struct app *app_new(void)
{
	struct app *app = calloc(1, sizeof(*app));

	if (app != NULL)
		atomic_init(&app->refs, 1); /* should it never be configured */
	return app;
}

void app_ref(struct app *app)
{
	atomic_fetch_add(&app->refs, 1);
}

void app_unref(struct app *app)
{
	if (app == NULL || atomic_fetch_sub(&app->refs, 1) != 1)
		return;
	app_close(app);
	free(app);
}
