/* Identifiers, codes and show-code text. */
#include "tests/unit/form_help.h"

#include "form/ids.h"
#include "form/showcode.h"

static const char *findings(const char *text, char out[64])
{
	struct licence_id id;

	if (licence_id_parse(span_str(text), &id) != ERR_OK)
		return "malformed";
	snprintf(out, 64, "%s%s%s%s", id.root_ok ? "" : ",root", id.type_ok ? "" : ",type", id.issuer_ok ? "" : ",issuer",
	         memcmp(id.version.ptr, "000", 3) == 0 ? ",version" : "");
	if (id.check != id.computed)
		snprintf(out + strlen(out), 64 - strlen(out), ",check=%c", id.computed);
	return out[0] != '\0' ? out + 1 : "ok";
}

static void licence_row(const char *text, const char *want)
{
	char out[64];

	assert_string_equal(findings(text, out), want);
	assert_int_equal(licence_id_ok(span_str(text)), strcmp(want, "ok") == 0);
}

static void test_licence_ids(void **state)
{
	assert_true(each_row(*state, "tests/vectors/licence_id.txt", licence_row) > 40);
}

static void test_licence_id_parts(void **state)
{
	struct licence_id id;
	const char *text = "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9";

	(void)state;
	assert_err(licence_id_parse(span_str(text), &id), ERR_OK);
	assert_span(id.type, span_str("11100000MB03271699022"));
	assert_span(id.issuer, span_str("340100"));
	assert_span(id.serial, span_str("000000016"));
	assert_span(id.version, span_str("001"));
	assert_int_equal(id.check, '9');
	assert_true(id.root_ok && id.type_ok && !id.issuer_ok);
}

static void credit_row(const char *text, const char *want)
{
	assert_int_equal(credit_code_ok(span_str(text)), strcmp(want, "ok") == 0);
}

static void test_credit_codes(void **state)
{
	assert_true(each_row(*state, "tests/vectors/credit_code.txt", credit_row) > 25);
	assert_int_equal(credit_code_check(span_str("11100000000013338")), 'W');
	assert_int_equal(credit_code_check(span_str("1110000000001333")), '\0');
	assert_int_equal(credit_code_check(span_str("1110000000001333I")), '\0');
	assert_int_equal(credit_code_check(span_of("1110000000001333\0", 17)), '\0');
}

static void resident_row(const char *text, const char *want)
{
	assert_int_equal(resident_id_ok(span_str(text)), strcmp(want, "ok") == 0);
}

static void test_resident_ids(void **state)
{
	assert_true(each_row(*state, "tests/vectors/resident_id.txt", resident_row) > 20);
	assert_int_equal(resident_id_check(span_str("11010519491231002")), 'X');
	assert_int_equal(resident_id_check(span_str("1101051949123100")), '\0');
}

static void test_type_codes(void **state)
{
	(void)state;
	assert_true(type_code_ok(span_str("11100000000013338W011")));
	assert_false(type_code_ok(span_str("11100000000013338W01")));
	assert_false(type_code_ok(span_str("11100000000013338W0111")));
	assert_false(type_code_ok(span_str("11100000000013338W01A")));
	assert_false(type_code_ok(span_str("11100000000013338X011")));
}

static void test_holder_codes(void **state)
{
	(void)state;
	assert_err(holder_code_check("001", "11100000000013338W"), ERR_OK);
	assert_err(holder_code_check("111", "11010519491231002X"), ERR_OK);
	assert_err(holder_code_check("414", "E12345678"), ERR_OK);
	assert_err(holder_code_check("999", "A-1"), ERR_OK);
	assert_err(holder_code_check("001", "11010519491231002X"), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check("111", "11100000000013338W"), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check("414", ""), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check("414", "e1"), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check("414", "12345678901234567890123456789012345678901"), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check("112", "E12345678"), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check("", "E12345678"), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check("0010", "11100000000013338W"), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check(NULL, "E12345678"), ERR_HOLDER_CODE_INVALID);
	assert_err(holder_code_check("414", NULL), ERR_HOLDER_CODE_INVALID);
}

