/* Seals made, imported, changed and used by the desk; and the audit entries that this leaves. */
#include "desk_people.h"

/* ---- seals ---------------------------------------------------------------------------------- */

static struct seal_create_request seal_request(struct world *w)
{
	static struct span cert;

	cert = der_of_who("samr");
	return (struct seal_create_request){.id = "",
	                                    .name = "云州市市场监督管理局",
	                                    .owner_code = SAMR,
	                                    .application = "申请 2026-1",
	                                    .approver = "王五",
	                                    .type = 1,
	                                    .n_certs = 1,
	                                    .certs = &cert,
	                                    .valid_end = w->clock + 300 * DAY};
}

static void seal_refusals(void **state)
{
	struct world *w = *state;
	struct principal p = the_sealer(w);
	struct seal_create_request good = seal_request(w), q;
	struct span bad[2] = {der_of_who("revoked"), span_str("x")};
	struct seal_answer ans;

#define REFUSED(change, want)                                                                                          \
	q = good, change;                                                                                                  \
	assert_err(ask(w, p, &use_seal_create, &q, &ans), want)
	REFUSED(q.name = "", ERR_FIELD_MISSING);
	REFUSED(q.owner_code = "1", ERR_ORG_CODE_INVALID);
	REFUSED(q.application = " ", ERR_FIELD_MISSING);
	REFUSED(q.approver = "", ERR_FIELD_MISSING);
	REFUSED(q.approver = "op-7", ERR_FIELD_INVALID);
	REFUSED(q.approver = "李四", ERR_FIELD_INVALID);
	REFUSED(q.approver = "李四\u3000", ERR_FIELD_INVALID);
	REFUSED(q.owner_code = MNR, ERR_FIELD_INVALID); /* with the certificate of another agency */
	REFUSED(q.id = "a b", ERR_FIELD_INVALID);
	REFUSED(q.id = "SEAL-1", ERR_ALREADY_EXISTS);
	REFUSED(q.type = 0, ERR_FIELD_INVALID);
	REFUSED(q.n_certs = 0, ERR_FIELD_MISSING);
	REFUSED(q.certs = bad, ERR_FIELD_INVALID);
	REFUSED(q.certs = bad + 1, ERR_FIELD_INVALID);
	bad[0] = bad[1] = der_of_who("samr");
	REFUSED((q.certs = bad, q.n_certs = 2), ERR_FIELD_INVALID);
	bad[0] = der_of_who("root");
	REFUSED(q.certs = bad, ERR_FIELD_INVALID);
	bad[0] = der_of_who("expired");
	REFUSED(q.certs = bad, ERR_FIELD_INVALID);
	REFUSED(q.valid_end = 0, ERR_FIELD_MISSING);
	REFUSED(q.valid_end = w->clock, ERR_TIME_INVALID);
	REFUSED(q.valid_start = w->clock + DAY, ERR_TIME_INVALID);
	REFUSED(q.width_mm = 500, ERR_FIELD_INVALID);
	REFUSED(q.height_mm = 30, ERR_FIELD_INVALID);
	REFUSED(q.picture_png = span_str("not a picture"), ERR_IMAGE_INVALID);
	assert_err(ask(w, the_issuer(), &use_seal_create, &good, &ans), ERR_ROLE_MISSING);
}

static enum err seal_state(struct world *w, struct principal p, const char *id, int to)
{
	struct status_request q = {.id = id, .reason = "测试", .state = to};
	struct seal_answer ans;

	return ask(w, p, &use_seal_status, &q, &ans);
}

