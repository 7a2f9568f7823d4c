/* Private to lib/store: the store's parts and what the verbs are written with. */
#ifndef YZ_STORE_INTERNAL_H
#define YZ_STORE_INTERNAL_H

#include "store/driver.h"
#include "store/store.h"

#include <stdatomic.h>

enum { STORE_KEY = 32, SCRATCH_BUDGET = 160 << 20 };

struct store_keys {
	uint8_t data[STORE_KEY];   /* encrypts values */
	uint8_t lookup[STORE_KEY]; /* keys the hashes under which personal values are found */
};

struct pool;
struct writer;

struct store {
	const struct db_driver *driver;
	char *where;
	struct clock clock;
	struct rand rand;
	struct store_keys keys;
	_Atomic int64_t ahead; /* the store's time less the steady clock's reading; only rises, so time never runs back */
	struct pool *pool;
	struct writer *writer;
};

struct store_tx {
	struct store *store;
	struct db *db;
	struct arena *scratch; /* for sealed values and the like, made at first use */
	int64_t now;
	enum err broken; /* the database failed in a way that no write function may talk away */
};

/* NULL when out of memory. */
struct arena *tx_scratch(struct store_tx *tx);
void tx_end(struct store_tx *tx);

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
enum err schema_version(struct store_tx *tx, int64_t *out) MUST_CHECK;

/* ---- time ----------------------------------------------------------------------------------- */

/* It is `time` now, or later: read from the clock, or written by a commit. Returns the store's time. */
int64_t time_reached(struct store *s, int64_t time);
enum err mark_read(struct store_tx *tx, int64_t *out) MUST_CHECK;
enum err mark_write(struct store_tx *tx) MUST_CHECK;

/* ---- connections ---------------------------------------------------------------------------- */

enum err pool_new(struct store *s, unsigned readers, struct pool **out, struct err_note *note) MUST_CHECK;
/* From here on ERR_STOPPING; waits until all connections have come back. */
void pool_stop(struct pool *p);
void pool_free(struct pool *p);
/* ERR_STORE_BUSY after a few seconds, ERR_STOPPING. */
enum err pool_take(struct pool *p, struct db **out) MUST_CHECK;
void pool_give(struct pool *p, struct db *db);

/* Takes over db, also on failure. */
enum err writer_new(struct store *s, struct db *db, unsigned batch_max, struct writer **out) MUST_CHECK;
/* From here on ERR_STOPPING; runs what is queued, then ends. */
void writer_stop(struct writer *w);
void writer_free(struct writer *w);
enum err writer_submit(struct writer *w, store_fn *fn, void *arg, store_done *done) MUST_CHECK;

/* ---- events of seals and licences ----------------------------------------------------------- */

/* object: "seal/…" or "licence/…". Sets e->recorded; the sequence is the object's version. */
enum err events_add(struct store_tx *tx, const char *object, struct state_event *e) MUST_CHECK;
enum err events_list(struct store_tx *tx, struct arena *a, const char *object, struct state_event **out,
                     size_t *n) MUST_CHECK;

#endif
