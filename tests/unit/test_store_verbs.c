/* Each verb of the store, there and back; what must be refused. */
#include "test_store.h"

static const uint8_t hash_a[32] = {0xa}, hash_b[32] = {0xb}, hash_c[32] = {0xc}, hash_d[32] = {0xd};

/* ---- principals ----------------------------------------------------------------------------- */

static struct principal sample_principal(struct principal_key *key, char **types, char **items)
{
	*key = (struct principal_key){.not_before = 5, .not_after = 9};
	memcpy(key->fingerprint, hash_a, FINGERPRINT_LEN);
	types[0] = (char *)"11100000000000000001A";
	types[1] = (char *)"11100000000000000002B";
	items[0] = (char *)"ITEM-1";
	return (struct principal){.id = (char *)"window-1",
	                          .name = (char *)"Window one",
	                          .org_code = (char *)"ORG1",
	                          .org_name = (char *)"政务服务中心",
	                          .roles = ROLE_WINDOW | ROLE_ISSUER,
	                          .statutory = true,
	                          .n_keys = 1,
	                          .keys = key,
	                          .n_types = 2,
	                          .types = types,
	                          .n_items = 1,
	                          .items = items};
}

static enum err principal_put(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct principal_key key;
	char *types[2], *items[1];
	struct principal p = sample_principal(&key, types, items);

	CHECK_OK(store_principal_put(tx, &p));
	CHECK(p.version == 1);
	return ERR_OK;
}

/* The key is window-1's. Nothing of window-2 may remain. */
static enum err principal_taken(struct store_tx *tx, void *arg)
{
	struct principal_key key;
	char *types[2], *items[1];
	struct principal p = sample_principal(&key, types, items);

	(void)arg;
	p.id = (char *)"window-2";
	return store_principal_put(tx, &p);
}

static enum err principal_second(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct principal p = {.id = (char *)"audit-1", .name = (char *)"Auditor", .roles = ROLE_AUDIT, .disabled = true};
	struct principal_key key;
	char *types[2], *items[1];
	struct principal again = sample_principal(&key, types, items);

	CHECK_OK(store_principal_put(tx, &p));
	again.n_types = 1;
	CHECK_OK(store_principal_put(tx, &again));
	CHECK(again.version == 2);
	return ERR_OK;
}

static enum err principal_check(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct principal p, *list;
	uint64_t count;
	size_t n;

	CHECK_OK(store_principal_by_key(tx, b->arena, hash_a, &p));
	CHECK(same_text(p.id, "window-1") && same_text(p.name, "Window one") && same_text(p.org_name, "政务服务中心"));
	CHECK(p.roles == (ROLE_WINDOW | ROLE_ISSUER) && p.statutory && !p.disabled && p.version == 2);
	CHECK(p.n_keys == 1 && p.keys[0].not_before == 5 && p.keys[0].not_after == 9);
	CHECK(p.n_types == 1 && p.n_items == 1 && same_text(p.items[0], "ITEM-1"));
	CHECK_ERR(store_principal_by_key(tx, b->arena, hash_b, &p), ERR_NOT_FOUND);
	CHECK_ERR(store_principal_get(tx, b->arena, "nobody", &p), ERR_NOT_FOUND);
	CHECK_OK(store_principal_get(tx, b->arena, "audit-1", &p));
	CHECK(p.disabled && p.n_keys == 0 && p.version == 1);
	CHECK_OK(store_principal_list(tx, b->arena, "", 10, &list, &n));
	CHECK(n == 2 && same_text(list[0].id, "audit-1") && list[1].n_keys == 1);
	CHECK_OK(store_principal_list(tx, b->arena, "audit-1", 10, &list, &n));
	CHECK(n == 1);
	CHECK_OK(store_principal_count(tx, ROLE_WINDOW, &count));
	CHECK(count == 1);
	CHECK_OK(store_principal_count(tx, ROLE_AUDIT, &count)); /* disabled */
	CHECK(count == 0);
	CHECK_OK(store_principal_count(tx, ROLE_WINDOW | ROLE_AUDIT, &count));
	CHECK(count == 0);
	return ERR_OK;
}

static void principals(void **state)
{
	struct box *b = *state;

	box_write(b, principal_put);
	assert_int_equal(store_write(b->store, principal_taken, b), ERR_ALREADY_EXISTS);
	box_write(b, principal_second);
	box_read(b, principal_check);
}

static enum err grant_propose(struct store_tx *tx, void *arg)
{
	(void)arg;
	return store_grant_propose(tx, "p", hash_a, "first");
}

