/*
 * The store: the domain's verbs over a database. docs/store.md has the schema.
 *
 *  - Reads run in store_read(): one snapshot, any thread, never waiting for writers.
 *  - Writes are functions that can be run again: store_write() hands one to a writer, which answers after the commit is
 *    on disk. On SQLite one writer runs many in one transaction; on PostgreSQL several run one per transaction. A
 *    write function may be run more than once and must not touch anything but its tx and its own arg; when it returns
 *    an error, nothing of it remains.
 *  - On PostgreSQL a write function is first run without waiting for what most probably holds: that a row can be
 *    inserted, that a version is still the same, that a request was not answered yet. When something of that is not so,
 *    or the function returns an error, it is run again as if alone (SERIALIZABLE), and every answer is exact.
 *  - Personal values are encrypted in the row (crypto/aead.h, bound to table, row, column, version) and found by a
 *    keyed hash. Callers give and get plain values; they never see the ciphertext.
 *  - Rows come back in the arena that is passed.
 *  - Errors: ERR_NOT_FOUND (callers turn it into their reason), ERR_ALREADY_EXISTS, ERR_STORE_BUSY, ERR_STORE_FULL,
 *    ERR_STORE_IO, ERR_STORE_CORRUPT, ERR_BUDGET. ERR_STORE_UNSURE: the database was lost in the middle of a commit and
 *    did not come back in time; what became of the write is not known.
 */
#ifndef YZ_STORE_STORE_H
#define YZ_STORE_STORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "crypto/digest.h"
#include "crypto/rand.h"

struct store;
struct store_tx;

enum { STORE_READERS_MAX = 256, STORE_WRITERS_MAX = 64 };
enum { STORE_SCHEMA = 3, STORE_PAGE_MAX = 500, REQUEST_ID_LEN = 16, FINGERPRINT_LEN = 32 };

struct store_options {
	const char *url;        /* "sqlite:/path/store.db", "postgres://user@host:5432/database" */
	struct span master_key; /* 32 bytes; wraps the store's data keys */
	struct clock clock;
	struct rand rand;
	unsigned readers;   /* pooled read connections, at most STORE_READERS_MAX; 0: 4, with PostgreSQL 8 */
	unsigned writers;   /* PostgreSQL: connections that write, at most STORE_WRITERS_MAX; 0: 4 */
	unsigned batch_max; /* SQLite: writes per commit; 0: 256 */
	size_t cell_memory; /* bytes for licences' identifiers that were opened a moment ago; 0: none are kept */
	bool own_time;      /* PostgreSQL: `clock` decides, not the database's. For tests, and for one server alone. */
	bool serves;        /* SQLite: no other may serve the store until it is closed; see store_open() */
	unsigned watch_ms;  /* how often it is looked for what others have changed; 0: 250. For tests. */
};

/* The address as it may be shown and logged: without a password. In the arena; NULL when out of memory. */
char *store_url_public(struct arena *a, const char *url);

/* Make a new store (fails with ERR_ALREADY_EXISTS when there is one). */
enum err store_create(const struct store_options *o, struct err_note *note) MUST_CHECK;
/* Is there room for a store? ERR_ALREADY_EXISTS when a database server holds tables in this place; of a file nothing is
 * said, and none is made. Tells before anything is made for the store, such as its master key; store_create() decides.
 */
enum err store_vacant(const struct store_options *o, struct err_note *note) MUST_CHECK;
/* Open, migrate upwards when older. ERR_STORE_NOT_INIT, ERR_STORE_NEWER, ERR_MASTER_KEY_WRONG, ERR_STORE_CORRUPT.
 * One server serves an SQLite store (docs/store.md): with `serves`, ERR_STORE_SERVED when another process does, or is
 * restoring it; the kernel frees it when a process ends, however it ends. ERR_FILE_UNWRITABLE and ERR_STORE_FULL when
 * that cannot be made sure of. Without it a store is opened whoever serves it. */
enum err store_open(const struct store_options *o, struct store **out, struct err_note *note) MUST_CHECK;
/* Waits for writes under way; later ones get ERR_STOPPING. */
void store_close(struct store *s);
/* A quick round trip to the database, for health. */
enum err store_ping(struct store *s) MUST_CHECK;
/* The time that decides expiry: the clock (with PostgreSQL the database's), but never before what was answered earlier
 * or written down, and going on by the steady clock when the clock was set back. */
