/* Seals and licences in the store. */
#include "test_store.h"

static const uint8_t hash_a[32] = {0xa}, hash_b[32] = {0xb}, hash_c[32] = {0xc}, hash_d[32] = {0xd};

/* ---- seals ---------------------------------------------------------------------------------- */

static struct seal_row sample_seal(const char *id, const uint8_t hash[32])
{
	struct seal_row s = {.id = (char *)id,
	                     .name = (char *)"某市公安局",
	                     .owner_code = (char *)"ORG1",
	                     .maker = (char *)"m",
	                     .type = 2,
	                     .state = SEAL_ACTIVE,
	                     .valid_start = 1,
	                     .valid_end = 2,
	                     .application = (char *)"because",
	                     .approver = (char *)"Li",
	                     .created_by = (char *)"sealer-1",
	                     .der = span_str("DER BYTES")};

	memcpy(s.hash, hash, 32);
	return s;
}

static enum err seal_insert(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct seal_row s = sample_seal("S2", hash_b);

	CHECK_OK(store_seal_insert(tx, &s));
	s = sample_seal("S1", hash_a);
	s.owner_code = (char *)"ORG2";
	CHECK_OK(store_seal_insert(tx, &s));
	CHECK_ERR(store_seal_insert(tx, &s), ERR_ALREADY_EXISTS);
	s.id = (char *)"S3";
	CHECK_ERR(store_seal_insert(tx, &s), ERR_ALREADY_EXISTS); /* the same bytes under another name */
	memcpy(s.hash, hash_c, 32);
	s.state = (enum seal_state)4;
	CHECK_ERR(store_seal_insert(tx, &s), ERR_STATE_CHANGE_INVALID);
	return ERR_OK;
}

static enum err seal_check(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct seal_row s, *list;
	struct span der;
	size_t n;

	CHECK_OK(store_seal_get(tx, b->arena, "S1", &s));
	CHECK(same_text(s.name, "某市公安局") && same_text(s.application, "because") && same_text(s.approver, "Li"));
	CHECK(s.state == SEAL_ACTIVE && s.version == 1 && s.valid_end == 2 && span_eq(s.der, span_str("DER BYTES")));
	CHECK_ERR(store_seal_get(tx, b->arena, "S9", &s), ERR_NOT_FOUND);
	CHECK_OK(store_seal_der(tx, b->arena, hash_b, &der));
	CHECK(span_eq(der, span_str("DER BYTES")));
	CHECK_ERR(store_seal_der(tx, b->arena, hash_d, &der), ERR_NOT_FOUND);
	CHECK_OK(store_seal_list(tx, b->arena, "", "", 10, &list, &n));
	CHECK(n == 2 && same_text(list[0].id, "S1") && list[0].der.len == 0);
	CHECK_OK(store_seal_list(tx, b->arena, "ORG1", "", 10, &list, &n));
	CHECK(n == 1 && same_text(list[0].id, "S2"));
	return ERR_OK;
}

static enum err seal_change(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct state_event e = {
	    .state = SEAL_SUSPENDED, .reason = (char *)"lost", .effective = 77, .principal = (char *)"s"};
	struct state_event *list;
	struct seal_row s;
	size_t n;

	CHECK_OK(store_seal_same(tx, "S1", 1));
	CHECK_ERR(store_seal_change(tx, "S1", 2, &e), ERR_STORE_CHANGED);
	CHECK_ERR(store_seal_change(tx, "S9", 1, &e), ERR_NOT_FOUND);
	CHECK_OK(store_seal_change(tx, "S1", 1, &e));
	CHECK(e.sequence == 2 && e.recorded == store_tx_now(tx));
	CHECK_ERR(store_seal_change(tx, "S1", 1, &e), ERR_STORE_CHANGED);
	CHECK_ERR(store_seal_same(tx, "S1", 1), ERR_STORE_CHANGED);
	CHECK_OK(store_seal_same(tx, "S1", 2));
	e.state = 9;
	CHECK_ERR(store_seal_change(tx, "S1", 2, &e), ERR_STATE_CHANGE_INVALID);
	CHECK_OK(store_seal_get(tx, b->arena, "S1", &s));
	CHECK(s.state == SEAL_SUSPENDED && s.version == 2);
	CHECK_OK(store_seal_events(tx, b->arena, "S1", &list, &n));
	CHECK(n == 2 && list[0].state == SEAL_ACTIVE && same_text(list[0].reason, "because"));
	CHECK(list[1].sequence == 2 && same_text(list[1].reason, "lost") && list[1].effective == 77);
	CHECK_ERR(store_seal_events(tx, b->arena, "S9", &list, &n), ERR_NOT_FOUND);
	return ERR_OK;
}

