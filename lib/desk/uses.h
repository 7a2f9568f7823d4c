/* The use cases and their requests and answers. Texts are never NULL: "" is "not stated". What a field means is said
 * in proto/; what is checked is said here. The req of a call points at X_request, the ans at X_answer. */
#ifndef YZ_DESK_USES_H
#define YZ_DESK_USES_H

#include "desk/desk.h"
#include "form/catalog.h"
#include "form/licence.h"
#include "form/ofd_sign.h"
#include "form/receipt.h"

/* Names of states as events, receipts and people see them: "active", "suspended", "revoked"; "valid", "expired", …
 * "" for a number out of range. (desk/call.c, desk/judge.c) */
const char *seal_state_name(enum seal_state s);
const char *licence_state_name(enum licence_state s);

/* ---- seals (desk/seal.c) -------------------------------------------------------------------- */
struct seal_create_request {
	const char *id, *name, *owner_code, *application, *approver;
	int64_t type;
	size_t n_certs;
	const struct span *certs;
	struct span picture_png;
	unsigned width_mm, height_mm;
	int64_t valid_start, valid_end;
};
struct seal_import_request {
	struct span der;
	const char *owner_code, *application;
};
struct by_id_request { /* seals, licences, catalogue entries, receipts */
	const char *id;
};
struct seal_answer {
	struct seal_row seal;
	bool can_sign;
};
struct seal_list_request {
	const char *owner_code, *page_token;
	unsigned page_size;
};
struct seal_list_answer {
	size_t n;
	struct seal_answer *seals;
	const char *next;
};
struct status_request { /* seals and licences */
	const char *id, *reason;
	int state;         /* enum seal_state / enum licence_state */
	int64_t effective; /* 0 now */
};
struct history_answer {
	size_t n;
	struct state_event *events;
};
struct sign_request {
	const char *seal_id, *property_info, *purpose;
	struct span digest;
};
struct sign_answer {
	struct span signature;
};
extern const struct use_case use_seal_create, use_seal_import, use_seal_get, use_seal_list, use_seal_status,
    use_seal_history, use_seal_sign;

/* ---- sealing an OFD file (desk/seal_document.c) --------------------------------------------- */
enum { DESK_DOCUMENT_MAX = 32 * 1024 * 1024 };
struct document_request {
	const char *seal_id, *purpose;
	struct span document;
	size_t index; /* which document of the package, from 0 */
	size_t n_stamps;
	const struct ofd_stamp *stamps;
	struct ofd_riding riding;
	bool lock;
};
struct document_answer {
	const char *id, *location; /* of the signature */
	struct span signature;     /* SES_Signature */
	uint8_t digest[SM3_LEN];   /* of the whole sealed package */
};
/* The refusals of form/ofd_sign.h; ERR_DOCUMENT_ALTERED: an earlier signature is not over what the document is now. */
extern const struct use_case use_seal_document;
/* After use_seal_document, and as often as its answer is given again: the sealed package in call->arena, from the
 * request and the signature. ERR_STORE_CHANGED: made by another version of the program. */
enum err desk_signed_document(struct desk_call *call, struct span signature, struct span *out) MUST_CHECK;

/* ---- verification (desk/verify.c) ----------------------------------------------------------- */
struct verify_request {
	struct span document, data; /* data.ptr NULL: not given */
	int64_t at;
	const char *policy;
	bool want_receipt;             /* a signed verdict: ERR_VERDICT_KEY_MISSING when this service has no key for it */
	bool brief;                    /* no report is needed of what is TOTAL_PASSED, unless there is a receipt */
	const struct sm2_ahead *ahead; /* of desk_verify_ahead(), for one of several documents; NULL: none */
};
struct verify_ahead;
/* For several documents that are there at once: add them, run it, and state in each request what it found
 * (verify/ahead.h). May be NULL. */