static void seal_life(void **state)
{
	struct world *w = *state;
	struct principal p = the_sealer(w), other = enrolled(w, with_key(someone("mnr", MNR, ROLE_ISSUER), 80));
	struct seal_create_request q = seal_request(w);
	struct seal_answer made, got;
	struct by_id_request id;
	struct seal_list_request list = {"", "", 0};
	struct seal_list_answer all;
	struct history_answer past;
	struct sign_request sign = {.property_info = "letter.pdf", .purpose = "公函"};
	struct sign_answer signature;
	uint8_t digest[SM3_LEN];
	struct verify_request v = {.policy = "strict"};
	struct verify_answer verdict;

	assert_err(ask(w, p, &use_seal_create, &q, &made), ERR_OK);
	assert_true(made.can_sign);
	id.id = made.seal.id;
	assert_err(ask(w, the_issuer(), &use_seal_get, &id, &got), ERR_OK);
	assert_span(got.seal.der, made.seal.der);
	assert_int_equal(got.seal.version, made.seal.version);
	assert_err(ask(w, other, &use_seal_get, &id, &got), ERR_SEAL_NOT_OWN);
	assert_err(ask(w, other, &use_seal_list, &list, &all), ERR_OK);
	assert_int_equal(all.n, 0);
	list.owner_code = SAMR;
	assert_err(ask(w, other, &use_seal_list, &list, &all), ERR_SEAL_NOT_OWN);
	assert_err(ask(w, p, &use_seal_list, &list, &all), ERR_OK);
	assert_int_equal(all.n, 2);
	assert_true(all.seals[0].can_sign && all.seals[1].can_sign);

	assert_err(sm3(span_str("letter"), digest), ERR_OK);
	sign.seal_id = made.seal.id;
	sign.digest = span_of(digest, 31);
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_FIELD_INVALID);
	sign.digest = span_of(digest, SM3_LEN);
	assert_err(ask(w, other, &use_seal_sign, &sign, &signature), ERR_SEAL_NOT_OWN);
	sign.property_info = LICENCE_SCOPE; /* would be a licence that nobody checked */
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_FIELD_INVALID);
	sign.property_info = "letter.pdf";
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_OK);
	v.document = signature.signature;
	v.data = span_str("letter");
	assert_err(ask(w, the_window(), &use_verify, &v, &verdict), ERR_OK);
	assert_int_equal(verdict.report->indication, TOTAL_PASSED);
	v.policy = "lenient";
	assert_err(ask(w, the_window(), &use_verify, &v, &verdict), ERR_FIELD_INVALID);
	sign.purpose = "";
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_PURPOSE_MISSING);
	sign.purpose = "公函";

	assert_err(seal_state(w, p, id.id, SEAL_ACTIVE), ERR_STATE_CHANGE_INVALID);
	assert_err(seal_state(w, p, id.id, 7), ERR_STATE_CHANGE_INVALID);
	assert_err(seal_state(w, p, id.id, SEAL_SUSPENDED), ERR_OK);
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_SEAL_NOT_USABLE);
	assert_err(seal_state(w, p, id.id, SEAL_ACTIVE), ERR_OK);
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_OK);
	assert_err(seal_state(w, p, id.id, SEAL_REVOKED), ERR_OK);
	assert_err(seal_state(w, p, id.id, SEAL_ACTIVE), ERR_STATE_CHANGE_INVALID);
	assert_err(seal_state(w, p, "SEAL-9", SEAL_REVOKED), ERR_SEAL_UNKNOWN);
	assert_err(ask(w, the_issuer(), &use_seal_history, &id, &past), ERR_OK);
	assert_int_equal(past.n, 4);
}

/* A seal of the competent authority, here signed by `maker`. */
static struct span foreign_seal(struct world *w, const char *maker)
{
	struct span cert = der_of_who("samr"), info, der;
	struct ses_seal_new in = {.vendor = "OTHER",
	                          .id = "FOREIGN-1",
	                          .name = "云州市市场监督管理局",
	                          .type = 1,
	                          .n_certs = 1,
	                          .certs = &cert,
	                          .created = pki.t0,
	                          .valid_start = pki.t0,
	                          .valid_end = pki.t0 + 300 * DAY,
	                          .picture_type = "PNG",
	                          .picture = span_str("x"),
	                          .picture_width = 40,
	                          .picture_height = 40};

	assert_err(ses_seal_info_encode(w->arena, &in, &info), ERR_OK);
	assert_err(ses_seal_encode(w->arena, info, der_of_who(maker), sign_by(w->arena, maker, info), &der), ERR_OK);
	return der;
}

static void seal_import(void **state)
{
	struct world *w = *state;
	struct principal p = the_sealer(w);
	const struct made ended = {.to = HOUR};
	struct seal_import_request q = {.der = foreign_seal(w, "maker"), .owner_code = SAMR, .application = "A"};
	struct seal_answer ans;
	uint8_t *flipped = (uint8_t *)(uintptr_t)arena_dup(w->arena, q.der).ptr;
	struct span whole = q.der;

	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_OK);
	assert_true(ans.can_sign);
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_ALREADY_EXISTS);
	q.der = make_seal(w->arena, &ended);
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_SEAL_INVALID);
	assert_non_null(strstr(w->note.help, "/"));
	q.der = foreign_seal(w, "revoked");
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_SEAL_INVALID);
	flipped[whole.len - 3] ^= 1;
	q.der = span_of(flipped, whole.len);
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_SEAL_INVALID);
	q.der = span_str("0");
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_SEAL_INVALID);
	q.der = span_of(NULL, 0);
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_FIELD_MISSING);
	q.der = whole;
	q.application = "";
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_FIELD_MISSING);
	q.owner_code = "";
	assert_err(ask(w, p, &use_seal_import, &q, &ans), ERR_ORG_CODE_INVALID);
}