static enum err grant_there(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	char *by;

	CHECK_OK(store_grant_find(tx, b->arena, "p", hash_a, &by));
	CHECK(same_text(by, "first"));
	CHECK_ERR(store_grant_find(tx, b->arena, "p", hash_b, &by), ERR_NOT_FOUND);
	CHECK_ERR(store_grant_find(tx, b->arena, "q", hash_a, &by), ERR_NOT_FOUND);
	return ERR_OK;
}

static enum err grant_gone(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	char *by;

	CHECK_ERR(store_grant_find(tx, b->arena, "p", hash_a, &by), ERR_NOT_FOUND);
	return ERR_OK;
}

static enum err grant_clear(struct store_tx *tx, void *arg)
{
	(void)arg;
	return store_grant_clear(tx, "p");
}

static void grants(void **state)
{
	struct box *b = *state;

	box_write(b, grant_propose);
	b->clock += 24 * 3600 * 1000 - 1;
	box_read(b, grant_there);
	b->clock += 1;
	box_read(b, grant_gone);
	box_write(b, grant_propose);
	box_read(b, grant_there);
	box_write(b, grant_clear);
	box_read(b, grant_gone);
}

/* ---- answers that were given ---------------------------------------------------------------- */

static enum err replay_put(struct store_tx *tx, void *arg)
{
	struct replay r = {.reply = span_str("the answer")};

	(void)arg;
	memcpy(r.request_digest, hash_c, SM3_LEN);
	return store_replay_put(tx, "window-1", hash_a, &r);
}

static enum err replay_there(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct replay r;

	CHECK_OK(store_replay_get(tx, b->arena, "window-1", hash_a, &r));
	CHECK(memcmp(r.request_digest, hash_c, SM3_LEN) == 0 && span_eq(r.reply, span_str("the answer")));
	CHECK_ERR(store_replay_get(tx, b->arena, "window-2", hash_a, &r), ERR_NOT_FOUND);
	CHECK_ERR(store_replay_get(tx, b->arena, "window-1", hash_b, &r), ERR_NOT_FOUND);
	return ERR_OK;
}

static enum err replay_gone(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct replay r;

	CHECK_ERR(store_replay_get(tx, b->arena, "window-1", hash_a, &r), ERR_NOT_FOUND);
	return ERR_OK;
}

static void replays(void **state)
{
	struct box *b = *state;

	box_write(b, replay_put);
	box_read(b, replay_there);
	assert_int_equal(store_write(b->store, replay_put, b), ERR_ALREADY_EXISTS);
	b->clock += 10 * 60 * 1000 - 1;
	box_read(b, replay_there);
	b->clock += 1;
	box_read(b, replay_gone);
	box_write(b, replay_put); /* an old one makes room */
	box_read(b, replay_there);
}

/* ---- catalogue ------------------------------------------------------------------------------ */

static enum err catalog_put(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct catalog_row r = {.code = (char *)"B", .json = span_str("{}")};

	CHECK_OK(store_catalog_put(tx, CATALOG_TYPE, &r));
	CHECK(r.version == 1);
	r.json = span_str("{\"a\":1}");
	CHECK_OK(store_catalog_put(tx, CATALOG_TYPE, &r));
	CHECK(r.version == 2);
	r.code = (char *)"A";
	CHECK_OK(store_catalog_put(tx, CATALOG_TYPE, &r));
	CHECK(r.version == 1);
	CHECK_OK(store_catalog_put(tx, CATALOG_ITEM, &r));
	CHECK(r.version == 1);
	return ERR_OK;
}

static enum err catalog_check(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct catalog_row r, *list;
	size_t n;

	CHECK_OK(store_catalog_get(tx, b->arena, CATALOG_TYPE, "B", &r));
	CHECK(r.version == 2 && span_eq(r.json, span_str("{\"a\":1}")));
	CHECK_ERR(store_catalog_get(tx, b->arena, CATALOG_ITEM, "B", &r), ERR_NOT_FOUND);
	CHECK_OK(store_catalog_list(tx, b->arena, CATALOG_TYPE, "", 10, &list, &n));
	CHECK(n == 2 && same_text(list[0].code, "A"));
	CHECK_OK(store_catalog_list(tx, b->arena, CATALOG_TYPE, "", 1, &list, &n));
	CHECK(n == 1);
	CHECK_OK(store_catalog_list(tx, b->arena, CATALOG_TYPE, "B", 10, &list, &n));
	CHECK(n == 0);
	return ERR_OK;
}

