/*
 * Private to the room: what issuing, showing, pulling and inspecting share. A call asks its questions in this order:
 * fetch (inside the one read transaction), judge (after it, so that no reader is held while signatures are checked),
 * and in the commit the same versions again (judged_same).
 */
#ifndef YZ_DESK_FLOW_H
#define YZ_DESK_FLOW_H

#include "desk/internal.h"

enum {
	HOLDER_LICENCES_MAX = 200, /* listed of one holder, from all sources */
	TYPES_KEPT_MAX = 256
};

/* ---- sources (source.c) --------------------------------------------------------------------- */

struct fetched {
	const struct source *source; /* NULL: not found anywhere */
	bool unavailable;            /* its source, or (not found) one of several, could not be asked */
	bool damaged;                /* the source has it, and cannot read it back */
	const char *id;              /* as asked; NULL when nothing was asked */
	struct sourced_licence got;
	const struct known_licence *known; /* NULL: to be judged; else got.file, record and signature are empty */
	uint64_t epoch;                    /* the local store's, from before it was read */
};
/* Ask the source of this name ("" all, in order) for one licence. That it was not found, or its source away, is in
 * *out; an error means that our own store failed. */
enum err source_fetch(struct desk_call *call, struct store_tx *tx, const char *source, const char *id,
                      struct fetched *out) MUST_CHECK;

/* The same for a licence whose row was read just now, in this transaction. */
struct holder_row;
enum err source_fetch_row(struct desk_call *call, struct store_tx *tx, const struct holder_row *row,
                          struct fetched *out) MUST_CHECK;
/* What its record says; false when it does not parse. */
bool fetched_record(struct desk_call *call, const struct fetched *f, struct licence_record *out);

struct holder_row {
	const struct source *source;
	struct licence_row row; /* state as recorded; without record */
};
struct holder_rows {
	const struct licence_holder *holder;
	size_t n;
	struct holder_row *rows; /* newest first within a source */
	bool unavailable;        /* some source could not be asked */
	bool more;               /* the holder has more than HOLDER_LICENCES_MAX; these are the newest */
};
/* The holder's licences of a type ("" all). *h must outlive the rows. */
enum err source_holder_rows(struct desk_call *call, struct store_tx *tx, const struct licence_holder *h,
                            const char *type_code, struct holder_rows *out) MUST_CHECK;
/* All of them for a use that asks for the versions of what it took again in its commit: the local store's may be known
 * already (known.h). */
enum err source_holder_rows_known(struct desk_call *call, struct store_tx *tx, const struct licence_holder *h,
                                  struct holder_rows *out) MUST_CHECK;
/* Likewise, but only the chosen ones matter, where the holder has them: others may have been added meanwhile. */
enum err source_holder_rows_with(struct desk_call *call, struct store_tx *tx, const struct licence_holder *h,
                                 const struct show_selection *chosen, size_t n, struct holder_rows *out) MUST_CHECK;
/* At least those of this type: `all` itself when it is complete, else asked for anew, so that a holder with very many
 * licences is still served. */
enum err source_rows_of_type(struct desk_call *call, struct store_tx *tx, const struct holder_rows *all,
                             const char *type_code, struct holder_rows *out) MUST_CHECK;
bool source_is_local(const struct source *s);
/* The local store with this desk's caches: what it gave may be known again. */
bool source_is_kept(const struct desk_call *call, const struct source *s);

/* ---- licence types of one call, each read once (type_cache.c) ------------------------------- */

struct type_cache {
	size_t n;
	const struct licence_type *types[TYPES_KEPT_MAX];
};
/* A type that the catalogue does not know (any more) is *out == NULL. */
enum err type_cached(struct desk_call *call, struct store_tx *tx, struct type_cache *c, const char *code,
                     const struct licence_type **out) MUST_CHECK;

/* ---- genuine, state, usable (judge.c) ------------------------------------------------------- */

/* The state at `now`: what was recorded, and expired by time. *since (may be NULL) is from when. */
enum licence_state licence_state_at(const struct licence_row *row, int64_t now, int64_t *since);

struct judged {
	const struct source *source; /* NULL: not found */
	bool unavailable;
	const char *id;                /* "" when not found */
	const struct licence_row *row; /* NULL unless the source gave it */
	uint64_t seal_version;
	int64_t as_of;
	const struct report *report;         /* NULL: none was reached */
	const struct licence_record *record; /* NULL unless genuine */
	enum licence_state state;            /* 0: not known */
	int64_t state_since;
	bool genuine;    /* TOTAL_PASSED, and the record is that of this row */
	bool usable;     /* genuine, and its state allows a use now */
	const char *why; /* "" when usable; no personal data */
};
/* Three questions, three answers (README): the signature is judged at the store's time of issue with revocation
 * required, state and validity at `now`. Never an error about the licence itself. */
enum err licence_judge(struct desk_call *call, int64_t now, const struct fetched *f, struct judged *out) MUST_CHECK;
/* In a commit: no licence and no seal has changed since the call began, so that none need be asked for by itself. */
bool judged_unchanged(const struct desk_call *call, const struct store_tx *tx);
/* ERR_STORE_CHANGED unless licence and seal are still what was judged (those of other sources cannot be asked). */
enum err judged_same(struct store_tx *tx, const struct judged *j) MUST_CHECK;
/* The name that the record gives this holder; NULL when he is none of its holders. */
const char *record_holder_name(const struct licence_record *r, const struct licence_holder *h);
/* True when this holder is one of the record's. */
bool record_has_holder(const struct licence_record *r, const struct licence_holder *h);
const struct licence_holder *record_holder(const struct licence_record *r, size_t i);

/* ---- receipts (receipt.c) ------------------------------------------------------------------- */

struct receipt_draft {
	struct receipt receipt; /* time and audit_leaf are filled in by the commit */
	struct span salt;       /* RECEIPT_SALT bytes, for the receiver */
};
/* Id, salt, parties, operator, request; no materials. */
enum err receipt_begin(struct desk_call *call, enum receipt_kind kind, struct receipt_draft *d) MUST_CHECK;
/* One material: j may be NULL (no licence); fields get their digests. m->status, name and type_code are given. */
enum err receipt_add(struct desk_call *call, struct receipt_draft *d, struct receipt_material *m,
                     const struct judged *j, const struct licence_field *fields, size_t n_fields) MUST_CHECK;
/* In the commit, after desk_audit(): the body into the store. */
enum err receipt_store(struct desk_call *call, struct store_tx *tx, struct receipt_draft *d) MUST_CHECK;

/* Identifiers or codes as few personal audit facts "name.1" …, at most AUDIT_ID_FACTS, in the arena. */
enum { AUDIT_ID_FACTS = 4 };
struct id_facts {
	size_t n;
	struct desk_fact facts[AUDIT_ID_FACTS];
};
enum err audit_ids(struct desk_call *call, const char *name, const char *const *ids, size_t n,
                   struct id_facts *out) MUST_CHECK;

#endif
