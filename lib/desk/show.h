/* Private to showing and to what follows from it: the preview of a use, and the record behind a show-code. */
#ifndef YZ_DESK_SHOW_H
#define YZ_DESK_SHOW_H

#include "desk/flow.h"

enum {
	CODE_LIFE = 60, /* seconds */
	CODE_LIFE_MAX = 300,
	CODE_GRANTS_MAX = CATALOG_MATERIALS_MAX,
	CODE_BODY_MAX = 256 * 1024,
	AUTH_AGE_MAX_MS = 30 * 60 * 1000,
	AUTH_SKEW_MS = 60 * 1000 /* how far the wallet's clock may be ahead of ours */
};

/* ---- who shows (show_presenter.c) ----------------------------------------------------------- */

/* Holder, presenter, capacity and authentication of a wallet's call. */
enum err presenter_check(struct desk_call *call, const struct licence_holder *h, const struct presenter *p) MUST_CHECK;

/* The audit facts that every wallet call has. */
enum { WALLET_FACTS = 7 };
struct wallet_facts {
	struct desk_fact facts[WALLET_FACTS];
	char level[2], time[TIME_TEXT];
};
void wallet_facts(struct wallet_facts *f, const struct licence_holder *h, const struct presenter *p);

/* ---- what a use would let out (show_preview.c) ---------------------------------------------- */

/* Of one material; wire numbers of the code's record. */
enum grant_status {
	GRANT_GIVEN = 1,
	GRANT_NONE,        /* the holder has no such licence */
	GRANT_DECLINED,    /* the citizen does not let it out */
	GRANT_UNAVAILABLE, /* no licence was found and some source could not be asked */
	GRANT_UNUSABLE     /* there is one, but it could not be used when the citizen agreed: no field was agreed to */
};

struct preview_line {
	const struct item_material *material;
	const struct licence_type *type; /* NULL: not in the catalogue */
	enum grant_status status;
	struct fetched fetched;
	struct judged judged;
	size_t n_fields;
	struct licence_field *fields;
};
struct preview {
	struct service_item item;
	size_t n;
	struct preview_line *lines; /* one per material, in the item's order */
	uint8_t digest[SM3_LEN];
};
/* In the read transaction: per material the best licence (valid before others, then the newest). ERR_ITEM_UNKNOWN. */
enum err preview_read(struct desk_call *call, struct store_tx *tx, struct type_cache *types, const char *item_code,
                      const struct holder_rows *rows, struct preview *out) MUST_CHECK;
/* After it: judge each, take the values of the fields that the item names, and the digest. */
enum err preview_judge(struct desk_call *call, const struct licence_holder *h, struct preview *p) MUST_CHECK;
/* In a commit: ERR_STORE_CHANGED unless the licences are as they were. */
enum err preview_same(struct store_tx *tx, const struct preview *p) MUST_CHECK;

/* ---- the record behind a code (show_code_body.c; docs/flows.md) ----------------------------- */

struct code_grant {
	enum grant_status status;
	char *material, *type_code; /* of the item's material; a show has only the type */
	char *source, *licence_id;  /* "" none */
	size_t n_fields;
	char **fields;
};
struct code_body {
	struct licence_holder holder;
	struct presenter presenter;
	char *purpose;
	size_t n_grants;
	struct code_grant *grants;
};
enum err code_body_encode(struct arena *a, const struct code_body *in, struct span *out) MUST_CHECK;
/* ERR_FORMAT, ERR_TOO_LARGE. Bounded; the store's row is not trusted more than a stranger's bytes. */
enum err code_body_parse(struct arena *a, struct span in, struct code_body *out) MUST_CHECK;

/* ---- a scanned code (code_use.c) ------------------------------------------------------------ */

struct scanned_code {
	uint8_t hash[SM3_LEN];
	char hash_hex[2 * SM3_LEN + 1];
	struct code_row row;
	struct code_body body;
};
/* The text to its hash: ERR_CODE_MALFORMED. */
enum err code_scan(struct desk_call *call, const char *text, struct scanned_code *out) MUST_CHECK;
/* In the read transaction: the code's record, and whether this caller may use it now as a code of this kind. `acting`
 * is the role in which the caller asks. Refusals in this order: ERR_CODE_UNKNOWN, _AUDIENCE, _KIND, _CANCELLED, _USED,
 * _EXPIRED. Nothing is spent. What was done to a code that was issued here a moment ago (fresh.h) shows only when it is
 * spent. */
enum err code_load(struct desk_call *call, struct store_tx *tx, enum code_kind kind, unsigned acting,
                   struct scanned_code *c) MUST_CHECK;
/* In the commit: ERR_CODE_UNKNOWN, _USED, _CANCELLED, _EXPIRED, as the store has it. */
enum err code_spend(struct desk_call *call, struct store_tx *tx, const struct scanned_code *c) MUST_CHECK;

#endif
