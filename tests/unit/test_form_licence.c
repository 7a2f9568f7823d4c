/* Licence records and files. */
#include "tests/unit/form_help.h"

#include "form/cbor.h"
#include "form/licence.h"

static struct licence_holder holders[] = {{"样例餐饮有限公司", "001", "91110000MA0000000H"},
                                          {"张样例", "111", "11010519491231002X"}};
static struct licence_field fields[] = {{"经营场所", "样例市样例路 1 号"}, {"主体业态", "餐饮服务经营者"}};

static struct licence_record sample(void)
{
	return (struct licence_record){
	    .id = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
	    .type_code = "11100000000013338W011",
	    .type_name = "食品经营许可证",
	    .number = "JY21101050000001",
	    .version = 1,
	    .issuer_code = "11430000006122244L",
	    .issuer_name = "样例市市场监督管理局",
	    .definer_code = "11100000000013338W",
	    .issued = 1600000000000,
	    .valid_from = 1600000000000,
	    .valid_to = 1757680000000,
	    .area_code = "430000",
	    .previous_id = "",
	    .n_holders = 2,
	    .holders = holders,
	    .n_fields = 2,
	    .fields = fields,
	};
}

static struct span encode(struct arena *a, const struct licence_record *r)
{
	struct span out = {0};

	assert_err(licence_record_encode(a, r, &out), ERR_OK);
	return out;
}

static void test_round_trip(void **state)
{
	struct licence_record in = sample(), r;
	struct span bytes = encode(*state, &in);
	struct err_note note;

	assert_err(licence_record_parse(*state, bytes, &r, &note), ERR_OK);
	assert_string_equal(r.id, in.id);
	assert_string_equal(r.type_code, in.type_code);
	assert_string_equal(r.type_name, in.type_name);
	assert_string_equal(r.number, in.number);
	assert_int_equal(r.version, 1);
	assert_string_equal(r.issuer_code, in.issuer_code);
	assert_string_equal(r.issuer_name, in.issuer_name);
	assert_string_equal(r.definer_code, in.definer_code);
	assert_true(r.issued == in.issued && r.valid_from == in.valid_from && r.valid_to == in.valid_to);
	assert_string_equal(r.area_code, "430000");
	assert_string_equal(r.previous_id, "");
	assert_int_equal(r.n_holders, 2);
	assert_string_equal(r.holders[1].name, "张样例");
	assert_string_equal(r.holders[1].code_type, "111");
	assert_string_equal(r.holders[1].code, "11010519491231002X");
	assert_int_equal(r.n_fields, 2);
	assert_string_equal(licence_field_value(&r, "主体业态"), "餐饮服务经营者");
	assert_null(licence_field_value(&r, "主体"));
	assert_span(encode(*state, &r), bytes);
	in.valid_to = 0;
	in.n_fields = 0;
	bytes = encode(*state, &in);
	assert_err(licence_record_parse(*state, bytes, &r, &note), ERR_OK);
	assert_span(encode(*state, &r), bytes);
}

/* Whatever byte is changed: refused, or another record with one encoding, the changed bytes. Never two encodings. */
static void test_every_byte(void **state)
{
	static const uint8_t flips[] = {0x01, 0x20, 0x80, 0xff};
	struct licence_record in = sample(), r;
	struct span bytes = encode(*state, &in), changed = arena_dup(*state, bytes);
	uint8_t *p = (uint8_t *)(uintptr_t)changed.ptr;

	for (size_t i = 0; i < bytes.len; i++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			struct arena *a = arena_new(1 << 20);

			p[i] ^= flips[k];
			if (licence_record_parse(a, changed, &r, NULL) == ERR_OK)
				assert_span(encode(a, &r), changed);
			p[i] = bytes.ptr[i];
			arena_free(a);
		}
		assert_err(licence_record_parse(*state, span_sub(bytes, 0, i), &r, NULL), ERR_FORMAT);
	}
}

/* Whatever the budget: all, or ERR_BUDGET and nothing. */
static void test_every_budget(void **state)
{
	struct licence_record in = sample(), r = {.version = 77};
	struct span bytes = encode(*state, &in), out = {0};
	enum err e = ERR_BUDGET, written = ERR_BUDGET;

	for (size_t budget = 0; (e != ERR_OK || written != ERR_OK) && budget < 65536; budget += 16) {
		struct arena *a = arena_new(budget), *b = arena_new(budget);

		e = licence_record_parse(a, bytes, &r, NULL);
		assert_err(e, e != ERR_OK ? ERR_BUDGET : ERR_OK);
		assert_int_equal(r.version, e != ERR_OK ? 77 : 1);
		written = licence_record_encode(b, &in, &out);
		assert_err(written, written != ERR_OK ? ERR_BUDGET : ERR_OK);
		arena_free(a);
		arena_free(b);
	}
	assert_err(e, ERR_OK);
	assert_err(written, ERR_OK);
}