struct verify_ahead *desk_verify_ahead(const struct desk *d);
struct verify_answer {
	const struct report *report;
	char *json;          /* the report, as its digest in the receipt takes it; NULL: none is needed */
	struct span receipt; /* COSE_Sign1; empty when not asked for */
};
extern const struct use_case use_verify;

/* ---- catalogue (desk/catalog.c) ------------------------------------------------------------- */
struct catalog_put_answer {
	uint64_t version;
};
struct list_request {
	const char *page_token;
	unsigned page_size;
};
struct type_list_answer {
	size_t n;
	struct licence_type *types;
	const char *next;
};
struct item_list_answer {
	size_t n;
	struct service_item *items;
	const char *next;
};
/* req: struct licence_type / struct service_item; by_id_request; list_request. ans: catalog_put_answer; struct
 * licence_type / service_item; lists. An item's materials must name known types and fields of them. */
extern const struct use_case use_type_put, use_type_get, use_type_list, use_item_put, use_item_get, use_item_list;

/* ---- licences (desk/issue.c, desk/licence.c) ------------------------------------------------ */
struct issue_request {
	const char *type_code, *number, *serial, *area_code, *seal_id;
	size_t n_holders, n_fields;
	const struct licence_holder *holders;
	const struct licence_field *fields;
	int64_t valid_from, valid_to;
};
struct licence_answer {
	struct licence_record record;
	enum licence_state state; /* as of now: LICENCE_EXPIRED by valid_to */
	int64_t state_since;
	const char *seal_id;
};
struct licence_list_request {
	const char *type_code, *page_token;
	unsigned page_size;
};
struct licence_list_answer {
	size_t n;
	struct licence_row *rows; /* without record; state as of now */
	const char **type_names;
	const char *next;
};
struct file_answer {
	struct span file;
};
extern const struct use_case use_issue, use_licence_get, use_licence_list, use_licence_status, use_licence_history,
    use_licence_file;

/* ---- showing (desk/show.c) ------------------------------------------------------------------ */
enum capacity { CAPACITY_SELF = 1, CAPACITY_LEGAL_REPRESENTATIVE, CAPACITY_HANDLER, CAPACITY_GUARDIAN, CAPACITY_AGENT };
const char *capacity_name(enum capacity c); /* "self", "legal_representative", … */
struct presenter {
	const char *name, *code_type, *code;
	enum capacity capacity;
	const char *auth_method, *auth_reference;
	unsigned auth_level;
	int64_t auth_time;
};
struct holder_request { /* ListHolderLicences */
	struct licence_holder holder;
	struct presenter presenter;
	const char *item_code; /* "" no preview */
};
struct holder_licence {
	struct licence_row row; /* state as of now */
	const char *type_name, *issuer_name;
	size_t n_face;
	const char **face;
};
struct preview_material {
	const struct item_material *material;
	const char *type_name;
	const char *licence_id; /* "" none */
	enum licence_state state;
	size_t n_fields;
	struct licence_field *fields;
};
struct holder_answer {
	size_t n;
	struct holder_licence *licences;
	size_t n_preview;
	struct preview_material *preview;
	uint8_t preview_digest[SM3_LEN]; /* of item, holder, licences with versions, field names and values */
	const char *item_name;
};
struct show_selection {
	const char *licence_id;
	size_t n_fields;
	const char *const *fields; /* none: all of the face */
};
struct code_request {
	struct licence_holder holder;
	struct presenter presenter;
	enum code_kind kind;
	enum audience_kind audience;
	const char *audience_org, *purpose, *item_code;
	unsigned life_seconds;
	size_t n_show, n_declined;
	const struct show_selection *show;
	const char *const *declined;
	struct span preview_digest;
};
struct code_answer {
	char *code;
	int64_t expires;
};
struct code_cancel_request {
	struct licence_holder holder;
	struct presenter presenter;
	const char *code;
};
extern const struct use_case use_holder_licences, use_code_issue, use_code_cancel; /* cancel: ans NULL */

