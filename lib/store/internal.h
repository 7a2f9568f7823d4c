/* Private to lib/store: the store's parts and what the verbs are written with. */
#ifndef YZ_STORE_INTERNAL_H
#define YZ_STORE_INTERNAL_H

#include "store/driver.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STORE_KEY = 32, SCRATCH_BUDGET = 160 << 20 };

struct store_keys {
	uint8_t data[STORE_KEY];   /* encrypts values */
	uint8_t lookup[STORE_KEY]; /* keys the hashes under which personal values are found */
};

struct pool;
struct writer;
struct keeper;

struct cells; /* cells.h */

/* What is counted (figures.c). */
struct spread {
	_Atomic uint64_t bucket[STORE_BUCKETS], sum;
};
struct counts {
	struct spread batch, write, read;
	struct db_counts db;
	_Atomic uint64_t conflicts, lost, exact, unnumbered;
	_Atomic int64_t unnumbered_since; /* steady ms: as long the first of them has been seen; 0: none waits */
};

struct store {
	const struct db_driver *driver;
	char *where;
	struct store_claim *claim; /* of one that serves a file */
	struct clock clock;
	struct rand rand;
	struct store_keys keys;
	bool copy;               /* when it was opened: codes of a copy put in place were not cancelled yet */
	struct cells *cells;     /* NULL: no opened values are kept */
	bool db_time;            /* the database's clock decides */
	_Atomic int64_t ahead;   /* the store's time less the steady clock's reading; only rises, so time never runs back */
	_Atomic int64_t follows; /* db_time: the same of the database's clock, as it was read last */
	_Atomic int64_t last;    /* db_time: the latest that was told */
	_Atomic uint64_t epochs[STORE_KINDS];
	int64_t others; /* the one writer's: what db_driver.others() said in its last transaction */
	struct counts counts;
	_Atomic int64_t away_since; /* when a writer last lost the database; 0: it is there */
	struct pool *pool;
	struct writer *writer;
	struct keeper *keeper;
};

struct store_tx {
	struct store *store;
	struct db *db;         /* NULL: a read that has not asked yet */
	enum db_use use;       /* then */
	struct arena *scratch; /* for sealed values and the like, made at first use */
	int64_t now;
	enum err broken;  /* the database failed in a way that no write function may talk away */
	bool fast;        /* nobody waits for what most probably holds */
	bool assumed;     /* something of that kind was assumed */
	bool unasked;     /* it was assumed that a request was not answered yet, and store_replay_put() did not come */
	unsigned touched; /* bits of enum store_kind */
	uint64_t epochs[STORE_KINDS]; /* of a read, from before it began */
};

/* NULL when out of memory. */
struct arena *tx_scratch(struct store_tx *tx);
void tx_end(struct store_tx *tx);

/* A read's connection, and its snapshot, with its first question: what is known otherwise needs neither. */
enum err tx_connect(struct store_tx *tx) MUST_CHECK;

/* For what is only right as if alone: a fast transaction is given up and run again. */
enum err tx_serial(struct store_tx *tx) MUST_CHECK;

/* ---- queries --------------------------------------------------------------------------------------------
 * q_open, q_put_* in the order of $1, $2, …, then q_run, or q_next until false with q_* in the order of the columns,
 * then q_close. Errors are remembered: only the last call is checked. */
struct query {
	struct store_tx *tx;
	struct db_stmt *st;
	unsigned put, column;
	enum err err;
};

/* Where an encrypted value stands. It cannot be read anywhere else. No '|' in table and column. */
struct cell {
	const char *table, *row, *column;
	uint64_t version;
};