static void catalogue(void **state)
{
	box_write(*state, catalog_put);
	box_read(*state, catalog_check);
}

/* ---- codes ---------------------------------------------------------------------------------- */

static struct code_row sample_code(const uint8_t hash[32])
{
	struct code_row c = {.kind = CODE_USE,
	                     .audience = AUDIENCE_WINDOWS,
	                     .audience_org = (char *)"",
	                     .wallet = (char *)"w",
	                     .item_code = (char *)"ITEM-1",
	                     .body = span_str("body"),
	                     .created = NOW,
	                     .expires = NOW + 60000};

	memcpy(c.hash, hash, SM3_LEN);
	return c;
}

static enum err code_insert(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct code_row c = sample_code(hash_a);

	CHECK_OK(store_code_insert(tx, &c));
	CHECK_ERR(store_code_insert(tx, &c), ERR_ALREADY_EXISTS);
	c = sample_code(hash_b);
	CHECK_OK(store_code_insert(tx, &c));
	c = sample_code(hash_c);
	CHECK_OK(store_code_insert(tx, &c));
	return ERR_OK;
}

static enum err code_use(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct code_row c;

	CHECK_OK(store_code_get(tx, b->arena, hash_a, &c));
	CHECK(c.kind == CODE_USE && c.audience == AUDIENCE_WINDOWS && c.used == 0 && span_eq(c.body, span_str("body")));
	CHECK_ERR(store_code_get(tx, b->arena, hash_d, &c), ERR_NOT_FOUND);
	CHECK_ERR(store_code_spend(tx, hash_d, "w1"), ERR_CODE_UNKNOWN);
	CHECK_ERR(store_code_cancel(tx, hash_d), ERR_CODE_UNKNOWN);
	CHECK_OK(store_code_spend(tx, hash_a, "w1"));
	CHECK_ERR(store_code_spend(tx, hash_a, "w1"), ERR_CODE_USED);
	CHECK_ERR(store_code_cancel(tx, hash_a), ERR_CODE_USED);
	CHECK_OK(store_code_cancel(tx, hash_b));
	CHECK_OK(store_code_cancel(tx, hash_b));
	CHECK_ERR(store_code_spend(tx, hash_b, "w1"), ERR_CODE_CANCELLED);
	CHECK_OK(store_code_get(tx, b->arena, hash_a, &c));
	CHECK(c.used == store_tx_now(tx) && same_text(c.used_by, "w1"));
	return ERR_OK;
}

static enum err code_late(struct store_tx *tx, void *arg)
{
	struct box *b = arg;

	CHECK_ERR(store_code_spend(tx, hash_c, "w1"), ERR_CODE_EXPIRED);
	CHECK_ERR(store_code_spend(tx, hash_a, "w1"), ERR_CODE_USED);
	return ERR_OK;
}

static enum err code_cancel_late(struct store_tx *tx, void *arg)
{
	(void)arg;
	return store_code_cancel(tx, hash_c);
}

static void codes(void **state)
{
	struct box *b = *state;

	box_write(b, code_insert);
	box_write(b, code_use);
	b->clock += 60000;
	box_write(b, code_late);
	b->clock -= 3600000; /* set back: what has expired stays expired */
	box_write(b, code_late);
	assert_int_equal(store_now(b->store), NOW + 60000);
	assert_int_equal(store_clock_behind(b->store), 3600000);
	box_write(b, code_cancel_late);
}

/* ---- receipts and audit --------------------------------------------------------------------- */

static enum err receipt_all(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct receipt_row r = {.id = (char *)"R1", .principal = (char *)"w1", .time = 5, .body = span_str("cbor")}, got;

	CHECK_OK(store_receipt_insert(tx, &r));
	CHECK_ERR(store_receipt_insert(tx, &r), ERR_ALREADY_EXISTS);
	CHECK_OK(store_receipt_get(tx, b->arena, "R1", &got));
	CHECK(same_text(got.principal, "w1") && got.time == 5 && span_eq(got.body, span_str("cbor")));
	CHECK_ERR(store_receipt_get(tx, b->arena, "R2", &got), ERR_NOT_FOUND);
	return ERR_OK;
}

static void receipts(void **state)
{
	box_write(*state, receipt_all);
}