static void test_refused_to_write(void **state)
{
	struct licence_record r;
	struct licence_holder h;
	struct licence_field f[2];
	struct span out;
	char *longer = arena_printf(*state, "%0*d", LICENCE_VALUE_MAX + 1, 0);

#define REFUSED(change, err)                                                                                           \
	r = sample();                                                                                                      \
	change;                                                                                                            \
	assert_err(licence_record_encode(*state, &r, &out), err)
	REFUSED(r.id = "", ERR_FIELD_INVALID);
	REFUSED(r.id = NULL, ERR_FIELD_INVALID);
	REFUSED(r.type_name = "\xff", ERR_FIELD_INVALID);
	REFUSED(r.number = "a\nb", ERR_FIELD_INVALID);
	REFUSED(r.version = 0, ERR_FIELD_INVALID);
	REFUSED(r.version = 1000, ERR_FIELD_INVALID);
	REFUSED(r.issued = 0, ERR_FIELD_INVALID);
	REFUSED(r.valid_from = 0, ERR_FIELD_INVALID);
	REFUSED(r.valid_to = r.valid_from - 1, ERR_FIELD_INVALID);
	REFUSED(r.area_code = NULL, ERR_FIELD_INVALID);
	REFUSED(r.issuer_name = longer, ERR_FIELD_INVALID);
	REFUSED(r.n_holders = 0, ERR_FIELD_INVALID);
	REFUSED(r.n_holders = LICENCE_HOLDERS_MAX + 1, ERR_TOO_LARGE);
	REFUSED(r.n_fields = LICENCE_FIELDS_MAX + 1, ERR_TOO_LARGE);
	h = (struct licence_holder){"", "111", "1"};
	REFUSED((r.holders = &h, r.n_holders = 1), ERR_FIELD_INVALID);
	h = (struct licence_holder){"A", "111", "\x01"};
	REFUSED((r.holders = &h, r.n_holders = 1), ERR_FIELD_INVALID);
	f[0] = (struct licence_field){"a", "1"};
	f[1] = (struct licence_field){"a", "2"};
	REFUSED(r.fields = f, ERR_FIELD_INVALID);
	f[1] = (struct licence_field){"b", ""};
	REFUSED(r.fields = f, ERR_FIELD_INVALID);
	f[1] = (struct licence_field){"b", longer};
	REFUSED(r.fields = f, ERR_FIELD_INVALID);
#undef REFUSED
}

/* A record too large as a whole, although each part is allowed. */
static void test_too_large(void **state)
{
	struct licence_record r = sample();
	struct licence_field many[LICENCE_FIELDS_MAX];
	char *value = arena_printf(*state, "%0*d", LICENCE_VALUE_MAX, 0);
	struct span out;
	struct err_note note;

	for (size_t i = 0; i < LICENCE_FIELDS_MAX; i++)
		many[i] = (struct licence_field){arena_printf(*state, "field %zu", i), value};
	r.fields = many;
	r.n_fields = LICENCE_FIELDS_MAX;
	assert_err(licence_record_encode(*state, &r, &out), ERR_TOO_LARGE);
	out = span_of(arena_alloc(*state, LICENCE_RECORD_MAX + 1), LICENCE_RECORD_MAX + 1);
	assert_err(licence_record_parse(*state, out, &r, &note), ERR_TOO_LARGE);
}

/* Records that only a foreign writer would make. */
static void test_bad_records(void **state)
{
	struct licence_record in = sample(), r;
	struct span good = encode(*state, &in);
	struct err_note note;
	uint8_t *p;

	p = (uint8_t *)(uintptr_t)arena_dup(*state, good).ptr;
	p[0] = 0xae; /* one element fewer */
	assert_err(licence_record_parse(*state, span_of(p, good.len), &r, &note), ERR_FORMAT);
	assert_string_equal(note.field, "record");
	p[0] = 0xaf;
	p[1] = 0x02; /* key 1 is missing */
	assert_err(licence_record_parse(*state, span_of(p, good.len), &r, &note), ERR_FORMAT);
	assert_string_equal(note.field, "id");
	p = arena_alloc(*state, good.len + 1);
	memcpy(p, good.ptr, good.len);
	assert_err(licence_record_parse(*state, span_of(p, good.len + 1), &r, &note), ERR_FORMAT);
	assert_string_equal(note.help, "bytes follow the record");
	assert_err(licence_record_parse(*state, span_of(NULL, 0), &r, &note), ERR_FORMAT);
}

static void test_file(void **state)
{
	static const char *const bad[] = {
	    "",
	    "80",
	    "84",
	    "84 69 595a4c4943454e4345 01 4101",
	    "83 69 595a4c4943454e4345 01 4101",
	    "84 69 595a4c4943454e4346 01 4101 4102", /* another magic */
	    "84 69 595a4c4943454e4345 02 4101 4102", /* another version */
	    "84 49 595a4c4943454e4345 01 4101 4102", /* magic as bytes */
	    "84 69 595a4c4943454e4345 01 40 4102",   /* empty record */
	    "84 69 595a4c4943454e4345 01 4101 40",
	    "84 69 595a4c4943454e4345 01 6161 4102",
	    "84 69 595a4c4943454e4345 1801 4101 4102",
	    "84 69 595a4c4943454e4345 01 4101 4102 00", /* more behind it */
	    "9f 69 595a4c4943454e4345 01 4101 4102 ff",
	};
	struct span out, record, sig, want = unhex("84 69 595a4c4943454e4345 01 4101 420203");

	assert_err(licence_file_encode(*state, span_of("\1", 1), span_of("\2\3", 2), &out), ERR_OK);
	assert_span(out, want);
	assert_err(licence_file_parse(out, &record, &sig), ERR_OK);
	assert_span(record, span_of("\1", 1));
	assert_span(sig, span_of("\2\3", 2));
	free((void *)(uintptr_t)want.ptr);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span in = unhex(bad[i]);

		if (licence_file_parse(in, &record, &sig) != ERR_FORMAT)
			fail_msg("%s", bad[i]);
		free((void *)(uintptr_t)in.ptr);
	}
	assert_err(licence_file_encode(*state, span_of(NULL, 0), span_of("\2\3", 2), &out), ERR_FIELD_INVALID);
	out = span_of(arena_alloc(*state, LICENCE_RECORD_MAX + 1), LICENCE_RECORD_MAX + 1);
	assert_err(licence_file_encode(*state, out, out, &out), ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_round_trip),  TEST(test_every_byte), TEST(test_refused_to_write), TEST(test_too_large),
	    TEST(test_bad_records), TEST(test_file),       TEST(test_every_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
