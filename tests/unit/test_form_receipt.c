/* Receipts. */
#include "tests/unit/form_help.h"

#include "form/receipt.h"

static struct receipt_field fields[] = {{"姓名", {1}}, {"住址", {2}}};
static struct receipt_material materials[] = {
    {"11100000000013338W011",
     "营业执照",
     MATERIAL_FULFILLED,
     "valid",
     "TOTAL_PASSED",
     "local",
     1600000000000,
     {3},
     2,
     fields},
    {"11100000000013338W009", "居民身份证", MATERIAL_MISSING, "", "", "", 0, {0}, 0, NULL},
};

static struct receipt sample(void)
{
	return (struct receipt){
	    .kind = RECEIPT_PULL,
	    .id = "YZR-0123456789ABCDEFGHJKMNPQRS",
	    .time = 1600000000000,
	    .service = "印证样例服务",
	    .org_code = "11430000006122244L",
	    .org_name = "样例市政务服务中心",
	    .principal = "window-1",
	    .legal_basis = "consent",
	    .item_code = "SP-001",
	    .item_name = "食品经营许可新办",
	    .case_digest = {4},
	    .operator_digest = {5},
	    .purpose = "食品经营许可新办",
	    .code_hash = {6},
	    .request_digest = {7},
	    .audit_leaf = {8},
	    .n_materials = 2,
	    .materials = materials,
	};
}

static struct span encode(struct arena *a, const struct receipt *r)
{
	struct span out = {0};

	assert_err(receipt_encode(a, r, &out), ERR_OK);
	return out;
}

static void test_round_trip(void **state)
{
	struct receipt in = sample(), r;
	struct span bytes = encode(*state, &in);
	struct err_note note;

	assert_err(receipt_parse(*state, bytes, &r, &note), ERR_OK);
	assert_int_equal(r.kind, RECEIPT_PULL);
	assert_string_equal(r.id, in.id);
	assert_true(r.time == in.time);
	assert_string_equal(r.service, in.service);
	assert_string_equal(r.org_code, in.org_code);
	assert_string_equal(r.org_name, in.org_name);
	assert_string_equal(r.principal, in.principal);
	assert_string_equal(r.legal_basis, in.legal_basis);
	assert_string_equal(r.item_code, in.item_code);
	assert_string_equal(r.item_name, in.item_name);
	assert_string_equal(r.purpose, in.purpose);
	assert_memory_equal(r.case_digest, in.case_digest, SM3_LEN);
	assert_memory_equal(r.operator_digest, in.operator_digest, SM3_LEN);
	assert_memory_equal(r.code_hash, in.code_hash, SM3_LEN);
	assert_memory_equal(r.request_digest, in.request_digest, SM3_LEN);
	assert_memory_equal(r.audit_leaf, in.audit_leaf, SHA256_LEN);
	assert_int_equal(r.n_materials, 2);
	assert_int_equal(r.materials[0].status, MATERIAL_FULFILLED);
	assert_string_equal(r.materials[0].indication, "TOTAL_PASSED");
	assert_string_equal(r.materials[0].fields[1].name, "住址");
	assert_memory_equal(r.materials[0].fields[1].digest, fields[1].digest, SM3_LEN);
	assert_int_equal(r.materials[1].status, MATERIAL_MISSING);
	assert_int_equal(r.materials[1].n_fields, 0);
	assert_span(encode(*state, &r), bytes);
}

static void test_every_byte(void **state)
{
	static const uint8_t flips[] = {0x01, 0x20, 0x80, 0xff};
	struct receipt in = sample(), r;
	struct span bytes = encode(*state, &in), changed = arena_dup(*state, bytes);
	uint8_t *p = (uint8_t *)(uintptr_t)changed.ptr;
	struct err_note note;

	for (size_t i = 0; i < bytes.len; i++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			struct arena *a = arena_new(1 << 20);

			p[i] ^= flips[k];
			if (receipt_parse(a, changed, &r, &note) == ERR_OK)
				assert_span(encode(a, &r), changed);
			p[i] = bytes.ptr[i];
			arena_free(a);
		}
		assert_err(receipt_parse(*state, span_sub(bytes, 0, i), &r, &note), ERR_FORMAT);
	}
	p = arena_alloc(*state, bytes.len + 1);
	memcpy(p, bytes.ptr, bytes.len);
	assert_err(receipt_parse(*state, span_of(p, bytes.len + 1), &r, &note), ERR_FORMAT);
	assert_string_equal(note.help, "bytes follow the receipt");
	assert_err(receipt_parse(*state, span_of(arena_alloc(*state, RECEIPT_MAX + 1), RECEIPT_MAX + 1), &r, &note),
	           ERR_TOO_LARGE);
}