static void seals(void **state)
{
	box_write(*state, seal_insert);
	box_read(*state, seal_check);
	box_write(*state, seal_change);
}

/* ---- licences ------------------------------------------------------------------------------- */

static struct licence_row sample_licence(const char *id)
{
	struct licence_row l = {.id = (char *)id,
	                        .type_code = (char *)"T1",
	                        .issuer_code = (char *)"ORG1",
	                        .seal_id = (char *)"S1",
	                        .state_since = 3,
	                        .issued = 4,
	                        .valid_from = 5,
	                        .valid_to = 6,
	                        .record = span_str("record"),
	                        .sig_head = span_str("head"),
	                        .sig_tail = span_str("tail")};

	memcpy(l.seal_hash, hash_a, SM3_LEN);
	return l;
}

static const struct holder_key zhang = {"111", "110101199003070000"}, firm = {"001", "91110000000000000X"};

static enum err licence_insert(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct holder_key both[] = {zhang, firm, zhang};
	struct licence_row l = sample_licence("ID-1");

	CHECK_OK(store_licence_insert(tx, &l, "No 1", both, 3, "issuer-1"));
	CHECK_ERR(store_licence_insert(tx, &l, "No 2", both, 1, "issuer-1"), ERR_ALREADY_EXISTS);
	return ERR_OK;
}

/* Each in a transaction of its own: a refusal may leave traces that only the savepoint removes. */
static enum err licence_same_number(struct store_tx *tx, void *arg)
{
	struct licence_row l = sample_licence("ID-2");

	(void)arg;
	return store_licence_insert(tx, &l, "No 1", &zhang, 1, "issuer-1");
}

static enum err licence_more(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct licence_row l = sample_licence("ID-2");

	l.type_code = (char *)"T2";
	CHECK_OK(store_licence_insert(tx, &l, "No 1", &zhang, 1, "issuer-1")); /* another type: another number */
	l = sample_licence("ID-3");
	CHECK_OK(store_licence_insert(tx, &l, "", &firm, 1, "issuer-1"));
	l = sample_licence("ID-4");
	l.record = l.sig_head = l.sig_tail = span_of(NULL, 0);
	CHECK_OK(store_licence_insert(tx, &l, "", &firm, 1, "issuer-1")); /* without a number */
	return ERR_OK;
}

static enum err licence_check(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct licence_row l, *list;
	size_t n;

	CHECK_OK(store_licence_get(tx, b->arena, "ID-1", &l));
	CHECK(same_text(l.id, "ID-1") && l.state == LICENCE_VALID && l.state_since == 3 && l.issued == 4);
	CHECK(l.valid_from == 5 && l.valid_to == 6 && l.version == 1 && memcmp(l.seal_hash, hash_a, 32) == 0);
	CHECK(span_eq(l.record, span_str("record")) && span_eq(l.sig_head, span_str("head")));
	CHECK(span_eq(l.sig_tail, span_str("tail")));
	CHECK_ERR(store_licence_get(tx, b->arena, "ID-9", &l), ERR_NOT_FOUND);
	CHECK_OK(store_licence_get(tx, b->arena, "ID-4", &l));
	CHECK(l.record.len == 0);
	CHECK_OK(store_licence_by_holder(tx, b->arena, &zhang, "", 10, &list, &n));
	CHECK(n == 2 && same_text(list[0].id, "ID-2") && same_text(list[1].id, "ID-1") && list[0].record.len == 0);
	CHECK_OK(store_licence_by_holder(tx, b->arena, &zhang, "T1", 10, &list, &n));
	CHECK(n == 1 && same_text(list[0].id, "ID-1"));
	CHECK_OK(store_licence_by_holder(tx, b->arena, &firm, "", 2, &list, &n));
	CHECK(n == 2 && same_text(list[0].id, "ID-4"));
	CHECK_OK(
	    store_licence_by_holder(tx, b->arena, &(struct holder_key){"11", "1110101199003070000"}, "", 9, &list, &n));
	CHECK(n == 0); /* type and code do not run together */
	return ERR_OK;
}