/* Kept for another owner than its signers', a seal lends him no key of theirs. */
static void seal_of_another_owner(void **state)
{
	struct world *w = *state;
	struct principal mnr = enrolled(w, with_key(someone("mnr", MNR, ROLE_ISSUER), 80));
	struct seal_import_request q = {.der = foreign_seal(w, "maker"), .owner_code = MNR, .application = "A"};
	uint8_t digest[SM3_LEN] = {1};
	struct sign_request sign = {
	    .seal_id = "FOREIGN-1", .digest = span_of(digest, SM3_LEN), .property_info = "a.pdf", .purpose = "公函"};
	struct sign_answer signature;
	struct seal_answer ans;

	assert_err(ask(w, the_sealer(w), &use_seal_import, &q, &ans), ERR_OK);
	assert_err(ask(w, mnr, &use_seal_sign, &sign, &signature), ERR_SEAL_NOT_USABLE);
	assert_err(ask(w, the_issuer(), &use_seal_sign, &sign, &signature), ERR_SEAL_NOT_OWN);
}

/* ---- audit ---------------------------------------------------------------------------------- */

static enum err erase_all(struct store_tx *tx, void *arg)
{
	struct store_keep keep = {.codes = 1, .audit_values = -1};
	uint64_t n;

	(void)arg;
	return store_expire(tx, &keep, 1000, &n);
}

static void audit(void **state)
{
	struct world *w = *state;
	struct principal p = the_auditor(w);
	struct audit_list_request q = {.action = "seal.create", .principal = ""};
	struct audit_list_answer ans;
	struct seal_create_request make = seal_request(w);
	struct seal_answer made;
	const struct audit_item *it;
	uint8_t leaf[SHA256_LEN], digest[SM3_LEN];
	struct span parts[2];

	assert_err(ask(w, the_sealer(w), &use_seal_create, &make, &made), ERR_OK);
	memcpy(leaf, w->leaf, SHA256_LEN);
	assert_err(ask(w, the_window(), &use_audit_list, &q, &ans), ERR_ROLE_MISSING);
	assert_err(ask(w, p, &use_audit_list, &q, &ans), ERR_OK);
	assert_int_equal(ans.n, 1);
	assert_int_equal(ans.next, 0);
	it = &ans.entries[0];
	assert_string_equal(it->result, "ok");
	assert_string_equal(it->org_code, CENTRE);
	parts[0] = span_of("", 1);
	parts[1] = it->row.record;
	assert_err(sha256_parts(parts, 2, digest), ERR_OK);
	assert_memory_equal(digest, leaf, SHA256_LEN); /* what the call was told is what is kept */
	assert_memory_equal(it->row.leaf, leaf, SHA256_LEN);
	assert_true(it->row.n_values >= 3);
	assert_string_equal(it->row.values[1].name, "operator_name");
	assert_string_equal(it->row.values[1].value, "李四");
	assert_null(memmem(it->row.record.ptr, it->row.record.len, "李四", strlen("李四")));
	assert_null(memmem(it->row.record.ptr, it->row.record.len, "王五", strlen("王五")));
	assert_err(receipt_field_digest(span_of(it->row.values[1].salt, 16), "operator_name", "李四", digest), ERR_OK);
	assert_memory_equal(digest, it->digests[1], SM3_LEN);

	assert_err(store_write(w->store, erase_all, NULL), ERR_OK);
	assert_err(ask(w, p, &use_audit_list, &q, &ans), ERR_OK);
	assert_true(ans.entries[0].row.values[1].erased);
	assert_memory_equal(ans.entries[0].digests[1], digest, SM3_LEN);
	assert_memory_equal(ans.entries[0].row.leaf, leaf, SHA256_LEN);
	q.action = "audit.list"; /* the auditor left entries too */
	assert_err(ask(w, p, &use_audit_list, &q, &ans), ERR_OK);
	assert_int_equal(ans.n, 2);
}

/* An entry whose leaf is not that of its record is named, not shown. */
static enum err append_damaged(struct store_tx *tx, void *arg)
{
	struct audit_row row = {.time = 1, .action = TEXT("x"), .principal = TEXT("y"), .record = span_str("\xa0")};

	(void)arg;
	return store_audit_append(tx, &row);
}

static void damaged_audit(void **state)
{
	struct world *w = *state;
	struct principal p = the_auditor(w);
	struct audit_list_request q = {.action = "", .principal = ""};
	struct audit_list_answer ans = {0};

	assert_err(store_write(w->store, append_damaged, NULL), ERR_OK);
	assert_err(ask(w, p, &use_audit_list, &q, &ans), ERR_STORE_CORRUPT);
	assert_non_null(strstr(w->note.help, "entry 0"));
	assert_int_equal(ans.n, 0);
	q.from = UINT64_MAX;
	assert_err(ask(w, p, &use_audit_list, &q, &ans), ERR_FIELD_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(seal_refusals),         WORLD(seal_life), WORLD(seal_import),
	    WORLD(seal_of_another_owner), WORLD(audit),     WORLD(damaged_audit),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