static enum err audit_fill(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct audit_value values[2] = {{.name = (char *)"holder", .value = (char *)"张三", .salt = {1, 2}},
	                                {.name = (char *)"empty", .value = (char *)""}};
	struct audit_row r = {.time = 10,
	                      .action = (char *)"pull",
	                      .principal = (char *)"w1",
	                      .record = span_str("rec"),
	                      .leaf = {9},
	                      .n_values = 2,
	                      .values = values};
	uint64_t size;

	CHECK_OK(store_audit_size(tx, &size));
	CHECK(size == 0);
	for (uint64_t i = 0; i < 6; i++) {
		r.time = 10 + (int64_t)i;
		r.action = (char *)(i % 2 == 0 ? "pull" : "show");
		r.principal = (char *)(i < 3 ? "w1" : "w2");
		CHECK_OK(store_audit_append(tx, &r));
		CHECK(r.index == (b->postgres ? AUDIT_UNNUMBERED : i));
	}
	return ERR_OK;
}

static enum err audit_check(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct audit_row *list;
	uint64_t size;
	size_t n;

	CHECK_OK(store_audit_size(tx, &size));
	CHECK(size == 6);
	CHECK_OK(store_audit_list(tx, b->arena, 0, 500, "", "", &list, &n));
	CHECK(n == 6 && list[5].index == 5 && list[5].leaf[0] == 9 && span_eq(list[5].record, span_str("rec")));
	CHECK(list[5].n_values == 2 && same_text(list[5].values[0].value, "张三") && list[5].values[0].salt[1] == 2);
	CHECK(!list[5].values[1].erased && same_text(list[5].values[1].value, ""));
	CHECK_OK(store_audit_list(tx, b->arena, 4, 500, "", "", &list, &n));
	CHECK(n == 2 && list[0].index == 4);
	CHECK_OK(store_audit_list(tx, b->arena, 0, 500, "show", "", &list, &n));
	CHECK(n == 3);
	CHECK_OK(store_audit_list(tx, b->arena, 0, 2, "", "w2", &list, &n));
	CHECK(n == 2 && list[0].index == 3);
	CHECK_OK(store_audit_list(tx, b->arena, 0, 500, "show", "w1", &list, &n));
	CHECK(n == 1 && list[0].index == 1);
	CHECK_OK(store_audit_list(tx, b->arena, UINT64_MAX, 500, "", "", &list, &n));
	CHECK(n == 0);
	return ERR_OK;
}

static enum err audit_erase(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct audit_row *list;
	uint64_t erased;
	size_t n;

	struct store_keep keep = {.codes = NOW, .audit_values = store_tx_now(tx) - 12};

	CHECK_OK(store_expire(tx, &keep, 1, &erased));
	CHECK(erased == 1);
	CHECK_OK(store_expire(tx, &keep, 100, &erased));
	CHECK(erased == 1);
	CHECK_OK(store_expire(tx, &keep, 100, &erased));
	CHECK(erased == 0);
	keep.audit_values = 0;
	CHECK_OK(store_expire(tx, &keep, 100, &erased));
	CHECK(erased == 0);
	CHECK_OK(store_audit_list(tx, b->arena, 0, 500, "", "", &list, &n));
	CHECK(n == 6 && list[0].values[0].erased && same_text(list[0].values[0].value, "") && !list[2].values[0].erased);
	CHECK(same_text(list[0].values[0].name, "holder") && list[0].values[0].salt[0] == 0);
	CHECK(list[0].leaf[0] == 9);
	return ERR_OK;
}

static void audit(void **state)
{
	box_write(*state, audit_fill);
	box_settle(*state);
	box_read(*state, audit_check);
	box_write(*state, audit_erase);
}

/* ---- what has served its time --------------------------------------------------------------- */

static const struct store_keep month = {.codes = 30LL * 24 * 3600 * 1000};

static enum err expire_some(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	uint64_t n;

	CHECK_OK(store_expire(tx, &month, 2, &n));
	CHECK(n == 2);
	CHECK_OK(store_expire(tx, &month, 100, &n));
	CHECK(n == 3); /* 3 codes, a replay and a grant in all */
	CHECK_OK(store_expire(tx, &month, 100, &n));
	CHECK(n == 0);
	return ERR_OK;
}

static enum err expire_none(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	uint64_t n;

	CHECK_OK(store_expire(tx, &month, 100, &n));
	CHECK(n == 0);
	return ERR_OK;
}

static void expire(void **state)
{
	struct box *b = *state;

	box_write(b, code_insert);
	box_write(b, replay_put);
	box_write(b, grant_propose);
	box_write(b, expire_none);
	b->clock += (int64_t)31 * 24 * 3600 * 1000;
	box_write(b, expire_some);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(principals), T(grants),   T(replays), T(catalogue),
	                                   T(codes),      T(receipts), T(audit),   T(expire)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
