/* Audit entries: written in the transaction of what they tell, read back with every digest checked. docs/audit.md. */
#include "base/text.h"
#include "desk/internal.h"
#include "form/cbor.h"

enum {
	RECORD_VERSION = 1,
	RECORD_KEYS = 9,
	RECORD_MAX = 256 * 1024,
	OPERATOR_FACTS = 3,
	AUDIT_PAGE = 100,
	AUDIT_PAGE_MIN = 2 /* a walk ends although each page of it adds an entry */
};

/* Keys of the record. */
enum { K_VERSION = 1, K_TIME, K_ACTION, K_PRINCIPAL, K_ORG, K_RESULT, K_REQUEST, K_FACTS, K_VALUES };

/* ---- writing -------------------------------------------------------------------------------- */

struct draft {
	struct arena *arena;
	const struct rand *rand;
	size_t n_facts, n_values;
	const struct desk_fact *facts[AUDIT_FACTS_MAX + OPERATOR_FACTS];
	struct audit_value values[AUDIT_FACTS_MAX + OPERATOR_FACTS];
};

static char *text(const char *s)
{
	return (char *)(uintptr_t)s; /* the store's rows are not const, and do not write */
}

static enum err draft_add(struct draft *d, const struct desk_fact *f)
{
	struct audit_value *v;

	if (f->value == NULL || f->value[0] == '\0')
		return ERR_OK;
	if (!text_is_clean(span_str(f->value), AUDIT_TEXT_MAX))
		return ERR_TEXT_INVALID;
	if (!f->personal) {
		d->facts[d->n_facts++] = f;
		return ERR_OK;
	}
	v = &d->values[d->n_values++];
	*v = (struct audit_value){.name = text(f->name), .value = text(f->value)};
	return rand_fill(d->rand, v->salt, sizeof(v->salt));
}

static enum err put_values(struct buf *b, const struct draft *d)
{
	uint8_t digest[SM3_LEN];
	enum err e = ERR_OK;
	size_t i;

	cbor_put_array(b, d->n_values);
	for (i = 0; e == ERR_OK && i < d->n_values; i++) {
		const struct audit_value *v = &d->values[i];

		e = receipt_field_digest(span_of(v->salt, sizeof(v->salt)), v->name, v->value, digest);
		cbor_put_array(b, 2);
		cbor_put_text(b, v->name);
		cbor_put_bytes(b, span_of(digest, SM3_LEN));
	}
	return e;
}

static void put_head(struct buf *b, const struct audit_head *h)
{
	cbor_put_map(b, RECORD_KEYS);
	cbor_put_uint(b, K_VERSION);
	cbor_put_uint(b, RECORD_VERSION);
	cbor_put_uint(b, K_TIME);
	cbor_put_int(b, h->time);
	cbor_put_uint(b, K_ACTION);
	cbor_put_text(b, h->action);
	cbor_put_uint(b, K_PRINCIPAL);
	cbor_put_text(b, h->principal);
	cbor_put_uint(b, K_ORG);
	cbor_put_text(b, h->org_code);
	cbor_put_uint(b, K_RESULT);
	cbor_put_text(b, h->result);
	cbor_put_uint(b, K_REQUEST);
	cbor_put_bytes(b, h->request_digest);
}

static enum err encode(const struct draft *d, const struct audit_head *h, struct span *out)
{
	struct buf b;
	size_t i;
	enum err e;

	buf_init(&b, d->arena);
	put_head(&b, h);
	cbor_put_uint(&b, K_FACTS);
	cbor_put_array(&b, d->n_facts);
	for (i = 0; i < d->n_facts; i++) {
		cbor_put_array(&b, 2);
		cbor_put_text(&b, d->facts[i]->name);
		cbor_put_text(&b, d->facts[i]->value);
	}
	cbor_put_uint(&b, K_VALUES);
	e = put_values(&b, d);
	return e == ERR_OK ? buf_done(&b, out) : e;
}

static enum err leaf_hash(struct span record, uint8_t leaf[SHA256_LEN])
{
	static const uint8_t prefix[1] = {0}; /* RFC 6962 section 2.1: a leaf, not a node */
	struct span parts[] = {span_of(prefix, 1), record};

	return sha256_parts(parts, 2, leaf);
}

static enum err draft_store(struct draft *d, struct store_tx *tx, const struct audit_head *h, uint8_t leaf[SHA256_LEN])
{
	struct audit_row row = {.time = h->time, .action = text(h->action), .principal = text(h->principal)};
	enum err e = encode(d, h, &row.record);

	if (e == ERR_OK && row.record.len > RECORD_MAX)
		e = ERR_TOO_LARGE;
	if (e == ERR_OK)
		e = leaf_hash(row.record, row.leaf);
	if (e != ERR_OK)
		return e;
	row.n_values = d->n_values;
	row.values = d->values;
	e = store_audit_append(tx, &row);
	if (e == ERR_OK)
		memcpy(leaf, row.leaf, SHA256_LEN);
	return e;
}

