#include "server/maintain.h"

#include "base/file.h"
#include "base/text.h"
#include "desk/uses.h"
#include "server/app.h"
#include "server/log.h"
#include "store/backup.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_TEXT = 2 * MASTER_KEY + 1 };

/* ---- progress ------------------------------------------------------------------------------- */

struct progress {
	const char *what;
	int64_t next;
	bool shown;
};

/* On a terminal only: a log has no use for it. */
static void show(void *arg, uint64_t done, uint64_t total)
{
	struct progress *p = arg;
	int64_t now = clock_monotonic_ms();

	if (now < p->next || !isatty(STDERR_FILENO))
		return;
	p->next = now + 200;
	p->shown = true;
	if (total != 0)
		fprintf(stderr, "\r%s: %llu %%  ", p->what, (unsigned long long)(100 * done / total));
	else
		fprintf(stderr, "\r%s: %llu rows  ", p->what, (unsigned long long)done);
}

static void shown(const struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
}

/* ---- copies --------------------------------------------------------------------------------- */

enum err maintain_backup(const char *config_path, const char *to, struct err_note *note)
{
	struct progress p = {.what = "backup"};
	struct app app;
	enum err e = app_configure(&app, config_path, note);

	if (e == ERR_OK)
		e = store_backup(app.config.store_url, to, (struct store_watch){show, &p}, note);
	shown(&p);
	if (e == ERR_OK)
		log_event(LOG_INFO, "backed-up", LOG_TEXT("file", to));
	app_close(&app);
	return e;
}

static enum err open_store(struct app *app, const char *config_path, struct err_note *note)
{
	enum err e = app_configure(app, config_path, note);

	if (e == ERR_OK)
		e = app_master_key(app, note);
	if (e != ERR_OK)
		return e;
	struct store_options so = app_store_options(app);
	return store_open(&so, &app->store, note);
}

enum err maintain_restore(const char *config_path, const char *from, struct err_note *note)
{
	struct progress p = {.what = "restore"};
	struct store_claim *claim = NULL;
	uint64_t cancelled = 0;
	struct app app;
	enum err e = app_configure(&app, config_path, note);

	/* The key first: a store that it does not open need not be there. */
	if (e == ERR_OK)
		e = app_master_key(&app, note);
	if (e == ERR_OK)
		e = store_restore(app.config.store_url, from, (struct store_watch){show, &p}, &claim, note);
	shown(&p);
	app_close(&app);
	if (e != ERR_OK)
		return e;
	/* No server begins before the codes are cancelled. */
	e = open_store(&app, config_path, note);
	if (e == ERR_OK)
		e = desk_restored(app.store, &cancelled, note);
	if (e == ERR_OK)
		log_event(LOG_WARN, "restored", LOG_TEXT("file", from), LOG_INT("codes_cancelled", cancelled));
	else
		log_event(LOG_WARN, "restore-unfinished", LOG_TEXT("file", from),
		          LOG_TEXT("help", "The copy is in its place. Mend what is told next; then run begins with the rest."));
	app_close(&app);
	store_unclaim(claim);
	return e;
}

/* ---- looking through it --------------------------------------------------------------------- */

static void tell_fault(void *arg, const char *table, const char *row, const char *what)
{
	(void)arg;
	log_event(LOG_ERROR, "store-fault", LOG_TEXT("table", table), LOG_TEXT("row", row), LOG_TEXT("what", what));
}

enum err maintain_check(const char *config_path, struct err_note *note)
{
	struct progress p = {.what = "check"};
	struct store_check c = {.watch = {show, &p}, .fault = tell_fault};
	struct app app;
	enum err e = open_store(&app, config_path, note);