/* ---- windows (desk/pull.c) ------------------------------------------------------------------ */
struct pull_request {
	const char *code, *item_code, *case_number, *purpose;
	bool brief; /* of what is TOTAL_PASSED no plain PASS is told: the answer is the same, the reply leaves it out */
};
struct pulled_material {
	const struct item_material *material;
	const char *type_name;
	enum material_status status;
	const char *licence_id;   /* "" none */
	enum licence_state state; /* 0 none */
	size_t n_fields;
	struct licence_field *fields;
	const struct report *report; /* NULL when none was reached */
	const char *source, *why;
	int64_t source_time;
};
struct pull_answer {
	const char *receipt_id, *holder_name;
	size_t n;
	struct pulled_material *materials;
	bool complete;
	struct span salt;
	int64_t time;
};
/* use_receipt_get: req by_id_request, ans file_answer */
extern const struct use_case use_pull, use_receipt_get;

/* ---- inspectors (desk/inspect.c) ------------------------------------------------------------ */
struct inspect_request {
	const char *code, *licence_id, *basis, *purpose, *place;
	bool brief; /* as in pull_request */
};
struct inspected_licence {
	const char *id, *type_code, *type_name, *issuer_name;
	enum licence_state state;
	int64_t state_since, valid_from, valid_to;
	size_t n_face;
	struct licence_field *face;
	const struct report *report;
	const char *source, *why;
	int64_t source_time;
	bool usable;
};
struct inspect_answer {
	const char *receipt_id, *holder_name, *presenter_capacity;
	size_t n;
	struct inspected_licence *licences;
	struct span salt;
	int64_t time;
};
extern const struct use_case use_inspect;

/* ---- audit (desk/audit.c) ------------------------------------------------------------------- */
struct audit_list_request {
	uint64_t from;
	unsigned page_size;
	const char *action, *principal;
};
struct audit_fact {
	char *name, *value;
};
struct audit_item {
	struct audit_row row;
	char *org_code, *result;
	size_t n_facts;
	struct audit_fact *facts;
	uint8_t (*digests)[SM3_LEN]; /* of row.values, from the record */
};
struct audit_list_answer {
	size_t n;
	struct audit_item *entries;
	uint64_t next;
};
extern const struct use_case use_audit_list;

/* ---- principals (desk/admin.c) -------------------------------------------------------------- */
struct principal_answer {
	struct principal principal;
	bool pending;
};
struct principal_list_answer {
	size_t n;
	struct principal *principals;
	const char *next;
};
struct disable_request {
	const char *id, *reason;
};
/* use_principal_put: req struct principal */
extern const struct use_case use_principal_put, use_principal_list, use_principal_disable;
/* Roles that exclude one another: ERR_ROLES_CONFLICT. Also usable without a store (init, CLI). */
enum err principal_check(const struct principal *p, struct err_note *note) MUST_CHECK;
/* For `yinzhengd init`: the first security administrators, straight into a fresh store. */
enum err desk_enrol_first(struct store *s, struct principal *admins, size_t n, struct err_note *note) MUST_CHECK;
/* For `yinzhengd enrol`: one more security administrator, when there are not two any more who could agree. By who runs
 * the host; the audit log tells it as "init.again". ERR_ALREADY_EXISTS: its id or key is enrolled, perhaps disabled. */
enum err desk_enrol_again(struct store *s, struct principal *admin, struct err_note *note) MUST_CHECK;

/* For the commands of yinzhengd that change a whole store, by who runs the host; the audit log tells each of them.
 * After a restore: every open code is cancelled, because the lost store may have seen its use. */
enum err desk_restored(struct store *s, uint64_t *cancelled, struct err_note *note) MUST_CHECK;
/* Another master key; see store_rewrap(). ERR_ALREADY_EXISTS: an earlier change is not finished. */
enum err desk_rewrap(struct store *s, struct span master, struct err_note *note) MUST_CHECK;
/* ERR_NOT_FOUND: no change is under way. */
enum err desk_rewrap_finish(struct store *s, struct err_note *note) MUST_CHECK;

#endif