enum err audit_append(struct arena *a, const struct rand *r, struct store_tx *tx, const struct audit_head *head,
                      const struct desk_fact *facts, size_t n, uint8_t leaf[SHA256_LEN])
{
	struct draft *d;
	enum err e = ERR_OK;
	size_t i;

	if (n > AUDIT_FACTS_MAX + OPERATOR_FACTS)
		return ERR_INTERNAL;
	d = arena_alloc(a, sizeof(*d));
	if (d == NULL)
		return ERR_BUDGET;
	d->arena = a;
	d->rand = r;
	for (i = 0; e == ERR_OK && i < n; i++)
		e = draft_add(d, &facts[i]);
	return e == ERR_OK ? draft_store(d, tx, head, leaf) : e;
}

enum err desk_audit(struct desk_call *call, struct store_tx *tx, const char *result, const struct desk_fact *facts,
                    size_t n)
{
	const struct operator_name *o = &call->operator;
	bool random = call->request_id.len == REQUEST_ID_LEN;
	struct audit_head head = {.time = store_tx_now(tx),
	                          .action = call->use->action,
	                          .principal = call->caller.id,
	                          .org_code = call->caller.org_code,
	                          .result = result,
	                          .request_digest = span_of(call->request_digest, random ? SM3_LEN : 0)};
	struct desk_fact all[AUDIT_FACTS_MAX + OPERATOR_FACTS] = {
	    {"operator_id", o->id, true}, {"operator_name", o->name, true}, {"operator_terminal", o->terminal, true}};

	if (n > AUDIT_FACTS_MAX)
		return ERR_INTERNAL;
	if (n != 0)
		memcpy(all + OPERATOR_FACTS, facts, n * sizeof(*facts));
	return audit_append(call->arena, &call->desk->o.rand, tx, &head, all, OPERATOR_FACTS + n, call->audit_leaf);
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum err get_text(struct cbor_reader *r, struct arena *a, uint64_t key, char **out)
{
	enum err e = cbor_get_key(r, key);

	return e == ERR_OK ? cbor_get_text(r, a, AUDIT_TEXT_MAX, out) : e;
}

static bool text_same(const char *a, const char *b)
{
	return span_eq(span_str(a), span_str(b));
}

/* The head, which repeats what stands in the row. */
static enum err read_head(struct cbor_reader *r, struct arena *a, struct audit_item *item)
{
	uint64_t version;
	int64_t time = 0;
	struct span request;
	size_t keys;
	char *action = NULL, *principal = NULL;
	enum err e = cbor_get_map(r, RECORD_KEYS, &keys);

	if (e == ERR_OK)
		e = keys == RECORD_KEYS ? cbor_get_key(r, K_VERSION) : ERR_FORMAT;
	if (e == ERR_OK)
		e = cbor_get_uint(r, RECORD_VERSION, &version);
	if (e == ERR_OK)
		e = cbor_get_key(r, K_TIME);
	if (e == ERR_OK)
		e = cbor_get_int(r, &time);
	if (e == ERR_OK)
		e = get_text(r, a, K_ACTION, &action);
	if (e == ERR_OK)
		e = get_text(r, a, K_PRINCIPAL, &principal);
	if (e == ERR_OK)
		e = get_text(r, a, K_ORG, &item->org_code);
	if (e == ERR_OK)
		e = get_text(r, a, K_RESULT, &item->result);
	if (e == ERR_OK)
		e = cbor_get_key(r, K_REQUEST);
	if (e == ERR_OK)
		e = cbor_get_bytes(r, SM3_LEN, &request);
	if (e != ERR_OK)
		return e;
	if (time != item->row.time || !text_same(action, item->row.action) || !text_same(principal, item->row.principal))
		return ERR_FORMAT;
	return ERR_OK;
}

static enum err read_pair(struct cbor_reader *r, struct arena *a, char **name)
{
	size_t two = 0;
	enum err e = cbor_get_array(r, 2, &two);

	if (e == ERR_OK && two != 2)
		e = ERR_FORMAT;
	return e == ERR_OK ? cbor_get_text(r, a, AUDIT_TEXT_MAX, name) : e;
}

static enum err read_facts(struct cbor_reader *r, struct arena *a, struct audit_item *item)
{
	size_t i;
	enum err e = cbor_get_key(r, K_FACTS);

	if (e == ERR_OK)
		e = cbor_get_array(r, AUDIT_FACTS_MAX + OPERATOR_FACTS, &item->n_facts);
	if (e != ERR_OK)
		return e;
	item->facts = arena_array(a, item->n_facts, sizeof(*item->facts));
	if (item->facts == NULL)
		return ERR_BUDGET;
	for (i = 0; e == ERR_OK && i < item->n_facts; i++) {
		e = read_pair(r, a, &item->facts[i].name);
		if (e == ERR_OK)
			e = cbor_get_text(r, a, AUDIT_TEXT_MAX, &item->facts[i].value);
	}
	return e;
}

/* The digest of the record must be that of the value, as long as the value is there. */
static enum err read_value(struct cbor_reader *r, struct arena *a, const struct audit_value *v, uint8_t out[SM3_LEN])
{
	uint8_t computed[SM3_LEN];
	struct span digest;
	char *name;
	enum err e = read_pair(r, a, &name);

	if (e == ERR_OK)
		e = cbor_get_bytes(r, SM3_LEN, &digest);
	if (e != ERR_OK)
		return e;
	if (digest.len != SM3_LEN || !text_same(name, v->name))
		return ERR_FORMAT;
	memcpy(out, digest.ptr, SM3_LEN);
	if (v->erased)
		return ERR_OK;
	e = receipt_field_digest(span_of(v->salt, sizeof(v->salt)), v->name, v->value, computed);
	if (e == ERR_OK && memcmp(computed, out, SM3_LEN) != 0)
		e = ERR_FORMAT;
	return e;
}

static enum err read_values(struct cbor_reader *r, struct arena *a, struct audit_item *item)
{
	size_t n = 0, i;
	enum err e = cbor_get_key(r, K_VALUES);

	if (e == ERR_OK)
		e = cbor_get_array(r, AUDIT_FACTS_MAX + OPERATOR_FACTS, &n);
	if (e == ERR_OK && n != item->row.n_values)
		e = ERR_FORMAT;
	if (e != ERR_OK)
		return e;
	item->digests = arena_array(a, n, sizeof(*item->digests));
	if (item->digests == NULL)
		return ERR_BUDGET;
	for (i = 0; e == ERR_OK && i < n; i++)
		e = read_value(r, a, &item->row.values[i], item->digests[i]);
	return e;
}

static enum err read_record(struct arena *a, struct audit_item *item)
{
	struct cbor_reader r = {item->row.record};
	uint8_t leaf[SHA256_LEN];
	enum err e = leaf_hash(item->row.record, leaf);

	if (e == ERR_OK && memcmp(leaf, item->row.leaf, SHA256_LEN) != 0)
		e = ERR_FORMAT;
	if (e == ERR_OK)
		e = read_head(&r, a, item);
	if (e == ERR_OK)
		e = read_facts(&r, a, item);
	if (e == ERR_OK)
		e = read_values(&r, a, item);
	return e == ERR_OK ? cbor_end(&r) : e;
}

static enum err list_check(struct desk_call *call)
{
	const struct audit_list_request *q = call->req;
	enum err e = may_text(call, q->action, DESK_TEXT_MAX, "action");

	if (e == ERR_OK && q->from > INT64_MAX)
		e = err_note_set(&call->note, ERR_FIELD_INVALID, "from_index", NULL);
	return e == ERR_OK ? may_text(call, q->principal, DESK_TEXT_MAX, "principal") : e;
}

static size_t list_page(unsigned asked)
{
	if (asked == 0)
		return AUDIT_PAGE;
	if (asked < AUDIT_PAGE_MIN)
		return AUDIT_PAGE_MIN;
	return asked < STORE_PAGE_MAX ? asked : STORE_PAGE_MAX;
}

static enum err list_read(struct desk_call *call, struct store_tx *tx, struct audit_list_answer *ans)
{
	const struct audit_list_request *q = call->req;
	struct audit_row *rows = NULL;
	uint64_t size = 0;
	size_t n = 0, i, page = list_page(q->page_size);
	enum err e = store_audit_list(tx, call->arena, q->from, page, q->action, q->principal, &rows, &n);

	if (e == ERR_OK)
		e = store_audit_size(tx, &size);
	if (e != ERR_OK)
		return e;
	ans->entries = arena_array(call->arena, n, sizeof(*ans->entries));
	if (ans->entries == NULL)
		return ERR_BUDGET;
	for (i = 0; e == ERR_OK && i < n; i++) {
		ans->entries[i].row = rows[i];
		e = read_record(call->arena, &ans->entries[i]);
		if (e == ERR_FORMAT || e == ERR_TOO_LARGE)
			e = err_note_set(&call->note, ERR_STORE_CORRUPT, NULL, "Audit entry %llu does not fit its record or leaf.",
			                 (unsigned long long)rows[i].index);
	}
	ans->n = n;
	ans->next = n == page && rows[n - 1].index + 1 < size ? rows[n - 1].index + 1 : 0;
	return e;
}

/* Entries hold personal values, so whoever reads them leaves an entry too. Read and written in one transaction. */
static enum err list_commit(struct desk_call *call, struct store_tx *tx)
{
	const struct audit_list_request *q = call->req;
	struct audit_list_answer ans = {0};
	enum err e = list_read(call, tx, &ans);
	const struct desk_fact facts[] = {
	    {"from", arena_printf(call->arena, "%llu", (unsigned long long)q->from), false},
	    {"entries", arena_printf(call->arena, "%zu", ans.n), false},
	    {"action", q->action, false},
	    {"principal", q->principal, false},
	};

	if (e == ERR_OK)
		e = desk_audit(call, tx, "ok", facts, sizeof(facts) / sizeof(facts[0]));
	if (e == ERR_OK)
		*(struct audit_list_answer *)call->ans = ans;
	return e;
}

const struct use_case use_audit_list = {
    .action = "audit.list", .roles = ROLE_AUDIT, .flags = USE_COMMIT, .prepare = list_check, .commit = list_commit};
