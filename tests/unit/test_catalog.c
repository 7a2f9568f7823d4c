/* Licence types, service items and values: the sample file, round trips, and definitions with one fault each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "form/catalog.h"

#define CODE     "11990000MB0000019F001"
#define DEFINER  "11990000MB0000019F"
#define NAMES    "\"name\":\"证\",\"definer_code\":\"" DEFINER "\",\"definer_name\":\"部\""
#define TYPE(f)  "{\"code\":\"" CODE "\"," NAMES ",\"fields\":[" f "]}"
#define FIELD    "{\"name\":\"名\",\"kind\":\"text\"}"
#define ITEM(m)  "{\"code\":\"I-1\",\"name\":\"事项\",\"materials\":[" m "]}"
#define MATERIAL "{\"name\":\"证\",\"type_code\":\"" CODE "\",\"purpose\":\"核对\",\"fields\":[\"名\"]}"

struct bad {
	const char *json;
	enum err want;
	const char *field;
};

static const struct bad bad_types[] = {
    {"", ERR_FORMAT, ""},
    {"[]", ERR_FORMAT, ""},
    {"{", ERR_FORMAT, ""},
    {"{}", ERR_FIELD_MISSING, "name"},
    {TYPE(""), ERR_FIELD_MISSING, "fields"},
    {TYPE(FIELD "," FIELD), ERR_FIELD_INVALID, "fields.name"},
    {TYPE("{\"kind\":\"text\"}"), ERR_FIELD_MISSING, "fields.name"},
    {TYPE("{\"name\":\"a\\u0001\",\"kind\":\"text\"}"), ERR_TEXT_INVALID, "fields.name"},
    {TYPE("{\"name\":\"a\\u0000b\",\"kind\":\"text\"}"), ERR_FORMAT, ""},
    {TYPE("{\"name\":\"a\",\"name\":\"b\",\"kind\":\"text\"}"), ERR_FORMAT, ""},
    {TYPE("{\"name\":\"a\",\"kind\":\"colour\"}"), ERR_FORMAT, "kind"},
    {TYPE("{\"name\":\"a\"}"), ERR_FORMAT, "kind"},
    {TYPE("{\"name\":\"a\",\"kind\":\"text\",\"colour\":1}"), ERR_FORMAT, "colour"},
    {TYPE("{\"name\":\"a\",\"kind\":\"text\",\"required\":1}"), ERR_FORMAT, "required"},
    {TYPE("{\"name\":\"a\",\"kind\":\"text\",\"max_length\":-1}"), ERR_FORMAT, "max_length"},
    {TYPE("{\"name\":\"a\",\"kind\":\"text\",\"max_length\":99999999999}"), ERR_FORMAT, "max_length"},
    {TYPE("{\"name\":\"a\",\"kind\":\"text\",\"max_length\":1001}"), ERR_FIELD_INVALID, "max_length"},
    {TYPE("{\"name\":\"a\",\"kind\":\"date\",\"max_length\":10}"), ERR_FIELD_INVALID, "max_length"},
    {TYPE("{\"name\":\"a\",\"kind\":\"choice\"}"), ERR_FIELD_INVALID, "choices"},
    {TYPE("{\"name\":\"a\",\"kind\":\"text\",\"choices\":[\"x\"]}"), ERR_FIELD_INVALID, "choices"},
    {TYPE("{\"name\":\"a\",\"kind\":\"choice\",\"choices\":[\"x\",\"x\"]}"), ERR_FIELD_INVALID, "choices"},
    {TYPE("{\"name\":\"a\",\"kind\":\"choice\",\"choices\":[\"\"]}"), ERR_FIELD_MISSING, "choices"},
    {TYPE("{\"name\":\"a\",\"kind\":\"choice\",\"choices\":[1]}"), ERR_FORMAT, "choices"},
    {TYPE("{\"name\":\"a\",\"kind\":\"resident_id\"}"), ERR_FIELD_INVALID, "personal"},
    {TYPE("1"), ERR_FORMAT, ""},
    {"{\"code\":\"11990000MB0000018F001\"," NAMES ",\"fields\":[" FIELD "]}", ERR_FIELD_INVALID, "code"},
    {"{\"code\":\"" DEFINER "01\"," NAMES ",\"fields\":[" FIELD "]}", ERR_FIELD_INVALID, "code"},
    {"{\"code\":\"11990100MB00001073001\"," NAMES ",\"fields\":[" FIELD "]}", ERR_FIELD_INVALID, "definer_code"},
    {"{\"code\":\"" CODE "\"," NAMES ",\"validity_months\":1201,\"fields\":[" FIELD "]}", ERR_FIELD_INVALID,
     "validity_months"},
};

static const struct bad bad_items[] = {
    {"{}", ERR_FIELD_MISSING, "code"},
    {ITEM(""), ERR_FIELD_MISSING, "materials"},
    {ITEM(MATERIAL "," MATERIAL), ERR_FIELD_INVALID, "materials.name"},
    {"{\"code\":\"I 1\",\"name\":\"x\",\"materials\":[" MATERIAL "]}", ERR_FIELD_INVALID, "code"},
    {"{\"code\":\"I-1\",\"name\":\"\",\"materials\":[" MATERIAL "]}", ERR_FIELD_MISSING, "name"},
    {ITEM("{\"name\":\"证\",\"type_code\":\"" CODE "\",\"fields\":[\"名\"]}"), ERR_FIELD_MISSING, "materials.purpose"},
    {ITEM("{\"name\":\"证\",\"type_code\":\"" CODE "\",\"purpose\":\"x\"}"), ERR_FIELD_MISSING, "materials.fields"},
    {ITEM("{\"name\":\"证\",\"type_code\":\"" CODE "\",\"purpose\":\"x\",\"fields\":[\"a\",\"a\"]}"), ERR_FIELD_INVALID,
     "materials.fields"},
    {ITEM("{\"name\":\"证\",\"type_code\":\"7\",\"purpose\":\"x\",\"fields\":[\"a\"]}"), ERR_FIELD_INVALID,
     "materials.type_code"},
};

static void test_bad_types(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct licence_type t;
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_types) / sizeof(bad_types[0]); i++) {
		enum err e = licence_type_from_json(a, span_str(bad_types[i].json), &t, &note);

		if (e != bad_types[i].want || strcmp(note.field, bad_types[i].field) != 0)
			fail_msg("%s: %s %s", bad_types[i].json, err_name(e), note.field);
	}
	arena_free(a);
}

static void test_bad_items(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct service_item item;
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_items) / sizeof(bad_items[0]); i++) {
		enum err e = service_item_from_json(a, span_str(bad_items[i].json), &item, &note);

		if (e != bad_items[i].want || strcmp(note.field, bad_items[i].field) != 0)
			fail_msg("%s: %s %s", bad_items[i].json, err_name(e), note.field);
	}
	arena_free(a);
}

static void test_too_many(void **state)
{
	struct arena *a = arena_new(4 << 20);
	struct buf b;
	struct span json;
	struct licence_type t;
	struct err_note note;

	(void)state;
	buf_init(&b, a);
	buf_str(&b, "{\"code\":\"" CODE "\"," NAMES ",\"fields\":[");
	for (int i = 0; i <= CATALOG_FIELDS_MAX; i++)
		buf_printf(&b, "%s{\"name\":\"f%d\",\"kind\":\"text\"}", i != 0 ? "," : "", i);
	buf_str(&b, "]}");
	assert_int_equal(buf_done(&b, &json), ERR_OK);
	assert_int_equal(licence_type_from_json(a, json, &t, &note), ERR_TOO_LARGE);
	assert_string_equal(note.field, "fields");
	json = span_of(arena_alloc(a, CATALOG_JSON_MAX + 1), CATALOG_JSON_MAX + 1);
	assert_int_equal(licence_type_from_json(a, json, &t, &note), ERR_TOO_LARGE);
	arena_free(a);
}

static void test_deep(void **state)
{
	struct arena *a = arena_new(4 << 20);
	char *deep = arena_alloc(a, 100000);
	struct catalog c;
	struct err_note note;

	(void)state;
	memset(deep, '[', 99999);
	assert_int_equal(catalog_from_json(a, span_str(deep), &c, &note), ERR_FORMAT);
	arena_free(a);
}

static void test_budget(void **state)
{
	struct arena *a = arena_new(64);
	struct licence_type t;

	(void)state;
	assert_int_equal(licence_type_from_json(a, span_str(TYPE(FIELD)), &t, NULL), ERR_BUDGET);
	arena_free(a);
}

/* ---- values --------------------------------------------------------------------------------- */

