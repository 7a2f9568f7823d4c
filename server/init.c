#include "server/init.h"

#include "base/file.h"
#include "base/text.h"
#include "desk/uses.h"
#include "server/app.h"
#include "server/log.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ADMIN_CERT_MAX = 64 * 1024, ID_MAX = 64 };

/* Value of an attribute in an RFC 2253 name; NULL when it has none. Escapes are resolved for the simple case \c only.
 */
static char *subject_value(struct arena *a, const char *subject, const char *attribute)
{
	size_t want = strlen(attribute), n = 0;

	for (const char *p = subject; *p != '\0';) {
		bool hit = strncmp(p, attribute, want) == 0 && p[want] == '=';
		const char *v = hit ? p + want + 1 : p;
		char *out = hit ? arena_alloc(a, strlen(v) + 1) : NULL;
		for (; *v != '\0' && *v != ',' && *v != '+'; v++) {
			if (*v == '\\' && v[1] != '\0')
				v++;
			if (out != NULL)
				out[n++] = *v;
		}
		if (hit)
			return out;
		p = *v != '\0' ? v + 1 : v;
	}
	return NULL;
}

/* The common name when it can be an identifier, else "securityN". */
static char *admin_id(struct arena *a, const char *common_name, unsigned number)
{
	size_t n = strlen(common_name);

	if (n > 0 && n <= ID_MAX && text_only(span_str(common_name), "abcdefghijklmnopqrstuvwxyz0123456789-."))
		return arena_strdup(a, common_name);
	return arena_printf(a, "security%u", number);
}

static enum err read_admin(struct app *app, const struct init_options *o, unsigned i, struct principal *out,
                           struct err_note *note)
{
	struct principal_key *key = arena_alloc(app->arena, sizeof(*key));
	struct cert **certs;
	struct span bytes;
	size_t n;
	enum err e = file_read(app->arena, o->admin_cert[i], ADMIN_CERT_MAX, &bytes, note);

	if (e != ERR_OK)
		return e;
	if (key == NULL)
		return ERR_BUDGET;
	e = cert_parse_bundle(app->arena, bytes, &certs, &n);
	if (e != ERR_OK || n == 0)
		return err_note_set(note, ERR_CERT_UNREADABLE, "admin-cert", "%.150s holds no certificate", o->admin_cert[i]);
	const char *cn = cert_common_name(certs[0]), *subject = cert_subject(certs[0]);
	char *org = subject_value(app->arena, subject, "organizationIdentifier");
	char *org_name = subject_value(app->arena, subject, "O");

	if (org == NULL)
		org = subject_value(app->arena, subject, "2.5.4.97");
	cert_key_fingerprint(certs[0], key->fingerprint);
	key->not_after = cert_not_after(certs[0]);
	*out = (struct principal){.id = admin_id(app->arena, cn, i + 1),
	                          .name = arena_strdup(app->arena, o->admin_name != NULL ? o->admin_name : cn),
	                          .org_code = o->admin_org != NULL ? (char *)o->admin_org : org,
	                          .roles = ROLE_SECURITY,
	                          .n_keys = 1,
	                          .keys = key};
	out->org_name = org_name != NULL ? org_name : out->name;
	for (size_t k = 0; k < n; k++)
		cert_free(certs[k]);
	if (out->org_code == NULL)
		return err_note_set(note, ERR_ORG_CODE_INVALID, "admin-org",
		                    "The certificate names no organisation: state --admin-org CODE.");
	return principal_check(out, note);
}

static enum err make_master_key(struct app *app, struct err_note *note)
{
	uint8_t key[MASTER_KEY];
	char text[2 * MASTER_KEY + 2];
	struct rand r = rand_system();
	struct stat st;