int64_t store_now(struct store *s);
/* How far the clock stands behind that time, ms; 0 normally. */
int64_t store_clock_behind(struct store *s);

typedef enum err store_fn(struct store_tx *tx, void *arg);
enum err store_read(struct store *s, store_fn *fn, void *arg) MUST_CHECK;
/* The same without the one snapshot: each statement sees what is there at its own moment, which costs a shared database
 * less. For what a commit will ask again by version (store_…_same), or what one statement answers. */
enum err store_look(struct store *s, store_fn *fn, void *arg) MUST_CHECK;
enum err store_write(struct store *s, store_fn *fn, void *arg) MUST_CHECK;
/* The same without waiting: done(arg, result) is called on the writer's thread after the commit (or failure) and must
 * be short. ERR_STORE_BUSY when the queue is full, ERR_STOPPING: then done is not called. */
typedef void store_done(void *arg, enum err result);
enum err store_submit(struct store *s, store_fn *fn, void *arg, store_done *done) MUST_CHECK;
/* The same for a write that nobody waits for after `left_ms` (at least 1): when that is short, PostgreSQL is told, and
 * what waits there for a lock gives up in time with ERR_DEADLINE. SQLite never waits long for anything but the disk. */
enum err store_submit_within(struct store *s, store_fn *fn, void *arg, store_done *done, int64_t left_ms) MUST_CHECK;
/* Inside a transaction: the time of this transaction (store_now at its begin). */
int64_t store_tx_now(const struct store_tx *tx);

/* ---- figures -------------------------------------------------------------------------------- */

enum { STORE_BUCKETS = 15 };
/* Upper bounds of the buckets; the last one has none. Microseconds; writes per commit. */
extern const uint64_t store_time_bounds[STORE_BUCKETS - 1], store_batch_bounds[STORE_BUCKETS - 1];
struct store_spread {
	uint64_t bucket[STORE_BUCKETS]; /* not added up */
	uint64_t sum;
};
struct store_kept {
	uint64_t hits, misses;
	size_t bytes, limit;
};
struct store_figures {
	struct store_spread batch;       /* writes per transaction */
	struct store_spread write, read; /* microseconds: a transaction of the writer; a read, with what it waited */
	struct store_kept identifiers;   /* of licences, opened a moment ago; wiped after five minutes */
	unsigned queued;                 /* writes that no writer has taken yet */
	bool shared;                     /* the following are of PostgreSQL alone */
	uint64_t connects;               /* connections made, the first ones too */
	uint64_t conflicts, lost, exact; /* transactions run again: in another's way; the database went away; what was taken
	                                    for granted did not hold */
	uint64_t unnumbered;             /* audit entries that wait for their number, at most STORE_UNNUMBERED_MAX */
	int64_t unnumbered_ms;           /* how long the first of them has, as far as this server saw; 0: none */
};
enum { STORE_UNNUMBERED_MAX = 10000 };
/* What was counted since the store was opened. Any thread; asks no database. */
void store_figures(struct store *s, struct store_figures *out);

/* ---- what caches hang on -------------------------------------------------------------------- */

enum store_kind { STORE_PRINCIPALS, STORE_CATALOGUE, STORE_SEALS, STORE_LICENCES, STORE_KINDS };
/* A number that goes up when something of this kind was changed (seals and licences: their state), by this process at
 * the commit, by another server or process within a second. Costs nothing. Take it before what is to be cached is read:
 * what was cached under another number is to be read anew. */
uint64_t store_epoch(struct store *s, enum store_kind kind);
/* The same from before this transaction read anything. What is read in it may be older than store_epoch() says by then,
 * so what is to be kept of it is kept under this. Only in a read: what a write reads may never come to be. */
uint64_t store_tx_epoch(const struct store_tx *tx, enum store_kind kind);
/* In a write: is everything of this kind still as it was when this epoch was taken, whoever could have changed it? Then
 * what was read since need not be asked for again. False on PostgreSQL, where only asking tells. */
bool store_unchanged(const struct store_tx *tx, enum store_kind kind, uint64_t epoch);

/* ---- principals ----------------------------------------------------------------------------- */