static void test_licence_id_make(void **state)
{
	static const struct {
		const char *type, *issuer, *serial;
		unsigned version;
	} bad[] = {
	    {"11100000000013338X011", "11430000006122244L", "1", 1},
	    {"11100000000013338W011", "340100", "1", 1},
	    {"11100000000013338W011", "11430000006122244L", "", 1},
	    {"11100000000013338W011", "11430000006122244L", "a", 1},
	    {"11100000000013338W011", "11430000006122244L", "1", 0},
	    {"11100000000013338W011", "11430000006122244L", "1", 1000},
	    {"11100000000013338W011", "11430000006122244L", "1.2", 1},
	    {NULL, "11430000006122244L", "1", 1},
	};
	char *id = NULL;

	assert_err(licence_id_make(*state, "11100000000013338W011", "11430000006122244L", "20230000403", 2, &id), ERR_OK);
	assert_string_equal(id, "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_err(licence_id_make(*state, bad[i].type, bad[i].issuer, bad[i].serial, bad[i].version, &id),
		           ERR_LICENCE_ID_INVALID);
}

/* ---- show-codes ----------------------------------------------------------------------------- */

static enum err fill_counting(void *arg, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(i * *(unsigned *)arg);
	return ERR_OK;
}

static enum err fill_failing(void *arg, uint8_t *out, size_t len)
{
	return ERR_RANDOM;
}

static void test_showcode_make(void **state)
{
	unsigned step = 1;
	struct rand r = {fill_counting, &step};
	char code[SHOWCODE_TEXT + 1], *read;
	uint8_t hash[SM3_LEN], want[SM3_LEN];

	assert_err(showcode_make(&r, code), ERR_OK);
	assert_string_equal(code, "YZ1000G40R40M30E209185GR38E1W8124GK");
	assert_err(showcode_read(*state, span_str(code), &read), ERR_OK);
	assert_string_equal(read, code);
	assert_err(showcode_hash(code, hash), ERR_OK);
	assert_err(sm3(span_str(code), want), ERR_OK);
	assert_memory_equal(hash, want, SM3_LEN);
	step = 255;
	assert_err(showcode_make(&r, code), ERR_OK);
	assert_err(showcode_read(*state, span_str(code), &read), ERR_OK);
	r.fill = fill_failing;
	strcpy(code, "as it was");
	assert_err(showcode_make(&r, code), ERR_RANDOM);
	assert_string_equal(code, "as it was");
}

static void test_showcode_read(void **state)
{
	static const char canonical[] = "YZ1000G40R40M30E209185GR38E1W8124GK";
	static const char *const good[] = {
	    "YZ1000G40R40M30E209185GR38E1W8124GK",
	    "yz1000g40r40m30e209185gr38e1w8124gk",
	    "YZ1000G40R40M30E209185GR38E1W8124GK\r\n",
	    " \tYZ1000G40R40M30E209185GR38E1W8124GK\r",
	    "YZIOoOG40R4OM3OE2O9l85GR38EIW8i24GK",
	    "ＹＺ１０００Ｇ４０Ｒ４０Ｍ３０Ｅ２０９１８５ＧＲ３８Ｅ１Ｗ８１２４ＧＫ",
	    "　YZ1000G40R40M30E209185GR38E1W8124GK　",
	};
	static const char *const bad[] = {
	    "",
	    "YZ1",
	    "YZ1000G40R40M30E209185GR38E1W8124G",
	    "YZ1000G40R40M30E209185GR38E1W8124GKK",
	    "YZ2000G40R40M30E209185GR38E1W8124GK",
	    "ZY1000G40R40M30E209185GR38E1W8124GK",
	    "YZ1:00G40R40M30E209185GR38E1W8124GK",
	    "YZ1000G40R40M30E209185GR38E1W8124GU",
	    "YZ1000G40R40M30E 209185GR38E1W8124K",
	    "YZ1000G40R40M30E209185GR38E1W8124G-",
	    "YZ1000G40R40M30E209185GR38E1W8124\xff\xff",
	    "https://example.com/YZ1000G40R40M30",
	};
	char *read = NULL, *longer;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_err(showcode_read(*state, span_str(good[i]), &read), ERR_OK);
		assert_string_equal(read, canonical);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_err(showcode_read(*state, span_str(bad[i]), &read), ERR_CODE_MALFORMED);
	assert_err(showcode_read(*state,
	                         span_of("YZ1000G40R40M30E209185GR38E1W8\0"
	                                 "124G",
	                                 35),
	                         &read),
	           ERR_CODE_MALFORMED);
	longer = arena_printf(*state, "%600s%s", "", canonical);
	assert_err(showcode_read(*state, span_str(longer), &read), ERR_CODE_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_licence_ids),     TEST(test_licence_id_parts), TEST(test_credit_codes),
	    TEST(test_resident_ids),    TEST(test_type_codes),       TEST(test_holder_codes),
	    TEST(test_licence_id_make), TEST(test_showcode_make),    TEST(test_showcode_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
