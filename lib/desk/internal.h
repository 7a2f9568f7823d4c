/*
 * Private to the room: what the use cases share. Helpers answer ERR_OK or a refusal whose note is already in call->note
 * (code, field, what to do); whoever returns a bare code gets the table's sentence from desk_begin() / desk_commit().
 */
#ifndef YZ_DESK_INTERNAL_H
#define YZ_DESK_INTERNAL_H

#include "desk/desk.h"
#include "desk/source.h"
#include "desk/uses.h"

struct limiter;

enum { DESK_POLICIES = 3 };

struct desk {
	struct desk_options o;
	struct arena *policies_arena;
	struct verify_policy policies[DESK_POLICIES]; /* the shipped ones, with the service's trust */
	const struct verify_policy *strict;           /* among them */
	uint8_t trust_digest[SHA256_LEN];
	uint64_t number;     /* among those that share the caches */
	struct source local; /* when the options name no source */
	const struct source *local_list[1];
	const struct source *const *sources; /* never empty */
	size_t n_sources;
	struct limiter *limiter;
};

/* The policy of this name; NULL or "" is "default"; NULL when there is none. */
const struct verify_policy *desk_policy(const struct desk *d, const char *name);

/* ---- time, pages, names (call.c) ------------------------------------------------------------ */
/* What decides expiry: store_now(). In a commit use store_tx_now(). */
int64_t desk_now(const struct desk_call *call);
/* 0 is DESK_PAGE, never above DESK_PAGE_MAX. Ask the store for one more to know whether there is a next page. */
size_t desk_page(unsigned asked);
/* prefix and n random characters of 0-9 A-Z without I L O U (5 bits each). */
enum err desk_random_text(struct desk_call *call, const char *prefix, size_t n, char **out) MUST_CHECK;
/* prefix and a ULID: 48 bits of the time in ms, then 80 random bits, so that what is made one after the other stands
 * side by side in an index: random keys write a page each. */
enum { ULID_LEN = 26, ULID_TIME = 10 };
enum err desk_ulid(struct desk_call *call, const char *prefix, char **out) MUST_CHECK;
/* Read in one snapshot with the call as argument. */
enum err desk_read(struct desk_call *call, store_fn *fn) MUST_CHECK;
/* The same without the one snapshot, for what the commit asks again: see store_look(). */
enum err desk_look(struct desk_call *call, store_fn *fn) MUST_CHECK;

/* ---- signed statements (sign.c) ------------------------------------------------------------- */
/* This key signs statements of this content type, before it is used. ERR_NO_MEMORY, ERR_BUDGET, ERR_CRYPTO. */
enum err desk_expect(const struct desk_key *key, const char *type) MUST_CHECK;
/* The statement as COSE_Sign1, with the key's certificate. */
enum err desk_sign(struct desk_call *call, const struct desk_key *key, const char *type, struct span body,
                   struct span *out) MUST_CHECK;

/* ---- texts (call.c); max in bytes ----------------------------------------------------------- */
/* NULL, "" or only blanks: `missing`. ERR_FIELD_TOO_LONG, ERR_TEXT_INVALID. */
enum err need_text(struct desk_call *call, const char *value, size_t max, enum err missing,
                   const char *field) MUST_CHECK;
/* The same, and empty is fine. */
enum err may_text(struct desk_call *call, const char *value, size_t max, const char *field) MUST_CHECK;

/* ---- audit (audit.c) ------------------------------------------------------------------------ */
enum { AUDIT_FACTS_MAX = 64, AUDIT_TEXT_MAX = 4000 };

struct desk_fact {
	const char *name, *value; /* NULL or "" is left out */
	bool personal;            /* only a salted digest goes into the record; value and salt into an erasable row */
};
/* Append the entry of this use: time, use->action, caller and organisation, operator (personal), request digest,
 * result ("ok", "pending", …) and facts. Sets call->audit_leaf. Call it in commit(), before a receipt's body is made.
 */
enum err desk_audit(struct desk_call *call, struct store_tx *tx, const char *result, const struct desk_fact *facts,
                    size_t n) MUST_CHECK;
/* The same for an entry outside of a call (the enrolment of the first administrators). */
struct audit_head {
	int64_t time;
	const char *action, *principal, *org_code, *result;
	struct span request_digest; /* 32 bytes, or empty: a request without a random id could be guessed from it */
};
enum err audit_append(struct arena *a, const struct rand *r, struct store_tx *tx, const struct audit_head *head,
                      const struct desk_fact *facts, size_t n, uint8_t leaf[SHA256_LEN]) MUST_CHECK;

/* ---- catalogue (catalog.c) ------------------------------------------------------------------ */
/* Read and parse. ERR_TYPE_UNKNOWN, ERR_ITEM_UNKNOWN; ERR_STORE_CORRUPT when what is stored does not parse. */
enum err desk_type_get(struct store_tx *tx, struct arena *a, const char *code, struct licence_type *out) MUST_CHECK;
enum err desk_item_get(struct store_tx *tx, struct arena *a, const char *code, struct service_item *out) MUST_CHECK;
/* The same, from what is kept when it is there; for the length of the call. */
enum err desk_type_of(struct desk_call *call, struct store_tx *tx, const char *code,
                      const struct licence_type **out) MUST_CHECK;
enum err desk_item_of(struct desk_call *call, struct store_tx *tx, const char *code,
                      struct service_item *out) MUST_CHECK;
/* Is the code in the caller's list, or "*"? */
bool desk_allows_type(const struct principal *p, const char *code);
bool desk_allows_item(const struct principal *p, const char *code);

/* ---- seals (seal_use.c) --------------------------------------------------------------------- */
/* Have we a key whose certificate is in this stored seal's list? */
bool desk_can_sign(const struct desk *d, struct span seal_der);
/* Good for use now: active, within its period, and verify_seal() passes with revocation required.
 * ERR_SEAL_NOT_USABLE with the reason in the note. row->der must be there. */
enum err desk_seal_usable(struct desk_call *call, const struct seal_row *row) MUST_CHECK;

struct seal_use {
	const struct seal_row *row; /* with der */
	const char *scope;          /* propertyInfo, printable ASCII */
	uint8_t digest[SM3_LEN];    /* SM3 of the data */
	struct span data;           /* the data, to verify the whole; ptr NULL when only the digest is at hand */
	int64_t time;               /* that the signature states; 0: now */
};
/* Sign with a seal that is usable now: desk_seal_usable(), key and certificate of its list, SES_Signature; verified
 * with revocation required before it is handed out. ERR_SEAL_NOT_USABLE, ERR_SEAL_KEY_MISSING, ERR_SEAL_INVALID.
 * To be called in prepare() (it takes milliseconds); commit() then asks store_seal_same(row->id, row->version). */
enum err desk_seal_sign(struct desk_call *call, const struct seal_use *use, struct span *signature) MUST_CHECK;
/* "TOTAL_FAILED/EXPIRED SEAL_EXPIRED": verdict and the code of the first failed step, for notes. */
char *desk_verdict_text(struct arena *a, const struct report *r);

/* ---- limits (limits.c) ---------------------------------------------------------------------- */
enum err limiter_new(unsigned operator_per_minute, unsigned principal_per_minute, struct limiter **out) MUST_CHECK;
void limiter_free(struct limiter *l);
/* One call at monotonic or wall time now (ms). ERR_PRINCIPAL_LIMIT, ERR_OPERATOR_LIMIT; then nothing is taken.
 * operator_id may be "". */
enum err limiter_take(struct limiter *l, const char *principal, const char *operator_id, int64_t now) MUST_CHECK;

#endif