static enum err licence_pages(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct licence_row *list;
	char *next;
	size_t n;

	CHECK_OK(store_licence_list(tx, b->arena, "ORG1", "", "", 3, &list, &n, &next));
	CHECK(n == 3 && same_text(list[0].id, "ID-1") && next[0] != '\0');
	CHECK_OK(store_licence_list(tx, b->arena, "ORG1", "", next, 3, &list, &n, &next));
	CHECK(n == 1 && same_text(list[0].id, "ID-4") && next[0] == '\0');
	CHECK_OK(store_licence_list(tx, b->arena, "ORG1", "T2", "", 1, &list, &n, &next));
	CHECK(n == 1 && same_text(list[0].id, "ID-2") && next[0] == '\0');
	CHECK_OK(store_licence_list(tx, b->arena, "ORG9", "", "", 3, &list, &n, &next));
	CHECK(n == 0 && next[0] == '\0');
	CHECK_ERR(store_licence_list(tx, b->arena, "ORG1", "", "zz", 3, &list, &n, &next), ERR_FIELD_INVALID);
	CHECK_ERR(store_licence_list(tx, b->arena, "ORG1", "", "ffffffffffffffff", 3, &list, &n, &next), ERR_FIELD_INVALID);
	CHECK_ERR(store_licence_list(tx, b->arena, "ORG1", "", "1", 3, &list, &n, &next), ERR_FIELD_INVALID);
	return ERR_OK;
}

static enum err licence_change(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct state_event e = {
	    .state = LICENCE_SUSPENDED, .reason = (char *)"check", .effective = 9, .principal = (char *)"i"};
	struct state_event *list;
	struct licence_row l;
	size_t n;

	CHECK_OK(store_licence_same(tx, "ID-1", 1));
	CHECK_ERR(store_licence_change(tx, "ID-1", 3, &e), ERR_STORE_CHANGED);
	CHECK_ERR(store_licence_change(tx, "ID-9", 1, &e), ERR_NOT_FOUND);
	CHECK_OK(store_licence_change(tx, "ID-1", 1, &e));
	CHECK_ERR(store_licence_same(tx, "ID-1", 1), ERR_STORE_CHANGED);
	e.state = LICENCE_EXPIRED; /* is never recorded */
	CHECK_ERR(store_licence_change(tx, "ID-1", 2, &e), ERR_STATE_CHANGE_INVALID);
	CHECK_OK(store_licence_get(tx, b->arena, "ID-1", &l));
	CHECK(l.state == LICENCE_SUSPENDED && l.version == 2 && l.state_since == 9);
	CHECK(span_eq(l.record, span_str("record")));
	CHECK_OK(store_licence_events(tx, b->arena, "ID-1", &list, &n));
	CHECK(n == 2 && list[0].state == LICENCE_VALID && list[0].effective == 3 && same_text(list[1].reason, "check"));
	CHECK_ERR(store_licence_events(tx, b->arena, "ID-9", &list, &n), ERR_NOT_FOUND);
	return ERR_OK;
}

static void licences(void **state)
{
	struct box *b = *state;

	box_write(b, licence_insert);
	assert_int_equal(store_write(b->store, licence_same_number, b), ERR_ALREADY_EXISTS);
	box_write(b, licence_more);
	box_read(b, licence_check);
	box_read(b, licence_pages);
	box_write(b, licence_change);
}

/* An answer that does not fit the caller's arena is refused as a whole. */
static enum err list_small_arena(struct store_tx *tx, void *arg)
{
	struct box *b = arg;
	struct arena *small = arena_new(600);
	struct licence_row *list = NULL;
	size_t n = 7;
	enum err e = store_licence_by_holder(tx, small, &zhang, "", 10, &list, &n);

	arena_free(small);
	CHECK(e == ERR_BUDGET && list == NULL && n == 7);
	return ERR_OK;
}

static void budget(void **state)
{
	box_write(*state, licence_insert);
	box_read(*state, list_small_arena);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(seals), T(licences), T(budget)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