static char *choices[] = {(char *)(uintptr_t) "男", (char *)(uintptr_t) "女"};

static const struct {
	enum field_kind kind;
	const char *value;
	enum err want;
} values[] = {
    {FIELD_TEXT, "", ERR_OK},
    {FIELD_TEXT, "十个字以内", ERR_OK},
    {FIELD_TEXT, "一二三四五六七八九十一", ERR_FIELD_TOO_LONG},
    {FIELD_TEXT, "a\nb", ERR_TEXT_INVALID},
    {FIELD_TEXT, "\xff", ERR_TEXT_INVALID},
    {FIELD_TEXT, "\xe2\x80\xae", ERR_TEXT_INVALID},
    {FIELD_DATE, "2024-02-29", ERR_OK},
    {FIELD_DATE, "2023-02-29", ERR_FIELD_INVALID},
    {FIELD_DATE, "2024-2-9", ERR_FIELD_INVALID},
    {FIELD_DATE, "2024-02-29T00:00:00Z", ERR_FIELD_INVALID},
    {FIELD_INTEGER, "0", ERR_OK},
    {FIELD_INTEGER, "-12", ERR_OK},
    {FIELD_INTEGER, "007", ERR_FIELD_INVALID},
    {FIELD_INTEGER, "-0", ERR_FIELD_INVALID},
    {FIELD_INTEGER, "-", ERR_FIELD_INVALID},
    {FIELD_INTEGER, "1 ", ERR_FIELD_INVALID},
    {FIELD_INTEGER, "1.0", ERR_FIELD_INVALID},
    {FIELD_INTEGER, "1234567890123456789", ERR_FIELD_INVALID},
    {FIELD_DECIMAL, "88.50", ERR_OK},
    {FIELD_DECIMAL, "-0.5", ERR_OK},
    {FIELD_DECIMAL, "12", ERR_OK},
    {FIELD_DECIMAL, ".5", ERR_FIELD_INVALID},
    {FIELD_DECIMAL, "5.", ERR_FIELD_INVALID},
    {FIELD_DECIMAL, "1e3", ERR_FIELD_INVALID},
    {FIELD_DECIMAL, "00.5", ERR_FIELD_INVALID},
    {FIELD_DECIMAL, "1,5", ERR_FIELD_INVALID},
    {FIELD_CHOICE, "女", ERR_OK},
    {FIELD_CHOICE, "女 ", ERR_FIELD_INVALID},
    {FIELD_CREDIT_CODE, "11990100MB00001073", ERR_OK},
    {FIELD_CREDIT_CODE, "11990100MB00001074", ERR_FIELD_INVALID},
    {FIELD_RESIDENT_ID, "11010519491231002X", ERR_OK},
    {FIELD_RESIDENT_ID, "11010519491231002x", ERR_FIELD_INVALID},
    {FIELD_RESIDENT_ID, "110105194912310021", ERR_FIELD_INVALID},
    {(enum field_kind)0, "x", ERR_FIELD_INVALID},
    {(enum field_kind)8, "x", ERR_FIELD_INVALID},
};