static void test_refused_to_write(void **state)
{
	struct receipt r;
	struct receipt_material m;
	struct receipt_field f = {"", {0}};
	struct span out;

#define REFUSED(change, err)                                                                                           \
	r = sample();                                                                                                      \
	m = materials[0];                                                                                                  \
	r.materials = &m;                                                                                                  \
	r.n_materials = 1;                                                                                                 \
	change;                                                                                                            \
	assert_err(receipt_encode(*state, &r, &out), err)
	REFUSED(r.kind = (enum receipt_kind)0, ERR_FIELD_INVALID);
	REFUSED(r.kind = (enum receipt_kind)3, ERR_FIELD_INVALID);
	REFUSED(r.id = "YZR-0123456789ABCDEFGHJKMNPQR", ERR_FIELD_INVALID);
	REFUSED(r.id = "YZX-0123456789ABCDEFGHJKMNPQRS", ERR_FIELD_INVALID);
	REFUSED(r.id = "YZR-0123456789abcdefGHJKMNPQRS", ERR_FIELD_INVALID);
	REFUSED(r.id = NULL, ERR_FIELD_INVALID);
	REFUSED(r.time = 0, ERR_FIELD_INVALID);
	REFUSED(r.service = "", ERR_FIELD_INVALID);
	REFUSED(r.org_name = "\xff", ERR_FIELD_INVALID);
	REFUSED(r.legal_basis = "law", ERR_FIELD_INVALID);
	REFUSED(r.purpose = "", ERR_FIELD_INVALID);
	REFUSED(r.purpose = arena_printf(*state, "%0*d", RECEIPT_PURPOSE_MAX + 1, 0), ERR_FIELD_INVALID);
	REFUSED(r.n_materials = RECEIPT_MATERIALS_MAX + 1, ERR_TOO_LARGE);
	REFUSED(m.status = (enum material_status)0, ERR_FIELD_INVALID);
	REFUSED(m.status = (enum material_status)6, ERR_FIELD_INVALID);
	REFUSED(m.name = "", ERR_FIELD_INVALID);
	REFUSED(m.state = NULL, ERR_FIELD_INVALID);
	REFUSED(m.n_fields = RECEIPT_FIELDS_MAX + 1, ERR_TOO_LARGE);
	REFUSED((m.fields = &f, m.n_fields = 1), ERR_FIELD_INVALID);
#undef REFUSED
}

static void test_digests(void **state)
{
	struct span salt = span_str("0123456789abcdef");
	uint8_t got[SM3_LEN], want[SM3_LEN], other[SM3_LEN];

	(void)state;
	assert_err(receipt_field_digest(salt, "a", "b", got), ERR_OK);
	assert_err(sm3(span_of("0123456789abcdefa\0b", 19), want), ERR_OK);
	assert_memory_equal(got, want, SM3_LEN);
	assert_err(receipt_field_digest(salt, "ab", "", other), ERR_OK);
	assert_memory_not_equal(got, other, SM3_LEN);
	assert_err(receipt_text_digest(salt, "CASE-1", got), ERR_OK);
	assert_err(sm3(span_str("0123456789abcdefCASE-1"), want), ERR_OK);
	assert_memory_equal(got, want, SM3_LEN);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(material_status_name(MATERIAL_FULFILLED), "FULFILLED");
	assert_string_equal(material_status_name(MATERIAL_SOURCE_UNAVAILABLE), "SOURCE_UNAVAILABLE");
	assert_string_equal(material_status_name((enum material_status)9), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_round_trip), TEST(test_every_byte), TEST(test_refused_to_write),
	                                   TEST(test_digests), TEST(test_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