enum role { /* bits */
	        ROLE_SYSTEM = 1,
	        ROLE_SECURITY = 2,
	        ROLE_AUDIT = 4,
	        ROLE_SEALER = 8,
	        ROLE_ISSUER = 16,
	        ROLE_WALLET = 32,
	        ROLE_WINDOW = 64,
	        ROLE_INSPECTOR = 128,
	        ROLE_GATEWAY = 256
};

struct principal_key {
	uint8_t fingerprint[FINGERPRINT_LEN];
	int64_t not_before, not_after; /* 0: open */
};

struct principal {
	char *id, *name, *org_code, *org_name;
	unsigned roles;
	bool statutory, disabled;
	size_t n_keys, n_types, n_items;
	struct principal_key *keys;
	char **types, **items;
	uint64_t version;
};

/* By key: whatever its state; the caller judges disabled and validity. ERR_NOT_FOUND. */
enum err store_principal_by_key(struct store_tx *tx, struct arena *a, const uint8_t fp[FINGERPRINT_LEN],
                                struct principal *out) MUST_CHECK;
enum err store_principal_get(struct store_tx *tx, struct arena *a, const char *id, struct principal *out) MUST_CHECK;
/* ERR_STORE_CHANGED unless the principal's version is still this. */
enum err store_principal_same(struct store_tx *tx, const char *id, uint64_t version) MUST_CHECK;
/* Insert or replace; version counts up and is written back. ERR_ALREADY_EXISTS when a key belongs to another. */
enum err store_principal_put(struct store_tx *tx, struct principal *p) MUST_CHECK;
/* In order of id, after `after` ("" from the start), at most max. */
enum err store_principal_list(struct store_tx *tx, struct arena *a, const char *after, size_t max,
                              struct principal **out, size_t *n) MUST_CHECK;
/* Active (not disabled) principals that hold all of `roles`. */
enum err store_principal_count(struct store_tx *tx, unsigned roles, uint64_t *n) MUST_CHECK;
/* The disabled ones, too. */
enum err store_principal_count_all(struct store_tx *tx, unsigned roles, uint64_t *n) MUST_CHECK;

/* A sensitive grant that waits for a second hand: the digest of its contents and who proposed it. */
enum err store_grant_propose(struct store_tx *tx, const char *principal, const uint8_t digest[SM3_LEN],
                             const char *by) MUST_CHECK;
/* ERR_NOT_FOUND when nothing (with this digest, younger than 24 h) waits. *by in the arena. */
enum err store_grant_find(struct store_tx *tx, struct arena *a, const char *principal, const uint8_t digest[SM3_LEN],
                          char **by) MUST_CHECK;
enum err store_grant_clear(struct store_tx *tx, const char *principal) MUST_CHECK;

/* ---- answers that were given (request_id) --------------------------------------------------- */

struct replay {
	uint8_t request_digest[SM3_LEN];
	struct span reply; /* encrypted at rest */
};
/* ERR_NOT_FOUND when none is kept (10 minutes). */
enum err store_replay_get(struct store_tx *tx, struct arena *a, const char *principal,
                          const uint8_t request_id[REQUEST_ID_LEN], struct replay *out) MUST_CHECK;
enum err store_replay_put(struct store_tx *tx, const char *principal, const uint8_t request_id[REQUEST_ID_LEN],
                          const struct replay *r) MUST_CHECK;

/* ---- catalogue ------------------------------------------------------------------------------ */

enum catalog_kind { CATALOG_TYPE = 1, CATALOG_ITEM = 2 };
struct catalog_row {
	char *code;
	struct span json;
	uint64_t version;
};
enum err store_catalog_put(struct store_tx *tx, enum catalog_kind k,
                           struct catalog_row *r) MUST_CHECK; /* version out */
enum err store_catalog_get(struct store_tx *tx, struct arena *a, enum catalog_kind k, const char *code,
                           struct catalog_row *out) MUST_CHECK;
enum err store_catalog_list(struct store_tx *tx, struct arena *a, enum catalog_kind k, const char *after, size_t max,
                            struct catalog_row **out, size_t *n) MUST_CHECK;

/* ---- seals ---------------------------------------------------------------------------------- */

enum seal_state { SEAL_ACTIVE = 1, SEAL_SUSPENDED, SEAL_REVOKED };

