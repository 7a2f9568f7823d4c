#include "store/cells.h"
#include "store/internal.h"

#include "crypto/aead.h"

#include <pthread.h>
#include <stdlib.h>

enum { CLOCK_SLACK = 1000 /* ms that the two clocks may differ by: rounding, and being disciplined apart */ };

/* With what an address begins. A file's path is what follows; the other is an address as a whole. */
static const struct {
	const char *scheme;
	const struct db_driver *driver;
} schemes[] = {{"sqlite:", &driver_sqlite}, {"postgres://", &driver_postgres}, {"postgresql://", &driver_postgres}};

enum err driver_find(const char *url, const struct db_driver **out, const char **where, struct err_note *note)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i].scheme);

		if (strncmp(url, schemes[i].scheme, n) == 0 && url[n] != '\0') {
			*out = schemes[i].driver;
			*where = schemes[i].driver->shared ? url : url + n;
			return ERR_OK;
		}
	}
	return err_note_set(note, ERR_CONFIG_INVALID, "store",
	                    "The store's address must look like sqlite:/path/store.db or postgres://user@host/database.");
}

static enum err find_driver(const struct store_options *o, struct store *s, struct err_note *note)
{
	const char *where;
	enum err e = driver_find(o->url, &s->driver, &where, note);

	if (e != ERR_OK)
		return e;
	s->db_time = s->driver->shared && !o->own_time;
	s->where = strdup(where);
	return s->where != NULL ? ERR_OK : ERR_NO_MEMORY;
}

/* user:password@ becomes user@, and a parameter that is a secret loses its value. Read as libpq does: a user and a
 * password go up to '@', whatever else they hold but '/'; that "@" is the last one, so that rather too much is left
 * out.
 */
char *store_url_public(struct arena *a, const char *url)
{
	static const char secret[] = "password="; /* and sslpassword= */
	char *out = arena_strdup(a, url), *at, *colon, *host = out != NULL ? strstr(out, "://") : NULL;

	if (host == NULL)
		return out;
	host += 3;
	at = host + strcspn(host, "/");
	while (at > host && *at != '@')
		at--;
	colon = at > host ? memchr(host, ':', (size_t)(at - host)) : NULL;
	if (colon != NULL)
		memmove(colon, at, strlen(at) + 1);
	for (char *p = strstr(out, secret); p != NULL; p = strstr(p, secret)) {
		p += strlen(secret);
		memmove(p, p + strcspn(p, "&"), strlen(p + strcspn(p, "&")) + 1);
	}
	return out;
}

static void release(struct store *s)
{
	store_unclaim(s->claim);
	cells_free(s->cells);
	secret_wipe(&s->keys, sizeof(s->keys));
	if (s->where != NULL)
		secret_wipe(s->where, strlen(s->where)); /* it may hold a password */
	free(s->where);
	free(s);
}

static enum err prepare(const struct store_options *o, struct store **out, struct err_note *note)
{
	struct store *s;
	enum err e;

