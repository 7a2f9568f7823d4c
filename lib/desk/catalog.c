/* The catalogue: licence types and service items. Role system writes, every enrolled principal reads. */
#include "desk/caches.h"
#include "desk/internal.h"

enum { CODE_MAX = 64 };

/* ---- what other use cases ask --------------------------------------------------------------- */

static enum err row_get(struct store_tx *tx, struct arena *a, enum catalog_kind k, const char *code,
                        struct catalog_row *row)
{
	enum err e = store_catalog_get(tx, a, k, code, row);

	if (e == ERR_NOT_FOUND)
		return k == CATALOG_TYPE ? ERR_TYPE_UNKNOWN : ERR_ITEM_UNKNOWN;
	return e;
}

/* Only checked definitions are stored: what does not parse was damaged. */
static enum err parsed(enum err e)
{
	return e == ERR_OK || e == ERR_BUDGET || e == ERR_NO_MEMORY ? e : ERR_STORE_CORRUPT;
}

enum err desk_type_get(struct store_tx *tx, struct arena *a, const char *code, struct licence_type *out)
{
	struct catalog_row row;
	enum err e = row_get(tx, a, CATALOG_TYPE, code, &row);

	return e == ERR_OK ? parsed(licence_type_from_json(a, row.json, out, NULL)) : e;
}

enum err desk_item_get(struct store_tx *tx, struct arena *a, const char *code, struct service_item *out)
{
	struct catalog_row row;
	enum err e = row_get(tx, a, CATALOG_ITEM, code, &row);

	return e == ERR_OK ? parsed(service_item_from_json(a, row.json, out, NULL)) : e;
}

struct catalog_lookup {
	struct store_tx *tx;
	const char *code;
};

static enum err type_make(struct arena *a, void *arg, const void **value)
{
	const struct catalog_lookup *l = arg;
	struct licence_type *t = arena_alloc(a, sizeof(*t));
	enum err e = t != NULL ? desk_type_get(l->tx, a, l->code, t) : ERR_BUDGET;

	*value = t;
	return e;
}

static enum err item_make(struct arena *a, void *arg, const void **value)
{
	const struct catalog_lookup *l = arg;
	struct service_item *i = arena_alloc(a, sizeof(*i));
	enum err e = i != NULL ? desk_item_get(l->tx, a, l->code, i) : ERR_BUDGET;

	*value = i;
	return e;
}

static enum err catalog_of(struct desk_call *call, struct store_tx *tx, enum kept_kind kind, const char *code,
                           const void **out)
{
	struct kept *kept = desk_caches_kept(call->desk->o.caches);
	const struct kept_question q = {kind, span_str(code), store_tx_epoch(tx, STORE_CATALOGUE), call->arena};
	struct catalog_lookup l = {tx, code};

	*out = kept_find(kept, &q);
	if (*out != NULL)
		return ERR_OK;
	return kept_put(kept, &q, kind == KEPT_TYPE ? type_make : item_make, &l, out);
}

enum err desk_type_of(struct desk_call *call, struct store_tx *tx, const char *code, const struct licence_type **out)
{
	const void *found = NULL;
	enum err e = catalog_of(call, tx, KEPT_TYPE, code, &found);

	if (e == ERR_OK)
		*out = found;
	return e;
}

enum err desk_item_of(struct desk_call *call, struct store_tx *tx, const char *code, struct service_item *out)
{
	const void *found = NULL;
	enum err e = catalog_of(call, tx, KEPT_ITEM, code, &found);

	if (e == ERR_OK)
		*out = *(const struct service_item *)found;
	return e;
}

static bool allows(char *const *list, size_t n, const char *code)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], "*") == 0 || strcmp(list[i], code) == 0)
			return true;
	return false;
}

bool desk_allows_type(const struct principal *p, const char *code)
{
	return allows(p->types, p->n_types, code);
}

bool desk_allows_item(const struct principal *p, const char *code)
{
	return allows(p->items, p->n_items, code);
}

/* ---- writing -------------------------------------------------------------------------------- */

static enum err put(struct desk_call *call, struct store_tx *tx, enum catalog_kind k, struct catalog_row *row,
                    const char *name)
{
	enum err e = store_catalog_put(tx, k, row);
	const struct desk_fact facts[] = {
	    {"code", row->code, false},
	    {"name", name, false},
	    {"version", arena_printf(call->arena, "%llu", (unsigned long long)row->version), false},
	};

	if (e == ERR_OK)
		e = desk_audit(call, tx, "ok", facts, sizeof(facts) / sizeof(facts[0]));
	if (e == ERR_OK)
		((struct catalog_put_answer *)call->ans)->version = row->version;
	return e;
}

static enum err type_put_check(struct desk_call *call)
{
	return licence_type_check(call->req, &call->note);
}

static enum err type_put(struct desk_call *call, struct store_tx *tx)
{
	const struct licence_type *t = call->req;
	struct catalog_row row = {.code = t->code};
	enum err e = licence_type_to_json(call->arena, t, &row.json);

	return e == ERR_OK ? put(call, tx, CATALOG_TYPE, &row, t->name) : e;
}

static enum err item_put_check(struct desk_call *call)
{
	return service_item_check(call->req, &call->note);
}

static enum err material_known(struct desk_call *call, struct store_tx *tx, const struct item_material *m)
{
	struct licence_type t;
	size_t i;
	enum err e = desk_type_get(tx, call->arena, m->type_code, &t);