struct seal_row {
	char *id, *name, *owner_code, *maker;
	int64_t type;
	enum seal_state state;
	int64_t valid_start, valid_end;
	char *application, *approver, *created_by;
	uint8_t hash[SM3_LEN]; /* of der */
	struct span der;       /* empty in lists */
	uint64_t version;      /* +1 at each change of state */
};

/* One change of state of a seal or licence. */
struct state_event {
	unsigned sequence; /* 1.. within the object, set by the store */
	int state;         /* enum seal_state / enum licence_state */
	char *reason;
	int64_t effective, recorded; /* recorded is set by the store */
	char *principal;
};

/* Insert with its first event (reason = application). ERR_ALREADY_EXISTS. */
enum err store_seal_insert(struct store_tx *tx, const struct seal_row *s) MUST_CHECK;
enum err store_seal_get(struct store_tx *tx, struct arena *a, const char *id, struct seal_row *out) MUST_CHECK;
/* Whole seal by hash of its bytes, to rebuild signatures. */
enum err store_seal_der(struct store_tx *tx, struct arena *a, const uint8_t hash[SM3_LEN], struct span *der) MUST_CHECK;
enum err store_seal_list(struct store_tx *tx, struct arena *a, const char *owner_code /* "" all */, const char *after,
                         size_t max, struct seal_row **out, size_t *n) MUST_CHECK;
/* Appends the event and changes the state, only when the version is still `version`: else ERR_STORE_CHANGED. */
enum err store_seal_change(struct store_tx *tx, const char *id, uint64_t version, struct state_event *e) MUST_CHECK;
enum err store_seal_events(struct store_tx *tx, struct arena *a, const char *id, struct state_event **out,
                           size_t *n) MUST_CHECK;
/* ERR_STORE_CHANGED unless the seal's version is still this. */
enum err store_seal_same(struct store_tx *tx, const char *id, uint64_t version) MUST_CHECK;

/* ---- licences ------------------------------------------------------------------------------- */

enum licence_state { LICENCE_VALID = 1, LICENCE_SUSPENDED, LICENCE_REVOKED, LICENCE_CANCELLED, LICENCE_EXPIRED };

struct holder_key { /* how a holder is looked up */
	const char *code_type, *code;
};

struct licence_row {
	char *id; /* identifier. It may hold a personal number: encrypted and found by keyed hash */
	char *type_code, *issuer_code, *seal_id;
	enum licence_state state; /* as last recorded; LICENCE_EXPIRED is never stored: see valid_to */
	int64_t state_since;      /* effective time of that state */
	int64_t issued;           /* the store's time of issue: proof of the time of signing */
	int64_t valid_from, valid_to;
	struct span record;             /* encrypted at rest; empty in lists */
	struct span sig_head, sig_tail; /* the SES_Signature before and after the embedded seal; encrypted at rest */
	uint8_t seal_hash[SM3_LEN];
	uint64_t version; /* +1 at each change of state */
};

/* With its holders and first event (LICENCE_VALID). ERR_ALREADY_EXISTS when the identifier, or the same type, issuer
 * and number (`number_unique`: keyed-hashed by the store) exists. */
enum err store_licence_insert(struct store_tx *tx, const struct licence_row *l, const char *number,
                              const struct holder_key *holders, size_t n_holders, const char *principal) MUST_CHECK;
enum err store_licence_get(struct store_tx *tx, struct arena *a, const char *id, struct licence_row *out) MUST_CHECK;
/* A holder's licences (any state), newest first, at most max; type_code "" all. Without record and signature. */
enum err store_licence_by_holder(struct store_tx *tx, struct arena *a, const struct holder_key *h,
                                 const char *type_code, size_t max, struct licence_row **out, size_t *n) MUST_CHECK;
/* How many there are. None is ever taken from a holder: as many as before are the same as before. */
enum err store_licence_count(struct store_tx *tx, const struct holder_key *h, uint64_t *n) MUST_CHECK;
/* An issuer's licences, oldest first, after the opaque token ("" from the start); *next is "" at the end. */
enum err store_licence_list(struct store_tx *tx, struct arena *a, const char *issuer_code, const char *type_code,
                            const char *token, size_t max, struct licence_row **out, size_t *n, char **next) MUST_CHECK;