	if (o->master_key.len != AEAD_KEY)
		return err_note_set(note, ERR_MASTER_KEY_WRONG, NULL, "The master key must have 32 bytes.");
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return ERR_NO_MEMORY;
	s->clock = o->clock;
	s->rand = o->rand;
	e = find_driver(o, s, note);
	if (e == ERR_OK && o->cell_memory != 0)
		e = cells_new(o->cell_memory, &s->rand, &s->cells);
	if (e != ERR_OK) {
		release(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

/* End a transaction that was begun outside the writer. */
static enum err finish(struct store_tx *tx, enum err e)
{
	if (e == ERR_OK)
		e = tx->db->driver->commit(tx->db);
	if (e != ERR_OK)
		tx->db->driver->rollback(tx->db);
	tx_end(tx);
	return e;
}

/* Servers may start at the same time, while others work. */
static enum err lock_schema(struct store_tx *tx)
{
	return tx->db->driver->shared ? tx->db->driver->lock_schema(tx->db) : ERR_OK;
}

static enum err fill_new(struct store_tx *tx, struct span master)
{
	enum db_contents contents;
	enum err e = lock_schema(tx);

	if (e == ERR_OK)
		e = tx->db->driver->contents(tx->db, &contents);
	if (e == ERR_OK && contents != DB_EMPTY)
		e = ERR_ALREADY_EXISTS;
	if (e == ERR_OK)
		e = migrate(tx, 0);
	if (e == ERR_OK)
		e = keys_make(tx, master);
	if (e == ERR_OK)
		e = copy_unmark(tx); /* of a restore that came to nothing */
	return e == ERR_OK ? mark_write(tx) : e;
}

static enum err occupied(struct err_note *note)
{
	return err_note_set(note, ERR_ALREADY_EXISTS, NULL, "There is a store in this place already.");
}

enum err store_vacant(const struct store_options *o, struct err_note *note)
{
	const struct db_driver *driver;
	enum db_contents contents = DB_EMPTY;
	const char *where;
	struct db *db = NULL;
	enum err e = driver_find(o->url, &driver, &where, note);

	if (e != ERR_OK || !driver->shared)
		return e;
	e = driver->create(where, &db, note);
	if (e == ERR_OK) {
		e = driver->contents(db, &contents);
		driver->close(db);
	}
	return e == ERR_OK && contents != DB_EMPTY ? occupied(note) : e;
}

enum err store_create(const struct store_options *o, struct err_note *note)
{
	struct store *s = NULL;
	struct db *db = NULL;
	struct store_tx tx;
	enum err e = prepare(o, &s, note);

	if (e != ERR_OK)
		return e;
	e = s->driver->create(s->where, &db, note);
	if (e != ERR_OK)
		goto out;
	tx = (struct store_tx){.store = s, .db = db, .now = clock_now(&s->clock)};
	e = db->driver->begin(db, DB_WRITE);
	if (e == ERR_OK)
		e = finish(&tx, fill_new(&tx, o->master_key));
	if (e == ERR_ALREADY_EXISTS)
		e = occupied(note);
out:
	if (db != NULL)
		db->driver->close(db);
	release(s);
	return e;
}

static enum err read_clock(struct store_tx *tx)
{
	const int64_t asked = clock_steady(&tx->store->clock);
	struct query q;
	int64_t time = 0;
	enum err e;

	q_open(&q, tx, tx->store->driver->clock);
	if (q_next(&q))
		time = q_int(&q);
	e = q_close(&q);
	if (e == ERR_OK)
		time_follow(tx->store, time, asked);
	return e;
}

bool store_is_copy(const struct store *s)
{
	return s->copy;
}

static enum err load(struct store_tx *tx, struct span master, struct err_note *note)
{
	int64_t version = 0, mark = 0;
	enum err e = lock_schema(tx);

	if (e == ERR_OK)
		e = schema_version(tx, &version);
	if (e == ERR_OK && version > STORE_SCHEMA)
		e = err_note_set(note, ERR_STORE_NEWER, NULL, "The store has version %lld, this program knows %d.",
		                 (long long)version, STORE_SCHEMA);
	if (e == ERR_OK)
		e = keys_load(tx, master);
	if (e == ERR_OK && version < STORE_SCHEMA)
		e = migrate(tx, version);
	if (e == ERR_OK)
		e = copy_marked(tx, &tx->store->copy);
	if (e == ERR_OK && tx->store->db_time)
		e = read_clock(tx);
	if (e == ERR_OK)
		e = mark_read(tx, &mark);
	if (e == ERR_OK)
		(void)time_reached(tx->store, mark);
	return e;
}

enum err store_open(const struct store_options *o, struct store **out, struct err_note *note)
{
	struct store *s = NULL;
	struct db *db = NULL;
	struct store_tx tx;
	enum err e = prepare(o, &s, note);

	if (e != ERR_OK)
		return e;
	e = s->driver->open(s->where, DB_WRITE, &db, note);
	if (e != ERR_OK)
		goto fail;
	tx = (struct store_tx){.store = s, .db = db, .now = clock_now(&s->clock)};
	if (o->serves && s->driver->claim != NULL)
		e = s->driver->claim(s->where, &s->claim, note);
	if (e == ERR_OK)
		e = db->driver->begin(db, DB_WRITE);
	if (e == ERR_OK)
		e = finish(&tx, load(&tx, o->master_key, note));
	if (e == ERR_OK)
		e = pool_new(s, o->readers, &s->pool, note);
	if (e != ERR_OK) {
		db->driver->close(db);
		goto fail;
	}
	e = writer_new(s, db, o, &s->writer);
	if (e == ERR_OK)
		e = keeper_new(s, o, &s->keeper);
	if (e != ERR_OK)
		goto fail;
	*out = s;
	return ERR_OK;
fail:
	writer_stop(s->writer);
	pool_free(s->pool);
	writer_free(s->writer);
	release(s);
	return e;
}

/* First everything comes to rest, then it is taken down. A reader may be waiting for a write of its own, so that
 * readers end first; the writer's connection is closed last, because it may fold the log back into the file. */
void store_close(struct store *s)
{
	if (s == NULL)
		return;
	pool_stop(s->pool);
	writer_stop(s->writer);
	keeper_free(s->keeper);
	pool_free(s->pool);
	writer_free(s->writer);
	release(s);
}

/* What was told once is never taken back. */
static int64_t never_back(struct store *s, int64_t time)
{
	int64_t last = atomic_load(&s->last);

	while (time > last && !atomic_compare_exchange_weak(&s->last, &last, time))
		;
	return time > last ? time : last;
}

/* By the database's clock, or the mark where that is later. */
static int64_t shared_now(struct store *s)
{
	int64_t ahead = atomic_load(&s->ahead), follows = atomic_load(&s->follows);

	return never_back(s, clock_steady(&s->clock) + (ahead > follows ? ahead : follows));
}

/* A slow answer tells little, a quick one much: what is known stays as it is within what the answer leaves open. Else a
 * server that is busy would be behind the others, and see what they have just issued as not begun. */
void time_follow(struct store *s, int64_t time, int64_t asked)
{
	const int64_t least = time - clock_steady(&s->clock), most = time - asked;
	int64_t follows = atomic_load(&s->follows);

	if (follows < least)
		follows = least;
	else if (follows > most)
		follows = most;
	atomic_store(&s->follows, follows);
}

int64_t time_reached(struct store *s, int64_t time)
{
	int64_t steady = clock_steady(&s->clock), ahead = atomic_load(&s->ahead);

	/* Servers follow the database's clock to a few ms: what is no later than that is no other time, and two that
	 * pushed one another would run away. */
	if (s->db_time && time <= shared_now(s) + CLOCK_SLACK)
		return shared_now(s);
	while (time - steady > ahead && !atomic_compare_exchange_weak(&s->ahead, &ahead, time - steady))
		;
	return s->db_time ? shared_now(s) : steady + atomic_load(&s->ahead);
}

int64_t store_now(struct store *s)
{
	if (s->db_time)
		return shared_now(s);
	return time_reached(s, clock_now(&s->clock));
}

int64_t store_clock_behind(struct store *s)
{
	int64_t now = clock_now(&s->clock), behind = store_now(s) - now;

	return behind > CLOCK_SLACK ? behind : 0;
}

enum err tx_connect(struct store_tx *tx)
{
	enum err e = tx->broken;

	if (e == ERR_OK)
		e = pool_take(tx->store->pool, &tx->db);
	if (e == ERR_OK) /* it may have waited: what is seen must not be of later */
		tx->now = store_now(tx->store);
	if (e == ERR_OK)
		e = tx->db->driver->begin(tx->db, tx->use);
	if (e != ERR_OK)
		tx->broken = e;
	return e;
}

static enum err read_as(struct store *s, enum db_use use, store_fn *fn, void *arg)
{
	struct store_tx tx = {.store = s, .use = use};
	int64_t began = steady_us();
	enum err e = pool_enter(s->pool);

	if (e != ERR_OK)
		return e;
	tx.now = store_now(s);
	for (unsigned kind = 0; kind < STORE_KINDS; kind++)
		tx.epochs[kind] = store_epoch(s, kind);
	e = fn(&tx, arg);
	if (tx.db != NULL) {
		tx.db->driver->rollback(tx.db);
		pool_give(s->pool, tx.db);
		spread_add(&s->counts.read, store_time_bounds, (uint64_t)(steady_us() - began));
	}
	tx_end(&tx);
	pool_leave(s->pool);
	return e;
}

enum err store_read(struct store *s, store_fn *fn, void *arg)
{
	return read_as(s, DB_READ, fn, arg);
}

enum err store_look(struct store *s, store_fn *fn, void *arg)
{
	return read_as(s, s->driver->shared ? DB_LOOK : DB_READ, fn, arg);
}

static enum err ping(struct store_tx *tx, void *arg)
{
	int64_t version;

	(void)arg;
	return schema_version(tx, &version);
}

enum err store_ping(struct store *s)
{
	return store_look(s, ping, NULL);
}

enum err store_submit(struct store *s, store_fn *fn, void *arg, store_done *done)
{
	return writer_submit(s->writer, &(struct job){.fn = fn, .done = done, .arg = arg});
}

enum err store_submit_within(struct store *s, store_fn *fn, void *arg, store_done *done, int64_t left_ms)
{
	return writer_submit(s->writer,
	                     &(struct job){.fn = fn, .done = done, .arg = arg, .until = clock_monotonic_ms() + left_ms});
}

struct waiting {
	store_fn *fn;
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool answered;
	enum err result;
};

static enum err run_waiting(struct store_tx *tx, void *arg)
{
	struct waiting *w = arg;

	return w->fn(tx, w->arg);
}

static void wake(void *arg, enum err result)
{
	struct waiting *w = arg;

	pthread_mutex_lock(&w->lock);
	w->result = result;
	w->answered = true;
	pthread_cond_signal(&w->over);
	pthread_mutex_unlock(&w->lock);
}

enum err store_write(struct store *s, store_fn *fn, void *arg)
{
	struct waiting w = {.fn = fn, .arg = arg};
	enum err e;

	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.over, NULL);
	e = store_submit(s, run_waiting, &w, wake);
	if (e == ERR_OK) {
		pthread_mutex_lock(&w.lock);
		while (!w.answered)
			pthread_cond_wait(&w.over, &w.lock);
		pthread_mutex_unlock(&w.lock);
		e = w.result;
	}
	pthread_cond_destroy(&w.over);
	pthread_mutex_destroy(&w.lock);
	return e;
}