void q_open(struct query *q, struct store_tx *tx, const char *sql);
void q_put_int(struct query *q, int64_t v);
void q_put_text(struct query *q, const char *s); /* NULL is stored as "" */
void q_put_blob(struct query *q, struct span s);
void q_put_null(struct query *q);
void q_put_sealed(struct query *q, struct cell at, struct span plain);
/* false at the end, or on failure. */
bool q_next(struct query *q);
bool q_is_null(struct query *q); /* the next column; does not move on */
int64_t q_int(struct query *q);
/* A number that must lie in lo..hi, else ERR_STORE_CORRUPT. */
int q_enum(struct query *q, int lo, int hi);
char *q_text(struct query *q, struct arena *a);
struct span q_blob(struct query *q, struct arena *a);
/* Exactly n bytes, else ERR_STORE_CORRUPT. */
void q_fixed(struct query *q, uint8_t *out, size_t n);
struct span q_sealed(struct query *q, struct arena *a, struct cell at);
char *q_sealed_text(struct query *q, struct arena *a, struct cell at);
/* Room for element n of a list that grows; NULL (and the query has failed) past the arena's budget. */
void *q_grow(struct query *q, struct arena *a, void *list, size_t n, size_t size);
void q_fail(struct query *q, enum err e);
enum err q_close(struct query *q) MUST_CHECK;
/* For statements without rows: run and close. *changed (may be NULL): rows changed. */
enum err q_run(struct query *q, int64_t *changed) MUST_CHECK;
/* The same when nobody needs to know: may be found to have failed later. */
enum err q_later(struct query *q) MUST_CHECK;
/* For a statement that must find or change a row (`expected`), else `otherwise`. In a fast transaction not waited for.
 */
enum err q_must(struct query *q, enum db_expect expected, enum err otherwise) MUST_CHECK;
/* For a query of which one row was read (found says whether): ERR_NOT_FOUND when there was none. */
enum err q_close_found(struct query *q, bool found) MUST_CHECK;

