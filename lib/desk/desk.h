/*
 * The desk: who may do what, in which order. Every use case is a row { action, roles, flags, prepare, commit }:
 *
 *   desk_begin()   role, operator, limits; was this request_id answered before? then that answer again;
 *                  else prepare(): reads, verifies, decides. Nothing is changed.
 *   desk_commit()  a store_fn: replay looked up once more, commit() changes the store and writes the audit entry,
 *                  the packed reply is kept for replay. All of it or nothing.
 *   ERR_STORE_CHANGED from the commit means: what prepare() read has moved; desk_begin() again (desk_retry()).
 *
 * The server runs begin on a worker, parks the call while the writer commits, and goes on afterwards; desk_run() does
 * the same in one thread for tests.
 *
 * Everything a call touches lives in call->arena. A desk is shared by threads and does not change, but for its limiter.
 */
#ifndef YZ_DESK_DESK_H
#define YZ_DESK_DESK_H

#include "base/arena.h"
#include "base/clock.h"
#include "crypto/cert.h"
#include "crypto/rand.h"
#include "crypto/signer.h"
#include "store/store.h"
#include "verify/verify.h"

enum { DESK_ATTEMPTS = 5, DESK_PAGE = 50, DESK_PAGE_MAX = 200, DESK_TEXT_MAX = 200, DESK_PURPOSE_MAX = 600 };

/* A private key with its certificate, and the certificates above it when they are to be sent along. */
struct desk_key {
	char *name; /* section name in the configuration */
	struct signer *signer;
	struct cert *cert;
};

struct source;
struct desk_caches; /* caches.h */
struct desk_cache_figures;

struct desk_options {
	struct store *store;
	struct clock clock;
	struct rand rand;
	const char *service; /* who we are, in receipts */
	const struct cert_store *trust;
	const struct desk_key *maker;     /* NULL: this service makes no seals */
	const struct desk_key *receipt;   /* signs receipts; mandatory */
	const struct desk_key *verdict;   /* signs verdicts; NULL: this service gives none */
	const struct desk_key *seal_keys; /* for the certificates in seals' lists */
	size_t n_seal_keys;
	const struct source *const *sources; /* NULL: the local store alone */
	size_t n_sources;
	unsigned operator_per_minute; /* 0: no limit */
	unsigned principal_per_minute;
	struct desk_caches *caches; /* that the trust list uses; NULL: none */
};

struct desk;
/* The options' contents must outlive the desk. */
enum err desk_new(const struct desk_options *o, struct desk **out, struct err_note *note) MUST_CHECK;
void desk_free(struct desk *d);

struct operator_name {
	char *id, *name, *terminal; /* NULL or "" when not stated */
};

struct use_case;

struct desk_call {
	/* given */
	struct desk *desk;
	struct arena *arena;
	struct principal caller; /* active and enrolled, see desk_principal() */
	struct operator_name operator;
	struct span request_id;          /* 16 bytes, or empty when the call has none */
	uint8_t request_digest[SM3_LEN]; /* SM3( method || 0x00 || request as received ) */
	const void *req;                 /* the use case's request struct */
	void *ans;                       /* the use case's answer struct */
	/* Packs ans for replay; NULL in tests without replay. Runs on the writer's thread. */
	enum err (*pack)(struct desk_call *call, struct span *reply);
	void *pack_arg;
	/* kept by desk/ */
	const struct use_case *use;
	void *work;                   /* what prepare() found out, for commit() */
	uint64_t epochs[STORE_KINDS]; /* of the store, before anything was read */
	uint64_t doubts;              /* of the caches, likewise */
	const char *receipt_id;       /* that commit() wrote, with its body: need not be read back */
	struct span receipt_body;
	/* results */
	struct err_note note; /* of the refusal */
	bool replayed;
	struct span reply; /* the kept reply, when replayed */
	uint8_t audit_leaf[SHA256_LEN];
};

enum use_flags {
	USE_REQUEST_ID = 1, /* asks twice: request_id is mandatory and answers are kept */
	USE_OPERATOR = 2,   /* an operator must be named */
	USE_COMMIT = 4      /* has a commit (every use and change; reads of personal data, for their audit entry) */
};

struct use_case {
	const char *action; /* in audit entries: "seal.create" */
	unsigned roles;     /* any of these; 0: every enrolled principal */
	unsigned flags;
	enum err (*prepare)(struct desk_call *call);
	enum err (*commit)(struct desk_call *call, struct store_tx *tx);
	void (*committed)(struct desk_call *call); /* it is on the disk: what may be remembered now. NULL: nothing */
};

/* Who is this? The principal of a key: ERR_PRINCIPAL_UNKNOWN, _DISABLED, _EXPIRED. */
enum err desk_principal(struct desk *d, struct arena *a, const uint8_t fingerprint[FINGERPRINT_LEN],
                        struct principal *out) MUST_CHECK;
/* Would desk_begin() find the caller without asking the store? */
bool desk_caller_is_kept(struct desk_call *call);
/* After ERR_OK: replayed is set (answer with call->reply), or the use has USE_COMMIT (go on with desk_commit), or
 * call->ans is the answer. */
enum err desk_begin(struct desk_call *call, const struct use_case *use) MUST_CHECK;
enum err desk_commit(struct store_tx *tx, void *call) MUST_CHECK; /* a store_fn */
/* To be called once desk_commit()'s transaction has been committed, before anybody has the answer. */
void desk_committed(struct desk_call *call);
enum err desk_run(struct desk_call *call, const struct use_case *use) MUST_CHECK;
/* The signed receipt of a pull or inspection: from the stored body, as often as asked. The caller must be the
 * receipt's own principal. ERR_RECEIPT_UNKNOWN. */
enum err desk_receipt(struct desk_call *call, const char *receipt_id, struct span *out) MUST_CHECK;
/* How full its caches are, and how often they answered. */
void desk_cache_figures(const struct desk *d, struct desk_cache_figures *out);
/* Is this organisation's service in order? Text of warnings for status and health (CRL old, clock behind, …). */
enum err desk_warnings(struct desk *d, struct arena *a, char ***out, size_t *n) MUST_CHECK;

/* Verdict as the contract carries it. */
struct verdict {
	const struct report *report; /* NULL: none was reached */
};

#endif