enum err store_licence_change(struct store_tx *tx, const char *id, uint64_t version, struct state_event *e) MUST_CHECK;
enum err store_licence_events(struct store_tx *tx, struct arena *a, const char *id, struct state_event **out,
                              size_t *n) MUST_CHECK;
enum err store_licence_same(struct store_tx *tx, const char *id, uint64_t version) MUST_CHECK;
/* The same for a licence and the seal on it in one question. */
enum err store_licence_sealed_same(struct store_tx *tx, const char *id, uint64_t version, const char *seal_id,
                                   uint64_t seal_version) MUST_CHECK;

/* ---- show-codes ----------------------------------------------------------------------------- */

enum code_kind { CODE_SHOW = 1, CODE_USE = 2 };
enum audience_kind { AUDIENCE_INSPECTORS = 1, AUDIENCE_WINDOWS, AUDIENCE_ORGANISATION };

struct code_row {
	uint8_t hash[SM3_LEN];
	enum code_kind kind;
	enum audience_kind audience;
	char *audience_org, *wallet, *item_code;
	struct span body; /* desk/'s own CBOR: holder, presenter, grants, purpose; encrypted at rest */
	int64_t created, expires;
	int64_t cancelled, used; /* 0: not */
	char *used_by;           /* principal */
};
enum err store_code_insert(struct store_tx *tx, const struct code_row *c) MUST_CHECK;
enum err store_code_get(struct store_tx *tx, struct arena *a, const uint8_t hash[SM3_LEN],
                        struct code_row *out) MUST_CHECK;
/* Mark as used: ERR_CODE_USED, ERR_CODE_CANCELLED, ERR_CODE_EXPIRED (at store_tx_now), ERR_CODE_UNKNOWN. */
enum err store_code_spend(struct store_tx *tx, const uint8_t hash[SM3_LEN], const char *principal) MUST_CHECK;
/* ERR_CODE_USED, ERR_CODE_UNKNOWN; cancelling twice or after expiry is fine. */
enum err store_code_cancel(struct store_tx *tx, const uint8_t hash[SM3_LEN]) MUST_CHECK;

/* ---- receipts ------------------------------------------------------------------------------- */

struct receipt_row {
	char *id, *principal;
	int64_t time;
	struct span body; /* canonical CBOR (form/receipt.h), no personal values */
};
enum err store_receipt_insert(struct store_tx *tx, const struct receipt_row *r) MUST_CHECK;
enum err store_receipt_get(struct store_tx *tx, struct arena *a, const char *id, struct receipt_row *out) MUST_CHECK;

/* ---- audit ---------------------------------------------------------------------------------- */

#define AUDIT_UNNUMBERED UINT64_MAX
struct audit_value {    /* a personal value; stands in a row of its own that can be erased */
	char *name, *value; /* value "" and erased when it is gone */
	uint8_t salt[16];
	bool erased;
};
struct audit_row {
	uint64_t index; /* dense from 0, set by the store; AUDIT_UNNUMBERED in an entry that was just written */
	int64_t time;
	char *action, *principal;
	struct span record; /* canonical bytes, salted digests only */
	uint8_t leaf[SHA256_LEN];
	size_t n_values;
	struct audit_value *values;
};
/* index is set: on SQLite to the entry's number; on PostgreSQL the entry gets one within a second after the commit, and
 * is not listed before. */
enum err store_audit_append(struct store_tx *tx, struct audit_row *r) MUST_CHECK;
enum err store_audit_list(struct store_tx *tx, struct arena *a, uint64_t from, size_t max, const char *action,
                          const char *principal, struct audit_row **out, size_t *n) MUST_CHECK;
enum err store_audit_size(struct store_tx *tx, uint64_t *n) MUST_CHECK;
/* How many entries wait for their number. */
enum err store_audit_waiting(struct store_tx *tx, uint64_t *n) MUST_CHECK;

/* How long, in ms. What is needed for answering "used" and "expired", and what may be read in the audit log. */
struct store_keep {
	int64_t codes;        /* after they expired */
	int64_t audit_values; /* the personal values of entries, not the entries; 0: for ever */
};
/* Delete replays after 10 minutes, proposed grants after a day, and what `keep` says; at most `max` rows, so that the
 * writer is not held for long. *n: how many; `max` when there may be more. */
enum err store_expire(struct store_tx *tx, const struct store_keep *keep, size_t max, uint64_t *n) MUST_CHECK;

#endif