static inline size_t page_of(size_t max)
{
	return max < STORE_PAGE_MAX ? max : STORE_PAGE_MAX;
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* New keys, wrapped by the master key and written to meta. */
enum err keys_make(struct store_tx *tx, struct span master) MUST_CHECK;
/* ERR_MASTER_KEY_WRONG, ERR_STORE_CORRUPT. */
enum err keys_load(struct store_tx *tx, struct span master) MUST_CHECK;
/* HMAC-SM3(lookup key, domain || 0 || part || 0 || part …); the parts hold no NUL. */
enum err lookup_hash(struct store_tx *tx, const char *domain, const char *const *parts, size_t n,
                     uint8_t out[SM3_LEN]) MUST_CHECK;

/* ---- schema --------------------------------------------------------------------------------- */

/* From `from` up to STORE_SCHEMA, in the transaction that is open. */
enum err migrate(struct store_tx *tx, int64_t from) MUST_CHECK;
/* See store_is_copy(). */
enum err copy_marked(struct store_tx *tx, bool *out) MUST_CHECK;
enum err copy_unmark(struct store_tx *tx) MUST_CHECK;
/* The step from version 1 that SQL alone cannot do: an entry's values become one (audit_old.c). */
enum err audit_values_join(struct store_tx *tx) MUST_CHECK;
/* A number in meta; ERR_NOT_FOUND. */
enum err meta_get(struct store_tx *tx, const char *key, int64_t *out) MUST_CHECK;
enum err meta_put(struct store_tx *tx, const char *key, int64_t num) MUST_CHECK;
enum err schema_version(struct store_tx *tx, int64_t *out) MUST_CHECK;

/* ---- time ----------------------------------------------------------------------------------- */

/* It is `time` now, or later: read from the clock, or written by a commit. Returns the store's time. */
int64_t time_reached(struct store *s, int64_t time);
enum err mark_read(struct store_tx *tx, int64_t *out) MUST_CHECK;
enum err mark_write(struct store_tx *tx) MUST_CHECK;

/* The database's clock read `time` at some moment since `asked` (clock_steady()). */
void time_follow(struct store *s, int64_t time, int64_t asked);

/* ---- versions (versions.c) ------------------------------------------------------------------ */

/* Something of this kind is changed by this transaction; `shard` (of 16) spreads the row that counts. */
enum err touch(struct store_tx *tx, enum store_kind kind, unsigned shard) MUST_CHECK;
/* After the commit: this process' caches know. */
void touched(struct store *s, unsigned bits);
/* Likewise, when it was this process that changed it: the other servers are told soon. */
void changed(struct store *s, unsigned bits);
/* In a transaction of the one writer, which nobody can come into: if another process has written since its last one,
 * whatever it was, caches know at once, not when the keeper looks. */
enum err others_follow(struct store_tx *tx) MUST_CHECK;
/* The sums per kind as the database has them. */
enum err versions_read(struct store_tx *tx, int64_t out[STORE_KINDS]) MUST_CHECK;

/* ---- connections ---------------------------------------------------------------------------- */

enum err pool_new(struct store *s, unsigned readers, struct pool **out, struct err_note *note) MUST_CHECK;
/* From here on ERR_STOPPING; waits until all connections have come back. */
void pool_stop(struct pool *p);
void pool_free(struct pool *p);
/* A reader comes, and goes; pool_stop() waits for those who came. ERR_STOPPING. */
enum err pool_enter(struct pool *p) MUST_CHECK;
void pool_leave(struct pool *p);
/* ERR_STORE_BUSY after a few seconds, ERR_STOPPING. */
enum err pool_take(struct pool *p, struct db **out) MUST_CHECK;
void pool_give(struct pool *p, struct db *db);

struct job {
	int64_t until; /* steady ms: nobody waits for it any longer; 0: somebody always does */
	store_fn *fn;
	store_done *done;
	void *arg;
	enum err result;
	bool joined; /* it took part in a transaction with others */
};

/* Takes over db, also on failure. */
enum err writer_new(struct store *s, struct db *db, const struct store_options *o, struct writer **out) MUST_CHECK;
/* From here on ERR_STOPPING; runs what is queued, then ends. */
void writer_stop(struct writer *w);
void writer_free(struct writer *w);
enum err writer_submit(struct writer *w, const struct job *j) MUST_CHECK;

unsigned writer_queued(struct writer *w);

/* Run the jobs in one transaction and set their results (batch.c). *careful: so many batches to come take a savepoint
 * for each job. */
void run_batch(struct store *s, struct db *db, struct job *jobs, size_t n, unsigned *careful);
/* A transaction for one function on a shared database: tried again after conflicts and when the database went away
 * (single.c). */
enum err run_single(struct store *s, struct db *db, store_fn *fn, void *arg) MUST_CHECK;
/* The same, not beyond steady time `until` (0: no limit): ERR_DEADLINE. */
enum err run_single_until(struct store *s, struct db *db, const struct job *j) MUST_CHECK;

/* Several in one transaction. Sets the results of those that took part (`joined`); the others have yet to be run,
 * alone. false: it failed, and it is better not to try again at once. */
bool run_shared(struct store *s, struct db *db, struct job *jobs, size_t n);

/* ---- figures (figures.c) -------------------------------------------------------------------- */

int64_t steady_us(void);
void spread_add(struct spread *s, const uint64_t bounds[STORE_BUCKETS - 1], uint64_t value);

/* A thread that takes no signals, with a name of at most 15 characters for those who look at a busy machine. */
enum err thread_start(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg) MUST_CHECK;
/* From now on the connection's commits can be found out about. */
enum err enlist_writer(struct store *s, struct db *db) MUST_CHECK;

/* A thread that watches the versions and, on a shared database, the clock, and numbers the audit entries (keeper.c). */
enum err keeper_new(struct store *s, const struct store_options *o, struct keeper **out) MUST_CHECK;
void keeper_free(struct keeper *k);
/* Something was changed: tell the other servers that share the database, when it can be told. Does not wait. NULL: it
 * is not told. */
void keeper_tell(struct keeper *k);

/* Binds names and values of an entry: two parameters. */
enum err audit_put_values(struct query *q, const struct audit_row *r) MUST_CHECK;

/* ---- events of seals and licences ----------------------------------------------------------- */

/* object: "seal/…" or "licence/…". Sets e->recorded; the sequence is the object's version. */
enum err events_add(struct store_tx *tx, const char *object, struct state_event *e) MUST_CHECK;
enum err events_list(struct store_tx *tx, struct arena *a, const char *object, struct state_event **out,
                     size_t *n) MUST_CHECK;

#endif