	if (e == ERR_OK)
		e = store_check(app.store, &c);
	shown(&p);
	if (e == ERR_OK) {
		log_event(c.faults == 0 ? LOG_INFO : LOG_ERROR, "checked-store", LOG_INT("seals", c.seals),
		          LOG_INT("licences", c.licences), LOG_INT("codes", c.codes), LOG_INT("receipts", c.receipts),
		          LOG_INT("audit", c.audit), LOG_INT("faults", c.faults));
		if (c.faults != 0)
			e = err_note_set(note, ERR_STORE_CORRUPT, NULL, "%llu faults, each told above.",
			                 (unsigned long long)c.faults);
	}
	app_close(&app);
	return e;
}

/* ---- another master key --------------------------------------------------------------------- */

static enum err read_key(const char *path, uint8_t key[MASTER_KEY], struct err_note *note)
{
	struct arena *a = arena_new(64 * 1024);
	struct span s;
	enum err e = a != NULL ? file_read(a, path, KEY_TEXT, &s, note) : ERR_NO_MEMORY;

	if (e == ERR_OK && (s.len < KEY_TEXT - 1 || hex_decode(span_of(s.ptr, KEY_TEXT - 1), key, MASTER_KEY) != ERR_OK))
		e = err_note_set(note, ERR_MASTER_KEY_WRONG, NULL, "%.150s must hold 64 hex characters", path);
	arena_free(a);
	return e;
}

static enum err write_key(const char *path, uint8_t key[MASTER_KEY], struct err_note *note)
{
	struct rand r = rand_system();
	char text[KEY_TEXT + 1];
	enum err e = rand_fill(&r, key, MASTER_KEY);

	if (e == ERR_OK) {
		hex_encode(span_of(key, MASTER_KEY), text);
		text[KEY_TEXT - 1] = '\n';
		e = file_write(path, span_of(text, KEY_TEXT), 0600, note);
	}
	secret_wipe(text, sizeof(text));
	return e;
}

/* The new key is on disk before the store is wrapped by it, and in its place only afterwards: at every moment one of
 * the two files opens the store. */
static enum err rotate(struct app *app, const char *draft, struct err_note *note)
{
	uint8_t key[MASTER_KEY];
	bool resumed = access(draft, F_OK) == 0;
	enum err e = resumed ? read_key(draft, key, note) : write_key(draft, key, note);

	if (e == ERR_OK)
		e = desk_rewrap(app->store, span_of(key, MASTER_KEY), note);
	/* Stopped between the two steps: the store is wrapped already, with this very key or not at all. */
	if (e == ERR_ALREADY_EXISTS && resumed) {
		struct store_options so = app_store_options(app);
		struct store *s = NULL;
		so.master_key = span_of(key, MASTER_KEY);
		e = store_open(&so, &s, note);
		store_close(s);
	} else if (e != ERR_OK && !resumed) {
		unlink(draft);
	}
	secret_wipe(key, sizeof(key));
	if (e == ERR_OK && rename(draft, app->config.master_key) != 0)
		e = err_note_set(note, ERR_FILE_UNWRITABLE, "store.master_key", "%s: move %.100s there by hand",
		                 strerror(errno), draft);
	return e;
}

enum err maintain_rotate(const char *config_path, struct err_note *note)
{
	struct app app;
	char draft[4096];
	enum err e = open_store(&app, config_path, note);

	if (e == ERR_OK && snprintf(draft, sizeof(draft), "%s.new", app.config.master_key) >= (int)sizeof(draft))
		e = err_note_set(note, ERR_CONFIG_INVALID, "store.master_key", "The path is too long.");
	if (e == ERR_OK)
		e = rotate(&app, draft, note);
	if (e == ERR_OK)
		log_event(LOG_WARN, "master-key-changed", LOG_TEXT("file", app.config.master_key));
	app_close(&app);
	return e;
}

enum err maintain_rotate_finish(const char *config_path, struct err_note *note)
{
	struct app app;
	enum err e = open_store(&app, config_path, note);

	if (e == ERR_OK)
		e = desk_rewrap_finish(app.store, note);
	if (e == ERR_OK)
		log_event(LOG_WARN, "master-key-finished", LOG_TEXT("file", app.config.master_key));
	app_close(&app);
	return e;
}