static void test_values(void **state)
{
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct field_type f = {.name = (char *)(uintptr_t) "栏", .kind = values[i].kind};
		enum err e;

		if (f.kind == FIELD_TEXT)
			f.max_length = 10;
		if (f.kind == FIELD_CHOICE) {
			f.n_choices = 2;
			f.choices = choices;
		}
		note = (struct err_note){.code = ERR_OK};
		e = field_value_check(&f, values[i].value, &note);
		if (e != values[i].want)
			fail_msg("kind %d, \"%s\": %s", (int)f.kind, values[i].value, err_name(e));
		assert_true(e == ERR_OK || strcmp(note.field, "栏") == 0);
		assert_true(e == ERR_OK || strlen(values[i].value) < 4 || strstr(note.help, values[i].value) == NULL);
	}
}

/* ---- the sample ----------------------------------------------------------------------------- */

static void same_again(struct arena *a, struct span first, bool is_type)
{
	struct licence_type t;
	struct service_item item;
	struct span again;

	if (is_type) {
		assert_int_equal(licence_type_from_json(a, first, &t, NULL), ERR_OK);
		assert_int_equal(licence_type_to_json(a, &t, &again), ERR_OK);
	} else {
		assert_int_equal(service_item_from_json(a, first, &item, NULL), ERR_OK);
		assert_int_equal(service_item_to_json(a, &item, &again), ERR_OK);
	}
	assert_true(span_eq(first, again));
}

static const struct licence_type *type_by_code(const struct catalog *c, const char *code)
{
	for (size_t i = 0; i < c->n_types; i++)
		if (strcmp(c->types[i].code, code) == 0)
			return &c->types[i];
	return NULL;
}

static void test_sample(void **state)
{
	struct arena *a = arena_new(16 << 20);
	struct err_note note;
	struct span json;
	struct catalog c;

	(void)state;
	assert_int_equal(file_read(a, "share/catalogue/sample.json", CATALOG_JSON_MAX, &json, &note), ERR_OK);
	if (catalog_from_json(a, json, &c, &note) != ERR_OK)
		fail_msg("%s: %s", note.field, err_note_text(&note));
	assert_int_equal(c.n_types, 8);
	assert_int_equal(c.n_items, 5);
	for (size_t i = 0; i < c.n_types; i++) {
		assert_true(c.types[i].sample);
		assert_int_equal(licence_type_to_json(a, &c.types[i], &json), ERR_OK);
		same_again(a, json, true);
	}
	for (size_t i = 0; i < c.n_items; i++) {
		assert_true(c.items[i].sample);
		assert_int_equal(service_item_to_json(a, &c.items[i], &json), ERR_OK);
		same_again(a, json, false);
		for (size_t k = 0; k < c.items[i].n_materials; k++) {
			const struct item_material *m = &c.items[i].materials[k];
			const struct licence_type *t = type_by_code(&c, m->type_code);

			assert_non_null(t);
			for (size_t f = 0; f < m->n_fields; f++)
				assert_non_null(licence_type_field(t, m->fields[f]));
		}
	}
	assert_null(licence_type_field(&c.types[0], "no such field"));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_types), cmocka_unit_test(test_bad_items), cmocka_unit_test(test_too_many),
	    cmocka_unit_test(test_deep),      cmocka_unit_test(test_budget),    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