	if (stat(app->config.master_key, &st) == 0)
		return ERR_OK;
	if (errno != ENOENT)
		return err_note_set(note, ERR_FILE_UNREADABLE, "store.master_key", "%.150s", app->config.master_key);
	enum err e = rand_fill(&r, key, sizeof(key));
	if (e == ERR_OK) {
		hex_encode(span_of(key, sizeof(key)), text);
		text[sizeof(text) - 2] = '\n';
		e = file_write(app->config.master_key, span_of(text, sizeof(text) - 1), 0600, note);
	}
	secret_wipe(key, sizeof(key));
	secret_wipe(text, sizeof(text));
	return e;
}

static bool is_file(const struct app *app)
{
	return strncmp(app->config.store_url, "sqlite:", 7) == 0;
}

/* A store without administrators is of no use, and would stand in the way of the next attempt. */
static void remove_store(const struct app *app)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	const char *path = strchr(app->config.store_url, ':') + 1;

	if (!is_file(app))
		return; /* what a database server holds is not ours to drop */
	for (size_t i = 0; i < 3; i++) {
		char *file = arena_printf(app->arena, "%s%s", path, suffix[i]);
		if (file != NULL)
			unlink(file);
	}
}

static enum err create_and_enrol(struct app *app, struct principal *admins, unsigned n, struct err_note *note)
{
	struct store_options so = app_store_options(app);
	enum err e = store_create(&so, note);

	if (e != ERR_OK)
		return e;
	if ((e = store_open(&so, &app->store, note)) == ERR_OK)
		e = desk_enrol_first(app->store, admins, n, note);
	if (e != ERR_OK) {
		store_close(app->store);
		app->store = NULL;
		remove_store(app);
	}
	return e;
}

/* Before anything is made, not even a key. */
static enum err refuse_existing(const struct app *app, struct err_note *note)
{
	const char *path = strchr(app->config.store_url, ':') + 1;
	const struct store_options so = app_store_options(app);
	struct stat st;

	if (!is_file(app))
		return store_vacant(&so, note);
	if (stat(path, &st) != 0)
		return ERR_OK;
	return err_note_set(note, ERR_ALREADY_EXISTS, "store.url", "The store exists already: %.140s", path);
}

enum err init_store(const struct init_options *o, struct err_note *note)
{
	struct principal admins[INIT_ADMINS_MAX];
	struct app app;
	enum err e = app_configure(&app, o->config_path, note);

	if (e != ERR_OK || (e = refuse_existing(&app, note)) != ERR_OK)
		goto out;
	for (unsigned i = 0; e == ERR_OK && i < o->n_admins; i++)
		e = read_admin(&app, o, i, &admins[i], note);
	if (e != ERR_OK || (e = make_master_key(&app, note)) != ERR_OK || (e = app_master_key(&app, note)) != ERR_OK ||
	    (e = create_and_enrol(&app, admins, o->n_admins, note)) != ERR_OK)
		goto out;
	for (unsigned i = 0; i < o->n_admins; i++)
		log_event(LOG_INFO, "enrolled", LOG_TEXT("principal", admins[i].id), LOG_TEXT("role", "security"));
	log_event(LOG_INFO, "initialised", LOG_TEXT("store", store_url_public(app.arena, app.config.store_url)));
out:
	app_close(&app);
	return e;
}

enum err init_enrol(const struct init_options *o, struct err_note *note)
{
	struct principal admin;
	struct app app;
	enum err e = app_configure(&app, o->config_path, note);

	if (e == ERR_OK)
		e = read_admin(&app, o, 0, &admin, note);
	if (e == ERR_OK)
		e = app_master_key(&app, note);
	if (e == ERR_OK) {
		struct store_options so = app_store_options(&app);
		e = store_open(&so, &app.store, note);
	}
	if (e == ERR_OK)
		e = desk_enrol_again(app.store, &admin, note);
	if (e == ERR_OK)
		log_event(LOG_WARN, "enrolled", LOG_TEXT("principal", admin.id), LOG_TEXT("role", "security"));
	app_close(&app);
	return e;
}