	if (e == ERR_TYPE_UNKNOWN)
		return err_note_set(&call->note, e, "materials.type_code", "Material %s: no such licence type.", m->name);
	for (i = 0; e == ERR_OK && i < m->n_fields; i++)
		if (licence_type_field(&t, m->fields[i]) == NULL)
			e = err_note_set(&call->note, ERR_FIELD_UNKNOWN, "materials.fields", "Material %s: %s has no field %s.",
			                 m->name, t.name, m->fields[i]);
	return e;
}

/* Types are looked up in the transaction that writes, so that none can change in between. */
static enum err item_put(struct desk_call *call, struct store_tx *tx)
{
	const struct service_item *item = call->req;
	struct catalog_row row = {.code = item->code};
	enum err e = ERR_OK;
	size_t i;

	for (i = 0; e == ERR_OK && i < item->n_materials; i++)
		e = material_known(call, tx, &item->materials[i]);
	if (e == ERR_OK)
		e = service_item_to_json(call->arena, item, &row.json);
	return e == ERR_OK ? put(call, tx, CATALOG_ITEM, &row, item->name) : e;
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum err type_get_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	const struct by_id_request *q = call->req;

	return desk_type_get(tx, call->arena, q->id, call->ans);
}

static enum err item_get_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	const struct by_id_request *q = call->req;

	return desk_item_get(tx, call->arena, q->id, call->ans);
}

static enum err type_get(struct desk_call *call)
{
	const struct by_id_request *q = call->req;
	enum err e = need_text(call, q->id, CODE_MAX, ERR_FIELD_MISSING, "code");

	return e == ERR_OK ? desk_read(call, type_get_read) : e;
}

static enum err item_get(struct desk_call *call)
{
	const struct by_id_request *q = call->req;
	enum err e = need_text(call, q->id, CODE_MAX, ERR_ITEM_MISSING, "code");

	return e == ERR_OK ? desk_read(call, item_get_read) : e;
}

/* One page of rows; *next is the code to go on after, "" at the end. */
static enum err page(struct desk_call *call, struct store_tx *tx, enum catalog_kind k, struct catalog_row **rows,
                     size_t *n, const char **next)
{
	const struct list_request *q = call->req;
	size_t max = desk_page(q->page_size);
	enum err e = store_catalog_list(tx, call->arena, k, q->page_token, max + 1, rows, n);

	*next = "";
	if (e == ERR_OK && *n > max) {
		*n = max;
		*next = (*rows)[max - 1].code;
	}
	return e;
}

static enum err type_list_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct type_list_answer ans = {0};
	struct catalog_row *rows = NULL;
	size_t i;
	enum err e = page(call, tx, CATALOG_TYPE, &rows, &ans.n, &ans.next);

	if (e != ERR_OK)
		return e;
	ans.types = arena_array(call->arena, ans.n, sizeof(*ans.types));
	if (ans.types == NULL)
		return ERR_BUDGET;
	for (i = 0; e == ERR_OK && i < ans.n; i++)
		e = parsed(licence_type_from_json(call->arena, rows[i].json, &ans.types[i], NULL));
	if (e == ERR_OK)
		*(struct type_list_answer *)call->ans = ans;
	return e;
}

static enum err item_list_read(struct store_tx *tx, void *arg)
{
	struct desk_call *call = arg;
	struct item_list_answer ans = {0};
	struct catalog_row *rows = NULL;
	size_t i;
	enum err e = page(call, tx, CATALOG_ITEM, &rows, &ans.n, &ans.next);

	if (e != ERR_OK)
		return e;
	ans.items = arena_array(call->arena, ans.n, sizeof(*ans.items));
	if (ans.items == NULL)
		return ERR_BUDGET;
	for (i = 0; e == ERR_OK && i < ans.n; i++)
		e = parsed(service_item_from_json(call->arena, rows[i].json, &ans.items[i], NULL));
	if (e == ERR_OK)
		*(struct item_list_answer *)call->ans = ans;
	return e;
}

static enum err list(struct desk_call *call, store_fn *read)
{
	const struct list_request *q = call->req;
	enum err e = may_text(call, q->page_token, CODE_MAX, "page_token");

	return e == ERR_OK ? desk_read(call, read) : e;
}

static enum err type_list(struct desk_call *call)
{
	return list(call, type_list_read);
}

static enum err item_list(struct desk_call *call)
{
	return list(call, item_list_read);
}

enum { CHANGE = USE_REQUEST_ID | USE_OPERATOR | USE_COMMIT };

const struct use_case use_type_put = {
    .action = "type.put", .roles = ROLE_SYSTEM, .flags = CHANGE, .prepare = type_put_check, .commit = type_put};
const struct use_case use_type_get = {
    .action = "type.get", .roles = 0, .flags = 0, .prepare = type_get, .commit = NULL};
const struct use_case use_type_list = {
    .action = "type.list", .roles = 0, .flags = 0, .prepare = type_list, .commit = NULL};
const struct use_case use_item_put = {
    .action = "item.put", .roles = ROLE_SYSTEM, .flags = CHANGE, .prepare = item_put_check, .commit = item_put};
const struct use_case use_item_get = {
    .action = "item.get", .roles = 0, .flags = 0, .prepare = item_get, .commit = NULL};
const struct use_case use_item_list = {
    .action = "item.list", .roles = 0, .flags = 0, .prepare = item_list, .commit = NULL};
